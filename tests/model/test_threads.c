/* test_threads.c - many threads on one engine, with caches so small that texts are dropped, sent back and moved: whatever the
 * company, everyone gets what they would have got alone. `make check` runs it under the sanitizers, ThreadSanitizer among
 * them. */
#include "play.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS = 8, PROBLEMS = 15 }; /* each kind of model with each kind of text (play.h) */

/* As in test_tiny.c: rounding makes 0.001, a state that is not the text's 0.02 and more. */
#define LIMIT 0.01

/* ---- the players --------------------------------------------------------------------------------------------- */

struct game {
    const struct stage *stage;
    struct played played[PROBLEMS];
    atomic_int next, done, stopped;
};

static void *player(void *arg) {
    struct game *game = arg;
    for (int problem; (problem = atomic_fetch_add(&game->next, 1)) < PROBLEMS;) {
        struct played *played = &game->played[problem];
        cord_status status = play(game->stage, problem, played, played);
        if (status != CORD_OK && status != CORD_CANCELLED)
            fail_msg("problem %d: %s", problem, cord_status_name(status));
        atomic_fetch_add(status == CORD_OK ? &game->done : &game->stopped, 1);
    }
    return NULL;
}

static int64_t batches_of(const struct stage *stage) {
    int64_t batches = 0;
    for (int i = 0; i < stage->n_models; i++) batches += cord_model_get_usage(stage->models[i]).batches;
    return batches;
}

/* All problems, THREADS at a time, while somebody looks on, who stops the engine after so many batches. Gives their number. */
static int64_t play_all(const struct stage *stage, struct game *game, int64_t stop_after) {
    pthread_t threads[THREADS];
    *game = (struct game){.stage = stage};
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, player, game), 0);
    while (atomic_load(&game->done) + atomic_load(&game->stopped) < PROBLEMS) {
        if (batches_of(stage) >= stop_after) cord_engine_stop(stage->engine);
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    return batches_of(stage);
}

/* ---- what they should get ------------------------------------------------------------------------------------ */

/* How many cells each model has, and what for. One thread computes: llama.cpp's library knows nothing of ThreadSanitizer, which
 * would not see how its threads wait for each other. */
struct room {
    cord_engine_options engine;
    cord_model_options sizes;
    int words;
};

/* One lane, which three of the longest texts fill: whoever comes has to wait, and is dropped again. */
static struct room tight = {{.threads = 1}, {.context = 448, .cells = 700, .sequences = 5}, 150};
/* A problem's three texts can outgrow a lane: problems move to lanes of their own, which grow. */
static struct room wide = {{.threads = 1}, {.context = 2560, .cells = 3 * 4096, .sequences = 16}, 700};
/* Where results are to be the same bits, whoever asks. */
static struct room same_short = {{.threads = 1, .reproducible = true}, {.context = 2560, .sequences = 16}, 150};
static struct room same_long = {{.threads = 1, .reproducible = true}, {.context = 2560, .sequences = 16}, 700};

static void enter(struct stage *stage, const struct room *room) {
    stage_open(stage, &room->engine, TINY_KINDS, room->sizes, room->words);
}

static void expect_near(const struct played *got, const struct played *want, int *same, int *greedy) {
    assert_int_equal(got->prompt_tokens, want->prompt_tokens);
    for (int r = 0; r < PLAY_ROUNDS; r++)
        for (int i = 0; i < PLAY_BEAM; i++) {
            const struct candidate *a = &got->round[r][i], *b = &want->round[r][i];
            if (i == 0) *same += strcmp(a->text, b->text) == 0, ++*greedy;
            assert_int_equal(a->n, b->n);
            for (int t = 0; t < a->n; t++)
                if (fabs(a->logprob[t] - b->logprob[t]) > LIMIT)
                    fail_msg("round %d, candidate %d, token %d has %f, and should have %f", r, i, t, a->logprob[t],
                             b->logprob[t]);
        }
}

/* Afterwards somebody asks for the same alone, with room for everything. Scores are equal but for rounding, and so are
 * nearly all texts at temperature 0. */
static void company_does_not_matter(void **state) {
    const struct room *room = *state;
    struct stage stage, plain;
    static struct game game;
    enter(&stage, room);
    play_all(&stage, &game, INT64_MAX);
    stage_close(&stage);
    enter(&plain, &(struct room){wide.engine, wide.sizes, room->words});
    int same = 0, greedy = 0;
    for (int i = 0; i < PROBLEMS; i++) {
        struct played got = {0};
        assert_int_equal(play(&plain, i, &game.played[i], &got), CORD_OK);
        expect_near(&game.played[i], &got, &same, &greedy);
    }
    stage_close(&plain);
    printf("%d of %d greedy texts are the same\n", same, greedy);
    assert_true(same >= greedy * 9 / 10);
}

static void expect_same(const struct played *got, const struct played *want, int problem) {
    for (int r = 0; r < PLAY_ROUNDS; r++)
        for (int i = 0; i < PLAY_BEAM; i++) {
            const struct candidate *a = &got->round[r][i], *b = &want->round[r][i];
            if (strcmp(a->text, b->text) != 0)
                fail_msg("problem %d, round %d: text %d is '%s', and alone '%s'", problem, r, i, a->text, b->text);
            assert_int_equal(a->n, b->n);
            for (int t = 0; t < a->n; t++)
                if (a->logprob[t] != b->logprob[t])
                    fail_msg("problem %d, round %d, candidate %d: token %d has %.17g, and alone %.17g", problem, r, i,
                             t, a->logprob[t], b->logprob[t]);
        }
}

/* Each problem on an engine of its own; all on one, in another order; and all at once. */
static void bits_are_the_same(void **state) {
    const struct room *room = *state;
    static struct played alone[PROBLEMS];
    static struct game game;
    struct stage stage;
    for (int i = 0; i < PROBLEMS; i++) {
        enter(&stage, room);
        assert_int_equal(play(&stage, i, &alone[i], &alone[i]), CORD_OK);
        stage_close(&stage);
    }
    enter(&stage, room);
    for (int i = PROBLEMS - 1; i >= 0; i--) {
        struct played got = {0};
        assert_int_equal(play(&stage, i, &got, &got), CORD_OK);
        expect_same(&got, &alone[i], i);
    }
    play_all(&stage, &game, INT64_MAX);
    stage_close(&stage);
    for (int i = 0; i < PROBLEMS; i++) expect_same(&game.played[i], &alone[i], i);
    memset(alone, 0, sizeof alone);
}

/* ---- stopping ------------------------------------------------------------------------------------------------ */

/* Whoever waits returns, at whatever moment, and nobody gets in any more. */
static void stops_at_any_moment(void **state) {
    enum { TIMES = 6 };
    struct rng rng;
    int cut_short = 0;
    int64_t all = 0; /* batches of a whole game: the first one's */
    rng_init(&rng, 5);
    for (int i = 0; i <= TIMES; i++) {
        static struct game game;
        struct stage stage;
        struct played late = {0};
        enter(&stage, *state);
        int64_t moment = 1 + (int64_t)(rng_uniform(&rng) * (double)all),
                batches = play_all(&stage, &game, all ? moment : INT64_MAX);
        if (!all) all = batches;
        int stopped = atomic_load(&game.stopped);
        if (stopped) assert_int_equal(play(&stage, 0, &late, &late), CORD_CANCELLED);
        cut_short += stopped > 0;
        stage_close(&stage);
    }
    printf("of %d batches; %d of %d games were cut short\n", (int)all, cut_short, TIMES);
    assert_in_range(cut_short, TIMES / 2, TIMES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(company_does_not_matter, &tight),
        cmocka_unit_test_prestate(bits_are_the_same, &same_short),
        cmocka_unit_test_prestate(stops_at_any_moment, &tight),
    };
    const struct CMUnitTest of_long_texts[] = {
        cmocka_unit_test_prestate(company_does_not_matter, &wide),
        cmocka_unit_test_prestate(bits_are_the_same, &same_long),
        cmocka_unit_test_prestate(stops_at_any_moment, &same_short),
    };
    return test_is_long() ? cmocka_run_group_tests(of_long_texts, NULL, NULL)
                          : cmocka_run_group_tests(tests, NULL, NULL);
}
