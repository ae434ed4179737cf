/* propose.c - a job that writes: it takes tokens from its logits until the text ends. It must not know what the text is
 * for, nor with whom it shares a batch. */
#include "model/local/local.h"

#include <stdlib.h>

enum { TEXT_LIMIT = 16 << 20 };

struct writing {
    cord_proposal *request;
    int n_prompt;
    struct rng rng;
    struct buf text; /* what was written, as bytes, stop strings included */
    size_t longest_stop;
};

/* Where the first stop string begins that ends behind `from`; -1 for none. Stop strings may begin inside a token. */
static ptrdiff_t find_stop(const struct writing *w, size_t from, int *which) {
    size_t start = from > w->longest_stop ? from - w->longest_stop : 0;
    cord_text tail = text_slice(buf_text(&w->text), start, w->text.len);
    ptrdiff_t first = -1;
    for (int s = 0; s < w->request->n_stops; s++) {
        ptrdiff_t at = text_find(tail, w->request->stops[s]);
        if (at >= 0 && (first < 0 || at < first)) first = at, *which = s;
    }
    return first < 0 ? -1 : first + (ptrdiff_t)start;
}

/* The text is whole: its first `len` bytes. */
static bool end_text(struct job *job, cord_end end, int stop, size_t len) {
    struct writing *w = job->writing;
    cord_proposal *request = w->request;
    request->end = end;
    request->stop = stop;
    request->new_tokens = job->tokens.n - w->n_prompt;
    request->text = utf8_mend(text_slice(buf_text(&w->text), 0, len), &request->len);
    if (!request->text) (void)error_memory(&request->error);
    return true;
}

/* A control token ends the turn, unless it is (part of) what the caller waits for, as "</think>" is in some models. */
static bool ends_turn(const struct local_model *model, const struct writing *w, llama_token token, cord_text piece) {
    if (llama_vocab_is_eog(model->vocab, token)) return true;
    if (!llama_vocab_is_control(model->vocab, token)) return false;
    for (int s = 0; s < w->request->n_stops; s++)
        if (text_find(piece, w->request->stops[s]) >= 0) return false;
    return true;
}

bool writing_take(struct job *job, float *logits, struct buf *scratch) {
    const struct local_model *model = job->model;
    struct writing *w = job->writing;
    cord_proposal *request = w->request;
    size_t before = w->text.len;
    llama_token token = sample_token(logits, llama_vocab_n_tokens(model->vocab), job->tokens.id, job->tokens.n,
                                     &request->sampling, &w->rng, scratch);
    if (token == LLAMA_TOKEN_NULL) return no_numbers(model, &request->error), true;
    token_piece(model, token, &w->text);
    if (!tokens_append(&job->tokens, token)) w->text.status = CORD_NO_MEMORY;
    if (buf_check(&w->text, &request->error) != CORD_OK) return true;
    if (ends_turn(model, w, token, text_slice(buf_text(&w->text), before, w->text.len)))
        return end_text(job, CORD_END_TURN, -1, before);
    int stop = -1;
    ptrdiff_t at = find_stop(w, before, &stop);
    if (at >= 0) return end_text(job, CORD_END_STOP, stop, (size_t)at);
    bool last = job->tokens.n - w->n_prompt >= request->max_tokens || job->tokens.n >= model->context;
    if (last) return end_text(job, CORD_END_LENGTH, -1, w->text.len);
    job->n = job->keep = job->tokens.n;
    job->read = job->n - 1;
    return false;
}

cord_status writing_begin(const struct local_model *model, cord_proposal *request, struct job *job) {
    cord_error *err = &request->error;
    *err = (cord_error){0};
    request->stop = -1;
    struct writing *w = job->writing = calloc(1, sizeof *w);
    if (!w) return error_memory(err);
    w->request = request;
    buf_init(&w->text, "a continuation", TEXT_LIMIT);
    rng_init(&w->rng, request->sampling.seed);
    for (int s = 0; s < request->n_stops; s++)
        if (request->stops[s].len > w->longest_stop) w->longest_stop = request->stops[s].len;
    CORD_TRY(tokens_of(model, request->prompt, request->n_spans, &job->tokens, err));
    if (job->tokens.n == 0) return error_set(err, CORD_BAD_INPUT, "the prompt is empty");
    CORD_TRY(tokens_fit(model, job->tokens.n, 1, err));
    w->n_prompt = request->prompt_tokens = job->n = job->keep = job->tokens.n;
    job->read = job->tip = job->n - 1;
    job->more = request->max_tokens < model->context - job->n ? request->max_tokens : model->context - job->n;
    return CORD_OK;
}

void writing_end(struct job *job) {
    struct writing *w = job->writing;
    if (!w) return;
    w->request->cached_tokens = job->cached > 0 ? job->cached : 0;
    w->request->us = clock_us() - job->began;
    if (w->request->error.code != CORD_OK) proposal_drop(w->request);
    buf_release(&w->text);
    free(w);
    job->writing = NULL;
}
