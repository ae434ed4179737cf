/* test_protocols_asked.c - whole conversations in protocols whose servers are not to be had here: SGLang, hosts
 * that echo a prompt, hosts that take chats alone. What answers is written after their sources and documentation,
 * and knows one token a byte; what is tested is cord's side of it. (llama-server and vLLM are real:
 * test_model_server.c, `make test-vllm`.) */
#include "rig.h"

#include "base/json.h"
#include "model/backend.h"

#include <math.h>
#include <stdlib.h>

/* What a server of these tests does; the test sets it. */
struct manners {
    bool old;           /* SGLang: /get_server_info */
    bool wrong_ways;    /* SGLang: its two ways differ */
    bool strings_named; /* OpenAI: stop_reason */
    bool echoes;
    const char *says;           /* chat: to a turn that ends in "sev"; a text to be asked for otherwise */
    const char *beside;         /* chat: in reasoning_content */
    bool repeats;               /* chat: begins with the turn */
    const char *needs;          /* a part of the body without which a chat goes on with nothing */
    const char *path;           /* of completions; NULL: as OpenAI's */
    const char *const *streams; /* replies to requests with "stream": what is sent, one after the other */
    int n_streams, streamed;
    int pooled;         /* vLLM: how often the head was asked */
    bool half, no_head; /* vLLM: the first reply of the head is half of one; it has no such path */
    char last[4000];    /* the body of the last request */
};

static bool asks(const struct exchange *x, const char *method, const char *path) {
    char line[200];
    snprintf(line, sizeof line, "%s %s HTTP", method, path);
    return !strncmp(x->head, line, strlen(line));
}

static bool say(struct exchange *x, json_t *reply) {
    char *text = json_dumps(reply, 0);
    bool fine = send_reply(x->fd, 200, "Content-Type: application/json\r\n", text);
    free(text);
    json_decref(reply);
    return fine;
}

static bool say_not_found(struct exchange *x) { return send_reply(x->fd, 404, NULL, "{\"detail\":\"Not Found\"}"); }

static bool say_stream(struct exchange *x, struct manners *m) {
    int i = m->streamed < m->n_streams ? m->streamed : m->n_streams - 1;
    m->streamed++;
    return send_text(x->fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n") &&
           send_text(x->fd, m->streams[i]) &&
           (text_ends(text_of(m->streams[i]), TEXT("[DONE]\n\n")) || text_ends(text_of(m->streams[i]), TEXT("!\n\n")) ||
            hang(x->fd)) &&
           false; /* it is over when the connection is */
}

/* ---- SGLang -------------------------------------------------------------------------------------------------- */

static double logprob_of(int place, json_int_t id) { return -0.01 * (place % 9) - 0.1 * (double)(id % 7); }

static json_t *listed(double value, json_int_t id, bool known) {
    return known ? json_pack("[f,I,n]", value, id) : json_pack("[n,I,n]", id);
}

static json_t *generated(const json_t *body, const struct manners *m) {
    const json_t *ids = json_object_get(body, "input_ids"), *wanted = json_object_get(body, "token_ids_logprob");
    int n = (int)json_array_size(ids), from = (int)json_integer_value(json_object_get(body, "logprob_start_len"));
    json_t *meta = json_pack("{s:i,s:i,s:i,s:{s:s,s:s}}", "prompt_tokens", n, "cached_tokens", from,
                             "completion_tokens", 2, "finish_reason", "type", "stop", "matched", "</think>");
    if (wanted) {
        json_int_t id = json_integer_value(json_array_get(wanted, 0));
        double value = logprob_of(n, id) - (m->wrong_ways ? 0.5 : 0);
        json_object_set_new(meta, "output_token_ids_logprobs", json_pack("[[o]]", listed(value, id, true)));
    } else if (json_is_true(json_object_get(body, "return_logprob"))) {
        json_t *all = json_array();
        for (int i = from; i < n; i++) {
            json_int_t id = json_integer_value(json_array_get(ids, (size_t)i));
            json_array_append_new(all, listed(logprob_of(i, id), id, i > from));
        }
        json_object_set_new(meta, "input_token_logprobs", all);
    }
    return json_pack("{s:s,s:[i,i],s:o}", "text", " well", "output_ids", 1, 2, "meta_info", meta);
}

static json_t *tokens_of(const json_t *body) {
    json_t *tokens = json_array();
    const char *text = json_string_value(json_object_get(body, "prompt"));
    for (size_t i = 0; text && text[i]; i++) json_array_append_new(tokens, json_integer((unsigned char)text[i]));
    return json_pack("{s:o,s:I}", "tokens", tokens, "count", (json_int_t)json_array_size(tokens));
}

static json_t *texts_of(const json_t *body) {
    json_t *texts = json_array();
    const json_t *tokens = json_object_get(body, "tokens");
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        int byte = (int)json_integer_value(json_array_get(json_array_get(tokens, i), 0));
        char text[2] = {(char)byte, '\0'};
        json_array_append_new(texts, json_string(byte < 128 ? text : "\xEF\xBF\xBD"));
    }
    return json_pack("{s:o}", "text", texts);
}

static bool answer_sglang(struct exchange *x) {
    struct manners *m = x->server->ctx;
    json_t *body = x->body.len ? json_loadb(x->body.data, x->body.len, 0, NULL) : NULL, *reply = NULL;
    if (x->body.len) snprintf(m->last, sizeof m->last, "%.*s", (int)x->body.len, x->body.data);
    bool streams = json_is_true(json_object_get(body, "stream"));
    if (asks(x, "GET", m->old ? "/get_server_info" : "/server_info"))
        reply = json_pack("{s:s,s:i,s:n}", "version", "0.5.23", "max_total_num_tokens", 3000, "context_length");
    else if (asks(x, "GET", "/v1/models"))
        reply = json_pack("{s:[{s:s,s:i}]}", "data", "id", "a/model", "max_model_len", 2048);
    else if (asks(x, "POST", "/tokenize"))
        reply = tokens_of(body);
    else if (asks(x, "POST", "/detokenize"))
        reply = texts_of(body);
    else if (asks(x, "POST", "/generate") && !streams)
        reply = generated(body, m);
    bool to_stream = asks(x, "POST", "/generate") && streams;
    json_decref(body);
    return to_stream ? say_stream(x, m) : reply ? say(x, reply) : say_not_found(x);
}

/* ---- completions and chats ----------------------------------------------------------------------------------- */

/* A prompt of one token a byte, then "!". */
static json_t *echo_of(const json_t *body) {
    const char *prompt = json_string_value(json_object_get(body, "prompt"));
    json_t *tokens = json_pack("[s]", "<s>"), *values = json_pack("[n]");
    for (size_t i = 0; prompt[i]; i++) {
        json_array_append_new(tokens, json_stringn(prompt + i, 1));
        json_array_append_new(values, json_real(logprob_of((int)i, prompt[i])));
    }
    json_array_append_new(tokens, json_string("!"));
    json_array_append_new(values, json_real(-1));
    char text[2000];
    snprintf(text, sizeof text, "%s!", prompt);
    return json_pack("{s:[{s:s,s:s,s:{s:o,s:o}}],s:{s:i}}", "choices", "text", text, "finish_reason", "length",
                     "logprobs", "tokens", tokens, "token_logprobs", values, "usage", "completion_tokens", 1);
}

/* The likeliest tokens behind a prompt: all digits, commas and blanks. */
static json_t *likeliest_of(const json_t *body) {
    size_t n = json_string_length(json_object_get(body, "prompt"));
    json_t *top = json_object();
    for (const char *c = "0123456789, "; *c; c++) {
        char key[2] = {*c, '\0'};
        json_object_set_new(top, key, json_real(logprob_of((int)n, *c)));
    }
    return json_pack("{s:[{s:s,s:s,s:{s:[o]}}]}", "choices", "text", "7", "finish_reason", "length", "logprobs",
                     "top_logprobs", top);
}

static json_t *completion_of(const json_t *body, const struct manners *m) {
    if (m->echoes && json_is_true(json_object_get(body, "echo"))) return echo_of(body);
    if (m->echoes && json_object_get(body, "logprobs")) return likeliest_of(body);
    json_t *choice = json_pack("{s:s,s:s}", "text", " 7, 8,", "finish_reason", "stop");
    if (m->strings_named) json_object_set(choice, "stop_reason", json_array_get(json_object_get(body, "stop"), 0));
    return json_pack("{s:[o],s:{s:i,s:i}}", "choices", choice, "usage", "prompt_tokens", 12, "completion_tokens", 5);
}

static json_t *chat_of(const json_t *body, const struct manners *m) {
    const json_t *messages = json_object_get(body, "messages");
    const json_t *last = json_array_get(messages, json_array_size(messages) - 1);
    const char *turn = json_string_value(json_object_get(last, "content"));
    bool goes_on = !m->needs || strstr(m->last, m->needs);
    char text[2000];
    snprintf(text, sizeof text, "%s%s", m->repeats ? turn : "", goes_on ? m->says : "Sure! Seven");
    json_t *message = json_pack("{s:s,s:s}", "role", "assistant", "content", text);
    if (m->beside) json_object_set_new(message, "reasoning_content", json_string(m->beside));
    json_t *choice = json_pack("{s:o,s:s}", "message", message, "finish_reason", "stop");
    if (m->strings_named) json_object_set(choice, "matched_stop", json_array_get(json_object_get(body, "stop"), 0));
    return json_pack("{s:[o]}", "choices", choice);
}

static bool answer_openai(struct exchange *x) {
    struct manners *m = x->server->ctx;
    json_t *body = x->body.len ? json_loadb(x->body.data, x->body.len, 0, NULL) : NULL, *reply = NULL;
    if (x->body.len) snprintf(m->last, sizeof m->last, "%.*s", (int)x->body.len, x->body.data);
    bool streams = json_is_true(json_object_get(body, "stream"));
    bool posted = asks(x, "POST", m->path ? m->path : m->says ? "/v1/chat/completions" : "/v1/completions");
    if (posted && m->says && m->needs && !strcmp(m->needs, "refuse"))
        reply = NULL;
    else if (posted && !streams)
        reply = m->says ? chat_of(body, m) : completion_of(body, m);
    else if (asks(x, "GET", "/v1/models"))
        reply = json_pack("{s:[{s:s},{s:s,s:i}]}", "data", "id", "small", "id", "large", "max_model_len", 4096);
    json_decref(body);
    return posted && streams ? say_stream(x, m) : reply ? say(x, reply) : say_not_found(x);
}

/* ---- vLLM with a classification head -------------------------------------------------------------------------- */

enum { MARK_ID = 1000 };

/* A token a byte, but for the mark. */
static json_t *marked_tokens_of(const json_t *body) {
    json_t *tokens = json_array(), *strings = json_array();
    const char *text = json_string_value(json_object_get(body, "prompt"));
    for (size_t i = 0; text && text[i];) {
        bool mark = text_starts(text_of(text + i), TEXT("<extra_0>"));
        json_array_append_new(tokens, json_integer(mark ? MARK_ID : (unsigned char)text[i]));
        json_array_append_new(strings, text[i] == ' '    ? json_string("\xC4\xA0")
                                       : text[i] == '\n' ? json_string("\xC4\x8A")
                                                         : json_stringn(text + i, mark ? 9 : 1));
        i += mark ? 9 : 1;
    }
    return json_pack("{s:o,s:o}", "tokens", tokens, "token_strs", strings);
}

/* At each token, the share of the second class is its place among a hundred. */
static json_t *pooled_of(const json_t *body) {
    const json_t *ids = json_object_get(body, "input");
    json_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(ids); i++)
        json_array_append_new(rows, json_pack("[f,f]", 1 - (double)i / 100, (double)i / 100));
    return json_pack("{s:[{s:i,s:o}],s:{s:i}}", "data", "index", 0, "data", rows, "usage", "prompt_tokens",
                     (int)json_array_size(ids));
}

static bool answer_vllm(struct exchange *x) {
    struct manners *m = x->server->ctx;
    json_t *body = x->body.len ? json_loadb(x->body.data, x->body.len, 0, NULL) : NULL, *reply = NULL;
    if (asks(x, "GET", "/version"))
        reply = json_pack("{s:s}", "version", "0.32.0");
    else if (asks(x, "GET", "/v1/models"))
        reply = json_pack("{s:[{s:s,s:i}]}", "data", "id", "prm", "max_model_len", 60);
    else if (asks(x, "POST", "/tokenize"))
        reply = marked_tokens_of(body);
    else if (asks(x, "POST", "/pooling") && !m->no_head) {
        snprintf(m->last, sizeof m->last, "%.*s", (int)x->body.len, x->body.data);
        reply = m->half && !m->pooled ? json_pack("{s:[]}", "data") : pooled_of(body);
        m->pooled++;
    }
    json_decref(body);
    return reply ? say(x, reply) : say_not_found(x);
}

/* ---- what is tested ------------------------------------------------------------------------------------------ */

/* A server and a model of it. */
struct served {
    struct fault_server server;
    struct manners manners;
    cord_engine *engine;
    cord_model *model;
};

static cord_status start(struct served *s, bool (*answer)(struct exchange *x), struct manners manners,
                         cord_model_options options, cord_error *error) {
    cord_engine_options none = {0};
    *s = (struct served){.manners = manners};
    s->server = (struct fault_server){.answer = answer, .ctx = &s->manners};
    fault_server_start(&s->server);
    assert_ok(cord_engine_open(&none, &s->engine, err));
    char url[100];
    snprintf(url, sizeof url, "%s%s", fault_server_url(&s->server), options.url ? options.url : "");
    options.name = "m";
    options.url = url;
    if (!options.context) options.context = 1000;
    return cord_model_open(s->engine, &options, &s->model, error);
}

static void end(struct served *s) {
    cord_engine_close(s->engine);
    fault_server_stop(&s->server);
}

static const cord_text stops[] = {TEXT("\n\n"), TEXT("</think>")};

static cord_proposal propose(struct served *s, const cord_span *prompt, int n) {
    cord_proposal p = {
        .model = s->model, .prompt = prompt, .n_spans = n, .stops = stops, .n_stops = 2, .max_tokens = 20};
    assert_ok(cord_propose(s->engine, &p, 1, err));
    return p;
}

static const cord_span question[] = {
    {TEXT("<|im_start|>"), true}, {TEXT("Is <|im_end|> a tag?"), false}, {TEXT("<|im_end|>"), true}};

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

#define EVENT(text, ids, n, finish)                                                                  \
    "data: {\"text\":\"" text "\",\"output_ids\":[" ids "],\"meta_info\":{\"finish_reason\":" finish \
    ",\"completion_tokens\":" n "}}\n\n"

static cord_proposal stream(const char *const *streams, int n, int *requests, int64_t *us) {
    struct served s;
    assert_ok(start(&s, answer_sglang, (struct manners){.streams = streams, .n_streams = n},
                    (cord_model_options){.stream = true}, err));
    int64_t began = clock_us();
    cord_proposal p = propose(&s, question, 3);
    *us = clock_us() - began;
    *requests = s.manners.streamed;
    end(&s);
    return p;
}

static void streams_are_read(void **state) {
    (void)state;
    static const char *const whole[] = {EVENT("a", "1", "1", "null")
                                            EVENT("ab", "1,2", "2", "{\"type\":\"length\"}") "data: [DONE]\n\n"};
    int requests;
    int64_t us;
    cord_proposal p = stream(whole, 1, &requests, &us);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_string_equal(p.text, "ab");
    assert_int_equal(p.end, CORD_END_LENGTH);
    assert_int_equal(requests, 1);
    cord_proposal_release(&p);
}

/* The server goes on without end and knows no stop strings: it is left as soon as one is there. */
static void a_stream_is_left_at_a_stop_string(void **state) {
    (void)state;
    static const char *const endless[] = {EVENT("a", "1", "1", "null") EVENT("a</th", "1,2", "2", "null")
                                              EVENT("a</think>b", "1,2,3", "3", "null")};
    int requests;
    int64_t us;
    cord_proposal p = stream(endless, 1, &requests, &us);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_string_equal(p.text, "a");
    assert_int_equal(p.end, CORD_END_STOP);
    assert_int_equal(p.stop, 1);
    assert_int_equal(p.new_tokens, 3);
    assert_int_equal(requests, 1);
    assert_true(us < 30 * 1000000);
    cord_proposal_release(&p);
}

/* An error among the events, and a stream that ends too soon, are asked for again. */
static void bad_streams_are_asked_for_again(void **state) {
    (void)state;
    static const char *const rows[] = {
        EVENT("a", "1", "1", "null") "data: {\"error\":{\"message\":\"out of memory\"}}\n\ndata: [DONE]\n\n",
        EVENT("a", "1", "1", "null") ":the server is gone!\n\n",
        EVENT("ok", "1", "1", "{\"type\":\"stop\",\"matched\":7}") "data: [DONE]\n\n",
    };
    int requests;
    int64_t us;
    cord_proposal p = stream(rows, 3, &requests, &us);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_string_equal(p.text, "ok");
    assert_int_equal(p.end, CORD_END_TURN);
    assert_int_equal(requests, 3);
    cord_proposal_release(&p);
}

/* ---- heads ------------------------------------------------------------------------------------------------------- */

static const cord_span steps[] = {
    {TEXT("Q "), true},          {TEXT("a <extra_0> b"), false}, {TEXT("<extra_0>"), true},
    {TEXT("is it 4?\n"), false}, {TEXT("<extra_0>"), true},
};

static cord_classification classified(struct served *s, const cord_span *prompt, int n, const char *mark) {
    cord_classification r = {.model = s->model, .prompt = prompt, .n_spans = n, .mark = text_of(mark)};
    assert_ok(cord_classify(s->engine, &r, 1, err));
    return r;
}

/* A mark that somebody wrote into a step is no place, and half a reply is asked for again. */
static void heads_are_read_at_their_marks(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_vllm, (struct manners){.half = true}, (cord_model_options){.context = 60}, err));
    cord_classification r = classified(&s, steps, 5, "<extra_0>");
    if (r.error.code != CORD_OK) fail_msg("%s", r.error.message);
    assert_int_equal(r.n_places, 2);
    assert_int_equal(r.n_classes, 2);
    assert_float_equal(exp(r.logprob[1]), 0.15, 1e-12); /* behind 2 and 13 bytes */
    assert_float_equal(exp(r.logprob[0]), 0.85, 1e-12);
    assert_float_equal(exp(r.logprob[3]), 0.25, 1e-12); /* and the mark, and 9 more */
    assert_int_equal(r.prompt_tokens, 26);
    assert_int_equal(s.manners.pooled, 2);
    assert_holds(s.manners.last, "\"task\":\"token_classify\"");
    cord_classification_release(&r);
    r = classified(&s, steps, 5, "<|no|>");
    assert_int_equal(r.error.code, CORD_BAD_MODEL);
    assert_holds(r.error.message, "no token <|no|>");
    const cord_span longer[] = {{TEXT("a row of more than 60 tokens in all: a row of more than 60 of them"), false},
                                {TEXT("<extra_0>"), true}};
    r = classified(&s, longer, 2, "<extra_0>");
    assert_int_equal(r.error.code, CORD_TOO_LONG);
    end(&s);
}

/* A ledger that keeps one reply. */
struct book {
    cord_request begun;
    cord_cost cost;
    char *reply;
    int n_begun, n_dropped;
};

static bool find_kept(void *ctx, const cord_request *request, char **reply, size_t *len) {
    struct book *book = ctx;
    if (!book->reply || strcmp(request->key, book->begun.key) != 0) return false;
    *reply = strdup(book->reply);
    *len = strlen(book->reply);
    return true;
}

static cord_status begin_one(void *ctx, const cord_request *requests, int n, cord_error *error) {
    (void)error;
    struct book *book = ctx;
    book->begun = requests[n - 1];
    book->n_begun += n;
    return CORD_OK;
}

static void keep_one(void *ctx, const cord_request *request, cord_text reply, const cord_cost *cost, int lost) {
    (void)request, (void)lost;
    struct book *book = ctx;
    book->cost = *cost;
    book->reply = strndup(reply.data, reply.len);
}

static void drop_one(void *ctx, const cord_request *request, int lost) {
    (void)request, (void)lost;
    ((struct book *)ctx)->n_dropped++;
}

static void heads_are_paid_for_once(void **state) {
    (void)state;
    struct served s;
    struct book book = {0};
    assert_ok(start(&s, answer_vllm, (struct manners){0}, (cord_model_options){.context = 60}, err));
    s.engine->options.ledger = (cord_ledger){&book, find_kept, begin_one, keep_one, drop_one};
    for (int time = 0; time < 2; time++) {
        cord_classification r = classified(&s, steps, 5, "<extra_0>");
        if (r.error.code != CORD_OK) fail_msg("%s", r.error.message);
        assert_float_equal(exp(r.logprob[3]), 0.25, 1e-12);
        cord_classification_release(&r);
        assert_int_equal(book.n_begun, 1); /* texts that are tokenised cost nothing */
        assert_int_equal(s.manners.pooled, 1);
    }
    assert_int_equal(book.begun.prompt_tokens, 26);
    assert_int_equal(book.begun.new_tokens, 0);
    assert_int_equal(book.cost.prompt_tokens, 26);
    assert_int_equal(book.n_dropped, 0);
    free(book.reply);
    end(&s);
}

static void who_has_no_head_says_so(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_vllm, (struct manners){.no_head = true}, (cord_model_options){.context = 60}, err));
    cord_classification r = classified(&s, steps, 5, "<extra_0>");
    assert_int_equal(r.error.code, CORD_BAD_MODEL);
    assert_holds(r.error.message, "404");
    end(&s);
    assert_ok(start(&s, answer_openai, (struct manners){0}, (cord_model_options){.protocol = "openai"}, err));
    r = classified(&s, steps, 3, "<extra_0>");
    assert_int_equal(r.error.code, CORD_BAD_MODEL);
    assert_holds(r.error.message, "the protocol openai, which tells nothing of a classification head");
    struct cord_model file = {.backend = &backend_local, .info = {.name = "f"}};
    r = (cord_classification){.model = &file, .prompt = steps, .n_spans = 5, .mark = TEXT("<extra_0>")};
    assert_ok(cord_classify(s.engine, &r, 1, err));
    assert_int_equal(r.error.code, CORD_BAD_MODEL);
    assert_holds(r.error.message, "the weights of f have no such head here");
    end(&s);
}

/* ---- completions --------------------------------------------------------------------------------------------- */

static const cord_span plain[] = {{TEXT("1, 2, 3,"), true}};

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
        "data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: {\"choices\":[{\"text\":\"b\\n\"}]}\n\ndata: "
        "{\"choices\":[{\"text\":\"\\nc\"}]}\n\n"};
    struct served s;
    assert_ok(start(&s, answer_openai, (struct manners){.streams = endless, .n_streams = 1},
                    (cord_model_options){.protocol = "openai"}, err));
    assert_int_equal(cord_model_get_info(s.model)->context, 1000); /* it does not tell: what is asked for */
    cord_proposal p = propose(&s, plain, 1);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_string_equal(p.text, "ab");
    assert_int_equal(p.stop, 0);
    assert_int_equal(p.prompt_tokens, 3); /* a third of its bytes: it was left before the server told */
    assert_int_equal(p.new_tokens, 3);
    assert_lacks(s.manners.last, "\"stop\":[");
    assert_holds(s.manners.last, "\"stream\":true");
    cord_proposal_release(&p);
    end(&s);
}

static void an_echo_scores(void **state) {
    (void)state;
    struct served s;
    assert_ok(
        start(&s, answer_openai, (struct manners){.echoes = true}, (cord_model_options){.protocol = "openai"}, err));
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
    assert_ok(start(&s, answer_openai, (struct manners){0}, (cord_model_options){.protocol = "openai"}, err));
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

/* Untrusted texts that only look like tags are no reason to refuse a problem. */
static void what_mathematics_writes_is_no_tag(void **state) {
    (void)state;
    static const struct {
        cord_text text;
        bool refused;
    } rows[] = {
        {TEXT("x in [0,1], [ABC] = 3, \\sqrt[3]{x}, a<b, b>c, 1<x<2>1, <1,2>"), false},
        {TEXT("<think> </think> <answer> </b>"), false},
        {TEXT("<end_of_turn>"), true},
        {TEXT("a [/INST] b"), true},
        {TEXT("<|eot_id|>"), true},
        {TEXT("<\xEF\xBD\x9C"
              "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"),
         true},
        {TEXT("<s>"), true},
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

/* ---- chats --------------------------------------------------------------------------------------------------- */

static const cord_span turn[] = {
    {TEXT("<|cord:user|>"), true}, {TEXT("Count."), false}, {TEXT("<|cord:assistant|>1, 2"), true}};

static void chats_are_gone_on_with(void **state) {
    (void)state;
    static const struct {
        struct manners manners;
        const char *url, *going_on, *found;
    } rows[] = {
        {{.says = "en, eight,", .needs = "\"continue_final_message\":true"}, NULL, NULL, "continue_final_message"},
        {{.says = "en, eight,", .needs = "\"prefix\":true"}, NULL, NULL, "prefix"},
        {{.says = "en, eight,", .needs = "\"prefix\":true"}, NULL, "plain", NULL}, /* the recipe's word counts */
        {{.says = "en, eight,", .path = "/beta/chat/completions"}, "/beta", "prefix", "prefix"},
        {{.says = "en, eight,", .path = "/api/v1/chat/completions"}, "/api/v1/", "plain", "plain"},
        {{.says = "en, eight,", .path = "/team/v1/chat/completions"}, "/team", "plain", "plain"},
        {{.says = "en, eight,", .repeats = true}, NULL, "prefix", "prefix"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct served s;
        struct manners manners = rows[i].manners;
        cord_error error = {0};
        manners.strings_named = true;
        cord_model_options options = {
            .protocol = "chat", .url = rows[i].url, .going_on = rows[i].going_on, .served = "large"};
        cord_status status = start(&s, answer_openai, manners, options, &error);
        if (rows[i].found) {
            if (status != CORD_OK) fail_msg("row %zu: %s", i, error.message);
            assert_holds(cord_model_get_info(s.model)->description, rows[i].found);
            cord_proposal p = propose(&s, turn, 3);
            if (p.error.code != CORD_OK) fail_msg("row %zu: %s", i, p.error.message);
            assert_string_equal(p.text, "en, eight,"); /* whatever it was asked */
            cord_proposal_release(&p);
            cord_scoring_check check;
            assert_ok(cord_check_scoring(s.engine, s.model, true, &check, err));
            assert_true(check.n_ways == 0 && !check.right && strstr(check.way[0].why, "chat"));
            int tokens;
            assert_int_equal(cord_count_tokens(s.model, turn, 3, &tokens, &error), CORD_BAD_MODEL);
            assert_holds(error.message, "teacher");
            cord_scoring r = {.model = s.model, .prompt = turn, .n_spans = 3, .target = {TEXT("4"), false}};
            assert_ok(cord_score(s.engine, &r, 1, err));
            assert_int_equal(r.error.code, CORD_BAD_MODEL);
            cord_scoring_release(&r);
        } else {
            assert_int_equal(status, CORD_BAD_MODEL);
        }
        end(&s);
    }
}

static void chats_that_begin_anew_are_refused(void **state) {
    (void)state;
    static const struct {
        struct manners manners;
        const char *words;
    } rows[] = {
        {{.says = "Seven, eight"}, "it said \"Seven, eight\""},
        {{.says = " seven, eight", .strings_named = true}, "does not go on"},
        {{.says = "en, eight", .beside = "Let me count."}, "thinks anew"},
        {{.says = "en", .needs = "refuse"}, "404"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct served s;
        cord_error error = {0};
        assert_int_equal(start(&s, answer_openai, rows[i].manners, (cord_model_options){.protocol = "chat"}, &error),
                         CORD_BAD_MODEL);
        assert_holds(error.message, rows[i].words);
        end(&s);
    }
}

int main(void) {
    rig_forget_proxies();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sglang_is_found_and_asked),
        cmocka_unit_test(sglang_scores_in_two_ways),
        cmocka_unit_test(ways_that_differ_are_told),
        cmocka_unit_test(streams_are_read),
        cmocka_unit_test(a_stream_is_left_at_a_stop_string),
        cmocka_unit_test(bad_streams_are_asked_for_again),
        cmocka_unit_test(heads_are_read_at_their_marks),
        cmocka_unit_test(heads_are_paid_for_once),
        cmocka_unit_test(who_has_no_head_says_so),
        cmocka_unit_test(openai_is_found_last),
        cmocka_unit_test(unnamed_stop_strings_are_found_here),
        cmocka_unit_test(an_echo_scores),
        cmocka_unit_test(no_echo_no_scores),
        cmocka_unit_test(what_mathematics_writes_is_no_tag),
        cmocka_unit_test(chats_are_gone_on_with),
        cmocka_unit_test(chats_that_begin_anew_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
