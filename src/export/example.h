/* example.h - one finished trajectory as training data: its question, its steps, the text that is learned. What a run
 * journaled is put together here once, so that formats, filters and figures all see the same. It must not know layouts of
 * rows. */
#ifndef CORD_EXAMPLE_H
#define CORD_EXAMPLE_H

#include "store/journal.h"

/* What the scores are by which a run chose. */
enum scores {
    SCORES_OF_GOLD, /* how likely the gold is, as S0 says it: by the criteria predictive-perplexity and masked */
    SCORES_OTHER,   /* of something else: a step is better or worse than another, but not than no step at all */
    SCORES_RANDOM,  /* of nothing */
};

/* A run that is exported. */
struct export_source {
    const char *problems;      /* the file that the run took its problems from; "" where it is not known */
    const char *folder, *name; /* its path; the last part of it, or as many as tell it from others */
    struct journal *journal;
    const char *const *teachers;
    int n_teachers;
    double noise;                     /* of the meta-prover: the largest difference of log S that means nothing, nats */
    struct problem_options fields;    /* how the run read its problems' rows; no file */
    const char *strategy, *criterion; /* NULL: not known */
    enum scores scores;
    bool pp_is_s;      /* PP was measured by the meta-prover's model, which S0 is of, too */
    int answer_tokens; /* most of a reply that the run asked for; 0: not known */
};

/* S of a finished trajectory: how likely the meta-prover finds the gold behind it. NAN where nobody asked it. */
double example_log_s(const struct export_source *source, const struct answered *answered);

enum markers { MARKERS_KEEP, MARKERS_STRIP, MARKERS_RENUMBER };

/* How a response is written. */
struct example_style {
    enum markers markers;
    cord_text think_open, think_close; /* "<think>\n" and "\n</think>\n\n" around the reasoning */
};

/* A part of a step that one teacher wrote in one round. */
struct example_piece {
    int round, teacher;
};

/* A whole step: the pieces of one that was cut are joined. */
struct example_step {
    cord_text text;     /* as it stands in the response, marker and what divides it from the step before included */
    cord_text bare;     /* without them */
    int round, teacher; /* of its last piece */
    const struct example_piece *pieces; /* in order; more than one where a step was cut */
    int n_pieces;
    double before, after; /* the log score up to the step, and with it; NAN where there is none that says anything */
};

/* The label of a step: good unless it has made the gold less likely by more than the margin. The change counts, not the level,
 * which says more of the problem than of the step. Needs both scores. */
static inline bool example_step_is_good(const struct example_step *step, double margin) {
    return step->after - step->before >= -margin;
}

struct example {
    const struct export_source *source;
    cord_text id, question, gold;
    int rounds;
    double log_s0, log_s; /* of S: see example_log_s */
    int rank;             /* among the problem's finished trajectories, from 0 */
    bool is_steps;        /* steps of a trajectory that was growing: no answer, no grade, no end */
    enum grade grade;
    enum finish finish;
    bool cut;                           /* the reasoning or the reply came to its limit, and stops wherever that was */
    cord_text reasoning, reply, answer; /* as the response has them: without blanks at their ends */
    cord_text response;                 /* the reasoning inside think tags, then the reply */
    const struct example_step *steps;
    int n_steps;
    int tokens; /* of the row, where a tokenizer was given; else 0 */
};

/* The texts that stood around the steps when a problem was run; the meta-prover's are the trajectory's. */
struct example_frame {
    cord_text marker; /* "### Step {n}."; empty where no marker divides the steps */
    cord_text between;
    bool given; /* the traces were there already, and their steps come without heading, number and the blanks around */
};
cord_status example_frame_read(const struct export_source *source, int64_t problem, struct arena *arena,
                               struct example_frame *frame, cord_error *err);

/* Puts a trajectory together. Everything lives in `arena`, or is borrowed from `problem` and `answered`. */
cord_status example_make(const struct export_source *source, const struct journal_problem *problem,
                         const struct answered *answered, int rank, const struct example_frame *frame,
                         const struct example_style *style, struct arena *arena, struct example *out, cord_error *err);

/* The steps of any trajectory, growing ones too, whole ones counted. */
cord_status example_steps(const struct export_source *source, const struct trajectory *trajectory, double log_s0,
                          const struct example_frame *frame, enum markers markers, struct arena *arena,
                          const struct example_step **steps, int *n, cord_error *err);
/* The texts of n steps, one behind the other. */
cord_status example_join(const struct example_step *steps, int n, struct arena *arena, cord_text *out, cord_error *err);

#endif
