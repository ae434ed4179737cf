/* merge.h - one run folder from several: shards of a run, or runs of the same recipe in different places. Nothing is
 * computed anew: the result holds what the runs' journals hold, rounds, candidates, prompts, answers and all. It must not
 * know what recipes say: who calls it compares them. */
#ifndef CORD_MERGE_H
#define CORD_MERGE_H

#include "store/summary.h"

/* What to do where two runs contradict each other: another recipe or model, another problem under the same id, another
 * result for the same problem. */
enum merge_prefer {
    MERGE_NONE,  /* tell every contradiction, and merge nothing */
    MERGE_FIRST, /* take what the run that was named first has */
    MERGE_LAST,  /* … last */
};

enum merge_news { MERGE_CONFLICT, MERGE_NOTE };

struct merge_options {
    const char *out;         /* the folder to be made; it must not exist */
    const char *const *runs; /* run folders */
    int n_runs;
    enum merge_prefer prefer;
    /* Compares two resolved recipes: lines of what contradicts and of what is only worth telling, each ended by a newline;
     * empty texts where there is nothing. */
    cord_status (*compare)(cord_text before, cord_text after, struct arena *arena, cord_text *conflicts,
                           cord_text *notes, cord_error *err);
    /* Makes of a resolved recipe that of a run in the folder `out`. */
    cord_status (*move)(cord_text resolved, const char *out, struct arena *arena, cord_text *moved, cord_error *err);
    /* Is told each contradiction and each choice, a line at a time. Its texts are of any origin. */
    void (*tell)(void *ctx, enum merge_news news, const char *line);
    void *ctx;
};

struct merge_counts {
    int conflicts;  /* contradictions that were told */
    int left_out;   /* runs that have not begun */
    int duplicates; /* problems that a further run had, too, and which are in the result once */
    struct summary_counts merged;
};

/* Merges. The runs are only read, and must not be at work: CORD_BUSY where one is; one that has not begun is told and
 * left out. What only one run has is taken; of a
 * problem that several have, the one that is done, or else failed, or else has most rounds; of two that are done and equal
 * (but for times and for what was cached), the first. CORD_CHANGED where there are contradictions and `prefer` does not say
 * what to do with them, and where the runs' teachers differ, since journals name teachers by number.
 *
 * Problems stand in the order of their lines in the problem file, and within a line that holds several in that of their
 * numbers. Where lines and numbers contradict each other, because the runs read different files, they stand run by run.
 *
 * The result appears under its name whole, or not at all. Until then it grows in OUT.merging, which a merge that was killed
 * leaves behind and the next one to OUT clears away. A folder of that name that no merge made is refused. */
cord_status merge_runs(const struct merge_options *options, struct merge_counts *counts, cord_error *err);

#endif
