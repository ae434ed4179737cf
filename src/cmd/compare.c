/* compare.c - `cord compare`: runs side by side. Here runs are read, their problems matched, and those that differ in their
 * seed alone put together; the numbers are eval's, the formats compare_page.c's and compare_data.c's. */
#include "cmd/compare.h"
#include "recipe/recipe.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { MOST_NOTES = 1 << 20, DEFAULT_SAMPLES = 10000 };

/* ---- reading ------------------------------------------------------------------------------------------------- */

static const char *without_slashes(const char *folder, struct arena *arena) {
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/') len--;
    return arena_text(arena, (cord_text){folder, len}).data;
}

static cord_status read_run(struct compare *c, struct compared_run *run, const char *folder, cord_error *err) {
    run->folder = without_slashes(folder, &c->arena);
    if (!run->folder) return error_memory(err);
    CORD_TRY(journal_open(run->folder, JOURNAL_READ, &run->journal, err));
    CORD_TRY(journal_problems(run->journal, &c->arena, &run->problems, &run->n_problems, err));
    CORD_TRY(journal_get_teachers(run->journal, &c->arena, &run->teachers, &run->n_teachers, err));
    return journal_get_fact(run->journal, "recipe", &c->arena, &run->recipe, err);
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

static cord_status read_runs(struct compare *c, cord_error *err) {
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

static cord_status match(struct compare *c, cord_error *err) {
    struct problem_list *lists = arena_alloc(&c->arena, (size_t)c->n_runs * sizeof *lists);
    struct buf told;
    if (!lists) return error_memory(err);
    for (int i = 0; i < c->n_runs; i++) lists[i] = (struct problem_list){c->runs[i].problems, c->runs[i].n_problems};
    CORD_TRY(match_problems(lists, c->n_runs, &c->arena, &c->matching, err));
    c->comparison.n_problems = c->matching.n;
    buf_init(&told, "what is left out", MOST_NOTES);
    for (int i = 0; i < c->n_runs; i++) {
        if (!c->matching.left_out[i].n) continue;
        if (told.len) buf_addf(&told, "; ");
        tell_left_out(c, i, &told);
    }
    cord_status status = buf_check(&told, err);
    if (status == CORD_OK && !c->matching.n)
        status = error_set(err, CORD_BAD_INPUT, "the runs have no problem in common that is done%s%s",
                           told.len ? ": " : "", told.data);
    else if (status == CORD_OK && told.len && !call_option(c->call, "common")->given)
        status = error_set(err, CORD_BAD_INPUT,
                           "the runs are not of the same problems: only some have %s; finish them, or compare the %d "
                           "that all have with --common",
                           told.data, c->matching.n);
    else if (status == CORD_OK && told.len)
        buf_addf(&c->notes, "Cut to the problems that are done in all runs. Left out: %s.\n", told.data);
    if (status == CORD_OK && c->matching.not_done)
        buf_addf(&c->notes, "Done in no run, and left out: %d.\n", c->matching.not_done);
    buf_release(&told);
    return status;
}

/* ---- methods ------------------------------------------------------------------------------------------------- */

struct contrast {
    bool seed, scorer, other;
};

/* Which problems runs took is not part of the method. */
static void note_difference(cord_text line, struct contrast *out) {
    if (text_starts(line, TEXT("problems.file: ")) || text_starts(line, TEXT("problems.skip: ")) ||
        text_starts(line, TEXT("problems.limit: ")))
        return;
    if (text_starts(line, TEXT("run.seed: ")))
        out->seed = true;
    else
        out->other = true;
    out->scorer |= text_starts(line, TEXT("meta_prover.")) || text_starts(line, TEXT("models"));
}

/* In what two runs' recipes differ. */
static cord_status contrast(const struct compared_run *a, const struct compared_run *b, struct contrast *out,
                            cord_error *err) {
    cord_text lines = {0};
    struct arena arena;
    *out = (struct contrast){.other = !a->recipe.len || !b->recipe.len};
    if (out->other) return CORD_OK;
    arena_init(&arena);
    cord_status status = recipe_differences(a->recipe, b->recipe, &arena, &lines, err);
    while (status == CORD_OK && lines.len) {
        size_t end = (size_t)text_find(lines, TEXT("\n")) + 1; /* each ends with one */
        note_difference(text_slice(lines, 0, end), out);
        lines = text_slice(lines, end, lines.len);
    }
    arena_release(&arena);
    return status;
}

/* The method that the run is one more seed of: it differs in the seed from all its runs, and in nothing else. */
static cord_status find_method(struct compare *c, int run, cord_error *err) {
    int *method = &c->runs[run].method;
    for (*method = 0; *method < c->comparison.n_methods; ++*method) {
        bool fits = true;
        for (int i = 0; i < run && fits; i++) {
            struct contrast differs;
            if (c->runs[i].method != *method) continue;
            CORD_TRY(contrast(&c->runs[i], &c->runs[run], &differs, err));
            fits = differs.seed && !differs.other;
            if (!differs.seed && !differs.other)
                buf_addf(&c->notes, "%s and %s have the same recipe and the same seed.\n", c->runs[i].folder,
                         c->runs[run].folder);
        }
        if (fits) return CORD_OK;
    }
    c->first[*method] = &c->runs[run];
    c->comparison.n_methods++;
    return CORD_OK;
}

static cord_status measure_run(struct compare *c, int number, double *sums, struct hits *hits, cord_error *err) {
    const struct compared_run *run = &c->runs[number];
    for (int i = 0; i < c->matching.n; i++) {
        double value[MEASURES];
        int at = c->matching.at[number * c->matching.n + i];
        CORD_TRY(measure_problem(run->journal, &run->problems[at], value, hits, err));
        for (int m = 0; m < MEASURES; m++) sums[(size_t)i * MEASURES + m] += value[m];
    }
    return CORD_OK;
}

static cord_status measure_method(struct compare *c, int number, cord_error *err) {
    struct method *method = &c->comparison.methods[number];
    const struct compared_run *first = c->first[number];
    size_t size = (size_t)c->matching.n * MEASURES;
    double *values = arena_alloc(&c->arena, size * sizeof *values);
    c->letters[number] =
        number < 26 ? arena_printf(&c->arena, "%c", 'A' + number) : arena_printf(&c->arena, "M%d", number + 1);
    if (!values || !c->letters[number]) return error_memory(err);
    CORD_TRY(hits_init(&method->hits, first->n_teachers, &c->arena, err));
    for (int i = 0; i < c->n_runs; i++)
        if (c->runs[i].method == number) {
            CORD_TRY(measure_run(c, i, values, &method->hits, err));
            method->n_seeds++;
        }
    for (size_t i = 0; i < size; i++) values[i] /= method->n_seeds;
    method->values = values;
    method->name = first->folder;
    return CORD_OK;
}

/* PP is the run's own meta-prover's; of two meta-provers it says nothing of the traces. */
static cord_status note_scorers(struct compare *c, cord_error *err) {
    for (int i = 0; i < c->comparison.n_methods; i++) {
        struct contrast differs = {0};
        if (i != c->comparison.baseline)
            CORD_TRY(contrast(c->first[c->comparison.baseline], c->first[i], &differs, err));
        if (differs.scorer)
            buf_addf(&c->notes,
                     "PP and S0 of %s are by another meta-prover, or by models that are set up otherwise, than "
                     "those of %s: they cannot be compared as they stand.\n",
                     c->letters[i], c->letters[c->comparison.baseline]);
    }
    return CORD_OK;
}

static cord_status make_methods(struct compare *c, cord_error *err) {
    size_t n = (size_t)c->n_runs;
    c->comparison.methods = arena_alloc(&c->arena, n * sizeof *c->comparison.methods);
    c->letters = arena_alloc(&c->arena, n * sizeof *c->letters);
    c->first = arena_alloc(&c->arena, n * sizeof *c->first);
    if (!c->comparison.methods || !c->letters || !c->first) return error_memory(err);
    for (int i = 0; i < c->n_runs; i++) CORD_TRY(find_method(c, i, err));
    for (int i = 0; i < c->comparison.n_methods; i++) CORD_TRY(measure_method(c, i, err));
    return CORD_OK;
}

static cord_status find_baseline(struct compare *c, cord_error *err) {
    const struct option_value *baseline = call_option(c->call, "baseline");
    if (!baseline->given) return CORD_OK;
    const char *folder = without_slashes(baseline->text, &c->arena);
    if (!folder) return error_memory(err);
    for (int i = 0; i < c->n_runs; i++)
        if (!strcmp(c->runs[i].folder, folder)) {
            c->comparison.baseline = c->runs[i].method;
            return CORD_OK;
        }
    return error_set(err, CORD_BAD_INPUT, "--baseline: %s is none of the runs that are compared", baseline->text);
}

/* ---- what all formats say ------------------------------------------------------------------------------------ */

void compare_hit_kinds(const struct hits *hits, struct hit_kind kinds[HIT_KINDS]) {
    kinds[0] = (struct hit_kind){"final", "on the final path", hits->final};
    kinds[1] = (struct hit_kind){"kept", "kept in the beam", hits->kept};
    kinds[2] = (struct hit_kind){"proposed", "proposed", hits->proposed};
}

const char *compare_sentence(struct compare *c, const struct difference *difference, bool names) {
    struct buf out;
    buf_init(&out, "a sentence", 1 << 16);
    const char **called = arena_alloc(&c->arena, (size_t)c->comparison.n_methods * sizeof *called);
    for (int i = 0; called && i < c->comparison.n_methods; i++)
        called[i] = names ? c->comparison.methods[i].name : c->letters[i];
    if (called) comparison_tell(&c->comparison, difference, called, &out);
    const char *text = called && out.status == CORD_OK ? arena_text(&c->arena, buf_text(&out)).data : NULL;
    buf_release(&out);
    return text;
}

/* ---- the verb ------------------------------------------------------------------------------------------------ */

struct format {
    const char *name;
    cord_status (*write)(struct compare *compare, cord_error *err);
};

static const struct format formats[] = {
    {"text", compare_text}, {"markdown", compare_markdown}, {"csv", compare_csv}, {"json", compare_json}};

static cord_status compare_all(struct compare *c, const struct format *format, cord_error *err) {
    CORD_TRY(read_runs(c, err));
    CORD_TRY(match(c, err));
    CORD_TRY(make_methods(c, err));
    CORD_TRY(find_baseline(c, err));
    CORD_TRY(compare_methods(&c->comparison, &c->how, &c->arena, err));
    CORD_TRY(note_scorers(c, err));
    CORD_TRY(buf_check(&c->notes, err));
    CORD_TRY(format->write(c, err));
    if (fflush(c->call->out) != 0 || ferror(c->call->out)) return error_errno(err, "write", "the output");
    return CORD_OK;
}

static int run_compare(const struct call *call) {
    const struct option_value *wanted = call_option(call, "format"), *samples = call_option(call, "samples");
    const struct format *format = &formats[0];
    if (wanted->given) {
        size_t i = 0;
        while (i < sizeof formats / sizeof *formats && strcmp(formats[i].name, wanted->text) != 0) i++;
        if (i == sizeof formats / sizeof *formats)
            return call_usage(call, "--format is text, markdown, csv or json, not '%.200s'", wanted->text);
        format = &formats[i];
    }
    struct compare c = {.call = call};
    cord_error err = {0};
    arena_init(&c.arena);
    buf_init(&c.notes, "notes on a comparison", MOST_NOTES);
    c.how = (struct resampling){
        .samples = samples->given ? (int)samples->number : DEFAULT_SAMPLES,
        .level = 1 - COMPARISON_LEVEL,
        .seed = call_option(call, "seed")->given ? (uint64_t)call_option(call, "seed")->number : 1,
    };
    cord_status status = compare_all(&c, format, &err);
    for (int i = 0; i < c.n_runs; i++) journal_close(c.runs[i].journal);
    buf_release(&c.notes);
    arena_release(&c.arena);
    return status == CORD_OK ? EXIT_ALL_DONE : call_fail(call, &err);
}

static const struct option options[] = {
    {.name = "baseline",
     .type = OPTION_TEXT,
     .value = "RUN",
     .doc = "one of the runs: what the others are compared with (the first)"},
    {.name = "common", .type = OPTION_FLAG, .doc = "where runs are of different problems, compare those that all have"},
    {.name = "format",
     .letter = 'f',
     .type = OPTION_TEXT,
     .value = "text|markdown|csv|json",
     .doc = "how it is written (text)"},
    {.name = "samples", .type = OPTION_INT, .value = "N", .min = 1000, .max = 1e7, .doc = "of the bootstrap (10000)"},
    {.name = "seed", .type = OPTION_INT, .value = "N", .min = 0, .max = 1e15, .doc = "of the bootstrap (1)"},
    {.name = NULL},
};

const struct verb verb_compare = {
    .name = "compare",
    .synopsis = "RUN [RUN...]",
    .summary = "runs side by side: what each reaches and costs, and which differences are established",
    .help =
        "Compares run folders on the problems that are done in all of them: accuracy, predictive perplexity (PP),\n"
        "tokens and seconds a problem, and which teacher wrote the steps that were kept, over the progress of a "
        "trace.\n"
        "Runs whose recipes differ in run.seed alone are one method with several seeds.\n"
        "\n"
        "The primary comparison is the second method against the first (with --baseline: the first other method "
        "against\n"
        "it); the p values of all other comparisons are adjusted (Holm). Intervals are bootstrapped over problems,\n"
        "accuracies of one seed tested by McNemar's exact test. A sentence says of each difference whether it is\n"
        "established, and if not, how large one would have had to be. So decide which two methods are compared before\n"
        "looking at the numbers, and name these first. Formulas and sources: docs/compare.md.\n"
        "\n"
        "Seconds are those that problems waited: of runs with several problems at once they add up to more than the "
        "run\n"
        "took, and only runs on the same machine with the same run.in_flight can be compared by them.",
    .options = options,
    .min_args = 1,
    .max_args = 100,
    .run = run_compare,
};
