/* angles.c - trigonometric functions of terms and their inverses, absolute values, and the parts of complex numbers:
 * exact values where there are, else the function itself. It must not know trees. */
#include "answer/exact/circuit.h"
#include "answer/exact/rational.h"

static int negative(struct circuit *circuit, int a) { return term_multiply(circuit, term_integer(circuit, -1), a); }

static int sqrt_of(struct circuit *circuit, slong n) {
    return rewrite_root(circuit, term_integer(circuit, n), 2, false);
}

/* ---- multiples of π ------------------------------------------------------------------------------------------ */

/* cos(pπ/q), 0 < p/q < 1/2, where it is written with square roots of whole numbers; else as it is. */
static int cosine_in_first_quadrant(struct circuit *circuit, const fmpq_t x) {
    ulong q = fmpz_cmp_ui(fmpq_denref(x), 12) <= 0 ? fmpz_get_ui(fmpq_denref(x)) : 0;
    slong p = q ? fmpz_get_si(fmpq_numref(x)) : 0;
    switch (q) {
    case 3: return term_quotient(circuit, 1, 2);
    case 4: return term_multiply(circuit, term_quotient(circuit, 1, 2), sqrt_of(circuit, 2));
    case 5:
        return term_multiply(circuit, term_quotient(circuit, 1, 4),
                             term_add(circuit, term_integer(circuit, p == 1 ? 1 : -1), sqrt_of(circuit, 5)));
    case 6: return term_multiply(circuit, term_quotient(circuit, 1, 2), sqrt_of(circuit, 3));
    case 12: {
        int two = sqrt_of(circuit, 2);
        return term_multiply(circuit, term_quotient(circuit, 1, 4),
                             term_add(circuit, sqrt_of(circuit, 6), p == 1 ? two : negative(circuit, two)));
    }
    }
    struct term t = {.op = TERM_COSINE_PI, .a = -1, .b = -1};
    fmpq_init(t.re);
    fmpq_init(t.im);
    fmpq_set(t.re, x);
    return term_intern(circuit, &t);
}

int rewrite_cosine_pi(struct circuit *circuit, const fmpq_t q) {
    fmpq_t x;
    fmpz_t turns;
    fmpq_init(x);
    fmpz_init(turns);
    fmpz_mul_2exp(turns, fmpq_denref(q), 1); /* modulo 2, then to [0, 1], as cosine is even, then to [0, 1/2] */
    fmpz_fdiv_r(fmpq_numref(x), fmpq_numref(q), turns);
    fmpz_set(fmpq_denref(x), fmpq_denref(q));
    fmpq_canonicalise(x);
    if (fmpq_cmp_si(x, 1) > 0) {
        fmpq_sub_si(x, x, 2);
        fmpq_neg(x, x);
    }
    fmpz_mul_2exp(turns, fmpq_numref(x), 1);
    int half = fmpz_cmp(turns, fmpq_denref(x)), term;
    if (half > 0) {
        fmpq_sub_si(x, x, 1);
        fmpq_neg(x, x);
    }
    if (half == 0)
        term = term_integer(circuit, 0);
    else if (fmpq_is_zero(x))
        term = term_integer(circuit, 1);
    else
        term = cosine_in_first_quadrant(circuit, x);
    fmpq_clear(x);
    fmpz_clear(turns);
    return half > 0 ? negative(circuit, term) : term;
}

/* ---- sine and cosine ----------------------------------------------------------------------------------------- */

/* Whether a sum consists of π and inverse functions only, whose exponentials are algebraic. */
static bool only_angles(const struct circuit *circuit, const struct linear *sum) {
    for (int i = 0; i < sum->n; i++) {
        const struct term *t = at(circuit, sum->part[i]);
        bool inverse = (t->op == TERM_ATAN || t->op == TERM_ASIN) && at(circuit, t->a)->real;
        if (t->op != TERM_PI && !inverse) return false;
    }
    return true;
}

/* The sum without its multiple of π, which is stored. */
static int without_pi(struct circuit *circuit, const struct linear *sum, fmpq_t pi) {
    int rest = term_integer(circuit, 0);
    fmpq_zero(pi);
    for (int i = 0; i < sum->n; i++)
        if (sum->part[i] >= 0 && at(circuit, sum->part[i])->op == TERM_PI)
            fmpq_set(pi, &sum->factor[i]);
        else
            rest = term_add(circuit, rest, term_scale(circuit, &sum->factor[i], sum->part[i]));
    return rest;
}

/* (e^(ia) ± e^(-ia)) / 2, over i for the sine */
static int by_exponentials(struct circuit *circuit, int a, bool sine) {
    int i = term_i(circuit), forth = rewrite_exp(circuit, term_multiply(circuit, i, a));
    int back = rewrite_exp(circuit, negative(circuit, term_multiply(circuit, i, a)));
    if (!sine) return term_multiply(circuit, term_quotient(circuit, 1, 2), term_add(circuit, forth, back));
    int half = term_divide(circuit, term_quotient(circuit, 1, 2), i);
    return term_multiply(circuit, half, term_subtract(circuit, forth, back));
}

/* sin or cos of an inverse function's value, without complex numbers. -1: another term. */
static int of_inverse(struct circuit *circuit, int a, bool sine) {
    const struct term *t = at(circuit, a);
    if ((t->op != TERM_ASIN && t->op != TERM_ATAN) || !at(circuit, t->a)->real) return -1;
    int operand = t->a, one = term_integer(circuit, 1), square = term_multiply(circuit, operand, operand);
    if (t->op == TERM_ASIN)
        return sine ? operand : rewrite_root(circuit, term_subtract(circuit, one, square), 2, false);
    return term_divide(circuit, sine ? operand : one, rewrite_root(circuit, term_add(circuit, one, square), 2, false));
}

/* sin or cos of a real sum with a multiple of π in it taken away where that is a number of quarter turns. */
static int of_sum(struct circuit *circuit, int a, const fmpq_t pi, int rest, bool sine) {
    fmpq_t quarters;
    fmpq_init(quarters);
    fmpq_mul_2exp(quarters, pi, 1);
    bool whole = rational_is_whole(quarters) && rest >= 0;
    int quarter = whole ? (int)fmpz_fdiv_ui(fmpq_numref(quarters), 4) : 0;
    fmpq_clear(quarters);
    if (!whole) rest = a;
    bool minus = sine ? quarter >= 2 : quarter == 1 || quarter == 2;
    sine ^= quarter % 2 == 1;
    int term = of_inverse(circuit, rest, sine);
    if (term < 0) {
        int c = rest;
        const struct term *t = at(circuit, rest); /* sin(-x) = -sin x */
        bool turned =
            t->op == TERM_MULTIPLY && at(circuit, t->a)->op == TERM_CONSTANT && fmpq_sgn(at(circuit, t->a)->re) < 0;
        turned |= t->op == TERM_CONSTANT && fmpq_sgn(t->re) < 0;
        if (turned) c = negative(circuit, rest);
        minus ^= turned && sine;
        term = c < 0 ? -1 : term_one(circuit, sine ? TERM_SIN : TERM_COS, c, 0);
    }
    return minus ? negative(circuit, term) : term;
}

static int sine_or_cosine(struct circuit *circuit, int a, bool sine) {
    if (a < 0) return -1;
    struct linear sum;
    fmpq_t pi;
    fmpq_init(pi);
    int term = -1;
    if (!linear_init(circuit, &sum, a)) {
        if (at(circuit, a)->real)
            term = term_one(circuit, sine ? TERM_SIN : TERM_COS, a, 0);
        else
            circuit->why = "the angle is too long a sum";
    } else {
        int rest = without_pi(circuit, &sum, pi);
        if (rest == term_integer(circuit, 0)) {
            if (sine) { /* sin(qπ) = cos(π/2 - qπ) */
                fmpq_t half;
                fmpq_init(half);
                fmpq_set_si(half, 1, 2);
                fmpq_sub(pi, half, pi);
                fmpq_clear(half);
            }
            term = rewrite_cosine_pi(circuit, pi);
        } else if (only_angles(circuit, &sum) && sum.n > 1) {
            int w = rewrite_exp(circuit, term_multiply(circuit, term_i(circuit), a));
            term = rewrite_part(circuit, sine ? TERM_IM : TERM_RE, w);
        } else if (at(circuit, a)->real) {
            term = of_sum(circuit, a, pi, rest, sine);
        } else {
            term = by_exponentials(circuit, a, sine);
        }
    }
    linear_release(&sum);
    fmpq_clear(pi);
    return term;
}

int rewrite_sin(struct circuit *circuit, int a) { return sine_or_cosine(circuit, a, true); }
int rewrite_cos(struct circuit *circuit, int a) { return sine_or_cosine(circuit, a, false); }

/* ---- inverse functions --------------------------------------------------------------------------------------- */

/* The multiple of π/120 that an angle is near to, if its enclosure allows just one; INT_MIN: none. */
static int nearest_angle(struct circuit *circuit, int angle) {
    int found = INT_MIN;
    if (!circuit_enclose(circuit, angle, 64) || !circuit_real(circuit, angle)) return found;
    arb_t x, pi;
    fmpz_t whole;
    arb_init(x);
    arb_init(pi);
    fmpz_init(whole);
    arb_const_pi(pi, 64);
    arb_mul_ui(x, acb_realref(at(circuit, angle)->value), 120, 64);
    arb_div(x, x, pi, 64);
    if (arb_rel_accuracy_bits(x) > 30 && arb_get_unique_fmpz(whole, x) && fmpz_cmp_si(whole, 200) < 0 &&
        fmpz_cmp_si(whole, -200) > 0)
        found = (int)fmpz_get_si(whole);
    arb_clear(x);
    arb_clear(pi);
    fmpz_clear(whole);
    return found;
}

/* An inverse function of an algebraic number as a multiple of π, if it is one of 120ths: guessed, and then proved by
 * the function itself, whose branch the guess is on. */
static int as_multiple_of_pi(struct circuit *circuit, enum op op, int a, int angle) {
    int k = nearest_angle(circuit, angle);
    if (k == INT_MIN) return angle;
    fmpq_t x;
    fmpq_init(x);
    fmpq_set_si(x, k, 120);
    int multiple = term_scale(circuit, x, term_leaf(circuit, TERM_PI, 0)), sine = rewrite_sin(circuit, multiple);
    int zero; /* sin(kπ/120) - a, or sin - a cos */
    if (op == TERM_ATAN)
        zero = term_subtract(circuit, sine, term_multiply(circuit, a, rewrite_cos(circuit, multiple)));
    else
        zero = term_subtract(circuit, sine, a);
    fmpq_clear(x);
    return circuit_zero(circuit, zero) == PROVED_ZERO ? multiple : angle;
}

static int inverse(struct circuit *circuit, enum op op, int a) {
    if (a < 0) return -1;
    const struct term *t = at(circuit, a);
    if (t->op == TERM_CONSTANT && fmpq_is_zero(t->re) && fmpq_is_zero(t->im)) return a;
    bool minus = t->op == TERM_CONSTANT && t->real && fmpq_sgn(t->re) < 0; /* both are odd */
    minus |= t->op == TERM_MULTIPLY && at(circuit, t->a)->op == TERM_CONSTANT && fmpq_sgn(at(circuit, t->a)->re) < 0;
    if (minus) return negative(circuit, inverse(circuit, op, negative(circuit, a)));
    if (!t->real) {
        circuit->why = "an inverse function of a complex number";
        return -1;
    }
    if (op == TERM_ASIN) { /* 1 - a^2 >= 0: beyond, conventions differ */
        int rest = term_subtract(circuit, term_integer(circuit, 1), term_multiply(circuit, a, a));
        if (!circuit_guard(circuit, GUARD_NOT_NEGATIVE, rest)) return -1;
    }
    int angle = term_one(circuit, op, a, 0);
    bool number = angle >= 0 && !at(circuit, a)->variable && at(circuit, a)->algebraic;
    return number ? as_multiple_of_pi(circuit, op, a, angle) : angle;
}

int rewrite_asin(struct circuit *circuit, int a) { return inverse(circuit, TERM_ASIN, a); }
int rewrite_atan(struct circuit *circuit, int a) { return inverse(circuit, TERM_ATAN, a); }

/* ---- complex numbers ----------------------------------------------------------------------------------------- */

int rewrite_abs(struct circuit *circuit, int a) {
    if (a < 0 || !work_pay(circuit->work, 10)) return -1;
    const struct term *t = at(circuit, a);
    if (t->nonnegative) return a;
    if (t->op == TERM_CONSTANT && t->real) return negative(circuit, a);
    if (t->op == TERM_CONSTANT)
        return rewrite_root(circuit, term_multiply(circuit, a, rewrite_part(circuit, TERM_CONJUGATE, a)), 2, false);
    if (t->op == TERM_MULTIPLY &&
        (at(circuit, t->a)->op == TERM_CONSTANT || at(circuit, t->a)->nonnegative || at(circuit, t->b)->nonnegative)) {
        int b = t->b;
        return term_multiply(circuit, rewrite_abs(circuit, t->a), rewrite_abs(circuit, b));
    }
    if (!t->real) return rewrite_root(circuit, term_one(circuit, TERM_NORM, a, 0), 2, false);
    if (!t->variable) {
        int sign = circuit_sign(circuit, a);
        if (sign < 2) return sign < 0 ? negative(circuit, a) : sign == 0 ? term_integer(circuit, 0) : a;
    }
    return term_one(circuit, TERM_ABS, a, 0);
}

static int part_of_constant(struct circuit *circuit, enum op op, int a) {
    fmpq_t re, im;
    fmpq_init(re);
    fmpq_init(im);
    if (op == TERM_IM)
        fmpq_set(re, at(circuit, a)->im);
    else
        fmpq_set(re, at(circuit, a)->re);
    if (op == TERM_CONJUGATE) fmpq_neg(im, at(circuit, a)->im);
    int term = term_constant(circuit, re, im);
    fmpq_clear(re);
    fmpq_clear(im);
    return term;
}

int rewrite_part(struct circuit *circuit, enum op op, int a) {
    if (a < 0 || !work_pay(circuit->work, 10)) return -1;
    const struct term *t = at(circuit, a);
    if (t->real) return op == TERM_IM ? term_integer(circuit, 0) : a;
    int s = t->a, r = t->b;
    switch (t->op) {
    case TERM_CONSTANT: return part_of_constant(circuit, op, a);
    case TERM_ADD: return term_add(circuit, rewrite_part(circuit, op, s), rewrite_part(circuit, op, r));
    case TERM_MULTIPLY:
        if (op == TERM_CONJUGATE)
            return term_multiply(circuit, rewrite_part(circuit, op, s), rewrite_part(circuit, op, r));
        if (at(circuit, s)->real) return term_multiply(circuit, s, rewrite_part(circuit, op, r));
        if (at(circuit, r)->real) return term_multiply(circuit, r, rewrite_part(circuit, op, s));
        break;
    case TERM_DIVIDE:
        if (at(circuit, r)->real) return term_divide(circuit, rewrite_part(circuit, op, s), r);
        break;
    case TERM_POWER:
        if (op == TERM_CONJUGATE) {
            slong k = t->k;
            return term_power(circuit, rewrite_part(circuit, op, s), k);
        }
        break;
    default: break;
    }
    return term_one(circuit, op, a, 0);
}
