/* test_forecast.c - what a run will take, by hand: of an amount, the share of the problems that are done is theirs, and what
 * those in the middle have had does not come again. What it tests belongs to the program, and is compiled in here. */
#include "support.h"

#include "cmd/forecast.c"
#include "cmd/page.c"
#include "cmd/terminal.c"

#include <stdio.h>
#include <stdlib.h>

static struct journal_totals totals(int64_t proposed, int64_t scored) {
    return (struct journal_totals){
        .proposed_tokens = proposed, .score_prompt_tokens = scored + 2, .score_cached_tokens = 7, .judged_tokens = 5};
}

static char *told(const struct sample *sample) {
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    forecast_print(sample, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* The line that begins so, blanks aside, has these three figures. */
static void has_line(const char *text, const char *name, const char *these, const char *each, const char *all) {
    char figures[3][40];
    const char *at = strstr(text, name);
    if (!at || sscanf(at + strlen(name), " %39s %39s %39s", figures[0], figures[1], figures[2]) != 3)
        fail_msg("no line '%s' in:\n%s", name, text);
    assert_string_equal(figures[0], these);
    assert_string_equal(figures[1], each);
    assert_string_equal(figures[2], all);
}

/* Two are done and six are left, of which three are in the middle. */
static const struct sample eight = {
    .problems = 8,
    .done = 2,
    .failed = "",
    .left = 6,
    .counted = 2,
    .totals = {.proposed_tokens = 250, .score_prompt_tokens = 157, .score_cached_tokens = 7},
    .of_done = {.proposed_tokens = 200, .score_prompt_tokens = 107, .score_cached_tokens = 7},
    .of_open = {.proposed_tokens = 50, .score_prompt_tokens = 57, .score_cached_tokens = 7},
    .has_servers = true,
    .spending = {.requests = 800, .prompt_tokens = 4000, .new_tokens = 400, .money = 2},
    .budget = {.requests = 2599, .tokens = 14300, .money = 6.5},
    .folder = "out"};

static void only_what_is_done_says_what_a_problem_takes(void **state) {
    (void)state;
    struct sample sample = eight;
    char *text = told(&sample);
    has_line(text, "tokens that teachers write", "250", "100.0", "800"); /* 250 + 6 x 100 - 50 */
    has_line(text, "tokens to score", "150", "50.0", "400");
    has_line(text, "requests to servers", "800", "300.0", "2,400"); /* two for each token: 600 of 800 by what is done */
    has_line(text, "money", "2.0000", "0.7500", "6.0000");
    assert_null(strstr(text, "would stop"));
    free(text);
    sample.budget = (struct budget){.requests = 2399, .tokens = 13199, .money = 5.9};
    text = told(&sample);
    assert_non_null(strstr(text, "budget.requests is 2,399, and the whole run would need about 2,400"));
    assert_non_null(strstr(text, "budget.tokens is 13,199, and the whole run would need about 13,200"));
    assert_non_null(strstr(text, "budget.money is 5.9, and the whole run would need about 6.00"));
    free(text);
}

/* What a start asks of servers to check its models is of no problem: of 812 requests 12 are, and the others are as above. */
static void checks_are_of_no_problem(void **state) {
    (void)state;
    struct sample sample = eight;
    sample.spending = (struct spending){.requests = 812, .prompt_tokens = 4100, .new_tokens = 403, .money = 2.5};
    sample.checks = (struct spending){.requests = 12, .prompt_tokens = 100, .new_tokens = 3, .money = 0.5};
    sample.budget = (struct budget){.requests = 2412, .tokens = 13303, .money = 6.5};
    char *text = told(&sample);
    has_line(text, "requests to servers", "812", "300.0", "2,412");
    has_line(text, "tokens of prompts", "4,100", "1,500", "12,100");
    has_line(text, "tokens written", "403", "150.0", "1,203");
    has_line(text, "money", "2.5000", "0.7500", "6.5000");
    assert_null(strstr(text, "would stop"));
    free(text);
}

/* With nothing in the middle it is each problem's mean times all; a problem that has failed has cost what it has cost. */
static void whole_problems_are_multiplied(void **state) {
    (void)state;
    struct sample sample = {.problems = 10,
                            .done = 4,
                            .failed = ", 1 failed",
                            .left = 5,
                            .counted = 4,
                            .totals = totals(450, 90),
                            .of_done = totals(400, 80),
                            .folder = "out"};
    char *text = told(&sample);
    has_line(text, "tokens that teachers write", "450", "100.0", "950");
    has_line(text, "tokens to score", "90", "20.0", "190");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_done_says_what_a_problem_takes),
        cmocka_unit_test(checks_are_of_no_problem),
        cmocka_unit_test(whole_problems_are_multiplied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
