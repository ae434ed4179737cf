/* test_statistics.c - the statistics against published examples, and against brute force: all samples of a bootstrap, all
 * binomial and trinomial sums, computed here in another way. */
#include "eval/near.h"
#include "support.h"

#include "eval/statistics.h"

#include <math.h>
#include <stdlib.h>

static const struct resampling usual = {10000, 0.95, 1};

/* ---- the normal distribution ----------------------------------------------------------------------------------- */

static void test_normal(void **state) {
    (void)state;
    assert_near(normal_quantile(0.975), 1.959963984540054, 1e-12); /* the tables' 1.96 */
    assert_near(normal_quantile(0.8), 0.8416212335729143, 1e-12);
    assert_near(normal_quantile(0.5), 0, 1e-12);
    for (int i = -20; i <= 20; i++) assert_near(normal_quantile(normal_cdf(i * 0.25)), i * 0.25, 1e-8);
    double area = 0; /* the density, summed up by Simpson's rule */
    for (int i = 0; i < 1000; i++) {
        double a = i * 0.0015, h = 0.0015;
        area += h / 6 * (exp(-a * a / 2) + 4 * exp(-(a + h / 2) * (a + h / 2) / 2) + exp(-(a + h) * (a + h) / 2));
    }
    assert_near(normal_cdf(1.5) - 0.5, area / sqrt(2 * acos(-1)), 1e-10);
}

/* ---- McNemar --------------------------------------------------------------------------------------------------- */

/* Pascal's triangle, row by row: another way to a binomial sum than by logarithms. */
static double binomial_tails(int n, int distance) {
    double row[1024] = {1};
    for (int i = 1; i <= n; i++)
        for (int k = i; k >= 0; k--) row[k] = (row[k] + (k ? row[k - 1] : 0)) / 2;
    double sum = 0;
    for (int k = 0; k <= n; k++)
        if (abs(2 * k - n) >= distance) sum += row[k];
    return sum;
}

static void test_mcnemar(void **state) {
    (void)state;
    assert_near(mcnemar_exact(0, 0), 1, 1e-12);
    assert_near(mcnemar_exact(0, 5), 0.0625, 1e-12);
    assert_near(mcnemar_exact(0, 6), 0.03125, 1e-12); /* fewer than six that differ never reach 0.05 */
    assert_near(mcnemar_exact(1, 11), 26.0 / 4096, 1e-12);
    for (int a = 0; a < 40; a++)
        for (int b = 0; b < 40; b++) assert_near(mcnemar_exact(a, b), binomial_tails(a + b, abs(a - b)), 1e-10);
    /* Agresti's ratings of a prime minister: 150 turned away and 86 came round; z^2 = 17.36, the exact p with it */
    double z2 = (150 - 86) * (150 - 86) / 236.0, asymptotic = 2 * normal_cdf(-sqrt(z2));
    assert_near(z2, 17.36, 0.005);
    assert_near(mcnemar_exact(86, 150), binomial_tails(236, 64), 1e-12);
    assert_true(mcnemar_exact(86, 150) > asymptotic && mcnemar_exact(86, 150) < 1.5 * asymptotic);
}

/* ---- signs ----------------------------------------------------------------------------------------------------- */

static void test_signs(void **state) {
    (void)state;
    /* Fisher's 15 pairs of Darwin's plants (1935), in eighths of an inch: 1,726 of 32,768 ways are as far from 0. */
    const double plants[] = {49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};
    assert_near(sign_flip(plants, 15, &usual).p, 1726.0 / 32768, 1e-12);
    /* of -1, 0 and 1 it is McNemar's test */
    double pairs[30];
    for (int a = 0; a < 8; a++)
        for (int b = 0; b < 8; b++) {
            for (int i = 0; i < 30; i++) pairs[i] = i < a ? 1 : i < a + b ? -1 : 0;
            assert_near(sign_flip(pairs, 30, &usual).p, mcnemar_exact(a, b), 1e-12);
        }
    /* and where there are too many ways, nearly so */
    double many[60];
    for (int i = 0; i < 60; i++) many[i] = i < 36 ? 1 : -1;
    struct resampling long_one = {200000, 0.95, 3};
    assert_near(sign_flip(many, 60, &long_one).p, mcnemar_exact(36, 24), 0.004);
    assert_true(sign_flip(many, 60, &long_one).p == sign_flip(many, 60, &long_one).p);
    for (int i = 0; i < 60; i++) many[i] = 1;
    assert_near(sign_flip(many, 60, &usual).p, 1.0 / 10001, 1e-12); /* never 0 */
    /* which says no more than that none of those 10,000 was as far; of all ways two are, and 2 of 2^15 were counted */
    struct signs signs = sign_flip(many, 60, &usual);
    assert_true(signs.random == 10000 && signs.far == 0);
    signs = sign_flip(many, 15, &usual);
    assert_near(signs.p, 2.0 / 32768, 1e-15);
    assert_int_equal(signs.random, 0);
    for (int i = 0; i < 60; i += 2) many[i] = -1;
    signs = sign_flip(many, 60, &usual); /* the sum is 0, and each is as far */
    assert_true(signs.p == 1 && signs.far == 10000);
    assert_near(sign_flip(many, 0, &usual).p, 1, 0);
}

/* ---- Holm ------------------------------------------------------------------------------------------------------ */

static void test_holm(void **state) {
    (void)state;
    /* the usual example of textbooks: 0.01, 0.04, 0.03, 0.005, of which two are rejected at 0.05 */
    double p[] = {0.01, 0.04, 0.03, 0.005}, adjusted[4];
    assert_ok(holm_adjust(p, 4, adjusted, err));
    const double want[] = {0.03, 0.06, 0.06, 0.02};
    for (int i = 0; i < 4; i++) assert_near(adjusted[i], want[i], 1e-15);
    assert_ok(holm_adjust(p, 4, p, err)); /* in place */
    for (int i = 0; i < 4; i++) assert_near(p[i], want[i], 1e-15);

    /* against the definition: the largest, over those not above it, of p times how many are not below */
    double random[8], out[8];
    struct rng rng;
    rng_init(&rng, 7);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 8; i++) random[i] = rng_uniform(&rng) * (round % 2 ? 1 : 0.1);
        assert_ok(holm_adjust(random, 8, out, err));
        for (int i = 0; i < 8; i++) {
            double largest = 0;
            for (int j = 0; j < 8; j++) {
                int rest = 0;
                for (int k = 0; k < 8; k++) rest += random[k] >= random[j];
                if (random[j] <= random[i]) largest = fmax(largest, rest * random[j]);
            }
            assert_near(out[i], fmin(1, largest), 1e-15);
        }
    }
}

/* ---- the bootstrap --------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All n^n samples, and where BCa's ends lie among them; the acceleration by leaving one out, as it is defined. */
static int all_means(const double *values, int n, double *means) {
    int ways = 1;
    for (int i = 0; i < n; i++) ways *= n;
    for (int w = 0; w < ways; w++) {
        double sum = 0;
        for (int i = 0, rest = w; i < n; i++, rest /= n) sum += values[rest % n];
        means[w] = sum / n;
    }
    qsort(means, (size_t)ways, sizeof *means, ascending);
    return ways;
}

static double bca_share(const double *values, int n, const double *means, int ways, double z) {
    double sum = 0, below = 0, left[8], middle = 0, squares = 0, cubes = 0;
    for (int i = 0; i < n; i++) sum += values[i];
    for (int w = 0; w < ways; w++)
        below += means[w] < sum / n - 1e-12 ? 1 : fabs(means[w] - sum / n) <= 1e-12 ? 0.5 : 0;
    for (int i = 0; i < n; i++) middle += (left[i] = (sum - values[i]) / (n - 1)) / n;
    for (int i = 0; i < n; i++) {
        squares += pow(middle - left[i], 2);
        cubes += pow(middle - left[i], 3);
    }
    double a = cubes / (6 * pow(squares, 1.5)), z0 = normal_quantile(below / ways);
    return normal_cdf(z0 + (z0 + z) / (1 - a * (z0 + z)));
}

static void test_bootstrap_exact(void **state) {
    (void)state;
    static double means[46656];
    const double lists[][6] = {
        {0.1, 0.35, -0.2, 0.82, 0.05, 0.4}, {0, 0.01, 0.03, 0.02, 0.05, 3}, {-1, 1, 2, 4, 8, 16}};
    for (int l = 0; l < 3; l++) {
        const struct resampling how = {400000, 0.9, (uint64_t)l};
        double low, high, z = normal_quantile(0.95);
        assert_ok(bootstrap_mean(lists[l], 6, &how, &low, &high, err));
        int ways = all_means(lists[l], 6, means);
        /* the share of all means that lie below each end, up to those that equal it */
        for (int end = 0; end < 2; end++) {
            double at = end ? high : low, want = bca_share(lists[l], 6, means, ways, end ? z : -z), below = 0, to = 0;
            for (int w = 0; w < ways; w++) below += means[w] < at - 1e-9, to += means[w] <= at + 1e-9;
            if (want < below / ways - 0.003 || want > to / ways + 0.003)
                fail_msg("list %d: %.4f of the means should lie below %g, and %.4f to %.4f do", l, want, at,
                         below / ways, to / ways);
        }
    }
}

/* Several seeds of a problem are one cluster. Drawing whole clusters of single observations, all ways there are, gives the
 * means that drawing the problems' means gives; drawing the observations one by one would give too narrow an interval. */
static void test_clusters(void **state) {
    (void)state;
    enum { PROBLEMS = 5, SEEDS = 3, WAYS = 3125 };
    const double raw[PROBLEMS][SEEDS] = {{1, 1, 0}, {0, 0, 0}, {-1, 0, 0}, {1, 1, 1}, {0.5, 1, 1}};
    static double clusters[WAYS], means[WAYS];
    double values[PROBLEMS], all[PROBLEMS * SEEDS], low[2], high[2];
    for (int p = 0; p < PROBLEMS; p++) {
        values[p] = (raw[p][0] + raw[p][1] + raw[p][2]) / SEEDS;
        memcpy(&all[p * SEEDS], raw[p], sizeof raw[p]);
    }
    for (int w = 0; w < WAYS; w++) {
        double sum = 0;
        for (int i = 0, rest = w; i < PROBLEMS; i++, rest /= PROBLEMS)
            for (int s = 0; s < SEEDS; s++) sum += raw[rest % PROBLEMS][s];
        clusters[w] = sum / (PROBLEMS * SEEDS);
    }
    qsort(clusters, WAYS, sizeof *clusters, ascending);
    assert_int_equal(all_means(values, PROBLEMS, means), WAYS);
    for (int w = 0; w < WAYS; w++) assert_near(clusters[w], means[w], 1e-12);
    assert_ok(bootstrap_mean(values, PROBLEMS, &usual, &low[0], &high[0], err));
    assert_ok(bootstrap_mean(all, PROBLEMS * SEEDS, &usual, &low[1], &high[1], err));
    assert_true(high[0] - low[0] > 1.1 * (high[1] - low[1]));
}

static void test_bootstrap(void **state) {
    (void)state;
    double low, high, again[2], values[200];
    for (int i = 0; i < 5; i++) values[i] = 0.25;
    assert_ok(bootstrap_mean(values, 5, &usual, &low, &high, err));
    assert_near(low, 0.25, 1e-12);
    assert_near(high, 0.25, 1e-12);
    assert_ok(bootstrap_mean(values, 1, &usual, &low, &high, err));
    assert_true(isnan(low) && isnan(high));

    /* many values of an even distribution: the normal interval, and the same again by the same seed */
    for (int i = 0; i < 200; i++) values[i] = (i * 37 % 200) / 200.0;
    double mean, deviation, half;
    mean_deviation(values, 200, &mean, &deviation);
    assert_near(mean, 0.4975, 1e-12);
    assert_near(deviation, sqrt((200.0 * 200 - 1) / 12 / 200 / 200 * 200 / 199), 1e-12);
    half = 1.96 * deviation / sqrt(200);
    assert_ok(bootstrap_mean(values, 200, &usual, &low, &high, err));
    assert_near(low, mean - half, 0.003);
    assert_near(high, mean + half, 0.003);
    assert_ok(bootstrap_mean(values, 200, &usual, &again[0], &again[1], err));
    assert_true(again[0] == low && again[1] == high);
    /* the other way round it is the other way round */
    double turned[200];
    for (int samples = 1000; samples <= 1100; samples += 7) {
        const struct resampling how = {samples, 0.95, 1};
        for (int i = 0; i < 25; i++) turned[i] = -values[i];
        assert_ok(bootstrap_mean(values, 25, &how, &low, &high, err));
        assert_ok(bootstrap_mean(turned, 25, &how, &again[0], &again[1], err));
        assert_near(again[0], -high, 1e-15);
        assert_near(again[1], -low, 1e-15);
    }
    assert_ok(bootstrap_mean(values, 200, &usual, &low, &high, err));
    const struct resampling other = {10000, 0.95, 2};
    assert_ok(bootstrap_mean(values, 200, &other, &again[0], &again[1], err));
    assert_true(again[0] != low);
}

/* 95 of 100 intervals of skewed values hold the true mean, or nearly so many; 2,000 times 40 of them. */
static void test_coverage(void **state) {
    (void)state;
    struct rng rng;
    int held = 0;
    rng_init(&rng, 11);
    for (int t = 0; t < 2000; t++) {
        double values[40], low, high;
        for (int i = 0; i < 40; i++) values[i] = -log(1 - rng_uniform(&rng));
        const struct resampling how = {1000, 0.95, (uint64_t)t};
        assert_ok(bootstrap_mean(values, 40, &how, &low, &high, err));
        held += low <= 1 && 1 <= high;
    }
    assert_true(held > 2000 * 0.915 && held < 2000 * 0.965);
}

/* ---- what could have been shown -------------------------------------------------------------------------------- */

/* The probability that McNemar's exact test finds a difference: all triples of pairs won, lost and equal, each with its
 * probability. */
static double power_of(int n, double won, double lost, double alpha) {
    double sum = 0;
    for (int b = 0; b <= n; b++)
        for (int c = 0; b + c <= n && c < b; c++) {
            if (mcnemar_exact(b, c) >= alpha) continue;
            int rest = n - b - c;
            double p = lgamma(n + 1.0) - lgamma(b + 1.0) - lgamma(c + 1.0) - lgamma(rest + 1.0);
            if ((b && won <= 0) || (c && lost <= 0) || (rest && won + lost >= 1)) continue;
            if (b) p += b * log(won);
            if (c) p += c * log(lost);
            if (rest) p += rest * log(1 - won - lost);
            sum += exp(p);
        }
    return sum;
}

static void test_detectable(void **state) {
    (void)state;
    const int sizes[] = {6, 8, 10, 16, 50, 100};
    const double discordances[] = {0, 0.15, 0.3, 0.5, 1}, levels[] = {0.05, 0.05 / 14};
    int checked = 0;
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 5; j++)
            for (int k = 0; k < 2; k++) {
                int n = sizes[i];
                double d = detectable_share(n, discordances[j], levels[k], 0.8), psi = fmax(d, discordances[j]);
                assert_int_equal(isnan(d), 2 * pow(0.5, n) >= levels[k]);
                if (isnan(d)) continue;
                assert_near(power_of(n, (psi + d) / 2, (psi - d) / 2, levels[k]), 0.8, 1e-3);
                checked++;
            }
    assert_int_equal(checked, 50);
    /* reckoned by another program, with sums of its own */
    assert_near(detectable_share(6, 0, 0.05, 0.8), 0.963, 6e-4);
    assert_near(detectable_share(8, 0.25, 0.05, 0.8), 0.801, 6e-4);
    assert_near(detectable_share(10, 0.2, 0.05, 0.8), 0.673, 6e-4);
    assert_near(detectable_share(16, 0.5, 0.05, 0.8), 0.474, 6e-4);
    assert_near(detectable_share(100, 0.42, 0.05, 0.8), 0.186, 6e-4);
    double large = detectable_share(20000, 0.3, 0.05, 0.8); /* Connor's formula, of normal distributions */
    assert_near(20000 * large * large, pow(1.959964 * sqrt(0.3) + 0.841621 * sqrt(0.3 - large * large), 2), 0.1);
    /* the textbook's (z + z)^2 = 7.85: with 32 pairs half a standard deviation can be seen */
    assert_near(detectable_mean(32, 32, 1, 0.05, 0.8), 0.495, 0.001);
    assert_near(pow(detectable_mean(100, 6, 2, 0.05, 0.8) / 2 * 10, 2), 7.849, 0.001);
    assert_true(isnan(detectable_mean(0, 0, 1, 0.05, 0.8)) && isnan(detectable_mean(40, 40, 0, 0.05, 0.8)));
    assert_true(isnan(detectable_mean(11, 11, 1, 0.05, 0.8)) && !isnan(detectable_mean(12, 12, 1, 0.05, 0.8)));
    assert_true(isnan(detectable_mean(40, 5, 1, 0.05, 0.8)) && !isnan(detectable_mean(40, 6, 1, 0.05, 0.8)));
    assert_true(isnan(detectable_mean(19, 19, 1, 0.05 / 14, 0.8)) &&
                !isnan(detectable_mean(20, 20, 1, 0.05 / 14, 0.8)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal),   cmocka_unit_test(test_mcnemar),   cmocka_unit_test(test_signs),
        cmocka_unit_test(test_holm),     cmocka_unit_test(test_bootstrap), cmocka_unit_test(test_bootstrap_exact),
        cmocka_unit_test(test_coverage), cmocka_unit_test(test_clusters),  cmocka_unit_test(test_detectable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
