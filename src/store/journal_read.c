/* journal_read.c - gives back what journal.c wrote down: problems, rounds, trajectories put together again, answers. It
 * must not change the file.
 *
 * Numbers that index something are checked as they are read: a damaged or edited journal is an error, not a crash. */
#include "store/database.h"

#include <math.h>
#include <stdio.h>

/* ---- the run ------------------------------------------------------------------------------------------------- */

cord_status journal_get_fact(struct journal *j, const char *key, struct arena *arena, cord_text *value,
                             cord_error *err) {
    struct rows r;
    *value = (cord_text){0};
    rows_open(&r, j, arena, err, "SELECT value FROM run WHERE key = ?1", "s", key);
    if (rows_next(&r)) *value = row_text(&r);
    return rows_end(&r);
}

cord_status journal_get_model_fact(struct journal *j, cord_text model, const char *what, struct arena *arena,
                                   cord_text *value, cord_error *err) {
    struct rows r;
    *value = (cord_text){0};
    rows_open(&r, j, arena, err, "SELECT value FROM run WHERE key = 'model.' || ?1 || '.' || ?2", "ts", model, what);
    if (rows_next(&r)) *value = row_text(&r);
    return rows_end(&r);
}

cord_status journal_get_model_number(struct journal *j, const char *model, const char *what, double *value,
                                     cord_error *err) {
    struct rows r;
    rows_open(&r, j, NULL, err, "SELECT CAST(value AS REAL) FROM run WHERE key = 'model.' || ?1 || '.' || ?2", "ss",
              model, what);
    if (rows_next(&r)) *value = row_real(&r);
    return rows_end(&r);
}

cord_status journal_list_model_facts(struct journal *j, const char *what, struct arena *arena, struct model_fact **out,
                                     int *n, cord_error *err) {
    int64_t count;
    CORD_TRY(query_int64(j, err, &count, 0, "SELECT count(*) FROM run WHERE key GLOB 'model.*.' || ?1", "s", what));
    struct model_fact *facts = array_of(arena, count, sizeof *facts);
    if (!facts) return error_memory(err);
    struct rows r;
    rows_open(&r, j, arena, err,
              "SELECT substr(key, 7, length(key) - 7 - length(?1)), value FROM run WHERE key GLOB 'model.*.' || ?1"
              " ORDER BY key",
              "s", what);
    for (*n = 0; *n < count && rows_next(&r); ++*n) {
        facts[*n].model = row_text(&r);
        facts[*n].value = row_text(&r);
    }
    *out = facts;
    return rows_end(&r);
}

static cord_status count_teachers(struct journal *j, int64_t *n, cord_error *err) {
    return query_int64(j, err, n, 0, "SELECT count(*) FROM teacher", "");
}

cord_status journal_get_teachers(struct journal *j, struct arena *arena, const char *const **out, int *n,
                                 cord_error *err) {
    int64_t count;
    CORD_TRY(count_teachers(j, &count, err));
    const char **names = array_of(arena, count, sizeof *names);
    if (!names) return error_memory(err);
    struct rows r;
    rows_open(&r, j, arena, err, "SELECT name FROM teacher ORDER BY number", "");
    for (*n = 0; *n < count && rows_next(&r); ++*n) names[*n] = row_string(&r);
    *out = names;
    return rows_end(&r);
}

/* ---- how participants were spoken to -------------------------------------------------------------------------- */

static cord_status read_spans(struct journal *j, int64_t problem, struct spoken *s, struct arena *arena,
                              cord_error *err) {
    int64_t count;
    CORD_TRY(query_int64(j, err, &count, 0, "SELECT count(*) FROM spoken_span WHERE problem = ?1 AND teacher = ?2",
                         "li", problem, s->teacher));
    s->prompt.span = array_of(arena, count, sizeof *s->prompt.span);
    if (!s->prompt.span) return error_memory(err);
    struct rows r;
    rows_open(&r, j, arena, err,
              "SELECT trusted, text FROM spoken_span WHERE problem = ?1 AND teacher = ?2 ORDER BY position", "li",
              problem, s->teacher);
    while (s->prompt.n < count && rows_next(&r)) {
        cord_span *span = &s->prompt.span[s->prompt.n++];
        span->trusted = row_int(&r) != 0;
        span->text = row_text(&r);
    }
    return rows_end(&r);
}

cord_status journal_spoken(struct journal *j, int64_t problem, struct arena *arena, struct spoken **out, int *n,
                           cord_error *err) {
    int64_t count;
    CORD_TRY(query_int64(j, err, &count, 0, "SELECT count(*) FROM spoken WHERE problem = ?1", "l", problem));
    struct spoken *spoken = array_of(arena, count, sizeof *spoken);
    struct prompt_style *styles = array_of(arena, count, sizeof *styles);
    if (!spoken || !styles) return error_memory(err);
    struct rows r;
    rows_open(&r, j, arena, err,
              "SELECT teacher, guess_prompt_tokens, guess_cached_tokens, guess_new_tokens, guess_us, marker,"
              " between_steps, think_close, answer_open, score_open, score_close FROM spoken WHERE problem = ?1"
              " ORDER BY teacher",
              "l", problem);
    for (*n = 0; *n < count && rows_next(&r); ++*n) {
        struct prompt_style *style = &styles[*n];
        spoken[*n] = (struct spoken){.teacher = row_int(&r), .style = style};
        spoken[*n].guesses.prompt_tokens = row_int(&r);
        spoken[*n].guesses.cached_tokens = row_int(&r);
        spoken[*n].guesses.new_tokens = row_int(&r);
        spoken[*n].guesses.us = row_int64(&r);
        style->marker = row_text(&r);
        style->between = row_text(&r);
        style->think_close = row_text(&r);
        style->answer_open = row_text(&r);
        style->score_open = row_text(&r);
        style->score_close = row_text(&r);
    }
    CORD_TRY(rows_end(&r));
    for (int i = 0; i < *n; i++) CORD_TRY(read_spans(j, problem, &spoken[i], arena, err));
    *out = spoken;
    return CORD_OK;
}

/* ---- the beam ------------------------------------------------------------------------------------------------ */

static cord_status join(cord_text a, cord_text b, struct arena *arena, cord_text *out, cord_error *err) {
    char *data = arena_alloc(arena, a.len + b.len + 1);
    if (!data) return error_memory(err);
    if (a.len) memcpy(data, a.data, a.len);
    if (b.len) memcpy(data + a.len, b.data, b.len);
    *out = (cord_text){data, a.len + b.len};
    return CORD_OK;
}

/* The trajectory that slot `slot` of the round before held. Before round 1 there is but the empty one. */
static bool find_parent(const struct trajectory *previous, int n_previous, int slot, struct trajectory *parent) {
    if (!previous || slot == -1) { /* -1: it began anew */
        *parent = (struct trajectory){.author = -1, .candidate = -1};
        return slot == 0 || slot == -1;
    }
    if (slot < 0 || slot >= n_previous) return false;
    *parent = previous[slot];
    return true;
}

/* Reads "from to category", a line each. */
static cord_status read_parts(struct rows *r, cord_text lines, size_t added, struct step_part **out, int *n) {
    size_t count = 0;
    for (size_t i = 0; i < lines.len; i++) count += lines.data[i] == '\n';
    *out = array_of(r->arena, (int64_t)count, sizeof **out);
    if (!*out) return error_memory(r->err);
    for (*n = 0; lines.len; ++*n) {
        struct step_part *part = &(*out)[*n];
        ptrdiff_t end = text_find(lines, TEXT("\n"));
        if (end < 0) return query_damaged(r->journal, "a list of parts without an end", r->err);
        int at = 0;
        char *line = arena_printf(r->arena, "%.*s", (int)end, lines.data);
        if (!line) return error_memory(r->err);
        if (sscanf(line, "%zu %zu %n", &part->from, &part->to, &at) != 2 || !at || part->from > part->to ||
            part->to > added)
            return query_damaged(r->journal, "a part that does not lie in its trace", r->err);
        part->category = line[at] ? line + at : NULL;
        lines = text_slice(lines, (size_t)end + 1, lines.len);
    }
    return *n ? CORD_OK : query_damaged(r->journal, "a trace of no parts", r->err);
}

/* Reads the columns of a candidate that make a step of it, or several, and puts them behind the parent. */
static cord_status read_steps(struct rows *r, int round, const struct trajectory *parent, struct arena *texts,
                              struct trajectory *t) {
    struct step whole = {.round = round};
    whole.teacher = row_int(r);
    whole.text = row_text(r);
    whole.cut = row_int(r) == STEP_CUT;
    double log_score = row_real(r);
    cord_text added = row_text(r), lines = row_text(r);
    struct step_part *parts = NULL;
    int n = 1;
    if (lines.data) CORD_TRY(read_parts(r, lines, added.len, &parts, &n));
    struct step *steps = array_of(r->arena, n, sizeof *steps);
    if (!steps) return error_memory(r->err);
    t->last = parent->last;
    for (int i = 0; i < n; i++) {
        steps[i] = whole;
        steps[i].previous = t->last;
        steps[i].log_score = i == n - 1 ? log_score : (double)NAN;
        t->last = &steps[i];
        if (!parts) continue;
        steps[i].text = text_slice(added, parts[i].from, parts[i].to);
        steps[i].category = parts[i].category;
        steps[i].cut = false; /* who came to the budget in a whole trace goes on no more */
    }
    /* the rest of a cut step is no new one */
    t->n_steps = parent->n_steps + (parent->last && parent->last->cut ? 0 : n);
    return t->reasoning.data ? CORD_OK : join(parent->reasoning, added, texts, &t->reasoning, r->err);
}

static cord_status read_trajectory(struct rows *r, int round, const struct trajectory *previous, int n_previous,
                                   struct arena *texts, struct trajectory *t) {
    struct trajectory parent;
    *t = (struct trajectory){.from = row_int(r)};
    if (!find_parent(previous, n_previous, t->from, &parent))
        return query_damaged(r->journal, "a trajectory comes from no place in the beam", r->err);
    t->candidate = row_int(r);
    t->finish = (enum finish)row_choice(r, FINISHED_EXHAUSTED);
    t->author = row_int(r);
    t->log_score = row_real(r);
    t->tokens = row_int(r);
    int64_t bytes = row_int64(r), checksum = row_int64(r);
    t->reasoning = row_text(r);
    t->run = row_int(r);
    t->tree.above = row_int(r);
    t->tree.visits = row_int(r);
    t->tree.value = row_real(r);
    t->tree.tried = (uint64_t)row_int64(r);
    t->reply = row_text(r);
    bool finishes_parent = row_int(r) != 0;
    if (t->candidate >= 0 && !finishes_parent) {
        CORD_TRY(read_steps(r, round, &parent, texts, t));
    } else {
        t->last = parent.last;
        t->n_steps = parent.n_steps;
        if (!t->reasoning.data) CORD_TRY(join(parent.reasoning, (cord_text){0}, texts, &t->reasoning, r->err));
    }
    if (r->status != CORD_OK) return r->status;
    if ((int64_t)t->reasoning.len != bytes || (int64_t)seed_text(0, t->reasoning) != checksum)
        return query_damaged(r->journal, "a trajectory's text does not have its checksum", r->err);
    return CORD_OK;
}

/* A number of somebody or something of which there are n; -1: nobody, or nothing. */
static bool is_there(int64_t number, int64_t n) { return number >= -1 && number < n; }

/* That authors are there, and nodes stand behind their parents, which a tree numbers from its run's first. */
static cord_status check_beam(struct journal *j, const struct trajectory *beam, int n, cord_error *err) {
    int64_t teachers;
    CORD_TRY(count_teachers(j, &teachers, err));
    for (int i = 0, first = 0; i < n; i++) {
        if (beam[i].run != beam[first].run) first = i;
        if (!is_there(beam[i].author, teachers) ||
            (trajectory_is_node(&beam[i]) && !is_there(beam[i].tree.above, i - first)))
            return query_damaged(j, "a trajectory has an author or a parent that is not there", err);
    }
    return CORD_OK;
}

/* What stands in the beam and the whole texts go to `texts`, their steps to `arena`. */
static cord_status read_beam(struct journal *j, int64_t problem, int round, const struct trajectory *previous,
                             int n_previous, struct arena *arena, struct arena *texts, const struct trajectory **out,
                             int *n, cord_error *err) {
    int64_t count;
    CORD_TRY(query_int64(j, err, &count, 0, "SELECT count(*) FROM beam WHERE problem = ?1 AND round = ?2", "li",
                         problem, round));
    struct trajectory *beam = array_of(texts, count, sizeof *beam);
    if (!beam) return error_memory(err);
    struct rows r;
    rows_open(&r, j, arena, err,
              "SELECT origin, candidate, finish, author, b.log_score, tokens, bytes, checksum, reasoning,"
              " b.run, above, visits, value, tried, reply,"
              " c.finishes_parent, c.teacher, c.step, c.ending, c.log_score, c.added, c.parts FROM beam b LEFT "
              "JOIN candidate c"
              " ON c.problem = b.problem AND c.round = b.round AND c.number = b.candidate"
              " WHERE b.problem = ?1 AND b.round = ?2 ORDER BY b.slot",
              "li", problem, round);
    cord_status status = CORD_OK;
    for (*n = 0; *n < count && status == CORD_OK && rows_next(&r); ++*n)
        status = read_trajectory(&r, round, previous, n_previous, texts, &beam[*n]);
    CORD_TRY(rows_end(&r));
    CORD_TRY(status);
    *out = beam;
    return check_beam(j, beam, *n, err);
}

/* The beams of a problem, one behind the other. As in a search the whole texts of the last two are kept: those of all rounds
 * would take memory by the square of their number. */
struct beams {
    struct arena texts[2];
    const struct trajectory *beam;
    int n, round;
};

static void beams_begin(struct beams *b) {
    *b = (struct beams){0};
    arena_init(&b->texts[0]);
    arena_init(&b->texts[1]);
}

static void beams_end(struct beams *b) {
    arena_release(&b->texts[0]);
    arena_release(&b->texts[1]);
}

static cord_status beams_next(struct beams *b, struct journal *j, int64_t problem, struct arena *arena,
                              cord_error *err) {
    struct arena *texts = &b->texts[++b->round % 2];
    arena_release(texts);
    return read_beam(j, problem, b->round, b->beam, b->n, arena, texts, &b->beam, &b->n, err);
}

/* A trajectory of them that is to last. */
static cord_status keep_text(struct trajectory *t, struct arena *arena, cord_error *err) {
    return join(t->reasoning, (cord_text){0}, arena, &t->reasoning, err);
}

/* ---- rounds -------------------------------------------------------------------------------------------------- */

static cord_status read_candidate(struct rows *r, const struct trajectory *previous, int n_previous,
                                  struct candidate *c) {
    *c = (struct candidate){.parent = row_int(r)};
    struct trajectory parent;
    if (!find_parent(previous, n_previous, c->parent, &parent))
        return query_damaged(r->journal, "a candidate continues no place in the beam", r->err);
    c->teacher = row_int(r);
    c->sample = row_int(r);
    c->run = row_int(r);
    c->seed = (uint64_t)row_int64(r);
    c->step = row_text(r);
    c->end = (enum step_end)row_choice(r, STEP_TURN);
    c->drop = (enum step_drop)row_choice(r, DROP_FAILED);
    c->drop_why = row_string(r);
    c->finishes_parent = row_int(r) != 0;
    cord_text added = row_text(r);
    c->log_score = row_real(r);
    c->rank = row_int(r);
    c->slot = row_int(r);
    c->tie = (uint64_t)row_int64(r);
    int *const counts[] = {&c->reasoning_tokens, &c->prompt_tokens,       &c->cached_tokens,
                           &c->new_tokens,       &c->score_prompt_tokens, &c->score_cached_tokens};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) *counts[i] = row_int(r);
    c->propose_us = row_int64(r);
    c->score_us = row_int64(r);
    c->rollout = row_text(r);
    cord_text parts = row_text(r);
    c->judged_tokens = row_int(r);
    c->judge_us = row_int64(r);
    if (parts.data) {
        struct step_part *read = NULL;
        CORD_TRY(read_parts(r, parts, added.len, &read, &c->n_parts));
        c->parts = read;
    }
    return added.data ? join(parent.reasoning, added, r->arena, &c->reasoning, r->err) : CORD_OK;
}

static cord_status read_candidates(struct journal *j, int64_t problem, const struct trajectory *previous,
                                   int n_previous, struct arena *arena, struct round *round, cord_error *err) {
    int64_t count;
    CORD_TRY(query_int64(j, err, &count, 0, "SELECT count(*) FROM candidate WHERE problem = ?1 AND round = ?2", "li",
                         problem, round->number));
    struct candidate *candidates = array_of(arena, count, sizeof *candidates);
    if (!candidates) return error_memory(err);
    struct rows r;
    rows_open(
        &r, j, arena, err,
        "SELECT parent, teacher, sample, run, seed, step, ending, dropped, drop_why, finishes_parent, added, log_score,"
        " rank, slot, tie, reasoning_tokens, prompt_tokens, cached_tokens, new_tokens, score_prompt_tokens,"
        " score_cached_tokens, propose_us, score_us, rollout, parts, judged_tokens, judge_us FROM candidate"
        " WHERE problem = ?1 AND round = ?2 ORDER BY number",
        "li", problem, round->number);
    cord_status status = CORD_OK;
    while (round->n_candidates < count && status == CORD_OK && rows_next(&r))
        status = read_candidate(&r, previous, n_previous, &candidates[round->n_candidates++]);
    CORD_TRY(rows_end(&r));
    round->candidates = candidates;
    return status;
}

/* That places and teachers are there; the beam's own are checked where it is read. */
static cord_status check_candidates(struct journal *j, const struct round *round, cord_error *err) {
    int64_t teachers;
    CORD_TRY(count_teachers(j, &teachers, err));
    for (int i = 0; i < round->n_candidates; i++)
        if (!is_there(round->candidates[i].slot, round->n_beam) || !is_there(round->candidates[i].teacher, teachers))
            return query_damaged(j, "a candidate has a place or a teacher that is not there", err);
    for (int i = 0; i < round->n_beam; i++)
        if (!is_there(round->beam[i].candidate, round->n_candidates))
            return query_damaged(j, "a trajectory is of a candidate that is not there", err);
    return CORD_OK;
}

cord_status journal_read_round(struct journal *j, int64_t problem, int number, const struct trajectory *previous,
                               int n_previous, struct arena *arena, struct round *round, cord_error *err) {
    *round = (struct round){.number = number};
    struct rows r;
    rows_open(&r, j, arena, err, "SELECT note FROM round WHERE problem = ?1 AND number = ?2", "li", problem, number);
    bool found = rows_next(&r);
    if (found) round->note = row_string(&r);
    CORD_TRY(rows_end(&r));
    if (!found) return error_set(err, CORD_BAD_INPUT, "the journal has no round %d of this problem", number);
    CORD_TRY(read_candidates(j, problem, previous, n_previous, arena, round, err));
    CORD_TRY(read_beam(j, problem, number, previous, n_previous, arena, arena, &round->beam, &round->n_beam, err));
    return check_candidates(j, round, err);
}

/* How often a search has begun anew, and why the last time came to nothing. */
static cord_status read_anew(struct journal *j, int64_t problem, struct arena *arena, struct search_state *state,
                             cord_error *err) {
    struct rows r;
    rows_open(&r, j, arena, err,
              "SELECT drop_why, (SELECT count(DISTINCT round) FROM candidate WHERE problem = ?1 AND parent = -1)"
              " FROM candidate WHERE problem = ?1 AND parent = -1 ORDER BY round DESC LIMIT 1",
              "l", problem);
    if (rows_next(&r)) {
        state->refused = row_string(&r);
        state->anew = row_int(&r);
    }
    return rows_end(&r);
}

/* Why the last round may have left nothing. */
static cord_status read_failed(struct journal *j, int64_t problem, struct arena *arena, struct search_state *state,
                               cord_error *err) {
    struct rows r;
    rows_open(
        &r, j, arena, err,
        "SELECT drop_why FROM candidate WHERE problem = ?1 AND round = ?2 AND dropped = ?3 ORDER BY number LIMIT 1",
        "lii", problem, state->round, DROP_FAILED);
    if (rows_next(&r)) state->failed = row_string(&r);
    return rows_end(&r);
}

static cord_status read_last_beam(struct journal *j, int64_t problem, struct arena *arena, struct search_state *state,
                                  cord_error *err) {
    struct beams beams;
    struct trajectory *beam = NULL;
    cord_status status = CORD_OK;
    beams_begin(&beams);
    while (status == CORD_OK && beams.round < state->round) status = beams_next(&beams, j, problem, arena, err);
    if (status == CORD_OK && beams.n) {
        beam = array_of(arena, beams.n, sizeof *beam);
        if (!beam) status = error_memory(err);
    }
    for (int i = 0; i < beams.n && status == CORD_OK; i++) {
        beam[i] = beams.beam[i];
        status = keep_text(&beam[i], arena, err);
    }
    state->beam = beam;
    state->n_beam = beams.n;
    beams_end(&beams);
    return status;
}

cord_status journal_state(struct journal *j, const struct journal_problem *problem, struct arena *arena,
                          struct search_state *state, cord_error *err) {
    *state =
        (struct search_state){.started = problem->started, .log_s0 = problem->log_s0, .contrast = problem->contrast};
    int64_t last;
    CORD_TRY(query_int64(j, err, &last, 0, "SELECT max(number) FROM round WHERE problem = ?1", "l", problem->key));
    if (last > problem->rounds) return query_damaged(j, "a round is missing", err);
    state->round = (int)last;
    CORD_TRY(read_last_beam(j, problem->key, arena, state, err));
    CORD_TRY(read_failed(j, problem->key, arena, state, err));
    return read_anew(j, problem->key, arena, state, err);
}

/* ---- answers ------------------------------------------------------------------------------------------------- */

/* An answer as its row has it: of its trajectory, only what may differ from its place in the beam. */
struct answer_row {
    struct answered answered;
    int round, slot;
};

static cord_status read_answer_rows(struct journal *j, int64_t problem, struct arena *arena, struct answer_row *answers,
                                    int64_t count, int *n, cord_error *err) {
    struct rows r;
    rows_open(
        &r, j, arena, err,
        "SELECT round, slot, finish, author, log_score, tokens, reasoning, reply, answer, grade, why, prompt_tokens,"
        " cached_tokens, new_tokens, us, log_pp, log_held_out FROM answer WHERE problem = ?1 ORDER BY number",
        "l", problem);
    for (*n = 0; *n < count && rows_next(&r); ++*n) {
        struct answer_row *row = &answers[*n];
        struct answered *a = &row->answered;
        row->round = row_int(&r);
        row->slot = row_int(&r);
        a->trajectory.finish = (enum finish)row_choice(&r, FINISHED_EXHAUSTED);
        a->trajectory.author = row_int(&r);
        a->trajectory.log_score = row_real(&r);
        a->trajectory.tokens = row_int(&r);
        a->trajectory.reasoning = row_text(&r);
        a->reply = row_text(&r);
        a->answer = row_text(&r);
        a->grade = (enum grade)row_choice(&r, GRADE_UNDECIDED);
        a->why = row_string(&r);
        a->prompt_tokens = row_int(&r);
        a->cached_tokens = row_int(&r);
        a->new_tokens = row_int(&r);
        a->us = row_int64(&r);
        a->log_pp = row_real(&r);
        a->log_held_out = row_real(&r);
    }
    return rows_end(&r);
}

/* Fills in, from the beam of one round, the trajectories that stood there. */
static cord_status place_answers(struct journal *j, struct answer_row *answers, int n, const struct beams *beams,
                                 struct arena *arena, cord_error *err) {
    for (int i = 0; i < n; i++) {
        if (answers[i].round != beams->round) continue;
        if (answers[i].slot < 0 || answers[i].slot >= beams->n)
            return query_damaged(j, "an answer stands in no place of the beam", err);
        struct trajectory own = answers[i].answered.trajectory, *t = &answers[i].answered.trajectory;
        *t = beams->beam[answers[i].slot];
        t->finish = own.finish;
        t->author = own.author;
        t->log_score = own.log_score;
        t->tokens = own.tokens;
        if (own.reasoning.data)
            t->reasoning = own.reasoning;
        else
            CORD_TRY(keep_text(t, arena, err));
    }
    return CORD_OK;
}

cord_status journal_answers(struct journal *j, const struct journal_problem *problem, struct arena *arena,
                            struct answered **out, int *n, cord_error *err) {
    int64_t count, last;
    CORD_TRY(query_int64(j, err, &count, 0, "SELECT count(*) FROM answer WHERE problem = ?1", "l", problem->key));
    CORD_TRY(query_int64(j, err, &last, 0, "SELECT max(round) FROM answer WHERE problem = ?1", "l", problem->key));
    struct answer_row *rows = array_of(arena, count, sizeof *rows);
    struct answered *answers = array_of(arena, count, sizeof *answers);
    if (!rows || !answers) return error_memory(err);
    if (last > problem->rounds) return query_damaged(j, "an answer is of a round that is not there", err);
    CORD_TRY(read_answer_rows(j, problem->key, arena, rows, count, n, err));
    struct beams beams;
    cord_status status = CORD_OK;
    beams_begin(&beams);
    while (status == CORD_OK && beams.round < last) {
        status = beams_next(&beams, j, problem->key, arena, err);
        if (status == CORD_OK) status = place_answers(j, rows, *n, &beams, arena, err);
    }
    beams_end(&beams);
    CORD_TRY(status);
    for (int i = 0; i < *n; i++) answers[i] = rows[i].answered;
    *out = answers;
    return CORD_OK;
}

/* ---- sums ---------------------------------------------------------------------------------------------------- */

/* One row: what teachers were asked for (steps, and guesses before round 1), what scoring and judging took, answers. */
#define SUMS(OF)                                                                                              \
    "SELECT steps.written + guesses.written, steps.prompts + guesses.prompts, steps.cached + guesses.cached," \
    " score_prompts, score_cached, judged, not_apart, candidates, dropped, answers FROM"                      \
    " (SELECT total(new_tokens) AS written, total(prompt_tokens) AS prompts, total(cached_tokens) AS cached," \
    " total(score_prompt_tokens) AS score_prompts, total(score_cached_tokens) AS score_cached,"               \
    " total(judged_tokens) AS judged, total(judged_tokens IS NULL) AS not_apart, count(*) AS candidates,"     \
    " total(dropped <> 0) AS dropped FROM candidate " OF ") AS steps,"                                        \
    " (SELECT total(guess_new_tokens) AS written, total(guess_prompt_tokens) AS prompts,"                     \
    " total(guess_cached_tokens) AS cached FROM spoken " OF ") AS guesses,"                                   \
    " (SELECT total(new_tokens) AS answers FROM answer " OF ")"

static cord_status totals_of(struct journal *j, const char *sql, int64_t which, struct journal_totals *t,
                             cord_error *err) {
    struct rows r;
    *t = (struct journal_totals){0};
    rows_open(&r, j, NULL, err, sql, "l", which);
    if (rows_next(&r)) {
        int64_t *const sums[] = {&t->proposed_tokens,
                                 &t->propose_prompt_tokens,
                                 &t->propose_cached_tokens,
                                 &t->score_prompt_tokens,
                                 &t->score_cached_tokens,
                                 &t->judged_tokens,
                                 &t->not_apart,
                                 &t->candidates,
                                 &t->dropped,
                                 &t->answer_tokens};
        for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) *sums[i] = row_int64(&r);
    }
    return rows_end(&r);
}

cord_status journal_totals(struct journal *j, int64_t problem, struct journal_totals *t, cord_error *err) {
    return problem ? totals_of(j, SUMS("WHERE problem = ?1"), problem, t, err)
                   : totals_of(j, SUMS("WHERE ?1 = 0"), 0, t, err);
}

cord_status journal_totals_of(struct journal *j, enum problem_status status, struct journal_totals *t,
                              cord_error *err) {
    return totals_of(j, SUMS("WHERE problem IN (SELECT key FROM problem WHERE status = ?1)"), (int64_t)status, t, err);
}
