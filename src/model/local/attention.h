/* attention.h - attention over the cells of a row's own text. A cache that many texts share is one list of cells, and each row
 * of a batch sees a few of them: those of its own text. Computed as products of whole matrices, as ggml does on CPUs, a row
 * passes by all cells, whoever they belong to; here it visits those that its mask shows, and no others. */
#ifndef CORD_ATTENTION_H
#define CORD_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* softmax(scale q k^T + mask) v for the rows of one batch in one layer (Vaswani et al. 2017, eq. 1), grouped heads sharing
 * keys and values. Strides are in bytes. `half` is IEEE binary16. */
typedef uint16_t half;

struct attention {
    int rows, cells;
    int heads, kv_heads; /* heads is a multiple of kv_heads */
    int key_size, value_size;
    const char *q;      /* float  [heads][rows][key_size] */
    const char *k;      /* half   [kv_heads][cells][key_size] */
    const char *v;      /* half   [kv_heads][cells][value_size] */
    const char *mask;   /* half   [rows][cells]: added to the scores; -inf: the row does not see the cell */
    char *out;          /* float  [rows][heads][value_size] */
    const float *sinks; /* [heads]: a score that takes part in the sum alone; NULL: none */
    size_t q_head, q_row, k_head, k_cell, v_head, v_cell, mask_row, out_row, out_head;
    float scale;
    float softcap;  /* scores are softcap tanh(score / softcap); 0: as they are */
    float max_bias; /* of ALiBi, which multiplies the mask by a slope for each head; 0: by 1 */
};

/* Whether this build has it: it needs a CPU that converts binary16 by itself, and to be compiled for that. */
bool attention_available(void);
/* Bytes of scratch memory that one thread needs. */
size_t attention_scratch(const struct attention *attention);
/* Computes the part of thread `thread` of `threads`; all parts together are the whole. `scratch` is aligned to 64 bytes. */
void attention_compute(const struct attention *attention, int thread, int threads, void *scratch);

#endif
