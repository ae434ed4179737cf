/* attention.c - see attention.h. Each unit of work is a few rows and the heads that share one head of keys and values. It first
 * lists the cells that each row sees; then scores them, key by key, for all its heads at once; then turns scores into weights;
 * then adds up values. Cells are passed in pieces, so that rows which see the same cells find them in the processor's cache.
 * All sums are in binary32.
 * It must not know llama.cpp, nor ggml. */
#include "model/local/attention.h"

#include <math.h>
#include <string.h>

#if defined(__AVX512F__) || defined(__F16C__)
#include <immintrin.h>

enum { UNIT_ROWS = 8, PIECE = 128 };
#ifdef __AVX512F__
enum { WIDTH = 16, UNIT_HEADS = 8 }; /* 32 registers */
#else
enum { WIDTH = 8, UNIT_HEADS = 4 }; /* 16 */
#endif

typedef float vec __attribute__((vector_size(WIDTH * 4), may_alias));
typedef uint32_t uvec __attribute__((vector_size(WIDTH * 4), may_alias));
typedef int32_t ivec __attribute__((vector_size(WIDTH * 4), may_alias));
#define INLINE static inline __attribute__((always_inline))

/* ---- vectors --------------------------------------------------------------------------------------------------- */

INLINE vec load(const half *from) {
#ifdef __AVX512F__
    return (vec)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)from));
#else
    return (vec)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from));
#endif
}

/* The i-th vector of n numbers; zeros behind the last. */
INLINE vec load_of(const half *from, int i, int n) {
    if ((i + 1) * WIDTH <= n) return load(from + i * WIDTH);
    half rest[WIDTH] = {0};
    memcpy(rest, from + i * WIDTH, (size_t)(n - i * WIDTH) * sizeof *rest);
    return load(rest);
}

INLINE vec all(float x) { return x - (vec){0}; }

INLINE float sum(vec x) {
#ifdef __AVX512F__
    return _mm512_reduce_add_ps((__m512)x);
#else
    __m128 half_sum = _mm_add_ps(_mm256_castps256_ps128((__m256)x), _mm256_extractf128_ps((__m256)x, 1));
    half_sum = _mm_add_ps(half_sum, _mm_movehl_ps(half_sum, half_sum));
    return _mm_cvtss_f32(_mm_add_ss(half_sum, _mm_movehdup_ps(half_sum)));
#endif
}

static float number(half x) { return _cvtsh_ss(x); }

/* exp(x) for x <= 0: 2^n exp(r) with |r| <= ln(2)/2, and the exponential series up to r^7, whose rest is below 1e-8. */
INLINE vec exponential(vec x) {
    const float shift = 12582912; /* 1.5 * 2^23: adding it rounds to a whole number, which the lowest bits then hold */
    ivec visible = x > -87.0F;
    vec shifted = x * 1.44269504F + shift, n = shifted - shift;
    vec r = x - n * 0.693145752F - n * 1.42860677e-6F; /* ln(2) in two parts, of which n times the first is exact */
    vec series = all(1.0F / 5040);
    series = series * r + 1.0F / 720;
    series = series * r + 1.0F / 120;
    series = series * r + 1.0F / 24;
    series = series * r + 1.0F / 6;
    series = series * r + 0.5F;
    series = series * r + 1;
    series = series * r + 1;
    uvec power = ((uvec)shifted << 23) + 0x3f800000; /* 2^n */
    return (vec)((ivec)(series * (vec)power) & visible);
}

/* ---- one unit -------------------------------------------------------------------------------------------------- */

struct unit {
    const struct attention *of;
    int row, rows, head, heads, kv_head;
    int key_vecs, value_vecs, stride; /* of scores: no power of two, or all heads' would lie in one set of the cache */
    int n[UNIT_ROWS];                 /* cells that a row sees */
    int *cell;                        /* [rows][cells] */
    float *q;                         /* [rows][heads][key_vecs * WIDTH], scaled */
    float *score;                     /* [rows][heads][stride], then weights */
    float *out;                       /* [rows][heads][value_vecs * WIDTH] */
};

static int vecs(int n) { return (n + WIDTH - 1) / WIDTH; }
static int *cells_of(const struct unit *unit, int row) { return unit->cell + (size_t)row * (size_t)unit->of->cells; }
static float *scores_of(const struct unit *unit, int row, int head) {
    return unit->score + (size_t)(row * UNIT_HEADS + head) * (size_t)unit->stride;
}
static float *query_of(const struct unit *unit, int row) {
    return unit->q + (size_t)row * UNIT_HEADS * (size_t)(unit->key_vecs * WIDTH);
}
static float *out_of(const struct unit *unit, int row) {
    return unit->out + (size_t)row * UNIT_HEADS * (size_t)(unit->value_vecs * WIDTH);
}
static const half *mask_of(const struct unit *unit, int row) {
    return (const half *)(unit->of->mask + (size_t)(unit->row + row) * unit->of->mask_row);
}

/* The cells that a row sees, in order. */
static int list_cells(const half *mask, int cells, int *list) {
    const half hidden = 0xfc00; /* -inf */
    const uint64_t four = UINT64_C(0xfc00fc00fc00fc00);
    int n = 0;
    for (int i = 0; i < cells; i++) {
        uint64_t next;
        while (i + 4 <= cells && (memcpy(&next, mask + i, sizeof next), next == four)) i += 4;
        if (i < cells && mask[i] != hidden) list[n++] = i;
    }
    return n;
}

static void take_queries(const struct unit *unit) {
    const struct attention *of = unit->of;
    float scale = of->softcap > 0 ? of->scale / of->softcap : of->scale;
    for (int r = 0; r < unit->rows; r++) {
        for (int h = 0; h < unit->heads; h++) {
            const float *from =
                (const float *)(of->q + (size_t)(unit->head + h) * of->q_head + (size_t)(unit->row + r) * of->q_row);
            float *to = query_of(unit, r) + (size_t)h * (size_t)(unit->key_vecs * WIDTH);
            for (int i = 0; i < of->key_size; i++) to[i] = scale * from[i];
            for (int i = of->key_size; i < unit->key_vecs * WIDTH; i++) to[i] = 0;
        }
    }
}

/* Scores of a row's cells `from` to `to` of its list. */
INLINE void score_cells(const struct unit *unit, int row, int from, int to, const int heads) {
    const struct attention *of = unit->of;
    const char *keys = of->k + (size_t)unit->kv_head * of->k_head;
    const int *cell = cells_of(unit, row);
    const vec *q = (const vec *)query_of(unit, row);
    float *score = scores_of(unit, row, 0);
    for (int i = from; i < to; i++) {
        const half *key = (const half *)(keys + (size_t)cell[i] * of->k_cell);
        if (i + 1 < unit->n[row])
            for (int d = 0; d < of->key_size; d += 32)
                __builtin_prefetch(keys + (size_t)cell[i + 1] * of->k_cell + (size_t)d * 2);
        vec sums[UNIT_HEADS] = {0};
        for (int d = 0; d < unit->key_vecs; d++) {
            vec k = load_of(key, d, of->key_size);
            for (int h = 0; h < heads; h++) sums[h] += k * q[h * unit->key_vecs + d];
        }
        for (int h = 0; h < heads; h++) score[(size_t)h * (size_t)unit->stride + (size_t)i] = sum(sums[h]);
    }
}

/* Adds a row's values of the cells `from` to `to` of its list, by their weights: two vectors of each head at a time. */
INLINE void add_values(const struct unit *unit, int row, int from, int to, const int heads) {
    const struct attention *of = unit->of;
    const char *values = of->v + (size_t)unit->kv_head * of->v_head;
    const int *cell = cells_of(unit, row);
    const float *weight = scores_of(unit, row, 0);
    vec *out = (vec *)out_of(unit, row);
    for (int d = 0; d < unit->value_vecs; d += 2) {
        bool both = d + 1 < unit->value_vecs;
        vec sums[UNIT_HEADS][2];
        for (int h = 0; h < heads; h++) {
            sums[h][0] = out[h * unit->value_vecs + d];
            sums[h][1] = both ? out[h * unit->value_vecs + d + 1] : all(0);
        }
        for (int i = from; i < to; i++) {
            const half *value = (const half *)(values + (size_t)cell[i] * of->v_cell);
            vec v0 = load_of(value, d, of->value_size), v1 = both ? load_of(value, d + 1, of->value_size) : all(0);
            for (int h = 0; h < heads; h++) {
                float w = weight[(size_t)h * (size_t)unit->stride + (size_t)i];
                sums[h][0] += v0 * w;
                sums[h][1] += v1 * w;
            }
        }
        for (int h = 0; h < heads; h++) {
            out[h * unit->value_vecs + d] = sums[h][0];
            if (both) out[h * unit->value_vecs + d + 1] = sums[h][1];
        }
    }
}

/* The number of heads as a constant, so that the sums of all of them stay in registers. */
#define FOR_HEADS(heads, call) \
    switch (heads) {           \
    case 1: call(1); break;    \
    case 2: call(2); break;    \
    case 3: call(3); break;    \
    case 4: call(4); break;    \
    case 5: call(5); break;    \
    case 6: call(6); break;    \
    case 7: call(7); break;    \
    default: call(8); break;   \
    }

static void score_piece(const struct unit *unit, int row, int from, int to) {
#define CALL(heads) score_cells(unit, row, from, to, (heads) < UNIT_HEADS ? (heads) : UNIT_HEADS)
    FOR_HEADS(unit->heads, CALL)
#undef CALL
}

static void add_piece(const struct unit *unit, int row, int from, int to){
#define CALL(heads) add_values(unit, row, from, to, (heads) < UNIT_HEADS ? (heads) : UNIT_HEADS)
    FOR_HEADS(unit->heads, CALL)
#undef CALL
}

/* Calls `piece` for each row's cells of one piece of the cache after the other. */
INLINE void in_pieces(const struct unit *unit, void (*piece)(const struct unit *, int, int, int)) {
    int at[UNIT_ROWS] = {0};
    for (int end = PIECE; end < unit->of->cells + PIECE; end += PIECE) {
        for (int r = 0; r < unit->rows; r++) {
            const int *cell = cells_of(unit, r);
            int from = at[r];
            while (at[r] < unit->n[r] && cell[at[r]] < end) at[r]++;
            if (at[r] > from) piece(unit, r, from, at[r]);
        }
    }
}

/* The slope of a head (Press et al. 2022, section 3: powers of 2^(-8/n) for n heads, with the next ones between them where n
 * is no power of two). */
static float slope_of(const struct attention *of, int head) {
    if (of->max_bias <= 0) return 1;
    int power = 1;
    while (2 * power <= of->heads) power *= 2;
    float exponent =
        head < power ? (float)(head + 1) / (float)power : ((float)(2 * (head - power)) + 1) / (float)(2 * power);
    return exp2f(-of->max_bias * exponent);
}

/* Adds the mask, and turns scores into weights. */
static void weigh(const struct unit *unit, int row, int head) {
    const struct attention *of = unit->of;
    int n = unit->n[row];
    float *score = scores_of(unit, row, head);
    const int *cell = cells_of(unit, row);
    const half *mask = mask_of(unit, row);
    float slope = slope_of(of, unit->head + head);
    float most = of->sinks ? of->sinks[unit->head + head] : -INFINITY;
    for (int i = 0; i < n; i++) {
        if (of->softcap > 0) score[i] = of->softcap * tanhf(score[i]);
        if (mask[cell[i]]) score[i] += slope * number(mask[cell[i]]);
        if (score[i] > most) most = score[i];
    }
    float total = of->sinks ? expf(of->sinks[unit->head + head] - most) : 0;
    vec totals = all(0);
    for (int i = n; i < vecs(n) * WIDTH; i++) score[i] = -INFINITY; /* up to a whole vector */
    for (int i = 0; i < n; i += WIDTH) {
        vec *at = (vec *)(score + i);
        *at = exponential(*at - most);
        totals += *at;
    }
    total += sum(totals);
    for (int i = 0; i < n; i += WIDTH) *(vec *)(score + i) /= total;
}

static void compute_unit(struct unit *unit) {
    const struct attention *of = unit->of;
    for (int r = 0; r < unit->rows; r++) unit->n[r] = list_cells(mask_of(unit, r), of->cells, cells_of(unit, r));
    take_queries(unit);
    memset(unit->out, 0, (size_t)(unit->rows * UNIT_HEADS * unit->value_vecs * WIDTH) * sizeof *unit->out);
    in_pieces(unit, score_piece);
    for (int r = 0; r < unit->rows; r++)
        for (int h = 0; h < unit->heads; h++) weigh(unit, r, h);
    in_pieces(unit, add_piece);
    for (int r = 0; r < unit->rows; r++) {
        for (int h = 0; h < unit->heads; h++) {
            const float *from = out_of(unit, r) + (size_t)h * (size_t)(unit->value_vecs * WIDTH);
            float *to =
                (float *)(of->out + (size_t)(unit->row + r) * of->out_row + (size_t)(unit->head + h) * of->out_head);
            memcpy(to, from, (size_t)of->value_size * sizeof *to);
        }
    }
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

bool attention_available(void) { return true; }

static size_t in_lines(size_t bytes) { return (bytes + 63) / 64 * 64; }

enum array { CELLS, QUERIES, SCORES, OUT, ARRAYS };

static struct unit unit_of(const struct attention *of) {
    return (struct unit){.of = of,
                         .key_vecs = vecs(of->key_size),
                         .value_vecs = vecs(of->value_size),
                         .stride = vecs(of->cells) * WIDTH + 16};
}

/* Where a unit's arrays begin in the scratch memory; behind the last one, its end. */
static void lay_out(const struct unit *unit, size_t at[ARRAYS + 1]) {
    size_t rows = UNIT_ROWS, lists = rows * UNIT_HEADS;
    at[CELLS] = 0;
    at[QUERIES] = at[CELLS] + in_lines(rows * (size_t)unit->of->cells * sizeof(int));
    at[SCORES] = at[QUERIES] + in_lines(lists * (size_t)(unit->key_vecs * WIDTH) * sizeof(float));
    at[OUT] = at[SCORES] + in_lines(lists * (size_t)unit->stride * sizeof(float));
    at[ARRAYS] = at[OUT] + in_lines(lists * (size_t)(unit->value_vecs * WIDTH) * sizeof(float));
}

size_t attention_scratch(const struct attention *attention) {
    const struct unit unit = unit_of(attention);
    size_t at[ARRAYS + 1];
    lay_out(&unit, at);
    return at[ARRAYS];
}

/* How the work is cut into units: so many rows each, and a key's heads into so many parts. */
struct shares {
    int rows, parts;
};

static int count_units(const struct attention *of, struct shares by) {
    return (of->rows + by.rows - 1) / by.rows * of->kv_heads * by.parts;
}

/* Smaller ones where there would be fewer than threads. */
static struct shares shares_for(const struct attention *of, int threads) {
    int group = of->heads / of->kv_heads;
    struct shares by = {UNIT_ROWS, (group + UNIT_HEADS - 1) / UNIT_HEADS};
    while (by.rows > 1 && count_units(of, by) < threads) by.rows /= 2;
    while (by.parts < group && count_units(of, by) < threads) by.parts++;
    return by;
}

void attention_compute(const struct attention *of, int thread, int threads, void *scratch) {
    struct unit unit = unit_of(of);
    size_t at[ARRAYS + 1];
    lay_out(&unit, at);
    unit.cell = (int *)scratch + at[CELLS] / sizeof(int);
    unit.q = (float *)scratch + at[QUERIES] / sizeof(float);
    unit.score = (float *)scratch + at[SCORES] / sizeof(float);
    unit.out = (float *)scratch + at[OUT] / sizeof(float);
    const struct shares by = shares_for(of, threads);
    int group = of->heads / of->kv_heads;
    for (int i = thread; i < count_units(of, by); i += threads) {
        int part = i / of->kv_heads % by.parts;
        int first = part * group / by.parts, end = (part + 1) * group / by.parts;
        unit.kv_head = i % of->kv_heads;
        unit.head = unit.kv_head * group + first;
        unit.heads = end - first;
        unit.row = i / of->kv_heads / by.parts * by.rows;
        unit.rows = of->rows - unit.row < by.rows ? of->rows - unit.row : by.rows;
        compute_unit(&unit);
    }
}

#else

bool attention_available(void) { return false; }
size_t attention_scratch(const struct attention *attention) { return (void)attention, 0; }
void attention_compute(const struct attention *attention, int thread, int threads, void *scratch) {
    (void)attention, (void)thread, (void)threads, (void)scratch;
}

#endif
