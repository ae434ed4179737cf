/* load.c - makes a recipe out of its values: who takes part, how each is spoken to, where files lie. It must not know
 * YAML, nor open what the recipe names. */

#include "recipe/values.h"

#include "data/boundary.h"
#include "search/criterion.h"
#include "search/integration.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct load {
    struct recipe *recipe;
    struct recipe_values values;
    const char *path;                     /* of the recipe */
    const char *models_folder, *no_files; /* as the options have them */
    bool selection;
    cord_error *err;
    enum segmentation segmentation; /* of all participants: a boundary means the same for all */
};

/* ---- values ---------------------------------------------------------------------------------------------------- */

static double number(const struct load *load, const char *pattern, const char *name) {
    return values_get(&load->values, pattern, name)->number; /* numbers always have a default */
}

static const char *string(const struct load *load, const char *pattern, const char *name) {
    const struct recipe_value *value = values_get(&load->values, pattern, name);
    return value && value->text.len ? value->text.data : NULL;
}

/* Notes what a value came to, for the resolved recipe. */
static cord_status put(struct load *load, const char *pattern, const char *name, cord_text text) {
    struct recipe_value value = {.key = recipe_key_exact(pattern), .name = name, .text = text};
    const struct recipe_value *old = values_get(&load->values, pattern, name);
    if (old) value.place = old->place;
    return values_put(&load->values, &value, load->err);
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

/* A recipe's folder: as reached from here ("" for the current one), and absolute. */
struct folder {
    const char *seen, *real;
};

static cord_status folder_of(const struct load *load, const char *path, struct folder *folder) {
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

/* What a value's files are relative to: the folder of the recipe that it stands in. */
static cord_status folder_of_value(const struct load *load, const struct recipe_value *value, struct folder *folder) {
    return folder_of(load, value->place.file ? value->place.file : load->path, folder);
}

/* `file` as it stands in the recipe, seen from `folder`. */
static const char *seen_from(const char *folder, const char *file, struct arena *arena) {
    return *folder && file[0] != '/' ? arena_printf(arena, "%s/%s", folder, file) : file;
}

/* ---- prompts --------------------------------------------------------------------------------------------------- */

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
    const char *preset = string(load, pattern, name);
    if (preset && strcmp(preset, string(load, "prompt.style", NULL)) != 0) CORD_TRY(style_preset(load, preset, style));
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
    const char *preset = string(load, pattern, name);
    CORD_TRY(put(load, pattern, name, text_of(preset ? preset : string(load, "prompt.style", NULL))));
    for (int i = 0; i < STYLE_TEXTS; i++) {
        snprintf(pattern, sizeof pattern, "%sprompt.%s", at, style_texts[i].word);
        CORD_TRY(put(load, pattern, name, *style_text(style, i)));
    }
    snprintf(pattern, sizeof pattern, "%sprompt.date", at);
    return put(load, pattern, name, text_of(style->date ? style->date : ""));
}

/* Steps that markers divide need one; others have none, nor anything between them that the models did not write. */
static cord_status check_marker(struct load *load, const char *at, const char *name, const struct prompt_style *style) {
    bool marked = style->segmentation == SEGMENTATION_STEPS;
    const char *word = marked || style->marker.len ? "marker" : "between";
    if (marked ? style->marker.len > 0 : !style->marker.len && !style->between.len) return CORD_OK;
    char pattern[64], general[64];
    snprintf(general, sizeof general, "prompt.%s", word);
    snprintf(pattern, sizeof pattern, "%s%s", at, general);
    const struct recipe_value *value = values_get(&load->values, pattern, name);
    if (!value) value = values_get(&load->values, general, NULL);
    const char *path = recipe_key_path(value->key, value->name, &load->recipe->arena);
    if (!path) return error_memory(load->err);
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

static cord_status load_style(struct load *load, const char *at, const char *name, struct prompt_style *style) {
    style->date = NULL;
    CORD_TRY(style_preset(load, string(load, "prompt.style", NULL), style));
    CORD_TRY(style_overlay(load, "", NULL, style));
    CORD_TRY(style_overlay(load, at, name, style));
    CORD_TRY(check_marker(load, at, name, style));
    if (style->segmentation == SEGMENTATION_PREFIX)
        style->prefixes = values_get(&load->values, "search.prefixes", NULL)->text;
    return style_note(load, at, name, style);
}

/* ---- the parts of a recipe ------------------------------------------------------------------------------------- */

static cord_status load_problems(struct load *load) {
    static const char *const formats[] = {"auto", "verbatim", "hashes", "boxed", "integer"};
    struct arena *arena = &load->recipe->arena;
    const char *file = string(load, "problems.file", NULL), *format = string(load, "problems.format", NULL);
    struct folder folder = {"", ""};
    CORD_TRY(folder_of_value(load, values_get(&load->values, "problems.file", NULL), &folder));
    const char *real = seen_from(folder.real, file, arena);
    struct problem_options *problems = &load->recipe->problems;
    *problems = (struct problem_options){
        .path = seen_from(folder.seen, file, arena),
        .id_field = string(load, "problems.id", NULL),
        .question_field = string(load, "problems.question", NULL),
        .answer_field = string(load, "problems.answer", NULL),
        .target_field = string(load, "problems.target", NULL),
        .context_field = string(load, "problems.context", NULL),
        .full_context_field = string(load, "problems.full_context", NULL),
        .judged = !strcmp(string(load, "grading.by", NULL), grader_kind_names[GRADER_JUDGE]),
        .skip = (int64_t)number(load, "problems.skip", NULL),
        .limit = (int64_t)number(load, "problems.limit", NULL),
    };
    for (int i = 0; i < 5; i++)
        if (!strcmp(format, formats[i])) problems->format = (enum answer_format)i;
    if (!problems->path || !real) return error_memory(load->err);
    return put(load, "problems.file", NULL, text_of(real));
}

/* A file and what goes with it, or a server and what goes with that. */
static cord_status check_where(struct load *load, const char *name, struct recipe_place place) {
    const struct recipe_value *file = values_get(&load->values, "models.*.file", name);
    const struct recipe_value *url = values_get(&load->values, "models.*.url", name);
    bool local = file && file->text.len, remote = url && url->text.len;
    if (local && remote)
        return values_error(&load->values, url->place, load->err,
                            "models.%s.url: the model has a file, too; remove one of the two", name);
    if (!local && !remote)
        return values_error(
            &load->values, place, load->err,
            "models.%s.file is missing (a path to a GGUF, or a name of models/manifest.tsv; or url, of a server)",
            name);
    static const char *const of_servers[] = {"models.*.model",    "models.*.api_key_env",  "models.*.requests",
                                             "models.*.template", "models.*.device",       "models.*.stream",
                                             "models.*.price_in", "models.*.price_cached", "models.*.price_out"};
    for (size_t i = 0; local && i < sizeof of_servers / sizeof *of_servers; i++) {
        const struct recipe_value *value = values_get(&load->values, of_servers[i], name);
        if (value && !value_is_default(value))
            return values_error(&load->values, value->place, load->err,
                                "%s goes with url, and %s has a file; remove one of the two",
                                recipe_key_path(value->key, name, &load->recipe->arena), name);
    }
    return CORD_OK;
}

/* A file, or the name of a known format where there is no such file. */
static cord_status load_template(struct load *load, struct recipe_model *model, const char *name) {
    const struct recipe_value *value = values_get(&load->values, "models.*.template", name);
    struct arena *arena = &load->recipe->arena;
    struct folder folder = {"", ""};
    CORD_TRY(folder_of_value(load, value, &folder));
    const char *path = seen_from(folder.seen, value->text.data, arena);
    const char *real = seen_from(folder.real, value->text.data, arena);
    if (!path || !real) return error_memory(load->err);
    struct stat info;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        model->template_path = path;
        return put(load, "models.*.template", name, text_of(real));
    }
    model->options.chat_template = chat_template_known(value->text.data).data;
    if (model->options.chat_template) return CORD_OK;

    enum { MOST_NAMES = 32 };
    const char *words[MOST_NAMES], *names = "", *word;
    int n = 0;
    for (; n < MOST_NAMES && (word = chat_template_name(n)) && names; n++) {
        names = arena_printf(arena, "%s%s%s", names, n ? ", " : "", word);
        words[n] = word;
    }
    const char *near = value->text.len < 64 ? text_nearest(value->text.data, words, (size_t)n) : NULL;
    const char *hint = near ? arena_printf(arena, "did you mean '%s'? ", near) : "";
    if (!names || !hint) return error_memory(load->err);
    return values_error(&load->values, value->place, load->err,
                        "models.%s.template: there is no file %s, nor a format of that name; %sformats with a name: %s",
                        name, path, hint, names);
}

static cord_status load_server(struct load *load, struct recipe_model *model, const char *name) {
    const char *protocol = string(load, "models.*.protocol", name);
    model->options.url = string(load, "models.*.url", name);
    model->options.protocol = strcmp(protocol, "auto") != 0 ? protocol : NULL;
    model->options.served = string(load, "models.*.model", name);
    const char *continuing = string(load, "models.*.continue", name);
    model->options.going_on = strcmp(continuing, "auto") != 0 ? continuing : NULL;
    if (model->options.going_on && strcmp(protocol, "chat") != 0)
        return values_error(
            &load->values, values_get(&load->values, "models.*.continue", name)->place, load->err,
            "models.%s.continue goes with protocol: chat, and %s has protocol: %s; change one of the two", name, name,
            protocol);
    model->options.stream = number(load, "models.*.stream", name) != 0;
    model->api_key_env = string(load, "models.*.api_key_env", name);
    model->options.device = string(load, "models.*.device", name);
    model->options.requests = (int)number(load, "models.*.requests", name);
    model->price_in = number(load, "models.*.price_in", name);
    model->price_cached = number(load, "models.*.price_cached", name);
    model->price_out = number(load, "models.*.price_out", name);
    if (model->price_cached < 0) model->price_cached = model->price_in;
    return string(load, "models.*.template", name) ? load_template(load, model, name) : CORD_OK;
}

static cord_status load_model(struct load *load, struct recipe_model *model, const char *name) {
    struct arena *arena = &load->recipe->arena;
    const struct recipe_value *file = values_get(&load->values, "models.*.file", name);
    model->name = name;
    model->parameters = 1e9 * number(load, "models.*.parameters", name);
    model->options = (cord_model_options){
        .name = name,
        .context = (int)number(load, "models.*.context", name),
        .cells = (int)number(load, "models.*.cells", name),
        .sequences = (int)number(load, "models.*.sequences", name),
        .gpu_layers = (int)number(load, "models.*.gpu_layers", name),
    };
    if (!file || !file->text.len) return load_server(load, model, name);
    if (load->no_files)
        return values_error(&load->values, file->place, load->err, "models.%s.file: %s", name, load->no_files);
    struct folder folder = {"", ""};
    CORD_TRY(folder_of_value(load, file, &folder));
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
    const char *real = seen_from(folder.real, file->text.data, arena);
    return real ? put(load, "models.*.file", name, text_of(real)) : error_memory(load->err);
}

/* The index of the model that a teacher or the meta-prover names. */
static cord_status find_model(struct load *load, const char *pattern, const char *name, int *model) {
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
    const char *near =
        value->text.len < RECIPE_NAME_BYTES ? text_nearest(value->text.data, words, (size_t)models->n) : NULL;
    const char *hint = near ? arena_printf(&load->recipe->arena, "did you mean '%s'? ", near) : "";
    if (!path || !hint) return error_memory(load->err);
    return values_error(&load->values, value->place, load->err, "%s: there is no model %s; %smodels here: %s", path,
                        yaml_excerpt(value->text, &load->recipe->arena), hint,
                        values_names(models, &load->recipe->arena));
}

static cord_status load_teacher(struct load *load, struct recipe_teacher *teacher, const char *name) {
    teacher->name = name;
    CORD_TRY(find_model(load, "teachers.*.model", name, &teacher->model));
    teacher->sampling = (cord_sampling){
        .temperature = (float)number(load, "teachers.*.temperature", name),
        .top_p = (float)number(load, "teachers.*.top_p", name),
        .top_k = (int)number(load, "teachers.*.top_k", name),
        .min_p = (float)number(load, "teachers.*.min_p", name),
        .repeat_penalty = (float)number(load, "teachers.*.repeat_penalty", name),
        .repeat_last = (int)number(load, "teachers.*.repeat_last", name),
    };
    return load_style(load, "teachers.*.", name, &teacher->style);
}

/* How a search tree grows; the number of simulations is written out for the resolved recipe. */
static cord_status load_tree(struct load *load, struct search_settings *search) {
    search->exploration = number(load, "search.exploration", NULL);
    search->simulations = (int)number(load, "search.simulations", NULL);
    if (search->simulations) return CORD_OK;
    search->simulations = 2 * load->values.teachers.n;
    char *text = arena_printf(&load->recipe->arena, "%d", search->simulations);
    return text ? put(load, "search.simulations", NULL, text_of(text)) : error_memory(load->err);
}

static cord_status load_strategy(struct load *load, struct search_settings *search) {
    const char *name = string(load, "search.strategy", NULL);
    while (strcmp(strategy_names[search->strategy], name) != 0) search->strategy++;
    bool complete = search->strategy == STRATEGY_CURATION || search->strategy == STRATEGY_REJECTION ||
                    search->strategy == STRATEGY_INTEGRATION;
    bool tree = search->strategy == STRATEGY_MCTS;
    const struct recipe_value *runs = values_get(&load->values, "search.runs", NULL);
    const struct recipe_value *first = values_get(&load->values, "search.stop_at_first_finished", NULL);
    if (complete && first->number != 0)
        return values_error(&load->values, first->place, load->err,
                            "search.stop_at_first_finished contradicts search.strategy: %s, which compares complete "
                            "traces; remove one of the two",
                            name);
    if (tree && first->number != 0)
        return values_error(&load->values, first->place, load->err,
                            "search.stop_at_first_finished contradicts search.strategy: mcts, each of whose runs ends "
                            "with one finished trajectory; remove one of the two");
    if (tree) CORD_TRY(load_tree(load, search));
    if (search->strategy == STRATEGY_SELECTION && !load->selection)
        return values_error(&load->values, values_get(&load->values, "search.strategy", NULL)->place, load->err,
                            "search.strategy: selection is for traces that there are already: cord select FILE "
                            "--recipe RECIPE --out FOLDER");
    search->runs = load->selection ? 1 : (int)runs->number;
    if (load->selection) return put(load, "search.runs", NULL, TEXT("1"));
    if (search->runs) return CORD_OK;
    search->runs = complete || tree ? 4 : 1;
    return put(load, "search.runs", NULL, search->runs == 4 ? TEXT("4") : TEXT("1"));
}

/* Only cord's beam is wider than 1; one that was written down and says otherwise is a contradiction, not a preference. */
static cord_status load_beam(struct load *load, int *beam) {
    const struct recipe_value *value = values_get(&load->values, "search.beam", NULL);
    *beam = (int)value->number;
    const char *strategy = string(load, "search.strategy", NULL);
    if (!strcmp(strategy, "cord") || *beam == 1) return CORD_OK;
    if (!load->selection && (value->place.line || value->place.set))
        return values_error(&load->values, value->place, load->err,
                            "search.beam: %d contradicts search.strategy: %s, whose beam is 1; remove one of the two",
                            *beam, strategy);
    *beam = 1;
    return put(load, "search.beam", NULL, TEXT("1"));
}

static cord_status load_search(struct load *load) {
    struct search_settings *search = &load->recipe->search;
    *search = (struct search_settings){
        .step_tokens = (int)number(load, "search.step_tokens", NULL),
        .think_tokens = (int)number(load, "search.think_tokens", NULL),
        .answer_tokens = (int)number(load, "search.answer_tokens", NULL),
        .answer_temperature = (float)number(load, "search.answer_temperature", NULL),
        .stop_at_first_finished = number(load, "search.stop_at_first_finished", NULL) != 0,
        .adaptive = !strcmp(string(load, "search.proposals", NULL), "adaptive"),
        .agreement = number(load, "search.agreement", NULL),
        .patience = (int)number(load, "search.patience", NULL),
        .tie_within_noise = number(load, "search.tie_within_noise", NULL) != 0,
        .correct_first = number(load, "search.correct_first", NULL) != 0,
        .seed = (uint64_t)number(load, "run.seed", NULL),
    };
    CORD_TRY(load_strategy(load, search));
    bool competes = search->strategy == STRATEGY_CORD || search->strategy == STRATEGY_GREEDY;
    if (search->adaptive && !competes)
        return values_error(
            &load->values, values_get(&load->values, "search.proposals", NULL)->place, load->err,
            "search.proposals: adaptive goes with search.strategy: cord or greedy, and this recipe has %s; "
            "change one of the two",
            strategy_names[search->strategy]);
    return load_beam(load, &search->beam);
}

/* What belongs to one grader says nothing to the others: it is refused, not passed over. Resolved recipes write all
 * defaults out, so it is the value that counts, not whether there is one. */
static cord_status check_owner(struct load *load, const char *pattern, const char *choice, const char *owner) {
    const struct recipe_value *value = values_get(&load->values, pattern, NULL);
    const char *chosen = string(load, choice, NULL);
    if (!value || !chosen || !strcmp(chosen, owner)) return CORD_OK;
    if (value_is_default(value)) return CORD_OK;
    return values_error(&load->values, value->place, load->err,
                        "%s goes with %s: %s, and this recipe has %s: %s; change one of the two, or leave %s out",
                        pattern, choice, owner, choice, chosen, pattern);
}

/* Where steps end; the paper's phrases are written out for the resolved recipe. */
static cord_status load_segmentation(struct load *load) {
    const char *how = string(load, "search.segmentation", NULL);
    for (int i = 0; segmentation_names[i]; i++)
        if (!strcmp(how, segmentation_names[i])) load->segmentation = (enum segmentation)i;
    if (load->segmentation != SEGMENTATION_PREFIX)
        return check_owner(load, "search.prefixes", "search.segmentation", "prefix");
    if (!string(load, "search.prefixes", NULL)) {
        struct prompt_style paper = {.segmentation = SEGMENTATION_STEPS};
        prompt_segment(&paper, SEGMENTATION_PREFIX);
        return put(load, "search.prefixes", NULL, paper.prefixes);
    }
    const struct recipe_value *value = values_get(&load->values, "search.prefixes", NULL);
    const char *complaint = boundary_phrases_complaint(value->text);
    if (!complaint) return CORD_OK;
    return values_error(&load->values, value->place, load->err,
                        "search.prefixes: %s %s; it takes phrases divided by commas, as \"wait, let me check\"",
                        yaml_excerpt(value->text, &load->recipe->arena), complaint);
}

static cord_status check_owners(struct load *load) {
    static const struct {
        const char *pattern, *choice, *owner;
    } keys[] = {
        {"grading.numbers", "grading.by", "math"},
        {"grading.tolerance", "grading.numbers", "relative"},
        {"grading.command", "grading.by", "command"},
        {"grading.seconds", "grading.by", "command"},
        {"grading.model", "grading.by", "judge"},
        {"grading.system", "grading.by", "judge"},
        {"grading.prompt", "grading.by", "judge"},
        {"grading.tokens", "grading.by", "judge"},
        {"grading.temperature", "grading.by", "judge"},
        {"search.simulations", "search.strategy", "mcts"},
        {"search.agreement", "search.proposals", "adaptive"},
        {"search.patience", "search.proposals", "adaptive"},
        {"search.exploration", "search.strategy", "mcts"},
        {"search.correct_first", "search.strategy", "selection"},
        {"judgment.model", "search.criterion", "judge"},
        {"judgment.completions", "search.criterion", "judge"},
        {"judgment.tokens", "search.criterion", "judge"},
        {"judgment.temperature", "search.criterion", "judge"},
        {"judgment.sentence", "search.criterion", "judge"},
        {"reward.model", "search.criterion", "prm"},
        {"reward.format", "search.criterion", "prm"},
        {"reward.aggregate", "search.criterion", "prm"},
        {"contrast.samples", "search.criterion", "contrast"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        CORD_TRY(check_owner(load, keys[i].pattern, keys[i].choice, keys[i].owner));
    return CORD_OK;
}

/* What a choice ("grading.by") cannot do without. */
static cord_status need(struct load *load, const char *choice, const char *pattern, const char *what) {
    return values_error(&load->values, values_get(&load->values, choice, NULL)->place, load->err, "%s: %s needs %s: %s",
                        choice, string(load, choice, NULL), pattern, what);
}

/* Its texts are written out for the resolved recipe. */
static cord_status load_integration_texts(struct load *load) {
    struct recipe *recipe = load->recipe;
    if (!string(load, "integration.system", NULL))
        CORD_TRY(put(load, "integration.system", NULL, integration_system()));
    if (!string(load, "integration.prompt", NULL)) CORD_TRY(put(load, "integration.prompt", NULL, integration_form()));
    const struct recipe_value *form = values_get(&load->values, "integration.prompt", NULL);
    const char *complaint = integration_form_complaint(form->text);
    if (complaint) return values_error(&load->values, form->place, load->err, "integration.prompt %s", complaint);
    recipe->search.integration.form = form->text;
    recipe->integration_style =
        (struct prompt_style){.system = values_get(&load->values, "integration.system", NULL)->text,
                              .user = TEXT("{question}"),
                              .date = string(load, "prompt.date", NULL)};
    return CORD_OK;
}

static cord_status load_integration(struct load *load) {
    static const char *const keys[] = {"integration.model",  "integration.system",      "integration.prompt",
                                       "integration.tokens", "integration.temperature", "integration.tries"};
    struct recipe *recipe = load->recipe;
    recipe->integration_model = -1;
    if (recipe->search.strategy != STRATEGY_INTEGRATION) {
        /* what a recipe says of another strategy is its own business where traces are only selected */
        for (size_t i = 0; i < sizeof keys / sizeof *keys && !load->selection; i++)
            CORD_TRY(check_owner(load, keys[i], "search.strategy", "integration"));
        return CORD_OK;
    }
    if (!string(load, "integration.model", NULL))
        return need(load, "search.strategy", "integration.model",
                    arena_printf(&recipe->arena, "the model that merges the traces (models here: %s)",
                                 values_names(&load->values.models, &recipe->arena)));
    CORD_TRY(find_model(load, "integration.model", NULL, &recipe->integration_model));
    for (int i = 0; i < load->values.teachers.n; i++)
        if (!strcmp(load->values.teachers.names[i].name, INTEGRATOR))
            return values_error(&load->values, load->values.teachers.names[i].place, load->err,
                                "teachers: with search.strategy: integration the name '%s' is that of who merges the "
                                "traces; choose another",
                                INTEGRATOR);
    recipe->search.integration.tokens = (int)number(load, "integration.tokens", NULL);
    recipe->search.integration.tries = (int)number(load, "integration.tries", NULL);
    recipe->integration_sampling =
        (cord_sampling){.temperature = (float)number(load, "integration.temperature", NULL), .top_p = 0.95F};
    return load_integration_texts(load);
}

static cord_status load_judge(struct load *load, struct grading *grading, int *model) {
    if (!string(load, "grading.model", NULL))
        return need(load, "grading.by", "grading.model",
                    arena_printf(&load->recipe->arena, "the model that judges (models here: %s)",
                                 values_names(&load->values.models, &load->recipe->arena)));
    CORD_TRY(find_model(load, "grading.model", NULL, model));
    if (!string(load, "grading.prompt", NULL)) CORD_TRY(put(load, "grading.prompt", NULL, judge_prompt()));
    const struct recipe_value *prompt = values_get(&load->values, "grading.prompt", NULL);
    const struct recipe_value *system = values_get(&load->values, "grading.system", NULL);
    const char *complaint = judge_prompt_complaint(prompt->text);
    if (complaint) return values_error(&load->values, prompt->place, load->err, "grading.prompt %s", complaint);
    grading->prompt = prompt->text;
    if (system) grading->system = system->text;
    return CORD_OK;
}

static cord_status load_grading(struct load *load) {
    struct grading *grading = &load->recipe->grading;
    const char *by = string(load, "grading.by", NULL), *numbers = string(load, "grading.numbers", NULL);
    *grading = (struct grading){
        .math = {.tolerance = number(load, "grading.tolerance", NULL)},
        .command = string(load, "grading.command", NULL),
        .seconds = number(load, "grading.seconds", NULL),
        .date = string(load, "prompt.date", NULL),
        .tokens = (int)number(load, "grading.tokens", NULL),
        .temperature = (float)number(load, "grading.temperature", NULL),
    };
    for (int i = 0; grader_kind_names[i]; i++)
        if (!strcmp(by, grader_kind_names[i])) grading->by = (enum grader_kind)i;
    for (int i = 0; number_rule_names[i]; i++)
        if (!strcmp(numbers, number_rule_names[i])) grading->math.numbers = (cord_number_rule)i;
    load->recipe->judge_model = -1;
    CORD_TRY(check_owners(load));
    if (grading->math.numbers == CORD_NUMBERS_RELATIVE && !(grading->math.tolerance > 0))
        return need(load, "grading.numbers", "grading.tolerance", "the largest |answer - gold| / |gold|, as 0.01");
    if (grading->by == GRADER_COMMAND && (!grading->command || !text_trim(text_of(grading->command)).len))
        return need(load, "grading.by", "grading.command", "the program that grades, as \"python3 check.py\"");
    if (grading->by == GRADER_JUDGE) CORD_TRY(load_judge(load, grading, &load->recipe->judge_model));
    return CORD_OK;
}

/* The number of a choice's value in its list. */
static int choice(const struct load *load, const char *pattern, const char *const *names) {
    const char *value = string(load, pattern, NULL);
    int number = 0;
    while (names[number] && strcmp(names[number], value) != 0) number++;
    return number;
}

/* The model that a key names, or `otherwise` where it names none. */
static cord_status load_named(struct load *load, const char *pattern, int otherwise, int *model) {
    *model = otherwise;
    return string(load, pattern, NULL) ? find_model(load, pattern, NULL, model) : CORD_OK;
}

/* Only one kind of server reads a classification head; whether an unnamed one is of it, asking will show. */
static cord_status check_head(struct load *load) {
    const struct recipe_value *format = values_get(&load->values, "reward.format", NULL);
    const char *name = string(load, "reward.model", NULL), *protocol = string(load, "models.*.protocol", name);
    bool served = values_get(&load->values, "models.*.url", name);
    if (served && (!protocol || !strcmp(protocol, "auto") || !strcmp(protocol, "vllm"))) return CORD_OK;
    return values_error(&load->values, format->place, load->err,
                        "reward.format: qwen2.5-math-prm is read of a classification head, which only vLLM tells, and "
                        "models.%s is %s%s; start `vllm serve` with the reward model, and %s",
                        name, served ? "asked by the protocol " : "a file", served ? protocol : "",
                        served ? "give its url there, and no other protocol than vllm"
                               : "give its url there in place of the file");
}

static cord_status load_reward(struct load *load, struct search_settings *search) {
    search->reward_format = (enum reward_format)choice(load, "reward.format", reward_format_names);
    search->reward_aggregate = (enum reward_aggregate)choice(load, "reward.aggregate", reward_aggregate_names);
    if (!string(load, "reward.model", NULL))
        return need(load, "search.criterion", "reward.model",
                    arena_printf(&load->recipe->arena, "the process reward model (models here: %s)",
                                 values_names(&load->values.models, &load->recipe->arena)));
    CORD_TRY(find_model(load, "reward.model", NULL, &load->recipe->reward_model));
    return search->reward_format == REWARD_QWEN ? check_head(load) : CORD_OK;
}

/* UCB adds a constant times a doubt to a mean reward: what that constant does is known for rewards between 0 and 1. */
static cord_status check_rewards(struct load *load) {
    const struct search_settings *search = &load->recipe->search;
    if (search->strategy != STRATEGY_MCTS || search->criterion->unit) return CORD_OK;
    struct buf names;
    buf_init(&names, "names of criteria", 4096);
    for (int i = 0; criteria[i]; i++)
        if (criteria[i]->unit) buf_addf(&names, "%s%s", names.len ? ", " : "", criteria[i]->name);
    cord_status status = buf_check(&names, load->err);
    if (status == CORD_OK)
        status = values_error(&load->values, values_get(&load->values, "search.criterion", NULL)->place, load->err,
                              "search.criterion: %s contradicts search.strategy: mcts, which goes with criteria whose "
                              "scores lie between 0 and 1 (%s); change one of the two",
                              search->criterion->name, names.data);
    buf_release(&names);
    return status;
}

/* By what reasonings are chosen, and who measures them afterwards. Needs check_owners. */
static cord_status load_criterion(struct load *load) {
    struct recipe *recipe = load->recipe;
    struct search_settings *search = &recipe->search;
    const struct recipe_value *sentence = values_get(&load->values, "judgment.sentence", NULL);
    search->criterion = criteria[choice(load, "search.criterion", criterion_names)];
    search->judgment = (struct judgment){
        .completions = (int)number(load, "judgment.completions", NULL),
        .tokens = (int)number(load, "judgment.tokens", NULL),
        .temperature = (float)number(load, "judgment.temperature", NULL),
        .sentence = sentence ? sentence->text : (cord_text){"", 0},
    };
    search->contrast_samples = (int)number(load, "contrast.samples", NULL);
    recipe->judgment_model = recipe->reward_model = -1;
    CORD_TRY(check_rewards(load));
    CORD_TRY(load_named(load, "measures.scorer", recipe->meta_model, &recipe->scorer_model));
    CORD_TRY(load_named(load, "measures.held_out", -1, &recipe->held_out_model));
    if (!strcmp(search->criterion->name, "prm")) CORD_TRY(load_reward(load, search));
    if (!strcmp(search->criterion->name, "judge"))
        CORD_TRY(load_named(load, "judgment.model", recipe->meta_model, &recipe->judgment_model));
    return CORD_OK;
}

/* Whether anybody among those that take part has this model. */
static bool takes_part(const struct recipe *recipe, int model) {
    bool part = model == recipe->meta_model || model == recipe->judge_model || model == recipe->integration_model ||
                model == recipe->judgment_model || model == recipe->reward_model || model == recipe->scorer_model ||
                model == recipe->held_out_model;
    for (int k = 0; k < recipe->n_teachers; k++) part = part || recipe->teachers[k].model == model;
    return part;
}

/* For a selection, models that only teachers have are not there to be opened; their files need not be, either. In the
 * resolved recipe they stay, so that it says the same of models as that of a run. */
static cord_status load_models(struct load *load) {
    struct recipe *recipe = load->recipe;
    const struct recipe_group *models = &load->values.models;
    int *const users[] = {&recipe->meta_model,     &recipe->judge_model,  &recipe->integration_model,
                          &recipe->judgment_model, &recipe->reward_model, &recipe->scorer_model,
                          &recipe->held_out_model};
    int place[RECIPE_NAMES], kept = 0;
    for (int i = 0; i < models->n; i++) {
        place[i] = kept;
        if (!load->selection || takes_part(recipe, i)) {
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
    for (size_t u = 0; load->selection && u < sizeof users / sizeof *users; u++)
        if (*users[u] >= 0) *users[u] = place[*users[u]];
    return CORD_OK;
}

static void load_servers(const struct load *load, cord_server_limits *limits) {
    *limits = (cord_server_limits){
        .connect = number(load, "servers.connect", NULL),
        .first_byte = number(load, "servers.first_byte", NULL),
        .idle = number(load, "servers.idle", NULL),
        .tries = (int)number(load, "servers.tries", NULL),
        .backoff = number(load, "servers.backoff", NULL),
        .longest_pause = number(load, "servers.longest_pause", NULL),
    };
}

/* What the file says is checked before the files it names are looked for. */
static cord_status load_parts(struct load *load) {
    struct recipe *recipe = load->recipe;
    const struct recipe_group *models = &load->values.models, *teachers = &load->values.teachers;
    recipe->models = arena_alloc(&recipe->arena, (size_t)models->n * sizeof *recipe->models);
    recipe->teachers = arena_alloc(&recipe->arena, (size_t)(teachers->n + 1) * sizeof *recipe->teachers);
    if (!recipe->models || !recipe->teachers) return error_memory(load->err);
    recipe->n_models = models->n, recipe->n_teachers = teachers->n;
    CORD_TRY(load_segmentation(load));
    if (load->selection) recipe->n_teachers = 0;
    for (int i = 0; i < recipe->n_teachers; i++)
        CORD_TRY(load_teacher(load, &recipe->teachers[i], teachers->names[i].name));
    CORD_TRY(find_model(load, "meta_prover.model", NULL, &recipe->meta_model));
    CORD_TRY(load_style(load, "meta_prover.", NULL, &recipe->meta_style));
    CORD_TRY(load_search(load));
    CORD_TRY(load_integration(load));
    CORD_TRY(load_grading(load));
    CORD_TRY(load_criterion(load));
    load_servers(load, &recipe->servers);
    recipe->out = string(load, "run.out", NULL);
    recipe->budget.requests = (int64_t)number(load, "budget.requests", NULL);
    recipe->budget.tokens = (int64_t)number(load, "budget.tokens", NULL);
    recipe->budget.money = number(load, "budget.money", NULL);
    recipe->threads = (int)number(load, "run.threads", NULL);
    recipe->in_flight = (int)number(load, "run.in_flight", NULL);
    recipe->memory = (uint64_t)(number(load, "run.memory", NULL) * 0x1p30);
    recipe->reproducible = number(load, "run.reproducible", NULL) != 0;
    recipe->meta_reuse = number(load, "meta_prover.reuse", NULL) != 0;
    if (recipe->meta_reuse && recipe->reproducible)
        return values_error(&load->values, values_get(&load->values, "meta_prover.reuse", NULL)->place, load->err,
                            "meta_prover.reuse contradicts run.reproducible, since such scores depend on who wrote a "
                            "text; set one of the two to false");
    for (int i = 0; i < models->n; i++) CORD_TRY(check_where(load, models->names[i].name, models->names[i].place));
    CORD_TRY(load_problems(load));
    CORD_TRY(load_models(load));
    if (load->selection) load->values.teachers.n = 0;
    return resolve_text(&load->values, &recipe->resolved, load->err);
}

/* ---- recipes --------------------------------------------------------------------------------------------------- */

enum { MOST_EXTENDED = 8 };

/* A recipe, and before it the one that it extends, whose values it changes. `depth`: how many extend this one. */
static cord_status read_recipe(struct load *load, const char *path, int depth) {
    struct arena *arena = &load->recipe->arena;
    struct buf text;
    CORD_TRY(file_read(path, "recipe", RECIPE_LIMIT, &text, load->err));
    load->values.source = path;
    const char *extended = NULL;
    struct folder folder = {"", ""};
    cord_status status = folder_of(load, path, &folder);
    if (status == CORD_OK) status = yaml_extends(&load->values, buf_text(&text), &extended, load->err);
    if (status == CORD_OK && extended && depth == MOST_EXTENDED)
        status = values_error(&load->values, (struct recipe_place){0}, load->err,
                              "more than %d recipes extend one another, or one extends itself", MOST_EXTENDED);
    else if (status == CORD_OK && extended) {
        const char *file = seen_from(folder.seen, extended, arena);
        status = file ? read_recipe(load, file, depth + 1) : error_memory(load->err);
        if (status == CORD_IO_ERROR || status == CORD_BAD_INPUT) error_where(load->err, "%s: extends", path);
    }
    load->values.source = path;
    if (status == CORD_OK) status = yaml_read(&load->values, buf_text(&text), load->err);
    buf_release(&text);
    return status;
}

/* `text`: the recipe itself; NULL: it lies at load->path. */
static cord_status load_all(struct load *load, const cord_text *text, const struct recipe_options *options) {
    CORD_TRY(text ? yaml_read(&load->values, *text, load->err) : read_recipe(load, load->path, 0));
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
