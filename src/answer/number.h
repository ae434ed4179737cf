/* number.h - numbers as people and models write them in answers, read as exact rationals with GMP: "18", "$1,080.00",
 * "\frac{3}{4}", "1 1/2", "50\%", "-3", "18 dollars". It must not know which of two numbers is the gold.
 *
 * What is not surely a number is none: a reader that guesses would make wrong answers right. */
#ifndef CORD_ANSWER_NUMBER_H
#define CORD_ANSWER_NUMBER_H

#include "base/base.h"

#include <gmp.h>

enum {
    NUMBER_DIGITS = 4096,   /* most digits of one number; more is not read */
    NUMBER_EXPONENT = 4096, /* largest power of ten in "1e3"; more is not read */
};

struct number {
    mpq_t value; /* a percentage is a hundredth of what is written: 50% is 1/2 */
    bool percent;
    char unit[32]; /* "$", "egg" (lower case, singular), "degree"; empty when there is none */
};

void number_init(struct number *number);
void number_release(struct number *number);

/* Reads all of `t` as one number with at most one unit. False where it is not one, and `number` is then arbitrary. */
bool number_read(struct number *number, cord_text t);

#endif
