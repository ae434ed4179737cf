/* engine.c - hands requests to the back ends of their models. It knows no llama, no network, and no search. */
#include "model/backend.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

static const struct backend *const backends[] = {&backend_local, &backend_http};
enum { N_BACKENDS = sizeof backends / sizeof *backends };

cord_status cord_engine_open(const cord_engine_options *options, cord_engine **engine, cord_error *err) {
    CORD_TRY(engine_check(options, err));
    cord_engine *fresh = calloc(1, sizeof *fresh);
    if (!fresh) return error_memory(err);
    fresh->options = *options;
    *engine = fresh;
    return CORD_OK;
}

void cord_engine_close(cord_engine *engine) {
    if (!engine) return;
    for (int i = 0; i < N_BACKENDS; i++) backends[i]->stop(engine);
    for (cord_model *model = engine->models, *next; model; model = next) {
        next = model->next;
        model->backend->close(model);
    }
    free(engine);
}

void cord_engine_stop(cord_engine *engine) { atomic_store(&engine->stop, true); }

cord_engine_info cord_engine_get_info(const cord_engine *engine) {
    cord_engine_info info = {0};
    for (int i = 0; i < N_BACKENDS; i++)
        if (backends[i]->describe) backends[i]->describe(engine, &info);
    return info;
}

void cord_forget(cord_engine *engine, uint64_t group) {
    for (int i = 0; i < N_BACKENDS; i++)
        if (backends[i]->forget) backends[i]->forget(engine, group);
}

static cord_status goes_on(const cord_engine *engine, cord_error *err) {
    return atomic_load(&engine->stop) ? error_set(err, CORD_CANCELLED, "stopped") : CORD_OK;
}

cord_status cord_model_open(cord_engine *engine, const cord_model_options *options, cord_model **model,
                            cord_error *err) {
    const struct backend *backend = options->url ? &backend_http : &backend_local;
    CORD_TRY(goes_on(engine, err));
    CORD_TRY(options_check(options, err));
    const char *lacks = backend->instructions ? processor_lacks(backend->instructions) : NULL;
    if (lacks)
        return error_set(err, CORD_BAD_MODEL,
                         "%s: this cord was compiled for a processor with %s, which this machine's is not; compile it "
                         "here (make), or for most (docs/architecture.md, CORD_NATIVE); models of servers need neither",
                         options->name, lacks);
    CORD_TRY(backend->open(engine, options, model, err));
    (*model)->backend = backend;
    (*model)->engine = engine;
    (*model)->next = engine->models;
    engine->models = *model;
    return CORD_OK;
}

const cord_model_info *cord_model_get_info(const cord_model *model) { return &model->info; }

cord_status cord_count(const cord_model *model, cord_counting *texts, int n, cord_error *err) {
    if (n < 0) return error_set(err, CORD_BAD_INPUT, "%d texts cannot be counted", n);
    for (int i = 0; i < n; i++) {
        texts[i].tokens = 0;
        texts[i].error = (cord_error){0};
    }
    return n ? model->backend->count(model, texts, n, err) : CORD_OK;
}

cord_status cord_count_tokens(const cord_model *model, const cord_span *spans, int n, int *tokens, cord_error *err) {
    cord_counting text = {.spans = spans, .n_spans = n};
    CORD_TRY(cord_count(model, &text, 1, err));
    *tokens = text.tokens;
    if (text.error.code != CORD_OK && err) *err = text.error;
    return text.error.code;
}

cord_model_usage cord_model_get_usage(const cord_model *model) {
    return (cord_model_usage){
        .proposed_tokens = atomic_load(&model->usage.proposed_tokens),
        .propose_prefill_tokens = atomic_load(&model->usage.propose_prefill_tokens),
        .propose_us = atomic_load(&model->usage.propose_us),
        .scored_tokens = atomic_load(&model->usage.scored_tokens),
        .score_us = atomic_load(&model->usage.score_us),
        .cached_tokens = atomic_load(&model->usage.cached_tokens),
        .sample_us = atomic_load(&model->usage.sample_us),
        .batches = atomic_load(&model->usage.batches),
    };
}

/* ---- calls --------------------------------------------------------------------------------------------------- */

/* What one back end has of a call. */
struct part {
    cord_engine *engine;
    const struct backend *backend;
    cord_status (*run)(struct part *part);
    void **requests; /* n pointers to requests of the call's kind */
    int n;
    cord_status status;
    cord_error error;
};

static void *run_part(void *arg) {
    struct part *part = arg;
    part->status = part->run(part);
    return NULL;
}

/* Runs the parts that have requests, side by side: a server computes while this machine does. */
static cord_status run_parts(struct part parts[N_BACKENDS], cord_error *err) {
    pthread_t threads[N_BACKENDS];
    bool apart[N_BACKENDS] = {false};
    struct part *last = NULL;
    for (int b = 0; b < N_BACKENDS; b++)
        if (parts[b].n) last = &parts[b];
    for (int b = 0; b < N_BACKENDS; b++) {
        if (!parts[b].n || &parts[b] == last) continue;
        apart[b] = pthread_create(&threads[b], NULL, run_part, &parts[b]) == 0;
        if (!apart[b]) run_part(&parts[b]);
    }
    if (last) run_part(last);
    for (int b = 0; b < N_BACKENDS; b++)
        if (apart[b]) pthread_join(threads[b], NULL);
    for (int b = 0; b < N_BACKENDS; b++) {
        if (parts[b].status == CORD_OK) continue;
        if (err) *err = parts[b].error;
        return parts[b].status;
    }
    return CORD_OK;
}

/* Gives each back end those of the `n` requests, each `size` bytes long, that are for its models, and runs what it has. The
 * first member of every kind of request is its model. `takes` says in the request why one is not taken. */
static cord_status deal(cord_engine *engine, void *requests, size_t size, int n,
                        bool (*takes)(const cord_engine *engine, void *request), cord_status (*run)(struct part *part),
                        cord_error *err) {
    CORD_TRY(goes_on(engine, err));
    if (n < 0) return error_set(err, CORD_BAD_INPUT, "a call has %d requests", n);
    void **taken = calloc(2 * (size_t)n + 1, sizeof *taken), **next = taken + n;
    if (!taken) return error_memory(err);
    int n_taken = 0;
    for (int i = 0; i < n; i++) {
        void *request = (char *)requests + (size_t)i * size;
        if (takes(engine, request)) taken[n_taken++] = request;
    }
    struct part parts[N_BACKENDS];
    for (int b = 0; b < N_BACKENDS; b++) {
        parts[b] = (struct part){.engine = engine, .backend = backends[b], .run = run, .requests = next};
        for (int i = 0; i < n_taken; i++)
            if ((*(const cord_model *const *)taken[i])->backend == backends[b]) *next++ = taken[i];
        parts[b].n = (int)(next - parts[b].requests);
    }
    cord_status status = run_parts(parts, err);
    free(taken);
    return status;
}
_Static_assert(offsetof(cord_proposal, model) == 0 && offsetof(cord_scoring, model) == 0 &&
                   offsetof(cord_classification, model) == 0,
               "deal() reads a request's model at its beginning");

/* Zeroes what calls fill in of a request: all from that member on. */
#define EMPTY_FROM(request, member) \
    memset(&(request)->member, 0, sizeof *(request) - (size_t)((char *)&(request)->member - (char *)(request)))

static bool takes_proposal(const cord_engine *engine, void *request) {
    cord_proposal *p = request;
    bool takes =
        request_check(engine, p->model, p->n_spans, &p->error) == CORD_OK && proposal_check(p, &p->error) == CORD_OK;
    if (!takes) p->stop = -1;
    return takes;
}

static cord_status run_propose(struct part *part) {
    return part->backend->propose(part->engine, (cord_proposal **)part->requests, part->n, &part->error);
}

cord_status cord_propose(cord_engine *engine, cord_proposal *requests, int n, cord_error *err) {
    cord_status status = deal(engine, requests, sizeof *requests, n, takes_proposal, run_propose, err);
    for (int i = 0; status != CORD_OK && i < n; i++) proposal_drop(&requests[i]);
    return status;
}

void proposal_drop(cord_proposal *proposal) {
    free(proposal->text);
    proposal->text = NULL;
    proposal->len = 0;
}

void cord_proposal_release(cord_proposal *proposal) {
    proposal_drop(proposal);
    EMPTY_FROM(proposal, error);
}

static bool takes_scoring(const cord_engine *engine, void *request) {
    cord_scoring *s = request;
    return request_check(engine, s->model, s->n_spans, &s->error) == CORD_OK;
}

static cord_status run_score(struct part *part) {
    return part->backend->score(part->engine, (cord_scoring **)part->requests, part->n, &part->error);
}

cord_status cord_score(cord_engine *engine, cord_scoring *requests, int n, cord_error *err) {
    cord_status status = deal(engine, requests, sizeof *requests, n, takes_scoring, run_score, err);
    for (int i = 0; status != CORD_OK && i < n; i++) scoring_drop(&requests[i]);
    return status;
}

void scoring_drop(cord_scoring *scoring) {
    free(scoring->logprob);
    free(scoring->token);
    scoring->logprob = NULL;
    scoring->token = NULL;
    scoring->n_tokens = 0;
}

void cord_scoring_release(cord_scoring *scoring) {
    scoring_drop(scoring);
    EMPTY_FROM(scoring, error);
}

static bool takes_classification(const cord_engine *engine, void *request) {
    cord_classification *classification = request;
    if (request_check(engine, classification->model, classification->n_spans, &classification->error) != CORD_OK)
        return false;
    if (classification->model->backend->classify) return true;
    error_fill(&classification->error, CORD_BAD_MODEL,
               "the weights of %s have no such head here: a classification head is read of a vLLM server only; let "
               "vLLM serve the model (vllm serve MODEL), and give its url in place of the file",
               classification->model->info.name);
    return false;
}

static cord_status run_classify(struct part *part) {
    return part->backend->classify(part->engine, (cord_classification **)part->requests, part->n, &part->error);
}

cord_status cord_classify(cord_engine *engine, cord_classification *requests, int n, cord_error *err) {
    cord_status status = deal(engine, requests, sizeof *requests, n, takes_classification, run_classify, err);
    for (int i = 0; status != CORD_OK && i < n; i++) classification_drop(&requests[i]);
    return status;
}

void classification_drop(cord_classification *classification) {
    free(classification->logprob);
    classification->logprob = NULL;
    classification->n_places = classification->n_classes = 0;
}

void cord_classification_release(cord_classification *classification) {
    classification_drop(classification);
    EMPTY_FROM(classification, error);
}

cord_status cord_check_scoring(cord_engine *engine, cord_model *model, bool costs, cord_scoring_check *check,
                               cord_error *err) {
    *check = (cord_scoring_check){.apart = NAN};
    CORD_TRY(goes_on(engine, err));
    CORD_TRY(request_check(engine, model, 0, err));
    return model->backend->check(engine, model, costs, check, err);
}
