/* equal.h - a problem's search cut to a budget. What is made of parts that know nothing of one another (runs, or traces
 * that were each written by one teacher) is cut to the first of them: these are what a search of fewer parts had made. It
 * must not know journals, nor how the budget came about. */
#ifndef CORD_EQUAL_H
#define CORD_EQUAL_H

#include "eval/measures.h"

/* What a strategy's searches are made of. The first parts are run 0, run 1...; trace 0 of each teacher, trace 1 of each... */
enum parts { PARTS_NONE, PARTS_RUNS, PARTS_TRACES };
enum parts parts_of(const char *strategy);

/* But for what adding the same numbers in another order may come to. */
static inline bool equal_within(double cost, double budget) { return cost <= budget * (1 + 1e-9); }

/* Leaves the first parts, as many as together cost no more than `budget` in `unit`, and at least one: their candidates, up
 * to the last round that has any, and their answers in the order that they had. `whole` is not changed; *left refers to it
 * where nothing is left out, which *cut says. What has but one part is left whole; so is what turns out to be of another form, as
 * where a run was gone on with by another strategy. */
cord_status equal_cut(const struct past *whole, enum parts parts, const struct model_sizes *sizes, enum measure unit,
                      double budget, struct arena *arena, struct past *left, bool *cut, cord_error *err);

#endif
