/* test_no_memory.c - llama.cpp finds no memory for a cache: a text that needs no more than the usual one has failed as its model
 * has, since all others would, too; one that needs more is too long, and the next ones go on. llama_init_from_model, which the
 * linker puts this file's in place of, refuses caches above a size. */
#include "tiny.h"

#include "model/backend.h"

static int most, refused; /* cells */

struct llama_context *__real_llama_init_from_model(struct llama_model *model, struct llama_context_params params);
struct llama_context *__wrap_llama_init_from_model(struct llama_model *model, struct llama_context_params params);
struct llama_context *__wrap_llama_init_from_model(struct llama_model *model, struct llama_context_params params) {
    if ((int)params.n_ctx <= most) return __real_llama_init_from_model(model, params);
    refused++;
    return NULL;
}

static cord_engine *engine;
static cord_model *model;
static cord_text longest; /* 3 of its bytes are a token or more */

static cord_scoring scoring(size_t bytes, uint64_t group) {
    static cord_span prompt;
    prompt = (cord_span){TEXT("Question. "), false};
    return (cord_scoring){.model = model,
                          .prompt = &prompt,
                          .n_spans = 1,
                          .reasoning = text_slice(longest, 0, bytes),
                          .opening = {TEXT(" It is "), true},
                          .target = {TEXT("42"), false},
                          .closing = {TEXT("."), true},
                          .group = group};
}

static int open_model(void **state) {
    (void)state;
    static char text[1 << 15];
    for (size_t i = 0; i < sizeof text; i++) text[i] = "0123456789qzxjvk"[i * 7 % 16]; /* none of which are merged */
    longest = (cord_text){text, sizeof text};
    char path[64];
    tiny_write(TINY_LLAMA, path);
    const cord_engine_options with = {.threads = 1, .memory = 32 << 20}; /* the usual cache is the least one */
    const cord_model_options options = {.path = path, .name = "tiny", .context = TINY_CONTEXT};
    most = TINY_CONTEXT;
    refused = 0;
    assert_ok(cord_engine_open(&with, &engine, err));
    assert_ok(cord_model_open(engine, &options, &model, err));
    unlink(path);
    return 0;
}

static int close_engine(void **state) {
    (void)state;
    cord_engine_close(engine);
    return 0;
}

static void check(const cord_scoring *s, cord_status code) {
    if (s->error.code != code) fail_msg("%d and not %d: %s", s->error.code, code, s->error.message);
    if (code != CORD_OK) assert_non_null(strstr(s->error.message, "no memory for a cache of "));
}

/* No cache at all: it is the machine. */
static void without_the_usual_cache_the_model_fails(void **state) {
    (void)state;
    cord_scoring s = scoring(100, 1);
    most = 64;
    assert_ok(cord_score(engine, &s, 1, err));
    check(&s, CORD_NO_MEMORY);
    assert_true(refused > 0);
    cord_scoring_release(&s);
}

/* A long one among short ones: it alone fails, whoever comes with it or after it. */
static void a_text_that_fits_nowhere_is_too_long(void **state) {
    (void)state;
    most = 4096;
    for (int i = 0; i < 3; i++) {
        cord_scoring s[3] = {scoring(300, 1), scoring(9000, 2), scoring(400, 3)};
        assert_ok(cord_score(engine, s, 3, err));
        for (int k = 0; k < 3; k++) check(&s[k], k == 1 ? CORD_TOO_LONG : CORD_OK);
        for (int k = 0; k < 3; k++) cord_scoring_release(&s[k]);
    }
    assert_true(refused > 0);
}

/* One that would rather have a larger cache, to grow, takes the one that there is memory for. */
static void a_text_takes_the_cache_that_there_is(void **state) {
    (void)state;
    most = 4096;
    cord_scoring s = scoring(3500, 1);
    assert_ok(cord_score(engine, &s, 1, err));
    check(&s, CORD_OK);
    assert_true(s.prompt_tokens > 3000 && refused > 0);
    cord_scoring_release(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_model, close_engine)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(without_the_usual_cache_the_model_fails),
        TEST(a_text_that_fits_nowhere_is_too_long),
        TEST(a_text_takes_the_cache_that_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
