/* stats.c - `cord stats`: what a run's best trajectories, or the rows of a file, are like. The figures are those of the
 * cards that `cord export` writes. It must not know how they are counted. */
#include "base/json.h"
#include "cmd/dataset.h"
#include "export/card.h"
#include "export/rows.h"

#include <sys/stat.h>

static cord_status figures_of_runs(const struct call *call, struct reader *reader, struct figures *figures,
                                   struct runs *runs, cord_error *err) {
    struct export_split split = {.name = "train", .share = 1};
    struct export_options options = {
        .format = training_format("messages"),
        .style = {.think_open = TEXT("<think>\n"), .think_close = TEXT("\n</think>\n\n")},
        .only_correct = call_option(call, "only-correct")->given,
        .min_lift = -1,
        .margin = -1,
        .top = 1,
        .mixed = call_option(call, "mixed")->given,
        .splits = &split,
        .n_splits = 1,
    };
    if (reader->tokenizer) {
        options.count_tokens = reader_count;
        options.count_plain = reader_count_plain;
        options.tokenizer = reader;
    }
    CORD_TRY(runs_open(runs, call->args, call->n_args, err));
    return export_rows(runs->sources, runs->n, &options, figures, err);
}

static cord_status figures_of_files(const struct call *call, struct reader *reader, struct figures *figures,
                                    struct arena *arena, cord_error *err) {
    *figures = (struct figures){0};
    for (int i = 0; i < call->n_args; i++)
        CORD_TRY(rows_read(call->args[i], duckdb_library(arena), reader->tokenizer ? reader_count : NULL, reader,
                           figures, arena, err));
    return CORD_OK;
}

/* Runs are folders, rows are files; both at once have no common figures. */
static cord_status find_kind(const struct call *call, bool *files, cord_error *err) {
    int n = 0;
    for (int i = 0; i < call->n_args; i++) {
        struct stat info;
        n += stat(call->args[i], &info) == 0 && !S_ISDIR(info.st_mode);
    }
    *files = n > 0;
    static const char *const its[] = {"only-correct", "mixed"};
    for (int i = 0; i < 2; i++)
        if (n && call_option(call, its[i])->given)
            return error_set(err, CORD_BAD_USAGE, "--%s is for runs, and all rows of a file are counted: leave it out",
                             its[i]);
    if (n == 0 || n == call->n_args) return CORD_OK;
    return error_set(err, CORD_BAD_USAGE, "run folders and files of rows are counted apart; name one kind at a time");
}

static cord_status print(const struct call *call, const struct figures *figures, cord_error *err) {
    struct buf out;
    buf_init(&out, "figures", 1 << 20);
    card_figures(figures, &out);
    return call_put(call, &out, err);
}

static int run_stats(const struct call *call) {
    struct reader reader = {0};
    struct runs runs = {0};
    struct figures figures;
    struct arena arena;
    cord_error err = {0};
    bool files = false;
    arena_init(&arena);
    cord_status status = find_kind(call, &files, &err);
    if (status == CORD_OK) status = reader_open(&reader, call_option(call, "tokenizer")->text, NULL, &err);
    if (status == CORD_OK)
        status = files ? figures_of_files(call, &reader, &figures, &arena, &err)
                       : figures_of_runs(call, &reader, &figures, &runs, &err);
    if (status == CORD_OK) status = print(call, &figures, &err);
    runs_close(&runs);
    reader_close(&reader);
    arena_release(&arena);
    if (status == CORD_BAD_USAGE) return call_usage(call, "%s", err.message);
    if (status != CORD_OK) return call_fail(call, &err);
    return figures.rows ? EXIT_ALL_DONE : EXIT_NOTHING_DONE;
}

static const struct option options[] = {
    {.name = "only-correct", .type = OPTION_FLAG, .doc = "of a run: the best correct trajectories"},
    {.name = "mixed", .type = OPTION_FLAG, .doc = "of runs: take a problem that several have from each of them"},
    {.name = "tokenizer", .type = OPTION_TEXT, .value = "NAME|PATH", .doc = "count tokens with this model's tokenizer"},
    {.name = NULL},
};

const struct verb verb_stats = {
    .name = "stats",
    .synopsis = "RUN...|FILE...",
    .summary = "say what a run's trajectories, or a file's rows, are like",
    .help =
        "Prints counts, accuracy, scores and lengths with small plots, teachers' shares, and which flaws are found: "
        "the same figures as on a data set's card. Of a run they are those of the rows that `cord export` would "
        "write. Of a file of rows in one of its layouts, texts alone are looked at (so gold-first, weak-step, "
        "special-token and cut are not found); with --provenance in the rows, scores, grades and teachers too. FILE is "
        "of any "
        "kind that `cord problems` reads.\n\n"
        "Exit status: 0; 1 where there is no row; 2 wrong usage.",
    .options = options,
    .min_args = 1,
    .max_args = 1000,
    .run = run_stats,
};
