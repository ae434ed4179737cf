/* parse.h - from an answer's text to its tree. It must not know values or verdicts.
 *
 * The grammar is written out in docs/grader.md, in the order of parse.c, list.c, quantity.c, formula.c, operand.c, bracket.c and number.c. */
#ifndef CORD_ANSWER_READ_PARSE_H
#define CORD_ANSWER_READ_PARSE_H

#include "answer/tree/tree.h"

/* Texts with two readings: each bit chooses the second one. */
enum reading {
    READING_SLASH = 1,     /* 1/2x is 1/(2x), \sin\pi/3 is \sin(\pi/3), x^1/2 is x^(1/2); else (1/2)x, … */
    READING_LOG = 2,       /* \log is natural; else to the base 10 */
    READING_EULER = 4,     /* 2e+3 is twice Euler's number and 3; else 2000 */
    READING_UNIT = 8,      /* 5 m is five metres; else m is a variable */
    READING_POWER = 16,    /* \ln(2)^2 is \ln(2^2); else the square of \ln 2 */
    READING_MIXED = 32,    /* 1-1/2 is one and a half; else a half */
    READING_ROOT = 64,     /* √2x is √(2x), \sqrt23 is \sqrt2 times 3; else √2 times x, the root of 23 */
    READING_DEGREES = 128, /* \sin 30 is of 30 degrees; else radians */
    READINGS = 256,
};

/* Reads all of `t` in the way that `reading` says; what cannot be read is a NODE_TEXT. NULL without memory only.
 * *readings: the bits that make a difference here. *limit: the limit that stopped it (static), if one did. */
struct node *parse_answer(struct arena *arena, cord_text t, unsigned reading, unsigned *readings, const char **limit);

#endif
