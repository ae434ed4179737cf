/* special.h - what in a text looks like a special token of some model. It must not know whose text it is, nor any model. */
#ifndef CORD_SPECIAL_H
#define CORD_SPECIAL_H

#include "base/base.h"

/* The length of what looks like a special token at `at`, or 0: "<|im_end|>", "</s>", "[INST]", but "<b>" too. */
size_t special_length(cord_text text, size_t at);
/* Whether such a tag may well be one that begins or ends a turn. To cut one too many costs nothing, to refuse one too
 * many costs a problem: intervals ("[0,1]"), areas ("[ABC]"), inequalities and markup are none, nor are the tags of
 * thinking, which a system text may well speak of and which change nobody's turn. Names in angles come in either case ("<eos>",
 * "<EOS>"), those in brackets in one, and are words of any text in the other ("[args]"). */
bool special_is_known(cord_text tag);

#endif
