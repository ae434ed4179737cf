/* test_locale.c - a program that uses the library may have set any locale: one whose decimal point is two bytes, and one that
 * has another small I. Made by localedef, which is part of the C library's own tools; skipped where it or its sources are not
 * there. */
#include "scratch.h"

#include "base/json.h"

#include <locale.h>

static const char *const names[] = {"ps_AF", "tr_TR"};

static bool make_locales(void) {
    char command[300];
    scratch_open(NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(command, sizeof command, "localedef -i %s -f UTF-8 %s/%s.UTF-8 >%s/log 2>&1", names[i], scratch,
                 names[i], scratch);
        if (system(command) != 0) return false; /* NOLINT(cert-env33-c,concurrency-mt-unsafe): a test's own command */
    }
    return setenv("LOCPATH", scratch, 1) == 0;
}

static void set(const char *name) {
    char whole[40];
    snprintf(whole, sizeof whole, "%s.UTF-8", name);
    if (!setlocale(LC_ALL, whole)) fail_msg("there is no locale %s", whole);
}

static void numbers_have_a_point(void **state) {
    (void)state;
    set("ps_AF");
    char digits[20];
    snprintf(digits, sizeof digits, "%.1f", 1.5);
    assert_string_equal(digits, "1\xD9\xAB"
                                "5"); /* else nothing would be tested */
    struct buf out;
    buf_init(&out, "a test", 1000);
    struct json_writer w = {.out = &out};
    json_open(&w, NULL, '[');
    json_double(&w, NULL, 1.5);
    json_double(&w, NULL, -2.5e-300);
    json_double(&w, NULL, 7);
    json_close(&w, ']');
    assert_text(buf_text(&out), "[1.5,-2.5e-300,7]");
    buf_release(&out);
    const cord_grade_options options = {.numbers = CORD_NUMBERS_RELATIVE, .tolerance = 0.015};
    static const struct {
        const char *answer;
        cord_verdict verdict;
    } cases[] = {{"101.4", CORD_EQUAL}, {"101.6", CORD_DIFFERENT}};
    for (size_t i = 0; i < 2; i++) {
        cord_grading grading;
        assert_ok(cord_grade(TEXT("100"), text_of(cases[i].answer), &options, &grading, err));
        if (grading.verdict != cases[i].verdict) fail_msg("%s: %s", cases[i].answer, grading.why);
        cord_grading_release(&grading);
    }
}

static void letters_have_their_case(void **state) {
    (void)state;
    set("tr_TR");
    static const char *const pairs[][2] = {{"Illinois", "ILLINOIS"}, {"no solution", "NO SOLUTION"}};
    for (size_t i = 0; i < 2; i++) {
        cord_grading grading;
        assert_ok(cord_grade(text_of(pairs[i][0]), text_of(pairs[i][1]), NULL, &grading, err));
        if (grading.verdict != CORD_EQUAL) fail_msg("%s: %s", pairs[i][1], grading.why);
        cord_grading_release(&grading);
    }
}

int main(void) {
    if (!make_locales()) {
        printf("SKIP: localedef, or what it makes locales of, is not there\n");
        scratch_close(NULL);
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_a_point),
        cmocka_unit_test(letters_have_their_case),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_close);
}
