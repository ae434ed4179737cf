/* cord.h - the public interface of libcord. What is not in this header is not API.
 *
 * cord makes chain-of-thought training data by collaborative step-wise multi-teacher decoding (CoRD,
 * arXiv 2605.02290). This header holds what all of it stands on: texts, errors, the grader, and the engine, which runs
 * language models: they propose continuations of a text, and score how likely a given text is.
 *
 * The engine is the boundary between what knows steps, beams and scores on one side and language models on the other,
 * and only text passes it. It is stateless: a request says everything, and speed (caching, batching, the order of work)
 * is the engine's business. So models with different tokenizers work together. An example: examples/score.c.
 *
 * Conventions
 *   X_open, X_close    a handle that holds a resource (weights, threads, caches).
 *   X_release          frees what the library put into a struct of the caller's, and leaves that empty. Releasing
 *                      twice, or what was never filled, does nothing. The struct itself stays the caller's.
 *   borrowed           valid until the call that the comment names; never freed by who receives it.
 *   zero               a struct of options may be zeroed and filled where wanted: 0 is then the default that its
 *                      comment gives. New members come with such a 0.
 *   Threads            functions keep no state outside the handles they are given, and may be called from any thread;
 *                      what may not run at the same time on one handle is said where it is declared.
 *   Errors             a function that can fail returns a cord_status and fills the cord_error it was given; on success
 *                      the error is left untouched. Zero it before each use: what stands in its `where` already is kept,
 *                      so that callers can say where themselves. The library never exits, prints, or reads the environment; but
 *                      what it rests on does: llama.cpp reads variables of its own for debugging (GGML_…, LLAMA_…), and
 *                      prints and aborts where weights are damaged in a way that it does not expect; FLINT aborts
 *                      without memory; OpenSSL and libcurl, for servers, read OPENSSL_CONF and SSLKEYLOGFILE.
 *   NULL               an error pointer may be NULL; no other pointer may, unless its comment says so.
 */
#ifndef CORD_H
#define CORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- text ---------------------------------------------------------------------------------------------------- */

/* Bytes, UTF-8 unless said otherwise, not NUL-terminated, borrowed. An empty text may have data == NULL. */
typedef struct {
    const char *data;
    size_t len;
} cord_text;

/* One stretch of a prompt. Only trusted spans (a chat template's own text, a marker that cord writes) may become
 * special tokens, so a question that contains "<|im_end|>" stays a question. */
typedef struct {
    cord_text text;
    bool trusted;
} cord_span;

/* ---- errors -------------------------------------------------------------------------------------------------- */

typedef enum {
    CORD_OK = 0,
    CORD_CANCELLED,  /* asked to stop; what was done is kept */
    CORD_NO_MEMORY,  /* an allocation failed, or a buffer reached its named cap */
    CORD_BAD_USAGE,  /* the command line */
    CORD_BAD_RECIPE, /* the recipe, or what it asks of a model */
    CORD_BAD_INPUT,  /* a row of input data */
    CORD_BAD_MODEL,  /* weights that are missing, damaged or unsupported; a server that does not do what it should */
    CORD_REFUSED,    /* a server that refuses the key */
    CORD_TOO_LONG,   /* a text that does not fit the model's context */
    CORD_IO_ERROR,   /* the file system or the journal */
    CORD_BUSY,       /* another process works on this run folder; a server that takes no more requests now */
    CORD_CHANGED,    /* a run folder that was made with another recipe */
    CORD_INTERNAL,   /* a bug in cord */
} cord_status;

/* What went wrong, for people: what happened and what to do about it, and where (file:line:column, a row, a key). */
typedef struct {
    cord_status code;
    char message[600];
    char where[300];
} cord_error;

/* The status as a word, such as "bad recipe". Static. */
const char *cord_status_name(cord_status status);

/* The version as "MAJOR.MINOR.PATCH". Static. */
const char *cord_version(void);

/* ---- grading ------------------------------------------------------------------------------------------------- */

/* Whether two answers are the same. Both equality and difference are proved; undecided is what is left, and never counted
 * as correct. */
typedef enum { CORD_EQUAL, CORD_DIFFERENT, CORD_UNDECIDED } cord_verdict;
/* As a word: "equal", "different", "undecided". Static. */
const char *cord_verdict_name(cord_verdict verdict);

/* How numbers are compared. Anything but exactly is for data sets whose own rules ask for it. */
typedef enum {
    CORD_NUMBERS_EXACT,
    CORD_NUMBERS_ROUNDED,  /* a gold written with d decimals equals every number that rounds to it: 3.14 and \pi */
    CORD_NUMBERS_RELATIVE, /* equal where |answer - gold| <= tolerance * |gold| */
    CORD_NUMBERS_TATQA, /* TAT-QA's: both rounded to two decimals in the gold's scale (million, percent, …); against a
                            * gold in percent, a plain number may be its hundredth rounded to four decimals */
} cord_number_rule;

/* Zero is the default. */
typedef struct {
    cord_number_rule numbers;
    double tolerance; /* for CORD_NUMBERS_RELATIVE: from 0 on, and finite; else nothing is decided by it */
} cord_grade_options;

/* What came of a comparison. */
typedef struct {
    cord_verdict verdict;
    const char *why;               /* the rule that decided, or the limit that was hit; static */
    char *gold_read, *answer_read; /* how each was read, "tuple () (1, divide(3, 4))" */
} cord_grading;

/* Compares a final answer with the gold one, both as plain answers (see cord_extract_answer for whole replies). docs/grader.md
 * has the rules. `options` NULL: the defaults. Any input, whatever it holds, ends within about 100 ms, 64 MiB, and
 * 512 KiB of stack; what is larger is undecided. *out is filled whatever the texts are; release it. Fails only without memory. */
cord_status cord_grade(cord_text gold, cord_text answer, const cord_grade_options *options, cord_grading *out,
                       cord_error *err);
void cord_grading_release(cord_grading *grading);

/* The verdict alone, by the default options. `why`, if not NULL, is set to a static sentence that names the rule. */
cord_verdict cord_verify(cord_text gold, cord_text answer, const char **why);

/* What shows that something is the final answer. */
typedef enum {
    CORD_FOUND_NOTHING,
    CORD_FOUND_BOX,    /* \boxed{…}, \fbox{…} */
    CORD_FOUND_PHRASE, /* "the answer is …", "Answer: …" */
    CORD_FOUND_HASHES, /* "#### …" */
    CORD_FOUND_NUMBER, /* the last number of the text, where nothing else was found */
} cord_found;
/* As a word: "nothing", "box", "phrase", "hashes", "last number". Static. */
const char *cord_found_name(cord_found found);

/* Finds the final answer in a model's whole reply, after the last </think> if there is one, and before a <think> that is
 * left open. A line in <answer>…</answer> counts as a phrase. `last_number`: take the last number where nothing else is
 * found. `answer` is a part of `reply` (borrowed from it; answer->data - reply.data is where it begins), and is left as it
 * was for CORD_FOUND_NOTHING. */
cord_found cord_extract_answer(cord_text reply, bool last_number, cord_text *answer);

/* ---- the engine ---------------------------------------------------------------------------------------------- */

/* Runs requests on models. It decides batching, caching and order; none of that may change a result beyond the model's
 * stated noise, nor, of calls with equal requests, at all if the engine was opened to be reproducible. A program that
 * lets floating-point exceptions trap (feenableexcept) cannot compute with it. */
typedef struct cord_engine cord_engine;

/* Weights that are open on an engine. They do not change; any number of threads may share them. */
typedef struct cord_model cord_model;

/* A request to a server that is paid for, as the ledger hears of it. */
typedef struct {
    const char *model;             /* its name, borrowed for the call */
    uint64_t group;                /* as in cord_proposal; 0, which no problem should have, is of none: its reply
                                    * need not be kept */
    char key[65];                  /* SHA-256, in hexadecimal, of all that the reply depends on */
    int prompt_tokens, new_tokens; /* the most that it can cost; of a prompt that only the server can count, a guess */
} cord_request;

/* What an answer cost, in tokens. */
typedef struct {
    int prompt_tokens; /* with the cached ones */
    int cached_tokens;
    int new_tokens;
} cord_cost;

/* Who keeps the replies of servers, so that none is asked for twice, in this process or after a crash, and who says whether
 * more may be spent. All of the functions are there but perhaps `again`, or none; `ctx` is theirs, may be NULL, and lives as
 * long as the engine. They are called by any thread that is inside the library, and `keep` by the one that does all HTTP,
 * which should not be kept waiting. */
typedef struct {
    void *ctx;
    /* A reply that was kept: true, and *reply is a block that the engine frees by free(). */
    bool (*find)(void *ctx, const cord_request *request, char **reply, size_t *len);
    /* Before these are sent, all at once. May wait until others have ended. Another status than CORD_OK: none is sent, and
     * the call returns it (CORD_CANCELLED: the budget is spent). */
    cord_status (*begin)(void *ctx, const cord_request *requests, int n, cord_error *err);
    /* Then of each one of the two. `lost`: how often it was sent and got no answer, and may have been paid for nevertheless.
     *   keep  its whole reply has arrived
     *   drop  it has ended without one */
    void (*keep)(void *ctx, const cord_request *request, cord_text reply, const cord_cost *cost, int lost);
    void (*drop)(void *ctx, const cord_request *request, int lost);
    /* Between: it was lost so often and would be sent again, and `lost` above does not count that. False: there is no room for
     * it, and its call returns CORD_CANCELLED. It must not wait. NULL: there always is. */
    bool (*again)(void *ctx, const cord_request *request, int lost);
} cord_ledger;

/* How models' servers are asked, and how patiently: seconds and counts, 0 = the default. None of it changes a result. A text
 * that comes whole begins when it is finished: it is given 0.2 s more than first_byte for each token that it may have. */
typedef struct {
    double connect;       /* to connect: 10 */
    double first_byte;    /* from the request to the reply's first byte, of a stream to its first event: 600 */
    double idle;          /* between two bytes of a reply, or two events: 120 */
    int tries;            /* of one request, the first one too: 8; at opening at most 4. What trying again cannot
                           * mend is told at once; a refusal (429, 503) of a server that serves others is a quarter of one */
    double backoff;       /* before the second try, doubled each time: 0.5 */
    double longest_pause; /* most that one pause takes, a server's Retry-After too: 120 */
    /* A PEM file of the certificates to trust, borrowed until the engine is closed; NULL: those of the system */
    const char *authorities;
} cord_server_limits;

typedef struct {
    int threads;     /* for local models; 0, or more than there are cores: one a core */
    uint64_t memory; /* bytes that the caches of all local models may take; 0 = half of what the machine has free, or of
                      * all that it has where `reproducible` */
    bool reproducible; /* equal calls give the same bits on one machine, whatever else runs; slower */
    cord_server_limits servers;

    /* What the back ends say, a line at a time, without its newline, for people; NULL: dropped. `line` is borrowed for the
     * call, which may come from any thread that is inside the library, and may itself call nothing of the engine but
     * cord_engine_stop. llama.cpp has one log for the whole process: of several engines with a `log`, the one that opened
     * a model's file last gets all of it, and when that one is closed, the one before it. Whoever is closed is called no
     * more. */
    void (*log)(void *ctx, const char *line);
    void *log_ctx; /* lives as long as the engine */

    cord_ledger ledger; /* zero: replies are forgotten, and spending has no bound */
} cord_engine_options;

/* Opens an engine without models. `options` is not kept. On success *engine is the caller's, to be closed. CORD_BAD_INPUT, which
 * names the member and its value, for options that cannot be meant. */
cord_status cord_engine_open(const cord_engine_options *options, cord_engine **engine, cord_error *err);
/* Closes the engine and every model opened on it. No other call on the engine may be running. NULL does nothing. */
void cord_engine_close(cord_engine *engine);
/* Makes running and future calls on the engine return CORD_CANCELLED soon; there is no way back. (Only the tokens of a model
 * in this process can still be counted.) Safe from any thread, and from a signal handler. */
void cord_engine_stop(cord_engine *engine);

/* What computes here, for run summaries. All zero until a local model is opened. The texts are static. */
typedef struct {
    int threads;
    uint64_t memory;      /* bytes that the caches of local models may take */
    const char *llama;    /* llama.cpp's version */
    const char *features; /* of the processor, as llama.cpp uses them */
    int full_batch;       /* rows of a batch, more than which are hardly faster */
} cord_engine_info;
cord_engine_info cord_engine_get_info(const cord_engine *engine);

/* ---- models -------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name; /* for messages; not NULL */
    const char *path; /* a GGUF file */
    int context;      /* most tokens of one sequence; 0 = 4096, or what the model was trained with if that is less. Of a
                       * server, what it must have at least, and what it is taken to have where it does not tell */
    int more_context; /* added to `context` as far as the model was trained for that many; not refused if it was not */
    const char *context_key; /* what people set `context` by, for messages, as "--context"; NULL: they cannot */
    int cells;               /* most tokens of cache, at least `context`; 0 = as the engine's `memory` allows */
    int sequences;           /* most sequences cached at once in one place; 0 = 64 */
    int gpu_layers;          /* layers to offload where llama.cpp was built with a GPU back end; 0 = none, -1 = all */

    /* A model that a server runs, in place of `path`, `cells`, `sequences` and `gpu_layers`. */
    const char *url;      /* base URLs without the API's paths; several, blanks between, are replicas of one model */
    const char *protocol; /* "llama-server", "vllm", "sglang", "openai", "chat"; NULL: found by asking the server */
    const char *served;   /* what the server calls the model; NULL: the first that it serves */
    const char *api_key;  /* sent to those hosts alone, through no proxy, kept in memory alone; NULL: none */
    int requests;         /* most at once to each of them; 0 = 256 */
    const char *chat_template; /* Jinja source, where the server does not tell its model's own; NULL */
    /* Models that name one device share it: one of them is awake at a time, and the servers of the others sleep while it is
     * asked. NULL: one of its own. CORD_BAD_MODEL where a server cannot sleep. */
    const char *device;
    const char *going_on; /* with "chat", how a turn that has begun is gone on with: "continue_final_message", "prefix",
                                * "plain"; NULL: by the host, or found by trying */
    bool stream;          /* replies come as events; false: where that is the only way to stop a text in time */
} cord_model_options;

/* Opens a model; it belongs to the engine and is closed with it. `options` and its texts are not kept. Either `path` or
 * `url` is given. Models of one engine are opened one after another, and before other threads use the engine.
 * CORD_BAD_INPUT, which names the member and its value, for options that cannot be meant, as a number below 0; of a server
 * also for a URL that is none, or a model that it does not have.
 * CORD_BAD_MODEL, in words, for a file that is missing, truncated, not a GGUF, of an unsupported kind (encoder only, no
 * vocabulary, pieces that do not spell the text), trained for less than `context`, or larger than the machine's
 * memory; for a server that does not do what it should. Of a server also CORD_IO_ERROR (it cannot be reached), CORD_BUSY,
 * CORD_REFUSED. */
cord_status cord_model_open(cord_engine *engine, const cord_model_options *options, cord_model **model,
                            cord_error *err);

/* Whether a model's tokenizer puts a BOS before a text by itself, which is how the model saw its texts in training. cord adds
 * none: a prompt has what its template writes. */
typedef enum { CORD_BOS_UNKNOWN, CORD_BOS_NONE, CORD_BOS_WANTED } cord_bos;

/* What a model is. */
typedef struct {
    const char *name, *path,
        *description;           /* path: the file, or the URLs; description: architecture, size, quantisation;
                                            * or the server and its version */
    const char *scoring;        /* how scores are obtained: "prefill", "a request for each token of the target";
                                            * NULL: this model cannot score */
    cord_text chat_template;    /* Jinja source; empty when none is known */
    cord_text bos, eos;         /* texts of these tokens; may be empty */
    int context;                /* tokens of one sequence; 0: of a server that does not tell, and that was given none */
    uint64_t parameters, bytes; /* bytes: of the file, or of all that it lies in */
    uint64_t cache_bytes;       /* of the cache, for each token in it */
    /* How far scheduling may move one token's log-probability, nats: for files 0.25. Even llama.cpp's own kernels
     * move few tokens of Qwen2.5-Coder 0.5B (Q4_K_M) by more (5 of 840) and no mean over a target's; of small models with
     * coarse weights it can be more (SmolLM2 in Q4_1: 35 of 1,023; Gemma 3 270M: 0.5), and `cord doctor` measures it. */
    double noise;
    int trained; /* most tokens of one sequence that the model was made for; 0: not known */
    cord_bos wants_bos;
    const char *serves; /* of a server: which model it has, as far as it tells; NULL: it does not, or this is a file */
} cord_model_info;
/* Borrowed, with its texts, until the engine is closed. */
const cord_model_info *cord_model_get_info(const cord_model *model);

/* Work done for a model since it was opened; for live views and summaries. */
typedef struct {
    int64_t proposed_tokens;        /* new tokens that cord_propose wrote */
    int64_t propose_prefill_tokens; /* tokens of prompts that cord_propose did not find in the cache */
    int64_t propose_us;             /* microseconds */
    int64_t scored_tokens;          /* tokens that cord_score did not find in the cache */
    int64_t score_us;               /* microseconds */
    int64_t cached_tokens;          /* tokens of prompts that the cache had, for either */
    int64_t sample_us;              /* drawing tokens and reading log-probabilities; not in the two above */
    int64_t batches;                /* computed, with the rows of all that asked */
} cord_model_usage;
cord_model_usage cord_model_get_usage(const cord_model *model);

/* A text whose tokens are to be counted. */
typedef struct {
    const cord_span *spans; /* tokenised as one; nothing is added (no BOS) */
    int n_spans;
    uint64_t group; /* as in cord_request: where counting is a paid request (protocol "openai"), it is this group's */
    /* filled in: */
    int tokens;
    cord_error error; /* the text's own: CORD_BAD_INPUT for one that is not UTF-8, or that a local model's tokens cannot
                       * spell; CORD_TOO_LONG for one that is far longer than a local model's context */
} cord_counting;

/* Counts the tokens of n texts; a server is asked for all of them at once. Like cord_propose, it fails as a whole only for
 * what concerns all texts. */
cord_status cord_count(const cord_model *model, cord_counting *texts, int n, cord_error *err);
/* The same for one text, made of n spans; its own failure is the call's. */
cord_status cord_count_tokens(const cord_model *model, const cord_span *spans, int n, int *tokens, cord_error *err);

/* ---- prompts ------------------------------------------------------------------------------------------------- */

/* A turn of a conversation. */
typedef struct {
    const char *role;  /* "system", "user" or "assistant" */
    cord_text content; /* untrusted, but for a system text, which should be your own */
} cord_message;

/* A conversation as a model reads it: what cord_propose and cord_score take for `prompt` and `n_spans`. */
typedef struct {
    const cord_span *spans; /* what the template wrote is trusted, what the turns say is not */
    int n_spans;
    void *memory; /* in which the spans and their texts live */
} cord_prompt;

/* Renders n turns by the model's own chat template (Jinja, which gets `messages`, `add_generation_prompt` and
 * `enable_thinking`, both true), up to where the assistant begins to write; the last turn should be a user's. A system text that
 * a template refuses or drops goes before the first user's. A template that asks for the date is told 2025-01-01, so that equal
 * turns give equal prompts. *prompt is filled on success; release it. CORD_BAD_MODEL: the model has no template (the server does
 * not tell its), or one that refuses these turns, or through which a turn could pass for the template's own text. */
cord_status cord_prompt_render(const cord_model *model, const cord_message *messages, int n, cord_prompt *prompt,
                               cord_error *err);
void cord_prompt_release(cord_prompt *prompt);

/* ---- proposing ----------------------------------------------------------------------------------------------- */

/* How the next token is drawn: repetition penalty, temperature, then top-k, top-p, min-p, each of what is left. */
typedef struct {
    float temperature; /* 0 = greedy: always the likeliest token */
    float top_p;       /* 0 or 1 = off */
    float min_p;       /* 0 = off */
    int top_k;         /* 0 = off */
    /* As CTRL's (Keskar et al. 2019, section 4.1): logits of tokens among the last ones are divided by it if positive,
     * multiplied if negative. 1 or 0 = off. */
    float repeat_penalty;
    int repeat_last; /* how many of the last tokens count, the prompt's included; 0 = 64; at most 4096 */
    uint64_t seed;   /* of this one text; equal requests with equal seeds draw equal numbers */
} cord_sampling;

typedef enum {
    CORD_END_STOP,   /* a stop string came; which one is in `stop` */
    CORD_END_TURN,   /* the model ended its turn */
    CORD_END_LENGTH, /* max_tokens reached, or the model's context is full */
} cord_end;

/* One continuation wanted, and what came of it. The first half is the caller's, borrowed until cord_propose returns. The
 * second half is zero before the call, filled by it, and freed by cord_proposal_release. */
typedef struct {
    const cord_model *model;
    const cord_span *prompt; /* not empty; the whole of it: no template and no BOS is added */
    int n_spans;
    const cord_text *stops; /* end the text; may begin inside a token; never part of `text`. NULL if there is none. An
                             * empty one counts as none; the text of the token that ends a turn ends the turn */
    int n_stops;
    cord_sampling sampling;
    int max_tokens; /* at least 1 */
    uint64_t group; /* what shares prefixes and is forgotten together: a problem, a conversation. Two threads that ask
                     * for different things at once need two groups */
    /* texts of the group that this call has nothing of will be continued by who wrote them: what that left in the
     * cache stays. Else it may go, to make room. All requests of a group in one call say
     * the same */
    bool others_go_on;

    cord_error error; /* code CORD_OK, or why this one failed; the others are not affected */
    char *text;       /* whole UTF-8 characters only, then a NUL that is not counted; NULL after a failure */
    size_t len;
    cord_end end;
    int stop;          /* index into stops where end is CORD_END_STOP, else -1 */
    int prompt_tokens; /* all of the prompt */
    int cached_tokens; /* those of the prompt that the cache had */
    int new_tokens;    /* those of the stop string too */
    int64_t us;        /* microseconds that the whole call took */
} cord_proposal;

/* Runs n requests, for one model of the engine or several, and returns when all have ended. Returns CORD_OK if the engine
 * works, whatever became of single requests (CORD_TOO_LONG for a prompt that leaves the model's context no room,
 * CORD_BAD_INPUT for a temperature below 0, a text that is not UTF-8, a model of another engine, and so on: see each one's
 * `error`); CORD_CANCELLED after cord_engine_stop. Where the call itself fails no request has a result, whatever its `error`
 * says. Several threads may call at once. */
cord_status cord_propose(cord_engine *engine, cord_proposal *requests, int n, cord_error *err);
/* To be called for every request, whatever cord_propose returned. */
void cord_proposal_release(cord_proposal *proposal);

/* ---- scoring ------------------------------------------------------------------------------------------------- */

/* The likelihood of `target` inside prompt + reasoning + opening + target + closing, in the model's own tokens.
 * Equation 3 of the paper: score = exp(mean of logprob[0..n_tokens)). A token counts if any of its bytes lies in the
 * target; one that also covers the last blank of `opening` or the first byte of `closing` counts whole. At least one
 * token must stand before the target.
 * The halves are as in cord_proposal. */
typedef struct {
    const cord_model *model;
    const cord_span *prompt; /* NULL if there is none */
    int n_spans;
    cord_text reasoning; /* untrusted; may be empty. It shares prefixes with its siblings, and its cache is kept */
    cord_span opening;   /* " </think> The final answer is "; may be empty */
    cord_span target;    /* not empty */
    cord_span closing;   /* "."; may be empty */
    uint64_t group;
    bool others_go_on; /* as in cord_proposal */
    /* what this model wrote itself may stay as it was computed then, and is not computed anew: cheaper, and other
     * by rounding. Of a model in this process; a server keeps what it likes */
    bool reuse;

    cord_error error; /* code CORD_OK, or why this one failed; the others are not affected */
    double *logprob;  /* n_tokens values, nats, log-softmax in double over the raw logits */
    cord_text *token; /* n_tokens pieces: the bytes of each token; they live as long as logprob */
    int n_tokens;
    double log_score;     /* mean of logprob */
    double score;         /* exp(log_score), in [0, 1] */
    int reasoning_tokens; /* tokens that begin inside `reasoning`: what a thinking budget counts */
    int prompt_tokens;    /* tokens before the target's last: what had to be computed, or cached, to score it */
    int cached_tokens;    /* those of them that the cache had */
    int64_t us;           /* microseconds that the whole call took */
} cord_scoring;

/* As cord_propose. All requests of one call are computed by one schedule (by prefill, in the order given), so that their
 * scores can be compared with each other. */
cord_status cord_score(cord_engine *engine, cord_scoring *requests, int n, cord_error *err);
/* To be called for every request, whatever cord_score returned. */
void cord_scoring_release(cord_scoring *scoring);

/* Whether a model's scores are right, as far as that can be seen from outside: the log-probabilities of one target, obtained
 * in each of the ways that its back end knows. */
typedef struct {
    struct {
        const char *name; /* as cord_model_info.scoring has it; static */
        bool obtained;
        char why[200]; /* where they were not; of a model without any way, the first says why */
        /* What the target cost, behind a prompt that had been asked about before: requests (for a server, beside those that
         * make tokens of texts), and the tokens of all of them, without and with what the cache had. */
        int requests, computed_tokens, cached_tokens;
    } way[4];
    int n_ways;
    double apart; /* the largest difference between two ways in a token's log-probability, nats; NAN: one way only */
    bool right;   /* the way that it scores by was obtained, and no two differ by more than the model's noise */
} cord_scoring_check;
/* Asks for three numbers of a long row of them, once in each way; of the ways that were obtained and agree, the model keeps
 * the cheapest from then on (cord_model_info.scoring). With `costs`, twice in each way: what the second time takes is what a
 * score costs in a search, where a prefix is cached. Not while other threads use the model. Of a model on this
 * machine its group is UINT64_MAX. */
cord_status cord_check_scoring(cord_engine *engine, cord_model *model, bool costs, cord_scoring_check *check,
                               cord_error *err);

/* ---- classifying --------------------------------------------------------------------------------------------- */

/* What a model that has a classification head in place of a vocabulary says at each place of one special token: a process
 * reward model, of the steps before it. The halves are as in cord_proposal. */
typedef struct {
    const cord_model *model;
    const cord_span *prompt; /* the whole of it: no template and no BOS is added */
    int n_spans;
    cord_text mark; /* the special token, "<extra_0>". In a trusted span each of it is a place; elsewhere it is text */
    uint64_t group;

    cord_error error; /* code CORD_OK, or why this one failed; the others are not affected */
    double *logprob;  /* n_classes values for each place, one place after the other: nats; -INFINITY where a probability
                       * is less than the server's numbers can say */
    int n_places, n_classes; /* at least 1, and 2 */
    int prompt_tokens;       /* all of the prompt */
    int cached_tokens;       /* those of the prompt that the cache had */
    int64_t us;              /* microseconds that the whole call took */
} cord_classification;

/* As cord_propose. Only vLLM's servers can do it so far: a request for another model has the error CORD_BAD_MODEL. */
cord_status cord_classify(cord_engine *engine, cord_classification *requests, int n, cord_error *err);
/* To be called for every request, whatever cord_classify returned. */
void cord_classification_release(cord_classification *classification);

/* This group is done: whatever is cached for it may go. No request of the group may be running. */
void cord_forget(cord_engine *engine, uint64_t group);

#ifdef __cplusplus
}
#endif
#endif
