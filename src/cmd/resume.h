/* resume.h - whether a run may go on in a folder: by the same recipe, shard and models as before, or with what has changed
 * accepted and noted in the journal. It must not know what is worked on. Private to src/cmd/: run.c, and rollouts.c, which goes on
 * from a run's traces. */
#ifndef CORD_CMD_RESUME_H
#define CORD_CMD_RESUME_H

#include "cmd/session.h"
#include "store/journal.h"

struct resume {
    const struct recipe *recipe;
    const char *recipe_file; /* NULL: it is in none */
    const char *shard;       /* "2/8"; empty: the whole set */
    bool accept;             /* --accept-changes: what differs is noted, and no error */
    struct journal *journal; /* NULL until it is open */
    struct arena *arena;
    cord_text differences; /* of the recipes, once they were compared: a line each */
};

/* Refuses to write in place of a recipe or a problem set that lies in the folder; the recipe may be the one that a run wrote
 * there itself. Before the journal is opened. */
cord_status resume_spare_inputs(const struct resume *resume, cord_error *err);

/* Refuses to go on in a folder that another recipe or another shard made. Notes nothing yet: the run may not come to be. */
cord_status resume_compare_recipe(struct resume *resume, cord_error *err);

/* Refuses to go on with other models under the names of the first ones: that would mix two models' work. `remedy` is what to do
 * then. It needs recipe, accept, journal, and arena. */
cord_status resume_compare_models(const struct resume *resume, const struct session *session, const char *remedy,
                                  cord_error *err);

/* Writes down by what the run goes on from here, in the journal and in FOLDER/recipe.yaml. What came before it stays known. The
 * last of what may fail before problems are worked on: a run that did not come to be has changed nothing. */
cord_status resume_note(const struct resume *resume, const struct session *session, cord_error *err);

#endif
