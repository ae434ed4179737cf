/* test_samples.c - searches of several runs or traces, cut to the first of them (eval/budget_cut.c), against searches that were made
 * of so many: all that is measured is the same. */
#include "script.h"

#include "eval/budget_cut.h"

static int steps_in(cord_text text) {
    int n = 0;
    for (ptrdiff_t at; (at = text_find(text, TEXT("### Step"))) >= 0; n++)
        text = text_slice(text, (size_t)at + 8, text.len);
    return n;
}

/* Steps, ends of both kinds, nothing, and rollouts of two steps, by the hash of what was asked. */
static void talk(struct world *w, const struct asked *asked, struct said *said) {
    unsigned id = (unsigned)(seed_text(seed_mix(w->script, asked->seed), asked->reasoning) >> 40);
    if (asked->answer)
        say(said, STEP_TURN, "%u}", 41 + (unsigned)(seed_text(w->script, asked->reasoning) >> 40) % 3);
    else if (id % 8 == 7)
        say(said, asked->whole ? STEP_CUT : STEP_NEXT, " ");
    else if (id % 8 > 4)
        say(said, id % 2 ? STEP_CLOSED : STEP_TURN, " Done%u.", id);
    else if (asked->whole)
        say(said, STEP_CLOSED, " Plain%u.\n\n### Step %d. Rest%u.", id, steps_in(asked->reasoning) + 1, id);
    else
        say(said, STEP_NEXT, " Plain%u.", id);
}

/* No two texts are as good. */
static double judge(struct world *w, cord_text reasoning) {
    return -(double)(seed_text(w->script, reasoning) % 1000003) / 1e6;
}

static struct world *searched(uint64_t script, enum search_strategy strategy, int runs) {
    struct world *w = world_new(1 + (int)(script % 3), strategy == STRATEGY_CORD ? 2 : 1);
    w->script = script;
    w->reply = talk;
    w->score = judge;
    w->settings.strategy = strategy;
    w->settings.runs = runs;
    w->settings.simulations = 3;
    w->settings.exploration = 1;
    w->settings.think_tokens = 20;
    return w;
}

static void measure(const struct past *past, const struct model_sizes *sizes, double value[MEASURES], struct hits *hits,
                    struct world *w) {
    assert_ok(hits_init(hits, sizes->n_teachers, &w->arena, err));
    assert_ok(measure_past(past, sizes, value, hits, err));
}

static void assert_same_hits(const struct hits *a, const struct hits *b) {
    size_t size = (size_t)a->n_teachers * HIT_BINS * sizeof *a->final;
    assert_memory_equal(a->proposed, b->proposed, size);
    assert_memory_equal(a->kept, b->kept, size);
    assert_memory_equal(a->final, b->final, size);
}

/* Returns whether the best of the many is another than that of the few. */
static bool compare(struct world *few, struct world *many) {
    const double parameters[TEACHERS] = {1e9, 2e9, 3e9};
    const struct model_sizes sizes = {parameters, few->search.n_teachers, 1e9};
    const struct journal_problem problem = {
        .question = few->search.question.text, .gold = few->search.gold, .started = true, .log_s0 = few->log_s0};
    const struct past all[2] = {{.problem = &problem,
                                 .rounds = few->rounds,
                                 .n_rounds = few->n_rounds,
                                 .answers = (struct answered *)(uintptr_t)few->finished,
                                 .n_answers = few->n_finished},
                                {.problem = &problem,
                                 .rounds = many->rounds,
                                 .n_rounds = many->n_rounds,
                                 .answers = (struct answered *)(uintptr_t)many->finished,
                                 .n_answers = many->n_finished}};
    double want[MEASURES], got[MEASURES];
    struct hits hits[2];
    struct past left;
    bool cut;
    measure(&all[0], &sizes, want, &hits[0], few);
    assert_ok(budget_cut(&all[1], samples_of(strategy_names[few->settings.strategy]), &sizes, MEASURE_TOKENS,
                         want[MEASURE_TOKENS], &many->arena, &left, &cut, err));
    assert_true(cut);
    measure(&left, &sizes, got, &hits[1], many);
    for (int m = 0; m < MEASURE_PROPOSE_TIME; m++) /* times are the last: requests of one call share the machine */
        if (got[m] != want[m] && !(isnan(got[m]) && isnan(want[m])))
            fail_msg("script %d, %s, %s: %.12g, not %.12g", (int)few->script, strategy_names[few->settings.strategy],
                     measure_infos[m].key, got[m], want[m]);
    assert_same_hits(&hits[0], &hits[1]);
    return !text_equal(few->finished[0].trajectory.reasoning, many->finished[0].trajectory.reasoning);
}

static void the_first_samples_are_a_search_of_so_many(void **state) {
    (void)state;
    static const enum search_strategy strategies[] = {STRATEGY_CURATION, STRATEGY_REJECTION, STRATEGY_GREEDY,
                                                      STRATEGY_CORD, STRATEGY_MCTS};
    for (size_t s = 0; s < sizeof strategies / sizeof *strategies; s++) {
        int compared = 0, others = 0;
        for (uint64_t script = 0; script < 60; script++) {
            int runs = 1 + (int)(script % 2);
            struct world *few = searched(script, strategies[s], runs),
                         *many = searched(script, strategies[s], runs + 2);
            if (world_run(few) == CORD_OK && world_run(many) == CORD_OK) {
                others += compare(few, many);
                compared++;
            }
            world_free(many);
            world_free(few);
        }
        if (compared < 30 || others < 10)
            fail_msg("%s: %d compared, %d with another best", strategy_names[strategies[s]], compared, others);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_first_samples_are_a_search_of_so_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
