/* show_prompt.c - what exactly a model was sent, put together from the journal as the search puts it together. On a
 * terminal control characters are escaped and what cord and the template wrote is painted; on a pipe every byte is as
 * it was. */
#include "cmd/show.h"

#include "data/segment.h"

#include <unistd.h>

/* ---- who was spoken to --------------------------------------------------------------------------------------- */

static cord_status find_spoken(struct show *s, int64_t problem, int teacher, const struct spoken **out,
                               cord_error *err) {
    struct spoken *spoken;
    int n;
    CORD_TRY(journal_spoken(s->journal, problem, &s->arena, &spoken, &n, err));
    for (int i = 0; i < n; i++)
        if (spoken[i].teacher == teacher) {
            *out = &spoken[i];
            return CORD_OK;
        }
    return error_set(err, CORD_BAD_INPUT, "nothing has been sent for this problem yet");
}

static cord_status find_teacher(const struct show *s, const char *name, int *teacher, cord_error *err) {
    for (*teacher = 0; *teacher < s->n_teachers; ++*teacher)
        if (strcmp(s->teachers[*teacher], name) == 0) return CORD_OK;
    const char *near = text_nearest(name, s->teachers, (size_t)s->n_teachers);
    return error_set(err, CORD_BAD_INPUT,
                     "there is no teacher '%s'%s%s%s; --prompt takes a teacher's name, meta or answer", name,
                     near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
}

/* The trajectory in a place after a round; before the first round there is the empty one. */
static cord_status find_place(const struct show_problem *p, int round, int slot, struct trajectory *out,
                              cord_error *err) {
    *out = (struct trajectory){.author = -1};
    if (round > p->n_rounds) return error_set(err, CORD_BAD_INPUT, "this problem has %d rounds", p->n_rounds);
    int n = round ? p->rounds[round - 1].n_beam : 1;
    if (slot >= n) return error_set(err, CORD_BAD_INPUT, "after round %d the beam has %d places, from 0", round, n);
    if (round) *out = p->rounds[round - 1].beam[slot];
    return CORD_OK;
}

/* ---- the three kinds of requests ------------------------------------------------------------------------------ */

static cord_status append(struct show *s, struct spans prompt, const cord_span *tail, int n, struct spans *out,
                          cord_error *err) {
    *out = spans_append(prompt, tail, n, &s->arena);
    return out->span ? CORD_OK : error_memory(err);
}

static cord_status propose_prompt(struct show *s, const struct show_problem *p, int teacher, int round, int slot,
                                  struct spans *out, cord_error *err) {
    struct trajectory parent;
    const struct spoken *spoken;
    if (round < 1) return error_set(err, CORD_BAD_INPUT, "teachers are asked from round 1 on");
    CORD_TRY(find_place(p, round - 1, slot, &parent, err));
    if (parent.finish != GROWING)
        return error_set(err, CORD_BAD_INPUT,
                         "slot %d was finished before round %d, so nobody was asked to continue it", slot, round);
    CORD_TRY(find_spoken(s, p->problem->key, teacher, &spoken, err));
    cord_span opened = {.trusted = false};
    CORD_TRY(segment_open(spoken->style, parent.reasoning, parent.last && parent.last->cut, parent.n_steps + 1,
                          &s->arena, &opened.text, err));
    return append(s, spoken->prompt, &opened, 1, out, err);
}

static cord_status score_prompt(struct show *s, const struct show_problem *p, int round, int slot, struct spans *out,
                                cord_error *err) {
    struct trajectory scored;
    const struct spoken *spoken;
    CORD_TRY(find_place(p, round, slot, &scored, err));
    CORD_TRY(find_spoken(s, p->problem->key, -1, &spoken, err));
    const cord_span tail[] = {{text_trim_end(scored.reasoning), false},
                              {spoken->style->score_open, true},
                              {p->problem->target, false},
                              {spoken->style->score_close, true}};
    return append(s, spoken->prompt, tail, 4, out, err);
}

static cord_status answer_prompt(struct show *s, const struct show_problem *p, int number, struct spans *out,
                                 cord_error *err) {
    const struct spoken *spoken;
    if (number >= p->n_answers)
        return error_set(err, CORD_BAD_INPUT, "this problem has %d finished trajectories, from 0", p->n_answers);
    const struct trajectory *t = &p->answers[number].trajectory;
    CORD_TRY(find_spoken(s, p->problem->key, t->author, &spoken, err));
    const cord_span tail[] = {
        {text_trim_end(t->reasoning), false}, {spoken->style->think_close, true}, {spoken->style->answer_open, true}};
    return append(s, spoken->prompt, tail, 3, out, err);
}

/* ---- printing ------------------------------------------------------------------------------------------------ */

static void print_spans(struct show *s, struct spans spans) {
    bool raw = !isatty(fileno(s->page.out));
    for (int i = 0; i < spans.n; i++) {
        cord_text t = spans.span[i].text;
        if (raw && t.len)
            fwrite(t.data, 1, t.len, s->page.out);
        else if (!raw)
            page_raw(&s->page, spans.span[i].trusted ? PAINT_DIM : PAINT_NONE, t);
    }
    if (!raw) fputc('\n', s->page.out);
}

cord_status show_prompt(struct show *s, const struct show_problem *p, const char *name, int round, int slot,
                        cord_error *err) {
    struct spans spans;
    int teacher;
    if (find_teacher(s, name, &teacher, NULL) == CORD_OK)
        CORD_TRY(propose_prompt(s, p, teacher, round, slot, &spans, err));
    else if (strcmp(name, "meta") == 0)
        CORD_TRY(score_prompt(s, p, round, slot, &spans, err));
    else if (strcmp(name, "answer") == 0)
        CORD_TRY(answer_prompt(s, p, slot, &spans, err));
    else
        return find_teacher(s, name, &teacher, err);
    print_spans(s, spans);
    return CORD_OK;
}
