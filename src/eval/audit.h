/* audit.h - what a run's journal shows of how its score behaved: whether it saturates, whether it rises above that of no
 * reasoning, what its limit cut off, what the mention of the answer does to it, whether its choices are larger than its noise, whom it prefers, and
 * where it was wrong. It must not know recipes, models or how figures are shown.
 *
 * What each figure is, to the letter: docs/audit.md. */
#ifndef CORD_AUDIT_H
#define CORD_AUDIT_H

#include "eval/mention.h"
#include "store/journal.h"

/* S above which a round has nothing left to choose by, and S0 above which a problem can be guessed. */
#define AUDIT_SATURATED 0.99
#define AUDIT_GUESSABLE 0.5

struct audit_problem {
    cord_text id;
    enum problem_status status;
    bool started;
    double s0;
    int rounds, scored, saturated; /* rounds; those after which something had a score; those with one over the limit */
    int first_saturated;           /* 0: none */
    int stuck;                     /* rounds after which the best score is not above S0 by more than the noise */
    bool answered;                 /* done, with a trajectory: what follows is known */
    struct mention mention;
    bool ends_stuck; /* nor is the best trajectory's */
    bool cut, right; /* the best trajectory, by the strategy: its thinking ended at its limit; its answer is correct */
    bool overlooked; /* the best by S is not correct, and another is */
    double s;        /* of the best trajectory, by the strategy */
    double best_s, right_s;
    cord_text best_answer;
    int right_place; /* by S, from 1 */
};

/* One teacher's candidates that are steps. */
struct audit_teacher {
    int64_t proposed, kept, final; /* final: on best trajectories of problems that are done, as all of a search tree */
};

struct audit {
    struct audit_problem *problems;
    int n_problems;
    double *margins; /* of selections: log S of the worst kept less that of the best not kept; smallest first */
    int n_margins, room;
    int ties;      /* margins that are no larger than 0 */
    int unbounded; /* margins over a score of 0: infinite */
    bool competes; /* candidates were ranked against each other, in some round */
    bool stepwise; /* reasoning that goes on had scores */
    struct audit_teacher *teachers;
    int n_teachers;
};

/* Looks at all that the journal has, of problems that are going on, too. `noise`: of log S; NAN: not known, and taken for 0
 * where S is compared with S0. Everything that
 * is made lives in the arena. */
cord_status audit_run(struct journal *journal, double noise, struct arena *arena, struct audit *out, cord_error *err);

/* How many margins are no larger than a noise. */
int audit_within(const struct audit *audit, double noise);

/* Of an array that is sorted; NAN where it is empty. */
double audit_median(const double *sorted, int n);

#endif
