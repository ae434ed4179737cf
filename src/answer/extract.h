/* extract.h - finding braces and boxes in a text; what the importer and the parser share with cord_extract_answer.
 * It must not know problems or models. */
#ifndef CORD_ANSWER_EXTRACT_H
#define CORD_ANSWER_EXTRACT_H

#include "base/base.h"

/* The offset of the brace that closes the one at `open`, or -1 where it is left open. Escaped braces do not count. */
ptrdiff_t answer_closing_brace(cord_text t, size_t open);

/* The content of the last complete, non-empty \boxed{…} or \fbox{…}, trimmed; a part of `t`. */
bool answer_last_box(cord_text t, cord_text *content);

#endif
