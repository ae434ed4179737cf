/* describe.c - a tree in words. It must not know verdicts. */
#include "answer/describe.h"

static const char *const kinds[] = {
    [NODE_NUMBER] = "",
    [NODE_SYMBOL] = "",
    [NODE_CONSTANT] = "",
    [NODE_ADD] = "add",
    [NODE_MULTIPLY] = "multiply",
    [NODE_NEGATE] = "negate",
    [NODE_ABS] = "abs",
    [NODE_FLOOR] = "floor",
    [NODE_CEILING] = "ceiling",
    [NODE_FACTORIAL] = "factorial",
    [NODE_DEGREE] = "degrees",
    [NODE_PERCENT] = "percent",
    [NODE_DIVIDE] = "divide",
    [NODE_POWER] = "power",
    [NODE_ROOT] = "root",
    [NODE_BINOMIAL] = "binomial",
    [NODE_FUNCTION] = "",
    [NODE_PLUS_MINUS] = "plus or minus",
    [NODE_QUANTITY] = "quantity",
    [NODE_RELATION] = "relation",
    [NODE_TUPLE] = "tuple",
    [NODE_LIST] = "list",
    [NODE_SET] = "set",
    [NODE_UNION] = "union",
    [NODE_BOTH] = "both",
    [NODE_WITHOUT] = "without",
    [NODE_MATRIX] = "matrix",
    [NODE_BASE] = "base",
    [NODE_COLON] = "ratio or time",
    [NODE_DATE] = "date",
    [NODE_CHOICE] = "choice",
    [NODE_WORD] = "word",
    [NODE_TEXT] = "text",
};

static const char *const constants[] = {"pi", "e", "i", "infinity"};

static const char *const functions[] = {"exp", "ln",     "log",    "sin",    "cos",  "tan",      "cot",  "sec",
                                        "csc", "arcsin", "arccos", "arctan", "sinh", "cosh",     "tanh", "gcd",
                                        "lcm", "min",    "max",    "re",     "im",   "conjugate"};

static void describe_number(const struct node *node, struct buf *out) {
    size_t decimals = node->exponent < 0 ? -(size_t)node->exponent : 0, len = node->text.len;
    if (decimals > 0 && decimals < len) { /* "1.25" */
        buf_add(out, text_slice(node->text, 0, len - decimals));
        buf_addc(out, '.');
        buf_add(out, text_slice(node->text, len - decimals, len));
    } else {
        buf_add(out, node->text);
        if (node->exponent) buf_addf(out, "e%d", node->exponent);
    }
    if (node->repeat) buf_addf(out, " (the last %d recurring)", node->repeat);
}

/* What stands between a kind's name and its children. */
static void describe_own(const struct node *node, struct buf *out) {
    buf_add(out, text_of(kinds[node->kind]));
    switch (node->kind) {
    case NODE_NUMBER: describe_number(node, out); break;
    case NODE_CONSTANT: buf_add(out, text_of(constants[node->which])); break;
    case NODE_FUNCTION: buf_add(out, text_of(functions[node->which])); break;
    case NODE_SYMBOL: buf_add(out, node->text); break;
    case NODE_BASE:
        buf_addf(out, " %d ", node->which);
        buf_add(out, node->text);
        break;
    case NODE_MATRIX: buf_addf(out, " of %d columns", node->which); break;
    default:
        if (node->text.len) buf_addc(out, ' ');
        buf_add(out, node->text);
        if (node->text.len && node->n) buf_addc(out, ' ');
    }
}

void describe(const struct node *node, struct buf *out) {
    describe_own(node, out);
    if (node->n == 0) return;
    buf_addc(out, '(');
    for (size_t i = 0; i < node->n; i++) {
        if (i) buf_add(out, TEXT(", "));
        describe(node->child[i], out);
    }
    buf_addc(out, ')');
}
