/* rollouts.h - the labels that `cord export` gives to steps, compared with rollouts (Math-Shepherd, arXiv 2312.08935): behind
 * each step of a run's best trajectories every teacher writes on to the end several times, and the step is worth the share of
 * these that answer right. It must not know the other figures of an audit. */
#ifndef CORD_ROLLOUTS_H
#define CORD_ROLLOUTS_H

#include "base/json.h"
#include "cmd/page.h"

#include <stdio.h>

struct rollouts {
    int wanted, teachers; /* rollouts of each teacher behind each step; teachers */
    int problems, steps;
    int left_out; /* problems without a score for each step, or whose rollouts failed or have no answer */
    /* By label (1: good): steps behind which no rollout was right before them, so that nothing could fall; and the others by
     * what the step did to the share of right rollouts (1: it fell). */
    int lost_before[2], fell[2][2];
    /* Steps by label and by whether any rollout behind them is right (1: none). */
    int hopeless[2][2];
    double change[2]; /* sums of the changes of that share, by label */
};

/* Opens the models of the run's recipe and asks them, for at most `sample` problems that are done, taken by a hash of their
 * ids. Labels have the margin that `cord export` has by default. Each problem that is finished is told to `progress`. */
cord_status rollouts_compare(const char *folder, int times, int sample, struct page *progress, struct rollouts *out,
                             cord_error *err);

/* The section of an audit. */
void rollouts_text(const struct rollouts *rollouts, struct page *page);
void rollouts_json(const struct rollouts *rollouts, struct json_writer *w);

#endif
