/* merge_problem.h - what the files of `cord merge` share: two journals, one attached to the other, and the problems that
 * pass between them. Private to src/store/merge*.c. */
#ifndef CORD_MERGE_PROBLEM_H
#define CORD_MERGE_PROBLEM_H

#include "store/database.h"
#include "store/merge.h"

enum { MERGE_TABLES = 16 };

/* A table of which each row belongs to a problem: its first column. Columns are read from the file, so that a table or a
 * column more needs nothing here. */
struct merge_table {
    const char *name;
    sqlite3_stmt *copy;    /* rows of problem ?1 of the source, as those of problem ?2 */
    sqlite3_stmt *drop;    /* rows of problem ?1 */
    sqlite3_stmt *differs; /* gives a row where problem ?1 of the source and problem ?2 are not equal in this table */
};

struct merge {
    const struct merge_options *options;
    struct merge_counts *counts;
    struct journal *journal; /* the result; the run being read is attached as `source` */
    int run;                 /* which one that is */
    int facts_of;            /* the run whose recipe is the result's */
    struct merge_table tables[MERGE_TABLES];
    int n_tables;
    struct arena arena; /* of that run */
};

/* Tells a line. */
void merge_tell(struct merge *m, enum merge_news news, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Finds the tables, and prepares what is done with them, when a source has been attached; releases all that before it is
 * detached. */
cord_status merge_tables_open(struct merge *m, cord_error *err);
void merge_tables_close(struct merge *m);

/* Takes the source's problems into the result, one after the other, in the transaction that is open. */
cord_status merge_problems(struct merge *m, cord_error *err);

#endif
