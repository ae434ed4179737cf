/* share.c - devices that several servers use in turn: see share.h. */
#include "model/http/share.h"

#include "model/http/remote.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_US = 60 * 1000 * 1000,        /* of a turn, once others wait: some ten times what a switch takes */
    LINGER_US = 100 * 1000,            /* a problem that has its scores comes back for the next step sooner than this */
    TICK_US = 50 * 1000,               /* how often who waits looks whether it is its turn, and at `stop` */
    SETTLE_US = 10 * 60 * 1000 * 1000, /* most that a server takes from the reply to being asleep, or awake */
    REPLICAS_MOST = 64,
};

/* Somebody before the gate; on its own stack. */
struct waiter {
    struct waiter *next;
    int64_t since;
    bool admitted;
    cord_error error; /* or why it never will be */
};

static bool is_stopped(const struct share *share) { return atomic_load(share->stop); }

static cord_status stopped(cord_error *err) { return error_set(err, CORD_CANCELLED, "stopped"); }

/* ---- telling servers ------------------------------------------------------------------------------------------ */

static bool read_state(void *ctx, struct http_call *call) {
    const struct sleeper *sleeper = ctx;
    bool sleeps;
    json_t *reply = read_json(buf_text(&call->reply));
    bool good = reply && sleeper->protocol->sleep->read(reply, &sleeps);
    json_decref(reply);
    return good;
}

/* The same request to all replicas: a GET of `path`, or a POST. `each` sees every reply; it may be NULL. */
static cord_status ask_all(struct sleeper *z, const char *path, bool post, int tries,
                           void (*each)(void *ctx, const struct http_call *call), void *ctx, cord_error *err) {
    struct http_call *calls = calloc((size_t)z->n_replicas, sizeof *calls);
    if (!calls) return error_memory(err);
    for (int i = 0; i < z->n_replicas; i++)
        calls[i] = (struct http_call){.endpoint = z->replicas[i],
                                      .path = path,
                                      .most_tries = tries,
                                      .body = post ? TEXT("{}") : TEXT(""), /* which no server looks at */
                                      .arrived = post ? NULL : read_state,
                                      .ctx = z};
    cord_status status = transport_run(z->share->transport, calls, z->n_replicas, err);
    for (int i = 0; i < z->n_replicas; i++) {
        if (status == CORD_OK && each) each(ctx, &calls[i]);
        if (status == CORD_OK && calls[i].error.code != CORD_OK) {
            status = calls[i].error.code;
            if (err) *err = calls[i].error;
        }
        http_call_release(&calls[i]);
    }
    free(calls);
    return status;
}

struct census {
    const struct sleeper *sleeper;
    int asleep, awake, unable; /* replicas; unable: they do not offer the calls */
};

static void count_state(void *ctx, const struct http_call *call) {
    struct census *census = ctx;
    bool sleeps = false;
    census->unable += call->status == 404 || call->status == 405;
    if (call->error.code != CORD_OK) return;
    json_t *reply = read_json(buf_text(&call->reply));
    (void)census->sleeper->protocol->sleep->read(reply, &sleeps);
    json_decref(reply);
    census->asleep += sleeps;
    census->awake += !sleeps;
}

static cord_status count_all(struct sleeper *z, int tries, struct census *census, cord_error *err) {
    *census = (struct census){.sleeper = z};
    return ask_all(z, z->protocol->sleep->state_path, false, tries, count_state, census, err);
}

/* Puts a server to sleep, or wakes it, and returns when it is. */
static cord_status tell(struct sleeper *z, bool sleep, cord_error *err) {
    const struct sleep_calls *calls = z->protocol->sleep;
    z->sleeps = false;
    CORD_TRY(ask_all(z, sleep ? calls->sleep_path : calls->wake_path, true, 0, NULL, NULL, err));
    for (int64_t began = clock_us();;) {
        struct census census;
        CORD_TRY(count_all(z, 0, &census, err));
        if ((sleep ? census.asleep : census.awake) == z->n_replicas) break;
        if (is_stopped(z->share)) return stopped(err);
        if (clock_us() - began > SETTLE_US)
            return error_set(err, CORD_IO_ERROR, "%s was told to, and does not", z->urls);
        usleep(TICK_US);
    }
    z->sleeps = sleep;
    return CORD_OK;
}

/* All others first: two that are awake have no room. */
static cord_status wake_alone(struct sleeper *z, cord_error *err) {
    for (struct sleeper *other = z->share->sleepers; other; other = other->next) {
        if (other == z || other->sleeps) continue;
        cord_status status = tell(other, true, err);
        if (status != CORD_OK) error_where(err, "putting %s to sleep, so that %s may wake", other->model, z->model);
        if (status != CORD_OK) return status;
    }
    cord_status status = tell(z, false, err);
    if (status != CORD_OK) error_where(err, "waking %s", z->model);
    return status;
}

/* ---- the gate --------------------------------------------------------------------------------------------------- */

static void take_out(struct sleeper *z, const struct waiter *w) {
    struct waiter *before = NULL;
    for (struct waiter *at = z->first; at != w; at = at->next) before = at;
    *(before ? &before->next : &z->first) = w->next;
    if (z->last == w) z->last = before;
}

static void put_in(struct sleeper *z, struct waiter *w) {
    *(z->last ? &z->last->next : &z->first) = w;
    z->last = w;
}

/* For whom somebody has waited longest, leaving out who is awake; NULL: nobody waits. */
static struct sleeper *next_turn(const struct share *share) {
    struct sleeper *next = NULL;
    for (struct sleeper *z = share->sleepers; z; z = z->next)
        if (z != share->awake && z->first && (!next || z->first->since < next->first->since)) next = z;
    return next;
}

/* Others have waited for long enough: nobody else is let in. */
static bool is_over(const struct share *share, const struct sleeper *next, int64_t now) {
    if (!next) return false;
    int64_t from = next->first->since > share->began ? next->first->since : share->began;
    return now - from >= share->most;
}

static bool is_open(const struct sleeper *z, int64_t now) {
    const struct share *share = z->share;
    return share->awake == z && !share->changing && !is_over(share, next_turn(share), now);
}

/* Gives the turn to `z`, with the mutex held, which is let go meanwhile; then lets in all that wait for it. */
static void change_turn(struct sleeper *z) {
    struct share *share = z->share;
    cord_error error = {0};
    share->changing = true;
    share->awake = NULL;
    pthread_mutex_unlock(&share->mutex);
    cord_status status = wake_alone(z, &error);
    bool own = status == CORD_OK || status == CORD_CANCELLED || status == CORD_NO_MEMORY;
    if (!own) status = error.code = CORD_IO_ERROR; /* whatever it was, it is no fault of what waits, and may pass */
    pthread_mutex_lock(&share->mutex);
    share->changing = false;
    share->began = share->left_at = clock_us();
    if (status == CORD_OK) share->awake = z;
    for (struct waiter *w = z->first; w; w = w->next) {
        w->admitted = status == CORD_OK;
        share->inside += w->admitted;
        if (status != CORD_OK) w->error = error;
    }
    z->first = z->last = NULL;
    pthread_cond_broadcast(&share->changed);
}

static void wait_until(struct share *share, int64_t due) {
    int64_t now = clock_us(), soon = now + TICK_US;
    int64_t left = (due < soon ? due : soon) - now;
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += (long)(left > 0 ? left : 0) * 1000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&share->changed, &share->mutex, &at);
}

/* Until it is let in, or told that it will not be. Whoever finds that a turn has ended begins the next one. */
static void wait_for_turn(struct sleeper *z, struct waiter *me) {
    struct share *share = z->share;
    while (!me->admitted && me->error.code == CORD_OK) {
        int64_t now = clock_us();
        struct sleeper *next = next_turn(share);
        bool empty = share->inside == 0 && !share->changing && next;
        if (is_stopped(share)) {
            take_out(z, me);
            (void)stopped(&me->error);
        } else if (is_open(z, now)) {
            take_out(z, me);
            me->admitted = true;
            share->inside++;
        } else if (empty && (!share->awake || is_over(share, next, now) || now - share->left_at >= share->linger)) {
            change_turn(next);
        } else {
            wait_until(share, empty ? share->left_at + share->linger : INT64_MAX);
        }
    }
}

static cord_status enter(struct sleeper *z, cord_error *err) {
    struct share *share = z->share;
    struct waiter me = {.since = clock_us()};
    pthread_mutex_lock(&share->mutex);
    put_in(z, &me);
    wait_for_turn(z, &me);
    pthread_mutex_unlock(&share->mutex);
    if (me.admitted) return CORD_OK;
    *err = me.error;
    return me.error.code;
}

static void leave(struct sleeper *z) {
    struct share *share = z->share;
    pthread_mutex_lock(&share->mutex);
    share->left_at = clock_us();
    if (--share->inside == 0) pthread_cond_broadcast(&share->changed);
    pthread_mutex_unlock(&share->mutex);
}

/* ---- running calls ---------------------------------------------------------------------------------------------- */

/* The calls of one call that need the same turn, or none. */
struct party {
    struct transport *transport;
    struct sleeper *sleeper;
    struct http_call *calls;
    int n;
    pthread_t thread;
    bool threaded;
    cord_status status;
    cord_error error;
};

static void run_party(struct party *p) {
    if (p->sleeper) {
        cord_status status = enter(p->sleeper, &p->error);
        for (int i = 0; status != CORD_OK && i < p->n; i++) p->calls[i].error = p->error;
        if (status == CORD_CANCELLED) p->status = status;
        if (status != CORD_OK) return;
    }
    p->status = transport_run(p->transport, p->calls, p->n, &p->error);
    if (p->sleeper) leave(p->sleeper);
}

static void *party_main(void *arg) {
    run_party(arg);
    return NULL;
}

static cord_status run_parties(struct party *parties, int n, cord_error *err) {
    cord_status status = CORD_OK;
    for (int i = 1; i < n; i++)
        parties[i].threaded = pthread_create(&parties[i].thread, NULL, party_main, &parties[i]) == 0;
    for (int i = 0; i < n; i++)
        if (!parties[i].threaded) run_party(&parties[i]); /* one after another, where there are no threads */
    for (int i = 0; i < n; i++) {
        if (parties[i].threaded) pthread_join(parties[i].thread, NULL);
        if (status == CORD_OK && parties[i].status != CORD_OK) {
            status = parties[i].status;
            if (err) *err = parties[i].error;
        }
    }
    return status;
}

cord_status share_run(struct transport *transport, struct http_call *calls, struct sleeper *const *sleepers, int n,
                      cord_error *err) {
    bool alone = true; /* nobody needs a turn */
    for (int i = 0; i < n; i++) alone = alone && !sleepers[i];
    if (alone) return transport_run(transport, calls, n, err);
    struct party *parties = calloc((size_t)n, sizeof *parties);
    struct http_call *sorted = calloc((size_t)n, sizeof *sorted);
    int *from = calloc((size_t)n, sizeof *from), n_parties = 0, n_sorted = 0;
    cord_status status = parties && sorted && from ? CORD_OK : error_memory(err);
    for (int i = 0; status == CORD_OK && i < n; i++) {
        bool known = false;
        for (int k = 0; k < n_parties; k++) known = known || parties[k].sleeper == sleepers[i];
        if (known) continue;
        struct party *p = &parties[n_parties++];
        *p = (struct party){.transport = transport, .sleeper = sleepers[i], .calls = sorted + n_sorted};
        for (int k = i; k < n; k++) {
            if (sleepers[k] != sleepers[i]) continue;
            from[n_sorted] = k;
            sorted[n_sorted++] = calls[k];
            p->n++;
        }
    }
    if (status == CORD_OK) {
        status = run_parties(parties, n_parties, err);
        for (int i = 0; i < n; i++) calls[from[i]] = sorted[i];
    }
    free(parties);
    free(sorted);
    free(from);
    return status;
}

/* ---- joining and leaving ---------------------------------------------------------------------------------------- */

static struct share *share_new(const char *name, struct transport *transport, const atomic_bool *stop) {
    struct share *share = calloc(1, sizeof *share);
    if (share) share->name = strdup(name);
    if (!share || !share->name) {
        free(share);
        return NULL;
    }
    share->transport = transport;
    share->stop = stop;
    share->most = MOST_US;
    share->linger = LINGER_US;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&share->mutex, NULL);
    pthread_cond_init(&share->changed, &attr);
    pthread_condattr_destroy(&attr);
    return share;
}

static void share_free(struct share *share) {
    pthread_mutex_destroy(&share->mutex);
    pthread_cond_destroy(&share->changed);
    free(share->name);
    free(share);
}

static void sleeper_free(struct sleeper *z) {
    free(z->urls);
    free(z->replicas);
    free(z);
}

/* An endpoint for each of its URLs, so that each replica can be told. */
static cord_status open_replicas(struct sleeper *z, const char *key, cord_error *err) {
    cord_text left = text_of(z->urls);
    z->replicas = calloc(REPLICAS_MOST, sizeof *z->replicas);
    if (!z->replicas) return error_memory(err);
    for (cord_text next; (next = endpoint_next_url(&left)).len > 0;) {
        if (z->n_replicas == REPLICAS_MOST)
            return error_set(err, CORD_BAD_INPUT, "more than %d replicas cannot share a device", REPLICAS_MOST);
        char *url = strndup(next.data, next.len);
        cord_status status = url ? endpoint_open(z->share->transport, url, key, 0, &z->replicas[z->n_replicas++], err)
                                 : error_memory(err);
        free(url);
        CORD_TRY(status);
    }
    return CORD_OK;
}

/* What it does when it is met: it stays awake where nobody else of its device is, and else is put to sleep. */
static cord_status meet(struct sleeper *z, cord_error *err) {
    struct share *share = z->share;
    struct census census;
    cord_status status = count_all(z, PROBE_TRIES, &census, err);
    if (census.unable)
        return error_set(err, CORD_BAD_MODEL,
                         "it shares the device %s with others, and the server cannot be put to sleep; %s", share->name,
                         z->protocol->sleep->advice);
    CORD_TRY(status);
    z->sleeps = census.awake == 0;
    if (census.asleep == 0 && !share->awake) share->awake = z;
    if (z->sleeps || share->awake == z) return CORD_OK;
    return tell(z, true, err);
}

static bool same_servers(const char *urls, const char *others) {
    cord_text a = text_of(urls), b = text_of(others), url;
    do {
        url = endpoint_next_url(&a);
        if (!text_equal(url, endpoint_next_url(&b))) return false;
    } while (url.len > 0);
    return true;
}

/* The models that are open already tell which devices there are, and who is served where. */
static cord_status find_known(struct remote *remote, const char *device, struct share **share, struct sleeper **sleeper,
                              cord_error *err) {
    const char *urls = remote->base.info.path;
    *share = NULL;
    *sleeper = NULL;
    for (const struct cord_model *model = remote->engine->models; model; model = model->next) {
        if (model->backend != &backend_http) continue;
        const struct remote *other = remote_of(model);
        const char *its = other->sleeper ? other->sleeper->share->name : NULL;
        bool same = device && its ? !strcmp(device, its) : device == its;
        if (same && device) *share = other->sleeper->share;
        if (!same_servers(other->base.info.path, urls)) continue;
        if (!same)
            return error_set(err, CORD_BAD_INPUT, "%s is served at the same URL; give both the same device, or none",
                             other->base.info.name);
        *sleeper = other->sleeper;
    }
    return CORD_OK;
}

static cord_status add_sleeper(struct share *share, struct remote *remote, const char *key, cord_error *err) {
    struct sleeper *z = calloc(1, sizeof *z);
    if (z) z->urls = strdup(remote->base.info.path);
    if (!z || !z->urls) {
        free(z);
        return error_memory(err);
    }
    z->share = share;
    z->model = remote->base.info.name;
    z->protocol = remote->protocol;
    cord_status status = open_replicas(z, key, err);
    if (status == CORD_OK) status = meet(z, err);
    if (status != CORD_OK) {
        if (share->awake == z) share->awake = NULL;
        sleeper_free(z);
        return status;
    }
    z->next = share->sleepers;
    share->sleepers = z;
    remote->sleeper = z;
    return CORD_OK;
}

cord_status share_join(struct remote *remote, const char *device, const char *key, cord_error *err) {
    struct share *share;
    struct sleeper *known;
    if (device && !*device) device = NULL;
    CORD_TRY(find_known(remote, device, &share, &known, err));
    if (!device) return CORD_OK;
    if (!remote->protocol->sleep)
        return error_set(err, CORD_BAD_MODEL,
                         "it shares the device %s with others, and %s cannot be put to sleep; serve it with vLLM, or "
                         "give it one of its own",
                         device, remote->protocol->name);
    if (known) {
        known->models++;
        remote->sleeper = known;
        return CORD_OK;
    }
    bool fresh = !share;
    if (fresh && !(share = share_new(device, remote->transport, &remote->engine->stop))) return error_memory(err);
    cord_status status = add_sleeper(share, remote, key, err);
    if (status == CORD_OK) remote->sleeper->models = 1;
    if (status != CORD_OK && fresh) share_free(share);
    return status;
}

void share_leave(struct remote *remote) {
    struct sleeper *z = remote->sleeper;
    if (!z || --z->models > 0) return;
    struct share *share = z->share;
    struct sleeper **at = &share->sleepers;
    if (share->awake == z) share->awake = NULL;
    while (*at != z) at = &(*at)->next;
    *at = z->next;
    sleeper_free(z);
    if (!share->sleepers) share_free(share);
}
