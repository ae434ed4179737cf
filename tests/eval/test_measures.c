/* test_measures.c - what is measured of a problem: against sums that SQL takes from the journal's file, and hit rates against the
 * search that was told. */
#include "eval/compared.h"

#include "eval/comparison.h"

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

    /* two for each parameter and token; the meta-prover has 2 billion */
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

int main(void) {
    const struct CMUnitTest tests[] = {WITH_RUN(test_measures),      WITH_RUN(test_mentions),
                                       WITH_RUN(test_unknown_size),  WITH_RUN(test_hits),
                                       WITH_RUN(test_hits_of_trees), WITH_RUN(test_hits_of_whole_traces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
