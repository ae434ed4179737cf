/* test_budget_cut.c - searches made by hand, cut to budgets: which samples are left of what costs so much, added up here, and what
 * is measured of them. */
#include "eval/near.h"

#include "eval/budget_cut.h"

enum { TEACHERS = 2, RUNS = 3, TRACES = TEACHERS * RUNS };

/* Three traces of each of two teachers. In the order of samples, with what each costs:
 *
 *     sample  teacher  run   tokens              answer            S      seconds of rounds 1, 2, 3
 *     0     0        0     10 + 5, 1           wrong             0.5    1, 2
 *     1     1        0     1, 1                correct           0.25   3
 *     2     0        1     20, 1               correct           0.75   2
 *     3     1        1     2                   it did not begin         1
 *     4     0        2     30, 1               none              -      1
 *     5     1        2     3 + 7 + 7, 1        wrong             0.875  5, 1, 4
 *
 * An answer takes a second and a token. Tokens together: 16, 18, 39, 41, 72, 90; trajectories: 1, 2, 3, 3, 4, 5; seconds, the
 * slowest of each round: 4, 6, 6, 6, 6, 12. */
struct fixture {
    struct arena arena;
    struct journal_problem problem;
    struct step step;
    struct candidate first[TRACES], second[2], third[1];
    struct trajectory beams[3][TRACES];
    struct round rounds[3];
    struct answered answers[TRACES];
    struct past past;
};

static const double parameters[TEACHERS] = {3e9, 1e9};
static const struct model_sizes sizes = {parameters, TEACHERS, 2e9};

static struct candidate wrote(int parent, int teacher, int run, int tokens, int seconds, int slot) {
    return (struct candidate){.parent = parent,
                              .teacher = teacher,
                              .run = run,
                              .new_tokens = tokens,
                              .propose_us = seconds * INT64_C(1000000),
                              .drop = slot < 0 ? DROP_EMPTY : DROP_NONE,
                              .slot = slot};
}

static struct answered answered(const struct fixture *f, int teacher, int run, enum grade grade, double score) {
    struct trajectory trajectory = {.reasoning = TEXT("five"), .last = &f->step, .author = teacher, .run = run};
    trajectory.n_steps = 10 * teacher + run;
    return (struct answered){.trajectory = trajectory,
                             .grade = grade,
                             .log_pp = log(score),
                             .log_held_out = (double)NAN,
                             .new_tokens = 1,
                             .us = 1000000};
}

static int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    arena_init(&f.arena);
    f.problem = (struct journal_problem){.question = TEXT("2 + 3?"), .gold = TEXT("5"), .rounds = 3, .started = true};
    f.step = (struct step){.text = TEXT("five"), .round = 1};
    const struct candidate first[] = {wrote(0, 0, 0, 10, 1, 0), wrote(0, 0, 1, 20, 2, 1), wrote(0, 0, 2, 30, 1, 2),
                                      wrote(0, 1, 0, 1, 3, 3),  wrote(0, 1, 1, 2, 1, -1), wrote(0, 1, 2, 3, 5, 4)};
    memcpy(f.first, first, sizeof first);
    f.second[0] = wrote(0, 0, 0, 5, 2, 0);
    f.second[1] = wrote(4, 1, 2, 7, 1, 4);
    f.third[0] = wrote(4, 1, 2, 7, 4, 4);
    const int kept[5][2] = {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 2}}; /* teacher, run */
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < 5; i++)
            f.beams[r][i] = (struct trajectory){.last = &f.step, .author = kept[i][0], .run = kept[i][1]};
    f.rounds[0] = (struct round){1, f.first, TRACES, f.beams[0], 5, NULL};
    f.rounds[1] = (struct round){2, f.second, 2, f.beams[1], 5, NULL};
    f.rounds[2] = (struct round){3, f.third, 1, f.beams[2], 5, NULL};
    f.answers[0] = answered(&f, 1, 2, GRADE_WRONG, 0.875);
    f.answers[1] = answered(&f, 0, 1, GRADE_CORRECT, 0.75);
    f.answers[2] = answered(&f, 0, 0, GRADE_WRONG, 0.5);
    f.answers[3] = answered(&f, 1, 0, GRADE_CORRECT, 0.25);
    f.answers[4] = answered(&f, 0, 2, GRADE_NO_ANSWER, (double)NAN);
    f.past =
        (struct past){.problem = &f.problem, .rounds = f.rounds, .n_rounds = 3, .answers = f.answers, .n_answers = 5};
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    arena_release(&f->arena);
    return 0;
}

/* Cuts, measures what is left, and returns whether anything was left out. */
static bool cut(struct fixture *f, enum samples samples, enum measure unit, double budget, double value[MEASURES],
                struct hits *hits) {
    struct past left;
    bool was_cut;
    assert_ok(budget_cut(&f->past, samples, &sizes, unit, budget, &f->arena, &left, &was_cut, err));
    assert_ok(hits_init(hits, TEACHERS, &f->arena, err));
    assert_ok(measure_past(&left, &sizes, value, hits, err));
    return was_cut;
}

static void test_budgets(void **state) {
    struct fixture *f = *state;
    static const struct {
        enum measure unit;
        double budget, tokens; /* what is left has cost these */
    } cases[] = {
        {MEASURE_TOKENS, 0, 16},       {MEASURE_TOKENS, 15, 16},      {MEASURE_TOKENS, 17, 16},
        {MEASURE_TOKENS, 18, 18},      {MEASURE_TOKENS, 38, 18},      {MEASURE_TOKENS, 39, 39},
        {MEASURE_TOKENS, 40, 39},      {MEASURE_TOKENS, 41, 41},      {MEASURE_TOKENS, 89, 72},
        {MEASURE_TOKENS, 90, 90},      {MEASURE_TRAJECTORIES, 1, 16}, {MEASURE_TRAJECTORIES, 2, 18},
        {MEASURE_TRAJECTORIES, 3, 41}, {MEASURE_TRAJECTORIES, 4, 72}, {MEASURE_TRAJECTORIES, 5, 90},
        {MEASURE_TIME, 5, 16},         {MEASURE_TIME, 6, 72},         {MEASURE_TIME, 11, 72},
        {MEASURE_TIME, 12, 90},        {MEASURE_FLOPS, 99e9, 16}, /* 2 x 3e9 x 16 are 96e9, and 2 x 1e9 x 2 4e9 */
        {MEASURE_FLOPS, 100e9, 18},    {MEASURE_FLOPS, 225e9, 18},    {MEASURE_FLOPS, 226e9, 39},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hits hits;
        double v[MEASURES];
        bool was_cut = cut(f, SAMPLES_TRACES, cases[i].unit, cases[i].budget, v, &hits);
        if (v[MEASURE_TOKENS] != cases[i].tokens || was_cut != (cases[i].tokens < 90))
            fail_msg("case %zu: %g tokens are left", i, v[MEASURE_TOKENS]);
    }
}

/* The first three traces: the best of them is the third, and there are two rounds. */
static void test_what_is_left(void **state) {
    struct fixture *f = *state;
    struct hits hits;
    double v[MEASURES];
    assert_true(cut(f, SAMPLES_TRACES, MEASURE_TOKENS, 39, v, &hits));
    assert_near(v[MEASURE_ACCURACY], 1, 0);
    assert_near(v[MEASURE_PP], 0.75, 1e-12);
    assert_near(v[MEASURE_TRAJECTORIES], 3, 0);
    assert_near(v[MEASURE_STEPS], 1, 0);
    assert_near(v[MEASURE_PROPOSED], 36, 0);
    assert_near(v[MEASURE_ANSWERS], 3, 0);
    assert_near(v[MEASURE_PROPOSE_TIME], 5, 1e-9);
    assert_near(v[MEASURE_TIME], 6, 1e-9);
    /* round 1 of 2 stands in the third part, round 2 in the eighth */
    assert_int_equal(hits_of(hits.proposed, 0), 3);
    assert_int_equal(hits_of(hits.proposed, 1), 1);
    assert_int_equal(hits.proposed[2], 2);
    assert_int_equal(hits.proposed[7], 1);
    assert_int_equal(hits.kept[HIT_BINS + 2], 1);
    assert_int_equal(hits_of(hits.final, 0), 1);
    assert_int_equal(f->past.n_answers, 5); /* the whole is as it was */
    assert_int_equal(f->rounds[0].n_candidates, TRACES);
}

/* What came first by the run's own rule does so among what is left: correct ones, where it put these first; and its PP may be
 * one that nobody measured. */
static void test_order(void **state) {
    struct fixture *f = *state;
    struct hits hits;
    double v[MEASURES];
    cut(f, SAMPLES_TRACES, MEASURE_TOKENS, 18, v, &hits);
    assert_near(v[MEASURE_ACCURACY], 0, 0);
    assert_near(v[MEASURE_PP], 0.5, 1e-12);
    struct answered moved = f->answers[3]; /* of sample 1, as rejection has it: before all that are wrong */
    memmove(&f->answers[1], &f->answers[0], 3 * sizeof *f->answers);
    f->answers[0] = moved;
    f->answers[0].log_pp = (double)NAN;
    cut(f, SAMPLES_TRACES, MEASURE_TOKENS, 18, v, &hits);
    assert_near(v[MEASURE_ACCURACY], 1, 0);
    assert_true(isnan(v[MEASURE_PP]));
    assert_near(v[MEASURE_STEPS], 10, 0);
}

/* As runs, each is of both teachers: 16 + 2, 21 + 2, 31 + 18 tokens. */
static void test_runs(void **state) {
    struct fixture *f = *state;
    struct hits hits;
    double v[MEASURES];
    assert_true(cut(f, SAMPLES_RUNS, MEASURE_TOKENS, 40, v, &hits));
    assert_near(v[MEASURE_TOKENS], 18, 0);
    assert_true(cut(f, SAMPLES_RUNS, MEASURE_TOKENS, 41, v, &hits));
    assert_near(v[MEASURE_TOKENS], 41, 0);
    assert_near(v[MEASURE_TRAJECTORIES], 3, 0);
}

/* Nothing is left out of one sample, of what has none, and of what is not made of the traces that it should be. */
static void test_no_samples(void **state) {
    struct fixture *f = *state;
    struct hits hits;
    double v[MEASURES];
    assert_false(cut(f, SAMPLES_NONE, MEASURE_TOKENS, 1, v, &hits));
    assert_near(v[MEASURE_TOKENS], 90, 0);
    f->second[0].teacher = 1; /* goes on with what the other wrote */
    assert_false(cut(f, SAMPLES_TRACES, MEASURE_TOKENS, 1, v, &hits));
    assert_near(v[MEASURE_TOKENS], 90, 0);
    assert_true(cut(f, SAMPLES_RUNS, MEASURE_TOKENS, 1, v, &hits));
    f->second[0] = wrote(-1, 0, 0, 5, 2, 0); /* as an integrator begins */
    assert_false(cut(f, SAMPLES_TRACES, MEASURE_TOKENS, 1, v, &hits));
    for (int i = 0; i < TRACES; i++) f->first[i].run = 0;
    f->past.n_rounds = 1;
    assert_false(cut(f, SAMPLES_RUNS, MEASURE_TOKENS, 1, v, &hits));
    assert_int_equal(samples_of("curation"), SAMPLES_TRACES);
    assert_int_equal(samples_of("rejection"), SAMPLES_TRACES);
    assert_int_equal(samples_of("mcts"), SAMPLES_RUNS);
    assert_int_equal(samples_of("cord"), SAMPLES_RUNS);
    assert_int_equal(samples_of("greedy"), SAMPLES_RUNS);
    assert_int_equal(samples_of("integration"), SAMPLES_NONE);
    assert_int_equal(samples_of("selection"), SAMPLES_NONE);
    assert_int_equal(samples_of(""), SAMPLES_NONE);
}

#define WITH_SEARCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {WITH_SEARCH(test_budgets), WITH_SEARCH(test_what_is_left),
                                       WITH_SEARCH(test_order), WITH_SEARCH(test_runs), WITH_SEARCH(test_no_samples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
