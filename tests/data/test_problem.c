/* test_problem.c - problem sets as users have them: rows in the layouts of GSM8K and MATH, and rows that are broken in
 * every way that can be told. The files are written here, so that a test shows what it reads. */
#include "scratch.h"

#include "data/problem_sets.h"

static struct problem_set set;
static struct problem *problems; /* of the set */
static struct arena arena;
static cord_error why;

static int release_set(void **state) {
    (void)state;
    problem_set_release(&set);
    arena_release(&arena);
    return 0;
}

static cord_status read_set(const char *content, struct problem_options options) {
    release_set(NULL);
    options.path = scratch_write("rows", text_of(content));
    why = (cord_error){0};
    CORD_TRY(problem_set_read(&set, &options, &why));
    problems = problems_of_set(&set, &arena);
    return CORD_OK;
}

#define OPTIONS(...) ((struct problem_options){__VA_ARGS__})
#define READ(content, ...)                                                                                  \
    do {                                                                                                    \
        if (read_set(content, OPTIONS(__VA_ARGS__)) != CORD_OK) fail_msg("%s: %s", why.where, why.message); \
    } while (0)

static void gsm8k_is_recognised(void **state) {
    (void)state;
    READ("{\"question\": \" How many? \", \"answer\": \"It is 2/2=<<2/2=1>>1.\\nSo 1+2=<<1+2=1080>>1,080\\n#### "
         "1,080\"}\n"
         "{\"question\": \"a\\u2019b <|im_end|>\", \"answer\": \"#### -3\\n\"}",
         .limit = 0);
    assert_int_equal(set.n, 2);
    assert_int_equal(set.n_bad, 0);
    const struct problem *p = problems;
    assert_text(p->question.text, " How many? ");
    assert_text(p->gold, "1,080");
    assert_text(p->target, "1,080");
    assert_true(text_starts(p->row, TEXT("{\"question\": \" How")) && text_ends(p->row, TEXT("}")));
    assert_null(p->bad);
    assert_text(p[1].question.text, "a\xE2\x80\x99"
                                    "b <|im_end|>");
    assert_text(p[1].gold, "-3");
    assert_int_equal(p[1].line, 2);
    assert_int_equal(p[1].index, 1);
}

static void math_is_recognised(void **state) {
    (void)state;
    READ("{\"problem\": \"p\", \"solution\": \"so \\\\boxed{1}\", \"answer\": \"\\\\left( 3, 4 \\\\right)\", "
         "\"unique_id\": \"test/807.json\"}\n"
         "{\"problem\": \"q\", \"solution\": \"First \\\\boxed{2}, then $\\\\boxed{\\\\frac{3}{4}}.$\"}\n"
         "{\"problem\": \"r\", \"answer\": \"\\\\boxed{3} or \\\\boxed{4}\"}\n"
         "{\"problem\": \"s\", \"answer\": \"A text.\\nThen \\\\boxed{ 5 }\"}",
         .limit = 0);
    assert_text(problems[0].gold, "\\left( 3, 4 \\right)");
    assert_text(problems[0].question.id, "test/807.json");
    assert_text(problems[1].gold, "\\frac{3}{4}");
    assert_text(problems[2].gold, "\\boxed{3} or \\boxed{4}");
    assert_text(problems[3].gold, "5");
}

static void the_format_can_be_named(void **state) {
    (void)state;
    const char *row = "{\"question\":\"q\",\"answer\":\"#### 1\\n\\\\boxed{2}\\n#### 3\"}";
    READ(row, .format = ANSWER_AUTO);
    assert_text(problems->gold, "3");
    READ(row, .format = ANSWER_HASHES);
    assert_text(problems->gold, "3");
    READ(row, .format = ANSWER_BOXED);
    assert_text(problems->gold, "2");
    READ(row, .format = ANSWER_VERBATIM);
    assert_text(problems->gold, "#### 1\n\\boxed{2}\n#### 3");
    READ("{\"question\":\"q\",\"answer\":\"#### Heading\\ntext\"}", .format = ANSWER_AUTO);
    assert_text(problems->gold, "#### Heading\ntext");
    assert_int_equal(read_set("{\"question\":\"q\",\"answer\":\"3\"}", OPTIONS(.format = ANSWER_HASHES)),
                     CORD_BAD_INPUT);
    assert_non_null(strstr(why.message, "has no \"####\""));
    assert_int_equal(read_set("{\"question\":\"q\",\"answer\":\"\\\\boxed{3\"}", OPTIONS(.format = ANSWER_BOXED)),
                     CORD_BAD_INPUT);
    assert_non_null(strstr(why.message, "no complete \\boxed"));
}

static void fields_can_be_named(void **state) {
    (void)state;
    READ("{\"q\":\"x\",\"a\":27.0,\"t\":\" long \",\"n\":7,\"question\":\"no\",\"answer\":\"no\"}",
         .question_field = "q", .answer_field = "a", .target_field = "t", .id_field = "n");
    assert_text(problems->question.text, "x");
    assert_text(problems->gold, "27.0");
    assert_text(problems->target, "long");
    assert_text(problems->question.id, "7");
    READ("{\"question\":null,\"problem\":\"p\",\"answer\":12345678901234567890123}", .limit = 0);
    assert_text(problems->question.text, "p");
    assert_text(problems->gold, "12345678901234567890123");
}

static void ids_from_questions_stay_when_rows_move(void **state) {
    (void)state;
    const char *a = "{\"question\":\"a\",\"answer\":\"1\"}", *b = "{\"answer\":\"2\",\"question\":\"b\"}";
    char content[200], id_a[40], id_b[40];
    snprintf(content, sizeof content, "%s\n%s\n", a, b);
    READ(content, .limit = 0);
    snprintf(id_a, sizeof id_a, "%s", problems[0].question.id.data);
    snprintf(id_b, sizeof id_b, "%s", problems[1].question.id.data);
    assert_string_not_equal(id_a, id_b);
    assert_string_equal(id_a, "p-ca978112ca1bbdca"); /* printf a | sha256sum: the answer has no part in it */
    snprintf(content, sizeof content, "\xEF\xBB\xBF%s\r\n\r\n%s", b, a);
    READ(content, .limit = 0);
    assert_string_equal(problems[0].question.id.data, id_b);
    assert_string_equal(problems[1].question.id.data, id_a);
    assert_int_equal(problems[1].line, 3);
    assert_text(problems[0].row, b); /* without the byte order mark and the carriage return */
}

static void bad_rows_are_told_and_the_others_go_on(void **state) {
    (void)state;
    static const struct {
        const char *row, *id, *bad;
    } rows[] = {
        {"{\"id\":\"a\",\"question\":\"q\",\"answer\":\"1\"}", "a", NULL},
        {"{\"id\":\"b\",\"question\":\"q\",\"answer\":\"1\"", "line-2", "not valid JSON at column"},
        {"[1, 2]", "line-3", "must be a JSON object, this is a list"},
        {"{\"id\":\"c\",\"text\":\"q\",\"answer\":\"1\"}", "c",
         "no question ('question', 'problem', 'prompt'); it has 'id', 'text', 'answer'"},
        {"{\"id\":\"d\",\"question\":\"q\"}", "d",
         "no answer ('answer', 'gold', 'final_answer', 'solution'); it has 'id', 'question'"},
        {"{\"id\":\"e\",\"question\":\"q\",\"answer\":\" \"}", "e", "the answer in the field 'answer' is empty"},
        {"{\"id\":\"f\",\"question\":\"\",\"answer\":\"1\"}", "f", "the question in the field 'question' is empty"},
        {"{\"id\":\"a\",\"question\":\"r\",\"answer\":\"1\"}", "line-8", "the same id stands in line 1 already"},
        {"{\"question\":\"r\",\"answer\":\"1\xFF\"}", "line-9", "0xff"},
        {"{\"id\":\"g\",\"question\":[\"q\"],\"answer\":\"1\"}", "g", "the field 'question' is a list"},
        {"{\"question\":\"q\",\"answer\":\"1\"}", NULL, NULL},
        {"{\"answer\":\"2\",\"question\":\"q\"}", "line-12", "the same question stands in line 11 already"},
        {"{\"id\":\"h\",\"question\":\"a\\u0000b\",\"answer\":\"1\"}", "h", "NUL"},
        {"{\"id\":\"b\",\"question\":\"q\",\"answer\":\"1\"}", "b", NULL},
        {"{\"id\":\"\",\"question\":\"z\",\"answer\":\"yes\"}", NULL, NULL},
        {"{\"id\":[],\"question\":\"z\",\"answer\":\"1\"}", "line-16", "the field 'id' is a list"},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    char content[4000] = "";
    for (int i = 0; i < ROWS; i++)
        snprintf(content + strlen(content), sizeof content - strlen(content), "%s\n", rows[i].row);
    READ(content, .limit = 0);
    assert_int_equal(set.n, ROWS);
    int bad = 0;
    for (int i = 0; i < ROWS; i++) {
        const struct problem *p = &problems[i];
        assert_int_equal(p->line, i + 1);
        assert_int_equal(p->index, i);
        assert_text(p->row, rows[i].row);
        if (!rows[i].bad) {
            if (p->bad) fail_msg("line %d: %s", i + 1, p->bad);
        } else {
            bad++;
            if (!p->bad || !strstr(p->bad, rows[i].bad)) fail_msg("line %d: %s", i + 1, p->bad ? p->bad : "good");
            assert_int_equal(p->question.text.len + p->gold.len + p->target.len, 0);
        }
        if (rows[i].id) assert_text(p->question.id, rows[i].id);
    }
    assert_int_equal(set.n_bad, bad);
}

static void long_rows_are_kept_up_to_16_mib(void **state) {
    (void)state;
    struct buf content;
    buf_init(&content, "test content", 1 << 26);
    buf_addf(&content, "{\"answer\":\"1\",\"question\":\"");
    for (int i = 0; i < 1 << 20; i++) buf_addc(&content, 'q');
    buf_addf(&content, "\"}\n{\"answer\":\"2\",\"question\":\"");
    for (int i = 0; i < 17 << 20; i++) buf_addc(&content, 'q');
    buf_addf(&content, "\"}\n{\"answer\":\"3\",\"question\":\"q\"}\n");
    struct problem_options options = {.path = scratch_write("rows", buf_text(&content))};
    assert_ok(problem_set_read(&set, &options, err));
    problems = problems_of_set(&set, &arena);
    assert_int_equal(set.n, 3);
    assert_int_equal(set.n_bad, 1);
    assert_int_equal(problems[0].question.text.len, 1 << 20);
    assert_non_null(strstr(problems[1].bad, "a row may have at most 16777216"));
    assert_text(problems[1].row, "");
    assert_text(problems[1].question.id, "line-2");
    assert_text(problems[2].gold, "3");
    buf_release(&content);
}

static void rows_can_be_skipped_and_limited(void **state) {
    (void)state;
    char content[20000] = "";
    for (int i = 0; i < 200; i++)
        snprintf(content + strlen(content), sizeof content - strlen(content),
                 "{\"id\":%d,\"question\":\"q\",\"answer\":\"%d\"}\n", i, i);
    READ(content, .limit = 0);
    assert_int_equal(set.n, 200);
    assert_int_equal(set.n_bad, 0);
    assert_text(problems[199].gold, "199");
    READ(content, .skip = 150, .limit = 10);
    assert_int_equal(set.n, 10);
    assert_text(problems[0].question.id, "150");
    assert_int_equal(problems[0].line, 151);
    assert_int_equal(problems[0].index, 0);
    assert_int_equal(read_set(content, OPTIONS(.skip = 200)), CORD_BAD_INPUT);
    assert_string_equal(why.message, "there is no row left after those that were skipped");
}

static void what_cannot_be_read_at_all_is_an_error(void **state) {
    (void)state;
    const char *path = scratch_path("rows");
    char where[100];
    snprintf(where, sizeof where, "%s:2", path);
    assert_int_equal(read_set("\n \n", OPTIONS(.limit = 0)), CORD_BAD_INPUT);
    assert_string_equal(why.message, "there is no row in this file");
    assert_string_equal(why.where, path);
    assert_int_equal(read_set("\n{}\n[]\n", OPTIONS(.limit = 0)), CORD_BAD_INPUT);
    assert_non_null(strstr(why.message, "none of the 2 rows can be used: the row has no question"));
    assert_non_null(strstr(why.message, "it has no fields"));
    assert_string_equal(why.where, where);
    assert_int_equal(read_set("{\"question\":\"q\",\"answer\":\"1\"}", OPTIONS(.id_field = "key")), CORD_BAD_INPUT);
    assert_non_null(strstr(why.message, "there is no field 'key'; the row has 'question', 'answer'"));
    struct problem_options options = {.path = "/nowhere/to/be/found.jsonl"};
    assert_int_equal(problem_set_read(&set, &options, &why), CORD_IO_ERROR);
    assert_non_null(strstr(why.message, "/nowhere/to/be/found.jsonl"));
    options.path = "/";
    assert_int_equal(problem_set_read(&set, &options, &why), CORD_IO_ERROR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gsm8k_is_recognised, release_set),
        cmocka_unit_test_teardown(math_is_recognised, release_set),
        cmocka_unit_test_teardown(the_format_can_be_named, release_set),
        cmocka_unit_test_teardown(fields_can_be_named, release_set),
        cmocka_unit_test_teardown(ids_from_questions_stay_when_rows_move, release_set),
        cmocka_unit_test_teardown(bad_rows_are_told_and_the_others_go_on, release_set),
        cmocka_unit_test_teardown(long_rows_are_kept_up_to_16_mib, release_set),
        cmocka_unit_test_teardown(rows_can_be_skipped_and_limited, release_set),
        cmocka_unit_test_teardown(what_cannot_be_read_at_all_is_an_error, release_set),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
