/* test_math500.c - the grader on real answers: the golds of MATH-500 and GSM8K, other spellings of them made by rule,
 * near misses made by rule, and every answer of MATH-500 against every other.
 *
 * The data sets are not part of the repository: they are looked for in $CORD_DATA, or in ../shared/data beside it, and where
 * they are absent the tests are skipped. math500_equal.tsv lists the pairs of different texts that are equal; each was looked
 * at by eye. It must not know how answers are read. */
#include "support.h"

#include "answer/rewrites.h"
#include "base/json.h"

#include <unistd.h>

/* At most this many near misses may be left undecided. None may be equal. */
enum { UNDECIDED_MISSES = 8 };

enum { GOLDS = 4000 };

/* Answers of a data set, each text once, in the order of the file. */
struct golds {
    struct arena arena;
    cord_text text[GOLDS];
    int n, rows;
};

/* The final answer of a row: GSM8K's stands behind ####. */
static cord_text gold_of(cord_text answer) {
    ptrdiff_t hashes = text_rfind(answer, TEXT("####"));
    return text_trim(hashes < 0 ? answer : text_slice(answer, (size_t)hashes + 4, answer.len));
}

static void golds_add(struct golds *golds, cord_text gold) {
    golds->rows++;
    for (int i = 0; i < golds->n; i++)
        if (text_equal(golds->text[i], gold)) return;
    assert_true(golds->n < GOLDS);
    golds->text[golds->n] = arena_text(&golds->arena, gold);
    assert_non_null(golds->text[golds->n++].data);
}

/* Reads a file of the data sets; without it, prints where it was looked for and skips the test. */
static void golds_read(struct golds *golds, const char *name) {
    const char *folder = getenv("CORD_DATA");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder ? folder : TEST_DATA_DIR "../../shared/data", name);
    FILE *file = fopen(path, "r");
    if (!file) {
        print_message("no %s (CORD_DATA names its folder)\n", path);
        arena_release(&golds->arena);
        skip();
    }
    struct line_reader reader;
    line_reader_init(&reader, file, path, 1 << 20);
    for (bool more;;) {
        assert_ok(line_read(&reader, &more, err));
        if (!more) break;
        struct json_row row;
        cord_text answer;
        assert_ok(json_row_parse(&row, buf_text(&reader.line), err));
        assert_ok(json_row_text(&row, "answer", &answer, err));
        golds_add(golds, gold_of(answer));
        json_row_release(&row);
    }
    line_reader_release(&reader);
    fclose(file);
}

static void tell(const char *rule, cord_text gold, cord_text answer, cord_verdict got, const char *why) {
    print_error("%s: gold '%.*s', answer '%.*s': %s (%s)\n", rule, (int)gold.len, gold.data, (int)answer.len,
                answer.data, cord_verdict_name(got), why);
}

/* ---- every gold by itself --------------------------------------------------------------------------------------- */

/* Grades both ways; anything but `want`, or two verdicts, is told and counted. */
static int check(const char *rule, cord_text gold, cord_text answer, cord_verdict want) {
    const char *why = NULL;
    cord_verdict got = cord_verify(gold, answer, &why);
    if (got != want) return tell(rule, gold, answer, got, why), 1;
    got = cord_verify(answer, gold, &why);
    if (got != want) return tell(rule, answer, gold, got, why), 1;
    return 0;
}

static void answers_of_math500_equal_themselves(void **state) {
    (void)state;
    struct golds golds = {0};
    golds_read(&golds, "math-500.jsonl");
    assert_int_equal(golds.rows, 500);
    int wrong = 0;
    for (int i = 0; i < golds.n; i++) wrong += check("itself", golds.text[i], golds.text[i], CORD_EQUAL);
    arena_release(&golds.arena);
    assert_int_equal(wrong, 0);
}

/* An integer equals its plain digits, and is neither of its neighbours nor its negative. */
static int check_integer(cord_text gold) {
    char digits[40] = "", near[40];
    size_t n = 0;
    for (size_t i = 0; i < gold.len && n < sizeof digits - 1; i++)
        if (gold.data[i] != ',') digits[n++] = gold.data[i];
    digits[n] = '\0';
    assert_true(is_integer(text_of(digits)));
    int wrong = check("itself", gold, gold, CORD_EQUAL) + check("plain digits", gold, text_of(digits), CORD_EQUAL);
    for (int step = -2; step <= 2; step++) {
        snprintf(near, sizeof near, "%lld", atoll(digits) + step);
        if (step) wrong += check("neighbour", gold, text_of(near), CORD_DIFFERENT);
    }
    snprintf(near, sizeof near, "%lld", -atoll(digits));
    if (atoll(digits)) wrong += check("negative", gold, text_of(near), CORD_DIFFERENT);
    snprintf(near, sizeof near, "%s0", digits);
    if (atoll(digits)) wrong += check("tenfold", gold, text_of(near), CORD_DIFFERENT);
    return wrong;
}

static void answers_of_gsm8k_are_integers(void **state) {
    const char *name = *state;
    struct golds golds = {0};
    golds_read(&golds, name);
    assert_in_range(golds.rows, 1000, 10000);
    int wrong = 0;
    for (int i = 0; i < golds.n; i++) wrong += check_integer(golds.text[i]);
    arena_release(&golds.arena);
    assert_int_equal(wrong, 0);
}

/* ---- answers rewritten by rule ---------------------------------------------------------------------------------- */

struct count {
    int equal, different, undecided;
};

/* Grades every gold against what the rule makes of it, in both orders. What is not `want` is told. */
static struct count grade_rewritten(const struct golds *golds, const struct rewrite *rewrite, cord_verdict want) {
    struct count count = {0};
    for (int i = 0; i < golds->n; i++) {
        struct buf out;
        buf_init(&out, "test answer", 10000);
        if (rewrite->rule(golds->text[i], &out)) {
            const char *why = NULL;
            cord_text answer = buf_text(&out);
            cord_verdict got = cord_verify(golds->text[i], answer, &why);
            if (cord_verify(answer, golds->text[i], NULL) != got)
                fail_msg("not symmetric: '%.*s', '%s'", (int)golds->text[i].len, golds->text[i].data, out.data);
            if (got != want) tell(rewrite->name, golds->text[i], answer, got, why);
            *(got == CORD_EQUAL ? &count.equal : got == CORD_DIFFERENT ? &count.different : &count.undecided) += 1;
        }
        buf_release(&out);
    }
    print_message("%-28s %4d equal, %4d different, %3d undecided\n", rewrite->name, count.equal, count.different,
                  count.undecided);
    return count;
}

/* Those of MATH-500, then those of GSM8K. */
static void golds_of_all(struct golds *golds) {
    golds_read(golds, "math-500.jsonl");
    int math = golds->n;
    golds_read(golds, "gsm8k-test.jsonl");
    golds_read(golds, "gsm8k-train-2000.jsonl");
    assert_true(golds->n > math);
}

static void other_spellings_are_equal(void **state) {
    (void)state;
    struct golds golds = {0};
    golds_of_all(&golds);
    int wrong = 0, unused = 0;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        struct count count = grade_rewritten(&golds, &spellings[i], CORD_EQUAL);
        wrong += count.different + count.undecided;
        unused += !(count.equal + count.different + count.undecided);
    }
    arena_release(&golds.arena);
    assert_int_equal(unused, 0);
    if (wrong) fail_msg("%d spellings are not equal to what they spell", wrong);
}

static void near_misses_are_different(void **state) {
    (void)state;
    struct golds golds = {0};
    golds_of_all(&golds);
    int equal = 0, undecided = 0, unused = 0;
    for (size_t i = 0; i < sizeof near_misses / sizeof *near_misses; i++) {
        struct count count = grade_rewritten(&golds, &near_misses[i], CORD_DIFFERENT);
        equal += count.equal;
        undecided += count.undecided;
        unused += !(count.equal + count.different + count.undecided);
    }
    arena_release(&golds.arena);
    assert_int_equal(unused, 0);
    if (equal) fail_msg("%d near misses are equal to what they miss", equal);
    if (undecided > UNDECIDED_MISSES) fail_msg("%d near misses are undecided", undecided);
}

/* ---- the cross table -------------------------------------------------------------------------------------------- */

/* What an answer is at a glance, so that undecided pairs can be counted by kind. */
static const char *const kind_names[] = {"number",     "number with unit", "numeral with base",
                                         "expression", "bracket",          "set or list",
                                         "matrix",     "relation",         "text"};
enum { KINDS = sizeof kind_names / sizeof *kind_names };

static bool has_variable(cord_text t) {
    for (size_t i = 0; i < t.len; i++) {
        if (t.data[i] == '\\')
            while (letter(at(t, i + 1))) i++;
        else if (letter(t.data[i]) && t.data[i] != 'i')
            return true;
    }
    return false;
}

static int kind_of(cord_text t) {
    struct group g;
    if (has(t, "\\begin")) return 6;
    if (has(t, "=") || has(t, "\\in ")) return 7;
    if (has(t, "_")) return 2;
    if (has(t, "\\{") || (has(t, ",") && !has(t, "(") && !has(t, "[") && !has_groups(t))) return 5;
    if (has(t, "\\cup") || group_read(t, &g)) return 4;
    if (text_starts(t, TEXT("\\text{"))) return 8;
    if (has(t, "\\text") || has(t, "\\mbox") || has(t, "\\$") || has(t, "\\circ")) return 1;
    return has_variable(t) ? 3 : 0;
}

/* The reviewed pairs. */
struct pairs {
    char *line[1000];
    int n;
};

static void pairs_read(struct pairs *pairs) {
    FILE *file = fopen(TEST_DATA_DIR "answer/math500_equal.tsv", "r");
    assert_non_null(file);
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        if (*line == '#' || !*line) continue;
        assert_true(pairs->n < 1000);
        pairs->line[pairs->n] = strdup(line);
        assert_non_null(pairs->line[pairs->n++]);
    }
    free(line);
    fclose(file);
}

/* Takes a pair from the list; false where it is not in it. */
static bool pairs_take(struct pairs *pairs, cord_text a, cord_text b) {
    char line[2000];
    snprintf(line, sizeof line, "%.*s\t%.*s", (int)a.len, a.data, (int)b.len, b.data);
    for (int i = 0; i < pairs->n; i++) {
        if (!pairs->line[i] || strcmp(pairs->line[i], line) != 0) continue;
        free(pairs->line[i]);
        pairs->line[i] = NULL;
        return true;
    }
    return false;
}

/* Tells of pairs that are left, frees them, and gives how many they are. */
static int pairs_left(struct pairs *pairs) {
    int left = 0;
    for (int i = 0; i < pairs->n; i++) {
        if (!pairs->line[i]) continue;
        print_error("listed as equal, but not found: %s\n", pairs->line[i]);
        free(pairs->line[i]);
        left++;
    }
    return left;
}

/* Texts that come several times in the 500 are one row of the table: their pairs are equal as texts. */
static void equal_pairs_of_math500_are_the_listed_ones(void **state) {
    (void)state;
    struct golds golds = {0};
    golds_read(&golds, "math-500.jsonl");
    struct pairs pairs = {0};
    pairs_read(&pairs);
    int undecided[KINDS][KINDS] = {0}, unlisted = 0, total = 0;
    for (int i = 0; i < golds.n; i++) {
        for (int j = i + 1; j < golds.n; j++) {
            cord_text a = golds.text[i], b = golds.text[j];
            const char *why = NULL;
            cord_verdict got = cord_verify(a, b, &why);
            if (cord_verify(b, a, NULL) != got)
                fail_msg("not symmetric: '%.*s', '%.*s'", (int)a.len, a.data, (int)b.len, b.data);
            if (got == CORD_EQUAL && !pairs_take(&pairs, a, b)) tell("not listed", a, b, got, why), unlisted++;
            int k = kind_of(a), l = kind_of(b);
            if (got == CORD_UNDECIDED) undecided[k < l ? k : l][k < l ? l : k]++, total++;
        }
    }
    int left = pairs_left(&pairs);
    print_message("%d different texts, %d pairs, %d undecided:\n", golds.n, golds.n * (golds.n - 1) / 2, total);
    for (int k = 0; k < KINDS; k++)
        for (int l = k; l < KINDS; l++)
            if (undecided[k][l]) print_message("%6d %s, %s\n", undecided[k][l], kind_names[k], kind_names[l]);
    arena_release(&golds.arena);
    if (unlisted || left) fail_msg("%d equal pairs are not listed, %d listed ones were not found", unlisted, left);
}

int main(void) {
    static char gsm8k_test[] = "gsm8k-test.jsonl", gsm8k_train[] = "gsm8k-train-2000.jsonl";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_math500_equal_themselves),
        cmocka_unit_test_prestate(answers_of_gsm8k_are_integers, gsm8k_test),
        cmocka_unit_test_prestate(answers_of_gsm8k_are_integers, gsm8k_train),
        cmocka_unit_test(other_spellings_are_equal),
        cmocka_unit_test(near_misses_are_different),
        cmocka_unit_test(equal_pairs_of_math500_are_the_listed_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
