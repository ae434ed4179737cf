/* device.c - the one thread that computes, so that no two models ever compete for the same cores, and what callers share with
 * it: calls that came, groups that went, models that were opened, errands. Every round it takes those, has one turn of the
 * schedule, and wakes the callers whose jobs have ended.
 * It must not know what a turn does. */
#include "model/local/machine.h"
#include "model/local/schedule.h"

#include <ggml-cpu.h>
#include <stdlib.h>

/* Something else that has to run on the device's thread. */
struct errand {
    void (*run)(void *ctx);
    void *ctx;
    bool done;
    pthread_cond_t ended;
    struct errand *next;
};

struct device {
    cord_engine *engine;
    struct ggml_threadpool *pool;
    int n_threads;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what callers and the thread share: */
    pthread_cond_t work;
    struct call *calls;         /* not yet taken, in order of arrival */
    struct local_model *opened; /* not yet taken */
    struct errand *errands;     /* not yet run */
    uint64_t *forgotten;
    int n_forgotten, cap_forgotten;
    bool closing;
    /* the thread's own: */
    struct schedule schedule;
};

int device_threads(const struct device *device) { return device->n_threads; }
uint64_t device_memory(const struct device *device) { return device->schedule.memory; }
struct ggml_threadpool *device_pool(const struct device *device) {
    return device->pool;
}

/* ---- the thread ---------------------------------------------------------------------------------------------- */

static void take_call(struct device *device) {
    struct call *call = device->calls;
    device->calls = call->next;
    schedule_take(&device->schedule, call);
}

static void take_model(struct device *device) {
    struct local_model *model = device->opened;
    device->opened = model->next;
    model->next = device->schedule.models;
    device->schedule.models = model;
}

/* Waits for work, and takes what came. False when it is time to go. */
static bool take_work(struct device *device) {
    struct schedule *schedule = &device->schedule;
    bool one = schedule->reproducible;
    pthread_mutex_lock(&device->mutex);
    while (!device->calls && !schedule->jobs && !device->n_forgotten && !device->errands && !device->closing)
        pthread_cond_wait(&device->work, &device->mutex);
    while (device->opened) take_model(device);
    while (device->calls && !(one && schedule->jobs)) take_call(device);
    while (device->n_forgotten && !one) room_forget(schedule, device->forgotten[--device->n_forgotten]);
    device->n_forgotten = 0;
    bool go_on = !device->closing;
    pthread_mutex_unlock(&device->mutex);
    return go_on;
}

static void run_errands(struct device *device) {
    pthread_mutex_lock(&device->mutex);
    while (device->errands) {
        struct errand *errand = device->errands;
        device->errands = errand->next;
        pthread_mutex_unlock(&device->mutex);
        errand->run(errand->ctx);
        pthread_mutex_lock(&device->mutex);
        errand->done = true;
        pthread_cond_signal(&errand->ended);
    }
    pthread_mutex_unlock(&device->mutex);
}

static void wake_callers(struct device *device) {
    pthread_mutex_lock(&device->mutex);
    while (device->schedule.ended) {
        struct job *job = device->schedule.ended;
        device->schedule.ended = job->next; /* now: with its last job a call is gone */
        if (--job->call->left == 0) pthread_cond_signal(&job->call->done);
    }
    pthread_mutex_unlock(&device->mutex);
}

static void *device_main(void *arg) {
    struct device *device = arg;
    accelerator_threads(device->pool, device->n_threads);
    while (take_work(device)) {
        run_errands(device);
        if (atomic_load(&device->engine->stop)) {
            cord_error why = {.code = CORD_CANCELLED, .message = "stopped"};
            schedule_fail_all(&device->schedule, &why);
        } else {
            schedule_turn(&device->schedule);
        }
        if (device->schedule.ended) wake_callers(device);
    }
    return NULL;
}

/* ---- what callers see ---------------------------------------------------------------------------------------- */

/* What caches may take: what was asked for, or half of what is free. Of what there is where calls are reproducible: in how many
 * portions they are computed may not depend on what else runs here. */
static uint64_t memory_for(const cord_engine_options *options) {
    if (options->memory) return options->memory;
    return (options->reproducible ? machine_memory("") : machine_free_memory("")) / 2;
}

cord_status device_open(cord_engine *engine, cord_error *err) {
    struct device *device = calloc(1, sizeof *device);
    if (!device) return error_memory(err);
    device->engine = engine;
    device->schedule.memory = memory_for(&engine->options);
    device->schedule.reproducible = engine->options.reproducible;
    buf_init(&device->schedule.scratch, "the candidates for a token", 64 << 20);
    pthread_mutex_init(&device->mutex, NULL);
    pthread_cond_init(&device->work, NULL);
    /* threads wait for each other by spinning, so that more of them than cores would hardly get on */
    int asked = engine->options.threads, most = machine_cores("");
    device->n_threads = asked > 0 && asked < most ? asked : most;
    struct ggml_threadpool_params params = ggml_threadpool_params_default(device->n_threads);
    device->pool = ggml_threadpool_new(&params);
    engine->local = device;
    if (device->pool && pthread_create(&device->thread, NULL, device_main, device) == 0) return CORD_OK;
    int threads = device->n_threads;
    device->closing = true;
    device_close(engine);
    return error_set(err, CORD_NO_MEMORY, "cannot start %d threads to compute with", threads);
}

void device_close(cord_engine *engine) {
    struct device *device = engine->local;
    if (!device) return;
    pthread_mutex_lock(&device->mutex);
    bool runs = !device->closing;
    device->closing = true;
    pthread_cond_signal(&device->work);
    pthread_mutex_unlock(&device->mutex);
    if (runs) pthread_join(device->thread, NULL);
    room_close(&device->schedule);
    if (device->pool) ggml_threadpool_free(device->pool);
    buf_release(&device->schedule.scratch);
    pthread_cond_destroy(&device->work);
    pthread_mutex_destroy(&device->mutex);
    free(device->forgotten);
    free(device);
    engine->local = NULL;
}

void device_add(struct device *device, struct local_model *model) {
    pthread_mutex_lock(&device->mutex);
    model->next = device->opened;
    device->opened = model;
    pthread_mutex_unlock(&device->mutex);
}

cord_status device_run(struct device *device, struct call *call, cord_error *err) {
    if (atomic_load(&device->engine->stop)) return error_set(err, CORD_CANCELLED, "stopped");
    if (call->left == 0) return CORD_OK;
    pthread_mutex_lock(&device->mutex);
    struct call **end = &device->calls;
    while (*end) end = &(*end)->next;
    *end = call;
    pthread_cond_signal(&device->work);
    while (call->left > 0) pthread_cond_wait(&call->done, &device->mutex);
    pthread_mutex_unlock(&device->mutex);
    if (call->status != CORD_OK && err) *err = call->error;
    return call->status;
}

void device_do(struct device *device, void (*run)(void *ctx), void *ctx) {
    struct errand errand = {.run = run, .ctx = ctx};
    pthread_cond_init(&errand.ended, NULL);
    pthread_mutex_lock(&device->mutex);
    errand.next = device->errands;
    device->errands = &errand;
    pthread_cond_signal(&device->work);
    while (!errand.done) pthread_cond_wait(&errand.ended, &device->mutex);
    pthread_mutex_unlock(&device->mutex);
    pthread_cond_destroy(&errand.ended);
}

void device_forget(struct device *device, uint64_t group) {
    pthread_mutex_lock(&device->mutex);
    if (device->n_forgotten == device->cap_forgotten) {
        int cap = 2 * device->cap_forgotten + 16;
        uint64_t *forgotten = realloc(device->forgotten, (size_t)cap * sizeof *forgotten);
        if (forgotten) device->forgotten = forgotten, device->cap_forgotten = cap;
    }
    /* where there is no memory to remember it, its cells go when their place is needed */
    if (device->n_forgotten < device->cap_forgotten) device->forgotten[device->n_forgotten++] = group;
    pthread_cond_signal(&device->work);
    pthread_mutex_unlock(&device->mutex);
}
