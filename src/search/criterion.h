/* criterion.h - by what reasonings are chosen. Each criterion is one file in src/search/criteria, and one line in
 * criterion.c. What each is, and where it comes from: docs/criteria.md.
 *
 * A score is not negative, and higher is better; `log_score` is its logarithm, so a score of 0 is -INFINITY. NAN: there is
 * none, since a request failed. A criterion scores texts; it must not know beams, rounds or journals. */
#ifndef CORD_CRITERION_H
#define CORD_CRITERION_H

#include "data/segment.h"
#include "search/search.h"

/* What people are shown of a score. */
enum shown_as {
    SHOWN_S,     /* a likelihood of the answer, as S0 is, beside which it may stand */
    SHOWN_SCORE, /* the score, which S0 says nothing of */
    SHOWN_COUNT, /* the same, a whole number */
    SHOWN_LOG,   /* its logarithm: a difference */
};

/* A reasoning and its score. The first half is the caller's. */
struct scored {
    cord_text reasoning;
    cord_text target; /* empty: the problem's. Only score_targets looks at it */
    int run;          /* its trajectory's */
    bool complete;    /* its thinking was closed, or its turn ended */

    double log_score; /* NAN: a request failed, as `error` says */
    int reasoning_tokens, prompt_tokens, cached_tokens;
    int64_t us;
    int judged_tokens; /* what a judge wrote to score it, and how long it was waited for; `us` is then 0 */
    int64_t judge_us;
    cord_error error;
};

struct criterion {
    const char *name; /* as a recipe says it */
    const char *what; /* "The score is WHAT." */
    const char *word; /* what its scores are called where they are shown: "S" */
    bool knows_gold;
    /* The recipe's key of the model that chooses, which is the meta-prover's where that names none. NULL: the meta-prover's;
     * "": none does. */
    const char *chooser;
    enum shown_as shown_as;
    /* How many of the meta-prover's log scores one of its own is made of: so much of that model's noise is in it. 0: none,
     * and search.tie_within_noise finds no ties but equal scores. */
    int noises;
    bool unit; /* scores lie between 0 and 1: mcts needs that, whose constant weighs doubt against such rewards */

    /* Scores n reasonings, with as few calls of the engine as it can: fills in log_score, reasoning_tokens, what was computed
     * for it, and error where a request failed. Fails where nobody could be scored any more (error_models_own, a stopped
     * engine). `prompt` is the meta-prover's. Memory is search->arena's. */
    cord_status (*score)(const struct search *search, struct spans prompt, struct scored *items, int n,
                         cord_error *err);

    /* Before round 1: what the problem's scores are compared with, as search.contrast says. Empty where there is none. NULL:
     * nothing to prepare. `prompts` are the teachers'; what each was asked for is added to guesses[teacher]. */
    cord_status (*prepare)(const struct search *search, const struct spans *prompts, cord_text *contrast,
                           struct guesses *guesses, cord_error *err);

    /* Who is asked in the meta-prover's place, in its style: the observer is told its prompt. NULL: nobody is. */
    const struct meta_prover *(*asked)(const struct search *search);
};

/* All of them; both lists are in one order and end with NULL. The first is the default. */
extern const struct criterion *const criteria[];
extern const char *const criterion_names[];

/* The one of that name. Runs that do not say have the first. */
const struct criterion *criterion_named(cord_text name);

/* The criterion of a search. */
const struct criterion *criterion_of(const struct search *search);

/* Scores reasonings by the search's criterion. `prompt` is the meta-prover's. */
cord_status score_reasonings(const struct search *search, struct spans prompt, struct scored *items, int n,
                             cord_error *err);

/* ---- how scores are shown ------------------------------------------------------------------------------------ */

/* What is shown of a score, which may be added up and divided. */
double score_shown(const struct criterion *criterion, double log_score);
/* "0.875"; of a count "24", or "24.5" of the mean of several; of a logarithm "+2.565". */
enum { SCORE_TEXT = 40 };
const char *score_text(const struct criterion *criterion, double shown, int decimals, char out[SCORE_TEXT]);
static inline bool shows_likelihoods(const struct criterion *criterion) { return criterion->shown_as == SHOWN_S; }
/* "S 0.875 (S0 0.125)". S0 stands beside likelihoods of the answer alone: "tokens 24, PP 0.875 (S0 0.125)"; without a PP (NAN)
 * "tokens 24". */
enum { SCORES_TEXT = 160 };
const char *scores_text(const struct criterion *criterion, double shown, double pp, double s0, char out[SCORES_TEXT]);

/* ---- what criteria share ------------------------------------------------------------------------------------- */

/* Equation 3 by any model: the likelihood of each item's target (where it has none, the problem's) behind its reasoning, in
 * one call of the engine. `prompt` is the scorer's. */
cord_status score_targets(const struct search *search, const struct meta_prover *scorer, struct spans prompt,
                          struct scored *items, int n, cord_error *err);

/* Takes over what a request came to, and adds up its costs. */
void scored_take(struct scored *item, const cord_scoring *request, bool good);

/* Fills in reasoning_tokens of all items that have a reasoning, in one call, since a server takes as long for one as for
 * many. Where the meta-prover cannot count them, error says why, and there is no score. */
cord_status count_scored(const struct search *search, struct scored *items, int n, cord_error *err);

/* The prompt of somebody who is spoken to in the meta-prover's style: `prompt` itself where it is the same model. */
cord_status prompt_of_scorer(const struct search *search, const struct meta_prover *who, struct spans prompt,
                             struct spans *out, cord_error *err);

/* The answer stage of empty trajectories, `samples` of each teacher, at its own temperature: teacher by teacher into `out`. */
cord_status answer_without_reasoning(const struct search *search, const struct spans *prompts, int samples,
                                     struct answered *out, cord_error *err);

/* The answers that the given traces of a selection came with, but of traces that are empty or there twice; at most n_given. */
cord_status answer_given(const struct search *search, struct answered *out, int *n, cord_error *err);

/* What one run draws hangs on this seed. Run 0's is that of a search that has but one. */
uint64_t run_seed(const struct search *search, int run);

/* Streams of seeds, each by itself: no round and no run has these numbers. */
#define ANSWER_STREAM   UINT64_MAX
#define JUDGE_STREAM    (UINT64_MAX - 1)
#define RUN_STREAM      (UINT64_MAX - 2)
#define LAST_STREAM     (UINT64_MAX - 3)
#define RANDOM_STREAM   (UINT64_MAX - 16)
#define JUDGMENT_STREAM (UINT64_MAX - 17)
#define CONTRAST_STREAM (UINT64_MAX - 18)
#define GUESS_STREAM    (UINT64_MAX - 19) /* answers without reasoning */
#define ROLLOUT_STREAM \
    (UINT64_MAX - 29) /* of cord audit: with the run's, the first of them would say again what was kept */

/* ---- parts of single criteria, for those who show or test them ---------------------------------------------------- */

/* `text` with every mention of `answer` replaced (criteria/masked.c); the numbers of steps headed by `marker` are none. The same
 * text where there is none. */
cord_status mask_mentions(cord_text text, cord_text answer, cord_text marker, struct arena *arena, cord_text *out,
                          cord_error *err);

/* What the judge is asked behind a prompt in this style (criteria/judge.c). */
cord_status judgment_prompt(struct spans prompt, const struct prompt_style *style, cord_text sentence,
                            cord_text reasoning, bool complete, struct arena *arena, struct spans *out,
                            cord_error *err);

/* The log of the probability of "good" among two tokens, and of all steps' together (criteria/prm.c). */
double reward_log_share(double log_good, double log_bad);
double reward_aggregate(enum reward_aggregate aggregate, const double *log_steps, int n);

/* Format qwen2.5-math-prm: what the model is asked, with the mark behind each of n steps; and the log of the probability that
 * the step before a mark is good, of what the head's n_classes log-probabilities (or logits) there say. NAN: it is another
 * kind of head. */
#define REWARD_MARK TEXT("<extra_0>")
cord_status reward_marked(cord_text question, const struct stretch *steps, int n, struct arena *arena,
                          struct spans *out, cord_error *err);
double reward_of_classes(const double *log_classes, int n_classes);

#endif
