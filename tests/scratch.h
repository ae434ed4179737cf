/* scratch.h - where tests write: folders below /tmp that go with all that is in them, and one that all tests of a program
 * share. */
#ifndef CORD_TEST_SCRATCH_H
#define CORD_TEST_SCRATCH_H

#include "support.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- folders that come and go -------------------------------------------------------------------------------------- */

static inline char *scratch_folder(char folder[32]) {
    snprintf(folder, 32, "/tmp/cord-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

/* An empty file, for a test that needs no more than its name. */
static inline void scratch_file(char path[32]) {
    snprintf(path, 32, "/tmp/cord-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
}

static inline int scratch_remove_one(const char *path, const struct stat *info, int kind, struct FTW *at) {
    (void)info, (void)kind, (void)at;
    return remove(path);
}

/* Removes a folder and all that is in it; 0 if nothing is left. */
static inline int scratch_remove(const char *folder) {
    return nftw(folder, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path that lives until four others were asked for. */
static inline char *scratch_in(const char *folder, const char *name) {
    static char paths[4][200];
    static int at;
    at = (at + 1) % 4;
    snprintf(paths[at], sizeof paths[at], "%s/%s", folder, name);
    return paths[at];
}

/* ---- one for all tests of a program ---------------------------------------------------------------------------------- */

/* It is there from scratch_open to scratch_close: cmocka_run_group_tests(tests, scratch_open, scratch_close). */
static char scratch[32];

static inline int scratch_open(void **state) {
    (void)state;
    scratch_folder(scratch);
    return 0;
}

static inline int scratch_close(void **state) {
    (void)state;
    return scratch_remove(scratch);
}

static inline char *scratch_path(const char *name) { return scratch_in(scratch, name); }

/* Writes a file, and makes the folders that it is in; gives its path. */
static inline char *scratch_write(const char *name, cord_text content) {
    char *path = scratch_path(name);
    for (char *at = path + strlen(scratch) + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = '\0';
        mkdir(path, 0700);
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.len, file), content.len);
    assert_int_equal(fclose(file), 0);
    return path;
}

#endif
