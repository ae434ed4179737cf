/* test_pieces.c - what servers' tokens spell, in the alphabets that tokenizers have; and the replies of both protocols, as
 * the servers wrote them, and spoiled. */
#include "support.h"

#include "model/http/remote.h"

#include <stdlib.h>

/* What is read without a tree is what is read with one. Lists of bytes are left to that. */
static void scan(const char *tokens, const char *strings, const char *text, const struct pieces *want) {
    struct pieces found = {0};
    char reply[2000];
    snprintf(reply, sizeof reply, "{\"count\": 2, \"o\": {\"tokens\": [1, \"]}\\\"\"]}, \"tokens\": %s,\"s\":\"a\\\\\",\"strs\": %s }",
             tokens, strings);
    bool scanned = pieces_scan(&found, text_of(reply), "tokens", "strs", text_of(text));
    assert_int_equal(scanned, want && !strstr(strings, "[["));
    for (int i = 0; scanned && i < want->n; i++)
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

/* ---- replies ------------------------------------------------------------------------------------------------- */

static const cord_text stops[] = {TEXT("\n\n"), TEXT("</think>")};

static bool read_proposal(const struct protocol *protocol, const char *reply, cord_proposal *p) {
    json_t *json = json_loads(reply, 0, NULL);
    assert_non_null(json);
    *p = (cord_proposal){.stops = stops, .n_stops = 2};
    bool good = protocol->propose_read(json, p);
    json_decref(json);
    return good;
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

static void proposals_are_read(void **state) {
    (void)state;
    static const struct {
        const struct protocol *protocol;
        const char *reply, *text;
        cord_end end;
        int stop;
    } rows[] = {
        {&protocol_llama_server,
         "{\"content\":\"ab\",\"stop_type\":\"word\",\"stopping_word\":\"</think>\",\"tokens_predicted\":3}", "ab",
         CORD_END_STOP, 1},
        {&protocol_llama_server, "{\"content\":\"ab\",\"stop_type\":\"eos\",\"stopping_word\":\"\"}", "ab",
         CORD_END_TURN, -1},
        {&protocol_llama_server, "{\"content\":\"\",\"stop_type\":\"limit\"}", "", CORD_END_LENGTH, -1},
        {&protocol_vllm, "{\"choices\":[{\"text\":\"ab\",\"finish_reason\":\"stop\",\"stop_reason\":\"\\n\\n\"}]}",
         "ab", CORD_END_STOP, 0},
        {&protocol_vllm, "{\"choices\":[{\"text\":\"ab\",\"finish_reason\":\"stop\",\"stop_reason\":null}]}", "ab",
         CORD_END_TURN, -1},
        {&protocol_vllm, "{\"choices\":[{\"text\":\"ab\",\"finish_reason\":\"stop\",\"stop_reason\":151645}]}", "ab",
         CORD_END_TURN, -1},
        {&protocol_vllm,
         "{\"choices\":[{\"text\":\"ab\",\"finish_reason\":\"length\"}],\"usage\":{\"completion_tokens\":7}}", "ab",
         CORD_END_LENGTH, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cord_proposal p;
        assert_true(read_proposal(rows[i].protocol, rows[i].reply, &p));
        assert_string_equal(p.text, rows[i].text);
        assert_int_equal(p.end, rows[i].end);
        assert_int_equal(p.stop, rows[i].stop);
        cord_proposal_release(&p);
    }
}

static void what_is_no_proposal_is_refused(void **state) {
    (void)state;
    static const char *const replies[] = {
        "{}",
        "[]",
        "{\"content\":7,\"stop_type\":\"eos\"}",
        "{\"content\":\"a\"}",
        "{\"content\":\"a\",\"stop_type\":\"none\"}",
        "{\"content\":\"a\",\"stop_type\":\"word\",\"stopping_word\":\"another\"}",
        "{\"choices\":[]}",
        "{\"choices\":[{}]}",
        "{\"choices\":[{\"text\":\"a\"}]}",
        "{\"choices\":[{\"text\":\"a\",\"finish_reason\":\"abort\"}]}",
        "{\"choices\":[{\"text\":\"a\",\"finish_reason\":\"stop\",\"stop_reason\":\"another\"}]}",
        "{\"error\":{\"message\":\"no\"}}",
    };
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        cord_proposal p;
        if (read_proposal(&protocol_llama_server, replies[i], &p) || read_proposal(&protocol_vllm, replies[i], &p))
            fail_msg("%s was taken", replies[i]);
    }
}

/* Whether the way reads the reply, for tokens 1 and 2 of 3 (ids 10, 11, 12). */
static bool read_score(const struct scoring_way *way, const char *reply, double logprob[2]) {
    int ids[] = {10, 11, 12}, cached = 0;
    size_t ends[] = {1, 2, 3};
    struct pieces text = {ids, ends, 3};
    json_t *json = json_loads(reply, 0, NULL);
    assert_non_null(json);
    bool good = way->read(json, &text, 1, 3, logprob, &cached);
    json_decref(json);
    return good;
}

static void scores_are_read(void **state) {
    (void)state;
    double value[2];
    assert_true(read_score(&protocol_llama_server.ways[0],
                           "{\"completion_probabilities\":[{\"id\":12,\"logprob\":-0.5}]}", value));
    assert_float_equal(value[0], -0.5, 0);
    assert_true(read_score(&protocol_vllm.ways[0],
                           "{\"choices\":[{\"logprobs\":{\"tokens\":[\"token_id:12\"],\"token_logprobs\":[-1.5]}}]}",
                           value));
    assert_float_equal(value[0], -1.5, 0);
    assert_true(read_score(&protocol_vllm.ways[1],
                           "{\"choices\":[{\"prompt_logprobs\":[null,{\"11\":{\"logprob\":-1}},{\"12\":{\"logprob\":-2}"
                           ",\"7\":{\"logprob\":-9}}]}]}",
                           value));
    assert_float_equal(value[0], -1, 0);
    assert_float_equal(value[1], -2, 0);
}

/* A count that is off by one, another token, no number, a probability above one. */
static void what_is_no_score_is_refused(void **state) {
    (void)state;
    static const char *const replies[] = {
        "{}",
        "[]",
        "{\"completion_probabilities\":[]}",
        "{\"completion_probabilities\":[{\"id\":11,\"logprob\":-0.5}]}",
        "{\"completion_probabilities\":[{\"id\":12}]}",
        "{\"completion_probabilities\":[{\"id\":12,\"logprob\":0.5}]}",
        "{\"completion_probabilities\":[{\"id\":12,\"logprob\":null}]}",
        "{\"choices\":[{\"logprobs\":{\"tokens\":[\"token_id:11\"],\"token_logprobs\":[-1.5]}}]}",
        "{\"choices\":[{\"logprobs\":{\"tokens\":[],\"token_logprobs\":[]}}]}",
        "{\"choices\":[{\"logprobs\":null}]}",
        "{\"choices\":[{\"prompt_logprobs\":[null,{\"11\":{\"logprob\":-1}}]}]}",
        "{\"choices\":[{\"prompt_logprobs\":[null,{\"11\":{\"logprob\":-1}},{\"13\":{\"logprob\":-2}}]}]}",
        "{\"choices\":[{\"prompt_logprobs\":[{\"11\":{\"logprob\":-1}},{\"12\":{\"logprob\":-2}}]}]}",
        "{\"choices\":[{\"prompt_logprobs\":null}]}",
    };
    double value[2];
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        bool taken = read_score(&protocol_llama_server.ways[0], replies[i], value) ||
                     read_score(&protocol_vllm.ways[0], replies[i], value) ||
                     read_score(&protocol_vllm.ways[1], replies[i], value);
        if (taken) fail_msg("%s was taken", replies[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alphabets),
        cmocka_unit_test(what_does_not_spell_the_text_is_refused),
        cmocka_unit_test(texts_in_parts),
        cmocka_unit_test(what_was_asked_for_is_known),
        cmocka_unit_test(proposals_are_read),
        cmocka_unit_test(what_is_no_proposal_is_refused),
        cmocka_unit_test(scores_are_read),
        cmocka_unit_test(what_is_no_score_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
