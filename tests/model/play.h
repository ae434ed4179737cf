/* play.h - problems that ask of the engine what a search asks, on tiny models (tiny.h): rounds of proposals and scores whose
 * texts grow out of each other, some short, some long, some with little in common. What a problem asks is a function of its
 * number and of what it was answered. It must not know who else plays. */
#ifndef CORD_TEST_PLAY_H
#define CORD_TEST_PLAY_H

#include "tiny.h"

#include "data/prompt.h"

enum { PLAY_BEAM = 3, PLAY_ROUNDS = 2, PLAY_TEXT = 160, PLAY_TARGET = 24 };

/* What all problems share. */
struct stage {
    cord_engine *engine;
    cord_model *models[TINY_KINDS];
    int n_models;
    int words; /* of the longest texts that problems begin with */
    struct prompt_style style;
    struct prompt prompt;
};

struct candidate {
    char text[PLAY_TEXT];
    double logprob[PLAY_TARGET];
    int n;
};

/* All that a problem was answered. */
struct played {
    int prompt_tokens;
    struct candidate round[PLAY_ROUNDS][PLAY_BEAM];
    int best[PLAY_ROUNDS];
};

/* ---- opening ------------------------------------------------------------------------------------------------- */

/* One of the real templates that llama.cpp comes with. */
static inline struct chat_template *play_template(void) {
    struct buf source;
    buf_init(&source, "a template", 1 << 20);
    assert_ok(file_read(TEMPLATES_DIR "Qwen-Qwen3-0.6B.jinja", "a template", 1 << 20, &source, err));
    struct chat_template *tmpl = NULL;
    assert_ok(chat_template_new(buf_text(&source), &tmpl, err));
    buf_release(&source);
    return tmpl;
}

/* What a problem's prompt is. */
static inline struct spans play_prompt(const struct stage *stage, int problem, struct arena *arena) {
    char text[64];
    snprintf(text, sizeof text, "How many pears are in box %d?<|im_end|>", problem);
    struct question question = {TEXT("a problem"), text_of(text)};
    struct spans prompt;
    assert_ok(prompt_render(&stage->prompt, &question, arena, &prompt, err));
    return prompt;
}

/* One model of each of the first n kinds. `sizes`: context, cells and sequences of each. */
static inline void stage_open(struct stage *stage, const cord_engine_options *options, int n, cord_model_options sizes,
                              int words) {
    *stage = (struct stage){.n_models = n, .words = words};
    assert_ok(cord_engine_open(options, &stage->engine, err));
    for (int kind = 0; kind < n; kind++) {
        char path[64];
        tiny_write(kind, path);
        sizes.name = tiny_names[kind];
        sizes.path = path;
        assert_ok(cord_model_open(stage->engine, &sizes, &stage->models[kind], err));
        unlink(path); /* it stays mapped */
    }
    assert_true(prompt_preset("steps", &stage->style));
    stage->style.system = TEXT("Think in steps.");
    stage->prompt = (struct prompt){&stage->style, play_template(), TEXT("<|endoftext|>"), TEXT("<|im_end|>")};

    /* The template engine makes its tables when they are needed first. That is safe, but ThreadSanitizer cannot see it. */
    struct arena arena;
    arena_init(&arena);
    play_prompt(stage, 0, &arena);
    arena_release(&arena);
}

static inline void stage_close(struct stage *stage) {
    cord_engine_close(stage->engine);
    chat_template_free((struct chat_template *)(uintptr_t)stage->prompt.tmpl);
}

/* ---- texts --------------------------------------------------------------------------------------------------- */

static inline void play_words(struct buf *out, uint64_t seed, int n) {
    static const char *const words[] = {" the",    " pears", " of", " box",  " and",
                                        " stones", " is",    " 10", " step", " in"};
    struct rng rng;
    rng_init(&rng, seed);
    for (int i = 0; i < n; i++) buf_addf(out, "%s", words[rng_next(&rng) % (sizeof words / sizeof *words)]);
}

/* What a candidate's text goes on from: words that all candidates of a problem have in common, or every one for itself, and
 * behind them the best steps of the rounds before. */
static inline void play_reasoning(const struct stage *stage, int problem, int candidate, int round,
                                  const struct played *path, struct buf *out) {
    const int words[] = {10, stage->words / 2, stage->words};
    bool wide = problem % 3 == 2;
    uint64_t seed = seed_mix((uint64_t)problem, wide ? (uint64_t)candidate : 99);
    buf_init(out, "a reasoning", 1 << 20);
    buf_addf(out, "%d", problem);
    play_words(out, seed, words[problem % 3] - problem % 7);
    for (int r = 0; r < round; r++) buf_addf(out, "%s", path->round[r][path->best[r]].text);
}

/* ---- one round ----------------------------------------------------------------------------------------------- */

static inline cord_status play_propose(const struct stage *stage, int problem, int round, struct spans prompt,
                                       const struct buf reasoning[PLAY_BEAM], struct arena *arena,
                                       struct candidate out[PLAY_BEAM]) {
    static const cord_text stop = {" pears", 6};
    cord_proposal requests[PLAY_BEAM];
    for (int i = 0; i < PLAY_BEAM; i++) {
        struct spans spans = spans_append(prompt, &(cord_span){buf_text(&reasoning[i]), false}, 1, arena);
        assert_non_null(spans.span);
        requests[i] = (cord_proposal){
            .model = stage->models[(problem + i) % stage->n_models],
            .prompt = spans.span,
            .n_spans = spans.n,
            .stops = &stop,
            .n_stops = i == 2,
            .sampling = {.temperature = i ? 1 : 0,
                         .top_p = 0.95F,
                         .seed = seed_mix((uint64_t)problem, (uint64_t)round)},
            .max_tokens = 6 + 5 * i + problem % 3,
            .group = (uint64_t)problem,
        };
    }
    cord_error why = {0};
    cord_status status = cord_propose(stage->engine, requests, PLAY_BEAM, &why);
    for (int i = 0; i < PLAY_BEAM; i++) {
        if (status == CORD_OK) {
            if (requests[i].error.code != CORD_OK) fail_msg("problem %d: %s", problem, requests[i].error.message);
            snprintf(out[i].text, PLAY_TEXT, "%s", requests[i].text);
        }
        cord_proposal_release(&requests[i]);
    }
    return status;
}

static inline cord_status play_score(const struct stage *stage, int problem, struct spans prompt,
                                     const struct buf reasoning[PLAY_BEAM], struct candidate out[PLAY_BEAM],
                                     int *best) {
    cord_scoring requests[PLAY_BEAM];
    for (int i = 0; i < PLAY_BEAM; i++)
        requests[i] = (cord_scoring){
            .model = stage->models[problem % stage->n_models],
            .prompt = prompt.span,
            .n_spans = prompt.n,
            .reasoning = buf_text(&reasoning[i]),
            .opening = {stage->style.score_open, true},
            .target = {TEXT("31 of 400"), false},
            .closing = {stage->style.score_close, true},
            .group = (uint64_t)problem,
        };
    cord_error why = {0};
    cord_status status = cord_score(stage->engine, requests, PLAY_BEAM, &why);
    double most = -INFINITY;
    for (int i = 0; i < PLAY_BEAM; i++) {
        if (status == CORD_OK) {
            if (requests[i].error.code != CORD_OK) fail_msg("problem %d: %s", problem, requests[i].error.message);
            assert_in_range(requests[i].n_tokens, 1, PLAY_TARGET);
            out[i].n = requests[i].n_tokens;
            memcpy(out[i].logprob, requests[i].logprob, (size_t)out[i].n * sizeof(double));
            if (requests[i].log_score > most) most = requests[i].log_score, *best = i;
        }
        cord_scoring_release(&requests[i]);
    }
    return status;
}

/* ---- a problem ----------------------------------------------------------------------------------------------- */

static inline cord_status play_rounds(const struct stage *stage, int problem, struct spans prompt, struct arena *arena,
                                      const struct played *path, struct played *out) {
    cord_status status = CORD_OK;
    for (int round = 0; round < PLAY_ROUNDS && status == CORD_OK; round++) {
        struct buf reasoning[PLAY_BEAM];
        for (int i = 0; i < PLAY_BEAM; i++) play_reasoning(stage, problem, i, round, path, &reasoning[i]);
        status = play_propose(stage, problem, round, prompt, reasoning, arena, out->round[round]);
        for (int i = 0; i < PLAY_BEAM; i++) buf_addf(&reasoning[i], "%s", path->round[round][i].text);
        if (status == CORD_OK)
            status = play_score(stage, problem, prompt, reasoning, out->round[round], &out->best[round]);
        for (int i = 0; i < PLAY_BEAM; i++) buf_release(&reasoning[i]);
    }
    return status;
}

/* Plays a problem into `out`, which is zero. Its texts go on from those of `path`: `out` itself, or what was played
 * elsewhere. CORD_CANCELLED where the engine was stopped. */
static inline cord_status play(const struct stage *stage, int problem, const struct played *path, struct played *out) {
    struct arena arena;
    arena_init(&arena);
    struct spans prompt = play_prompt(stage, problem, &arena);
    assert_ok(
        cord_count_tokens(stage->models[problem % stage->n_models], prompt.span, prompt.n, &out->prompt_tokens, err));
    cord_status status = play_rounds(stage, problem, prompt, &arena, path, out);
    cord_forget(stage->engine, (uint64_t)problem);
    arena_release(&arena);
    return status;
}

#endif
