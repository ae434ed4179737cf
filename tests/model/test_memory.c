/* test_memory.c - a long run takes no more memory than a short one: once the caches are full, the resident set stays what it
 * is, however many problems come and go, one after another or several at once. */
#include "play.h"

#include <pthread.h>
#include <stdatomic.h>

enum { PROBLEMS = 60, WARM = 20, MOST_AT_ONCE = 8 };

struct run {
    const struct stage *stage;
    atomic_int next, done;
    _Atomic int64_t warm; /* bytes when the first WARM problems had ended */
};

static int64_t resident(void) {
    long size = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &pages), 2);
    fclose(file);
    return pages * (int64_t)sysconf(_SC_PAGESIZE);
}

static void *work(void *arg) {
    struct run *run = arg;
    for (int problem; (problem = atomic_fetch_add(&run->next, 1)) < PROBLEMS;) {
        struct played played = {0};
        assert_int_equal(play(run->stage, problem, &played, &played), CORD_OK);
        if (atomic_fetch_add(&run->done, 1) + 1 == WARM) atomic_store(&run->warm, resident());
    }
    return NULL;
}

static void stays_flat(const cord_engine_options *options, int at_once) {
    struct stage stage;
    stage_open(&stage, options, TINY_KINDS, (cord_model_options){.context = 1024, .cells = 2 * 4096, .sequences = 16},
               400);
    struct run run = {.stage = &stage};
    pthread_t threads[MOST_AT_ONCE];
    for (int i = 0; i < at_once; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, &run), 0);
    for (int i = 0; i < at_once; i++) pthread_join(threads[i], NULL);
    double warm = (double)atomic_load(&run.warm) / 0x1p20, end = (double)resident() / 0x1p20;
    stage_close(&stage);
    printf("%d at once%s: %.1f MiB after %d problems, %.1f MiB after %d\n", at_once,
           options->reproducible ? ", reproducible" : "", warm, WARM, end, PROBLEMS);
    assert_true(warm > 1 && fabs(end - warm) < 0.02 * warm);
}

static void one_after_another(void **state) {
    (void)state;
    stays_flat(&(cord_engine_options){.threads = 1}, 1);
}

static void three_at_once(void **state) {
    (void)state;
    stays_flat(&(cord_engine_options){.threads = 1}, 3);
}

static void eight_at_once(void **state) {
    (void)state;
    stays_flat(&(cord_engine_options){.threads = 1}, MOST_AT_ONCE);
}

static void reproducible(void **state) {
    (void)state;
    stays_flat(&(cord_engine_options){.threads = 1, .reproducible = true}, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_another),
        cmocka_unit_test(three_at_once),
        cmocka_unit_test(eight_at_once),
        cmocka_unit_test(reproducible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
