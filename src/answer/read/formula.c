/* formula.c - the precedence parser: powers, products, sums, unions, relations. It must not know values or verdicts. */
#include "answer/read/parser.h"
#include "answer/read/rules.h"

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
    if (token_is_digits(t, 0) && token_is(t + 1, "'")) {
        struct node *minutes = parse_decimal(p);
        p->at++;
        degrees = minutes ? parser_two(p, NODE_ADD, degrees, parser_two(p, NODE_DIVIDE, minutes, parser_integer(p, 60)))
                          : NULL;
    }
    return degrees ? parser_one(p, NODE_DEGREE, degrees) : NULL;
}

static struct node *parse_exponent(struct parser *p, struct node *base) {
    struct node *exponent = parse_signed_argument(p);
    if (exponent && parser_sees(p, "^")) { /* to the right first: 2^3^4 */
        p->at++;
        if (!parser_enter(p)) return NULL;
        exponent = parse_exponent(p, exponent);
        p->depth--;
    }
    bool bare = exponent && !token_is(parser_token(p) - 1, "}") && exponent->kind == NODE_NUMBER &&
                text_equal(exponent->text, TEXT("1"));
    const struct token *t = parser_token(p);
    if (bare && token_is(t, "/") && token_is_digits(t + 1, 0)) { /* x^1/2 */
        p->readings |= READING_SLASH;
        if (p->reading & READING_SLASH) {
            p->at++;
            exponent = parser_two(p, NODE_DIVIDE, exponent, parse_decimal(p));
        }
    }
    return exponent ? parser_two(p, NODE_POWER, base, exponent) : NULL;
}

struct node *parse_power(struct parser *p) {
    struct node *base = parse_primary(p);
    while (base) {
        if (parser_sees(p, "!") && !token_is(parser_token(p) + 1, "!")) {
            p->at++;
            base = parser_one(p, NODE_FACTORIAL, base);
        } else if (parser_take(p, "%")) {
            base = parser_one(p, NODE_PERCENT, base);
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
    return token_is_digits(t + 1 + braced, 1) ? t + 2 + 2 * braced : t;
}

/* A letter that may be a unit, and nothing but units behind it: "5 m", "25 m/s", "2 h 15 min". Whether it is to be left for them. */
static bool leaves_unit(struct parser *p) {
    if (p->brackets || p->depth > 1) return false;
    for (const struct token *t = parser_token(p);; t++) {
        const struct unit *unit = t->kind == TOKEN_LETTERS ? unit_find(t->text) : NULL;
        if (!unit || (t->text.len == 1 && !unit->letter)) return false;
        t = behind_power(t + 1);
        if (t->kind == TOKEN_END) break;
        if (!token_is(t, "/") && !(token_is_digits(t, 0) && t->spaced)) return false;
    }
    p->readings |= READING_UNIT;
    return p->reading & READING_UNIT;
}

/* 20^\circ C */
static bool is_celsius(const struct token *t, const struct node *before) {
    return before->kind == NODE_DEGREE && (token_is_name(t, "C") || token_is_name(t, "F")) && t[1].kind == TOKEN_END;
}

/* Factors side by side: 2\pi r. */
static struct node *parse_implied(struct parser *p, struct node *first) {
    struct nodes factors = {0};
    if (!parser_collect(p, &factors, first)) return NULL;
    while (node_is_expression(factors.item[factors.n - 1]) && parse_starts_factor(p) && !leaves_unit(p) &&
           !is_celsius(parser_token(p), factors.item[factors.n - 1])) {
        const struct node *before = factors.item[factors.n - 1];
        struct node *factor = parse_power(p);
        bool call = before->kind == NODE_SYMBOL && *before->text.data >= 'A' && *before->text.data <= 'Z' && factor &&
                    factor->kind == NODE_TUPLE;
        if (call || !parser_collect(p, &factors, factor)) return NULL; /* C(10, 3): a point, a binomial, … */
    }
    return parser_gather(p, NODE_MULTIPLY, &factors);
}

static struct node *parse_signed(struct parser *p) {
    if (parser_take(p, "+")) return parse_power(p);
    if (!parser_take(p, "-")) return parse_power(p);
    struct node *value = parse_power(p);
    return value ? parser_one(p, NODE_NEGATE, value) : NULL;
}

/* Behind a slash: one factor, and what is implied to be multiplied with it has two readings. */
static struct node *parse_divisor(struct parser *p, struct node *dividend) {
    struct node *divisor = parse_signed(p);
    if (!divisor) return NULL;
    if (divisor->kind == NODE_PERCENT && dividend->kind == NODE_NUMBER) /* 1/2% is half a percent */
        return parser_one(p, NODE_PERCENT, parser_two(p, NODE_DIVIDE, dividend, divisor->child[0]));
    if (!parse_starts_factor(p) || !node_is_expression(divisor)) return parser_two(p, NODE_DIVIDE, dividend, divisor);
    p->readings |= READING_SLASH;
    if (!(p->reading & READING_SLASH)) {
        struct node *quotient = parser_two(p, NODE_DIVIDE, dividend, divisor);
        return quotient ? parse_implied(p, quotient) : NULL;
    }
    divisor = parse_implied(p, divisor);
    if (divisor && is_derivative(dividend, divisor)) return NULL;
    return divisor ? parser_two(p, NODE_DIVIDE, dividend, divisor) : NULL;
}

/* A division comes here; "km/h" is none. */
static bool divides(const struct parser *p) {
    if (!parser_sees(p, "/") && !parser_sees(p, "\\div")) return false;
    if (parser_token(p)[1].kind != TOKEN_LETTERS) return true;
    return parser_sees(p, "/") && parse_starts_factor(&(struct parser){.tokens = p->tokens + 1, .at = p->at});
}

static struct node *parse_product(struct parser *p) {
    struct node *product = parse_power(p);
    if (product) product = parse_implied(p, product);
    while (product) {
        if (parser_take(p, "\\cdot") || parser_take(p, "\\times") || parser_take(p, "*")) {
            struct node *factor = parse_signed(p);
            if (factor) factor = parse_implied(p, factor);
            product = parser_two(p, NODE_MULTIPLY, product, factor);
        } else if (divides(p)) {
            p->at++;
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
    return minus && term ? parser_one(p, NODE_NEGATE, term) : term;
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
    if (!parser_enter(p)) return NULL;
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
                terms.item[0] = parser_two(p, NODE_WITHOUT, left, right), good = terms.item[0] != NULL;
            else
                good = right && parser_collect(p, &terms, parser_one(p, NODE_NEGATE, right));
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
        if (parser_take(p, "\\cup") || (token_is_name(parser_token(p), "U") && ++p->at))
            kind = NODE_UNION;
        else if (parser_take(p, "\\cap"))
            kind = NODE_BOTH;
        else if (parser_take(p, "\\setminus"))
            kind = NODE_WITHOUT;
        else
            break;
        left = parser_two(p, kind, left, parse_sum(p));
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
