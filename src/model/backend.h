/* backend.h - what a back end is to the engine: a table of functions, and a model struct that begins with cord_model.
 * To add one: a folder or file here that fills a struct backend, and a line in engine.c that says which options mean it. */
#ifndef CORD_BACKEND_H
#define CORD_BACKEND_H

#include "base/base.h"

#include <stdatomic.h>

struct backend {
    const char *const
        *instructions; /* of the processor, which it was compiled for, NULL behind the last; NULL: any has them */
    cord_status (*open)(cord_engine *engine, const cord_model_options *options, cord_model **model, cord_error *err);
    void (*close)(cord_model *model);
    cord_status (*count)(const cord_model *model, cord_counting *texts, int n,
                         cord_error *err); /* second halves: zero */
    /* All requests are for models of this back end; their second halves are zero. */
    cord_status (*propose)(cord_engine *engine, cord_proposal **requests, int n, cord_error *err);
    cord_status (*score)(cord_engine *engine, cord_scoring **requests, int n, cord_error *err);
    /* NULL: it reads no model's classification head. */
    cord_status (*classify)(cord_engine *engine, cord_classification **requests, int n, cord_error *err);
    cord_status (*check)(cord_engine *engine, cord_model *model, bool costs, cord_scoring_check *check,
                         cord_error *err);
    void (*forget)(cord_engine *engine, uint64_t group); /* NULL: a server's cache is its own business */
    void (*describe)(const cord_engine *engine, cord_engine_info *info); /* fills what it knows; may be NULL */
    /* Before the models are closed: ends what the back end runs for them, and frees what it keeps in the engine. */
    void (*stop)(cord_engine *engine);
};

/* One of several servers of a model, as it was when the model was opened. */
struct model_replica {
    const char *url, *problem; /* problem: why it was away; NULL: it has the model */
};

/* The first member of every back end's model. */
struct cord_model {
    const struct backend *backend;
    const cord_engine *engine;      /* that it belongs to */
    cord_model_info info;           /* its texts belong to the back end */
    struct cord_model *next;        /* in the engine's list */
    struct model_replica *replicas; /* NULL: one server, or none */
    int n_replicas;
    struct {
        _Atomic int64_t proposed_tokens, propose_prefill_tokens, propose_us, scored_tokens, score_us, cached_tokens,
            sample_us, batches;
    } usage;
};

struct cord_engine {
    cord_engine_options options;
    atomic_bool stop;
    cord_model *models;
    void *local; /* the local back end's own: one device, see local/local.h */
    void *http;  /* the servers' back end's own: see http/http.c */
};

extern const struct backend backend_local, backend_http;

/* The largest cord_sampling.repeat_last. */
enum { REPEAT_MOST = 4096 };

/* options.c: CORD_BAD_INPUT, which names the member and its value, for what cannot be meant. */
cord_status engine_check(const cord_engine_options *options, cord_error *err);
cord_status options_check(const cord_model_options *options, cord_error *err);
/* Of a request of any kind. */
cord_status request_check(const cord_engine *engine, const cord_model *model, int n_spans, cord_error *err);
cord_status proposal_check(const cord_proposal *proposal, cord_error *err);
/* engine.c: free what a failed request has of a result. Its error and its counts stay, where cord_proposal_release and its like
 * make them zero, too. */
void proposal_drop(cord_proposal *proposal);
void scoring_drop(cord_scoring *scoring);
void classification_drop(cord_classification *classification);

/* CORD_BAD_INPUT where a text, which begins behind so many bytes of a whole, is not UTF-8. */
cord_status must_be_utf8(cord_text text, size_t before, cord_error *err);
/* The error of a target that begins in the first token of all, behind so many bytes. */
cord_status nothing_before(size_t bytes, cord_error *err);

/* processor.c: the first of these instructions that this processor does not have; NULL: it has all. */
const char *processor_lacks(const char *const *instructions);

/* check.c: what the back ends' checks have in common. A target that is likely token by token, behind a prompt that is long
 * enough for caches to have most of it; and the largest difference between two results, nats:
 * INFINITY where one of them holds what is no number, or another number of tokens. */
cord_scoring check_probe(const cord_model *model);
double check_apart(const cord_scoring *a, const cord_scoring *b);

/* Why this cord cannot open a file of weights; NULL where it can. */
extern const char *const backend_local_refusal;

#endif
