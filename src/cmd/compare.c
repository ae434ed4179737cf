/* compare.c - `cord compare`: runs side by side. Here runs are read, their problems matched, and those that differ in their
 * seed alone put together; the numbers are eval's, the notes beside them compare_notes.c's, the formats compare_page.c's and
 * compare_data.c's. */
#include "cmd/compare.h"
#include "recipe/recipe.h"
#include "store/output.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MOST_NOTES = 1 << 20, MOST_TOLD = 3, DEFAULT_SAMPLES = 10000 };

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* How many parameters the models had, as the run noted; 0: not known. */
static cord_status read_parameters(struct journal *journal, const struct recipe_outline *outline, int model,
                                   double *out, cord_error *err) {
    *out = 0;
    return model < 0 ? CORD_OK : journal_get_model_number(journal, outline->models[model], "parameters", out, err);
}

/* The model of a teacher of the journal; -1 for who has none. */
static int model_of(const struct recipe_outline *outline, const char *teacher) {
    for (int k = 0; k < outline->n_teachers; k++)
        if (!strcmp(outline->teachers[k], teacher)) return outline->teacher_model[k];
    return strcmp(teacher, INTEGRATOR) == 0 ? outline->integration_model : -1;
}

static cord_status read_sizes(struct compared_run *run, const struct recipe_outline *outline,
                              const struct evidence *evidence, struct arena *arena, cord_error *err) {
    double *teachers = arena_alloc(arena, (size_t)(evidence->n_teachers + 1) * sizeof *teachers);
    if (!teachers) return error_memory(err);
    run->sizes = (struct model_sizes){.teachers = teachers, .n_teachers = evidence->n_teachers};
    for (int k = 0; k < evidence->n_teachers; k++)
        CORD_TRY(read_parameters(run->journal, outline, model_of(outline, evidence->teachers[k]), &teachers[k], err));
    return read_parameters(run->journal, outline, outline->chooser_model, &run->sizes.chooser, err);
}

static const char *or_empty(cord_text text) { return text.data ? text.data : ""; }

static cord_status read_makers(const struct compared_run *run, struct arena *arena, const char **out, cord_error *err) {
    cord_text lines, line;
    CORD_TRY(journal_get_fact(run->journal, "made_by", arena, &lines, err));
    *out = lines.len ? "" : "unknown"; /* an older run */
    while (text_next_line(&lines, &line)) CORD_TRY(evidence_add_versions(out, line, arena, err));
    return CORD_OK;
}

/* A held-out scorer is to be nobody whose texts or choices it measures. */
static cord_status find_pooled(struct compared_run *run, const struct recipe_outline *o, struct arena *arena,
                               cord_error *err) {
    cord_text held_out;
    int own = 0;
    CORD_TRY(recipe_said(run->recipe, "measures.held_out", arena, &held_out, err));
    while (own < o->n_models && !text_equal(text_of(o->models[own]), held_out)) own++;
    if (own == o->n_models) return CORD_OK;
    for (int k = 0; k < o->n_teachers && !run->pooled; k++)
        if (o->teacher_model[k] >= 0 && o->alike[o->teacher_model[k]] == o->alike[own])
            run->pooled = arena_printf(arena, "the teacher %s", o->teachers[k]);
    if (!run->pooled && o->meta_model >= 0 && o->alike[o->meta_model] == o->alike[own]) run->pooled = "the meta-prover";
    if (!run->pooled && o->integration_model >= 0 && o->alike[o->integration_model] == o->alike[own])
        run->pooled = "the integrator";
    return CORD_OK;
}

static cord_status read_strategy(const struct compared_run *run, const struct recipe_outline *outline,
                                 struct arena *arena, const char **out, cord_error *err) {
    cord_text first;
    *out = or_empty(outline->strategy);
    if (strcmp(*out, "selection") != 0) return CORD_OK;
    CORD_TRY(recipe_said(run->recipe, "search.correct_first", arena, &first, err));
    if (text_equal(first, TEXT("true"))) *out = SELECTION_CORRECT_FIRST;
    return CORD_OK;
}

static cord_status read_run(struct compare *c, struct compared_run *run, const char *folder, cord_error *err) {
    struct evidence *evidence = arena_alloc(&c->arena, sizeof *evidence);
    struct recipe_outline outline;
    const char *version;
    int n;
    run->folder = arena_text(&c->arena, path_trim(text_of(folder))).data;
    run->evidence = evidence;
    if (!run->folder || !evidence) return error_memory(err);
    CORD_TRY(journal_open(run->folder, JOURNAL_READ, &run->journal, err));
    CORD_TRY(journal_problems(run->journal, &c->arena, &run->problems, &n, err));
    CORD_TRY(journal_get_teachers(run->journal, &c->arena, &evidence->teachers, &evidence->n_teachers, err));
    CORD_TRY(journal_get_fact(run->journal, "recipe", &c->arena, &run->recipe, err));
    CORD_TRY(recipe_outline(run->recipe, &c->arena, &outline, err));
    CORD_TRY(read_sizes(run, &outline, evidence, &c->arena, err));
    evidence->run = run->folder;
    run->measurer = outline.measuring_model >= 0 ? outline.models[outline.measuring_model] : NULL;
    CORD_TRY(find_pooled(run, &outline, &c->arena, err));
    CORD_TRY(read_strategy(run, &outline, &c->arena, &evidence->strategy, err));
    evidence->criterion = or_empty(outline.criterion);
    evidence->seed = or_empty(outline.seed);
    evidence->method = outline.method;
    evidence->scorer = outline.scorer;
    evidence->measurer = outline.measurer;
    CORD_TRY(read_makers(run, &c->arena, &version, err));
    return evidence_take(evidence, version, run->problems, n, &c->arena, err);
}

/* A run beside itself would count as two seeds, or as two methods without any difference. */
static cord_status refuse_twice(const struct compare *c, cord_error *err) {
    struct stat a, b;
    for (int i = 0; i < c->n_runs; i++)
        for (int j = 0; j < i; j++)
            if (stat(c->runs[i].folder, &a) == 0 && stat(c->runs[j].folder, &b) == 0 && a.st_dev == b.st_dev &&
                a.st_ino == b.st_ino)
                return error_set(err, CORD_BAD_INPUT, "%s and %s are the same run", c->runs[j].folder,
                                 c->runs[i].folder);
    return CORD_OK;
}

static cord_status read_journals(struct compare *c, cord_error *err) {
    int n = c->call->n_args;
    c->runs = arena_alloc(&c->arena, (size_t)n * sizeof *c->runs);
    if (!c->runs) return error_memory(err);
    for (; c->n_runs < n; c->n_runs++) {
        cord_status status = read_run(c, &c->runs[c->n_runs], c->call->args[c->n_runs], err);
        if (status == CORD_OK) continue;
        journal_close(c->runs[c->n_runs].journal);
        return status;
    }
    return refuse_twice(c, err);
}

/* "runs/a (0123abcd; strong, small)": with the beginning of the method's hash, its teachers, or both. */
static cord_status name_apart(struct compare *c, struct compared_run *run, bool method, bool teachers,
                              cord_error *err) {
    const struct evidence *own = run->evidence;
    struct buf name;
    cord_text text;
    buf_init(&name, "a run's name", MOST_NOTES);
    buf_addf(&name, "%s (%.*s", own->run, method ? 8 : 0, own->method);
    for (int k = 0; teachers && k < own->n_teachers; k++)
        buf_addf(&name, "%s%s", k ? ", " : method ? "; " : "", own->teachers[k]);
    buf_addf(&name, ")");
    CORD_TRY(buf_take(&name, &c->arena, &text, err));
    run->folder = text.data;
    return CORD_OK;
}

/* Tables of several versions or machines may call two methods by one folder. */
static cord_status tell_folders_apart(struct compare *c, cord_error *err) {
    for (int i = 0; i < c->n_runs; i++) {
        const struct evidence *own = c->runs[i].evidence;
        bool method = false, teachers = false;
        for (int j = 0; j < c->n_runs; j++) {
            const struct evidence *other = c->runs[j].evidence;
            if (strcmp(own->run, other->run) != 0) continue;
            bool same = !strcmp(own->method, other->method);
            method |= !same;
            teachers |= same && !evidence_same_teachers(own, other);
        }
        if (method || teachers) CORD_TRY(name_apart(c, &c->runs[i], method, teachers, err));
    }
    return CORD_OK;
}

static cord_status read_tables(struct compare *c, cord_error *err) {
    struct evidence_list list = {0};
    for (int i = 0; i < c->call->n_args; i++) CORD_TRY(evidence_read(c->call->args[i], &list, &c->arena, err));
    if (!list.n) return error_set(err, CORD_BAD_INPUT, "%s: there are no rows in it", c->call->args[0]);
    c->runs = arena_alloc(&c->arena, (size_t)list.n * sizeof *c->runs);
    if (!c->runs) return error_memory(err);
    for (; c->n_runs < list.n; c->n_runs++) {
        struct evidence *e = &list.runs[c->n_runs];
        c->runs[c->n_runs] = (struct compared_run){.folder = e->run, .evidence = e};
    }
    return tell_folders_apart(c, err);
}

/* ---- matching ------------------------------------------------------------------------------------------------ */

/* "5 of runs/a: one of them, 'p7', is not in runs/b" */
static void tell_left_out(const struct compare *c, int run, struct buf *out) {
    static const char *const why[] = {"is not in", "is another problem in", "failed in", "is not done in"};
    const struct left_out *left = &c->matching.left_out[run];
    cord_text id = left->example;
    if (id.len > 60) id = text_slice(id, 0, utf8_valid_prefix(text_slice(id, 0, 60)));
    buf_addf(out, "%d of %s (such as '%.*s', which %s %s)", left->n, c->runs[run].folder, (int)id.len, id.data,
             why[left->why], c->runs[left->where].folder);
}

/* Of so many runs; how many others there are. */
static void tell_most_left_out(const struct compare *c, int most, struct buf *out) {
    int others = -most;
    for (int i = 0; i < c->n_runs; i++) {
        if (!c->matching.left_out[i].n || ++others > 0) continue;
        if (out->len) buf_addf(out, "; ");
        tell_left_out(c, i, out);
    }
    if (others > 0) buf_addf(out, "; and %d other%s", others, others == 1 ? "" : "s");
}

/* What makes the runs those of the same problems. */
static const char *remedy(const struct compare *c) {
    bool failed = false, open = false;
    for (int i = 0; i < c->n_runs; i++) {
        if (!c->matching.left_out[i].n) continue;
        failed |= c->matching.left_out[i].why == LACK_FAILED;
        open |= c->matching.left_out[i].why != LACK_FAILED;
    }
    if (!failed) return "finish them";
    return open ? "finish them, with --retry-failed for what failed"
                : "try those that failed again with --retry-failed";
}

static cord_status match(struct compare *c, const struct evidence *const *runs, cord_error *err) {
    struct buf told;
    CORD_TRY(match_problems(runs, c->n_runs, &c->arena, &c->matching, err));
    c->comparison.n_problems = c->matching.n;
    buf_init(&told, "what is left out", MOST_NOTES);
    bool cut = c->matching.n && call_option(c->call, "common")->given;
    tell_most_left_out(c, cut ? c->n_runs : MOST_TOLD, &told); /* an error has no room for more */
    cord_status status = buf_check(&told, err);
    if (status == CORD_OK && !c->matching.n && c->n_runs == 1)
        status = error_set(err, CORD_BAD_INPUT, "%s: no problem of it is done, so there is nothing to compare",
                           c->runs[0].folder);
    else if (status == CORD_OK && !c->matching.n)
        status = error_set(err, CORD_BAD_INPUT,
                           "the runs have no problem in common that is done; finish them, or name runs of the same "
                           "problems%s%s",
                           told.len ? "; left out: " : "", told.data);
    else if (status == CORD_OK && told.len && !cut)
        status = error_set(err, CORD_BAD_INPUT,
                           "the runs are not of the same problems; %s, or compare the %d that all have with --common; "
                           "only some have %s",
                           remedy(c), c->matching.n, told.data);
    else if (status == CORD_OK && told.len) {
        buf_addf(&c->notes, "Cut to the problems that are done in all runs. Left out: %s.", told.data);
        compare_end_note(c);
    }
    if (status == CORD_OK && c->matching.not_done) {
        buf_addf(&c->notes, "Done in no run, and left out: %d.", c->matching.not_done);
        compare_end_note(c);
    }
    buf_release(&told);
    return status;
}

/* ---- methods ------------------------------------------------------------------------------------------------- */

/* The method that the run is one more seed of: it differs in the seed from all its runs, and in nothing else. The teachers of
 * a selection are the sources that its file names. */
static void find_method(struct compare *c, int run) {
    const struct evidence *own = c->runs[run].evidence;
    int *method = &c->runs[run].method;
    for (*method = 0; *method < c->comparison.n_methods; ++*method) {
        bool fits = true;
        for (int i = 0; i < run && fits; i++) {
            const struct evidence *other = c->runs[i].evidence;
            if (c->runs[i].method != *method) continue;
            bool same = *own->method && !strcmp(own->method, other->method) && evidence_same_teachers(own, other);
            bool seed = !strcmp(own->seed, other->seed);
            fits = same && !seed;
            if (same && seed) {
                buf_addf(&c->notes, "%s and %s have the same recipe and the same seed.", c->runs[i].folder,
                         c->runs[run].folder);
                compare_end_note(c);
            }
        }
        if (fits) return;
    }
    c->first[*method] = &c->runs[run];
    c->comparison.n_methods++;
}

static cord_status measure_row(struct compare *c, struct compared_run *run, int at, cord_error *err) {
    struct evidence_row *row = &run->evidence->rows[at];
    if (row->measured || row->status != PROBLEM_DONE) return CORD_OK;
    CORD_TRY(hits_init(&row->hits, run->evidence->n_teachers, &c->arena, err));
    CORD_TRY(measure_problem(run->journal, &run->problems[at], &run->sizes, row->value, &row->hits, err));
    row->measured = true;
    return CORD_OK;
}

static cord_status measure_compared(struct compare *c, cord_error *err) {
    for (int r = 0; r < c->n_runs; r++)
        for (int i = 0; i < c->matching.n; i++)
            CORD_TRY(measure_row(c, &c->runs[r], c->matching.at[r * c->matching.n + i], err));
    return CORD_OK;
}

/* Sums over the seeds, and how many have a value. */
static void add_run(const struct compare *c, int number, double *sums, int *counts, struct hits *hits) {
    for (int i = 0; i < c->matching.n; i++) {
        const struct evidence_row *row = compare_row(c, number, i);
        for (int m = 0; m < MEASURES; m++) {
            if (isnan(row->value[m])) continue;
            sums[(size_t)i * MEASURES + m] += row->value[m];
            counts[(size_t)i * MEASURES + m]++;
        }
        hits_add(hits, &row->hits);
    }
}

static cord_status measure_method(struct compare *c, int number, cord_error *err) {
    struct method *method = &c->comparison.methods[number];
    const struct compared_run *first = c->first[number];
    size_t size = (size_t)c->matching.n * MEASURES;
    double *values = arena_alloc(&c->arena, size * sizeof *values);
    int *counts = arena_alloc(&c->arena, size * sizeof *counts);
    c->letters[number] =
        number < 26 ? arena_printf(&c->arena, "%c", 'A' + number) : arena_printf(&c->arena, "M%d", number + 1);
    if (!values || !counts || !c->letters[number]) return error_memory(err);
    CORD_TRY(hits_init(&method->hits, first->evidence->n_teachers, &c->arena, err));
    for (int i = 0; i < c->n_runs; i++)
        if (c->runs[i].method == number) {
            add_run(c, i, values, counts, &method->hits);
            method->n_seeds++;
        }
    for (size_t i = 0; i < size; i++) { /* what was spent is known with all seeds or not at all */
        bool known = counts[i] && (counts[i] == method->n_seeds || !measure_is_cost((enum measure)(i % MEASURES)));
        values[i] = known ? values[i] / counts[i] : (double)NAN;
    }
    method->values = values;
    method->name = c->names[number] = first->folder;
    return CORD_OK;
}

static cord_status make_methods(struct compare *c, cord_error *err) {
    size_t n = (size_t)c->n_runs;
    c->comparison.methods = arena_alloc(&c->arena, n * sizeof *c->comparison.methods);
    c->letters = arena_alloc(&c->arena, n * sizeof *c->letters);
    c->names = arena_alloc(&c->arena, n * sizeof *c->names);
    c->first = arena_alloc(&c->arena, n * sizeof *c->first);
    if (!c->comparison.methods || !c->letters || !c->names || !c->first) return error_memory(err);
    for (int i = 0; i < c->n_runs; i++) find_method(c, i);
    CORD_TRY(measure_compared(c, err));
    CORD_TRY(compare_cut(c, err));
    for (int i = 0; i < c->comparison.n_methods; i++) CORD_TRY(measure_method(c, i, err));
    return CORD_OK;
}

/* Which of the runs it is: the first, unless told. */
static cord_status find_baseline(const struct compare *c, int *run, cord_error *err) {
    const struct option_value *baseline = call_option(c->call, "baseline");
    *run = 0;
    if (!baseline->given) return CORD_OK;
    cord_text folder = path_trim(text_of(baseline->text));
    for (; *run < c->n_runs; ++*run)
        if (text_equal(text_of(c->runs[*run].folder), folder)) return CORD_OK;
    return error_set(err, CORD_BAD_INPUT, "--baseline: %s is none of the runs that are compared", baseline->text);
}

/* ---- what all formats say ------------------------------------------------------------------------------------ */

void compare_hit_kinds(const struct hits *hits, struct hit_kind kinds[HIT_KINDS]) {
    kinds[0] = (struct hit_kind){"final", "on the final path", hits->final};
    kinds[1] = (struct hit_kind){"kept", "kept in the beam", hits->kept};
    kinds[2] = (struct hit_kind){"proposed", "proposed", hits->proposed};
}

/* A text of the comparison's own, in the arena; NULL when there is no memory. */
static const char *kept_text(struct compare *c, struct buf *out) {
    cord_text text;
    return buf_take(out, &c->arena, &text, NULL) == CORD_OK ? text.data : NULL;
}

const char *compare_budget(struct compare *c, int method) {
    struct buf out;
    buf_init(&out, "a budget", 1 << 16);
    comparison_tell_budget(&c->comparison, method, &out);
    return kept_text(c, &out);
}

const char *compare_equal(struct compare *c, int method, bool names) {
    struct buf out;
    buf_init(&out, "a budget", 1 << 16);
    comparison_tell_equal(&c->comparison, method, names ? c->names : c->letters, &out);
    return kept_text(c, &out);
}

const char *compare_sentence(struct compare *c, const struct difference *difference, bool names) {
    struct buf out;
    buf_init(&out, "a sentence", 1 << 16);
    comparison_tell(&c->comparison, difference, names ? c->names : c->letters, &out);
    return kept_text(c, &out);
}

/* ---- the verb ------------------------------------------------------------------------------------------------ */

/* All problems of all runs, whatever they are compared with. */
static cord_status write_rows(struct compare *c, const struct evidence *const *runs, cord_error *err) {
    const struct option_value *rows = call_option(c->call, "rows");
    if (!rows->given) return CORD_OK;
    bool from_rows = call_option(c->call, "from-rows")->given;
    CORD_TRY(output_spare_runs("--rows", rows->text, c->call->args, from_rows ? 0 : c->call->n_args, err));
    struct stat info;
    if (lstat(rows->text, &info) == 0)
        return error_set(err, CORD_BAD_USAGE,
                         "--rows: %s is there already, and its rows may be all that is left of runs; name a new file, "
                         "and compare both with --from-rows, or append one to the other",
                         rows->text);
    for (int r = 0; r < c->n_runs; r++)
        for (int i = 0; i < runs[r]->n; i++) CORD_TRY(measure_row(c, &c->runs[r], i, err));
    return evidence_write(runs, c->n_runs, rows->text, err);
}

/* In the order of --format's words. */
static cord_status (*const writers[])(struct compare *compare, cord_error *err) = {compare_text, compare_markdown,
                                                                                   compare_csv, compare_json};

static cord_status compare_all(struct compare *c, cord_error *err) {
    bool from_rows = call_option(c->call, "from-rows")->given;
    if (from_rows && call_option(c->call, "equal")->given)
        return error_set(
            err, CORD_BAD_USAGE,
            "--equal cuts runs to their first trajectories, which tables of rows do not hold; name the run "
            "folders, without --from-rows");
    CORD_TRY(from_rows ? read_tables(c, err) : read_journals(c, err));
    const struct evidence **runs = arena_alloc(&c->arena, (size_t)c->n_runs * sizeof *runs);
    int baseline;
    if (!runs) return error_memory(err);
    for (int i = 0; i < c->n_runs; i++) runs[i] = c->runs[i].evidence;
    CORD_TRY(find_baseline(c, &baseline, err));
    CORD_TRY(write_rows(c, runs, err));
    CORD_TRY(match(c, runs, err));
    CORD_TRY(make_methods(c, err));
    c->comparison.baseline = c->runs[baseline].method;
    c->comparison.no_primary = call_option(c->call, "no-primary")->given;
    CORD_TRY(compare_methods(&c->comparison, &c->how, &c->arena, err));
    CORD_TRY(compare_note(c, err));
    return writers[call_option(c->call, "format")->choice](c, err);
}

static int run_compare(const struct call *call) {
    struct compare c = {.call = call};
    cord_error err = {0};
    arena_init(&c.arena);
    buf_init(&c.notes, "notes on a comparison", MOST_NOTES);
    c.how = (struct resampling){
        .samples = (int)call_number(call, "samples", DEFAULT_SAMPLES),
        .level = 1 - COMPARISON_LEVEL,
        .seed = (uint64_t)call_number(call, "seed", 1),
    };
    cord_status status = compare_all(&c, &err);
    for (int i = 0; i < c.n_runs; i++) journal_close(c.runs[i].journal);
    buf_release(&c.notes);
    arena_release(&c.arena);
    return status == CORD_OK ? EXIT_ALL_DONE : call_fail(call, &err);
}

static const struct option options[] = {
    {.name = "against",
     .type = OPTION_TEXT,
     .value = "tokens|flops|seconds",
     .doc = "against what accuracy and PP are drawn (FLOPs, or tokens where they are not known, of three methods or "
            "more)"},
    {.name = "baseline",
     .type = OPTION_TEXT,
     .value = "RUN",
     .doc = "one of the runs: what the others are compared with (the first)"},
    {.name = "common", .type = OPTION_FLAG, .doc = "where runs are of different problems, compare those that all have"},
    {.name = "equal",
     .type = OPTION_TEXT,
     .value = "trajectories|tokens|flops|seconds",
     .doc = "cut methods of several runs or traces, problem by problem, to what the cheapest method spent of it there"},
    {.name = "format",
     .letter = 'f',
     .type = OPTION_TEXT,
     .value = "text|markdown|csv|json",
     .doc = "how it is written (text)"},
    {.name = "from-rows",
     .type = OPTION_FLAG,
     .doc = "what is named are files that --rows wrote, not run folders: the same numbers without journals"},
    {.name = "no-primary",
     .type = OPTION_FLAG,
     .doc = "no comparison was declared beforehand: the p values of all are adjusted, the first one's too"},
    {.name = "rows",
     .type = OPTION_TEXT,
     .value = "FILE",
     .doc = "write a row per problem, method and seed to this new file, tab-separated, to be kept and compared later"},
    {.name = "samples", .type = OPTION_INT, .value = "N", .min = 1000, .max = 1e7, .doc = "of the bootstrap (10000)"},
    {.name = "seed", .type = OPTION_INT, .value = "N", .min = 0, .max = 1e15, .doc = "of the bootstrap (1)"},
    {.name = NULL},
};

const struct verb verb_compare = {
    .name = "compare",
    .synopsis = "RUN [RUN...]",
    .summary = "runs side by side: what each reaches and costs, and which differences are established",
    .help =
        "Compares run folders on the problems that are done in all of them: accuracy, predictive perplexity (PP), "
        "tokens and seconds a problem, and which teacher wrote the steps that were kept, over the progress of a trace. "
        "Runs whose recipes differ in run.seed alone are one method with several seeds.\n\n"
        "The primary comparison is the second method against the first (with --baseline: the first other method "
        "against it); the p values of all other comparisons are adjusted (Holm). Intervals are bootstrapped over "
        "problems, accuracies of one seed tested by McNemar's exact test. A sentence says of each difference whether "
        "it is established, and if not, how large one would have had to be. So decide which two methods are compared "
        "before looking at the numbers, and name these first; where none was decided, say --no-primary. Formulas and "
        "sources: docs/compare.md.\n\n"
        "What each method spent on a problem, and by what that is equal to the baseline's within 5 %, stands under the "
        "table. FLOPs are 2 x parameters x tokens. Rows of many days and machines are compared with --from-rows.\n\n"
        "Whether a search beats best-of-N at the same cost says --equal: on each problem the least that any method "
        "spent there is the budget, and methods that are made of independent runs or traces (curation, rejection; "
        "greedy, cord and mcts with search.runs above 1) are cut to the first of these that are within it, at least "
        "one, of which the best is chosen anew.\n\n"
        "Seconds are those that problems waited: of runs with several problems at once they add up to more than the "
        "run took, and only runs on the same machine with the same run.in_flight can be compared by them.",
    .options = options,
    .min_args = 1,
    .max_args = 100,
    .run = run_compare,
};
