/* file.c - whole files in and out, and the clock. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t clock_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

cord_status file_read(const char *path, const char *name, size_t limit, struct buf *out, cord_error *err) {
    buf_init(out, name, limit);
    FILE *file = fopen(path, "rb");
    if (!file) return error_errno(err, "open", path);
    char piece[1 << 14];
    size_t n;
    while (out->status == CORD_OK && (n = fread(piece, 1, sizeof piece, file)) > 0) buf_add(out, (cord_text){piece, n});
    cord_status status = ferror(file) ? error_errno(err, "read", path) : buf_check(out, err);
    fclose(file);
    if (status != CORD_OK) {
        error_where(err, "%s", path);
        buf_release(out);
    }
    return status;
}

cord_status file_scratch(int *fd, cord_error *err) {
    static const char *const names[] = {"/var/tmp/cord-XXXXXX", "/tmp/cord-XXXXXX"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s", names[i]);
        *fd = mkostemp(name, O_CLOEXEC);
        if (*fd < 0) continue;
        (void)unlink(name);
        return CORD_OK;
    }
    return error_errno(err, "create", "a file in /var/tmp or /tmp for what is too much for memory");
}

static const char SCRATCH[] = "the file of what is too much for memory";

cord_status file_read_at(int fd, int64_t at, void *bytes, size_t len, cord_error *err) {
    for (char *to = bytes; len;) {
        ssize_t n = pread(fd, to, len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = EIO; /* the file ends before */
        if (n <= 0) return error_errno(err, "read", SCRATCH);
        to += n, at += n, len -= (size_t)n;
    }
    return CORD_OK;
}

cord_status file_write_at(int fd, int64_t at, const void *bytes, size_t len, cord_error *err) {
    for (const char *from = bytes; len;) {
        ssize_t n = pwrite(fd, from, len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = ENOSPC;
        if (n <= 0) return error_errno(err, "write", SCRATCH);
        from += n, at += n, len -= (size_t)n;
    }
    return CORD_OK;
}

cord_text path_trim(cord_text path) {
    while (path.len > 1 && path.data[path.len - 1] == '/') path.len--;
    return path;
}

cord_text path_name(cord_text path) {
    path = path_trim(path);
    return path.len > 1 ? text_slice(path, (size_t)(text_rfind(path, TEXT("/")) + 1), path.len) : path;
}

bool file_part(const char *path, int i, char *part, size_t size) {
    static const char pattern[] = "-00001-of-00002.gguf"; /* as long as all of them */
    size_t len = strlen(path), tail = sizeof pattern - 1;
    int first = 0, n = 0, end = 0;
    if (len < tail) return false;
    /* NOLINTNEXTLINE(cert-err34-c): five digits are no overflow */
    if (sscanf(path + len - tail, "-%5d-of-%5d.gguf%n", &first, &n, &end) != 2 || (size_t)end != tail) return false;
    if (first != 1 || i >= n) return false;
    int written = snprintf(part, size, "%.*s-%05d-of-%05d.gguf", (int)(len - tail), path, i + 1, n);
    return written > 0 && (size_t)written < size && access(part, F_OK) == 0;
}

void file_sync_folder(const char *path) {
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(copy);
}

static cord_status write_all(int fd, cord_text content, const char *path, cord_error *err) {
    while (content.len) {
        ssize_t n = write(fd, content.data, content.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error_errno(err, "write", path);
        content = text_slice(content, (size_t)n, content.len);
    }
    return fsync(fd) == 0 || errno == EINVAL ? CORD_OK : error_errno(err, "write", path);
}

void file_keep_mode(const char *draft, const char *path) {
    struct stat old;
    if (stat(path, &old) == 0 && S_ISREG(old.st_mode)) (void)chmod(draft, old.st_mode & 0777);
}

cord_status file_write_atomic(const char *path, cord_text content, cord_error *err) {
    size_t size = strlen(path) + sizeof ".tmp";
    char *temporary = malloc(size);
    if (!temporary) return error_memory(err);
    snprintf(temporary, size, "%s.tmp", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd >= 0) file_keep_mode(temporary, path);
    cord_status status = fd < 0 ? error_errno(err, "create", temporary) : write_all(fd, content, temporary, err);
    if (fd >= 0 && close(fd) != 0 && status == CORD_OK) status = error_errno(err, "write", temporary);
    if (status == CORD_OK && rename(temporary, path) != 0) status = error_errno(err, "replace", path);
    if (status == CORD_OK)
        file_sync_folder(path);
    else if (fd >= 0)
        unlink(temporary);
    free(temporary);
    return status;
}
