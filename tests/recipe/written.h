/* written.h - what the tests of recipes share: a folder with two models, a recipe written into it and read, and one that is
 * refused at a place, with words. */
#ifndef CORD_TEST_WRITTEN_H
#define CORD_TEST_WRITTEN_H

#include "recipe/recipe.h"
#include "scratch.h"

static char models[64];

static inline int set_up(void **state) {
    scratch_open(state);
    snprintf(models, sizeof models, "%s/models", scratch);
    scratch_write("models/tiny.gguf", TEXT("GGUF"));
    scratch_write("models/small.gguf", TEXT("GGUF"));
    return 0;
}

/* ---- help for tests -------------------------------------------------------------------------------------------- */

#define HEAD     "problems: {file: p.jsonl}\nmodels: {a: {file: tiny}, b: {file: small}}\n"
#define TEACHERS "teachers: {one: {model: a}, two: {model: b}}\nmeta_prover: {model: b}\n"
#define RUN      "run: {out: o}\n"
#define MINIMAL  HEAD TEACHERS RUN

static inline cord_status load(cord_text yaml, const char *set, struct recipe *recipe, cord_error *err) {
    struct recipe_options options = {.set = &set, .n_set = set ? 1 : 0, .models_folder = models};
    return recipe_load(scratch_write("r.yaml", yaml), &options, recipe, err);
}

static inline void assert_refused(cord_text yaml, const char *set, const char *where, const char *part) {
    struct recipe recipe;
    cord_error err = {0};
    cord_status status = load(yaml, set, &recipe, &err);
    if (status == CORD_OK) fail_msg("taken, but should be refused with '%s'", part);
    if (strcmp(where, err.where[0] == '-' ? err.where : err.where + strlen(scratch) + 1) != 0 ||
        !strstr(err.message, part))
        fail_msg("got '%s: %s', want '%s: …%s…'", err.where, err.message, where, part);
}

#endif
