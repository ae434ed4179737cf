/* stand_in.c - a stand-in for a vLLM server: it speaks as much of vLLM's HTTP as cord asks of it, and waits as long as a
 * real server would, but computes nothing. bench/bench.py measures with it what one process of cord holds.
 *
 *   usage: stand_in [--port N] [--tokens N] [--speed N] [--score MS] [--tokenize MS] [--steps N] [--fast]
 *          stand_in --ask PORT      what a running one has counted, as a line of JSON
 *
 *     --port N       on 127.0.0.1; 0, the default, takes a free one. It is printed once connections are taken.
 *     --tokens N     of a step: 200
 *     --speed N      tokens a second of each text, however many are written at once: 30
 *     --score MS     what a request for log-probabilities takes: 50
 *     --tokenize MS  and one for tokens: 2
 *     --steps N      of a trajectory, about: 6
 *     --fast         nothing takes any time
 *
 * Every reply is a function of its request alone. Its model speaks ChatML; a piece of its vocabulary is a blank and up to
 * five letters, up to three digits, or one other character, and gets its number by hash. Steps are words without meaning. As
 * an answer it gives the sum of all numbers in the question, which is right where nothing is to be subtracted.
 * One thread and epoll. It must not know cord's model folder: it is the other side. */
#include "base/json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    VOCABULARY = 1 << 17, /* slots; as many as real models have */
    PIECE = 8,            /* bytes of the longest piece, and a NUL */
    CONTEXT = 32768,      /* tokens of a prompt */
    CONNECTIONS = 65536,
    REQUEST_LIMIT = 16 << 20,
    ANSWER_TOKENS = 4,
};

struct connection {
    int fd;
    struct buf in, out;
    size_t sent;
    bool waits; /* its reply is not due yet */
};

/* A reply that is due some time: a heap, the earliest first. */
struct due {
    int64_t at;
    struct connection *connection;
};

struct stand_in {
    double speed;
    int64_t score_us, tokenize_us;
    int tokens, steps;
    char (*vocabulary)[PIECE];
    uint64_t *hash; /* of each piece, since two pieces' slots may depend on which came first */
    int epoll, listener;
    struct due *heap;
    int n_due;
    int *ids;         /* of the prompt at hand */
    struct buf text;  /* what they spell */
    struct buf reply; /* the body at hand */
    struct {
        int64_t proposals, scores, tokenizations, others, bytes;
        int connections, most_connections, most_waiting;
    } count;
};

static void must(bool good, const char *what) {
    if (good) return;
    fprintf(stderr, "stand_in: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- the vocabulary ---------------------------------------------------------------------------------------------- */

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The bytes of the piece that begins at `at`. No character is split. */
static size_t piece_length(cord_text t, size_t at) {
    enum { LETTERS = 5, DIGITS = 3 };
    size_t end = at;
    if (is_digit(t.data[at])) {
        while (end < t.len && end - at < DIGITS && is_digit(t.data[end])) end++;
        return end - at;
    }
    size_t start = t.data[at] == ' ' ? at + 1 : at;
    for (end = start; end < t.len && end - start < LETTERS && is_letter(t.data[end]);) end++;
    if (end > start) return end - at;
    end = at;
    (void)utf8_next(t, &end);
    return end - at;
}

/* Its number: the slot that its hash gives, or the next free one. */
static int piece_id(struct stand_in *s, cord_text piece) {
    uint64_t hash = seed_text(0, piece), slot = hash % VOCABULARY;
    for (int tried = 0; tried < VOCABULARY; tried++, slot = (slot + 1) % VOCABULARY) {
        char *known = s->vocabulary[slot];
        if (!*known) memcpy(known, piece.data, piece.len), s->hash[slot] = hash;
        if (strlen(known) == piece.len && memcmp(known, piece.data, piece.len) == 0) return (int)slot;
    }
    must(false, "the vocabulary is full");
    return -1;
}

/* ---- what a request says --------------------------------------------------------------------------------------------- */

/* Behind the value of `key`, or NULL. Keys are found by their spelling: cord writes no blanks, and a key in a text has its
 * quotes escaped. */
static const char *value_of(cord_text body, const char *key) {
    char spelled[64];
    int n = snprintf(spelled, sizeof spelled, "\"%s\":", key);
    ptrdiff_t at = text_find(body, (cord_text){spelled, (size_t)n});
    return at < 0 ? NULL : body.data + at + n;
}

static int64_t number_of(cord_text body, const char *key, int64_t fallback) {
    const char *value = value_of(body, key);
    return value ? strtoll(value, NULL, 10) : fallback;
}

/* The ids of the prompt, and the text that they spell; false where one is none. */
static bool read_prompt(struct stand_in *s, cord_text body, int *n) {
    const char *c = value_of(body, "prompt");
    *n = 0;
    buf_clear(&s->text);
    if (!c || *c++ != '[') return false;
    while (is_digit(*c) && *n < CONTEXT) {
        int id = 0;
        for (; is_digit(*c); c++) id = id * 10 + (*c - '0');
        if (*c == ',') c++;
        if (id >= VOCABULARY || !s->vocabulary[id][0]) return false;
        s->ids[(*n)++] = id;
        buf_add(&s->text, text_of(s->vocabulary[id]));
    }
    return *c == ']' && *n > 0;
}

/* ---- replies ---------------------------------------------------------------------------------------------------------- */

static void reply_tokens(struct stand_in *s, cord_text prompt) {
    struct json_writer w = {.out = &s->reply};
    struct buf strings;
    buf_init(&strings, "the pieces of a text", REQUEST_LIMIT);
    struct json_writer spelled = {.out = &strings};
    int n = 0;
    json_open(&w, NULL, '{');
    json_open(&w, "tokens", '[');
    json_open(&spelled, NULL, '[');
    for (size_t at = 0, len; at < prompt.len; at += len, n++) {
        cord_text piece = text_slice(prompt, at, at + (len = piece_length(prompt, at)));
        json_int(&w, NULL, piece_id(s, piece));
        json_text(&spelled, NULL, piece);
    }
    json_close(&w, ']');
    json_close(&spelled, ']');
    json_int(&w, "count", n);
    json_int(&w, "max_model_len", CONTEXT);
    json_raw(&w, "token_strs", buf_text(&strings));
    json_close(&w, '}');
    buf_release(&strings);
}

/* Steps that a trajectory has: headings with a number, which the system text's example has not. */
static int steps_of(cord_text text) {
    int n = 0;
    for (ptrdiff_t at; (at = text_find(text, TEXT("### Step "))) >= 0;) {
        text = text_slice(text, (size_t)at + strlen("### Step "), text.len);
        n += text.len && is_digit(*text.data);
    }
    return n;
}

/* The sum of the numbers in the question, which is the user's turn. */
static int64_t sum_of(cord_text text) {
    ptrdiff_t user = text_rfind(text, TEXT("user\n")), end = text_rfind(text, TEXT("assistant\n"));
    int64_t sum = 0, number = 0;
    for (ptrdiff_t at = user < 0 ? end : user; at < end; at++) {
        if (is_digit(text.data[at])) number = number * 10 + (text.data[at] - '0');
        if (is_digit(text.data[at]) && at + 1 < end) continue;
        sum += number;
        number = 0;
    }
    return sum;
}

/* Words that make up `n` tokens. */
static void add_words(struct buf *out, struct rng *rng, int n) {
    static const char *const words[] = {" so",    " we",    " add",   " both", " parts", " then", " count", " each",
                                        " total", " apple", " first", " next", " gives", " more", " price", " equal"};
    for (int i = 0; i < n; i++) buf_add(out, text_of(words[rng_next(rng) % (sizeof words / sizeof *words)]));
}

static void end_completion(struct json_writer *w, int prompt, int written) {
    json_close(w, '}');
    json_close(w, ']');
    json_open(w, "usage", '{');
    json_int(w, "prompt_tokens", prompt);
    json_int(w, "completion_tokens", written);
    json_int(w, "total_tokens", prompt + written);
    json_close(w, '}');
    json_close(w, '}');
}

static struct json_writer begin_completion(struct stand_in *s) {
    struct json_writer w = {.out = &s->reply};
    json_open(&w, NULL, '{');
    json_text(&w, "object", TEXT("text_completion"));
    json_text(&w, "model", TEXT("stand-in"));
    json_open(&w, "choices", '[');
    json_open(&w, NULL, '{');
    json_int(&w, "index", 0);
    return w;
}

/* A step, or behind the thinking an answer; returns its tokens. */
static int reply_proposal(struct stand_in *s, cord_text body, int n) {
    cord_text text = buf_text(&s->text);
    int limit = (int)number_of(body, "max_tokens", 16), written = s->tokens;
    struct rng rng;
    rng_init(&rng, seed_mix(seed_text(0, text), (uint64_t)number_of(body, "seed", 0)));
    struct buf said;
    buf_init(&said, "a step", REQUEST_LIMIT);
    bool answers = text_rfind(text, TEXT("</think>")) > text_rfind(text, TEXT("assistant\n"));
    bool last = steps_of(text) + (int)(rng_next(&rng) % 3) > s->steps;
    if (answers) {
        written = ANSWER_TOKENS;
        buf_addf(&said, "%s%lld}.", text_ends(text, TEXT("\\boxed{")) ? "" : " The final answer is \\boxed{",
                 (long long)sum_of(text));
    }
    bool cut = limit < written;
    if (cut) written = limit;
    if (!answers) add_words(&said, &rng, written - !cut);
    if (!answers && !cut) buf_add(&said, TEXT("\n"));
    struct json_writer w = begin_completion(s);
    json_text(&w, "text", buf_text(&said));
    json_text(&w, "finish_reason", cut ? TEXT("length") : TEXT("stop"));
    if (cut || answers)
        json_nil(&w, "stop_reason");
    else
        json_text(&w, "stop_reason", last ? TEXT("</think>") : TEXT("### Step"));
    end_completion(&w, n, written);
    buf_release(&said);
    return written;
}

/* The log-probability of a token behind those whose hash is `before`. */
static double logprob(const struct stand_in *s, uint64_t before, int id) {
    return -2.0 * (double)(seed_mix(before, s->hash[id]) >> 11) / 9007199254740992.0;
}

/* Of the one token that is allowed, or of all tokens of the prompt. */
static void reply_scores(struct stand_in *s, int n, const char *allowed) {
    char name[40];
    uint64_t before = 0;
    struct json_writer w = begin_completion(s);
    json_text(&w, "text", TEXT(" so"));
    json_text(&w, "finish_reason", TEXT("length"));
    if (allowed) {
        int id = (int)strtol(allowed + 1, NULL, 10) % VOCABULARY;
        for (int i = 0; i < n; i++) before = seed_mix(before, s->hash[s->ids[i]]);
        snprintf(name, sizeof name, "token_id:%d", id);
        json_open(&w, "logprobs", '{');
        json_open(&w, "tokens", '[');
        json_text(&w, NULL, text_of(name));
        json_close(&w, ']');
        json_open(&w, "token_logprobs", '[');
        json_double(&w, NULL, logprob(s, before, id));
        json_close(&w, ']');
        json_close(&w, '}');
    } else {
        json_open(&w, "prompt_logprobs", '[');
        json_nil(&w, NULL);
        for (int i = 1; i < n; i++) {
            before = seed_mix(before, s->hash[s->ids[i - 1]]);
            snprintf(name, sizeof name, "%d", s->ids[i]);
            json_open(&w, NULL, '{');
            json_open(&w, name, '{');
            json_double(&w, "logprob", logprob(s, before, s->ids[i]));
            json_int(&w, "rank", 1);
            json_close(&w, '}');
            json_close(&w, '}');
        }
        json_close(&w, ']');
    }
    end_completion(&w, n, 1);
}

static void reply_counts(struct stand_in *s) {
    struct json_writer w = {.out = &s->reply};
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    json_open(&w, NULL, '{');
    json_int(&w, "proposals", s->count.proposals);
    json_int(&w, "scores", s->count.scores);
    json_int(&w, "tokenizations", s->count.tokenizations);
    json_int(&w, "others", s->count.others);
    json_int(&w, "bytes", s->count.bytes);
    json_int(&w, "most_connections", s->count.most_connections);
    json_int(&w, "most_waiting", s->count.most_waiting);
    json_double(&w, "cpu_seconds",
                (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    json_close(&w, '}');
}

/* The body of the reply is in s->reply; returns its status, and how long it takes. */
static int answer(struct stand_in *s, cord_text path, cord_text body, int64_t *us) {
    int n;
    *us = 0;
    buf_clear(&s->reply);
    s->count.others++;
    if (text_equal(path, TEXT("/version"))) {
        buf_add(&s->reply, TEXT("{\"version\":\"0.32.0-stand-in\"}"));
    } else if (text_equal(path, TEXT("/v1/models"))) {
        buf_addf(&s->reply, "{\"data\":[{\"id\":\"stand-in\",\"max_model_len\":%d}]}", CONTEXT);
    } else if (text_equal(path, TEXT("/counts"))) {
        reply_counts(s);
    } else if (text_equal(path, TEXT("/tokenize"))) {
        json_t *request = json_loadb(body.data, body.len, 0, NULL);
        const json_t *prompt = json_object_get(request, "prompt");
        reply_tokens(s, (cord_text){json_string_value(prompt), json_string_length(prompt)});
        json_decref(request);
        s->count.tokenizations++, s->count.others--;
        *us = s->tokenize_us;
    } else if (text_equal(path, TEXT("/v1/completions"))) {
        if (!read_prompt(s, body, &n)) return 400;
        const char *allowed = value_of(body, "allowed_token_ids");
        s->count.others--;
        if (allowed || value_of(body, "prompt_logprobs")) {
            reply_scores(s, n, allowed);
            s->count.scores++;
            *us = s->score_us;
        } else {
            int written = reply_proposal(s, body, n);
            s->count.proposals++;
            *us = s->speed > 0 ? (int64_t)(1e6 * written / s->speed) : 0;
        }
    } else {
        return 404;
    }
    return 200;
}

/* ---- connections ------------------------------------------------------------------------------------------------------ */

static void hang_up(struct stand_in *s, struct connection *c) {
    close(c->fd);
    c->fd = -1;
    s->count.connections--;
    buf_release(&c->in);
    buf_release(&c->out);
    if (!c->waits) free(c);
}

static bool earlier(const struct due *a, const struct due *b) { return a->at < b->at; }

static void push_due(struct stand_in *s, struct due due) {
    int i = s->n_due++;
    for (; i && earlier(&due, &s->heap[(i - 1) / 2]); i = (i - 1) / 2) s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = due;
    if (s->n_due > s->count.most_waiting) s->count.most_waiting = s->n_due;
}

static struct connection *pop_due(struct stand_in *s) {
    struct connection *first = s->heap[0].connection;
    struct due last = s->heap[--s->n_due];
    int i = 0;
    for (int child; (child = 2 * i + 1) < s->n_due; i = child) {
        if (child + 1 < s->n_due && earlier(&s->heap[child + 1], &s->heap[child])) child++;
        if (!earlier(&s->heap[child], &last)) break;
        s->heap[i] = s->heap[child];
    }
    s->heap[i] = last;
    return first;
}

/* Sends what the socket takes. */
static void send_out(struct stand_in *s, struct connection *c) {
    while (c->sent < c->out.len) {
        ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) {
            hang_up(s, c);
            return;
        }
        c->sent += (size_t)n;
        s->count.bytes += n;
    }
    bool more = c->sent < c->out.len;
    if (!more) buf_release(&c->out);
    struct epoll_event event = {.events = more ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c};
    if (more || c->sent == 0) epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

/* Answers the request that is whole in c->in, if one is. */
static void take_request(struct stand_in *s, struct connection *c) {
    cord_text in = buf_text(&c->in);
    ptrdiff_t head = text_find(in, TEXT("\r\n\r\n"));
    if (head < 0) return;
    cord_text top = text_slice(in, 0, (size_t)head);
    ptrdiff_t length = text_find(top, TEXT("Content-Length: "));
    size_t start = (size_t)head + 4, bytes = length < 0 ? 0 : strtoul(top.data + length + 16, NULL, 10);
    if (in.len < start + bytes) return;
    ptrdiff_t blank = text_find(top, TEXT(" "));
    cord_text path = text_slice(top, (size_t)blank + 1, top.len);
    path.len = (size_t)text_find(path, TEXT(" "));
    int64_t us;
    int status = answer(s, path, text_slice(in, start, start + bytes), &us);
    s->count.bytes += (int64_t)(start + bytes);
    buf_release(&c->in); /* nobody sends a second request before the reply */
    buf_addf(&c->out, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", status,
             status == 200 ? "OK" : "No", s->reply.len);
    buf_add(&c->out, buf_text(&s->reply));
    c->sent = 0;
    if (us > 0) {
        c->waits = true;
        push_due(s, (struct due){clock_us() + us, c});
    } else {
        send_out(s, c);
    }
}

static void read_in(struct stand_in *s, struct connection *c) {
    char block[65536];
    ssize_t n = recv(c->fd, block, sizeof block, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        hang_up(s, c);
        return;
    }
    buf_add(&c->in, (cord_text){block, (size_t)n});
    take_request(s, c);
}

static void welcome(struct stand_in *s) {
    for (int fd; (fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct connection *c = calloc(1, sizeof *c);
        must(c != NULL, "out of memory");
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        c->fd = fd;
        buf_init(&c->in, "a request", REQUEST_LIMIT);
        buf_init(&c->out, "a reply", REQUEST_LIMIT);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        must(epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll");
        if (++s->count.connections > s->count.most_connections) s->count.most_connections = s->count.connections;
    }
}

static void send_what_is_due(struct stand_in *s) {
    int64_t now = clock_us();
    while (s->n_due && s->heap[0].at <= now) {
        struct connection *c = pop_due(s);
        c->waits = false;
        if (c->fd < 0)
            free(c); /* it hung up before */
        else
            send_out(s, c);
    }
}

static volatile sig_atomic_t stopped;
static void on_signal(int number) {
    (void)number;
    stopped = 1;
}

static void serve(struct stand_in *s) {
    static struct epoll_event events[512];
    while (!stopped) {
        int64_t left = s->n_due ? s->heap[0].at - clock_us() : INT64_MAX;
        int ms = !s->n_due ? -1 : left <= 0 ? 0 : (int)((left + 999) / 1000);
        int n = epoll_wait(s->epoll, events, sizeof events / sizeof *events, ms);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c)
                welcome(s);
            else if (events[i].events & EPOLLOUT)
                send_out(s, c);
            else
                read_in(s, c);
        }
        send_what_is_due(s);
    }
}

/* ---- the program ------------------------------------------------------------------------------------------------------ */

static struct sockaddr_in address_of(int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int ask(int port) {
    struct sockaddr_in address = address_of(port);
    static const char request[] = "GET /counts HTTP/1.1\r\n\r\n";
    char reply[4096];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    must(send(fd, request, strlen(request), 0) > 0, "send");
    ssize_t n = recv(fd, reply, sizeof reply - 1, 0);
    must(n > 0, "receive");
    reply[n] = '\0';
    const char *body = strstr(reply, "\r\n\r\n");
    puts(body ? body + 4 : reply);
    return 0;
}

static void listen_on(struct stand_in *s, int port) {
    struct sockaddr_in address = address_of(port);
    socklen_t size = sizeof address;
    int one = 1;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    must(bind(s->listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    must(listen(s->listener, 16384) == 0, "listen");
    getsockname(s->listener, (struct sockaddr *)&address, &size);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    must(epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &event) == 0, "epoll");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct stand_in s = {.speed = 30, .score_us = 50 * 1000, .tokenize_us = 2 * 1000, .tokens = 200, .steps = 6};
    int port = 0;
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(name, "--fast")) {
            s.speed = 0, s.score_us = s.tokenize_us = 0;
            continue;
        }
        i++;
        if (!strcmp(name, "--ask")) return ask(atoi(value));
        if (!strcmp(name, "--port")) port = atoi(value);
        if (!strcmp(name, "--tokens")) s.tokens = atoi(value);
        if (!strcmp(name, "--speed")) s.speed = atof(value);
        if (!strcmp(name, "--score")) s.score_us = (int64_t)(atof(value) * 1000);
        if (!strcmp(name, "--tokenize")) s.tokenize_us = (int64_t)(atof(value) * 1000);
        if (!strcmp(name, "--steps")) s.steps = atoi(value);
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    s.vocabulary = calloc(VOCABULARY, sizeof *s.vocabulary);
    s.hash = calloc(VOCABULARY, sizeof *s.hash);
    s.ids = calloc(CONTEXT, sizeof *s.ids);
    s.heap = calloc(CONNECTIONS, sizeof *s.heap);
    must(s.vocabulary && s.hash && s.ids && s.heap, "out of memory");
    buf_init(&s.text, "a prompt", REQUEST_LIMIT);
    buf_init(&s.reply, "a reply", REQUEST_LIMIT);
    listen_on(&s, port);
    serve(&s);
    buf_release(&s.text);
    buf_release(&s.reply);
    free(s.vocabulary);
    free(s.hash);
    free(s.ids);
    free(s.heap);
    return 0;
}
