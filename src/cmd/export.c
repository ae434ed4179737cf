/* export.c - `cord export`: training rows from runs. It must not know layouts of rows, nor how one is chosen. */
#include "cmd/dataset.h"
#include "cmd/export_command.h"
#include "cmd/export_files.h"
#include "cmd/session.h"
#include "export/trainers.h"

#include <math.h>
#include <stdlib.h>

/* What a command line comes to. */
struct job {
    const struct call *call;
    struct export_options options;
    struct export_split splits[EXPORT_SPLITS];
    const struct trainer *trainer;
    struct overlap overlap;
    struct reader reader;
    struct runs runs;
    struct figures figures;
    const char *left;  /* files of an earlier export into the same folder */
    const char *stale; /* what describes the file that was exported as a part of a folder's data set */
    struct arena arena;
};

static const char *text_option(const struct call *call, const char *name) { return call_option(call, name)->text; }
static bool flag_option(const struct call *call, const char *name) { return call_option(call, name)->given; }

/* ---- reading options -------------------------------------------------------------------------------------------- */

/* "think" is <think> and </think> on lines of their own; "none" no tags; "OPEN,CLOSE" these. */
static cord_status read_tags(struct job *job, cord_error *err) {
    const char *word = text_option(job->call, "think-tags"), *comma;
    struct example_style *style = &job->options.style;
    if (!word) word = "think";
    const char *open = arena_printf(&job->arena, "<%s>\n", word),
               *close = arena_printf(&job->arena, "\n</%s>\n\n", word);
    if (strcmp(word, "none") == 0) {
        open = "";
        close = "\n\n";
    } else if ((comma = strchr(word, ','))) {
        open = arena_printf(&job->arena, "%.*s\n", (int)(comma - word), word);
        close = arena_printf(&job->arena, "\n%s\n\n", comma + 1);
        if (comma == word || !comma[1] || strchr(comma + 1, ','))
            return error_set(err, CORD_BAD_USAGE, "--think-tags is a name, none, or OPEN,CLOSE; not '%.100s'", word);
    } else if (!*word || strpbrk(word, "<> \t\n")) {
        return error_set(err, CORD_BAD_USAGE,
                         "--think-tags: '%.100s' is no tag's name; for whole tags write OPEN,CLOSE", word);
    }
    if (!open || !close) return error_memory(err);
    style->think_open = text_of(open);
    style->think_close = text_of(close);
    return CORD_OK;
}

static cord_status unknown_flaw(const char *word, cord_error *err) {
    const char *near = text_nearest(word, flaw_names, FLAWS);
    char all[600] = "";
    for (size_t i = 0, at = 0; i < FLAWS && at < sizeof all; i++)
        at += (size_t)snprintf(all + at, sizeof all - at, "%s%s", i ? ", " : "", flaw_names[i]);
    return error_set(err, CORD_BAD_USAGE, "there is no flaw '%.100s'%s%s%s", word,
                     near ? ", did you mean '" : "; there are ", near ? near : all, near ? "'" : "");
}

/* "gold-first,repeats" */
static cord_status read_drop(struct job *job, cord_error *err) {
    const char *list = text_option(job->call, "drop");
    for (cord_text rest = text_of(list); rest.len;) {
        ptrdiff_t comma = text_find(rest, TEXT(","));
        cord_text word = text_slice(rest, 0, comma < 0 ? rest.len : (size_t)comma);
        rest = text_slice(rest, comma < 0 ? rest.len : (size_t)comma + 1, rest.len);
        int at = text_place(word, flaw_names);
        cord_text copy = arena_text(&job->arena, word);
        if (!copy.data) return error_memory(err);
        if (at < 0) return unknown_flaw(copy.data, err);
        job->options.drop |= 1u << at;
    }
    return CORD_OK;
}

static bool is_file_name(cord_text name) {
    for (size_t i = 0; i < name.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", name.data[i])) return false;
    return name.len > 0;
}

/* "train=0.95" or "train=0.9,validation=0.05"; what is left of 1 is "test". */
static cord_status read_splits(struct job *job, cord_error *err) {
    const char *list = text_option(job->call, "split");
    struct export_options *o = &job->options;
    double left = 1;
    o->splits = job->splits;
    for (cord_text rest = text_of(list); rest.len;) {
        ptrdiff_t comma = text_find(rest, TEXT(","));
        cord_text part = arena_text(&job->arena, text_slice(rest, 0, comma < 0 ? rest.len : (size_t)comma));
        if (!part.data) return error_memory(err);
        rest = text_slice(rest, comma < 0 ? rest.len : (size_t)comma + 1, rest.len);
        char *equals = strchr(part.data, '='), *end = NULL;
        cord_text name = arena_text(&job->arena, text_slice(part, 0, equals ? (size_t)(equals - part.data) : 0));
        double share = equals ? strtod(equals + 1, &end) : 0;
        if (!is_file_name(name) || !end || *end || !(share > 0) || share > left + 1e-9 ||
            o->n_splits == EXPORT_SPLITS - 1)
            return error_set(
                err, CORD_BAD_USAGE,
                "--split is NAME=SHARE, as train=0.95, several with commas between; the shares are above 0, "
                "and together at most 1; not '%.100s'",
                list);
        left -= share;
        job->splits[o->n_splits++] = (struct export_split){.name = name.data, .share = share};
    }
    if (!list || left > 1e-9)
        job->splits[o->n_splits++] = (struct export_split){.name = list ? "test" : "train", .share = left};
    for (int i = 0; i + 1 < o->n_splits; i++)
        if (strcmp(job->splits[i].name, job->splits[o->n_splits - 1].name) == 0)
            return error_set(err, CORD_BAD_USAGE, "--split names %s twice", job->splits[i].name);
    return CORD_OK;
}

/* What an option is about has to be asked for. */
static cord_status check_exclude(const struct call *call, cord_error *err) {
    static const char *const its[] = {"ngram", "matches"};
    for (int i = 0; i < 2; i++)
        if (call_option(call, its[i])->given && !call_option(call, "exclude")->given)
            return error_set(err, CORD_BAD_USAGE, "--%s is about --exclude: name an evaluation set, or leave it out",
                             its[i]);
    return CORD_OK;
}

static cord_status read_options(struct job *job, cord_error *err) {
    const struct call *call = job->call;
    struct export_options *o = &job->options;
    const struct option_value *trainer = call_option(call, "trainer");
    CORD_TRY(check_exclude(call, err));
    CORD_TRY(read_tags(job, err));
    CORD_TRY(read_drop(job, err));
    CORD_TRY(read_splits(job, err));
    o->format = training_format_at(call_option(call, "format")->choice);
    o->style.markers = (enum markers)call_option(call, "markers")->choice;
    job->trainer = trainer->given ? trainer_at(trainer->choice) : NULL;
    if (job->trainer) o->trainer_tokens = job->trainer->tokens;
    o->only_correct = flag_option(call, "only-correct");
    o->min_score = call_option(call, "min-score")->number;
    o->min_lift = call_number(call, "min-lift", -1);
    o->margin = call_number(call, "margin", -1);
    o->top = (int)call_number(call, "top", 1);
    o->max_tokens = (int)call_option(call, "max-tokens")->number;
    o->dedupe = flag_option(call, "dedupe");
    o->search_prompt = flag_option(call, "search-prompt");
    o->provenance = flag_option(call, "provenance");
    o->mixed = flag_option(call, "mixed");
    o->full_context = flag_option(call, "full-context");
    return CORD_OK;
}

/* ---- what it works with ------------------------------------------------------------------------------------------ */

static cord_status open_overlap(struct job *job, cord_error *err) {
    const struct option_value *exclude = call_option(job->call, "exclude");
    const char *library = duckdb_library(&job->arena);
    overlap_init(&job->overlap, (size_t)call_number(job->call, "ngram", OVERLAP_WORDS));
    for (int i = 0; i < exclude->n; i++) CORD_TRY(overlap_add(&job->overlap, exclude->list[i], library, err));
    if (exclude->n) job->options.exclude = &job->overlap;
    return CORD_OK;
}

static cord_status open_reader(struct job *job, cord_error *err) {
    const char *tokenizer = text_option(job->call, "tokenizer"), *tmpl = text_option(job->call, "template");
    CORD_TRY(reader_open(&job->reader, tokenizer, tmpl, err));
    if (tokenizer) {
        job->options.count_tokens = reader_count;
        job->options.count_plain = reader_count_plain;
        job->options.tokenizer = &job->reader;
    }
    if (tmpl) job->options.turn = &job->reader.turn;
    job->options.added_bos = job->reader.added_bos;
    return CORD_OK;
}

/* ---- where rows go ------------------------------------------------------------------------------------------------ */

static cord_status add_lists(struct job *job, struct dataset *set, cord_error *err) {
    const char *matches = text_option(job->call, "matches"), *list = text_option(job->call, "list");
    if (matches) CORD_TRY(dataset_add(set, matches, &job->options.matches, err));
    if (list) CORD_TRY(dataset_add(set, list, &job->options.list, err));
    return CORD_OK;
}

static cord_status write_rows(struct job *job, cord_error *err) {
    return export_rows(job->runs.sources, job->runs.n, &job->options, &job->figures, err);
}

static cord_status export_to_stdout(struct job *job, cord_error *err) {
    struct dataset lists = {0};
    job->splits[0].file = job->call->out;
    arena_init(&lists.arena);
    cord_status status = add_lists(job, &lists, err);
    if (status == CORD_OK) status = write_rows(job, err);
    return dataset_close(&lists, status, err);
}

static cord_status export_to(struct job *job, const char *path, cord_error *err) {
    struct dataset set;
    struct dataset_options where = export_place(job->call, path, job->options.n_splits);
    struct card card = {
        .sources = job->runs.sources, .n_sources = job->runs.n, .options = &job->options, .figures = &job->figures};
    card.command = export_command(job->call, &job->runs, &job->arena);
    if (!card.command) return error_memory(err);
    where.library = duckdb_library(&job->arena);
    CORD_TRY(dataset_open(&set, &where, job->splits, job->options.n_splits, err));
    cord_status status = add_lists(job, &set, err);
    if (status == CORD_OK) status = write_rows(job, err);
    if (status == CORD_OK && job->figures.rows == 0) /* an empty file in place of a data set helps nobody */
        dataset_leave_rows(&set);
    else if (status == CORD_OK)
        status = dataset_describe(&set, &card, err);
    if (status == CORD_OK && set.stale) job->stale = arena_text(&job->arena, text_of(set.stale)).data;
    if (status == CORD_OK && set.left) job->left = arena_text(&job->arena, text_of(set.left)).data;
    return dataset_close(&set, status, err);
}

static cord_status export_all(struct job *job, cord_error *err) {
    const char *path = text_option(job->call, "out"), *refusal;
    bool to_stdout = !path || strcmp(path, "-") == 0;
    CORD_TRY(read_options(job, err));
    if (to_stdout && job->options.n_splits > 1)
        return error_set(err, CORD_BAD_USAGE, "--split makes several files: name a folder for them (--out FOLDER/)");
    if (to_stdout && flag_option(job->call, "parquet"))
        return error_set(err, CORD_BAD_USAGE,
                         "Parquet cannot be written piece by piece: name a file or a folder for it (--out)");
    bool parquet = text_ends(text_of(path), TEXT(".parquet")),
         named = parquet || text_ends(text_of(path), TEXT(".jsonl"));
    if (named && job->options.n_splits > 1)
        return error_set(err, CORD_BAD_USAGE, "--split makes several files: name a folder for them (--out FOLDER/)%s",
                         parquet ? ", and say --parquet" : "");
    if (text_starts(text_of(job->options.format->name), TEXT("llama-factory")) &&
        (to_stdout || !export_place(job->call, path, job->options.n_splits).folder))
        return error_set(err, CORD_BAD_USAGE,
                         "this format has a dataset_info.json: name a folder for it (--out FOLDER/)");
    if (path && !*path) return error_set(err, CORD_BAD_USAGE, "--out is empty");
    CORD_TRY(check_export_files(job->call, NULL, job->splits, job->options.n_splits, err));
    CORD_TRY(runs_open(&job->runs, job->call->args, job->call->n_args, err));
    CORD_TRY(check_export_files(job->call, &job->runs, job->splits, job->options.n_splits, err));
    CORD_TRY(open_overlap(job, err));
    CORD_TRY(open_reader(job, err));
    if ((refusal = export_refusal(&job->options))) return error_set(err, CORD_BAD_USAGE, "%s", refusal);
    note_signals();
    job->options.stopped = was_interrupted;
    return to_stdout ? export_to_stdout(job, err) : export_to(job, path, err);
}

/* ---- what is told ------------------------------------------------------------------------------------------------- */

static void plural(FILE *out, long long n, const char *one, const char *many) {
    fprintf(out, "%lld %s", n, n == 1 ? one : many);
}

static void tell(const struct job *job) {
    const struct figures *f = &job->figures;
    const struct export_options *o = &job->options;
    FILE *err = job->call->err;
    plural(err, f->rows, "row", "rows");
    fprintf(err, " from ");
    plural(err, f->problems, "problem", "problems");
    if (o->full_context) fprintf(err, "; with their full context: %lld", (long long)f->full_contexts);
    if (o->only_correct && o->format->kind == ROW_TRACE)
        fprintf(err, "; rescued by a correct trajectory behind a better-scored one: %lld", (long long)f->rescued);
    const bool asked[FILTERS] = {[FILTER_NOT_CORRECT] = o->only_correct, [FILTER_SCORE] = o->min_score > 0,
                                 [FILTER_LIFT] = o->min_lift > -1,       [FILTER_FLAW] = o->drop != 0,
                                 [FILTER_EXCLUDED] = o->exclude != NULL, [FILTER_TOKENS] = o->max_tokens > 0,
                                 [FILTER_DUPLICATE] = o->dedupe};
    for (int i = 0; i < FILTERS; i++)
        if (asked[i] || f->removed_n[i]) fprintf(err, "; %s: %lld", filter_names[i], (long long)f->removed_n[i]);
    fprintf(err, "; failed: %lld; unfinished: %lld\n", (long long)f->failed, (long long)f->open);
    bool listed = text_option(job->call, "list") || text_option(job->call, "matches");
    if (!f->rows && text_option(job->call, "out"))
        fprintf(err, "no row is left, so nothing is written%s\n", listed ? " but lists" : "");
    if (job->overlap.too_short)
        fprintf(err, "questions to exclude that are too short to tell (fewer than %d words): %lld\n", OVERLAP_FEWEST,
                (long long)job->overlap.too_short);
}

/* Rows that were rendered, and that end in the answer's text: a student of them would not learn to stop. */
static bool lacks_end(const struct export_options *o) {
    bool ends = o->turn && o->turn->end.len;
    return (o->turn || o->search_prompt) && !ends && o->format->texts != TEXTS_PLAIN &&
           o->format->kind != ROW_STEP_PAIR;
}

/* "warning: 3 of 40 rows WHAT", where there are any. */
static void warn_rows(const struct job *job, int64_t n, const char *what, ...) __attribute__((format(printf, 3, 4)));
static void warn_rows(const struct job *job, int64_t n, const char *what, ...) {
    va_list args;
    if (!n) return;
    fprintf(job->call->err, "warning: %lld of %lld rows ", (long long)n, (long long)job->figures.rows);
    va_start(args, what);
    vfprintf(job->call->err, what, args);
    va_end(args);
    fprintf(job->call->err, "\n");
}

/* What a trainer would do to rows in silence. */
static void warn_of_rows(const struct job *job) {
    const struct figures *f = &job->figures;
    const struct trainer *t = job->trainer;
    warn_rows(job, f->lost_reasoning,
              "lose their reasoning when rendered with this template, so that only answers would be learned%s%s",
              t ? "; " : "", t ? t->lost : "");
    warn_rows(job, f->second_thoughts,
              "have a second or an empty thought before their reasoning when rendered with this template, which would "
              "be learned: %s",
              job->options.format->kind == ROW_PAIR
                  ? "name another template, or leave out the tags of the rows' own (--think-tags none)"
                  : "export --format prompt-completion with --template, whose rows have one");
    warn_rows(job, f->flaws[FLAW_CUT],
              "were cut in their reasoning or reply by a limit of the run, so that a student learns to stop wherever "
              "that was: --list FILE says which, --drop cut leaves them out");
    warn_rows(job, f->flaws[FLAW_SPECIAL_TOKEN],
              "hold what a tokenizer may take for a special token, of which a student learns to end its turn there: "
              "--list FILE says which, --drop special-token leaves them out");
    if (t)
        warn_rows(job, f->over_length, "are longer than the %d tokens that %s takes unless told, and are %s: set %s",
                  t->tokens, t->name, t->longer, t->setting);
}

/* How rows begin and end. */
static void warn_of_ends(const struct job *job) {
    const struct export_options *o = &job->options;
    FILE *err = job->call->err;
    bool told = job->trainer && !job->trainer->ends_steps;
    if (o->format->kind == ROW_STEP_PAIR && (o->turn || o->search_prompt) && !told)
        fprintf(err, "warning: TRL's DPO puts an end of text behind each step, which ends none, so that a student "
                     "learns to stop there: train them with a trainer that adds nothing\n");
    if (lacks_end(o) && !o->turn)
        fprintf(err, "warning: nothing stands behind an answer, so that no row says where it ends: name the student's "
                     "--template, whose end of a turn is put there, or let the trainer add an end of text\n");
    if (lacks_end(o) && o->turn)
        fprintf(err,
                "warning: this template writes nothing behind an answer, so that no row says where it ends: name the "
                "student's --tokenizer, whose end-of-text token the template may write, or let the trainer add it\n");
    if (o->turn && o->turn->lacks_bos && o->format->texts == TEXTS_TOKENS)
        fprintf(err,
                "warning: this template writes a BOS before a row, and which is not known, so that no row has one: "
                "name the student's --tokenizer\n");
}

/* What an earlier export left. */
static void warn_of_files(const struct job *job) {
    FILE *err = job->call->err;
    if (job->left)
        fprintf(err,
                "warning: %s stays there from an earlier export, and is no part of this data set: it may hold rows "
                "that are in another file now; remove it\n",
                job->left);
    if (job->stale)
        fprintf(err,
                "warning: %s still describes this file as it was before, as a part of the data set in that folder; "
                "export into the folder to write all of it anew\n",
                job->stale);
}

static void note_trainer(const struct job *job) {
    const struct trainer *t = job->trainer;
    const char *path = text_option(job->call, "out");
    FILE *err = job->call->err;
    if (t && t->tokens && !job->options.count_tokens)
        fprintf(
            err,
            "note: %s takes %d tokens of a row unless told, and longer ones are %s: set %s; with --tokenizer cord says "
            "how many rows that concerns\n",
            t->name, t->tokens, t->longer, t->setting);
    if (strcmp(job->options.format->name, "verl") == 0 &&
        !(path && export_place(job->call, path, job->options.n_splits).parquet))
        fprintf(err, "note: verl reads Parquet alone: say --parquet, or name a file that ends in .parquet\n");
    if (t && !job->options.turn)
        fprintf(err, "note: with --template cord looks whether the student's template keeps the reasoning\n");
}

/* A data set that lacks problems of the run is worth a status of its own. */
static int exit_status(const struct figures *f) {
    if (f->rows == 0) return EXIT_NOTHING_DONE;
    return f->failed + f->open > 0 ? EXIT_SOME_FAILED : EXIT_ALL_DONE;
}

static int run_export(const struct call *call) {
    struct job job = {.call = call};
    cord_error err = {0};
    arena_init(&job.arena);
    cord_status status = export_all(&job, &err);
    int result;
    if (status == CORD_OK) {
        tell(&job);
        warn_of_ends(&job);
        warn_of_files(&job);
        warn_of_rows(&job);
        note_trainer(&job);
        result = exit_status(&job.figures);
    } else if (status == CORD_IO_ERROR && ferror(call->out)) {
        result = call_unwritten(call, &err);
    } else {
        result = status == CORD_BAD_USAGE ? call_usage(call, "%s", err.message) : call_fail(call, &err);
    }
    watch_signals(NULL);
    reader_close(&job.reader);
    runs_close(&job.runs);
    overlap_release(&job.overlap);
    arena_release(&job.arena);
    return result;
}

/* ---- the verb ----------------------------------------------------------------------------------------------------- */

static const struct option options[] = {
    {.name = "format",
     .letter = 'f',
     .type = OPTION_TEXT,
     .value = "FORMAT",
     .words = TRAINING_FORMATS,
     .doc = "how a row is laid out (messages)"},
    {.name = "out",
     .letter = 'o',
     .type = OPTION_TEXT,
     .value = "FILE|FOLDER/",
     .doc = "write there, whole or not at all, with a card beside it"},
    {.name = "parquet",
     .type = OPTION_FLAG,
     .doc = "write Parquet in place of JSONL; a name that ends in .parquet says so, too"},
    {.name = "split",
     .type = OPTION_TEXT,
     .value = "NAME=SHARE",
     .doc = "several files, as train=0.95; the rest is test; by a hash of the id"},
    {.name = "only-correct", .type = OPTION_FLAG, .doc = "take the best correct trajectory, or none"},
    {.name = "min-score",
     .type = OPTION_REAL,
     .value = "S",
     .min = 0,
     .max = 1,
     .doc = "leave out trajectories below this score"},
    {.name = "min-lift",
     .type = OPTION_REAL,
     .value = "D",
     .min = -1,
     .max = 1,
     .doc = "leave out those whose score exceeds S0 by less"},
    {.name = "top", .type = OPTION_INT, .value = "N", .min = 1, .max = 1000000, .doc = "trajectories of a problem (1)"},
    {.name = "margin",
     .type = OPTION_REAL,
     .value = "NATS",
     .min = 0,
     .max = 1000,
     .doc = "pairs and labels: what differs by less in log S is equal (the meta-prover's noise)"},
    {.name = "drop", .type = OPTION_TEXT, .value = "NAME,...", .doc = "leave out rows with these flaws"},
    {.name = "list", .type = OPTION_TEXT, .value = "FILE", .doc = "write the flaws that were found, a line a row"},
    {.name = "dedupe", .type = OPTION_FLAG, .doc = "leave out rows with the text of an earlier one"},
    {.name = "exclude",
     .type = OPTION_LIST,
     .value = "FILE",
     .doc = "leave out rows that share words with this evaluation set"},
    {.name = "ngram",
     .type = OPTION_INT,
     .value = "N",
     .min = 1,
     .max = 63,
     .doc = "so many words in a row are shared (13)"},
    {.name = "matches", .type = OPTION_TEXT, .value = "FILE", .doc = "write what was shared, a line a row"},
    {.name = "tokenizer", .type = OPTION_TEXT, .value = "NAME|PATH", .doc = "count tokens with this model's tokenizer"},
    {.name = "max-tokens",
     .type = OPTION_INT,
     .value = "N",
     .min = 1,
     .max = 1 << 30,
     .doc = "leave out longer rows; nothing is cut"},
    {.name = "markers",
     .type = OPTION_TEXT,
     .value = "keep|strip|renumber",
     .doc = "keep the steps' markers (default), strip them, or number them anew"},
    {.name = "think-tags",
     .type = OPTION_TEXT,
     .value = "NAME",
     .doc = "tags around the reasoning: a name (think), none, or OPEN,CLOSE"},
    {.name = "template",
     .type = OPTION_TEXT,
     .value = "NAME|PATH",
     .doc = "the student's chat template: a known format, a .jinja file, or a model"},
    {.name = "trainer", .type = OPTION_TEXT, .value = TRAINERS, .doc = "warn of what this trainer would lose"},
    {.name = "search-prompt", .type = OPTION_FLAG, .doc = "the prompt of a row is the search's, not the question"},
    {.name = "full-context",
     .type = OPTION_FLAG,
     .doc = "the question of a row has its full context, where the problem set has one"},
    {.name = "provenance", .type = OPTION_FLAG, .doc = "say in each row its id, gold, run, rounds and teachers"},
    {.name = "mixed", .type = OPTION_FLAG, .doc = "take a problem that several runs have from each of them"},
    {.name = NULL},
};

const struct verb verb_export = {
    .name = "export",
    .synopsis = "RUN... [-o FILE|FOLDER/]",
    .summary = "write training data from what runs kept",
    .help =
        "Writes one row of JSON for each finished problem of the run folders, in input order: the question as its "
        "author wrote it, and the best trajectory's reasoning inside <think> tags followed by its answer.\n\n"
        "  messages           a conversation, {\"messages\": [user, assistant]}\n"
        "  prompt-completion  {\"prompt\", \"completion\"}: plain strings; with --template rendered ones\n"
        "  text               {\"text\"}, rendered with --template\n"
        "  sharegpt, alpaca   the layouts of these names\n"
        "  llama-factory      sharegpt, with dataset_info.json; --out is a folder\n"
        "  axolotl            messages; axolotl-segments: rendered, {\"segments\": [{\"label\", \"text\"}]}\n"
        "  ms-swift           messages\n"
        "  verl               verl's columns, for fine-tuning and reinforcement learning\n"
        "  dpo                the best against the worst finished trajectory; llama-factory-dpo, ms-swift-dpo\n"
        "  step-dpo           a step that was kept against one that was not, behind the same steps\n"
        "  prm                a label for each step, from the change of the score; math-shepherd: in that layout\n\n"
        "A trajectory that states no answer never becomes a row, though in a pair it may be the rejected one. With "
        "--only-correct, a problem whose best trajectory "
        "is not correct gives its best correct one instead, and a line on standard error says how often that happened. "
        "What a filter leaves out is counted there and on the card.\n\n"
        "With --out, a card (README.md) says how the data set was made, its figures, and what is known to be wrong "
        "with it. Flaws: gold-first, repeats, script, language, unclosed, weak-step, special-token, cut. "
        "docs/export.md "
        "has all of it, docs/training.md what to set in each trainer.\n\n"
        "The exit status is 3 where some problems have failed or are unfinished, 1 where there is no row at all.",
    .options = options,
    .min_args = 1,
    .max_args = 1000,
    .run = run_export,
};
