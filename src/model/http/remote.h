/* remote.h - models that servers run: what the files of this folder share. A protocol is data and pure functions: how a
 * request is written and how its reply is read; http.c does the asking, and knows no protocol.
 * It must not know searches or recipes. */
#ifndef CORD_MODEL_HTTP_REMOTE_H
#define CORD_MODEL_HTTP_REMOTE_H

#include "base/json.h"
#include "model/backend.h"
#include "model/http/transport.h"

struct remote;
struct sleeper;

/* ---- tokens -------------------------------------------------------------------------------------------------- */

/* A text in a server's tokens. */
struct pieces {
    cord_text text; /* borrowed */
    int *id;
    size_t *end;     /* bytes of the text up to and with each token */
    double *logprob; /* of each but the first, where the reply that lists them told it, too; else NULL */
    int n;
    const char *problem; /* why a reply lists no tokens, and why the next one would not either; static. NULL: none */
    bool altered;        /* a reply was in order, but its tokens spell another text */
};
void pieces_release(struct pieces *pieces);
/* Appends `more`, whose text follows. False: no memory. */
bool pieces_append(struct pieces *pieces, const struct pieces *more);

/* Appends what a reply to "tokenize" lists: `tokens` is an array of ids, `strings` of their spellings as the tokenizer
 * writes them ("Ġthe", "▁the", "<0x0A>"), or of bytes. False where they do not spell `text`, or are malformed. */
bool pieces_add(struct pieces *pieces, const json_t *tokens, const json_t *strings, cord_text text);
/* The same from a reply whose members `tokens` and `strings` are these lists, without a tree of JSON. False also for what is
 * not written as simply as servers do: pieces_add then decides. */
bool pieces_scan(struct pieces *pieces, cord_text reply, const char *tokens, const char *strings, cord_text text);
/* Appends ids alone, whose ends pieces_decode then finds. */
bool pieces_add_ids(struct pieces *pieces, const json_t *tokens);
/* Finds the ends of all n tokens from `strings`, what each decodes to by itself: U+FFFD where it holds bytes that
 * are no whole character, or "bytes:\\xf0\\x9f"; a blank at its beginning may be missing. With `added`, the first
 * may be one that the server put before the text. False where they do not spell `text`. */
bool pieces_decode(struct pieces *pieces, const json_t *strings, cord_text text, bool added);

/* The value of a hexadecimal digit; -1: it is none. */
static inline int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    char upper = (char)(c & ~0x20);
    return upper >= 'A' && upper <= 'F' ? upper - 'A' + 10 : -1;
}

/* Tokens of short texts that were asked for before (known.c). By any thread. */
struct known;
struct known *known_new(void); /* NULL: no memory */
void known_free(struct known *known);
/* Appends the tokens of `text`; false where they are not known. */
bool known_find(struct known *known, cord_text text, struct pieces *pieces);
void known_keep(struct known *known, cord_text text, const struct pieces *pieces);
/* ---- protocols ----------------------------------------------------------------------------------------------- */

/* One way to obtain the log-probabilities of a target. */
struct scoring_way {
    const char *name; /* as cord_model_info.scoring has it; NULL ends a list */
    const char *path; /* NULL: the reply that lists the tokens has told them already */
    bool each;        /* one request for each token of the target; else one for all */
    /* Writes the members of a request: the log-probabilities of tokens first to n-1 (or of the token `n-1` alone, where
     * `each`) after those before them. */
    void (*write)(const struct remote *remote, const struct pieces *text, int first, int n, struct json_writer *w);
    /* Reads them from a reply. False where they are not all there, or not of these tokens. NAN: it is a good reply, but the
     * token is not among those that it tells of. */
    bool (*read)(const json_t *reply, const struct pieces *text, int first, int n, double *logprob, int *cached);
    const struct scoring_way *wider; /* how such a token is asked for anew; NULL: there is none */
};

/* How the values of a classification head are had. */
struct head_calls {
    const char *path;
    void (*write)(const struct remote *remote, const struct pieces *text, struct json_writer *w);
    /* Fills logprob (a block of the caller's to be freed, *n_classes values for each place) at the tokens of these n
     * numbers. False, and no block, where they are not there; `why` is then filled where asking again cannot mend it. */
    bool (*read)(const json_t *reply, const struct pieces *text, const int *places, int n, double **logprob,
                 int *n_classes, int *cached, cord_error *why);
};

/* How a server lets others have its device for a while, and takes it back. */
struct sleep_calls {
    const char *sleep_path, *wake_path; /* posted */
    const char *state_path;             /* got */
    bool (*read)(const json_t *reply, bool *sleeps);
    const char *advice; /* for a server that does not offer them */
};

/* A reply that comes as a stream of events (stream.c). */
struct told {
    struct buf text;       /* as far as it was told */
    json_t *reply;         /* what the events say beside the text: a protocol's own */
    int events;            /* that held some of the text: tokens, more or less */
    bool cut;              /* a stop string came, and what follows is not wanted */
    size_t seen, searched; /* bytes of the events, and of the text, that have been looked at */
    int tries;             /* of the request when that was */
};

struct protocol {
    const char *name;
    /* Prompts go as text, since the server tokenises for nobody. Then "tokenize" is a request that is paid for,
     * which lists the tokens of a text and their log-probabilities. */
    bool sends_text;
    /* Asks the server what it is. *is false where it is another kind of server; `remote->base.info` is filled. */
    cord_status (*identify)(struct remote *remote, bool *is, cord_error *err);
    const char *tokenize_path; /* NULL: nothing of a text's tokens can be had */
    void (*tokenize_write)(const struct remote *remote, cord_text text, struct json_writer *w);
    bool (*tokenize_read)(const json_t *reply, cord_text text, struct pieces *pieces);
    const char *tokenize_ids, *tokenize_strings; /* members of that reply, where it is two lists; else NULL */
    const char *decode_path; /* where "tokenize" lists ids alone: what their ends are found by. NULL: it lists all */
    void (*decode_write)(const struct remote *remote, const struct pieces *pieces, struct json_writer *w);
    bool (*decode_read)(const json_t *reply, cord_text text, struct pieces *pieces);
    const char *propose_path;
    /* Whether a prompt can be sent this way; NULL: any can. */
    cord_status (*propose_check)(const cord_proposal *p, cord_error *err);
    /* `prompt` holds the text alone where the protocol sends that. */
    void (*propose_write)(const struct remote *remote, const cord_proposal *p, const struct pieces *prompt,
                          struct json_writer *w);
    /* Appends what a reply begins with before the text that is wanted; NULL: it never does. */
    void (*propose_repeated)(const struct remote *remote, const cord_proposal *p, struct buf *out);
    /* Fills the second half of the proposal: `text` is a copy, `prompt_tokens` what the server counts, 0 if it does
     * not tell. False, and nothing to be freed, where the reply is not one; p->error may then say why, where asking
     * again cannot mend it. */
    bool (*propose_read)(const json_t *reply, cord_proposal *p);
    /* Folds an event of a stream into what was told. False: it is none, or an error. NULL: it is never asked for one. */
    bool (*event)(struct told *told, const json_t *event);
    /* Makes of it the reply that propose_read reads. Where a stop string cut it, what the server would have said of
     * its end is not there; any end will do, since the text says it. */
    void (*event_end)(struct told *told);
    const struct scoring_way *ways;  /* the cheaper first */
    const struct head_calls *head;   /* NULL: it tells nothing of a classification head */
    const struct sleep_calls *sleep; /* NULL: it cannot */
};
extern const struct protocol protocol_llama_server, protocol_vllm, protocol_sglang, protocol_openai, protocol_chat;

/* The back end's `classify` (classify.c). */
cord_status remote_classify(cord_engine *engine, cord_classification **requests, int n, cord_error *err);

struct remote {
    struct cord_model base; /* first */
    cord_engine *engine;
    struct transport *transport;
    struct endpoint *endpoint;
    const struct protocol *protocol;
    const struct scoring_way *way; /* chosen; NULL: it cannot score */
    const char *served;            /* the model's name there */
    const char *named;             /* what replies call the model; NULL: that is not compared */
    struct sleeper *sleeper;       /* where it shares its device: share.h; NULL: it has one of its own */
    struct known *known;
    /* for scores, since it was opened: requests, and the tokens of their prompts, with those that were cached */
    _Atomic int64_t asked, asked_tokens, asked_cached;
    bool versioned;       /* the URL ends in the API's version: no path says it again */
    bool stream;          /* replies are asked for as events */
    bool names_stops;     /* it tells which stop string ended a text; else it is sent none */
    const char *going_on; /* chat: how a turn is gone on with, as models.*.continue has it */
    bool repeats;         /* chat: replies begin with the turn that they go on with */
    bool usage_refused;   /* a stream that is asked for its usage, too, is refused */
    struct arena arena;
};

/* Where a model has several servers: asks each of them what it has, and fills base.replicas; the context becomes the least of
 * theirs. CORD_BAD_MODEL, in words, where two have not the same; who is away is not compared. */
cord_status replicas_compare(struct remote *remote, const char *urls, const char *key, cord_error *err);

static inline struct remote *remote_of(const cord_model *model) { return (struct remote *)(uintptr_t)model; }

enum { PROBE_TRIES = 4 }; /* of what somebody waits to see: a few seconds, where a search would wait for minutes */

/* ---- asking -------------------------------------------------------------------------------------------------- */

/* One request and what came of it. */
struct question {
    const struct remote *remote;
    struct http_call call; /* its error says what became of it */
    struct buf body;
    /* Takes what is wanted from the reply, on the transport's thread, while who asked waits, and fills `cost`.
     * False: it is malformed, and is asked for again. */
    bool (*read)(struct question *q, const json_t *reply);
    bool (*scan)(struct question *q, cord_text reply); /* where it can do so without a tree: tried before; or NULL */
    void *into;                                        /* read's own */
    bool arrived;                                      /* its reply did, in this call */
    bool computes;       /* the model is needed, and not its tokenizer alone: where it sleeps, it has to be woken */
    cord_error why;      /* read's, where asking again cannot mend it */
    struct buf repeated; /* of a proposal: what its text begins with, which is no part of it; may be empty */
    bool streams; /* the reply comes as events; until one of the stop strings, should the server not see to them: */
    const cord_text *stops;
    int n_stops;
    struct told told;

    int booked;           /* of the call's lost requests: those that the ledger knows of */
    bool charged;         /* it is paid for: the engine's ledger hears of it and keeps the reply */
    cord_request request; /* of such a one; its key is made when it is asked */
    int guessed_tokens;   /* of a prompt, where its reply does not tell */
    uint64_t seed;        /* of such a one: two requests with different seeds are two, whatever their bodies say */
    cord_cost cost;
};

/* A request to `path`: the caller writes the members of its body, then ends it. */
struct json_writer question_begin(struct question *q, const struct remote *remote, const char *path, uint64_t group);
void question_end(struct question *q, struct json_writer *w);
/* Tokens of a text that only the server can count, where its reply tells nothing of them: a third of the bytes, but each
 * digit is one. And what they are at most. */
int tokens_guessed(cord_text text);
int tokens_at_most(cord_text text);
/* Says that the model itself has to answer, and what that costs at most. After question_end. */
void question_charge(struct question *q, uint64_t seed, int prompt_tokens, int new_tokens);
/* Asks all that have no error, of any models, and waits. CORD_CANCELLED where the engine stops, or its ledger allows no
 * more. */
cord_status questions_ask(const cord_engine *engine, struct question *questions, int n, cord_error *err);
void question_release(struct question *q);
/* A GET of `path`. *reply is NULL, and CORD_OK returned, where the server has no such path, or says no JSON there. CORD_BUSY
 * where it takes no more requests now (429, 503). */
cord_status remote_get(struct remote *remote, const char *path, json_t **reply, cord_error *err);

/* Fills info.wants_bos, and info.bos where a tokenizer's reply tells its text: asks for the tokens of a text without and with
 * what the tokenizer adds (the member `add` of the request), as "tokenize" does. Left unknown where that cannot be had. */
void find_bos(struct remote *remote, const char *path, const char *content, const char *add);

/* A question by itself, tried a few times, whose reply is taken as it is. *reply is NULL, and CORD_OK returned,
 * where the server refused it: q->call says how; CORD_BUSY as by remote_get. The caller releases the question. */
cord_status remote_ask(struct question *q, json_t **reply, cord_error *err);

/* ---- what protocols read alike (question.c) -------------------------------------------------------------------- */

/* Any JSON; texts in it may hold NULs, which models do write. NULL: it is none. */
json_t *read_json(cord_text text);
/* A count among the members of an object; 0 where there is none. */
int read_count(const json_t *object, const char *key);
/* The last part of a path, or of a name with an owner, among the members of an object: "qwq.gguf", "QwQ-32B"; empty where there
 * is none. */
cord_text read_name(const json_t *object, const char *key);
/* Fills `end` and `stop`: by the stop string that is named, or, `named` NULL, by the end of the model's turn. False for a
 * string that nobody asked for. */
bool read_stop(const char *named, cord_proposal *p);
/* Fills `text` and `len` with a copy, in which U+FFFD stands for each NUL. False: no memory. */
bool read_text(const json_t *text, cord_proposal *p);

/* The stop strings of a proposal as a member of the body, `most` of them; an empty one is none. Nothing where there is none. */
void write_stops(struct json_writer *w, const char *key, const cord_proposal *p, int most);
/* The ids of a text as a member of the body. */
void write_ids(struct json_writer *w, const char *key, const struct pieces *pieces, int n);

/* ---- replies that come as events (stream.c) ------------------------------------------------------------------ */

/* Says that the reply will come so. Before question_end. */
void stream_begin(struct question *q, const cord_text *stops, int n_stops);
/* An http_call's `event`, whose ctx is a question. */
bool stream_event(void *ctx, struct http_call *call);
/* The reply that the events of a whole stream make; NULL: they make none. The caller's reference. */
json_t *stream_reply(struct question *q, cord_text events);
void told_release(struct told *told);

#endif
