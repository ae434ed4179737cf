/* test_protocols_asked.c - whole conversations in protocols whose servers are not to be had here: SGLang, and hosts
 * that echo a prompt (those that take chats alone: test_protocols_chats.c). What answers is written after their sources and
 * documentation, and knows one token a byte; what is tested is cord's side of it. (llama-server and vLLM are real:
 * test_model_server.c, `make test-vllm`.) */
#include "pretended.h"

#include "model/http/remote.h"

static void sglang_is_found_and_asked(void **state) {
    (void)state;
    for (int old = 0; old < 2; old++) {
        struct served s;
        assert_ok(start(&s, answer_sglang, (struct manners){.old = old}, (cord_model_options){0}, err));
        const cord_model_info *info = cord_model_get_info(s.model);
        assert_string_equal(info->description, "SGLang 0.5.23");
        assert_int_equal(info->context, 2048);
        cord_proposal p = propose(&s, question, 3);
        if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
        assert_string_equal(p.text, " well");
        assert_int_equal(p.end, CORD_END_STOP);
        assert_int_equal(p.stop, 1);
        assert_int_equal(p.prompt_tokens, 42); /* the user's tag came in two parts */
        cord_proposal_release(&p);
        end(&s);
    }
}

static void sglang_scores_in_two_ways(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_sglang, (struct manners){0}, (cord_model_options){.protocol = "sglang"}, err));
    cord_scoring_check check;
    assert_ok(cord_check_scoring(s.engine, s.model, true, &check, err));
    for (int i = 0; i < check.n_ways; i++)
        if (!check.way[i].obtained) fail_msg("%s: %s", check.way[i].name, check.way[i].why);
    assert_int_equal(check.n_ways, 2);
    assert_true(check.right && check.apart < 1e-9);
    cord_scoring r = {.model = s.model,
                      .prompt = question,
                      .n_spans = 3,
                      .opening = {TEXT(" is "), true},
                      .target = {TEXT("na\xC3\xAFve"), false},
                      .closing = {TEXT("."), true}};
    assert_ok(cord_score(s.engine, &r, 1, err));
    if (r.error.code != CORD_OK) fail_msg("%s", r.error.message);
    assert_int_equal(r.n_tokens, 6);
    assert_float_equal(r.logprob[0], logprob_of(46, 'n'), 1e-12);
    assert_float_equal(r.logprob[3], logprob_of(49, 0xAF), 1e-12);
    assert_int_equal(r.cached_tokens, 45); /* one before the target */
    cord_scoring_release(&r);
    int tokens;
    assert_ok(cord_count_tokens(s.model, question, 3, &tokens, err));
    assert_int_equal(tokens, 42);
    end(&s);
}

/* Equal requests of a call are asked once; another target of the same text is another request. */
static void equal_scorings_are_asked_once(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_sglang, (struct manners){0}, (cord_model_options){.protocol = "sglang"}, err));
    cord_scoring_check check;
    assert_ok(cord_check_scoring(s.engine, s.model, true, &check, err));
    int asked[3]; /* the first time some texts are not known yet */
    for (int again = 0; again < 3; again++) {
        cord_scoring r[4];
        for (int i = 0; i < 4; i++)
            r[i] = (cord_scoring){.model = s.model,
                                  .prompt = question,
                                  .n_spans = 3,
                                  .opening = {i == 1 ? TEXT(" ") : TEXT(" is "), true},
                                  .target = {i == 1 ? TEXT("is no") : TEXT("no"), false}};
        int before = atomic_load(&s.server.requests), n = again == 2 ? 4 : 2;
        assert_ok(cord_score(s.engine, r, n, err));
        asked[again] = atomic_load(&s.server.requests) - before;
        for (int i = 0; i < n; i++) {
            assert_int_equal(r[i].error.code, CORD_OK);
            assert_int_equal(r[i].n_tokens, i == 1 ? 5 : 2);
            if (i == 1) continue;
            assert_true(r[i].log_score == r[0].log_score && r[i].score == r[0].score);
            assert_float_equal(r[i].logprob[1], logprob_of(47, 'o'), 1e-12);
            assert_text(r[i].token[1], "o");
            assert_int_equal(r[i].cached_tokens, i ? r[i].prompt_tokens : 45);
        }
        for (int i = 0; i < n; i++) cord_scoring_release(&r[i]);
    }
    assert_int_equal(asked[2], asked[1]);
    end(&s);
}

/* All requests of a target are asked at once, and of each what its server computed counts. */
static void what_each_request_computed_counts(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_sglang, (struct manners){0}, (cord_model_options){.protocol = "sglang"}, err));
    remote_of(s.model)->way = &protocol_sglang.ways[1];
    cord_scoring r = {.model = s.model, .prompt = question, .n_spans = 3, .target = {TEXT("4 of"), false}};
    assert_ok(cord_score(s.engine, &r, 1, err));
    if (r.error.code != CORD_OK) fail_msg("%s", r.error.message);
    assert_int_equal(r.prompt_tokens, 45);
    assert_int_equal(r.cached_tokens, 0);
    assert_int_equal(cord_model_get_usage(s.model).scored_tokens, 42 + 43 + 44 + 45); /* nothing was cached */
    cord_scoring_release(&r);
    s.model->info.context = 0; /* of one that is not known nothing can be said */
    assert_ok(cord_score(s.engine, &r, 1, err));
    assert_int_equal(r.error.code, CORD_OK);
    cord_scoring_release(&r);
    end(&s);
}

/* What is asked for leaves the context that SGLang takes: one less than it has. */
static void no_more_is_asked_for_than_there_is_room(void **state) {
    (void)state;
    static const struct {
        int context, asked; /* asked: 0: it is told */
        const char *words;
    } rows[] = {{63, 20, "\"max_new_tokens\":20,"},
                {60, 17, "\"max_new_tokens\":17,"},
                {44, 1, "\"max_new_tokens\":1,"},
                {43, 0, "42 tokens leave no room in the context of m (43)"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct served s;
        assert_ok(start(&s, answer_sglang, (struct manners){.longest = rows[i].context},
                        (cord_model_options){.protocol = "sglang", .context = 40}, err));
        cord_proposal p = propose(&s, question, 3);
        assert_int_equal(p.error.code, rows[i].asked ? CORD_OK : CORD_TOO_LONG);
        assert_holds(rows[i].asked ? s.manners.last : p.error.message, rows[i].words);
        cord_proposal_release(&p);
        s.model->info.context = 0; /* of one that is not known nothing can be said */
        p = propose(&s, question, 3);
        assert_int_equal(p.error.code, CORD_OK);
        assert_holds(s.manners.last, "\"max_new_tokens\":20,");
        cord_proposal_release(&p);
        end(&s);
    }
}

/* ---- replicas ------------------------------------------------------------------------------------------------ */

enum { WRITES, TOKENISES, DECODES, KINDS };
static const char *const kinds[KINDS] = {"/generate", "/tokenize", "/detokenize"};
static struct fault_server *other_server;
static atomic_int asked_for[2][KINDS]; /* of the first, and of the second */

static bool answer_and_count(struct exchange *x) {
    for (int i = 0; i < KINDS; i++)
        if (asks(x, "POST", kinds[i])) atomic_fetch_add(&asked_for[x->server == other_server][i], 1);
    return answer_sglang(x);
}

/* All requests of a problem go to one of them, those for tokens, too. */
static void a_problem_stays_with_a_replica(void **state) {
    (void)state;
    enum { PROBLEMS = 16 };
    struct manners manners = {0};
    struct fault_server other = {.answer = answer_and_count, .ctx = &manners};
    fault_server_start(&other);
    other_server = &other;
    char url[100];
    snprintf(url, sizeof url, " %s", fault_server_url(&other));
    struct served s;
    assert_ok(start(&s, answer_and_count, (struct manners){0}, (cord_model_options){.url = url}, err));
    int problems[2] = {0};
    for (uint64_t group = 1; group <= PROBLEMS; group++) {
        for (int i = 0; i < 2 * KINDS; i++) atomic_store(&asked_for[i / KINDS][i % KINDS], 0);
        cord_scoring r = {
            .model = s.model, .prompt = question, .n_spans = 3, .target = {TEXT("no"), false}, .group = group};
        assert_ok(cord_score(s.engine, &r, 1, err));
        if (r.error.code != CORD_OK) fail_msg("%s", r.error.message);
        cord_scoring_release(&r);
        int its = atomic_load(&asked_for[1][WRITES]);
        problems[its]++;
        for (int i = 0; i < KINDS; i++) {
            assert_true(atomic_load(&asked_for[its][i]) > 0);
            assert_int_equal(atomic_load(&asked_for[!its][i]), 0);
        }
    }
    print_message("problems: %d, %d\n", problems[0], problems[1]);
    assert_true(problems[0] > 0 && problems[1] > 0);
    end(&s);
    fault_server_stop(&other);
}

/* All servers of a model must have the same one; the least of their contexts counts; one that is away is done without. */
static void replicas_are_compared(void **state) {
    (void)state;
    static const struct {
        const char *root;
        int longest;
        bool away;
        const char *words; /* of the error; NULL: none */
    } rows[] = {
        {NULL, 1024, false, NULL},
        {"another/model-AWQ", 0, false, "has another model (a/model, model-AWQ) than http://127.0.0.1:"},
        {NULL, 500, false, "gives a sequence 500 tokens, and this asks for 1000"},
        {NULL, 0, true, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct manners manners = {.root = rows[i].root, .longest = rows[i].longest};
        struct fault_server second = {.answer = answer_sglang, .ctx = &manners};
        fault_server_start(&second);
        if (rows[i].away) fault_server_stop(&second);
        char url[100];
        snprintf(url, sizeof url, " %s ", fault_server_url(&second));
        struct served s;
        cord_error error = {0};
        cord_status status = start(&s, answer_sglang, (struct manners){0}, (cord_model_options){.url = url}, &error);
        assert_int_equal(status, !rows[i].words ? CORD_OK : CORD_BAD_MODEL);
        if (rows[i].words) assert_holds(error.message, rows[i].words);
        if (status == CORD_OK) {
            assert_int_equal(cord_model_get_info(s.model)->context, rows[i].longest ? rows[i].longest : 2048);
            assert_int_equal(s.model->n_replicas, 2);
            assert_null(s.model->replicas[0].problem);
            assert_int_equal(s.model->replicas[1].problem != NULL, rows[i].away);
        }
        end(&s);
        if (!rows[i].away) fault_server_stop(&second);
    }
}

static void ways_that_differ_are_told(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_sglang, (struct manners){.wrong_ways = true}, (cord_model_options){0}, err));
    cord_scoring_check check;
    assert_ok(cord_check_scoring(s.engine, s.model, true, &check, err));
    assert_false(check.right);
    assert_float_equal(check.apart, 0.5, 1e-9);
    end(&s);
}

static cord_proposal stream(const char *const *streams, int n, int *requests, int64_t *us) {
    struct served s;
    assert_ok(start(&s, answer_openai, (struct manners){.streams = streams, .n_streams = n},
                    (cord_model_options){.protocol = "openai"}, err));
    int64_t began = clock_us();
    cord_proposal p = propose(&s, question, 1);
    *us = clock_us() - began;
    *requests = s.manners.streamed - 1;
    end(&s);
    return p;
}

static void streams_are_read(void **state) {
    (void)state;
    static const char *const whole[] = {COUNTED, EVENT("a", "null") EVENT("b", "\"length\"") DONE};
    int requests;
    int64_t us;
    cord_proposal p = stream(whole, 2, &requests, &us);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_string_equal(p.text, "ab");
    assert_int_equal(p.end, CORD_END_LENGTH);
    assert_int_equal(requests, 1);
    cord_proposal_release(&p);
}

/* A NUL is no end of a text. */
static void streams_may_hold_a_nul(void **state) {
    (void)state;
    static const char *const whole[] = {COUNTED, EVENT("a\\u0000", "null") EVENT("b", "\"stop\"") DONE};
    int requests;
    int64_t us;
    cord_proposal p = stream(whole, 2, &requests, &us);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_text(((cord_text){p.text, p.len}), "a\xEF\xBF\xBD"
                                              "b");
    assert_int_equal(requests, 1);
    cord_proposal_release(&p);
}

/* The server goes on without end and knows no stop strings: it is left as soon as one is there. */
static void a_stream_is_left_at_a_stop_string(void **state) {
    (void)state;
    static const char *const endless[] = {COUNTED, EVENT("a", "null") EVENT("</th", "null") EVENT("ink>b", "null")};
    int requests;
    int64_t us;
    cord_proposal p = stream(endless, 2, &requests, &us);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_string_equal(p.text, "a");
    assert_int_equal(p.end, CORD_END_STOP);
    assert_int_equal(p.stop, 1);
    assert_int_equal(p.new_tokens, 3);
    assert_int_equal(requests, 1);
    assert_true(us < 30 * 1000000);
    cord_proposal_release(&p);
}

/* An error among the events that may pass, and a stream that ends too soon, are asked for again: an error as often as a
 * status that says so, since the server knows what it says. */
static void bad_streams_are_asked_for_again(void **state) {
    (void)state;
    static const char error[] = EVENT("a", "null") "data: {\"error\":{\"message\":\"out of memory\"}}\n\n" DONE;
    static const char *const rows[] = {
        COUNTED, error,
        error,   error,
        error,   EVENT("a", "null") ":the server is gone!\n\n",
        error,   EVENT("ok", "\"stop\"") DONE,
    };
    int requests;
    int64_t us;
    cord_proposal p = stream(rows, 8, &requests, &us);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_string_equal(p.text, "ok");
    assert_int_equal(p.end, CORD_END_TURN);
    assert_int_equal(requests, 7);
    cord_proposal_release(&p);
}

/* An error with status 200 says of itself whether it may pass. */
static void errors_inside_a_reply_are_told(void **state) {
    (void)state;
    static const struct {
        const char *error, *words;
        cord_status code;
        int requests;
    } rows[] = {
        {"{\"error\":{\"message\":\"too long\",\"code\":400}}", "an error: 400, too long", CORD_BAD_INPUT, 1},
        {"{\"error\":{\"message\":\"no\\nway\",\"code\":\"422\"},\"choices\":[]}", "an error: 422, no way",
         CORD_BAD_INPUT, 1},
        {"{\"object\":\"error\",\"message\":\"odd\",\"code\":413}", "an error: 413, odd", CORD_BAD_INPUT, 1},
        {"{\"error\":{\"message\":\"upstream\",\"code\":502}}", "an error: 502, upstream", CORD_IO_ERROR, 8},
        {"{\"error\":\"try later\"}", "an error: try later", CORD_IO_ERROR, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char events[400];
        snprintf(events, sizeof events, EVENT("a", "null") "data: %s\n\n" DONE, rows[i].error);
        const char *const streams[] = {COUNTED, events};
        int requests;
        int64_t us;
        cord_proposal p = stream(streams, 2, &requests, &us);
        assert_holds(p.error.message, rows[i].words);
        assert_int_equal(p.error.code, rows[i].code);
        assert_int_equal(requests, rows[i].requests);
        cord_proposal_release(&p);
    }
}

/* Who stands before the server says something of its own with status 200: that passes, however often it is said. */
static void pages_for_people_may_pass(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_openai, (struct manners){.strings_named = true},
                    (cord_model_options){.protocol = "openai"}, err));
    s.manners.pages = 7;
    cord_proposal p = propose(&s, question, 1);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_string_equal(p.text, " 7, 8,");
    cord_proposal_release(&p);
    s.manners.pages = 1000;
    p = propose(&s, question, 1);
    assert_int_equal(p.error.code, CORD_IO_ERROR);
    assert_holds(p.error.message, "an error: <html><title>Back soon");
    assert_holds(p.error.message, "(tried 8 times)");
    end(&s);
}

/* Each event of SGLang's has all of the text: it is asked for whole replies, whatever the recipe says. */
static void sglang_is_asked_for_no_stream(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_sglang, (struct manners){0}, (cord_model_options){.stream = true}, err));
    cord_proposal p = propose(&s, question, 3);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_string_equal(p.text, " well");
    assert_lacks(s.manners.last, "\"stream\"");
    cord_proposal_release(&p);
    end(&s);
}

/* A tokenizer with a normal form of its own: what no other try would mend is told, after one more. */
static void altered_texts_are_told(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_vllm, (struct manners){.normalises = true}, (cord_model_options){.context = 60}, err));
    const cord_span ohm = {TEXT("5 \xE2\x84\xA6"), false};
    int tokens, before = atomic_load(&s.server.requests);
    cord_error error = {0};
    assert_int_equal(cord_count_tokens(s.model, &ohm, 1, &tokens, &error), CORD_BAD_INPUT);
    assert_holds(error.message, "tokenizer changes this text");
    assert_int_equal(atomic_load(&s.server.requests) - before, 2);
    end(&s);
}

/* ---- completions --------------------------------------------------------------------------------------------- */

static void openai_is_found_last(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_openai, (struct manners){.strings_named = true}, (cord_model_options){.served = "large"},
                    err));
    const cord_model_info *info = cord_model_get_info(s.model);
    assert_string_equal(info->description, "OpenAI completions of large");
    assert_int_equal(info->context, 4096);
    cord_proposal p = propose(&s, plain, 1);
    assert_string_equal(p.text, " 7, 8,");
    assert_int_equal(p.end, CORD_END_STOP); /* the server tells which */
    assert_int_equal(p.stop, 0);
    assert_int_equal(p.prompt_tokens, 12);
    assert_holds(s.manners.last, "\"stop\":[");
    assert_lacks(s.manners.last, "\"stream\"");
    cord_proposal_release(&p);
    p = propose(&s, question, 3);
    assert_int_equal(p.error.code, CORD_BAD_INPUT);
    assert_holds(p.error.message, "\"<|im_end|>\"");
    cord_proposal_release(&p);
    end(&s);
}

/* Where it does not tell which stop string ended a text, none is sent, and the text is left when it has one. */
static void unnamed_stop_strings_are_found_here(void **state) {
    (void)state;
    static const char *const endless[] = {
        COUNTED, "data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: {\"choices\":[{\"text\":\"b\\n\"}]}\n\ndata: "
                 "{\"choices\":[{\"text\":\"\\nc\"}]}\n\n"};
    struct served s;
    assert_ok(start(&s, answer_openai, (struct manners){.streams = endless, .n_streams = 2},
                    (cord_model_options){.protocol = "openai"}, err));
    assert_int_equal(cord_model_get_info(s.model)->context, 1000); /* it does not tell: what is asked for */
    cord_proposal p = propose(&s, plain, 1);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_string_equal(p.text, "ab");
    assert_int_equal(p.stop, 0);
    assert_int_equal(p.prompt_tokens, 5); /* a third of its bytes, and each digit: it was left before the server told */
    assert_int_equal(p.new_tokens, 3);
    assert_lacks(s.manners.last, "\"stop\":[");
    assert_holds(s.manners.last, "\"stream\":true");
    cord_proposal_release(&p);
    end(&s);
}

static void an_echo_scores(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_openai, (struct manners){.echoes = true, .strings_named = true},
                    (cord_model_options){.protocol = "openai"}, err));
    cord_scoring_check check;
    assert_ok(cord_check_scoring(s.engine, s.model, true, &check, err));
    for (int i = 0; i < check.n_ways; i++)
        if (!check.way[i].obtained) fail_msg("%s: %s", check.way[i].name, check.way[i].why);
    assert_true(check.right && check.apart < 1e-9);
    assert_int_equal(check.n_ways, 2);
    cord_scoring r = {
        .model = s.model, .prompt = plain, .n_spans = 1, .target = {TEXT(" 4"), false}, .closing = {TEXT("."), true}};
    assert_ok(cord_score(s.engine, &r, 1, err));
    if (r.error.code != CORD_OK) fail_msg("%s", r.error.message);
    assert_int_equal(r.n_tokens, 2);
    assert_float_equal(r.logprob[1], logprob_of(9, '4'), 1e-12);
    cord_scoring_release(&r);
    end(&s);
}

static void no_echo_no_scores(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_openai, (struct manners){.strings_named = true},
                    (cord_model_options){.protocol = "openai"}, err));
    cord_scoring_check check;
    int before = atomic_load(&s.server.requests);
    assert_ok(cord_check_scoring(s.engine, s.model, true, &check, err));
    assert_false(check.right);
    assert_holds(check.way[0].why, "it ignores \"echo\"");
    assert_null(cord_model_get_info(s.model)->scoring);
    assert_int_equal(atomic_load(&s.server.requests) - before,
                     2); /* asked once in each way, since asking again mends nothing */
    end(&s);
}

/* A text that comes whole takes as long as its tokens do. */
static void long_texts_are_waited_for(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_openai, (struct manners){.strings_named = true, .late = 0.8, .first_byte = 0.3},
                    (cord_model_options){.protocol = "openai"}, err));
    int before = atomic_load(&s.server.requests);
    cord_proposal p = propose(&s, question, 1);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_int_equal(atomic_load(&s.server.requests) - before, 1);
    cord_proposal_release(&p);
    end(&s);
}

/* Untrusted texts that only look like tags are no reason to refuse a problem. */
static void what_mathematics_writes_is_no_tag(void **state) {
    (void)state;
    static const struct {
        cord_text text;
        bool refused;
    } rows[] = {
        {TEXT("x in [0,1], [ABC] = 3, \\sqrt[3]{x}, a<b, b>c, 1<x<2>1, <1,2>"), false},
        {TEXT("<think> </think> <answer> </b>"), false},
        {TEXT("[|x|] <= |x|, [|a|,|b|], f[args] of [mask]"), false},
        {TEXT("<end_of_turn>"), true},
        {TEXT("a [/INST] b"), true},
        {TEXT("<|eot_id|>"), true},
        {TEXT("<\xEF\xBD\x9C"
              "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"),
         true},
        {TEXT("<s>"), true},
        {TEXT("7<EOS>"), true},
        {TEXT("</Sys>"), true},
        {TEXT("[|endofturn|]"), true},
        {TEXT("[|end_of_turn|]"), true},
        {TEXT("[gMASK]"), true},
    };
    struct served s;
    assert_ok(start(&s, answer_openai, (struct manners){.strings_named = true},
                    (cord_model_options){.protocol = "openai"}, err));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cord_span span = {rows[i].text, false};
        cord_proposal p = propose(&s, &span, 1);
        if ((p.error.code == CORD_BAD_INPUT) != rows[i].refused) fail_msg("row %zu: %s", i, p.error.message);
        cord_proposal_release(&p);
        span.trusted = true;
        p = propose(&s, &span, 1);
        assert_int_equal(p.error.code, CORD_OK);
        cord_proposal_release(&p);
    }
    end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sglang_is_found_and_asked),
        cmocka_unit_test(sglang_scores_in_two_ways),
        cmocka_unit_test(equal_scorings_are_asked_once),
        cmocka_unit_test(what_each_request_computed_counts),
        cmocka_unit_test(no_more_is_asked_for_than_there_is_room),
        cmocka_unit_test(a_problem_stays_with_a_replica),
        cmocka_unit_test(replicas_are_compared),
        cmocka_unit_test(ways_that_differ_are_told),
        cmocka_unit_test(streams_are_read),
        cmocka_unit_test(streams_may_hold_a_nul),
        cmocka_unit_test(a_stream_is_left_at_a_stop_string),
        cmocka_unit_test(bad_streams_are_asked_for_again),
        cmocka_unit_test(errors_inside_a_reply_are_told),
        cmocka_unit_test(pages_for_people_may_pass),
        cmocka_unit_test(sglang_is_asked_for_no_stream),
        cmocka_unit_test(altered_texts_are_told),
        cmocka_unit_test(openai_is_found_last),
        cmocka_unit_test(unnamed_stop_strings_are_found_here),
        cmocka_unit_test(an_echo_scores),
        cmocka_unit_test(no_echo_no_scores),
        cmocka_unit_test(long_texts_are_waited_for),
        cmocka_unit_test(what_mathematics_writes_is_no_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
