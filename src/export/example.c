/* example.c - see example.h. It must not know layouts of rows. */
#include "export/example.h"

#include "data/segment.h"

#include <math.h>
#include <stdio.h>

enum { MOST_RESPONSE = 256 << 20 };

cord_status example_frame_read(const struct export_source *source, int64_t problem, struct arena *arena,
                               struct example_frame *frame, cord_error *err) {
    struct spoken *spoken;
    int n;
    CORD_TRY(journal_spoken(source->journal, problem, arena, &spoken, &n, err));
    *frame = (struct example_frame){.between = TEXT("\n\n"), /* where nobody is noted to have been spoken to */
                                    .given = source->strategy && strcmp(source->strategy, "selection") == 0};
    for (int i = 0; i < n; i++) {
        if (spoken[i].teacher != -1) continue;
        frame->marker = spoken[i].style->marker;
        frame->between = spoken[i].style->between;
    }
    return CORD_OK;
}

/* ---- steps --------------------------------------------------------------------------------------------------- */

/* "### Step {n}." with its number. What a model wrote begins with the blank behind it, and with the number where the marker has
 * none; before a given step both are put. */
static void add_marker(struct buf *out, const struct example_frame *frame, int number) {
    cord_text marker = frame->marker;
    ptrdiff_t at = text_find(marker, TEXT("{n}"));
    buf_add(out, text_slice(marker, 0, at < 0 ? marker.len : (size_t)at));
    if (at >= 0) {
        buf_addf(out, "%d", number);
        buf_add(out, text_slice(marker, (size_t)at + 3, marker.len));
    } else if (frame->given) {
        buf_addf(out, "%s%d.", text_trim_end(marker).len < marker.len ? "" : " ", number);
    }
    if (frame->given && text_trim_end(buf_text(out)).len == out->len) buf_addc(out, ' ');
}

/* Whether a reasoning has the marker's headings at all, whatever their numbers. */
static bool has_headings(cord_text reasoning, cord_text marker) {
    cord_text heading = segment_heading(marker), line;
    while (heading.len && text_next_line(&reasoning, &line))
        if (text_starts(line, heading)) return true;
    return false;
}

/* Behind a marker: what is blank on its own line and empty lines go. The next line keeps its indentation. */
static cord_text without_leading_blanks(cord_text text) {
    size_t at = 0, line = 0;
    for (; at < text.len && strchr(" \t\r\n", text.data[at]); at++)
        if (text.data[at] == '\n') line = at + 1;
    return text_slice(text, line && at < text.len ? line : at, text.len);
}

/* What a whole step says (`bare`, in the buffer) as it stands in the reasoning. Where no marker divides the steps, the texts
 * hold all there is between them. */
static cord_status frame_step(struct buf *bare, int number, const struct example_frame *frame, enum markers markers,
                              struct arena *arena, struct example_step *step, cord_error *err) {
    struct buf whole;
    CORD_TRY(buf_check(bare, err));
    buf_init(&whole, "a step", MOST_RESPONSE);
    bool marked = frame->marker.len > 0;
    cord_text text = buf_text(bare);
    if (marked) text = text_trim_end(text); /* of a step that was cut before the next marker came */
    cord_text said = without_leading_blanks(text);
    if (marked && number > 1) buf_add(&whole, frame->between);
    if (marked && markers != MARKERS_STRIP) add_marker(&whole, frame, number);
    buf_add(&whole, marked && markers == MARKERS_STRIP ? said : text);
    CORD_TRY(buf_take(&whole, arena, &step->text, err));
    step->bare = arena_text(arena, text_trim(said));
    return step->bare.data ? CORD_OK : error_memory(err);
}

static cord_status build_steps(const struct step *const *pieces, int n_pieces, const struct export_source *source,
                               double log_s0, const struct example_frame *frame, enum markers markers,
                               struct arena *arena, struct buf *bare, struct example_step *steps,
                               struct example_piece *said, int *n, cord_error *err) {
    int first = 0; /* piece of the step */
    double before = source->scores == SCORES_OF_GOLD ? log_s0 : (double)NAN;
    *n = 0;
    buf_clear(bare);
    for (int i = 0; i < n_pieces; i++) {
        buf_add(bare, pieces[i]->text);
        said[i] = (struct example_piece){pieces[i]->round, pieces[i]->teacher};
        if (pieces[i]->cut && i + 1 < n_pieces) continue; /* the next piece goes on with this step */
        struct example_step *step = &steps[(*n)++];
        double after = source->scores == SCORES_RANDOM ? (double)NAN : pieces[i]->log_score;
        *step = (struct example_step){.round = pieces[i]->round,
                                      .teacher = pieces[i]->teacher,
                                      .pieces = said + first,
                                      .n_pieces = i + 1 - first,
                                      .before = before,
                                      .after = after};
        first = i + 1;
        CORD_TRY(frame_step(bare, *n, frame, markers, arena, step, err));
        before = step->after;
        buf_clear(bare);
    }
    return CORD_OK;
}

cord_status example_steps(const struct export_source *source, const struct trajectory *trajectory, double log_s0,
                          const struct example_frame *frame, enum markers markers, struct arena *arena,
                          const struct example_step **out, int *n, cord_error *err) {
    int n_pieces = 0;
    for (const struct step *step = trajectory->last; step; step = step->previous) n_pieces++;
    const struct step **pieces = arena_alloc(arena, (size_t)(n_pieces + 1) * sizeof *pieces);
    struct example_step *steps = arena_alloc(arena, (size_t)(n_pieces + 1) * sizeof *steps);
    struct example_piece *said = arena_alloc(arena, (size_t)(n_pieces + 1) * sizeof *said);
    if (!pieces || !steps || !said) return error_memory(err);
    int at = n_pieces;
    for (const struct step *step = trajectory->last; step; step = step->previous) pieces[--at] = step;
    /* what is kept of a given trace without headings is that it has none */
    if (frame->given && markers == MARKERS_KEEP && !has_headings(trajectory->reasoning, frame->marker))
        markers = MARKERS_STRIP;
    struct buf bare;
    buf_init(&bare, "a step", MOST_RESPONSE);
    cord_status status =
        build_steps(pieces, n_pieces, source, log_s0, frame, markers, arena, &bare, steps, said, n, err);
    buf_release(&bare);
    *out = steps;
    return status;
}

cord_status example_join(const struct example_step *steps, int n, struct arena *arena, cord_text *out,
                         cord_error *err) {
    struct buf text;
    buf_init(&text, "a reasoning", MOST_RESPONSE);
    for (int i = 0; i < n; i++) buf_add(&text, steps[i].text);
    return buf_take(&text, arena, out, err);
}

double example_log_s(const struct export_source *source, const struct answered *answered) {
    if (source->scores == SCORES_OF_GOLD) return answered->trajectory.log_score;
    return source->pp_is_s ? answered->log_pp : (double)NAN;
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

/* The journal does not keep how a reply ended: one that has all the tokens it was allowed was cut, but for a rare one. */
static bool is_cut(const struct export_source *source, const struct answered *a) {
    return a->trajectory.finish == FINISHED_BUDGET || (source->answer_tokens && a->new_tokens >= source->answer_tokens);
}

/* The reasoning as the beam had it; or made anew from its steps, which is the same but for the markers. */
static cord_status find_reasoning(struct example *e, const struct trajectory *t, const struct example_frame *frame,
                                  enum markers markers, struct arena *arena, cord_error *err) {
    e->reasoning = t->reasoning;
    bool nothing_to_strip = markers == MARKERS_STRIP && frame->given && !has_headings(t->reasoning, frame->marker);
    if (markers != MARKERS_KEEP && frame->marker.len && !nothing_to_strip)
        CORD_TRY(example_join(e->steps, e->n_steps, arena, &e->reasoning, err));
    e->reasoning = text_trim_end(e->reasoning);
    return CORD_OK;
}

cord_status example_make(const struct export_source *source, const struct journal_problem *problem,
                         const struct answered *answered, int rank, const struct example_frame *frame,
                         const struct example_style *style, struct arena *arena, struct example *out, cord_error *err) {
    const struct trajectory *t = &answered->trajectory;
    *out = (struct example){.source = source,
                            .id = problem->id,
                            .question = problem->question,
                            .gold = problem->gold,
                            .rounds = problem->rounds,
                            .log_s0 = problem->log_s0,
                            .log_s = example_log_s(source, answered),
                            .rank = rank,
                            .grade = answered->grade,
                            .finish = t->finish,
                            .cut = is_cut(source, answered),
                            .reply = text_trim(answered->reply),
                            .answer = answered->answer};
    CORD_TRY(example_steps(source, t, problem->log_s0, frame, style->markers, arena, &out->steps, &out->n_steps, err));
    CORD_TRY(find_reasoning(out, t, frame, style->markers, arena, err));
    struct buf response;
    buf_init(&response, "a training row", MOST_RESPONSE);
    buf_add(&response, style->think_open);
    buf_add(&response, out->reasoning);
    buf_add(&response, style->think_close);
    buf_add(&response, out->reply);
    return buf_take(&response, arena, &out->response, err);
}
