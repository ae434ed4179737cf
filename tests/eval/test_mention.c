/* test_mention.c - what counts as a mention of an answer, case by case, and which step of a trajectory is the first. */
#include "support.h"

#include "eval/mention.h"

#include <math.h>

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
    {"-27", "x = -27", 5},
    {"-27", "54 -27", 4}, /* a sign, since a blank stands on one side alone */
    {"-27", "54-27", -1},
    {"27", "81/3 = 27", 7},
    {"27", "54/2", -1}, /* it would be 27, but does not say so */
    {"0", "10 or 0.5", -1},
    {"0", "-0", 1},
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
        ptrdiff_t at = mention_find(text_of(cases[i].gold), text_of(cases[i].text));
        if (at != cases[i].at) fail_msg("'%s' in '%s': %d, not %d", cases[i].gold, cases[i].text, (int)at, cases[i].at);
    }
    char digits[1000];
    memset(digits, '1', sizeof digits); /* a number that no buffer holds */
    assert_int_equal(mention_find(TEXT("1"), (cord_text){digits, sizeof digits}), -1);
    assert_int_equal(mention_find((cord_text){digits, sizeof digits}, TEXT("1")), -1);
}

static void test_first(void **state) {
    (void)state;
    /* three steps, the second in three pieces; the number itself is cut in two */
    struct step steps[] = {{.text = TEXT(" We have 127."), .log_score = -3},
                           {.text = TEXT(" So it"), .cut = true, .log_score = -2.5},
                           {.text = TEXT(" is 2"), .cut = true, .log_score = -2},
                           {.text = TEXT("7 then"), .log_score = -1},
                           {.text = TEXT(" 27 again"), .log_score = -0.5}};
    for (size_t i = 1; i < 5; i++) steps[i].previous = &steps[i - 1];
    struct trajectory t = {.last = &steps[4]};
    struct mention m;
    assert_ok(mention_first(TEXT("How many?"), TEXT("27"), &t, -9, &m, err));
    assert_true(!m.in_question && m.step == 2 && m.steps == 3 && m.before == -3 && m.after == -1);
    assert_ok(mention_first(TEXT("How many?"), TEXT("127"), &t, -9, &m, err));
    assert_true(m.step == 1 && m.before == -9 && m.after == -3); /* before the first step: S0 */
    assert_ok(mention_first(TEXT("How many?"), TEXT("2"), &t, -9, &m, err));
    assert_true(!m.in_question && m.step == 0 && m.steps == 3 && isnan(m.before));
    assert_ok(mention_first(TEXT("Is it 27?"), TEXT("27"), &t, -9, &m, err));
    assert_true(m.in_question && m.step == 0);
    t.last = NULL;
    assert_ok(mention_first(TEXT("How many?"), TEXT("27"), &t, -9, &m, err));
    assert_true(m.step == 0 && m.steps == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
