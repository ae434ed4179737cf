/* test_model_reproducible.c - an engine opened as reproducible: the same calls give the same bits, alone or among others,
 * first or last, and whatever was computed before. */
#include "reference.h"

#include <pthread.h>

enum { PROBLEMS = 3, ROUNDS = 2, BEAM = 3 };

#define USER(question) "<|im_start|>user\n" question "<|im_end|>\n<|im_start|>assistant\n### Step 1."

static const char *const prompts[PROBLEMS] = {
    USER("Tom has 3 boxes of 12 pears and eats 5. How many are left?"),
    USER("A farm has 40 hens. Each lays 5 eggs a week, and a dozen is sold for 3 dollars. What comes in each week?"),
    USER("A train needs 3 hours for 240 km. How far does it come in 5 hours?"),
};

/* All that a problem's calls gave. */
struct outcome {
    char text[ROUNDS][BEAM][256];
    double logprob[ROUNDS][BEAM][8];
    int tokens[ROUNDS][BEAM];
};

/* Two rounds of a small search: texts are written after a prefix, scored, and the first one is the next prefix. The padding
 * makes prefixes of up to two batches. */
static void play(cord_engine *engine, const cord_model *model, int problem, struct outcome *out) {
    char prefix[4400] = "";
    size_t length = 0;
    for (int i = 0; i < 13 * problem; i++)
        length +=
            (size_t)snprintf(prefix + length, sizeof prefix - length, " There are %d pears, and some are ripe.", i);
    for (int round = 0; round < ROUNDS; round++) {
        cord_proposal p[BEAM];
        cord_scoring s[BEAM];
        cord_span spans[2] = {{text_of(prompts[problem]), true}, {text_of(prefix), false}};
        for (int i = 0; i < BEAM; i++)
            p[i] = (cord_proposal){.model = model,
                                   .prompt = spans,
                                   .n_spans = 2,
                                   .max_tokens = 16 + 4 * i,
                                   .sampling = {.temperature = 1, .top_p = 0.95f, .seed = (uint64_t)(10 * round + i)},
                                   .group = (uint64_t)problem};
        assert_ok(cord_propose(engine, p, BEAM, err));
        char reasoning[BEAM][4800];
        for (int i = 0; i < BEAM; i++) {
            assert_int_equal(p[i].error.code, CORD_OK);
            snprintf(out->text[round][i], sizeof out->text[round][i], "%s", p[i].text);
            snprintf(reasoning[i], sizeof reasoning[i], "%s%s", prefix, p[i].text);
            s[i] = (cord_scoring){.model = model,
                                  .prompt = spans,
                                  .n_spans = 1,
                                  .reasoning = text_of(reasoning[i]),
                                  .opening = {TEXT(" </think> The final answer is "), true},
                                  .target = {TEXT("31 of 400"), false},
                                  .closing = {TEXT("."), true},
                                  .group = (uint64_t)problem};
        }
        assert_ok(cord_score(engine, s, BEAM, err));
        for (int i = 0; i < BEAM; i++) {
            assert_int_equal(s[i].error.code, CORD_OK);
            assert_in_range(s[i].n_tokens, 1, 8);
            out->tokens[round][i] = s[i].n_tokens;
            memcpy(out->logprob[round][i], s[i].logprob, (size_t)s[i].n_tokens * sizeof(double));
            cord_proposal_release(&p[i]);
            cord_scoring_release(&s[i]);
        }
        assert_true(strlen(reasoning[0]) < sizeof prefix);
        memcpy(prefix, reasoning[0], strlen(reasoning[0]) + 1);
    }
    cord_forget(engine, (uint64_t)problem);
}

enum { LAYERS = 8 };
static char weights[64];

static cord_engine *open_engine(cord_model **model) {
    cord_engine *engine = NULL;
    assert_ok(cord_engine_open(&(cord_engine_options){.reproducible = true}, &engine, err));
    *model = weights_open(engine, weights, 0, 0, 0);
    return engine;
}

static struct outcome alone[PROBLEMS];

static void expect_same(const struct outcome *got, int problem) {
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < BEAM; i++) {
            assert_string_equal(got->text[r][i], alone[problem].text[r][i]);
            assert_int_equal(got->tokens[r][i], alone[problem].tokens[r][i]);
            assert_memory_equal(got->logprob[r][i], alone[problem].logprob[r][i],
                                (size_t)got->tokens[r][i] * sizeof(double));
        }
}

/* Each problem on an engine of its own. */
static int play_alone(void **state) {
    (void)state;
    reference_shallow(LAYERS, weights);
    for (int i = 0; i < PROBLEMS; i++) {
        cord_model *model;
        cord_engine *engine = open_engine(&model);
        play(engine, model, i, &alone[i]);
        cord_engine_close(engine);
    }
    return 0;
}

static void one_after_another(void **state) {
    (void)state;
    cord_model *model;
    cord_engine *engine = open_engine(&model);
    static const int order[] = {2, 0, 1, 2};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct outcome got = {0};
        play(engine, model, order[i], &got);
        expect_same(&got, order[i]);
    }
    cord_engine_close(engine);
}

struct player {
    cord_engine *engine;
    const cord_model *model;
    int problem;
    struct outcome got;
};

static void *play_in_thread(void *arg) {
    struct player *player = arg;
    play(player->engine, player->model, player->problem, &player->got);
    return NULL;
}

static void all_at_once(void **state) {
    (void)state;
    cord_model *model;
    cord_engine *engine = open_engine(&model);
    static struct player players[PROBLEMS + 1];
    pthread_t threads[PROBLEMS + 1];
    for (int i = 0; i < PROBLEMS + 1; i++) {
        players[i] = (struct player){.engine = engine, .model = model, .problem = (2 * i) % PROBLEMS};
        assert_int_equal(pthread_create(&threads[i], NULL, play_in_thread, &players[i]), 0);
    }
    for (int i = 0; i < PROBLEMS + 1; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < PROBLEMS + 1; i++) expect_same(&players[i].got, players[i].problem);
    cord_engine_close(engine);
}

/* Otherwise nothing of the above would say anything: an engine that is not reproducible gives other bits in company. */
static void others_would_matter(void **state) {
    (void)state;
    cord_engine *engine = weights_engine();
    cord_model *model = weights_open(engine, weights, 0, 0, 0);
    int different = 0;
    for (int i = 0; i < PROBLEMS; i++) {
        struct outcome got = {0};
        play(engine, model, i, &got);
        for (int r = 0; r < ROUNDS; r++)
            for (int b = 0; b < BEAM; b++) different += got.logprob[r][b][0] != alone[i].logprob[r][b][0];
    }
    cord_engine_close(engine);
    printf("not reproducible: %d of %d scores differ\n", different, PROBLEMS * ROUNDS * BEAM);
    assert_true(different > 0);
}

int main(void) {
    weights_need(SMOLLM2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_another),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(others_would_matter),
    };
    return cmocka_run_group_tests(tests, play_alone, NULL);
}
