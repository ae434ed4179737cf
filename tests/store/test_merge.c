/* test_merge.c - several run folders become one that holds all of them, once; contradictions are told. */
#include "store/merging.h"

/* ---- one out of many ------------------------------------------------------------------------------------------ */

static void test_parts_make_the_whole(void **state) {
    struct fixture *f = *state;
    make_run(f, "whole", "1234", "12");
    make_run(f, "a", "24", "2");
    make_run(f, "b", "13", "1");
    make_run(f, "c", "", "");
    change(f, "a", "UPDATE run SET value = '1/3' WHERE key = 'shard'");
    change(f, "b", "UPDATE run SET value = '2/3' WHERE key = 'shard'");
    change(f, "c", "UPDATE run SET value = '2/3' WHERE key = 'shard'");
    const char *a = fingerprint(f, "a"), *b = fingerprint(f, "b");
    assert_merged(f, "a", "b", "c");
    assert_same_runs(f, "out", "whole");
    assert_string_equal(fingerprint(f, "a"), a);
    assert_string_equal(fingerprint(f, "b"), b);
    assert_string_equal(f->told, "note: 1 of 3 shards are not among these runs: 3/3\n");
    assert_int_equal(f->counts.duplicates, 0);
    assert_int_equal(f->counts.merged.problems, 4);
    assert_int_equal(f->counts.merged.done, 2);
    assert_int_equal(f->counts.merged.failed, 1);
    assert_int_equal(f->counts.merged.open, 1);
    assert_text(content(f, "out/recipe.yaml"), "recipe");
    cord_text summary = content(f, "out/summary.json");
    assert_true(text_find(summary, TEXT("\"problems\":{\"all\":4,\"done\":2,\"failed\":1,\"open\":1}")) >= 0);
    assert_true(text_find(summary, TEXT("\"models\":[{\"name\":\"big\",\"sha256\":\"abc\"}]")) >= 0);
    assert_true(text_find(summary, TEXT("\"merged\":[\"")) >= 0);
    assert_true(text_find(summary, TEXT("\"shard\"")) < 0); /* it is a part no more */
}

/* What was paid for by any of the runs is paid for by the result, and what servers replied for its problems is there. */
static void test_spending_and_replies_are_merged(void **state) {
    struct fixture *f = *state;
    struct spending spent;
    make_run(f, "a", "24", "2");
    make_run(f, "b", "13", "1");
    change(f, "a", "INSERT INTO spending VALUES ('big', 10, 1000, 600, 70, 1, 100, 20, 2, 200, 40)");
    change(f, "b", "INSERT INTO spending VALUES ('big', 5, 500, 0, 30, 0, 0, 0, 0, 0, 0)");
    change(f, "b", "INSERT INTO spending VALUES ('small', 1, 2, 0, 3, 0, 0, 0, 0, 0, 0)");
    change(f, "a", "INSERT INTO reply SELECT key, 'k1', '{}' FROM problem WHERE id = 'p4'");
    assert_merged(f, "a", "b");
    struct journal *journal;
    assert_ok(journal_open(in(f, "out"), JOURNAL_WRITE, &journal, err));
    assert_ok(ledger_read(journal, &spent, err));
    assert_int_equal(spent.requests, 16);
    assert_int_equal(spent.prompt_tokens, 1502);
    assert_int_equal(spent.cached_tokens, 600);
    assert_int_equal(spent.new_tokens, 103);
    assert_int_equal(spent.lost, 3);
    int64_t replies;
    assert_ok(query_int64(journal, err, &replies, 0,
                          "SELECT count(*) FROM reply JOIN problem p ON p.key = problem WHERE p.id = 'p4'", ""));
    assert_int_equal(replies, 1);
    journal_close(journal);
}

/* The names of many runs fill more than a megabyte of the summary. */
static void test_summary_of_many_runs(void **state) {
    struct fixture *f = *state;
    struct journal *journal;
    struct buf names;
    make_run(f, "a", "24", "2");
    buf_init(&names, "names", 4 << 20);
    buf_addf(&names, "[\"first\"");
    for (int i = 0; i < 40000; i++) buf_addf(&names, ",\"/home/me/runs/shard-%05d-of-40000\"", i);
    buf_addc(&names, ']');
    assert_true(names.len > 1 << 20);
    assert_ok(journal_open(in(f, "a"), JOURNAL_WRITE, &journal, err));
    assert_ok(journal_put_fact(journal, "merged", buf_text(&names), err));
    assert_ok(summary_write(journal, in(f, "a"), NULL, &(struct summary_counts){0}, err));
    journal_close(journal);
    assert_true(content(f, "a/summary.json").len > names.len);
    buf_release(&names);
}

/* All who made the runs made the result. */
static void test_makers_are_merged(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "24", "2");
    make_run(f, "b", "13", "1");
    make_run(f, "c", "", "");
    change(f, "a", "INSERT INTO run VALUES ('made_by', '0.1.0 (x)' || char(10) || '0.1.0 (y)')");
    change(f, "b", "INSERT INTO run VALUES ('made_by', '0.1.0 (y)' || char(10) || '0.2.0 (z)')");
    assert_merged(f, "a", "b", "c");
    cord_text summary = content(f, "out/summary.json");
    assert_true(text_find(summary, TEXT("\"made_by\":[\"0.1.0 (x)\",\"0.1.0 (y)\",\"0.2.0 (z)\"]")) >= 0);
}

/* A table whose rows belong to no problem would be left out by a merge: whoever adds one has to tell merge.c of it. */
static void test_every_table_is_merged(void **state) {
    struct fixture *f = *state;
    int64_t others;
    struct journal *journal = begin(f, "a", "1", "");
    assert_ok(query_int64(
        journal, err, &others, -1,
        "SELECT count(*) FROM sqlite_schema s WHERE type = 'table' AND name NOT IN ('run', 'teacher',"
        " 'problem', 'spending') AND (SELECT name FROM pragma_table_info(s.name) WHERE cid = 0) <> 'problem'",
        ""));
    assert_int_equal(others, 0);
    journal_close(journal);
}

/* What an older journal lacks stays empty, and is no contradiction. */
static void test_older_run_is_merged(void **state) {
    struct fixture *f = *state;
    struct journal *journal;
    struct journal_totals totals;
    make_run(f, "a", "1", "1");
    make_run(f, "b", "24", "2");
    make_run(f, "c", "1", "1");
    make_run(f, "d", "24", "2");
    change(f, "b", OLDER_SCHEMA);
    change(f, "c", OLDER_SCHEMA);
    assert_merged(f, "a", "b", "c", "d");
    assert_int_equal(f->counts.conflicts, 0);
    assert_ok(journal_open(in(f, "out"), JOURNAL_READ, &journal, err));
    assert_ok(journal_totals(journal, 0, &totals, err)); /* of two problems, one counted apart, with 12 of guesses */
    assert_true(totals.candidates == 16 && totals.not_apart == 8);
    assert_true(totals.judged_tokens == 8 * 3 && totals.proposed_tokens == 80 + 80 + 12);
    journal_close(journal);
    assert_true(text_find(content(f, "out/summary.json"), TEXT("\"judged\":24")) > 0);
}

/* What is unfinished goes on from where it was. */
static void test_merged_run_goes_on(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "1");
    struct journal *journal = begin(f, "b", "24", "");
    sample_started(journal, 2);
    for (int i = 0; i < 2; i++) assert_ok(journal_round(journal, 2, &f->sample.rounds[i], err));
    journal_close(journal);
    assert_merged(f, "a", "b");
    assert_ok(journal_open(in(f, "out"), JOURNAL_WRITE, &journal, err));
    struct journal_problem *problems;
    struct search_state search;
    int n;
    assert_ok(journal_problems(journal, &f->arena, &problems, &n, err));
    assert_int_equal(n, 3);
    assert_text(problems[2].id, "p4");
    assert_int_equal(problems[2].index, 3); /* its place in the whole file */
    assert_ok(journal_state(journal, &problems[2], &f->arena, &search, err));
    assert_int_equal(search.round, 2);
    assert_true(text_equal(search.beam[1].reasoning, f->sample.beams[1][1].reasoning));
    assert_ok(journal_round(journal, problems[2].key, &f->sample.rounds[2], err));
    struct answered answers[2];
    sample_answers(&f->sample, answers);
    assert_ok(journal_finished(journal, problems[2].key, answers, 2, err));
    /* and the whole set can be registered */
    assert_ok(sample_put(journal, f->problems, SAMPLE_PROBLEMS, err));
    assert_ok(export_trajectories(journal, in(f, "out"), err));
    journal_close(journal);
    make_run(f, "whole", "1234", "14");
    assert_same_runs(f, "out", "whole");
}

static void test_merged_runs_can_be_merged(void **state) {
    struct fixture *f = *state;
    make_run(f, "whole", "1234", "124");
    make_run(f, "a", "1", "1");
    make_run(f, "b", "4", "4");
    make_run(f, "c", "23", "2");
    assert_int_equal(merge_to(f, "ab", 2, (const char *[]){"b", "a"}), CORD_OK);
    assert_merged(f, "c", "ab");
    assert_same_runs(f, "out", "whole");
}

/* ---- the same problem twice ---------------------------------------------------------------------------------- */

static void test_equal_results_are_kept_once(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "123", "12");
    make_run(f, "b", "1234", "12");
    change(f, "b",
           "UPDATE candidate SET propose_us = 5, score_us = 6, cached_tokens = 0, score_cached_tokens = 1;"
           "UPDATE answer SET us = 1, cached_tokens = 99");
    make_run(f, "whole", "1234", "12");
    assert_merged(f, "a", "b");
    assert_same_runs(f, "out", "whole"); /* with the first one's times */
    assert_int_equal(f->counts.duplicates, 3);
    assert_int_equal(f->counts.conflicts, 0);
    assert_string_equal(f->told, "");
}

static void test_what_is_done_wins(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "124", "");
    make_run(f, "b", "12", "1");
    struct journal *journal = begin(f, "c", "124", "");
    assert_ok(journal_failed(journal, 1, "too long", err));
    assert_ok(journal_failed(journal, 2, "too long", err));
    sample_started(journal, 3);
    assert_ok(journal_round(journal, 3, &f->sample.rounds[0], err));
    journal_close(journal);
    make_run(f, "whole", "124", "1");
    change(f, "whole", "UPDATE problem SET status = 2, reason = 'too long' WHERE id = 'p2'");
    for (int order = 0; order < 2; order++) {
        if (order)
            assert_merged(f, "c", "b", "a");
        else
            assert_merged(f, "a", "b", "c");
        assert_says(f, "/b; taken from"); /* in words, with the runs */
        assert_says(f, "note: problem p1: ");
        assert_says(f, "note: problem p2: ");
        assert_int_equal(f->counts.conflicts, 0);
        assert_int_equal(f->counts.merged.done, 1);
        assert_int_equal(f->counts.merged.failed, 1);
        assert_int_equal(f->counts.merged.open, 1);
        struct journal_problem *problems;
        int n;
        assert_ok(journal_open(in(f, "out"), JOURNAL_READ, &journal, err));
        assert_ok(journal_problems(journal, &f->arena, &problems, &n, err));
        assert_int_equal(n, 3);
        assert_int_equal(problems[0].status, PROBLEM_DONE);
        assert_int_equal(problems[0].rounds, 3);
        assert_text(problems[1].reason, "too long");
        assert_int_equal(problems[2].rounds, 1);
        journal_close(journal);
        scratch_remove(in(f, "out"));
    }
}

/* ---- contradictions ------------------------------------------------------------------------------------------ */

static void assert_gold(struct fixture *f, const char *gold) {
    struct journal *journal;
    cord_text found = {0};
    struct rows r;
    assert_ok(journal_open(in(f, "out"), JOURNAL_READ, &journal, err));
    rows_open(&r, journal, &f->arena, NULL, "SELECT gold FROM problem WHERE id = 'p1'", "");
    if (rows_next(&r)) found = row_text(&r);
    rows_end(&r);
    assert_text(found, gold);
    journal_close(journal);
}

static void test_other_problem_under_the_same_id(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "12", "1");
    f->problems[0].gold = f->problems[0].target = TEXT("6");
    make_run(f, "b", "14", "1");
    assert_refused(f, CORD_CHANGED, "in 1 thing", "a", "b");
    assert_false(exists(f, "out"));
    assert_says(f, "conflict: problem p1: another problem under the same id (target, gold) in ");
    f->options.prefer = MERGE_FIRST;
    assert_merged(f, "a", "b");
    assert_gold(f, "5");
    assert_int_equal(f->counts.merged.problems, 3);
    scratch_remove(in(f, "out"));
    f->options.prefer = MERGE_LAST;
    assert_merged(f, "a", "b");
    assert_gold(f, "6");
    assert_int_equal(f->counts.merged.problems, 3);
}

static void test_other_results(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "12", "12");
    make_run(f, "b", "12", "12");
    change(f, "b",
           "UPDATE candidate SET log_score = log_score - 0.001 WHERE problem = 1 AND round = 1;"
           "UPDATE answer SET grade = 3, why = NULL WHERE problem = 2; UPDATE problem SET log_s0 = NULL WHERE key = 2");
    assert_refused(f, CORD_CHANGED, "in 2 things", "a", "b");
    assert_says(f, "conflict: problem p1: done with other results (candidate) in ");
    assert_says(f, "conflict: problem p2: done with other results (s0, answer) in ");
    f->options.prefer = MERGE_FIRST;
    assert_merged(f, "a", "b");
    assert_same_runs(f, "out", "a");
    scratch_remove(in(f, "out"));
    f->options.prefer = MERGE_LAST;
    assert_merged(f, "a", "b");
    assert_true(text_equal(dump(f, "out"), dump(f, "b")));
}

static cord_text fact(struct fixture *f, const char *name, const char *key) {
    struct journal *journal;
    cord_text value;
    assert_ok(journal_open(in(f, name), JOURNAL_READ, &journal, err));
    assert_ok(journal_get_fact(journal, key, &f->arena, &value, err));
    journal_close(journal);
    return value;
}

static void test_other_recipes_and_models(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "1");
    make_run(f, "b", "2", "2");
    make_run(f, "c", "4", "4");
    change(f, "b", "UPDATE run SET value = 'Recipe' WHERE key = 'recipe'");
    change(f, "c", "UPDATE run SET value = 'Recipe' WHERE key = 'recipe'"); /* as in b: told twice, kept once */
    change(f, "c", "UPDATE run SET value = 'def' WHERE key LIKE 'model%'");
    assert_refused(f, CORD_CHANGED, "in 5 things", "a", "b", "c");
    assert_says(f, "conflict: search.beam: 4 -> 2 (");
    assert_says(f, "conflict: run.seed: 1 -> 2 (");
    assert_says(f, "conflict: model.big.sha256: abc -> def (");
    f->options.prefer = MERGE_FIRST;
    assert_merged(f, "a", "b", "c");
    assert_text(fact(f, "out", "recipe"), "recipe");
    assert_text(fact(f, "out", "model.big.sha256"), "abc");
    assert_text(fact(f, "out", "mixed"), "search.beam: 4 -> 2\nrun.seed: 1 -> 2\nmodel.big.sha256: abc -> def");
    /* what is mixed stays so */
    f->options.prefer = MERGE_NONE;
    assert_int_equal(merge_to(f, "again", 1, (const char *[]){"out"}), CORD_OK);
    assert_text(fact(f, "again", "mixed"), "search.beam: 4 -> 2\nrun.seed: 1 -> 2\nmodel.big.sha256: abc -> def");
    scratch_remove(in(f, "out"));
    f->options.prefer = MERGE_LAST;
    assert_merged(f, "a", "b");
    assert_text(fact(f, "out", "recipe"), "Recipe");
    assert_text(content(f, "out/recipe.yaml"), "Recipe");
}

/* How large a model is said to be, and how noisy a version of cord says that it is, change no result. */
static void test_what_is_said_of_a_model_may_differ(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "1");
    make_run(f, "b", "2", "2");
    change(f, "a", "INSERT INTO run VALUES ('model.big.parameters', '7'), ('model.big.noise', '0.25')");
    change(f, "b", "INSERT INTO run VALUES ('model.big.parameters', '32'), ('model.big.noise', '0.1')");
    assert_merged(f, "a", "b");
    assert_text(fact(f, "out", "model.big.parameters"), "7");
    assert_text(fact(f, "out", "mixed"), "");
}

static void test_other_teachers(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "1");
    make_run(f, "b", "2", "2");
    change(f, "b", "UPDATE teacher SET name = 'weak' WHERE number = 1");
    f->options.prefer = MERGE_FIRST;
    assert_refused(f, CORD_CHANGED, "teachers are not those", "a", "b");
    assert_false(exists(f, "out"));
}

/* ---- order --------------------------------------------------------------------------------------------------- */

static void assert_order(struct fixture *f, const char *ids) {
    struct journal *journal;
    struct journal_problem *problems;
    int n;
    char found[100] = "";
    assert_ok(journal_open(in(f, "out"), JOURNAL_READ, &journal, err));
    assert_ok(journal_problems(journal, &f->arena, &problems, &n, err));
    for (int i = 0; i < n; i++)
        sprintf(found + strlen(found), "%d:%.*s ", problems[i].index, (int)problems[i].id.len, problems[i].id.data);
    assert_string_equal(found, ids);
    journal_close(journal);
}

static void test_different_files_stand_run_by_run(void **state) {
    struct fixture *f = *state;
    make_run(f, "b", "14", "1");
    change(f, "b", "UPDATE run SET value = 'recipe;' WHERE key = 'recipe'");
    make_run(f, "a", "24", "2");
    change(f, "a", "UPDATE problem SET line = 1, number = 0 WHERE id = 'p2'");
    assert_merged(f, "b", "a");
    assert_order(f, "0:p1 1:p4 2:p2 ");
    assert_says(f, "note: problems.file: p -> q (");
    assert_says(f, "problems stand run by run");
}

/* As TAT-QA's questions about one table, or PubMedQA's one object of all. */
static void test_lines_of_several_problems_keep_their_order(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < SAMPLE_PROBLEMS; i++) f->problems[i].line = 1 + i / 2;
    make_run(f, "whole", "1234", "12");
    make_run(f, "a", "13", "1");
    make_run(f, "b", "24", "2");
    assert_merged(f, "b", "a");
    assert_order(f, "0:p1 1:p2 2: 3:p4 ");
    assert_string_equal(f->told, "");
    assert_same_runs(f, "out", "whole");
}

/* Runs of one file that began at different rows. */
static void merge_beginnings(struct fixture *f) {
    make_run(f, "a", "4", "4");
    make_run(f, "b", "12", "1");
    change(f, "a", "UPDATE problem SET number = 0"); /* skipped: 3 */
    assert_merged(f, "a", "b");
    assert_order(f, "0:p1 1:p2 2:p4 ");
    assert_says(f, "began at different rows");
}

static void test_different_beginnings_stand_by_line(void **state) { merge_beginnings(*state); }

/* Line and number together say which comes first. */
static void test_beginnings_of_such_lines_stand_by_line(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < SAMPLE_PROBLEMS; i++) f->problems[i].line = 1 + i / 2;
    merge_beginnings(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_parts_make_the_whole),
        TEST(test_spending_and_replies_are_merged),
        TEST(test_summary_of_many_runs),
        TEST(test_makers_are_merged),
        TEST(test_older_run_is_merged),
        TEST(test_every_table_is_merged),
        TEST(test_merged_run_goes_on),
        TEST(test_merged_runs_can_be_merged),
        TEST(test_equal_results_are_kept_once),
        TEST(test_what_is_done_wins),
        TEST(test_other_problem_under_the_same_id),
        TEST(test_other_results),
        TEST(test_other_recipes_and_models),
        TEST(test_what_is_said_of_a_model_may_differ),
        TEST(test_beginnings_of_such_lines_stand_by_line),
        TEST(test_other_teachers),
        TEST(test_different_files_stand_run_by_run),
        TEST(test_lines_of_several_problems_keep_their_order),
        TEST(test_different_beginnings_stand_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
