/* terms.c - making terms: each once, with what is plainly simpler done at once. It must not know trees or
 * enclosures. */
#include "answer/exact/circuit.h"
#include "answer/exact/limits.h"
#include "answer/exact/rational.h"

void circuit_init(struct circuit *circuit, struct work *work) {
    *circuit = (struct circuit){.work = work};
    arena_init(&circuit->arena);
}

void circuit_release(struct circuit *circuit) {
    for (int i = 0; i < circuit->n; i++) {
        fmpq_clear(circuit->terms[i].re);
        fmpq_clear(circuit->terms[i].im);
        acb_clear(circuit->terms[i].value);
    }
    arena_release(&circuit->arena);
    circuit->n = circuit->room = 0;
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

static bool fail(struct circuit *circuit, const char *limit) {
    if (circuit->work->left > 0) circuit->work->limit = limit;
    return false;
}

static uint64_t hash_number(uint64_t seed, const fmpq_t x) {
    seed = seed_mix(seed, (uint64_t)fmpz_fdiv_ui(fmpq_numref(x), 0xfffffffb));
    return seed_mix(seed, (uint64_t)fmpz_fdiv_ui(fmpq_denref(x), 0xfffffffb));
}

static uint64_t hash(const struct term *t) {
    uint64_t seed = seed_mix((uint64_t)t->op, (uint64_t)t->a << 32 ^ (uint64_t)(uint32_t)t->b);
    seed = seed_mix(seed, (uint64_t)t->k);
    return t->op == TERM_CONSTANT || t->op == TERM_COSINE_PI || t->op == TERM_EXP
               ? hash_number(hash_number(seed, t->re), t->im)
               : seed;
}

static bool same(const struct term *s, const struct term *t) {
    return s->op == t->op && s->a == t->a && s->b == t->b && s->k == t->k && fmpq_equal(s->re, t->re) &&
           fmpq_equal(s->im, t->im);
}

/* The slot where a term is, or would be. */
static int *slot_of(struct circuit *circuit, const struct term *t) {
    uint64_t at = hash(t);
    for (;; at++) {
        int *slot = &circuit->table[at & (uint64_t)(circuit->table_size - 1)];
        if (*slot < 0 || same(&circuit->terms[*slot], t)) return slot;
    }
}

static bool grow(struct circuit *circuit) {
    if (circuit->n >= TERMS_MOST) return fail(circuit, LIMIT_TERMS);
    int room = circuit->room ? 2 * circuit->room : 64;
    struct term *terms = arena_alloc(&circuit->arena, (size_t)room * sizeof *terms);
    int *table = arena_alloc(&circuit->arena, 2 * (size_t)room * sizeof *table);
    circuit->reached = arena_alloc(&circuit->arena, (size_t)room);
    if (!terms || !table || !circuit->reached) return fail(circuit, LIMIT_MEMORY);
    if (circuit->n) memcpy(terms, circuit->terms, (size_t)circuit->n * sizeof *terms);
    memset(table, 0xff, 2 * (size_t)room * sizeof *table);
    circuit->terms = terms, circuit->room = room, circuit->table = table, circuit->table_size = 2 * room;
    for (int i = 0; i < circuit->n; i++) *slot_of(circuit, &terms[i]) = i;
    return true;
}

static bool take_space(struct circuit *circuit, int64_t words) {
    circuit->space += words;
    return circuit->space <= SPACE_WORDS || fail(circuit, LIMIT_BITS);
}

/* What is seen of a term's value by its form. */
static void describe(const struct circuit *circuit, struct term *t) {
    static const struct term nothing = {.algebraic = true};
    const struct term *a = t->a >= 0 ? &circuit->terms[t->a] : &nothing,
                      *b = t->b >= 0 ? &circuit->terms[t->b] : &nothing;
    t->variable = a->variable || b->variable;
    t->algebraic = a->algebraic && b->algebraic;
    switch (t->op) {
    case TERM_CONSTANT:
        t->real = fmpq_is_zero(t->im);
        t->positive = t->real && fmpq_sgn(t->re) > 0;
        t->nonnegative = t->real && fmpq_sgn(t->re) >= 0;
        break;
    case TERM_SYMBOL: t->variable = t->real = true, t->algebraic = false; break;
    case TERM_PI: t->positive = true, t->algebraic = false; break;
    case TERM_COSINE_PI: t->positive = true; break;
    case TERM_ADD:
        t->real = a->real && b->real;
        t->nonnegative = a->nonnegative && b->nonnegative;
        t->positive = t->nonnegative && (a->positive || b->positive);
        break;
    case TERM_MULTIPLY:
    case TERM_DIVIDE:
        t->real = a->real && b->real;
        t->nonnegative = a->nonnegative && b->nonnegative;
        t->positive = a->positive && b->positive;
        break;
    case TERM_POWER:
        t->real = a->real;
        t->nonnegative = a->nonnegative || (a->real && t->k % 2 == 0);
        t->positive = a->positive;
        break;
    case TERM_REAL_ROOT: t->real = a->real; /* fall through */
    case TERM_ROOT:
        t->nonnegative = a->nonnegative;
        t->positive = a->positive;
        break;
    case TERM_EXP: t->positive = a->real, t->algebraic = false; break;
    case TERM_LN: t->real = a->nonnegative, t->algebraic = false; break;
    case TERM_SIN:
    case TERM_COS:
    case TERM_ASIN: /* a guard says that its operand is in [-1, 1] */
    case TERM_ATAN: t->real = a->real, t->algebraic = false; break;
    case TERM_ABS:
    case TERM_NORM: t->nonnegative = true; break;
    case TERM_RE:
    case TERM_IM: t->real = true; break;
    case TERM_CONJUGATE: break;
    case TERM_FLOOR:
    case TERM_FACTORIAL: t->real = true, t->algebraic = false; break;
    }
    t->nonnegative |= t->positive;
    t->real |= t->nonnegative;
}

int term_intern(struct circuit *circuit, struct term *t) {
    int at = -1;
    int64_t words = (int64_t)(rational_bits(t->re) + rational_bits(t->im)) / 64;
    if (work_pay(circuit->work, 8 + (double)words) && take_space(circuit, words) &&
        (circuit->n < circuit->room || grow(circuit))) {
        int *slot = slot_of(circuit, t);
        if (*slot < 0) {
            describe(circuit, t);
            acb_init(t->value);
            *slot = circuit->n;
            circuit->terms[circuit->n++] = *t;
            return *slot;
        }
        at = *slot;
    }
    fmpq_clear(t->re);
    fmpq_clear(t->im);
    return at;
}

static int make(struct circuit *circuit, enum op op, int a, int b, slong k) {
    if (a == -1 && op > TERM_COSINE_PI) return -1;
    struct term t = {.op = op, .a = a, .b = b, .k = k};
    fmpq_init(t.re);
    fmpq_init(t.im);
    return term_intern(circuit, &t);
}

bool circuit_guard(struct circuit *circuit, int kind, int term) {
    if (term < 0) return false;
    for (int i = circuit->n_guards; i-- > 0;)
        if (circuit->guards[i].term == term && (int)circuit->guards[i].kind == kind) return true;
    struct guard *guards =
        arena_room(&circuit->arena, circuit->guards, circuit->n_guards, &circuit->guards_room, sizeof *guards);
    if (!guards) return fail(circuit, LIMIT_MEMORY);
    circuit->guards = guards;
    if (!work_pay(circuit->work, circuit->n_guards)) return false;
    circuit->guards[circuit->n_guards++] = (struct guard){kind, term};
    return true;
}

/* ---- leaves -------------------------------------------------------------------------------------------------- */

int term_constant(struct circuit *circuit, const fmpq_t re, const fmpq_t im) {
    struct term t = {.op = TERM_CONSTANT, .a = -1, .b = -1};
    fmpq_init(t.re);
    fmpq_init(t.im);
    fmpq_set(t.re, re);
    if (im) fmpq_set(t.im, im);
    return term_intern(circuit, &t);
}

int term_quotient(struct circuit *circuit, slong p, ulong q) {
    struct term t = {.op = TERM_CONSTANT, .a = -1, .b = -1};
    fmpq_init(t.re);
    fmpq_init(t.im);
    fmpq_set_si(t.re, p, q);
    return term_intern(circuit, &t);
}

int term_integer(struct circuit *circuit, slong value) { return term_quotient(circuit, value, 1); }

int term_i(struct circuit *circuit) {
    struct term t = {.op = TERM_CONSTANT, .a = -1, .b = -1};
    fmpq_init(t.re);
    fmpq_init(t.im);
    fmpq_one(t.im);
    return term_intern(circuit, &t);
}

int term_leaf(struct circuit *circuit, enum op op, slong k) { return make(circuit, op, -1, -1, k); }

/* ---- arithmetic ---------------------------------------------------------------------------------------------- */

static bool is_constant(const struct circuit *circuit, int a) { return at(circuit, a)->op == TERM_CONSTANT; }
static bool is_integer(const struct circuit *circuit, int a, slong value) {
    const struct term *t = at(circuit, a);
    return t->op == TERM_CONSTANT && fmpq_is_zero(t->im) && rational_is_whole(t->re) &&
           fmpz_equal_si(fmpq_numref(t->re), value);
}

/* Two constants into one; false where that would be too large, so that the operation stays as it is. */
static bool constants(struct circuit *circuit, enum op op, int a, int b, fmpq_t re, fmpq_t im) {
    const struct term *s = at(circuit, a), *t = at(circuit, b);
    struct work *work = circuit->work;
    if (op == TERM_ADD) return rational_add(re, s->re, t->re, work) && rational_add(im, s->im, t->im, work);
    if (s->real && t->real)
        return op == TERM_MULTIPLY ? rational_multiply(re, s->re, t->re, work)
                                   : rational_divide(re, s->re, t->re, work);
    fmpq_t x, y, norm;
    fmpq_init(x);
    fmpq_init(y);
    fmpq_init(norm);
    fmpq_set(y, t->im);
    if (op == TERM_DIVIDE) fmpq_neg(y, y); /* by the conjugate, and then by the norm */
    bool done = rational_multiply(re, s->re, t->re, work) && rational_multiply(x, s->im, y, work) &&
                rational_multiply(im, s->re, y, work);
    if (done) {
        fmpq_neg(x, x);
        done =
            rational_add(re, re, x, work) && rational_multiply(x, s->im, t->re, work) && rational_add(im, im, x, work);
    }
    if (done && op == TERM_DIVIDE)
        done = rational_multiply(norm, t->re, t->re, work) && rational_multiply(x, t->im, t->im, work) &&
               rational_add(norm, norm, x, work) && rational_divide(re, re, norm, work) &&
               rational_divide(im, im, norm, work);
    fmpq_clear(x);
    fmpq_clear(y);
    fmpq_clear(norm);
    return done;
}

/* The constant that comes of two, or the operation on them where it is too large. */
static int fold(struct circuit *circuit, enum op op, int a, int b) {
    if (a < 0 || b < 0) return -1;
    fmpq_t re, im;
    fmpq_init(re);
    fmpq_init(im);
    int term = constants(circuit, op, a, b, re, im) ? term_constant(circuit, re, im) : make(circuit, op, a, b, 0);
    fmpq_clear(re);
    fmpq_clear(im);
    return term;
}

/* Takes c t apart. *c is a constant, 1 where there is none. */
static int without_factor(struct circuit *circuit, int a, int *c) {
    const struct term *t = at(circuit, a);
    if (t->op == TERM_MULTIPLY && is_constant(circuit, t->a)) {
        *c = t->a;
        return t->b;
    }
    *c = term_integer(circuit, 1);
    return a;
}

int term_add(struct circuit *circuit, int a, int b) {
    if (a < 0 || b < 0) return -1;
    if (is_constant(circuit, b) || (b < a && !is_constant(circuit, a))) { /* a constant first, then by age */
        int t = a;
        a = b, b = t;
    }
    if (is_integer(circuit, a, 0)) return b;
    const struct term *t = at(circuit, b);
    if (is_constant(circuit, a)) {
        if (t->op == TERM_CONSTANT) return fold(circuit, TERM_ADD, a, b);
        if (t->op == TERM_ADD && is_constant(circuit, t->a)) {
            int rest = t->b;
            return term_add(circuit, fold(circuit, TERM_ADD, a, t->a), rest);
        }
        return make(circuit, TERM_ADD, a, b, 0);
    }
    int c, d, s = without_factor(circuit, a, &c);
    if (c >= 0 && without_factor(circuit, b, &d) == s && d >= 0)
        return term_multiply(circuit, fold(circuit, TERM_ADD, c, d), s);
    return make(circuit, TERM_ADD, a, b, 0);
}

int term_subtract(struct circuit *circuit, int a, int b) {
    return term_add(circuit, a, term_multiply(circuit, term_integer(circuit, -1), b));
}

/* The base of a power, and its exponent; of others they themselves. */
static int base_of(const struct circuit *circuit, int a, slong *k) {
    const struct term *t = at(circuit, a);
    *k = t->op == TERM_POWER ? t->k : 1;
    return t->op == TERM_POWER ? t->a : a;
}

/* Two terms that are no constants: powers of one base become one, also where one of them stands in a product; a divisor
 * cancels (that it is not zero is a guard already). */
static int product(struct circuit *circuit, int s, int t) {
    slong k, l;
    if (at(circuit, s)->op == TERM_DIVIDE && at(circuit, s)->b == t) return at(circuit, s)->a;
    if (at(circuit, t)->op == TERM_DIVIDE && at(circuit, t)->b == s) return at(circuit, t)->a;
    int base = base_of(circuit, s, &k);
    if (base == base_of(circuit, t, &l) && k < WORD_MAX - l) return term_power(circuit, base, k + l);
    const struct term *p = at(circuit, t);
    if (p->op == TERM_MULTIPLY && !is_constant(circuit, p->a)) {
        int first = p->a, second = p->b;
        if (base_of(circuit, first, &l) == base) return term_multiply(circuit, product(circuit, s, first), second);
        if (base_of(circuit, second, &l) == base) return term_multiply(circuit, product(circuit, s, second), first);
    }
    return make(circuit, TERM_MULTIPLY, s < t ? s : t, s < t ? t : s, 0);
}

int term_multiply(struct circuit *circuit, int a, int b) {
    if (a < 0 || b < 0) return -1;
    if (is_constant(circuit, a) && is_constant(circuit, b)) return fold(circuit, TERM_MULTIPLY, a, b);
    int c, d, s = without_factor(circuit, a, &c), t = without_factor(circuit, b, &d);
    if (c < 0 || d < 0) return -1;
    if (is_constant(circuit, s)) c = s, s = -1;
    if (is_constant(circuit, t)) d = t, t = -1;
    int factor = fold(circuit, TERM_MULTIPLY, c, d);
    if (factor < 0 || is_integer(circuit, factor, 0)) return factor; /* guards remember what had no value */
    int rest = s < 0 ? t : t < 0 ? s : product(circuit, s, t);
    if (rest < 0 || is_integer(circuit, factor, 1)) return rest;
    const struct term *r = at(circuit, rest); /* of which a constant may have come out: sqrt 2 by sqrt 2 */
    if (s >= 0 && t >= 0 && (r->op == TERM_CONSTANT || (r->op == TERM_MULTIPLY && is_constant(circuit, r->a))))
        return term_multiply(circuit, factor, rest);
    return make(circuit, TERM_MULTIPLY, factor, rest, 0);
}

int term_scale(struct circuit *circuit, const fmpq_t factor, int a) {
    return term_multiply(circuit, term_constant(circuit, factor, NULL), a);
}

int term_divide(struct circuit *circuit, int a, int b) {
    if (a < 0 || b < 0) return -1;
    if (is_integer(circuit, b, 0)) {
        circuit->why = "a division by zero has no value";
        return -1;
    }
    if (is_constant(circuit, b)) {
        int inverse = fold(circuit, TERM_DIVIDE, term_integer(circuit, 1), b);
        return inverse < 0 ? -1 : term_multiply(circuit, a, inverse);
    }
    if (!circuit_guard(circuit, GUARD_NOT_ZERO, b)) return -1;
    int c, d, s = without_factor(circuit, a, &c), t = without_factor(circuit, b, &d);
    if (c < 0 || d < 0) return -1;
    if (is_constant(circuit, s)) c = s, s = term_integer(circuit, 1);
    int factor = fold(circuit, TERM_DIVIDE, c, d);
    if (s < 0 || factor < 0 || s == t || is_integer(circuit, factor, 0)) return factor;
    return term_multiply(circuit, factor, make(circuit, TERM_DIVIDE, s, t, 0));
}

/* A constant to a power k > 1, by squaring; a real one at once. */
static int constant_power(struct circuit *circuit, int a, slong k) {
    const struct term *t = at(circuit, a);
    int term = -1;
    if (t->real) {
        fmpq_t power;
        fmpz_t times;
        fmpq_init(power);
        fmpz_init_set_si(times, k);
        fmpq_set(power, t->re);
        if (rational_power(power, power, times, circuit->work)) term = term_constant(circuit, power, NULL);
        fmpq_clear(power);
        fmpz_clear(times);
    } else if ((double)k * (double)(rational_bits(t->re) + rational_bits(t->im)) <= EXACT_BITS) {
        term = term_integer(circuit, 1);
        for (int square = a; k > 0 && term >= 0; k >>= 1) {
            if (k & 1) term = fold(circuit, TERM_MULTIPLY, term, square);
            square = k > 1 ? fold(circuit, TERM_MULTIPLY, square, square) : square;
            if (square < 0) return -1;
        }
    }
    return term;
}

int term_power(struct circuit *circuit, int a, slong k) {
    if (a < 0) return -1;
    if (k < 0) return term_divide(circuit, term_integer(circuit, 1), term_power(circuit, a, -k));
    if (k == 0) return circuit_guard(circuit, GUARD_NOT_ZERO, a) ? term_integer(circuit, 1) : -1;
    if (k == 1 || is_integer(circuit, a, 0) || is_integer(circuit, a, 1)) return a;
    if (is_constant(circuit, a)) {
        int term = constant_power(circuit, a, k);
        return term >= 0 ? term : make(circuit, TERM_POWER, a, -1, k);
    }
    int c, s = without_factor(circuit, a, &c);
    if (c < 0) return -1;
    if (s != a) return term_multiply(circuit, term_power(circuit, c, k), term_power(circuit, s, k));
    const struct term *t = at(circuit, a);
    if (t->op == TERM_POWER && (double)t->k * (double)k < 9e18) return term_power(circuit, t->a, t->k * k);
    if ((t->op == TERM_ROOT || t->op == TERM_REAL_ROOT) && k % t->k == 0) return term_power(circuit, t->a, k / t->k);
    if ((t->op == TERM_ROOT || t->op == TERM_REAL_ROOT) && k > t->k) {
        int root = a, radicand = t->a;
        slong index = t->k;
        return term_multiply(circuit, term_power(circuit, radicand, k / index), term_power(circuit, root, k % index));
    }
    return make(circuit, TERM_POWER, a, -1, k);
}

int term_one(struct circuit *circuit, enum op op, int a, slong k) { return make(circuit, op, a, -1, k); }

int term_exp(struct circuit *circuit, const fmpq_t factor, int a) {
    if (a < 0) return -1;
    struct term t = {.op = TERM_EXP, .a = a, .b = -1};
    fmpq_init(t.re);
    fmpq_init(t.im);
    fmpq_set(t.re, factor);
    return term_intern(circuit, &t);
}
