/* transport.h - all HTTP of an engine: one curl multi handle on one thread, whoever asks waits. It sees to connections,
 * timeouts, retries, replicas and how much each server takes at once. It must not know models, prompts or JSON.
 *
 *     struct transport         the thread; one for an engine
 *     struct endpoint          one or several base URLs that serve the same (replicas), and their state of health
 *     struct http_call         one request and what came of it
 *
 * HTTP/2 is used where a https server offers it and libcurl can be trusted with it (transport_offers_http2). Redirects are
 * not followed: a model's server has no reason for one, and the key would have to stay behind. No .netrc,
 * no cookies, and no proxy, whatever the environment names: it would be sent the key.
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
    double first_byte; /* from the request to the first byte of the reply's body, of a stream to its first event: 600 */
    double idle;       /* between two bytes of a reply, or two events: 120 */
    size_t reply;      /* most bytes of one reply, unpacked: 64 MiB; what is larger is an error at once */
    int tries;         /* of one request, the first one too: 8, which outlasts some 45 s without a server */
    double backoff;    /* before the second try, doubled each time, with jitter: 0.5 */
    double longest;    /* most that one pause takes, a server's Retry-After too: 120 */
    int in_flight; /* most requests at once to one server: 256. It starts with 16 and finds how much the server takes:
                        * as long as nothing is refused (429, 503), each reply allows one request more */
    const char *authorities; /* a PEM file of the certificates to trust, instead of the system's; NULL: the system's.
                              * Borrowed until transport_close. */
};

/* `stop` is looked at all the time: where it becomes true, waiting calls end with CORD_CANCELLED within 0.1 s. It lives
 * until transport_close. The process's limit of open files bounds how many requests run at once, over all servers. */
cord_status transport_open(const struct transport_limits *limits, const atomic_bool *stop, struct transport **transport,
                           cord_error *err);
bool transport_offers_http2(void);
/* No call may be running. Closes the endpoints too. NULL does nothing. */
void transport_close(struct transport *transport);

/* `urls`: one base URL or several, blanks between ("http://a:8000 http://b:8000"), without the path that calls add. `key`
 * (may be NULL) is sent as "Authorization: Bearer KEY" to these hosts alone and stands in no message. `most`: requests at
 * once to each of them; 0: the transport's limit. CORD_BAD_INPUT, in words, for what is no http or https URL, and for one
 * with a password in it. Closed with the transport. */
cord_status endpoint_open(struct transport *transport, const char *urls, const char *key, int most,
                          struct endpoint **endpoint, cord_error *err);

/* The next of several base URLs, without slashes at its end; they move behind it. Empty at the end. */
cord_text endpoint_next_url(cord_text *urls);

/* One request. The first half is the caller's, borrowed until transport_run returns. */
struct http_call {
    struct endpoint *endpoint;
    const char *path; /* "/v1/completions" */
    int most_tries;   /* fewer than the limits' `tries`, for who wants to know soon: a server's Retry-After is then a
                       * second at most; 0: these */
    int most_bad;     /* replies that `arrived` refuses before that is told; 0: five */
    double more_time; /* seconds that it may take beyond the limits' first_byte, where its reply is no stream */
    cord_text body;   /* JSON, posted; empty: a GET */
    uint64_t group;   /* requests of one group go to one replica while that is well and not overrun */
    bool stream;      /* the reply may be server-sent events: `reply` then holds the data of each event on a line of its
                       * own (several data fields of one event: blanks between), without the closing "[DONE]". A reply of
                       * another content type is taken as it is. An error that the server sends as an event is data. */

    /* They are called on the transport's thread, with `reply` as far as it is there; they may not call the transport, and
     * all other requests wait meanwhile. NULL: not wanted.
     *   event    after each event of a stream. False: that is enough; the server is told to stop (the connection is
     *            closed), and the reply counts as whole.
     *   arrived  once the reply is whole (status 2xx), before transport_run returns. False: the reply is no good, and
     *            `error` may say why (without a message: `reply` is then the server's own words): with CORD_IO_ERROR
     *            the request is made again as after a status that may pass, with another code this is told at once;
     *            with CORD_OK it is made again up to `most_bad` such replies. */
    bool (*event)(void *ctx, struct http_call *call);
    bool (*arrived)(void *ctx, struct http_call *call);
    /* Before the request is made again, where that may have to be paid for: so many were lost (see below). False: it is not;
     * the error is CORD_CANCELLED. */
    bool (*again)(void *ctx, int lost);
    void *ctx;

    cord_error error; /* code CORD_OK, or in words why there is no reply: see transport_run */
    int status;       /* HTTP's, of the last try; 0: none came */
    struct buf reply; /* whole; of an error the first 64 KiB as far as they came, the key blotted out */
    bool done;        /* of a stream: "[DONE]" came. Where a server that sends it did not, the reply is cut short */
    int tries;        /* requests that were sent */
    int lost;         /* of these: neither a reply that could be used nor a refusing status; perhaps paid for */
};

/* Runs n calls and returns when all have ended. What may pass is tried again (no connection, a reset, a timeout, a reply
 * cut short, 408, 409, 425, 429, all from 500 on but 501 and 505), on another replica if there is one; what may not is told
 * at once (other statuses, certificates, redirects). A request that was refused (429, 503) while the server was serving others
 * waits its turn: that counts as a quarter of a try only; where it was alone there, all that wait for the replica pause with it,
 * longer each time. While no replica can be reached, requests wait, one of them at a
 * time tries whether it can, and its failure is one try of all that wait.
 * Errors: CORD_BAD_INPUT where trying again cannot mend it and it is this request alone that fails (400, 413, 422, a reply
 * that is refused or too large); CORD_REFUSED where it is the key (401, 403); CORD_BAD_MODEL where it is the server (other
 * statuses, certificates, redirects); CORD_IO_ERROR where all tries were used up; the message names the URL without any
 * key, the status, and the beginning of what the server said, as one printable line. Returns CORD_OK
 * whatever became of single calls; CORD_CANCELLED once `stop` is true (calls that had ended keep their replies);
 * CORD_NO_MEMORY before anything is sent. Any number of threads may call at once. */
cord_status transport_run(struct transport *transport, struct http_call *calls, int n, cord_error *err);
/* Frees what transport_run put into a call. */
void http_call_release(struct http_call *call);

#endif
