/* lane.c - a llama_context and what is cached in it: sequences of tokens, forked from each other by reference (the cache is
 * unified: a cell may belong to several sequences), so that a prefix which many requests share is computed once.
 * It must not know proposals, scores or texts. */
#include "model/local/local.h"

#include <stdlib.h>

struct sequence {
    llama_token *id; /* the tokens that the cache holds for it */
    int n, cap;
    int canonical; /* how many of the first were prefilled; the rest were decoded one by one */
    uint64_t group;
    int64_t used; /* when it was last taken or given back, for choosing whom to drop */
    bool held;
};

struct lane {
    struct local_model *model;
    struct llama_context *ctx;
    llama_memory_t memory;
    struct llama_batch batch;
    struct sequence *sequences;
    int n_sequences;
    bool forks; /* can a sequence be copied in part? not where a state is recurrent */
    int64_t now;
};

/* ---- opening ------------------------------------------------------------------------------------------------- */

static bool must_stop(void *engine) { return atomic_load(&((cord_engine *)engine)->stop); }

cord_status lane_open(struct local_model *model, struct lane **out, cord_error *err) {
    struct device *device = model->engine->local;
    struct lane *lane = calloc(1, sizeof *lane);
    if (!lane) return error_memory(err);
    lane->model = model;
    lane->n_sequences = model->sequences;
    lane->sequences = calloc((size_t)lane->n_sequences, sizeof *lane->sequences);
    lane->batch = llama_batch_init(LANE_WIDTH, 0, 1);
    lane->forks = !llama_model_is_recurrent(model->weights) && !llama_model_is_hybrid(model->weights);

    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = (uint32_t)model->cells;
    params.n_batch = params.n_ubatch = LANE_WIDTH;
    params.n_seq_max = (uint32_t)lane->n_sequences;
    params.n_threads = params.n_threads_batch = device->n_threads;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED; /* AUTO turns it on for CPUs, where it is far slower */
    params.kv_unified = true;
    params.swa_full = true; /* sliding windows keep what lies outside them, else a fork would lack it */
    params.abort_callback = must_stop;
    params.abort_callback_data = model->engine;
    lane->ctx = lane->sequences ? llama_init_from_model(model->weights, params) : NULL;
    if (!lane->ctx) {
        lane_close(lane);
        return error_set(
            err, CORD_NO_MEMORY,
            "%s: no memory for a cache of %d tokens; lower the search's beam or token budgets, or the model's `cells`",
            model->base.info.name, model->cells);
    }
    llama_attach_threadpool(lane->ctx, device->threads, device->threads);
    lane->memory = llama_get_memory(lane->ctx);
    *out = lane;
    return CORD_OK;
}

void lane_close(struct lane *lane) {
    if (!lane) return;
    if (lane->ctx) llama_free(lane->ctx);
    llama_batch_free(lane->batch);
    for (int i = 0; lane->sequences && i < lane->n_sequences; i++) free(lane->sequences[i].id);
    free(lane->sequences);
    free(lane);
}

/* ---- sequences ----------------------------------------------------------------------------------------------- */

static void drop(struct lane *lane, int s) {
    llama_memory_seq_rm(lane->memory, s, -1, -1);
    lane->sequences[s].n = lane->sequences[s].canonical = 0;
}

/* The sequence that has waited longest of those not held, or -1. `empty`: may it be one that holds no tokens? */
static int oldest(const struct lane *lane, bool empty) {
    int found = -1;
    for (int s = 0; s < lane->n_sequences; s++) {
        const struct sequence *sequence = &lane->sequences[s];
        if (sequence->held || (!empty && sequence->n == 0)) continue;
        if (sequence->n == 0) return s;
        if (found < 0 || sequence->used < lane->sequences[found].used) found = s;
    }
    return found;
}

static int common(const struct sequence *sequence, const llama_token *tokens, int n) {
    int i = 0;
    while (i < n && i < sequence->n && sequence->id[i] == tokens[i]) i++;
    return i;
}

static bool remember(struct sequence *sequence, const llama_token *tokens, int n) {
    if (n > sequence->cap) {
        int cap = sequence->cap ? sequence->cap : 512;
        while (cap < n) cap *= 2;
        llama_token *id = realloc(sequence->id, (size_t)cap * sizeof *id);
        if (!id) return false;
        sequence->id = id;
        sequence->cap = cap;
    }
    if (n) memcpy(sequence->id, tokens, (size_t)n * sizeof *tokens);
    sequence->n = n;
    return true;
}

cord_status lane_take(struct lane *lane, const llama_token *tokens, int n, uint64_t group, bool canonical,
                      int *sequence, int *cached, cord_error *err) {
    int source = -1, best = 0;
    for (int s = 0; lane->forks && s < lane->n_sequences; s++) {
        int have = common(&lane->sequences[s], tokens, n - 1);
        if (canonical && have > lane->sequences[s].canonical) have = lane->sequences[s].canonical;
        if (have > best) best = have, source = s;
    }
    /* the copy goes first: an empty place, or the one that has waited longest, which may be the source itself */
    int target = oldest(lane, true);
    if (target < 0) return error_set(err, CORD_BUSY, "all %d sequences are in use", lane->n_sequences);
    struct sequence *to = &lane->sequences[target];
    if (target == source) {
        lane_trim(lane, target, best);
    } else {
        drop(lane, target);
        if (best) {
            const struct sequence *from = &lane->sequences[source];
            if (!remember(to, from->id, best)) return error_memory(err);
            to->canonical = from->canonical < best ? from->canonical : best;
            llama_memory_seq_cp(lane->memory, source, target, 0, best);
            lane->sequences[source].used = ++lane->now;
        }
    }
    to->group = group;
    to->held = true;
    to->used = ++lane->now;
    *sequence = target;
    *cached = best;
    return CORD_OK;
}

void lane_give(struct lane *lane, int sequence) {
    struct sequence *s = &lane->sequences[sequence];
    s->held = false;
    s->used = ++lane->now;
    if (!lane->forks) drop(lane, sequence); /* nothing could be made of it */
}

void lane_trim(struct lane *lane, int sequence, int n) {
    struct sequence *s = &lane->sequences[sequence];
    if (n >= s->n) return;
    if (n <= 0 || !llama_memory_seq_rm(lane->memory, sequence, n, -1)) {
        drop(lane, sequence);
        return;
    }
    s->n = n;
    if (s->canonical > n) s->canonical = n;
}

void lane_forget(struct lane *lane, uint64_t group) {
    for (int s = 0; s < lane->n_sequences; s++)
        if (!lane->sequences[s].held && lane->sequences[s].n && lane->sequences[s].group == group) drop(lane, s);
}

/* ---- decoding ------------------------------------------------------------------------------------------------ */

/* After a failure in mid-batch nobody knows what the cache holds. */
static void start_over(struct lane *lane) {
    llama_memory_clear(lane->memory, false);
    for (int s = 0; s < lane->n_sequences; s++) lane->sequences[s].n = lane->sequences[s].canonical = 0;
}

/* Notes that the cache holds these rows now. */
static bool note_rows(struct lane *lane, const struct row *rows, int n, bool decoding) {
    for (int i = 0; i < n; i++) {
        struct sequence *s = &lane->sequences[rows[i].sequence];
        if (s->n == s->cap) {
            int cap = s->cap ? 2 * s->cap : 512;
            llama_token *id = realloc(s->id, (size_t)cap * sizeof *id);
            if (!id) return false;
            s->id = id;
            s->cap = cap;
        }
        if (!decoding && s->canonical == s->n) s->canonical++;
        s->id[s->n++] = rows[i].token;
    }
    return true;
}

cord_status lane_decode(struct lane *lane, const struct row *rows, int n, bool decoding, cord_error *err) {
    struct llama_batch *batch = &lane->batch;
    batch->n_tokens = n;
    for (int i = 0; i < n; i++) {
        batch->token[i] = rows[i].token;
        batch->pos[i] = rows[i].position;
        batch->n_seq_id[i] = 1;
        batch->seq_id[i][0] = rows[i].sequence;
        batch->logits[i] = rows[i].logits;
    }
    int result;
    while ((result = llama_decode(lane->ctx, *batch)) == 1) { /* no room: the cache is as it was */
        int victim = oldest(lane, false);
        if (victim < 0)
            return error_set(err, CORD_TOO_LONG, "%s: its cache of %d tokens is full; raise the model's `cells`",
                             lane->model->base.info.name, lane->model->cells);
        drop(lane, victim);
    }
    if (result == 0 && note_rows(lane, rows, n, decoding)) return CORD_OK;
    start_over(lane);
    if (result == 0) return error_memory(err);
    if (result == 2 || must_stop(lane->model->engine)) return error_set(err, CORD_CANCELLED, "stopped");
    return error_set(err, CORD_BAD_MODEL,
                     "%s: llama.cpp could not compute a batch of %d tokens (code %d); run with -v for its log",
                     lane->model->base.info.name, n, result);
}

float *lane_logits(struct lane *lane, int row) { return llama_get_logits_ith(lane->ctx, row); }
