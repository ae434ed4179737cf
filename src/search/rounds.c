/* rounds.c - what the rounds of every strategy are made of (rounds.h), but for candidates: trajectories that grow, their
 * order, and a search's beginning and end. It must not know which candidates are kept, nor SQLite, files or terminals. */
#include "search/rounds.h"

#include <math.h>
#include <stdlib.h>

/* Whether markers divide the steps; where none do, a growing trajectory ends in the blanks that its last step ended in. */
static bool has_markers(const struct beam *beam) {
    return beam->search->meta_prover->prompt.style->segmentation == SEGMENTATION_STEPS;
}

/* ---- growth -------------------------------------------------------------------------------------------------- */

enum finish finish_of(const struct beam *beam, const struct candidate *c) {
    if (c->end == STEP_CLOSED) return FINISHED_CLOSED;
    if (c->end == STEP_TURN) return FINISHED_TURN;
    if (c->parts) return FINISHED_BUDGET; /* a whole trace is asked for once */
    return c->reasoning_tokens >= beam->search->settings->think_tokens ? FINISHED_BUDGET : GROWING;
}

bool all_finished(const struct beam *beam) {
    for (int i = 0; i < beam->n; i++)
        if (beam->trajectories[i].finish == GROWING) return false;
    return true;
}

/* Puts the candidate's step, or its parts, behind the parent's last. Of parts, only the last has a score. */
static cord_status add_steps(const struct beam *beam, const struct candidate *c, const struct trajectory *parent,
                             const struct step **last, cord_error *err) {
    int n = c->parts ? c->n_parts : 1;
    struct step *steps = arena_alloc(beam->arena, (size_t)n * sizeof *steps);
    if (!steps) return error_memory(err);
    cord_text added = text_slice(c->reasoning, parent->reasoning.len, c->reasoning.len);
    *last = parent->last;
    for (int i = 0; i < n; i++) {
        steps[i] = (struct step){.previous = *last,
                                 .text = c->parts ? text_slice(added, c->parts[i].from, c->parts[i].to) : c->step,
                                 .round = beam->number,
                                 .teacher = c->teacher,
                                 .cut = c->end == STEP_CUT && !c->parts,
                                 .log_score = i == n - 1 ? c->log_score : (double)NAN,
                                 .category = c->parts ? c->parts[i].category : NULL};
        *last = &steps[i];
    }
    return CORD_OK;
}

cord_status grow(const struct beam *beam, const struct candidate *c, struct trajectory *out, cord_error *err) {
    static const struct trajectory nothing = {.reasoning = {"", 0}, .author = -1, .candidate = -1};
    const struct trajectory *parent = c->parent < 0 ? &nothing : &beam->trajectories[c->parent];
    *out = *parent;
    out->author = c->teacher;
    out->from = c->parent;
    out->run = c->run;
    out->finish = finish_of(beam, c);
    out->log_score = c->log_score;
    if (c->finishes_parent) return CORD_OK;
    out->reasoning = c->end == STEP_CUT || !has_markers(beam)
                         ? c->reasoning
                         : text_trim_end(c->reasoning); /* a cut parent's may dangle */
    if (!parent->last || !parent->last->cut) out->n_steps += c->parts ? c->n_parts : 1;
    out->tokens = c->reasoning_tokens;
    return add_steps(beam, c, parent, &out->last, err);
}

/* Puts the last n steps of a trajectory where they last as long as the problem. */
static cord_status keep_steps(const struct beam *beam, const struct step **last, int n, cord_error *err) {
    struct step *steps = arena_alloc(beam->search->arena, (size_t)n * sizeof *steps);
    if (!steps) return error_memory(err);
    const struct step *from = *last;
    for (int i = n - 1; i >= 0; i--, from = from->previous) {
        steps[i] = *from;
        steps[i].text = arena_text(beam->search->arena, from->text);
        if (!steps[i].text.data) return error_memory(err);
        if (i < n - 1) steps[i + 1].previous = &steps[i];
    }
    *last = &steps[n - 1];
    return CORD_OK;
}

cord_status settle(const struct beam *beam, struct trajectory *kept, const struct candidate *c, cord_error *err) {
    if (kept->reply.len) {
        kept->reply = arena_text(beam->arena, kept->reply);
        if (!kept->reply.data) return error_memory(err);
    }
    if (!c || c->finishes_parent) {
        kept->reasoning = arena_text(beam->arena, kept->reasoning);
        return kept->reasoning.data ? CORD_OK : error_memory(err);
    }
    return keep_steps(beam, &kept->last, c->parts ? c->n_parts : 1, err);
}

cord_status carry_over(const struct beam *beam, int at, struct trajectory *kept, cord_error *err) {
    *kept = beam->trajectories[at];
    kept->from = at;
    kept->candidate = -1;
    return settle(beam, kept, NULL, err);
}

/* ---- ranking ------------------------------------------------------------------------------------------------- */

/* A score of 0 is -INFINITY, which is still better than none. */
static int by_score(const void *a, const void *b) {
    const struct contender *x = a, *y = b;
    double dx = x->trajectory.log_score, dy = y->trajectory.log_score;
    if (isnan(dx) != isnan(dy)) return isnan(dx) ? 1 : -1;
    if (dx != dy && !isnan(dx)) return dx < dy ? 1 : -1;
    return (x->tie > y->tie) - (x->tie < y->tie);
}

static int by_tie(const void *a, const void *b) {
    const struct contender *x = a, *y = b;
    return (x->tie > y->tie) - (x->tie < y->tie);
}

static bool is_within(double best, double other, double noise) {
    return isnan(best) ? isnan(other) : other >= best - noise;
}

void rank_contenders(const struct search *search, struct contender *contenders, int n) {
    double noise = search->settings->tie_within_noise ? cord_model_get_info(search->meta_prover->model)->noise : 0;
    noise *= criterion_of(search)->noises;
    qsort(contenders, (size_t)n, sizeof *contenders, by_score);
    for (int i = 0, end; noise > 0 && i < n; i = end) {
        for (end = i + 1; end < n; end++)
            if (!is_within(contenders[i].trajectory.log_score, contenders[end].trajectory.log_score, noise)) break;
        qsort(contenders + i, (size_t)(end - i), sizeof *contenders, by_tie);
    }
}

/* ---- the beginning and the end ------------------------------------------------------------------------------- */

/* Who has no model is not spoken to, and has no prompt. *n: of `spoken`. */
static cord_status render_prompts(struct beam *beam, struct spoken *spoken, int *n, cord_error *err) {
    const struct search *search = beam->search;
    *n = 0;
    for (int k = 0; k <= search->n_teachers; k++) {
        bool meta = k == search->n_teachers;
        if (!meta && !search->teachers[k].model) continue;
        const struct prompt *prompt = meta ? &search->meta_prover->prompt : &search->teachers[k].prompt;
        CORD_TRY(prompt_render(prompt, &search->question, search->arena, &beam->prompts[k], err));
        spoken[(*n)++] = (struct spoken){meta ? SPOKEN_META : k, beam->prompts[k], prompt->style, {0}};
    }
    return CORD_OK;
}

/* The prompts of those who take part beside them, for who looks into a run. */
static cord_status render_others(const struct beam *beam, const struct strategy *strategy, struct spoken *spoken,
                                 int *n, cord_error *err) {
    const struct search *search = beam->search;
    const struct criterion *criterion = criterion_of(search);
    const struct meta_prover *asked = criterion->asked ? criterion->asked(search) : NULL;
    struct spans prompt;
    if (asked && asked->model != search->meta_prover->model) {
        CORD_TRY(prompt_of_scorer(search, asked, beam->prompts[search->n_teachers], &prompt, err));
        spoken[(*n)++] = (struct spoken){SPOKEN_ASKED, prompt, asked->prompt.style, {0}};
    }
    if (strategy->integrates) {
        const struct prompt *own = &search->teachers[search->n_teachers].prompt;
        const struct question turn = {search->question.id, TEXT(INTEGRATOR_TURN)};
        CORD_TRY(prompt_render(own, &turn, search->arena, &prompt, err));
        spoken[(*n)++] = (struct spoken){search->n_teachers, prompt, own->style, {0}};
    }
    return CORD_OK;
}

/* What the criterion has to know before round 1, and what teachers were asked for it. */
static cord_status prepare(const struct beam *beam, struct search *search, struct spoken *spoken, int n,
                           cord_error *err) {
    const struct criterion *criterion = criterion_of(search);
    if (!criterion->prepare) return CORD_OK;
    struct guesses *guesses = arena_alloc(search->arena, (size_t)(search->n_teachers + 1) * sizeof *guesses);
    if (!guesses) return error_memory(err);
    CORD_TRY(criterion->prepare(search, beam->prompts, &search->contrast, guesses, err));
    for (int i = 0; i < n; i++)
        if (spoken[i].teacher >= 0 && spoken[i].teacher < search->n_teachers)
            spoken[i].guesses = guesses[spoken[i].teacher];
    return CORD_OK;
}

/* The beam before the first round: the empty trajectory, with S_0, the likelihood of the answer without any reasoning,
 * whatever the criterion is. */
static cord_status start(const struct beam *beam, struct search *search, struct spoken *spoken, int n_spoken,
                         cord_error *err) {
    struct scored nothing = {.reasoning = {"", 0}};
    CORD_TRY(score_targets(search, search->meta_prover, beam->prompts[search->n_teachers], &nothing, 1, err));
    if (nothing.error.code != CORD_OK) {
        if (err) *err = nothing.error;
        return nothing.error.code;
    }
    CORD_TRY(prepare(beam, search, spoken, n_spoken, err));
    const struct observer *observer = search->observer;
    if (observer->started)
        CORD_TRY(observer->started(observer->ctx, nothing.log_score, search->contrast, spoken, n_spoken, err));
    search->state.log_s0 = nothing.log_score;
    return CORD_OK;
}

/* From where the observer last heard of it: of one that has just begun, from nothing. */
static cord_status go_on(struct beam *beam, cord_error *err) {
    const struct search_state *state = &beam->search->state;
    beam->number = state->round;
    beam->anew = state->anew;
    beam->refused = state->refused;
    beam->n = state->round ? state->n_beam : 1;
    beam->trajectories = arena_alloc(beam->search->arena, (size_t)beam->n * sizeof *beam->trajectories);
    if (!beam->trajectories) return error_memory(err);
    if (state->round)
        memcpy(beam->trajectories, state->beam, (size_t)beam->n * sizeof *beam->trajectories);
    else
        *beam->trajectories =
            (struct trajectory){.reasoning = {"", 0}, .log_score = state->log_s0, .author = -1, .candidate = -1};
    bool tree = beam->search->settings->strategy == STRATEGY_MCTS; /* whose nodes have others below them */
    for (int i = 0; i < beam->n && !tree; i++) {                   /* the budget may be smaller now */
        struct trajectory *t = &beam->trajectories[i];
        if (t->finish == GROWING && t->tokens >= beam->search->settings->think_tokens && !isnan(t->log_score))
            t->finish = FINISHED_BUDGET; /* one without a score gets it where a round completes it */
    }
    return CORD_OK;
}

/* Those of several runs, or of traces that never competed. */
static cord_status rank_finished(const struct search *search, struct trajectory *finished, int n, cord_error *err) {
    struct contender *contenders = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *contenders);
    if (!contenders) return error_memory(err);
    for (int i = 0; i < n; i++)
        contenders[i] =
            (struct contender){finished[i], NULL, seed_mix(seed_mix(run_seed(search, 0), LAST_STREAM), (uint64_t)i)};
    rank_contenders(search, contenders, n);
    for (int i = 0; i < n; i++) finished[i] = contenders[i].trajectory;
    return isnan(finished[0].log_score) ? error_set(err, CORD_BAD_INPUT, "no complete trace could be scored") : CORD_OK;
}

/* Among the correct, and among the others, the order stays. */
static void put_correct_first(struct answered *answers, int n) {
    for (int i = 0, correct = 0; i < n; i++) {
        struct answered answer = answers[i];
        if (answer.grade != GRADE_CORRECT) continue;
        memmove(&answers[correct + 1], &answers[correct], (size_t)(i - correct) * sizeof *answers);
        answers[correct++] = answer;
    }
}

/* Whether anything has a first step. */
static bool has_begun(const struct beam *beam) {
    for (int i = 0; i < beam->n; i++)
        if (beam->trajectories[i].last) return true;
    return false;
}

/* `failed`: why a candidate of the last round could not be had; NULL where none failed. */
static cord_status refuse_nothing(const struct beam *beam, const struct strategy *strategy, const char *failed,
                                  cord_error *err) {
    const char *nothing = strategy->nothing ? strategy->nothing : "no first step";
    if (failed) return error_set(err, CORD_BAD_INPUT, "%s: %s", nothing, failed);
    return error_set(err, CORD_BAD_INPUT, "%s: every candidate of round %d was empty, repeated or degenerate", nothing,
                     beam->number);
}

/* The finished trajectories of the last beam, best first, get their answers. */
static cord_status finish(struct beam *beam, const struct strategy *strategy, cord_error *err) {
    const struct search *search = beam->search;
    /* taken up again after first rounds that left nothing: nobody could write an answer */
    if (!has_begun(beam)) return refuse_nothing(beam, strategy, search->state.failed, err);
    if (strategy->check) CORD_TRY(strategy->check(beam, err));
    struct trajectory *finished = arena_alloc(search->arena, (size_t)beam->n * sizeof *finished);
    struct answered *answers = arena_alloc(search->arena, (size_t)beam->n * sizeof *answers);
    if (!finished || !answers) return error_memory(err);
    int n = 0;
    for (int i = 0; i < beam->n; i++) {
        if (beam->trajectories[i].finish == GROWING || !beam->trajectories[i].last) continue;
        finished[n] = beam->trajectories[i];
        cord_text reasoning = finished[n].reasoning;
        finished[n].reasoning = arena_text(search->arena, has_markers(beam) ? reasoning : text_trim_end(reasoning));
        finished[n].reply = arena_text(search->arena, finished[n].reply);
        if (!finished[n].reasoning.data || !finished[n].reply.data) return error_memory(err);
        n++;
    }
    for (int i = 0; i < 2; i++) arena_release(&beam->rounds[i]);
    if (!strategy->in_order) CORD_TRY(rank_finished(search, finished, n, err));
    CORD_TRY(answer_trajectories(search, beam->prompts, finished, n, answers, err));
    if (strategy->correct_first) put_correct_first(answers, n);
    /* "no answer" would be a verdict on what was never asked; all rounds are kept, and the answers are asked for again */
    if (n && answers[0].refused) return error_set(err, CORD_BAD_INPUT, "%s", answers[0].why);
    CORD_TRY(measure_finished(search, beam->prompts[search->n_teachers], answers, n, err));
    const struct observer *observer = search->observer;
    return observer->finished ? observer->finished(observer->ctx, answers, n, err) : CORD_OK;
}

static cord_status play_round(struct beam *beam, const struct strategy *strategy, cord_error *err) {
    beam->number++;
    beam->arena = &beam->rounds[beam->number % 2];
    arena_release(beam->arena);
    struct round round = {.number = beam->number};
    CORD_TRY(strategy->play(beam, &round, err));
    round.beam = beam->trajectories;
    round.n_beam = beam->n;
    const struct observer *observer = beam->search->observer;
    if (observer->round) CORD_TRY(observer->round(observer->ctx, &round, err));
    if (has_begun(beam) || !strategy->ended(beam)) return CORD_OK;
    const char *failed = NULL;
    for (int i = 0; i < round.n_candidates && !failed; i++)
        if (round.candidates[i].drop == DROP_FAILED) failed = round.candidates[i].drop_why;
    return refuse_nothing(beam, strategy, failed, err);
}

cord_status play_strategy(const struct search *search, const struct strategy *strategy, cord_error *err) {
    struct search own = *search; /* with what it finds for itself */
    own.contrast = search->state.contrast;
    own.others_go_on = strategy->others_go_on;
    struct beam beam = {.search = &own};
    size_t n = (size_t)search->n_teachers + 1;
    struct spoken *spoken = arena_alloc(search->arena, (n + 2) * sizeof *spoken);
    beam.prompts = arena_alloc(search->arena, n * sizeof *beam.prompts);
    if (!spoken || !beam.prompts) return error_memory(err);
    int n_spoken;
    CORD_TRY(render_prompts(&beam, spoken, &n_spoken, err));
    if (!search->state.started) {
        CORD_TRY(render_others(&beam, strategy, spoken, &n_spoken, err));
        CORD_TRY(start(&beam, &own, spoken, n_spoken, err));
    }
    CORD_TRY(go_on(&beam, err));
    for (int i = 0; i < 2; i++) arena_init(&beam.rounds[i]);
    cord_status status = CORD_OK;
    while (status == CORD_OK && !strategy->ended(&beam)) status = play_round(&beam, strategy, err);
    if (status == CORD_OK) status = finish(&beam, strategy, err);
    for (int i = 0; i < 2; i++) arena_release(&beam.rounds[i]);
    return status;
}
