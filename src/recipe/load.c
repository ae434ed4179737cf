/* load.c - makes a recipe out of its values, and reads the recipes that it extends before it: where files lie, the problems,
 * the bounds of a run. Who takes part is participants.c's to read, how it searches method.c's. It must not know YAML, nor
 * open what the recipe names. */

#include "recipe/load.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- values ------------------------------------------------------------------------------------------------------ */

double load_number(const struct load *load, const char *pattern, const char *name) {
    return values_get(&load->values, pattern, name)->number; /* numbers always have a default */
}

const char *load_string(const struct load *load, const char *pattern, const char *name) {
    const struct recipe_value *value = values_get(&load->values, pattern, name);
    return value && value->text.len ? value->text.data : NULL;
}

cord_status load_put(struct load *load, const char *pattern, const char *name, cord_text text) {
    struct recipe_value value = {.key = recipe_key_exact(pattern), .name = name, .text = text};
    const struct recipe_value *old = values_get(&load->values, pattern, name);
    if (old) value.place = old->place;
    return values_put(&load->values, &value, load->err);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static cord_status folder_of(const struct load *load, const char *path, struct load_folder *folder) {
    struct arena *arena = &load->recipe->arena;
    const char *slash = strrchr(path, '/');
    size_t len = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    folder->seen = arena_text(arena, (cord_text){path, len}).data;
    if (!folder->seen) return error_memory(load->err);
    char *real = realpath(*folder->seen ? folder->seen : ".", NULL);
    if (!real) return error_errno(load->err, "find the folder of", path);
    folder->real = arena_text(arena, text_of(real)).data;
    free(real);
    return folder->real ? CORD_OK : error_memory(load->err);
}

cord_status load_folder_of(const struct load *load, const struct recipe_value *value, struct load_folder *folder) {
    const struct recipe_place *place = &value->place;
    return folder_of(load, place->set ? "" : place->file ? place->file : load->path, folder);
}

const char *load_seen_from(const char *folder, const char *file, struct arena *arena) {
    return *folder && file[0] != '/' ? arena_printf(arena, "%s/%s", folder, file) : file;
}

/* ---- the parts of a recipe --------------------------------------------------------------------------------------- */

static cord_status load_problems(struct load *load) {
    struct arena *arena = &load->recipe->arena;
    const char *file = load_string(load, "problems.file", NULL);
    struct load_folder folder = {"", ""};
    CORD_TRY(load_folder_of(load, values_get(&load->values, "problems.file", NULL), &folder));
    const char *real = load_seen_from(folder.real, file, arena);
    struct problem_options *problems = &load->recipe->problems;
    recipe_problem_fields(&load->values, problems);
    problems->path = load_seen_from(folder.seen, file, arena);
    problems->skip = (int64_t)load_number(load, "problems.skip", NULL);
    problems->limit = (int64_t)load_number(load, "problems.limit", NULL);
    if (!problems->path || !real) return error_memory(load->err);
    return load_put(load, "problems.file", NULL, text_of(real));
}

/* Whose certificates are trusted. */
static cord_status load_authorities(struct load *load, cord_server_limits *limits) {
    const struct recipe_value *value = values_get(&load->values, "servers.authorities", NULL);
    const char *file = load_string(load, "servers.authorities", NULL);
    struct load_folder folder = {"", ""};
    if (!file) return CORD_OK;
    CORD_TRY(load_folder_of(load, value, &folder));
    limits->authorities = load_seen_from(folder.real, file, &load->recipe->arena);
    if (!limits->authorities) return error_memory(load->err);
    if (access(limits->authorities, R_OK) != 0)
        return values_error(&load->values, value->place, load->err, "servers.authorities: cannot read '%s': %s",
                            limits->authorities, strerror(errno));
    return load_put(load, "servers.authorities", NULL, text_of(limits->authorities));
}

static cord_status load_servers(struct load *load, cord_server_limits *limits) {
    *limits = (cord_server_limits){
        .connect = load_number(load, "servers.connect", NULL),
        .first_byte = load_number(load, "servers.first_byte", NULL),
        .idle = load_number(load, "servers.idle", NULL),
        .tries = (int)load_number(load, "servers.tries", NULL),
        .backoff = load_number(load, "servers.backoff", NULL),
        .longest_pause = load_number(load, "servers.longest_pause", NULL),
    };
    return load_authorities(load, limits);
}

static bool any_model(const struct load *load, bool (*has)(const struct load *load, const char *name)) {
    const struct recipe_group *models = &load->values.models;
    for (int i = 0; i < models->n; i++)
        if (has(load, models->names[i].name)) return true;
    return false;
}

static bool is_served(const struct load *load, const char *name) {
    return load_string(load, "models.*.url", name) != NULL;
}

static bool has_price(const struct load *load, const char *name) {
    return load_number(load, "models.*.price_in", name) > 0 || load_number(load, "models.*.price_cached", name) > 0 ||
           load_number(load, "models.*.price_out", name) > 0;
}

/* A bound on what nothing adds to would never be reached. */
static cord_status check_budget(const struct load *load) {
    static const char *const keys[] = {"budget.requests", "budget.tokens", "budget.money"};
    bool served = any_model(load, is_served), priced = any_model(load, has_price);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        bool counted = i < 2 ? served : priced;
        if (counted || load_number(load, keys[i], NULL) <= 0) continue;
        return values_error(&load->values, values_get(&load->values, keys[i], NULL)->place, load->err,
                            "%s bounds what servers are asked, and no model has a %s; remove it, or give one", keys[i],
                            i < 2 ? "url" : "price (price_in, price_cached, price_out)");
    }
    return CORD_OK;
}

/* What the file says is checked before the files it names are looked for. */
static cord_status load_parts(struct load *load) {
    struct recipe *recipe = load->recipe;
    const int n_models = load->values.models.n, n_teachers = load->values.teachers.n;
    recipe->models = arena_alloc(&recipe->arena, (size_t)n_models * sizeof *recipe->models);
    recipe->teachers = arena_alloc(&recipe->arena, (size_t)(n_teachers + 1) * sizeof *recipe->teachers);
    if (!recipe->models || !recipe->teachers) return error_memory(load->err);
    recipe->n_models = n_models, recipe->n_teachers = load->selection ? 0 : n_teachers;
    CORD_TRY(load_segmentation(load));
    CORD_TRY(load_participants(load));
    CORD_TRY(load_method(load));
    CORD_TRY(load_servers(load, &recipe->servers));
    recipe->out = load_string(load, "run.out", NULL);
    recipe->budget.requests = (int64_t)load_number(load, "budget.requests", NULL);
    recipe->budget.tokens = (int64_t)load_number(load, "budget.tokens", NULL);
    recipe->budget.money = load_number(load, "budget.money", NULL);
    recipe->threads = (int)load_number(load, "run.threads", NULL);
    recipe->in_flight = (int)load_number(load, "run.in_flight", NULL);
    recipe->pilot = (int)load_number(load, "search.pilot", NULL);
    recipe->least_share = load_number(load, "search.least_share", NULL);
    recipe->memory = (uint64_t)(load_number(load, "run.memory", NULL) * 0x1p30);
    recipe->reproducible = load_number(load, "run.reproducible", NULL) != 0;
    recipe->meta_reuse = load_number(load, "meta_prover.reuse", NULL) != 0;
    if (recipe->meta_reuse && recipe->reproducible)
        return values_error(&load->values, values_get(&load->values, "meta_prover.reuse", NULL)->place, load->err,
                            "meta_prover.reuse contradicts run.reproducible, since such scores depend on who wrote a "
                            "text; set one of the two to false");
    CORD_TRY(load_check_models(load));
    CORD_TRY(check_budget(load));
    CORD_TRY(load_problems(load));
    CORD_TRY(load_models(load));
    if (load->selection) load->values.teachers.n = 0;
    return resolve_text(&load->values, &recipe->resolved, load->err);
}

/* ---- recipes ----------------------------------------------------------------------------------------------------- */

enum { MOST_EXTENDED = 8 };

static cord_status read_recipe(struct load *load, const char *path, int depth);

/* The recipe that this one extends, if it does. `depth`: how many extend this one. */
static cord_status read_extended(struct load *load, const char *path, struct yaml *yaml, int depth) {
    struct arena *arena = &load->recipe->arena;
    struct load_folder folder = {"", ""};
    const char *extended = NULL;
    struct recipe_place place = {0};
    CORD_TRY(folder_of(load, path, &folder));
    CORD_TRY(yaml_extends(yaml, arena, &extended, &place, load->err));
    if (!extended) return CORD_OK;
    if (depth == MOST_EXTENDED)
        return values_error(&load->values, place, load->err,
                            "more than %d recipes extend one another, or one extends itself", MOST_EXTENDED);
    const char *file = load_seen_from(folder.seen, extended, arena);
    if (!file) return error_memory(load->err);
    cord_status status = read_recipe(load, file, depth + 1);
    if (status == CORD_IO_ERROR || status == CORD_BAD_INPUT)
        error_where(load->err, "%s:%d:%d: extends", path, place.line, place.column);
    return status;
}

/* A recipe, and before it the one that it extends, whose values it changes. */
static cord_status read_recipe(struct load *load, const char *path, int depth) {
    struct buf text;
    struct yaml *yaml = NULL;
    CORD_TRY(file_read(path, "recipe", RESOLVED_LIMIT, &text, load->err));
    load->values.source = path;
    cord_status status = yaml_open(&load->values, buf_text(&text), &yaml, load->err);
    if (status == CORD_OK) status = read_extended(load, path, yaml, depth);
    load->values.source = path; /* again: it was the extended one's */
    if (status == CORD_OK) status = yaml_read(yaml, &load->values, load->err);
    yaml_close(yaml);
    buf_release(&text);
    return status;
}

/* `text`: the recipe itself; NULL: it lies at load->path. */
static cord_status load_all(struct load *load, const cord_text *text, const struct recipe_options *options) {
    CORD_TRY(text ? yaml_read_text(&load->values, *text, load->err) : read_recipe(load, load->path, 0));
    for (int i = 0; i < options->n_set; i++) CORD_TRY(values_set(&load->values, options->set[i], load->err));
    CORD_TRY(values_complete(&load->values, !load->selection, load->err));
    return load_parts(load);
}

static cord_status load_from(const char *path, const cord_text *text, const struct recipe_options *options,
                             struct recipe *recipe, cord_error *err) {
    *recipe = (struct recipe){0};
    arena_init(&recipe->arena);
    struct load load = {
        .recipe = recipe,
        .path = path,
        .values = {.source = path, .arena = &recipe->arena},
        .models_folder = options->models_folder,
        .no_files = options->no_files,
        .selection = options->selection,
        .err = err,
    };
    cord_status status = load_all(&load, text, options);
    if (status != CORD_OK) recipe_release(recipe);
    return status;
}

cord_status recipe_load(const char *path, const struct recipe_options *options, struct recipe *recipe,
                        cord_error *err) {
    return load_from(path, NULL, options, recipe, err);
}

cord_status recipe_load_text(const char *source, cord_text text, const struct recipe_options *options,
                             struct recipe *recipe, cord_error *err) {
    return load_from(source, &text, options, recipe, err);
}

void recipe_release(struct recipe *recipe) {
    arena_release(&recipe->arena);
    *recipe = (struct recipe){0};
}
