/* comparison.h - methods side by side on the same problems: means, differences with intervals and tests, and what they do
 * and do not establish, in plain sentences. It knows measures and statistics; it must not know journals, recipes or how a
 * table is laid out. */
#ifndef CORD_COMPARISON_H
#define CORD_COMPARISON_H

#include "eval/measures.h"
#include "eval/statistics.h"

/* The level of all tests, and the power of what could have been shown. */
#define COMPARISON_LEVEL 0.05
#define COMPARISON_POWER 0.8

/* A way of making trajectories, run once or with several seeds. */
struct method {
    const char *name;
    int n_seeds;
    const double *values;  /* [problem * MEASURES + measure]: the mean over its seeds; NAN: none has a value */
    struct hits hits;      /* the sum over them */
    double mean[MEASURES]; /* over problems that have a value; filled in by compare_methods */
    int of[MEASURES];      /* how many have */
};

/* One measure of one method against the baseline. */
struct difference {
    int method;
    enum measure measure;
    bool primary;           /* declared beforehand, so not adjusted */
    bool pairs;             /* McNemar's test on pairs; else signs of differences */
    int n;                  /* problems on which both have a value: PP may lack, where no score could be computed */
    int gained, lost;       /* those of them on which the method is better, worse */
    double mean, deviation; /* of the differences, method - baseline */
    double low, high;       /* 95 % interval; NAN where too few differ to tell, or all by the same */
    double p, adjusted;     /* Holm's, over all that are not primary; for the primary comparison p itself */
    struct signs signs;     /* where it is not pairs: how p was found */
    double level;           /* at which p is tested: 0.05, or Holm's for the least of all that are not primary */
    double detectable;      /* the smallest difference that so many problems could have shown at that level; NAN: none,
                             * or it cannot be told */
    const char
        *incomparable; /* why the measure is not the same of both ("PP is by two scorers"); NULL: it is. Whoever knows
                               * the runs puts it here */
};

struct comparison {
    struct method *methods;
    int n_methods, n_problems, baseline;
    bool no_primary;                /* none was declared beforehand: all are adjusted */
    struct difference *differences; /* accuracy and PP, the primary comparison's first */
    int n_differences;
};

/* Which measures are compared by tests. */
extern const enum measure compared_measures[2];

/* The primary comparison, where there is one, is the first method that is not the baseline against the baseline. Everything that is made lives in
 * the arena. */
cord_status compare_methods(struct comparison *comparison, const struct resampling *how, struct arena *arena,
                            cord_error *err);

/* Whether the test finds the difference, and the two can be compared at all. */
bool difference_is_established(const struct difference *difference);

/* Whether a measure is known of the same problems of all methods that have it, so that their means say what differences do. */
bool comparison_same_problems(const struct comparison *comparison, enum measure measure);
/* Whether the means of a measure of all methods can stand beside each other: known of all problems, and comparable. */
bool comparison_has_means(const struct comparison *comparison, enum measure measure);

/* Value over the baseline's; NAN where the baseline's is 0. */
double comparison_ratio(const struct comparison *comparison, int method, enum measure measure);

/* ---- quality against cost ------------------------------------------------------------------------------------ */

/* Whether another method reaches as much for less, or more for as much; comparison_has_means says so of both. */
bool comparison_is_beaten(const struct comparison *comparison, int method, enum measure quality, enum measure cost);

/* ---- budgets ------------------------------------------------------------------------------------------------- */

/* By what methods may have had the same to spend. */
struct budget_unit {
    const char *name;
    enum measure measure;
};
enum { BUDGET_UNITS = 7 };
extern const struct budget_unit budget_units[BUDGET_UNITS];
#define BUDGET_EQUAL 0.05 /* how far a ratio may be from 1 */

enum budget_verdict { BUDGET_SAME, BUDGET_DIFFERS, BUDGET_UNKNOWN };
enum budget_verdict comparison_budget(const struct comparison *comparison, int method, enum measure measure);
/* What one method spent on a problem, and by what that is the same as the baseline; a line each, without its end. */
void comparison_tell_budget(const struct comparison *comparison, int method, struct buf *out);
void comparison_tell_equal(const struct comparison *comparison, int method, const char *const *names, struct buf *out);

/* ---- in words ------------------------------------------------------------------------------------------------ */

/* What a difference establishes, as one paragraph; methods are called by `names`. */
void comparison_tell(const struct comparison *comparison, const struct difference *difference, const char *const *names,
                     struct buf *out);

#endif
