/* log.c - llama.cpp's log, of which there is one for the whole process: which engine hears it, and its fragments as lines.
 * It must not know what is said there. */
#include "model/local/local.h"

#include <stdio.h>
#include <stdlib.h>

/* An engine that wants the log, on top of those that wanted it before. The lock is held while one is told a line, so that
 * nobody is told anything once log_leave has returned. */
struct hearer {
    const cord_engine *engine;
    struct hearer *below;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hearer *top;

static struct hearer *unlink_hearer(const cord_engine *engine) {
    for (struct hearer **at = &top; *at; at = &(*at)->below) {
        if ((*at)->engine != engine) continue;
        struct hearer *found = *at;
        *at = found->below;
        return found;
    }
    return NULL;
}

cord_status log_take(const cord_engine *engine, cord_error *err) {
    if (!engine->options.log) return CORD_OK;
    pthread_mutex_lock(&lock);
    struct hearer *hearer = unlink_hearer(engine);
    if (!hearer) hearer = malloc(sizeof *hearer);
    if (hearer) {
        *hearer = (struct hearer){engine, top};
        top = hearer;
    }
    pthread_mutex_unlock(&lock);
    return hearer ? CORD_OK : error_memory(err);
}

void log_leave(const cord_engine *engine) {
    pthread_mutex_lock(&lock);
    free(unlink_hearer(engine));
    pthread_mutex_unlock(&lock);
}

/* ---- lines --------------------------------------------------------------------------------------------------- */

/* What this thread has said of a line that has not ended. Longer ones are told in pieces. */
static _Thread_local char line[2000];
static _Thread_local size_t length;

static void end_line(void) {
    if (!length) return;
    line[length] = '\0';
    length = 0;
    pthread_mutex_lock(&lock);
    if (top) top->engine->options.log(top->engine->options.log_ctx, line);
    pthread_mutex_unlock(&lock);
}

static void add(const char *text) {
    for (; *text; text++) {
        if (*text == '\n' || length + 1 == sizeof line) end_line();
        if (*text != '\n') line[length++] = *text;
    }
}

/* llama.cpp says why it refuses a file only here: in the first error, behind which come general ones. */
static _Thread_local char first_error[300];

static void on_text(enum ggml_log_level level, const char *text, void *ctx) {
    (void)ctx;
    if (level == GGML_LOG_LEVEL_ERROR && !*first_error && strlen(text) > 1)
        snprintf(first_error, sizeof first_error, "%s", text);
    if (level != GGML_LOG_LEVEL_CONT) end_line(); /* one that was begun and left */
    add(text);
}

void log_begin(void) { llama_log_set(on_text, NULL); }

void log_forget_error(void) { first_error[0] = '\0'; }

cord_text log_first_error(void) { return text_trim(text_of(first_error)); }
