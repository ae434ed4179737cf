/* statistics.h - what can be said of a difference between two methods that were tried on the same problems: intervals,
 * tests, their adjustment where there are several, and what so many problems could have shown at all. Pure functions on
 * arrays; it must not know runs or what is measured. Formulas and sources: docs/compare.md.
 *
 * The unit is always the problem. Several seeds of a problem are one cluster: whoever calls takes their mean first, and
 * drawing problems then draws whole clusters (for clusters of equal size that is the same thing). */
#ifndef CORD_STATISTICS_H
#define CORD_STATISTICS_H

#include "base/base.h"

/* How samples are drawn. Equal seeds give equal results. */
struct resampling {
    int samples;  /* of the bootstrap, and of random signs where there are too many to try all */
    double level; /* of intervals, as 0.95 */
    uint64_t seed;
};

/* Standard normal distribution, and its inverse for 0 < p < 1. */
double normal_cdf(double x);
double normal_quantile(double p);

/* Mean and standard deviation (with n - 1; 0 for one value). */
void mean_deviation(const double *values, int n, double *mean, double *deviation);

/* An interval for the mean of `values` by the bootstrap, bias-corrected and accelerated (BCa: Efron 1987). Of paired
 * differences, one a problem. NAN for both ends where n < 2: one problem says nothing of how problems differ. */
cord_status bootstrap_mean(const double *values, int n, const struct resampling *how, double *low, double *high,
                           cord_error *err);

/* McNemar's exact test, two-sided: `gained` pairs that only the first has right, `lost` that only the second has. */
double mcnemar_exact(int gained, int lost);

/* A test of signs. Of random ones p is an estimate, though a valid p of its own; the p of all ways may lie above it. */
struct signs {
    double p;
    int random;  /* so many random ways were tried; 0: all there are were counted */
    int64_t far; /* of those random ones, as far from 0 as what was observed */
};

/* Whether the mean of paired differences is 0, two-sided, by changing their signs (Fisher 1935, Pitman 1937): all ways
 * where that are no more than 2^20, else how->samples random ones. Of differences that are 1, 0 and -1 it is McNemar's
 * exact test. */
struct signs sign_flip(const double *differences, int n, const struct resampling *how);

/* Holm's step-down adjustment (1979). `adjusted` may be `p` itself. */
cord_status holm_adjust(const double *p, int n, double *adjusted, cord_error *err);

/* Whether so few differences that are not 0 could not reach alpha in a test of signs, whatever came (n < 6 for 0.05). */
bool too_few(int n, double alpha);
/* The smallest true difference that a two-sided test at `alpha` would have found with probability `power`; NAN: none, or it
 * cannot be told. Where n is so small that an exact test could not reach alpha whatever came (n < 6 for 0.05), it is NAN.
 * Of two shares measured on n pairs, of which the share `discordance` differs, by McNemar's exact test: the sum over how many
 * pairs differ (Duffy 1984). A larger difference than that discordance makes as many differ, all in one direction. */
double detectable_share(int n, double discordance, double alpha, double power);
/* Of a mean of n differences with this standard deviation, `differ` of which are not 0, by a normal distribution. NAN where
 * that says nothing of a test of signs: for less than twice as many differences as could show anything, or less than that
 * not 0. */
double detectable_mean(int n, int differ, double deviation, double alpha, double power);

#endif
