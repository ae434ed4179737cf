/* predictive_perplexity.c - the paper's criterion: how well a reasoning predicts the known answer (section 4.2, eq. 3).
 *
 * The scored text is the scorer's own prompt, the reasoning with its trailing blanks cut, then
 * " </think> The final answer is {target}."; only the target's tokens count. It must not know beams. */
#include "search/criterion.h"

#include <math.h>

cord_status score_targets(const struct search *search, const struct meta_prover *scorer, struct spans prompt,
                          struct scored *items, int n, cord_error *err) {
    const struct prompt_style *style = scorer->prompt.style;
    cord_scoring *requests = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *requests);
    if (!requests) return error_memory(err);
    for (int i = 0; i < n; i++)
        requests[i] = (cord_scoring){
            .model = scorer->model,
            .prompt = prompt.span,
            .n_spans = prompt.n,
            .reasoning = text_trim_end(items[i].reasoning),
            .opening = {style->score_open, true},
            .target = {items[i].target.len ? items[i].target : search->target, false},
            .closing = {style->score_close, true},
            .group = search->group,
            .others_go_on = search->others_go_on,
            .reuse = scorer->reuse,
        };
    cord_status status = cord_score(search->engine, requests, n, err);
    for (int i = 0; i < n; i++) {
        scored_take(&items[i], &requests[i], status == CORD_OK);
        items[i].reasoning_tokens = requests[i].reasoning_tokens;
        if (status == CORD_OK) status = error_models_own(&requests[i].error, err);
        cord_scoring_release(&requests[i]);
    }
    return status;
}

static cord_status score(const struct search *search, struct spans prompt, struct scored *items, int n,
                         cord_error *err) {
    return score_targets(search, search->meta_prover, prompt, items, n, err);
}

const struct criterion criterion_predictive_perplexity = {
    .name = "predictive-perplexity",
    .what = "S, the meta-prover's likelihood of the gold answer",
    .knows_gold = true,
    .word = "S",
    .shown_as = SHOWN_S,
    .noises = 1,
    .unit = true,
    .score = score,
};
