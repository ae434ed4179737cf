/* test_resume.c - a search that is stopped anywhere and taken up from what its observer was told asks for the same and
 * ends the same; and what happens to it when a teacher, the engine or the observer fails. */
#include "script.h"

/* Texts of their own for each seed, now and then an end or a cut. */
static void talk(struct world *w, const struct asked *asked, struct said *said) {
    unsigned id = (unsigned)(seed_text(seed_mix(w->script, asked->seed), asked->reasoning) >> 40);
    if (asked->integrates && id % 2)
        say(said, STEP_TURN, "{\"steps\": [{\"text\": \"Merged%u\"}], \"answer\": \"none\"}", id);
    else if (asked->integrates)
        say(said, STEP_TURN,
            "{\"steps\": [{\"text\": \"### Step 1. Merged%u\", \"category\": \"verification\"}, {\"text\": "
            "\"So it is.\", \"category\": \"error correction\"}], \"answer\": \"\\\\boxed{%u}\"}",
            id, 40 + id % 4);
    else if (asked->answer)
        say(said, STEP_TURN, "%u}", 40 + id % 4);
    else if (id % 8 == 0)
        say(said, STEP_CLOSED, " Done%u.", id);
    else if (id % 8 == 1)
        say(said, STEP_CLOSED, "%s", "");
    else if (id % 8 == 2)
        say(said, STEP_CUT, " cut%u \n", id);
    else if (asked->whole && (id % 8 != 3 || asked->teacher))
        say(said, id % 3 ? STEP_CLOSED : STEP_CUT, " Plain%u.\n\n### Step 2. More%u", id, id % 5);
    else if (id % 8 != 3 || asked->teacher)
        say(said, STEP_NEXT, " Plain%u.\n", id);
}

static double judge(struct world *w, cord_text reasoning) { return -(double)(seed_text(w->script, reasoning) % 8) / 8; }

static struct world *talking(uint64_t script) {
    struct world *w = world_new(3, 3);
    w->script = script;
    w->reply = talk;
    w->score = judge;
    w->settings.think_tokens = 60;
    w->settings.answer_temperature = 0.25f;
    return w;
}

/* What the observer of `w` was told, as the beginning of another search. Its texts stay w's. */
static struct search_state state_of(const struct world *w) {
    struct search_state state = {
        .started = w->n_started > 0, .log_s0 = w->log_s0, .contrast = w->contrast, .round = w->n_rounds};
    for (int r = 0; r < w->n_rounds; r++)
        for (int i = 0; i < w->rounds[r].n_candidates; i++)
            if (w->rounds[r].candidates[i].parent < 0) {
                state.anew++;
                state.refused = w->rounds[r].candidates[i].drop_why;
            }
    const struct round *last = w->n_rounds ? &w->rounds[w->n_rounds - 1] : NULL;
    for (int i = 0; last && i < last->n_candidates && !state.failed; i++)
        if (last->candidates[i].drop == DROP_FAILED) state.failed = last->candidates[i].drop_why;
    if (last) {
        state.beam = last->beam;
        state.n_beam = last->n_beam;
    }
    return state;
}

/* Traces of two sources that never write: some without an answer, some repeated. */
static void give(struct world *w, uint64_t script) {
    enum { GIVEN = 9 };
    struct given_trace *given = arena_alloc(&w->arena, GIVEN * sizeof *given);
    for (int i = 0; i < GIVEN; i++) {
        unsigned id = (unsigned)(seed_mix(script, (uint64_t)i) >> 40);
        given[i].teacher = i % 2;
        given[i].sample = i / 2;
        given[i].reasoning = text_of(arena_printf(&w->arena, "First%u.\n\nThen%u.", id % 8, id % 3));
        if (id % 4) given[i].reply = text_of(arena_printf(&w->arena, "\\boxed{%u}", 40 + id % 4));
    }
    w->search.n_teachers = 2;
    w->teachers[0].model = w->teachers[1].model = NULL;
    w->search.given = given;
    w->search.n_given = GIVEN;
}

/* As a step's log-probability of either sign. */
static double signs(struct world *w, cord_text prompt, cord_text opening, cord_text target) {
    (void)opening;
    return -(double)(seed_text(seed_text(w->script, prompt), target) % 8) / 8;
}

/* Every strategy, with several runs and with one; every criterion, of steps and of complete traces. */
static struct world *searching(int way, uint64_t script) {
    static const struct {
        enum search_strategy strategy;
        int beam, runs;
        enum { PLAIN, ADAPTIVE, WHOLE } how;
        const char *criterion;
    } ways[] = {{STRATEGY_CORD, 3, 1, PLAIN, NULL},
                {STRATEGY_CORD, 2, 3, PLAIN, NULL},
                {STRATEGY_GREEDY, 1, 1, PLAIN, NULL},
                {STRATEGY_GREEDY, 1, 3, PLAIN, NULL},
                {STRATEGY_CURATION, 1, 3, PLAIN, NULL},
                {STRATEGY_REJECTION, 1, 3, PLAIN, NULL},
                {STRATEGY_CURATION, 1, 1, PLAIN, NULL},
                {STRATEGY_MCTS, 1, 3, PLAIN, NULL},
                {STRATEGY_MCTS, 1, 1, PLAIN, NULL},
                {STRATEGY_CORD, 3, 1, ADAPTIVE, NULL},
                {STRATEGY_GREEDY, 1, 3, ADAPTIVE, NULL},
                {STRATEGY_CORD, 2, 1, PLAIN, "random"},
                {STRATEGY_CURATION, 1, 2, PLAIN, "random"},
                {STRATEGY_CORD, 2, 2, PLAIN, "longest"},
                {STRATEGY_CORD, 2, 2, PLAIN, "judge"},
                {STRATEGY_CURATION, 1, 2, PLAIN, "judge"},
                {STRATEGY_MCTS, 1, 1, PLAIN, "judge"},
                {STRATEGY_CORD, 2, 2, PLAIN, "prm"},
                {STRATEGY_CURATION, 1, 2, PLAIN, "prm"},
                {STRATEGY_CORD, 2, 2, PLAIN, "contrast"},
                {STRATEGY_CURATION, 1, 2, PLAIN, "contrast"},
                {STRATEGY_CORD, 2, 2, PLAIN, "masked"},
                {STRATEGY_CURATION, 1, 2, PLAIN, "masked"},
                {STRATEGY_MCTS, 1, 1, PLAIN, "masked"},
                {STRATEGY_INTEGRATION, 1, 2, PLAIN, NULL},
                {STRATEGY_SELECTION, 1, 1, PLAIN, NULL},
                {STRATEGY_INTEGRATION, 1, 2, PLAIN, "masked"},
                {STRATEGY_SELECTION, 1, 1, PLAIN, "longest"},
                {STRATEGY_CURATION, 1, 3, WHOLE, NULL},
                {STRATEGY_REJECTION, 1, 2, WHOLE, "judge"},
                {STRATEGY_INTEGRATION, 1, 2, WHOLE, NULL}};
    if (way == sizeof ways / sizeof *ways) return NULL;
    struct world *w = talking(script);
    w->settings.strategy = ways[way].strategy;
    w->settings.beam = ways[way].beam;
    w->settings.runs = ways[way].runs;
    w->settings.adaptive = ways[way].how == ADAPTIVE;
    w->settings.whole_traces = ways[way].how == WHOLE;
    w->settings.agreement = 0.1;
    w->settings.patience = 2;
    w->settings.simulations = 4;
    w->settings.exploration = 0.5;
    if (ways[way].strategy == STRATEGY_INTEGRATION)
        world_integrate(w, 12); /* refused again and again, but not so often */
    if (ways[way].strategy == STRATEGY_SELECTION) give(w, script);
    w->reward = signs;
    if (!ways[way].criterion) return w;
    world_judge(w, ways[way].criterion);
    w->search.held_out = &w->others[HELD_OUT];
    return w;
}

/* Stops at every call of the engine there is: the one for S_0, each round's, and the answer stage's. Returns how many rounds
 * there were. */
static int stop_anywhere(int way, uint64_t script) {
    struct world *whole = searching(way, script);
    world_succeeds(whole);
    int rounds = whole->n_rounds;
    bool plain = !whole->settings.criterion; /* else there are calls of its own, and those that measure */
    bool beam = plain && (whole->settings.strategy == STRATEGY_CORD || whole->settings.strategy == STRATEGY_GREEDY);
    if (beam) assert_int_equal(whole->calls, 2 + 2 * rounds);
    if (plain && whole->settings.strategy == STRATEGY_SELECTION)
        assert_int_equal(whole->calls, 2); /* S_0, and all traces at once; nobody is asked for an answer */
    else if (plain && whole->settings.strategy == STRATEGY_INTEGRATION)
        assert_int_equal(whole->calls, 2 + rounds); /* S_0, a call each, and the merged trace's score */
    else
        assert_true(whole->calls >= (whole->settings.strategy == STRATEGY_SELECTION ? 2 : 2 + rounds));
    for (int call = 1; call <= whole->calls; call++) {
        struct world *first = searching(way, script), *second = searching(way, script);
        first->cancel_call = call;
        assert_int_equal(world_run(first), CORD_CANCELLED);
        assert_int_equal(first->n_ends, 0);
        if (beam) assert_int_equal(first->n_rounds, call < 2 ? 0 : (call - 2) / 2);
        size_t known = first->told; /* proposals that were not scored yet are asked for again */
        assert_memory_equal(first->log.data, whole->log.data, known);

        second->search.state = state_of(first);
        world_succeeds(second);
        assert_int_equal(second->n_started, first->n_started ? 0 : 1);
        if (!first->n_started) assert_true(text_equal(second->contrast, whole->contrast));
        assert_string_equal(second->log.data, whole->log.data + known);
        world_free(second);
        world_free(first);
    }
    world_free(whole);
    return rounds;
}

static void stopped_anywhere_it_ends_the_same(void **state) {
    (void)state;
    struct world *w;
    for (int way = 0; (w = searching(way, 0)); way++) {
        int rounds = 0;
        bool one_round = w->settings.strategy == STRATEGY_SELECTION ||
                         (w->settings.whole_traces && w->settings.strategy != STRATEGY_INTEGRATION);
        world_free(w);
        for (uint64_t script = 0; script < 12; script++) rounds += stop_anywhere(way, script);
        assert_true(one_round ? rounds == 12 : rounds > 30);
    }
}

/* Taken up with other settings (cord run --accept-changes) it ends, too: with a tree whose rule now leads to a node that is
 * finished, and with a budget that is used up already. */
static void with_other_settings_it_ends(void **state) {
    (void)state;
    int used_up = 0;
    for (uint64_t script = 0; script < 40; script++)
        for (int kind = 0; kind < 3; kind++)
            for (int stop = 1; stop <= 8; stop++) {
                static const enum search_strategy kinds[] = {STRATEGY_CORD, STRATEGY_CURATION, STRATEGY_MCTS};
                bool beam = kinds[kind] == STRATEGY_CORD, tree = kinds[kind] == STRATEGY_MCTS;
                struct world *first = talking(script), *second = talking(script);
                for (int i = 0; i < 2; i++) {
                    struct search_settings *settings = i ? &second->settings : &first->settings;
                    settings->strategy = kinds[kind];
                    settings->beam = beam ? 3 : 1;
                    settings->simulations = 9;
                    settings->exploration = i ? 0 : 5;
                    if (i) settings->think_tokens = 8;
                }
                first->cancel_call = 2 + 2 * stop;
                if (world_run(first) == CORD_CANCELLED) {
                    second->search.state = state_of(first);
                    second->cancel_call = 400; /* it does not go on for ever */
                    assert_int_not_equal(world_run(second), CORD_CANCELLED);
                    int idle = 0; /* once, where the rule alone ends the last tree */
                    for (int r = 0; r < second->n_rounds; r++) idle += second->rounds[r].n_candidates == 0;
                    assert_in_range(idle, 0, tree);
                    for (int i = 0; i < second->n_finished && !tree; i++) {
                        used_up += second->finished[i].trajectory.finish == FINISHED_BUDGET;
                        assert_false(isnan(second->finished[i].trajectory.log_score)); /* a trace gets it at its end */
                    }
                }
                world_free(second);
                world_free(first);
            }
    assert_true(used_up > 20);
}

/* ---- failures ------------------------------------------------------------------------------------------------ */

static void the_first_cannot(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    if (asked->teacher == 0) return;
    if (asked->answer)
        say(said, STEP_TURN, "42}");
    else
        say(said, has(asked->reasoning, "Step 3.") ? STEP_CLOSED : STEP_NEXT, " Teacher%d%d.", asked->teacher,
            asked->nth);
}

static void a_teacher_that_cannot_take_the_prompt_is_left_out(void **state) {
    (void)state;
    struct world *w = world_new(2, 2);
    w->reply = the_first_cannot;
    w->score = judge;
    world_succeeds(w);
    assert_int_equal(w->n_rounds, 3);
    for (int r = 0; r < w->n_rounds; r++)
        for (int i = 0; i < w->rounds[r].n_candidates; i++) {
            const struct candidate *c = &w->rounds[r].candidates[i];
            assert_int_equal(c->drop, c->teacher ? DROP_NONE : DROP_FAILED);
            if (c->teacher == 0) assert_string_equal(c->drop_why, "teacher 0 cannot take it");
        }
    assert_int_equal(w->n_finished, 2);
    world_free(w);
}

static void nobody_can(struct world *w, const struct asked *asked, struct said *said) {
    (void)w, (void)asked, (void)said;
}

static void nobody_has_words(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    say(said, asked->teacher ? STEP_CLOSED : STEP_NEXT, " \n");
}

static double nothing_can_be_scored(struct world *w, cord_text reasoning) {
    (void)w;
    return reasoning.len ? (double)NAN : -1;
}

/* No first step: the round is told, then the search fails; and fails again, in the same words, when it is taken up there. */
static void without_a_first_step_there_is_no_search(void **state) {
    (void)state;
    static const struct {
        void (*reply)(struct world *, const struct asked *, struct said *);
        double (*score)(struct world *, cord_text);
        const char *why;
    } cases[] = {
        {nobody_can, judge, "teacher 0 cannot take it"},
        {nobody_has_words, judge, "empty, repeated or degenerate"},
        {the_first_cannot, nothing_can_be_scored, "cannot take it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *w = world_new(2, 2), *again = world_new(2, 2);
        w->reply = again->reply = cases[i].reply;
        w->score = again->score = cases[i].score;
        assert_int_equal(world_run(w), CORD_BAD_INPUT);
        assert_non_null(strstr(w->error.message, "no first step"));
        assert_non_null(strstr(w->error.message, cases[i].why));
        assert_int_equal(w->n_rounds, 1);
        assert_non_null(w->rounds[0].note);
        for (int told = 1; told >= 0; told--) {
            again->search.state = state_of(w);
            again->search.state.round = told;
            again->error = (cord_error){0};
            assert_int_equal(world_run(again), CORD_BAD_INPUT);
            assert_string_equal(again->error.message, w->error.message);
            assert_int_equal(again->n_rounds, 1 - told);
        }
        assert_true(again->rounds[0].beam[0].log_score == w->log_s0); /* the empty trajectory has S_0 */
        world_free(again);
        world_free(w);
    }
}

static double even_s0_cannot(struct world *w, cord_text reasoning) {
    (void)w, (void)reasoning;
    return (double)NAN;
}

static void a_meta_prover_that_cannot_take_the_prompt_ends_it(void **state) {
    (void)state;
    struct world *w = talking(1);
    w->score = even_s0_cannot;
    assert_int_equal(world_run(w), CORD_TOO_LONG);
    assert_string_equal(w->error.message, "teacher 4 cannot take it");
    assert_int_equal(w->n_started + w->n_rounds + w->n_ends, 0);
    world_free(w);
}

static void a_broken_engine_ends_it_at_once(void **state) {
    (void)state;
    for (int call = 1; call <= 6; call++) {
        struct world *w = talking(5);
        w->broken_call = call;
        assert_int_equal(world_run(w), CORD_INTERNAL);
        assert_string_equal(w->error.message, "the engine broke");
        assert_int_equal(w->calls, call);
        world_free(w);
    }
}

/* A candidate that only the network or this machine kept away would make another data set: the search ends, to be taken up
 * again. */
static void what_is_not_the_requests_own_ends_it(void **state) {
    (void)state;
    /* a server is not there; it refuses; its key has expired; memory is short; cord is wrong */
    static const cord_status away[] = {CORD_IO_ERROR, CORD_BAD_MODEL, CORD_REFUSED, CORD_NO_MEMORY, CORD_INTERNAL};
    enum { WAYS = sizeof away / sizeof *away };
    struct world *whole = talking(5);
    world_succeeds(whole);
    for (int i = 0; i < WAYS * whole->calls; i++) {
        struct world *w = talking(5);
        int call = w->away_call = i / WAYS + 1;
        w->away_code = away[i % WAYS];
        assert_int_equal(world_run(w), w->away_code);
        assert_non_null(strstr(w->error.message, "cannot take it"));
        assert_int_equal(w->calls, call);
        assert_int_equal(w->n_ends, 0);
        world_free(w);
    }
    world_free(whole);
}

static cord_status refuse_start(void *ctx, double log_s0, cord_text contrast, const struct spoken *spoken, int n,
                                cord_error *err) {
    (void)ctx, (void)log_s0, (void)contrast, (void)spoken, (void)n;
    return error_set(err, CORD_IO_ERROR, "start");
}

static cord_status refuse_round(void *ctx, const struct round *round, cord_error *err) {
    (void)ctx;
    return round->number < 2 ? CORD_OK : error_set(err, CORD_IO_ERROR, "round");
}

static cord_status refuse_end(void *ctx, const struct answered *finished, int n, cord_error *err) {
    (void)ctx, (void)finished, (void)n;
    return error_set(err, CORD_IO_ERROR, "end");
}

static void what_the_observer_refuses_ends_it_at_once(void **state) {
    (void)state;
    const struct observer observers[] = {
        {.started = refuse_start}, {.round = refuse_round}, {.finished = refuse_end}, {0}};
    static const char *const why[] = {"start", "round", "end", ""};
    struct world *whole = talking(5);
    world_succeeds(whole);
    assert_true(whole->n_rounds > 2);
    const int calls[] = {1, 5, whole->calls, whole->calls}; /* with no observer at all the search is the same */
    for (int i = 0; i < 4; i++) {
        struct world *w = talking(5);
        w->search.observer = &observers[i];
        assert_int_equal(world_run(w), i < 3 ? CORD_IO_ERROR : CORD_OK);
        assert_string_equal(w->error.message, why[i]);
        assert_int_equal(w->calls, calls[i]);
        world_free(w);
    }
    world_free(whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_anywhere_it_ends_the_same),
        cmocka_unit_test(with_other_settings_it_ends),
        cmocka_unit_test(a_teacher_that_cannot_take_the_prompt_is_left_out),
        cmocka_unit_test(without_a_first_step_there_is_no_search),
        cmocka_unit_test(a_meta_prover_that_cannot_take_the_prompt_ends_it),
        cmocka_unit_test(a_broken_engine_ends_it_at_once),
        cmocka_unit_test(what_is_not_the_requests_own_ends_it),
        cmocka_unit_test(what_the_observer_refuses_ends_it_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
