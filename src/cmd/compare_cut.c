/* compare_cut.c - `cord compare --equal`: on each problem the least that any method spent there is the budget, and what was
 * measured of the others becomes that of what eval/budget_cut.c leaves of them. It must not know formats. */
#include "cmd/compare.h"

#include <math.h>

/* In the order of --equal's words. */
static const enum measure units[] = {MEASURE_TRAJECTORIES, MEASURE_TOKENS, MEASURE_FLOPS, MEASURE_TIME};

/* ---- cutting ------------------------------------------------------------------------------------------------- */

/* The mean over the method's seeds. */
static double mean_of(const struct compare *c, int method, int problem, enum measure measure) {
    double sum = 0;
    int n = 0;
    for (int r = 0; r < c->n_runs; r++)
        if (c->runs[r].method == method) {
            sum += compare_row(c, r, problem)->value[measure];
            n++;
        }
    return sum / n;
}

static cord_status cut_row(struct compare *c, const struct compared_run *run, struct evidence_row *row, double budget,
                           struct arena *arena, cord_error *err) {
    struct compared_cut *method = &c->equal.methods[run->method];
    struct past whole, left;
    bool cut;
    CORD_TRY(past_read(run->journal, &run->problems[row - run->evidence->rows], arena, &whole, err));
    CORD_TRY(budget_cut(&whole, samples_of(run->evidence->strategy), &run->sizes, c->equal.measure, budget, arena,
                        &left, &cut, err));
    if (!cut) return CORD_OK;
    bool measured = !isnan(row->value[MEASURE_PP]);
    CORD_TRY(hits_init(&row->hits, run->evidence->n_teachers, &c->arena, err));
    CORD_TRY(measure_past(&left, &run->sizes, row->value, &row->hits, err));
    method->cut++;
    method->unmeasured += measured && isnan(row->value[MEASURE_PP]);
    return CORD_OK;
}

static cord_status find_cost(const struct compare *c, int method, int problem, double *cost, cord_error *err) {
    *cost = mean_of(c, method, problem, c->equal.measure);
    if (!isnan(*cost)) return CORD_OK;
    return error_set(err, CORD_BAD_INPUT,
                     "--equal %s: what %s spent is not known, since its models' parameters are not; say them in "
                     "models.*.parameters and go on with the run, or name another unit",
                     c->equal.unit, c->first[method]->folder);
}

/* A run of a method that is above the budget may itself be within it: then all of it is left. */
static cord_status cut_problem(struct compare *c, int problem, double *costs, cord_error *err) {
    int n = c->comparison.n_methods;
    double budget = INFINITY;
    for (int m = 0; m < n; m++) {
        CORD_TRY(find_cost(c, m, problem, &costs[m], err));
        budget = fmin(budget, costs[m]);
        c->equal.methods[m].trajectories += mean_of(c, m, problem, MEASURE_TRAJECTORIES) / c->matching.n;
    }
    c->equal.budget += budget / c->matching.n;
    for (int r = 0; r < c->n_runs; r++) {
        const struct compared_run *run = &c->runs[r];
        struct evidence_row *row = compare_row(c, r, problem);
        struct arena arena;
        if (budget_allows(costs[run->method], budget) || budget_allows(row->value[c->equal.measure], budget)) continue;
        c->equal.methods[run->method].above++;
        arena_init(&arena);
        cord_status status = cut_row(c, run, row, budget, &arena, err);
        arena_release(&arena);
        CORD_TRY(status);
    }
    return CORD_OK;
}

cord_status compare_cut(struct compare *c, cord_error *err) {
    const struct option_value *equal = call_option(c->call, "equal");
    if (!equal->given) return CORD_OK;
    size_t n = (size_t)c->comparison.n_methods;
    double *costs = arena_alloc(&c->arena, n * sizeof *costs);
    c->equal.methods = arena_alloc(&c->arena, n * sizeof *c->equal.methods);
    if (!costs || !c->equal.methods) return error_memory(err);
    c->equal.unit = equal->text;
    c->equal.measure = units[equal->choice];
    for (int i = 0; i < c->matching.n; i++) CORD_TRY(cut_problem(c, i, costs, err));
    return CORD_OK;
}

/* ---- in words ------------------------------------------------------------------------------------------------ */

const char *compare_cut_verdict(const struct compare *c, int method) {
    const struct compared_cut *equal = &c->equal.methods[method];
    return equal->cut ? "cut" : equal->above ? "not cut" : "whole";
}

double compare_cut_ratio(const struct compare *c, int method) {
    return c->equal.budget > 0 ? c->comparison.methods[method].mean[c->equal.measure] / c->equal.budget : (double)NAN;
}

static void tell_cut(const struct compare *c, int method, struct buf *out) {
    const struct compared_cut *equal = &c->equal.methods[method];
    const struct method *own = &c->comparison.methods[method];
    const char *strategy = c->first[method]->evidence->strategy;
    if (equal->cut)
        buf_addf(out, "cut at %d of %d problems%s", equal->cut, c->comparison.n_problems * own->n_seeds,
                 own->n_seeds > 1 ? " and seeds" : "");
    else if (equal->above)
        buf_addf(out, "cannot be cut (%s)",
                 samples_of(strategy) == SAMPLES_TRACES              ? "one trace, or another strategy before"
                 : samples_of(strategy) == SAMPLES_NONE && *strategy ? strategy
                                                                     : "one run");
    else
        buf_addf(out, "whole");
    if (equal->cut && equal->cut < equal->above) buf_addf(out, ", at %d it cannot be", equal->above - equal->cut);
    buf_addf(out, "; trajectories a problem: %.2f", own->mean[MEASURE_TRAJECTORIES]);
    if (equal->cut) buf_addf(out, " of %.2f", equal->trajectories);
}

const char *compare_cut_says(struct compare *c, int method) {
    struct buf out;
    double ratio = compare_cut_ratio(c, method);
    cord_text text;
    buf_init(&out, "what is left", 1 << 16);
    tell_cut(c, method, &out);
    if (!isnan(ratio)) buf_addf(&out, "; %.2f of the budget in %s", ratio, c->equal.unit);
    if (c->equal.methods[method].unmeasured)
        buf_addf(&out, "; without a PP, since that of the new best was never measured (measures.best_only): %d",
                 c->equal.methods[method].unmeasured);
    return buf_take(&out, &c->arena, &text, NULL) == CORD_OK ? text.data : NULL;
}
