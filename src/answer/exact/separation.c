/* separation.c - how near to zero an algebraic number can be without being zero.
 *
 * The bound of Burnikel, Funke, Mehlhorn, Schirra and Schmitt ("A separation bound for real algebraic expressions",
 * 2001): a term's value is U/L for two algebraic integers of which all conjugates are at most u and l:
 *
 *     integer n         u = |n|               l = 1
 *     a + b             u = ua lb + la ub     l = la lb
 *     a b               u = ua ub             l = la lb
 *     a / b             u = ua lb             l = la ub
 *     a^(1/k)           u = (ua la^(k-1))^(1/k), l = la      where ua >= la
 *                       u = ua, l = (ua^(k-1) la)^(1/k)      else
 *
 * Both lie in a field of degree D or less, the product of the indices k of the different roots. The norm of U, the
 * product of its D conjugates, is a whole number; so if it is not 0, |U| >= u^(1-D) and |value| >= 1 / (l u^(D-1)).
 * None of it needs real numbers or positive ones: each root is some root. Besides roots there are
 *
 *     a + bi            u = |a| + |b|, over the common denominator; i doubles D
 *     cos(pπ/q)         2 cos is an algebraic integer with conjugates up to 2; all of them together lie in one
 *                       cyclotomic field, whose degree is taken once
 *     square roots of   D takes 2 for each that is not a product of others and of squares (rank over GF(2))
 *     whole numbers
 *     conjugates of a   they lie in another field, that of the conjugates: D is squared
 *     complex number
 *
 * u and l are kept as logarithms to base 2, whose rounding is made good at the end. It must not know enclosures. */
#include "answer/exact/circuit.h"
#include "answer/exact/rational.h"

struct bound {
    double u, l; /* log2 */
};

static double log_sum(double a, double b) { return a > b ? a + log2(1 + exp2(b - a)) : b + log2(1 + exp2(a - b)); }

static double log_whole(const fmpz_t n) { return fmpz_is_zero(n) ? -1e6 : fmpz_dlog(n) / 0.6931471805599453; }

static struct bound of_constant(const struct term *t) {
    fmpz_t l, x, u;
    fmpz_init(l);
    fmpz_init(x);
    fmpz_init(u);
    fmpz_lcm(l, fmpq_denref(t->re), fmpq_denref(t->im));
    fmpz_divexact(x, l, fmpq_denref(t->re));
    fmpz_mul(u, x, fmpq_numref(t->re));
    fmpz_abs(u, u);
    fmpz_divexact(x, l, fmpq_denref(t->im));
    fmpz_mul(x, x, fmpq_numref(t->im));
    fmpz_abs(x, x);
    fmpz_add(u, u, x);
    struct bound bound = {fmpz_is_zero(u) ? 0 : log_whole(u), log_whole(l)};
    fmpz_clear(l);
    fmpz_clear(x);
    fmpz_clear(u);
    return bound;
}

static struct bound of_root(struct bound a, double k) {
    if (a.u >= a.l) return (struct bound){(a.u + a.l * (k - 1)) / k, a.l};
    return (struct bound){a.u, (a.u * (k - 1) + a.l) / k};
}

static struct bound bound_of(const struct term *t, const struct bound *bounds) {
    struct bound a = t->a >= 0 ? bounds[t->a] : (struct bound){0, 0}, b = t->b >= 0 ? bounds[t->b] : a;
    switch (t->op) {
    case TERM_CONSTANT: return of_constant(t);
    case TERM_COSINE_PI: return (struct bound){1, 1};
    case TERM_ADD: return (struct bound){log_sum(a.u + b.l, a.l + b.u), a.l + b.l};
    case TERM_MULTIPLY: return (struct bound){a.u + b.u, a.l + b.l};
    case TERM_NORM: return (struct bound){2 * a.u, 2 * a.l};
    case TERM_DIVIDE: return (struct bound){a.u + b.l, a.l + b.u};
    case TERM_POWER: return (struct bound){a.u * (double)t->k, a.l * (double)t->k};
    case TERM_ROOT:
    case TERM_REAL_ROOT: return of_root(a, (double)t->k);
    case TERM_RE: /* (a + conjugate) / 2 */
    case TERM_IM: return (struct bound){a.u + a.l + 1, 2 * a.l + 1};
    default: return a; /* ABS, CONJUGATE */
    }
}

/* ---- the degree ---------------------------------------------------------------------------------------------- */

/* Square roots of whole numbers, as products of primes below 1,000 (and of what is left) modulo squares. */
enum { SYMBOLS = 64, LEFTOVERS = 16 };
struct squares {
    ulong prime[SYMBOLS];
    fmpz left[LEFTOVERS]; /* borrowed copies */
    int n_primes, n_left, rank;
    uint64_t basis[SYMBOLS];
};

static int symbol_of(struct squares *squares, ulong prime) {
    int i = 0;
    while (i < squares->n_primes && squares->prime[i] != prime) i++;
    if (i == SYMBOLS - LEFTOVERS) return -1;
    if (i == squares->n_primes) squares->prime[squares->n_primes++] = prime;
    return i;
}

static int symbol_of_left(struct squares *squares, const fmpz_t left) {
    int i = 0;
    while (i < squares->n_left && !fmpz_equal(&squares->left[i], left)) i++;
    if (i == LEFTOVERS) return -1;
    if (i == squares->n_left) fmpz_init_set(&squares->left[squares->n_left++], left);
    return SYMBOLS - LEFTOVERS + i;
}

/* True where the square root of n is in the field that those before it make. */
static bool square_root_known(struct squares *squares, const fmpz_t n) {
    uint64_t row = 0;
    fmpz_t left, p;
    fmpz_init_set(left, n);
    fmpz_init(p);
    bool fits = true;
    for (ulong prime = 2; prime < TRIAL_LIMIT && !fmpz_is_one(left) && fits; prime += 1 + (prime > 2)) {
        if (fmpz_fdiv_ui(left, prime) != 0) continue;
        fmpz_set_ui(p, prime);
        int symbol = fmpz_remove(left, left, p) % 2 ? symbol_of(squares, prime) : SYMBOLS;
        fits = symbol >= 0;
        if (fits && symbol < SYMBOLS) row ^= UINT64_C(1) << symbol;
    }
    int symbol = fits && !fmpz_is_one(left) ? symbol_of_left(squares, left) : SYMBOLS;
    if (symbol >= 0 && symbol < SYMBOLS) row ^= UINT64_C(1) << symbol;
    fits = fits && symbol >= 0;
    fmpz_clear(left);
    fmpz_clear(p);
    if (!fits) return false;
    for (int i = 0; i < SYMBOLS; i++) {
        if (!(row >> i & 1)) continue;
        if (!squares->basis[i]) {
            squares->basis[i] = row;
            return false;
        }
        row ^= squares->basis[i];
    }
    return true;
}

/* Euler's function of the order of the roots of unity that the cosines are made of; halved where all is real. */
static double cyclotomic_degree(const fmpz_t order, bool imaginary) {
    fmpz_t n, phi;
    fmpz_init(n);
    fmpz_init(phi);
    fmpz_mul_2exp(n, order, 1);
    if (imaginary && fmpz_fdiv_ui(n, 4) != 0) fmpz_mul_2exp(n, n, 1);
    fmpz_euler_phi(phi, n);
    double degree = fmpz_get_d(phi) / (imaginary ? 1 : 2);
    fmpz_clear(n);
    fmpz_clear(phi);
    return degree;
}

/* log2 of D */
static double degree_of(struct circuit *circuit, const bool *reached, int term) {
    double degree = 0;
    bool imaginary = false, conjugates = false;
    struct squares squares = {.n_primes = 0};
    fmpz_t order;
    fmpz_init(order);
    fmpz_one(order);
    for (int i = 0; i <= term; i++) {
        const struct term *t = &circuit->terms[i];
        if (!reached[i]) continue;
        if (t->op == TERM_CONSTANT) imaginary |= !fmpq_is_zero(t->im);
        conjugates |= t->op == TERM_CONJUGATE || t->op == TERM_NORM || t->op == TERM_RE || t->op == TERM_IM;
        imaginary |= t->op == TERM_IM;
        if (t->op == TERM_COSINE_PI) fmpz_lcm(order, order, fmpq_denref(t->re));
        if (t->op != TERM_ROOT && t->op != TERM_REAL_ROOT) continue;
        const struct term *radicand = &circuit->terms[t->a];
        bool whole =
            t->k == 2 && radicand->op == TERM_CONSTANT && radicand->positive && rational_is_whole(radicand->re);
        if (!whole || !work_pay(circuit->work, 500) || !square_root_known(&squares, fmpq_numref(radicand->re)))
            degree += log2((double)t->k);
    }
    if (fmpz_bits(order) > 24)
        degree = HUGE_VAL;
    else if (!fmpz_is_one(order))
        degree += log2(cyclotomic_degree(order, imaginary));
    else
        degree += imaginary;
    for (int i = 0; i < squares.n_left; i++) fmpz_clear(&squares.left[i]);
    fmpz_clear(order);
    return conjugates ? 2 * degree : degree;
}

double circuit_separation(struct circuit *circuit, int term) {
    bool *reached = circuit_reach(circuit, term);
    struct bound *bounds = arena_alloc(&circuit->arena, ((size_t)term + 1) * sizeof *bounds);
    if (!reached || !bounds || !work_pay(circuit->work, 20.0 * term)) return HUGE_VAL;
    for (int i = 0; i <= term; i++)
        if (reached[i]) bounds[i] = bound_of(&circuit->terms[i], bounds);
    double degree = degree_of(circuit, reached, term);
    if (degree > 24) return HUGE_VAL;
    double bits = bounds[term].l + (exp2(degree) - 1) * (bounds[term].u > 0 ? bounds[term].u : 0);
    return bits * (1 + 1e-6) + 4;
}
