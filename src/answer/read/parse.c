/* parse.c - an answer's forms, tried one after another: words, choices, dates, lists, names with "="; what none of them fits
 * is text. It must not know values or verdicts. */
#include "answer/find/extract.h"
#include "answer/read/parser.h"
#include "answer/read/rules.h"

/* ---- letters ------------------------------------------------------------------------------------------------- */

/* A bracket behind a function's name: \ln(xy). */
static bool opens_argument(const struct token *first, const struct token *t) {
    enum function function;
    return token_is(t, "(") && t > first && function_find(t[-1].text, &function);
}

/* Whether mathematics touches the token, so that a run of letters in it is a product of variables: 2xy, x^2+xy. What
 * stands before an "=" is rather a name: AB = 5. */
static bool is_touched(const struct token *first, const struct token *t) {
    const struct token *before = t > first ? t - 1 : NULL;
    bool left = before && (before->kind == TOKEN_DIGITS ? !t->spaced
                           : before->kind == TOKEN_COMMAND
                               ? !token_is(before, "\\{") && !token_is(before, "\\ne")
                               : before->kind == TOKEN_SIGN && strchr("^_)+-*/|{", *before->text.data));
    return left || (before && opens_argument(first, before)) ||
           (t[1].kind == TOKEN_SIGN && strchr("^_(+-*/!|}", *t[1].text.data));
}

static bool is_known(cord_text word) {
    enum function function;
    int64_t value;
    bool scale;
    static const char *const others[] = {"pi", "sqrt", "cbrt", "abs", "floor", "ceil", "binom", "infinity", "inf",
                                         "oo", "no",   "per",  "the", "sq",    "of",   "for",   NULL};
    return text_place(word, others) >= 0 || function_find(word, &function) || unit_find(word) ||
           number_word(word, &value, &scale) || is_no_unit(word);
}

/* How many letters of a run stay together: those of a function's name, "sin" of "sinx"; else 1. */
static size_t head_of(cord_text run) {
    enum function function;
    for (size_t k = run.len - 1; k >= 2; k--)
        if (function_find(text_slice(run, 0, k), &function)) return k;
    return 1;
}

static bool is_run(const struct token *t) {
    enum { LONGEST = 4 };
    if (t->kind != TOKEN_LETTERS || t->prose || t->text.len < 2 || t->text.len > LONGEST || is_known(t->text))
        return false;
    if (t->text.len == 2 && *t->text.data == 'd' && strchr("rstuvwxyz", t->text.data[1])) return false; /* dx */
    for (size_t k = 0; k < t->text.len; k++)
        if ((unsigned char)t->text.data[k] >= 0x80) return false;
    return true;
}

/* "xyz": no word has only these letters. */
static bool is_variables(cord_text run) {
    for (size_t k = 0; k < run.len; k++)
        if (!strchr("wxyz", run.data[k])) return false;
    return true;
}

/* "1.2 x 10^3", "3x4": a letter for a sign. Not 0x10. */
static bool is_times(const struct token *first, const struct token *t) {
    bool hexadecimal = t > first && token_is(t - 1, "0") && (t - 1 == first || !token_is(t - 2, "."));
    if (hexadecimal) return false;
    return (token_is_name(t, "x") || token_is_name(t, "X")) && t > first && t[-1].kind == TOKEN_DIGITS &&
           t[1].kind == TOKEN_DIGITS;
}

/* "2mg", "\frac32mg": mass times gravity where more of a formula follows, else perhaps milligrams. */
static bool is_product_of_two(struct parser *p, const struct token *first, const struct token *t) {
    const struct unit *unit = t->kind == TOKEN_LETTERS && t->text.len == 2 ? unit_find(t->text) : NULL;
    if (!unit || !unit->letter || t->prose || t->spaced || t == first) return false;
    if (t[-1].kind == TOKEN_LETTERS || token_is(t - 1, "/")) return false;
    bool last = token_ends(t + 1) || token_is(t + 1, ",") || token_is(t + 1, "/") || token_is(t + 1, "=") ||
                (t[1].kind == TOKEN_LETTERS && t[1].spaced);
    if (last) p->readings |= READING_UNIT;
    return !last || !(p->reading & READING_UNIT);
}

/* Takes runs of letters apart where they are variables side by side, or where `all` is. */
static const struct token *spell(struct parser *p, const struct token *tokens, size_t n, bool all) {
    size_t room = TOKENS_BEHIND;
    for (size_t i = 0; i < n; i++) room += tokens[i].kind == TOKEN_LETTERS ? tokens[i].text.len : 1;
    struct token *out = arena_alloc(p->arena, room * sizeof *out);
    if (!out) return NULL;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        struct token t = tokens[i];
        if (is_times(tokens, &tokens[i])) t.kind = TOKEN_COMMAND, t.text = TEXT("\\times");
        bool product = is_product_of_two(p, tokens, &tokens[i]);
        size_t head = product ? 1 : is_run(&t) ? head_of(t.text) : 0;
        bool apart = all || product || head > 1 || is_variables(t.text) || is_touched(tokens, &tokens[i]);
        if (head == 0 || !apart) {
            out[at++] = t;
            continue;
        }
        for (size_t k = 0; k < t.text.len; k += k ? 1 : head) {
            out[at] = t;
            out[at].text = text_slice(t.text, k, k ? k + 1 : head);
            out[at++].spaced = t.spaced && k == 0;
        }
    }
    for (int i = 0; i < TOKENS_BEHIND; i++) out[at++] = tokens[n];
    return out;
}

/* ---- choices and names --------------------------------------------------------------------------------------- */

static struct node *parse_forms(struct parser *p);

/* Whether the words behind a choice's letter name another one: "(A) and (B)", "(A) to C", "(A) true, (B) false"; not "(D) (A)
 * and (B)", "(D) both (A) and (B)". */
static bool names_another(const struct token *t) {
    static const char *const joins[] = {"and", "or", "nor", NULL}, *const ranges[] = {"to", "through", "plus", NULL},
                             *const all[] = {"all", "both", "either", "neither", "none", "only", NULL};
    for (int i = 0; joins[i]; i++)
        if (token_is_word(t, joins[i])) return true;
    for (int i = 0; ranges[i]; i++)
        if (token_is_word(t, ranges[i]) && t[1].kind == TOKEN_LETTERS && t[1].text.len == 1) return true;
    for (int i = 0; all[i]; i++)
        if (token_is_word(t, all[i]) || token_is(t, "(")) return false;
    for (; !token_ends(t) && !token_ends(t + 1); t++)
        if (token_is(t + 1, "(") && t[1].spaced && t[2].kind == TOKEN_LETTERS && t[2].text.len == 1 &&
            token_is(t + 3, ")"))
            return true;
    return false;
}

/* Whether words may begin with the token: it is no operator that has a letter in brackets to its left. */
static bool begins_words(const struct token *t) {
    static const char *const operators[] = {"\\cup", "\\cap", "\\setminus", "\\times", "\\cdot", "\\div", "\\pm",
                                            "\\mp",  "\\in",  "\\notin",    "\\ne",    "\\le",   "\\ge",  "\\approx",
                                            "\\sim", "\\vee", "\\wedge",    "\\equiv", "\\circ", "\\\\",  NULL};
    if (t->kind == TOKEN_COMMAND) return text_place(t->text, operators) < 0;
    if (t->kind == TOKEN_SIGN) return strchr("\"'`([{-.#~|", *t->text.data) != NULL;
    return t->kind == TOKEN_LETTERS || t->kind == TOKEN_DIGITS || t->kind == TOKEN_SYMBOL;
}

/* All that is left as words, as they stand before runs of letters are taken apart. What stands before them is none: p->at is
 * the same place in both. */
static struct node *parse_choice_text(struct parser *p) {
    if (p->limit || p->no_memory || !begins_words(parser_token(p))) return NULL;
    struct parser plain = *p;
    plain.tokens = p->plain;
    while (!token_ends(parser_token(&plain))) plain.at++;
    cord_text words = parser_cased_words(&plain, p->at, plain.at);
    p->no_memory = plain.no_memory;
    while (!token_ends(parser_token(p))) p->at++;
    return p->no_memory ? NULL : parser_text(p, NODE_TEXT, 0, words);
}

/* "B", "(B)", "B.", "option B", "(B) 5", "B: 5", "(B) a hare". Small letters only in brackets and alone. `loose`: "B. a hare",
 * too, which may be none ("E. coli"). */
static struct node *read_choice(struct parser *p, bool loose) {
    bool named = token_is_word(parser_token(p), "option") || token_is_word(parser_token(p), "choice");
    p->at += named;
    bool open = parser_take(p, "(") || parser_take(p, "[");
    const struct token *letter = parser_token(p);
    if (letter->kind != TOKEN_LETTERS || letter->text.len != 1) return NULL;
    char c = *letter->text.data, capital = (char)(c & ~0x20);
    if (capital < 'A' || capital > 'J') return NULL;
    p->at++;
    bool close = parser_take(p, ")") || parser_take(p, "]");
    bool mark = (!close || !parser_token(p)->spaced) && (parser_take(p, ".") || parser_take(p, ":"));
    bool alone = token_ends(parser_token(p));
    if ((open && !close) || (close && !open && !alone && !parser_token(p)->spaced)) return NULL;
    if (c != capital && (!open || !alone)) return NULL;
    if (!alone && ((!close && !mark) || !parser_token(p)->spaced || names_another(parser_token(p)))) return NULL;
    cord_text name = arena_text(p->arena, (cord_text){&capital, 1});
    struct node *node = name.data ? parser_text(p, NODE_CHOICE, 0, name) : NULL;
    if (!node || alone) return node;
    size_t start = p->at;
    struct node *content = parse_forms(p);
    if (!content && (close || named || loose)) {
        p->at = start;
        content = parse_choice_text(p);
    }
    struct node *full = content ? parser_node(p, NODE_CHOICE, 0, 1, &content) : NULL;
    if (full) full->text = name;
    return full;
}

static struct node *parse_choice(struct parser *p) { return read_choice(p, false); }

/* Behind the ")" that closes the "(" at `at`; `at` where none does. *simple: nothing but one letter or number, or several
 * with commas, stands inside. */
static size_t behind_bracket(const struct token *t, size_t at, bool *simple) {
    size_t depth = 0, i = at;
    *simple = true;
    do {
        if (token_is(&t[i], "("))
            depth++;
        else if (token_is(&t[i], ")"))
            depth--;
        else if (t[i].kind == TOKEN_SIGN ? !token_is(&t[i], ",") : t[i].kind == TOKEN_COMMAND)
            *simple = false;
        *simple = *simple && depth < 2;
        if (token_ends(&t[i++])) return at;
    } while (depth > 0);
    return i;
}

/* "f(x) = …", "f(2) = …", "P(X = 2) = …": a letter and brackets before an "=". */
static struct node *parse_function_of(struct parser *p) {
    size_t start = p->at, at = start;
    const struct token *t = p->tokens;
    bool simple;
    if (t[at].kind != TOKEN_LETTERS || t[at].text.len > 1) return NULL;
    bool function = strchr("fghFGPQ", *t[at].text.data) != NULL; /* x(x+1) = 0 is an equation */
    for (at++; token_is(&t[at], "'"); at++) {}
    if (!token_is(&t[at], "(")) return NULL;
    size_t end = behind_bracket(t, at, &simple);
    if (end == at || (!simple && !function) || !token_is(&t[end], "=")) return NULL;
    p->at = end + 1;
    struct node *name = parser_text(p, NODE_TEXT, 0, parser_cased_words(p, start, end));
    struct node *value = name ? parse_list(p) : NULL;
    return parser_relation(p, name, "=", value);
}

/* "can't", "isn't": three tokens, of which this is the last. */
static bool is_negation(const struct token *first, const struct token *t) {
    return t > first + 1 && token_is_word(t, "t") && !t->spaced && token_is(t - 1, "'") && !t[-1].spaced &&
           t[-2].kind == TOKEN_LETTERS && text_ends(t[-2].text, TEXT("n"));
}

/* \sin, "log": a name with it says something about a function's value. "max" and "lcm" are what is asked for. */
static bool is_applied(const struct token *t) {
    enum function which;
    if ((t->kind != TOKEN_COMMAND && t->kind != TOKEN_LETTERS) || !function_find(t->text, &which)) return false;
    return which != FUNCTION_GCD && which != FUNCTION_LCM && which != FUNCTION_MIN && which != FUNCTION_MAX;
}

/* Whether a name may hold the token, outside of brackets: no sign or word of an operation, none that turns the sense
 * round. */
static bool may_be_in_name(const struct token *first, const struct token *t) {
    static const char *const signs[] = {
        "\\not", "\\ne", "\\notin", "\\le", "\\ge",   "\\in",   "\\approx", "\\sim",  "\\equiv", "\\times", "\\cdot",
        "\\div", "\\pm", "\\mp",    "\\$",  "\\sqrt", "\\bmod", "\\mod",    "\\pmod", "\\surd",  "\\cbrt",  NULL};
    static const char *const words[] = {
        "not",        "no",        "never",   "neither",   "nor",       "cannot",  "except",  "unless",
        "if",         "false",     "wrong",   "undefined", "nobody",    "nothing", "hardly",  "impossible",
        "incorrect",  "untrue",    "without", "plus",      "minus",     "times",   "divided", "multiplied",
        "increased",  "decreased", "added",   "squared",   "cubed",     "twice",   "thrice",  "half",
        "double",     "doubled",   "triple",  "tripled",   "halved",    "modulo",  "mod",     "opposite",
        "reciprocal", "negative",  "inverse", "root",      "factorial", NULL};
    for (int i = 0; t->kind == TOKEN_COMMAND && signs[i]; i++)
        if (token_is(t, signs[i])) return false;
    for (int i = 0; t->kind == TOKEN_LETTERS && words[i]; i++)
        if (token_is_word(t, words[i])) return false;
    static const char *const of[] = {"square", "cube", "third", "quarter", "fourth", "fifth", "tenth", NULL};
    for (int i = 0; token_is_word(t + 1, "of") && of[i]; i++)
        if (token_is_word(t, of[i])) return false;
    return !is_applied(t) && !is_negation(first, t);
}

/* "Area = …", "m\angle ABC = …": a name of any kind before the first "=" of an answer. */
static struct node *parse_named(struct parser *p) {
    size_t start = p->at, equals = 0, depth = 0;
    for (size_t i = start; !token_ends(&p->tokens[i]); i++) {
        const struct token *t = &p->tokens[i];
        if (token_is(t, "{") || token_is(t, "("))
            depth++;
        else if ((token_is(t, "}") || token_is(t, ")")) && depth)
            depth--;
        bool plain = t->kind == TOKEN_LETTERS || t->kind == TOKEN_SYMBOL || token_is(t, "(") || token_is(t, ")") ||
                     token_is(t, "_") || token_is(t, "{") || token_is(t, "}") || token_is(t, "'") || token_is(t, ",") ||
                     t->kind == TOKEN_COMMAND || (t->kind == TOKEN_DIGITS && i > start);
        bool is = token_is(t, "=") || (token_is_word(t, "is") && i > start);
        if (is && !equals && !depth)
            equals = i;
        else if (!equals && (!plain || (!depth && !may_be_in_name(p->tokens + start, t))))
            return NULL;
    }
    if (!equals || equals == start) return NULL;
    struct node *name = parser_text(p, NODE_TEXT, 0, parser_cased_words(p, start, equals));
    p->at = equals + 1;
    struct node *value = name ? parse_list(p) : NULL;
    if (!value || (value->kind == NODE_RELATION && *value->text.data != '=' && *value->text.data != '~')) return NULL;
    return parser_relation(p, name, "=", value);
}

/* The first form that fits all of what is left. */
static struct node *parse_forms(struct parser *p) {
    static struct node *(*const forms[])(struct parser *) = {parse_words,        parse_choice, parse_date,
                                                             parse_function_of,  parse_list,   parse_colon,
                                                             parse_number_words, parse_named};
    size_t start = p->at;
    for (size_t i = 0; i < sizeof forms / sizeof *forms && !p->no_memory; i++) {
        p->at = start;
        p->depth = p->brackets = p->bars = 0;
        struct node *node = forms[i](p);
        if (node && token_ends(parser_token(p))) return node;
        if (p->limit) break;
    }
    return NULL;
}

/* ---- the whole answer ---------------------------------------------------------------------------------------- */

static bool has_mark(cord_text t, cord_text mark) {
    for (ptrdiff_t at; (at = text_find(t, mark)) >= 0; t = text_slice(t, (size_t)at + mark.len, t.len))
        if (at == 0 || t.data[at - 1] != '\\') return true;
    return false;
}

/* Takes `open` and `close` from around `t` where nothing between them is `close` again: "$x$ and $y$" stays. */
static bool unwrap(cord_text *t, cord_text open, cord_text close) {
    if (t->len <= open.len + close.len || !text_starts(*t, open) || !text_ends(*t, close)) return false;
    cord_text inside = text_slice(*t, open.len, t->len - close.len);
    if (inside.data[inside.len - 1] == '\\' || has_mark(inside, close)) return false;
    *t = inside;
    return true;
}

static bool unwrap_box(cord_text *t, cord_text command) {
    if (!text_starts(*t, command) || answer_closing_brace(*t, command.len - 1) != (ptrdiff_t)t->len - 1) return false;
    *t = text_slice(*t, command.len, t->len - 1);
    return true;
}

/* What only presents: mathematics marks, boxes, bold, code, quotes, tags, the mark that ends a text, the sentence's period,
 * an "=" before it all. */
static cord_text strip(cord_text t) {
    enum { MOST_LAYERS = 32 };
    static const char *const pairs[][2] = {{"$$", "$$"},
                                           {"$", "$"},
                                           {"\\(", "\\)"},
                                           {"\\[", "\\]"},
                                           {"**", "**"},
                                           {"__", "__"},
                                           {"*", "*"},
                                           {"`", "`"},
                                           {"\"", "\""},
                                           {"'", "'"},
                                           {"\xE2\x80\x9C", "\xE2\x80\x9D"}};
    size_t before = t.len + 1;
    for (int layer = 0; layer < MOST_LAYERS && t.len && t.len < before; layer++) { /* each is looked through whole */
        before = t.len;
        t = text_trim(answer_without_marks(t));
        unwrap(&t, TEXT("<answer>"), TEXT("</answer>"));
        if (t.len > 1 && text_ends(t, TEXT(".")) && !text_ends(t, TEXT(".."))) t.len--;
        if (t.len > 1 && *t.data == '=') t = text_slice(t, 1, t.len);
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
            unwrap(&t, text_of(pairs[i][0]), text_of(pairs[i][1]));
        if (!unwrap_box(&t, TEXT("\\boxed{"))) unwrap_box(&t, TEXT("\\fbox{"));
    }
    return text_trim(t);
}

/* The final period inside mathematics marks: "$5.$". */
static size_t drop_period(struct token *tokens, size_t n) {
    if (n < 2 || !token_is(&tokens[n - 1], ".") || token_is(&tokens[n - 2], ".")) return n;
    tokens[n - 1] = tokens[n];
    return n - 1;
}

struct node *parse_answer(struct arena *arena, cord_text t, unsigned reading, unsigned *readings, const char **limit) {
    static const char too_long[] = "an answer is too long to be read: only equal texts of that length are equal";
    t = strip(t);
    if (t.len > TREE_TEXT) {
        *limit = too_long;
        struct node *node = node_new(arena, NODE_TEXT, 0, 0, NULL);
        if (node) node->text = t;
        return node;
    }
    size_t n;
    struct token *tokens = lex(arena, t, &n);
    if (!tokens) return NULL;
    n = drop_period(tokens, n);
    mark_commas(tokens);
    struct parser p = {.arena = arena, .reading = reading, .plain = tokens};
    p.tokens = spell(&p, tokens, n, false);
    if (!p.tokens) return NULL;
    struct node *node = parse_forms(&p);
    if (p.no_memory) return NULL;
    *readings |= p.readings;
    if (node) return node;
    if (p.limit) *limit = p.limit;
    node = node_new(arena, NODE_TEXT, 0, 0, NULL);
    if (!node) return NULL;
    p.tokens = tokens;
    node->text = parser_cased_words(&p, 0, n);
    if (n == 1 && is_run(tokens)) { /* "xy": perhaps a product */
        struct parser product = {.arena = arena};
        product.tokens = spell(&product, tokens, n, true);
        struct node *child = product.tokens ? parse_sum(&product) : NULL;
        if (child && child->kind == NODE_MULTIPLY) node->other = child;
    }
    if (n > 2 && !p.limit) { /* "B. a hare" */
        struct parser choice = {.arena = arena, .tokens = tokens, .plain = tokens};
        node->other = read_choice(&choice, true);
        p.no_memory = choice.no_memory;
    }
    return p.no_memory ? NULL : node;
}
