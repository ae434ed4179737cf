/* contrast.c - the likelihood of the answer against that of the mistake which is made most: log S of the target minus log S
 * of the commonest wrong answer. S alone gives 1 to whatever makes an answer certain, and much of it to a reasoning that makes
 * all numbers of a kind likely; this asks whether it tells the right one from the wrong one.
 *
 * Where the wrong answer comes from: before round 1 every teacher answers the question contrast.samples times without any
 * reasoning, at its own temperature; of a selection, in which nobody writes, the answers are those that the traces came with.
 * They are graded, and the wrong ones grouped by the grader's own equality. Where none is wrong, the score is plain S, for all
 * of the problem's reasonings. */
#include "search/criterion.h"

#include <math.h>

/* Whether the grader takes two answers for the same. */
static cord_status is_same(const struct search *search, cord_text a, cord_text b, bool *same, cord_error *err) {
    const struct grade_request request = {.question = search->question.text,
                                          .gold = a,
                                          .answer = b,
                                          .reply = b,
                                          .seed = seed_text(search->settings->seed, search->question.id),
                                          .group = search->group};
    struct grade_result result;
    *same = text_equal(a, b);
    if (*same) return CORD_OK;
    CORD_TRY(grader_grade(search->grader, &request, false, &result, search->arena, err));
    *same = result.verdict == CORD_EQUAL;
    return CORD_OK;
}

/* Counts each wrong answer for the first of its kind. */
static cord_status count_kinds(const struct search *search, const struct answered *answers, int n, int *counts,
                               cord_error *err) {
    for (int i = 0; i < n; i++) {
        if (answers[i].grade != GRADE_WRONG) continue;
        int kind = 0;
        for (bool same = false; kind < i; kind++) {
            if (counts[kind]) CORD_TRY(is_same(search, answers[kind].answer, answers[i].answer, &same, err));
            if (same) break;
        }
        counts[kind]++;
    }
    return CORD_OK;
}

static void add_guess(struct guesses *guesses, const struct answered *answer) {
    guesses->prompt_tokens += answer->prompt_tokens;
    guesses->cached_tokens += answer->cached_tokens;
    guesses->new_tokens += answer->new_tokens;
    if (answer->us > guesses->us) guesses->us = answer->us;
}

static cord_status prepare(const struct search *search, const struct spans *prompts, cord_text *contrast,
                           struct guesses *guesses, cord_error *err) {
    bool given = search->settings->strategy == STRATEGY_SELECTION;
    int n = given ? search->n_given : search->n_teachers * search->settings->contrast_samples;
    struct answered *answers = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *answers);
    int *counts = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *counts);
    if (!answers || !counts) return error_memory(err);
    CORD_TRY(given ? answer_given(search, answers, &n, err)
                   : answer_without_reasoning(search, prompts, search->settings->contrast_samples, answers, err));
    for (int i = 0; i < n; i++) add_guess(&guesses[answers[i].trajectory.author], &answers[i]);
    CORD_TRY(count_kinds(search, answers, n, counts, err));
    uint64_t seed = seed_mix(seed_text(search->settings->seed, search->question.id), CONTRAST_STREAM), best_tie = 0;
    int best = 0;
    for (int i = 0; i < n; i++) {
        uint64_t tie = seed_text(seed, answers[i].answer);
        if (counts[i] < best || !counts[i] || (counts[i] == best && tie >= best_tie)) continue;
        best = counts[i];
        best_tie = tie;
        *contrast = answers[i].answer;
    }
    return CORD_OK;
}

static cord_status score(const struct search *search, struct spans prompt, struct scored *items, int n,
                         cord_error *err) {
    bool both = search->contrast.len > 0;
    struct scored *pairs = arena_alloc(search->arena, (size_t)(2 * n + 1) * sizeof *pairs);
    if (!pairs) return error_memory(err);
    for (int i = 0; i < n; i++) {
        pairs[i] = pairs[n + i] = (struct scored){.reasoning = items[i].reasoning};
        pairs[n + i].target = search->contrast;
    }
    CORD_TRY(score_targets(search, search->meta_prover, prompt, pairs, both ? 2 * n : n, err));
    for (int i = 0; i < n; i++) {
        const struct scored *right = &pairs[i], *wrong = &pairs[n + i]; /* zero where there is none */
        items[i].log_score = right->log_score - wrong->log_score;
        items[i].error = right->error.code != CORD_OK ? right->error : wrong->error;
        items[i].reasoning_tokens = right->reasoning_tokens;
        items[i].prompt_tokens = right->prompt_tokens + wrong->prompt_tokens;
        items[i].cached_tokens = right->cached_tokens + wrong->cached_tokens;
        items[i].us = right->us > wrong->us ? right->us : wrong->us;
    }
    return CORD_OK;
}

const struct criterion criterion_contrast = {
    .name = "contrast",
    .what = "S of the gold answer over S of the commonest wrong one",
    .knows_gold = true,
    .word = "log ratio",
    .shown_as = SHOWN_LOG,
    .noises = 2,
    .score = score,
    .prepare = prepare,
};
