/* function.h - comparing expressions in variables. */
#ifndef CORD_ANSWER_FUNCTION_H
#define CORD_ANSWER_FUNCTION_H

#include "answer/exact/expression.h"

/* Two expressions, at least one of which has variables; otherwise as expression_compare. */
cord_verdict compare_functions(const struct node *a, const struct node *b, struct work *work, const char **rule);

#endif
