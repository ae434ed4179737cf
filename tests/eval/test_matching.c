/* test_matching.c - which problems runs have in common, and why others are left out. */
#include "support.h"

#include "eval/comparison.h"
#include "eval/matching.h"

static struct journal_problem problem(const char *id, const char *question, enum problem_status status) {
    return (struct journal_problem){
        .id = text_of(id), .question = text_of(question), .target = TEXT("1"), .gold = TEXT("1"), .status = status};
}

static void test_matching(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena);
    const struct journal_problem a[] = {problem("z", "q1", PROBLEM_DONE), problem("b", "q2", PROBLEM_DONE),
                                        problem("c", "q3", PROBLEM_DONE), problem("d", "q4", PROBLEM_OPEN),
                                        problem("", "", PROBLEM_FAILED),  problem("e", "q5", PROBLEM_DONE),
                                        problem("f", "q6", PROBLEM_DONE), problem("g", "q7", PROBLEM_FAILED)};
    struct journal_problem b[] = {problem("g", "q7", PROBLEM_FAILED), problem("c", "other", PROBLEM_DONE),
                                  problem("e", "q5", PROBLEM_FAILED), problem("z", "q1", PROBLEM_DONE),
                                  problem("f", "q6", PROBLEM_DONE),   problem("b", "q2", PROBLEM_DONE),
                                  problem("d", "q4", PROBLEM_DONE),   problem("h", "q8", PROBLEM_FAILED)};
    struct evidence first = {0}, second = {0};
    const struct evidence *const runs[] = {&first, &second};
    struct matching m;
    assert_ok(evidence_take(&first, "", a, 8, &arena, err));
    assert_ok(evidence_take(&second, "", b, 8, &arena, err));
    assert_ok(match_problems(runs, 2, &arena, &m, err));
    assert_int_equal(m.n, 3);
    const int want[2][3] = {{0, 1, 6}, {3, 5, 4}};
    for (int l = 0; l < 2; l++)
        for (int i = 0; i < 3; i++) assert_int_equal(m.at[l * 3 + i], want[l][i]);
    assert_int_equal(m.left_out[0].n, 2);
    assert_text(m.left_out[0].example, "c");
    assert_true(m.left_out[0].why == LACK_OTHER && m.left_out[0].where == 1);
    assert_int_equal(m.left_out[1].n, 2); /* c, which is another one, and d */
    assert_true(m.left_out[1].where == 0);
    assert_int_equal(m.not_done, 2); /* g, in both, and h; the broken row is no problem */
    b[5].gold = TEXT("2");           /* graded against another answer */
    assert_ok(evidence_take(&second, "", b, 8, &arena, err));
    assert_ok(match_problems(runs, 2, &arena, &m, err));
    assert_int_equal(m.n, 2);
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_matching)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
