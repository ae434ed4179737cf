/* export.c - training rows from a journal: which trajectory of a problem becomes a row, and what text it becomes.
 * It must not know the layouts of rows (formats.c) or the journal's tables. */
#include "store/export.h"

#include "store/formats.h"

#include <math.h>
#include <stdio.h>

enum { MOST_ROW = 256 << 20 };

/* What an export works with. */
struct exporter {
    struct journal *journal;
    const struct export_options *options;
    const struct training_format *format;
    FILE *out;
    struct export_counts *counts;
    struct buf response, line;
    struct arena arena; /* of one problem */
};

/* ---- text ---------------------------------------------------------------------------------------------------- */

/* The steps without their markers, with what stands between steps between them. A step that continues a cut one is
 * still part of it. */
static void add_steps(struct buf *out, const struct step *step, cord_text between) {
    if (!step) return;
    const struct step *previous = step->previous;
    add_steps(out, previous, between);
    if (previous && !previous->cut) buf_add(out, between);
    cord_text text = step->text;
    if (!previous || !previous->cut)
        while (text.len && strchr(" \t\r\n", text.data[0])) text = text_slice(text, 1, text.len);
    buf_add(out, text);
}

/* What stood between the steps when this problem was run, and whether markers did: the scorer's words are the trajectory's. */
static cord_status find_between(struct exporter *e, int64_t problem, bool *marked, cord_text *between,
                                cord_error *err) {
    struct spoken *spoken;
    int n;
    CORD_TRY(journal_spoken(e->journal, problem, &e->arena, &spoken, &n, err));
    *between = TEXT("\n\n");
    *marked = true;
    for (int i = 0; i < n; i++) {
        if (spoken[i].teacher != -1) continue;
        *marked = spoken[i].style->marker.len > 0;
        if (spoken[i].style->between.len) *between = spoken[i].style->between;
    }
    return CORD_OK;
}

static cord_status make_response(struct exporter *e, int64_t problem, const struct answered *a, cord_error *err) {
    struct buf *out = &e->response;
    buf_clear(out);
    buf_add(out, e->options->think_open);
    size_t start = out->len;
    cord_text between;
    bool strip = e->options->strip_markers;
    if (strip) CORD_TRY(find_between(e, problem, &strip, &between, err)); /* where there are some to strip */
    if (strip)
        add_steps(out, a->trajectory.last, between);
    else
        buf_add(out, a->trajectory.reasoning);
    CORD_TRY(buf_check(out, err));
    buf_truncate(out, start + text_trim_end(text_slice(buf_text(out), start, out->len)).len);
    buf_add(out, e->options->think_close);
    buf_add(out, text_trim(a->reply));
    return buf_check(out, err);
}

static cord_status write_row(struct exporter *e, const struct journal_problem *problem, const struct answered *a,
                             cord_error *err) {
    CORD_TRY(make_response(e, problem->key, a, err));
    struct training_row row = {problem->question, buf_text(&e->response)};
    struct json_writer w = {.out = &e->line};
    buf_clear(&e->line);
    json_open(&w, NULL, '{');
    e->format->write(&w, &row);
    json_close(&w, '}');
    buf_addc(&e->line, '\n');
    CORD_TRY(buf_check(&e->line, err));
    if (fwrite(e->line.data, 1, e->line.len, e->out) != e->line.len)
        return error_errno(err, "write", "the training rows");
    e->counts->rows++;
    return CORD_OK;
}

/* ---- choice -------------------------------------------------------------------------------------------------- */

/* The trajectory that becomes the problem's row, or NULL, which is counted with its reason. */
static const struct answered *choose(struct exporter *e, const struct answered *answers, int n) {
    int at = 0;
    if (e->options->only_correct)
        while (at < n && answers[at].grade != GRADE_CORRECT) at++;
    if (at == n) {
        if (e->options->only_correct)
            e->counts->no_correct++;
        else
            e->counts->no_answer++;
        return NULL;
    }
    const struct answered *a = &answers[at];
    if (a->grade == GRADE_NO_ANSWER || !a->answer.len) {
        e->counts->no_answer++;
        return NULL;
    }
    if (!(exp(a->trajectory.log_score) >= e->options->min_score)) {
        e->counts->below_score++;
        return NULL;
    }
    if (at > 0) e->counts->rescued++;
    return a;
}

static cord_status export_problem(struct exporter *e, const struct journal_problem *problem, cord_error *err) {
    if (problem->status == PROBLEM_FAILED) e->counts->failed++;
    if (problem->status == PROBLEM_OPEN) e->counts->unfinished++;
    if (problem->status != PROBLEM_DONE) return CORD_OK;
    struct answered *answers;
    int n;
    CORD_TRY(journal_answers(e->journal, problem, &e->arena, &answers, &n, err));
    const struct answered *chosen = choose(e, answers, n);
    return chosen ? write_row(e, problem, chosen, err) : CORD_OK;
}

static cord_status export_all(struct exporter *e, struct arena *arena, cord_error *err) {
    struct journal_problem *problems;
    CORD_TRY(journal_problems(e->journal, arena, &problems, &e->counts->problems, err));
    for (int i = 0; i < e->counts->problems; i++) {
        arena_init(&e->arena);
        cord_status status = export_problem(e, &problems[i], err);
        arena_release(&e->arena);
        CORD_TRY(status);
    }
    return fflush(e->out) == 0 ? CORD_OK : error_errno(err, "write", "the training rows");
}

cord_status export_run(struct journal *journal, const struct export_options *options, void *out,
                       struct export_counts *counts, cord_error *err) {
    struct exporter e = {.journal = journal, .options = options, .out = out, .counts = counts};
    *counts = (struct export_counts){0};
    e.format = training_format(options->format);
    if (!e.format) return error_set(err, CORD_BAD_USAGE, "there is no format '%s'", options->format);
    struct arena arena;
    arena_init(&arena);
    buf_init(&e.response, "a training row", MOST_ROW);
    buf_init(&e.line, "a training row", MOST_ROW);
    cord_status status = export_all(&e, &arena, err);
    buf_release(&e.line);
    buf_release(&e.response);
    arena_release(&arena);
    return status;
}
