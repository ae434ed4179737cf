/* test_pieces.c - what servers' tokens spell: in the alphabets that tokenizers have, and decoded one by one. */
#include "support.h"

#include "model/http/remote.h"

#include <stdlib.h>

/* What is read without a tree is what is read with one. Lists of bytes are left to that. */
static void scan(const char *tokens, const char *strings, const char *text, const struct pieces *want) {
    struct pieces found = {0};
    char reply[2000];
    snprintf(reply, sizeof reply,
             "{\"count\": 2, \"o\": {\"tokens\": [1, \"]}\\\"\"]}, \"tokens\": %s,\"s\":\"a\\\\\",\"strs\": %s }",
             tokens, strings);
    bool scanned = pieces_scan(&found, text_of(reply), "tokens", "strs", text_of(text));
    assert_int_equal(scanned, want && !strstr(strings, "[["));
    for (int i = 0; scanned && want && i < want->n; i++)
        assert_true(found.n == want->n && found.id[i] == want->id[i] && found.end[i] == want->end[i]);
    for (size_t cut = 0; cut + 2 < strlen(reply); cut++) { /* nothing is read beyond the end */
        char *part = strndup(reply, cut);
        pieces_release(&found);
        assert_false(pieces_scan(&found, (cord_text){part, cut}, "tokens", "strs", text_of(text)));
        free(part);
    }
    pieces_release(&found);
}

static bool add(const char *tokens, const char *strings, const char *text, struct pieces *pieces) {
    json_t *ids = json_loads(tokens, JSON_DECODE_ANY, NULL), *words = json_loads(strings, JSON_DECODE_ANY, NULL);
    assert_true(ids && words);
    *pieces = (struct pieces){0};
    bool good = pieces_add(pieces, ids, words, text_of(text));
    scan(tokens, strings, text, good ? pieces : NULL);
    json_decref(ids);
    json_decref(words);
    return good;
}

static void check(const char *strings, const char *text, const char *ends) {
    struct pieces pieces;
    json_t *want = json_loads(ends, 0, NULL);
    char ids[200] = "[";
    size_t len = 1;
    for (size_t i = 0; i < json_array_size(want); i++)
        len += (size_t)snprintf(ids + len, sizeof ids - len, "%s%zu", i ? "," : "", i + 10);
    snprintf(ids + len, sizeof ids - len, "]");
    if (!add(ids, strings, text, &pieces)) fail_msg("%s does not spell '%s'", strings, text);
    assert_int_equal(pieces.n, json_array_size(want));
    for (int i = 0; i < pieces.n; i++) {
        assert_int_equal(pieces.id[i], i + 10);
        assert_int_equal(pieces.end[i], json_integer_value(json_array_get(want, (size_t)i)));
    }
    json_decref(want);
    pieces_release(&pieces);
}

static void alphabets(void **state) {
    (void)state;
    check("[\"The\", \" answer\"]", "The answer", "[3, 10]"); /* plain */
    check("[\"The\", \"\xC4\xA0"
          "answer\"]",
          "The answer", "[3, 10]");                                                      /* GPT-2: Ġ */
    check("[\"a\", \"\xC4\x8A\xC4\x8A\"]", "a\n\n", "[1, 3]");                           /* Ċ Ċ */
    check("[\"\xC3\xB0\xC5\x81\", \"\xC4\xBA\xC4\xA2\"]", "\xF0\x9F\x98\x80", "[2, 4]"); /* half an emoji each */
    check("[\"\xE2\x96\x81The\", \"\xE2\x96\x81"
          "answer\", \"<0x0A>\"]",
          " The answer\n", "[4, 11, 12]");
    check("[[84, 104], \"e\"]", "The", "[2, 3]"); /* bytes, as llama-server writes half a character */
    check("[\"<|im_end|>\"]", "<|im_end|>", "[10]");
    check("[]", "", "[]");
}

static void what_does_not_spell_the_text_is_refused(void **state) {
    (void)state;
    static const char *const rows[][3] = {
        {"[1, 2]", "[\"a\"]", "a"},        {"[1]", "[\"a\"]", "b"},
        {"[1]", "[\"ab\"]", "a"},          {"[1]", "[\"a\"]", "ab"},
        {"[1.5]", "[\"a\"]", "a"},         {"[-1]", "[\"a\"]", "a"},
        {"[\"1\"]", "[\"a\"]", "a"},       {"[1]", "[7]", "a"},
        {"[1]", "[[256]]", "a"},           {"[1]", "null", "a"},
        {"null", "[\"a\"]", "a"},          {"{}", "{}", ""},
        {"[99999999999]", "[\"a\"]", "a"}, {"[1]", "[[\"a\"]]", "a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pieces pieces;
        if (add(rows[i][0], rows[i][1], rows[i][2], &pieces)) fail_msg("row %zu was taken", i);
        assert_int_equal(pieces.n, 0);
        pieces_release(&pieces);
    }
}

static void texts_in_parts(void **state) {
    (void)state;
    struct pieces pieces = {0};
    json_t *ids = json_loads("[5]", 0, NULL), *first = json_loads("[\"<\"]", 0, NULL),
           *second = json_loads("[\"|x|>\"]", 0, NULL);
    assert_true(pieces_add(&pieces, ids, first, TEXT("<")));
    assert_true(pieces_add(&pieces, ids, second, TEXT("|x|>")));
    assert_int_equal(pieces.n, 2);
    assert_int_equal(pieces.end[1], 5);
    json_decref(ids), json_decref(first), json_decref(second);
    pieces_release(&pieces);
}

static void what_was_asked_for_is_known(void **state) {
    (void)state;
    struct known *known = known_new();
    struct pieces pieces, found = {0};
    char name[20], large[4000];
    assert_non_null(known);
    assert_true(add("[7, 8]", "[\"ab\", \"c\"]", "abc", &pieces));
    known_keep(known, TEXT("abc"), &pieces);
    assert_false(known_find(known, TEXT("abd"), &found));
    assert_true(known_find(known, TEXT("abc"), &found) && known_find(known, TEXT("abc"), &found));
    assert_true(found.n == 4 && found.id[1] == 8 && found.id[2] == 7 && found.end[1] == 3 && found.end[3] == 6);
    pieces_release(&found);
    memset(large, 'x', sizeof large);
    known_keep(known, (cord_text){large, sizeof large}, &pieces); /* seldom seen again */
    assert_false(known_find(known, (cord_text){large, sizeof large}, &found));
    for (int i = 0; i < 5000; i++) { /* there is an end to what is kept, and what is found is always the text's own */
        snprintf(name, sizeof name, "%d", i);
        *pieces.id = i;
        known_keep(known, text_of(name), &pieces);
        assert_true(known_find(known, text_of(name), &found) && found.id[0] == i);
        pieces_release(&found);
    }
    assert_false(known_find(known, TEXT("abc"), &found));
    known_free(known);
    pieces_release(&pieces);
}

/* ---- tokens that were decoded one by one ---------------------------------------------------------------------- */

static bool decode(const char *strings, const char *text, bool added, struct pieces *pieces) {
    json_t *words = json_loads(strings, 0, NULL), *ids = json_array();
    assert_true(words && ids);
    for (size_t i = 0; i < json_array_size(words); i++) json_array_append_new(ids, json_integer((json_int_t)i));
    *pieces = (struct pieces){0};
    assert_true(pieces_add_ids(pieces, ids));
    bool good = pieces_decode(pieces, words, text_of(text), added);
    json_decref(ids);
    json_decref(words);
    return good;
}

#define FACE "\xF0\x9F\x98\x80" /* of four bytes */
#define LOST "\xEF\xBF\xBD"     /* what a part of it decodes to */

static void decoded_one_by_one(void **state) {
    (void)state;
    static const struct {
        const char *strings, *text;
        bool added;
        int n;
        size_t end[8];
    } rows[] = {
        {"[\"The\",\" answer\",\".\"]", "The answer.", false, 3, {3, 10, 11}},
        {"[\"The\",\"answer\"]", "The answer", false, 2, {3, 10}}, /* SentencePiece drops a token's first blank */
        {"[\"<s>\",\"The\",\".\"]", "The.", true, 3, {0, 3, 4}},   /* a BOS that the server put before it */
        {"[\"\",\"The\"]", "The", true, 2, {0, 3}},
        {"[\"a\",\"" LOST "\",\"" LOST "\",\"b\"]", "a" FACE "b", false, 4, {1, 2, 5, 6}},
        {"[\" " LOST "\",\"" LOST "\",\".\"]", " " FACE ".", false, 3, {2, 5, 6}},
        {"[\"" LOST "\",\"" LOST "\",\"" LOST "\",\"x\"]", FACE FACE "x", false, 4, {1, 2, 8, 9}},
        {"[\"a\",\"" LOST "\",\"" LOST "\"]", "a" FACE, false, 3, {1, 2, 5}},
        {"[\"a\",\"bytes:\\\\xf0\\\\x9f\",\"bytes:\\\\x98\\\\x80\"]", "a" FACE, false, 3, {1, 3, 5}},
        {"[\"x\",\"\"]", "x ", false, 2, {1, 2}},
        /* vLLM's echo has a character with the last of its tokens */
        {"[\"is\",\"\",\"\",\" " FACE "\",\".\"]", "is " FACE ".", false, 5, {2, 4, 5, 7, 8}},
        {"[\"x\",\"\",\"" FACE "\",\"\",\"" FACE "\"]", "x" FACE FACE, false, 5, {1, 2, 5, 6, 9}},
        {"[\"a\",\"\",\"\xC3\xA9\"]", "a \xC3\xA9", false, 3, {1, 2, 4}}, /* a blank that was dropped */
        {"[\"a\",\"\",\"b\"]", "ab", false, 3, {1, 1, 2}},
        {"[\"bytes:\"]", "bytes:", false, 1, {6}}, /* a text that looks so */
        {"[]", "", false, 0, {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pieces pieces;
        if (!decode(rows[i].strings, rows[i].text, rows[i].added, &pieces)) fail_msg("row %zu was refused", i);
        assert_int_equal(pieces.n, rows[i].n);
        for (int k = 0; k < pieces.n; k++)
            if (pieces.end[k] != rows[i].end[k]) fail_msg("row %zu: token %d ends at %zu", i, k, pieces.end[k]);
        pieces_release(&pieces);
    }
}

static void what_decodes_to_something_else_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *strings, *text;
        bool added;
    } rows[] = {
        {"[\"The\",\" answer\"]", "The answer.", false},
        {"[\"The\",\" answers\"]", "The answer", false},
        {"[\"<s>\",\"The\"]", "The", false},
        {"[\"<s>\",\"<s>\",\"The\"]", "The", true},
        {"[\"a\",\"" LOST "\",\"b\"]", "ab", false},
        {"[\"a\",\"" LOST "\",\"c\"]", "a" FACE "b", false},
        {"[1]", "a", false},
        {"[\"" LOST "\",\"" LOST "\"]", "a", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pieces pieces;
        if (decode(rows[i].strings, rows[i].text, rows[i].added, &pieces)) fail_msg("row %zu was taken", i);
        pieces_release(&pieces);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alphabets),          cmocka_unit_test(what_does_not_spell_the_text_is_refused),
        cmocka_unit_test(texts_in_parts),     cmocka_unit_test(what_was_asked_for_is_known),
        cmocka_unit_test(decoded_one_by_one), cmocka_unit_test(what_decodes_to_something_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
