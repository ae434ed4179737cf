/* measures.h - what a run says of one of its problems, as numbers: how good its best trajectory is, what it cost, and which
 * teachers wrote what was kept. Reads journals; it must not know how runs are compared or shown.
 *
 * What each measure is, to the letter: docs/compare.md. */
#ifndef CORD_MEASURES_H
#define CORD_MEASURES_H

#include "eval/mention.h"
#include "store/journal.h"

enum measure {
    MEASURE_ACCURACY,     /* 1 where the best trajectory's answer is correct */
    MEASURE_NO_ANSWER,    /* 1 where it states none, or where there is no trajectory */
    MEASURE_UNDECIDED,    /* 1 where the grader could not tell */
    MEASURE_PP,           /* predictive perplexity: S of the best trajectory, by measures.scorer */
    MEASURE_HELD_OUT,     /* the same by measures.held_out; NAN where there is none */
    MEASURE_S0,           /* S without reasoning */
    MEASURE_TRAJECTORIES, /* complete ones */
    MEASURE_STEPS,        /* of the best trajectory */
    MEASURE_LENGTH,       /* its tokens, the meta-prover's */
    MEASURE_AFTER,     /* its steps after the one that first mentions the gold; NAN where none does, or the question */
    MEASURE_NEVER,     /* 1 where no step of it mentions the gold; NAN where the question does */
    MEASURE_PROPOSED,  /* tokens written as steps, or as guesses before the first */
    MEASURE_PREFILLED, /* tokens of prompts of steps, guesses and answers that no cache had */
    MEASURE_SCORED,    /* tokens that were computed to score, but those written for it */
    MEASURE_JUDGED,    /* tokens that a judge wrote to score; NAN: an older journal has them among those scored */
    MEASURE_ANSWERS,   /* tokens written as answers */
    MEASURE_GENERATED, /* tokens written, as steps or as answers */
    MEASURE_TOKENS,    /* those generated, prefilled, scored and judged */
    MEASURE_FLOPS_GENERATED, /* what these tokens took: 2 x parameters x tokens; NAN where parameters are not known */
    MEASURE_FLOPS_PREFILLED,
    MEASURE_FLOPS_SCORED,
    MEASURE_FLOPS_JUDGED,
    MEASURE_FLOPS,        /* the four together */
    MEASURE_PROPOSE_TIME, /* seconds in which the problem waited for steps, for scores, for a judge, for answers */
    MEASURE_SCORE_TIME,
    MEASURE_JUDGE_TIME,
    MEASURE_ANSWER_TIME,
    MEASURE_TIME, /* the four together */
    MEASURES
};

enum measure_kind { KIND_SHARE, KIND_COUNT, KIND_TOKENS, KIND_FLOPS, KIND_SECONDS };

struct measure_info {
    const char *key, *name; /* "no_answer", "no answer" */
    enum measure_kind kind;
};
extern const struct measure_info measure_infos[MEASURES];
/* Whether it is something spent, so that a ratio to another method says something. */
bool measure_is_cost(enum measure measure);

/* ---- hit rates ----------------------------------------------------------------------------------------------- */

/* Who wrote what, over the progress of a trace, in ten parts. [teacher * HIT_BINS + bin]. */
enum { HIT_BINS = 10 };
struct hits {
    int n_teachers;
    int64_t *proposed; /* candidates, whatever became of them, in the rounds of this part */
    int64_t *kept;     /* those of them that entered the beam */
    int64_t *final;    /* those that best trajectories are made of, in this part of them */
};
/* Walks the candidates that a trajectory is made of, last one first: the last step of the one before that of `last`, NULL in
 * front of the first. A step is a candidate; a trace that came whole, given or merged, is one with all its steps. */
const struct step *candidate_before(const struct step *last);

cord_status hits_init(struct hits *hits, int n_teachers, struct arena *arena, cord_error *err);
/* Sum over all teachers of one part, or of all parts (bin -1): what a rate is a share of. */
int64_t hits_all(const struct hits *hits, const int64_t *counts, int bin);
void hits_add(struct hits *hits, const struct hits *more); /* of the same teachers */
/* Over all parts, of one teacher. */
int64_t hits_of(const int64_t *counts, int teacher);
/* In which part number `at` (from 0) of `n` lies, by its middle. */
int hits_bin(int at, int n);

/* ---- one problem --------------------------------------------------------------------------------------------- */

/* How many parameters models have; 0: not known. */
struct model_sizes {
    const double *teachers; /* of each one's model: all that the journal has, the integrator behind the others */
    int n_teachers;
    double chooser; /* whose scores choose: the meta-prover, or what the criterion has in its place */
};

/* What a journal has of a problem that is done. */
struct past {
    const struct journal_problem *problem;
    struct round *rounds;
    int n_rounds;
    struct answered *answers; /* best first */
    int n_answers;
    struct spoken *spoken;
    int n_spoken;
    bool not_apart; /* of an older journal: what was judged is among what was scored */
};
cord_status past_read(struct journal *journal, const struct journal_problem *problem, struct arena *arena,
                      struct past *past, cord_error *err);

/* What it took: trajectories, tokens, FLOPs, seconds; all other values are 0. */
void past_costs(const struct past *past, const struct model_sizes *sizes, double value[MEASURES]);
/* Measures a problem that is done, and adds its hits. */
cord_status measure_past(const struct past *past, const struct model_sizes *sizes, double value[MEASURES],
                         struct hits *hits, cord_error *err);
/* The same, read from its journal. */
cord_status measure_problem(struct journal *journal, const struct journal_problem *problem,
                            const struct model_sizes *sizes, double value[MEASURES], struct hits *hits,
                            cord_error *err);

#endif
