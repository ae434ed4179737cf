/* test_model_search.c - the search on real models: what teachers are sent does not depend on the answer, and a whole
 * search leaves texts and scores that stand up to being computed again. The linker puts this file's functions
 * before the engine's, to look on.
 *
 * That a proposer cannot see the gold is a matter of types, too: a prompt is rendered from a struct question, which has
 * an id and a text and nothing else. */
#include "model/weights.h"

#include "data/chat.h"
#include "search/search.h"

#include <math.h>

/* ---- looking on ---------------------------------------------------------------------------------------------- */

cord_status __wrap_cord_propose(cord_engine *engine, cord_proposal *requests, int n, cord_error *err);
cord_status __real_cord_propose(cord_engine *engine, cord_proposal *requests, int n, cord_error *err);
cord_status __wrap_cord_score(cord_engine *engine, cord_scoring *requests, int n, cord_error *err);
cord_status __real_cord_score(cord_engine *engine, cord_scoring *requests, int n, cord_error *err);
cord_status __wrap_cord_classify(cord_engine *engine, cord_classification *requests, int n, cord_error *err);
cord_status __real_cord_classify(cord_engine *engine, cord_classification *requests, int n, cord_error *err);
cord_status __wrap_cord_count(const cord_model *model, cord_counting *texts, int n, cord_error *err);
cord_status __real_cord_count(const cord_model *model, cord_counting *texts, int n, cord_error *err);

enum { CALLS = 2, REQUESTS = 32 };

/* All that a request says, as text: without its seed, which differs with the place in the beam, and its seed. */
struct request {
    char *said;
    uint64_t seed;
};

/* What the search under way asked for. (The engine's functions have no place to hand this to.) */
static struct look {
    struct arena arena;
    struct request requests[CALLS][REQUESTS];
    int n[CALLS], calls;
} * look;

static char *write_down(struct arena *arena, const cord_proposal *r) {
    struct buf out;
    buf_init(&out, "request", 1 << 20);
    buf_addf(&out, "%s max %d t %a p %a min %a k %d repeat %a %d group %llx\n", cord_model_get_info(r->model)->name,
             r->max_tokens, r->sampling.temperature, r->sampling.top_p, r->sampling.min_p, r->sampling.top_k,
             r->sampling.repeat_penalty, r->sampling.repeat_last, (unsigned long long)r->group);
    for (int i = 0; i < r->n_stops; i++) buf_addf(&out, "stop %.*s\n", (int)r->stops[i].len, r->stops[i].data);
    for (int i = 0; i < r->n_spans; i++) {
        buf_addf(&out, "%s %zu ", r->prompt[i].trusted ? "trusted" : "data", r->prompt[i].text.len);
        buf_add(&out, r->prompt[i].text);
    }
    assert_int_equal(out.status, CORD_OK);
    char *said = arena_text(arena, buf_text(&out)).data ? arena_printf(arena, "%s", out.data) : NULL;
    assert_non_null(said);
    buf_release(&out);
    return said;
}

cord_status __wrap_cord_count(const cord_model *model, cord_counting *texts, int n, cord_error *err) {
    return __real_cord_count(model, texts, n, err);
}

cord_status __wrap_cord_propose(cord_engine *engine, cord_proposal *requests, int n, cord_error *err) {
    if (look && look->calls < CALLS) {
        assert_true(n <= REQUESTS);
        for (int i = 0; i < n; i++)
            look->requests[look->calls][i] =
                (struct request){write_down(&look->arena, &requests[i]), requests[i].sampling.seed};
        look->n[look->calls++] = n;
        if (look->calls == CALLS) return error_set(err, CORD_CANCELLED, "seen enough");
    }
    return __real_cord_propose(engine, requests, n, err);
}

cord_status __wrap_cord_score(cord_engine *engine, cord_scoring *requests, int n, cord_error *err) {
    return __real_cord_score(engine, requests, n, err);
}

cord_status __wrap_cord_classify(cord_engine *engine, cord_classification *requests, int n, cord_error *err) {
    return __real_cord_classify(engine, requests, n, err);
}

/* ---- one model as two teachers ------------------------------------------------------------------------------- */

enum { MOST_KEPT = 64 };

struct pool {
    cord_engine *engine;
    const cord_model *model;
    struct chat_template *tmpl;
    struct prompt_style styles[2];
    struct teacher teachers[2];
    int n_teachers;
    struct meta_prover meta;
    struct search_settings settings;
    struct grader grader; /* math */
    struct observer observer;
    struct arena arena;
    int rounds;
    struct trajectory kept[MOST_KEPT]; /* every trajectory that was new in a beam */
    int n_kept;
    const struct answered *finished;
    int n_finished;
};

static cord_status on_round(void *ctx, const struct round *round, cord_error *err) {
    (void)err;
    struct pool *pool = ctx;
    pool->rounds = round->number;
    for (int i = 0; i < round->n_beam; i++) {
        const struct trajectory *t = &round->beam[i];
        if (t->candidate < 0 || round->candidates[t->candidate].finishes_parent) continue;
        assert_true(pool->n_kept < MOST_KEPT);
        pool->kept[pool->n_kept] = *t;
        pool->kept[pool->n_kept++].reasoning = arena_text(&pool->arena, t->reasoning); /* the round's goes with it */
    }
    return CORD_OK;
}

static cord_status on_finished(void *ctx, const struct answered *finished, int n, cord_error *err) {
    (void)err;
    struct pool *pool = ctx;
    pool->finished = finished;
    pool->n_finished = n;
    return CORD_OK;
}

static void pool_open(struct pool *pool, const char *model, float temperature) {
    *pool = (struct pool){0};
    arena_init(&pool->arena);
    pool->engine = weights_engine();
    pool->model = weights_open(pool->engine, model, 1024, 6144, 64);
    const cord_model_info *info = cord_model_get_info(pool->model);
    assert_ok(chat_template_new(info->chat_template, &pool->tmpl, err));
    for (int k = 0; k < 2; k++) assert_true(prompt_preset("steps", &pool->styles[k]));
    cord_text system = pool->styles[0].system;
    pool->styles[1].system = text_of(arena_printf(&pool->arena, "%.*s Be brief.", (int)system.len, system.data));
    for (int k = 0; k < 2; k++)
        pool->teachers[k] = (struct teacher){
            .name = k ? "brief" : "plain",
            .model = pool->model,
            .prompt = {&pool->styles[k], pool->tmpl, info->bos, info->eos},
            .sampling = {.temperature = temperature, .top_p = 0.95f},
        };
    pool->n_teachers = 2;
    pool->meta = (struct meta_prover){.model = pool->model, .prompt = pool->teachers[0].prompt};
    pool->observer = (struct observer){.ctx = pool, .round = on_round, .finished = on_finished};
}

static void pool_close(struct pool *pool) {
    chat_template_free(pool->tmpl);
    cord_engine_close(pool->engine);
    arena_release(&pool->arena);
}

static cord_status pool_search(struct pool *pool, const char *target, const char *gold, cord_error *err) {
    struct search search = {
        .engine = pool->engine,
        .group = 1,
        .question = {TEXT("pens"),
                     TEXT("Tom has 3 boxes of 4 pens each. He gives away 5 pens. How many pens has he left?")},
        .target = text_of(target),
        .gold = text_of(gold),
        .teachers = pool->teachers,
        .n_teachers = pool->n_teachers,
        .meta_prover = &pool->meta,
        .settings = &pool->settings,
        .grader = &pool->grader,
        .observer = &pool->observer,
        .arena = &pool->arena,
    };
    return search_run(&search, err);
}

/* ---- teachers never see the gold ----------------------------------------------------------------------------- */

/* The requests of two rounds, at temperature 0 and with a beam so wide that nothing of the first is selected away,
 * depend on the question alone. (In the second, the places in the beam, and the seeds with them, follow the scores.) */
static void watch_two_rounds(struct look *seen, const char *target, const char *gold, double *score) {
    struct pool pool;
    cord_error error = {0};
    *seen = (struct look){0};
    arena_init(&seen->arena);
    look = seen;
    pool_open(&pool, SMOLLM2, 0);
    pool.settings = (struct search_settings){
        .runs = 1, .beam = 2, .step_tokens = 24, .think_tokens = 100, .answer_tokens = 8, .seed = 3};
    assert_int_equal(pool_search(&pool, target, gold, &error), CORD_CANCELLED);
    *score = pool.kept[0].log_score;
    look = NULL;
    pool_close(&pool);
}

static int by_words(const void *a, const void *b) {
    return strcmp(((const struct request *)a)->said, ((const struct request *)b)->said);
}

static void teachers_are_sent_the_same_whatever_the_answer(void **state) {
    (void)state;
    static const char *const answers[2][2] = {{"7", "7"}, {"7391846", "5528173"}};
    struct look seen[2];
    double scores[2];
    for (int i = 0; i < 2; i++) watch_two_rounds(&seen[i], answers[i][0], answers[i][1], &scores[i]);
    assert_true(scores[0] != scores[1]); /* the answer did matter, to who scores */
    for (int call = 0; call < CALLS; call++) {
        int n = seen[0].n[call];
        assert_int_equal(seen[1].n[call], n);
        assert_true(call == 0 ? n == 4 : n > 0 && n <= 4); /* at temperature 0 a teacher's two samples are one */
        for (int i = 0; call == 0 && i < n; i++)
            assert_true(seen[0].requests[0][i].seed == seen[1].requests[0][i].seed);
        if (call > 0)
            for (int k = 0; k < 2; k++) qsort(seen[k].requests[call], (size_t)n, sizeof(struct request), by_words);
        for (int i = 0; i < n; i++) {
            assert_string_equal(seen[0].requests[call][i].said, seen[1].requests[call][i].said);
            assert_null(strstr(seen[1].requests[call][i].said, answers[1][0]));
            assert_null(strstr(seen[1].requests[call][i].said, answers[1][1]));
        }
    }
    for (int i = 0; i < 2; i++) arena_release(&seen[i].arena);
}

/* ---- a whole search ------------------------------------------------------------------------------------------ */

/* S of a kept trajectory, with nothing left in the cache. */
static double score_again(struct pool *pool, cord_text reasoning, const struct spans *prompt, int *tokens) {
    cord_scoring again = {
        .model = pool->model,
        .prompt = prompt->span,
        .n_spans = prompt->n,
        .reasoning = reasoning,
        .opening = {TEXT(" </think> The final answer is "), true},
        .target = {TEXT("7"), false},
        .closing = {TEXT("."), true},
    };
    cord_forget(pool->engine, 1); /* the search's group */
    cord_forget(pool->engine, 0);
    assert_ok(__real_cord_score(pool->engine, &again, 1, err));
    assert_int_equal(again.error.code, CORD_OK);
    assert_int_equal(again.cached_tokens, 0);
    *tokens = again.reasoning_tokens;
    cord_scoring_release(&again);
    return again.score;
}

static void a_whole_search_stands_up_to_a_second_look(void **state) {
    (void)state;
    struct pool pool;
    struct spans prompt;
    double worst = 0;
    pool_open(&pool, QWEN, 0.6f);
    pool.settings = (struct search_settings){
        .runs = 1, .beam = 2, .step_tokens = 32, .think_tokens = 64, .answer_tokens = 24, .seed = 5};
    assert_ok(pool_search(&pool, "7", "7", err));
    const struct question question = {
        TEXT("pens"), TEXT("Tom has 3 boxes of 4 pens each. He gives away 5 pens. How many pens has he left?")};
    assert_ok(prompt_render(&pool.meta.prompt, &question, &pool.arena, &prompt, err));

    assert_true(pool.rounds >= 2 && pool.n_kept > 0);
    for (int i = 0; i < pool.n_kept; i++) {
        const struct trajectory *t = &pool.kept[i];
        int tokens;
        double again = score_again(&pool, text_trim_end(t->reasoning), &prompt, &tokens);
        if (fabs(again - exp(t->log_score)) > worst) worst = fabs(again - exp(t->log_score));
        assert_int_equal(tokens, t->tokens);
        assert_true(text_starts(t->reasoning, TEXT("### Step 1.")));
        assert_int_equal(text_find(t->reasoning, TEXT("</think>")), -1);
        assert_int_equal(text_find(t->reasoning, TEXT("<|im_end|>")), -1);
        assert_int_equal(utf8_valid_prefix(t->reasoning), t->reasoning.len);
        assert_true(text_ends(text_trim_end(t->reasoning), text_trim_end(t->last->text)));
    }
    print_message("%d rounds, %d kept, largest difference of S %.4f\n", pool.rounds, pool.n_kept, worst);
    assert_true(worst <= 0.03);

    assert_true(pool.n_finished >= 1 && pool.n_finished <= 2);
    for (int i = 0; i < pool.n_finished; i++) {
        const struct answered *a = &pool.finished[i];
        print_message("%.4f %s: %s '%.*s'\n", exp(a->trajectory.log_score), finish_name(a->trajectory.finish),
                      grade_name(a->grade), (int)a->answer.len, a->answer.data);
        assert_true(a->trajectory.finish != GROWING);
        assert_true(a->grade != GRADE_NO_ANSWER && a->answer.len > 0);
        assert_true(text_starts(a->reply, TEXT("The final answer is \\boxed{")));
        if (i) assert_true(a->trajectory.log_score <= a[-1].trajectory.log_score);
    }
    pool_close(&pool);
}

/* ---- plain sampling ------------------------------------------------------------------------------------------ */

/* One direct call of an engine of its own: the prompt as ChatML has it, the seed as the documentation says it is made. */
static cord_text sampled(struct pool *pool, uint64_t seed, int tokens, cord_end *end) {
    static const cord_text stop = {"</think>", 8};
    cord_engine *engine = weights_engine();
    cord_text system = pool->styles[0].system;
    const cord_span prompt = {
        text_of(arena_printf(&pool->arena,
                             "<|im_start|>system\n%.*s<|im_end|>\n<|im_start|>user\nTom has 3 boxes of 4 pens each. He "
                             "gives away 5 pens. How many pens has he left?<|im_end|>\n<|im_start|>assistant\n<think>\n"
                             "### Step 1.",
                             (int)system.len, system.data)),
        true};
    cord_proposal alone = {
        .model = weights_open(engine, SMOLLM2, 1024, 6144, 64),
        .prompt = &prompt,
        .n_spans = 1,
        .stops = &stop,
        .n_stops = 1,
        .sampling = pool->teachers[0].sampling,
        .max_tokens = tokens,
        .group = 1,
    };
    alone.sampling.seed =
        seed_text(seed, TEXT("pens")); /* of the run, and the problem; then round, place, teacher, sample */
    for (int i = 0; i < 4; i++) alone.sampling.seed = seed_mix(alone.sampling.seed, i == 0);
    assert_ok(__real_cord_propose(engine, &alone, 1, err));
    assert_int_equal(alone.error.code, CORD_OK);
    cord_text text = arena_text(&pool->arena, (cord_text){alone.text, alone.len});
    *end = alone.end;
    cord_proposal_release(&alone);
    cord_engine_close(engine);
    return text;
}

/* Whether a trace is a text, but for a marker that the text's limit cut ("\n\n### St"), and blanks at the end. */
static bool is_whole_text(cord_text trace, cord_text text, cord_end end) {
    cord_text rest = text_starts(text, trace) ? text_trim(text_slice(text, trace.len, text.len)) : text;
    return !rest.len || (end == CORD_END_LENGTH && text_starts(text, trace) && text_starts(TEXT("### Step"), rest));
}

/* Curation of one teacher and one whole trace says, byte for byte, what one call says that knows nothing of searches. */
static void one_whole_trace_is_one_direct_call(void **state) {
    (void)state;
    enum { TOKENS = 72, SEEDS = 3 };
    int steps = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct pool pool;
        cord_end end;
        pool_open(&pool, SMOLLM2, 0.8f);
        pool.n_teachers = 1;
        pool.meta.model = weights_open(pool.engine, SMOLLM2, 1024, 6144, 64); /* the teacher's cache is its own */
        pool.settings = (struct search_settings){.strategy = STRATEGY_CURATION,
                                                 .whole_traces = true,
                                                 .runs = 1,
                                                 .beam = 1,
                                                 .step_tokens = 8,
                                                 .think_tokens = TOKENS,
                                                 .answer_tokens = 8,
                                                 .seed = seed};
        assert_ok(pool_search(&pool, "7", "7", err));
        cord_text alone = sampled(&pool, seed, TOKENS, &end);
        assert_true(pool.rounds == 1 && pool.n_finished == 1);
        const struct trajectory *t = &pool.finished[0].trajectory;
        cord_text trace = t->reasoning, opened = TEXT("### Step 1.");
        assert_true(text_starts(trace, opened));
        trace = text_slice(trace, opened.len, trace.len);
        print_message("seed %llu: %d steps, %s: %.*s\n", (unsigned long long)seed, t->n_steps, finish_name(t->finish),
                      (int)trace.len, trace.data);
        if (!is_whole_text(trace, alone, end)) fail_msg("alone: %s", alone.data);
        assert_int_equal(t->finish, end == CORD_END_LENGTH ? FINISHED_BUDGET
                                    : end == CORD_END_TURN ? FINISHED_TURN
                                                           : FINISHED_CLOSED);
        steps += t->n_steps;
        pool_close(&pool);
    }
    assert_true(steps > SEEDS); /* some were divided, and are still the same text */
}

int main(void) {
    weights_need(QWEN);
    weights_need(SMOLLM2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(teachers_are_sent_the_same_whatever_the_answer),
        cmocka_unit_test(a_whole_search_stands_up_to_a_second_look),
        cmocka_unit_test(one_whole_trace_is_one_direct_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
