/* words.c - see words.h. */
#include "export/words.h"

#include <ctype.h>

static bool in_word(char c) { return (unsigned char)c >= 0x80 || isalnum((unsigned char)c); }

cord_text words_next(cord_text text, size_t *at) {
    while (*at < text.len && !in_word(text.data[*at])) ++*at;
    size_t begin = *at;
    while (*at < text.len && in_word(text.data[*at])) ++*at;
    return text_slice(text, begin, *at);
}

uint64_t word_hash(cord_text word) {
    uint64_t hash = 0;
    char small[64];
    for (size_t from = 0; from < word.len; from += sizeof small) {
        size_t n = word.len - from < sizeof small ? word.len - from : sizeof small;
        for (size_t i = 0; i < n; i++) small[i] = (char)tolower((unsigned char)word.data[from + i]);
        hash = seed_text(hash, (cord_text){small, n});
    }
    return hash;
}

uint64_t words_hash(cord_text text) {
    uint64_t hash = 0;
    size_t at = 0;
    for (cord_text word; (word = words_next(text, &at)).len;) hash = seed_mix(hash, word_hash(word));
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
