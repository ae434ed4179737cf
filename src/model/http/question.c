/* question.c - requests and replies as JSON, over the transport. It must not know protocols. */
#include "model/http/remote.h"

#include <stdlib.h>

enum { BODY_LIMIT = 64 << 20 };

struct json_writer question_begin(struct question *q, const struct remote *remote, const char *path, uint64_t group) {
    *q = (struct question){.call = {.endpoint = remote->endpoint, .path = path, .group = group}};
    buf_init(&q->body, "the body of a request", BODY_LIMIT);
    struct json_writer w = {.out = &q->body};
    json_open(&w, NULL, '{');
    return w;
}

void question_end(struct question *q, struct json_writer *w) {
    json_close(w, '}');
    q->call.body = buf_text(&q->body);
    buf_check(&q->body, &q->call.error);
}

void question_release(struct question *q) {
    http_call_release(&q->call);
    buf_release(&q->body);
    json_decref(q->reply);
    q->reply = NULL;
}

/* On the transport's thread: a reply that is no JSON is asked for again. */
static bool parse(void *ctx, struct http_call *call) {
    struct question *q = ctx;
    json_error_t error;
    q->reply = json_loadb(call->reply.data, call->reply.len, JSON_DECODE_ANY, &error);
    return q->reply != NULL;
}

cord_status questions_ask(struct transport *transport, struct question *questions, int n, cord_error *err) {
    struct http_call *calls = calloc((size_t)n + 1, sizeof *calls);
    int *which = calloc((size_t)n + 1, sizeof *which), asked = 0;
    cord_status status = calls && which ? CORD_OK : error_memory(err);
    for (int i = 0; status == CORD_OK && i < n; i++) {
        if (questions[i].call.error.code != CORD_OK) continue;
        calls[asked] = questions[i].call;
        calls[asked].arrived = parse;
        calls[asked].ctx = &questions[i];
        which[asked++] = i;
    }
    if (status == CORD_OK && asked) status = transport_run(transport, calls, asked, err);
    for (int k = 0; calls && k < asked; k++) questions[which[k]].call = calls[k];
    free(calls);
    free(which);
    return status;
}

cord_status remote_get(struct remote *remote, const char *path, json_t **reply, cord_error *err) {
    struct http_call call = {.endpoint = remote->endpoint, .path = path};
    json_error_t error;
    *reply = NULL;
    cord_status status = transport_run(remote->transport, &call, 1, err);
    bool absent = call.status == 404 || call.status == 405 || call.status == 501;
    if (status == CORD_OK && call.error.code == CORD_OK) {
        *reply = json_loadb(call.reply.data, call.reply.len, JSON_DECODE_ANY, &error);
    } else if (status == CORD_OK && !absent) {
        status = call.error.code;
        if (err) *err = call.error;
    }
    http_call_release(&call);
    return status;
}

void write_ids(struct json_writer *w, const char *key, const struct pieces *pieces, int n) {
    json_open(w, key, '[');
    for (int i = 0; i < n; i++) json_int(w, NULL, pieces->id[i]);
    json_close(w, ']');
}
