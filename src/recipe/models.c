/* models.c - finds a model's file from what a user wrote. It must not know recipes, nor what is in the file. */

#include "recipe/recipe.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MOST_NAMES = 12 }; /* of the models that are there, in an error */

static bool is_file(const char *path, bool *folder) {
    struct stat info;
    bool there = stat(path, &info) == 0;
    *folder = there && S_ISDIR(info.st_mode);
    return there && !*folder;
}

static int is_gguf(const struct dirent *entry) {
    return entry->d_name[0] != '.' && text_ends(text_of(entry->d_name), TEXT(".gguf"));
}

/* The names in a folder of models ("a, b"), and the one nearest to `name`. In `arena`. */
static const char *names_there(const char *folder, const char *name, const char **near, struct arena *arena) {
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_gguf, alphasort);
    const char *names = "", **words = arena_alloc(arena, (size_t)(n > 0 ? n : 1) * sizeof *words);
    size_t n_words = 0;
    for (int i = 0; i < n; i++) {
        cord_text file = text_of(entries[i]->d_name);
        const char *word = arena_text(arena, text_slice(file, 0, file.len - strlen(".gguf"))).data;
        if (word && words && names) {
            if (n_words < MOST_NAMES) names = arena_printf(arena, "%s%s%s", names, n_words ? ", " : "", word);
            words[n_words++] = word;
        }
        free(entries[i]);
    }
    free(entries);
    if (names && n_words > MOST_NAMES) names = arena_printf(arena, "%s and %zu more", names, n_words - MOST_NAMES);
    *near = text_nearest(name, words, n_words);
    return names && *names ? names : "none";
}

static cord_status missing_path(const char *path, bool folder, cord_error *err) {
    if (folder) return error_set(err, CORD_BAD_MODEL, "%s is a folder; a model is one GGUF file", path);
    if (errno == EACCES) return error_set(err, CORD_BAD_MODEL, "no permission to look at the model file %s", path);
    return error_set(err, CORD_BAD_MODEL,
                     "there is no model file %s; correct the path, or give the name of a model of "
                     "models/manifest.tsv, which `make models` fetches",
                     path);
}

static cord_status missing_name(const char *name, const char *folder, struct arena *arena, cord_error *err) {
    if (!folder)
        return error_set(err, CORD_BAD_MODEL,
                         "there is no file '%s', and no folder of models to look for it by name; give a "
                         "path to a GGUF file, or set CORD_MODELS",
                         name);
    const char *near, *there = names_there(folder, name, &near, arena);
    const char *hint = near ? arena_printf(arena, "; did you mean '%s'?", near) : ".";
    return error_set(err, CORD_BAD_MODEL,
                     "there is no model '%s' in %s (there: %s)%s Fetch the models of "
                     "models/manifest.tsv with `make models`, or give a path to a GGUF file",
                     name, folder, there, hint ? hint : ".");
}

cord_status recipe_find_model(const char *name, const char *base, const char *models_folder, struct arena *arena,
                              const char **path, cord_error *err) {
    bool folder, is_path = strchr(name, '/') || text_ends(text_of(name), TEXT(".gguf"));
    const char *file = base && *base && name[0] != '/' ? arena_printf(arena, "%s/%s", base, name) : name;
    if (!file) return error_memory(err);
    if (is_file(file, &folder)) {
        *path = file;
        return CORD_OK;
    }
    if (is_path) return missing_path(file, folder, err);
    if (!models_folder) return missing_name(name, NULL, arena, err);
    file = arena_printf(arena, "%s/%s.gguf", models_folder, name);
    if (!file) return error_memory(err);
    if (!is_file(file, &folder)) return missing_name(name, models_folder, arena, err);
    *path = file;
    return CORD_OK;
}
