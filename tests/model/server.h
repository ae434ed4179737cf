/* server.h - a real llama-server on loopback, for the tests of the servers' back end. Where it is not built, a test says so
 * and is counted as skipped. */
#ifndef CORD_TEST_SERVER_H
#define CORD_TEST_SERVER_H

#include "weights.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct server {
    pid_t pid;
    int port;
    char url[64];
};

/* The path of llama-server in cord's cache; false where it is not built. */
static inline bool server_program(char *path, size_t size) {
    FILE *script = popen(TEST_DATA_DIR "../scripts/llama.sh --tools --where", "r");
    if (!script) return false;
    char folder[900] = "";
    bool told = fgets(folder, sizeof folder, script) != NULL;
    pclose(script);
    folder[strcspn(folder, "\n")] = '\0';
    snprintf(path, size, "%s/bin/llama-server", folder);
    return told && access(path, X_OK) == 0;
}

/* A port that nobody listens at. */
static inline int free_port(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static inline bool server_answers(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *ask = "GET /health HTTP/1.0\r\n\r\n";
    char reply[64] = "";
    bool well = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && write(fd, ask, strlen(ask)) > 0 &&
                read(fd, reply, sizeof reply - 1) > 0 && strstr(reply, " 200 ");
    close(fd);
    return well;
}

/* Starts a server of `name` at a port, with `slots` slots, and waits until it is well. One thread: two that share busy cores
 * wait for each other by spinning, and take ten times as long. */
static inline struct server server_start_at(int at, const char *name, int slots) {
    char program[1024], weights[4096], port[16], parallel[16], context[16];
    if (!server_program(program, sizeof program)) {
        printf("SKIP: llama-server is not built; `scripts/llama.sh --tools` builds it\n");
        exit(SKIPPED);
    }
    weights_path(name, weights, sizeof weights);
    struct server server = {.port = at};
    snprintf(port, sizeof port, "%d", server.port);
    snprintf(parallel, sizeof parallel, "%d", slots);
    snprintf(context, sizeof context, "%d", slots * 1024);
    snprintf(server.url, sizeof server.url, "http://127.0.0.1:%d", server.port);
    server.pid = fork();
    if (server.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that is killed leaves nothing behind */
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, 1);
        dup2(null, 2);
        execl(program, program, "-m", weights, "--host", "127.0.0.1", "--port", port, "-np", parallel, "-c", context,
              "-fa", "off", "-cram", "0", "-t", "1", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 600 && !server_answers(server.port); i++) {
        if (waitpid(server.pid, NULL, WNOHANG) == server.pid) fail_msg("llama-server ended at once");
        usleep(100000);
    }
    return server;
}

static inline struct server server_start(const char *name, int slots) {
    return server_start_at(free_port(), name, slots);
}

static inline void server_stop(struct server *server) {
    if (server->pid <= 0) return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

#endif
