/* live.c - paints a run in progress: a permanent line for each problem that ends, and under them, on a terminal, a few
 * lines that a painter thread writes anew five times a second. */
#include "cmd/live.h"

#include "cmd/cmd.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { LINE_LIMIT = 8192, PERIOD_MS = 200, SPEED_WINDOW = 25 /* paintings over which speeds are measured: 5 s */ };

/* Tokens written by a model, remembered for some paintings, so that a speed can be told. */
struct gauge {
    int64_t written[SPEED_WINDOW], at[SPEED_WINDOW];
    int next, filled;
};

struct live {
    struct live_options options;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t painter;
    bool painting, closing;
    int painted; /* lines that stand under the permanent ones now */
    int64_t start;
    int done, failed, correct, graded;
    double sum_score;
    struct buf id; /* of the problem in flight, escaped */
    bool in_flight;
    int round, beam, finished;
    double best;
    struct gauge *gauges;
};

/* ---- words and figures --------------------------------------------------------------------------------------- */

/* Model text on one line: controls become spaces, invalid bytes U+FFFD; at most `columns` wide, cut with "…". */
static void add_escaped(struct buf *out, cord_text t, int columns) {
    int width = 0;
    for (size_t at = 0, from; at < t.len;) {
        from = at;
        uint32_t c = utf8_next(t, &at);
        int w = utf8_width(c);
        if (width + w > columns - 1 && at < t.len) {
            buf_add(out, TEXT("…"));
            return;
        }
        width += w;
        if (c < 0x20 || (c >= 0x7F && c < 0xA0)) buf_addc(out, ' ');
        else if (c == 0xFFFD) buf_add(out, TEXT("\xEF\xBF\xBD"));
        else buf_add(out, text_slice(t, from, at));
    }
}

static void add_duration(struct buf *out, double seconds) {
    long s = lround(seconds);
    if (s < 60) buf_addf(out, "%lds", s);
    else if (s < 3600) buf_addf(out, "%ldm%02lds", s / 60, s % 60);
    else buf_addf(out, "%ldh%02ldm", s / 3600, s / 60 % 60);
}

static const char *colour_of(const struct live *live, const char *code) { return live->options.colour ? code : ""; }

static double seconds_since(int64_t start) { return (double)(clock_us() - start) / 1e6; }

/* ---- painting ------------------------------------------------------------------------------------------------ */

/* Tokens per second over the last seconds; the current count is noted as a side effect. */
static double speed(struct gauge *gauge, int64_t written, int64_t now) {
    int oldest = gauge->filled < SPEED_WINDOW ? 0 : gauge->next;
    double rate = 0;
    if (gauge->filled) {
        int64_t us = now - gauge->at[oldest];
        if (us > 0) rate = (double)(written - gauge->written[oldest]) / ((double)us / 1e6);
    }
    gauge->written[gauge->next] = written;
    gauge->at[gauge->next] = now;
    gauge->next = (gauge->next + 1) % SPEED_WINDOW;
    if (gauge->filled < SPEED_WINDOW) gauge->filled++;
    return rate;
}

static void add_totals(const struct live *live, struct buf *out) {
    const struct live_options *o = &live->options;
    int ended = live->done + live->failed, left = o->total - o->done - ended;
    double spent = seconds_since(live->start);
    buf_addf(out, "%d/%d problems", o->done + ended, o->total);
    if (live->failed) buf_addf(out, ", %d failed", live->failed);
    if (live->graded) {
        buf_addf(out, "   %d of %d correct   mean S %.3f", live->correct, live->graded, live->sum_score / live->graded);
    }
    buf_add(out, TEXT("   "));
    add_duration(out, spent);
    if (ended && left) {
        buf_add(out, TEXT(", about "));
        add_duration(out, spent / ended * left);
        buf_add(out, TEXT(" left"));
    }
    buf_addc(out, '\n');
}

static void add_flight(const struct live *live, struct buf *out, int columns) {
    if (!live->in_flight) return;
    buf_add(out, TEXT("  "));
    add_escaped(out, buf_text(&live->id), columns > 60 ? columns - 58 : 12);
    if (live->round) buf_addf(out, "   round %d   beam %d (%d finished)   best S %.3f\n", live->round, live->beam, live->finished, live->best);
    else buf_add(out, TEXT("   round 0\n"));
}

static void add_speeds(struct live *live, struct buf *out, int columns) {
    int64_t now = clock_us();
    for (int i = 0; i < live->options.n_models; i++) {
        const cord_model *model = live->options.models[i];
        struct model_usage usage = cord_model_usage(model);
        buf_add(out, TEXT("  "));
        add_escaped(out, text_of(cord_model_info(model)->name), columns > 60 ? 24 : 12);
        buf_addf(out, "   %5.1f tokens/s", speed(&live->gauges[i], usage.proposed_tokens + usage.scored_tokens, now));
        buf_addf(out, "   %lld written   %lld scored\n", (long long)usage.proposed_tokens, (long long)usage.scored_tokens);
    }
}

/* Takes the painted lines off again. */
static void erase(struct live *live) {
    if (live->painted) fprintf(live->options.out, "\033[%dA\033[J", live->painted);
    live->painted = 0;
}

static void paint(struct live *live) {
    struct buf out;
    buf_init(&out, "the live view", LINE_LIMIT);
    int columns = terminal_columns(live->options.out);
    add_totals(live, &out);
    add_flight(live, &out, columns);
    add_speeds(live, &out, columns);
    erase(live);
    for (size_t i = 0; i < out.len; i++) live->painted += out.data[i] == '\n';
    fwrite(out.data, 1, out.len, live->options.out);
    fflush(live->options.out);
    buf_release(&out);
}

static void *paint_on(void *arg) {
    struct live *live = arg;
    pthread_mutex_lock(&live->mutex);
    while (!live->closing) {
        paint(live);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PERIOD_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&live->wake, &live->mutex, &until);
    }
    pthread_mutex_unlock(&live->mutex);
    return NULL;
}

/* ---- what is told -------------------------------------------------------------------------------------------- */

cord_status live_open(const struct live_options *options, struct live **out, cord_error *err) {
    struct live *live = calloc(1, sizeof *live);
    if (!live) return error_memory(err);
    live->options = *options;
    live->start = clock_us();
    live->gauges = calloc((size_t)options->n_models + 1, sizeof *live->gauges);
    buf_init(&live->id, "a problem's id", LINE_LIMIT);
    pthread_mutex_init(&live->mutex, NULL);
    pthread_cond_init(&live->wake, NULL);
    /* without a painter the run is as good */
    live->painting = live->gauges && !options->plain && pthread_create(&live->painter, NULL, paint_on, live) == 0;
    *out = live;
    return CORD_OK;
}

void live_close(struct live *live) {
    if (!live) return;
    if (live->painting) {
        pthread_mutex_lock(&live->mutex);
        live->closing = true;
        pthread_cond_signal(&live->wake);
        pthread_mutex_unlock(&live->mutex);
        pthread_join(live->painter, NULL);
        erase(live);
        fflush(live->options.out);
    }
    pthread_cond_destroy(&live->wake);
    pthread_mutex_destroy(&live->mutex);
    buf_release(&live->id);
    free(live->gauges);
    free(live);
}

void live_problem(struct live *live, cord_text id) {
    pthread_mutex_lock(&live->mutex);
    buf_clear(&live->id);
    buf_add(&live->id, id);
    live->in_flight = true;
    live->round = live->beam = live->finished = 0;
    pthread_mutex_unlock(&live->mutex);
}

void live_round(struct live *live, int round, int beam, int finished, double best_score) {
    pthread_mutex_lock(&live->mutex);
    live->round = round;
    live->beam = beam;
    live->finished = finished;
    live->best = best_score;
    pthread_mutex_unlock(&live->mutex);
}

/* Prints a line that stays, above the painted ones. */
static void print_line(struct live *live, const struct buf *line) {
    erase(live);
    fwrite(line->data, 1, line->len, live->options.out);
    if (live->painting) paint(live);
    fflush(live->options.out);
}

static void add_result(const struct live *live, const struct live_result *r, struct buf *line) {
    const char *colour = !r->grade ? "\033[31m" : r->correct ? "\033[32m" : "\033[33m";
    buf_addf(line, "[%d/%d] %s%s%s  ", live->options.done + live->done + live->failed, live->options.total,
             colour_of(live, colour), r->grade ? r->grade : "failed", colour_of(live, "\033[0m"));
    add_escaped(line, r->id, 32);
    if (!r->grade) {
        buf_add(line, TEXT(": "));
        add_escaped(line, text_of(r->reason), 400);
    } else {
        buf_add(line, TEXT("  answer "));
        add_escaped(line, r->answer.len ? r->answer : TEXT("(none)"), 24);
        if (!r->correct) {
            buf_add(line, TEXT(", not "));
            add_escaped(line, r->gold, 24);
        }
        buf_addf(line, "  S %.3f (S0 %.3f)  %d round%s  ", r->score, r->s0, r->rounds, r->rounds == 1 ? "" : "s");
        add_duration(line, r->seconds);
    }
    buf_addc(line, '\n');
}

void live_result(struct live *live, const struct live_result *r) {
    struct buf line;
    buf_init(&line, "a line", LINE_LIMIT);
    pthread_mutex_lock(&live->mutex);
    live->in_flight = false;
    if (r->grade) {
        live->done++;
        live->graded++;
        live->correct += r->correct;
        live->sum_score += r->score;
    } else {
        live->failed++;
    }
    add_result(live, r, &line);
    print_line(live, &line);
    pthread_mutex_unlock(&live->mutex);
    buf_release(&line);
}

void live_say(struct live *live, const char *format, ...) {
    char text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct buf line;
    buf_init(&line, "a line", LINE_LIMIT);
    add_escaped(&line, text_of(text), 1200);
    buf_addc(&line, '\n');
    pthread_mutex_lock(&live->mutex);
    print_line(live, &line);
    pthread_mutex_unlock(&live->mutex);
    buf_release(&line);
}
