/* support.h - what every unit test needs: cmocka with its prerequisites, and texts that print when they differ. */
#ifndef CORD_TEST_SUPPORT_H
#define CORD_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

/* Exit status that the test runner counts as skipped. */
#define SKIPPED 77

/* Whether this run is of what takes too long for `make test`, and of nothing else: CMakeLists.txt lists the programs
 * that ask, of which there is a second test, labelled `long`. `make check` runs it. */
static inline bool test_is_long(void) { return getenv("CORD_TEST_LONG") != NULL; }

#define assert_ok(call)                                                                  \
    do {                                                                                 \
        cord_error err_ = {0};                                                           \
        cord_error *err = &err_;                                                         \
        if ((call) != CORD_OK) fail_msg("%s: %s (%s)", #call, err_.message, err_.where); \
    } while (0)

#define assert_text(actual, expected)                                                                        \
    do {                                                                                                     \
        cord_text actual_ = (actual), expected_ = text_of(expected);                                         \
        if (!text_equal(actual_, expected_))                                                                 \
            fail_msg("got '%.*s', want '%s'", (int)actual_.len, actual_.data ? actual_.data : "", expected); \
    } while (0)

#endif
