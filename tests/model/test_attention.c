/* test_attention.c - attention over the cells that rows see, against the definition written out in double precision over all
 * cells: heads that share keys, sizes that fill no vector, scattered cells, rows that see nothing, masks with values, sinks,
 * capped scores, slopes; however many threads share the work. Then as ggml's device: the same from a graph's tensors, and what
 * engines compute with. attention_compute, which the linker puts this file's in front of, is counted. */
#include "tiny.h"

#include "model/local/attention.h"
#include "model/local/local.h"

#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static atomic_int computed;
void __real_attention_compute(const struct attention *attention, int thread, int threads, void *memory);
void __wrap_attention_compute(const struct attention *attention, int thread, int threads, void *memory);
void __wrap_attention_compute(const struct attention *attention, int thread, int threads, void *memory) {
    computed++;
    __real_attention_compute(attention, thread, threads, memory);
}

struct shape {
    int rows, cells, heads, kv_heads, key_size, value_size;
    float softcap, max_bias;
    bool sinks, texts; /* texts: each row sees the cells of one text, as in a lane; else any */
};

struct data {
    struct attention attention;
    float *q, *out, *expected, *sinks;
    half *k, *v, *mask;
};

static float *floats(struct rng *rng, size_t n) {
    float *x = calloc(n + 1, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (float)(4 * rng_uniform(rng) - 2);
    return x;
}

static half *halves(struct rng *rng, size_t n) {
    float *x = floats(rng, n);
    half *h = malloc((n + 1) * sizeof *h);
    ggml_cpu_fp32_to_fp16(x, h, (int64_t)n);
    free(x);
    return h;
}

static double number(half h) {
    float x;
    ggml_cpu_fp16_to_fp32(&h, &x, 1);
    return x;
}

/* What is in these cells is no number, and no row sees them: they are not visited. */
static bool unseen(int cell) { return cell % 11 == 5; }

static half *make_mask(struct rng *rng, const struct shape *s) {
    half *mask = halves(rng, (size_t)s->rows * (size_t)s->cells);
    for (int r = 0; r < s->rows; r++) {
        for (int c = 0; c < s->cells; c++) {
            half *at = &mask[(size_t)r * (size_t)s->cells + (size_t)c];
            bool sees = s->texts ? c < 40 || c % 7 == r % 7 : rng_uniform(rng) < 0.3;
            if (r == 2 || unseen(c) || !sees)
                *at = 0xfc00; /* row 2 sees nothing */
            else if (s->max_bias == 0 && s->texts)
                *at = 0;
        }
    }
    return mask;
}

/* q and out lie as llama.cpp lays them: a row's heads one behind the other. Keys and values of a cell, too. */
static struct data make(struct rng *rng, const struct shape *s) {
    size_t rows = (size_t)s->rows, cells = (size_t)s->cells, heads = (size_t)s->heads, shared = (size_t)s->kv_heads;
    size_t key = (size_t)s->key_size, value = (size_t)s->value_size;
    struct data d = {.q = floats(rng, rows * heads * key),
                     .out = floats(rng, rows * heads * value),
                     .expected = floats(rng, rows * heads * value),
                     .sinks = floats(rng, heads),
                     .k = halves(rng, cells * shared * key),
                     .v = halves(rng, cells * shared * value),
                     .mask = make_mask(rng, s)};
    for (int c = 0; c < s->cells; c++) {
        if (!unseen(c)) continue;
        memset(&d.k[(size_t)c * shared * key], 0x7f, shared * key * sizeof(half));
        memset(&d.v[(size_t)c * shared * value], 0x7f, shared * value * sizeof(half));
    }
    d.attention = (struct attention){.rows = s->rows,
                                     .cells = s->cells,
                                     .heads = s->heads,
                                     .kv_heads = s->kv_heads,
                                     .key_size = s->key_size,
                                     .value_size = s->value_size,
                                     .q = (const char *)d.q,
                                     .k = (const char *)d.k,
                                     .v = (const char *)d.v,
                                     .mask = (const char *)d.mask,
                                     .out = (char *)d.out,
                                     .sinks = s->sinks ? d.sinks : NULL,
                                     .q_head = key * sizeof(float),
                                     .q_row = heads * key * sizeof(float),
                                     .k_head = key * sizeof(half),
                                     .k_cell = shared * key * sizeof(half),
                                     .v_head = value * sizeof(half),
                                     .v_cell = shared * value * sizeof(half),
                                     .mask_row = cells * sizeof(half),
                                     .out_head = value * sizeof(float),
                                     .out_row = heads * value * sizeof(float),
                                     .scale = 0.3F,
                                     .softcap = s->softcap,
                                     .max_bias = s->max_bias};
    return d;
}

static void release(struct data *d) {
    free(d->q), free(d->out), free(d->expected), free(d->sinks), free(d->k), free(d->v), free(d->mask);
}

/* ---- the definition ---------------------------------------------------------------------------------------------- */

/* ALiBi's slopes for 8 heads and a bias of 8 are 1/2, 1/4 ...; for 12, every second one of 16 heads' behind those. */
static double slope(const struct shape *s, int head) {
    int power = s->heads >= 8 ? 8 : 1;
    if (s->max_bias == 0) return 1;
    return head < power ? pow(2, -s->max_bias * (head + 1) / power)
                        : pow(2, -s->max_bias * (2 * (head - power) + 1) / (2.0 * power));
}

static double score(const struct shape *s, const struct data *d, int row, int head, int cell) {
    int shared = head / (s->heads / s->kv_heads);
    double sum = 0;
    for (int i = 0; i < s->key_size; i++)
        sum += (double)d->q[(row * s->heads + head) * s->key_size + i] *
               number(d->k[(cell * s->kv_heads + shared) * s->key_size + i]);
    sum *= 0.3;
    if (s->softcap > 0) sum = s->softcap * tanh(sum / s->softcap);
    return sum + slope(s, head) * number(d->mask[row * s->cells + cell]);
}

static void define(const struct shape *s, struct data *d) {
    for (int r = 0; r < s->rows; r++) {
        for (int h = 0; h < s->heads; h++) {
            int shared = h / (s->heads / s->kv_heads);
            double total = s->sinks ? exp((double)d->sinks[h]) : 0, *sums = calloc((size_t)s->value_size, sizeof *sums);
            for (int c = 0; c < s->cells; c++) {
                if (unseen(c)) continue;
                double weight = exp(score(s, d, r, h, c));
                total += weight;
                for (int i = 0; weight > 0 && i < s->value_size; i++)
                    sums[i] += weight * number(d->v[(c * s->kv_heads + shared) * s->value_size + i]);
            }
            for (int i = 0; i < s->value_size; i++)
                d->expected[(r * s->heads + h) * s->value_size + i] = (float)(total > 0 ? sums[i] / total : 0);
            free(sums);
        }
    }
}

/* The largest difference; infinity where there is one that is no number. */
static double apart(const struct shape *s, const struct data *d) {
    double worst = 0;
    for (int i = 0; i < s->rows * s->heads * s->value_size; i++) {
        double difference = fabs((double)d->out[i] - (double)d->expected[i]);
        if (!(difference <= worst)) worst = isnan(difference) ? INFINITY : difference;
    }
    return worst;
}

static void compute(const struct data *d, int threads) {
    size_t bytes = attention_scratch(&d->attention);
    for (int t = 0; t < threads; t++) {
        void *memory = aligned_alloc(64, bytes);
        memset(memory, 0xff, bytes); /* NaN: what is not written first is seen */
        attention_compute(&d->attention, t, threads, memory);
        free(memory);
    }
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static const struct shape shapes[] = {
    {.rows = 1, .cells = 256, .heads = 12, .kv_heads = 2, .key_size = 128, .value_size = 128, .texts = true},
    {.rows = 21, .cells = 1024, .heads = 14, .kv_heads = 2, .key_size = 64, .value_size = 64, .texts = true},
    {.rows = 9, .cells = 300, .heads = 9, .kv_heads = 3, .key_size = 64, .value_size = 64},
    {.rows = 8, .cells = 64, .heads = 4, .kv_heads = 1, .key_size = 256, .value_size = 256, .softcap = 5},
    {.rows = 17, .cells = 130, .heads = 20, .kv_heads = 1, .key_size = 72, .value_size = 40, .sinks = true},
    {.rows = 5, .cells = 77, .heads = 12, .kv_heads = 12, .key_size = 5, .value_size = 3, .max_bias = 8},
    {.rows = 5, .cells = 77, .heads = 16, .kv_heads = 2, .key_size = 16, .value_size = 17, .sinks = true, .softcap = 2},
    {.rows = 3, .cells = 1, .heads = 1, .kv_heads = 1, .key_size = 33, .value_size = 1, .texts = true},
    {.rows = 64, .cells = 512, .heads = 11, .kv_heads = 1, .key_size = 96, .value_size = 80, .texts = true},
};

static void definition(void **state) {
    (void)state;
    if (!attention_available()) skip();
    struct rng rng;
    rng_init(&rng, 1);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct data d = make(&rng, &shapes[i]);
        define(&shapes[i], &d);
        for (int threads = 1; threads < 100; threads *= 5) {
            memset(d.out, 0xff, sizeof(float) * (size_t)(shapes[i].rows * shapes[i].heads * shapes[i].value_size));
            compute(&d, threads);
            if (!(apart(&shapes[i], &d) < 1e-5))
                fail_msg("shape %zu, %d threads: apart by %g", i, threads, apart(&shapes[i], &d));
        }
        release(&d);
    }
}

/* Scores around 100, whose exponentials are no floats. */
static void large_scores(void **state) {
    (void)state;
    if (!attention_available()) skip();
    struct rng rng;
    rng_init(&rng, 2);
    struct shape s = {.rows = 9, .cells = 200, .heads = 2, .kv_heads = 1, .key_size = 64, .value_size = 64};
    struct data d = make(&rng, &s);
    for (int i = 0; i < s.rows * s.heads * s.key_size; i++) d.q[i] *= 10;
    define(&s, &d);
    compute(&d, 1);
    assert_true(apart(&s, &d) < 1e-4);
    release(&d);
}

/* ---- as a device of ggml ----------------------------------------------------------------------------------------- */

/* A tensor of these sizes whose memory is `data`, seen with its second and third dimension swapped, as llama.cpp has them. */
static struct ggml_tensor *seen(struct ggml_context *ctx, enum ggml_type type, int a, int b, int c, void *data) {
    struct ggml_tensor *tensor = ggml_new_tensor_3d(ctx, type, a, b, c);
    tensor->data = data;
    return ggml_permute(ctx, tensor, 0, 2, 1, 3);
}

static void as_a_device(void **state) {
    (void)state;
    accelerator_begin();
    if (!attention_available()) skip();
    accelerator_begin(); /* once more is nothing */
    ggml_backend_t backend = ggml_backend_init_by_name("cord-attention", NULL);
    assert_non_null(backend);
    struct rng rng;
    rng_init(&rng, 3);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct shape *s = &shapes[i];
        struct data d = make(&rng, s);
        define(s, &d);
        struct ggml_init_params params = {.mem_size = 1 << 20, .no_alloc = true};
        struct ggml_context *ctx = ggml_init(params);
        struct ggml_tensor *mask = ggml_new_tensor_2d(ctx, GGML_TYPE_F16, s->cells, s->rows);
        mask->data = d.mask;
        struct ggml_tensor *op = ggml_flash_attn_ext(
            ctx, seen(ctx, GGML_TYPE_F32, s->key_size, s->heads, s->rows, d.q),
            seen(ctx, GGML_TYPE_F16, s->key_size, s->kv_heads, s->cells, d.k),
            seen(ctx, GGML_TYPE_F16, s->value_size, s->kv_heads, s->cells, d.v), mask, 0.3F, s->max_bias, s->softcap);
        struct ggml_tensor *sinks = ggml_new_tensor_1d(ctx, GGML_TYPE_F32, s->heads);
        sinks->data = d.sinks;
        if (s->sinks) ggml_flash_attn_ext_add_sinks(op, sinks);
        op->data = d.out;
        struct ggml_cgraph *graph = ggml_new_graph(ctx);
        ggml_build_forward_expand(graph, op);
        assert_true(ggml_backend_supports_op(backend, op));
        assert_int_equal(ggml_backend_graph_compute(backend, graph), GGML_STATUS_SUCCESS);
        if (!(apart(s, &d) < 1e-5)) fail_msg("shape %zu: apart by %g", i, apart(s, &d));
        ggml_free(ctx);
        release(&d);
    }
    ggml_backend_free(backend);
}

/* What it does not know it leaves to the CPU: all other operations, and keys that are no binary16. */
static void what_it_takes(void **state) {
    (void)state;
    if (!attention_available()) skip();
    ggml_backend_dev_t device = ggml_backend_dev_by_name("cord-attention");
    struct ggml_init_params params = {.mem_size = 1 << 20, .no_alloc = true};
    struct ggml_context *ctx = ggml_init(params);
    struct ggml_tensor *q = ggml_new_tensor_3d(ctx, GGML_TYPE_F32, 64, 8, 4);
    struct ggml_tensor *k = ggml_new_tensor_3d(ctx, GGML_TYPE_F16, 64, 256, 2),
                       *other = ggml_new_tensor_3d(ctx, GGML_TYPE_Q8_0, 64, 256, 2);
    struct ggml_tensor *mask = ggml_new_tensor_2d(ctx, GGML_TYPE_F16, 256, 8);
    assert_true(ggml_backend_dev_supports_op(device, ggml_flash_attn_ext(ctx, q, k, k, mask, 1, 0, 0)));
    assert_false(ggml_backend_dev_supports_op(device, ggml_flash_attn_ext(ctx, q, other, k, mask, 1, 0, 0)));
    assert_false(ggml_backend_dev_supports_op(device, ggml_flash_attn_ext(ctx, q, k, other, mask, 1, 0, 0)));
    assert_false(ggml_backend_dev_supports_op(device, ggml_flash_attn_ext(ctx, q, k, k, NULL, 1, 0, 0)));
    assert_false(ggml_backend_dev_supports_op(device, ggml_mul_mat(ctx, k, q)));
    ggml_free(ctx);
}

/* An engine computes with it; the search's own numbers are compared with llama.cpp's in test_engine.c and others. */
static void in_an_engine(void **state) {
    (void)state;
    if (!attention_available()) skip();
    char path[64];
    tiny_write(TINY_LLAMA, path);
    const cord_engine_options with = {.threads = 2};
    const cord_model_options options = {.path = path, .name = "tiny", .context = TINY_CONTEXT};
    cord_engine *engine;
    cord_model *model;
    assert_ok(cord_engine_open(&with, &engine, err));
    assert_ok(cord_model_open(engine, &options, &model, err));
    unlink(path);
    cord_span prompt = {TEXT("Question. "), false};
    cord_scoring s = {.model = model,
                      .prompt = &prompt,
                      .n_spans = 1,
                      .reasoning = TEXT("3 + 4 is"),
                      .target = {TEXT(" 7"), false},
                      .group = 1};
    computed = 0;
    assert_ok(cord_score(engine, &s, 1, err));
    assert_int_equal(s.error.code, CORD_OK);
    assert_true(computed > 0 || !accelerator_used());
    cord_scoring_release(&s);
    cord_engine_close(engine);
}

int main(void) {
    ggml_cpu_init(); /* ggml's own conversions look into a table */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definition),    cmocka_unit_test(large_scores), cmocka_unit_test(as_a_device),
        cmocka_unit_test(what_it_takes), cmocka_unit_test(in_an_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
