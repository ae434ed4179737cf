/* measure.c - what tables say of finished trajectories, whatever criterion chose them: their predictive perplexity by one
 * named scorer, since runs with other criteria or other meta-provers could not be compared else, and by one outside of the
 * pool. It must not know who reads the tables. */
#include "search/rounds.h"

#include <math.h>

/* log S by one scorer, in one call: of all, or of the best alone; NAN of the others. */
static cord_status measure_by(const struct search *search, const struct meta_prover *scorer, struct spans prompt,
                              const struct answered *answers, int n, struct scored *items, cord_error *err) {
    struct spans own;
    for (int i = 0; i < n; i++)
        items[i] =
            (struct scored){.reasoning = answers[i].trajectory.reasoning, .complete = true, .log_score = (double)NAN};
    CORD_TRY(prompt_of_scorer(search, scorer, prompt, &own, err));
    return score_targets(search, scorer, own, items, search->settings->measure_best_only ? 1 : n, err);
}

cord_status measure_finished(const struct search *search, struct spans prompt, struct answered *answers, int n,
                             cord_error *err) {
    struct scored *items = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *items);
    if (!items) return error_memory(err);
    const struct meta_prover *scorer = search->scorer ? search->scorer : search->meta_prover;
    /* The score that chose, unless who is named should not have it from texts that were not computed a second time. */
    bool same = scorer->model == search->meta_prover->model && criterion_of(search) == criteria[0];
    bool known = same && !(search->scorer && search->meta_prover->reuse);
    if (!known && n) CORD_TRY(measure_by(search, scorer, prompt, answers, n, items, err));
    for (int i = 0; i < n; i++) answers[i].log_pp = known ? answers[i].trajectory.log_score : items[i].log_score;
    if (search->held_out && n) CORD_TRY(measure_by(search, search->held_out, prompt, answers, n, items, err));
    for (int i = 0; i < n; i++) answers[i].log_held_out = search->held_out ? items[i].log_score : (double)NAN;
    return CORD_OK;
}
