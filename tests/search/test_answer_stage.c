/* test_answer_stage.c - who writes the final answers, from what text, and how they are graded. */
#include "script.h"

#include <signal.h>

/* Round 1: four teachers, each with a trajectory of its own that it closes. */
static void close_at_once(const struct asked *asked, struct said *said) {
    say(said, STEP_CLOSED, " Teacher%d. \n", asked->teacher);
}

/* Teacher 0 is right, 1 wrong, 2 silent, 3 beyond comparison. */
static void answer(struct world *w, const struct asked *asked, struct said *said) {
    static const char *const replies[] = {"42}.\n", "41}", "", "a lot}"};
    (void)w;
    if (asked->answer)
        say(said, STEP_TURN, "%s", replies[asked->teacher]);
    else
        close_at_once(asked, said);
}

/* The higher a teacher's number, the better. */
static double by_number(struct world *w, cord_text reasoning) {
    (void)w;
    return reasoning.len ? -10 + (reasoning.data[reasoning.len - 2] - '0') : -10;
}

static struct world *answering(void (*reply)(struct world *, const struct asked *, struct said *)) {
    struct world *w = world_new(4, 4);
    w->reply = reply;
    w->score = by_number;
    w->settings.answer_temperature = 0.125f;
    w->search.target = TEXT("forty-two"); /* what is scored is not what answers are graded against */
    w->styles[3].answer_open = TEXT("I say \\boxed{");
    world_succeeds(w);
    assert_int_equal(w->n_rounds, 1);
    assert_int_equal(w->n_finished, 4);
    return w;
}

static void each_answer_has_its_grade_and_the_best_comes_first(void **state) {
    (void)state;
    static const struct {
        enum grade grade;
        const char *answer, *reply;
    } want[] = {
        {GRADE_UNDECIDED, "a lot", "I say \\boxed{a lot}"},
        {GRADE_NO_ANSWER, "", "The final answer is \\boxed{"},
        {GRADE_WRONG, "41", "The final answer is \\boxed{41}"},
        {GRADE_CORRECT, "42", "The final answer is \\boxed{42}."},
    };
    struct world *w = answering(answer);
    for (int i = 0; i < 4; i++) {
        const struct answered *a = &w->finished[i];
        assert_int_equal(a->trajectory.author, 3 - i);
        assert_true(a->trajectory.log_score == -10 + (3 - i));
        assert_int_equal(a->grade, want[i].grade);
        assert_text(a->answer, want[i].answer);
        assert_text(a->reply, want[i].reply);
        assert_true(a->why && *a->why);
        assert_true(a->prompt_tokens > 0);
    }
    world_free(w);
}

/* The prompt of an answer is its author's own, the reasoning without blanks at its end, and the style's closing texts,
 * which alone may become special tokens; it is drawn at the answer's temperature, with no stop strings. */
static void the_author_writes_after_its_own_prompt(void **state) {
    (void)state;
    struct world *w = answering(answer);
    for (int k = 0; k < 4; k++) {
        char *want =
            arena_printf(&w->arena,
                         "max 9 temperature 0.125 top_p 0.9 stops 0 group %016llx: <%d>What is 6 x 7?</%d><think>\n"
                         "### Step 1. Teacher%d.\n</think>\n\n%s \\boxed{\n",
                         (unsigned long long)w->search.group, k, k, k, k < 3 ? "The final answer is" : "I say");
        char *asked = strstr(w->log.data, want);
        assert_non_null(asked);
        assert_null(strstr(asked + 1, want)); /* once */
    }
    world_free(w);
}

static void answer_only_one(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    if (!asked->answer)
        close_at_once(asked, said);
    else if (asked->teacher == 2)
        say(said, STEP_TURN, "42}");
}

static void an_answer_that_fails_leaves_the_trajectory(void **state) {
    (void)state;
    struct world *w = answering(answer_only_one);
    for (int i = 0; i < 4; i++) {
        bool good = w->finished[i].trajectory.author == 2;
        assert_int_equal(w->finished[i].grade, good ? GRADE_CORRECT : GRADE_NO_ANSWER);
        if (!good) assert_non_null(strstr(w->finished[i].why, "cannot take it"));
        if (!good) assert_int_equal(w->finished[i].reply.len + w->finished[i].answer.len, 0);
    }
    world_free(w);
}

static void answer_all_alike(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    if (asked->answer)
        say(said, STEP_TURN, "42}");
    else
        close_at_once(asked, said);
}

enum { ANSWERING = 4 }; /* the call of the engine: S_0, the proposals and their scores come before */

/* A server that refuses the answer of one trajectory leaves the others theirs. */
static void a_refused_answer_that_is_not_the_best_is_none(void **state) {
    (void)state;
    struct world *w = world_new(4, 4);
    w->reply = answer_all_alike;
    w->score = by_number;
    w->away_call = ANSWERING; /* its last request, the worst trajectory's */
    w->away_code = CORD_BAD_INPUT;
    world_succeeds(w);
    for (int i = 0; i < 4; i++) assert_int_equal(w->finished[i].grade, i < 3 ? GRADE_CORRECT : GRADE_NO_ANSWER);
    assert_non_null(strstr(w->finished[3].why, "cannot take it"));
    world_free(w);
}

/* That of the best: the problem has failed, with all rounds told, so that a search which is taken up there asks for answers
 * alone. */
static void a_refused_answer_of_the_best_fails_the_problem(void **state) {
    (void)state;
    struct world *w = world_new(1, 1);
    w->reply = answer_all_alike;
    w->score = by_number;
    w->away_call = ANSWERING;
    w->away_code = CORD_BAD_INPUT;
    assert_int_equal(world_run(w), CORD_BAD_INPUT);
    assert_non_null(strstr(w->error.message, "the answer could not be written: teacher 0 cannot take it"));
    assert_int_equal(w->n_rounds, 1);
    assert_int_equal(w->n_ends, 0);
    w->search.state = (struct search_state){
        .started = true, .log_s0 = w->log_s0, .round = 1, .beam = w->rounds[0].beam, .n_beam = w->rounds[0].n_beam};
    w->away_call = 0;
    w->error = (cord_error){0};
    assert_int_equal(world_run(w), CORD_OK);
    assert_int_equal(w->calls, ANSWERING + 1);
    assert_int_equal(w->n_ends, 1);
    assert_int_equal(w->finished[0].grade, GRADE_CORRECT);
    world_free(w);
}

static void cut_at_the_end(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    if (asked->answer)
        say(said, STEP_TURN, "42}");
    else
        say(said, STEP_CUT, " Teacher%d. \n", asked->teacher);
}

static void blanks_before_the_closing_tag_are_cut(void **state) {
    (void)state;
    struct world *w = world_new(1, 1);
    w->reply = cut_at_the_end;
    w->score = by_number;
    w->settings.think_tokens = 3;
    world_succeeds(w);
    assert_int_equal(w->finished[0].trajectory.finish, FINISHED_BUDGET);
    assert_non_null(strstr(w->log.data, "<think>\n### Step 1. Teacher0.\n</think>\n\n"));
    world_free(w);
}

static void closes_in_time(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    if (asked->answer)
        say(said, STEP_TURN, "42}");
    else
        say(said, asked->teacher == 1 ? STEP_CLOSED : STEP_NEXT, " Teacher%d%d.", asked->nth, asked->teacher);
}

/* With the option, the first to finish ends the search, and only who finished answers. */
static void only_the_finished_answer(void **state) {
    (void)state;
    struct world *w = world_new(2, 4);
    w->reply = closes_in_time;
    w->score = by_number;
    w->settings.stop_at_first_finished = true;
    w->settings.beam = 8;
    world_succeeds(w);
    assert_int_equal(w->n_rounds, 1);
    assert_int_equal(w->rounds[0].n_beam, 8);
    assert_int_equal(w->n_finished, 8);
    for (int i = 0; i < 8; i++) assert_int_equal(w->finished[i].trajectory.author, 1);
    world_free(w);
}

/* ---- other graders --------------------------------------------------------------------------------------------- */

static void answer_without_a_box(struct world *w, const struct asked *asked, struct said *said) {
    static const char *const replies[] = {"42", "It is forty-two", "", "six times seven}"};
    (void)w;
    if (asked->answer)
        say(said, STEP_TURN, "%s", replies[asked->teacher]);
    else
        close_at_once(asked, said);
}

static bool stopped;
static bool is_stopped(void) { return stopped; }

static struct world *graded_by_command(const char *command) {
    struct world *w = world_new(4, 4);
    const struct grading settings = {.by = GRADER_COMMAND, .command = command, .seconds = 20};
    w->reply = answer_without_a_box;
    w->score = by_number;
    for (int k = 0; k < 3; k++) w->styles[k].answer_open = TEXT("");
    assert_ok(grader_open(&w->grader, &settings, NULL, is_stopped, err));
    return w;
}

/* A program gets the question, the gold answer and the reply; where no final answer is found, the reply is the answer. */
static void a_command_reads_whole_replies(void **state) {
    (void)state;
    static const char why[] = "Qquestion:What is 6 x 7?,gold:42,answer:%s,reply:%sQ";
    static const struct {
        enum grade grade;
        const char *answer, *reply;
    } want[] = {
        {GRADE_CORRECT, "six times seven", "The final answer is BBboxed{six times seven}"},
        {GRADE_NO_ANSWER, "", ""},
        {GRADE_CORRECT, "It is forty-two", "It is forty-two"},
        {GRADE_CORRECT, "42", "42"},
    };
    struct world *w =
        graded_by_command("sed -u 's/\"//g; s/\\\\/B/g; s/^{\\(.*\\)}$/{\"verdict\":\"equal\",\"why\":\"Q\\1Q\"}/'");
    world_succeeds(w);
    for (int i = 0; i < 4; i++) {
        const struct answered *a = &w->finished[i];
        if (a->grade != want[i].grade) fail_msg("%d is %s (%s)", i, grade_name(a->grade), a->why);
        assert_text(a->answer, want[i].answer);
        char all[200];
        snprintf(all, sizeof all, why, want[i].answer, want[i].reply);
        assert_string_equal(a->why, want[i].grade == GRADE_CORRECT ? all : "the reply holds no answer");
    }
    grader_close(&w->grader);
    world_free(w);
}

static void a_commands_failure_is_undecided(void **state) {
    (void)state;
    struct world *w = graded_by_command("exit 3");
    world_succeeds(w);
    for (int i = 0; i < 4; i++) assert_int_equal(w->finished[i].grade, i == 1 ? GRADE_NO_ANSWER : GRADE_UNDECIDED);
    assert_string_equal(w->finished[0].why, "the grader's command ended with status 3 without an answer");
    grader_close(&w->grader);
    world_free(w);
}

/* Stopped while a program is waited for: nothing is told of the end, so that a resumed search answers again. */
static void a_search_can_be_stopped_while_it_grades(void **state) {
    (void)state;
    struct world *w = graded_by_command("sleep 1000");
    stopped = true;
    assert_int_equal(world_run(w), CORD_CANCELLED);
    assert_int_equal(w->n_rounds, 1);
    assert_int_equal(w->n_ends, 0);
    stopped = false;
    grader_close(&w->grader);
    world_free(w);
}

static void texts_are_compared_as_texts(void **state) {
    (void)state;
    struct world *w = world_new(4, 4);
    w->reply = answer;
    w->score = by_number;
    w->grader.settings.by = GRADER_TEXT;
    w->search.gold = TEXT("42.0");
    world_succeeds(w);
    static const enum grade want[] = {GRADE_WRONG, GRADE_NO_ANSWER, GRADE_WRONG, GRADE_WRONG};
    for (int i = 0; i < 4; i++) assert_int_equal(w->finished[i].grade, want[i]);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_grade_and_the_best_comes_first),
        cmocka_unit_test(the_author_writes_after_its_own_prompt),
        cmocka_unit_test(an_answer_that_fails_leaves_the_trajectory),
        cmocka_unit_test(a_refused_answer_that_is_not_the_best_is_none),
        cmocka_unit_test(a_refused_answer_of_the_best_fails_the_problem),
        cmocka_unit_test(blanks_before_the_closing_tag_are_cut),
        cmocka_unit_test(only_the_finished_answer),
        cmocka_unit_test(a_command_reads_whole_replies),
        cmocka_unit_test(a_commands_failure_is_undecided),
        cmocka_unit_test(a_search_can_be_stopped_while_it_grades),
        cmocka_unit_test(texts_are_compared_as_texts),
    };
    signal(SIGPIPE, SIG_IGN); /* as main.c does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
