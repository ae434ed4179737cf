/* output.h - a file that is written piece by piece and appears only when it is whole: readers see the old one or the
 * new one. For files too large to be held in memory; base.h's file_write_atomic is for small ones. */
#ifndef CORD_OUTPUT_H
#define CORD_OUTPUT_H

#include "base/base.h"

#include <stdio.h>

struct output {
    FILE *file;  /* write to this */
    char *path;  /* where it will stand, symbolic links followed */
    char *draft; /* PATH.PID.tmp until it is whole; NULL for what is not a regular file (a pipe, /dev/null) */
};

cord_status output_open(struct output *output, const char *path, cord_error *err);
/* Brings what was flushed of a file to the disk before it gets its name: where several are to get theirs together, all come
 * first. */
cord_status output_sync(const struct output *output, cord_error *err);
/* Ends the file with the status of what was written: on CORD_OK it is flushed to the disk and gets its name, else it is
 * removed. Returns that status, or why the file could not be finished. */
cord_status output_close(struct output *output, cord_status status, cord_error *err);

/* Whether two paths are one file, so that what is written to the one takes the place of the other: a file under two names,
 * or one name in one folder, where there may be nothing yet. Pipes and devices can be shared, and are never one. */
bool output_same(const char *a, const char *b);
/* Whether a path is that of a run folder's own file (journal.h), of whatever run. */
bool output_is_of_run(const char *path);
/* Which of the files that a run writes into that folder a path is; NULL: none. */
const char *run_file_of(const char *folder, const char *path);
/* Removes what killed processes left of a run folder's files that were not whole. For who holds the folder's lock. */
void output_clear_drafts(const char *folder);
/* Refuses an output of an option ("--rows") that is a file of these run folders, or of any other. */
cord_status output_spare_runs(const char *option, const char *path, const char *const *folders, int n, cord_error *err);

#endif
