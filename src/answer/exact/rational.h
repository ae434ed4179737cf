/* rational.h - rational numbers: those in trees, and operations that are paid for. */
#ifndef CORD_ANSWER_RATIONAL_H
#define CORD_ANSWER_RATIONAL_H

#include "answer/exact/expression.h"
#include "answer/exact/flint.h"

enum value {
    VALUE_RATIONAL,
    VALUE_OTHER,     /* not a rational number, or not seen to be one */
    VALUE_NONE,      /* no value: 1/0, 0^0, (-1)! */
    VALUE_TOO_LARGE, /* a rational number that is not computed; work->limit says why */
};

/* The value of a whole tree, where rational numbers lead to it all the way. */
enum value rational_value(fmpq_t out, const struct node *node, struct work *work);

/* One operation each. They give false, and set work->limit, where the result would be too large. */
bool rational_add(fmpq_t out, const fmpq_t a, const fmpq_t b, struct work *work);
bool rational_multiply(fmpq_t out, const fmpq_t a, const fmpq_t b, struct work *work);
bool rational_divide(fmpq_t out, const fmpq_t a, const fmpq_t b, struct work *work); /* b is not 0 */
bool rational_power(fmpq_t out, const fmpq_t a, const fmpz_t n, struct work *work);  /* not 0 to n <= 0 */
/* The real root, where that is rational; index >= 1; a >= 0 where it is even. *exact: whether it is. */
bool rational_root(fmpq_t out, const fmpq_t a, ulong index, bool *exact, struct work *work);

enum value rational_number(fmpq_t out, const struct node *number, struct work *work); /* of a NODE_NUMBER */
enum value rational_factorial(fmpq_t out, const fmpq_t n, struct work *work);
/* n over k, for a whole k; n may be any rational number. */
enum value rational_binomial(fmpq_t out, const fmpq_t n, const fmpq_t k, struct work *work);
/* gcd and lcm of whole numbers. */
enum value rational_gcd(fmpq_t out, const fmpq_t a, const fmpq_t b, bool lcm, struct work *work);

static inline bool rational_is_whole(const fmpq_t a) { return fmpz_is_one(fmpq_denref(a)); }
/* Bits of both its parts. */
static inline ulong rational_bits(const fmpq_t a) { return fmpz_bits(fmpq_numref(a)) + fmpz_bits(fmpq_denref(a)); }

#endif
