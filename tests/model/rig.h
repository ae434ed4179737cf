/* rig.h - what the transport's tests run on: a transport with one endpoint, short pauses and few tries. */
#ifndef CORD_TEST_RIG_H
#define CORD_TEST_RIG_H

#include "fault_server.h"
#include "scratch.h"

#include "model/http/transport.h"

static const char RIG_KEY[] = "sk-secret-0123456789";

/* A transport with one endpoint. */
struct rig {
    atomic_bool stop;
    struct transport *transport;
    struct endpoint *endpoint;
};

static inline void rig_open(struct rig *rig, struct transport_limits limits, const char *urls) {
    if (limits.backoff == 0) limits.backoff = 0.02;
    if (limits.tries == 0) limits.tries = 3;
    atomic_init(&rig->stop, false);
    assert_ok(transport_open(&limits, &rig->stop, &rig->transport, err));
    assert_ok(endpoint_open(rig->transport, urls, RIG_KEY, 0, &rig->endpoint, err));
}

static inline void rig_close(struct rig *rig) { transport_close(rig->transport); }

static inline void assert_holds(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static inline void assert_lacks(const char *text, const char *part) {
    if (strstr(text, part)) fail_msg("\"%s\" is in \"%s\"", part, text);
}

/* Runs a command of the shell's, which must succeed. */
__attribute__((format(printf, 1, 2))) static inline void rig_run(const char *format, ...) {
    char command[600];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    if (system(command) != 0) fail_msg("failed: %s", command); // NOLINT(cert-env33-c)
}

/* Makes a folder with key.pem, and cert.pem for `name` ("IP:127.0.0.1"), which nobody has signed but itself. */
static inline void rig_certificate(char folder[32], const char *name) {
    scratch_folder(folder);
    rig_run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=cord-test "
            "-addext subjectAltName=%s -keyout %s/key.pem -out %s/cert.pem 2>/dev/null",
            name, folder, folder);
}

#endif
