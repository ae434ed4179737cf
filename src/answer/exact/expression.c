/* expression.c - whether two expressions are the same number or the same function: which way of comparing them applies.
 *
 *     the same tree                       equal, whatever it is
 *     both rational numbers               rational.c
 *     ±∞ on a side                        by sign
 *     variables                           function.c
 *     any other numbers                   circuit.h: enclosures and separation bounds, normal forms
 *
 * It must not know how answers are written. */
#include "answer/exact/expression.h"
#include "answer/exact/circuit.h"
#include "answer/exact/function.h"
#include "answer/exact/rational.h"

#include <pthread.h>

static cord_verdict say(const char **rule, const char *sentence, cord_verdict verdict) {
    *rule = sentence;
    return verdict;
}

static bool has_infinity(const struct node *node) { return node_has(node, NODE_CONSTANT, CONSTANT_INFINITY); }
static bool has_variable(const struct node *node) { return node_has(node, NODE_SYMBOL, -1); }

/* ---- infinity ------------------------------------------------------------------------------------------------ */

/* The sign of a finite real number; 2 where it is not proved to be one. */
static int finite_sign(const struct node *node, struct work *work) {
    struct circuit circuit;
    circuit_init(&circuit, work);
    int term = has_variable(node) ? -1 : circuit_lower(&circuit, node), sign = 2;
    if (term >= 0 && circuit_guarded(&circuit) == PROVED_NOT_ZERO && circuit_enclose(&circuit, term, 64) &&
        circuit_real(&circuit, term))
        sign = circuit_sign(&circuit, term);
    circuit_release(&circuit);
    return sign;
}

/* 1 or -1 for ∞ and -∞, also with finite numbers added to it or multiplied by it; 0 for what has no such value. */
static int infinity_sign(const struct node *node, struct work *work) {
    if (node->kind == NODE_CONSTANT) return node->which == CONSTANT_INFINITY;
    if (node->kind == NODE_NEGATE) return -infinity_sign(node->child[0], work);
    if (node->kind != NODE_ADD && node->kind != NODE_MULTIPLY && node->kind != NODE_DIVIDE) return 0;
    bool add = node->kind == NODE_ADD;
    int sign = add ? 0 : 1;
    for (size_t i = 0; i < node->n; i++) {
        const struct node *child = node->child[i];
        bool infinite = has_infinity(child);
        if (node->kind == NODE_DIVIDE && infinite != (i == 0)) return 0;
        int one = infinite ? infinity_sign(child, work) : finite_sign(child, work);
        if (one == 2 || (infinite && one == 0)) return 0;
        if (add && infinite && sign == -one) return 0; /* ∞ - ∞ */
        if (add && infinite) sign = one;
        if (!add) sign *= one; /* 0 for 0·∞ */
    }
    return sign;
}

static cord_verdict compare_infinite(const struct node *a, const struct node *b, struct work *work, const char **rule) {
    bool both = has_infinity(a) && has_infinity(b);
    const struct node *infinite = has_infinity(a) ? a : b, *other = infinite == a ? b : a;
    int sign = infinity_sign(infinite, work);
    int second = both ? infinity_sign(other, work) : finite_sign(other, work);
    if (sign == 0 || (both ? second == 0 : second == 2))
        return say(rule, "arithmetic with infinity has no value", CORD_UNDECIDED);
    if (both && sign == second) return say(rule, "infinity of the same sign", CORD_EQUAL);
    return say(rule, both ? "infinity of another sign" : "infinity and a number", CORD_DIFFERENT);
}

/* ---- numbers ------------------------------------------------------------------------------------------------- */

static cord_verdict compare_numbers(const struct node *a, const struct node *b, struct work *work, const char **rule) {
    struct circuit circuit;
    circuit_init(&circuit, work);
    int s = circuit_lower(&circuit, a), t = s < 0 ? -1 : circuit_lower(&circuit, b);
    enum proof proof = UNPROVED;
    if (s >= 0 && t >= 0 && circuit_guarded(&circuit) == PROVED_NOT_ZERO)
        proof = circuit_zero(&circuit, term_subtract(&circuit, s, t));
    const char *why = circuit.why;
    circuit_release(&circuit);
    if (proof == PROVED_ZERO) return say(rule, "the numbers are equal", CORD_EQUAL);
    if (proof == PROVED_NOT_ZERO) return say(rule, "the numbers differ", CORD_DIFFERENT);
    return say(rule,
               why           ? why
               : work->limit ? work->limit
                             : "neither equality nor difference is proved",
               CORD_UNDECIDED);
}

/* True where both are rational numbers, or where one is known to have no value. */
static bool compare_rational(const struct node *a, const struct node *b, struct work *work, const char **rule,
                             cord_verdict *verdict) {
    fmpq_t x, y;
    fmpq_init(x);
    fmpq_init(y);
    enum value of_a = rational_value(x, a, work);
    enum value of_b = of_a == VALUE_RATIONAL ? rational_value(y, b, work) : VALUE_OTHER;
    bool decided = of_a == VALUE_RATIONAL && of_b == VALUE_RATIONAL;
    if (decided && fmpq_equal(x, y))
        *verdict = say(rule, "the numbers are equal", CORD_EQUAL);
    else if (decided)
        *verdict = say(rule, "the numbers differ", CORD_DIFFERENT);
    fmpq_clear(x);
    fmpq_clear(y);
    return decided;
}

/* A total order of trees, so that no verdict depends on which side is which. */
static int tree_order(const struct node *a, const struct node *b) {
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->which != b->which) return a->which < b->which ? -1 : 1;
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    if (a->text.len != b->text.len) return a->text.len < b->text.len ? -1 : 1;
    int order = a->text.len ? memcmp(a->text.data, b->text.data, a->text.len) : 0;
    if (order == 0) order = (a->exponent > b->exponent) - (a->exponent < b->exponent);
    if (order == 0) order = (a->repeat > b->repeat) - (a->repeat < b->repeat);
    for (size_t i = 0; order == 0 && i < a->n; i++) order = tree_order(a->child[i], b->child[i]);
    return order;
}

/* ---- FLINT's memory ------------------------------------------------------------------------------------------------- */

/* FLINT keeps what a thread has used for its next numbers, and frees it only when it is told. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void clean_up(void *unused) {
    (void)unused;
    flint_cleanup();
}

static void make_key(void) { has_key = pthread_key_create(&key, clean_up) == 0; }

__attribute__((destructor)) static void drop_key(void) { /* of a library that is unloaded */
    if (has_key) pthread_key_delete(key);
}

static void clean_up_with_thread(void) {
    pthread_once(&once, make_key);
    if (has_key && !pthread_getspecific(key)) pthread_setspecific(key, &key);
}

/* ---- both ---------------------------------------------------------------------------------------------------- */

/* Scratch memory is not the arena's: a comparison of two sets may come here a hundred thousand times. */
cord_verdict expression_compare(const struct node *a, const struct node *b, struct work *work, const char **rule) {
    cord_verdict verdict = CORD_UNDECIDED;
    clean_up_with_thread();
    if (compare_rational(a, b, work, rule, &verdict)) return verdict;
    int order = tree_order(a, b);
    if (order > 0) {
        const struct node *t = a;
        a = b, b = t;
    }
    if (order == 0)
        verdict = say(rule, "written alike", CORD_EQUAL);
    else if (has_infinity(a) || has_infinity(b))
        verdict = compare_infinite(a, b, work, rule);
    else if (has_variable(a) || has_variable(b))
        verdict = compare_functions(a, b, work, rule);
    else
        verdict = compare_numbers(a, b, work, rule);
    if (verdict != CORD_UNDECIDED)
        work->limit = NULL;
    else if (work->limit)
        *rule = work->limit;
    return verdict;
}

bool expression_order(const struct node *a, const struct node *b, struct work *work, int *order) {
    if (has_variable(a) || has_variable(b)) return false;
    clean_up_with_thread();
    if (has_infinity(a) || has_infinity(b)) {
        int s = has_infinity(a) ? 2 * infinity_sign(a, work) : finite_sign(a, work);
        int t = has_infinity(b) ? 2 * infinity_sign(b, work) : finite_sign(b, work);
        if ((has_infinity(a) ? s == 0 : s == 2) || (has_infinity(b) ? t == 0 : t == 2)) return false;
        s = has_infinity(a) ? s / 2 : 0, t = has_infinity(b) ? t / 2 : 0;
        *order = (s > t) - (s < t);
        return true;
    }
    struct circuit circuit;
    circuit_init(&circuit, work);
    int s = circuit_lower(&circuit, a), t = s < 0 ? -1 : circuit_lower(&circuit, b), sign = 2;
    if (s >= 0 && t >= 0 && circuit_guarded(&circuit) == PROVED_NOT_ZERO && circuit_enclose(&circuit, s, 64) &&
        circuit_enclose(&circuit, t, 64) && circuit_real(&circuit, s) && circuit_real(&circuit, t))
        sign = circuit_sign(&circuit, term_subtract(&circuit, s, t));
    circuit_release(&circuit);
    *order = sign;
    return sign != 2;
}
