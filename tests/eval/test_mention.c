/* test_mention.c - which step of a trajectory is the first to mention an answer. */
#include "support.h"

#include "eval/mention.h"

#include <math.h>

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
    /* the number of a heading or of a list is none; one that is all there is, and one of something, are */
    static const char *const texts[] = {
        " 27. So",         "27) So",          " 27.",           " 27 eggs",     " 27. So 27",   "27.5 or", "### 27. So",
        "### Step 27: So", "**Step 27:** So", "step 27. So 27", "Steps 27. So", "**27** it is", "Step 27"};
    static const int found[] = {0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct step one = {.text = text_of(texts[i])};
        t.last = &one;
        assert_ok(mention_first(TEXT("How many?"), TEXT("27"), &t, -9, &m, err));
        assert_int_equal(m.step, found[i]);
    }
    t.last = NULL;
    assert_ok(mention_first(TEXT("How many?"), TEXT("27"), &t, -9, &m, err));
    assert_true(m.step == 0 && m.steps == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
