/* limits.h - what exact arithmetic may cost, in one place. Every operation is paid before it is done, by the size of its
 * operands; what would be larger than these limits is not begun. */
#ifndef CORD_ANSWER_LIMITS_H
#define CORD_ANSWER_LIMITS_H

#include "answer/expression.h"

#include <math.h>

enum {
    EXACT_BITS = 1 << 18, /* of a rational number: 78,000 digits, five times what an answer can be long */
    TERMS_MOST = 1 << 15, /* of a circuit: eight for each node of a tree, and nothing takes more than 16 MiB for them */
    ENCLOSURE_BITS = 32768, /* highest precision: one logarithm takes 5 ms there */
    PLAIN_BITS = 1024,      /* highest precision where no bound says how much is needed */
    ARGUMENT_BITS = 1024,   /* of what a sine or an exponential is taken of: that many more bits it works with */
    EXPONENT_BITS = 62,     /* of a power's exponent that is kept as a power of an integer */
    ROOT_INDEX = 1 << 24,   /* of a root: an index beyond has no meaning in an answer, and products of two still fit */
    POLYNOMIAL_TERMS = 1 << 14, /* of a polynomial: 2 MiB with coefficients of 64 bits */
    GENERATORS = 64,            /* of a ring of polynomials: a monomial takes a word or so for each eight */
    LINEAR_PARTS = 24,          /* of a sum that is taken apart in an exponent or an angle */
    FACTORIALS_APART = 64,      /* (n+64)!/n! is a polynomial still */
    TRIAL_PRIMES = 168, /* primes below 1,000 are divided out of radicands and of what logarithms are taken of */
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

/* What operations on `bits` bits cost, measured on GMP and Arb of 2022, rounded up. */
static inline double cost_multiply(double bits) {
    double limbs = bits / 64 + 1;
    return 4 + 0.6 * limbs * sqrt(limbs);
}
static inline double cost_gcd(double bits) {
    double limbs = bits / 64 + 1;
    return 4 + 8 * limbs * sqrt(limbs);
}
static inline double cost_function(double bits) {
    double limbs = bits / 64 + 1;
    return 80 + 20 * limbs * sqrt(limbs) * sqrt(sqrt(limbs));
}

#endif
