/* completion.c - what lets bash, zsh and fish complete cord's commands, written from the tables of verbs, options and recipe
 * keys. It must not know what any of them means.
 *
 * Arguments that are not options are files (or folders), but for those of `help`. */
#include "cmd/parse.h"

#include "recipe/recipe.h"

/* ---- what the tables say --------------------------------------------------------------------------------------- */

enum value_kind {
    VALUE_NONE, /* a flag */
    VALUE_WORDS,
    VALUE_KEYS, /* of a recipe, each with a "=" behind it */
    VALUE_FILE,
    VALUE_FREE, /* a number, a field: nothing to suggest */
};

static enum value_kind kind_of(const struct option *option) {
    if (!option->value) return VALUE_NONE;
    if (option_words(option)) return VALUE_WORDS;
    if (!strcmp(option->value, "KEY=VALUE")) return VALUE_KEYS;
    return strstr(option->value, "FILE") || strstr(option->value, "PATH") ? VALUE_FILE : VALUE_FREE;
}

/* Those that begin with a name that the user chose cannot be known here. */
static void put_keys(FILE *out) {
    size_t n;
    const struct recipe_key *keys = recipe_keys(&n);
    for (size_t i = 0; i < n; i++)
        if (!strchr(keys[i].path, '*')) fprintf(out, "%s= ", keys[i].path);
}

/* "keep|strip" as "keep strip", or the keys: "search.beam= search.step_tokens= ". */
static void put_words(FILE *out, const struct option *option) {
    if (kind_of(option) == VALUE_KEYS)
        put_keys(out);
    else
        for (const char *word = option_words(option); word && *word; word++) fputc(*word == '|' ? ' ' : *word, out);
}

static void put_verbs(FILE *out) {
    for (size_t i = 0; cmd_verbs[i]; i++) fprintf(out, "%s%s", i ? " " : "", cmd_verbs[i]->name);
}

static void put_topics(FILE *out) {
    put_verbs(out);
    fputs(" recipe", out);
}

/* In single quotes; `escape` holds the signs that get a backslash, `quote` is what a single quote becomes. */
static void put_quoted(FILE *out, const char *text, const char *escape, const char *quote) {
    for (; *text; text++) {
        if (*text == '\'')
            fputs(quote, out);
        else
            fprintf(out, "%s%c", strchr(escape, *text) ? "\\" : "", *text);
    }
}

static void put_doc(FILE *out, const struct option *option, const char *escape, const char *quote) {
    struct buf doc;
    buf_init(&doc, "an option's help", 4096);
    help_option(option, &doc);
    if (doc.status == CORD_OK) put_quoted(out, doc.data, escape, quote);
    buf_release(&doc);
}

/* ---- bash ------------------------------------------------------------------------------------------------------ */

/* A branch for what follows an option that takes a value. */
static void bash_value(FILE *out, const struct verb *verb, const struct option *option) {
    fprintf(out, "    '%s --%s'", verb->name, option->name);
    if (option->letter) fprintf(out, " | '%s -%c'", verb->name, option->letter);
    fputs(") ", out);
    if (kind_of(option) == VALUE_FILE)
        fputs("return", out); /* bash's own completion, see `complete` below */
    else if (kind_of(option) == VALUE_FREE)
        fputs("compopt +o default; return", out);
    else {
        fputs("words='", out);
        put_words(out, option);
        fputs(kind_of(option) == VALUE_KEYS ? "'; compopt -o nospace" : "'", out);
    }
    fputs(" ;;\n", out);
}

static void bash_options(FILE *out, const struct verb *verb) {
    fprintf(out, "    '%s -'*) words='", verb->name);
    for (const struct option *option = verb->options; option->name; option++) fprintf(out, "--%s ", option->name);
    fputs("--help' ;;\n", out);
}

static void write_bash(FILE *out) {
    fputs("# bash completion for cord, written by 'cord help --completion bash'\n"
          "_cord() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} words=\n"
          "    # bash takes --name=value for three words\n"
          "    if [ \"$cur\" = = ]; then cur=; elif [ \"$prev\" = = ]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" = 1 ]; then verb= prev=; fi\n"
          "    case \"$verb $prev\" in\n"
          "    ' ') words='",
          out);
    put_verbs(out);
    fputs(" --help --version' ;;\n", out);
    for (size_t i = 0; cmd_verbs[i]; i++)
        for (const struct option *option = cmd_verbs[i]->options; option->name; option++)
            if (option->value) bash_value(out, cmd_verbs[i], option);
    fputs("    esac\n"
          "    [ -n \"$words\" ] || case \"$verb $cur\" in\n",
          out);
    for (size_t i = 0; cmd_verbs[i]; i++) bash_options(out, cmd_verbs[i]);
    fputs("    'help '*) words='", out);
    put_topics(out);
    fputs("' ;;\n"
          "    esac\n"
          "    [ -n \"$words\" ] || return 0\n"
          "    compopt +o default\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
          "}\n"
          "complete -o default -F _cord cord\n",
          out);
}

/* ---- zsh ------------------------------------------------------------------------------------------------------- */

/* One of _arguments' specifications: '(-f --format)'{-f+,--format=}'[doc]:value:(messages prompt-completion)' */
static void zsh_option(FILE *out, const struct option *option) {
    const char *equals = option->value ? "=" : "", *plus = option->value ? "+" : "";
    fputs(" \\\n            ", out);
    if (option->letter)
        fprintf(out, "'(-%c --%s)'{-%c%s,--%s%s}'[", option->letter, option->name, option->letter, plus, option->name,
                equals);
    else
        fprintf(out, "'%s--%s%s[", option->type == OPTION_LIST ? "*" : "", option->name, equals);
    put_doc(out, option, "\\[]:", "'\\''");
    fputs("]", out);
    if (option->value) fprintf(out, ":%s:", option->value);
    switch (kind_of(option)) {
    case VALUE_NONE: break;
    case VALUE_FREE: fputs(" ", out); break;
    case VALUE_FILE: fputs("_files", out); break;
    case VALUE_WORDS:
        fputs("(", out);
        put_words(out, option);
        fputs(")", out);
        break;
    case VALUE_KEYS: fputs("compadd -S \"\" - ", out); put_words(out, option);
    }
    fputs("'", out);
}

static void zsh_verb(FILE *out, const struct verb *verb) {
    fprintf(out, "    %s)\n        _arguments -s -S", verb->name);
    for (const struct option *option = verb->options; option->name; option++) zsh_option(out, option);
    fputs(" \\\n            '(- *)'{-h,--help}'[how to use it]' \\\n            ", out);
    if (verb == &verb_help) {
        fputs("'1:topic:(", out);
        put_topics(out);
        fputs(")'", out);
    } else
        fputs("'*:file:_files'", out);
    fputs(" ;;\n", out);
}

static void write_zsh(FILE *out) {
    fputs("#compdef cord\n"
          "# zsh completion for cord, written by 'cord help --completion zsh'\n"
          "_cord() {\n"
          "    local -a verbs=(\n",
          out);
    for (size_t i = 0; cmd_verbs[i]; i++) {
        fprintf(out, "        '%s:", cmd_verbs[i]->name);
        put_quoted(out, cmd_verbs[i]->summary, "\\:", "'\\''");
        fputs("'\n", out);
    }
    fputs("    )\n"
          "    if ((CURRENT == 2)); then\n"
          "        _describe verb verbs -- '(--help --version)'\n"
          "        return\n"
          "    fi\n"
          "    local verb=$words[2]\n"
          "    shift words\n"
          "    ((CURRENT--))\n"
          "    case $verb in\n",
          out);
    for (size_t i = 0; cmd_verbs[i]; i++) zsh_verb(out, cmd_verbs[i]);
    fputs("    esac\n"
          "}\n"
          "_cord \"$@\"\n",
          out);
}

/* ---- fish ------------------------------------------------------------------------------------------------------ */

static void fish_option(FILE *out, const struct verb *verb, const struct option *option) {
    enum value_kind kind = kind_of(option);
    fprintf(out, "complete -c cord -n '__cord_verb_is %s' -l %s", verb->name, option->name);
    if (option->letter) fprintf(out, " -s %c", option->letter);
    if (kind != VALUE_NONE) fputs(kind == VALUE_FILE ? " -r -F" : " -x", out);
    if (kind == VALUE_WORDS || kind == VALUE_KEYS) {
        fputs(" -a '", out);
        put_words(out, option);
        fputs("'", out);
    }
    fputs(" -d '", out);
    put_doc(out, option, "\\", "\\'");
    fputs("'\n", out);
}

static void write_fish(FILE *out) {
    fputs("# fish completion for cord, written by 'cord help --completion fish'\n"
          "function __cord_verb_is # the first word alone: a run folder may be called as a verb is\n"
          "    set -l words (commandline -opc)\n"
          "    test (count $words) -gt 1; and test $words[2] = $argv[1]\n"
          "end\n"
          "complete -c cord -s h -l help -d 'how to use it'\n"
          "complete -c cord -n __fish_use_subcommand -f -l version -d 'the version'\n",
          out);
    for (size_t i = 0; cmd_verbs[i]; i++) {
        fprintf(out, "complete -c cord -n __fish_use_subcommand -f -a %s -d '", cmd_verbs[i]->name);
        put_quoted(out, cmd_verbs[i]->summary, "\\", "\\'");
        fputs("'\n", out);
    }
    for (size_t i = 0; cmd_verbs[i]; i++)
        for (const struct option *option = cmd_verbs[i]->options; option->name; option++)
            fish_option(out, cmd_verbs[i], option);
    fputs("complete -c cord -n '__cord_verb_is help' -f -a '", out);
    put_topics(out);
    fputs("'\n", out);
}

void completion_write(FILE *out, int shell) {
    static void (*const shells[])(FILE *) = {write_bash, write_zsh, write_fish};
    shells[shell](out);
}
