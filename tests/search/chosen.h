/* chosen.h - what the tests of criteria share: searches whose texts and likelihoods are hashes, and a look at whether every
 * score is the one that the test computes. */
#ifndef CORD_TEST_CHOSEN_H
#define CORD_TEST_CHOSEN_H

#include "script.h"

#include "search/rounds.h"

/* Texts of their own for each seed; a finished one now and then. Answers without reasoning are 41 as often as not. */
static inline void talk(struct world *w, const struct asked *asked, struct said *said) {
    unsigned id = (unsigned)(seed_text(seed_mix(w->script, asked->seed), asked->reasoning) >> 40);
    if (asked->answer && asked->teacher == JUDGE)
        say(said, STEP_TURN, " %u.", 41 + id % 2);
    else if (asked->answer)
        say(said, STEP_TURN, "%u}", 40 + id % 4);
    else if (id % 5 == 0)
        say(said, STEP_CLOSED, " Done %u, so 42.", id);
    else if (id % 5 == 1)
        say(said, STEP_NEXT, " A longer step %u, with 6 x 7 = 42 in it.\n", id);
    else
        say(said, STEP_NEXT, " Plain %u.\n", id);
}

static inline double hashed(uint64_t seed, int who, cord_text reasoning, cord_text target) {
    return -(double)(seed_text(seed_text(seed_mix(seed, (uint64_t)who), reasoning), target) % 1000) / 100;
}

static inline double by_hash(struct world *w, int who, cord_text reasoning, cord_text target) {
    return hashed(w->script, who, reasoning, target);
}

static inline struct world *talking(const char *criterion, uint64_t script) {
    struct world *w = world_new(3, 3);
    w->script = script;
    w->reply = talk;
    w->score_as = by_hash;
    w->settings.think_tokens = 60;
    world_judge(w, criterion);
    return w;
}

/* What the criterion should say of a reasoning, in its run. */
typedef double brute_force(struct world *w, cord_text reasoning, int run, bool complete);

/* Every candidate of every round has the score that the test computes; the kept are the best of them; the whole search asks
 * `calls` times beside once a round for steps. Returns how many scores there were. */
static inline int play(const char *criterion, uint64_t script, int runs, brute_force *expected, int calls,
                       int calls_a_round) {
    struct world *w = talking(criterion, script);
    int n = 0;
    w->settings.runs = runs;
    world_succeeds(w);
    assert_int_equal(w->calls, calls + (1 + calls_a_round) * w->n_rounds);
    assert_in_range(w->counts, 0, w->n_rounds);                           /* all texts of a round go together */
    assert_true(w->log_s0 == hashed(script, META, TEXT(""), TEXT("42"))); /* S0 is a likelihood, whatever chooses */
    for (int r = 0; r < w->n_rounds; r++) {
        const struct round *round = &w->rounds[r];
        for (int i = 0; i < round->n_candidates; i++) {
            const struct candidate *c = &round->candidates[i];
            if (c->drop != DROP_NONE || c->finishes_parent) continue;
            bool complete = c->end == STEP_CLOSED || c->end == STEP_TURN;
            double want = expected(w, text_trim_end(c->reasoning), c->run, complete);
            if (!(c->log_score == want || fabs(c->log_score - want) < 1e-12))
                fail_msg("%s: %g and not %g: %.*s", criterion, c->log_score, want, (int)c->reasoning.len,
                         c->reasoning.data);
            assert_int_equal(c->reasoning_tokens, words_of(c->reasoning));
            n++;
            for (int j = 0; j < round->n_candidates; j++) {
                const struct candidate *d = &round->candidates[j];
                if (d->drop == DROP_NONE && d->run == c->run && d->log_score > c->log_score)
                    assert_true(d->rank < c->rank);
            }
        }
    }
    world_free(w);
    return n;
}

static inline void play_all(const char *criterion, brute_force *expected, int calls, int calls_a_round) {
    int n = 0;
    for (uint64_t script = 0; script < 6; script++)
        n += play(criterion, script, 1 + script % 2, expected, calls, calls_a_round);
    assert_true(n > 100);
}

#endif
