/* local.h - the inside of the local back end: GGUF models on this machine, by llama.cpp. Only files in this folder
 * include it, and only they include llama.h.
 *
 *   log.c       llama.cpp's log: which engine hears it
 *   weights.c   opening a model, and refusing what cannot be used
 *   tokens.c    texts to tokens and back: what is trusted, where each token's bytes lie
 *   tree.c      what a lane's cache holds: runs of tokens that share their beginnings
 *   lane.c      a llama_context with its tree: forking, making room, computing a batch
 *   attention.c attention over the cells of a row's own text
 *   matmul.c    products with quantised weights; accelerator.c makes both known to llama.cpp
 *   device.c    the one thread that computes, and what callers share with it
 *   schedule.c  its turns: who is let in, which lane is next, which rows are in its batch
 *   room.c      in which lane a problem's texts are cached, and who makes way where it is full
 *   propose.c   what a proposal does with its logits
 *   score.c     what a scoring does with its logits (eq. 3)
 *   sample.c    one token from its logits
 *   machine.c   cores and memory
 *   check.c     the same score by the plainest computation there is
 *   local.c     the back end's calls: requests to jobs, and waiting for them
 *
 * Words: a *job* is one request on its way. A *row* is one token of one sequence in a batch. A *group* is a problem. */
#ifndef CORD_LOCAL_H
#define CORD_LOCAL_H

#include "model/backend.h"

#include <llama.h>
#include <pthread.h>

/* ---- models -------------------------------------------------------------------------------------------------- */

/* A token that a tokenizer would recognise by its text alone. */
struct special {
    llama_token id;
    cord_text text;
    bool user_defined; /* llama.cpp parses these even where special tokens are not to be parsed */
};

struct local_model {
    struct cord_model base; /* first */
    cord_engine *engine;
    struct llama_model *weights;
    const struct llama_vocab *vocab;
    struct special *specials; /* longest text first */
    int n_specials;
    bool special_lead[256]; /* bytes that some special's text begins with */
    int longest_piece;      /* bytes of the longest token */
    int context, sequences;
    const char *context_key;   /* what people set the context by; NULL: nothing */
    int cells;                 /* most of all lanes together */
    int least_lane, most_lane; /* cells of one lane */
    int usual_lane;            /* of one that problems share */
    bool tips;  /* a state can be copied only where it stands (recurrent and hybrid models), not in part */
    int window; /* tokens that attention of some layers reaches back; 0: all */
    struct arena arena;
    /* the device's: */
    struct local_model *next;
    struct lane *lanes;
    int lane_cells;  /* of all lanes */
    int group_cells; /* what a problem has needed of late */
};

static inline struct local_model *local_of(const cord_model *model) { return (struct local_model *)(uintptr_t)model; }

cord_status local_open(cord_engine *engine, const cord_model_options *options, cord_model **model, cord_error *err);
void local_close(cord_model *model);
/* Bytes that a lane of so many cells takes, as far as it can be told beforehand: its cache and its largest buffers. */
uint64_t weights_lane_bytes(const struct local_model *model, int cells);

/* ---- llama.cpp's log ------------------------------------------------------------------------------------------ */

/* Once, before all else. */
void log_begin(void);
/* From now on the engine hears the log, if it wants it, until it leaves or another takes it; then the one before it does. */
cord_status log_take(const cord_engine *engine, cord_error *err);
void log_leave(const cord_engine *engine);
/* The first error that this thread was told since it forgot the one before. */
void log_forget_error(void);
cord_text log_first_error(void);

/* ---- what computes on CPUs in llama.cpp's place ------------------------------------------------------------------ */

/* Makes attention.c and matmul.c known to llama.cpp; once, before any model is opened. */
void accelerator_begin(void);
/* Whether they are: contexts should have flash attention then. Not where there is a GPU, which has its own. */
bool accelerator_used(void);
/* The threads that they compute with where this thread calls llama.cpp. */
void accelerator_threads(struct ggml_threadpool *pool, int n);
/* Whether llama.cpp loads and computes without them where this thread calls it. */
void accelerator_rest(bool rests);

/* ---- tokens -------------------------------------------------------------------------------------------------- */

/* A text in a model's tokens. end[i] is the offset of the byte behind token i, so token i is bytes end[i-1]..end[i]. */
struct tokens {
    llama_token *id;
    int *end;
    int n, cap;
};

void tokens_release(struct tokens *tokens);
/* Tokenises spans as one text. Special tokens are recognised only inside trusted spans, and no text that a user or a model
 * wrote becomes one. Nothing is added (no BOS). CORD_BAD_INPUT for a text whose tokens do not spell it. */
cord_status tokens_of(const struct local_model *model, const cord_span *spans, int n, struct tokens *out,
                      cord_error *err);
/* Adds a token that was written; its `end` is not known. */
bool tokens_append(struct tokens *tokens, llama_token token);
/* How many tokens two lists of n and m begin with in common. */
int tokens_common(const llama_token *a, int n, const llama_token *b, int m);
/* The bytes of one token, appended; control tokens by their text. */
void token_piece(const struct local_model *model, llama_token token, struct buf *out);
/* CORD_TOO_LONG where a text of n tokens plus `more` does not fit the model's context. */
cord_status tokens_fit(const struct local_model *model, int n, int more, cord_error *err);

/* ---- the tree ------------------------------------------------------------------------------------------------ */

/* A run of tokens in the cache; its beginning is its parents' runs. Only leaves own a sequence of llama.cpp's memory: the
 * cells of a run above belong to the sequences of all leaves below it. Where states are copied at their tips only, every
 * place that can be forked from owns one. */
struct node {
    struct node *parent, *first, *next; /* the first child, and the next one of the same parent */
    llama_token *id;
    int n, cap;
    int start;    /* position of its first token */
    int sequence; /* -1: none */
    /* written token by token, not prefilled: its cells differ by rounding; a score rests on them only where it may
     * (cord_scoring.reuse) */
    bool decoded;
    bool held;   /* a job works at its end */
    bool shared; /* more than one group began here: goes last */
    uint64_t group;
    int64_t used;
};

struct tree {
    llama_memory_t memory;
    bool tips;        /* states are copied where they stand, or not at all */
    int window;       /* tokens of a sliding window; 0: none */
    struct node root; /* holds nothing */
    int cells;        /* in use: the tokens of all nodes */
    bool *taken;      /* sequences in use, [n_sequences] */
    int n_sequences;
    int64_t now;
};

cord_status tree_init(struct tree *tree, llama_memory_t memory, int n_sequences, bool tips, int window,
                      cord_error *err);
void tree_release(struct tree *tree);
/* Forgets everything, held or not. */
void tree_clear(struct tree *tree);
/* How many of the n tokens are cached from the beginning. `prefilled`: count only what was. */
int tree_match(struct tree *tree, const llama_token *tokens, int n, bool prefilled);
/* A held leaf that holds as many of the n tokens as tree_match says. NULL where no sequence is free, or no memory. */
struct node *tree_fork(struct tree *tree, const llama_token *tokens, int n, bool prefilled, uint64_t group);
/* Notes that a held leaf's sequence has one token more. The leaf that holds it, or NULL without memory. */
struct node *tree_extend(struct tree *tree, struct node *leaf, llama_token token, bool decoded);
/* Keeps the place where a held leaf stands for others; the job goes on in the new leaf. Needed where not every place can be
 * forked from later. NULL as tree_fork's. */
static inline bool tree_must_keep(const struct tree *tree) { return tree->tips || tree->window; }
struct node *tree_keep(struct tree *tree, struct node *leaf);
/* Whether all sequences of a batch must have as many rows: a hybrid memory with a window computes other batches wrong
 * (tests/model/test_tiny.c, windows_need_even_batches). */
static inline bool tree_needs_even_batches(const struct tree *tree) { return tree->tips && tree->window; }
/* Cuts a held leaf to the first `length` tokens of its sequence and gives it back to the cache. */
void tree_give(struct tree *tree, struct node *leaf, int length);
/* Drops the run at the end of the branch that has waited longest; false where all are held. */
bool tree_evict(struct tree *tree);
/* Cells that cannot be dropped, because a job works at the end of their branch: those of a group, or all where it is NULL. */
int tree_held(const struct tree *tree, const uint64_t *group);
/* What becomes of branches whose end was written, and not prefilled. */
enum written { WRITTEN_GOES, WRITTEN_IF_WANTED, WRITTEN_STAYS };
/* Drops all branches of a group that are not held, but what other groups began with. `keep` (n_keep token lists): what may
 * stay of them, as far as it is the beginning of one of these. Returns how many cells the group had. */
int tree_forget(struct tree *tree, uint64_t group, const struct tokens *const *keep, int n_keep, enum written written);
/* Leaves the first n tokens, prefilled ones, and the cache as it would be if nothing else had ever been in it; where that
 * cannot be, leaves nothing. Nothing may be held. */
void tree_retain(struct tree *tree, const llama_token *tokens, int n);
/* Cells that a group has. */
int tree_cells(const struct tree *tree, uint64_t group);

static inline int node_end(const struct node *node) { return node->start + node->n; }

/* ---- lanes --------------------------------------------------------------------------------------------------- */

/* Most rows of a batch, and most of them whose logits are read. Larger batches are no faster on a CPU. */
enum { LANE_WIDTH = 256, LANE_OUTPUTS = 64 };

struct lane {
    struct local_model *model;
    struct llama_context *ctx;
    struct llama_batch batch;
    struct tree tree;
    int cells;
    int room; /* how many of them may be used: fewer, where a reproducible call alone would have opened a smaller lane */
    uint64_t bytes;
    struct lane *next; /* of the same model */
    uint64_t *groups;  /* problems that live here */
    int n_groups;
    int failures; /* batches in a row that could not be computed */
    bool full;    /* a job waits for room: nobody else is let in before another has ended */
    int running;  /* jobs being computed, and the rows that they need; counted every turn */
    int promised;
    int solid;      /* reproducible: so many first tokens were computed in whole batches of their own */
    int64_t served; /* when it last had a batch */
};

cord_status lane_open(struct local_model *model, int cells, struct lane **lane, cord_error *err);
void lane_close(struct lane *lane);
/* Makes `cells` cells free by dropping what waits; false, and nothing is dropped, where that would not be enough. */
bool lane_make_room(struct lane *lane, int cells);
/* A batch is filled row by row, then computed. The rows of one sequence come in order. */
void lane_begin(struct lane *lane);
void lane_row(struct lane *lane, const struct node *leaf, llama_token token, int position, bool logits);
/* CORD_OK; CORD_CANCELLED when asked to stop; CORD_BAD_MODEL where llama.cpp could not. After a failure nobody knows what the
 * cache holds: clear the tree. */
cord_status lane_compute(struct lane *lane, cord_error *err);
/* The logits of a row of the last batch: one float for each token of the vocabulary, until the next one. */
float *lane_logits(struct lane *lane, int row);

/* ---- jobs ---------------------------------------------------------------------------------------------------- */

struct call;
struct writing;   /* propose.c */
struct measuring; /* score.c */

/* One request on its way. A job is filled until `have` == tokens.n; each row from `read` on gives logits to whom it belongs,
 * who may append a token, and so on until it says that it is done. */
struct job {
    struct local_model *model;
    uint64_t group;
    struct call *call; /* who waits for it */
    cord_error *error; /* its request's, where its own failure is told */
    struct writing *writing;
    struct measuring *measuring; /* one of the two */
    bool reuses;                 /* may rest on what was written */
    bool others_go_on;           /* what its group has written beside it stays */
    struct tokens tokens;
    int n;    /* how many of them are to be computed; grows while a text is written */
    int more; /* by how much at most */
    int read; /* the first whose logits are read */
    int keep; /* the first so many are worth keeping when the job is done */
    int tip;  /* where a tip is worth keeping, where states can be copied only there */
    bool done;
    /* the device's: */
    struct job *next;
    struct lane *lane;
    struct node *leaf; /* NULL: waits for its turn */
    int have;          /* computed */
    int prefill;       /* of them, as a prompt; the rest was written since it was let in */
    int cached;        /* what was there at first; -1: not let in yet */
    bool settled;
    int64_t began;
    struct job *same; /* a job of this call that computes the same */
};

/* propose.c: a job that writes. */
cord_status writing_begin(const struct local_model *model, cord_proposal *request, struct job *job);
bool writing_take(struct job *job, float *logits, struct buf *scratch); /* true: it has ended */
void writing_end(struct job *job);
/* score.c: a job that measures. */
cord_status measuring_begin(const struct local_model *model, cord_scoring *request, struct job *job);
bool measuring_take(struct job *job, int index, const float *logits);
void measuring_end(struct job *job);
/* Is this the same computation? Then only one of them is done, and its result copied. */
bool measuring_same(const struct job *a, const struct job *b);
void measuring_copy(struct job *to, const struct job *from);
/* What the model computed is NaN. */
cord_status no_numbers(const struct local_model *model, cord_error *err);

/* ---- the device ---------------------------------------------------------------------------------------------- */

/* The jobs of one cord_propose or cord_score. */
struct call {
    struct job *jobs;
    int n, left;
    cord_status status; /* why none of them can be done */
    cord_error error;
    pthread_cond_t done;
    struct call *next;
};

struct device; /* engine->local */

cord_status device_open(cord_engine *engine, cord_error *err);
void device_close(cord_engine *engine);
void device_add(struct device *device, struct local_model *model);
int device_threads(const struct device *device);
uint64_t device_memory(const struct device *device);
struct ggml_threadpool *device_pool(const struct device *device);
/* Runs the jobs of a call, and returns when all have ended. */
cord_status device_run(struct device *device, struct call *call, cord_error *err);
/* Runs `run` on the device's thread between two turns, and returns when it has ended: for what needs a context of its own. */
void device_do(struct device *device, void (*run)(void *ctx), void *ctx);
/* The group is done: what is cached for it goes, soon. */
void device_forget(struct device *device, uint64_t group);

/* ---- checking ------------------------------------------------------------------------------------------------ */

/* Compares scores with those of a fresh context. */
cord_status local_check(cord_engine *engine, cord_model *model, bool costs, cord_scoring_check *check, cord_error *err);

/* ---- sampling ------------------------------------------------------------------------------------------------ */

/* One token from its logits: repetition penalty, temperature, then top-k, top-p, min-p, then a draw. `before` is all that
 * stands before it, prompt and text. The penalty changes `logits` in place; nothing else does. `scratch` is used for
 * candidates. LLAMA_TOKEN_NULL where the logits are NaN. */
llama_token sample_token(float *logits, int n, const llama_token *before, int n_before, const cord_sampling *sampling,
                         struct rng *rng, struct buf *scratch);
/* log softmax(logits)[token], in double. */
double sample_logprob(const float *logits, int n, llama_token token);

#endif
