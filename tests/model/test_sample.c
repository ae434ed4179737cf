/* test_sample.c - drawing one token: frequencies against the exact softmax, cuts against a brute force that sorts all. No
 * weights are needed. */
#include "support.h"

#include "model/local/local.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_VOCAB = 2000 };

static struct buf scratch;

/* A token that nothing stands before. */
static llama_token draw(float *logits, int n, const cord_sampling *sampling, struct rng *rng) {
    return sample_token(logits, n, NULL, 0, sampling, rng, &scratch);
}

/* ---- brute force --------------------------------------------------------------------------------------------- */

static const float *sorted_by;

static int by_value(const void *a, const void *b) {
    int i = *(const int *)a, j = *(const int *)b;
    if (sorted_by[i] != sorted_by[j]) return sorted_by[i] < sorted_by[j] ? 1 : -1;
    return (i > j) - (i < j);
}

/* The probability of every token under these settings: full softmax at the temperature, full sort, then top-k, top-p of what
 * is left, min-p; each in its textbook form. */
static void exact(const float *logits, int n, const cord_sampling *sampling, double *p) {
    int order[MAX_VOCAB];
    for (int i = 0; i < n; i++) order[i] = i;
    sorted_by = logits;
    qsort(order, (size_t)n, sizeof *order, by_value);
    long double total = 0;
    for (int i = 0; i < n; i++)
        p[i] = exp(((double)logits[i] - (double)logits[order[0]]) / (double)sampling->temperature);
    if (sampling->top_k > 0)
        for (int i = sampling->top_k; i < n; i++) p[order[i]] = 0;
    for (int i = 0; i < n; i++) total += (long double)p[i];
    long double sum = 0;
    for (int i = 0; i < n; i++) { /* the smallest set whose mass reaches top_p */
        if (sampling->top_p > 0 && sampling->top_p < 1 && i > 0 && sum >= (long double)sampling->top_p * total)
            p[order[i]] = 0;
        sum += (long double)p[order[i]];
    }
    for (int i = 1; i < n; i++)
        if (p[order[i]] < (double)sampling->min_p * p[order[0]]) p[order[i]] = 0;
    total = 0;
    for (int i = 0; i < n; i++) total += (long double)p[i];
    for (int i = 0; i < n; i++) p[i] = (double)((long double)p[i] / total);
}

static void random_logits(float *logits, int n, double spread, uint64_t seed) {
    struct rng rng;
    rng_init(&rng, seed);
    for (int i = 0; i < n; i++) /* nearly normal: a sum of uniforms */
        logits[i] = (float)(spread * (rng_uniform(&rng) + rng_uniform(&rng) + rng_uniform(&rng) - 1.5) * 2);
}

/* ---- frequencies --------------------------------------------------------------------------------------------- */

/* Draws and compares with the exact probabilities: nothing outside the cut set, and chi-square within five standard
 * deviations (Wilson and Hilferty's cube root makes it normal); rare tokens are counted together. */
static void check_frequencies(float *logits, int n, cord_sampling sampling, uint64_t seed) {
    enum { DRAWS = 40000 };
    static int count[MAX_VOCAB];
    double p[MAX_VOCAB];
    memset(count, 0, sizeof count);
    exact(logits, n, &sampling, p);
    struct rng rng;
    rng_init(&rng, seed);
    for (int d = 0; d < DRAWS; d++) {
        llama_token token = draw(logits, n, &sampling, &rng);
        assert_in_range(token, 0, n - 1);
        if (p[token] <= 0) fail_msg("token %d was drawn, which is cut off", token);
        count[token]++;
    }
    double chi = 0, rare = 0, cells = 0, rare_count = 0;
    for (int i = 0; i < n; i++) {
        double want = p[i] * DRAWS;
        if (want < 10) {
            rare += want;
            rare_count += count[i];
            continue;
        }
        chi += (count[i] - want) * (count[i] - want) / want;
        cells++;
    }
    if (rare > 5) chi += (rare_count - rare) * (rare_count - rare) / rare, cells++;
    double k = cells - 1;
    if (k < 1) return;
    double z = (cbrt(chi / k) - (1 - 2 / (9 * k))) / sqrt(2 / (9 * k));
    if (z > 5)
        fail_msg("T %g, top_k %d, top_p %g, min_p %g: chi-square %.1f with %.0f degrees of freedom (z %.1f)",
                 (double)sampling.temperature, sampling.top_k, (double)sampling.top_p, (double)sampling.min_p, chi, k,
                 z);
}

static void frequencies_are_the_softmax(void **state) {
    (void)state;
    float logits[40];
    for (uint64_t seed = 1; seed <= 3; seed++) {
        random_logits(logits, 40, 2, seed);
        check_frequencies(logits, 40, (cord_sampling){.temperature = 0.6f, .top_p = 1}, seed);
        check_frequencies(logits, 40, (cord_sampling){.temperature = 1.0f, .top_p = 1}, seed);
        check_frequencies(logits, 40, (cord_sampling){.temperature = 1.7f, .top_p = 1}, seed);
        check_frequencies(logits, 40, (cord_sampling){.temperature = 1}, seed); /* top_p 0 is off, too */
    }
}

static void frequencies_after_cuts(void **state) {
    (void)state;
    float logits[100];
    random_logits(logits, 100, 2, 7);
    const cord_sampling settings[] = {
        {.temperature = 0.6f, .top_p = 1, .top_k = 5},
        {.temperature = 1, .top_p = 1, .top_k = 1},
        {.temperature = 1, .top_p = 0.9f},
        {.temperature = 0.6f, .top_p = 0.95f},
        {.temperature = 1, .top_p = 1, .min_p = 0.05f},
        {.temperature = 1, .top_p = 0.9f, .top_k = 20},
        {.temperature = 1, .top_p = 0.8f, .min_p = 0.1f, .top_k = 30},
        {.temperature = 0.6f, .top_p = 0.95f, .min_p = 0.02f, .top_k = 40},
        {.temperature = 1, .top_p = 0.01f},
        {.temperature = 1, .top_p = 1, .min_p = 1},
        {.temperature = 1, .top_p = 1, .top_k = 1000},
        {.temperature = 1, .top_k = 5},
        {.temperature = 1, .min_p = 0.05f},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) check_frequencies(logits, 100, settings[i], i);
}

/* ---- cut sets ------------------------------------------------------------------------------------------------ */

/* On many small vocabularies with ties: what is drawn is what the brute force leaves, all of it. */
static void cut_sets_are_the_brute_force(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 11);
    for (int round = 0; round < 400; round++) {
        float logits[12];
        double p[MAX_VOCAB];
        int n = 1 + (int)(rng_next(&rng) % 12);
        for (int i = 0; i < n; i++) logits[i] = 0.25f * (float)(rng_next(&rng) % 9);
        cord_sampling sampling = {.temperature = 0.5f + (float)rng_uniform(&rng),
                                  .top_p = rng_next(&rng) % 2 ? 1 : (float)rng_uniform(&rng),
                                  .min_p = rng_next(&rng) % 2 ? 0 : (float)rng_uniform(&rng),
                                  .top_k = (int)(rng_next(&rng) % 14)};
        exact(logits, n, &sampling, p);
        bool seen[12] = {false};
        for (int d = 0; d < 2000; d++) seen[draw(logits, n, &sampling, &rng)] = true;
        for (int i = 0; i < n; i++)
            if (seen[i] ? p[i] <= 0 : p[i] > 0.01)
                fail_msg("round %d: token %d with probability %g was %s", round, i, p[i],
                         seen[i] ? "drawn" : "never drawn");
    }
}

/* The candidates are gathered above a threshold; a flat row of a large vocabulary must lose none. */
static void a_flat_row_keeps_all(void **state) {
    (void)state;
    static float logits[MAX_VOCAB];
    static bool seen[MAX_VOCAB];
    struct rng rng;
    rng_init(&rng, 5);
    int different = 0;
    for (int d = 0; d < 20000; d++) {
        llama_token token = draw(logits, MAX_VOCAB, &(cord_sampling){.temperature = 1, .top_p = 1}, &rng);
        different += !seen[token];
        seen[token] = true;
    }
    assert_true(different > MAX_VOCAB - 10); /* on average 0.09 of them are not drawn */
}

/* ---- repetition ---------------------------------------------------------------------------------------------- */

/* The row against the formula, written out for every token of the vocabulary: is it among the last ones? */
static void repetition_is_penalised_once(void **state) {
    (void)state;
    enum { VOCAB = 1000, SAID = 200 };
    struct rng rng;
    rng_init(&rng, 21);
    llama_token before[SAID];
    for (int i = 0; i < SAID; i++) before[i] = (llama_token)(rng_next(&rng) % (i < 150 ? VOCAB : 20));
    static const struct {
        float penalty;
        int last, said, counts; /* how many of them count */
    } cases[] = {
        {1.3f, 0, SAID, 64},     {1.3f, 10, SAID, 10}, {1.3f, 1, SAID, 1}, {2, 150, SAID, 150},
        {1.1f, 1000, SAID, 200}, {1.3f, 0, 5, 5},      {1.3f, 0, 0, 0},    {0.5f, 30, SAID, 30},
        {1, 0, SAID, 0},         {0, 0, SAID, 0},      {-1, 0, SAID, 0},   {1.3f, 2000000000, SAID, SAID},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        float logits[VOCAB], want[VOCAB];
        random_logits(logits, VOCAB, 2, c);
        logits[before[SAID - 1]] = c % 2 ? -INFINITY : 0; /* stay what they are */
        int best = 0;
        for (int t = 0; t < VOCAB; t++) {
            bool said = false;
            for (int i = cases[c].said - cases[c].counts; i < cases[c].said; i++) said = said || before[i] == t;
            want[t] = !said ? logits[t] : logits[t] > 0 ? logits[t] / cases[c].penalty : logits[t] * cases[c].penalty;
            if (want[t] > want[best]) best = t;
        }
        cord_sampling sampling = {.repeat_penalty = cases[c].penalty, .repeat_last = cases[c].last};
        assert_int_equal(sample_token(logits, VOCAB, before, cases[c].said, &sampling, &rng, &scratch), best);
        assert_memory_equal(logits, want, sizeof want);
    }
}

/* However large `last` is, no more than 4096 count. */
static void repetition_looks_back_so_far(void **state) {
    (void)state;
    enum { SAID = 4098 };
    static llama_token before[SAID];
    struct rng rng;
    rng_init(&rng, 1);
    before[0] = 1, before[1] = 2, before[2] = 3; /* the rest are 0; the last 4096 begin with the 3 */
    float logits[4] = {1, 1, 1, 1};
    cord_sampling sampling = {.repeat_penalty = 2, .repeat_last = 5000};
    assert_int_equal(sample_token(logits, 4, before, SAID, &sampling, &rng, &scratch), 1);
    assert_memory_equal(logits, ((const float[]){0.5f, 1, 1, 0.5f}), sizeof logits);
}

/* ---- the rest ------------------------------------------------------------------------------------------------ */

static void no_token_is_drawn_from_no_numbers(void **state) {
    (void)state;
    float logits[40];
    struct rng rng;
    rng_init(&rng, 1);
    for (int i = 0; i < 40; i++) logits[i] = NAN;
    assert_int_equal(draw(logits, 40, &(cord_sampling){.top_p = 1}, &rng), LLAMA_TOKEN_NULL);
    assert_int_equal(draw(logits, 40, &(cord_sampling){.temperature = 1, .top_p = 0.9f}, &rng), LLAMA_TOKEN_NULL);
    assert_true(isnan(sample_logprob(logits, 40, 3)));
}

static void no_temperature_takes_the_best(void **state) {
    (void)state;
    float logits[333];
    struct rng rng;
    for (int n = 1; n <= 333; n++) {
        random_logits(logits, n, 3, (uint64_t)n);
        int best = 0;
        for (int i = 1; i < n; i++)
            if (logits[i] > logits[best]) best = i;
        rng_init(&rng, 1);
        assert_int_equal(draw(logits, n, &(cord_sampling){.top_p = 0.5f, .top_k = 3}, &rng), best);
        logits[n - 1] = logits[best] + 1; /* the last ones are not part of a full stride */
        assert_int_equal(draw(logits, n, &(cord_sampling){.top_p = 1}, &rng), n - 1);
    }
}

static void equal_seeds_give_equal_draws(void **state) {
    (void)state;
    float logits[200];
    random_logits(logits, 200, 1, 3);
    int same = 0;
    struct rng a, b, c;
    rng_init(&a, 42), rng_init(&b, 42), rng_init(&c, 43);
    for (int d = 0; d < 200; d++) {
        cord_sampling sampling = {.temperature = 0.8f, .top_p = 0.95f};
        llama_token x = draw(logits, 200, &sampling, &a);
        assert_int_equal(x, draw(logits, 200, &sampling, &b));
        same += x == draw(logits, 200, &sampling, &c);
    }
    assert_true(same < 50);
}

static void logprob_is_the_log_softmax(void **state) {
    (void)state;
    static float logits[MAX_VOCAB];
    double worst = 0;
    for (uint64_t seed = 0; seed < 30; seed++) {
        int n = 1 + (int)(seed * 67) % MAX_VOCAB;
        random_logits(logits, n, seed % 3 == 0 ? 40 : 5, seed);
        if (seed == 7) logits[0] = 500; /* far above the others, where a naive exp overflows a float */
        if (seed == 8) logits[n / 2] = -INFINITY;
        long double sum = 0, max = -HUGE_VALL;
        for (int i = 0; i < n; i++) max = (long double)logits[i] > max ? (long double)logits[i] : max;
        for (int i = 0; i < n; i++) sum += expl((long double)logits[i] - max);
        for (int i = 0; i < n; i += 7) {
            if (isinf(logits[i])) continue;
            double want = (double)((long double)logits[i] - max - logl(sum)), got = sample_logprob(logits, n, i);
            worst = fmax(worst, fabs(got - want));
        }
    }
    printf("log-softmax: worst difference %.3g\n", worst);
    assert_true(worst < 1e-11);
}

int main(void) {
    buf_init(&scratch, "scratch", 1 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequencies_are_the_softmax),       cmocka_unit_test(frequencies_after_cuts),
        cmocka_unit_test(cut_sets_are_the_brute_force),      cmocka_unit_test(a_flat_row_keeps_all),
        cmocka_unit_test(repetition_is_penalised_once),      cmocka_unit_test(repetition_looks_back_so_far),
        cmocka_unit_test(no_token_is_drawn_from_no_numbers), cmocka_unit_test(no_temperature_takes_the_best),
        cmocka_unit_test(equal_seeds_give_equal_draws),      cmocka_unit_test(logprob_is_the_log_softmax),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&scratch);
    return failed;
}
