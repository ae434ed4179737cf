/* test_sets.c - the known problem sets: small files after each one's documented layout, odd rows included (tests/data/sets),
 * and the real GSM8K and MATH-500 where they are at hand ($CORD_DATA, or ../shared/data beside the sources; else skipped). */
#include "scratch.h"

#include "base/json.h"
#include "data/duckdb.h"
#include "data/problem_sets.h"

/* A problem as it should be read; NULL: not looked at. With `bad`, that is part of the reason, and nothing else counts. */
struct wanted {
    const char *id, *gold, *target, *question, *bad, *full;
};

struct file {
    const char *name, *layout;
    bool judged;
    int n;
    struct wanted problems[15];
};

#define TABLE                                                                                          \
    "|  | 2019 % | 2018 % |\n| Rate of inflation | 2.9 | 2.9 |\n| Rate of increase in salaries | 2.7 " \
    "| 2.7 |\n\nActuarial assumptions\n\nThe present value is \"sensitive\".\n\n"
#define ABSTRACT "BACKGROUND: Programmed cell death is regulated.\n\nRESULTS: The role was shown.\n\n"

static const struct file files[] = {
    {"limo.jsonl",
     "LIMO",
     false,
     4,
     {{.gold = "2", .target = "2", .question = "Find the remainder of $2^{10}$ divided by 7."},
      {.gold = "\\pm\\sqrt{2}"},
      {.bad = "the answer in the field 'answer' is empty"},
      {.gold = "\\boxed{3}\nor \\boxed{4}"}}},
    {"limo-v2.jsonl", NULL, false, 3, {{.gold = "4"}, {.gold = "1"}, {.gold = "2"}}},
    {"s1k-1.1.jsonl",
     "s1K",
     false,
     3,
     {{.gold = "128", .target = "128"},
      {.gold = "\\frac{1}{2}"},
      {.bad = "the answer in the field 'solution' is null"}}},
    {"aime-2024.jsonl",
     "AIME",
     false,
     4,
     {{.id = "2024-II-4", .gold = "33"},
      {.id = "2024-I-1", .gold = "204"},
      {.id = "2024-I-2", .gold = "27", .target = "27"},
      {.id = "line-4", .bad = "the same id stands in line 3 already"}}},
    {"aime-2024-lower.jsonl", "AIME", false, 2, {{.id = "60", .gold = "204"}, {.id = "61", .gold = "25"}}},
    {"aime-2025.jsonl", "AIME", false, 2, {{.id = "0", .gold = "70"}, {.id = "1", .gold = "7"}}},
    {"aime-2025-question.jsonl", "fields", false, 2, {{.gold = "70"}, {.gold = "336^\\circ"}}},
    {"math.jsonl",
     "MATH",
     false,
     6,
     {{.gold = "2"},
      {.gold = "\\frac{1}{\\sqrt{2}}"},
      {.bad = "the field 'solution' has no complete \\boxed"},
      {.gold = "-\\boxed{3}"},
      {.gold = "$x=\\boxed{3}$ or $x=\\boxed{4}$"},
      {.gold = "\\boxed{50}\\%"}}},
    {"math-500.jsonl",
     "MATH-500",
     false,
     1,
     {{.id = "test/precalculus/807.json", .gold = "\\left( 3, \\frac{\\pi}{2} \\right)"}}},
    {"gsm8k.jsonl",
     "GSM8K",
     false,
     4,
     {{.gold = "72", .target = "72"},
      {.gold = "70,000"},
      {.gold = "18", .target = "18"},
      {.bad = "the answer in the field 'answer' is empty"}}},
    {"openr1-math.jsonl",
     "OpenR1-Math",
     false,
     2,
     {{.id = "586fd646-76d6-5070-8c81-9993ab9d8559", .gold = "v_{R}=4\\mathrm{~}"}, {.id = "a2", .gold = "B"}}},
    {"openthoughts.jsonl",
     "OpenThoughts",
     false,
     3,
     {{.gold = "4", .question = "Return your final response within \\boxed{}. What is $2+2$?"},
      {.bad = "the field 'conversations' has no complete \\boxed"},
      {.bad = "the row has no question"}}},
    {"openthoughts-metadata.jsonl",
     "OpenThoughts (metadata)",
     false,
     3,
     {{.gold = "4"}, {.bad = "the answer in the field 'ground_truth_solution' is null"}, {.gold = "5"}}},
    {"numinamath-1.5.jsonl",
     "NuminaMath-1.5",
     false,
     3,
     {{.gold = "1", .question = "P"},
      {.bad = "the field 'answer' is 'proof': the problem has no answer"},
      {.bad = "the field 'answer' is 'notfound'"}}},
    {"turns.jsonl",
     NULL,
     false,
     8,
     {{.id = "a", .gold = "3", .question = "P"},
      {.gold = "4", .question = "Q"},
      {.id = "b", .gold = "3.50", .question = "R"},
      {.gold = "-1", .question = "S"},
      {.bad = "the field 'reward_model' has 2 answers"},
      {.bad = "the answer in the field 'reward_model' is missing, null or empty"},
      {.gold = "7", .question = "U"},
      {.bad = "the row has no question"}}},
    {"tatqa.jsonl",
     "TAT-QA",
     false,
     5,
     {{.id = "q1", .gold = "2.9%", .question = TABLE "How much is the 2019 rate of inflation?"},
      {.id = "q2", .gold = "-12.5 thousand"},
      {.id = "q3", .gold = "inflation, salaries", .question = TABLE "Which \"rates], [{\" are there, \\?"},
      {.id = "q4", .bad = "the answer in the field 'answer' is missing, null or empty"},
      {.id = "q5", .gold = "3", .question = "| a | b |\n\nHow many?"}}},
    {"tatqa-numbers.jsonl",
     "TAT-QA",
     false,
     6,
     {{.id = "a", .gold = "2019, 2018.0", .question = "| Year | 2019 | 2018.0 |\n| Revenue | 12.50 |  |\n\nWhich?"},
      {.id = "b", .gold = "12.50 million"},
      {.id = "c", .bad = "span 2 in the field 'answer' is null, and should be a text or a number"},
      {.id = "d", .bad = "cell 2 in row 1 of the table is a list, and should be a text or a number"},
      {.id = "e", .bad = "row 1 of the table is a text, and should be a list"},
      {.id = "f", .bad = "the field 'table' holds no list of rows"}}},
    {"pubmedqa.jsonl",
     "PubMedQA",
     false,
     2,
     {{.id = "21645374",
       .gold = "yes",
       .target = "Results depicted mitochondrial dynamics in vivo.",
       .question = ABSTRACT "Do mitochondria play a role?"},
      {.id = "2", .gold = "It may be so.", .target = "It may be so.", .question = "Only this.\n\nAn unlabeled one?"}}},
    {"pubmedqa.jsonl",
     "PubMedQA",
     true,
     2,
     {{.id = "21645374",
       .gold = "Results depicted mitochondrial dynamics in vivo.",
       .target = "Results depicted mitochondrial dynamics in vivo."},
      {.id = "2", .gold = "It may be so."}}},
    {"pubmedqa-original.json",
     "PubMedQA (original)",
     false,
     2,
     {{.id = "21645374",
       .gold = "yes",
       .target = "Results depicted dynamics.",
       .question = "BACKGROUND: Programmed cell death is regulated.\n\nDo mitochondria play a role?"},
      {.id = "16418930", .gold = "no"}}},
    {"choices.jsonl",
     "choices",
     false,
     15,
     {{.gold = "(B) 4", .target = "B", .question = "What is 2+2?\n\n(A) 3\n(B) 4\n(C) 5\n(D) 22"},
      {.id = "Mercury_7175875", .gold = "(B) a hare", .target = "B"},
      {.gold = "(B) Ceftriaxone", .target = "B", .question = "Which drug?\n\n(A) Ampicillin\n(B) Ceftriaxone"},
      {.bad = "the answer in the field 'answer' is none of the choices"},
      {.gold = "(B) A", .target = "B", .question = "Labels come before texts.\n\n(A) B\n(B) A\n(C) Z"},
      {.gold = "(C) 2.50", .target = "C", .question = "Labels that are numbers.\n\n(A) 3\n(B) 1\n(C) 2.50"},
      {.gold = "(C) 3", .target = "C", .question = "A place, not a text.\n\n(A) 1\n(B) 2\n(C) 3\n(D) 4"},
      {.gold = "(C) 2", .question = "A place, wherever another number is long.\n\n(A) 1.50\n(B) 1\n(C) 2\n(D) 3"},
      {.bad = "the answer in the field 'answer' is none of the choices"},
      {.gold = "(B) 1.50", .target = "B"},
      {.bad = "choice C in the field 'choices' is empty"},
      {.bad = "choice A in the field 'choices' is empty"},
      {.bad = "choice C in the field 'choices' is empty"},
      {.bad = "choice 3 in the field 'choices' has no label"},
      {.gold = "(A) 1.50", .question = "No C.\n\n(A) 1.50\n(B) b"}}},
    {"context.jsonl",
     "fields",
     false,
     2,
     {{.id = "proxy",
       .question = "Alice has 3 apples.\n\nHow many?",
       .full = "A long story. Alice has 3 apples. More of it.\n\nHow many?"},
      {.id = "plain", .question = "What is 1+1?", .full = ""}}},
};

static void check_text(const char *file, int i, const char *what, cord_text got, const char *want) {
    if (want && !text_equal(got, text_of(want)))
        fail_msg("%s, problem %d: %s is '%.*s', not '%s'", file, i + 1, what, (int)got.len, got.data ? got.data : "",
                 want);
}

static void check_problem(const struct file *file, int i, const struct problem *p) {
    const struct wanted *w = &file->problems[i];
    check_text(file->name, i, "id", p->question.id, w->id);
    if (!p->bad != !w->bad || (w->bad && !strstr(p->bad, w->bad)))
        fail_msg("%s, problem %d: %s", file->name, i + 1, p->bad ? p->bad : "good");
    if (file->layout) check_text(file->name, i, "layout", text_of(p->layout), file->layout);
    if (w->bad) return;
    check_text(file->name, i, "gold", p->gold, w->gold);
    check_text(file->name, i, "target", p->target, w->target);
    check_text(file->name, i, "question", p->question.text, w->question);
    check_text(file->name, i, "full question", p->full_question, w->full);
    assert_true(p->made_id == text_starts(p->question.id, TEXT("p-")));
}

static struct arena arena;

/* The problems of a file, in the arena; how many. */
static int read_all(const struct problem_options *options, struct problem **problems) {
    struct problem_set set;
    assert_ok(problem_set_read(&set, options, err));
    int n = set.n;
    *problems = problems_of_set(&set, &arena);
    problem_set_release(&set);
    return n;
}

/* The same of rows that stand here. */
static int read_rows(const char *rows, struct problem_options options, struct problem **problems) {
    options.path = scratch_write("rows", text_of(rows));
    return read_all(&options, problems);
}

static void check_file(const struct file *file, const char *library) {
    char path[4096];
    snprintf(path, sizeof path, "%sdata/sets/%s", TEST_DATA_DIR, file->name);
    struct problem_options options = {.path = path, .library = library, .judged = file->judged};
    struct problem *problems;
    assert_int_equal(read_all(&options, &problems), file->n);
    for (int i = 0; i < file->n; i++) check_problem(file, i, &problems[i]);
    arena_release(&arena);
}

/* Those that DuckDB reads are skipped without it. */
static void sets_are_recognised(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (text_ends(text_of(files[i].name), TEXT(".jsonl"))) check_file(&files[i], "");
}

static void sets_of_other_files_are_recognised(void **state) {
    (void)state;
    const char *library = find_duckdb();
    if (!library) skip();
    int checked = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (text_ends(text_of(files[i].name), TEXT(".jsonl"))) continue;
        check_file(&files[i], library);
        checked++;
    }
    assert_int_equal(checked, 1);
}

/* A problem comes to the same whichever others are taken: ids are stable across shards, limits and order. */
static void rows_are_read_by_themselves(void **state) {
    (void)state;
    char path[4096];
    snprintf(path, sizeof path, "%sdata/sets/tatqa.jsonl", TEST_DATA_DIR);
    struct problem_options all = {.path = path}, one = {.path = path, .skip = 1, .limit = 1};
    struct problem *set, *part;
    read_all(&all, &set);
    assert_int_equal(read_all(&one, &part), 1);
    assert_text(part->question.id, "q2");
    assert_true(text_equal(part->question.text, set[1].question.text));
    assert_true(text_equal(part->row, set[1].row));
    assert_int_equal(set[1].line, 1);
    assert_int_equal(set[4].line, 2);
    arena_release(&arena);
}

/* A row that was unfolded is a row of its own: read again, it gives the same problem. */
static void rows_read_again_give_the_same(void **state) {
    (void)state;
    char path[4096];
    snprintf(path, sizeof path, "%sdata/sets/tatqa.jsonl", TEST_DATA_DIR);
    struct problem_options options = {.path = path}, again = {.path = scratch_path("copy")};
    struct problem *first, *second;
    int n = read_all(&options, &first);
    FILE *file = fopen(again.path, "w");
    assert_non_null(file);
    for (int i = 0; i < n; i++) fprintf(file, "%s\n", first[i].row.data);
    fclose(file);
    assert_int_equal(read_all(&again, &second), n);
    for (int i = 0; i < n; i++) {
        const struct problem *a = &first[i], *b = &second[i];
        assert_true(text_equal(a->question.id, b->question.id) && text_equal(a->question.text, b->question.text));
        assert_true(text_equal(a->gold, b->gold) && text_equal(a->row, b->row) && !a->bad == !b->bad);
    }
    arena_release(&arena);
}

static void named_fields_come_before_the_sets_own(void **state) {
    (void)state;
    char path[4096];
    snprintf(path, sizeof path, "%sdata/sets/pubmedqa.jsonl", TEST_DATA_DIR);
    struct problem_options options = {.path = path, .answer_field = "long_answer", .id_field = "question"};
    struct problem *problems;
    read_all(&options, &problems);
    assert_text(problems->gold, "Results depicted mitochondrial dynamics in vivo.");
    assert_text(problems->question.id, "Do mitochondria play a role?");
    arena_release(&arena);
    snprintf(path, sizeof path, "%sdata/sets/gsm8k.jsonl", TEST_DATA_DIR);
    options = (struct problem_options){.path = path, .target_field = "answer"};
    read_all(&options, &problems);
    assert_text(problems->gold, "72");
    assert_text(problems->target, "Natalia sold 48/2 = 24 clips in May.\nShe sold 48+24 = 72 clips.\n#### 72");
    arena_release(&arena);
    snprintf(path, sizeof path, "%sdata/sets/context.jsonl", TEST_DATA_DIR);
    options = (struct problem_options){.path = path, .context_field = "full_context", .full_context_field = "context"};
    read_all(&options, &problems);
    assert_text(problems->question.text, "A long story. Alice has 3 apples. More of it.\n\nHow many?");
    assert_text(problems->full_question, "Alice has 3 apples.\n\nHow many?");
    assert_non_null(strstr(problems[1].bad, "there is no field 'full_context'"));
    arena_release(&arena);
}

static void ids_of_the_rows_can_be_left_out(void **state) {
    (void)state;
    static const char rows[] = "{\"id\":1,\"question\":\"Q\",\"answer\":\"1\"}\n"
                               "{\"id\":1,\"question\":\"R\",\"answer\":\"2\"}\n";
    struct problem *problems;
    read_rows(rows, (struct problem_options){.id_field = NULL}, &problems);
    assert_non_null(strstr(problems[1].bad, "(or --id) \"-\" makes them"));
    arena_release(&arena);
    read_rows(rows, (struct problem_options){.id_field = "-"}, &problems);
    for (int i = 0; i < 2; i++)
        assert_true(!problems[i].bad && problems[i].made_id && text_starts(problems[i].question.id, TEXT("p-")));
    arena_release(&arena);
}

static void named_fields_keep_their_choices(void **state) {
    (void)state;
    static const char rows[] =
        "{\"stem\":\"Q\",\"choices\":{\"text\":[\"a\",\"b\"],\"label\":[\"A\",\"B\"]},\"key\":\"B\"}\n"
        "{\"stem\":\"R\",\"options\":[\"c\",\"d\"],\"key\":1,\"answer\":\"A\"}\n"
        "{\"stem\":\"S\",\"options\":[\"c\",\"d\"],\"key\":\"an answer of its own\"}\n"
        "{\"stem\":\"T\",\"options\":[\"c\",\"\"],\"key\":\"A\"}\n";
    struct problem *problems;
    read_rows(rows, (struct problem_options){.question_field = "stem", .answer_field = "key"}, &problems);
    assert_text(problems[0].question.text, "Q\n\n(A) a\n(B) b");
    assert_text(problems[0].gold, "(B) b");
    assert_text(problems[0].gold_field, "key");
    assert_text(problems[1].question.text, "R\n\n(A) c\n(B) d");
    assert_text(problems[1].gold, "(B) d");
    assert_text(problems[1].target, "B");
    assert_text(problems[2].question.text, "S");
    assert_text(problems[2].gold, "an answer of its own");
    assert_non_null(strstr(problems[3].bad, "choice B in the field 'options' is empty"));
    arena_release(&arena);
    read_rows(rows, (struct problem_options){.question_field = "stem"}, &problems); /* its answer is found as ever */
    assert_text(problems[1].gold, "(A) c");
    arena_release(&arena);
}

static void integers_can_be_asked_for(void **state) {
    (void)state;
    static const struct {
        const char *answer, *gold;
    } rows[] = {{"27.0", "27"},     {"\"027\"", "27"}, {"\"000\"", "0"},   {"\" +5. \"", "5"},
                {"-27.00", "-27"},  {"27.5", NULL},    {"\"2 7\"", NULL},  {"\"\"", NULL},
                {"\"-027\"", NULL}, {"\".0\"", NULL},  {"\"27.0x\"", NULL}};
    enum { ROWS = sizeof rows / sizeof *rows };
    char content[1000] = "";
    for (int i = 0; i < ROWS; i++)
        snprintf(content + strlen(content), sizeof content - strlen(content),
                 "{\"id\":%d,\"question\":\"q\",\"answer\":%s}\n", i, rows[i].answer);
    struct problem *problems;
    read_rows(content, (struct problem_options){.format = ANSWER_INTEGER}, &problems);
    for (int i = 0; i < ROWS; i++) {
        if (!rows[i].gold != !!problems[i].bad) fail_msg("%s", rows[i].answer);
        if (rows[i].gold) assert_text(problems[i].gold, rows[i].gold);
    }
    arena_release(&arena);
}

/* ---- real sets ------------------------------------------------------------------------------------------------- */

/* -1: it is not at hand. */
static int read_real(const char *name, struct problem **problems) {
    const char *folder = getenv("CORD_DATA");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder ? folder : TEST_DATA_DIR "../../shared/data", name);
    struct problem_options options = {.path = path};
    if (access(path, R_OK) == 0) return read_all(&options, problems);
    print_message("no %s (CORD_DATA names its folder)\n", path);
    return -1;
}

static void check_real(const char *name, const char *layout, int wanted) {
    struct problem *problems;
    int n = read_real(name, &problems);
    if (n < 0) skip();
    assert_int_equal(n, wanted);
    for (int i = 0; i < n; i++) {
        assert_null(problems[i].bad);
        assert_string_equal(problems[i].layout, layout);
        assert_true(text_equal(problems[i].gold, problems[i].target));
        assert_true(text_find(problems[i].gold, TEXT("#")) < 0 && text_find(problems[i].gold, TEXT("<<")) < 0);
    }
    arena_release(&arena);
}

static void gsm8k_is_whole(void **state) {
    (void)state;
    check_real("gsm8k-test.jsonl", "GSM8K", 1319);
    check_real("gsm8k-train-2000.jsonl", "GSM8K", 2000);
}

static void math_500_is_whole(void **state) {
    (void)state;
    check_real("math-500.jsonl", "MATH-500", 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_recognised),
        cmocka_unit_test(sets_of_other_files_are_recognised),
        cmocka_unit_test(rows_are_read_by_themselves),
        cmocka_unit_test(rows_read_again_give_the_same),
        cmocka_unit_test(named_fields_come_before_the_sets_own),
        cmocka_unit_test(ids_of_the_rows_can_be_left_out),
        cmocka_unit_test(named_fields_keep_their_choices),
        cmocka_unit_test(integers_can_be_asked_for),
        cmocka_unit_test(gsm8k_is_whole),
        cmocka_unit_test(math_500_is_whole),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
