/* local.c - the device that all local models share: opened with the first model, used by one call at a time, because two
 * models that compete for the same cores do together less than half of what they do in turn. */
#include "model/local/local.h"

#include <ggml-cpu.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the device ---------------------------------------------------------------------------------------------- */

static void backend_init_once(void) { llama_backend_init(); }

/* How many cores this process may use. */
static int cores(void) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    return all > 0 ? (int)all : 1;
}

static cord_status device_open(cord_engine *engine, cord_error *err) {
    if (engine->local) return CORD_OK;
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* llama.cpp's own state is global, and so is its log */
    pthread_once(&once, backend_init_once);
    llama_log_set(local_log, engine);

    struct device *device = calloc(1, sizeof *device);
    if (!device) return error_memory(err);
    /* threads wait for each other by spinning, so that more of them than cores would hardly get on */
    int asked = engine->options.threads, most = cores();
    device->n_threads = asked > 0 && asked < most ? asked : most;
    struct ggml_threadpool_params params = ggml_threadpool_params_default(device->n_threads);
    device->threads = ggml_threadpool_new(&params);
    if (!device->threads) {
        free(device);
        return error_memory(err);
    }
    pthread_mutex_init(&device->mutex, NULL);
    engine->local = device;
    return CORD_OK;
}

static void device_release(cord_engine *engine) {
    struct device *device = engine->local;
    if (!device) return;
    llama_log_set(local_log, NULL);
    ggml_threadpool_free(device->threads);
    pthread_mutex_destroy(&device->mutex);
    free(device);
    engine->local = NULL;
}

static void describe(const cord_engine *engine, cord_engine_info *info) {
    const struct device *device = engine->local;
    if (device) *info = (cord_engine_info){device->n_threads, llama_version(), llama_print_system_info()};
}

/* ---- calls --------------------------------------------------------------------------------------------------- */

static cord_status open_model(cord_engine *engine, const cord_model_options *options, cord_model **model,
                              cord_error *err) {
    CORD_TRY(device_open(engine, err));
    return local_open(engine, options, model, err);
}

static cord_status count_tokens(const cord_model *model, const cord_span *spans, int n, int *count, cord_error *err) {
    struct tokens tokens;
    CORD_TRY(tokens_of(local_of(model), spans, n, &tokens, err));
    *count = tokens.n;
    tokens_release(&tokens);
    return CORD_OK;
}

static cord_status ready(struct local_model *model, cord_error *err) {
    if (atomic_load(&model->engine->stop)) return error_set(err, CORD_CANCELLED, "stopped");
    return model->lane ? CORD_OK : lane_open(model, &model->lane, err);
}

/* Requests come mixed; each model's are run together, models in the order of their first request. */
static cord_status propose(cord_engine *engine, cord_proposal **requests, int n, cord_error *err) {
    struct device *device = engine->local;
    cord_proposal **mine = calloc((size_t)n, sizeof(cord_proposal *));
    bool *taken = calloc((size_t)n, sizeof *taken);
    cord_status status = mine && taken ? CORD_OK : error_memory(err);
    pthread_mutex_lock(&device->mutex);
    for (int i = 0; i < n && status == CORD_OK; i++) {
        if (taken[i]) continue;
        struct local_model *model = local_of(requests[i]->model);
        int n_mine = 0;
        for (int j = i; j < n; j++)
            if (requests[j]->model == requests[i]->model) mine[n_mine++] = requests[j], taken[j] = true;
        status = ready(model, err);
        if (status == CORD_OK) status = local_propose(model, mine, n_mine, err);
    }
    pthread_mutex_unlock(&device->mutex);
    free(mine);
    free(taken);
    return status;
}

static cord_status score(cord_engine *engine, cord_scoring **requests, int n, cord_error *err) {
    struct device *device = engine->local;
    cord_status status = CORD_OK;
    pthread_mutex_lock(&device->mutex);
    for (int i = 0; i < n && status == CORD_OK; i++) {
        struct local_model *model = local_of(requests[i]->model);
        status = ready(model, err);
        if (status == CORD_OK) status = local_score(model, requests[i], err);
    }
    pthread_mutex_unlock(&device->mutex);
    return status;
}

static void forget(cord_model *base, uint64_t group) {
    struct local_model *model = local_of(base);
    struct device *device = model->engine->local;
    pthread_mutex_lock(&device->mutex);
    if (model->lane) lane_forget(model->lane, group);
    pthread_mutex_unlock(&device->mutex);
}

const struct backend backend_local = {
    .open = open_model,
    .close = local_close,
    .count_tokens = count_tokens,
    .propose = propose,
    .score = score,
    .forget = forget,
    .describe = describe,
    .release = device_release,
};
