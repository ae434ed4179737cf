/* restate.c - an answer said in another way before it is compared: both values of a sign ±, a name's value, the end of a
 * chain of equal sides, a vector times a number. It must not know by which rules kinds are compared. */
#include "answer/compare.h"

/* ---- plus-minus ---------------------------------------------------------------------------------------------- */

static void count_signs(const struct node *node, int count[2]) {
    if (node->kind == NODE_PLUS_MINUS) count[node->which]++;
    for (size_t i = 0; i < node->n; i++) count_signs(node->child[i], count);
}

/* `node` with each ± as plus (or minus), each ∓ the other way. */
static struct node *with_sign(struct arena *arena, struct node *node, bool plus) {
    struct node *copy = node_new(arena, node->kind, node->which, node->n, node->child);
    if (!copy) return NULL;
    copy->text = node->text, copy->exponent = node->exponent, copy->repeat = node->repeat, copy->unit = node->unit;
    for (size_t i = 0; i < node->n; i++)
        if (!(copy->child[i] = with_sign(arena, node->child[i], plus))) return NULL;
    if (node->kind != NODE_PLUS_MINUS) return copy;
    struct node *last = copy->child[copy->n - 1];
    if (plus == (node->which == 1)) last = node_one(arena, NODE_NEGATE, last);
    return copy->n == 1 ? last : node_two(arena, NODE_ADD, copy->child[0], last);
}

/* The two values of an entry with ±; NULL where it has no such sign, or several that are not linked. */
static struct node *both_signs(struct arena *arena, struct node *node) {
    int count[2] = {0, 0};
    count_signs(node, count);
    if (count[0] + count[1] == 0 || count[0] > 1 || count[1] > 1) return NULL;
    return node_two(arena, NODE_LIST, with_sign(arena, node, true), with_sign(arena, node, false));
}

/* `node` with the ± of its entries, or its own, written out. */
struct node *write_out(struct comparison *c, struct node *node) {
    if (node->kind == NODE_RELATION) return node;
    if (!is_collection(node)) {
        struct node *both = both_signs(c->arena, node);
        return both ? both : node;
    }
    size_t n = 0;
    struct node **entry = arena_alloc(c->arena, 2 * (node->n + 1) * sizeof *entry);
    for (size_t i = 0; entry && i < node->n; i++) {
        struct node *both = both_signs(c->arena, node->child[i]);
        entry[n++] = both ? both->child[0] : node->child[i];
        if (both) entry[n++] = both->child[1];
    }
    struct node *all = n == node->n || !entry ? node : node_new(c->arena, node->kind, 0, n, entry);
    return all ? all : node;
}

/* Whether an entry, written out, still has signs that stand for two values each: (\pm 1, \pm 2). */
bool has_free_signs(const struct node *node) {
    int count[2] = {0, 0};
    count_signs(node, count);
    return count[0] + count[1] > 0;
}

/* ---- names and chains ---------------------------------------------------------------------------------------- */

/* Names whose order is agreed upon though it is not the alphabet's. */
static const char *const customary[][4] = {
    {"r", "\\theta"},
    {"r", "\\theta", "z"},
    {"\\rho", "\\theta", "\\phi"},
    {"\\alpha", "\\beta"},
    {"\\alpha", "\\beta", "\\gamma"},
    {"m", "b"},
};

/* The place of `name` in a row of `customary`, or -1. */
static int place_in(const char *const row[4], cord_text name) {
    for (int i = 0; i < 4 && row[i]; i++)
        if (text_equal(text_of(row[i]), name)) return i;
    return -1;
}

/* Whether `row` has just these names, in any order; *good: in its own. */
static bool is_row(const char *const row[4], struct node *const *name, size_t n, bool *good) {
    *good = true;
    if (n > 4 || (n < 4 && row[n]) || !row[n - 1]) return false;
    for (size_t i = 0; i < n; i++) {
        int place = place_in(row, name[i]->text);
        if (place < 0) return false;
        *good = *good && place == (int)i;
    }
    return true;
}

/* The number that a name has as its index, "x_12"; -1 where it has none. */
static int index_of(cord_text name) {
    if (name.len < 3 || name.len > 6 || name.data[1] != '_') return -1;
    int value = 0;
    for (size_t i = 2; i < name.len; i++) {
        if (name.data[i] < '0' || name.data[i] > '9') return -1;
        value = 10 * value + (name.data[i] - '0');
    }
    return value;
}

/* Whether one name surely comes before another: x before y, x_2 before x_10, x_1 before y_1. */
static bool comes_before(cord_text a, cord_text b) {
    char one = *a.data, two = *b.data;
    bool small = one >= 'a' && two <= 'z' && two >= 'a', capital = one >= 'A' && two <= 'Z' && one <= 'Z';
    if (!small && !capital) return false;
    if (one == two) return index_of(a) >= 0 && index_of(a) < index_of(b);
    return one < two && text_equal(text_slice(a, 1, a.len), text_slice(b, 1, b.len));
}

/* Whether the values of these names, in this order, are a tuple that anybody would write so. */
static bool are_in_order(struct node *const *name, size_t n) {
    bool good;
    for (size_t i = 0; i < sizeof customary / sizeof *customary; i++)
        if (is_row(customary[i], name, n, &good)) return good;
    for (size_t i = 0; i < n; i++)
        if (name[i]->kind != NODE_SYMBOL || (i > 0 && !comes_before(name[i - 1]->text, name[i]->text))) return false;
    return true;
}

/* x = 2, y = 4 as (2, 4), the names in order; NULL for all else. */
static struct node *named_tuple(struct comparison *c, const struct node *both) {
    struct node **value = arena_alloc(c->arena, (both->n + 1) * sizeof *value);
    struct node **name = arena_alloc(c->arena, (both->n + 1) * sizeof *name);
    if (!value || !name) return NULL;
    for (size_t i = 0; i < both->n; i++)
        if (!(value[i] = named_value(both->child[i], &name[i]))) return NULL;
    if (!are_in_order(name, both->n)) return NULL;
    struct node *tuple = node_new(c->arena, NODE_TUPLE, 0, both->n, value);
    if (tuple) tuple->text = TEXT("()");
    return tuple;
}

/* A name and its value against something that has no name. (y, x) = (1, 2) keeps its names, which say the order. */
struct node *without_name(struct comparison *c, struct node *node, const struct node *other) {
    struct node *name, *value = NULL;
    if (node->kind == NODE_RELATION && other->kind != NODE_RELATION) value = named_value(node, &name);
    if (value && name->kind == NODE_TUPLE && !are_in_order(name->child, name->n)) return node;
    if (node->kind == NODE_BOTH && other->kind == NODE_TUPLE && node->n == other->n) value = named_tuple(c, node);
    return value ? value : node;
}

/* A chain of sides that are proved equal says its last one: "x = 6/4 = 3/2" is x = 3/2, "\frac12 = 0.5" is 0.5,
 * "x = \sqrt2 \approx 1.41" is x = \sqrt2, and *rounded the 1.41. All else stays as it is. */
struct node *end_of_chain(struct comparison *c, struct node *node, struct node **rounded) {
    if (node->kind != NODE_RELATION || *node->text.data == 'E') return node;
    if (node->n == 2 && node->child[1]->kind == NODE_RELATION) { /* Area = \frac12 \cdot 3 = 1.5 */
        struct node *end = node_two(c->arena, NODE_RELATION, node->child[0], end_of_chain(c, node->child[1], rounded));
        if (end) end->text = node->text;
        return end ? end : node;
    }
    size_t n = node->n, first = 0;
    struct node **side = node->child;
    bool near = node->text.data[n - 2] == '~';
    for (size_t i = 0; i + 1 + near < n; i++)
        if (node->text.data[i] != '=') return node;
    struct node *name, pair = *node;
    pair.n = 2;
    if (n - near > 1 && named_value(&pair, &name) && name == side[0]) first = 1;
    size_t last = n - 1 - near;
    if (last < first || (last == first && !near)) return node;
    for (size_t i = first; i <= last; i++)
        if (!is_value(side[i]) || (i < last && compare(c, side[i], side[last]) != CORD_EQUAL)) return node;
    if (near && !rounds_to(c, side[last], side[n - 1])) return node;
    if (near) *rounded = side[n - 1];
    if (!first) return side[last];
    struct node *end = node_two(c->arena, NODE_RELATION, side[0], side[last]);
    if (end) end->text = TEXT("=");
    return end ? end : node;
}

/* ---- vectors ------------------------------------------------------------------------------------------------- */

/* What a factor or divisor of a vector or matrix does to its entries. */
static struct node *scaled(struct arena *arena, enum node_kind kind, struct node *whole, struct node *factor) {
    struct node *out = node_new(arena, whole->kind, whole->which, whole->n, whole->child);
    for (size_t i = 0; out && i < out->n; i++) {
        out->child[i] = kind == NODE_NEGATE ? node_one(arena, NODE_NEGATE, out->child[i])
                                            : node_two(arena, kind, out->child[i], factor);
        if (!out->child[i]) return NULL;
    }
    if (out) out->text = whole->text;
    return out;
}

static bool is_vector(const struct node *node) {
    return node->kind == NODE_MATRIX || (node->kind == NODE_TUPLE && node->n > 1);
}

/* \frac12 (2, 4) as (1, 2). */
struct node *multiplied_out(struct comparison *c, struct node *node) {
    struct node *out = NULL;
    if (node->kind == NODE_NEGATE && is_vector(node->child[0]))
        out = scaled(c->arena, NODE_NEGATE, node->child[0], NULL);
    if (node->kind == NODE_DIVIDE && is_vector(node->child[0]) && node_is_expression(node->child[1]))
        out = scaled(c->arena, NODE_DIVIDE, node->child[0], node->child[1]);
    if (node->kind == NODE_MULTIPLY && node->n == 2)
        for (int i = 0; i < 2 && !out; i++)
            if (is_vector(node->child[i]) && node_is_expression(node->child[1 - i]))
                out = scaled(c->arena, NODE_MULTIPLY, node->child[i], node->child[1 - i]);
    return out ? out : node;
}
