/* card.h - a data set's card: what it is, how it was made, what was left out, what is known to be wrong with it. Markdown
 * with the YAML block that the common hub reads. The figures are also what `cord stats` prints. It must not know how rows
 * are chosen. */
#ifndef CORD_CARD_H
#define CORD_CARD_H

#include "export/export.h"

/* A part of the data set as it lies on the disk. */
struct card_file {
    const char *split, *path; /* "train"; relative to the card */
    int64_t rows;
};

struct card {
    const char *title; /* NULL: made of the runs' names */
    const struct export_source *sources;
    int n_sources;
    const struct export_options *options;
    const char *command; /* what was asked for, as a command line */
    const struct figures *figures;
    const struct card_file *files;
    int n_files;
    bool has_description; /* dataset_info.json lies beside it */
};

/* Appends the card to `out`. */
cord_status card_write(const struct card *card, struct buf *out, cord_error *err);

/* Appends the figures alone, in lines for a terminal or for a block of a card. */
void card_figures(const struct figures *figures, struct buf *out);

/* A line by which a card of cord is known, so that no other README.md is ever written over. */
#define CARD_MARK "<!-- made by cord export -->"

#endif
