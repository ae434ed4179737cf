/* accelerator.c - attention.c and matmul.c as devices of ggml, so that llama.cpp calls them: of the kind that works on the CPU's
 * memory and takes single operations off it, as ggml's own BLAS device does. They take flash attention, and products with the
 * weights that were loaded for them, and leave all else, and what they do not know, to the CPU.
 * It must not know what these compute, nor who asks. */
#include "model/local/attention.h"
#include "model/local/local.h"
#include "model/local/matmul.h"

#include <ggml-backend-impl.h>
#include <ggml-cpu.h>
#include <stdlib.h>
#include <string.h>

/* One for each device and llama_context. Its graph has two nodes, which are the two halves of any operation that comes, so that ggml's
 * threads do the work. */
struct accelerator {
    struct ggml_context *ctx;
    struct ggml_cgraph *graph;
    enum ggml_op op;
    struct attention attention;
    struct matmul matmul;
    void *scratch; /* of all threads */
    size_t scratch_bytes, thread_bytes;
};

/* The threads of the device whose thread this is; whether it wants none of this. */
static _Thread_local struct {
    struct ggml_threadpool *pool;
    int n;
    bool rests;
} threads = {NULL, 1, false};

void accelerator_threads(struct ggml_threadpool *pool, int n) { threads.pool = pool, threads.n = n; }
void accelerator_rest(bool rests) { threads.rests = rests; }

/* Weights that are multiplied by here lie in memory of their own kind: the CPU's, by another name. */
static struct ggml_backend_buffer_type own_memory;

/* Whether ggml has products for AMX here, which are left to it. */
static bool has_amx;

/* ---- an operation ---------------------------------------------------------------------------------------------- */

enum { Q, K, V, MASK, SINKS };

static bool knows_attention(const struct ggml_tensor *op) {
    const struct ggml_tensor *q = op->src[Q], *k = op->src[K], *v = op->src[V], *mask = op->src[MASK];
    return q->type == GGML_TYPE_F32 && k->type == GGML_TYPE_F16 && v->type == GGML_TYPE_F16 && mask &&
           mask->type == GGML_TYPE_F16 && op->type == GGML_TYPE_F32 && q->ne[3] == 1 && mask->ne[2] == 1 &&
           k->ne[2] == v->ne[2] && q->ne[2] % k->ne[2] == 0 && q->nb[0] == sizeof(float) &&
           k->nb[0] == sizeof(ggml_fp16_t) && v->nb[0] == sizeof(ggml_fp16_t) && op->nb[0] == sizeof(float);
}

static struct attention attention_of(const struct ggml_tensor *op) {
    const struct ggml_tensor *q = op->src[Q], *k = op->src[K], *v = op->src[V], *mask = op->src[MASK];
    float number[3]; /* as ggml_flash_attn_ext puts them */
    memcpy(number, op->op_params, sizeof number);
    return (struct attention){
        .rows = (int)q->ne[1],
        .cells = (int)k->ne[1],
        .heads = (int)q->ne[2],
        .kv_heads = (int)k->ne[2],
        .key_size = (int)k->ne[0],
        .value_size = (int)v->ne[0],
        .q = q->data,
        .k = k->data,
        .v = v->data,
        .mask = mask->data,
        .out = op->data,
        .sinks = op->src[SINKS] ? op->src[SINKS]->data : NULL,
        .q_row = q->nb[1],
        .q_head = q->nb[2],
        .k_cell = k->nb[1],
        .k_head = k->nb[2],
        .v_cell = v->nb[1],
        .v_head = v->nb[2],
        .mask_row = mask->nb[1],
        .out_head = op->nb[1],
        .out_row = op->nb[2],
        .scale = number[0],
        .max_bias = number[1],
        .softcap = number[2],
    };
}

enum { W, X };

/* A single row is left to the CPU: it reads the weights once, too, and need not unpack them for others. */
static bool knows_matmul(const struct ggml_tensor *op) {
    const struct ggml_tensor *w = op->src[W], *x = op->src[X], *owner = w->view_src ? w->view_src : w;
    bool one_list = (ggml_is_matrix(x) && x->nb[0] == sizeof(float)) || ggml_is_contiguous(x); /* of rows */
    if (has_amx && w->type != GGML_TYPE_Q5_0) return false; /* for which it has none */
    return owner->buffer && owner->buffer->buft == &own_memory && matmul_knows(w->type, (int)w->ne[1], (int)w->ne[0]) &&
           ggml_is_matrix(w) && w->nb[0] == ggml_type_size(w->type) && one_list && ggml_nrows(x) > 1 &&
           x->type == GGML_TYPE_F32 && op->type == GGML_TYPE_F32;
}

static struct matmul matmul_of(const struct ggml_tensor *op) {
    const struct ggml_tensor *w = op->src[W], *x = op->src[X];
    return (struct matmul){
        .type = w->type,
        .rows = (int)w->ne[1],
        .columns = (int)w->ne[0],
        .n = (int)ggml_nrows(x),
        .w = w->data,
        .x = x->data,
        .out = op->data,
        .w_row = w->nb[1],
        .x_row = x->nb[1],
        .out_row = op->nb[1],
    };
}

static void first_half(struct ggml_tensor *node, int thread, int n, void *ctx) {
    (void)node;
    struct accelerator *a = ctx;
    if (a->op == GGML_OP_MUL_MAT) matmul_round(&a->matmul, thread, n, a->scratch);
}

static void second_half(struct ggml_tensor *node, int thread, int n, void *ctx) {
    (void)node;
    struct accelerator *a = ctx;
    if (a->op == GGML_OP_MUL_MAT)
        matmul_compute(&a->matmul, thread, n, a->scratch);
    else
        attention_compute(&a->attention, thread, n, (char *)a->scratch + (size_t)thread * a->thread_bytes);
}

static bool take(struct accelerator *a, const struct ggml_tensor *op) {
    size_t bytes;
    a->op = op->op;
    if (op->op == GGML_OP_MUL_MAT) {
        a->matmul = matmul_of(op);
        bytes = matmul_scratch(&a->matmul, threads.n);
    } else {
        a->attention = attention_of(op);
        a->thread_bytes = attention_scratch(&a->attention);
        bytes = a->thread_bytes * (size_t)threads.n;
    }
    if (bytes <= a->scratch_bytes) return true;
    free(a->scratch);
    a->scratch = aligned_alloc(64, bytes);
    a->scratch_bytes = a->scratch ? bytes : 0;
    return a->scratch;
}

static enum ggml_status compute(ggml_backend_t backend, struct ggml_cgraph *graph) {
    struct accelerator *a = backend->context;
    for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
        const struct ggml_tensor *op = ggml_graph_node(graph, i);
        if (op->op != GGML_OP_FLASH_ATTN_EXT && op->op != GGML_OP_MUL_MAT) continue; /* views: nothing to compute */
        if (!(op->flags & GGML_TENSOR_FLAG_COMPUTE)) continue;                       /* of a branch that is not taken */
        if (!take(a, op)) return GGML_STATUS_ALLOC_FAILED;
        struct ggml_cplan plan = ggml_graph_plan(a->graph, threads.n, threads.pool);
        enum ggml_status status = ggml_graph_compute(a->graph, &plan);
        if (status != GGML_STATUS_SUCCESS) return status;
    }
    return GGML_STATUS_SUCCESS;
}

/* ---- what ggml asks of a device -------------------------------------------------------------------------------- */

static const char *name_of_backend(ggml_backend_t backend) { return (void)backend, "cord"; }

static void close_backend(ggml_backend_t backend) {
    struct accelerator *a = backend->context;
    free(a->scratch);
    ggml_free(a->ctx);
    free(a);
    free(backend);
}

static ggml_backend_t open_backend(ggml_backend_dev_t device, const char *params) {
    (void)params;
    static uint8_t guid[16] = "cord";
    struct accelerator *a = calloc(1, sizeof *a);
    struct ggml_backend *backend = calloc(1, sizeof *backend);
    struct ggml_init_params memory = {.mem_size = 2 * ggml_tensor_overhead() + ggml_graph_overhead_custom(2, false),
                                      .no_alloc = true};
    if (a) a->ctx = ggml_init(memory);
    if (!a || !backend || !a->ctx) {
        if (a) ggml_free(a->ctx);
        free(a);
        free(backend);
        return NULL;
    }
    a->graph = ggml_new_graph_custom(a->ctx, 2, false);
    struct ggml_tensor *part =
        ggml_custom_4d(a->ctx, GGML_TYPE_F32, 1, 1, 1, 1, NULL, 0, first_half, GGML_N_TASKS_MAX, a);
    part = ggml_custom_4d(a->ctx, GGML_TYPE_F32, 1, 1, 1, 1, &part, 1, second_half, GGML_N_TASKS_MAX, a);
    ggml_build_forward_expand(a->graph, part);
    *backend = (struct ggml_backend){
        .guid = &guid,
        .iface = {.get_name = name_of_backend, .free = close_backend, .graph_compute = compute},
        .device = device,
        .context = a,
    };
    return backend;
}

/* Two devices, since ggml asks one that has memory of its own for nothing else: one computes attention, in the CPU's memory;
 * the other multiplies by the weights that lie in its own. */
enum { ATTENTION, MATMUL, DEVICES };
static struct ggml_backend_device devices[DEVICES];

static const char *name_of_device(ggml_backend_dev_t device) {
    return device == &devices[MATMUL] ? "cord-matmul" : "cord-attention";
}
static void no_memory(ggml_backend_dev_t device, size_t *unused, size_t *total) { (void)device, *unused = *total = 0; }
static enum ggml_backend_dev_type type_of(ggml_backend_dev_t device) {
    return (void)device, GGML_BACKEND_DEVICE_TYPE_ACCEL;
}
static void properties_of(ggml_backend_dev_t device, struct ggml_backend_dev_props *properties) {
    *properties = (struct ggml_backend_dev_props){.name = name_of_device(device),
                                                  .description = name_of_device(device),
                                                  .type = type_of(device),
                                                  .caps = {.buffer_from_host_ptr = true}};
}
static ggml_backend_buffer_type_t memory_of(ggml_backend_dev_t device) {
    return device == &devices[MATMUL] ? &own_memory : ggml_backend_cpu_buffer_type();
}
static ggml_backend_buffer_t buffer_around(ggml_backend_dev_t device, void *memory, size_t bytes, size_t largest) {
    (void)largest;
    ggml_backend_buffer_t buffer = ggml_backend_cpu_buffer_from_ptr(memory, bytes);
    if (buffer) buffer->buft = memory_of(device);
    return buffer;
}
static bool takes(ggml_backend_dev_t device, const struct ggml_tensor *op) {
    if (threads.rests) return false;
    return device == &devices[MATMUL] ? op->op == GGML_OP_MUL_MAT && knows_matmul(op)
                                      : op->op == GGML_OP_FLASH_ATTN_EXT && knows_attention(op);
}
static bool reads(ggml_backend_dev_t device, ggml_backend_buffer_type_t type) {
    return (void)device, ggml_backend_buft_is_host(type);
}

static const char *name_of_memory(ggml_backend_buffer_type_t type) { return (void)type, "cord"; }
static const char *name_of_registry(ggml_backend_reg_t registry) { return (void)registry, "cord"; }
static size_t count_devices(ggml_backend_reg_t registry) { return (void)registry, DEVICES; }
static ggml_backend_dev_t get_device(ggml_backend_reg_t registry, size_t i) { return (void)registry, &devices[i]; }

static struct ggml_backend_reg the_registry = {
    .api_version = GGML_BACKEND_API_VERSION,
    .iface = {.get_name = name_of_registry, .get_device_count = count_devices, .get_device = get_device},
};

static bool used;

static bool find_amx(void) {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    ggml_backend_reg_t registry = cpu ? ggml_backend_dev_backend_reg(cpu) : NULL;
    ggml_backend_dev_get_extra_bufts_t extra = NULL;
    if (registry) *(void **)&extra = ggml_backend_reg_get_proc_address(registry, "ggml_backend_dev_get_extra_bufts");
    for (ggml_backend_buffer_type_t *type = extra ? extra(cpu) : NULL; type && *type; type++)
        if (!strcmp(ggml_backend_buft_name(*type), "AMX")) return true;
    return false;
}

static void begin(void) {
    has_amx = find_amx();
    used = attention_available() && !ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_GPU) &&
           !ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_IGPU);
    if (!used) return;
    own_memory = *ggml_backend_cpu_buffer_type();
    own_memory.iface.get_name = name_of_memory;
    own_memory.device = &devices[MATMUL];
    for (int i = 0; i < DEVICES; i++)
        devices[i] = (struct ggml_backend_device){.iface = {.get_name = name_of_device,
                                                            .get_description = name_of_device,
                                                            .get_memory = no_memory,
                                                            .get_type = type_of,
                                                            .get_props = properties_of,
                                                            .init_backend = open_backend,
                                                            .get_buffer_type = memory_of,
                                                            .buffer_from_host_ptr = buffer_around,
                                                            .supports_op = takes,
                                                            .supports_buft = reads},
                                                  .reg = &the_registry};
    ggml_backend_register(&the_registry);
}

void accelerator_begin(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin);
}

bool accelerator_used(void) { return used; }
