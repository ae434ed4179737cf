/* list.c - items with commas, "and" or "or" between them, and what several relations say together. It must not know values
 * or verdicts. */
#include "answer/read/parser.h"

enum separator { NO_SEPARATOR, COMMA, AND, OR };

static enum separator take_separator(struct parser *p) {
    bool comma = parser_take(p, ",") || parser_take(p, ";");
    if (parser_take(p, "\\vee") || (token_is_word(parser_token(p), "or") && ++p->at)) return OR;
    if (parser_take(p, "\\wedge") || parser_take(p, "&") || (token_is_word(parser_token(p), "and") && ++p->at))
        return AND;
    return comma ? COMMA : NO_SEPARATOR;
}

static bool is_equation_of(const struct node *node, const struct node *name) {
    return node->kind == NODE_RELATION && node->n == 2 && *node->text.data == '=' &&
           (!name || node_same(node->child[0], name));
}

/* Alternatives: "x = 1 or x = 2", "x = 1, 2", "x < 2 or x > 5"; all at once: "x > 2 and x < 5", "x = 1, y = 2". */
static struct node *join_relations(struct parser *p, const struct nodes *items, enum separator by) {
    const struct node *name = is_equation_of(items->item[0], NULL) ? items->item[0]->child[0] : NULL;
    bool one_name = name != NULL, relations = true;
    for (size_t i = 0; i < items->n; i++) {
        bool relation = items->item[i]->kind == NODE_RELATION;
        one_name = one_name && (!relation || is_equation_of(items->item[i], name));
        relations = relations && relation;
    }
    if (one_name && name->kind == NODE_SYMBOL) { /* "x = 1, 2" is x = 1 or x = 2 */
        struct nodes values = {0};
        for (size_t i = 0; i < items->n; i++) {
            struct node *item = items->item[i];
            if (!parser_collect(p, &values, item->kind == NODE_RELATION ? item->child[1] : item)) return NULL;
        }
        struct node *list = parser_node(p, NODE_LIST, 1, values.n, values.item);
        return parser_relation(p, items->item[0]->child[0], "=", list);
    }
    if (relations && by == OR) return parser_node(p, NODE_UNION, 0, items->n, items->item);
    if (relations) return parser_node(p, NODE_BOTH, by == AND ? JOINT_AND : JOINT_COMMA, items->n, items->item);
    return NULL;
}

/* The number that a list of digits alone may be after all: "3,5" a decimal, "1, 200" or "1234,567" one with thousands,
 * "1.234,56" one as much of Europe writes it; NULL where it can be no number. */
static struct node *number_of_list(struct parser *p) {
    const struct token *t = parser_token(p);
    bool minus = token_is(t, "-"), thousands = true, lakhs = true, close = true, points = false;
    size_t commas = 0;
    struct buf digits;
    buf_init(&digits, "a list's digits", TREE_TEXT);
    for (t += minus; t->kind == TOKEN_DIGITS; t++) {
        buf_add(&digits, t->text);
        bool last = !token_is(t + 1, ",");
        lakhs = lakhs && (digits.len == t->text.len ? t->text.len < 3 : t->text.len == 2 + (size_t)last);
        thousands = thousands && (digits.len == t->text.len || t->text.len == 3);
        close = close && (digits.len == t->text.len || !t->spaced);
        t++;
        points = points || (token_is(t, ".") && !commas);
        if (!token_is(t, ",") && (!token_is(t, ".") || commas)) break;
        commas += token_is(t, ",");
        close = close && !t->spaced;
    }
    bool decimal = commas == 1 && close && (points || !thousands);
    struct node *number = NULL;
    if (token_ends(t) && commas > 0 && (decimal || ((thousands || lakhs) && !points))) {
        number = parser_text(p, NODE_NUMBER, 0, arena_text(p->arena, buf_text(&digits)));
        if (number && decimal) number->exponent = -(int)t[-1].text.len;
        if (number && minus) number = parser_node(p, NODE_NEGATE, 0, 1, &number);
    }
    buf_release(&digits);
    return number;
}

struct node *parse_list(struct parser *p) {
    const struct token *t = parser_token(p); /* "0,500" is neither a list nor a number that is sure */
    if (token_is(t, "0") && token_is(t + 1, ",") && t[2].kind == TOKEN_DIGITS && t[2].text.len == 3 && !t[2].spaced)
        return NULL;
    struct nodes items = {0};
    bool ands = false, ors = false, relations = false;
    struct node *number = number_of_list(p);
    enum separator separator;
    do {
        struct node *item = parse_item(p);
        if (!parser_collect(p, &items, item)) return NULL;
        relations = relations || item->kind == NODE_RELATION;
        separator = take_separator(p);
        ands = ands || separator == AND;
        ors = ors || separator == OR;
    } while (separator);
    if (!token_ends(parser_token(p))) return NULL;
    if (items.n == 1) return items.item[0];
    if (relations) return ands && ors ? NULL : join_relations(p, &items, ors ? OR : ands ? AND : COMMA);
    bool choices = true; /* "A, C" */
    for (size_t i = 0; i < items.n; i++) {
        const struct node *item = items.item[i];
        choices = choices && item->kind == NODE_SYMBOL && item->text.len == 1 && *item->text.data >= 'A' &&
                  *item->text.data <= 'J';
    }
    for (size_t i = 0; choices && i < items.n; i++) items.item[i] = parser_text(p, NODE_CHOICE, 0, items.item[i]->text);
    struct node *list = parser_node(p, NODE_LIST, ors, items.n, items.item);
    if (list) list->other = number;
    return list;
}
