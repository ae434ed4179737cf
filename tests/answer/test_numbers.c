/* test_numbers.c - the rules for numbers that data sets ask for, and how answers are told to have been read. Golds are not
 * exchanged with answers here: a rule goes by how the gold is written. */
#include "support.h"
#include <math.h>

struct pair {
    const char *gold, *answer;
    cord_verdict want;
};
#define EQUAL     CORD_EQUAL
#define DIFFERENT CORD_DIFFERENT
#define UNDECIDED CORD_UNDECIDED

static void check(const struct pair *pairs, size_t n, const cord_grade_options *options) {
    for (size_t i = 0; i < n; i++) {
        cord_grading grading;
        assert_ok(cord_grade(text_of(pairs[i].gold), text_of(pairs[i].answer), options, &grading, err));
        if (grading.verdict != pairs[i].want)
            fail_msg("gold '%s', answer '%s': %s (%s), want %s", pairs[i].gold, pairs[i].answer,
                     cord_verdict_name(grading.verdict), grading.why, cord_verdict_name(pairs[i].want));
        cord_grading_release(&grading);
    }
}
#define CHECK(pairs, ...) check(pairs, sizeof(pairs) / sizeof *(pairs), &(cord_grade_options){__VA_ARGS__})

static void exact_is_the_default(void **state) {
    (void)state;
    static const struct pair pairs[] = {{"3.14", "\\pi", DIFFERENT},
                                        {"0.33", "1/3", DIFFERENT},
                                        {"23.42%", "0.23", DIFFERENT},
                                        {"3.14", "3.140", EQUAL}};
    check(pairs, sizeof pairs / sizeof *pairs, NULL);
    CHECK(pairs, .numbers = CORD_NUMBERS_EXACT);
}

/* A gold with d decimals is any number within half a unit of the last one. */
static void rounded(void **state) {
    (void)state;
    static const struct pair pairs[] = {
        {"3.14", "\\pi", EQUAL},
        {"3.14", "3.1415926", EQUAL},
        {"3.14", "22/7", EQUAL},
        {"3.14", "3.146", DIFFERENT},
        {"3.142", "\\pi", EQUAL},
        {"3.143", "\\pi", DIFFERENT},
        {"-1.41", "-\\sqrt{2}", EQUAL},
        {"1.41", "-\\sqrt{2}", DIFFERENT},
        {"0.33", "1/3", EQUAL},
        {"0.333", "0.33", DIFFERENT}, /* the answer is rounded, not the gold */
        {"3", "3.1", DIFFERENT},      /* a whole gold is exact */
        {"\\pi", "3.14", DIFFERENT},
        {"33.3%", "1/3", EQUAL},
        {"33.3%", "0.37", DIFFERENT},
        {"-33.3%", "-1/3", EQUAL},
        {"2.5 cm", "2.54 cm", EQUAL},
        {"2.5 cm", "2.6 cm", DIFFERENT},
        {"2.5 cm", "25.2 mm", EQUAL}, /* in the gold's unit, whichever the answer has */
        {"2.5 cm", "25.6 mm", DIFFERENT},
        {"25 mm", "2.52 cm", DIFFERENT},
        {"1.5 million", "1520 thousand", EQUAL},
        {"57.3 degrees", "1 radian", EQUAL},
        {"57.3^\\circ", "1", EQUAL},
        {"1.57", "90^\\circ", EQUAL},
        {"2.5", "2.52 cm", EQUAL}, /* the gold's decimals count, whichever side has the unit or the percent sign */
        {"2.52", "2.5 cm", UNDECIDED},
        {"0.33", "33.3%", EQUAL},
        {"0.333", "33.33%", EQUAL},
        {"0.3333", "33.3%", DIFFERENT},
        {"(0.33, 0.67)", "(1/3, 2/3)", EQUAL},
        {"(0.33, 0.67)", "(1/3, 1/2)", DIFFERENT},
        {"3.14", "some text", UNDECIDED},
    };
    CHECK(pairs, .numbers = CORD_NUMBERS_ROUNDED);
}

static void relative(void **state) {
    (void)state;
    static const struct pair pairs[] = {
        {"100", "101", EQUAL},       {"100", "99", EQUAL},
        {"100", "101.1", DIFFERENT}, {"-100", "-101", EQUAL},
        {"100", "-100", DIFFERENT},  {"0", "0", EQUAL},
        {"0", "0.001", DIFFERENT},   {"\\pi", "3.14", EQUAL},
        {"\\pi", "3.1", DIFFERENT},  {"(100, 200)", "(101, 202)", EQUAL},
        {"x", "1.01x", DIFFERENT},
    };
    CHECK(pairs, .numbers = CORD_NUMBERS_RELATIVE, .tolerance = 0.01);
    static const struct pair narrow[] = {{"1000000", "1000001", EQUAL}, {"1000000", "1000001.1", DIFFERENT}};
    CHECK(narrow, .numbers = CORD_NUMBERS_RELATIVE, .tolerance = 1e-6);
    static const struct pair by_none[] = {{"100", "150", UNDECIDED}, {"100", "100", EQUAL}};
    CHECK(by_none, .numbers = CORD_NUMBERS_RELATIVE, .tolerance = (double)INFINITY);
    CHECK(by_none, .numbers = CORD_NUMBERS_RELATIVE, .tolerance = (double)NAN);
    CHECK(by_none, .numbers = CORD_NUMBERS_RELATIVE, .tolerance = -1);
}

/* As TAT-QA's own script has it: round(x, 2) in the scale that is given. */
static void tatqa(void **state) {
    (void)state;
    static const struct pair pairs[] = {
        {"12.34", "12.341", EQUAL},
        {"12.34", "12.35", DIFFERENT},
        {"1.00", "1.004", EQUAL},
        {"1.004", "1.006", DIFFERENT},          /* 1.00 and 1.01, however near */
        {"$5.00 million", "$5,001,000", EQUAL}, /* a currency hides no scale */
        {"$5.00 million", "$5.001 million", EQUAL},
        {"$5.00 million", "5.001 million", EQUAL},
        {"5.00 million", "$5,001,000", EQUAL},
        {"$5.00 million", "$5.02 million", DIFFERENT},
        {"-$5.00 million", "-$5,001,000", EQUAL},
        {"-$5.00 million", "$5,001,000", DIFFERENT},
        {"$5.00 million", "5", UNDECIDED},
        {"$5.00 million", "\\euro 5,001,000", UNDECIDED},
        {"$5.00", "5.001", EQUAL},
        {"$5.00", "5.1", DIFFERENT},
        {"0.125", "0.13", UNDECIDED}, /* the middle */
        {"0.125", "0.12", UNDECIDED},
        {"-0.125", "-0.13", UNDECIDED},
        {"-0.125", "-0.12", UNDECIDED},
        {"0.125", "0.125", EQUAL},
        {"0.125", "0.1250", EQUAL},
        {"0.125", "0.14", DIFFERENT},
        {"0.126", "0.13", EQUAL},
        {"23.42%", "23.42%", EQUAL},
        {"23.42%", "23.424%", EQUAL},
        {"23.42%", "23.43%", DIFFERENT},
        {"23.42%", "0.2342", EQUAL},
        {"23.42%", "0.23424", EQUAL},
        {"23.42%", "0.2343", DIFFERENT},
        {"23.42%", "23.42", UNDECIDED},
        {"1.5 million", "1500000", EQUAL},
        {"1.5 million", "1504000", EQUAL},
        {"1.5 million", "1506000", DIFFERENT},
        {"1.5 million", "1500.4 thousand", EQUAL},
        {"1.5 million", "1.5", UNDECIDED},
        {"$1,234.5", "$1,234.50", EQUAL},
        {"1234.567", "1234.57", EQUAL},
        {"(12.5)", "12.5", UNDECIDED}, /* which the metric takes for -12.5 */
        {"(12.5)", "-12.5", UNDECIDED},
        {"12.5", "$(12.5)", UNDECIDED},
        {"-12.5%", "(12.5)%", UNDECIDED},
        {"-12.5%", "(12.5%)", UNDECIDED},
        {"(12.5) thousand", "-12500", UNDECIDED},
        {"(12.5)", "(12.50)", EQUAL},
        {"(12.5)", "(13.5)", DIFFERENT},
        {"-12.5", "12.5", DIFFERENT},
        {"12.5", "12.5 (about)", UNDECIDED},
    };
    CHECK(pairs, .numbers = CORD_NUMBERS_TATQA);
}

static void readings_are_told(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"\\frac{3}{4}", "divide(3, 4)"},
        {"(1, -2.50]", "tuple (] (1, negate(2.50))"},
        {"0.1\\overline{6}", "0.16 (the last 1 recurring)"},
        {"x^2 \\ge 4 cm", "relation G (power(x, 2), quantity centimeter (4))"},
        {"\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "matrix of 2 columns(1, 2, 3, 4)"},
        {"A fine  Text.", "text A fine text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cord_grading grading;
        assert_ok(cord_grade(text_of(rows[i][0]), TEXT("7"), NULL, &grading, err));
        assert_string_equal(grading.gold_read, rows[i][1]);
        assert_string_equal(grading.answer_read, "7");
        cord_grading_release(&grading);
        assert_null(grading.gold_read);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_is_the_default),
        cmocka_unit_test(rounded),
        cmocka_unit_test(relative),
        cmocka_unit_test(tatqa),
        cmocka_unit_test(readings_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
