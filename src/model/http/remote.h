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

/* A text in a server's tokens. */
struct pieces {
    int *id;
    size_t *end; /* bytes of the text up to and with each token */
    int n;
};
void pieces_release(struct pieces *pieces);
/* Appends `more`, whose text follows. False: no memory. */
bool pieces_append(struct pieces *pieces, const struct pieces *more);
/* The same from a reply whose members `tokens` and `strings` are these lists, without a tree of JSON. False also for what is
 * not written as simply as servers do: pieces_add then decides. */
bool pieces_scan(struct pieces *pieces, cord_text reply, const char *tokens, const char *strings, cord_text text);

/* Tokens of short texts that were asked for before (known.c). By any thread. */
struct known;
struct known *known_new(void); /* NULL: no memory */
void known_free(struct known *known);
/* Appends the tokens of `text`; false where they are not known. */
bool known_find(struct known *known, cord_text text, struct pieces *pieces);
void known_keep(struct known *known, cord_text text, const struct pieces *pieces);
/* Appends what a reply to "tokenize" lists: `tokens` is an array of ids, `strings` of their spellings as the tokenizer
 * writes them ("Ġthe", "▁the", "<0x0A>"), or of bytes. False where they do not spell `text`, or are malformed. */
bool pieces_add(struct pieces *pieces, const json_t *tokens, const json_t *strings, cord_text text);

/* One way to obtain the log-probabilities of a target. */
struct scoring_way {
    const char *name; /* as cord_model_info.scoring has it; NULL ends a list */
    const char *path;
    bool each; /* one request for each token of the target; else one for all */
    /* Writes the members of a request: the log-probabilities of tokens first to n-1 (or of the token `n-1` alone, where
     * `each`) after those before them. */
    void (*write)(const struct remote *remote, const struct pieces *text, int first, int n, struct json_writer *w);
    /* Reads them from a reply. False where they are not all there, or not of these tokens. */
    bool (*read)(const json_t *reply, const struct pieces *text, int first, int n, double *logprob, int *cached);
};

/* How a server lets others have its device for a while, and takes it back. */
struct sleep_calls {
    const char *sleep_path, *wake_path; /* posted */
    const char *state_path;             /* got */
    bool (*read)(const json_t *reply, bool *sleeps);
    const char *advice; /* for a server that does not offer them */
};

struct protocol {
    const char *name;
    /* Asks the server what it is. *is false where it is another kind of server; `remote->base.info` is filled. */
    cord_status (*identify)(struct remote *remote, bool *is, cord_error *err);
    const char *tokenize_path;
    void (*tokenize_write)(const struct remote *remote, cord_text text, struct json_writer *w);
    bool (*tokenize_read)(const json_t *reply, cord_text text, struct pieces *pieces);
    const char *tokenize_ids, *tokenize_strings; /* members of that reply, where it is two lists; else NULL */
    const char *propose_path;
    void (*propose_write)(const struct remote *remote, const cord_proposal *p, const struct pieces *prompt,
                          struct json_writer *w);
    /* Fills the second half of the proposal: `text` is a copy, `prompt_tokens` what the server counts, 0 if it does not
     * tell. False, and nothing to be freed, where the reply is not one. */
    bool (*propose_read)(const json_t *reply, cord_proposal *p);
    const struct scoring_way *ways;  /* the cheaper first */
    const struct sleep_calls *sleep; /* NULL: it cannot */
};
extern const struct protocol protocol_llama_server, protocol_vllm;

struct remote {
    struct cord_model base; /* first */
    cord_engine *engine;
    struct transport *transport;
    struct endpoint *endpoint;
    const struct protocol *protocol;
    const struct scoring_way *way; /* chosen; NULL: it cannot score */
    const char *served;            /* the model's name there */
    struct sleeper *sleeper;       /* where it shares its device: share.h; NULL: it has one of its own */
    struct known *known;
    /* for scores, since it was opened: requests, and the tokens of their prompts, with those that were cached */
    _Atomic int64_t asked, asked_tokens, asked_cached;
    struct arena arena;
};

static inline struct remote *remote_of(const cord_model *model) { return (struct remote *)(uintptr_t)model; }

enum { PROBE_TRIES = 4 }; /* of what somebody waits to see: a few seconds, where a search would wait for minutes */

/* ---- asking -------------------------------------------------------------------------------------------------- */

/* One request and what came of it. */
struct question {
    const struct remote *remote;
    struct http_call call; /* its error says what became of it */
    struct buf body;
    /* Takes what is wanted from the reply, on the transport's thread, while who asked waits, and fills `cost`. False: it is
     * malformed, and is asked for again. */
    bool (*read)(struct question *q, const json_t *reply);
    bool (*scan)(struct question *q, cord_text reply); /* where it can do so without a tree: tried before; or NULL */
    void *into;    /* read's own */
    bool arrived;  /* its reply did, in this call */
    bool computes; /* the model is needed, and not its tokenizer alone: where it sleeps, it has to be woken */

    bool charged;         /* it is paid for: the engine's ledger hears of it and keeps the reply */
    cord_request request; /* of such a one; its key is made when it is asked */
    uint64_t seed;        /* of such a one: two requests with different seeds are two, whatever their bodies say */
    cord_cost cost;
};

/* A request to `path`: the caller writes the members of its body, then ends it. */
struct json_writer question_begin(struct question *q, const struct remote *remote, const char *path, uint64_t group);
void question_end(struct question *q, struct json_writer *w);
/* Says that the model itself has to answer, and what that costs at most. After question_end. */
void question_charge(struct question *q, uint64_t seed, int prompt_tokens, int new_tokens);
/* Asks all that have no error, of any models, and waits. CORD_CANCELLED where the engine stops, or its ledger allows no
 * more. */
cord_status questions_ask(const cord_engine *engine, struct question *questions, int n, cord_error *err);
void question_release(struct question *q);
/* A GET of `path`. *reply is NULL, and CORD_OK returned, where the server has no such path, or says no JSON there. */
cord_status remote_get(struct remote *remote, const char *path, json_t **reply, cord_error *err);

/* Fills info.wants_bos, and info.bos where a tokenizer's reply tells its text: asks for the tokens of a text without and with
 * what the tokenizer adds (the member `add` of the request), as "tokenize" does. Left unknown where that cannot be had. */
void find_bos(struct remote *remote, const char *path, const char *content, const char *add);

/* The ids of a text as a member of the body. */
void write_ids(struct json_writer *w, const char *key, const struct pieces *pieces, int n);

#endif
