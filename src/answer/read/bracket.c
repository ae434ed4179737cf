/* bracket.c - what stands in brackets and braces: tuples and intervals, sets, groups, matrices. It must not know values or
 * verdicts. */
#include "answer/read/parser.h"

/* An entry of a tuple, list or set: an expression, something in brackets, or words. */
static struct node *parse_entry(struct parser *p) {
    size_t start = p->at;
    struct node *entry = parse_sum(p);
    static const char *const ends[] = {",", ";", ")", "]", "\\}", "}", "\\rangle", NULL};
    for (int i = 0; ends[i]; i++)
        if (entry && parser_sees(p, ends[i])) return entry;
    for (p->at = start; parser_token(p)->kind == TOKEN_LETTERS || parser_token(p)->kind == TOKEN_DIGITS;) p->at++;
    return p->at > start ? parser_text(p, NODE_TEXT, 0, parser_cased_words(p, start, p->at)) : NULL;
}

static bool parse_entries(struct parser *p, struct nodes *entries) {
    p->brackets++;
    int bars = p->bars;
    p->bars = 0;
    do {
        if (!parser_collect(p, entries, parse_entry(p))) return false;
    } while (parser_take(p, ",") || parser_take(p, ";"));
    p->bars = bars;
    p->brackets--;
    return true;
}

/* "(2,125)" may be the number 2125 after all: it, or NULL. Tokens from the opening bracket to before p->at. */
static struct node *number_in_brackets(struct parser *p, size_t open) {
    struct buf digits;
    buf_init(&digits, "a number's digits", TREE_TEXT);
    size_t at = open + 1;
    bool good = p->tokens[at].kind == TOKEN_DIGITS && p->tokens[at].text.len <= 3;
    if (good) buf_add(&digits, p->tokens[at++].text);
    for (; good && at + 1 < p->at; at += 2) {
        const struct token *comma = &p->tokens[at];
        good = token_is(comma, ",") && !comma->spaced && token_is_digits(comma + 1, 3) && !comma[1].spaced;
        if (good) buf_add(&digits, comma[1].text);
    }
    struct node *number = good ? parser_text(p, NODE_NUMBER, 0, arena_text(p->arena, buf_text(&digits))) : NULL;
    buf_release(&digits);
    return number;
}

/* (a), (a, b), [a, b): a single thing in round brackets is itself. */
struct node *parse_bracket(struct parser *p) {
    char text[2] = {*parser_token(p)->text.data, 0};
    struct nodes entries = {0};
    size_t open = p->at;
    if (!parser_enter(p)) return NULL;
    p->at++;
    if (!parse_entries(p, &entries)) return NULL;
    p->depth--;
    if (parser_take(p, ")"))
        text[1] = ')';
    else if (parser_take(p, "]"))
        text[1] = ']';
    else
        return NULL;
    bool plain = entries.n == 1 && ((text[0] == '(' && text[1] == ')') || entries.item[0]->kind == NODE_MATRIX);
    if (plain) return entries.item[0];
    if (entries.n == 1 && text[0] != '[') return NULL;
    if (entries.n == 1 && text[1] != ']') return NULL;
    struct node *tuple = parser_node(p, NODE_TUPLE, 0, entries.n, entries.item);
    if (tuple && text[0] == '(' && text[1] == ')') tuple->other = number_in_brackets(p, open);
    if (tuple) tuple->text = arena_text(p->arena, (cord_text){text, 2});
    return tuple && tuple->text.data ? tuple : NULL;
}

struct node *parse_angle(struct parser *p) {
    struct nodes entries = {0};
    p->at++;
    if (!parser_enter(p) || !parse_entries(p, &entries) || !parser_take(p, "\\rangle")) return NULL;
    p->depth--;
    struct node *tuple = parser_node(p, NODE_TUPLE, 0, entries.n, entries.item);
    if (tuple) tuple->text = TEXT("<>");
    return tuple;
}

/* \{ x \mid x > 3 \}: what stands behind the bar. */
static struct node *parse_builder(struct parser *p) {
    size_t start = p->at;
    bool named = parse_starts_factor(p) && !parser_sees(p, "|") && parse_primary(p);
    if (named && parser_take(p, "\\in")) named = parser_take(p, "\\mathbb{R}");
    if (named && (parser_take(p, "|") || parser_take(p, ":"))) {
        struct node *condition = parse_relation(p);
        if (condition && condition->kind == NODE_RELATION && parser_take(p, "\\}")) return condition;
    }
    p->at = start;
    return NULL;
}

struct node *parse_set_braces(struct parser *p) {
    const char *close = parser_sees(p, "{") ? "}" : "\\}";
    p->at++;
    if (*close == '\\' && parser_take(p, close)) return parser_node(p, NODE_SET, 0, 0, NULL);
    if (!parser_enter(p)) return NULL;
    struct nodes entries = {0};
    struct node *builder = parse_builder(p);
    if (builder) return p->depth--, builder;
    if (!parse_entries(p, &entries) || !parser_take(p, close)) return NULL;
    p->depth--;
    return parser_node(p, NODE_SET, 0, entries.n, entries.item);
}

/* A group of LaTeX, or in plain text a set: {1, 2}. */
struct node *parse_braces(struct parser *p) {
    size_t start = p->at;
    struct node *group = parse_group(p);
    if (group) return group;
    if (p->limit) return NULL;
    p->at = start + 1;
    if (parser_enter(p)) { /* {n \choose k}, {1 \over 2} */
        struct node *n = parse_sum(p), *k = NULL;
        bool over = n && parser_sees(p, "\\over");
        if (n && (over || parser_sees(p, "\\choose"))) p->at++, k = parse_sum(p);
        p->depth--;
        if (k) return parser_take(p, "}") ? parser_two(p, over ? NODE_DIVIDE : NODE_BINOMIAL, n, k) : NULL;
    }
    p->at = start;
    return parse_set_braces(p);
}

struct node *parse_matrix(struct parser *p) {
    static const char *const names[] = {"pmatrix", "bmatrix", "matrix", "smallmatrix", "array", NULL};
    cord_text name = parser_token(p)->text;
    bool known = text_place(name, names) >= 0;
    p->at++;
    if (!known || !parser_enter(p)) return NULL;
    if (text_equal(name, TEXT("array")) && parser_take(p, "{")) /* {cc}: how columns are set */
        for (; !parser_take(p, "}"); p->at++)
            if (parser_token(p)->kind == TOKEN_END) return NULL;
    struct nodes entries = {0};
    size_t columns = 0, column = 0;
    p->brackets++;
    while (parser_token(p)->kind != TOKEN_CLOSE) {
        if (!parser_collect(p, &entries, parse_sum(p))) return NULL;
        column++;
        if (parser_take(p, "&")) continue;
        bool row = parser_take(p, "\\\\");
        if (row && parser_sees(p, "[") && token_is_digits(parser_token(p) + 1, 0)) /* \\\\[2pt] */
            while (!token_ends(parser_token(p)) && !parser_take(p, "]")) p->at++;
        if (!row && parser_token(p)->kind != TOKEN_CLOSE) return NULL;
        if (columns && column != columns) return NULL;
        columns = column;
        column = 0;
    }
    p->brackets--;
    p->depth--;
    if (column || !entries.n || !text_equal(parser_token(p)->text, name)) return NULL;
    p->at++;
    return parser_node(p, NODE_MATRIX, (int)columns, entries.n, entries.item);
}
