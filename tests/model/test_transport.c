/* test_transport.c - single requests over the engine's HTTP, against a server on loopback that misbehaves as it is told (fault_server.h).
 * Pauses are short here; bounds on times are generous, since the machine may be busy. */
#include "tls_server.h"
#include "told.h"

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
        assert_text(buf_text(&told.call.reply),
                    "POST /v1/completions HTTP/1.1|Bearer sk-secret-0123456789|defl|{\"a\": 1}");
        http_call_release(&told.call);
    }
    struct told told = ask(&rig, "", (struct told){.call.path = "/v1/models"});
    assert_text(buf_text(&told.call.reply), "GET /v1/models HTTP/1.1|Bearer sk-secret-0123456789|defl|");
    http_call_release(&told.call);
    http_call_release(&told.call); /* twice does nothing */
    assert_int_equal(atomic_load(&server.connections), 1);
    assert_int_equal(atomic_load(&server.requests), 6);
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
    assert_true(told.us < 900 * 1000);
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
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct endpoint *endpoint;
        cord_error err = {0};
        assert_int_equal(endpoint_open(rig.transport, cases[i].urls, cases[i].key, 0, &endpoint, &err), CORD_BAD_INPUT);
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
    {FAULT_STATUS + 409, 409, 0, "words 409"},
    {FAULT_STATUS + 524, 524, 0, "words 524"},
};

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
    http_call_release(&told.call);
    rig_close(&rig);
}

/* What can not pass is told at once, in the server's own words, made fit for a message; the key is not in it. */
static bool answer_refusal(struct exchange *x) {
    int status = atoi(x->server->reply);
    char words[2000];
    int n = snprintf(words, sizeof words, "context of 4096 is\r\n\x1b[31m exceeded \xff by key %s ", RIG_KEY);
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
        bool this_alone = strstr("400 413 422", statuses[i]) != NULL, key = strstr("401 403", statuses[i]) != NULL;
        assert_int_equal(told.call.error.code, this_alone ? CORD_BAD_INPUT : key ? CORD_REFUSED : CORD_BAD_MODEL);
        assert_int_equal(told.call.status, atoi(statuses[i]));
        assert_int_equal(told.call.tries, 1);
        assert_int_equal(told.call.lost, 0);
        assert_int_equal(told.arrivals, 0);
        assert_holds(told.call.error.message, "context of 4096 is [31m exceeded by key ********");
        assert_holds(told.call.error.message, "yyy…");
        assert_lacks(told.call.error.message, RIG_KEY);
        assert_lacks(told.call.reply.data, RIG_KEY);
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
    assert_int_equal(told.call.lost, 1); /* it was written, and may have to be paid for */
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
    assert_int_equal(told.call.error.code, CORD_BAD_INPUT);
    assert_int_equal(told.call.tries, 1);
    assert_int_equal(told.call.lost, 1);
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
    double seconds = (double)told.us / 1e6;
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

/* Who wants to know soon does not wait for long, and is told what was asked for. */
static void test_who_wants_to_know_soon_waits_a_second(void **state) {
    (void)state;
    const enum fault script[] = {(enum fault)(FAULT_STATUS + 429)};
    struct fault_server server = {.script = script, .n_script = 1, .extra_headers = "Retry-After: 100000\r\n"};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.longest = 8}, fault_server_url(&server));
    struct http_call call = {.endpoint = rig.endpoint, .path = "/x", .most_tries = 3};
    int64_t began = clock_us();
    assert_ok(transport_run(rig.transport, &call, 1, err));
    int64_t us = clock_us() - began;
    assert_int_equal(call.error.code, CORD_IO_ERROR);
    assert_int_equal(call.tries, 3);
    assert_holds(call.error.message, "it answers 429 and asks to wait 100000 s (too many requests: try later");
    if (us < 1900000 || us > 6000000) fail_msg("waited for %g s", (double)us / 1e6);
    http_call_release(&call);
    rig_close(&rig);
    fault_server_stop(&server);

    /* who may try once is not tried more often for that */
    server = (struct fault_server){.script = script, .n_script = 1};
    fault_server_start(&server);
    rig_open(&rig, (struct transport_limits){.tries = 1}, fault_server_url(&server));
    call = (struct http_call){.endpoint = rig.endpoint, .path = "/x", .most_tries = 3};
    assert_ok(transport_run(rig.transport, &call, 1, err));
    assert_int_equal(call.tries, 1);
    http_call_release(&call);
    rig_close(&rig);
    fault_server_stop(&server);
}

static atomic_llong second_came;

static bool answer_and_note(struct exchange *x) {
    if (x->number == 1) atomic_store(&second_came, clock_us());
    return answer_script(x);
}

/* While one waits, those that come later do not rush at the server either. */
static void test_all_wait_as_the_server_asks(void **state) {
    (void)state;
    const enum fault script[] = {(enum fault)(FAULT_STATUS + 429), FAULT_NONE};
    struct fault_server server = {
        .answer = answer_and_note, .script = script, .n_script = 2, .extra_headers = "Retry-After: 1\r\n"};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.in_flight = 1}, fault_server_url(&server));
    struct http_call calls[4];
    for (int i = 0; i < 4; i++) calls[i] = (struct http_call){.endpoint = rig.endpoint, .path = "/x"};
    int64_t began = clock_us();
    assert_ok(transport_run(rig.transport, calls, 4, err));
    assert_true(atomic_load(&second_came) - began >= 1000 * 1000);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(calls[i].error.code, CORD_OK);
        assert_int_equal(calls[i].tries, i == 0 ? 2 : 1);
        http_call_release(&calls[i]);
    }
    rig_close(&rig);
    fault_server_stop(&server);
}

/* ---- TLS and proxies ----------------------------------------------------------------------------------------------- */

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
    assert_int_equal(tls_stop(&tls, "h2"), transport_offers_http2());

    tls_start(&tls, "DNS:somebody.else");
    told = ask_tls(&tls, tls.certificate);
    assert_int_equal(told.call.error.code, CORD_BAD_MODEL);
    assert_int_equal(told.call.tries, 0);
    assert_holds(told.call.error.message, "certificate is not trusted");
    http_call_release(&told.call);
    tls_stop(&tls, "");
}

/* A proxy would be sent the key. */
static void test_uses_no_proxy_of_the_environment(void **state) {
    (void)state;
    struct fault_server server = {.answer = answer_echo}, proxy = {.answer = answer_echo};
    fault_server_start(&server);
    fault_server_start(&proxy);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    setenv("http_proxy", fault_server_url(&proxy), 1);
    setenv("all_proxy", fault_server_url(&proxy), 1);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, fault_server_url(&server));
    struct told told = ask(&rig, "{}", (struct told){0});
    assert_text(buf_text(&told.call.reply), "POST /v1/completions HTTP/1.1|Bearer sk-secret-0123456789|defl|{}");
    assert_int_equal(atomic_load(&proxy.connections), 0);
    http_call_release(&told.call);
    rig_close(&rig);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    fault_server_stop(&proxy);
    fault_server_stop(&server);
}

int main(void) {
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
        cmocka_unit_test(test_who_wants_to_know_soon_waits_a_second),
        cmocka_unit_test(test_all_wait_as_the_server_asks),
        cmocka_unit_test(test_verifies_certificates),
        cmocka_unit_test(test_uses_no_proxy_of_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
