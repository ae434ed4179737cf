/* compare.h - what the files of `cord compare` share: the runs that were read, the methods they are of, and the writers of
 * each format. */
#ifndef CORD_COMPARE_H
#define CORD_COMPARE_H

#include "cmd/page.h"
#include "eval/budget_cut.h"
#include "eval/comparison.h"
#include "eval/evidence.h"
#include "eval/matching.h"

struct compared_run {
    const char *folder; /* as it was named, without slashes behind */
    struct evidence *evidence;
    struct journal *journal;          /* NULL: the evidence comes from a table of rows */
    cord_text recipe;                 /* of a journal: as it is now */
    struct journal_problem *problems; /* of a journal: row by row, as the evidence has them */
    struct model_sizes sizes;
    int method;           /* which it is a seed of */
    const char *measurer; /* of a journal: the model that measured PP; NULL: not known */
    const char *pooled;   /* who of the pool has the model of measures.held_out: "the meta-prover"; NULL: nobody */
};

/* What rows call the strategy of a selection by search.correct_first, which looks at golds. */
#define SELECTION_CORRECT_FIRST "selection, correct first"

/* What --equal made of a method, over problems and seeds. */
struct compared_cut {
    int above;           /* where it had cost more than the budget */
    int cut;             /* where something was left out: of all of those, or of none */
    int unmeasured;      /* where what is left has another best, whose PP was never measured */
    double trajectories; /* a problem, before */
};

struct compare {
    const struct call *call;
    struct arena arena;
    struct compared_run *runs;
    int n_runs;
    struct matching matching;
    struct comparison comparison;
    struct resampling how;
    const char **letters, **names;     /* of the methods: what tables and sentences call them */
    const struct compared_run **first; /* of each method's runs */
    struct {
        const char *unit; /* NULL: nothing is cut */
        enum measure measure;
        double budget; /* mean over problems */
        struct compared_cut *methods;
    } equal;
    struct buf notes; /* what a reader must know beside the numbers, a line each */
    size_t noted;     /* so much of it are notes that have ended */
};

/* What a run has of a problem, by its number among those that all have. */
static inline struct evidence_row *compare_row(const struct compare *compare, int run, int problem) {
    return &compare->runs[run].evidence->rows[compare->matching.at[run * compare->matching.n + problem]];
}

/* Ends a note that was added to `notes`: a line feed in it, as names may have, becomes a blank, and one ends it. */
void compare_end_note(struct compare *compare);

/* One of the three kinds of hits. */
struct hit_kind {
    const char *key, *name;
    const int64_t *counts;
};
enum { HIT_KINDS = 3 };
void compare_hit_kinds(const struct hits *hits, struct hit_kind kinds[HIT_KINDS]);

/* A sentence of a difference, in the arena; NULL when there is no memory. Methods are called by letters, or by names. */
const char *compare_sentence(struct compare *compare, const struct difference *difference, bool names);

/* What a method spent on a problem; by what that is the same as the baseline. As above. */
const char *compare_budget(struct compare *compare, int method);
const char *compare_equal(struct compare *compare, int method, bool names);

/* With --equal: cuts what was measured to what the cheapest method spent on each problem. Before means are taken. */
cord_status compare_cut(struct compare *compare, cord_error *err);
/* What of a method is left; NULL when there is no memory. */
const char *compare_cut_says(struct compare *compare, int method);
/* "whole", "cut" or "not cut"; what is left over the budget. */
const char *compare_cut_verdict(const struct compare *compare, int method);
double compare_cut_ratio(const struct compare *compare, int method);

/* Adds all notes, and marks the differences that cannot be compared; before anything is written. */
cord_status compare_note(struct compare *compare, cord_error *err);

/* Against what quality is shown: what --against says; else FLOPs, or tokens where FLOPs are not known of all. */
enum measure compare_cost(const struct compare *compare);
/* Quality against cost, where there are three methods or more, or --against was said. */
bool compare_has_plot(const struct compare *compare);
void compare_plot(struct compare *compare, struct page *page);

cord_status compare_text(struct compare *compare, cord_error *err);
cord_status compare_markdown(struct compare *compare, cord_error *err);
cord_status compare_csv(struct compare *compare, cord_error *err);
cord_status compare_json(struct compare *compare, cord_error *err);

#endif
