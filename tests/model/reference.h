/* reference.h - the plain way to compute what the engine computes: llama.h alone, a fresh context for every text, nothing
 * cached, nothing shared, nothing of cord's computes. It is what the tests compare the engine with. */
#ifndef CORD_TEST_REFERENCE_H
#define CORD_TEST_REFERENCE_H

#include "scratch.h"
#include "shallow.h"
#include "weights.h"

#include "model/local/local.h"

#include <fcntl.h>
#include <llama.h>
#include <math.h>
#include <sched.h>

struct reference {
    struct llama_model *weights;
    const struct llama_vocab *vocab;
    int n_vocab;
};

static inline struct reference reference_open_file(const char *path, bool vocabulary_only) {
    struct llama_model_params params = llama_model_default_params();
    params.vocab_only = vocabulary_only;
    params.n_gpu_layers = 0;
    /* Weights lie where ggml's simplest kernels find them. The engine's own, which any model of this process would be laid
     * out for, multiply only by what was loaded for them. */
    params.use_extra_bufts = false;
    accelerator_rest(true);
    struct reference ref = {.weights = llama_model_load_from_file(path, params)};
    accelerator_rest(false);
    assert_non_null(ref.weights);
    ref.vocab = llama_model_get_vocab(ref.weights);
    ref.n_vocab = llama_vocab_n_tokens(ref.vocab);
    return ref;
}

/* A model of the manifest. */
static inline struct reference reference_open(const char *name, bool vocabulary_only) {
    char path[4096];
    weights_path(name, path, sizeof path);
    return reference_open_file(path, vocabulary_only);
}

static inline void reference_quiet(enum ggml_log_level level, const char *text, void *ctx) {
    (void)level, (void)text, (void)ctx;
}

/* A file that was written loses its name and goes with the program. */
static inline void reference_take(const char *written, char path[64]) {
    int fd = open(written, O_RDONLY | O_CLOEXEC);
    unlink(written);
    assert_true(fd >= 0);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
}

/* The first layers of SmolLM2's 30, as quantised as they are. What an engine does around a graph shows in few layers, too;
 * test_model_oracle.c has all. */
static inline void reference_shallow(int layers, char path[64]) {
    char from[4096], to[32];
    weights_path(SMOLLM2, from, sizeof from);
    scratch_file(to);
    assert_true(shallow_write(from, to, layers));
    reference_take(to, path);
}

/* SmolLM2, or its first layers, with its weights as F32, made by llama.cpp of the quantised ones (540 MB of all). Kernels
 * round nothing there but the cache (F16), so what is compared can be compared sharply. */
enum { ALL_LAYERS = 0 };
static inline void reference_f32(int layers, char path[64]) {
    char from[4096], to[32];
    if (layers == ALL_LAYERS)
        weights_path(SMOLLM2, from, sizeof from);
    else
        reference_shallow(layers, from);
    scratch_file(to);
    struct llama_model_quantize_params params = llama_model_quantize_default_params();
    params.ftype = LLAMA_FTYPE_ALL_F32;
    params.allow_requantize = true;
    params.pure = true;
    llama_log_set(reference_quiet, NULL);
    assert_int_equal(llama_model_quantize(from, to, &params), 0);
    reference_take(to, path);
}

static inline void reference_close(struct reference *ref) { llama_model_free(ref->weights); }

/* How many cores this process may use: `taskset` makes the tests run on one of a busy machine's. */
static inline int reference_cores(void) {
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
}

/* A context for up to n tokens, computed in one batch. */
static inline struct llama_context *reference_context(const struct reference *ref, int n) {
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = (uint32_t)n;
    params.n_seq_max = 2;
    params.kv_unified = true;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.n_threads = params.n_threads_batch = reference_cores();
    struct llama_context *ctx = llama_init_from_model(ref->weights, params);
    assert_non_null(ctx);
    return ctx;
}

/* Appends the tokens of `text` to id[0..n); gives the new n. */
static inline int reference_tokens(const struct reference *ref, cord_text text, bool special, llama_token *id, int n,
                                   int room) {
    int more = text.len ? llama_tokenize(ref->vocab, text.data, (int)text.len, id + n, room - n, false, special) : 0;
    assert_true(more >= 0);
    return n + more;
}

/* The bytes of one token; a control token's are its text. */
static inline int reference_piece(const struct reference *ref, llama_token token, char *piece, int room) {
    int n = llama_token_to_piece(ref->vocab, token, piece, room, 0, true);
    assert_true(n >= 0);
    return n;
}

/* Runs id[from..to) of a sequence at these positions; logits are kept for the rows from `first` on. */
static inline void reference_decode(struct llama_context *ctx, int sequence, const llama_token *id, int from, int to,
                                    int first) {
    struct llama_batch batch = llama_batch_init(to - from, 0, 1);
    for (int i = from; i < to; i++) {
        int row = batch.n_tokens++;
        batch.token[row] = id[i];
        batch.pos[row] = i;
        batch.n_seq_id[row] = 1;
        batch.seq_id[row][0] = sequence;
        batch.logits[row] = i >= first;
    }
    assert_int_equal(llama_decode(ctx, batch), 0);
    llama_batch_free(batch);
}

static inline double reference_logprob(const float *logits, int n, llama_token token) {
    long double max = logits[0], sum = 0;
    for (int i = 1; i < n; i++) max = (long double)logits[i] > max ? (long double)logits[i] : max;
    for (int i = 0; i < n; i++) sum += expl((long double)logits[i] - max);
    return (double)((long double)logits[token] - max - logl(sum));
}

/* ---- a target in a text -------------------------------------------------------------------------------------- */

/* The tokens that overlap bytes [from, to) of the text that id[0..n) spell: [*first, *behind). Gives that text's bytes. */
static inline size_t reference_overlap(const struct reference *ref, const llama_token *id, int n, size_t from,
                                       size_t to, int *first, int *behind) {
    size_t end = 0;
    *first = *behind = -1;
    for (int i = 0; i < n; i++) {
        char piece[256];
        size_t begin = end;
        end += (size_t)reference_piece(ref, id[i], piece, sizeof piece);
        if (begin >= to || end <= from) continue;
        if (*first < 0) *first = i;
        *behind = i + 1;
    }
    return end;
}

/* The log-probabilities of id[first..behind), each after all that stand before it. `shift` tokens of another sequence (the
 * first ones of `id`) take the first cells of the cache; that changes no value but by rounding. One thread waits for no
 * other, where others use the machine. */
static inline void reference_measure(const struct reference *ref, const llama_token *id, int first, int behind,
                                     int shift, int threads, double *logprob) {
    struct llama_context *ctx = reference_context(ref, behind + shift);
    llama_set_n_threads(ctx, threads, threads);
    if (shift) reference_decode(ctx, 1, id, 0, shift, shift);
    reference_decode(ctx, 0, id, 0, behind - 1, first - 1);
    for (int t = first; t < behind; t++)
        logprob[t - first] = reference_logprob(llama_get_logits_ith(ctx, t - 1), ref->n_vocab, id[t]);
    llama_free(ctx);
}

/* How far the engine may be from that: the worst token and the mean, nats, and the worst S.
 *
 * Batching and caching decide in which cells of the cache a sequence lies, and so in which order llama.cpp's CPU kernels add
 * things up. With F32 weights that is next to nothing. Kernels for quantised weights round activations, which makes much more
 * of it: with those of SmolLM2's Q4_1 the plain way itself differs as much when its cells lie elsewhere, as test_model_score.c
 * shows. The engine's attention adds up in F32, too, where llama.cpp's rounds its weights to F16. */
struct reference_limits {
    double worst, mean, score;
};
#define REFERENCE_F32 \
    { 0.02, 0.002, 0.002 }
#define REFERENCE_Q4_1 \
    { 1.0, 0.1, 0.04 }

#endif
