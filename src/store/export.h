/* export.h - files made from the journal: trajectories.jsonl, and training rows in the layouts that trainers read.
 * Adding a format is one entry in a table. It must not know models or searches. */
#ifndef CORD_EXPORT_H
#define CORD_EXPORT_H

#include "store/journal.h"

/* Writes FOLDER/trajectories.jsonl anew, in input order, atomically: a line for each problem that is done or failed.
 *   {"problem": {the input row as it stands}, "id", "index", "status", "reason"?, "s0", "best": {…}|null, "finished":
 *   [{…}…],
 *    "tokens": {"propose", "score", "answer"}, "rounds"}
 * A trajectory is {"score", "log_score", "finish", "author", "reasoning", "steps": [{"text", "teacher", "round",
 * "score", "cut"}…], "reply", "answer", "grade", "why"}. `best` is the finished one of highest S; "finished" holds the
 * others. No times and no token counts that depend on caching, so that equal runs have equal files. */
cord_status export_trajectories(struct journal *journal, const char *folder, cord_error *err);

struct export_options {
    const char *format;                /* a name of export_formats() */
    bool only_correct;                 /* the best correct finished trajectory; problems without one give no row */
    double min_score;                  /* S of the trajectory; 0 = all */
    bool strip_markers;                /* the step markers are taken out of the reasoning */
    cord_text think_open, think_close; /* "<think>\n" and "\n</think>\n\n" around the reasoning */
};

struct export_counts {
    int problems, rows;
    int rescued; /* rows whose trajectory is not the best by S, because that one was not correct (only_correct) */
    int failed, unfinished;
    int no_answer;  /* done, but the trajectory that would have been taken states no answer */
    int no_correct; /* done, but no finished trajectory is correct (only_correct) */
    int below_score;
};

/* NULL-terminated names, for help. */
const char *const *export_formats(void);

/* Writes training rows to `out` (a FILE *), a line each, in input order: the question as the user wrote it, and the
 * reasoning inside think tags followed by the reply. A trajectory without an answer gives no row. */
cord_status export_run(struct journal *journal, const struct export_options *options, void *out,
                       struct export_counts *counts, cord_error *err);

#endif
