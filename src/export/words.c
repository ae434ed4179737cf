/* words.c - see words.h. */
#include "export/words.h"

#include <ctype.h>

/* ---- characters --------------------------------------------------------------------------------------------------- */

struct range {
    uint32_t first, last;
};

/* Blanks, punctuation and signs beyond ASCII, without the letters and digits that stand among them. */
static const struct range breaks[] = {
    {0xA0, 0xA9},     {0xAB, 0xB1},     {0xB4, 0xB4},     {0xB6, 0xB8},     {0xBB, 0xBB},     {0xBF, 0xBF},
    {0xD7, 0xD7},     {0xF7, 0xF7},     {0x2000, 0x206F}, {0x2190, 0x22FF}, /* arrows, operators: as + is, and < */
    {0x3000, 0x3004}, {0x3008, 0x3020}, {0x3030, 0x3030}, {0x303D, 0x303F}, {0xFEFF, 0xFEFF}, {0xFF01, 0xFF0F},
    {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65}, {0xFFE0, 0xFFE6},
};

/* Whether the character at `at` belongs to a word; *next is behind it. What is no UTF-8 does. */
static bool in_word(cord_text text, size_t at, size_t *next) {
    *next = at + 1;
    if ((unsigned char)text.data[at] < 0x80) return isalnum((unsigned char)text.data[at]);
    *next = at;
    uint32_t c = utf8_next(text, next);
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++)
        if (c >= breaks[i].first && c <= breaks[i].last) return false;
    return true;
}

/* Capitals of ASCII, Latin-1, Greek and Cyrillic, and how far their small letters are; beyond ASCII both have two bytes. */
static const struct {
    struct range capitals;
    uint32_t distance;
} cases[] = {
    {{'A', 'Z'}, 32},     {{0xC0, 0xD6}, 32},   {{0xD8, 0xDE}, 32},   {{0x386, 0x386}, 38},
    {{0x388, 0x38A}, 37}, {{0x38C, 0x38C}, 64}, {{0x38E, 0x38F}, 63}, {{0x391, 0x3A1}, 32},
    {{0x3A3, 0x3AB}, 32}, {{0x3C2, 0x3C2}, 1}, /* a sigma at the end */
    {{0x400, 0x40F}, 80}, {{0x410, 0x42F}, 32},
};

/* Puts the character at *at down in small letters, in as many bytes as it has; *at moves behind it. */
static size_t put_small(cord_text word, size_t *at, char *out) {
    size_t from = *at;
    uint32_t c = utf8_next(word, at);
    memcpy(out, word.data + from, *at - from);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (c < cases[i].capitals.first || c > cases[i].capitals.last) continue;
        uint32_t small = c + cases[i].distance;
        out[0] = (char)(c < 0x80 ? small : 0xC0 | small >> 6);
        if (c >= 0x80) out[1] = (char)(0x80 | (small & 0x3F));
    }
    return *at - from;
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

cord_text words_next(cord_text text, size_t *at) {
    size_t next;
    while (*at < text.len && !in_word(text, *at, &next)) *at = next;
    size_t begin = *at;
    while (*at < text.len && in_word(text, *at, &next)) *at = next;
    return text_slice(text, begin, *at);
}

uint64_t word_hash(cord_text word) {
    uint64_t hash = 0;
    char small[64];
    for (size_t at = 0; at < word.len;) {
        size_t n = 0;
        while (at < word.len && n + 4 <= sizeof small) n += put_small(word, &at, small + n);
        hash = seed_text(hash, (cord_text){small, n});
    }
    return hash;
}

uint64_t signs_hash(cord_text text) {
    uint64_t hash = 0;
    for (cord_text rest = text_trim(text); rest.len; rest = text_trim(rest)) {
        size_t n = 1;
        while (n < rest.len && !isspace((unsigned char)rest.data[n])) n++;
        hash = seed_mix(hash, word_hash(text_slice(rest, 0, n)));
        rest = text_slice(rest, n, rest.len);
    }
    return hash;
}

size_t words_count(cord_text text) {
    size_t n = 0, at = 0;
    while (words_next(text, &at).len) n++;
    return n;
}

cord_status words_init(struct words *words, cord_text text, cord_error *err) {
    size_t n = words_count(text), at = 0;
    *words = (struct words){.n = n};
    arena_init(&words->arena);
    words->hash = arena_alloc(&words->arena, (n + 1) * sizeof *words->hash);
    words->begin = arena_alloc(&words->arena, (n + 1) * sizeof *words->begin);
    words->end = arena_alloc(&words->arena, (n + 1) * sizeof *words->end);
    if (!words->hash || !words->begin || !words->end) {
        words_release(words);
        return error_memory(err);
    }
    for (size_t i = 0; i < n; i++) {
        cord_text word = words_next(text, &at);
        words->hash[i] = word_hash(word);
        words->begin[i] = at - word.len;
        words->end[i] = at;
    }
    return CORD_OK;
}

void words_release(struct words *words) {
    arena_release(&words->arena);
    *words = (struct words){0};
}

uint64_t words_gram(const struct words *words, size_t at, size_t n) {
    uint64_t hash = n;
    for (size_t i = 0; i < n; i++) hash = seed_mix(hash, words->hash[at + i]);
    return hash;
}
