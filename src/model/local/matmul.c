/* matmul.c - see matmul.h. Weights are unpacked to bytes, 32 rows and 256 columns at a time, and then meet all rows of x while
 * they are in the processor's nearest cache. A weight is scale * q - offset in every format, q a byte without sign, and scale
 * and offset the same for 16 or 32 columns: products of bytes are summed as integers over these, then in binary32.
 * It must not know llama.cpp, and of ggml the formats alone. */
#include "model/local/matmul.h"

#include <stdint.h>
#include <string.h>

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
typedef __m512i ivec; /* 16 integers of 32 bits: one of each of 16 rows of weights; or four bytes of each */
typedef __m512 vec;
enum { LANES = 16, TILES = 2, BLOCK = 256, GROUP = 32, GROUPS = BLOCK / GROUP, STEP = 4, STEPS = BLOCK / STEP };

/* 16 rows of weights, unpacked. */
struct tile {
    ivec q[STEPS];          /* four columns each */
    vec scale[2 * GROUPS];  /* of a group, or of each half of one */
    vec offset[2 * GROUPS]; /* times scale already; where it is a whole number of scales, `struct format` has it */
};

/* A row of x in the columns of one block. */
struct rounded {
    int8_t q[BLOCK];
    float scale[GROUPS];
    union {
        int32_t start[2 * GROUPS]; /* less the sum of q times the format's zero */
        float sum[2 * GROUPS];     /* the sum of q, times scale */
    } of;                          /* of groups, or of halves */
};

/* ---- unpacking ------------------------------------------------------------------------------------------------- */

INLINE ivec all(int x) { return _mm512_set1_epi32(x); }

/* The first four integers of 16 rows, integer by integer. */
INLINE void four_columns(const uint8_t *row, size_t stride, ivec out[4]) {
    ivec in[4];
    for (int i = 0; i < 4; i++) {
        ivec x = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(row + (size_t)i * stride)));
        x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(row + (size_t)(i + 4) * stride)), 1);
        x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(row + (size_t)(i + 8) * stride)), 2);
        in[i] = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(row + (size_t)(i + 12) * stride)), 3);
    }
    ivec a = _mm512_unpacklo_epi32(in[0], in[1]), b = _mm512_unpacklo_epi32(in[2], in[3]);
    ivec c = _mm512_unpackhi_epi32(in[0], in[1]), d = _mm512_unpackhi_epi32(in[2], in[3]);
    out[0] = _mm512_unpacklo_epi64(a, b), out[1] = _mm512_unpackhi_epi64(a, b);
    out[2] = _mm512_unpacklo_epi64(c, d), out[3] = _mm512_unpackhi_epi64(c, d);
}

INLINE void eight_columns(const uint8_t *row, size_t stride, ivec out[8]) {
    four_columns(row, stride, out);
    four_columns(row + 16, stride, out + 4);
}

/* Integers of 16 rows, at the same place in each. */
INLINE ivec one_column(const uint8_t *row, size_t stride) {
    int32_t x[LANES];
    for (int i = 0; i < LANES; i++) memcpy(&x[i], row + (size_t)i * stride, sizeof x[i]);
    return _mm512_loadu_si512(x);
}

INLINE vec half_at(ivec x, int bit) {
    return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(x, (unsigned)bit)));
}
INLINE ivec bits(ivec x, int from, int mask) {
    return _mm512_and_si512(_mm512_srli_epi32(x, (unsigned)from), all(mask));
}
INLINE vec times(vec scale, ivec x) { return _mm512_mul_ps(scale, _mm512_cvtepi32_ps(x)); }
INLINE ivec low(ivec x) { return bits(x, 0, 0x0f0f0f0f); }
INLINE ivec high(ivec x) { return bits(x, 4, 0x0f0f0f0f); }

/* Four bits of every lane, from `bit` on: the fifth bits of the four bytes. */
INLINE ivec fifth(ivec x, int bit) {
    ivec spread = _mm512_mullo_epi32(bits(x, bit, 0xf), all(0x204081));
    return _mm512_slli_epi32(_mm512_and_si512(spread, all(0x01010101)), 4);
}

/* Q4_K and Q5_K begin alike: two halves, and eight scales and offsets of six bits in three integers. */
INLINE void unpack_k_scales(const ivec head[4], struct tile *tile) {
    vec d = half_at(head[0], 0), least = half_at(head[0], 16);
    for (int j = 0; j < 4; j++) {
        tile->scale[j] = times(d, bits(head[1], 8 * j, 63));
        tile->offset[j] = times(least, bits(head[2], 8 * j, 63));
        ivec upper = _mm512_slli_epi32(bits(head[1], 8 * j + 6, 3), 4);
        tile->scale[j + 4] = times(d, _mm512_or_si512(bits(head[3], 8 * j, 15), upper));
        upper = _mm512_slli_epi32(bits(head[2], 8 * j + 6, 3), 4);
        tile->offset[j + 4] = times(least, _mm512_or_si512(bits(head[3], 8 * j + 4, 15), upper));
    }
}

INLINE void unpack_k(const uint8_t *block, size_t stride, struct tile *tile, const bool five) {
    ivec head[4], fifths[8], four[8];
    four_columns(block, stride, head);
    unpack_k_scales(head, tile);
    if (five) eight_columns(block + 16, stride, fifths);
    for (int j = 0; j < 4; j++) {
        eight_columns(block + (five ? 48 : 16) + 32 * j, stride, four);
        for (int i = 0; i < 8; i++) {
            ivec a = low(four[i]), b = high(four[i]);
            if (five) {
                a = _mm512_or_si512(a, _mm512_slli_epi32(bits(fifths[i], 2 * j, 0x01010101), 4));
                b = _mm512_or_si512(b, _mm512_slli_epi32(bits(fifths[i], 2 * j + 1, 0x01010101), 4));
            }
            tile->q[16 * j + i] = a;
            tile->q[16 * j + 8 + i] = b;
        }
    }
}

static void unpack_q4_k(const uint8_t *block, size_t stride, int groups, struct tile *tile) {
    (void)groups, unpack_k(block, stride, tile, false);
}
static void unpack_q5_k(const uint8_t *block, size_t stride, int groups, struct tile *tile) {
    (void)groups, unpack_k(block, stride, tile, true);
}

static void unpack_q6_k(const uint8_t *block, size_t stride, int groups, struct tile *tile) {
    (void)groups;
    const int two = 0x30303030;
    ivec a[8], b[8], upper[8], scales[4];
    for (int half = 0; half < 2; half++) {
        eight_columns(block + 64 * half, stride, a);
        eight_columns(block + 64 * half + 32, stride, b);
        eight_columns(block + 128 + 32 * half, stride, upper);
        ivec *q = tile->q + 32 * half;
        for (int i = 0; i < 8; i++) {
            ivec u = upper[i];
            q[i] = _mm512_or_si512(low(a[i]), _mm512_and_si512(_mm512_slli_epi32(u, 4), all(two)));
            q[8 + i] = _mm512_or_si512(low(b[i]), _mm512_and_si512(_mm512_slli_epi32(u, 2), all(two)));
            q[16 + i] = _mm512_or_si512(high(a[i]), _mm512_and_si512(u, all(two)));
            q[24 + i] = _mm512_or_si512(high(b[i]), bits(u, 2, two));
        }
    }
    four_columns(block + 192, stride, scales);
    vec d = half_at(one_column(block + 206, stride), 16);
    for (int i = 0; i < 16; i++)
        tile->scale[i] = times(d, _mm512_srai_epi32(_mm512_slli_epi32(scales[i / 4], 24 - 8 * (unsigned)(i % 4)), 24));
}

static void unpack_q8_0(const uint8_t *block, size_t stride, int groups, struct tile *tile) {
    for (int j = 0; j < groups; j++, block += 34) {
        tile->scale[j] = half_at(one_column(block, stride), 0);
        eight_columns(block + 2, stride, tile->q + 8 * j);
        for (int i = 0; i < 8; i++) tile->q[8 * j + i] = _mm512_xor_si512(tile->q[8 * j + i], all((int)0x80808080));
    }
}

/* Of the old formats of four and five bits: 32 columns behind `head` bytes, the first 16 in the lower halves of bytes. */
INLINE void unpack_old(const uint8_t *block, size_t stride, ivec *q, const int head, const bool five) {
    ivec four[4];
    four_columns(block + head, stride, four);
    ivec fifths = five ? one_column(block + head - 4, stride) : all(0);
    for (int i = 0; i < 4; i++) {
        q[i] = low(four[i]), q[4 + i] = high(four[i]);
        if (!five) continue;
        q[i] = _mm512_or_si512(q[i], fifth(fifths, 4 * i));
        q[4 + i] = _mm512_or_si512(q[4 + i], fifth(fifths, 16 + 4 * i));
    }
}

static void unpack_q4_0(const uint8_t *block, size_t stride, int groups, struct tile *tile) {
    for (int j = 0; j < groups; j++, block += 18) {
        tile->scale[j] = half_at(one_column(block, stride), 0);
        unpack_old(block, stride, tile->q + 8 * j, 2, false);
    }
}

static void unpack_q5_0(const uint8_t *block, size_t stride, int groups, struct tile *tile) {
    for (int j = 0; j < groups; j++, block += 22) {
        tile->scale[j] = half_at(one_column(block, stride), 0);
        unpack_old(block, stride, tile->q + 8 * j, 6, true);
    }
}

static void unpack_q4_1(const uint8_t *block, size_t stride, int groups, struct tile *tile) {
    for (int j = 0; j < groups; j++, block += 20) {
        ivec head = one_column(block, stride);
        tile->scale[j] = half_at(head, 0);
        tile->offset[j] = _mm512_sub_ps(_mm512_setzero_ps(), half_at(head, 16));
        unpack_old(block, stride, tile->q + 8 * j, 4, false);
    }
}

/* ---- formats --------------------------------------------------------------------------------------------------- */

static const struct format {
    enum ggml_type type;
    int columns, bytes; /* of ggml's block */
    int parts;          /* scales of a group: 1 or 2 */
    int zero;           /* the byte that stands for 0; -1: a group has an offset */
    void (*unpack)(const uint8_t *block, size_t stride, int groups, struct tile *tile);
} formats[] = {
    {GGML_TYPE_Q4_K, 256, 144, 1, -1, unpack_q4_k}, {GGML_TYPE_Q5_K, 256, 176, 1, -1, unpack_q5_k},
    {GGML_TYPE_Q6_K, 256, 210, 2, 32, unpack_q6_k}, {GGML_TYPE_Q8_0, 32, 34, 1, 128, unpack_q8_0},
    {GGML_TYPE_Q4_0, 32, 18, 1, 8, unpack_q4_0},    {GGML_TYPE_Q4_1, 32, 20, 1, -1, unpack_q4_1},
    {GGML_TYPE_Q5_0, 32, 22, 1, 16, unpack_q5_0},
};

static const struct format *format_of(enum ggml_type type) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].type == type) return &formats[i];
    return NULL;
}

bool matmul_knows(enum ggml_type type, int rows, int columns) {
#ifdef __AMX_INT8__
    if (type != GGML_TYPE_Q5_0) return false; /* ggml has products of the others for it */
#endif
    const struct format *format = format_of(type);
    return format && rows % (TILES * LANES) == 0 && columns % format->columns == 0;
}

/* ---- rounding -------------------------------------------------------------------------------------------------- */

static int blocks_of(const struct matmul *m) { return (m->columns + BLOCK - 1) / BLOCK; }
static int groups_in(const struct matmul *m, int block) {
    int left = m->columns / GROUP - block * GROUPS;
    return left < GROUPS ? left : GROUPS;
}

/* The i-th group of `to`. */
INLINE void round_group(const float *x, const struct format *format, struct rounded *to, int i) {
    vec a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + LANES);
    float most = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
    float scale = most / 127, by = most > 0 ? 127 / most : 0;
    ivec q[2] = {_mm512_cvtps_epi32(_mm512_mul_ps(a, _mm512_set1_ps(by))),
                 _mm512_cvtps_epi32(_mm512_mul_ps(b, _mm512_set1_ps(by)))};
    int sum[2] = {_mm512_reduce_add_epi32(q[0]), _mm512_reduce_add_epi32(q[1])};
    for (int part = 0; part < 2; part++)
        _mm_storeu_si128((__m128i *)&to->q[i * GROUP + part * LANES], _mm512_cvtepi32_epi8(q[part]));
    to->scale[i] = scale;
    const int parts = format->parts == 2 ? 2 : 1;
    if (parts == 1) sum[0] += sum[1];
    for (int part = 0; part < parts; part++) {
        if (format->zero < 0)
            to->of.sum[i * parts + part] = scale * (float)sum[part];
        else
            to->of.start[i * parts + part] = -format->zero * sum[part];
    }
}

/* [blocks][n] */
static struct rounded *rounded_of(const struct matmul *m, void *scratch, int block) {
    return (struct rounded *)scratch + (size_t)block * (size_t)m->n;
}

void matmul_round(const struct matmul *m, int thread, int threads, void *scratch) {
    const struct format *format = format_of(m->type);
    for (int i = thread; i < m->n * blocks_of(m); i += threads) {
        int row = i % m->n, block = i / m->n;
        const float *x = (const float *)(m->x + (size_t)row * m->x_row) + (size_t)block * BLOCK;
        for (int j = 0; j < groups_in(m, block); j++)
            round_group(x + (size_t)(j * GROUP), format, &rounded_of(m, scratch, block)[row], j);
    }
}

/* ---- products -------------------------------------------------------------------------------------------------- */

enum { AT_ONCE = 6 }; /* rows of x whose sums stay in registers */

/* Adds the products of two tiles with n rows of x to out. */
INLINE void add_products(const struct tile tile[TILES], const struct rounded *x, int groups, float *out, size_t stride,
                         const int n, const int parts, const bool offset) {
    vec total[TILES][AT_ONCE];
    for (int i = 0; i < n; i++)
        for (int t = 0; t < TILES; t++)
            total[t][i] = _mm512_loadu_ps((float *)((char *)out + (size_t)i * stride) + t * LANES);
    const int steps = GROUP / STEP / parts;
    for (int g = 0; g < groups * parts; g++) {
        ivec sum[TILES][AT_ONCE];
        for (int i = 0; i < n; i++)
            for (int t = 0; t < TILES; t++) sum[t][i] = all(offset ? 0 : x[i].of.start[g]);
        for (int s = g * steps; s < (g + 1) * steps; s++) {
            for (int i = 0; i < n; i++) {
                int32_t four;
                memcpy(&four, &x[i].q[s * STEP], sizeof four);
                for (int t = 0; t < TILES; t++) sum[t][i] = _mm512_dpbusd_epi32(sum[t][i], tile[t].q[s], all(four));
            }
        }
        for (int i = 0; i < n; i++) {
            for (int t = 0; t < TILES; t++) {
                vec scale = _mm512_mul_ps(tile[t].scale[g], _mm512_set1_ps(x[i].scale[g / parts]));
                total[t][i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[t][i]), scale, total[t][i]);
                if (offset)
                    total[t][i] = _mm512_fnmadd_ps(tile[t].offset[g], _mm512_set1_ps(x[i].of.sum[g]), total[t][i]);
            }
        }
    }
    for (int i = 0; i < n; i++)
        for (int t = 0; t < TILES; t++)
            _mm512_storeu_ps((float *)((char *)out + (size_t)i * stride) + t * LANES, total[t][i]);
}

/* n as a constant, so that all sums stay in registers. */
INLINE void add_some(const struct tile tile[TILES], const struct rounded *x, int groups, float *out, size_t stride,
                     int n, const int parts, const bool offset) {
    switch (n) {
    case 1: add_products(tile, x, groups, out, stride, 1, parts, offset); break;
    case 2: add_products(tile, x, groups, out, stride, 2, parts, offset); break;
    case 3: add_products(tile, x, groups, out, stride, 3, parts, offset); break;
    case 4: add_products(tile, x, groups, out, stride, 4, parts, offset); break;
    case 5: add_products(tile, x, groups, out, stride, 5, parts, offset); break;
    default: add_products(tile, x, groups, out, stride, AT_ONCE, parts, offset); break;
    }
}

static void add_block(const struct format *format, const struct tile tile[TILES], const struct rounded *x, int groups,
                      float *out, size_t stride, int n) {
    for (int i = 0; i < n; i += AT_ONCE) {
        int some = n - i < AT_ONCE ? n - i : AT_ONCE;
        float *to = (float *)((char *)out + (size_t)i * stride);
        if (format->parts == 2)
            add_some(tile, x + i, groups, to, stride, some, 2, false);
        else if (format->zero >= 0)
            add_some(tile, x + i, groups, to, stride, some, 1, false);
        else
            add_some(tile, x + i, groups, to, stride, some, 1, true);
    }
}

static size_t in_lines(size_t bytes) { return (bytes + 63) / 64 * 64; }
static size_t rounded_bytes(const struct matmul *m) {
    return in_lines((size_t)blocks_of(m) * (size_t)m->n * sizeof(struct rounded));
}

size_t matmul_scratch(const struct matmul *m, int threads) {
    return rounded_bytes(m) + (size_t)threads * TILES * sizeof(struct tile);
}

/* Begins to read the next block of 16 rows, which is in the second cache by now. */
INLINE void fetch_block(const char *w, size_t stride, size_t bytes) {
    for (int i = 0; i < LANES; i++)
        for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(w + (size_t)i * stride + at);
}

/* Begins to read one of so many parts of what lies behind a strip, from memory. */
INLINE void fetch_strip(const char *strip, size_t bytes, int part, int parts) {
    const char *next = strip + bytes;
    for (size_t at = bytes * (size_t)part / (size_t)parts; at < bytes * ((size_t)part + 1) / (size_t)parts; at += 64)
        __builtin_prefetch(next + at, 0, 2);
}

void matmul_compute(const struct matmul *m, int thread, int threads, void *scratch) {
    const struct format *format = format_of(m->type);
    struct tile *tile = (struct tile *)((char *)scratch + rounded_bytes(m)) + (size_t)thread * TILES;
    const size_t block_bytes = (size_t)(BLOCK / format->columns) * (size_t)format->bytes;
    int strips = m->rows / (TILES * LANES);
    for (int strip = strips * thread / threads; strip < strips * (thread + 1) / threads; strip++) {
        int row = strip * TILES * LANES;
        float *out = (float *)m->out + row;
        for (int i = 0; i < m->n; i++) memset((char *)out + (size_t)i * m->out_row, 0, TILES * LANES * sizeof *out);
        for (int block = 0; block < blocks_of(m); block++) {
            for (int t = 0; t < TILES; t++) {
                const char *w = m->w + (size_t)(row + t * LANES) * m->w_row + (size_t)block * block_bytes;
                format->unpack((const uint8_t *)w, m->w_row, groups_in(m, block), &tile[t]);
                fetch_block(w + block_bytes, m->w_row, block_bytes);
            }
            fetch_strip(m->w + (size_t)row * m->w_row, TILES * LANES * m->w_row, block, blocks_of(m));
            add_block(format, tile, rounded_of(m, scratch, block), groups_in(m, block), out, m->out_row, m->n);
        }
    }
}

#else

bool matmul_knows(enum ggml_type type, int rows, int columns) { return (void)type, (void)rows, (void)columns, false; }
size_t matmul_scratch(const struct matmul *matmul, int threads) { return (void)matmul, (void)threads, 0; }
void matmul_round(const struct matmul *matmul, int thread, int threads, void *scratch) {
    (void)matmul, (void)thread, (void)threads, (void)scratch;
}
void matmul_compute(const struct matmul *matmul, int thread, int threads, void *scratch) {
    (void)matmul, (void)thread, (void)threads, (void)scratch;
}

#endif
