/* parts.h - what the transport's files share. transport.c has the thread, and calls the others; endpoint.c decides
 * which replica a request goes to and when; attempt.c is one request on the wire, and what came of it; wire.c is curl.
 * All of it runs on the transport's thread, without a lock, except where a comment says otherwise. */
#ifndef CORD_MODEL_HTTP_PARTS_H
#define CORD_MODEL_HTTP_PARTS_H

#include "model/http/sse.h"
#include "model/http/transport.h"

#include <curl/curl.h>

/* Budgets are in quarters of a try: a refusal by a server that serves others costs one, everything else four. */
enum { QUARTERS = 4 };

enum { SOON = 1 }; /* seconds that who wants to know soon waits for a server that asks for more */

enum job_state { JOB_NEW, JOB_QUEUED, JOB_PAUSED, JOB_ACTIVE };

/* Why an attempt ended before curl had an opinion. */
enum cut { CUT_NOT, CUT_ENOUGH, CUT_LARGE, CUT_MEMORY, CUT_NO_CONNECTION, CUT_NO_BYTE, CUT_IDLE };

enum outcome {
    OUTCOME_GOOD,   /* a whole reply that the caller accepts */
    OUTCOME_FINAL,  /* trying again cannot mend it */
    OUTCOME_PASSING /* it may be different next time */
};

/* A call on its way. Lives in transport_run, which waits for it. */
struct job {
    struct http_call *call;
    struct batch *batch;
    uint64_t seed; /* for the jitter */
    enum job_state state;
    struct job *next;          /* in the inbox, or in a replica's queue */
    struct job *newer, *older; /* in the transport's list of all */
    struct replica *replica;   /* queued: where; active: by whom it is served */
    bool probe;                /* active: sent to see whether the replica is back */
    uint64_t avoid;            /* bits of replicas where it failed; see shun in endpoint.c */
    int spent, most;           /* quarters of tries; how many it may spend */
    int malformed;             /* whole replies that the caller could not use */
    int failures;              /* how often it came back: pauses grow with it */
    int64_t due;               /* paused: until then */
    int64_t begun;             /* transport_run was called */
    int64_t back;              /* when it last came back from a replica */

    /* One attempt, see attempt.c: */
    CURL *easy;
    struct strand *strand; /* that easy is on */
    int64_t started;       /* when it began */
    int64_t last; /* when the last byte came (of a stream: event), or, before that, when the request was sent */
    int sent;     /* requests: curl makes a second one by itself where a connection that it had kept is dead */
    bool body_began, events;
    bool told; /* a byte of the body came; of a stream, an event */
    enum cut cut;
    struct sse sse;
    size_t received;              /* bytes of the body, unpacked */
    char after[64], date[64];     /* headers: Retry-After, Date */
    char detail[CURL_ERROR_SIZE]; /* curl's own words */
    enum outcome outcome;         /* from here on: what attempt_end found */
    cord_status code;             /* of an error */
    char problem[480];            /* in words */
    double pause;                 /* Retry-After in seconds, or -1 */
    int lost;                     /* requests that got neither a reply that can be used nor a refusal */
    bool answered;                /* the server said something, at least a status */
};

struct queue {
    struct job *first, *last;
};
void queue_push(struct queue *queue, struct job *job, bool front);
struct job *queue_pop(struct queue *queue); /* NULL: empty */

/* ---- the wire (wire.c) ------------------------------------------------------------------------------------------- */

enum {
    REQUESTS_MOST = 16 * 1024, /* at once */
    STRAND_REQUESTS = 128,
    STRANDS_MOST = REQUESTS_MOST / STRAND_REQUESTS,
};

/* One of curl's multi handles, and some of the requests. */
struct strand {
    CURLM *multi;
    struct wire *wire;
    int number, active; /* requests */
    int64_t due;        /* curl wants to be called; INT64_MAX: no */
    bool stirred;       /* curl was called since its messages were read */
};

/* What all attempts of a transport share. */
struct wire {
    const struct transport_limits *limits; /* filled with the defaults */
    int epoll, wake;
    CURLSH *share; /* names' addresses, TLS sessions */
    int keeps;     /* connections of a strand, with those in use: beyond that what nobody uses is closed */
    struct strand *strand[STRANDS_MOST];
    int n;
    int roomy;       /* no strand before this one has room */
    int looked;      /* at the messages of those before this one */
    CURL *spare[64]; /* handles that can be used again */
    int n_spare;
};

/* False: some of it cannot be had (errno); wire_release all the same. */
bool wire_open(struct wire *wire, const struct transport_limits *limits, int keeps);
/* Closes all connections; on the thread that used them. */
void wire_hang_up(struct wire *wire);
void wire_release(struct wire *wire);
/* A handle without options but what is shared; NULL: no memory. */
CURL *wire_take_handle(struct wire *wire);
void wire_give_handle(struct wire *wire, CURL *easy);
/* Begins the request; NULL: no memory. */
struct strand *wire_add(struct wire *wire, CURL *easy);
void wire_remove(struct strand *strand, CURL *easy);
/* Sleeps until something happens or `due`, and lets curl see to it. */
void wire_wait(struct wire *wire, int64_t due);
/* After wire_wait: the next request that has ended, to be removed; NULL: no more. */
CURL *wire_ended(struct wire *wire, CURLcode *code);
/* Ends a wire_wait; by any thread. */
void wire_wake(struct wire *wire);

/* ---- one attempt (attempt.c) ----------------------------------------------------------------------------------- */

/* Begins to ask job->replica. False: no memory. */
bool attempt_start(struct wire *wire, struct job *job);
/* Whether it has waited for too long at `now`; then job->cut says for what. */
bool attempt_is_late(const struct transport_limits *limits, struct job *job, int64_t now);
/* Takes it off the wire, and fills what the job and its call say about it. `code`: curl's, or anything after a cut. */
void attempt_end(struct wire *wire, struct job *job, CURLcode code);
/* Takes it off the wire. */
void attempt_cancel(struct wire *wire, struct job *job);

/* ---- replicas (endpoint.c) ------------------------------------------------------------------------------------- */

struct replica {
    struct endpoint *endpoint;
    char *url;
    uint64_t hash;
    uint64_t bit; /* in job->avoid; two share one where there are more than 64 */
    struct queue waiting;
    int in_flight;

    /* How much it takes at once, as TCP finds it out: halved by a refusal, at most once a round trip; then soon back to
     * a little less than what was refused, by one for each reply; and from there by one for each window of replies, or
     * each few windows where that was refused before. */
    double allowed, threshold, ceiling; /* now; where the slow part begins; what was refused last */
    int caution;                        /* windows for one more */
    bool full;                          /* when the last request was sent, as many were out as it may have */
    int64_t halved;                     /* when */
    int64_t served;                     /* when it last answered well; 0: never */
    bool progressed;                    /* a success since it was halved */
    int refusals;                       /* in a row, of requests that were alone there: it takes so many a minute */
    int64_t quiet_until;                /* it said Retry-After, or has a limit of that kind */

    /* Whether it is there at all. */
    int misses;       /* attempts in a row that got no answer whatsoever */
    bool left_out;    /* until an answer comes */
    bool probing;     /* a request is out to see */
    int probes;       /* so far */
    int64_t probe_at; /* when the next may go */
    char problem[200];
};

struct endpoint {
    struct endpoint *next; /* in the transport's list; guarded by its mutex */
    struct transport *transport;
    const struct transport_limits *limits;
    struct replica *replicas;
    int n;
    int most; /* requests at once to each */
    char *key;
    struct curl_slist *headers;
};

/* By any thread. The endpoint belongs to nobody yet; freed by endpoint_free. */
cord_status endpoint_new(const struct transport_limits *limits, const char *urls, const char *key, int most,
                         struct endpoint **endpoint, cord_error *err);
void endpoint_free(struct endpoint *endpoint);

/* Puts a job into the queue of the replica that it should go to; `front`: it has waited before. */
void endpoint_enqueue(struct endpoint *endpoint, struct job *job, bool front, int64_t now);
/* The next job that may be sent now, with job->replica set and counted as in flight; NULL: none. */
struct job *endpoint_next(struct endpoint *endpoint, int64_t now);
/* When endpoint_next should be asked again although nothing happened; INT64_MAX: never. */
int64_t endpoint_due(const struct endpoint *endpoint, int64_t now);
/* The attempt of an active job is over: learns from it. For OUTCOME_PASSING also books what it cost (job->spent).
 * `jobs_lost` gets the jobs whose tries were used up because this one, a probe, found nobody. */
void endpoint_learn(struct endpoint *endpoint, struct job *job, int64_t now, struct queue *jobs_lost);
/* Forgets all jobs that wait. */
void endpoint_clear(struct endpoint *endpoint);
/* An active job goes away unfinished. */
void endpoint_drop(struct job *job);

#endif
