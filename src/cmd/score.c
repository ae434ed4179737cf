/* score.c - `cord score`: the likelihood of given texts after given prefixes (eq. 3), as a plain filter. Texts are raw: no
 * template, no BOS; special tokens are parsed. It must not know runs. */
#include "cmd/filter.h"
#include "cmd/session.h"
#include "recipe/recipe.h"

#include <stdlib.h>

static const char *const added[] = {"score", "logprobs", "tokens", "error", NULL};

struct fields {
    const char *prefix, *target, *suffix;
};

static cord_status read_fields(const struct json_row *row, const struct fields *fields, cord_span *prefix,
                               cord_scoring *scoring, cord_error *err) {
    cord_text target, suffix = {"", 0};
    CORD_TRY(json_row_text(row, fields->prefix, &prefix->text, err));
    CORD_TRY(json_row_text(row, fields->target, &target, err));
    if (json_row_get(row, fields->suffix)) CORD_TRY(json_row_text(row, fields->suffix, &suffix, err));
    prefix->trusted = true;
    scoring->prompt = prefix;
    scoring->n_spans = 1;
    scoring->target = (cord_span){target, true};
    scoring->closing = (cord_span){suffix, true};
    return CORD_OK;
}

static void write_score(struct json_writer *w, const cord_scoring *scoring) {
    json_double(w, "score", scoring->score);
    json_open(w, "logprobs", '[');
    for (int i = 0; i < scoring->n_tokens; i++) json_double(w, NULL, scoring->logprob[i]);
    json_close(w, ']');
    json_open(w, "tokens", '[');
    for (int i = 0; i < scoring->n_tokens; i++) json_text(w, NULL, scoring->token[i]);
    json_close(w, ']');
}

/* Scores one row. What is returned ends the filter; a row's own failure is told in its error. */
static cord_status score_row(struct filter *f, cord_engine *engine, const cord_model *model,
                             const struct fields *fields, cord_error *err) {
    cord_span prefix;
    cord_scoring scoring = {.model = model};
    cord_error bad = {0};
    if (read_fields(&f->row, fields, &prefix, &scoring, &bad) == CORD_OK) {
        CORD_TRY(cord_score(engine, &scoring, 1, err));
        bad = scoring.error;
    }
    if (bad.code == CORD_OK) {
        write_score(filter_begin(f), &scoring);
        filter_end(f);
    } else {
        filter_fail(f, &bad);
    }
    cord_scoring_release(&scoring);
    return CORD_OK;
}

static bool is_server(const char *model) {
    cord_text where = text_of(model);
    return text_starts(where, TEXT("http://")) || text_starts(where, TEXT("https://"));
}

static cord_status open_model(const struct call *call, struct arena *arena, cord_engine **engine, cord_model **model,
                              cord_error *err) {
    const struct option_value *name = call_option(call, "model"), *context = call_option(call, "context");
    cord_model_options options = {
        .name = name->text, .context = (int)context->number, .context_key = "--context", .gpu_layers = -1};
    if (is_server(name->text)) {
        const struct option_value *key = call_option(call, "key-env");
        options.url = name->text;
        options.served = call_option(call, "served")->text;
        if (key->given) CORD_TRY(key_of_server(key->text, "--key-env", &options.api_key, err));
    } else {
        CORD_TRY(find_weights(name->text, arena, &options.path, err));
    }
    cord_engine_options with = engine_options_of((int)call_option(call, "threads")->number,
                                                 call_option(call, "verbose")->given ? call->err : NULL);
    CORD_TRY(cord_engine_open(&with, engine, err));
    watch_signals(*engine);
    return cord_model_open(*engine, &options, model, err);
}

static int run_score(const struct call *call) {
    if (!call_option(call, "model")->given) return call_usage(call, "--model NAME|PATH|URL is needed");
    static const char *const of_servers[] = {"served", "key-env"};
    for (int i = 0; i < 2; i++)
        if (call_option(call, of_servers[i])->given && !is_server(call_option(call, "model")->text))
            return call_usage(call, "--%s is about a server: give its URL to --model, or leave it out", of_servers[i]);
    const struct fields fields = {call_text(call, "prefix", "prefix"), call_text(call, "target", "target"),
                                  call_text(call, "suffix", "suffix")};
    struct arena arena;
    cord_engine *engine = NULL;
    cord_model *model = NULL;
    cord_error err = {0};
    struct filter f;
    arena_init(&arena);
    cord_status status = filter_open(&f, call, added, &err);
    if (status == CORD_OK) status = open_model(call, &arena, &engine, &model, &err);
    while (status == CORD_OK && filter_read(&f)) status = score_row(&f, engine, model, &fields, &err);
    int result = filter_close(&f, status, &err);
    watch_signals(NULL);
    cord_engine_close(engine);
    arena_release(&arena);
    return result;
}

static const struct option options[] = {
    {.name = "model",
     .letter = 'm',
     .type = OPTION_TEXT,
     .value = "NAME|PATH|URL",
     .doc = "a GGUF file, its name in $CORD_MODELS, or a server's base URL"},
    {.name = "served", .type = OPTION_TEXT, .value = "NAME", .doc = "what that server calls the model (its first)"},
    {.name = "key-env", .type = OPTION_TEXT, .value = "VARIABLE", .doc = "where the environment has that server's key"},
    {.name = "prefix", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field with what stands before (prefix)"},
    {.name = "target", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field that is scored (target)"},
    {.name = "suffix",
     .type = OPTION_TEXT,
     .value = "FIELD",
     .doc = "the field with what follows; may be absent (suffix)"},
    {.name = "context",
     .type = OPTION_INT,
     .value = "N",
     .min = 1,
     .max = 1 << 24,
     .doc = "most tokens of a row (4096, or the model's)"},
    {.name = "threads",
     .letter = 't',
     .type = OPTION_INT,
     .value = "N",
     .min = 1,
     .max = 1024,
     .doc = "threads (one a core)"},
    {.name = "verbose", .letter = 'v', .type = OPTION_FLAG, .doc = "print llama.cpp's log"},
    {.name = NULL},
};

const struct verb verb_score = {
    .name = "score",
    .synopsis = "--model NAME|PATH|URL [FILE]",
    .summary = "score texts: reads rows of JSON, adds the likelihood of each target",
    .help =
        "Reads a JSON object a line from FILE or standard input, such as {\"prefix\": \"2 + 2 =\", \"target\": \" 4\", "
        "\"suffix\": \".\"}, and writes it again with three more members: \"logprobs\", the log-probability (nats) of "
        "each token of the target; \"tokens\", their texts; and \"score\", exp of the mean of the log-probabilities, "
        "between 0 and 1. All other members pass through untouched. A token that is part of a character only (an emoji "
        "may be two or three) has U+FFFD in the place of its bytes.\n\n"
        "Texts are raw: no chat template and no BOS is added, and special tokens are parsed. Prefix, target and suffix "
        "are tokenised as one text. The suffix is not counted, but may change how the target's end is tokenised.\n\n"
        "A row that cannot be scored is reported on standard error and passed through with a member \"error\"; a line "
        "that is not a JSON object is reported and left out. The exit status is then 3, or 1 if no row was scored.",
    .options = options,
    .max_args = 1,
    .run = run_score,
};
