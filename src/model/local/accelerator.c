/* accelerator.c - attention.c as a device of ggml, so that llama.cpp calls it: one of the kind that works on the CPU's memory
 * and takes single operations off it, as ggml's own BLAS device does. It takes flash attention, and leaves all else, and what
 * it does not know, to the CPU.
 * It must not know what attention is, nor who computes. */
#include "model/local/attention.h"
#include "model/local/local.h"

#include <ggml-backend-impl.h>
#include <ggml-cpu.h>
#include <stdlib.h>
#include <string.h>

/* One for each llama_context. Its graph has one node, which is any operation that comes, so that ggml's threads do the work. */
struct accelerator {
    struct ggml_context *ctx;
    struct ggml_cgraph *graph;
    struct attention attention;
    void *scratch; /* of all threads, one after the other */
    size_t scratch_bytes, thread_bytes;
};

/* The threads of the device whose thread this is. */
static _Thread_local struct {
    struct ggml_threadpool *pool;
    int n;
} threads = {NULL, 1};

void accelerator_threads(struct ggml_threadpool *pool, int n) { threads.pool = pool, threads.n = n; }

/* ---- an operation ---------------------------------------------------------------------------------------------- */

enum { Q, K, V, MASK, SINKS };

static bool known(const struct ggml_tensor *op) {
    const struct ggml_tensor *q = op->src[Q], *k = op->src[K], *v = op->src[V], *mask = op->src[MASK];
    return op->op == GGML_OP_FLASH_ATTN_EXT && q->type == GGML_TYPE_F32 && k->type == GGML_TYPE_F16 &&
           v->type == GGML_TYPE_F16 && mask && mask->type == GGML_TYPE_F16 && op->type == GGML_TYPE_F32 &&
           q->ne[3] == 1 && mask->ne[2] == 1 && k->ne[2] == v->ne[2] && q->ne[2] % k->ne[2] == 0 &&
           q->nb[0] == sizeof(float) && k->nb[0] == sizeof(ggml_fp16_t) && v->nb[0] == sizeof(ggml_fp16_t) &&
           op->nb[0] == sizeof(float);
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

static void part(struct ggml_tensor *node, int thread, int n, void *ctx) {
    (void)node;
    struct accelerator *a = ctx;
    attention_compute(&a->attention, thread, n, (char *)a->scratch + (size_t)thread * a->thread_bytes);
}

static bool make_scratch(struct accelerator *a) {
    a->thread_bytes = attention_scratch(&a->attention);
    size_t bytes = a->thread_bytes * (size_t)threads.n;
    if (bytes <= a->scratch_bytes) return true;
    free(a->scratch);
    a->scratch = aligned_alloc(64, bytes);
    a->scratch_bytes = a->scratch ? bytes : 0;
    return a->scratch;
}

static enum ggml_status compute(ggml_backend_t backend, struct ggml_cgraph *graph) {
    struct accelerator *a = backend->context;
    for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
        struct ggml_tensor *op = ggml_graph_node(graph, i);
        if (op->op != GGML_OP_FLASH_ATTN_EXT) continue; /* views, of which there is nothing to compute */
        a->attention = attention_of(op);
        if (!make_scratch(a)) return GGML_STATUS_ALLOC_FAILED;
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
    static uint8_t guid[16] = "cord: attention";
    struct accelerator *a = calloc(1, sizeof *a);
    struct ggml_backend *backend = calloc(1, sizeof *backend);
    struct ggml_init_params memory = {.mem_size = 2 * ggml_tensor_overhead() + ggml_graph_overhead_custom(1, false),
                                      .no_alloc = true};
    if (a) a->ctx = ggml_init(memory);
    if (!a || !backend || !a->ctx) {
        if (a) ggml_free(a->ctx);
        free(a);
        free(backend);
        return NULL;
    }
    a->graph = ggml_new_graph_custom(a->ctx, 1, false);
    ggml_build_forward_expand(a->graph,
                              ggml_custom_4d(a->ctx, GGML_TYPE_F32, 1, 1, 1, 1, NULL, 0, part, GGML_N_TASKS_MAX, a));
    *backend = (struct ggml_backend){
        .guid = &guid,
        .iface = {.get_name = name_of_backend, .free = close_backend, .graph_compute = compute},
        .device = device,
        .context = a,
    };
    return backend;
}

static const char *name_of_device(ggml_backend_dev_t device) { return (void)device, "cord"; }
static const char *describe_device(ggml_backend_dev_t device) {
    return (void)device, "attention over a row's own cells";
}
static void no_memory(ggml_backend_dev_t device, size_t *unused, size_t *total) { (void)device, *unused = *total = 0; }
static enum ggml_backend_dev_type type_of(ggml_backend_dev_t device) {
    return (void)device, GGML_BACKEND_DEVICE_TYPE_ACCEL;
}
static void properties_of(ggml_backend_dev_t device, struct ggml_backend_dev_props *properties) {
    *properties = (struct ggml_backend_dev_props){
        .name = name_of_device(device), .description = describe_device(device), .type = type_of(device)};
}
static ggml_backend_buffer_type_t buffers_of(ggml_backend_dev_t device) {
    return (void)device, ggml_backend_cpu_buffer_type();
}
static bool takes(ggml_backend_dev_t device, const struct ggml_tensor *op) { return (void)device, known(op); }
static bool reads(ggml_backend_dev_t device, ggml_backend_buffer_type_t type) {
    return (void)device, ggml_backend_buft_is_host(type);
}

static struct ggml_backend_device the_device = {
    .iface = {.get_name = name_of_device,
              .get_description = describe_device,
              .get_memory = no_memory,
              .get_type = type_of,
              .get_props = properties_of,
              .init_backend = open_backend,
              .get_buffer_type = buffers_of,
              .supports_op = takes,
              .supports_buft = reads},
};

static const char *name_of_registry(ggml_backend_reg_t registry) { return (void)registry, "cord"; }
static size_t count_devices(ggml_backend_reg_t registry) { return (void)registry, 1; }
static ggml_backend_dev_t get_device(ggml_backend_reg_t registry, size_t i) {
    return (void)registry, (void)i, &the_device;
}

static struct ggml_backend_reg the_registry = {
    .api_version = GGML_BACKEND_API_VERSION,
    .iface = {.get_name = name_of_registry, .get_device_count = count_devices, .get_device = get_device},
};

static void begin(void) {
    the_device.reg = &the_registry;
    if (attention_available()) ggml_backend_register(&the_registry);
}

void accelerator_begin(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin);
}

bool accelerator_used(void) {
    return attention_available() && !ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_GPU) &&
           !ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_IGPU);
}
