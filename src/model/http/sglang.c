/* sglang.c - SGLang's own endpoint, /generate: it takes token ids, and gives the log-probabilities of a prompt from
 * any token on out of its prefix cache. Written after the source of 0.5.23; there was none at hand to try it with,
 * so nothing here was tried. It must not know who asks. */
#include "model/http/openai.h"

/* /server_info, which was /get_server_info before: its settings, its version, and how many tokens its cache has
 * room for. */
static cord_status identify(struct remote *remote, bool *is, cord_error *err) {
    json_t *server;
    bool listed;
    *is = false;
    CORD_TRY(remote_get(remote, "/server_info", &server, err));
    if (!json_is_object(server)) {
        json_decref(server);
        CORD_TRY(remote_get(remote, "/get_server_info", &server, err));
    }
    const char *version = json_string_value(json_object_get(server, "version"));
    cord_model_info *info = &remote->base.info;
    int room = read_count(server, "max_total_num_tokens");
    *is = version && room;
    if (*is) info->description = arena_printf(&remote->arena, "SGLang %.60s", version);
    json_decref(server);
    if (!*is) return CORD_OK;
    CORD_TRY(openai_models(remote, remote->served != NULL, &listed, err));
    if (!info->context || info->context > room) info->context = room;
    remote->names_stops = true;
    find_bos(remote, "/tokenize", "prompt", "add_special_tokens");
    info->noise = 0.05; /* float kernels, batched otherwise from call to call */
    return CORD_OK;
}

/* ---- tokens -------------------------------------------------------------------------------------------------- */

static void tokenize_write(const struct remote *remote, cord_text text, struct json_writer *w) {
    if (remote->served) json_text(w, "model", text_of(remote->served));
    json_text(w, "prompt", text);
    json_bool(w, "add_special_tokens", false);
}

static bool tokenize_read(const json_t *reply, cord_text text, struct pieces *pieces) {
    const json_t *tokens = json_object_get(reply, "tokens");
    return (text.len == 0 || json_array_size(tokens) > 0) && pieces_add_ids(pieces, tokens);
}

/* Each token is a text of its own. */
static void decode_write(const struct remote *remote, const struct pieces *pieces, struct json_writer *w) {
    if (remote->served) json_text(w, "model", text_of(remote->served));
    json_open(w, "tokens", '[');
    for (int i = 0; i < pieces->n; i++) {
        json_open(w, NULL, '[');
        json_int(w, NULL, pieces->id[i]);
        json_close(w, ']');
    }
    json_close(w, ']');
    json_bool(w, "skip_special_tokens", false);
}

static bool decode_read(const json_t *reply, cord_text text, struct pieces *pieces) {
    return pieces_decode(pieces, json_object_get(reply, "text"), text, false);
}

/* ---- proposing ----------------------------------------------------------------------------------------------- */

/* The seed counts only where the server was started with --enable-deterministic-inference. Never as a stream: each event
 * would have the whole text and all ids so far, 64 MiB at some 3,500 tokens. */
static void propose_write(const struct remote *remote, const cord_proposal *p, const struct pieces *prompt,
                          struct json_writer *w) {
    (void)remote;
    write_ids(w, "input_ids", prompt, prompt->n);
    json_open(w, "sampling_params", '{');
    json_int(w, "max_new_tokens", p->max_tokens);
    openai_write_drawing(p, "sampling_seed", w);
    json_close(w, '}');
}

/* What ended a text: {"type": "stop", "matched": a stop string, or a token's id}, or {"type": "length"}. */
static bool read_end(const json_t *finish, cord_proposal *p) {
    const char *type = json_string_value(json_object_get(finish, "type"));
    const char *matched = json_string_value(json_object_get(finish, "matched"));
    p->stop = -1;
    if (!type) return false;
    if (!strcmp(type, "length")) {
        p->end = CORD_END_LENGTH;
        return true;
    }
    return !strcmp(type, "stop") && read_stop(matched, p); /* or "abort" */
}

static bool propose_read(const json_t *reply, cord_proposal *p) {
    const json_t *text = json_object_get(reply, "text"), *meta = json_object_get(reply, "meta_info");
    if (!json_is_string(text) || !read_end(json_object_get(meta, "finish_reason"), p)) return false;
    p->new_tokens = read_count(meta, "completion_tokens");
    p->prompt_tokens = read_count(meta, "prompt_tokens");
    p->cached_tokens = read_count(meta, "cached_tokens");
    return read_text(text, p);
}

/* ---- scoring ------------------------------------------------------------------------------------------------- */

/* From the token before the target on: the first of those that are listed has no log-probability. What stands
 * before them comes from the cache. */
static void prompt_write(const struct remote *remote, const struct pieces *text, int first, int n,
                         struct json_writer *w) {
    (void)remote;
    write_ids(w, "input_ids", text, n);
    json_open(w, "sampling_params", '{');
    json_int(w, "max_new_tokens", 0);
    json_double(w, "temperature", 0);
    json_close(w, '}');
    json_bool(w, "return_logprob", true);
    json_int(w, "logprob_start_len", first - 1);
}

/* One token as it is listed: [log-probability, id, its text or null]. */
static bool read_listed(const json_t *listed, int id, double *logprob) {
    const json_t *value = json_array_get(listed, 0), *own = json_array_get(listed, 1);
    if (!json_is_number(value) || !json_is_integer(own) || json_integer_value(own) != id) return false;
    *logprob = json_number_value(value);
    return *logprob <= 0;
}

static bool prompt_read(const json_t *reply, const struct pieces *text, int first, int n, double *logprob,
                        int *cached) {
    const json_t *meta = json_object_get(reply, "meta_info"), *all = json_object_get(meta, "input_token_logprobs");
    *cached = read_count(meta, "cached_tokens");
    if (json_array_size(all) != (size_t)n - (size_t)first + 1) return false;
    for (int i = first; i < n; i++)
        if (!read_listed(json_array_get(all, (size_t)i - (size_t)first + 1), text->id[i], &logprob[i - first]))
            return false;
    return true;
}

/* One token is generated, greedily, and the log-probability of the wanted one at its place is told; of the prompt none is,
 * unless a place to begin is sent. */
static void single_write(const struct remote *remote, const struct pieces *text, int first, int n,
                         struct json_writer *w) {
    (void)remote;
    (void)first;
    write_ids(w, "input_ids", text, n - 1);
    json_open(w, "sampling_params", '{');
    json_int(w, "max_new_tokens", 1);
    json_double(w, "temperature", 0);
    json_close(w, '}');
    json_bool(w, "return_logprob", true);
    json_open(w, "token_ids_logprob", '[');
    json_int(w, NULL, text->id[n - 1]);
    json_close(w, ']');
}

static bool single_read(const json_t *reply, const struct pieces *text, int first, int n, double *logprob,
                        int *cached) {
    (void)first;
    const json_t *meta = json_object_get(reply, "meta_info");
    const json_t *place = json_array_get(json_object_get(meta, "output_token_ids_logprobs"), 0);
    *cached = read_count(meta, "cached_tokens");
    return read_listed(json_array_get(place, 0), text->id[n - 1], logprob);
}

static const struct scoring_way ways[] = {
    {"log-probabilities of the prompt", "/generate", false, prompt_write, prompt_read, NULL},
    {"a request for each token of the target", "/generate", true, single_write, single_read, NULL},
    {.name = NULL},
};

const struct protocol protocol_sglang = {
    .name = "sglang",
    .identify = identify,
    .tokenize_path = "/tokenize",
    .tokenize_write = tokenize_write,
    .tokenize_read = tokenize_read,
    .decode_path = "/detokenize",
    .decode_write = decode_write,
    .decode_read = decode_read,
    .propose_path = "/generate",
    .propose_write = propose_write,
    .propose_read = propose_read,
    .ways = ways,
};
