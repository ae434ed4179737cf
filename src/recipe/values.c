/* values.c - the values of a recipe: checked by the table, kept, overridden, completed with defaults. It must not know
 * YAML documents, or what the values are for. */

#include "recipe/values.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- errors ---------------------------------------------------------------------------------------------------- */

cord_status values_error(const struct recipe_values *values, struct recipe_place place, cord_error *err,
                         const char *format, ...) {
    char message[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (place.set)
        error_where(err, "--set %s", place.set);
    else if (place.line)
        error_where(err, "%s:%d:%d", place.file ? place.file : values->source, place.line, place.column);
    else
        error_where(err, "%s", values->source);
    return error_set(err, CORD_BAD_RECIPE, "%s", message);
}

static const char too_long[] = "is too long", empty[] = "is empty";

/* "search.beam: 'two' COMPLAINT; allowed: a whole number, 1 to 64"; of a text, how long it may be says nothing of most
 * complaints, and what it is for does. */
static cord_status refuse(const struct recipe_values *values, const struct recipe_value *value, cord_error *err,
                          const char *complaint) {
    const char *path = recipe_key_path(value->key, value->name, values->arena);
    size_t n = 0;
    while (value->key->choices && value->key->choices[n]) n++;
    const char *near = text_nearest(value->text.data, value->key->choices, n);
    struct buf allowed;
    buf_init(&allowed, "allowed values", 1024);
    if (near) buf_addf(&allowed, "did you mean '%s'? ", near);
    if (value->key->type != RECIPE_TEXT || complaint == too_long || complaint == empty) {
        buf_addf(&allowed, "allowed: ");
        recipe_key_allowed(value->key, &allowed);
    } else
        buf_addf(&allowed, "it is: %s", value->key->doc);
    cord_status status = path ? buf_check(&allowed, err) : error_memory(err);
    if (status == CORD_OK)
        status = values_error(values, value->place, err, "%s: %s %s; %s", path,
                              yaml_excerpt(value->text, values->arena), complaint, allowed.data);
    buf_release(&allowed);
    return status;
}

/* ---- checks ---------------------------------------------------------------------------------------------------- */

static bool is_date(cord_text t) {
    if (t.len != 10) return false;
    for (size_t i = 0; i < t.len; i++)
        if (i == 4 || i == 7 ? t.data[i] != '-' : t.data[i] < '0' || t.data[i] > '9') return false;
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = atoi(t.data), month = atoi(t.data + 5), day = atoi(t.data + 8);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (leap && month == 2);
}

/* What is wrong with one text of a prompt, or NULL. */
static const char *prompt_complaint(const char *word, cord_text text) {
    ptrdiff_t n = text_find(text, TEXT("{n}"));
    if (!strcmp(word, "marker") && text.len) { /* an empty one: participants.c knows whether steps need it */
        if (n >= 0 && text_rfind(text, TEXT("{n}")) != n) return "holds {n} more than once";
        if (text_trim(n >= 0 ? text_slice(text, 0, (size_t)n) : text).len == 0)
            return "has nothing before the step's number, by which steps could be told apart";
    }
    if ((!strcmp(word, "user") || (!strcmp(word, "full") && text.len)) && text_find(text, TEXT("{question}")) < 0)
        return "does not hold {question}";
    if (!strcmp(word, "date") && text.len && !is_date(text)) return "is not a date (YYYY-MM-DD)";
    return NULL;
}

static const char *text_complaint(const struct recipe_value *value) {
    if (memchr(value->text.data, '\0', value->text.len)) return "holds a zero byte";
    if ((double)value->text.len < value->key->min) return empty;
    if ((double)value->text.len > value->key->max) return too_long;
    const char *prompt = strstr(value->key->path, "prompt.");
    return prompt ? prompt_complaint(prompt + strlen("prompt."), value->text) : NULL;
}

/* Digits with a sign, a point, an exponent: what YAML and C both take for a number (not "0x10", "1_000", "inf"). */
static const char *number_complaint(struct recipe_value *value) {
    bool whole = value->key->type == RECIPE_INT;
    const char *text = value->text.data;
    if (value->quoted) return "is a text; write the number without quotes";
    if (!value->text.len || strspn(text, whole ? "+-0123456789" : "+-.0123456789eE") != value->text.len)
        return whole ? "is not a whole number" : "is not a number";
    char *end;
    value->number = strtod(text, &end);
    if (*end || end == text) return whole ? "is not a whole number" : "is not a number";
    if (!(value->number >= value->key->min && value->number <= value->key->max)) return "is out of range";
    if (whole && strtoll(text, NULL, 10) != (long long)value->number) return "is out of range"; /* it was rounded */
    return NULL;
}

static const char *bool_complaint(struct recipe_value *value) {
    static const char *const words[] = {"false", "False", "FALSE", "true", "True", "TRUE"};
    for (size_t i = 0; i < 6; i++)
        if (!value->quoted && text_equal(value->text, text_of(words[i]))) {
            value->number = i >= 3;
            value->text = i >= 3 ? TEXT("true") : TEXT("false");
            return NULL;
        }
    return "is neither true nor false";
}

static const char *choice_complaint(const struct recipe_value *value) {
    return text_place(value->text, value->key->choices) < 0 ? "is not known" : NULL;
}

static const char *complaint_of(struct recipe_value *value) {
    switch (value->key->type) {
    case RECIPE_INT:
    case RECIPE_REAL: return number_complaint(value);
    case RECIPE_BOOL: return bool_complaint(value);
    case RECIPE_TEXT: return text_complaint(value);
    case RECIPE_CHOICE: return choice_complaint(value);
    }
    return "has a key of unknown type";
}

/* ---- keeping --------------------------------------------------------------------------------------------------- */

static struct recipe_value *find(const struct recipe_values *values, const struct recipe_key *key, const char *name) {
    for (int i = 0; i < values->n; i++) {
        struct recipe_value *value = &values->values[i];
        if (value->key == key && (!name || !strcmp(value->name, name))) return value;
    }
    return NULL;
}

const struct recipe_value *values_get(const struct recipe_values *values, const char *pattern, const char *name) {
    return find(values, recipe_key_exact(pattern), name);
}

cord_status values_put(struct recipe_values *values, const struct recipe_value *value, cord_error *err) {
    struct recipe_value kept = *value, *slot = find(values, value->key, value->name);
    kept.text = arena_text(values->arena, value->text);
    if (!kept.text.data) return error_memory(err);
    const char *complaint = complaint_of(&kept);
    if (complaint) return refuse(values, &kept, err, complaint);
    if (!slot) values->values = arena_room(values->arena, values->values, values->n, &values->room, sizeof *slot);
    if (!values->values) return error_memory(err);
    if (kept.place.line && !kept.place.file) kept.place.file = values->source;
    if (!slot) slot = &values->values[values->n++];
    *slot = kept;
    return CORD_OK;
}

/* ---- names ----------------------------------------------------------------------------------------------------- */

struct recipe_group *values_group(struct recipe_values *values, const char *pattern) {
    if (text_starts(text_of(pattern), TEXT("models.*."))) return &values->models;
    if (text_starts(text_of(pattern), TEXT("teachers.*."))) return &values->teachers;
    return NULL;
}

static const char *find_name(const struct recipe_group *group, cord_text name) {
    for (int i = 0; i < group->n; i++)
        if (text_equal(text_of(group->names[i].name), name)) return group->names[i].name;
    return NULL;
}

bool values_has_name(const struct recipe_group *group, const char *name) { return find_name(group, text_of(name)); }

void values_drop_group(struct recipe_values *values, const char *pattern) {
    struct recipe_group *group = values_group(values, pattern);
    int n = 0;
    for (int i = 0; i < values->n; i++)
        if (values_group(values, values->values[i].key->path) != group) values->values[n++] = values->values[i];
    values->n = n;
    group->n = 0;
}

const char *values_names(const struct recipe_group *group, struct arena *arena) {
    struct buf all;
    buf_init(&all, "list of names", RECIPE_NAMES * (RECIPE_NAME_BYTES + 2));
    for (int i = 0; i < group->n; i++) buf_addf(&all, "%s%s", i ? ", " : "", group->names[i].name);
    const char *text = group->n && all.status == CORD_OK ? arena_text(arena, buf_text(&all)).data : "(none)";
    buf_release(&all);
    return text ? text : "(no memory to list them)";
}

cord_status values_add_name(struct recipe_values *values, struct recipe_group *group, const char *what, cord_text name,
                            struct recipe_place place, const char **added, cord_error *err) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    bool fine = name.len >= 1 && name.len <= RECIPE_NAME_BYTES;
    for (size_t i = 0; fine && i < name.len; i++) fine = name.data[i] && strchr(allowed, name.data[i]);
    if (!fine)
        return values_error(values, place, err, "%s: the name %s must be 1 to %d letters, digits, '.', '_' or '-'",
                            what, yaml_excerpt(name, values->arena), RECIPE_NAME_BYTES);
    if (!strcmp(what, "teachers") && (text_equal(name, TEXT("meta")) || text_equal(name, TEXT("answer"))))
        return values_error(values, place, err,
                            "teachers: the name %s has a meaning of its own in `cord show --prompt`; choose another",
                            yaml_excerpt(name, values->arena));
    *added = find_name(group, name);
    if (*added) return CORD_OK;
    if (group->n == RECIPE_NAMES) return values_error(values, place, err, "%s: more than %d", what, RECIPE_NAMES);
    cord_text copy = arena_text(values->arena, name);
    if (!copy.data) return error_memory(err);
    place.file = values->source;
    group->names[group->n++] = (struct recipe_name){copy.data, place};
    *added = copy.data;
    return CORD_OK;
}

/* ---- --set ----------------------------------------------------------------------------------------------------- */

/* No such key: the nearest of all keys, with the names that this recipe has in place of the stars. */
static cord_status unknown_set(struct recipe_values *values, const char *path, struct recipe_place place,
                               cord_error *err) {
    size_t n_keys;
    const struct recipe_key *keys = recipe_keys(&n_keys);
    const char *near = NULL;
    int best = (int)(strlen(path) + 2) / 3 + 1;
    for (size_t i = 0; i < n_keys && strlen(path) < RECIPE_NAME_BYTES; i++) {
        struct recipe_group *group = values_group(values, keys[i].path);
        for (int j = 0; j < (group ? group->n : 1); j++) {
            const char *full = recipe_key_path(&keys[i], group ? group->names[j].name : NULL, values->arena);
            if (!full) return error_memory(err);
            int distance = text_distance(path, full);
            if (distance < best) best = distance, near = full;
        }
    }
    const char *shown = yaml_excerpt(text_of(path), values->arena);
    if (near) return values_error(values, place, err, "unknown key %s; did you mean '%s'?", shown, near);
    return values_error(values, place, err, "unknown key %s; `cord help recipe` lists the keys", shown);
}

cord_status values_set(struct recipe_values *values, const char *set, cord_error *err) {
    struct recipe_place place = {.set = set};
    struct recipe_value value = {.place = place};
    const char *equals = strchr(set, '=');
    if (!equals || equals == set) {
        error_where(err, "--set %s", set);
        return error_set(err, CORD_BAD_USAGE, "must read KEY=VALUE, as in search.beam=2");
    }
    if (utf8_valid_prefix(text_of(set)) < strlen(set)) return values_error(values, place, err, "is not valid UTF-8");
    const char *path = arena_text(values->arena, (cord_text){set, (size_t)(equals - set)}).data;
    if (!path) return error_memory(err);
    value.key = recipe_key_find(path, values->arena, &value.name);
    if (!value.key) return unknown_set(values, path, place, err);
    if (!strcmp(path, "extends"))
        return values_error(values, place, err, "extends stands in a recipe's file alone; name another recipe instead");
    struct recipe_group *group = values_group(values, value.key->path);
    if (group && !values_has_name(group, value.name))
        return values_error(values, place, err, "the recipe has no '%.*s' named %s; it has: %s",
                            (int)strcspn(path, "."), path, yaml_excerpt(text_of(value.name), values->arena),
                            values_names(group, values->arena));
    value.text = text_of(equals + 1);
    if (equals[1] == '"' || equals[1] == '\'') {
        value.quoted = true;
        if (yaml_scalar(value.text, values->arena, &value.text, err) != CORD_OK)
            return values_error(values, place, err, "%s: the quoted text does not end where the value ends", path);
    }
    return values_put(values, &value, err);
}

/* ---- defaults -------------------------------------------------------------------------------------------------- */

static cord_status complete_one(struct recipe_values *values, const struct recipe_key *key,
                                const struct recipe_name *name, cord_error *err) {
    if (find(values, key, name ? name->name : NULL)) return CORD_OK;
    if (key->fallback && !*key->fallback) return CORD_OK;
    if (key->fallback) {
        struct recipe_value value = {.key = key, .name = name ? name->name : NULL, .text = text_of(key->fallback)};
        return values_put(values, &value, err);
    }
    const char *path = recipe_key_path(key, name ? name->name : NULL, values->arena);
    if (!path) return error_memory(err);
    return values_error(values, name ? name->place : (struct recipe_place){0}, err, "%s is missing (%s)", path,
                        key->doc);
}

cord_status values_complete(struct recipe_values *values, bool teachers, cord_error *err) {
    size_t n;
    const struct recipe_key *keys = recipe_keys(&n);
    if (!values->models.n)
        return values_error(values, (struct recipe_place){0}, err,
                            "'models' is missing: give each a name and a file, as in "
                            "models: {small: {file: small.gguf}}");
    if (teachers && !values->teachers.n)
        return values_error(values, (struct recipe_place){0}, err,
                            "'teachers' is missing: give at least one a name and a "
                            "model, as in teachers: {first: {model: %s}}",
                            values->models.names[0].name);
    for (size_t i = 0; i < n; i++) {
        struct recipe_group *group = values_group(values, keys[i].path);
        for (int j = 0; j < (group ? group->n : 1); j++)
            CORD_TRY(complete_one(values, &keys[i], group ? &group->names[j] : NULL, err));
    }
    return CORD_OK;
}

bool value_is_default(const struct recipe_value *value) {
    const struct recipe_key *key = value->key;
    if (!key->fallback) return false;
    return key->type == RECIPE_TEXT || key->type == RECIPE_CHOICE ? text_equal(value->text, text_of(key->fallback))
                                                                  : value->number == strtod(key->fallback, NULL);
}

bool value_same(const struct recipe_value *a, const struct recipe_value *b) {
    if (!a && !b) return true;
    if (!a || !b) return value_is_default(a ? a : b);
    return a->key->type == RECIPE_INT || a->key->type == RECIPE_REAL ? a->number == b->number
                                                                     : text_equal(a->text, b->text);
}
