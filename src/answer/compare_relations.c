/* compare_relations.c - equations and inequalities as answers: a name and its value, or two sides that are proportional to
 * those of the other. It must not know how expressions are compared. */
#include "answer/compare.h"

/* x, f(x), Area, (x, y) */
static bool is_name(const struct node *node) {
    if (node->kind != NODE_TUPLE || node->n < 2) return node->kind == NODE_SYMBOL || node->kind == NODE_TEXT;
    for (size_t i = 0; i < node->n; i++)
        if (node->child[i]->kind != NODE_SYMBOL) return false;
    return true;
}

struct node *named_value(struct node *relation, struct node **name) {
    if (relation->kind != NODE_RELATION || relation->n != 2) return NULL;
    struct node *set = relation->child[1]; /* x \in \{1, 2\} says x = 1, 2 */
    if (*relation->text.data == 'E' && relation->child[0]->kind == NODE_SYMBOL && set->kind == NODE_SET)
        return *name = relation->child[0], set;
    if (*relation->text.data != '=') return NULL;
    bool left = is_name(relation->child[0]), right = is_name(relation->child[1]);
    if (left == right) return NULL;
    struct node *value = relation->child[left ? 1 : 0];
    *name = relation->child[left ? 0 : 1];
    if ((*name)->kind != NODE_SYMBOL) return value;
    /* "x = x^2 + 1" says something about x, not what it is */
    cord_text symbols[16];
    size_t n = node_symbols(value, symbols, 16);
    for (size_t i = 0; i < n && i < 16; i++)
        if (text_equal(symbols[i], (*name)->text)) return NULL;
    return n > 16 ? NULL : value;
}

/* ---- proportional sides -------------------------------------------------------------------------------------- */

/* left - right of a relation of two sides. */
static struct node *sides(struct arena *arena, const struct node *relation) {
    struct node *left = relation->child[0], *right = relation->child[1];
    if (!node_is_expression(left) || !node_is_expression(right)) return NULL;
    return node_two(arena, NODE_ADD, left, node_one(arena, NODE_NEGATE, right));
}

/* `f` with each variable as a rational number, of which none is likely to be a zero of it. */
static struct node *at_point(struct arena *arena, struct node *f, const cord_text *names, size_t n) {
    static const int numerators[] = {13, 29, 41, 53, 71, 97, 113, 131};
    for (size_t i = 0; i < n && f; i++) {
        struct node *value = node_two(arena, NODE_DIVIDE, node_integer(arena, numerators[i]), node_integer(arena, 17));
        f = value ? node_replace(arena, f, names[i], value) : NULL;
    }
    return f;
}

/* Whether f = ratio * g for a constant ratio that is not zero: its sign, or 0 where that is not shown. */
static int ratio_sign(struct comparison *c, struct node *f, struct node *g) {
    enum { MOST = 8 };
    cord_text names[MOST], others[MOST];
    size_t n = node_symbols(f, names, MOST);
    if (n == 0 || n > MOST || node_symbols(g, others, MOST) != n) return 0;
    for (size_t i = 0; i < n; i++)
        if (!text_equal(names[i], others[i])) return 0;
    struct node *f0 = at_point(c->arena, f, names, n), *g0 = at_point(c->arena, g, names, n);
    struct node *zero = node_integer(c->arena, 0);
    int f_sign, g_sign;
    if (!f0 || !g0 || !zero || !expression_order(f0, zero, c->work, &f_sign) || f_sign == 0) return 0;
    if (!expression_order(g0, zero, c->work, &g_sign) || g_sign == 0) return 0;
    struct node *one = node_two(c->arena, NODE_MULTIPLY, f, g0), *two = node_two(c->arena, NODE_MULTIPLY, g, f0);
    const char *why;
    if (!one || !two || expression_compare(one, two, c->work, &why) != CORD_EQUAL) return 0;
    return f_sign * g_sign;
}

static cord_verdict compare_sides(struct comparison *c, const struct node *a, const struct node *b) {
    static const char unproved[] =
        "two equations or inequalities, neither solved for a variable, could not be compared";
    char left = *a->text.data, right = *b->text.data;
    struct node *f = sides(c->arena, a), *g = sides(c->arena, b);
    int sign = f && g && !strchr("E~", left) ? ratio_sign(c, f, g) : 0;
    if (sign && left == (sign < 0 ? mirrored(right) : right))
        return verdict_for(c, CORD_EQUAL, "their sides are proportional");
    return verdict_for(c, CORD_UNDECIDED, unproved);
}

/* ---- several relations --------------------------------------------------------------------------------------- */

static cord_verdict compare_each(struct comparison *c, const struct node *a, const struct node *b) {
    bool used[16] = {false};
    if (a->kind != b->kind || a->n != b->n || a->n > 16)
        return verdict_for(c, CORD_UNDECIDED, "several relations could not be compared");
    for (size_t i = 0; i < a->n; i++) {
        size_t k = 0;
        while (k < b->n && (used[k] || compare_answers(c, a->child[i], b->child[k]) != CORD_EQUAL)) k++;
        if (k == b->n) break;
        used[k] = true;
        if (i + 1 == a->n) return verdict_for(c, CORD_EQUAL, "each relation has an equal one");
    }
    /* x = 1, y = 2 and x = 1, y = 3 */
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++) {
            struct node *one, *two;
            bool names = a->kind == NODE_BOTH && named_value(a->child[i], &one) && named_value(b->child[k], &two);
            if (names && node_same(one, two) && compare_answers(c, a->child[i], b->child[k]) == CORD_DIFFERENT)
                return verdict_for(c, CORD_DIFFERENT, "a variable has different values");
        }
    return verdict_for(c, CORD_UNDECIDED, "several relations could not be compared");
}

cord_verdict compare_relations(struct comparison *c, struct node *gold, struct node *answer) {
    if (gold->kind != NODE_RELATION || answer->kind != NODE_RELATION) return compare_each(c, gold, answer);
    struct node *name, *other, *value = named_value(gold, &name), *second = named_value(answer, &other);
    if (value && second && node_same(name, other)) return compare_answers(c, value, second);
    if (gold->n != 2 || answer->n != 2)
        return verdict_for(c, CORD_UNDECIDED, "chains of relations could not be compared");
    cord_verdict sides_say = compare_sides(c, gold, answer);
    if (sides_say == CORD_UNDECIDED && value && second) c->why = "they say what different names are";
    return sides_say;
}
