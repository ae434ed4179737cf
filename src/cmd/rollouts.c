/* rollouts.c - what steps are worth by writing on from them. A rollout is a trace of curation that begins behind the step, so
 * that steps, budgets, endings, answers and grades are those of any search. See rollouts.h. */
#include "cmd/rollouts.h"

#include "cmd/dataset.h"
#include "cmd/resume.h"
#include "model/backend.h"
#include "search/criterion.h"

#include <math.h>
#include <stdlib.h>

struct comparison {
    const struct export_source *source;
    struct recipe recipe;
    struct session session;
    double margin;
    struct rollouts *out;

    /* of the problem at hand */
    const struct journal_problem *problem;
    const struct answered *best;
    const struct example_step *steps;
    const struct step **ends; /* the last piece of each step */
    int n_steps;
    struct arena arena;
};

/* ---- one step's value -------------------------------------------------------------------------------------------- */

static cord_status count_right(void *ctx, const struct answered *finished, int n, cord_error *err) {
    double *value = ctx;
    int right = 0, answered = 0;
    (void)err;
    for (int i = 0; i < n; i++) { /* what a server refused nobody has answered */
        answered += !finished[i].refused;
        right += !finished[i].refused && finished[i].grade == GRADE_CORRECT;
    }
    *value = answered ? (double)right / answered : (double)NAN;
    return CORD_OK;
}

/* The traces that begin behind the first n steps: of each teacher as many as are wanted. */
static cord_status begin_rollouts(const struct comparison *c, int n, struct arena *arena, struct search_state *state,
                                  cord_error *err) {
    int teachers = c->session.n_teachers, times = c->recipe.search.runs;
    *state = (struct search_state){.started = true, .log_s0 = c->problem->log_s0, .n_beam = teachers * times};
    if (!n) return CORD_OK;
    struct trajectory *beam = arena_alloc(arena, (size_t)state->n_beam * sizeof *beam);
    cord_text reasoning;
    if (!beam) return error_memory(err);
    CORD_TRY(example_join(c->steps, n, arena, &reasoning, err));
    const cord_span span = {reasoning, false};
    int tokens;
    CORD_TRY(cord_count_tokens(c->session.meta_prover.model, &span, 1, &tokens, err));
    for (int i = 0; i < state->n_beam; i++)
        beam[i] = (struct trajectory){
            .reasoning = reasoning,
            .last = c->ends[n - 1],
            .n_steps = n,
            .tokens = tokens,
            .log_score = (double)NAN,
            .author = i / times,
            .run = i % times,
            .from = i,
            .candidate = -1,
        };
    state->round = c->ends[n - 1]->round;
    state->beam = beam;
    return CORD_OK;
}

/* The share of rollouts behind the first n steps that answer right. Behind the last it is what the trajectory itself said. */
static cord_status value_behind(const struct comparison *c, int n, double *value, cord_error *err) {
    const struct session *session = &c->session;
    const struct observer observer = {.ctx = value, .finished = count_right};
    struct arena arena;
    *value = c->best->grade == GRADE_CORRECT;
    if (n == c->n_steps) return CORD_OK;
    arena_init(&arena);
    struct search search = {
        .engine = session->engine,
        .group = (uint64_t)c->problem->key,
        .question = {c->problem->id, c->problem->question},
        .target = c->problem->target,
        .gold = c->problem->gold,
        .teachers = session->teachers,
        .n_teachers = session->n_teachers,
        .meta_prover = &session->meta_prover,
        .settings = &c->recipe.search,
        .grader = &session->grader,
        .observer = &observer,
        .arena = &arena,
    };
    cord_status status = begin_rollouts(c, n, &arena, &search.state, err);
    if (status == CORD_OK) status = search_run(&search, err);
    arena_release(&arena);
    return status;
}

/* ---- one problem ------------------------------------------------------------------------------------------------- */

/* The steps of the best trajectory, and the piece that each ends with. */
static cord_status read_steps(struct comparison *c, cord_error *err) {
    struct answered *answers;
    struct example_frame frame;
    int n;
    CORD_TRY(journal_answers(c->source->journal, c->problem, &c->arena, &answers, &n, err));
    CORD_TRY(example_frame_read(c->source, c->problem->key, &c->arena, &frame, err));
    c->n_steps = 0;
    if (!n) return CORD_OK;
    c->best = &answers[0];
    const struct trajectory *t = &c->best->trajectory;
    CORD_TRY(
        example_steps(c->source, t, c->problem->log_s0, &frame, MARKERS_KEEP, &c->arena, &c->steps, &c->n_steps, err));
    c->ends = arena_alloc(&c->arena, (size_t)(c->n_steps + 1) * sizeof *c->ends);
    if (!c->ends) return error_memory(err);
    int at = c->n_steps;
    for (const struct step *step = t->last; step && at; step = step->previous)
        if (step == t->last || !step->cut) c->ends[--at] = step;
    return CORD_OK;
}

static bool has_scores(const struct comparison *c) {
    for (int i = 0; i < c->n_steps; i++)
        if (isnan(c->steps[i].after - c->steps[i].before)) return false;
    return c->n_steps > 0;
}

static void count_steps(const struct comparison *c, const double *values) {
    struct rollouts *out = c->out;
    for (int i = 0; i < c->n_steps; i++) {
        bool good = example_step_is_good(&c->steps[i], c->margin);
        double change = values[i + 1] - values[i];
        if (values[i] > 0)
            out->fell[good][change < 0]++;
        else
            out->lost_before[good]++;
        out->hopeless[good][!(values[i + 1] > 0)]++;
        out->change[good] += change;
    }
    out->steps += c->n_steps;
    out->problems++;
}

/* *counted: every step has a value. */
static cord_status compare_steps(struct comparison *c, bool *counted, cord_error *err) {
    double *values = arena_alloc(&c->arena, (size_t)(c->n_steps + 1) * sizeof *values);
    if (!values) return error_memory(err);
    *counted = true;
    for (int i = 0; i <= c->n_steps; i++) {
        CORD_TRY(value_behind(c, i, &values[i], err));
        *counted &= !isnan(values[i]);
    }
    if (*counted) count_steps(c, values);
    return CORD_OK;
}

/* What is wrong with one problem costs that one. */
static cord_status one_problem(struct comparison *c, struct page *progress, cord_error *err) {
    cord_error why = {0};
    arena_init(&c->arena);
    cord_status status = read_steps(c, &why);
    bool counted = false;
    if (status == CORD_OK && has_scores(c)) status = compare_steps(c, &counted, &why);
    if (status == CORD_OK && counted) {
        page_cell(progress, PAINT_NONE, c->problem->id, -200);
        page_print(progress, PAINT_NONE, ": %d steps\n", c->n_steps);
    }
    cord_forget(c->session.engine, (uint64_t)c->problem->key);
    arena_release(&c->arena);
    bool own = is_requests_own(status);
    c->out->left_out += own || (status == CORD_OK && !counted);
    if (status == CORD_OK || own) return CORD_OK;
    if (err) *err = why;
    return status;
}

/* ---- the sample -------------------------------------------------------------------------------------------------- */

struct drawn {
    const struct journal_problem *problem;
    char hash[65];
};

static int by_hash(const void *a, const void *b) {
    return strcmp(((const struct drawn *)a)->hash, ((const struct drawn *)b)->hash);
}

/* Problems that are done, in the order of their ids' hashes: a larger sample has the smaller one in it. */
static cord_status draw(struct journal *journal, struct arena *arena, struct drawn **drawn, int *n, cord_error *err) {
    struct journal_problem *problems;
    int all;
    CORD_TRY(journal_problems(journal, arena, &problems, &all, err));
    *drawn = arena_alloc(arena, (size_t)(all + 1) * sizeof **drawn);
    if (!*drawn) return error_memory(err);
    *n = 0;
    for (int i = 0; i < all; i++) {
        if (problems[i].status != PROBLEM_DONE) continue;
        (*drawn)[*n].problem = &problems[i];
        sha256_text(problems[i].id, (*drawn)[(*n)++].hash);
    }
    qsort(*drawn, (size_t)*n, sizeof **drawn, by_hash);
    return CORD_OK;
}

/* ---- the comparison ---------------------------------------------------------------------------------------------- */

static cord_status open_recipe(struct comparison *c, struct arena *arena, int times, cord_error *err) {
    const struct recipe_options options = {.models_folder = models_folder(arena), .no_files = backend_local_refusal};
    cord_text text;
    CORD_TRY(journal_get_fact(c->source->journal, "recipe", arena, &text, err));
    CORD_TRY(recipe_load_text("the run's recipe", text, &options, &c->recipe, err));
    struct search_settings *s = &c->recipe.search;
    s->strategy = STRATEGY_CURATION;
    s->whole_traces = false;
    s->criterion = NULL;
    s->runs = times;
    s->beam = 1;
    s->seed = seed_mix(s->seed, ROLLOUT_STREAM);
    return CORD_OK;
}

static cord_status compare_drawn(struct comparison *c, const struct drawn *drawn, int n, int sample,
                                 struct page *progress, cord_error *err) {
    size_t longest = 0;
    if (n > sample) n = sample;
    for (int i = 0; i < n; i++) {
        size_t bytes = drawn[i].problem->question.len + drawn[i].problem->gold.len;
        if (bytes > longest) longest = bytes;
    }
    CORD_TRY(session_open(&c->session, &c->recipe, longest, NULL, NULL, err));
    c->out->teachers = c->session.n_teachers;
    const struct resume same = {.recipe = &c->recipe, .journal = c->source->journal, .arena = &c->session.arena};
    cord_status status = resume_compare_models(&same, &c->session, "put the run's own there for its rollouts", err);
    for (int i = 0; i < n && status == CORD_OK; i++) {
        c->problem = drawn[i].problem;
        status = one_problem(c, progress, err);
    }
    session_close(&c->session);
    return status;
}

cord_status rollouts_compare(const char *folder, int times, int sample, struct page *progress, struct rollouts *out,
                             cord_error *err) {
    struct arena arena;
    struct runs runs;
    struct drawn *drawn;
    int n;
    *out = (struct rollouts){.wanted = times};
    CORD_TRY(runs_open(&runs, &folder, 1, err));
    struct comparison c = {.source = runs.sources, .margin = runs.sources->noise, .out = out};
    arena_init(&arena);
    cord_status status = open_recipe(&c, &arena, times, err);
    if (status == CORD_OK) {
        status = draw(c.source->journal, &arena, &drawn, &n, err);
        if (status == CORD_OK) status = compare_drawn(&c, drawn, n, sample, progress, err);
        recipe_release(&c.recipe);
    }
    arena_release(&arena);
    runs_close(&runs);
    return status;
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

static int steps_with(const struct rollouts *r, int good) {
    return r->lost_before[good] + r->fell[good][0] + r->fell[good][1];
}

/* Steps that could have lowered the value, and those of which label and rollouts say the same. */
static int comparable(const struct rollouts *r) { return r->steps - r->lost_before[0] - r->lost_before[1]; }
static int agreeing(const struct rollouts *r) { return r->fell[1][0] + r->fell[0][1]; }

void rollouts_text(const struct rollouts *r, struct page *page) {
    page_print(page, PAINT_BOLD, "\nSteps: labels of cord export against rollouts\n");
    page_print(page, PAINT_NONE, "  %d problem%s, %d steps; behind each %d rollout%s of %d teacher%s\n", r->problems,
               page_plural(r->problems), r->steps, r->wanted, page_plural(r->wanted), r->teachers,
               page_plural(r->teachers));
    if (r->left_out)
        page_print(page, PAINT_NONE, "  left out, without a score for each step or a rollout: %d\n", r->left_out);
    page_print(page, PAINT_DIM, "  %-12s  %10s  %10s  %10s  %10s  %11s\n", "", "value fell", "it did not", "was 0",
               "none right", "mean change");
    for (int good = 1; good >= 0; good--) {
        int n = steps_with(r, good);
        page_print(page, PAINT_NONE, "  %-12s  %10d  %10d  %10d  %10d  ", good ? "label good" : "label bad",
                   r->fell[good][1], r->fell[good][0], r->lost_before[good], r->hopeless[good][1]);
        if (n)
            page_print(page, PAINT_NONE, "%+11.4f\n", r->change[good] / n);
        else
            page_print(page, PAINT_NONE, "%11s\n", "-");
    }
    int n = comparable(r);
    page_print(page, PAINT_NONE, "  label and rollouts agree on %d of the %d steps whose value could fall", agreeing(r),
               n);
    if (n) page_print(page, PAINT_NONE, " (%.1f %%)", 100.0 * agreeing(r) / n);
    page_print(page, PAINT_NONE, "\n");
}

void rollouts_json(const struct rollouts *r, struct json_writer *w) {
    static const char *const labels[] = {"bad", "good"};
    json_open(w, "rollouts", '{');
    json_int(w, "problems", r->problems);
    json_int(w, "left_out", r->left_out);
    json_int(w, "steps", r->steps);
    json_int(w, "of_each_teacher", r->wanted);
    json_int(w, "teachers", r->teachers);
    for (int good = 1; good >= 0; good--) {
        int n = steps_with(r, good);
        json_open(w, labels[good], '{');
        json_int(w, "steps", n);
        json_int(w, "was_zero", r->lost_before[good]);
        json_int(w, "fell", r->fell[good][1]);
        json_int(w, "none_right", r->hopeless[good][1]);
        json_double(w, "mean_change", n ? r->change[good] / n : (double)NAN);
        json_close(w, '}');
    }
    int n = comparable(r);
    json_double(w, "agreement", n ? (double)agreeing(r) / n : (double)NAN);
    json_close(w, '}');
}
