/* export.c - `cord export`: training rows from a run. It must not know layouts of rows, nor how one is chosen. */
#include "store/export.h"
#include "cmd/cmd.h"
#include "store/output.h"

static void plural(FILE *out, int n, const char *one, const char *many) {
    fprintf(out, "%d %s", n, n == 1 ? one : many);
}

static void summary(const struct call *call, const struct export_options *options, const struct export_counts *c) {
    FILE *err = call->err;
    plural(err, c->rows, "row", "rows");
    fprintf(err, " from ");
    plural(err, c->problems, "problem", "problems");
    if (options->only_correct)
        fprintf(err, "; rescued by a correct trajectory behind a better-scored one: %d; without a correct one: %d",
                c->rescued, c->no_correct);
    if (c->no_answer) fprintf(err, "; without an answer: %d", c->no_answer);
    if (options->min_score > 0) fprintf(err, "; below the score: %d", c->below_score);
    fprintf(err, "; failed: %d; unfinished: %d\n", c->failed, c->unfinished);
}

/* A data set that lacks problems of the run is worth a status of its own. */
static int exit_status(const struct export_counts *c) {
    if (c->rows == 0) return EXIT_NOTHING_DONE;
    return c->failed + c->unfinished > 0 ? EXIT_SOME_FAILED : EXIT_ALL_DONE;
}

static cord_status export_to(struct journal *journal, const struct export_options *options, const struct call *call,
                             struct export_counts *counts, cord_error *err) {
    const struct option_value *file = call_option(call, "output");
    if (!file->given || strcmp(file->text, "-") == 0) return export_run(journal, options, call->out, counts, err);
    struct output output;
    CORD_TRY(output_open(&output, file->text, err));
    return output_close(&output, export_run(journal, options, output.file, counts, err), err);
}

static int run_export(const struct call *call) {
    const struct option_value *format = call_option(call, "format"), *markers = call_option(call, "markers");
    const char *const *names = export_formats();
    struct export_options options = {
        .format = format->given ? format->text : names[0],
        .only_correct = call_option(call, "only-correct")->given,
        .min_score = call_option(call, "min-score")->number,
        .strip_markers = markers->given && strcmp(markers->text, "strip") == 0,
        .think_open = TEXT("<think>\n"),
        .think_close = TEXT("\n</think>\n\n"),
    };
    size_t n = 0, known = 0;
    for (; names[n]; n++) known += strcmp(names[n], options.format) == 0;
    if (!known) {
        const char *near = text_nearest(options.format, names, n);
        return call_usage(call, "there is no format '%s'%s%s%s", options.format, near ? ", did you mean '" : "",
                          near ? near : "", near ? "'" : "");
    }
    if (markers->given && !options.strip_markers && strcmp(markers->text, "keep") != 0)
        return call_usage(call, "--markers is keep or strip, not '%s'", markers->text);

    struct journal *journal;
    struct export_counts counts;
    cord_error err = {0};
    if (journal_open(call->args[0], JOURNAL_READ, &journal, &err) != CORD_OK) return call_fail(call, &err);
    cord_status status = export_to(journal, &options, call, &counts, &err);
    journal_close(journal);
    if (status != CORD_OK) return call_fail(call, &err);
    summary(call, &options, &counts);
    return exit_status(&counts);
}

static const struct option options[] = {
    {.name = "format",
     .letter = 'f',
     .type = OPTION_TEXT,
     .value = "messages|prompt-completion",
     .doc = "how a row is laid out (messages)"},
    {.name = "output",
     .letter = 'o',
     .type = OPTION_TEXT,
     .value = "FILE",
     .doc = "write to FILE, whole or not at all"},
    {.name = "only-correct", .type = OPTION_FLAG, .doc = "take the best correct trajectory, or none"},
    {.name = "min-score",
     .type = OPTION_REAL,
     .value = "S",
     .min = 0,
     .max = 1,
     .doc = "leave out trajectories below this score"},
    {.name = "markers",
     .type = OPTION_TEXT,
     .value = "keep|strip",
     .doc = "keep the steps' markers (default), or strip them"},
    {.name = NULL},
};

const struct verb verb_export = {
    .name = "export",
    .synopsis = "RUN [-o FILE]",
    .summary = "write training data from what a run kept",
    .help =
        "Writes one row of JSON for each finished problem of the run folder RUN, in input order: the question as its\n"
        "author wrote it, and the best trajectory's reasoning inside <think> tags followed by its answer.\n"
        "\n"
        "  messages           {\"messages\": [{\"role\": \"user\", ...}, {\"role\": \"assistant\", ...}]}: a "
        "conversation;\n"
        "                     trainers put it into the student's chat template\n"
        "  prompt-completion  {\"prompt\": \"...\", \"completion\": \"...\"}: plain strings; trainers take them as "
        "they are\n"
        "                     and learn the completion only\n"
        "\n"
        "A trajectory that states no answer never becomes a row. With --only-correct, a problem whose best trajectory "
        "is\n"
        "not correct gives its best correct one instead, and a line on standard error says how often that happened.\n"
        "The exit status is 3 where some problems have failed or are unfinished, 1 where there is no row at all.",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run_export,
};
