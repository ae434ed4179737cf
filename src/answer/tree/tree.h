/* tree.h - what an answer says, as a tree: the parser builds it, the comparison walks it.
 *
 * Plain data in an arena: nothing here is ever freed or changed by itself, and numbers are kept as they were written. It
 * must not know values or verdicts. */
#ifndef CORD_ANSWER_TREE_H
#define CORD_ANSWER_TREE_H

#include "base/base.h"

enum {
    TREE_TEXT = 16 * 1024, /* longest answer that is read, in bytes */
    TREE_NODES = 4096,     /* most nodes of one answer */
    TREE_DEPTH = 200,      /* deepest nesting, of what is written and of the tree: 1/2/3 is as deep as (1/2)/3 */
};

enum node_kind {
    /* Expressions: they have a value, and are made of expressions only. */
    NODE_NUMBER,     /* `text`: decimal digits; times 10^exponent; the last `repeat` of them recurring for ever */
    NODE_SYMBOL,     /* a variable; `text`: "x", "x_1", "\alpha" */
    NODE_CONSTANT,   /* `which`: enum constant */
    NODE_ADD,        /* two or more terms; a difference is an ADD with a NEGATE */
    NODE_MULTIPLY,   /* two or more factors */
    NODE_NEGATE,     /* one child, as have all up to NODE_PERCENT */
    NODE_ABS,        /* |x|; of complex numbers too */
    NODE_FLOOR,      /* */
    NODE_CEILING,    /* */
    NODE_FACTORIAL,  /* x! */
    NODE_DEGREE,     /* x°: x times π/180 */
    NODE_PERCENT,    /* x%: a hundredth of x */
    NODE_DIVIDE,     /* numerator, denominator */
    NODE_POWER,      /* base, exponent: the principal value */
    NODE_ROOT,       /* radicand, index (\sqrt: a NUMBER 2). An odd root of a negative number is negative. */
    NODE_BINOMIAL,   /* n, k */
    NODE_FUNCTION,   /* `which`: enum function; one argument (LOG, GCD and the like: two or more) */
    NODE_PLUS_MINUS, /* two terms, or one with a sign only; `which`: 0 for ±, 1 for ∓. Has no one value. */

    /* What is not a number. Children are expressions unless another thing is named. */
    NODE_QUANTITY, /* an expression with a unit: `text` is the unit as written ("cm^2"), `unit` what it is */
    NODE_RELATION, /* n children; `text`: n-1 characters of "=<>LGNE~": L is ≤, G ≥, N ≠, E ∈ */
    NODE_TUPLE,    /* entries in brackets; `text`: opening and closing character: "(]", "[]", "<>" for angle brackets */
    NODE_LIST,     /* entries without brackets, by commas, "and" or "or"; `which`: 1 where one of them holds */
    NODE_SET,      /* entries in braces; none: the empty set; `which`: 1 for the word "none" */
    NODE_UNION,    /* of intervals, sets or relations (joined by "or") */
    NODE_BOTH,     /* intersection of the same; `which`: enum joint */
    NODE_WITHOUT,  /* a set, and the set whose elements it lacks */
    NODE_MATRIX,   /* `which`: how many columns; entries row by row */
    NODE_BASE,     /* a numeral of another base; `text`: its digits, `which`: the base */
    NODE_COLON,    /* 2:3, 3:30; children NUMBERs; `text`: "", "am" or "pm" */
    NODE_DATE,     /* `text`: "2020-03-05", "03-05" (month and day) */
    NODE_CHOICE,   /* `text`: one upper-case letter; perhaps the choice's own text as a child of any kind */
    NODE_WORD,     /* a word of a closed group; `which`: the group, `text`: the word's normal form */
    NODE_TEXT,     /* anything else; `text`: words in lower case, with single spaces */
};

/* What stands between the parts of a NODE_BOTH: \cap, a comma, "and". */
enum joint { JOINT_CAP, JOINT_COMMA, JOINT_AND };

enum constant { CONSTANT_PI, CONSTANT_E, CONSTANT_I, CONSTANT_INFINITY };

enum function {
    FUNCTION_EXP,
    FUNCTION_LN,
    FUNCTION_LOG, /* argument, base */
    FUNCTION_SIN,
    FUNCTION_COS,
    FUNCTION_TAN,
    FUNCTION_COT,
    FUNCTION_SEC,
    FUNCTION_CSC,
    FUNCTION_ASIN,
    FUNCTION_ACOS,
    FUNCTION_ATAN,
    FUNCTION_SINH,
    FUNCTION_COSH,
    FUNCTION_TANH,
    FUNCTION_GCD,
    FUNCTION_LCM,
    FUNCTION_MIN,
    FUNCTION_MAX, /* two arguments or more */
    FUNCTION_RE,
    FUNCTION_IM,
    FUNCTION_CONJUGATE,
};

struct unit; /* of rules.h */

struct node {
    enum node_kind kind;
    int which;
    cord_text text;
    int exponent, repeat;    /* of a NUMBER */
    int depth;               /* of the tree below it: 1 where it has no child */
    struct node *other;      /* what a LIST ("3,5"), a NUMBER ("5,120"), a TEXT ("xy", "B. a hare") or a QUANTITY ("1.5
                              * million dollars") may be instead: a number, a list, a product, a choice, 1.5; else NULL */
    const struct unit *unit; /* of a QUANTITY */
    size_t n;
    struct node **child;
};

/* The constructors return NULL without memory and take NULL for a child's failure: the whole tree is then NULL. */
struct node *node_new(struct arena *arena, enum node_kind kind, int which, size_t n, struct node *const *child);
struct node *node_integer(struct arena *arena, int64_t value);
static inline struct node *node_one(struct arena *arena, enum node_kind kind, struct node *child) {
    return node_new(arena, kind, 0, 1, &child);
}
static inline struct node *node_two(struct arena *arena, enum node_kind kind, struct node *a, struct node *b) {
    return node_new(arena, kind, 0, 2, (struct node *[]){a, b});
}

/* Whether all of it is an expression, that is, has a value (NODE_PLUS_MINUS has none). */
bool node_is_expression(const struct node *node);
/* The same tree, node by node (a unit's name tells what it is). */
bool node_same(const struct node *a, const struct node *b);
/* A copy with every SYMBOL called `name` replaced by `value`; parts that stay are shared. */
struct node *node_replace(struct arena *arena, struct node *node, cord_text name, struct node *value);
/* Whether a node of that kind is in it; `which` as in the node, -1: any. */
bool node_has(const struct node *node, enum node_kind kind, int which);
/* The names of the SYMBOLs in it, each once, sorted. At most `most` are stored; where more is returned, there are more. */
size_t node_symbols(const struct node *node, cord_text *names, size_t most);

#endif
