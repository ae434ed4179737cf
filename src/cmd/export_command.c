/* export_command.c - see export_command.h. */
#include "cmd/export_command.h"

/* A word as a shell takes it. */
static const char *quoted(const char *word, struct arena *arena) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./,:=+@%-";
    if (!word || (*word && !word[strspn(word, plain)])) return word;
    const char *line = "'";
    for (const char *quote; line && (quote = strchr(word, '\'')); word = quote + 1)
        line = arena_printf(arena, "%s%.*s'\\''", line, (int)(quote - word), word);
    return line ? arena_printf(arena, "%s%s'", line, word) : NULL;
}

/* " --name value" behind a line; NULL where one of them is. */
static const char *with(const char *line, const char *name, const char *value, struct arena *arena) {
    value = quoted(value, arena);
    return line && value ? arena_printf(arena, "%s --%s %s", line, name, value) : NULL;
}

static const char *with_option(const char *line, const struct option *option, const struct option_value *value,
                               struct arena *arena) {
    bool path = option->value && (strstr(option->value, "FILE") || strstr(option->value, "PATH"));
    if (option->type == OPTION_FLAG) return arena_printf(arena, "%s --%s", line, option->name);
    if (option->type == OPTION_INT || option->type == OPTION_REAL)
        return arena_printf(arena, "%s --%s %.10g", line, option->name, value->number);
    for (int k = 0; k < (option->type == OPTION_LIST ? value->n : 1); k++) {
        const char *text = option->type == OPTION_LIST ? value->list[k] : value->text;
        line = with(line, option->name, path ? arena_text(arena, path_name(text_of(text))).data : text, arena);
    }
    return line;
}

const char *export_command(const struct call *call, const struct runs *runs, struct arena *arena) {
    const char *line = "cord export";
    for (int i = 0; i < runs->n && line; i++) {
        const char *name = quoted(runs->sources[i].name, arena);
        line = name ? arena_printf(arena, "%s %s", line, name) : NULL;
    }
    for (size_t i = 0; call->verb->options[i].name && line; i++) {
        const struct option *option = &call->verb->options[i];
        if (call->options[i].given && strcmp(option->name, "out") != 0)
            line = with_option(line, option, &call->options[i], arena);
    }
    return line;
}
