/* describe.h - a tree in words, for people who ask how an answer was read. It must not know verdicts. */
#ifndef CORD_ANSWER_DESCRIBE_H
#define CORD_ANSWER_DESCRIBE_H

#include "answer/tree/tree.h"

/* Appends "tuple () (1, divide(3, 4))". */
void describe(const struct node *node, struct buf *out);

#endif
