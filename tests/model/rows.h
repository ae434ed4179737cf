/* rows.h - scores of texts that grow out of each other, compared with a fresh context's (reference.h). What the texts are
 * is the test's; they are told in a line each. */
#ifndef CORD_TEST_ROWS_H
#define CORD_TEST_ROWS_H

#include "reference.h"

enum { ROW_TOKENS = 1024, ROW_TARGET = 48, ROW_CALL = 32 };

/* A text of sentences about `topic`, which differs from another topic's from the first word on; those from `turn` on are
 * others than its siblings'. What is told of it: two sentences of prompt, the rest reasoning. A topic is a group. */
struct row {
    char topic;
    int turn, length;
    const char *target;
    struct buf prompt, reasoning; /* by rows_write */
};
#define ROW(t, u, l, a) \
    { .topic = (t), .turn = (u), .length = (l), .target = (a) }
#define ROW_OPENING " So the answer is "
#define ROW_CLOSING "."

static inline struct buf row_sentences(char topic, int from, int to, int turn) {
    struct buf b;
    buf_init(&b, "a long text", 1 << 16);
    for (int i = from; i < to; i++)
        buf_addf(&b, "%c%d: In the %s box are %d pears%s", topic, i, i % 3 ? "red" : "other",
                 7 * i + (i >= turn ? 5 : 3), i % 4 == 3 ? ".\n\n### Step\n" : " and stones. ");
    return b;
}

static inline void rows_write(struct row *rows, int n) {
    for (int i = 0; i < n; i++) {
        rows[i].prompt = row_sentences(rows[i].topic, 0, 2, 99);
        rows[i].reasoning = row_sentences(rows[i].topic, 2, rows[i].length, rows[i].turn);
    }
}

static inline void rows_release(struct row *rows, int n) {
    for (int i = 0; i < n; i++) {
        buf_release(&rows[i].prompt);
        buf_release(&rows[i].reasoning);
    }
}

/* ---- what a fresh context finds ------------------------------------------------------------------------------ */

struct row_expected {
    int first, behind; /* tokens of the target */
    double logprob[ROW_TARGET];
};

/* Finds the target's tokens by bytes in the whole text's. */
static inline void row_tokens(const struct reference *ref, const struct row *row, llama_token id[ROW_TOKENS],
                              struct row_expected *e) {
    struct buf whole;
    buf_init(&whole, "a row", 1 << 16);
    buf_addf(&whole, "%s%s%s%s%s", row->prompt.data, row->reasoning.data, ROW_OPENING, row->target, ROW_CLOSING);
    size_t to = whole.len - strlen(ROW_CLOSING), from = to - strlen(row->target);
    int n = reference_tokens(ref, buf_text(&whole), false, id, 0, ROW_TOKENS);
    *e = (struct row_expected){0};
    assert_int_equal(reference_overlap(ref, id, n, from, to, &e->first, &e->behind), whole.len);
    buf_release(&whole);
    assert_in_range(e->behind - e->first, 1, ROW_TARGET);
}

static inline void rows_expect(const struct reference *ref, const struct row *rows, int n, int threads,
                               struct row_expected *expected) {
    for (int i = 0; i < n; i++) {
        struct row_expected *e = &expected[i];
        llama_token id[ROW_TOKENS] = {0};
        row_tokens(ref, &rows[i], id, e);
        reference_measure(ref, id, e->first, e->behind, 0, threads, e->logprob);
    }
}

/* ---- what the engine finds ----------------------------------------------------------------------------------- */

/* How much the log-probability of one token may differ, and what was seen of it. */
struct row_sums {
    double limit, worst, total;
    int tokens, cached;
};

static inline void row_compare(const cord_scoring *got, const struct row_expected *e, struct row_sums *sums) {
    const char *name = cord_model_get_info(got->model)->name;
    if (got->error.code != CORD_OK) fail_msg("%s: %s", name, got->error.message);
    assert_int_equal(got->n_tokens, e->behind - e->first);
    for (int t = 0; t < got->n_tokens; t++) {
        double off = fabs(got->logprob[t] - e->logprob[t]);
        if (off > sums->limit)
            fail_msg("%s: token %d of '%s' has %f, and should have %f; %d of %d tokens were cached", name, t,
                     got->target.text.data, got->logprob[t], e->logprob[t], got->cached_tokens, got->prompt_tokens);
        sums->worst = fmax(sums->worst, off);
        sums->total += off;
        sums->tokens++;
    }
    sums->cached += got->cached_tokens;
}

/* Scores rows from..to, in that order (backwards where `to` lies below), in calls of `chunk`. */
static inline void rows_score(cord_engine *engine, const cord_model *model, const struct row *rows,
                              const struct row_expected *expected, int from, int to, int chunk, struct row_sums *sums) {
    int step = to < from ? -1 : 1, left = abs(to - from) + 1;
    assert_in_range(chunk, 1, ROW_CALL);
    for (int at = from; left > 0; left -= chunk, at += step * chunk) {
        cord_scoring requests[ROW_CALL];
        cord_span prompts[ROW_CALL];
        int n = left < chunk ? left : chunk;
        for (int i = 0; i < n; i++) {
            const struct row *row = &rows[at + step * i];
            prompts[i] = (cord_span){buf_text(&row->prompt), true};
            requests[i] = (cord_scoring){.model = model,
                                         .prompt = &prompts[i],
                                         .n_spans = 1,
                                         .reasoning = buf_text(&row->reasoning),
                                         .opening = {TEXT(ROW_OPENING), true},
                                         .target = {text_of(row->target), true},
                                         .closing = {TEXT(ROW_CLOSING), true},
                                         .group = (uint64_t)row->topic};
        }
        assert_ok(cord_score(engine, requests, n, err));
        for (int i = 0; i < n; i++) {
            row_compare(&requests[i], &expected[at + step * i], sums);
            cord_scoring_release(&requests[i]);
        }
    }
}

static inline void rows_forget(cord_engine *engine, const char *topics) {
    for (; *topics; topics++) cord_forget(engine, (uint64_t)*topics);
}

static inline void rows_report(const char *name, const struct row_sums *sums) {
    printf("%s: difference of a token: mean %.5f, worst %.4f (%d tokens, %d prompt tokens cached)\n", name,
           sums->total / sums->tokens, sums->worst, sums->tokens, sums->cached);
}

#endif
