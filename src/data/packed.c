/* packed.c - gzip through zlib; of zstd only the frames, whose blocks say how long they are. It must not know what stands in
 * the files. */
#include "data/packed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

const char *const packing_names[] = {"uncompressed", "gzip", "zstd"};

#define ZSTD_MAGIC 0xFD2FB528u

enum packing packing_of(cord_text beginning) {
    if (text_starts(beginning, TEXT("\x1F\x8B"))) return PACKING_GZIP;
    if (text_starts(beginning, TEXT("\x28\xB5\x2F\xFD"))) return PACKING_ZSTD;
    bool skippable =
        beginning.len > 3 && (beginning.data[0] & 0xF0) == 0x50; /* a frame to skip, as pzstd begins with */
    if (skippable && text_equal(text_slice(beginning, 1, 4), TEXT("\x2A\x4D\x18"))) return PACKING_ZSTD;
    return PACKING_NONE;
}

/* ---- gzip ---------------------------------------------------------------------------------------------------- */

static cord_status damaged(const char *path, const char *what, cord_error *err) {
    error_where(err, "%s", path);
    return error_set(err, CORD_BAD_INPUT, "%s; fetch or write the file anew", what);
}

enum { PIECE = 1 << 16 };

/* Unpacks what there is of one piece; *inside: a member has begun and not ended, *members of which have. Zeros may stand behind
 * the last one, *padded; behind them zlib's reading of files sees nothing. */
static int inflate_piece(z_stream *z, unsigned char *out, bool *inside, long *members, bool *padded) {
    int result = Z_OK;
    while (result == Z_OK && z->avail_in) {
        if (!*inside && *z->next_in == 0) {
            z->next_in++, z->avail_in--;
            *padded = *members > 0;
            continue;
        }
        if (*padded) return Z_DATA_ERROR;
        *inside = true;
        z->next_out = out, z->avail_out = PIECE;
        result = inflate(z, Z_NO_FLUSH);
        if (result != Z_STREAM_END) continue;
        *inside = false;
        ++*members;
        result = inflateReset(z);
    }
    return result == Z_BUF_ERROR ? Z_OK : result;
}

/* zlib's own reading of files ends in silence where something else stands behind a member. */
static cord_status check_gzip(const char *path, cord_error *err) {
    unsigned char in[PIECE], out[PIECE];
    z_stream z = {0};
    bool inside = false, padded = false;
    long members = 0;
    int result = Z_OK;
    FILE *file = fopen(path, "rbe");
    if (!file) return error_errno(err, "open", path);
    if (inflateInit2(&z, MAX_WBITS + 16) != Z_OK) {
        fclose(file);
        return error_memory(err);
    }
    for (size_t n; result == Z_OK && (n = fread(in, 1, sizeof in, file)) > 0;) {
        z.next_in = in, z.avail_in = (unsigned)n;
        result = inflate_piece(&z, out, &inside, &members, &padded);
    }
    bool foreign = members && z.total_in < 10 && (result == Z_DATA_ERROR || inside); /* no header has less */
    bool unread = ferror(file) != 0;
    int why = errno;
    inflateEnd(&z);
    fclose(file);
    errno = why;
    if (unread) return error_errno(err, "read", path);
    if (result == Z_MEM_ERROR) return error_memory(err);
    if (foreign) return damaged(path, "something that is not gzip stands behind its gzip data", err);
    if (result != Z_OK) return damaged(path, "the file's gzip data is damaged", err);
    return inside ? damaged(path, "the file is cut off: its gzip data has no end", err) : CORD_OK;
}

static ssize_t cookie_read(void *cookie, char *out, size_t size) {
    return gzread(cookie, out, size < (1 << 30) ? (unsigned)size : 1 << 30);
}

static int cookie_close(void *cookie) { return gzclose_r(cookie) == Z_OK ? 0 : EOF; }

cord_status packed_open_gzip(const char *path, void **file, cord_error *err) {
    gzFile gzip = gzopen(path, "rbe");
    if (!gzip) return error_errno(err, "open", path);
    cookie_io_functions_t calls = {.read = cookie_read, .close = cookie_close};
    *file = fopencookie(gzip, "rb", calls);
    if (*file) return CORD_OK;
    gzclose_r(gzip);
    return error_memory(err);
}

/* ---- zstd (RFC 8878, section 3.1) ---------------------------------------------------------------------------- */

static bool skip(FILE *file, uint64_t bytes, uint64_t size) {
    off_t at = ftello(file);
    return at >= 0 && bytes <= size - (uint64_t)at && fseeko(file, (off_t)bytes, SEEK_CUR) == 0;
}

static bool number(FILE *file, int bytes, uint32_t *value) {
    unsigned char raw[4];
    *value = 0;
    if (fread(raw, 1, (size_t)bytes, file) != (size_t)bytes) return false;
    for (int i = 0; i < bytes; i++) *value |= (uint32_t)raw[i] << 8 * i;
    return true;
}

/* A frame behind its magic number: its header, its blocks, its checksum. */
static bool skip_frame(FILE *file, uint64_t size) {
    static const int of_dictionary[] = {0, 1, 2, 4}, of_content[] = {0, 2, 4, 8};
    uint32_t descriptor, block;
    if (!number(file, 1, &descriptor)) return false;
    bool single = descriptor & 0x20;
    int content = of_content[descriptor >> 6];
    if (single && content == 0) content = 1;
    if (!skip(file, (uint64_t)!single + (uint64_t)of_dictionary[descriptor & 3] + (uint64_t)content, size))
        return false;
    do {
        if (!number(file, 3, &block)) return false;
        uint32_t kind = block >> 1 & 3; /* raw, one byte repeated, compressed, none */
        if (kind == 3 || !skip(file, kind == 1 ? 1 : block >> 3, size)) return false;
    } while (!(block & 1));
    return skip(file, descriptor & 4 ? 4 : 0, size);
}

static bool walk_zstd(FILE *file, uint64_t size) {
    uint32_t magic, length;
    while ((uint64_t)ftello(file) < size) {
        if (!number(file, 4, &magic)) return false;
        if (magic >> 4 == 0x184D2A5) {
            if (!number(file, 4, &length) || !skip(file, length, size)) return false;
        } else if (magic != ZSTD_MAGIC || !skip_frame(file, size)) {
            return false;
        }
    }
    return true;
}

static cord_status check_zstd(const char *path, cord_error *err) {
    FILE *file = fopen(path, "rbe");
    if (!file) return error_errno(err, "open", path);
    off_t size = fseeko(file, 0, SEEK_END) == 0 ? ftello(file) : -1;
    bool whole = size >= 0 && fseeko(file, 0, SEEK_SET) == 0 && walk_zstd(file, (uint64_t)size);
    bool failed = size < 0 || ferror(file);
    cord_status status = failed ? error_errno(err, "read", path) : CORD_OK;
    fclose(file);
    CORD_TRY(status);
    return whole ? CORD_OK : damaged(path, "the file is cut off, or its zstd data is damaged", err);
}

cord_status packed_check(const char *path, enum packing packing, cord_error *err) {
    switch (packing) {
    case PACKING_NONE: break;
    case PACKING_GZIP: return check_gzip(path, err);
    case PACKING_ZSTD: return check_zstd(path, err);
    }
    return CORD_OK;
}
