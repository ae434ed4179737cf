/* test_memory.c - a long run takes no more memory than a short one: once every kind of problem was seen and the caches have been
 * full, the resident set stays what it is, however many more come and go, one after another or several at once.
 *
 * What lies beside each other in a batch depends on when each thread asks, so one pass may reach a higher peak than those
 * before it. A leak grows in every pass: the smallest growth counts. */
#include "play.h"

#include <pthread.h>
#include <stdatomic.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

enum { PROBLEMS = 20, TIMES = 4, MOST_AT_ONCE = 8 };

struct run {
    const struct stage *stage;
    atomic_int next;
};

static double resident_mib(void) {
    long size = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &pages), 2);
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 0x1p20;
}

static void *work(void *arg) {
    struct run *run = arg;
    for (int problem; (problem = atomic_fetch_add(&run->next, 1)) < PROBLEMS;) {
        struct played played = {0};
        assert_int_equal(play(run->stage, problem, &played, &played), CORD_OK);
    }
    return NULL;
}

static void work_on_all(const struct stage *stage, int at_once) {
    struct run run = {.stage = stage};
    pthread_t threads[MOST_AT_ONCE];
    for (int i = 0; i < at_once; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, &run), 0);
    for (int i = 0; i < at_once; i++) pthread_join(threads[i], NULL);
}

static void stays_flat(bool reproducible, int at_once) {
    /* so few cells that every model's cache is full at some time */
    const cord_model_options sizes = {.context = 512, .cells = reproducible ? 0 : 1024, .sequences = 8};
    const cord_engine_options options = {.threads = 1, .reproducible = reproducible};
    struct stage stage;
    double resident[TIMES];
    stage_open(&stage, &options, TINY_KINDS, sizes, 160);
    for (int i = 0; i < TIMES; i++) {
        work_on_all(&stage, at_once);
        resident[i] = resident_mib();
    }
    stage_close(&stage);
    double growth = resident[TIMES - 1];
    for (int i = 1; i < TIMES; i++) growth = fmin(growth, resident[i] - resident[i - 1]);
    printf("%d at once%s: %.1f MiB after %d problems, %.1f MiB after %d\n", at_once,
           reproducible ? ", reproducible" : "", resident[0], PROBLEMS, resident[TIMES - 1], TIMES * PROBLEMS);
    assert_true(resident[0] > 1 && growth < 0.005 * resident[0]);
}

static void one_after_another(void **state) {
    (void)state;
    stays_flat(false, 1);
}

static void three_at_once(void **state) {
    (void)state;
    stays_flat(false, 3);
}

static void eight_at_once(void **state) {
    (void)state;
    stays_flat(false, MOST_AT_ONCE);
}

static void reproducible(void **state) {
    (void)state;
    stays_flat(true, 3);
}

int main(void) {
#ifdef SANITIZED
    puts("skipped: sanitizers hold back what was freed, so the resident set says nothing");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_another),
        cmocka_unit_test(three_at_once),
        cmocka_unit_test(eight_at_once),
        cmocka_unit_test(reproducible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
