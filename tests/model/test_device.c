/* test_device.c - what the device decides when room is short or many ask: who waits and for how long, who moves to a lane of
 * their own, what stays cached. Models are tiny (tiny.h), so that a lane is easily too small. */
#include "tiny.h"

#include "model/local/local.h"

#include <pthread.h>
#include <stdatomic.h>

static cord_model *open_kind(cord_engine *engine, enum tiny_kind kind, int context, int cells) {
    char path[64];
    tiny_write(kind, path);
    cord_model *model = NULL;
    cord_model_options options = {.name = "tiny", .path = path, .context = context, .cells = cells};
    assert_ok(cord_model_open(engine, &options, &model, err));
    unlink(path); /* it stays mapped */
    return model;
}

static cord_model *open_tiny(cord_engine *engine, int context, int cells) {
    return open_kind(engine, TINY_LLAMA, context, cells);
}

static cord_engine *open_within(uint64_t memory) {
    cord_engine *engine = NULL;
    assert_ok(cord_engine_open(&(cord_engine_options){.threads = 1, .memory = memory}, &engine, err));
    return engine;
}

static cord_engine *open_engine(void) { return open_within(0); }

/* An engine whose memory is enough for one lane of 8192 cells of this model, and not for one of 4096 beside it. */
static cord_engine *open_for_one_lane(cord_model **model) {
    cord_engine *engine = open_engine();
    uint64_t bytes = weights_lane_bytes(local_of(open_tiny(engine, 8192, 0)), 8192) + 100000;
    cord_engine_close(engine);
    engine = open_within(bytes);
    *model = open_tiny(engine, 8192, 0);
    return engine;
}

/* Texts of n words, of which each is a token; another group's are others from the first word on. */
static struct buf words_of(uint64_t group, int n) {
    static const char *const words[] = {" the", " pears", " of", " box", " and", " is", " step", " in"};
    struct buf text;
    struct rng rng;
    buf_init(&text, "a text", 1 << 20);
    rng_init(&rng, group);
    buf_addf(&text, "%d", (int)group);
    for (int i = 0; i < n; i++) buf_addf(&text, "%s", words[rng_next(&rng) % 8]);
    return text;
}

struct asked {
    int tokens, cached;
    double log_score;
};

static struct asked score(cord_engine *engine, const cord_model *model, uint64_t group, int words) {
    struct buf text = words_of(group, words);
    cord_scoring request = {
        .model = model, .reasoning = buf_text(&text), .target = {TEXT(" pears"), true}, .group = group};
    assert_ok(cord_score(engine, &request, 1, err));
    if (request.error.code != CORD_OK) fail_msg("%d words: %s", words, request.error.message);
    struct asked asked = {request.prompt_tokens, request.cached_tokens, request.log_score};
    cord_scoring_release(&request);
    buf_release(&text);
    return asked;
}

static void propose(cord_engine *engine, const cord_model *model, uint64_t group, int words, int rows, int tokens) {
    enum { MOST = 8 };
    cord_proposal requests[MOST];
    struct buf text = words_of(group, words);
    cord_span prompt = {buf_text(&text), false};
    for (int i = 0; i < rows; i++)
        requests[i] = (cord_proposal){.model = model,
                                      .prompt = &prompt,
                                      .n_spans = 1,
                                      .max_tokens = tokens + i,
                                      .group = group,
                                      .sampling = {.temperature = 1, .top_p = 1, .seed = (uint64_t)i}};
    assert_ok(cord_propose(engine, requests, rows, err));
    for (int i = 0; i < rows; i++) {
        if (requests[i].error.code != CORD_OK) fail_msg("%s", requests[i].error.message);
        cord_proposal_release(&requests[i]);
    }
    buf_release(&text);
}

/* ---- room ---------------------------------------------------------------------------------------------------- */

static int lanes_of(const cord_model *model) {
    int n = 0;
    for (const struct lane *lane = local_of(model)->lanes; lane; lane = lane->next) n++;
    return n;
}

/* A problem whose text has outgrown the lane that it shares gets one of its own, as large as it needs. What the others have
 * in the cache is not touched, and when the problem ends, its lane is closed. */
static void the_large_one_moves(void **state) {
    (void)state;
    enum { LARGE = 9, WORDS = 700 };
    cord_engine *engine = open_engine();
    cord_model *model = open_tiny(engine, 8192, 32768);
    for (uint64_t group = 1; group <= 3; group++) score(engine, model, group, WORDS);
    score(engine, model, LARGE, 20);
    assert_int_equal(lanes_of(model), 1);
    struct asked large = score(engine, model, LARGE, 5000);
    assert_true(large.tokens > 5000);
    assert_int_equal(lanes_of(model), 2);
    assert_in_range(local_of(model)->lane_cells, 4096 + large.tokens, 4096 + 2 * large.tokens);
    large = score(engine, model, LARGE, 5000);
    assert_in_range(large.cached, large.tokens - 8, large.tokens);
    for (uint64_t group = 1; group <= 3; group++) {
        struct asked small = score(engine, model, group, WORDS);
        assert_in_range(small.cached, small.tokens - 8, small.tokens);
    }
    cord_forget(engine, LARGE);
    score(engine, model, 1, WORDS);
    assert_int_equal(lanes_of(model), 1);
    assert_int_equal(local_of(model)->lane_cells, 4096);
    cord_engine_close(engine);
}

/* ---- where memory ends --------------------------------------------------------------------------------------- */

static uint64_t bytes_of(const cord_model *model) {
    uint64_t bytes = 0;
    for (const struct lane *lane = local_of(model)->lanes; lane; lane = lane->next) bytes += lane->bytes;
    return bytes;
}

/* What has room alone, has it behind others: their lanes go, whether they have ended or only do not work. */
static void lanes_without_work_go(void **state) {
    (void)state;
    enum { LONG = 4200 };
    cord_model *model;
    cord_engine *engine = open_for_one_lane(&model);
    score(engine, model, 1, 20);
    cord_forget(engine, 1);
    cord_model *other = open_tiny(engine, 8192, 0);
    score(engine, other, 3, 20);
    cord_forget(engine, 3);
    score(engine, model, 4, LONG);
    assert_null(local_of(other)->lanes);
    score(engine, other, 5, LONG); /* the fourth lives on */
    assert_true(bytes_of(model) + bytes_of(other) <= cord_engine_get_info(engine).memory);
    cord_engine_close(engine);
}

/* One of two problems outgrows the lane that they share, by a text that is read, or one that is written. */
static void one_outgrows_a_shared_lane(void **state) {
    (void)state;
    cord_model *model;
    cord_engine *engine = open_for_one_lane(&model);
    score(engine, model, 1, 20);
    score(engine, model, 2, 20);
    score(engine, model, 1, 4200);
    cord_forget(engine, 1);
    score(engine, model, 2, 20);
    score(engine, model, 3, 20);
    propose(engine, model, 3, 4080, 2, 30);
    cord_engine_close(engine);
}

/* ---- reproducible calls -------------------------------------------------------------------------------------- */

enum { MANY = 70 };

/* What a call of many requests gave. */
struct outcome {
    char text[MANY][200];
    double log_score[MANY];
};

static void ask_many(cord_engine *engine, const cord_model *model, int max_tokens, struct outcome *out) {
    const cord_text stop = TEXT("e");
    cord_proposal p[MANY];
    cord_scoring s[MANY];
    struct buf text = words_of(1, 300);
    cord_span prompt = {buf_text(&text), false};
    for (int i = 0; i < MANY; i++)
        p[i] = (cord_proposal){.model = model,
                               .prompt = &prompt,
                               .n_spans = 1,
                               .stops = &stop,
                               .n_stops = 1,
                               .sampling = {.temperature = 1, .top_p = 1, .seed = (uint64_t)i},
                               .max_tokens = max_tokens,
                               .group = 1};
    assert_ok(cord_propose(engine, p, MANY, err));
    for (int i = 0; i < MANY; i++) {
        if (p[i].error.code != CORD_OK) fail_msg("%s", p[i].error.message);
        snprintf(out->text[i], sizeof out->text[i], "%s", p[i].text);
        s[i] = (cord_scoring){.model = model,
                              .prompt = &prompt,
                              .n_spans = 1,
                              .reasoning = {p[i].text, p[i].len},
                              .target = {TEXT(" pears"), true},
                              .group = 1};
    }
    assert_ok(cord_score(engine, s, MANY, err));
    for (int i = 0; i < MANY; i++) {
        if (s[i].error.code != CORD_OK) fail_msg("%s", s[i].error.message);
        out->log_score[i] = s[i].log_score;
        cord_scoring_release(&s[i]);
        cord_proposal_release(&p[i]);
    }
    buf_release(&text);
}

/* A call of more requests than its lane has sequences, cells or memory for is computed in portions: whatever came before, they
 * are the same ones, and memory is not passed. */
static void reproducible_calls_go_in_portions(void **state) {
    (void)state;
    static struct outcome got[3];
    for (int i = 0; i < 3; i++) {
        memset(&got[i], 0, sizeof got[i]);
        cord_engine *engine = NULL;
        assert_ok(cord_engine_open(&(cord_engine_options){.threads = 1, .memory = 50 << 20, .reproducible = true},
                                   &engine, err));
        cord_model *model = open_tiny(engine, 2048, 0), *other = open_tiny(engine, 2048, 0);
        if (i == 1) propose(engine, other, 5, 300, 8, 900), propose(engine, model, 6, 1000, 1, 900);
        ask_many(engine, model, 500, &got[i]);
        assert_in_range(bytes_of(model) + bytes_of(other), 1, 50 << 20);
        cord_engine_close(engine);
    }
    assert_memory_equal(&got[0], &got[1], sizeof got[0]);
    assert_memory_equal(&got[0], &got[2], sizeof got[0]);
}

/* LongRoPE's factors are those of the model's context, in whatever lane a text is cached, and the check knows. */
static void scores_do_not_depend_on_the_lane(void **state) {
    (void)state;
    enum { LARGE = 9, WORDS = 60 };
    static const int contexts[] = {2 * TINY_ORIGINAL, TINY_ORIGINAL};
    double scores[2];
    for (int i = 0; i < 2; i++) {
        cord_engine *engine = open_engine();
        cord_model *model = open_kind(engine, TINY_LONGROPE, contexts[i], 0);
        scores[i] = score(engine, model, LARGE, WORDS).log_score;
        score(engine, model, LARGE, contexts[i] - 300);
        double moved = score(engine, model, LARGE, WORDS).log_score;
        if (fabs(moved - scores[i]) > 0.01) fail_msg("%f, then %f", scores[i], moved);
        cord_scoring_check check;
        assert_ok(cord_check_scoring(engine, model, false, &check, err));
        if (!(check.apart < 0.01)) fail_msg("apart by %f", check.apart);
        cord_engine_close(engine);
    }
    assert_true(fabs(scores[0] - scores[1]) > 0.05); /* else this said nothing */
}

/* What it caches is in a group of its own, which goes; those of callers stay, the zeroed requests' too. */
static void a_check_forgets_its_own_alone(void **state) {
    (void)state;
    cord_engine *engine = open_engine();
    cord_model *checked = open_tiny(engine, 1024, 4096), *other = open_tiny(engine, 1024, 4096);
    cord_scoring_check check;
    score(engine, other, 0, 60);
    assert_ok(cord_check_scoring(engine, checked, false, &check, err));
    struct asked again = score(engine, other, 0, 60);
    assert_int_equal(again.cached, again.tokens - 2); /* a scoring computes two rows at the least */
    cord_engine_close(engine);
}

/* Equal requests of a call are computed once, whatever stands behind their targets: the others cost nothing. */
static void equal_requests_are_computed_once(void **state) {
    (void)state;
    cord_engine *engine = open_engine();
    cord_model *model = open_tiny(engine, 1024, 0);
    struct buf text = words_of(1, 60);
    cord_scoring s[3];
    for (int i = 0; i < 3; i++)
        s[i] = (cord_scoring){.model = model,
                              .reasoning = buf_text(&text),
                              .target = {i == 1 ? TEXT(" box") : TEXT(" pears of"), true},
                              .group = 1};
    assert_ok(cord_score(engine, s, 3, err));
    for (int i = 0; i < 3; i++) assert_int_equal(s[i].error.code, CORD_OK);
    assert_int_equal(s[0].n_tokens, 2);
    assert_true(s[2].log_score == s[0].log_score);
    assert_true(s[0].cached_tokens < s[0].prompt_tokens && s[1].cached_tokens < s[1].prompt_tokens);
    assert_int_equal(s[2].cached_tokens, s[2].prompt_tokens);
    for (int i = 0; i < 3; i++) cord_scoring_release(&s[i]);
    buf_release(&text);
    cord_engine_close(engine);
}

/* ---- waiting ------------------------------------------------------------------------------------------------- */

/* Threads that ask for one text after the other, each of its own group, until they are told to end. */
enum { CROWD = 3, MOST_CALLS = 1500 };

struct crowd {
    cord_engine *engine;
    const cord_model *model;
    int words, rows, tokens;
    atomic_int calls;
    atomic_bool end;
    atomic_int next;
    pthread_t threads[CROWD];
};

static void *ask_on(void *arg) {
    struct crowd *crowd = arg;
    uint64_t group = 100 + (uint64_t)atomic_fetch_add(&crowd->next, 1);
    for (int i = 0; !atomic_load(&crowd->end) && atomic_load(&crowd->calls) < MOST_CALLS; i++) {
        propose(crowd->engine, crowd->model, group, crowd->words, crowd->rows, crowd->tokens + i % 5);
        atomic_fetch_add(&crowd->calls, 1);
    }
    return NULL;
}

static void crowd_comes(struct crowd *crowd) {
    for (int i = 0; i < CROWD; i++) assert_int_equal(pthread_create(&crowd->threads[i], NULL, ask_on, crowd), 0);
    while (atomic_load(&crowd->calls) < 2 * CROWD) sched_yield();
}

/* How many calls the crowd has made since `before`. */
static int crowd_goes(struct crowd *crowd, int before) {
    int calls = atomic_load(&crowd->calls) - before;
    atomic_store(&crowd->end, true);
    for (int i = 0; i < CROWD; i++) pthread_join(crowd->threads[i], NULL);
    return calls;
}

/* Who needs most of a lane gets it as soon as those have ended who came before; later ones do not overtake. */
static void large_requests_are_not_overtaken(void **state) {
    (void)state;
    cord_engine *engine = open_engine();
    cord_model *model = open_tiny(engine, 1024, 1024);
    struct crowd crowd = {.engine = engine, .model = model, .words = 200, .rows = 1, .tokens = 40};
    crowd_comes(&crowd);
    int before = atomic_load(&crowd.calls);
    for (uint64_t group = 1; group <= 3; group++) score(engine, model, group, 900);
    int calls = crowd_goes(&crowd, before);
    printf("others made %d calls meanwhile\n", calls);
    assert_in_range(calls, 0, 60);
    cord_engine_close(engine);
}

/* Who needs memory that others work in, gets it when those have ended who came before. */
static void large_requests_wait_for_memory(void **state) {
    (void)state;
    cord_model *model;
    cord_engine *engine = open_for_one_lane(&model);
    cord_model *other = open_tiny(engine, 1024, 0);
    score(engine, model, 7, 20);
    struct crowd crowd = {.engine = engine, .model = other, .words = 200, .rows = 2, .tokens = 40};
    crowd_comes(&crowd);
    int before = atomic_load(&crowd.calls);
    score(engine, model, 1, 4200);
    int calls = crowd_goes(&crowd, before);
    printf("others made %d calls meanwhile\n", calls);
    assert_in_range(calls, 0, 60);
    cord_engine_close(engine);
}

/* The lane with most rows is served first, but not for ever. */
static void small_lanes_have_their_turn(void **state) {
    (void)state;
    cord_engine *engine = open_engine();
    cord_model *busy = open_tiny(engine, 1024, 4096), *other = open_tiny(engine, 1024, 4096);
    struct crowd crowd = {.engine = engine, .model = busy, .words = 20, .rows = 8, .tokens = 12};
    crowd_comes(&crowd);
    int before = atomic_load(&crowd.calls);
    propose(engine, other, 1, 20, 1, 10);
    int calls = crowd_goes(&crowd, before);
    printf("others made %d calls meanwhile\n", calls);
    assert_in_range(calls, 0, 150);
    cord_engine_close(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_large_one_moves),
        cmocka_unit_test(lanes_without_work_go),
        cmocka_unit_test(one_outgrows_a_shared_lane),
        cmocka_unit_test(reproducible_calls_go_in_portions),
        cmocka_unit_test(scores_do_not_depend_on_the_lane),
        cmocka_unit_test(a_check_forgets_its_own_alone),
        cmocka_unit_test(equal_requests_are_computed_once),
        cmocka_unit_test(large_requests_are_not_overtaken),
        cmocka_unit_test(large_requests_wait_for_memory),
        cmocka_unit_test(small_lanes_have_their_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
