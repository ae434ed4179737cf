/* local.c - the back end's calls: requests become jobs, and whoever asked waits until the device has done them. */
#include "model/local/local.h"

#include <stdio.h>
#include <stdlib.h>

/* llama.cpp writes this text anew, into the same memory, whenever it is asked for it. */
static char features[1000];

static void init_once(void) {
    log_begin();
    accelerator_begin();
    llama_backend_init();
    snprintf(features, sizeof features, "%s", llama_print_system_info());
}

static cord_status open_model(cord_engine *engine, const cord_model_options *options, cord_model **model,
                              cord_error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* llama.cpp's own state is global */
    pthread_once(&once, init_once);
    CORD_TRY(log_take(engine, err));
    if (!engine->local) CORD_TRY(device_open(engine, err));
    CORD_TRY(local_open(engine, options, model, err));
    device_add(engine->local, local_of(*model));
    return CORD_OK;
}

static void stop(cord_engine *engine) {
    device_close(engine);
    log_leave(engine);
}

static void describe(const cord_engine *engine, cord_engine_info *info) {
    const struct device *device = engine->local;
    if (!device) return;
    *info = (cord_engine_info){.threads = device_threads(device),
                               .memory = device_memory(device),
                               .llama = llama_version(),
                               .features = features,
                               .full_batch = accelerator_used() ? 32 : 8};
}

static cord_status count(const cord_model *model, cord_counting *texts, int n, cord_error *err) {
    for (int i = 0; i < n; i++) {
        struct tokens tokens;
        cord_status status = tokens_of(local_of(model), texts[i].spans, texts[i].n_spans, &tokens, &texts[i].error);
        if (status == CORD_NO_MEMORY) return error_memory(err);
        if (status != CORD_OK) continue;
        texts[i].tokens = tokens.n;
        tokens_release(&tokens);
    }
    return CORD_OK;
}

/* ---- calls --------------------------------------------------------------------------------------------------- */

cord_status no_numbers(const struct local_model *model, cord_error *err) {
    return error_set(err, CORD_BAD_MODEL,
                     "%s computes what is no number (NaN); its file may be damaged: fetch it again",
                     model->base.info.name);
}

static cord_status call_init(struct call *call, int n, cord_error *err) {
    *call = (struct call){.n = n, .jobs = calloc((size_t)n, sizeof(struct job))};
    if (!call->jobs) return error_memory(err);
    pthread_cond_init(&call->done, NULL);
    return CORD_OK;
}

static void call_release(struct call *call) {
    for (int i = 0; i < call->n; i++) tokens_release(&call->jobs[i].tokens);
    pthread_cond_destroy(&call->done);
    free(call->jobs);
}

static struct job *job_init(struct call *call, int i, const cord_model *model, uint64_t group, cord_error *error) {
    struct job *job = &call->jobs[i];
    *job = (struct job){
        .model = local_of(model), .group = group, .call = call, .error = error, .cached = -1, .began = clock_us()};
    return job;
}

static cord_status propose(cord_engine *engine, cord_proposal **requests, int n, cord_error *err) {
    struct call call;
    CORD_TRY(call_init(&call, n, err));
    for (int i = 0; i < n; i++) {
        struct job *job = job_init(&call, i, requests[i]->model, requests[i]->group, &requests[i]->error);
        job->reuses = true;
        job->others_go_on = requests[i]->others_go_on;
        job->done = writing_begin(job->model, requests[i], job) != CORD_OK;
        call.left += !job->done;
    }
    cord_status status = device_run(engine->local, &call, err);
    for (int i = 0; i < n; i++) writing_end(&call.jobs[i]);
    call_release(&call);
    return status;
}

/* Equal requests are computed once. */
static struct job *find_same(const struct call *call, const struct job *job) {
    for (struct job *other = call->jobs; other < job; other++)
        if (!other->done && measuring_same(other, job)) return other;
    return NULL;
}

static cord_status score(cord_engine *engine, cord_scoring **requests, int n, cord_error *err) {
    struct call call;
    CORD_TRY(call_init(&call, n, err));
    for (int i = 0; i < n; i++) {
        struct job *job = job_init(&call, i, requests[i]->model, requests[i]->group, &requests[i]->error);
        job->reuses = requests[i]->reuse;
        job->others_go_on = requests[i]->others_go_on;
        job->done = measuring_begin(job->model, requests[i], job) != CORD_OK;
        if (!job->done) job->same = find_same(&call, job);
        if (job->same) job->done = true;
        call.left += !job->done;
    }
    cord_status status = device_run(engine->local, &call, err);
    for (int i = 0; i < n; i++)
        if (call.jobs[i].same) measuring_copy(&call.jobs[i], call.jobs[i].same);
    for (int i = 0; i < n; i++) measuring_end(&call.jobs[i]);
    call_release(&call);
    return status;
}

static void forget(cord_engine *engine, uint64_t group) {
    if (engine->local) device_forget(engine->local, group);
}

const char *const backend_local_refusal = NULL;

/* What the compiler may use in this folder, and llama.cpp is compiled for the same processor. */
static const char *const instructions[] = {
#ifdef __AVX__
    "avx",
#endif
#ifdef __AVX2__
    "avx2",
#endif
#ifdef __FMA__
    "fma",
#endif
#ifdef __BMI2__
    "bmi2",
#endif
#ifdef __AVX512F__
    "avx512f",
#endif
#ifdef __AVX512BW__
    "avx512bw",
#endif
#ifdef __AVX512DQ__
    "avx512dq",
#endif
#ifdef __AVX512VL__
    "avx512vl",
#endif
#ifdef __AVX512VBMI__
    "avx512vbmi",
#endif
#ifdef __AVX512VNNI__
    "avx512vnni",
#endif
    NULL};

const struct backend backend_local = {
    .instructions = instructions,
    .open = open_model,
    .close = local_close,
    .count = count,
    .propose = propose,
    .score = score,
    .check = local_check,
    .forget = forget,
    .describe = describe,
    .stop = stop,
};
