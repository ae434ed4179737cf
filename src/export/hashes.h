/* hashes.h - a set of 64-bit hashes, each with a small number: what was seen, and where. Of a million rows it takes some
 * 30 megabytes, whatever they hold. Two texts with one hash count as one, which among a million rows happens once in some
 * thirty million exports. It must not know what is hashed. */
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
