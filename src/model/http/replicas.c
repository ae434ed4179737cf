/* replicas.c - whether all servers of a model have the same one, which each is asked when the model is opened. It must not
 * know protocols, nor which of them requests go to. */
#include "model/http/openai.h"

#include <stdlib.h>

/* What one of them says of itself; its texts are in its arena. */
struct look {
    struct remote remote;
    bool away;
};

static void look_open(struct look *look, const struct remote *remote, const char *url) {
    look->remote = (struct remote){.base = {.info = {.name = remote->base.info.name, .path = url}},
                                   .engine = remote->engine,
                                   .transport = remote->transport,
                                   .protocol = remote->protocol,
                                   .served = remote->served,
                                   .versioned = remote->versioned};
    arena_init(&look->remote.arena);
}

/* Asks it as the model was identified; hosts that are sent texts only for the list of their models, since all else would have
 * to be paid for, and some have no such list. One that is away may come back, and is no error. */
static cord_status take_look(struct look *look, struct model_replica *seen, struct arena *arena, cord_error *err) {
    struct remote *one = &look->remote;
    const struct protocol *protocol = one->protocol;
    cord_error why = {0};
    bool is = true, host = protocol->sends_text;
    cord_status status = host ? openai_models(one, false, &is, &why) : protocol->identify(one, &is, &why);
    if (status == CORD_OK && !is && !host)
        status = error_set(&why, CORD_BAD_MODEL, "this is no server of the protocol %s, as others of this model are",
                           protocol->name);
    look->away = status == CORD_IO_ERROR || status == CORD_BUSY ||
                 (host && (status == CORD_BAD_MODEL || status == CORD_REFUSED));
    if (look->away) {
        seen->problem = arena_printf(arena, "%s", why.message);
        return seen->problem ? CORD_OK : error_memory(err);
    }
    if (status == CORD_OK || status == CORD_CANCELLED || strstr(why.message, seen->url)) {
        if (err) *err = why;
        return status;
    }
    return error_set(err, status, "%.160s: %.300s", seen->url, why.message);
}

static bool same(const char *a, const char *b) { return !a || !b || !strcmp(a, b); }

static cord_status compare(const struct remote *one, const struct remote *other, cord_error *err) {
    const cord_model_info *a = &one->base.info, *b = &other->base.info;
    const char *x = a->serves, *y = b->serves;
    if (same(x, y)) x = one->named, y = other->named; /* what replies will call it */
    if (same(x, y)) return CORD_OK;
    return error_set(
        err, CORD_BAD_MODEL,
        "%.120s has another model (%.100s) than %.120s (%.100s); all servers of a model must have the same "
        "weights, under one name",
        b->path, y, a->path, x);
}

/* The next one; `looks` are those before it and its own. */
static cord_status visit(struct remote *remote, const char *key, struct look *looks, int i, cord_error *err) {
    struct model_replica *seen = &remote->base.replicas[i];
    int *context = &remote->base.info.context;
    look_open(&looks[i], remote, seen->url);
    CORD_TRY(endpoint_open(remote->transport, seen->url, key, 0, &looks[i].remote.endpoint, err));
    CORD_TRY(take_look(&looks[i], seen, &remote->arena, err));
    if (looks[i].away) return CORD_OK;
    int its = looks[i].remote.base.info.context;
    if (its && (!*context || its < *context)) *context = its; /* a text may come to any of them */
    for (int k = 0; k < i; k++)
        if (!looks[k].away) return compare(&looks[k].remote, &looks[i].remote, err);
    return CORD_OK;
}

static int count_urls(const char *urls) {
    cord_text rest = text_of(urls);
    int n = 0;
    while (endpoint_next_url(&rest).len > 0) n++;
    return n;
}

cord_status replicas_compare(struct remote *remote, const char *urls, const char *key, cord_error *err) {
    int n = count_urls(urls);
    if (n < 2) return CORD_OK;
    struct look *looks = calloc((size_t)n, sizeof *looks);
    remote->base.replicas = arena_alloc(&remote->arena, (size_t)n * sizeof *remote->base.replicas);
    cord_status status = looks && remote->base.replicas ? CORD_OK : error_memory(err);
    cord_text rest = text_of(urls);
    for (int i = 0; i < n && status == CORD_OK; i++) {
        const char *url = arena_text(&remote->arena, endpoint_next_url(&rest)).data;
        remote->base.replicas[i] = (struct model_replica){url, NULL};
        remote->base.n_replicas = i + 1;
        status = url ? visit(remote, key, looks, i, err) : error_memory(err);
    }
    for (int i = 0; looks && i < n; i++) arena_release(&looks[i].remote.arena);
    free(looks);
    return status;
}
