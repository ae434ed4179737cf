/* fuzz.h - what every fuzz target needs: libFuzzer's entry point, files in memory, and checks of what must hold of any
 * input. A target is fuzz_NAME.c with its seeds in corpus/NAME; clang's sanitized build makes it, `scripts/check.sh fuzz`
 * runs it. Assertions stay on in every build here, and libFuzzer keeps the input that breaks one. */
#ifndef CORD_FUZZ_H
#define CORD_FUZZ_H

#include "base/base.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file that exists in memory alone, for readers that take a path. */
struct memory_file {
    int fd;
    char path[40];
};

static inline struct memory_file memory_file_open(cord_text content) {
    struct memory_file file = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};
    assert(file.fd >= 0);
    for (size_t at = 0; at < content.len;) {
        ssize_t n = write(file.fd, content.data + at, content.len - at);
        assert(n > 0);
        at += (size_t)n;
    }
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
    return file;
}

static inline void memory_file_close(struct memory_file *file) { close(file->fd); }

static inline bool is_utf8(cord_text t) { return utf8_valid_prefix(t) == t.len; }

/* A failure says what is wrong, in whole characters, and where. */
static inline void check_error(cord_status status, const cord_error *err) {
    assert(err->code == status && err->message[0] && err->where[0]);
    assert(is_utf8(text_of(err->message)) && is_utf8(text_of(err->where)));
}

#endif
