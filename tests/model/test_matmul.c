/* test_matmul.c - products with quantised weights, against ggml's own reading of the formats and sums in double precision: every
 * format, sizes that fill no block, rows of x that fill no group of sums, however many threads share the work. Where x is such
 * that its rounding to bytes is exact the products are, too; else they are within what that rounding can do. Then as ggml's
 * device: the same from a graph's tensors, what it takes, and what engines compute with. matmul_compute, which the linker puts
 * this file's in front of, is counted. */
#include "tiny.h"

#include "model/local/local.h"
#include "model/local/matmul.h"

#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static atomic_int computed;
static bool wrong; /* whether products are off on purpose */
void __real_matmul_compute(const struct matmul *matmul, int thread, int threads, void *memory);
void __wrap_matmul_compute(const struct matmul *matmul, int thread, int threads, void *memory);
void __wrap_matmul_compute(const struct matmul *matmul, int thread, int threads, void *memory) {
    computed++;
    __real_matmul_compute(matmul, thread, threads, memory);
    for (int i = 0; wrong && thread == threads - 1 && i < matmul->n; i++) /* whose part is never nothing */
        ((float *)(matmul->out + (size_t)i * matmul->out_row))[matmul->rows - 1] += 1;
}

static const enum ggml_type types[] = {GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0, GGML_TYPE_Q8_0,
                                       GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K};
enum { TYPES = sizeof types / sizeof *types, PAD = 3 }; /* floats behind each row of x and out */

struct data {
    struct matmul matmul;
    float *weights; /* what the quantised ones stand for */
    float *x, *out;
    void *w;
};

/* Any numbers, some far larger; or, where `exact`, whole ones up to 127, which is among every 32. */
static float *make_x(struct rng *rng, int n, int columns, bool exact) {
    float *x = calloc((size_t)n * (size_t)(columns + PAD), sizeof *x);
    for (int i = 0; i < n * (columns + PAD); i++) {
        int column = i % (columns + PAD);
        if (exact)
            x[i] = column % 32 == 7 ? -127 : rintf((float)(254 * rng_uniform(rng) - 127));
        else
            x[i] = (float)(2 * rng_uniform(rng) - 1) * (i % 53 ? 1 : 20);
    }
    return x;
}

static struct data make(struct rng *rng, enum ggml_type type, int rows, int columns, int n, bool exact) {
    size_t bytes = ggml_row_size(type, columns), values = (size_t)rows * (size_t)columns;
    struct data d = {.weights = malloc(values * sizeof *d.weights),
                     .x = make_x(rng, n, columns, exact),
                     .out = malloc((size_t)n * (size_t)(rows + PAD) * sizeof *d.out),
                     .w = malloc((size_t)rows * bytes)};
    for (size_t i = 0; i < values; i++) d.weights[i] = (float)(2 * rng_uniform(rng) - 0.9) * (i % 37 ? 1 : 4);
    ggml_quantize_chunk(type, d.weights, d.w, 0, rows, columns, NULL);
    for (int r = 0; r < rows; r++)
        ggml_get_type_traits(type)->to_float((char *)d.w + (size_t)r * bytes, d.weights + r * columns, columns);
    d.matmul = (struct matmul){.type = type,
                               .rows = rows,
                               .columns = columns,
                               .n = n,
                               .w = d.w,
                               .x = (char *)d.x,
                               .out = (char *)d.out,
                               .w_row = bytes,
                               .x_row = (size_t)(columns + PAD) * sizeof(float),
                               .out_row = (size_t)(rows + PAD) * sizeof(float)};
    return d;
}

static void release(struct data *d) { free(d->weights), free(d->x), free(d->out), free(d->w); }

static void compute(const struct data *d, int threads) {
    const struct matmul *m = &d->matmul;
    size_t bytes = matmul_scratch(m, threads);
    void *memory = aligned_alloc(64, bytes);
    memset(memory, 0xff, bytes); /* NaN: what is not written first is seen */
    memset(d->out, 0xff, (size_t)m->n * m->out_row);
    for (int t = 0; t < threads; t++) matmul_round(m, t, threads, memory);
    for (int t = 0; t < threads; t++) matmul_compute(m, t, threads, memory);
    free(memory);
}

/* What rounding x to bytes can do to a sum at most: each x is off by half a step, a 127th of the largest of its 32. */
static double slack(const float *w, const float *x, int columns) {
    double sum = 0;
    for (int g = 0; g < columns; g += 32) {
        double most = 0, weights = 0;
        for (int i = g; i < g + 32; i++) most = fmax(most, fabs((double)x[i])), weights += fabs((double)w[i]);
        sum += weights * most / 127 / 2;
    }
    return sum;
}

/* By how much a product is off, over what it may be: x's rounding, where it is not exact, and that of sums in binary32. */
static double worst(const struct data *d, bool exact) {
    const struct matmul *m = &d->matmul;
    double most = 0;
    for (int n = 0; n < m->n; n++) {
        const float *x = d->x + n * (m->columns + PAD);
        for (int r = 0; r < m->rows; r++) {
            const float *w = d->weights + r * m->columns;
            double sum = 0, size = 0;
            for (int i = 0; i < m->columns; i++)
                sum += (double)w[i] * (double)x[i], size += fabs((double)w[i] * (double)x[i]);
            double off = fabs(sum - (double)d->out[n * (m->rows + PAD) + r]);
            double share = off == 0 ? 0 : off / (2e-6 * size + (exact ? 0 : slack(w, x, m->columns)));
            if (!(share <= most)) most = isnan(share) ? INFINITY : share;
        }
    }
    return most;
}

/* ---- the product itself ------------------------------------------------------------------------------------------ */

static bool any_known(void) {
    for (int t = 0; t < TYPES; t++)
        if (matmul_knows(types[t], 32, 256)) return true;
    return false;
}

static const struct shape {
    int rows, columns, n;
} shapes[] = {{32, 256, 1},   {96, 512, 5}, {64, 1536, 6}, {32, 768, 7}, {160, 256, 12},
              {32, 2304, 41}, {64, 32, 3},  {32, 288, 2},  {96, 896, 4}, {64, 992, 13}};

static void definition(void **state) {
    (void)state;
    if (!any_known()) skip();
    struct rng rng;
    rng_init(&rng, 1);
    for (int t = 0; t < TYPES; t++) {
        int tried = 0;
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            const struct shape *s = &shapes[i];
            if (!matmul_knows(types[t], s->rows, s->columns)) continue;
            for (int exact = 0; exact < 2; exact++) {
                struct data d = make(&rng, types[t], s->rows, s->columns, s->n, exact);
                for (int threads = 1; threads < 100; threads *= 5) {
                    compute(&d, threads);
                    double w = worst(&d, exact);
                    if (!(w <= 1))
                        fail_msg("%s, %d x %d, n = %d, %d threads, %s: off by %g times what it may be",
                                 ggml_type_name(types[t]), s->rows, s->columns, s->n, threads, exact ? "exact" : "any",
                                 w);
                }
                release(&d);
            }
            tried++;
        }
        print_message("%s: %d shapes\n", ggml_type_name(types[t]), tried);
    }
}

/* A row's products are the same bits, whatever rows are computed beside it. */
static void rows_are_alone(void **state) {
    (void)state;
    if (!any_known()) skip();
    struct rng rng;
    rng_init(&rng, 2);
    for (int t = 0; t < TYPES; t++) {
        if (!matmul_knows(types[t], 64, 512)) continue;
        struct data d = make(&rng, types[t], 64, 512, 17, false);
        compute(&d, 1);
        float *all = malloc(17 * d.matmul.out_row);
        memcpy(all, d.out, 17 * d.matmul.out_row);
        for (int n = 0; n < 17; n++) {
            struct data one = d;
            one.matmul.n = 1;
            one.matmul.x += (size_t)n * d.matmul.x_row;
            compute(&one, 1);
            assert_memory_equal(one.out, (char *)all + (size_t)n * d.matmul.out_row, 64 * sizeof(float));
        }
        free(all);
        release(&d);
    }
}

/* Nothing to scale by: all of a group of x is zero. */
static void zeros(void **state) {
    (void)state;
    if (!any_known()) skip();
    struct rng rng;
    rng_init(&rng, 3);
    for (int t = 0; t < TYPES; t++) {
        if (!matmul_knows(types[t], 32, 512)) continue;
        struct data d = make(&rng, types[t], 32, 512, 3, true);
        memset(d.x, 0, 64 * sizeof(float));                /* two groups of the first row */
        memset(d.x + (512 + PAD), 0, 512 * sizeof(float)); /* the second row */
        compute(&d, 1);
        assert_true(worst(&d, true) <= 1);
        for (int r = 0; r < 32; r++) assert_true(d.out[32 + PAD + r] == 0);
        release(&d);
    }
}

/* What is no number among x stays none: in the whole of its row, and in no other. */
static void no_numbers_are_seen(void **state) {
    (void)state;
    if (!any_known()) skip();
    const float odd[] = {(float)NAN, (float)INFINITY, -(float)INFINITY};
    struct rng rng;
    rng_init(&rng, 4);
    for (int t = 0; t < TYPES; t++)
        for (int at = 0; at < 32; at++) { /* in any place of a group */
            if (!matmul_knows(types[t], 32, 256)) continue;
            struct data d = make(&rng, types[t], 32, 256, 3, false);
            d.x[(256 + PAD) + 64 + at] = odd[at % 3];
            compute(&d, 1);
            for (int row = 0; row < 3; row++)
                for (int r = 0; r < 32; r++) assert_true(isfinite(d.out[row * (32 + PAD) + r]) == (row != 1));
            release(&d);
        }
}

/* ---- as a device of ggml ----------------------------------------------------------------------------------------- */

struct graph {
    struct ggml_context *ctx;
    ggml_backend_buffer_t memory; /* of the weights */
    struct ggml_tensor *w, *x, *op;
};

/* `layers`: x's rows are those of so many matrices, which lie one behind the other. */
static struct graph graph_of(const struct data *d, ggml_backend_buffer_type_t type, int layers) {
    struct ggml_init_params params = {.mem_size = 1 << 20, .no_alloc = true};
    const struct matmul *m = &d->matmul;
    struct graph g = {.ctx = ggml_init(params)};
    g.w = ggml_new_tensor_2d(g.ctx, m->type, m->columns, m->rows);
    g.memory = ggml_backend_alloc_ctx_tensors_from_buft(g.ctx, type);
    ggml_backend_tensor_set(g.w, d->w, 0, ggml_nbytes(g.w));
    struct ggml_tensor *wide =
        ggml_new_tensor_3d(g.ctx, GGML_TYPE_F32, m->x_row / sizeof(float), m->n / layers, layers);
    wide->data = d->x;
    g.x = layers > 1 ? wide : ggml_view_2d(g.ctx, wide, m->columns, m->n, m->x_row, 0);
    g.op = ggml_mul_mat(g.ctx, g.w, g.x);
    g.op->data = d->out;
    if (layers == 1) g.op->nb[1] = m->out_row;
    return g;
}

static void graph_release(struct graph *g) {
    ggml_backend_buffer_free(g->memory);
    ggml_free(g->ctx);
}

static ggml_backend_dev_t device(void) {
    accelerator_begin();
    return ggml_backend_dev_by_name("cord-matmul");
}

static void compute_graph(ggml_backend_t backend, const struct data *d, int layers) {
    struct graph g = graph_of(d, ggml_backend_dev_buffer_type(device()), layers);
    memset(d->out, 0xff, (size_t)d->matmul.n * d->matmul.out_row);
    struct ggml_cgraph *graph = ggml_new_graph(g.ctx);
    ggml_build_forward_expand(graph, g.op);
    assert_true(ggml_backend_supports_op(backend, g.op));
    assert_int_equal(ggml_backend_graph_compute(backend, graph), GGML_STATUS_SUCCESS);
    graph_release(&g);
}

static void as_a_device(void **state) {
    (void)state;
    if (!device() || !any_known()) skip();
    ggml_backend_t backend = ggml_backend_dev_init(device(), NULL);
    struct rng rng;
    rng_init(&rng, 4);
    for (int t = 0; t < TYPES; t++) {
        if (!matmul_knows(types[t], 96, 512)) continue;
        struct data d = make(&rng, types[t], 96, 512, 9, true);
        compute_graph(backend, &d, 1);
        assert_true(worst(&d, true) <= 1);
        release(&d);
    }
    ggml_backend_free(backend);
}

/* As recurrent layers have it: a matrix for each text. */
static void in_layers(void **state) {
    (void)state;
    if (!device() || !matmul_knows(GGML_TYPE_Q5_0, 96, 64)) skip();
    ggml_backend_t backend = ggml_backend_dev_init(device(), NULL);
    struct rng rng;
    rng_init(&rng, 6);
    struct data d = make(&rng, GGML_TYPE_Q5_0, 96, 64, 6, true);
    compute(&d, 1);
    float *expected = malloc(6 * 96 * sizeof *expected);
    for (int n = 0; n < 6; n++) { /* closed up, as such tensors are */
        memcpy(expected + (size_t)(n * 96), d.out + (size_t)(n * (96 + PAD)), 96 * sizeof *expected);
        memmove(d.x + (size_t)(n * 64), d.x + (size_t)(n * (64 + PAD)), 64 * sizeof *d.x);
    }
    d.matmul.x_row = 64 * sizeof(float);
    d.matmul.out_row = 96 * sizeof(float);
    compute_graph(backend, &d, 2);
    assert_memory_equal(d.out, expected, 6 * 96 * sizeof *expected);
    free(expected);
    release(&d);
    ggml_backend_free(backend);
}

/* What it does not know it leaves to the CPU, and all weights that were not loaded for it. */
static void what_it_takes(void **state) {
    (void)state;
    if (!device() || !matmul_knows(GGML_TYPE_Q5_0, 64, 64)) skip();
    struct rng rng;
    rng_init(&rng, 5);
    struct data d = make(&rng, GGML_TYPE_Q5_0, 64, 64, 4, true);
    struct graph g = graph_of(&d, ggml_backend_dev_buffer_type(device()), 1);
    assert_true(ggml_backend_dev_supports_op(device(), g.op));
    struct ggml_tensor *apart = ggml_new_tensor_3d(g.ctx, GGML_TYPE_F32, 64, 4, 4);
    assert_true(ggml_backend_dev_supports_op(device(), ggml_mul_mat(g.ctx, g.w, apart)));
    apart = ggml_view_3d(g.ctx, apart, 64, 4, 2, apart->nb[1], 2 * apart->nb[2], 0);
    assert_false(ggml_backend_dev_supports_op(device(), ggml_mul_mat(g.ctx, g.w, apart)));
    struct ggml_tensor *halves = ggml_new_tensor_2d(g.ctx, GGML_TYPE_F16, 64, 4);
    assert_false(ggml_backend_dev_supports_op(device(), ggml_mul_mat(g.ctx, g.w, halves)));
    struct ggml_tensor *some = ggml_view_2d(g.ctx, g.w, 64, 32, g.w->nb[1], 0);
    assert_true(ggml_backend_dev_supports_op(device(), ggml_mul_mat(g.ctx, some, g.x)));
    some = ggml_view_2d(g.ctx, g.w, 64, 33, g.w->nb[1], 0);
    assert_false(ggml_backend_dev_supports_op(device(), ggml_mul_mat(g.ctx, some, g.x)));
    struct ggml_tensor *one = ggml_view_2d(g.ctx, g.x, 64, 1, g.x->nb[1], 0);
    assert_false(ggml_backend_dev_supports_op(device(), ggml_mul_mat(g.ctx, g.w, one)));
    assert_false(ggml_backend_dev_supports_op(device(), ggml_add(g.ctx, g.x, g.x)));
    accelerator_rest(true);
    assert_false(ggml_backend_dev_supports_op(device(), g.op));
    accelerator_rest(false);
    assert_true(ggml_backend_dev_supports_op(device(), g.op));
    struct graph elsewhere = graph_of(&d, ggml_backend_cpu_buffer_type(), 1);
    assert_false(ggml_backend_dev_supports_op(device(), elsewhere.op));
    graph_release(&elsewhere);
    graph_release(&g);
    release(&d);
}

/* ---- in an engine ------------------------------------------------------------------------------------------------ */

static void quiet(enum ggml_log_level level, const char *text, void *ctx) { (void)level, (void)text, (void)ctx; }

/* An engine computes with it, and its check does not, and so would notice; real models' numbers are compared in
 * test_model_score.c. */
static void in_an_engine(void **state) {
    (void)state;
    if (!device() || !matmul_knows(GGML_TYPE_Q5_0, TINY_WIDTH, TINY_WIDTH)) skip();
    char f32[64], path[64];
    tiny_write(TINY_LLAMA, f32);
    scratch_file(path);
    struct llama_model_quantize_params params = llama_model_quantize_default_params();
    params.ftype = LLAMA_FTYPE_MOSTLY_Q5_0;
    params.pure = true;
    llama_log_set(quiet, NULL);
    assert_int_equal(llama_model_quantize(f32, path, &params), 0);
    unlink(f32);
    const cord_engine_options with = {.threads = 2};
    const cord_model_options options = {.path = path, .name = "tiny", .context = TINY_CONTEXT};
    cord_engine *engine;
    cord_model *model;
    assert_ok(cord_engine_open(&with, &engine, err));
    assert_ok(cord_model_open(engine, &options, &model, err));
    unlink(path);
    computed = 0;
    cord_scoring_check check = {0};
    assert_ok(cord_check_scoring(engine, model, false, &check, err));
    print_message("%d products; two ways differ by %.4f nats\n", computed, check.apart);
    assert_true(check.right && computed > 0);
    wrong = true;
    assert_ok(cord_check_scoring(engine, model, false, &check, err));
    wrong = false;
    print_message("where they are wrong on purpose, by %.4f\n", check.apart);
    assert_false(check.right);
    cord_engine_close(engine);
}

int main(void) {
    ggml_cpu_init(); /* ggml's own conversions look into a table */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definition),          cmocka_unit_test(rows_are_alone), cmocka_unit_test(zeros),
        cmocka_unit_test(no_numbers_are_seen), cmocka_unit_test(as_a_device),    cmocka_unit_test(in_layers),
        cmocka_unit_test(what_it_takes),       cmocka_unit_test(in_an_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
