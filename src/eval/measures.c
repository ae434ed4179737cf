/* measures.c - see measures.h. */
#include "eval/measures.h"

#include <math.h>

const struct measure_info measure_infos[MEASURES] = {
    [MEASURE_ACCURACY] = {"accuracy", "accuracy", KIND_SHARE},
    [MEASURE_NO_ANSWER] = {"no_answer", "no answer", KIND_SHARE},
    [MEASURE_UNDECIDED] = {"undecided", "undecided", KIND_SHARE},
    [MEASURE_PP] = {"pp", "PP, mean S of the best", KIND_SHARE},
    [MEASURE_HELD_OUT] = {"pp_held_out", "PP, held-out scorer", KIND_SHARE},
    [MEASURE_S0] = {"s0", "S0, without reasoning", KIND_SHARE},
    [MEASURE_TRAJECTORIES] = {"trajectories", "complete trajectories", KIND_COUNT},
    [MEASURE_STEPS] = {"steps", "steps of the best", KIND_COUNT},
    [MEASURE_LENGTH] = {"length", "tokens of the best", KIND_COUNT},
    [MEASURE_AFTER] = {"steps_after_mention", "steps after mention", KIND_COUNT},
    [MEASURE_NEVER] = {"never_mentioned", "gold never mentioned", KIND_SHARE},
    [MEASURE_PROPOSED] = {"tokens_proposed", "tokens proposed", KIND_TOKENS},
    [MEASURE_PREFILLED] = {"tokens_prefilled", "tokens prefilled", KIND_TOKENS},
    [MEASURE_SCORED] = {"tokens_scored", "tokens scored", KIND_TOKENS},
    [MEASURE_JUDGED] = {"tokens_judged", "tokens judged", KIND_TOKENS},
    [MEASURE_ANSWERS] = {"tokens_answers", "tokens of answers", KIND_TOKENS},
    [MEASURE_GENERATED] = {"tokens_generated", "tokens generated", KIND_TOKENS},
    [MEASURE_TOKENS] = {"tokens", "tokens, all", KIND_TOKENS},
    [MEASURE_FLOPS_GENERATED] = {"flops_generated", "FLOPs, generated", KIND_FLOPS},
    [MEASURE_FLOPS_PREFILLED] = {"flops_prefilled", "FLOPs, prefilled", KIND_FLOPS},
    [MEASURE_FLOPS_SCORED] = {"flops_scored", "FLOPs, scored", KIND_FLOPS},
    [MEASURE_FLOPS_JUDGED] = {"flops_judged", "FLOPs, judged", KIND_FLOPS},
    [MEASURE_FLOPS] = {"flops", "FLOPs, all", KIND_FLOPS},
    [MEASURE_PROPOSE_TIME] = {"seconds_propose", "seconds, propose", KIND_SECONDS},
    [MEASURE_SCORE_TIME] = {"seconds_score", "seconds, score", KIND_SECONDS},
    [MEASURE_JUDGE_TIME] = {"seconds_judge", "seconds, judge", KIND_SECONDS},
    [MEASURE_ANSWER_TIME] = {"seconds_answer", "seconds, answer", KIND_SECONDS},
    [MEASURE_TIME] = {"seconds", "seconds, all", KIND_SECONDS},
};

bool measure_is_cost(enum measure measure) { return measure >= MEASURE_PROPOSED || measure == MEASURE_TRAJECTORIES; }

/* ---- hit rates ----------------------------------------------------------------------------------------------- */

cord_status hits_init(struct hits *hits, int n_teachers, struct arena *arena, cord_error *err) {
    size_t n = (size_t)(n_teachers + 1) * HIT_BINS; /* never of size 0 */
    *hits = (struct hits){.n_teachers = n_teachers};
    hits->proposed = arena_alloc(arena, n * sizeof *hits->proposed);
    hits->kept = arena_alloc(arena, n * sizeof *hits->kept);
    hits->final = arena_alloc(arena, n * sizeof *hits->final);
    return hits->proposed && hits->kept && hits->final ? CORD_OK : error_memory(err);
}

int64_t hits_all(const struct hits *hits, const int64_t *counts, int bin) {
    int64_t sum = 0;
    for (int t = 0; t < hits->n_teachers; t++) sum += bin < 0 ? hits_of(counts, t) : counts[t * HIT_BINS + bin];
    return sum;
}

void hits_add(struct hits *hits, const struct hits *more) {
    for (int i = 0; i < hits->n_teachers * HIT_BINS; i++) {
        hits->proposed[i] += more->proposed[i];
        hits->kept[i] += more->kept[i];
        hits->final[i] += more->final[i];
    }
}

int64_t hits_of(const int64_t *counts, int teacher) {
    int64_t sum = 0;
    for (int bin = 0; bin < HIT_BINS; bin++) sum += counts[teacher * HIT_BINS + bin];
    return sum;
}

/* The middle is (at + 1/2) / n; in whole numbers, so that no rounding decides. */
int hits_bin(int at, int n) { return (int)((2 * (int64_t)at + 1) * HIT_BINS / (2 * (int64_t)n)); }

static void hit(const struct hits *hits, int64_t *counts, int teacher, int at, int n) {
    if (teacher >= 0 && teacher < hits->n_teachers) counts[teacher * HIT_BINS + hits_bin(at, n)]++;
}

/* A candidate that only ends its parent adds no step: it is neither a proposal of one nor a hit. In a search tree what is
 * kept is what became the root, which the answers tell. */
static void add_round(struct hits *hits, const struct round *round, int rounds) {
    for (int i = 0; i < round->n_candidates; i++) {
        const struct candidate *c = &round->candidates[i];
        if (c->finishes_parent) continue;
        hit(hits, hits->proposed, c->teacher, round->number - 1, rounds);
        if (c->slot >= 0 && c->slot < round->n_beam && !trajectory_is_node(&round->beam[c->slot]))
            hit(hits, hits->kept, c->teacher, round->number - 1, rounds);
    }
}

const struct step *candidate_before(const struct step *last) {
    const struct step *s = last->previous;
    while (s && s->round == last->round && s->teacher == last->teacher) s = s->previous;
    return s;
}

static void add_path(struct hits *hits, const struct step *last) {
    int n = 0, at;
    for (const struct step *s = last; s; s = candidate_before(s)) n++;
    at = n;
    for (const struct step *s = last; s; s = candidate_before(s)) hit(hits, hits->final, s->teacher, --at, n);
}

/* ---- what a problem took --------------------------------------------------------------------------------------- */

/* All requests of a round go out together, and each one's time counts from there: the last one's is the round's. */
static void add_times(double value[MEASURES], const struct round *round) {
    int64_t propose = 0, score = 0, judge = 0;
    for (int i = 0; i < round->n_candidates; i++) {
        const struct candidate *c = &round->candidates[i];
        if (c->propose_us > propose) propose = c->propose_us;
        if (c->score_us > score) score = c->score_us;
        if (c->judge_us > judge) judge = c->judge_us;
    }
    value[MEASURE_PROPOSE_TIME] += (double)propose / 1e6;
    value[MEASURE_SCORE_TIME] += (double)score / 1e6;
    value[MEASURE_JUDGE_TIME] += (double)judge / 1e6;
}

/* 2 x parameters for each token; not known, where there are tokens, if the parameters are not. */
static double flops(double parameters, int64_t tokens) {
    return !tokens ? 0 : parameters > 0 ? 2 * parameters * (double)tokens : (double)NAN;
}

static double parameters_of(const struct model_sizes *sizes, int teacher) {
    return teacher >= 0 && teacher < sizes->n_teachers ? sizes->teachers[teacher] : 0;
}

/* What one request to a teacher took; `written`: as what its text counts. */
static void add_request(double value[MEASURES], enum measure written, double parameters, int prompt_tokens,
                        int cached_tokens, int new_tokens) {
    value[written] += new_tokens;
    value[MEASURE_PREFILLED] += prompt_tokens - cached_tokens;
    value[MEASURE_FLOPS_GENERATED] += flops(parameters, new_tokens);
    value[MEASURE_FLOPS_PREFILLED] += flops(parameters, prompt_tokens - cached_tokens);
}

static void add_spent(double value[MEASURES], const struct model_sizes *sizes, const struct round *round) {
    for (int i = 0; i < round->n_candidates; i++) {
        const struct candidate *c = &round->candidates[i];
        int scored = c->score_prompt_tokens - c->score_cached_tokens;
        add_request(value, MEASURE_PROPOSED, parameters_of(sizes, c->teacher), c->prompt_tokens, c->cached_tokens,
                    c->new_tokens);
        value[MEASURE_SCORED] += scored;
        value[MEASURE_JUDGED] += c->judged_tokens;
        value[MEASURE_FLOPS_SCORED] += flops(sizes->chooser, scored);
        value[MEASURE_FLOPS_JUDGED] += flops(sizes->chooser, c->judged_tokens);
    }
}

/* What teachers were asked for before round 1, all of them at once. */
static void add_guesses(double value[MEASURES], const struct model_sizes *sizes, const struct spoken *spoken, int n) {
    int64_t us = 0;
    for (int i = 0; i < n; i++) {
        const struct guesses *g = &spoken[i].guesses;
        add_request(value, MEASURE_PROPOSED, parameters_of(sizes, spoken[i].teacher), g->prompt_tokens,
                    g->cached_tokens, g->new_tokens);
        if (g->us > us) us = g->us;
    }
    value[MEASURE_PROPOSE_TIME] += (double)us / 1e6;
}

static void add_answers(double value[MEASURES], const struct model_sizes *sizes, const struct answered *answers,
                        int n) {
    int64_t us = 0;
    value[MEASURE_TRAJECTORIES] = n;
    for (int i = 0; i < n; i++) {
        const struct answered *a = &answers[i];
        add_request(value, MEASURE_ANSWERS, parameters_of(sizes, a->trajectory.author), a->prompt_tokens,
                    a->cached_tokens, a->new_tokens);
        if (a->us > us) us = a->us;
    }
    value[MEASURE_ANSWER_TIME] = (double)us / 1e6;
}

void past_costs(const struct past *past, const struct model_sizes *sizes, double value[MEASURES]) {
    for (int m = 0; m < MEASURES; m++) value[m] = 0;
    add_guesses(value, sizes, past->spoken, past->n_spoken);
    for (int i = 0; i < past->n_rounds; i++) {
        add_times(value, &past->rounds[i]);
        add_spent(value, sizes, &past->rounds[i]);
    }
    add_answers(value, sizes, past->answers, past->n_answers);
    value[MEASURE_GENERATED] = value[MEASURE_PROPOSED] + value[MEASURE_ANSWERS];
    value[MEASURE_TOKENS] =
        value[MEASURE_GENERATED] + value[MEASURE_PREFILLED] + value[MEASURE_SCORED] + value[MEASURE_JUDGED];
    for (int m = MEASURE_FLOPS_GENERATED; m < MEASURE_FLOPS; m++) value[MEASURE_FLOPS] += value[m];
    for (int m = MEASURE_PROPOSE_TIME; m < MEASURE_TIME; m++) value[MEASURE_TIME] += value[m];
    if (past->not_apart) /* what judging took is among what scoring did */
        value[MEASURE_JUDGED] = value[MEASURE_FLOPS_JUDGED] = value[MEASURE_JUDGE_TIME] = (double)NAN;
}

/* ---- what it came to ----------------------------------------------------------------------------------------- */

static void add_best(double value[MEASURES], const struct answered *answers, int n, struct hits *hits) {
    enum grade grade = n ? answers[0].grade : GRADE_NO_ANSWER;
    value[MEASURE_ACCURACY] = grade == GRADE_CORRECT;
    value[MEASURE_NO_ANSWER] = grade == GRADE_NO_ANSWER;
    value[MEASURE_UNDECIDED] = grade == GRADE_UNDECIDED;
    value[MEASURE_HELD_OUT] = (double)NAN;
    if (!n) return;
    const struct trajectory *best = &answers[0].trajectory;
    value[MEASURE_PP] = exp(answers[0].log_pp);
    value[MEASURE_HELD_OUT] = exp(answers[0].log_held_out);
    value[MEASURE_STEPS] = best->n_steps;
    value[MEASURE_LENGTH] = best->tokens;
    add_path(hits, best->last);
}

/* Where there is no trajectory, nothing mentions the gold. */
static cord_status add_mention(double value[MEASURES], const struct journal_problem *problem,
                               const struct answered *answers, int n, cord_error *err) {
    static const struct trajectory none = {.author = -1};
    struct mention mention;
    CORD_TRY(mention_first(problem->question, problem->gold, n ? &answers[0].trajectory : &none, problem->log_s0,
                           &mention, err));
    value[MEASURE_NEVER] = mention.in_question ? (double)NAN : mention.step == 0;
    value[MEASURE_AFTER] = mention.step ? mention.steps - mention.step : (double)NAN;
    return CORD_OK;
}

static void add_committed(struct hits *hits, const struct answered *answers, int n, int rounds) {
    for (int i = 0; i < n; i++)
        for (const struct step *s = trajectory_is_node(&answers[i].trajectory) ? answers[i].trajectory.last : NULL; s;
             s = s->previous)
            hit(hits, hits->kept, s->teacher, s->round - 1, rounds);
}

cord_status past_read(struct journal *journal, const struct journal_problem *problem, struct arena *arena,
                      struct past *past, cord_error *err) {
    const struct trajectory *beam = NULL;
    int n = 0;
    *past = (struct past){.problem = problem, .n_rounds = problem->rounds};
    past->rounds = arena_alloc(arena, (size_t)(problem->rounds + 1) * sizeof *past->rounds);
    if (!past->rounds) return error_memory(err);
    for (int i = 0; i < problem->rounds; i++) {
        struct round *round = &past->rounds[i];
        CORD_TRY(journal_read_round(journal, problem->key, i + 1, beam, n, arena, round, err));
        beam = round->beam;
        n = round->n_beam;
    }
    struct journal_totals totals;
    CORD_TRY(journal_totals(journal, problem->key, &totals, err));
    past->not_apart = totals.not_apart > 0;
    CORD_TRY(journal_spoken(journal, problem->key, arena, &past->spoken, &past->n_spoken, err));
    return journal_answers(journal, problem, arena, &past->answers, &past->n_answers, err);
}

cord_status measure_past(const struct past *past, const struct model_sizes *sizes, double value[MEASURES],
                         struct hits *hits, cord_error *err) {
    const struct journal_problem *problem = past->problem;
    past_costs(past, sizes, value);
    for (int i = 0; i < past->n_rounds; i++) add_round(hits, &past->rounds[i], past->n_rounds);
    add_best(value, past->answers, past->n_answers, hits);
    add_committed(hits, past->answers, past->n_answers, past->n_rounds);
    value[MEASURE_S0] = problem->started ? exp(problem->log_s0) : (double)NAN;
    return add_mention(value, problem, past->answers, past->n_answers, err);
}

cord_status measure_problem(struct journal *journal, const struct journal_problem *problem,
                            const struct model_sizes *sizes, double value[MEASURES], struct hits *hits,
                            cord_error *err) {
    struct arena arena;
    struct past past;
    arena_init(&arena);
    cord_status status = past_read(journal, problem, &arena, &past, err);
    if (status == CORD_OK) status = measure_past(&past, sizes, value, hits, err);
    arena_release(&arena);
    return status;
}
