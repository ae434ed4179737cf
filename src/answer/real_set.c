/* real_set.c - sets of real numbers: intervals, points, their unions, intersections and differences, and what linear
 * inequalities in one variable say. Each becomes a sorted row of disjoint intervals; two are equal where the rows are.
 * It must not know how answers are written, nor how numbers are compared. */
#include "answer/compare.h"

enum { MOST_PIECES = 64 };

/* From `low` to `high`, an end open where it does not belong to it. A point is closed at both ends. */
struct piece {
    struct node *low, *high;
    bool low_open, high_open;
};

struct real_set {
    struct piece piece[MOST_PIECES];
    size_t n;
};

static struct node *infinity(struct arena *arena) { return node_new(arena, NODE_CONSTANT, CONSTANT_INFINITY, 0, NULL); }

static bool is_infinite(const struct node *node) {
    if (node->kind == NODE_NEGATE) node = node->child[0];
    return node->kind == NODE_CONSTANT && node->which == CONSTANT_INFINITY;
}

static bool order_of(struct comparison *c, const struct node *a, const struct node *b, int *order) {
    return a && b && expression_order(a, b, c->work, order);
}

/* ---- rows of pieces ------------------------------------------------------------------------------------------ */

/* The order of two ends of pieces. `a_after`: 1 where a's end stands just after its number (a low end that is open, a high
 * one that is closed), else 0; likewise b. */
static bool order_ends(struct comparison *c, const struct node *a, int a_after, const struct node *b, int b_after,
                       int *order) {
    if (!order_of(c, a, b, order)) return false;
    if (*order == 0) *order = a_after - b_after;
    return true;
}

/* -1 where it is not known, 1 where the piece has no number in it, else 0. */
static int is_empty(struct comparison *c, const struct piece *p) {
    int order;
    if (!order_ends(c, p->low, p->low_open, p->high, !p->high_open, &order)) return -1;
    return order >= 0;
}

/* Adds a piece, dropped where it is empty. */
static bool add_piece(struct comparison *c, struct real_set *set, struct piece piece) {
    if (!piece.low || !piece.high) return false;
    if (is_infinite(piece.low)) piece.low_open = true;
    if (is_infinite(piece.high)) piece.high_open = true;
    int empty = is_empty(c, &piece);
    if (empty < 0 || set->n == MOST_PIECES) return false;
    if (!empty) set->piece[set->n++] = piece;
    return true;
}

/* Sorts by low ends and joins what touches. */
static bool tidy(struct comparison *c, struct real_set *set) {
    int order;
    for (size_t i = 1; i < set->n; i++) {
        struct piece piece = set->piece[i];
        size_t k = i;
        for (; k > 0; k--) {
            const struct piece *before = &set->piece[k - 1];
            if (!order_ends(c, before->low, before->low_open, piece.low, piece.low_open, &order)) return false;
            if (order <= 0) break;
            set->piece[k] = *before;
        }
        set->piece[k] = piece;
    }
    size_t out = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct piece *last = out ? &set->piece[out - 1] : NULL, *piece = &set->piece[i];
        if (last && !order_ends(c, last->high, !last->high_open, piece->low, piece->low_open, &order)) return false;
        if (!last || order < 0) {
            set->piece[out++] = *piece;
            continue;
        }
        if (!order_ends(c, last->high, !last->high_open, piece->high, !piece->high_open, &order)) return false;
        if (order < 0) last->high = piece->high, last->high_open = piece->high_open;
    }
    set->n = out;
    return true;
}

static bool unite(struct comparison *c, struct real_set *set, const struct real_set *more) {
    for (size_t i = 0; i < more->n; i++)
        if (!add_piece(c, set, more->piece[i])) return false;
    return tidy(c, set);
}

/* What both hold. */
static bool intersect(struct comparison *c, const struct real_set *a, const struct real_set *b, struct real_set *out) {
    int order;
    out->n = 0;
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++) {
            const struct piece *p = &a->piece[i], *q = &b->piece[k];
            struct piece both = *p;
            if (!order_ends(c, p->low, p->low_open, q->low, q->low_open, &order)) return false;
            if (order < 0) both.low = q->low, both.low_open = q->low_open;
            if (!order_ends(c, p->high, !p->high_open, q->high, !q->high_open, &order)) return false;
            if (order > 0) both.high = q->high, both.high_open = q->high_open;
            if (!add_piece(c, out, both)) return false;
        }
    return tidy(c, out);
}

/* All reals that are not in `set`, which is tidy. */
static bool complement(struct comparison *c, const struct real_set *set, struct real_set *out) {
    struct node *top = infinity(c->arena);
    struct node *low = node_one(c->arena, NODE_NEGATE, top);
    bool low_open = true;
    out->n = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct piece *p = &set->piece[i];
        bool whole = is_infinite(p->low) && p->low->kind == NODE_NEGATE;
        if (!whole && !add_piece(c, out, (struct piece){low, p->low, low_open, !p->low_open})) return false;
        if (is_infinite(p->high)) return true;
        low = p->high;
        low_open = !p->high_open;
    }
    return add_piece(c, out, (struct piece){low, top, low_open, true});
}

/* ---- inequalities -------------------------------------------------------------------------------------------- */

static struct node *at_number(struct arena *arena, struct node *node, cord_text name, int64_t number) {
    struct node *value = node_integer(arena, number);
    return node && value ? node_replace(arena, node, name, value) : NULL;
}

/* Where slope * x + start is zero, and the slope's sign; false where `f` is not proved to be linear. */
static bool solve_linear(struct comparison *c, struct node *f, cord_text name, struct node **root, int *sign) {
    struct arena *a = c->arena;
    struct node *start = at_number(a, f, name, 0), *one = at_number(a, f, name, 1);
    struct node *slope = node_two(a, NODE_ADD, one, node_one(a, NODE_NEGATE, start));
    struct node *x = node_new(a, NODE_SYMBOL, 0, 0, NULL);
    if (!slope || !x || !order_of(c, slope, node_integer(a, 0), sign) || *sign == 0) return false;
    x->text = name;
    struct node *line = node_two(a, NODE_ADD, node_two(a, NODE_MULTIPLY, slope, x), start);
    const char *why;
    if (!line || expression_compare(f, line, c->work, &why) != CORD_EQUAL) return false;
    *root = node_one(a, NODE_NEGATE, node_two(a, NODE_DIVIDE, start, slope));
    return *root != NULL;
}

/* The numbers x with x <sign> end: all up to it or from it on, or all but it. */
static bool add_half_line(struct comparison *c, struct real_set *set, char code, struct node *end) {
    struct node *top = infinity(c->arena), *bottom = node_one(c->arena, NODE_NEGATE, top);
    bool below = code == '<' || code == 'L' || code == 'N', above = code == '>' || code == 'G' || code == 'N';
    bool open = code == '<' || code == '>' || code == 'N';
    if (code == '=') return add_piece(c, set, (struct piece){end, end, false, false});
    if (below && !add_piece(c, set, (struct piece){bottom, end, true, open})) return false;
    return !above || add_piece(c, set, (struct piece){end, top, open, true});
}

static bool read_inequality(struct comparison *c, struct node *left, char code, struct node *right, cord_text name,
                            struct real_set *set);

/* |f| < end says f < end and f > -end, |f| > end one of both; |z - 2| < 3 may be about complex numbers. */
static bool read_absolute(struct comparison *c, struct node *f, char code, struct node *end, cord_text name,
                          struct real_set *set) {
    struct node *minus = node_one(c->arena, NODE_NEGATE, end), *zero = node_integer(c->arena, 0);
    struct real_set high, low;
    int sign;
    if (!minus || !zero || code == 'N' || text_equal(name, TEXT("z")) || text_equal(name, TEXT("w"))) return false;
    if (code == '=' && (!order_of(c, end, zero, &sign) || sign < 0)) return false;
    if (!read_inequality(c, f, code, end, name, &high) || !read_inequality(c, f, mirrored(code), minus, name, &low))
        return false;
    if (code == '<' || code == 'L') return intersect(c, &high, &low, set);
    *set = high;
    return unite(c, set, &low);
}

/* What one sign of a chain says: left <sign> right. */
static bool read_inequality(struct comparison *c, struct node *left, char code, struct node *right, cord_text name,
                            struct real_set *set) {
    set->n = 0;
    if (!node_is_expression(left) || !node_is_expression(right)) return false;
    if (left->kind == NODE_SYMBOL && !node_symbols(right, NULL, 0)) return add_half_line(c, set, code, right);
    if (right->kind == NODE_SYMBOL && !node_symbols(left, NULL, 0)) return add_half_line(c, set, mirrored(code), left);
    if (left->kind == NODE_ABS && !node_symbols(right, NULL, 0))
        return read_absolute(c, left->child[0], code, right, name, set);
    if (right->kind == NODE_ABS && !node_symbols(left, NULL, 0))
        return read_absolute(c, right->child[0], mirrored(code), left, name, set);
    struct node *f = node_two(c->arena, NODE_ADD, left, node_one(c->arena, NODE_NEGATE, right)), *root;
    int sign;
    if (!f || !solve_linear(c, f, name, &root, &sign)) return false;
    return add_half_line(c, set, sign < 0 ? mirrored(code) : code, root);
}

static bool read_set(struct comparison *c, struct node *node, struct real_set *set, cord_text *name);

/* Claims the variable that a condition is about: it must be the same in all of a set. */
static bool claim(cord_text *name, cord_text found) {
    if (name->len && !text_equal(*name, found)) return false;
    *name = found;
    return true;
}

static bool read_relation(struct comparison *c, struct node *node, struct real_set *set, cord_text *name) {
    cord_text symbol;
    if (node->n == 2 && *node->text.data == 'E') /* x in S */
        return node->child[0]->kind == NODE_SYMBOL && claim(name, node->child[0]->text) &&
               read_set(c, node->child[1], set, name);
    if (node_symbols(node, &symbol, 1) != 1 || !claim(name, symbol)) return false;
    for (size_t i = 0; i + 1 < node->n; i++) {
        struct real_set part, before = *set;
        if (!strchr("<>LGN=", node->text.data[i])) return false;
        if (!read_inequality(c, node->child[i], node->text.data[i], node->child[i + 1], symbol, &part)) return false;
        if (i == 0)
            *set = part;
        else if (!intersect(c, &before, &part, set))
            return false;
    }
    return true;
}

static bool read_members(struct comparison *c, const struct node *node, struct real_set *set) {
    for (size_t i = 0; i < node->n; i++) {
        struct node *member = node->child[i];
        if (!node_is_expression(member) || is_infinite(member) || node_symbols(member, NULL, 0)) return false;
        if (!add_piece(c, set, (struct piece){member, member, false, false})) return false;
    }
    return tidy(c, set);
}

/* Infinity belongs to no set of reals: what [0, \infty] means is not certain. */
static bool read_interval(struct comparison *c, const struct node *tuple, struct real_set *set) {
    struct piece piece = {tuple->child[0], tuple->child[1], tuple->text.data[0] == '(', tuple->text.data[1] == ')'};
    if ((is_infinite(piece.low) && !piece.low_open) || (is_infinite(piece.high) && !piece.high_open)) return false;
    return add_piece(c, set, piece);
}

/* Not on the stack, since sets nest: (A \cup B) \cap C. NULL when there is no memory. */
static struct real_set *new_sets(struct comparison *c, size_t n) {
    return arena_alloc(c->arena, n * sizeof(struct real_set));
}

static bool read_union(struct comparison *c, const struct node *node, struct real_set *set, cord_text *name) {
    struct real_set *part = new_sets(c, 1);
    set->n = 0;
    for (size_t i = 0; i < node->n; i++)
        if (!part || !read_set(c, node->child[i], part, name) || !unite(c, set, part)) return false;
    return true;
}

/* What holds together. "x < 2, x > 5", where nothing does, says that one of them holds; "x < 2 and x > 5" perhaps. */
static bool read_both(struct comparison *c, const struct node *node, struct real_set *set, cord_text *name) {
    struct real_set *part = new_sets(c, 2);
    if (!part) return false;
    for (size_t i = 0; i < node->n; i++) {
        if (!read_set(c, node->child[i], &part[0], name)) return false;
        part[1] = *set;
        if (i == 0)
            *set = part[0];
        else if (!intersect(c, &part[1], &part[0], set))
            return false;
    }
    if (set->n || node->which == JOINT_CAP) return true;
    return node->which == JOINT_COMMA && read_union(c, node, set, name);
}

static bool read_without(struct comparison *c, const struct node *node, struct real_set *set, cord_text *name) {
    struct real_set *part = new_sets(c, 2);
    return part && read_set(c, node->child[0], &part[0], name) && read_set(c, node->child[1], set, name) &&
           complement(c, set, &part[1]) && intersect(c, &part[0], &part[1], set);
}

/* `node` as a set of reals, tidy; false where it is none or too much is not known of it. */
static bool read_set(struct comparison *c, struct node *node, struct real_set *set, cord_text *name) {
    set->n = 0;
    switch (node->kind) {
    case NODE_TUPLE:
        if (node->n != 2 || *node->text.data == '<' || !node_is_expression(node->child[0]) ||
            !node_is_expression(node->child[1]) || node_symbols(node, NULL, 0))
            return false;
        return read_interval(c, node, set);
    case NODE_SET: return read_members(c, node, set);
    case NODE_RELATION: return read_relation(c, node, set, name) && tidy(c, set);
    case NODE_UNION: return read_union(c, node, set, name);
    case NODE_BOTH: return read_both(c, node, set, name);
    case NODE_WITHOUT: return read_without(c, node, set, name);
    default: /* a number, against an inequality */
        if (!node_is_expression(node) || is_infinite(node) || node_symbols(node, NULL, 0)) return false;
        return add_piece(c, set, (struct piece){node, node, false, false});
    }
}

/* ---- comparing ----------------------------------------------------------------------------------------------- */

static cord_verdict same_pieces(struct comparison *c, const struct real_set *a, const struct real_set *b) {
    if (a->n != b->n) return CORD_DIFFERENT; /* each set has one tidy row only */
    for (size_t i = 0; i < a->n; i++) {
        const struct piece *p = &a->piece[i], *q = &b->piece[i];
        if (p->low_open != q->low_open || p->high_open != q->high_open) return CORD_DIFFERENT;
        int low, high;
        bool lows = order_of(c, p->low, q->low, &low), highs = order_of(c, p->high, q->high, &high);
        if ((lows && low) || (highs && high)) return CORD_DIFFERENT;
        if (!lows || !highs) return CORD_UNDECIDED;
    }
    return CORD_EQUAL;
}

cord_verdict compare_real_sets(struct comparison *c, struct node *gold, struct node *answer) {
    struct real_set a, b;
    cord_text of_gold = TEXT(""), of_answer = TEXT("");
    c->why = NULL;
    bool equations = gold->kind == NODE_RELATION && answer->kind == NODE_RELATION && *gold->text.data == '=' &&
                     *answer->text.data == '=';
    if (equations || !read_set(c, gold, &a, &of_gold) || !read_set(c, answer, &b, &of_answer)) return CORD_UNDECIDED;
    if (of_gold.len && of_answer.len && !text_equal(of_gold, of_answer)) return CORD_UNDECIDED;
    switch (same_pieces(c, &a, &b)) {
    case CORD_EQUAL: return verdict_for(c, CORD_EQUAL, "they are the same set of real numbers");
    case CORD_DIFFERENT: return verdict_for(c, CORD_DIFFERENT, "they are different sets of real numbers");
    case CORD_UNDECIDED: break;
    }
    return CORD_UNDECIDED;
}
