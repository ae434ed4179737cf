/* recipe.h - reads a recipe: one YAML file that says everything about a run. One typed table of keys yields the checks,
 * the defaults, the help and the resolved recipe. It must not open models, problems or run folders.
 *
 * Every error names FILE:LINE:COLUMN, the key, and what is allowed there. */
#ifndef CORD_RECIPE_H
#define CORD_RECIPE_H

#include "cord.h"
#include "data/problem.h"
#include "data/prompt.h"
#include "grade/grade.h"
#include "search/search.h"

/* ---- the table of keys --------------------------------------------------------------------------------------- */

enum recipe_type { RECIPE_INT, RECIPE_REAL, RECIPE_BOOL, RECIPE_TEXT, RECIPE_CHOICE };

struct recipe_key {
    const char *path; /* "search.beam", "models.*.file": a star stands for a name the user chooses */
    enum recipe_type type;
    double min, max;            /* INT and REAL: the allowed range; TEXT: least and most bytes */
    const char *const *choices; /* CHOICE: NULL-terminated */
    const char *fallback;       /* the default as YAML would write it; NULL: required; "": none */
    const char *doc;            /* one line for help */
    const char *with,
        *with_value;        /* the choice that it goes with ("search.strategy", "mcts"): with another it says nothing
                                    * and is refused; NULL: with all */
    bool changes_no_result; /* runs whose recipes differ in it are still the same work: how patiently servers are
                                    * asked, and which problems are worked on, change the result of none */
};

/* All keys, in the order in which help and the resolved recipe print them. */
const struct recipe_key *recipe_keys(size_t *n);

/* ---- a recipe ------------------------------------------------------------------------------------------------ */

struct recipe_model {
    const char *name;
    cord_model_options options; /* path is resolved, a template that has a name too; for who opens it to read: */
    const char *api_key_env;    /* NULL: no key */
    const char *template_path;  /* NULL: the model's own, or one with a name */
    double price_in, price_cached, price_out; /* of a million tokens, at its server */
    double parameters;                        /* 0: not said here */
};

struct recipe_teacher {
    const char *name;
    int model; /* index into models */
    cord_sampling sampling;
    struct prompt_style style;
};

struct recipe {
    struct problem_options problems;
    struct recipe_model *models;
    int n_models;
    struct recipe_teacher *teachers;
    int n_teachers;
    int meta_model; /* index into models */
    struct prompt_style meta_style;
    bool meta_reuse;               /* scores may rest on what the meta-prover wrote as a teacher */
    struct search_settings search; /* with run.seed */
    struct grading grading;
    int judge_model;                  /* index into models, or -1 */
    int judgment_model, reward_model; /* the same, of the criteria judge and prm */
    int scorer_model, held_out_model; /* who measures what is finished; -1: the meta-prover's, and nobody */
    /* Who merges traces, with search.strategy: integration: index into models, or -1; its texts are in search. */
    int integration_model;
    struct prompt_style integration_style;
    cord_sampling integration_sampling;
    struct {
        int64_t requests, tokens;
        double money;
    } budget;        /* most of each, of the whole run; 0 = no bound */
    const char *out; /* the run folder */
    cord_server_limits servers;
    int threads;        /* 0 = one a core */
    int in_flight;      /* problems at once; 0 = chosen */
    int pilot;          /* with search.adaptive: the run's first problems, in which all teachers are asked */
    double least_share; /* who wrote a smaller part of an equal share of what was kept there is asked seldom */
    uint64_t memory;    /* bytes for caches; 0 = half of what is free */
    bool reproducible;
    cord_text resolved; /* the whole recipe as YAML, every default and every prompt text written out */
    struct arena arena;
};

struct recipe_options {
    const char *const *set; /* "key=value" overrides, applied in order; values are YAML scalars */
    int n_set;
    const char *models_folder; /* where NAME.gguf of the manifest's models lie; NULL: none */
    const char *no_files;      /* why no model may be a file; NULL: it may */
    /* For `cord select`: no teacher is wanted, and only who scores and who judges is among the recipe's models. */
    bool selection;
};

/* Reads and checks a recipe. Everything in it lives until recipe_release. Files named in it are relative to the recipe's
 * own folder; the run folder is relative to the current one. A model's `file` is a path to a GGUF, or a manifest name. */
cord_status recipe_load(const char *path, const struct recipe_options *options, struct recipe *recipe, cord_error *err);
/* The same of a recipe that is not in a file; `source`, without a slash, stands for the file in errors, and files named
 * in it are relative to the current folder. */
cord_status recipe_load_text(const char *source, cord_text text, const struct recipe_options *options,
                             struct recipe *recipe, cord_error *err);
void recipe_release(struct recipe *recipe);

/* A model's file from what a user wrote: a path if it exists as one or looks like one (has a slash or ends in .gguf), else
 * FOLDER/NAME.gguf. Missing: CORD_BAD_MODEL with what to type (`make models`), and the names that are there. `base` is
 * the folder relative paths start from, or NULL. */
cord_status recipe_find_model(const char *name, const char *base, const char *models_folder, struct arena *arena,
                              const char **path, cord_error *err);

/* The keys in which two resolved recipes differ: "search.beam: 4 -> 2" a line, in the table's order; keys that cannot
 * change any problem's result (run.out, problems.limit, servers.tries) are left out. `moved`: so are files that only have
 * another path, models' (their hashes are compared) and a problem set of the same name (its rows are). Empty text: none. */
cord_status recipe_differences(cord_text old_resolved, cord_text new_resolved, bool moved, struct arena *arena,
                               cord_text *out, cord_error *err);

/* A resolved recipe with another run.out. */
cord_status recipe_move(cord_text resolved, const char *out, struct arena *arena, cord_text *moved, cord_error *err);

/* ---- what a run was -------------------------------------------------------------------------------------------- */

/* A resolved recipe in outline, for who compares runs or looks into one and opens no model. Empty where the text is. */
struct recipe_outline {
    /* Hashes; empty ones are equal to none. `method`: of all that can change a result, but the seed and which problems were
     * taken. `scorer`: of the meta-prover and how models are set up. */
    const char *method, *scorer, *measurer; /* measurer: of who measures PP, and how that model is set up */
    cord_text strategy, criterion, seed;
    const char **models; /* names */
    int n_models;
    const char **teachers;
    int *alike; /* of each model: the first that has the same keys, by another name; itself, where there is none */
    int *teacher_model; /* indices into models, -1: none of them */
    int n_teachers, meta_model;
    int chooser_model; /* whose scores choose: the meta-prover's, or what the criterion has in its place; -1: nobody's */
    int measuring_model;             /* who measures PP; -1: nobody */
    int integration_model;           /* who merges traces; -1: nobody */
    struct problem_options problems; /* how rows are read; no file, and none is left out */
};
/* What a resolved recipe says of a key that stands under no name ("integration.prompt"). Lives in `arena`. */
cord_status recipe_said(cord_text resolved, const char *path, struct arena *arena, cord_text *out, cord_error *err);

cord_status recipe_outline(cord_text resolved, struct arena *arena, struct recipe_outline *out, cord_error *err);

#endif
