/* test_choice.c - which trajectory of a problem becomes a row, and what is counted of those that do not. */
#include "export/fixture.h"

/* ---- one row a problem ------------------------------------------------------------------------------------------- */

static void test_only_correct(void **state) {
    struct fixture *f = *state;
    f->options.only_correct = true;
    assert_text(rows_of(f),
                "{\"messages\":[{\"role\":\"user\",\"content\":\"What is 2 + 3?\"},{\"role\":\"assistant\",\"content\":"
                "\"<think>\\n### Step 1. Add two\\n</think>\\n\\nSo \\\\boxed{5}\"}]}\n");
    assert_int_equal(f->figures.problems, 4);
    assert_int_equal(f->figures.rows, 1);
    assert_int_equal(f->figures.rescued, 1);
    assert_int_equal(f->figures.failed, 1);
    assert_int_equal(f->figures.open, 2);
    assert_int_equal(f->figures.removed_n[FILTER_NOT_CORRECT], 0);
    f->options.min_score = 0.51;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_SCORE], 1);
    assert_true(fabs(spread_mean(&f->figures.removed[FILTER_SCORE]) - 0.125) < 1e-12); /* S0 of what was removed */
    assert_int_equal(f->figures.rescued, 0);
    f->options.min_score = 0.49;
    assert_true(rows_of(f).len > 0);
    f->options.min_score = 0;
    f->options.min_lift = 0.374; /* 0.5 - 0.125 */
    assert_true(rows_of(f).len > 0);
    f->options.min_lift = 0.376;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_LIFT], 1);
}

/* Where something else chose, S is what the meta-prover's model measured, 0.625 of the correct one; or nobody knows it. */
static void test_other_criteria(void **state) {
    struct fixture *f = *state;
    f->sample.beams[2][0].log_score = log(0.9375); /* of the best, whose PP is 0.875 */
    retell_sample(f, NULL);
    f->source.criterion = "judge";
    f->source.scores = SCORES_OTHER;
    f->source.pp_is_s = true;
    f->options.only_correct = true;
    f->options.min_score = 0.62;
    f->options.min_lift = 0.49;
    assert_true(rows_of(f).len > 0);
    assert_true(fabs(spread_mean(&f->figures.score) - 0.625) < 1e-12);
    assert_true(fabs(spread_mean(&f->figures.lift) - 0.5) < 1e-12);
    assert_true(fabs(spread_mean(&f->figures.pp) - 0.875) < 1e-12); /* of the best, which is wrong */
    f->options.min_lift = 0.51;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_LIFT], 1);
    f->options.min_lift = -1;
    f->options.min_score = 0.63;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_SCORE], 1);
    f->source.pp_is_s = false;
    f->options.min_score = 0.01;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_SCORE], 1);
    f->options.min_score = 0;
    f->options.provenance = true;
    json_t *line = line_of(rows_of(f), 0);
    const json_t *from = json_object_get(line, "provenance");
    assert_true(json_is_null(json_object_get(from, "score")));
    assert_text(content_at(from, "criterion"), "judge");
    assert_int_equal(f->figures.score.n + f->figures.lift.n, 0);
    assert_true(fabs(spread_mean(&f->figures.pp) - 0.875) < 1e-12);
    json_decref(line);
}

static void test_no_answer_trains_nobody(void **state) {
    struct fixture *f = *state;
    struct answered answers[2];
    sample_answers(&f->sample, answers);
    answers[0].answer = (cord_text){0};
    answers[0].grade = GRADE_NO_ANSWER;
    answers[1].grade = GRADE_UNDECIDED;
    sample_started(f->source.journal, 2);
    for (int i = 0; i < 3; i++) assert_ok(journal_round(f->source.journal, 2, &f->sample.rounds[i], err));
    assert_ok(journal_finished(f->source.journal, 2, answers, 2, err));
    rows_of(f);
    assert_int_equal(f->figures.rows, 1); /* p1's */
    assert_int_equal(f->figures.removed_n[FILTER_NO_ANSWER], 1);
    f->options.only_correct = true; /* undecided is not correct */
    rows_of(f);
    assert_int_equal(f->figures.rows, 1);
    assert_int_equal(f->figures.removed_n[FILTER_NOT_CORRECT], 1);
}

static void test_top(void **state) {
    struct fixture *f = *state;
    f->options.top = 5;
    cord_text rows = rows_of(f);
    assert_int_equal(f->figures.rows, 2);
    json_t *first = line_of(rows, 0), *second = line_of(rows, 1);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(line_of(rows, 2));
    assert_int_equal(f->figures.grades[GRADE_WRONG], 1);
    assert_int_equal(f->figures.grades[GRADE_CORRECT], 1);
    assert_int_equal(f->figures.best[GRADE_WRONG], 1);
    json_decref(first);
    json_decref(second);
}

/* ---- several runs, several files ------------------------------------------------------------------------------------ */

static void test_mixed_runs(void **state) {
    struct fixture *f = *state;
    struct export_source twice[2] = {f->source, f->source};
    cord_error e = {0};
    twice[1].folder = "runs/other";
    assert_int_equal(export_runs(f, twice, 2, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.message, "mixed runs: the problem 'p1'"));
    assert_non_null(strstr(e.message, "runs/other"));
    assert_int_equal(f->len[0], 0);
}

static void test_splits(void **state) {
    struct fixture *f = *state;
    struct export_split splits[] = {{.name = "train", .share = 0.9}, {.name = "test", .share = 0.1}};
    int in[2] = {0}, moved = 0;
    for (int i = 0; i < 20000; i++) {
        char id[32];
        cord_text text = {id, (size_t)snprintf(id, sizeof id, "problem-%d", i)};
        int at = export_split_of(splits, 2, text);
        in[at]++;
        splits[0].share = 0.8, splits[1].share = 0.2; /* another share moves from one side to the other only */
        moved += at == 1 && export_split_of(splits, 2, text) == 0;
        splits[0].share = 0.9, splits[1].share = 0.1;
    }
    assert_in_range(in[1], 1850, 2150);
    assert_int_equal(moved, 0);
    /* where an id belongs is for ever: computed once by hand from its SHA-256 */
    splits[0].share = splits[1].share = 0.5;
    assert_int_equal(export_split_of(splits, 2, TEXT("p1")), 1); /* 0.962 */
    assert_int_equal(export_split_of(splits, 2, TEXT("p2")), 0); /* 0.224 */
    (void)f;
}

static void test_disk_that_is_full(void **state) {
    struct fixture *f = *state;
    cord_error e = {0};
    FILE *full = f->splits[0].file = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(export_rows(&f->source, 1, &f->options, &f->figures, &e), CORD_IO_ERROR);
    assert_non_null(strstr(e.message, "make room"));
    fclose(full);
}

/* ---- the full context --------------------------------------------------------------------------------------------- */

/* The run saw "A short one.\n\nWhy?"; its row knows more. */
#define ROW_WITH(fields) "{\"id\":\"p1\",\"answer\":\"5\"," fields "}"

static void tell_with_context(struct fixture *f, const char *question, const char *row) {
    struct problem problems[SAMPLE_PROBLEMS];
    sample_set(problems);
    problems[0].question.text = text_of(question);
    problems[0].row = text_of(row);
    journal_close(f->source.journal);
    scratch_remove(f->folder);
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &f->source.journal, err));
    assert_ok(sample_put(f->source.journal, problems, SAMPLE_PROBLEMS, err));
    sample_name_teachers(f->source.journal);
    sample_tell(f->source.journal, 1, &f->sample);
}

static void assert_prompt(struct fixture *f, const char *prompt, int64_t full_contexts) {
    f->options.format = training_format("prompt-completion");
    json_t *row = line_of(rows_of(f), 0);
    assert_text(content_at(row, "prompt"), prompt);
    assert_int_equal(f->figures.full_contexts, full_contexts);
    json_decref(row);
}

static void test_full_context(void **state) {
    struct fixture *f = *state;
    cord_error e = {0};
    f->options.full_context = true;
    assert_prompt(f, "What is 2 + 3?", 0); /* the row has none */

    tell_with_context(
        f, "A short one.\n\nWhy?",
        ROW_WITH("\"context\":\"A short one.\",\"full_context\":\"A long, long one.\",\"question\":\"Why?\""));
    assert_prompt(f, "A long, long one.\n\nWhy?", 1);
    f->options.full_context = false;
    assert_prompt(f, "A short one.\n\nWhy?", 0);

    /* fields that only the recipe names */
    f->options.full_context = true;
    tell_with_context(f, "Brief.\n\nWhy?",
                      ROW_WITH("\"short\":\"Brief.\",\"long\":\"Epic.\",\"q\":\"Why?\",\"question\":\"No\""));
    f->source.fields =
        (struct problem_options){.question_field = "q", .context_field = "short", .full_context_field = "long"};
    assert_prompt(f, "Epic.\n\nWhy?", 1);
    f->source.fields.answer_field = "none"; /* the gold was the trace's, as in a selection */
    assert_prompt(f, "Epic.\n\nWhy?", 1);
    f->source.fields.answer_field = NULL;
    f->options.format = training_format("verl");
    json_t *row = line_of(rows_of(f), 0);
    assert_text(content_at(json_object_get(row, "extra_info"), "question"), "Epic.\n\nWhy?");
    json_decref(row);
    f->options.format = training_format("step-dpo");
    row = line_of(rows_of(f), 0);
    assert_text(content_at(row, "prompt"), "Epic.\n\nWhy?");
    json_decref(row);

    /* another row than the one that was run, or another way of reading it: nothing is guessed */
    f->source.fields.context_field = NULL;
    assert_int_equal(export_runs(f, &f->source, 1, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.message, "'p1' does not read as it did when it was run (another question)"));
    f->source.fields.context_field = "brief";
    e = (cord_error){0};
    assert_int_equal(export_runs(f, &f->source, 1, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.message, "there is no field 'brief'"));
    f->source.fields = (struct problem_options){0};

    f->options.search_prompt = true;
    assert_non_null(
        strstr(export_refusal(&(struct export_options){
                   .format = training_format("prompt-completion"), .search_prompt = true, .full_context = true}),
               "--full-context"));
    f->options.search_prompt = false;
}

/* Options that say nothing of a layout. */
static void test_options_of_other_formats(void **state) {
    (void)state;
    struct export_options o = {.margin = 0.1, .top = 1, .min_lift = -1};
    for (int i = 0; (o.format = training_format_at(i)); i++) {
        if (o.format->texts >= TEXTS_RENDERED) continue; /* these lack a template */
        const char *refusal = export_refusal(&o);
        assert_int_equal(o.format->kind == ROW_TRACE, refusal && strstr(refusal, "--margin"));
    }
    o.margin = -1;
    o.top = 2;
    for (int i = 0; (o.format = training_format_at(i)); i++) {
        if (o.format->texts >= TEXTS_RENDERED) continue;
        const char *refusal = export_refusal(&o);
        assert_int_equal(o.format->kind == ROW_PAIR || o.format->kind == ROW_STEP_PAIR,
                         refusal && strstr(refusal, "--top"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_only_correct),
        TEST(test_other_criteria),
        TEST(test_no_answer_trains_nobody),
        TEST(test_top),
        TEST(test_mixed_runs),
        TEST(test_splits),
        TEST(test_disk_that_is_full),
        TEST(test_full_context),
        TEST(test_options_of_other_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
