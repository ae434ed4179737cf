/* memory.c - arenas (freed all at once) and capped buffers (never larger than their name allows). */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- arenas -------------------------------------------------------------------------------------------------- */

enum { BLOCK_SIZE = 64 * 1024 - 64 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    max_align_t data[];
};

void arena_init(struct arena *arena) { *arena = (struct arena){0}; }

void arena_release(struct arena *arena) {
    for (struct arena_block *block = arena->block, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena_init(arena);
}

void *arena_alloc(struct arena *arena, size_t size) {
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct arena_block *block = arena->block;
    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct arena_block *fresh = malloc(sizeof *fresh + room);
        if (!fresh) return NULL;
        *fresh = (struct arena_block){.size = room};
        if (block && size > BLOCK_SIZE) { /* a large piece of its own; the block in use stays in use */
            fresh->next = block->next;
            block->next = fresh;
        } else {
            fresh->next = block;
            arena->block = fresh;
        }
        block = fresh;
    }
    void *p = (char *)block->data + block->used;
    block->used += size;
    return memset(p, 0, size); /* not the whole block: many arenas use little of theirs */
}

void *arena_room(struct arena *arena, void *array, int n, int *room, size_t size) {
    if (n < *room) return array;
    int more = *room ? 2 * *room : 16;
    void *copy = arena_alloc(arena, (size_t)more * size);
    if (copy && n) memcpy(copy, array, (size_t)n * size);
    if (copy) *room = more;
    return copy;
}

cord_text arena_text(struct arena *arena, cord_text t) {
    char *copy = arena_alloc(arena, t.len + 1);
    if (!copy) return (cord_text){NULL, 0};
    if (t.len) memcpy(copy, t.data, t.len);
    return (cord_text){copy, t.len};
}

char *arena_printf(struct arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *s = n < 0 ? NULL : arena_alloc(arena, (size_t)n + 1);
    if (!s) return NULL;
    va_start(args, format);
    vsnprintf(s, (size_t)n + 1, format, args);
    va_end(args);
    return s;
}

/* ---- capped buffers ------------------------------------------------------------------------------------------ */

static char nothing[1] = ""; /* what an empty buffer's data points at; never written: cap is 0 */

void buf_init(struct buf *buf, const char *name, size_t limit) {
    *buf = (struct buf){.data = nothing, .name = name, .limit = limit};
}

void buf_release(struct buf *buf) {
    if (buf->cap) free(buf->data);
    buf_init(buf, buf->name, buf->limit);
}

void buf_clear(struct buf *buf) {
    buf->len = 0;
    buf->status = CORD_OK;
    if (buf->cap) *buf->data = '\0';
}

/* Makes room for `more` bytes and a NUL; false (and a status) when that cannot be. */
static bool buf_reserve(struct buf *buf, size_t more) {
    if (buf->status != CORD_OK) return false;
    if (more > buf->limit || buf->len > buf->limit - more) {
        buf->status = CORD_TOO_LONG;
        return false;
    }
    size_t need = buf->len + more + 1;
    if (need <= buf->cap) return true;
    size_t cap = buf->cap ? buf->cap : 128;
    while (cap < need) cap *= 2;
    char *data = realloc(buf->cap ? buf->data : NULL, cap);
    if (!data) {
        buf->status = CORD_NO_MEMORY;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void buf_add(struct buf *buf, cord_text t) {
    if (t.len == 0 || !buf_reserve(buf, t.len)) return;
    memcpy(buf->data + buf->len, t.data, t.len);
    buf->len += t.len;
    buf->data[buf->len] = '\0';
}

void buf_addc(struct buf *buf, char c) { buf_add(buf, (cord_text){&c, 1}); }

void buf_addf(struct buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n <= 0 || !buf_reserve(buf, (size_t)n)) return;
    va_start(args, format);
    vsnprintf(buf->data + buf->len, (size_t)n + 1, format, args);
    va_end(args);
    buf->len += (size_t)n;
}

void buf_truncate(struct buf *buf, size_t len) {
    if (len >= buf->len) return;
    buf->len = len;
    buf->data[len] = '\0';
}

cord_status buf_check(const struct buf *buf, cord_error *err) {
    if (buf->status == CORD_TOO_LONG)
        return error_set(err, CORD_TOO_LONG, "%s is larger than its limit of %zu bytes", buf->name, buf->limit);
    if (buf->status != CORD_OK) return error_set(err, buf->status, "out of memory for %s", buf->name);
    return CORD_OK;
}

cord_status buf_take(struct buf *buf, struct arena *arena, cord_text *text, cord_error *err) {
    cord_status status = buf_check(buf, err);
    *text = status == CORD_OK ? arena_text(arena, buf_text(buf)) : (cord_text){0};
    buf_release(buf);
    return status == CORD_OK && !text->data ? error_memory(err) : status;
}
