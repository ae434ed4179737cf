/* compare_numbers.c - numbers as answers: by which rule they are compared, and what a unit, a percent sign, a degree sign
 * or a word such as "million" on one side or both says. It must not know how values are computed. */
#include "answer/compare.h"
#include "answer/read/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- rules of data sets -------------------------------------------------------------------------------------- */

static struct node *difference(struct arena *arena, struct node *a, struct node *b) {
    return node_two(arena, NODE_ADD, a, node_one(arena, NODE_NEGATE, b));
}

/* Whether |a - b| <= limit; undecided where it is not proved either way. */
static cord_verdict is_within(struct comparison *c, struct node *a, struct node *b, struct node *limit) {
    struct node *apart = node_one(c->arena, NODE_ABS, difference(c->arena, a, b));
    int order;
    if (!apart || !limit || !expression_order(apart, limit, c->work, &order)) return CORD_UNDECIDED;
    return order <= 0 ? CORD_EQUAL : CORD_DIFFERENT;
}

/* digits * 10^exponent */
static struct node *power_of_ten(struct arena *arena, int64_t digits, int exponent) {
    struct node *node = node_integer(arena, digits);
    if (node) node->exponent = exponent;
    return node;
}

/* The decimals that a plain number, or a percentage, is written with; -1 for all else. */
static int decimals_of(const struct node *node) {
    if (node->kind == NODE_NEGATE) node = node->child[0];
    bool percent = node->kind == NODE_PERCENT;
    if (percent) node = node->child[0];
    return node->kind == NODE_NUMBER && !node->repeat && node->exponent < 0 ? 2 * percent - node->exponent : -1;
}

static cord_verdict within_for(struct comparison *c, cord_verdict verdict, const char *yes, const char *no) {
    static const char unproved[] = "whether the rule for numbers lets them be equal is not proved";
    return verdict_for(c, verdict, verdict == CORD_EQUAL ? yes : verdict == CORD_DIFFERENT ? no : unproved);
}

/* Whether `exact` lies within half a unit of the last decimal that `decimal` is written with; it has some. */
static cord_verdict is_rounded(struct comparison *c, struct node *decimal, struct node *exact) {
    return is_within(c, decimal, exact, power_of_ten(c->arena, 5, -decimals_of(decimal) - 1));
}

static cord_verdict compare_rounded(struct comparison *c, struct node *gold, struct node *answer) {
    if (decimals_of(gold) < 0) return expression_compare(gold, answer, c->work, &c->why);
    return within_for(c, is_rounded(c, gold, answer), "the answer rounds to the gold",
                      "the answer does not round to the gold");
}

bool rounds_to(struct comparison *c, struct node *exact, struct node *decimal) {
    return decimals_of(decimal) >= 0 && node_is_expression(exact) && node_symbols(exact, NULL, 0) == 0 &&
           is_rounded(c, decimal, exact) == CORD_EQUAL;
}

static cord_verdict compare_relative(struct comparison *c, struct node *gold, struct node *answer) {
    char digits[40];
    if (!isfinite(c->options->tolerance) || c->options->tolerance < 0)
        return verdict_for(c, CORD_UNDECIDED, "the tolerance is no number from 0 on");
    snprintf(digits, sizeof digits, "%.15e", c->options->tolerance); /* d.ddde-06 */
    char *e = strchr(digits, 'e');
    int exponent = e ? atoi(e + 1) - 15 : 0;
    if (e) *e = '\0';
    size_t point = 1 + strcspn(digits + 1, "0123456789"); /* that of the program's locale, which may be several bytes */
    memmove(digits + 1, digits + point, strlen(digits + point) + 1);
    struct node *tolerance = power_of_ten(c->arena, strtoll(digits, NULL, 10), exponent);
    struct node *limit = node_two(c->arena, NODE_MULTIPLY, tolerance, node_one(c->arena, NODE_ABS, gold));
    cord_verdict verdict = is_within(c, gold, answer, limit);
    return within_for(c, verdict, "they differ by no more than the tolerance",
                      "they differ by more than the tolerance");
}

/* `value`, in units of `scale`, rounded to two decimals, the middle between two up or down; as hundredths. */
static struct node *hundredths(struct arena *arena, struct node *value, struct node *scale, bool up) {
    struct node *many =
        node_two(arena, NODE_DIVIDE, node_two(arena, NODE_MULTIPLY, node_integer(arena, 100), value), scale);
    struct node *half = power_of_ten(arena, 5, -1);
    if (up) return node_one(arena, NODE_FLOOR, node_two(arena, NODE_ADD, many, half));
    return node_one(arena, NODE_CEILING, node_two(arena, NODE_ADD, many, node_one(arena, NODE_NEGATE, half)));
}

/* TAT-QA's own metric (Zhu et al. 2021): both numbers are rounded to two decimals in the scale they are given in. Which way
 * it rounds 0.125 depends on the bits of a machine's number: undecided where that matters. */
static cord_verdict compare_tatqa(struct comparison *c, struct node *gold, struct node *answer, struct node *scale) {
    static const char same[] = "they are the same to two decimals in the gold's scale";
    if (expression_compare(gold, answer, c->work, &c->why) == CORD_EQUAL) return verdict_for(c, CORD_EQUAL, same);
    cord_verdict first = CORD_UNDECIDED;
    for (int way = 0; way < 4; way++) {
        struct node *g = hundredths(c->arena, gold, scale, way & 1), *a = hundredths(c->arena, answer, scale, way & 2);
        if (!g || !a) return verdict_for(c, CORD_UNDECIDED, "out of memory");
        cord_verdict verdict = expression_compare(g, a, c->work, &c->why);
        if (verdict == CORD_UNDECIDED) return verdict;
        if (way == 0) first = verdict;
        if (verdict != first)
            return verdict_for(c, CORD_UNDECIDED, "a number lies in the middle between two of two decimals");
    }
    return verdict_for(c, first,
                       first == CORD_EQUAL ? same : "they differ in the first two decimals in the gold's scale");
}

/* 5k, 1.5M: perhaps thousands, millions; 1 where the letter is not one of those. */
static int64_t scale_of_letter(const struct node *letter) {
    if (letter->kind != NODE_SYMBOL || letter->text.len != 1) return 1;
    char c = *letter->text.data;
    return c == 'k' || c == 'K' ? 1000 : c == 'm' || c == 'M' ? 1000000 : c == 'b' || c == 'B' ? 1000000000 : 1;
}

/* Whether `written`, a number and such a letter, may mean `number`. */
static bool may_be_scaled(struct comparison *c, const struct node *written, struct node *number) {
    const char *why;
    if (written->kind != NODE_MULTIPLY || written->n != 2 || written->child[0]->kind != NODE_NUMBER) return false;
    int64_t scale = scale_of_letter(written->child[1]);
    if (scale == 1 || node_symbols(number, NULL, 0)) return false;
    struct node *value = node_two(c->arena, NODE_MULTIPLY, written->child[0], node_integer(c->arena, scale));
    return value && expression_compare(value, number, c->work, &why) == CORD_EQUAL;
}

static bool has_angle(const struct node *node) {
    return node_has(node, NODE_CONSTANT, CONSTANT_PI) || node_has(node, NODE_DEGREE, -1);
}

/* Whether all letters in it are factors that may be units or stand before one: m, s^{-1}, k\Omega. Sets *unit where one is. */
static bool may_be_units(const struct node *node, bool *unit) {
    static const char *const prefixes[] = {"k", "M", "G", "T", "c", "d", "n", "p", "\\mu", NULL};
    if (node->kind == NODE_SYMBOL && unit_find(node->text)) return *unit = true;
    if (node->kind == NODE_SYMBOL) return text_place(node->text, prefixes) >= 0;
    if (!node_symbols(node, NULL, 0)) return true;
    if (node->kind == NODE_POWER) return !node_symbols(node->child[1], NULL, 0) && may_be_units(node->child[0], unit);
    bool factors = node->kind == NODE_MULTIPLY || node->kind == NODE_DIVIDE || node->kind == NODE_NEGATE;
    for (size_t i = 0; i < node->n; i++) factors = factors && may_be_units(node->child[i], unit);
    return factors;
}

/* Whether `written`, a number and letters behind it, may be a measure of that `number`: 5\,\frac{m}{s} and 5. */
static bool may_be_measured(struct comparison *c, struct node *written, struct node *number) {
    enum { MOST = 4 };
    cord_text names[MOST];
    const char *why;
    size_t n = node_symbols(written, names, MOST);
    const struct node *first = written;
    while (first->kind == NODE_MULTIPLY || first->kind == NODE_DIVIDE || first->kind == NODE_NEGATE)
        first = first->child[0];
    if (n == 0 || n > MOST || node_symbols(first, NULL, 0) || node_symbols(number, NULL, 0)) return false;
    bool unit = false;
    if (!may_be_units(written, &unit) || !unit) return false;
    struct node *one = node_integer(c->arena, 1), *value = written;
    for (size_t i = 0; i < n && value && one; i++) value = node_replace(c->arena, value, names[i], one);
    return value && one && expression_compare(value, number, c->work, &why) == CORD_EQUAL;
}

/* The solutions \frac{\pi}{2} + k\pi are -\frac{\pi}{2} + k\pi and \frac{\pi}{2} - k\pi, too: whether `a` is `b` with another
 * whole number for its only letter. */
static bool may_be_family(struct comparison *c, struct node *a, struct node *b) {
    static const char *const letters[] = {"k", "m", "n", NULL};
    enum { FURTHEST = 2 };
    cord_text name, other;
    const char *why;
    if (node_symbols(a, &name, 1) != 1 || node_symbols(b, &other, 1) != 1 || !text_equal(name, other)) return false;
    if (text_place(name, letters) < 0 || !has_angle(a) || !has_angle(b)) return false;
    struct node *letter = node_new(c->arena, NODE_SYMBOL, 0, 0, NULL);
    if (letter) letter->text = name;
    for (int step = -FURTHEST; step <= FURTHEST; step++)
        for (int minus = 0; minus < 2; minus++) {
            struct node *turned = minus ? node_one(c->arena, NODE_NEGATE, letter) : letter;
            struct node *whole = node_two(c->arena, NODE_ADD, turned, node_integer(c->arena, step));
            struct node *same = whole ? node_replace(c->arena, a, name, whole) : NULL;
            if (same && expression_compare(same, b, c->work, &why) == CORD_EQUAL) return true;
        }
    return false;
}

/* "It is 42!": a factorial, or glad to have found it. */
static bool may_be_exclaimed(struct comparison *c, struct node *written, struct node *number) {
    const char *why;
    struct node *inner = written->kind == NODE_NEGATE ? written->child[0] : written;
    if (inner->kind != NODE_FACTORIAL || node_symbols(inner, NULL, 0)) return false;
    struct node *value = inner == written ? inner->child[0] : node_one(c->arena, NODE_NEGATE, inner->child[0]);
    return value && expression_compare(value, number, c->work, &why) == CORD_EQUAL;
}

cord_verdict compare_values(struct comparison *c, struct node *gold, struct node *answer) {
    cord_verdict exact = expression_compare(gold, answer, c->work, &c->why);
    if (exact == CORD_DIFFERENT && (may_be_exclaimed(c, gold, answer) || may_be_exclaimed(c, answer, gold)))
        return verdict_for(c, CORD_UNDECIDED, "a mark of exclamation may be a factorial's or end a sentence");
    if (exact == CORD_DIFFERENT && (may_be_scaled(c, gold, answer) || may_be_scaled(c, answer, gold)))
        return verdict_for(c, CORD_UNDECIDED, "a letter may stand for thousands or millions");
    if (exact == CORD_DIFFERENT && (may_be_measured(c, gold, answer) || may_be_measured(c, answer, gold)))
        return verdict_for(c, CORD_UNDECIDED, "letters may be a unit");
    if (exact == CORD_DIFFERENT && may_be_family(c, gold, answer))
        return verdict_for(c, CORD_UNDECIDED, "a letter may stand for any whole number");
    if (exact == CORD_EQUAL) return exact;
    if (exact == CORD_UNDECIDED && c->same_symbols && node_symbols(gold, NULL, 0) && node_symbols(answer, NULL, 0)) {
        /* x against y as entries of answers that speak of both: their difference is not always nought */
        struct node *apart = difference(c->arena, gold, answer), *zero = node_integer(c->arena, 0);
        if (!apart || !zero) return verdict_for(c, CORD_UNDECIDED, "out of memory");
        exact = expression_compare(apart, zero, c->work, &c->why);
        if (exact == CORD_EQUAL) return exact;
    }
    if (node_symbols(gold, NULL, 0) || node_symbols(answer, NULL, 0)) return exact;
    switch (c->options->numbers) {
    case CORD_NUMBERS_ROUNDED: return compare_rounded(c, gold, answer);
    case CORD_NUMBERS_RELATIVE: return compare_relative(c, gold, answer);
    case CORD_NUMBERS_TATQA: return compare_tatqa(c, gold, answer, node_integer(c->arena, 1));
    case CORD_NUMBERS_EXACT: break;
    }
    return exact;
}

/* ---- measures ------------------------------------------------------------------------------------------------ */

enum mark { PLAIN, PERCENT, UNIT };

/* A number and what is said of it. */
struct measure {
    enum mark mark;
    struct node *written; /* without the mark: 50 of 50% */
    struct node *value;   /* with a percent sign, a hundredth; else as written */
    const struct unit *unit;
    struct node *unscaled; /* 1.5 of "1.5 million dollars"; NULL where there is no such word */
    struct node *scale;    /* and its million */
};

bool is_measure(const struct node *node) {
    if (node->kind == NODE_NEGATE) node = node->child[0];
    return node->kind == NODE_QUANTITY || node->kind == NODE_PERCENT || node->kind == NODE_DEGREE;
}

static struct measure measure_of(struct comparison *c, struct node *node) {
    struct node *inner = node->kind == NODE_NEGATE ? node->child[0] : node;
    if (!is_measure(node)) return (struct measure){PLAIN, node, node, NULL, NULL, NULL};
    struct node *written = inner->child[0];
    if (inner != node) written = node_one(c->arena, NODE_NEGATE, written);
    struct measure m = {UNIT, written, written, inner->unit, inner->other, NULL};
    const struct node *product = inner->child[0];
    if (m.unscaled && product->kind == NODE_MULTIPLY && product->n == 2) m.scale = product->child[1];
    if (inner->kind == NODE_PERCENT) m.mark = PERCENT, m.value = node;
    if (inner->kind == NODE_DEGREE) m.unit = unit_find(TEXT("degree"));
    return m;
}

static struct node *factor_of(struct comparison *c, const struct unit *unit) {
    return node_two(c->arena, NODE_DIVIDE, node_integer(c->arena, unit->num), node_integer(c->arena, unit->den));
}

/* In base units. */
static struct node *converted(struct comparison *c, const struct measure *m) {
    return node_two(c->arena, NODE_MULTIPLY, m->written, factor_of(c, m->unit));
}

/* In another unit, so that what is written in that one stays as it is written. */
static struct node *converted_to(struct comparison *c, const struct measure *m, const struct unit *unit) {
    return node_two(c->arena, NODE_DIVIDE, converted(c, m), factor_of(c, unit));
}

static bool is_unit(const struct measure *m, const char *name) {
    return m->mark == UNIT && !strcmp(m->unit->name, name);
}

static bool is_scaled(const struct measure *m) { return m->mark == UNIT && m->unit->power[SCALE] == 1; }

/* A measure in degrees and a plain number, in radians; as the gold is written. */
static cord_verdict compare_angles(struct comparison *c, const struct measure *degrees, struct node *radians,
                                   bool radians_gold) {
    if (radians_gold) {
        struct node *angle = node_one(c->arena, NODE_DEGREE, degrees->written);
        return angle ? compare_values(c, radians, angle) : verdict_for(c, CORD_UNDECIDED, "out of memory");
    }
    struct node *half_turn = node_new(c->arena, NODE_CONSTANT, CONSTANT_PI, 0, NULL);
    struct node *factor = node_two(c->arena, NODE_DIVIDE, node_integer(c->arena, 180), half_turn);
    struct node *angle = node_two(c->arena, NODE_MULTIPLY, radians, factor);
    return angle ? compare_values(c, degrees->written, angle) : verdict_for(c, CORD_UNDECIDED, "out of memory");
}

/* Whether words before a unit leave it what it is: "extra hours"; "light years", "Canadian dollars" are others. */
static bool says_nothing(cord_text words) {
    static const char *const known[] = {"additional", "american", "extra", "full",  "long", "more",
                                        "old",        "total",    "us",    "whole", NULL};
    return text_place(words, known) >= 0;
}

/* "apple" and "red apple", "pound" and "pound sterling": one says more. "Boxes of pencils" are no pencils, and a "kilowatt
 * hour" is no hour. */
static bool says_more(const char *more, const char *less) {
    size_t n = strlen(more), m = strlen(less);
    if (n <= m + 1) return false;
    if (!strcmp(more, "pound sterling") || !strncmp(more, "degree ", 7))
        return !strncmp(more, less, m) && more[m] == ' ';
    if (strcmp(more + n - m, less) != 0 || more[n - m - 1] != ' ') return false;
    cord_text words = {more, n - m - 1};
    if (unit_find(text_of(less))) return says_nothing(words);
    if (text_find(words, TEXT("/")) >= 0) return false;
    for (size_t from = 0, i = 0; i <= words.len; i++) {
        if (i < words.len && words.data[i] != ' ') continue;
        cord_text word = text_slice(words, from, i);
        if (text_equal(word, TEXT("of")) || text_equal(word, TEXT("per")) || unit_find(word)) return false;
        from = i + 1;
    }
    return true;
}

/* The gold comes first: the rules for numbers go by how it is written. */
static cord_verdict compare_units(struct comparison *c, const struct measure *a, const struct measure *b) {
    if (!strcmp(a->unit->name, b->unit->name)) return compare_values(c, a->written, b->written);
    if (unit_converts(a->unit, b->unit)) {
        struct node *right = converted_to(c, b, a->unit);
        return right ? compare_values(c, a->written, right) : verdict_for(c, CORD_UNDECIDED, "out of memory");
    }
    if (is_unit(a, "degree") && is_unit(b, "radian")) return compare_angles(c, a, b->written, false);
    if (is_unit(a, "radian") && is_unit(b, "degree")) return compare_angles(c, b, a->written, true);
    if (is_scaled(a) != is_scaled(b)) { /* "1.5 million" and "1500000 dollars" */
        struct node *left = is_scaled(a) ? converted(c, a) : a->written;
        struct node *right = is_scaled(b) ? converted(c, b) : b->written;
        if (left && right && compare_values(c, left, right) == CORD_EQUAL)
            return verdict_for(c, CORD_EQUAL, "the numbers are equal; only one of the two has a unit");
    }
    bool more = says_more(a->unit->name, b->unit->name) || says_more(b->unit->name, a->unit->name);
    if (more && compare_values(c, a->written, b->written) == CORD_EQUAL)
        return verdict_for(c, CORD_EQUAL, "the numbers are equal, and one unit says more than the other");
    return verdict_for(c, CORD_UNDECIDED, "the units differ, and none converts into the other");
}

/* `value` is the gold's, unless the plain number is. */
static cord_verdict compare_with_plain(struct comparison *c, struct node *value, struct node *plain, bool plain_gold) {
    return plain_gold ? compare_values(c, plain, value) : compare_values(c, value, plain);
}

/* A percentage, or a number with a word such as "million", against a plain number. */
static cord_verdict compare_scaled(struct comparison *c, struct node *value, struct node *written, struct node *plain,
                                   bool plain_gold) {
    cord_verdict scaled = compare_with_plain(c, value, plain, plain_gold);
    if (scaled == CORD_EQUAL) return scaled;
    const char *why = c->why;
    if (compare_with_plain(c, written, plain, plain_gold) == CORD_EQUAL)
        return verdict_for(c, CORD_UNDECIDED,
                           "the same number, but only one of the two says percent, million or the like");
    return verdict_for(c, scaled, why);
}

static cord_verdict compare_unit_and_plain(struct comparison *c, const struct measure *m, struct node *plain,
                                           bool plain_gold) {
    if (is_scaled(m)) {
        struct node *value = converted(c, m);
        return value ? compare_scaled(c, value, m->written, plain, plain_gold)
                     : verdict_for(c, CORD_UNDECIDED, "out of memory");
    }
    cord_verdict same = compare_with_plain(c, m->written, plain, plain_gold);
    if (same == CORD_EQUAL) return verdict_for(c, CORD_EQUAL, "the numbers are equal; only one of the two has a unit");
    if (is_unit(m, "degree")) {
        cord_verdict radians = compare_angles(c, m, plain, plain_gold);
        if (radians == CORD_EQUAL)
            return verdict_for(c, CORD_EQUAL, "the angles are equal, one in degrees, one in radians");
        if (radians == CORD_UNDECIDED) same = CORD_UNDECIDED;
    }
    if (m->unscaled && compare_with_plain(c, m->unscaled, plain, plain_gold) == CORD_EQUAL) /* "$1.5 million", "1.5" */
        return verdict_for(c, CORD_UNDECIDED, "the same number, but only one of the two says million or the like");
    if (same == CORD_DIFFERENT && m->unit && m->unit->sign) return verdict_for(c, CORD_DIFFERENT, "the numbers differ");
    if (same == CORD_UNDECIDED) return same;
    return verdict_for(c, CORD_UNDECIDED,
                       "the numbers differ, but only one of the two has a unit, which may explain it");
}

/* The scale that a gold is given in. */
static struct node *tatqa_scale(struct comparison *c, const struct measure *gold) {
    if (gold->mark == PERCENT) return power_of_ten(c->arena, 1, -2);
    if (gold->scale) return gold->scale;
    bool scaled = is_scaled(gold);
    return node_two(c->arena, NODE_DIVIDE, node_integer(c->arena, scaled ? gold->unit->num : 1),
                    node_integer(c->arena, scaled ? gold->unit->den : 1));
}

static cord_verdict compare_tatqa_measures(struct comparison *c, const struct measure *gold,
                                           const struct measure *answer) {
    struct node *scale = tatqa_scale(c, gold);
    if (!scale) return verdict_for(c, CORD_UNDECIDED, "out of memory");
    cord_verdict verdict = compare_tatqa(c, is_scaled(gold) ? converted(c, gold) : gold->value,
                                         is_scaled(answer) ? converted(c, answer) : answer->value, scale);
    if (verdict != CORD_DIFFERENT || gold->mark == PLAIN || answer->mark != PLAIN) return verdict;
    const char *why = c->why;
    struct node *written = gold->unscaled ? gold->unscaled : gold->written;
    if (compare_tatqa(c, written, answer->written, node_integer(c->arena, 1)) == CORD_EQUAL)
        return verdict_for(c, CORD_UNDECIDED, "the same number, but only one of the two says its scale");
    return verdict_for(c, verdict, why);
}

/* Whether TAT-QA's metric knows it: a number, with a scale or a currency or without. */
static bool is_of_tatqa(const struct measure *m) {
    return m->mark != UNIT || is_scaled(m) || m->scale || (m->unit->sign && !is_unit(m, "degree"));
}

/* Whether both have units, and not the same: the metric says nothing of them. */
static bool has_other_unit(const struct measure *a, const struct measure *b) {
    if (a->mark == PLAIN || b->mark == PLAIN) return false;
    bool one = a->mark == UNIT && !is_scaled(a), two = b->mark == UNIT && !is_scaled(b);
    if (one && two) return strcmp(a->unit->name, b->unit->name) != 0;
    return (one && b->mark == PERCENT) || (two && a->mark == PERCENT);
}

cord_verdict compare_measures(struct comparison *c, struct node *gold, struct node *answer) {
    struct measure g = measure_of(c, gold), a = measure_of(c, answer);
    if (!g.written || !a.written) return verdict_for(c, CORD_UNDECIDED, "out of memory");
    bool tatqa = is_of_tatqa(&g) && is_of_tatqa(&a) && !has_other_unit(&g, &a);
    if (c->options->numbers == CORD_NUMBERS_TATQA && tatqa) return compare_tatqa_measures(c, &g, &a);
    if (g.mark == UNIT && a.mark == UNIT) return compare_units(c, &g, &a);
    if (g.mark == PERCENT && a.mark == PERCENT) return compare_values(c, g.written, a.written);
    if (g.mark == PERCENT && a.mark == PLAIN) return compare_scaled(c, g.value, g.written, a.value, false);
    if (a.mark == PERCENT && g.mark == PLAIN) return compare_scaled(c, a.value, a.written, g.value, true);
    if (g.mark == PERCENT || a.mark == PERCENT)
        return verdict_for(c, CORD_UNDECIDED, "one is a percentage, the other has a unit");
    bool plain_gold = g.mark != UNIT;
    return compare_unit_and_plain(c, plain_gold ? &a : &g, plain_gold ? g.value : a.value, plain_gold);
}
