/* export.h - training rows from runs: which trajectory of a problem becomes a row, which does not and why, and where the row
 * goes. It must not know the layouts of rows (formats.h), files' names, or models: a tokenizer is a function, a chat template
 * is handed in. */
#ifndef CORD_EXPORT_H
#define CORD_EXPORT_H

#include "export/figures.h"
#include "export/formats.h"
#include "export/overlap.h"
#include "export/turn.h"

#include <stdio.h>

enum { EXPORT_SPLITS = 8 };

/* A part of the data set. Which one a problem's rows belong to is a hash of its id alone, so that it stays where it is when
 * others come and go, and no problem stands in two parts. */
struct export_split {
    const char *name; /* "train" */
    double share;     /* of all problems; all of them together 1 */
    FILE *file;       /* NULL: rows are only counted */
    int64_t rows;
};

struct export_options {
    const struct training_format *format;
    struct example_style style;

    bool only_correct; /* the best correct trajectories; problems without one give no row */
    double min_score;  /* S, whatever chose; 0 = all */
    double min_lift;   /* S - S0; -1 = all */
    int top;           /* trajectories of a problem at most */
    double margin; /* of log S, nats: what differs by less is no preference, and no better or worse step; below 0: the
                          noise of the run's meta-prover */
    unsigned drop; /* flags of flaws */
    bool dedupe;   /* a row with the text of an earlier one is left out */
    const struct overlap *exclude; /* NULL: none */
    int max_tokens;                /* of prompt and response; 0 = all */
    /* Tokens of a text by a tokenizer; NULL: there is none, and then no max_tokens. */
    cord_status (*count_tokens)(void *ctx, cord_text text, int *tokens, cord_error *err);
    /* The same of a text in which nothing is a special token. */
    cord_status (*count_plain)(void *ctx, cord_text text, int *tokens, cord_error *err);
    void *tokenizer;

    const struct turn *turn; /* renders; NULL: no template */
    cord_text added_bos;     /* what the student's tokenizer puts before every text; empty: nothing, or nobody knows */
    int trainer_tokens;      /* how long a row the named trainer takes unless told; 0 = not asked */
    bool search_prompt;      /* the prompt of a row is the search's own */
    bool provenance;         /* rows also say "id", "gold" and where they come from */
    bool mixed;              /* a problem that stands in several runs is taken from each; else that is an error */
    bool full_context;       /* the question of a row has its full context before it, where the problem set has one */

    bool (*stopped)(void); /* whether to end with CORD_CANCELLED; NULL: never */
    struct export_split *splits;
    int n_splits;  /* at least 1 */
    FILE *matches; /* JSONL: what overlapped what; NULL */
    FILE *list;    /* JSONL: the flaws that were found; NULL */
};

/* Why these options do not go together, in words; NULL: they do. */
const char *export_refusal(const struct export_options *options);

/* Writes the rows of all runs, one run after the other, each in input order. `figures` is filled anew. */
cord_status export_rows(const struct export_source *sources, int n, const struct export_options *options,
                        struct figures *figures, cord_error *err);

/* The split that an id belongs to (sink.c). */
int export_split_of(const struct export_split *splits, int n, cord_text id);

#endif
