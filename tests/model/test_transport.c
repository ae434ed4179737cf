/* test_transport.c - all HTTP of the engine, against a server on loopback that misbehaves as it is told (fault_server.h).
 * Pauses are short here; bounds on times are generous, since the machine may be busy. */
#include "fault_server.h"

#include "model/http/transport.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char KEY[] = "sk-secret-0123456789";

/* A transport with one endpoint. */
struct rig {
    atomic_bool stop;
    struct transport *transport;
    struct endpoint *endpoint;
};

static void rig_open(struct rig *rig, struct transport_limits limits, const char *urls) {
    if (limits.backoff == 0) limits.backoff = 0.02;
    if (limits.tries == 0) limits.tries = 3;
    atomic_init(&rig->stop, false);
    assert_ok(transport_open(&limits, &rig->stop, &rig->transport, err));
    assert_ok(endpoint_open(rig->transport, urls, KEY, &rig->endpoint, err));
}

static void rig_close(struct rig *rig) { transport_close(rig->transport); }

/* ---- what is there of a reply ------------------------------------------------------------------------------------ */

/* A call, and how often `arrived` was called for it. */
struct told {
    struct http_call call;
    int arrivals;
    bool wants_json; /* a reply must end with a brace */
    int events, enough;
    cord_error verdict;
};

static bool arrives(void *ctx, struct http_call *call) {
    struct told *told = ctx;
    told->arrivals++;
    call->error = told->verdict;
    return told->verdict.code == CORD_OK && (!told->wants_json || text_ends(buf_text(&call->reply), TEXT("}")));
}

static bool has_enough(void *ctx, struct http_call *call) {
    struct told *told = ctx;
    (void)call;
    return ++told->events != told->enough;
}

static struct told ask(struct rig *rig, const char *body, struct told told) {
    told.call.endpoint = rig->endpoint;
    if (!told.call.path) told.call.path = "/v1/completions";
    told.call.body = text_of(body);
    told.call.arrived = arrives;
    told.call.event = has_enough;
    told.call.ctx = &told;
    assert_ok(transport_run(rig->transport, &told.call, 1, err));
    return told;
}

static void assert_holds(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void assert_lacks(const char *text, const char *part) {
    if (strstr(text, part)) fail_msg("\"%s\" is in \"%s\"", part, text);
}

/* ---- plain calls ------------------------------------------------------------------------------------------------- */

/* Says what it was asked. */
static bool answer_echo(struct exchange *x) {
    char line[300];
    const char *key = header_of(x->head, "authorization"), *packed = header_of(x->head, "accept-encoding");
    snprintf(line, sizeof line, "%.*s|%.*s|%.*s|%.*s", (int)strcspn(x->head, "\r"), x->head,
             key ? (int)strcspn(key, "\r") : 0, key ? key : "", packed ? 4 : 0, packed ? packed : "", (int)x->body.len,
             x->body.data);
    return send_reply(x->fd, 200, NULL, line);
}

static void test_asks_and_keeps_the_connection(void **state) {
    (void)state;
    struct fault_server server = {.answer = answer_echo};
    fault_server_start(&server);
    struct rig rig;
    char url[100]; /* slashes at its end are not doubled */
    snprintf(url, sizeof url, "%s//", fault_server_url(&server));
    rig_open(&rig, (struct transport_limits){0}, url);
    for (int i = 0; i < 5; i++) {
        struct told told = ask(&rig, "{\"a\": 1}", (struct told){0});
        assert_int_equal(told.call.error.code, CORD_OK);
        assert_int_equal(told.call.status, 200);
        assert_int_equal(told.call.tries, 1);
        assert_int_equal(told.call.lost, 0);
        assert_int_equal(told.arrivals, 1);
        assert_true(told.call.us > 0);
        assert_text(buf_text(&told.call.reply),
                    "POST /v1/completions HTTP/1.1|Bearer sk-secret-0123456789|defl|{\"a\": 1}");
        http_call_release(&told.call);
    }
    struct told told = ask(&rig, "", (struct told){.call.path = "/v1/models"});
    assert_text(buf_text(&told.call.reply), "GET /v1/models HTTP/1.1|Bearer sk-secret-0123456789|defl|");
    http_call_release(&told.call);
    http_call_release(&told.call); /* twice does nothing */
    assert_int_equal(atomic_load(&server.connections), 1);
    struct endpoint_usage usage = endpoint_get_usage(rig.endpoint);
    assert_int_equal(usage.requests, 6);
    assert_int_equal(usage.retries + usage.failures + usage.lost + usage.in_flight, 0);
    assert_true(usage.bytes_sent > 6 * 50 && usage.bytes_received > 6 * 50);
    rig_close(&rig);
    fault_server_stop(&server);
}

static bool answer_length(struct exchange *x) {
    char line[32];
    snprintf(line, sizeof line, "%zu", x->body.len);
    return send_reply(x->fd, 200, NULL, line);
}

/* A large body goes without waiting for a "100 Continue", which this server never sends. */
static void test_sends_large_bodies(void **state) {
    (void)state;
    struct fault_server server = {.answer = answer_length};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, fault_server_url(&server));
    size_t len = 3 << 20;
    char *body = malloc(len + 1);
    memset(body, 'x', len);
    body[len] = '\0';
    struct told told = ask(&rig, body, (struct told){0});
    assert_text(buf_text(&told.call.reply), "3145728");
    assert_true(told.call.us < 900 * 1000);
    assert_true(endpoint_get_usage(rig.endpoint).bytes_sent >= (int64_t)len);
    http_call_release(&told.call);
    free(body);
    rig_close(&rig);
    fault_server_stop(&server);
}

static void test_refuses_bad_urls(void **state) {
    (void)state;
    static const struct {
        const char *urls, *key, *words;
    } cases[] = {
        {"", NULL, "needs a URL"},
        {" \n ", NULL, "needs a URL"},
        {"localhost:8000", NULL, "http://localhost:8000"},
        {"ftp://localhost", NULL, "neither an http nor an https URL"},
        {"http://a http://user:hidden@b", NULL, "password"},
        {"http://user:hid den@b", NULL, "no URL"},
        {"http://a/?x=1", NULL, "query"},
        {"http://a", "hidden\r\nX-Other: 1", "the key holds"},
        {"http://a", "hidden key", "the key holds"},
    };
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, "http://a https://b/prefix/\thttps://c:8443");
    assert_int_equal(endpoint_get_usage(rig.endpoint).replicas, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct endpoint *endpoint;
        cord_error err = {0};
        assert_int_equal(endpoint_open(rig.transport, cases[i].urls, cases[i].key, &endpoint, &err), CORD_BAD_RECIPE);
        assert_holds(err.message, cases[i].words);
        assert_lacks(err.message, "hidden");
    }
    rig_close(&rig);
    transport_close(NULL);
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

struct trial {
    enum fault fault;
    int status;        /* of the call, where it is never mended */
    int lost;          /* by one try of this kind */
    const char *words; /* of the error */
};

static const struct trial passing[] = {
    {FAULT_RESET, 0, 1, "reset"},
    {FAULT_RESET_IN_BODY, 200, 1, "cut short"},
    {FAULT_CLOSED, 0, 1, "Empty reply"},
    {FAULT_HANG, 0, 1, "no reply within 0.3 s"},
    {FAULT_HANG_IN_BODY, 200, 1, "stood still for 0.3 s"},
    {FAULT_TRUNCATED, 200, 1, "cut short"},
    {FAULT_BAD_CHUNK, 200, 1, "cut short"},
    {FAULT_OPEN_CHUNK, 200, 1, "cut short"},
    {FAULT_MALFORMED, 200, 1, "malformed: {"},
    {FAULT_BAD_GZIP, 200, 1, ""},
    {FAULT_NO_HTTP, 0, 1, ""},
    {FAULT_STATUS + 408, 408, 0, "it answers 408: {\"error\": {\"message\": \"server's words 408\"}}"},
    {FAULT_STATUS + 425, 425, 0, "words 425"},
    {FAULT_STATUS + 429, 429, 0, "words 429"},
    {FAULT_STATUS + 500, 500, 0, "words 500"},
    {FAULT_STATUS + 502, 502, 0, "words 502"},
    {FAULT_STATUS + 503, 503, 0, "words 503"},
    {FAULT_STATUS + 504, 504, 0, "words 504"},
    {FAULT_STATUS + 529, 529, 0, "words 529"},
};

static const struct transport_limits hasty = {.first_byte = 0.3, .idle = 0.3}, patient = {0};

/* One fault, then all is well; and one that stays. */
static void try_passing(const struct trial *trial) {
    const bool hangs = trial->fault == FAULT_HANG || trial->fault == FAULT_HANG_IN_BODY;
    const enum fault once[] = {trial->fault, FAULT_NONE};
    struct fault_server server = {.reply = "{\"text\": \"right\"}", .script = once, .n_script = 2};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, hangs ? hasty : patient, fault_server_url(&server));
    struct told told = ask(&rig, "{}", (struct told){.wants_json = true});
    if (told.call.error.code != CORD_OK) fail_msg("fault %d: %s", trial->fault, told.call.error.message);
    assert_text(buf_text(&told.call.reply), "{\"text\": \"right\"}");
    assert_int_equal(told.call.tries, 2);
    assert_int_equal(told.call.lost, trial->lost);
    assert_int_equal(atomic_load(&server.requests), 2);
    assert_int_equal(told.arrivals, trial->fault == FAULT_MALFORMED ? 2 : 1);
    http_call_release(&told.call);
    rig_close(&rig);
    fault_server_stop(&server);

    server.n_script = 1;
    atomic_store(&server.requests, 0);
    fault_server_start(&server);
    rig_open(&rig, hangs ? hasty : patient, fault_server_url(&server));
    told = ask(&rig, "{}", (struct told){.wants_json = true});
    assert_int_equal(told.call.error.code, CORD_IO_ERROR);
    assert_holds(told.call.error.message, trial->words);
    assert_holds(told.call.error.message, fault_server_url(&server));
    assert_holds(told.call.error.message, "(tried 3 times)");
    assert_int_equal(told.call.status, trial->status);
    assert_int_equal(told.call.tries, 3);
    assert_int_equal(told.call.lost, 3 * trial->lost);
    assert_int_equal(atomic_load(&server.requests), 3);
    struct endpoint_usage usage = endpoint_get_usage(rig.endpoint);
    assert_int_equal(usage.requests, 3);
    assert_int_equal(usage.retries, 2);
    assert_int_equal(usage.failures, 1);
    assert_int_equal(usage.lost, 3 * trial->lost);
    http_call_release(&told.call);
    rig_close(&rig);
    fault_server_stop(&server);
}

static void test_tries_again_what_may_pass(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) try_passing(&passing[i]);
}

static void test_takes_odd_but_right_replies(void **state) {
    (void)state;
    static const enum fault odd[] = {FAULT_SLOW, FAULT_TWICE, FAULT_GZIP};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct fault_server server = {.reply = "{\"text\": \"packed\"}", .script = &odd[i], .n_script = 1};
        fault_server_start(&server);
        struct rig rig;
        rig_open(&rig, (struct transport_limits){.idle = 0.5}, fault_server_url(&server));
        for (int j = 0; j < 3; j++) {
            struct told told = ask(&rig, "{}", (struct told){0});
            if (told.call.error.code != CORD_OK) fail_msg("fault %d: %s", odd[i], told.call.error.message);
            assert_text(buf_text(&told.call.reply), "{\"text\": \"packed\"}");
            assert_int_equal(told.arrivals, 1);
            assert_int_equal(told.call.tries, 1);
            http_call_release(&told.call);
        }
        rig_close(&rig);
        fault_server_stop(&server);
    }
}

/* A server that never was there: no request is sent, all tries are used. */
static void test_closed_port(void **state) {
    (void)state;
    struct fault_server server = {0};
    fault_server_start(&server);
    fault_server_stop(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.tries = 5}, fault_server_url(&server));
    struct told told = ask(&rig, "{}", (struct told){0});
    assert_int_equal(told.call.error.code, CORD_IO_ERROR);
    assert_holds(told.call.error.message, "Failed to connect");
    assert_holds(told.call.error.message, "(tried 5 times)");
    assert_int_equal(told.call.tries, 0);
    assert_int_equal(told.call.lost, 0);
    assert_int_equal(endpoint_get_usage(rig.endpoint).healthy, 0);
    http_call_release(&told.call);
    rig_close(&rig);
}

/* What can not pass is told at once, in the server's own words, made fit for a message; the key is not in it. */
static bool answer_refusal(struct exchange *x) {
    int status = atoi(x->server->reply);
    char words[2000];
    int n = snprintf(words, sizeof words, "context of 4096 is\r\n\x1b[31m exceeded \xff by key %s ", KEY);
    memset(words + n, 'y', sizeof words - (size_t)n - 1);
    words[sizeof words - 1] = '\0';
    return send_reply(x->fd, status, NULL, words);
}

static void test_tells_at_once_what_cannot_pass(void **state) {
    (void)state;
    static const char *const statuses[] = {"400", "401", "403", "404", "405", "413", "422", "501"};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct fault_server server = {.answer = answer_refusal, .reply = statuses[i]};
        fault_server_start(&server);
        struct rig rig;
        rig_open(&rig, (struct transport_limits){0}, fault_server_url(&server));
        struct told told = ask(&rig, "{}", (struct told){0});
        assert_int_equal(told.call.error.code, CORD_BAD_MODEL);
        assert_int_equal(told.call.status, atoi(statuses[i]));
        assert_int_equal(told.call.tries, 1);
        assert_int_equal(told.call.lost, 0);
        assert_int_equal(told.arrivals, 0);
        assert_holds(told.call.error.message, "context of 4096 is [31m exceeded by key ********");
        assert_holds(told.call.error.message, "yyy…");
        assert_lacks(told.call.error.message, KEY);
        assert_lacks(told.call.reply.data, KEY);
        assert_true(told.call.reply.len > 1900);
        http_call_release(&told.call);
        rig_close(&rig);
        fault_server_stop(&server);
    }
}

/* A redirect is told, and nobody else gets to see the key. */
static bool answer_redirect(struct exchange *x) {
    char header[200];
    snprintf(header, sizeof header, "Location: %s/elsewhere\r\n", (const char *)x->server->ctx);
    return send_reply(x->fd, 307, header, "");
}

static void test_does_not_follow_redirects(void **state) {
    (void)state;
    struct fault_server other = {0}, server = {.answer = answer_redirect};
    fault_server_start(&other);
    char url[64];
    snprintf(url, sizeof url, "http://localhost:%d", other.port);
    server.ctx = url;
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, fault_server_url(&server));
    struct told told = ask(&rig, "{}", (struct told){0});
    assert_int_equal(told.call.error.code, CORD_BAD_MODEL);
    assert_int_equal(told.call.tries, 1);
    assert_holds(told.call.error.message, "307, a redirect to localhost");
    http_call_release(&told.call);
    assert_int_equal(atomic_load(&server.authorized), 1);
    assert_int_equal(atomic_load(&other.requests), 0);
    assert_int_equal(atomic_load(&other.authorized), 0);
    rig_close(&rig);
    fault_server_stop(&server);
    fault_server_stop(&other);
}

/* What `arrived` says about a whole reply: told at once, or tried again. */
static void test_hears_what_the_reader_says(void **state) {
    (void)state;
    struct fault_server server = {0};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, fault_server_url(&server));
    struct told told = {0};
    (void)error_set(&told.verdict, CORD_BAD_MODEL, "the context overflows");
    told = ask(&rig, "{}", told);
    assert_int_equal(told.call.error.code, CORD_BAD_MODEL);
    assert_int_equal(told.call.tries, 1);
    assert_int_equal(told.call.lost, 0);
    assert_holds(told.call.error.message, ": the context overflows");
    http_call_release(&told.call);
    (void)error_set(&told.verdict, CORD_IO_ERROR, "two of three numbers");
    told = ask(&rig, "{}", told);
    assert_int_equal(told.call.error.code, CORD_IO_ERROR);
    assert_int_equal(told.call.tries, 3);
    assert_int_equal(told.call.lost, 3);
    assert_holds(told.call.error.message, ": two of three numbers");
    http_call_release(&told.call);
    rig_close(&rig);
    fault_server_stop(&server);
}

static void test_caps_replies(void **state) {
    (void)state;
    struct fault_server server = {.reply = "0123456789abcdef"};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.reply = 16}, fault_server_url(&server));
    struct told told = ask(&rig, "{}", (struct told){0});
    assert_int_equal(told.call.error.code, CORD_OK);
    http_call_release(&told.call);
    rig_close(&rig);
    rig_open(&rig, (struct transport_limits){.reply = 15}, fault_server_url(&server));
    told = ask(&rig, "{}", (struct told){0});
    assert_int_equal(told.call.error.code, CORD_BAD_MODEL);
    assert_int_equal(told.call.tries, 1);
    assert_holds(told.call.error.message, "larger than its limit of 15 bytes");
    http_call_release(&told.call);
    rig_close(&rig);
    fault_server_stop(&server);
}

/* ---- Retry-After --------------------------------------------------------------------------------------------------- */

static void try_retry_after(const char *headers, int status, double least, double most, double longest) {
    const enum fault script[] = {(enum fault)(FAULT_STATUS + status), FAULT_NONE};
    struct fault_server server = {.script = script, .n_script = 2, .extra_headers = headers};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.longest = longest}, fault_server_url(&server));
    struct told told = ask(&rig, "{}", (struct told){0});
    assert_int_equal(told.call.error.code, CORD_OK);
    assert_int_equal(told.call.tries, 2);
    double seconds = (double)told.call.us / 1e6;
    if (seconds < least || seconds > most) fail_msg("%s: waited for %g s", headers, seconds);
    http_call_release(&told.call);
    rig_close(&rig);
    fault_server_stop(&server);
}

static void test_waits_as_the_server_asks(void **state) {
    (void)state;
    const char *date = "Date: Wed, 21 Oct 2015 07:28:00 GMT\r\nRetry-After: Wed, 21 Oct 2015 07:28:01 GMT\r\n";
    try_retry_after("Retry-After: 1\r\n", 429, 1, 3, 0);
    try_retry_after("retry-after:0.4\r\n", 503, 0.4, 1, 0);
    try_retry_after(date, 429, 1, 3, 0);
    try_retry_after("Retry-After: 3600\r\n", 429, 0.3, 2, 0.3); /* no longer than we are willing to */
    try_retry_after("Retry-After: soon\r\n", 500, 0, 0.3, 0);
}

/* While one waits, those that come later do not rush at the server either. */
static void test_all_wait_as_the_server_asks(void **state) {
    (void)state;
    const enum fault script[] = {(enum fault)(FAULT_STATUS + 429), FAULT_NONE};
    struct fault_server server = {.script = script, .n_script = 2, .extra_headers = "Retry-After: 1\r\n"};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.in_flight = 1}, fault_server_url(&server));
    struct http_call calls[4];
    for (int i = 0; i < 4; i++) calls[i] = (struct http_call){.endpoint = rig.endpoint, .path = "/x"};
    assert_ok(transport_run(rig.transport, calls, 4, err));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(calls[i].error.code, CORD_OK);
        assert_int_equal(calls[i].tries, i == 0 ? 2 : 1);
        assert_true(calls[i].us >= 1000 * 1000);
        http_call_release(&calls[i]);
    }
    rig_close(&rig);
    fault_server_stop(&server);
}

/* ---- event streams ------------------------------------------------------------------------------------------------- */

static const char STREAM[] =
    "\xEF\xBB\xBF: hello\r\n\r\ndata: {\"text\":\"a\"}\r\n\r\n:ping\n\nevent: error\ndata:{\"error\":\r\n"
    "data: \"late\"}\n\ndata: \"b\"\r\rdata: [DONE]\n\ndata: after\n\n";
static const char EVENTS[] = "{\"text\":\"a\"}\n{\"error\": \"late\"}\n\"b\"\n";

static const char STREAM_HEAD[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n";

/* In two pieces, the second a little later; the n-th request cut at the n-th byte. */
static bool answer_stream(struct exchange *x) {
    size_t n = sizeof STREAM - 1, cut = (size_t)x->number % n;
    if (!send_text(x->fd, STREAM_HEAD) || !send_all(x->fd, STREAM, cut)) return false;
    usleep(3000);
    return send_all(x->fd, STREAM + cut, n - cut) && false;
}

static void test_reads_streams_cut_anywhere(void **state) {
    (void)state;
    struct fault_server server = {.answer = answer_stream};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, fault_server_url(&server));
    for (size_t i = 0; i < sizeof STREAM - 1; i++) {
        struct told told = ask(&rig, "{}", (struct told){.call.stream = true});
        assert_int_equal(told.call.error.code, CORD_OK);
        assert_text(buf_text(&told.call.reply), EVENTS);
        assert_true(told.call.done);
        assert_int_equal(told.events, 3);
        assert_int_equal(told.arrivals, 1);
        assert_int_equal(told.call.tries, 1);
        http_call_release(&told.call);
    }
    rig_close(&rig);
    fault_server_stop(&server);
}

/* Two events, and then nothing: hangs, or ends in the middle of a chunk. */
static bool answer_endless(struct exchange *x) {
    const char *tail = x->server->ctx;
    send_text(x->fd, STREAM_HEAD);
    send_text(x->fd, "data: 1\n\ndata: 2\n\n");
    if (tail) send_text(x->fd, tail);
    return hang(x->fd);
}

static void test_stops_streams_early(void **state) {
    (void)state;
    struct fault_server server = {.answer = answer_endless};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.idle = 0.5}, fault_server_url(&server));
    struct told told = ask(&rig, "{}", (struct told){.call.stream = true, .enough = 2});
    assert_int_equal(told.call.error.code, CORD_OK);
    assert_text(buf_text(&told.call.reply), "1\n2\n");
    assert_int_equal(told.arrivals, 1);
    assert_int_equal(told.call.lost, 0);
    http_call_release(&told.call);
    for (int i = 0; i < 200 && atomic_load(&server.in_flight) > 0; i++) usleep(10 * 1000);
    assert_int_equal(atomic_load(&server.in_flight), 0); /* the server knows */

    told = ask(&rig, "{}", (struct told){.call.stream = true}); /* without it, the stream stands still */
    assert_int_equal(told.call.error.code, CORD_IO_ERROR);
    assert_int_equal(told.call.tries, 3);
    assert_holds(told.call.error.message, "stood still");
    http_call_release(&told.call);

    server.ctx = (char[]){"data: [DONE]\n\n"}; /* all came, whatever happens then */
    told = ask(&rig, "{}", (struct told){.call.stream = true});
    assert_int_equal(told.call.error.code, CORD_OK);
    assert_int_equal(told.call.tries, 1);
    http_call_release(&told.call);
    rig_close(&rig);
    fault_server_stop(&server);
}

static bool answer_no_stream(struct exchange *x) {
    return send_reply(x->fd, 200, "Content-Type: application/json\r\n", "{\"data: \": 1}\n\n");
}

static void test_takes_other_content_as_it_is(void **state) {
    (void)state;
    struct fault_server server = {.answer = answer_no_stream};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, patient, fault_server_url(&server));
    struct told told = ask(&rig, "{}", (struct told){.call.stream = true});
    assert_text(buf_text(&told.call.reply), "{\"data: \": 1}\n\n");
    assert_false(told.call.done);
    http_call_release(&told.call);
    rig_close(&rig);
    fault_server_stop(&server);
}

/* ---- many at once -------------------------------------------------------------------------------------------------- */

/* Calls number `first` to first + n - 1, each of which sends its number; four make a group. */
static struct http_call *run_some(struct rig *rig, int first, int n) {
    struct http_call *calls = calloc((size_t)n, sizeof *calls);
    char(*bodies)[16] = calloc((size_t)n, sizeof *bodies);
    for (int i = 0; i < n; i++) {
        snprintf(bodies[i], sizeof bodies[i], "%d", first + i);
        calls[i] = (struct http_call){
            .endpoint = rig->endpoint, .path = "/x", .body = text_of(bodies[i]), .group = (uint64_t)(first + i) / 4};
    }
    cord_status status = transport_run(rig->transport, calls, n, NULL);
    assert_true(status == CORD_OK || status == CORD_CANCELLED);
    for (int i = 0; i < n; i++) calls[i].body = (cord_text){0};
    free(bodies);
    return calls;
}

static struct http_call *run_many(struct rig *rig, int n) { return run_some(rig, 0, n); }

static int count_code(const struct http_call *calls, int n, cord_status code) {
    int found = 0;
    for (int i = 0; i < n; i++) found += calls[i].error.code == code;
    return found;
}

static void release_many(struct http_call *calls, int n) {
    for (int i = 0; i < n; i++) http_call_release(&calls[i]);
    free(calls);
}

/* A server that takes a while, and refuses what is more than `most`. */
struct few {
    int most;
    atomic_int busy;
};

static bool answer_few(struct exchange *x) {
    struct few *few = x->server->ctx;
    bool takes = atomic_fetch_add(&few->busy, 1) < few->most;
    if (takes) usleep(20 * 1000);
    atomic_fetch_sub(&few->busy, 1);
    return do_fault(x, takes ? FAULT_NONE : FAULT_STATUS + 429);
}

static void test_finds_how_much_a_server_takes(void **state) {
    (void)state;
    static const int most[] = {1, 5, 24};
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        struct few few = {.most = most[i]};
        struct fault_server server = {.answer = answer_few, .ctx = &few};
        fault_server_start(&server);
        struct rig rig;
        rig_open(&rig, (struct transport_limits){.tries = 6, .in_flight = 200}, fault_server_url(&server));
        struct http_call *calls = run_many(&rig, 200);
        for (int j = 0; j < 200; j++)
            if (calls[j].error.code != CORD_OK) fail_msg("at most %d: %s", most[i], calls[j].error.message);
        struct endpoint_usage usage = endpoint_get_usage(rig.endpoint);
        print_message("at most %d: %d refused, %d at once in the end\n", most[i], (int)usage.retries, usage.allowed);
        assert_int_equal(usage.requests, 200 + usage.retries);
        assert_true(usage.retries < 150);
        assert_true(usage.allowed <= 2 * most[i] + 1 && usage.allowed >= most[i] / 2);
        release_many(calls, 200);
        rig_close(&rig);
        fault_server_stop(&server);
    }
}

static bool answer_after_a_while(struct exchange *x) {
    atomic_int *ms = x->server->ctx;
    usleep((unsigned)atomic_load(ms) * 1000);
    return answer_length(x);
}

static void test_a_thousand_at_once(void **state) {
    (void)state;
    enum { N = 1000 };
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < 6 * N) skip();
    files.rlim_cur = 6 * N;
    setrlimit(RLIMIT_NOFILE, &files);
    atomic_int ms = 5;
    struct fault_server server = {.answer = answer_after_a_while, .ctx = &ms};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.in_flight = N}, fault_server_url(&server));
    release_many(run_many(&rig, 3 * N), 3 * N); /* until the server is trusted with as many */
    atomic_store(&ms, 1000);
    struct http_call *calls = run_many(&rig, N);
    assert_int_equal(count_code(calls, N, CORD_OK), N);
    for (int i = 0; i < N; i++) assert_int_equal(calls[i].tries, 1);
    print_message("%d at once\n", atomic_load(&server.most_in_flight));
    assert_true(atomic_load(&server.most_in_flight) > N / 2); /* all, where the machine is not too busy */
    release_many(calls, N);
    rig_close(&rig);
    fault_server_stop(&server);
}

static void *run_as_thread(void *arg) {
    struct rig *rig = arg;
    struct http_call *calls = run_many(rig, 50);
    int wrong = 50 - count_code(calls, 50, CORD_OK);
    release_many(calls, 50);
    return (void *)(intptr_t)wrong;
}

static void test_many_callers(void **state) {
    (void)state;
    struct fault_server server = {.answer = answer_echo};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, fault_server_url(&server));
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) assert_int_equal(pthread_create(&threads[i], NULL, run_as_thread, &rig), 0);
    for (int i = 0; i < 8; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    assert_int_equal(endpoint_get_usage(rig.endpoint).requests, 400);
    rig_close(&rig);
    fault_server_stop(&server);
}

/* ---- replicas ------------------------------------------------------------------------------------------------------ */

enum { GROUPS = 50, REPLICAS = 3 };

/* Whom each group was answered by; requests say their number, four make a group. */
static atomic_int served[REPLICAS][GROUPS];

static bool answer_group(struct exchange *x) {
    char number[16];
    snprintf(number, sizeof number, "%.*s", (int)x->body.len, x->body.data);
    const int *replica = x->server->ctx;
    atomic_fetch_add(&served[*replica][atoi(number) / 4], 1);
    usleep(2000);
    return do_fault(x, FAULT_NONE);
}

struct replicas {
    struct fault_server servers[REPLICAS];
    char urls[300];
};

static void replicas_start(struct replicas *replicas) {
    static int number[REPLICAS] = {0, 1, 2};
    replicas->urls[0] = '\0';
    for (int i = 0; i < REPLICAS; i++) {
        replicas->servers[i] = (struct fault_server){.answer = answer_group, .ctx = &number[i]};
        fault_server_start(&replicas->servers[i]);
        strcat(strcat(replicas->urls, " "), fault_server_url(&replicas->servers[i]));
        for (int j = 0; j < GROUPS; j++) atomic_store(&served[i][j], 0);
    }
}

static void test_groups_stay_with_a_replica(void **state) {
    (void)state;
    struct replicas replicas;
    replicas_start(&replicas);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, replicas.urls);
    for (int round = 0; round < 3; round++) { /* few enough at once that no replica is full */
        for (int i = 0; i < 4 * GROUPS; i += 10) release_many(run_some(&rig, i, 10), 10);
    }
    int groups[REPLICAS] = {0};
    for (int j = 0; j < GROUPS; j++)
        for (int i = 0; i < REPLICAS; i++) {
            int times = atomic_load(&served[i][j]);
            assert_true(times == 0 || times == 12);
            groups[i] += times == 12;
        }
    print_message("groups: %d, %d, %d\n", groups[0], groups[1], groups[2]);
    for (int i = 0; i < REPLICAS; i++) assert_true(groups[i] >= GROUPS / REPLICAS / 3);
    rig_close(&rig);
    for (int i = 0; i < REPLICAS; i++) fault_server_stop(&replicas.servers[i]);
}

static void *stop_later(void *arg) {
    usleep(30 * 1000);
    fault_server_stop(arg);
    return NULL;
}

static void test_does_without_a_dead_replica(void **state) {
    (void)state;
    struct replicas replicas;
    replicas_start(&replicas);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.tries = 5, .in_flight = 16, .longest = 0.2}, replicas.urls);
    pthread_t killer;
    assert_int_equal(pthread_create(&killer, NULL, stop_later, &replicas.servers[1]), 0);
    for (int i = 0; i < 4; i++) { /* it dies in the middle of this */
        struct http_call *calls = run_many(&rig, 4 * GROUPS);
        for (int j = 0; j < 4 * GROUPS; j++)
            if (calls[j].error.code != CORD_OK) fail_msg("%s", calls[j].error.message);
        release_many(calls, 4 * GROUPS);
    }
    pthread_join(killer, NULL);
    assert_int_equal(endpoint_get_usage(rig.endpoint).healthy, 2);
    int before = atomic_load(&replicas.servers[1].requests);
    fault_server_start(&replicas.servers[1]); /* and is back */
    for (int i = 0; i < 200 && endpoint_get_usage(rig.endpoint).healthy < 3; i++) {
        release_many(run_some(&rig, i % GROUPS * 4, 4), 4); /* some groups are its own, and one of them looks */
        usleep(10 * 1000);
    }
    assert_int_equal(endpoint_get_usage(rig.endpoint).healthy, 3);
    release_many(run_many(&rig, 4 * GROUPS), 4 * GROUPS);
    assert_true(atomic_load(&replicas.servers[1].requests) > before + GROUPS / 2);
    rig_close(&rig);
    for (int i = 0; i < REPLICAS; i++) fault_server_stop(&replicas.servers[i]);
}

static void *start_later(void *arg) {
    usleep(300 * 1000);
    fault_server_start(arg);
    return NULL;
}

/* All are down: what waits is sent once one is back, and nothing was sent meanwhile. */
static void test_outlasts_an_outage(void **state) {
    (void)state;
    struct fault_server server = {0};
    fault_server_start(&server);
    fault_server_stop(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.tries = 8}, fault_server_url(&server));
    pthread_t starter;
    assert_int_equal(pthread_create(&starter, NULL, start_later, &server), 0);
    struct http_call *calls = run_many(&rig, 200);
    pthread_join(starter, NULL);
    for (int i = 0; i < 200; i++) {
        if (calls[i].error.code != CORD_OK) fail_msg("%s", calls[i].error.message);
        assert_int_equal(calls[i].tries, 1);
    }
    release_many(calls, 200);
    fault_server_stop(&server); /* and for good: all are told, each in time */
    int64_t start = clock_us();
    calls = run_many(&rig, 200);
    assert_true(clock_us() - start < 20 * 1000 * 1000);
    assert_int_equal(count_code(calls, 200, CORD_IO_ERROR), 200);
    assert_holds(calls[199].error.message, "Failed to connect");
    release_many(calls, 200);
    rig_close(&rig);
}

/* ---- stopping ------------------------------------------------------------------------------------------------------ */

static bool answer_never(struct exchange *x) { return hang(x->fd); }

struct stopper {
    struct rig *rig;
    struct fault_server *server;
    int64_t at;
};

static void *set_stop(void *arg) {
    struct stopper *stopper = arg;
    while (atomic_load(&stopper->server->requests) < 16) usleep(1000);
    usleep(100 * 1000);
    stopper->at = clock_us();
    atomic_store(&stopper->rig->stop, true);
    return NULL;
}

static void test_stops(void **state) {
    (void)state;
    struct fault_server server = {.answer = answer_never};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, fault_server_url(&server));
    struct stopper stopper = {.rig = &rig, .server = &server};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, set_stop, &stopper), 0);
    struct http_call *calls = run_many(&rig, 100);
    int64_t now = clock_us();
    pthread_join(thread, NULL);
    assert_true(now - stopper.at < 1000 * 1000);
    assert_int_equal(count_code(calls, 100, CORD_CANCELLED), 100);
    int lost = 0;
    for (int i = 0; i < 100; i++) lost += calls[i].lost;
    assert_int_equal(lost, 16); /* those that were on their way */
    assert_int_equal(endpoint_get_usage(rig.endpoint).lost, 16);
    assert_int_equal(endpoint_get_usage(rig.endpoint).in_flight, 0);
    release_many(calls, 100);
    calls = run_many(&rig, 3); /* nothing is asked any more */
    assert_int_equal(count_code(calls, 3, CORD_CANCELLED), 3);
    release_many(calls, 3);
    rig_close(&rig);
    fault_server_stop(&server);
}

/* ---- TLS and proxies ----------------------------------------------------------------------------------------------- */

/* openssl's own little server: answers each GET with a page about the connection. */
struct tls_server {
    pid_t pid;
    FILE *out;
    int port;
    char folder[32], certificate[64];
};

static void run_openssl(const char *command) {
    char line[600];
    snprintf(line, sizeof line, "%s 2>/dev/null", command);
    if (system(line) != 0) fail_msg("failed: %s", command); // NOLINT(cert-env33-c)
}

static void tls_start(struct tls_server *tls, const char *name) {
    char command[500], key[64];
    strcpy(tls->folder, "/tmp/cord-tls-XXXXXX");
    assert_non_null(mkdtemp(tls->folder));
    snprintf(tls->certificate, sizeof tls->certificate, "%s/cert.pem", tls->folder);
    snprintf(key, sizeof key, "%s/key.pem", tls->folder);
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=cord-test "
             "-addext subjectAltName=%s -keyout %s -out %s",
             name, key, tls->certificate);
    run_openssl(command);
    int out[2];
    assert_int_equal(pipe(out), 0);
    tls->pid = fork();
    if (tls->pid == 0) {
        dup2(out[1], 1);
        close(out[0]);
        execlp("openssl", "openssl", "s_server", "-accept", "0", "-www", "-naccept", "100", "-msg", "-trace", "-alpn",
               "http/1.1", "-key", key, "-cert", tls->certificate, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    tls->out = fdopen(out[0], "r");
    char line[500];
    tls->port = 0;
    while (tls->port == 0 && fgets(line, sizeof line, tls->out)) {
        const char *colon = strrchr(line, ':');
        if (strstr(line, "ACCEPT") && colon) tls->port = atoi(colon + 1);
    }
    assert_true(tls->port > 0);
}

/* Whether the server's trace holds a word. */
static bool tls_stop(struct tls_server *tls, const char *word) {
    char line[500], command[100];
    bool found = false;
    kill(tls->pid, SIGTERM);
    while (fgets(line, sizeof line, tls->out)) found |= strstr(line, word) != NULL;
    fclose(tls->out);
    waitpid(tls->pid, NULL, 0);
    snprintf(command, sizeof command, "rm -r %s", tls->folder);
    run_openssl(command);
    return found;
}

static struct told ask_tls(const struct tls_server *tls, const char *authorities) {
    struct rig rig;
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d", tls->port);
    rig_open(&rig, (struct transport_limits){.authorities = authorities}, url);
    struct told told = ask(&rig, "", (struct told){.call.path = "/"});
    rig_close(&rig);
    return told;
}

static void test_verifies_certificates(void **state) {
    (void)state;
    if (system("openssl version >/dev/null 2>&1") != 0) skip(); // NOLINT(cert-env33-c)
    struct tls_server tls;
    tls_start(&tls, "IP:127.0.0.1");
    struct told told = ask_tls(&tls, tls.certificate); /* trusted */
    if (told.call.error.code != CORD_OK) fail_msg("%s", told.call.error.message);
    assert_int_equal(told.call.status, 200);
    http_call_release(&told.call);
    told = ask_tls(&tls, NULL); /* nobody knows who signed it */
    assert_int_equal(told.call.error.code, CORD_BAD_MODEL);
    assert_int_equal(told.call.tries, 0);
    assert_holds(told.call.error.message, "certificate is not trusted");
    assert_lacks(told.call.error.message, "tried");
    http_call_release(&told.call);
    assert_true(tls_stop(&tls, "h2")); /* HTTP/2 was offered to it */

    tls_start(&tls, "DNS:somebody.else");
    told = ask_tls(&tls, tls.certificate);
    assert_int_equal(told.call.error.code, CORD_BAD_MODEL);
    assert_int_equal(told.call.tries, 0);
    assert_holds(told.call.error.message, "certificate is not trusted");
    http_call_release(&told.call);
    tls_stop(&tls, "");
}

static void test_respects_proxies(void **state) {
    (void)state;
    struct fault_server proxy = {.answer = answer_echo};
    fault_server_start(&proxy);
    setenv("http_proxy", fault_server_url(&proxy), 1);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, "http://model.invalid:8000");
    struct told told = ask(&rig, "{}", (struct told){0});
    assert_text(buf_text(&told.call.reply), "POST http://model.invalid:8000/v1/completions HTTP/1.1|Bearer "
                                            "sk-secret-0123456789|defl|{}");
    http_call_release(&told.call);
    rig_close(&rig);
    unsetenv("http_proxy");
    fault_server_stop(&proxy);
}

int main(void) {
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++) unsetenv(proxies[i]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asks_and_keeps_the_connection),
        cmocka_unit_test(test_sends_large_bodies),
        cmocka_unit_test(test_refuses_bad_urls),
        cmocka_unit_test(test_tries_again_what_may_pass),
        cmocka_unit_test(test_takes_odd_but_right_replies),
        cmocka_unit_test(test_closed_port),
        cmocka_unit_test(test_tells_at_once_what_cannot_pass),
        cmocka_unit_test(test_does_not_follow_redirects),
        cmocka_unit_test(test_hears_what_the_reader_says),
        cmocka_unit_test(test_caps_replies),
        cmocka_unit_test(test_waits_as_the_server_asks),
        cmocka_unit_test(test_all_wait_as_the_server_asks),
        cmocka_unit_test(test_reads_streams_cut_anywhere),
        cmocka_unit_test(test_stops_streams_early),
        cmocka_unit_test(test_takes_other_content_as_it_is),
        cmocka_unit_test(test_finds_how_much_a_server_takes),
        cmocka_unit_test(test_a_thousand_at_once),
        cmocka_unit_test(test_many_callers),
        cmocka_unit_test(test_groups_stay_with_a_replica),
        cmocka_unit_test(test_does_without_a_dead_replica),
        cmocka_unit_test(test_outlasts_an_outage),
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_verifies_certificates),
        cmocka_unit_test(test_respects_proxies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
