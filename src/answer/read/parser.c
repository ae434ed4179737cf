/* parser.c - the parser's state: looking at tokens, making nodes, and the limits of both. It must not know the grammar. */
#include "answer/read/parser.h"

enum { STEPS = 100000 }; /* most tokens looked at, again and again where a first try fails */

void parser_give_up(struct parser *p) { p->limit = "an answer is too large to be read"; }

bool token_is_word(const struct token *t, const char *word) {
    if (t->kind != TOKEN_LETTERS || t->text.len != strlen(word)) return false;
    for (size_t i = 0; i < t->text.len; i++)
        if ((t->text.data[i] | 0x20) != word[i]) return false;
    return true;
}

bool parser_take(struct parser *p, const char *text) {
    if (!parser_sees(p, text)) return false;
    p->at++;
    return true;
}

static struct node *count(struct parser *p, struct node *node) {
    if (!node) p->no_memory = true;
    if (++p->nodes <= TREE_NODES && (!node || node->depth <= TREE_DEPTH)) return node;
    parser_give_up(p);
    return NULL;
}

struct node *parser_node(struct parser *p, enum node_kind kind, int which, size_t n, struct node *const *child) {
    for (size_t i = 0; i < n; i++)
        if (!child[i]) return NULL;
    return count(p, node_new(p->arena, kind, which, n, child));
}

struct node *parser_text(struct parser *p, enum node_kind kind, int which, cord_text text) {
    struct node *node = count(p, node_new(p->arena, kind, which, 0, NULL));
    if (node) node->text = text;
    return node;
}

struct node *parser_integer(struct parser *p, int64_t value) {
    return count(p, node_integer(p->arena, value));
}

struct node *parser_relation(struct parser *p, struct node *left, const char *codes, struct node *right) {
    struct node *relation = left && right ? parser_two(p, NODE_RELATION, left, right) : NULL;
    if (relation) relation->text = text_of(codes);
    return relation;
}

bool parser_collect(struct parser *p, struct nodes *nodes, struct node *node) {
    if (!node) return false;
    if (nodes->n == nodes->capacity) {
        size_t capacity = nodes->capacity ? 2 * nodes->capacity : 4;
        struct node **item = arena_alloc(p->arena, capacity * sizeof *item);
        if (!item) return p->no_memory = true, false;
        if (nodes->n) memcpy(item, nodes->item, nodes->n * sizeof *item);
        nodes->item = item;
        nodes->capacity = capacity;
    }
    nodes->item[nodes->n++] = node;
    return true;
}

struct node *parser_gather(struct parser *p, enum node_kind kind, const struct nodes *nodes) {
    return nodes->n == 1 ? nodes->item[0] : parser_node(p, kind, 0, nodes->n, nodes->item);
}

bool token_has_capitals(const struct token *t) {
    size_t capitals = 0, n = t->text.len;
    if (t->kind != TOKEN_LETTERS) return false;
    for (size_t i = 0; i < n; i++) capitals += t->text.data[i] >= 'A' && t->text.data[i] <= 'Z';
    bool first = *t->text.data >= 'A' && *t->text.data <= 'Z';
    return capitals > (size_t)first && (capitals < n || n == 2);
}

/* That, and beside commands "Kn", behind a number "Nm", which is not nm. */
static bool is_mixed(const struct token *first, const struct token *t, bool formula) {
    bool two = t->kind == TOKEN_LETTERS && t->text.len == 2;
    return (two && formula && !t->prose) || (two && t > first && t[-1].kind == TOKEN_DIGITS) || token_has_capitals(t);
}

/* A letter or command of mathematics: N is not n, \Delta not \delta. */
static bool has_case(const struct token *t) {
    return (t->kind == TOKEN_LETTERS && t->text.len == 1 && !t->prose) || t->kind == TOKEN_SYMBOL ||
           t->kind == TOKEN_COMMAND;
}

static cord_text words_of(struct parser *p, size_t from, size_t to, bool mixed) {
    struct buf words;
    buf_init(&words, "an answer's words", 4 * TREE_TEXT);
    bool formula = false;
    for (size_t i = from; i < to; i++) formula = formula || p->tokens[i].kind == TOKEN_COMMAND;
    for (size_t i = from; i < to; i++) {
        const struct token *t = &p->tokens[i];
        if (i > from && t->spaced) buf_addc(&words, ' ');
        size_t start = words.len;
        buf_add(&words, t->text);
        bool kept = has_case(t) || (mixed && is_mixed(&p->tokens[from], t, formula));
        for (size_t k = start; k < words.len && !kept; k++) words.data[k] = ascii_lower(words.data[k]);
    }
    cord_text text = arena_text(p->arena, buf_text(&words));
    buf_release(&words);
    if (!text.data) p->no_memory = true, text = TEXT("");
    return text;
}

cord_text parser_words(struct parser *p, size_t from, size_t to) { return words_of(p, from, to, false); }
cord_text parser_cased_words(struct parser *p, size_t from, size_t to) { return words_of(p, from, to, true); }

/* d, d^2, dy, d^2 y */
static bool is_differential(const struct node *node) {
    while (node->kind == NODE_MULTIPLY || node->kind == NODE_POWER) node = node->child[0];
    return node->kind == NODE_SYMBOL && text_equal(node->text, TEXT("d"));
}

bool is_derivative(const struct node *numerator, const struct node *denominator) {
    return is_differential(numerator) && denominator->kind == NODE_MULTIPLY && is_differential(denominator);
}

bool parser_enter(struct parser *p) {
    if (++p->depth <= TREE_DEPTH && ++p->steps <= STEPS) return true;
    parser_give_up(p);
    return false;
}
