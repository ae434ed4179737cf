/* test_judge.c - what is read from a judge's reply, and what is not; no model is asked here. */
#include "support.h"

#include "grade/judge.h"

static void verdicts_are_read_where_they_are_plain(void **state) {
    (void)state;
    enum { WHOLE, CUT, THINKING };
    static const struct {
        const char *reply;
        cord_verdict verdict;
        int how;
    } cases[] = {
        {"True", CORD_EQUAL, WHOLE},
        {" false.\n", CORD_DIFFERENT, WHOLE},
        {"**YES**", CORD_EQUAL, WHOLE},
        {"\\boxed{No}", CORD_DIFFERENT, WHOLE},
        {"Answer—True。", CORD_EQUAL, WHOLE},
        {"True. The prediction holds all of it.", CORD_EQUAL, WHOLE},
        {"The first part is true and the second is false.\nOverall: False", CORD_DIFFERENT, WHOLE},
        {"False\n\nI hope this helps.", CORD_DIFFERENT, WHOLE},
        {"Yes, true.", CORD_EQUAL, WHOLE},

        {"", CORD_UNDECIDED, WHOLE},
        {"I cannot say.", CORD_UNDECIDED, WHOLE},
        {"True or False", CORD_UNDECIDED, WHOLE},
        {"Yes, it is false.", CORD_UNDECIDED, WHOLE},
        {"Truely untrue, nofalse, yes-no, true_", CORD_UNDECIDED, WHOLE},
        {"It is not true.", CORD_UNDECIDED, WHOLE},
        {"That isn't entirely true", CORD_UNDECIDED, WHOLE},
        {"It is not the case here, so: True", CORD_EQUAL, WHOLE},
        {"'True'", CORD_EQUAL, WHOLE},
        {"The verdict is __False__.", CORD_DIFFERENT, WHOLE},

        /* where it was cut, what would have followed could have turned it round */
        {"True. The predic", CORD_EQUAL, CUT},
        {"It might be false.\nStill I say true, b", CORD_UNDECIDED, CUT},

        {"<think>It looks false.</think>True", CORD_EQUAL, WHOLE},
        {"It looks false.</think>\n\nTrue", CORD_EQUAL, THINKING},
        {"It looks true, so", CORD_UNDECIDED, THINKING},
        {"<think>True", CORD_UNDECIDED, WHOLE},
        {"a</think>False<think>True", CORD_UNDECIDED, WHOLE},
        {"a</think> b </think> False", CORD_DIFFERENT, WHOLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = NULL;
        cord_verdict got = judge_read(text_of(cases[i].reply), cases[i].how == CUT, cases[i].how == THINKING, &why);
        if (got != cases[i].verdict) fail_msg("'%s' is read as %s", cases[i].reply, cord_verdict_name(got));
        assert_true(why && *why);
    }
}

static void any_reply_is_read_without_harm(void **state) {
    (void)state;
    static const char *const parts[] = {"true", "no", " ", "\n", "not", "<think>", "</think>", "\xff", "'", "-", "É"};
    struct rng rng;
    rng_init(&rng, 5);
    for (int i = 0; i < 20000; i++) {
        struct buf reply;
        const char *why = NULL;
        buf_init(&reply, "reply", 1000);
        for (int n = (int)(rng_next(&rng) % 12); n > 0; n--)
            buf_add(&reply, text_of(parts[rng_next(&rng) % (sizeof parts / sizeof *parts)]));
        judge_read(buf_text(&reply), i & 1, i & 2, &why);
        assert_non_null(why);
        buf_release(&reply);
    }
}

static void prompts_that_lack_something_are_told(void **state) {
    (void)state;
    assert_null(judge_prompt_complaint(judge_prompt()));
    assert_null(judge_prompt_complaint(TEXT("{prediction}{reference}")));
    assert_string_equal(judge_prompt_complaint(TEXT("{prediction}")), "does not hold {reference}");
    assert_string_equal(judge_prompt_complaint(TEXT("{question} {reference}")), "does not hold {prediction}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_are_read_where_they_are_plain),
        cmocka_unit_test(any_reply_is_read_without_harm),
        cmocka_unit_test(prompts_that_lack_something_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
