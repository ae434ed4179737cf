/* mention.c - see mention.h. Numbers are compared by their digits, so that 1,000 is 1000.0; what has a unit behind it, and
 * fractions, by the grader. Everything else is compared as text, without blanks and what LaTeX has for them. */
#include "answer/mention.h"

#include "answer/find/extract.h"

#include <stdio.h>

enum { NUMBER_BYTES = 200, UNIT_BYTES = 12 };

/* ---- characters ---------------------------------------------------------------------------------------------- */

/* Letters of Latin, Greek and Cyrillic; signs such as quotes and arrows are none. */
static bool is_letter(uint32_t c) {
    if (c < 0x80) return answer_is_letter((char)c);
    return (c >= 0xC0 && c < 0x250 && c != 0xD7 && c != 0xF7) || (c >= 0x370 && c < 0x530);
}

static uint32_t before(cord_text t, size_t i) {
    if (!i) return 0;
    size_t from = i - 1;
    while (from && i - from < 4 && ((unsigned char)t.data[from] & 0xC0) == 0x80) from--;
    return utf8_next(text_slice(t, 0, i), &from);
}

static uint32_t behind(cord_text t, size_t i) { return i < t.len ? utf8_next(t, &i) : 0; }

static size_t digits(cord_text t, size_t i) {
    size_t from = i;
    while (answer_is_digit(answer_at(t, i))) i++;
    return i - from;
}

/* ---- numbers ------------------------------------------------------------------------------------------------- */

/* A number as it is written, without what groups its digits: "-1234.5". */
struct number {
    char text[NUMBER_BYTES]; /* zeros that say nothing are left out; empty: too long to be of interest */
    bool decimals;
    size_t end; /* behind it */
};

static void put_digits(struct number *n, size_t *len, cord_text part) {
    for (size_t i = 0; i < part.len; i++) {
        if (*len + 2 >= sizeof n->text) {
            *len = sizeof n->text;
            return;
        }
        n->text[(*len)++] = part.data[i];
    }
}

/* What stands between two groups of three digits: "," "{,}" "\,". */
static size_t separator(cord_text t, size_t i) {
    static const char *const all[] = {",", "{,}", "\\,", "\u202F"};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        size_t len = strlen(all[k]);
        if (answer_has(t, i, text_of(all[k])) && digits(t, i + len) == 3) return len;
    }
    return 0;
}

/* The bytes of the sign before a number: a minus is its own where nothing stands before it that it could be taken from. */
static size_t sign(cord_text t, size_t i) {
    size_t minus = i && t.data[i - 1] == '-' ? 1 : i >= 3 && answer_has(t, i - 3, TEXT("\u2212")) ? 3 : 0;
    if (!minus) return 0;
    uint32_t c = before(t, i - minus);
    return is_letter(c) || (c < 0x80 && c && (answer_is_digit((char)c) || strchr(")]}|%!", (int)c))) ? 0 : minus;
}

/* Reads the number that begins with the digit (or the point before a digit) at `i`. */
static void read_number(cord_text t, size_t i, struct number *n) {
    size_t len = 0, count = digits(t, i), between;
    *n = (struct number){.text = ""};
    if (sign(t, i)) n->text[len++] = '-';
    size_t first = i;
    while (first + 1 < i + count && t.data[first] == '0') first++; /* 007 */
    put_digits(n, &len, text_slice(t, first, i + count));
    i += count;
    for (bool grouped = count > 0 && count <= 3; grouped && (between = separator(t, i)) > 0; i += between + 3)
        put_digits(n, &len, text_slice(t, i + between, i + between + 3));
    if (answer_at(t, i) == '.' && answer_is_digit(answer_at(t, i + 1))) {
        size_t places = digits(t, i + 1), used = places;
        while (used && t.data[i + used] == '0') used--;
        n->decimals = used > 0;
        if (!count) put_digits(n, &len, TEXT("0"));
        if (used) put_digits(n, &len, TEXT("."));
        put_digits(n, &len, text_slice(t, i + 1, i + 1 + used));
        i += places + 1;
    }
    n->text[len < sizeof n->text ? len : 0] = '\0';
    if (!strcmp(n->text, "-0")) strcpy(n->text, "0");
    n->end = i;
}

static bool begins_number(cord_text t, size_t i) {
    return answer_is_digit(answer_at(t, i)) || (answer_at(t, i) == '.' && answer_is_digit(answer_at(t, i + 1)) &&
                                                !(i && (answer_is_digit(t.data[i - 1]) || t.data[i - 1] == '.')));
}

/* x27, a_27 and a version's 1.27.0 are no 27. */
static bool is_part(cord_text t, size_t from, const struct number *n) {
    uint32_t c = before(t, from);
    return !*n->text || is_letter(c) || c == '_' ||
           (answer_at(t, n->end) == '.' && answer_is_digit(answer_at(t, n->end + 1)));
}

static bool is_equal(cord_text gold, cord_text text) { return cord_verify(gold, text, NULL) == CORD_EQUAL; }

/* What stands directly behind the number is a unit, and the grader has both for the same: 27kg, but not 27x or 27th. */
static bool is_unit(const struct number *n, cord_text t) {
    char text[NUMBER_BYTES + UNIT_BYTES + 1];
    size_t end = n->end;
    while (answer_is_letter(answer_at(t, end)) && end - n->end < UNIT_BYTES) end++;
    if (end == n->end || is_letter(behind(t, end))) return false;
    snprintf(text, sizeof text, "%s%.*s", n->text, (int)(end - n->end), t.data + n->end);
    return is_equal(text_of(n->text), text_of(text));
}

static bool has_percent(cord_text t, size_t i) {
    while (answer_is_blank(answer_at(t, i))) i++;
    return answer_has(t, i, TEXT("%")) || answer_has(t, i, TEXT("\\%")) || answer_has(t, i, TEXT("percent"));
}

/* A quotient of whole numbers, "1/2" or "\frac{1}{2}", that begins at `i`; its end, or 0. */
static size_t quotient(cord_text t, size_t i) {
    if (answer_is_digit(answer_at(t, i))) {
        size_t line = i + digits(t, i), below = line + 1;
        return answer_at(t, line) == '/' && digits(t, below) ? below + digits(t, below) : 0;
    }
    if (answer_at(t, i) != '\\') return 0;
    i += answer_at(t, i + 1) == 'd' || answer_at(t, i + 1) == 't' ? 2 : 1;
    if (!answer_has(t, i, TEXT("frac{"))) return 0;
    size_t line = i + 5 + digits(t, i + 5);
    if (line == i + 5 || !answer_has(t, line, TEXT("}{"))) return 0;
    size_t end = line + 2 + digits(t, line + 2);
    return end > line + 2 && answer_at(t, end) == '}' ? end + 1 : 0;
}

/* The sign belongs to the quotient, and the grader is to see it. */
static bool is_quotient(cord_text gold, cord_text t, size_t from, size_t end) {
    char text[NUMBER_BYTES];
    uint32_t c = before(t, from);
    if (end - from > NUMBER_BYTES - 2 || is_letter(c) || c == '_' || c == '.' || is_letter(behind(t, end)))
        return false;
    snprintf(text, sizeof text, "%s%.*s", sign(t, from) ? "-" : "", (int)(end - from), t.data + from);
    return is_equal(gold, text_of(text));
}

/* How a gold is looked for. */
struct wanted {
    cord_text gold;
    struct number number; /* of a number; else its text is empty */
    bool percent, quotients;
};

static cord_text found(cord_text t, size_t i, size_t end) { return text_slice(t, i - sign(t, i), end); }

static cord_text find_number(const struct wanted *w, cord_text t, size_t i) {
    struct number n;
    while (i < t.len) {
        size_t end = w->quotients ? quotient(t, i) : 0;
        if (end && is_quotient(w->gold, t, i, end)) return found(t, i, end);
        if (!begins_number(t, i)) {
            i++;
            continue;
        }
        read_number(t, i, &n);
        bool equal = *w->number.text ? !strcmp(n.text, w->number.text) && (!w->percent || has_percent(t, n.end))
                                     : n.decimals && is_equal(w->gold, text_of(n.text));
        if (equal && !is_part(t, i, &n) && (!is_letter(behind(t, n.end)) || is_unit(&n, t) || w->percent))
            return found(t, i, n.end);
        i = n.end > i ? n.end : i + 1;
    }
    return (cord_text){0};
}

/* ---- other texts --------------------------------------------------------------------------------------------- */

/* Bytes at `i` that say nothing: blanks, dollar signs, LaTeX's sizes and spaces. */
static size_t ignorable(cord_text t, size_t i) {
    static const char *const all[] = {"\\left", "\\right", "\\!", "\\,", "\\;", "\\:", "\\ ", "$"};
    if (answer_is_blank(answer_at(t, i))) return 1;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        size_t len = strlen(all[k]);
        if (answer_has(t, i, text_of(all[k])) && !(len > 2 && answer_is_letter(answer_at(t, i + len))))
            return len; /* \leftarrow */
    }
    return 0;
}

/* The next byte that says something, *i behind it; NUL at the end. \dfrac and \tfrac are \frac. */
static char next_byte(cord_text t, size_t *i, bool fold) {
    for (size_t n; *i < t.len && (n = ignorable(t, *i)) > 0;) *i += n;
    if (*i >= t.len) return '\0';
    bool frac = answer_has(t, *i, TEXT("\\dfrac")) || answer_has(t, *i, TEXT("\\tfrac"));
    char c = t.data[*i];
    *i += frac ? 2 : 1;
    return fold ? ascii_lower(c) : c;
}

static size_t match(cord_text gold, cord_text t, size_t from, bool fold) {
    size_t i = from;
    for (size_t g = 0;;) {
        char want = next_byte(gold, &g, fold);
        if (!want) return i;
        if (next_byte(t, &i, fold) != want) return 0;
    }
}

static bool is_whole(cord_text t, size_t from, size_t end) {
    uint32_t left = before(t, from), right = behind(t, end);
    char last = t.data[end - 1];
    if (from >= 5 && answer_has(t, from - 5, TEXT("\\left"))) left = 0;
    if (is_letter(left) || left == '_' || (left < 0x80 && answer_is_digit((char)left))) return false;
    if (answer_is_digit(t.data[from]) && (left == '.' || left == ',') && from >= 2 && answer_is_digit(t.data[from - 2]))
        return false;
    if (answer_is_digit(last) && (right == '.' || right == ',') && answer_is_digit(answer_at(t, end + 1))) return false;
    bool goes_on = is_letter(right) || (right < 0x80 && answer_is_digit((char)right));
    return !(goes_on && (answer_is_letter(last) || answer_is_digit(last) || (unsigned char)last >= 0x80));
}

static cord_text find_text(cord_text gold, cord_text t, size_t i) {
    bool fold = gold.len > 1; /* a choice "A" is no article */
    for (; i < t.len; i++) {
        if (ignorable(t, i)) continue;
        size_t end = match(gold, t, i, fold);
        if (end && is_whole(t, i, end)) return text_slice(t, i, end);
    }
    return (cord_text){0};
}

/* ---- a gold -------------------------------------------------------------------------------------------------- */

/* Without what stands around a formula, a sum of money or a sentence. */
static cord_text bare(cord_text t) {
    for (;;) {
        size_t len = t.len;
        t = text_trim(t);
        if (text_starts(t, TEXT("\\$"))) t = text_slice(t, 2, t.len);
        if (text_starts(t, TEXT("$"))) t = text_slice(t, 1, t.len);
        if (text_ends(t, TEXT("$")) || text_ends(t, TEXT("."))) t.len--;
        if (t.len == len) return t;
    }
}

static struct wanted want(cord_text gold) {
    struct wanted w = {.gold = gold};
    size_t start = text_starts(gold, TEXT("-"))        ? 1
                   : text_starts(gold, TEXT("\u2212")) ? 3
                   : text_starts(gold, TEXT("+"))      ? 1
                                                       : 0;
    size_t end = quotient(gold, start);
    w.quotients = end && end == gold.len;
    if (w.quotients || !begins_number(gold, start)) return w;
    read_number(gold, start, &w.number);
    w.percent = has_percent(gold, w.number.end);
    w.quotients = w.number.decimals;
    if (w.number.end != gold.len && !w.percent) w.number.text[0] = '\0', w.quotients = false;
    return w;
}

cord_text answer_mention(cord_text answer, cord_text text, size_t from) {
    cord_text gold = bare(answer), none = {0};
    if (!gold.len || !text.len) return none;
    struct wanted w = want(gold);
    if (*w.number.text) return find_number(&w, text, from);
    cord_text as_text = find_text(gold, text, from), as_number = w.quotients ? find_number(&w, text, from) : none;
    bool first = as_text.data && (!as_number.data || as_text.data < as_number.data);
    return first ? as_text : as_number;
}

static size_t skip_any(cord_text t, size_t at, const char *which) {
    while (at < t.len && t.data[at] && strchr(which, t.data[at])) at++;
    return at;
}

/* A step without the number that it may begin with, "4. So" or "### Step 4: So", which is its heading's or a list's and states
 * nothing. */
static cord_text behind_number(cord_text step) {
    cord_text t = text_trim(step);
    size_t at = skip_any(t, 0, "#* \t");
    if (t.len - at > 4 && !strncasecmp(t.data + at, "step", 4)) at = skip_any(t, at + 4, " \t");
    size_t number = at;
    at = skip_any(t, at, "0123456789");
    bool headed = at > number && at < t.len && strchr(".:)", t.data[at]);
    size_t end = skip_any(t, at + headed, "*");
    return headed && end < t.len && strchr(" \t\n", t.data[end]) ? text_slice(t, end, t.len) : step;
}

bool answer_in_step(cord_text answer, cord_text step) {
    return answer_mention(answer, behind_number(step), 0).data != NULL;
}
