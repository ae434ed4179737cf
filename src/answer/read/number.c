/* number.c - numbers as they are written: thousands, decimals, recurring digits, powers of ten, mixed numbers, numerals of
 * other bases. It must not know what stands around a number. */
#include "answer/read/parser.h"
#include "answer/read/rules.h"

/* ---- thousands ----------------------------------------------------------------------------------------------- */

/* A comma without blanks around it. */
static bool is_close_comma(const struct token *t) {
    return token_is(t, ",") && !t->spaced && !t[1].spaced && !t->joins;
}

/* Behind the group of digits at `t`, with decimals if it has some. */
static struct token *behind_group(struct token *t) {
    bool decimals = token_is(t + 1, ".") && !t[1].spaced && token_is_digits(t + 2, 0) && !t[2].spaced;
    return t + (decimals ? 3 : 1);
}

/* Commas without blanks between groups of digits, of which one is none of thousands, are all between entries: 2,5,100. */
void mark_commas(struct token *tokens) {
    for (struct token *t = tokens, *start; !token_ends(t); t = t == start ? t + 1 : t) {
        start = t;
        if (!token_is_digits(t, 0)) continue;
        bool sign = t > tokens && (token_is(t - 1, "-") || token_is(t - 1, "\\$"));
        bool fits = t->text.len <= 3 && *t->text.data != '0', noughts = false;
        fits = fits && !(t - sign > tokens && is_close_comma(t - sign - 1));
        const struct token *group = start;
        for (t = behind_group(t); is_close_comma(t) && token_is_digits(t + 1, 0); t = behind_group(t + 1)) {
            fits = fits && t - group == 1 && t[1].text.len == 3; /* decimals only behind the last group */
            noughts = noughts || (t[1].text.len == 3 && *t[1].text.data == '0'); /* 2,000,3,000 */
            group = t + 1;
        }
        fits = fits && !is_close_comma(t);
        for (struct token *comma = start; comma < t && !fits && !noughts; comma++) comma->parts = token_is(comma, ",");
    }
}

/* Whether the tokens at `at` are a separator of thousands and three digits more; *skip is how many they are. */
static bool more_thousands(const struct parser *p, size_t at, size_t *skip) {
    const struct token *t = &p->tokens[at];
    bool close = !t->spaced && !t[1].spaced, outside = !p->brackets || *t[1].text.data == '0'; /* (1,080) is no pair */
    if (token_is(t, ",") && !t->parts && token_is_digits(t + 1, 3) && (t->joins || (outside && close)))
        return *skip = 2, true;
    /* "1 080", but not "1 100/200" */
    return *skip = 1, token_is_digits(t, 3) && t->spaced && !t->prose && !token_is(t + 1, "/");
}

/* ---- numbers ------------------------------------------------------------------------------------------------- */

/* The digits of a number without its point, and how many of them stand behind it. */
static bool read_digits(struct parser *p, struct buf *digits, int *decimals) {
    const struct token *t = parser_token(p);
    *decimals = 0;
    if (t->kind == TOKEN_DIGITS) {
        bool zero = t->text.data[0] == '0';
        size_t head = t->text.len, skip;
        bool aime = p->at == 0 && head == 3 && token_ends(t + 1); /* whose answers are 000 to 999 */
        if (zero && head > 1 && !aime) return false;              /* "007" is a code, not a number */
        buf_add(digits, t->text);
        p->at++;
        while (!zero && head <= 3 && more_thousands(p, p->at, &skip)) {
            buf_add(digits, p->tokens[p->at + skip - 1].text);
            p->at += skip;
        }
    }
    t = parser_token(p);
    bool point = token_is(t, ".") && (!digits->len || !t->spaced);
    if (point && token_is_digits(t + 1, 0) && !t[1].spaced) {
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
        if (!token_is(t, marks[i]) || !token_is(t + 1, "{") || !token_is_digits(t + 2, 0) || !token_is(t + 3, "}"))
            continue;
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
    if (!token_is_digits(power, 0) || power->spaced || t[1].spaced) return false;
    if (power->text.len > 9) return parser_give_up(p), false;
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

/* 5,120 as the list 5, 120, which it may be; NULL where it has no such commas. */
static struct node *groups_apart(struct parser *p, size_t start) {
    struct nodes groups = {0};
    const struct token *t = &p->tokens[start], *end = &p->tokens[p->at];
    for (bool more = true; more && !p->brackets; t += 2) {
        more = t + 2 < end && is_close_comma(t + 1) && token_is_digits(t + 2, 3);
        cord_text digits = t->text;
        bool decimals = !more && t + 3 == end && token_is(t + 1, ".");
        if (decimals) {
            char *all =
                arena_printf(p->arena, "%.*s%.*s", (int)digits.len, digits.data, (int)t[2].text.len, t[2].text.data);
            if (!all) return p->no_memory = true, NULL;
            digits = text_of(all);
        }
        if (groups.n > 0 && *digits.data == '0') return NULL;
        struct node *group = parser_text(p, NODE_NUMBER, 0, digits);
        if (group && decimals) group->exponent = -(int)t[2].text.len;
        if (!parser_collect(p, &groups, group)) return NULL;
    }
    return groups.n > 1 ? parser_node(p, NODE_LIST, 0, groups.n, groups.item) : NULL;
}

struct node *parse_decimal(struct parser *p) {
    size_t start = p->at;
    struct buf digits;
    buf_init(&digits, "a number's digits", TREE_TEXT);
    int decimals, repeat = 0, exponent = 0;
    bool good = read_digits(p, &digits, &decimals);
    if (good) read_recurring(p, &digits, &decimals, &repeat);
    const struct token *t = parser_token(p);
    bool bracketed = decimals && token_is(t, "(") && !t->spaced && token_is_digits(t + 1, 0) && token_is(t + 2, ")");
    good = good && digits.len > 0 && !bracketed; /* 0.1(6): a product, or digits that recur, or are uncertain */
    if (good && read_exponent(p, buf_text(&digits), decimals, &exponent)) /* 1.5e3e is none */
        good = parser_token(p)->kind != TOKEN_LETTERS || parser_token(p)->spaced;
    good = good && !p->limit;
    struct node *node = good ? parser_text(p, NODE_NUMBER, 0, arena_text(p->arena, buf_text(&digits))) : NULL;
    buf_release(&digits);
    if (!node) return NULL;
    if (!node->text.data) return p->no_memory = true, NULL;
    node->exponent = exponent - decimals;
    node->repeat = repeat;
    bool plain = !repeat && !exponent && is_close_comma(&p->tokens[start + 1]);
    if (plain && p->at > start + 2) node->other = groups_apart(p, start);
    return p->no_memory || p->limit ? NULL : node;
}

/* a < b, of plain integers. */
static bool is_less(const struct node *a, const struct node *b) {
    if (a->text.len != b->text.len) return a->text.len < b->text.len;
    return memcmp(a->text.data, b->text.data, a->text.len) < 0;
}

/* The fraction of a mixed number, "1 1/2" or "1\frac12", that follows the integer `whole`; NULL where none does. */
static struct node *parse_mixed(struct parser *p, struct node *whole) {
    size_t start = p->at;
    const struct token *t = parser_token(p);
    struct node *part = NULL;
    bool dashed = token_is(t, "-") && !t->spaced && token_is_digits(t + 1, 0) && !t[1].spaced && token_is(t + 2, "/") &&
                  start == 1 && token_is_digits(t + 3, 0) && t[4].kind == TOKEN_END;
    if (dashed) {
        p->readings |= READING_MIXED;
        dashed = p->reading & READING_MIXED;
        p->at += dashed;
    }
    if (token_is(t, "\\frac")) {
        part = parse_two_arguments(p, NODE_DIVIDE);
    } else if ((dashed || (token_is_digits(t, 0) && t->spaced)) && token_is(parser_token(p) + 1, "/") &&
               token_is_digits(parser_token(p) + 2, 0)) {
        struct node *numerator = parse_decimal(p);
        parser_take(p, "/");
        struct node *denominator = parse_decimal(p);
        part = parser_two(p, NODE_DIVIDE, numerator, denominator);
    }
    bool proper = part && part->kind == NODE_DIVIDE && node_is_integer(part->child[0]) &&
                  node_is_integer(part->child[1]) && is_less(part->child[0], part->child[1]);
    if (proper) return parser_two(p, NODE_ADD, whole, part);
    bool improper =
        part && part->kind == NODE_DIVIDE && node_is_integer(part->child[0]) && node_is_integer(part->child[1]);
    if (improper && token_is(t, "\\frac")) { /* 1\frac32: a product, or a sum after all */
        p->readings |= READING_MIXED;
        if (p->reading & READING_MIXED) return parser_two(p, NODE_ADD, whole, part);
    }
    p->at = start;
    return NULL;
}

/* 1A2_{16}, 1010_2, 1010_{\text{two}}, 1010 base 2: the base, or 0. */
static int read_base(struct parser *p) {
    const struct token *t = parser_token(p);
    if (!token_is(t, "_") && !token_is_word(t, "base")) return 0;
    bool braced = token_is(t + 1, "{");
    const struct token *base = t + 1 + braced;
    int64_t value = 0;
    bool scale;
    if (token_is_digits(base, 1) || token_is_digits(base, 2))
        value =
            base->text.len == 1 ? base->text.data[0] - '0' : 10 * (base->text.data[0] - '0') + base->text.data[1] - '0';
    else if (base->kind != TOKEN_LETTERS || !number_word(base->text, &value, &scale) || scale)
        return 0;
    if (value < 2 || value > 36 || (braced && !token_is(base + 1, "}"))) return 0;
    p->at += 2 + 2 * braced;
    return (int)value;
}

/* Letters that are digits of bases above ten. */
static bool is_hex(const struct token *t) {
    for (size_t i = 0; i < t->text.len; i++) {
        char c = t->text.data[i];
        if (!(c >= 'A' && c <= 'F') && !(c >= 'a' && c <= 'f')) return false;
    }
    return t->kind == TOKEN_LETTERS;
}

/* Whether letters are a numeral rather than variables: large ones, several small ones of base 16; not a_{11}. */
static bool is_numeral(const struct parser *p, size_t from, size_t end, int base) {
    size_t letters = 0, small = 0;
    for (size_t i = from; i < end; i++) {
        cord_text t = p->tokens[i].text;
        for (size_t k = 0; k < t.len; k++) small += t.data[k] >= 'a';
        letters += t.len;
    }
    return base > 10 && (small == 0 || (base == 16 && letters > 1));
}

/* A numeral that says its base, perhaps in brackets: 1010_2, (1010)_2, FF_{16}; NULL (p->at unchanged) for all others. */
struct node *parse_based(struct parser *p) {
    size_t start = p->at;
    bool bracket = parser_take(p, "(");
    size_t from = p->at, end = from;
    bool digit = token_is_digits(&p->tokens[from], 0);
    while ((end == from || !p->tokens[end].spaced) && (token_is_digits(&p->tokens[end], 0) || is_hex(&p->tokens[end])))
        end++;
    p->at = end;
    bool good = end > from && (!bracket || parser_take(p, ")"));
    int base = good ? read_base(p) : 0;
    if (base && (digit || is_numeral(p, from, end, base)))
        return parser_text(p, NODE_BASE, base, parser_words(p, from, end));
    p->at = start;
    return NULL;
}

struct node *parse_number(struct parser *p) {
    struct node *number = parse_decimal(p);
    if (!number || !node_is_integer(number)) return number;
    struct node *mixed = parse_mixed(p, number);
    return mixed ? mixed : number;
}
