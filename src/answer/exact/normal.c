/* normal.c - whether a term is zero as an element of a field of functions.
 *
 * Everything that is not arithmetic (a variable, π, a root, a logarithm, e to some power) becomes an indeterminate, the
 * same for equal operands; sines and cosines become exponentials first. Then the term is a quotient of two polynomials,
 * made without a gcd, whose cost has no good bound. Of the numerator, powers of roots are replaced by their radicands
 * (i^2 by -1); what is left is sorted by the indeterminates that are not algebraic numbers. Where all coefficients are
 * zero, so is the term, whatever the indeterminates stand for. Where one is not, the term is known to be different from
 * zero if nothing but variables and π are indeterminate. It must not know trees. */
#include "answer/exact/circuit.h"
#include "answer/exact/rational.h"

struct fraction {
    fmpz_mpoly_t n, d;
    bool made;
};

struct normal {
    struct circuit *circuit;
    fmpz_mpoly_ctx_t ctx;
    struct fraction *of; /* of each term */
    int n_terms;
    int generator[GENERATORS]; /* the term that an indeterminate stands for; -1: i */
    int n_generators;
    slong parts;   /* an exponential's indeterminate is the `parts`-th root of it */
    int64_t space; /* words in all fractions */
};

/* ---- polynomials, paid for ----------------------------------------------------------------------------------- */

static bool too_many(struct normal *normal) {
    if (normal->circuit->work->left > 0) normal->circuit->work->limit = LIMIT_TERMS;
    return false;
}

static double bits_of(const fmpz_mpoly_t a) { return fabs((double)fmpz_mpoly_max_bits(a)) + 1; }

/* Words that a polynomial of so many terms may take, with coefficients of `bits` and exponents packed as in `like`. */
static double words(const struct normal *normal, const fmpz_mpoly_t like, double terms, double bits) {
    return terms * (2 + bits / 64 + (double)like->bits / 32 * (double)fmpz_mpoly_ctx_nvars(normal->ctx) / 2);
}

static bool multiply(struct normal *normal, fmpz_mpoly_t out, const fmpz_mpoly_t a, const fmpz_mpoly_t b) {
    double terms = (double)fmpz_mpoly_length(a, normal->ctx) * (double)fmpz_mpoly_length(b, normal->ctx);
    double bits = bits_of(a) + bits_of(b);
    if (bits > EXACT_BITS || words(normal, a->bits > b->bits ? a : b, terms, bits) > SPACE_WORDS)
        return too_many(normal);
    if (!work_pay(normal->circuit->work, 20 + terms * (6 + cost_multiply(bits)))) return false;
    fmpz_mpoly_mul(out, a, b, normal->ctx);
    return fmpz_mpoly_length(out, normal->ctx) <= POLYNOMIAL_TERMS || too_many(normal);
}

/* log2 of how many terms a power of a sum of `terms` has at most: (terms + k - 1) over k. */
static double power_terms(double terms, double k) {
    double least = terms - 1 < k ? terms - 1 : k, sum = 0;
    for (int i = 1; i <= least && sum < 40; i++) sum += log2((terms - 1 + k - least + i) / i);
    return sum;
}

static bool power(struct normal *normal, fmpz_mpoly_t out, const fmpz_mpoly_t a, slong k) {
    double length = (double)fmpz_mpoly_length(a, normal->ctx), terms = exp2(power_terms(length, (double)k));
    double bits = (bits_of(a) + log2(length + 1)) * (double)k;
    if (fmpz_mpoly_is_one(a, normal->ctx) || fmpz_mpoly_is_zero(a, normal->ctx)) {
        fmpz_mpoly_set(out, a, normal->ctx);
        return true;
    }
    bool plain = length == 1 && bits_of(a) <= 2; /* a monomial */
    if (plain) bits = 1;
    if (terms > POLYNOMIAL_TERMS || bits > EXACT_BITS || words(normal, a, terms, bits) > SPACE_WORDS)
        return too_many(normal);
    if (!work_pay(normal->circuit->work, 40 + terms * length * (6 + cost_multiply(bits)))) return false;
    return fmpz_mpoly_pow_ui(out, a, (ulong)k, normal->ctx) || too_many(normal);
}

static bool add(struct normal *normal, fmpz_mpoly_t out, const fmpz_mpoly_t a, const fmpz_mpoly_t b, bool minus) {
    double terms = (double)(fmpz_mpoly_length(a, normal->ctx) + fmpz_mpoly_length(b, normal->ctx));
    if (terms > POLYNOMIAL_TERMS) return too_many(normal);
    if (!work_pay(normal->circuit->work, 10 + 6 * terms)) return false;
    if (minus)
        fmpz_mpoly_sub(out, a, b, normal->ctx);
    else
        fmpz_mpoly_add(out, a, b, normal->ctx);
    return true;
}

/* n1/d1 + n2/d2 */
static bool fraction_add(struct normal *normal, struct fraction *out, const struct fraction *a,
                         const struct fraction *b) {
    if (fmpz_mpoly_equal(a->d, b->d, normal->ctx)) {
        fmpz_mpoly_set(out->d, a->d, normal->ctx);
        return add(normal, out->n, a->n, b->n, false);
    }
    fmpz_mpoly_t t;
    fmpz_mpoly_init(t, normal->ctx);
    bool done = multiply(normal, out->n, a->n, b->d) && multiply(normal, t, b->n, a->d) &&
                add(normal, out->n, out->n, t, false) && multiply(normal, out->d, a->d, b->d);
    fmpz_mpoly_clear(t, normal->ctx);
    return done;
}

/* ---- indeterminates ------------------------------------------------------------------------------------------ */

static int new_generator(struct normal *normal, int term) {
    if (normal->n_generators == GENERATORS) return -1;
    normal->generator[normal->n_generators] = term;
    return normal->n_generators++;
}

/* The indeterminate of the imaginary unit is always the first. */
enum { IMAGINARY = 0 };

static bool is_root(const struct term *t) { return t->op == TERM_ROOT || t->op == TERM_REAL_ROOT; }

/* Replaces g^k by n/d in `p`, times a power of d. */
static bool replace_power(struct normal *normal, fmpz_mpoly_t p, int g, slong k, const struct fraction *by) {
    const fmpz_mpoly_ctx_struct *ctx = normal->ctx;
    if (!fmpz_mpoly_degrees_fit_si(p, ctx) || fmpz_mpoly_degree_si(p, g, ctx) < k) return true;
    fmpz_mpoly_univar_t u;
    fmpz_mpoly_t sum, part, factor, x;
    fmpz_mpoly_univar_init(u, ctx);
    fmpz_mpoly_init(sum, ctx);
    fmpz_mpoly_init(part, ctx);
    fmpz_mpoly_init(factor, ctx);
    fmpz_mpoly_init(x, ctx);
    bool done = work_pay(normal->circuit->work, 20 + 10 * (double)fmpz_mpoly_length(p, ctx));
    slong most = fmpz_mpoly_degree_si(p, g, ctx) / k;
    if (done) fmpz_mpoly_to_univar(u, p, g, ctx);
    for (slong i = 0; done && i < fmpz_mpoly_univar_length(u, ctx); i++) {
        slong e = fmpz_mpoly_univar_get_term_exp_si(u, i, ctx);
        fmpz_mpoly_univar_get_term_coeff(part, u, i, ctx);
        fmpz_mpoly_gen(x, g, ctx);
        done = power(normal, factor, by->n, e / k) && multiply(normal, part, part, factor) &&
               power(normal, factor, by->d, most - e / k) && multiply(normal, part, part, factor) &&
               power(normal, factor, x, e % k) && multiply(normal, part, part, factor) &&
               add(normal, sum, sum, part, false);
    }
    if (done) fmpz_mpoly_swap(p, sum, ctx);
    fmpz_mpoly_univar_clear(u, ctx);
    fmpz_mpoly_clear(sum, ctx);
    fmpz_mpoly_clear(part, ctx);
    fmpz_mpoly_clear(factor, ctx);
    fmpz_mpoly_clear(x, ctx);
    return done;
}

/* Uses what is known of roots and of i, from the last indeterminate to the first: a radicand has only earlier ones. */
static bool reduce(struct normal *normal, fmpz_mpoly_t p) {
    bool done = true;
    for (int g = normal->n_generators; done && --g > IMAGINARY;) {
        const struct term *t = at(normal->circuit, normal->generator[g]);
        if (is_root(t)) done = replace_power(normal, p, g, t->k, &normal->of[t->a]);
    }
    struct fraction minus_one;
    fmpz_mpoly_init(minus_one.n, normal->ctx);
    fmpz_mpoly_init(minus_one.d, normal->ctx);
    fmpz_mpoly_set_si(minus_one.n, -1, normal->ctx);
    fmpz_mpoly_one(minus_one.d, normal->ctx);
    done = done && replace_power(normal, p, IMAGINARY, 2, &minus_one);
    fmpz_mpoly_clear(minus_one.n, normal->ctx);
    fmpz_mpoly_clear(minus_one.d, normal->ctx);
    return done;
}

/* a - b (or a + b) as a polynomial that is zero where they are equal. */
static bool difference(struct normal *normal, fmpz_mpoly_t out, const struct fraction *a, const struct fraction *b,
                       bool minus) {
    fmpz_mpoly_t t;
    fmpz_mpoly_init(t, normal->ctx);
    bool done = multiply(normal, out, a->n, b->d) && multiply(normal, t, b->n, a->d) &&
                add(normal, out, out, t, minus) && reduce(normal, out);
    fmpz_mpoly_clear(t, normal->ctx);
    return done;
}

/* Whether two terms' operands are the same function, or (signs) one is the other's negative. */
static bool same_operand(struct normal *normal, int a, int b, bool signs) {
    if (a == b) return true;
    fmpz_mpoly_t t;
    fmpz_mpoly_init(t, normal->ctx);
    bool same = difference(normal, t, &normal->of[a], &normal->of[b], true) && fmpz_mpoly_is_zero(t, normal->ctx);
    if (!same && signs)
        same = difference(normal, t, &normal->of[a], &normal->of[b], false) && fmpz_mpoly_is_zero(t, normal->ctx);
    fmpz_mpoly_clear(t, normal->ctx);
    return same;
}

/* The indeterminate of a term: that of another one with an equal operand, or a new one. */
static int generator_of(struct normal *normal, int term) {
    const struct term *t = at(normal->circuit, term);
    for (int g = IMAGINARY + 1; g < normal->n_generators && t->a >= 0; g++) {
        const struct term *s = at(normal->circuit, normal->generator[g]);
        if (s->op == t->op && s->k == t->k && same_operand(normal, s->a, t->a, t->op == TERM_ABS)) return g;
    }
    return new_generator(normal, term);
}

/* (a + k)! = a! (a + 1) … (a + k), for an a! that is there already; false where there is none. */
static bool by_other_factorial(struct normal *normal, struct fraction *out, int operand) {
    fmpz_mpoly_t gap, factor;
    fmpz_t apart;
    fmpz_mpoly_init(gap, normal->ctx);
    fmpz_mpoly_init(factor, normal->ctx);
    fmpz_init(apart);
    bool found = false;
    for (int g = IMAGINARY + 1; g < normal->n_generators && !found; g++) {
        const struct term *s = at(normal->circuit, normal->generator[g]);
        if (s->op != TERM_FACTORIAL) continue;
        const struct fraction *a = &normal->of[operand], *b = &normal->of[s->a];
        if (!fmpz_mpoly_is_one(a->d, normal->ctx) || !fmpz_mpoly_is_one(b->d, normal->ctx)) continue;
        if (!add(normal, gap, a->n, b->n, true) || !fmpz_mpoly_is_fmpz(gap, normal->ctx)) continue;
        fmpz_mpoly_get_fmpz(apart, gap, normal->ctx);
        if (fmpz_cmpabs(apart, (fmpz[]){FACTORIALS_APART}) > 0) continue;
        slong k = fmpz_get_si(apart);
        fmpz_mpoly_gen(out->n, g, normal->ctx);
        fmpz_mpoly_one(out->d, normal->ctx);
        found = true;
        for (slong i = k > 0 ? 1 : k + 1; found && i <= (k > 0 ? k : 0); i++) {
            fmpz_mpoly_add_si(factor, b->n, i, normal->ctx);
            found = k > 0 ? multiply(normal, out->n, out->n, factor) : multiply(normal, out->d, out->d, factor);
        }
    }
    fmpz_mpoly_clear(gap, normal->ctx);
    fmpz_mpoly_clear(factor, normal->ctx);
    fmpz_clear(apart);
    return found;
}

/* ---- terms as fractions -------------------------------------------------------------------------------------- */

static void set_constant(struct normal *normal, struct fraction *out, const struct term *t) {
    fmpz_t x;
    fmpz_init(x);
    fmpz_mul(x, fmpq_denref(t->re), fmpq_denref(t->im));
    fmpz_mpoly_set_fmpz(out->d, x, normal->ctx);
    fmpz_mul(x, fmpq_numref(t->re), fmpq_denref(t->im));
    fmpz_mpoly_set_fmpz(out->n, x, normal->ctx);
    if (!fmpq_is_zero(t->im)) {
        fmpz_mpoly_t i;
        fmpz_mpoly_init(i, normal->ctx);
        fmpz_mpoly_gen(i, IMAGINARY, normal->ctx);
        fmpz_mul(x, fmpq_numref(t->im), fmpq_denref(t->re));
        fmpz_mpoly_scalar_mul_fmpz(i, i, x, normal->ctx);
        fmpz_mpoly_add(out->n, out->n, i, normal->ctx);
        fmpz_mpoly_clear(i, normal->ctx);
    }
    fmpz_clear(x);
}

/* exp(re a) = g^(re parts) */
static bool set_exponential(struct normal *normal, struct fraction *out, int g, const fmpq_t factor) {
    fmpq_t k;
    fmpq_init(k);
    fmpq_mul_fmpz(k, factor, (fmpz[]){normal->parts});
    bool fits = fmpz_bits(fmpq_numref(k)) <= 40 && rational_is_whole(k);
    slong times = fits ? fmpz_get_si(fmpq_numref(k)) : 0;
    fmpq_clear(k);
    fmpz_mpoly_t x;
    fmpz_mpoly_init(x, normal->ctx);
    fmpz_mpoly_gen(x, g, normal->ctx);
    fmpz_mpoly_one(out->n, normal->ctx);
    fmpz_mpoly_one(out->d, normal->ctx);
    bool done = fits && power(normal, times < 0 ? out->d : out->n, x, times < 0 ? -times : times);
    fmpz_mpoly_clear(x, normal->ctx);
    return done;
}

static bool set_fraction(struct normal *normal, struct fraction *out, int term) {
    const struct term *t = at(normal->circuit, term);
    const struct fraction *a = t->a >= 0 ? &normal->of[t->a] : NULL, *b = t->b >= 0 ? &normal->of[t->b] : NULL;
    switch (t->op) {
    case TERM_CONSTANT: set_constant(normal, out, t); return true;
    case TERM_ADD: return fraction_add(normal, out, a, b);
    case TERM_MULTIPLY: return multiply(normal, out->n, a->n, b->n) && multiply(normal, out->d, a->d, b->d);
    case TERM_DIVIDE: return multiply(normal, out->n, a->n, b->d) && multiply(normal, out->d, a->d, b->n);
    case TERM_POWER: return power(normal, out->n, a->n, t->k) && power(normal, out->d, a->d, t->k);
    default: break;
    }
    if (t->op == TERM_FACTORIAL && by_other_factorial(normal, out, t->a)) return true;
    int g = generator_of(normal, term);
    if (g < 0) return too_many(normal);
    if (t->op == TERM_EXP) return set_exponential(normal, out, g, t->re);
    fmpz_mpoly_gen(out->n, g, normal->ctx);
    fmpz_mpoly_one(out->d, normal->ctx);
    return true;
}

/* ---- sines by exponentials ----------------------------------------------------------------------------------- */

/* Makes the marked terms again, sines and cosines by exponentials: map[t] is the new term. */
static bool by_exponentials(struct circuit *circuit, const bool *reached, int *map, int n) {
    int i = term_i(circuit), half = term_divide(circuit, term_integer(circuit, 1), term_integer(circuit, 2));
    for (int t = 0; t < n; t++) {
        if (!reached[t]) continue;
        struct term term = *at(circuit, t);
        int a = term.a >= 0 ? map[term.a] : -1, b = term.b >= 0 ? map[term.b] : -1;
        switch (term.op) {
        case TERM_ADD: map[t] = term_add(circuit, a, b); break;
        case TERM_MULTIPLY: map[t] = term_multiply(circuit, a, b); break;
        case TERM_DIVIDE: map[t] = term_divide(circuit, a, b); break;
        case TERM_POWER: map[t] = term_power(circuit, a, term.k); break;
        case TERM_EXP: map[t] = a == term.a ? t : rewrite_exp(circuit, term_scale(circuit, term.re, a)); break;
        case TERM_SIN:
        case TERM_COS: {
            int angle = term_multiply(circuit, i, a), forth = rewrite_exp(circuit, angle);
            int back = term_divide(circuit, term_integer(circuit, 1), forth);
            if (term.op == TERM_COS)
                map[t] = term_multiply(circuit, half, term_add(circuit, forth, back));
            else
                map[t] = term_multiply(circuit, term_divide(circuit, half, i), term_subtract(circuit, forth, back));
            break;
        }
        default: map[t] = term.a < 0 ? t : term_one(circuit, term.op, a, term.k);
        }
        if (map[t] < 0) return false;
    }
    return true;
}

/* ---- the answer ---------------------------------------------------------------------------------------------- */

/* The denominators' common multiple in exponentials; 0 where it is too large. */
static slong exponential_parts(struct circuit *circuit, const bool *reached, int n) {
    fmpz_t all;
    fmpz_init(all);
    fmpz_one(all);
    for (int i = 0; i < n; i++)
        if (reached[i] && at(circuit, i)->op == TERM_EXP && fmpz_bits(all) <= 40)
            fmpz_lcm(all, all, fmpq_denref(at(circuit, i)->re));
    slong parts = fmpz_bits(all) <= 24 ? fmpz_get_si(all) : 0;
    fmpz_clear(all);
    return parts;
}

static bool is_arithmetic(enum op op) { return op == TERM_CONSTANT || (op >= TERM_ADD && op <= TERM_POWER); }

static bool is_algebraic(const struct normal *normal, int g) {
    return g == IMAGINARY || at(normal->circuit, normal->generator[g])->algebraic;
}

/* A term for the monomial i of `p`, with its coefficient (of whole or algebraic indeterminates only, or all). */
static int monomial(struct normal *normal, const fmpz_mpoly_t p, slong i, bool algebraic_only) {
    struct circuit *circuit = normal->circuit;
    fmpq_t c;
    fmpq_init(c);
    fmpz_mpoly_get_term_coeff_fmpz(fmpq_numref(c), p, i, normal->ctx);
    int term = term_constant(circuit, c, NULL);
    for (int g = 0; g < normal->n_generators && term >= 0; g++) {
        slong e = fmpz_mpoly_get_term_var_exp_si(p, i, g, normal->ctx);
        if (e == 0 || (algebraic_only && !is_algebraic(normal, g))) continue;
        int x = g == IMAGINARY ? term_i(circuit) : normal->generator[g];
        if (g != IMAGINARY && at(circuit, x)->op == TERM_EXP) {
            fmpq_set_si(c, 1, (ulong)normal->parts);
            x = term_exp(circuit, c, at(circuit, x)->a);
        }
        term = term_multiply(circuit, term, term_power(circuit, x, e));
    }
    fmpq_clear(c);
    return term;
}

static bool same_group(const struct normal *normal, const fmpz_mpoly_t p, slong i, slong j) {
    for (int g = 0; g < normal->n_generators; g++)
        if (!is_algebraic(normal, g) && fmpz_mpoly_get_term_var_exp_si(p, i, g, normal->ctx) !=
                                            fmpz_mpoly_get_term_var_exp_si(p, j, g, normal->ctx))
            return false;
    return true;
}

/* Whether a numerator is zero, by its coefficients, which are algebraic numbers. */
static enum proof coefficients_zero(struct normal *normal, const fmpz_mpoly_t p) {
    slong n = fmpz_mpoly_length(p, normal->ctx);
    bool only_variables = true, some_algebraic = fmpz_mpoly_degree_si(p, IMAGINARY, normal->ctx) > 0;
    for (int g = IMAGINARY + 1; g < normal->n_generators; g++) {
        enum op op = at(normal->circuit, normal->generator[g])->op;
        some_algebraic |= is_algebraic(normal, g);
        only_variables &= is_algebraic(normal, g) || op == TERM_SYMBOL || op == TERM_PI;
    }
    if (!some_algebraic) return only_variables ? PROVED_NOT_ZERO : UNPROVED;
    if (n > GROUPS || !work_pay(normal->circuit->work, (double)(n * n) * normal->n_generators)) return UNPROVED;
    bool seen[GROUPS] = {false};
    for (slong i = 0; i < n; i++) {
        if (seen[i]) continue;
        int sum = monomial(normal, p, i, true);
        for (slong j = i + 1; j < n; j++) {
            if (seen[j] || !same_group(normal, p, i, j)) continue;
            seen[j] = true;
            sum = term_add(normal->circuit, sum, monomial(normal, p, j, true));
        }
        normal->circuit->in_normal_form = true;
        enum proof proof = circuit_zero(normal->circuit, sum);
        normal->circuit->in_normal_form = false;
        if (proof == PROVED_NOT_ZERO) return only_variables ? PROVED_NOT_ZERO : UNPROVED;
        if (proof == UNPROVED) return UNPROVED;
    }
    return PROVED_ZERO;
}

static bool make_fractions(struct normal *normal, const bool *reached) {
    for (int i = 0; i < normal->n_terms; i++) {
        if (!reached[i]) continue;
        fmpz_mpoly_init(normal->of[i].n, normal->ctx);
        fmpz_mpoly_init(normal->of[i].d, normal->ctx);
        normal->of[i].made = true;
        if (!work_pay(normal->circuit->work, 20) || !set_fraction(normal, &normal->of[i], i)) return false;
        const struct fraction *f = &normal->of[i];
        double space = words(normal, f->n, (double)fmpz_mpoly_length(f->n, normal->ctx), bits_of(f->n)) +
                       words(normal, f->d, (double)fmpz_mpoly_length(f->d, normal->ctx), bits_of(f->d));
        normal->space += (int64_t)space;
        if (normal->space > SPACE_WORDS) return too_many(normal);
    }
    return true;
}

/* A divisor that is zero everywhere has no quotient. */
static bool guards_hold(struct normal *normal, const int *map, int n_guards) {
    fmpz_mpoly_t p;
    fmpz_mpoly_init(p, normal->ctx);
    bool hold = true;
    for (int i = 0; hold && i < n_guards; i++) {
        const struct guard *guard = &normal->circuit->guards[i];
        if (guard->kind != GUARD_NOT_ZERO || !at(normal->circuit, guard->term)->variable) continue;
        fmpz_mpoly_set(p, normal->of[map[guard->term]].n, normal->ctx);
        hold = reduce(normal, p) && !fmpz_mpoly_is_zero(p, normal->ctx);
    }
    fmpz_mpoly_clear(p, normal->ctx);
    return hold;
}

static enum proof decide(struct normal *normal, const int *map, int n_guards, int term, int *numerator) {
    fmpz_mpoly_t p;
    fmpz_mpoly_init(p, normal->ctx);
    fmpz_mpoly_set(p, normal->of[term].n, normal->ctx);
    enum proof proof = UNPROVED;
    if (guards_hold(normal, map, n_guards) && reduce(normal, p)) {
        if (fmpz_mpoly_is_zero(p, normal->ctx))
            proof = PROVED_ZERO;
        else if (fmpz_mpoly_degrees_fit_si(p, normal->ctx)) {
            proof = coefficients_zero(normal, p);
            slong n = fmpz_mpoly_length(p, normal->ctx);
            if (proof == UNPROVED && numerator && n <= LINEAR_PARTS) {
                *numerator = term_integer(normal->circuit, 0);
                for (slong i = 0; i < n; i++)
                    *numerator = term_add(normal->circuit, *numerator, monomial(normal, p, i, false));
            }
        }
    }
    fmpz_mpoly_clear(p, normal->ctx);
    return proof;
}

/* Marks a term, the divisors that must not vanish, and what they are made of. */
static bool *reach_all(struct circuit *circuit, int term, const int *map, int n_guards) {
    int last = term;
    for (int i = 0; i < n_guards; i++) {
        int guard = circuit->guards[i].term;
        if (at(circuit, guard)->variable && map) guard = map[guard];
        if (guard > last) last = guard;
    }
    bool *reached = arena_alloc(&circuit->arena, (size_t)circuit->n);
    if (!reached || !work_pay(circuit->work, 0.25 * circuit->n)) return NULL;
    reached[term] = true;
    for (int i = 0; i < n_guards; i++) {
        int guard = circuit->guards[i].term;
        if (circuit->guards[i].kind == GUARD_NOT_ZERO && at(circuit, guard)->variable)
            reached[map ? map[guard] : guard] = true;
    }
    for (int i = last; i >= 0; i--) {
        if (!reached[i]) continue;
        if (at(circuit, i)->a >= 0) reached[at(circuit, i)->a] = true;
        if (at(circuit, i)->b >= 0) reached[at(circuit, i)->b] = true;
    }
    return reached;
}

enum proof circuit_identity(struct circuit *circuit, int term, int *numerator) {
    if (numerator) *numerator = -1;
    if (term < 0) return UNPROVED;
    int n = circuit->n, n_guards = circuit->n_guards;
    int *map = arena_alloc(&circuit->arena, (size_t)n * sizeof *map);
    bool *reached = reach_all(circuit, term, NULL, n_guards);
    if (!map || !reached || !by_exponentials(circuit, reached, map, n)) return UNPROVED;
    term = map[term];
    reached = reach_all(circuit, term, map, n_guards);
    if (!reached) return UNPROVED;
    struct normal normal = {.circuit = circuit, .n_terms = circuit->n, .generator = {-1}, .n_generators = 1};
    normal.parts = exponential_parts(circuit, reached, circuit->n);
    int atoms = 1;
    for (int i = 0; i < circuit->n; i++) atoms += reached[i] && !is_arithmetic(at(circuit, i)->op);
    normal.of = arena_alloc(&circuit->arena, (size_t)circuit->n * sizeof *normal.of);
    if (atoms > GENERATORS || normal.parts == 0 || !normal.of) return UNPROVED;
    fmpz_mpoly_ctx_init(normal.ctx, atoms, ORD_LEX);
    enum proof proof = UNPROVED;
    if (make_fractions(&normal, reached)) proof = decide(&normal, map, n_guards, term, numerator);
    for (int i = 0; i < normal.n_terms; i++) {
        if (!normal.of[i].made) continue;
        fmpz_mpoly_clear(normal.of[i].n, normal.ctx);
        fmpz_mpoly_clear(normal.of[i].d, normal.ctx);
    }
    fmpz_mpoly_ctx_clear(normal.ctx);
    return proof;
}
