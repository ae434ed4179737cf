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

cord_status count_texts(const struct search *search, const cord_text *texts, int n, struct arena *arena,
                        cord_counting **counted, cord_error *err) {
    cord_span *spans = arena_alloc(arena, (size_t)(n + 1) * sizeof *spans);
    *counted = arena_alloc(arena, (size_t)(n + 1) * sizeof **counted);
    if (!spans || !*counted) return error_memory(err);
    for (int i = 0; i < n; i++) {
        spans[i] = (cord_span){texts[i], false};
        (*counted)[i] = (cord_counting){.spans = &spans[i], .n_spans = 1};
    }
    return n ? cord_count(search->meta_prover->model, *counted, n, err) : CORD_OK;
}

cord_status counting_status(const cord_counting *counted, cord_error *err) {
    cord_status code = counted->error.code;
    if (code == CORD_OK || code == CORD_BAD_INPUT || code == CORD_TOO_LONG) return CORD_OK;
    if (err) *err = counted->error;
    return code;
}

cord_status count_scored(const struct search *search, struct scored *items, int n, cord_error *err) {
    cord_text *texts = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *texts);
    struct scored **whose = arena_alloc(search->arena, (size_t)(n + 1) * sizeof(struct scored *));
    cord_counting *counted = NULL;
    if (!texts || !whose) return error_memory(err);
    int count = 0;
    for (int i = 0; i < n; i++) {
        texts[count] = text_trim_end(items[i].reasoning);
        if (texts[count].len) whose[count++] = &items[i];
    }
    CORD_TRY(count_texts(search, texts, count, search->arena, &counted, err));
    for (int i = 0; i < count; i++) {
        whose[i]->reasoning_tokens = counted[i].tokens;
        if (counted[i].error.code == CORD_OK) continue;
        CORD_TRY(counting_status(&counted[i], err));
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
