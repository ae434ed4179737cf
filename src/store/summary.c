/* summary.c - counts a run from its journal and writes them down beside what the run was made with. */
#include "store/summary.h"

#include "base/json.h"
#include "store/database.h"

#include "cord_commit.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_SUMMARY = 1 << 30 }; /* the names of thousands of merged runs are in it */

void summary_add(struct summary_counts *counts, const struct journal_problem *problem, const struct answered *answers,
                 int n) {
    counts->problems++;
    counts->open += problem->status == PROBLEM_OPEN;
    counts->failed += problem->status == PROBLEM_FAILED;
    if (problem->status != PROBLEM_DONE) return;
    counts->done++;
    enum grade grade = n ? answers[0].grade : GRADE_NO_ANSWER;
    counts->correct += grade == GRADE_CORRECT;
    counts->wrong += grade == GRADE_WRONG;
    counts->no_answer += grade == GRADE_NO_ANSWER;
    counts->undecided += grade == GRADE_UNDECIDED;
    if (n && !isnan(answers[0].trajectory.log_score)) { /* a correct trace may come first that could not be scored */
        counts->mean_score += exp(answers[0].trajectory.log_score);
        counts->mean_log_score += answers[0].trajectory.log_score;
        counts->scored++;
    }
    if (n && !isnan(answers[0].log_pp)) {
        counts->mean_pp += exp(answers[0].log_pp);
        counts->measured++;
    }
    counts->mean_s0 += exp(problem->log_s0);
}

void summary_end(struct summary_counts *counts) {
    if (counts->done) {
        counts->mean_score = counts->scored ? counts->mean_score / counts->scored : (double)NAN;
        counts->mean_log_score = counts->scored ? counts->mean_log_score / counts->scored : (double)NAN;
        counts->mean_s0 /= counts->done;
    }
    counts->mean_pp = counts->measured ? counts->mean_pp / counts->measured : (double)NAN;
}

static cord_status count_one(struct journal *journal, const struct journal_problem *problem, struct arena *arena,
                             struct summary_counts *counts, cord_error *err) {
    struct answered *answers = NULL;
    int n = 0;
    if (problem->status == PROBLEM_DONE) CORD_TRY(journal_answers(journal, problem, arena, &answers, &n, err));
    summary_add(counts, problem, answers, n);
    return CORD_OK;
}

cord_status summary_count(struct journal *journal, bool wanted, struct summary_counts *counts, cord_error *err) {
    struct journal_walk walk;
    struct journal_problem problem;
    cord_status status = CORD_OK;
    bool counted = true;
    *counts = (struct summary_counts){0};
    journal_walk_begin(&walk, journal, err);
    while (status == CORD_OK && journal_walk_next(&walk, &problem)) {
        if (wanted) status = journal_wants(journal, &problem, &counted, err);
        if (status == CORD_OK && counted) status = count_one(journal, &problem, &walk.arena, counts, err);
    }
    status = journal_walk_end(&walk, status);
    summary_end(counts);
    return status;
}

/* What each participant is, of a run that this process has the models of. */
static void write_models(struct json_writer *w, const struct summary_model *models, int n) {
    json_open(w, "models", '[');
    for (int i = 0; i < n; i++) {
        json_open(w, NULL, '{');
        json_text(w, "name", text_of(models[i].info->name));
        json_text(w, "file", text_of(models[i].info->path));
        json_text(w, "description", text_of(models[i].info->description));
        json_int(w, "bytes", (int64_t)models[i].info->bytes);
        json_text(w, "sha256", text_of(models[i].sha256));
        json_int(w, "context", models[i].info->context);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* What the journal knows of the models that were used: their names and the hashes of their files. */
static cord_status write_known_models(struct json_writer *w, struct journal *journal, struct arena *arena,
                                      cord_error *err) {
    struct model_fact *facts;
    int n;
    CORD_TRY(journal_list_model_facts(journal, "sha256", arena, &facts, &n, err));
    json_open(w, "models", '[');
    for (int i = 0; i < n; i++) {
        json_open(w, NULL, '{');
        json_text(w, "name", facts[i].model);
        json_text(w, "sha256", facts[i].value);
        json_close(w, '}');
    }
    json_close(w, ']');
    return CORD_OK;
}

/* Who computed the run, which part of the problems it is of, and which runs it was merged from. */
static cord_status write_origin(struct json_writer *w, struct journal *journal, struct arena *arena, cord_error *err) {
    cord_text makers, maker, shard, merged;
    CORD_TRY(journal_get_fact(journal, "made_by", arena, &makers, err));
    CORD_TRY(journal_get_fact(journal, "shard", arena, &shard, err));
    CORD_TRY(journal_get_fact(journal, "merged", arena, &merged, err));
    json_open(w, "made_by", '[');
    while (text_next_line(&makers, &maker)) json_text(w, NULL, maker);
    json_close(w, ']');
    if (shard.len) json_text(w, "shard", shard);
    if (merged.len) json_raw(w, "merged", merged);
    return CORD_OK;
}

static void write_counts(struct json_writer *w, const struct summary_counts *c) {
    json_open(w, "problems", '{');
    json_int(w, "all", c->problems);
    json_int(w, "done", c->done);
    json_int(w, "failed", c->failed);
    json_int(w, "open", c->open);
    json_close(w, '}');
    json_open(w, "grades", '{');
    json_int(w, "correct", c->correct);
    json_int(w, "wrong", c->wrong);
    json_int(w, "no answer", c->no_answer);
    json_int(w, "undecided", c->undecided);
    json_close(w, '}');
    if (c->done) {
        json_double(w, "accuracy", (double)c->correct / c->done);
        json_double(w, "mean_score", c->mean_score);
        json_double(w, "mean_s0", c->mean_s0);
    }
}

static void write_totals(struct json_writer *w, const struct journal_totals *t) {
    json_open(w, "tokens", '{');
    json_int(w, "proposed", t->proposed_tokens);
    json_int(w, "propose_prompt", t->propose_prompt_tokens);
    json_int(w, "propose_cached", t->propose_cached_tokens);
    json_int(w, "score_prompt", t->score_prompt_tokens);
    json_int(w, "score_cached", t->score_cached_tokens);
    json_int(w, "judged", t->judged_tokens);
    json_int(w, "answer", t->answer_tokens);
    json_close(w, '}');
    json_int(w, "candidates", t->candidates);
    json_int(w, "dropped", t->dropped);
}

/* What servers were asked for. Without the session that knows the prices there is no money. */
static cord_status write_spending(struct json_writer *w, struct journal *journal, const struct spending *known,
                                  cord_error *err) {
    struct spending s;
    CORD_TRY(ledger_read(journal, &s, err));
    if (known) s = *known;
    if (!s.requests && !s.lost) return CORD_OK;
    json_open(w, "servers", '{');
    json_int(w, "requests", s.requests);
    json_int(w, "prompt_tokens", s.prompt_tokens);
    json_int(w, "cached_tokens", s.cached_tokens);
    json_int(w, "new_tokens", s.new_tokens);
    json_int(w, "lost", s.lost); /* sent without any answer, and possibly paid for */
    if (s.money > 0) json_double(w, "money", s.money);
    json_close(w, '}');
    return CORD_OK;
}

/* Seconds in which models computed or tokens were drawn; what is left is the search's own, the journal's, and waiting. Of
 * models that servers run only the waits are known, and these overlap: then nothing is said of it. */
static void write_seconds(struct json_writer *w, const struct summary_session *session) {
    double propose = 0, score = 0, sample = 0;
    if (session->spending) return;
    for (int i = 0; i < session->n_models; i++) {
        const cord_model_usage *usage = &session->models[i].usage;
        propose += (double)usage->propose_us / 1e6;
        score += (double)usage->score_us / 1e6;
        sample += (double)usage->sample_us / 1e6;
    }
    json_double(w, "propose_seconds", propose);
    json_double(w, "score_seconds", score);
    json_double(w, "sample_seconds", sample);
    json_double(w, "other_seconds", session->seconds - propose - score - sample);
}

json_t *summary_read(const char *folder, struct arena *arena) {
    const char *path = arena_printf(arena, "%s/summary.json", folder);
    return path ? json_load_file(path, 0, NULL) : NULL;
}

/* A session in which nothing was left to do says nothing of where time goes: the one before it stays. */
static bool keep_session(struct json_writer *w, const char *folder, struct arena *arena) {
    json_t *former = summary_read(folder, arena);
    char *session = json_dumps(json_object_get(former, "session"), JSON_COMPACT);
    if (session) json_raw(w, "session", text_of(session));
    free(session);
    json_decref(former);
    return session != NULL;
}

static void write_session(struct json_writer *w, const struct summary_session *session) {
    json_open(w, "session", '{');
    json_double(w, "seconds", session->seconds);
    json_int(w, "in_flight", session->in_flight);
    json_open(w, "models", '[');
    for (int i = 0; i < session->n_models; i++) {
        const cord_model_usage *usage = &session->models[i].usage;
        int64_t rows = usage->proposed_tokens + usage->propose_prefill_tokens + usage->scored_tokens;
        json_open(w, NULL, '{');
        json_text(w, "name", text_of(session->models[i].info->name));
        json_int(w, "written", usage->proposed_tokens);
        json_int(w, "prefilled", usage->propose_prefill_tokens);
        json_int(w, "scored", usage->scored_tokens);
        json_int(w, "cached", usage->cached_tokens);
        json_int(w, "batches", usage->batches);
        json_double(w, "rows_a_batch", usage->batches ? (double)rows / (double)usage->batches : 0);
        json_close(w, '}');
    }
    json_close(w, ']');
    write_seconds(w, session);
    json_close(w, '}');
}

static cord_status write_all(struct json_writer *w, struct journal *journal, const char *folder,
                             const struct summary_session *session, const struct summary_counts *counts,
                             struct arena *arena, cord_error *err) {
    struct journal_totals totals = {0};
    CORD_TRY(journal_totals(journal, 0, &totals, err));
    json_open(w, NULL, '{');
    json_text(w, "cord", text_of(cord_version()));
    json_text(w, "commit", text_of(CORD_COMMIT));
    CORD_TRY(write_origin(w, journal, arena, err));
    if (session) {
        const cord_engine_info *engine = &session->engine;
        json_text(w, "llama.cpp", text_of(engine->llama ? engine->llama : ""));
        json_text(w, "processor", text_of(engine->features ? engine->features : ""));
        json_int(w, "threads", engine->threads);
        write_models(w, session->models, session->n_models);
    } else {
        CORD_TRY(write_known_models(w, journal, arena, err));
    }
    write_counts(w, counts);
    write_totals(w, &totals);
    CORD_TRY(write_spending(w, journal, session ? session->spending : NULL, err));
    if (session && !(session->seconds == 0 && keep_session(w, folder, arena))) write_session(w, session);
    json_close(w, '}');
    buf_addc(w->out, '\n');
    return buf_check(w->out, err);
}

cord_status summary_write(struct journal *journal, const char *folder, const struct summary_session *session,
                          const struct summary_counts *counts, cord_error *err) {
    struct buf out;
    struct arena arena;
    arena_init(&arena);
    buf_init(&out, "the run's summary", MOST_SUMMARY);
    struct json_writer w = {&out, false};
    cord_status status = write_all(&w, journal, folder, session, counts, &arena, err);
    const char *path = arena_printf(&arena, "%s/summary.json", folder);
    if (status == CORD_OK) status = path ? file_write_atomic(path, buf_text(&out), err) : error_memory(err);
    arena_release(&arena);
    buf_release(&out);
    return status;
}
