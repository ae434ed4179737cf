/* load.h - what the files that make a recipe out of its values share: load.c (files, problems, bounds), participants.c (who
 * takes part) and method.c (how they search). It must not know YAML. */
#ifndef CORD_RECIPE_LOAD_H
#define CORD_RECIPE_LOAD_H

#include "recipe/values.h"

struct load {
    struct recipe *recipe;
    struct recipe_values values;
    const char *path;                     /* of the recipe */
    const char *models_folder, *no_files; /* as the options have them */
    bool selection;
    cord_error *err;
    enum segmentation segmentation; /* of all participants: a boundary means the same for all */
};

/* ---- values and files (load.c) ----------------------------------------------------------------------------------- */

/* Of a number, which always has a value; `name` stands for the star of `pattern`, as everywhere here. */
double load_number(const struct load *load, const char *pattern, const char *name);
/* NULL where there is none, or an empty one. */
const char *load_string(const struct load *load, const char *pattern, const char *name);
/* Notes what a value came to, for the resolved recipe. */
cord_status load_put(struct load *load, const char *pattern, const char *name, cord_text text);

/* A recipe's folder: as reached from here ("" for the current one), and absolute. */
struct load_folder {
    const char *seen, *real;
};

/* What a value's files are relative to: the folder of the recipe that it stands in; where cord was started, if by --set. */
cord_status load_folder_of(const struct load *load, const struct recipe_value *value, struct load_folder *folder);
/* `file` as it stands in the recipe, seen from `folder`. NULL when there is no memory. */
const char *load_seen_from(const char *folder, const char *file, struct arena *arena);

/* ---- who takes part (participants.c) ----------------------------------------------------------------------------- */

/* Teachers and the meta-prover. Needs load_segmentation. */
cord_status load_participants(struct load *load);
/* The index of the model that a value names. */
cord_status load_find_model(struct load *load, const char *pattern, const char *name, int *model);
/* A file and what goes with it, or a server and what goes with that: of every model, before any file is looked for. */
cord_status load_check_models(struct load *load);
/* The models, once all who name one have been read. */
cord_status load_models(struct load *load);

/* ---- how they search (method.c) ---------------------------------------------------------------------------------- */

/* Where steps end. */
cord_status load_segmentation(struct load *load);
/* Strategy, criterion and grader. Needs load_participants. */
cord_status load_method(struct load *load);

#endif
