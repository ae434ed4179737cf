/* test_selection.c - picking among given traces: nobody writes, all is scored in one call, the answers that traces came with
 * are graded, and steps are found where the segmentation says. */
#include "script.h"

/* For constants: TEXT is no initialiser of its own. */
#define TEXT_INIT(literal) \
    { "" literal, sizeof(literal) - 1 }

static void nobody_is_asked(struct world *w, const struct asked *asked, struct said *said) {
    (void)w, (void)asked, (void)said;
    fail_msg("somebody was asked to write");
}

/* A trace is as good as it is long. "unscorable" is not scored. */
static double by_length(struct world *w, cord_text reasoning) {
    (void)w;
    return has(reasoning, "unscorable") ? (double)NAN : -1.0 / (1.0 + (double)reasoning.len);
}

static struct world *given(const struct given_trace *traces, int n) {
    struct world *w = world_new(2, 1);
    w->reply = nobody_is_asked;
    w->score = by_length;
    w->settings.strategy = STRATEGY_SELECTION;
    w->teachers[0] = (struct teacher){.name = "ada"};
    w->teachers[1] = (struct teacher){.name = "bob"};
    w->search.given = traces;
    w->search.n_given = n;
    return w;
}

/* ---- picking --------------------------------------------------------------------------------------------------- */

static const struct given_trace some[] = {
    {0, 0, TEXT_INIT("Six sevens are 42."), TEXT_INIT("So \\boxed{42}.")},
    {1, 0, TEXT_INIT("Six sevens are forty-one, which I have counted on my fingers."), TEXT_INIT("\\boxed{41}")},
    {1, 1, TEXT_INIT(" \n"), TEXT_INIT("\\boxed{42}")},
    {0, 1, TEXT_INIT("Six sevens are 42.\n"), TEXT_INIT("So \\boxed{42}.")},
    {0, 2, TEXT_INIT("This is unscorable."), TEXT_INIT("\\boxed{42}")},
    {1, 2, TEXT_INIT("The answer is 42."), {0}},
    {0, 3, TEXT_INIT("I do not know."), {0}},
};
enum { SOME = sizeof some / sizeof *some };

static const struct answered *by_text(const struct world *w, const char *text) {
    for (int i = 0; i < w->n_finished; i++)
        if (has(w->finished[i].trajectory.reasoning, text)) return &w->finished[i];
    return NULL;
}

static void traces_are_scored_at_once_and_ranked(void **state) {
    (void)state;
    struct world *w = given(some, SOME);
    world_succeeds(w);
    assert_int_equal(w->calls, 2); /* S_0, and all traces */
    assert_int_equal(w->n_scored, SOME - 2);
    assert_int_equal(w->n_rounds, 1);
    assert_int_equal(w->rounds[0].n_candidates, SOME);
    static const enum step_drop drops[SOME] = {DROP_NONE,   DROP_NONE, DROP_EMPTY, DROP_DUPLICATE,
                                               DROP_FAILED, DROP_NONE, DROP_NONE};
    for (int i = 0; i < SOME; i++) {
        const struct candidate *c = &w->rounds[0].candidates[i];
        assert_int_equal(c->drop, drops[i]);
        assert_int_equal(c->teacher, some[i].teacher);
        assert_int_equal(c->sample, some[i].sample);
        assert_int_equal(c->new_tokens, 0);
        assert_int_equal(c->slot >= 0, drops[i] == DROP_NONE);
        if (c->drop == DROP_FAILED) assert_non_null(strstr(c->drop_why, "not scored: teacher 4 cannot take it"));
    }
    assert_int_equal(w->n_finished, 4); /* the longest is the best here, and it is wrong */
    for (int i = 1; i < w->n_finished; i++)
        assert_true(w->finished[i - 1].trajectory.log_score >= w->finished[i].trajectory.log_score);
    assert_true(has(w->finished[0].trajectory.reasoning, "fingers"));
    assert_int_equal(w->finished[0].grade, GRADE_WRONG);
    assert_int_equal(w->finished[0].trajectory.author, 1);
    assert_int_equal(w->finished[0].trajectory.finish, FINISHED_CLOSED);
    world_free(w);
}

static void a_trace_without_a_reply_says_what_is_found_in_it(void **state) {
    (void)state;
    struct world *w = given(some, SOME);
    world_succeeds(w);
    const struct answered *said = by_text(w, "The answer is"), *silent = by_text(w, "do not know");
    assert_text(said->reply, "\\boxed{42}");
    assert_text(said->answer, "42");
    assert_int_equal(said->grade, GRADE_CORRECT);
    assert_int_equal(silent->reply.len, 0);
    assert_int_equal(silent->grade, GRADE_NO_ANSWER);
    assert_text(by_text(w, "Six sevens are 42")->reply, "So \\boxed{42}.");
    world_free(w);
}

/* "42" in a field of its own is the answer, whose box can only be around it; of a sentence it is not certain what is. */
static void a_bare_answer_is_an_answer(void **state) {
    (void)state;
    static const struct {
        const char *reply, *kept, *answer;
        enum grade grade;
    } cases[] = {{"42", "\\boxed{42}", "42", GRADE_CORRECT},
                 {" $42$ \n", "\\boxed{$42$}", "$42$", GRADE_CORRECT},
                 {"42.", "\\boxed{42.}", "42.", GRADE_CORRECT},
                 {"21600 pounds", "\\boxed{21600 pounds}", "21600 pounds", GRADE_WRONG},
                 {"Paris", "\\boxed{Paris}", "Paris", GRADE_WRONG},
                 {"The answer is 42.", "The answer is 42.", "42", GRADE_CORRECT},
                 {"I have no idea what it is", "I have no idea what it is", "", GRADE_NO_ANSWER},
                 {"I give up.", "I give up.", "", GRADE_NO_ANSWER},
                 {"Six sevens\nare 42", "Six sevens\nare 42", "", GRADE_NO_ANSWER}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct given_trace one = {0, 0, TEXT("Six sevens."), text_of(cases[i].reply)};
        struct world *w = given(&one, 1);
        world_succeeds(w);
        assert_text(w->finished[0].reply, cases[i].kept);
        assert_text(w->finished[0].answer, cases[i].answer);
        if (w->finished[0].grade != cases[i].grade &&
            !(cases[i].grade == GRADE_WRONG && w->finished[0].grade == GRADE_UNDECIDED))
            fail_msg("'%s' is graded %s", cases[i].reply, grade_name(w->finished[0].grade));
        world_free(w);
    }
}

static void correct_ones_can_go_first(void **state) {
    (void)state;
    struct world *w = given(some, SOME);
    w->settings.correct_first = true;
    world_succeeds(w);
    assert_text(w->finished[0].trajectory.reasoning, "Six sevens are 42."); /* longer than the other correct one */
    assert_text(w->finished[1].trajectory.reasoning, "The answer is 42.");
    assert_int_equal(w->finished[2].grade, GRADE_WRONG);
    world_free(w);
}

/* S of an answer by who scores; the contrast is what most of a problem's own traces say, and is journaled. */
static double by_target(struct world *w, int who, cord_text reasoning, cord_text target) {
    (void)who;
    double more = text_equal(target, TEXT("42")) ? 1 : text_equal(target, TEXT("41")) ? 2 : 4;
    return more * by_length(w, reasoning);
}

static void a_contrast_is_the_commonest_wrong_answer_of_the_traces(void **state) {
    (void)state;
    static const struct given_trace traces[] = {
        {0, 0, TEXT_INIT("Right."), TEXT_INIT("\\boxed{42}")}, {0, 1, TEXT_INIT("Wrong."), TEXT_INIT("\\boxed{41}")},
        {0, 2, TEXT_INIT("Other."), TEXT_INIT("\\boxed{7}")},  {0, 3, TEXT_INIT("Other."), TEXT_INIT("\\boxed{7}")},
        {1, 0, TEXT_INIT("The answer is 41.0."), {0}},         {1, 1, TEXT_INIT(" "), TEXT_INIT("\\boxed{7}")},
    };
    struct world *w = given(traces, 6); /* 7 is there once: the others are its double, and an empty one */
    world_judge(w, "contrast");
    w->score_as = by_target;
    world_succeeds(w);
    assert_text(w->contrast, "41");
    for (int i = 0; i < w->n_finished; i++) {
        const struct trajectory *t = &w->finished[i].trajectory;
        assert_true(fabs(t->log_score + by_length(w, t->reasoning)) < 1e-12); /* once less twice */
    }
    world_free(w);
    w = given(traces, 1); /* none is wrong */
    world_judge(w, "contrast");
    w->score_as = by_target;
    world_succeeds(w);
    assert_int_equal(w->contrast.len, 0);
    assert_true(w->finished[0].trajectory.log_score == by_length(w, TEXT("Right.")));
    world_free(w);
}

static void without_a_trace_the_problem_fails(void **state) {
    (void)state;
    static const struct given_trace blank = {0, 0, TEXT_INIT(" "), {0}}, odd = {0, 0, TEXT_INIT("unscorable"), {0}};
    const struct given_trace *const all[] = {&blank, &odd};
    static const char *const why[] = {
        "no trace can be used: every candidate of round 1 was empty, repeated or degenerate",
        "no trace can be used: not scored: teacher 4 cannot take it"};
    for (int i = 0; i < 2; i++) {
        struct world *w = given(all[i], 1);
        assert_int_equal(world_run(w), CORD_BAD_INPUT);
        assert_string_equal(w->error.message, why[i]);
        assert_int_equal(w->n_rounds, 1);
        world_free(w);
    }
}

/* ---- steps ----------------------------------------------------------------------------------------------------- */

static void steps_of(enum segmentation segmentation, const char *text, const char *const *want) {
    const struct given_trace one = {0, 0, text_of(text), TEXT("\\boxed{42}")};
    struct world *w = given(&one, 1);
    if (segmentation != SEGMENTATION_STEPS) world_segment(w, segmentation);
    world_succeeds(w);
    const struct trajectory *t = &w->finished[0].trajectory;
    int n = 0;
    while (want[n]) n++;
    assert_int_equal(t->n_steps, n);
    const struct step *step = t->last;
    assert_true(step->log_score == t->log_score);
    for (int i = n - 1; i >= 0; i--, step = step->previous) {
        assert_text(step->text, want[i]);
        assert_int_equal(step->teacher, 0);
        assert_true(i == n - 1 || isnan(step->log_score));
    }
    assert_null(step);
    assert_text(t->reasoning, text);
    world_free(w);
}

#define STEPS(...) \
    (const char *const[]) { __VA_ARGS__, NULL }

static void steps_are_found_by_headings_or_blank_lines(void **state) {
    (void)state;
    const enum segmentation steps = SEGMENTATION_STEPS;
    steps_of(steps, "### Step 1. One.\n\n### Step 2: Two,\n\nstill.\n\n### Step 13 Three.",
             STEPS("One.", "Two,\n\nstill.", "Three."));
    steps_of(steps, "Before.\n### Step 1. One ### Step 2. no heading", STEPS("Before.", "One ### Step 2. no heading"));
    steps_of(steps, "One.\n\n \n\nTwo.\n\n\nThree.", STEPS("One.", "Two.", "Three."));
    steps_of(steps, "All in one.\nReally.", STEPS("All in one.\nReally."));
    steps_of(steps, "### Step 1.\n\n### Step 2.", STEPS("### Step 1.\n\n### Step 2."));
    steps_of(SEGMENTATION_LINE_BREAK, "### Step 1. One.\n\nTwo.\n \nThree.",
             STEPS("### Step 1. One.\n\n", "Two.\n \n", "Three."));
    steps_of(SEGMENTATION_PREFIX, "One. Wait, two.\n\nAlternatively, three.",
             STEPS("One.", " Wait, two.\n\n", "Alternatively, three."));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_are_scored_at_once_and_ranked),
        cmocka_unit_test(a_trace_without_a_reply_says_what_is_found_in_it),
        cmocka_unit_test(a_bare_answer_is_an_answer),
        cmocka_unit_test(correct_ones_can_go_first),
        cmocka_unit_test(a_contrast_is_the_commonest_wrong_answer_of_the_traces),
        cmocka_unit_test(without_a_trace_the_problem_fails),
        cmocka_unit_test(steps_are_found_by_headings_or_blank_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
