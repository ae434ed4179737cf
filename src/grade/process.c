/* process.c - a program that is kept running and asked a line at a time (process.h). It must not know what the lines
 * say.
 *
 * Everything is watched with poll() against a monotonic clock, in slices: a program may end while a child of its own
 * keeps its output open, which no descriptor would tell, and an interruption may reach another thread than the one that
 * waits. */
#include "grade/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SLICE_MS = 50,      /* between two looks at what poll() does not see */
    LAST_WORDS_MS = 500 /* from the end of a program's output to its own end, so that its status can be told */
};

extern char **environ;

/* ---- starting -------------------------------------------------------------------------------------------------- */

/* A pipe whose ends are neither 0, 1 nor 2 (which may be free, and would be taken for the terminal's), and are not left
 * to programs that are started elsewhere. False with errno. */
static bool open_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    for (int i = 0; i < 2; i++) {
        if (ends[i] > STDERR_FILENO) continue;
        int moved = fcntl(ends[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        close(ends[i]);
        ends[i] = moved;
    }
    if (ends[0] >= 0 && ends[1] >= 0) return true;
    int code = errno;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0) close(ends[i]);
    errno = code;
    return false;
}

static void close_pipe(int ends[2]) {
    close(ends[0]);
    close(ends[1]);
}

/* posix_spawn of a shell with descriptors for its input and output (-1: ours); its error code. */
static int spawn_shell(char *const *argv, int in, int out, pid_t *pid) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t set;
    int code = posix_spawnattr_init(&attributes);
    if (code != 0) return code;
    code = posix_spawn_file_actions_init(&actions);
    if (code == 0) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        posix_spawnattr_setpgroup(&attributes, 0);
        sigemptyset(&set);
        posix_spawnattr_setsigmask(&attributes, &set);
        sigaddset(&set, SIGPIPE); /* which we ignore, and which ends a filter whose reader has gone */
        posix_spawnattr_setsigdefault(&attributes, &set);
        if (in >= 0) code = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
        if (out >= 0 && code == 0) code = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        if (code == 0) code = posix_spawn(pid, "/bin/sh", &actions, &attributes, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return code;
}

static cord_status cannot_start(int code, cord_error *err) {
    if (code == ENOMEM) return error_memory(err);
    return error_set(err, CORD_BAD_RECIPE, "the grader's command cannot be started: %s", strerror(code));
}

cord_status process_start(struct process *process, const char *command, cord_error *err) {
    int in[2], out[2], code = 0;
    *process = (struct process){.in = -1, .out = -1};
    if (!open_pipe(in)) return cannot_start(errno, err);
    if (!open_pipe(out)) {
        code = errno;
        close_pipe(in);
        return cannot_start(code, err);
    }
    char shell[] = "sh", option[] = "-c", *line = strdup(command);
    char *argv[] = {shell, option, line, NULL};
    if (!line || fcntl(in[1], F_SETFL, O_NONBLOCK) != 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) != 0)
        code = line ? errno : ENOMEM;
    else
        code = spawn_shell(argv, in[0], out[1], &process->pid);
    free(line);
    close(in[0]);
    close(out[1]);
    process->in = in[1];
    process->out = out[0];
    if (code == 0) return CORD_OK;
    process->pid = 0;
    close(process->in);
    close(process->out);
    return cannot_start(code, err);
}

/* The program that a shell's command begins with, where that can be told: "python3" of "python3 check.py". */
static cord_text first_word(cord_text line) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-";
    size_t len = 0;
    line = text_trim(line);
    while (len < line.len && line.data[len] && strchr(plain, line.data[len])) len++;
    bool ends = len == line.len || strchr(" \t\n", line.data[len]);
    return text_slice(line, 0, ends ? len : 0);
}

static bool shell_knows(char *word) {
    char shell[] = "sh", option[] = "-c", script[] = "command -v \"$1\" >/dev/null 2>&1";
    char *argv[] = {shell, option, script, shell, word, NULL};
    pid_t pid;
    int status = 0;
    if (spawn_shell(argv, -1, -1, &pid) != 0) return true; /* process_start will say why */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return status == 0;
}

cord_status process_find(const char *command, cord_error *err) {
    cord_text first = first_word(text_of(command));
    char *word = strndup(first.data, first.len);
    cord_status status = word ? CORD_OK : error_memory(err);
    if (!word || !*word) {
        ; /* a shell's own grammar: let it see */
    } else if (strchr(word, '/') && access(word, X_OK) != 0) {
        status =
            error_set(err, CORD_BAD_RECIPE,
                      "the grader's command cannot be started: %s: %s; correct the path, make the file executable, "
                      "or name its interpreter before it, as in \"python3 check.py\"",
                      word, strerror(errno));
    } else if (!strchr(word, '/') && !shell_knows(word)) {
        status = error_set(err, CORD_BAD_RECIPE,
                           "the grader's command cannot be started: there is no program '%s' on this machine's PATH; "
                           "install it, or give its path",
                           word);
    }
    free(word);
    return status;
}

/* ---- one exchange ---------------------------------------------------------------------------------------------- */

/* Whether the program itself has ended. It is left unreaped, so that its group's number stays taken. */
static bool has_ended(const struct process *process) {
    siginfo_t info = {0};
    int failed;
    do failed = waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    while (failed && errno == EINTR);
    return failed || info.si_pid != 0;
}

static bool ends_within(const struct process *process, int64_t us) {
    int64_t deadline = clock_us() + us;
    while (!has_ended(process)) {
        if (clock_us() >= deadline) return false;
        poll(NULL, 0, 5);
    }
    return true;
}

/* Sends what it takes. False where it takes nothing any more. */
static bool send_some(const struct process *process, cord_text *rest) {
    ssize_t n = write(process->in, rest->data, rest->len);
    if (n > 0) *rest = text_slice(*rest, (size_t)n, rest->len);
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

enum reading { READ_SOME, READ_NOTHING, READ_END, READ_ERROR };

static enum reading read_some(const struct process *process, struct buf *line) {
    char bytes[16384];
    ssize_t n = read(process->out, bytes, sizeof bytes);
    if (n > 0) buf_add(line, (cord_text){bytes, (size_t)n});
    if (n > 0) return READ_SOME;
    if (n == 0) return READ_END;
    return errno == EAGAIN || errno == EINTR ? READ_NOTHING : READ_ERROR;
}

/* What has been read, when no more will come without waiting. */
static enum exchange settle(const struct process *process, cord_text rest, struct buf *line, bool at_end, bool has_left,
                            bool *settled) {
    ptrdiff_t newline = text_find(buf_text(line), TEXT("\n"));
    *settled = true;
    if (line->status != CORD_OK) return line->status == CORD_TOO_LONG ? EXCHANGE_LONG : EXCHANGE_FAILED;
    if (newline >= 0 || ((at_end || has_left) && line->len)) {
        if (rest.len) return EXCHANGE_EARLY;
        if (newline >= 0 && (size_t)newline + 1 < line->len) return EXCHANGE_MORE;
        if (newline >= 0) buf_truncate(line, (size_t)newline);
        return EXCHANGE_LINE;
    }
    if (has_left) return EXCHANGE_ENDED;
    if (at_end) return ends_within(process, LAST_WORDS_MS * INT64_C(1000)) ? EXCHANGE_ENDED : EXCHANGE_CLOSED;
    *settled = false;
    return EXCHANGE_LINE;
}

enum exchange process_exchange(struct process *process, cord_text request, int64_t deadline, bool (*stopped)(void),
                               struct buf *line) {
    bool takes = true, settled = false;
    buf_clear(line);
    while (!settled) {
        int64_t left = deadline - clock_us();
        if (stopped && stopped()) return EXCHANGE_STOPPED;
        if (left <= 0) return EXCHANGE_LATE;
        bool has_left = has_ended(process); /* asked first: what it wrote before is there by now */
        int wait = has_left ? 0 : left < SLICE_MS * 1000 ? (int)(left / 1000) + 1 : SLICE_MS;
        struct pollfd ends[2] = {{process->out, POLLIN, 0}, {request.len && takes ? process->in : -1, POLLOUT, 0}};
        if (poll(ends, 2, wait) < 0 && errno != EINTR) return EXCHANGE_FAILED;
        if (ends[1].revents) takes = send_some(process, &request);
        enum reading got = ends[0].revents ? read_some(process, line) : READ_NOTHING;
        if (got == READ_ERROR) return EXCHANGE_FAILED;
        enum exchange came = settle(process, request, line, got == READ_END, has_left && got != READ_SOME, &settled);
        if (settled) return came;
    }
    return EXCHANGE_FAILED;
}

static short output_events(const struct process *process) {
    struct pollfd out = {process->out, POLLIN, 0};
    return poll(&out, 1, 0) > 0 ? out.revents : 0;
}

bool process_is_gone(const struct process *process) {
    short events = output_events(process);
    return has_ended(process) || ((events & POLLHUP) && !(events & POLLIN));
}

bool process_has_more(const struct process *process) { return output_events(process) & POLLIN; }

/* ---- ending ---------------------------------------------------------------------------------------------------- */

int process_kill(struct process *process) {
    int status = 0;
    if (!process->pid) return -1;
    kill(-process->pid, SIGKILL); /* what has ended keeps its status */
    pid_t reaped;
    do reaped = waitpid(process->pid, &status, 0);
    while (reaped < 0 && errno == EINTR);
    if (process->in >= 0) close(process->in);
    close(process->out);
    *process = (struct process){.in = -1, .out = -1};
    return reaped < 0 ? -1 : status;
}

void process_end(struct process *process, int64_t us) {
    if (!process->pid) return;
    close(process->in);
    process->in = -1;
    ends_within(process, us);
    process_kill(process);
}
