/* test_allotment.c - adaptive numbers of proposals against the rules, applied to what the observer was told: paths are followed
 * back through the beams, not through the search's own steps. */
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
    return w;
}

enum rule { EVERYBODY, SETTLED, AGREED, IDLE, TRIED_AGAIN, RULES };

/* Whether the path to a place of the beam after round `r` (from 0) has a step of this teacher in one of the last `n` rounds. */
static bool wrote(const struct world *w, int r, int slot, int teacher, int n) {
    for (; r >= 0 && n > 0; r--, n--) {
        const struct trajectory *t = &w->rounds[r].beam[slot];
        const struct candidate *c = t->candidate >= 0 ? &w->rounds[r].candidates[t->candidate] : NULL;
        if (c && !c->finishes_parent && c->teacher == teacher) return true;
        slot = t->from;
    }
    return false;
}

/* The rule by which a teacher is asked, or not, for a growing place of the beam after round `r`. */
static bool is_asked(const struct world *w, int r, int slot, int teacher, enum rule *rule) {
    const struct round *round = &w->rounds[r];
    const struct trajectory *own = &round->beam[slot];
    int others = 0, far = 0, patience = w->settings.patience;
    bool won = false;
    for (int i = 0; i < round->n_beam; i++) {
        if (round->beam[i].run != own->run) continue;
        others += i != slot;
        far += !(fabs(round->beam[i].log_score - own->log_score) <= w->settings.agreement);
        won |= wrote(w, r, i, teacher, patience);
    }
    bool settled = shows_likelihoods(criterion_of(&w->search)) && own->log_score >= -w->settings.agreement;
    bool early = r + 1 < patience;
    *rule = (r + 2) % patience == 0 ? TRIED_AGAIN
            : settled               ? SETTLED
            : others && !far        ? AGREED
            : won || early          ? EVERYBODY
                                    : IDLE;
    if (*rule == SETTLED || *rule == AGREED) return teacher == own->author;
    return *rule != IDLE;
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

static void the_rules_say_who_is_asked(void **state) {
    (void)state;
    int rules[RULES] = {0};
    for (uint64_t script = 0; script < 60; script++) {
        struct world *w = asking(script, script % 4 ? 3 : 1, 1 + (int)(script % 3));
        world_succeeds(w);
        assert_int_equal(w->rounds[0].n_candidates, 3 * w->settings.beam * w->settings.runs);
        for (int r = 1; r < w->n_rounds; r++) assert_int_equal(check_round(w, r, rules), w->rounds[r].n_candidates);
        world_free(w);
    }
    for (int i = 0; i < RULES; i++) assert_true(rules[i] > 30);
}

static double judge_nothing(struct world *w, cord_text reasoning) {
    (void)w, (void)reasoning;
    return -INFINITY;
}

/* Scores of 0, of which a judge gives many, are no agreement: the next step of another may be the first that is worth anything. */
static void scores_of_nothing_do_not_agree(void **state) {
    (void)state;
    int rules[RULES] = {0};
    for (uint64_t script = 0; script < 20; script++) {
        struct world *w = asking(script, 3, 1);
        w->score = judge_nothing;
        world_succeeds(w);
        for (int r = 1; r < w->n_rounds; r++) assert_int_equal(check_round(w, r, rules), w->rounds[r].n_candidates);
        world_free(w);
    }
    assert_true(!rules[AGREED] && rules[EVERYBODY] > 30);
}

/* Of scores that are no likelihoods of the answer, none is settled. */
static void without_likelihoods_none_is_settled(void **state) {
    (void)state;
    int rules[RULES] = {0};
    for (uint64_t script = 0; script < 20; script++) {
        struct world *w = asking(script, 3, 1);
        w->settings.criterion = criteria[2];
        w->settings.agreement = 0.01;
        assert_string_equal(w->settings.criterion->name, "longest");
        world_succeeds(w);
        for (int r = 1; r < w->n_rounds; r++) check_round(w, r, rules);
        world_free(w);
    }
    assert_true(!rules[SETTLED] && rules[EVERYBODY] > 30);
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
    adaptive->settings.patience = ROUNDS;
    world_succeeds(all);
    world_succeeds(adaptive);
    assert_string_equal(all->log.data, adaptive->log.data);
    world_free(all);
    world_free(adaptive);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_say_who_is_asked),
        cmocka_unit_test(scores_of_nothing_do_not_agree),
        cmocka_unit_test(without_likelihoods_none_is_settled),
        cmocka_unit_test(without_a_reason_all_are_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
