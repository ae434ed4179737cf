/* enclosure.c - where the value of a term without variables lies: complex balls of Arb, at rising precision. They prove
 * that numbers differ, and with the separation bound of separation.c that algebraic numbers are equal. It must not know
 * trees. */
#include "answer/exact/circuit.h"
#include "answer/exact/rational.h"

bool *circuit_reach(struct circuit *circuit, int term) {
    bool *reached = circuit->reached;
    if (!work_pay(circuit->work, 0.25 * term)) return NULL;
    memset(reached, 0, (size_t)term + 1);
    reached[term] = true;
    for (int i = term; i >= 0; i--) {
        if (!reached[i]) continue;
        if (circuit->terms[i].a >= 0) reached[circuit->terms[i].a] = true;
        if (circuit->terms[i].b >= 0) reached[circuit->terms[i].b] = true;
    }
    return reached;
}

/* ---- one term ------------------------------------------------------------------------------------------------ */

static double cost(const struct term *t, slong precision) {
    double bits = (double)precision, multiply = cost_multiply(bits);
    switch (t->op) {
    case TERM_CONSTANT: return 10 + 4 * multiply + cost_multiply((double)(rational_bits(t->re) + rational_bits(t->im)));
    case TERM_ADD:
    case TERM_ABS:
    case TERM_RE:
    case TERM_IM:
    case TERM_CONJUGATE: return 6 + bits / 640;
    case TERM_MULTIPLY:
    case TERM_NORM: return 4 * multiply;
    case TERM_DIVIDE: return 12 * multiply;
    case TERM_POWER: return 8 * multiply * log2((double)t->k + 1);
    case TERM_ROOT:
    case TERM_REAL_ROOT:
        return t->k == 2 ? 12 * multiply : 4 * cost_function(bits); /* of a large index, by a logarithm */
    default: return 1.5 * cost_function(bits);
    }
}

static void set_constant(acb_t out, const struct term *t, slong precision) {
    arb_set_fmpq(acb_realref(out), t->re, precision);
    arb_set_fmpq(acb_imagref(out), t->im, precision);
}

/* Whether an exponential or a sine of x is worth computing: beyond, only the size of x's digits would count. */
static bool too_far(const acb_t x, int bits) {
    return arf_cmpabs_2exp_si(arb_midref(acb_realref(x)), bits) > 0 ||
           arf_cmpabs_2exp_si(arb_midref(acb_imagref(x)), bits) > 0;
}

static bool is_real(const acb_t x) { return arb_is_zero(acb_imagref(x)); }

static void real_root(acb_t out, const acb_t x, ulong k, slong precision) {
    arb_srcptr re = acb_realref(x);
    if (!is_real(x)) {
        if (arb_is_negative(re) && arb_contains_zero(acb_imagref(x)))
            acb_indeterminate(out);
        else
            acb_root_ui(out, x, k, precision);
        return;
    }
    arb_t t;
    arb_init(t);
    bool negative = arb_is_negative(re);
    if (negative)
        arb_neg(t, re);
    else
        arb_set(t, re);
    if (!negative && !arb_is_nonnegative(re))
        acb_indeterminate(out);
    else
        arb_set_round(acb_realref(out), t, precision), arb_root_ui(acb_realref(out), t, k, precision);
    if (negative) arb_neg(acb_realref(out), acb_realref(out));
    if (arb_is_finite(acb_realref(out))) arb_zero(acb_imagref(out));
    arb_clear(t);
}

static void exponential(acb_t out, const struct term *t, const acb_t x, slong precision) {
    acb_t y;
    acb_init(y);
    acb_mul_fmpz(y, x, fmpq_numref(t->re), precision + 64);
    acb_div_fmpz(y, y, fmpq_denref(t->re), precision + 64);
    if (too_far(y, 64))
        acb_indeterminate(out);
    else
        acb_exp(out, y, precision);
    acb_clear(y);
}

static void function(acb_t out, const struct term *t, const acb_t x, slong precision) {
    switch (t->op) {
    case TERM_LN: acb_log(out, x, precision); break;
    case TERM_EXP: exponential(out, t, x, precision); break;
    case TERM_SIN:
    case TERM_COS:
        if (too_far(x, ARGUMENT_BITS))
            acb_indeterminate(out);
        else if (t->op == TERM_SIN)
            acb_sin(out, x, precision);
        else
            acb_cos(out, x, precision);
        break;
    case TERM_ASIN: acb_asin(out, x, precision); break;
    case TERM_ATAN: acb_atan(out, x, precision); break;
    default: acb_indeterminate(out); /* what has variables */
    }
}

static void evaluate(struct circuit *circuit, int term, slong precision) {
    struct term *t = &circuit->terms[term];
    const acb_struct *a = t->a >= 0 ? circuit->terms[t->a].value : NULL,
                     *b = t->b >= 0 ? circuit->terms[t->b].value : NULL;
    acb_struct *out = t->value;
    switch (t->op) {
    case TERM_CONSTANT: set_constant(out, t, precision); break;
    case TERM_PI: acb_const_pi(out, precision); break;
    case TERM_COSINE_PI:
        arb_cos_pi_fmpq(acb_realref(out), t->re, precision);
        arb_zero(acb_imagref(out));
        break;
    case TERM_ADD: acb_add(out, a, b, precision); break;
    case TERM_MULTIPLY: acb_mul(out, a, b, precision); break;
    case TERM_DIVIDE: acb_div(out, a, b, precision); break;
    case TERM_POWER: acb_pow_ui(out, a, (ulong)t->k, precision); break;
    case TERM_ROOT: acb_root_ui(out, a, (ulong)t->k, precision); break;
    case TERM_REAL_ROOT: real_root(out, a, (ulong)t->k, precision); break;
    case TERM_ABS:
        if (is_real(a))
            acb_set(out, a), arb_abs(acb_realref(out), acb_realref(out));
        else
            acb_indeterminate(out);
        break;
    case TERM_NORM: {
        arb_t square;
        arb_init(square);
        arb_mul(square, acb_imagref(a), acb_imagref(a), precision);
        arb_addmul(square, acb_realref(a), acb_realref(a), precision);
        acb_set_arb(out, square);
        arb_clear(square);
        break;
    }
    case TERM_RE: acb_set_arb(out, acb_realref(a)); break;
    case TERM_IM: acb_set_arb(out, acb_imagref(a)); break;
    case TERM_CONJUGATE: acb_conj(out, a); break;
    default: function(out, t, a, precision);
    }
    t->precision = precision;
}

bool circuit_enclose(struct circuit *circuit, int term, slong precision) {
    if (term < 0) return false;
    if (circuit->terms[term].precision >= precision) return true;
    bool *reached = circuit_reach(circuit, term);
    if (!reached) return false;
    int64_t n = 0;
    for (int i = 0; i <= term; i++) n += reached[i];
    if (n * precision > 32 * (int64_t)SPACE_WORDS) { /* 8 MiB, twice that for complex numbers */
        circuit->work->limit = LIMIT_BITS;
        return false;
    }
    for (int i = 0; i <= term; i++) {
        if (!reached[i] || circuit->terms[i].precision >= precision) continue;
        if (!work_pay(circuit->work, cost(&circuit->terms[i], precision))) return false;
        evaluate(circuit, i, precision);
    }
    return true;
}

/* ---- what enclosures prove ----------------------------------------------------------------------------------- */

static acb_srcptr value(const struct circuit *circuit, int term) { return circuit->terms[term].value; }

bool circuit_real(struct circuit *circuit, int term) {
    return circuit->terms[term].real ? acb_is_finite(value(circuit, term)) || circuit->terms[term].precision == 0
                                     : is_real(value(circuit, term)) && circuit->terms[term].precision > 0;
}

/* Whether |x| < 2^-bits all over. */
static bool below(const acb_t x, double bits) {
    mag_t bound;
    mag_init(bound);
    acb_get_mag(bound, x);
    bool less = mag_cmp_2exp_si(bound, -(slong)ceil(bits) - 1) < 0;
    mag_clear(bound);
    return less;
}

/* Whether what is told apart from zero is within 2^±MODEST_BITS. */
static bool modest(const acb_t x) {
    if (acb_contains_zero(x)) return true;
    mag_t bound;
    mag_init(bound);
    acb_get_mag(bound, x);
    bool fits = mag_cmp_2exp_si(bound, MODEST_BITS) < 0;
    acb_get_mag_lower(bound, x);
    fits = fits && mag_cmp_2exp_si(bound, -MODEST_BITS) > 0;
    mag_clear(bound);
    return fits;
}

bool circuit_nearly_zero(struct circuit *circuit, int term) {
    if (term < 0 || circuit->terms[term].precision == 0 || !below(value(circuit, term), AGREEMENT_BITS)) return false;
    const bool *reached = circuit_reach(circuit, term);
    for (int i = 0; reached && i <= term; i++)
        if (reached[i] && (circuit->terms[i].precision == 0 || !modest(value(circuit, i)))) return false;
    return reached != NULL;
}

/* An algebraic number that has not been told from 0 with few bits. */
static enum proof algebraic_zero(struct circuit *circuit, int term) {
    double bits = circuit_separation(circuit, term);
    bool provable = bits < ENCLOSURE_BITS;
    slong precision = provable ? (slong)bits + 64 : PLAIN_BITS;
    for (; precision <= ENCLOSURE_BITS; precision *= 2) {
        if (!circuit_enclose(circuit, term, precision)) return UNPROVED;
        if (!acb_contains_zero(value(circuit, term))) return PROVED_NOT_ZERO;
        if (!provable) break;
        if (below(value(circuit, term), bits)) return PROVED_ZERO;
    }
    /* Its own form may still show it: a sum in another order, say. */
    if (!circuit->in_normal_form && circuit_identity(circuit, term, NULL) == PROVED_ZERO) return PROVED_ZERO;
    circuit->why = "the separation bound asks for too much precision";
    return UNPROVED;
}

enum proof circuit_zero(struct circuit *circuit, int term) {
    if (term < 0) return UNPROVED;
    const struct term *t = &circuit->terms[term];
    if (t->op == TERM_CONSTANT) return fmpq_is_zero(t->re) && fmpq_is_zero(t->im) ? PROVED_ZERO : PROVED_NOT_ZERO;
    for (slong precision = 64; precision <= (t->algebraic ? 128 : 256); precision *= 2) {
        if (!circuit_enclose(circuit, term, precision)) return UNPROVED;
        if (!acb_contains_zero(value(circuit, term))) return PROVED_NOT_ZERO;
        if (acb_is_zero(value(circuit, term))) return PROVED_ZERO;
        t = &circuit->terms[term];
    }
    if (t->algebraic) return algebraic_zero(circuit, term);
    return circuit_transcendental_zero(circuit, term);
}

int circuit_sign(struct circuit *circuit, int term) {
    enum proof proof = circuit_zero(circuit, term);
    if (proof == PROVED_ZERO) return 0;
    if (proof == UNPROVED || !is_real(value(circuit, term))) {
        if (term < 0 || circuit->terms[term].op != TERM_CONSTANT || !circuit->terms[term].real) return 2;
        return fmpq_sgn(circuit->terms[term].re);
    }
    if (circuit->terms[term].op == TERM_CONSTANT) return fmpq_sgn(circuit->terms[term].re);
    return arb_is_positive(acb_realref(value(circuit, term)))   ? 1
           : arb_is_negative(acb_realref(value(circuit, term))) ? -1
                                                                : 2;
}

/* PROVED_NOT_ZERO: the guard holds. */
static enum proof guard_holds(struct circuit *circuit, const struct guard *guard) {
    int term = guard->term;
    if (circuit->terms[term].variable) return PROVED_NOT_ZERO;
    if (guard->kind == GUARD_NOT_ZERO) return circuit_zero(circuit, term);
    if (guard->kind == GUARD_REAL && circuit->terms[term].real) return PROVED_NOT_ZERO;
    if (!circuit_enclose(circuit, term, 64)) return UNPROVED;
    acb_srcptr x = value(circuit, term);
    if (guard->kind == GUARD_REAL)
        return is_real(x) ? PROVED_NOT_ZERO : arb_contains_zero(acb_imagref(x)) ? UNPROVED : PROVED_ZERO;
    if (arb_is_nonnegative(acb_realref(x)) || !arb_contains_zero(acb_imagref(x))) return PROVED_NOT_ZERO;
    if (is_real(x) && arb_is_negative(acb_realref(x))) return PROVED_ZERO;
    return circuit_zero(circuit, term) == PROVED_ZERO ? PROVED_NOT_ZERO : UNPROVED;
}

enum proof circuit_guarded(struct circuit *circuit) {
    for (int i = 0; i < circuit->n_guards; i++) {
        struct guard guard = circuit->guards[i];
        enum proof proof = guard_holds(circuit, &guard);
        if (proof != PROVED_NOT_ZERO) {
            circuit->why = proof == UNPROVED ? "it is not proved that both have a value" : "one of them has no value";
            return proof;
        }
    }
    return PROVED_NOT_ZERO;
}
