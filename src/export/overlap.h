/* overlap.h - which texts share a run of words with an evaluation set, so that they can be left out of training data
 * (decontamination). It must not know rows or runs.
 *
 * A match is `n` words in a row (13 by default, as for GPT-3), whatever their case and punctuation (words.h has which); of a question that is
 * shorter, all its words. */
#ifndef CORD_OVERLAP_H
#define CORD_OVERLAP_H

#include "export/hashes.h"

enum { OVERLAP_WORDS = 13, OVERLAP_FEWEST = 5, OVERLAP_MOST_FILES = 64 };

struct overlap {
    size_t n;
    struct hashes grams;
    bool short_lengths[64]; /* lengths of whole questions of fewer than n words */
    const char *files[OVERLAP_MOST_FILES];
    int n_files;
    int64_t questions;
    int64_t too_short; /* questions of fewer than OVERLAP_FEWEST words: they would match nearly everything */
};

/* Where a text met an evaluation set. */
struct overlap_match {
    const char *file;
    int64_t line;
    cord_text words; /* of the text, as they stand there */
};

void overlap_init(struct overlap *overlap, size_t n); /* n: 1 to 63 */
void overlap_release(struct overlap *overlap);
/* Adds an evaluation set, whatever kind of file it is (data/source.h has the kinds, and `library`): rows, of which the question
 * counts (the members "question", "problem", "prompt", "instruction", "query", "text", "messages", "conversations", whichever
 * comes first, in capitals or not; of a list of turns, the last user's), or plain lines of UTF-8. What is none of these is
 * CORD_BAD_INPUT, and so is a set without a question. The path is borrowed. */
cord_status overlap_add(struct overlap *overlap, const char *path, const char *library, cord_error *err);
cord_status overlap_find(const struct overlap *overlap, cord_text text, bool *found, struct overlap_match *match,
                         cord_error *err);

#endif
