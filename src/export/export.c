/* export.c - see export.h. */
#include "export/export.h"

#include "export/exporter.h"

#include <math.h>

enum { MOST_ROW = 512 << 20 };

const char *export_refusal(const struct export_options *o) {
    bool rendered = o->turn || o->search_prompt;
    if (o->format->texts >= TEXTS_RENDERED && !rendered)
        return "this format holds rendered texts, so it needs --template (or --search-prompt)";
    if (o->search_prompt && o->format->texts == TEXTS_PLAIN)
        return "--search-prompt is a rendered text: take it with text, prompt-completion, axolotl-segments or step-dpo";
    if (o->turn && o->turn->thinking.len && !o->search_prompt && o->format->texts != TEXTS_PLAIN &&
        !text_equal(o->turn->thinking, text_trim(o->style.think_open)))
        return "the template opens the thinking with a tag that --think-tags does not name, so that nothing would "
               "close "
               "it: name the template's own";
    if (o->turn && o->turn->opens_otherwise && !o->search_prompt && o->format->texts != TEXTS_PLAIN)
        return "the template writes something else before what an assistant has said than where a model is to write, "
               "so that a rendered row would not be what it renders: take a format that the trainer renders, as "
               "messages, or name another template";
    if (o->search_prompt && o->full_context)
        return "--search-prompt holds the context that the search saw: leave it out, or leave out --full-context";
    if (o->format->kind == ROW_STEP_PAIR && o->drop >> FLAW_WEAK_STEP & 1)
        return "weak-step is of trajectories with a correct answer, and a pair of steps has no answer: leave it out of "
               "--drop";
    if (o->format->kind == ROW_STEP_PAIR && o->drop >> FLAW_CUT & 1)
        return "cut is of finished trajectories, and a pair of steps has whole steps alone: leave it out of --drop";
    if (o->margin > 0 && o->format->kind == ROW_TRACE)
        return "--margin is about pairs and labels: take it with dpo, step-dpo, prm or a layout of those, or leave it "
               "out";
    if (o->top > 1 && (o->format->kind == ROW_PAIR || o->format->kind == ROW_STEP_PAIR))
        return "--top is about trajectories, and this format is made of pairs: leave it out";
    if (o->max_tokens && !o->count_tokens) return "--max-tokens needs --tokenizer: tokens are one model's";
    return NULL;
}

/* ---- choice -------------------------------------------------------------------------------------------------- */

bool exporter_passes(struct exporter *e, double log_s) {
    const struct export_options *o = e->options;
    double score = exp(log_s), lift = score - exp(e->problem.log_s0);
    if (o->min_score > 0 && !(score >= o->min_score)) {
        exporter_remove(e, FILTER_SCORE);
        return false;
    }
    if (o->min_lift > -1 && !(lift >= o->min_lift)) {
        exporter_remove(e, FILTER_LIFT);
        return false;
    }
    return true;
}

/* Whether a trajectory may become a row, as far as its answer and its scores say; counted where it may not. */
static bool passes(struct exporter *e, const struct answered *a) {
    if (a->answer.len && a->grade != GRADE_NO_ANSWER) return exporter_passes(e, example_log_s(e->source, a));
    exporter_remove(e, FILTER_NO_ANSWER);
    return false;
}

static cord_status make(struct exporter *e, const struct answered *answered, int rank, struct example *example,
                        cord_error *err) {
    return example_make(e->source, &e->problem, answered, rank, &e->frame, &e->options->style, &e->walk.arena, example,
                        err);
}

/* False where steps have no scores. */
static bool label_steps(const struct exporter *e, const struct example *example, bool *labels) {
    double margin = exporter_margin(e);
    for (int i = 0; i < example->n_steps; i++) {
        if (isnan(example->steps[i].after - example->steps[i].before)) return false;
        labels[i] = example_step_is_good(&example->steps[i], margin);
    }
    return example->n_steps > 0;
}

/* A row of labelled steps has nothing else of its trajectory. */
static void leave_steps(struct example *example) {
    example->response = example->reasoning;
    example->reply = TEXT("");
    example->cut = example->finish == FINISHED_BUDGET;
}

/* `first`: none of the problem was taken before. */
static cord_status trace_row(struct exporter *e, const struct answered *answered, int rank, bool first,
                             cord_error *err) {
    struct example example;
    if (!passes(e, answered)) return CORD_OK;
    CORD_TRY(make(e, answered, rank, &example, err));
    struct training_row row = {.example = &example};
    if (e->options->format->kind == ROW_STEPS) {
        leave_steps(&example);
        bool *labels = arena_alloc(&e->walk.arena, (size_t)example.n_steps + 1);
        if (!labels) return error_memory(err);
        if (!label_steps(e, &example, labels)) {
            exporter_remove(e, FILTER_UNSCORED);
            return CORD_OK;
        }
        row.labels = labels;
    }
    int64_t before = e->figures->rows;
    CORD_TRY(sink_row(e, &row, &example, err));
    if (rank > 0 && first) e->figures->rescued += e->figures->rows - before;
    return CORD_OK;
}

/* The first ones, or the first correct ones. */
static cord_status trace_rows(struct exporter *e, const struct answered *answers, int n, cord_error *err) {
    int taken = 0;
    for (int i = 0; i < n && taken < e->options->top; i++) {
        if (e->options->only_correct && answers[i].grade != GRADE_CORRECT) continue;
        taken++;
        CORD_TRY(trace_row(e, &answers[i], i, taken == 1, err));
    }
    if (!taken) exporter_remove(e, e->options->only_correct ? FILTER_NOT_CORRECT : FILTER_NO_ANSWER);
    return CORD_OK;
}

/* The best against the worst, unless that is correct and the best is not; with --only-correct the best correct one against the
 * worst that is wrong, whatever their scores say. */
static cord_status pair_row(struct exporter *e, const struct answered *answers, int n, cord_error *err) {
    const struct answered *best = NULL, *worst = NULL;
    bool graded = e->options->only_correct;
    for (int i = 0; i < n; i++) {
        const struct answered *a = &answers[i];
        if (!a->answer.len && a->grade != GRADE_NO_ANSWER) continue;
        bool good = graded ? a->grade == GRADE_CORRECT : a->answer.len > 0 && a->grade != GRADE_NO_ANSWER;
        if (good &&
            (!best || isnan(best->trajectory.log_score) || a->trajectory.log_score > best->trajectory.log_score))
            best = a;
        if ((!graded || a->grade == GRADE_WRONG || a->grade == GRADE_NO_ANSWER) &&
            (!worst || isnan(worst->trajectory.log_score) || a->trajectory.log_score < worst->trajectory.log_score))
            worst = a;
    }
    if (graded && !best) {
        exporter_remove(e, FILTER_NOT_CORRECT);
        return CORD_OK;
    }
    if (!best || !worst || best == worst ||
        (!graded && !(best->trajectory.log_score - worst->trajectory.log_score > exporter_margin(e)))) {
        exporter_remove(e, FILTER_NO_PAIR);
        return CORD_OK;
    }
    if (best->grade != GRADE_CORRECT && worst->grade == GRADE_CORRECT) {
        exporter_remove(e, FILTER_REVERSED);
        return CORD_OK;
    }
    if (!passes(e, best)) return CORD_OK;
    struct example chosen, rejected;
    CORD_TRY(make(e, best, (int)(best - answers), &chosen, err));
    CORD_TRY(make(e, worst, (int)(worst - answers), &rejected, err));
    struct training_row row = {.example = &chosen, .rejected = &rejected};
    return sink_row(e, &row, &chosen, err);
}

/* ---- one problem --------------------------------------------------------------------------------------------- */

static cord_status find_search_prompt(struct exporter *e, cord_error *err) {
    struct spoken *spoken;
    int n;
    CORD_TRY(journal_spoken(e->source->journal, e->problem.key, &e->walk.arena, &spoken, &n, err));
    for (int i = 0; i < n; i++)
        if (spoken[i].teacher == -1) e->search_prompt = spans_text(spoken[i].prompt, &e->walk.arena);
    return CORD_OK;
}

/* The question with its full context, which the journal has not: it is read again from the row that the run took. */
static cord_status take_full_context(struct exporter *e, cord_error *err) {
    struct journal_problem *p = &e->problem;
    struct problem problem = {0};
    struct json_row row;
    cord_error why = {0};
    cord_status status = json_row_parse(&row, p->row, &why);
    if (status == CORD_OK) {
        status = problem_read_fields(&row, &e->source->fields, &p->question, &e->walk.arena, &problem, &why);
        json_row_release(&row);
    }
    if (status == CORD_OK && !problem.full_question.len) return CORD_OK;
    /* (a gold may be missing: that of a selection can come from its trace) */
    bool read = status == CORD_OK || status == CORD_BAD_INPUT;
    if (read && problem.full_question.len && text_equal(problem.question.text, p->question)) {
        p->question = problem.full_question;
        e->figures->full_contexts++;
        return CORD_OK;
    }
    if (status != CORD_OK && status != CORD_BAD_INPUT) return error_set(err, status, "%s", why.message);
    error_where(err, "%s", e->source->folder);
    return error_set(
        err, CORD_BAD_INPUT,
        "the row of the problem '%.100s' does not read as it did when it was run (%s), so its full context "
        "is not known; export without --full-context",
        p->id.data, status == CORD_OK ? "another question" : why.message);
}

static void count_best(struct figures *f, const struct answered *answers, int n, double log_s0) {
    spread_add(&f->s0, exp(log_s0));
    if (!n) return;
    f->best[answers[0].grade]++;
    spread_add(&f->pp, exp(answers[0].log_pp));
}

static cord_status done_problem(struct exporter *e, cord_error *err) {
    struct answered *answers;
    int n;
    CORD_TRY(journal_answers(e->source->journal, &e->problem, &e->walk.arena, &answers, &n, err));
    CORD_TRY(example_frame_read(e->source, e->problem.key, &e->walk.arena, &e->frame, err));
    if (e->options->search_prompt) CORD_TRY(find_search_prompt(e, err));
    if (e->options->full_context) CORD_TRY(take_full_context(e, err));
    count_best(e->figures, answers, n, e->problem.log_s0);
    if (e->options->format->kind == ROW_PAIR) return pair_row(e, answers, n, err);
    if (e->options->format->kind == ROW_STEP_PAIR) return pairs_of_steps(e, answers, n, err);
    return trace_rows(e, answers, n, err);
}

static cord_status read_problem(struct exporter *e, cord_error *err) {
    struct figures *f = e->figures;
    if (e->options->stopped && e->options->stopped()) return error_set(err, CORD_CANCELLED, "interrupted");
    e->search_prompt = (cord_text){0};
    f->problems++;
    f->done += e->problem.status == PROBLEM_DONE;
    f->failed += e->problem.status == PROBLEM_FAILED;
    f->open += e->problem.status == PROBLEM_OPEN;
    if (e->problem.status != PROBLEM_DONE) return CORD_OK;
    return done_problem(e, err);
}

/* ---- the runs ------------------------------------------------------------------------------------------------ */

/* A problem of several runs would give rows that contradict each other, or one row several times. */
struct ids {
    const struct export_source *sources;
    int at;
    struct seen seen; /* id -> its source's place, from 1 */
};

static cord_status check_id(struct ids *ids, cord_text id, cord_error *err) {
    int64_t other;
    CORD_TRY(seen_note(&ids->seen, id, ids->at + 1, &other, err));
    if (!other || other == ids->at + 1) return CORD_OK;
    return error_set(err, CORD_BAD_INPUT,
                     "mixed runs: the problem '%.100s' is done in %s and in %s; make one run of them with 'cord "
                     "merge', or take what each has with --mixed",
                     id.data, ids->sources[other - 1].folder, ids->sources[ids->at].folder);
}

static cord_status refuse_mixed(const struct export_source *sources, int n, cord_error *err) {
    struct ids ids = {.sources = sources};
    struct journal_walk walk;
    struct journal_problem problem;
    cord_status status = CORD_OK;
    seen_init(&ids.seen);
    for (; ids.at < n && status == CORD_OK; ids.at++) {
        journal_walk_begin(&walk, sources[ids.at].journal, err);
        while (status == CORD_OK && journal_walk_next(&walk, &problem))
            if (problem.status == PROBLEM_DONE) status = check_id(&ids, problem.id, err);
        status = journal_walk_end(&walk, status);
    }
    seen_release(&ids.seen);
    return status;
}

/* What a format makes of scores has to be in them. */
static cord_status refuse_scores(const struct export_source *sources, int n, const struct export_options *o,
                                 cord_error *err) {
    enum row_kind kind = o->format->kind;
    for (int i = 0; i < n; i++) {
        const struct export_source *s = &sources[i];
        if (kind == ROW_STEPS && s->scores != SCORES_OF_GOLD)
            return error_set(err, CORD_BAD_INPUT,
                             "%s: %s labels steps by whether they raise the score above S0, and this run chose by %s, "
                             "whose scores cannot be compared with S0; export it in another format",
                             s->folder, o->format->name, s->criterion);
        if ((kind == ROW_STEP_PAIR || (kind == ROW_PAIR && !o->only_correct)) && s->scores == SCORES_RANDOM)
            return error_set(err, CORD_BAD_INPUT, "%s: this run chose by random scores, which prefer nothing%s",
                             s->folder,
                             kind == ROW_PAIR ? "; with --only-correct correct trajectories are preferred to wrong ones"
                                              : "; export it in another format");
    }
    return CORD_OK;
}

static cord_status flush(FILE *file, const char *what, cord_error *err) {
    return !file || (fflush(file) == 0 && !ferror(file)) ? CORD_OK : error_errno(err, "write", what);
}

cord_status export_rows(const struct export_source *sources, int n, const struct export_options *options,
                        struct figures *figures, cord_error *err) {
    const char *refusal = export_refusal(options);
    struct exporter e = {.options = options, .figures = figures};
    *figures = (struct figures){0};
    if (refusal) return error_set(err, CORD_BAD_USAGE, "%s", refusal);
    if (n > 1 && !options->mixed) CORD_TRY(refuse_mixed(sources, n, err));
    seen_init(&e.seen);
    buf_init(&e.line, "a training row", MOST_ROW);
    for (int i = 0; i < options->n_splits; i++) options->splits[i].rows = 0;
    cord_status status = refuse_scores(sources, n, options, err);
    for (int i = 0; i < n && status == CORD_OK; i++) {
        e.source = &sources[i];
        journal_walk_begin(&e.walk, sources[i].journal, err);
        while (status == CORD_OK && journal_walk_next(&e.walk, &e.problem)) status = read_problem(&e, err);
        status = journal_walk_end(&e.walk, status);
    }
    for (int i = 0; i < options->n_splits && status == CORD_OK; i++)
        status = flush(options->splits[i].file, "the training rows", err);
    if (status == CORD_OK) status = flush(options->matches, "what overlaps", err);
    if (status == CORD_OK) status = flush(options->list, "the flaws", err);
    buf_release(&e.line);
    seen_release(&e.seen);
    return status;
}
