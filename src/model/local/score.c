/* score.c - a job that measures: the likelihood of a text after another one, in one model's tokens (section 4.2 of the
 * paper, eq. 3). It must not know what the texts are for, nor with whom it shares a batch. */
#include "model/local/local.h"

#include <math.h>
#include <stdlib.h>

struct measuring {
    cord_scoring *request;
    int first, behind; /* the target's tokens: [first, behind) */
};

/* The tokens that overlap bytes [from, to): [*first, *behind). */
static void overlap(const struct tokens *tokens, size_t from, size_t to, int *first, int *behind) {
    *first = 0;
    while (*first < tokens->n && (size_t)tokens->end[*first] <= from) ++*first;
    *behind = *first;
    while (*behind < tokens->n && (*behind ? (size_t)tokens->end[*behind - 1] : 0) < to) ++*behind;
}

/* The pieces of tokens [first, first + n), in one block that begins with the array itself. */
static cord_text *pieces_of(const struct local_model *model, const struct tokens *tokens, int first, int n) {
    struct buf bytes;
    buf_init(&bytes, "the text of some tokens", 1 << 24);
    for (int i = 0; i < n; i++) token_piece(model, tokens->id[first + i], &bytes);
    cord_text *pieces = bytes.status == CORD_OK ? malloc((size_t)n * sizeof *pieces + bytes.len + 1) : NULL;
    if (pieces) {
        char *copy = (char *)(pieces + n);
        memcpy(copy, bytes.data, bytes.len);
        int start = first ? tokens->end[first - 1] : 0;
        for (int i = 0; i < n; i++) {
            int from = first + i ? tokens->end[first + i - 1] : 0;
            pieces[i] = (cord_text){copy + (from - start), (size_t)(tokens->end[first + i] - from)};
        }
    }
    buf_release(&bytes);
    return pieces;
}

/* Finds the target's tokens, and what of the text will be asked for again: `reasoning`, `opening`, `target` and `closing`
 * are the bytes at which these parts begin. */
static cord_status locate(const struct local_model *model, struct job *job, size_t reasoning, size_t opening,
                          size_t target, size_t closing, cord_error *err) {
    struct measuring *m = job->measuring;
    cord_scoring *request = m->request;
    const struct tokens *tokens = &job->tokens;
    overlap(tokens, target, closing, &m->first, &m->behind);
    if (m->first == 0) return nothing_before(target, err);
    CORD_TRY(tokens_fit(model, m->behind, 0, err));
    request->n_tokens = m->behind - m->first;
    request->prompt_tokens = job->n = m->behind - 1;
    request->logprob = malloc((size_t)request->n_tokens * sizeof *request->logprob);
    request->token = pieces_of(model, tokens, m->first, request->n_tokens);
    if (!request->logprob || !request->token) return error_memory(err);
    /* one more than is asked for: a single row, or a single row's logits, would be computed by other kernels (accelerator.c),
     * and so depend on what shares its batch and on what was cached */
    job->read = m->first > 1 ? m->first - 2 : 0;
    /* the step stays, since it is the next round's prefix; what was put behind it for this question goes */
    while (job->keep < tokens->n && (size_t)tokens->end[job->keep] <= opening) job->keep++;
    if (job->keep > job->read) job->keep = job->read;
    job->tip = job->keep;
    request->reasoning_tokens = 0;
    for (int i = 0; i < tokens->n; i++) {
        size_t begin = i ? (size_t)tokens->end[i - 1] : 0;
        request->reasoning_tokens += begin >= reasoning && begin < opening;
    }
    return CORD_OK;
}

cord_status measuring_begin(const struct local_model *model, cord_scoring *request, struct job *job) {
    cord_error *err = &request->error;
    *err = (cord_error){0};
    struct measuring *m = job->measuring = calloc(1, sizeof *m);
    if (!m) return error_memory(err);
    m->request = request;
    if (request->target.text.len == 0) return error_set(err, CORD_BAD_INPUT, "the target is empty");
    cord_span *spans = calloc((size_t)request->n_spans + 4, sizeof *spans);
    if (!spans) return error_memory(err);
    int n = request->n_spans;
    size_t reasoning = 0;
    for (int i = 0; i < n; i++) {
        spans[i] = request->prompt[i];
        reasoning += spans[i].text.len;
    }
    spans[n++] = (cord_span){request->reasoning, false};
    spans[n++] = request->opening;
    spans[n++] = request->target;
    spans[n++] = request->closing;
    size_t opening = reasoning + request->reasoning.len, target = opening + request->opening.text.len;
    cord_status status = tokens_of(model, spans, n, &job->tokens, err);
    free(spans);
    CORD_TRY(status);
    return locate(model, job, reasoning, opening, target, target + request->target.text.len, err);
}

bool measuring_take(struct job *job, int index, const float *logits) {
    const struct measuring *m = job->measuring;
    if (index + 1 < m->first) return false;
    llama_token token = job->tokens.id[index + 1];
    double logprob = sample_logprob(logits, llama_vocab_n_tokens(job->model->vocab), token);
    m->request->logprob[index + 1 - m->first] = logprob;
    if (isnan(logprob)) return no_numbers(job->model, &m->request->error), true;
    return index + 1 == m->behind - 1;
}

bool measuring_same(const struct job *a, const struct job *b) {
    const struct measuring *x = a->measuring, *y = b->measuring;
    return a->model == b->model && a->reuses == b->reuses && x->first == y->first && x->behind == y->behind &&
           tokens_common(a->tokens.id, a->tokens.n, b->tokens.id, b->tokens.n) >= x->behind;
}

void measuring_copy(struct job *to, const struct job *from) {
    const cord_scoring *source = from->measuring->request;
    cord_scoring *request = to->measuring->request;
    request->error = source->error;
    if (source->error.code != CORD_OK) return;
    memcpy(request->logprob, source->logprob, (size_t)source->n_tokens * sizeof *source->logprob);
    to->cached = to->n; /* nothing was computed for it */
}

void measuring_end(struct job *job) {
    if (!job->measuring) return;
    cord_scoring *request = job->measuring->request;
    if (request->error.code == CORD_OK) {
        double sum = 0;
        for (int i = 0; i < request->n_tokens; i++) sum += request->logprob[i];
        request->log_score = sum / request->n_tokens;
        request->score = exp(request->log_score);
        request->cached_tokens = job->cached;
    } else {
        scoring_drop(request);
    }
    request->us = clock_us() - job->began;
    free(job->measuring);
    job->measuring = NULL;
}
