/* test_ties.c - ties are broken by a seeded hash: no teacher profits from where it stands in the list, nor does who was
 * in the beam before. Each test plays many small searches and asks of each outcome that it comes as often as chance
 * would have it, within five standard deviations (once in 1.7 million by chance; and the seeds are fixed). */
#include "script.h"

enum { SEARCHES = 3000 };

static void assert_chance(int count, double p) {
    double mean = SEARCHES * p, sigma = sqrt(SEARCHES * p * (1 - p));
    if (fabs(count - mean) > 5 * sigma) fail_msg("%d of %d, want %.0f +- %.0f", count, SEARCHES, mean, 5 * sigma);
}

static double all_alike(struct world *w, cord_text reasoning) {
    (void)w, (void)reasoning;
    return -1;
}

/* Plays one search of three teachers; `seed` differs from one to the next. */
static struct world *play(int beam, int seed, void (*reply)(struct world *, const struct asked *, struct said *),
                          double (*score)(struct world *, cord_text), bool within_noise) {
    struct world *w = world_new(3, beam);
    w->reply = reply;
    w->score = score;
    w->settings.seed = (uint64_t)seed;
    w->settings.tie_within_noise = within_noise;
    world_succeeds(w);
    return w;
}

/* ---- equal scores -------------------------------------------------------------------------------------------- */

static void each_its_own(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    say(said, STEP_CLOSED, " Teacher%d.", asked->teacher);
}

static void equal_scores_give_equal_chances(void **state) {
    (void)state;
    int won[3] = {0};
    for (int i = 0; i < SEARCHES; i++) {
        struct world *w = play(1, i, each_its_own, all_alike, false);
        won[w->finished[0].trajectory.author]++;
        world_free(w);
    }
    for (int k = 0; k < 3; k++) assert_chance(won[k], 1.0 / 3);
}

static void all_say_the_same(struct world *w, const struct asked *asked, struct said *said) {
    (void)w, (void)asked;
    say(said, STEP_CLOSED, " The same.");
}

/* Who said it first is nobody's merit: any of the siblings may be the one that stays, and then writes the answer. */
static void doubles_are_anybodys(void **state) {
    (void)state;
    int won[3] = {0};
    for (int i = 0; i < SEARCHES; i++) {
        struct world *w = play(1, i, all_say_the_same, all_alike, false);
        assert_int_equal(w->n_scored, 1);
        won[w->finished[0].trajectory.author]++;
        world_free(w);
    }
    for (int k = 0; k < 3; k++) assert_chance(won[k], 1.0 / 3);
}

/* First teacher 0 alone, then all three want to stop there. */
static void all_want_to_close(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    if (has(asked->reasoning, "### Step 2."))
        say(said, asked->teacher == 1 ? STEP_TURN : STEP_CLOSED, "\n");
    else if (asked->teacher == 0)
        say(said, STEP_NEXT, " Begin.");
}

static void votes_to_close_count_once_and_the_hash_picks_the_author(void **state) {
    (void)state;
    int won[3] = {0};
    for (int i = 0; i < SEARCHES; i++) {
        struct world *w = play(2, i, all_want_to_close, all_alike, false);
        assert_int_equal(w->n_rounds, 2);
        assert_int_equal(w->rounds[1].n_beam, 1);
        const struct trajectory *t = &w->finished[0].trajectory;
        assert_text(t->reasoning, "### Step 1. Begin.");
        assert_int_equal(t->finish, t->author == 1 ? FINISHED_TURN : FINISHED_CLOSED); /* as the author had it */
        assert_int_equal(t->last->teacher, 0);
        won[t->author]++;
        world_free(w);
    }
    for (int k = 0; k < 3; k++) assert_chance(won[k], 1.0 / 3);
}

/* Round 1: one finished, one growing. Round 2: the growing one's only child has the finished one's score. */
static void one_ends_one_goes_on(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    if (has(asked->reasoning, "### Step 2.")) {
        if (asked->teacher == 1) say(said, STEP_CLOSED, " Then.");
    } else if (asked->teacher < 2) {
        say(said, asked->teacher == 0 ? STEP_CLOSED : STEP_NEXT, " Begin%d.", asked->teacher);
    }
}

static void the_carried_stand_like_the_new(void **state) {
    (void)state;
    int carried_first = 0;
    for (int i = 0; i < SEARCHES; i++) {
        struct world *w = play(2, i, one_ends_one_goes_on, all_alike, false);
        assert_int_equal(w->n_rounds, 2);
        assert_int_equal(w->rounds[1].n_beam, 2);
        carried_first += w->rounds[1].beam[0].candidate < 0;
        world_free(w);
    }
    assert_chance(carried_first, 0.5);
}

/* ---- within the noise ---------------------------------------------------------------------------------------- */

/* Teachers 0.1 apart; the meta-prover's noise is 0.25. */
static double a_little_apart(struct world *w, cord_text reasoning) {
    (void)w;
    return -1 - (has(reasoning, "Teacher1") ? 0.1 : 0) - (has(reasoning, "Teacher2") ? 0.2 : 0);
}

static void differences_within_the_noise_are_ties_if_asked(void **state) {
    (void)state;
    int won[3] = {0};
    for (int i = 0; i < SEARCHES; i++) {
        struct world *w = play(1, i, each_its_own, a_little_apart, true);
        won[w->finished[0].trajectory.author]++;
        world_free(w);
    }
    for (int k = 0; k < 3; k++) assert_chance(won[k], 1.0 / 3);
    for (int i = 0; i < 100; i++) {
        struct world *w = play(1, i, each_its_own, a_little_apart, false);
        assert_int_equal(w->finished[0].trajectory.author, 0);
        world_free(w);
    }
}

/* Teacher 2 is farther than the noise from the best, though not from teacher 1. */
static double far_apart(struct world *w, cord_text reasoning) {
    (void)w;
    return -1 - (has(reasoning, "Teacher1") ? 0.2 : 0) - (has(reasoning, "Teacher2") ? 0.4 : 0);
}

static void the_noise_is_counted_from_the_best(void **state) {
    (void)state;
    int won[3] = {0};
    for (int i = 0; i < SEARCHES; i++) {
        struct world *w = play(1, i, each_its_own, far_apart, true);
        won[w->finished[0].trajectory.author]++;
        world_free(w);
    }
    assert_chance(won[0], 0.5);
    assert_int_equal(won[2], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_scores_give_equal_chances),
        cmocka_unit_test(doubles_are_anybodys),
        cmocka_unit_test(votes_to_close_count_once_and_the_hash_picks_the_author),
        cmocka_unit_test(the_carried_stand_like_the_new),
        cmocka_unit_test(differences_within_the_noise_are_ties_if_asked),
        cmocka_unit_test(the_noise_is_counted_from_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
