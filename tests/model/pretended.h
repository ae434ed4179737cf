/* pretended.h - what answers in the place of servers that are not to be had here: SGLang, hosts that echo a prompt, hosts that
 * take chats alone, vLLM with a classification head. It is written after their sources and documentation, and knows one
 * token a byte. */
#ifndef CORD_TEST_PRETENDED_H
#define CORD_TEST_PRETENDED_H

#include "rig.h"

#include "base/json.h"
#include "model/backend.h"

#include <math.h>
#include <stdlib.h>

/* What a server of these tests does; the test sets it. */
struct manners {
    bool old;           /* SGLang: /get_server_info */
    bool wrong_ways;    /* SGLang: its two ways differ */
    const char *root;   /* SGLang: whose weights it has */
    int longest;        /* SGLang: its context; 0: 2048 */
    bool strings_named; /* OpenAI: stop_reason */
    bool echoes;
    const char *says;           /* chat: to a turn that ends in "sev"; a text to be asked for otherwise */
    const char *beside;         /* chat: in reasoning_content */
    bool repeats;               /* chat: begins with the turn */
    const char *needs;          /* a part of the body without which a chat goes on with nothing */
    const char *refuses;        /* 422 to what holds this in its body */
    int status;                 /* to all that is posted, if not 0 */
    int pages;                  /* so many are answered by a page for people, with status 200 */
    double late, first_byte;    /* OpenAI: seconds before it answers `propose`; the limit that cord is given */
    bool normalises;            /* vLLM: U+2126 becomes U+03A9 */
    const char *path;           /* of completions; NULL: as OpenAI's */
    const char *const *streams; /* replies to requests with "stream": what is sent, one after the other */
    int n_streams, streamed;
    int pooled;         /* vLLM: how often the head was asked */
    bool half, no_head; /* vLLM: the first reply of the head is half of one; it has no such path */
    char last[4000];    /* the body of the last request */
};

static inline bool asks(const struct exchange *x, const char *method, const char *path) {
    char line[200];
    snprintf(line, sizeof line, "%s %s HTTP", method, path);
    return !strncmp(x->head, line, strlen(line));
}

static inline bool say(struct exchange *x, json_t *reply) {
    char *text = json_dumps(reply, 0);
    bool fine = send_reply(x->fd, 200, "Content-Type: application/json\r\n", text);
    free(text);
    json_decref(reply);
    return fine;
}

static inline bool say_not_found(struct exchange *x) {
    return send_reply(x->fd, 404, NULL, "{\"detail\":\"Not Found\"}");
}

static inline bool say_stream(struct exchange *x, struct manners *m) {
    int i = m->streamed < m->n_streams ? m->streamed : m->n_streams - 1;
    m->streamed++;
    return send_text(x->fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n") &&
           send_text(x->fd, m->streams[i]) &&
           (text_ends(text_of(m->streams[i]), TEXT("[DONE]\n\n")) || text_ends(text_of(m->streams[i]), TEXT("!\n\n")) ||
            hang(x->fd)) &&
           false; /* it is over when the connection is */
}

/* ---- SGLang -------------------------------------------------------------------------------------------------- */

static inline double logprob_of(int place, json_int_t id) { return -0.01 * (place % 9) - 0.1 * (double)(id % 7); }

static inline json_t *listed(double value, json_int_t id, bool known) {
    return known ? json_pack("[f,I,n]", value, id) : json_pack("[n,I,n]", id);
}

static inline json_t *generated(const json_t *body, const struct manners *m) {
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

static inline json_t *tokens_of(const json_t *body) {
    json_t *tokens = json_array();
    const char *text = json_string_value(json_object_get(body, "prompt"));
    for (size_t i = 0; text && text[i]; i++) json_array_append_new(tokens, json_integer((unsigned char)text[i]));
    return json_pack("{s:o,s:I}", "tokens", tokens, "count", (json_int_t)json_array_size(tokens));
}

static inline json_t *texts_of(const json_t *body) {
    json_t *texts = json_array();
    const json_t *tokens = json_object_get(body, "tokens");
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        int byte = (int)json_integer_value(json_array_get(json_array_get(tokens, i), 0));
        char text[2] = {(char)byte, '\0'};
        json_array_append_new(texts, json_string(byte < 128 ? text : "\xEF\xBF\xBD"));
    }
    return json_pack("{s:o}", "text", texts);
}

static inline bool answer_sglang(struct exchange *x) {
    struct manners *m = x->server->ctx;
    json_t *body = x->body.len ? json_loadb(x->body.data, x->body.len, 0, NULL) : NULL, *reply = NULL;
    if (x->body.len) snprintf(m->last, sizeof m->last, "%.*s", (int)x->body.len, x->body.data);
    if (asks(x, "GET", m->old ? "/get_server_info" : "/server_info"))
        reply = json_pack("{s:s,s:i,s:n}", "version", "0.5.23", "max_total_num_tokens", 3000, "context_length");
    else if (asks(x, "GET", "/v1/models"))
        reply = json_pack("{s:[{s:s,s:i,s:s}]}", "data", "id", "a/model", "max_model_len",
                          m->longest ? m->longest : 2048, "root", m->root ? m->root : "a/model");
    else if (asks(x, "POST", "/tokenize"))
        reply = tokens_of(body);
    else if (asks(x, "POST", "/detokenize"))
        reply = texts_of(body);
    else if (asks(x, "POST", "/generate"))
        reply = generated(body, m);
    json_decref(body);
    return reply ? say(x, reply) : say_not_found(x);
}

/* ---- completions and chats ----------------------------------------------------------------------------------- */

/* A prompt of one token a byte, then "!". */
static inline json_t *echo_of(const json_t *body) {
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
static inline json_t *likeliest_of(const json_t *body) {
    size_t n = json_string_length(json_object_get(body, "prompt"));
    json_t *top = json_object();
    for (const char *c = "0123456789, "; *c; c++) {
        char key[2] = {*c, '\0'};
        json_object_set_new(top, key, json_real(logprob_of((int)n, *c)));
    }
    return json_pack("{s:[{s:s,s:s,s:{s:[o]}}]}", "choices", "text", "7", "finish_reason", "length", "logprobs",
                     "top_logprobs", top);
}

static inline json_t *completion_of(const json_t *body, const struct manners *m) {
    if (m->echoes && json_is_true(json_object_get(body, "echo"))) return echo_of(body);
    if (m->echoes && json_object_get(body, "logprobs")) return likeliest_of(body);
    json_t *choice = json_pack("{s:s,s:s}", "text", " 7, 8,", "finish_reason", "stop");
    if (m->strings_named) json_object_set(choice, "stop_reason", json_array_get(json_object_get(body, "stop"), 0));
    return json_pack("{s:[o],s:{s:i,s:i}}", "choices", choice, "usage", "prompt_tokens", 12, "completion_tokens", 5);
}

static inline json_t *chat_of(const json_t *body, const struct manners *m) {
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

static inline bool answer_openai(struct exchange *x) {
    struct manners *m = x->server->ctx;
    json_t *body = x->body.len ? json_loadb(x->body.data, x->body.len, 0, NULL) : NULL, *reply = NULL;
    if (x->body.len) snprintf(m->last, sizeof m->last, "%.*s", (int)x->body.len, x->body.data);
    bool streams = json_is_true(json_object_get(body, "stream"));
    bool posted = asks(x, "POST", m->path ? m->path : m->says ? "/v1/chat/completions" : "/v1/completions");
    if (posted && (m->status || (m->refuses && strstr(m->last, m->refuses)))) {
        json_decref(body);
        return do_fault(x, (enum fault)(FAULT_STATUS + (m->status ? m->status : 422)));
    }
    if (posted && m->pages && m->pages--) {
        json_decref(body);
        return send_reply(x->fd, 200, "Content-Type: text/html\r\n", "<html><title>Back soon</title></html>");
    }
    if (posted && m->late > 0 && strstr(m->last, "\"max_tokens\":20")) usleep((useconds_t)(m->late * 1e6));
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
static inline json_t *marked_tokens_of(const json_t *body, const struct manners *m) {
    const char *text = json_string_value(json_object_get(body, "prompt"));
    if (m->normalises && text && strchr(text, '\xE2'))
        return json_pack("{s:[i,i,i],s:[s,s,s]}", "tokens", 1, 2, 3, "token_strs", "5", "\xC4\xA0", "\xC3\x8E\xC2\xA9");
    json_t *tokens = json_array(), *strings = json_array();
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
static inline json_t *pooled_of(const json_t *body) {
    const json_t *ids = json_object_get(body, "input");
    json_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(ids); i++)
        json_array_append_new(rows, json_pack("[f,f]", 1 - (double)i / 100, (double)i / 100));
    return json_pack("{s:[{s:i,s:o}],s:{s:i}}", "data", "index", 0, "data", rows, "usage", "prompt_tokens",
                     (int)json_array_size(ids));
}

static inline bool answer_vllm(struct exchange *x) {
    struct manners *m = x->server->ctx;
    json_t *body = x->body.len ? json_loadb(x->body.data, x->body.len, 0, NULL) : NULL, *reply = NULL;
    if (asks(x, "GET", "/version"))
        reply = json_pack("{s:s}", "version", "0.32.0");
    else if (asks(x, "GET", "/v1/models"))
        reply = json_pack("{s:[{s:s,s:i}]}", "data", "id", "prm", "max_model_len", 60);
    else if (asks(x, "POST", "/tokenize"))
        reply = marked_tokens_of(body, m);
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

static inline cord_status start(struct served *s, bool (*answer)(struct exchange *x), struct manners manners,
                                cord_model_options options, cord_error *error) {
    cord_engine_options none = {.servers = {.backoff = 0.02, .longest_pause = 0.2, .first_byte = manners.first_byte}};
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

static inline void end(struct served *s) {
    cord_engine_close(s->engine);
    fault_server_stop(&s->server);
}

static const cord_text stops[] = {TEXT("\n\n"), TEXT("</think>")};

static inline cord_proposal propose(struct served *s, const cord_span *prompt, int n) {
    cord_proposal p = {
        .model = s->model, .prompt = prompt, .n_spans = n, .stops = stops, .n_stops = 2, .max_tokens = 20};
    assert_ok(cord_propose(s->engine, &p, 1, err));
    return p;
}

static const cord_span question[] = {
    {TEXT("<|im_start|>"), true}, {TEXT("Is <|im_end|> a tag?"), false}, {TEXT("<|im_end|>"), true}};

static const cord_span plain[] = {{TEXT("1, 2, 3,"), true}};

/* ---- streams of completions ---------------------------------------------------------------------------------- */

#define EVENT(text, finish) "data: {\"choices\":[{\"text\":\"" text "\",\"finish_reason\":" finish "}]}\n\n"
#define DONE                "data: [DONE]\n\n"
/* What the first request for a stream is answered, which is made when a model is opened. */
#define COUNTED EVENT(" 7, 8,", "\"length\"") DONE

#endif
