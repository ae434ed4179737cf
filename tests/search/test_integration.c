/* test_integration.c - several complete traces merged into one: what the integrator is told and what not, which replies are
 * mended and which refused, tries as rounds, and that a search that was stopped does not try oftener. */
#include "script.h"

#include "search/integration.h"

/* ---- replies --------------------------------------------------------------------------------------------------- */

#define V             ", \"category\": \"verification\""
#define ONE           "{\"text\": \"One.\"" V "}"
#define REPLY         "{\"steps\": [" ONE "], \"answer\": \"\\\\boxed{4}\"}"
#define OPEN          "{\"steps\": [" ONE "], \"answer\": \"\\\\boxed{4}\""
#define TEXT_OF(text) "{\"steps\": [{\"text\": \"" text "\"" V "}], \"answer\": \"\\\\boxed{4}\"}"

/* What is mended, and what its first step and its answer then say. */
static const struct {
    const char *reply, *text, *answer;
} mended[] = {
    {REPLY, "One.", "\\boxed{4}"},
    {"```json\n" REPLY "\n```", "One.", "\\boxed{4}"},
    {"Of the set {1, 2} and {}: here is the object.\n" REPLY "\nI hope that helps {really}!", "One.", "\\boxed{4}"},
    {"<think>maybe " TEXT_OF("Not this.") " or so</think>" REPLY, "One.", "\\boxed{4}"},
    {"{\"x\": 1} " REPLY, "One.", "\\boxed{4}"},
    {"{\"result\": " REPLY "}", "One.", "\\boxed{4}"},
    {"{\"steps\": [" ONE ",], \"answer\": \"\\\\boxed{4}\" , \n}", "One.", "\\boxed{4}"},
    {OPEN, "One.", "\\boxed{4}"},
    {OPEN "\n\n", "One.", "\\boxed{4}"},
    {OPEN ",\n", NULL, NULL}, /* a comma promises more */
    {TEXT_OF("One\n\ntwo\tthree"), "One\n\ntwo\tthree", "\\boxed{4}"},
    {TEXT_OF("\\(x\\) is \\sqrt{2}, \\alpha"), "\\(x\\) is \\sqrt{2}, \\alpha", "\\boxed{4}"},
    {TEXT_OF("\\frac{1}{2} \\boxed{3} \\beta"), "\\frac{1}{2} \\boxed{3} \\beta", "\\boxed{4}"},
    {TEXT_OF("2 \\times 3 \\neq 5, \\theta \\right)"), "2 \\times 3 \\neq 5, \\theta \\right)", "\\boxed{4}"},
    {TEXT_OF("a\\nb\\n\\nand\\t2 \\u00e9 \\\\frac"), "a\nb\n\nand\t2 \xc3\xa9 \\frac", "\\boxed{4}"},
    {TEXT_OF("\\rho \\to \\tau, \\tan x, \\text{a} \\rm"), "\\rho \\to \\tau, \\tan x, \\text{a} \\rm", "\\boxed{4}"},
    {TEXT_OF("$\\nu$ \\ne a\\ni b \\notin \\nabla f, \\not= (\\mu,\\nu) \\neg p"),
     "$\\nu$ \\ne a\\ni b \\notin \\nabla f, \\not= (\\mu,\\nu) \\neg p", "\\boxed{4}"},
    {TEXT_OF("One.\\nThen u = 3.\\nu + 1 = 4\\nnotes\\r\\n\\ni = 2\\nno \\\\nu"),
     "One.\nThen u = 3.\nu + 1 = 4\nnotes\r\n\ni = 2\nno \\nu", "\\boxed{4}"},
    {TEXT_OF("\\ut \\u12"), "\\ut \\u12", "\\boxed{4}"},
    {TEXT_OF("a brace { and a \\\" quote ], }"), "a brace { and a \" quote ], }", "\\boxed{4}"},
    {TEXT_OF("### Step 7: Seven."), "Seven.", "\\boxed{4}"},
    {TEXT_OF("## step 2\\nTwo."), "Two.", "\\boxed{4}"},
    {TEXT_OF("#1 is a name"), "#1 is a name", "\\boxed{4}"},
    {"{\"steps\": [" ONE "], \"answer\": \"It is \\boxed{\\frac{1}{2}}.\"}", "One.", "It is \\boxed{\\frac{1}{2}}."},
    {"{\"steps\": [" ONE "], \"answer\": \"\\boxed{\\tan 3}\"}", "One.", "\\boxed{\\tan 3}"},
    {"{\"steps\": [" ONE "], \"answer\": \"4\"}", "One.", "\\boxed{4}"},
    {"{\"steps\": [" ONE "], \"answer\": -18}", "One.", "\\boxed{-18}"},
    {"{\"steps\": [" ONE "], \"answer\": 0.1}", "One.", "\\boxed{0.1}"},
    {"{\"steps\": [{\"text\": \"One.\", \"category\": \" Verification \"}], \"answer\": \"4\"}", "One.", "\\boxed{4}"},
    {REPLY "\nAgain:\n" REPLY, "One.", "\\boxed{4}"},
    {"{\"steps\": [" ONE "], \"answer\": \"... 72 dollars\"}", "One.", "\\boxed{72 dollars}"},
    {"{\"steps\": [" ONE "], \"answer\": \"$\\frac{1}{2}$\"}", "One.", "\\boxed{$\\frac{1}{2}$}"},
    {"{\"steps\": [" ONE "], \"answer\": \"B\"}", "One.", "\\boxed{B}"},
    {"{\"answer\": \"\\\\boxed{4}\", \"steps\": [{\"category\": \"Error_Correction\", \"text\": \"One.\", \"more\": "
     "1}]}",
     "One.", "\\boxed{4}"},
};

static const struct {
    const char *reply, *why;
} refused[] = {
    {"", "there is no JSON object"},
    {"The answer is \\boxed{4}.", "there is no JSON object"},
    {"[1, 2]", "there is no JSON object"},
    {"{steps: []}", "there is no JSON object"},
    {"{\"a\": 1}", "has no \"steps\""},
    {"{\"steps\": []}", "it has no steps"},
    {"{\"steps\": {}, \"answer\": \"\\\\boxed{4}\"}", "are not a list"},
    {"{\"steps\": [\"One.\"], \"answer\": \"\\\\boxed{4}\"}", "step 1 is not an object"},
    {"{\"steps\": [" ONE ", {\"text\": 2" V "}], \"answer\": \"\\\\boxed{4}\"}", "step 2 has no \"text\""},
    {TEXT_OF(" \\n "), "step 1 is empty"},
    {TEXT_OF("### Step 1."), "step 1 is empty"},
    {"{\"steps\": [{\"text\": \"One.\"}], \"answer\": \"\\\\boxed{4}\"}", "category of its step 1 is none of the four"},
    {"{\"steps\": [{\"text\": \"One.\", \"category\": \"guess\"}], \"answer\": \"\\\\boxed{4}\"}", "none of the four"},
    {"{\"steps\": [{\"text\": \"One.\", \"category\": null}], \"answer\": \"\\\\boxed{4}\"}", "none of the four"},
    {"{\"steps\": [" ONE "]}", "has no \"answer\""},
    {"{\"steps\": [" ONE "], \"answer\": {\"value\": 4}}", "neither a text nor a number"},
    {"{\"steps\": [" ONE "], \"answer\": null}", "neither a text nor a number"},
    {TEXT_OF("Six sevens.\\n</think> It closes."), "step 1 holds </think>"},
    {"{\"steps\": [" ONE "], \"answer\": \"Paul has four of them.\"}", "has no \\boxed{}"},
    {"{\"steps\": [" ONE "], \"answer\": \"Paris\"}", "has no \\boxed{}"},
    {"{\"steps\": [" ONE "], \"answer\": \"4\\n5\"}", "has no \\boxed{}"},
    {"{\"steps\": [" ONE "], \"answer\": \"\"}", "has no \\boxed{}"},
    {"{\"steps\": [" ONE "], \"answer\": \"\\\\boxed{}\"}", "has no \\boxed{}"},
    {"{\"steps\": [" ONE "], \"answer\": \"\\\\boxed{4\"}", "has no \\boxed{}"},
    {"{\"steps\": [" ONE ", \"answer\": \"\\\\boxed{4}\"}", "closes another kind of bracket"},
    {"{\"steps\": [" ONE "], \"answer\": \"\\\\boxed{4}", "does not come to an end"},
    {"{\"steps\": [" ONE, "does not come to an end"}, /* two brackets are missing */
    {"{\"steps\": [" ONE "] \"answer\": \"\\\\boxed{4}\"}", "malformed"},
    {"{\"steps\": [" ONE "], \"answer\": \"\\\\boxed{4}\", \"steps\": [" ONE "]}", "malformed"}, /* which of the two? */
    {"{\"steps\": [" ONE "], 'answer': '\\\\boxed{4}'}", "malformed"},
    {"{\"steps\": [" ONE ",,], \"answer\": \"\\\\boxed{4}\"}", "malformed"},
    {TEXT_OF("a\\u0000b"), "malformed"},
    {TEXT_OF("\xff"), "UTF-8"},
    {REPLY "\nor better:\n" TEXT_OF("Two."), "two JSON objects"},
    {REPLY "</think>", "there is no JSON object"},
    {"<think>Perhaps " REPLY " or not", "did not come to an end of its thinking"},
};

static void what_is_safe_is_mended(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof mended / sizeof *mended; i++) {
        struct integrated merged;
        cord_error err = {0};
        cord_status status = integration_read(text_of(mended[i].reply), false, false, &arena, &merged, &err);
        if (!mended[i].text) {
            assert_int_equal(status, CORD_BAD_INPUT);
            continue;
        }
        if (status != CORD_OK) fail_msg("refused: %s\n%s", err.message, mended[i].reply);
        assert_text(merged.steps[0].text, mended[i].text);
        assert_text(merged.answer, mended[i].answer);
    }
    arena_release(&arena);
}

/* Headings are cord's to write, so each makes a step. */
static void headings_inside_a_step_divide_it(void **state) {
    (void)state;
    static const char *const texts[] = {"Add.", "Get 7 of step 2, # 3.", "Twice\n##is 14."};
    struct integrated merged;
    struct arena arena;
    arena_init(&arena);
    const char *reply = "{\"steps\": [{\"text\": \"### Step 1. Add.\\n\\n### Step 2. Get 7 of step 2, # 3.\"" V
                        "}, {\"text\": \"# Step 2: Twice\\n##is 14.\"" V "}], \"answer\": \"\\\\boxed{14}\"}";
    assert_int_equal(integration_read(text_of(reply), false, false, &arena, &merged, NULL), CORD_OK);
    assert_int_equal(merged.n, 3);
    for (int i = 0; i < 3; i++) assert_text(merged.steps[i].text, texts[i]);
    arena_release(&arena);
}

/* A draft in a thinking that the prompt has opened is none; behind the end of it there is one. */
static void drafts_are_refused(void **state) {
    (void)state;
    struct arena arena;
    struct integrated merged;
    cord_error refusal = {0};
    arena_init(&arena);
    assert_int_equal(integration_read(TEXT("Perhaps " REPLY), true, true, &arena, &merged, &refusal), CORD_BAD_INPUT);
    assert_non_null(strstr(refusal.message, "did not come to an end of its thinking"));
    assert_int_equal(integration_read(TEXT(REPLY), false, true, &arena, &merged, NULL), CORD_BAD_INPUT);
    assert_ok(integration_read(TEXT("Perhaps " REPLY " or not.</think>" REPLY), false, true, &arena, &merged, err));
    arena_release(&arena);
}

static void what_is_not_is_refused(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct integrated merged;
        cord_error err = {0};
        cord_status status = integration_read(text_of(refused[i].reply), false, false, &arena, &merged, &err);
        if (status != CORD_BAD_INPUT || !strstr(err.message, refused[i].why))
            fail_msg("wanted '%s', got '%s' for\n%s", refused[i].why, err.message, refused[i].reply);
    }
    arena_release(&arena);
}

/* Whatever is cut off at whatever place, it is refused, unless the object was whole; and nothing is read beyond the end. */
static void what_was_cut_is_refused(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena);
    const char *whole = "So: " TEXT_OF("\\frac12 and \\u00e9") " fine";
    size_t end = (size_t)(strrchr(whole, '}') - whole) + 1;
    for (size_t len = 0; len <= strlen(whole); len++) {
        struct integrated merged;
        char *copy = malloc(len + 1); /* so that a sanitizer sees the end */
        memcpy(copy, whole, len);
        cord_status status = integration_read((cord_text){copy, len}, true, false, &arena, &merged, NULL);
        assert_int_equal(status, len < end ? CORD_BAD_INPUT : CORD_OK);
        status = integration_read((cord_text){copy, len}, false, false, &arena, &merged, NULL);
        assert_int_equal(status, len < end - 1 ? CORD_BAD_INPUT : CORD_OK); /* but for its last bracket */
        free(copy);
    }
    arena_release(&arena);
}

/* Bytes changed, dropped and doubled at random: it says yes or no, and what it takes has steps, categories and a box. */
static void spoiled_replies_do_no_harm(void **state) {
    (void)state;
    struct rng rng;
    int taken = 0;
    rng_init(&rng, 7);
    for (int round = 0; round < 20000; round++) {
        char text[400];
        const char *from = mended[rng_next(&rng) % (sizeof mended / sizeof *mended)].reply;
        size_t len = strlen(from);
        assert_true(len + 8 < sizeof text);
        snprintf(text, sizeof text, "%s", from);
        for (int i = 0; i < 4 && len; i++) {
            size_t at = rng_next(&rng) % len;
            switch (rng_next(&rng) % 3) {
            case 0: text[at] = "{}[],\"\\:\n a1"[rng_next(&rng) % 12]; break;
            case 1: memmove(text + at, text + at + 1, --len - at); break;
            default: memmove(text + at + 1, text + at, len++ - at); break;
            }
            if (rng_next(&rng) % 2) break;
        }
        char *copy = malloc(len + 1);
        memcpy(copy, text, len);
        struct arena arena;
        struct integrated merged;
        arena_init(&arena);
        if (integration_read((cord_text){copy, len}, round % 2, false, &arena, &merged, NULL) == CORD_OK) {
            taken++;
            assert_true(merged.n >= 1);
            for (int i = 0; i < merged.n; i++) assert_true(merged.steps[i].text.len && merged.steps[i].category);
            assert_true(has(merged.answer, "boxed"));
        }
        arena_release(&arena);
        free(copy);
    }
    assert_true(taken > 1000 && taken < 19000);
}

/* ---- searches -------------------------------------------------------------------------------------------------- */

static double judge(struct world *w, cord_text reasoning) {
    if (w->script == 9 && has(reasoning, "Merged")) return (double)NAN;
    return -(double)(seed_text(3, reasoning) % 16) / 8;
}

/* Three steps each; script: how often the integrator is refused before it is not. */
static void talk(struct world *w, const struct asked *asked, struct said *said) {
    int tries = 0;
    for (const char *at = w->log.data; at && (at = strstr(at, "Merge: ")); at++) tries++;
    if (asked->integrates && (uint64_t)tries <= w->script && w->script < 9)
        say(said, STEP_TURN, tries == 2 ? "I will not." : "{\"steps\": []}");
    else if (asked->integrates)
        say(said, STEP_TURN,
            "{\"steps\": [{\"text\": \"### Step 1. Merged.\", \"category\": \"progressive reasoning\"}, {\"text\": "
            "\"And "
            "checked.\", \"category\": \"verification\"},], \"answer\": \"It is \\boxed{42}\"}");
    else if (asked->answer)
        fail_msg("somebody was asked for an answer");
    else
        say(said, has(asked->reasoning, "Step 3.") ? STEP_CLOSED : STEP_NEXT, " Said by %d, %llx.\n", asked->teacher,
            (unsigned long long)asked->seed % 4096);
}

static struct world *merging(uint64_t script, int n_teachers, int runs, int tries) {
    struct world *w = world_new(n_teachers, 1);
    w->script = script;
    w->reply = talk;
    w->score = judge;
    w->settings.runs = runs;
    world_integrate(w, tries);
    return w;
}

static void the_merged_trace_alone_is_answered(void **state) {
    (void)state;
    struct world *w = merging(0, 2, 2, 3);
    world_succeeds(w);
    assert_int_equal(w->n_rounds, 4);
    assert_int_equal(w->rounds[2].n_beam, 4); /* the traces stay in the journal's rounds, unscored */
    for (int i = 0; i < 4; i++) assert_true(isnan(w->rounds[2].beam[i].log_score));
    const struct round *last = &w->rounds[3];
    assert_int_equal(last->n_candidates, 1);
    assert_int_equal(last->n_beam, 1);
    assert_int_equal(last->candidates[0].parent, -1);
    assert_int_equal(last->candidates[0].teacher, 2);
    assert_int_equal(w->n_finished, 1);
    const struct answered *a = &w->finished[0];
    assert_text(a->trajectory.reasoning, "### Step 1. Merged.\n\n### Step 2. And checked.");
    assert_int_equal(a->trajectory.author, 2);
    assert_int_equal(a->trajectory.from, -1);
    assert_int_equal(a->trajectory.n_steps, 2);
    assert_text(a->trajectory.last->text, " And checked.");
    assert_string_equal(a->trajectory.last->category, "verification");
    assert_string_equal(a->trajectory.last->previous->category, "progressive reasoning");
    assert_true(a->trajectory.log_score == judge(w, a->trajectory.reasoning));
    assert_text(a->reply, "It is \\boxed{42}");
    assert_int_equal(a->grade, GRADE_CORRECT);
    world_free(w);
}

/* The gold stands nowhere in what the integrator is sent, the whole traces do, each in its own tag. */
static void the_integrator_sees_the_traces_and_not_the_gold(void **state) {
    (void)state;
    struct world *w = merging(0, 2, 2, 3);
    w->search.gold = w->search.target = TEXT("GOLDEN");
    world_succeeds(w);
    const char *asked = strstr(w->log.data, "Merge: ");
    cord_text prompt = {asked, (size_t)(strstr(asked, "\nscore ") - asked)};
    assert_true(text_starts(prompt, TEXT("Merge: What is 6 x 7?\n<trace_1>\n### Step 1. Said by 0")));
    assert_false(has(prompt, "GOLDEN"));
    for (int i = 0; i < 4; i++) {
        char *tagged =
            arena_printf(&w->arena, "<trace_%d>\n%s\n</trace_%d>", i + 1, w->rounds[2].beam[i].reasoning.data, i + 1);
        assert_true(has(prompt, tagged));
    }
    assert_false(has(prompt, "<trace_5>"));
    world_free(w);
}

static void a_refused_reply_is_a_round_and_is_asked_for_again(void **state) {
    (void)state;
    struct world *w = merging(2, 1, 2, 3);
    world_succeeds(w);
    assert_int_equal(w->n_rounds, 3 + 3);
    static const char *const why[] = {"refused: it has no steps", "refused: there is no JSON object in it", NULL};
    for (int i = 0; i < 3; i++) {
        const struct round *round = &w->rounds[3 + i];
        const struct candidate *c = &round->candidates[0];
        assert_int_equal(c->drop, why[i] ? DROP_FAILED : DROP_NONE);
        if (why[i]) assert_string_equal(c->drop_why, why[i]);
        assert_int_equal(round->n_beam, why[i] ? 2 : 1);
        if (i) assert_true(c->seed != round[-1].candidates[0].seed);
    }
    assert_text(w->rounds[3].candidates[0].step, "{\"steps\": []}"); /* what it said is there to be looked at */
    world_free(w);
}

static void refused_too_often_the_problem_fails(void **state) {
    (void)state;
    static const struct {
        uint64_t script;
        int tries;
        const char *why;
    } cases[] = {
        {8, 1, "the integrator gave no trace in 1 try; the last time it was refused: it has no steps"},
        {8, 2, "the integrator gave no trace in 2 tries; the last time it was refused: there is no JSON object in it"},
        {9, 3, "the integrator gave no trace in 3 tries; the last time it was not scored: teacher 4 cannot take it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *w = merging(cases[i].script, 1, 1, cases[i].tries);
        assert_int_equal(world_run(w), CORD_BAD_INPUT);
        assert_string_equal(w->error.message, cases[i].why);
        assert_int_equal(w->n_rounds, 3 + cases[i].tries);
        assert_int_equal(w->n_ends, 0);

        struct world *again = merging(cases[i].script, 1, 1, cases[i].tries); /* stopped before that was noted */
        const struct round *last = &w->rounds[w->n_rounds - 1];
        again->search.state = (struct search_state){.started = true,
                                                    .log_s0 = w->log_s0,
                                                    .round = w->n_rounds,
                                                    .beam = last->beam,
                                                    .n_beam = last->n_beam,
                                                    .anew = cases[i].tries,
                                                    .refused = last->candidates[0].drop_why};
        assert_int_equal(world_run(again), CORD_BAD_INPUT);
        assert_string_equal(again->error.message, cases[i].why);
        assert_int_equal(again->calls, 0);
        world_free(again);
        world_free(w);
    }
}

/* With other segmentations no heading is written. */
static void merged_steps_are_headed_as_all_are(void **state) {
    (void)state;
    struct world *w = merging(0, 1, 1, 1);
    world_segment(w, SEGMENTATION_LINE_BREAK);
    w->styles[1].think_open = (cord_text){"", 0};
    w->settings.think_tokens = 8;
    world_succeeds(w);
    const struct trajectory *t = &w->finished[0].trajectory;
    assert_text(t->reasoning, "Merged.\n\nAnd checked.");
    assert_text(t->last->previous->text, "Merged.\n\n");
    world_free(w);

    w = merging(0, 1, 1, 1);
    w->styles[TEACHERS].marker = TEXT("### Step"); /* the paper's: the number is the step's own */
    world_succeeds(w);
    t = &w->finished[0].trajectory;
    assert_text(t->reasoning, "### Step 1. Merged.\n\n### Step 2. And checked.");
    assert_text(t->last->text, " 2. And checked.");
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_safe_is_mended),
        cmocka_unit_test(headings_inside_a_step_divide_it),
        cmocka_unit_test(what_is_not_is_refused),
        cmocka_unit_test(drafts_are_refused),
        cmocka_unit_test(what_was_cut_is_refused),
        cmocka_unit_test(spoiled_replies_do_no_harm),
        cmocka_unit_test(the_merged_trace_alone_is_answered),
        cmocka_unit_test(the_integrator_sees_the_traces_and_not_the_gold),
        cmocka_unit_test(a_refused_reply_is_a_round_and_is_asked_for_again),
        cmocka_unit_test(refused_too_often_the_problem_fails),
        cmocka_unit_test(merged_steps_are_headed_as_all_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
