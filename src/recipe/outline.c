/* outline.c - a resolved recipe in outline: whether two runs are the same method, who scores, who has which model. It must
 * not know what runs made. */

#include "recipe/values.h"

#include "search/criterion.h"

#include <string.h>

/* Which problems were taken, and the seed, are not part of the method. */
static bool is_of_method(const struct recipe_key *key) {
    return !key->changes_no_result && strcmp(key->path, "run.seed") != 0 && strcmp(key->path, "problems.file") != 0;
}

/* A selection writes nothing: what it chooses among is its file. */
static bool is_of_selection(const struct recipe_key *key) {
    return is_of_method(key) || !strcmp(key->path, "problems.file");
}

static bool is_of_scorer(const struct recipe_key *key) {
    cord_text path = text_of(key->path);
    return is_of_method(key) && (text_starts(path, TEXT("meta_prover.")) || text_starts(path, TEXT("models.")));
}

static void put_names(struct buf *out, const char *what, const struct recipe_group *group) {
    buf_addf(out, "%s:", what);
    for (int i = 0; i < group->n; i++) buf_addf(out, " %s", group->names[i].name);
    buf_addc(out, '\n');
}

/* `name`: as it is told, NULL: not at all. */
static void put_value(struct buf *out, const struct recipe_value *value, const char *name) {
    if (!value || value_is_default(value)) return; /* so that a key that is younger than a recipe changes nothing */
    buf_addf(out, "%s %s%s", value->key->path, name ? name : "", name ? " " : "");
    value_for_hash(out, value);
    buf_addc(out, '\n');
}

/* The hash of all keys that `belongs` names, with the names of models and perhaps of teachers, whose order counts. */
static cord_status hash_keys(struct recipe_values *values, bool (*belongs)(const struct recipe_key *key), bool teachers,
                             const char **out, cord_error *err) {
    struct buf text;
    size_t n;
    const struct recipe_key *keys = recipe_keys(&n);
    buf_init(&text, "what a recipe is", RESOLVED_LIMIT);
    put_names(&text, "models", &values->models);
    if (teachers) put_names(&text, "teachers", &values->teachers);
    for (size_t i = 0; i < n; i++) {
        const struct recipe_group *group = values_group(values, keys[i].path);
        if (!belongs(&keys[i])) continue;
        if (!group) put_value(&text, values_get(values, keys[i].path, NULL), "");
        for (int j = 0; group && j < group->n; j++)
            put_value(&text, values_get(values, keys[i].path, group->names[j].name), group->names[j].name);
    }
    return sha256_buf(&text, 64, values->arena, out, err);
}

static cord_text say(const struct recipe_values *values, const char *path, const char *name) {
    const struct recipe_value *value = values_get(values, path, name);
    const struct recipe_key *key = recipe_key_exact(path);
    return value ? value->text : text_of(key ? key->fallback : NULL);
}

static int index_of(const struct recipe_outline *outline, cord_text name) {
    for (int i = 0; i < outline->n_models; i++)
        if (text_equal(text_of(outline->models[i]), name)) return i;
    return -1;
}

/* The model that a key names, or `otherwise` where it names none. */
static int named(const struct recipe_outline *outline, const struct recipe_values *values, const char *path,
                 int otherwise) {
    cord_text name = say(values, path, NULL);
    return name.len ? index_of(outline, name) : otherwise;
}

static void find_roles(struct recipe_outline *out, const struct recipe_values *values) {
    out->meta_model = index_of(out, say(values, "meta_prover.model", NULL));
    out->integration_model = -1;
    out->measuring_model = named(out, values, "measures.scorer", out->meta_model);
    if (text_equal(out->strategy, TEXT("integration")))
        out->integration_model = named(out, values, "integration.model", -1);
    const char *chooser = criterion_named(out->criterion)->chooser;
    out->chooser_model = !chooser ? out->meta_model : *chooser ? named(out, values, chooser, out->meta_model) : -1;
}

/* The hash of who measures PP: its model's keys, whatever its name, and the meta-prover's style, in which it is spoken to. What
 * its model wrote itself counts only where the score that chose is taken for PP (search/measure.c). */
static cord_status hash_measurer(struct recipe_values *values, struct recipe_outline *out, cord_error *err) {
    struct buf text;
    size_t n;
    const struct recipe_key *keys = recipe_keys(&n);
    int model = out->measuring_model;
    if (model < 0) return CORD_OK;
    bool reused =
        named(out, values, "measures.scorer", -1) < 0 && text_equal(out->criterion, TEXT("predictive-perplexity"));
    buf_init(&text, "who measures", RESOLVED_LIMIT);
    for (size_t i = 0; i < n; i++) {
        cord_text path = text_of(keys[i].path);
        if (!is_of_scorer(&keys[i]) || text_equal(path, TEXT("meta_prover.model"))) continue;
        if (text_equal(path, TEXT("meta_prover.reuse")) && !reused) continue;
        const char *name = values_group(values, keys[i].path) ? out->models[model] : NULL;
        put_value(&text, values_get(values, keys[i].path, name), NULL);
    }
    return sha256_buf(&text, 64, values->arena, &out->measurer, err);
}

/* Whether two names of models stand for the same, set up in the same way. */
static bool alike(const struct recipe_values *values, const char *a, const char *b) {
    size_t n;
    const struct recipe_key *keys = recipe_keys(&n);
    for (size_t i = 0; i < n; i++)
        if (text_starts(text_of(keys[i].path), TEXT("models.")) &&
            !value_same(values_get(values, keys[i].path, a), values_get(values, keys[i].path, b)))
            return false;
    return true;
}

static const char *field(const struct recipe_values *values, const char *path) {
    cord_text name = say(values, path, NULL);
    return name.len ? name.data : NULL;
}

void recipe_problem_fields(const struct recipe_values *values, struct problem_options *out) {
    *out = (struct problem_options){
        .id_field = field(values, "problems.id"),
        .question_field = field(values, "problems.question"),
        .answer_field = field(values, "problems.answer"),
        .target_field = field(values, "problems.target"),
        .context_field = field(values, "problems.context"),
        .full_context_field = field(values, "problems.full_context"),
        .format = (enum answer_format)text_place(say(values, "problems.format", NULL), answer_format_names),
        .judged = text_equal(say(values, "grading.by", NULL), text_of(grader_kind_names[GRADER_JUDGE])),
    };
}

cord_status recipe_outline(cord_text resolved, struct arena *arena, struct recipe_outline *out, cord_error *err) {
    struct recipe_values values = {.source = "the run's recipe", .arena = arena};
    *out = (struct recipe_outline){.method = "",
                                   .scorer = "",
                                   .measurer = "",
                                   .meta_model = -1,
                                   .chooser_model = -1,
                                   .measuring_model = -1,
                                   .integration_model = -1};
    if (!resolved.len) return CORD_OK;
    CORD_TRY(yaml_read_text(&values, resolved, err));
    bool selects = text_equal(say(&values, "search.strategy", NULL), TEXT("selection"));
    CORD_TRY(hash_keys(&values, selects ? is_of_selection : is_of_method, true, &out->method, err));
    CORD_TRY(hash_keys(&values, is_of_scorer, false, &out->scorer, err));
    out->strategy = say(&values, "search.strategy", NULL);
    out->criterion = say(&values, "search.criterion", NULL);
    out->seed = say(&values, "run.seed", NULL);
    out->n_models = values.models.n;
    out->n_teachers = values.teachers.n;
    out->models = arena_alloc(arena, (size_t)(out->n_models + 1) * sizeof *out->models);
    out->teachers = arena_alloc(arena, (size_t)(out->n_teachers + 1) * sizeof *out->teachers);
    out->teacher_model = arena_alloc(arena, (size_t)(out->n_teachers + 1) * sizeof *out->teacher_model);
    out->alike = arena_alloc(arena, (size_t)(out->n_models + 1) * sizeof *out->alike);
    if (!out->models || !out->teachers || !out->teacher_model || !out->alike) return error_memory(err);
    for (int i = 0; i < out->n_models; i++) {
        out->models[i] = values.models.names[i].name;
        while (out->alike[i] < i && !alike(&values, out->models[out->alike[i]], out->models[i])) out->alike[i]++;
    }
    find_roles(out, &values);
    CORD_TRY(hash_measurer(&values, out, err));
    recipe_problem_fields(&values, &out->problems);
    for (int k = 0; k < out->n_teachers; k++) {
        out->teachers[k] = values.teachers.names[k].name;
        out->teacher_model[k] = index_of(out, say(&values, "teachers.*.model", out->teachers[k]));
    }
    return CORD_OK;
}

cord_status recipe_said(cord_text resolved, const char *path, struct arena *arena, cord_text *out, cord_error *err) {
    struct recipe_values values = {.source = "the run's recipe", .arena = arena};
    *out = (cord_text){"", 0};
    if (!resolved.len) return CORD_OK;
    CORD_TRY(yaml_read_text(&values, resolved, err));
    *out = say(&values, path, NULL);
    return CORD_OK;
}
