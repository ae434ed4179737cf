/* test_reward.c - the criterion of process reward models: what they are asked, in each format, and what is made of their
 * replies. */
#include "chosen.h"

/* ---- reward models ----------------------------------------------------------------------------------------------- */

static double step_share(struct world *w, const char *prompt) {
    double good = hashed(w->script, REWARD, text_of(prompt), TEXT("+"));
    double bad = hashed(w->script, REWARD, text_of(prompt), TEXT("-"));
    return good - log(exp(good) + exp(bad));
}

static double reward(struct world *w, cord_text prompt, cord_text opening, cord_text target) {
    assert_text(opening, w->settings.reward_format == REWARD_SHEPHERD ? " \xD0\xBA\xD0\xB8 " : "");
    return hashed(w->script, REWARD, prompt, target);
}

/* Math-Shepherd's text, written here by hand from the headings of the reasoning's steps. */
static double shepherded(struct world *w, cord_text reasoning, int run, bool complete) {
    (void)run, (void)complete;
    char *text = arena_printf(&w->arena, "%.*s", (int)reasoning.len, reasoning.data), *at = text;
    const char *prompt = "What is 6 x 7?";
    double sum = 0, least = 0, last = 0;
    for (int n = 1; at; n++) {
        char *next = strstr(at, "\n\n### ");
        if (next) *next = '\0';
        prompt = arena_printf(&w->arena, n > 1 ? "%s \xD0\xBA\xD0\xB8\nStep %d: %s" : "%s Step %d: %s", prompt, n,
                              strstr(at, ". ") + 2);
        last = step_share(w, prompt);
        sum += last;
        if (last < least) least = last;
        at = next ? next + 2 : NULL;
    }
    switch (w->settings.reward_aggregate) {
    case REWARD_MINIMUM: return least;
    case REWARD_PRODUCT: return sum;
    case REWARD_LAST: break;
    }
    return last;
}

static struct world *rewarded(enum reward_format format, enum reward_aggregate aggregate, uint64_t script) {
    struct world *w = talking("prm", script);
    w->reward = reward;
    w->settings.reward_format = format;
    w->settings.reward_aggregate = aggregate;
    world_succeeds(w);
    assert_int_equal(w->calls, 3 + 2 * w->n_rounds);
    return w;
}

static void reward_models_are_asked_in_their_formats(void **state) {
    (void)state;
    int n = 0;
    for (int aggregate = REWARD_LAST; aggregate <= REWARD_PRODUCT; aggregate++)
        for (uint64_t script = 0; script < 4; script++) {
            struct world *w = rewarded(REWARD_SHEPHERD, (enum reward_aggregate)aggregate, script);
            for (int r = 0; r < w->n_rounds; r++)
                for (int i = 0; i < w->rounds[r].n_candidates; i++) {
                    const struct candidate *c = &w->rounds[r].candidates[i];
                    if (c->drop != DROP_NONE || c->finishes_parent) continue;
                    assert_true(fabs(c->log_score - shepherded(w, text_trim_end(c->reasoning), 0, false)) < 1e-9);
                    n++;
                }
            world_free(w);
        }
    assert_true(n > 100);
}

static void a_conversation_asks_of_the_last_step(void **state) {
    (void)state;
    struct chat_template *tmpl;
    assert_ok(chat_template_new(chat_template_known("llama-3"), &tmpl, err));
    struct world *w = talking("prm", 1);
    w->reward = reward;
    w->settings.reward_format = REWARD_RLHFLOW;
    w->others[REWARD].prompt = (struct prompt){.style = &w->styles[META], .tmpl = tmpl};
    struct scored items[2] = {{.reasoning = TEXT("### Step 1. Six sevens.\n\n### Step 2. That is 42.")},
                              {.reasoning = TEXT("### Step 1. Six sevens.")}};
    assert_ok(score_reasonings(&w->search, (struct spans){0}, items, 2, err));
#define TURN(role) "<|start_header_id|>" role "<|end_header_id|>\n\n"
    const char *one = TURN("user") "What is 6 x 7? Six sevens.<|eot_id|>" TURN("assistant");
    const char *two = TURN("user") "What is 6 x 7? Six sevens.<|eot_id|>" TURN("assistant") "+<|eot_id|>" TURN(
        "user") "That is 42.<|eot_id|>" TURN("assistant");
    assert_true(fabs(items[0].log_score - step_share(w, two)) < 1e-12);
    assert_true(fabs(items[1].log_score - step_share(w, one)) < 1e-12);
    assert_int_equal(w->n_scored, 4);
    w->settings.reward_aggregate = REWARD_PRODUCT; /* a step that both have is asked about once */
    for (int i = 0; i < 2; i++) items[i] = (struct scored){.reasoning = items[i].reasoning};
    assert_ok(score_reasonings(&w->search, (struct spans){0}, items, 2, err));
    assert_int_equal(w->n_scored, 4);
    assert_true(fabs(items[0].log_score - step_share(w, two) - step_share(w, one)) < 1e-12);
    world_free(w);
    chat_template_free(tmpl);
}

#define HEAD_OPENING                                                                                          \
    "<|im_start|>system\nPlease reason step by step, and put your final answer within \\boxed{}.<|im_end|>\n" \
    "<|im_start|>user\nWhat is 6 x 7?<|im_end|>\n<|im_start|>assistant\n"

/* Qwen2.5-Math-PRM's prompt, written here by hand after its card; a request a reasoning has the scores of all steps, each of
 * what stands before its mark alone. */
static void a_head_is_read_behind_each_step(void **state) {
    (void)state;
    struct world *w = talking("prm", 1);
    w->reward = reward;
    w->settings.reward_format = REWARD_QWEN;
    const char *one = HEAD_OPENING "Six sevens.";
    const char *two = arena_printf(&w->arena, "%s<extra_0>That is 42.", one);
    const struct scored given[3] = {{.reasoning = TEXT("### Step 1. Six sevens.\n\n### Step 2. That is 42.")},
                                    {.reasoning = TEXT("### Step 1. Six sevens.")},
                                    {.reasoning = TEXT("### Step 1. Six sevens.\n\n### Step 2. That is 42.\n")}};
    double first = step_share(w, one), second = step_share(w, two);
    const double expected[] = {second, first < second ? first : second, first + second};
    for (int aggregate = REWARD_LAST; aggregate <= REWARD_PRODUCT; aggregate++) {
        struct scored items[3] = {given[0], given[1], given[2]};
        w->settings.reward_aggregate = (enum reward_aggregate)aggregate;
        assert_ok(score_reasonings(&w->search, (struct spans){0}, items, 3, err));
        assert_int_equal(w->n_scored, 2); /* what is the same is asked about once */
        assert_true(items[2].log_score == items[0].log_score);
        assert_int_equal(items[2].prompt_tokens, 0);
        assert_true(fabs(items[0].log_score - expected[aggregate]) < 1e-12);
        assert_true(fabs(items[1].log_score - first) < 1e-12);
        assert_int_equal(items[0].prompt_tokens, 7);
    }
    struct stretch step = {TEXT("Say <extra_0>."), 0};
    struct spans spans;
    assert_ok(reward_marked(TEXT(" Why <|im_end|>? "), &step, 1, &w->arena, &spans, err));
    assert_int_equal(spans.n, 5);
    assert_text(spans.span[1].text, "Why <|im_end|>?");
    for (int i = 0; i < 5; i++) assert_true(spans.span[i].trusted == (i != 1 && i != 3));
    world_free(w);
}

/* What has no length for the meta-prover has no score either, whoever else can read it. */
static void what_cannot_be_counted_has_no_score(void **state) {
    (void)state;
    static const struct {
        const char *criterion;
        enum reward_format format;
    } cases[] = {{"longest", REWARD_QWEN},
                 {"random", REWARD_QWEN},
                 {"judge", REWARD_QWEN},
                 {"prm", REWARD_QWEN},
                 {"prm", REWARD_SHEPHERD}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *w = talking(cases[i].criterion, 1);
        w->reward = reward;
        w->settings.reward_format = cases[i].format;
        struct scored items[2] = {{.reasoning = TEXT("### Step 1. Unspelled sevens.")},
                                  {.reasoning = TEXT("### Step 1. Six sevens.")}};
        assert_ok(score_reasonings(&w->search, (struct spans){0}, items, 2, err));
        assert_int_equal(items[0].error.code, CORD_BAD_INPUT);
        assert_string_equal(items[0].error.message, "no token spells this");
        assert_int_equal(items[1].error.code, CORD_OK);
        world_free(w);
    }
}

/* The text before the last mark, from the headings of the reasoning's steps. */
static const char *headed(struct world *w, cord_text reasoning) {
    char *at = arena_printf(&w->arena, "%.*s", (int)reasoning.len, reasoning.data);
    const char *text = HEAD_OPENING;
    for (bool first = true; at; first = false) {
        char *next = strstr(at, "\n\n### ");
        if (next) *next = '\0';
        text = arena_printf(&w->arena, first ? "%s%s" : "%s<extra_0>%s", text, strstr(at, ". ") + 2);
        at = next ? next + 2 : NULL;
    }
    return text;
}

static void searches_go_by_a_head(void **state) {
    (void)state;
    int n = 0;
    for (uint64_t script = 0; script < 4; script++) {
        struct world *w = rewarded(REWARD_QWEN, REWARD_LAST, script);
        for (int r = 0; r < w->n_rounds; r++)
            for (int i = 0; i < w->rounds[r].n_candidates; i++) {
                const struct candidate *c = &w->rounds[r].candidates[i];
                if (c->drop != DROP_NONE || c->finishes_parent) continue;
                assert_true(fabs(c->log_score - step_share(w, headed(w, text_trim_end(c->reasoning)))) < 1e-12);
                n++;
            }
        world_free(w);
    }
    assert_true(n > 30);
}

/* Softmax over two logits, by hand: the head says 0.5 of "bad" and 2.5 of "good", so good has 1 / (1 + e^-2). */
static void heads_are_read_as_worked_out_by_hand(void **state) {
    (void)state;
    const double logits[] = {0.5, 2.5}, turned[] = {2.5, 0.5}, sure[] = {-30, 10}, never[] = {0, -INFINITY};
    assert_true(fabs(exp(reward_of_classes(logits, 2)) - 0.88079707797788243) < 1e-12);
    assert_true(fabs(exp(reward_of_classes(turned, 2)) - 0.11920292202211755) < 1e-12);
    assert_true(reward_of_classes(sure, 2) < 0); /* 1 - e^-40: near 1, and yet told from another */
    assert_true(fabs(reward_of_classes(sure, 2) / -4.2483542552915889e-18 - 1) < 1e-9);
    assert_true(reward_of_classes(never, 2) == -INFINITY);
    assert_true(isnan(reward_of_classes(logits, 1)) && isnan(reward_of_classes(logits, 3)));
}

/* Softmax over two logits, by hand: of 2 and 0 the first has 1 / (1 + e^-2). */
static void shares_are_those_worked_out_by_hand(void **state) {
    (void)state;
    assert_true(fabs(reward_log_share(-1, -3) - log(0.88079707797788243)) < 1e-12);
    assert_true(fabs(reward_log_share(-3, -1) - log(0.11920292202211755)) < 1e-12);
    assert_true(fabs(reward_log_share(-5, -5) - log(0.5)) < 1e-12);
    assert_true(fabs(reward_log_share(log(0.3), log(0.1)) - log(0.75)) < 1e-12);
    assert_true(fabs(reward_log_share(-2000, -1) + 1999) < 1e-9); /* far below what a double's exp can hold */
    assert_true(reward_log_share(-INFINITY, -1) == -INFINITY && reward_log_share(-1, -INFINITY) == 0);
    assert_true(isnan(reward_log_share((double)NAN, -1)) && isnan(reward_log_share(-1, (double)NAN)));
    const double steps[] = {log(0.5), log(0.25), log(0.8)};
    assert_true(fabs(exp(reward_aggregate(REWARD_LAST, steps, 3)) - 0.8) < 1e-12);
    assert_true(fabs(exp(reward_aggregate(REWARD_MINIMUM, steps, 3)) - 0.25) < 1e-12);
    assert_true(fabs(exp(reward_aggregate(REWARD_PRODUCT, steps, 3)) - 0.1) < 1e-12);
}

/* The paper's marker has no number, which models write, or do not, or skip; a trace without a heading is divided at blank
 * lines. Each has the same three steps. */
static void steps_are_told_apart_however_they_are_headed(void **state) {
    (void)state;
    static const struct {
        const char *preset, *text;
    } cases[] = {
        {"paper", "### Step 1. Six sevens.\n\n### Step 2: That is 42.\n\n### Step 3 Done."},
        {"paper", "### Step Six sevens.\n\n### Step That is 42.\n\n### Step Done."},
        {"steps", "### Step 1. Six sevens.\n\n### Step 3. That is 42.\n\n### Step 2. Done."},
        {"paper", "Six sevens.\n\nThat is 42.\n\nDone."},
        {"steps", "Six sevens.\n\n\nThat is 42.\n \nDone.\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int aggregate = REWARD_LAST; aggregate <= REWARD_PRODUCT; aggregate++) {
            struct world *w = talking("prm", 1);
            cord_text full = w->styles[META].full;
            assert_true(prompt_preset(cases[i].preset, &w->styles[META]));
            w->styles[META].full = full;
            w->reward = reward;
            w->settings.reward_format = REWARD_QWEN;
            w->settings.reward_aggregate = (enum reward_aggregate)aggregate;
            const char *one = HEAD_OPENING "Six sevens.";
            const char *two = arena_printf(&w->arena, "%s<extra_0>That is 42.", one);
            double steps[] = {step_share(w, one), step_share(w, two),
                              step_share(w, arena_printf(&w->arena, "%s<extra_0>Done.", two))};
            struct scored item = {.reasoning = text_of(cases[i].text)};
            assert_ok(score_reasonings(&w->search, (struct spans){0}, &item, 1, err));
            assert_true(fabs(item.log_score - reward_aggregate(w->settings.reward_aggregate, steps, 3)) < 1e-12);
            world_free(w);
        }
}

/* Where one trace goes on with a heading, what both begin with is one step there and two in the other. */
static void a_heading_further_on_makes_other_steps(void **state) {
    (void)state;
    struct world *w = talking("prm", 1);
    w->reward = reward;
    w->settings.reward_aggregate = REWARD_PRODUCT;
    struct scored items[2] = {{.reasoning = TEXT("Six sevens.\n\nThat is 42.")},
                              {.reasoning = TEXT("Six sevens.\n\nThat is 42.\n\n### Step 1. Done.")}};
    const char *two = "What is 6 x 7? Step 1: Six sevens. \xD0\xBA\xD0\xB8\nStep 2: That is 42.";
    const char *both = "What is 6 x 7? Step 1: Six sevens.\n\nThat is 42.";
    const char *done = arena_printf(&w->arena, "%s \xD0\xBA\xD0\xB8\nStep 2: Done.", both);
    assert_ok(score_reasonings(&w->search, (struct spans){0}, items, 2, err));
    double first = step_share(w, "What is 6 x 7? Step 1: Six sevens.");
    assert_true(fabs(items[0].log_score - first - step_share(w, two)) < 1e-12);
    assert_true(fabs(items[1].log_score - step_share(w, both) - step_share(w, done)) < 1e-12);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reward_models_are_asked_in_their_formats),
        cmocka_unit_test(a_conversation_asks_of_the_last_step),
        cmocka_unit_test(a_head_is_read_behind_each_step),
        cmocka_unit_test(what_cannot_be_counted_has_no_score),
        cmocka_unit_test(searches_go_by_a_head),
        cmocka_unit_test(heads_are_read_as_worked_out_by_hand),
        cmocka_unit_test(shares_are_those_worked_out_by_hand),
        cmocka_unit_test(steps_are_told_apart_however_they_are_headed),
        cmocka_unit_test(a_heading_further_on_makes_other_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
