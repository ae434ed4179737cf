/* http.c - the back end for models that servers run: texts become the server's tokens, requests become questions in its
 * protocol, replies become proposals and scores. It must not know any one protocol, nor sockets.
 *
 * Prompts are sent as token ids, so that what a user or a model wrote never becomes a special token: in such text,
 * whatever the server takes for one token but looks like a tag is cut in two before it is tokenised. */
#include "model/http/remote.h"

#include <math.h>
#include <stdlib.h>

static const struct protocol *const protocols[] = {&protocol_llama_server, &protocol_vllm};
enum { N_PROTOCOLS = sizeof protocols / sizeof *protocols };

/* ---- opening ------------------------------------------------------------------------------------------------- */

static cord_status find_protocol(struct remote *remote, const char *named, cord_error *err) {
    for (int i = 0; i < N_PROTOCOLS; i++) {
        bool is;
        if (named && strcmp(named, protocols[i]->name) != 0) continue;
        CORD_TRY(protocols[i]->identify(remote, &is, err));
        if (!is) continue;
        remote->protocol = protocols[i];
        return CORD_OK;
    }
    return error_set(err, CORD_BAD_MODEL, "the server at %s is %s; correct the URL, or name its protocol",
                     remote->base.info.path,
                     named ? "not of the protocol that the recipe names" : "none that cord knows");
}

static void close_model(cord_model *model) {
    struct remote *remote = remote_of(model);
    arena_release(&remote->arena);
    free(remote);
}

static cord_status set_up(struct remote *remote, const cord_model_options *o, cord_error *err) {
    cord_model_info *info = &remote->base.info;
    info->name = arena_printf(&remote->arena, "%s", o->name);
    info->path = arena_printf(&remote->arena, "%s", o->url);
    if (o->served) remote->served = arena_printf(&remote->arena, "%s", o->served);
    if (!info->name || !info->path || (o->served && !remote->served)) return error_memory(err);
    CORD_TRY(endpoint_open(remote->transport, o->url, o->api_key, &remote->endpoint, err));
    CORD_TRY(find_protocol(remote, o->protocol, err));
    if (o->chat_template) info->chat_template = arena_text(&remote->arena, text_of(o->chat_template));
    remote->way = remote->protocol->ways;
    info->scoring = remote->way->name;
    int least = o->context;
    if (least > info->context)
        return error_set(err, CORD_BAD_MODEL,
                         "%s: the server gives a sequence %d tokens, and this asks for %d; start it with more", o->name,
                         info->context, least);
    return CORD_OK;
}

static cord_status open_model(cord_engine *engine, const cord_model_options *options, cord_model **model,
                              cord_error *err) {
    if (!engine->http) {
        struct transport *transport;
        CORD_TRY(transport_open(&(struct transport_limits){0}, &engine->stop, &transport, err));
        engine->http = transport;
    }
    struct remote *remote = calloc(1, sizeof *remote);
    if (!remote) return error_memory(err);
    remote->transport = engine->http;
    arena_init(&remote->arena);
    cord_status status = set_up(remote, options, err);
    if (status != CORD_OK) {
        error_where(err, "model %s", options->name);
        close_model(&remote->base);
        return status;
    }
    *model = &remote->base;
    return CORD_OK;
}

static void stop(cord_engine *engine) {
    if (!engine->http) return;
    transport_close(engine->http);
    engine->http = NULL;
}

static void forget(cord_engine *engine, uint64_t group) {
    (void)engine; /* a server's cache is its own business */
    (void)group;
}

/* ---- texts into tokens --------------------------------------------------------------------------------------- */

/* The length of what looks like a special token at `at`, or 0: "<|im_end|>", "</s>", "[INST]". */
static size_t tag_length(cord_text t, size_t at) {
    enum { LONGEST = 64 };
    char open = t.data[at], close = open == '<' ? '>' : open == '[' ? ']' : '\0';
    for (size_t i = at + 1; close && i < t.len && i - at < LONGEST; i++) {
        unsigned char c = (unsigned char)t.data[i];
        if (t.data[i] == close) return i > at + 1 ? i + 1 - at : 0;
        if (c <= ' ' || t.data[i] == open) return 0;
    }
    return 0;
}

/* A text of spans, and the places where it has to be cut. */
struct spelled {
    struct remote *remote; /* whose tokens are wanted */
    struct buf text;
    size_t *cut;
    size_t n_cuts, room;
    struct pieces pieces;
    cord_error error;
};

static void spelled_release(struct spelled *s) {
    buf_release(&s->text);
    free(s->cut);
    pieces_release(&s->pieces);
}

static bool add_cut(struct spelled *s, size_t at) {
    if (s->n_cuts == s->room) {
        size_t room = s->room ? 2 * s->room : 8;
        size_t *cut = realloc(s->cut, room * sizeof *cut);
        if (!cut) return false;
        s->cut = cut;
        s->room = room;
    }
    s->cut[s->n_cuts++] = at;
    return true;
}

/* Puts the spans together, and cuts each tag in untrusted text behind its first byte. */
static void spell(struct spelled *s, const cord_model *model, const cord_span *spans, int n) {
    *s = (struct spelled){.remote = remote_of(model)};
    buf_init(&s->text, "a prompt", 64 << 20);
    for (int i = 0; i < n; i++) {
        size_t start = s->text.len;
        buf_add(&s->text, spans[i].text);
        for (size_t at = 0; !spans[i].trusted && at < spans[i].text.len; at++)
            if (tag_length(spans[i].text, at) && !add_cut(s, start + at + 1))
                error_fill(&s->error, CORD_NO_MEMORY, "out of memory");
    }
    if (s->error.code == CORD_OK) buf_check(&s->text, &s->error);
}

static cord_text part_of(const struct spelled *s, size_t part) {
    size_t from = part ? s->cut[part - 1] : 0, to = part < s->n_cuts ? s->cut[part] : s->text.len;
    return text_slice(buf_text(&s->text), from, to);
}

/* Asks for the tokens of all parts of all texts at once. */
static cord_status tokenize(struct transport *transport, struct spelled *texts, int n, cord_error *err) {
    size_t total = 0;
    for (int i = 0; i < n; i++) total += texts[i].n_cuts + 1;
    struct question *questions = calloc(total + 1, sizeof *questions);
    if (!questions) return error_memory(err);
    int asked = 0;
    for (int i = 0; i < n; i++)
        for (size_t part = 0; part <= texts[i].n_cuts; part++) {
            const struct remote *remote = texts[i].remote;
            struct json_writer w = question_begin(&questions[asked], remote, remote->protocol->tokenize_path, 0);
            remote->protocol->tokenize_write(remote, part_of(&texts[i], part), &w);
            question_end(&questions[asked], &w);
            if (texts[i].error.code != CORD_OK) questions[asked].call.error = texts[i].error;
            asked++;
        }
    cord_status status = questions_ask(transport, questions, asked, err);
    for (int i = 0, q = 0; i < n; i++)
        for (size_t part = 0; part <= texts[i].n_cuts; part++, q++) {
            const struct remote *remote = texts[i].remote;
            if (texts[i].error.code != CORD_OK || status != CORD_OK) continue;
            if (questions[q].call.error.code != CORD_OK)
                texts[i].error = questions[q].call.error;
            else if (part_of(&texts[i], part).len &&
                     !remote->protocol->tokenize_read(questions[q].reply, part_of(&texts[i], part), &texts[i].pieces))
                error_fill(&texts[i].error, CORD_BAD_INPUT, "the tokens of %s do not spell the text",
                           remote->base.info.name);
        }
    for (int q = 0; q < asked; q++) question_release(&questions[q]);
    free(questions);
    return status;
}

static cord_status count_tokens(const cord_model *model, const cord_span *spans, int n, int *tokens, cord_error *err) {
    struct remote *remote = remote_of(model);
    struct spelled text;
    spell(&text, model, spans, n);
    cord_status status = tokenize(remote->transport, &text, 1, err);
    if (status == CORD_OK && text.error.code != CORD_OK) {
        status = text.error.code;
        if (err) *err = text.error;
    }
    *tokens = text.pieces.n;
    spelled_release(&text);
    return status;
}

/* ---- proposing ----------------------------------------------------------------------------------------------- */

/* What was said up to the last whole character, and no stop string in it. */
static void trim_proposal(cord_proposal *p) {
    p->len = utf8_valid_prefix((cord_text){p->text, p->len});
    for (int i = 0; i < p->n_stops; i++) {
        ptrdiff_t at = text_find((cord_text){p->text, p->len}, p->stops[i]);
        if (at < 0) continue;
        p->len = (size_t)at;
        p->end = CORD_END_STOP;
        p->stop = i;
    }
    p->text[p->len] = '\0';
}

static void take_proposal(struct question *q, const struct spelled *text, cord_proposal *p, int64_t began) {
    struct remote *remote = text->remote;
    p->error = text->error.code != CORD_OK ? text->error : q->call.error;
    p->us = clock_us() - began;
    if (p->error.code != CORD_OK) return;
    if (!remote->protocol->propose_read(q->reply, p)) {
        cord_proposal_release(p);
        error_fill(&p->error, CORD_IO_ERROR, "the reply of %s cannot be read as %s's: %.200s", remote->base.info.name,
                   remote->protocol->name, q->call.reply.data);
        return;
    }
    trim_proposal(p);
    atomic_fetch_add(&remote->base.usage.propose_us, p->us);
    p->prompt_tokens = text->pieces.n;
    if (p->cached_tokens > p->prompt_tokens) p->cached_tokens = p->prompt_tokens;
    atomic_fetch_add(&remote->base.usage.proposed_tokens, p->new_tokens);
    atomic_fetch_add(&remote->base.usage.propose_prefill_tokens, p->prompt_tokens - p->cached_tokens);
    atomic_fetch_add(&remote->base.usage.cached_tokens, p->cached_tokens);
}

static cord_status propose(cord_engine *engine, cord_proposal **requests, int n, cord_error *err) {
    int64_t began = clock_us();
    struct spelled *texts = calloc((size_t)n, sizeof *texts);
    struct question *questions = calloc((size_t)n, sizeof *questions);
    if (!texts || !questions) {
        free(texts);
        free(questions);
        return error_memory(err);
    }
    for (int i = 0; i < n; i++) spell(&texts[i], requests[i]->model, requests[i]->prompt, requests[i]->n_spans);
    cord_status status = tokenize(engine->http, texts, n, err);
    for (int i = 0; i < n; i++) {
        const struct remote *remote = texts[i].remote;
        struct json_writer w =
            question_begin(&questions[i], remote, remote->protocol->propose_path, requests[i]->group);
        remote->protocol->propose_write(remote, requests[i], &texts[i].pieces, &w);
        question_end(&questions[i], &w);
        if (texts[i].error.code != CORD_OK) questions[i].call.error = texts[i].error;
    }
    if (status == CORD_OK) status = questions_ask(engine->http, questions, n, err);
    for (int i = 0; i < n; i++) {
        if (status == CORD_OK) take_proposal(&questions[i], &texts[i], requests[i], began);
        question_release(&questions[i]);
        spelled_release(&texts[i]);
    }
    free(texts);
    free(questions);
    return status;
}

/* ---- scoring ------------------------------------------------------------------------------------------------- */

/* A target in its text: bytes and tokens. */
struct place {
    size_t reasoning, opening, target, closing; /* where each begins */
    int first, behind;                          /* the target's tokens */
    int question, n_questions;
};

static void spell_scoring(const cord_scoring *r, struct spelled *text, struct place *place) {
    *place = (struct place){0};
    cord_span *spans = calloc((size_t)r->n_spans + 4, sizeof *spans);
    int n = r->n_spans;
    for (int i = 0; spans && i < n; i++) {
        spans[i] = r->prompt[i];
        place->reasoning += spans[i].text.len;
    }
    if (spans) {
        spans[n++] = (cord_span){r->reasoning, false};
        spans[n++] = r->opening;
        spans[n++] = r->target;
        spans[n++] = r->closing;
        spell(text, r->model, spans, n);
    } else {
        spell(text, r->model, NULL, 0);
        error_fill(&text->error, CORD_NO_MEMORY, "out of memory");
    }
    free(spans);
    place->opening = place->reasoning + r->reasoning.len;
    place->target = place->opening + r->opening.text.len;
    place->closing = place->target + r->target.text.len;
    if (text->error.code == CORD_OK && r->target.text.len == 0)
        error_fill(&text->error, CORD_BAD_INPUT, "the target is empty");
}

/* Finds the target's tokens: those any byte of which lies in it. */
static void locate(cord_scoring *r, struct spelled *text, struct place *place) {
    const struct remote *remote = text->remote;
    const struct pieces *p = &text->pieces;
    while (place->first < p->n && p->end[place->first] <= place->target) place->first++;
    place->behind = place->first;
    while (place->behind < p->n && (place->behind ? p->end[place->behind - 1] : 0) < place->closing) place->behind++;
    r->n_tokens = place->behind - place->first;
    r->prompt_tokens = place->behind - 1;
    r->reasoning_tokens = 0;
    for (int i = 0; i < p->n; i++) {
        size_t begin = i ? p->end[i - 1] : 0;
        r->reasoning_tokens += begin >= place->reasoning && begin < place->opening;
    }
    if (place->first == 0)
        error_fill(&text->error, CORD_BAD_INPUT,
                   "nothing stands before the target: a model needs at least one token to predict from");
    else if (place->behind > remote->base.info.context)
        error_fill(&text->error, CORD_TOO_LONG, "%d tokens do not fit the context of %s (%d)", place->behind,
                   remote->base.info.name, remote->base.info.context);
    if (text->error.code == CORD_OK) place->n_questions = remote->way->each ? r->n_tokens : 1;
}

/* The values, and the pieces of the target's tokens in one block. */
static bool allocate(cord_scoring *r, const struct spelled *text, const struct place *place) {
    size_t start = text->pieces.end[place->first - 1], bytes = text->pieces.end[place->behind - 1] - start;
    r->logprob = malloc((size_t)r->n_tokens * sizeof *r->logprob);
    r->token = malloc((size_t)r->n_tokens * sizeof *r->token + bytes + 1);
    if (!r->logprob || !r->token) return false;
    char *copy = (char *)(r->token + r->n_tokens);
    memcpy(copy, text->text.data + start, bytes);
    for (int i = 0; i < r->n_tokens; i++) {
        size_t from = text->pieces.end[place->first + i - 1], to = text->pieces.end[place->first + i];
        r->token[i] = (cord_text){copy + (from - start), to - from};
    }
    return true;
}

static void ask_scoring(const cord_scoring *r, const struct spelled *text, const struct place *place,
                        struct question *questions) {
    const struct remote *remote = text->remote;
    for (int k = 0; k < place->n_questions; k++) {
        int n = remote->way->each ? place->first + k + 1 : place->behind;
        struct json_writer w = question_begin(&questions[k], remote, remote->way->path, r->group);
        remote->way->write(remote, &text->pieces, place->first, n, &w);
        question_end(&questions[k], &w);
    }
}

static void take_scoring(cord_scoring *r, struct spelled *text, const struct place *place, struct question *questions) {
    struct remote *remote = text->remote;
    int cached = 0;
    for (int k = 0; k < place->n_questions && text->error.code == CORD_OK; k++) {
        struct question *q = &questions[k];
        int n = remote->way->each ? place->first + k + 1 : place->behind;
        if (q->call.error.code != CORD_OK)
            text->error = q->call.error;
        else if (!remote->way->read(q->reply, &text->pieces, place->first, n, &r->logprob[remote->way->each ? k : 0],
                                    k == 0 ? &cached : &(int){0}))
            error_fill(&text->error, CORD_IO_ERROR,
                       "the reply of %s has no log-probability of the token that was asked for: %.200s",
                       remote->base.info.name, q->call.reply.data);
    }
    r->error = text->error;
    if (r->error.code != CORD_OK) {
        cord_scoring_release(r);
        return;
    }
    double sum = 0;
    for (int i = 0; i < r->n_tokens; i++) sum += r->logprob[i];
    r->log_score = sum / r->n_tokens;
    r->score = exp(r->log_score);
    r->cached_tokens = cached < r->prompt_tokens ? cached : r->prompt_tokens;
    atomic_fetch_add(&remote->base.usage.scored_tokens, r->prompt_tokens - r->cached_tokens);
    atomic_fetch_add(&remote->base.usage.cached_tokens, r->cached_tokens);
}

static cord_status score(cord_engine *engine, cord_scoring **requests, int n, cord_error *err) {
    int64_t began = clock_us();
    struct spelled *texts = calloc((size_t)n, sizeof *texts);
    struct place *places = calloc((size_t)n, sizeof *places);
    struct question *questions = NULL;
    cord_status status = texts && places ? CORD_OK : error_memory(err);
    for (int i = 0; status == CORD_OK && i < n; i++) spell_scoring(requests[i], &texts[i], &places[i]);
    if (status == CORD_OK) status = tokenize(engine->http, texts, n, err);
    int total = 0;
    for (int i = 0; status == CORD_OK && i < n; i++) {
        if (texts[i].error.code == CORD_OK) locate(requests[i], &texts[i], &places[i]);
        if (places[i].n_questions && !allocate(requests[i], &texts[i], &places[i])) status = error_memory(err);
        places[i].question = total;
        total += places[i].n_questions;
    }
    if (status == CORD_OK && !(questions = calloc((size_t)total + 1, sizeof *questions))) status = error_memory(err);
    for (int i = 0; status == CORD_OK && i < n; i++)
        ask_scoring(requests[i], &texts[i], &places[i], questions + places[i].question);
    if (status == CORD_OK) status = questions_ask(engine->http, questions, total, err);
    for (int i = 0; i < n && texts && places; i++) {
        if (status == CORD_OK) {
            take_scoring(requests[i], &texts[i], &places[i], questions + places[i].question);
            requests[i]->us = clock_us() - began;
        } else {
            cord_scoring_release(requests[i]);
        }
        spelled_release(&texts[i]);
    }
    for (int q = 0; questions && q < total; q++) question_release(&questions[q]);
    free(texts);
    free(places);
    free(questions);
    return status;
}

/* ---- are scores right? --------------------------------------------------------------------------------------- */

/* The log-probabilities of a target that is likely token by token, in the way that the model has now. */
static cord_status probe(cord_engine *engine, struct remote *remote, cord_scoring *scoring, cord_error *err) {
    static const cord_span prompt = {{"1, 2, 3, 4, 5, 6,", 17}, true};
    *scoring = (cord_scoring){.model = &remote->base,
                              .prompt = &prompt,
                              .n_spans = 1,
                              .target = {TEXT(" 7, 8, 9"), true},
                              .closing = {TEXT(","), true}};
    cord_scoring *request = scoring;
    return score(engine, &request, 1, err);
}

static double largest_difference(const cord_scoring *a, const cord_scoring *b) {
    double worst = 0;
    for (int i = 0; i < a->n_tokens && i < b->n_tokens; i++) worst = fmax(worst, fabs(a->logprob[i] - b->logprob[i]));
    return a->n_tokens == b->n_tokens ? worst : INFINITY;
}

static cord_status check(cord_engine *engine, cord_model *model, cord_scoring_check *c, cord_error *err) {
    enum { MOST = sizeof c->way / sizeof *c->way };
    struct remote *remote = remote_of(model);
    const struct scoring_way *ways = remote->protocol->ways, *chosen = NULL;
    cord_scoring probes[MOST] = {0};
    cord_status status = CORD_OK;
    for (int i = 0; i < MOST && ways[i].name && status == CORD_OK; i++, c->n_ways++) {
        remote->way = &ways[i];
        status = probe(engine, remote, &probes[i], err);
        c->way[i].name = ways[i].name;
        c->way[i].obtained = status == CORD_OK && probes[i].error.code == CORD_OK;
        if (!c->way[i].obtained)
            snprintf(c->way[i].why, sizeof c->way[i].why, "%.190s", probes[i].error.message);
        else if (!chosen)
            chosen = &ways[i];
        for (int k = 0; k < i && c->way[i].obtained; k++)
            if (c->way[k].obtained) c->apart = fmax(c->apart, largest_difference(&probes[k], &probes[i]));
    }
    for (int i = 0; i < MOST; i++) cord_scoring_release(&probes[i]);
    c->right = chosen && !(c->apart > remote->base.info.noise);
    remote->way = chosen ? chosen : &ways[0];
    remote->base.info.scoring = chosen ? chosen->name : NULL;
    return status;
}

const struct backend backend_http = {
    .open = open_model,
    .close = close_model,
    .count_tokens = count_tokens,
    .propose = propose,
    .score = score,
    .check = check,
    .forget = forget,
    .stop = stop,
};
