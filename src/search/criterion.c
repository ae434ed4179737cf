/* criterion.c - the table of criteria, and what they share. It must not know which strategy asks. */
#include "search/criterion.h"

#include <math.h>

extern const struct criterion criterion_predictive_perplexity, criterion_random, criterion_longest, criterion_judge,
    criterion_prm, criterion_contrast, criterion_masked;

/* A new criterion is its file, its name above, and a line in both lists. */
const struct criterion *const criteria[] = {
    &criterion_predictive_perplexity,
    &criterion_random,
    &criterion_longest,
    &criterion_judge,
    &criterion_prm,
    &criterion_contrast,
    &criterion_masked,
    NULL,
};
const char *const criterion_names[] = {
    "predictive-perplexity", "random", "longest", "judge", "prm", "contrast", "masked", NULL};

const struct criterion *criterion_of(const struct search *search) {
    const struct criterion *criterion = search->settings->criterion;
    return criterion ? criterion : criteria[0];
}

const struct criterion *criterion_named(cord_text name) {
    int place = text_place(name, criterion_names);
    return criteria[place < 0 ? 0 : place];
}

double score_shown(const struct criterion *criterion, double log_score) {
    double shown = criterion->shown_as == SHOWN_LOG ? log_score : exp(log_score);
    return criterion->shown_as == SHOWN_COUNT ? round(shown) : shown;
}

const char *score_text(const struct criterion *criterion, double shown, int decimals, char out[SCORE_TEXT]) {
    if (isnan(shown)) return "-"; /* it could not be scored */
    if (criterion->shown_as == SHOWN_COUNT) decimals = fabs(shown - round(shown)) < 1e-6 ? 0 : 1;
    snprintf(out, SCORE_TEXT, criterion->shown_as == SHOWN_LOG ? "%+.*f" : "%.*f", decimals, shown);
    return out;
}

const char *scores_text(const struct criterion *criterion, double shown, double pp, double s0, char out[SCORES_TEXT]) {
    const char *score = score_text(criterion, shown, 3, (char[SCORE_TEXT]){0});
    if (shows_likelihoods(criterion))
        snprintf(out, SCORES_TEXT, "%s %s (S0 %.3f)", criterion->word, score, s0);
    else if (isnan(pp))
        snprintf(out, SCORES_TEXT, "%s %s", criterion->word, score);
    else
        snprintf(out, SCORES_TEXT, "%s %s, PP %.3f (S0 %.3f)", criterion->word, score, pp, s0);
    return out;
}

cord_status score_reasonings(const struct search *search, struct spans prompt, struct scored *items, int n,
                             cord_error *err) {
    for (int i = 0; i < n; i++) items[i].log_score = (double)NAN;
    return criterion_of(search)->score(search, prompt, items, n, err);
}

void scored_take(struct scored *item, const cord_scoring *request, bool good) {
    item->log_score = good && request->error.code == CORD_OK ? request->log_score : (double)NAN;
    if (item->error.code == CORD_OK) item->error = request->error;
    item->prompt_tokens += request->prompt_tokens;
    item->cached_tokens += request->cached_tokens;
    if (request->us > item->us) item->us = request->us; /* they ran side by side */
}

cord_status count_scored(const struct search *search, struct scored *items, int n, cord_error *err) {
    cord_span *texts = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *texts);
    struct scored **whose = arena_alloc(search->arena, (size_t)(n + 1) * sizeof(struct scored *));
    cord_counting *counted = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *counted);
    if (!texts || !whose || !counted) return error_memory(err);
    int count = 0;
    for (int i = 0; i < n; i++) {
        texts[count] = (cord_span){text_trim_end(items[i].reasoning), false};
        if (!texts[count].text.len) continue;
        counted[count] = (cord_counting){.spans = &texts[count], .n_spans = 1, .group = search->group};
        whose[count++] = &items[i];
    }
    if (count) CORD_TRY(cord_count(search->meta_prover->model, counted, count, err));
    for (int i = 0; i < count; i++) {
        whose[i]->reasoning_tokens = counted[i].tokens;
        if (counted[i].error.code == CORD_OK) continue;
        CORD_TRY(error_models_own(&counted[i].error, err));
        if (whose[i]->error.code == CORD_OK) whose[i]->error = counted[i].error;
        whose[i]->log_score = (double)NAN;
    }
    return CORD_OK;
}

cord_status prompt_of_scorer(const struct search *search, const struct meta_prover *who, struct spans prompt,
                             struct spans *out, cord_error *err) {
    *out = prompt;
    if (who->model == search->meta_prover->model) return CORD_OK;
    return prompt_render(&who->prompt, &search->question, search->arena, out, err);
}
