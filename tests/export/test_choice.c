/* test_choice.c - which trajectory of a problem becomes a row, what its text is, and what is counted of those that do
 * not. */
#include "export/fixture.h"

/* ---- one row a problem ------------------------------------------------------------------------------------------- */

static void test_only_correct(void **state) {
    struct fixture *f = *state;
    f->options.only_correct = true;
    assert_text(rows_of(f),
                "{\"messages\":[{\"role\":\"user\",\"content\":\"What is 2 + 3?\"},{\"role\":\"assistant\",\"content\":"
                "\"<think>\\n### Step 1. Add two\\n</think>\\n\\nSo \\\\boxed{5}\"}]}\n");
    assert_int_equal(f->figures.problems, 4);
    assert_int_equal(f->figures.rows, 1);
    assert_int_equal(f->figures.rescued, 1);
    assert_int_equal(f->figures.failed, 1);
    assert_int_equal(f->figures.open, 2);
    assert_int_equal(f->figures.removed_n[FILTER_NOT_CORRECT], 0);
    f->options.min_score = 0.51;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_SCORE], 1);
    assert_true(fabs(spread_mean(&f->figures.removed[FILTER_SCORE]) - 0.125) < 1e-12); /* S0 of what was removed */
    assert_int_equal(f->figures.rescued, 0);
    f->options.min_score = 0.49;
    assert_true(rows_of(f).len > 0);
    f->options.min_score = 0;
    f->options.min_lift = 0.374; /* 0.5 - 0.125 */
    assert_true(rows_of(f).len > 0);
    f->options.min_lift = 0.376;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_LIFT], 1);
}

/* Where something else chose, S is what the meta-prover's model measured, 0.625 of the correct one; or nobody knows it. */
static void test_other_criteria(void **state) {
    struct fixture *f = *state;
    f->sample.beams[2][0].log_score = log(0.9375); /* of the best, whose PP is 0.875 */
    retell_sample(f, NULL);
    f->source.criterion = "judge";
    f->source.scores = SCORES_OTHER;
    f->source.pp_is_s = true;
    f->options.only_correct = true;
    f->options.min_score = 0.62;
    f->options.min_lift = 0.49;
    assert_true(rows_of(f).len > 0);
    assert_true(fabs(spread_mean(&f->figures.score) - 0.625) < 1e-12);
    assert_true(fabs(spread_mean(&f->figures.lift) - 0.5) < 1e-12);
    assert_true(fabs(spread_mean(&f->figures.pp) - 0.875) < 1e-12); /* of the best, which is wrong */
    f->options.min_lift = 0.51;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_LIFT], 1);
    f->options.min_lift = -1;
    f->options.min_score = 0.63;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_SCORE], 1);
    f->source.pp_is_s = false;
    f->options.min_score = 0.01;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_SCORE], 1);
    f->options.min_score = 0;
    f->options.provenance = true;
    json_t *line = line_of(rows_of(f), 0);
    const json_t *from = json_object_get(line, "provenance");
    assert_true(json_is_null(json_object_get(from, "score")));
    assert_text(content_at(from, "criterion"), "judge");
    assert_int_equal(f->figures.score.n + f->figures.lift.n, 0);
    assert_true(fabs(spread_mean(&f->figures.pp) - 0.875) < 1e-12);
    json_decref(line);
}

static void test_no_answer_trains_nobody(void **state) {
    struct fixture *f = *state;
    struct answered answers[2];
    sample_answers(&f->sample, answers);
    answers[0].answer = (cord_text){0};
    answers[0].grade = GRADE_NO_ANSWER;
    answers[1].grade = GRADE_UNDECIDED;
    sample_started(f->source.journal, 2);
    for (int i = 0; i < 3; i++) assert_ok(journal_round(f->source.journal, 2, &f->sample.rounds[i], err));
    assert_ok(journal_finished(f->source.journal, 2, answers, 2, err));
    rows_of(f);
    assert_int_equal(f->figures.rows, 1); /* p1's */
    assert_int_equal(f->figures.removed_n[FILTER_NO_ANSWER], 1);
    f->options.only_correct = true; /* undecided is not correct */
    rows_of(f);
    assert_int_equal(f->figures.rows, 1);
    assert_int_equal(f->figures.removed_n[FILTER_NOT_CORRECT], 1);
}

static void test_top(void **state) {
    struct fixture *f = *state;
    f->options.top = 5;
    cord_text rows = rows_of(f);
    assert_int_equal(f->figures.rows, 2);
    json_t *first = line_of(rows, 0), *second = line_of(rows, 1);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(line_of(rows, 2));
    assert_int_equal(f->figures.grades[GRADE_WRONG], 1);
    assert_int_equal(f->figures.grades[GRADE_CORRECT], 1);
    assert_int_equal(f->figures.best[GRADE_WRONG], 1);
    json_decref(first);
    json_decref(second);
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

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

/* ---- filters that read --------------------------------------------------------------------------------------------- */

static cord_status count_words(void *ctx, cord_text text, int *n, cord_error *e) {
    (void)ctx, (void)e;
    *n = 0;
    for (size_t i = 0; i < text.len; i++) *n += text.data[i] == ' ';
    return CORD_OK;
}

/* A long row is left out whole, and counted; none is cut. */
static void test_max_tokens(void **state) {
    struct fixture *f = *state;
    f->options.only_correct = true;
    f->options.max_tokens = 8;
    assert_int_equal(export_runs(f, &f->source, 1, NULL), CORD_BAD_USAGE); /* tokens of which model? */
    f->options.count_tokens = count_words;                                 /* 4 in the question, 5 in the response */
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_TOKENS], 1);
    f->options.max_tokens = 9;
    assert_true(text_ends(rows_of(f), TEXT("So \\\\boxed{5}\"}]}\n")));
    assert_true(f->figures.tokens.max == 9);

    /* with a template, what a trainer renders is counted, of a pair too; four more a turn here */
    struct turn turn;
    cord_text wordy = TEXT("{% for m in messages %}so says the {{ m.role }} {{ m.content }}{% endfor %}");
    assert_ok(turn_open(&turn, wordy, TEXT(""), TEXT(""), err));
    f->options.turn = &turn;
    f->options.max_tokens = 16;
    assert_text(rows_of(f), "");
    f->options.max_tokens = 17;
    assert_true(rows_of(f).len > 0);
    assert_true(f->figures.tokens.max == 17);
    f->options.format = training_format("dpo");
    f->options.max_tokens = 0;
    rows_of(f);
    double rendered = f->figures.tokens.max;
    f->options.turn = NULL;
    rows_of(f);
    assert_true(f->figures.tokens.max == rendered - 8);
    turn_close(&turn);
}

/* As if "<odd>" were one token of the student's, and three where it is none. */
static cord_status count_plain(void *ctx, cord_text text, int *n, cord_error *e) {
    CORD_TRY(count_words(ctx, text, n, e));
    if (text_find(text, TEXT("<odd>")) >= 0) *n += 2;
    return CORD_OK;
}

/* A token of the student's own is found by its tokenizer, whatever it looks like. */
static void test_special_tokens(void **state) {
    struct fixture *f = *state;
    retell_sample(
        f, "{\"id\":\"p1\",\"question\":\"What is 2 + 3?\",\"answer\":\"5\",\"full_context\":\"See <odd> there.\"}");
    f->options.full_context = true;
    f->options.drop = 1U << FLAW_SPECIAL_TOKEN;
    assert_true(rows_of(f).len > 0); /* nobody's token */
    assert_int_equal(f->figures.full_contexts, 1);
    f->options.count_tokens = count_words;
    f->options.count_plain = count_plain;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_FLAW], 1);
    f->options.drop = 0;
    assert_true(rows_of(f).len > 0);
    assert_int_equal(f->figures.flaws[FLAW_SPECIAL_TOKEN], 1);
}

static void test_dedupe(void **state) {
    struct fixture *f = *state;
    const struct export_source twice[2] = {f->source, f->source};
    f->options.mixed = true;
    assert_ok(export_runs(f, twice, 2, err));
    assert_int_equal(f->figures.rows, 2);
    f->options.dedupe = true;
    assert_ok(export_runs(f, twice, 2, err));
    assert_int_equal(f->figures.rows, 1);
    assert_int_equal(f->figures.removed_n[FILTER_DUPLICATE], 1);
}

static void test_exclude(void **state) {
    struct fixture *f = *state;
    struct overlap overlap;
    char path[100];
    snprintf(path, sizeof path, "%s/eval.jsonl", f->folder);
    assert_ok(file_write_atomic(path,
                                TEXT("{\"question\": \"Something else, of which nothing is here.\"}\n"
                                     "{\"problem\": \"what IS: 2, 3? Then we hold\"}\n"),
                                err));
    overlap_init(&overlap, 13);
    assert_ok(overlap_add(&overlap, path, NULL, err));
    f->options.exclude = &overlap;
    rows_of(f);
    assert_int_equal(f->figures.rows, 1); /* "2 + 3? Then" stands nowhere in one piece */
    overlap_release(&overlap);
    overlap_init(&overlap, 4);
    assert_ok(overlap_add(&overlap, path, NULL, err));
    char *list = NULL;
    size_t len;
    f->options.matches = open_memstream(&list, &len);
    rows_of(f);
    fclose(f->options.matches);
    assert_int_equal(f->figures.rows, 0);
    assert_int_equal(f->figures.removed_n[FILTER_EXCLUDED], 1);
    json_t *match = line_of((cord_text){list, len}, 0);
    assert_text(content_at(match, "id"), "p1");
    assert_text(content_at(match, "in"), "question");
    assert_text(content_at(match, "file"), path);
    assert_text(content_at(match, "words"), "What is 2 + 3");
    assert_int_equal(json_integer_value(json_object_get(match, "line")), 2);
    json_decref(match);
    free(list);
    overlap_release(&overlap);
}

/* Rows of a format that no evaluation set has a part of, which is one question of four words. */
static int64_t clean_rows(struct fixture *f, const char *format, const char *question) {
    struct overlap overlap;
    char path[100];
    snprintf(path, sizeof path, "%s/eval.txt", f->folder);
    assert_ok(file_write_atomic(path, text_of(question), err));
    overlap_init(&overlap, 4);
    assert_ok(overlap_add(&overlap, path, NULL, err));
    f->options.format = training_format(format);
    f->options.exclude = &overlap;
    rows_of(f);
    f->options.exclude = NULL;
    overlap_release(&overlap);
    assert_int_equal(f->figures.rows + f->figures.removed_n[FILTER_EXCLUDED], 1);
    return f->figures.rows;
}

/* Filters see both of a pair, and of steps what stands before them. */
static void test_filters_of_pairs(void **state) {
    struct fixture *f = *state;
    prefer_correct(f);
    assert_int_equal(clean_rows(f, "dpo", "Then we hold five"), 0); /* the rejected one */
    assert_int_equal(clean_rows(f, "dpo", "Step 1: add two"), 0);
    assert_int_equal(clean_rows(f, "step-dpo", "Then we hold five"), 0);
    assert_int_equal(clean_rows(f, "step-dpo", "Then we hold six"), 0);
    assert_int_equal(clean_rows(f, "step-dpo", "Count. Step 2: then"), 0); /* the prefix and a step */
    assert_int_equal(clean_rows(f, "step-dpo", "Step 1: add two"), 1);

    f->options.count_tokens = count_words; /* 4 in the question, 9 in the steps, the last one included */
    f->options.max_tokens = 12;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_TOKENS], 1);
    f->options.max_tokens = 13;
    assert_true(rows_of(f).len > 0);
    f->options.max_tokens = 0;

    f->options.min_lift = 0.76; /* 0.875 - 0.125 is less */
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_LIFT], 1);
    assert_int_equal(f->figures.removed_n[FILTER_NO_PAIR], 0);
    f->options.min_lift = 0.74;
    assert_true(rows_of(f).len > 0);
    assert_true(f->figures.words.sum > 12); /* the question has four */
    f->options.min_lift = -1;
    f->options.min_score = 0.9;
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_SCORE], 1);
    f->options.min_score = 0;

    f->options.drop = 1U << FLAW_WEAK_STEP;
    assert_int_equal(export_runs(f, &f->source, 1, NULL), CORD_BAD_USAGE);
    f->options.drop = 1U << FLAW_UNCLOSED;
    assert_true(rows_of(f).len > 0);
    f->sample.candidates[2][0].step = TEXT("five ```");
    f->sample.candidates[2][0].reasoning = TEXT(SAMPLE_CUT "five ```");
    retell_sample(f, NULL);
    assert_text(rows_of(f), "");
    assert_int_equal(f->figures.removed_n[FILTER_FLAW], 1);
}

/* ---- several runs, several files ------------------------------------------------------------------------------------ */

static void test_mixed_runs(void **state) {
    struct fixture *f = *state;
    struct export_source twice[2] = {f->source, f->source};
    cord_error e = {0};
    twice[1].folder = "runs/other";
    assert_int_equal(export_runs(f, twice, 2, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.message, "mixed runs: the problem 'p1'"));
    assert_non_null(strstr(e.message, "runs/other"));
    assert_int_equal(f->len[0], 0);
}

static void test_splits(void **state) {
    struct fixture *f = *state;
    struct export_split splits[] = {{.name = "train", .share = 0.9}, {.name = "test", .share = 0.1}};
    int in[2] = {0}, moved = 0;
    for (int i = 0; i < 20000; i++) {
        char id[32];
        cord_text text = {id, (size_t)snprintf(id, sizeof id, "problem-%d", i)};
        int at = export_split_of(splits, 2, text);
        in[at]++;
        splits[0].share = 0.8, splits[1].share = 0.2; /* another share moves from one side to the other only */
        moved += at == 1 && export_split_of(splits, 2, text) == 0;
        splits[0].share = 0.9, splits[1].share = 0.1;
    }
    assert_in_range(in[1], 1850, 2150);
    assert_int_equal(moved, 0);
    /* where an id belongs is for ever: computed once by hand from its SHA-256 */
    splits[0].share = splits[1].share = 0.5;
    assert_int_equal(export_split_of(splits, 2, TEXT("p1")), 1); /* 0.962 */
    assert_int_equal(export_split_of(splits, 2, TEXT("p2")), 0); /* 0.224 */
    (void)f;
}

static void test_disk_that_is_full(void **state) {
    struct fixture *f = *state;
    cord_error e = {0};
    FILE *full = f->splits[0].file = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(export_rows(&f->source, 1, &f->options, &f->figures, &e), CORD_IO_ERROR);
    assert_non_null(strstr(e.message, "make room"));
    fclose(full);
}

/* ---- the full context --------------------------------------------------------------------------------------------- */

/* The run saw "A short one.\n\nWhy?"; its row knows more. */
#define ROW_WITH(fields) "{\"id\":\"p1\",\"answer\":\"5\"," fields "}"

static void tell_with_context(struct fixture *f, const char *question, const char *row) {
    struct problem problems[SAMPLE_PROBLEMS];
    sample_set(problems);
    problems[0].question.text = text_of(question);
    problems[0].row = text_of(row);
    journal_close(f->source.journal);
    scratch_remove(f->folder);
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &f->source.journal, err));
    assert_ok(sample_put(f->source.journal, problems, SAMPLE_PROBLEMS, err));
    sample_name_teachers(f->source.journal);
    sample_tell(f->source.journal, 1, &f->sample);
}

static void assert_prompt(struct fixture *f, const char *prompt, int64_t full_contexts) {
    f->options.format = training_format("prompt-completion");
    json_t *row = line_of(rows_of(f), 0);
    assert_text(content_at(row, "prompt"), prompt);
    assert_int_equal(f->figures.full_contexts, full_contexts);
    json_decref(row);
}

static void test_full_context(void **state) {
    struct fixture *f = *state;
    cord_error e = {0};
    f->options.full_context = true;
    assert_prompt(f, "What is 2 + 3?", 0); /* the row has none */

    tell_with_context(
        f, "A short one.\n\nWhy?",
        ROW_WITH("\"context\":\"A short one.\",\"full_context\":\"A long, long one.\",\"question\":\"Why?\""));
    assert_prompt(f, "A long, long one.\n\nWhy?", 1);
    f->options.full_context = false;
    assert_prompt(f, "A short one.\n\nWhy?", 0);

    /* fields that only the recipe names */
    f->options.full_context = true;
    tell_with_context(f, "Brief.\n\nWhy?",
                      ROW_WITH("\"short\":\"Brief.\",\"long\":\"Epic.\",\"q\":\"Why?\",\"question\":\"No\""));
    f->source.fields =
        (struct problem_options){.question_field = "q", .context_field = "short", .full_context_field = "long"};
    assert_prompt(f, "Epic.\n\nWhy?", 1);
    f->source.fields.answer_field = "none"; /* the gold was the trace's, as in a selection */
    assert_prompt(f, "Epic.\n\nWhy?", 1);
    f->source.fields.answer_field = NULL;
    f->options.format = training_format("verl");
    json_t *row = line_of(rows_of(f), 0);
    assert_text(content_at(json_object_get(row, "extra_info"), "question"), "Epic.\n\nWhy?");
    json_decref(row);
    f->options.format = training_format("step-dpo");
    row = line_of(rows_of(f), 0);
    assert_text(content_at(row, "prompt"), "Epic.\n\nWhy?");
    json_decref(row);

    /* another row than the one that was run, or another way of reading it: nothing is guessed */
    f->source.fields.context_field = NULL;
    assert_int_equal(export_runs(f, &f->source, 1, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.message, "'p1' does not read as it did when it was run (another question)"));
    f->source.fields.context_field = "brief";
    e = (cord_error){0};
    assert_int_equal(export_runs(f, &f->source, 1, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.message, "there is no field 'brief'"));
    f->source.fields = (struct problem_options){0};

    f->options.search_prompt = true;
    assert_non_null(
        strstr(export_refusal(&(struct export_options){
                   .format = training_format("prompt-completion"), .search_prompt = true, .full_context = true}),
               "--full-context"));
    f->options.search_prompt = false;
}

/* Options that say nothing of a layout. */
static void test_options_of_other_formats(void **state) {
    (void)state;
    struct export_options o = {.margin = 0.1, .top = 1, .min_lift = -1};
    for (int i = 0; (o.format = training_format_at(i)); i++) {
        if (o.format->texts >= TEXTS_RENDERED) continue; /* these lack a template */
        const char *refusal = export_refusal(&o);
        assert_int_equal(o.format->kind == ROW_TRACE, refusal && strstr(refusal, "--margin"));
    }
    o.margin = -1;
    o.top = 2;
    for (int i = 0; (o.format = training_format_at(i)); i++) {
        if (o.format->texts >= TEXTS_RENDERED) continue;
        const char *refusal = export_refusal(&o);
        assert_int_equal(o.format->kind == ROW_PAIR || o.format->kind == ROW_STEP_PAIR,
                         refusal && strstr(refusal, "--top"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_only_correct),
        TEST(test_other_criteria),
        TEST(test_no_answer_trains_nobody),
        TEST(test_top),
        TEST(test_markers),
        TEST(test_markers_of_given_traces),
        TEST(test_other_tags),
        TEST(test_search_prompt),
        TEST(test_traps_of_templates),
        TEST(test_provenance),
        TEST(test_provenance_of_pairs),
        TEST(test_cut),
        TEST(test_nothing_between),
        TEST(test_max_tokens),
        TEST(test_special_tokens),
        TEST(test_dedupe),
        TEST(test_exclude),
        TEST(test_filters_of_pairs),
        TEST(test_mixed_runs),
        TEST(test_splits),
        TEST(test_disk_that_is_full),
        TEST(test_full_context),
        TEST(test_options_of_other_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
