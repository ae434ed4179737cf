/* test_curation.c - complete traces and several runs against what they must be, done another way: a trace is what its
 * teacher says when it is asked for one step after another; the best is found by looking at all; runs are searches of
 * their own. */
#include "script.h"

/* All that teachers do, by the hash of what they were asked: steps, cuts, ends of both kinds with and without a text,
 * and now and then nothing, the same over and over, or a failure. */
static void talk(struct world *w, const struct asked *asked, struct said *said) {
    unsigned id = (unsigned)(seed_text(seed_mix(w->script, asked->seed), asked->reasoning) >> 40);
    if (asked->answer)
        say(said, STEP_TURN, "%u}", 40 + (unsigned)(seed_text(w->script, asked->reasoning) >> 40) % 4);
    else if (id % 16 < 8)
        say(said, STEP_NEXT, " Plain%u.\n", id);
    else if (id % 16 == 8)
        say(said, STEP_CUT, " cut%u \n", id);
    else if (id % 16 == 9)
        say(said, STEP_CLOSED, " Done%u.", id);
    else if (id % 16 == 10)
        say(said, STEP_CLOSED, "%s", "");
    else if (id % 16 == 11)
        say(said, STEP_TURN, " Over%u.", id);
    else if (id % 16 == 12)
        say(said, STEP_NEXT, " ");
    else if (id % 16 == 13)
        say(said, STEP_NEXT, " again%u\n again%u\n again%u\n again%u\n", id, id, id, id);
    else if (id % 16 == 14)
        say(said, STEP_TURN, " ");
}

/* Few values, so that there are ties. */
static double judge(struct world *w, cord_text reasoning) {
    return -(double)(seed_text(w->script, reasoning) % 16) / 8;
}

static struct world *talking(uint64_t script, enum search_strategy strategy, int n_teachers, int runs) {
    struct world *w = world_new(n_teachers, 1);
    w->script = script;
    w->reply = talk;
    w->score = judge;
    w->settings.strategy = strategy;
    w->settings.runs = runs;
    w->settings.think_tokens = 60;
    return w;
}

/* Whether a search came to its end; else no trace had a first step. */
static bool ends(struct world *w) {
    if (world_run(w) == CORD_OK) return true;
    assert_int_equal(w->error.code, CORD_BAD_INPUT);
    assert_non_null(strstr(w->error.message, "no first step"));
    return false;
}

static const struct round *last_round(const struct world *w) { return &w->rounds[w->n_rounds - 1]; }

/* ---- traces -------------------------------------------------------------------------------------------------- */

/* The seed of a trace's step in a round, as the documentation says it is made. */
static uint64_t seed_of(const struct world *w, int round, int teacher, int run) {
    uint64_t seed = seed_text(w->settings.seed, w->search.question.id);
    if (run) seed = seed_mix(seed_mix(seed, UINT64_MAX - 2), (uint64_t)run);
    return seed_mix(seed_mix(seed_mix(seed_mix(seed, (uint64_t)round), 0), (uint64_t)teacher), 0);
}

/* What a teacher writes when it is simply asked for one step after another. NULL where it does not begin. */
static char *written_alone(struct world *w, int teacher, int run, enum finish *finish) {
    char *text = arena_printf(&w->arena, "%s", "");
    bool cut = false;
    *finish = GROWING;
    for (int round = 1, step = 1; *finish == GROWING; round++) {
        char *opened = cut ? text : arena_printf(&w->arena, "%s%s### Step %d.", text, *text ? "\n\n" : "", step++);
        struct asked asked = {
            .teacher = teacher, .reasoning = text_of(opened), .seed = seed_of(w, round, teacher, run)};
        struct said said = {0};
        talk(w, &asked, &said);
        bool blank = !said.text || text_trim(text_of(said.text)).len == 0;
        bool closes = said.text && (said.end == STEP_CLOSED || said.end == STEP_TURN);
        bool whole = said.text && cut && blank && said.end == STEP_NEXT; /* the cut step had been whole */
        bool nothing = !whole && (blank || strstr(said.text, " again"));
        if (!nothing) text = arena_printf(&w->arena, "%s%s", opened, said.text);
        if (!nothing && said.end != STEP_CUT) text[text_trim_end(text_of(text)).len] = 0;
        if (closes)
            *finish = said.end == STEP_TURN ? FINISHED_TURN : FINISHED_CLOSED;
        else if (nothing)
            *finish = FINISHED_EXHAUSTED;
        else if (words_of(text_of(text)) >= w->settings.think_tokens)
            *finish = FINISHED_BUDGET;
        cut = said.end == STEP_CUT;
        free(said.text);
    }
    return *text ? text : NULL;
}

/* All traces are there, in the order of their teachers and runs, and each is what its teacher writes alone. */
static void check_traces(struct world *w, int seen[FINISHED_EXHAUSTED + 1]) {
    const struct round *last = last_round(w);
    int at = 0;
    for (int k = 0; k < w->search.n_teachers; k++)
        for (int run = 0; run < w->settings.runs; run++) {
            enum finish finish;
            const char *text = written_alone(w, k, run, &finish);
            if (!text) continue;
            assert_true(at < last->n_beam);
            const struct trajectory *trace = &last->beam[at++];
            assert_true(text_equal(text_trim_end(trace->reasoning), text_trim_end(text_of(text))));
            assert_int_equal(trace->finish, finish);
            assert_int_equal(trace->author, k);
            assert_int_equal(trace->run, run);
            assert_true(trace->log_score == judge(w, text_trim_end(trace->reasoning)));
            for (const struct step *step = trace->last; step; step = step->previous) assert_int_equal(step->teacher, k);
            seen[finish]++;
        }
    assert_int_equal(at, last->n_beam);
}

/* Each is scored once, when it is complete, and nothing else is but the empty reasoning. Tokens are counted of all together. */
static void check_scoring(const struct world *w) {
    int scores = 0;
    assert_in_range(w->counts, 1, w->n_rounds);
    for (const char *at = w->log.data; (at = strstr(at, "\nscore ")); at++) scores++;
    scores += !strncmp(w->log.data, "score ", 6);
    assert_int_equal(scores, 1 + last_round(w)->n_beam);
    for (int r = 0; r < w->n_rounds; r++)
        for (int i = 0; i < w->rounds[r].n_candidates; i++) {
            const struct candidate *c = &w->rounds[r].candidates[i];
            bool complete = c->slot >= 0 && w->rounds[r].beam[c->slot].finish != GROWING;
            assert_int_equal(!isnan(c->log_score), complete && c->drop == DROP_NONE);
            assert_int_equal(c->rank, -1);
        }
}

/* The answers are those of all traces; none that is better stands behind one that is worse. */
static void check_order(const struct world *w, bool correct_first) {
    const struct round *last = last_round(w);
    assert_int_equal(w->n_finished, last->n_beam);
    double best = -HUGE_VAL;
    int correct = 0;
    for (int i = 0; i < w->n_finished; i++) correct += w->finished[i].grade == GRADE_CORRECT;
    for (int i = 0; i < last->n_beam; i++) { /* by looking at all */
        int same = 0;
        for (int j = 0; j < w->n_finished; j++) {
            const struct answered *a = &w->finished[j];
            bool own = a->trajectory.author == last->beam[i].author && a->trajectory.run == last->beam[i].run;
            same += own && text_equal(a->trajectory.reasoning, last->beam[i].reasoning);
            bool counts = own && (!correct_first || !correct || a->grade == GRADE_CORRECT);
            if (counts && last->beam[i].log_score > best) best = last->beam[i].log_score;
        }
        assert_int_equal(same, 1);
    }
    assert_true(w->finished[0].trajectory.log_score == best);
    if (correct_first && correct) assert_int_equal(w->finished[0].grade, GRADE_CORRECT);
    for (int i = 1; i < w->n_finished; i++) {
        bool before = w->finished[i - 1].grade == GRADE_CORRECT, now = w->finished[i].grade == GRADE_CORRECT;
        if (correct_first) assert_true(before || !now);
        if (!correct_first || before == now)
            assert_true(w->finished[i - 1].trajectory.log_score >= w->finished[i].trajectory.log_score);
    }
}

static void traces_are_written_alone_and_the_best_is_kept(void **state) {
    (void)state;
    int seen[FINISHED_EXHAUSTED + 1] = {0}, moved = 0, unstarted = 0;
    for (uint64_t script = 0; script < 400; script++) {
        int n_teachers = 1 + (int)(script % 4), runs = 1 + (int)(script / 4 % 5);
        struct world *w = talking(script, STRATEGY_CURATION, n_teachers, runs);
        struct world *r = talking(script, STRATEGY_REJECTION, n_teachers, runs);
        w->settings.think_tokens = r->settings.think_tokens = script % 3 ? 60 : 12;
        if (!ends(w)) {
            assert_false(ends(r));
            unstarted++;
        } else {
            assert_true(ends(r));
            check_traces(w, seen);
            check_scoring(w);
            check_order(w, false);
            check_order(r, true);
            size_t rounds = w->told; /* they differ in the order of the answers alone */
            assert_int_equal(rounds, r->told);
            assert_memory_equal(w->log.data, r->log.data, rounds);
            moved += w->finished[0].grade != GRADE_CORRECT && r->finished[0].grade == GRADE_CORRECT;
        }
        world_free(w);
        world_free(r);
    }
    for (int i = FINISHED_CLOSED; i <= FINISHED_EXHAUSTED; i++) assert_true(seen[i] > 20);
    assert_true(moved > 20 && unstarted > 5);
}

/* One teacher and one trace: plain sampling, which is also a beam of 1. */
static void one_trace_is_plain_sampling(void **state) {
    (void)state;
    int ended = 0;
    for (uint64_t script = 0; script < 100; script++) {
        struct world *w = talking(script, STRATEGY_CURATION, 1, 1), *greedy = talking(script, STRATEGY_GREEDY, 1, 1);
        bool ends_too = ends(greedy);
        assert_int_equal(ends(w), ends_too);
        if (ends_too) {
            const struct answered *a = &w->finished[0], *b = &greedy->finished[0];
            assert_true(text_equal(a->trajectory.reasoning, b->trajectory.reasoning));
            assert_true(text_equal(a->reply, b->reply) && a->trajectory.log_score == b->trajectory.log_score);
            assert_int_equal(a->trajectory.finish, b->trajectory.finish);
            assert_int_equal(w->n_rounds, greedy->n_rounds);
            ended++;
        }
        world_free(greedy);
        world_free(w);
    }
    assert_true(ended > 50);
}

static bool same_answers(const struct world *w, const struct world *others) {
    int same = 0;
    for (int i = 0; i < w->n_finished; i++)
        for (int j = 0; j < others->n_finished; j++) {
            const struct answered *a = &w->finished[i], *b = &others->finished[j];
            bool own = a->trajectory.run == b->trajectory.run && a->trajectory.author == b->trajectory.author;
            same += own && text_equal(a->reply, b->reply);
        }
    return same == w->n_finished;
}

/* The answer says what its seed was. */
static void talk_of_seeds(struct world *w, const struct asked *asked, struct said *said) {
    if (asked->answer)
        say(said, STEP_TURN, "%llu}", (unsigned long long)asked->seed);
    else
        talk(w, asked, said);
}

/* Traces depend on nothing but teacher, run and seed, and so do their answers. */
static void eight_traces_hold_the_four(void **state) {
    (void)state;
    struct world *four = talking(5, STRATEGY_CURATION, 2, 4), *eight = talking(5, STRATEGY_CURATION, 2, 8);
    four->reply = eight->reply = talk_of_seeds;
    assert_true(ends(four) && ends(eight));
    assert_true(same_answers(four, eight));
    const struct round *a = last_round(four), *b = last_round(eight);
    for (int i = 0; i < a->n_beam; i++) {
        int found = 0;
        for (int j = 0; j < b->n_beam; j++)
            found += a->beam[i].run == b->beam[j].run && a->beam[i].author == b->beam[j].author &&
                     text_equal(a->beam[i].reasoning, b->beam[j].reasoning);
        assert_int_equal(found, 1);
    }
    assert_true(a->n_beam > 4 && b->n_beam > a->n_beam);
    world_free(eight);
    world_free(four);
}

static double cannot_score_it(struct world *w, cord_text reasoning) {
    bool unlucky = seed_text(w->script, reasoning) % 2 || w->settings.seed == 9;
    return reasoning.len && unlucky ? (double)NAN : judge(w, reasoning);
}

/* What cannot be scored comes last, and is told; where that is all, the problem fails. */
static void what_cannot_be_scored_comes_last(void **state) {
    (void)state;
    int unscored = 0, noted = 0;
    for (uint64_t script = 0; script < 20; script++) {
        struct world *w = talking(script, STRATEGY_CURATION, 3, 4);
        w->score = cannot_score_it;
        world_succeeds(w);
        for (int i = 1; i < w->n_finished; i++) {
            double before = w->finished[i - 1].trajectory.log_score, now = w->finished[i].trajectory.log_score;
            assert_true(isnan(now) || before >= now);
            unscored += isnan(now);
        }
        assert_false(isnan(w->finished[0].trajectory.log_score));
        for (int r = 0; r < w->n_rounds; r++) noted += w->rounds[r].note && strstr(w->rounds[r].note, "not scored");
        world_free(w);
    }
    if (unscored < 20 || noted < 10) fail_msg("%d traces were not scored, in %d rounds", unscored, noted);
    struct world *w = talking(1, STRATEGY_REJECTION, 3, 4);
    w->score = cannot_score_it;
    w->settings.seed = 9;
    assert_int_equal(world_run(w), CORD_BAD_INPUT);
    assert_string_equal(w->error.message, "no complete trace could be scored");
    world_free(w);
}

/* ---- whole traces -------------------------------------------------------------------------------------------- */

/* What a teacher may write in one go, and what that must be: the text that is kept, its steps, and how it stands. */
static const struct whole {
    const char *written; /* NULL: it failed */
    enum step_end end;
    const char *kept, *steps[3];
    enum finish finish;
    enum step_drop drop;
} wholes[] = {
    {" One.\n\n### Step 2. Two.\n\nStill two.\n\n### Step 3. Three.\n",
     STEP_CLOSED,
     "### Step 1. One.\n\n### Step 2. Two.\n\nStill two.\n\n### Step 3. Three.",
     {"One.", "Two.\n\nStill two.", "Three."},
     FINISHED_CLOSED,
     DROP_NONE},
    {" Only one.", STEP_CLOSED, "### Step 1. Only one.", {"Only one."}, FINISHED_CLOSED, DROP_NONE},
    {" One.\n### Step 7: Two",
     STEP_TURN,
     "### Step 1. One.\n### Step 7: Two",
     {"One.", "Two"},
     FINISHED_TURN,
     DROP_NONE},
    {" One.\n\n### Step 2. Two and a ha",
     STEP_CUT,
     "### Step 1. One.\n\n### Step 2. Two and a ha",
     {"One.", "Two and a ha"},
     FINISHED_BUDGET,
     DROP_NONE},
    {" One.\n\n### St", STEP_CUT, "### Step 1. One.", {"One."}, FINISHED_BUDGET, DROP_NONE},
    {" \n", STEP_CLOSED, NULL, {NULL}, GROWING, DROP_EMPTY},
    {" again\n again\n again\n again\n", STEP_CUT, NULL, {NULL}, GROWING, DROP_DEGENERATE},
    {NULL, STEP_CUT, NULL, {NULL}, GROWING, DROP_FAILED},
};
enum { WHOLES = sizeof wholes / sizeof *wholes };

static const struct whole *whole_of(const struct world *w, uint64_t seed) {
    return &wholes[(seed_mix(w->script, seed) >> 40) % WHOLES];
}

static void talk_on(struct world *w, const struct asked *asked, struct said *said) {
    if (asked->answer) {
        talk(w, asked, said);
        return;
    }
    const struct whole *whole = whole_of(w, asked->seed);
    assert_true(asked->whole);
    assert_text(asked->reasoning, "### Step 1.");
    assert_int_equal(asked->max_tokens, w->settings.think_tokens);
    if (whole->written) say(said, whole->end, "%s", whole->written);
}

static struct world *talking_on(uint64_t script, enum search_strategy strategy, int n_teachers, int runs) {
    struct world *w = talking(script, strategy, n_teachers, runs);
    w->reply = talk_on;
    w->settings.whole_traces = true;
    w->settings.step_tokens = 3;
    return w;
}

static void check_steps(const struct trajectory *trace, const struct whole *whole) {
    int n = 0;
    while (n < 3 && whole->steps[n]) n++;
    assert_int_equal(trace->n_steps, n);
    for (const struct step *step = trace->last; step; step = step->previous) {
        assert_text(step->text, whole->steps[--n]);
        assert_int_equal(step->teacher, trace->author);
        assert_int_equal(step->round, 1);
        assert_false(step->cut);
    }
    assert_int_equal(n, 0);
}

/* Each teacher is asked once for each trace, and what it wrote is kept as it is, or dropped. */
static void check_wholes(struct world *w, int seen[WHOLES]) {
    const struct round *round = &w->rounds[0];
    int at = 0, asked = w->search.n_teachers * w->settings.runs;
    assert_int_equal(w->n_rounds, 1);
    assert_int_equal(round->n_candidates, asked);
    for (int i = 0; i < asked; i++) {
        const struct candidate *c = &round->candidates[i];
        const struct whole *whole = whole_of(w, seed_of(w, 1, i / w->settings.runs, i % w->settings.runs));
        seen[whole - wholes]++;
        assert_int_equal(c->drop, whole->drop);
        if (whole->drop != DROP_NONE) continue;
        assert_true(at < round->n_beam);
        const struct trajectory *trace = &round->beam[at];
        assert_int_equal(c->slot, at++);
        assert_text(trace->reasoning, whole->kept);
        assert_int_equal(trace->finish, whole->finish);
        assert_true(trace->author == i / w->settings.runs && trace->run == i % w->settings.runs);
        assert_true(trace->log_score == judge(w, trace->reasoning));
        check_steps(trace, whole);
    }
    assert_int_equal(at, round->n_beam);
}

static void whole_traces_are_one_request_each(void **state) {
    (void)state;
    int seen[WHOLES] = {0}, unstarted = 0;
    for (uint64_t script = 0; script < 200; script++) {
        int n_teachers = 1 + (int)(script % 3), runs = 1 + (int)(script / 3 % 5);
        struct world *w = talking_on(script, STRATEGY_CURATION, n_teachers, runs);
        struct world *r = talking_on(script, STRATEGY_REJECTION, n_teachers, runs);
        if (!ends(w)) {
            assert_false(ends(r));
            unstarted++;
        } else {
            assert_true(ends(r));
            check_wholes(w, seen);
            check_scoring(w);
            check_order(w, false);
            check_order(r, true);
        }
        world_free(w);
        world_free(r);
    }
    for (int i = 0; i < WHOLES; i++) assert_true(seen[i] > 20);
    assert_true(unstarted > 5);
}

/* What a trace says hangs on its teacher, its run and the seed, and so do its answers. */
static void eight_whole_traces_hold_the_four(void **state) {
    (void)state;
    struct world *four = talking_on(5, STRATEGY_CURATION, 2, 4), *eight = talking_on(5, STRATEGY_CURATION, 2, 8);
    assert_true(ends(four) && ends(eight));
    int same = 0;
    for (int i = 0; i < four->rounds[0].n_candidates; i++) {
        const struct candidate *c = &four->rounds[0].candidates[i],
                               *d = &eight->rounds[0].candidates[i / 4 * 8 + i % 4];
        assert_true(c->teacher == d->teacher && c->run == d->run && c->seed == d->seed && c->drop == d->drop);
        same += text_equal(c->reasoning, d->reasoning);
    }
    assert_int_equal(same, 8);
    assert_true(same_answers(four, eight));
    world_free(eight);
    world_free(four);
}

/* Set over a run that has begun step by step, the key changes nothing of the traces there are: they go on as they began. */
static void traces_that_have_begun_go_on_by_steps(void **state) {
    (void)state;
    struct world *whole = talking(3, STRATEGY_CURATION, 2, 3), *first = talking(3, STRATEGY_CURATION, 2, 3),
                 *second = talking(3, STRATEGY_CURATION, 2, 3);
    assert_true(ends(whole) && whole->n_rounds > 2);
    first->cancel_call = 4;
    assert_int_equal(world_run(first), CORD_CANCELLED);
    const struct round *last = last_round(first);
    second->search.state = (struct search_state){
        .started = true, .log_s0 = first->log_s0, .round = first->n_rounds, .beam = last->beam, .n_beam = last->n_beam};
    second->settings.whole_traces = true;
    assert_true(ends(second));
    assert_string_equal(second->log.data, whole->log.data + first->told);
    world_free(second);
    world_free(first);
    world_free(whole);
}

/* ---- runs ---------------------------------------------------------------------------------------------------- */

/* What a run has in a beam. */
static int part_of(const struct round *round, int run, const struct trajectory **first) {
    int n = 0;
    for (int i = 0; i < round->n_beam; i++)
        if (round->beam[i].run == run && n++ == 0) *first = &round->beam[i];
    return n;
}

/* The first of several runs is, round by round, what it is alone; and the others are as much searches of their own: greedy
 * runs of one teacher are the traces that curation has. */
static void runs_are_searches_of_their_own(void **state) {
    (void)state;
    int compared = 0, first_is_best = 0, ended = 0;
    for (uint64_t script = 0; script < 120; script++) {
        struct world *one = talking(script, STRATEGY_CORD, 3, 1), *three = talking(script, STRATEGY_CORD, 3, 3);
        one->settings.beam = three->settings.beam = 1 + (int)(script % 3);
        one->settings.stop_at_first_finished = three->settings.stop_at_first_finished = script % 5 == 0;
        one->settings.tie_within_noise = three->settings.tie_within_noise = script % 4 == 0;
        bool begins = ends(one);
        if (begins) assert_true(ends(three) && one->n_rounds <= three->n_rounds);
        for (int r = 0; begins && r < three->n_rounds; r++) {
            const struct round *alone = &one->rounds[r < one->n_rounds ? r : one->n_rounds - 1];
            const struct trajectory *first = three->rounds[r].beam;
            assert_int_equal(part_of(&three->rounds[r], 0, &first), alone->n_beam);
            for (int i = 0; i < alone->n_beam; i++) {
                const struct trajectory *a = &first[i], *b = &alone->beam[i];
                assert_true(text_equal(a->reasoning, b->reasoning) && a->log_score == b->log_score);
                assert_true(a->finish == b->finish && a->author == b->author && a->n_steps == b->n_steps);
                compared++;
            }
        }
        double noise = three->settings.tie_within_noise ? 0.25 : 0;
        for (int i = 0; begins && i < three->n_finished; i++)
            assert_true(three->finished[0].trajectory.log_score >= three->finished[i].trajectory.log_score - noise);
        first_is_best += begins && three->finished[0].trajectory.run == 0;
        ended += begins;
        world_free(three);
        world_free(one);
    }
    assert_true(compared > 500 && first_is_best > 10 && first_is_best < ended - 10);
}

static void greedy_runs_of_one_teacher_are_its_traces(void **state) {
    (void)state;
    int same = 0;
    for (uint64_t script = 0; script < 50; script++) {
        struct world *w = talking(script, STRATEGY_CURATION, 1, 4), *greedy = talking(script, STRATEGY_GREEDY, 1, 4);
        bool both = ends(greedy);
        assert_int_equal(ends(w), both);
        for (int i = 0; both && i < last_round(w)->n_beam; i++, same++) {
            assert_int_equal(last_round(w)->n_beam, last_round(greedy)->n_beam);
            const struct trajectory *a = &last_round(w)->beam[i], *b = &last_round(greedy)->beam[i];
            assert_true(text_equal(a->reasoning, b->reasoning) && a->log_score == b->log_score);
            assert_true(a->finish == b->finish && a->run == b->run);
        }
        for (int i = 0; both && i < w->n_finished; i++)
            assert_true(text_equal(w->finished[i].trajectory.reasoning, greedy->finished[i].trajectory.reasoning));
        world_free(greedy);
        world_free(w);
    }
    assert_true(same > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_are_written_alone_and_the_best_is_kept),
        cmocka_unit_test(one_trace_is_plain_sampling),
        cmocka_unit_test(eight_traces_hold_the_four),
        cmocka_unit_test(what_cannot_be_scored_comes_last),
        cmocka_unit_test(whole_traces_are_one_request_each),
        cmocka_unit_test(eight_whole_traces_hold_the_four),
        cmocka_unit_test(traces_that_have_begun_go_on_by_steps),
        cmocka_unit_test(runs_are_searches_of_their_own),
        cmocka_unit_test(greedy_runs_of_one_teacher_are_its_traces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
