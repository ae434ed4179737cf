/* share.h - fewer GPUs than models: models whose recipe names one device use it in turn. All but one of their servers
 * sleep, and a gate before each device lets through only what the one that is awake can answer.
 *
 * Turns. Whoever comes while its model is awake goes through at once, so that a turn lasts as long as there is work for
 * its model. It ends when nobody has been inside for `linger`, or, once others have waited for `most` of it, when those
 * inside have left; then it is the turn of the model for which somebody has waited longest, and all that wait for it go
 * through together. So nobody waits for ever, and a switch, which takes seconds and costs the caches of what is put to
 * sleep, is made about once for all problems in flight and not once for each.
 *
 * It must not know how a server is put to sleep (its protocol says so), nor what is asked of models. */
#ifndef CORD_MODEL_HTTP_SHARE_H
#define CORD_MODEL_HTTP_SHARE_H

#include "model/http/transport.h"

#include <pthread.h>

struct remote;
struct share;
struct waiter;

/* A server, or several replicas of one, that sleeps while others use its device. Models at the same URLs are one. */
struct sleeper {
    struct share *share;
    struct sleeper *next; /* of the same device */
    char *urls;
    const char *model; /* whose name stands in messages: the one that was opened first */
    int models;        /* that it serves */
    const struct protocol *protocol;
    struct endpoint **replicas; /* one by one: each is put to sleep */
    int n_replicas;
    bool sleeps;                 /* known to; one that may be awake does not. Whoever changes turns owns it */
    struct waiter *first, *last; /* in the order in which they came */
};

struct share {
    char *name;
    struct transport *transport;
    const atomic_bool *stop;
    pthread_mutex_t mutex; /* guards what follows, and the waiters */
    pthread_cond_t changed;
    struct sleeper *sleepers;
    struct sleeper *awake;  /* whose turn it is; NULL: nobody's */
    int inside;             /* that were let through and have not left */
    bool changing;          /* somebody is changing turns */
    int64_t began, left_at; /* when the turn began, and when somebody left last */
    int64_t most, linger;   /* microseconds */
};

/* Opening a model: makes it one of those that use `device` in turn; NULL: it has one of its own, and `remote->sleeper`
 * stays NULL. The server is asked whether it sleeps, and is put to sleep if another one of the device is awake. It is woken
 * when it is needed. `key` as in endpoint_open. CORD_BAD_MODEL or CORD_BAD_INPUT, in words, for a server that cannot sleep. */
cord_status share_join(struct remote *remote, const char *device, const char *key, cord_error *err);
/* Closing a model. The servers are left as they are. */
void share_leave(struct remote *remote);

/* As transport_run, for calls of several models: sleepers[i] is whose turn calls[i] needs, NULL for those that need none.
 * What needs different turns is run side by side, so that no device waits for another. Where a server cannot be put to
 * sleep or woken, the calls that waited for that have the error, CORD_IO_ERROR. Cancelled within 0.1 s wherever they wait. */
cord_status share_run(struct transport *transport, struct http_call *calls, struct sleeper *const *sleepers, int n,
                      cord_error *err);

#endif
