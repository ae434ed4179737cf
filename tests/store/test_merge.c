/* test_merge.c - several run folders become one that holds all of them, once; contradictions are told; and whatever
 * happens on the way, the result is there whole or not at all, and the runs stay as they are. */
#include "store/sample.h"

#include "store/ledger.h"
#include "store/merge.h"
#include "store/merge_problem.h"
#include "store/trajectories.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

/* ---- run folders --------------------------------------------------------------------------------------------- */

struct fixture {
    char folder[64]; /* the runs are in it: FOLDER/a, FOLDER/b… */
    struct arena arena;
    struct sample sample;
    struct problem problems[SAMPLE_PROBLEMS];
    struct merge_options options;
    struct merge_counts counts;
    cord_error err;
    const char *runs[8];
    char told[8192]; /* a line a telling: "conflict: …", "note: …" */
    int n_told, kill_at;
    const char *write_to; /* a run that somebody tries to go on with while runs are merged */
};

static void tell(void *ctx, enum merge_news news, const char *line);
static cord_status compare(cord_text before, cord_text after, struct arena *arena, cord_text *conflicts,
                           cord_text *notes, cord_error *err);

static int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    sample_folder(f.folder);
    arena_init(&f.arena);
    sample_build(&f.sample);
    sample_plant(&f.sample);
    sample_set(f.problems);
    f.options = (struct merge_options){.runs = f.runs, .compare = compare, .tell = tell, .ctx = &f};
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    arena_release(&f->arena);
    sample_remove(f->folder);
    return 0;
}

static const char *in(struct fixture *f, const char *name) { return arena_printf(&f->arena, "%s/%s", f->folder, name); }

/* A run that is told which of the sample's problems it has ("13": the first and the third), and which of them it finishes. */
static struct journal *begin(struct fixture *f, const char *name, const char *has, const char *finishes) {
    struct journal *journal;
    struct problem mine[SAMPLE_PROBLEMS];
    struct problem_set set = {.problems = mine};
    assert_ok(journal_open(in(f, name), JOURNAL_WRITE, &journal, err));
    for (int i = 0; i < SAMPLE_PROBLEMS; i++)
        if (strchr(has, '1' + i)) mine[set.n++] = f->problems[i];
    assert_ok(journal_put_fact(journal, "recipe", TEXT("recipe"), err));
    assert_ok(journal_put_fact(journal, "model.big.sha256", TEXT("abc"), err));
    assert_ok(journal_put_fact(journal, "shard", TEXT(""), err));
    struct teacher teachers[] = {{.name = "strong"}, {.name = "small"}};
    assert_ok(journal_put_teachers(journal, teachers, 2, err));
    assert_ok(journal_put_problems(journal, &set, err));
    for (int i = 0; i < set.n; i++)
        if (strchr(finishes, '1' + mine[i].index)) sample_tell(journal, i + 1, &f->sample);
    return journal;
}

static void make_run(struct fixture *f, const char *name, const char *has, const char *finishes) {
    struct journal *journal = begin(f, name, has, finishes);
    assert_ok(export_trajectories(journal, in(f, name), err));
    journal_close(journal);
}

static void change(struct fixture *f, const char *name, const char *sql) {
    struct journal *journal;
    assert_ok(journal_open(in(f, name), JOURNAL_WRITE, &journal, err));
    assert_ok(query_script(journal, err, "change the test's journal", sql));
    journal_close(journal);
}

static cord_text content(struct fixture *f, const char *path) {
    struct buf out;
    assert_ok(file_read(in(f, path), "test", 1 << 26, &out, err));
    cord_text text = arena_text(&f->arena, buf_text(&out));
    buf_release(&out);
    return text;
}

/* Names and contents of a folder's files. */
static const char *fingerprint(struct fixture *f, const char *name) {
    struct dirent **entries;
    const char *all = "";
    int n = scandir(in(f, name), &entries, NULL, alphasort);
    assert_true(n >= 2);
    for (int i = 0; i < n; i++) {
        char hex[65] = "";
        if (entries[i]->d_name[0] != '.') {
            const char *path = arena_printf(&f->arena, "%s/%s/%s", f->folder, name, entries[i]->d_name);
            assert_ok(sha256_file(path, hex, err));
        }
        all = arena_printf(&f->arena, "%s%s %s\n", all, entries[i]->d_name, hex);
        free(entries[i]);
    }
    free(entries);
    return all;
}

static bool exists(struct fixture *f, const char *name) { return access(in(f, name), F_OK) == 0; }

/* ---- merging ------------------------------------------------------------------------------------------------- */

static void tell(void *ctx, enum merge_news news, const char *line) {
    struct fixture *f = ctx;
    size_t len = strlen(f->told);
    assert_true(len + strlen(line) + 20 < sizeof f->told);
    sprintf(f->told + len, "%s: %s\n", news == MERGE_CONFLICT ? "conflict" : "note", line);
    if (++f->n_told == f->kill_at) raise(SIGKILL);
    if (f->write_to) {
        struct journal *journal;
        cord_error e = {0};
        assert_int_equal(journal_open(in(f, f->write_to), JOURNAL_WRITE, &journal, &e), CORD_BUSY);
    }
}

/* "…;file" stands for which problems a recipe takes. */
static cord_status compare(cord_text before, cord_text after, struct arena *arena, cord_text *conflicts,
                           cord_text *notes, cord_error *err) {
    (void)arena, (void)err;
    *conflicts = *notes = TEXT("");
    if (text_find(before, TEXT(";")) != text_find(after, TEXT(";"))) *notes = TEXT("problems.file: p -> q\n");
    if (before.data[0] != after.data[0]) *conflicts = TEXT("search.beam: 4 -> 2\nrun.seed: 1 -> 2\n");
    return CORD_OK;
}

static cord_status merge_to(struct fixture *f, const char *out, int n, const char *const *names) {
    f->options.out = in(f, out);
    f->options.n_runs = n;
    for (int i = 0; i < n; i++) f->runs[i] = in(f, names[i]);
    f->told[0] = '\0';
    f->n_told = 0;
    memset(&f->err, 0, sizeof f->err);
    return merge_runs(&f->options, &f->counts, &f->err);
}

#define MERGE(f, ...) \
    merge_to(f, "out", sizeof(const char *[]){__VA_ARGS__} / sizeof(const char *), (const char *[]){__VA_ARGS__})

#define assert_merged(f, ...)                                                                   \
    do {                                                                                        \
        if (MERGE(f, __VA_ARGS__) != CORD_OK) fail_msg("%s (%s)", (f)->err.message, (f)->told); \
        assert_false(exists(f, "out.merging"));                                                 \
    } while (0)

#define assert_says(f, words)                                                             \
    do {                                                                                  \
        if (!strstr((f)->told, words)) fail_msg("'%s' is not in '%s'", words, (f)->told); \
    } while (0)

#define assert_refused(f, code, words, ...)                                                                \
    do {                                                                                                   \
        assert_int_equal(MERGE(f, __VA_ARGS__), code);                                                     \
        if (!strstr((f)->err.message, words)) fail_msg("'%s' does not say '%s'", (f)->err.message, words); \
        assert_false(exists(f, "out.merging"));                                                            \
    } while (0)

/* What a journal's tables hold, problems named by their ids and rows. */
static cord_text dump(struct fixture *f, const char *name) {
    static const char *const tables[] = {"spoken", "spoken_span", "round", "candidate", "beam", "answer"};
    struct journal *journal;
    struct buf out;
    buf_init(&out, "a dump", 1 << 24);
    assert_ok(journal_open(in(f, name), JOURNAL_READ, &journal, err));
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        sqlite3_stmt *stmt;
        const char *sql = arena_printf(&f->arena,
                                       "SELECT p.number, p.line, p.row, p.status, t.* FROM %s t"
                                       " JOIN problem p ON p.key = t.problem ORDER BY p.number, 6, 7",
                                       tables[i]);
        assert_int_equal(sqlite3_prepare_v2(journal->db, sql, -1, &stmt, NULL), SQLITE_OK);
        while (sqlite3_step(stmt) == SQLITE_ROW)
            for (int c = 0; c < sqlite3_column_count(stmt); c++) {
                if (strcmp(sqlite3_column_name(stmt, c), "problem") == 0) continue;
                const void *data = sqlite3_column_blob(stmt, c);
                buf_add(&out, (cord_text){data, (size_t)sqlite3_column_bytes(stmt, c)});
                buf_addf(&out, "|%d\n", sqlite3_column_type(stmt, c));
            }
        sqlite3_finalize(stmt);
    }
    journal_close(journal);
    cord_text text = arena_text(&f->arena, buf_text(&out));
    buf_release(&out);
    return text;
}

static void assert_same_runs(struct fixture *f, const char *a, const char *b) {
    assert_true(text_equal(dump(f, a), dump(f, b)));
    assert_true(dump(f, a).len > 1000);
    assert_true(text_equal(content(f, arena_printf(&f->arena, "%s/trajectories.jsonl", a)),
                           content(f, arena_printf(&f->arena, "%s/trajectories.jsonl", b))));
}

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
    struct problem_set set = {.problems = f->problems, .n = SAMPLE_PROBLEMS, .n_bad = 1};
    assert_ok(journal_put_problems(journal, &set, err));
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
        sample_remove(in(f, "out"));
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
    sample_remove(in(f, "out"));
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
    sample_remove(in(f, "out"));
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
    change(f, "c", "UPDATE run SET value = 'def' WHERE key LIKE 'model%'");
    assert_refused(f, CORD_CHANGED, "in 3 things", "a", "b", "c");
    assert_says(f, "conflict: search.beam: 4 -> 2 (");
    assert_says(f, "conflict: run.seed: 1 -> 2 (");
    assert_says(f, "conflict: model.big.sha256: abc -> def (");
    f->options.prefer = MERGE_FIRST;
    assert_merged(f, "a", "b", "c");
    assert_text(fact(f, "out", "recipe"), "recipe");
    assert_text(fact(f, "out", "model.big.sha256"), "abc");
    assert_text(fact(f, "out", "mixed"), "search.beam: 4 -> 2\nrun.seed: 1 -> 2\nmodel.big.sha256: abc -> def\n");
    /* what is mixed stays so */
    f->options.prefer = MERGE_NONE;
    assert_int_equal(merge_to(f, "again", 1, (const char *[]){"out"}), CORD_OK);
    assert_text(fact(f, "again", "mixed"), "search.beam: 4 -> 2\nrun.seed: 1 -> 2\nmodel.big.sha256: abc -> def\n");
    sample_remove(in(f, "out"));
    f->options.prefer = MERGE_LAST;
    assert_merged(f, "a", "b");
    assert_text(fact(f, "out", "recipe"), "Recipe");
    assert_text(content(f, "out/recipe.yaml"), "Recipe");
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

static void test_different_beginnings_stand_by_line(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "4", "4");
    make_run(f, "b", "12", "1");
    change(f, "a", "UPDATE problem SET number = 0"); /* skipped: 3 */
    assert_merged(f, "a", "b");
    assert_order(f, "0:p1 1:p2 2:p4 ");
    assert_says(f, "began at different rows");
}

/* ---- refusals ------------------------------------------------------------------------------------------------ */

static void test_a_run_at_work_is_refused(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "1");
    struct journal *journal = begin(f, "b", "2", "2");
    assert_refused(f, CORD_BUSY, arena_printf(&f->arena, "process %ld is running", (long)getpid()), "a", "b");
    assert_false(exists(f, "out"));
    journal_close(journal);
    assert_merged(f, "a", "b");
}

static void test_runs_stand_still_while_they_are_merged(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "");
    make_run(f, "b", "1", "1");
    f->write_to = "a";
    assert_merged(f, "a", "b");
    assert_int_equal(f->n_told, 1);
    struct journal *journal;
    assert_ok(journal_open(in(f, "a"), JOURNAL_WRITE, &journal, err)); /* and afterwards go on */
    journal_close(journal);
}

/* A run that was killed has its log beside it. */
static void test_a_killed_run_is_read_with_its_log(void **state) {
    struct fixture *f = *state;
    pid_t child = fork();
    if (child == 0) {
        begin(f, "a", "12", "12");
        raise(SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && exists(f, "a/journal.sqlite-wal"));
    const char *before = fingerprint(f, "a");
    assert_merged(f, "a");
    assert_string_equal(fingerprint(f, "a"), before);
    make_run(f, "whole", "12", "12");
    assert_same_runs(f, "out", "whole");
}

static void test_wrong_folders(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "1");
    assert_refused(f, CORD_BAD_USAGE, "the same folder", "a", "./a/");
    assert_refused(f, CORD_IO_ERROR, "No such file", "a", "missing");
    assert_int_equal(mkdir(in(f, "empty"), 0777), 0);
    assert_refused(f, CORD_BAD_INPUT, "not a run folder", "a", "empty");
    make_run(f, "begun", "2", "");
    change(f, "begun", "DELETE FROM run");
    assert_refused(f, CORD_BAD_INPUT, "leave this folder out", "begun", "a");
    make_run(f, "newer", "2", "");
    change(f, "newer", "PRAGMA user_version = 99");
    assert_refused(f, CORD_IO_ERROR, "schema 99", "a", "newer");
    assert_false(exists(f, "out"));
    assert_int_equal(mkdir(in(f, "out"), 0777), 0);
    assert_refused(f, CORD_BAD_USAGE, "exists already", "a");
    assert_int_equal(rmdir(in(f, "out")), 0);
    assert_int_equal(symlink("nowhere", in(f, "out")), 0);
    assert_refused(f, CORD_BAD_USAGE, "exists already", "a");
}

/* A name with a slash behind it, and what a URI would take for its own. */
static void test_odd_names(void **state) {
    struct fixture *f = *state;
    assert_int_equal(mkdir(in(f, "x"), 0777), 0);
    make_run(f, "x/a ?mode=rw#%41", "1", "1");
    make_run(f, "x/b", "2", "2");
    assert_int_equal(merge_to(f, "y/new/out//", 2, (const char *[]){"x/a ?mode=rw#%41", "x/b/"}), CORD_OK);
    assert_true(exists(f, "y/new/out/trajectories.jsonl"));
    assert_false(exists(f, "y/new/out.merging"));
}

/* ---- a merge that is killed ---------------------------------------------------------------------------------- */

/* At whatever moment: the result is not there, the runs are as they were, and the same command makes it. */
static void test_killed_merge(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "124", "");
    make_run(f, "b", "12", "12");
    make_run(f, "c", "34", "4");
    make_run(f, "whole", "1234", "124");
    int n = 3;
    for (int at = 1; at <= n; at++) {
        const char *before = fingerprint(f, "a");
        pid_t child = fork();
        if (child == 0) {
            f->kill_at = at;
            MERGE(f, "a", "b", "c");
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        assert_false(exists(f, "out"));
        assert_true(exists(f, "out.merging/journal.sqlite"));
        assert_string_equal(fingerprint(f, "a"), before);
        /* as if it had also been killed while it wrote its files */
        assert_ok(file_write_atomic(in(f, "out.merging/trajectories.jsonl.77.tmp"), TEXT("half"), err));
        assert_merged(f, "a", "b", "c");
        assert_int_equal(f->n_told, n);
        assert_same_runs(f, "out", "whole");
        assert_false(exists(f, "out/trajectories.jsonl.77.tmp"));
        sample_remove(in(f, "out"));
    }
}

/* Two at once: the second is told of the first, and does not touch what that is making. */
static void test_second_merge_is_refused(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "1");
    struct journal *first;
    assert_ok(journal_open(in(f, "out.merging"), JOURNAL_FRESH, &first, err));
    assert_int_equal(MERGE(f, "a"), CORD_BUSY);
    assert_true(exists(f, "out.merging/journal.sqlite"));
    assert_ok(journal_put_fact(first, "still", TEXT("here"), err));
    journal_close(first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_parts_make_the_whole),
        TEST(test_spending_and_replies_are_merged),
        TEST(test_every_table_is_merged),
        TEST(test_merged_run_goes_on),
        TEST(test_merged_runs_can_be_merged),
        TEST(test_equal_results_are_kept_once),
        TEST(test_what_is_done_wins),
        TEST(test_other_problem_under_the_same_id),
        TEST(test_other_results),
        TEST(test_other_recipes_and_models),
        TEST(test_other_teachers),
        TEST(test_different_files_stand_run_by_run),
        TEST(test_different_beginnings_stand_by_line),
        TEST(test_a_run_at_work_is_refused),
        TEST(test_runs_stand_still_while_they_are_merged),
        TEST(test_a_killed_run_is_read_with_its_log),
        TEST(test_wrong_folders),
        TEST(test_odd_names),
        TEST(test_killed_merge),
        TEST(test_second_merge_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
