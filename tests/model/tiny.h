/* tiny.h - makes models of a megabyte with random weights, one of each kind of memory that llama.cpp has, so that the
 * engine's handling of its cache is tested on real graphs without weights from elsewhere. What they write means nothing;
 * but every token of a text moves what follows it, far beyond rounding, so that a state that is not the text's shows.
 * A file is a function of its kind alone. It must not know the engine. */
#ifndef CORD_TEST_TINY_H
#define CORD_TEST_TINY_H

#include "scratch.h"

#include <gguf.h>
#include <llama.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum tiny_kind {
    TINY_LLAMA,       /* attention to everything */
    TINY_GEMMA3,      /* every other layer sees a window of TINY_WINDOW tokens */
    TINY_LFM2,        /* every other layer a short convolution: hybrid */
    TINY_LFM2_WINDOW, /* the same, its attention in windows */
    TINY_MAMBA2,      /* recurrent layers only */
    TINY_KINDS,
    TINY_LONGROPE =
        TINY_KINDS, /* no other memory: attention to everything, with other positions beyond TINY_ORIGINAL */
};

enum {
    TINY_CONTEXT = 16384,
    TINY_ORIGINAL = 4096,
    TINY_WINDOW = 32,
    TINY_LAYERS = 4,
    TINY_WIDTH = 64,
    TINY_HEADS = 4,
    TINY_KV_HEADS = 2,
    TINY_HEAD = TINY_WIDTH / TINY_HEADS,
    TINY_INNER = 2 * TINY_WIDTH, /* of feed-forward and Mamba layers */
};

static const char *const tiny_names[TINY_KINDS + 1] = {"llama", "gemma3", "lfm2", "lfm2-window", "mamba2", "longrope"};

static inline const char *tiny_architecture(enum tiny_kind kind) {
    return kind == TINY_LFM2_WINDOW ? "lfm2" : kind == TINY_LONGROPE ? "llama" : tiny_names[kind];
}

/* A file that is being made: what gguf.h writes, and the tensors that it borrows until then. */
struct tiny {
    struct gguf_context *file;
    struct ggml_context *tensors;
    const char *architecture;
    struct rng rng;
};

/* ---- the vocabulary ------------------------------------------------------------------------------------------ */

/* Byte-level BPE, as GPT-2's and SmolLM2's: three control tokens, every byte, and these merges in the order of their
 * rank, so that tokens cross the borders of spans and a letter more can change the token before it. G is a blank. */
#define G "\xC4\xA0"
static const char *const tiny_merges[] = {
    "t h",      "i n",   "e r",   "a n",    "e a",    "s t",  "o r",    "o u",   "e n",     "r e",
    "i s",      "o f",   "o x",   "e d",    "l e",    "th e", "an d",   "in g",  "st e",    "ste p",
    "b ox",     "p ea",  "pea r", "pear s", G " the", G " a", G " and", G " s",  G " step", G " box",
    G " pears", G " of", G " b",  G " is",  "# #",    "## #", G " w",   G " in", "1 0",     "\xC4\x8A \xC4\x8A",
};
#undef G
enum { TINY_CONTROLS = 3, TINY_MERGES = sizeof tiny_merges / sizeof *tiny_merges };

/* GPT-2's spelling of a byte: itself where it is a visible character, else one of the characters from U+0100 on. */
static inline void tiny_spell_bytes(char spelled[256][8]) {
    unsigned next = 0x100;
    for (unsigned byte = 0; byte < 256; byte++) {
        bool visible = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
        unsigned c = visible ? byte : next++;
        if (c < 0x80)
            snprintf(spelled[byte], 8, "%c", (char)c);
        else
            snprintf(spelled[byte], 8, "%c%c", (char)(0xC0 | c >> 6), (char)(0x80 | (c & 0x3F)));
    }
}

/* Gives the number of tokens. */
static inline int tiny_vocabulary(struct tiny *t) {
    static const char *const controls[TINY_CONTROLS] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    enum { MOST = TINY_CONTROLS + 256 + TINY_MERGES };
    char bytes[256][8], merged[TINY_MERGES][16];
    const char *tokens[MOST];
    int32_t types[MOST];
    int n = 0;
    tiny_spell_bytes(bytes);
    for (int i = 0; i < TINY_CONTROLS; i++) types[n] = 3, tokens[n++] = controls[i]; /* a control token */
    for (int i = 0; i < 256; i++) types[n] = 1, tokens[n++] = bytes[i];
    for (int i = 0; i < TINY_MERGES; i++) {
        const char *blank = strchr(tiny_merges[i], ' ');
        snprintf(merged[i], sizeof merged[i], "%.*s%s", (int)(blank - tiny_merges[i]), tiny_merges[i], blank + 1);
        types[n] = 1, tokens[n++] = merged[i];
    }
    gguf_set_val_str(t->file, "tokenizer.ggml.model", "gpt2");
    gguf_set_val_str(t->file, "tokenizer.ggml.pre", "smollm");
    gguf_set_arr_str(t->file, "tokenizer.ggml.tokens", tokens, (size_t)n);
    gguf_set_arr_data(t->file, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types, (size_t)n);
    const char *merges[TINY_MERGES];
    memcpy(merges, tiny_merges, sizeof merges);
    gguf_set_arr_str(t->file, "tokenizer.ggml.merges", merges, TINY_MERGES);
    gguf_set_val_u32(t->file, "tokenizer.ggml.bos_token_id", 0);
    gguf_set_val_u32(t->file, "tokenizer.ggml.eos_token_id", 2);
    gguf_set_val_bool(t->file, "tokenizer.ggml.add_bos_token", false);
    return n;
}

/* ---- keys and tensors ---------------------------------------------------------------------------------------- */

static inline const char *tiny_key(const struct tiny *t, const char *name, char key[128]) {
    snprintf(key, 128, "%s.%s", t->architecture, name);
    return key;
}

static inline void tiny_int(struct tiny *t, const char *name, int value) {
    char key[128];
    gguf_set_val_u32(t->file, tiny_key(t, name, key), (uint32_t)value);
}

static inline void tiny_float(struct tiny *t, const char *name, float value) {
    char key[128];
    gguf_set_val_f32(t->file, tiny_key(t, name, key), value);
}

/* A tensor with values around `mean`, of standard deviation `spread`, in `rows` rows of `columns`. `layer` < 0: of the
 * model as a whole. Gives the values. */
static inline float *tiny_tensor(struct tiny *t, int layer, const char *name, int columns, int rows, float mean,
                                 float spread) {
    struct ggml_tensor *tensor = rows ? ggml_new_tensor_2d(t->tensors, GGML_TYPE_F32, columns, rows)
                                      : ggml_new_tensor_1d(t->tensors, GGML_TYPE_F32, columns);
    assert_non_null(tensor);
    char full[64];
    if (layer < 0)
        snprintf(full, sizeof full, "%s", name);
    else
        snprintf(full, sizeof full, "blk.%d.%s", layer, name);
    ggml_set_name(tensor, full);
    float *value = ggml_get_data_f32(tensor);
    for (int64_t i = 0; i < ggml_nelements(tensor); i++)
        value[i] = mean + spread * 1.7320508F * (float)(2 * rng_uniform(&t->rng) - 1);
    gguf_add_tensor(t->file, tensor);
    return value;
}

/* A matrix that gives outputs `gain` times as large as its inputs. */
static inline float *tiny_matrix(struct tiny *t, int layer, const char *name, int from, int to, float gain) {
    return tiny_tensor(t, layer, name, from, to, 0, gain / sqrtf((float)from));
}

static inline void tiny_vector(struct tiny *t, int layer, const char *name, int n, float mean, float spread) {
    tiny_tensor(t, layer, name, n, 0, mean, spread);
}

/* ---- layers -------------------------------------------------------------------------------------------------- */

/* Queries and keys are large, so that attention picks out single tokens, wherever they stand. */
static inline void tiny_attention(struct tiny *t, enum tiny_kind kind, int layer) {
    bool normed = kind != TINY_LLAMA && kind != TINY_LONGROPE;
    float gain = normed ? 1 : 1.5F;
    tiny_vector(t, layer, "attn_norm.weight", TINY_WIDTH, 1, 0.1F);
    tiny_matrix(t, layer, "attn_q.weight", TINY_WIDTH, TINY_WIDTH, gain);
    tiny_matrix(t, layer, "attn_k.weight", TINY_WIDTH, TINY_KV_HEADS * TINY_HEAD, gain);
    tiny_matrix(t, layer, "attn_v.weight", TINY_WIDTH, TINY_KV_HEADS * TINY_HEAD, 1);
    tiny_matrix(t, layer, "attn_output.weight", TINY_WIDTH, TINY_WIDTH, 1);
    if (!normed) return;
    tiny_vector(t, layer, "attn_q_norm.weight", TINY_HEAD, 1.5F, 0.1F);
    tiny_vector(t, layer, "attn_k_norm.weight", TINY_HEAD, 1.5F, 0.1F);
}

static inline void tiny_convolution(struct tiny *t, int layer) {
    tiny_vector(t, layer, "attn_norm.weight", TINY_WIDTH, 1, 0.1F);
    tiny_matrix(t, layer, "shortconv.conv.weight", 3, TINY_WIDTH, 1);
    tiny_matrix(t, layer, "shortconv.in_proj.weight", TINY_WIDTH, 3 * TINY_WIDTH, 1);
    tiny_matrix(t, layer, "shortconv.out_proj.weight", TINY_WIDTH, TINY_WIDTH, 1);
}

static inline void tiny_feed_forward(struct tiny *t, int layer) {
    tiny_vector(t, layer, "ffn_norm.weight", TINY_WIDTH, 1, 0.1F);
    tiny_matrix(t, layer, "ffn_gate.weight", TINY_WIDTH, TINY_INNER, 1);
    tiny_matrix(t, layer, "ffn_up.weight", TINY_WIDTH, TINY_INNER, 1);
    tiny_matrix(t, layer, "ffn_down.weight", TINY_INNER, TINY_WIDTH, 1);
}

/* Its state forgets so slowly that a text's first tokens are felt after hundreds. */
static inline void tiny_mamba2(struct tiny *t, int layer) {
    enum { HEADS = 8, STATE = 16, CONVOLVED = TINY_INNER + 2 * STATE };
    tiny_vector(t, layer, "attn_norm.weight", TINY_WIDTH, 1, 0.1F);
    tiny_matrix(t, layer, "ssm_in.weight", TINY_WIDTH, TINY_INNER + CONVOLVED + HEADS, 1);
    tiny_matrix(t, layer, "ssm_conv1d.weight", 4, CONVOLVED, 1);
    tiny_vector(t, layer, "ssm_conv1d.bias", CONVOLVED, 0, 0.1F);
    tiny_vector(t, layer, "ssm_dt.bias", HEADS, -2, 0.5F);
    tiny_tensor(t, layer, "ssm_a", 1, HEADS, -0.03F, 0.015F);
    tiny_tensor(t, layer, "ssm_d", 1, HEADS, 1, 0.1F);
    tiny_vector(t, layer, "ssm_norm.weight", TINY_INNER, 1, 0.1F);
    tiny_matrix(t, layer, "ssm_out.weight", TINY_INNER, TINY_WIDTH, 1);
    if (layer > 0) return;
    tiny_int(t, "ssm.conv_kernel", 4);
    tiny_int(t, "ssm.inner_size", TINY_INNER);
    tiny_int(t, "ssm.state_size", STATE);
    tiny_int(t, "ssm.time_step_rank", HEADS);
    tiny_int(t, "ssm.group_count", 1);
}

/* ---- a model ------------------------------------------------------------------------------------------------- */

static inline void tiny_keys(struct tiny *t, enum tiny_kind kind) {
    char key[128];
    gguf_set_val_str(t->file, "general.architecture", t->architecture);
    gguf_set_val_str(t->file, "general.name", tiny_names[kind]);
    tiny_int(t, "context_length", TINY_CONTEXT);
    tiny_int(t, "embedding_length", TINY_WIDTH);
    tiny_int(t, "block_count", TINY_LAYERS);
    tiny_float(t, "attention.layer_norm_rms_epsilon", 1e-5F);
    if (kind == TINY_MAMBA2) {
        tiny_int(t, "attention.head_count", 0);
        tiny_int(t, "feed_forward_length", 0);
        return;
    }
    tiny_int(t, "feed_forward_length", TINY_INNER);
    tiny_int(t, "attention.head_count", TINY_HEADS);
    tiny_int(t, "attention.head_count_kv", TINY_KV_HEADS);
    tiny_int(t, "attention.key_length", TINY_HEAD);
    tiny_int(t, "attention.value_length", TINY_HEAD);
    if (kind == TINY_GEMMA3 || kind == TINY_LFM2_WINDOW) tiny_int(t, "attention.sliding_window", TINY_WINDOW);
    if (kind == TINY_GEMMA3) tiny_int(t, "attention.sliding_window_pattern", 2);
    if (kind == TINY_LFM2 || kind == TINY_LFM2_WINDOW) {
        int32_t kv_heads[TINY_LAYERS]; /* none: the layer is a convolution */
        for (int i = 0; i < TINY_LAYERS; i++) kv_heads[i] = i % 2 ? TINY_KV_HEADS : 0;
        gguf_set_arr_data(t->file, tiny_key(t, "attention.head_count_kv", key), GGUF_TYPE_INT32, kv_heads, TINY_LAYERS);
        tiny_int(t, "shortconv.l_cache", 3);
    }
}

static inline void tiny_layer(struct tiny *t, enum tiny_kind kind, int layer) {
    bool lfm2 = kind == TINY_LFM2 || kind == TINY_LFM2_WINDOW;
    if (kind == TINY_MAMBA2) {
        tiny_mamba2(t, layer);
        return;
    }
    if (lfm2 && layer % 2 == 0)
        tiny_convolution(t, layer);
    else
        tiny_attention(t, kind, layer);
    tiny_feed_forward(t, layer);
    if (kind != TINY_GEMMA3) return;
    tiny_vector(t, layer, "post_attention_norm.weight", TINY_WIDTH, 1, 0.1F);
    /* small, because llama.cpp looks Gemma's GELU up in a table of F16, which rounds */
    tiny_vector(t, layer, "post_ffw_norm.weight", TINY_WIDTH, 0.3F, 0.1F);
}

static inline void tiny_longrope(struct tiny *t) {
    char key[128];
    gguf_set_val_str(t->file, tiny_key(t, "rope.scaling.type", key), "longrope");
    tiny_int(t, "rope.scaling.original_context_length", TINY_ORIGINAL);
    tiny_vector(t, -1, "rope_factors_long.weight", TINY_HEAD / 2, 8, 0.1F);
    tiny_vector(t, -1, "rope_factors_short.weight", TINY_HEAD / 2, 1, 0.01F);
}

/* What is not visible ASCII, a blank or a newline stays unlikely, so that a model writes text, and goes on writing. */
static inline void tiny_head(struct tiny *t, int n_vocab) {
    float *row = tiny_matrix(t, -1, "output.weight", TINY_WIDTH, n_vocab, 2);
    for (int token = 0; token < TINY_CONTROLS + 256; token++, row += TINY_WIDTH) {
        int byte = token - TINY_CONTROLS;
        if ((byte >= ' ' && byte <= '~') || byte == '\n') continue;
        for (int i = 0; i < TINY_WIDTH; i++) row[i] /= 10;
    }
}

/* Writes a model to a new file below /tmp, whose name it puts into `path`. The caller unlinks it. */
static inline void tiny_write(enum tiny_kind kind, char path[64]) {
    struct ggml_init_params memory = {.mem_size = 8 << 20};
    struct tiny t = {.file = gguf_init_empty(), .tensors = ggml_init(memory), .architecture = tiny_architecture(kind)};
    assert_true(t.file && t.tensors);
    rng_init(&t.rng, 1);
    tiny_keys(&t, kind);
    int n_vocab = tiny_vocabulary(&t);
    /* Gemma multiplies its embeddings by the root of their width */
    tiny_tensor(&t, -1, "token_embd.weight", TINY_WIDTH, n_vocab, 0, kind == TINY_GEMMA3 ? 0.125F : 1);
    for (int layer = 0; layer < TINY_LAYERS; layer++) tiny_layer(&t, kind, layer);
    bool lfm2 = kind == TINY_LFM2 || kind == TINY_LFM2_WINDOW;
    tiny_vector(&t, -1, lfm2 ? "token_embd_norm.weight" : "output_norm.weight", TINY_WIDTH, 1, 0.1F);
    tiny_head(&t, n_vocab);
    if (kind == TINY_LONGROPE) tiny_longrope(&t);

    scratch_file(path);
    assert_true(gguf_write_to_file(t.file, path, false));
    gguf_free(t.file);
    ggml_free(t.tensors);
}

#endif
