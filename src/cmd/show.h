/* show.h - what the views of `cord show` share: a run that is open for reading, a problem of it with all its rounds.
 * Private to src/cmd/show*.c. */
#ifndef CORD_SHOW_H
#define CORD_SHOW_H

#include "cmd/page.h"
#include "search/criterion.h"
#include "store/ledger.h"

struct show {
    const struct call *call;
    struct journal *journal;
    struct arena arena;
    struct page page;
    bool full;
    const char *const *teachers;
    int n_teachers;
    int n_problems;
    const struct criterion *criterion; /* whose the scores are */
};

/* A problem, read whole. */
struct show_problem {
    const struct journal_problem *problem;
    struct round *rounds; /* rounds[i].number == i + 1 */
    int n_rounds;
    int *path; /* slot of the best trajectory in the beam after each round, or -1 */
    struct answered *answers;
    int n_answers;
};

/* A teacher's name; "?" for one that is not in the journal. */
cord_text show_teacher(const struct show *show, int teacher);
enum paint show_grade_paint(enum grade grade);
/* A fact of the run, whose lines stand between `what` and `behind`; nothing where there is none. */
cord_status show_fact(struct show *show, struct page *page, const char *key, const char *what, const char *between,
                      const char *behind, cord_error *err);
/* A score and two blanks before it; a dash where there is none: of what was dropped, and of a trace that is not complete. */
void show_score(struct show *show, enum paint paint, double log_score);

/* The views. `step` is from 1. */
void show_rounds(struct show *show, const struct show_problem *p);
cord_status show_why(struct show *show, const struct show_problem *p, int step, cord_error *err);
/* What was sent: to the teacher `name` in a round, to "meta", or for an "answer"; `round` and `slot` choose which. */
cord_status show_prompt(struct show *show, const struct show_problem *p, const char *name, int round, int slot,
                        cord_error *err);

#endif
