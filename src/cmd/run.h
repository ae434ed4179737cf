/* run.h - what `cord run` and `cord select` have in common: a recipe, a run folder, and problems that are worked on until all
 * are done. */
#ifndef CORD_CMD_RUN_H
#define CORD_CMD_RUN_H

#include "cmd/cmd.h"
#include "data/shard.h"
#include "data/traces.h"

struct run_input {
    const char *recipe; /* its file; NULL: it is `text`, which `source` stands for in messages */
    const char *source;
    cord_text text;
    const char *const *set; /* as in recipe_options */
    int n_set;
    struct shard shard; /* zero: the whole set */
    /* The problems come with traces, read as this says; where they lie, and what their fields are called, says the recipe. NULL:
     * problems alone. */
    const struct trace_options *traces;
};

/* Works on all, and returns an exit status. Of the options that it looks at (quiet, verbose, dry-run, sample, retry-failed,
 * accept-changes) a verb need not have every one. */
int run_start(const struct call *call, const struct run_input *input);

#endif
