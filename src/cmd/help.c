/* help.c - the verb `help`: what verbs there are, what options they take, what a recipe can say. All of it is printed
 * from the tables that parsing uses, in at most 80 columns. */

#include "cmd/parse.h"

#include "recipe/recipe.h"

enum { COLUMNS = 80, INDENT = 6, MARGIN = 26 };

const struct verb *const cmd_verbs[] = {&verb_run,    &verb_show, &verb_export, &verb_score,
                                        &verb_verify, &verb_help, NULL};

const struct verb *cmd_find(const char *name) {
    for (size_t i = 0; cmd_verbs[i]; i++)
        if (!strcmp(cmd_verbs[i]->name, name)) return cmd_verbs[i];
    return NULL;
}

/* ---- layout ---------------------------------------------------------------------------------------------------- */

static int columns_of(cord_text text) {
    int columns = 0;
    for (size_t at = 0; at < text.len;) columns += utf8_width(utf8_next(text, &at));
    return columns;
}

/* Prints a text from column `used` on, broken at its blanks and newlines where need be; further lines begin at
 * `indent`. */
static void print_wrapped(FILE *out, cord_text text, int used, int indent) {
    bool first = true;
    while (text.len) {
        size_t len = 0;
        while (len < text.len && text.data[len] != ' ' && text.data[len] != '\n') len++;
        int width = columns_of(text_slice(text, 0, len));
        if (!first && used + 1 + width > COLUMNS) {
            fprintf(out, "\n%*s", indent, "");
            used = indent, first = true;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", (int)len, text.data);
        used += width + !first;
        first = false;
        text = text_slice(text, len < text.len ? len + 1 : len, text.len);
    }
    fprintf(out, "\n");
}

/* Paragraphs are filled; a line that begins with a blank stands for itself, broken behind its own indentation if need be.
 */
static void print_text(FILE *out, const char *text) {
    while (*text) {
        size_t len = strcspn(text, "\n"), blanks = strspn(text, " ");
        while (len && !blanks && text[len] && text[len + 1] && !strchr(" \n", text[len + 1]))
            len += 1 + strcspn(text + len + 1, "\n");
        fprintf(out, "%*s", (int)(blanks < len ? blanks : 0), "");
        if (blanks && columns_of((cord_text){text, len}) <= COLUMNS) /* with its own spacing */
            fprintf(out, "%.*s\n", (int)(len - blanks), text + blanks);
        else
            print_wrapped(out, (cord_text){text + blanks, len - blanks}, (int)blanks, (int)blanks);
        text += len + (text[len] == '\n');
    }
}

/* "  left", then `doc` from column MARGIN on, on a line of its own where `left` is too long. */
static void print_entry(FILE *out, const char *left, const char *doc) {
    int used = columns_of(text_of(left));
    fprintf(out, "%s", left);
    if (used >= MARGIN - 1) fprintf(out, "\n"), used = 0;
    fprintf(out, "%*s", MARGIN - used, "");
    print_wrapped(out, text_of(doc), MARGIN, MARGIN);
}

/* ---- verbs ----------------------------------------------------------------------------------------------------- */

void help_overview(FILE *out) {
    print_text(out, "cord makes chain-of-thought training data: several models reason together, step "
                    "by step, and the likelihood of the right answer decides which steps are kept.\n"
                    "\n"
                    "usage: cord VERB [OPTION...] [ARGUMENT...]\n");
    fprintf(out, "\nverbs:\n");
    for (size_t i = 0; cmd_verbs[i]; i++) {
        char left[64];
        snprintf(left, sizeof left, "  %s", cmd_verbs[i]->name);
        print_entry(out, left, cmd_verbs[i]->summary);
    }
    print_text(out, "\n"
                    "  cord help VERB          the options of a verb\n"
                    "  cord help recipe        the keys of a recipe\n"
                    "  cord --version          the version\n"
                    "\n"
                    "exit status: 0 all done; 1 nothing could be done; 2 wrong usage; 3 finished, but\n"
                    "some problems failed; 130 interrupted, the same command goes on\n");
}

static void print_option(FILE *out, const struct option *option) {
    char left[128], doc[600], letter[8] = "    ";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "  %s--%s%s%s", letter, option->name, option->value ? " " : "",
             option->value ? option->value : "");
    if (option->type == OPTION_INT || option->type == OPTION_REAL)
        snprintf(doc, sizeof doc, "%s (%.16g to %.16g)", option->doc, option->min, option->max);
    else
        snprintf(doc, sizeof doc, "%s%s", option->doc, option->type == OPTION_LIST ? " (may be repeated)" : "");
    print_entry(out, left, doc);
}

void help_verb(FILE *out, const struct verb *verb) {
    int indent = fprintf(out, "usage: cord %s ", verb->name);
    print_wrapped(out, text_of(verb->synopsis), indent, indent);
    fprintf(out, "\n");
    print_text(out, verb->summary);
    if (verb->options[0].name) fprintf(out, "\noptions:\n");
    for (const struct option *option = verb->options; option->name; option++) print_option(out, option);
    if (verb->help) {
        fprintf(out, "\n");
        print_text(out, verb->help);
    }
}

/* ---- the recipe ------------------------------------------------------------------------------------------------ */

/* "  search.beam: 4" and what is allowed behind it, then the explanation. */
static void print_key(FILE *out, const struct recipe_key *key) {
    char left[200], range[64] = "";
    snprintf(left, sizeof left, "  %s%s%s", key->path, key->fallback && *key->fallback ? ": " : "",
             !key->fallback ? " (required)" : key->fallback);
    if (key->type == RECIPE_INT) snprintf(range, sizeof range, "whole, %.16g to %.16g", key->min, key->max);
    if (key->type == RECIPE_REAL) snprintf(range, sizeof range, "%g to %g", key->min, key->max);
    if (key->type == RECIPE_BOOL) snprintf(range, sizeof range, "true, false");
    for (size_t i = 0; key->choices && key->choices[i]; i++) {
        size_t len = strlen(range);
        snprintf(range + len, sizeof range - len, "%s%s", i ? ", " : "", key->choices[i]);
    }
    fprintf(out, "%s", left);
    if (*range) fprintf(out, "%*s", COLUMNS - (int)strlen(left) - 1, range);
    fprintf(out, "\n%*s", INDENT, "");
    print_wrapped(out, text_of(key->doc), INDENT, INDENT);
}

static void help_recipe(FILE *out) {
    print_text(out, "A recipe is a YAML file that says everything about a run. These are its keys, their "
                    "defaults (the paper's, where it has one) and what is allowed. A star is a name you "
                    "choose: letters, digits, '.', '_' and '-'. --set search.beam=2 on the command line "
                    "overrides a key; the value stands as it is, or in quotes as in YAML.\n");
    size_t n, section = 0;
    const struct recipe_key *keys = recipe_keys(&n);
    for (size_t i = 0; i < n; i++) {
        const char *prompt = strstr(keys[i].path, "prompt.");
        if (prompt && prompt != keys[i].path) continue; /* the same as under `prompt`, told once */
        if (!section || strncmp(keys[i].path, keys[section - 1].path, strcspn(keys[i].path, ".") + 1) != 0)
            fprintf(out, "\n");
        section = i + 1;
        print_key(out, &keys[i]);
    }
    print_text(out, "\n"
                    "The keys of 'prompt' may also stand under a teacher (teachers.*.prompt.marker) and "
                    "under meta_prover; what is not written there comes from 'prompt', or, where the "
                    "style differs, from that style. A text that nobody wrote is the style's own:\n"
                    "\n"
                    "  steps  for instruct models: a system text asks for numbered steps\n"
                    "  paper  for reasoning models: the question alone, and the first step opened\n"
                    "\n"
                    "A run's folder holds the recipe with every default and every text in full.\n");
}

/* ---- the verb -------------------------------------------------------------------------------------------------- */

static int run_help(const struct call *call) {
    const char *topic = call->n_args ? call->args[0] : NULL, *names[33] = {"recipe"};
    const struct verb *verb = topic ? cmd_find(topic) : NULL;
    size_t n = 1;
    for (; cmd_verbs[n - 1] && n < 33; n++) names[n] = cmd_verbs[n - 1]->name;
    if (!topic)
        help_overview(call->out);
    else if (verb)
        help_verb(call->out, verb);
    else if (!strcmp(topic, "recipe"))
        help_recipe(call->out);
    else {
        const char *near = strlen(topic) < 64 ? text_nearest(topic, names, n) : NULL;
        if (near) return call_usage(call, "there is no help on '%s'; did you mean '%s'", topic, near);
        return call_usage(call, "there is no help on '%.200s'", topic);
    }
    return EXIT_ALL_DONE;
}

static const struct option no_options[] = {{.name = NULL}};

const struct verb verb_help = {
    .name = "help",
    .synopsis = "[VERB|recipe]",
    .summary = "how to use cord, a verb, or a recipe",
    .options = no_options,
    .max_args = 1,
    .run = run_help,
};
