/* exporter.h - what the files that make an export share: export.c walks through runs and chooses, pairs.c finds pairs of
 * steps, sink.c writes. Private to src/export. */
#ifndef CORD_EXPORTER_H
#define CORD_EXPORTER_H

#include "data/seen.h"
#include "export/export.h"

/* What an export works with. */
struct exporter {
    const struct export_options *options;
    struct figures *figures;
    struct seen seen; /* rows, for dedupe */
    struct buf line;

    /* of the problem at hand */
    const struct export_source *source;
    struct journal_problem problem;
    struct example_frame frame;
    cord_text search_prompt;  /* of the meta-prover, up to where reasoning goes */
    struct journal_walk walk; /* of the run; its arena is the problem's */
};

/* The least difference of log S that counts. */
static inline double exporter_margin(const struct exporter *e) {
    return e->options->margin >= 0 ? e->options->margin : e->source->noise;
}

/* Leaves something out, and counts it. */
static inline void exporter_remove(struct exporter *e, enum filter why) {
    figures_remove(e->figures, why, e->problem.log_s0);
}

/* ---- export.c ---------------------------------------------------------------------------------------------------- */

/* Whether what has this S may become a row, as far as --min-score and --min-lift say; counted where it may not. */
bool exporter_passes(struct exporter *e, double log_s);

/* ---- sink.c ------------------------------------------------------------------------------------------------------ */

/* Fills in a row's prompt and rendered texts, asks the filters that read them (flaws, overlap, tokens, duplicates), and
 * writes it. `example` may be changed: its tokens are counted. */
cord_status sink_row(struct exporter *e, struct training_row *row, struct example *example, cord_error *err);

/* ---- pairs.c ----------------------------------------------------------------------------------------------------- */

/* Rows of steps that were kept against steps that were not, of the problem at hand. */
cord_status pairs_of_steps(struct exporter *e, const struct answered *answers, int n, cord_error *err);

#endif
