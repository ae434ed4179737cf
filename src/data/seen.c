/* seen.c - open addressing over the beginnings of SHA-256, in memory and then in a file: slots are read and written one
 * by one, and the system's cache does the rest. It must not know what the texts are. */
#include "data/seen.h"

#include <stdlib.h>
#include <unistd.h>

enum { FIRST_CAPACITY = 256 };
#define MOST_SLOTS ((size_t)1 << 32)

void seen_init(struct seen *seen) { *seen = (struct seen){.file = -1}; }

void seen_release(struct seen *seen) {
    free(seen->slots);
    if (seen->file >= 0) close(seen->file);
    seen_init(seen);
}

/* ---- slots ------------------------------------------------------------------------------------------------------ */

static cord_status read_slots(const struct seen *seen, size_t at, struct seen_slot *slots, size_t count,
                              cord_error *err) {
    if (seen->slots) {
        memcpy(slots, &seen->slots[at], count * sizeof *slots);
        return CORD_OK;
    }
    return file_read_at(seen->file, (int64_t)(at * sizeof *slots), slots, count * sizeof *slots, err);
}

static cord_status write_slot(struct seen *seen, size_t at, const struct seen_slot *slot, cord_error *err) {
    if (seen->slots) {
        seen->slots[at] = *slot;
        return CORD_OK;
    }
    return file_write_at(seen->file, (int64_t)(at * sizeof *slot), slot, sizeof *slot, err);
}

/* The slot of that hash, or the free one where it belongs. */
static cord_status find(const struct seen *seen, const unsigned char hash[16], size_t *at, struct seen_slot *slot,
                        cord_error *err) {
    memcpy(at, hash, sizeof *at);
    for (;; ++*at) {
        *at &= seen->capacity - 1;
        CORD_TRY(read_slots(seen, *at, slot, 1, err));
        if (!slot->number || !memcmp(slot->hash, hash, 16)) return CORD_OK;
    }
}

/* ---- growing ---------------------------------------------------------------------------------------------------- */

static cord_status open_slots(struct seen *seen, size_t capacity, cord_error *err) {
    seen_init(seen);
    seen->capacity = capacity;
    if (capacity > MOST_SLOTS) return error_set(err, CORD_NO_MEMORY, "more texts than cord keeps hashes of");
    if (capacity <= 2 * SEEN_IN_MEMORY) {
        seen->slots = calloc(capacity, sizeof *seen->slots);
        return seen->slots ? CORD_OK : error_memory(err);
    }
    CORD_TRY(file_scratch(&seen->file, err));
    if (ftruncate(seen->file, (off_t)(capacity * sizeof *seen->slots)) == 0) return CORD_OK;
    return error_errno(err, "write", "the file of what was seen");
}

/* Old slots in their order go to new ones in nearly theirs, so that a file is written from its beginning to its end. */
static cord_status copy_slots(const struct seen *from, struct seen *to, cord_error *err) {
    struct seen_slot slots[FIRST_CAPACITY], found; /* every capacity is a multiple of this */
    for (size_t i = 0; i < from->capacity; i++) {
        size_t at, k = i % FIRST_CAPACITY;
        if (!k) CORD_TRY(read_slots(from, i, slots, FIRST_CAPACITY, err));
        if (!slots[k].number) continue;
        CORD_TRY(find(to, slots[k].hash, &at, &found, err));
        CORD_TRY(write_slot(to, at, &slots[k], err));
    }
    to->n = from->n;
    return CORD_OK;
}

static cord_status grow(struct seen *seen, cord_error *err) {
    struct seen grown;
    cord_status status = open_slots(&grown, seen->capacity ? 2 * seen->capacity : FIRST_CAPACITY, err);
    if (status == CORD_OK) status = copy_slots(seen, &grown, err);
    if (status != CORD_OK) {
        seen_release(&grown);
        return status;
    }
    seen_release(seen);
    *seen = grown;
    return CORD_OK;
}

/* ---- texts ------------------------------------------------------------------------------------------------------ */

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static void hash_of(cord_text text, unsigned char hash[16]) {
    char hex[65];
    sha256_text(text, hex);
    for (int i = 0; i < 16; i++) hash[i] = (unsigned char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
}

cord_status seen_note(struct seen *seen, cord_text text, int64_t number, int64_t *earlier, cord_error *err) {
    struct seen_slot own = {.number = number}, slot;
    size_t at;
    if (2 * (seen->n + 1) > seen->capacity) CORD_TRY(grow(seen, err));
    hash_of(text, own.hash);
    CORD_TRY(find(seen, own.hash, &at, &slot, err));
    *earlier = slot.number;
    if (slot.number) return CORD_OK;
    seen->n++;
    return write_slot(seen, at, &own, err);
}
