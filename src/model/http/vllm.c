/* vllm.c - vLLM's server: completions of token ids, with the log-probabilities of prompts, or of a token that alone
 * is allowed. Requests for prompt log-probabilities skip its prefix cache; single tokens use it. Written after its
 * source and documentation of 0.32.0, and tried with that. It must not know who asks. */
#include "model/http/openai.h"

static cord_status identify(struct remote *remote, bool *is, cord_error *err) {
    json_t *version;
    *is = false;
    CORD_TRY(remote_get(remote, "/version", &version, err));
    const char *number = json_string_value(json_object_get(version, "version"));
    cord_model_info *info = &remote->base.info;
    if (number) info->description = arena_printf(&remote->arena, "vLLM %.60s", number);
    json_decref(version);
    if (!number) return CORD_OK;
    CORD_TRY(openai_models(remote, true, is, err));
    remote->names_stops = true;
    find_bos(remote, "/tokenize", "prompt", "add_special_tokens");
    info->noise = 0.05; /* float kernels, batched otherwise from call to call */
    return CORD_OK;
}

static void tokenize_write(const struct remote *remote, cord_text text, struct json_writer *w) {
    json_text(w, "model", text_of(remote->served));
    json_text(w, "prompt", text);
    json_bool(w, "add_special_tokens", false);
    json_bool(w, "return_token_strs", true);
}

static bool tokenize_read(const json_t *reply, cord_text text, struct pieces *pieces) {
    return pieces_add(pieces, json_object_get(reply, "tokens"), json_object_get(reply, "token_strs"), text);
}

/* ---- proposing ----------------------------------------------------------------------------------------------- */

static void propose_write(const struct remote *remote, const cord_proposal *p, const struct pieces *prompt,
                          struct json_writer *w) {
    json_text(w, "model", text_of(remote->served));
    write_ids(w, "prompt", prompt, prompt->n);
    json_int(w, "max_tokens", p->max_tokens);
    openai_write_drawing(p, "seed", w);
    openai_write_stream(remote, w);
}

/* ---- scoring ------------------------------------------------------------------------------------------------- */

/* The token that alone is allowed, with its log-probability before that was so ("raw_logprobs", vLLM's default). */
static void single_write(const struct remote *remote, const struct pieces *text, int first, int n,
                         struct json_writer *w) {
    (void)first;
    json_text(w, "model", text_of(remote->served));
    write_ids(w, "prompt", text, n - 1);
    json_int(w, "max_tokens", 1);
    json_double(w, "temperature", 0);
    json_int(w, "logprobs", 0);
    json_open(w, "allowed_token_ids", '[');
    json_int(w, NULL, text->id[n - 1]);
    json_close(w, ']');
    json_bool(w, "return_tokens_as_token_ids", true);
}

static bool single_read(const json_t *reply, const struct pieces *text, int first, int n, double *logprob,
                        int *cached) {
    (void)first;
    const json_t *probabilities = json_object_get(openai_choice(reply), "logprobs");
    const char *token = json_string_value(json_array_get(json_object_get(probabilities, "tokens"), 0));
    const json_t *value = json_array_get(json_object_get(probabilities, "token_logprobs"), 0);
    char expected[40];
    snprintf(expected, sizeof expected, "token_id:%d", text->id[n - 1]);
    if (!token || strcmp(token, expected) != 0 || !json_is_number(value)) return false;
    *logprob = json_number_value(value);
    *cached = read_count(json_object_get(json_object_get(reply, "usage"), "prompt_tokens_details"), "cached_tokens");
    return *logprob <= 0;
}

static void prompt_write(const struct remote *remote, const struct pieces *text, int first, int n,
                         struct json_writer *w) {
    (void)first;
    json_text(w, "model", text_of(remote->served));
    write_ids(w, "prompt", text, n);
    json_int(w, "max_tokens", 1);
    json_double(w, "temperature", 0);
    json_int(w, "prompt_logprobs", 0);
}

/* An object for each token of the prompt, whose members are ids: the token's own is there. */
static bool prompt_read(const json_t *reply, const struct pieces *text, int first, int n, double *logprob,
                        int *cached) {
    const json_t *all = json_object_get(openai_choice(reply), "prompt_logprobs");
    if (!json_is_array(all) || json_array_size(all) != (size_t)n) return false;
    for (int i = first; i < n; i++) {
        char id[20];
        snprintf(id, sizeof id, "%d", text->id[i]);
        const json_t *value = json_object_get(json_object_get(json_array_get(all, (size_t)i), id), "logprob");
        if (!json_is_number(value) || json_number_value(value) > 0) return false;
        logprob[i - first] = json_number_value(value);
    }
    *cached = 0;
    return true;
}

static const struct scoring_way ways[] = {
    {"a request for each token of the target", "/v1/completions", true, single_write, single_read},
    {"log-probabilities of the prompt", "/v1/completions", false, prompt_write, prompt_read},
    {.name = NULL},
};

/* ---- sleeping ------------------------------------------------------------------------------------------------ */

static bool state_read(const json_t *reply, bool *sleeps) {
    const json_t *state = json_object_get(reply, "is_sleeping");
    *sleeps = json_is_true(state);
    return json_is_boolean(state);
}

/* At level 1 the weights wait in the host's memory, and the cache of prefixes is lost. Requests that come meanwhile are kept
 * until it is woken; its tokenizer works all the time, since that is another process's. */
static const struct sleep_calls sleep_calls = {
    .sleep_path = "/sleep?level=1",
    .wake_path = "/wake_up",
    .state_path = "/is_sleeping",
    .read = state_read,
    .advice =
        "start vLLM with --enable-sleep-mode and with VLLM_SERVER_DEV_MODE=1 in its environment, on a network where "
        "nobody else reaches it",
};

const struct protocol protocol_vllm = {
    .name = "vllm",
    .identify = identify,
    .tokenize_path = "/tokenize",
    .tokenize_write = tokenize_write,
    .tokenize_read = tokenize_read,
    .tokenize_ids = "tokens",
    .tokenize_strings = "token_strs",
    .propose_path = "/v1/completions",
    .propose_write = propose_write,
    .propose_read = openai_read_completion,
    .event = openai_event_text,
    .event_end = openai_event_end,
    .ways = ways,
    .sleep = &sleep_calls,
};
