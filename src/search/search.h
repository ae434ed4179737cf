/* search.h - reasoning step by step with several teachers (sections 3 and 4 of the paper).
 *
 * A search takes one problem from its question to finished, answered and graded trajectories, by calls of cord_propose
 * and cord_score; it tells an observer what happened, round by round, and can start again from what the observer was
 * told. It must not know SQLite, files, terminals or back ends.
 *
 * Memory: what lasts lives in the arena that a search was given, until the problem is done: prompts, the steps of what was
 * kept, the finished trajectories and their answers. A round that the observer is told of is there until it returns. */
#ifndef CORD_SEARCH_H
#define CORD_SEARCH_H

#include "cord.h"
#include "data/prompt.h"
#include "data/segment.h"
#include "grade/grade.h"

/* ---- who takes part ------------------------------------------------------------------------------------------ */

enum { SEARCH_TEACHERS = 64 }; /* at most: sets of them are bits */

/* A model with a way to sample and a way to be spoken to. Teachers may share a model (the homogeneous set-up). One without a
 * model is never asked for anything: given traces are its (STRATEGY_SELECTION). */
struct teacher {
    const char *name;
    const cord_model *model;
    struct prompt prompt;
    cord_sampling sampling; /* its seed is ignored: seeds are derived */
};

/* Who scores. Its model may be one of the teachers'. */
struct meta_prover {
    const cord_model *model;
    struct prompt prompt;
    bool reuse; /* scores may rest on what the model computed when it wrote a text as a teacher */
};

enum search_strategy {
    STRATEGY_CORD,
    STRATEGY_GREEDY,      /* as cord, with a beam of 1 */
    STRATEGY_CURATION,    /* complete traces, each by one teacher; the best by S */
    STRATEGY_REJECTION,   /* as curation, but those first whose answers are correct */
    STRATEGY_INTEGRATION, /* complete traces, which one more teacher merges into one */
    STRATEGY_MCTS,        /* Monte Carlo tree search: UCT over the same steps */
    STRATEGY_SELECTION,   /* traces that there are already, best first */
};
extern const char *const strategy_names[]; /* in that order; NULL-terminated */

/* What the teacher is called that merges traces. */
#define INTEGRATOR "integrator"

/* How the criterion `judge` asks (criteria/judge.c). */
struct judgment {
    int completions, tokens; /* of each reasoning; of each completion, at most */
    float temperature;       /* 0: one completion says all */
    cord_text sentence;      /* tells that time is up, behind a reasoning that is not complete */
};

/* What the criterion `prm` asks (criteria/prm.c). */
enum reward_format { REWARD_QWEN, REWARD_RLHFLOW, REWARD_SHEPHERD };
enum reward_aggregate { REWARD_LAST, REWARD_MINIMUM, REWARD_PRODUCT };
extern const char *const reward_format_names[], *const reward_aggregate_names[]; /* in that order; NULL-terminated */

struct criterion; /* criterion.h */

struct search_settings {
    enum search_strategy strategy;
    const struct criterion *criterion; /* NULL: predictive perplexity */
    struct judgment judgment;
    enum reward_format reward_format;
    enum reward_aggregate reward_aggregate;
    int contrast_samples; /* of each teacher, with the criterion `contrast` */
    int runs;             /* independent searches; of curation and rejection, complete traces of each teacher */
    int beam;             /* B; 1 is greedy; of curation, rejection and mcts 1 */
    int simulations;      /* of mcts: a root that has been visited so often gives way to its most visited child */
    double exploration;   /* of mcts: the constant of UCB */
    int step_tokens;      /* of one proposal; mcts asks for all the rest at once */
    bool whole_traces;    /* of curation, rejection and integration: each trace is one request, not one a step */
    int think_tokens;     /* of a trajectory's reasoning, in the meta-prover's tokens */
    int answer_tokens;
    bool adaptive;               /* of cord and greedy: fewer proposals where more make little (allotment.c) */
    double agreement;            /* of scores that agree, in log S */
    int patience;                /* a teacher of search->seldom is asked in one round of this many */
    float answer_temperature;    /* 0 */
    bool stop_at_first_finished; /* end the search at the first finished trajectory, not when the whole beam is */
    bool tie_within_noise;       /* treat differences of log S within the meta-prover's noise as ties */
    bool correct_first;          /* of a selection: those first whose answers are correct */
    bool measure_best_only;      /* by scorer and held_out */
    struct {
        cord_text form;    /* what the integrator is asked; {question} and {traces} stand in it */
        int tokens, tries; /* most of its reply; how often it is asked before the problem has failed */
    } integration;
    uint64_t seed; /* of the run */
};

/* How many texts one teacher is asked for at once. */
static inline int search_rows(const struct search_settings *settings) { return settings->runs * settings->beam; }

/* How many texts a model is asked for at once that `sharing` of n teachers have. In a search tree each run asks one teacher
 * a round, whose turn a hash says: a model has its share of them. */
static inline int search_rows_of(const struct search_settings *settings, int sharing, int n) {
    int rows = search_rows(settings) * sharing;
    return settings->strategy == STRATEGY_MCTS && n ? (rows + n - 1) / n : rows;
}

/* ---- what a search makes ------------------------------------------------------------------------------------- */

/* One step of a trajectory; steps are shared by the trajectories that go through them. */
struct step {
    const struct step *previous; /* NULL for the first */
    cord_text text;              /* as it was proposed, but what segment_read leaves out */
    int round, teacher;          /* round from 1; index into the teachers */
    bool cut;                    /* ended by the step's limit: the next step continues it, and is a piece of it */
    double log_score;     /* log S of the trajectory up to and with this step; NAN where it was not taken; of mcts,
                                  * with its rollout */
    const char *category; /* of an integration: one of integration_categories; else NULL */
};

enum finish {
    GROWING,
    FINISHED_CLOSED,    /* a teacher wrote </think> */
    FINISHED_TURN,      /* a teacher ended its turn inside the thinking; </think> is appended */
    FINISHED_BUDGET,    /* the thinking budget ran out; </think> is appended */
    FINISHED_EXHAUSTED, /* every candidate of a round was dropped */
};
const char *finish_name(enum finish finish);

/* What a node of a search tree has beside its text (mcts.c). Zero where there is no tree. */
struct tree_place {
    int above;      /* its parent's place among the nodes of its run, of which 0 is the root; -1 for the root */
    int visits;     /* simulations that came through it, the one that made it too */
    double value;   /* the sum of their rewards */
    uint64_t tried; /* bit k: teacher k has been asked to go on from here */
};

/* A place in the beam. */
struct trajectory {
    cord_text reasoning;     /* from the first marker on, if steps have some; the state of the beam */
    const struct step *last; /* NULL only for the empty trajectory that every search starts from */
    int n_steps;             /* the pieces of a cut step count once */
    int tokens;              /* of `reasoning`, in the meta-prover's tokens */
    double log_score;        /* log S; for the empty trajectory, log S_0 */
    enum finish finish;
    int author;      /* teacher selected at the final step: it writes the answer. -1 while there is none */
    int from;        /* slot of its parent, or of itself, in the beam of the round before; -1: it began anew */
    int candidate;   /* the candidate of this round that it took, and whose steps it has; -1: carried over, or finished
                        with all others */
    int run;         /* of settings->runs, from 0 */
    cord_text reply; /* what stands behind its thinking, where it came with it; empty: the answer stage asks for it */
    struct tree_place tree;
};

/* Of a candidate that is several steps: where one stands in what it adds to its parent's reasoning. */
struct step_part {
    size_t from, to;
    const char *category; /* as in struct step */
};

/* Whether it is a node of a search tree; the empty root of a tree that nobody was asked for is none yet. */
static inline bool trajectory_is_node(const struct trajectory *t) { return t->tree.visits || t->tree.tried; }

/* One proposal and what became of it. */
struct candidate {
    int parent; /* slot in the beam of the round before; -1: none, it begins anew */
    int teacher, sample;
    int run; /* its trajectory's */
    uint64_t seed;
    cord_text step; /* what was written, but what segment_read leaves out */
    enum step_end end;
    enum step_drop drop;
    const char *drop_why; /* for DROP_FAILED, the error; else NULL */
    bool finishes_parent; /* it said only </think>, or ended the turn: a vote to finish its parent as it stands */
    cord_text reasoning;  /* the parent's with this step; empty when dropped or finishes_parent */
    const struct step_part *parts; /* NULL: it is one step */
    int n_parts;
    cord_text rollout; /* of mcts: what was written behind the step, up to the end; else data == NULL */
    /* of `reasoning` and `rollout`; the parent's if finishes_parent; NAN when dropped or not scored */
    double log_score;
    int rank;             /* among all of its run that could be kept, from 0; -1 when dropped, or where none compete */
    int slot;             /* in the new beam, or -1 when not kept */
    uint64_t tie;         /* the seeded hash that breaks ties: smaller wins */
    int reasoning_tokens; /* of `reasoning`, in the meta-prover's tokens */
    int prompt_tokens, cached_tokens, new_tokens; /* of the proposal, in the teacher's tokens */
    int score_prompt_tokens, score_cached_tokens; /* of the scoring, in the meta-prover's */
    int64_t propose_us, score_us;
    int judged_tokens; /* what a judge wrote to score it, in its own tokens */
    int64_t judge_us;
};

/* A round, whole. */
struct round {
    int number; /* from 1 */
    const struct candidate *candidates;
    int n_candidates;
    const struct trajectory *beam; /* after selection, run by run, each best first; of curation as they began; of mcts
                                      the nodes of each run's tree, the root first, as they were made */
    int n_beam;
    const char *note; /* NULL, or something a reader of the journal should know (all candidates were dropped) */
};

/* Whether the trajectory in that slot of the beam before is still there, as it was: finished. */
static inline bool round_carries(const struct round *round, int slot) {
    for (int i = 0; i < round->n_beam; i++)
        if (round->beam[i].candidate < 0 && round->beam[i].from == slot) return true;
    return false;
}

enum grade { GRADE_CORRECT, GRADE_WRONG, GRADE_NO_ANSWER, GRADE_UNDECIDED };
const char *grade_name(enum grade grade);

/* A finished trajectory with its answer. */
struct answered {
    struct trajectory trajectory;
    cord_text reply; /* the answer stage's whole text, with what the style opened it with */
    /* extracted from it; all of it behind the thinking, where none is found and the grader reads that; empty when
     * there is none */
    cord_text answer;
    enum grade grade;
    const char *why;             /* the grader's rule or reason */
    bool refused;                /* nobody wrote it, as `why` says: who is asked another time may well do so */
    double log_pp, log_held_out; /* predictive perplexity by the named scorer and by the held-out one; NAN: not known */
    int prompt_tokens, cached_tokens, new_tokens;
    int64_t us;
};

/* ---- the search ---------------------------------------------------------------------------------------------- */

/* What a teacher was asked for before round 1, all samples together (criteria/contrast.c), in its own tokens. */
struct guesses {
    int prompt_tokens, cached_tokens, new_tokens;
    int64_t us; /* of the slowest */
};

/* How a participant was spoken to: what its prompt was, up to where reasoning is appended, and the texts around it.
 * With it, every request of a search can be put together again, byte for byte. */
struct spoken {
    int teacher; /* -1: the meta-prover; -2: who is asked in its place (criterion.h), if that is another model */
    struct spans prompt;
    const struct prompt_style *style;
    struct guesses guesses;
};

enum { SPOKEN_META = -1, SPOKEN_ASKED = -2 };
/* What the integrator is asked is made of traces that are not there yet: this stands for all of its user's turn. */
#define INTEGRATOR_TURN "{traces}"

/* Told what happened. Each call is one transaction of the journal; a failure ends the search with its status. Called from
 * the search's own thread. Any of the three may be NULL. */
struct observer {
    void *ctx;
    /* S with empty reasoning; what search.contrast is; the prompts of all who have one */
    cord_status (*started)(void *ctx, double log_s0, cord_text contrast, const struct spoken *spoken, int n,
                           cord_error *err);
    cord_status (*round)(void *ctx, const struct round *round, cord_error *err);
    cord_status (*finished)(void *ctx, const struct answered *finished, int n, cord_error *err); /* best first */
};

/* Where a search that was interrupted stands: exactly what the observer was told. */
struct search_state {
    bool started;
    double log_s0;
    cord_text contrast;
    int round;                     /* the last one that was observed, 0 = none */
    const struct trajectory *beam; /* after that round */
    int n_beam;
    int anew;            /* rounds so far with candidates that began anew: how often an integration was tried */
    const char *refused; /* why the last of those was dropped; NULL */
    const char *failed;  /* why the first candidate of the last round that failed did so; NULL */
};

/* A trace that there was already. Texts outlive the search. */
struct given_trace {
    int teacher, sample;
    cord_text reasoning, reply; /* reply: empty where the trace has none of its own */
};

struct search {
    cord_engine *engine;
    uint64_t group;                 /* of all its requests, as in cord_proposal */
    struct question question;       /* all that teachers see */
    cord_text target, gold;         /* what is scored; what the answer is graded against */
    const struct teacher *teachers; /* of an integration, with the integrator behind the last */
    int n_teachers;
    const struct given_trace *given; /* with STRATEGY_SELECTION */
    int n_given;
    const struct meta_prover *meta_prover;
    const struct meta_prover *judge, *reward;    /* of the criteria of these names; else NULL */
    const struct meta_prover *scorer, *held_out; /* who measures what is finished; NULL: the meta-prover, nobody */
    const struct search_settings *settings;
    uint64_t seldom; /* teachers that are asked seldom, as bits; with settings->adaptive */
    const struct grader *grader;
    const struct observer *observer;
    struct search_state state; /* zero, or where to go on from */
    struct arena *arena;
    /* what the search finds for itself: the commonest wrong answer, with the criterion `contrast`; and of all its
     * requests, what its strategy says (as in cord_proposal) */
    cord_text contrast;
    bool others_go_on;
};

/* Searches by settings->strategy. Fails when the engine does, when the observer does, when no teacher can take the prompt, or
 * when the first round leaves nothing to keep; CORD_CANCELLED leaves a state that can be resumed. */
cord_status search_run(const struct search *search, cord_error *err);

#endif
