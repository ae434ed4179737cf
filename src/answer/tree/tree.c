/* tree.c - making trees of answers, and looking through them. It must not know values or verdicts. */
#include "answer/tree/tree.h"

struct node *node_new(struct arena *arena, enum node_kind kind, int which, size_t n, struct node *const *child) {
    for (size_t i = 0; i < n; i++)
        if (!child[i]) return NULL;
    struct node *node = arena_alloc(arena, sizeof *node);
    if (!node) return NULL;
    *node = (struct node){.kind = kind, .which = which, .n = n, .depth = 1};
    for (size_t i = 0; i < n; i++)
        if (child[i]->depth >= node->depth) node->depth = child[i]->depth + 1;
    if (n == 0) return node;
    node->child = arena_alloc(arena, n * sizeof *node->child);
    if (!node->child) return NULL;
    memcpy(node->child, child, n * sizeof *child);
    return node;
}

struct node *node_integer(struct arena *arena, int64_t value) {
    struct node *node = node_new(arena, NODE_NUMBER, 0, 0, NULL);
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char *digits = arena_printf(arena, "%llu", (unsigned long long)magnitude);
    if (!node || !digits) return NULL;
    node->text = text_of(digits);
    return value < 0 ? node_one(arena, NODE_NEGATE, node) : node;
}

bool node_is_expression(const struct node *node) {
    if (node->kind >= NODE_PLUS_MINUS) return false;
    for (size_t i = 0; i < node->n; i++)
        if (!node_is_expression(node->child[i])) return false;
    return true;
}

bool node_same(const struct node *a, const struct node *b) {
    if (a->kind != b->kind || a->which != b->which || a->n != b->n) return false;
    if (a->exponent != b->exponent || a->repeat != b->repeat || !text_equal(a->text, b->text)) return false;
    if (a->kind == NODE_TEXT && a->other && b->other && !node_same(a->other, b->other)) return false; /* ab, AB */
    for (size_t i = 0; i < a->n; i++)
        if (!node_same(a->child[i], b->child[i])) return false;
    return true;
}

struct node *node_replace(struct arena *arena, struct node *node, cord_text name, struct node *value) {
    if (node->kind == NODE_SYMBOL) return text_equal(node->text, name) ? value : node;
    struct node *copy = NULL;
    for (size_t i = 0; i < node->n; i++) {
        struct node *child = node_replace(arena, node->child[i], name, value);
        if (!child) return NULL;
        if (child == node->child[i]) continue;
        if (!copy) {
            copy = node_new(arena, node->kind, node->which, node->n, node->child);
            if (!copy) return NULL;
            copy->text = node->text, copy->other = node->other, copy->exponent = node->exponent,
            copy->repeat = node->repeat, copy->unit = node->unit;
        }
        copy->child[i] = child;
    }
    return copy ? copy : node;
}

bool node_has(const struct node *node, enum node_kind kind, int which) {
    if (node->kind == kind && (which < 0 || node->which == which)) return true;
    for (size_t i = 0; i < node->n; i++)
        if (node_has(node->child[i], kind, which)) return true;
    return false;
}

static int text_order(cord_text a, cord_text b) {
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len); /* names are never empty */
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Adds to the `n` names found so far; those over `most` are counted again each time, which is only ever too many. */
static size_t add_symbols(const struct node *node, cord_text *names, size_t n, size_t most) {
    for (size_t i = 0; i < node->n; i++) n = add_symbols(node->child[i], names, n, most);
    if (node->kind != NODE_SYMBOL) return n;
    size_t at = 0, stored = n < most ? n : most;
    while (at < stored && text_order(names[at], node->text) < 0) at++;
    if (at < stored && text_equal(names[at], node->text)) return n;
    if (stored < most) {
        memmove(names + at + 1, names + at, (stored - at) * sizeof *names);
        names[at] = node->text;
    }
    return n + 1;
}

size_t node_symbols(const struct node *node, cord_text *names, size_t most) {
    return add_symbols(node, names, 0, most);
}
