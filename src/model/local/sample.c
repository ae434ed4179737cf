/* sample.c - one token from a row of logits. It must not know where they come from.
 *
 * A row has about 150,000 logits, nearly all of which are too unlikely ever to be drawn, so nothing is sorted but the few
 * that can be: candidates are gathered above a threshold that is lowered until enough of the mass is among them. */
#include "model/local/local.h"

#include <math.h>
#include <stdlib.h>

struct choice {
    float logit;
    llama_token id;
    double p;
};

/* Largest of n floats; several at once, so that the compiler can use wide registers. */
static float largest(const float *x, int n) {
    float lane[16];
    for (int j = 0; j < 16; j++) lane[j] = x[0];
    int i = 0;
    for (; i + 16 <= n; i += 16)
        for (int j = 0; j < 16; j++) lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    for (; i < n; i++) lane[0] = x[i] > lane[0] ? x[i] : lane[0];
    for (int j = 1; j < 16; j++) lane[0] = lane[j] > lane[0] ? lane[j] : lane[0];
    return lane[0];
}

static llama_token first_at(const float *x, int n, float value) {
    for (int i = 0; i < n; i++)
        if (x[i] == value) return i;
    return 0;
}

static int by_logit(const void *a, const void *b) {
    const struct choice *x = a, *y = b;
    if (x->logit != y->logit) return x->logit < y->logit ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* All tokens within `window` of the best, most likely first, with p = exp((logit - max) / T); their sum in *mass. */
static int gather(const float *logits, int n, float max, float window, float temperature, struct buf *scratch,
                  double *mass) {
    buf_clear(scratch);
    for (int i = 0; i < n; i++) {
        if (logits[i] < max - window) continue;
        struct choice choice = {logits[i], i, exp((double)(logits[i] - max) / (double)temperature)};
        buf_add(scratch, (cord_text){(const char *)&choice, sizeof choice});
    }
    int count = (int)(scratch->len / sizeof(struct choice));
    struct choice *options = (struct choice *)(void *)scratch->data;
    if (count) qsort(options, (size_t)count, sizeof *options, by_logit);
    *mass = 0;
    for (int i = 0; i < count; i++) *mass += options[i].p;
    return count;
}

/* How many of the most likely options stay after top-k, top-p and min-p, in this order, each of what is left. */
static int truncated(const struct choice *options, int n, double mass, const cord_sampling *sampling) {
    if (sampling->top_k > 0 && n > sampling->top_k) {
        n = sampling->top_k;
        mass = 0;
        for (int i = 0; i < n; i++) mass += options[i].p;
    }
    if (sampling->top_p < 1) {
        double sum = 0;
        int keep = 0;
        while (keep < n && sum < (double)sampling->top_p * mass) sum += options[keep++].p;
        n = keep > 0 ? keep : 1;
    }
    if (sampling->min_p > 0)
        while (n > 1 && options[n - 1].p < (double)sampling->min_p * options[0].p) n--;
    return n;
}

llama_token sample_token(const float *logits, int n, const cord_sampling *sampling, struct rng *rng,
                         struct buf *scratch) {
    float max = largest(logits, n);
    if (sampling->temperature <= 0) return first_at(logits, n, max);

    /* what lies 30 nats below the best has, all together, less than 2e-8 of the mass */
    double mass;
    int count = gather(logits, n, max, 30 * sampling->temperature, sampling->temperature, scratch, &mass);
    const struct choice *options = (const struct choice *)(const void *)scratch->data;
    if (scratch->status != CORD_OK || count == 0) return first_at(logits, n, max);
    count = truncated(options, count, mass, sampling);
    mass = 0;
    for (int i = 0; i < count; i++) mass += options[i].p;
    double draw = rng_uniform(rng) * mass;
    int chosen = 0;
    while (chosen < count - 1 && draw >= options[chosen].p) draw -= options[chosen++].p;
    return options[chosen].id;
}

double sample_logprob(const float *logits, int n, llama_token token) {
    double max = (double)largest(logits, n), sum = 0;
    for (int i = 0; i < n; i++) sum += exp((double)logits[i] - max);
    return (double)logits[token] - max - log(sum);
}
