/* comparison.c - see comparison.h. */
#include "eval/comparison.h"

#include <math.h>

const enum measure compared_measures[2] = {MEASURE_ACCURACY, MEASURE_PP};

/* ---- means --------------------------------------------------------------------------------------------------- */

static double value_of(const struct method *method, int problem, enum measure measure) {
    return method->values[(size_t)problem * MEASURES + measure];
}

static void take_means(struct method *method, int n_problems) {
    for (int m = 0; m < MEASURES; m++) {
        double sum = 0;
        method->of[m] = 0;
        for (int i = 0; i < n_problems; i++) {
            double value = value_of(method, i, (enum measure)m);
            if (isnan(value)) continue;
            sum += value;
            method->of[m]++;
        }
        /* What is spent is known of all problems or not at all: a mean over some would not be comparable. */
        bool known = method->of[m] && (method->of[m] == n_problems || !measure_is_cost((enum measure)m));
        method->mean[m] = known ? sum / method->of[m] : (double)NAN;
    }
}

bool comparison_same_problems(const struct comparison *c, enum measure measure) {
    const struct method *first = NULL;
    for (int k = 0; k < c->n_methods; k++) {
        const struct method *own = &c->methods[k];
        if (!own->of[measure]) continue;
        if (!first) first = own;
        for (int i = 0; i < c->n_problems; i++)
            if (!isnan(value_of(own, i, measure)) != !isnan(value_of(first, i, measure))) return false;
    }
    return true;
}

bool comparison_has_means(const struct comparison *c, enum measure measure) {
    for (int i = 0; i < c->n_methods; i++)
        if (c->methods[i].of[measure] < c->n_problems) return false;
    for (int i = 0; i < c->n_differences; i++)
        if (c->differences[i].measure == measure && c->differences[i].incomparable) return false;
    return true;
}

double comparison_ratio(const struct comparison *c, int method, enum measure measure) {
    double base = c->methods[c->baseline].mean[measure];
    return base > 0 ? c->methods[method].mean[measure] / base : (double)NAN;
}

/* ---- differences --------------------------------------------------------------------------------------------- */

static cord_status take_difference(const struct comparison *c, struct difference *d, const struct resampling *how,
                                   struct arena *arena, cord_error *err) {
    const struct method *method = &c->methods[d->method], *base = &c->methods[c->baseline];
    double *differences = arena_alloc(arena, (size_t)(c->n_problems + 1) * sizeof *differences);
    if (!differences) return error_memory(err);
    for (int i = 0; i < c->n_problems; i++) {
        double difference = value_of(method, i, d->measure) - value_of(base, i, d->measure);
        if (isnan(difference)) continue;
        d->gained += difference > 0;
        d->lost += difference < 0;
        differences[d->n++] = difference;
    }
    int n = d->n;
    mean_deviation(differences, n, &d->mean, &d->deviation);
    d->low = d->high = (double)NAN; /* of too few, or equal ones, the bootstrap would take the rest for certain */
    if (!too_few(d->gained + d->lost, COMPARISON_LEVEL) && d->deviation > 0)
        CORD_TRY(bootstrap_mean(differences, n, how, &d->low, &d->high, err));
    /* Of several seeds a problem has a share that is correct, and there are no pairs of right and wrong. */
    d->pairs = d->measure == MEASURE_ACCURACY && method->n_seeds == 1 && base->n_seeds == 1;
    if (!d->pairs) d->signs = sign_flip(differences, n, how);
    d->p = d->pairs ? mcnemar_exact(d->gained, d->lost) : d->signs.p;
    int differ = d->gained + d->lost;
    d->detectable = d->pairs ? detectable_share(n, n ? (double)differ / n : 0, d->level, COMPARISON_POWER)
                             : detectable_mean(n, differ, d->deviation, d->level, COMPARISON_POWER);
    return CORD_OK;
}

static cord_status adjust(struct comparison *c, struct arena *arena, cord_error *err) {
    int first = 0, n;
    while (first < c->n_differences && c->differences[first].primary) first++;
    n = c->n_differences - first;
    double *p = arena_alloc(arena, (size_t)(n + 1) * sizeof *p);
    if (!p) return error_memory(err);
    for (int i = 0; i < n; i++) p[i] = c->differences[first + i].p;
    CORD_TRY(holm_adjust(p, n, p, err));
    for (int i = 0; i < first; i++) c->differences[i].adjusted = c->differences[i].p;
    for (int i = 0; i < n; i++) c->differences[first + i].adjusted = p[i];
    return CORD_OK;
}

cord_status compare_methods(struct comparison *c, const struct resampling *how, struct arena *arena, cord_error *err) {
    c->n_differences = 0;
    c->differences = arena_alloc(arena, (size_t)c->n_methods * 2 * sizeof *c->differences);
    if (!c->differences) return error_memory(err);
    for (int i = 0; i < c->n_methods; i++) take_means(&c->methods[i], c->n_problems);
    int declared = c->no_primary ? 0 : 2;
    for (int i = 0; i < c->n_methods; i++)
        for (int m = 0; m < 2 && i != c->baseline; m++) {
            struct difference *d = &c->differences[c->n_differences++];
            *d = (struct difference){
                .method = i, .measure = compared_measures[m], .primary = c->n_differences <= declared};
            d->level = COMPARISON_LEVEL / (d->primary ? 1 : 2 * (c->n_methods - 1) - declared);
            CORD_TRY(take_difference(c, d, how, arena, err));
        }
    return adjust(c, arena, err);
}

bool difference_is_established(const struct difference *d) {
    return d->adjusted < COMPARISON_LEVEL && !d->incomparable;
}

/* ---- quality against cost ------------------------------------------------------------------------------------ */

bool comparison_is_beaten(const struct comparison *c, int method, enum measure quality, enum measure cost) {
    const double *mean = c->methods[method].mean;
    for (int i = 0; i < c->n_methods; i++) {
        const double *other = c->methods[i].mean;
        bool as_good = other[quality] >= mean[quality], as_cheap = other[cost] <= mean[cost];
        bool more = other[quality] > mean[quality] || other[cost] < mean[cost];
        if (as_good && as_cheap && more) return true;
    }
    return false;
}

/* ---- budgets ------------------------------------------------------------------------------------------------- */

const struct budget_unit budget_units[BUDGET_UNITS] = {{"complete trajectories", MEASURE_TRAJECTORIES},
                                                       {"tokens generated", MEASURE_GENERATED},
                                                       {"tokens prefilled", MEASURE_PREFILLED},
                                                       {"tokens scored", MEASURE_SCORED},
                                                       {"tokens judged", MEASURE_JUDGED},
                                                       {"FLOPs", MEASURE_FLOPS},
                                                       {"seconds", MEASURE_TIME}};

enum budget_verdict comparison_budget(const struct comparison *c, int method, enum measure measure) {
    double own = c->methods[method].mean[measure], base = c->methods[c->baseline].mean[measure];
    if (isnan(own) || isnan(base)) return BUDGET_UNKNOWN;
    return fabs(own - base) <= BUDGET_EQUAL * base * (1 + 1e-9) ? BUDGET_SAME : BUDGET_DIFFERS;
}

/* Few methods have a judge. */
static bool is_told(const struct comparison *c, enum measure measure) {
    bool spent = measure != MEASURE_JUDGED;
    for (int i = 0; i < c->n_methods; i++) spent |= c->methods[i].mean[measure] > 0;
    return spent;
}

void comparison_tell_budget(const struct comparison *c, int method, struct buf *out) {
    for (int i = 0; i < BUDGET_UNITS; i++) {
        double mean = c->methods[method].mean[budget_units[i].measure];
        enum measure_kind kind = measure_infos[budget_units[i].measure].kind;
        if (!is_told(c, budget_units[i].measure)) continue;
        buf_addf(out, "%s%s ", i ? ", " : "", budget_units[i].name);
        if (isnan(mean))
            buf_addf(out, "-");
        else if (kind == KIND_FLOPS)
            buf_addf(out, "%.3g", mean);
        else
            buf_addf(out, "%.*f", kind == KIND_TOKENS ? 1 : 2, mean);
    }
}

static void tell_units(const struct comparison *c, int method, enum budget_verdict verdict, const char *opening,
                       const char *none, struct buf *out) {
    bool first = true;
    for (int i = 0; i < BUDGET_UNITS; i++) {
        if (comparison_budget(c, method, budget_units[i].measure) != verdict) continue;
        if (!is_told(c, budget_units[i].measure)) continue;
        double ratio = comparison_ratio(c, method, budget_units[i].measure);
        buf_addf(out, "%s%s", first ? opening : ", ", budget_units[i].name);
        if (!isnan(ratio)) buf_addf(out, " (%.2f)", ratio);
        first = false;
    }
    if (first) buf_addf(out, "%s", none);
}

void comparison_tell_equal(const struct comparison *c, int method, const char *const *names, struct buf *out) {
    buf_addf(out, "%s over %s: equal within 5 %% by ", names[method], names[c->baseline]);
    tell_units(c, method, BUDGET_SAME, "", "nothing", out);
    tell_units(c, method, BUDGET_DIFFERS, "; not equal by ", "", out);
    tell_units(c, method, BUDGET_UNKNOWN, "; not known by ", "", out);
}

/* ---- in words ------------------------------------------------------------------------------------------------ */

static void tell_numbers(const struct comparison *c, const struct difference *d, struct buf *out) {
    if (!d->n) {
        buf_addf(out, "no problem has both");
        return;
    }
    if (d->n < c->n_problems) buf_addf(out, "over the %d of %d problems that have both; ", d->n, c->n_problems);
    buf_addf(out, "difference %+.4f", d->mean);
    if (!isnan(d->low)) buf_addf(out, ", 95 %% interval %+.4f to %+.4f", d->low, d->high);
    if (d->deviation <= 0 && d->n > 1 && d->mean != 0) buf_addf(out, ", the same on each problem");
    buf_addf(out, "; %s, p = %.4g", d->pairs ? "McNemar's exact test" : "test of signs over problems", d->p);
    if (d->signs.random)
        buf_addf(out, " of %d random signs%s", d->signs.random, d->signs.far ? "" : ", none of which lay as far");
    if (!d->primary) buf_addf(out, ", %.4g after Holm's adjustment", d->adjusted);
}

static void tell_detectable(const struct difference *d, struct buf *out) {
    bool same = !d->pairs && d->deviation <= 0 && d->n > 1; /* so that nothing can be reckoned from them */
    if (same)
        buf_addf(out, " On all %d problems the difference is the same, so nothing is known of how much it varies.",
                 d->n);
    else if (isnan(d->detectable) && 2 * pow(0.5, d->n) >= d->level)
        buf_addf(out, " %d problem%s such as these can show no difference at all%s.", d->n, d->n == 1 ? "" : "s",
                 d->primary ? "" : " beside so many other tests");
    else if (isnan(d->detectable))
        buf_addf(out, " Of %d problem%s %d differ%s, too few to say which difference would have been found.", d->n,
                 d->n == 1 ? "" : "s", d->gained + d->lost, d->gained + d->lost == 1 ? "s" : "");
    else
        buf_addf(out,
                 " That is no proof that there is none: with these %d problems a true difference of %.4f would have "
                 "been found four times in five%s, and smaller ones less often.",
                 d->n, d->detectable, d->primary ? "" : ", were its p the least of them");
}

void comparison_tell(const struct comparison *c, const struct difference *d, const char *const *names,
                     struct buf *out) {
    const char *what = d->measure == MEASURE_ACCURACY ? "accuracy" : "PP";
    const char *method = names[d->method], *base = names[c->baseline];
    if (d->incomparable) {
        buf_addf(out, "Cannot be compared: %s of %s and %s, since %s (", what, method, base, d->incomparable);
        tell_numbers(c, d, out);
        buf_addf(out, ").");
    } else if (difference_is_established(d)) {
        buf_addf(out, "Established at level 0.05: %s has a %s %s than %s on problems such as these (", method,
                 d->mean > 0 ? "higher" : "lower", what, base);
        tell_numbers(c, d, out);
        buf_addf(out, ").");
    } else {
        buf_addf(out, "Not established: that %s and %s differ in %s (", method, base, what);
        tell_numbers(c, d, out);
        buf_addf(out, ").");
        tell_detectable(d, out);
    }
}
