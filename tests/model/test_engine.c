/* test_engine.c - what holds of engines whatever their models say: any thread may ask what computes. The model is a tiny one
 * (tiny.h). */
#include "tiny.h"

#include <pthread.h>
#include <stdatomic.h>

static char tiny[64]; /* the file of a model */

static cord_engine *engine_of(void) {
    cord_engine *engine = NULL;
    assert_ok(cord_engine_open(&(cord_engine_options){.threads = 1}, &engine, err));
    return engine;
}

static const cord_model_options plain = {.name = "tiny", .path = tiny, .context = 256};

static cord_model *open_plain(cord_engine *engine) {
    cord_model *model = NULL;
    assert_ok(cord_model_open(engine, &plain, &model, err));
    return model;
}

/* ---- several threads, several engines ------------------------------------------------------------------------ */

struct asked {
    cord_engine *engine;
    const char *features;
    atomic_int others;
};

static void *ask_often(void *arg) {
    struct asked *asked = arg;
    for (int i = 0; i < 2000; i++)
        atomic_fetch_add(&asked->others, strcmp(cord_engine_get_info(asked->engine).features, asked->features) != 0);
    return NULL;
}

static void any_thread_may_ask_what_computes(void **state) {
    (void)state;
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    struct asked asked = {.engine = engine_of()};
    open_plain(asked.engine);
    asked.features = strdup(cord_engine_get_info(asked.engine).features);
    assert_true(strlen(asked.features) > 10);
    /* llama.cpp writes its own text anew whenever it is asked for it */
    assert_ptr_not_equal(cord_engine_get_info(asked.engine).features, llama_print_system_info());
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &asked), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&asked.others), 0);
    free((char *)(uintptr_t)asked.features);
    cord_engine_close(asked.engine);
}

static int make_model(void **state) {
    (void)state;
    tiny_write(TINY_LLAMA, tiny);
    return 0;
}

static int remove_model(void **state) {
    (void)state;
    return unlink(tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_thread_may_ask_what_computes),
    };
    return cmocka_run_group_tests(tests, make_model, remove_model);
}
