/* vllm.c - vLLM's server: completions of token ids, with the log-probabilities of prompts, or of a token that alone
 * is allowed; and what a classification head says of tokens. Requests for prompt log-probabilities skip its prefix cache;
 * single tokens use it. Written after its source and documentation of 0.32.0, and tried with that. It must not know who
 * asks. */
#include "model/http/openai.h"

#include <math.h>
#include <stdlib.h>

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
    {"a request for each token of the target", "/v1/completions", true, single_write, single_read, NULL},
    {"log-probabilities of the prompt", "/v1/completions", false, prompt_write, prompt_read, NULL},
    {.name = NULL},
};

/* ---- classifying --------------------------------------------------------------------------------------------- */

/* "token_classify": a model that was started for something else says so in words. Probabilities rather than what they are
 * made of: that a reply is such can be seen, and a probability near 1 is as exact as the others beside it. */
static void head_write(const struct remote *remote, const struct pieces *text, struct json_writer *w) {
    json_text(w, "model", text_of(remote->served));
    write_ids(w, "input", text, text->n);
    json_text(w, "task", TEXT("token_classify"));
    json_bool(w, "use_activation", true);
    json_text(w, "encoding_format", TEXT("float"));
}

/* One token's classes. False: they are no probabilities of one thing or another, that add up to 1. */
static bool head_row(const json_t *row, int n_classes, double *logprob) {
    double sum = 0;
    if (!json_is_array(row) || json_array_size(row) != (size_t)n_classes) return false;
    for (int k = 0; k < n_classes; k++) {
        const json_t *value = json_array_get(row, (size_t)k);
        double p = json_number_value(value);
        if (!json_is_number(value) || !(p >= 0 && p <= 1)) return false;
        sum += p;
        logprob[k] = log(p);
    }
    return fabs(sum - 1) < 0.02; /* a half-precision head rounds that much */
}

/* A row for each token; or, of a server that has a step_tag_id (of Qwen2.5-Math-PRM, that of <extra_0>, unless it was started
 * with another), for each place alone. */
static bool head_read(const json_t *reply, const struct pieces *text, const int *places, int n, double **logprob,
                      int *n_classes, int *cached, cord_error *why) {
    enum { CLASSES_MOST = 1024 };
    const json_t *rows = json_object_get(json_array_get(json_object_get(reply, "data"), 0), "data");
    const json_t *usage = json_object_get(reply, "usage");
    size_t n_rows = json_array_size(rows), classes = json_array_size(json_array_get(rows, 0));
    int counted = read_count(usage, "prompt_tokens");
    bool every = n_rows == (size_t)text->n;
    if (!json_is_array(rows)) return false;
    if (counted && counted != text->n)
        error_fill(why, CORD_BAD_MODEL,
                   "the server was sent %d tokens and counts %d: it adds some by itself, so that what it judges is not "
                   "what it was given",
                   text->n, counted);
    else if (!every && n_rows != (size_t)n)
        error_fill(why, CORD_BAD_MODEL,
                   "the server tells %zu values of %d tokens, of which %d are asked about: start it with "
                   "--pooler-config '{\"step_tag_id\": %d}', and with a model that has a head for each token",
                   n_rows, text->n, n, text->id[places[0]]);
    else if (classes < 2 || classes > CLASSES_MOST)
        error_fill(why, CORD_BAD_MODEL,
                   "the head of this model tells %zu values of a token, and not two classes or more", classes);
    if (why->code != CORD_OK) return false;
    double *values = malloc((size_t)n * classes * sizeof *values);
    bool good = values != NULL;
    for (int i = 0; i < n && good; i++) {
        good =
            head_row(json_array_get(rows, (size_t)(every ? places[i] : i)), (int)classes, values + (size_t)i * classes);
        if (!good)
            error_fill(why, CORD_BAD_MODEL,
                       "what the server tells of a token are no probabilities that add up to 1: it is no head of "
                       "classes that exclude each other, or its activation is turned off");
    }
    if (!good) {
        free(values);
        return false;
    }
    *logprob = values;
    *n_classes = (int)classes;
    *cached = read_count(json_object_get(usage, "prompt_tokens_details"), "cached_tokens");
    return true;
}

static const struct head_calls head_calls = {.path = "/pooling", .write = head_write, .read = head_read};

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
    .head = &head_calls,
    .sleep = &sleep_calls,
};
