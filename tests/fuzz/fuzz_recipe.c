/* fuzz_recipe.c - the recipe reader with any file. A recipe that is taken must mean the same when it is written out in
 * full and read again. A first line "#set KEY=VALUE" (a comment, for YAML) is given as an override, too. */
#include "fuzz.h"

#include "recipe/recipe.h"

static cord_status load(cord_text content, const char *set, struct recipe *recipe, cord_error *err) {
    struct memory_file file = memory_file_open(content);
    const struct recipe_options options = {.set = &set, .n_set = set ? 1 : 0};
    cord_status status = recipe_load(file.path, &options, recipe, err);
    memory_file_close(&file);
    return status;
}

static void check_style(const struct prompt_style *style) {
    assert(text_find(style->user, TEXT("{question}")) >= 0);
    assert(!style->full.len || text_find(style->full, TEXT("{question}")) >= 0);
    assert(text_trim(style->marker).len > 0 && !text_starts(text_trim(style->marker), TEXT("{n}")));
}

static void check_recipe(const struct recipe *recipe) {
    assert(recipe->problems.path && recipe->out);
    assert(recipe->n_models >= 1 && recipe->n_teachers >= 1);
    assert(recipe->meta_model >= 0 && recipe->meta_model < recipe->n_models);
    for (int i = 0; i < recipe->n_models; i++) assert(recipe->models[i].options.path);
    for (int i = 0; i < recipe->n_teachers; i++) {
        assert(recipe->teachers[i].model >= 0 && recipe->teachers[i].model < recipe->n_models);
        check_style(&recipe->teachers[i].style);
    }
    check_style(&recipe->meta_style);
    assert(recipe->search.beam >= 1 && recipe->search.beam <= 64);
    assert(is_utf8(recipe->resolved));
}

/* The resolved recipe is a recipe, says the same, and differs in nothing. */
static void check_resolved(const struct recipe *recipe) {
    struct recipe again;
    struct arena arena;
    cord_error err = {0};
    cord_text differences;
    cord_status status = load(recipe->resolved, NULL, &again, &err);
    if (status != CORD_OK)
        fprintf(stderr, "%s: %s\n%.*s", err.where, err.message, (int)recipe->resolved.len, recipe->resolved.data);
    assert(status == CORD_OK);
    assert(text_equal(again.resolved, recipe->resolved));
    arena_init(&arena);
    assert(recipe_differences(recipe->resolved, again.resolved, false, &arena, &differences, &err) == CORD_OK);
    assert(differences.len == 0);
    arena_release(&arena);
    recipe_release(&again);
}

/* What follows "#set " in the first line, or NULL. The caller frees it. */
static char *find_set(cord_text content) {
    cord_text key = TEXT("#set ");
    ptrdiff_t end = text_find(content, TEXT("\n"));
    if (end < 0 || !text_starts(content, key) || (size_t)end < key.len) return NULL;
    return strndup(content.data + key.len, (size_t)end - key.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cord_text content = {(const char *)data, size};
    char *set = find_set(content);
    struct recipe recipe;
    cord_error err = {0};
    cord_status status = load(content, set, &recipe, &err);
    if (status == CORD_OK) {
        check_recipe(&recipe);
        check_resolved(&recipe);
        recipe_release(&recipe);
    } else {
        check_error(status, &err);
    }
    free(set);
    return 0;
}
