/* operand.c - what operators stand between: functions and their arguments, commands such as \sqrt, letters, and whatever
 * begins with a bracket or a digit, which others read. It must not know values or verdicts. */
#include "answer/read/parser.h"
#include "answer/read/rules.h"

/* ---- arguments ----------------------------------------------------------------------------------------------- */

struct node *parse_group(struct parser *p) {
    if (!parser_take(p, "{") || !parser_enter(p)) return NULL;
    struct node *inside = parse_sum(p);
    p->depth--;
    return inside && parser_take(p, "}") ? inside : NULL;
}

/* One digit of a run: \frac12 is a half. The token is shared, so a cut copy stands for the rest. */
static struct node *parse_digit(struct parser *p) {
    const struct token *t = parser_token(p);
    struct node *node = parser_text(p, NODE_NUMBER, 0, text_slice(t->text, 0, 1));
    p->at++;
    return node;
}

/* What a command takes: a group, or one thing. */
struct node *parse_argument(struct parser *p) {
    if (parser_sees(p, "{")) return parse_group(p);
    const struct token *t = parser_token(p);
    if (token_is_digits(t, 1)) return parse_digit(p);
    if (t->kind == TOKEN_DIGITS) return parse_decimal(p);
    return parser_enter(p) ? (p->depth--, parse_primary(p)) : NULL;
}

/* Behind a command of two arguments, \frac and \binom. */
struct node *parse_two_arguments(struct parser *p, enum node_kind kind) {
    p->at++;
    const struct token *t = parser_token(p);
    if (token_is_digits(t, 2)) { /* \frac12 */
        struct node *first = parser_text(p, NODE_NUMBER, 0, text_slice(t->text, 0, 1));
        struct node *second = parser_text(p, NODE_NUMBER, 0, text_slice(t->text, 1, 2));
        p->at++;
        return parser_two(p, kind, first, second);
    }
    if (t->kind == TOKEN_DIGITS && t->text.len > 2) return NULL; /* \frac123: nobody knows */
    struct node *first = parse_argument(p), *second = first ? parse_argument(p) : NULL;
    if (second && kind == NODE_DIVIDE && is_derivative(first, second)) return NULL;
    return parser_two(p, kind, first, second);
}

/* \sqrt23: LaTeX shows the root of 2, and a 3; who writes it may mean that of 23. Nobody writes \sqrt1 or \sqrt4. */
static struct node *parse_radicand(struct parser *p, bool latex) {
    const struct token *t = parser_token(p);
    bool two = latex && t->kind == TOKEN_DIGITS && t->text.len > 1 && strchr("235678", *t->text.data) &&
               t->text.data[1] != '0';
    if (two) p->readings |= READING_ROOT;
    return two && (p->reading & READING_ROOT) ? parse_digit(p) : parse_argument(p);
}

static struct node *parse_root(struct parser *p) {
    struct node *index = NULL;
    const struct token *command = parser_token(p);
    bool bare = parser_sees(p, "\\surd"); /* has no bar that would show where it ends */
    if (p->tokens[p->at].kind == TOKEN_COMMAND && parser_take(p, "\\cbrt")) {
        index = parser_integer(p, 3);
    } else {
        p->at++;
        if (parser_take(p, "[")) {
            index = parse_sum(p);
            if (!index || !parser_take(p, "]")) return NULL;
        } else {
            index = parser_integer(p, 2);
        }
    }
    bare = bare && !parser_sees(p, "(") && !parser_sees(p, "{");
    const struct token *digits = parser_token(p);
    struct node *radicand = parse_radicand(p, token_is(command, "\\sqrt"));
    if (radicand && digits->kind == TOKEN_DIGITS && radicand->text.len == 1 && digits->text.len > 1) {
        struct node *rest = parser_text(p, NODE_NUMBER, 0, text_slice(digits->text, 1, digits->text.len));
        return parser_two(p, NODE_MULTIPLY, parser_two(p, NODE_ROOT, radicand, index), rest);
    }
    const struct token *t = parser_token(p);
    bool variable = t->kind == TOKEN_LETTERS && t->text.len == 1 && !token_is_name(t, "i") && !token_is_name(t, "e");
    if (radicand && bare && variable && parse_starts_factor(p)) {
        p->readings |= READING_ROOT;
        if (p->reading & READING_ROOT) radicand = parser_two(p, NODE_MULTIPLY, radicand, parse_power(p));
    }
    return parser_two(p, NODE_ROOT, radicand, index);
}

/* ---- functions ----------------------------------------------------------------------------------------------- */

static bool names_function(const struct token *t, enum function *which) {
    if (t->kind != TOKEN_COMMAND && (t->kind != TOKEN_LETTERS || t->text.len < 2)) return false;
    return function_find(t->text, which);
}

/* "90 min", "30 sec": with nothing behind them they are no functions. */
static bool is_unit_here(const struct token *t) { return (t->prose || token_ends(t + 1)) && unit_find(t->text); }

/* The operands of an implied product follow: letters, roots, fractions, brackets; not numbers. */
bool parse_starts_factor(const struct parser *p) {
    static const char *const commands[] = {"\\frac",  "\\sqrt",  "\\surd",   "\\cbrt",  "\\pi",
                                           "\\binom", "\\infty", "\\lfloor", "\\lceil", NULL};
    const struct token *t = parser_token(p);
    enum function which;
    switch (t->kind) {
    case TOKEN_SYMBOL:
    case TOKEN_BEGIN: return true;
    case TOKEN_LETTERS:
        return (t->text.len == 1 && (!t->prose || !unit_find(t->text))) || token_is_name(t, "pi") ||
               token_is_name(t, "sqrt") || (names_function(t, &which) && !is_unit_here(t));
    case TOKEN_COMMAND:
        for (int i = 0; commands[i]; i++)
            if (token_is(t, commands[i])) return true;
        return is_greek(t->text) || names_function(t, &which);
    case TOKEN_DIGITS:
        if (p->at > 0 && token_is(t - 1, "!") && token_is(t + 1, "!")) return true;           /* 3!7! */
        return token_is(t + 1, "^") && t->spaced && p->at > 0 && t[-1].kind == TOKEN_LETTERS; /* i 3^{1/2} */
    case TOKEN_SIGN: return token_is(t, "(") || token_is(t, "{") || (token_is(t, "|") && !p->bars);
    default: return false;
    }
}

/* An argument without brackets: "2\pi x" of "\sin 2\pi x". Another function or a bracket ends it. */
static struct node *parse_bare_argument(struct parser *p) {
    struct nodes factors = {0};
    enum function which;
    do {
        if (!parser_collect(p, &factors, parse_power(p))) return NULL;
    } while (parse_starts_factor(p) && !parser_sees(p, "(") && !names_function(parser_token(p), &which));
    struct node *argument = parser_gather(p, NODE_MULTIPLY, &factors);
    if (!parser_sees(p, "/")) return argument;
    p->readings |= READING_SLASH;
    if (!(p->reading & READING_SLASH)) return argument;
    p->at++;
    return argument ? parser_two(p, NODE_DIVIDE, argument, parse_power(p)) : NULL;
}

static struct node *parse_arguments(struct parser *p, struct nodes *arguments) {
    bool round = parser_sees(p, "("), brace = parser_sees(p, "{");
    if (!round && !brace && !parser_sees(p, "[")) {
        if (!parser_enter(p)) return NULL;
        struct node *bare = parse_bare_argument(p);
        p->depth--;
        return parser_collect(p, arguments, bare) ? bare : NULL;
    }
    if (!parser_enter(p)) return NULL;
    p->at++;
    p->brackets += !brace;
    do {
        if (!parser_collect(p, arguments, parse_sum(p))) return NULL;
    } while (parser_take(p, ","));
    p->brackets -= !brace;
    p->depth--;
    if (!parser_take(p, round ? ")" : brace ? "}" : "]")) return NULL;
    if (brace && arguments->n == 1 && arguments->item[0]->kind == NODE_TUPLE) { /* \gcd{(4, 6)} */
        struct node *tuple = arguments->item[0];
        *arguments = (struct nodes){0};
        for (size_t i = 0; i < tuple->n; i++)
            if (!parser_collect(p, arguments, tuple->child[i])) return NULL;
    }
    if (parser_sees(p, "^") && arguments->n == 1) {
        p->readings |= READING_POWER;
        if (p->reading & READING_POWER) {
            p->at++;
            arguments->item[0] = parser_two(p, NODE_POWER, arguments->item[0], parse_argument(p));
        }
    }
    return arguments->item[0];
}

/* \sin^{-1} is the inverse, \sin^2 the square of what comes. */
static bool invert(enum function *which) {
    static const enum function inverse[][2] = {
        {FUNCTION_SIN, FUNCTION_ASIN}, {FUNCTION_COS, FUNCTION_ACOS}, {FUNCTION_TAN, FUNCTION_ATAN}};
    for (size_t i = 0; i < sizeof inverse / sizeof *inverse; i++)
        if (inverse[i][0] == *which) return *which = inverse[i][1], true;
    return false;
}

static bool is_minus_one(const struct node *node) {
    return node && node->kind == NODE_NEGATE && node_is_integer(node->child[0]) &&
           text_equal(node->child[0]->text, TEXT("1"));
}

struct node *parse_signed_argument(struct parser *p) {
    bool minus = !parser_sees(p, "{") && parser_take(p, "-");
    struct node *argument = parse_argument(p);
    return minus && argument ? parser_one(p, NODE_NEGATE, argument) : argument;
}

/* \sin 30: a whole number that is large for radians. */
static bool measures_angle(enum function which, const struct nodes *arguments) {
    return which >= FUNCTION_SIN && which <= FUNCTION_CSC && arguments->n == 1 && node_is_integer(arguments->item[0]) &&
           arguments->item[0]->text.len > 1;
}

static struct node *apply(struct parser *p, enum function which, struct node *base, bool natural,
                          struct nodes *arguments) {
    struct node *last = base;
    if (which == FUNCTION_LOG) {
        if (arguments->n != 1) return NULL;
        if (!base && natural)
            which = FUNCTION_LN;
        else if (!base)
            last = parser_integer(p, 10);
        if (which == FUNCTION_LOG && !parser_collect(p, arguments, last)) return NULL;
    } else if (base) {
        return NULL;
    }
    bool many = which == FUNCTION_GCD || which == FUNCTION_LCM || which == FUNCTION_MIN || which == FUNCTION_MAX;
    if (many ? arguments->n < 2 : arguments->n != 1 + (which == FUNCTION_LOG)) return NULL;
    return parser_node(p, NODE_FUNCTION, which, arguments->n, arguments->item);
}

static struct node *parse_function(struct parser *p, enum function which) {
    const struct token *name = parser_token(p);
    bool common = text_ends(name->text, TEXT("lg")); /* \lg is always to the base 10 */
    p->at++;
    struct node *power = NULL, *base = NULL;
    const struct token *t = parser_token(p);
    if (which == FUNCTION_LOG && name->kind == TOKEN_LETTERS && token_is_digits(t, 0) && !t->spaced &&
        token_is(t + 1, "("))
        base = parse_decimal(p); /* log2(8) */
    for (int i = 0; i < 2; i++) {
        if (!power && parser_take(p, "^") && !(power = parse_signed_argument(p))) return NULL;
        if (!base && parser_take(p, "_") && !(base = parse_argument(p))) return NULL;
    }
    if (is_minus_one(power)) {
        if (!invert(&which)) return NULL;
        power = NULL;
    }
    struct nodes arguments = {0};
    if (!parse_arguments(p, &arguments)) return NULL;
    bool natural = false;
    if (which == FUNCTION_LOG && !base && !common) {
        p->readings |= READING_LOG;
        natural = p->reading & READING_LOG;
    }
    if (measures_angle(which, &arguments)) {
        p->readings |= READING_DEGREES;
        if (p->reading & READING_DEGREES)
            arguments.item[0] = parser_node(p, NODE_DEGREE, 0, 1, (struct node *[]){arguments.item[0]});
        if (!arguments.item[0]) return NULL;
    }
    struct node *value = apply(p, which, base, natural, &arguments);
    return power && value ? parser_two(p, NODE_POWER, value, power) : value;
}

/* ---- symbols ------------------------------------------------------------------------------------------------- */

/* "_1", "_{max}", primes: what belongs to a letter's name. */
static struct node *parse_symbol(struct parser *p) {
    size_t start = p->at++;
    if (parser_sees(p, "_")) {
        p->at++;
        if (parser_take(p, "{")) {
            int depth = 1;
            for (; depth > 0 && parser_token(p)->kind != TOKEN_END; p->at++)
                depth += parser_sees(p, "{") ? 1 : parser_sees(p, "}") ? -1 : 0;
            if (depth > 0) return NULL;
        } else if (parser_token(p)->kind == TOKEN_END) {
            return NULL;
        } else {
            p->at++;
        }
    }
    while (parser_take(p, "'")) {}
    struct buf name;
    buf_init(&name, "a symbol's name", TREE_TEXT);
    for (size_t i = start; i < p->at; i++)
        if (!token_is(&p->tokens[i], "{") && !token_is(&p->tokens[i], "}")) buf_add(&name, p->tokens[i].text);
    cord_text text = arena_text(p->arena, buf_text(&name));
    buf_release(&name);
    if (!text.data) return p->no_memory = true, NULL;
    return parser_text(p, NODE_SYMBOL, 0, text);
}

static struct node *parse_letter(struct parser *p) {
    const struct token *t = parser_token(p);
    bool plain = !token_is(t + 1, "_") && !token_is(t + 1, "'");
    bool article = (token_is_name(t, "a") || token_is_name(t, "A")) && t[1].kind == TOKEN_LETTERS && t[1].spaced &&
                   t[1].text.len > 1;
    if (article && !is_no_unit(t[1].text)) return NULL;
    bool function = t->text.len == 1 && strchr("fgFG", *t->text.data) && token_is(t + 1, "(") && !t[1].spaced;
    if (function) return NULL; /* what f(2) is, nobody says */
    if (token_is_name(t, "pi")) return p->at++, parser_node(p, NODE_CONSTANT, CONSTANT_PI, 0, NULL);
    if (token_is_name(t, "e") && plain) return p->at++, parser_node(p, NODE_CONSTANT, CONSTANT_E, 0, NULL);
    if (token_is_name(t, "i") && plain) return p->at++, parser_node(p, NODE_CONSTANT, CONSTANT_I, 0, NULL);
    if (token_is_name(t, "infinity") || token_is_name(t, "inf") || token_is_name(t, "oo"))
        return p->at++, parser_node(p, NODE_CONSTANT, CONSTANT_INFINITY, 0, NULL);
    if (token_is_name(t, "sqrt") || token_is_name(t, "cbrt")) {
        bool cube = token_is_name(t, "cbrt");
        p->at++;
        struct node *radicand = parse_argument(p);
        return radicand ? parser_two(p, NODE_ROOT, radicand, parser_integer(p, cube ? 3 : 2)) : NULL;
    }
    return t->text.len == 1 ? parse_symbol(p) : NULL;
}

/* ---- primaries ----------------------------------------------------------------------------------------------- */

/* |x|, \lfloor x \rfloor and the like: from `open` to `close`. */
static struct node *parse_enclosed(struct parser *p, enum node_kind kind, const char *close) {
    if (!parser_enter(p)) return NULL;
    p->at++;
    p->bars += kind == NODE_ABS;
    struct node *inside = parse_sum(p);
    p->bars -= kind == NODE_ABS;
    p->depth--;
    return inside && parser_take(p, close) ? parser_one(p, kind, inside) : NULL;
}

static bool has_i(const struct node *node) {
    if (node->kind == NODE_CONSTANT) return node->which == CONSTANT_I;
    for (size_t i = 0; i < node->n; i++)
        if (has_i(node->child[i])) return true;
    return false;
}

/* \overline{3+4i}; with no i in it, a bar means something else. */
static struct node *parse_conjugate(struct parser *p) {
    p->at++;
    struct node *inside = parse_group(p);
    return inside && has_i(inside) ? parser_node(p, NODE_FUNCTION, FUNCTION_CONJUGATE, 1, &inside) : NULL;
}

/* abs(x), floor(x), ceil(x), binom(n, k) of plain text. */
static struct node *parse_call(struct parser *p) {
    static const struct {
        const char *name;
        enum node_kind kind;
    } calls[] = {{"abs", NODE_ABS}, {"floor", NODE_FLOOR}, {"ceil", NODE_CEILING}, {"binom", NODE_BINOMIAL}};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (!token_is_name(parser_token(p), calls[i].name) || !token_is(parser_token(p) + 1, "(")) continue;
        p->at += 1;
        struct nodes arguments = {0};
        if (!parse_arguments(p, &arguments) || arguments.n != 1 + (calls[i].kind == NODE_BINOMIAL)) return NULL;
        return parser_node(p, calls[i].kind, 0, arguments.n, arguments.item);
    }
    return NULL;
}

/* \Gamma(n), \zeta(2), \phi(n): functions that are not known here, no products. */
static bool is_greek_function(const struct token *t) {
    static const char *const names[] = {"\\Gamma", "\\zeta", "\\phi", "\\Phi", "\\psi", "\\Psi", NULL};
    for (int i = 0; names[i]; i++)
        if (token_is(t, names[i])) return token_is(t + 1, "(");
    return false;
}

struct node *parse_primary(struct parser *p) {
    if (!parser_enter(p)) return NULL;
    p->depth--;
    const struct token *t = parser_token(p);
    enum function which;
    if (t->kind == TOKEN_DIGITS || t->kind == TOKEN_LETTERS || token_is(t, "(")) {
        struct node *based = parse_based(p);
        if (based) return based;
    }
    if (t->kind == TOKEN_DIGITS || token_is(t, ".")) return parse_number(p);
    if (names_function(t, &which)) return parse_function(p, which);
    if (t->kind == TOKEN_SYMBOL) return parse_symbol(p);
    if (t->kind == TOKEN_LETTERS)
        return token_is(t + 1, "(") && t->text.len > 2 && !token_is_name(t, "sqrt") && !token_is_name(t, "cbrt")
                   ? parse_call(p)
                   : parse_letter(p);
    if (t->kind == TOKEN_BEGIN) return parse_matrix(p);
    if (token_is(t, "(") || token_is(t, "[")) return parse_bracket(p);
    if (token_is(t, "{")) return parse_braces(p);
    if (token_is(t, "\\{")) return parse_set_braces(p);
    if (token_is(t, "|")) return parse_enclosed(p, NODE_ABS, "|");
    if (t->kind != TOKEN_COMMAND) return NULL;
    if (token_is(t, "\\frac")) return parse_two_arguments(p, NODE_DIVIDE);
    if (token_is(t, "\\sqrt") || token_is(t, "\\surd") || token_is(t, "\\cbrt")) return parse_root(p);
    if (token_is(t, "\\binom")) return parse_two_arguments(p, NODE_BINOMIAL);
    if (token_is(t, "\\lfloor")) return parse_enclosed(p, NODE_FLOOR, "\\rfloor");
    if (token_is(t, "\\lceil")) return parse_enclosed(p, NODE_CEILING, "\\rceil");
    if (token_is(t, "\\overline") || token_is(t, "\\bar")) return parse_conjugate(p);
    if (token_is(t, "\\langle")) return parse_angle(p);
    if (token_is(t, "\\pi")) return p->at++, parser_node(p, NODE_CONSTANT, CONSTANT_PI, 0, NULL);
    if (token_is(t, "\\infty")) return p->at++, parser_node(p, NODE_CONSTANT, CONSTANT_INFINITY, 0, NULL);
    if (token_is(t, "\\emptyset")) return p->at++, parser_node(p, NODE_SET, 0, 0, NULL);
    if (token_is(t, "\\mathbb{R}")) {
        p->at++;
        struct node *infinity = parser_node(p, NODE_CONSTANT, CONSTANT_INFINITY, 0, NULL);
        struct node *line = infinity ? parser_two(p, NODE_TUPLE, parser_one(p, NODE_NEGATE, infinity), infinity) : NULL;
        if (line) line->text = TEXT("()");
        return line;
    }
    return is_greek(t->text) && !is_greek_function(t) ? parse_symbol(p) : NULL;
}
