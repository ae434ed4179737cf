/* test_spool.c - bytes come back as they were put, in memory and on disk; and a set of problems that lies in such a spool. */
#include "support.h"

#include "data/problem_sets.h"
#include "data/spool.h"

enum { PIECES = 44, PIECE = SPOOL_IN_MEMORY / 8 + 77 };

static char byte_of(int64_t at) { return (char)(at % 251); }

static void assert_there(const struct spool *spool, int64_t at, size_t len) {
    static char bytes[3 * PIECE];
    cord_error e = {0};
    if (spool_read(spool, at, bytes, len, &e) != CORD_OK) fail_msg("%s", e.message);
    for (size_t i = 0; i < len; i++) assert_int_equal(bytes[i], byte_of(at + (int64_t)i));
}

/* Some in the file, the last ones still in memory, and reads across the border. */
static void bytes_come_back(void **state) {
    (void)state;
    static char piece[PIECE];
    struct spool spool;
    spool_init(&spool);
    for (int64_t n = 0; n < PIECES; n++) {
        assert_int_equal(spool_end(&spool), n * PIECE);
        for (int64_t i = 0; i < PIECE; i++) piece[i] = byte_of(n * PIECE + i);
        assert_ok(spool_add(&spool, piece, PIECE, err));
        assert_int_equal(spool.file >= 0, (n + 1) * PIECE > SPOOL_IN_MEMORY);
        assert_true(spool.rest.len <= SPOOL_IN_MEMORY);
        assert_there(&spool, n * PIECE, PIECE);
    }
    assert_ok(spool_add(&spool, NULL, 0, err));
    assert_int_equal(spool_end(&spool), PIECES * (int64_t)PIECE);
    assert_true(spool.written > 0 && spool.rest.len > PIECE);
    for (int64_t n = 0; n + 3 <= PIECES; n++) assert_there(&spool, n * PIECE, 3 * PIECE);
    assert_there(&spool, spool.written - 5, 10);
    assert_there(&spool, spool_end(&spool), 0);
    spool_release(&spool);
    assert_int_equal(spool_end(&spool), 0);
    spool_release(&spool);
}

static void bytes_can_be_changed(void **state) {
    (void)state;
    static char piece[PIECE], bytes[8];
    struct spool spool;
    spool_init(&spool);
    for (int n = 0; n < 13; n++) assert_ok(spool_add(&spool, piece, PIECE, err));
    int64_t places[] = {0, spool.written - 8, spool.written - 3, spool.written, spool_end(&spool) - 8};
    assert_true(spool.written > 0 && spool.rest.len > 8);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        assert_ok(spool_change(&spool, places[i], "changed!", 8, err));
        assert_ok(spool_read(&spool, places[i], bytes, 8, err));
        assert_memory_equal(bytes, "changed!", 8);
    }
    assert_ok(spool_read(&spool, 8, bytes, 1, err));
    assert_int_equal(bytes[0], 0);
    spool_release(&spool);
}

static void what_is_not_there_is_refused(void **state) {
    (void)state;
    struct spool spool;
    char bytes[8];
    spool_init(&spool);
    assert_ok(spool_add(&spool, "1234", 4, err));
    assert_int_equal(spool_read(&spool, 0, bytes, 5, NULL), CORD_INTERNAL);
    assert_int_equal(spool_read(&spool, 5, bytes, 0, NULL), CORD_INTERNAL);
    assert_int_equal(spool_read(&spool, -1, bytes, 1, NULL), CORD_INTERNAL);
    assert_int_equal(spool_read(&spool, 2, bytes, SIZE_MAX, NULL), CORD_INTERNAL);
    assert_int_equal(spool_change(&spool, 3, bytes, 2, NULL), CORD_INTERNAL);
    spool_release(&spool);
}

/* Every part of a problem, in a set that is too large for memory. */
static void problems_come_back(void **state) {
    (void)state;
    enum { MANY = 5000 };
    struct problem_set set;
    struct arena arena;
    arena_init(&arena);
    problem_set_init(&set, "row");
    for (int i = 0; i < MANY; i++) {
        struct problem p = {.line = i + 7, .index = i, .layout = "fields", .made_id = i % 2, .has_context = i % 3 == 0};
        p.question.id = text_of(arena_printf(&arena, "p%d", i));
        p.row = text_of(
            arena_printf(&arena, "row %d of the file, which is long enough for it to fill memory; %0200d", i, i));
        if (i % 10 == 9) {
            p.bad = arena_printf(&arena, "bad %d", i);
        } else {
            p.question.text = text_of(arena_printf(&arena, "question %d", i));
            p.gold = p.target = text_of(arena_printf(&arena, "%d", i));
            p.gold_how = "the whole field";
            p.gold_field = TEXT("answer");
            p.full_question = i % 4 ? (cord_text){0} : TEXT("");
        }
        assert_ok(problem_set_add(&set, &p, err));
    }
    assert_true(set.kept.file >= 0);
    assert_int_equal(set.n, MANY);
    assert_int_equal(set.n_bad, MANY / 10);
    const struct problem *all = problems_of_set(&set, &arena);
    for (int i = 0; i < MANY; i++) {
        const struct problem *p = &all[i];
        bool bad = i % 10 == 9;
        assert_text(p->question.id, arena_printf(&arena, "p%d", i));
        assert_text(
            p->row,
            arena_printf(&arena, "row %d of the file, which is long enough for it to fill memory; %0200d", i, i));
        assert_true(p->line == i + 7 && p->index == i && p->made_id == i % 2 && p->has_context == (i % 3 == 0));
        assert_string_equal(p->layout, "fields");
        assert_true(!p->bad == !bad);
        if (bad) {
            assert_string_equal(p->bad, arena_printf(&arena, "bad %d", i));
            assert_true(!p->question.text.data && !p->gold.data && !p->target.data);
        } else {
            assert_text(p->question.text, arena_printf(&arena, "question %d", i));
            assert_text(p->gold, arena_printf(&arena, "%d", i));
            assert_text(p->target, arena_printf(&arena, "%d", i));
            assert_string_equal(p->gold_how, "the whole field");
            assert_text(p->gold_field, "answer");
            assert_true(!p->full_question.data == !!(i % 4) && !p->full_question.len);
        }
    }
    problem_set_release(&set);
    problem_set_release(&set);
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_back),
        cmocka_unit_test(bytes_can_be_changed),
        cmocka_unit_test(what_is_not_there_is_refused),
        cmocka_unit_test(problems_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
