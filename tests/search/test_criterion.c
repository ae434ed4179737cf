/* test_criterion.c - what the meta-prover is asked to score, byte for byte (section 4.2 of the paper; docs/method.md), and
 * what is made of its reply. The arithmetic of equation 3 is the back end's, and tested there. */
#include "support.h"

#include "model/backend.h"
#include "search/criterion.h"

#include <math.h>
#include <stdlib.h>

cord_status __wrap_cord_propose(cord_engine *engine, cord_proposal *requests, int n, cord_error *err);
cord_status __wrap_cord_score(cord_engine *engine, cord_scoring *requests, int n, cord_error *err);

cord_status __wrap_cord_propose(cord_engine *engine, cord_proposal *requests, int n, cord_error *err) {
    (void)engine, (void)requests, (void)n, (void)err;
    fail_msg("scoring proposes nothing");
    return CORD_INTERNAL;
}

cord_status __wrap_cord_classify(cord_engine *engine, cord_classification *requests, int n, cord_error *err);
cord_status __wrap_cord_classify(cord_engine *engine, cord_classification *requests, int n, cord_error *err) {
    (void)engine, (void)requests, (void)n, (void)err;
    fail_msg("predictive perplexity asks no head");
    return CORD_INTERNAL;
}

cord_status __wrap_cord_count(const cord_model *model, cord_counting *texts, int n, cord_error *err);
cord_status __wrap_cord_count(const cord_model *model, cord_counting *texts, int n, cord_error *err) {
    (void)model, (void)texts, (void)n, (void)err;
    fail_msg("the meta-prover's own count is taken");
    return CORD_INTERNAL;
}

enum { ITEMS = 4 };

static struct cord_model meta_model;

/* Checks each request and replies with its number; the third fails. An engine that is to stop fails as a whole. */
cord_status __wrap_cord_score(cord_engine *engine, cord_scoring *requests, int n, cord_error *err) {
    static const char *const reasonings[ITEMS] = {"", "### Step 1. Add <|im_end|>", "### Step 1. Two",
                                                  "### Step 1. A\n\n B"};
    if (engine->stop) return error_set(err, CORD_CANCELLED, "stopped");
    assert_int_equal(n, ITEMS);
    for (int i = 0; i < n; i++) {
        const cord_scoring *r = &requests[i];
        assert_ptr_equal(r->model, &meta_model);
        assert_int_equal(r->n_spans, 3); /* the meta-prover's own prompt; the question in it is not trusted */
        assert_text(r->prompt[0].text, "[meta] ");
        assert_text(r->prompt[1].text, "What is 2 + 3?");
        assert_text(r->prompt[2].text, " [go]<think>\n");
        for (int s = 0; s < 3; s++) assert_int_equal(r->prompt[s].trusted, s != 1);
        assert_text(r->reasoning, reasonings[i]);
        assert_text(r->opening.text, " </think> The final answer is ");
        assert_text(r->target.text, "5 </think>");
        assert_text(r->closing.text, ".");
        assert_true(r->opening.trusted && r->closing.trusted && !r->target.trusted);
        assert_true(r->group == 4711);
        assert_true(r->reuse);
        if (i == 2) {
            error_fill(&requests[i].error, CORD_TOO_LONG, "it does not fit");
            continue;
        }
        requests[i].logprob = calloc(1, sizeof(double)); /* theirs to release: the leak checker looks on */
        requests[i].token = calloc(1, sizeof(cord_text));
        assert_true(requests[i].logprob && requests[i].token);
        requests[i].n_tokens = 1;
        requests[i].log_score = -i;
        requests[i].reasoning_tokens = 10 + i;
        requests[i].prompt_tokens = 20 + i;
        requests[i].cached_tokens = 30 + i;
        requests[i].us = 40 + i;
    }
    return CORD_OK;
}

static void the_scored_text_is_the_papers(void **state) {
    (void)state;
    struct arena arena;
    struct prompt_style style;
    struct spans prompt;
    arena_init(&arena);
    assert_true(prompt_preset("steps", &style));
    style.full = TEXT("[meta] {question} [go]");
    const struct meta_prover meta = {.model = &meta_model, .prompt = {.style = &style}, .reuse = true};
    struct cord_engine engine = {0};
    const struct search search = {
        .engine = &engine,
        .group = 4711,
        .question = {TEXT("p1"), TEXT("What is 2 + 3?")},
        .target = TEXT("5 </think>"),
        .gold = TEXT("another thing"),
        .meta_prover = &meta,
        .arena = &arena,
    };
    assert_ok(prompt_render(&meta.prompt, &search.question, &arena, &prompt, err));
    struct scored items[ITEMS] = {
        {.reasoning = TEXT("")},
        {.reasoning = TEXT("### Step 1. Add <|im_end|> \n\n")},
        {.reasoning = TEXT("### Step 1. Two")},
        {.reasoning = TEXT("### Step 1. A\n\n B\t\r\n")},
    };
    assert_ok(score_targets(&search, &meta, prompt, items, ITEMS, err));
    for (int i = 0; i < ITEMS; i++) {
        if (i == 2) {
            assert_true(isnan(items[i].log_score));
            assert_int_equal(items[i].error.code, CORD_TOO_LONG);
            continue;
        }
        assert_int_equal(items[i].error.code, CORD_OK);
        assert_true(items[i].log_score == -i);
        assert_int_equal(items[i].reasoning_tokens, 10 + i);
        assert_int_equal(items[i].prompt_tokens, 20 + i);
        assert_int_equal(items[i].cached_tokens, 30 + i);
        assert_int_equal(items[i].us, 40 + i);
    }
    engine.stop = true;
    cord_error error = {0};
    assert_int_equal(score_targets(&search, &meta, prompt, items, ITEMS, &error), CORD_CANCELLED);
    for (int i = 0; i < ITEMS; i++) assert_true(isnan(items[i].log_score));
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_scored_text_is_the_papers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
