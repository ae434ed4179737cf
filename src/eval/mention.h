/* mention.h - which step of a trajectory is the first to state an answer (answer/mention.h). It must not know whether the
 * answer is right, nor who asks. */
#ifndef CORD_MENTION_H
#define CORD_MENTION_H

#include "search/search.h"

/* The first step of a trajectory that states the gold. */
struct mention {
    bool in_question;     /* the question states it already, so that no step is the first */
    int step, steps;      /* from 1; 0: none of them. The pieces of a step that was cut are one step */
    double before, after; /* log S of the reasoning up to that step, and with it; NAN where it was not scored */
};
cord_status mention_first(cord_text question, cord_text gold, const struct trajectory *trajectory, double log_s0,
                          struct mention *out, cord_error *err);

#endif
