/* propose.c - writes many continuations at once: prompts are prefilled on what they share, then every step of the loop
 * decodes one token of each text that is still being written. It must not know what the texts are for. */
#include "model/local/local.h"

#include <stdlib.h>

enum { TEXT_LIMIT = 16 << 20 };

enum stage {
    WAITING, /* for room in the cache */
    WRITING,
    ENDED,
};

/* A request while it is worked on. */
struct writing {
    cord_proposal *request;
    enum stage stage;
    struct tokens tokens; /* the prompt and all that was written; `end` is kept for the prompt alone */
    int n_prompt, sequence;
    struct rng rng;
    struct buf text; /* what was written, as bytes, stop strings included */
    size_t longest_stop;
};

/* ---- one text ------------------------------------------------------------------------------------------------ */

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

/* Bytes that are no UTF-8 become U+FFFD; a character cut off at the end goes. */
static cord_status whole_characters(cord_text bytes, char **text, size_t *len, cord_error *err) {
    struct buf out;
    buf_init(&out, "a continuation", TEXT_LIMIT);
    while (bytes.len) {
        size_t good = utf8_valid_prefix(bytes);
        buf_add(&out, text_slice(bytes, 0, good));
        bytes = text_slice(bytes, good, bytes.len);
        if (bytes.len == 0 || utf8_incomplete(bytes)) break;
        buf_add(&out, TEXT("\xEF\xBF\xBD"));
        bytes = text_slice(bytes, 1, bytes.len);
    }
    cord_status status = buf_check(&out, err);
    *len = out.len;
    *text = status == CORD_OK ? malloc(out.len + 1) : NULL;
    if (*text) memcpy(*text, out.data, out.len + 1);
    buf_release(&out);
    return status != CORD_OK ? status : *text ? CORD_OK : error_memory(err);
}

/* The request is done with: text up to byte `len`. */
static void end_writing(struct lane *lane, struct writing *w, cord_end end, int stop, size_t len, int64_t start) {
    cord_proposal *request = w->request;
    request->end = end;
    request->stop = stop;
    request->new_tokens = w->tokens.n - w->n_prompt;
    request->us = clock_us() - start;
    if (w->sequence >= 0) lane_give(lane, w->sequence);
    w->sequence = -1;
    w->stage = ENDED;
    whole_characters(text_slice(buf_text(&w->text), 0, len), &request->text, &request->len, &request->error);
}

static void fail_writing(struct lane *lane, struct writing *w) {
    if (w->sequence >= 0) lane_give(lane, w->sequence);
    w->sequence = -1;
    w->stage = ENDED;
}

/* A control token ends the turn, unless it is (part of) what the caller waits for, as "</think>" is in some models. */
static bool ends_turn(const struct local_model *model, const struct writing *w, llama_token token, cord_text piece) {
    if (llama_vocab_is_eog(model->vocab, token)) return true;
    if (!llama_vocab_is_control(model->vocab, token)) return false;
    for (int s = 0; s < w->request->n_stops; s++)
        if (text_find(piece, w->request->stops[s]) >= 0) return false;
    return true;
}

static bool append(struct tokens *tokens, llama_token token) {
    if (tokens->n == tokens->cap) {
        int cap = 2 * tokens->cap + 64;
        llama_token *id = realloc(tokens->id, (size_t)cap * sizeof *id);
        if (!id) return false;
        tokens->id = id;
        tokens->cap = cap;
    }
    tokens->id[tokens->n++] = token;
    return true;
}

/* Takes the next token of a text from its logits, and ends the text where it ends. */
static cord_status write_token(struct local_model *model, struct writing *w, float *logits, struct buf *scratch,
                               int64_t start, cord_error *err) {
    cord_proposal *request = w->request;
    size_t before = w->text.len;
    llama_token token = sample_token(logits, llama_vocab_n_tokens(model->vocab), w->tokens.id, w->tokens.n,
                                     &request->sampling, &w->rng, scratch);
    token_piece(model, token, &w->text);
    if (!append(&w->tokens, token)) return error_memory(err);
    CORD_TRY(buf_check(&w->text, err));

    int written = w->tokens.n - w->n_prompt, stop = -1;
    if (ends_turn(model, w, token, text_slice(buf_text(&w->text), before, w->text.len))) {
        end_writing(model->lane, w, CORD_END_TURN, -1, before, start);
        return CORD_OK;
    }
    ptrdiff_t at = find_stop(w, before, &stop);
    if (at >= 0)
        end_writing(model->lane, w, CORD_END_STOP, stop, (size_t)at, start);
    else if (written >= request->max_tokens || w->tokens.n >= model->context)
        end_writing(model->lane, w, CORD_END_LENGTH, -1, w->text.len, start);
    return CORD_OK;
}

/* ---- all texts of a call ------------------------------------------------------------------------------------- */

/* Finds a place in the cache for a waiting text and prefills all of it but its last token. CORD_BUSY and CORD_TOO_LONG: no
 * room now. */
static cord_status admit(struct local_model *model, struct writing *w, cord_error *err) {
    struct lane *lane = model->lane;
    struct row rows[LANE_WIDTH];
    int cached, n = w->tokens.n;
    CORD_TRY(lane_take(lane, w->tokens.id, n, w->request->group, false, &w->sequence, &cached, err));
    for (int at = cached; at < n - 1; at += LANE_WIDTH) {
        int piece = n - 1 - at < LANE_WIDTH ? n - 1 - at : LANE_WIDTH;
        for (int i = 0; i < piece; i++) rows[i] = (struct row){w->sequence, w->tokens.id[at + i], at + i, false};
        cord_status status = lane_decode(lane, rows, piece, false, err);
        if (status != CORD_OK) {
            lane_give(lane, w->sequence);
            w->sequence = -1;
            return status;
        }
    }
    if (w->n_prompt == n) w->request->cached_tokens = cached;
    atomic_fetch_add(&model->base.usage.propose_prefill_tokens, n - 1 - cached);
    atomic_fetch_add(&model->base.usage.cached_tokens, cached);
    w->stage = WRITING;
    return CORD_OK;
}

/* Lets waiting texts in while there is room, and says where there is none: to try again before a text has ended would
 * prefill the same prompt in vain at every token. A text that finds no room although it is alone fails. */
static cord_status admit_all(struct local_model *model, struct writing *all, int n, bool *full, cord_error *err) {
    int writing = 0;
    for (int i = 0; i < n; i++) writing += all[i].stage == WRITING;
    for (int i = 0; i < n; i++) {
        if (all[i].stage != WAITING || writing == LANE_WIDTH) continue;
        cord_error why = {0};
        cord_status status = admit(model, &all[i], &why);
        if (status == CORD_OK) {
            writing++;
            continue;
        }
        if (status != CORD_BUSY && status != CORD_TOO_LONG) return err ? (*err = why, status) : status;
        if (writing) {
            *full = true; /* somebody will end and make room */
            break;
        }
        all[i].request->error = why;
        fail_writing(model->lane, &all[i]);
    }
    return CORD_OK;
}

/* Sends the last text that is being written back to wait: the cache cannot hold one more token of all. */
static bool park_one(struct lane *lane, struct writing *all, int n) {
    int last = -1, writing = 0;
    for (int i = 0; i < n; i++)
        if (all[i].stage == WRITING) last = i, writing++;
    if (writing < 2) return false;
    lane_give(lane, all[last].sequence);
    all[last].sequence = -1;
    all[last].stage = WAITING;
    return true;
}

/* One token more of every text. Returns with *alive = false when none is left. */
static cord_status write_row(struct local_model *model, struct writing *all, int n, struct buf *scratch, int64_t start,
                             bool *alive, bool *full, cord_error *err) {
    struct lane *lane = model->lane;
    struct row rows[LANE_WIDTH];
    struct writing *of[LANE_WIDTH];
    int n_rows = 0;
    for (int i = 0; i < n; i++) {
        if (all[i].stage != WRITING) continue;
        int at = all[i].tokens.n - 1;
        rows[n_rows] = (struct row){all[i].sequence, all[i].tokens.id[at], at, true};
        of[n_rows++] = &all[i];
    }
    *alive = n_rows > 0;
    if (n_rows == 0) return CORD_OK;
    cord_status status = lane_decode(lane, rows, n_rows, true, err);
    if (status == CORD_TOO_LONG) {
        *full = true;
        if (park_one(lane, all, n)) return CORD_OK;
        if (err) of[0]->request->error = *err;
        fail_writing(lane, of[0]);
        return CORD_OK;
    }
    CORD_TRY(status);
    atomic_fetch_add(&model->base.usage.proposed_tokens, n_rows);
    for (int i = 0; i < n_rows; i++) {
        CORD_TRY(write_token(model, of[i], lane_logits(lane, i), scratch, start, err));
        if (of[i]->stage == ENDED) *full = false; /* there may be room again for those that wait */
    }
    return CORD_OK;
}

static cord_status write_all(struct local_model *model, struct writing *all, int n, int64_t start, cord_error *err) {
    struct buf scratch;
    buf_init(&scratch, "the candidates for a token", 64 << 20);
    cord_status status = CORD_OK;
    bool alive = true, full = false;
    while (status == CORD_OK) {
        if (!full) status = admit_all(model, all, n, &full, err);
        if (status == CORD_OK) status = write_row(model, all, n, &scratch, start, &alive, &full, err);
        bool waiting = false;
        for (int i = 0; i < n; i++) waiting = waiting || all[i].stage == WAITING;
        if (!alive && !waiting) break;
        if (!alive) full = false;
    }
    buf_release(&scratch);
    return status;
}

static cord_status begin(const struct local_model *model, cord_proposal *request, struct writing *w, cord_error *err) {
    buf_init(&w->text, "a continuation", TEXT_LIMIT);
    rng_init(&w->rng, request->sampling.seed);
    for (int s = 0; s < request->n_stops; s++)
        if (request->stops[s].len > w->longest_stop) w->longest_stop = request->stops[s].len;
    CORD_TRY(tokens_of(model, request->prompt, request->n_spans, &w->tokens, err));
    if (w->tokens.n == 0) return error_set(err, CORD_BAD_INPUT, "the prompt is empty");
    CORD_TRY(tokens_fit(model, w->tokens.n, 1, err));
    if (request->max_tokens < 1) return error_set(err, CORD_INTERNAL, "a proposal of no tokens was asked for");
    w->n_prompt = request->prompt_tokens = w->tokens.n;
    return CORD_OK;
}

cord_status local_propose(struct local_model *model, cord_proposal **requests, int n, cord_error *err) {
    int64_t start = clock_us();
    struct writing *all = calloc((size_t)n, sizeof *all);
    if (!all) return error_memory(err);
    for (int i = 0; i < n; i++) {
        all[i] = (struct writing){.request = requests[i], .sequence = -1};
        requests[i]->error = (cord_error){0};
        requests[i]->stop = -1;
        if (begin(model, requests[i], &all[i], &requests[i]->error) != CORD_OK) all[i].stage = ENDED;
    }
    cord_status status = write_all(model, all, n, start, err);
    for (int i = 0; i < n; i++) {
        if (all[i].sequence >= 0) lane_give(model->lane, all[i].sequence);
        tokens_release(&all[i].tokens);
        buf_release(&all[i].text);
        if (status != CORD_OK) cord_proposal_release(requests[i]);
    }
    free(all);
    atomic_fetch_add(&model->base.usage.propose_us, clock_us() - start);
    return status;
}
