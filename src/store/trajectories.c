/* trajectories.c - trajectories.jsonl: the run's result, a line a problem, made from the journal alone. Equal runs have
 * equal files: no times, and no counts that depend on what was cached. It must not know the journal's tables. */
#include "store/trajectories.h"

#include "base/json.h"
#include "store/output.h"

#include <math.h>
#include <stdio.h>

enum { MOST_LINE = 1 << 30 };

struct teachers {
    const char *const *names;
    int n;
};

/* A score that counts is a whole number, which its logarithm has not kept. */
static double score_of(double log_score) {
    double score = exp(log_score), whole = round(score);
    return whole >= 1 && fabs(score - whole) < 1e-9 * whole ? whole : score;
}

static cord_text teacher_name(const struct teachers *t, int teacher) {
    return text_of(teacher >= 0 && teacher < t->n ? t->names[teacher] : "");
}

/* ---- one trajectory ------------------------------------------------------------------------------------------ */

static void write_steps(struct json_writer *w, const struct step *step, const struct teachers *teachers) {
    if (!step) return;
    write_steps(w, step->previous, teachers);
    json_open(w, NULL, '{');
    json_text(w, "text", step->text);
    json_text(w, "teacher", teacher_name(teachers, step->teacher));
    json_int(w, "round", step->round);
    json_double(w, "score", score_of(step->log_score));
    json_bool(w, "cut", step->cut);
    if (step->category) json_text(w, "category", text_of(step->category));
    json_close(w, '}');
}

static void write_answered(struct json_writer *w, const char *key, const struct answered *a,
                           const struct teachers *teachers) {
    const struct trajectory *t = &a->trajectory;
    json_open(w, key, '{');
    json_double(w, "score", score_of(t->log_score));
    json_double(w, "log_score", t->log_score); /* null for a score of 0 */
    json_double(w, "pp", exp(a->log_pp));
    json_double(w, "pp_held_out", exp(a->log_held_out));
    json_text(w, "finish", text_of(finish_name(t->finish)));
    if (t->author >= 0)
        json_text(w, "author", teacher_name(teachers, t->author));
    else
        json_nil(w, "author");
    json_text(w, "reasoning", t->reasoning);
    json_open(w, "steps", '[');
    write_steps(w, t->last, teachers);
    json_close(w, ']');
    json_text(w, "reply", a->reply);
    if (a->grade == GRADE_NO_ANSWER)
        json_nil(w, "answer");
    else
        json_text(w, "answer", a->answer);
    json_text(w, "grade", text_of(grade_name(a->grade)));
    if (a->why) json_text(w, "why", text_of(a->why));
    json_close(w, '}');
}

/* ---- one problem --------------------------------------------------------------------------------------------- */

/* The input row as it stands, or, where it is not a JSON object, as a string. */
static void write_input(struct json_writer *w, cord_text line) {
    struct json_row row;
    if (json_row_parse(&row, line, NULL) == CORD_OK) {
        json_raw(w, "problem", text_trim(line));
        json_row_release(&row);
    } else {
        json_text(w, "problem", line);
    }
}

static void write_result(struct json_writer *w, const struct journal_problem *p, const struct answered *answers, int n,
                         const struct journal_totals *totals, const struct teachers *teachers) {
    json_open(w, NULL, '{');
    write_input(w, p->row);
    json_text(w, "id", p->id);
    json_int(w, "index", p->index);
    json_text(w, "status", p->status == PROBLEM_DONE ? TEXT("done") : TEXT("failed"));
    if (p->reason.len) json_text(w, "reason", p->reason);
    json_double(w, "s0", p->started ? exp(p->log_s0) : (double)NAN);
    if (n)
        write_answered(w, "best", &answers[0], teachers);
    else
        json_nil(w, "best");
    json_open(w, "finished", '[');
    for (int i = 1; i < n; i++) write_answered(w, NULL, &answers[i], teachers);
    json_close(w, ']');
    json_open(w, "tokens", '{');
    json_int(w, "propose", totals->proposed_tokens);
    json_int(w, "score", totals->score_prompt_tokens);
    json_int(w, "judge", totals->judged_tokens);
    json_int(w, "answer", totals->answer_tokens);
    json_close(w, '}');
    json_int(w, "rounds", p->rounds);
    json_close(w, '}');
}

static cord_status add_problem(struct journal *journal, const struct journal_problem *p,
                               const struct teachers *teachers, struct arena *arena, struct buf *line,
                               cord_error *err) {
    struct answered *answers = NULL;
    int n = 0;
    if (p->status == PROBLEM_DONE) CORD_TRY(journal_answers(journal, p, arena, &answers, &n, err));
    struct journal_totals totals;
    CORD_TRY(journal_totals(journal, p->key, &totals, err));
    struct json_writer w = {.out = line};
    buf_clear(line);
    write_result(&w, p, answers, n, &totals, teachers);
    buf_addc(line, '\n');
    return buf_check(line, err);
}

/* ---- the file ------------------------------------------------------------------------------------------------ */

static cord_status write_problem(struct journal *journal, const struct journal_problem *p,
                                 const struct teachers *teachers, struct arena *arena, struct buf *line, FILE *out,
                                 cord_error *err) {
    if (p->status == PROBLEM_OPEN) return CORD_OK;
    CORD_TRY(add_problem(journal, p, teachers, arena, line, err));
    if (fwrite(line->data, 1, line->len, out) != line->len) return error_errno(err, "write", "trajectories.jsonl");
    return CORD_OK;
}

static cord_status write_all(struct journal *journal, struct arena *arena, struct buf *line, FILE *out,
                             cord_error *err) {
    struct journal_walk walk;
    struct journal_problem problem;
    struct teachers teachers;
    cord_status status = CORD_OK;
    CORD_TRY(journal_get_teachers(journal, arena, &teachers.names, &teachers.n, err));
    journal_walk_begin(&walk, journal, err);
    while (status == CORD_OK && journal_walk_next(&walk, &problem))
        status = write_problem(journal, &problem, &teachers, &walk.arena, line, out, err);
    return journal_walk_end(&walk, status);
}

cord_status export_trajectories(struct journal *journal, const char *folder, cord_error *err) {
    struct arena arena;
    struct buf line;
    struct output output;
    arena_init(&arena);
    const char *path = arena_printf(&arena, "%s/trajectories.jsonl", folder);
    cord_status status = path ? output_open(&output, path, err) : error_memory(err);
    if (status == CORD_OK) {
        buf_init(&line, "a line of trajectories.jsonl", MOST_LINE);
        status = output_close(&output, write_all(journal, &arena, &line, output.file, err), err);
        buf_release(&line);
    }
    arena_release(&arena);
    return status;
}
