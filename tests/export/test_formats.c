/* test_formats.c - every layout against what its trainer's documentation shows, read back with jansson. What real loaders
 * make of them: tests/formats. */
#include "export/fixture.h"

#define QUESTION "What is 2 + 3?"
#define RESPONSE "<think>\n### Step 1. Add two\n</think>\n\nSo \\boxed{5}"

/* The only row, in a format. */
static json_t *row_in(struct fixture *f, const char *format) {
    f->options.format = training_format(format);
    assert_non_null(f->options.format);
    f->options.only_correct = f->options.format->kind == ROW_TRACE;
    json_t *row = line_of(rows_of(f), 0);
    if (!row) fail_msg("no row in %s", format);
    return row;
}

/* A JSON text, with ' for ", against a row. */
static void assert_row(struct fixture *f, const char *format, const char *expected) {
    json_t *row = row_in(f, format);
    char *text = strdup(expected);
    for (char *c = text; *c; c++)
        if (*c == '\'') *c = '"';
    json_t *want = json_loads(text, 0, NULL);
    assert_non_null(want);
    if (!json_equal(row, want)) {
        char *got = json_dumps(row, JSON_PRESERVE_ORDER | JSON_SORT_KEYS);
        fail_msg("%s: got %s\nwant %s", format, got, text);
    }
    free(text);
    json_decref(want);
    json_decref(row);
}

#define J_RESPONSE "<think>\\n### Step 1. Add two\\n</think>\\n\\nSo \\\\boxed{5}"
#define MESSAGES \
    "'messages': [{'role': 'user', 'content': '" QUESTION "'}, {'role': 'assistant', 'content': '" J_RESPONSE "'}]"

static void test_traces(void **state) {
    struct fixture *f = *state;
    assert_row(f, "messages", "{" MESSAGES "}");
    assert_row(f, "axolotl", "{" MESSAGES "}");
    assert_row(f, "ms-swift", "{" MESSAGES "}");
    assert_row(f, "prompt-completion", "{'prompt': '" QUESTION "', 'completion': '" J_RESPONSE "'}");
    assert_row(f, "sharegpt",
               "{'conversations': [{'from': 'human', 'value': '" QUESTION "'}, {'from': 'gpt', 'value': '" J_RESPONSE
               "'}]}");
    assert_row(f, "alpaca", "{'instruction': '" QUESTION "', 'input': '', 'output': '" J_RESPONSE "'}");
    assert_row(f, "verl",
               "{'data_source': 'sample', 'prompt': [{'role': 'user', 'content': '" QUESTION
               "'}], 'ability': 'reasoning', 'reward_model': {'style': 'rule', 'ground_truth': '5'}, 'extra_info': "
               "{'split': 'train', 'index': 0, 'id': 'p1', 'question': '" QUESTION "', 'answer': '" J_RESPONSE
               "'}, " MESSAGES "}");
}

static void test_rendered(void **state) {
    struct fixture *f = *state;
    struct turn turn;
    f->options.format = training_format("text");
    assert_int_equal(export_runs(f, &f->source, 1, NULL), CORD_BAD_USAGE); /* with which template? */
    assert_ok(turn_open(&turn, chat_template_known("chatml"), TEXT(""), TEXT(""), err));
    f->options.turn = &turn;
#define TURNS "<|im_start|>user\\n" QUESTION "<|im_end|>\\n<|im_start|>assistant\\n"
    assert_row(f, "text", "{'text': '" TURNS J_RESPONSE "<|im_end|>'}");
    assert_row(f, "prompt-completion", "{'prompt': '" TURNS "', 'completion': '" J_RESPONSE "<|im_end|>'}");
    assert_row(f, "axolotl-segments",
               "{'segments': [{'label': false, 'text': '" TURNS "'}, {'label': true, 'text': '" J_RESPONSE
               "<|im_end|>'}]}");
    assert_row(f, "messages", "{" MESSAGES "}"); /* the trainer renders */
    turn_close(&turn);

    /* a BOS stands where no tokenizer puts one, and only there */
    assert_ok(turn_open(&turn, chat_template_known("gemma"), TEXT(""), TEXT(""), err));
    assert_true(turn.lacks_bos);
    turn_close(&turn);
    assert_ok(turn_open(&turn, chat_template_known("gemma"), TEXT("<bos>"), TEXT(""), err));
    assert_false(turn.lacks_bos);
#undef TURNS
#define TURNS "<start_of_turn>user\\n" QUESTION "<end_of_turn>\\n<start_of_turn>model\\n"
    assert_row(f, "prompt-completion",
               "{'prompt': '<bos>" TURNS "', 'completion': '" J_RESPONSE "<end_of_turn>'}"); /* nobody adds it */
    f->options.added_bos = TEXT("<bos>");
    assert_row(f, "prompt-completion", "{'prompt': '" TURNS "', 'completion': '" J_RESPONSE "<end_of_turn>'}");
    assert_row(f, "text", "{'text': '" TURNS J_RESPONSE "<end_of_turn>'}");
    assert_row(f, "axolotl-segments",
               "{'segments': [{'label': false, 'text': '<bos>" TURNS "'}, {'label': true, 'text': '" J_RESPONSE
               "<end_of_turn>'}]}");
    json_t *row = row_in(f, "step-dpo");
    assert_true(text_starts(content_at(row, "prompt"), TEXT("<start_of_turn>")));
    json_decref(row);
    turn_close(&turn);
    f->options.turn = NULL;
    f->options.added_bos = TEXT("");
}

static void test_pairs(void **state) {
    struct fixture *f = *state;
    f->options.format = training_format("dpo");
    assert_text(rows_of(f), ""); /* a wrong one of S 0.875 is not preferred to the correct one of S 0.5 */
    assert_int_equal(f->figures.removed_n[FILTER_REVERSED], 1);
    prefer_correct(f);
    json_t *row = row_in(f, "dpo");
    const json_t *prompt = json_object_get(row, "prompt"), *chosen = json_object_get(row, "chosen"),
                 *rejected = json_object_get(row, "rejected");
    assert_int_equal(json_object_size(row), 3);
    assert_text(content_at(json_array_get(prompt, 0), "content"), QUESTION);
    assert_text(content_at(json_array_get(prompt, 0), "role"), "user");
    assert_text(content_at(json_array_get(chosen, 0), "role"), "assistant");
    assert_text(content_at(json_array_get(chosen, 0), "content"), RESPONSE);                           /* S 0.5 */
    assert_true(text_ends(content_at(json_array_get(rejected, 0), "content"), TEXT("So \\boxed{6}"))); /* S 0.25 */
    json_decref(row);

    /* by correctness, whatever S says */
    f->sample.beams[2][0].log_score = log(0.875);
    retell_sample(f, NULL);
    f->options.only_correct = true;
    f->options.format = training_format("ms-swift-dpo");
    row = line_of(rows_of(f), 0);
    assert_text(content_at(json_array_get(json_object_get(row, "messages"), 1), "content"), RESPONSE);
    assert_true(text_ends(content_at(row, "rejected_response"), TEXT("So \\boxed{6}")));
    json_decref(row);
    f->options.format = training_format("llama-factory-dpo");
    row = line_of(rows_of(f), 0);
    assert_int_equal(json_array_size(json_object_get(row, "conversations")), 1);
    assert_text(content_at(json_object_get(row, "chosen"), "value"), RESPONSE);
    assert_text(content_at(json_object_get(row, "rejected"), "from"), "gpt");
    json_decref(row);

    /* log 0.5 - log 0.25 is 0.69 */
    prefer_correct(f);
    f->options.only_correct = false;
    f->options.margin = 0.7;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_NO_PAIR], 1);
}

/* Of three, the first has no score, which hides neither of the others. */
static void test_pair_beside_one_without_a_score(void **state) {
    struct fixture *f = *state;
    struct answered answers[3];
    sample_answers(&f->sample, answers);
    answers[0].trajectory.log_score = (double)NAN;
    answers[2] = answers[1];
    answers[2].trajectory.log_score = log(0.25);
    answers[2].grade = GRADE_WRONG;
    answers[2].reply = TEXT("So \\boxed{8}");
    sample_started(f->source.journal, 2);
    for (int i = 0; i < 3; i++) assert_ok(journal_round(f->source.journal, 2, &f->sample.rounds[i], err));
    assert_ok(journal_finished(f->source.journal, 2, answers, 3, err));
    json_t *row = row_in(f, "ms-swift-dpo"); /* p1 has none */
    assert_text(content_at(json_array_get(json_object_get(row, "messages"), 1), "content"), RESPONSE);
    assert_true(text_ends(content_at(row, "rejected_response"), TEXT("So \\boxed{8}")));
    json_decref(row);
}

/* Only round 3 has a kept step and a rejected one behind one parent; and that parent's last step was cut, so that what
 * they are is the whole step. */
static void test_step_pairs(void **state) {
    struct fixture *f = *state;
    json_t *row = row_in(f, "step-dpo");
    assert_text(content_at(row, "prompt"), QUESTION);
    assert_text(content_at(row, "initial_reason_steps"), "<think>\n### Step 1. Count");
    assert_true(text_starts(content_at(row, "chosen"), TEXT("\n\n### Step 2. Then we hold five")));
    assert_text(content_at(row, "rejected"), "\n\n### Step 2. Then we hold six");
    assert_text(content_at(row, "full_rejected"), "<think>\n### Step 1. Count\n\n### Step 2. Then we hold six");
    assert_text(content_at(row, "answer"), "5");
    assert_int_equal(json_object_size(row), 8);
    assert_int_equal(f->figures.rows, 1);
    json_decref(row);

    f->options.margin = log(0.875 / 0.0625) + 0.01;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_NO_PAIR], 1);
    f->options.margin = -1;
    f->options.only_correct = true; /* nothing correct goes on from there */
    assert_text(rows_of(f), "");

    /* rendered, the prompt has all that both steps have before them, and nobody's turn ends */
    struct turn turn;
    f->options.only_correct = false;
    assert_ok(turn_open(&turn, chat_template_known("qwq"), TEXT(""), TEXT(""), err));
    f->options.turn = &turn;
    row = line_of(rows_of(f), 0);
    assert_text(content_at(row, "prompt"),
                "<|im_start|>user\n" QUESTION "<|im_end|>\n<|im_start|>assistant\n<think>\n### Step 1. Count");
    assert_text(content_at(row, "initial_reason_steps"), "");
    json_decref(row);
    turn_close(&turn);
    f->options.turn = NULL;
}

/* A piece of a step is no step: it is neither preferred to one nor rejected for one. */
static void test_step_pairs_of_pieces(void **state) {
    struct fixture *f = *state;
    f->options.format = training_format("step-dpo");
    for (int i = 0; i < 2; i++) {
        enum step_end *end = &f->sample.candidates[2][i].end, before = *end;
        *end = STEP_CUT;
        retell_sample(f, NULL);
        assert_text(rows_of(f), "");
        assert_int_equal(f->figures.removed_n[FILTER_CUT], 1);
        assert_int_equal(f->figures.removed_n[FILTER_NO_PAIR], 0);
        *end = before;
    }
    retell_sample(f, NULL);
    f->options.margin = 3; /* nor would the two make a pair: the logs differ by 2.64 */
    f->sample.candidates[2][0].end = STEP_CUT;
    retell_sample(f, NULL);
    rows_of(f);
    assert_int_equal(f->figures.removed_n[FILTER_CUT], 0);
    assert_int_equal(f->figures.removed_n[FILTER_NO_PAIR], 1);
}

/* Of what was kept in round 1 the second leads to the correct trajectory, which begins with the text of the first, too. */
static void test_step_pairs_that_lead_there(void **state) {
    struct fixture *f = *state;
    struct candidate *first = f->sample.candidates[0];
    cord_text longer = TEXT(SAMPLE_TWO " twice");
    first[0].step = f->sample.steps[0].text = TEXT(" Count twice");
    first[0].reasoning = longer;
    f->sample.beams[0][0].reasoning = f->sample.beams[1][0].reasoning = f->sample.beams[2][1].reasoning = longer;
    first[1].log_score = log(0.75);
    first[2] = sample_candidate(0, 2, 1, TEXT(" Guess"), TEXT("### Step 1. Guess"), 0.03125);
    retell_sample(f, NULL);
    f->options.format = training_format("step-dpo");
    f->options.only_correct = true;
    json_t *row = line_of(rows_of(f), 0);
    assert_text(content_at(row, "full_rejected"), "<think>\n### Step 1. Guess");
    assert_text(content_at(row, "chosen"), "### Step 1. Count twice");
    json_decref(row);
}

/* Labels are of the change: step 1 of the best trajectory has S 0.25, low and yet twice S0; with S0 at 0.9 the same step
 * would have spoilt it. */
static void test_step_labels(void **state) {
    struct fixture *f = *state;
    f->options.top = 2;
    f->options.format = training_format("prm");
    cord_text rows = rows_of(f);
    json_t *row = line_of(rows, 0), *other = line_of(rows, 1);
    const json_t *steps = json_object_get(row, "completions"), *labels = json_object_get(row, "labels");
    assert_int_equal(json_object_size(row), 3);
    assert_text(content_at(row, "prompt"), QUESTION);
    assert_int_equal(json_array_size(steps), 2);
    assert_string_equal(json_string_value(json_array_get(steps, 0)), "### Step 1. Count");
    assert_true(json_is_true(json_array_get(labels, 0)) && json_is_true(json_array_get(labels, 1)));
    assert_int_equal(json_array_size(json_object_get(other, "labels")), 1);
    json_decref(row);
    json_decref(other);

    f->options.format = training_format("math-shepherd");
    f->options.only_correct = true;
    row = line_of(rows_of(f), 0);
    assert_text(content_at(row, "input"), QUESTION " Step 1: Add two \xD0\xBA\xD0\xB8");
    assert_text(content_at(row, "label"), QUESTION " Step 1: Add two +");
    assert_text(content_at(row, "task"), "sample");
    json_decref(row);
}

static void test_falling_step(void **state) {
    struct fixture *f = *state;
    struct candidate *c = &f->sample.candidates[0][0];
    /* the same search, but its first step takes S from 0.125 to 0.0625: by log 2 */
    c->log_score = f->sample.steps[0].log_score = f->sample.beams[0][0].log_score = log(0.0625);
    retell_sample(f, NULL);
    f->options.format = training_format("prm");
    f->options.only_correct = true;
    json_t *row = line_of(rows_of(f), 0);
    assert_true(json_is_false(json_array_get(json_object_get(row, "labels"), 0)));
    json_decref(row);
    f->options.margin = 0.7; /* more than log 2: within the noise */
    row = line_of(rows_of(f), 0);
    assert_true(json_is_true(json_array_get(json_object_get(row, "labels"), 0)));
    json_decref(row);
}

/* Of a given trace, or a merged one, only the end has a score: it is no step that could be preferred to another, and its steps
 * have no labels; but where it is one step, the score is that step's. */
static void test_traces_of_several_steps(void **state) {
    struct fixture *f = *state;
    static const struct step_part two[] = {{0, 2, NULL}, {2, 4, NULL}}, one[] = {{11, 19, NULL}};
    struct candidate *kept = &f->sample.candidates[2][0], *not_kept = &f->sample.candidates[2][1],
                     *first = &f->sample.candidates[0][0];
    for (int i = 0; i < 2; i++) { /* whichever of the two it is */
        kept->parts = i ? two : NULL;
        kept->n_parts = not_kept->n_parts = 2;
        not_kept->parts = i ? NULL : (const struct step_part[]){{0, 1, NULL}, {1, 3, NULL}};
        retell_sample(f, NULL);
        f->options.format = training_format("step-dpo");
        assert_text(rows_of(f), "");
        assert_int_equal(f->figures.removed_n[FILTER_NO_PAIR], 1);
    }
    first->parts = one;
    first->n_parts = 1;
    retell_sample(f, NULL);
    f->options.top = 2;
    f->options.format = training_format("prm");
    json_t *row = line_of(rows_of(f), 0);
    assert_int_equal(f->figures.rows, 1);
    assert_int_equal(f->figures.removed_n[FILTER_UNSCORED], 1);
    assert_int_equal(json_array_size(json_object_get(row, "completions")), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(row, "completions"), 0)), SAMPLE_ONE);
    assert_true(json_is_true(json_array_get(json_object_get(row, "labels"), 0)));
    json_decref(row);
    f->options.format = training_format("math-shepherd");
    assert_ok(export_runs(f, &f->source, 1, err));
    assert_int_equal(f->figures.rows, 1);
}

/* Scores of another kind than S0 tell no first step's change, but which of two steps is better; random ones tell neither. */
static void test_steps_by_other_criteria(void **state) {
    struct fixture *f = *state;
    cord_error refused = {0};
    prefer_correct(f);
    f->source.scores = SCORES_OTHER;
    f->source.criterion = "longest";
    f->options.format = training_format("prm");
    assert_int_equal(export_runs(f, &f->source, 1, &refused), CORD_BAD_INPUT);
    assert_non_null(strstr(refused.message, "this run chose by longest"));
    json_decref(row_in(f, "step-dpo"));
    json_decref(row_in(f, "dpo"));
    f->source.scores = SCORES_RANDOM;
    static const char *const of_pairs[] = {"step-dpo", "dpo"};
    for (int i = 0; i < 2; i++) {
        f->options.format = training_format(of_pairs[i]);
        assert_int_equal(export_runs(f, &f->source, 1, &refused), CORD_BAD_INPUT);
        assert_non_null(strstr(refused.message, "random scores"));
    }
    f->options.only_correct = true; /* graded pairs need no scores */
    assert_true(rows_of(f).len > 0);
}

/* The list that help and completions show is the table's. */
static void test_names(void **state) {
    (void)state;
    struct buf names;
    buf_init(&names, "names", 10000);
    for (int i = 0; training_format_at(i); i++) {
        buf_addf(&names, "%s%s", i ? "|" : "", training_format_at(i)->name);
        assert_ptr_equal(training_format(training_format_at(i)->name), training_format_at(i));
    }
    assert_text(buf_text(&names), TRAINING_FORMATS);
    assert_null(training_format("massages"));
    buf_release(&names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_traces),
        TEST(test_rendered),
        TEST(test_pairs),
        TEST(test_pair_beside_one_without_a_score),
        TEST(test_step_pairs_of_pieces),
        TEST(test_step_pairs),
        TEST(test_step_pairs_that_lead_there),
        TEST(test_step_labels),
        TEST(test_falling_step),
        TEST(test_traces_of_several_steps),
        TEST(test_steps_by_other_criteria),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
