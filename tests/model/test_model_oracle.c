/* test_model_oracle.c - cord_score, the plain way (reference.h) and transformers on rows of all kinds (oracle.jsonl, made by
 * make_oracle.py): the same tokens, and the same values as far as the arithmetic allows.
 *
 * The frozen values of transformers were computed in F32 and share nothing with llama.cpp but the weights. That cord's
 * numbers are right is shown on F32 weights, which llama.cpp itself makes here of the quantised ones: what is left there is
 * the F16 of its cache. Kernels for quantised weights round activations, too. How far that takes values from F32 hangs on the
 * kernels, the processor and the model, so no figure is written down for it: cord may be no further from transformers than
 * the plain way is found to be here, and no further from that than two ways are that err by as much.
 *
 * All 245 rows where CORD_TEST_AT_LENGTH is set, as `make proof` does; else one in EVERY. */
#include "reference.h"

#include "base/json.h"

/* Rows of one call and the groups among them; bounds of one row. */
enum { EVERY = 8, CALL = 32, GROUPS = 4, MAX_TOKENS = 2048, MAX_TARGET = 192 };

/* Below this a token's log-probability says nothing about a target any more. */
#define LIKELY (-9.0)

/* No further from transformers than the plain way: on the mean by no more than chance explains, in standard errors, and at
 * worst by a factor, since the worst hangs on a single row, where a small difference can grow. It was 2.0 at most, of two
 * processors and three models; what a wrong cell does is several nats. */
#define CHANCE 3.0
#define WORST  4.0

/* The same of the mean, where cord is compared with the plain way: two that err independently are 1.4 times as far apart as
 * each is from the truth. */
#define APART 2.0

/* A model, as what computes and as whose frozen values are compared with. */
struct side {
    const char *name;
    cord_model *model;
    struct reference ref;
    struct reference_limits frozen; /* how far from transformers it may be at all */
};

static cord_engine *engine;
static json_t *rows;
static size_t every; /* one row in so many is compared */

/* ---- one row, three ways ------------------------------------------------------------------------------------- */

struct values {
    int n;
    double logprob[MAX_TARGET], score;
};

static cord_text member_text(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    assert_true(json_is_string(value));
    return (cord_text){json_string_value(value), json_string_length(value)};
}

static llama_token frozen_id(const json_t *row, const char *name, int i) {
    return (llama_token)json_integer_value(
        json_array_get(json_object_get(json_object_get(row, name), "ids"), (size_t)i));
}

static void frozen_values(const json_t *row, const char *name, struct values *v) {
    const json_t *frozen = json_object_get(row, name), *logprobs = json_object_get(frozen, "logprobs");
    *v = (struct values){.n = (int)json_array_size(logprobs),
                         .score = json_number_value(json_object_get(frozen, "score"))};
    assert_in_range(v->n, 1, MAX_TARGET);
    for (int i = 0; i < v->n; i++) v->logprob[i] = json_number_value(json_array_get(logprobs, (size_t)i));
}

static void plain_values(const struct side *side, const json_t *row, struct values *v) {
    cord_text prefix = member_text(row, "prefix"), target = member_text(row, "target");
    struct buf whole;
    buf_init(&whole, "a row", 1 << 16);
    buf_add(&whole, prefix);
    buf_add(&whole, target);
    buf_add(&whole, member_text(row, "suffix"));
    llama_token id[MAX_TOKENS] = {0};
    int first, behind, n = reference_tokens(&side->ref, buf_text(&whole), true, id, 0, MAX_TOKENS);
    size_t end = reference_overlap(&side->ref, id, n, prefix.len, prefix.len + target.len, &first, &behind);
    assert_int_equal(end, whole.len);
    buf_release(&whole);
    *v = (struct values){.n = behind - first};
    assert_in_range(v->n, 1, MAX_TARGET);
    for (int i = 0; i < v->n; i++)
        if (id[first + i] != frozen_id(row, side->name, i))
            fail_msg("token %d of '%s' is %d, and transformers has %d", i, target.data, id[first + i],
                     frozen_id(row, side->name, i));
    reference_measure(&side->ref, id, first, behind, 0, reference_cores(), v->logprob);
    for (int i = 0; i < v->n; i++) v->score += v->logprob[i] / v->n;
    v->score = exp(v->score);
}

static void cord_values(const struct side *side, const json_t *row, const cord_scoring *got, struct values *v) {
    const char *target = got->target.text.data;
    if (got->error.code != CORD_OK) fail_msg("'%s': %s", target, got->error.message);
    *v = (struct values){.n = got->n_tokens, .score = got->score};
    assert_in_range(v->n, 1, MAX_TARGET);
    for (int i = 0; i < v->n; i++) {
        char piece[256];
        int n = reference_piece(&side->ref, frozen_id(row, side->name, i), piece, sizeof piece);
        if (!text_equal(got->token[i], (cord_text){piece, (size_t)n}))
            fail_msg("token %d of '%s' is '%.*s', want '%.*s'", i, target, (int)got->token[i].len, got->token[i].data,
                     n, piece);
        v->logprob[i] = got->logprob[i];
    }
}

/* ---- how far apart they are ---------------------------------------------------------------------------------- */

struct distance {
    int tokens, rows;
    double total, worst, total_score, worst_score;
    size_t worst_row, worst_score_row;
};

/* Of the tokens that transformers finds likely. */
static void distance_add(struct distance *d, size_t row, const struct values *a, const struct values *b,
                         const struct values *frozen) {
    assert_true(a->n == frozen->n && b->n == frozen->n);
    for (int i = 0; i < frozen->n; i++) {
        if (frozen->logprob[i] < LIKELY) continue;
        double off = fabs(a->logprob[i] - b->logprob[i]);
        d->tokens++;
        d->total += off;
        if (off > d->worst) d->worst = off, d->worst_row = row;
    }
    double off = fabs(a->score - b->score);
    d->rows++;
    d->total_score += off;
    if (off > d->worst_score) d->worst_score = off, d->worst_score_row = row;
}

static void distance_report(const char *what, const struct distance *d) {
    printf("  %-22s a token: mean %.5f, worst %.4f (line %zu); S: mean %.5f, worst %.4f (line %zu)\n", what,
           d->total / d->tokens, d->worst, d->worst_row + 1, d->total_score / d->rows, d->worst_score,
           d->worst_score_row + 1);
}

static void expect_within(const struct distance *d, struct reference_limits limits) {
    assert_true(d->total / d->tokens <= limits.mean);
    assert_true(d->worst <= limits.worst);
    assert_true(d->worst_score <= limits.score);
}

/* Over the same tokens and rows. */
static void expect_in_proportion(const struct distance *d, const struct distance *to) {
    assert_true(d->total <= APART * to->total);
    assert_true(d->total_score <= APART * to->total_score);
    assert_true(d->worst <= WORST * to->worst);
    assert_true(d->worst_score <= WORST * to->worst_score);
}

/* By how much cord is further from transformers than the plain way, token by token or row by row. */
struct further {
    int n;
    double total, squares;
};

static void further_add(struct further *f, double cord, double plain, double frozen) {
    double more = fabs(cord - frozen) - fabs(plain - frozen);
    f->n++;
    f->total += more;
    f->squares += more * more;
}

static void expect_chance(const char *what, const struct further *f) {
    double mean = f->total / f->n, error = sqrt((f->squares / f->n - mean * mean) / (f->n - 1));
    printf("  cord is further from transformers than the plain way, %s: by %.5f, standard error %.5f\n", what, mean,
           error);
    assert_true(mean <= CHANCE * error);
}

/* ---- a model ------------------------------------------------------------------------------------------------- */

struct outcome {
    int tokens, cached;
    struct distance cord_plain, cord_frozen, plain_frozen;
    struct further token, score;
};

/* As `cord score` does: raw text, special tokens parsed, no template. */
static cord_scoring request_of(const struct side *side, const json_t *row, cord_span *prefix, size_t i) {
    *prefix = (cord_span){member_text(row, "prefix"), true};
    return (cord_scoring){.model = side->model,
                          .prompt = prefix,
                          .n_spans = 1,
                          .target = {member_text(row, "target"), true},
                          .closing = {member_text(row, "suffix"), true},
                          .group = i % GROUPS};
}

static void compare_row(const struct side *side, size_t at, const cord_scoring *got, struct outcome *out) {
    const json_t *row = json_array_get(rows, at);
    struct values frozen, cord, plain;
    frozen_values(row, side->name, &frozen);
    cord_values(side, row, got, &cord);
    plain_values(side, row, &plain);
    distance_add(&out->cord_plain, at, &cord, &plain, &frozen);
    distance_add(&out->cord_frozen, at, &cord, &frozen, &frozen);
    distance_add(&out->plain_frozen, at, &plain, &frozen, &frozen);
    for (int i = 0; i < frozen.n; i++)
        if (frozen.logprob[i] >= LIKELY) further_add(&out->token, cord.logprob[i], plain.logprob[i], frozen.logprob[i]);
    further_add(&out->score, cord.score, plain.score, frozen.score);
    out->tokens += frozen.n;
    out->cached += got->cached_tokens;
}

/* A call of n rows from `first` on. */
static void compare_call(const struct side *side, size_t first, int n, struct outcome *out) {
    cord_scoring requests[CALL];
    cord_span prefixes[CALL];
    for (int i = 0; i < n; i++) {
        size_t at = first + every * (size_t)i;
        requests[i] = request_of(side, json_array_get(rows, at), &prefixes[i], (size_t)i);
    }
    assert_ok(cord_score(engine, requests, n, err));
    for (int i = 0; i < n; i++) {
        compare_row(side, first + every * (size_t)i, &requests[i], out);
        cord_scoring_release(&requests[i]);
    }
}

static void compare_model(const struct side *side) {
    struct outcome out = {0};
    size_t n = (json_array_size(rows) + every - 1) / every;
    for (size_t i = 0; i < n; i += CALL) compare_call(side, i * every, (int)(n - i < CALL ? n - i : CALL), &out);
    printf("%s: %d rows, %d tokens, %d above %g; %d tokens of prompts were cached\n",
           cord_model_get_info(side->model)->name, out.cord_plain.rows, out.tokens, out.cord_plain.tokens, LIKELY,
           out.cached);
    distance_report("cord, the plain way", &out.cord_plain);
    distance_report("cord, transformers", &out.cord_frozen);
    distance_report("plain, transformers", &out.plain_frozen);
    assert_true(out.cord_plain.rows >= (every > 1 ? 30 : 200) && out.cached > 0);
    expect_within(&out.cord_frozen, side->frozen);
    expect_chance("a token", &out.token);
    expect_chance("S", &out.score);
    expect_in_proportion(&out.cord_frozen, &out.plain_frozen);
    expect_in_proportion(&out.cord_plain, &out.plain_frozen);
}

/* ---- the models ---------------------------------------------------------------------------------------------- */

/* With the weights that transformers had. */
static void f32_smollm2(void **state) {
    (void)state;
    char path[64];
    reference_f32(ALL_LAYERS, path);
    struct side side = {.name = SMOLLM2,
                        .model = weights_open_file(engine, "SmolLM2 in F32", path, 0, 0, 0),
                        .ref = reference_open_file(path, false),
                        .frozen = {.worst = 0.05, .mean = 0.003, .score = 0.002}};
    compare_model(&side);
    reference_close(&side.ref);
}

static void compare_quantised(const char *name) {
    struct side side = {.name = name,
                        .model = weights_open(engine, name, 0, 0, 0),
                        .ref = reference_open(name, false),
                        .frozen = {INFINITY, INFINITY, INFINITY}};
    compare_model(&side);
    reference_close(&side.ref);
}

static void quantised_smollm2(void **state) {
    (void)state;
    compare_quantised(SMOLLM2);
}

static void quantised_qwen(void **state) {
    (void)state;
    compare_quantised(QWEN);
}

static int open_all(void **state) {
    (void)state;
    engine = weights_engine();
    every = getenv("CORD_TEST_AT_LENGTH") ? 1 : EVERY;
    rows = json_array();
    FILE *file = fopen(TEST_DATA_DIR "model/oracle.jsonl", "r");
    assert_non_null(file);
    struct line_reader lines;
    line_reader_init(&lines, file, "oracle.jsonl", 1 << 20);
    for (bool more = true; more;) {
        assert_ok(line_read(&lines, &more, err));
        if (!more) break;
        json_error_t error;
        json_t *row = json_loadb(lines.line.data, lines.line.len, 0, &error);
        if (!row) fail_msg("oracle.jsonl: %s", error.text);
        json_array_append_new(rows, row);
    }
    line_reader_release(&lines);
    fclose(file);
    return 0;
}

static int close_all(void **state) {
    (void)state;
    json_decref(rows);
    cord_engine_close(engine);
    return 0;
}

int main(void) {
    weights_need(SMOLLM2);
    weights_need(QWEN);
    const struct CMUnitTest tests[] = {cmocka_unit_test(f32_smollm2), cmocka_unit_test(quantised_qwen)};
    const struct CMUnitTest of_q4_1[] = {cmocka_unit_test(quantised_smollm2)};
    if (test_is_long()) return cmocka_run_group_tests(of_q4_1, open_all, close_all);
    int failed = cmocka_run_group_tests(tests, open_all, close_all);
    return getenv("CORD_TEST_AT_LENGTH") ? failed + cmocka_run_group_tests(of_q4_1, open_all, close_all) : failed;
}
