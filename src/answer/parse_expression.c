/* parse_expression.c - the precedence parser of mathematics: numbers, sums, products, powers, functions, and the brackets
 * that make tuples, sets and matrices of them. What surrounds expressions in an answer (units, words, lists) is parse.c's.
 * It must not know values or verdicts. */
#include "answer/parse.h"
#include "answer/rules.h"

#include <ctype.h>

enum { STEPS = 100000 }; /* most tokens looked at, again and again where a first try fails */

static const char too_large[] = "an answer is too large to be read";

/* ---- making nodes -------------------------------------------------------------------------------------------- */

bool parser_take(struct parser *p, const char *text) {
    if (!parser_sees(p, text)) return false;
    p->at++;
    return true;
}

static struct node *count(struct parser *p, struct node *node) {
    if (!node) p->no_memory = true;
    if (++p->nodes <= TREE_NODES) return node;
    p->limit = too_large;
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

static struct node *one(struct parser *p, enum node_kind kind, struct node *child) {
    return parser_node(p, kind, 0, 1, &child);
}

static struct node *two(struct parser *p, enum node_kind kind, struct node *a, struct node *b) {
    return parser_node(p, kind, 0, 2, (struct node *[]){a, b});
}

static struct node *integer(struct parser *p, int64_t value) { return count(p, node_integer(p->arena, value)); }

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

cord_text parser_words(struct parser *p, size_t from, size_t to) {
    struct buf words;
    buf_init(&words, "an answer's words", 4 * TREE_TEXT);
    for (size_t i = from; i < to; i++) {
        if (i > from && p->tokens[i].spaced) buf_addc(&words, ' ');
        buf_add(&words, p->tokens[i].text);
    }
    for (size_t i = 0; i < words.len; i++) words.data[i] = (char)tolower((unsigned char)words.data[i]);
    cord_text text = arena_text(p->arena, buf_text(&words));
    buf_release(&words);
    if (!text.data) p->no_memory = true, text = TEXT("");
    return text;
}

/* One level deeper; false at the limit. Each is paired with p->depth--. */
static bool enter(struct parser *p) {
    if (++p->depth <= TREE_DEPTH && ++p->steps <= STEPS) return true;
    p->limit = too_large;
    return false;
}

/* ---- numbers ------------------------------------------------------------------------------------------------- */

static bool is_digits(const struct token *t, size_t len) {
    return t->kind == TOKEN_DIGITS && (!len || t->text.len == len);
}

/* Whether the tokens at `at` are a separator of thousands and three digits more; *skip is how many they are. */
static bool more_thousands(const struct parser *p, size_t at, size_t *skip) {
    const struct token *t = &p->tokens[at];
    bool close = !t->spaced && !t[1].spaced, outside = !p->brackets || *t[1].text.data == '0'; /* (1,080) is no pair */
    if (token_is(t, ",") && is_digits(t + 1, 3) && (t->joins || (outside && close))) return *skip = 2, true;
    /* "1 080", but not "1 100/200" */
    return *skip = 1, is_digits(t, 3) && t->spaced && !t->prose && !token_is(t + 1, "/");
}

/* The digits of a number without its point, and how many of them stand behind it. */
static bool read_digits(struct parser *p, struct buf *digits, int *decimals) {
    const struct token *t = parser_token(p);
    *decimals = 0;
    if (t->kind == TOKEN_DIGITS) {
        bool zero = t->text.data[0] == '0';
        size_t head = t->text.len, skip;
        if (zero && head > 1) return false; /* "007" is a code, not a number */
        buf_add(digits, t->text);
        p->at++;
        while (!zero && head <= 3 && more_thousands(p, p->at, &skip)) {
            buf_add(digits, p->tokens[p->at + skip - 1].text);
            p->at += skip;
        }
    }
    t = parser_token(p);
    bool point = token_is(t, ".") && (!digits->len || !t->spaced);
    if (point && is_digits(t + 1, 0) && !t[1].spaced) {
        buf_add(digits, t[1].text);
        *decimals = (int)t[1].text.len;
        p->at += 2;
    } else if (point && (token_is(t + 1, "\\overline") || token_is(t + 1, "\\bar") || token_is(t + 1, "\\dot"))) {
        p->at++; /* 0.\overline{3} */
    }
    return digits->len > 0 || token_is(t, ".");
}

/* \overline{142857}, \bar{3}, \dot{3}: the digits that recur. */
static bool read_recurring(struct parser *p, struct buf *digits, int *decimals, int *repeat) {
    static const char *const marks[] = {"\\overline", "\\bar", "\\dot", NULL};
    const struct token *t = parser_token(p);
    for (int i = 0; marks[i]; i++) {
        if (!token_is(t, marks[i]) || !token_is(t + 1, "{") || !is_digits(t + 2, 0) || !token_is(t + 3, "}")) continue;
        buf_add(digits, t[2].text);
        *repeat = (int)t[2].text.len;
        *decimals += *repeat;
        p->at += 4;
        return true;
    }
    return false;
}

/* "e3", "E+05" behind digits; *exponent gets what it adds. */
static bool read_exponent(struct parser *p, cord_text digits, int decimals, int *exponent) {
    const struct token *t = parser_token(p);
    bool large = t->kind == TOKEN_LETTERS && text_equal(t->text, TEXT("E"));
    if (t->spaced || !(large || (t->kind == TOKEN_LETTERS && text_equal(t->text, TEXT("e"))))) return false;
    bool minus = token_is(t + 1, "-"), sign = minus || token_is(t + 1, "+");
    const struct token *power = t + 1 + sign;
    if (!is_digits(power, 0) || power->spaced || t[1].spaced) return false;
    if (power->text.len > 9) return p->limit = too_large, false;
    bool whole = decimals == 0 && !text_equal(digits, TEXT("1")) && digits.len == 1 && power->text.len == 1 &&
                 *power->text.data != '0';
    if (sign && !large && whole) { /* 2e-3 may be twice Euler's number, less three; 1e-3 and 2.5e-3 may not */
        p->readings |= READING_EULER;
        if (p->reading & READING_EULER) return false;
    }
    int value = 0;
    for (size_t i = 0; i < power->text.len; i++) value = 10 * value + (power->text.data[i] - '0');
    *exponent = minus ? -value : value;
    p->at += 2 + sign;
    return true;
}

static struct node *parse_decimal(struct parser *p) {
    struct buf digits;
    buf_init(&digits, "a number's digits", TREE_TEXT);
    int decimals, repeat = 0, exponent = 0;
    bool good = read_digits(p, &digits, &decimals);
    if (good) read_recurring(p, &digits, &decimals, &repeat);
    good = good && digits.len > 0;
    if (good && read_exponent(p, buf_text(&digits), decimals, &exponent)) /* 1.5e3e is none */
        good = parser_token(p)->kind != TOKEN_LETTERS || parser_token(p)->spaced;
    good = good && !p->limit;
    struct node *node = good ? parser_text(p, NODE_NUMBER, 0, arena_text(p->arena, buf_text(&digits))) : NULL;
    buf_release(&digits);
    if (!node) return NULL;
    if (!node->text.data) return p->no_memory = true, NULL;
    node->exponent = exponent - decimals;
    node->repeat = repeat;
    return node;
}

static bool is_integer(const struct node *node) {
    return node->kind == NODE_NUMBER && node->exponent == 0 && node->repeat == 0;
}

/* a < b, of plain integers. */
static bool is_less(const struct node *a, const struct node *b) {
    if (a->text.len != b->text.len) return a->text.len < b->text.len;
    return memcmp(a->text.data, b->text.data, a->text.len) < 0;
}

static struct node *parse_two_arguments(struct parser *p, enum node_kind kind);

/* The fraction of a mixed number, "1 1/2" or "1\frac12", that follows the integer `whole`; NULL where none does. */
static struct node *parse_mixed(struct parser *p, struct node *whole) {
    size_t start = p->at;
    const struct token *t = parser_token(p);
    struct node *part = NULL;
    bool dashed = token_is(t, "-") && !t->spaced && is_digits(t + 1, 0) && !t[1].spaced && token_is(t + 2, "/") &&
                  start == 1 && is_digits(t + 3, 0) && t[4].kind == TOKEN_END;
    if (dashed) {
        p->readings |= READING_MIXED;
        dashed = p->reading & READING_MIXED;
        p->at += dashed;
    }
    if (token_is(t, "\\frac")) {
        part = parse_two_arguments(p, NODE_DIVIDE);
    } else if ((dashed || (is_digits(t, 0) && t->spaced)) && token_is(parser_token(p) + 1, "/") &&
               is_digits(parser_token(p) + 2, 0)) {
        struct node *numerator = parse_decimal(p);
        parser_take(p, "/");
        struct node *denominator = parse_decimal(p);
        part = two(p, NODE_DIVIDE, numerator, denominator);
    }
    bool proper = part && part->kind == NODE_DIVIDE && is_integer(part->child[0]) && is_integer(part->child[1]) &&
                  is_less(part->child[0], part->child[1]);
    if (proper) return two(p, NODE_ADD, whole, part);
    bool improper = part && part->kind == NODE_DIVIDE && is_integer(part->child[0]) && is_integer(part->child[1]);
    if (improper && token_is(t, "\\frac")) { /* 1\frac32: a product, or a sum after all */
        p->readings |= READING_MIXED;
        if (p->reading & READING_MIXED) return two(p, NODE_ADD, whole, part);
    }
    p->at = start;
    return NULL;
}

/* 1A2_{16}, 1010_2, 1010_{\text{two}}: the base, or 0. */
static int read_base(struct parser *p) {
    const struct token *t = parser_token(p);
    if (!token_is(t, "_")) return 0;
    bool braced = token_is(t + 1, "{");
    const struct token *base = t + 1 + braced;
    int64_t value = 0;
    bool scale;
    if (is_digits(base, 1) || is_digits(base, 2))
        value =
            base->text.len == 1 ? base->text.data[0] - '0' : 10 * (base->text.data[0] - '0') + base->text.data[1] - '0';
    else if (base->kind != TOKEN_LETTERS || !number_word(base->text, &value, &scale) || scale)
        return 0;
    if (value < 2 || value > 36 || (braced && !token_is(base + 1, "}"))) return 0;
    p->at += 2 + 2 * braced;
    return (int)value;
}

/* Letters that are digits of bases above ten; small ones only behind a digit. */
static bool is_hex(const struct token *t, bool small) {
    for (size_t i = 0; i < t->text.len; i++) {
        char c = t->text.data[i];
        if (!(c >= 'A' && c <= 'F') && !(small && c >= 'a' && c <= 'f')) return false;
    }
    return t->kind == TOKEN_LETTERS;
}

/* A numeral that says its base, perhaps in brackets: 1010_2, (1010)_2, FF_{16}; NULL (p->at unchanged) for all others. */
static struct node *parse_based(struct parser *p) {
    size_t start = p->at;
    bool bracket = parser_take(p, "(");
    size_t from = p->at, end = from;
    bool digit = is_digits(&p->tokens[from], 0);
    while ((end == from || !p->tokens[end].spaced) && (is_digits(&p->tokens[end], 0) || is_hex(&p->tokens[end], digit)))
        end++;
    p->at = end;
    bool good = end > from && (!bracket || parser_take(p, ")"));
    int base = good ? read_base(p) : 0;
    if (base > 10 || (base && digit)) return parser_text(p, NODE_BASE, base, parser_words(p, from, end));
    p->at = start;
    return NULL;
}

static struct node *parse_number(struct parser *p) {
    struct node *number = parse_decimal(p);
    if (!number || !is_integer(number)) return number;
    struct node *mixed = parse_mixed(p, number);
    return mixed ? mixed : number;
}

/* ---- arguments ----------------------------------------------------------------------------------------------- */

static struct node *parse_power(struct parser *p);
static struct node *parse_primary(struct parser *p);

static struct node *parse_group(struct parser *p) {
    if (!parser_take(p, "{") || !enter(p)) return NULL;
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
static struct node *parse_argument(struct parser *p) {
    if (parser_sees(p, "{")) return parse_group(p);
    const struct token *t = parser_token(p);
    if (is_digits(t, 1)) return parse_digit(p);
    if (t->kind == TOKEN_DIGITS) return parse_decimal(p);
    return enter(p) ? (p->depth--, parse_primary(p)) : NULL;
}

/* Behind a command of two arguments, \frac and \binom. */
static struct node *parse_two_arguments(struct parser *p, enum node_kind kind) {
    p->at++;
    const struct token *t = parser_token(p);
    if (is_digits(t, 2)) { /* \frac12 */
        struct node *first = parser_text(p, NODE_NUMBER, 0, text_slice(t->text, 0, 1));
        struct node *second = parser_text(p, NODE_NUMBER, 0, text_slice(t->text, 1, 2));
        p->at++;
        return two(p, kind, first, second);
    }
    if (t->kind == TOKEN_DIGITS && t->text.len > 2) return NULL; /* \frac123: nobody knows */
    struct node *first = parse_argument(p);
    return first ? two(p, kind, first, parse_argument(p)) : NULL;
}

static struct node *parse_root(struct parser *p) {
    struct node *index = NULL;
    if (p->tokens[p->at].kind == TOKEN_COMMAND && parser_take(p, "\\cbrt")) {
        index = integer(p, 3);
    } else {
        p->at++;
        if (parser_take(p, "[")) {
            index = parse_sum(p);
            if (!index || !parser_take(p, "]")) return NULL;
        } else {
            index = integer(p, 2);
        }
    }
    struct node *radicand = parse_argument(p);
    return two(p, NODE_ROOT, radicand, index);
}

/* ---- functions ----------------------------------------------------------------------------------------------- */

static bool is_name(const struct token *t, const char *name) {
    return t->kind == TOKEN_LETTERS && text_equal(t->text, text_of(name));
}

static bool names_function(const struct token *t, enum function *which) {
    if (t->kind != TOKEN_COMMAND && (t->kind != TOKEN_LETTERS || t->text.len < 2)) return false;
    return function_find(t->text, which);
}

/* The operands of an implied product follow: letters, roots, fractions, brackets; not numbers. */
static bool starts_factor(const struct parser *p) {
    static const char *const commands[] = {"\\frac",  "\\sqrt",   "\\cbrt",  "\\pi", "\\binom",
                                           "\\infty", "\\lfloor", "\\lceil", NULL};
    const struct token *t = parser_token(p);
    enum function which;
    switch (t->kind) {
    case TOKEN_SYMBOL:
    case TOKEN_BEGIN: return true;
    case TOKEN_LETTERS:
        return (t->text.len == 1 && (!t->prose || !unit_find(t->text))) || is_name(t, "pi") || is_name(t, "sqrt") ||
               names_function(t, &which);
    case TOKEN_COMMAND:
        for (int i = 0; commands[i]; i++)
            if (token_is(t, commands[i])) return true;
        return is_greek(t->text) || names_function(t, &which);
    case TOKEN_DIGITS:
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
    } while (starts_factor(p) && !parser_sees(p, "(") && !names_function(parser_token(p), &which));
    struct node *argument = parser_gather(p, NODE_MULTIPLY, &factors);
    if (!parser_sees(p, "/")) return argument;
    p->readings |= READING_SLASH;
    if (!(p->reading & READING_SLASH)) return argument;
    p->at++;
    return argument ? two(p, NODE_DIVIDE, argument, parse_power(p)) : NULL;
}

static struct node *parse_arguments(struct parser *p, struct nodes *arguments) {
    bool round = parser_sees(p, "("), brace = parser_sees(p, "{");
    if (!round && !brace && !parser_sees(p, "[")) {
        struct node *bare = parse_bare_argument(p);
        return parser_collect(p, arguments, bare) ? bare : NULL;
    }
    if (!enter(p)) return NULL;
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
            arguments->item[0] = two(p, NODE_POWER, arguments->item[0], parse_argument(p));
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
    return node && node->kind == NODE_NEGATE && is_integer(node->child[0]) &&
           text_equal(node->child[0]->text, TEXT("1"));
}

static struct node *signed_argument(struct parser *p) {
    bool minus = !parser_sees(p, "{") && parser_take(p, "-");
    struct node *argument = parse_argument(p);
    return minus && argument ? one(p, NODE_NEGATE, argument) : argument;
}

static struct node *apply(struct parser *p, enum function which, struct node *base, bool natural,
                          struct nodes *arguments) {
    struct node *last = base;
    if (which == FUNCTION_LOG) {
        if (arguments->n != 1) return NULL;
        if (!base && natural)
            which = FUNCTION_LN;
        else if (!base)
            last = integer(p, 10);
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
    if (which == FUNCTION_LOG && name->kind == TOKEN_LETTERS && is_digits(t, 0) && !t->spaced && token_is(t + 1, "("))
        base = parse_decimal(p); /* log2(8) */
    for (int i = 0; i < 2; i++) {
        if (parser_take(p, "^") && !(power = signed_argument(p))) return NULL;
        if (parser_take(p, "_") && !(base = parse_argument(p))) return NULL;
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
    struct node *value = apply(p, which, base, natural, &arguments);
    return power && value ? two(p, NODE_POWER, value, power) : value;
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
    bool article =
        (is_name(t, "a") || is_name(t, "A")) && t[1].kind == TOKEN_LETTERS && t[1].spaced && t[1].text.len > 1;
    if (article && !is_no_unit(t[1].text)) return NULL;
    if (is_name(t, "pi")) return p->at++, parser_node(p, NODE_CONSTANT, CONSTANT_PI, 0, NULL);
    if (is_name(t, "e") && plain) return p->at++, parser_node(p, NODE_CONSTANT, CONSTANT_E, 0, NULL);
    if (is_name(t, "i") && plain) return p->at++, parser_node(p, NODE_CONSTANT, CONSTANT_I, 0, NULL);
    if (is_name(t, "infinity") || is_name(t, "inf") || is_name(t, "oo"))
        return p->at++, parser_node(p, NODE_CONSTANT, CONSTANT_INFINITY, 0, NULL);
    if (is_name(t, "sqrt") || is_name(t, "cbrt")) {
        bool cube = is_name(t, "cbrt");
        p->at++;
        struct node *radicand = parse_argument(p);
        return radicand ? two(p, NODE_ROOT, radicand, integer(p, cube ? 3 : 2)) : NULL;
    }
    return t->text.len == 1 ? parse_symbol(p) : NULL;
}

/* ---- brackets ------------------------------------------------------------------------------------------------ */

/* An entry of a tuple, list or set: an expression, something in brackets, or words. */
static struct node *parse_entry(struct parser *p) {
    size_t start = p->at;
    struct node *entry = parse_sum(p);
    static const char *const ends[] = {",", ";", ")", "]", "\\}", "}", "\\rangle", NULL};
    for (int i = 0; ends[i]; i++)
        if (entry && parser_sees(p, ends[i])) return entry;
    for (p->at = start; parser_token(p)->kind == TOKEN_LETTERS || parser_token(p)->kind == TOKEN_DIGITS;) p->at++;
    return p->at > start ? parser_text(p, NODE_TEXT, 0, parser_words(p, start, p->at)) : NULL;
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

/* (a), (a, b), [a, b): a single thing in round brackets is itself. */
static struct node *parse_bracket(struct parser *p) {
    char text[2] = {*parser_token(p)->text.data, 0};
    struct nodes entries = {0};
    if (!enter(p)) return NULL;
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
    if (tuple) tuple->text = arena_text(p->arena, (cord_text){text, 2});
    return tuple && tuple->text.data ? tuple : NULL;
}

static struct node *parse_angle(struct parser *p) {
    struct nodes entries = {0};
    p->at++;
    if (!enter(p) || !parse_entries(p, &entries) || !parser_take(p, "\\rangle")) return NULL;
    p->depth--;
    struct node *tuple = parser_node(p, NODE_TUPLE, 0, entries.n, entries.item);
    if (tuple) tuple->text = TEXT("<>");
    return tuple;
}

/* \{ x \mid x > 3 \}: what stands behind the bar. */
static struct node *parse_builder(struct parser *p) {
    size_t start = p->at;
    bool named = starts_factor(p) && !parser_sees(p, "|") && parse_primary(p);
    if (named && parser_take(p, "\\in")) named = parser_take(p, "\\mathbb{R}");
    if (named && (parser_take(p, "|") || parser_take(p, ":"))) {
        struct node *condition = parse_relation(p);
        if (condition && condition->kind == NODE_RELATION && parser_take(p, "\\}")) return condition;
    }
    p->at = start;
    return NULL;
}

static struct node *parse_set_braces(struct parser *p) {
    const char *close = parser_sees(p, "{") ? "}" : "\\}";
    p->at++;
    if (*close == '\\' && parser_take(p, close)) return parser_node(p, NODE_SET, 0, 0, NULL);
    if (!enter(p)) return NULL;
    struct nodes entries = {0};
    struct node *builder = parse_builder(p);
    if (builder) return p->depth--, builder;
    if (!parse_entries(p, &entries) || !parser_take(p, close)) return NULL;
    p->depth--;
    return parser_node(p, NODE_SET, 0, entries.n, entries.item);
}

/* A group of LaTeX, or in plain text a set: {1, 2}. */
static struct node *parse_braces(struct parser *p) {
    size_t start = p->at;
    struct node *group = parse_group(p);
    if (group) return group;
    if (p->limit) return NULL;
    p->at = start + 1;
    if (enter(p)) { /* {n \choose k}, {1 \over 2} */
        struct node *n = parse_sum(p), *k = NULL;
        bool over = n && parser_sees(p, "\\over");
        if (n && (over || parser_sees(p, "\\choose"))) p->at++, k = parse_sum(p);
        p->depth--;
        if (k) return parser_take(p, "}") ? two(p, over ? NODE_DIVIDE : NODE_BINOMIAL, n, k) : NULL;
    }
    p->at = start;
    return parse_set_braces(p);
}

static struct node *parse_matrix(struct parser *p) {
    static const char *const names[] = {"pmatrix", "bmatrix", "matrix", "smallmatrix", "array", NULL};
    cord_text name = parser_token(p)->text;
    bool known = false;
    for (int i = 0; names[i]; i++) known = known || text_equal(name, text_of(names[i]));
    p->at++;
    if (!known || !enter(p)) return NULL;
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

/* |x|, \lfloor x \rfloor and the like: from `open` to `close`. */
static struct node *parse_enclosed(struct parser *p, enum node_kind kind, const char *close) {
    if (!enter(p)) return NULL;
    p->at++;
    p->bars += kind == NODE_ABS;
    struct node *inside = parse_sum(p);
    p->bars -= kind == NODE_ABS;
    p->depth--;
    return inside && parser_take(p, close) ? one(p, kind, inside) : NULL;
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
        if (!is_name(parser_token(p), calls[i].name) || !token_is(parser_token(p) + 1, "(")) continue;
        p->at += 1;
        struct nodes arguments = {0};
        if (!parse_arguments(p, &arguments) || arguments.n != 1 + (calls[i].kind == NODE_BINOMIAL)) return NULL;
        return parser_node(p, calls[i].kind, 0, arguments.n, arguments.item);
    }
    return NULL;
}

static struct node *parse_primary(struct parser *p) {
    if (!enter(p)) return NULL;
    p->depth--;
    const struct token *t = parser_token(p);
    enum function which;
    if (t->kind == TOKEN_DIGITS || token_is(t, "(") || is_hex(t, false)) {
        struct node *based = parse_based(p);
        if (based) return based;
    }
    if (t->kind == TOKEN_DIGITS || token_is(t, ".")) return parse_number(p);
    if (names_function(t, &which)) return parse_function(p, which);
    if (t->kind == TOKEN_SYMBOL) return parse_symbol(p);
    if (t->kind == TOKEN_LETTERS)
        return token_is(t + 1, "(") && t->text.len > 2 && !is_name(t, "sqrt") && !is_name(t, "cbrt") ? parse_call(p)
                                                                                                     : parse_letter(p);
    if (t->kind == TOKEN_BEGIN) return parse_matrix(p);
    if (token_is(t, "(") || token_is(t, "[")) return parse_bracket(p);
    if (token_is(t, "{")) return parse_braces(p);
    if (token_is(t, "\\{")) return parse_set_braces(p);
    if (token_is(t, "|")) return parse_enclosed(p, NODE_ABS, "|");
    if (t->kind != TOKEN_COMMAND) return NULL;
    if (token_is(t, "\\frac")) return parse_two_arguments(p, NODE_DIVIDE);
    if (token_is(t, "\\sqrt") || token_is(t, "\\cbrt")) return parse_root(p);
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
        struct node *line = infinity ? two(p, NODE_TUPLE, one(p, NODE_NEGATE, infinity), infinity) : NULL;
        if (line) line->text = TEXT("()");
        return line;
    }
    return is_greek(t->text) ? parse_symbol(p) : NULL;
}

/* ---- powers, products, sums ---------------------------------------------------------------------------------- */

/* ^\circ, ^{\circ}, °: p->at moves behind it. */
static bool take_degree(struct parser *p) {
    const struct token *t = parser_token(p);
    size_t n = token_is(t, "\\circ")                                                                           ? 1
               : token_is(t, "^") && token_is(t + 1, "\\circ")                                                 ? 2
               : token_is(t, "^") && token_is(t + 1, "{") && token_is(t + 2, "\\circ") && token_is(t + 3, "}") ? 4
                                                                                                               : 0;
    p->at += n;
    return n > 0;
}

/* Degrees, and minutes of arc behind them: 40^\circ 30'. */
static struct node *parse_degrees(struct parser *p, struct node *degrees) {
    const struct token *t = parser_token(p);
    if (is_digits(t, 0) && token_is(t + 1, "'")) {
        struct node *minutes = parse_decimal(p);
        p->at++;
        degrees = minutes ? two(p, NODE_ADD, degrees, two(p, NODE_DIVIDE, minutes, integer(p, 60))) : NULL;
    }
    return degrees ? one(p, NODE_DEGREE, degrees) : NULL;
}

static struct node *parse_exponent(struct parser *p, struct node *base) {
    struct node *exponent = signed_argument(p);
    if (exponent && parser_sees(p, "^")) { /* to the right first: 2^3^4 */
        p->at++;
        if (!enter(p)) return NULL;
        exponent = parse_exponent(p, exponent);
        p->depth--;
    }
    bool bare = exponent && !token_is(parser_token(p) - 1, "}") && exponent->kind == NODE_NUMBER &&
                text_equal(exponent->text, TEXT("1"));
    const struct token *t = parser_token(p);
    if (bare && token_is(t, "/") && is_digits(t + 1, 0)) { /* x^1/2 */
        p->readings |= READING_SLASH;
        if (p->reading & READING_SLASH) {
            p->at++;
            exponent = two(p, NODE_DIVIDE, exponent, parse_decimal(p));
        }
    }
    return exponent ? two(p, NODE_POWER, base, exponent) : NULL;
}

static struct node *parse_power(struct parser *p) {
    struct node *base = parse_primary(p);
    while (base) {
        if (parser_sees(p, "!") && !token_is(parser_token(p) + 1, "!")) {
            p->at++;
            base = one(p, NODE_FACTORIAL, base);
        } else if (parser_take(p, "%")) {
            base = one(p, NODE_PERCENT, base);
        } else if (take_degree(p)) {
            base = parse_degrees(p, base);
        } else if (parser_take(p, "^")) {
            base = parse_exponent(p, base);
        } else {
            break;
        }
    }
    return base;
}

/* Where a unit's power ends: "^2", "^{2}", or nothing. */
static const struct token *behind_power(const struct token *t) {
    if (!token_is(t, "^")) return t;
    bool braced = token_is(t + 1, "{");
    return is_digits(t + 1 + braced, 1) ? t + 2 + 2 * braced : t;
}

/* A letter that may be a unit, and nothing but units behind it: "5 m", "25 m/s". Whether it is to be left for them. */
static bool leaves_unit(struct parser *p) {
    if (p->brackets || p->depth > 1) return false;
    for (const struct token *t = parser_token(p);; t++) {
        const struct unit *unit = t->kind == TOKEN_LETTERS ? unit_find(t->text) : NULL;
        if (!unit || (t->text.len == 1 && !unit->letter)) return false;
        t = behind_power(t + 1);
        if (t->kind == TOKEN_END) break;
        if (!token_is(t, "/")) return false;
    }
    p->readings |= READING_UNIT;
    return p->reading & READING_UNIT;
}

/* 20^\circ C */
static bool is_celsius(const struct token *t, const struct node *before) {
    return before->kind == NODE_DEGREE && (is_name(t, "C") || is_name(t, "F")) && t[1].kind == TOKEN_END;
}

/* Factors side by side: 2\pi r. */
static struct node *parse_implied(struct parser *p, struct node *first) {
    struct nodes factors = {0};
    if (!parser_collect(p, &factors, first)) return NULL;
    while (node_is_expression(factors.item[factors.n - 1]) && starts_factor(p) && !leaves_unit(p) &&
           !is_celsius(parser_token(p), factors.item[factors.n - 1]))
        if (!parser_collect(p, &factors, parse_power(p))) return NULL;
    return parser_gather(p, NODE_MULTIPLY, &factors);
}

static struct node *parse_signed(struct parser *p) {
    if (parser_take(p, "+")) return parse_power(p);
    if (!parser_take(p, "-")) return parse_power(p);
    struct node *value = parse_power(p);
    return value ? one(p, NODE_NEGATE, value) : NULL;
}

/* Behind a slash: one factor, and what is implied to be multiplied with it has two readings. */
static struct node *parse_divisor(struct parser *p, struct node *dividend) {
    struct node *divisor = parse_signed(p);
    if (!divisor) return NULL;
    if (divisor->kind == NODE_PERCENT && dividend->kind == NODE_NUMBER) /* 1/2% is half a percent */
        return one(p, NODE_PERCENT, two(p, NODE_DIVIDE, dividend, divisor->child[0]));
    if (!starts_factor(p) || !node_is_expression(divisor)) return two(p, NODE_DIVIDE, dividend, divisor);
    p->readings |= READING_SLASH;
    if (!(p->reading & READING_SLASH)) {
        struct node *quotient = two(p, NODE_DIVIDE, dividend, divisor);
        return quotient ? parse_implied(p, quotient) : NULL;
    }
    divisor = parse_implied(p, divisor);
    return divisor ? two(p, NODE_DIVIDE, dividend, divisor) : NULL;
}

static struct node *parse_product(struct parser *p) {
    struct node *product = parse_power(p);
    if (product) product = parse_implied(p, product);
    while (product) {
        if (parser_take(p, "\\cdot") || parser_take(p, "\\times") || parser_take(p, "*")) {
            struct node *factor = parse_signed(p);
            if (factor) factor = parse_implied(p, factor);
            product = two(p, NODE_MULTIPLY, product, factor);
        } else if ((parser_sees(p, "/") || parser_sees(p, "\\div")) && parser_token(p)[1].kind != TOKEN_LETTERS) {
            p->at++;
            product = parse_divisor(p, product);
        } else if (parser_sees(p, "/") && starts_factor(&(struct parser){.tokens = p->tokens + 1, .at = p->at})) {
            p->at++; /* a/b, but not "km/h" */
            product = parse_divisor(p, product);
        } else {
            break;
        }
    }
    return product;
}

static struct node *parse_term(struct parser *p) {
    if (parser_sees(p, "-") && token_is(parser_token(p) + 1, "-") && !parser_token(p)[1].spaced)
        return NULL; /* a dash */
    bool minus = parser_take(p, "-");
    if (!minus) parser_take(p, "+");
    if (minus && (parser_sees(p, "-") || parser_sees(p, "+"))) return NULL;
    struct node *term = parse_product(p);
    return minus && term ? one(p, NODE_NEGATE, term) : term;
}

static bool is_set(const struct node *node) { return node->kind == NODE_TUPLE || node->kind == NODE_SET; }

static struct node *flush_sum(struct parser *p, struct nodes *terms) {
    struct node *sum = parser_gather(p, NODE_ADD, terms);
    *terms = (struct nodes){0};
    return sum;
}

static int take_plus_minus(struct parser *p) {
    if (parser_take(p, "\\pm")) return 0;
    return parser_take(p, "\\mp") ? 1 : -1;
}

struct node *parse_sum(struct parser *p) {
    if (!enter(p)) return NULL;
    struct nodes terms = {0};
    int which = take_plus_minus(p);
    struct node *first = which < 0 ? parse_term(p) : parse_product(p);
    if (which >= 0) first = parser_node(p, NODE_PLUS_MINUS, which, 1, &first);
    bool good = parser_collect(p, &terms, first);
    while (good) {
        if ((which = take_plus_minus(p)) >= 0) {
            struct node *left = flush_sum(p, &terms), *right = parse_product(p);
            good = parser_collect(p, &terms, parser_node(p, NODE_PLUS_MINUS, which, 2, (struct node *[]){left, right}));
        } else if (parser_sees(p, "+")) {
            p->at++;
            good = parser_collect(p, &terms, parse_term(p));
        } else if (parser_sees(p, "-")) {
            p->at++;
            struct node *right = parse_term(p), *left = terms.item[terms.n - 1];
            if (right && right->kind == NODE_SET && terms.n == 1 && is_set(left)) /* R - {3} */
                terms.item[0] = two(p, NODE_WITHOUT, left, right), good = terms.item[0] != NULL;
            else
                good = right && parser_collect(p, &terms, one(p, NODE_NEGATE, right));
        } else {
            break;
        }
    }
    p->depth--;
    return good ? flush_sum(p, &terms) : NULL;
}

/* ---- sets and relations -------------------------------------------------------------------------------------- */

static struct node *parse_union(struct parser *p) {
    struct node *left = parse_sum(p);
    while (left) {
        enum node_kind kind;
        if (parser_take(p, "\\cup") || (is_name(parser_token(p), "U") && ++p->at))
            kind = NODE_UNION;
        else if (parser_take(p, "\\cap"))
            kind = NODE_BOTH;
        else if (parser_take(p, "\\setminus"))
            kind = NODE_WITHOUT;
        else
            break;
        left = two(p, kind, left, parse_sum(p));
    }
    return left;
}

static char take_relation(struct parser *p) {
    static const struct {
        const char *sign;
        char code;
    } signs[] = {{"=", '='},    {"<", '<'},    {">", '>'},        {"\\le", 'L'}, {"\\ge", 'G'},
                 {"\\ne", 'N'}, {"\\in", 'E'}, {"\\approx", '~'}, {"\\sim", '~'}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (parser_take(p, signs[i].sign)) return signs[i].code;
    return 0;
}

struct node *parse_relation(struct parser *p) {
    enum { MOST = 8 };
    struct node *side[MOST];
    char codes[MOST], code = 0;
    size_t n = 0;
    do {
        if (n == MOST || !(side[n] = parse_union(p))) return NULL;
        if (n++ && code) codes[n - 2] = code;
    } while ((code = take_relation(p)));
    if (n == 1) return side[0];
    struct node *relation = parser_node(p, NODE_RELATION, 0, n, side);
    if (!relation) return NULL;
    relation->text = arena_text(p->arena, (cord_text){codes, n - 1});
    return relation->text.data ? relation : (p->no_memory = true, NULL);
}
