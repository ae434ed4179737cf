/* check.c - are the engine's scores right? The same text is computed once more in the plainest way that llama.cpp has: its own
 * tokenizer on the whole text, a context that is opened for it and holds nothing else, one sequence, all of it in one
 * batch, its own kernels, a log-softmax written out. Nothing of the engine takes part but the weights and the threads: no
 * tree, no lane, no schedule, no attention or products of its own, no list of special tokens. (tests/model/reference.h does
 * the same for the tests, outside the library.)
 * It must not know searches. */
#include "model/local/local.h"

#include <math.h>
#include <stdlib.h>

struct plain {
    struct local_model *model;
    llama_token *id;
    int first, behind; /* the target's tokens */
    double *logprob;
    cord_error error;
};

static bool must_stop(void *engine) { return atomic_load(&((cord_engine *)engine)->stop); }

static struct llama_context *open_context(const struct plain *p) {
    struct local_model *model = p->model;
    const struct device *device = model->engine->local;
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = (uint32_t)p->behind;
    if (p->behind < model->least_lane) params.n_ctx = (uint32_t)model->least_lane; /* as a lane, as to its positions */
    params.n_seq_max = 1;
    params.n_threads = params.n_threads_batch = device_threads(device);
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.abort_callback = must_stop;
    params.abort_callback_data = model->engine;
    struct llama_context *ctx = llama_init_from_model(model->weights, params);
    if (ctx) llama_attach_threadpool(ctx, device_pool(device), device_pool(device));
    return ctx;
}

static double log_softmax(const float *logits, int n, llama_token token) {
    double most = logits[0], sum = 0;
    for (int i = 1; i < n; i++) most = fmax(most, logits[i]);
    for (int i = 0; i < n; i++) sum += exp(logits[i] - most);
    return logits[token] - most - log(sum);
}

static int decode(struct llama_context *ctx, const struct plain *p) {
    struct llama_batch batch = llama_batch_init(p->behind, 0, 1);
    for (int i = 0; i < p->behind - 1; i++) {
        batch.token[i] = p->id[i];
        batch.pos[i] = i;
        batch.n_seq_id[i] = 1;
        batch.seq_id[i][0] = 0;
        batch.logits[i] = i >= p->first - 1;
    }
    batch.n_tokens = p->behind - 1;
    int result = llama_decode(ctx, batch);
    llama_batch_free(batch);
    return result;
}

static void compute(struct plain *p) {
    struct llama_context *ctx = open_context(p);
    if (!ctx) {
        error_fill(&p->error, CORD_NO_MEMORY, "no memory for a context of %d tokens", p->behind);
        return;
    }
    int result = must_stop(p->model->engine) ? 2 : decode(ctx, p);
    if (result)
        error_fill(&p->error, result == 2 ? CORD_CANCELLED : CORD_BAD_MODEL,
                   result == 2 ? "stopped" : "llama.cpp could not compute it (code %d)", result);
    for (int i = p->first; !result && i < p->behind; i++)
        p->logprob[i - p->first] =
            log_softmax(llama_get_logits_ith(ctx, i - 1), llama_vocab_n_tokens(p->model->vocab), p->id[i]);
    llama_free(ctx);
}

/* On the device's thread. */
static void compute_plainly(void *p) {
    accelerator_rest(true);
    compute(p);
    accelerator_rest(false);
}

/* Tokens of the whole text, by llama.cpp alone, and which of them hold bytes [from, to). */
static cord_status find_target(struct plain *p, cord_text text, size_t from, size_t to, cord_error *err) {
    int room = (int)text.len + 8;
    p->id = malloc((size_t)room * sizeof *p->id);
    p->logprob = malloc((size_t)room * sizeof *p->logprob);
    if (!p->id || !p->logprob) return error_memory(err);
    int n = llama_tokenize(p->model->vocab, text.data, (int)text.len, p->id, room, false, true);
    size_t end = 0;
    for (int i = 0; i < n; i++) {
        char piece[512];
        size_t begin = end;
        int len = llama_token_to_piece(p->model->vocab, p->id[i], piece, sizeof piece, 0, true);
        end += len > 0 ? (size_t)len : 0;
        if (end <= from) p->first = i + 1;
        if (begin < to) p->behind = i + 1;
    }
    if (end == text.len && p->first > 0 && p->first < p->behind) return CORD_OK;
    return error_set(err, CORD_BAD_MODEL, "%s: llama.cpp's tokens of a plain text do not spell it",
                     p->model->base.info.name);
}

/* Fills `out` as cord_score would, where that is possible: out->error says. */
static cord_status plain_score(struct local_model *model, cord_scoring *out, cord_error *err) {
    struct plain p = {.model = model};
    struct buf text;
    buf_init(&text, "a text to check", 1 << 16);
    buf_add(&text, out->prompt[0].text);
    buf_add(&text, out->reasoning);
    buf_add(&text, out->opening.text);
    size_t from = text.len, to = from + out->target.text.len;
    buf_add(&text, out->target.text);
    buf_add(&text, out->closing.text);
    cord_status status = buf_check(&text, err);
    if (status == CORD_OK) status = find_target(&p, buf_text(&text), from, to, err);
    if (status == CORD_OK) {
        device_do(model->engine->local, compute_plainly, &p);
        out->error = p.error;
        out->logprob = p.logprob;
        out->n_tokens = p.behind - p.first;
        out->prompt_tokens = p.behind - 1;
        if (p.error.code == CORD_CANCELLED) status = error_set(err, CORD_CANCELLED, "stopped");
    } else {
        free(p.logprob);
    }
    free(p.id);
    buf_release(&text);
    return status;
}

/* Of no caller, whose own might be at work: a group is forgotten in the lanes of all models. */
#define CHECK_GROUP UINT64_MAX

cord_status local_check(cord_engine *engine, cord_model *model, bool costs, cord_scoring_check *c, cord_error *err) {
    static const char *const names[] = {"prefill", "a context of its own, nothing cached"};
    cord_scoring probes[2] = {check_probe(model), check_probe(model)}, *request = &probes[0];
    request->group = CHECK_GROUP;
    cord_status status = CORD_OK;
    for (int time = 0; status == CORD_OK && time < (costs ? 2 : 1);
         time++) { /* the second one finds its prompt in the cache */
        scoring_drop(request);
        status = model->backend->score(engine, &request, 1, err);
    }
    if (status == CORD_OK) status = plain_score(local_of(model), &probes[1], err);
    for (int i = 0; status == CORD_OK && i < 2; i++, c->n_ways++) {
        c->way[i].name = names[i];
        c->way[i].obtained = probes[i].error.code == CORD_OK;
        snprintf(c->way[i].why, sizeof c->way[i].why, "%.190s", probes[i].error.message);
        c->way[i].requests = 1;
        c->way[i].cached_tokens = probes[i].cached_tokens;
        c->way[i].computed_tokens = probes[i].prompt_tokens - probes[i].cached_tokens;
    }
    if (status == CORD_OK && c->way[0].obtained && c->way[1].obtained) c->apart = check_apart(&probes[0], &probes[1]);
    c->right = status == CORD_OK && c->way[0].obtained && !(c->apart > model->info.noise);
    for (int i = 0; i < 2; i++) scoring_drop(&probes[i]);
    cord_forget(engine, CHECK_GROUP);
    return status;
}
