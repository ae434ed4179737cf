/* selection.c - choosing among traces that there are already (Figure 3 of the paper): LIMO's, s1K's, anyone's.
 *
 *     one round: all given traces are candidates, scored by S in one call, and all are kept
 *     the answer that each came with is graded; the best by S is the first
 *     correct_first: the best by S of those whose answer is correct, if there are any
 *
 * Nobody writes anything. A trace is one candidate of many steps, which are found in its text. It must not know files, SQLite
 * or terminals, nor how a file names its traces. */
#include "search/rounds.h"

#include <math.h>

/* ---- candidates ------------------------------------------------------------------------------------------------ */

enum { ANSWER_WORDS = 4 }; /* of a reply that is nothing but an answer */

/* What a trace says at the end: its own reply, in a box where that is a bare answer; else the answer that is found in it, in a box;
 * else nothing. */
static cord_status find_reply(const struct search *search, const struct given_trace *given, cord_text *reply,
                              cord_error *err) {
    cord_text answer, box;
    *reply = text_trim(given->reply);
    if (reply->len && grader_find_answer(search->grader, *reply, false, &answer, NULL)) return CORD_OK;
    if (reply->len) return answer_into_box(reply, ANSWER_WORDS, search->arena, err);
    if (cord_extract_answer(given->reasoning, false, &answer) == CORD_FOUND_NOTHING) return CORD_OK;
    box = text_of(arena_printf(search->arena, "\\boxed{%.*s}", (int)answer.len, answer.data));
    *reply = box;
    return box.data ? CORD_OK : error_memory(err);
}

static bool same_trace(const struct given_trace *a, const struct given_trace *b) {
    return text_equal(text_trim(a->reasoning), text_trim(b->reasoning)) &&
           text_equal(text_trim(a->reply), text_trim(b->reply));
}

/* Why a trace is no candidate, which texts alone tell. */
static enum step_drop drop_of(const struct search *search, int number) {
    const struct given_trace *given = &search->given[number];
    if (!text_trim(given->reasoning).len) return DROP_EMPTY;
    for (int i = 0; i < number; i++)
        if (same_trace(given, &search->given[i])) return DROP_DUPLICATE;
    return DROP_NONE;
}

static cord_status make_candidate(const struct beam *beam, int number, struct candidate *c, cord_error *err) {
    const struct given_trace *given = &beam->search->given[number];
    *c = new_candidate(beam, 0, 0, 0, given->teacher, given->sample);
    c->log_score = (double)NAN;
    c->end = STEP_CLOSED;
    c->step = text_trim(given->reasoning);
    c->drop = drop_of(beam->search, number);
    if (c->drop != DROP_NONE) return CORD_OK;
    c->reasoning = c->step;
    return divide_trace(beam, c, err);
}

cord_status answer_given(const struct search *search, struct answered *out, int *n, cord_error *err) {
    struct trajectory *given = arena_alloc(search->arena, (size_t)(search->n_given + 1) * sizeof *given);
    if (!given) return error_memory(err);
    *n = 0;
    for (int i = 0; i < search->n_given; i++) {
        if (drop_of(search, i) != DROP_NONE) continue;
        struct trajectory *t = &given[(*n)++];
        *t = (struct trajectory){
            .reasoning = search->given[i].reasoning, .author = search->given[i].teacher, .candidate = -1};
        CORD_TRY(find_reply(search, &search->given[i], &t->reply, err));
    }
    return answer_trajectories(search, NULL, given, *n, out, err); /* they have no model, so nobody is asked */
}

/* ---- keep ------------------------------------------------------------------------------------------------------ */

/* All that was scored, in the order of the file. */
static cord_status keep(struct beam *beam, struct candidate *candidates, int n, cord_error *err) {
    struct trajectory *kept = arena_alloc(beam->arena, (size_t)(n + 1) * sizeof *kept);
    if (!kept) return error_memory(err);
    int count = 0;
    for (int i = 0; i < n; i++) {
        struct candidate *c = &candidates[i];
        if (c->drop != DROP_NONE) continue;
        c->slot = count;
        CORD_TRY(grow(beam, c, &kept[count], err));
        CORD_TRY(find_reply(beam->search, &beam->search->given[i], &kept[count].reply, err));
        CORD_TRY(settle(beam, &kept[count], c, err));
        kept[count++].candidate = i;
    }
    if (!count) {
        kept[count] = beam->trajectories[0];
        kept[count++].finish = FINISHED_EXHAUSTED;
    }
    beam->trajectories = kept;
    beam->n = count;
    return CORD_OK;
}

static cord_status play(struct beam *beam, struct round *round, cord_error *err) {
    int n = beam->search->n_given;
    struct candidate *candidates = arena_alloc(beam->arena, (size_t)(n + 1) * sizeof *candidates);
    if (!candidates) return error_memory(err);
    for (int i = 0; i < n; i++) CORD_TRY(make_candidate(beam, i, &candidates[i], err));
    CORD_TRY(score_candidates(beam, candidates, n, err)); /* what is longer than the context is dropped */
    round->candidates = candidates;
    round->n_candidates = n;
    CORD_TRY(keep(beam, candidates, n, err));
    if (!beam->trajectories[0].last) round->note = "no trace of this problem could be used";
    return CORD_OK;
}

cord_status selection_search(const struct search *search, cord_error *err) {
    const struct strategy strategy = {
        .play = play,
        .ended = all_finished,
        .correct_first = search->settings->correct_first,
        .nothing = "no trace can be used",
    };
    return play_strategy(search, &strategy, err);
}
