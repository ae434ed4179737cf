/* dataset.h - a data set on the disk: one file, or a folder with a file for each split, and what lies beside them (the card,
 * dataset_info.json, lists). Nothing gets its name before all of it is whole. Rows are written as JSONL; Parquet is made of
 * them at the end. It must not know how rows are chosen. */
#ifndef CORD_DATASET_H
#define CORD_DATASET_H

#include "export/card.h"
#include "store/output.h"

#include <jansson.h>

enum { DATASET_FILES = EXPORT_SPLITS + 4 };

struct dataset_options {
    const char *path; /* the file, or the folder */
    bool folder;
    bool parquet;        /* in place of JSONL */
    const char *library; /* that makes it; see data/tables.h */
};

struct dataset {
    struct dataset_options options;
    bool made;  /* the folder was not there before */
    bool plain; /* not a device or a pipe: there is a place beside it for a card */
    int n_splits;
    struct output outputs[DATASET_FILES];
    int n;
    struct card_file files[EXPORT_SPLITS];
    json_t *earlier; /* once described: the files that the folder's earlier card names, an array; NULL: there is none */
    const char *stale; /* once described: what says of the file that is exported what it was before; NULL: nothing */
    const char *left;  /* those of them that are there, and none of this data set's */
    struct arena arena;
};

/* Where a split's rows lie; NULL where there is no memory. */
const char *dataset_file(const struct dataset_options *options, const char *split, struct arena *arena);
/* Opens a file for each split, and gives it to the split. Without `folder` there may be one split only. Parquet is refused
 * here where the library is missing, before any row is made. */
cord_status dataset_open(struct dataset *set, const struct dataset_options *options, struct export_split *splits, int n,
                         cord_error *err);
/* One more file, whole with the others or not at all. */
cord_status dataset_add(struct dataset *set, const char *path, FILE **file, cord_error *err);
/* Writes the card and, for what LLaMA-Factory reads, dataset_info.json. `card` lacks only its files. */
cord_status dataset_describe(struct dataset *set, struct card *card, cord_error *err);
/* Of a data set without a row only what else was added gets its name: the files that were there stay. */
void dataset_leave_rows(struct dataset *set);
/* Ends the data set with the status of what was written: on CORD_OK all files get their names, else none does. */
cord_status dataset_close(struct dataset *set, cord_status status, cord_error *err);

#endif
