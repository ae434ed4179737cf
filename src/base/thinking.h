/* thinking.h - where a model's thinking is opened and closed in a text. It must not know models or templates. */
#ifndef CORD_THINKING_H
#define CORD_THINKING_H

#include "base/base.h"

/* What stands behind the last </think> of a reply; all of it where there is none. */
cord_text thinking_behind(cord_text reply);
/* The same, but of a reply that was cut in its thinking, what stands before the <think> that it leaves open. */
cord_text thinking_outside(cord_text reply);
/* The tag at a text's end, blanks aside, that opens or closes the thinking: "<think>", "[/THINK]"; empty: there is none. */
cord_text thinking_tag(cord_text text);
/* The tag at a prompt's end, blanks aside, that opens the thinking: "<think>", "[THINK]"; empty: it is not opened there. */
cord_text thinking_opened(cord_text prompt);
/* Whether a prompt leaves the thinking open, so that the reply begins inside it. Only cord's own words can. */
bool thinking_left_open(const cord_span *prompt, int n);

#endif
