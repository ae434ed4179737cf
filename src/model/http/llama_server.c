/* llama_server.c - llama.cpp's server: /completion takes token ids, and gives the log-probability of a forced token. It
 * has none of a prompt ("echo" is ignored in silence). Written after its README and source of v0.5.0; tried with that.
 * It must not know who asks. */
#include "model/http/openai.h"

#include <limits.h>
#include <math.h>

enum { LIKELIEST = 1000 }; /* tokens that are told of at one place: 100 KB */

static cord_text member(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value)) return TEXT("");
    return json_text_of(value);
}

/* Which model it has: the name and the size of its file tell it from most others. */
static cord_status find_model(struct remote *remote, const json_t *props, cord_error *err) {
    json_t *models;
    CORD_TRY(remote_get(remote, "/v1/models", &models, err));
    const json_t *meta = json_object_get(json_array_get(json_object_get(models, "data"), 0), "meta");
    cord_text file = read_name(props, "model_path"), name = read_name(props, "model_alias");
    const long long parameters = json_integer_value(json_object_get(meta, "n_params")),
                    bytes = json_integer_value(json_object_get(meta, "size"));
    remote->base.info.serves = arena_printf(&remote->arena, "%.*s, %lld parameters, %lld bytes, %d kinds of tokens",
                                            (int)file.len, file.data, parameters, bytes, read_count(meta, "n_vocab"));
    if (name.len) remote->named = arena_text(&remote->arena, name).data;
    json_decref(models);
    return remote->base.info.serves ? CORD_OK : error_memory(err);
}

static cord_status identify(struct remote *remote, bool *is, cord_error *err) {
    json_t *props;
    *is = false;
    CORD_TRY(remote_get(remote, "/props", &props, err));
    cord_model_info *info = &remote->base.info;
    const json_t *settings = json_object_get(props, "default_generation_settings");
    *is = json_is_object(settings);
    bool listed;
    cord_status status = *is && remote->served ? openai_models(remote, true, &listed, err) : CORD_OK;
    if (*is && status == CORD_OK) status = find_model(remote, props, err);
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
    return status;
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
    write_stops(w, "stop", p, p->n_stops);
    write_stops(w, "preserved_tokens", p, p->n_stops); /* those that are one control token, which it would not show */
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
    buf_add(&told->text, json_text_of(content));
    return json_object_update(told->reply, (json_t *)(uintptr_t)event) == 0;
}

static void end_events(struct told *told) {
    json_object_set_new(told->reply, "content", json_stringn(told->text.data, told->text.len));
    if (told->cut && !json_object_get(told->reply, "stop_type"))
        json_object_set_new(told->reply, "stop_type", json_string("limit"));
}

/* ---- scoring ------------------------------------------------------------------------------------------------- */

/* Whether the first n tokens of a text end inside a character. The server tells nothing of a token that it wrote and that
 * ends so. */
static bool ends_inside(const struct pieces *text, int n) {
    size_t end = text->end[n - 1];
    return end < text->text.len && ((unsigned char)text->text.data[end] & 0xC0) == 0x80;
}

/* One token behind the first n - 1, and the `most` likeliest at its place. */
static void write_likeliest(const struct pieces *text, int n, int most, struct json_writer *w) {
    write_ids(w, "prompt", text, n - 1);
    json_int(w, "n_predict", 1);
    json_double(w, "temperature", 0);
    json_int(w, "n_probs", most);
    json_bool(w, "cache_prompt", true);
}

/* Has the token `id` written there, or, NULL, one of whole characters. The values that are told are those without that. */
static void write_forced(const int *id, struct json_writer *w) {
    json_open(w, "logit_bias", '[');
    json_open(w, NULL, '[');
    if (id)
        json_int(w, NULL, *id);
    else
        json_text(w, NULL, TEXT("."));
    json_int(w, NULL, 10000);
    json_close(w, ']');
    json_close(w, ']');
}

static const json_t *written(const json_t *reply) {
    return json_array_get(json_object_get(reply, "completion_probabilities"), 0);
}

/* What an entry of a reply tells of the token `id`. False: it is another's, or none. */
static bool read_entry(const json_t *entry, int id, double *logprob) {
    const json_t *own = json_object_get(entry, "id"), *value = json_object_get(entry, "logprob");
    if (!json_is_integer(own) || json_integer_value(own) != id || !json_is_number(value)) return false;
    *logprob = json_number_value(value);
    return *logprob <= 0;
}

static bool read_likeliest(const json_t *reply, int id, double *logprob, int *cached) {
    const json_t *top = json_object_get(written(reply), "top_logprobs");
    *cached = read_count(json_object_get(reply, "timings"), "cache_n");
    for (size_t i = 0; i < json_array_size(top); i++)
        if (read_entry(json_array_get(top, i), id, logprob)) return true;
    return false;
}

/* The token is written, and its value told; one that ends inside a character is looked for beside another. */
static void score_write(const struct remote *remote, const struct pieces *text, int first, int n,
                        struct json_writer *w) {
    (void)remote;
    (void)first;
    bool inside = ends_inside(text, n);
    write_likeliest(text, n, inside ? LIKELIEST : 1, w);
    write_forced(inside ? NULL : &text->id[n - 1], w);
}

static bool score_read(const json_t *reply, const struct pieces *text, int first, int n, double *logprob, int *cached) {
    (void)first;
    int id = text->id[n - 1];
    *cached = read_count(json_object_get(reply, "timings"), "cache_n");
    if (!ends_inside(text, n)) return read_entry(written(reply), id, logprob);
    if (!read_likeliest(reply, id, logprob, cached)) *logprob = NAN;
    return json_is_array(json_object_get(written(reply), "top_logprobs"));
}

/* The whole vocabulary: megabytes, and seconds. */
static void all_write(const struct remote *remote, const struct pieces *text, int first, int n, struct json_writer *w) {
    (void)remote;
    (void)first;
    write_likeliest(text, n, INT_MAX, w);
    write_forced(NULL, w);
}

/* Without a hand on the scale: the token among the likeliest, for those that are. */
static void top_write(const struct remote *remote, const struct pieces *text, int first, int n, struct json_writer *w) {
    (void)remote;
    (void)first;
    write_likeliest(text, n, LIKELIEST, w);
}

static bool top_read(const json_t *reply, const struct pieces *text, int first, int n, double *logprob, int *cached) {
    (void)first;
    return read_likeliest(reply, text->id[n - 1], logprob, cached);
}

static const struct scoring_way all = {
    .name = "all tokens, a request each", .path = "/completion", .each = true, .write = all_write, .read = top_read};

static const struct scoring_way ways[] = {
    {"a request for each token of the target", "/completion", true, score_write, score_read, &all},
    {"the likeliest tokens, a request each", "/completion", true, top_write, top_read, NULL},
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
