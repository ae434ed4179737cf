/* powers.c - powers, exponentials and logarithms of terms, taken apart where that holds for principal values. It must
 * not know trees. */
#include "answer/exact/circuit.h"
#include "answer/exact/factors.h"
#include "answer/exact/rational.h"

static int none(struct circuit *circuit, const char *why) {
    circuit->why = why;
    return -1;
}

/* ---- sums of multiples --------------------------------------------------------------------------------------- */

void linear_release(struct linear *linear) {
    for (int i = 0; i < linear->n; i++) fmpq_clear(&linear->factor[i]);
    linear->n = 0;
}

static bool linear_add(struct circuit *circuit, struct linear *linear, const fmpq_t factor, int part) {
    if (part < 0) return false;
    if (fmpq_is_zero(factor)) return true;
    for (int i = 0; i < linear->n; i++)
        if (linear->part[i] == part) return rational_add(&linear->factor[i], &linear->factor[i], factor, circuit->work);
    if (linear->n == LINEAR_PARTS) return false;
    fmpq_init(&linear->factor[linear->n]);
    fmpq_set(&linear->factor[linear->n], factor);
    linear->part[linear->n++] = part;
    return true;
}

/* Whether a term is i t, and t. */
static bool is_i_times(const struct circuit *circuit, int term, int *other) {
    const struct term *t = at(circuit, term);
    if (t->op != TERM_MULTIPLY || at(circuit, t->a)->op != TERM_CONSTANT) return false;
    const struct term *c = at(circuit, t->a);
    *other = t->b;
    return fmpq_is_zero(c->re) && fmpq_is_one(c->im);
}

static bool linear_collect(struct circuit *circuit, struct linear *linear, const fmpq_t factor, int term);

/* factor times c times `term`, for a constant c. */
static bool linear_scaled(struct circuit *circuit, struct linear *linear, const fmpq_t factor, int c, int term) {
    fmpq_t x;
    fmpq_init(x);
    bool done = rational_multiply(x, factor, at(circuit, c)->re, circuit->work);
    done = done && (fmpq_is_zero(x) || linear_collect(circuit, linear, x, term));
    done = done && rational_multiply(x, factor, at(circuit, c)->im, circuit->work);
    if (done && !fmpq_is_zero(x)) {
        struct linear parts;
        done = linear_init(circuit, &parts, term);
        for (int i = 0; done && i < parts.n; i++) {
            fmpq_t y;
            fmpq_init(y);
            int other;
            if (is_i_times(circuit, parts.part[i], &other) || parts.part[i] == term_i(circuit)) {
                int part = parts.part[i] == term_i(circuit) ? term_integer(circuit, 1) : other;
                fmpq_neg(y, &parts.factor[i]);
                done = rational_multiply(y, y, x, circuit->work) && linear_add(circuit, linear, y, part);
            } else {
                done = rational_multiply(y, &parts.factor[i], x, circuit->work) &&
                       linear_add(circuit, linear, y, term_multiply(circuit, term_i(circuit), parts.part[i]));
            }
            fmpq_clear(y);
        }
        linear_release(&parts);
    }
    fmpq_clear(x);
    return done;
}

/* factor times a product or quotient of two terms, each of which may be a sum. */
static bool linear_product(struct circuit *circuit, struct linear *linear, const fmpq_t factor, int term) {
    bool divided = at(circuit, term)->op == TERM_DIVIDE;
    int second = at(circuit, term)->b;
    struct linear left, right = {.n = 0};
    bool done = linear_init(circuit, &left, at(circuit, term)->a);
    done = done && (divided || linear_init(circuit, &right, second));
    if (done && left.n <= 1 && (divided || right.n <= 1)) { /* no sum in it */
        linear_release(&left);
        linear_release(&right);
        return linear_add(circuit, linear, factor, term);
    }
    for (int i = 0; done && i < left.n; i++)
        for (int j = 0; done && j < (divided ? 1 : right.n); j++) {
            fmpq_t x;
            fmpq_init(x);
            int part = divided ? term_divide(circuit, left.part[i], second)
                               : term_multiply(circuit, left.part[i], right.part[j]);
            done = part >= 0 && rational_multiply(x, factor, &left.factor[i], circuit->work) &&
                   (divided || rational_multiply(x, x, &right.factor[j], circuit->work));
            const struct term *t = done ? at(circuit, part) : NULL;
            if (done && t->op == TERM_MULTIPLY && at(circuit, t->a)->op == TERM_CONSTANT)
                done = linear_scaled(circuit, linear, x, t->a, t->b);
            else
                done = done && linear_add(circuit, linear, x, part);
            fmpq_clear(x);
        }
    linear_release(&left);
    linear_release(&right);
    return done;
}

static bool linear_constant(struct circuit *circuit, struct linear *linear, const fmpq_t factor, int c) {
    fmpq_t x;
    fmpq_init(x);
    bool done = rational_multiply(x, factor, at(circuit, c)->re, circuit->work) &&
                linear_add(circuit, linear, x, term_integer(circuit, 1)) &&
                rational_multiply(x, factor, at(circuit, c)->im, circuit->work) &&
                linear_add(circuit, linear, x, term_i(circuit));
    fmpq_clear(x);
    return done;
}

static bool linear_collect_deep(struct circuit *circuit, struct linear *linear, const fmpq_t factor, int term) {
    const struct term *t = at(circuit, term);
    switch (t->op) {
    case TERM_CONSTANT: return linear_constant(circuit, linear, factor, term);
    case TERM_ADD: {
        int b = t->b;
        return linear_collect(circuit, linear, factor, t->a) && linear_collect(circuit, linear, factor, b);
    }
    case TERM_MULTIPLY: {
        int other;
        if (is_i_times(circuit, term, &other) && at(circuit, other)->op != TERM_ADD &&
            at(circuit, other)->op != TERM_MULTIPLY && at(circuit, other)->op != TERM_DIVIDE)
            return linear_add(circuit, linear, factor, term);
        if (at(circuit, t->a)->op == TERM_CONSTANT) return linear_scaled(circuit, linear, factor, t->a, t->b);
        return linear_product(circuit, linear, factor, term);
    }
    case TERM_DIVIDE: return linear_product(circuit, linear, factor, term);
    default: return linear_add(circuit, linear, factor, term);
    }
}

static bool linear_collect(struct circuit *circuit, struct linear *linear, const fmpq_t factor, int term) {
    if (!work_pay(circuit->work, 10)) return false;
    if (circuit->depth == LINEAR_DEPTH) return linear_add(circuit, linear, factor, term);
    circuit->depth++;
    bool done = linear_collect_deep(circuit, linear, factor, term);
    circuit->depth--;
    return done;
}

bool linear_init(struct circuit *circuit, struct linear *linear, int term) {
    linear->n = 0;
    if (term < 0) return false;
    fmpq_t one;
    fmpq_init(one);
    fmpq_one(one);
    bool done = linear_collect(circuit, linear, one, term);
    fmpq_clear(one);
    return done;
}

/* ---- exponentials and powers --------------------------------------------------------------------------------- */

/* a to a rational power, principal, whatever a is. */
static int rational_power_of(struct circuit *circuit, int a, const fmpq_t x) {
    if (fmpz_bits(fmpq_numref(x)) > EXPONENT_BITS) return none(circuit, "an exponent is too large");
    if (fmpz_cmp_ui(fmpq_denref(x), ROOT_INDEX) > 0) return none(circuit, "a root's index is too large");
    int root = rewrite_root(circuit, a, fmpz_get_si(fmpq_denref(x)), false);
    return term_power(circuit, root, fmpz_get_si(fmpq_numref(x)));
}

/* exp(x i t) for an angle t that is a multiple of π or an inverse function; -1 for others. */
static int exp_of_angle(struct circuit *circuit, const fmpq_t x, int t) {
    int one = term_integer(circuit, 1), i = term_i(circuit), w = -1;
    if (at(circuit, t)->op == TERM_PI) {
        fmpq_t q;
        fmpq_init(q);
        fmpq_set_si(q, 1, 2);
        fmpq_sub(q, q, x);
        int sine = rewrite_cosine_pi(circuit, q);
        fmpq_clear(q);
        return term_add(circuit, rewrite_cosine_pi(circuit, x), term_multiply(circuit, i, sine));
    }
    int operand = at(circuit, t)->a;
    if (at(circuit, t)->op == TERM_ATAN && at(circuit, t)->real) { /* (1 + ti) / sqrt(1 + t^2) */
        int square = term_add(circuit, one, term_multiply(circuit, operand, operand));
        w = term_divide(circuit, term_add(circuit, one, term_multiply(circuit, i, operand)),
                        rewrite_root(circuit, square, 2, false));
    } else if (at(circuit, t)->op == TERM_ASIN && at(circuit, operand)->real) { /* sqrt(1 - t^2) + ti */
        int square = term_subtract(circuit, one, term_multiply(circuit, operand, operand));
        w = term_add(circuit, rewrite_root(circuit, square, 2, false), term_multiply(circuit, i, operand));
    }
    return w < 0 ? -1 : rational_power_of(circuit, w, x);
}

static int exp_of_part(struct circuit *circuit, const fmpq_t x, int part) {
    int angle;
    if (at(circuit, part)->op == TERM_LN) return rational_power_of(circuit, at(circuit, part)->a, x);
    if (is_i_times(circuit, part, &angle)) {
        enum op op = at(circuit, angle)->op;
        if (op == TERM_PI || op == TERM_ATAN || op == TERM_ASIN) return exp_of_angle(circuit, x, angle);
    }
    return term_exp(circuit, x, part);
}

int rewrite_exp(struct circuit *circuit, int a) {
    if (a < 0) return -1;
    struct linear sum;
    int term = -1;
    if (linear_init(circuit, &sum, a)) {
        term = term_integer(circuit, 1);
        for (int i = 0; i < sum.n; i++)
            if (!fmpq_is_zero(&sum.factor[i]))
                term = term_multiply(circuit, term, exp_of_part(circuit, &sum.factor[i], sum.part[i]));
    } else if (circuit->work->left > 0) {
        fmpq_t one;
        fmpq_init(one);
        fmpq_one(one);
        term = term_exp(circuit, one, a);
        fmpq_clear(one);
    }
    linear_release(&sum);
    return term;
}

int rewrite_power(struct circuit *circuit, int a, int exponent) {
    if (a < 0 || exponent < 0) return -1;
    const struct term *base = at(circuit, a), *e = at(circuit, exponent);
    bool zero = base->op == TERM_CONSTANT && fmpq_is_zero(base->re) && fmpq_is_zero(base->im);
    if (zero && !e->positive) return none(circuit, "zero to such a power has no value");
    if (zero) return a;
    bool rational = e->op == TERM_CONSTANT && e->real && fmpz_bits(fmpq_numref(e->re)) <= EXPONENT_BITS;
    if (!rational || !rational_is_whole(e->re)) {
        if (base->op == TERM_CONSTANT && base->real && !base->nonnegative)
            return none(circuit, "a negative number to a fractional power");
        if (!base->nonnegative && base->op != TERM_CONSTANT && !circuit_guard(circuit, GUARD_NOT_NEGATIVE, a))
            return -1;
    }
    base = at(circuit, a), e = at(circuit, exponent);
    if (rational) {
        fmpq_t x;
        fmpq_init(x);
        fmpq_set(x, e->re);
        int term = rational_power_of(circuit, a, x);
        fmpq_clear(x);
        return term;
    }
    if (base->op == TERM_EXP && base->positive) { /* e^x, and e itself */
        fmpq_t x;
        fmpq_init(x);
        fmpq_set(x, base->re);
        int term = rewrite_exp(circuit, term_multiply(circuit, term_scale(circuit, x, base->a), exponent));
        fmpq_clear(x);
        return term;
    }
    return rewrite_exp(circuit, term_multiply(circuit, exponent, rewrite_ln(circuit, a)));
}

/* ---- logarithms ---------------------------------------------------------------------------------------------- */

static int ln_of_rational(struct circuit *circuit, const fmpq_t x) {
    struct factors f;
    if (!factors_init(&f, x, circuit->work)) return -1;
    int sum = term_integer(circuit, 0);
    for (int i = 0; i < f.n; i++) {
        fmpq_t base;
        fmpq_init(base);
        fmpz_set(fmpq_numref(base), &f.base[i]);
        int ln = term_one(circuit, TERM_LN, term_constant(circuit, base, NULL), 0);
        fmpq_set_si(base, f.exponent[i], 1);
        sum = term_add(circuit, sum, term_scale(circuit, base, ln));
        fmpq_clear(base);
    }
    factors_release(&f);
    return sum;
}

/* q π i */
static int i_pi(struct circuit *circuit, slong p, ulong q) {
    fmpq_t x;
    fmpq_init(x);
    fmpq_set_si(x, p, q);
    int term = term_multiply(circuit, term_i(circuit), term_scale(circuit, x, term_leaf(circuit, TERM_PI, 0)));
    fmpq_clear(x);
    return term;
}

/* ln |z| + i arg z */
static int ln_of_gaussian(struct circuit *circuit, int a) {
    fmpq_t re, im, x;
    fmpq_init(re);
    fmpq_init(im);
    fmpq_init(x);
    fmpq_set(re, at(circuit, a)->re);
    fmpq_set(im, at(circuit, a)->im);
    int norm = term_multiply(circuit, a, rewrite_part(circuit, TERM_CONJUGATE, a)), angle;
    if (fmpq_is_zero(re))
        angle = i_pi(circuit, fmpq_sgn(im), 2);
    else if (rational_divide(x, im, re, circuit->work)) {
        angle = term_multiply(circuit, term_i(circuit), rewrite_atan(circuit, term_constant(circuit, x, NULL)));
        if (fmpq_sgn(re) < 0) angle = term_add(circuit, angle, i_pi(circuit, fmpq_sgn(im), 1));
    } else
        angle = -1;
    fmpq_set_si(x, 1, 2);
    int term = term_add(circuit, term_scale(circuit, x, rewrite_ln(circuit, norm)), angle);
    fmpq_clear(re);
    fmpq_clear(im);
    fmpq_clear(x);
    return term;
}

static int ln_of_constant(struct circuit *circuit, int a) {
    if (!at(circuit, a)->real) return ln_of_gaussian(circuit, a);
    fmpq_t x;
    fmpq_init(x);
    fmpq_set(x, at(circuit, a)->re);
    int sign = fmpq_sgn(x), term = -1;
    fmpq_abs(x, x);
    if (sign == 0)
        circuit->why = "the logarithm of zero has no value";
    else
        term = ln_of_rational(circuit, x);
    if (sign < 0) term = term_add(circuit, term, i_pi(circuit, 1, 1));
    fmpq_clear(x);
    return term;
}

int rewrite_ln(struct circuit *circuit, int a) {
    if (a < 0 || !work_pay(circuit->work, 10)) return -1;
    const struct term *t = at(circuit, a);
    int s = t->a, r = t->b;
    slong k = t->k;
    switch (t->op) {
    case TERM_CONSTANT: return ln_of_constant(circuit, a);
    case TERM_EXP:
        if (!at(circuit, s)->real) break;
        return term_scale(circuit, t->re, s);
    case TERM_MULTIPLY: /* a positive factor comes out */
        if (!at(circuit, s)->positive && !at(circuit, r)->positive) break;
        return term_add(circuit, rewrite_ln(circuit, s), rewrite_ln(circuit, r));
    case TERM_DIVIDE:
        if (!at(circuit, r)->positive) break;
        return term_subtract(circuit, rewrite_ln(circuit, s), rewrite_ln(circuit, r));
    case TERM_POWER:
        if (!at(circuit, s)->positive) break;
        return term_multiply(circuit, term_integer(circuit, k), rewrite_ln(circuit, s));
    case TERM_ROOT: return term_divide(circuit, rewrite_ln(circuit, s), term_integer(circuit, k));
    default: break;
    }
    if (!t->positive && !circuit_guard(circuit, GUARD_NOT_ZERO, a)) return -1;
    return term_one(circuit, TERM_LN, a, 0);
}
