/* criterion.c - the table of criteria, and what they share. It must not know which strategy asks. */
#include "search/criterion.h"

#include "data/boundary.h"

#include <math.h>
#include <stdio.h>

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
    for (int i = 0; i < n; i++) {
        const cord_span span = {text_trim_end(items[i].reasoning), false};
        if (!span.text.len) continue;
        cord_error why = {0};
        cord_status status = cord_count_tokens(search->meta_prover->model, &span, 1, &items[i].reasoning_tokens, &why);
        if (status == CORD_OK) continue;
        if (status != CORD_BAD_INPUT && status != CORD_TOO_LONG) {
            if (err) *err = why;
            return status;
        }
        if (items[i].error.code == CORD_OK) items[i].error = why;
        items[i].log_score = (double)NAN;
    }
    return CORD_OK;
}

cord_status prompt_of_scorer(const struct search *search, const struct meta_prover *who, struct spans prompt,
                             struct spans *out, cord_error *err) {
    *out = prompt;
    if (who->model == search->meta_prover->model) return CORD_OK;
    return prompt_render(&who->prompt, &search->question, search->arena, out, err);
}

/* ---- the steps of a text ------------------------------------------------------------------------------------------ */

/* Where the marker of step `number` stands in `text` at the start of a line, or -1. */
static ptrdiff_t find_marker(const struct prompt_style *style, cord_text text, int number, size_t *len) {
    char marker[256];
    ptrdiff_t place = text_find(style->marker, TEXT("{n}"));
    cord_text head = place < 0 ? style->marker : text_slice(style->marker, 0, (size_t)place);
    cord_text tail = place < 0 ? (cord_text){"", 0} : text_slice(style->marker, (size_t)place + 3, style->marker.len);
    int bytes = place < 0 ? snprintf(marker, sizeof marker, "%.*s", (int)head.len, head.data)
                          : snprintf(marker, sizeof marker, "%.*s%d%.*s", (int)head.len, head.data, number,
                                     (int)tail.len, tail.data);
    *len = bytes > 0 && (size_t)bytes < sizeof marker ? (size_t)bytes : 0;
    for (size_t at = 0; *len && at < text.len;) {
        ptrdiff_t found = text_find(text_slice(text, at, text.len), (cord_text){marker, *len});
        if (found < 0) return -1;
        at += (size_t)found;
        if (at == 0 || text.data[at - 1] == '\n') return (ptrdiff_t)at;
        at++;
    }
    return -1;
}

/* Where the first step of `text`, which is number `number`, ends; all of it where no other follows. */
static size_t end_of_step(const struct prompt_style *style, cord_text text, int number) {
    ptrdiff_t end = -1;
    size_t len;
    switch (style->segmentation) {
    case SEGMENTATION_STEPS: end = find_marker(style, text, number + 1, &len); break;
    case SEGMENTATION_LINE_BREAK: end = boundary_line_break(text, false); break;
    case SEGMENTATION_PREFIX: end = boundary_prefix(style->prefixes, text, false, false); break;
    }
    return end > 0 ? (size_t)end : text.len;
}

cord_status split_reasoning(const struct prompt_style *style, cord_text reasoning, struct arena *arena,
                            struct stretch **out, int *n, cord_error *err) {
    int room = 1, number = 1;
    for (size_t at = 0; at < reasoning.len; number++, room++)
        at += end_of_step(style, text_slice(reasoning, at, reasoning.len), number);
    struct stretch *steps = arena_alloc(arena, (size_t)room * sizeof *steps);
    if (!steps) return error_memory(err);
    *n = 0;
    number = 1;
    for (size_t at = 0; at < reasoning.len; number++) {
        cord_text rest = text_slice(reasoning, at, reasoning.len);
        size_t end = end_of_step(style, rest, number), head = 0;
        if (style->segmentation == SEGMENTATION_STEPS && find_marker(style, rest, number, &head) != 0) head = 0;
        cord_text text = text_trim(text_slice(rest, head < end ? head : end, end));
        at += end;
        if (text.len) steps[(*n)++] = (struct stretch){text, at};
    }
    *out = steps;
    return CORD_OK;
}
