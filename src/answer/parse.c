/* parse.c - the forms that an answer has besides plain mathematics: quantities with units, lists, names with "=", choices,
 * times, dates, number words, closed groups of words; and what none of them fits is text. Mathematics is
 * parse_expression.c's. It must not know values or verdicts. */
#include "answer/parse.h"
#include "answer/extract.h"
#include "answer/rules.h"

#include <stdlib.h>

/* ---- tokens -------------------------------------------------------------------------------------------------- */

static bool is_end(const struct token *t) { return t->kind == TOKEN_END; }

static bool is_word(const struct token *t, const char *word) {
    if (t->kind != TOKEN_LETTERS || t->text.len != strlen(word)) return false;
    for (size_t i = 0; i < t->text.len; i++)
        if ((t->text.data[i] | 0x20) != word[i]) return false;
    return true;
}

/* Whether mathematics touches the token, so that a run of letters in it is a product of variables: 2xy, x^2+xy. What
 * stands before an "=" is rather a name: AB = 5. */
static bool is_touched(const struct token *first, const struct token *t) {
    const struct token *before = t > first ? t - 1 : NULL;
    bool left = before && (before->kind == TOKEN_DIGITS ? !t->spaced
                           : before->kind == TOKEN_COMMAND
                               ? !token_is(before, "\\{") && !token_is(before, "\\ne")
                               : before->kind == TOKEN_SIGN && strchr("^_)+-*/|{", *before->text.data));
    return left || (t[1].kind == TOKEN_SIGN && strchr("^_(+-*/!|}", *t[1].text.data));
}

static bool is_known(cord_text word) {
    enum function function;
    int64_t value;
    bool scale;
    static const char *const others[] = {"pi", "sqrt", "cbrt", "abs", "floor", "ceil", "binom", "infinity", "inf",
                                         "oo", "no",   "per",  "the", "sq",    "of",   "for",   NULL};
    for (int i = 0; others[i]; i++)
        if (text_equal(text_of(others[i]), word)) return true;
    return function_find(word, &function) || unit_find(word) || number_word(word, &value, &scale) || is_no_unit(word);
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
    for (size_t k = 0; k < t->text.len; k++)
        if ((unsigned char)t->text.data[k] >= 0x80) return false;
    return true;
}

/* Takes runs of letters apart where they are variables side by side, or where `all` is. */
static const struct token *spell(struct arena *arena, const struct token *tokens, size_t n, bool all) {
    size_t room = TOKENS_BEHIND;
    for (size_t i = 0; i < n; i++) room += tokens[i].kind == TOKEN_LETTERS ? tokens[i].text.len : 1;
    struct token *out = arena_alloc(arena, room * sizeof *out);
    if (!out) return NULL;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        struct token t = tokens[i];
        size_t head = is_run(&t) ? head_of(t.text) : 0;
        if (head == 0 || (head == 1 && !all && !is_touched(tokens, &tokens[i]))) {
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

/* ---- units --------------------------------------------------------------------------------------------------- */

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
static int read_unit_power(struct parser *p) {
    const struct token *t = parser_token(p);
    if (is_word(t, "squared")) return p->at++, 2;
    if (is_word(t, "cubed")) return p->at++, 3;
    if (!token_is(t, "^")) return 1;
    bool braced = token_is(t + 1, "{");
    const struct token *power = t + 1 + braced;
    if (power->kind != TOKEN_DIGITS || power->text.len != 1 || (braced && !token_is(power + 1, "}"))) return 1;
    p->at += 2 + 2 * braced;
    return *power->text.data - '0';
}

static void add_measure(struct measure *m, const struct unit *unit, cord_text word, int power, bool over) {
    char small[40];
    for (size_t i = 0; i < word.len && i < sizeof small; i++)
        small[i] = (char)(word.data[i] >= 'A' && word.data[i] <= 'Z' ? word.data[i] + 32 : word.data[i]);
    cord_text low = {small, word.len < sizeof small ? word.len : sizeof small};
    if (m->name.len) buf_addf(&m->name, over ? "/" : " ");
    buf_add(&m->name, unit ? text_of(unit->name) : singular(low));
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
    if (is_word(t, "square") || is_word(t, "sq")) power = 2;
    if (is_word(t, "cubic") || is_word(t, "cu")) power = 3;
    if (power > 1) {
        p->at++;
        if (token_is(parser_token(p), ".")) p->at++;
        t = parser_token(p);
    }
    const struct unit *sign = t->kind == TOKEN_COMMAND ? unit_of_sign(t->text) : NULL;
    if (sign) {
        p->at++;
        add_measure(m, sign, t->text, 1, over);
        return true;
    }
    if (t->kind != TOKEN_LETTERS || is_no_unit(t->text)) return false;
    const struct unit *unit = unit_find(t->text);
    if (!unit && t->text.len < 2) return false;
    p->at++;
    if (parser_sees(p, ".") && unit && is_end(parser_token(p) + 1)) p->at++;
    int behind = read_unit_power(p);
    add_measure(m, unit, t->text, power * behind, over);
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
        bool slash = words > 0 && (parser_take(p, "/") || (is_word(parser_token(p), "per") && ++p->at));
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

static bool same_dimensions(const struct unit *a, const struct unit *b) {
    bool any = false;
    for (int i = 0; i < DIMENSIONS; i++) {
        if (a->power[i] != b->power[i]) return false;
        any = any || a->power[i];
    }
    return any;
}

/* A word for a number: "million", "thirds". */
static bool is_scale(const struct unit *unit) { return unit->power[SCALE] == 1; }

static struct node *multiply(struct parser *p, struct node *value, int64_t num, int64_t den) {
    struct node *factor =
        parser_node(p, NODE_DIVIDE, 0, 2, (struct node *[]){node_integer(p->arena, num), node_integer(p->arena, den)});
    return value && factor ? parser_node(p, NODE_MULTIPLY, 0, 2, (struct node *[]){value, factor}) : NULL;
}

/* "3 hours 20 minutes", "2 feet and 6 inches": as the second unit. */
static struct node *join_quantities(struct parser *p, struct node *first) {
    size_t start = p->at;
    if (is_word(parser_token(p), "and")) p->at++;
    if (parser_token(p)->kind == TOKEN_DIGITS) {
        struct node *value = parse_sum(p);
        const struct unit *unit = value ? read_unit(p) : NULL;
        if (unit && same_dimensions(unit, first->unit) && !is_scale(unit)) {
            struct unit ratio = *first->unit;
            if (unit_multiply(&ratio, unit, -1)) {
                struct node *sum[] = {multiply(p, first->child[0], ratio.num, ratio.den), value};
                return quantity(p, parser_node(p, NODE_ADD, 0, 2, sum), unit);
            }
        }
    }
    p->at = start;
    return first;
}

/* The units behind a value: "million" first where more comes. */
static struct node *parse_units(struct parser *p, struct node *value, const struct unit *currency) {
    const struct token *t = parser_token(p);
    if (is_word(t, "percent")) return p->at++, parser_node(p, NODE_PERCENT, 0, 1, &value);
    if (is_word(t, "and") && is_word(t + 1, "a") && denominator_word(t[2].text)) { /* 5 and a half */
        p->at += 3;
        struct node *part[] = {node_integer(p->arena, 1), node_integer(p->arena, denominator_word(t[2].text))};
        value = parser_node(p, NODE_ADD, 0, 2, (struct node *[]){value, parser_node(p, NODE_DIVIDE, 0, 2, part)});
        return value ? parse_units(p, value, currency) : NULL;
    }
    if (is_word(t, "squared") || is_word(t, "cubed")) {
        p->at++;
        return parser_node(p, NODE_POWER, 0, 2,
                           (struct node *[]){value, node_integer(p->arena, is_word(t, "cubed") ? 3 : 2)});
    }
    if (value->kind == NODE_DEGREE && (is_word(t, "c") || is_word(t, "f"))) { /* 20 °C */
        struct unit *unit = arena_alloc(p->arena, sizeof *unit);
        if (!unit) return NULL;
        *unit = (struct unit){.name = is_word(t, "c") ? "degree celsius" : "degree fahrenheit", .num = 1, .den = 1};
        p->at++;
        return quantity(p, value->child[0], unit);
    }
    const struct unit *scale = t->kind == TOKEN_LETTERS ? unit_find(t->text) : NULL;
    if (scale && is_scale(scale)) {
        p->at++;
        const struct unit *more = currency ? currency : read_unit(p);
        if (!more) return quantity(p, value, scale);
        if (currency && !is_end(parser_token(p))) read_unit(p);
        return quantity(p, multiply(p, value, scale->num, scale->den), more);
    }
    const struct unit *unit = read_unit(p);
    if (currency) { /* "$18 dollars", "$5 per hour" */
        if (!unit) return quantity(p, value, currency);
        if (!strcmp(unit->name, currency->name)) return quantity(p, value, currency);
        struct unit *both = arena_alloc(p->arena, sizeof *both);
        if (!both) return NULL;
        *both = *currency;
        memset(both->power, 0, sizeof both->power);
        both->num = both->den = 1;
        both->name = arena_printf(p->arena, "%s %s", currency->name, unit->name);
        return both->name ? quantity(p, value, both) : NULL;
    }
    if (!unit) return value;
    struct node *node = quantity(p, value, unit);
    return node ? join_quantities(p, node) : NULL;
}

/* A value with a currency before it or a unit behind it, or a relation. */
static struct node *parse_item(struct parser *p) {
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

/* ---- lists --------------------------------------------------------------------------------------------------- */

enum separator { NO_SEPARATOR, COMMA, AND, OR };

static enum separator take_separator(struct parser *p) {
    bool comma = parser_take(p, ",") || parser_take(p, ";");
    if (parser_take(p, "\\vee") || (is_word(parser_token(p), "or") && ++p->at)) return OR;
    if (parser_take(p, "\\wedge") || parser_take(p, "&") || (is_word(parser_token(p), "and") && ++p->at)) return AND;
    return comma ? COMMA : NO_SEPARATOR;
}

static bool is_equation_of(const struct node *node, const struct node *name) {
    return node->kind == NODE_RELATION && node->n == 2 && *node->text.data == '=' &&
           (!name || node_same(node->child[0], name));
}

/* Alternatives: "x = 1 or x = 2", "x = 1, 2", "x < 2 or x > 5"; all at once: "x > 2 and x < 5", "x = 1, y = 2". */
static struct node *join_relations(struct parser *p, const struct nodes *items, bool or) {
    const struct node *name = is_equation_of(items->item[0], NULL) ? items->item[0]->child[0] : NULL;
    bool one_name = name != NULL, relations = true;
    for (size_t i = 0; i < items->n; i++) {
        bool relation = items->item[i]->kind == NODE_RELATION;
        one_name = one_name && (!relation || is_equation_of(items->item[i], name));
        relations = relations && relation;
    }
    if (one_name && name->kind == NODE_SYMBOL) { /* "x = 1, 2" is x = 1 or x = 2 */
        struct nodes values = {0};
        for (size_t i = 0; i < items->n; i++) {
            struct node *item = items->item[i];
            if (!parser_collect(p, &values, item->kind == NODE_RELATION ? item->child[1] : item)) return NULL;
        }
        struct node *list = parser_node(p, NODE_LIST, 0, values.n, values.item);
        struct node *relation = parser_node(p, NODE_RELATION, 0, 2, (struct node *[]){items->item[0]->child[0], list});
        if (relation) relation->text = TEXT("=");
        return relation;
    }
    if (relations) return parser_node(p, or ? NODE_UNION : NODE_BOTH, 0, items->n, items->item);
    return NULL;
}

/* The number that a list of digits alone may be after all: "3,5" a decimal, "1, 200" or "1234,567" one with thousands,
 * "1.234,56" one as much of Europe writes it; NULL where it can be no number. */
static struct node *number_of_list(struct parser *p) {
    const struct token *t = parser_token(p);
    bool minus = token_is(t, "-"), thousands = true, close = true, points = false;
    size_t commas = 0;
    struct buf digits;
    buf_init(&digits, "a list's digits", TREE_TEXT);
    for (t += minus; t->kind == TOKEN_DIGITS; t++) {
        buf_add(&digits, t->text);
        thousands = thousands && (digits.len == t->text.len || t->text.len == 3);
        close = close && (digits.len == t->text.len || !t->spaced);
        t++;
        points = points || (token_is(t, ".") && !commas);
        if (!token_is(t, ",") && (!token_is(t, ".") || commas)) break;
        commas += token_is(t, ",");
        close = close && !t->spaced;
    }
    bool decimal = commas == 1 && close && (points || !thousands);
    struct node *number = NULL;
    if (is_end(t) && commas > 0 && (decimal || (thousands && !points))) {
        number = parser_text(p, NODE_NUMBER, 0, arena_text(p->arena, buf_text(&digits)));
        if (number && decimal) number->exponent = -(int)t[-1].text.len;
        if (number && minus) number = parser_node(p, NODE_NEGATE, 0, 1, &number);
    }
    buf_release(&digits);
    return number;
}

static struct node *parse_list(struct parser *p) {
    const struct token *t = parser_token(p); /* "0,500" is neither a list nor a number that is sure */
    if (token_is(t, "0") && token_is(t + 1, ",") && t[2].kind == TOKEN_DIGITS && t[2].text.len == 3 && !t[2].spaced)
        return NULL;
    struct nodes items = {0};
    bool ands = false, ors = false, relations = false;
    struct node *number = number_of_list(p);
    enum separator separator;
    do {
        struct node *item = parse_item(p);
        if (!parser_collect(p, &items, item)) return NULL;
        relations = relations || item->kind == NODE_RELATION;
        separator = take_separator(p);
        ands = ands || separator == AND;
        ors = ors || separator == OR;
    } while (separator);
    if (!is_end(parser_token(p))) return NULL;
    if (items.n == 1) return items.item[0];
    if (relations) return ands && ors ? NULL : join_relations(p, &items, ors);
    bool choices = true; /* "A, C" */
    for (size_t i = 0; i < items.n; i++) {
        const struct node *item = items.item[i];
        choices = choices && item->kind == NODE_SYMBOL && item->text.len == 1 && *item->text.data >= 'A' &&
                  *item->text.data <= 'J';
    }
    for (size_t i = 0; choices && i < items.n; i++) items.item[i] = parser_text(p, NODE_CHOICE, 0, items.item[i]->text);
    struct node *list = parser_node(p, NODE_LIST, 0, items.n, items.item);
    if (list) list->other = number;
    return list;
}

/* ---- other forms --------------------------------------------------------------------------------------------- */

/* "am", "p.m.", "PM": "am", "pm" or "" where neither stands here. */
static cord_text take_half_day(struct parser *p) {
    const struct token *t = parser_token(p);
    bool dotted = (is_word(t, "a") || is_word(t, "p")) && token_is(t + 1, ".") && is_word(t + 2, "m");
    if (dotted) {
        p->at += 3;
        parser_take(p, ".");
        return is_word(t, "a") ? TEXT("am") : TEXT("pm");
    }
    if (is_word(t, "am")) return p->at++, TEXT("am");
    if (is_word(t, "pm")) return p->at++, TEXT("pm");
    return TEXT("");
}

/* Digits of a time, which may begin with noughts. */
static struct node *parse_clock(struct parser *p) {
    const struct token *t = parser_token(p);
    if (t->kind != TOKEN_DIGITS || t->text.len > 2) return NULL;
    p->at++;
    return parser_text(p, NODE_NUMBER, 0, t->text);
}

/* 3:30, 3:30 pm, 3 pm, 15:30:00; 2:3, 1:2:3, 2:\sqrt{3}. */
static struct node *parse_colon(struct parser *p) {
    size_t start = p->at;
    struct nodes parts = {0};
    do {
        if (!parser_collect(p, &parts, parse_clock(p))) break;
    } while (parser_take(p, ":"));
    cord_text half = parts.n ? take_half_day(p) : TEXT("");
    if (!is_end(parser_token(p)) || (parts.n == 1 && !half.len) || parts.n == 0) {
        p->at = start;
        parts = (struct nodes){0};
        do {
            struct node *part = parse_sum(p);
            if (!part || !node_is_expression(part) || !parser_collect(p, &parts, part)) return NULL;
        } while (parser_take(p, ":"));
        half = TEXT("");
    }
    if (!is_end(parser_token(p)) || (parts.n == 1 && !half.len)) return NULL;
    struct node *node = parser_node(p, NODE_COLON, 0, parts.n, parts.item);
    if (node) node->text = half;
    return node;
}

static int digits_value(const struct token *t) {
    return t->kind == TOKEN_DIGITS && t->text.len <= 4 ? atoi(t->text.data) : -1;
}

/* 3/5/2020 is a date of two readings: it stays a text. */
static bool is_slashed(const struct token *t) {
    return t[0].kind == TOKEN_DIGITS && token_is(t + 1, "/") && t[2].kind == TOKEN_DIGITS && token_is(t + 3, "/") &&
           t[4].kind == TOKEN_DIGITS && t[4].text.len % 2 == 0 && t[4].text.len <= 4 && is_end(t + 5);
}

/* "March 5, 2020", "5 March 2020", "2020-03-05", "March 5". */
static struct node *parse_date(struct parser *p) {
    const struct token *t = parser_token(p);
    if (is_slashed(t)) {
        p->at += 5;
        return parser_text(p, NODE_TEXT, 0, parser_words(p, p->at - 5, p->at));
    }
    int year = -1, month = 0, day = -1;
    size_t n;
    if (t->kind == TOKEN_DIGITS && t->text.len == 4 && token_is(t + 1, "-") && t[2].text.len == 2 &&
        token_is(t + 3, "-") && t[4].text.len == 2) {
        year = digits_value(t), month = digits_value(t + 2), day = digits_value(t + 4), n = 5;
    } else if (t->kind == TOKEN_LETTERS && month_find(t->text) && t[1].kind == TOKEN_DIGITS) {
        month = month_find(t->text), day = digits_value(t + 1), n = 2;
    } else if (t->kind == TOKEN_DIGITS && t[1].kind == TOKEN_LETTERS && t[1].spaced && month_find(t[1].text)) {
        month = month_find(t[1].text), day = digits_value(t), n = 2;
    } else {
        return NULL;
    }
    if (n == 2) {
        bool ordinal = is_word(t + n, "st") || is_word(t + n, "nd") || is_word(t + n, "rd") || is_word(t + n, "th");
        n += ordinal && !t[n].spaced;
        if (token_is(t + n, ",")) n++;
        if (t[n].kind == TOKEN_DIGITS && t[n].text.len == 4) year = digits_value(t + n++);
    }
    if (!is_end(t + n) || month < 1 || month > 12 || day < 1 || day > 31) return NULL;
    char *text = year < 0 ? arena_printf(p->arena, "%02d-%02d", month, day)
                          : arena_printf(p->arena, "%04d-%02d-%02d", year, month, day);
    if (!text) return p->no_memory = true, NULL;
    p->at += n;
    return parser_text(p, NODE_DATE, 0, text_of(text));
}

/* "seven", "twenty-one", "two hundred and five", "one half", "three quarters", "2 thirds". */
static struct node *parse_number_words(struct parser *p) {
    int64_t total = 0, part = 0, value, below = INT64_MAX;
    bool any = false, scale, minus = is_word(parser_token(p), "negative") || is_word(parser_token(p), "minus");
    p->at += minus;
    if (is_word(parser_token(p), "a") && denominator_word(parser_token(p)[1].text)) part = 1, any = true, p->at++;
    for (; !is_end(parser_token(p)); p->at++) {
        const struct token *t = parser_token(p);
        if (any && (parser_sees(p, "-") || is_word(t, "and"))) continue;
        if (any && denominator_word(t->text)) break;
        if (is_word(t, "half") && !any) break;
        if (t->kind != TOKEN_LETTERS || !number_word(t->text, &value, &scale)) return NULL;
        if (scale && value == 100) {
            if (part > 99) return NULL;
            part = (part ? part : 1) * 100, below = 100;
        } else if (scale) {
            if (total && total % (value * 1000)) return NULL;
            total += (part ? part : 1) * value, part = 0, below = INT64_MAX;
        } else {
            if (value >= below || (value >= 10 && below <= 20)) return NULL; /* "two three" is no number */
            part += value, below = value < 20 ? 0 : 10;
        }
        any = true;
    }
    if (is_word(parser_token(p), "half") && !any) part = 1, any = true;
    if (!any) return NULL;
    struct node *node = node_integer(p->arena, total + part);
    int64_t denominator = denominator_word(parser_token(p)->text);
    if (node && denominator) {
        p->at++;
        node = parser_node(p, NODE_DIVIDE, 0, 2, (struct node *[]){node, node_integer(p->arena, denominator)});
    }
    if (node && minus) node = parser_node(p, NODE_NEGATE, 0, 1, &node);
    return is_end(parser_token(p)) ? node : NULL;
}

static struct node *parse_forms(struct parser *p);

/* "B", "(B)", "B.", "option B", "(B) 5", "B: 5". Small letters only in brackets and alone. */
static struct node *parse_choice(struct parser *p) {
    if (is_word(parser_token(p), "option") || is_word(parser_token(p), "choice")) p->at++;
    bool open = parser_take(p, "(") || parser_take(p, "[");
    const struct token *letter = parser_token(p);
    if (letter->kind != TOKEN_LETTERS || letter->text.len != 1) return NULL;
    char c = *letter->text.data, capital = (char)(c & ~0x20);
    if (capital < 'A' || capital > 'J') return NULL;
    p->at++;
    bool close = parser_take(p, ")") || parser_take(p, "]");
    bool marked = close || parser_take(p, ".") || parser_take(p, ":");
    bool alone = is_end(parser_token(p));
    if ((open && !close) || (close && !open && !alone && !parser_token(p)->spaced)) return NULL;
    if (c != capital && (!open || !alone)) return NULL;
    if (!alone && (!marked || !parser_token(p)->spaced)) return NULL;
    cord_text name = arena_text(p->arena, (cord_text){&capital, 1});
    struct node *node = name.data ? parser_text(p, NODE_CHOICE, 0, name) : NULL;
    if (!node || alone) return node;
    struct node *content = parse_forms(p);
    struct node *full = content ? parser_node(p, NODE_CHOICE, 0, 1, &content) : NULL;
    if (full) full->text = name;
    return full;
}

/* "f(x) = …": a letter and letters in brackets before an "=". */
static struct node *parse_function_of(struct parser *p) {
    size_t start = p->at, at = start;
    const struct token *t = p->tokens;
    if (t[at].kind != TOKEN_LETTERS || t[at].text.len > 1) return NULL;
    for (at++; token_is(&t[at], "'"); at++) {}
    if (!token_is(&t[at++], "(")) return NULL;
    while (t[at].kind == TOKEN_LETTERS && token_is(&t[at + 1], ",")) at += 2;
    if (t[at].kind != TOKEN_LETTERS || !token_is(&t[at + 1], ")") || !token_is(&t[at + 2], "=")) return NULL;
    p->at = at + 3;
    struct node *name = parser_text(p, NODE_TEXT, 0, parser_words(p, start, at + 2));
    struct node *value = name ? parse_list(p) : NULL;
    struct node *relation = value ? parser_node(p, NODE_RELATION, 0, 2, (struct node *[]){name, value}) : NULL;
    if (relation) relation->text = TEXT("=");
    return relation;
}

/* "Area = …", "m\angle ABC = …": a name of any kind before the only "=" of an answer. */
static struct node *parse_named(struct parser *p) {
    size_t start = p->at, equals = 0, depth = 0;
    for (size_t i = start; !is_end(&p->tokens[i]); i++) {
        const struct token *t = &p->tokens[i];
        if (token_is(t, "{") || token_is(t, "("))
            depth++;
        else if ((token_is(t, "}") || token_is(t, ")")) && depth)
            depth--;
        bool plain = t->kind == TOKEN_LETTERS || t->kind == TOKEN_SYMBOL || token_is(t, "(") || token_is(t, ")") ||
                     token_is(t, "_") || token_is(t, "{") || token_is(t, "}") || token_is(t, "'") || token_is(t, ",") ||
                     t->kind == TOKEN_COMMAND || (t->kind == TOKEN_DIGITS && i > start);
        bool is = token_is(t, "=") || (is_word(t, "is") && i > start);
        if (is && !equals && !depth)
            equals = i;
        else if (is && !is_word(t, "is"))
            return NULL;
        else if (!equals && !plain)
            return NULL;
    }
    if (!equals || equals == start) return NULL;
    struct node *name = parser_text(p, NODE_TEXT, 0, parser_words(p, start, equals));
    p->at = equals + 1;
    struct node *value = name ? parse_list(p) : NULL;
    if (!value || value->kind == NODE_RELATION) return NULL;
    struct node *relation = parser_node(p, NODE_RELATION, 0, 2, (struct node *[]){name, value});
    if (relation) relation->text = TEXT("=");
    return relation;
}

static struct node *parse_words(struct parser *p) {
    size_t start = p->at, end = start;
    while (!is_end(&p->tokens[end])) end++;
    cord_text words = parser_words(p, start, end);
    enum word_group group;
    const char *normal;
    static const char *const reals[] = {"all real numbers", "all reals", "the real numbers", "all real numbers x",
                                        NULL};
    for (int i = 0; reals[i]; i++) {
        if (!text_equal(words, text_of(reals[i]))) continue;
        struct parser line = *p;
        struct token real[1 + TOKENS_BEHIND] = {
            {.kind = TOKEN_COMMAND, .text = TEXT("\\mathbb{R}")}}; /* and TOKEN_ENDs */
        line.tokens = real;
        line.at = 0;
        p->at = end;
        return parse_sum(&line);
    }
    if (!word_find(words, &group, &normal)) return NULL;
    p->at = end;
    if (group == GROUP_NONE) return parser_node(p, NODE_SET, 0, 0, NULL);
    return parser_text(p, NODE_WORD, (int)group, text_of(normal));
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
        if (node && is_end(parser_token(p))) return node;
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

/* What only presents: mathematics marks, boxes, bold, code, quotes, the sentence's period, an "=" before it all. */
static cord_text strip(cord_text t) {
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
    for (size_t before = t.len + 1; t.len && t.len < before;) {
        before = t.len;
        t = text_trim(t);
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
    struct parser p = {.arena = arena, .tokens = spell(arena, tokens, n, false), .reading = reading};
    if (!p.tokens) return NULL;
    struct node *node = parse_forms(&p);
    if (p.no_memory) return NULL;
    *readings |= p.readings;
    if (node) return node;
    if (p.limit) *limit = p.limit;
    node = node_new(arena, NODE_TEXT, 0, 0, NULL);
    if (!node) return NULL;
    p.tokens = tokens;
    node->text = parser_words(&p, 0, n);
    if (n == 1 && is_run(tokens)) { /* "xy": perhaps a product */
        struct parser product = {.arena = arena, .tokens = spell(arena, tokens, n, true)};
        struct node *child = product.tokens ? parse_sum(&product) : NULL;
        if (child && child->kind == NODE_MULTIPLY) node->other = child;
    }
    return p.no_memory ? NULL : node;
}
