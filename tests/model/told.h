/* told.h - one request over the engine's HTTP, and what its caller was told of it. */
#ifndef CORD_TESTS_TOLD_H
#define CORD_TESTS_TOLD_H

#include "rig.h"

/* A call, and how often `arrived` was called for it. */
struct told {
    struct http_call call;
    int arrivals;
    bool wants_json; /* a reply must end with a brace */
    int events, enough;
    cord_error verdict;
    int64_t us; /* that it took */
};

static inline bool arrives(void *ctx, struct http_call *call) {
    struct told *told = ctx;
    told->arrivals++;
    call->error = told->verdict;
    return told->verdict.code == CORD_OK && (!told->wants_json || text_ends(buf_text(&call->reply), TEXT("}")));
}

static inline bool has_enough(void *ctx, struct http_call *call) {
    struct told *told = ctx;
    (void)call;
    return ++told->events != told->enough;
}

static inline struct told ask(struct rig *rig, const char *body, struct told told) {
    told.call.endpoint = rig->endpoint;
    if (!told.call.path) told.call.path = "/v1/completions";
    told.call.body = text_of(body);
    told.call.arrived = arrives;
    told.call.event = has_enough;
    told.call.ctx = &told;
    int64_t began = clock_us();
    assert_ok(transport_run(rig->transport, &told.call, 1, err));
    told.us = clock_us() - began;
    return told;
}

static const struct transport_limits hasty = {.first_byte = 0.3, .idle = 0.3}, patient = {0};

#endif
