/* test_protocols.c - what each protocol reads: replies as the servers write them, the same replies spoiled, and replies that
 * come as events. SGLang's are written after its source of 0.5.23, the chats' after their makers' documentation. */
#include "support.h"

#include "model/http/remote.h"

#include <math.h>
#include <stdlib.h>

static const struct protocol *const protocols[] = {&protocol_llama_server, &protocol_vllm, &protocol_sglang,
                                                   &protocol_openai, &protocol_chat};

/* ---- proposals ----------------------------------------------------------------------------------------------- */

static const cord_text stops[] = {TEXT("\n\n"), TEXT("</think>")};

static bool read_proposal(const struct protocol *protocol, const char *reply, cord_proposal *p) {
    json_t *json = json_loads(reply, 0, NULL);
    assert_non_null(json);
    *p = (cord_proposal){.stops = stops, .n_stops = 2};
    bool good = protocol->propose_read(json, p);
    json_decref(json);
    return good;
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
        {&protocol_sglang,
         "{\"text\":\"ab\",\"output_ids\":[1],\"meta_info\":{\"finish_reason\":{\"type\":\"stop\",\"matched\":\"</"
         "think>\"}}}",
         "ab", CORD_END_STOP, 1},
        {&protocol_sglang,
         "{\"text\":\"ab\",\"meta_info\":{\"finish_reason\":{\"type\":\"stop\",\"matched\":151645},\"prompt_tokens\":9}"
         "}",
         "ab", CORD_END_TURN, -1},
        {&protocol_sglang, "{\"text\":\"ab\",\"meta_info\":{\"finish_reason\":{\"type\":\"length\",\"length\":2}}}",
         "ab", CORD_END_LENGTH, -1},
        {&protocol_openai, "{\"choices\":[{\"text\":\"ab\",\"finish_reason\":\"stop\"}]}", "ab", CORD_END_TURN, -1},
        {&protocol_openai, "{\"choices\":[{\"text\":\"ab\",\"finish_reason\":\"length\",\"logprobs\":null}]}", "ab",
         CORD_END_LENGTH, -1},
        {&protocol_openai, "{\"choices\":[{\"text\":\"ab\",\"finish_reason\":\"stop\",\"matched_stop\":\"\\n\\n\"}]}",
         "ab", CORD_END_STOP, 0},
        {&protocol_chat, "{\"choices\":[{\"message\":{\"content\":\"ab\"},\"finish_reason\":\"stop\"}]}", "ab",
         CORD_END_TURN, -1},
        {&protocol_chat,
         "{\"choices\":[{\"message\":{\"content\":null,\"reasoning_content\":null},\"finish_reason\":\"length\"}]}", "",
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
        "{\"text\":\"a\"}",
        "{\"text\":\"a\",\"meta_info\":{\"finish_reason\":null}}",
        "{\"text\":\"a\",\"meta_info\":{\"finish_reason\":{\"type\":\"abort\",\"message\":\"x\"}}}",
        "{\"text\":\"a\",\"meta_info\":{\"finish_reason\":{\"type\":\"stop\",\"matched\":\"another\"}}}",
        "{\"text\":7,\"meta_info\":{\"finish_reason\":{\"type\":\"length\"}}}",
        "{\"choices\":[{\"message\":{\"content\":\"a\"}}]}",
        "{\"choices\":[{\"message\":{\"content\":7},\"finish_reason\":\"stop\"}]}",
        "{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"tool_calls\"}]}",
        "{\"choices\":[{\"message\":{},\"finish_reason\":\"stop\"}]}",
    };
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        for (size_t k = 0; k < sizeof protocols / sizeof *protocols; k++) {
            cord_proposal p;
            if (read_proposal(protocols[k], replies[i], &p))
                fail_msg("%s was taken by %s", replies[i], protocols[k]->name);
            assert_null(p.text);
        }
}

/* What no other try would mend says so. */
static void what_a_chat_cannot_do_is_told(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"{\"choices\":[{\"message\":{\"content\":\"a\",\"reasoning_content\":\"Hm.\"},\"finish_reason\":\"stop\"}]}",
         "thinks anew"},
        {"{\"choices\":[{\"message\":{\"content\":\"a\",\"reasoning\":\"Hm.\"},\"finish_reason\":\"stop\"}]}",
         "thinks anew"},
        {"{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"content_filter\"}]}", "filter"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cord_proposal p;
        assert_false(read_proposal(&protocol_chat, rows[i][0], &p));
        assert_int_not_equal(p.error.code, CORD_OK);
        assert_non_null(strstr(p.error.message, rows[i][1]));
    }
}

/* ---- scores -------------------------------------------------------------------------------------------------- */

/* Whether the way reads the reply, for tokens 1 and 2 of 3 ("abc", ids 10, 11, 12). */
static bool read_score(const struct scoring_way *way, const char *reply, double logprob[2]) {
    int ids[] = {10, 11, 12}, cached = 0;
    size_t ends[] = {1, 2, 3};
    struct pieces text = {.text = TEXT("abc"), .id = ids, .end = ends, .n = 3};
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
    assert_true(
        read_score(&protocol_sglang.ways[0],
                   "{\"text\":\"\",\"meta_info\":{\"input_token_logprobs\":[[null,10,null],[-1,11,null],[-2,12,null]],"
                   "\"cached_tokens\":1}}",
                   value));
    assert_float_equal(value[0], -1, 0);
    assert_float_equal(value[1], -2, 0);
    assert_true(read_score(&protocol_sglang.ways[1],
                           "{\"text\":\"x\",\"meta_info\":{\"output_token_logprobs\":[[-0.1,77,null]],"
                           "\"output_token_ids_logprobs\":[[[-3.5,12,null]]]}}",
                           value));
    assert_float_equal(value[0], -3.5, 0);
    assert_true(read_score(
        &protocol_openai.ways[1],
        "{\"choices\":[{\"logprobs\":{\"tokens\":[\"x\"],\"top_logprobs\":[{\"x\":-0.1,\"c\":-4}]}}]}", value));
    assert_float_equal(value[0], -4, 0);
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
        "{\"meta_info\":{\"input_token_logprobs\":[[-1,11,null],[-2,12,null]]}}",
        "{\"meta_info\":{\"input_token_logprobs\":[[null,10,null],[-1,11,null],[-2,13,null]]}}",
        "{\"meta_info\":{\"input_token_logprobs\":[[null,10,null],[null,11,null],[-2,12,null]]}}",
        "{\"meta_info\":{\"input_token_logprobs\":[[null,10,null],[1,11,null],[-2,12,null]]}}",
        "{\"meta_info\":{\"output_token_ids_logprobs\":[[[-3.5,11,null]]]}}",
        "{\"meta_info\":{\"output_token_ids_logprobs\":[null]}}",
        "{\"choices\":[{\"logprobs\":{\"top_logprobs\":[{\"x\":-0.1,\"d\":-4}]}}]}",
        "{\"choices\":[{\"logprobs\":{\"top_logprobs\":[{\"c\":4}]}}]}",
    };
    double value[2];
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        for (size_t k = 0; k < sizeof protocols / sizeof *protocols; k++)
            for (const struct scoring_way *way = protocols[k]->ways; way->name; way++)
                if (way->path && read_score(way, replies[i], value))
                    fail_msg("%s was taken by %s", replies[i], protocols[k]->name);
}

/* What is no number is as far from any other as can be, whatever stands behind it. */
static void no_number_agrees_with_none(void **state) {
    (void)state;
    double right[] = {-1, -2, -3}, near[] = {-1, -2.25, -3.125}, none[] = {-1, NAN, -3};
    const cord_scoring a = {.logprob = right, .n_tokens = 3}, b = {.logprob = near, .n_tokens = 3};
    const cord_scoring c = {.logprob = none, .n_tokens = 3}, shorter = {.logprob = right, .n_tokens = 2};
    assert_float_equal(check_apart(&a, &b), 0.25, 0);
    assert_true(check_apart(&a, &c) == INFINITY && check_apart(&c, &a) == INFINITY);
    assert_true(check_apart(&a, &shorter) == INFINITY);
}

/* ---- classification heads ------------------------------------------------------------------------------------ */

/* What the head says at tokens 2 and 4 of 5. */
static bool read_head(const char *reply, double logprob[2][2], int *cached, cord_error *why) {
    int ids[] = {10, 11, 99, 12, 99}, places[] = {2, 4}, classes = 0;
    size_t ends[] = {1, 2, 11, 12, 21};
    struct pieces text = {.text = TEXT("ab<extra_0>c<extra_0>"), .id = ids, .end = ends, .n = 5};
    double *values = NULL;
    json_t *json = json_loads(reply, 0, NULL);
    assert_non_null(json);
    *why = (cord_error){0};
    bool good = protocol_vllm.head->read(json, &text, places, 2, &values, &classes, cached, why);
    json_decref(json);
    if (!good) {
        assert_null(values);
        return false;
    }
    assert_int_equal(classes, 2);
    memcpy(logprob, values, 4 * sizeof *values);
    free(values);
    return true;
}

/* Replies as vLLM's PoolingResponse is written: a row for each token, or, with a step_tag_id, for each place. */
#define POOLED(rows)                                                                                              \
    "{\"id\":\"pooling-b1\",\"object\":\"list\",\"created\":1764136800,\"model\":\"prm\",\"data\":[{\"index\":0," \
    "\"object\":\"pooling\",\"data\":" rows "}],\"usage\":{\"prompt_tokens\":5,\"total_tokens\":5,"               \
    "\"completion_tokens\":0,\"prompt_tokens_details\":{\"cached_tokens\":3}}}"

static void heads_are_read(void **state) {
    (void)state;
    static const char *const replies[] = {
        POOLED("[[0.5,0.5],[0.6,0.4],[0.25,0.75],[0.9,0.1],[1.0,0.0]]"),
        POOLED("[[0.25,0.75],[1.0,0.0]]"),
    };
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        double values[2][2];
        int cached = 0;
        cord_error why;
        if (!read_head(replies[i], values, &cached, &why)) fail_msg("%s: %s", replies[i], why.message);
        assert_float_equal(values[0][0], log(0.25), 1e-12);
        assert_float_equal(values[0][1], log(0.75), 1e-12);
        assert_true(values[1][0] == 0 && values[1][1] == -INFINITY);
        assert_int_equal(cached, 3);
    }
}

/* What is half a reply is asked for again; what another try would not mend says so. */
static void what_is_no_head_is_refused(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"{}", ""},
        {"[]", ""},
        {"{\"data\":[]}", ""},
        {POOLED("\"AACAPwAAAAA=\""), ""},
        {"{\"data\":[{\"data\":[[0.2,0.8],[1,0]]}],\"usage\":{\"prompt_tokens\":6}}", "counts 6"},
        {POOLED("[[0.5,0.5],[0.6,0.4],[0.25,0.75]]"), "'{\"step_tag_id\": 99}'"},
        {POOLED("[]"), "0 values of 5 tokens"}, /* vLLM 0.32.0, where the step_tag_id was another token's */
        {POOLED("[0.25,0.75]"), "0 values of a token"},
        {POOLED("[[0.25],[0.75]]"), "1 values of a token"},
        {POOLED("[[-1.5,2.5],[1.0,0.0]]"), "no probabilities"},
        {POOLED("[[0.25,0.75],[0.9,0.8]]"), "no probabilities"},
        {POOLED("[[0.25,0.75],[0.9]]"), "no probabilities"},
        {POOLED("[[0.25,0.75],[null,null]]"), "no probabilities"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double values[2][2];
        int cached = 0;
        cord_error why;
        if (read_head(rows[i][0], values, &cached, &why)) fail_msg("%s was taken", rows[i][0]);
        assert_int_equal(why.code, *rows[i][1] ? CORD_BAD_MODEL : CORD_OK);
        if (*rows[i][1]) assert_non_null(strstr(why.message, rows[i][1]));
    }
}

/* ---- an echo of the prompt ------------------------------------------------------------------------------------ */

static bool read_echo(const char *reply, const char *text, struct pieces *pieces) {
    json_t *json = json_loads(reply, 0, NULL);
    assert_non_null(json);
    *pieces = (struct pieces){0};
    bool good = protocol_openai.tokenize_read(json, text_of(text), pieces);
    json_decref(json);
    return good;
}

static void an_echo_lists_tokens_and_scores(void **state) {
    (void)state;
    struct pieces pieces;
    assert_true(read_echo("{\"choices\":[{\"text\":\"a bc.!\",\"logprobs\":{\"tokens\":[\"a\",\" bc\",\".\",\"!\"],"
                          "\"token_logprobs\":[null,-1,-2,-3],\"text_offset\":[0,1,4,5]}}],"
                          "\"usage\":{\"completion_tokens\":1}}",
                          "a bc.", &pieces));
    assert_int_equal(pieces.n, 3);
    assert_int_equal(pieces.end[1], 4);
    assert_true(isnan(pieces.logprob[0]));
    assert_float_equal(pieces.logprob[2], -2, 0);
    pieces_release(&pieces);
    /* a BOS that the server put before it */
    assert_true(read_echo("{\"choices\":[{\"text\":\"a.x\",\"logprobs\":{\"tokens\":[\"<s>\",\"a\",\".\",\"x\"],"
                          "\"token_logprobs\":[null,-1,-2,-3]}}]}",
                          "a.", &pieces));
    assert_int_equal(pieces.n, 3);
    assert_int_equal(pieces.end[0], 0);
    pieces_release(&pieces);
}

static void what_is_no_echo_is_told(void **state) {
    (void)state;
    static const struct {
        const char *reply;
        bool told; /* asking again would not mend it */
    } rows[] = {
        {"{\"choices\":[{\"text\":\"x\",\"logprobs\":null}]}", true},
        {"{\"choices\":[{\"text\":\"x\",\"logprobs\":{\"content\":[]}}]}", true},
        {"{\"choices\":[{\"text\":\"a.x\",\"logprobs\":null}]}", true},
        {"{\"choices\":[{\"text\":\"a.x\",\"logprobs\":{\"tokens\":[\"a\",\".\",\"x\"],\"token_logprobs\":[null,-1]}}]"
         "}",
         true},
        {"{\"choices\":[{\"text\":\"a.x\",\"logprobs\":{\"tokens\":[\"a\",\".\",\"x\"],\"token_logprobs\":[null,null,-"
         "1]}}]}",
         false},
        {"{\"choices\":[{\"text\":\"a.x\",\"logprobs\":{\"tokens\":[\"a\",\".\",\"x\"],\"token_logprobs\":[null,1,-1]}}"
         "]}",
         false},
        {"{\"choices\":[{\"text\":\"a.x\",\"logprobs\":{\"tokens\":[\"a\",\"x\"],\"token_logprobs\":[null,-1]}}]}",
         false},
        {"{\"choices\":[]}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pieces pieces;
        if (read_echo(rows[i].reply, "a.", &pieces)) fail_msg("row %zu was taken", i);
        if (rows[i].told != (pieces.problem != NULL))
            fail_msg("row %zu: '%s'", i, pieces.problem ? pieces.problem : "");
        assert_int_equal(pieces.n, 0);
        pieces_release(&pieces);
    }
}

/* ---- replies that come as events ------------------------------------------------------------------------------ */

/* The proposal that some events make; NULL text: none. */
static cord_proposal fold(const struct protocol *protocol, const char *events) {
    struct remote remote = {.protocol = protocol, .stream = true};
    struct question q = {.remote = &remote, .streams = true, .stops = stops, .n_stops = 2};
    cord_proposal p = {.stops = stops, .n_stops = 2};
    json_t *reply = stream_reply(&q, text_of(events));
    if (reply && !protocol->propose_read(reply, &p)) assert_null(p.text);
    json_decref(reply);
    told_release(&q.told);
    return p;
}

static void events_make_a_reply(void **state) {
    (void)state;
    static const struct {
        const struct protocol *protocol;
        const char *events, *text;
        cord_end end;
        int new_tokens;
    } rows[] = {
        {&protocol_vllm,
         "{\"choices\":[{\"text\":\"a\",\"finish_reason\":null}]}\n{\"choices\":[{\"text\":\"b\",\"finish_reason\":"
         "null}]}\n"
         "{\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\",\"stop_reason\":\"</think>\"}]}\n"
         "{\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":4}}\n",
         "ab", CORD_END_STOP, 4},
        {&protocol_openai, /* nobody stops it, so what follows is not looked at */
         "{\"choices\":[{\"text\":\"a</"
         "th\",\"finish_reason\":null}]}\n{\"choices\":[{\"text\":\"ink>b\",\"finish_reason\":null}]}\n"
         "{\"choices\":[{\"text\":\"c\",\"finish_reason\":null}]}\n",
         "a</think>b", CORD_END_LENGTH, 2},
        {&protocol_openai, /* a server that knows no streams */
         "{\n \"choices\": [{\"text\": \"ab\",\n \"finish_reason\": \"stop\"}], \"usage\": {\"completion_tokens\": "
         "2}\n}",
         "ab", CORD_END_TURN, 2},
        {&protocol_chat,
         "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\n{\"choices\":[{\"delta\":{\"content\":"
         "\"a\"}}]}\n"
         "{\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":null}]}\n"
         "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"completion_tokens\":3}}\n",
         "ab", CORD_END_TURN, 3},
        {&protocol_chat, "{\"choices\":[{\"message\":{\"content\":\"ab\"},\"finish_reason\":\"length\"}]}", "ab",
         CORD_END_LENGTH, 1},
        {&protocol_llama_server,
         "{\"content\":\"a\",\"stop\":false}\n{\"content\":\"b\",\"stop\":false}\n"
         "{\"content\":\"\",\"stop\":true,\"stop_type\":\"eos\",\"stopping_word\":\"\",\"tokens_predicted\":3}\n",
         "ab", CORD_END_TURN, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cord_proposal p = fold(rows[i].protocol, rows[i].events);
        if (!p.text) fail_msg("row %zu makes no reply", i);
        assert_string_equal(p.text, rows[i].text);
        assert_int_equal(p.end, rows[i].end);
        if (p.new_tokens != rows[i].new_tokens) fail_msg("row %zu: %d tokens", i, p.new_tokens);
        cord_proposal_release(&p);
    }
}

/* Cut short before its end, an error among the events, no events at all. */
static void events_that_make_none(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        "\n\n",
        "{\"choices\":[{\"text\":\"a\",\"finish_reason\":null}]}\n{\"choices\":[{\"text\":\"b\"}]}\n",
        "{\"choices\":[{\"text\":\"a\"}]}\n{\"error\":{\"message\":\"out of memory\",\"code\":500}}\n",
        "{\"choices\":[{\"text\":\"a\"}]}\n{\"object\":\"error\",\"message\":\"no\"}\n",
        ("{\"choices\":[{\"text\":\"a\",\"delta\":{\"content\":\"a\"}}]}\n"
         "{\"error\":{\"code\":502},\"choices\":[{\"text\":\"\",\"delta\":{},\"finish_reason\":\"stop\"}]}\n"),
        "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n{\"choices\":[{\"delta\":{\"con",
        "{\"content\":\"a\",\"stop\":false}\n",
        "{\"content\":\"a\",\"stop\":false}\n{\"error\":{\"code\":500}}\n",
        "{\"text\":\"a\",\"output_ids\":[1],\"meta_info\":{\"finish_reason\":null,\"completion_tokens\":1}}\n",
        "{\"error\":{\"message\":\"Aborted\"}}\n",
        "[1]\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < sizeof protocols / sizeof *protocols; k++)
            if (protocols[k]->event && fold(protocols[k], rows[i]).text)
                fail_msg("row %zu was taken by %s", i, protocols[k]->name);
}

/* Thinking in a field of its own ends the stream: waiting for the text behind it would only cost more. */
static void thinking_apart_ends_a_stream(void **state) {
    (void)state;
    cord_proposal p = fold(&protocol_chat, "{\"choices\":[{\"delta\":{\"reasoning_content\":\"Hm\"}}]}\n{\"cut sh");
    assert_null(p.text);
    assert_non_null(strstr(p.error.message, "thinks anew"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proposals_are_read),
        cmocka_unit_test(what_is_no_proposal_is_refused),
        cmocka_unit_test(what_a_chat_cannot_do_is_told),
        cmocka_unit_test(scores_are_read),
        cmocka_unit_test(what_is_no_score_is_refused),
        cmocka_unit_test(no_number_agrees_with_none),
        cmocka_unit_test(heads_are_read),
        cmocka_unit_test(what_is_no_head_is_refused),
        cmocka_unit_test(an_echo_lists_tokens_and_scores),
        cmocka_unit_test(what_is_no_echo_is_told),
        cmocka_unit_test(events_make_a_reply),
        cmocka_unit_test(events_that_make_none),
        cmocka_unit_test(thinking_apart_ends_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
