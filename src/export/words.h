/* words.h - a text as words, for comparisons that should not mind punctuation, case or blanks. A word is a run of letters
 * and digits; beyond ASCII, of all but common punctuation, signs and blanks. It must not know whose text it is. */
#ifndef CORD_WORDS_H
#define CORD_WORDS_H

#include "base/base.h"

/* The next word from *at on, or an empty text at the end; *at moves behind it. */
cord_text words_next(cord_text text, size_t *at);
/* Of a word, in small letters (of ASCII, Latin-1, Greek and Cyrillic). */
uint64_t word_hash(cord_text word);
/* Of all that a text has, signs too, so that "x + 5" is not "x - 5": in small letters, one blank for several, none at the
 * ends. */
uint64_t signs_hash(cord_text text);
size_t words_count(cord_text text);

/* A text's words as hashes, with where each begins and ends. */
struct words {
    uint64_t *hash;
    size_t *begin, *end;
    size_t n;
    struct arena arena;
};
cord_status words_init(struct words *words, cord_text text, cord_error *err);
void words_release(struct words *words);
/* Of the n words from `at` on. */
uint64_t words_gram(const struct words *words, size_t at, size_t n);

#endif
