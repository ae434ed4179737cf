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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_are_taken_one_by_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
