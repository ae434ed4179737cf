/* transport.h - all HTTP of an engine: one curl multi handle on one thread, whoever asks waits. It sees to connections,
 * timeouts, retries, replicas and how much each server takes at once. It must not know models, prompts or JSON.
 *
 *     struct transport         the thread; one for an engine
 *     struct endpoint          one or several base URLs that serve the same (replicas), and their state of health
 *     struct http_call         one request and what came of it
 */
#ifndef CORD_MODEL_HTTP_TRANSPORT_H
#define CORD_MODEL_HTTP_TRANSPORT_H

#include "base/base.h"

#include <stdatomic.h>

struct transport;
struct endpoint;

/* Seconds and counts; 0 is the default. */
struct transport_limits {
    double connect;    /* to connect: 10 */
    double first_byte; /* from the sent request to the reply's first byte: 600 */
    double idle;       /* between two bytes of a reply: 120 */
    size_t reply;      /* most bytes of one reply: 64 MiB */
    int tries;         /* of one request, the first one too: 6 */
    double backoff;    /* before the second try, doubled each time, with jitter: 0.5 */
    double longest;    /* most that one pause takes, a server's Retry-After too: 120 */
    int in_flight;     /* most requests at once to one server: 256 */
};

/* `stop` is looked at all the time: where it becomes true, waiting calls end with CORD_CANCELLED within 0.1 s. */
cord_status transport_open(const struct transport_limits *limits, const atomic_bool *stop, struct transport **transport,
                           cord_error *err);
/* No call may be running. NULL does nothing. */
void transport_close(struct transport *transport);

/* `urls`: one base URL or several, blanks between ("http://a:8000 http://b:8000"), without the path that calls add. `key`
 * (may be NULL) is sent as "Authorization: Bearer KEY" to these hosts alone, never after a redirect to another, and stands
 * in no message. CORD_BAD_RECIPE, in words, for what is no http or https URL. Closed with the transport. */
cord_status endpoint_open(struct transport *transport, const char *urls, const char *key, struct endpoint **endpoint,
                          cord_error *err);

/* One request. The first half is the caller's, borrowed until transport_run returns. */
struct http_call {
    struct endpoint *endpoint;
    const char *path; /* "/v1/completions" */
    cord_text body;   /* JSON, posted; empty: a GET */
    uint64_t group;   /* requests of one group go to one replica while that is well */
    bool stream;      /* the reply is server-sent events: `reply` holds the data of each on a line of its own */

    /* A reply that arrived whole (status 2xx) is handed over on the transport's thread, before transport_run returns; it
     * may not call the transport. NULL: not wanted. False: the reply cannot be right (malformed, cut short); it is then
     * asked for again like one that did not arrive. */
    bool (*arrived)(void *ctx, struct http_call *call);
    void *ctx;

    cord_error error; /* code CORD_OK, or in words why there is no reply: see transport_run */
    int status;       /* HTTP's; 0: none came */
    struct buf reply; /* whole; of an error as far as it came */
    int tries;        /* requests that were sent; those over one may have been paid for twice */
    int64_t us;       /* from transport_run to its end */
};

/* Runs n calls and returns when all have ended. What may pass is tried again (no connection, a reset, a timeout, a reply
 * cut short, 408, 425, 429, 500, 502, 503, 504, 529), on another replica if there is one; what may not is told at once
 * (other statuses, certificates, redirects to other hosts). Errors: CORD_BAD_MODEL for what trying again cannot mend,
 * CORD_IO_ERROR where all tries were used up; the message names the URL without any key, the status, and the beginning of
 * what the server said. Returns CORD_OK whatever became of single calls; CORD_CANCELLED once `stop` is true. Any number of
 * threads may call at once. */
cord_status transport_run(struct transport *transport, struct http_call *calls, int n, cord_error *err);
/* Frees what transport_run put into a call. */
void http_call_release(struct http_call *call);

/* Counted since the endpoint was opened. */
struct endpoint_usage {
    int64_t requests, retries, failures; /* sent; sent again; given up */
    int64_t bytes_sent, bytes_received;
    int in_flight, allowed; /* now; how many the server is trusted with */
};
struct endpoint_usage endpoint_get_usage(struct endpoint *endpoint);

#endif
