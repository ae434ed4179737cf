/* verify.c - `cord verify`: the grader as a plain filter. It must not know runs or models. */
#include "cmd/filter.h"

static const char *const added[] = {"verdict", "why", NULL};

static cord_status grade(const struct filter_row *row, const char *gold_field, const char *answer_field, bool extract,
                         cord_verdict *verdict, const char **why, cord_error *err) {
    cord_text gold, answer;
    CORD_TRY(json_row_text(&row->json, gold_field, &gold, err));
    CORD_TRY(json_row_text(&row->json, answer_field, &answer, err));
    *verdict = CORD_UNDECIDED; /* an answer that was not found may yet be there, in words that are not known */
    *why = "no answer was found in the reply";
    if (!extract || cord_extract_answer(answer, false, &answer)) *verdict = cord_verify(gold, answer, why);
    return CORD_OK;
}

static int run_verify(const struct call *call) {
    const struct option_value *gold = call_option(call, "gold"), *answer = call_option(call, "answer");
    bool extract = call_option(call, "extract")->given;
    struct filter f;
    struct filter_row row;
    cord_error err = {0};
    if (filter_open(&f, call, added, &err) != CORD_OK) return call_fail(call, &err);
    while (filter_read(&f, &row)) {
        cord_verdict verdict;
        const char *why;
        cord_error bad = {0};
        if (grade(&row, gold->given ? gold->text : "gold", answer->given ? answer->text : "answer", extract, &verdict,
                  &why, &bad) == CORD_OK) {
            struct json_writer *w = filter_begin(&f, &row);
            json_text(w, "verdict", text_of(cord_verdict_name(verdict)));
            json_text(w, "why", text_of(why));
            filter_end(&f);
        } else {
            filter_fail(&f, &row, &bad);
        }
        filter_row_release(&row);
    }
    return filter_close(&f);
}

static const struct option options[] = {
    {.name = "gold", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field with the right answer, else \"gold\""},
    {.name = "answer", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field to grade, else \"answer\""},
    {.name = "extract", .type = OPTION_FLAG, .doc = "it is a whole reply: find the final answer in it"},
    {.name = NULL},
};

const struct verb verb_verify = {
    .name = "verify",
    .synopsis = "[FILE]",
    .summary = "grade answers: reads rows of JSON, adds \"verdict\" and \"why\"",
    .help = "Reads a JSON object a line from FILE or standard input, such as\n"
            "{\"gold\": \"3/4\", \"answer\": \"$0.75$\"}, and writes it again with two more members:\n"
            "\"verdict\", one of equal, different and undecided, and \"why\", the rule that\n"
            "decided. All other members pass through untouched.\n"
            "\n"
            "Numbers are compared exactly, whatever way they are written: $1,080.00,\n"
            "\\boxed{42}, \\frac{3}{4}, 1 1/2, 18 dollars, 50% (equal to 0.5; against a plain\n"
            "50 it is undecided). Equal texts are equal. What cannot be decided for certain\n"
            "is undecided, and never counts as correct; so is, with --extract, a reply in\n"
            "which no final answer is found.\n"
            "\n"
            "A row that cannot be graded is reported on standard error and passed through\n"
            "with a member \"error\"; a line that is not a JSON object is reported and left\n"
            "out. The exit status is then 3, or 1 if no row could be graded.",
    .options = options,
    .max_args = 1,
    .run = run_verify,
};
