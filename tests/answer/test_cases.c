/* test_cases.c - the grader against verdicts that were written down without a look at its code.
 *
 * cases/KIND.tsv: verdict, gold, answer, judged by hand from docs/grader.md; a test each. sympy_cases.tsv: verdict, gold,
 * answer, kind, judged by SymPy (make_sympy_cases.py). Every pair is graded in both orders, and each side with itself. A
 * file's failing lines are all told before its test fails. It must not know how answers are read. */
#include "support.h"

#include <glob.h>
#include <stdlib.h>

#define CASES TEST_DATA_DIR "answer/cases/"

/* A line of a file, in its columns. */
struct row {
    char *column[4];
    int n, line;
};

/* Reads the next row, past comments and empty lines, into *line. False at the end. */
static bool row_read(FILE *file, char **line, size_t *size, struct row *row) {
    for (ssize_t len; (len = getline(line, size, file)) >= 0;) {
        row->line++;
        if (len && (*line)[len - 1] == '\n') (*line)[len - 1] = '\0';
        if (**line == '#' || !**line) continue;
        row->n = 0;
        for (char *rest = *line, *column; row->n < 4 && (column = strsep(&rest, "\t"));) row->column[row->n++] = column;
        return true;
    }
    return false;
}

static bool verdict_read(const char *word, cord_verdict *out) {
    for (cord_verdict v = CORD_EQUAL; v <= CORD_UNDECIDED; v++)
        if (strcmp(word, cord_verdict_name(v)) == 0) return *out = v, true;
    return false;
}

/* Grades one pair; tells of a verdict that is not the wanted one, and gives whether it is. */
static bool check(const char *path, int line, const char *gold, const char *answer, cord_verdict want) {
    const char *why = NULL;
    cord_verdict got = cord_verify(text_of(gold), text_of(answer), &why);
    assert_non_null(why);
    if (got == want) return true;
    print_error("%s:%d: gold '%s', answer '%s': got %s (%s), want %s\n", path, line, gold, answer,
                cord_verdict_name(got), why, cord_verdict_name(want));
    return false;
}

/* Both orders, and each side with itself. The other order is told of only where this one is right. */
static bool check_all(const char *path, int line, const char *gold, const char *answer, cord_verdict want) {
    bool right = check(path, line, gold, answer, want) && check(path, line, answer, gold, want);
    right &= check(path, line, gold, gold, CORD_EQUAL);
    return check(path, line, answer, answer, CORD_EQUAL) && right;
}

static void cases_are_judged_as_written(void **state) {
    const char *path = *state, *name = path + strlen(TEST_DATA_DIR);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *line = NULL;
    size_t size = 0;
    struct row row = {0};
    int n = 0, wrong = 0;
    while (row_read(file, &line, &size, &row)) {
        cord_verdict want = CORD_UNDECIDED;
        n++;
        if (row.n == 3 && verdict_read(row.column[0], &want)) {
            wrong += !check_all(name, row.line, row.column[1], row.column[2], want);
        } else {
            print_error("%s:%d: want verdict, gold and answer, with tabs between them\n", name, row.line);
            wrong++;
        }
    }
    free(line);
    fclose(file);
    assert_true(n > 0);
    if (wrong) fail_msg("%s: %d of %d lines", name, wrong, n);
}

/* How many pairs of a kind may stay undecided; none may be decided wrongly. The one pair of sets has entries in different
 * variables, of which the rules say nothing. */
static const struct kind {
    const char *name;
    int undecided;
} kinds[] = {
    {"complex", 0},      {"exp-function", 0}, {"factorial", 0},
    {"inverse-trig", 0}, {"log", 0},          {"log-function", 0},
    {"matrix", 0},       {"polynomial-1", 0}, {"polynomial-2", 0},
    {"polynomial-3", 0}, {"power", 0},        {"radical-function", 0},
    {"rational", 0},     {"set", 1},          {"rational-function", 0},
    {"surd", 0},         {"trig", 0},         {"trig-function", 0},
    {"tuple", 0},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct count {
    int right, undecided, wrong;
};

/* Grades one of SymPy's pairs and counts what came of it. */
static void sympy_pair(const struct row *row, struct count *count) {
    cord_verdict want = CORD_UNDECIDED;
    if (!verdict_read(row->column[0], &want)) fail_msg("sympy_cases.tsv:%d: no verdict", row->line);
    const char *gold = row->column[1], *answer = row->column[2], *why = NULL;
    cord_verdict got = cord_verify(text_of(gold), text_of(answer), &why);
    bool symmetric = cord_verify(text_of(answer), text_of(gold), NULL) == got;
    if (got == want && symmetric) {
        count->right++;
        return;
    }
    print_error("sympy_cases.tsv:%d: %s: gold '%s', answer '%s': got %s (%s), want %s%s\n", row->line, row->column[3],
                gold, answer, cord_verdict_name(got), why, cord_verdict_name(want),
                symmetric ? "" : "; not the same in the other order");
    if (got == CORD_UNDECIDED && symmetric)
        count->undecided++;
    else
        count->wrong++;
}

static void verdicts_are_sympys(void **state) {
    (void)state;
    FILE *file = fopen(TEST_DATA_DIR "answer/sympy_cases.tsv", "r");
    assert_non_null(file);
    char *line = NULL;
    size_t size = 0;
    struct row row = {0};
    struct count counts[KINDS] = {0};
    while (row_read(file, &line, &size, &row)) {
        assert_int_equal(row.n, 4);
        const char *kind = row.column[3] ? row.column[3] : "";
        int k = 0;
        while (k < KINDS && strcmp(kinds[k].name, kind) != 0) k++;
        if (k == KINDS) fail_msg("sympy_cases.tsv:%d: unknown kind '%s'", row.line, row.column[3]);
        sympy_pair(&row, &counts[k]);
    }
    free(line);
    fclose(file);

    int bad = 0, pairs = 0;
    for (int k = 0; k < KINDS; k++) {
        struct count *c = &counts[k];
        print_message("%-18s %4d right, %3d undecided, %d wrong\n", kinds[k].name, c->right, c->undecided, c->wrong);
        pairs += c->right + c->undecided + c->wrong;
        bad += c->wrong > 0 || c->undecided > kinds[k].undecided;
    }
    assert_in_range(pairs, 2000, 10000);
    if (bad) fail_msg("%d kinds have a wrong verdict, or more undecided ones than they may", bad);
}

int main(void) {
    glob_t files;
    if (glob(CASES "*.tsv", 0, NULL, &files)) {
        fprintf(stderr, "no cases in %s\n", CASES);
        return 1;
    }
    struct CMUnitTest *tests = calloc(files.gl_pathc + 1, sizeof *tests);
    if (!tests) return 1;
    for (size_t i = 0; i < files.gl_pathc; i++)
        tests[i] = (struct CMUnitTest){.name = strrchr(files.gl_pathv[i], '/') + 1,
                                       .test_func = cases_are_judged_as_written,
                                       .initial_state = files.gl_pathv[i]};
    tests[files.gl_pathc] = (struct CMUnitTest){.name = "verdicts_are_sympys", .test_func = verdicts_are_sympys};
    int failed = _cmocka_run_group_tests("cases", tests, files.gl_pathc + 1, NULL, NULL);
    free(tests);
    globfree(&files);
    return failed;
}
