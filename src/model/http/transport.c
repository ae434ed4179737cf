/* transport.c - the thread that does all HTTP, and those who wait for it. It must not know what is on the wire (attempt.c),
 * nor which replica is asked (endpoint.c).
 *
 * The thread sleeps in epoll_wait (wire.c): curl says which sockets matter to it (its "socket action" interface), so that a
 * request that waits for its reply costs nothing, however many they are.
 */
#include "model/http/parts.h"
#include "model/http/retry.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    TICK_US = 50 * 1000, /* how often `stop` and the timeouts are looked at, while there are jobs */
    LATER_US = 50,    /* for each job the timeouts are looked at that much later: it takes time to look at thousands */
    FILES_KEPT = 128, /* of the open files allowed, for others than us */
    FILES_PER_REQUEST = 2, /* a connection; while names are looked up, one more; those of the wire itself */
    FILES_MOST = (FILES_PER_REQUEST + 1) * REQUESTS_MOST, /* and as many connections that are kept for later */
};

/* A transport_run that waits. */
struct batch {
    int left; /* guarded by the transport's mutex */
    pthread_cond_t done;
};

struct transport {
    struct transport_limits limits; /* with the defaults */
    const atomic_bool *stop;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what callers and the thread share: */
    struct queue inbox;
    struct endpoint *endpoints; /* grows at its head only, so that the thread may walk it from a head it once saw */
    bool closing;

    /* the thread's own: */
    struct wire wire;
    int64_t due;      /* a paused job is due, or a replica should be looked at */
    struct job *jobs; /* all */
    int n_jobs;
    int active, most; /* on the wire; how many there may be */
};

/* ---- how jobs end ------------------------------------------------------------------------------------------------ */

static void unlist(struct transport *t, struct job *job) {
    t->n_jobs--;
    if (job->older) job->older->newer = job->newer;
    if (job->newer)
        job->newer->older = job->older;
    else
        t->jobs = job->older;
}

/* The job is over, and no longer there when this returns: call->error says how it ended. */
static void job_finish(struct transport *t, struct job *job) {
    unlist(t, job);
    pthread_mutex_lock(&t->mutex);
    if (--job->batch->left == 0) pthread_cond_signal(&job->batch->done);
    pthread_mutex_unlock(&t->mutex);
}

static void job_fail(struct transport *t, struct job *job, cord_status code, const char *url, const char *problem) {
    struct http_call *call = job->call;
    call->error = (cord_error){0};
    char count[40] = "";
    int spent = job->spent / QUARTERS,
        tried = spent > job->failures ? spent : job->failures; /* by others, while it waited */
    if (tried > 1) snprintf(count, sizeof count, " (tried %d times)", tried);
    (void)error_set(&call->error, code, "%.160s%.60s: %.330s%s", url, call->path, problem, count);
    job_finish(t, job);
}

/* Those whose tries were used up by a probe of somebody else's. */
static void fail_all(struct transport *t, struct queue *jobs) {
    for (struct job *job; (job = queue_pop(jobs));)
        job_fail(t, job, CORD_IO_ERROR, job->replica->url, job->replica->problem);
}

static void job_pause(struct transport *t, struct job *job, int64_t now) {
    const struct transport_limits *limits = &t->limits;
    uint64_t seed = seed_mix(job->seed, (uint64_t)job->failures);
    int n = job->spent / QUARTERS > 1 ? job->spent / QUARTERS : 1;
    job->state = JOB_PAUSED;
    job->due = now + retry_pause(limits->backoff, limits->longest, n, job->pause, seed);
    if (job->due < t->due) t->due = job->due;
}

static bool may_go_again(const struct job *job) {
    const struct http_call *call = job->call;
    return !job->lost || !call->again || call->again(call->ctx, job->lost);
}

/* An attempt is over. */
static void job_attempted(struct transport *t, struct job *job, CURLcode code) {
    struct endpoint *endpoint = job->call->endpoint;
    struct queue lost = {0};
    t->active--;
    attempt_end(&t->wire, job, code);
    int64_t now = clock_us();
    endpoint_learn(endpoint, job, now, &lost);
    if (job->outcome == OUTCOME_GOOD) {
        job->call->error = (cord_error){0};
        job_finish(t, job);
    } else if (job->outcome == OUTCOME_FINAL || job->spent >= job->most) {
        job_fail(t, job, job->code, job->replica->url, job->problem);
    } else if (!may_go_again(job)) {
        job_fail(t, job, CORD_CANCELLED, job->replica->url, job->problem);
    } else {
        job_pause(t, job, now);
    }
    fail_all(t, &lost);
}

static void cancel_all(struct transport *t, struct endpoint *endpoints) {
    for (struct endpoint *endpoint = endpoints; endpoint; endpoint = endpoint->next) endpoint_clear(endpoint);
    while (t->jobs) {
        struct job *job = t->jobs;
        if (job->state == JOB_ACTIVE) {
            t->active--;
            job->call->tries += job->sent;
            job->call->lost += job->sent;
            attempt_cancel(&t->wire, job);
            endpoint_drop(job);
        }
        job->call->error = (cord_error){0};
        (void)error_set(&job->call->error, CORD_CANCELLED, "stopped");
        job_finish(t, job);
    }
}

/* ---- how jobs begin ---------------------------------------------------------------------------------------------- */

/* Sends what may be sent now. */
static void send_more(struct transport *t, struct endpoint *endpoints, int64_t now) {
    for (struct endpoint *endpoint = endpoints; endpoint; endpoint = endpoint->next) {
        struct job *job;
        while (t->active < t->most && (job = endpoint_next(endpoint, now))) {
            if (attempt_start(&t->wire, job)) {
                t->active++;
                continue;
            }
            endpoint_drop(job);
            job_fail(t, job, CORD_NO_MEMORY, job->replica->url, "out of memory for a request");
        }
        int64_t due = endpoint_due(endpoint, now);
        if (due < t->due) t->due = due;
    }
}

/* Takes what callers brought. False: the transport closes. */
static bool collect(struct transport *t, struct endpoint **endpoints) {
    pthread_mutex_lock(&t->mutex);
    struct queue inbox = t->inbox;
    t->inbox = (struct queue){0};
    *endpoints = t->endpoints;
    bool closing = t->closing;
    pthread_mutex_unlock(&t->mutex);
    int64_t now = clock_us();
    for (struct job *job; (job = queue_pop(&inbox));) {
        job->older = t->jobs;
        if (t->jobs) t->jobs->newer = job;
        t->jobs = job;
        t->n_jobs++;
        endpoint_enqueue(job->call->endpoint, job, false, now);
    }
    return !closing;
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

static void take_results(struct transport *t) {
    CURLcode code;
    for (CURL *easy; (easy = wire_ended(&t->wire, &code));) {
        char *job = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &job);
        job_attempted(t, (void *)job, code);
    }
}

/* Looks at every job: whose pause is over, who has waited for too long. */
static void look_at_clock(struct transport *t) {
    int64_t now = clock_us();
    t->due = INT64_MAX;
    for (struct job *job = t->jobs, *older; job; job = older) {
        older = job->older;
        if (job->state == JOB_PAUSED && job->due <= now)
            endpoint_enqueue(job->call->endpoint, job, true, now);
        else if (job->state == JOB_PAUSED && job->due < t->due)
            t->due = job->due;
        else if (job->state == JOB_ACTIVE && attempt_is_late(&t->limits, job, now)) {
            job_attempted(t, job, CURLE_OPERATION_TIMEDOUT);
            t->due = now; /* that may have ended others: from the beginning again */
            break;
        }
    }
}

static void *transport_main(void *arg) {
    struct transport *t = arg;
    struct endpoint *endpoints;
    int64_t looked = 0;
    while (collect(t, &endpoints)) {
        if (t->stop && atomic_load(t->stop)) cancel_all(t, endpoints);
        int64_t now = clock_us();
        if (now >= t->due || now >= looked + TICK_US + (int64_t)t->n_jobs * LATER_US) {
            look_at_clock(t);
            looked = now;
        }
        now = clock_us();
        send_more(t, endpoints, now);
        wire_wait(&t->wire, t->jobs && t->due > now + TICK_US ? now + TICK_US : t->due);
        take_results(t);
    }
    cancel_all(t, endpoints);
    wire_hang_up(&t->wire); /* here, where SIGPIPE is blocked: closing says good-bye to TLS servers */
    return NULL;
}

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

static CURLcode global_code;
static void init_curl(void) { global_code = curl_global_init(CURL_GLOBAL_DEFAULT); }

static void fill_limits(struct transport_limits *limits) {
    if (limits->connect <= 0) limits->connect = 10;
    if (limits->first_byte <= 0) limits->first_byte = 600;
    if (limits->idle <= 0) limits->idle = 120;
    if (limits->reply == 0) limits->reply = (size_t)64 << 20;
    if (limits->tries <= 0) limits->tries = 8;
    if (limits->backoff <= 0) limits->backoff = 0.5;
    if (limits->longest <= 0) limits->longest = 120;
    if (limits->in_flight <= 0) limits->in_flight = 256;
}

/* With the files that this process may open: how many requests may be on the wire; a strand's connections to keep. */
static int share_files(int *keeps) {
    struct rlimit limit;
    rlim_t files = FILES_MOST;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FILES_MOST + FILES_KEPT)
        files = limit.rlim_cur > 2 * FILES_KEPT ? limit.rlim_cur - FILES_KEPT : FILES_KEPT;
    rlim_t most = files / FILES_PER_REQUEST;
    if (most > REQUESTS_MOST) most = REQUESTS_MOST;
    rlim_t strands = (most + STRAND_REQUESTS - 1) / STRAND_REQUESTS;
    *keeps = (int)((files - most) / strands);
    return (int)most;
}

/* Starts the thread with all signals blocked: they are for the program, and SIGPIPE is for nobody. */
static bool start(struct transport *t) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool fine = pthread_create(&t->thread, NULL, transport_main, t) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return fine;
}

static void transport_free(struct transport *t) {
    for (struct endpoint *endpoint = t->endpoints, *next; endpoint; endpoint = next) {
        next = endpoint->next;
        endpoint_free(endpoint);
    }
    wire_release(&t->wire);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}

cord_status transport_open(const struct transport_limits *limits, const atomic_bool *stop, struct transport **transport,
                           cord_error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_curl);
    if (global_code != CURLE_OK)
        return error_set(err, CORD_INTERNAL, "libcurl does not start: %s", curl_easy_strerror(global_code));
    struct transport *t = calloc(1, sizeof *t);
    if (!t) return error_memory(err);
    t->limits = *limits;
    fill_limits(&t->limits);
    t->stop = stop;
    int keeps;
    t->most = share_files(&keeps);
    t->due = INT64_MAX;
    pthread_mutex_init(&t->mutex, NULL);
    if (wire_open(&t->wire, &t->limits, keeps) && start(t)) {
        *transport = t;
        return CORD_OK;
    }
    int why = errno;
    transport_free(t);
    return error_set(err, CORD_IO_ERROR, "cannot start the thread for HTTP: %s", strerror(why));
}

void transport_close(struct transport *t) {
    if (!t) return;
    pthread_mutex_lock(&t->mutex);
    t->closing = true;
    pthread_mutex_unlock(&t->mutex);
    wire_wake(&t->wire);
    pthread_join(t->thread, NULL);
    transport_free(t);
}

cord_status endpoint_open(struct transport *t, const char *urls, const char *key, int most, struct endpoint **endpoint,
                          cord_error *err) {
    CORD_TRY(endpoint_new(&t->limits, urls, key, most, endpoint, err));
    pthread_mutex_lock(&t->mutex);
    (*endpoint)->next = t->endpoints;
    t->endpoints = *endpoint;
    pthread_mutex_unlock(&t->mutex);
    return CORD_OK;
}

/* ---- callers ----------------------------------------------------------------------------------------------------- */

/* Whoever wants to know soon tries less often than others, and never more often. */
static int tries_of(const struct transport *t, const struct http_call *call) {
    bool fewer = call->most_tries && call->most_tries < t->limits.tries;
    return fewer ? call->most_tries : t->limits.tries;
}

static void job_init(struct transport *t, struct job *job, struct http_call *call, struct batch *batch, int i) {
    buf_init(&call->reply, "a reply", t->limits.reply);
    call->error = (cord_error){0};
    call->status = call->tries = call->lost = 0;
    call->done = false;
    *job = (struct job){
        .call = call,
        .batch = batch,
        .seed = seed_mix(seed_mix(call->group, (uint64_t)i), call->body.len),
        .most = tries_of(t, call) * QUARTERS,
        .begun = clock_us(),
    };
}

cord_status transport_run(struct transport *t, struct http_call *calls, int n, cord_error *err) {
    if (n == 0) return CORD_OK;
    struct job *jobs = malloc((size_t)n * sizeof *jobs);
    if (!jobs) return error_memory(err);
    struct batch batch = {.left = n};
    pthread_cond_init(&batch.done, NULL);
    for (int i = 0; i < n; i++) job_init(t, &jobs[i], &calls[i], &batch, i);
    pthread_mutex_lock(&t->mutex);
    for (int i = 0; i < n; i++) queue_push(&t->inbox, &jobs[i], false);
    pthread_mutex_unlock(&t->mutex);
    wire_wake(&t->wire);
    pthread_mutex_lock(&t->mutex);
    while (batch.left > 0) pthread_cond_wait(&batch.done, &t->mutex);
    pthread_mutex_unlock(&t->mutex);
    pthread_cond_destroy(&batch.done);
    free(jobs);
    if (t->stop && atomic_load(t->stop)) return error_set(err, CORD_CANCELLED, "stopped");
    return CORD_OK;
}

void http_call_release(struct http_call *call) {
    if (call->reply.name) buf_release(&call->reply);
    call->error = (cord_error){0};
}
