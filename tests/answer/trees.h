/* trees.h - trees of expressions from a short notation, so that tests of comparing are tables:
 *
 *     (+ 1 (sqrt 2))   (/ a b)   (^ x 2)   (- x)   (- a b)   (! 5)   (C n k)   (log x 2)
 *     pi e i oo   -7   1.5   0.[3]   12e100
 *
 * A word that is no function's name is a variable. */
#ifndef CORD_TEST_TREES_H
#define CORD_TEST_TREES_H

#include "answer/tree/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum node_kind kind;
    int which;
} tree_operators[] = {
    {"+", NODE_ADD, 0},
    {"*", NODE_MULTIPLY, 0},
    {"/", NODE_DIVIDE, 0},
    {"^", NODE_POWER, 0},
    {"root", NODE_ROOT, 0},
    {"abs", NODE_ABS, 0},
    {"floor", NODE_FLOOR, 0},
    {"ceil", NODE_CEILING, 0},
    {"!", NODE_FACTORIAL, 0},
    {"deg", NODE_DEGREE, 0},
    {"%", NODE_PERCENT, 0},
    {"C", NODE_BINOMIAL, 0},
    {"exp", NODE_FUNCTION, FUNCTION_EXP},
    {"ln", NODE_FUNCTION, FUNCTION_LN},
    {"log", NODE_FUNCTION, FUNCTION_LOG},
    {"sin", NODE_FUNCTION, FUNCTION_SIN},
    {"cos", NODE_FUNCTION, FUNCTION_COS},
    {"tan", NODE_FUNCTION, FUNCTION_TAN},
    {"cot", NODE_FUNCTION, FUNCTION_COT},
    {"sec", NODE_FUNCTION, FUNCTION_SEC},
    {"csc", NODE_FUNCTION, FUNCTION_CSC},
    {"asin", NODE_FUNCTION, FUNCTION_ASIN},
    {"acos", NODE_FUNCTION, FUNCTION_ACOS},
    {"atan", NODE_FUNCTION, FUNCTION_ATAN},
    {"sinh", NODE_FUNCTION, FUNCTION_SINH},
    {"cosh", NODE_FUNCTION, FUNCTION_COSH},
    {"tanh", NODE_FUNCTION, FUNCTION_TANH},
    {"gcd", NODE_FUNCTION, FUNCTION_GCD},
    {"lcm", NODE_FUNCTION, FUNCTION_LCM},
    {"min", NODE_FUNCTION, FUNCTION_MIN},
    {"max", NODE_FUNCTION, FUNCTION_MAX},
    {"re", NODE_FUNCTION, FUNCTION_RE},
    {"im", NODE_FUNCTION, FUNCTION_IM},
    {"conj", NODE_FUNCTION, FUNCTION_CONJUGATE},
};

static const char *const tree_constants[] = {
    [CONSTANT_PI] = "pi", [CONSTANT_E] = "e", [CONSTANT_I] = "i", [CONSTANT_INFINITY] = "oo"};

/* 12, 1.5, 0.[3], 12e-7; the digits without the point. */
static struct node *tree_number(struct arena *arena, const char *from, const char *to) {
    struct node *node = node_new(arena, NODE_NUMBER, 0, 0, NULL);
    char *digits = arena_alloc(arena, (size_t)(to - from) + 1);
    int n = 0;
    bool point = false, recurs = false;
    for (; from < to && *from != 'e'; from++) {
        if (*from == '.') point = true;
        if (*from == '[') recurs = true;
        if (*from < '0' || *from > '9') continue;
        digits[n++] = *from;
        node->exponent -= point;
        node->repeat += recurs;
    }
    if (from < to) node->exponent += atoi(from + 1);
    node->text = (cord_text){digits, (size_t)n};
    return node;
}

static struct node *tree_word(struct arena *arena, const char *from, const char *to) {
    if (*from >= '0' && *from <= '9') return tree_number(arena, from, to);
    if (*from == '-') return node_one(arena, NODE_NEGATE, tree_number(arena, from + 1, to));
    cord_text word = {from, (size_t)(to - from)};
    for (int i = 0; i < 4; i++)
        if (text_equal(word, text_of(tree_constants[i]))) return node_new(arena, NODE_CONSTANT, i, 0, NULL);
    struct node *node = node_new(arena, NODE_SYMBOL, 0, 0, NULL);
    node->text = word;
    return node;
}

static struct node *tree_read_at(struct arena *arena, const char **at) {
    while (**at == ' ') ++*at;
    const char *from = *at;
    if (*from != '(') {
        *at += strcspn(from, " ()");
        return tree_word(arena, from, *at);
    }
    from = ++*at;
    *at += strcspn(from, " ()");
    cord_text name = {from, (size_t)(*at - from)};
    static struct node *child[4096];
    struct node *found[4096];
    size_t n = 0;
    for (; **at != ')'; n++) {
        found[n] = tree_read_at(arena, at);
        while (**at == ' ') ++*at;
    }
    ++*at;
    memcpy(child, found, n * sizeof *child);
    if (text_equal(name, TEXT("-"))) {
        for (size_t i = n > 1; i < n; i++) child[i] = node_one(arena, NODE_NEGATE, child[i]);
        return n == 1 ? child[0] : node_new(arena, NODE_ADD, 0, n, child);
    }
    if (text_equal(name, TEXT("sqrt"))) return node_two(arena, NODE_ROOT, child[0], node_integer(arena, 2));
    for (size_t i = 0; i < sizeof tree_operators / sizeof *tree_operators; i++)
        if (text_equal(name, text_of(tree_operators[i].name)))
            return node_new(arena, tree_operators[i].kind, tree_operators[i].which, n, child);
    fprintf(stderr, "no such operator: %.*s\n", (int)name.len, name.data);
    abort();
}

static inline struct node *tree_read(struct arena *arena, const char *text) { return tree_read_at(arena, &text); }

#endif
