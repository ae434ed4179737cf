/* function.c - whether two expressions in variables are the same function: by their normal form; else by their values
 * at several rational points, each compared exactly. Variables are real, and a point where a side has no real value
 * says nothing, unless i is written out; those that count something are whole. It must not know how numbers are
 * enclosed. */
#include "answer/exact/function.h"
#include "answer/exact/circuit.h"
#include "answer/exact/expression.h"
#include "answer/exact/rational.h"

enum {
    VARIABLES = 32,    /* of both sides together */
    POINTS = 24,       /* that are tried */
    POINTS_ENOUGH = 8, /* with equal values prove nothing, but are taken for equality, and the rule says so */
    FAR_POINTS = 4,    /* that are tried then, and what a side bends at: there they may still be seen to differ */
    BENDS = 16,        /* of one variable */
};

/* Small numbers without a pattern; which of them a variable gets depends on the point and on its place in the
 * alphabet. */
static void point_value(fmpq_t out, int point, int variable, bool whole) {
    static const int numerators[] = {17, 3, 31, 5, 23, 2, 29, 13, 37, 7, 19, 11};
    static const unsigned denominators[] = {9, 14, 15, 4, 6, 10, 8, 12}; /* so that none is whole */
    if (whole) {
        fmpq_set_si(out, (1 + 3 * point + 5 * variable + point * variable) % 13, 1);
        return;
    }
    int n = numerators[(5 * point + 7 * variable + point * variable) % 12];
    fmpq_set_si(out, (point + 2 * variable) % 4 == 3 ? -n : n, denominators[(3 * point + variable) % 8]);
}

/* Far from nought: |x + 2| is x + 2 for all x that are near. Of both signs, unless whole, since no value of point 4n is
 * negative. */
static void far_value(fmpq_t out, int point, int variable, bool whole) {
    static const int far[] = {-40, 40, -3000000, 3000000}, far_whole[] = {13, 60, 200, 1000};
    point_value(out, 4 * point, variable, whole);
    if (whole) {
        fmpq_add_si(out, out, far_whole[(point + variable) % 4]);
        return;
    }
    fmpz_mul_si(fmpq_numref(out), fmpq_numref(out), far[(point + variable) % 4]);
    fmpq_canonicalise(out);
}

static bool has_symbol(const struct node *node, cord_text name) {
    if (node->kind == NODE_SYMBOL) return text_equal(node->text, name);
    for (size_t i = 0; i < node->n; i++)
        if (has_symbol(node->child[i], name)) return true;
    return false;
}

/* The n of (-1)^n: a power of a negative number is real for whole exponents only. */
static bool has_negative_base(const struct node *power, struct work *work) {
    const struct node zero = {.kind = NODE_NUMBER, .text = TEXT("0")}, *base = power->child[0];
    int order;
    return !node_symbols(base, NULL, 0) && node_has(base, NODE_NEGATE, -1) &&
           expression_order(base, &zero, work, &order) && order < 0;
}

/* Whether the variable stands where there are whole numbers only. */
static bool counts(const struct node *node, cord_text name, struct work *work) {
    bool counting = node->kind == NODE_FACTORIAL || node->kind == NODE_BINOMIAL ||
                    (node->kind == NODE_FUNCTION && (node->which == FUNCTION_GCD || node->which == FUNCTION_LCM));
    if (counting && has_symbol(node, name)) return true;
    if (node->kind == NODE_POWER && has_symbol(node->child[1], name) && has_negative_base(node, work)) return true;
    for (size_t i = 0; i < node->n; i++)
        if (counts(node->child[i], name, work)) return true;
    return false;
}

/* Whether the variable is rounded, so that whole numbers differ from all others. */
static bool is_rounded(const struct node *node, cord_text name) {
    if ((node->kind == NODE_FLOOR || node->kind == NODE_CEILING) && has_symbol(node, name)) return true;
    for (size_t i = 0; i < node->n; i++)
        if (is_rounded(node->child[i], name)) return true;
    return false;
}

/* Whether it is about parts of a variable that need not be real: Re z, z \overline{z}. */
static bool is_part(const struct node *node) {
    bool part = node->kind == NODE_FUNCTION &&
                (node->which == FUNCTION_RE || node->which == FUNCTION_IM || node->which == FUNCTION_CONJUGATE);
    if (part && node_symbols(node, NULL, 0)) return true;
    if (node->kind == NODE_SYMBOL &&
        (text_starts(node->text, TEXT("\\overline")) || text_starts(node->text, TEXT("\\bar"))))
        return true;
    for (size_t i = 0; i < node->n; i++)
        if (is_part(node->child[i])) return true;
    return false;
}

/* Whether every name of `a` is one of `b`. Both are sorted. */
static bool is_subset(const cord_text *a, size_t n, const cord_text *b, size_t m) {
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++) found += text_equal(a[i], b[j]);
    return found == n;
}

/* \lfloor x \rfloor: nobody rounds what is whole. */
static bool rounds_symbol(const struct node *node) {
    if ((node->kind == NODE_FLOOR || node->kind == NODE_CEILING) && node->child[0]->kind == NODE_SYMBOL) return true;
    for (size_t i = 0; i < node->n; i++)
        if (rounds_symbol(node->child[i])) return true;
    return false;
}

struct functions {
    const struct node *a, *b;
    const cord_text *names;
    size_t n;
    bool complex;                              /* i is written */
    bool whole[VARIABLES], rounded[VARIABLES]; /* of each variable */
    bool all_whole;                            /* those that are rounded, too */
    struct work *work;
};

/* ---- as functions -------------------------------------------------------------------------------------------- */

static enum proof by_normal_form(const struct functions *f) {
    struct circuit circuit;
    circuit_init(&circuit, f->work);
    circuit.symbols = f->names, circuit.n_symbols = f->n;
    int a = circuit_lower(&circuit, f->a), b = a < 0 ? -1 : circuit_lower(&circuit, f->b);
    enum proof proof = UNPROVED;
    if (a >= 0 && b >= 0 && circuit_guarded(&circuit) == PROVED_NOT_ZERO)
        proof = circuit_identity(&circuit, term_subtract(&circuit, a, b), NULL);
    circuit_release(&circuit);
    return proof;
}

/* ---- at points ----------------------------------------------------------------------------------------------- */

enum outcome { NO_VALUE, SAME, ALIKE, DIFFERENT, UNKNOWN };

/* Whether roots, powers and functions inside are real, too: \sqrt{x-1}\sqrt{x+1} has no value at -2. */
static bool is_real_throughout(struct circuit *circuit, const struct node *node) {
    if (node->kind == NODE_ROOT || node->kind == NODE_POWER || node->kind == NODE_FUNCTION) {
        int a = circuit_lower(circuit, node);
        if (a < 0 || !circuit_enclose(circuit, a, 64) || !circuit_real(circuit, a)) return false;
    }
    for (size_t i = 0; i < node->n; i++)
        if (!is_real_throughout(circuit, node->child[i])) return false;
    return true;
}

static enum outcome values_at(const struct functions *f, const fmpq *values) {
    struct circuit circuit;
    circuit_init(&circuit, f->work);
    circuit.symbols = f->names, circuit.n_symbols = f->n, circuit.values = values;
    int a = circuit_lower(&circuit, f->a), b = a < 0 ? -1 : circuit_lower(&circuit, f->b);
    enum outcome outcome = NO_VALUE;
    if (a >= 0 && b >= 0 && circuit_guarded(&circuit) == PROVED_NOT_ZERO && circuit_enclose(&circuit, a, 64) &&
        circuit_enclose(&circuit, b, 64) &&
        (f->complex || (circuit_real(&circuit, a) && circuit_real(&circuit, b) && is_real_throughout(&circuit, f->a) &&
                        is_real_throughout(&circuit, f->b)))) {
        int zero = term_subtract(&circuit, a, b);
        switch (circuit_zero(&circuit, zero)) {
        case PROVED_ZERO: outcome = SAME; break;
        case PROVED_NOT_ZERO: outcome = DIFFERENT; break;
        case UNPROVED: outcome = circuit_nearly_zero(&circuit, zero) ? ALIKE : UNKNOWN; break;
        }
    }
    circuit_release(&circuit);
    return outcome;
}

static bool differ_at(const struct functions *f, const fmpq *values) {
    return f->work->left > 0 && values_at(f, values) == DIFFERENT;
}

static bool differ_far_away(const struct functions *f, fmpq *values) {
    bool differ = false;
    for (int point = 0; point < FAR_POINTS && !differ; point++) {
        for (size_t i = 0; i < f->n; i++)
            far_value(&values[i], point, (int)i, f->whole[i] || (f->rounded[i] && f->all_whole));
        differ = differ_at(f, values);
    }
    return differ;
}

/* Numbers at which one variable makes a side bend, in order. */
struct bends {
    const struct functions *f;
    size_t variable;
    fmpq *values; /* of all variables; this one's changes */
    fmpq at[BENDS];
    int n;
};

/* The value of a part where it is rational. */
static bool part_value(const struct bends *b, const struct node *part, slong x, fmpq_t out) {
    struct circuit circuit;
    fmpq_set_si(&b->values[b->variable], x, 1);
    circuit_init(&circuit, b->f->work);
    circuit.symbols = b->f->names, circuit.n_symbols = b->f->n, circuit.values = b->values;
    int a = circuit_lower(&circuit, part);
    bool rational = a >= 0 && at(&circuit, a)->op == TERM_CONSTANT && at(&circuit, a)->real;
    if (rational) fmpq_set(out, at(&circuit, a)->re);
    circuit_release(&circuit);
    return rational;
}

/* Adds the zero of `part`, or where it is least or most, as if it were linear or quadratic: by its values at 0, 1 and 2. */
static void add_bend(struct bends *b, const struct node *part) {
    fmpq y[3], slope, bow;
    for (int i = 0; i < 3; i++) fmpq_init(&y[i]);
    fmpq_init(&slope), fmpq_init(&bow);
    bool good = b->n < BENDS && b->f->work->left > 0 && has_symbol(part, b->f->names[b->variable]);
    for (int i = 0; i < 3 && good; i++) good = part_value(b, part, i, &y[i]);
    if (good) { /* y = y0 + (slope - bow / 2) x + bow / 2 x^2 */
        fmpq_sub(&slope, &y[1], &y[0]);
        fmpq_sub(&bow, &y[2], &y[1]), fmpq_sub(&bow, &bow, &slope);
        bool line = fmpq_is_zero(&bow);
        if (!line) fmpq_div_2exp(&y[0], &bow, 1), fmpq_sub(&y[0], &slope, &y[0]), fmpq_set(&slope, &bow);
        good = !fmpq_is_zero(&slope);
        if (good) fmpq_div(&y[0], &y[0], &slope), fmpq_neg(&y[0], &y[0]);
    }
    int k = good ? b->n : 0;
    for (int i = 0; i < b->n; i++) good = good && !fmpq_equal(&b->at[i], &y[0]);
    for (; good && k > 0 && fmpq_cmp(&b->at[k - 1], &y[0]) > 0; k--) fmpq_set(&b->at[k], &b->at[k - 1]);
    if (good) fmpq_set(&b->at[k], &y[0]), b->n++;
    for (int i = 0; i < 3; i++) fmpq_clear(&y[i]);
    fmpq_clear(&slope), fmpq_clear(&bow);
}

/* Those of |x - 7|, \sqrt{(x - 7)^2} and \max(x, 7): where what is in them is zero. */
static void add_bends(struct bends *b, const struct node *node) {
    bool extreme = node->kind == NODE_FUNCTION && (node->which == FUNCTION_MIN || node->which == FUNCTION_MAX);
    if (node->kind == NODE_ABS || node->kind == NODE_ROOT || node->kind == NODE_POWER) add_bend(b, node->child[0]);
    for (size_t i = 1; i < node->n && extreme; i++) {
        struct node minus = {.kind = NODE_NEGATE, .n = 1, .child = &node->child[i]};
        struct node gap = {.kind = NODE_ADD, .n = 2, .child = (struct node *[]){node->child[i - 1], &minus}};
        add_bend(b, &gap);
    }
    for (size_t i = 0; i < node->n; i++) add_bends(b, node->child[i]);
}

/* At bends, and in the middle between two: |x - 7| + |x - 9| and 2|x - 8| differ nowhere else. */
static bool differ_at_bends(const struct functions *f, size_t variable, fmpq *values) {
    struct bends b = {.f = f, .variable = variable, .values = values};
    fmpq *x = &values[variable];
    bool differ = false;
    for (int i = 0; i < BENDS; i++) fmpq_init(&b.at[i]);
    for (size_t i = 0; i < f->n; i++) point_value(&values[i], 0, (int)i, f->whole[i]);
    add_bends(&b, f->a);
    add_bends(&b, f->b);
    for (int i = 0; i < b.n && !differ; i++) {
        fmpq_set(x, &b.at[i]);
        differ = differ_at(f, values);
        if (i == 0 || differ) continue;
        fmpq_add(x, x, &b.at[i - 1]), fmpq_div_2exp(x, x, 1);
        differ = differ_at(f, values);
    }
    for (int i = 0; i < BENDS; i++) fmpq_clear(&b.at[i]);
    return differ;
}

/* With half of the work that is left at most. */
static bool differ_elsewhere(const struct functions *f, fmpq *values) {
    struct functions some = *f;
    struct work part = {.left = f->work->left / 2};
    int64_t before = part.left;
    some.work = &part;
    bool differ = differ_far_away(&some, values);
    for (size_t i = 0; i < f->n && !differ; i++)
        if (!f->whole[i] && !f->rounded[i]) differ = differ_at_bends(&some, i, values);
    f->work->left -= before - part.left;
    return differ;
}

static cord_verdict by_points(const struct functions *f, const char **rule) {
    fmpq values[VARIABLES];
    int same = 0, alike = 0, unknown = 0;
    for (size_t i = 0; i < f->n; i++) fmpq_init(&values[i]);
    bool differ = false;
    for (int point = 0; point < POINTS && !differ && same + alike < POINTS_ENOUGH; point++) {
        for (size_t i = 0; i < f->n; i++) {
            bool whole = f->whole[i] || (f->rounded[i] && (f->all_whole || point % 2));
            point_value(&values[i], point, (int)i, whole);
        }
        switch (values_at(f, values)) {
        case SAME: same++; break;
        case ALIKE: alike++; break;
        case DIFFERENT: differ = true; break;
        case UNKNOWN: unknown++; break;
        case NO_VALUE: break;
        }
        if (f->work->left <= 0) break;
    }
    if (!differ && same + alike == POINTS_ENOUGH) differ = differ_elsewhere(f, values);
    for (size_t i = 0; i < f->n; i++) fmpq_clear(&values[i]);
    if (differ) return *rule = "different values at one point", CORD_DIFFERENT;
    if (same + alike == POINTS_ENOUGH)
        return *rule = alike ? "equal at 8 points to 60 digits" : "equal at 8 points", CORD_EQUAL;
    *rule = f->work->left <= 0       ? LIMIT_WORK
            : same + alike + unknown ? "the values at too few points could be compared"
                                     : "no point where both have a real value";
    return CORD_UNDECIDED;
}

cord_verdict compare_functions(const struct node *a, const struct node *b, struct work *work, const char **rule) {
    cord_text of_a[VARIABLES], of_b[VARIABLES];
    size_t n = node_symbols(a, of_a, VARIABLES), m = node_symbols(b, of_b, VARIABLES);
    if (n > VARIABLES || m > VARIABLES) return *rule = "too many variables", CORD_UNDECIDED;
    if (is_part(a) || is_part(b)) return *rule = "a variable may be complex", CORD_UNDECIDED;
    if (!is_subset(of_a, n, of_b, m) && !is_subset(of_b, m, of_a, n))
        return *rule = "each side has a variable that the other lacks", CORD_UNDECIDED;
    struct functions f = {.a = a, .b = b, .names = n > m ? of_a : of_b, .n = n > m ? n : m, .work = work};
    f.complex = node_has(a, NODE_CONSTANT, CONSTANT_I) || node_has(b, NODE_CONSTANT, CONSTANT_I);
    bool rounded = false;
    for (size_t i = 0; i < f.n; i++) {
        f.whole[i] = counts(a, f.names[i], work) || counts(b, f.names[i], work);
        f.rounded[i] = is_rounded(a, f.names[i]) || is_rounded(b, f.names[i]);
        rounded = rounded || (f.rounded[i] && !f.whole[i]);
    }
    struct work half = {.left = work->left / 2};
    struct work rest = {.left = work->left - half.left};
    f.work = &half;
    enum proof proof = by_normal_form(&f);
    work->left = rest.left + half.left;
    if (proof == PROVED_ZERO) return *rule = "equal as functions", CORD_EQUAL;
    if (proof == PROVED_NOT_ZERO) return *rule = "different as functions", CORD_DIFFERENT;
    f.work = work;
    cord_verdict verdict = by_points(&f, rule);
    if (!rounded || rounds_symbol(a) || rounds_symbol(b) || verdict == CORD_UNDECIDED) return verdict;
    f.all_whole = true; /* \lceil n/2 \rceil and \lfloor (n+1)/2 \rfloor are equal for these only */
    if (by_points(&f, rule) == verdict) return verdict;
    return *rule = "it depends on whether a variable is a whole number", CORD_UNDECIDED;
}
