/* examine.h - the doctor's examination of one model: what a search will ask of it is tried. It must not know how findings
 * are told. */
#ifndef CORD_EXAMINE_H
#define CORD_EXAMINE_H

#include "cmd/checkup.h"
#include "recipe/recipe.h"

/* More than a recipe can lead to: one for each replica, and some for each participant. */
enum { MOST_FINDINGS = 1024, MOST_PROMPTS = 128 };

/* One way in which the recipe speaks to a model; roles that say the same share one. */
struct voice {
    const char *who; /* "teacher small, meta_prover" */
    bool continues;  /* reasoning stands behind it: else it is a question, and its reply is read as it comes */
    struct checkup_prompt prompt;
};

struct patient {
    const struct recipe *recipe;
    int index; /* of the model */
    cord_engine *engine;
    cord_model *model; /* NULL: it could not be opened */
    bool teaches, scores, judges;
    struct finding findings[MOST_FINDINGS];
    int n;
    struct voice voices[MOST_PROMPTS];
    int n_voices;
    struct arena *arena;
};

/* Opens model `i` of a recipe. Where it cannot be opened, that is its finding. */
void patient_admit(struct patient *p, cord_engine *engine, const struct recipe *recipe, int i, struct arena *arena);
/* Tries all that the recipe asks of a model that was opened. */
void patient_examine(struct patient *p);
/* Whether nothing bad was found. */
bool patient_works(const struct patient *p);
const struct recipe_model *patient_entry(const struct patient *p);

#endif
