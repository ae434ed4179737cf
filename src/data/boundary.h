/* boundary.h - where a step ends in a text that no marker divides: at a blank line, or before a phrase by which models turn
 * to checking, to another way, or against what they wrote (G.1 of the paper: line-break and prefix). Works on text alone;
 * must not know models, scores, or how a text came to its end. */
#ifndef CORD_BOUNDARY_H
#define CORD_BOUNDARY_H

#include "base/base.h"

/* Both give where the first step of `text` ends, which is where the next begins, or -1 where it goes on to the text's end. No
 * step is made of nothing: a boundary has content before it in the text, or, where the text `continues` a step that was cut,
 * any character. */

/* Behind the first line that is empty or holds blanks alone, with its line feed. */
ptrdiff_t boundary_line_break(cord_text text, bool continues);

/* Before the first of `phrases` that stands as whole words at the start of a line or a sentence, in any case. The blanks
 * between two sentences of a line belong to the later one, as tokenizers have it; line feeds, to the earlier. `goes_on`: the
 * text was cut at its end, so a phrase that stands there may be the beginning of another word ("wait" of "waiter"), and is
 * none. */
ptrdiff_t boundary_prefix(cord_text phrases, cord_text text, bool continues, bool goes_on);

/* Takes the next phrase off a list: they are divided by commas, semicolons and line feeds. False at the end. */
bool boundary_next_phrase(cord_text *phrases, cord_text *phrase);
/* What is wrong with a list, for people ("holds no phrase"), or NULL. */
const char *boundary_phrases_complaint(cord_text phrases);

#endif
