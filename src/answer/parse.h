/* parse.h - from an answer's text to its tree. It must not know values or verdicts.
 *
 * The grammar is written out in docs/grader.md, in the order of the functions in parse_expression.c and parse.c. */
#ifndef CORD_ANSWER_PARSE_H
#define CORD_ANSWER_PARSE_H

#include "answer/lex.h"
#include "answer/tree.h"

/* Texts with two readings: each bit chooses the second one. */
enum reading {
    READING_SLASH = 1,  /* 1/2x is 1/(2x), \sin\pi/3 is \sin(\pi/3), x^1/2 is x^(1/2); else (1/2)x, … */
    READING_LOG = 2,    /* \log is natural; else to the base 10 */
    READING_EULER = 4,  /* 2e+3 is twice Euler's number and 3; else 2000 */
    READING_UNIT = 8,   /* 5 m is five metres; else m is a variable */
    READING_POWER = 16, /* \ln(2)^2 is \ln(2^2); else the square of \ln 2 */
    READING_MIXED = 32, /* 1-1/2 is one and a half; else a half */
    READINGS = 64,
};

/* Reads all of `t` in the way that `reading` says; what cannot be read is a NODE_TEXT. NULL without memory only.
 * *readings: the bits that make a difference here. *limit: the limit that stopped it (static), if one did. */
struct node *parse_answer(struct arena *arena, cord_text t, unsigned reading, unsigned *readings, const char **limit);

/* ---- between parse.c and parse_expression.c ------------------------------------------------------------------ */

struct parser {
    struct arena *arena;
    const struct token *tokens;
    size_t at;
    unsigned reading, readings;
    int depth;    /* of nesting */
    int brackets; /* open ones: a comma inside separates, outside it may part thousands */
    int bars;     /* open |…| */
    size_t nodes, steps;
    const char *limit;
    bool no_memory;
};

static inline const struct token *parser_token(const struct parser *p) { return &p->tokens[p->at]; }
static inline bool parser_sees(const struct parser *p, const char *text) { return token_is(parser_token(p), text); }
bool parser_take(struct parser *p, const char *text);

/* Counted constructors; NULL at a limit too. */
struct node *parser_node(struct parser *p, enum node_kind kind, int which, size_t n, struct node *const *child);
struct node *parser_text(struct parser *p, enum node_kind kind, int which, cord_text text);

/* Nodes being collected. */
struct nodes {
    struct node **item;
    size_t n, capacity;
};
bool parser_collect(struct parser *p, struct nodes *nodes, struct node *node);
/* The only one, or all of them as the children of a new node. */
struct node *parser_gather(struct parser *p, enum node_kind kind, const struct nodes *nodes);

/* Each reads as much as it can from p->at on, and returns NULL (p->at anywhere) where nothing fits. */
struct node *parse_sum(struct parser *p);
struct node *parse_relation(struct parser *p);

/* The tokens from `from` to `to` as a text in lower case, single blanks where the answer has some. */
cord_text parser_words(struct parser *p, size_t from, size_t to);

#endif
