/* seen.c - open addressing over the beginnings of SHA-256. It must not know what the texts are. */
#include "data/seen.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void seen_init(struct seen *seen) { *seen = (struct seen){0}; }

void seen_release(struct seen *seen) {
    free(seen->slots);
    seen_init(seen);
}

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static void hash_of(cord_text text, unsigned char hash[16]) {
    char hex[65];
    sha256_text(text, hex);
    for (int i = 0; i < 16; i++) hash[i] = (unsigned char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
}

/* The slot of that hash, or the free one where it belongs. */
static struct seen_slot *find(const struct seen *seen, const unsigned char hash[16]) {
    size_t at;
    memcpy(&at, hash, sizeof at);
    for (;; at++) {
        struct seen_slot *slot = &seen->slots[at & (seen->capacity - 1)];
        if (!slot->number || !memcmp(slot->hash, hash, 16)) return slot;
    }
}

static cord_status grow(struct seen *seen, cord_error *err) {
    struct seen grown = {.n = seen->n, .capacity = seen->capacity ? 2 * seen->capacity : FIRST_CAPACITY};
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (!grown.slots) return error_memory(err);
    for (size_t i = 0; i < seen->capacity; i++)
        if (seen->slots[i].number) *find(&grown, seen->slots[i].hash) = seen->slots[i];
    free(seen->slots);
    *seen = grown;
    return CORD_OK;
}

int64_t seen_get(const struct seen *seen, cord_text text) {
    unsigned char hash[16];
    if (!seen->n) return 0;
    hash_of(text, hash);
    return find(seen, hash)->number;
}

cord_status seen_put(struct seen *seen, cord_text text, int64_t number, cord_error *err) {
    unsigned char hash[16];
    if (2 * (seen->n + 1) > seen->capacity) CORD_TRY(grow(seen, err));
    hash_of(text, hash);
    struct seen_slot *slot = find(seen, hash);
    seen->n += !slot->number;
    memcpy(slot->hash, hash, sizeof slot->hash);
    slot->number = number;
    return CORD_OK;
}
