/* figures.h - what can be counted of a data set while it is made, in memory that does not grow with it: for the card
 * (card.h) and for `cord stats`. It must not know how rows are chosen or laid out. */
#ifndef CORD_FIGURES_H
#define CORD_FIGURES_H

#include "export/flaws.h"

/* Why a trajectory or a problem gave no row, in the order in which they are asked. */
enum filter {
    FILTER_NOT_CORRECT, /* no finished trajectory of the problem is correct (--only-correct) */
    FILTER_NO_ANSWER,
    FILTER_SCORE,    /* S below --min-score */
    FILTER_LIFT,     /* S - S0 below --min-lift */
    FILTER_NO_PAIR,  /* there are no two to compare, or one margin is within the noise */
    FILTER_REVERSED, /* of a pair, what the score prefers is not correct, and the other is */
    FILTER_CUT,      /* of a pair of steps, one was cut by its limit */
    FILTER_UNSCORED, /* steps without scores, as curation leaves them */
    FILTER_FLAW,     /* --drop */
    FILTER_EXCLUDED, /* overlaps an evaluation set (--exclude) */
    FILTER_TOKENS,   /* longer than --max-tokens */
    FILTER_DUPLICATE,
    FILTERS
};
extern const char *const filter_names[]; /* "no correct trajectory", …: what is said of what was removed */

struct spread {
    int64_t n;
    double sum, min, max;
};
void spread_add(struct spread *spread, double value); /* NAN is left out */
double spread_mean(const struct spread *spread);      /* NAN where there is none */

enum { SCORE_BINS = 10, LENGTH_BINS = 20, FIGURES_TEACHERS = 64 };

struct figures {
    int64_t problems, done, failed, open;
    int64_t best[4];  /* grades of the best trajectories of problems that are done */
    struct spread pp; /* S of these */
    struct spread s0; /* of problems that are done */
    int64_t rows, rescued /* by a correct trajectory behind a better-scored one */;
    int64_t grades[4];                  /* of the rows' trajectories */
    struct spread score, lift, rows_s0; /* of the rows */
    struct spread words, tokens, steps; /* words of prompt and response; tokens where a tokenizer was given */
    int64_t score_bins[SCORE_BINS];     /* tenths of S */
    int64_t length_bins[LENGTH_BINS];   /* by words: [2^i, 2^(i+1)) */
    int64_t flaws[FLAWS];
    struct spread removed[FILTERS]; /* how many, with their S0 */
    int64_t removed_n[FILTERS];
    struct {
        const char *name;
        int64_t steps;
    } teachers
        [FIGURES_TEACHERS]; /* of steps in rows, each piece of one that was cut for itself; the last one is "others" where there are more */
    int n_teachers;
    /* traps */
    int64_t lost_reasoning;  /* rows of which the named template drops the reasoning */
    int64_t second_thoughts; /* rows before whose reasoning it writes a thought's tag of its own */
    int64_t over_length;     /* rows longer than the named trainer takes unless told */
    int64_t full_contexts;   /* problems whose question is that with the full context (--full-context) */
};

void figures_remove(struct figures *figures, enum filter why, double log_s0);
/* A row's trajectory; `prompt` is what stands before its response. */
void figures_add(struct figures *figures, const struct example *example, cord_text prompt, unsigned flaws);
/* A row of which only texts are known. */
void figures_add_texts(struct figures *figures, cord_text prompt, cord_text response, unsigned flaws);
void figures_add_teacher(struct figures *figures, const char *name, int64_t steps);

/* A histogram of bars for a terminal or a Markdown code block: a line a bin, "label  count  ####". */
void figures_plot_scores(const struct figures *figures, struct buf *out);
void figures_plot_lengths(const struct figures *figures, struct buf *out);
void figures_plot_teachers(const struct figures *figures, struct buf *out);

#endif
