/* test_transport_streams.c - replies that come as events, over the engine's HTTP, cut and delayed anywhere. */
#include "told.h"

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

/* As many events as it is told, a little apart, between comments that keep the connection alive; then comments alone. */
static bool answer_alive(struct exchange *x) {
    const atomic_int *events = x->server->ctx;
    bool there = send_text(x->fd, STREAM_HEAD);
    for (int i = 0; there && i < 100; i++) {
        there = send_text(x->fd, i < atomic_load(events) ? "data: 1\n\n" : ": PROCESSING\n\n\n");
        usleep(20 * 1000);
    }
    return false;
}

static void test_comments_are_no_events(void **state) {
    (void)state;
    atomic_int events = 0;
    struct fault_server server = {.answer = answer_alive, .ctx = &events};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, hasty, fault_server_url(&server));
    struct told told = ask(&rig, "{}", (struct told){.call.stream = true});
    assert_int_equal(told.call.error.code, CORD_IO_ERROR);
    assert_holds(told.call.error.message, "no reply within 0.3 s");
    http_call_release(&told.call);
    events = 2;
    told = ask(&rig, "{}", (struct told){.call.stream = true});
    assert_int_equal(told.call.error.code, CORD_IO_ERROR);
    assert_holds(told.call.error.message, "stood still for 0.3 s");
    http_call_release(&told.call);
    events = 100; /* two seconds of them */
    told = ask(&rig, "{}", (struct told){.call.stream = true});
    assert_int_equal(told.call.error.code, CORD_OK);
    assert_int_equal(told.events, 100);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_streams_cut_anywhere),
        cmocka_unit_test(test_stops_streams_early),
        cmocka_unit_test(test_comments_are_no_events),
        cmocka_unit_test(test_takes_other_content_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
