/* rational.c - the value of trees that are rational numbers all the way, which nearly all answers are. Nothing but the
 * stack is used for small numbers. It must not know enclosures or terms. */
#include "answer/exact/rational.h"
#include "answer/exact/limits.h"

/* ---- operations ---------------------------------------------------------------------------------------------- */

static bool too_large(struct work *work) {
    if (work->left > 0) work->limit = LIMIT_BITS;
    return false;
}

/* Pays for an operation on two numbers, with a gcd of their parts; its result has at most the bits of both. */
static bool pay(const fmpq_t a, const fmpq_t b, struct work *work) {
    double x = (double)rational_bits(a), y = (double)rational_bits(b);
    if (x + y > EXACT_BITS) return too_large(work);
    return work_pay(work, x + y < 128 ? 6 : x > y ? cost_gcd(x / 2, y / 2) : cost_gcd(y / 2, x / 2));
}

/* Pays for making a whole number of so many bits by multiplications. */
static bool pay_product(double bits, struct work *work) {
    if (bits > EXACT_BITS) return too_large(work);
    return work_pay(work, 6 + 3 * cost_multiply(bits));
}

bool rational_add(fmpq_t out, const fmpq_t a, const fmpq_t b, struct work *work) {
    if (!pay(a, b, work)) return false;
    fmpq_add(out, a, b);
    return true;
}

bool rational_multiply(fmpq_t out, const fmpq_t a, const fmpq_t b, struct work *work) {
    if (!pay(a, b, work)) return false;
    fmpq_mul(out, a, b);
    return true;
}

bool rational_divide(fmpq_t out, const fmpq_t a, const fmpq_t b, struct work *work) {
    if (!pay(a, b, work)) return false;
    fmpq_div(out, a, b);
    return true;
}

/* log2 |n|, a little over it */
static double log_size(const fmpz_t n) {
    return fmpz_bits(n) < 50 ? log2(fabs(fmpz_get_d(n))) + 1e-9 : (double)fmpz_bits(n);
}

bool rational_power(fmpq_t out, const fmpq_t a, const fmpz_t n, struct work *work) {
    bool odd = fmpz_is_odd(n);
    if (fmpq_is_zero(a) || fmpz_is_zero(n)) { /* 0 to a positive power; anything to the power 0 */
        fmpq_set_si(out, fmpz_is_zero(n), 1);
        return true;
    }
    if (fmpz_is_pm1(fmpq_numref(a)) && rational_is_whole(a)) {
        fmpq_set_si(out, odd ? fmpz_get_si(fmpq_numref(a)) : 1, 1);
        return true;
    }
    if (fmpz_bits(n) > 31) return too_large(work);
    slong times = fmpz_get_si(n);
    double bits = (log_size(fmpq_numref(a)) + log_size(fmpq_denref(a))) * fabs((double)times);
    if (!pay_product(bits, work)) return false;
    fmpq_pow_si(out, a, times);
    return true;
}

/* The root of a whole number, if it is whole. */
static bool whole_root(fmpz_t out, const fmpz_t a, ulong index) {
    if (index == 1 || fmpz_is_zero(a) || fmpz_is_one(a)) {
        fmpz_set(out, a);
        return true;
    }
    if (index >= fmpz_bits(a) && !fmpz_is_pm1(a)) return false; /* |a| < 2^index */
    return fmpz_root(out, a, (slong)index);
}

bool rational_root(fmpq_t out, const fmpq_t a, ulong index, bool *exact, struct work *work) {
    if (!work_pay(work, 10 + 10 * cost_multiply((double)rational_bits(a)))) return false;
    fmpq_t root;
    fmpq_init(root);
    *exact =
        whole_root(fmpq_denref(root), fmpq_denref(a), index) && whole_root(fmpq_numref(root), fmpq_numref(a), index);
    if (*exact) fmpq_swap(out, root);
    fmpz_one(fmpq_denref(root));
    fmpq_clear(root);
    return true;
}

enum value rational_factorial(fmpq_t out, const fmpq_t n, struct work *work) {
    if (!rational_is_whole(n) || fmpq_sgn(n) < 0) return VALUE_NONE;
    if (fmpz_cmp_ui(fmpq_numref(n), EXACT_BITS) > 0) return too_large(work) ? VALUE_NONE : VALUE_TOO_LARGE;
    ulong k = fmpz_get_ui(fmpq_numref(n));
    double bits = (double)k * log2((double)k + 2);
    if (!pay_product(bits, work) || !work_pay(work, (double)k)) return VALUE_TOO_LARGE;
    fmpz_fac_ui(fmpq_numref(out), k);
    fmpz_one(fmpq_denref(out));
    return VALUE_RATIONAL;
}

/* n (n-1) … (n-k+1) / k! */
static enum value falling(fmpq_t out, const fmpq_t n, ulong k, struct work *work) {
    enum value value = VALUE_RATIONAL;
    fmpq_t product, factor;
    fmpq_init(product);
    fmpq_init(factor);
    fmpq_one(product);
    fmpq_set(factor, n);
    for (ulong i = 1; i <= k && value == VALUE_RATIONAL; i++) {
        if (!rational_multiply(product, product, factor, work)) value = VALUE_TOO_LARGE;
        fmpz_sub(fmpq_numref(factor), fmpq_numref(factor), fmpq_denref(factor));
        fmpq_div_fmpz(product, product, (fmpz[]){(fmpz)i});
    }
    if (value == VALUE_RATIONAL) fmpq_swap(out, product);
    fmpq_clear(product);
    fmpq_clear(factor);
    return value;
}

enum value rational_binomial(fmpq_t out, const fmpq_t n, const fmpq_t k, struct work *work) {
    if (!rational_is_whole(k) || fmpq_sgn(k) < 0) return VALUE_NONE;
    bool whole = rational_is_whole(n) && fmpq_sgn(n) >= 0;
    if (whole && fmpq_cmp(k, n) > 0) {
        fmpq_zero(out);
        return VALUE_RATIONAL;
    }
    fmpz_t least;
    fmpz_init_set(least, fmpq_numref(k));
    if (whole) {
        fmpz_sub(least, fmpq_numref(n), least);
        if (fmpz_cmp(least, fmpq_numref(k)) > 0) fmpz_set(least, fmpq_numref(k));
    }
    /* At most (n e / k)^k, and n^k for any n. */
    ulong times = fmpz_cmp_ui(least, EXACT_BITS) > 0 ? EXACT_BITS : fmpz_get_ui(least);
    fmpz_clear(least);
    if (!whole) return times < EXACT_BITS / 16 ? falling(out, n, times, work) : VALUE_TOO_LARGE;
    double bits = (double)times * (fabs(fmpz_get_d(fmpq_numref(n))) < 1e300 && times > 0
                                       ? log2(fmpz_get_d(fmpq_numref(n)) / (double)times) + 1.5
                                       : (double)fmpz_bits(fmpq_numref(n)));
    if (fmpz_bits(fmpq_numref(n)) > 63) return falling(out, n, times, work);
    if (!pay_product(bits, work) || !work_pay(work, (double)times)) return VALUE_TOO_LARGE;
    fmpz_bin_uiui(fmpq_numref(out), fmpz_get_ui(fmpq_numref(n)), times);
    fmpz_one(fmpq_denref(out));
    return VALUE_RATIONAL;
}

enum value rational_gcd(fmpq_t out, const fmpq_t a, const fmpq_t b, bool lcm, struct work *work) {
    if (!rational_is_whole(a) || !rational_is_whole(b)) return VALUE_NONE;
    if (!pay(a, b, work)) return VALUE_TOO_LARGE;
    if (lcm)
        fmpz_lcm(fmpq_numref(out), fmpq_numref(a), fmpq_numref(b));
    else
        fmpz_gcd(fmpq_numref(out), fmpq_numref(a), fmpq_numref(b));
    fmpz_one(fmpq_denref(out));
    return VALUE_RATIONAL;
}

/* ---- written numbers ----------------------------------------------------------------------------------------- */

static bool read_digits(fmpz_t out, cord_text digits, struct work *work) {
    if (digits.len <= 18) {
        ulong value = 0;
        for (size_t i = 0; i < digits.len; i++) value = value * 10 + (ulong)(digits.data[i] - '0');
        fmpz_set_ui(out, value);
        return true;
    }
    char *copy;
    if (digits.len > TREE_TEXT || !work_pay(work, 4 * cost_multiply(4.0 * (double)digits.len))) return too_large(work);
    copy = flint_malloc(digits.len + 1);
    memcpy(copy, digits.data, digits.len);
    copy[digits.len] = '\0';
    fmpz_set_str(out, copy, 10);
    flint_free(copy);
    return true;
}

/* out times 10^exponent. */
static bool scale(fmpq_t out, slong exponent, struct work *work) {
    if (exponent == 0 || fmpq_is_zero(out)) return true;
    fmpq_t power;
    fmpz_t times;
    fmpq_init(power);
    fmpz_init(times);
    fmpq_set_si(power, 10, 1);
    fmpz_set_si(times, exponent);
    bool done = rational_power(power, power, times, work) && rational_multiply(out, out, power, work);
    fmpq_clear(power);
    fmpz_clear(times);
    return done;
}

/* With all digits D, those that do not recur P, and r that do: D + (D - P 10^r)/(10^r - 1) = 10^r (D - P)/(10^r -
 * 1). */
static bool recur(fmpq_t out, const struct node *number, struct work *work) {
    size_t r = (size_t)number->repeat, n = number->text.len;
    fmpq_t nines;
    fmpq_init(nines);
    fmpq_one(nines);
    bool done = read_digits(fmpq_numref(out), text_slice(number->text, 0, n - r), work);
    fmpz_t all;
    fmpz_init(all);
    done = done && read_digits(all, number->text, work) && scale(nines, (slong)r, work);
    if (done) {
        fmpz_sub(fmpq_numref(out), all, fmpq_numref(out));
        fmpz_sub_ui(fmpq_numref(nines), fmpq_numref(nines), 1);
        done = rational_divide(out, out, nines, work) && scale(out, (slong)r + number->exponent, work);
    }
    fmpz_clear(all);
    fmpq_clear(nines);
    return done;
}

enum value rational_number(fmpq_t out, const struct node *number, struct work *work) {
    fmpq_zero(out);
    bool done;
    if (number->repeat > 0 && (size_t)number->repeat <= number->text.len)
        done = recur(out, number, work);
    else
        done = read_digits(fmpq_numref(out), number->text, work) && scale(out, number->exponent, work);
    return done ? VALUE_RATIONAL : VALUE_TOO_LARGE;
}

/* ---- trees --------------------------------------------------------------------------------------------------- */

static enum value power_value(fmpq_t out, const fmpq_t exponent, struct work *work) {
    if (fmpq_is_zero(out) && fmpq_sgn(exponent) <= 0) return VALUE_NONE;
    if (!rational_is_whole(exponent)) {
        if (fmpq_sgn(out) < 0) return VALUE_NONE;
        if (fmpz_cmp_ui(fmpq_denref(exponent), ROOT_INDEX) > 0) return VALUE_OTHER;
        bool exact;
        if (!rational_root(out, out, fmpz_get_ui(fmpq_denref(exponent)), &exact, work)) return VALUE_TOO_LARGE;
        if (!exact) return VALUE_OTHER;
    }
    return rational_power(out, out, fmpq_numref(exponent), work) ? VALUE_RATIONAL : VALUE_TOO_LARGE;
}

static enum value root_value(fmpq_t out, const fmpq_t index, struct work *work) {
    if (!rational_is_whole(index) || fmpq_sgn(index) <= 0 || fmpz_cmp_ui(fmpq_numref(index), ROOT_INDEX) > 0)
        return VALUE_OTHER;
    ulong n = fmpz_get_ui(fmpq_numref(index));
    if (n % 2 == 0 && fmpq_sgn(out) < 0) return VALUE_OTHER;
    bool exact;
    if (!rational_root(out, out, n, &exact, work)) return VALUE_TOO_LARGE;
    return exact ? VALUE_RATIONAL : VALUE_OTHER;
}

static enum value function_value(fmpq_t out, const struct node *node, const fmpq_t next, struct work *work) {
    switch (node->which) {
    case FUNCTION_GCD:
    case FUNCTION_LCM: return rational_gcd(out, out, next, node->which == FUNCTION_LCM, work);
    case FUNCTION_MIN:
        if (fmpq_cmp(next, out) < 0) fmpq_set(out, next);
        return VALUE_RATIONAL;
    case FUNCTION_MAX:
        if (fmpq_cmp(next, out) > 0) fmpq_set(out, next);
        return VALUE_RATIONAL;
    }
    return VALUE_OTHER;
}

/* Takes the value of one more child into that of those before it. */
static enum value combine(fmpq_t out, const struct node *node, const fmpq_t next, struct work *work) {
    switch (node->kind) {
    case NODE_ADD: return rational_add(out, out, next, work) ? VALUE_RATIONAL : VALUE_TOO_LARGE;
    case NODE_MULTIPLY: return rational_multiply(out, out, next, work) ? VALUE_RATIONAL : VALUE_TOO_LARGE;
    case NODE_DIVIDE:
        if (fmpq_is_zero(next)) return VALUE_NONE;
        return rational_divide(out, out, next, work) ? VALUE_RATIONAL : VALUE_TOO_LARGE;
    case NODE_POWER: return power_value(out, next, work);
    case NODE_ROOT: return root_value(out, next, work);
    case NODE_BINOMIAL: return rational_binomial(out, out, next, work);
    case NODE_FUNCTION: return function_value(out, node, next, work);
    default: return VALUE_OTHER;
    }
}

static enum value one_child(fmpq_t out, const struct node *node, struct work *work) {
    switch (node->kind) {
    case NODE_NEGATE: fmpq_neg(out, out); return VALUE_RATIONAL;
    case NODE_ABS: fmpq_abs(out, out); return VALUE_RATIONAL;
    case NODE_PERCENT: fmpq_div_fmpz(out, out, (fmpz[]){100}); return VALUE_RATIONAL;
    case NODE_DEGREE: return fmpq_is_zero(out) ? VALUE_RATIONAL : VALUE_OTHER;
    case NODE_FACTORIAL: return rational_factorial(out, out, work);
    case NODE_FLOOR:
    case NODE_CEILING:
        if (node->kind == NODE_FLOOR)
            fmpz_fdiv_q(fmpq_numref(out), fmpq_numref(out), fmpq_denref(out));
        else
            fmpz_cdiv_q(fmpq_numref(out), fmpq_numref(out), fmpq_denref(out));
        fmpz_one(fmpq_denref(out));
        return VALUE_RATIONAL;
    case NODE_FUNCTION:
        switch (node->which) {
        case FUNCTION_RE:
        case FUNCTION_CONJUGATE:
        case FUNCTION_MIN:
        case FUNCTION_MAX: return VALUE_RATIONAL;
        case FUNCTION_IM: fmpq_zero(out); return VALUE_RATIONAL;
        case FUNCTION_GCD:
        case FUNCTION_LCM: fmpq_abs(out, out); return rational_is_whole(out) ? VALUE_RATIONAL : VALUE_NONE;
        }
        return VALUE_OTHER;
    default: return VALUE_RATIONAL; /* a sum or product of one */
    }
}

enum value rational_value(fmpq_t out, const struct node *node, struct work *work) {
    if (node->kind == NODE_NUMBER) return rational_number(out, node, work);
    if (node->n == 0) return VALUE_OTHER;
    enum value value = rational_value(out, node->child[0], work);
    if (value != VALUE_RATIONAL) return value;
    if (node->n == 1) return one_child(out, node, work);
    fmpq_t next;
    fmpq_init(next);
    for (size_t i = 1; i < node->n && value == VALUE_RATIONAL; i++) {
        value = rational_value(next, node->child[i], work);
        if (value == VALUE_RATIONAL) value = combine(out, node, next, work);
    }
    fmpq_clear(next);
    return value;
}
