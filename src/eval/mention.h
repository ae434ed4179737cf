/* mention.h - where a text first states an answer, as a whole word or number: 27 is not in 127 or 27.5. It must not know
 * whether the answer is right, nor who asks.
 *
 * What counts: docs/compare.md, "First mention". */
#ifndef CORD_MENTION_H
#define CORD_MENTION_H

#include "search/search.h"

/* Offset of the first mention, or -1. An empty gold is never mentioned. */
ptrdiff_t mention_find(cord_text gold, cord_text text);

/* The first step of a trajectory that states the gold. */
struct mention {
    bool in_question;     /* the question states it already, so that no step is the first */
    int step, steps;      /* from 1; 0: none of them. The pieces of a step that was cut are one step */
    double before, after; /* log S of the reasoning up to that step, and with it; NAN where it was not scored */
};
cord_status mention_first(cord_text question, cord_text gold, const struct trajectory *trajectory, double log_s0,
                          struct mention *out, cord_error *err);

#endif
