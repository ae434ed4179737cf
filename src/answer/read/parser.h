/* parser.h - what the files of the parser share: its state, and the functions of one for the others. Each of these reads as
 * much as it can from p->at on, and returns NULL (p->at anywhere) where nothing fits. It must not know values or verdicts. */
#ifndef CORD_ANSWER_READ_PARSER_H
#define CORD_ANSWER_READ_PARSER_H

#include "answer/read/lex.h"
#include "answer/read/parse.h"

struct parser {
    struct arena *arena;
    const struct token *tokens;
    const struct token *plain; /* before runs of letters were taken apart */
    size_t at;
    unsigned reading, readings;
    int depth;    /* of nesting */
    int brackets; /* open ones: a comma inside separates, outside it may part thousands */
    int bars;     /* open |…| */
    size_t nodes, steps;
    const char *limit; /* the one that was hit; nothing more is read then */
    bool no_memory;
};

/* ---- tokens -------------------------------------------------------------------------------------------------- */

static inline const struct token *parser_token(const struct parser *p) { return &p->tokens[p->at]; }
static inline bool parser_sees(const struct parser *p, const char *text) { return token_is(parser_token(p), text); }
bool parser_take(struct parser *p, const char *text);

static inline bool token_ends(const struct token *t) { return t->kind == TOKEN_END; }
/* Digits, so many of them; 0: any number. */
static inline bool token_is_digits(const struct token *t, size_t len) {
    return t->kind == TOKEN_DIGITS && (!len || t->text.len == len);
}
/* Letters, just these. */
static inline bool token_is_name(const struct token *t, const char *name) {
    return t->kind == TOKEN_LETTERS && text_equal(t->text, text_of(name));
}
/* Letters, these in any case; `word` in small ones. */
bool token_is_word(const struct token *t, const char *word);

/* "kN", "CO", "NaCl": capitals that say more than that a word begins or is written large. */
bool token_has_capitals(const struct token *t);

/* The tokens from `from` to `to` as a text, its words in lower case, single blanks where the answer has some. */
cord_text parser_words(struct parser *p, size_t from, size_t to);
/* The same, but words with capitals in another place than at their beginning keep them: "kN", "CO". */
cord_text parser_cased_words(struct parser *p, size_t from, size_t to);

/* ---- nodes --------------------------------------------------------------------------------------------------- */

/* Counted constructors; NULL at a limit too. */
struct node *parser_node(struct parser *p, enum node_kind kind, int which, size_t n, struct node *const *child);
struct node *parser_text(struct parser *p, enum node_kind kind, int which, cord_text text);
struct node *parser_integer(struct parser *p, int64_t value);
static inline struct node *parser_one(struct parser *p, enum node_kind kind, struct node *child) {
    return parser_node(p, kind, 0, 1, &child);
}
static inline struct node *parser_two(struct parser *p, enum node_kind kind, struct node *a, struct node *b) {
    return parser_node(p, kind, 0, 2, (struct node *[]){a, b});
}
/* left = right, and the like: `codes` as in NODE_RELATION. */
struct node *parser_relation(struct parser *p, struct node *left, const char *codes, struct node *right);

/* Digits without a point or an exponent. */
static inline bool node_is_integer(const struct node *node) {
    return node->kind == NODE_NUMBER && node->exponent == 0 && node->repeat == 0;
}

/* Nodes being collected. */
struct nodes {
    struct node **item;
    size_t n, capacity;
};
bool parser_collect(struct parser *p, struct nodes *nodes, struct node *node);
/* The only one, or all of them as the children of a new node. */
struct node *parser_gather(struct parser *p, enum node_kind kind, const struct nodes *nodes);

/* \frac{d y}{d x}: no quotient of products. */
bool is_derivative(const struct node *numerator, const struct node *denominator);

/* One level deeper; false at the limit. Each is paired with p->depth--. */
bool parser_enter(struct parser *p);
/* Says that the answer is too large. */
void parser_give_up(struct parser *p);

/* ---- mathematics --------------------------------------------------------------------------------------------- */

void mark_commas(struct token *tokens);          /* number.c: those that only separate entries; once for all tokens */
struct node *parse_decimal(struct parser *p);    /* number.c: digits with all that belongs to them */
struct node *parse_number(struct parser *p);     /* number.c: that, or a mixed number */
struct node *parse_based(struct parser *p);      /* number.c: a numeral that says its base; else p->at stays */
struct node *parse_bracket(struct parser *p);    /* bracket.c: at "(" or "[" */
struct node *parse_angle(struct parser *p);      /* bracket.c: at "\\langle" */
struct node *parse_set_braces(struct parser *p); /* bracket.c: at "\\{" or "{" */
struct node *parse_braces(struct parser *p);     /* bracket.c: at "{": a group, or what else it may be */
struct node *parse_matrix(struct parser *p);     /* bracket.c: at TOKEN_BEGIN */
struct node *parse_group(struct parser *p);      /* operand.c: { sum } */
struct node *parse_argument(struct parser *p);   /* operand.c: what a command takes */
struct node *parse_signed_argument(struct parser *p);                    /* operand.c: that, or "-" and that */
struct node *parse_two_arguments(struct parser *p, enum node_kind kind); /* operand.c: behind \\frac, \\binom */
struct node *parse_primary(struct parser *p);                            /* operand.c */
bool parse_starts_factor(const struct parser *p); /* operand.c: whether a factor may be implied here */
struct node *parse_power(struct parser *p);       /* formula.c */
struct node *parse_sum(struct parser *p);         /* formula.c */
struct node *parse_relation(struct parser *p);    /* formula.c */

/* ---- forms of answers, each up to the last token ------------------------------------------------------------- */

struct node *parse_item(struct parser *p); /* quantity.c: a value, a quantity or a relation; may leave tokens */
/* quantity.c: `value` with what units stand behind it, perhaps none; `currency`: the one before it, or NULL */
struct node *parse_units(struct parser *p, struct node *value, const struct unit *currency);
struct node *parse_list(struct parser *p);         /* list.c: items, or one */
struct node *parse_words(struct parser *p);        /* words.c: words of a closed group */
struct node *parse_date(struct parser *p);         /* words.c */
struct node *parse_colon(struct parser *p);        /* words.c: times and ratios */
struct node *parse_number_words(struct parser *p); /* words.c */

#endif
