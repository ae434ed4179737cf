/* written.h - what the tests of recipes share: a folder with two models, a recipe written into it and read, and one that is
 * refused at a place, with words. */
#ifndef CORD_TEST_WRITTEN_H
#define CORD_TEST_WRITTEN_H

#include "recipe/recipe.h"
#include "support.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/cord-recipe-XXXXXX";
static char file[64], models[64];

static inline void write_text(const char *path, cord_text text) {
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text.data, 1, text.len, out), text.len);
    assert_int_equal(fclose(out), 0);
}

static inline int set_up(void **state) {
    (void)state;
    char path[96];
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/r.yaml", folder);
    snprintf(models, sizeof models, "%s/models", folder);
    if (mkdir(models, 0700)) return -1;
    const char *names[] = {"tiny", "small"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s.gguf", models, names[i]);
        write_text(path, TEXT("GGUF"));
    }
    return 0;
}

static inline int tear_down(void **state) {
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* ---- help for tests -------------------------------------------------------------------------------------------- */

#define HEAD     "problems: {file: p.jsonl}\nmodels: {a: {file: tiny}, b: {file: small}}\n"
#define TEACHERS "teachers: {one: {model: a}, two: {model: b}}\nmeta_prover: {model: b}\n"
#define RUN      "run: {out: o}\n"
#define MINIMAL  HEAD TEACHERS RUN

static inline cord_status load(cord_text yaml, const char *set, struct recipe *recipe, cord_error *err) {
    write_text(file, yaml);
    struct recipe_options options = {.set = &set, .n_set = set ? 1 : 0, .models_folder = models};
    return recipe_load(file, &options, recipe, err);
}

static inline void assert_refused(cord_text yaml, const char *set, const char *where, const char *part) {
    struct recipe recipe;
    cord_error err = {0};
    cord_status status = load(yaml, set, &recipe, &err);
    if (status == CORD_OK) fail_msg("taken, but should be refused with '%s'", part);
    if (strcmp(where, err.where[0] == '-' ? err.where : err.where + strlen(folder) + 1) != 0 ||
        !strstr(err.message, part))
        fail_msg("got '%s: %s', want '%s: …%s…'", err.where, err.message, where, part);
}

#endif
