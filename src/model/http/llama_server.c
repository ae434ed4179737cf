/* llama_server.c - llama.cpp's server: /completion takes token ids, and gives the log-probability of a forced token. It
 * has none of a prompt ("echo" is ignored in silence). Written after its README and source of v0.5.0; tried with that.
 * It must not know who asks. */
#include "model/http/remote.h"

static cord_text member(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value)) return TEXT("");
    return (cord_text){json_string_value(value), json_string_length(value)};
}

static cord_status identify(struct remote *remote, bool *is, cord_error *err) {
    json_t *props;
    *is = false;
    CORD_TRY(remote_get(remote, "/props", &props, err));
    cord_model_info *info = &remote->base.info;
    const json_t *settings = json_object_get(props, "default_generation_settings");
    *is = json_is_object(settings);
    if (*is) {
        info->context = read_count(settings, "n_ctx");
        info->description = arena_printf(&remote->arena, "llama-server %.60s", member(props, "build_info").data);
        info->chat_template = arena_text(&remote->arena, member(props, "chat_template"));
        info->bos = arena_text(&remote->arena, member(props, "bos_token"));
        info->eos = arena_text(&remote->arena, member(props, "eos_token"));
        find_bos(remote, "/tokenize", "content", "add_special");
        remote->names_stops = true;
        info->noise = 0.25; /* as the local back end's, whose kernels it has */
    }
    json_decref(props);
    return CORD_OK;
}

static void tokenize_write(const struct remote *remote, cord_text text, struct json_writer *w) {
    (void)remote;
    json_text(w, "content", text);
    json_bool(w, "add_special", false);
    json_bool(w, "parse_special", true);
    json_bool(w, "with_pieces", true);
}

static bool tokenize_read(const json_t *reply, cord_text text, struct pieces *pieces) {
    const json_t *tokens = json_object_get(reply, "tokens");
    json_t *ids = json_array(), *strings = json_array();
    bool good = ids && strings && json_is_array(tokens);
    for (size_t i = 0; good && i < json_array_size(tokens); i++) {
        json_t *token = json_array_get(tokens, i);
        good = json_array_append(ids, json_object_get(token, "id")) == 0 &&
               json_array_append(strings, json_object_get(token, "piece")) == 0;
    }
    good = good && pieces_add(pieces, ids, strings, text);
    json_decref(ids);
    json_decref(strings);
    return good;
}

/* ---- proposing ----------------------------------------------------------------------------------------------- */

static void propose_write(const struct remote *remote, const cord_proposal *p, const struct pieces *prompt,
                          struct json_writer *w) {
    const cord_sampling *s = &p->sampling;
    write_ids(w, "prompt", prompt, prompt->n);
    json_int(w, "n_predict", p->max_tokens);
    json_double(w, "temperature", s->temperature);
    json_int(w, "top_k", s->top_k);
    json_double(w, "top_p", s->top_p > 0 ? s->top_p : 1);
    json_double(w, "min_p", s->min_p);
    json_double(w, "repeat_penalty", s->repeat_penalty > 0 ? s->repeat_penalty : 1);
    json_int(w, "repeat_last_n", s->repeat_last ? s->repeat_last : 64);
    json_int(w, "seed", (int64_t)(s->seed & 0xFFFFFFFF) % 0xFFFFFFFF); /* the largest one means a random seed */
    json_open(w, "samplers", '[');
    json_text(w, NULL, TEXT("penalties"));
    json_text(w, NULL, TEXT("temperature"));
    json_text(w, NULL, TEXT("top_k"));
    json_text(w, NULL, TEXT("top_p"));
    json_text(w, NULL, TEXT("min_p"));
    json_close(w, ']');
    json_open(w, "stop", '[');
    for (int i = 0; i < p->n_stops; i++) json_text(w, NULL, p->stops[i]);
    json_close(w, ']');
    json_bool(w, "cache_prompt", true);
    if (remote->stream) json_bool(w, "stream", true);
}

static bool propose_read(const json_t *reply, cord_proposal *p) {
    const json_t *content = json_object_get(reply, "content");
    cord_text type = member(reply, "stop_type"), word = member(reply, "stopping_word");
    if (!json_is_string(content)) return false;
    bool stopped = text_equal(type, TEXT("word")), turned = text_equal(type, TEXT("eos"));
    p->stop = -1;
    if (text_equal(type, TEXT("limit")))
        p->end = CORD_END_LENGTH;
    else if ((!stopped && !turned) || !read_stop(stopped ? word.data : NULL, p))
        return false;
    p->new_tokens = read_count(reply, "tokens_predicted");
    p->prompt_tokens = read_count(reply, "tokens_evaluated");
    const json_t *timings = json_object_get(reply, "timings");
    p->cached_tokens = read_count(timings, "cache_n");
    return read_text(content, p);
}

/* Each event has some of the text; the last one, which says "stop", is a whole reply but for the text. */
static bool take_event(struct told *told, const json_t *event) {
    const json_t *content = json_object_get(event, "content");
    if (!json_is_string(content) || json_is_object(json_object_get(event, "error"))) return false;
    if (json_string_length(content)) told->events++;
    buf_add(&told->text, (cord_text){json_string_value(content), json_string_length(content)});
    return json_object_update(told->reply, (json_t *)(uintptr_t)event) == 0;
}

static void end_events(struct told *told) {
    json_object_set_new(told->reply, "content", json_stringn(told->text.data, told->text.len));
    if (told->cut && !json_object_get(told->reply, "stop_type"))
        json_object_set_new(told->reply, "stop_type", json_string("limit"));
}

/* ---- scoring ------------------------------------------------------------------------------------------------- */

static void score_write(const struct remote *remote, const struct pieces *text, int first, int n,
                        struct json_writer *w) {
    (void)remote;
    (void)first;
    write_ids(w, "prompt", text, n - 1);
    json_int(w, "n_predict", 1);
    json_double(w, "temperature", 0);
    json_int(w, "n_probs", 1);
    json_open(w, "logit_bias", '[');
    json_open(w, NULL, '[');
    json_int(w, NULL, text->id[n - 1]);
    json_int(w, NULL, 10000);
    json_close(w, ']');
    json_close(w, ']');
    json_bool(w, "cache_prompt", true);
}

static bool score_read(const json_t *reply, const struct pieces *text, int first, int n, double *logprob, int *cached) {
    (void)first;
    const json_t *token = json_array_get(json_object_get(reply, "completion_probabilities"), 0);
    const json_t *id = json_object_get(token, "id"), *value = json_object_get(token, "logprob");
    if (!json_is_integer(id) || json_integer_value(id) != text->id[n - 1] || !json_is_number(value)) return false;
    *logprob = json_number_value(value);
    *cached = read_count(json_object_get(reply, "timings"), "cache_n");
    return *logprob <= 0;
}

/* Without a hand on the scale: the token among the likeliest, for those that are. */
static void top_write(const struct remote *remote, const struct pieces *text, int first, int n, struct json_writer *w) {
    (void)remote;
    (void)first;
    write_ids(w, "prompt", text, n - 1);
    json_int(w, "n_predict", 1);
    json_double(w, "temperature", 0);
    json_int(w, "n_probs", 1000);
    json_bool(w, "cache_prompt", true);
}

static bool top_read(const json_t *reply, const struct pieces *text, int first, int n, double *logprob, int *cached) {
    (void)first;
    const json_t *token = json_array_get(json_object_get(reply, "completion_probabilities"), 0);
    const json_t *top = json_object_get(token, "top_logprobs");
    *cached = read_count(json_object_get(reply, "timings"), "cache_n");
    for (size_t i = 0; i < json_array_size(top); i++) {
        const json_t *entry = json_array_get(top, i), *id = json_object_get(entry, "id");
        const json_t *value = json_object_get(entry, "logprob");
        if (!json_is_integer(id) || json_integer_value(id) != text->id[n - 1] || !json_is_number(value)) continue;
        *logprob = json_number_value(value);
        return *logprob <= 0;
    }
    return false;
}

static const struct scoring_way ways[] = {
    {"a request for each token of the target", "/completion", true, score_write, score_read},
    {"the likeliest tokens, a request each", "/completion", true, top_write, top_read},
    {.name = NULL},
};

const struct protocol protocol_llama_server = {
    .name = "llama-server",
    .identify = identify,
    .tokenize_path = "/tokenize",
    .tokenize_write = tokenize_write,
    .tokenize_read = tokenize_read,
    .propose_path = "/completion",
    .propose_write = propose_write,
    .propose_read = propose_read,
    .event = take_event,
    .event_end = end_events,
    .ways = ways,
};
