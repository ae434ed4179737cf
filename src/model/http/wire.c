/* wire.c - curl, epoll and timers: which sockets matter, and when curl wants to be called. It must not know jobs, nor what
 * their requests are.
 *
 * The requests are spread over strands, multi handles of curl's, because much of what a multi handle does for one request
 * goes through all that it has: through its connections to find one that is free, and through its messages whenever a
 * request is taken off it. With 8,000 requests in one multi handle that took four fifths of a core. The first strand with
 * room gets a request, so that few requests stay together and find connections that were used before. */
#include "model/http/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WAKE UINT64_MAX /* an event's data; else the strand's number and the socket */

/* ---- what curl tells --------------------------------------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known) {
    (void)easy;
    struct strand *strand = arg;
    int epoll = strand->wire->epoll;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    struct epoll_event event = {.data.u64 = (uint64_t)strand->number << 32 | (uint32_t)fd};
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    int first = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, other = known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    curl_multi_assign(strand->multi, fd, strand);
    bool fine = epoll_ctl(epoll, first, fd, &event) == 0 || epoll_ctl(epoll, other, fd, &event) == 0;
    return fine ? 0 : -1;
}

static int on_timer(CURLM *multi, long ms, void *arg) {
    (void)multi;
    struct strand *strand = arg;
    strand->due = ms < 0 ? INT64_MAX : clock_us() + (int64_t)ms * 1000;
    return 0;
}

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

bool wire_open(struct wire *wire, const struct transport_limits *limits, int keeps) {
    *wire = (struct wire){.limits = limits, .keeps = keeps, .share = curl_share_init()};
    wire->epoll = epoll_create1(EPOLL_CLOEXEC);
    wire->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE};
    bool fine = wire->share && wire->epoll >= 0 && wire->wake >= 0 &&
                epoll_ctl(wire->epoll, EPOLL_CTL_ADD, wire->wake, &event) == 0;
    if (!fine) return false;
    curl_share_setopt(wire->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS); /* one thread: nothing to lock */
    curl_share_setopt(wire->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return true;
}

void wire_hang_up(struct wire *wire) {
    while (wire->n_spare) curl_easy_cleanup(wire->spare[--wire->n_spare]);
    while (wire->n) {
        struct strand *strand = wire->strand[--wire->n];
        curl_multi_cleanup(strand->multi);
        free(strand);
    }
}

void wire_release(struct wire *wire) {
    wire_hang_up(wire);
    curl_share_cleanup(wire->share);
    if (wire->epoll >= 0) close(wire->epoll);
    if (wire->wake >= 0) close(wire->wake);
}

static struct strand *add_strand(struct wire *wire) {
    if (wire->n == STRANDS_MOST) return NULL;
    struct strand *strand = calloc(1, sizeof *strand);
    CURLM *multi = strand ? curl_multi_init() : NULL;
    if (!multi) {
        free(strand);
        return NULL;
    }
    *strand = (struct strand){.multi = multi, .wire = wire, .number = wire->n, .due = INT64_MAX};
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, strand);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, strand);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)strand->wire->keeps);
    return wire->strand[wire->n++] = strand;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

CURL *wire_take_handle(struct wire *wire) {
    CURL *easy = wire->n_spare ? wire->spare[--wire->n_spare] : curl_easy_init();
    if (easy) curl_easy_setopt(easy, CURLOPT_SHARE, wire->share);
    return easy;
}

void wire_give_handle(struct wire *wire, CURL *easy) {
    if (wire->n_spare == (int)(sizeof wire->spare / sizeof *wire->spare)) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    wire->spare[wire->n_spare++] = easy;
}

struct strand *wire_add(struct wire *wire, CURL *easy) {
    while (wire->roomy < wire->n && wire->strand[wire->roomy]->active == STRAND_REQUESTS) wire->roomy++;
    struct strand *strand = wire->roomy < wire->n ? wire->strand[wire->roomy] : add_strand(wire);
    if (!strand || curl_multi_add_handle(strand->multi, easy) != CURLM_OK) return NULL;
    strand->active++;
    return strand;
}

void wire_remove(struct strand *strand, CURL *easy) {
    curl_multi_remove_handle(strand->multi, easy);
    strand->active--;
    if (strand->number < strand->wire->roomy) strand->wire->roomy = strand->number;
}

CURL *wire_ended(struct wire *wire, CURLcode *code) {
    for (; wire->looked < wire->n; wire->looked++) {
        struct strand *strand = wire->strand[wire->looked];
        CURLMsg *message;
        for (int left; strand->stirred && (message = curl_multi_info_read(strand->multi, &left));) {
            if (message->msg != CURLMSG_DONE) continue;
            *code = message->data.result;
            return message->easy_handle;
        }
        strand->stirred = false;
    }
    wire->looked = 0;
    return NULL;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static void act(struct strand *strand, curl_socket_t fd, int mask) {
    int running;
    strand->stirred = true;
    curl_multi_socket_action(strand->multi, fd, mask, &running);
}

static void take_event(struct wire *wire, const struct epoll_event *event) {
    uint64_t times, number = event->data.u64 >> 32;
    if (event->data.u64 == WAKE) {
        if (read(wire->wake, &times, sizeof times) < 0) return; /* somebody else's wake-up: there is none */
        return;
    }
    int mask = 0;
    if (event->events & EPOLLIN) mask |= CURL_CSELECT_IN;
    if (event->events & EPOLLOUT) mask |= CURL_CSELECT_OUT;
    if (event->events & (EPOLLERR | EPOLLHUP)) mask |= CURL_CSELECT_ERR;
    if (number < (uint64_t)wire->n) act(wire->strand[number], (curl_socket_t)(event->data.u64 & UINT32_MAX), mask);
}

void wire_wait(struct wire *wire, int64_t due) {
    struct epoll_event events[128];
    for (int i = 0; i < wire->n; i++)
        if (wire->strand[i]->due < due) due = wire->strand[i]->due;
    int64_t now = clock_us();
    int ms = due == INT64_MAX ? -1 : due <= now ? 0 : (int)((due - now + 999) / 1000);
    int n = epoll_wait(wire->epoll, events, sizeof events / sizeof *events, ms);
    for (int i = 0; i < n; i++) take_event(wire, &events[i]);
    now = clock_us();
    for (int i = 0; i < wire->n; i++) {
        struct strand *strand = wire->strand[i];
        if (strand->due > now) continue;
        strand->due = INT64_MAX;
        act(strand, CURL_SOCKET_TIMEOUT, 0);
    }
}

void wire_wake(struct wire *wire) {
    uint64_t one = 1;
    while (write(wire->wake, &one, sizeof one) < 0 && errno == EINTR) {}
}
