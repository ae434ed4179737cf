/* show.c - `cord show`: a run or one problem of it in the terminal. Only reads, also while the run is going on. The
 * view of a problem is show_problem.c's, that of a prompt show_prompt.c's. */
#include "cmd/show.h"

#include "recipe/recipe.h"
#include "store/summary.h"

#include <math.h>

cord_text show_teacher(const struct show *show, int teacher) {
    return teacher >= 0 && teacher < show->n_teachers ? text_of(show->teachers[teacher]) : TEXT("?");
}

enum paint show_grade_paint(enum grade grade) {
    return grade == GRADE_CORRECT ? PAINT_GOOD : grade == GRADE_WRONG ? PAINT_BAD : PAINT_WARN;
}

/* How wide scores are: "0.8750", "+12.9485". */
static int score_width(const struct show *s) { return s->criterion->shown_as == SHOWN_LOG ? 9 : 6; }

void show_score(struct show *s, enum paint paint, double log_score) {
    char text[SCORE_TEXT];
    page_print(&s->page, paint, "  %*s", score_width(s),
               score_text(s->criterion, score_shown(s->criterion, log_score), 4, text));
}

/* ---- the run ------------------------------------------------------------------------------------------------- */

/* A likelihood, or a dash. */
static void show_likelihood(struct show *s, double log_s) {
    if (isnan(log_s))
        page_print(&s->page, PAINT_NONE, "  %6s", "-");
    else
        page_print(&s->page, PAINT_NONE, "  %6.4f", exp(log_s));
}

/* Whether scores have PP beside them. */
static bool has_pp(const struct show *s) { return !shows_likelihoods(s->criterion); }

/* One line of the table. What is read for it is forgotten after it. */
static cord_status show_line(struct show *s, const struct journal_problem *p, struct arena *arena,
                             struct summary_counts *counts, cord_error *err) {
    struct answered *answers = NULL;
    int n = 0;
    if (p->status == PROBLEM_DONE) CORD_TRY(journal_answers(s->journal, p, arena, &answers, &n, err));
    const struct answered *best = n ? answers : NULL;
    page_print(&s->page, PAINT_DIM, "%4d", p->index + 1);
    page_print(&s->page, PAINT_NONE, "  ");
    page_cell(&s->page, PAINT_NONE, p->id, 18);
    page_print(&s->page, PAINT_NONE, "  ");
    const char *word = p->status == PROBLEM_FAILED ? "failed" : p->started ? "unfinished" : "open";
    if (p->status == PROBLEM_DONE) word = best ? grade_name(best->grade) : "no answer";
    enum paint paint = best ? show_grade_paint(best->grade) : p->status == PROBLEM_FAILED ? PAINT_BAD : PAINT_DIM;
    page_cell(&s->page, paint, text_of(word), 10);
    show_score(s, PAINT_NONE, best ? best->trajectory.log_score : (double)NAN);
    if (has_pp(s)) show_likelihood(s, best ? best->log_pp : (double)NAN);
    show_likelihood(s, p->started ? p->log_s0 : (double)NAN);
    page_print(&s->page, PAINT_NONE, "  %6d", p->rounds);
    cord_text last = best ? best->answer : p->reason;
    int before = 58 + score_width(s) + (has_pp(s) ? 8 : 0);
    int rest = s->page.columns - before > 12 ? s->page.columns - before : 12;
    if (last.len) page_print(&s->page, PAINT_NONE, "  ");
    page_cell(&s->page, PAINT_NONE, last, -rest);
    page_print(&s->page, PAINT_NONE, "\n");

    summary_add(counts, p, answers, n);
    return CORD_OK;
}

/* A fact of the run, its lines in one, behind what it is. */
cord_status show_fact(struct show *s, struct page *page, const char *key, const char *what, const char *between,
                      const char *behind, cord_error *err) {
    cord_text lines, line;
    CORD_TRY(journal_get_fact(s->journal, key, &s->arena, &lines, err));
    if (!lines.len) return CORD_OK;
    for (const char *before = what; text_next_line(&lines, &line); before = between) {
        page_print(page, PAINT_NONE, "%s", before);
        page_raw(page, PAINT_NONE, line);
    }
    page_print(page, PAINT_NONE, "%s\n", behind);
    return CORD_OK;
}

/* Who computed the run, which part of the problems it is of, which runs it was merged from, and by what other settings some of
 * it came to be. */
static cord_status show_origin(struct show *s, cord_error *err) {
    CORD_TRY(show_fact(s, &s->page, "made_by", "computed by cord ", ", ", "", err));
    CORD_TRY(
        show_fact(s, &s->page, "shard", "shard ", "", ": the part of the problems that cord run --shard took", err));
    CORD_TRY(show_fact(s, &s->page, "merged", "merged from ", "", "", err));
    CORD_TRY(show_fact(s, &s->page, "mixed", "merged from runs that do not agree: ", "; ", "", err));
    return show_fact(s, &s->page, "changed", "gone on with other settings: ", "; ", "", err);
}

static cord_status show_spending(struct show *s, cord_error *err) {
    struct spending spent;
    CORD_TRY(ledger_read(s->journal, &spent, err));
    if (!spent.requests && !spent.lost) return CORD_OK;
    page_print(
        &s->page, PAINT_NONE,
        "servers: %lld requests, %lld without an answer; tokens of prompts: %lld, %lld of them cached; written: %lld\n",
        (long long)spent.requests, (long long)spent.lost, (long long)spent.prompt_tokens,
        (long long)spent.cached_tokens, (long long)spent.new_tokens);
    return CORD_OK;
}

static void show_means(struct show *s, const struct summary_counts *c) {
    double mean = s->criterion->shown_as == SHOWN_LOG ? c->mean_log_score : c->mean_score;
    page_print(&s->page, PAINT_NONE, "mean %s%s %s", has_pp(s) ? "" : "score ", s->criterion->word,
               score_text(s->criterion, mean, 4, (char[SCORE_TEXT]){0}));
    if (has_pp(s) && c->measured) page_print(&s->page, PAINT_NONE, ", PP %.4f", c->mean_pp);
    page_print(&s->page, PAINT_NONE, ", without reasoning S0 %.4f\n", c->mean_s0);
}

static double number_of(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

static double rows_a_batch(const json_t *session) {
    const json_t *models = json_object_get(session, "models"), *model;
    double rows = 0, batches = 0;
    size_t i;
    json_array_foreach(models, i, model) {
        double own = number_of(model, "batches");
        if (own > 0) rows += number_of(model, "written") + number_of(model, "prefilled") + number_of(model, "scored");
        batches += own; /* none: a server's */
    }
    return batches > 0 ? rows / batches : 0;
}

/* Where the time of the last session went, which the run's summary says; of models on servers it does not. */
static void show_session(struct show *s) {
    static const char *const parts[][2] = {{"propose_seconds", "writing"},
                                           {"score_seconds", "scoring"},
                                           {"sample_seconds", "drawing tokens"},
                                           {"other_seconds", "no model at work"}};
    json_t *summary = summary_read(s->call->args[0], &s->arena);
    const json_t *session = json_object_get(summary, "session");
    double seconds = number_of(session, "seconds"), batch = rows_a_batch(session);
    if (seconds <= 0) {
        json_decref(summary);
        return;
    }
    page_print(&s->page, PAINT_NONE, "last session: %.0f s, at most %.0f problems at once", seconds,
               number_of(session, "in_flight"));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (json_object_get(session, parts[i][0]))
            page_print(&s->page, PAINT_NONE, "%s %s %.1f %%", i ? "," : ":", parts[i][1],
                       100 * number_of(session, parts[i][0]) / seconds);
    if (batch > 0) page_print(&s->page, PAINT_NONE, "; %.1f rows a batch", batch);
    page_print(&s->page, PAINT_NONE, "\n");
    json_decref(summary);
}

static cord_status show_totals(struct show *s, const struct summary_counts *c, cord_error *err) {
    struct journal_totals sums;
    CORD_TRY(journal_totals(s->journal, 0, &sums, err));
    page_print(&s->page, PAINT_BOLD, "\n%d of %d done", c->done, c->problems);
    page_print(&s->page, PAINT_NONE, ": %d correct, %d wrong, %d no answer, %d undecided; %d failed, %d to do\n",
               c->correct, c->wrong, c->no_answer, c->undecided, c->failed, c->open);
    if (c->done) show_means(s, c);
    page_print(&s->page, PAINT_NONE, "candidates: %lld, %lld of them dropped; tokens proposed: %lld, of answers: %lld",
               (long long)sums.candidates, (long long)sums.dropped, (long long)sums.proposed_tokens,
               (long long)sums.answer_tokens);
    if (sums.judged_tokens) page_print(&s->page, PAINT_NONE, ", judged: %lld", (long long)sums.judged_tokens);
    page_print(&s->page, PAINT_NONE, "\n");
    CORD_TRY(show_spending(s, err));
    show_session(s);
    return show_origin(s, err);
}

static cord_status show_run(struct show *s, cord_error *err) {
    struct summary_counts counts = {0};
    page_print(&s->page, PAINT_BOLD, "%4s  %-18s  %-10s  %*s%s  %6s  %6s  answer\n", "#", "id", "grade", score_width(s),
               s->criterion->word, has_pp(s) ? "      PP" : "", "S0", "rounds");
    struct journal_walk walk;
    struct journal_problem problem;
    cord_status status = CORD_OK;
    journal_walk_begin(&walk, s->journal, err);
    while (status == CORD_OK && journal_walk_next(&walk, &problem))
        status = show_line(s, &problem, &walk.arena, &counts, err);
    CORD_TRY(journal_walk_end(&walk, status));
    summary_end(&counts);
    return show_totals(s, &counts, err);
}

/* ---- one problem --------------------------------------------------------------------------------------------- */

static cord_status find_problem(struct show *s, const char *name, struct journal_problem *problem, cord_error *err) {
    bool found;
    CORD_TRY(journal_find(s->journal, name, &s->arena, &found, problem, err));
    if (found) return CORD_OK;
    return error_set(err, CORD_BAD_INPUT,
                     "there is no problem '%s' in %s; it has %d, named by id or by number ('cord show %s' "
                     "lists them)",
                     name, s->call->args[0], s->n_problems, s->call->args[0]);
}

/* Follows the best trajectory back through the beams. Of a problem that is not done, the one that leads. */
static void find_path(struct show_problem *p) {
    int slot = p->n_rounds ? 0 : -1;
    if (p->n_answers && p->n_rounds) {
        const struct trajectory *best = &p->answers[0].trajectory;
        const struct round *last = &p->rounds[p->n_rounds - 1];
        for (int i = 0; i < last->n_beam; i++)
            if (last->beam[i].from == best->from && last->beam[i].candidate == best->candidate) slot = i;
    }
    for (int r = p->n_rounds - 1; r >= 0; r--) {
        p->path[r] = slot >= 0 && slot < p->rounds[r].n_beam ? slot : -1;
        slot = p->path[r] >= 0 ? p->rounds[r].beam[slot].from : -1;
    }
}

static cord_status read_problem(struct show *s, const struct journal_problem *problem, struct show_problem *out,
                                cord_error *err) {
    *out = (struct show_problem){.problem = problem, .n_rounds = problem->rounds};
    size_t n = (size_t)problem->rounds + 1;
    out->rounds = arena_alloc(&s->arena, n * sizeof *out->rounds);
    out->path = arena_alloc(&s->arena, n * sizeof *out->path);
    if (!out->rounds || !out->path) return error_memory(err);
    const struct round *before = NULL;
    for (int i = 0; i < problem->rounds; before = &out->rounds[i++])
        CORD_TRY(journal_read_round(s->journal, problem->key, i + 1, before ? before->beam : NULL,
                                    before ? before->n_beam : 0, &s->arena, &out->rounds[i], err));
    if (problem->status == PROBLEM_DONE)
        CORD_TRY(journal_answers(s->journal, problem, &s->arena, &out->answers, &out->n_answers, err));
    find_path(out);
    return CORD_OK;
}

/* ---- the verb ------------------------------------------------------------------------------------------------ */

static cord_status show_what(struct show *s, cord_error *err) {
    const struct call *call = s->call;
    CORD_TRY(journal_get_teachers(s->journal, &s->arena, &s->teachers, &s->n_teachers, err));
    CORD_TRY(journal_count(s->journal, &s->n_problems, err));
    cord_text recipe; /* a shard may be empty, and done */
    CORD_TRY(journal_get_fact(s->journal, "recipe", &s->arena, &recipe, err));
    if (!s->n_problems && !recipe.data)
        return error_set(err, CORD_BAD_INPUT, "%s: nothing has been run here yet", call->args[0]);
    struct recipe_outline outline;
    CORD_TRY(recipe_outline(recipe, &s->arena, &outline, err));
    s->criterion = criterion_named(outline.criterion);
    if (call->n_args < 2) return show_run(s, err);
    struct journal_problem problem;
    struct show_problem p;
    CORD_TRY(find_problem(s, call->args[1], &problem, err));
    CORD_TRY(read_problem(s, &problem, &p, err));
    const struct option_value *why = call_option(call, "why"), *prompt = call_option(call, "prompt");
    if (prompt->given)
        return show_prompt(s, &p, prompt->text, (int)call_number(call, "round", 1),
                           (int)call_option(call, "slot")->number, err);
    if (why->given) return show_why(s, &p, (int)why->number, err);
    show_rounds(s, &p);
    return CORD_OK;
}

static int run_show(const struct call *call) {
    bool why = call_option(call, "why")->given, prompt = call_option(call, "prompt")->given;
    bool place = call_option(call, "round")->given || call_option(call, "slot")->given;
    if (call->n_args < 2 && (why || prompt)) return call_usage(call, "--why and --prompt need a problem");
    if (why && prompt) return call_usage(call, "--why and --prompt do not go together");
    if (place && !prompt) return call_usage(call, "--round and --slot belong to --prompt");

    struct show s = {.call = call, .full = call_option(call, "full")->given};
    cord_error err = {0};
    arena_init(&s.arena);
    page_init(&s.page, call->out);
    cord_status status = journal_open(call->args[0], JOURNAL_READ, &s.journal, &err);
    if (status == CORD_OK) status = show_what(&s, &err);
    if (status == CORD_OK && s.page.failed) status = error_memory(&err);
    journal_close(s.journal);
    page_release(&s.page);
    arena_release(&s.arena);
    return status == CORD_OK ? EXIT_ALL_DONE : call_fail(call, &err);
}

static const struct option options[] = {
    {.name = "full", .type = OPTION_FLAG, .doc = "texts in full, not just their first lines"},
    {.name = "why",
     .type = OPTION_INT,
     .value = "STEP",
     .min = 1,
     .max = 1e6,
     .doc = "why this step of the best trajectory was kept"},
    {.name = "prompt",
     .type = OPTION_TEXT,
     .value = "WHO",
     .doc = "what was sent to a teacher, to \"integrator\", \"meta\" or \"judge\", or for an \"answer\""},
    {.name = "round",
     .type = OPTION_INT,
     .value = "N",
     .min = 0,
     .max = 1e6,
     .doc = "with --prompt: in which round (1)"},
    {.name = "slot",
     .type = OPTION_INT,
     .value = "N",
     .min = 0,
     .max = 1e6,
     .doc = "with --prompt: for which place of the beam (0)"},
    {.name = NULL},
};

const struct verb verb_show = {
    .name = "show",
    .synopsis = "RUN [PROBLEM]",
    .summary = "look at a run, or at one problem step by step",
    .help =
        "RUN is a run folder; the run may be going on. Without PROBLEM: a line a problem, and totals. S is the score "
        "of the best trajectory, S0 the score without any reasoning; by a search.criterion that is no likelihood of "
        "the answer the score has that criterion's name (tokens, log ratio: docs/criteria.md), and PP stands beside "
        "it. PROBLEM is an id, or a number of that table (an id that is a number goes first): its rounds, every "
        "candidate with its teacher and score, and the answers. `cord compare RUN` has tokens and seconds by role.\n\n"
        "--prompt prints, byte for byte on a pipe, what a model was sent:\n"
        "  --prompt TEACHER --round N --slot K   to continue what stood in place K of the beam before round N\n"
        "  --prompt integrator --round N         to merge the traces, in round N or the next try after it\n"
        "  --prompt meta --round N --slot K      to score what stands in place K after round N; round 0: S0\n"
        "  --prompt judge --round N --slot K     to answer from it at once (search.criterion: judge)\n"
        "  --prompt answer --slot K              to write the answer of the K-th finished trajectory (0: the best)\n"
        "By search.criterion random, longest, judge or prm, the meta-prover is asked for S0 alone.",
    .options = options,
    .min_args = 1,
    .max_args = 2,
    .run = run_show,
};
