/* chat.h - renders a model's own chat template (Jinja) into spans, so that what the template wrote can be told from
 * what a user wrote. The rendering is llama.cpp's Jinja engine behind the project's one C++ file, which lets no
 * exception out. It must not know presets, teachers or tokenizers. */
#ifndef CORD_CHAT_H
#define CORD_CHAT_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct chat_options {
    cord_text bos, eos; /* the tokens' texts, for templates that write them; may be empty */
    const char *date;   /* "YYYY-MM-DD", what strftime_now() sees; NULL = 2025-01-01: never today, so prompts are equal
                             tomorrow */
};

struct chat_template; /* parsed; immutable; may be rendered from several threads */

/* Parses a template's source. Free with chat_template_free. A template with a syntax error is CORD_BAD_MODEL. A
 * file that the caller has put into err->where before is where its errors are, here and where it is rendered. */
cord_status chat_template_new(cord_text source, struct chat_template **out, cord_error *err);
void chat_template_free(struct chat_template *tmpl); /* NULL is fine */

/* The source of a well-known format ("chatml"), static; empty where there is none of that name. */
cord_text chat_template_known(const char *name);
/* The i-th name, from 0; NULL behind the last one. */
const char *chat_template_name(int i);
/* What to say of a name that is none: "did you mean 'chatml'? formats with a name: chatml, …". NULL where there is no memory. */
const char *chat_template_hint(const char *name, struct arena *arena);

/* Renders messages with the assistant's turn open (add_generation_prompt, enable_thinking = true). Neighbouring spans of
 * one trust are merged, and none is empty. Where the template has no place for a system text (it raises, or drops it),
 * the system text is put before the first user text with a blank line between. A template that raises, or through which
 * this user's text could pass for the template's own, is CORD_BAD_MODEL. Spans and texts live in `arena`. */
cord_status chat_render(const struct chat_template *tmpl, const cord_message *messages, int n,
                        const struct chat_options *options, struct arena *arena, cord_span **spans, int *n_spans,
                        cord_error *err);

/* Renders a whole conversation as trainers do, nobody's turn left open: one text in `arena`, of which nothing is known to be
 * the template's own. For looking at what a template makes of an assistant's words, not for prompts. */
cord_status chat_render_closed(const struct chat_template *tmpl, const cord_message *messages, int n,
                               const struct chat_options *options, struct arena *arena, cord_text *text,
                               cord_error *err);

#ifdef __cplusplus
}
#endif
#endif
