/* weights.h - where the tests on real models find their weights: as cord does, in the cache folder. A test without its
 * weights says so and is counted as skipped. */
#ifndef CORD_TEST_WEIGHTS_H
#define CORD_TEST_WEIGHTS_H

#include "support.h"

#include "cord.h"

#include <stdlib.h>
#include <unistd.h>

#define SMOLLM2 "smollm2-135m-instruct"
#define QWEN    "qwen2.5-coder-0.5b-instruct"
#define GEMMA   "gemma-3-270m"

/* The path of a model of the manifest: in $CORD_MODELS, else in the folder `models` of cord's cache. A path is itself. */
static inline void weights_path(const char *name, char *path, size_t size) {
    const char *models = getenv("CORD_MODELS"), *cord = getenv("CORD_CACHE"), *cache = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    if (strchr(name, '/'))
        snprintf(path, size, "%s", name);
    else if (models && *models)
        snprintf(path, size, "%s/%s.gguf", models, name);
    else if (cord && *cord)
        snprintf(path, size, "%s/models/%s.gguf", cord, name);
    else if (cache && *cache)
        snprintf(path, size, "%s/cord/models/%s.gguf", cache, name);
    else
        snprintf(path, size, "%s/.cache/cord/models/%s.gguf", home ? home : "", name);
}

/* Ends the program as skipped where a model is missing. */
static inline void weights_need(const char *name) {
    char path[4096];
    weights_path(name, path, sizeof path);
    if (access(path, R_OK) == 0) return;
    printf("SKIP: %s is not there; `make fetch-%s` fetches it\n", path, name);
    exit(SKIPPED);
}

static inline cord_engine *weights_engine(void) {
    cord_engine *engine = NULL;
    assert_ok(cord_engine_open(&(cord_engine_options){0}, &engine, err));
    return engine;
}

/* Opens a GGUF file, or a model of the manifest; sizes of 0 are cord's own. */
static inline cord_model *weights_open_file(cord_engine *engine, const char *name, const char *path, int context,
                                            int cells, int sequences) {
    cord_model_options options = {
        .name = name, .path = path, .context = context, .cells = cells, .sequences = sequences};
    cord_model *model = NULL;
    assert_ok(cord_model_open(engine, &options, &model, err));
    return model;
}

static inline cord_model *weights_open(cord_engine *engine, const char *name, int context, int cells, int sequences) {
    char path[4096];
    weights_path(name, path, sizeof path);
    return weights_open_file(engine, name, path, context, cells, sequences);
}

#endif
