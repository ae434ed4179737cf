/* command.c - a program of the user's own as a grader: what it is asked and may answer, and what becomes of it when it
 * does not. It must not know where its questions come from.
 *
 *     {"question":"…","gold":"…","answer":"…","reply":"…"}     a line to its standard input
 *     {"verdict":"equal","why":"…"}                            a line from its standard output; why may be left out
 *
 * One program serves all threads, in turn, behind a mutex. A pool of one a thread would let slow programs run side by
 * side; but the cores are busy with models, a program may hold a lot (a proof assistant, a test harness) or write files
 * of its own, and one process with one question at a time is what is easy to write and to reason about. The time limit
 * is of the program's own time: waiting for the turn does not count.
 *
 * Whatever is not an answer leaves program and questions out of step, so it ends in a kill; the next question starts the
 * program again. */
#include "grade/command.h"

#include "base/json.h"
#include "grade/process.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define LINE_LIMIT    ((size_t)1 << 20)   /* bytes of an answer's line */
#define REQUEST_LIMIT ((size_t)256 << 20) /* bytes of a question's; replies are bounded by what models may write */
#define END_US        INT64_C(1000000)    /* to end in, when its input is closed */

enum { WHY_BYTES = 400, EXCERPT_BYTES = 60 };

struct command {
    char *line;
    double seconds;
    bool (*stopped)(void);
    pthread_mutex_t mutex; /* guards what follows */
    struct process process;
    bool has_answered; /* since it was started */
    struct buf request, answer;
};

/* ---- starting and ending --------------------------------------------------------------------------------------- */

cord_status command_open(const char *line, double seconds, bool (*stopped)(void), struct command **out,
                         cord_error *err) {
    CORD_TRY(process_find(line, err));
    struct command *command = calloc(1, sizeof *command);
    if (!command) return error_memory(err);
    *command = (struct command){.line = strdup(line), .seconds = seconds, .stopped = stopped};
    pthread_mutex_init(&command->mutex, NULL);
    buf_init(&command->request, "a question to the grader's command", REQUEST_LIMIT);
    buf_init(&command->answer, "an answer of the grader's command", LINE_LIMIT);
    cord_status status = command->line ? process_start(&command->process, line, err) : error_memory(err);
    if (status == CORD_OK)
        *out = command;
    else
        command_close(command);
    return status;
}

void command_close(struct command *command) {
    if (!command) return;
    process_end(&command->process, END_US);
    buf_release(&command->request);
    buf_release(&command->answer);
    pthread_mutex_destroy(&command->mutex);
    free(command->line);
    free(command);
}

static cord_status start(struct command *command, cord_error *err) {
    command->has_answered = false;
    return process_start(&command->process, command->line, err);
}

/* ---- what went wrong ------------------------------------------------------------------------------------------- */

/* Undecided, and the command is killed: whatever it still says belongs to no question. */
static cord_status give_up(struct command *command, struct grade_result *result, const char *why, cord_error *err) {
    process_kill(&command->process);
    *result = (struct grade_result){.verdict = CORD_UNDECIDED, .why = why};
    return why ? CORD_OK : error_memory(err);
}

static const char *how_it_ended(int status, struct arena *arena) {
    if (status != -1 && WIFSIGNALED(status))
        return arena_printf(arena, "the grader's command was ended by signal %d (%s) without an answer",
                            WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (status != -1 && WIFEXITED(status))
        return arena_printf(arena, "the grader's command ended with status %d%s without an answer", WEXITSTATUS(status),
                            WEXITSTATUS(status) == 127   ? " (as a shell's that finds no such program)"
                            : WEXITSTATUS(status) == 126 ? " (as a shell's that may not run the program)"
                                                         : "");
    return "the grader's command ended without an answer";
}

/* The beginning of what it wrote, on one line, for people. */
static const char *no_answer_in(cord_text line, struct arena *arena) {
    char shown[EXCERPT_BYTES + 1];
    size_t len = line.len < EXCERPT_BYTES ? line.len : EXCERPT_BYTES;
    len = utf8_valid_prefix(text_slice(line, 0, len));
    for (size_t i = 0; i < len; i++) shown[i] = (unsigned char)line.data[i] < ' ' ? ' ' : line.data[i];
    shown[len] = '\0';
    return arena_printf(arena, "the grader's command gave no verdict, but '%s%s'", shown, len < line.len ? "…" : "");
}

static cord_status not_a_line(struct command *command, enum exchange came, struct grade_result *result,
                              struct arena *arena, cord_error *err) {
    const char *why = NULL;
    switch (came) {
    case EXCHANGE_LATE:
        why = arena_printf(arena, "the grader's command did not answer within %g s", command->seconds);
        break;
    case EXCHANGE_ENDED: why = how_it_ended(process_kill(&command->process), arena); break;
    case EXCHANGE_CLOSED: why = "the grader's command closed its output without an answer"; break;
    case EXCHANGE_LONG:
        why = arena_printf(arena, "the grader's command answered with a line of over %zu bytes", LINE_LIMIT);
        break;
    case EXCHANGE_EARLY: why = "the grader's command answered before it had read the question"; break;
    case EXCHANGE_MORE: why = "the grader's command wrote more than one line for an answer"; break;
    case EXCHANGE_STOPPED:
        process_kill(&command->process);
        return error_set(err, CORD_CANCELLED, "stopped while the grader's command was waited for");
    case EXCHANGE_LINE:
    case EXCHANGE_FAILED: why = "the system failed while the grader's command was waited for"; break;
    }
    return give_up(command, result, why, err);
}

/* ---- questions and answers ------------------------------------------------------------------------------------- */

static cord_status write_request(struct buf *out, const struct grade_request *request, cord_error *err) {
    struct json_writer w = {.out = out};
    buf_clear(out);
    json_open(&w, NULL, '{');
    json_text(&w, "question", request->question);
    json_text(&w, "gold", request->gold);
    json_text(&w, "answer", request->answer);
    json_text(&w, "reply", request->reply);
    json_close(&w, '}');
    buf_addc(out, '\n');
    return buf_check(out, err);
}

/* False where the line is no answer. A reason of its own is copied. */
static bool read_answer(cord_text line, struct grade_result *result, struct arena *arena, bool *no_memory) {
    struct json_row row;
    cord_text verdict, why = TEXT("");
    bool found = false;
    if (json_row_parse(&row, line, NULL) != CORD_OK) return false;
    const struct json_member *named = json_row_get(&row, "verdict"), *reason = json_row_get(&row, "why");
    *result = (struct grade_result){.why = "the grader's command says so"};
    if (named && json_is_string(named->value) && json_member_text(named, &verdict))
        for (int v = CORD_EQUAL; v <= CORD_UNDECIDED; v++)
            if (text_equal(verdict, text_of(cord_verdict_name((cord_verdict)v))))
                result->verdict = (cord_verdict)v, found = true;
    if (found && reason && json_is_string(reason->value) && json_member_text(reason, &why)) why = text_trim(why);
    if (why.len > WHY_BYTES) why.len = utf8_valid_prefix(text_slice(why, 0, WHY_BYTES));
    if (why.len) result->why = arena_text(arena, why).data;
    *no_memory = !result->why;
    json_row_release(&row);
    return found;
}

/* One that has ended of itself after an answer is started again. So is one that ends now, or closes its output, before a
 * word: it may have been ending when the question came, so it is asked again, once. */
static enum exchange exchange(struct command *command, cord_error *start_error) {
    for (;;) {
        if (command->process.pid && process_is_gone(&command->process)) process_kill(&command->process);
        if (!command->process.pid && start(command, start_error) != CORD_OK) return EXCHANGE_FAILED;
        if (process_has_more(&command->process)) return EXCHANGE_MORE;
        int64_t deadline = clock_us() + (int64_t)(command->seconds * 1e6);
        enum exchange came = process_exchange(&command->process, buf_text(&command->request), deadline,
                                              command->stopped, &command->answer);
        bool ended = came == EXCHANGE_ENDED || came == EXCHANGE_CLOSED;
        if (!ended || !command->has_answered || command->answer.len) return came;
        process_kill(&command->process);
    }
}

static cord_status ask(struct command *command, const struct grade_request *request, struct grade_result *result,
                       struct arena *arena, cord_error *err) {
    cord_error start_error = {0};
    bool no_memory = false;
    CORD_TRY(write_request(&command->request, request, err));
    enum exchange came = exchange(command, &start_error);
    if (start_error.code == CORD_NO_MEMORY) return error_memory(err);
    if (start_error.code != CORD_OK)
        return give_up(command, result, arena_printf(arena, "%s", start_error.message), err);
    if (came != EXCHANGE_LINE) return not_a_line(command, came, result, arena, err);
    command->has_answered = read_answer(buf_text(&command->answer), result, arena, &no_memory);
    if (no_memory) return error_memory(err);
    if (command->has_answered) return CORD_OK;
    return give_up(command, result, no_answer_in(buf_text(&command->answer), arena), err);
}

cord_status command_ask(struct command *command, const struct grade_request *request, struct grade_result *result,
                        struct arena *arena, cord_error *err) {
    pthread_mutex_lock(&command->mutex);
    cord_status status = ask(command, request, result, arena, err);
    pthread_mutex_unlock(&command->mutex);
    return status;
}
