/* live.h - what a person sees of a run while it runs: a few lines that are painted anew on a terminal, or one plain line
 * for each finished problem elsewhere. It must not know journals, nor more of searches than what their scores are called: it
 * is told plain figures, and looks at what models do and what servers cost. */
#ifndef CORD_LIVE_H
#define CORD_LIVE_H

#include "search/criterion.h"
#include "store/ledger.h"

#include <stdio.h>

struct live;

struct live_options {
    FILE *out;
    bool plain;                      /* --quiet, or no terminal that can be painted on */
    int total;                       /* problems of the run */
    int done;                        /* of them, before this process */
    const cord_model *const *models; /* borrowed until live_close */
    int n_models;
    struct ledger *ledger; /* borrowed, too; NULL: no model has a server */
    struct budget budget;
    int slots;                         /* problems in flight at most */
    const struct criterion *criterion; /* whose the scores are; all come as score_shown has them */
};

/* How a problem ended. Texts are model text: they are escaped here. */
struct live_result {
    cord_text id, answer, gold;
    const char *grade;  /* "correct", …; NULL: it failed */
    const char *reason; /* of a failure */
    bool correct;
    double score, pp, s0; /* of the best trajectory; its PP, NAN: not measured; S with empty reasoning */
    int rounds;
    double seconds;
};

cord_status live_open(const struct live_options *options, struct live **live, cord_error *err);
/* Takes the lines off the terminal; what was printed stays. NULL is fine. */
void live_close(struct live *live);
/* The calls below may come from any thread. `slot`: which of the problems in flight, from 0. */
void live_problem(struct live *live, int slot, cord_text id);
void live_round(struct live *live, int slot, int round, int beam, int finished, double best_score);
void live_result(struct live *live, int slot, const struct live_result *result);
/* The problem goes out of sight without a result, because the run stops. */
void live_drop(struct live *live, int slot);
/* A line that stays, such as a warning. */
void live_say(struct live *live, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
