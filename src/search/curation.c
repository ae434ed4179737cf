/* curation.c - what CoRD is compared with (section 3 of the paper): every teacher writes complete traces alone, and the one
 * of highest S is kept.
 *
 *     traces <- runs of each teacher, all empty
 *     until all are finished:
 *         expand   every growing trace by the next step, which its own author writes; with whole_traces by all its steps
 *         score    those that this step has finished, by S                             (eq. 1)
 *     the author of each trace writes its answer; the best by S is kept
 *     rejection: the best by S of those whose answer is correct, if there are any
 *
 * A trace is written step by step, as in a beam, and for the same reasons: what a round wrote is in the journal when the
 * process dies, its prefix stays in the cache, and steps, budgets and endings mean what they mean there. But then every
 * trace waits for the slowest at each step; with whole_traces each is one request, and one round is all there is. Nothing
 * competes before the end, and what a trace says depends on its teacher, its run and the seed alone: the first four of
 * eight runs are those of four. It must not know SQLite, files or terminals. */
#include "search/rounds.h"

#include <math.h>

/* ---- expand -------------------------------------------------------------------------------------------------- */

/* The first steps of all traces, or the whole traces; or the next step of each that grows. */
static cord_status expand(const struct beam *beam, struct candidate **candidates, int *n, cord_error *err) {
    const struct search *search = beam->search;
    bool first = !beam->trajectories[0].last;
    int runs = search->settings->runs, room = first ? search->n_teachers * runs : beam->n, count = 0;
    struct candidate *all = arena_alloc(beam->arena, (size_t)room * sizeof *all);
    if (!all) return error_memory(err);
    for (int k = 0; first && k < search->n_teachers; k++)
        for (int run = 0; run < runs; run++) all[count++] = new_candidate(beam, 0, 0, run, k, 0);
    for (int p = 0; !first && p < beam->n; p++) {
        const struct trajectory *trace = &beam->trajectories[p];
        if (trace->finish == GROWING) all[count++] = new_candidate(beam, p, 0, trace->run, trace->author, 0);
    }
    *candidates = all;
    *n = count;
    bool whole = first && search->settings->whole_traces;
    return whole ? propose_traces(beam, all, count, err) : propose_steps(beam, all, count, err);
}

/* ---- score --------------------------------------------------------------------------------------------------- */

/* A trace whose next step is worth nothing ends before it. What has no step yet is no trace. Traces that are to be merged are
 * not compared. */
static bool completes(const struct beam *beam, const struct candidate *c) {
    if (beam->search->settings->strategy == STRATEGY_INTEGRATION) return false;
    if (c->drop != DROP_NONE) return beam->trajectories[c->parent].last != NULL;
    return finish_of(beam, c) != GROWING;
}

/* Scores, once, the traces that this round completes. scores[i] is that of the trace of candidate i; NAN while it grows, and
 * where it cannot be scored: then it comes last, and the round's note says why. */
static cord_status score_complete(const struct beam *beam, struct candidate *candidates, int n, double *scores,
                                  struct round *round, cord_error *err) {
    struct scored *items = arena_alloc(beam->arena, (size_t)(n + 1) * sizeof *items);
    if (!items) return error_memory(err);
    int count = 0;
    for (int i = 0; i < n; i++) {
        const struct candidate *c = &candidates[i];
        if (!completes(beam, c)) continue;
        items[count++] = (struct scored){
            .reasoning = adds_a_step(c) ? c->reasoning : beam->trajectories[c->parent].reasoning,
            .run = c->run,
            .complete = c->drop == DROP_NONE && ends_thinking(c->end),
        };
    }
    if (count) CORD_TRY(score_in_round(beam, items, count, err));
    const struct scored *item = items;
    for (int i = 0; i < n; i++) {
        struct candidate *c = &candidates[i];
        scores[i] = (double)NAN;
        if (!completes(beam, c)) continue;
        scores[i] = item->log_score;
        if (c->drop == DROP_NONE) c->log_score = item->log_score;
        take_scoring(c, item); /* of a dropped one, too: it is what ended its trace */
        if (isnan(item->log_score)) {
            round->note = arena_printf(beam->arena, "a complete trace was not scored: %s", item->error.message);
            if (!round->note) return error_memory(err);
        }
        item++;
    }
    return CORD_OK;
}

/* ---- keep ---------------------------------------------------------------------------------------------------- */

/* The trace of slot c->parent with what has become of it. */
static cord_status continue_trace(const struct beam *beam, struct candidate *c, double score, int slot,
                                  struct trajectory *out, cord_error *err) {
    if (c->drop == DROP_NONE) {
        CORD_TRY(grow(beam, c, out, err));
        c->slot = slot;
        return settle(beam, out, c, err);
    }
    *out = beam->trajectories[c->parent];
    out->finish = FINISHED_EXHAUSTED;
    out->log_score = score;
    out->from = c->parent;
    return settle(beam, out, NULL, err);
}

/* All traces go on, in the order in which they began. */
static cord_status keep_all(struct beam *beam, struct candidate *candidates, int n, const double *scores,
                            cord_error *err) {
    struct trajectory *kept = arena_alloc(beam->arena, (size_t)(beam->n + n) * sizeof *kept);
    if (!kept) return error_memory(err);
    int count = 0, at = 0;
    for (int p = 0; p < beam->n; p++) {
        if (beam->trajectories[p].finish != GROWING) CORD_TRY(carry_over(beam, p, &kept[count++], err));
        for (; at < n && candidates[at].parent == p; at++) {
            struct candidate *c = &candidates[at];
            if (c->drop != DROP_NONE && !beam->trajectories[p].last) continue; /* it has not even begun */
            CORD_TRY(continue_trace(beam, c, scores[at], count, &kept[count], err));
            kept[count++].candidate = c->drop == DROP_NONE ? at : -1;
        }
    }
    if (!count) { /* no trace has begun: the empty one is all there is */
        kept[count] = beam->trajectories[0];
        kept[count++].finish = FINISHED_EXHAUSTED;
    }
    beam->trajectories = kept;
    beam->n = count;
    return CORD_OK;
}

/* ---- the search ---------------------------------------------------------------------------------------------- */

cord_status curation_play(struct beam *beam, struct round *round, cord_error *err) {
    struct candidate *candidates = NULL;
    int n = 0;
    CORD_TRY(expand(beam, &candidates, &n, err));
    CORD_TRY(count_reasonings(beam, candidates, n, err));
    double *scores = arena_alloc(beam->arena, (size_t)n * sizeof *scores);
    if (!scores) return error_memory(err);
    CORD_TRY(score_complete(beam, candidates, n, scores, round, err));
    round->candidates = candidates;
    round->n_candidates = n;
    CORD_TRY(keep_all(beam, candidates, n, scores, err));
    if (!beam->trajectories[0].last) round->note = "every candidate of this round was dropped; there is no trace";
    return CORD_OK;
}

cord_status curation_search(const struct search *search, cord_error *err) {
    const struct strategy strategy = {
        .play = curation_play,
        .ended = all_finished,
        .correct_first = search->settings->strategy == STRATEGY_REJECTION,
        .others_go_on = true, /* traces grow by their own authors, who also write all answers */
    };
    return play_strategy(search, &strategy, err);
}
