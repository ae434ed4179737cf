/* trajectories.h - trajectories.jsonl, made from the journal. (Training rows: src/export.) It must not know models or
 * searches. */
#ifndef CORD_TRAJECTORIES_H
#define CORD_TRAJECTORIES_H

#include "store/journal.h"

/* Writes FOLDER/trajectories.jsonl anew, in input order, atomically: a line for each problem that is done or failed.
 *   {"problem": {the input row as it stands}, "id", "index", "status", "reason"?, "s0", "best": {…}|null, "finished":
 *   [{…}…],
 *    "tokens": {"propose", "score", "answer"}, "rounds"}
 * A trajectory is {"score", "log_score", "finish", "author", "reasoning", "steps": [{"text", "teacher", "round",
 * "score", "cut"}…], "reply", "answer", "grade", "why"}. `best` is the finished one of highest S; "finished" holds the
 * others. No times and no token counts that depend on caching, so that equal runs have equal files. */
cord_status export_trajectories(struct journal *journal, const char *folder, cord_error *err);

#endif
