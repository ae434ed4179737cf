/* engine.c - how fast the engine is on this machine; bench/bench.py runs it beside other programs and prints tables.
 *
 *   usage: engine widths MODEL.gguf            rows in a batch and tokens/s written, and tokens/s of scoring; at the start,
 *                                              and after the caches have been full twice
 *          engine reuse MODEL.gguf            scores of what the model has just written, computed anew and not: how far apart,
 *                                              and how long they take
 *          engine long MODEL.gguf TOKENS...    seconds for one more step of a beam of 4 behind so long a text, and memory
 *
 * One line of JSON for each figure. No thresholds, no medians: whoever runs it repeats it. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WIDEST = 32, TOKENS = 48, BEAM = 4, TEACHERS = 2 };

static const cord_span prompt[] = {
    {TEXT("<|im_start|>user\n"), true},
    {TEXT("A baker fills 6 trays with 14 rolls each. She keeps 9 rolls for her family and sells the others for $2 "
          "each. On "
          "Saturday she bakes twice as many trays, but 11 rolls get burnt, and on Sunday the shop stays closed. Flour "
          "for "
          "a tray costs $3, and the oven needs power for $5 a day. How many dollars does she earn on a day in the "
          "week, how "
          "many on Saturday, and how many more is that? Reason step by step and give only the difference."),
     false},
    {TEXT("<|im_end|>\n<|im_start|>assistant\n<think>\n### Step 1."), true},
};

static void must(cord_status status, const cord_error *err) {
    if (status == CORD_OK && err->code == CORD_OK) return;
    fprintf(stderr, "bench: %s\n", err->message);
    exit(1);
}

static double seconds_since(int64_t start) { return (double)(clock_us() - start) / 1e6; }

static double resident_megabytes(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    if (file) fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 0x1p20;
}

/* `n` texts of TOKENS tokens behind the prompt and each its own reasoning (NULL: none). They are kept in `requests`. */
static void propose(cord_engine *engine, const cord_model *model, const cord_text *reasoning, int n,
                    cord_proposal *requests) {
    static uint64_t seed = 0;
    static cord_span spans[WIDEST][4];
    cord_error err = {0};
    for (int i = 0; i < n; i++) {
        memcpy(spans[i], prompt, sizeof prompt);
        if (reasoning) spans[i][3] = (cord_span){reasoning[i % BEAM], false};
        requests[i] = (cord_proposal){.model = model,
                                      .prompt = spans[i],
                                      .n_spans = reasoning ? 4 : 3,
                                      .sampling = {.temperature = 0.6f, .top_p = 0.95f, .seed = ++seed},
                                      .max_tokens = TOKENS,
                                      .group = 1};
    }
    must(cord_propose(engine, requests, n, &err), &err);
    for (int i = 0; i < n; i++) must(CORD_OK, &requests[i].error);
}

static void release(cord_proposal *requests, int n) {
    for (int i = 0; i < n; i++) cord_proposal_release(&requests[i]);
}

/* Scores `n` reasonings, into log_score where that is not NULL. How many tokens were computed for it. */
static int score(cord_engine *engine, const cord_model *model, const cord_text *reasoning, int n, uint64_t group,
                 bool reuse, double *log_score) {
    cord_error err = {0};
    cord_scoring requests[WIDEST];
    int computed = 0;
    for (int i = 0; i < n; i++)
        requests[i] = (cord_scoring){.model = model,
                                     .prompt = prompt,
                                     .n_spans = 3,
                                     .reasoning = reasoning[i],
                                     .opening = {TEXT(" </think> The final answer is "), true},
                                     .target = {TEXT("150"), false},
                                     .closing = {TEXT("."), true},
                                     .group = group,
                                     .reuse = reuse};
    must(cord_score(engine, requests, n, &err), &err);
    for (int i = 0; i < n; i++) {
        must(CORD_OK, &requests[i].error);
        computed += requests[i].prompt_tokens - requests[i].cached_tokens;
        if (log_score) log_score[i] = requests[i].log_score;
        cord_scoring_release(&requests[i]);
    }
    return computed;
}

/* ---- widths -------------------------------------------------------------------------------------------------- */

/* Tokens per second while `width` texts are written; their prompt is in the cache. */
static void write_at(cord_engine *engine, const cord_model *model, const char *when, int width) {
    cord_proposal requests[WIDEST];
    propose(engine, model, NULL, 1, requests);
    release(requests, 1);
    cord_model_usage before = cord_model_get_usage(model);
    int64_t start = clock_us();
    propose(engine, model, NULL, width, requests);
    double seconds = seconds_since(start);
    cord_model_usage after = cord_model_get_usage(model);
    int tokens = 0;
    for (int i = 0; i < width; i++) tokens += requests[i].new_tokens;
    printf("{\"what\": \"write\", \"when\": \"%s\", \"rows\": %d, \"rate\": %.2f, \"mean_rows\": %.2f, "
           "\"sampling\": %.4f}\n",
           when, width, tokens / seconds, (double)tokens / (double)(after.batches - before.batches),
           (double)(after.sample_us - before.sample_us) / 1e6 / seconds);
    release(requests, width);
}

static void score_at(cord_engine *engine, const cord_model *model, const char *when, uint64_t group) {
    cord_proposal requests[8];
    cord_text reasoning[8];
    propose(engine, model, NULL, 8, requests);
    for (int i = 0; i < 8; i++) reasoning[i] = (cord_text){requests[i].text, requests[i].len};
    int64_t start = clock_us();
    int computed = score(engine, model, reasoning, 8, group, false, NULL);
    printf("{\"what\": \"score\", \"when\": \"%s\", \"tokens\": %d, \"rate\": %.2f}\n", when, computed,
           computed / seconds_since(start));
    release(requests, 8);
}

/* Many problems, one after another, none forgotten: what was cached is dropped for them again and again. */
static void fill_caches(cord_engine *engine, const cord_model *model) {
    char text[4096];
    for (int problem = 0; problem < 24; problem++) {
        int at = 0;
        for (int i = 0; i < 40; i++)
            at += snprintf(text + at, sizeof text - (size_t)at, " There are %d rolls on tray %d.", 7 * i + problem, i);
        cord_text reasoning = text_of(text);
        score(engine, model, &reasoning, 1, 100 + (uint64_t)problem, false, NULL);
    }
    for (int problem = 0; problem < 24; problem++) cord_forget(engine, 100 + (uint64_t)problem);
}

static void widths(cord_engine *engine, const cord_model *model) {
    static const int rows[] = {1, 2, 4, 8, 12, 16, 32};
    for (int filled = 0; filled < 2; filled++) {
        const char *when = filled ? "after" : "start";
        if (filled) fill_caches(engine, model);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) write_at(engine, model, when, rows[i]);
        score_at(engine, model, when, 2 + (uint64_t)filled);
    }
}

/* ---- long traces --------------------------------------------------------------------------------------------- */

/* A beam of texts of about so many tokens that part a hundred tokens before their end, as a beam's do. */
static void make_beam(const cord_model *model, int tokens, struct buf *texts, cord_text *reasoning) {
    cord_error err = {0};
    for (int b = 0; b < BEAM; b++) {
        buf_init(&texts[b], "a long text", 1 << 22);
        int n = 0;
        for (int i = 0; n < tokens; i++) {
            int salt = n > tokens - 100 ? 1000 * (b + 1) : 0;
            buf_addf(&texts[b], "\n\n### Step %d. Tray %d holds %d rolls, and %d of them are sold for $2 each.", i + 2,
                     i, 14 + i % 5 + salt, 9 + i % 4);
            if (i % 32 && n < tokens - 2000) continue;
            cord_span span = {buf_text(&texts[b]), false};
            must(cord_count_tokens(model, &span, 1, &n, &err), &err);
        }
        buf_addf(&texts[b], "\n\n### Step %d. There are %d more trays and", b, b + 2); /* so that the text goes on */
        reasoning[b] = buf_text(&texts[b]);
    }
}

/* One round of a search behind the beam: every text continued by every teacher, and every continuation scored. */
static void play_round(cord_engine *engine, const cord_model *model, const cord_text *beam, int tokens, int number) {
    enum { N = BEAM * TEACHERS };
    cord_proposal requests[N];
    cord_text reasoning[N];
    struct buf texts[N];
    int64_t start = clock_us();
    propose(engine, model, beam, N, requests);
    double proposing = seconds_since(start);
    int written = 0;
    for (int i = 0; i < N; i++) {
        written += requests[i].new_tokens;
        buf_init(&texts[i], "a long text", 1 << 22);
        buf_add(&texts[i], beam[i % BEAM]);
        buf_add(&texts[i], (cord_text){requests[i].text, requests[i].len});
        reasoning[i] = buf_text(&texts[i]);
    }
    start = clock_us();
    score(engine, model, reasoning, N, 1, false, NULL);
    printf("{\"what\": \"round\", \"tokens\": %d, \"number\": %d, \"written\": %d, \"propose\": %.2f, \"score\": %.2f, "
           "\"rss\": %.0f}\n",
           tokens, number, written, proposing, seconds_since(start), resident_megabytes());
    for (int i = 0; i < N; i++) buf_release(&texts[i]);
    release(requests, N);
}

/* ---- reuse --------------------------------------------------------------------------------------------------- */

/* What the model has just written, scored on the cells that it was written with, and in another group, where there are none. */
static void score_twice(cord_engine *engine, const cord_model *model) {
    cord_proposal requests[12];
    cord_text reasoning[12];
    double reused[12], anew[12], worst = 0, sum = 0;
    propose(engine, model, NULL, 12, requests);
    for (int i = 0; i < 12; i++) reasoning[i] = (cord_text){requests[i].text, requests[i].len};
    int64_t start = clock_us();
    int few = score(engine, model, reasoning, 12, 1, true, reused);
    double soon = seconds_since(start);
    start = clock_us();
    int all = score(engine, model, reasoning, 12, 2, false, anew);
    double late = seconds_since(start);
    for (int i = 0; i < 12; i++) {
        double apart = reused[i] > anew[i] ? reused[i] - anew[i] : anew[i] - reused[i];
        sum += apart;
        if (apart > worst) worst = apart;
    }
    printf("{\"what\": \"reuse\", \"tokens\": %d, \"seconds\": %.3f, \"tokens_anew\": %d, \"seconds_anew\": %.3f, "
           "\"mean_apart\": %.5f, \"worst_apart\": %.5f, \"noise\": %.4f}\n",
           few, soon, all, late, sum / 12, worst, cord_model_get_info(model)->noise);
    release(requests, 12);
    cord_forget(engine, 1);
    cord_forget(engine, 2);
}

static void long_traces(cord_engine *engine, const cord_model *model, int tokens) {
    struct buf texts[BEAM];
    cord_text beam[BEAM];
    make_beam(model, tokens, texts, beam);
    for (int number = 1; number <= 3; number++) play_round(engine, model, beam, tokens, number);
    for (int b = 0; b < BEAM; b++) buf_release(&texts[b]);
    cord_forget(engine, 1);
}

int main(int argc, char **argv) {
    bool is_long = argc > 3 && !strcmp(argv[1], "long"), is_reuse = argc == 3 && !strcmp(argv[1], "reuse");
    if (!is_long && !is_reuse && (argc != 3 || strcmp(argv[1], "widths") != 0)) {
        fprintf(stderr,
                "usage: engine widths MODEL.gguf | engine reuse MODEL.gguf | engine long MODEL.gguf TOKENS...\n");
        return 2;
    }
    cord_model_options options = {.name = argv[2], .path = argv[2], .gpu_layers = -1};
    for (int i = 3; i < argc; i++)
        if (atoi(argv[i]) + 1024 > options.context) options.context = atoi(argv[i]) + 1024;
    cord_engine *engine;
    cord_model *model;
    cord_error err = {0};
    must(cord_engine_open(&(cord_engine_options){0}, &engine, &err), &err);
    must(cord_model_open(engine, &options, &model, &err), &err);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; is_reuse && i < 5; i++) score_twice(engine, model);
    if (!is_long && !is_reuse) widths(engine, model);
    for (int i = 3; i < argc; i++) long_traces(engine, model, atoi(argv[i]));
    cord_engine_close(engine);
    return 0;
}
