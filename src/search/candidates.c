/* candidates.c - the candidates of a round (rounds.h): teachers are asked for steps, what they said is read, and its tokens
 * and scores are taken. It must not know which candidates are kept, nor SQLite, files or terminals. */
#include "search/rounds.h"

#include <math.h>

/* ---- proposals ----------------------------------------------------------------------------------------------- */

struct candidate new_candidate(const struct beam *beam, int parent, int place, int run, int teacher, int sample) {
    uint64_t seed = run_seed(beam->search, run);
    const uint64_t of[] = {(uint64_t)beam->number, (uint64_t)place, (uint64_t)teacher, (uint64_t)sample};
    for (int i = 0; i < 4; i++) seed = seed_mix(seed, of[i]);
    return (struct candidate){.parent = parent,
                              .teacher = teacher,
                              .sample = sample,
                              .run = run,
                              .seed = seed,
                              .tie = seed_mix(seed, UINT64_MAX),
                              .rank = -1,
                              .slot = -1};
}

/* What is asked for at once: a step; or all up to the end of the thinking, of which the first step is the candidate and the
 * rest its rollout, or which is the candidate as a whole. */
enum extent { A_STEP, A_ROLLOUT, A_TRACE };

/* A request to continue a candidate's parent: it is made of the question and the trajectory's text, and nothing else. */
static cord_status ask(const struct beam *beam, const struct candidate *candidate, enum extent extent,
                       cord_proposal *proposal, cord_error *err) {
    const struct search *search = beam->search;
    const struct search_settings *settings = search->settings;
    const struct teacher *teacher = &search->teachers[candidate->teacher];
    const struct prompt_style *style = teacher->prompt.style;
    const struct trajectory *parent = &beam->trajectories[candidate->parent];
    bool whole = extent != A_STEP;

    cord_text opened;
    bool cut = parent->last && parent->last->cut;
    CORD_TRY(segment_open(style, parent->reasoning, cut, parent->n_steps + 1, beam->arena, &opened, err));
    cord_span tail = {opened, false};
    struct spans prompt = spans_append(beam->prompts[candidate->teacher], &tail, 1, beam->arena);
    struct segment_stops *stops = arena_alloc(beam->arena, sizeof *stops);
    if (!prompt.span || !stops) return error_memory(err);
    CORD_TRY(segment_stops(style, stops, err));

    int left = settings->think_tokens - parent->tokens;
    if (left < 1) left = 1; /* of a tree's node, where the budget was lowered since: its children end it */
    *proposal = (cord_proposal){
        .model = teacher->model,
        .prompt = prompt.span,
        .n_spans = prompt.n,
        .stops = whole ? &stops->text[stops->think] : stops->text,
        .n_stops = whole ? 1 : stops->n,
        .sampling = teacher->sampling,
        .max_tokens = whole || left < settings->step_tokens ? left : settings->step_tokens,
        .group = search->group,
        .others_go_on = search->others_go_on,
    };
    proposal->sampling.seed = candidate->seed;
    return CORD_OK;
}

/* All of what was written, whatever would end a step in it. */
static cord_status read_trace(const struct beam *beam, cord_text written, bool closed, struct candidate *c,
                              cord_error *err) {
    if (closed) c->end = STEP_CLOSED;
    c->step = arena_text(beam->arena, text_trim_end(written));
    return c->step.data ? CORD_OK : error_memory(err);
}

/* The step of what was written, and what stands behind it where that is a rollout. */
static cord_status read_step(const struct beam *beam, const cord_proposal *proposal, const struct prompt_style *style,
                             bool parent_cut, enum extent extent, struct candidate *c, cord_error *err) {
    cord_text written = {proposal->text, proposal->len}, first;
    int stop = proposal->end == CORD_END_STOP ? proposal->stop : -1;
    c->end = proposal->end == CORD_END_TURN ? STEP_TURN : STEP_CUT;
    if (proposal->end == CORD_END_LENGTH) CORD_TRY(segment_before_stop(style, written, &written, err));
    if (extent == A_TRACE) return read_trace(beam, written, stop >= 0, c, err);
    first = written;
    if (extent == A_ROLLOUT) CORD_TRY(segment_first(style, written, stop >= 0, &first, &stop, err));
    CORD_TRY(segment_read(style, parent_cut, first, stop, beam->arena, &c->step, &c->end, err));
    if (extent != A_ROLLOUT || c->end != STEP_NEXT) return CORD_OK;
    c->rollout = arena_text(beam->arena, text_slice(written, c->step.len, written.len));
    return c->rollout.data ? CORD_OK : error_memory(err);
}

cord_status drop_failed(const struct beam *beam, struct candidate *c, const char *what, const char *why,
                        cord_error *err) {
    c->drop = DROP_FAILED;
    c->finishes_parent = false;
    c->reasoning = (cord_text){"", 0};
    c->rollout = (cord_text){0};
    c->parts = NULL;
    c->n_parts = 0;
    c->drop_why = arena_printf(beam->arena, "%s%s%s", what ? what : "", what ? ": " : "", why);
    return c->drop_why ? CORD_OK : error_memory(err);
}

cord_status divide_trace(const struct beam *beam, struct candidate *c, cord_error *err) {
    struct stretch *steps;
    CORD_TRY(
        segment_divide(beam->search->meta_prover->prompt.style, c->reasoning, beam->arena, &steps, &c->n_parts, err));
    struct step_part *parts = arena_alloc(beam->arena, (size_t)c->n_parts * sizeof *parts);
    if (!parts) return error_memory(err);
    for (int i = 0; i < c->n_parts; i++)
        parts[i] = (struct step_part){.from = steps[i].end - steps[i].text.len, .to = steps[i].end};
    c->parts = parts;
    return CORD_OK;
}

/* What a teacher said, as a candidate. */
static cord_status read_proposal(const struct beam *beam, const cord_proposal *proposal, enum extent extent,
                                 struct candidate *c, cord_error *err) {
    const struct search *search = beam->search;
    const struct trajectory *parent = &beam->trajectories[c->parent];
    c->prompt_tokens = proposal->prompt_tokens;
    c->cached_tokens = proposal->cached_tokens;
    c->new_tokens = proposal->new_tokens;
    c->propose_us = proposal->us;
    c->log_score = (double)NAN;
    c->reasoning = c->step = (cord_text){"", 0};
    CORD_TRY(error_models_own(&proposal->error, err));
    if (proposal->error.code != CORD_OK) return drop_failed(beam, c, NULL, proposal->error.message, err);
    const struct prompt_style *style = search->teachers[c->teacher].prompt.style;
    bool parent_cut = parent->last && parent->last->cut;
    CORD_TRY(read_step(beam, proposal, style, parent_cut, extent, c, err));
    if (segment_adds_nothing(style, parent_cut, c->step, c->end)) {
        bool closes = ends_thinking(c->end);
        c->finishes_parent = closes && parent->last;
        c->drop = c->finishes_parent ? DROP_NONE : DROP_EMPTY;
        c->log_score = c->finishes_parent ? parent->log_score : c->log_score;
        return CORD_OK;
    }
    if (segment_is_degenerate(c->step)) {
        c->drop = DROP_DEGENERATE;
        return CORD_OK;
    }
    bool goes_on = c->end == STEP_CUT && extent != A_TRACE;
    CORD_TRY(segment_extend(search->meta_prover->prompt.style, parent->reasoning, parent_cut, parent->n_steps + 1,
                            c->step, goes_on, beam->arena, &c->reasoning, err));
    return extent == A_TRACE ? divide_trace(beam, c, err) : CORD_OK;
}

static cord_status propose(const struct beam *beam, struct candidate *candidates, int n, enum extent extent,
                           cord_error *err) {
    cord_proposal *proposals = arena_alloc(beam->arena, (size_t)(n + 1) * sizeof *proposals);
    if (!proposals) return error_memory(err);
    for (int i = 0; i < n; i++) CORD_TRY(ask(beam, &candidates[i], extent, &proposals[i], err));
    cord_status status = cord_propose(beam->search->engine, proposals, n, err);
    for (int i = 0; i < n; i++) {
        if (status == CORD_OK) status = read_proposal(beam, &proposals[i], extent, &candidates[i], err);
        cord_proposal_release(&proposals[i]);
    }
    return status;
}

cord_status propose_steps(const struct beam *beam, struct candidate *candidates, int n, cord_error *err) {
    return propose(beam, candidates, n, A_STEP, err);
}

cord_status propose_rollouts(const struct beam *beam, struct candidate *candidates, int n, cord_error *err) {
    return propose(beam, candidates, n, A_ROLLOUT, err);
}

cord_status propose_traces(const struct beam *beam, struct candidate *candidates, int n, cord_error *err) {
    return propose(beam, candidates, n, A_TRACE, err);
}

/* ---- scores -------------------------------------------------------------------------------------------------- */

/* Those that add something to their parents, to be counted or scored; NULL: there is no memory. */
static struct scored *items_of(const struct beam *beam, const struct candidate *candidates, int n, int *count) {
    struct scored *items = arena_alloc(beam->arena, (size_t)(n + 1) * sizeof *items);
    *count = 0;
    for (int i = 0; items && i < n; i++)
        if (adds_a_step(&candidates[i]))
            items[(*count)++] = (struct scored){
                .reasoning = candidates[i].reasoning,
                .run = candidates[i].run,
                .complete = ends_thinking(candidates[i].end),
            };
    return items;
}

cord_status count_reasonings(const struct beam *beam, struct candidate *candidates, int n, cord_error *err) {
    int count;
    struct search search = *beam->search;
    struct scored *item = items_of(beam, candidates, n, &count);
    search.arena = beam->arena;
    if (!item) return error_memory(err);
    CORD_TRY(count_scored(&search, item, count, err));
    for (int i = 0; i < n; i++) {
        struct candidate *c = &candidates[i];
        if (!adds_a_step(c)) continue;
        c->reasoning_tokens = item->reasoning_tokens;
        if (item->error.code != CORD_OK)
            CORD_TRY(drop_failed(beam, c, "its tokens cannot be counted", item->error.message, err));
        item++;
    }
    return CORD_OK;
}

cord_status score_in_round(const struct beam *beam, struct scored *items, int n, cord_error *err) {
    struct search search = *beam->search;
    search.arena = beam->arena;
    return score_reasonings(&search, beam->prompts[search.n_teachers], items, n, err);
}

void take_scoring(struct candidate *c, const struct scored *item) {
    c->score_prompt_tokens += item->prompt_tokens;
    c->score_cached_tokens += item->cached_tokens;
    c->score_us += item->us;
    c->judged_tokens += item->judged_tokens;
    c->judge_us += item->judge_us;
}

static cord_status take_score(const struct beam *beam, struct candidate *c, const struct scored *item,
                              cord_error *err) {
    c->log_score = item->log_score;
    c->reasoning_tokens = item->reasoning_tokens;
    take_scoring(c, item);
    return isnan(item->log_score) ? drop_failed(beam, c, "not scored", item->error.message, err) : CORD_OK;
}

cord_status score_candidates(const struct beam *beam, struct candidate *candidates, int n, cord_error *err) {
    int count;
    struct scored *items = items_of(beam, candidates, n, &count);
    if (!items) return error_memory(err);
    CORD_TRY(score_in_round(beam, items, count, err));
    const struct scored *item = items;
    for (int i = 0; i < n; i++)
        if (adds_a_step(&candidates[i])) CORD_TRY(take_score(beam, &candidates[i], item++, err));
    return CORD_OK;
}
