/* model.h - the one boundary that everything hangs on: a search that knows steps, beams and scores on one side, language
 * models on the other, and only text between them. Two operations: propose a continuation, score a given text.
 *
 * The interface is stateless; speed (caching, batching) is the back end's business, and so is the order of work. Models
 * with different tokenizers work together because nothing but text passes between them. It must not know beams,
 * journals or files of problems.
 *
 * Back ends: local/ (llama.cpp). A further one is a file that fills a struct backend (see backend.h). */
#ifndef CORD_MODEL_H
#define CORD_MODEL_H

#include "base/base.h"

/* Weights or an endpoint. Immutable once open; any number of threads and teachers may share it. */
typedef struct cord_model cord_model;

/* Runs requests on models. Decides batching, caching and order; none of that may change a result beyond the back end's
 * stated noise. */
typedef struct cord_engine cord_engine;

/* ---- engine -------------------------------------------------------------------------------------------------- */

struct engine_options {
    int threads;                              /* for local models; 0, or more than there are cores: one a core */
    uint64_t memory;                          /* bytes that caches of local models may take; 0: half of what is free */
    bool reproducible;                        /* the same requests give the same bits, whatever else runs; slower */
    void (*log)(void *ctx, const char *line); /* what the back ends say, a line at a time; NULL: dropped */
    void *log_ctx;
};

cord_status cord_engine_open(const struct engine_options *options, cord_engine **engine, cord_error *err);
/* Closes the engine and every model opened on it. No call may be running. NULL is fine. */
void cord_engine_close(cord_engine *engine);
/* Makes running and future calls return CORD_CANCELLED soon. Safe from any thread and from a signal handler. */
void cord_engine_stop(cord_engine *engine);
/* The problem is done: whatever is cached for this group may go. */
void cord_forget(cord_engine *engine, uint64_t group);

/* What computes here, for run summaries: static texts. Zero until a local model is open. */
struct engine_info {
    int threads;
    const char *llama;    /* llama.cpp's version */
    const char *features; /* of the processor, as the library sees them */
};
struct engine_info cord_engine_info(const cord_engine *engine);

/* ---- models -------------------------------------------------------------------------------------------------- */

struct model_options {
    const char *name; /* for messages and the journal */
    const char *path; /* a GGUF file */
    int context;      /* most tokens of one sequence; 0 = 4096, or what the model was trained with if that is less */
    int more_context; /* added to `context` as far as the model was trained for that many; not refused if it was not */
    int cells;        /* tokens of cache shared by all sequences; 0 = 4 x context */
    int sequences;    /* most sequences cached at once; 0 = 64 */
    int gpu_layers;   /* layers to offload where llama.cpp was built with a GPU back end; -1 = all */
};

/* What a model is, and what its back end can do with it (found by trying, not by asking). */
struct model_info {
    const char *name, *path, *description; /* description: architecture, size, quantisation */
    cord_text chat_template;               /* Jinja source; empty when the file has none */
    cord_text bos, eos;                    /* texts of these tokens; may be empty */
    int context;                           /* tokens of one sequence */
    uint64_t parameters, bytes;
    double noise; /* largest |difference| of one token's log-probability that scheduling can cause, nats */
};

/* Opens a model; it belongs to the engine and is closed with it. Refuses, in words, a file that is missing, truncated,
 * not a GGUF, of an unsupported kind (encoder only, no vocabulary, pieces that do not spell the text), or larger than
 * the machine's memory. */
cord_status cord_model_open(cord_engine *engine, const struct model_options *options, cord_model **model,
                            cord_error *err);
/* Borrowed until the engine closes. */
const struct model_info *cord_model_info(const cord_model *model);
/* Tokens of a text: of trusted and untrusted spans, tokenised as one. Thread-safe. */
cord_status cord_count_tokens(const cord_model *model, const cord_span *spans, int n, int *tokens, cord_error *err);

/* Work done for a model so far, by phase; for live views and summaries. Thread-safe. */
struct model_usage {
    int64_t proposed_tokens, propose_prefill_tokens, propose_us; /* new tokens; prompt tokens not in the cache */
    int64_t scored_tokens, score_us;                             /* tokens prefilled for scores */
    int64_t cached_tokens;                                       /* prompt tokens served from the cache, both phases */
};
struct model_usage cord_model_usage(const cord_model *model);

/* ---- propose ------------------------------------------------------------------------------------------------- */

typedef struct {
    float temperature;  /* 0 = greedy */
    float top_p, min_p; /* 1 and 0 = off */
    int top_k;          /* 0 = off */
    uint64_t seed;
} cord_sampling;

typedef enum {
    CORD_END_STOP,   /* a stop string came; which one is in `stop` */
    CORD_END_TURN,   /* the model ended its turn */
    CORD_END_LENGTH, /* max_tokens reached, or the model's context is full */
} cord_end;

/* One continuation wanted, and what came of it. The first half is the caller's, borrowed until cord_propose returns;
 * the second half is filled by the engine and released by cord_proposal_release. */
typedef struct {
    const cord_model *model;
    const cord_span *prompt;
    int n_spans;
    const cord_text *stops;
    int n_stops; /* may begin inside a token; never part of `text` */
    cord_sampling sampling;
    int max_tokens;
    uint64_t group; /* the problem: what shares prefixes and is forgotten together */

    cord_error error; /* code CORD_OK, or why this one failed; the others are not affected */
    char *text;       /* whole UTF-8 characters only */
    size_t len;
    cord_end end;
    int stop;                                     /* index into stops where end is CORD_END_STOP, else -1 */
    int prompt_tokens, cached_tokens, new_tokens; /* new_tokens counts those of the stop string too */
    int64_t us;                                   /* from the start of the call to this one's end */
} cord_proposal;

/* Runs n requests, for one model or several, and returns when all have ended. Blocks. Returns CORD_OK if the engine
 * works, whatever became of single requests; CORD_CANCELLED after cord_engine_stop. Thread-safe. */
cord_status cord_propose(cord_engine *engine, cord_proposal *requests, int n, cord_error *err);
void cord_proposal_release(cord_proposal *proposal);

/* ---- score --------------------------------------------------------------------------------------------------- */

/* The likelihood of `target` inside prompt + reasoning + opening + target + closing, in the model's own tokens.
 * Equation 3 of the paper: score = exp(mean of logprob[0..n_tokens)). A token counts if any of its bytes lies in the
 * target; one that also covers the last blank of `opening` or the first byte of `closing` counts whole. */
typedef struct {
    const cord_model *model;
    const cord_span *prompt;
    int n_spans;
    cord_text reasoning; /* the trajectory with its candidate step, untrusted; shares prefixes with its siblings */
    cord_span opening;   /* " </think> The final answer is " */
    cord_span target;    /* not empty */
    cord_span closing;   /* "."; may be empty */
    uint64_t group;

    cord_error error;
    double *logprob;  /* n_tokens values, nats, log-softmax in double over the raw logits */
    cord_text *token; /* n_tokens pieces: the bytes of each token; they live as long as logprob */
    int n_tokens;
    double log_score;     /* mean of logprob */
    double score;         /* exp(log_score), in [0, 1] */
    int reasoning_tokens; /* tokens that begin inside `reasoning`: what a thinking budget counts */
    int prompt_tokens, cached_tokens;
    int64_t us; /* spent on this one */
} cord_scoring;

/* As cord_propose. All requests of one call are computed by one schedule (by prefill, in the order given), so that their
 * scores can be compared with each other. */
cord_status cord_score(cord_engine *engine, cord_scoring *requests, int n, cord_error *err);
void cord_scoring_release(cord_scoring *scoring);

#endif
