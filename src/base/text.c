/* text.c - looking at texts: searching, trimming, UTF-8, and the distance between words. */
#include "base/base.h"

#include <stdlib.h>

/* ---- searching and trimming ---------------------------------------------------------------------------------- */

bool text_equal(cord_text a, cord_text b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool text_equal_any_case(cord_text a, cord_text b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i])) return false;
    return true;
}

bool text_starts(cord_text t, cord_text prefix) {
    return t.len >= prefix.len && text_equal(text_slice(t, 0, prefix.len), prefix);
}

bool text_ends(cord_text t, cord_text suffix) {
    return t.len >= suffix.len && text_equal(text_slice(t, t.len - suffix.len, t.len), suffix);
}

ptrdiff_t text_find(cord_text t, cord_text what) {
    if (what.len == 0 || t.len < what.len) return -1;
    const char *found = memmem(t.data, t.len, what.data, what.len);
    return found ? found - t.data : -1;
}

ptrdiff_t text_rfind(cord_text t, cord_text what) {
    if (what.len == 0) return -1;
    for (size_t at = t.len; at >= what.len; at--)
        if (memcmp(t.data + at - what.len, what.data, what.len) == 0) return (ptrdiff_t)(at - what.len);
    return -1;
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

cord_text text_trim_end(cord_text t) {
    while (t.len && is_blank(t.data[t.len - 1])) t.len--;
    return t;
}

cord_text text_trim(cord_text t) {
    t = text_trim_end(t);
    while (t.len && is_blank(*t.data)) t.data++, t.len--;
    return t;
}

bool text_next_line(cord_text *rest, cord_text *line) {
    if (!rest->len) return false;
    const char *end = memchr(rest->data, '\n', rest->len);
    *line = text_slice(*rest, 0, end ? (size_t)(end - rest->data) : rest->len);
    *rest = text_slice(*rest, line->len + (end != NULL), rest->len);
    return true;
}

int text_place(cord_text word, const char *const *list) {
    for (int i = 0; list[i]; i++)
        if (text_equal(word, text_of(list[i]))) return i;
    return -1;
}

/* ---- UTF-8 --------------------------------------------------------------------------------------------------- */

/* Bytes that a character needs, told by its first byte; 0 where no character begins so. */
static size_t utf8_need(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

/* True where `second` may follow `lead`: refuses overlong forms, surrogates, and what lies above U+10FFFF. */
static bool utf8_second(unsigned char lead, unsigned char second) {
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high;
}

/* How many bytes at `s` (n of them) belong to one character so far; *need is what a whole one takes, 0 if invalid. */
static size_t utf8_match(const unsigned char *s, size_t n, size_t *need) {
    *need = utf8_need(s[0]);
    size_t have = 1;
    while (have < *need && have < n) {
        bool good = have == 1 ? utf8_second(s[0], s[1]) : (s[have] & 0xC0) == 0x80;
        if (!good)
            *need = 0;
        else
            have++;
    }
    return have;
}

size_t utf8_valid_prefix(cord_text t) {
    size_t at = 0, need;
    while (at < t.len) {
        size_t have = utf8_match((const unsigned char *)t.data + at, t.len - at, &need);
        if (need == 0 || have < need) break;
        at += need;
    }
    return at;
}

bool utf8_incomplete(cord_text tail) {
    size_t need = 0;
    if (tail.len == 0) return false;
    size_t have = utf8_match((const unsigned char *)tail.data, tail.len, &need);
    return have == tail.len && have < need;
}

char *utf8_mend(cord_text bytes, size_t *len) {
    static const cord_text replacement = {"\xEF\xBF\xBD", 3};
    char *text = malloc(bytes.len * replacement.len + 1), *to = text;
    while (text && bytes.len) {
        size_t good = strnlen(bytes.data, utf8_valid_prefix(bytes));
        to = mempcpy(to, bytes.data, good);
        bytes = text_slice(bytes, good, bytes.len);
        if (bytes.len == 0 || utf8_incomplete(bytes)) break;
        to = mempcpy(to, replacement.data, replacement.len);
        bytes = text_slice(bytes, 1, bytes.len);
    }
    if (text) *to = '\0', *len = (size_t)(to - text);
    return text;
}

uint32_t utf8_next(cord_text t, size_t *at) {
    const unsigned char *s = (const unsigned char *)t.data + *at;
    size_t need;
    size_t have = utf8_match(s, t.len - *at, &need);
    if (need == 0 || have < need) {
        *at += 1;
        return 0xFFFD;
    }
    *at += need;
    if (need == 1) return s[0];
    uint32_t c = s[0] & (0x7Fu >> need);
    for (size_t i = 1; i < need; i++) c = c << 6 | (s[i] & 0x3Fu);
    return c;
}

bool utf8_is_obeyed(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || (c >= 0x200E && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void utf8_make_printable(char *s) {
    cord_text text = text_of(s);
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        uint32_t c = utf8_next(text, &at);
        if (utf8_is_obeyed(c) || (c == 0xFFFD && at == from + 1))
            s[len++] = '?';
        else
            while (from < at) s[len++] = s[from++];
    }
    s[len] = '\0';
}

int utf8_width(uint32_t c) {
    static const struct {
        uint32_t from, to;
    } zero[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F},
                {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}},
      wide[] = {{0x1100, 0x115F}, {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},
                {0xA000, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
    for (size_t i = 0; i < sizeof zero / sizeof *zero; i++)
        if (c >= zero[i].from && c <= zero[i].to) return 0;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (c >= wide[i].from && c <= wide[i].to) return 2;
    return 1;
}

/* ---- did you mean -------------------------------------------------------------------------------------------- */

enum { WORD_MAX = 63 };

int text_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > WORD_MAX || m > WORD_MAX) return WORD_MAX;
    int rows[3][WORD_MAX + 1]; /* two rows back, one row back, this row */
    int *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++) above[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int cost = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < cost) cost = above[j] + 1;
            if (row[j - 1] + 1 < cost) cost = row[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < cost) cost = before[j - 2] + 1;
            row[j] = cost;
        }
        int *oldest = before;
        before = above, above = row, row = oldest;
    }
    return above[m];
}

const char *text_nearest(const char *word, const char *const *words, size_t n) {
    const char *nearest = NULL;
    if (strlen(word) > WORD_MAX) return NULL;   /* their distance is not computed */
    int best = (int)(strlen(word) + 2) / 3 + 1; /* a third of the letters may be wrong */
    for (size_t i = 0; i < n; i++) {
        int distance = text_distance(word, words[i]);
        if (distance < best) best = distance, nearest = words[i];
    }
    return nearest;
}
