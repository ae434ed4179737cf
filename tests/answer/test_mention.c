/* test_mention.c - what counts as a mention of an answer, case by case, and what of the text it is. */
#include "support.h"

#include "answer/mention.h"

static const struct {
    const char *gold, *text;
    int at; /* -1: not there */
} cases[] = {
    /* whole numbers */
    {"27", "so it is 27.", 9},
    {"27", "127 or 271", -1},
    {"27", "27.5 is more", -1},
    {"27", "1.27", -1},
    {"27", "0.27 and .27", -1},
    {"27", "27.0 it is", 0},
    {"27", "**27**", 2},
    {"27", "$27$ or \\boxed{27}", 1},
    {"27", "27, 28", 0},
    {"27", "27,285 people", -1},
    {"27", "(27,28)", 1},
    {"27", "x27 and a_27 and 1.27.0", -1},
    {"27", "27th of 27x", -1},
    {"27", "27kg", 0},
    {"27", "27%", 0},
    {"27", "54-27", 3},
    {"27", "it is -27", -1},
    {"27", "it is \u221227", -1},
    {"-27", "it is 27", -1},
    {"-27", "x = -27", 4},
    {"-27", "54 -27", 3}, /* a sign, since a blank stands on one side alone */
    {"-27", "54-27", -1},
    {"27", "81/3 = 27", 7},
    {"27", "54/2", -1}, /* it would be 27, but does not say so */
    {"0", "10 or 0.5", -1},
    {"0", "-0", 0},
    {"007", "agent 7", 6},
    /* groups of digits, money, percent */
    {"1000", "1,000 and 1 000", 0},
    {"1,000", "x=1000.00", 2},
    {"1234567", "1{,}234{,}567", 0},
    {"1234567", "1,234567", -1},
    {"$18", "she has $18 left", 9},
    {"\\$18.", "18 dollars", 0},
    {"25%", "25 apples", -1},
    {"25%", "that is 25 %", 8},
    {"25\\%", "25\\% of them", 0},
    {"25%", "25 percent", 0},
    /* decimals and fractions, by the grader */
    {"0.5", ".5", 0},
    {"0.5", "0.50", 0},
    {"0.5", "...5", -1},
    {"5", "...5", 3},
    {"0.5", "0.55", -1},
    {"0.5", "that is 1/2", 8},
    {"1/2", "0.5", 0},
    {"1/2", "\\dfrac{2}{4}", 0},
    {"\\frac{1}{2}", "one has \\frac{1}{2}", 8},
    {"\\frac{1}{2}", "1/2", 0},
    {"\\frac{1}{2}", "11/2 or 1/20", -1},
    {"-1/2", "1/2", -1},
    {"-1/2", "x=-1/2", 2},
    /* other texts */
    {"Paris", "In paris.", 3},
    {"Paris", "comparison", -1},
    {"Paris", "Parisian", -1},
    {"ice cream", "ICE  CREAM!", 0},
    {"A", "a dog", -1},
    {"A", "(A)", 1},
    {"\\sqrt{2}", "3\\sqrt{2}", -1},
    {"3\\sqrt{2}", "= $3 \\sqrt{2}$", 3},
    {"3\\sqrt{2}", "13\\sqrt{2}", -1},
    {"(2, 3)", "\\left(2,3\\right)", 5},
    {"(2, 3)", "f(2,3)", -1},
    {"x^2", "x^25", -1},
    {"x^2", "= x^2", 2},
    {"5 km", "after 5km", 6},
    {"5 km", "after 15 km", -1},
    {"\u00e9t\u00e9", "l'\u00e9t\u00e9", 2},
    {"t\u00e9", "\u00e9t\u00e9", -1},
    {"27", "\u201c27\u201d \u2192", 3},
    /* nothing */
    {"", "anything", -1},
    {"$", "$", -1},
    {"7", "", -1},
};

static void test_find(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cord_text text = text_of(cases[i].text), found = answer_mention(text_of(cases[i].gold), text, 0);
        ptrdiff_t at = found.data ? found.data - text.data : -1;
        if (at != cases[i].at) fail_msg("'%s' in '%s': %d, not %d", cases[i].gold, cases[i].text, (int)at, cases[i].at);
    }
    char digits[1000];
    memset(digits, '1', sizeof digits); /* a number that no buffer holds */
    assert_null(answer_mention(TEXT("1"), (cord_text){digits, sizeof digits}, 0).data);
    assert_null(answer_mention((cord_text){digits, sizeof digits}, TEXT("1"), 0).data);
}

static void test_spans(void **state) {
    (void)state;
    static const struct {
        const char *answer, *text, *all; /* mentions, each in brackets */
    } spans[] = {
        {"-27", "x = -27, \u221227 or 27, 54-27", "[-27][\u221227]"},
        {"1000", "1,000 or 1{,}000.0 of 1000kg", "[1,000][1{,}000.0][1000]"},
        {"1/2", "0.5, \\dfrac{2}{4} and 1/2", "[0.5][\\dfrac{2}{4}][1/2]"},
        {"(2, 3)", "(2,3), \\left( 2, 3 \\right)", "[(2,3)][( 2, 3 \\right)]"},
        {"Paris", "paris, Paris", "[paris][Paris]"},
    };
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        cord_text text = text_of(spans[i].text), found;
        struct buf all;
        buf_init(&all, "mentions", 1000);
        for (size_t from = 0; (found = answer_mention(text_of(spans[i].answer), text, from)).data;) {
            buf_addf(&all, "[%.*s]", (int)found.len, found.data);
            from = (size_t)(found.data - text.data) + found.len;
        }
        assert_text(buf_text(&all), spans[i].all);
        buf_release(&all);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_spans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
