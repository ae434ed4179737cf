/* test_model_oracle.c - cord_score against frozen values from transformers in F32 (oracle.jsonl, made by make_oracle.py),
 * which shares nothing with llama.cpp but the weights: the same tokens, and values as near as quantised kernels allow. */
#include "reference.h"

#include "base/json.h"

/* What llama.cpp's quantised kernels were measured to differ by from F32 on the same weights: of the tokens above LIKELY the
 * mean and the worst, and the worst score. Far below that, values say nothing about a target any more. */
#define LIKELY      (-9.0)
#define LIMIT_MEAN  0.05
#define LIMIT_SCORE 0.03

static cord_engine *engine;

static cord_text member_text(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    assert_true(json_is_string(value));
    return (cord_text){json_string_value(value), json_string_length(value)};
}

struct sums {
    int rows, tokens, likely;
    double difference, worst, worst_score, score_difference;
};

/* As `cord score` does: raw text, special tokens parsed, no template. */
static void compare_row(const cord_model *model, const struct reference *ref, const json_t *row, const json_t *want,
                        struct sums *sums) {
    cord_span prefix = {member_text(row, "prefix"), true};
    cord_scoring got = {.model = model, .prompt = &prefix, .n_spans = 1, .target = {member_text(row, "target"), true},
                        .closing = {member_text(row, "suffix"), true}, .group = 1};
    assert_ok(cord_score(engine, &got, 1, err));
    if (got.error.code != CORD_OK) fail_msg("'%s': %s", got.target.text.data, got.error.message);

    const json_t *ids = json_object_get(want, "ids"), *logprobs = json_object_get(want, "logprobs");
    if ((size_t)got.n_tokens != json_array_size(ids))
        fail_msg("'%s' behind '%s': %d tokens, want %zu", got.target.text.data, prefix.text.data, got.n_tokens,
                 json_array_size(ids));
    for (int i = 0; i < got.n_tokens; i++) {
        char piece[256];
        int n = reference_piece(ref, (llama_token)json_integer_value(json_array_get(ids, (size_t)i)), piece, sizeof piece);
        if (!text_equal(got.token[i], (cord_text){piece, (size_t)n}))
            fail_msg("token %d of '%s' is '%.*s', want '%.*s'", i, got.target.text.data, (int)got.token[i].len,
                     got.token[i].data, n, piece);
        double value = json_number_value(json_array_get(logprobs, (size_t)i)), difference = fabs(got.logprob[i] - value);
        sums->tokens++;
        if (value < LIKELY) continue;
        sums->likely++;
        sums->difference += difference;
        if (difference > sums->worst) sums->worst = difference;
    }
    double difference = fabs(got.score - json_number_value(json_object_get(want, "score")));
    sums->score_difference += difference;
    if (difference > sums->worst_score) sums->worst_score = difference;
    sums->rows++;
    cord_scoring_release(&got);
}

static void compare_model(const char *name, double limit_worst) {
    cord_model *model = weights_open(engine, name, 0, 0, 0);
    struct reference ref = reference_open(name, true);
    FILE *file = fopen(TEST_DATA_DIR "model/oracle.jsonl", "r");
    assert_non_null(file);
    struct line_reader lines;
    line_reader_init(&lines, file, "oracle.jsonl", 1 << 20);
    struct sums sums = {0};
    for (bool more = true; more;) {
        assert_ok(line_read(&lines, &more, err));
        if (!more) break;
        json_error_t error;
        json_t *row = json_loadb(lines.line.data, lines.line.len, 0, &error);
        if (!row) fail_msg("oracle.jsonl: %s", error.text);
        compare_row(model, &ref, row, json_object_get(row, name), &sums);
        json_decref(row);
    }
    line_reader_release(&lines);
    fclose(file);
    reference_close(&ref);
    double mean = sums.difference / sums.likely;
    printf("%s: %d rows, %d tokens, %d above %g: mean difference %.4f, worst %.3f; in S mean %.5f, worst %.4f\n", name,
           sums.rows, sums.tokens, sums.likely, LIKELY, mean, sums.worst, sums.score_difference / sums.rows, sums.worst_score);
    assert_true(sums.rows >= 90);
    assert_true(mean <= LIMIT_MEAN);
    assert_true(sums.worst <= limit_worst);
    assert_true(sums.worst_score <= LIMIT_SCORE);
}

static void smollm2(void **state) {
    (void)state;
    compare_model(SMOLLM2, 0.53);
}

static void qwen(void **state) {
    (void)state;
    compare_model(QWEN, 0.31);
}

static int open_engine(void **state) {
    (void)state;
    engine = weights_engine();
    return 0;
}

static int close_engine(void **state) {
    (void)state;
    cord_engine_close(engine);
    return 0;
}

int main(void) {
    weights_need(SMOLLM2);
    weights_need(QWEN);
    const struct CMUnitTest tests[] = {cmocka_unit_test(smollm2), cmocka_unit_test(qwen)};
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
