/* matmul.c - see matmul.h. Weights are unpacked to bytes, 32 rows (16 without AVX-512) and 256 columns at a time, and then meet
 * all rows of x while they are in the processor's nearest cache. A weight is scale * q - offset in every format, q a byte
 * without sign, and scale and offset the same for 16 or 32 columns: products of bytes are summed as integers over these, then
 * in binary32.
 * It must not know llama.cpp, and of ggml the formats alone. */
#include "model/local/matmul.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
#define WIDE 1
enum { LANES = 16, AT_ONCE = 6 }; /* 32 registers */
#elif defined(__AVX2__) && defined(__F16C__) && defined(__FMA__)
#define WIDE 0
enum { LANES = 8, AT_ONCE = 3 }; /* 16 */
#endif

#ifdef WIDE
#include <immintrin.h>

typedef int32_t ivec __attribute__((vector_size(LANES * 4), may_alias)); /* one of each row of weights; or four bytes */
typedef uint32_t uvec __attribute__((vector_size(LANES * 4), may_alias));
typedef float vec __attribute__((vector_size(LANES * 4), may_alias));
typedef int8_t narrow __attribute__((vector_size(LANES)));
#define INLINE static inline __attribute__((always_inline))
enum {
    TILES = 2,
    ROWS = TILES * LANES,
    BLOCK = 256,
    GROUP = 32,
    GROUPS = BLOCK / GROUP,
    STEP = 4,
    STEPS = BLOCK / STEP
};

/* As many rows of weights as there are lanes, unpacked. */
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

/* ---- vectors --------------------------------------------------------------------------------------------------- */

INLINE ivec all(int x) { return x - (ivec){0}; }
INLINE vec each(float x) { return x - (vec){0}; }

#if WIDE
#define OF(name, a, b) (ivec) _mm512_##name((__m512i)(a), (__m512i)(b))

/* Four integers of the rows i, i + 4... */
INLINE ivec every_fourth(const uint8_t *row, size_t stride) {
    __m512i x = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)row));
    x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(row + 4 * stride)), 1);
    x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(row + 8 * stride)), 2);
    return (ivec)_mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(row + 12 * stride)), 3);
}

INLINE vec half_at(ivec x, int bit) { return (vec)_mm512_cvtph_ps(_mm512_cvtepi32_epi16((__m512i)((uvec)x >> bit))); }
INLINE ivec nearest(vec x) { return (ivec)_mm512_cvtps_epi32((__m512)x); }
INLINE vec size(vec x) { return (vec)_mm512_abs_ps((__m512)x); }
INLINE vec larger(vec x, vec y) { return (vec)_mm512_max_ps((__m512)x, (__m512)y); }
INLINE float largest(vec x) { return _mm512_reduce_max_ps((__m512)x); }
INLINE int sum_of(ivec x) { return _mm512_reduce_add_epi32((__m512i)x); }

/* sum + w x of four columns: bytes without and with sign. */
INLINE ivec add_four(ivec sum, ivec w, ivec x) {
    return (ivec)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x);
}
enum { LARGEST = 255 }; /* w that it can take */

#else
#define OF(name, a, b) (ivec) _mm256_##name((__m256i)(a), (__m256i)(b))

INLINE ivec every_fourth(const uint8_t *row, size_t stride) {
    return (ivec)_mm256_setr_m128i(_mm_loadu_si128((const __m128i *)row),
                                   _mm_loadu_si128((const __m128i *)(row + 4 * stride)));
}

INLINE vec half_at(ivec x, int bit) {
    __m256i low = (__m256i)(((uvec)x >> bit) & 0xffff);
    return (vec)_mm256_cvtph_ps(_mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1)));
}
INLINE ivec nearest(vec x) { return (ivec)_mm256_cvtps_epi32((__m256)x); }
INLINE vec size(vec x) { return (vec)((uvec)x & 0x7fffffff); }
INLINE vec larger(vec x, vec y) { return (vec)_mm256_max_ps((__m256)x, (__m256)y); }
INLINE float largest(vec x) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128((__m256)x), _mm256_extractf128_ps((__m256)x, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}
INLINE int sum_of(ivec x) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128((__m256i)x), _mm256_extracti128_si256((__m256i)x, 1));
    four = _mm_hadd_epi32(four, four);
    return _mm_cvtsi128_si32(_mm_hadd_epi32(four, four));
}

#ifdef __AVXVNNI__
INLINE ivec add_four(ivec sum, ivec w, ivec x) {
    return (ivec)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)w, (__m256i)x);
}
enum { LARGEST = 255 };
#else
INLINE ivec add_four(ivec sum, ivec w, ivec x) {
    __m256i two = _mm256_maddubs_epi16((__m256i)w, (__m256i)x); /* sums of two columns, which must fit 16 bits */
    return sum + (ivec)_mm256_madd_epi16(two, _mm256_set1_epi16(1));
}
enum { LARGEST = 128 };
#endif
#endif

/* ---- unpacking ------------------------------------------------------------------------------------------------- */

/* The first four integers of all rows, integer by integer. */
INLINE void four_columns(const uint8_t *row, size_t stride, ivec out[4]) {
    ivec in[4];
    for (size_t i = 0; i < 4; i++) in[i] = every_fourth(row + i * stride, stride);
    ivec a = OF(unpacklo_epi32, in[0], in[1]), b = OF(unpacklo_epi32, in[2], in[3]);
    ivec c = OF(unpackhi_epi32, in[0], in[1]), d = OF(unpackhi_epi32, in[2], in[3]);
    out[0] = OF(unpacklo_epi64, a, b), out[1] = OF(unpackhi_epi64, a, b);
    out[2] = OF(unpacklo_epi64, c, d), out[3] = OF(unpackhi_epi64, c, d);
}

INLINE void eight_columns(const uint8_t *row, size_t stride, ivec out[8]) {
    four_columns(row, stride, out);
    four_columns(row + 16, stride, out + 4);
}

/* An integer of each row, at the same place in all. */
INLINE ivec one_column(const uint8_t *row, size_t stride) {
    ivec x;
    for (size_t i = 0; i < LANES; i++) memcpy((char *)&x + i * sizeof(int32_t), row + i * stride, sizeof(int32_t));
    return x;
}

INLINE ivec bits(ivec x, int from, int mask) { return (ivec)((uvec)x >> from) & mask; }
INLINE vec times(vec scale, ivec x) { return scale * __builtin_convertvector(x, vec); }
INLINE ivec low(ivec x) { return x & 0x0f0f0f0f; }
INLINE ivec high(ivec x) { return bits(x, 4, 0x0f0f0f0f); }

/* Four bits of every lane, from `bit` on: the fifth bits of the four bytes. */
INLINE ivec fifth(ivec x, int bit) { return (bits(x, bit, 0xf) * 0x204081 & 0x01010101) << 4; }

/* Q4_K and Q5_K begin alike: two halves, and eight scales and offsets of six bits in three integers. */
INLINE void unpack_k_scales(const ivec head[4], struct tile *tile) {
    vec d = half_at(head[0], 0), least = half_at(head[0], 16);
    for (int j = 0; j < 4; j++) {
        tile->scale[j] = times(d, bits(head[1], 8 * j, 63));
        tile->offset[j] = times(least, bits(head[2], 8 * j, 63));
        tile->scale[j + 4] = times(d, bits(head[3], 8 * j, 15) | bits(head[1], 8 * j + 6, 3) << 4);
        tile->offset[j + 4] = times(least, bits(head[3], 8 * j + 4, 15) | bits(head[2], 8 * j + 6, 3) << 4);
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
            ivec *a = &tile->q[16 * j + i], *b = a + 8;
            *a = low(four[i]), *b = high(four[i]);
            if (!five) continue;
            *a |= bits(fifths[i], 2 * j, 0x01010101) << 4;
            *b |= bits(fifths[i], 2 * j + 1, 0x01010101) << 4;
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
            q[i] = low(a[i]) | (u << 4 & two);
            q[8 + i] = low(b[i]) | (u << 2 & two);
            q[16 + i] = high(a[i]) | (u & two);
            q[24 + i] = high(b[i]) | bits(u, 2, two);
        }
    }
    four_columns(block + 192, stride, scales);
    vec d = half_at(one_column(block + 206, stride), 16);
    for (int i = 0; i < 16; i++) tile->scale[i] = times(d, scales[i / 4] << (24 - 8 * (i % 4)) >> 24);
}

static void unpack_q8_0(const uint8_t *block, size_t stride, int groups, struct tile *tile) {
    for (int j = 0; j < groups; j++, block += 34) {
        tile->scale[j] = half_at(one_column(block, stride), 0);
        eight_columns(block + 2, stride, tile->q + 8 * j);
        for (int i = 0; i < 8; i++) tile->q[8 * j + i] ^= (int)0x80808080;
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
        q[i] |= fifth(fifths, 4 * i);
        q[4 + i] |= fifth(fifths, 16 + 4 * i);
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
        tile->offset[j] = -half_at(head, 16);
        unpack_old(block, stride, tile->q + 8 * j, 4, false);
    }
}

/* ---- formats --------------------------------------------------------------------------------------------------- */

static const struct format {
    enum ggml_type type;
    int columns, bytes; /* of ggml's block */
    int parts;          /* scales of a group: 1 or 2 */
    int zero, largest;  /* the byte that stands for 0 (-1: a group has an offset), and the largest there is */
    void (*unpack)(const uint8_t *block, size_t stride, int groups, struct tile *tile);
} formats[] = {
    {GGML_TYPE_Q4_K, 256, 144, 1, -1, 15, unpack_q4_k}, {GGML_TYPE_Q5_K, 256, 176, 1, -1, 31, unpack_q5_k},
    {GGML_TYPE_Q6_K, 256, 210, 2, 32, 63, unpack_q6_k}, {GGML_TYPE_Q8_0, 32, 34, 1, 128, 255, unpack_q8_0},
    {GGML_TYPE_Q4_0, 32, 18, 1, 8, 15, unpack_q4_0},    {GGML_TYPE_Q4_1, 32, 20, 1, -1, 15, unpack_q4_1},
    {GGML_TYPE_Q5_0, 32, 22, 1, 16, 31, unpack_q5_0},
};

static const struct format *format_of(enum ggml_type type) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].type == type) return &formats[i];
    return NULL;
}

bool matmul_knows(enum ggml_type type, int rows, int columns) {
    const struct format *format = format_of(type);
    return format && format->largest <= LARGEST && rows % ROWS == 0 && columns % format->columns == 0;
}

/* ---- rounding -------------------------------------------------------------------------------------------------- */

static int blocks_of(const struct matmul *m) { return (m->columns + BLOCK - 1) / BLOCK; }
static int groups_in(const struct matmul *m, int block) {
    int left = m->columns / GROUP - block * GROUPS;
    return left < GROUPS ? left : GROUPS;
}

/* The i-th group of `to`. */
INLINE void round_group(const float *x, const struct format *format, struct rounded *to, int i) {
    enum { VECS = GROUP / LANES };
    vec in[VECS], most = each(0);
    ivec finite = all(-1);
    memcpy(in, x, sizeof in);
    for (int v = 0; v < VECS; v++) {
        most = larger(most, size(in[v]));
        finite &= (ivec)(size(in[v]) <= each(FLT_MAX)); /* false of what is no number, which `larger` may drop */
    }
    bool numbers = sum_of(finite) == -LANES;
    float end = numbers ? largest(most) : 0, by = end > 0 ? 127 / end : 0;
    if (!numbers) memset(in, 0, sizeof in);
    int sum[2] = {0};
    for (int v = 0; v < VECS; v++) {
        ivec q = nearest(in[v] * by);
        narrow eight_bits = __builtin_convertvector(q, narrow);
        memcpy(&to->q[i * GROUP + v * LANES], &eight_bits, sizeof eight_bits);
        sum[2 * v / VECS] += sum_of(q);
    }
    to->scale[i] = numbers ? end / 127 : NAN;
    const int parts = format->parts == 2 ? 2 : 1;
    if (parts == 1) sum[0] += sum[1];
    for (int part = 0; part < parts; part++) {
        if (format->zero < 0)
            to->of.sum[i * parts + part] = to->scale[i] * (float)sum[part];
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

/* Row i of out, its first lanes, or those of another tile. */
INLINE void *at(float *out, size_t stride, int i, int tile) {
    return (float *)((char *)out + (size_t)i * stride) + (size_t)tile * LANES; /* not aligned to a vector */
}

/* Adds the products of two tiles with n rows of x to out. */
INLINE void add_products(const struct tile tile[TILES], const struct rounded *x, int groups, float *out, size_t stride,
                         const int n, const int parts, const bool offset) {
    vec total[TILES][AT_ONCE];
    for (int i = 0; i < n; i++)
        for (int t = 0; t < TILES; t++) memcpy(&total[t][i], at(out, stride, i, t), sizeof(vec));
    const int steps = GROUP / STEP / parts;
    for (int g = 0; g < groups * parts; g++) {
        ivec sum[TILES][AT_ONCE];
        for (int i = 0; i < n; i++)
            for (int t = 0; t < TILES; t++) sum[t][i] = all(offset ? 0 : x[i].of.start[g]);
        for (int s = g * steps; s < (g + 1) * steps; s++) {
            for (int i = 0; i < n; i++) {
                int32_t four;
                memcpy(&four, &x[i].q[s * STEP], sizeof four);
                for (int t = 0; t < TILES; t++) sum[t][i] = add_four(sum[t][i], tile[t].q[s], all(four));
            }
        }
        for (int i = 0; i < n; i++) {
            for (int t = 0; t < TILES; t++) {
                total[t][i] += times(tile[t].scale[g] * x[i].scale[g / parts], sum[t][i]);
                if (offset) total[t][i] -= tile[t].offset[g] * x[i].of.sum[g];
            }
        }
    }
    for (int i = 0; i < n; i++)
        for (int t = 0; t < TILES; t++) memcpy(at(out, stride, i, t), &total[t][i], sizeof(vec));
}

/* n as a constant, so that all sums stay in registers. */
INLINE void add_some(const struct tile tile[TILES], const struct rounded *x, int groups, float *out, size_t stride,
                     int n, const int parts, const bool offset) {
    switch (n) {
    case 1: add_products(tile, x, groups, out, stride, 1, parts, offset); break;
    case 2: add_products(tile, x, groups, out, stride, 2, parts, offset); break;
#if WIDE
    case 3: add_products(tile, x, groups, out, stride, 3, parts, offset); break;
    case 4: add_products(tile, x, groups, out, stride, 4, parts, offset); break;
    case 5: add_products(tile, x, groups, out, stride, 5, parts, offset); break;
#endif
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

/* Begins to read the next block of a tile's rows, which is in the second cache by now. */
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
    int strips = m->rows / ROWS;
    for (int strip = strips * thread / threads; strip < strips * (thread + 1) / threads; strip++) {
        int row = strip * ROWS;
        float *out = (float *)m->out + row;
        for (int i = 0; i < m->n; i++) memset((char *)out + (size_t)i * m->out_row, 0, ROWS * sizeof *out);
        for (int block = 0; block < blocks_of(m); block++) {
            for (int t = 0; t < TILES; t++) {
                const char *w = m->w + (size_t)(row + t * LANES) * m->w_row + (size_t)block * block_bytes;
                format->unpack((const uint8_t *)w, m->w_row, groups_in(m, block), &tile[t]);
                fetch_block(w + block_bytes, m->w_row, block_bytes);
            }
            fetch_strip(m->w + (size_t)row * m->w_row, ROWS * m->w_row, block, blocks_of(m));
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
