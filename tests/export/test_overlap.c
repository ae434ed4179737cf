/* test_overlap.c - runs of words that two texts share, against a plain comparison of all with all. */
#include "scratch.h"

#include "data/duckdb.h"
#include "export/overlap.h"
#include "export/words.h"

#include <zlib.h>

static const char *path; /* of what was written last */

static void write_file(const char *text) { path = scratch_write("set", text_of(text)); }

static bool meets(const struct overlap *o, const char *text, struct overlap_match *match) {
    bool found;
    assert_ok(overlap_find(o, text_of(text), &found, match, err));
    return found;
}

static void test_words(void **state) {
    (void)state;
    struct overlap o;
    struct overlap_match match;
    write_file("{\"question\": \"one two three four five six\"}\n"
               "\n"
               "plain lines count as well, seven eight\n"
               "{\"messages\": [{\"role\": \"system\", \"content\": \"be kind to all of them\"}, {\"role\": \"user\", "
               "\"content\": \"alpha beta gamma delta epsilon\"}]}\n"
               "{\"prompt\": \"too short\"}\n"
               "{\"ID\": \"2024-I-1\", \"Problem\": \"every morning Aya goes out\", \"Answer\": 204}\n"
               "{\"conversations\": [{\"from\": \"human\", \"value\": \"how many legs has it\"}, {\"from\": \"gpt\", "
               "\"value\": \"it has as many as any\"}]}\n");
    overlap_init(&o, 5);
    assert_ok(overlap_add(&o, path, NULL, err));
    assert_int_equal(o.questions, 5);
    assert_int_equal(o.too_short, 1);
    assert_true(meets(&o, "zero ONE, two: three -- four\nfive!", &match));
    assert_text(match.words, "ONE, two: three -- four\nfive");
    assert_int_equal(match.line, 1);
    assert_false(meets(&o, "one two three four six five", &match));
    assert_false(meets(&o, "one two three four fives", &match));
    assert_true(meets(&o, "lines count as well seven", &match));
    assert_int_equal(match.line, 3);
    assert_true(meets(&o, "alpha beta gamma delta epsilon", &match));
    assert_false(meets(&o, "be kind to all of them", &match)); /* a system text is nobody's question */
    assert_false(meets(&o, "too short", &match));
    assert_true(meets(&o, "Every morning, Aya goes out.", &match));
    assert_true(meets(&o, "How many legs has it?", &match));
    assert_false(meets(&o, "it has as many as any", &match)); /* an answer is no question */
    assert_false(meets(&o, "", &match));
    overlap_release(&o);
}

/* Of all words of a text, one behind the other. */
static uint64_t hash_of_words(cord_text text) {
    struct words words;
    assert_ok(words_init(&words, text, err));
    uint64_t hash = words_gram(&words, 0, words.n);
    words_release(&words);
    return hash;
}

/* Punctuation is what it is in any script's blocks, and capitals as far as words.h says. */
static void test_words_beyond_ascii(void **state) {
    (void)state;
    static const char *const same[][2] = {
        {"apples and pears", "apples\u2014and\u00A0\u201Cpears\u201D\u2026"},
        {"2 x 3 5", "2\u200Ax\u22123\u00D75"},
        {"\u00E9t\u00E9 \u00FCber", "\u00C9T\u00C9 \u00DCBER"},
        {"\u03B1\u03AF\u03C3\u03B9\u03BF\u03C3", "\u0391\u038A\u03A3\u0399\u039F\u03C2"},
        {"\u0451\u0436 \u044F", "\u0401\u0416, \u042F"},
        {"\u4E00\u4E8C \u4E09\u3005", "\u4E00\u4E8C\u3002\u4E09\u3005\uFF1F"},
    };
    static const char *const other[][2] = {
        {"x2", "x\u00B2"}, {"caf\u00E9", "cafe"}, {"a\u00AAb", "a b"}, {"\u3007", "\u3007 \u3007"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (hash_of_words(text_of(same[i][0])) != hash_of_words(text_of(same[i][1]))) fail_msg("%s", same[i][1]);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (hash_of_words(text_of(other[i][0])) == hash_of_words(text_of(other[i][1]))) fail_msg("%s", other[i][1]);
    assert_int_equal(words_count(TEXT("half \xE2\x82 of it\xFF")), 4); /* what is no UTF-8 */
    char small[300], large[300];                                       /* longer than what is hashed at once */
    for (size_t i = 0; i < sizeof small; i += 2) {
        bool ascii = i % 6 == 0;
        small[i] = large[i] = ascii ? 'b' : '\xC3';
        small[i + 1] = ascii ? 'c' : '\xA4';
        large[i + 1] = ascii ? 'C' : '\x84';
    }
    assert_true(word_hash((cord_text){small, 299}) == word_hash((cord_text){large, 299}));
}

/* What makes two rows the same: blanks and capitals apart, all of them. */
static void test_signs(void **state) {
    (void)state;
    assert_true(signs_hash(TEXT(" Solve x + 5 =\n\n0.")) == signs_hash(TEXT("solve X + 5 = 0. ")));
    static const char *const other[][2] = {
        {"x + 5 = 0", "x - 5 = 0"}, {"x+5", "x +5"}, {"a b", "b a"}, {"2.5", "25"}, {"x", ""}};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (signs_hash(text_of(other[i][0])) == signs_hash(text_of(other[i][1]))) fail_msg("%s", other[i][1]);
}

/* A question of fewer words than n counts whole. */
static void test_short_question(void **state) {
    (void)state;
    struct overlap o;
    struct overlap_match match;
    write_file("{\"problem\": \"what is two plus three\"}\n");
    overlap_init(&o, 13);
    assert_ok(overlap_add(&o, path, NULL, err));
    assert_true(meets(&o, "Now, what is two plus three?", &match));
    assert_text(match.words, "what is two plus three");
    assert_false(meets(&o, "Now, what is two plus four?", &match));
    overlap_release(&o);
}

static void test_wrong_input(void **state) {
    (void)state;
    struct overlap o;
    cord_error e = {0};
    overlap_init(&o, 13);
    write_file("{\"q\": \"x\"}\n");
    assert_int_equal(overlap_add(&o, path, NULL, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.message, "it has 'q'"));
    assert_non_null(strstr(e.where, ":1"));
    write_file("{broken\n");
    assert_int_equal(overlap_add(&o, path, NULL, NULL), CORD_BAD_INPUT);
    assert_int_equal(overlap_add(&o, "/nowhere/at/all", NULL, NULL), CORD_IO_ERROR);
    overlap_release(&o);
}

/* A set without a question would match nothing and seem to be clean; one that was there before does not stand for it. */
static void test_empty_sets_are_refused(void **state) {
    (void)state;
    static const char *const empty[] = {"", "\n  \n\n"};
    struct overlap o;
    overlap_init(&o, 13);
    write_file("Too short to tell.\n"); /* but a question */
    assert_ok(overlap_add(&o, path, NULL, err));
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        cord_error e = {0};
        write_file(empty[i]);
        assert_int_equal(overlap_add(&o, path, NULL, &e), CORD_BAD_INPUT);
        assert_string_equal(e.where, path);
        assert_non_null(strstr(e.message, "there is no question in this evaluation set"));
    }
    overlap_release(&o);
}

/* A set is read whatever it is packed in; or refused, since no word of it would ever match. */
static void test_packed(void **state) {
    (void)state;
    struct overlap o;
    struct overlap_match match;
    cord_error e = {0};
    const char *library = find_duckdb();
    path = scratch_path("set");
    gzFile packed = gzopen(path, "wb");
    assert_true(gzputs(packed, "\n{\"question\": \"what is two plus three\"}\n") > 0);
    gzclose(packed);
    overlap_init(&o, 13);
    assert_ok(overlap_add(&o, path, NULL, err));
    assert_true(meets(&o, "What is two plus three?", &match));
    assert_int_equal(match.line, 2);
    if (library) {
        const char *table = scratch_path("set.parquet");
        write_file("{\"question\": \"one\"}\n{\"question\": \"how many legs have two dogs\"}\n");
        assert_ok(table_make_parquet(path, table, library, err));
        assert_ok(overlap_add(&o, table, library, err));
        unlink(table);
        assert_true(meets(&o, "How many legs have two dogs?", &match));
        assert_int_equal(match.line, 2);
    }
    write_file("what is\ntwo plus tr\xE8s?\n"); /* Latin-1 */
    assert_int_equal(overlap_add(&o, path, NULL, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.message, "no text in UTF-8"));
    assert_non_null(strstr(e.where, ":2"));
    write_file("{\"question\": \"what is two plus tr\\u0000s\"}\n"); /* as bytes of Parquet that are no text are read */
    assert_int_equal(overlap_add(&o, path, NULL, &e), CORD_BAD_INPUT);
    assert_string_equal(e.message, "the field 'question' has a NUL character or bytes that are not UTF-8 in it");
    overlap_release(&o);
}

/* Random texts of few words: a match is found exactly where comparing all runs of words with all finds one. */
static void test_against_all(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 7);
    int found_some = 0;
    for (int round = 0; round < 300; round++) {
        char texts[2][400];
        size_t len[2] = {0, 0};
        for (int t = 0; t < 2; t++)
            for (int i = 0; i < 40; i++)
                len[t] +=
                    (size_t)snprintf(texts[t] + len[t], sizeof texts[t] - len[t], "w%d ", (int)(rng_next(&rng) % 4));
        struct words words[2];
        for (int t = 0; t < 2; t++) assert_ok(words_init(&words[t], text_of(texts[t]), err));
        bool want = false;
        for (size_t a = 0; a + 6 <= words[0].n; a++)
            for (size_t b = 0; b + 6 <= words[1].n; b++)
                want |= memcmp(words[0].hash + a, words[1].hash + b, 6 * sizeof *words[0].hash) == 0;
        struct overlap o;
        struct overlap_match match;
        write_file(texts[0]);
        overlap_init(&o, 6);
        assert_ok(overlap_add(&o, path, NULL, err));
        assert_int_equal(meets(&o, texts[1], &match), want);
        found_some += want;
        overlap_release(&o);
        for (int t = 0; t < 2; t++) words_release(&words[t]);
    }
    assert_in_range(found_some, 30, 270);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_words),       TEST(test_words_beyond_ascii),     TEST(test_signs),  TEST(test_short_question),
        TEST(test_wrong_input), TEST(test_empty_sets_are_refused), TEST(test_packed), TEST(test_against_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
