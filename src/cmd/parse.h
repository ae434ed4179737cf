/* parse.h - what main.c, options.c, help.c and completion.c share: the list of verbs, the parser, the help. */
#ifndef CORD_CMD_PARSE_H
#define CORD_CMD_PARSE_H

#include "cmd/cmd.h"

/* All verbs, in the order of the help; ends with NULL. (help.c) */
extern const struct verb *const cmd_verbs[];

/* The verb of this name, or NULL. */
const struct verb *cmd_find(const char *name);

/* What a command line came to. */
struct parsed {
    struct option_value *options; /* in the order of the table */
    const char **args;
    int n_args;
    bool help; /* --help or -h was given: nothing after it was looked at */
};

/* Parses the words behind the verb:
 *
 *     --name value   --name=value   -x value   -xvalue   -xy (flags together)   - (an argument)
 *     -- (the rest are arguments)
 *
 * CORD_BAD_USAGE for an unknown option (the nearest is suggested), a missing value, one that is not a number, out of its
 * range or none of the words allowed, and an option given twice that is not a list. Everything lives in `arena` and borrows
 * from argv. */
cord_status options_parse(const struct option *table, int argc, char **argv, struct arena *arena, struct parsed *parsed,
                          cord_error *err);

/* All words that are allowed for an option, "keep|strip"; NULL where it may be any. */
const char *option_words(const struct option *option);

/* `cord help`, `cord help VERB`. */
void help_overview(FILE *out);
void help_verb(FILE *out, const struct verb *verb);
/* An option's explanation, with what is allowed for it. */
void help_option(const struct option *option, struct buf *doc);

/* Completions for bash, zsh or fish (0, 1, 2), written from the tables. (completion.c) */
void completion_write(FILE *out, int shell);

#endif
