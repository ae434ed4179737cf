/* answer.h - what the importer shares with the grader of cord.h: the boxed answer of a text.
 * It must not know problems or models. */
#ifndef CORD_ANSWER_H
#define CORD_ANSWER_H

#include "base/base.h"

/* The offset of the brace that closes the one at `open`, or -1 where it is left open. Escaped braces do not count. */
ptrdiff_t answer_closing_brace(cord_text t, size_t open);

/* The content of the last complete, non-empty \boxed{…} or \fbox{…}, trimmed; a part of `t`. */
bool answer_last_box(cord_text t, cord_text *content);

#endif
