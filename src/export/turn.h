/* turn.h - a chat template at work: the text that a model is trained on, and what is lost where a trainer renders a
 * conversation by itself. It must not know where templates come from, nor rows. */
#ifndef CORD_TURN_H
#define CORD_TURN_H

#include "base/base.h"
#include "data/chat.h"

struct turn {
    struct chat_template *tmpl;
    struct chat_options options;
    /* what the template writes behind what an assistant has said: "<|im_end|>"; without blanks at its end */
    cord_text end;
    /* the tag with which the template opens the thinking before a model writes; empty: it does not */
    cord_text thinking;
    /* what it writes before what an assistant has said; without blanks and tags of thinking at its end */
    cord_text head;
    bool opens_otherwise; /* where a model is to write, it writes something else */
    bool lacks_bos;       /* it writes a BOS, and nobody has said which */
    struct arena arena;
};

/* `source` is Jinja; bos and eos are copied. CORD_BAD_MODEL where it cannot be read, or has no place for an assistant's
 * text. */
cord_status turn_open(struct turn *turn, cord_text source, cord_text bos, cord_text eos, cord_error *err);
void turn_close(struct turn *turn); /* zeroed is fine */

/* A response with the turn's end behind it, in `arena`. */
cord_status turn_finish(const struct turn *turn, cord_text response, struct arena *arena, cord_text *said,
                        cord_error *err);

/* The prompt with the assistant's turn open, and the response with the turn's end behind it: together the text that the
 * model will have before it and should say. Where the template itself has opened the thinking, the response does not open
 * it again. Both in `arena`. */
cord_status turn_render(const struct turn *turn, cord_text question, cord_text response, cord_text think_open,
                        struct arena *arena, cord_text *prompt, cord_text *said, cord_error *err);

/* The whole conversation as a trainer hands it to the template, which may drop what stands before "</think>". In `arena`. */
cord_status turn_closed(const struct turn *turn, cord_text question, cord_text response, struct arena *arena,
                        cord_text *out, cord_error *err);

#endif
