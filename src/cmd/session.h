/* session.h - opens on this machine what a verb needs of models: the engine, the models of a recipe, their teachers and
 * templates, the grader; and lets Ctrl-C stop it. It must not know problems or journals. */
#ifndef CORD_SESSION_H
#define CORD_SESSION_H

#include "cmd/cmd.h"
#include "recipe/recipe.h"

struct session {
    cord_engine *engine;
    cord_model **models; /* of the recipe, in its order */
    char (*sha256)[65];  /* of their files */
    double *apart;       /* how far two ways of scoring were found to differ (cord_scoring_check); NAN: not asked */
    struct teacher *teachers;  /* n_teachers, and behind them who integrates, where the recipe says so */
    int n_teachers, n_authors; /* of a selection, none: its traces' sources are put there by who reads them */
    struct meta_prover meta_prover;
    struct meta_prover judgment, reward, scorer,
        held_out;                     /* those that the recipe has; all in the meta-prover's style */
    struct chat_template **templates; /* of each model; NULL where it has none or none is needed */
    struct judge judge;
    struct grader grader;
    const struct recipe *recipe;
    struct arena arena;
};

/* Opens every model of the recipe with room for what the search and the grader ask of it, and the grader.
 * `longest_question` (bytes; with its gold, where a judge reads it) is allowed for in the contexts. Models' logs go to
 * `log` unless NULL; `ledger` (NULL: none) outlives the session. */
cord_status session_open(struct session *session, const struct recipe *recipe, size_t longest_question,
                         const cord_ledger *ledger, FILE *log, cord_error *err);
void session_close(struct session *session);

/* Tokens of one sequence that the recipe's budgets ask of one of its models. */
long session_budget(const struct recipe *recipe, int model);

/* Whether it is a reward model that is read at a classification head: it can do nothing else. */
bool has_head(const struct recipe *recipe, int model);

/* How one model of a recipe is opened, with room for what the search asks of it; its server's key is read from the
 * environment, its template from its file. */
cord_status session_model_options(const struct recipe *recipe, int model, size_t longest_question, struct arena *arena,
                                  cord_model_options *options, cord_error *err);

/* The chat template of an opened model, where what the recipe does with it needs one; else *tmpl is NULL. */
cord_status session_template(const struct recipe *recipe, int model, const cord_model *opened,
                             struct chat_template **tmpl, cord_error *err);

/* The file of weights that a user named on the command line, by path or as the manifest does. */
cord_status find_weights(const char *name, struct arena *arena, const char **path, cord_error *err);

/* While an engine is watched, the first SIGINT or SIGTERM stops it (its calls return CORD_CANCELLED), the second ends the
 * process. One engine at a time; NULL ends the watch. */
void watch_signals(cord_engine *engine);
/* The same for who has no engine: the first signal is only noted. watch_signals(NULL) ends it. */
void note_signals(void);
bool was_interrupted(void);

/* Engine options for a verb: threads, and a log on standard error if verbose. */
cord_engine_options engine_options_of(int threads, FILE *log);
/* The same with all that a recipe says of its engine. */
cord_engine_options engine_options_of_recipe(const struct recipe *recipe, FILE *log);

#endif
