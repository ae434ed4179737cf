/* transcendental.c - whether a number that need not be algebraic is zero. By its normal form; else, where what is left
 * is a sum of logarithms and angles, by its exponential: a sum s with e^s = 1 is a multiple of 2πi, and its enclosure
 * says which. Both prove equality only. It must not know trees. */
#include "answer/exact/circuit.h"
#include "answer/exact/rational.h"

/* Whether |x| < 6 < 2π. */
static bool within_a_turn(struct circuit *circuit, int term) {
    if (!circuit_enclose(circuit, term, 64)) return false;
    mag_t bound;
    mag_init(bound);
    acb_get_mag(bound, at(circuit, term)->value);
    bool within = mag_cmp_2exp_si(bound, 2) <= 0;
    mag_clear(bound);
    return within;
}

/* e^s = 1 for s = sum, or i times it. */
static bool exponential_is_one(struct circuit *circuit, int sum) {
    int w = rewrite_exp(circuit, sum);
    if (w < 0 || !at(circuit, w)->algebraic) return false;
    return circuit_zero(circuit, term_subtract(circuit, w, term_integer(circuit, 1))) == PROVED_ZERO;
}

static bool sum_of_logarithms_is_zero(struct circuit *circuit, int sum) {
    if (sum < 0 || !within_a_turn(circuit, sum)) return false;
    return exponential_is_one(circuit, sum) ||
           exponential_is_one(circuit, term_multiply(circuit, term_i(circuit), sum));
}

enum proof circuit_transcendental_zero(struct circuit *circuit, int term) {
    int numerator;
    enum proof proof = circuit_identity(circuit, term, &numerator);
    if (proof == PROVED_ZERO || sum_of_logarithms_is_zero(circuit, numerator)) return PROVED_ZERO;
    if (!circuit_enclose(circuit, term, PLAIN_BITS)) return UNPROVED;
    if (!acb_contains_zero(at(circuit, term)->value)) return PROVED_NOT_ZERO;
    circuit->why = "neither equality nor difference is proved";
    return UNPROVED;
}
