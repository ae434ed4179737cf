/* help.c - the verb `help`: what verbs there are, what options they take, what a recipe can say; for a terminal, as a man
 * page, and for shells that complete commands. All of it is written from the tables that parsing uses. */

#include "cmd/parse.h"
#include "cmd/sheet.h"
#include "data/tables.h"
#include "recipe/recipe.h"

const struct verb *const cmd_verbs[] = {&verb_problems, &verb_doctor,  &verb_run,   &verb_select, &verb_merge,
                                        &verb_show,     &verb_compare, &verb_audit, &verb_export, &verb_stats,
                                        &verb_score,    &verb_verify,  &verb_help,  NULL};

const struct verb *cmd_find(const char *name) {
    for (size_t i = 0; cmd_verbs[i]; i++)
        if (!strcmp(cmd_verbs[i]->name, name)) return cmd_verbs[i];
    return NULL;
}

/* ---- words that the terminal's help and the man page share ------------------------------------------------------ */

static const char about[] =
    "cord makes chain-of-thought training data: several models reason together, step by step, and "
    "the likelihood of the right answer decides which steps are kept.\n";
static const char usage[] = "cord VERB [OPTION...] [ARGUMENT...]\n";
#define STATUSES                                                                                   \
    "0 all done; 1 nothing could be done; 2 wrong usage; 3 finished, but some problems failed; 4 " \
    "stopped at a bound of the budget; 130 interrupted, the same command goes on\n"

/* ---- verbs ----------------------------------------------------------------------------------------------------- */

void help_overview(FILE *out) {
    struct sheet sheet = {.out = out};
    sheet_text(&sheet, about);
    fprintf(out, "\nusage: %s\nverbs:\n", usage);
    for (size_t i = 0; cmd_verbs[i]; i++) sheet_entry(&sheet, 2, cmd_verbs[i]->name, NULL, cmd_verbs[i]->summary);
    sheet_text(&sheet, "\n"
                       "  cord help VERB          the options of a verb\n"
                       "  cord help recipe        the keys of a recipe\n"
                       "  cord --version          the version\n"
                       "\n"
                       "The name of a model stands for NAME.gguf in $CORD_MODELS, else in ~/.cache/cord/models.\n\n"
                       "exit status: " STATUSES);
}

void help_option(const struct option *option, struct buf *doc) {
    buf_clear(doc);
    buf_addf(doc, "%s", option->doc);
    if (option->type == OPTION_INT || option->type == OPTION_REAL)
        buf_addf(doc, " (%.16g to %.16g)", option->min, option->max);
    if (option->type == OPTION_LIST) buf_addf(doc, " (may be repeated)");
}

static void put_option(struct sheet *sheet, const struct option *option) {
    char name[64];
    struct buf doc;
    buf_init(&doc, "an option's help", 4096);
    help_option(option, &doc);
    if (option->letter)
        snprintf(name, sizeof name, "-%c, --%s", option->letter, option->name);
    else
        snprintf(name, sizeof name, "--%s", option->name);
    if (doc.status == CORD_OK) sheet_entry(sheet, option->letter ? 2 : 6, name, option->value, doc.data);
    buf_release(&doc);
}

static void put_verb(struct sheet *sheet, const struct verb *verb) {
    sheet_usage(sheet, verb->name, verb->synopsis);
    sheet_text(sheet, verb->summary);
    if (!sheet->roff && verb->options[0].name) fprintf(sheet->out, "\noptions:\n");
    for (const struct option *option = verb->options; option->name; option++) put_option(sheet, option);
    if (!verb->help) return;
    sheet_gap(sheet);
    sheet_text(sheet, verb->help);
}

void help_verb(FILE *out, const struct verb *verb) { put_verb(&(struct sheet){.out = out}, verb); }

/* ---- the recipe ------------------------------------------------------------------------------------------------ */

enum { WIDE_KEY = 74 }; /* a key with its default and what is allowed, in one line */

/* "search.beam: 4", what is allowed for it, and the explanation; what is too long for the line goes there. */
static void put_key(struct sheet *sheet, const struct recipe_key *key) {
    char thing[200], range[400] = "", doc[1000];
    snprintf(thing, sizeof thing, "%s%s%s", key->path, key->fallback && *key->fallback ? ": " : "",
             !key->fallback ? " (required)" : key->fallback);
    if (key->type == RECIPE_INT) snprintf(range, sizeof range, "whole, %.16g to %.16g", key->min, key->max);
    if (key->type == RECIPE_REAL) snprintf(range, sizeof range, "%g to %g", key->min, key->max);
    if (key->type == RECIPE_BOOL) snprintf(range, sizeof range, "true, false");
    for (size_t i = 0; key->choices && key->choices[i]; i++) {
        size_t len = strlen(range);
        snprintf(range + len, sizeof range - len, "%s%s", i ? ", " : "", key->choices[i]);
    }
    bool fits = strlen(thing) + strlen(range) <= WIDE_KEY;
    snprintf(doc, sizeof doc, "%s%s%s", fits ? "" : range, fits || !*range ? "" : ". ", key->doc);
    if (strlen(thing) > WIDE_KEY) { /* the default is a sentence */
        snprintf(thing, sizeof thing, "%s", key->path);
        snprintf(doc, sizeof doc, "%s; by default \"%s\"", key->doc, key->fallback);
    }
    sheet_pair(sheet, thing, fits ? range : "", doc);
}

static void put_recipe(struct sheet *sheet) {
    sheet_text(sheet, "A recipe is a YAML file that says everything about a run. These are its keys, their "
                      "defaults (the paper's, where it has one) and what is allowed. A star is a name you "
                      "choose: letters, digits, '.', '_' and '-'. --set search.beam=2 on the command line "
                      "overrides a key; the value stands as it is, or in quotes as in YAML.\n");
    size_t n, section = 0;
    const struct recipe_key *keys = recipe_keys(&n);
    for (size_t i = 0; i < n; i++) {
        const char *prompt = strstr(keys[i].path, "prompt.");
        if (prompt && prompt != keys[i].path) continue; /* the same as under `prompt`, told once */
        if (!section || strncmp(keys[i].path, keys[section - 1].path, strcspn(keys[i].path, ".") + 1) != 0)
            sheet_gap(sheet);
        section = i + 1;
        put_key(sheet, &keys[i]);
    }
    sheet_gap(sheet);
    sheet_text(sheet, "The keys of 'prompt' may also stand under a teacher (teachers.*.prompt.marker) and "
                      "under meta_prover; what is not written there comes from 'prompt', or, where the "
                      "style differs, from that style. A text that nobody wrote is the style's own:\n"
                      "\n"
                      "  steps  for instruct models: a system text asks for numbered steps\n"
                      "  paper  for reasoning models: the question alone, and the first step opened\n"
                      "\n"
                      "With search.segmentation line-break or prefix, nothing is put between steps: marker and "
                      "between stay empty, and the system text of 'steps' asks for no headings. With prefix, models "
                      "write on to step_tokens, and what stands behind the first phrase is dropped: take about twice "
                      "the length of a step.\n"
                      "\n"
                      "A run's folder holds the recipe with every default and every text in full.\n");
}

/* ---- the man page ---------------------------------------------------------------------------------------------- */

static void help_man(FILE *out) {
    struct sheet sheet = {.out = out, .roff = true};
    sheet_title(&sheet, "cord", cord_version());
    sheet_section(&sheet, "NAME");
    fprintf(out, "cord \\- chain\\-of\\-thought training data from several teachers, step by step\n");
    sheet_section(&sheet, "SYNOPSIS");
    sheet_text(&sheet, usage);
    sheet_section(&sheet, "DESCRIPTION");
    sheet_text(&sheet, about);
    sheet_section(&sheet, "VERBS");
    for (size_t i = 0; cmd_verbs[i]; i++) put_verb(&sheet, cmd_verbs[i]);
    sheet_section(&sheet, "RECIPES");
    put_recipe(&sheet);
    sheet_section(&sheet, "EXIT STATUS");
    sheet_text(&sheet, STATUSES);
    sheet_section(&sheet, "ENVIRONMENT");
    sheet_entry(&sheet, 0, "CORD_MODELS", NULL,
                "the folder in which a model's name is looked up, as NAME.gguf; else $CORD_CACHE/models, else "
                "$XDG_CACHE_HOME/cord/models, else ~/.cache/cord/models");
    sheet_entry(&sheet, 0, "CORD_DUCKDB", NULL,
                "DuckDB's library, by which tables other than JSONL are read; else libduckdb.so in "
                "$CORD_CACHE/duckdb-" DUCKDB_VERSION ", else in that folder of $XDG_CACHE_HOME/cord or ~/.cache/cord");
    sheet_entry(&sheet, 0, "NO_COLOR", NULL, "if it is set and not empty, nothing is printed in colour");
    sheet_entry(&sheet, 0, "TERM", NULL,
                "if it is not set, empty or dumb, nothing is printed in colour, and runs have no live view");
}

/* ---- the verb -------------------------------------------------------------------------------------------------- */

static int run_help(const struct call *call) {
    const char *topic = call->n_args ? call->args[0] : NULL, *names[33] = {"recipe"};
    const struct option_value *man = call_option(call, "man"), *shell = call_option(call, "completion");
    const struct verb *verb = topic ? cmd_find(topic) : NULL;
    size_t n = 1;
    for (; cmd_verbs[n - 1] && n < 33; n++) names[n] = cmd_verbs[n - 1]->name;
    if (man->given + shell->given + (topic != NULL) > 1)
        return call_usage(call, "take one of --man, --completion and '%s'", topic ? topic : "VERB");
    if (man->given)
        help_man(call->out);
    else if (shell->given)
        completion_write(call->out, shell->choice);
    else if (!topic)
        help_overview(call->out);
    else if (verb)
        help_verb(call->out, verb);
    else if (!strcmp(topic, "recipe"))
        put_recipe(&(struct sheet){.out = call->out});
    else {
        const char *near = text_nearest(topic, names, n);
        if (near) return call_usage(call, "there is no help on '%s'; did you mean '%s'?", topic, near);
        return call_usage(call, "there is no help on '%.200s'", topic);
    }
    return EXIT_ALL_DONE;
}

static const struct option options[] = {
    {.name = "man", .type = OPTION_FLAG, .doc = "print all of the help as a man page"},
    {.name = "completion",
     .type = OPTION_TEXT,
     .value = "bash|zsh|fish",
     .doc = "print what lets this shell complete cord's commands"},
    {.name = NULL},
};

const struct verb verb_help = {
    .name = "help",
    .synopsis = "[VERB|recipe]",
    .summary = "how to use cord, a verb, or a recipe",
    .help = "`make install` puts the man page and the completions in their places. Without it:\n\n"
            "  cord help --man | man -l -\n"
            "  source <(cord help --completion bash)\n"
            "  cord help --completion zsh >~/.zfunc/_cord    (a folder of $fpath)\n"
            "  cord help --completion fish | source",
    .options = options,
    .max_args = 1,
    .run = run_help,
};
