/* beam.c - collaborative step-wise multi-teacher decoding: a beam search over reasoning steps (sections 3 and 4.3 of the
 * paper). A step is to this search what a token is to ordinary decoding; the teachers' proposals are its vocabulary.
 *
 *     beam <- { the empty trajectory }
 *     until the beam holds only finished trajectories:
 *         expand   every growing trajectory by every teacher            B x K candidates
 *         drop     what is empty, repeated or degenerate
 *         score    each candidate by S, the meta-prover's likelihood of the answer        (eq. 3)
 *         select   the B best of the candidates and the finished                          (eq. 4)
 *     the author of each finished trajectory's last step writes its answer
 *
 * What the paper leaves open is decided as docs/method.md says. It must not know SQLite, files or terminals. */
#include "search/search.h"

#include <math.h>
#include <stdlib.h>

/* Where a search is. What lasts lives in the problem's arena; what a round makes lives in one of two that rounds take in
 * turn, so that the reasonings of the round before are there, and those of all others are not: every candidate has a whole
 * one, and of long traces there are many rounds. */
struct beam {
    const struct search *search;
    struct arena rounds[2];
    struct arena *arena;   /* this round's */
    struct spans *prompts; /* of each teacher, and behind them the meta-prover's */
    int number;            /* of the round */
    struct trajectory *trajectories;
    int n;
};

static uint64_t problem_seed(const struct search *search) {
    return seed_text(search->settings->seed, search->question.id);
}

/* Whether markers divide the steps; where none do, a growing trajectory ends in the blanks that its last step ended in. */
static bool has_markers(const struct beam *beam) {
    return beam->search->meta_prover->prompt.style->segmentation == SEGMENTATION_STEPS;
}

static bool all_finished(const struct beam *beam) {
    for (int i = 0; i < beam->n; i++)
        if (beam->trajectories[i].finish == GROWING) return false;
    return true;
}

static bool any_finished(const struct beam *beam) {
    for (int i = 0; i < beam->n; i++)
        if (beam->trajectories[i].finish != GROWING) return true;
    return false;
}

/* ---- expand -------------------------------------------------------------------------------------------------- */

/* Proposals of one teacher for one trajectory: one; for the empty trajectory B, so that the first round too has B x K. */
static int samples_of(const struct beam *beam, const struct trajectory *parent) {
    return parent->last ? 1 : beam->search->settings->beam;
}

/* A request of teacher `k` to continue slot `p`: it is made of the question and the trajectory's text, and nothing else. */
static cord_status ask(const struct beam *beam, int p, int k, int sample, struct candidate *candidate,
                       cord_proposal *proposal, cord_error *err) {
    const struct search *search = beam->search;
    const struct search_settings *settings = search->settings;
    const struct teacher *teacher = &search->teachers[k];
    const struct prompt_style *style = teacher->prompt.style;
    const struct trajectory *parent = &beam->trajectories[p];

    uint64_t seed = problem_seed(search);
    const uint64_t of[] = {(uint64_t)beam->number, (uint64_t)p, (uint64_t)k, (uint64_t)sample};
    for (int i = 0; i < 4; i++) seed = seed_mix(seed, of[i]);
    *candidate = (struct candidate){.parent = p, .teacher = k, .sample = sample, .seed = seed, .rank = -1, .slot = -1};
    candidate->tie = seed_mix(seed, UINT64_MAX);

    cord_text opened;
    bool cut = parent->last && parent->last->cut;
    CORD_TRY(segment_open(style, parent->reasoning, cut, parent->n_steps + 1, beam->arena, &opened, err));
    cord_span tail = {opened, false};
    struct spans prompt = spans_append(beam->prompts[k], &tail, 1, beam->arena);
    struct segment_stops *stops = arena_alloc(beam->arena, sizeof *stops);
    if (!prompt.span || !stops) return error_memory(err);
    CORD_TRY(segment_stops(style, beam->arena, stops, err));

    int left = settings->think_tokens - parent->tokens;
    *proposal = (cord_proposal){
        .model = teacher->model,
        .prompt = prompt.span,
        .n_spans = prompt.n,
        .stops = stops->text,
        .n_stops = stops->n,
        .sampling = teacher->sampling,
        .max_tokens = left < settings->step_tokens ? left : settings->step_tokens,
        .group = search->group,
    };
    proposal->sampling.seed = seed;
    return CORD_OK;
}

/* What a teacher said, as a candidate. */
static cord_status read_proposal(const struct beam *beam, const cord_proposal *proposal, struct candidate *c,
                                 cord_error *err) {
    const struct search *search = beam->search;
    const struct trajectory *parent = &beam->trajectories[c->parent];
    c->prompt_tokens = proposal->prompt_tokens;
    c->cached_tokens = proposal->cached_tokens;
    c->new_tokens = proposal->new_tokens;
    c->propose_us = proposal->us;
    c->log_score = (double)NAN;
    c->reasoning = c->step = (cord_text){"", 0};
    if (is_models_own(proposal->error.code)) {
        if (err) *err = proposal->error;
        return proposal->error.code;
    }
    if (proposal->error.code != CORD_OK) {
        c->drop = DROP_FAILED;
        cord_text why = arena_text(beam->arena, text_of(proposal->error.message));
        c->drop_why = why.data;
        return why.data ? CORD_OK : error_memory(err);
    }
    const struct prompt_style *style = search->teachers[c->teacher].prompt.style;
    bool parent_cut = parent->last && parent->last->cut;
    c->end = proposal->end == CORD_END_TURN ? STEP_TURN : STEP_CUT;
    CORD_TRY(segment_read(style, parent_cut, (cord_text){proposal->text, proposal->len},
                          proposal->end == CORD_END_STOP ? proposal->stop : -1, beam->arena, &c->step, &c->end, err));
    if (segment_adds_nothing(style, parent_cut, c->step, c->end)) {
        bool closes = c->end == STEP_CLOSED || c->end == STEP_TURN;
        c->finishes_parent = closes && parent->last;
        c->drop = c->finishes_parent ? DROP_NONE : DROP_EMPTY;
        c->log_score = c->finishes_parent ? parent->log_score : c->log_score;
        return CORD_OK;
    }
    if (segment_is_degenerate(c->step)) {
        c->drop = DROP_DEGENERATE;
        return CORD_OK;
    }
    return segment_extend(search->meta_prover->prompt.style, parent->reasoning, parent_cut, parent->n_steps + 1,
                          c->step, c->end == STEP_CUT, beam->arena, &c->reasoning, err);
}

static cord_status expand(const struct beam *beam, struct candidate **candidates, int *n, cord_error *err) {
    const struct search *search = beam->search;
    int room = 0;
    for (int p = 0; p < beam->n; p++) room += search->n_teachers * samples_of(beam, &beam->trajectories[p]);
    struct candidate *all = arena_alloc(beam->arena, (size_t)room * sizeof *all);
    cord_proposal *proposals = arena_alloc(beam->arena, (size_t)room * sizeof *proposals);
    if (!all || !proposals) return error_memory(err);
    int count = 0;
    for (int p = 0; p < beam->n; p++) {
        if (beam->trajectories[p].finish != GROWING) continue;
        for (int k = 0; k < search->n_teachers; k++)
            for (int s = 0; s < samples_of(beam, &beam->trajectories[p]); s++, count++)
                CORD_TRY(ask(beam, p, k, s, &all[count], &proposals[count], err));
    }
    cord_status status = cord_propose(search->engine, proposals, count, err);
    for (int i = 0; i < count; i++) {
        if (status == CORD_OK) status = read_proposal(beam, &proposals[i], &all[i], err);
        cord_proposal_release(&proposals[i]);
    }
    *candidates = all;
    *n = count;
    return status;
}

/* ---- drop ---------------------------------------------------------------------------------------------------- */

/* Of siblings that say the same the one with the smallest tie hash stays, whoever stands first in the list. */
static void drop_duplicates(struct candidate *candidates, int n) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n && candidates[i].drop == DROP_NONE; j++) {
            const struct candidate *a = &candidates[i], *b = &candidates[j];
            if (i == j || b->drop != DROP_NONE || a->parent != b->parent || a->finishes_parent != b->finishes_parent)
                continue;
            if (!a->finishes_parent && !text_equal(text_trim_end(a->reasoning), text_trim_end(b->reasoning))) continue;
            if (b->tie >= a->tie) continue;
            candidates[i].drop = DROP_DUPLICATE;
            candidates[i].reasoning = (cord_text){"", 0};
            candidates[i].log_score = (double)NAN;
        }
}

/* ---- score --------------------------------------------------------------------------------------------------- */

static cord_status score(const struct beam *beam, struct candidate *candidates, int n, cord_error *err) {
    struct search search = *beam->search;
    search.arena = beam->arena;
    struct scored *items = arena_alloc(beam->arena, (size_t)(n + 1) * sizeof *items);
    if (!items) return error_memory(err);
    int count = 0;
    for (int i = 0; i < n; i++)
        if (candidates[i].drop == DROP_NONE && !candidates[i].finishes_parent)
            items[count++].reasoning = candidates[i].reasoning;
    CORD_TRY(score_reasonings(&search, beam->prompts[search.n_teachers], items, count, err));
    const struct scored *item = items;
    for (int i = 0; i < n; i++) {
        struct candidate *c = &candidates[i];
        if (c->drop != DROP_NONE || c->finishes_parent) continue;
        c->log_score = item->log_score;
        c->reasoning_tokens = item->reasoning_tokens;
        c->score_prompt_tokens = item->prompt_tokens;
        c->score_cached_tokens = item->cached_tokens;
        c->score_us = item->us;
        if (isnan(item->log_score)) {
            c->drop = DROP_FAILED;
            c->reasoning = (cord_text){"", 0};
            c->drop_why = arena_printf(beam->arena, "not scored: %s", item->error.message);
            if (!c->drop_why) return error_memory(err);
        }
        item++;
    }
    return CORD_OK;
}

/* ---- select -------------------------------------------------------------------------------------------------- */

/* What stands for a place in the next beam. */
struct contender {
    struct trajectory trajectory;
    struct candidate *candidate; /* NULL: a finished trajectory, carried over with its score frozen */
    uint64_t tie;
};

static int by_score(const void *a, const void *b) {
    const struct contender *x = a, *y = b;
    double dx = x->trajectory.log_score, dy = y->trajectory.log_score;
    if (dx != dy) return dx < dy ? 1 : -1;
    return (x->tie > y->tie) - (x->tie < y->tie);
}

static int by_tie(const void *a, const void *b) {
    const struct contender *x = a, *y = b;
    return (x->tie > y->tie) - (x->tie < y->tie);
}

/* Best first. With `noise`, contenders that lie within it of the best of their group count as tied with it. */
static void rank(struct contender *contenders, int n, double noise) {
    qsort(contenders, (size_t)n, sizeof *contenders, by_score);
    for (int i = 0, end; noise > 0 && i < n; i = end) {
        for (end = i + 1; end < n; end++)
            if (contenders[end].trajectory.log_score < contenders[i].trajectory.log_score - noise) break;
        qsort(contenders + i, (size_t)(end - i), sizeof *contenders, by_tie);
    }
    for (int i = 0; i < n; i++)
        if (contenders[i].candidate) contenders[i].candidate->rank = i;
}

/* The trajectory that a candidate makes of its parent. */
static cord_status grow(const struct beam *beam, struct candidate *c, struct trajectory *out, cord_error *err) {
    const struct trajectory *parent = &beam->trajectories[c->parent];
    *out = *parent;
    out->author = c->teacher;
    out->from = c->parent;
    if (c->finishes_parent) {
        out->finish = c->end == STEP_TURN ? FINISHED_TURN : FINISHED_CLOSED;
        return CORD_OK;
    }
    struct step *step = arena_alloc(beam->arena, sizeof *step);
    if (!step) return error_memory(err);
    *step = (struct step){parent->last, c->step, beam->number, c->teacher, c->end == STEP_CUT, c->log_score};
    out->reasoning =
        step->cut || !has_markers(beam) ? c->reasoning : text_trim_end(c->reasoning); /* a cut parent's may dangle */
    out->last = step;
    if (!parent->last || !parent->last->cut) out->n_steps++;
    out->tokens = c->reasoning_tokens;
    out->log_score = c->log_score;
    if (c->end == STEP_CLOSED)
        out->finish = FINISHED_CLOSED;
    else if (c->end == STEP_TURN)
        out->finish = FINISHED_TURN;
    else if (out->tokens >= beam->search->settings->think_tokens)
        out->finish = FINISHED_BUDGET;
    return CORD_OK;
}

/* All that may be kept: new candidates, and the finished of the beam. */
static cord_status gather(const struct beam *beam, struct candidate *candidates, int n, struct contender **out,
                          int *n_out, cord_error *err) {
    struct contender *all = arena_alloc(beam->arena, (size_t)(n + beam->n) * sizeof *all);
    if (!all) return error_memory(err);
    int count = 0;
    for (int p = 0; p < beam->n; p++) {
        if (beam->trajectories[p].finish == GROWING) continue;
        uint64_t tie = seed_mix(seed_mix(problem_seed(beam->search), (uint64_t)beam->number), (uint64_t)p);
        all[count] = (struct contender){beam->trajectories[p], NULL, tie};
        all[count].trajectory.from = p;
        all[count++].trajectory.candidate = -1;
    }
    for (int i = 0; i < n; i++) {
        if (candidates[i].drop != DROP_NONE) continue;
        all[count] = (struct contender){.candidate = &candidates[i], .tie = candidates[i].tie};
        CORD_TRY(grow(beam, &candidates[i], &all[count].trajectory, err));
        all[count++].trajectory.candidate = i;
    }
    *out = all;
    *n_out = count;
    return CORD_OK;
}

/* Nothing of this round can be kept: the parents are finished where they stand, as at the end of the budget. */
static void finish_parents(struct beam *beam) {
    for (int p = 0; p < beam->n; p++) {
        struct trajectory *trajectory = &beam->trajectories[p];
        trajectory->from = p;
        trajectory->candidate = -1;
        if (trajectory->finish == GROWING) trajectory->finish = FINISHED_EXHAUSTED;
    }
}

/* Puts what a kept trajectory is made of where it lasts: a new step as long as the problem, an older text another round. */
static cord_status settle(const struct beam *beam, struct trajectory *kept, const struct candidate *c,
                          cord_error *err) {
    if (!c || c->finishes_parent) {
        kept->reasoning = arena_text(beam->arena, kept->reasoning);
        return kept->reasoning.data ? CORD_OK : error_memory(err);
    }
    struct step *step = arena_alloc(beam->search->arena, sizeof *step);
    if (!step) return error_memory(err);
    *step = *kept->last;
    step->text = arena_text(beam->search->arena, step->text);
    kept->last = step;
    return step->text.data ? CORD_OK : error_memory(err);
}

/* Equation 4. */
static cord_status select_best(struct beam *beam, struct candidate *candidates, int n, cord_error *err) {
    const struct search *search = beam->search;
    struct contender *contenders = NULL;
    int n_contenders = 0;
    CORD_TRY(gather(beam, candidates, n, &contenders, &n_contenders, err));
    double noise = search->settings->tie_within_noise ? cord_model_get_info(search->meta_prover->model)->noise : 0;
    rank(contenders, n_contenders, noise);
    int keep = n_contenders < search->settings->beam ? n_contenders : search->settings->beam;
    struct trajectory *kept = arena_alloc(beam->arena, (size_t)keep * sizeof *kept);
    if (!kept) return error_memory(err);
    for (int i = 0; i < keep; i++) {
        kept[i] = contenders[i].trajectory;
        if (contenders[i].candidate) contenders[i].candidate->slot = i;
        CORD_TRY(settle(beam, &kept[i], contenders[i].candidate, err));
    }
    beam->trajectories = kept;
    beam->n = keep;
    return CORD_OK;
}

/* ---- rounds -------------------------------------------------------------------------------------------------- */

static cord_status play_round(struct beam *beam, cord_error *err) {
    const struct search *search = beam->search;
    struct candidate *candidates = NULL;
    int n = 0, usable = 0;
    beam->number++;
    beam->arena = &beam->rounds[beam->number % 2];
    arena_release(beam->arena);
    CORD_TRY(expand(beam, &candidates, &n, err));
    drop_duplicates(candidates, n);
    CORD_TRY(score(beam, candidates, n, err));
    for (int i = 0; i < n; i++) usable += candidates[i].drop == DROP_NONE;

    struct round round = {.number = beam->number, .candidates = candidates, .n_candidates = n};
    if (usable == 0) {
        finish_parents(beam);
        round.note = "every candidate of this round was dropped; the trajectories were finished as they stood";
    } else {
        CORD_TRY(select_best(beam, candidates, n, err));
    }
    round.beam = beam->trajectories;
    round.n_beam = beam->n;
    const struct observer *observer = search->observer;
    if (observer->round) CORD_TRY(observer->round(observer->ctx, &round, err));
    if (usable == 0 && !beam->trajectories[0].last) {
        for (int i = 0; i < n; i++)
            if (candidates[i].drop == DROP_FAILED)
                return error_set(err, CORD_BAD_INPUT, "no first step: %s", candidates[i].drop_why);
        return error_set(err, CORD_BAD_INPUT,
                         "no first step: every candidate of round 1 was empty, repeated or degenerate");
    }
    return CORD_OK;
}

/* ---- the beginning and the end ------------------------------------------------------------------------------- */

static cord_status render_prompts(struct beam *beam, struct spoken *spoken, cord_error *err) {
    const struct search *search = beam->search;
    for (int k = 0; k <= search->n_teachers; k++) {
        bool meta = k == search->n_teachers;
        const struct prompt *prompt = meta ? &search->meta_prover->prompt : &search->teachers[k].prompt;
        CORD_TRY(prompt_render(prompt, &search->question, search->arena, &beam->prompts[k], err));
        spoken[k] = (struct spoken){meta ? -1 : k, beam->prompts[k], prompt->style};
    }
    return CORD_OK;
}

/* The beam before the first round: the empty trajectory, with S_0, the score of no reasoning at all. */
static cord_status start(struct beam *beam, const struct spoken *spoken, cord_error *err) {
    const struct search *search = beam->search;
    struct scored nothing = {.reasoning = {"", 0}};
    CORD_TRY(score_reasonings(search, beam->prompts[search->n_teachers], &nothing, 1, err));
    if (nothing.error.code != CORD_OK) {
        if (err) *err = nothing.error;
        return nothing.error.code;
    }
    const struct observer *observer = search->observer;
    if (observer->started)
        CORD_TRY(observer->started(observer->ctx, nothing.log_score, spoken, search->n_teachers + 1, err));
    beam->trajectories = arena_alloc(search->arena, sizeof *beam->trajectories);
    if (!beam->trajectories) return error_memory(err);
    *beam->trajectories =
        (struct trajectory){.reasoning = {"", 0}, .log_score = nothing.log_score, .author = -1, .candidate = -1};
    beam->n = 1;
    return CORD_OK;
}

/* Takes up an interrupted search where the observer last heard of it. */
static cord_status go_on(struct beam *beam, cord_error *err) {
    const struct search_state *state = &beam->search->state;
    beam->number = state->round;
    beam->n = state->round ? state->n_beam : 1;
    beam->trajectories = arena_alloc(beam->search->arena, (size_t)beam->n * sizeof *beam->trajectories);
    if (!beam->trajectories) return error_memory(err);
    if (state->round)
        memcpy(beam->trajectories, state->beam, (size_t)beam->n * sizeof *beam->trajectories);
    else
        *beam->trajectories =
            (struct trajectory){.reasoning = {"", 0}, .log_score = state->log_s0, .author = -1, .candidate = -1};
    return CORD_OK;
}

/* The finished trajectories of the last beam, best first, get their answers. */
static cord_status finish(struct beam *beam, cord_error *err) {
    const struct search *search = beam->search;
    /* taken up again after a first round that left nothing: nobody could write an answer */
    if (!beam->trajectories[0].last)
        return error_set(err, CORD_BAD_INPUT, "no first step: every candidate of round 1 was dropped");
    struct trajectory *finished = arena_alloc(search->arena, (size_t)beam->n * sizeof *finished);
    struct answered *answers = arena_alloc(search->arena, (size_t)beam->n * sizeof *answers);
    if (!finished || !answers) return error_memory(err);
    int n = 0;
    for (int i = 0; i < beam->n; i++) {
        if (beam->trajectories[i].finish == GROWING) continue;
        finished[n] = beam->trajectories[i];
        cord_text reasoning = finished[n].reasoning;
        finished[n].reasoning = arena_text(search->arena, has_markers(beam) ? reasoning : text_trim_end(reasoning));
        if (!finished[n++].reasoning.data) return error_memory(err);
    }
    for (int i = 0; i < 2; i++) arena_release(&beam->rounds[i]);
    CORD_TRY(answer_trajectories(search, beam->prompts, finished, n, answers, err));
    const struct observer *observer = search->observer;
    return observer->finished ? observer->finished(observer->ctx, answers, n, err) : CORD_OK;
}

const char *finish_name(enum finish finish) {
    static const char *const names[] = {"growing", "closed", "turn ended", "budget", "exhausted"};
    return names[finish];
}

cord_status beam_search(const struct search *search, cord_error *err) {
    struct beam beam = {.search = search};
    size_t n = (size_t)search->n_teachers + 1;
    struct spoken *spoken = arena_alloc(search->arena, n * sizeof *spoken);
    beam.prompts = arena_alloc(search->arena, n * sizeof *beam.prompts);
    if (!spoken || !beam.prompts) return error_memory(err);
    CORD_TRY(render_prompts(&beam, spoken, err));
    CORD_TRY(search->state.started ? go_on(&beam, err) : start(&beam, spoken, err));
    for (int i = 0; i < 2; i++) arena_init(&beam.rounds[i]);
    cord_status status = CORD_OK;
    while (status == CORD_OK && !all_finished(&beam) &&
           !(search->settings->stop_at_first_finished && any_finished(&beam)))
        status = play_round(&beam, err);
    if (status == CORD_OK) status = finish(&beam, err);
    for (int i = 0; i < 2; i++) arena_release(&beam.rounds[i]);
    return status;
}
