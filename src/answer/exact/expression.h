/* expression.h - whether two expressions are the same number, or the same function of their variables: exactly, or not
 * at all. It must not know how answers are written, or any kind of answer but expressions. */
#ifndef CORD_ANSWER_EXPRESSION_H
#define CORD_ANSWER_EXPRESSION_H

#include "answer/tree/tree.h"

/* What one comparison may still cost. Operations are paid before they are done, by the size of their operands, so that
 * the same answers always end in the same way; no clock is asked. */
struct work {
    int64_t left;      /* in units of about 10 ns */
    const char *limit; /* the limit that stopped it, static; NULL: none */
};

/* Compares two expressions (node_is_expression holds for both). *rule is set to a static sentence that names what
 * decided: "the numbers are equal", "equal as functions", "equal at 8 points" (of functions that are not rational), …
 * Undecided where something has no value (1/0), is too large, or could not be proved; of the same tree on both sides
 * never. The order of the sides does not count. */
cord_verdict expression_compare(const struct node *a, const struct node *b, struct work *work, const char **rule);

/* The order of two real numbers without variables, ±∞ among them: *order is -1, 0 or 1. False where it is not proved;
 * *order is then nothing. */
bool expression_order(const struct node *a, const struct node *b, struct work *work, int *order);

#endif
