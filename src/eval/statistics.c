/* statistics.c - see statistics.h. */
#include "eval/statistics.h"

#include <math.h>
#include <stdlib.h>

/* Up to so many differences that are not 0, all changes of signs are tried: 2^20 sums take some milliseconds. */
enum { MOST_SIGNS = 20 };

/* ---- the normal distribution --------------------------------------------------------------------------------- */

double normal_cdf(double x) { return 0.5 * erfc(-x / sqrt(2)); }

/* By halving: it is asked for a few times only, and this cannot go wrong. */
double normal_quantile(double p) {
    double low = -40, high = 40;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (normal_cdf(middle) < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* ---- the bootstrap ------------------------------------------------------------------------------------------- */

void mean_deviation(const double *values, int n, double *mean, double *deviation) {
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) sum += values[i];
    *mean = n ? sum / n : (double)NAN;
    for (int i = 0; i < n; i++) squares += (values[i] - *mean) * (values[i] - *mean);
    *deviation = n > 1 ? sqrt(squares / (n - 1)) : 0;
    if (*deviation <= 1e-12 * fabs(*mean)) *deviation = 0; /* all are equal, but for rounding */
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How unevenly the values lie about their mean: the skewness of its estimate over 6, as the jackknife gives it. */
static double acceleration(const double *values, int n, double mean) {
    double squares = 0, cubes = 0;
    for (int i = 0; i < n; i++) {
        double d = values[i] - mean;
        squares += d * d;
        cubes += d * d * d;
    }
    return squares > 0 ? cubes / (6 * pow(squares, 1.5)) : 0;
}

/* The share of the drawn means (sorted) below the observed one. Those that equal it but for rounding count half: of shares
 * correct there are many. Never 0 or 1, whose quantile is infinite. */
static double share_below(const double *means, int samples, double mean, double rounding) {
    double below = 0;
    for (int i = 0; i < samples; i++) below += means[i] < mean - rounding ? 1 : means[i] <= mean + rounding ? 0.5 : 0;
    double least = 0.5 / samples, share = below / samples;
    return share < least ? least : share > 1 - least ? 1 - least : share;
}

/* Which quantile of the drawn means stands for the quantile `z` of a normal distribution. The upper end is taken from above as
 * the lower one from below, so that differences the other way round have the same interval the other way round. */
static double bca_quantile(const double *means, int samples, double bias, double skew, double z) {
    double p = normal_cdf(bias + (bias + z) / (1 - skew * (bias + z)));
    double place = p * (samples + 1), at = (z > 0 ? ceil(place) : floor(place)) - 1;
    int last = samples - 1;
    return means[at < 0 ? 0 : at > last ? last : (int)at];
}

cord_status bootstrap_mean(const double *values, int n, const struct resampling *how, double *low, double *high,
                           cord_error *err) {
    *low = *high = (double)NAN;
    if (n < 2) return CORD_OK;
    double *means = malloc((size_t)how->samples * sizeof *means), mean, deviation, largest = 0;
    if (!means) return error_memory(err);
    struct rng rng;
    rng_init(&rng, how->seed);
    mean_deviation(values, n, &mean, &deviation);
    for (int i = 0; i < n; i++) largest = fmax(largest, fabs(values[i]));
    for (int s = 0; s < how->samples; s++) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += values[(int)(rng_uniform(&rng) * n)];
        means[s] = sum / n;
    }
    qsort(means, (size_t)how->samples, sizeof *means, ascending);
    double bias = normal_quantile(share_below(means, how->samples, mean, 1e-12 * largest));
    double skew = acceleration(values, n, mean), z = normal_quantile((1 + how->level) / 2);
    *low = bca_quantile(means, how->samples, bias, skew, -z);
    *high = bca_quantile(means, how->samples, bias, skew, z);
    free(means);
    return CORD_OK;
}

/* ---- tests --------------------------------------------------------------------------------------------------- */

double mcnemar_exact(int gained, int lost) {
    int n = gained + lost, fewer = gained < lost ? gained : lost;
    double sum = 0;
    for (int k = 0; k <= fewer; k++) sum += exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) - n * log(2));
    return fmin(1, 2 * sum); /* gained == lost counts the middle twice */
}

/* How many of the ways to sign values[0..n) bring `sum` at least as far from 0 as `bound`. */
static int64_t count_signs(const double *values, int n, double sum, double bound) {
    if (!n) return fabs(sum) >= bound;
    return count_signs(values + 1, n - 1, sum + values[0], bound) +
           count_signs(values + 1, n - 1, sum - values[0], bound);
}

struct signs sign_flip(const double *differences, int n, const struct resampling *how) {
    double few[MOST_SIGNS], sum = 0, size = 0;
    int count = 0;
    for (int i = 0; i < n; i++) {
        sum += differences[i];
        size += fabs(differences[i]);
        if (differences[i] == 0) continue;
        if (count < MOST_SIGNS) few[count] = differences[i];
        count++;
    }
    double bound = fabs(sum) - 1e-12 * size; /* sums that are equal but for rounding are equal */
    if (count <= MOST_SIGNS)
        return (struct signs){.p = (double)count_signs(few, count, 0, bound) / (double)(INT64_C(1) << count)};
    struct rng rng;
    rng_init(&rng, how->seed);
    struct signs signs = {.random = how->samples};
    for (int s = 0; s < how->samples; s++) {
        uint64_t bits = 0;
        double other = 0;
        for (int i = 0; i < n; i++) {
            if (i % 64 == 0) bits = rng_next(&rng);
            other += bits & 1 ? differences[i] : -differences[i];
            bits >>= 1;
        }
        signs.far += fabs(other) >= bound;
    }
    signs.p = (1 + (double)signs.far) / (1 + (double)signs.random); /* what was observed is one of the ways */
    return signs;
}

struct ranked {
    double p;
    int at;
};

static int by_p(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    return x->p != y->p ? (x->p > y->p) - (x->p < y->p) : x->at - y->at;
}

cord_status holm_adjust(const double *p, int n, double *adjusted, cord_error *err) {
    if (!n) return CORD_OK;
    struct ranked *ranked = malloc((size_t)n * sizeof *ranked);
    if (!ranked) return error_memory(err);
    for (int i = 0; i < n; i++) ranked[i] = (struct ranked){p[i], i};
    qsort(ranked, (size_t)n, sizeof *ranked, by_p);
    double largest = 0;
    for (int i = 0; i < n; i++) {
        largest = fmax(largest, fmin(1, (n - i) * ranked[i].p));
        adjusted[ranked[i].at] = largest;
    }
    free(ranked);
    return CORD_OK;
}

/* ---- what could have been shown ------------------------------------------------------------------------------ */

/* Whether no exact test of so few pairs can reach alpha, were they all to differ in one direction. */
bool too_few(int n, double alpha) { return n < 1 || 2 * pow(0.5, n) >= alpha; }

/* Of how many things the least that could show anything. */
static int least(double alpha) {
    int n = 1;
    while (too_few(n, alpha)) n++;
    return n;
}

/* X of k pairs are on one side, each with probability q: P(X >= c) and P(X = c). */
struct tail {
    double sum, at;
};

static void tail_add_pair(struct tail *tail, int k, int c, double q) { /* k + 1 for k */
    double below = tail->at * c / (k - c + 1) * (1 - q) / q;
    tail->sum += q * below;
    tail->at *= (1 - q) * (k + 1) / (k + 1 - c);
}

static void tail_raise(struct tail *tail, int k, int c, double q) { /* c + 1 for c */
    tail->sum -= tail->at;
    tail->at *= q / (1 - q) * (k - c) / (c + 1);
}

static double binomial(int n, int k, double p) {
    double log_share = lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
    if (k) log_share += k * log(p);
    if (n - k) log_share += (n - k) * log1p(-p);
    return exp(log_share);
}

/* How probably McNemar's exact test finds the difference d. As many pairs must differ as it says. */
static double power_of(int n, double d, double discordance, double alpha) {
    double psi = fmax(discordance, d), q = fmin((1 + d / psi) / 2, 1 - 1e-12), power = 0;
    int k = least(alpha), c = k; /* of k pairs that differ, c must be on one side */
    struct tail chance = {pow(0.5, k), pow(0.5, k)}, true_difference = {pow(q, k), pow(q, k)};
    for (; k <= n; k++) {
        power += binomial(n, k, psi) * true_difference.sum;
        tail_add_pair(&chance, k, c, 0.5);
        tail_add_pair(&true_difference, k, c, q);
        if (2 * chance.sum < alpha) continue;
        tail_raise(&chance, k + 1, c, 0.5);
        tail_raise(&true_difference, k + 1, c, q);
        c++;
    }
    return power;
}

double detectable_share(int n, double discordance, double alpha, double power) {
    double low = 0, high = 1;
    if (too_few(n, alpha)) return (double)NAN;
    for (int i = 0; i < 50; i++) { /* what suffices for a difference suffices for larger ones */
        double middle = (low + high) / 2;
        if (power_of(n, middle, discordance, alpha) >= power)
            high = middle;
        else
            low = middle;
    }
    return high;
}

double detectable_mean(int n, int differ, double deviation, double alpha, double power) {
    if (n < 2 * least(alpha) || too_few(differ, alpha) || deviation <= 0) return (double)NAN;
    return (normal_quantile(1 - alpha / 2) + normal_quantile(power)) * deviation / sqrt(n);
}
