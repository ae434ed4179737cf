/* lex.h - the words and signs of an answer, whether it is written in LaTeX, in plain text or with Unicode's symbols.
 *
 * What only presents an answer ($…$, \left, \boxed, \displaystyle, thin spaces, bold) leaves no token; Unicode's symbols
 * become the commands that LaTeX has for them. It must not know what the tokens mean together. */
#ifndef CORD_ANSWER_LEX_H
#define CORD_ANSWER_LEX_H

#include "base/base.h"

enum token_kind {
    TOKEN_END,     /* after the last one; text empty */
    TOKEN_DIGITS,  /* "080" */
    TOKEN_LETTERS, /* a run of letters: "x", "xy", "dollars"; letters beyond ASCII too */
    TOKEN_SYMBOL,  /* a letter that its dress makes another one: "\vec{v}", "\mathbf{i}", "\bar{x}" */
    TOKEN_COMMAND, /* "\frac", "\{", "\\", "\$" (also for a dollar sign that is no mathematics mark), "\mathbb{R}" */
    TOKEN_BEGIN,   /* \begin{pmatrix}: "pmatrix" */
    TOKEN_CLOSE,   /* \end{pmatrix}: "pmatrix" */
    TOKEN_SIGN,    /* one character of ASCII */
};

struct token {
    enum token_kind kind;
    cord_text text; /* a part of what was lexed, or static */
    bool spaced;    /* blanks stood before it */
    bool prose;     /* inside \text{…} and the like */
    bool joins;     /* a comma that can only separate thousands: "{,}", ",\!" */
    bool parts;     /* a comma that can only separate entries: those of 2,5,100 (mark_commas of number.c) */
};

/* So many TOKEN_ENDs stand behind the last token, so that nobody looks too far ahead. */
enum { TOKENS_BEHIND = 8 };

/* The tokens of `t`, in the arena, up to and with TOKEN_END, *n without it; NULL without memory. Text that is no valid
 * UTF-8 becomes TOKEN_SIGNs with the byte 0x7F. */
struct token *lex(struct arena *arena, cord_text t, size_t *n);

static inline bool token_is(const struct token *token, const char *text) {
    size_t len = strlen(text);
    return token->text.len == len && memcmp(token->text.data, text, len) == 0 && token->kind != TOKEN_LETTERS;
}

#endif
