/* test_compare.c - what cord compare says of journals made by hand: measures against sums that SQL takes from the file,
 * hit rates against the search that was told, problems in common, and the whole command against counts made here. */
#include "eval/near.h"
#include "store/sample.h"

#include "base/json.h"
#include "eval/comparison.h"
#include "eval/matching.h"

#include <sqlite3.h>

/* ---- one problem ----------------------------------------------------------------------------------------------- */

struct fixture {
    char folder[64];
    struct journal *journal;
    struct sample sample;
    struct arena arena;
};

static int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    scratch_folder(f.folder);
    sample_build(&f.sample);
    arena_init(&f.arena);
    int64_t us = 300;
    for (int r = 0; r < 3; r++) /* no two alike, and not the last one longest */
        for (int i = 0; i < 4; i++, us = us * 7919 % 100003) {
            struct candidate *c = &f.sample.candidates[r][i];
            c->propose_us = 1000 + us;
            c->score_us = 500 + 2 * us;
            c->new_tokens = 3 + i + r;
            c->prompt_tokens = 100 + 10 * r + i;
            c->score_prompt_tokens = 60 + 5 * i;
            c->judged_tokens = 2 + i * r;
            c->judge_us = 700 + 3 * us;
        }
    assert_ok(journal_open(f.folder, JOURNAL_WRITE, &f.journal, err));
    sample_problems(f.journal);
    sample_tell(f.journal, 1, &f.sample);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    journal_close(f->journal);
    scratch_remove(f->folder);
    arena_release(&f->arena);
    return 0;
}

/* A number from the file itself, as whoever opens it with the sqlite3 shell would take it. */
static double ask(const struct fixture *f, const char *sql) {
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *statement;
    snprintf(path, sizeof path, "%s/journal.sqlite", f->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    double value = sqlite3_column_double(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static void measure_one(struct fixture *f, int problem, double value[MEASURES], struct hits *hits) {
    struct journal_problem *problems;
    int n;
    assert_ok(journal_problems(f->journal, &f->arena, &problems, &n, err));
    assert_ok(hits_init(hits, 2, &f->arena, err));
    const double teachers[] = {3e9, 1e9};
    const struct model_sizes sizes = {teachers, 2, 2e9};
    assert_ok(measure_problem(f->journal, &problems[problem], &sizes, value, hits, err));
}

/* With this gold in place of the journal's. */
static void measure_gold(struct fixture *f, const char *gold, double value[MEASURES]) {
    static const struct model_sizes none = {0};
    struct journal_problem *problems;
    struct hits hits;
    int n;
    assert_ok(journal_problems(f->journal, &f->arena, &problems, &n, err));
    assert_ok(hits_init(&hits, 2, &f->arena, err));
    problems[0].gold = text_of(gold);
    assert_ok(measure_problem(f->journal, &problems[0], &none, value, &hits, err));
}

static void measure_first(struct fixture *f, double value[MEASURES], struct hits *hits) {
    measure_one(f, 0, value, hits);
}

static void test_measures(void **state) {
    struct fixture *f = *state;
    struct hits hits;
    double v[MEASURES];
    measure_first(f, v, &hits);
    assert_near(v[MEASURE_ACCURACY], 0, 0); /* the best is wrong, the second right */
    assert_near(v[MEASURE_NO_ANSWER] + v[MEASURE_UNDECIDED], 0, 0);
    assert_near(v[MEASURE_PP], 0.875, 1e-12);
    assert_near(v[MEASURE_HELD_OUT], 0.75, 1e-12);
    assert_near(v[MEASURE_S0], 0.125, 1e-12);
    assert_near(v[MEASURE_TRAJECTORIES], 2, 0);
    assert_near(v[MEASURE_STEPS], 2, 0); /* a cut step and its rest are one */
    assert_near(v[MEASURE_LENGTH], 12, 0);
    assert_near(v[MEASURE_PROPOSED], ask(f, "SELECT sum(new_tokens) FROM candidate") + 5 + 7, 0); /* and guesses */
    assert_near(v[MEASURE_PREFILLED],
                ask(f, "SELECT (SELECT sum(prompt_tokens - cached_tokens) FROM candidate) +"
                       " (SELECT sum(prompt_tokens - cached_tokens) FROM answer)") +
                    (20 - 4) + (21 - 4),
                0);
    assert_near(v[MEASURE_SCORED], ask(f, "SELECT sum(score_prompt_tokens - score_cached_tokens) FROM candidate"), 0);
    /* of the sample's 4, 2 and 2 candidates */
    assert_near(v[MEASURE_JUDGED], 2 + 2 + 2 + 2 + 2 + 3 + 2 + 4, 0);
    assert_near(v[MEASURE_ANSWERS], ask(f, "SELECT sum(new_tokens) FROM answer"), 0);
    assert_near(v[MEASURE_TOKENS],
                v[MEASURE_PROPOSED] + v[MEASURE_PREFILLED] + v[MEASURE_SCORED] + v[MEASURE_JUDGED] + v[MEASURE_ANSWERS],
                0);
    assert_near(v[MEASURE_GENERATED], v[MEASURE_PROPOSED] + v[MEASURE_ANSWERS], 0);
    assert_true(v[MEASURE_NEVER] == 1 && isnan(v[MEASURE_AFTER])); /* "five" is no 5 */

    /* two for each parameter and token: the teachers have 3 and 1 billion, the meta-prover 2 */
#define SIZE(who) "(CASE " who " WHEN 0 THEN 3e9 ELSE 1e9 END)"
    assert_near(v[MEASURE_FLOPS_GENERATED],
                2 * ask(f, "SELECT (SELECT sum(new_tokens * " SIZE("teacher") ") FROM candidate) +"
                                                                              " (SELECT sum(new_tokens * " SIZE(
                                                                                  "author") ") FROM answer)") +
                    2 * (5 * 3e9 + 7 * 1e9),
                0);
    assert_near(
        v[MEASURE_FLOPS_PREFILLED],
        2 * ask(f, "SELECT (SELECT sum((prompt_tokens - cached_tokens) * " SIZE(
                       "teacher") ") FROM candidate) +"
                                  " (SELECT sum((prompt_tokens - cached_tokens) * " SIZE("author") ") FROM answer)") +
            2 * (16 * 3e9 + 17 * 1e9),
        0);
    assert_near(v[MEASURE_FLOPS_SCORED], 2 * 2e9 * v[MEASURE_SCORED], 0);
    assert_near(v[MEASURE_FLOPS_JUDGED], 2 * 2e9 * 19, 0);
    assert_near(v[MEASURE_FLOPS],
                v[MEASURE_FLOPS_GENERATED] + v[MEASURE_FLOPS_PREFILLED] + v[MEASURE_FLOPS_SCORED] + 2 * 2e9 * 19, 0);
    double propose = ask(f, "SELECT sum(m) FROM (SELECT max(propose_us) m FROM candidate GROUP BY round)") / 1e6;
    double score = ask(f, "SELECT sum(m) FROM (SELECT max(score_us) m FROM candidate GROUP BY round)") / 1e6;
    double judge = ask(f, "SELECT sum(m) FROM (SELECT max(judge_us) m FROM candidate GROUP BY round)") / 1e6;
    double answer = ask(f, "SELECT max(us) FROM answer") / 1e6, guesses = 6000.000001; /* of the slower teacher */
    assert_near(v[MEASURE_PROPOSE_TIME], propose + guesses, 1e-9);
    assert_near(v[MEASURE_SCORE_TIME], score, 1e-9);
    assert_near(v[MEASURE_JUDGE_TIME], judge, 1e-9);
    assert_near(v[MEASURE_ANSWER_TIME], answer, 1e-9);
    assert_near(v[MEASURE_TIME], propose + guesses + score + judge + answer, 1e-9);
    assert_true(propose < ask(f, "SELECT sum(propose_us) FROM candidate") / 1e6);

    /* an older journal has it among what scoring took; the sums are known */
    assert_near(ask(f, "UPDATE candidate SET judged_tokens = NULL WHERE round = 1 AND number = 3 RETURNING number"), 3,
                0);
    double older[MEASURES];
    measure_first(f, older, &hits);
    assert_true(isnan(older[MEASURE_JUDGED]) && isnan(older[MEASURE_FLOPS_JUDGED]) && isnan(older[MEASURE_JUDGE_TIME]));
    assert_near(older[MEASURE_TOKENS], v[MEASURE_TOKENS] - 2, 0);
    assert_near(older[MEASURE_FLOPS], v[MEASURE_FLOPS] - 2 * 2e9 * 2, 0);
    assert_true(older[MEASURE_TIME] > 0);
}

/* The best trajectory is "Count", and "Then we hold five", which came in two pieces. */
static void test_mentions(void **state) {
    struct fixture *f = *state;
    double v[MEASURES];
    measure_gold(f, "Count", v);
    assert_true(v[MEASURE_NEVER] == 0 && v[MEASURE_AFTER] == 1);
    measure_gold(f, "hold", v);
    assert_true(v[MEASURE_NEVER] == 0 && v[MEASURE_AFTER] == 0);
    measure_gold(f, "What", v); /* the question's own word */
    assert_true(isnan(v[MEASURE_NEVER]) && isnan(v[MEASURE_AFTER]));
}

/* Where one model's parameters are not known, what it took is not, nor the sum; the rest is. */
static void test_unknown_size(void **state) {
    struct fixture *f = *state;
    const double teachers[] = {3e9, 1e9};
    const struct model_sizes sizes = {teachers, 2, 0};
    struct journal_problem *problems;
    struct hits hits;
    double v[MEASURES];
    int n;
    assert_ok(journal_problems(f->journal, &f->arena, &problems, &n, err));
    assert_ok(hits_init(&hits, 2, &f->arena, err));
    assert_ok(measure_problem(f->journal, &problems[0], &sizes, v, &hits, err));
    assert_true(v[MEASURE_FLOPS_GENERATED] > 0 && isnan(v[MEASURE_FLOPS_SCORED]) && isnan(v[MEASURE_FLOPS]));
}

/* The sample's three rounds lie in the second, sixth and ninth tenth, and so do the best trajectory's three pieces. */
static void test_hits(void **state) {
    struct fixture *f = *state;
    struct hits hits;
    double v[MEASURES];
    measure_first(f, v, &hits);
    const int64_t proposed[2][HIT_BINS] = {{0, 2, 0, 0, 0, 1, 0, 0, 1, 0}, {0, 2, 0, 0, 0, 0, 0, 0, 1, 0}};
    const int64_t kept[2][HIT_BINS] = {{0, 1, 0, 0, 0, 1, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0, 0, 0, 1, 0}};
    const int64_t final[2][HIT_BINS] = {{0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0, 0, 0, 1, 0}};
    for (int t = 0; t < 2; t++)
        for (int bin = 0; bin < HIT_BINS; bin++) {
            assert_int_equal(hits.proposed[t * HIT_BINS + bin], proposed[t][bin]);
            assert_int_equal(hits.kept[t * HIT_BINS + bin], kept[t][bin]);
            assert_int_equal(hits.final[t * HIT_BINS + bin], final[t][bin]);
        }
    assert_int_equal(hits_all(&hits, hits.proposed, -1),
                     ask(f, "SELECT count(*) FROM candidate WHERE NOT finishes_parent"));
    assert_int_equal(hits_all(&hits, hits.kept, -1),
                     ask(f, "SELECT count(*) FROM candidate WHERE NOT finishes_parent AND slot >= 0"));
    assert_int_equal(hits_all(&hits, hits.kept, 1), 2);
    assert_int_equal(hits_of(hits.final, 1), 2);
    for (int n = 1; n < 60; n++) /* parts are in order, and for ten and more all are taken */
        for (int at = 0; at < n; at++) {
            int bin = hits_bin(at, n);
            assert_true(bin >= 0 && bin < HIT_BINS && (!at || bin >= hits_bin(at - 1, n)));
            assert_int_equal(bin + hits_bin(n - 1 - at, n), (2 * at + 1) * HIT_BINS % (2 * n) ? 9 : 10);
        }
}

/* In a search tree a candidate that has a place is a node, and kept is what became the root: the paths of the answers, each
 * step in the round that wrote it. Here these are the same four steps, and nothing counts twice. */
static void test_hits_of_trees(void **state) {
    struct fixture *f = *state;
    struct hits beam, tree;
    double v[MEASURES];
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < 2; i++) f->sample.beams[r][i].tree = (struct tree_place){.above = -1, .visits = 1 + r};
    sample_tell(f->journal, 2, &f->sample);
    measure_one(f, 0, v, &beam);
    measure_one(f, 1, v, &tree);
    assert_memory_equal(tree.kept, beam.kept, (size_t)2 * HIT_BINS * sizeof *tree.kept);
    assert_memory_equal(tree.proposed, beam.proposed, (size_t)2 * HIT_BINS * sizeof *tree.proposed);
    assert_int_equal(hits_all(&tree, tree.kept, -1), 4);
}

/* A trace that came whole is one candidate with all its steps: in the middle where it is all, else in its place. */
static void test_hits_of_whole_traces(void **state) {
    struct fixture *f = *state;
    static const struct step_part parts[] = {{0, 5, NULL}, {5, 10, NULL}, {10, 15, NULL}};
    struct candidate c = sample_candidate(-1, 0, 1, TEXT("One. Two. Five."), TEXT("One. Two. Five."), 0.5);
    struct hits hits;
    double v[MEASURES];
    sample_keep(&c, -1, 0);
    c.parts = parts;
    c.n_parts = 3;
    struct trajectory whole = {
        .reasoning = c.reasoning, .log_score = c.log_score, .finish = FINISHED_CLOSED, .author = 1};
    const struct round round = {1, &c, 1, &whole, 1, NULL};
    const struct answered answer = {
        .trajectory = whole, .reply = TEXT("5"), .answer = TEXT("5"), .grade = GRADE_CORRECT, .why = ""};
    sample_started(f->journal, 2);
    assert_ok(journal_round(f->journal, 2, &round, err));
    assert_ok(journal_finished(f->journal, 2, &answer, 1, err));
    measure_one(f, 1, v, &hits);
    const int64_t *const counts[] = {hits.proposed, hits.kept, hits.final};
    for (int k = 0; k < 3; k++) {
        assert_int_equal(hits_all(&hits, counts[k], -1), 1);
        assert_int_equal(counts[k][HIT_BINS + 5], 1);
    }
    /* behind one step of another, of another round */
    const struct step steps[] = {{NULL, TEXT("a"), 1, 0, false, 0, NULL},
                                 {&steps[0], TEXT("b"), 2, 1, false, 0, NULL},
                                 {&steps[1], TEXT("c"), 2, 1, false, 0, NULL}};
    assert_ptr_equal(candidate_before(&steps[2]), &steps[0]);
    assert_null(candidate_before(&steps[0]));
}

/* ---- problems in common ---------------------------------------------------------------------------------------- */

static struct journal_problem problem(const char *id, const char *question, enum problem_status status) {
    return (struct journal_problem){
        .id = text_of(id), .question = text_of(question), .target = TEXT("1"), .gold = TEXT("1"), .status = status};
}

static void test_matching(void **state) {
    struct fixture *f = *state;
    const struct journal_problem a[] = {problem("z", "q1", PROBLEM_DONE), problem("b", "q2", PROBLEM_DONE),
                                        problem("c", "q3", PROBLEM_DONE), problem("d", "q4", PROBLEM_OPEN),
                                        problem("", "", PROBLEM_FAILED),  problem("e", "q5", PROBLEM_DONE),
                                        problem("f", "q6", PROBLEM_DONE), problem("g", "q7", PROBLEM_FAILED)};
    struct journal_problem b[] = {problem("g", "q7", PROBLEM_FAILED), problem("c", "other", PROBLEM_DONE),
                                  problem("e", "q5", PROBLEM_FAILED), problem("z", "q1", PROBLEM_DONE),
                                  problem("f", "q6", PROBLEM_DONE),   problem("b", "q2", PROBLEM_DONE),
                                  problem("d", "q4", PROBLEM_DONE),   problem("h", "q8", PROBLEM_FAILED)};
    struct evidence first = {0}, second = {0};
    const struct evidence *const runs[] = {&first, &second};
    struct matching m;
    assert_ok(evidence_take(&first, "", a, 8, &f->arena, err));
    assert_ok(evidence_take(&second, "", b, 8, &f->arena, err));
    assert_ok(match_problems(runs, 2, &f->arena, &m, err));
    assert_int_equal(m.n, 3);
    const int want[2][3] = {{0, 1, 6}, {3, 5, 4}};
    for (int l = 0; l < 2; l++)
        for (int i = 0; i < 3; i++) assert_int_equal(m.at[l * 3 + i], want[l][i]);
    assert_int_equal(m.left_out[0].n, 2);
    assert_text(m.left_out[0].example, "c");
    assert_true(m.left_out[0].why == LACK_OTHER && m.left_out[0].where == 1);
    assert_int_equal(m.left_out[1].n, 2); /* c, which is another one, and d */
    assert_true(m.left_out[1].where == 0);
    assert_int_equal(m.not_done, 2); /* g, in both, and h; the broken row is no problem */
    b[5].gold = TEXT("2");           /* graded against another answer */
    assert_ok(evidence_take(&second, "", b, 8, &f->arena, err));
    assert_ok(match_problems(runs, 2, &f->arena, &m, err));
    assert_int_equal(m.n, 2);
}

/* ---- the command ----------------------------------------------------------------------------------------------- */

enum { PROBLEMS = 12 };

/* A run of twelve problems whose best trajectories have these grades and scores. */
static void make_run(char folder[64], const enum grade *grades, const double *scores, const struct sample *sample,
                     int n) {
    struct journal *journal;
    static char ids[PROBLEMS][8];
    struct problem problems[PROBLEMS];
    const struct teacher teachers[] = {{.name = "strong"}, {.name = "small"}};
    for (int i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "p%d", i);
        problems[i] = (struct problem){.question = {text_of(ids[i]), TEXT("What is 2 + 3?")},
                                       .target = TEXT("5"),
                                       .gold = TEXT("5"),
                                       .row = TEXT("{}"),
                                       .line = i + 1,
                                       .index = i};
    }
    assert_ok(journal_open(scratch_folder(folder), JOURNAL_WRITE, &journal, err));
    assert_ok(sample_put(journal, problems, n, err));
    assert_ok(journal_put_teachers(journal, teachers, 2, err));
    for (int i = 0; i < n; i++) {
        struct answered answers[2];
        sample_answers(sample, answers);
        answers[0].grade = grades[i];
        answers[0].log_pp = log(scores[i]);
        sample_started(journal, i + 1);
        for (int r = 0; r < 3; r++) assert_ok(journal_round(journal, i + 1, &sample->rounds[r], err));
        assert_ok(journal_finished(journal, i + 1, answers, 2, err));
    }
    journal_close(journal);
}

static int run_cord(const char *arguments, struct buf *out) {
    char command[512], part[4096];
    snprintf(command, sizeof command, CORD_BINARY " compare %s 2>&1", arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    buf_clear(out);
    for (size_t n; (n = fread(part, 1, sizeof part, pipe)) > 0;) buf_add(out, (cord_text){part, n});
    return WEXITSTATUS(pclose(pipe));
}

static double number_at(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) fail_msg("no number '%s'", key);
    return json_number_value(value);
}

static void test_command(void **state) {
    struct fixture *f = *state;
    const enum grade C = GRADE_CORRECT, W = GRADE_WRONG, N = GRADE_NO_ANSWER, U = GRADE_UNDECIDED;
    const enum grade one[PROBLEMS] = {W, W, W, N, W, W, W, W, C, C, U, N},
                     two[PROBLEMS] = {C, C, C, C, C, C, C, C, C, W, W, N};
    double low[PROBLEMS], high[PROBLEMS], difference = 0;
    for (int i = 0; i < PROBLEMS; i++) {
        low[i] = 0.3 + 0.01 * i;
        high[i] = 0.5 + 0.03 * (i % 5);
        difference += (high[i] - low[i]) / PROBLEMS;
    }
    char a[64], b[64], arguments[400];
    struct buf out;
    buf_init(&out, "what cord printed", 1 << 20);
    make_run(a, one, low, &f->sample, PROBLEMS);
    make_run(b, two, high, &f->sample, PROBLEMS);

    snprintf(arguments, sizeof arguments, "%s %s/ --format json", a, b);
    assert_int_equal(run_cord(arguments, &out), 0);
    json_t *all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(all);
    assert_int_equal(number_at(all, "problems"), PROBLEMS);
    const json_t *methods = json_object_get(all, "methods"),
                 *means = json_object_get(json_array_get(methods, 0), "means");
    assert_near(number_at(means, "accuracy"), 2.0 / 12, 1e-12);
    assert_near(number_at(means, "no_answer"), 2.0 / 12, 1e-12);
    assert_near(number_at(means, "undecided"), 1.0 / 12, 1e-12);
    const json_t *differences = json_object_get(all, "differences"), *d = json_array_get(differences, 0);
    assert_int_equal(json_array_size(differences), 2);
    assert_near(number_at(d, "difference"), 7.0 / 12, 1e-12); /* eight gained, one lost */
    assert_int_equal(number_at(d, "better"), 8);
    assert_int_equal(number_at(d, "worse"), 1);
    assert_near(number_at(d, "p"), 2 * (1 + 9) / 512.0, 1e-12);
    d = json_array_get(differences, 1);
    assert_near(number_at(d, "difference"), difference, 1e-12);
    assert_true(number_at(d, "low") < difference && difference < number_at(d, "high"));
    assert_near(number_at(d, "p"), 2.0 / 4096, 1e-12); /* all twelve are better: two of the 2^12 ways */
    /* both runs are the same search twelve times: of the steps kept at the start, one of two is strong's */
    const json_t *kept = json_object_get(json_object_get(json_array_get(methods, 1), "hits"), "kept");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(kept, "of"), 1)), 24);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(json_object_get(kept, "by"), "strong"), 1)), 12);
    json_decref(all);

    /* the same numbers as CSV; equal calls print equal bytes */
    snprintf(arguments, sizeof arguments, "%s %s --format csv", a, b);
    assert_int_equal(run_cord(arguments, &out), 0);
    char line[512];
    snprintf(line, sizeof line, "\nprimary difference,%s,%s,accuracy,,,0.5833333333,8,1,", b, a);
    assert_true(text_find(buf_text(&out), text_of(line)) > 0);
    snprintf(line, sizeof line, ",mcnemar,12,,,yes,\"Established at level 0.05: %s has a higher accuracy than ", b);
    assert_true(text_find(buf_text(&out), text_of(line)) > 0);
    assert_true(text_find(buf_text(&out), TEXT(",signs,12,0,,yes,\"Established")) > 0);
    snprintf(line, sizeof line, "\nfinal,%s,,,small,1,1,12,12,", a);
    assert_true(text_find(buf_text(&out), text_of(line)) > 0);
    char *first = strdup(out.data);
    assert_int_equal(run_cord(arguments, &out), 0);
    assert_string_equal(first, out.data);
    free(first);

    /* from rows, without journals, the same */
    static const char *const formats[] = {"text", "markdown", "csv", "json"};
    char rows[128];
    snprintf(rows, sizeof rows, "%s/rows.tsv", b);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        snprintf(arguments, sizeof arguments, "%s %s --format %s --rows %s", a, b, formats[i], rows);
        assert_int_equal(run_cord(arguments, &out), 0);
        first = strdup(out.data);
        snprintf(arguments, sizeof arguments, "--from-rows %s %s --format %s", rows, rows, formats[i]);
        assert_int_equal(run_cord(arguments, &out), 0);
        assert_string_equal(first, out.data);
        free(first);
        snprintf(arguments, sizeof arguments, "%s %s --rows %s", a, b, rows);
        assert_int_equal(run_cord(arguments, &out), 2); /* it is there already */
        unlink(rows);
    }

    /* the other one as the baseline; and a run of fewer problems */
    snprintf(arguments, sizeof arguments, "%s %s --baseline %s", a, b, b);
    assert_int_equal(run_cord(arguments, &out), 0);
    assert_true(text_find(buf_text(&out), TEXT("A has a lower accuracy than B")) > 0);
    char c[64];
    make_run(c, two, high, &f->sample, 7);
    snprintf(arguments, sizeof arguments, "%s %s", a, c);
    assert_int_equal(run_cord(arguments, &out), 1);
    snprintf(
        line, sizeof line,
        "finish them, or compare the 7 that all have with --common; only some have 5 of %s (such as 'p7', which is "
        "not in %s)",
        a, c);
    assert_true(text_find(buf_text(&out), text_of(line)) > 0);
    snprintf(arguments, sizeof arguments, "%s %s --common --format json", a, c);
    assert_int_equal(run_cord(arguments, &out), 0);
    all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(number_at(all, "problems"), 7);
    assert_int_equal(json_array_size(json_object_get(all, "notes")), 2); /* and that no sizes are known */
    json_decref(all);
    buf_release(&out);
    scratch_remove(a), scratch_remove(b), scratch_remove(c);
}

/* ---- roles ----------------------------------------------------------------------------------------------------- */

#define MODELS                                                                                   \
    "models:\n  \"big\":\n    file: \"a.gguf\"\n  \"tiny\":\n    file: \"b.gguf\"\n  \"own\":\n" \
    "    file: \"c.gguf\"\n"

static void put_recipe(const char *folder, const char *recipe, const char *second_teacher) {
    struct journal *journal;
    const struct teacher teachers[] = {{.name = "strong"}, {.name = second_teacher}};
    assert_ok(journal_open(folder, JOURNAL_WRITE, &journal, err));
    assert_ok(journal_put_teachers(journal, teachers, 2, err));
    assert_ok(journal_put_fact(journal, "recipe", text_of(recipe), err));
    assert_ok(journal_put_fact(journal, "model.big.parameters", TEXT("3e9"), err));
    assert_ok(journal_put_fact(journal, "model.tiny.parameters", TEXT("1e9"), err));
    assert_ok(journal_put_fact(journal, "model.own.parameters", TEXT("7e9"), err));
    journal_close(journal);
}

/* The integrator's steps and answers count by its model, and scores by the judge's. */
static void test_roles(void **state) {
    struct fixture *f = *state, g;
    const enum grade grades[] = {GRADE_CORRECT};
    const double scores[] = {0.5};
    char arguments[200];
    struct buf out;
    buf_init(&out, "what cord printed", 1 << 20);
    make_run(g.folder, grades, scores, &f->sample, 1);
    put_recipe(g.folder,
               MODELS "teachers:\n  \"strong\":\n    model: \"big\"\nmeta_prover:\n  model: \"big\"\n"
                      "search:\n  strategy: integration\n  criterion: judge\n"
                      "integration:\n  model: \"tiny\"\njudgment:\n  model: \"own\"\n",
               "integrator");
    snprintf(arguments, sizeof arguments, "%s --format json", g.folder);
    assert_int_equal(run_cord(arguments, &out), 0);
    json_t *all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *means = json_object_get(json_array_get(json_object_get(all, "methods"), 0), "means");
    assert_near(number_at(means, "flops_generated"),
                2 * ask(&g, "SELECT (SELECT sum(new_tokens * " SIZE("teacher") ") FROM candidate) +"
                                                                               " (SELECT sum(new_tokens * " SIZE(
                                                                                   "author") ") FROM answer)") +
                    2 * (5 * 3e9 + 7 * 1e9),
                0);
    assert_near(number_at(means, "flops_judged"), 2 * 7e9 * 19, 0);
    assert_near(number_at(means, "flops_scored"), 2 * 7e9 * number_at(means, "tokens_scored"), 0);
    assert_true(number_at(means, "flops_scored") > 0);
    json_decref(all);
    buf_release(&out);
    scratch_remove(g.folder);
}

#define BY(meta, more)                                                                                       \
    MODELS "teachers:\n  \"strong\":\n    model: \"big\"\n  \"small\":\n    model: \"tiny\"\nmeta_prover:\n" \
           "  model: \"" meta "\"\n" more

/* Of two meta-provers S0 cannot be compared, and PP only where one scorer measured it. Rows say the same. */
static void test_scorers(void **state) {
    struct fixture *f = *state;
    const enum grade grades[] = {GRADE_CORRECT, GRADE_WRONG};
    const double scores[] = {0.5, 0.25};
    static const struct {
        const char *one, *two;
        bool s0, pp; /* told */
    } cases[] = {
        {BY("big", ""), BY("big", "measures:\n  scorer: \"big\"\n"), false, false},
        {BY("big", ""), BY("tiny", ""), true, true},
        {BY("big", ""), BY("tiny", "measures:\n  scorer: \"big\"\n"), true, false},
        {BY("big", ""), BY("big", "measures:\n  scorer: \"own\"\n"), false, true},
        {BY("big", "measures:\n  scorer: \"own\"\n"), BY("tiny", "measures:\n  scorer: \"own\"\n"), true, false},
    };
    char a[64], b[64], arguments[400], rows[128];
    struct buf out;
    buf_init(&out, "what cord printed", 1 << 20);
    make_run(a, grades, scores, &f->sample, 2);
    make_run(b, grades, scores, &f->sample, 2);
    snprintf(rows, sizeof rows, "%s/rows.tsv", b);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_recipe(a, cases[i].one, "small");
        put_recipe(b, cases[i].two, "small");
        snprintf(arguments, sizeof arguments, "%s %s --format csv --rows %s", a, b, rows);
        unlink(rows);
        assert_int_equal(run_cord(arguments, &out), 0);
        for (int again = 0; again < 2; again++) {
            bool both = text_find(buf_text(&out), TEXT("PP and S0 of B may be measured otherwise")) >= 0;
            bool s0 = !both && text_find(buf_text(&out), TEXT("S0 of B may be measured otherwise")) >= 0;
            bool pp = text_find(buf_text(&out), TEXT("PP of B is measured otherwise")) >= 0;
            if ((both || s0) != cases[i].s0 || (both || pp) != cases[i].pp)
                fail_msg("case %zu%s: %s", i, again ? ", from rows" : "", out.data);
            snprintf(arguments, sizeof arguments, "--from-rows %s --format csv", rows);
            assert_int_equal(run_cord(arguments, &out), 0);
        }
    }
    /* a table from before there was that column: the last two runs have two meta-provers */
    char cut[300];
    snprintf(cut, sizeof cut, "sed -i 's/\\t[^\\t]*$//' %s", rows);
    assert_int_equal(system(cut), 0);
    assert_int_equal(run_cord(arguments, &out), 0);
    assert_true(text_find(buf_text(&out), TEXT("PP and S0 of B may be measured otherwise")) >= 0);
    buf_release(&out);
    scratch_remove(a), scratch_remove(b);
}

/* Who writes, or chooses, is no held-out scorer; under another name neither. */
static void test_held_out(void **state) {
    struct fixture *f = *state;
    const enum grade grades[] = {GRADE_CORRECT};
    const double scores[] = {0.5};
    static const struct {
        const char *recipe, *told; /* NULL: nothing */
    } cases[] = {{BY("big", ""), NULL},
                 {BY("big", "measures:\n  held_out: \"own\"\n"), NULL},
                 {BY("big", "measures:\n  held_out: \"tiny\"\n"), "it has the model of the teacher small."},
                 {BY("own", "measures:\n  held_out: \"own\"\n"), "it has the model of the meta-prover."}};
    char folder[64], arguments[200];
    struct buf out;
    buf_init(&out, "what cord printed", 1 << 20);
    make_run(folder, grades, scores, &f->sample, 1);
    snprintf(arguments, sizeof arguments, "%s --format csv", folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_recipe(folder, cases[i].recipe, "small");
        assert_int_equal(run_cord(arguments, &out), 0);
        assert_true((text_find(buf_text(&out), TEXT("is no held-out scorer")) >= 0) == (cases[i].told != NULL));
        if (cases[i].told) assert_true(text_find(buf_text(&out), text_of(cases[i].told)) > 0);
    }
    buf_release(&out);
    scratch_remove(folder);
}

/* ---- equal budgets ----------------------------------------------------------------------------------------------- */

#define WITH_SEEDS(strategy) "search:\n  strategy: " strategy "\nrun:\n  seed: 1\n"

/* The sample's trajectories are of two runs, of which the first has the second answer: 139 tokens, and guesses, which belong to both. The rows stay whole. */
static void test_equal(void **state) {
    struct fixture *f = *state, a, b;
    const enum grade grades[] = {GRADE_WRONG, GRADE_WRONG};
    const double scores[] = {0.875, 0.875};
    struct sample cheap = f->sample, dear = f->sample;
    char arguments[400];
    struct buf out;
    buf_init(&out, "what cord printed", 1 << 20);
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < 4; i++) {
            struct candidate *c = &cheap.candidates[r][i];
            c->new_tokens = c->prompt_tokens = c->cached_tokens = c->score_prompt_tokens = c->score_cached_tokens = 0;
            c->judged_tokens = dear.candidates[r][i].judged_tokens = 0;
        }
    for (int r = 0; r < 3; r++) {
        cheap.rounds[r].candidates = cheap.candidates[r];
        dear.rounds[r].candidates = dear.candidates[r];
    }
    make_run(a.folder, grades, scores, &cheap,
             2); /* 2 answers of 7 + 9 - 8 tokens, and guesses: 20 - 4 + 5 + 21 - 4 + 7 */
    make_run(b.folder, grades, scores, &dear, 2);
    snprintf(arguments, sizeof arguments, "%s %s --equal flops", a.folder, b.folder);
    assert_int_equal(run_cord(arguments, &out), 1); /* no recipe says of which models they are */
    assert_true(text_find(buf_text(&out), TEXT("--equal flops: what ")) > 0);
    put_recipe(a.folder, BY("big", WITH_SEEDS("integration")), "small");
    put_recipe(b.folder, BY("big", WITH_SEEDS("cord")), "small");
    ask(&b, "UPDATE answer SET log_pp = NULL WHERE problem = 1 AND number = 1 RETURNING 0");

    snprintf(arguments, sizeof arguments, "%s %s --equal tokens --format json --rows %s/cut.tsv", a.folder, b.folder,
             b.folder);
    assert_int_equal(run_cord(arguments, &out), 0);
    json_t *all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *equal = json_object_get(all, "equal"), *methods = json_object_get(equal, "methods");
    assert_text(content_at(equal, "unit"), "tokens");
    assert_near(number_at(equal, "budget"), 16 + 45, 0);
    assert_text(content_at(json_array_get(methods, 0), "verdict"), "whole");
    const json_t *cut = json_array_get(methods, 1);
    assert_text(content_at(cut, "verdict"), "cut");
    assert_near(number_at(cut, "cut"), 2, 0);
    assert_near(number_at(cut, "trajectories"), 1, 0);
    assert_near(number_at(cut, "trajectories_before"), 2, 0);
    assert_near(number_at(cut, "ratio"), (139 + 45) / 61.0, 1e-12);
    assert_true(text_find(content_at(cut, "says"), TEXT("never measured (measures.best_only): 1")) > 0);
    const json_t *method = json_array_get(json_object_get(all, "methods"), 1),
                 *means = json_object_get(method, "means");
    assert_near(number_at(means, "accuracy"), 1, 0);
    assert_near(number_at(means, "pp"), 0.625, 1e-12); /* of the second problem */
    assert_near(number_at(json_object_get(method, "of"), "pp"), 1, 0);
    assert_near(number_at(means, "tokens"), 139 + 45, 0);
    json_decref(all);

    /* the other way round, the integration is too dear, and stays so */
    put_recipe(a.folder, BY("big", WITH_SEEDS("cord")), "small");
    put_recipe(b.folder, BY("big", WITH_SEEDS("integration")), "small");
    snprintf(arguments, sizeof arguments, "%s %s --equal tokens", a.folder, b.folder);
    assert_int_equal(run_cord(arguments, &out), 0);
    assert_true(text_find(buf_text(&out), TEXT("B   cannot be cut (integration); trajectories a problem: 2.00; ")) > 0);

    /* rows are of whole runs */
    snprintf(arguments, sizeof arguments, "--from-rows %s/cut.tsv --format csv", b.folder);
    assert_int_equal(run_cord(arguments, &out), 0);
    char line[300];
    snprintf(line, sizeof line, "mean,%s,,accuracy,,,0,,2,", b.folder);
    assert_true(text_find(buf_text(&out), text_of(line)) > 0);
    buf_release(&out);
    scratch_remove(a.folder), scratch_remove(b.folder);
}

#define WITH_RUN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_RUN(test_measures),     WITH_RUN(test_mentions), WITH_RUN(test_hits_of_whole_traces),
        WITH_RUN(test_unknown_size), WITH_RUN(test_hits),     WITH_RUN(test_hits_of_trees),
        WITH_RUN(test_matching),     WITH_RUN(test_command),  WITH_RUN(test_roles),
        WITH_RUN(test_scorers),      WITH_RUN(test_held_out), WITH_RUN(test_equal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
