/* predictive_perplexity.c - the criterion: how well a reasoning predicts the known answer (section 4.2, eq. 3).
 *
 * The scored text is the meta-prover's own prompt, the reasoning with its trailing blanks cut, then
 * " </think> The final answer is {target}."; only the target's tokens count. It must not know beams. */
#include "search/search.h"

#include <math.h>

cord_status score_reasonings(const struct search *search, struct spans prompt, struct scored *items, int n,
                             cord_error *err) {
    const struct meta_prover *meta = search->meta_prover;
    const struct prompt_style *style = meta->prompt.style;
    cord_scoring *requests = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *requests);
    if (!requests) return error_memory(err);
    for (int i = 0; i < n; i++)
        requests[i] = (cord_scoring){
            .model = meta->model,
            .prompt = prompt.span,
            .n_spans = prompt.n,
            .reasoning = text_trim_end(items[i].reasoning),
            .opening = {style->score_open, true},
            .target = {search->target, false},
            .closing = {style->score_close, true},
            .group = search->group,
            .reuse = meta->reuse,
        };
    cord_status status = cord_score(search->engine, requests, n, err);
    for (int i = 0; i < n; i++) {
        const cord_scoring *request = &requests[i];
        bool good = status == CORD_OK && request->error.code == CORD_OK;
        items[i].log_score = good ? request->log_score : (double)NAN;
        items[i].error = request->error;
        items[i].reasoning_tokens = request->reasoning_tokens;
        items[i].prompt_tokens = request->prompt_tokens;
        items[i].cached_tokens = request->cached_tokens;
        items[i].us = request->us;
        if (status == CORD_OK && is_models_own(request->error.code)) {
            status = request->error.code;
            if (err) *err = request->error;
        }
        cord_scoring_release(&requests[i]);
    }
    return status;
}
