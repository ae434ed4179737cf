/* circuit.h - expressions as terms in which what is the same is there once, and what can be proved of their values.
 *
 * A term is an index into the circuit; its operands come before it. Making a term also simplifies where that is plain
 * (constants are computed, equal parts cancel); what must hold for the simplified term to be the written one (a divisor
 * is not zero) is kept as a guard. A circuit has memory of its own, as one comparison of sets may make thousands of
 * them. */
#ifndef CORD_ANSWER_CIRCUIT_H
#define CORD_ANSWER_CIRCUIT_H

#include "answer/exact/expression.h"
#include "answer/exact/flint.h"
#include "answer/exact/limits.h"

enum op {
    TERM_CONSTANT, /* re + im i, both rational */
    TERM_SYMBOL,   /* k: which */
    TERM_PI,
    TERM_COSINE_PI, /* cos(re π), 0 < re < 1/2 */
    TERM_ADD,       /* a + b */
    TERM_MULTIPLY,  /* a b */
    TERM_DIVIDE,    /* a / b */
    TERM_POWER,     /* a^k, k > 1 */
    TERM_ROOT,      /* the principal k-th root of a, k > 1 */
    TERM_REAL_ROOT, /* of a real a, the real k-th root, k odd; of another the principal one */
    TERM_EXP,       /* exp(re a) */
    TERM_LN,        /* principal */
    TERM_SIN,
    TERM_COS,
    TERM_ASIN,
    TERM_ATAN,
    TERM_ABS,  /* of a real a */
    TERM_NORM, /* a times its conjugate */
    TERM_RE,
    TERM_IM,
    TERM_CONJUGATE,
    TERM_FLOOR,     /* of what has variables; so is the next */
    TERM_FACTORIAL, /* */
};

enum { OPERAND_A = 1, OPERAND_B = 2 };

struct term {
    enum op op;
    int a, b; /* operands; -1: none */
    slong k;
    fmpq_t re, im;
    bool real, nonnegative, positive; /* seen by its form alone: for real variables, wherever it has a value */
    bool variable, algebraic;         /* has variables; is an algebraic number */
    acb_t value;                      /* an enclosure, computed with ... */
    slong precision;                  /* ... so many bits; 0: not yet */
};

/* What must be so for the terms to mean what was written. */
struct guard {
    enum { GUARD_NOT_ZERO, GUARD_NOT_NEGATIVE /* a negative real */, GUARD_REAL } kind;
    int term;
};

struct circuit {
    struct arena arena;
    struct work *work;
    int64_t space;       /* words in large constants */
    int depth;           /* of a sum that is being taken apart */
    bool in_normal_form; /* circuit_identity asks about coefficients */
    bool *reached;       /* what circuit_reach gave last; as long as `room` */
    struct term *terms;
    int n, room;
    int *table; /* open addressing; -1: empty */
    int table_size;
    struct guard *guards;
    int n_guards, guards_room;
    const cord_text *symbols; /* what may be variables; others are constants' `values` */
    size_t n_symbols;
    const fmpq *values; /* of the symbols; NULL: they stay variables */
    const char *why;    /* why a term could not be made: static */
};

/* Until the next term is made. */
static inline const struct term *at(const struct circuit *circuit, int a) { return &circuit->terms[a]; }

enum proof { UNPROVED, PROVED_ZERO, PROVED_NOT_ZERO };

void circuit_init(struct circuit *circuit, struct work *work);
void circuit_release(struct circuit *circuit);

/* ---- terms (terms.c). All give -1 where the term cannot be made, and take -1. ----------------------------------- */

/* The index of a term like this one, whose numbers are taken over or cleared. */
int term_intern(struct circuit *circuit, struct term *term);
int term_constant(struct circuit *circuit, const fmpq_t re, const fmpq_t im); /* im NULL: 0 */
int term_integer(struct circuit *circuit, slong value);
int term_quotient(struct circuit *circuit, slong p, ulong q);
int term_i(struct circuit *circuit);
int term_leaf(struct circuit *circuit, enum op op, slong k);
int term_add(struct circuit *circuit, int a, int b);
int term_subtract(struct circuit *circuit, int a, int b);
int term_multiply(struct circuit *circuit, int a, int b);
int term_scale(struct circuit *circuit, const fmpq_t factor, int a);
int term_divide(struct circuit *circuit, int a, int b);
int term_power(struct circuit *circuit, int a, slong k); /* any k */
/* Any of those with one operand; `k` is a root's index. As it stands: see below for the rest. */
int term_one(struct circuit *circuit, enum op op, int a, slong k);
int term_exp(struct circuit *circuit, const fmpq_t factor, int a); /* as it stands */
bool circuit_guard(struct circuit *circuit, int kind, int term);

/* ---- functions of any term (roots.c, powers.c, angles.c) ---------------------------------------------------- */

int rewrite_root(struct circuit *circuit, int a, slong index, bool real);
int rewrite_exp(struct circuit *circuit, int a);
int rewrite_ln(struct circuit *circuit, int a);
int rewrite_sin(struct circuit *circuit, int a);
int rewrite_cos(struct circuit *circuit, int a);
int rewrite_asin(struct circuit *circuit, int a);
int rewrite_atan(struct circuit *circuit, int a);
int rewrite_abs(struct circuit *circuit, int a);
int rewrite_power(struct circuit *circuit, int a, int exponent);
int rewrite_part(struct circuit *circuit, enum op op, int a);   /* TERM_RE, TERM_IM, TERM_CONJUGATE */
int rewrite_cosine_pi(struct circuit *circuit, const fmpq_t q); /* cos(q π) */

/* A term as a sum of rational multiples of others. */
struct linear {
    int n;
    fmpq factor[LINEAR_PARTS];
    int part[LINEAR_PARTS];
};
/* False where it has too many parts, or without work left. Release it in either case. */
bool linear_init(struct circuit *circuit, struct linear *linear, int term);
void linear_release(struct linear *linear);

/* ---- from trees (lower.c) --------------------------------------------------------------------------------------- */

int circuit_lower(struct circuit *circuit, const struct node *node);

/* ---- numbers (enclosure.c, separation.c) ------------------------------------------------------------------------ */

/* Encloses a term without variables, with about `precision` bits to work with; false without work left. Where the term
 * has no value the enclosure holds everything. */
bool circuit_enclose(struct circuit *circuit, int term, slong precision);
/* Whether a term without variables is 0. */
enum proof circuit_zero(struct circuit *circuit, int term);
/* Whether all guards hold: PROVED_ZERO where one does not. */
enum proof circuit_guarded(struct circuit *circuit);
enum proof circuit_transcendental_zero(struct circuit *circuit,
                                       int term); /* of one that is not algebraic by its form */
/* The sign of a real term: -1, 0 or 1; 2 where it is not proved. */
int circuit_sign(struct circuit *circuit, int term);
/* Whether it is a real number, as far as its enclosure tells. */
bool circuit_real(struct circuit *circuit, int term);
/* Whether its last enclosure shows |term| < 2^-AGREEMENT_BITS, and nothing that it is made of is so small that this
 * could not be seen. */
bool circuit_nearly_zero(struct circuit *circuit, int term);
/* Bits after the point that a nonzero algebraic number cannot have all zero: |term| >= 2^-bits. */
double circuit_separation(struct circuit *circuit, int term);
/* Marks a term and all that it is made of. NULL without work left. Valid until the next call. */
bool *circuit_reach(struct circuit *circuit, int term);

/* ---- the normal form (normal.c) --------------------------------------------------------------------------------- */

/* Whether a term is zero as an element of a field of functions. PROVED_NOT_ZERO only for rational functions of
 * variables whose coefficients are algebraic. *numerator (which may be NULL): where it is not proved, a simpler term
 * that is zero where it is, or -1. */
enum proof circuit_identity(struct circuit *circuit, int term, int *numerator);

#endif
