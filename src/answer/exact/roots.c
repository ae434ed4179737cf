/* roots.c - roots of terms: of rational numbers without powers that come out, of others taken apart where that holds
 * for principal values (or for the real root of a real number). It must not know trees. */
#include "answer/exact/circuit.h"
#include "answer/exact/factors.h"
#include "answer/exact/rational.h"

static int none(struct circuit *circuit, const char *why) {
    circuit->why = why;
    return -1;
}

static slong floor_quotient(slong a, slong b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/* The root of a positive rational number: outside times the root of a whole number without such powers. */
static int root_of_rational(struct circuit *circuit, const fmpq_t x, slong index) {
    struct factors f;
    if (!factors_init(&f, x, circuit->work)) return -1;
    slong common = index;
    double bits = 0;
    for (int i = 0; i < f.n; i++) {
        slong rest = f.exponent[i] - index * floor_quotient(f.exponent[i], index);
        common = (slong)n_gcd((ulong)common, (ulong)rest);
        bits += (double)fmpz_bits(&f.base[i]) * (double)rest;
    }
    fmpq_t outside;
    fmpz_t inside, power;
    fmpq_init(outside);
    fmpz_init(inside);
    fmpz_init(power);
    fmpq_one(outside);
    fmpz_one(inside);
    int term = -1;
    bool fits = bits / (double)common <= 4096;
    for (int i = 0; fits && i < f.n; i++) {
        slong whole = floor_quotient(f.exponent[i], index), rest = (f.exponent[i] - index * whole) / common;
        fmpz_pow_ui(power, &f.base[i], (ulong)(whole < 0 ? -whole : whole));
        if (whole < 0)
            fmpz_mul(fmpq_denref(outside), fmpq_denref(outside), power);
        else
            fmpz_mul(fmpq_numref(outside), fmpq_numref(outside), power);
        fmpz_pow_ui(power, &f.base[i], (ulong)rest);
        fmpz_mul(inside, inside, power);
    }
    if (fits) {
        fmpq_canonicalise(outside);
        fmpq_t radicand;
        fmpq_init(radicand);
        fmpz_set(fmpq_numref(radicand), inside);
        term = term_constant(circuit, radicand, NULL);
        fmpq_clear(radicand);
        if (index / common > 1 && !fmpz_is_one(inside)) term = term_one(circuit, TERM_ROOT, term, index / common);
        term = term_scale(circuit, outside, term);
    } else {
        term = term_one(circuit, TERM_ROOT, term_constant(circuit, x, NULL), index);
    }
    fmpq_clear(outside);
    fmpz_clear(inside);
    fmpz_clear(power);
    factors_release(&f);
    return term;
}

/* cos(π/index) + i sin(π/index), the principal root of -1. */
static int root_of_minus_one(struct circuit *circuit, slong index) {
    fmpq_t q;
    fmpq_init(q);
    fmpq_set_si(q, 1, (ulong)index);
    int real = rewrite_cosine_pi(circuit, q);
    fmpq_set_si(q, index - 2, (ulong)(2 * index));
    int imaginary = rewrite_cosine_pi(circuit, q);
    fmpq_clear(q);
    return term_add(circuit, real, term_multiply(circuit, term_i(circuit), imaginary));
}

/* sqrt(a + bi) where |a + bi| is rational: sqrt((|z| + a)/2) ± i sqrt((|z| - a)/2). -1 where it is not. */
static int root_of_gaussian(struct circuit *circuit, int a) {
    fmpq_t re, im, modulus, x;
    fmpq_init(re);
    fmpq_init(im);
    fmpq_init(modulus);
    fmpq_init(x);
    fmpq_set(re, at(circuit, a)->re);
    fmpq_set(im, at(circuit, a)->im);
    bool exact = false;
    int term = -1;
    if (rational_multiply(modulus, re, re, circuit->work) && rational_multiply(x, im, im, circuit->work) &&
        rational_add(modulus, modulus, x, circuit->work) && rational_root(modulus, modulus, 2, &exact, circuit->work) &&
        exact) {
        fmpq_add(x, modulus, re);
        fmpq_div_2exp(x, x, 1);
        term = rewrite_root(circuit, term_constant(circuit, x, NULL), 2, false);
        fmpq_sub(x, modulus, re);
        fmpq_div_2exp(x, x, 1);
        int other = rewrite_root(circuit, term_constant(circuit, x, NULL), 2, false);
        other = term_multiply(circuit, term_i(circuit), other);
        term = fmpq_sgn(im) < 0 ? term_subtract(circuit, term, other) : term_add(circuit, term, other);
    }
    fmpq_clear(re);
    fmpq_clear(im);
    fmpq_clear(modulus);
    fmpq_clear(x);
    return term;
}

static int root_of_constant(struct circuit *circuit, int a, slong index, bool real) {
    if (!at(circuit, a)->real) {
        int term = index == 2 ? root_of_gaussian(circuit, a) : -1;
        return term >= 0 ? term : term_one(circuit, TERM_ROOT, a, index);
    }
    fmpq_t x;
    fmpq_init(x);
    fmpq_set(x, at(circuit, a)->re);
    int sign = fmpq_sgn(x), term = a;
    fmpq_abs(x, x);
    if (sign != 0) term = root_of_rational(circuit, x, index);
    if (sign < 0 && real && index % 2 == 1)
        term = term_multiply(circuit, term_integer(circuit, -1), term);
    else if (sign < 0)
        term = term_multiply(circuit, term, root_of_minus_one(circuit, index));
    fmpq_clear(x);
    return term;
}

/* ---- roots --------------------------------------------------------------------------------------------------- */

int rewrite_root(struct circuit *circuit, int a, slong index, bool real) {
    if (a < 0 || index < 1 || !work_pay(circuit->work, 10)) return -1;
    if (index == 1) return a;
    if (index > ROOT_INDEX) return none(circuit, "a root's index is too large");
    const struct term *t = at(circuit, a);
    if (t->op == TERM_CONSTANT) return root_of_constant(circuit, a, index, real);
    real = real && index % 2 == 1 && !t->nonnegative;
    if (t->op == TERM_MULTIPLY && at(circuit, t->a)->op == TERM_CONSTANT && at(circuit, t->a)->real) {
        /* A positive factor comes out of any root; -1 out of real ones. */
        int factor = t->a, rest = t->b;
        bool negative = !at(circuit, factor)->positive;
        if (!negative || (real && at(circuit, rest)->real)) {
            factor = root_of_constant(circuit, factor, index, real);
            return term_multiply(circuit, factor, rewrite_root(circuit, rest, index, real));
        }
        int minus = term_integer(circuit, -1);
        if (factor != minus) {
            factor = root_of_constant(circuit, term_multiply(circuit, minus, factor), index, false);
            return term_multiply(circuit, factor,
                                 rewrite_root(circuit, term_multiply(circuit, minus, rest), index, real));
        }
    }
    if (t->op == TERM_POWER && (at(circuit, t->a)->nonnegative || real) && t->k % index == 0 && at(circuit, t->a)->real)
        return term_power(circuit, t->a, t->k / index);
    if (t->op == TERM_POWER && at(circuit, t->a)->real && t->k % 2 == 0 && index % 2 == 0) {
        int base = t->a; /* sqrt(x^2) = |x|, sqrt[4](x^2) = sqrt(|x|), sqrt(x^6) = |x|^3 */
        slong k = t->k, common = (slong)n_gcd((ulong)k, (ulong)index);
        return term_power(circuit, rewrite_root(circuit, rewrite_abs(circuit, base), index / common, false),
                          k / common);
    }
    if (t->op == TERM_ROOT && !real && (double)t->k * (double)index <= ROOT_INDEX)
        return rewrite_root(circuit, t->a, t->k * index, false);
    if (t->op == TERM_EXP && t->positive) {
        fmpq_t factor;
        fmpq_init(factor);
        fmpq_div_fmpz(factor, t->re, (fmpz[]){index});
        int term = term_exp(circuit, factor, t->a);
        fmpq_clear(factor);
        return term;
    }
    return term_one(circuit, real ? TERM_REAL_ROOT : TERM_ROOT, a, index);
}
