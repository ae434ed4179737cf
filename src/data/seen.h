/* seen.h - a set of texts that are known by their hash alone, each with a number: which row had this id? A million texts take
 * some 50 MB, however long they are. It must not know what the texts are. */
#ifndef CORD_SEEN_H
#define CORD_SEEN_H

#include "base/base.h"

struct seen_slot {
    unsigned char hash[16]; /* the beginning of the text's SHA-256 */
    int64_t number;         /* 0: the slot is free */
};

struct seen {
    struct seen_slot *slots;
    size_t n, capacity; /* a power of two, at most half of it used */
};

void seen_init(struct seen *seen);
void seen_release(struct seen *seen);
/* The number that was put there with the text; 0: none was. */
int64_t seen_get(const struct seen *seen, cord_text text);
/* Puts the text there with a number above 0, in place of an earlier one. */
cord_status seen_put(struct seen *seen, cord_text text, int64_t number, cord_error *err);

#endif
