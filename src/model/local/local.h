/* local.h - the inside of the local back end: GGUF models on this machine, by llama.cpp. Only files in this folder
 * include it, and only they include llama.h.
 *
 *   weights.c   opening a model, and refusing what cannot be used
 *   tokens.c    texts to tokens and back: what is trusted, where each token's bytes lie
 *   lane.c      a llama_context with its cache of sequences, forked from each other
 *   propose.c   decoding many continuations at once
 *   score.c     the likelihood of a text (eq. 3)
 *   sample.c    one token from its logits
 *   local.c     the device that all of it runs on, one call at a time
 */
#ifndef CORD_LOCAL_H
#define CORD_LOCAL_H

#include "model/backend.h"

#include <llama.h>
#include <pthread.h>

/* ---- the device ---------------------------------------------------------------------------------------------- */

/* The processor and who may use it: no two models ever compete for the same cores. */
struct device {
    pthread_mutex_t mutex;
    struct ggml_threadpool *threads;
    int n_threads;
};

/* ---- models -------------------------------------------------------------------------------------------------- */

/* A token that a tokenizer would recognise by its text alone. */
struct special {
    llama_token id;
    cord_text text;
    bool user_defined; /* llama.cpp parses these even where special tokens are not to be parsed */
};

struct local_model {
    struct cord_model base; /* first */
    cord_engine *engine;
    struct llama_model *weights;
    const struct llama_vocab *vocab;
    struct special *specials; /* longest text first */
    int n_specials;
    bool special_lead[256]; /* bytes that some special's text begins with */
    int longest_piece;      /* bytes of the longest token */
    struct lane *lane;      /* opened at the first request */
    int context, cells, sequences;
    struct arena arena;
};

static inline struct local_model *local_of(const cord_model *model) { return (struct local_model *)(uintptr_t)model; }

/* ---- tokens -------------------------------------------------------------------------------------------------- */

/* A text in a model's tokens. end[i] is the offset of the byte behind token i, so token i is bytes end[i-1]..end[i]. */
struct tokens {
    llama_token *id;
    int *end;
    int n, cap;
};

void tokens_release(struct tokens *tokens);
/* Tokenises spans as one text. Special tokens are recognised only inside trusted spans, and no text that a user or a model
 * wrote becomes one. Nothing is added (no BOS). Refuses texts whose tokens do not spell them. */
cord_status tokens_of(const struct local_model *model, const cord_span *spans, int n, struct tokens *out,
                      cord_error *err);
/* The bytes of one token, appended; control tokens by their text. */
void token_piece(const struct local_model *model, llama_token token, struct buf *out);
/* CORD_TOO_LONG where a text of n tokens plus `more` does not fit the model's context. */
cord_status tokens_fit(const struct local_model *model, int n, int more, cord_error *err);

/* ---- lanes --------------------------------------------------------------------------------------------------- */

/* A row of a batch: one token of one sequence. */
struct row {
    int sequence;
    llama_token token;
    int position;
    bool logits; /* are they read? */
};

struct lane;

/* Most rows in one lane_decode. Larger batches are no faster on a CPU, and hold up whoever waits. */
enum { LANE_WIDTH = 256 };

cord_status lane_open(struct local_model *model, struct lane **lane, cord_error *err);
void lane_close(struct lane *lane);

/* A sequence that holds the longest cached beginning of `tokens` (at most n - 1 of them, so that at least one is decoded),
 * forked from where it is cached. `canonical`: use only what was prefilled, not what was decoded token by token: scores
 * must not depend on who wrote a text. *cached tells how many tokens it has. The sequence is held until lane_give.
 * CORD_BUSY where all sequences are held. */
cord_status lane_take(struct lane *lane, const llama_token *tokens, int n, uint64_t group, bool canonical,
                      int *sequence, int *cached, cord_error *err);
/* Gives a sequence back to the cache, where it stays until its place is needed. */
void lane_give(struct lane *lane, int sequence);
/* Cuts a sequence to its first n tokens. */
void lane_trim(struct lane *lane, int sequence, int n);
/* Runs rows through the model. Positions must continue their sequences. `decoding`: these rows are generated text (see
 * canonical). Makes room by dropping cached sequences; CORD_TOO_LONG where held sequences alone fill the cache (nothing has
 * changed then); CORD_CANCELLED when asked to stop. After any other failure the whole cache is empty. */
cord_status lane_decode(struct lane *lane, const struct row *rows, int n, bool decoding, cord_error *err);
/* The logits of a row of the last lane_decode: one float for each token of the vocabulary, until the next one. Whoever
 * reads them last may change them. */
float *lane_logits(struct lane *lane, int row);
/* Drops what is cached for a group (nothing of it may be held), or everything not held. */
void lane_forget(struct lane *lane, uint64_t group);

/* ---- sampling ------------------------------------------------------------------------------------------------ */

/* One token from its logits: repetition penalty, temperature, then top-k, top-p, min-p, then a draw. `before` is all that
 * stands before it, prompt and text. The penalty changes `logits` in place; nothing else does. `scratch` is used for
 * candidates. */
llama_token sample_token(float *logits, int n, const llama_token *before, int n_before, const cord_sampling *sampling,
                         struct rng *rng, struct buf *scratch);
/* log softmax(logits)[token], in double. */
double sample_logprob(const float *logits, int n, llama_token token);

/* ---- the back end's calls ------------------------------------------------------------------------------------ */

cord_status local_open(cord_engine *engine, const cord_model_options *options, cord_model **model, cord_error *err);
void local_close(cord_model *model);
void local_log(enum ggml_log_level level, const char *text, void *engine);
/* Both with the device held. A request's own failure is told in the request; what is returned ends the call. */
cord_status local_propose(struct local_model *model, cord_proposal **requests, int n, cord_error *err);
cord_status local_score(struct local_model *model, cord_scoring *request, cord_error *err);

#endif
