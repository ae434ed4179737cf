/* sample.c - one token from a row of logits. It must not know where they come from.
 *
 * A row has about 150,000 logits, nearly all of which are too unlikely ever to be drawn. So there is one pass for the sum of
 * all weights, which the compiler can do many at a time, and only what lies above a threshold is looked at one by one and
 * sorted; the threshold is lowered until enough is above it. */
#include "model/local/local.h"

#include <math.h>
#include <stdlib.h>

struct choice {
    float logit;
    llama_token id;
    double weight; /* exp((logit - max) / temperature), not normalised */
};

/* ---- passes over a whole row --------------------------------------------------------------------------------- */

enum { LANES = 16 }; /* floats in the widest registers */

static float largest(const float *x, int n) {
    float lane[LANES];
    for (int j = 0; j < LANES; j++) lane[j] = x[0];
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++) lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    for (; i < n; i++) lane[0] = x[i] > lane[0] ? x[i] : lane[0];
    for (int j = 1; j < LANES; j++) lane[0] = lane[j] > lane[0] ? lane[j] : lane[0];
    return lane[0];
}

static llama_token first_at(const float *x, int n, float value) {
    for (int i = 0; i < n; i++)
        if (x[i] == value) return i;
    return 0;
}

/* exp(x) for x <= 0, to 2e-7 of its value, without a branch or a call: 2^k times the Taylor series of the rest. */
static inline float exp_of_negative(float x) {
    x = x < -87.0f ? -87.0f : x;
    float k = (x * 1.44269504f + 12582912.0f) - 12582912.0f; /* to the nearest whole number */
    float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;   /* ln 2 in two parts */
    float p = 1 + r * (1 + r * (0.5f + r * (1 / 6.0f + r * (1 / 24.0f + r * (1 / 120.0f + r * (1 / 720.0f))))));
    union {
        int32_t bits;
        float value;
    } scale = {((int32_t)k + 127) << 23};
    return p * scale.value;
}

/* Sum of exp((x - max) / temperature): in float over short stretches, in double over these. */
static double total_weight(const float *x, int n, float max, float temperature) {
    enum { STRETCH = 16 * LANES };
    float inverse = 1 / temperature;
    double total = 0;
    int i = 0;
    for (; i + STRETCH <= n; i += STRETCH) {
        float lane[LANES] = {0};
        for (int k = 0; k < STRETCH; k += LANES)
            for (int j = 0; j < LANES; j++) lane[j] += exp_of_negative((x[i + k + j] - max) * inverse);
        for (int j = 0; j < LANES; j++) total += (double)lane[j];
    }
    for (; i < n; i++) total += (double)exp_of_negative((x[i] - max) * inverse);
    return total;
}

/* ---- repetition ---------------------------------------------------------------------------------------------- */

enum { REPEAT_LAST = 64 };

/* Whether a token is among these. (No early way out, so that the compiler can compare many at a time.) */
static bool among(llama_token token, const llama_token *tokens, int n) {
    int found = 0;
    for (int i = 0; i < n; i++) found |= tokens[i] == token;
    return found;
}

/* However often a token was said, it is penalised once. Where `before` is short of the window, all of it counts. */
static void penalise_repetition(float *logits, const llama_token *before, int n_before, const cord_sampling *sampling) {
    float penalty = sampling->repeat_penalty;
    if (penalty <= 0 || penalty == 1) return;
    int last = sampling->repeat_last > 0 ? sampling->repeat_last : REPEAT_LAST;
    if (last > REPEAT_MOST) last = REPEAT_MOST;
    if (last > n_before) last = n_before;
    const llama_token *recent = before + (n_before - last);
    for (int i = 0; i < last; i++) {
        if (among(recent[i], recent, i)) continue;
        float *logit = &logits[recent[i]];
        *logit = *logit > 0 ? *logit / penalty : *logit * penalty;
    }
}

/* ---- choosing ------------------------------------------------------------------------------------------------ */

static int by_logit(const void *a, const void *b) {
    const struct choice *x = a, *y = b;
    if (x->logit != y->logit) return x->logit < y->logit ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* All tokens within `window` of the best, most likely first; *weight is their sum. */
static int gather(const float *logits, int n, float max, float window, float temperature, struct buf *scratch,
                  double *weight) {
    buf_clear(scratch);
    for (int i = 0; i < n; i++) {
        if (logits[i] < max - window) continue;
        struct choice choice = {logits[i], i, exp((double)(logits[i] - max) / (double)temperature)};
        buf_add(scratch, (cord_text){(const char *)&choice, sizeof choice});
    }
    int count = (int)(scratch->len / sizeof(struct choice));
    struct choice *choices = (struct choice *)(void *)scratch->data;
    if (count) qsort(choices, (size_t)count, sizeof *choices, by_logit);
    *weight = 0;
    for (int i = 0; i < count; i++) *weight += choices[i].weight;
    return count;
}

/* Gathers as many of the likeliest as top-k, top-p or min-p can need. */
static int gather_enough(const float *logits, int n, float max, const cord_sampling *sampling, double total,
                         struct buf *scratch) {
    static const float windows[] = {2, 5, 10, 20, 87};
    float temperature = sampling->temperature, least = 87;
    /* min-p itself tells how far down it reaches; but top-k comes first and must see all of its own */
    if (sampling->min_p > 0 && sampling->top_k <= 0) least = logf(1 / sampling->min_p) + 0.01f;
    int count = 0;
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++) {
        double weight;
        float window = windows[w] < least ? windows[w] : least;
        count = gather(logits, n, max, window * temperature, temperature, scratch, &weight);
        /* top-p is a share of what top-k leaves, so with top-k all of that is needed */
        bool enough = sampling->top_k > 0 ? count >= sampling->top_k : weight >= (double)sampling->top_p * total;
        if (enough || windows[w] >= least) break;
    }
    return count;
}

/* How many of the likeliest stay after top-k, top-p and min-p, in this order, each of what is left. `total` is the weight
 * of all tokens, gathered or not. */
static int truncated(const struct choice *choices, int n, double total, const cord_sampling *sampling) {
    if (sampling->top_k > 0 && n >= sampling->top_k) {
        n = sampling->top_k;
        total = 0;
        for (int i = 0; i < n; i++) total += choices[i].weight;
    }
    if (sampling->top_p < 1) {
        double sum = 0;
        int keep = 0;
        while (keep < n && sum < (double)sampling->top_p * total) sum += choices[keep++].weight;
        n = keep > 0 ? keep : 1;
    }
    if (sampling->min_p > 0)
        while (n > 1 && choices[n - 1].weight < (double)sampling->min_p * choices[0].weight) n--;
    return n;
}

/* A draw from all tokens, in the order of their ids. */
static llama_token draw_from_all(const float *logits, int n, float max, float temperature, double total,
                                 struct rng *rng) {
    double draw = rng_uniform(rng) * total;
    float inverse = 1 / temperature;
    llama_token last = first_at(logits, n, max); /* where rounding leaves a rest behind the end */
    for (int i = 0; i < n; i++) {
        draw -= (double)exp_of_negative((logits[i] - max) * inverse);
        if (draw < 0) return i;
    }
    return last;
}

llama_token sample_token(float *logits, int n, const llama_token *before, int n_before, const cord_sampling *wanted,
                         struct rng *rng, struct buf *scratch) {
    cord_sampling without_top_p = *wanted;
    without_top_p.top_p = 1;
    const cord_sampling *sampling = wanted->top_p > 0 ? wanted : &without_top_p;
    penalise_repetition(logits, before, n_before, sampling);
    float max = largest(logits, n);
    if (isnan(max)) return LLAMA_TOKEN_NULL;
    if (sampling->temperature <= 0) return first_at(logits, n, max);
    double total = total_weight(logits, n, max, sampling->temperature);
    if (sampling->top_p >= 1 && sampling->top_k <= 0 && sampling->min_p <= 0)
        return draw_from_all(logits, n, max, sampling->temperature, total, rng);

    int count = gather_enough(logits, n, max, sampling, total, scratch);
    const struct choice *choices = (const struct choice *)(const void *)scratch->data;
    if (scratch->status != CORD_OK || count == 0) return first_at(logits, n, max);
    count = truncated(choices, count, total, sampling);
    double weight = 0;
    for (int i = 0; i < count; i++) weight += choices[i].weight;
    double draw = rng_uniform(rng) * weight;
    int chosen = 0;
    while (chosen < count - 1 && draw >= choices[chosen].weight) draw -= choices[chosen++].weight;
    return choices[chosen].id;
}

double sample_logprob(const float *logits, int n, llama_token token) {
    double max = (double)largest(logits, n), sum = 0;
    for (int i = 0; i < n; i++) sum += exp((double)logits[i] - max);
    return (double)logits[token] - max - log(sum);
}
