/* test_http_parts.c - what the transport stands on and needs no server: event streams, pauses, a server's words. */
#include "support.h"

#include "model/http/retry.h"
#include "model/http/sse.h"

#include <stdlib.h>

/* ---- event streams ------------------------------------------------------------------------------------------------- */

struct events {
    struct buf told;
    int n, enough;
};

static bool on_event(void *ctx, cord_text data) {
    struct events *events = ctx;
    buf_addf(&events->told, "[%.*s]", (int)data.len, data.data);
    return ++events->n != events->enough;
}

/* Reads the stream in pieces, cut at two places. */
static void read_cut(const char *stream, size_t a, size_t b, const char *expected) {
    cord_text whole = text_of(stream);
    struct events events = {0};
    struct sse sse;
    sse_init(&sse, 1000);
    buf_init(&events.told, "events", 10000);
    assert_true(sse_feed(&sse, text_slice(whole, 0, a), on_event, &events));
    assert_true(sse_feed(&sse, text_slice(whole, a, b), on_event, &events));
    assert_true(sse_feed(&sse, text_slice(whole, b, whole.len), on_event, &events));
    assert_true(sse_end(&sse, on_event, &events));
    assert_text(buf_text(&events.told), expected);
    buf_release(&events.told);
    sse_release(&sse);
}

static void test_streams(void **state) {
    (void)state;
    static const struct {
        const char *stream, *expected;
    } cases[] = {
        {"", ""},
        {"\n\r\n\r", ""},
        {"data: a\n\ndata: b\n\n", "[a][b]"},
        {"data: a\r\n\r\ndata: b\r\n\r\n", "[a][b]"},
        {"data: a\r\rdata: b\r\r", "[a][b]"},
        {"data: a\r\ndata: b\r\n\r\n", "[a b]"},
        {"data: a\r\n\ndata: b\n\r\n", "[a][b]"},
        {"\xEF\xBB\xBF"
         "data:a\n\n",
         "[a]"},
        {"data:  a \n\n", "[ a ]"},                                /* one blank belongs to the format */
        {"data: {\ndata: \"x\": 1\ndata:}\n\n", "[{ \"x\": 1 }]"}, /* several lines */
        {"data\n\ndata:\n\n", "[][]"},
        {": comment\n\n:\n\ndata: a\n: in it\n\n", "[a]"},
        {"event: x\nid: 1\nretry: 5\n\n", ""},
        {"event: error\ndata: a\nid: 7\n\n", "[a]"},
        {"database: a\n data: b\nDATA: c\n\n", ""},
        {"data: a", "[a]"}, /* the last one is not ended */
        {"data: a\n", "[a]"},
        {"data: \xEF\xBB\xBF\xC3\xA4\n\n", "[\xEF\xBB\xBF\xC3\xA4]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].stream);
        for (size_t a = 0; a <= n; a++)
            for (size_t b = a; b <= n; b++) read_cut(cases[i].stream, a, b, cases[i].expected);
    }
}

static void test_streams_end(void **state) {
    (void)state;
    struct sse sse;
    struct events events = {.enough = 2};
    sse_init(&sse, 10);
    buf_init(&events.told, "events", 100);
    assert_false(sse_feed(&sse, TEXT("data: a\n\ndata: b\n\ndata: c\n\n"), on_event, &events));
    assert_text(buf_text(&events.told), "[a][b]"); /* two were enough */
    assert_int_equal(sse.line.status, CORD_OK);
    sse_release(&sse);
    sse_init(&sse, 10);
    assert_false(sse_feed(&sse, TEXT("data: 45678901"), on_event, &events)); /* a long line */
    assert_int_equal(sse.line.status, CORD_TOO_LONG);
    sse_release(&sse);
    sse_init(&sse, 10);
    assert_true(sse_feed(&sse, TEXT("data: 4567\n"), on_event, &events));
    assert_true(sse_feed(&sse, TEXT("data: 4567\n"), on_event, &events));
    assert_false(sse_feed(&sse, TEXT("data: 4567\n"), on_event, &events)); /* a long event */
    assert_int_equal(sse.data.status, CORD_TOO_LONG);
    sse_release(&sse);
    buf_release(&events.told);
}

/* ---- pauses -------------------------------------------------------------------------------------------------------- */

static void test_pauses(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        for (int n = 1; n <= 40; n++) {
            double full = n <= 8 ? 0.5 * (1 << (n - 1)) : 60;
            double s = (double)retry_pause(0.5, 60, n, -1, seed) / 1e6;
            if (full > 60) full = 60;
            assert_true(s >= full / 2 - 1e-5 && s <= full);
        }
        double s = (double)retry_pause(0.5, 60, 1, 10, seed) / 1e6;
        assert_true(s >= 10 && s <= 11);
        assert_int_equal(retry_pause(0.5, 60, 1, 1000, seed), 60 * 1000 * 1000);
        assert_true(retry_pause(0.5, 60, 8, 0, seed) >= 30 * 1000 * 1000); /* 0 is no leave to rush */
    }
    assert_int_equal(retry_pause(0.5, 60, 3, -1, 7), retry_pause(0.5, 60, 3, -1, 7));
    assert_int_not_equal(retry_pause(0.5, 60, 3, -1, 7), retry_pause(0.5, 60, 3, -1, 8));
}

static void test_retry_after(void **state) {
    (void)state;
    const int64_t now = 1445412480; /* Wed, 21 Oct 2015 07:28:00 GMT */
    assert_true(retry_after("7", NULL, now) == 7);
    assert_true(retry_after(" 0", "", now) == 0);
    assert_float_equal(retry_after("1.25", NULL, now), 1.25, 1e-12);
    assert_true(retry_after("1.", NULL, now) == 1);
    assert_true(retry_after("99999999999999999999", NULL, now) > 1e18);
    assert_true(retry_after("Wed, 21 Oct 2015 07:28:30 GMT", NULL, now) == 30);
    assert_true(retry_after("Wednesday, 21-Oct-15 07:28:30 GMT", NULL, now) == 30);
    assert_true(retry_after("Wed Oct 21 07:28:30 2015", NULL, now) == 30);
    assert_true(retry_after("Wed, 21 Oct 2015 07:27:00 GMT", NULL, now) == 0); /* it is over */
    assert_true(retry_after("Wed, 21 Oct 2015 07:28:30 GMT", "Wed, 21 Oct 2015 07:28:20 GMT", 5) == 10);
    assert_true(retry_after("Wed, 21 Oct 2015 07:28:30 GMT", "no date", now) == 30);
    assert_true(retry_after("", NULL, now) == -1);
    assert_true(retry_after("soon", NULL, now) == -1);
    assert_true(retry_after("-5", NULL, now) == -1);
    assert_true(retry_after("5 apples", NULL, now) == 5);
    assert_true(retry_after("5;apples", NULL, now) == -1);
}

static void test_statuses(void **state) {
    (void)state;
    int passing = 0;
    for (int status = 100; status < 600; status++) passing += status_may_pass(status);
    assert_int_equal(passing, 4 + 100 - 2);
    assert_true(status_may_pass(409) && status_may_pass(500) && status_may_pass(520) && status_may_pass(524));
    assert_false(status_may_pass(505));
    assert_true(status_may_pass(429) && status_may_pass(503) && status_may_pass(529) && status_may_pass(408));
    assert_true(status_is_about_key(401) && status_is_about_key(403));
    assert_false(status_is_about_key(400) || status_is_about_key(404) || status_is_about_key(429));
    assert_false(status_may_pass(400) || status_may_pass(401) || status_may_pass(404) || status_may_pass(501));
    assert_true(status_is_refusal(429) && status_is_refusal(503) && !status_is_refusal(500));
}

/* ---- words --------------------------------------------------------------------------------------------------------- */

static void assert_words(const char *said, size_t most, const char *key, const char *expected) {
    char out[64] = "> ";
    words_append(out, sizeof out, text_of(said), most, key);
    assert_string_equal(out, expected);
}

static void test_words(void **state) {
    (void)state;
    assert_words("", 10, NULL, "> ");
    assert_words(" \n", 10, NULL, "> ");
    assert_words("plain", 10, NULL, "> plain");
    assert_words("  a\r\n\tb  \x1b[0m\x7f ", 20, NULL, "> a b [0m");
    assert_words("a\xff\xfe"
                 "b\xc2\x85"
                 "c\xe2\x80\xa8"
                 "d",
                 20, NULL, "> a b c d");
    assert_words("grün", 20, NULL, "> grün");
    assert_words("0123456789x", 10, NULL, "> 0123456789…");
    assert_words("012345678ü", 10, NULL, "> 012345678…"); /* no half characters */
    assert_words("0123456789", 10, NULL, "> 0123456789");
    assert_words("the key is 'secret' and secret", 40, "secret", "> the key is '******' and ******");
    assert_words("0123secret", 6, "secret", "> 0123**…"); /* not half a key either */
    assert_words("aaa", 40, "", "> aaa");
    char long_text[200];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    char out[16] = "";
    words_append(out, sizeof out, text_of(long_text), 100, NULL); /* the string's own size counts too */
    assert_string_equal(out, "xxxxxxxxxxxx…");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),     cmocka_unit_test(test_streams_end), cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_retry_after), cmocka_unit_test(test_statuses),    cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
