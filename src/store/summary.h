/* summary.h - FOLDER/summary.json: what a run was made with and what came of it. It must not know searches. */
#ifndef CORD_SUMMARY_H
#define CORD_SUMMARY_H

#include "cord.h"
#include "store/journal.h"

struct summary_model {
    const cord_model_info *info;
    const char *sha256; /* of its file */
};

/* Counts over the run's problems, from the journal. */
struct summary_counts {
    int problems, done, failed, open;
    int correct, wrong, no_answer, undecided; /* of the best trajectories */
    double mean_score, mean_s0;               /* of the best trajectories; 0 where there is none */
};
cord_status summary_count(struct journal *journal, struct summary_counts *counts, cord_error *err);

/* Writes the file anew: versions, processor, threads, models with their hashes, counts, tokens and seconds by role. */
cord_status summary_write(struct journal *journal, const char *folder, const cord_engine_info *engine,
                          const struct summary_model *models, int n_models, const struct summary_counts *counts,
                          cord_error *err);

#endif
