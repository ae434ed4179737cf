/* summary.h - FOLDER/summary.json: what a run was made with and what came of it. It must not know searches. */
#ifndef CORD_SUMMARY_H
#define CORD_SUMMARY_H

#include "base/json.h"
#include "cord.h"
#include "store/ledger.h"

struct summary_model {
    const cord_model_info *info;
    const char *sha256; /* of its file */
    cord_model_usage usage;
};

/* How the time of this process went. */
struct summary_session {
    cord_engine_info engine;
    int in_flight; /* problems at most */
    double seconds;
    const struct spending *spending; /* of the whole run; NULL: no model has a server */
    const struct summary_model *models;
    int n_models;
};

/* Counts over the journal's problems. */
struct summary_counts {
    int problems, done, failed, open;
    int correct, wrong, no_answer, undecided; /* of the best trajectories */
    double mean_score, mean_log_score;        /* of those best trajectories that have a score; NAN where none has */
    double mean_s0;                           /* of the problems that are done */
    double mean_pp;                           /* of those best trajectories that were measured; NAN where none was */
    int scored, measured;
};
/* Problem by problem, with its trajectories in their order where it is done, and then once the means of what was added. Zeroed is
 * where it begins. */
void summary_add(struct summary_counts *counts, const struct journal_problem *problem, const struct answered *answers,
                 int n);
void summary_end(struct summary_counts *counts);
/* All at once. `wanted`: over those alone that this handle's journal_put_problems has put. */
cord_status summary_count(struct journal *journal, bool wanted, struct summary_counts *counts, cord_error *err);

/* Writes the file anew: versions, shard, the runs it was merged from, processor, threads, models with their hashes, counts
 * and tokens of the run, and how the time of the last session went. `session` NULL, where no model was opened: without what
 * only that knows. */
cord_status summary_write(struct journal *journal, const char *folder, const struct summary_session *session,
                          const struct summary_counts *counts, cord_error *err);

/* The file as it is, to be released by json_decref; NULL: there is none that can be read. */
json_t *summary_read(const char *folder, struct arena *arena);

#endif
