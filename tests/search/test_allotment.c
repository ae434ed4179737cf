/* test_allotment.c - adaptive numbers of proposals against the rules, applied to what the observer was told. */
#include "script.h"

static void talk(struct world *w, const struct asked *asked, struct said *said) {
    unsigned id = (unsigned)(seed_text(seed_mix(w->script, asked->seed), asked->reasoning) >> 40);
    if (asked->answer)
        say(said, STEP_TURN, "%u}", 40 + id % 4);
    else if (id % 24 == 0)
        say(said, STEP_CLOSED, " Done%u.", id);
    else if (id % 24 == 1)
        say(said, STEP_CUT, " cut%u \n", id);
    else
        say(said, STEP_NEXT, " Teacher%d says %u.\n", asked->teacher, id);
}

/* What the last teacher wrote is seldom worth anything; scores rise towards 1. */
static double judge(struct world *w, cord_text reasoning) {
    uint64_t id = seed_text(w->script, reasoning) >> 20;
    bool weak = w->script % 2 && has(reasoning, "Teacher2") && id % 16;
    double most = weak ? 6 : 12.0 / (4 + words_of(reasoning));
    return -most * (double)(id % 8) / 8;
}

static struct world *asking(uint64_t script, int beam, int runs) {
    struct world *w = world_new(3, beam);
    w->script = script;
    w->reply = talk;
    w->score = judge;
    w->settings.runs = runs;
    w->settings.think_tokens = 80;
    w->settings.adaptive = true;
    w->settings.agreement = 0.2;
    w->settings.patience = 3;
    w->search.seldom = script % 2 ? 1 << 1 : 0;
    return w;
}

enum rule { EVERYBODY, SELDOM, TRIED_AGAIN, BEST_ALONE, NOT_THE_BEST, OVER, RULES };

/* Whether a teacher that is asked seldom is asked in this round: the hash says in which of three. */
static bool is_turn(const struct world *w, int round) {
    return (seed_text(w->settings.seed, w->search.question.id) % 3 + (uint64_t)round) % 3 == 0;
}

/* The rule by which a teacher is asked, or not, for a growing place of the beam after round `r` (from 0). */
static bool is_asked(const struct world *w, int r, int slot, int teacher, enum rule *rule) {
    const struct round *round = &w->rounds[r];
    const struct trajectory *own = &round->beam[slot];
    int others = 0, finished = 0, better = 0;
    double worst = INFINITY, best = -INFINITY;
    for (int i = 0; i < round->n_beam; i++) {
        const struct trajectory *t = &round->beam[i];
        if (t->run != own->run) continue;
        others += i != slot;
        finished += t->finish != GROWING;
        better += i < slot;
        best = fmax(best, t->log_score);
        worst = fmin(worst, t->log_score);
    }
    bool agreed = others && best - worst <= w->settings.agreement; /* false where both are -INFINITY */
    bool seldom = w->search.seldom >> teacher & 1;
    *rule = agreed && finished             ? OVER
            : agreed && better             ? NOT_THE_BEST
            : seldom && !is_turn(w, r + 2) ? SELDOM
            : seldom                       ? TRIED_AGAIN
            : agreed                       ? BEST_ALONE
                                           : EVERYBODY;
    return *rule == EVERYBODY || *rule == TRIED_AGAIN || *rule == BEST_ALONE;
}

static int check_round(const struct world *w, int r, int rules[RULES]) {
    const struct round *before = &w->rounds[r - 1], *now = &w->rounds[r];
    int expected = 0;
    for (int i = 0; i < before->n_beam; i++)
        for (int k = 0; k < w->search.n_teachers; k++) {
            enum rule rule;
            int asked = 0;
            for (int c = 0; c < now->n_candidates; c++)
                asked += now->candidates[c].parent == i && now->candidates[c].teacher == k;
            if (before->beam[i].finish != GROWING) {
                assert_int_equal(asked, 0);
                continue;
            }
            assert_int_equal(asked, is_asked(w, r - 1, i, k, &rule));
            expected += asked;
            rules[rule]++;
        }
    return expected;
}

/* Where all that a run holds agree and one of it is finished, nobody is asked: the search may end there, too. */
static bool is_over(const struct world *w, int slot) {
    enum rule rule = EVERYBODY;
    const struct trajectory *t = &w->rounds[w->n_rounds - 1].beam[slot];
    return t->finish != GROWING || (is_asked(w, w->n_rounds - 1, slot, 0, &rule), rule == OVER);
}

static void the_rules_say_who_is_asked(void **state) {
    (void)state;
    int rules[RULES] = {0}, cut_short = 0, firsts = 0;
    for (uint64_t script = 0; script < 120; script++) {
        struct world *w = asking(script, script % 4 ? 3 : 1, 1 + (int)(script % 3));
        w->settings.seed = script;
        world_succeeds(w);
        int teachers = script % 2 && !is_turn(w, 1) ? 2 : 3;
        firsts += script % 2 && teachers == 3;
        assert_int_equal(w->rounds[0].n_candidates, teachers * w->settings.beam * w->settings.runs);
        for (int r = 1; r < w->n_rounds; r++) assert_int_equal(check_round(w, r, rules), w->rounds[r].n_candidates);
        const struct round *last = &w->rounds[w->n_rounds - 1];
        for (int i = 0; i < last->n_beam; i++) {
            assert_true(is_over(w, i));
            cut_short += last->beam[i].finish == GROWING;
        }
        world_free(w);
    }
    for (int i = 0; i < RULES; i++)
        if (rules[i] <= 30) fail_msg("rule %d: %d times", i, rules[i]);
    assert_true(cut_short > 30);
    assert_in_range(firsts, 10, 30); /* of 60 */
}

/* What is saved: where scores say nothing any more, a round asks as many teachers as there are, not that times the beam. */
static double judge_sure(struct world *w, cord_text reasoning) {
    (void)w;
    return -0.001 * (double)(reasoning.len % 7);
}

static void a_beam_that_agrees_costs_what_one_place_does(void **state) {
    (void)state;
    for (uint64_t script = 0; script < 40; script += 2) {
        struct world *w = asking(script, 4, 1);
        w->score = judge_sure;
        world_succeeds(w);
        assert_int_equal(w->rounds[0].n_candidates, 12);
        for (int r = 1; r < w->n_rounds; r++) assert_true(w->rounds[r].n_candidates <= 3);
        world_free(w);
    }
}

static double judge_nothing(struct world *w, cord_text reasoning) {
    (void)w, (void)reasoning;
    return -INFINITY;
}

/* Scores of 0, of which a judge gives many, are no agreement: the next step of another may be the first that is worth anything. */
static void scores_of_nothing_do_not_agree(void **state) {
    (void)state;
    int rules[RULES] = {0};
    for (uint64_t script = 0; script < 20; script += 2) {
        struct world *w = asking(script, 3, 1);
        w->score = judge_nothing;
        world_succeeds(w);
        for (int r = 1; r < w->n_rounds; r++) assert_int_equal(check_round(w, r, rules), w->rounds[r].n_candidates);
        world_free(w);
    }
    assert_true(rules[EVERYBODY] > 30);
    for (int i = 1; i < RULES; i++) assert_int_equal(rules[i], 0);
}

/* No two are the same, and none is 0. */
static double judge_apart(struct world *w, cord_text reasoning) {
    return judge(w, reasoning) - 0.001 - (double)(seed_text(w->script, reasoning) >> 11) * 0x1p-53;
}

/* Where nothing agrees and nobody is ever idle, it is the paper's search. */
static void without_a_reason_all_are_asked(void **state) {
    (void)state;
    struct world *all = asking(5, 3, 1), *adaptive = asking(5, 3, 1);
    all->score = adaptive->score = judge_apart;
    all->settings.adaptive = false;
    adaptive->settings.agreement = 0;
    adaptive->search.seldom = 0;
    world_succeeds(all);
    world_succeeds(adaptive);
    assert_string_equal(all->log.data, adaptive->log.data);
    world_free(all);
    world_free(adaptive);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_say_who_is_asked),
        cmocka_unit_test(a_beam_that_agrees_costs_what_one_place_does),
        cmocka_unit_test(scores_of_nothing_do_not_agree),
        cmocka_unit_test(without_a_reason_all_are_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
