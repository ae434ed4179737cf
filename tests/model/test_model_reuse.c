/* test_model_reuse.c - what a model wrote itself, and its score: nothing of it is used for a score unless it may be, and texts
 * that go on stay where they are. On SmolLM2's first layers in F32, where two ways to compute a text differ by next to nothing. */
#include "reference.h"

enum { F32_LAYERS = 4 };

static const struct reference_limits limits = REFERENCE_F32;
static char f32_path[64];

static cord_engine *engine;
static cord_model *model;

/* A text that the model has just decoded, and the request to score behind it. */
static cord_scoring write_and_ask(cord_proposal *p, cord_span *span, uint64_t group) {
    *span = (cord_span){TEXT("<|im_start|>user\nCount from 1 to 40, with commas.<|im_end|>\n<|im_start|>assistant\n"),
                        true};
    *p = (cord_proposal){.model = model, .prompt = span, .n_spans = 1, .max_tokens = 40, .group = group};
    assert_ok(cord_propose(engine, p, 1, err));
    assert_int_equal(p->error.code, CORD_OK);
    assert_true(p->new_tokens > 10);
    return (cord_scoring){.model = model,
                          .prompt = span,
                          .n_spans = 1,
                          .reasoning = {p->text, p->len},
                          .opening = {TEXT(" </think> The final answer is "), true},
                          .target = {TEXT("40"), true},
                          .closing = {TEXT("."), true},
                          .group = group};
}

/* A score must not depend on who wrote the text, so what the model decoded itself is not used for it. */
static void never_scored_from_decoded_cells(void **state) {
    (void)state;
    cord_proposal p;
    cord_span span;
    cord_scoring s = write_and_ask(&p, &span, 901);
    assert_ok(cord_score(engine, &s, 1, err));
    assert_int_equal(s.error.code, CORD_OK);
    assert_in_range(s.cached_tokens, 1, p.prompt_tokens);
    int before = s.cached_tokens;
    double first = s.log_score;
    cord_scoring_release(&s);

    /* what was prefilled for it is cached now, and is the next round's prefix */
    assert_ok(cord_score(engine, &s, 1, err));
    assert_true(s.cached_tokens >= before + p.new_tokens - 3);
    assert_true(fabs(s.log_score - first) < limits.worst);
    cord_scoring_release(&s);
    cord_proposal_release(&p);
}

/* Unless it may be: then next to nothing is computed, and the score is another by rounding alone. */
static void scored_from_decoded_cells_where_it_may_be(void **state) {
    (void)state;
    cord_forget(engine, 901); /* it has the same text, not decoded */
    cord_proposal p;
    cord_span span;
    cord_scoring s = write_and_ask(&p, &span, 902);
    s.reuse = true;
    assert_ok(cord_score(engine, &s, 1, err));
    assert_int_equal(s.error.code, CORD_OK);
    assert_true(s.cached_tokens >= p.prompt_tokens + p.new_tokens - 3);
    double reused = s.log_score;
    cord_scoring_release(&s);
    s.reuse = false;
    s.group = 903; /* whose cache has none of it, and nobody else's */
    cord_forget(engine, 902);
    assert_ok(cord_score(engine, &s, 1, err));
    assert_true(fabs(s.log_score - reused) < limits.worst);
    cord_scoring_release(&s);
    cord_proposal_release(&p);
}

/* Two requests that are equal but for that are no doubles of each other. */
static void what_may_reuse_and_what_may_not_are_two(void **state) {
    (void)state;
    for (uint64_t other = 901; other < 920; other++) cord_forget(engine, other); /* they have the same text */
    cord_proposal p;
    cord_span span;
    cord_scoring s[2] = {write_and_ask(&p, &span, 920)};
    s[1] = s[0];
    s[0].reuse = true;
    assert_ok(cord_score(engine, s, 2, err));
    assert_true(s[0].cached_tokens >= p.prompt_tokens + p.new_tokens - 3);
    assert_in_range(s[1].cached_tokens, 1, p.prompt_tokens);
    for (int i = 0; i < 2; i++) cord_scoring_release(&s[i]);
    cord_proposal_release(&p);
    cord_forget(engine, 920);
}

/* How much of a text of the group is missing for its next step, after another text of the group was scored. */
static int missing_after_another(uint64_t group, bool others_go_on) {
    for (uint64_t other = 901; other < group; other++) cord_forget(engine, other); /* they have the same texts */
    cord_proposal p;
    cord_span span;
    cord_scoring s = write_and_ask(&p, &span, group);
    s.reasoning = TEXT("40 is the last number.");
    s.others_go_on = others_go_on;
    assert_ok(cord_score(engine, &s, 1, err));
    assert_int_equal(s.error.code, CORD_OK);
    cord_scoring_release(&s);
    cord_span spans[2] = {span, {{p.text, p.len}, false}};
    cord_proposal next = {.model = model, .prompt = spans, .n_spans = 2, .max_tokens = 2, .group = group};
    assert_ok(cord_propose(engine, &next, 1, err));
    assert_int_equal(next.error.code, CORD_OK);
    int missing = next.prompt_tokens - next.cached_tokens;
    cord_proposal_release(&next);
    cord_proposal_release(&p);
    return missing;
}

/* Who curates scores a trace that has ended while others grow: they go on where they were, and nothing is computed again. */
static void texts_that_go_on_are_not_computed_again(void **state) {
    (void)state;
    assert_in_range(missing_after_another(904, true), 1, 2);
    assert_true(missing_after_another(905, false) > 10); /* losers of a round: every row would pass them by */
}

static int open_all(void **state) {
    (void)state;
    engine = weights_engine();
    reference_f32(F32_LAYERS, f32_path);
    model = weights_open_file(engine, "SmolLM2's first layers in F32", f32_path, 0, 0, 0);
    return 0;
}

static int close_all(void **state) {
    (void)state;
    cord_engine_close(engine);
    return 0;
}

int main(void) {
    weights_need(SMOLLM2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_scored_from_decoded_cells),
        cmocka_unit_test(scored_from_decoded_cells_where_it_may_be),
        cmocka_unit_test(what_may_reuse_and_what_may_not_are_two),
        cmocka_unit_test(texts_that_go_on_are_not_computed_again),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
