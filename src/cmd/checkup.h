/* checkup.h - what can be told of a recipe's models before a search: `cord doctor` shows all of it, `cord run` refuses what is
 * bad, in the same words. It must not know protocols or back ends. */
#ifndef CORD_CHECKUP_H
#define CORD_CHECKUP_H

#include "data/prompt.h"

enum verdict { GOOD, UNSURE, BAD };
extern const char *const verdict_names[]; /* "good" */

enum { FINDING_NUMBERS = 5 };

/* What was found out of one model: a line. Texts live in an arena, or are static. */
struct finding {
    const char *what; /* "BOS" */
    enum verdict verdict;
    const char *found, *advice; /* in words; advice NULL: none needed */
    struct {
        const char *name; /* NULL: none */
        double value;
    } numbers[FINDING_NUMBERS]; /* for programs */
};

/* Are the scores right: what two independent ways of obtaining them have to do with each other. */
struct finding checkup_scores(const cord_scoring_check *check, bool of_server, struct arena *arena);

/* Whether the head of a process reward model can be read (reward.format: qwen2.5-math-prm), and tells a right step from a wrong
 * one. */
struct finding checkup_head(cord_engine *engine, const cord_model *model, struct arena *arena);

/* A prompt as a search would send it. */
struct checkup_prompt {
    struct spans spans;
    cord_text text;
    struct finding think, bos; /* who opens the thinking; how often the BOS is there */
};
/* Renders a small question. Fails where no question could be rendered. `model` has to be the prompt's. */
cord_status checkup_prompt(const cord_model *model, const struct prompt *prompt, struct arena *arena,
                           struct checkup_prompt *out, cord_error *err);

/* CORD_OK, or for what is bad its error: `who` is "teacher small" or "meta_prover". */
cord_status checkup_refuse(const char *who, const struct finding *finding, cord_error *err);

#endif
