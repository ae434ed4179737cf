/* pieces.c - what a server's tokens spell. Tokenizers write their tokens in alphabets of their own; the bytes of each are
 * needed to find a target's tokens. Whatever the alphabet, the pieces must make up the text, or they are refused.
 * It must not know protocols. */
#include "model/http/remote.h"

#include <stdlib.h>

void pieces_release(struct pieces *pieces) {
    free(pieces->id);
    free(pieces->end);
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

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

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
        spell((cord_text){json_string_value(string), json_string_length(string)}, out);
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

bool pieces_append(struct pieces *pieces, const struct pieces *more) {
    size_t before = pieces->n ? pieces->end[pieces->n - 1] : 0;
    if (!make_room(pieces, (size_t)more->n)) return false;
    for (int i = 0; i < more->n; i++, pieces->n++) {
        pieces->id[pieces->n] = more->id[i];
        pieces->end[pieces->n] = before + more->end[i];
    }
    return true;
}

bool pieces_add(struct pieces *pieces, const json_t *tokens, const json_t *strings, cord_text text) {
    static void (*const alphabets[])(cord_text, struct buf *) = {spell_plain, spell_gpt2, spell_sentencepiece};
    size_t n = json_array_size(tokens), before = pieces->n ? pieces->end[pieces->n - 1] : 0;
    if (!json_is_array(tokens) || !json_is_array(strings) || json_array_size(strings) != n) return false;
    if (!make_room(pieces, n)) return false;
    int *id = pieces->id + pieces->n;
    size_t *end = pieces->end + pieces->n;
    bool good = false;
    for (size_t a = 0; a < sizeof alphabets / sizeof *alphabets && !good; a++)
        good = spells(strings, text, alphabets[a], end);
    for (size_t i = 0; good && i < n; i++) {
        const json_t *token = json_array_get(tokens, i);
        good = json_is_integer(token) && json_integer_value(token) >= 0 && json_integer_value(token) <= INT32_MAX;
        id[i] = (int)json_integer_value(token);
        end[i] += before;
    }
    if (good) pieces->n += (int)n;
    return good;
}
