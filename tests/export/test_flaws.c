/* test_flaws.c - which flaws are found, and what is none: each finding next to its nearest innocent neighbour. */
#include "support.h"

#include "export/flaws.h"

#include <math.h>

static unsigned texts(const char *question, const char *reasoning, const char *reply) {
    unsigned found;
    assert_ok(flaws_of_texts(text_of(question), text_of(reasoning), text_of(reply), &found, err));
    return found;
}
#define HAS(flags, which)     assert_int_equal((flags) >> (which)&1, 1)
#define HAS_NOT(flags, which) assert_int_equal((flags) >> (which)&1, 0)

static const char plain[] = "### Step 1. Tom has 3 apples and buys 4 more.\n\n### Step 2. That is 3 + 4 = 7 apples.";

static void test_nothing(void **state) {
    (void)state;
    assert_int_equal(texts("Tom has 3 apples and buys 4 more. How many has he?", plain, "So \\boxed{7}"), 0);
    assert_int_equal(texts("", "", ""), 0);
    assert_int_equal(
        texts("Let \xCE\xB1 + \xCE\xB2 = \xCF\x80. What is \xCE\xB1?", "\xCE\xB1\xCE\xB2\xCE\xB3\xCE\xB4", "x"), 0);
}

static void test_gold_first(void **state) {
    (void)state;
    static const struct {
        const char *question, *first, *gold;
        bool found;
    } cases[] = {
        {"What is 3 + 4?", "The answer is 7.", "7", true},
        {"What is 3 + 4?", "Take 17 and 7.5 and 77.", "7", false},
        {"What is 7 + 0?", "The answer is 7.", "7", false}, /* the question has it */
        {"What is 3 + 4?", "Add 3 and 4.", "7", false},
        {"Which?", "It is Paris, surely.", "Paris", true},
        {"Which?", "It is Parisian.", "Paris", false},
        {"Which?", "It is 7.", "", false},
        {"What is 0 + 1?", "1. Add them.", "2", false},
        {"What is 3 - 2?", "1. Take 2 away.", "1", false}, /* a list's */
        {"What is 3 - 2?", "1. It is 1.", "1", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct example_step steps[3] = {{.bare = text_of(cases[i].first), .after = NAN},
                                        {.bare = TEXT("so 7, Paris"), .after = NAN},
                                        {.bare = TEXT("done"), .after = NAN}};
        struct example e = {.question = text_of(cases[i].question),
                            .gold = text_of(cases[i].gold),
                            .reasoning = TEXT("x"),
                            .reply = TEXT("y"),
                            .steps = steps,
                            .n_steps = 3};
        unsigned found;
        assert_ok(flaws_of_example(&e, &found, err));
        if ((found >> FLAW_GOLD_FIRST & 1) != cases[i].found) fail_msg("case %zu", i);
        e.n_steps = 2; /* short traces may begin with it */
        assert_ok(flaws_of_example(&e, &found, err));
        HAS_NOT(found, FLAW_GOLD_FIRST);
    }
}

static void test_special_tokens(void **state) {
    (void)state;
    static const struct {
        const char *question, *reasoning, *reply;
        bool found;
    } cases[] = {
        {"What is <|im_end|>?", "x", "y", true},
        {"What?", "so it is 5<|endoftext|> and", "y", true},
        {"What?", "x", "5</s>", true},
        {"What?", "x", "[INST] more", true},
        {"Is a<b and c>d?", "|x| < 5, [0,1], <b>", "[ABC]", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct example e = {.question = text_of(cases[i].question),
                            .reasoning = text_of(cases[i].reasoning),
                            .reply = text_of(cases[i].reply)};
        unsigned found;
        assert_ok(flaws_of_example(&e, &found, err));
        if ((found >> FLAW_SPECIAL_TOKEN & 1) != cases[i].found) fail_msg("case %zu", i);
    }
}

static void test_repeats(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, "text", 1 << 20);
    for (int i = 0; i < 8; i++) buf_addf(&text, "Wait, let me check this again: three and four are seven, is it not? ");
    HAS(texts("q", text.data, ""), FLAW_REPEATS);
    buf_clear(&text); /* the same words about other numbers are no repetition */
    for (int i = 0; i < 40; i++)
        buf_addf(&text, "Now try n = %d, of which the square is %d and the cube is %d. ", i, i * i, i * i * i);
    HAS_NOT(texts("q", text.data, ""), FLAW_REPEATS);
    buf_release(&text);
}

#define CHINESE "\xE6\x89\x80\xE4\xBB\xA5\xE7\xAD\x94\xE6\xA1\x88\xE6\x98\xAF"

static void test_scripts(void **state) {
    (void)state;
    HAS(texts("What is 3 + 4?", "Three and four are seven. " CHINESE " 7.", ""), FLAW_SCRIPT);
    HAS(texts("What is 3 + 4?", plain, CHINESE), FLAW_SCRIPT);
    HAS_NOT(texts("What does " CHINESE " mean?", "Three and four are seven. " CHINESE " 7.", ""), FLAW_SCRIPT);
    HAS_NOT(texts("3 + 4 = ?", CHINESE CHINESE CHINESE CHINESE, "7"), FLAW_SCRIPT);              /* all of it */
    HAS_NOT(texts("What is 3 + 4?", "Three \xE4\xB8\xAD and four are seven.", ""), FLAW_SCRIPT); /* one sign */
}

#define GERMAN  "Das ist nicht alles, und wir sind noch nicht fertig; die Summe ist der Wert, und das ist eine Zahl. "
#define ENGLISH "That is not all of it, and we have this sum, which is the value of the number that there is. "

static void test_languages(void **state) {
    (void)state;
    HAS(texts("What is the sum?", ENGLISH ENGLISH GERMAN GERMAN, ""), FLAW_LANGUAGE);
    HAS_NOT(texts("What is the sum?", ENGLISH ENGLISH ENGLISH ENGLISH, ""), FLAW_LANGUAGE);
    HAS_NOT(texts("Was ist die Summe?", GERMAN GERMAN GERMAN GERMAN, ""), FLAW_LANGUAGE);
}

static void test_unclosed(void **state) {
    (void)state;
    HAS(texts("q", "a <answer>5", "5"), FLAW_UNCLOSED);
    HAS(texts("q", "a ```python\nprint(5)", "5"), FLAW_UNCLOSED);
    HAS(texts("q", "a \\begin{align} x", "5"), FLAW_UNCLOSED);
    HAS(texts("q", "a </think> b", "5"), FLAW_UNCLOSED); /* ends the thinking for whoever parses it */
    HAS(texts("q", "a", "<think>5"), FLAW_UNCLOSED);
    HAS(texts("q", "a [/THINK] b", "5"), FLAW_UNCLOSED);
    HAS(texts("q", "a", "</thinking>5"), FLAW_UNCLOSED);
    HAS(texts("q", "a <|END_THINKING|> b", "5"), FLAW_UNCLOSED);
    HAS_NOT(texts("q", "[I think] of x < 5 thinking > 3", "5"), FLAW_UNCLOSED);
    HAS_NOT(texts("q", "a <answer>5</answer> ```x``` \\begin{align} x \\end{align}, a < b > c", "5"), FLAW_UNCLOSED);
}

static void test_weak_step(void **state) {
    (void)state;
    struct example_step steps[2] = {{.bare = TEXT("a"), .after = log(0.009)}, {.bare = TEXT("b"), .after = log(0.9)}};
    struct example e = {
        .gold = TEXT("5"), .steps = steps, .n_steps = 2, .grade = GRADE_CORRECT, .reasoning = TEXT("ab")};
    unsigned found;
    assert_ok(flaws_of_example(&e, &found, err));
    assert_int_equal(found, 1u << FLAW_WEAK_STEP);
    e.grade = GRADE_WRONG;
    assert_ok(flaws_of_example(&e, &found, err));
    assert_int_equal(found, 0);
    e.grade = GRADE_CORRECT;
    e.is_steps = true; /* which have no answer */
    assert_ok(flaws_of_example(&e, &found, err));
    assert_int_equal(found, 0);
    e.is_steps = false;
    steps[0].after = log(0.011);
    assert_ok(flaws_of_example(&e, &found, err));
    assert_int_equal(found, 0);
    steps[0].after = NAN;
    assert_ok(flaws_of_example(&e, &found, err));
    assert_int_equal(found, 0);
}

static void test_cut(void **state) {
    (void)state;
    struct example e = {.gold = TEXT("5"), .reasoning = TEXT("and so the sum is"), .reply = TEXT("5"), .cut = true};
    unsigned found;
    assert_ok(flaws_of_example(&e, &found, err));
    assert_int_equal(found, 1u << FLAW_CUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),        cmocka_unit_test(test_gold_first), cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_special_tokens), cmocka_unit_test(test_scripts),    cmocka_unit_test(test_languages),
        cmocka_unit_test(test_unclosed),       cmocka_unit_test(test_weak_step),  cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
