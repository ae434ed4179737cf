/* mention.h - where a text states an answer, as a whole word or number: 27 is not in 127 or 27.5. It must not know whether
 * the answer is right, nor who asks.
 *
 * What counts: docs/compare.md, "First mention". */
#ifndef CORD_ANSWER_MENTION_H
#define CORD_ANSWER_MENTION_H

#include "base/base.h"

/* The first mention of `answer` at or behind `from`, a part of `text`; the sign of a number belongs to it. data is NULL where
 * there is none, as of an empty answer. */
cord_text answer_mention(cord_text answer, cord_text text, size_t from);

/* Whether a step states it. The number that the step may begin with, "4. So" or "### Step 4: So", is its heading's or a
 * list's and states nothing. */
bool answer_in_step(cord_text answer, cord_text step);

#endif
