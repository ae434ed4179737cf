/* matching.h - the problems that several runs have in common. A problem is the same where its id, its question, what is
 * scored and what is graded against are, and it counts for a run where it is done there. It must not know what is measured. */
#ifndef CORD_MATCHING_H
#define CORD_MATCHING_H

#include "eval/evidence.h"

enum lack { LACK_ABSENT, LACK_OTHER, LACK_FAILED, LACK_OPEN }; /* not there; another problem of that id; not done */

/* Problems of one run that do not count, since another run lacks them. */
struct left_out {
    int n;
    cord_text example;
    int where; /* the run that lacks the example */
    enum lack why;
};

struct matching {
    int n;                     /* common problems, in the order of the first run */
    int *at;                   /* at[run * n + i]: in which row of that run the i-th of them stands */
    struct left_out *left_out; /* of each run */
    int not_done; /* problems, of whatever run, that are done in none; rows that could not be used are no problems */
};

/* Everything lives in the arena. */
cord_status match_problems(const struct evidence *const *runs, int n, struct arena *arena, struct matching *out,
                           cord_error *err);

#endif
