/* options.c - reads a command line by a verb's table of options, and tells what is wrong with it. It must not know what
 * the options mean. */

#include "cmd/parse.h"

#include <stdlib.h>

enum { MOST_OPTIONS = 64 /* of one verb */, MOST_WORDS = 64 /* of one option */ };

struct parser {
    const struct option *table;
    int argc, at;
    char **argv;
    struct parsed *parsed;
    struct arena *arena;
    cord_error *err;
};

/* ---- values ---------------------------------------------------------------------------------------------------- */

static cord_status read_number(const struct parser *parser, const struct option *option, const char *text,
                               double *number) {
    char *end;
    bool whole = option->type == OPTION_INT;
    *number = strtod(text, &end);
    if (!*text || strspn(text, whole ? "+-0123456789" : "+-.0123456789eE") != strlen(text) || *end)
        return error_set(parser->err, CORD_BAD_USAGE, "--%s: '%s' is not a %snumber", option->name, text,
                         whole ? "whole " : "");
    if (*number >= option->min && *number <= option->max) return CORD_OK;
    return error_set(parser->err, CORD_BAD_USAGE, "--%s: %s is out of range; allowed: %.16g to %.16g", option->name,
                     text, option->min, option->max);
}

const char *option_words(const struct option *option) {
    const char *value = option->value;
    return option->words ? option->words : value && *value >= 'a' && *value <= 'z' ? value : NULL;
}

/* The place of a word among those allowed. */
static cord_status read_word(const struct parser *parser, const struct option *option, const char *text, int *choice) {
    const char *words[MOST_WORDS], *list = "";
    char *rest = arena_printf(parser->arena, "%s", option_words(option));
    int n = 0;
    if (!rest) return error_memory(parser->err);
    while (n < MOST_WORDS && (words[n] = strsep(&rest, "|"))) {
        if (!strcmp(words[n], text)) {
            *choice = n;
            return CORD_OK;
        }
        n++;
    }
    for (int i = 0; i < n && list; i++)
        list = arena_printf(parser->arena, "%s%s%s", list, i == 0 ? "" : i + 1 < n ? ", " : " or ", words[i]);
    if (!list) return error_memory(parser->err);
    const char *near = text_nearest(text, words, (size_t)n);
    return error_set(parser->err, CORD_BAD_USAGE, "--%s is %s, not '%.200s'%s%s%s", option->name, list, text,
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static cord_status put(struct parser *parser, const struct option *option, const char *text) {
    struct option_value *value = &parser->parsed->options[option - parser->table];
    if (value->given && option->type != OPTION_FLAG && option->type != OPTION_LIST)
        return error_set(parser->err, CORD_BAD_USAGE, "--%s is given twice", option->name);
    value->given = true;
    if (option->type == OPTION_INT || option->type == OPTION_REAL)
        return read_number(parser, option, text, &value->number);
    if (option->type == OPTION_TEXT) value->text = text;
    if (option->type == OPTION_TEXT && option_words(option)) return read_word(parser, option, text, &value->choice);
    if (option->type != OPTION_LIST) return CORD_OK;
    if (!value->list) value->list = arena_alloc(parser->arena, (size_t)parser->argc * sizeof *value->list);
    if (!value->list) return error_memory(parser->err);
    value->list[value->n++] = text;
    return CORD_OK;
}

/* The next word as an option's value. One that looks like a long option is more likely a value forgotten. */
static cord_status take_value(struct parser *parser, const struct option *option, const char **text) {
    const char *next = parser->at < parser->argc ? parser->argv[parser->at] : NULL;
    if (!next)
        return error_set(parser->err, CORD_BAD_USAGE, "--%s needs a value: --%s %s", option->name, option->name,
                         option->value);
    if (!strncmp(next, "--", 2))
        return error_set(parser->err, CORD_BAD_USAGE,
                         "--%s needs a value: --%s %s (for one that begins with --: --%s=%s)", option->name,
                         option->name, option->value, option->name, next);
    parser->at++;
    *text = next;
    return CORD_OK;
}

/* ---- words ----------------------------------------------------------------------------------------------------- */

static cord_status unknown_option(const struct parser *parser, cord_text name) {
    const char *names[MOST_OPTIONS], *near = NULL;
    char word[64] = "";
    size_t n = 0;
    for (; parser->table[n].name && n < MOST_OPTIONS; n++) names[n] = parser->table[n].name;
    if (name.len < sizeof word) {
        memcpy(word, name.data, name.len);
        near = text_nearest(word, names, n);
    }
    if (near) return error_set(parser->err, CORD_BAD_USAGE, "unknown option --%s; did you mean --%s?", word, near);
    return error_set(parser->err, CORD_BAD_USAGE, "unknown option --%.*s", (int)(name.len < 200 ? name.len : 200),
                     name.data);
}

static cord_status long_option(struct parser *parser, const char *word) {
    const char *equals = strchr(word, '=');
    cord_text name = {word, equals ? (size_t)(equals - word) : strlen(word)};
    const struct option *option = parser->table;
    while (option->name && !text_equal(text_of(option->name), name)) option++;
    if (!option->name && text_equal(name, TEXT("help"))) {
        parser->parsed->help = true;
        return CORD_OK;
    }
    if (!option->name) return unknown_option(parser, name);
    if (option->type == OPTION_FLAG && equals)
        return error_set(parser->err, CORD_BAD_USAGE, "--%s takes no value", option->name);
    const char *value = equals ? equals + 1 : NULL;
    if (option->type != OPTION_FLAG && !equals) CORD_TRY(take_value(parser, option, &value));
    return put(parser, option, value);
}

/* -v, -vq, -o FILE, -oFILE */
static cord_status short_options(struct parser *parser, const char *letters) {
    for (; *letters && !parser->parsed->help; letters++) {
        const struct option *option = parser->table;
        while (option->name && option->letter != *letters) option++;
        if (!option->name && *letters == 'h')
            parser->parsed->help = true;
        else if (!option->name)
            return error_set(parser->err, CORD_BAD_USAGE, "unknown option -%.1s", letters);
        else if (option->type == OPTION_FLAG)
            CORD_TRY(put(parser, option, NULL));
        else {
            const char *value = letters + 1;
            if (!*value) CORD_TRY(take_value(parser, option, &value));
            return put(parser, option, value);
        }
    }
    return CORD_OK;
}

cord_status options_parse(const struct option *table, int argc, char **argv, struct arena *arena, struct parsed *parsed,
                          cord_error *err) {
    size_t n = 0;
    while (table[n].name) n++;
    *parsed = (struct parsed){.options = arena_alloc(arena, (n + 1) * sizeof *parsed->options),
                              .args = arena_alloc(arena, ((size_t)argc + 1) * sizeof *parsed->args)};
    if (!parsed->options || !parsed->args) return error_memory(err);
    struct parser parser = {table, argc, 0, argv, parsed, arena, err};
    bool ended = false;
    while (parser.at < argc && !parsed->help) {
        const char *word = argv[parser.at++];
        if (ended || word[0] != '-' || !word[1])
            parsed->args[parsed->n_args++] = word;
        else if (!strcmp(word, "--"))
            ended = true;
        else if (word[1] == '-')
            CORD_TRY(long_option(&parser, word + 2));
        else
            CORD_TRY(short_options(&parser, word + 1));
    }
    return CORD_OK;
}

/* ---- calls ----------------------------------------------------------------------------------------------------- */

const struct option_value *call_option(const struct call *call, const char *name) {
    const struct option *table = call->verb->options;
    for (size_t i = 0; table[i].name; i++)
        if (!strcmp(table[i].name, name)) return &call->options[i];
    fprintf(call->err, "cord: a bug: the verb '%s' has no option '%s'\n", call->verb->name, name);
    abort();
}

const char *call_text(const struct call *call, const char *name, const char *fallback) {
    const struct option_value *value = call_option(call, name);
    return value->given ? value->text : fallback;
}

double call_number(const struct call *call, const char *name, double fallback) {
    const struct option_value *value = call_option(call, name);
    return value->given ? value->number : fallback;
}

cord_status call_put(const struct call *call, struct buf *buf, cord_error *err) {
    cord_status status = buf_check(buf, err);
    if (status == CORD_OK) fwrite(buf->data, 1, buf->len, call->out);
    buf_release(buf);
    return status;
}

/* A part of a message, line by line; it may hold what stands in somebody's file. */
static void tell(FILE *out, cord_text part) {
    cord_text line;
    bool ended = text_ends(part, TEXT("\n"));
    for (bool next = false; text_next_line(&part, &line); next = true) {
        char shown[sizeof((cord_error *)0)->message];
        snprintf(shown, sizeof shown, "%.*s", (int)line.len, line.data);
        utf8_make_printable(shown);
        fprintf(out, "%s%s", next ? "\n" : "", shown);
    }
    if (ended) fputc('\n', out);
}

int call_fail(const struct call *call, const cord_error *err) {
    fprintf(call->err, "cord: ");
    if (err->where[0]) {
        tell(call->err, text_of(err->where));
        fprintf(call->err, ": ");
    }
    tell(call->err, text_of(err->message[0] ? err->message : cord_status_name(err->code)));
    fprintf(call->err, "\n");
    if (err->code == CORD_BAD_USAGE) return EXIT_WRONG_USAGE;
    return err->code == CORD_CANCELLED ? EXIT_INTERRUPTED : EXIT_NOTHING_DONE;
}

int call_unwritten(const struct call *call, const cord_error *err) {
    if (reader_left(call->out)) return EXIT_ALL_DONE;
    clearerr(call->out); /* which main.c would tell once more */
    return call_fail(call, err);
}

int call_usage(const struct call *call, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(call->err, "cord %s: ", call->verb->name);
    vfprintf(call->err, format, args);
    bool help = !strcmp(call->verb->name, "help"); /* which lists all there is help on */
    fprintf(call->err, " (see 'cord help%s%s')\n", help ? "" : " ", help ? "" : call->verb->name);
    va_end(args);
    return EXIT_WRONG_USAGE;
}
