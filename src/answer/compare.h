/* compare.h - the ways in which expressions are compared. */
#ifndef CORD_ANSWER_COMPARE_H
#define CORD_ANSWER_COMPARE_H

#include "answer/expression.h"

/* Of expressions one of which has variables. */
cord_verdict compare_functions(struct arena *arena, const struct node *a, const struct node *b, struct work *work,
                               const char **rule);

#endif
