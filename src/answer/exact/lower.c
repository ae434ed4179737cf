/* lower.c - trees of expressions into terms of a circuit. It must not know how values are enclosed or compared. */
#include "answer/exact/circuit.h"
#include "answer/exact/rational.h"

static int none(struct circuit *circuit, const char *why) {
    if (!circuit->why) circuit->why = why;
    return -1;
}

static bool is_rational(const struct circuit *circuit, int a) {
    return a >= 0 && at(circuit, a)->op == TERM_CONSTANT && at(circuit, a)->real;
}

/* ---- leaves -------------------------------------------------------------------------------------------------- */

/* A number that is too large to write out is its digits times a power of ten. */
static int lower_number(struct circuit *circuit, const struct node *node) {
    fmpq_t x;
    fmpq_init(x);
    int term = -1;
    if (rational_number(x, node, circuit->work) == VALUE_RATIONAL) {
        term = term_constant(circuit, x, NULL);
    } else if (node->exponent != 0) {
        struct node digits = *node;
        digits.exponent = 0;
        term = term_multiply(circuit, lower_number(circuit, &digits),
                             term_power(circuit, term_integer(circuit, 10), node->exponent));
    }
    fmpq_clear(x);
    return term >= 0 ? term : none(circuit, LIMIT_BITS);
}

static int lower_symbol(struct circuit *circuit, const struct node *node) {
    for (size_t i = 0; i < circuit->n_symbols; i++)
        if (text_equal(circuit->symbols[i], node->text))
            return circuit->values ? term_constant(circuit, &circuit->values[i], NULL)
                                   : term_leaf(circuit, TERM_SYMBOL, (slong)i);
    return none(circuit, "a variable without a value");
}

static int e_to(struct circuit *circuit, int a) {
    if (a < 0) return -1;
    return rewrite_exp(circuit, a);
}

static int lower_constant(struct circuit *circuit, const struct node *node) {
    switch (node->which) {
    case CONSTANT_PI: return term_leaf(circuit, TERM_PI, 0);
    case CONSTANT_E: return e_to(circuit, term_integer(circuit, 1));
    case CONSTANT_I: return term_i(circuit);
    }
    return none(circuit, "arithmetic with infinity has no value");
}

/* ---- whole numbers ------------------------------------------------------------------------------------------- */

/* The largest whole number that is not over a real number. */
static int lower_floor(struct circuit *circuit, int a) {
    if (a < 0) return -1;
    if (at(circuit, a)->variable) return term_one(circuit, TERM_FLOOR, a, 0);
    fmpz_t whole;
    arb_t floor;
    fmpz_init(whole);
    arb_init(floor);
    int term = -1;
    for (slong precision = 64; precision <= PLAIN_BITS && term < 0; precision *= 4) {
        if (!circuit_enclose(circuit, a, precision) || !circuit_real(circuit, a)) break;
        arb_srcptr value = acb_realref(at(circuit, a)->value);
        if (!arb_is_finite(value) || arf_cmpabs_2exp_si(arb_midref(value), precision) > 0) continue;
        arb_floor(floor, value, precision + 64);
        bool unique = arb_get_unique_fmpz(whole, floor);
        if (!unique) { /* a whole number may be near, or be the value */
            arf_get_fmpz(whole, arb_midref(value), ARF_RND_NEAR);
            fmpq_t near;
            fmpq_init(near);
            fmpz_set(fmpq_numref(near), whole);
            unique =
                circuit_zero(circuit, term_subtract(circuit, a, term_constant(circuit, near, NULL))) == PROVED_ZERO;
            fmpq_clear(near);
        }
        if (!unique) continue;
        fmpq_t x;
        fmpq_init(x);
        fmpz_set(fmpq_numref(x), whole);
        term = term_constant(circuit, x, NULL);
        fmpq_clear(x);
    }
    fmpz_clear(whole);
    arb_clear(floor);
    return term >= 0 ? term : none(circuit, "the whole part of a number is not certain");
}

static int lower_factorial(struct circuit *circuit, int a) {
    if (a < 0) return -1;
    if (at(circuit, a)->variable) return term_one(circuit, TERM_FACTORIAL, a, 0);
    if (!is_rational(circuit, a)) return none(circuit, "only whole numbers have factorials");
    fmpq_t x;
    fmpq_init(x);
    enum value value = rational_factorial(x, at(circuit, a)->re, circuit->work);
    int term = value == VALUE_RATIONAL ? term_constant(circuit, x, NULL) : -1;
    fmpq_clear(x);
    if (value == VALUE_RATIONAL) return term;
    return none(circuit, value == VALUE_NONE ? "only whole numbers have factorials" : "a factorial is too large");
}

/* n (n-1) … (n-k+1) / k! for a small k; else by factorials. */
static int lower_binomial(struct circuit *circuit, int n, int k) {
    if (n < 0 || k < 0) return -1;
    if (is_rational(circuit, n) && is_rational(circuit, k)) {
        fmpq_t x;
        fmpq_init(x);
        enum value value = rational_binomial(x, at(circuit, n)->re, at(circuit, k)->re, circuit->work);
        int term = value == VALUE_RATIONAL ? term_constant(circuit, x, NULL) : -1;
        fmpq_clear(x);
        return term >= 0 ? term : none(circuit, value == VALUE_NONE ? "such a binomial has no value" : LIMIT_BITS);
    }
    if (is_rational(circuit, k) && rational_is_whole(at(circuit, k)->re) && fmpq_sgn(at(circuit, k)->re) >= 0 &&
        fmpz_cmp_ui(fmpq_numref(at(circuit, k)->re), FACTORIALS_APART) <= 0) {
        slong times = fmpz_get_si(fmpq_numref(at(circuit, k)->re));
        int product = term_integer(circuit, 1);
        for (slong i = 0; i < times; i++) {
            product = term_multiply(circuit, product, term_add(circuit, n, term_integer(circuit, -i)));
            product = term_divide(circuit, product, term_integer(circuit, i + 1));
        }
        return product;
    }
    int below =
        term_multiply(circuit, lower_factorial(circuit, k), lower_factorial(circuit, term_subtract(circuit, n, k)));
    return term_divide(circuit, lower_factorial(circuit, n), below);
}

static int lower_gcd(struct circuit *circuit, int a, int b, bool lcm) {
    if (!is_rational(circuit, a) || !is_rational(circuit, b)) return none(circuit, "only whole numbers have divisors");
    fmpq_t x;
    fmpq_init(x);
    enum value value = rational_gcd(x, at(circuit, a)->re, at(circuit, b)->re, lcm, circuit->work);
    int term = value == VALUE_RATIONAL ? term_constant(circuit, x, NULL) : -1;
    fmpq_clear(x);
    return term >= 0 ? term : none(circuit, value == VALUE_NONE ? "only whole numbers have divisors" : LIMIT_BITS);
}

/* ---- functions ----------------------------------------------------------------------------------------------- */

/* min(a, b) = (a + b - |a - b|) / 2 */
static int lower_extreme(struct circuit *circuit, int a, int b, bool largest) {
    if (!circuit_guard(circuit, GUARD_REAL, a) || !circuit_guard(circuit, GUARD_REAL, b)) return -1;
    int gap = rewrite_abs(circuit, term_subtract(circuit, a, b)), sum = term_add(circuit, a, b);
    sum = largest ? term_add(circuit, sum, gap) : term_subtract(circuit, sum, gap);
    return term_multiply(circuit, term_quotient(circuit, 1, 2), sum);
}

/* (e^a ± e^-a) / 2 */
static int hyperbolic(struct circuit *circuit, int a, bool sine) {
    int forth = rewrite_exp(circuit, a);
    int back = rewrite_exp(circuit, term_multiply(circuit, term_integer(circuit, -1), a));
    int sum = sine ? term_subtract(circuit, forth, back) : term_add(circuit, forth, back);
    return term_multiply(circuit, term_quotient(circuit, 1, 2), sum);
}

static int lower_function_of_one(struct circuit *circuit, int which, int a) {
    int one = term_integer(circuit, 1);
    switch (which) {
    case FUNCTION_EXP: return rewrite_exp(circuit, a);
    case FUNCTION_LN:
    case FUNCTION_LOG: return rewrite_ln(circuit, a);
    case FUNCTION_SIN: return rewrite_sin(circuit, a);
    case FUNCTION_COS: return rewrite_cos(circuit, a);
    case FUNCTION_TAN: return term_divide(circuit, rewrite_sin(circuit, a), rewrite_cos(circuit, a));
    case FUNCTION_COT: return term_divide(circuit, rewrite_cos(circuit, a), rewrite_sin(circuit, a));
    case FUNCTION_SEC: return term_divide(circuit, one, rewrite_cos(circuit, a));
    case FUNCTION_CSC: return term_divide(circuit, one, rewrite_sin(circuit, a));
    case FUNCTION_ASIN: return rewrite_asin(circuit, a);
    case FUNCTION_ACOS: /* π/2 - asin */
        return term_subtract(circuit,
                             term_multiply(circuit, term_quotient(circuit, 1, 2), term_leaf(circuit, TERM_PI, 0)),
                             rewrite_asin(circuit, a));
    case FUNCTION_ATAN: return rewrite_atan(circuit, a);
    case FUNCTION_SINH: return hyperbolic(circuit, a, true);
    case FUNCTION_COSH: return hyperbolic(circuit, a, false);
    case FUNCTION_TANH: return term_divide(circuit, hyperbolic(circuit, a, true), hyperbolic(circuit, a, false));
    case FUNCTION_RE: return rewrite_part(circuit, TERM_RE, a);
    case FUNCTION_IM: return rewrite_part(circuit, TERM_IM, a);
    case FUNCTION_CONJUGATE: return rewrite_part(circuit, TERM_CONJUGATE, a);
    case FUNCTION_GCD:
    case FUNCTION_LCM:
    case FUNCTION_MIN:
    case FUNCTION_MAX: return a;
    }
    return none(circuit, "such a function is not known");
}

static int lower_function_of_two(struct circuit *circuit, int which, int a, int b) {
    switch (which) {
    case FUNCTION_LOG: return term_divide(circuit, rewrite_ln(circuit, a), rewrite_ln(circuit, b));
    case FUNCTION_GCD:
    case FUNCTION_LCM: return lower_gcd(circuit, a, b, which == FUNCTION_LCM);
    case FUNCTION_MIN:
    case FUNCTION_MAX: return lower_extreme(circuit, a, b, which == FUNCTION_MAX);
    }
    return none(circuit, "a function with too many arguments");
}

/* ---- trees --------------------------------------------------------------------------------------------------- */

static int lower_root(struct circuit *circuit, int a, int index) {
    if (is_rational(circuit, index) && rational_is_whole(at(circuit, index)->re) &&
        fmpq_sgn(at(circuit, index)->re) > 0 && fmpz_cmp_ui(fmpq_numref(at(circuit, index)->re), ROOT_INDEX) <= 0)
        return rewrite_root(circuit, a, fmpz_get_si(fmpq_numref(at(circuit, index)->re)), true);
    return rewrite_power(circuit, a, term_divide(circuit, term_integer(circuit, 1), index));
}

/* Takes the term of one more child into that of those before it. */
static int combine(struct circuit *circuit, const struct node *node, int a, int b) {
    if (a < 0 || b < 0) return -1;
    switch (node->kind) {
    case NODE_ADD: return term_add(circuit, a, b);
    case NODE_MULTIPLY: return term_multiply(circuit, a, b);
    case NODE_DIVIDE: return term_divide(circuit, a, b);
    case NODE_POWER: return rewrite_power(circuit, a, b);
    case NODE_ROOT: return lower_root(circuit, a, b);
    case NODE_BINOMIAL: return lower_binomial(circuit, a, b);
    case NODE_FUNCTION: return lower_function_of_two(circuit, node->which, a, b);
    default: return none(circuit, "not an expression");
    }
}

static int one_child(struct circuit *circuit, const struct node *node, int a) {
    if (a < 0) return -1;
    int minus = term_integer(circuit, -1);
    switch (node->kind) {
    case NODE_NEGATE: return term_multiply(circuit, minus, a);
    case NODE_ABS: return rewrite_abs(circuit, a);
    case NODE_FLOOR: return lower_floor(circuit, a);
    case NODE_CEILING: return term_multiply(circuit, minus, lower_floor(circuit, term_multiply(circuit, minus, a)));
    case NODE_FACTORIAL: return lower_factorial(circuit, a);
    case NODE_PERCENT: return term_multiply(circuit, term_quotient(circuit, 1, 100), a);
    case NODE_DEGREE:
        return term_multiply(circuit, term_quotient(circuit, 1, 180),
                             term_multiply(circuit, a, term_leaf(circuit, TERM_PI, 0)));
    case NODE_FUNCTION: return lower_function_of_one(circuit, node->which, a);
    case NODE_ADD:
    case NODE_MULTIPLY: return a;
    default: return none(circuit, "not an expression");
    }
}

int circuit_lower(struct circuit *circuit, const struct node *node) {
    switch (node->kind) {
    case NODE_NUMBER: return lower_number(circuit, node);
    case NODE_SYMBOL: return lower_symbol(circuit, node);
    case NODE_CONSTANT: return lower_constant(circuit, node);
    default: break;
    }
    if (node->n == 0) return none(circuit, "not an expression");
    int term = circuit_lower(circuit, node->child[0]);
    if (node->n == 1) return one_child(circuit, node, term);
    for (size_t i = 1; i < node->n && term >= 0; i++)
        term = combine(circuit, node, term, circuit_lower(circuit, node->child[i]));
    return term;
}
