/* factors.c - trial division. What it leaves need not be prime; nothing that uses it relies on that. */
#include "answer/exact/factors.h"
#include "answer/exact/rational.h"

void factors_release(struct factors *f) {
    for (int i = 0; i < f->n; i++) fmpz_clear(&f->base[i]);
}

static void divide_out(struct factors *f, fmpz_t rest, slong sign) {
    fmpz_t prime;
    fmpz_init(prime);
    bool small = fmpz_bits(rest) <= TRIAL_BITS;
    for (ulong p = 2; small && p < TRIAL_LIMIT && !fmpz_is_one(rest); p += 1 + (p > 2)) {
        if (fmpz_cmp_ui(rest, p * p) < 0) p = fmpz_get_ui(rest); /* which is prime then */
        if (fmpz_fdiv_ui(rest, p) != 0) continue;                /* as for composites, whose factors are gone already */
        fmpz_set_ui(prime, p);
        slong times = (slong)fmpz_remove(rest, rest, prime);
        fmpz_init_set(&f->base[f->n], prime);
        f->exponent[f->n++] = sign * times;
    }
    fmpz_clear(prime);
    if (fmpz_is_one(rest)) return;
    fmpz_init_set(&f->base[f->n], rest);
    f->exponent[f->n] = sign;
    slong power = fmpz_bits(rest) <= PERFECT_POWER_BITS ? (slong)fmpz_is_perfect_power(&f->base[f->n], rest) : 0;
    if (power > 1)
        f->exponent[f->n] *= power;
    else
        fmpz_set(&f->base[f->n], rest);
    f->n++;
}

bool factors_init(struct factors *f, const fmpq_t x, struct work *work) {
    f->n = 0;
    double bits = (double)rational_bits(x);
    double power = bits <= PERFECT_POWER_BITS ? 2 * bits * sqrt(bits) : 0;
    double primes = bits > 256 ? TRIAL_PRIMES * (bits / 64 + 6 * cost_multiply(bits)) : 0;
    if (bits <= TRIAL_BITS && !work_pay(work, 200 + power + primes)) return false;
    fmpz_t rest;
    fmpz_init_set(rest, fmpq_denref(x));
    divide_out(f, rest, -1);
    fmpz_set(rest, fmpq_numref(x));
    divide_out(f, rest, 1);
    fmpz_clear(rest);
    return true;
}
