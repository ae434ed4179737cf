/* selection.c - choosing among traces that there are already (Figure 3 of the paper): LIMO's, s1K's, anyone's.
 *
 *     one round: all given traces are candidates, scored by S in one call, and all are kept
 *     the answer that each came with is graded; the best by S is the first
 *     correct_first: the best by S of those whose answer is correct, if there are any
 *
 * Nobody writes anything. A trace is one candidate of many steps, which are found in its text. It must not know files, SQLite
 * or terminals, nor how a file names its traces. */
#include "search/rounds.h"

#include "data/boundary.h"

#include <math.h>

enum { MOST_PARTS = 65536 }; /* steps of one trace; what follows is the last one's */

/* ---- steps ----------------------------------------------------------------------------------------------------- */

/* A heading of steps as markers write it, up to the number: "### Step". */
static cord_text heading_of(const struct prompt_style *style) {
    ptrdiff_t number = text_find(style->marker, TEXT("{n}"));
    return text_trim(number >= 0 ? text_slice(style->marker, 0, (size_t)number) : style->marker);
}

/* The next heading at the start of a line, from `at` on; t.len where there is none. */
static size_t next_heading(cord_text t, size_t at, cord_text heading) {
    while (at < t.len) {
        ptrdiff_t found = text_find(text_slice(t, at, t.len), heading);
        if (found < 0) break;
        at += (size_t)found;
        if (at == 0 || t.data[at - 1] == '\n') return at;
        at += heading.len;
    }
    return t.len;
}

/* Where the text of a step begins whose heading stands at `at`: behind its number and a point or colon. */
static size_t behind_heading(cord_text t, size_t at, cord_text heading) {
    at += heading.len;
    while (at < t.len && t.data[at] == ' ') at++;
    while (at < t.len && t.data[at] >= '0' && t.data[at] <= '9') at++;
    if (at < t.len && (t.data[at] == '.' || t.data[at] == ':')) at++;
    return at;
}

/* Where the step that begins at `from` ends, and the next begins. */
static size_t next_boundary(const struct prompt_style *style, cord_text t, size_t from) {
    cord_text rest = text_slice(t, from, t.len);
    ptrdiff_t end = style->segmentation == SEGMENTATION_PREFIX ? boundary_prefix(style->prefixes, rest, false, false)
                                                               : boundary_line_break(rest, false);
    return end < 0 ? t.len : from + (size_t)end;
}

/* Notes a step, unless it has nothing to say. Steps that nothing divides but their text keep their blanks. */
static void add_part(struct candidate *c, struct step_part *parts, size_t from, size_t to, bool trim) {
    cord_text t = c->reasoning;
    while (trim && to > from && text_trim_end(text_slice(t, from, to)).len < to - from) to--;
    while (trim && from < to && strchr(" \t\r\n", t.data[from])) from++;
    if (from == to) return;
    parts[c->n_parts++] = (struct step_part){.from = from, .to = to};
}

/* No more steps than lines and sentences. */
static size_t most_parts(cord_text t) {
    size_t n = 2;
    for (size_t i = 0; i < t.len && n < MOST_PARTS; i++)
        n += t.data[i] == '\n' || t.data[i] == '.' || t.data[i] == '!' || t.data[i] == '?' || t.data[i] == '\xe2';
    return n;
}

/* Divides a trace as the segmentation says; one without headings, where these would divide it, at blank lines. */
static cord_status divide(const struct beam *beam, struct candidate *c, cord_error *err) {
    const struct prompt_style *style = beam->search->meta_prover->prompt.style;
    bool marked = style->segmentation == SEGMENTATION_STEPS;
    cord_text t = c->reasoning, heading = marked ? heading_of(style) : (cord_text){"", 0};
    size_t first = heading.len ? next_heading(t, 0, heading) : t.len;
    bool headed = first < t.len;
    size_t at = 0, most = most_parts(t);
    struct step_part *parts = arena_alloc(beam->arena, most * sizeof *parts);
    if (!parts) return error_memory(err);
    int room = (int)most - 1; /* the last takes what is left */
    if (headed) add_part(c, parts, 0, first, true);
    for (size_t next = first; headed && next < t.len && c->n_parts < room;) {
        at = behind_heading(t, next, heading);
        next = next_heading(t, at, heading);
        add_part(c, parts, at, next, true);
        at = next;
    }
    while (!headed && at < t.len && c->n_parts < room) {
        size_t next = next_boundary(style, t, at);
        add_part(c, parts, at, next, marked);
        at = next;
    }
    if (at < t.len || !c->n_parts) add_part(c, parts, c->n_parts ? at : 0, t.len, false);
    c->parts = parts;
    return CORD_OK;
}

/* ---- candidates ------------------------------------------------------------------------------------------------ */

/* What a trace says at the end: its own reply; else the answer that is found in it, in a box; else nothing. */
static cord_status find_reply(const struct search *search, const struct given_trace *given, cord_text *reply,
                              cord_error *err) {
    cord_text answer, box;
    *reply = text_trim(given->reply);
    if (reply->len || cord_extract_answer(given->reasoning, false, &answer) == CORD_FOUND_NOTHING) return CORD_OK;
    box = text_of(arena_printf(search->arena, "\\boxed{%.*s}", (int)answer.len, answer.data));
    *reply = box;
    return box.data ? CORD_OK : error_memory(err);
}

static bool same_trace(const struct given_trace *a, const struct given_trace *b) {
    return text_equal(text_trim(a->reasoning), text_trim(b->reasoning)) &&
           text_equal(text_trim(a->reply), text_trim(b->reply));
}

static cord_status make_candidate(const struct beam *beam, int number, struct candidate *c, cord_error *err) {
    const struct given_trace *given = &beam->search->given[number];
    *c = new_candidate(beam, 0, 0, 0, given->teacher, given->sample);
    c->log_score = (double)NAN;
    c->end = STEP_CLOSED;
    c->step = c->reasoning = text_trim(given->reasoning);
    if (!c->reasoning.len) c->drop = DROP_EMPTY;
    for (int i = 0; i < number && c->drop == DROP_NONE; i++)
        if (same_trace(given, &beam->search->given[i])) c->drop = DROP_DUPLICATE;
    if (c->drop == DROP_NONE) return divide(beam, c, err);
    c->reasoning = (cord_text){"", 0};
    return CORD_OK;
}

/* ---- keep ------------------------------------------------------------------------------------------------------ */

/* All that was scored, in the order of the file. */
static cord_status keep(struct beam *beam, struct candidate *candidates, int n, cord_error *err) {
    struct trajectory *kept = arena_alloc(beam->arena, (size_t)(n + 1) * sizeof *kept);
    if (!kept) return error_memory(err);
    int count = 0;
    for (int i = 0; i < n; i++) {
        struct candidate *c = &candidates[i];
        if (c->drop != DROP_NONE) continue;
        c->slot = count;
        CORD_TRY(grow(beam, c, &kept[count], err));
        CORD_TRY(find_reply(beam->search, &beam->search->given[i], &kept[count].reply, err));
        CORD_TRY(settle(beam, &kept[count], c, err));
        kept[count++].candidate = i;
    }
    if (!count) {
        kept[count] = beam->trajectories[0];
        kept[count++].finish = FINISHED_EXHAUSTED;
    }
    beam->trajectories = kept;
    beam->n = count;
    return CORD_OK;
}

static cord_status play(struct beam *beam, struct round *round, cord_error *err) {
    int n = beam->search->n_given;
    struct candidate *candidates = arena_alloc(beam->arena, (size_t)(n + 1) * sizeof *candidates);
    if (!candidates) return error_memory(err);
    for (int i = 0; i < n; i++) CORD_TRY(make_candidate(beam, i, &candidates[i], err));
    CORD_TRY(score_candidates(beam, candidates, n, err)); /* what is longer than the context is dropped */
    round->candidates = candidates;
    round->n_candidates = n;
    CORD_TRY(keep(beam, candidates, n, err));
    if (!beam->trajectories[0].last) round->note = "no trace of this problem could be used";
    return CORD_OK;
}

cord_status selection_search(const struct search *search, cord_error *err) {
    const struct strategy strategy = {
        .play = play,
        .ended = all_finished,
        .correct_first = search->settings->correct_first,
        .nothing = "no trace can be used",
    };
    return play_strategy(search, &strategy, err);
}
