/* factors.h - rational numbers taken apart as far as small primes do it. */
#ifndef CORD_ANSWER_FACTORS_H
#define CORD_ANSWER_FACTORS_H

#include "answer/exact/flint.h"
#include "answer/exact/limits.h"

/* A positive rational number as a product of powers: primes below 1,000, and what is left of numerator and denominator.
 * Exponents are those of the number itself, negative for the denominator's. */
struct factors {
    int n;
    fmpz base[TRIAL_PRIMES + 2];
    slong exponent[TRIAL_PRIMES + 2];
};

/* False without work left. Release it after success. */
bool factors_init(struct factors *f, const fmpq_t x, struct work *work);
void factors_release(struct factors *f);

#endif
