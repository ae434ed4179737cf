/* test_model_gemma.c - a real model with sliding windows (Gemma 3 270M, windows of 512): scores of texts that are longer than
 * a window, one of which turns off in the middle of another whose window there other texts took (test_tiny.c shows the same
 * on random weights). The quantised weights are made F16 first: as they are, the same tokens in other cells of the cache
 * change a token's log-probability by half a nat, by the rounding of activations, and nothing could be told from that. */
#include "rows.h"

#define LIMIT_WORST 0.05
#define LIMIT_MEAN  0.01

static cord_engine *engine;
static cord_model *gemma;
static struct reference ref;

static struct row rows[] = {ROW('P', 99, 46, "31 pears"), ROW('Q', 99, 46, "31 pears"), ROW('S', 99, 46, "31 pears"),
                            ROW('T', 99, 12, "31 pears"), ROW('Q', 22, 24, "31 pears")};
enum { ROWS = sizeof rows / sizeof *rows };

static void scores_beyond_a_window(void **state) {
    (void)state;
    struct row_expected expected[ROWS];
    rows_expect(&ref, rows, ROWS, cord_engine_get_info(engine).threads, expected);
    int longest = expected[1].first, window = llama_model_n_swa(ref.weights);
    printf("%d tokens in windows of %d\n", longest, window);
    assert_true(window == 512 && longest > window + 200);
    struct row_sums sums = {.limit = LIMIT_WORST};
    rows_score(engine, gemma, rows, expected, 0, 1, 1, &sums);
    rows_forget(engine, "P");
    rows_score(engine, gemma, rows, expected, 2, ROWS - 1, 1, &sums);
    rows_report(GEMMA, &sums);
    assert_true(sums.total / sums.tokens <= LIMIT_MEAN);
}

static void make_f16(char path[32]) {
    char from[4096];
    weights_path(GEMMA, from, sizeof from);
    scratch_file(path);
    struct llama_model_quantize_params params = llama_model_quantize_default_params();
    params.ftype = LLAMA_FTYPE_MOSTLY_F16;
    params.allow_requantize = true;
    assert_int_equal(llama_model_quantize(from, path, &params), 0);
}

static int open_engine(void **state) {
    (void)state;
    char path[32];
    make_f16(path);
    engine = weights_engine();
    cord_model_options options = {.name = GEMMA " in F16", .path = path, .context = ROW_TOKENS};
    cord_error why = {0};
    cord_status status = cord_model_open(engine, &options, &gemma, &why);
    if (status == CORD_OK) ref = reference_open_file(path, false);
    unlink(path); /* it stays mapped */
    if (status != CORD_OK) fail_msg("%s", why.message);
    rows_write(rows, ROWS);
    return 0;
}

static int close_engine(void **state) {
    (void)state;
    reference_close(&ref);
    cord_engine_close(engine);
    rows_release(rows, ROWS);
    return 0;
}

int main(void) {
    weights_need(GEMMA);
    const struct CMUnitTest tests[] = {cmocka_unit_test(scores_beyond_a_window)};
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
