/* test_comparison.c - methods with made values side by side: means, differences and their tests, what is adjusted, and the
 * sentences. */
#include "eval/near.h"

#include "eval/comparison.h"

static void test_comparison(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena);
    enum { N = 40, METHODS = 4 };
    static double values[METHODS][N * MEASURES];
    struct method methods[METHODS] = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}};
    struct rng rng;
    rng_init(&rng, 5);
    memset(values, 0, sizeof values);
    for (int m = 0; m < METHODS; m++) {
        methods[m].values = values[m];
        methods[m].n_seeds = m == 3 ? 2 : 1;
        for (int i = 0; i < N; i++) {
            double *v = &values[m][i * MEASURES];
            v[MEASURE_ACCURACY] = rng_uniform(&rng) < (m == 1 ? 0.9 : 0.4);
            if (m == 3) v[MEASURE_ACCURACY] = floor(3 * rng_uniform(&rng)) / 2;
            v[MEASURE_PP] = m == 3 && i < 5 ? (double)NAN : rng_uniform(&rng); /* too long for the scorer */
            v[MEASURE_TOKENS] = 100 * (m + 1);
            v[MEASURE_GENERATED] = m == 3 ? 104.9 : m == 2 ? 100 : 105.1;
            v[MEASURE_FLOPS] = m == 3 && i == 7 ? (double)NAN : 1;
            v[MEASURE_AFTER] = m == 3 && i >= 10 ? (double)NAN : i;
        }
    }
    struct comparison c = {.methods = methods, .n_methods = METHODS, .n_problems = N, .baseline = 2};
    const struct resampling how = {2000, 0.95, 1};
    assert_ok(compare_methods(&c, &how, &arena, err));
    assert_int_equal(c.n_differences, 6);
    assert_near(comparison_ratio(&c, 0, MEASURE_TOKENS), 1.0 / 3, 1e-12);
    /* five in a hundred more are equal; what was spent is not known where it is not of one problem; other means are of those
     * problems that have a value */
    assert_true(comparison_budget(&c, 3, MEASURE_GENERATED) == BUDGET_SAME);
    assert_true(comparison_budget(&c, 1, MEASURE_GENERATED) == BUDGET_DIFFERS);
    assert_true(comparison_budget(&c, 3, MEASURE_FLOPS) == BUDGET_UNKNOWN);
    assert_true(comparison_budget(&c, 1, MEASURE_FLOPS) == BUDGET_SAME);
    /* what a judge wrote is told where there is one */
    static const char *const letters[] = {"A", "B", "C", "D"};
    struct buf told;
    buf_init(&told, "budgets", 1 << 16);
    comparison_tell_budget(&c, 1, &told);
    comparison_tell_equal(&c, 1, letters, &told);
    assert_int_equal(text_find(buf_text(&told), TEXT("judged")), -1);
    methods[1].mean[MEASURE_JUDGED] = 7;
    comparison_tell_budget(&c, 1, &told);
    comparison_tell_equal(&c, 1, letters, &told);
    assert_true(text_find(buf_text(&told), TEXT("tokens judged 7.0")) > 0);
    assert_true(text_find(buf_text(&told), TEXT("not equal by tokens generated (1.05), tokens judged")) > 0);
    buf_release(&told);
    assert_true(isnan(methods[3].mean[MEASURE_FLOPS]) && methods[3].of[MEASURE_FLOPS] == N - 1);
    assert_near(methods[3].mean[MEASURE_AFTER], 4.5, 1e-12);
    assert_true(methods[3].of[MEASURE_AFTER] == 10 && methods[0].of[MEASURE_AFTER] == N);
    double rest[4];
    for (int i = 0; i < 6; i++) {
        const struct difference *d = &c.differences[i];
        assert_int_equal(d->method, i < 4 ? i / 2 : 3);
        assert_true(d->measure == (i % 2 ? MEASURE_PP : MEASURE_ACCURACY) && d->primary == (i < 2));
        assert_true(d->pairs == (i == 0 || i == 2)); /* not with two seeds, and not of PP */
        int gained = 0, lost = 0;
        double sum = 0;
        for (int p = 0; p < N; p++) {
            double one = values[d->method][p * MEASURES + d->measure] - values[2][p * MEASURES + d->measure];
            if (!isnan(one)) sum += one, gained += one > 0, lost += one < 0;
        }
        assert_int_equal(d->n, i == 5 ? N - 5 : N);
        assert_near(d->mean, sum / d->n, 1e-12);
        assert_true(d->p > 0 && d->detectable > 0);
        assert_near(d->level, i < 2 ? 0.05 : 0.05 / 4, 1e-15);
        assert_true(d->gained == gained && d->lost == lost && d->low < d->mean && d->mean < d->high);
        if (d->pairs) assert_near(d->p, mcnemar_exact(gained, lost), 0);
        if (i >= 2) rest[i - 2] = d->p;
        if (i < 2) assert_near(d->adjusted, d->p, 0);
    }
    assert_ok(holm_adjust(rest, 4, rest, err));
    for (int i = 0; i < 4; i++) assert_near(c.differences[2 + i].adjusted, rest[i], 0);
    assert_true(c.differences[2].adjusted < 0.05 && c.differences[0].p > 0.05);

    /* none is primary: all six are one family */
    double every[6];
    c.no_primary = true;
    assert_ok(compare_methods(&c, &how, &arena, err));
    for (int i = 0; i < 6; i++) every[i] = c.differences[i].p;
    assert_ok(holm_adjust(every, 6, every, err));
    for (int i = 0; i < 6; i++) {
        assert_false(c.differences[i].primary);
        assert_near(c.differences[i].adjusted, every[i], 0);
        assert_near(c.differences[i].level, 0.05 / 6, 1e-15);
    }
    c.no_primary = false;

    /* five problems on which two differ give no interval, six do */
    static double most[N * MEASURES];
    memcpy(most, values[2], sizeof most);
    methods[0].values = most;
    for (int differ = 5; differ <= 6; differ++) {
        for (int i = 0; i < differ; i++)
            most[i * MEASURES + MEASURE_ACCURACY] = !(values[2][i * MEASURES + MEASURE_ACCURACY] > 0);
        assert_ok(compare_methods(&c, &how, &arena, err));
        assert_int_equal(c.differences[0].gained + c.differences[0].lost, differ);
        assert_true(isnan(c.differences[0].low) == (differ == 5) && isnan(c.differences[0].high) == (differ == 5));
        assert_true(isnan(c.differences[1].low)); /* PP is the same */
    }
    methods[0].values = values[0];
    assert_ok(compare_methods(&c, &how, &arena, err));

    const char *names[] = {"a", "b", "c", "d"};
    struct buf out;
    buf_init(&out, "a sentence", 4096);
    comparison_tell(&c, &c.differences[2], names, &out);
    assert_true(text_starts(buf_text(&out), TEXT("Established at level 0.05: b has a higher accuracy than c")));
    assert_true(text_find(buf_text(&out), TEXT("Holm")) > 0);
    buf_clear(&out);
    comparison_tell(&c, &c.differences[0], names, &out);
    assert_true(text_starts(buf_text(&out), TEXT("Not established: that a and c differ in accuracy")));
    assert_true(text_find(buf_text(&out), TEXT("with these 40 problems a true difference of ")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("Holm")) < 0);

    buf_clear(&out);
    comparison_tell(&c, &c.differences[5], names, &out);
    assert_true(text_find(buf_text(&out), TEXT("(over the 35 of 40 problems that have both; difference ")) > 0);

    /* so few, or so alike, that nothing can be shown */
    struct difference dull = {.method = 0,
                              .measure = MEASURE_PP,
                              .n = 40,
                              .primary = true,
                              .p = 1,
                              .adjusted = 1,
                              .level = 0.05,
                              .detectable = (double)NAN};
    buf_clear(&out);
    comparison_tell(&c, &dull, names, &out);
    assert_true(text_ends(buf_text(&out), TEXT("nothing is known of how much it varies.")));
    dull.deviation = dull.gained = 1;
    buf_clear(&out);
    comparison_tell(&c, &dull, names, &out);
    assert_true(
        text_ends(buf_text(&out), TEXT("Of 40 problems 1 differs, too few to say which difference would have been "
                                       "found.")));
    c.n_problems = dull.n = 3;
    buf_clear(&out);
    comparison_tell(&c, &dull, names, &out);
    assert_true(text_ends(buf_text(&out), TEXT("3 problems such as these can show no difference at all.")));
    dull.n = 0;
    buf_clear(&out);
    comparison_tell(&c, &dull, names, &out);
    assert_true(text_find(buf_text(&out), TEXT("(no problem has both). 0 problems")) > 0);
    buf_release(&out);
    arena_release(&arena);
}

/* Two methods that each of some problems tells apart: by the same in accuracy, by more and more in PP. */
enum { FEW = 30 };
static double rows[2][FEW * MEASURES];
static void make_few(struct method methods[2], struct comparison *c, struct arena *arena) {
    static const struct resampling how = {2000, 0.95, 1};
    memset(rows, 0, sizeof rows);
    for (int m = 0; m < 2; m++) {
        methods[m] = (struct method){.name = m ? "b" : "a", .n_seeds = 1, .values = rows[m]};
        for (int i = 0; i < FEW; i++) {
            rows[m][i * MEASURES + MEASURE_ACCURACY] = m;
            rows[m][i * MEASURES + MEASURE_PP] = m ? 0.5 + 0.01 * i : 0.25;
        }
    }
    *c = (struct comparison){.methods = methods, .n_methods = 2, .n_problems = FEW};
    assert_ok(compare_methods(c, &how, arena, err));
}

static void tell(const struct comparison *c, int difference, struct buf *out) {
    const char *const names[] = {"a", "b"};
    buf_clear(out);
    comparison_tell(c, &c->differences[difference], names, out);
}

static void test_equal_differences(void **state) {
    (void)state;
    struct comparison c;
    struct method methods[2];
    struct arena arena;
    struct buf out;
    arena_init(&arena);
    buf_init(&out, "a sentence", 4096);
    make_few(methods, &c, &arena);
    /* nothing is known of how much a difference of 1 on each varies: an interval from 1 to 1 would be none */
    assert_true(isnan(c.differences[0].low) && isnan(c.differences[0].high) && c.differences[0].gained == FEW);
    assert_true(c.differences[1].low < c.differences[1].mean && c.differences[1].mean < c.differences[1].high);
    tell(&c, 0, &out);
    assert_text(buf_text(&out), "Established at level 0.05: b has a higher accuracy than a on problems such as these "
                                "(difference +1.0000, the same on each problem; McNemar's exact test, p = 1.863e-09).");
    /* 1 / 2001, which bounds nothing: of all ways 2 in 2^30 are as far */
    tell(&c, 1, &out);
    assert_true(
        text_find(buf_text(&out), TEXT("test of signs over problems, p = 0.0004998 of 2000 random signs, none of "
                                       "which lay as far)")) > 0);
    assert_true(c.differences[1].signs.random == 2000 && c.differences[1].signs.far == 0);
    buf_release(&out);
    arena_release(&arena);
}

static void test_incomparable(void **state) {
    (void)state;
    struct comparison c;
    struct method methods[2];
    struct arena arena;
    struct buf out;
    arena_init(&arena);
    buf_init(&out, "a sentence", 4096);
    make_few(methods, &c, &arena);
    assert_true(difference_is_established(&c.differences[1]) && comparison_has_means(&c, MEASURE_PP));
    c.differences[1].incomparable = "two scorers measured it";
    assert_false(difference_is_established(&c.differences[1]) || comparison_has_means(&c, MEASURE_PP));
    assert_true(difference_is_established(&c.differences[0]) && comparison_has_means(&c, MEASURE_ACCURACY));
    tell(&c, 1, &out);
    assert_true(
        text_starts(buf_text(&out), TEXT("Cannot be compared: PP of b and a, since two scorers measured it (")));
    assert_true(text_find(buf_text(&out), TEXT("higher")) < 0 && text_find(buf_text(&out), TEXT("stablished")) < 0);
    buf_release(&out);
    arena_release(&arena);
}

/* Without the ten hardest a's PP is the higher one, though on each problem it is the lower one. */
static void test_means_of_other_problems(void **state) {
    (void)state;
    struct comparison c;
    struct method methods[2];
    struct arena arena;
    static const struct resampling how = {1000, 0.95, 1};
    arena_init(&arena);
    make_few(methods, &c, &arena);
    assert_true(comparison_same_problems(&c, MEASURE_PP));
    for (int i = 0; i < FEW; i++) {
        rows[0][i * MEASURES + MEASURE_PP] = i < 10 ? (double)NAN : 0.8;
        rows[1][i * MEASURES + MEASURE_PP] = i < 10 ? 0.1 : 0.9;
    }
    assert_ok(compare_methods(&c, &how, &arena, err));
    assert_true(methods[0].mean[MEASURE_PP] > methods[1].mean[MEASURE_PP] && c.differences[1].mean > 0);
    assert_false(comparison_same_problems(&c, MEASURE_PP) || comparison_has_means(&c, MEASURE_PP));
    for (int i = 0; i < 10; i++) rows[1][i * MEASURES + MEASURE_PP] = (double)NAN; /* of neither: the same problems */
    assert_ok(compare_methods(&c, &how, &arena, err));
    assert_true(comparison_same_problems(&c, MEASURE_PP) && !comparison_has_means(&c, MEASURE_PP));
    for (int i = 0; i < FEW; i++) rows[1][i * MEASURES + MEASURE_PP] = (double)NAN; /* a dash contradicts nothing */
    assert_ok(compare_methods(&c, &how, &arena, err));
    assert_true(comparison_same_problems(&c, MEASURE_PP) && !comparison_has_means(&c, MEASURE_PP));
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_comparison), cmocka_unit_test(test_equal_differences),
                                       cmocka_unit_test(test_incomparable),
                                       cmocka_unit_test(test_means_of_other_problems)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
