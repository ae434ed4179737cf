/* test_answer.c - the grader. The table of numbers was computed by Python (see
 * make_answer_cases.py); the random rationals here are judged by integer arithmetic, not by the grader's own library. */
#include "support.h"

#include "answer/tree/tree.h"

#include <pthread.h>
#include <stdlib.h>

static void check(const char *gold, const char *answer, cord_verdict want) {
    const char *why = NULL;
    cord_verdict got = cord_verify(text_of(gold), text_of(answer), &why);
    if (got != want)
        fail_msg("gold '%s', answer '%s': %s (%s), want %s", gold, answer, cord_verdict_name(got), why,
                 cord_verdict_name(want));
    assert_non_null(why);
    if (cord_verify(text_of(answer), text_of(gold), NULL) != want) fail_msg("not symmetric: '%s', '%s'", gold, answer);
}

static void numbers_are_compared_as_python_does(void **state) {
    (void)state;
    FILE *file = fopen(TEST_DATA_DIR "answer/answer_cases.tsv", "r");
    assert_non_null(file);
    char line[1000];
    int n = 0;
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#') continue;
        char *answer = strchr(line, '\t'), *verdict = strrchr(line, '\t');
        assert_true(answer && verdict && answer < verdict);
        *answer++ = *verdict++ = '\0';
        verdict[strcspn(verdict, "\n")] = '\0';
        check(line, answer, strcmp(verdict, "equal") == 0 ? CORD_EQUAL : CORD_DIFFERENT);
        n++;
    }
    fclose(file);
    assert_in_range(n, 1000, 10000);
}

/* One of the ways to write p/q, q > 0. */
static void spell(struct rng *rng, int64_t p, int64_t q, char *out, size_t size) {
    long long n = llabs((long long)p), d = (long long)q, k = 1 + (long long)(rng_next(rng) % 7);
    const char *sign = p < 0 ? (rng_next(rng) % 2 ? "-" : "\xE2\x88\x92") : "";
    switch (rng_next(rng) % 5) {
    case 0: snprintf(out, size, "%s%lld/%lld", sign, n * k, d * k); break;
    case 1: snprintf(out, size, "$%s\\frac{%lld}{%lld}$", sign, n * k, d * k); break;
    case 2: snprintf(out, size, "\\boxed{%s%lld.0/%lld}", sign, n, d); break;
    case 3: snprintf(out, size, " %s%llde%lld/%llde%lld. ", sign, n, k, d, k); break;
    default:
        if (n > d && n % d)
            snprintf(out, size, "%s%lld %lld/%lld", sign, n / d, n % d, d);
        else
            snprintf(out, size, "\\dfrac{%s%lld}{%lld}", p < 0 ? "-" : "", n, d);
    }
}

static void random_rationals_are_told_apart(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 7);
    for (int i = 0; i < 20000; i++) {
        int64_t p1 = (int64_t)(rng_next(&rng) % 41) - 20, q1 = 1 + (int64_t)(rng_next(&rng) % 12);
        int64_t p2 = (int64_t)(rng_next(&rng) % 41) - 20, q2 = 1 + (int64_t)(rng_next(&rng) % 12);
        char a[100], b[100];
        spell(&rng, p1, q1, a, sizeof a);
        spell(&rng, p2, q2, b, sizeof b);
        check(a, b, p1 * q2 == p2 * q1 ? CORD_EQUAL : CORD_DIFFERENT);
    }
}

static void answers_of_gsm8k_kind(void **state) {
    (void)state;
    static const char *const equal[][2] = {
        {"18", "18"},
        {"x$ and $y", "$x$ and $y$"},
        {"18", "$18.00"},
        {"1080", "$1,080.00"},
        {"1080", "\\$1,080"},
        {"42", "\\boxed{42}"},
        {"18", "18."},
        {"18", "$18$."},
        {"18", "**18**"},
        {"18", "`18`"},
        {"18", "$\\boxed{\\text{18}}$"},
        {"18", "18 dollars"},
        {"$18", "18 dollars"},
        {"18", "$18 dollars."},
        {"18", "18 eggs"},
        {"1 egg", "1 eggs"},
        {"18", "18\\text{ cm}"},
        {"18", "$18$ dollars"},
        {"18 Dollars", "18.0 dollar"},
        {"18", "18 \\text{dollars}"},
        {"18", "18\\,\\mathrm{kg}"},
        {"90", "90^\\circ"},
        {"90", "90^{\\circ}"},
        {"90 degrees", "90\xC2\xB0"},
        {"18", "18\xE2\x82\xAC"},
        {"\xE2\x82\xAC"
         "18",
         "18 euros"},
        {"5", "5 months"},
        {"18", "18\\$"},
        {"-3", "\xE2\x88\x92"
               "3"},
        {"-3", "-$3"},
        {"-3", "$-3"},
        {".5", "0.5"},
        {"1000", "1e3"},
        {"1000", "1,000"},
        {"0.75", "\\frac34"},
        {"3/4", "\\frac 34"},
        {"3/4", "\\dfrac{3}4"},
        {"-0.75", "\\frac{-3}{4}"},
        {"50%", "0.5"},
        {"50%", "50 percent"},
        {"50\\%", "50%"},
        {"1/2%", "0.005"},
        {"1 1/2", "1.5"},
        {"1\\frac{1}{2}", "3/2"},
        {"-1 1/2", "-1.5"},
        {"0", "-0"},
        {"0", "0.00"},
        {"1{,}000", "1000"},
        {"10,\\!000", "10000"},
        {"1800", "18 hundred"},
        {"18", "18 cents"},
        {"9", "\\sqrt{81}"},
        {"3", "\\{3\\}"},
        {"18", "x = 18"},
        {"18", "eighteen"},
        {"yes", "Yes"},
        {"4", "2+2"},
        {"3", "3\\text{ units}^2"},
        {"18", "18dollars"},
        {"3 hours", "180 minutes"},
        {"x+1", "$x+1$"},
        {"\\text{A}", "A."},
        {"x", "\\boxed{x}"},
        {"123456789012345678901234567890", "123,456,789,012,345,678,901,234,567,890.0"},
    };
    for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) check(equal[i][0], equal[i][1], CORD_EQUAL);
    static const char *const different[][2] = {
        {"3", "3x"},
        {"3", "3 x"},
        {"3", "3 pi"},
        {"3", "3\\pi"},
        {"3", "3^2"},
        {"3", "3 squared"},
        {"3", "3i"},
        {"18 cm", "18 m"},
        {"18", "18 or 19"},
        {"18", "18, 19"},
        {"3", "- 3"},
        {"2", "1-1/2"},
        {"12", "\\frac12"},
        {"3", "1/2/3"},
        {"1e999999999", "1"},
        {"1e5000", "1"},
        {"18", "17"},
        {"18", "-18"},
        {"18", "$17"},
        {"18", "180"},
        {"1/3", "0.33"},
        {"1/3", "0.333333333333333333333333"},
        {"18 eggs", "17 eggs"},
        {"$18", "$18.01"},
        {"50%", "51%"},
        {"0.5", "60%"},
        {"1 1/2", "11/2"},
        {"123456789012345678901234567890", "123456789012345678901234567891"},
        {"9007199254740993", "9007199254740992"},
    };
    for (size_t i = 0; i < sizeof different / sizeof *different; i++)
        check(different[i][0], different[i][1], CORD_DIFFERENT);
}

static void what_is_not_certain_is_undecided(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"50", "50%"},
        {"50", "$50%"},
        {"0.5 eggs", "50%"},
        {"1000", "1,00"},
        {"1080", "1,08"},
        {"0.5", "0,500"},
        {"500", "0,500"},
        {"1234567", "1234,567"},
        {"7", "0007"},
        {"18", "18 hundred"},
        {"18", "18 million"},
        {"18", "18 dozen"},
        {"3", "3 tenths"},
        {"3", "3 thirds"},
        {"3", "3 halves"},
        {"11", "11_2"},
        {"11", "11 binary"},
        {"5", "5th"},
        {"18 cm", "18 kg"},
        {"$18", "\xE2\x82\xAC"
                "18"},
        {"3", "180 minutes"},
        {"3", "3!"},
        {"18", "18 19"},
        {"18", "1 8"},
        {"0.333", "0.333..."},
        {"0.33", "0.33.."},
        {"1", "1/0"},
        {"1", "\\frac{1}{0}"},
        {"2.5", "1 3/2"},
        {"3", "--3"},
        {"3", "3-"},
        {"3", ""},
        {"", ""},
        {"  ", "3"},
        {"3", "."},
        {"1e-99999999999999999999", "0"},
        {"\\frac{1}{2}3", "0.5"},
        {"5", "$5 and $5"},
        {"3", "\\boxed{3"},
        {"3", "\\boxed{3}}"},
        {"1.5", "1.2.3"},
        {"3", "\\frac{3}"},
        {"3", "\\frac"},
        {"3", "$"},
        {"3", "\\text{"},
        {"3", "3\\text{"},
        {"10", "5:50"},
        {"10", "10:00"},
        {"1.5", "1-1/2"},
        {"16", "0x10"},
        {"18", "\xFF"
               "18"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) check(pairs[i][0], pairs[i][1], CORD_UNDECIDED);
}

static char *repeat(const char *piece, int n) {
    size_t len = strlen(piece);
    char *s = malloc(len * (size_t)n + 1);
    assert_non_null(s);
    for (int i = 0; i < n; i++) memcpy(s + (size_t)i * len, piece, len);
    s[len * (size_t)n] = '\0';
    return s;
}

static void huge_inputs_end_quickly(void **state) {
    (void)state;
    static const char *const pieces[] = {"9",    "\\boxed{", "\\text{", "$",         "1,000,", "the answer is ",
                                         "####", "####\n",   "{",       "\\frac",    "-",      ".",
                                         "\\!",  "*",        "**",      "answer *:", "\\("};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        char *s = repeat(pieces[i], 100000);
        assert_int_equal(cord_verify(TEXT("9"), text_of(s), NULL), CORD_UNDECIDED);
        assert_int_equal(cord_verify(text_of(s), text_of(s), NULL), CORD_EQUAL);
        free(s);
    }
    char *digits = repeat("7", TREE_TEXT - 10), *same;
    assert_true(asprintf(&same, "%s.0", digits + 1) > 0); /* one digit less, and a nought */
    check(digits + 1, same, CORD_EQUAL);
    check(digits, same, CORD_DIFFERENT);
    free(same);
    free(digits);
}

/* What is extracted can be graded, whatever it is. */
/* The same numbers in two orders: few are compared each with each, so many are not. */
static void *verify_deep(void *arg) {
    struct buf text;
    buf_init(&text, "a deep answer", 1 << 20);
    for (int i = 0; i < 2000; i++) buf_addf(&text, "%s", (const char *)arg);
    buf_addf(&text, "x");
    cord_verify(buf_text(&text), TEXT("x"), NULL);
    buf_release(&text);
    return NULL;
}

/* Chains that are as deep as they are long. */
static void *verify_chain(void *arg) {
    const char *const *chain = arg;
    for (int n = 197; n <= 2000; n += 1803) { /* the deepest that is read, and too deep */
        struct buf text;
        buf_init(&text, "a long chain", 1 << 20);
        buf_addf(&text, "%s", chain[0]);
        for (int i = 0; i < n; i++) buf_addf(&text, "%s", chain[1]);
        for (int k = 2; k < 4; k++) {
            const char *why;
            cord_verdict verdict = cord_verify(buf_text(&text), text_of(chain[k]), &why);
            bool sets = chain[0][0] == '[' && k == 2; /* what the chain comes to */
            cord_verdict right = sets && n < 2000 ? CORD_EQUAL : CORD_UNDECIDED;
            if ((n == 2000 || sets) && verdict != right) fail_msg("%s: %s", chain[1], why);
        }
        buf_release(&text);
    }
    return NULL;
}

/* What nests is refused at a depth that a thread of 512 KiB has room for. */
static void nesting_needs_little_stack(void **state) {
    (void)state;
    static char *const nests[] = {"\\ln ", "(", "-", "\\sqrt{", "\\frac{1}{", "x^{", "|", "\\sin", "!", "\\left("};
    pthread_attr_t attr;
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstacksize(&attr, 512 << 10), 0);
    for (size_t i = 0; i < sizeof nests / sizeof *nests; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, &attr, verify_deep, nests[i]), 0);
        pthread_join(thread, NULL);
    }
    static const char *const chains[][4] = {
        {"[0,9]", "\\cap[1,2]", "[1,2]", "5"},
        {"[0,9]", "\\cup[1,2]", "[0,9]", "5"},
        {"[0,9]", "\\setminus[1,2]", "[0,1)\\cup(2,9]", "5"},
        {"A", "\\cap B", "A", "5"},
        {"5", "/3", "5", "x"},
        {"5", "%", "5", "x"},
        {"5", "!", "5", "x"},
        {"x", "*3", "x", "[1,2]"},
    };
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, &attr, verify_chain, (void *)(uintptr_t)chains[i]), 0);
        pthread_join(thread, NULL);
    }
    pthread_attr_destroy(&attr);
}

static void long_lists_are_paid_for(void **state) {
    (void)state;
    for (int n = 200; n <= 2000; n += 1800) {
        struct buf up, down;
        buf_init(&up, "a list", TREE_TEXT);
        buf_init(&down, "a list", TREE_TEXT);
        for (int i = 1; i <= n; i++) {
            buf_addf(&up, "%s%d", i > 1 ? ", " : "", 1000 + i);
            buf_addf(&down, "%s%d", i > 1 ? ", " : "", 1000 + n - i + 1);
        }
        const char *why;
        assert_int_equal(cord_verify(buf_text(&up), buf_text(&down), &why), n < 1000 ? CORD_EQUAL : CORD_UNDECIDED);
        if (n > 1000) assert_string_equal(why, "the comparison takes too much work");
        buf_release(&up);
        buf_release(&down);
    }
}

static void an_extracted_answer_equals_itself(void **state) {
    (void)state;
    static const char *const pieces[] = {"\\boxed{", "}", "{",  "\\",    "answer",   " is ",    ":",       "**",
                                         "18",       ".", "\n", "#### ", "</think>", "$",       " ",       "\\frac",
                                         "%",        ",", "/",  "-",     "e",        "\\text{", "Answer: "};
    struct rng rng;
    rng_init(&rng, 11);
    for (int i = 0; i < 50000; i++) {
        struct buf reply;
        buf_init(&reply, "test reply", 1000);
        for (uint64_t n = rng_next(&rng) % 14; n > 0; n--)
            buf_add(&reply, text_of(pieces[rng_next(&rng) % (sizeof pieces / sizeof *pieces)]));
        cord_text answer;
        if (cord_extract_answer(buf_text(&reply), false, &answer)) {
            assert_int_equal(cord_verify(answer, answer, NULL), CORD_EQUAL);
            cord_verify(TEXT("18"), answer, NULL);
        }
        cord_verify(buf_text(&reply), TEXT("18"), NULL);
        buf_release(&reply);
    }
}

static void verdicts_have_names(void **state) {
    (void)state;
    assert_string_equal(cord_verdict_name(CORD_EQUAL), "equal");
    assert_string_equal(cord_verdict_name(CORD_DIFFERENT), "different");
    assert_string_equal(cord_verdict_name(CORD_UNDECIDED), "undecided");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_compared_as_python_does),
        cmocka_unit_test(random_rationals_are_told_apart),
        cmocka_unit_test(answers_of_gsm8k_kind),
        cmocka_unit_test(what_is_not_certain_is_undecided),
        cmocka_unit_test(huge_inputs_end_quickly),
        cmocka_unit_test(nesting_needs_little_stack),
        cmocka_unit_test(long_lists_are_paid_for),
        cmocka_unit_test(an_extracted_answer_equals_itself),
        cmocka_unit_test(verdicts_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
