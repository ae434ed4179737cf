/* journal.c - writes down what a run knows and what a search tells: one transaction a call. It must not know why a
 * search chose as it did.
 *
 * What is stored of a trajectory. Its text grows with every round, so storing it whole each time would be quadratic. A
 * candidate stores what it adds to its parent; a place in the beam stores where it came from, and a checksum of its
 * text, which journal_read.c compares with what it has put together again. */
#include "store/database.h"

enum { MOST_PARTS = 64 << 20 }; /* bytes of the list of one trace's parts */

/* ---- the run ------------------------------------------------------------------------------------------------- */

cord_status journal_put_fact(struct journal *j, const char *key, cord_text value, cord_error *err) {
    return query_run(j, err, "INSERT OR REPLACE INTO run (key, value) VALUES (?1, ?2)", "st", key, value);
}

cord_status journal_put_model_fact(struct journal *j, const char *model, const char *what, cord_text value,
                                   cord_error *err) {
    return query_run(j, err, "INSERT OR REPLACE INTO run (key, value) VALUES ('model.' || ?1 || '.' || ?2, ?3)", "sst",
                     model, what, value);
}

cord_status journal_add_to_fact(struct journal *j, const char *key, cord_text line, cord_error *err) {
    return query_run(j, err,
                     "INSERT INTO run (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE"
                     " SET value = value || char(10) || ?2"
                     " WHERE instr(char(10) || value || char(10), char(10) || ?2 || char(10)) = 0",
                     "st", key, line);
}

static cord_status put_teachers(struct journal *j, const struct teacher *teachers, int n, cord_error *err) {
    CORD_TRY(query_run(j, err, "DELETE FROM teacher", ""));
    for (int i = 0; i < n; i++)
        CORD_TRY(query_run(j, err, "INSERT INTO teacher (number, name) VALUES (?1, ?2)", "is", i, teachers[i].name));
    return CORD_OK;
}

cord_status journal_put_teachers(struct journal *j, const struct teacher *teachers, int n, cord_error *err) {
    CORD_TRY(transaction_begin(j, err));
    return transaction_end(j, put_teachers(j, teachers, n, err), err);
}

/* ---- the start of a search ----------------------------------------------------------------------------------- */

static cord_status put_spoken(struct journal *j, int64_t problem, const struct spoken *s, cord_error *err) {
    const struct prompt_style *style = s->style;
    CORD_TRY(query_run(j, err, "INSERT INTO spoken VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                       "litttttt"
                       "iiil",
                       problem, s->teacher, style->marker, style->between, style->think_close, style->answer_open,
                       style->score_open, style->score_close, s->guesses.prompt_tokens, s->guesses.cached_tokens,
                       s->guesses.new_tokens, s->guesses.us));
    for (int i = 0; i < s->prompt.n; i++)
        CORD_TRY(query_run(j, err, "INSERT INTO spoken_span VALUES (?1, ?2, ?3, ?4, ?5)", "liiit", problem, s->teacher,
                           i, (int)s->prompt.span[i].trusted, s->prompt.span[i].text));
    return CORD_OK;
}

/* What servers replied for what is written now will not be asked for again. */
static cord_status drop_replies(struct journal *j, int64_t problem, cord_error *err) {
    return query_run(j, err, "DELETE FROM reply WHERE problem = ?1", "l", problem);
}

static cord_status put_started(struct journal *j, int64_t problem, double log_s0, cord_text contrast,
                               const struct spoken *spoken, int n, cord_error *err) {
    CORD_TRY(drop_replies(j, problem, err));
    CORD_TRY(query_run(j, err, "UPDATE problem SET started = 1, log_s0 = ?2, contrast = ?3 WHERE key = ?1", "ldn",
                       problem, log_s0, contrast));
    CORD_TRY(query_run(j, err, "DELETE FROM spoken_span WHERE problem = ?1", "l", problem));
    CORD_TRY(query_run(j, err, "DELETE FROM spoken WHERE problem = ?1", "l", problem));
    for (int i = 0; i < n; i++) CORD_TRY(put_spoken(j, problem, &spoken[i], err));
    return CORD_OK;
}

cord_status journal_started(struct journal *j, int64_t problem, double log_s0, cord_text contrast,
                            const struct spoken *spoken, int n, cord_error *err) {
    CORD_TRY(transaction_begin(j, err));
    return transaction_end(j, put_started(j, problem, log_s0, contrast, spoken, n, err), err);
}

/* ---- rounds -------------------------------------------------------------------------------------------------- */

/* What a candidate's reasoning has that its parent's has not. data == NULL where it has no reasoning of its own. */
static cord_status find_added(struct journal *j, int64_t problem, int round, const struct candidate *c,
                              cord_text *added, cord_error *err) {
    *added = (cord_text){0};
    if (!c->reasoning.len) return CORD_OK;
    int64_t bytes = 0, checksum = (int64_t)seed_text(0, (cord_text){0});
    if (round > 1 && c->parent >= 0) {
        struct rows r;
        rows_open(&r, j, NULL, err, "SELECT bytes, checksum FROM beam WHERE problem = ?1 AND round = ?2 AND slot = ?3",
                  "lii", problem, round - 1, c->parent);
        bytes = -1;
        if (rows_next(&r)) {
            bytes = row_int64(&r);
            checksum = row_int64(&r);
        }
        CORD_TRY(rows_end(&r));
    }
    if (bytes < 0 || (size_t)bytes > c->reasoning.len ||
        (int64_t)seed_text(0, text_slice(c->reasoning, 0, (size_t)bytes)) != checksum)
        return error_set(err, CORD_INTERNAL, "a candidate of round %d does not continue the parent it names (slot %d)",
                         round, c->parent);
    *added = text_slice(c->reasoning, (size_t)bytes, c->reasoning.len);
    return CORD_OK;
}

/* "from to category" of each part, a line each; NULL for one step. */
static cord_status write_parts(const struct candidate *c, struct buf *out, cord_text *parts, cord_error *err) {
    *parts = (cord_text){0};
    for (int i = 0; c->parts && i < c->n_parts; i++)
        buf_addf(out, "%zu %zu %s\n", c->parts[i].from, c->parts[i].to,
                 c->parts[i].category ? c->parts[i].category : "");
    if (c->parts) *parts = buf_text(out);
    return buf_check(out, err);
}

static cord_status insert_candidate(struct journal *j, int64_t problem, int round, int number,
                                    const struct candidate *c, cord_text parts, cord_error *err) {
    cord_text added;
    CORD_TRY(find_added(j, problem, round, c, &added, err));
    return query_run(
        j, err,
        "INSERT INTO candidate VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
        " ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)",
        "lii"
        "iiiil"
        "tiisi"
        "ndiil"
        "iiiiii"
        "ll"
        "nn"
        "il",
        problem, round, number,                                                   /* which */
        c->parent, c->teacher, c->sample, c->run, (int64_t)c->seed,               /* whose */
        c->step, (int)c->end, (int)c->drop, c->drop_why, (int)c->finishes_parent, /* what */
        added, c->log_score, c->rank, c->slot, (int64_t)c->tie,                   /* how good */
        c->reasoning_tokens, c->prompt_tokens, c->cached_tokens, c->new_tokens, c->score_prompt_tokens,
        c->score_cached_tokens, c->propose_us, c->score_us, c->rollout, parts, c->judged_tokens, c->judge_us);
}

static cord_status put_candidate(struct journal *j, int64_t problem, int round, int number, const struct candidate *c,
                                 cord_error *err) {
    struct buf lines;
    cord_text parts;
    buf_init(&lines, "the parts of a trace", MOST_PARTS);
    cord_status status = write_parts(c, &lines, &parts, err);
    if (status == CORD_OK) status = insert_candidate(j, problem, round, number, c, parts, err);
    buf_release(&lines);
    return status;
}

/* The text is stored only where it is not simply its candidate's or its parent's (blanks cut at the end, say). */
static cord_status beam_text(struct journal *j, int64_t problem, const struct round *round, const struct trajectory *t,
                             int64_t checksum, bool *differs, cord_error *err) {
    if (t->candidate >= round->n_candidates)
        return error_set(err, CORD_INTERNAL, "round %d keeps a candidate that it has not", round->number);
    const struct candidate *c = t->candidate >= 0 ? &round->candidates[t->candidate] : NULL;
    if (c && !c->finishes_parent) {
        *differs = !text_equal(t->reasoning, c->reasoning);
        return CORD_OK;
    }
    int64_t same;
    CORD_TRY(query_int64(
        j, err, &same, 0,
        "SELECT 1 FROM beam WHERE problem = ?1 AND round = ?2 AND slot = ?3 AND bytes = ?4 AND checksum = ?5", "liill",
        problem, round->number - 1, t->from, (int64_t)t->reasoning.len, checksum));
    *differs = !same;
    return CORD_OK;
}

static cord_status put_trajectory(struct journal *j, int64_t problem, const struct round *round, int slot,
                                  cord_error *err) {
    const struct trajectory *t = &round->beam[slot];
    int64_t checksum = (int64_t)seed_text(0, t->reasoning);
    bool differs;
    CORD_TRY(beam_text(j, problem, round, t, checksum, &differs, err));
    return query_run(
        j, err,
        "INSERT INTO beam VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        "liiiiiidilln"
        "iiidln",
        problem, round->number, slot, t->from, t->candidate, (int)t->finish, t->author, t->log_score, t->tokens,
        (int64_t)t->reasoning.len, checksum, differs ? t->reasoning : (cord_text){0}, /* the text */
        t->run, t->tree.above, t->tree.visits, t->tree.value, (int64_t)t->tree.tried,
        t->reply.len ? t->reply : (cord_text){0});
}

static cord_status put_round(struct journal *j, int64_t problem, const struct round *round, cord_error *err) {
    CORD_TRY(drop_replies(j, problem, err));
    CORD_TRY(query_run(j, err, "INSERT INTO round VALUES (?1, ?2, ?3)", "lis", problem, round->number, round->note));
    for (int i = 0; i < round->n_candidates; i++)
        CORD_TRY(put_candidate(j, problem, round->number, i, &round->candidates[i], err));
    for (int i = 0; i < round->n_beam; i++) CORD_TRY(put_trajectory(j, problem, round, i, err));
    return CORD_OK;
}

cord_status journal_round(struct journal *j, int64_t problem, const struct round *round, cord_error *err) {
    CORD_TRY(transaction_begin(j, err));
    return transaction_end(j, put_round(j, problem, round, err), err);
}

/* ---- the end of a search ------------------------------------------------------------------------------------- */

/* Where a finished trajectory stands in the last beam, which has all of them: the place with its descent. Its text may have been
 * trimmed since. */
static cord_status find_place(struct journal *j, int64_t problem, const struct trajectory *t, int *round, int *slot,
                              bool *differs, cord_error *err) {
    struct rows r;
    rows_open(&r, j, NULL, err,
              "SELECT round, slot, bytes = ?2 AND checksum = ?3 FROM beam WHERE problem = ?1 AND origin = ?4 AND "
              "candidate = ?5"
              " AND round = (SELECT max(round) FROM beam WHERE problem = ?1)",
              "lllii", problem, (int64_t)t->reasoning.len, (int64_t)seed_text(0, t->reasoning), t->from, t->candidate);
    bool found = rows_next(&r);
    if (found) {
        *round = row_int(&r);
        *slot = row_int(&r);
        *differs = !row_int(&r);
    }
    CORD_TRY(rows_end(&r));
    return found ? CORD_OK : error_set(err, CORD_INTERNAL, "an answer's trajectory was never in the beam");
}

static cord_status put_answer(struct journal *j, int64_t problem, int number, const struct answered *a,
                              cord_error *err) {
    const struct trajectory *t = &a->trajectory;
    int round = 0, slot = 0;
    bool differs = false;
    CORD_TRY(find_place(j, problem, t, &round, &slot, &differs, err));
    return query_run(
        j, err,
        "INSERT INTO answer VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
        " ?19)",
        "liiiiidin"
        "ttis"
        "iiil"
        "dd",
        problem, number, round, slot, (int)t->finish, t->author, t->log_score, t->tokens,
        differs ? t->reasoning : (cord_text){0}, a->reply, a->answer, (int)a->grade, a->why, a->prompt_tokens,
        a->cached_tokens, a->new_tokens, a->us, a->log_pp, a->log_held_out);
}

static cord_status put_finished(struct journal *j, int64_t problem, const struct answered *finished, int n,
                                cord_error *err) {
    CORD_TRY(drop_replies(j, problem, err));
    for (int i = 0; i < n; i++) CORD_TRY(put_answer(j, problem, i, &finished[i], err));
    return query_run(j, err, "UPDATE problem SET status = ?2, reason = NULL WHERE key = ?1", "li", problem,
                     PROBLEM_DONE);
}

cord_status journal_finished(struct journal *j, int64_t problem, const struct answered *finished, int n,
                             cord_error *err) {
    CORD_TRY(transaction_begin(j, err));
    return transaction_end(j, put_finished(j, problem, finished, n, err), err);
}
