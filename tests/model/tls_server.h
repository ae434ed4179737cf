/* tls_server.h - a server on loopback that speaks TLS, with a certificate that nobody has signed. */
#ifndef CORD_TEST_TLS_SERVER_H
#define CORD_TEST_TLS_SERVER_H

#include "rig.h"

#include <signal.h>
#include <sys/wait.h>

/* openssl's own little server: answers each GET with a page about the connection. */
struct tls_server {
    pid_t pid;
    FILE *out;
    int port;
    char folder[32], certificate[64];
};

static inline void tls_start(struct tls_server *tls, const char *name) {
    char key[64];
    rig_certificate(tls->folder, name);
    snprintf(tls->certificate, sizeof tls->certificate, "%s/cert.pem", tls->folder);
    snprintf(key, sizeof key, "%s/key.pem", tls->folder);
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

/* Whether a client offered the protocol by ALPN: the trace has a line for each, with nothing but its name. (Elsewhere "h2"
 * may stand by chance: the trace holds the certificate in Base64.) */
static inline bool tls_stop(struct tls_server *tls, const char *protocol) {
    char line[500], word[500], more;
    bool offered = false;
    kill(tls->pid, SIGTERM);
    while (fgets(line, sizeof line, tls->out))
        offered |= sscanf(line, "%499s %c", word, &more) == 1 && strcmp(word, protocol) == 0;
    fclose(tls->out);
    waitpid(tls->pid, NULL, 0);
    rig_run("rm -r %s", tls->folder);
    return offered;
}

#endif
