/* number.c - a recursive-descent reader of written numbers.
 *
 *     number    = [sign] [currency] [sign] magnitude [currency | "%" | "°" | unit]
 *     magnitude = decimal ["/" decimal] | fraction | integer (fraction | blank integer "/" integer)
 *     decimal   = digits, thousands separated or not, [.digits] [e[sign]digits]
 *     fraction  = \frac{a}{b} and its kin, \frac34
 *
 * Strict where two readings are possible: "1,23", "007", "0,500", "3x", "18 hundred" are not numbers here.
 * It must not know which of two numbers is the gold. */
#include "answer/number.h"
#include "answer/extract.h"

#include <stdio.h>

struct cursor {
    const char *p, *end;
};

static bool take(struct cursor *c, const char *literal) {
    cord_text what = text_of(literal);
    if (!text_starts((cord_text){c->p, (size_t)(c->end - c->p)}, what)) return false;
    c->p += what.len;
    return true;
}

/* The one of `literals` (NULL-terminated) that comes next, or NULL. */
static const char *take_any(struct cursor *c, const char *const *literals) {
    for (; *literals; literals++)
        if (take(c, *literals)) return *literals;
    return NULL;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool at_digit(const struct cursor *c) { return c->p < c->end && is_digit(*c->p); }

/* Blanks, those of LaTeX and no-break spaces too. True where there was one. */
static bool take_blanks(struct cursor *c) {
    static const char *const blanks[] = {" ",   "\t",  "\r", "\n",       "\\ ",          "\\,", "\\;",
                                         "\\:", "\\!", "~",  "\xC2\xA0", "\xE2\x80\xAF", NULL};
    bool any = false;
    while (take_any(c, blanks)) any = true;
    return any;
}

/* 0 where there is no sign. */
static int take_sign(struct cursor *c) {
    if (take(c, "-") || take(c, "\xE2\x88\x92" /* U+2212 */)) return -1;
    return take(c, "+") ? 1 : 0;
}

/* ---- decimals ------------------------------------------------------------------------------------------------ */

/* The digits of a decimal without its point: value = digits * 10^-scale. */
struct digits {
    char text[NUMBER_DIGITS + 2];
    size_t n; /* NUMBER_DIGITS + 1: too many */
    long scale;
};

static size_t take_digits(struct cursor *c, struct digits *d) {
    size_t n = 0;
    for (; at_digit(c); c->p++, n++)
        if (d->n <= NUMBER_DIGITS) d->text[d->n++] = *c->p;
    return n;
}

/* The digits before the point. Thousands separators must stand where they belong: "1,080", "1{,}080", "1,\!080". */
static bool take_integer(struct cursor *c, struct digits *d) {
    static const char *const separators[] = {",\\!", "{,}", ",", NULL};
    const char *start = c->p;
    size_t n = take_digits(c, d);
    if (n > 1 && *start == '0') return false; /* "007" is a code, not a number */
    for (;;) {
        struct cursor next = *c;
        if (n == 0 || !take_any(&next, separators) || !at_digit(&next)) return true;
        if (n > 3 || *start == '0') return false; /* "1234,567", "0,500" */
        *c = next;
        if (take_digits(c, d) != 3) return false;
    }
}

static bool take_exponent(struct cursor *c, long *exponent) {
    struct cursor next = *c;
    *exponent = 0;
    if (!take(&next, "e") && !take(&next, "E")) return true;
    int sign = take_sign(&next);
    if (!at_digit(&next)) return true; /* the letter is something else's */
    for (; at_digit(&next); next.p++) {
        *exponent = *exponent * 10 + (*next.p - '0');
        if (*exponent > NUMBER_EXPONENT) return false;
    }
    if (sign < 0) *exponent = -*exponent;
    *c = next;
    return true;
}

static bool take_decimal(struct cursor *c, mpq_t value) {
    struct digits d = {.n = 0};
    if (!take_integer(c, &d)) return false;
    struct cursor next = *c;
    if (take(&next, ".") && at_digit(&next)) {
        *c = next;
        d.scale = (long)take_digits(c, &d);
    }
    long exponent;
    if (d.n == 0 || d.n > NUMBER_DIGITS || !take_exponent(c, &exponent)) return false;
    d.text[d.n] = '\0';
    mpq_set_ui(value, 0, 1);
    if (mpz_set_str(mpq_numref(value), d.text, 10) != 0) return false;
    exponent -= d.scale;
    mpz_ptr power = exponent < 0 ? mpq_denref(value) : mpq_numref(value);
    mpz_t ten;
    mpz_init(ten);
    mpz_ui_pow_ui(ten, 10, (unsigned long)(exponent < 0 ? -exponent : exponent));
    mpz_mul(power, power, ten);
    mpz_clear(ten);
    mpq_canonicalize(value);
    return true;
}

/* ---- fractions ----------------------------------------------------------------------------------------------- */

static bool divide(mpq_t value, const mpq_t divisor) {
    if (mpq_sgn(divisor) == 0) return false;
    mpq_div(value, value, divisor);
    return true;
}

/* One argument of \frac: "{-12}", or a single digit. */
static bool take_argument(struct cursor *c, mpq_t value) {
    take_blanks(c);
    if (at_digit(c)) {
        mpq_set_ui(value, (unsigned long)(*c->p++ - '0'), 1);
        return true;
    }
    if (!take(c, "{")) return false;
    take_blanks(c);
    int sign = take_sign(c);
    if (!take_decimal(c, value)) return false;
    if (sign < 0) mpq_neg(value, value);
    take_blanks(c);
    return take(c, "}");
}

static const char *const frac_commands[] = {"\\frac", "\\dfrac", "\\tfrac", "\\cfrac", NULL};

static bool comes_frac(struct cursor c) { return take_any(&c, frac_commands) != NULL; }

/* False also where no \frac comes; the cursor is then arbitrary. */
static bool take_frac(struct cursor *c, mpq_t value) {
    mpq_t divisor;
    mpq_init(divisor);
    bool good =
        take_any(c, frac_commands) && take_argument(c, value) && take_argument(c, divisor) && divide(value, divisor);
    mpq_clear(divisor);
    return good;
}

/* "1 1/2", "1\frac{1}{2}": what follows the integer must be a proper fraction, or the two are not one number. */
static bool take_rest_of_mixed(struct cursor *c, mpq_t value, bool blank) {
    mpq_t part, divisor;
    mpq_inits(part, divisor, NULL);
    bool good;
    if (comes_frac(*c)) {
        good = take_frac(c, part);
    } else {
        good = blank && take_decimal(c, part);
        take_blanks(c);
        good = good && take(c, "/");
        take_blanks(c);
        good = good && take_decimal(c, divisor) && divide(part, divisor);
    }
    good = good && mpz_cmp_ui(mpq_denref(value), 1) == 0 && mpq_sgn(part) > 0 && mpq_cmp_ui(part, 1, 1) < 0;
    if (good) mpq_add(value, value, part);
    mpq_clears(part, divisor, NULL);
    return good;
}

static bool take_magnitude(struct cursor *c, mpq_t value) {
    if (comes_frac(*c)) return take_frac(c, value);
    if (!take_decimal(c, value)) return false;
    struct cursor next = *c;
    bool blank = take_blanks(&next);
    if (comes_frac(next) || (blank && at_digit(&next))) {
        *c = next;
        return take_rest_of_mixed(c, value, blank);
    }
    if (!take(&next, "/")) return true;
    take_blanks(&next);
    *c = next;
    mpq_t divisor;
    mpq_init(divisor);
    bool good = take_decimal(c, divisor) && divide(value, divisor);
    mpq_clear(divisor);
    return good;
}

/* ---- units --------------------------------------------------------------------------------------------------- */

/* Words behind a number that make it another number, or may: none of them is a unit. In the singular, as read_unit makes
 * it ("plu" is "plus"). Fractions ("7 tenths") are caught by their ending. */
static const char *const not_units[] = {
    "hundred",   "thousand", "grand",  "million",  "mln",        "billion",  "bln",     "trillion", "quadrillion",
    "lakh",      "crore",    "mil",    "mille",    "mill",       "thou",     "bil",     "dozen",    "gross",
    "score",     "pair",     "couple", "double",   "triple",     "twice",    "fold",    "one",      "two",
    "three",     "four",     "five",   "six",      "seven",      "eight",    "nine",    "ten",      "eleven",
    "twelve",    "twenty",   "half",   "halve",    "third",      "quarter",  "cent",    "penny",    "pennie",
    "pence",     "dime",     "nickel", "permille", "percentage", "square",   "squared", "cube",     "cubed",
    "factorial", "root",     "sqrt",   "exp",      "log",        "sin",      "co",      "tan",      "radian",
    "rad",       "plu",      "minu",   "time",     "over",       "per",      "mod",     "modulo",   "remainder",
    "choose",    "and",      "not",    "nor",      "point",      "negative", "below",   "under",    "less",
    "short",     "loss",     "debt",   "deficit",  "bce",        "binary",   "octal",   "hex",      "hexadecimal",
    "base",      "infinity", NULL};
/* Words of two letters are taken for variables and function words, except these. */
static const char *const short_units[] = {"cm", "km", "kg", "mg", "ml", "lb", "oz", "ft", "hr", NULL};

static bool is_among(const char *word, const char *const *words) {
    while (*words && strcmp(word, *words) != 0) words++;
    return *words != NULL;
}

static void set_unit(struct number *number, const char *unit) {
    snprintf(number->unit, sizeof number->unit, "%s", unit);
}

/* One word of ASCII letters as a unit: lower case, without the plural's s. */
static bool read_unit(struct number *number, cord_text word) {
    char *unit = number->unit;
    if (word.len < 2 || word.len >= sizeof number->unit) return false;
    for (size_t i = 0; i < word.len; i++) {
        if (!is_letter(word.data[i])) return false;
        unit[i] = (char)(word.data[i] | 0x20);
    }
    unit[word.len] = '\0';
    if (word.len == 2) return is_among(unit, short_units);
    if (unit[word.len - 1] == 's' && unit[word.len - 2] != 's') unit[word.len - 1] = '\0';
    if (strcmp(unit, "percent") == 0 || strcmp(unit, "pct") == 0) {
        number->percent = true;
        unit[0] = '\0';
    }
    if (text_ends(text_of(unit), TEXT("th")) && strcmp(unit, "month") != 0) return false;
    if (strcmp(unit, "dollar") == 0) set_unit(number, "$");
    if (strcmp(unit, "euro") == 0) set_unit(number, "\xE2\x82\xAC");
    return !is_among(unit, not_units);
}

/* `\text{ dollars}` and its kin, to the end of the text. */
static bool take_text_unit(struct cursor *c, struct number *number) {
    static const char *const commands[] = {"\\text{", "\\mathrm{", "\\textrm{", "\\mbox{", "\\textbf{", NULL};
    if (!take_any(c, commands)) return false;
    cord_text rest = {c->p - 1, (size_t)(c->end - c->p) + 1};
    ptrdiff_t close = answer_closing_brace(rest, 0);
    if (close < 0) return false;
    c->p += close;
    return read_unit(number, text_trim(text_slice(rest, 1, (size_t)close)));
}

static const char *const currencies[] = {"\\$", "$", "\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5", "\xE2\x82\xB9", NULL};

static void set_currency(struct number *number, const char *symbol) {
    set_unit(number, symbol[0] == '\\' ? symbol + 1 : symbol);
}

/* What stands behind the magnitude, in `number`, whose unit may be a currency already. */
static bool take_suffix(struct cursor *c, struct number *number) {
    static const char *const degrees[] = {"^\\circ", "^{\\circ}", "\xC2\xB0", NULL};
    char currency[sizeof number->unit];
    memcpy(currency, number->unit, sizeof currency);
    bool blank = take_blanks(c);
    const char *symbol;
    if (c->p == c->end) return true;
    if (take(c, "\\%") || take(c, "%")) {
        number->percent = true;
    } else if (take_any(c, degrees)) {
        set_unit(number, "degree");
    } else if ((symbol = take_any(c, currencies)) != NULL) {
        set_currency(number, symbol);
    } else if (*c->p == '\\') {
        if (!take_text_unit(c, number)) return false;
    } else {
        cord_text word = {c->p, (size_t)(c->end - c->p)};
        if (!blank || !read_unit(number, text_trim_end(word))) return false;
        c->p = c->end;
    }
    take_blanks(c);
    /* "$18 dollars" says one thing twice; "$18 eggs" and "$50%" say two things */
    return c->p == c->end && (!currency[0] || strcmp(currency, number->unit) == 0) &&
           !(number->percent && number->unit[0]);
}

/* ---- numbers ------------------------------------------------------------------------------------------------- */

void number_init(struct number *number) {
    *number = (struct number){.percent = false};
    mpq_init(number->value);
}

void number_release(struct number *number) { mpq_clear(number->value); }

bool number_read(struct number *number, cord_text t) {
    struct cursor c = {t.data, t.data + t.len};
    number->percent = false;
    number->unit[0] = '\0';
    int sign = take_sign(&c);
    const char *symbol = take_any(&c, currencies);
    if (symbol) set_currency(number, symbol);
    if (symbol && sign == 0) sign = take_sign(&c);
    if (!take_magnitude(&c, number->value)) return false;
    /* in "$18$ dollars" the two are LaTeX's, not a currency */
    if (symbol && symbol[0] == '$' && take(&c, "$")) number->unit[0] = '\0';
    if (!take_suffix(&c, number)) return false;
    if (sign < 0) mpq_neg(number->value, number->value);
    if (number->percent) {
        mpq_t hundred;
        mpq_init(hundred);
        mpq_set_ui(hundred, 100, 1);
        mpq_div(number->value, number->value, hundred);
        mpq_clear(hundred);
    }
    return true;
}
