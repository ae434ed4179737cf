/* fault_server.h - a small HTTP/1.1 server on loopback that misbehaves as it is told: a thread for each connection, and a
 * function of the test's (or a script of faults) that answers each request. */
#ifndef CORD_TEST_FAULT_SERVER_H
#define CORD_TEST_FAULT_SERVER_H

#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* What may be done to a request instead of answering it. */
enum fault {
    FAULT_NONE,
    FAULT_RESET,         /* before a byte of the reply */
    FAULT_RESET_IN_BODY, /* after half of it */
    FAULT_CLOSED,        /* closed without a byte */
    FAULT_HANG,          /* no byte ever */
    FAULT_HANG_IN_BODY,  /* half, then no more */
    FAULT_TRUNCATED,     /* half of the Content-Length, then closed */
    FAULT_BAD_CHUNK,     /* chunked, the second size is no number */
    FAULT_OPEN_CHUNK,    /* chunked, without the last chunk */
    FAULT_MALFORMED,     /* "{" */
    FAULT_BAD_GZIP,      /* said to be gzip, and is not */
    FAULT_NO_HTTP,       /* something else altogether */
    FAULT_SLOW,          /* right, a byte at a time */
    FAULT_TWICE,         /* right, and sent twice */
    FAULT_GZIP,          /* right, packed */
    FAULT_STATUS = 100,  /* FAULT_STATUS + 429: that status, in JSON words */
};

struct fault_server;

/* A request that was read whole. */
struct exchange {
    struct fault_server *server;
    int fd, number; /* the how-manyeth of its server, from 0 */
    char *head;     /* request line and headers, a string */
    cord_text body;
};

struct fault_server {
    /* Answers; false: the connection is closed. */
    bool (*answer)(struct exchange *x);
    void *ctx;
    const enum fault *script; /* for answer_script: of the first requests; the last one goes on for ever */
    int n_script;
    const char *reply;         /* what is right; "ok" if NULL */
    const char *extra_headers; /* of statuses, each with its line end; may be NULL */

    int port;
    atomic_int requests, connections, authorized; /* seen; those with an Authorization header */
    atomic_int in_flight, most_in_flight;

    atomic_llong away_until; /* on clock_us: before that its port is closed, while connections stay */

    pthread_t thread;
    int listener;
    pthread_mutex_t mutex;
    pthread_cond_t closed;
    int open[4096], n_open; /* connections, guarded by mutex */
    atomic_bool stopping;
};

/* ---- sending --------------------------------------------------------------------------------------------------- */

static inline bool send_all(int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        data += n, len -= (size_t)n;
    }
    return true;
}

static inline bool send_text(int fd, const char *text) { return send_all(fd, text, strlen(text)); }

static inline bool send_reply(int fd, int status, const char *headers, const char *body) {
    char head[1024];
    snprintf(head, sizeof head, "HTTP/1.1 %d Said\r\nContent-Length: %zu\r\n%s\r\n", status, strlen(body),
             headers ? headers : "");
    return send_text(fd, head) && send_text(fd, body);
}

/* Closes so that the other side sees a reset; the descriptor itself is closed by the connection's thread. */
static inline bool reset(int fd) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return false;
}

/* Until the client goes away, or the server is stopped. */
static inline bool hang(int fd) {
    char byte;
    while (recv(fd, &byte, 1, 0) > 0) {}
    return false;
}

/* ---- faults ---------------------------------------------------------------------------------------------------- */

static inline bool send_half(struct exchange *x, const char *reply) {
    char head[200];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", strlen(reply));
    bool fine = send_text(x->fd, head) && send_all(x->fd, reply, strlen(reply) / 2);
    usleep(20 * 1000); /* a reset overtakes what is still on its way */
    return fine;
}

static inline bool send_slowly(struct exchange *x, const char *reply) {
    char whole[1024];
    int n = snprintf(whole, sizeof whole, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(reply), reply);
    for (int i = 0; i < n; i++) {
        if (!send_all(x->fd, whole + i, 1)) return false;
        usleep(2000);
    }
    return true;
}

static inline bool do_fault(struct exchange *x, enum fault fault) {
    /* `printf '{"text": "packed"}' | gzip -n` */
    static const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xab, 0x56, 0x2a,
                                           0x49, 0xad, 0x28, 0x51, 0xb2, 0x52, 0x50, 0x2a, 0x48, 0x4c, 0xce, 0x4e, 0x4d,
                                           0x51, 0xaa, 0x05, 0x00, 0xce, 0x08, 0x08, 0x86, 0x12, 0x00, 0x00, 0x00};
    const char *reply = x->server->reply ? x->server->reply : "ok", *extra = x->server->extra_headers;
    const char *chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n";
    char words[400];
    switch (fault) {
    case FAULT_NONE: return send_reply(x->fd, 200, NULL, reply);
    case FAULT_RESET: return reset(x->fd);
    case FAULT_RESET_IN_BODY: return send_half(x, reply) && reset(x->fd);
    case FAULT_CLOSED: return false;
    case FAULT_HANG: return hang(x->fd);
    case FAULT_HANG_IN_BODY: return send_half(x, reply) && hang(x->fd);
    case FAULT_TRUNCATED: return send_half(x, reply) && false;
    case FAULT_BAD_CHUNK: return send_text(x->fd, chunked) && send_text(x->fd, "zz\r\nk\r\n0\r\n\r\n") && false;
    case FAULT_OPEN_CHUNK: return send_text(x->fd, chunked) && false;
    case FAULT_MALFORMED: return send_reply(x->fd, 200, NULL, "{");
    case FAULT_BAD_GZIP: return send_reply(x->fd, 200, "Content-Encoding: gzip\r\n", "this is no gzip at all") && false;
    case FAULT_NO_HTTP: return send_text(x->fd, "SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n") && false;
    case FAULT_SLOW: return send_slowly(x, reply);
    case FAULT_TWICE: send_reply(x->fd, 200, NULL, reply); return send_reply(x->fd, 200, NULL, reply);
    case FAULT_GZIP:
        snprintf(words, sizeof words, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                 sizeof packed);
        return send_text(x->fd, words) && send_all(x->fd, (const char *)packed, sizeof packed);
    default:
        snprintf(words, sizeof words, "{\"error\": {\"message\": \"server's words %d\"}}", (int)fault - FAULT_STATUS);
        return send_reply(x->fd, (int)fault - FAULT_STATUS, extra, words);
    }
}

/* Answers as the script says. */
static inline bool answer_script(struct exchange *x) {
    const struct fault_server *server = x->server;
    if (server->n_script == 0) return do_fault(x, FAULT_NONE);
    return do_fault(x, server->script[x->number < server->n_script ? x->number : server->n_script - 1]);
}

/* ---- serving --------------------------------------------------------------------------------------------------- */

/* The value of a header line in `head`, or NULL. Ends at the line's end. */
static inline const char *header_of(const char *head, const char *name) {
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, strlen(name)) == 0 && line[2 + strlen(name)] == ':')
            return line + 3 + strlen(name) + (line[3 + strlen(name)] == ' ');
    return NULL;
}

/* Reads one request behind what is in `in`; false: the connection is over. */
static inline bool read_request(int fd, struct buf *in, struct exchange *x) {
    for (;;) {
        ptrdiff_t end = text_find(buf_text(in), TEXT("\r\n\r\n"));
        if (end >= 0) {
            free(x->head);
            x->head = strndup(in->data, (size_t)end + 2);
            const char *length = header_of(x->head, "content-length");
            size_t body = length ? strtoul(length, NULL, 10) : 0;
            if (in->len >= (size_t)end + 4 + body) {
                x->body = text_slice(buf_text(in), (size_t)end + 4, (size_t)end + 4 + body);
                return true;
            }
        }
        char bytes[16384];
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        if (n <= 0) return false;
        buf_add(in, (cord_text){bytes, (size_t)n});
    }
}

/* Answers one request, and takes it out of `in`. */
static inline bool answer_one(struct fault_server *server, struct exchange *x, struct buf *in) {
    int now = atomic_fetch_add(&server->in_flight, 1) + 1, most = atomic_load(&server->most_in_flight);
    while (now > most && !atomic_compare_exchange_weak(&server->most_in_flight, &most, now)) {}
    x->number = atomic_fetch_add(&server->requests, 1);
    if (header_of(x->head, "authorization")) atomic_fetch_add(&server->authorized, 1);
    bool goes_on = server->answer ? server->answer(x) : answer_script(x);
    atomic_fetch_sub(&server->in_flight, 1);
    size_t used = (size_t)(x->body.data + x->body.len - in->data);
    memmove(in->data, in->data + used, in->len - used);
    buf_truncate(in, in->len - used);
    return goes_on;
}

struct connection {
    struct fault_server *server;
    int fd;
};

static inline void *serve_connection(void *arg) {
    struct connection connection = *(struct connection *)arg;
    free(arg);
    struct fault_server *server = connection.server;
    struct buf in;
    buf_init(&in, "a request", 64 << 20);
    struct exchange x = {.server = server, .fd = connection.fd};
    while (read_request(x.fd, &in, &x) && answer_one(server, &x, &in)) {}
    free(x.head);
    buf_release(&in);
    pthread_mutex_lock(&server->mutex);
    for (int i = 0; i < server->n_open; i++)
        if (server->open[i] == x.fd) server->open[i] = server->open[--server->n_open];
    close(x.fd); /* under the lock, or another connection might get its number first */
    pthread_cond_signal(&server->closed);
    pthread_mutex_unlock(&server->mutex);
    return NULL;
}

static inline void serve(struct fault_server *server, int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *connection = malloc(sizeof *connection);
    *connection = (struct connection){server, fd};
    pthread_mutex_lock(&server->mutex);
    server->open[server->n_open++] = fd;
    pthread_mutex_unlock(&server->mutex);
    pthread_t thread;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attr, serve_connection, connection) != 0) abort();
    pthread_attr_destroy(&attr);
}

/* Listens at server->port, or at any if that is 0. */
static inline bool listen_again(struct fault_server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)server->port);
    socklen_t size = sizeof address;
    int on = 1;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); /* who knocked may be gone */
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server->listener, (struct sockaddr *)&address, size) != 0 || listen(server->listener, 4096) != 0) {
        close(server->listener);
        return false;
    }
    getsockname(server->listener, (struct sockaddr *)&address, &size);
    server->port = ntohs(address.sin_port);
    return true;
}

/* Closes the port for as long as it should be. */
static inline void stay_away(struct fault_server *server) {
    close(server->listener);
    while (clock_us() < atomic_load(&server->away_until)) usleep(2000);
    while (!listen_again(server)) usleep(2000); /* somebody else's connection may have taken the port for a moment */
}

static inline void *accept_connections(void *arg) {
    struct fault_server *server = arg;
    while (!atomic_load(&server->stopping)) {
        if (clock_us() < atomic_load(&server->away_until)) stay_away(server);
        struct pollfd ready = {.fd = server->listener, .events = POLLIN};
        if (poll(&ready, 1, 20) <= 0) continue;
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) continue;
        atomic_fetch_add(&server->connections, 1);
        serve(server, fd);
    }
    return NULL;
}

/* Starts it, at server->port if that is not 0 (after a stop). What the test wants of it is set before. */
static inline void fault_server_start(struct fault_server *server) {
    if (!listen_again(server)) fail_msg("cannot listen: %s", strerror(errno));
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->closed, NULL);
    server->n_open = 0;
    atomic_store(&server->stopping, false);
    if (pthread_create(&server->thread, NULL, accept_connections, server) != 0) abort();
}

/* Closes its port and its connections. */
static inline void fault_server_stop(struct fault_server *server) {
    atomic_store(&server->stopping, true);
    pthread_join(server->thread, NULL);
    close(server->listener);
    pthread_mutex_lock(&server->mutex);
    for (int i = 0; i < server->n_open; i++) shutdown(server->open[i], SHUT_RDWR);
    while (server->n_open > 0) pthread_cond_wait(&server->closed, &server->mutex);
    pthread_mutex_unlock(&server->mutex);
    pthread_cond_destroy(&server->closed);
    pthread_mutex_destroy(&server->mutex);
}

/* Its base URL, in one of a few static strings. */
static inline const char *fault_server_url(const struct fault_server *server) {
    static char urls[8][64];
    static int next;
    char *url = urls[next++ % 8];
    snprintf(url, sizeof urls[0], "http://127.0.0.1:%d", server->port);
    return url;
}

#endif
