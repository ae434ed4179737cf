/* pieces.c - what a server's tokens spell. Tokenizers write their tokens in alphabets of their own; the bytes of each are
 * needed to find a target's tokens. Whatever the alphabet, the pieces must make up the text, or they are refused.
 * It must not know protocols. */
#include "model/http/remote.h"

#include <stdlib.h>

typedef void alphabet(cord_text, struct buf *);

void pieces_release(struct pieces *pieces) {
    free(pieces->id);
    free(pieces->end);
    free(pieces->logprob);
    *pieces = (struct pieces){0};
}

/* For n more. */
static bool make_room(struct pieces *pieces, size_t n) {
    if (n > (size_t)INT32_MAX - (size_t)pieces->n) return false;
    int *id = realloc(pieces->id, ((size_t)pieces->n + n + 1) * sizeof *id);
    if (id) pieces->id = id;
    size_t *end = realloc(pieces->end, ((size_t)pieces->n + n + 1) * sizeof *end);
    if (end) pieces->end = end;
    return id && end;
}

/* The byte that a character of GPT-2's alphabet stands for (bytes that print are themselves, the others U+0100 and up in
 * order), or -1. */
static int gpt2_byte(uint32_t c) {
    bool prints = (c >= 0x21 && c <= 0x7E) || (c >= 0xA1 && c <= 0xAC) || (c >= 0xAE && c <= 0xFF);
    if (prints) return (int)c;
    if (c < 0x100 || c > 0x143) return -1;
    uint32_t n = c - 0x100; /* the n-th byte that does not print */
    for (int b = 0; b < 256; b++) {
        bool other = !((b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE);
        if (other && n-- == 0) return b;
    }
    return -1;
}

static void spell_gpt2(cord_text string, struct buf *out) {
    for (size_t at = 0; at < string.len;) {
        size_t start = at;
        int byte = gpt2_byte(utf8_next(string, &at));
        if (byte >= 0)
            buf_addc(out, (char)byte);
        else
            buf_add(out, text_slice(string, start, at));
    }
}

/* SentencePiece: "▁" is a blank, "<0x0A>" a byte. */
static void spell_sentencepiece(cord_text string, struct buf *out) {
    static const cord_text blank = {"\xE2\x96\x81", 3};
    bool byte = string.len == 6 && text_starts(string, TEXT("<0x")) && string.data[5] == '>' &&
                hex(string.data[3]) >= 0 && hex(string.data[4]) >= 0;
    if (byte) {
        buf_addc(out, (char)(16 * hex(string.data[3]) + hex(string.data[4])));
        return;
    }
    while (string.len) {
        bool is_blank = text_starts(string, blank);
        if (is_blank)
            buf_addc(out, ' ');
        else
            buf_addc(out, *string.data);
        string = text_slice(string, is_blank ? blank.len : 1, string.len);
    }
}

static void spell_plain(cord_text string, struct buf *out) { buf_add(out, string); }

/* Appends a token's bytes in the alphabet `spell`; arrays of numbers are bytes already. */
static bool spell_token(const json_t *string, void (*spell)(cord_text, struct buf *), struct buf *out) {
    if (json_is_string(string)) {
        spell(json_text_of(string), out);
        return true;
    }
    if (!json_is_array(string)) return false;
    for (size_t i = 0; i < json_array_size(string); i++) {
        const json_t *byte = json_array_get(string, i);
        if (!json_is_integer(byte) || json_integer_value(byte) < 0 || json_integer_value(byte) > 255) return false;
        buf_addc(out, (char)json_integer_value(byte));
    }
    return true;
}

/* Fills `end` in one alphabet; false where the pieces do not make up the text. */
static bool spells(const json_t *strings, cord_text text, void (*spell)(cord_text, struct buf *), size_t *end) {
    struct buf bytes;
    buf_init(&bytes, "the text of some tokens", text.len + 1024);
    bool good = true;
    for (size_t i = 0; good && i < json_array_size(strings); i++) {
        good = spell_token(json_array_get(strings, i), spell, &bytes) && bytes.status == CORD_OK;
        end[i] = bytes.len;
    }
    good = good && text_equal(buf_text(&bytes), text);
    buf_release(&bytes);
    return good;
}

/* The log-probabilities of a text in one part; a text of several parts has none. */
static bool copy_logprobs(struct pieces *pieces, const struct pieces *more) {
    if (pieces->n || !more->logprob) return true;
    pieces->logprob = malloc(((size_t)more->n + 1) * sizeof *pieces->logprob);
    if (pieces->logprob) memcpy(pieces->logprob, more->logprob, (size_t)more->n * sizeof *pieces->logprob);
    return pieces->logprob != NULL;
}

bool pieces_append(struct pieces *pieces, const struct pieces *more) {
    size_t before = pieces->n ? pieces->end[pieces->n - 1] : 0;
    if (!copy_logprobs(pieces, more) || !make_room(pieces, (size_t)more->n)) return false;
    for (int i = 0; i < more->n; i++, pieces->n++) {
        pieces->id[pieces->n] = more->id[i];
        pieces->end[pieces->n] = before + more->end[i];
    }
    return true;
}

static alphabet *const alphabets[] = {spell_plain, spell_gpt2, spell_sentencepiece};

static bool read_id(const json_t *token, int *id) {
    *id = (int)json_integer_value(token);
    return json_is_integer(token) && json_integer_value(token) >= 0 && json_integer_value(token) <= INT32_MAX;
}

/* Whether all of them are tokens, whatever they spell. */
static bool are_tokens(const json_t *tokens, const json_t *strings) {
    bool good = json_array_size(tokens) > 0;
    for (size_t i = 0; good && i < json_array_size(tokens); i++) {
        const json_t *string = json_array_get(strings, i);
        int id;
        good = read_id(json_array_get(tokens, i), &id) && (json_is_string(string) || json_is_array(string));
    }
    return good;
}

bool pieces_add(struct pieces *pieces, const json_t *tokens, const json_t *strings, cord_text text) {
    size_t n = json_array_size(tokens), before = pieces->n ? pieces->end[pieces->n - 1] : 0;
    if (!json_is_array(tokens) || !json_is_array(strings) || json_array_size(strings) != n) return false;
    if (!make_room(pieces, n)) return false;
    int *id = pieces->id + pieces->n;
    size_t *end = pieces->end + pieces->n;
    bool good = false;
    for (size_t a = 0; a < sizeof alphabets / sizeof *alphabets && !good; a++)
        good = spells(strings, text, alphabets[a], end);
    pieces->altered = !good && are_tokens(tokens, strings);
    for (size_t i = 0; good && i < n; i++) {
        good = read_id(json_array_get(tokens, i), &id[i]);
        end[i] += before;
    }
    if (good) pieces->n += (int)n;
    return good;
}

bool pieces_add_ids(struct pieces *pieces, const json_t *tokens) {
    size_t n = json_array_size(tokens);
    if (!json_is_array(tokens) || !make_room(pieces, n)) return false;
    for (size_t i = 0; i < n; i++) {
        if (!read_id(json_array_get(tokens, i), &pieces->id[pieces->n + (int)i])) return false;
        pieces->end[pieces->n + (int)i] = 0;
    }
    pieces->n += (int)n;
    return true;
}

/* ---- the same from a reply as it came ------------------------------------------------------------------------ */

/* A tree of JSON has an allocation for each token and each piece, and thousands of prompts are being tokenised: that took
 * two thirds of a core. Here is as much of JSON as such replies have; whatever else comes is left to jansson. */
struct scan {
    const char *at, *end;
};

static bool scan_char(struct scan *s, char c) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t')) s->at++;
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

/* The four digits of \uXXXX, where they are a character by themselves. */
static bool scan_unicode(struct scan *s, struct buf *out) {
    uint32_t c = 0;
    if (s->end - s->at < 4) return false;
    for (int i = 0; i < 4; i++) {
        int value = hex(*s->at++);
        if (value < 0) return false;
        c = 16 * c + (uint32_t)value;
    }
    if (c == 0 || (c >= 0xD800 && c < 0xE000)) return false;
    if (c >= 0x800) buf_addc(out, (char)(0xE0 | c >> 12));
    if (c >= 0x80) buf_addc(out, (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3F) : 0xC0 | c >> 6));
    buf_addc(out, (char)(c >= 0x80 ? 0x80 | (c & 0x3F) : c));
    return true;
}

/* A string, appended to `out`. */
static bool scan_string(struct scan *s, struct buf *out) {
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (!scan_char(s, '"')) return false;
    for (;;) {
        const char *plain = s->at;
        while (s->at < s->end && *s->at != '"' && *s->at != '\\') s->at++;
        buf_add(out, (cord_text){plain, (size_t)(s->at - plain)});
        if (s->end - s->at < 2) return false; /* there is a brace behind the string, at least */
        if (*s->at++ == '"') return true;
        char c = *s->at++;
        const char *escape = c ? strchr(escapes, c) : NULL;
        if (escape)
            buf_addc(out, meant[escape - escapes]);
        else if (c != 'u' || !scan_unicode(s, out))
            return false;
    }
}

static bool is_mark(char c) {
    return c == ',' || c == '"' || c == '[' || c == ']' || c == '{' || c == '}' || c == '\0';
}

/* Passes over a value. */
static bool scan_over(struct scan *s) {
    int depth = 0;
    do {
        while (s->at < s->end && !is_mark(*s->at)) s->at++;
        if (s->at == s->end) return false;
        char c = *s->at;
        if (!c) return false;
        if (c == '"') {
            for (s->at++; s->at < s->end && *s->at != '"'; s->at++) s->at += *s->at == '\\' && s->at + 1 < s->end;
            if (s->at == s->end) return false;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (depth == 0) {
            return true; /* behind a number or a word */
        } else if (c != ',') {
            depth--;
        }
        s->at++;
    } while (depth > 0 || (s->at < s->end && *s->at != ',' && *s->at != '}'));
    return true;
}

/* Finds the list that is the member `key` of the object `reply`. */
static bool scan_list(cord_text reply, const char *key, struct scan *list) {
    struct scan s = {reply.data, reply.data + reply.len};
    struct buf name;
    bool found = false, more = scan_char(&s, '{');
    buf_init(&name, "a key", 1024);
    while (more && !found) {
        buf_clear(&name);
        more = scan_string(&s, &name) && scan_char(&s, ':');
        found = more && text_equal(buf_text(&name), text_of(key)) && scan_char(&s, '[');
        if (more && !found) more = scan_over(&s) && scan_char(&s, ',');
    }
    buf_release(&name);
    *list = s;
    return found;
}

static bool scan_ids(struct scan *s, int **ids, size_t *n) {
    size_t room = 0;
    if (scan_char(s, ']')) return true;
    do {
        int64_t id = 0;
        if (*n == room) {
            int *grown = realloc(*ids, (room = room ? 2 * room : 256) * sizeof *grown);
            if (!grown) return false;
            *ids = grown;
        }
        while (s->at < s->end && *s->at == ' ') s->at++;
        const char *first = s->at;
        for (; s->at < s->end && *s->at >= '0' && *s->at <= '9' && id <= INT32_MAX; s->at++)
            id = 10 * id + *s->at - '0';
        if (s->at == first || id > INT32_MAX) return false;
        (*ids)[(*n)++] = (int)id;
    } while (scan_char(s, ','));
    return scan_char(s, ']');
}

/* The strings one behind the other, and where each ends. */
static bool scan_strings(struct scan *s, struct buf *all, size_t *end, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if ((i && !scan_char(s, ',')) || !scan_string(s, all)) return false;
        end[i] = all->len;
    }
    return scan_char(s, ']') && all->status == CORD_OK;
}

/* As spells, of strings that were read already; `end` becomes the ends of their bytes. */
static bool spells_text(cord_text all, size_t *end, size_t n, cord_text text, alphabet *spell) {
    struct buf bytes;
    buf_init(&bytes, "the text of some tokens", text.len + 1024);
    size_t *ends = malloc((n + 1) * sizeof *ends);
    for (size_t i = 0; ends && i < n; i++) {
        spell(text_slice(all, i ? end[i - 1] : 0, end[i]), &bytes);
        ends[i] = bytes.len;
    }
    bool good = ends && bytes.status == CORD_OK && text_equal(buf_text(&bytes), text);
    if (good) memcpy(end, ends, n * sizeof *ends);
    buf_release(&bytes);
    free(ends);
    return good;
}

bool pieces_scan(struct pieces *pieces, cord_text reply, const char *tokens, const char *strings, cord_text text) {
    struct scan list;
    struct pieces found = {0};
    struct buf all;
    size_t n = 0;
    buf_init(&all, "the pieces of a text", 8 * text.len + 1024);
    bool good = scan_list(reply, tokens, &list) && scan_ids(&list, &found.id, &n) && n <= INT32_MAX &&
                (found.end = malloc((n + 1) * sizeof *found.end)) != NULL && scan_list(reply, strings, &list) &&
                scan_strings(&list, &all, found.end, n);
    bool spelled = false;
    for (size_t a = 0; good && !spelled && a < sizeof alphabets / sizeof *alphabets; a++)
        spelled = spells_text(buf_text(&all), found.end, n, text, alphabets[a]);
    found.n = (int)n;
    good = spelled && pieces_append(pieces, &found);
    buf_release(&all);
    pieces_release(&found);
    return good;
}
