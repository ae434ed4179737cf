/* weights.c - opens a GGUF file as a model, and refuses, in words, what cannot be used as one.
 * It must not know requests. */
#include "model/local/attention.h"
#include "model/local/local.h"
#include "model/local/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- before loading ------------------------------------------------------------------------------------------ */

/* Tells apart what llama.cpp reports alike: no file, no permission, a folder, not a GGUF, larger than memory, with the
 * models (`others`, bytes) that are open already. */
static cord_status check_file(const char *path, uint64_t others, uint64_t *bytes, cord_error *err) {
    struct stat st;
    if (stat(path, &st) != 0) {
        error_errno(err, "open the model", path);
        return err ? (err->code = CORD_BAD_MODEL) : CORD_BAD_MODEL;
    }
    if (!S_ISREG(st.st_mode)) return error_set(err, CORD_BAD_MODEL, "%s is not a file; name a GGUF file", path);
    char magic[4] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, magic, sizeof magic);
    int code = errno;
    if (fd >= 0) close(fd);
    if (n < 0) {
        errno = code;
        error_errno(err, "read the model", path);
        return err ? (err->code = CORD_BAD_MODEL) : CORD_BAD_MODEL;
    }
    if (n < 4 || memcmp(magic, "GGUF", 4) != 0)
        return error_set(err, CORD_BAD_MODEL,
                         "%s is not a GGUF file; convert the model with llama.cpp's convert_hf_to_gguf.py", path);
    *bytes = (uint64_t)st.st_size;
    char part[4096];
    for (int i = 1; file_part(path, i, part, sizeof part); i++)
        if (stat(part, &st) == 0) *bytes += (uint64_t)st.st_size;
    uint64_t memory = machine_memory("");
    if (memory && *bytes + others > memory)
        return error_set(
            err, CORD_BAD_MODEL,
            "%s has %.1f GiB, the models that are open have %.1f GiB, and this machine or container has %.1f GiB of "
            "memory; use a smaller quantisation, or fewer models",
            path, (double)*bytes / 0x1p30, (double)others / 0x1p30, (double)memory / 0x1p30);
    return CORD_OK;
}

/* ---- the vocabulary ------------------------------------------------------------------------------------------ */

static int by_length(const void *a, const void *b) {
    const struct special *x = a, *y = b;
    if (x->text.len != y->text.len) return x->text.len < y->text.len ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* A token is special if its text alone stands for something. Some vocabularies keep ordinary pieces (runs of newlines)
 * among the user-defined ones: those are not special; what looks like a tag is. */
static bool is_special(enum llama_token_attr attr, cord_text text) {
    if (text.len < 2) return false;
    if (attr & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) return true;
    char first = text.data[0], last = text.data[text.len - 1];
    return (attr & LLAMA_TOKEN_ATTR_USER_DEFINED) && ((first == '<' && last == '>') || (first == '[' && last == ']'));
}

static cord_status read_vocabulary(struct local_model *model, cord_error *err) {
    int n = llama_vocab_n_tokens(model->vocab), n_specials = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            model->specials = arena_alloc(&model->arena, (size_t)(n_specials + 1) * sizeof *model->specials);
            if (!model->specials) return error_memory(err);
        }
        n_specials = 0;
        for (llama_token id = 0; id < n; id++) {
            cord_text text = text_of(llama_vocab_get_text(model->vocab, id));
            if ((int)text.len > model->longest_piece) model->longest_piece = (int)text.len;
            enum llama_token_attr attr = llama_vocab_get_attr(model->vocab, id);
            if (!is_special(attr, text)) continue;
            if (pass == 1) {
                model->specials[n_specials] = (struct special){id, text, (attr & LLAMA_TOKEN_ATTR_USER_DEFINED) != 0};
                model->special_lead[(unsigned char)text.data[0]] = true;
            }
            n_specials++;
        }
    }
    model->n_specials = n_specials;
    qsort(model->specials, (size_t)n_specials, sizeof *model->specials, by_length);
    return CORD_OK;
}

static cord_text token_text(struct local_model *model, llama_token token) {
    return token == LLAMA_TOKEN_NULL ? (cord_text){"", 0} : text_of(llama_vocab_get_text(model->vocab, token));
}

/* ---- opening ------------------------------------------------------------------------------------------------- */

/* A value of the file's metadata, as `ARCHITECTURE.key`. */
static bool metadata_text(const struct local_model *model, const char *key, char *value, size_t size) {
    char name[128], architecture[64];
    if (llama_model_meta_val_str(model->weights, "general.architecture", architecture, sizeof architecture) < 0)
        return false;
    snprintf(name, sizeof name, "%s.%s", architecture, key);
    return llama_model_meta_val_str(model->weights, name, value, size) >= 0;
}

/* A number; the largest where it is a list (one for each layer). */
static long metadata(const struct local_model *model, const char *key, long otherwise) {
    char value[4096];
    if (!metadata_text(model, key, value, sizeof value)) return otherwise;
    long most = -1;
    for (char *at = value, *end; *at; at = end > at ? end : at + 1) {
        long number = strtol(at, &end, 10);
        if (end > at && number > most) most = number;
    }
    return most >= 0 ? most : otherwise;
}

/* LongRoPE has two sets of factors, and llama.cpp takes the long ones in a context (rounded up to 256) that is larger than the
 * model's first training was. So all of a model's lanes are larger than that, or none is: else its scores would depend on
 * where a text is cached. Older files do not say that their scaling is LongRoPE. */
static void bound_lanes(struct local_model *model) {
    enum { ROUNDED = 256 };
    char type[32] = "longrope";
    model->least_lane = LANE_WIDTH; /* llama.cpp aborts where a batch is larger */
    model->most_lane = model->cells;
    long original = metadata(model, "rope.scaling.original_context_length", 0);
    if (original <= 0 ||
        (metadata_text(model, "rope.scaling.type", type, sizeof type) && strcmp(type, "longrope") != 0))
        return;
    int most = (int)(original - original % ROUNDED);
    if (model->context > most)
        model->least_lane = most + 1;
    else if (model->most_lane > most)
        model->most_lane = most;
}

/* Cells of a lane that problems share: fewer would keep batches narrow. Where rows pass by all cells, more would slow each of
 * them down; where they do not, more take memory alone, and may be an eighth of what caches may take. */
static int usual_lane(const struct local_model *model) {
    enum { LEAST = 4096, MOST = 16384, SHARE = 8 };
    uint64_t memory = device_memory(model->engine->local) / SHARE;
    int cells = accelerator_used() ? MOST : LEAST;
    while (cells > LEAST && (cells > model->cells / SHARE || weights_lane_bytes(model, cells) > memory)) cells /= 2;
    return cells;
}

/* Where more is added, nobody has set the context: it is what a search asks for. */
static cord_status refuse_context(const cord_model_options *options, int trained, cord_error *err) {
    const char *key = options->context_key ? options->context_key : "`context`";
    if (options->more_context) key = "the search's token budgets (search.think_tokens and the like)";
    return error_set(err, CORD_BAD_MODEL, "%s was trained with a context of %d tokens, and %d are needed; lower %s",
                     options->name, trained, options->context, key);
}

static cord_status choose_sizes(struct local_model *model, const cord_model_options *options, cord_error *err) {
    int trained = llama_model_n_ctx_train(model->weights);
    model->context = options->context ? options->context : trained < 4096 ? trained : 4096;
    if (model->context > trained) return refuse_context(options, trained, err);
    model->context +=
        options->more_context < trained - model->context ? options->more_context : trained - model->context;
    model->cells = options->cells ? options->cells : INT_MAX / 2;
    if (model->cells < model->context) model->cells = model->context;
    if (model->cells < LANE_WIDTH) model->cells = LANE_WIDTH;
    bound_lanes(model);
    model->group_cells = model->context < 1024 ? model->context : 1024;
    model->sequences = options->sequences ? options->sequences : LANE_OUTPUTS;
    if (model->sequences > (int)llama_max_parallel_sequences()) model->sequences = (int)llama_max_parallel_sequences();
    model->window = llama_model_n_swa(model->weights);
    model->tips = llama_model_is_recurrent(model->weights) || llama_model_is_hybrid(model->weights);
    return CORD_OK;
}

/* Of keys and values of one token, in F16. */
static uint64_t cell_bytes(const struct local_model *model) {
    long heads = llama_model_n_head(model->weights), head = heads ? llama_model_n_embd(model->weights) / heads : 0;
    long key = metadata(model, "attention.key_length", head), value = metadata(model, "attention.value_length", head);
    long values = llama_model_n_layer(model->weights) * (long)llama_model_n_head_kv(model->weights) * (key + value);
    return 2 * (uint64_t)values;
}

uint64_t weights_lane_bytes(const struct local_model *model, int cells) {
    uint64_t vocab = (uint64_t)llama_vocab_n_tokens(model->vocab), heads = (uint64_t)llama_model_n_head(model->weights);
    uint64_t outputs = (uint64_t)(model->sequences > LANE_OUTPUTS ? model->sequences : LANE_OUTPUTS);
    /* of one layer: every row with every cell; or what threads need for theirs */
    struct attention rows = {.cells = cells, .heads = 1, .kv_heads = 1};
    uint64_t attention = (uint64_t)cells * LANE_WIDTH * heads * sizeof(float);
    if (accelerator_used()) attention = attention_scratch(&rows) * (uint64_t)device_threads(model->engine->local);
    uint64_t mask = (uint64_t)cells * LANE_WIDTH * sizeof(ggml_fp16_t);
    return (uint64_t)cells * model->base.info.cache_bytes + attention + mask + 2 * outputs * vocab * sizeof(float);
}

static cord_status check_kind(const struct local_model *model, cord_error *err) {
    const char *name = model->base.info.name;
    if (llama_model_has_encoder(model->weights) || !llama_model_has_decoder(model->weights) ||
        llama_model_is_diffusion(model->weights))
        return error_set(err, CORD_BAD_MODEL,
                         "%s does not write text from left to right (it is an encoder or a diffusion model)", name);
    if (llama_vocab_type(model->vocab) == LLAMA_VOCAB_TYPE_NONE)
        return error_set(err, CORD_BAD_MODEL, "%s has no vocabulary", name);
    /* a text with everything that tokenizers stumble over; tokens_of refuses those that cannot spell it */
    static const cord_span probe = {
        TEXT("### Step 1. 3 + 4 = 7\n\n  so \\boxed{1,080}; caf\xC3\xA9 \xF0\x9F\x98\x80 </think>"), false};
    struct tokens tokens;
    cord_status status = tokens_of(model, &probe, 1, &tokens, err);
    if (status == CORD_BAD_INPUT)
        return error_set(err, CORD_BAD_MODEL,
                         "%s: its tokens do not spell the texts they stand for, so an answer's tokens cannot be found "
                         "in them; models with such a tokenizer are not supported",
                         name);
    CORD_TRY(status);
    tokens_release(&tokens);
    return CORD_OK;
}

static cord_status describe(struct local_model *model, const cord_model_options *options, uint64_t bytes,
                            cord_error *err) {
    cord_model_info *info = &model->base.info;
    char description[128];
    llama_model_desc(model->weights, description, sizeof description);
    info->name = arena_text(&model->arena, text_of(options->name)).data;
    info->path = arena_text(&model->arena, text_of(options->path)).data;
    info->description = arena_text(&model->arena, text_of(description)).data;
    if (!info->name || !info->path || !info->description) return error_memory(err);
    if (options->context_key) {
        model->context_key = arena_text(&model->arena, text_of(options->context_key)).data;
        if (!model->context_key) return error_memory(err);
    }
    info->chat_template = text_of(llama_model_chat_template(model->weights, NULL));
    info->bos = token_text(model, llama_vocab_bos(model->vocab));
    info->eos = token_text(model, llama_vocab_eos(model->vocab));
    info->parameters = llama_model_n_params(model->weights);
    info->bytes = bytes;
    info->scoring = "prefill";
    info->trained = llama_model_n_ctx_train(model->weights);
    info->wants_bos = llama_vocab_get_add_bos(model->vocab) ? CORD_BOS_WANTED : CORD_BOS_NONE;
    info->noise = 0.25; /* nats a token; cord.h says of what */
    CORD_TRY(choose_sizes(model, options, err));
    info->context = model->context;
    info->cache_bytes = cell_bytes(model);
    model->usual_lane = usual_lane(model);
    return CORD_OK;
}

static bool goes_on(float progress, void *engine) {
    (void)progress;
    return !atomic_load(&((cord_engine *)engine)->stop);
}

static cord_status load(struct local_model *model, const cord_model_options *options, cord_error *err) {
    struct llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = options->gpu_layers;
    params.progress_callback = goes_on;
    params.progress_callback_user_data = model->engine;
    log_forget_error();
    model->weights = llama_model_load_from_file(options->path, params);
    if (model->weights) {
        model->vocab = llama_model_get_vocab(model->weights);
        return CORD_OK;
    }
    if (atomic_load(&model->engine->stop)) return error_set(err, CORD_CANCELLED, "stopped");
    cord_text why = log_first_error();
    return error_set(err, CORD_BAD_MODEL,
                     "llama.cpp cannot load %s (truncated, damaged, or of a kind it does not know): %.*s",
                     options->path, (int)why.len, why.data);
}

cord_status local_open(cord_engine *engine, const cord_model_options *options, cord_model **out, cord_error *err) {
    uint64_t bytes = 0;
    uint64_t others = 0;
    for (const cord_model *other = engine->models; other; other = other->next) others += other->info.bytes;
    CORD_TRY(check_file(options->path, others, &bytes, err));
    struct local_model *model = calloc(1, sizeof *model);
    if (!model) return error_memory(err);
    model->engine = engine;
    model->longest_piece = 1;
    arena_init(&model->arena);
    cord_status status = load(model, options, err);
    if (status == CORD_OK) status = describe(model, options, bytes, err);
    if (status == CORD_OK) status = read_vocabulary(model, err);
    if (status == CORD_OK) status = check_kind(model, err);
    if (status != CORD_OK) {
        local_close(&model->base);
        return status;
    }
    *out = &model->base;
    return CORD_OK;
}

void local_close(cord_model *base) {
    struct local_model *model = local_of(base);
    if (model->weights) llama_model_free(model->weights);
    arena_release(&model->arena);
    free(model);
}
