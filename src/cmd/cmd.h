/* cmd.h - what a verb of the command line is: one file a verb, each exporting one table entry; its options are a typed
 * table, which yields the parsing, the checks and the help. */
#ifndef CORD_CMD_H
#define CORD_CMD_H

#include "base/base.h"

#include <stdio.h>

/* Exit statuses of every verb. */
enum exit_status {
    EXIT_ALL_DONE = 0,
    EXIT_NOTHING_DONE = 1,
    EXIT_WRONG_USAGE = 2,
    EXIT_SOME_FAILED = 3,
    EXIT_BUDGET_SPENT = 4, /* who starts it again at once is at the same bound */
    EXIT_INTERRUPTED = 130
};

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_INT, OPTION_REAL, OPTION_LIST /* text, may be repeated */ };

struct option {
    const char *name; /* "only-correct" */
    char letter;      /* 'v', or 0 */
    enum option_type type;
    /* What help calls the value: "NAME"; NULL for flags. Parsing and completions go by it, too: words in small letters are all
     * that is allowed ("keep|strip"). For completions alone, FILE and PATH are files, KEY=VALUE is a key of the recipe. */
    const char *value;
    double min, max; /* INT and REAL */
    const char *doc;
    const char *words; /* all that is allowed, "keep|strip", where `value` has no place for it; else NULL */
};

/* Values in the order of the verb's table, zero when not given. */
struct option_value {
    bool given;
    const char *text; /* TEXT */
    int choice;       /* TEXT with listed words: which of them; 0: the first, or not given */
    double number;    /* INT, REAL */
    const char **list;
    int n; /* LIST */
};

/* A verb's call, parsed. Arguments are borrowed from argv. */
struct call {
    const struct verb *verb;
    const struct option_value *options;
    const char **args; /* what is not an option */
    int n_args;
    FILE *in, *out, *err; /* stdin, stdout, stderr */
};

struct verb {
    const char *name, *synopsis, *summary; /* "score", "--model NAME|PATH [FILE]", one line */
    const char *help;                      /* paragraphs that follow the options in `cord help VERB`; may be NULL */
    const struct option *options;          /* ends with name == NULL */
    int min_args, max_args;
    int (*run)(const struct call *call); /* returns an exit status */
};

extern const struct verb verb_problems, verb_doctor, verb_run, verb_select, verb_merge, verb_show, verb_compare,
    verb_audit, verb_export, verb_stats, verb_score, verb_verify, verb_help;

/* The value of an option by its name; the name must be in the verb's table. */
const struct option_value *call_option(const struct call *call, const char *name);
/* What was given, or else `fallback`. */
const char *call_text(const struct call *call, const char *name, const char *fallback);
double call_number(const struct call *call, const char *name, double fallback);

/* Prints "cord: where: message" to call->err and returns the exit status that goes with the error's code. */
int call_fail(const struct call *call, const cord_error *err);
/* The same where call->out could not be written; nothing is told, and all is done, where nobody reads it any more. */
int call_unwritten(const struct call *call, const cord_error *err);
/* What a buffer holds goes to the output, if all of it came in, and is freed. (main.c tells what cannot be written.) */
cord_status call_put(const struct call *call, struct buf *buf, cord_error *err);
/* Prints "cord VERB: message (see 'cord help VERB')" and returns EXIT_WRONG_USAGE. */
int call_usage(const struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Where weights lie: $CORD_MODELS, else $CORD_CACHE/models, else $XDG_CACHE_HOME/cord/models, else
 * ~/.cache/cord/models. This and the next two functions are the only places besides colour and terminal checks where cord
 * reads the environment. */
const char *models_folder(struct arena *arena);

/* DuckDB's library, which reads problem files that are not JSONL: $CORD_DUCKDB, else where scripts/duckdb.sh puts it in that
 * cache, if it is there, else NULL: the system's. Reads the environment, too. */
const char *duckdb_library(struct arena *arena);

/* A server's key, out of the environment variable that `field` names. */
cord_status key_of_server(const char *name, const char *field, const char **key, cord_error *err);

/* True where `file` is a terminal that can be painted on: TERM is set, and not dumb. */
bool can_be_painted(FILE *file);
/* True where it takes colour, too: NO_COLOR is unset or empty. */
bool wants_colour(FILE *file);
/* Columns and rows of the terminal behind `file`, or 80 and 24. */
int terminal_columns(FILE *file);
int terminal_rows(FILE *file);
/* True where nobody reads what is written to `file` any more (cord show | head): then a lost line is no failure. */
bool reader_left(FILE *file);

#endif
