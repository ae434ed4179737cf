/* score.c - the likelihood of a text after another one, in one model's tokens (section 4.2 of the paper, eq. 3).
 * It must not know what the texts are for. */
#include "model/local/local.h"

#include <math.h>
#include <stdlib.h>

/* The tokens that overlap bytes [from, to): [*first, *behind). */
static void overlap(const struct tokens *tokens, size_t from, size_t to, int *first, int *behind) {
    *first = 0;
    while (*first < tokens->n && (size_t)tokens->end[*first] <= from) ++*first;
    *behind = *first;
    while (*behind < tokens->n && (*behind ? (size_t)tokens->end[*behind - 1] : 0) < to) ++*behind;
}

/* Prefills tokens [from, behind - 1) and reads the log-probability of tokens [first, behind). */
static cord_status measure(struct local_model *model, int sequence, const struct tokens *tokens, int from, int first,
                           int behind, double *logprob, cord_error *err) {
    struct lane *lane = model->lane;
    int n_vocab = llama_vocab_n_tokens(model->vocab);
    struct row rows[LANE_WIDTH];
    for (int at = from; at < behind - 1; at += LANE_WIDTH) {
        int n = behind - 1 - at < LANE_WIDTH ? behind - 1 - at : LANE_WIDTH;
        for (int i = 0; i < n; i++) rows[i] = (struct row){sequence, tokens->id[at + i], at + i, at + i >= first - 1};
        CORD_TRY(lane_decode(lane, rows, n, false, err));
        for (int i = 0; i < n; i++)
            if (rows[i].logits)
                logprob[at + i + 1 - first] = sample_logprob(lane_logits(lane, i), n_vocab, tokens->id[at + i + 1]);
    }
    return CORD_OK;
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

static cord_status score_tokens(struct local_model *model, cord_scoring *request, const struct tokens *tokens,
                                size_t reasoning, size_t opening, size_t target, size_t closing, cord_error *err) {
    int first, behind, sequence, cached;
    overlap(tokens, target, closing, &first, &behind);
    if (first == 0)
        return error_set(err, CORD_BAD_INPUT,
                         "nothing stands before the target: a model needs at least one token to predict from");
    CORD_TRY(tokens_fit(model, behind, 0, err));
    int n = behind - first;
    request->logprob = malloc((size_t)n * sizeof *request->logprob);
    request->token = pieces_of(model, tokens, first, n);
    if (!request->logprob || !request->token) return error_memory(err);

    CORD_TRY(lane_take(model->lane, tokens->id, first, request->group, true, &sequence, &cached, err));
    cord_status status = measure(model, sequence, tokens, cached, first, behind, request->logprob, err);
    /* the step stays: it is the next round's prefix; what was put behind it for this question goes */
    int keep = 0;
    while (keep < tokens->n && (size_t)tokens->end[keep] <= opening) keep++;
    lane_trim(model->lane, sequence, keep);
    lane_give(model->lane, sequence);
    CORD_TRY(status);

    double sum = 0;
    for (int i = 0; i < n; i++) sum += request->logprob[i];
    request->n_tokens = n;
    request->log_score = sum / n;
    request->score = exp(request->log_score);
    request->prompt_tokens = behind - 1;
    request->cached_tokens = cached;
    request->reasoning_tokens = 0;
    for (int i = 0; i < tokens->n; i++) {
        size_t begin = i ? (size_t)tokens->end[i - 1] : 0;
        request->reasoning_tokens += begin >= reasoning && begin < opening;
    }
    atomic_fetch_add(&model->base.usage.scored_tokens, behind - 1 - cached);
    atomic_fetch_add(&model->base.usage.cached_tokens, cached);
    return CORD_OK;
}

static cord_status score_one(struct local_model *model, cord_scoring *request, cord_error *err) {
    if (request->target.text.len == 0) return error_set(err, CORD_BAD_INPUT, "the target is empty");
    cord_span *spans = calloc((size_t)request->n_spans + 4, sizeof *spans);
    if (!spans) return error_memory(err);
    int n = request->n_spans;
    size_t before = 0;
    for (int i = 0; i < n; i++) {
        spans[i] = request->prompt[i];
        before += spans[i].text.len;
    }
    spans[n++] = (cord_span){request->reasoning, false};
    spans[n++] = request->opening;
    spans[n++] = request->target;
    spans[n++] = request->closing;
    size_t opening = before + request->reasoning.len, target = opening + request->opening.text.len;

    struct tokens tokens;
    cord_status status = tokens_of(model, spans, n, &tokens, err);
    free(spans);
    CORD_TRY(status);
    status = score_tokens(model, request, &tokens, before, opening, target, target + request->target.text.len, err);
    tokens_release(&tokens);
    return status;
}

cord_status local_score(struct local_model *model, cord_scoring *request, cord_error *err) {
    int64_t start = clock_us();
    request->error = (cord_error){0};
    cord_status status = score_one(model, request, &request->error);
    request->us = clock_us() - start;
    atomic_fetch_add(&model->base.usage.score_us, request->us);
    if (status != CORD_OK) cord_scoring_release(request);
    if (status != CORD_CANCELLED && status != CORD_INTERNAL) return CORD_OK; /* this row's own failure */
    if (err) *err = request->error;
    return status;
}
