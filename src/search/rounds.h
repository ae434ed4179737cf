/* rounds.h - what the rounds of every strategy are made of: proposals become candidates, candidates make trajectories grow,
 * the observer is told, finished trajectories get their answers. A strategy says whom to ask for what, what is scored, and
 * what is kept. Private to src/search; it must not know which strategy plays. */
#ifndef CORD_ROUNDS_H
#define CORD_ROUNDS_H

#include "search/criterion.h"

/* Where a search is. What lasts lives in the problem's arena; what a round makes lives in one of two that rounds take in
 * turn, so that the reasonings of the round before are there, and those of all others are not: every candidate has a whole
 * one, and of long traces there are many rounds. */
struct beam {
    const struct search *search;
    struct arena rounds[2];
    struct arena *arena;   /* this round's */
    struct spans *prompts; /* of each teacher, and behind them the meta-prover's */
    int number;            /* of the round */
    struct trajectory *trajectories;
    int n;
    int anew; /* as in search_state */
    const char *refused;
};

struct strategy {
    /* Plays round beam->number: fills in the round's candidates and note, and replaces beam->trajectories. Where nothing
     * is left at all it keeps what was there, as finished. */
    cord_status (*play)(struct beam *beam, struct round *round, cord_error *err);
    bool (*ended)(const struct beam *beam);
    bool in_order;      /* the last beam is best first; else its finished trajectories are ranked by their scores */
    bool correct_first; /* answers that are correct go before all others */
    bool others_go_on;  /* of all its requests, as in cord_proposal */
    bool integrates;    /* teachers[n_teachers] writes, too: the observer is told what it is asked */
    /* Whether what the last round left can be answered; NULL: whatever is finished can. */
    cord_status (*check)(const struct beam *beam, cord_error *err);
    const char *nothing; /* what there is not where a first round leaves nothing: NULL for "no first step" */
};

/* Plays rounds until the strategy has ended, and writes the answers; or goes on where search->state says. */
cord_status play_strategy(const struct search *search, const struct strategy *strategy, cord_error *err);

/* ---- a round ------------------------------------------------------------------------------------------------- */

/* A candidate to ask for: it continues slot `parent` of the beam, which has place `place` in its run. */
struct candidate new_candidate(const struct beam *beam, int parent, int place, int run, int teacher, int sample);

/* Asks for the steps of n candidates in one call, and reads what was said. */
cord_status propose_steps(const struct beam *beam, struct candidate *candidates, int n, cord_error *err);

/* The same, but each teacher is asked to write on up to the end of its thinking or the budget. The step is what a request for
 * one would have given, but for the step's limit; what stands behind it is the candidate's rollout. */
cord_status propose_rollouts(const struct beam *beam, struct candidate *candidates, int n, cord_error *err);

/* The same of candidates of the empty trajectory, with the whole of what was written as one candidate of many steps. */
cord_status propose_traces(const struct beam *beam, struct candidate *candidates, int n, cord_error *err);

/* Finds the steps of a candidate that is a whole trace in its reasoning: fills in `parts`, at least one. */
cord_status divide_trace(const struct beam *beam, struct candidate *c, cord_error *err);

/* Whether a candidate is more than the end of its parent. */
static inline bool adds_a_step(const struct candidate *c) { return c->drop == DROP_NONE && !c->finishes_parent; }

/* Counts the reasonings of candidates that are not scored as they stand, since the budget is in the meta-prover's tokens. */
cord_status count_reasonings(const struct beam *beam, struct candidate *candidates, int n, cord_error *err);

/* Scores by the criterion, in one call, every candidate that adds something to its parent. What cannot be scored is dropped,
 * with the reason. */
cord_status score_candidates(const struct beam *beam, struct candidate *candidates, int n, cord_error *err);

/* How the trajectory stands that a candidate makes. Needs reasoning_tokens. */
enum finish finish_of(const struct beam *beam, const struct candidate *c);

/* Whether all trajectories are finished. */
bool all_finished(const struct beam *beam);

/* Drops a candidate as failed: "WHAT: WHY", or "WHY" where `what` is NULL. */
cord_status drop_failed(const struct beam *beam, struct candidate *c, const char *what, const char *why,
                        cord_error *err);

/* Scores by the criterion; what that takes lasts as long as the round. */
cord_status score_in_round(const struct beam *beam, struct scored *items, int n, cord_error *err);

/* What scoring it cost. A candidate of a search tree whose own score failed may have its node's computed behind it, one after
 * the other. */
void take_scoring(struct candidate *c, const struct scored *item);

/* The trajectory that a candidate makes of its parent. */
cord_status grow(const struct beam *beam, const struct candidate *c, struct trajectory *out, cord_error *err);

/* Puts what a kept trajectory is made of where it lasts: a new step as long as the problem, an older text another round.
 * `c`: the candidate that it took, or NULL. */
cord_status settle(const struct beam *beam, struct trajectory *kept, const struct candidate *c, cord_error *err);

/* Keeps what stands at a place of the beam as it is. */
cord_status carry_over(const struct beam *beam, int at, struct trajectory *kept, cord_error *err);

/* Whether proposals are adaptive, and the n places of a run, best first, are as good as each other. */
bool all_agree(const struct search_settings *settings, const struct trajectory *kept, int n);

/* The teachers that are asked for the next step of kept[at], as bits; `kept`: all n places of its run, best first. */
uint64_t teachers_to_ask(const struct beam *beam, const struct trajectory *kept, int n, int at);

/* ---- ranking ------------------------------------------------------------------------------------------------- */

/* What stands for a place. */
struct contender {
    struct trajectory trajectory;
    struct candidate *candidate; /* NULL: a finished trajectory, carried over with its score frozen */
    uint64_t tie;                /* the seeded hash: smaller wins */
};

/* Best first, by score, then by hash. What has no score comes last. With tie_within_noise, contenders that lie within the
 * meta-prover's noise of the best of their group count as tied with it. */
void rank_contenders(const struct search *search, struct contender *contenders, int n);

/* ---- strategies ---------------------------------------------------------------------------------------------- */

/* CoRD (section 4.3): a beam over steps. Greedy decoding is settings->beam == 1. */
cord_status beam_search(const struct search *search, cord_error *err);
/* Curation (section 3), and rejection sampling; a round of it (the next step of every trace that grows) is one of an
 * integration, too. */
cord_status curation_search(const struct search *search, cord_error *err);
cord_status curation_play(struct beam *beam, struct round *round, cord_error *err);
/* Monte Carlo tree search. */
cord_status tree_search(const struct search *search, cord_error *err);
/* Integration (section 4): traces as in curation, merged into one by teachers[n_teachers]. */
cord_status integration_search(const struct search *search, cord_error *err);
/* The given traces, scored, graded and put in order. */
cord_status selection_search(const struct search *search, cord_error *err);

/* ---- the end of a search ------------------------------------------------------------------------------------- */

/* The answer stage: the author of each finished trajectory writes the answer, which is extracted and graded. */
cord_status answer_trajectories(const struct search *search, const struct spans *prompts,
                                const struct trajectory *finished, int n, struct answered *out, cord_error *err);

/* Fills in what tables say of finished trajectories, whatever chose them: log_pp and log_held_out. `prompt` is the
 * meta-prover's. */
cord_status measure_finished(const struct search *search, struct spans prompt, struct answered *answers, int n,
                             cord_error *err);

#endif
