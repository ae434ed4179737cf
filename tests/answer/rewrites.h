/* rewrites.h - other spellings of an answer, and near misses of it, made by rule from its text alone.
 *
 * A rule writes the new text and says whether it fits the answer at all. Rules look at the text only: they must not use the
 * grader's own reading of it. */
#ifndef CORD_TEST_REWRITES_H
#define CORD_TEST_REWRITES_H

#include "support.h"

#include <ctype.h>
#include <stdlib.h>

struct rewrite {
    const char *name;
    bool (*rule)(cord_text gold, struct buf *out);
};

/* ---- looking at a text ---------------------------------------------------------------------------------------- */

static bool has(cord_text t, const char *what) { return text_find(t, text_of(what)) >= 0; }
static char at(cord_text t, size_t i) { return i < t.len ? t.data[i] : '\0'; }
static bool digit(char c) { return isdigit((unsigned char)c); }
static bool letter(char c) { return isalpha((unsigned char)c); }
static bool starts_at(cord_text t, size_t i, const char *what) {
    return text_starts(text_slice(t, i, t.len), text_of(what));
}

static size_t past_blanks(cord_text t, size_t i) {
    while (at(t, i) == ' ') i++;
    return i;
}

static bool is_integer(cord_text t) {
    size_t i = at(t, 0) == '-';
    bool any = false;
    while (digit(at(t, i))) any = true, i++;
    return any && i == t.len;
}

/* Digits with a sign and a point perhaps: -3, 4.5, .35625. */
static bool is_plain(cord_text t) {
    ptrdiff_t point = text_find(t, TEXT("."));
    if (point < 0) return is_integer(t);
    cord_text tail = text_slice(t, (size_t)point + 1, t.len);
    return is_integer(tail) && at(tail, 0) != '-' && (point == 0 || is_integer(text_slice(t, 0, (size_t)point)));
}

static bool is_zero(cord_text t) {
    for (size_t i = 0; i < t.len; i++)
        if (t.data[i] != '0' && t.data[i] != '.') return false;
    return t.len > 0;
}

/* Has digits in groups of three: 58,500 and 10,\!080. */
static bool has_groups(cord_text t) {
    for (size_t i = 1; i + 3 < t.len; i++) {
        if (t.data[i] != ',' || !digit(t.data[i - 1])) continue;
        if (at(t, i + 1) == '\\') return true;
        if (digit(at(t, i + 1)) && digit(at(t, i + 2)) && digit(at(t, i + 3)) && !digit(at(t, i + 4))) return true;
    }
    return false;
}

/* Writes t with every `from` replaced; false where there is none. A command is not found inside a longer one. */
static bool replace(cord_text t, const char *from, const char *to, struct buf *out) {
    size_t len = strlen(from);
    bool any = false;
    for (size_t i = 0; i < t.len;) {
        if (starts_at(t, i, from) && !(letter(from[len - 1]) && letter(at(t, i + len)))) {
            buf_add(out, text_of(to));
            i += len;
            any = true;
        } else {
            buf_addc(out, t.data[i++]);
        }
    }
    return any;
}

/* The first fraction at or behind *from: its parts, and where it begins and ends. */
struct fraction {
    cord_text numerator, denominator;
    size_t begin, end;
};

/* An argument at *i: a group in braces or one character. */
static bool argument(cord_text t, size_t *i, cord_text *out) {
    size_t begin = past_blanks(t, *i), end = begin;
    if (at(t, begin) != '{') {
        if (!digit(at(t, begin))) return false;
        *out = text_slice(t, begin, begin + 1);
        return *i = begin + 1, true;
    }
    for (int depth = 0; end < t.len; end++) {
        depth += (t.data[end] == '{') - (t.data[end] == '}');
        if (depth == 0) break;
    }
    if (end == t.len) return false;
    *out = text_slice(t, begin + 1, end);
    return *i = end + 1, true;
}

static bool fraction_find(cord_text t, size_t from, struct fraction *f) {
    for (size_t i = from; i < t.len; i++) {
        static const char *const names[] = {"\\frac", "\\dfrac", "\\tfrac"};
        for (size_t n = 0; n < 3; n++) {
            size_t end = i + strlen(names[n]);
            if (starts_at(t, i, names[n]) && argument(t, &end, &f->numerator) && argument(t, &end, &f->denominator))
                return f->begin = i, f->end = end, true;
        }
    }
    return false;
}

/* A mixed number's fraction: added to the digits before it, so that it may not be touched by itself. */
static bool is_mixed(cord_text t, const struct fraction *f) {
    size_t i = f->begin;
    while (i > 0 && t.data[i - 1] == ' ') i--;
    return i > 0 && digit(t.data[i - 1]);
}

/* The whole of t as one bracket: "\left(" inner "\right)". */
struct group {
    cord_text open, inner, close;
};

static int depth_change(cord_text t, size_t i) {
    return (t.data[i] == '(' || t.data[i] == '[' || t.data[i] == '{') -
           (t.data[i] == ')' || t.data[i] == ']' || t.data[i] == '}');
}

static bool group_read(cord_text t, struct group *g) {
    size_t open = starts_at(t, 0, "\\left") ? 5 : 0, end = 0;
    if (at(t, open) == '\\') open++;
    if (at(t, open) != '(' && at(t, open) != '[' && !(at(t, open) == '{' && open && t.data[open - 1] == '\\'))
        return false;
    int depth = 0;
    for (size_t i = open; i < t.len; i++) {
        depth += depth_change(t, i);
        if (depth == 0 && !end) end = i;
    }
    if (end != t.len - 1) return false;
    if (t.data[end - 1] == '\\') end--;
    if (end > 6 && starts_at(t, end - 6, "\\right")) end -= 6;
    *g = (struct group){text_slice(t, 0, open + 1), text_slice(t, open + 1, end), text_slice(t, end, t.len)};
    return true;
}

enum { ENTRIES = 16 };

/* The parts of t between commas outside of brackets. 0: too many. */
static size_t entries(cord_text t, cord_text out[ENTRIES]) {
    size_t n = 0, begin = 0;
    int depth = 0;
    for (size_t i = 0; i <= t.len; i++) {
        if (i < t.len) depth += depth_change(t, i);
        if (i < t.len && (t.data[i] != ',' || depth)) continue;
        if (n == ENTRIES) return 0;
        out[n++] = text_trim(text_slice(t, begin, i));
        begin = i + 1;
    }
    return n;
}

static void join(const cord_text *part, size_t n, struct buf *out) {
    for (size_t i = 0; i < n; i++) {
        if (i) buf_add(out, TEXT(", "));
        buf_add(out, part[i]);
    }
}

/* ---- the same answer in other words ---------------------------------------------------------------------------- */

static bool wrap(cord_text t, const char *before, const char *after, struct buf *out) {
    buf_add(out, text_of(before));
    buf_add(out, t);
    buf_add(out, text_of(after));
    return true;
}

static bool in_dollars(cord_text t, struct buf *out) { return wrap(t, "$", "$", out); }
static bool in_parentheses(cord_text t, struct buf *out) { return wrap(t, "\\( ", " \\)", out); }
static bool in_box(cord_text t, struct buf *out) { return wrap(t, "\\boxed{", "}", out); }
static bool in_all(cord_text t, struct buf *out) { return wrap(t, " **$\\boxed{ ", " }$**. ", out); }
static bool with_displaystyle(cord_text t, struct buf *out) { return wrap(t, "\\displaystyle ", "", out); }
static bool with_dfrac(cord_text t, struct buf *out) { return replace(t, "\\frac", "\\dfrac", out); }
static bool with_tfrac(cord_text t, struct buf *out) { return replace(t, "\\frac", "\\tfrac", out); }

static bool with_slash(cord_text t, struct buf *out) {
    struct fraction f;
    bool any = false;
    size_t i = 0;
    for (; fraction_find(t, i, &f) && !is_mixed(t, &f); i = f.end, any = true) {
        bool whole = f.begin == 0 && f.end == t.len && is_integer(f.numerator) && is_integer(f.denominator);
        buf_add(out, text_slice(t, i, f.begin));
        buf_addf(out, whole ? "%.*s/%.*s" : "((%.*s)/(%.*s))", (int)f.numerator.len, f.numerator.data,
                 (int)f.denominator.len, f.denominator.data);
    }
    buf_add(out, text_slice(t, i, t.len));
    return any;
}

/* \frac{17}{50}: 0.34. */
static bool as_decimal(cord_text t, struct buf *out) {
    struct fraction f;
    bool negative = at(t, 0) == '-';
    if (!fraction_find(t, 0, &f) || f.begin != negative || f.end != t.len) return false;
    if (!is_integer(f.numerator) || !is_integer(f.denominator) || f.numerator.len + f.denominator.len > 12)
        return false;
    long long n = atoll(f.numerator.data), d = atoll(f.denominator.data), scale = 1;
    int places = 0;
    if (f.numerator.len == 1) n = f.numerator.data[0] - '0'; /* \frac43: the digits are not apart */
    if (f.denominator.len == 1) d = f.denominator.data[0] - '0';
    for (; places < 9 && d && n * scale % d; places++) scale *= 10;
    if (!d || n < 0 || n * scale % d) return false;
    n = n * scale / d;
    buf_addf(out, "%s%lld.%0*lld", negative ? "-" : "", n / scale, places + 1, n % scale * 10);
    return true;
}

static bool with_left_right(cord_text t, struct buf *out) {
    bool any = false;
    if (has(t, "\\left") || has(t, "\\text") || has(t, "\\mbox")) return false;
    for (size_t i = 0; i < t.len; i++) {
        bool escaped = t.data[i] == '\\' && (at(t, i + 1) == '{' || at(t, i + 1) == '}');
        char c = at(t, i + escaped);
        if (c == '(' || c == '[' || (escaped && c == '{')) buf_add(out, TEXT("\\left")), any = true;
        if (c == ')' || c == ']' || (escaped && c == '}')) buf_add(out, TEXT("\\right"));
        buf_addc(out, t.data[i]);
        if (escaped) buf_addc(out, t.data[++i]);
    }
    return any;
}

static bool without_left_right(cord_text t, struct buf *out) {
    struct buf half;
    buf_init(&half, "test answer", 10000);
    bool any = replace(t, "\\left", "", &half);
    if (any) replace(buf_text(&half), "\\right", "", out);
    buf_release(&half);
    return any;
}

static bool with_spaces(cord_text t, struct buf *out) {
    if (has(t, "\\text") || has(t, "\\mbox") || has_groups(t)) return false;
    buf_add(out, TEXT("  "));
    for (size_t i = 0; i < t.len; i++) {
        bool spaced = strchr("+-=,()", t.data[i]) && !(i && t.data[i - 1] == '\\') &&
                      !(i > 4 && (starts_at(t, i - 5, "\\left") || starts_at(t, i - 5, "right")));
        buf_addf(out, spaced ? " %c " : "%c", t.data[i]);
    }
    buf_addc(out, ' ');
    return true;
}

static bool without_spaces(cord_text t, struct buf *out) {
    bool any = false, command = false;
    if (has(t, "\\text") || has(t, "\\mbox")) return false;
    for (size_t i = 0; i < t.len; i++) {
        if (t.data[i] == ' ' && !(command && letter(at(t, i + 1)))) {
            any = true;
            continue;
        }
        command = t.data[i] == '\\' || (command && letter(t.data[i]));
        buf_addc(out, t.data[i]);
    }
    return any;
}

/* \text{(B)}: (B); 5.4 \text{ cents}: 5.4  cents. */
static bool without_text(cord_text t, struct buf *out) {
    ptrdiff_t from = text_find(t, TEXT("\\text{"));
    size_t end = (size_t)from + 5;
    cord_text inner;
    if (from < 0 || !argument(t, &end, &inner)) return false;
    buf_add(out, text_slice(t, 0, (size_t)from));
    buf_add(out, inner);
    buf_add(out, text_slice(t, end, t.len));
    return true;
}

static bool with_cm(cord_text t, struct buf *out) { return is_plain(t) && wrap(t, "", " cm", out); }
static bool with_text_cm(cord_text t, struct buf *out) { return is_plain(t) && wrap(t, "", "\\text{ cm}", out); }
static bool with_word(cord_text t, struct buf *out) { return is_plain(t) && wrap(t, "", " apples", out); }
static bool with_money(cord_text t, struct buf *out) {
    return is_plain(t) && at(t, 0) != '-' && wrap(t, "\\$", "", out);
}
static bool with_name(cord_text t, struct buf *out) { return is_plain(t) && wrap(t, "x = ", "", out); }
static bool with_zero(cord_text t, struct buf *out) {
    return is_plain(t) && wrap(t, "", has(t, ".") ? "0" : ".00", out);
}

static bool separated(cord_text t, const char *separator, struct buf *out) {
    if (!is_integer(t) || t.len < 4u + (at(t, 0) == '-')) return false;
    for (size_t i = 0; i < t.len; i++) {
        if (i && (t.len - i) % 3 == 0 && t.data[i - 1] != '-') buf_add(out, text_of(separator));
        buf_addc(out, t.data[i]);
    }
    return true;
}
static bool with_commas(cord_text t, struct buf *out) { return separated(t, ",", out); }
static bool with_braced_commas(cord_text t, struct buf *out) { return separated(t, "{,}", out); }
static bool with_thin_spaces(cord_text t, struct buf *out) { return separated(t, "\\,", out); }

static bool without_groups(cord_text t, struct buf *out) {
    if (!has_groups(t) || has(t, "(")) return false;
    for (size_t i = 0; i < t.len; i++) {
        if (starts_at(t, i, "\\!"))
            i++;
        else if (t.data[i] != ',' && t.data[i] != ' ')
            buf_addc(out, t.data[i]);
    }
    return true;
}

/* A set or a bare list from its end to its beginning. */
static bool reversed(cord_text t, struct buf *out) {
    struct group g = {.inner = t};
    cord_text part[ENTRIES], back[ENTRIES];
    bool set = group_read(t, &g) && has(g.open, "{");
    if (!set && (has_groups(t) || has(t, "\\begin"))) return false;
    if (!set) g = (struct group){.inner = t};
    size_t n = entries(g.inner, part);
    if (n < 2) return false;
    for (size_t i = 0; i < n; i++) back[i] = part[n - 1 - i];
    buf_add(out, g.open);
    join(back, n, out);
    buf_add(out, g.close);
    return true;
}

/* What stands on both sides of `sign`, the other way round. */
static bool exchanged(cord_text t, const char *sign, struct buf *out) {
    ptrdiff_t i = text_find(t, text_of(sign));
    if (i < 0 || text_rfind(t, text_of(sign)) != i) return false;
    buf_add(out, text_trim(text_slice(t, (size_t)i + strlen(sign), t.len)));
    buf_addf(out, " %s ", sign);
    buf_add(out, text_trim(text_slice(t, 0, (size_t)i)));
    return true;
}
static bool union_exchanged(cord_text t, struct buf *out) { return exchanged(t, "\\cup", out); }
static bool sides_exchanged(cord_text t, struct buf *out) { return exchanged(t, "=", out); }

static bool in_unicode(cord_text t, struct buf *out) {
    static const char *const sign[][2] = {{"\\pi", "π"},    {"\\infty", "∞"}, {"\\cup", "∪"},
                                          {"^\\circ", "°"}, {"\\pm", "±"},    {"-", "−"}};
    struct buf now, next;
    bool any = false;
    buf_init(&now, "test answer", 10000);
    buf_add(&now, t);
    for (size_t i = 0; i < sizeof sign / sizeof *sign; i++) {
        buf_init(&next, "test answer", 10000);
        any |= replace(buf_text(&now), sign[i][0], sign[i][1], &next);
        buf_release(&now);
        now = next;
    }
    buf_add(out, buf_text(&now));
    buf_release(&now);
    return any;
}

static const struct rewrite spellings[] = {
    {"in $", in_dollars},
    {"in \\( \\)", in_parentheses},
    {"in \\boxed", in_box},
    {"bold, boxed, with a period", in_all},
    {"\\displaystyle", with_displaystyle},
    {"\\dfrac", with_dfrac},
    {"\\tfrac", with_tfrac},
    {"fraction with a slash", with_slash},
    {"fraction as a decimal", as_decimal},
    {"\\left \\right added", with_left_right},
    {"\\left \\right removed", without_left_right},
    {"spaces added", with_spaces},
    {"spaces removed", without_spaces},
    {"\\text removed", without_text},
    {"cm added", with_cm},
    {"\\text{ cm} added", with_text_cm},
    {"apples added", with_word},
    {"\\$ added", with_money},
    {"x = added", with_name},
    {"noughts added", with_zero},
    {"thousands by commas", with_commas},
    {"thousands by {,}", with_braced_commas},
    {"thousands by \\,", with_thin_spaces},
    {"thousands joined", without_groups},
    {"set or list reversed", reversed},
    {"union exchanged", union_exchanged},
    {"sides exchanged", sides_exchanged},
    {"in Unicode", in_unicode},
};

/* ---- another answer that looks alike ---------------------------------------------------------------------------- */

/* t with one character replaced. */
static bool changed(cord_text t, size_t i, char c, struct buf *out) {
    buf_add(out, text_slice(t, 0, i));
    buf_addc(out, c);
    buf_add(out, text_slice(t, i + 1, t.len));
    return true;
}
static char other_digit(char c) { return (char)(c == '9' ? '8' : c + 1); } /* never 0: it may be a denominator */

static bool last_digit(cord_text t, struct buf *out) {
    for (size_t i = t.len; i-- > 0;)
        if (digit(t.data[i])) return changed(t, i, other_digit(t.data[i]), out);
    return false;
}

static bool first_digit(cord_text t, struct buf *out) {
    for (size_t i = 0; i < t.len; i++)
        if (digit(t.data[i])) return changed(t, i, other_digit(t.data[i]), out);
    return false;
}

static bool sign_flipped(cord_text t, struct buf *out) {
    if (is_zero(t) || has(t, ",") || has(t, "=") || has(t, "\\begin") || has(t, "\\in")) return false;
    if (at(t, 0) == '-') return buf_add(out, text_slice(t, 1, t.len)), true;
    return (digit(at(t, 0)) || (at(t, 0) == '\\' && !starts_at(t, 0, "\\text"))) && wrap(t, "-", "", out);
}

static bool minus_for_plus(cord_text t, struct buf *out) {
    ptrdiff_t i = text_find(t, TEXT("+"));
    return i >= 0 && changed(t, (size_t)i, '-', out);
}

static bool plus_for_minus(cord_text t, struct buf *out) {
    for (size_t i = 1; i < t.len; i++) {
        size_t before = i;
        while (before > 0 && t.data[before - 1] == ' ') before--;
        char c = before ? t.data[before - 1] : '(';
        if (t.data[i] == '-' && (isalnum((unsigned char)c) || c == '}' || c == ')')) return changed(t, i, '+', out);
    }
    return false;
}

/* The entries of one bracket that is no set; 0 where t is not that. */
static size_t tuple_read(cord_text t, struct group *g, cord_text part[ENTRIES]) {
    return group_read(t, g) && !has(g->open, "{") ? entries(g->inner, part) : 0;
}

static bool coordinates_swapped(cord_text t, struct buf *out) {
    struct group g;
    cord_text part[ENTRIES];
    size_t n = tuple_read(t, &g, part);
    if (n < 2 || text_equal(part[0], part[1])) return false;
    cord_text first = part[0];
    part[0] = part[1];
    part[1] = first;
    buf_add(out, g.open);
    join(part, n, out);
    buf_add(out, g.close);
    return true;
}

static bool bracket_changed(cord_text t, struct buf *out) {
    struct group g;
    cord_text part[ENTRIES];
    if (tuple_read(t, &g, part) != 2) return false;
    return changed(t, g.open.len - 1, at(g.open, g.open.len - 1) == '(' ? '[' : '(', out);
}

static bool entry_dropped(cord_text t, struct buf *out) {
    struct group g = {.inner = t};
    cord_text part[ENTRIES];
    if (!group_read(t, &g)) {
        if (has_groups(t) || has(t, "\\begin")) return false;
        g = (struct group){.inner = t};
    }
    size_t n = entries(g.inner, part);
    if (n < 2 || (n == 2 && has(g.open, "(") != has(g.close, ")"))) return false; /* (3,4] would be (3] */
    buf_add(out, g.open);
    join(part, n - 1, out);
    buf_add(out, g.close);
    return true;
}

static bool fraction_upside_down(cord_text t, struct buf *out) {
    struct fraction f;
    if (!fraction_find(t, 0, &f) || text_equal(f.numerator, f.denominator)) return false;
    buf_add(out, text_slice(t, 0, f.begin));
    buf_addf(out, "\\frac{%.*s}{%.*s}", (int)f.denominator.len, f.denominator.data, (int)f.numerator.len,
             f.numerator.data);
    buf_add(out, text_slice(t, f.end, t.len));
    return true;
}

static bool cube_root(cord_text t, struct buf *out) { return replace(t, "\\sqrt", "\\sqrt[3]", out); }
static bool pi_rounded(cord_text t, struct buf *out) { return replace(t, "\\pi", "(3.14)", out); }
static bool other_choice(cord_text t, struct buf *out) {
    return text_starts(t, TEXT("\\text{(")) && t.len == 10 && changed(t, 7, t.data[7] == 'A' ? 'B' : 'A', out);
}

static bool rows_exchanged(cord_text t, struct buf *out) {
    cord_text begin = TEXT("\\begin{pmatrix}");
    ptrdiff_t one = text_find(t, TEXT("\\\\"));
    if (!text_starts(t, begin) || one < 0) return false;
    size_t second = (size_t)one + 2, end = second;
    while (end < t.len && !starts_at(t, end, "\\\\") && !starts_at(t, end, "\\end")) end++;
    cord_text a = text_slice(t, begin.len, (size_t)one), b = text_slice(t, second, end);
    if (text_equal(text_trim(a), text_trim(b))) return false;
    buf_add(out, begin);
    buf_add(out, b);
    buf_add(out, TEXT("\\\\"));
    buf_add(out, a);
    buf_add(out, text_slice(t, end, t.len));
    return true;
}

static const struct rewrite near_misses[] = {
    {"last digit", last_digit},
    {"first digit", first_digit},
    {"sign flipped", sign_flipped},
    {"minus for plus", minus_for_plus},
    {"plus for minus", plus_for_minus},
    {"coordinates swapped", coordinates_swapped},
    {"open for closed", bracket_changed},
    {"entry dropped", entry_dropped},
    {"fraction upside down", fraction_upside_down},
    {"cube for square root", cube_root},
    {"3.14 for pi", pi_rounded},
    {"another choice", other_choice},
    {"rows exchanged", rows_exchanged},
};

#endif
