/* words.c - answers in words and in the forms of everyday life: times and ratios, dates, number words, closed groups of
 * words. It must not know values or verdicts. */
#include "answer/read/parser.h"
#include "answer/read/rules.h"

/* "am", "p.m.", "PM": "am", "pm" or "" where neither stands here. */
static cord_text take_half_day(struct parser *p) {
    const struct token *t = parser_token(p);
    bool dotted = (token_is_word(t, "a") || token_is_word(t, "p")) && token_is(t + 1, ".") && token_is_word(t + 2, "m");
    if (dotted) {
        p->at += 3;
        parser_take(p, ".");
        return token_is_word(t, "a") ? TEXT("am") : TEXT("pm");
    }
    if (token_is_word(t, "am")) return p->at++, TEXT("am");
    if (token_is_word(t, "pm")) return p->at++, TEXT("pm");
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
struct node *parse_colon(struct parser *p) {
    size_t start = p->at;
    struct nodes parts = {0};
    do {
        if (!parser_collect(p, &parts, parse_clock(p))) break;
    } while (parser_take(p, ":"));
    cord_text half = parts.n ? take_half_day(p) : TEXT("");
    if (!token_ends(parser_token(p)) || (parts.n == 1 && !half.len) || parts.n == 0) {
        p->at = start;
        parts = (struct nodes){0};
        do {
            struct node *part = parse_sum(p);
            if (!part || !node_is_expression(part) || !parser_collect(p, &parts, part)) return NULL;
        } while (parser_take(p, ":"));
        half = TEXT("");
    }
    if (!token_ends(parser_token(p)) || (parts.n == 1 && !half.len)) return NULL;
    struct node *node = parser_node(p, NODE_COLON, 0, parts.n, parts.item);
    if (node) node->text = half;
    return node;
}

static int digits_value(const struct token *t) {
    if (t->kind != TOKEN_DIGITS || t->text.len > 4) return -1;
    int value = 0;
    for (size_t i = 0; i < t->text.len; i++) value = 10 * value + (t->text.data[i] - '0');
    return value;
}

/* 3/5/2020 is a date of two readings: it stays a text. */
static bool is_slashed(const struct token *t) {
    return t[0].kind == TOKEN_DIGITS && token_is(t + 1, "/") && t[2].kind == TOKEN_DIGITS && token_is(t + 3, "/") &&
           t[4].kind == TOKEN_DIGITS && t[4].text.len % 2 == 0 && t[4].text.len <= 4 && token_ends(t + 5);
}

/* "March 5, 2020", "5 March 2020", "2020-03-05", "March 5". */
struct node *parse_date(struct parser *p) {
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
        bool ordinal = token_is_word(t + n, "st") || token_is_word(t + n, "nd") || token_is_word(t + n, "rd") ||
                       token_is_word(t + n, "th");
        n += ordinal && !t[n].spaced;
        if (token_is(t + n, ",")) n++;
        if (t[n].kind == TOKEN_DIGITS && t[n].text.len == 4) year = digits_value(t + n++);
    }
    if (!token_ends(t + n) || month < 1 || month > 12 || day < 1 || day > 31) return NULL;
    char *text = year < 0 ? arena_printf(p->arena, "%02d-%02d", month, day)
                          : arena_printf(p->arena, "%04d-%02d-%02d", year, month, day);
    if (!text) return p->no_memory = true, NULL;
    p->at += n;
    return parser_text(p, NODE_DATE, 0, text_of(text));
}

/* "seven", "twenty-one", "two hundred and five", "five and a half", "negative 3", "one half", "three quarters", "2 thirds". */
struct node *parse_number_words(struct parser *p) {
    int64_t total = 0, part = 0, value, below = INT64_MAX;
    bool any = false, joined = false, scale,
         minus = token_is_word(parser_token(p), "negative") || token_is_word(parser_token(p), "minus");
    p->at += minus;
    if (minus && parser_token(p)->kind != TOKEN_LETTERS) { /* negative 3 */
        struct node *number = parse_power(p);
        struct node *negative = number && node_is_expression(number) ? parser_one(p, NODE_NEGATE, number) : NULL;
        return negative && !token_ends(parser_token(p)) ? parse_units(p, negative, NULL) : negative;
    }
    if (token_is_word(parser_token(p), "a") && denominator_word(parser_token(p)[1].text)) part = 1, any = true, p->at++;
    for (; !token_ends(parser_token(p)); p->at++) {
        const struct token *t = parser_token(p);
        bool dash = parser_sees(p, "-") && !t->spaced && !t[1].spaced; /* "twenty - one" is 19 */
        bool part_comes = token_is_word(t + 1, "a") && denominator_word(t[2].text);
        if (any && (dash || (token_is_word(t, "and") && !part_comes))) {
            joined |= !dash;
            continue;
        }
        if (any && denominator_word(t->text)) break;
        if (token_is_word(t, "half") && !any) break;
        if (t->kind != TOKEN_LETTERS || !number_word(t->text, &value, &scale)) break;
        if (scale && value == 100) {
            if (part > 99) return NULL;
            part = (part ? part : 1) * 100, below = 100;
        } else if (scale) {
            if (total && (value > INT64_MAX / 1000 || total % (value * 1000))) return NULL;
            if (__builtin_mul_overflow(part ? part : 1, value, &part) || __builtin_add_overflow(total, part, &total))
                return NULL;
            part = 0, below = INT64_MAX;
        } else {
            if (value >= below || (value >= 10 && below <= 20)) return NULL; /* "two three" is no number */
            part += value, below = value < 20 ? 0 : 10;
        }
        any = true;
    }
    if (token_is_word(parser_token(p), "half") && !any) part = 1, any = true;
    if (!any || __builtin_add_overflow(total, part, &total)) return NULL;
    struct node *node = node_integer(p->arena, total);
    cord_text behind = parser_token(p)->text;
    int64_t denominator = denominator_word(behind);
    bool large = total >= 20,
         place = token_is_word(parser_token(p), "first") || token_is_word(parser_token(p), "second");
    /* "twenty-first", "twenty-fifth" are places in a row; of "twenty and two thirds" only the end is divided */
    if ((large && place) || (denominator && (joined || (large && !text_ends(behind, TEXT("s")))))) return NULL;
    if (node && denominator) {
        p->at++;
        node = parser_node(p, NODE_DIVIDE, 0, 2, (struct node *[]){node, node_integer(p->arena, denominator)});
    }
    if (node && minus) node = parser_node(p, NODE_NEGATE, 0, 1, &node);
    return node && !token_ends(parser_token(p)) ? parse_units(p, node, NULL) : node; /* five apples */
}

struct node *parse_words(struct parser *p) {
    size_t start = p->at, end = start;
    while (!token_ends(&p->tokens[end])) end++;
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
    if (group == GROUP_NONE) return parser_node(p, NODE_SET, text_equal(words, TEXT("none")), 0, NULL);
    return parser_text(p, NODE_WORD, (int)group, text_of(normal));
}
