/* look.h - what the files of `cord audit` share: a run's figures with their sums, and the writers of each format. Private to
 * src/cmd/audit*.c. */
#ifndef CORD_LOOK_H
#define CORD_LOOK_H

#include "cmd/page.h"
#include "cmd/rollouts.h"
#include "eval/audit.h"
#include "recipe/recipe.h"
#include "search/criterion.h"

#include <math.h>

struct look {
    const struct call *call;
    struct arena arena;
    struct journal *journal;
    struct recipe_outline outline;
    const struct criterion *criterion; /* what S stands for */
    const char *const *teachers;
    double noise;    /* given, or as the back end states it; NAN: not known */
    double measured; /* what two ways of scoring differed by when the run was started; NAN: they were not compared */
    struct audit audit;
    struct rollouts rollouts; /* none wanted: they were not asked for */
    /* sums over problems */
    int done, failed, going_on, started, guessable;
    int scored, saturated, problems_saturated;
    int stuck, ends_stuck;
    int cut, cut_right, whole_right; /* best trajectories: cut at their limit, of these correct, and of the others */
    int asked, in_question, mentioned, with_scores, overlooked, answered;
    double s0, how_soon, where, before, after;
};

static inline double look_share(double part, double all) { return all > 0 ? part / all : (double)NAN; }

/* Whether a teacher's model is the one that scores; of how many teachers that is so; whether of some, and not of all; the
 * figures of those of which it is, or is not. */
bool look_is_own(const struct look *look, int teacher);
int look_count_own(const struct look *look);
bool look_can_prefer(const struct look *look);
struct audit_teacher look_sum_teachers(const struct look *look, bool own);
/* "the meta-prover's model" */
const char *look_scorer_name(const struct look *look);
/* "given", "stated"; of a noise that is known. */
const char *look_noise_is(const struct look *look);
/* Whether reasoning that goes on has scores with a bound. */
bool look_can_saturate(const struct look *look);
/* Whether S0 is a score to compare with: by predictive perplexity. */
bool look_has_progress(const struct look *look);

cord_status look_text(struct look *look, cord_error *err);
cord_status look_json(struct look *look, cord_error *err);

#endif
