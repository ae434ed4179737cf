/* spool.c - appends in large writes, reads with pread; see spool.h. It must not know what the bytes mean. */
#include "data/spool.h"

#include <unistd.h>

void spool_init(struct spool *spool) {
    *spool = (struct spool){.file = -1};
    buf_init(&spool->rest, "what is kept for later", SIZE_MAX / 4);
}

void spool_release(struct spool *spool) {
    if (!spool->rest.name) return; /* all zeros */
    if (spool->file >= 0) close(spool->file);
    buf_release(&spool->rest);
    spool_init(spool);
}

int64_t spool_end(const struct spool *spool) { return spool->written + (int64_t)spool->rest.len; }

static cord_status write_rest(struct spool *spool, cord_error *err) {
    if (spool->file < 0) CORD_TRY(file_scratch(&spool->file, err));
    CORD_TRY(file_write_at(spool->file, spool->written, spool->rest.data, spool->rest.len, err));
    spool->written += (int64_t)spool->rest.len;
    buf_clear(&spool->rest);
    return CORD_OK;
}

cord_status spool_add(struct spool *spool, const void *bytes, size_t len, cord_error *err) {
    if (len) buf_add(&spool->rest, (cord_text){bytes, len});
    CORD_TRY(buf_check(&spool->rest, err));
    return spool->rest.len > SPOOL_IN_MEMORY ? write_rest(spool, err) : CORD_OK;
}

/* How many of the bytes at `at` are in the file. */
static size_t in_file(const struct spool *spool, int64_t at, size_t len) {
    if (at >= spool->written) return 0;
    return at + (int64_t)len <= spool->written ? len : (size_t)(spool->written - at);
}

/* Whether there are such bytes at all: what is asked for was added, so that anything else is a mistake of this program. */
static cord_status check_place(const struct spool *spool, int64_t at, size_t len, cord_error *err) {
    if (at >= 0 && at <= spool_end(spool) && len <= (size_t)(spool_end(spool) - at)) return CORD_OK;
    return error_set(err, CORD_INTERNAL, "nothing was kept there");
}

cord_status spool_read(const struct spool *spool, int64_t at, void *bytes, size_t len, cord_error *err) {
    CORD_TRY(check_place(spool, at, len, err));
    size_t n = in_file(spool, at, len);
    if (n) CORD_TRY(file_read_at(spool->file, at, bytes, n, err));
    if (len > n) memcpy((char *)bytes + n, spool->rest.data + (at + (int64_t)n - spool->written), len - n);
    return CORD_OK;
}

cord_status spool_change(struct spool *spool, int64_t at, const void *bytes, size_t len, cord_error *err) {
    CORD_TRY(check_place(spool, at, len, err));
    size_t n = in_file(spool, at, len);
    if (n) CORD_TRY(file_write_at(spool->file, at, bytes, n, err));
    if (len > n) memcpy(spool->rest.data + (at + (int64_t)n - spool->written), (const char *)bytes + n, len - n);
    return CORD_OK;
}
