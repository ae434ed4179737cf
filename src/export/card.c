/* card.c - see card.h. */
#include "export/card.h"

#include "search/criterion.h"

#include <math.h>

/* ---- figures ------------------------------------------------------------------------------------------------------- */

static void put_spread(struct buf *out, const char *name, const struct spread *s, const char *format) {
    char mean[32], min[32], max[32];
    if (!s->n) return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(mean, sizeof mean, format, spread_mean(s));
    snprintf(min, sizeof min, format, s->min);
    snprintf(max, sizeof max, format, s->max);
#pragma GCC diagnostic pop
    buf_addf(out, "%-34s mean %s, from %s to %s\n", name, mean, min, max);
}

static void put_share(struct buf *out, const char *name, int64_t n, int64_t of) {
    buf_addf(out, "%-34s %lld of %lld", name, (long long)n, (long long)of);
    if (of) buf_addf(out, " (%.1f%%)", 100.0 * (double)n / (double)of);
    buf_addc(out, '\n');
}

static void put_removed(const struct figures *f, struct buf *out) {
    for (int i = 0; i < FILTERS; i++) {
        if (!f->removed_n[i]) continue;
        buf_addf(out, "  %-50s %8lld", filter_names[i], (long long)f->removed_n[i]);
        if (f->removed[i].n) buf_addf(out, "   mean S0 %.4f", spread_mean(&f->removed[i]));
        buf_addc(out, '\n');
    }
}

static bool any(const int64_t *counts, int n) {
    for (int i = 0; i < n; i++)
        if (counts[i]) return true;
    return false;
}

static void put_problems(const struct figures *f, struct buf *out) {
    if (!f->problems) return;
    buf_addf(out, "%-34s %lld: %lld done, %lld failed, %lld unfinished\n", "problems", (long long)f->problems,
             (long long)f->done, (long long)f->failed, (long long)f->open);
    put_share(out, "accuracy of the best trajectories", f->best[GRADE_CORRECT], f->done);
    if (f->best[GRADE_UNDECIDED]) put_share(out, "  undecided", f->best[GRADE_UNDECIDED], f->done);
    put_spread(out, "PP of the best trajectories", &f->pp, "%.4f");
    put_spread(out, "S0, without reasoning", &f->s0, "%.4f");
    if (f->full_contexts) put_share(out, "questions with their full context", f->full_contexts, f->done);
}

void card_figures(const struct figures *f, struct buf *out) {
    put_problems(f, out);
    buf_addf(out, "%-34s %lld\n", "rows", (long long)f->rows);
    if (any(f->grades, 4)) put_share(out, "  correct", f->grades[GRADE_CORRECT], f->rows);
    if (f->rescued) put_share(out, "  behind a better-scored wrong one", f->rescued, f->rows);
    put_spread(out, "S of the rows", &f->score, "%.4f");
    put_spread(out, "S0 of the rows", &f->rows_s0, "%.4f");
    put_spread(out, "lift S - S0 of the rows", &f->lift, "%.4f");
    put_spread(out, "steps", &f->steps, "%.1f");
    put_spread(out, "words, prompt and response", &f->words, "%.0f");
    put_spread(out, "tokens, prompt and response", &f->tokens, "%.0f");
    if (any(f->removed_n, FILTERS)) {
        buf_addf(out, "\nleft out:\n");
        put_removed(f, out);
    }
    if (any(f->flaws, FLAWS)) buf_addf(out, "\nflaws found in these rows:\n");
    for (int i = 0; i < FLAWS; i++)
        if (f->flaws[i]) buf_addf(out, "  %-50s %8lld\n", flaw_names[i], (long long)f->flaws[i]);
    if (any(f->score_bins, SCORE_BINS)) {
        buf_addf(out, "\nrows by S:\n");
        figures_plot_scores(f, out);
    }
    if (f->rows) {
        buf_addf(out, "\nrows by words:\n");
        figures_plot_lengths(f, out);
    }
    if (f->n_teachers) {
        buf_addf(out, "\nsteps by teacher:\n");
        figures_plot_teachers(f, out);
    }
}

/* ---- the block that hubs read ----------------------------------------------------------------------------------------- */

static const char *size_category(int64_t rows) {
    return rows < 1000       ? "n<1K"
           : rows < 10000    ? "1K<n<10K"
           : rows < 100000   ? "10K<n<100K"
           : rows < 1000000  ? "100K<n<1M"
           : rows < 10000000 ? "1M<n<10M"
                             : "10M<n<100M";
}

/* A YAML string in double quotes, whatever the text holds: JSON's strings are YAML's. */
static void put_quoted(struct buf *out, const char *text) {
    struct json_writer w = {.out = out};
    json_text(&w, NULL, text_of(text));
}

static void put_title(const struct card *card, struct buf *out) {
    if (card->title) {
        buf_addf(out, "%s", card->title);
        return;
    }
    buf_addf(out, "Reasoning traces of ");
    for (int i = 0; i < card->n_sources; i++)
        buf_addf(out, "%s%s", i == 0 ? "" : i + 1 < card->n_sources ? ", " : " and ", card->sources[i].name);
}

static cord_status put_block(const struct card *card, struct buf *out, cord_error *err) {
    struct buf title;
    buf_init(&title, "a title", 1 << 16);
    put_title(card, &title);
    cord_status status = buf_check(&title, err);
    buf_addf(out, "---\npretty_name: ");
    if (status == CORD_OK) put_quoted(out, title.data);
    buf_release(&title);
    buf_addf(out,
             "\ntask_categories:\n- text-generation\ntags:\n- reasoning\n- chain-of-thought\n- synthetic\n- cord\n");
    buf_addf(out, "size_categories:\n- %s\nconfigs:\n- config_name: default\n  data_files:\n",
             size_category(card->figures->rows));
    for (int i = 0; i < card->n_files; i++) {
        if (!card->files[i].rows && card->figures->rows) continue; /* a loader stumbles over a split without rows */
        buf_addf(out, "  - split: ");
        put_quoted(out, card->files[i].split);
        buf_addf(out, "\n    path: ");
        put_quoted(out, card->files[i].path);
        buf_addc(out, '\n');
    }
    buf_addf(out, "---\n" CARD_MARK "\n");
    return status;
}

/* ---- words ------------------------------------------------------------------------------------------------------------ */

/* A text of any origin inside a fence: longer than any fence in it. */
static void put_fenced(struct buf *out, const char *language, cord_text text) {
    size_t longest = 2, run = 0;
    for (size_t i = 0; i < text.len; i++) {
        run = text.data[i] == '`' ? run + 1 : 0;
        if (run > longest) longest = run;
    }
    for (size_t i = 0; i <= longest; i++) buf_addc(out, '`');
    buf_addf(out, "%s\n", language);
    buf_add(out, text);
    if (text.len && text.data[text.len - 1] != '\n') buf_addc(out, '\n');
    for (size_t i = 0; i <= longest; i++) buf_addc(out, '`');
    buf_addc(out, '\n');
}

static cord_status put_models(const struct export_source *source, struct arena *arena, struct buf *out,
                              cord_error *err) {
    struct model_fact *facts;
    int n;
    CORD_TRY(journal_list_model_facts(source->journal, "sha256", arena, &facts, &n, err));
    if (n > 0) buf_addf(out, "\n| model | SHA-256 of its file, or of what its server says it is |\n|---|---|\n");
    for (int i = 0; i < n; i++)
        buf_addf(out, "| %.*s | `%.*s` |\n", (int)facts[i].model.len, facts[i].model.data, (int)facts[i].value.len,
                 facts[i].value.data);
    return CORD_OK;
}

/* Keys whose values are of this machine and may say more than their owner wants to publish: paths, of which the last part is
 * told, what a server calls its model, where that is a path, a command, of which the program is, and a server's address, of
 * which nothing is. */
static bool holds_path(cord_text key) {
    static const char *const paths[] = {"file", "template", "out", "authorities"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (text_equal(key, text_of(paths[i]))) return true;
    return false;
}

static bool holds_command(cord_text key) { return text_equal(key, TEXT("command")); }

/* Whether the text behind a model's key has a path that begins at a root or a home. */
static bool names_place(cord_text key, cord_text rest) {
    return text_equal(key, TEXT("model")) && (text_find(rest, TEXT("\"/")) >= 0 || text_find(rest, TEXT(" /")) >= 0 ||
                                              text_find(rest, TEXT("\"~")) >= 0 || text_find(rest, TEXT("\".")) >= 0);
}

/* The name of a command's program, without what it is given. Where variables are set before it, it is not told. */
static cord_text program_of(cord_text command) {
    size_t end = 0;
    while (end < command.len && !strchr(" \t\\=", command.data[end])) end++;
    if (end < command.len && command.data[end] == '=') return TEXT("(not told)");
    return path_name(text_slice(command, 0, end));
}

static bool holds_address(cord_text key) { return text_equal(key, TEXT("url")); }

/* A line of a recipe as others may read it. */
static void put_recipe_line(struct buf *out, cord_text line) {
    cord_text rest = line;
    while (rest.len && rest.data[0] == ' ') rest = text_slice(rest, 1, rest.len);
    ptrdiff_t colon = text_find(rest, TEXT(": \""));
    cord_text key = text_slice(rest, 0, colon < 0 ? 0 : (size_t)colon);
    size_t from = line.len - rest.len + key.len + 3; /* of the value */
    if (holds_address(key) && line.len > from + 1) {
        buf_add(out, text_slice(line, 0, from));
        buf_addf(out, "(not told)\"");
    } else if ((holds_path(key) || holds_command(key) || names_place(key, line)) && line.len > from &&
               text_ends(line, TEXT("\""))) {
        cord_text value = text_slice(line, from, line.len - 1);
        buf_add(out, text_slice(line, 0, from));
        buf_add(out, holds_command(key) ? program_of(value) : path_name(value));
        buf_addc(out, '"');
    } else {
        buf_add(out, line);
    }
}

static cord_status put_recipe(struct buf *out, cord_text recipe, cord_error *err) {
    struct buf told;
    buf_init(&told, "a recipe", 4 << 20);
    for (cord_text line; text_next_line(&recipe, &line);) {
        put_recipe_line(&told, line);
        buf_addc(&told, '\n');
    }
    cord_status status = buf_check(&told, err);
    if (status == CORD_OK) put_fenced(out, "yaml", buf_text(&told));
    buf_release(&told);
    return status;
}

/* In what recipes differ, a line each ("search.beam: 2 -> 3"), but for what is of a machine. */
static cord_status put_differences(struct buf *out, const char *what, cord_text lines, cord_error *err) {
    if (!lines.len) return CORD_OK;
    struct buf told;
    buf_init(&told, "what differs", 4 << 20);
    for (cord_text line; text_next_line(&lines, &line);) {
        ptrdiff_t colon = text_find(line, TEXT(":"));
        cord_text key = text_slice(line, 0, colon < 0 ? line.len : (size_t)colon);
        cord_text last = text_slice(key, (size_t)(text_rfind(key, TEXT(".")) + 1), key.len);
        bool is_own = holds_path(last) || holds_command(last) || names_place(last, line) || holds_address(last);
        buf_add(&told, is_own ? key : line);
        buf_addf(&told, "%s\n", is_own ? ": (not told)" : "");
    }
    cord_status status = buf_check(&told, err);
    buf_addf(out, "\n%s:\n\n", what);
    if (status == CORD_OK) put_fenced(out, "", buf_text(&told));
    buf_release(&told);
    return status;
}

static cord_status put_source(const struct export_source *source, struct buf *out, cord_error *err) {
    struct arena arena;
    cord_text recipe = {0}, mixed = {0}, changed = {0}, makers = {0}, maker;
    arena_init(&arena);
    buf_addf(out, "\n### Run %s\n", source->name);
    cord_status status = journal_get_fact(source->journal, "made_by", &arena, &makers, err);
    for (const char *before = "\nComputed by cord "; text_next_line(&makers, &maker); before = ", ")
        buf_addf(out, "%s%.*s%s", before, (int)maker.len, maker.data, makers.len ? "" : ".\n");
    if (status == CORD_OK) status = put_models(source, &arena, out, err);
    if (status == CORD_OK) status = journal_get_fact(source->journal, "recipe", &arena, &recipe, err);
    if (status == CORD_OK) status = journal_get_fact(source->journal, "mixed", &arena, &mixed, err);
    if (recipe.len) {
        buf_addf(out, "\nIts recipe, as it was resolved; of paths only the last part:\n\n");
        if (status == CORD_OK) status = put_recipe(out, recipe, err);
    }
    if (status == CORD_OK) status = journal_get_fact(source->journal, "changed", &arena, &changed, err);
    if (status == CORD_OK)
        status = put_differences(out, "It was gone on with other settings than it began with", changed, err);
    if (status == CORD_OK)
        status = put_differences(out, "It was merged from runs that do not agree in everything", mixed, err);
    arena_release(&arena);
    return status;
}

/* What a strategy does, and by what: a sentence each. */
struct said {
    const char *name, *words;
};

static const struct said strategies[] = {
    {"cord", "Several language models reason together, step by step: each proposes a next step to each of the partial\n"
             "traces that are kept, and those that score best are kept (CoRD, arXiv 2605.02290)."},
    {"greedy", "Several language models reason together, step by step: each proposes a next step, and the one that\n"
               "scores best is kept (arXiv 2605.02290, with a beam of 1)."},
    {"curation", "Language models wrote complete traces, each by itself, and the trace that scores best comes first."},
    {"rejection",
     "Language models wrote complete traces, each by itself; those with a correct answer come first, and of\n"
     "them the one that scores best."},
    {"integration",
     "Language models wrote complete traces, each by itself, and one more merged those of a problem into\n"
     "one, which is scored."},
    {"mcts",
     "Several language models proposed steps in a Monte Carlo tree search (UCT) over reasonings, rewarded by the\n"
     "scores of complete ones."},
    {"selection", "The traces were there already; they were scored, and the one that scores best comes first."},
    {NULL, NULL},
};

static const char *words_of(const struct said *said, const char *name) {
    while (said->name && strcmp(said->name, name) != 0) said++;
    return said->name ? said->words : "";
}

/* A run of a journal without a recipe was CoRD's. */
static const char *strategy_of(const struct export_source *source) {
    return source->strategy ? source->strategy : "cord";
}
static const struct criterion *criterion_by(const struct export_source *source) {
    return criterion_named(text_of(source->criterion));
}

static bool same_method(const struct export_source *a, const struct export_source *b) {
    return !strcmp(strategy_of(a), strategy_of(b)) && criterion_by(a) == criterion_by(b);
}

/* Whether anybody looked at the gold answers to choose. */
static bool gold_chose(const struct export_source *source) {
    if (!strcmp(strategy_of(source), "rejection")) return true;
    return criterion_by(source)->knows_gold && strcmp(strategy_of(source), "integration") != 0;
}

static bool gold_chose_any(const struct card *card) {
    for (int i = 0; i < card->n_sources; i++)
        if (gold_chose(&card->sources[i])) return true;
    return card->options->only_correct;
}

/* What the runs did; where all did the same, once. */
static void put_strategies(const struct card *card, struct buf *out) {
    bool same = true;
    for (int i = 1; i < card->n_sources; i++) same = same && same_method(&card->sources[0], &card->sources[i]);
    for (int i = 0; i < (same ? 1 : card->n_sources); i++) {
        const struct export_source *source = &card->sources[i];
        if (!same) buf_addf(out, "Run %s: ", source->name);
        buf_addf(out, "%s The score is %s.\n\n", words_of(strategies, strategy_of(source)), criterion_by(source)->what);
    }
}

static void put_method(const struct card *card, struct buf *out) {
    buf_addf(out, "\n## How it was made\n\n");
    put_strategies(card, out);
    buf_addf(
        out,
        "S is how likely a meta-prover finds the gold answer behind a reasoning, the predictive perplexity of that\n"
        "answer, between 0 and 1; S0 is the same without any reasoning, so a small S0 is a hard problem. PP is S as\n"
        "it was measured of what came out, by the model that the recipe names for it.\n"
        "The gold answer is never shown to a model that writes%s.\n\n",
        gold_chose_any(card) ? ", but it took part in the choice" : "");
    put_fenced(out, "", text_of(card->command));
    buf_addf(out, "\nThe layout of a row is `%s`.", card->options->format->name);
    if (card->options->format->kind == ROW_STEPS)
        buf_addf(
            out,
            " A step's label is true unless the step has made the log score fall by more than %s: the change counts,\n"
            "not the level.",
            card->options->margin >= 0 ? "the margin given" : "the meta-prover's noise");
    if (card->options->provenance)
        buf_addf(out, " `provenance` says of each row which run, problem, rounds and teachers it comes from.");
    if (card->figures->full_contexts)
        buf_addf(out, " The models that reasoned saw a shorter context than the rows have (arXiv 2605.20201).");
    if (card->has_description) buf_addf(out, " `dataset_info.json` describes it for LLaMA-Factory.");
    buf_addc(out, '\n');
}

static void put_filters(const struct card *card, struct buf *out) {
    const struct figures *f = card->figures;
    double before = spread_mean(&f->s0), after = spread_mean(&f->rows_s0);
    if (!any(f->removed_n, FILTERS)) return;
    buf_addf(out, "\n## What was left out\n\n| why | how many | their mean S0 |\n|---|---|---|\n");
    for (int i = 0; i < FILTERS; i++) {
        if (!f->removed_n[i]) continue;
        buf_addf(out, "| %s | %lld | ", filter_names[i], (long long)f->removed_n[i]);
        if (f->removed[i].n) buf_addf(out, "%.4f", spread_mean(&f->removed[i]));
        buf_addf(out, " |\n");
    }
    if (!isnan(before) && !isnan(after))
        buf_addf(
            out,
            "\nMean S0 of all problems that are done: %.4f; of the rows: %.4f. The rows are %s than the problems.\n",
            before, after,
            after > before   ? "easier"
            : after < before ? "harder"
                             : "neither easier nor harder");
}

static void put_limits(const struct card *card, struct buf *out) {
    const struct figures *f = card->figures;
    buf_addf(
        out,
        "\n## Licences\n\ncord does not know the licences of the problems and of the models' output: see the\n"
        "problem set's and each model's own, and set `license:` in the block above.\n"
        "\n## Known limits\n\n"
        "- Answers were graded by rules (or as the recipe says); a correct answer does not make every step right.\n");
    if (gold_chose_any(card))
        buf_addf(out,
                 "- The gold answer took part in the choice, so traces may lean towards it early; see the flaws.\n");
    if (f->grades[GRADE_CORRECT] < f->rows && card->options->format->kind != ROW_STEP_PAIR)
        buf_addf(out, "- %lld of %lld rows come from trajectories whose answer is not correct.\n",
                 (long long)(f->rows - f->grades[GRADE_CORRECT]), (long long)f->rows);
    for (int i = 0; i < FLAWS; i++)
        if (f->flaws[i]) buf_addf(out, "- `%s` was found in %lld rows.\n", flaw_names[i], (long long)f->flaws[i]);
    if (!card->options->exclude || !card->options->exclude->questions)
        buf_addf(out, "- It was not compared with any evaluation set (`--exclude`).\n");
    else if (card->options->exclude->too_short)
        buf_addf(out, "- %lld questions of evaluation sets were too short to be compared with.\n",
                 (long long)card->options->exclude->too_short);
}

cord_status card_write(const struct card *card, struct buf *out, cord_error *err) {
    struct buf figures;
    CORD_TRY(put_block(card, out, err));
    buf_addf(out, "\n# ");
    put_title(card, out);
    buf_addf(out, "\n\n| split | file | rows |\n|---|---|---|\n");
    for (int i = 0; i < card->n_files; i++)
        buf_addf(out, "| %s | `%s` | %lld |\n", card->files[i].split, card->files[i].path,
                 (long long)card->files[i].rows);
    put_method(card, out);
    buf_addf(out, "\n## Figures\n\n");
    buf_init(&figures, "figures", 1 << 20);
    card_figures(card->figures, &figures);
    cord_status status = buf_check(&figures, err);
    if (status == CORD_OK) put_fenced(out, "", buf_text(&figures));
    buf_release(&figures);
    CORD_TRY(status);
    put_filters(card, out);
    buf_addf(out, "\n## Recipes and models\n");
    for (int i = 0; i < card->n_sources; i++) CORD_TRY(put_source(&card->sources[i], out, err));
    put_limits(card, out);
    return buf_check(out, err);
}
