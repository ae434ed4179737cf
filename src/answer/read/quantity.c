/* quantity.c - values with units: "5 cm", "$3", "2.5 million", "3 hours 20 minutes". It must not know lists or verdicts. */
#include "answer/read/parser.h"
#include "answer/read/rules.h"

/* "eggs" and "egg" are one thing. */
static cord_text singular(cord_text word) {
    if (word.len > 4 && text_ends(word, TEXT("ies"))) return word;
    bool plural =
        word.len > 3 && text_ends(word, TEXT("s")) && !text_ends(word, TEXT("ss")) && !text_ends(word, TEXT("us"));
    return plural ? text_slice(word, 0, word.len - 1) : word;
}

/* A unit while it is being read. */
struct measure {
    struct unit unit;
    struct buf name;
    bool known;
};

/* "^2", "squared", "²" behind a unit's word: the power, or 1. */
static int read_unit_power(struct parser *p, const struct unit *unit) {
    const struct token *t = parser_token(p);
    if (token_is_word(t, "squared")) return p->at++, 2;
    if (token_is_word(t, "cubed")) return p->at++, 3;
    bool close = token_is_digits(t, 1) && !t->spaced && (*t->text.data == '2' || *t->text.data == '3'); /* cm2 */
    if (close && unit) return p->at++, *t->text.data - '0';
    if (!token_is(t, "^")) return 1;
    bool braced = token_is(t + 1, "{");
    const struct token *power = t + 1 + braced;
    if (power->kind != TOKEN_DIGITS || power->text.len != 1 || (braced && !token_is(power + 1, "}"))) return 1;
    p->at += 2 + 2 * braced;
    return *power->text.data - '0';
}

static void add_measure(struct measure *m, const struct unit *unit, const struct token *t, int power, bool over) {
    char small[40];
    cord_text word = t->text;
    for (size_t i = 0; i < word.len && i < sizeof small; i++)
        small[i] = (char)(word.data[i] >= 'A' && word.data[i] <= 'Z' ? word.data[i] + 32 : word.data[i]);
    cord_text low = {small, word.len < sizeof small ? word.len : sizeof small};
    if (m->name.len) buf_addf(&m->name, over ? "/" : " ");
    buf_add(&m->name, unit ? text_of(unit->name) : token_has_capitals(t) ? word : singular(low)); /* mPa is not MPa */
    if (power != 1) buf_addf(&m->name, "^%d", power);
    bool convertible = false;
    for (int i = 0; unit && i < DIMENSIONS; i++) convertible = convertible || unit->power[i];
    m->known = m->known && convertible && power <= 3 && unit_multiply(&m->unit, unit, over ? -power : power);
    m->unit.sign = m->unit.sign || (unit && unit->sign);
}

/* One word of a unit, with its power; false where none is. */
static bool read_unit_word(struct parser *p, struct measure *m, bool over) {
    const struct token *t = parser_token(p);
    int power = 1;
    if (token_is_word(t, "square") || token_is_word(t, "sq")) power = 2;
    if (token_is_word(t, "cubic") || token_is_word(t, "cu")) power = 3;
    if (power > 1) {
        p->at++;
        if (token_is(parser_token(p), ".")) p->at++;
        t = parser_token(p);
    }
    const struct unit *sign = t->kind == TOKEN_COMMAND ? unit_of_sign(t->text) : NULL;
    if (sign) {
        p->at++;
        add_measure(m, sign, t, 1, over);
        return true;
    }
    if (t->kind != TOKEN_LETTERS || is_no_unit(t->text)) return false;
    const struct unit *unit = unit_find(t->text);
    if (!unit && (t->text.len < 2 || (m->name.len == 0 && is_run_of_letters(t->text)))) return false;
    p->at++;
    if (parser_sees(p, ".") && unit && token_ends(parser_token(p) + 1)) p->at++;
    int behind = read_unit_power(p, unit);
    add_measure(m, unit, t, power * behind, over);
    return true;
}

/* The unit that stands at p->at; NULL (p->at unchanged) where none does. The name of what is not known is its words. */
static const struct unit *read_unit(struct parser *p) {
    enum { MOST_WORDS = 6 };
    struct measure m = {.unit = {.num = 1, .den = 1}, .known = true};
    buf_init(&m.name, "a unit's name", 400);
    size_t start = p->at, words = 0;
    bool over = false;
    while (words < MOST_WORDS) {
        size_t before = p->at;
        bool slash = words > 0 && (parser_take(p, "/") || (token_is_word(parser_token(p), "per") && ++p->at));
        if (words > 0 && !slash) parser_take(p, "\\cdot");
        over = over || slash;
        if (!read_unit_word(p, &m, over)) {
            p->at = before;
            break;
        }
        words++;
    }
    struct unit *unit = NULL;
    if (words > 0 && m.name.status == CORD_OK && (unit = arena_alloc(p->arena, sizeof *unit))) {
        *unit = m.unit;
        if (!m.known) memset(unit->power, 0, sizeof unit->power), unit->num = unit->den = 1;
        unit->name = arena_text(p->arena, buf_text(&m.name)).data;
    }
    buf_release(&m.name);
    if (!unit || !unit->name) return p->at = start, NULL;
    return unit;
}

static struct node *quantity(struct parser *p, struct node *value, const struct unit *unit) {
    struct node *node = value ? parser_node(p, NODE_QUANTITY, 0, 1, &value) : NULL;
    if (!node) return NULL;
    node->unit = unit;
    node->text = text_of(unit->name);
    return node;
}

/* A word for a number: "million", "thirds". */
static bool is_scale(const struct unit *unit) { return unit->power[SCALE] == 1; }

static struct node *multiply(struct parser *p, struct node *value, int64_t num, int64_t den) {
    struct node *factor =
        parser_node(p, NODE_DIVIDE, 0, 2, (struct node *[]){node_integer(p->arena, num), node_integer(p->arena, den)});
    return value && factor ? parser_node(p, NODE_MULTIPLY, 0, 2, (struct node *[]){value, factor}) : NULL;
}

/* `value` and `part` more, away from nought: -5 and a half is -5.5. */
static struct node *add_part(struct parser *p, struct node *value, struct node *part) {
    bool minus = value && value->kind == NODE_NEGATE;
    struct node *sum = value && part ? parser_two(p, NODE_ADD, minus ? value->child[0] : value, part) : NULL;
    return minus && sum ? parser_one(p, NODE_NEGATE, sum) : sum;
}

/* `value` times num/den, its sign in front. */
static struct node *multiply_signed(struct parser *p, struct node *value, int64_t num, int64_t den) {
    if (value->kind != NODE_NEGATE) return multiply(p, value, num, den);
    struct node *product = multiply(p, value->child[0], num, den);
    return product ? parser_one(p, NODE_NEGATE, product) : NULL;
}

/* "3 hours 20 minutes", "2 feet and 6 inches": as the second unit. */
static struct node *join_quantities(struct parser *p, struct node *first) {
    size_t start = p->at;
    if (token_is_word(parser_token(p), "and")) p->at++;
    if (parser_token(p)->kind == TOKEN_DIGITS) {
        struct node *value = parse_sum(p);
        const struct unit *unit = value ? read_unit(p) : NULL;
        if (unit && unit_converts(unit, first->unit) && !is_scale(unit)) {
            struct unit ratio = *first->unit;
            if (unit_multiply(&ratio, unit, -1)) {
                struct node *whole = multiply_signed(p, first->child[0], ratio.num, ratio.den);
                return quantity(p, add_part(p, whole, value), unit);
            }
        }
    }
    p->at = start;
    return first;
}

/* The units behind a value: "million" first where more comes. */
struct node *parse_units(struct parser *p, struct node *value, const struct unit *currency) {
    const struct token *t = parser_token(p);
    if (token_is_word(t, "percent")) return p->at++, parser_node(p, NODE_PERCENT, 0, 1, &value);
    if (token_is_word(t, "and") && token_is_word(t + 1, "a") && denominator_word(t[2].text)) { /* 5 and a half */
        if (value->kind == NODE_ADD) return NULL; /* 10 - 5 and a half: of which of them? */
        p->at += 3;
        struct node *part[] = {node_integer(p->arena, 1), node_integer(p->arena, denominator_word(t[2].text))};
        value = add_part(p, value, parser_node(p, NODE_DIVIDE, 0, 2, part));
        return value ? parse_units(p, value, currency) : NULL;
    }
    if (token_is_word(t, "squared") || token_is_word(t, "cubed")) {
        p->at++;
        return parser_node(p, NODE_POWER, 0, 2,
                           (struct node *[]){value, node_integer(p->arena, token_is_word(t, "cubed") ? 3 : 2)});
    }
    if (value->kind == NODE_DEGREE && (token_is_word(t, "c") || token_is_word(t, "f"))) { /* 20 °C */
        struct unit *unit = arena_alloc(p->arena, sizeof *unit);
        if (!unit) return NULL;
        *unit =
            (struct unit){.name = token_is_word(t, "c") ? "degree celsius" : "degree fahrenheit", .num = 1, .den = 1};
        p->at++;
        return quantity(p, value->child[0], unit);
    }
    const struct unit *scale = t->kind == TOKEN_LETTERS ? unit_find(t->text) : NULL;
    if (scale && is_scale(scale)) {
        p->at++;
        const struct unit *more = currency ? currency : read_unit(p);
        if (!more) return quantity(p, value, scale);
        if (!currency && scale->den > 1 && !text_ends(t->text, TEXT("s")))
            return NULL; /* 20 fourth graders, 5 eighth notes */
        if (currency && !token_ends(parser_token(p))) read_unit(p);
        struct node *scaled = quantity(p, multiply(p, value, scale->num, scale->den), more);
        if (scaled) scaled->other = value;
        return scaled;
    }
    bool over = currency && (parser_take(p, "/") || (token_is_word(parser_token(p), "per") && ++p->at));
    const struct unit *unit = read_unit(p);
    if (over && !unit) return NULL;
    if (currency) { /* "$18 dollars", "$5 per hour" */
        if (!unit) return quantity(p, value, currency);
        if (!strcmp(unit->name, currency->name) && !over) return quantity(p, value, currency);
        struct unit *both = arena_alloc(p->arena, sizeof *both);
        if (!both) return NULL;
        *both = *currency;
        memset(both->power, 0, sizeof both->power);
        both->num = both->den = 1;
        both->name = arena_printf(p->arena, over ? "%s/%s" : "%s %s", currency->name, unit->name);
        return both->name ? quantity(p, value, both) : NULL;
    }
    if (!unit) return value;
    struct node *node = quantity(p, value, unit);
    return node ? join_quantities(p, node) : NULL;
}

/* A value with a currency before it or a unit behind it, or a relation. */
struct node *parse_item(struct parser *p) {
    size_t start = p->at;
    bool minus = parser_sees(p, "-"), sign = minus || parser_sees(p, "+");
    if (sign && parser_token(p)[1].kind == TOKEN_COMMAND && unit_of_sign(parser_token(p)[1].text)) p->at++; /* -$3 */
    const struct unit *currency = parser_token(p)->kind == TOKEN_COMMAND ? unit_of_sign(parser_token(p)->text) : NULL;
    if (currency)
        p->at++;
    else
        p->at = start;
    struct node *value = currency ? parse_sum(p) : parse_relation(p);
    if (value && currency && (value->kind == NODE_PERCENT || value->kind == NODE_DEGREE)) return NULL; /* "$50%" */
    if (value && currency && minus) value = parser_node(p, NODE_NEGATE, 0, 1, &value);
    if (!value) return NULL;
    if (value->kind == NODE_RELATION) {
        struct node *last = value->child[value->n - 1];
        if (!node_is_expression(last)) return value;
        struct node *measured = parse_units(p, last, NULL);
        if (!measured) return NULL;
        value->child[value->n - 1] = measured;
        return value;
    }
    return node_is_expression(value) ? parse_units(p, value, currency) : currency ? NULL : value;
}
