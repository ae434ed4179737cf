/* participants.c - makes of a recipe's values who takes part and how each is spoken to: prompts, models, teachers. It must
 * not know YAML, nor open what the recipe names. */

#include "recipe/load.h"

#include "data/segment.h"

#include <sys/stat.h>

/* ---- prompts ----------------------------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    size_t offset;
} style_texts[] = {
    {"system", offsetof(struct prompt_style, system)},
    {"user", offsetof(struct prompt_style, user)},
    {"full", offsetof(struct prompt_style, full)},
    {"think_open", offsetof(struct prompt_style, think_open)},
    {"marker", offsetof(struct prompt_style, marker)},
    {"between", offsetof(struct prompt_style, between)},
    {"think_close", offsetof(struct prompt_style, think_close)},
    {"answer_open", offsetof(struct prompt_style, answer_open)},
    {"score_open", offsetof(struct prompt_style, score_open)},
    {"score_close", offsetof(struct prompt_style, score_close)},
};
enum { STYLE_TEXTS = sizeof style_texts / sizeof *style_texts };

static cord_text *style_text(struct prompt_style *style, int i) {
    return (cord_text *)((char *)style + style_texts[i].offset);
}

/* A preset says nothing of the date, so an earlier one stays. */
static cord_status style_preset(const struct load *load, const char *name, struct prompt_style *style) {
    const char *date = style->date;
    if (!prompt_preset(name, style))
        return error_set(load->err, CORD_INTERNAL, "the preset '%s' is in the table of keys only", name);
    prompt_segment(style, load->segmentation);
    style->date = date;
    return CORD_OK;
}

/* `at` is "", "teachers.*." or "meta_prover."; `name` stands for the star. Lays what is written there over `style`. */
static cord_status style_overlay(struct load *load, const char *at, const char *name, struct prompt_style *style) {
    char pattern[64];
    snprintf(pattern, sizeof pattern, "%sprompt.style", at);
    const char *preset = load_string(load, pattern, name);
    if (preset && strcmp(preset, load_string(load, "prompt.style", NULL)) != 0)
        CORD_TRY(style_preset(load, preset, style));
    for (int i = 0; i < STYLE_TEXTS; i++) {
        snprintf(pattern, sizeof pattern, "%sprompt.%s", at, style_texts[i].word);
        const struct recipe_value *value = values_get(&load->values, pattern, name);
        if (value) *style_text(style, i) = value->text;
    }
    snprintf(pattern, sizeof pattern, "%sprompt.date", at);
    const struct recipe_value *date = values_get(&load->values, pattern, name);
    if (date) style->date = date->text.len ? date->text.data : NULL;
    return CORD_OK;
}

/* Writes a participant's whole style back as values, so that the resolved recipe holds it. */
static cord_status style_note(struct load *load, const char *at, const char *name, struct prompt_style *style) {
    char pattern[64];
    snprintf(pattern, sizeof pattern, "%sprompt.style", at);
    const char *preset = load_string(load, pattern, name);
    CORD_TRY(load_put(load, pattern, name, text_of(preset ? preset : load_string(load, "prompt.style", NULL))));
    for (int i = 0; i < STYLE_TEXTS; i++) {
        snprintf(pattern, sizeof pattern, "%sprompt.%s", at, style_texts[i].word);
        CORD_TRY(load_put(load, pattern, name, *style_text(style, i)));
    }
    snprintf(pattern, sizeof pattern, "%sprompt.date", at);
    return load_put(load, pattern, name, text_of(style->date ? style->date : ""));
}

/* A text of somebody's prompt as it was written, there or for all, and its path. */
static cord_status find_written(const struct load *load, const char *at, const char *name, const char *word,
                                const struct recipe_value **value, const char **path) {
    char pattern[64];
    snprintf(pattern, sizeof pattern, "%sprompt.%s", at, word);
    *value = values_get(&load->values, pattern, name);
    if (!*value) *value = values_get(&load->values, pattern + strlen(at), NULL);
    *path = recipe_key_path((*value)->key, (*value)->name, &load->recipe->arena);
    return *path ? CORD_OK : error_memory(load->err);
}

/* Steps that markers divide need one; others have none, nor anything between them that the models did not write. */
static cord_status check_marker(struct load *load, const char *at, const char *name, const struct prompt_style *style) {
    bool marked = style->segmentation == SEGMENTATION_STEPS;
    const char *word = marked || style->marker.len ? "marker" : "between";
    if (marked ? style->marker.len > 0 : !style->marker.len && !style->between.len) return CORD_OK;
    const struct recipe_value *value;
    const char *path;
    CORD_TRY(find_written(load, at, name, word, &value, &path));
    const char *how = segmentation_names[style->segmentation];
    if (marked)
        return values_error(&load->values, value->place, load->err,
                            "%s: '' is empty, and search.segmentation: %s needs a marker, as \"### Step {n}.\"", path,
                            how);
    return values_error(&load->values, value->place, load->err,
                        "%s goes with search.segmentation: steps, and this recipe has search.segmentation: %s, which "
                        "puts nothing between steps; change one of the two, or leave %s out",
                        path, how, path);
}

/* What a teacher writes ends its thinking by this text, so it must say something. */
static cord_status check_close(struct load *load, const char *at, const char *name, const struct prompt_style *style) {
    const struct recipe_value *value;
    const char *path;
    if (!name || text_trim(style->think_close).len) return CORD_OK; /* the meta-prover writes nothing */
    CORD_TRY(find_written(load, at, name, "think_close", &value, &path));
    return values_error(
        &load->values, value->place, load->err,
        "%s: %s is blank, and nothing says where the thinking ends; give what the models write there, as "
        "\"</think>\"",
        path, yaml_excerpt(value->text, &load->recipe->arena));
}

static cord_status load_style(struct load *load, const char *at, const char *name, struct prompt_style *style) {
    style->date = NULL;
    CORD_TRY(style_preset(load, load_string(load, "prompt.style", NULL), style));
    CORD_TRY(style_overlay(load, "", NULL, style));
    CORD_TRY(style_overlay(load, at, name, style));
    CORD_TRY(check_marker(load, at, name, style));
    CORD_TRY(check_close(load, at, name, style));
    if (style->segmentation == SEGMENTATION_PREFIX)
        style->prefixes = values_get(&load->values, "search.prefixes", NULL)->text;
    return style_note(load, at, name, style);
}

/* ---- models ------------------------------------------------------------------------------------------------------ */

static cord_status check_model(struct load *load, const char *name, struct recipe_place place) {
    const struct recipe_value *file = values_get(&load->values, "models.*.file", name);
    const struct recipe_value *url = values_get(&load->values, "models.*.url", name);
    bool local = file && file->text.len, remote = url && url->text.len;
    if (local && remote)
        return values_error(&load->values, url->place, load->err,
                            "models.%s.url: the model has a file, too; remove one of the two", name);
    if (!local && !remote)
        return values_error(
            &load->values, place, load->err,
            "models.%s.file is missing (a path to a GGUF, or the name of a model that is here; or url, of a server)",
            name);
    static const char *const of_servers[] = {"models.*.model",    "models.*.api_key_env",  "models.*.requests",
                                             "models.*.template", "models.*.device",       "models.*.stream",
                                             "models.*.price_in", "models.*.price_cached", "models.*.price_out",
                                             "models.*.protocol", "models.*.continue"};
    for (size_t i = 0; local && i < sizeof of_servers / sizeof *of_servers; i++) {
        const struct recipe_value *value = values_get(&load->values, of_servers[i], name);
        if (value && !value_is_default(value))
            return values_error(&load->values, value->place, load->err,
                                "%s goes with url, and %s has a file; remove one of the two",
                                recipe_key_path(value->key, name, &load->recipe->arena), name);
    }
    return CORD_OK;
}

cord_status load_check_models(struct load *load) {
    const struct recipe_group *models = &load->values.models;
    for (int i = 0; i < models->n; i++) CORD_TRY(check_model(load, models->names[i].name, models->names[i].place));
    return CORD_OK;
}

/* A file, or the name of a known format where there is no such file. */
static cord_status load_template(struct load *load, struct recipe_model *model, const char *name) {
    const struct recipe_value *value = values_get(&load->values, "models.*.template", name);
    struct arena *arena = &load->recipe->arena;
    struct load_folder folder = {"", ""};
    CORD_TRY(load_folder_of(load, value, &folder));
    const char *path = load_seen_from(folder.seen, value->text.data, arena);
    const char *real = load_seen_from(folder.real, value->text.data, arena);
    if (!path || !real) return error_memory(load->err);
    struct stat info;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        model->template_path = path;
        return load_put(load, "models.*.template", name, text_of(real));
    }
    model->options.chat_template = chat_template_known(value->text.data).data;
    if (model->options.chat_template) return CORD_OK;

    const char *hint = chat_template_hint(value->text.data, arena);
    if (!hint) return error_memory(load->err);
    return values_error(&load->values, value->place, load->err,
                        "models.%s.template: there is no file %s, nor a format of that name; %s", name, path, hint);
}

static cord_status load_server(struct load *load, struct recipe_model *model, const char *name) {
    const char *protocol = load_string(load, "models.*.protocol", name);
    model->options.url = load_string(load, "models.*.url", name);
    model->options.protocol = strcmp(protocol, "auto") != 0 ? protocol : NULL;
    model->options.served = load_string(load, "models.*.model", name);
    const char *continuing = load_string(load, "models.*.continue", name);
    model->options.going_on = strcmp(continuing, "auto") != 0 ? continuing : NULL;
    if (model->options.going_on && strcmp(protocol, "chat") != 0)
        return values_error(
            &load->values, values_get(&load->values, "models.*.continue", name)->place, load->err,
            "models.%s.continue goes with protocol: chat, and %s has protocol: %s; change one of the two", name, name,
            protocol);
    model->options.stream = load_number(load, "models.*.stream", name) != 0;
    model->api_key_env = load_string(load, "models.*.api_key_env", name);
    model->options.device = load_string(load, "models.*.device", name);
    model->options.requests = (int)load_number(load, "models.*.requests", name);
    model->price_in = load_number(load, "models.*.price_in", name);
    model->price_cached = load_number(load, "models.*.price_cached", name);
    model->price_out = load_number(load, "models.*.price_out", name);
    if (model->price_cached < 0) model->price_cached = model->price_in;
    return load_string(load, "models.*.template", name) ? load_template(load, model, name) : CORD_OK;
}

static cord_status load_model(struct load *load, struct recipe_model *model, const char *name) {
    struct arena *arena = &load->recipe->arena;
    const struct recipe_value *file = values_get(&load->values, "models.*.file", name);
    model->name = name;
    model->parameters = 1e9 * load_number(load, "models.*.parameters", name);
    model->options = (cord_model_options){
        .name = name,
        .context = (int)load_number(load, "models.*.context", name),
        .cells = (int)load_number(load, "models.*.cells", name),
        .sequences = (int)load_number(load, "models.*.sequences", name),
        .gpu_layers = (int)load_number(load, "models.*.gpu_layers", name),
    };
    if (!file || !file->text.len) return load_server(load, model, name);
    if (load->no_files)
        return values_error(&load->values, file->place, load->err, "models.%s.file: %s", name, load->no_files);
    struct load_folder folder = {"", ""};
    CORD_TRY(load_folder_of(load, file, &folder));
    cord_status status =
        recipe_find_model(file->text.data, folder.seen, load->models_folder, arena, &model->options.path, load->err);
    if (status != CORD_OK) {
        if (file->place.set)
            error_where(load->err, "--set %s", file->place.set);
        else
            error_where(load->err, "%s:%d:%d: models.%s.file", file->place.file, file->place.line, file->place.column,
                        name);
        return status;
    }
    /* A manifest's name stays a name: where the weights lie is this machine's business. */
    if (text_equal(text_of(model->options.path),
                   text_of(arena_printf(arena, "%s/%s.gguf", load->models_folder ? load->models_folder : "",
                                        file->text.data))))
        return CORD_OK;
    const char *real = load_seen_from(folder.real, file->text.data, arena);
    return real ? load_put(load, "models.*.file", name, text_of(real)) : error_memory(load->err);
}

cord_status load_find_model(struct load *load, const char *pattern, const char *name, int *model) {
    const struct recipe_group *models = &load->values.models;
    const struct recipe_value *value = values_get(&load->values, pattern, name);
    const char *words[RECIPE_NAMES];
    for (int i = 0; i < models->n; i++) {
        words[i] = models->names[i].name;
        if (!strcmp(words[i], value->text.data)) {
            *model = i;
            return CORD_OK;
        }
    }
    const char *path = recipe_key_path(value->key, name, &load->recipe->arena);
    const char *near = text_nearest(value->text.data, words, (size_t)models->n);
    const char *hint = near ? arena_printf(&load->recipe->arena, "did you mean '%s'? ", near) : "";
    if (!path || !hint) return error_memory(load->err);
    return values_error(&load->values, value->place, load->err, "%s: there is no model %s; %smodels here: %s", path,
                        yaml_excerpt(value->text, &load->recipe->arena), hint,
                        values_names(models, &load->recipe->arena));
}

/* Whether anybody among those that take part has this model. */
static bool takes_part(const struct recipe *recipe, int model) {
    bool part = model == recipe->meta_model || model == recipe->judge_model || model == recipe->integration_model ||
                model == recipe->judgment_model || model == recipe->reward_model || model == recipe->scorer_model ||
                model == recipe->held_out_model;
    for (int k = 0; k < recipe->n_teachers; k++) part = part || recipe->teachers[k].model == model;
    return part;
}

/* Models that nobody has are not opened, so that their files and servers need not be there: of a recipe that extends another
 * with all its teachers, and those of teachers alone where a selection asks none. In the resolved recipe they stay. */
cord_status load_models(struct load *load) {
    struct recipe *recipe = load->recipe;
    const struct recipe_group *models = &load->values.models;
    int *const users[] = {&recipe->meta_model,     &recipe->judge_model,  &recipe->integration_model,
                          &recipe->judgment_model, &recipe->reward_model, &recipe->scorer_model,
                          &recipe->held_out_model};
    int place[RECIPE_NAMES], kept = 0;
    for (int i = 0; i < models->n; i++) {
        place[i] = kept;
        if (takes_part(recipe, i)) {
            CORD_TRY(load_model(load, &recipe->models[kept++], models->names[i].name));
            continue;
        }
        struct recipe_model unused = {0};
        cord_error *err = load->err;
        load->err = NULL;
        cord_status status = load_model(load, &unused, models->names[i].name);
        load->err = err;
        if (status == CORD_NO_MEMORY) return error_memory(err);
    }
    recipe->n_models = kept;
    for (size_t u = 0; u < sizeof users / sizeof *users; u++)
        if (*users[u] >= 0) *users[u] = place[*users[u]];
    for (int k = 0; k < recipe->n_teachers; k++) recipe->teachers[k].model = place[recipe->teachers[k].model];
    return CORD_OK;
}

/* ---- teachers and the meta-prover -------------------------------------------------------------------------------- */

static cord_status load_teacher(struct load *load, struct recipe_teacher *teacher, const char *name) {
    teacher->name = name;
    CORD_TRY(load_find_model(load, "teachers.*.model", name, &teacher->model));
    teacher->sampling = (cord_sampling){
        .temperature = (float)load_number(load, "teachers.*.temperature", name),
        .top_p = (float)load_number(load, "teachers.*.top_p", name),
        .top_k = (int)load_number(load, "teachers.*.top_k", name),
        .min_p = (float)load_number(load, "teachers.*.min_p", name),
        .repeat_penalty = (float)load_number(load, "teachers.*.repeat_penalty", name),
        .repeat_last = (int)load_number(load, "teachers.*.repeat_last", name),
    };
    return load_style(load, "teachers.*.", name, &teacher->style);
}

/* A trace has the meta-prover's markers, whoever wrote its steps. A teacher that is asked behind others would write a number into
 * its step which stands in the marker already, or none where none does; and its steps would not end at the markers it sees. */
static cord_status check_same_marker(struct load *load, int teacher) {
    const struct recipe *recipe = load->recipe;
    cord_text its = recipe->teachers[teacher].style.marker, trace = recipe->meta_style.marker;
    bool same_number = segment_is_numbered(its) == segment_is_numbered(trace);
    if (same_number && text_equal(segment_heading(its), segment_heading(trace))) return CORD_OK;
    return values_error(
        &load->values, load->values.teachers.names[teacher].place, load->err,
        "teachers.%s: its prompt.marker is %s, and the meta-prover's, with which a trace is written, is "
        "%s; set teachers.%s.prompt.marker to that, or give both the same prompt.style",
        recipe->teachers[teacher].name, yaml_excerpt(its, &load->recipe->arena),
        yaml_excerpt(trace, &load->recipe->arena), recipe->teachers[teacher].name);
}

cord_status load_participants(struct load *load) {
    struct recipe *recipe = load->recipe;
    for (int i = 0; i < recipe->n_teachers; i++)
        CORD_TRY(load_teacher(load, &recipe->teachers[i], load->values.teachers.names[i].name));
    CORD_TRY(load_find_model(load, "meta_prover.model", NULL, &recipe->meta_model));
    CORD_TRY(load_style(load, "meta_prover.", NULL, &recipe->meta_style));
    for (int i = 0; i < recipe->n_teachers; i++) CORD_TRY(check_same_marker(load, i));
    return CORD_OK;
}
