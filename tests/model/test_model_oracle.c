/* test_model_oracle.c - cord_score against frozen values from transformers in F32 (oracle.jsonl, made by make_oracle.py),
 * which shares nothing with llama.cpp but the weights: the same tokens, and the same values.
 *
 * That cord's numbers are right is shown on F32 weights, which llama.cpp itself makes here of the quantised ones: what is
 * left there is the F16 of its cache. On quantised weights the kernels round activations too; how far that takes values from
 * F32 is a property of the model and the rows, held here to what was measured on these rows, with a margin of a third. */
#include "reference.h"

#include "base/json.h"

/* Below this a token's log-probability says nothing about a target any more. */
#define LIKELY (-9.0)

/* Of the likely tokens the mean and the worst difference, nats; and the worst in S. */
struct limits {
    double mean, worst, score;
};
static const struct limits f32 = {0.003, 0.03, 0.002};      /* measured 0.0011, 0.0112, 0.0010 */
static const struct limits smollm2_q4 = {0.08, 0.91, 0.13}; /* measured 0.0594, 0.685, 0.0983 */
static const struct limits qwen_q4 = {0.05, 0.36, 0.073};   /* measured 0.0242, 0.268, 0.0544 */

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
    cord_scoring got = {.model = model,
                        .prompt = &prefix,
                        .n_spans = 1,
                        .target = {member_text(row, "target"), true},
                        .closing = {member_text(row, "suffix"), true},
                        .group = 1};
    assert_ok(cord_score(engine, &got, 1, err));
    if (got.error.code != CORD_OK) fail_msg("'%s': %s", got.target.text.data, got.error.message);

    const json_t *ids = json_object_get(want, "ids"), *logprobs = json_object_get(want, "logprobs");
    if ((size_t)got.n_tokens != json_array_size(ids))
        fail_msg("'%s' behind '%s': %d tokens, want %zu", got.target.text.data, prefix.text.data, got.n_tokens,
                 json_array_size(ids));
    for (int i = 0; i < got.n_tokens; i++) {
        char piece[256];
        int n =
            reference_piece(ref, (llama_token)json_integer_value(json_array_get(ids, (size_t)i)), piece, sizeof piece);
        if (!text_equal(got.token[i], (cord_text){piece, (size_t)n}))
            fail_msg("token %d of '%s' is '%.*s', want '%.*s'", i, got.target.text.data, (int)got.token[i].len,
                     got.token[i].data, n, piece);
        double value = json_number_value(json_array_get(logprobs, (size_t)i)),
               difference = fabs(got.logprob[i] - value);
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

/* `model` is what computes, `name` whose values and tokens are compared with. */
static void compare_model(cord_model *model, const char *name, const struct limits *limits) {
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
    printf("%s: %d rows, %d tokens, %d above %g: mean difference %.4f, worst %.3f; in S mean %.5f, worst %.4f\n",
           cord_model_get_info(model)->name, sums.rows, sums.tokens, sums.likely, LIKELY, mean, sums.worst,
           sums.score_difference / sums.rows, sums.worst_score);
    assert_true(sums.rows >= 90);
    assert_true(mean <= limits->mean);
    assert_true(sums.worst <= limits->worst);
    assert_true(sums.worst_score <= limits->score);
}

static void quantised_smollm2(void **state) {
    (void)state;
    compare_model(weights_open(engine, SMOLLM2, 0, 0, 0), SMOLLM2, &smollm2_q4);
}

static void quantised_qwen(void **state) {
    (void)state;
    compare_model(weights_open(engine, QWEN, 0, 0, 0), QWEN, &qwen_q4);
}

/* With the weights that transformers had. */
static void f32_smollm2(void **state) {
    (void)state;
    char path[64];
    reference_f32(path);
    compare_model(weights_open_file(engine, "SmolLM2 in F32", path, 0, 0, 0), SMOLLM2, &f32);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(f32_smollm2), cmocka_unit_test(quantised_smollm2),
                                       cmocka_unit_test(quantised_qwen)};
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
