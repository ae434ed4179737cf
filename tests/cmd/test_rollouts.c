/* test_rollouts.c - rollouts against labels, by hand: good and bad steps, of each kind some that lower the value, that do not,
 * and that could not. No model writes: a table says which answers each state has. What it tests belongs to the program, and
 * is compiled in here. */
#include "support.h"

#include "cmd/dataset.h"
#include "cmd/resume.h"
#include "search/search.h"

static cord_status say_answers(struct search *search, cord_error *err);
static cord_status count_nothing(const cord_model *model, const cord_span *spans, int n, int *tokens, cord_error *err);
#define search_run        say_answers
#define cord_count_tokens count_nothing
#include "cmd/page.c"
#include "cmd/rollouts.c"
#include "cmd/terminal.c"

#include <stdio.h>

/* ---- in place of the program's other files, which open models and runs ------------------------------------------- */

cord_status runs_open(struct runs *runs, const char *const *folders, int n, cord_error *err) {
    (void)runs, (void)folders, (void)n;
    return error_set(err, CORD_INTERNAL, "no run is opened here");
}
void runs_close(struct runs *runs) { (void)runs; }
cord_status session_open(struct session *session, const struct recipe *recipe, size_t longest_question,
                         const cord_ledger *ledger, FILE *log, cord_error *err) {
    (void)session, (void)recipe, (void)longest_question, (void)ledger, (void)log;
    return error_set(err, CORD_INTERNAL, "no model is opened here");
}
void session_close(struct session *session) { (void)session; }
cord_status resume_compare_models(const struct resume *resume, const struct session *session, const char *remedy,
                                  cord_error *err) {
    (void)resume, (void)session, (void)remedy, (void)err;
    return CORD_OK;
}

static cord_status count_nothing(const cord_model *model, const cord_span *spans, int n, int *tokens, cord_error *err) {
    (void)model, (void)spans, (void)n, (void)err;
    *tokens = 0;
    return CORD_OK;
}

/* What is answered behind the first n steps. */
struct state {
    int right, wrong, refused;
};
static const struct state *states;

static cord_status say_answers(struct search *search, cord_error *err) {
    const struct state *state = &states[search->state.n_beam && search->state.beam ? search->state.beam[0].n_steps : 0];
    struct answered answers[16] = {{.refused = false}};
    int n = state->right + state->wrong + state->refused;
    for (int i = 0; i < n; i++) {
        answers[i].grade = i < state->right ? GRADE_CORRECT : i < n - state->refused ? GRADE_WRONG : GRADE_NO_ANSWER;
        answers[i].refused = i >= n - state->refused;
    }
    return search->observer->finished(search->observer->ctx, answers, n, err);
}

/* ---- problems ---------------------------------------------------------------------------------------------------- */

enum { MOST_STEPS = 8 };

/* A problem whose steps change log S so, with these states before them, and whose own answer is right or not. */
static bool compare_one(struct rollouts *out, const double *changes, int n, const struct state *before, bool right) {
    static const struct journal_problem problem = {.id = TEXT("p")};
    const struct answered best = {.grade = right ? GRADE_CORRECT : GRADE_WRONG};
    struct example_step steps[MOST_STEPS] = {{.round = 1}};
    struct step pieces[MOST_STEPS] = {{.round = 1}};
    const struct step *ends[MOST_STEPS];
    struct comparison c = {.margin = 0.125, .out = out, .problem = &problem, .best = &best, .n_steps = n};
    bool counted = false;
    for (int i = 0; i < n; i++) {
        steps[i] = (struct example_step){.text = TEXT("x"), .round = i + 1, .before = -3, .after = -3 + changes[i]};
        pieces[i].round = i + 1;
        ends[i] = &pieces[i];
    }
    c.steps = steps;
    c.ends = ends;
    c.session.n_teachers = 2;
    c.recipe.search.runs = 1;
    states = before;
    arena_init(&c.arena);
    assert_ok(compare_steps(&c, &counted, err));
    arena_release(&c.arena);
    return counted;
}

/* The values are 1/2, 3/4, 1/4, 0, 0, 1/4 and, by its own answer, 0; then 1/2 and 1. A refused answer is none: with them the
 * second value would be 1/2, which is no more than the first. */
static struct rollouts both(void) {
    static const double changes[] = {0.5, -1, -0.125, -0.25, 0, -2}, bad[] = {-1};
    static const struct state first[] = {{2, 2, 0}, {3, 1, 2}, {1, 3, 4}, {0, 4, 0}, {0, 4, 1}, {1, 3, 0}},
                              second[] = {{1, 1, 0}};
    struct rollouts out = {.wanted = 1, .teachers = 2};
    assert_true(compare_one(&out, changes, 6, first, false));
    assert_true(compare_one(&out, bad, 1, second, true));
    return out;
}

static void each_step_is_counted_by_label_and_value(void **state) {
    (void)state;
    const struct rollouts out = both();
    assert_true(out.problems == 2 && out.steps == 7);
    assert_true(out.fell[1][0] == 1 && out.fell[1][1] == 1 && out.lost_before[1] == 1);
    assert_true(out.fell[0][0] == 1 && out.fell[0][1] == 2 && out.lost_before[0] == 1);
    assert_true(out.hopeless[1][1] == 1 && out.hopeless[1][0] == 2);
    assert_true(out.hopeless[0][1] == 2 && out.hopeless[0][0] == 2);
    assert_true(out.change[1] == 0.25 - 0.25 + 0.25 && out.change[0] == -0.5 + 0 - 0.25 + 0.5);
}

static void what_nobody_answered_has_no_value(void **state) {
    (void)state;
    static const double changes[] = {1, 1};
    static const struct state refused[] = {{1, 1, 0}, {0, 0, 2}}, none[] = {{0, 0, 0}, {1, 1, 0}};
    const struct rollouts before = {.wanted = 1, .teachers = 2};
    struct rollouts out = before;
    assert_false(compare_one(&out, changes, 2, refused, true));
    assert_false(compare_one(&out, changes, 2, none, true));
    assert_memory_equal(&out, &before, sizeof out);
}

static void the_text_says_it(void **state) {
    (void)state;
    const struct rollouts out = both();
    char *text = NULL;
    size_t len;
    FILE *file = open_memstream(&text, &len);
    struct page page;
    assert_non_null(file);
    page_init(&page, file);
    rollouts_text(&out, &page);
    page_release(&page);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(text, "\nSteps: labels of cord export against rollouts\n"
                              "  2 problems, 7 steps; behind each 1 rollout of 2 teachers\n"
                              "                value fell  it did not       was 0  none right  mean change\n"
                              "  label good             1           1           1           1      +0.0833\n"
                              "  label bad              2           1           1           2      -0.0625\n"
                              "  label and rollouts agree on 3 of the 5 steps whose value could fall (60.0 %)\n");
    free(text);
}

static void json_says_it(void **state) {
    (void)state;
    struct rollouts out = both();
    struct buf text;
    buf_init(&text, "JSON", 4096);
    struct json_writer w = {.out = &text};
    out.left_out = 3;
    json_open(&w, NULL, '{');
    rollouts_json(&out, &w);
    json_close(&w, '}');
    json_t *all = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL),
           *want = json_loads("{\"rollouts\": {\"problems\": 2, \"left_out\": 3, \"steps\": 7, \"of_each_teacher\": 1,"
                              " \"teachers\": 2, \"agreement\": 0.6,"
                              " \"good\": {\"steps\": 3, \"was_zero\": 1, \"fell\": 1, \"none_right\": 1},"
                              " \"bad\": {\"steps\": 4, \"was_zero\": 1, \"fell\": 2, \"none_right\": 2,"
                              " \"mean_change\": -0.0625}}}",
                              0, NULL);
    json_t *good = json_object_get(json_object_get(all, "rollouts"), "good");
    assert_true(fabs(json_real_value(json_object_get(good, "mean_change")) - 0.25 / 3) < 1e-12);
    json_object_del(good, "mean_change");
    assert_true(json_equal(all, want));
    json_decref(all);
    json_decref(want);
    buf_release(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_is_counted_by_label_and_value),
        cmocka_unit_test(what_nobody_answered_has_no_value),
        cmocka_unit_test(the_text_says_it),
        cmocka_unit_test(json_says_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
