/* mention.c - see mention.h. */
#include "eval/mention.h"

#include "answer/mention.h"

#include <math.h>

enum { STEP_BYTES = 1 << 24 };

/* The piece that begins the step which `piece` ends. */
static const struct step *first_piece(const struct step *piece) {
    while (piece->previous && piece->previous->cut) piece = piece->previous;
    return piece;
}

static void join_pieces(const struct step *first, const struct step *last, struct buf *out) {
    if (last != first) join_pieces(first, last->previous, out);
    buf_add(out, last->text);
}

/* From the last step to the first, so that the earliest is what stays. */
static void look(cord_text gold, const struct step *last, double log_s0, struct buf *text, struct mention *m) {
    for (int step = m->steps; last; step--) {
        const struct step *first = first_piece(last);
        buf_clear(text);
        join_pieces(first, last, text);
        if (answer_in_step(gold, buf_text(text))) {
            m->step = step;
            m->before = first->previous ? first->previous->log_score : log_s0;
            m->after = last->log_score;
        }
        last = first->previous;
    }
}

cord_status mention_first(cord_text question, cord_text gold, const struct trajectory *t, double log_s0,
                          struct mention *out, cord_error *err) {
    struct buf text;
    *out = (struct mention){
        .in_question = answer_mention(gold, question, 0).data != NULL, .before = (double)NAN, .after = (double)NAN};
    for (const struct step *last = t->last; last; last = first_piece(last)->previous) out->steps++;
    if (out->in_question) return CORD_OK;
    buf_init(&text, "a step", STEP_BYTES);
    look(gold, t->last, log_s0, &text, out);
    cord_status status = buf_check(&text, err);
    buf_release(&text);
    return status;
}
