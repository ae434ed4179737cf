/* source.h - the rows of a file as JSON objects, whatever kind of file it is: JSONL, plain or gzip, is read here; a JSON
 * array, CSV, Parquet and what zstd compresses, through tables.h. It must not know what the rows mean. */
#ifndef CORD_SOURCE_H
#define CORD_SOURCE_H

#include "base/json.h"
#include "data/tables.h"

struct source {
    const char *path;
    const char *kind; /* for messages: "JSONL", "Parquet", … Static. */
    const char *unit; /* what `number` counts: "line" or "row". Static. */
    int64_t number;   /* of the row read last, from 1 */
    void *file;       /* FILE * of the lines; NULL: a table */
    struct line_reader lines;
    struct table *table;
};

/* The kind is told by the first bytes (Parquet, compression, an array's bracket) and by the end of the name (.csv, .tsv,
 * .json, with .gz or .zst behind it or not); anything else is JSONL, from a pipe, too. `library`: see tables.h. */
cord_status source_open(struct source *s, const char *path, const char *library, cord_error *err);
/* The next row's text, on one line, until the next call. A row that alone cannot be read is empty, with the reason in `why`
 * (CORD_BAD_INPUT); what is returned ends the reading. */
cord_status source_next(struct source *s, bool *more, cord_text *row, cord_error *why, cord_error *err);
void source_close(struct source *s);

/* Where the row read last stands: "FILE:7", "FILE, row 7". */
void source_where(const struct source *s, cord_error *err);

#endif
