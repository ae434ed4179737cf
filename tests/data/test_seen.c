/* test_seen.c - the set of texts that were there before: in memory, and on disk when they are many. */
#include "support.h"

#include "data/seen.h"

#include <unistd.h>

static int64_t note(struct seen *seen, int64_t nth, int64_t number) {
    char text[32];
    int64_t earlier = -1;
    cord_error e = {0};
    snprintf(text, sizeof text, "text %lld", (long long)nth);
    if (seen_note(seen, text_of(text), number, &earlier, &e) != CORD_OK) fail_msg("%s", e.message);
    return earlier;
}

static void first_number_stays(void **state) {
    (void)state;
    struct seen seen;
    seen_init(&seen);
    assert_int_equal(note(&seen, 1, 7), 0);
    assert_int_equal(note(&seen, 1, 8), 7);
    assert_int_equal(note(&seen, 1, 9), 7);
    assert_int_equal(note(&seen, 2, 9), 0);
    assert_int_equal(seen.n, 2);
    seen_release(&seen);
}

/* What is in the set is the same before and after it goes to disk, and no memory is left for it then. */
static void many_lie_on_disk(void **state) {
    (void)state;
    enum { MANY = 5 * SEEN_IN_MEMORY };
    struct seen seen;
    seen_init(&seen);
    for (int64_t i = 0; i < MANY; i++) {
        assert_int_equal(note(&seen, i, i + 1), 0);
        assert_int_equal(seen.slots == NULL, i >= SEEN_IN_MEMORY);
    }
    for (int64_t i = 0; i < MANY; i++) assert_int_equal(note(&seen, i, 1 << 30), i + 1);
    assert_int_equal(seen.n, MANY);
    assert_int_equal(note(&seen, MANY, 5), 0);
    seen_release(&seen);
}

/* Nobody else sees the file, and nothing is left of it. */
static void the_file_has_no_name(void **state) {
    (void)state;
    int fd;
    cord_error e = {0};
    assert_int_equal(file_scratch(&fd, &e), CORD_OK);
    char link[64], name[300];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof name - 1);
    assert_true(n > 0);
    name[n] = '\0';
    assert_non_null(strstr(name, "/cord-"));
    assert_non_null(strstr(name, "(deleted)"));
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_number_stays),
        cmocka_unit_test(many_lie_on_disk),
        cmocka_unit_test(the_file_has_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
