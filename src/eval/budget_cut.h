/* budget_cut.h - a problem's search cut to a budget. What is made of samples that know nothing of one another (runs, or traces
 * that were each written by one teacher) is cut to the first of them: these are what a search of fewer samples had made. It
 * must not know journals, nor how the budget came about. */
#ifndef CORD_BUDGET_CUT_H
#define CORD_BUDGET_CUT_H

#include "eval/measures.h"

/* What a strategy's searches are made of. The first samples are run 0, run 1...; trace 0 of each teacher, trace 1 of each... */
enum samples { SAMPLES_NONE, SAMPLES_RUNS, SAMPLES_TRACES };
enum samples samples_of(const char *strategy);

/* But for what adding the same numbers in another order may come to. */
static inline bool budget_allows(double cost, double budget) { return cost <= budget * (1 + 1e-9); }

/* Leaves the first samples, as many as together cost no more than `budget` in `unit`, and at least one: their candidates, up
 * to the last round that has any, and their answers in the order that they had. `whole` is not changed; *left refers to it
 * where nothing is left out, which *cut says. What has but one sample is left whole; so is what turns out to be of another form, as
 * where a run was gone on with by another strategy. */
cord_status budget_cut(const struct past *whole, enum samples samples, const struct model_sizes *sizes,
                       enum measure unit, double budget, struct arena *arena, struct past *left, bool *cut,
                       cord_error *err);

#endif
