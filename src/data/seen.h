/* seen.h - a set of texts that are known by their hash alone, each with a number: which row had this id first? Up to
 * SEEN_IN_MEMORY texts it lies in memory; with more, in a file without a name, so that memory does not grow with them. On
 * disk a million texts take 50 to 100 MB, however long they are. It must not know what the texts are. */
#ifndef CORD_SEEN_H
#define CORD_SEEN_H

#include "base/base.h"

enum { SEEN_IN_MEMORY = 1 << 15 }; /* texts; 1.5 MB */

struct seen_slot {
    unsigned char hash[16]; /* the beginning of the text's SHA-256 */
    int64_t number;         /* 0: the slot is free */
};

struct seen {
    struct seen_slot *slots; /* NULL: they are in the file */
    int file;
    size_t n, capacity; /* a power of two, at most half of it used */
};

void seen_init(struct seen *seen);
void seen_release(struct seen *seen);
/* Notes a text with a number above 0, unless it was noted before: then `earlier` is the number that it was noted with first,
 * and it keeps that. Else `earlier` is 0. */
cord_status seen_note(struct seen *seen, cord_text text, int64_t number, int64_t *earlier, cord_error *err);

#endif
