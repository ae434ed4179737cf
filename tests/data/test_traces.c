/* test_traces.c - files of traces as users have them: LIMO's and s1K's fields, conversations, lists, several rows of one
 * problem; and rows that are wrong, each with its line and its field. */
#include "scratch.h"

#include "data/problem_sets.h"
#include "data/traces.h"

static struct trace_set set;
static struct problem *problems; /* of the set */
static struct arena arena;
static cord_error why;

static int release_set(void **state) {
    (void)state;
    trace_set_release(&set);
    arena_release(&arena);
    return 0;
}

static cord_status read_set(const char *content, struct trace_options options) {
    release_set(NULL);
    options.problems.path = scratch_write("rows", text_of(content));
    why = (cord_error){0};
    CORD_TRY(trace_set_read(&set, &options, &why));
    problems = problems_of_set(&set.problems, &arena);
    return CORD_OK;
}

#define READ(content, ...)                                                     \
    do {                                                                       \
        if (read_set(content, (struct trace_options){__VA_ARGS__}) != CORD_OK) \
            fail_msg("%s: %s", why.where, why.message);                        \
    } while (0)

static struct trace_list traces_of(int problem) {
    struct trace_list list;
    assert_ok(trace_set_get(&set, problem, &arena, &list, err));
    return list;
}

static void assert_trace(int problem, int nth, const char *source, const char *reasoning, const char *reply) {
    assert_true(nth < traces_of(problem).n);
    const struct trace *t = &traces_of(problem).traces[nth];
    assert_string_equal(set.sources[t->source], source);
    assert_text(t->reasoning, reasoning);
    assert_text(t->reply, reply);
}

#define Q "{\"question\": \"Q?\", \"answer\": \"4\", "

static void known_layouts_are_recognised(void **state) {
    (void)state;
    READ(
        "{\"question\": \"limo\", \"solution\": \"It is 4.\\n\\n**Final Answer**\\n\\n\\\\boxed{4}\", \"answer\": "
        "\"4\"}\n"
        "{\"solution\": \"See \\\\boxed{144}\", \"question\": \"s1\", \"deepseek_thinking_trajectory\": \"Hm.\", "
        "\"deepseek_attempt\": \"So \\\\boxed{144}\", \"gemini_thinking_trajectory\": \"Ah.\", \"gemini_attempt\": "
        "\"145\"}\n"
        "{\"question\": \"s1 of old\", \"solution\": \"2\", \"thinking_trajectories\": [\"Oh.\"], \"attempt\": \"2\"}\n"
        "{\"problem\": \"messages\", \"answer\": \"1\", \"messages\": [{\"role\": \"user\", \"content\": \"x\"}, "
        "{\"role\": "
        "\"assistant\", \"content\": \"<think>\\nAha.\\n</think>\\n\\nOne.\"}]}\n"
        "{\"gold\": \"1\", \"conversations\": [{\"from\": \"human\", \"value\": \"asked here\"}, {\"from\": \"gpt\", "
        "\"value\": "
        "\"All in one\"}]}\n"
        "{\"gold\": \"1\", \"question\": \"api\", \"messages\": [{\"role\": \"assistant\", \"reasoning_content\": "
        "\"Why?\", "
        "\"content\": \"Because.\"}]}\n"
        "{\"conversations\": [{\"from\": \"user\", \"value\": \"tags\"}, {\"from\": \"assistant\", \"value\": "
        "\"<|begin_of_thought|>\\n\\nNo </think> here.\\n\\n<|end_of_thought|>\\n\\n<|begin_of_solution|>\\n\\nIt is "
        "\\\\boxed{4}.\\n\\n<|end_of_solution|>\"}]}\n"
        "{\"problem\": \"metadata\", \"deepseek_reasoning\": \"Okay.\", \"deepseek_solution\": \"So 5.\", "
        "\"ground_truth_solution\": \"5\"}\n",
        .n_fields = 0);
    assert_int_equal(set.problems.n, 8);
    assert_int_equal(set.problems.n_bad, 0);
    assert_int_equal(set.n_traces, 9);
    assert_trace(0, 0, "solution", "It is 4.\n\n**Final Answer**\n\n\\boxed{4}", "");
    assert_text(problems[0].gold, "4");
    assert_int_equal(traces_of(1).n, 2); /* a solution beside traces is none */
    assert_trace(1, 0, "deepseek", "Hm.", "So \\boxed{144}");
    assert_trace(1, 1, "gemini", "Ah.", "145");
    assert_text(problems[1].gold, "144");
    assert_trace(2, 0, "gemini", "Oh.", "2");
    assert_trace(3, 0, "messages", "Aha.", "One.");
    assert_trace(4, 0, "conversations", "All in one", "");
    assert_text(problems[4].question.text, "asked here");
    assert_trace(5, 0, "messages", "Why?", "Because.");
    assert_trace(6, 0, "conversations", "No </think> here.", "It is \\boxed{4}.");
    assert_text(problems[6].gold, "4");
    assert_trace(7, 0, "deepseek", "Okay.", "So 5.");
}

static void rows_of_a_problem_come_together(void **state) {
    (void)state;
    READ("{\"id\": 7, \"question\": \"A\", \"answer\": \"4\", \"trace\": \"one\", \"by\": \"x\", \"n\": 27.0}\n" Q
         "\"trace\": [\"two</think> said\", null, {\"text\": \"three\", \"reply\": \"r\"}], \"by\": \"y\"}\n"
         "{\"id\": 7, \"question\": \"A\", \"answer\": \"4\", \"trace\": \"four\", \"by\": \"y\"}\n" Q
         "\"trace\": \"five\", \"by\": \"y\"}\n",
         .source_field = "by");
    assert_int_equal(set.problems.n, 2);
    assert_int_equal(traces_of(0).n, 2);
    assert_trace(0, 0, "x", "one", "");
    assert_trace(0, 1, "y", "four", "");
    assert_trace(1, 0, "y", "two", "said");
    assert_trace(1, 1, "y", "three", "r");
    assert_trace(1, 2, "y", "five", "");
    assert_int_equal(traces_of(1).traces[2].sample, 2);
    assert_int_equal(traces_of(1).traces[2].line, 4);
    assert_int_equal(problems[1].line, 2);
    const char *row = "{\"id\":7,\"question\":\"A\",\"answer\":\"4\",\"by\":\"x\",\"n\":27.0,\"traces_sha256\":\"";
    assert_true(text_starts(problems[0].row, text_of(row)));
    char before[128], id[32];
    snprintf(before, sizeof before, "%s", strstr(problems[1].row.data, "sha256"));
    snprintf(id, sizeof id, "%s", problems[1].question.id.data);
    assert_true(strlen(id) == 18);
    READ(Q "\"trace\": [\"two</think> said\", {\"text\": \"three\", \"reply\": \"R\"}, \"five\"], \"by\": \"y\"}\n",
         .source_field = "by");
    assert_string_equal(problems[0].question.id.data, id);
    assert_string_not_equal(strstr(problems[0].row.data, "sha256"), before); /* a changed trace is seen */
}

static void problems_can_be_skipped(void **state) {
    (void)state;
    static const char content[] = "{\"question\": \"A\", \"answer\": \"1\", \"trace\": \"a\"}\n"
                                  "{\"question\": \"B\", \"answer\": \"2\", \"trace\": \"b\"}\n"
                                  "{\"question\": \"A\", \"answer\": \"1\", \"trace\": \"more\"}\n"
                                  "{\"question\": \"C\", \"answer\": \"3\", \"trace\": \"c\"}\n";
    READ(content, .problems = {.skip = 1, .limit = 1});
    assert_int_equal(set.problems.n, 1);
    assert_text(problems[0].question.text, "B");
    assert_int_equal(problems[0].index, 0);
    assert_trace(0, 0, "trace", "b", "");
    READ(content, .problems = {.skip = 2});
    assert_int_equal(set.problems.n, 1);
    assert_trace(0, 0, "trace", "c", "");
    assert_int_equal(read_set(content, (struct trace_options){.problems = {.skip = 3}}), CORD_BAD_INPUT);
    assert_string_equal(why.message, "there is no row left after those that were skipped");
}

static void fields_can_be_named(void **state) {
    (void)state;
    static const char *const fields[] = {"a", "b"}, *const attempts[] = {"a2"};
    READ("{\"q\": \"Q\", \"gold\": \"1\", \"a\": [\"x\", \"y\"], \"a2\": [\"1\", null], \"b\": \"z\", \"trace\": "
         "\"no\"}\n",
         .fields = fields, .attempts = attempts, .n_fields = 2, .n_attempts = 1, .problems = {.question_field = "q"});
    assert_int_equal(traces_of(0).n, 3);
    assert_trace(0, 0, "a", "x", "1");
    assert_trace(0, 1, "a", "y", "");
    assert_trace(0, 2, "b", "z", "");
}

static void a_named_field_may_be_null(void **state) {
    (void)state;
    static const char *const fields[] = {"other", "t"};
    const struct trace_options options = {.fields = fields, .n_fields = 2};
    assert_int_equal(read_set(Q "\"t\": null}\n", options), CORD_BAD_INPUT);
    assert_non_null(strstr(why.message, "the trace in the field 't' is null"));
    assert_int_equal(read_set(Q "\"x\": null}\n", options), CORD_BAD_INPUT);
    assert_non_null(strstr(why.message, "the row has no trace in the field 'other'; it has 'question', 'answer', 'x'"));
}

static void what_is_wrong_is_told_with_line_and_field(void **state) {
    (void)state;
    static const struct {
        const char *row, *why;
    } rows[] = {
        {Q "\"trace\": 5}", "trace 1 in the field 'trace' is a number"},
        {Q "\"trace\": [\"x\", [1]]}", "trace 2 in the field 'trace' is a list"},
        {Q "\"trace\": []}", "the list in the field 'trace' is empty"},
        {Q "\"trace\": {\"y\": 1}}", "an object without a text named"},
        {Q "\"x\": 1}", "the row has no trace"},
        {Q "\"trace\": null}", "the trace in the field 'trace' is null"},
        {Q "\"reasoning\": null, \"cot\": \"x\"}",
         "'cot': where the traces are elsewhere, name the field with --trace"},
        {Q "\"generations\": [null, null]}", "the trace in the field 'generations' is null"},
        {Q "\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}", "'messages' has no turn of the assistant"},
        {Q "\"messages\": [{\"role\": \"assistant\", \"content\": [{\"type\": \"text\", \"text\": \"x\"}]}]}",
         "the assistant's turn in the field 'messages' has no text as its content"},
        {Q "\"deepseek_thinking_trajectory\": [\"x\", \"y\"], \"deepseek_attempt\": \"z\"}",
         "one attempt for 2 traces"},
        {Q "\"deepseek_thinking_trajectory\": [\"x\"], \"deepseek_attempt\": [\"z\", \"z\"]}",
         "has 2 attempts for 1 traces"},
        {Q "\"deepseek_thinking_trajectory\": \"x\", \"deepseek_attempt\": 4}", "'deepseek_attempt' holds a number"},
        {"{\"question\": \"Q\", \"trace\": \"x\"}", "the row has no answer"},
        {"{\"answer\": \"1\", \"trace\": \"x\"}", "the row has no question"},
        {"{\"question\": \"first\", \"answer\": \"5\", \"trace\": \"x\"}", "another answer in line 1: '4'"},
        {"{\"id\": \"one\", \"question\": \"Q\", \"answer\": \"5\", \"trace\": \"x\"}",
         "the id 'one' has another question in line 2"},
        {"{broken", "not valid JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char content[600];
        snprintf(content, sizeof content,
                 "{\"question\": \"first\", \"answer\": \"4\", \"trace\": \"x\"}\n{\"id\": \"one\", \"question\": "
                 "\"other\", "
                 "\"answer\": \"4\", \"trace\": \"x\"}\n%s\n",
                 rows[i].row);
        READ(content, .n_fields = 0);
        assert_int_equal(set.problems.n, 3);
        assert_int_equal(set.problems.n_bad, 1);
        const struct problem *bad = &problems[2];
        if (!bad->bad || !strstr(bad->bad, rows[i].why)) fail_msg("wanted '%s', got '%s'", rows[i].why, bad->bad);
        assert_int_equal(bad->line, 3);
        assert_int_equal(traces_of(2).n, 0);
        assert_int_equal(read_set(rows[i].row, (struct trace_options){.n_fields = 0}) == CORD_OK,
                         strstr(rows[i].why, "another") != NULL);
        if (why.code) assert_non_null(strstr(why.where, ":1"));
    }
    assert_int_equal(read_set("\n", (struct trace_options){.n_fields = 0}), CORD_BAD_INPUT);
    assert_string_equal(why.message, "there is no row in this file");
}

static void sources_keep_their_numbers(void **state) {
    (void)state;
    static const char *const known[] = {"old", "b"};
    READ(Q "\"trace\": [{\"text\": \"x\", \"model\": \"a\"}, {\"text\": \"y\", \"model\": \"b\"}]}\n", .n_fields = 0);
    assert_ok(trace_set_renumber(&set, known, 2, err));
    assert_int_equal(set.n_sources, 3);
    assert_trace(0, 0, "a", "x", "");
    assert_trace(0, 1, "b", "y", "");
    assert_int_equal(traces_of(0).traces[1].source, 1);
    assert_int_equal(traces_of(0).traces[0].source, 2);
}

/* More than memory is meant to hold: problems and traces lie on disk, and the rows of a problem far apart. */
static void many_traces_lie_on_disk(void **state) {
    (void)state;
    enum { MANY = 6000, TIMES = 3 };
    struct buf content;
    char text[400];
    memset(text, 't', sizeof text);
    buf_init(&content, "test content", 1 << 26);
    for (int time = 0; time < TIMES; time++)
        for (int i = 0; i < MANY; i++)
            buf_addf(&content,
                     "{\"id\":%d,\"question\":\"Q%d\",\"answer\":\"%d\",\"trace\":\"%d %d %.400s\",\"by\":\"%c\"}\n", i,
                     i, i, i, time, text, 'a' + time % 2);
    READ(content.data, .source_field = "by", .problems = {.limit = MANY - 1});
    buf_release(&content);
    assert_true(set.traces.file >= 0 && set.problems.kept.file >= 0);
    assert_int_equal(set.problems.n, MANY - 1);
    assert_int_equal(set.n_traces, TIMES * MANY);
    for (int i = 0; i < MANY - 1; i++) {
        struct trace_list list = traces_of(i);
        assert_int_equal(problems[i].index, i);
        assert_text(problems[i].gold, arena_printf(&arena, "%d", i));
        assert_int_equal(list.n, TIMES);
        for (int time = 0; time < TIMES; time++) {
            const struct trace *t = &list.traces[time];
            assert_text(t->reasoning, arena_printf(&arena, "%d %d %.400s", i, time, text));
            assert_true(t->source == time % 2 && t->sample == time / 2 && t->line == time * MANY + i + 1);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(known_layouts_are_recognised, release_set),
        cmocka_unit_test_teardown(rows_of_a_problem_come_together, release_set),
        cmocka_unit_test_teardown(problems_can_be_skipped, release_set),
        cmocka_unit_test_teardown(fields_can_be_named, release_set),
        cmocka_unit_test_teardown(a_named_field_may_be_null, release_set),
        cmocka_unit_test_teardown(what_is_wrong_is_told_with_line_and_field, release_set),
        cmocka_unit_test_teardown(sources_keep_their_numbers, release_set),
        cmocka_unit_test_teardown(many_traces_lie_on_disk, release_set),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
