/* fault_proxy.h - stands between cord and a model's server, and spoils a part of what goes through. What the server says
 * can be kept and said again, so that the same faults can be had thousands of times within minutes, and a run beside them
 * that must come out the same.
 *
 * Which request is spoiled, and how, is a hash of a seed, of the request, and of how often it was asked: a run depends
 * neither on the order of its requests nor on the machine's load. */
#ifndef CORD_TEST_FAULT_PROXY_H
#define CORD_TEST_FAULT_PROXY_H

#include "fault_server.h"

#include <jansson.h>

enum spoil {
    SPOIL_NONE,
    SPOIL_REFUSED,       /* reset, and the port is closed for some milliseconds */
    SPOIL_RESET,         /* before a byte of the reply */
    SPOIL_RESET_IN_BODY, /* after half of it */
    SPOIL_HANG,          /* no byte ever */
    SPOIL_HANG_IN_BODY,  /* half, then no more */
    SPOIL_TRUNCATED,     /* half of the Content-Length, then closed in peace */
    SPOIL_BUSY,          /* 429 */
    SPOIL_BUSY_LATER,    /* 429 with a Retry-After */
    SPOIL_BROKEN,        /* 500 */
    SPOIL_UNAVAILABLE,   /* 503 */
    SPOIL_HALF_JSON,     /* half of the JSON, as a whole reply */
    SPOIL_WRONG_COUNT,   /* a list or a member is missing */
    SPOIL_OTHER_TOKEN,   /* the reply to another question */
    SPOIL_ERROR_INSIDE,  /* an error object with status 200 */
    SPOIL_TWICE,         /* right, and sent twice */
    SPOIL_SLOW,          /* right, in small pieces */
    SPOILS
};
static const char *const spoil_names[SPOILS] = {
    "not spoiled",  "connection refused", "reset",       "reset in the body", "no byte",
    "no next byte", "truncated",          "429",         "429 Retry-After",   "500",
    "503",          "half of the JSON",   "wrong count", "another token",     "error in a 200",
    "sent twice",   "slow bytes"};

/* A request, and what was said to it. */
struct remembered {
    uint64_t hash;
    struct remembered *next;
    char about[300]; /* how it begins, for messages */
    bool proposes;   /* it asks for a text, not for a log-probability */
    bool first;      /* it came before the first that does: cord looks what the server can do */
    int status;      /* 0: nothing is known yet */
    char *reply;
    size_t len;
    int asked, answered; /* since proxy_forget_counts: all, and those that were answered whole and well */
    int once;            /* how often it was answered while replies were kept */
};

enum { PROXY_BUCKETS = 4096 };

struct proxy {
    struct fault_server server;
    int upstream; /* the real server's port, or 0: everything comes from what was kept */
    bool keeps;   /* what the real server says */
    bool caches;  /* that one may use its cache of prompts; else its replies depend on the requests alone */
    uint64_t seed;
    bool is_open;
    bool proposed; /* a proposal was asked for; guarded by mutex */
    double share;  /* of the requests that are spoiled */
    pthread_mutex_t mutex;
    struct remembered *bucket[PROXY_BUCKETS];     /* guarded by mutex, and all that is in it */
    atomic_int spoiled[SPOILS], unknown, refused; /* unknown: not kept; refused: the real server said no */
};

/* ---- the record ------------------------------------------------------------------------------------------------ */

/* The entry of a request: its line (method and path) and its body. */
static inline struct remembered *proxy_find(struct proxy *proxy, cord_text line, cord_text body) {
    uint64_t hash = seed_text(seed_text(0, line), body);
    struct remembered **at = &proxy->bucket[hash % PROXY_BUCKETS];
    while (*at && (*at)->hash != hash) at = &(*at)->next;
    if (!*at) {
        *at = calloc(1, sizeof **at);
        (*at)->hash = hash;
        (*at)->proposes = text_find(body, TEXT("\"stop\"")) >= 0;
        proxy->proposed |= (*at)->proposes;
        (*at)->first = !proxy->proposed;
        snprintf((*at)->about, sizeof(*at)->about, "%.*s %.*s", (int)line.len, line.data, (int)body.len, body.data);
    }
    return *at;
}

static inline void proxy_forget_counts(struct proxy *proxy) {
    for (int i = 0; i < PROXY_BUCKETS; i++)
        for (struct remembered *r = proxy->bucket[i]; r; r = r->next) r->asked = r->answered = 0;
}

static inline void proxy_release(struct proxy *proxy) {
    for (int i = 0; i < PROXY_BUCKETS; i++)
        for (struct remembered *r = proxy->bucket[i], *next; r; r = next) {
            next = r->next;
            free(r->reply);
            free(r);
        }
    pthread_mutex_destroy(&proxy->mutex);
}

/* ---- the real server ------------------------------------------------------------------------------------------- */

/* The request as it is passed on. */
static inline void write_upstream(struct buf *out, cord_text line, cord_text body, bool caches) {
    static const cord_text word = TEXT("\"cache_prompt\"");
    struct buf plain;
    buf_init(&plain, "a request", 64 << 20);
    buf_add(&plain, body);
    ptrdiff_t at = caches ? -1 : text_find(buf_text(&plain), word);
    if (at >= 0) {
        buf_truncate(&plain, (size_t)at);
        cord_text rest = text_slice(body, (size_t)at, body.len);
        ptrdiff_t value = text_find(rest, TEXT("true"));
        buf_add(&plain, word);
        buf_add(&plain, TEXT(":false"));
        buf_add(&plain, text_slice(rest, (size_t)value + 4, rest.len));
    }
    buf_addf(out, "%.*s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n",
             (int)line.len, line.data);
    buf_addf(out, "Content-Length: %zu\r\n\r\n", plain.len);
    buf_add(out, buf_text(&plain));
    buf_release(&plain);
}

/* Asks the real server; false where it gives no whole reply. *reply is a heap block. */
static inline bool ask_upstream(const struct proxy *proxy, cord_text line, cord_text body, int *status, char **reply,
                                size_t *len) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)proxy->upstream), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct buf out, in;
    char bytes[16384];
    ssize_t n = -1;
    buf_init(&out, "a request", 64 << 20);
    buf_init(&in, "a reply", 64 << 20);
    write_upstream(&out, line, body, proxy->caches);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && send_all(fd, out.data, out.len))
        while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0) buf_add(&in, (cord_text){bytes, (size_t)n});
    close(fd);
    ptrdiff_t end = text_find(buf_text(&in), TEXT("\r\n\r\n"));
    const char *length = end >= 0 ? header_of(in.data, "content-length") : NULL;
    bool whole = n == 0 && length && in.len == (size_t)end + 4 + strtoul(length, NULL, 10);
    if (whole) {
        *status = atoi(in.data + strlen("HTTP/1.1 "));
        *len = in.len - (size_t)end - 4;
        *reply = strndup(in.data + end + 4, *len);
    }
    buf_release(&out);
    buf_release(&in);
    return whole;
}

/* ---- spoiling -------------------------------------------------------------------------------------------------- */

static inline enum spoil choose_spoil(const struct proxy *proxy, uint64_t hash, int asked) {
    /* those that make cord wait cost the test's time, so there are fewer of them */
    static const int weight[SPOILS] = {
        [SPOIL_REFUSED] = 2,      [SPOIL_RESET] = 3,        [SPOIL_RESET_IN_BODY] = 3, [SPOIL_HANG] = 1,
        [SPOIL_HANG_IN_BODY] = 1, [SPOIL_TRUNCATED] = 3,    [SPOIL_BUSY] = 3,          [SPOIL_BUSY_LATER] = 2,
        [SPOIL_BROKEN] = 3,       [SPOIL_UNAVAILABLE] = 3,  [SPOIL_HALF_JSON] = 2,     [SPOIL_WRONG_COUNT] = 2,
        [SPOIL_OTHER_TOKEN] = 2,  [SPOIL_ERROR_INSIDE] = 2, [SPOIL_TWICE] = 3,         [SPOIL_SLOW] = 3};
    struct rng rng;
    int total = 0, spoil = 0;
    rng_init(&rng, seed_mix(seed_mix(proxy->seed, hash), (uint64_t)asked));
    if (rng_uniform(&rng) >= proxy->share) return SPOIL_NONE;
    for (int i = 0; i < SPOILS; i++) total += weight[i];
    int draw = (int)(rng_uniform(&rng) * total);
    while (draw >= weight[spoil]) draw -= weight[spoil++];
    return (enum spoil)spoil;
}

static inline void add_one(json_t *object, const char *key) {
    json_object_set_new(object, key, json_integer(json_integer_value(json_object_get(object, key)) + 1));
}

/* Another reply of the same kind, which is JSON but no answer to what was asked: a heap block. Half of it where the reply
 * has nothing to count. */
static inline char *make_wrong(const char *reply, size_t len, enum spoil spoil) {
    json_t *json = json_loadb(reply, len, 0, NULL);
    json_t *tokens = json_object_get(json, "tokens"), *scored = json_object_get(json, "completion_probabilities");
    json_t *content = json_object_get(json, "content");
    bool counts = spoil == SPOIL_WRONG_COUNT;
    char *wrong = NULL;
    if (json_array_size(scored)) {
        if (counts)
            json_array_clear(scored);
        else {
            add_one(json_array_get(scored, 0), "id");
            json_object_set_new(json_array_get(scored, 0), "logprob", json_real(-3.25));
            json_object_del(json_array_get(scored, 0), "top_logprobs"); /* who asked for those named no token */
        }
        wrong = json_dumps(json, 0);
    } else if (content) {
        json_object_set_new(json, counts ? "content" : "stop_type", counts ? json_null() : json_string("other"));
        wrong = json_dumps(json, 0);
    } else if (json_array_size(tokens) && json_object_get(json_array_get(tokens, 0), "piece")) {
        if (counts)
            json_array_remove(tokens, json_array_size(tokens) - 1);
        else
            json_object_set_new(json_array_get(tokens, 0), "piece", json_string("other"));
        wrong = json_dumps(json, 0);
    }
    json_decref(json);
    return wrong ? wrong : strndup(reply, len / 2);
}

/* A 200 with `len` bytes of body announced and `sent` of them sent, so many times. */
static inline bool send_json(int fd, const char *reply, size_t len, size_t sent, int times) {
    struct buf out;
    buf_init(&out, "a reply", 128 << 20);
    for (int i = 0; i < times; i++) {
        buf_addf(&out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", len);
        buf_add(&out, (cord_text){reply, sent});
    }
    bool fine = send_all(fd, out.data, out.len); /* at once: what comes too late might pass for the next reply */
    buf_release(&out);
    return fine;
}

/* Larger ones do not arrive at once, and the second copy may come when the connection has been given to another request. No
 * client can tell then whose reply it is. */
enum { TWICE_MOST = 7 * 1024 };

static inline bool send_half_json(int fd, const char *reply, size_t len) {
    bool fine = send_json(fd, reply, len, len / 2, 1);
    usleep(20 * 1000); /* a reset overtakes what is still on its way */
    return fine;
}

static inline bool send_in_pieces(int fd, const char *reply, size_t len) {
    enum { PIECES = 24 };
    if (!send_json(fd, reply, len, 0, 1)) return false;
    for (size_t i = 0; i < PIECES; i++) {
        usleep(4000);
        if (!send_all(fd, reply + len * i / PIECES, len * (i + 1) / PIECES - len * i / PIECES)) return false;
    }
    return true;
}

static inline bool send_wrong(int fd, const char *reply, size_t len, enum spoil spoil) {
    char *wrong = make_wrong(reply, len, spoil);
    bool fine = send_json(fd, wrong, strlen(wrong), strlen(wrong), 1);
    free(wrong);
    return fine;
}

/* What is done to a request before anybody is asked. */
static inline bool spoil_early(struct exchange *x, struct proxy *proxy, enum spoil spoil) {
    static const char error[] = "{\"error\": {\"code\": 500, \"message\": \"spoiled\", \"type\": \"server_error\"}}";
    switch (spoil) {
    case SPOIL_REFUSED:
        atomic_store(&proxy->server.away_until, clock_us() + 40 * 1000);
        usleep(25 * 1000); /* until it is closed */
        return reset(x->fd);
    case SPOIL_HANG: return hang(x->fd);
    case SPOIL_BUSY: return send_reply(x->fd, 429, NULL, error);
    case SPOIL_BUSY_LATER: return send_reply(x->fd, 429, "Retry-After: 0.1\r\n", error);
    case SPOIL_BROKEN: return send_reply(x->fd, 500, NULL, error);
    case SPOIL_UNAVAILABLE: return send_reply(x->fd, 503, NULL, error);
    case SPOIL_ERROR_INSIDE: return send_json(x->fd, error, strlen(error), strlen(error), 1);
    default: return reset(x->fd);
    }
}

static inline bool is_early(enum spoil spoil) {
    return spoil == SPOIL_REFUSED || spoil == SPOIL_RESET || spoil == SPOIL_HANG || spoil == SPOIL_ERROR_INSIDE ||
           (spoil >= SPOIL_BUSY && spoil <= SPOIL_UNAVAILABLE);
}

static inline bool is_right(enum spoil spoil) {
    return spoil == SPOIL_NONE || spoil == SPOIL_TWICE || spoil == SPOIL_SLOW;
}

static inline bool spoil_reply(struct exchange *x, enum spoil spoil, const char *reply, size_t len) {
    switch (spoil) {
    case SPOIL_RESET_IN_BODY: return send_half_json(x->fd, reply, len) && reset(x->fd);
    case SPOIL_HANG_IN_BODY: return send_half_json(x->fd, reply, len) && hang(x->fd);
    case SPOIL_TRUNCATED: return send_half_json(x->fd, reply, len) && false;
    case SPOIL_HALF_JSON: return send_json(x->fd, reply, len / 2, len / 2, 1);
    case SPOIL_WRONG_COUNT:
    case SPOIL_OTHER_TOKEN: return send_wrong(x->fd, reply, len, spoil);
    case SPOIL_SLOW: return send_in_pieces(x->fd, reply, len);
    case SPOIL_TWICE: return send_json(x->fd, reply, len, len, len < TWICE_MOST ? 2 : 1);
    default: return send_json(x->fd, reply, len, len, 1);
    }
}

/* ---- a request ------------------------------------------------------------------------------------------------- */

/* What is kept or what the real server says. False: nobody says anything. */
static inline bool get_reply(struct proxy *proxy, struct remembered *r, cord_text line, cord_text body, int *status,
                             char **reply, size_t *len) {
    if (proxy->upstream) {
        if (!ask_upstream(proxy, line, body, status, reply, len)) return false;
        pthread_mutex_lock(&proxy->mutex);
        if (proxy->keeps && r->status == 0) {
            r->status = *status;
            r->len = *len;
            r->reply = strndup(*reply, *len);
        }
        r->once += proxy->keeps;
        if (proxy->keeps) { /* the same answer to all who ask for the same */
            free(*reply);
            *status = r->status;
            *len = r->len;
            *reply = strndup(r->reply, r->len);
        }
        pthread_mutex_unlock(&proxy->mutex);
        return true;
    }
    pthread_mutex_lock(&proxy->mutex);
    bool known = r->status != 0;
    if (known) {
        *status = r->status;
        *len = r->len;
        *reply = strndup(r->reply, r->len);
    }
    pthread_mutex_unlock(&proxy->mutex);
    if (!known) atomic_fetch_add(&proxy->unknown, 1);
    return known;
}

/* What is said of a wrong answer to a question that identifies the server is told at once, and rightly: it is another
 * server. So such a reply is spoiled as bytes only. */
static inline enum spoil spoil_for(enum spoil spoil, bool is_get) {
    return is_get && spoil == SPOIL_ERROR_INSIDE ? SPOIL_BROKEN : spoil;
}

static inline bool proxy_answer(struct exchange *x) {
    struct proxy *proxy = x->server->ctx;
    cord_text line = {x->head, strcspn(x->head, "\r")};
    if (text_ends(line, TEXT(" HTTP/1.1"))) line.len -= strlen(" HTTP/1.1");
    pthread_mutex_lock(&proxy->mutex);
    struct remembered *r = proxy_find(proxy, line, x->body);
    int asked = r->asked++;
    pthread_mutex_unlock(&proxy->mutex);
    enum spoil spoil = spoil_for(choose_spoil(proxy, r->hash, asked), text_starts(line, TEXT("GET ")));
    atomic_fetch_add(&proxy->spoiled[spoil], 1);
    if (is_early(spoil)) return spoil_early(x, proxy, spoil);

    int status;
    char *reply = NULL;
    size_t len;
    if (!get_reply(proxy, r, line, x->body, &status, &reply, &len)) return reset(x->fd);
    bool goes_on;
    if (status != 200) {
        atomic_fetch_add(&proxy->refused, 1);
        goes_on = send_reply(x->fd, status, "Content-Type: application/json\r\n", reply);
    } else {
        goes_on = spoil_reply(x, spoil, reply, len);
        pthread_mutex_lock(&proxy->mutex);
        r->answered += goes_on && is_right(spoil);
        pthread_mutex_unlock(&proxy->mutex);
    }
    free(reply);
    return goes_on;
}

static inline void proxy_init(struct proxy *proxy) {
    proxy->server.answer = proxy_answer;
    proxy->server.ctx = proxy;
    pthread_mutex_init(&proxy->mutex, NULL);
}

/* Also ends what a test that failed has left. */
static inline void proxy_start(struct proxy *proxy) {
    if (proxy->is_open) fault_server_stop(&proxy->server);
    fault_server_start(&proxy->server);
    proxy->is_open = true;
}

static inline void proxy_stop(struct proxy *proxy) {
    fault_server_stop(&proxy->server);
    proxy->is_open = false;
}

#endif
