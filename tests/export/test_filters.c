/* test_filters.c - rows that are left out for what stands in them: too long, special tokens, said before, or part of an
 * evaluation set. */
#include "export/fixture.h"

static cord_status count_words(void *ctx, cord_text text, int *n, cord_error *e) {
    (void)ctx, (void)e;
    *n = 0;
    for (size_t i = 0; i < text.len; i++) *n += text.data[i] == ' ';
    return CORD_OK;
}

/* A long row is left out whole, and counted; none is cut. */
static void test_max_tokens(void **state) {
    struct fixture *f = *state;
    f->options.only_correct = true;
    f->options.max_tokens = 8;
    assert_int_equal(export_runs(f, &f->source, 1, NULL), CORD_BAD_USAGE); /* tokens of which model? */
    f->options.count_tokens = count_words;                                 /* 4 in the question, 5 in the response */
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_TOKENS], 1);
    f->options.max_tokens = 9;
    assert_true(text_ends(rows_of(f), TEXT("So \\\\boxed{5}\"}]}\n")));
    assert_true(f->figures.tokens.max == 9);

    /* with a template, what a trainer renders is counted, of a pair too; four more a turn here */
    struct turn turn;
    cord_text wordy = TEXT("{% for m in messages %}so says the {{ m.role }} {{ m.content }}{% endfor %}");
    assert_ok(turn_open(&turn, wordy, TEXT(""), TEXT(""), err));
    f->options.turn = &turn;
    f->options.max_tokens = 16;
    assert_text(rows_of(f), "");
    f->options.max_tokens = 17;
    assert_true(rows_of(f).len > 0);
    assert_true(f->figures.tokens.max == 17);
    f->options.format = training_format("dpo");
    f->options.max_tokens = 0;
    rows_of(f);
    double rendered = f->figures.tokens.max;
    f->options.turn = NULL;
    rows_of(f);
    assert_true(f->figures.tokens.max == rendered - 8);
    turn_close(&turn);
}

/* As if "<odd>" were one token of the student's, and three where it is none. */
static cord_status count_plain(void *ctx, cord_text text, int *n, cord_error *e) {
    CORD_TRY(count_words(ctx, text, n, e));
    if (text_find(text, TEXT("<odd>")) >= 0) *n += 2;
    return CORD_OK;
}

/* A token of the student's own is found by its tokenizer, whatever it looks like. */
static void test_special_tokens(void **state) {
    struct fixture *f = *state;
    retell_sample(
        f, "{\"id\":\"p1\",\"question\":\"What is 2 + 3?\",\"answer\":\"5\",\"full_context\":\"See <odd> there.\"}");
    f->options.full_context = true;
    f->options.drop = 1U << FLAW_SPECIAL_TOKEN;
    assert_true(rows_of(f).len > 0); /* nobody's token */
    assert_int_equal(f->figures.full_contexts, 1);
    f->options.count_tokens = count_words;
    f->options.count_plain = count_plain;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_FLAW], 1);
    f->options.drop = 0;
    assert_true(rows_of(f).len > 0);
    assert_int_equal(f->figures.flaws[FLAW_SPECIAL_TOKEN], 1);
}

static void test_dedupe(void **state) {
    struct fixture *f = *state;
    const struct export_source twice[2] = {f->source, f->source};
    f->options.mixed = true;
    assert_ok(export_runs(f, twice, 2, err));
    assert_int_equal(f->figures.rows, 2);
    f->options.dedupe = true;
    assert_ok(export_runs(f, twice, 2, err));
    assert_int_equal(f->figures.rows, 1);
    assert_int_equal(f->figures.removed_n[FILTER_DUPLICATE], 1);
}

static void test_exclude(void **state) {
    struct fixture *f = *state;
    struct overlap overlap;
    char path[100];
    snprintf(path, sizeof path, "%s/eval.jsonl", f->folder);
    assert_ok(file_write_atomic(path,
                                TEXT("{\"question\": \"Something else, of which nothing is here.\"}\n"
                                     "{\"problem\": \"what IS: 2, 3? Then we hold\"}\n"),
                                err));
    overlap_init(&overlap, 13);
    assert_ok(overlap_add(&overlap, path, NULL, err));
    f->options.exclude = &overlap;
    rows_of(f);
    assert_int_equal(f->figures.rows, 1); /* "2 + 3? Then" stands nowhere in one piece */
    overlap_release(&overlap);
    overlap_init(&overlap, 4);
    assert_ok(overlap_add(&overlap, path, NULL, err));
    char *list = NULL;
    size_t len;
    f->options.matches = open_memstream(&list, &len);
    rows_of(f);
    fclose(f->options.matches);
    assert_int_equal(f->figures.rows, 0);
    assert_int_equal(f->figures.removed_n[FILTER_EXCLUDED], 1);
    json_t *match = line_of((cord_text){list, len}, 0);
    assert_text(content_at(match, "id"), "p1");
    assert_text(content_at(match, "in"), "question");
    assert_text(content_at(match, "file"), path);
    assert_text(content_at(match, "words"), "What is 2 + 3");
    assert_int_equal(json_integer_value(json_object_get(match, "line")), 2);
    json_decref(match);
    free(list);
    overlap_release(&overlap);
}

/* Rows of a format that no evaluation set has a part of, which is one question of four words. */
static int64_t clean_rows(struct fixture *f, const char *format, const char *question) {
    struct overlap overlap;
    char path[100];
    snprintf(path, sizeof path, "%s/eval.txt", f->folder);
    assert_ok(file_write_atomic(path, text_of(question), err));
    overlap_init(&overlap, 4);
    assert_ok(overlap_add(&overlap, path, NULL, err));
    f->options.format = training_format(format);
    f->options.exclude = &overlap;
    rows_of(f);
    f->options.exclude = NULL;
    overlap_release(&overlap);
    assert_int_equal(f->figures.rows + f->figures.removed_n[FILTER_EXCLUDED], 1);
    return f->figures.rows;
}

/* Filters see both of a pair, and of steps what stands before them. */
static void test_filters_of_pairs(void **state) {
    struct fixture *f = *state;
    prefer_correct(f);
    assert_int_equal(clean_rows(f, "dpo", "Then we hold five"), 0); /* the rejected one */
    assert_int_equal(clean_rows(f, "dpo", "Step 1: add two"), 0);
    assert_int_equal(clean_rows(f, "step-dpo", "Then we hold five"), 0);
    assert_int_equal(clean_rows(f, "step-dpo", "Then we hold six"), 0);
    assert_int_equal(clean_rows(f, "step-dpo", "Count. Step 2: then"), 0); /* the prefix and a step */
    assert_int_equal(clean_rows(f, "step-dpo", "Step 1: add two"), 1);

    f->options.count_tokens = count_words; /* 4 in the question, 9 in the steps, the last one included */
    f->options.max_tokens = 12;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_TOKENS], 1);
    f->options.max_tokens = 13;
    assert_true(rows_of(f).len > 0);
    f->options.max_tokens = 0;

    f->options.min_lift = 0.76; /* 0.875 - 0.125 is less */
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_LIFT], 1);
    assert_int_equal(f->figures.removed_n[FILTER_NO_PAIR], 0);
    f->options.min_lift = 0.74;
    assert_true(rows_of(f).len > 0);
    assert_true(f->figures.words.sum > 12); /* the question has four */
    f->options.min_lift = -1;
    f->options.min_score = 0.9;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_SCORE], 1);
    f->options.min_score = 0;

    f->options.drop = 1U << FLAW_WEAK_STEP;
    assert_int_equal(export_runs(f, &f->source, 1, NULL), CORD_BAD_USAGE);
    f->options.drop = 1U << FLAW_UNCLOSED;
    assert_true(rows_of(f).len > 0);
    f->sample.candidates[2][0].step = TEXT("five ```");
    f->sample.candidates[2][0].reasoning = TEXT(SAMPLE_CUT "five ```");
    retell_sample(f, NULL);
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_FLAW], 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_max_tokens), TEST(test_special_tokens),   TEST(test_dedupe),
        TEST(test_exclude),    TEST(test_filters_of_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
