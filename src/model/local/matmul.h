/* matmul.h - products of quantised weights with the rows of a batch, on CPUs with AVX2 or AVX-512 VNNI.
 * Weights are taken as they lie in a GGUF file, so that a file mapped into memory is all that a model needs. */
#ifndef CORD_MATMUL_H
#define CORD_MATMUL_H

#include <ggml.h>
#include <stdbool.h>
#include <stddef.h>

/* out[n][rows] = x[n][columns] w[rows][columns]^T. Strides are in bytes. */
struct matmul {
    enum ggml_type type; /* of the weights */
    int rows, columns, n;
    const char *w; /* [rows]: blocks of `type` for `columns` */
    const char *x; /* float [n][columns] */
    char *out;     /* float [n][rows] */
    size_t w_row, x_row, out_row;
};

/* Whether this build has a product for such weights. */
bool matmul_knows(enum ggml_type type, int rows, int columns);
/* Bytes of scratch memory of all threads together. */
size_t matmul_scratch(const struct matmul *matmul, int threads);
/* Rounds x to bytes, a scale for every 32 (as ggml's Q8_0), for all rows of w: all threads come here first. */
void matmul_round(const struct matmul *matmul, int thread, int threads, void *scratch);
/* The part of thread `thread` of `threads`, when all have rounded; all parts together are the whole. `scratch` is aligned to
 * 64 bytes. */
void matmul_compute(const struct matmul *matmul, int thread, int threads, void *scratch);

#endif
