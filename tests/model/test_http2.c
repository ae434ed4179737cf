/* test_http2.c - HTTP/2 where it is offered: many requests at once to a real server of that protocol (nghttpd), which sends
 * back what it got. Where that is not installed the test says so and is counted as skipped. */
#include "rig.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { CALLS = 300, BODY = 40000 };

struct nghttpd {
    char folder[32], certificate[64], url[64];
    pid_t pid;
    FILE *out; /* what it logs */
};

static bool listens(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool yes = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
    close(fd);
    return yes;
}

/* A port that was free a moment ago. */
static int free_port(void) {
    struct fault_server probe = {0};
    fault_server_start(&probe);
    fault_server_stop(&probe);
    return probe.port;
}

static void start(struct nghttpd *server) {
    char port[16], key[64], log[64];
    int number = free_port();
    rig_certificate(server->folder, "IP:127.0.0.1");
    snprintf(server->certificate, sizeof server->certificate, "%s/cert.pem", server->folder);
    snprintf(key, sizeof key, "%s/key.pem", server->folder);
    snprintf(log, sizeof log, "%s/log", server->folder);
    snprintf(port, sizeof port, "%d", number);
    snprintf(server->url, sizeof server->url, "https://127.0.0.1:%d", number);
    server->pid = fork();
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it shall not outlive a test that fails */
        if (!freopen(log, "w", stdout) || !freopen("/dev/null", "w", stderr)) _exit(126);
        execlp("nghttpd", "nghttpd", "-v", "--echo-upload", "--address=127.0.0.1", port, key, server->certificate,
               (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 200 && !listens(number); i++) usleep(50000);
    server->out = fopen(log, "r");
    assert_non_null(server->out);
}

/* Counts what it logged of a kind. */
static int stop(struct nghttpd *server, const char *word) {
    char line[4000];
    int found = 0;
    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
    while (fgets(line, sizeof line, server->out)) found += strstr(line, word) != NULL;
    fclose(server->out);
    rig_run("rm -r %s", server->folder);
    return found;
}

static void test_many_requests_over_http2(void **state) {
    (void)state;
    struct nghttpd server;
    struct rig rig;
    start(&server);
    rig_open(&rig, (struct transport_limits){.authorities = server.certificate, .in_flight = 100}, server.url);
    struct http_call *calls = calloc(CALLS, sizeof *calls);
    char *bodies = malloc((size_t)CALLS * BODY);
    for (int i = 0; i < CALLS; i++) { /* of 10 bytes up to 40,000: more than a frame */
        int len = 10 + i * (BODY - 10) / CALLS;
        memset(bodies + (size_t)i * BODY, 'a' + i % 26, (size_t)len);
        calls[i] = (struct http_call){.endpoint = rig.endpoint,
                                      .path = "/v1/completions",
                                      .body = {bodies + (size_t)i * BODY, (size_t)len},
                                      .group = (uint64_t)i};
    }
    assert_ok(transport_run(rig.transport, calls, CALLS, err));
    for (int i = 0; i < CALLS; i++) {
        if (calls[i].error.code != CORD_OK) fail_msg("call %d: %s", i, calls[i].error.message);
        assert_int_equal(calls[i].status, 200);
        assert_int_equal(calls[i].tries, 1);
        assert_true(text_equal(buf_text(&calls[i].reply), calls[i].body));
        http_call_release(&calls[i]);
    }
    rig_close(&rig);
    free(calls);
    free(bodies);
    /* It speaks nothing else, so all that came, came over HTTP/2. */
    assert_int_equal(stop(&server, ":method: POST"), CALLS);
}

int main(void) {
    if (!transport_offers_http2()) {
        printf("SKIP: this libcurl is too old for HTTP/2; 8.10 is not\n");
        return SKIPPED;
    }
    if (system("nghttpd --version >/dev/null 2>&1 && openssl version >/dev/null 2>&1") != 0) { // NOLINT(cert-env33-c)
        printf("SKIP: nghttpd is not installed; `scripts/packages.sh check` brings it (nghttp2-server)\n");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many_requests_over_http2)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
