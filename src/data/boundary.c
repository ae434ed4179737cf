/* boundary.c - finds where steps end without markers (boundary.h). It must not know who wrote the text. */

#include "data/boundary.h"

#include "data/segment.h"

/* ---- characters ---------------------------------------------------------------------------------------------- */

static bool is_blank(uint32_t c) { return c == ' ' || (c >= '\t' && c <= '\r' && c != '\n'); }

static bool is_word(uint32_t c) {
    if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    bool signs = c < 0xc0 || (c >= 0x2000 && c <= 0x206f) || (c >= 0x3000 && c <= 0x303f) ||
                 (c >= 0xff00 && c <= 0xff0f) || (c >= 0xff1a && c <= 0xff20);
    return !signs;
}

static bool is_opening(uint32_t c) {
    switch (c) {
    case '*':
    case '_':
    case '"':
    case '\'':
    case '(':
    case '[':
    case 0x201c:
    case 0x2018:
    case 0xab:
    case 0xbf:
    case 0xa1:
    case 0x300c: return true; /* “ ‘ « ¿ ¡ 「 */
    default: return false;
    }
}

static bool is_closing(uint32_t c) {
    switch (c) {
    case '*':
    case '_':
    case '"':
    case '\'':
    case ')':
    case ']':
    case 0x201d:
    case 0x2019:
    case 0xbb:
    case 0x300d: return true; /* ” ’ » 」 */
    default: return false;
    }
}

/* Small letters for capital ones, of the alphabets in which models reason: Latin, Greek, Cyrillic; and one sign for what is
 * written in several ways. */
static uint32_t fold(uint32_t c) {
    if (c >= 'A' && c <= 'Z') return c + 32;
    if (c >= 0xc0 && c <= 0xde && c != 0xd7) return c + 32;
    if (c >= 0x391 && c <= 0x3a9) return c + 32;
    if (c >= 0x410 && c <= 0x42f) return c + 32;
    if (c >= 0x400 && c <= 0x40f) return c + 80;
    if (c == 0x2018 || c == 0x2019 || c == 0x2bc) return '\'';
    if (c == 0x2010 || c == 0x2011) return '-';
    return c == '\n' || is_blank(c) ? ' ' : c;
}

/* The character that ends at `end`, and in *from where it begins; 0 at the text's beginning. */
static uint32_t before(cord_text text, size_t end, size_t *from) {
    *from = end;
    if (!end) return 0;
    do --*from;
    while (*from && end - *from < 4 && ((unsigned char)text.data[*from] & 0xc0) == 0x80);
    size_t at = *from;
    return utf8_next(text, &at);
}

/* ---- phrases ------------------------------------------------------------------------------------------------- */

bool boundary_next_phrase(cord_text *phrases, cord_text *phrase) {
    while (phrases->len) {
        size_t end = 0;
        while (end < phrases->len && !strchr(",;\n", phrases->data[end])) end++;
        *phrase = text_trim(text_slice(*phrases, 0, end));
        *phrases = text_slice(*phrases, end < phrases->len ? end + 1 : end, phrases->len);
        if (phrase->len) return true;
    }
    return false;
}

const char *boundary_phrases_complaint(cord_text phrases) {
    cord_text phrase;
    bool any = false;
    for (; boundary_next_phrase(&phrases, &phrase); any = true) {
        size_t first = 0, last;
        if (!is_word(utf8_next(phrase, &first)) || !is_word(before(phrase, phrase.len, &last)))
            return "holds a phrase that does not begin and end with a letter or a digit";
    }
    return any ? NULL : "holds no phrase";
}

/* Whether the word that ends at `at` is whole: no letter follows, nor one behind a hyphen or an apostrophe. In scripts without
 * blanks between words every character is one. */
static bool word_ends(cord_text text, size_t at, bool goes_on) {
    size_t from;
    if (at == text.len) return !goes_on;
    uint32_t last = before(text, at, &from), next = utf8_next(text, &at);
    if (is_word(next)) return utf8_width(last) == 2 || utf8_width(next) == 2;
    next = fold(next);
    return (next != '-' && next != '\'') || at == text.len || !is_word(utf8_next(text, &at));
}

static bool stands_at(cord_text phrase, cord_text text, size_t at, bool goes_on) {
    for (size_t i = 0; i < phrase.len;) {
        if (at == text.len) return false;
        uint32_t want = fold(utf8_next(phrase, &i)), have = fold(utf8_next(text, &at));
        if (want != have) return false;
        if (want != ' ') continue;
        while (i < phrase.len && fold((unsigned char)phrase.data[i]) == ' ') i++;
        while (at < text.len && fold((unsigned char)text.data[at]) == ' ') at++;
    }
    return word_ends(text, at, goes_on);
}

static bool any_stands_at(cord_text phrases, cord_text text, size_t at, bool goes_on) {
    cord_text phrase;
    while (boundary_next_phrase(&phrases, &phrase))
        if (stands_at(phrase, text, at, goes_on)) return true;
    return false;
}

/* ---- where a phrase counts ----------------------------------------------------------------------------------- */

/* Whether nothing but what marks an item, a quotation or a heading ("2.", "-", ">", "##") stands between `at` and the beginning
 * of its line, which goes into *line. */
static bool behind_a_bullet(cord_text text, size_t at, size_t *line) {
    enum { LONGEST = 16 };
    size_t from = at;
    while (from && at - from < LONGEST && text.data[from - 1] != '\n') {
        if (!strchr("0123456789.)>#-+*_ \t", text.data[from - 1])) return false;
        from--;
    }
    *line = from;
    return from == 0 || text.data[from - 1] == '\n';
}

/* Whether a line or a sentence starts at `at`, and in *cut where what is before it ends. Quotes, brackets and emphasis may
 * stand around the sentences' ends and starts. A text that continues another begins inside a line. */
static bool sentence_starts(cord_text text, size_t at, bool continues, size_t *cut) {
    size_t open = at, from;
    while (is_opening(before(text, open, &from))) open = from;
    size_t blank = open;
    while (blank && is_blank((unsigned char)text.data[blank - 1])) blank--;
    *cut = blank;
    if (blank == 0 || text.data[blank - 1] == '\n') return true;
    if (behind_a_bullet(text, blank, cut) && (*cut || !continues)) return true;
    size_t end = blank;
    while (is_closing(before(text, end, &from))) end = from;
    *cut = blank;
    switch (before(text, end, &from)) {
    case '.':
    case '!':
    case '?':
    case 0x2026: return blank < open; /* … */
    case 0x3002:
    case 0xff01:
    case 0xff1f: return true; /* 。！？ */
    default: return false;
    }
}

/* Whether a step could be made of this: it has words, other than a number in a list. */
static bool has_content(cord_text step, bool continues) {
    if (continues) return step.len > 0;
    if (segment_is_empty(step)) return false;
    for (size_t at = 0; at < step.len;)
        if (is_word(utf8_next(step, &at))) return true;
    return false;
}

ptrdiff_t boundary_prefix(cord_text phrases, cord_text text, bool continues, bool goes_on) {
    uint32_t last = 0;
    for (size_t at = 0, next = 0, cut; next < text.len; at = next) {
        uint32_t c = utf8_next(text, &next);
        bool starts = is_word(c) && (!is_word(last) || utf8_width(c) == 2);
        last = c;
        if (!starts || !any_stands_at(phrases, text, at, goes_on) || !sentence_starts(text, at, continues, &cut))
            continue;
        if (has_content(text_slice(text, 0, cut), continues)) return (ptrdiff_t)cut;
    }
    return -1;
}

ptrdiff_t boundary_line_break(cord_text text, bool continues) {
    bool content = continues, empty = false; /* the line in progress, once it has a beginning */
    for (size_t at = 0; at < text.len; at++) {
        if (text.data[at] == '\n') {
            if (empty && content) return (ptrdiff_t)at + 1;
            empty = true;
        } else if (!is_blank((unsigned char)text.data[at])) {
            content = true;
            empty = false;
        }
    }
    return -1;
}
