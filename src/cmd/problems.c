/* problems.c - `cord problems`: what cord makes of a file of problems, before any model is asked: what was recognised, how
 * golds were read, what cannot be used and why, what comes twice, how long things are. It must not know layouts or kinds of
 * files. */
#include "base/json.h"
#include "cmd/page.h"
#include "cmd/session.h"
#include "cmd/survey.h"

enum { SHOWN = 20, TOKENS_CONTEXT = 256 };

struct problems {
    const struct call *call;
    struct problem_options options;
    struct problem_reader *reader;
    struct survey survey;
    cord_error why;      /* of the last problem: its `bad` may lie in it */
    cord_engine *engine; /* NULL: lengths are bytes */
    cord_model *model;
    bool json;
    struct arena arena;
};

/* ---- reading --------------------------------------------------------------------------------------------------- */

static cord_status open_model(struct problems *p, cord_error *err) {
    const char *name = call_option(p->call, "model")->text;
    cord_model_options options = {.name = name, .context = TOKENS_CONTEXT, .gpu_layers = 0};
    cord_engine_options with = engine_options_of(1, NULL);
    CORD_TRY(find_weights(name, &p->arena, &options.path, err));
    CORD_TRY(cord_engine_open(&with, &p->engine, err));
    watch_signals(p->engine);
    return cord_model_open(p->engine, &options, &p->model, err);
}

static cord_status measure(struct problems *p, enum survey_part part, cord_text text, cord_error *err) {
    int tokens = 0;
    cord_span span = {text, false};
    if (!text.len) return CORD_OK;
    if (p->model) CORD_TRY(cord_count_tokens(p->model, &span, 1, &tokens, err));
    lengths_add(&p->survey.lengths[part], p->model ? tokens : (int64_t)text.len);
    return CORD_OK;
}

static cord_status add(struct problems *p, struct problem *problem, cord_error *err) {
    cord_status status = CORD_OK;
    p->why = (cord_error){0};
    const cord_text texts[] = {problem->question.text, problem->full_question, problem->gold, problem->target};
    for (int i = 0; i < SURVEY_PARTS && !problem->bad && status == CORD_OK; i++)
        status = measure(p, (enum survey_part)i, texts[i], &p->why);
    if (status == CORD_BAD_INPUT) problem->bad = p->why.message; /* the tokenizer cannot spell it */
    if (status != CORD_OK && status != CORD_BAD_INPUT) {
        if (err) *err = p->why;
        return status;
    }
    return survey_add(&p->survey, problem, err);
}

static cord_status read_all(struct problems *p, cord_error *err) {
    CORD_TRY(problem_reader_open(&p->options, &p->reader, err)); /* before a model, which takes its time to load */
    p->survey.unit = problem_reader_unit(p->reader);
    if (call_option(p->call, "model")->given)
        CORD_TRY(open_model(p, err));
    else
        note_signals();
    for (;;) {
        struct problem problem;
        bool more;
        CORD_TRY(problem_reader_next(p->reader, &more, &problem, err));
        if (!more) break;
        CORD_TRY(add(p, &problem, err));
        if (was_interrupted()) return error_set(err, CORD_CANCELLED, "interrupted");
    }
    if (p->survey.problems) return CORD_OK;
    error_where(err, "%s", p->options.path);
    return error_set(err, CORD_BAD_INPUT, "there is no row in this file");
}

/* ---- for people ------------------------------------------------------------------------------------------------ */

static const struct layout *find_layout(const char *name) {
    int n;
    const struct layout *table = layout_table(&n);
    for (int i = 0; i < n; i++)
        if (!strcmp(table[i].name, name)) return &table[i];
    return NULL;
}

static void show_text(struct page *page, cord_text text) {
    page_print(page, PAINT_NONE, "  ");
    page_cell(page, PAINT_NONE, text, -70);
}

/* The set's name, and how its golds were read, with examples; a note once a layout. */
static void show_golds(const struct survey *s, struct page *page) {
    for (int i = 0; i < s->n_groups; i++) {
        const struct gold_group *g = &s->groups[i];
        bool unknown = !strcmp(g->layout, "fields"), noted = false;
        page_print(page, PAINT_BOLD, "%s", unknown ? "no known set; fields by their usual or given names" : g->layout);
        page_print(page, PAINT_NONE, ": %lld gold%s from '", (long long)g->n, g->n == 1 ? "" : "s");
        page_cell(page, PAINT_NONE, g->field, -40);
        page_print(page, PAINT_NONE, "' (%s), as\n", g->how);
        for (int j = 0; j < g->n_examples; j++) {
            show_text(page, g->examples[j]);
            page_print(page, PAINT_NONE, "\n");
        }
        for (int j = 0; j < i; j++) noted |= s->groups[j].layout == g->layout;
        const struct layout *layout = find_layout(g->layout);
        if (!noted && layout && layout->note) page_text(page, PAINT_DIM, text_of(layout->note), 2, 0);
    }
    if (s->other_groups)
        page_print(page, PAINT_NONE, "%lld more golds, read in other ways\n", (long long)s->other_groups);
}

static void show_complaints(const struct complaints *list, const char *unit, struct page *page) {
    for (int i = 0; i < list->n; i++) {
        const struct complaint *c = &list->rows[i];
        page_print(page, PAINT_NONE, "  %s %lld (", unit, (long long)c->line);
        page_cell(page, PAINT_NONE, c->id, -40);
        page_print(page, PAINT_NONE, "): ");
        page_hanging(page, PAINT_NONE, text_of(c->what), 4);
    }
    if (list->count > list->n)
        page_print(page, PAINT_NONE, "  and %lld more; --all shows them\n", (long long)(list->count - list->n));
}

static void show_lengths(const struct problems *p, struct page *page) {
    page_print(page, PAINT_BOLD, "\n%-14s %9s %9s %9s %9s\n", p->model ? "tokens" : "bytes", "mean", "median", "90%",
               "longest");
    for (int i = 0; i < SURVEY_PARTS; i++) {
        const struct lengths *l = &p->survey.lengths[i];
        if (l->n)
            page_print(page, PAINT_NONE, "%-14s %9.1f %9lld %9lld %9lld\n", survey_part_names[i],
                       (double)l->sum / (double)l->n, (long long)lengths_at(l, 0.5), (long long)lengths_at(l, 0.9),
                       (long long)l->longest);
    }
}

static cord_status show(const struct problems *p, cord_error *err) {
    const struct survey *s = &p->survey;
    const char *unit = problem_reader_unit(p->reader);
    struct page page;
    page_init(&page, p->call->out);
    page_cell(&page, PAINT_BOLD, text_of(p->options.path), -200);
    page_print(&page, PAINT_NONE, ": %s, %lld problem%s, %lld of them can be used\n\n", problem_reader_kind(p->reader),
               (long long)s->problems, s->problems == 1 ? "" : "s", (long long)s->usable);
    show_golds(s, &page);
    page_print(&page, PAINT_NONE, "\nids: %lld in the rows, %lld made from the question\n", (long long)s->own_ids,
               (long long)(s->usable - s->own_ids));
    if (s->contexts)
        page_print(&page, PAINT_NONE, "context: %lld question%s behind one\n", (long long)s->contexts,
                   s->contexts == 1 ? " stands" : "s stand");
    if (s->other_targets)
        page_print(&page, PAINT_NONE, "target: in %lld problems it is another text than the gold\n",
                   (long long)s->other_targets);
    page_print(&page, s->unusable.count ? PAINT_BAD : PAINT_NONE, "unusable: %lld\n", (long long)s->unusable.count);
    show_complaints(&s->unusable, unit, &page);
    page_print(&page, PAINT_NONE, "duplicates: %lld with an id that was there before, %lld with a question\n",
               (long long)s->same_ids, (long long)s->same_questions);
    show_complaints(&s->repeated, unit, &page);
    if (s->usable) show_lengths(p, &page);
    bool failed = page.failed;
    page_release(&page);
    return failed ? error_memory(err) : CORD_OK;
}

/* ---- for programs ---------------------------------------------------------------------------------------------- */

static void write_complaints(struct json_writer *w, const char *name, const struct complaints *list, const char *unit) {
    json_open(w, name, '[');
    for (int i = 0; i < list->n; i++) {
        json_open(w, NULL, '{');
        json_int(w, unit, list->rows[i].line);
        json_text(w, "id", list->rows[i].id);
        json_text(w, "why", text_of(list->rows[i].what));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_golds(struct json_writer *w, const struct survey *s) {
    json_open(w, "golds", '[');
    for (int i = 0; i < s->n_groups; i++) {
        const struct gold_group *g = &s->groups[i];
        json_open(w, NULL, '{');
        json_text(w, "layout", text_of(g->layout));
        json_text(w, "field", g->field);
        json_text(w, "how", text_of(g->how));
        json_int(w, "count", g->n);
        json_open(w, "examples", '[');
        for (int j = 0; j < g->n_examples; j++) json_text(w, NULL, g->examples[j]);
        json_close(w, ']');
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_lengths(struct json_writer *w, const struct problems *p) {
    json_open(w, p->model ? "tokens" : "bytes", '{');
    for (int i = 0; i < SURVEY_PARTS; i++) {
        const struct lengths *l = &p->survey.lengths[i];
        if (!l->n) continue;
        json_open(w, survey_part_names[i], '{');
        json_double(w, "mean", (double)l->sum / (double)l->n);
        json_int(w, "median", lengths_at(l, 0.5));
        json_int(w, "p90", lengths_at(l, 0.9));
        json_int(w, "longest", l->longest);
        json_close(w, '}');
    }
    json_close(w, '}');
}

static cord_status write_json(const struct problems *p, cord_error *err) {
    const struct survey *s = &p->survey;
    const char *unit = problem_reader_unit(p->reader);
    struct buf out;
    struct json_writer w = {.out = &out};
    buf_init(&out, "a survey of problems", SIZE_MAX / 4);
    json_open(&w, NULL, '{');
    json_text(&w, "file", text_of(p->options.path));
    json_text(&w, "kind", text_of(problem_reader_kind(p->reader)));
    json_int(&w, "problems", s->problems);
    json_int(&w, "usable", s->usable);
    write_golds(&w, s);
    json_int(&w, "own_ids", s->own_ids);
    json_int(&w, "contexts", s->contexts);
    json_int(&w, "other_targets", s->other_targets);
    json_int(&w, "same_ids", s->same_ids);
    json_int(&w, "same_questions", s->same_questions);
    json_int(&w, "unusable_count", s->unusable.count);
    write_complaints(&w, "unusable", &s->unusable, unit);
    write_complaints(&w, "repeated", &s->repeated, unit);
    write_lengths(&w, p);
    json_close(&w, '}');
    buf_addc(&out, '\n');
    return call_put(p->call, &out, err);
}

/* ---- the verb -------------------------------------------------------------------------------------------------- */

static void read_options(struct problems *p) {
    const struct call *call = p->call;
    p->json = call_option(call, "format")->choice;
    p->options = (struct problem_options){
        .path = call->args[0],
        .library = duckdb_library(&p->arena),
        .id_field = call_option(call, "id")->text,
        .question_field = call_option(call, "question")->text,
        .answer_field = call_option(call, "answer")->text,
        .target_field = call_option(call, "target")->text,
        .context_field = call_option(call, "context")->text,
        .full_context_field = call_option(call, "full-context")->text,
        .judged = call_option(call, "judged")->given,
        .format = (enum answer_format)call_option(call, "answers")->choice,
    };
}

static int run_problems(const struct call *call) {
    struct problems p = {.call = call};
    cord_error err = {0};
    arena_init(&p.arena);
    read_options(&p);
    survey_init(&p.survey, call_option(call, "all")->given ? INT32_MAX : SHOWN);
    cord_status status = read_all(&p, &err);
    if (status == CORD_OK) status = p.json ? write_json(&p, &err) : show(&p, &err);
    int result = status == CORD_CANCELLED  ? EXIT_INTERRUPTED
                 : status != CORD_OK       ? call_fail(call, &err)
                 : !p.survey.usable        ? EXIT_NOTHING_DONE
                 : p.survey.unusable.count ? EXIT_SOME_FAILED
                                           : EXIT_ALL_DONE;
    watch_signals(NULL);
    problem_reader_close(p.reader);
    cord_engine_close(p.engine);
    survey_release(&p.survey);
    arena_release(&p.arena);
    return result;
}

static const struct option options[] = {
    {.name = "model",
     .letter = 'm',
     .type = OPTION_TEXT,
     .value = "NAME|PATH",
     .doc = "count lengths in this model's tokens: a GGUF file, or its name in $CORD_MODELS"},
    {.name = "format",
     .letter = 'f',
     .type = OPTION_TEXT,
     .value = "text|json",
     .doc = "for people (default), or one line of JSON"},
    {.name = "all", .type = OPTION_FLAG, .doc = "tell every unusable and repeated row, not the first 20"},
    {.name = "id", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field with the id; -: none"},
    {.name = "question", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field with the question"},
    {.name = "answer", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field with the gold"},
    {.name = "target", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field with what is scored"},
    {.name = "context", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field with what stands before the question"},
    {.name = "full-context",
     .type = OPTION_TEXT,
     .value = "FIELD",
     .doc = "the field with a longer context, which is only exported"},
    {.name = "answers",
     .type = OPTION_TEXT,
     .value = "auto|verbatim|hashes|boxed|integer",
     .doc = "how the gold stands in its field"},
    {.name = "judged", .type = OPTION_FLAG, .doc = "as for a recipe with grading.by: judge"},
    {.name = NULL},
};

const struct verb verb_problems = {
    .name = "problems",
    .synopsis = "FILE",
    .summary = "what cord makes of a file of problems, before any model is asked",
    .help =
        "Reads FILE as a recipe's problems.file would be, and tells which known set it is, how its golds were read, "
        "with examples, which rows cannot be used and why, which come twice, and how long questions and answers are. "
        "Nothing is written.\n\n"
        "FILE is JSONL, a JSON array, CSV, TSV or Parquet, plain or compressed by gzip or zstd. All but JSONL, "
        "plain or packed by gzip, goes through DuckDB's library (CORD_DUCKDB, or where `make duckdb` puts it). Known "
        "sets are LIMO, s1K, AIME, MATH, "
        "MATH-500, GSM8K, OpenR1-Math, NuminaMath-1.5, OpenThoughts, TAT-QA, PubMedQA, conversations, rows for verl "
        "(DAPO, Skywork) and questions with choices; for others name the fields, which a recipe's problems.id, "
        ".question, .answer, .target, .context, .full_context and .format do.\n\n"
        "Exit status: 0 all problems can be used, 1 none, or FILE cannot be read, 2 wrong usage, 3 some cannot.",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run_problems,
};
