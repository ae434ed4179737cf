/* hashes.c - open addressing with linear probing; see hashes.h. */
#include "export/hashes.h"

#include <stdlib.h>

enum { FIRST_SIZE = 1 << 10 };
#define MOST_HASHES ((size_t)1 << 30)

void hashes_init(struct hashes *set) { *set = (struct hashes){0}; }

void hashes_release(struct hashes *set) {
    free(set->slots);
    hashes_init(set);
}

/* 0 marks a free slot, so no text may have it. */
static uint64_t mended(uint64_t hash) { return hash ? hash : 1; }

/* Where a hash stands, or where it would. There is always a free slot. */
static size_t find(const struct hashes *set, uint64_t hash) {
    size_t at = (size_t)seed_mix(hash, 0) & (set->size - 1);
    while (set->slots[at].hash && set->slots[at].hash != hash) at = (at + 1) & (set->size - 1);
    return at;
}

const int64_t *hashes_get(const struct hashes *set, uint64_t hash) {
    if (!set->size) return NULL;
    size_t at = find(set, mended(hash));
    return set->slots[at].hash ? &set->slots[at].value : NULL;
}

static cord_status grow(struct hashes *set, cord_error *err) {
    struct hashes larger = {.size = set->size ? 2 * set->size : FIRST_SIZE, .n = set->n};
    if (larger.size > MOST_HASHES) return error_set(err, CORD_NO_MEMORY, "more texts than cord keeps hashes of");
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (!larger.slots) return error_memory(err);
    for (size_t i = 0; i < set->size; i++)
        if (set->slots[i].hash) larger.slots[find(&larger, set->slots[i].hash)] = set->slots[i];
    free(set->slots);
    *set = larger;
    return CORD_OK;
}

cord_status hashes_put(struct hashes *set, uint64_t hash, int64_t value, cord_error *err) {
    hash = mended(hash);
    if (2 * set->n >= set->size) CORD_TRY(grow(set, err));
    size_t at = find(set, hash);
    if (set->slots[at].hash) return CORD_OK;
    set->slots[at].hash = hash;
    set->slots[at].value = value;
    set->n++;
    return CORD_OK;
}
