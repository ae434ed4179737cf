/* engine.c - how fast the engine writes and scores on this machine. For each model it is given: tokens per second of
 * proposals at several widths, and seconds to score the candidates of a round with the cache warm and cold, taken in turn
 * (A B A B …), medians of several. No thresholds: it prints figures.
 *
 *   usage: engine MODEL.gguf... */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 5, WIDEST = 16, TOKENS = 48, GROUP = 1 };

static const cord_span prompt[] = {
    {TEXT("<|im_start|>user\n"), true},
    {TEXT(
         "A baker fills 6 trays with 14 rolls each. She keeps 9 rolls for her family and sells the others for $2 each. "
         "How many dollars does she earn?"),
     false},
    {TEXT("<|im_end|>\n<|im_start|>assistant\n<think>\n### Step 1."), true},
};

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n) {
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

static void must(cord_status status, const cord_error *err) {
    if (status == CORD_OK && err->code == CORD_OK) return;
    fprintf(stderr, "bench: %s\n", err->message);
    exit(1);
}

/* Tokens per second of `width` proposals of TOKENS tokens; the prompt is in the cache. The texts are kept in `requests`. */
static double write_at(cord_engine *engine, const cord_model *model, int width, cord_proposal *requests) {
    cord_error err = {0};
    for (int i = 0; i < width; i++)
        requests[i] = (cord_proposal){.model = model,
                                      .prompt = prompt,
                                      .n_spans = 3,
                                      .sampling = {.temperature = 1, .top_p = 1, .seed = (uint64_t)i},
                                      .max_tokens = TOKENS,
                                      .group = GROUP};
    int64_t start = clock_us();
    must(cord_propose(engine, requests, width, &err), &err);
    double seconds = (double)(clock_us() - start) / 1e6;
    int tokens = 0;
    for (int i = 0; i < width; i++) {
        must(CORD_OK, &requests[i].error);
        tokens += requests[i].new_tokens;
    }
    return tokens / seconds;
}

/* Seconds to score `n` reasonings. */
static double score(cord_engine *engine, const cord_model *model, const cord_proposal *texts, int n) {
    cord_error err = {0};
    cord_scoring requests[WIDEST];
    for (int i = 0; i < n; i++)
        requests[i] = (cord_scoring){.model = model,
                                     .prompt = prompt,
                                     .n_spans = 3,
                                     .reasoning = {texts[i].text, texts[i].len},
                                     .opening = {TEXT(" </think> The final answer is "), true},
                                     .target = {TEXT("150"), false},
                                     .closing = {TEXT("."), true},
                                     .group = GROUP};
    int64_t start = clock_us();
    must(cord_score(engine, requests, n, &err), &err);
    double seconds = (double)(clock_us() - start) / 1e6;
    for (int i = 0; i < n; i++) {
        must(CORD_OK, &requests[i].error);
        cord_scoring_release(&requests[i]);
    }
    return seconds;
}

static void release(cord_proposal *requests, int n) {
    for (int i = 0; i < n; i++) cord_proposal_release(&requests[i]);
}

static void bench_model(const char *path) {
    static const int widths[] = {1, 2, 4, 8, 16};
    enum { N = sizeof widths / sizeof *widths };
    cord_engine_options engine_options = {0};
    cord_model_options options = {.name = path, .path = path, .gpu_layers = -1};
    cord_engine *engine;
    cord_model *model;
    cord_error err = {0};
    cord_proposal requests[WIDEST];
    double rate[N][RUNS], cold[RUNS], warm[RUNS];
    must(cord_engine_open(&engine_options, &engine, &err), &err);
    must(cord_model_open(engine, &options, &model, &err), &err);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%s (%s), %d threads, median of %d\n", path, cord_model_get_info(model)->description,
           cord_engine_get_info(engine).threads, RUNS);
    write_at(engine, model, 1, requests); /* warm-up: the weights are read from disk */
    release(requests, 1);
    for (int run = 0; run < RUNS; run++) {
        for (int w = 0; w < N; w++) {
            rate[w][run] = write_at(engine, model, widths[w], requests);
            if (widths[w] < WIDEST) release(requests, widths[w]);
        }
        cord_forget(engine, GROUP);
        cold[run] = score(engine, model, requests, 8);
        warm[run] = score(engine, model, requests, 8);
        release(requests, WIDEST);
    }
    printf("  rows in a batch      ");
    for (int w = 0; w < N; w++) printf("%8d", widths[w]);
    printf("\n  written, tokens/s    ");
    for (int w = 0; w < N; w++) printf("%8.1f", median(rate[w], RUNS));
    double c = median(cold, RUNS), h = median(warm, RUNS);
    printf("\n  score 8 candidates of %d tokens: %.2f s from nothing, %.2f s with the steps cached, ratio %.1f\n",
           TOKENS, c, h, c / h);
    cord_engine_close(engine);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) bench_model(argv[i]);
    return argc > 1 ? 0 : 2;
}
