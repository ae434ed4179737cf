/* live.c - paints a run in progress: a permanent line for each problem that ends, and under them, on a terminal, a few
 * lines that a painter thread writes anew five times a second. */
#include "cmd/live.h"

#include "cmd/page.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    PERIOD_MS = 200,
    SPEED_WINDOW = 25, /* paintings over which speeds are measured: 5 s */
    SHOWN_FLIGHTS = 8, /* problems that have a line of their own */
};

/* A problem in flight. */
struct flight_line {
    struct buf id;
    bool flies;
    int round, beam, finished;
    double best;
};

/* A model's tokens at some earlier paintings, so that a speed can be told. */
struct gauge {
    int64_t tokens[SPEED_WINDOW], at[SPEED_WINDOW];
    int next, filled;
};

struct live {
    struct live_options options;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t painter;
    bool painting, closing;
    struct buf painted; /* what stands under the permanent lines now */
    int64_t start;
    struct page page;                  /* for permanent lines */
    int done, failed, correct, scored; /* in this process */
    int searched;                      /* of these, not those that failed before they began */
    double sum_score;
    struct flight_line *flights;
    struct gauge *gauges;
};

/* ---- painting ------------------------------------------------------------------------------------------------ */

static double seconds_since(int64_t start) { return (double)(clock_us() - start) / 1e6; }

static void add_duration(struct page *page, double seconds) {
    long s = lround(seconds);
    if (s < 60)
        page_print(page, PAINT_NONE, "%lds", s);
    else if (s < 3600)
        page_print(page, PAINT_NONE, "%ldm%02lds", s / 60, s % 60);
    else
        page_print(page, PAINT_NONE, "%ldh%02ldm", s / 3600, s / 60 % 60);
}

/* Tokens per second over the last seconds; notes the current count. */
static double speed(struct gauge *gauge, int64_t tokens, int64_t now) {
    int oldest = gauge->filled < SPEED_WINDOW ? 0 : gauge->next;
    int64_t us = gauge->filled ? now - gauge->at[oldest] : 0;
    double rate = us > 0 ? (double)(tokens - gauge->tokens[oldest]) / ((double)us / 1e6) : 0;
    gauge->tokens[gauge->next] = tokens;
    gauge->at[gauge->next] = now;
    gauge->next = (gauge->next + 1) % SPEED_WINDOW;
    if (gauge->filled < SPEED_WINDOW) gauge->filled++;
    return rate;
}

static void add_totals(const struct live *live, struct page *page) {
    const struct live_options *o = &live->options;
    int ended = live->done + live->failed, left = o->total - o->done - ended;
    double spent = seconds_since(live->start);
    page_print(page, PAINT_BOLD, "%d of %d problems", o->done + ended, o->total);
    if (live->failed) page_print(page, PAINT_BAD, ", %d failed", live->failed);
    if (live->done)
        page_print(page, PAINT_NONE, "   %d of %d correct   mean %s %s", live->correct, live->done, o->criterion->word,
                   score_text(o->criterion, live->sum_score / live->scored, 3, (char[SCORE_TEXT]){0}));
    page_print(page, PAINT_NONE, "   ");
    add_duration(page, spent);
    if (live->searched >= o->slots && left) { /* sooner, most of the work is in none that ended */
        page_print(page, PAINT_NONE, ", about ");
        add_duration(page, spent / live->searched * left);
        page_print(page, PAINT_NONE, " left");
    }
    page_print(page, PAINT_NONE, "\n");
}

/* Lines that can be taken off again: those that the screen has, but for the one behind them, where the cursor stands. */
static int most_lines(const struct live *live) { return terminal_rows(live->options.out) - 1; }

/* How many of the problems in flight have a line of their own; -1: not even the line that counts the others has room. */
static int shown_flights(const struct live *live, int flying) {
    const struct live_options *o = &live->options;
    int room = most_lines(live) - 1 - o->n_models - (o->ledger != NULL); /* beside the other lines */
    int shown = flying < SHOWN_FLIGHTS ? flying : SHOWN_FLIGHTS;
    if (shown + (flying > shown) > room) shown = room - 1;
    return shown < 0 ? -1 : shown;
}

static void add_flights(const struct live *live, struct page *page) {
    const struct criterion *criterion = live->options.criterion;
    int flying = 0;
    for (int i = 0; i < live->options.slots; i++) flying += live->flights[i].flies;
    int shown = shown_flights(live, flying);
    for (int i = 0, n = 0; i < live->options.slots && n < shown; i++) {
        const struct flight_line *flight = &live->flights[i];
        if (!flight->flies) continue;
        n++;
        page_print(page, PAINT_NONE, "  ");
        page_cell(page, PAINT_NONE, buf_text(&flight->id), page->columns > 70 ? 24 : 12);
        if (flight->round == 0)
            page_print(page, PAINT_DIM, "   round 1");
        else
            page_print(page, PAINT_DIM, "   round %d   beam %d (%d finished)", flight->round + 1, flight->beam,
                       flight->finished);
        if (flight->round && !isnan(flight->best))
            page_print(page, PAINT_DIM, "   best %s %s", criterion->word,
                       score_text(criterion, flight->best, 3, (char[SCORE_TEXT]){0}));
        page_print(page, PAINT_NONE, "\n");
    }
    if (shown == 0 && flying)
        page_print(page, PAINT_NONE, "  %d in flight\n", flying);
    else if (shown > 0 && flying > shown)
        page_print(page, PAINT_NONE, "  and %d more\n", flying - shown);
}

static void add_speeds(struct live *live, struct page *page) {
    int64_t now = clock_us();
    for (int i = 0; i < live->options.n_models; i++) {
        const cord_model *model = live->options.models[i];
        cord_model_usage usage = cord_model_get_usage(model);
        double rate = speed(&live->gauges[i], usage.proposed_tokens + usage.scored_tokens, now);
        page_print(page, PAINT_NONE, "  ");
        page_cell(page, PAINT_NONE, text_of(cord_model_get_info(model)->name), page->columns > 70 ? 24 : 12);
        page_print(page, PAINT_DIM, "   %4.0f tokens/s   %lld written   %lld scored", rate,
                   (long long)usage.proposed_tokens, (long long)usage.scored_tokens);
        page_print(page, PAINT_NONE, "\n");
    }
}

/* 1234567 as "1.23M". */
static const char *shortened(int64_t value, char out[24]) {
    static const char units[] = " kMGT";
    double v = (double)value;
    int unit = 0;
    while (v >= 1000 && units[unit + 1]) v /= 1000, unit++;
    if (unit)
        snprintf(out, 24, "%.*f%c", v < 10 ? 2 : v < 100 ? 1 : 0, v, units[unit]);
    else
        snprintf(out, 24, "%.0f", v);
    return out;
}

static void add_spending(const struct live *live, struct page *page) {
    const struct budget *budget = &live->options.budget;
    if (!live->options.ledger) return;
    struct spending s = ledger_spending(live->options.ledger);
    char a[24], b[24], c[24];
    page_print(page, PAINT_DIM, "  spent   %s requests%s%s   %s tokens in (%.0f%% cached), %s out",
               shortened(s.requests, a), budget->requests ? " of " : "",
               budget->requests ? shortened(budget->requests, (char[24]){0}) : "", shortened(s.prompt_tokens, b),
               s.prompt_tokens ? 100 * (double)s.cached_tokens / (double)s.prompt_tokens : 0,
               shortened(s.new_tokens, c));
    if (budget->tokens) page_print(page, PAINT_DIM, " of %s", shortened(budget->tokens, a));
    if (s.money > 0) page_print(page, PAINT_DIM, "   money %.2f", s.money);
    if (budget->money > 0) page_print(page, PAINT_DIM, " of %g", budget->money);
    if (s.lost) page_print(page, PAINT_WARN, "   %s lost", shortened(s.lost, a));
    page_print(page, PAINT_NONE, "\n");
}

/* Takes the painted lines off again, one by one: what is erased from the screen's first line down to its end, tmux keeps a
 * copy of. A terminal that has become narrower since has wrapped them. */
static void erase(struct live *live) {
    cord_text rest = buf_text(&live->painted), line;
    int columns = terminal_columns(live->options.out), rows = 0;
    while (text_next_line(&rest, &line)) {
        int width = page_width(line);
        rows += width > columns ? (width + columns - 1) / columns : 1;
    }
    if (rows) fprintf(live->options.out, "\033[%dA", rows);
    for (int i = 0; i < rows; i++) fprintf(live->options.out, "\033[2K\033[B");
    if (rows) fprintf(live->options.out, "\033[%dA", rows);
    buf_clear(&live->painted);
}

/* Only what fits on the screen can be taken off again: a longer line would be wrapped, a line too many scrolled away. */
static void fit(struct live *live, cord_text text, int columns) {
    cord_text line;
    int most = most_lines(live);
    for (int n = 0; n < most && text_next_line(&text, &line); n++) {
        page_cut(&live->painted, line, columns - 1); /* some terminals go on to the next line behind the last column */
        buf_addc(&live->painted, '\n');
    }
}

/* The lines below the permanent ones, written at once, so that they do not flicker. */
static void paint(struct live *live) {
    char *text = NULL;
    size_t len = 0;
    struct page page;
    FILE *memory = open_memstream(&text, &len);
    if (!memory) return; /* nothing is painted this time */
    page_init(&page, live->options.out);
    page.out = memory;
    add_totals(live, &page);
    add_flights(live, &page);
    add_speeds(live, &page);
    add_spending(live, &page);
    page_release(&page);
    fclose(memory);
    erase(live);
    fit(live, (cord_text){text, len}, page.columns);
    fwrite(live->painted.data, 1, live->painted.len, live->options.out);
    fflush(live->options.out);
    free(text);
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
    live->flights = calloc((size_t)options->slots, sizeof *live->flights);
    for (int i = 0; live->flights && i < options->slots; i++) buf_init(&live->flights[i].id, "a problem's id", 1 << 16);
    page_init(&live->page, options->out);
    buf_init(&live->painted, "the live view", 1 << 20);
    pthread_mutex_init(&live->mutex, NULL);
    pthread_cond_init(&live->wake, NULL);
    /* without a painter the run is as good */
    live->painting =
        live->gauges && live->flights && !options->plain && pthread_create(&live->painter, NULL, paint_on, live) == 0;
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
    page_release(&live->page);
    buf_release(&live->painted);
    for (int i = 0; live->flights && i < live->options.slots; i++) buf_release(&live->flights[i].id);
    free(live->flights);
    free(live->gauges);
    free(live);
}

/* Without memory for its lines, a run is as good. */
static struct flight_line *lock_slot(struct live *live, int slot) {
    pthread_mutex_lock(&live->mutex);
    return live->flights ? &live->flights[slot] : NULL;
}

void live_problem(struct live *live, int slot, cord_text id) {
    struct flight_line *flight = lock_slot(live, slot);
    if (flight) {
        buf_clear(&flight->id);
        buf_add(&flight->id, id);
        flight->flies = true;
        flight->round = flight->beam = flight->finished = 0;
    }
    pthread_mutex_unlock(&live->mutex);
}

void live_round(struct live *live, int slot, int round, int beam, int finished, double best_score) {
    struct flight_line *flight = lock_slot(live, slot);
    if (flight) {
        flight->round = round;
        flight->beam = beam;
        flight->finished = finished;
        flight->best = best_score;
    }
    pthread_mutex_unlock(&live->mutex);
}

void live_drop(struct live *live, int slot) {
    struct flight_line *flight = lock_slot(live, slot);
    if (flight) flight->flies = false;
    pthread_mutex_unlock(&live->mutex);
}

/* A line that stays, above the painted ones: begin, print to the page, end. */
static struct page *begin_line(struct live *live) {
    pthread_mutex_lock(&live->mutex);
    erase(live);
    return &live->page;
}

static void end_line(struct live *live) {
    fputc('\n', live->options.out);
    if (live->painting) paint(live);
    fflush(live->options.out);
    pthread_mutex_unlock(&live->mutex);
}

static void add_answer(struct page *page, const struct criterion *criterion, const struct live_result *r) {
    page_print(page, PAINT_NONE, "  answer ");
    page_cell(page, PAINT_NONE, r->answer.len ? r->answer : TEXT("(none)"), -24);
    if (!r->correct) {
        page_print(page, PAINT_NONE, ", not ");
        page_cell(page, PAINT_NONE, r->gold, -24);
    }
    page_print(page, PAINT_NONE, "  %s  %d round%s  ",
               scores_text(criterion, r->score, r->pp, r->s0, (char[SCORES_TEXT]){0}), r->rounds,
               r->rounds == 1 ? "" : "s");
    add_duration(page, r->seconds);
}

void live_result(struct live *live, int slot, const struct live_result *r) {
    live_drop(live, slot);
    struct page *page = begin_line(live);
    if (r->grade) {
        live->done++;
        live->correct += r->correct;
        if (!isnan(r->score)) live->sum_score += r->score, live->scored++;
    } else {
        live->failed++;
    }
    live->searched += r->grade || r->rounds;
    page_print(page, PAINT_NONE, "[%d/%d] ", live->options.done + live->done + live->failed, live->options.total);
    page_print(page,
               !r->grade    ? PAINT_BAD
               : r->correct ? PAINT_GOOD
                            : PAINT_WARN,
               "%s", r->grade ? r->grade : "failed");
    page_print(page, PAINT_NONE, "  ");
    page_cell(page, PAINT_NONE, r->id, -32);
    if (r->grade) {
        add_answer(page, live->options.criterion, r);
    } else {
        page_print(page, PAINT_NONE, ": ");
        page_cell(page, PAINT_NONE, text_of(r->reason), -600);
    }
    end_line(live);
}

void live_say(struct live *live, const char *format, ...) {
    char text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    page_cell(begin_line(live), PAINT_NONE, text_of(text), -1200);
    end_line(live);
}
