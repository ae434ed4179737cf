/* openai.c - plain OpenAI completions, where nobody tokenises for the client: prompts go as text. A server that
 * echoes the prompt with its log-probabilities can score (vLLM and SGLang do, llama-server and most hosts ignore
 * "echo" in silence). Written after OpenAI's reference of /v1/completions; tried with vLLM 0.32.0, and proposing
 * with llama-server of the pinned source. It must not know who asks. */
#include "model/http/openai.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

/* ---- what such protocols share ------------------------------------------------------------------------------- */

static void name_models(const json_t *data, char *names, size_t size) {
    *names = '\0';
    for (size_t i = 0; i < json_array_size(data); i++) {
        const char *id = json_string_value(json_object_get(json_array_get(data, i), "id"));
        size_t used = strlen(names);
        if (id) snprintf(names + used, size - used, "%s%s", used ? ", " : "", id);
    }
}

static int context_of(const json_t *model) {
    static const char *const keys[] = {"max_model_len", "context_length", "max_context_length"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (read_count(model, keys[i])) return read_count(model, keys[i]);
    return read_count(json_object_get(model, "meta"), "n_ctx"); /* llama-server's */
}

cord_status openai_models(struct remote *remote, bool strict, bool *is, cord_error *err) {
    json_t *models;
    bool found = false;
    CORD_TRY(remote_get(remote, "/v1/models", &models, err));
    const json_t *data = json_object_get(models, "data");
    *is = json_is_array(data);
    for (size_t i = 0; i < json_array_size(data) && !found; i++) {
        const json_t *model = json_array_get(data, i);
        const char *id = json_string_value(json_object_get(model, "id"));
        if (!id || (remote->served && strcmp(id, remote->served) != 0)) continue;
        if (!remote->served) remote->served = arena_printf(&remote->arena, "%.300s", id);
        remote->base.info.context = context_of(model);
        cord_text root = read_name(model, "root"); /* vLLM's and SGLang's: the weights behind the name */
        remote->base.info.serves = arena_printf(&remote->arena, "%.300s%s%.*s", remote->served, root.len ? ", " : "",
                                                (int)root.len, root.data);
        found = true;
    }
    cord_status status = CORD_OK;
    if (!found && strict) {
        char names[300];
        name_models(data, names, sizeof names);
        status = error_set(err, CORD_BAD_INPUT, "the server has no model '%s'; it serves: %s",
                           remote->served ? remote->served : "", names);
    }
    json_decref(models);
    return status;
}

bool openai_is_versioned(const char *urls) {
    cord_text rest = text_of(urls), url = endpoint_next_url(&rest);
    ptrdiff_t host = text_find(url, TEXT("://")), slash = text_rfind(url, TEXT("/"));
    if (slash < 0 || host < 0 || slash < host + 3) return false;
    cord_text last = text_slice(url, (size_t)slash + 1, url.len);
    return text_equal(last, TEXT("beta")) ||
           (last.len > 1 && *last.data == 'v' && isdigit((unsigned char)last.data[1]));
}

const json_t *openai_choice(const json_t *reply) { return json_array_get(json_object_get(reply, "choices"), 0); }

/* What ended a text, where that is a stop string; else NULL (of an end-of-turn token vLLM tells the number, or nothing). */
static const char *named_stop(const json_t *choice) {
    const char *stop = json_string_value(json_object_get(choice, "stop_reason"));
    return stop ? stop : json_string_value(json_object_get(choice, "matched_stop"));
}

bool openai_names_stop(const json_t *choice, cord_text stop) {
    const char *named = named_stop(choice);
    return named && text_equal(text_of(named), stop);
}

bool openai_end(const json_t *choice, cord_proposal *p) {
    static const char *const lengths[] = {"length", "max_tokens"}, *const turns[] = {"stop", "eos", "end_turn"};
    const char *finish = json_string_value(json_object_get(choice, "finish_reason")), *named = named_stop(choice);
    p->stop = -1;
    if (!finish) return false;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (!strcmp(finish, lengths[i])) {
            p->end = CORD_END_LENGTH;
            return true;
        }
    bool stopped = false;
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) stopped |= !strcmp(finish, turns[i]);
    if (!stopped) return false; /* "abort", "error", "tool_calls" */
    return read_stop(named, p);
}

bool openai_take(const json_t *reply, const json_t *text, cord_proposal *p) {
    const json_t *usage = json_object_get(reply, "usage");
    p->new_tokens = read_count(usage, "completion_tokens");
    p->prompt_tokens = read_count(usage, "prompt_tokens");
    p->cached_tokens = read_count(json_object_get(usage, "prompt_tokens_details"), "cached_tokens");
    if (!p->cached_tokens) p->cached_tokens = read_count(usage, "prompt_cache_hit_tokens"); /* DeepSeek's */
    return read_text(text, p);
}

bool openai_read_completion(const json_t *reply, cord_proposal *p) {
    const json_t *choice = openai_choice(reply), *text = json_object_get(choice, "text");
    return json_is_string(text) && openai_end(choice, p) && openai_take(reply, text, p);
}

void openai_write_drawing(const cord_proposal *p, const char *seed, struct json_writer *w) {
    const cord_sampling *s = &p->sampling;
    json_double(w, "temperature", s->temperature);
    json_double(w, "top_p", s->top_p > 0 ? s->top_p : 1);
    json_int(w, "top_k", s->top_k ? s->top_k : -1);
    json_double(w, "min_p", s->min_p);
    json_double(w, "repetition_penalty", s->repeat_penalty > 0 ? s->repeat_penalty : 1);
    json_int(w, seed, (int64_t)(s->seed & INT64_MAX));
    write_stops(w, "stop", p, p->n_stops);
    json_bool(w, "skip_special_tokens", true);
    json_bool(w, "spaces_between_special_tokens", false);
}

void openai_write_sampling(const struct remote *remote, const cord_proposal *p, struct json_writer *w) {
    enum { MOST_STOPS = 4 }; /* OpenAI takes no more; the others are found here */
    const cord_sampling *s = &p->sampling;
    bool mistral = text_find(text_of(remote->base.info.path), TEXT("mistral.ai")) >= 0;
    if (remote->served) json_text(w, "model", text_of(remote->served));
    json_int(w, "max_tokens", p->max_tokens);
    json_double(w, "temperature", s->temperature);
    json_double(w, "top_p", s->top_p > 0 ? s->top_p : 1); /* 1, too: else it is what the server has for its model */
    if (s->top_k)
        json_int(w, "top_k", s->top_k); /* OpenAI has none of these three; where they are not set they are not sent */
    if (s->min_p > 0) json_double(w, "min_p", s->min_p);
    if (s->repeat_penalty > 0 && s->repeat_penalty != 1) json_double(w, "repetition_penalty", s->repeat_penalty);
    json_int(w, mistral ? "random_seed" : "seed", (int64_t)(s->seed % INT32_MAX)); /* some take 31 bits */
    if (remote->names_stops) write_stops(w, "stop", p, MOST_STOPS);
}

void openai_write_stream(const struct remote *remote, struct json_writer *w) {
    if (!remote->stream) return;
    json_bool(w, "stream", true);
    if (remote->usage_refused) return;
    json_open(w, "stream_options", '{');
    json_bool(w, "include_usage", true);
    json_close(w, '}');
}

bool openai_refuses_usage(int status) { return status == 400 || status == 422; }

bool openai_event(struct told *told, const json_t *event) {
    static const char *const of_choice[] = {"finish_reason", "stop_reason", "matched_stop"};
    const char *object = json_string_value(json_object_get(event, "object"));
    const json_t *choices = json_object_get(event, "choices"), *choice = openai_choice(event);
    json_t *usage = json_object_get(event, "usage");
    if (json_is_object(json_object_get(event, "error")) || (object && !strcmp(object, "error"))) return false;
    if (!json_is_array(choices) && !json_is_object(usage)) return false;
    for (size_t i = 0; i < sizeof of_choice / sizeof *of_choice; i++) {
        json_t *value = json_object_get(choice, of_choice[i]);
        if (value && !json_is_null(value)) json_object_set(told->reply, of_choice[i], value);
    }
    if (json_is_object(usage)) json_object_set(told->reply, "usage", usage);
    return true;
}

json_t *openai_event_choice(struct told *told) {
    json_t *choice = json_copy(told->reply);
    json_object_del(choice, "usage");
    if (told->cut && !json_object_get(choice, "finish_reason"))
        json_object_set_new(choice, "finish_reason", json_string("length"));
    if (!json_object_get(told->reply, "usage")) /* it was cut before that */
        json_object_set_new(told->reply, "usage", json_pack("{s:i}", "completion_tokens", told->events));
    return choice;
}

bool openai_event_text(struct told *told, const json_t *event) {
    const json_t *text = json_object_get(openai_choice(event), "text");
    if (!openai_event(told, event)) return false;
    if (json_string_length(text)) told->events++;
    buf_add(&told->text, json_text_of(text));
    return true;
}

void openai_event_end(struct told *told) {
    json_t *choice = openai_event_choice(told), *choices = json_array();
    json_object_set_new(choice, "text", json_stringn(told->text.data, told->text.len));
    json_array_append_new(choices, choice);
    json_object_set_new(told->reply, "choices", choices);
}

/* ---- plain completions --------------------------------------------------------------------------------------- */

static const char counting[] = "1, 2, 3, 4, 5, 6,";
static const cord_text counting_stop = {" 9", 2};

/* A tiny request: whether completions can be had at all, and whether it is told which stop string ended one. `http`: its
 * status. */
static cord_status try_completion(struct remote *remote, bool *is, int *http, cord_error *err) {
    struct question q;
    json_t *reply;
    struct json_writer w = question_begin(&q, remote, "/v1/completions", 0);
    if (remote->served) json_text(&w, "model", text_of(remote->served));
    json_text(&w, "prompt", text_of(counting));
    json_int(&w, "max_tokens", 8);
    json_double(&w, "temperature", 0);
    json_open(&w, "stop", '[');
    json_text(&w, NULL, counting_stop);
    json_close(&w, ']');
    openai_write_stream(remote, &w);
    if (remote->stream) stream_begin(&q, &counting_stop, 1);
    question_end(&q, &w);
    cord_status status = remote_ask(&q, &reply, err);
    const json_t *choice = openai_choice(reply);
    *http = q.call.status;
    bool absent = q.call.status == 404 || q.call.status == 405 || q.call.status == 501;
    *is = json_is_string(json_object_get(choice, "text"));
    remote->names_stops = openai_names_stop(choice, counting_stop);
    if (status == CORD_OK && q.call.error.code != CORD_OK &&
        !absent) { /* a key, a model's name: that is worth telling */
        status = q.call.error.code;
        if (err) *err = q.call.error;
    }
    json_decref(reply);
    question_release(&q);
    return status;
}

/* The same as a stream, where proposals will come so. */
static cord_status try_stream(struct remote *remote, cord_error *err) {
    cord_error why = {0};
    bool is = false;
    int http = 0;
    cord_status status = try_completion(remote, &is, &http, &why);
    remote->usage_refused = openai_refuses_usage(http);
    if (remote->usage_refused) status = try_completion(remote, &is, &http, &why);
    if (status == CORD_OK && is) return CORD_OK;
    if (status == CORD_CANCELLED || status == CORD_IO_ERROR || status == CORD_BUSY || status == CORD_NO_MEMORY) {
        if (err) *err = why;
        return status;
    }
    return error_set(err, CORD_BAD_MODEL, "%s has completions, but not as a stream of events (%s); " WHY_A_STREAM,
                     remote->base.info.name, status == CORD_OK ? "there is no text in it" : why.message);
}

static cord_status identify(struct remote *remote, bool *is, cord_error *err) {
    cord_model_info *info = &remote->base.info;
    int http;
    bool streams = remote->stream;
    remote->versioned = openai_is_versioned(info->path);
    remote->stream = false;
    CORD_TRY(openai_models(remote, false, is, err));
    if (*is) CORD_TRY(try_completion(remote, is, &http, err));
    bool names = remote->names_stops;
    if (*is && (streams || !names)) {
        remote->stream = true;
        CORD_TRY(try_stream(remote, err));
    }
    remote->names_stops = names;
    remote->stream = streams;
    info->description =
        arena_printf(&remote->arena, "OpenAI completions of %.200s", remote->served ? remote->served : "a model");
    info->noise = 0.05; /* float kernels, as vLLM's */
    return info->description ? CORD_OK : error_memory(err);
}

/* The echo of a text, with the log-probabilities of its tokens. A new token comes with it, which nobody wants: not
 * all servers take 0. */
static void echo_write(const struct remote *remote, cord_text text, struct json_writer *w) {
    if (remote->served) json_text(w, "model", text_of(remote->served));
    json_text(w, "prompt", text);
    json_int(w, "max_tokens", 1);
    json_double(w, "temperature", 0);
    json_bool(w, "echo", true);
    json_int(w, "logprobs", 1);
}

static bool echo_values(const json_t *values, struct pieces *pieces) {
    pieces->logprob = malloc(((size_t)pieces->n + 1) * sizeof *pieces->logprob);
    for (int i = 0; pieces->logprob && i < pieces->n; i++) {
        const json_t *value = json_array_get(values, (size_t)i);
        pieces->logprob[i] = json_is_number(value) ? json_number_value(value) : NAN;
        if (i > 0 && !(pieces->logprob[i] <= 0)) return false; /* (nothing is before the first) */
    }
    return pieces->logprob != NULL;
}

/* Lists the first n of the tokens, which must make up the text. Their ids are not told. */
static bool echo_tokens(json_t *strings, size_t n, cord_text text, struct pieces *pieces) {
    json_t *ids = json_array(), *own = json_array();
    bool good = ids && own;
    for (size_t i = 0; good && i < n; i++)
        good = json_array_append_new(ids, json_integer((json_int_t)i)) == 0 &&
               json_array_append(own, json_array_get(strings, i)) == 0;
    good = good && pieces_add_ids(pieces, ids) && pieces_decode(pieces, own, text, true);
    json_decref(ids);
    json_decref(own);
    return good;
}

/* Counts what comes back: a server that ignores "echo" says nothing of it. */
static bool echo_read(const json_t *reply, cord_text text, struct pieces *pieces) {
    const json_t *choice = openai_choice(reply), *own = json_object_get(choice, "text");
    const json_t *probabilities = json_object_get(choice, "logprobs");
    json_t *strings = json_object_get(probabilities, "tokens"),
           *values = json_object_get(probabilities, "token_logprobs");
    if (!json_is_string(own)) return false;
    bool echoed = text_starts(json_text_of(own), text);
    if (!echoed || !json_is_array(strings) || json_array_size(strings) != json_array_size(values)) {
        pieces->problem = echoed ? "it echoes a prompt, but tells no log-probabilities of it"
                                 : "it ignores \"echo\", so that the log-probabilities of a given text cannot be had";
        return false;
    }
    int new_tokens = read_count(json_object_get(reply, "usage"), "completion_tokens");
    size_t n = json_array_size(strings), behind = new_tokens && (size_t)new_tokens < n ? (size_t)new_tokens : 1;
    bool good = n > behind && echo_tokens(strings, n - behind, text, pieces) && echo_values(values, pieces);
    bool altered = pieces->altered;
    if (!good) pieces_release(pieces);
    pieces->altered = altered;
    return good;
}

static void propose_write(const struct remote *remote, const cord_proposal *p, const struct pieces *prompt,
                          struct json_writer *w) {
    json_text(w, "prompt", prompt->text);
    openai_write_sampling(remote, p, w);
    openai_write_stream(remote, w);
}

/* ---- scoring ------------------------------------------------------------------------------------------------- */

static size_t begin_of(const struct pieces *text, int token) { return token > 0 ? text->end[token - 1] : 0; }

/* The likeliest next tokens behind the text before a token. OpenAI tells five at most. */
static void likeliest_write(const struct remote *remote, const struct pieces *text, int first, int n,
                            struct json_writer *w) {
    (void)first;
    if (remote->served) json_text(w, "model", text_of(remote->served));
    json_text(w, "prompt", text_slice(text->text, 0, begin_of(text, n - 1)));
    json_int(w, "max_tokens", 1);
    json_double(w, "temperature", 0);
    json_int(w, "logprobs", 5);
}

static bool likeliest_read(const json_t *reply, const struct pieces *text, int first, int n, double *logprob,
                           int *cached) {
    (void)first;
    const json_t *probabilities = json_object_get(openai_choice(reply), "logprobs");
    const json_t *top = json_array_get(json_object_get(probabilities, "top_logprobs"), 0);
    cord_text token = text_slice(text->text, begin_of(text, n - 1), text->end[n - 1]);
    char key[256];
    *cached = 0;
    if (token.len >= sizeof key) return false;
    memcpy(key, token.data, token.len);
    key[token.len] = '\0';
    const json_t *value = json_object_get(top, key);
    if (!json_is_number(value)) return false;
    *logprob = json_number_value(value);
    return *logprob <= 0;
}

static const struct scoring_way ways[] = {
    {"log-probabilities of the echoed prompt", NULL, false, NULL, NULL, NULL},
    {"the likeliest tokens, a request each", "/v1/completions", true, likeliest_write, likeliest_read, NULL},
    {.name = NULL},
};

const struct protocol protocol_openai = {
    .name = "openai",
    .sends_text = true,
    .identify = identify,
    .tokenize_path = "/v1/completions",
    .tokenize_write = echo_write,
    .tokenize_read = echo_read,
    .propose_path = "/v1/completions",
    .propose_write = propose_write,
    .propose_read = openai_read_completion,
    .event = openai_event_text,
    .event_end = openai_event_end,
    .ways = ways,
};
