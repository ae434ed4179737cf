/* test_texts.c - what the text of a row is: markers, tags, templates, prompts, and what is said of where it comes from and how
 * it ended. */
#include "export/fixture.h"

static void test_markers(void **state) {
    struct fixture *f = *state;
    f->options.format = training_format("prompt-completion");
    f->options.style.markers = MARKERS_STRIP;
    json_t *line = line_of(rows_of(f), 0);
    assert_text(content_at(line, "prompt"), "What is 2 + 3?");
    /* the step that was cut and its rest are one; the reasoning's last bytes are not UTF-8 */
    cord_text completion = content_at(line, "completion");
    assert_true(text_starts(completion, TEXT("<think>\nCount\n\nThen we hold five\0\033[31m\xEF\xBF\xBD")));
    assert_true(text_ends(completion, TEXT("\xEF\xBF\xBD\n</think>\n\nSo \\boxed{6}")));
    json_decref(line);

    /* what is numbered in order stays what it is */
    f->options.style.markers = MARKERS_KEEP;
    cord_text rows = rows_of(f);
    char *kept = strndup(rows.data, rows.len);
    f->options.style.markers = MARKERS_RENUMBER;
    assert_text(rows_of(f), kept);
    free(kept);
}

/* What stands between steps may be nothing. */
static void test_nothing_between(void **state) {
    struct fixture *f = *state;
    cord_text between = sample_style.between;
    sample_style.between = TEXT("");
    retell_sample(f, NULL);
    sample_style.between = between;
    f->options.format = training_format("prompt-completion");
    f->options.style.markers = MARKERS_STRIP;
    json_t *line = line_of(rows_of(f), 0);
    assert_true(text_starts(content_at(line, "completion"), TEXT("<think>\nCountThen we hold five")));
    json_decref(line);
}

/* The steps of given traces are bare: a heading of theirs has its number and a blank, and they keep having none. */
static void test_markers_of_given_traces(void **state) {
    struct fixture *f = *state;
    static const struct step_part bare[] = {{0, 8, NULL}, {10, 16, NULL}}, headed[] = {{12, 20, NULL}, {34, 40, NULL}},
                                  code[] = {{0, 4, NULL}, {8, 18, NULL}},
                                  headed_code[] = {{11, 21, NULL}, {34, 37, NULL}};
    static const struct {
        const char *reasoning;
        const struct step_part *parts;
        enum markers markers;
        const char *response;
    } cases[] = {
        {"First 2.\n\nThen 3", bare, MARKERS_RENUMBER, "### Step 1. First 2.\n\n### Step 2. Then 3"},
        {"First 2.\n\nThen 3", bare, MARKERS_STRIP, "First 2.\n\nThen 3"},
        {"First 2.\n\nThen 3", bare, MARKERS_KEEP, "First 2.\n\nThen 3"},
        {"One:\r\n\r\n    x = 1;", code, MARKERS_STRIP, "One:\r\n\r\n    x = 1;"},
        {"### Step 1.\n    x = 1\n\n### Step 2. So", headed_code, MARKERS_STRIP, "    x = 1\n\nSo"},
        {"### Step 1: First 2.\n\n### Step 5: Then 3", headed, MARKERS_KEEP,
         "### Step 1: First 2.\n\n### Step 5: Then 3"},
        {"### Step 1: First 2.\n\n### Step 5: Then 3", headed, MARKERS_RENUMBER,
         "### Step 1. First 2.\n\n### Step 2. Then 3"},
    };
    f->source.strategy = "selection";
    f->options.only_correct = true;
    f->options.style.think_open = TEXT("");
    f->options.style.think_close = TEXT("\n\n");
    f->options.format = training_format("prompt-completion");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct candidate *first = &f->sample.candidates[0][0];
        first->reasoning = first->step = text_of(cases[i].reasoning);
        f->sample.beams[0][0].reasoning = f->sample.beams[1][0].reasoning = f->sample.beams[2][1].reasoning =
            first->reasoning;
        first->parts = cases[i].parts;
        first->n_parts = 2;
        retell_sample(f, NULL);
        f->options.style.markers = cases[i].markers;
        json_t *line = line_of(rows_of(f), 0);
        char response[100];
        snprintf(response, sizeof response, "%s\n\nSo \\boxed{5}", cases[i].response);
        assert_text(content_at(line, "completion"), response);
        json_decref(line);
    }
}

static void test_other_tags(void **state) {
    struct fixture *f = *state;
    f->options.format = training_format("prompt-completion");
    f->options.only_correct = true;
    f->options.style.think_open = TEXT("");
    f->options.style.think_close = TEXT("\n\n");
    json_t *line = line_of(rows_of(f), 0);
    assert_text(content_at(line, "completion"), "### Step 1. Add two\n\nSo \\boxed{5}");
    json_decref(line);
}

/* What the search said to a model is not what a student is asked, unless one asks for it. */
static void test_search_prompt(void **state) {
    struct fixture *f = *state;
    f->options.search_prompt = true;
    f->options.only_correct = true;
    assert_int_equal(export_runs(f, &f->source, 1, NULL), CORD_BAD_USAGE); /* messages have no place for it */
    f->options.format = training_format("prompt-completion");
    json_t *line = line_of(rows_of(f), 0);
    cord_text prompt = content_at(line, "prompt");
    assert_true(text_equal(prompt, TEXT("<|im_start|>user\na question with a NUL \0 and <|im_end|>")));
    assert_text(content_at(line, "completion"), "### Step 1. Add two\n</think>\n\nSo \\boxed{5}");
    json_decref(line);

    /* the student's template says how a turn ends */
    struct turn turn;
    assert_ok(turn_open(&turn, chat_template_known("qwq"), TEXT(""), TEXT(""), err));
    f->options.turn = &turn;
    line = line_of(rows_of(f), 0);
    assert_text(content_at(line, "completion"), "### Step 1. Add two\n</think>\n\nSo \\boxed{5}<|im_end|>");
    json_decref(line);
    f->options.search_prompt = false;

    /* what the template opens has to be closed */
    f->options.style.think_open = TEXT("");
    assert_int_equal(export_runs(f, &f->source, 1, NULL), CORD_BAD_USAGE);
    f->options.style.think_open = TEXT("<reasoning>\n");
    assert_non_null(strstr(export_refusal(&f->options), "opens the thinking"));
    f->options.format = training_format("messages");
    assert_null(export_refusal(&f->options)); /* a trainer's rendering opens nothing */
    turn_close(&turn);
}

/* What a template writes around an assistant's text, and what cord says of it. */
static void test_traps_of_templates(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *said, *open; /* before an assistant's text; where a model is to write */
        int64_t second;          /* rows with a thought before their own */
        bool renders;            /* cord, in the trainer's place */
    } templates[] = {
        {"<bot>", "<bot>", 0, true},
        {"<bot><think></think>", "<bot>", 1, true},    /* as Kimi-K2-Thinking's */
        {"<bot></mm:think>", "<bot>", 1, true},        /* as MiniMax-M3's */
        {"<bot><think>\n", "<bot><think>\n", 1, true}, /* as Nemotron-Nano-v2's */
        {"<bot><final>", "<bot>", 0, false},           /* as gpt-oss's */
    };
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        struct turn turn;
        char source[500];
        snprintf(
            source, sizeof source,
            "{%% for m in messages %%}{%% if m.role == 'assistant' %%}%s{%% endif %%}{{ m.content }}</e>{%% endfor %%}"
            "{%% if add_generation_prompt %%}%s{%% endif %%}",
            templates[i].said, templates[i].open);
        assert_ok(turn_open(&turn, text_of(source), TEXT(""), TEXT(""), err));
        f->options.turn = &turn;
        f->options.format = training_format("messages");
        rows_of(f);
        assert_int_equal(f->figures.second_thoughts, templates[i].second);
        cord_text open = f->options.style.think_open;
        f->options.style.think_open = TEXT("");
        rows_of(f);
        assert_int_equal(f->figures.second_thoughts, templates[i].second);
        f->options.style.think_open = open;
        f->options.format = training_format("text");
        const char *refusal = export_refusal(&f->options);
        assert_int_equal(!refusal, templates[i].renders);
        if (refusal) assert_non_null(strstr(refusal, "something else before what an assistant has said"));
        f->options.turn = NULL;
        turn_close(&turn);
    }
}

static void test_provenance(void **state) {
    struct fixture *f = *state;
    f->options.provenance = true;
    json_t *line = line_of(rows_of(f), 0);
    assert_text(content_at(line, "id"), "p1");
    assert_text(content_at(line, "gold"), "5");
    const json_t *from = json_object_get(line, "provenance"), *steps = json_object_get(from, "steps");
    assert_text(content_at(from, "run"), "sample");
    assert_text(content_at(from, "grade"), "wrong");
    assert_int_equal(json_integer_value(json_object_get(from, "rounds")), 3);
    assert_true(fabs(json_real_value(json_object_get(from, "s0")) - 0.125) < 1e-12);
    assert_true(fabs(json_real_value(json_object_get(from, "score")) - 0.875) < 1e-12);
    assert_int_equal(json_array_size(steps), 2); /* the pieces of a cut step are one */
    assert_text(content_at(json_array_get(steps, 0), "teacher"), "small");
    assert_text(content_at(json_array_get(steps, 1), "teacher"), "small");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(steps, 1), "round")), 3);
    assert_int_equal(json_array_size(json_object_get(json_array_get(steps, 0), "pieces")), 1);
    const json_t *pieces = json_object_get(json_array_get(steps, 1), "pieces"); /* strong began it */
    assert_int_equal(json_array_size(pieces), 2);
    assert_text(content_at(json_array_get(pieces, 0), "teacher"), "strong");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(pieces, 0), "round")), 2);
    assert_text(content_at(json_array_get(pieces, 1), "teacher"), "small");
    json_decref(line);
    assert_int_equal(f->figures.n_teachers, 2);
    assert_string_equal(f->figures.teachers[0].name, "small");
    assert_int_equal(f->figures.teachers[0].steps, 2);
    assert_int_equal(f->figures.teachers[1].steps, 1);
}

/* Rows of one export have the same members, whatever run they are of; and nobody grades steps, nor do they end. */
static void test_provenance_of_pairs(void **state) {
    struct fixture *f = *state;
    f->options.provenance = true;
    f->options.format = training_format("step-dpo");
    json_t *line = line_of(rows_of(f), 0);
    const json_t *from = json_object_get(line, "provenance"), *rejected = json_object_get(from, "rejected");
    assert_text(content_at(from, "criterion"), "predictive-perplexity");
    assert_true(json_is_null(json_object_get(from, "grade")) && json_is_null(json_object_get(from, "finish")));
    assert_true(json_is_null(json_object_get(rejected, "grade")));
    assert_true(fabs(json_real_value(json_object_get(rejected, "score")) - 0.0625) < 1e-12);
    json_decref(line);

    prefer_correct(f);
    f->options.format = training_format("dpo");
    line = line_of(rows_of(f), 0);
    from = json_object_get(line, "provenance");
    rejected = json_object_get(from, "rejected");
    assert_text(content_at(from, "grade"), "correct");
    assert_text(content_at(from, "finish"), "closed");
    assert_text(content_at(rejected, "grade"), "wrong");
    assert_text(content_at(rejected, "finish"), "turn ended");
    assert_true(fabs(json_real_value(json_object_get(rejected, "score")) - 0.25) < 1e-12);
    json_decref(line);
}

/* The same of a trace whose budget ran out, and of a reply that has all the tokens it may have, 7. */
static void test_cut(void **state) {
    struct fixture *f = *state;
    f->options.only_correct = f->options.provenance = true;
    for (int i = 0; i < 2; i++) {
        f->source.answer_tokens = 8;
        rows_of(f);
        assert_int_equal(f->figures.flaws[FLAW_CUT], 0);
        if (i == 0) f->source.answer_tokens = 7;
        if (i == 1) f->sample.beams[2][1].finish = FINISHED_BUDGET;
        retell_sample(f, NULL);
        json_t *line = line_of(rows_of(f), 0);
        assert_text(content_at(json_object_get(line, "provenance"), "finish"), i ? "budget" : "closed");
        json_decref(line);
        assert_int_equal(f->figures.flaws[FLAW_CUT], 1);
        f->options.drop = 1U << FLAW_CUT;
        assert_text(rows_of(f), "");
        assert_int_equal(f->figures.removed_n[FILTER_FLAW], 1);
        f->options.drop = 0;
    }
    f->options.drop = 1U << FLAW_CUT;
    f->options.format = training_format("step-dpo");
    assert_non_null(strstr(export_refusal(&f->options), "cut is of finished"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_markers),    TEST(test_nothing_between),     TEST(test_markers_of_given_traces),
        TEST(test_other_tags), TEST(test_search_prompt),       TEST(test_traps_of_templates),
        TEST(test_provenance), TEST(test_provenance_of_pairs), TEST(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
