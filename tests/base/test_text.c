/* test_text.c - texts are taken apart as they were put together. */
#include "support.h"

#include "base/base.h"

static void lines_are_taken_one_by_one(void **state) {
    (void)state;
    static const struct {
        const char *text, *lines; /* each in brackets */
    } cases[] = {
        {"", ""},     {"a", "[a]"},         {"a\n", "[a]"},
        {"\n", "[]"}, {"\n\nb", "[][][b]"}, {"one\ntwo three\r\n\nfour", "[one][two three\r][][four]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cord_text rest = text_of(cases[i].text), line;
        char lines[64] = "";
        size_t len = 0;
        while (text_next_line(&rest, &line))
            len += (size_t)snprintf(lines + len, sizeof lines - len, "[%.*s]", (int)line.len, line.data);
        assert_string_equal(lines, cases[i].lines);
        assert_int_equal(rest.len, 0);
    }
    cord_text nothing = {0}, line;
    assert_false(text_next_line(&nothing, &line));
}

static void what_models_wrote_is_mended(void **state) {
    (void)state;
    static const struct {
        cord_text bytes, want;
    } cases[] = {
        {TEXT(""), TEXT("")},
        {TEXT("caf\xC3\xA9"), TEXT("caf\xC3\xA9")},
        {TEXT("a\0"
              "b\0"),
         TEXT("a\xEF\xBF\xBD"
              "b\xEF\xBF\xBD")},
        {TEXT("\xFF"
              "a\xC3"
              "b"),
         TEXT("\xEF\xBF\xBD"
              "a\xEF\xBF\xBD"
              "b")},
        {TEXT("whole\xE2\x82"), TEXT("whole")}, /* its end may come no more */
        {{NULL, 0}, TEXT("")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len;
        char *mended = utf8_mend(cases[i].bytes, &len);
        assert_non_null(mended);
        assert_text(((cord_text){mended, len}), cases[i].want.data);
        assert_int_equal(len, cases[i].want.len);
        assert_int_equal(mended[len], '\0');
        free(mended);
    }
}

static void errors_are_utf8(void **state) {
    (void)state;
    cord_error e = {0};
    error_fill(&e, CORD_IO_ERROR, "cannot open caf%c.gguf: %s", 0xE9, "no such file");
    assert_string_equal(e.message, "cannot open caf?.gguf: no such file");
    error_where(&e, "%c%c", 0xFF, 0xFE);
    assert_string_equal(e.where, "??");
    char long_text[2 * sizeof e.message + 1]; /* cut within a character, which goes */
    for (size_t i = 0; i + 2 < sizeof long_text; i += 2) memcpy(long_text + i, "\xC3\xA9", 3);
    error_fill(&e, CORD_IO_ERROR, "%s", long_text);
    assert_int_equal(strlen(e.message), (sizeof e.message - 1) / 2 * 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_are_taken_one_by_one),
                                       cmocka_unit_test(what_models_wrote_is_mended),
                                       cmocka_unit_test(errors_are_utf8)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
