/* question.c - requests and replies as JSON, over the transport. It must not know protocols. */
#include "model/http/remote.h"
#include "model/http/retry.h"
#include "model/http/share.h"

#include <stdlib.h>

enum { BODY_LIMIT = 64 << 20 };

/* A path of the API, without its version where the URL has that already. */
static const char *path_at(const struct remote *remote, const char *path) {
    return remote->versioned && text_starts(text_of(path), TEXT("/v1/")) ? path + strlen("/v1") : path;
}

struct json_writer question_begin(struct question *q, const struct remote *remote, const char *path, uint64_t group) {
    *q = (struct question){
        .remote = remote,
        .call = {.endpoint = remote->endpoint, .path = path_at(remote, path), .group = group},
    };
    buf_init(&q->body, "the body of a request", BODY_LIMIT);
    buf_init(&q->repeated, "what a reply repeats", BODY_LIMIT);
    struct json_writer w = {.out = &q->body};
    json_open(&w, NULL, '{');
    return w;
}

void question_end(struct question *q, struct json_writer *w) {
    json_close(w, '}');
    q->call.body = buf_text(&q->body);
    buf_check(&q->body, &q->call.error);
}

int tokens_guessed(cord_text text) {
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) digits += text.data[i] >= '0' && text.data[i] <= '9';
    size_t n = digits + (text.len - digits) / 3;
    return n < INT32_MAX ? (int)n + 1 : INT32_MAX;
}

int tokens_at_most(cord_text text) { return text.len < INT32_MAX ? (int)text.len + 1 : INT32_MAX; } /* and a BOS */

void question_charge(struct question *q, uint64_t seed, int prompt_tokens, int new_tokens) {
    q->computes = true;
    q->charged = q->remote->engine->options.ledger.begin != NULL;
    q->seed = seed;
    q->request = (cord_request){.model = q->remote->base.info.name,
                                .group = q->call.group,
                                .prompt_tokens = prompt_tokens,
                                .new_tokens = new_tokens};
}

void question_release(struct question *q) {
    http_call_release(&q->call);
    buf_release(&q->body);
    buf_release(&q->repeated);
    told_release(&q->told);
}

/* ---- asking -------------------------------------------------------------------------------------------------- */

/* All that a reply depends on: who answers (by what its server says that it has, too, since a name stays where a model is
 * exchanged), what is asked, and which draw of it this is. */
static void make_key(struct question *q) {
    char body[65];
    sha256_text(q->call.body, body);
    struct buf all;
    const cord_model_info *info = &q->remote->base.info;
    buf_init(&all, "the key of a request", 1 << 16);
    buf_addf(&all, "%.400s\n%.2000s\n%.2000s\n%.200s\n%llu\n%s", q->request.model, info->serves ? info->serves : "",
             info->description ? info->description : "", q->call.path, (unsigned long long)q->seed, body);
    sha256_text(buf_text(&all), q->request.key);
    buf_release(&all);
}

static bool read_reply(struct question *q, cord_text text) {
    if (q->scan && q->scan(q, text)) return true;
    json_t *reply = q->streams ? stream_reply(q, text) : read_json(text);
    q->why = (cord_error){0};
    bool good = reply && q->read(q, reply);
    json_decref(reply);
    return good;
}

/* The last line that is not blank. */
static cord_text last_line(cord_text text) {
    text = text_trim(text);
    ptrdiff_t end = text_rfind(text, TEXT("\n"));
    return text_slice(text, (size_t)(end + 1), text.len);
}

/* What stands for a status in an error: a number, or one that is written as a string ("code": "400"). */
static int read_code(const json_t *error) {
    const json_t *code = json_object_get(error, "code");
    return json_is_string(code) ? atoi(json_string_value(code)) : (int)json_integer_value(code);
}

/* What begins like JSON, and may be damaged JSON. */
static bool begins_like_json(cord_text text) {
    text = text_trim(text);
    return text.len == 0 || text.data[0] == '{' || text.data[0] == '[';
}

/* An error that came with status 200, as the whole reply or as the last event of a stream: its words become the reply. A page
 * for people is one, too: somebody in between said it, while the server is away. */
static cord_status read_error(struct buf *reply) {
    json_t *whole = json_loadb(reply->data, reply->len, 0, NULL);
    cord_text line = last_line(buf_text(reply));
    if (!whole) whole = json_loadb(line.data, line.len, 0, NULL);
    const json_t *error = json_object_get(whole, "error");
    const char *object = json_string_value(json_object_get(whole, "object"));
    if (object && !strcmp(object, "error")) error = whole; /* as vLLM and SGLang had it */
    const json_t *words = json_is_string(error) ? error : json_object_get(error, "message");
    bool is = json_is_object(error) || json_is_string(error), page = !whole && !begins_like_json(buf_text(reply));
    int code = read_code(error);
    if (is && json_is_string(words)) {
        buf_clear(reply);
        if (code) buf_addf(reply, "%d, ", code);
        buf_add(reply, json_text_of(words));
    }
    json_decref(whole);
    return page ? CORD_IO_ERROR : !is ? CORD_OK : status_is_about_one(code) ? CORD_BAD_INPUT : CORD_IO_ERROR;
}

/* On the transport's thread. */
static bool arrived(void *ctx, struct http_call *call) {
    struct question *q = ctx;
    const cord_ledger *ledger = &q->remote->engine->options.ledger;
    if (!read_reply(q, buf_text(&call->reply))) {
        call->error = q->why;
        if (q->why.code == CORD_OK) call->error.code = read_error(&call->reply);
        return false;
    }
    q->arrived = true;
    if (q->charged) ledger->keep(ledger->ctx, &q->request, buf_text(&call->reply), &q->cost, call->lost - q->booked);
    buf_release(&call->reply); /* the slowest of its call may take minutes yet */
    return true;
}

/* On the transport's thread. */
static bool again(void *ctx, int lost) {
    struct question *q = ctx;
    const cord_ledger *ledger = &q->remote->engine->options.ledger;
    q->booked += lost;
    return ledger->again(ledger->ctx, &q->request, lost);
}

/* Whether the ledger has the reply already. One that this version cannot read is asked for again. */
static bool is_known(struct question *q) {
    const cord_ledger *ledger = &q->remote->engine->options.ledger;
    char *reply = NULL;
    size_t len = 0;
    make_key(q);
    bool known = ledger->find(ledger->ctx, &q->request, &reply, &len) && read_reply(q, (cord_text){reply, len});
    free(reply);
    return known;
}

/* Those of some questions that have to be asked. */
struct asking {
    struct http_call *calls;
    struct sleeper **sleepers; /* of each: who has to be awake; NULL: nobody */
    int *which;                /* question */
    int n;
    cord_request *charged; /* of those that are */
    int n_charged;
};

static void choose(struct asking *a, struct question *questions, int n) {
    for (int i = 0; i < n; i++) {
        struct question *q = &questions[i];
        if (q->call.error.code != CORD_OK || (q->charged && is_known(q))) continue;
        a->calls[a->n] = q->call;
        a->calls[a->n].arrived = arrived;
        if (q->streams) a->calls[a->n].event = stream_event;
        if (q->charged && q->remote->engine->options.ledger.again) a->calls[a->n].again = again;
        a->calls[a->n].ctx = q;
        a->sleepers[a->n] = q->computes ? q->remote->sleeper : NULL;
        a->which[a->n++] = i;
        if (q->charged) a->charged[a->n_charged++] = q->request;
    }
}

static cord_status run(const cord_engine *engine, struct asking *a, struct question *questions, cord_error *err) {
    const cord_ledger *ledger = &engine->options.ledger;
    if (a->n_charged) CORD_TRY(ledger->begin(ledger->ctx, a->charged, a->n_charged, err));
    cord_status status = share_run(engine->http, a->calls, a->sleepers, a->n, err);
    for (int k = 0; k < a->n; k++) {
        struct question *q = &questions[a->which[k]];
        q->call = a->calls[k];
        if (q->charged && !q->arrived) ledger->drop(ledger->ctx, &q->request, q->call.lost - q->booked);
        if (status == CORD_OK && q->call.error.code == CORD_CANCELLED)
            status =
                error_set(err, CORD_CANCELLED, "the budget has no room for another try: %.300s", q->call.error.message);
    }
    return status;
}

cord_status questions_ask(const cord_engine *engine, struct question *questions, int n, cord_error *err) {
    size_t room = (size_t)n + 1;
    struct asking a = {
        .calls = calloc(room, sizeof *a.calls),
        .sleepers = calloc(room, sizeof(struct sleeper *)),
        .which = calloc(room, sizeof *a.which),
        .charged = calloc(room, sizeof *a.charged),
    };
    cord_status status = a.calls && a.sleepers && a.which && a.charged ? CORD_OK : error_memory(err);
    if (status == CORD_OK) choose(&a, questions, n);
    if (status == CORD_OK && a.n) status = run(engine, &a, questions, err);
    free(a.calls);
    free(a.sleepers);
    free(a.which);
    free(a.charged);
    return status;
}

/* What begins like JSON and is none was damaged on its way. Anything else, a page for people, is an answer, too. */
static bool is_undamaged(void *ctx, struct http_call *call) {
    json_t *reply = read_json(buf_text(&call->reply));
    bool good = reply || !begins_like_json(buf_text(&call->reply));
    json_decref(reply);
    (void)ctx;
    return good;
}

/* What a failed call comes to for somebody who waits to see. A server that is there, and takes no more now, is not away. */
static cord_status probe_failed(const struct http_call *call, cord_error *err) {
    cord_error error = call->error;
    if (error.code == CORD_IO_ERROR && status_is_refusal(call->status)) error.code = CORD_BUSY;
    if (err) *err = error;
    return error.code;
}

cord_status remote_get(struct remote *remote, const char *path, json_t **reply, cord_error *err) {
    struct http_call call = {.endpoint = remote->endpoint,
                             .path = path_at(remote, path),
                             .most_tries = PROBE_TRIES,
                             .arrived = is_undamaged};
    *reply = NULL;
    cord_status status = transport_run(remote->transport, &call, 1, err);
    bool absent = call.status == 404 || call.status == 405 || call.status == 501;
    if (status == CORD_OK && call.error.code == CORD_OK) {
        *reply = read_json(buf_text(&call.reply));
    } else if (status == CORD_OK && !absent) {
        status = probe_failed(&call, err);
    }
    http_call_release(&call);
    return status;
}

static bool take_as_it_is(struct question *q, const json_t *reply) {
    json_t **taken = q->into;
    json_decref(*taken);
    *taken = json_deep_copy(reply);
    return *taken != NULL;
}

cord_status remote_ask(struct question *q, json_t **reply, cord_error *err) {
    *reply = NULL;
    q->read = take_as_it_is;
    q->into = reply;
    q->call.most_tries = PROBE_TRIES;
    cord_status status = questions_ask(q->remote->engine, q, 1, err);
    bool refused = q->call.status / 100 == 4 && !status_may_pass(q->call.status);
    return status == CORD_OK && q->call.error.code != CORD_OK && !refused ? probe_failed(&q->call, err) : status;
}

json_t *read_json(cord_text text) { return json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL); }

int read_count(const json_t *object, const char *key) {
    json_int_t n = json_integer_value(json_object_get(object, key));
    return n > 0 && n < INT32_MAX ? (int)n : 0;
}

cord_text read_name(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    cord_text name = json_text_of(value);
    while (name.len && name.data[name.len - 1] == '/') name.len--;
    ptrdiff_t slash = text_rfind(name, TEXT("/"));
    return text_slice(name, (size_t)(slash + 1), name.len);
}

bool read_stop(const char *named, cord_proposal *p) {
    p->end = named ? CORD_END_STOP : CORD_END_TURN;
    p->stop = -1;
    for (int i = 0; named && i < p->n_stops && p->stop < 0; i++)
        if (text_equal(text_of(named), p->stops[i])) p->stop = i;
    return !named || p->stop >= 0;
}

bool read_text(const json_t *text, cord_proposal *p) {
    p->text = utf8_mend(json_text_of(text), &p->len);
    return p->text != NULL;
}

void write_stops(struct json_writer *w, const char *key, const cord_proposal *p, int most) {
    int written = 0;
    for (int i = 0; i < p->n_stops && written < most; i++) {
        if (!p->stops[i].len) continue;
        if (!written++) json_open(w, key, '[');
        json_text(w, NULL, p->stops[i]);
    }
    if (written) json_close(w, ']');
}

void write_ids(struct json_writer *w, const char *key, const struct pieces *pieces, int n) {
    json_open(w, key, '[');
    for (int i = 0; i < n; i++) json_int(w, NULL, pieces->id[i]);
    json_close(w, ']');
}
