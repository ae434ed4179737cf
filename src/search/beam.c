/* beam.c - collaborative step-wise multi-teacher decoding: a beam search over reasoning steps (sections 3 and 4.3 of the
 * paper). A step is to this search what a token is to ordinary decoding; the teachers' proposals are its vocabulary.
 *
 *     beam <- { the empty trajectory }
 *     until the beam holds only finished trajectories:
 *         expand   every growing trajectory by every teacher            B x K candidates (allotment.c: or fewer)
 *         drop     what is empty, repeated or degenerate
 *         score    each candidate by the criterion: S, the likelihood of the answer       (eq. 3)
 *         select   the B best of the candidates and the finished                          (eq. 4)
 *     the author of each finished trajectory's last step writes its answer
 *
 * Several runs (settings->runs) are as many such searches, played side by side so that their requests go out in one call:
 * the beam holds run after run, and what run 0 does is what it would do alone. The best of all runs is the result.
 *
 * What the paper leaves open is decided as docs/method.md says. It must not know SQLite, files or terminals. */
#include "search/rounds.h"

#include <math.h>

static const char NOTHING_LEFT[] =
    "every candidate of this round was dropped; the trajectories were finished as they stood";
static const char NOTHING_LEFT_OF_A_RUN[] =
    "every candidate of a run was dropped; its trajectories were finished as they stood";

/* ---- runs ---------------------------------------------------------------------------------------------------- */

/* The places of one run in the beam. */
struct part {
    struct trajectory *trajectories;
    int first, n;
};

/* Before the first round all runs have the empty trajectory. */
static struct part part_of(const struct beam *beam, int run) {
    if (!beam->trajectories[0].last) return (struct part){beam->trajectories, 0, 1};
    struct part part = {0};
    while (part.first < beam->n && beam->trajectories[part.first].run < run) part.first++;
    while (part.first + part.n < beam->n && beam->trajectories[part.first + part.n].run == run) part.n++;
    part.trajectories = &beam->trajectories[part.first];
    return part;
}

static bool has_ended(const struct beam *beam, int run) {
    struct part part = part_of(beam, run);
    int finished = 0;
    for (int i = 0; i < part.n; i++) finished += part.trajectories[i].finish != GROWING;
    const struct search_settings *settings = beam->search->settings;
    return finished == part.n ||
           (finished && (settings->stop_at_first_finished || all_agree(settings, part.trajectories, part.n)));
}

static bool all_ended(const struct beam *beam) {
    for (int run = 0; run < beam->search->settings->runs; run++)
        if (!has_ended(beam, run)) return false;
    return true;
}

/* ---- expand -------------------------------------------------------------------------------------------------- */

/* Proposals of one teacher for one trajectory: one; for the empty trajectory B, so that the first round too has B x K. */
static int samples_of(const struct beam *beam, const struct trajectory *parent) {
    return parent->last ? 1 : beam->search->settings->beam;
}

static cord_status expand(const struct beam *beam, struct candidate **candidates, int *n, cord_error *err) {
    const struct search *search = beam->search;
    int runs = search->settings->runs, places = runs * search->settings->beam + beam->n, count = 0;
    struct candidate *all = arena_alloc(beam->arena, (size_t)(places * search->n_teachers) * sizeof *all);
    if (!all) return error_memory(err);
    for (int run = 0; run < runs; run++) {
        struct part part = part_of(beam, run);
        if (has_ended(beam, run)) continue;
        for (int p = 0; p < part.n; p++) {
            if (part.trajectories[p].finish != GROWING) continue;
            uint64_t asked = teachers_to_ask(beam, part.trajectories, part.n, p);
            for (int k = 0; k < search->n_teachers; k++) {
                int samples = asked >> k & 1 ? samples_of(beam, &part.trajectories[p]) : 0;
                for (int s = 0; s < samples; s++) all[count++] = new_candidate(beam, part.first + p, p, run, k, s);
            }
        }
    }
    *candidates = all;
    *n = count;
    return propose_steps(beam, all, count, err);
}

/* ---- drop ---------------------------------------------------------------------------------------------------- */

/* Siblings say the same where their texts are alike and both end the thinking, or neither does. */
static bool say_the_same(const struct candidate *a, const struct candidate *b) {
    if (a->parent != b->parent || a->run != b->run || a->finishes_parent != b->finishes_parent) return false;
    if (a->finishes_parent) return true;
    return ends_thinking(a->end) == ends_thinking(b->end) &&
           text_equal(text_trim_end(a->reasoning), text_trim_end(b->reasoning));
}

/* Whether a candidate that ends its parent makes of it what another parent has become already. */
static bool is_there(const struct beam *beam, const struct candidate *c) {
    struct part part = part_of(beam, c->run);
    cord_text text = text_trim_end(beam->trajectories[c->parent].reasoning);
    for (int p = 0; p < part.n && c->finishes_parent; p++)
        if (part.trajectories[p].finish != GROWING && text_equal(text_trim_end(part.trajectories[p].reasoning), text))
            return true;
    return false;
}

/* Of siblings that say the same the one with the smallest tie hash stays, whoever stands first in the list. */
static void drop_duplicates(const struct beam *beam, struct candidate *candidates, int n) {
    for (int i = 0; i < n; i++) {
        struct candidate *a = &candidates[i];
        bool again = a->drop == DROP_NONE && is_there(beam, a);
        for (int j = 0; j < n && a->drop == DROP_NONE && !again; j++) {
            const struct candidate *b = &candidates[j];
            again = i != j && b->drop == DROP_NONE && b->tie < a->tie && say_the_same(a, b);
        }
        if (!again) continue;
        a->drop = DROP_DUPLICATE;
        a->reasoning = (cord_text){"", 0};
        a->log_score = (double)NAN;
    }
}

/* ---- select -------------------------------------------------------------------------------------------------- */

/* All of a run that may be kept: its new candidates, and its finished trajectories. */
static cord_status gather(const struct beam *beam, int run, struct candidate *candidates, int n, struct contender **out,
                          int *n_out, cord_error *err) {
    struct part part = part_of(beam, run);
    struct contender *all = arena_alloc(beam->arena, (size_t)(n + part.n) * sizeof *all);
    if (!all) return error_memory(err);
    int count = 0;
    for (int p = 0; p < part.n; p++) {
        if (part.trajectories[p].finish == GROWING) continue;
        uint64_t tie = seed_mix(seed_mix(run_seed(beam->search, run), (uint64_t)beam->number), (uint64_t)p);
        all[count] = (struct contender){part.trajectories[p], NULL, tie};
        all[count].trajectory.from = part.first + p;
        all[count++].trajectory.candidate = -1;
    }
    for (int i = 0; i < n; i++) {
        if (candidates[i].drop != DROP_NONE || candidates[i].run != run) continue;
        all[count] = (struct contender){.candidate = &candidates[i], .tie = candidates[i].tie};
        CORD_TRY(grow(beam, &candidates[i], &all[count].trajectory, err));
        all[count++].trajectory.candidate = i;
    }
    *out = all;
    *n_out = count;
    return CORD_OK;
}

/* Equation 4, of one run: its places in the next beam begin at kept[*n_kept]. */
static cord_status select_best(const struct beam *beam, int run, struct candidate *candidates, int n,
                               struct trajectory *kept, int *n_kept, cord_error *err) {
    struct contender *contenders = NULL;
    int n_contenders = 0;
    CORD_TRY(gather(beam, run, candidates, n, &contenders, &n_contenders, err));
    rank_contenders(beam->search, contenders, n_contenders);
    for (int i = 0; i < n_contenders; i++) {
        struct candidate *c = contenders[i].candidate;
        if (c) c->rank = i;
        if (i >= beam->search->settings->beam) continue;
        if (c) c->slot = *n_kept;
        kept[*n_kept] = contenders[i].trajectory;
        CORD_TRY(settle(beam, &kept[(*n_kept)++], c, err));
    }
    return CORD_OK;
}

/* A run that has ended stays as it is. Where nothing of this round can be kept, its growing trajectories are finished as
 * they stand, as at the end of the budget; before the first step there is nothing to finish. */
static cord_status stay(const struct beam *beam, int run, struct trajectory *kept, int *n_kept, cord_error *err) {
    struct part part = part_of(beam, run);
    bool ended = has_ended(beam, run);
    for (int p = 0; p < part.n && part.trajectories[p].last; p++) {
        struct trajectory *t = &kept[*n_kept];
        CORD_TRY(carry_over(beam, part.first + p, t, err));
        if (!ended && t->finish == GROWING) t->finish = FINISHED_EXHAUSTED;
        ++*n_kept;
    }
    return CORD_OK;
}

/* ---- rounds -------------------------------------------------------------------------------------------------- */

static bool has_usable(const struct candidate *candidates, int n, int run) {
    for (int i = 0; i < n; i++)
        if (candidates[i].drop == DROP_NONE && candidates[i].run == run) return true;
    return false;
}

static cord_status keep(struct beam *beam, struct round *round, struct candidate *candidates, int n, cord_error *err) {
    const struct search_settings *settings = beam->search->settings;
    size_t room = (size_t)settings->runs * (size_t)settings->beam; /* a search may have begun with a wider beam */
    struct trajectory *kept = arena_alloc(beam->arena, (room + (size_t)beam->n + 1) * sizeof *kept);
    if (!kept) return error_memory(err);
    int n_kept = 0;
    for (int run = 0; run < settings->runs; run++) {
        if (has_usable(candidates, n, run)) {
            CORD_TRY(select_best(beam, run, candidates, n, kept, &n_kept, err));
            continue;
        }
        if (!has_ended(beam, run)) round->note = settings->runs == 1 ? NOTHING_LEFT : NOTHING_LEFT_OF_A_RUN;
        CORD_TRY(stay(beam, run, kept, &n_kept, err));
    }
    if (!n_kept) { /* no run has a first step: the empty trajectory is all there is */
        kept[n_kept] = beam->trajectories[0];
        kept[n_kept++].finish = FINISHED_EXHAUSTED;
    }
    beam->trajectories = kept;
    beam->n = n_kept;
    return CORD_OK;
}

static cord_status play(struct beam *beam, struct round *round, cord_error *err) {
    struct candidate *candidates = NULL;
    int n = 0;
    CORD_TRY(expand(beam, &candidates, &n, err));
    drop_duplicates(beam, candidates, n);
    CORD_TRY(score_candidates(beam, candidates, n, err));
    round->candidates = candidates;
    round->n_candidates = n;
    return keep(beam, round, candidates, n, err);
}

cord_status beam_search(const struct search *search, cord_error *err) {
    const struct strategy strategy = {.play = play, .ended = all_ended, .in_order = search->settings->runs == 1};
    return play_strategy(search, &strategy, err);
}
