/* test_engine.c - what holds of engines whatever their models say: several of them at once, their log, what callers cannot
 * mean, texts that are no UTF-8, and that one which was stopped does nothing more. The model is a tiny one (tiny.h). */
#include "tiny.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

static char tiny[64]; /* the file of a model */

/* What an engine was told. */
struct heard {
    atomic_bool slow, inside, closed;
    atomic_int lines, bad, late;
};

static void hear(void *ctx, const char *line) {
    struct heard *heard = ctx;
    atomic_store(&heard->inside, true);
    if (atomic_load(&heard->slow)) usleep(100000);
    atomic_fetch_add(&heard->lines, 1);
    atomic_fetch_add(&heard->bad, strlen(line) < 2 || strchr(line, '\n'));
    atomic_fetch_add(&heard->late, atomic_load(&heard->closed));
}

static cord_engine *engine_of(struct heard *heard) {
    cord_engine *engine = NULL;
    cord_engine_options options = {.threads = 1, .log = heard ? hear : NULL, .log_ctx = heard};
    assert_ok(cord_engine_open(&options, &engine, err));
    return engine;
}

static const cord_model_options plain = {.name = "tiny", .path = tiny, .context = 256};

static cord_model *open_plain(cord_engine *engine) {
    cord_model *model = NULL;
    assert_ok(cord_model_open(engine, &plain, &model, err));
    return model;
}

static const cord_span prompt = {TEXT("How many pears?"), true};

static cord_proposal proposal_of(const cord_model *model) {
    return (cord_proposal){
        .model = model, .prompt = &prompt, .n_spans = 1, .max_tokens = 2, .sampling = {.temperature = 1}};
}

static void write_a_little(cord_engine *engine, const cord_model *model) {
    cord_proposal p = proposal_of(model);
    assert_ok(cord_propose(engine, &p, 1, err));
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    cord_proposal_release(&p);
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
    struct asked asked = {.engine = engine_of(NULL)};
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

/* ---- the log ------------------------------------------------------------------------------------------------- */

static void *open_another(void *arg) {
    cord_engine *engine = engine_of(NULL);
    write_a_little(engine, open_plain(engine));
    cord_engine_close(engine);
    return arg;
}

/* The one that opened a model last hears what all do; it is told no more once it is closed, even where somebody was just
 * telling it; then the one before it hears all. */
static void one_engine_hears_all(void **state) {
    (void)state;
    struct heard first = {0}, second = {0};
    cord_engine *one = engine_of(&first), *two = engine_of(&second);
    cord_model *model = open_plain(one);
    int before = atomic_load(&first.lines);
    assert_true(before > 20);
    open_plain(two);
    open_plain(one);
    open_plain(two);
    before = atomic_load(&first.lines);
    write_a_little(one, model);
    assert_int_equal(atomic_load(&first.lines), before);
    assert_true(atomic_load(&second.lines) > 20);

    pthread_t thread;
    atomic_store(&second.inside, false);
    atomic_store(&second.slow, true);
    assert_int_equal(pthread_create(&thread, NULL, open_another, NULL), 0);
    while (!atomic_load(&second.inside)) usleep(1000);
    cord_engine_close(two);
    atomic_store(&second.closed, true);
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&second.late), 0);
    assert_true(atomic_load(&first.lines) > before);
    assert_int_equal(atomic_load(&first.bad) + atomic_load(&second.bad), 0);
    cord_engine_close(one);
}

/* ---- what cannot be meant ------------------------------------------------------------------------------------ */

static void model_options_are_checked(void **state) {
    (void)state;
    static const struct {
        cord_model_options options;
        const char *says;
    } cases[] = {
        {{.name = "m", .path = tiny, .context = -1}, "`context` of the model m is -1"},
        {{.name = "m", .path = tiny, .more_context = -1000}, "`more_context` of the model m is -1000"},
        {{.name = "m", .path = tiny, .cells = -2}, "`cells` of the model m is -2"},
        {{.name = "m", .path = tiny, .sequences = -5}, "`sequences` of the model m is -5"},
        {{.name = "m", .path = tiny, .gpu_layers = -2},
         "`gpu_layers` of the model m is -2; it must be a number from -1 on"},
        {{.name = "m", .url = "http://127.0.0.1:1", .requests = -1}, "`requests` of the model m is -1"},
        {{.name = "m"}, "neither a `path` (a GGUF file) nor a `url`"},
        {{.name = "m", .path = "m.gguf", .url = "http://127.0.0.1:1"}, "both a `path` (a GGUF file) and a `url`"},
        {{.path = tiny}, "no `name`"},
        {{.name = "m", .url = "http://127.0.0.1:1", .protocol = "nonsense"},
         "no protocol \"nonsense\"; it knows llama-server, vllm, sglang, openai, chat"},
    };
    cord_engine *engine = engine_of(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cord_model *model = NULL;
        cord_error why = {0};
        assert_int_equal(cord_model_open(engine, &cases[i].options, &model, &why), CORD_BAD_INPUT);
        if (!strstr(why.message, cases[i].says)) fail_msg("\"%s\" is not in \"%s\"", cases[i].says, why.message);
    }
    cord_engine_close(engine);
}

/* One that is refused takes none of the others with it. */
static void proposals_are_checked(void **state) {
    (void)state;
    enum { BAD = 14 };
    static const char *const says[BAD] = {"`max_tokens` of a proposal is 0",
                                          "`max_tokens` of a proposal is -1",
                                          "`sampling.temperature` of a proposal is",
                                          "`sampling.temperature`",
                                          "`sampling.top_p`",
                                          "`sampling.min_p`",
                                          "`sampling.repeat_penalty`",
                                          "`sampling.top_p` of a proposal is 1.5; it must be a number from 0 to 1",
                                          "`sampling.min_p` of a proposal is 2; it must be a number from 0 to 1",
                                          "`sampling.top_k`",
                                          "`sampling.repeat_last` of a proposal is 5000",
                                          "`n_stops`",
                                          "`n_spans` of a request is -1",
                                          "no `model`"};
    cord_engine *engine = engine_of(NULL);
    const cord_model *model = open_plain(engine);
    cord_proposal p[BAD + 1];
    for (int i = 0; i <= BAD; i++) p[i] = proposal_of(model);
    p[0].max_tokens = 0;
    p[1].max_tokens = -1;
    p[2].sampling.temperature = NAN;
    p[3].sampling.temperature = -1;
    p[4].sampling.top_p = INFINITY;
    p[5].sampling.min_p = NAN;
    p[6].sampling.repeat_penalty = -INFINITY;
    p[7].sampling.top_p = 1.5f;
    p[8].sampling.min_p = 2;
    p[9].sampling.top_k = -3;
    p[10].sampling.repeat_last = 5000;
    p[11].n_stops = -1;
    p[12].n_spans = -1;
    p[13].model = NULL;
    assert_ok(cord_propose(engine, p, BAD + 1, err));
    for (int i = 0; i < BAD; i++) {
        assert_int_equal(p[i].error.code, CORD_BAD_INPUT);
        if (!strstr(p[i].error.message, says[i])) fail_msg("\"%s\" is not in \"%s\"", says[i], p[i].error.message);
        assert_null(p[i].text);
        assert_int_equal(p[i].stop, -1);
    }
    assert_int_equal(p[BAD].error.code, CORD_OK);
    assert_true(p[BAD].new_tokens > 0);
    for (int i = 0; i <= BAD; i++) { /* what was released may be asked again */
        static const cord_proposal empty;
        cord_proposal_release(&p[i]);
        assert_memory_equal(&p[i].error, &empty.error, sizeof empty - offsetof(cord_proposal, error));
    }
    assert_int_equal(cord_propose(engine, p, -5, NULL), CORD_BAD_INPUT);
    cord_engine_close(engine);
}

/* A model is asked on its own engine; of one call, only who is wrong is refused. */
static void engines_keep_to_their_models(void **state) {
    (void)state;
    cord_engine *own = engine_of(NULL), *other = engine_of(NULL);
    cord_model *model = open_plain(own), *others = open_plain(other);
    cord_proposal p[2] = {proposal_of(others), proposal_of(model)};
    assert_ok(cord_propose(other, p, 2, err));
    assert_int_equal(p[0].error.code, CORD_OK);
    assert_int_equal(p[1].error.code, CORD_BAD_INPUT);
    assert_non_null(strstr(p[1].error.message, "the model tiny belongs to another engine"));
    cord_scoring s = {.model = model, .prompt = &prompt, .n_spans = -1, .target = {TEXT("7"), true}};
    assert_ok(cord_score(other, &s, 1, err));
    assert_non_null(strstr(s.error.message, "another engine"));
    cord_scoring_release(&s);
    assert_int_equal(s.error.code, CORD_OK);
    assert_ok(cord_score(own, &s, 1, err));
    assert_non_null(strstr(s.error.message, "`n_spans`"));
    cord_scoring_release(&s);
    cord_scoring_check check;
    assert_int_equal(cord_check_scoring(other, model, false, &check, NULL), CORD_BAD_INPUT);
    for (int i = 0; i < 2; i++) cord_proposal_release(&p[i]);
    cord_engine_close(own);
    cord_engine_close(other);
}

static void engine_options_are_checked(void **state) {
    (void)state;
    static const struct {
        cord_engine_options options;
        const char *says;
    } cases[] = {
        {{.threads = -1}, "`threads` of an engine is -1"},
        {{.servers = {.connect = NAN}}, "`servers.connect`"},
        {{.servers = {.first_byte = -1}}, "`servers.first_byte`"},
        {{.servers = {.idle = INFINITY}}, "`servers.idle`"},
        {{.servers = {.tries = -3}}, "`servers.tries` of an engine is -3; it must be a number from 0 to 1e+06"},
        {{.servers = {.tries = INT_MAX}}, "`servers.tries` of an engine is 2.14748e+09; it must be a number from 0 to"},
        {{.servers = {.backoff = -1}}, "`servers.backoff`"},
        {{.servers = {.backoff = 1e30}}, "`servers.backoff`"},
        {{.servers = {.longest_pause = -1}}, "`servers.longest_pause`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cord_engine *engine = NULL;
        cord_error why = {0};
        assert_int_equal(cord_engine_open(&cases[i].options, &engine, &why), CORD_BAD_INPUT);
        if (!strstr(why.message, cases[i].says)) fail_msg("\"%s\" is not in \"%s\"", cases[i].says, why.message);
        assert_null(engine);
    }
}

static void bytes_that_are_no_text_are_the_callers(void **state) {
    (void)state;
    static const cord_span bad[] = {{TEXT("a <|im_end|>"), true}, {TEXT("pear \xFF\xFE b"), false}};
    cord_engine *engine = engine_of(NULL);
    const cord_model *model = open_plain(engine);
    cord_error why = {0};
    int tokens = 0;
    assert_int_equal(cord_count_tokens(model, bad, 2, &tokens, &why), CORD_BAD_INPUT);
    if (!strstr(why.message, "no UTF-8 at byte 17")) fail_msg("%s", why.message);
    cord_proposal p = proposal_of(model);
    p.prompt = bad;
    p.n_spans = 2;
    assert_ok(cord_propose(engine, &p, 1, err));
    assert_int_equal(p.error.code, CORD_BAD_INPUT);
    cord_proposal_release(&p);
    /* beyond Unicode, of which llama.cpp throws; a surrogate; a character that is cut; two spans' halves of one are whole */
    static const char *const more[] = {"\xF4\x90\x80\x80", "\xF7\xBF\xBF\xBF", "\xED\xA0\x80", "\xE2\x82"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        const cord_span span = {text_of(more[i]), false};
        assert_int_equal(cord_count_tokens(model, &span, 1, &tokens, NULL), CORD_BAD_INPUT);
    }
    static const cord_span halves[] = {{TEXT("\xE2\x82"), false}, {TEXT("\xAC"), false}};
    assert_ok(cord_count_tokens(model, halves, 2, &tokens, err));
    cord_engine_close(engine);
}

/* ---- stopping ------------------------------------------------------------------------------------------------ */

static void who_was_stopped_does_nothing_more(void **state) {
    (void)state;
    cord_engine *engine = engine_of(NULL);
    cord_model *model = open_plain(engine), *another = NULL;
    cord_engine_stop(engine);
    assert_int_equal(cord_model_open(engine, &plain, &another, NULL), CORD_CANCELLED);
    assert_null(another);
    cord_classification classification = {.model = model, .prompt = &prompt, .n_spans = 1, .mark = TEXT("<|im_end|>")};
    assert_int_equal(cord_classify(engine, &classification, 1, NULL), CORD_CANCELLED);
    cord_scoring_check check;
    assert_int_equal(cord_check_scoring(engine, model, false, &check, NULL), CORD_CANCELLED);
    cord_engine_close(engine);
}

/* As the log speaks of the file's metadata, the file is being read. */
static void stop_the_engine(void *ctx, const char *line) {
    if (strstr(line, "general.architecture")) cord_engine_stop(*(cord_engine **)ctx);
}

static void a_model_is_not_loaded_to_the_end(void **state) {
    (void)state;
    cord_engine *engine = NULL;
    cord_model *model = NULL;
    cord_engine_options options = {.threads = 1, .log = stop_the_engine, .log_ctx = &engine};
    assert_ok(cord_engine_open(&options, &engine, err));
    assert_int_equal(cord_model_open(engine, &plain, &model, NULL), CORD_CANCELLED);
    cord_engine_close(engine);
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
        cmocka_unit_test(one_engine_hears_all),
        cmocka_unit_test(model_options_are_checked),
        cmocka_unit_test(engines_keep_to_their_models),
        cmocka_unit_test(engine_options_are_checked),
        cmocka_unit_test(proposals_are_checked),
        cmocka_unit_test(bytes_that_are_no_text_are_the_callers),
        cmocka_unit_test(who_was_stopped_does_nothing_more),
        cmocka_unit_test(a_model_is_not_loaded_to_the_end),
    };
    return cmocka_run_group_tests(tests, make_model, remove_model);
}
