/* values.h - what the files of src/recipe/ share: the values of a recipe as they were written, each with its key and
 * its place, before they become a struct recipe. It must not know what the values are for. */
#ifndef CORD_RECIPE_VALUES_H
#define CORD_RECIPE_VALUES_H

#include "recipe/recipe.h"

#define RESOLVED_LIMIT \
    ((size_t)8 << 20) /* bytes of a recipe, which has each participant's texts in full once resolved */
#define RECIPE_TEXT_LIMIT ((size_t)1 << 16) /* bytes of one text in it */

enum { RECIPE_NAME_BYTES = 64, RECIPE_NAMES = 64 }; /* bytes of a name; most models, and most teachers */

/* Where a value was written: a line of a file (0: nowhere, it is a default), or a --set. */
struct recipe_place {
    int line, column;
    const char *set;
    const char *file; /* NULL: the one that is being read */
};

struct recipe_value {
    const struct recipe_key *key;
    const char *name; /* what the key's star stands for; NULL where it has none */
    cord_text text;   /* as written, quotes resolved; NUL-terminated */
    bool quoted;
    double number; /* of INT and REAL; 0 or 1 for BOOL */
    struct recipe_place place;
};

struct recipe_name {
    const char *name;
    struct recipe_place place;
};

/* The names a user chose in one section, in the order of the file. */
struct recipe_group {
    struct recipe_name names[RECIPE_NAMES];
    int n;
};

struct recipe_values {
    const char *source; /* the file that is being read, then the recipe itself */
    struct arena *arena;
    struct recipe_value *values;
    int n, room;
    struct recipe_group models, teachers;
};

/* ---- keys (keys.c) --------------------------------------------------------------------------------------------- */

/* The key that a path such as "models.qwen-1.5b.file" means, and what its star stands for (in `arena`); NULL if none. */
const struct recipe_key *recipe_key_find(const char *path, struct arena *arena, const char **name);
/* The key whose pattern is exactly this: "models.*.file". */
const struct recipe_key *recipe_key_exact(const char *pattern);
/* The path with its star replaced, in `arena`; NULL when there is no memory. */
const char *recipe_key_path(const struct recipe_key *key, const char *name, struct arena *arena);
/* "whole number, 1 to 64" and the like, for errors and help. */
void recipe_key_allowed(const struct recipe_key *key, struct buf *out);

/* ---- values (values.c) ----------------------------------------------------------------------------------------- */

/* Checks a value by its key and keeps it, in place of an earlier one. Texts are copied into the arena. */
cord_status values_put(struct recipe_values *values, const struct recipe_value *value, cord_error *err);
/* The value of "models.*.file" for a name (NULL where the key has no star); NULL if it was not given. */
const struct recipe_value *values_get(const struct recipe_values *values, const char *pattern, const char *name);
/* The group that a pattern's star ranges over, or NULL. */
struct recipe_group *values_group(struct recipe_values *values, const char *pattern);
/* *added: the name as it is kept; one that was there before (in a recipe that this one extends) stays where it was. */
cord_status values_add_name(struct recipe_values *values, struct recipe_group *group, const char *what, cord_text name,
                            struct recipe_place place, const char **added, cord_error *err);
/* A group's names and all that was written of them go: a recipe that extends another has teachers of its own. */
void values_drop_group(struct recipe_values *values, const char *pattern);
bool values_has_name(const struct recipe_group *group, const char *name);
/* "a, b, c" */
const char *values_names(const struct recipe_group *group, struct arena *arena);
/* Applies "key=value". */
cord_status values_set(struct recipe_values *values, const char *set, cord_error *err);
/* Gives every key that was not written its default; a required one that is missing is an error. */
cord_status values_complete(struct recipe_values *values, bool teachers, cord_error *err); /* whether some are wanted */
/* error_set with the code CORD_BAD_RECIPE, at a place. */
cord_status values_error(const struct recipe_values *values, struct recipe_place place, cord_error *err,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- YAML ------------------------------------------------------------------------------------------------------ */

/* A document that has been parsed (yaml.c, the only file that knows libfyaml). */
struct yaml;

/* Parses a text, which must stay until yaml_close. Bytes that are no text are refused; what else is wrong with the document
 * is yaml_read's to say. On failure *yaml is NULL. */
cord_status yaml_open(const struct recipe_values *values, cord_text text, struct yaml **yaml, cord_error *err);
void yaml_close(struct yaml *yaml); /* NULL is nothing */
/* The file that it extends, as it stands there, in `arena`, and where; NULL: none. */
cord_status yaml_extends(struct yaml *yaml, struct arena *arena, const char **file, struct recipe_place *place,
                         cord_error *err);
/* Reads it into values, over what is there. Once only: it reads on, to see that no other document follows. */
cord_status yaml_read(struct yaml *yaml, struct recipe_values *values, cord_error *err);
/* All three for a text that is a whole recipe and extends none. */
cord_status yaml_read_text(struct recipe_values *values, cord_text text, cord_error *err);
/* Decodes one quoted scalar, as a --set may hold it. */
cord_status yaml_scalar(cord_text text, struct arena *arena, cord_text *out, cord_error *err);

/* Appends a value as it stands in what is hashed, which stays the same whatever resolved recipes look like (resolve.c). */
void value_for_hash(struct buf *out, const struct recipe_value *value);
/* At most 40 bytes of a text, escaped, in single quotes, for messages. In `arena`; never NULL. */
const char *yaml_excerpt(cord_text text, struct arena *arena);

/* Which fields of a row are read, and how: all of problem_options that is no path and no number (outline.c). */
void recipe_problem_fields(const struct recipe_values *values, struct problem_options *out);

/* The whole recipe as YAML: every key of `values`, which must be complete. */
cord_status resolve_text(struct recipe_values *values, cord_text *out, cord_error *err);

/* Whether it says what would hold without it. Resolved recipes write all defaults out, so that it is the value that counts,
 * not whether there is one. */
bool value_is_default(const struct recipe_value *value);
/* Whether two values of one key are the same. NULL, of a recipe that was resolved before the key was there, is its default. */
bool value_same(const struct recipe_value *a, const struct recipe_value *b);

#endif
