/* limits.h - what exact arithmetic may cost, in one place. Every operation is paid before it is done, by the size of
 * its operands; what would be larger than these limits is not begun. */
#ifndef CORD_ANSWER_LIMITS_H
#define CORD_ANSWER_LIMITS_H

#include "answer/exact/expression.h"

#include <math.h>

enum {
    EXACT_BITS = 1 << 18,       /* of a rational number: 78,000 digits, five times what an answer can be long */
    SPACE_WORDS = 1 << 21,      /* of eight bytes, of all large numbers or polynomials of one circuit: 16 MiB */
    TERMS_MOST = 1 << 15,       /* of a circuit: eight for each node of a tree, 10 MiB with their tables */
    ENCLOSURE_BITS = 1 << 16,   /* highest precision: one logarithm takes 8 ms there */
    PLAIN_BITS = 1024,          /* highest precision where no bound says how much is needed */
    AGREEMENT_BITS = 200,       /* to so many, 60 digits, values agree where their equality is not proved, ... */
    MODEST_BITS = 100,          /* ... if all they are made of is that far from 0 and infinity at most */
    ARGUMENT_BITS = 1024,       /* of what a sine is taken of: that many more bits it has to be computed with */
    SCALE_BITS = 64,            /* of what an exponential is taken of: its exponent has that many bits */
    EXPONENT_BITS = 62,         /* of an exponent that is a whole number: it has to be a machine's */
    ROOT_INDEX = 1 << 24,       /* of a root: no answer has one beyond, and two of them multiply */
    POLYNOMIAL_TERMS = 1 << 14, /* of a polynomial that is used again */
    GENERATORS = 256,           /* of a ring of polynomials: each takes a byte or more of each monomial */
    GROUPS = 256,               /* terms of a polynomial that is sorted by algebraic coefficients, each with each */
    LINEAR_PARTS = 24,          /* of a sum that is taken apart in an exponent or an angle */
    LINEAR_DEPTH = 64,          /* how deep one is looked into: 1 KiB of stack each */
    FACTORIALS_APART = 64,      /* (n+64)!/n! is a polynomial still */
    TRIAL_LIMIT = 1000,         /* smaller primes are divided out of radicands and of what logarithms are taken of */
    TRIAL_BITS = 1 << 14,       /* of what they are divided out of */
    TRIAL_PRIMES = 168,         /* so many are there */
    PERFECT_POWER_BITS = 1024,  /* of what is left then and tried for being a power: 0.1 ms */
};

static const char LIMIT_WORK[] = "the comparison takes too much work";
static const char LIMIT_BITS[] = "a number is too large";
static const char LIMIT_TERMS[] = "an expression has too many terms";
static const char LIMIT_MEMORY[] = "out of memory";

/* Pays; false, and says so, where there is not enough left. */
static inline bool work_pay(struct work *work, double units) {
    if (units > (double)work->left) {
        work->left = 0;
        work->limit = LIMIT_WORK;
        return false;
    }
    work->left -= (int64_t)units + 1;
    return true;
}

/* What operations on `bits` bits cost, in units: fitted to GMP 6.2 and Arb 2.23, from 64 to 65,536 bits, and rounded
 * up. */
static inline double cost_multiply(double bits) {
    double limbs = bits / 64 + 1;
    return 4 + limbs * (0.5 + 0.2 * sqrt(limbs));
}
static inline double cost_gcd(double large, double small) {
    double limbs = large / 64 + 1;
    return 6 + limbs * (1 + 10 * sqrt(small / 64));
}
static inline double cost_function(double bits) {
    double limbs = bits / 64 + 1;
    return 120 + 6 * limbs * sqrt(limbs) * sqrt(sqrt(limbs));
}

#endif
