/* test_shard.c - shards: every problem is in exactly one, adding problems moves none, and each has a folder of its own. */
#include "support.h"

#include "data/problem_sets.h"

#include <stdlib.h>

static void test_parse(void **state) {
    (void)state;
    static const char *const good[] = {"1/1", "1/4", "4/4", "02/08", "1000000/1000000"};
    static const char *const bad[] = {"",
                                      "0/4",
                                      "5/4",
                                      "x/y",
                                      "1/0",
                                      "1",
                                      "/4",
                                      "1/",
                                      "1/4/4",
                                      "-1/4",
                                      "+1/4",
                                      " 1/4",
                                      "1/ 4",
                                      "1/4 ",
                                      "1.0/4",
                                      "1/1000001",
                                      "99999999999/99999999999"};
    struct shard shard;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(shard_parse(good[i], &shard));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (shard_parse(bad[i], &shard)) fail_msg("'%s' was taken for %d/%d", bad[i], shard.number, shard.count);
    assert_true(shard_parse("02/08", &shard));
    assert_int_equal(shard.number, 2);
    assert_int_equal(shard.count, 8);
}

/* The rule is documented, so that others can follow it:
 *   for id in a p-1 line-7 ä; do printf %s $id | sha256sum | head -c 16; done, as numbers modulo 7, plus 1 */
static void test_rule(void **state) {
    (void)state;
    static const struct {
        const char *id;
        int number;
    } known[] = {{"a", 5}, {"p-1", 2}, {"line-7", 2}, {"\xC3\xA4", 6}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        for (int number = 1; number <= 7; number++)
            assert_int_equal(shard_has((struct shard){number, 7}, text_of(known[i].id)), number == known[i].number);
}

enum { PROBLEMS = 2000 };

static struct problem_set fill(struct arena *arena, int n) {
    struct problem *problems = arena_alloc(arena, (size_t)n * sizeof *problems);
    for (int i = 0; i < n; i++) {
        problems[i] = (struct problem){.question.id = text_of(arena_printf(arena, "test/%d", i)), .index = i};
        if (i % 100 == 99) problems[i].bad = "broken";
    }
    return set_of(problems, n);
}

static void test_each_problem_in_one_shard(void **state) {
    (void)state;
    static int seen[PROBLEMS];
    struct arena arena;
    arena_init(&arena);
    struct problem_set set = fill(&arena, PROBLEMS);
    for (int count = 1; count <= 16; count += 5) {
        int bad = 0, n;
        memset(seen, 0, sizeof seen);
        for (int number = 1; number <= count; number++) {
            set.shard = (struct shard){number, count};
            const struct problem *told = problems_told(&set, &n, &arena);
            for (int i = 0; i < n; i++) {
                seen[told[i].index]++;
                bad += told[i].bad != NULL;
                if (i) assert_true(told[i - 1].index < told[i].index);
            }
            /* within five standard deviations of an even share */
            double share = (double)PROBLEMS / count, off = n - share;
            assert_true(off * off <= 25 * share);
        }
        assert_int_equal(bad, PROBLEMS / 100);
        for (int i = 0; i < PROBLEMS; i++) assert_int_equal(seen[i], 1);
    }
    problem_set_release(&set);
    arena_release(&arena);
}

static void test_whole_set(void **state) {
    (void)state;
    struct arena arena;
    int n;
    arena_init(&arena);
    struct problem_set set = fill(&arena, 100);
    problems_told(&set, &n, &arena);
    assert_int_equal(n, 100);
    assert_int_equal(set.n, 100);
    assert_int_equal(set.n_bad, 1);
    assert_string_equal(shard_folder((struct shard){0}, "runs/a/", &arena), "runs/a/");
    problem_set_release(&set);
    arena_release(&arena);
}

static void test_folders(void **state) {
    (void)state;
    struct arena arena;
    struct shard shard = {3, 16};
    arena_init(&arena);
    assert_string_equal(shard_folder(shard, "runs/a", &arena), "runs/a-3-of-16");
    assert_string_equal(shard_folder(shard, "runs/a//", &arena), "runs/a-3-of-16");
    assert_string_equal(shard_folder(shard, "/", &arena), "/-3-of-16");
    assert_string_equal(shard_folder(shard, "runs/{shard}/b", &arena), "runs/3-of-16/b");
    /* what is named so already leads back to itself; another shard's name does not */
    assert_string_equal(shard_folder(shard, "runs/a-3-of-16", &arena), "runs/a-3-of-16");
    assert_string_equal(shard_folder(shard, "runs/3-of-16/b/", &arena), "runs/3-of-16/b/");
    assert_string_equal(shard_folder(shard, "a-13-of-16", &arena), "a-13-of-16-3-of-16");
    assert_string_equal(shard_folder(shard, "a-3-of-160", &arena), "a-3-of-160-3-of-16");
    assert_string_equal(shard_folder(shard, "13-of-16/3-of-16", &arena), "13-of-16/3-of-16");
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_each_problem_in_one_shard),
        cmocka_unit_test(test_whole_set),
        cmocka_unit_test(test_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
