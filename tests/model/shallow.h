/* shallow.h - a model with its last layers left out: tokenizer, chat template and graph are the whole model's, its head is by
 * far the most that is left to compute, and what it writes means nothing. For tests of what happens around a model, which a
 * whole one only makes slow. It must not know the engine. */
#ifndef CORD_TEST_SHALLOW_H
#define CORD_TEST_SHALLOW_H

#include <ggml.h>
#include <gguf.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes the first `layers` layers of a file, and all that is in no layer, into another. */
static inline bool shallow_write(const char *from, const char *to, int layers) {
    struct ggml_context *tensors = NULL;
    struct gguf_context *whole =
        gguf_init_from_file(from, (struct gguf_init_params){.no_alloc = false, .ctx = &tensors});
    if (!whole) return false;
    struct gguf_context *out = gguf_init_empty();
    char key[64];
    snprintf(key, sizeof key, "%s.block_count", gguf_get_val_str(whole, gguf_find_key(whole, "general.architecture")));
    gguf_set_kv(out, whole);
    gguf_set_val_u32(out, key, (uint32_t)layers);
    for (int64_t i = 0; i < gguf_get_n_tensors(whole); i++) {
        const char *name = gguf_get_tensor_name(whole, i);
        int layer = -1;
        if (sscanf(name, "blk.%d.", &layer) != 1 || layer < layers) // NOLINT(cert-err34-c)
            gguf_add_tensor(out, ggml_get_tensor(tensors, name));
    }
    bool written = gguf_write_to_file(out, to, false);
    gguf_free(out);
    gguf_free(whole);
    ggml_free(tensors);
    return written;
}

#endif
