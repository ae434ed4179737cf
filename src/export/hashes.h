/* hashes.h - a set of 64-bit hashes in memory, each with a small number: the n-grams of a text, or of the sets that it must not
 * overlap with. Of a million it takes some 30 megabytes. Two texts with one hash count as one, which among a million happens
 * once in some thirty million sets. (What grows with the rows of an export lies in data/seen.h, and then on disk.) It must not
 * know what is hashed. */
#ifndef CORD_HASHES_H
#define CORD_HASHES_H

#include "base/base.h"

struct hashes {
    struct {
        uint64_t hash; /* 0: free */
        int64_t value;
    } * slots;
    size_t n, size;
};

void hashes_init(struct hashes *set);
void hashes_release(struct hashes *set);
/* The value that was put with this hash first, or NULL. Valid until the next put. */
const int64_t *hashes_get(const struct hashes *set, uint64_t hash);
/* Notes it with its value; one that is there already keeps its first. */
cord_status hashes_put(struct hashes *set, uint64_t hash, int64_t value, cord_error *err);

#endif
