/* http.c - the back end for models that servers run: texts become the server's tokens, requests become questions in its
 * protocol, replies become proposals and scores. It must not know any one protocol, nor sockets. */
#include "model/http/share.h"
#include "model/http/spelled.h"

#include <math.h>
#include <stdlib.h>

/* In the order in which a server is asked whether it is one; the last has to be named, since it costs a few tokens. */
static const struct protocol *const protocols[] = {&protocol_llama_server, &protocol_vllm, &protocol_sglang,
                                                   &protocol_openai, &protocol_chat};
enum { N_PROTOCOLS = sizeof protocols / sizeof *protocols, N_FOUND = N_PROTOCOLS - 1 };

/* Tokens a second of one text, among many that a server writes: one that comes whole has its first byte when it is finished. */
enum { SLOWEST = 5 };

/* ---- opening ------------------------------------------------------------------------------------------------- */

static cord_status check_protocol(const char *named, cord_error *err) {
    struct buf known;
    bool is = !named;
    buf_init(&known, "the names of protocols", 1000);
    for (int i = 0; i < N_PROTOCOLS; i++) {
        is = is || strcmp(named, protocols[i]->name) == 0;
        buf_addf(&known, "%s%s", i ? ", " : "", protocols[i]->name);
    }
    if (!is) error_fill(err, CORD_BAD_INPUT, "cord knows no protocol \"%.100s\"; it knows %s", named, known.data);
    buf_release(&known);
    return is ? CORD_OK : CORD_BAD_INPUT;
}

static cord_status find_protocol(struct remote *remote, const char *named, cord_error *err) {
    CORD_TRY(check_protocol(named, err));
    for (int i = 0; i < (named ? N_PROTOCOLS : N_FOUND); i++) {
        bool is;
        if (named && strcmp(named, protocols[i]->name) != 0) continue;
        remote->protocol = protocols[i];
        CORD_TRY(protocols[i]->identify(remote, &is, err));
        if (is) return CORD_OK;
    }
    return error_set(err, CORD_BAD_MODEL, "the server at %s is %s; correct the URL, or name its protocol%s",
                     remote->base.info.path,
                     named ? "not of the protocol that the recipe names" : "none that cord knows",
                     named ? "" : " (chat is never found by itself)");
}

static void close_model(cord_model *model) {
    struct remote *remote = remote_of(model);
    share_leave(remote);
    known_free(remote->known);
    arena_release(&remote->arena);
    free(remote);
}

static cord_status set_up(struct remote *remote, const cord_model_options *o, cord_error *err) {
    cord_model_info *info = &remote->base.info;
    info->name = arena_printf(&remote->arena, "%s", o->name);
    info->path = arena_printf(&remote->arena, "%s", o->url);
    if (o->served) remote->served = arena_printf(&remote->arena, "%s", o->served);
    if (o->going_on) remote->going_on = arena_printf(&remote->arena, "%s", o->going_on);
    remote->known = known_new();
    if (!info->name || !info->path || !remote->known || (o->served && !remote->served) ||
        (o->going_on && !remote->going_on))
        return error_memory(err);
    remote->stream = o->stream;
    CORD_TRY(endpoint_open(remote->transport, o->url, o->api_key, o->requests, &remote->endpoint, err));
    CORD_TRY(find_protocol(remote, o->protocol, err));
    CORD_TRY(replicas_compare(remote, o->url, o->api_key, err));
    if (o->chat_template) info->chat_template = arena_text(&remote->arena, text_of(o->chat_template));
    remote->way = remote->protocol->ways;
    info->scoring = remote->way->name;
    /* One that names no stop strings would write a text to its limit, to be cut here. */
    remote->stream = (o->stream && remote->protocol->event) || !remote->names_stops;
    int least = o->context;
    if (!info->context)
        info->context = least + o->more_context; /* many do not tell; what is too long will fail by itself */
    if (least > info->context)
        return error_set(err, CORD_BAD_MODEL,
                         "%s: the server gives a sequence %d tokens, and this asks for %d; start it with more "
                         "(llama-server: -c, which its -np slots share; vLLM: --max-model-len), or lower "
                         "%s",
                         o->name, info->context, least, o->context_key ? "search.think_tokens" : "`context`");
    return share_join(remote, o->device, o->api_key, err);
}

static struct transport_limits limits_of(const cord_server_limits *servers) {
    return (struct transport_limits){
        .connect = servers->connect,
        .first_byte = servers->first_byte,
        .idle = servers->idle,
        .tries = servers->tries,
        .backoff = servers->backoff,
        .longest = servers->longest_pause,
        .authorities = servers->authorities,
    };
}

static cord_status open_model(cord_engine *engine, const cord_model_options *options, cord_model **model,
                              cord_error *err) {
    if (!engine->http) {
        struct transport *transport;
        const struct transport_limits limits = limits_of(&engine->options.servers);
        CORD_TRY(transport_open(&limits, &engine->stop, &transport, err));
        engine->http = transport;
    }
    struct remote *remote = calloc(1, sizeof *remote);
    if (!remote) return error_memory(err);
    remote->engine = engine;
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

/* ---- tokens -------------------------------------------------------------------------------------------------- */

static cord_status count(const cord_model *model, cord_counting *texts, int n, cord_error *err) {
    struct spelled *spelled = calloc((size_t)n, sizeof *spelled);
    if (!spelled) return error_memory(err);
    for (int i = 0; i < n; i++) spell(&spelled[i], model, texts[i].spans, texts[i].n_spans, texts[i].group);
    cord_status status = spelled_tokenize(remote_of(model)->engine, spelled, n, SPELLED_TO_READ, 0, err);
    for (int i = 0; i < n; i++) {
        texts[i].tokens = spelled[i].pieces.n;
        texts[i].error = spelled[i].error;
        spelled_release(&spelled[i]);
    }
    free(spelled);
    return status;
}

/* ---- proposing ----------------------------------------------------------------------------------------------- */

/* What was said up to the last whole character, and no stop string in it. Where a limit cuts a character in two, servers say
 * U+FFFD for what they have of it. */
static void trim_proposal(cord_proposal *p) {
    static const cord_text replacement = {"\xEF\xBF\xBD", 3};
    p->len = utf8_valid_prefix((cord_text){p->text, p->len});
    while (p->end == CORD_END_LENGTH && text_ends((cord_text){p->text, p->len}, replacement)) p->len -= replacement.len;
    for (int i = 0; i < p->n_stops; i++) {
        ptrdiff_t at = text_find((cord_text){p->text, p->len}, p->stops[i]);
        if (at < 0) continue;
        p->len = (size_t)at;
        p->end = CORD_END_STOP;
        p->stop = i;
    }
    p->text[p->len] = '\0';
}

/* Cuts off what a reply repeats. False where it does not begin with it. */
static bool cut_repeated(cord_proposal *p, cord_text before) {
    if (!before.len) return true;
    if (!text_starts((cord_text){p->text, p->len}, before)) return false;
    p->len -= before.len;
    memmove(p->text, p->text + before.len, p->len + 1);
    return true;
}

/* A server that was started again may have another model. */
static bool is_of_model(struct question *q, const json_t *reply) {
    const struct remote *remote = q->remote;
    cord_text name = read_name(reply, "model");
    if (!remote->named || !name.len || text_equal(name, text_of(remote->named))) return true;
    error_fill(
        &q->why, CORD_BAD_MODEL,
        "%s: its server has another model now: replies are of \"%.*s\", and it had \"%s\" when it was asked first; "
        "start it with that one (replicas have to name it alike: llama-server --alias)",
        remote->base.info.name, (int)(name.len < 200 ? name.len : 200), name.data, remote->named);
    return false;
}

static bool read_proposal(struct question *q, const json_t *reply) {
    cord_proposal *p = q->into;
    if (!is_of_model(q, reply)) return false;
    proposal_drop(p);
    p->error = (cord_error){0};
    if (!q->remote->protocol->propose_read(reply, p)) {
        q->why = p->error;
        return false;
    }
    if (!cut_repeated(p, buf_text(&q->repeated))) return false;
    if (!p->prompt_tokens) p->prompt_tokens = q->guessed_tokens; /* a stream that was left says nothing of it */
    if (!p->new_tokens && p->len) p->new_tokens = tokens_guessed((cord_text){p->text, p->len}); /* nor some routers */
    q->cost = (cord_cost){p->prompt_tokens, p->cached_tokens, p->new_tokens};
    return true;
}

/* As many tokens as the context has room for: servers refuse what asks for more. */
static int room_for(const struct remote *remote, const cord_proposal *p, struct spelled *text) {
    const cord_model_info *info = &remote->base.info;
    int left = info->context - text->pieces.n - 1; /* SGLang takes one less than its context */
    bool counted = !remote->protocol->sends_text;
    if (!counted || !info->context || text->error.code != CORD_OK || left >= p->max_tokens) return p->max_tokens;
    if (left < 1)
        error_fill(&text->error, CORD_TOO_LONG, "%d tokens leave no room in the context of %s (%d)", text->pieces.n,
                   info->name, info->context);
    return left;
}

static void ask_proposal(cord_proposal *p, struct spelled *text, struct question *q) {
    const struct remote *remote = text->remote;
    struct json_writer w = question_begin(q, remote, remote->protocol->propose_path, p->group);
    if (text->error.code == CORD_OK && remote->protocol->propose_check)
        (void)remote->protocol->propose_check(p, &text->error);
    cord_proposal asked = *p;
    asked.max_tokens = room_for(remote, p, text);
    if (text->error.code == CORD_OK) remote->protocol->propose_write(remote, &asked, &text->pieces, &w);
    if (remote->protocol->propose_repeated) remote->protocol->propose_repeated(remote, p, &q->repeated);
    if (remote->stream)
        stream_begin(q, p->stops, p->n_stops);
    else
        q->call.more_time = (double)asked.max_tokens / SLOWEST;
    question_end(q, &w);
    bool counted = !remote->protocol->sends_text;
    question_charge(q, p->sampling.seed, counted ? text->pieces.n : tokens_at_most(text->pieces.text),
                    asked.max_tokens);
    q->guessed_tokens = counted ? text->pieces.n : tokens_guessed(text->pieces.text);
    q->read = read_proposal;
    q->into = p;
    if (text->error.code != CORD_OK) q->call.error = text->error;
}

static void take_proposal(const struct question *q, const struct spelled *text, cord_proposal *p, int64_t began) {
    struct remote *remote = text->remote;
    bool counted = !remote->protocol->sends_text;
    p->error = q->call.error;
    p->us = clock_us() - began;
    if (p->error.code == CORD_OK && counted && p->prompt_tokens && p->prompt_tokens != text->pieces.n)
        error_fill(
            &p->error, CORD_BAD_MODEL,
            "%s was sent a prompt of %d tokens and counts %d: it adds some by itself (a second BOS?), so that what "
            "it continues is not what it was given; turn that off in the server",
            remote->base.info.name, text->pieces.n, p->prompt_tokens);
    if (p->error.code != CORD_OK) {
        proposal_drop(p);
        return;
    }
    trim_proposal(p);
    atomic_fetch_add(&remote->base.usage.propose_us, p->us);
    if (counted) p->prompt_tokens = text->pieces.n;
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
    for (int i = 0; i < n; i++)
        spell(&texts[i], requests[i]->model, requests[i]->prompt, requests[i]->n_spans, requests[i]->group);
    cord_status status = spelled_tokenize(engine, texts, n, SPELLED_TO_SEND, 0, err);
    for (int i = 0; i < n; i++) {
        ask_proposal(requests[i], &texts[i], &questions[i]);
        spelled_shrink(&texts[i]);
    }
    if (status == CORD_OK) status = questions_ask(engine, questions, n, err);
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
        spell(text, r->model, spans, n, r->group);
    } else {
        spell(text, r->model, NULL, 0, r->group);
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
    const cord_model_info *info = &remote->base.info;
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
        (void)nothing_before(place->target, &text->error);
    else if (info->context && place->behind > info->context)
        error_fill(&text->error, CORD_TOO_LONG, "%d tokens do not fit the context of %s (%d)", place->behind,
                   info->name, info->context);
    if (text->error.code == CORD_OK) place->n_questions = !remote->way->path ? 0 : remote->way->each ? r->n_tokens : 1;
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

/* What one question of a target is about, and what its reply says. */
struct asked {
    const struct scoring_way *way;
    const struct pieces *text;
    int first, n;
    double *logprob;
    int cached;
};

static bool read_scoring(struct question *q, const json_t *reply) {
    struct asked *a = q->into;
    a->cached = 0;
    if (!is_of_model(q, reply) || !a->way->read(reply, a->text, a->first, a->n, a->logprob, &a->cached)) return false;
    q->cost = (cord_cost){a->n - a->way->each, a->cached, 1};
    return true;
}

static void ask_value(struct asked *a, const struct remote *remote, uint64_t group, int most_bad, struct question *q) {
    struct json_writer w = question_begin(q, remote, a->way->path, group);
    a->way->write(remote, a->text, a->first, a->n, &w);
    question_end(q, &w);
    question_charge(q, 0, a->n, 1);
    q->read = read_scoring;
    q->into = a;
    q->call.most_bad = most_bad;
}

static void ask_scoring(const cord_scoring *r, const struct spelled *text, const struct place *place, int most_bad,
                        struct question *questions, struct asked *asked) {
    const struct remote *remote = text->remote;
    for (int k = 0; k < place->n_questions; k++) {
        int n = remote->way->each ? place->first + k + 1 : place->behind;
        asked[k] = (struct asked){remote->way, &text->pieces, place->first, n, &r->logprob[k], 0};
        ask_value(&asked[k], remote, r->group, most_bad, &questions[k]);
    }
}

/* Asks anew, and for more, where a reply did not tell of the token. */
static cord_status ask_wider(const cord_engine *engine, struct question *questions, struct asked *asked, int n,
                             cord_error *err) {
    struct question *again = calloc((size_t)n + 1, sizeof *again);
    int *which = calloc((size_t)n + 1, sizeof *which), wanted = 0;
    cord_status status = again && which ? CORD_OK : error_memory(err);
    for (int i = 0; i < n && status == CORD_OK; i++) {
        struct question *q = &questions[i];
        if (q->call.error.code != CORD_OK || !asked[i].way->wider || !isnan(*asked[i].logprob)) continue;
        asked[i].way = asked[i].way->wider;
        ask_value(&asked[i], q->remote, q->call.group, q->call.most_bad, &again[wanted]);
        which[wanted++] = i;
    }
    if (status == CORD_OK && wanted) status = questions_ask(engine, again, wanted, err);
    for (int k = 0; k < wanted; k++) {
        question_release(&questions[which[k]]);
        questions[which[k]] = again[k];
    }
    free(again);
    free(which);
    return status;
}

static void take_scoring(cord_scoring *r, struct spelled *text, const struct place *place,
                         const struct question *questions, const struct asked *asked) {
    struct remote *remote = text->remote;
    for (int k = 0; k < place->n_questions; k++) {
        if (text->error.code == CORD_OK) text->error = questions[k].call.error;
        atomic_fetch_add(&remote->asked, questions[k].call.status != 0);
        atomic_fetch_add(&remote->asked_tokens, asked[k].n - remote->way->each);
        atomic_fetch_add(&remote->asked_cached, asked[k].cached);
    }
    r->error = text->error;
    if (r->error.code != CORD_OK) {
        scoring_drop(r);
        return;
    }
    double sum = 0;
    atomic_fetch_add(&remote->asked, !remote->way->path); /* the tokens came with their scores */
    atomic_fetch_add(&remote->asked_tokens, remote->way->path ? 0 : text->pieces.n);
    if (!remote->way->path) memcpy(r->logprob, text->pieces.logprob + place->first, (size_t)r->n_tokens * sizeof sum);
    for (int i = 0; i < r->n_tokens; i++) sum += r->logprob[i];
    r->log_score = sum / r->n_tokens;
    r->score = exp(r->log_score);
    /* All requests of a target go out at once, so that a server may compute its prefix more than once. */
    int64_t computed = place->n_questions ? 0 : r->prompt_tokens;
    for (int k = 0; k < place->n_questions; k++) computed += asked[k].n - 1 - asked[k].cached;
    if (computed < 0) computed = 0;
    r->cached_tokens = computed < r->prompt_tokens ? r->prompt_tokens - (int)computed : 0;
    atomic_fetch_add(&remote->base.usage.scored_tokens, computed);
    atomic_fetch_add(&remote->base.usage.cached_tokens, r->cached_tokens);
}

/* The earlier request of the call that asks the same; -1: none does. */
static int same_as(const struct spelled *texts, const struct place *places, int i) {
    int twin = texts[i].twin;
    bool same = twin >= 0 && places[i].first == places[twin].first && places[i].behind == places[twin].behind;
    return same ? twin : -1;
}

/* What an equal request came to, which was asked for this one, too. */
static void copy_scoring(cord_scoring *r, const cord_scoring *from) {
    r->error = from->error;
    if (r->error.code != CORD_OK) {
        scoring_drop(r);
        return;
    }
    memcpy(r->logprob, from->logprob, (size_t)r->n_tokens * sizeof *r->logprob);
    r->log_score = from->log_score;
    r->score = from->score;
    r->cached_tokens = r->prompt_tokens;
}

/* `most_bad`: as in http_call. */
static cord_status score_all(cord_engine *engine, cord_scoring **requests, int n, int most_bad, cord_error *err) {
    int64_t began = clock_us();
    struct spelled *texts = calloc((size_t)n, sizeof *texts);
    struct place *places = calloc((size_t)n, sizeof *places);
    struct question *questions = NULL;
    struct asked *asked = NULL;
    cord_status status = texts && places ? CORD_OK : error_memory(err);
    for (int i = 0; status == CORD_OK && i < n; i++) spell_scoring(requests[i], &texts[i], &places[i]);
    if (status == CORD_OK) status = spelled_tokenize(engine, texts, n, SPELLED_TO_READ, most_bad, err);
    int total = 0;
    for (int i = 0; status == CORD_OK && i < n; i++) {
        if (texts[i].error.code == CORD_OK) locate(requests[i], &texts[i], &places[i]);
        if (texts[i].error.code == CORD_OK && !allocate(requests[i], &texts[i], &places[i])) status = error_memory(err);
        if (same_as(texts, places, i) >= 0) places[i].n_questions = 0;
        places[i].question = total;
        total += places[i].n_questions;
    }
    if (status == CORD_OK && (!(questions = calloc((size_t)total + 1, sizeof *questions)) ||
                              !(asked = calloc((size_t)total + 1, sizeof *asked))))
        status = error_memory(err);
    for (int i = 0; status == CORD_OK && i < n; i++)
        ask_scoring(requests[i], &texts[i], &places[i], most_bad, questions + places[i].question,
                    asked + places[i].question);
    if (status == CORD_OK) status = questions_ask(engine, questions, total, err);
    if (status == CORD_OK) status = ask_wider(engine, questions, asked, total, err);
    for (int i = 0; i < n && texts && places; i++) {
        if (status == CORD_OK) {
            int same = texts[i].error.code == CORD_OK ? same_as(texts, places, i) : -1;
            if (same >= 0)
                copy_scoring(requests[i], requests[same]);
            else
                take_scoring(requests[i], &texts[i], &places[i], questions + places[i].question,
                             asked + places[i].question);
            requests[i]->us = clock_us() - began;
        }
        spelled_release(&texts[i]);
    }
    for (int q = 0; questions && q < total; q++) question_release(&questions[q]);
    free(texts);
    free(places);
    free(asked);
    free(questions);
    return status;
}

static cord_status score(cord_engine *engine, cord_scoring **requests, int n, cord_error *err) {
    return score_all(engine, requests, n, 0, err);
}

/* ---- are scores right? --------------------------------------------------------------------------------------- */

/* The log-probabilities of the probe's target, in the way that the model has now, asked for so many times. */
static cord_status probe(cord_engine *engine, struct remote *remote, int times, cord_scoring *scoring, int *requests,
                         int *computed, int *cached, cord_error *err) {
    for (int time = 0; time < times; time++) {
        int64_t asked = remote->asked, tokens = remote->asked_tokens, known = remote->asked_cached;
        scoring_drop(scoring);
        *scoring = check_probe(&remote->base);
        cord_scoring *request = scoring;
        /* As patient as the search: a way that was given up for an accident would give the run other numbers. But a server
         * that does not know the way is not asked for long. */
        CORD_TRY(score_all(engine, &request, 1, 3, err));
        *requests = (int)(remote->asked - asked);
        *cached = (int)(remote->asked_cached - known);
        *computed = (int)(remote->asked_tokens - tokens) - *cached;
        if (scoring->error.code != CORD_OK) break;
    }
    return CORD_OK;
}

/* Whether a way failed for what says nothing of it: the server is away or refuses the key. To call that a way that it has not
 * would be a verdict on the model, and to take the next one would give a run that goes on other numbers. */
static bool says_nothing(const cord_error *error) {
    return error->code == CORD_IO_ERROR || error->code == CORD_REFUSED;
}

static cord_status check(cord_engine *engine, cord_model *model, bool costs, cord_scoring_check *c, cord_error *err) {
    enum { MOST = sizeof c->way / sizeof *c->way };
    struct remote *remote = remote_of(model);
    const struct scoring_way *ways = remote->protocol->ways, *before = remote->way, *chosen = NULL;
    cord_scoring probes[MOST] = {0};
    cord_status status = CORD_OK;
    if (!ways->name)
        snprintf(c->way->why, sizeof c->way->why, "the protocol %s tells no log-probabilities", remote->protocol->name);
    for (int i = 0; i < MOST && ways[i].name && status == CORD_OK; i++, c->n_ways++) {
        remote->way = &ways[i];
        status = probe(engine, remote, costs ? 2 : 1, &probes[i], &c->way[i].requests, &c->way[i].computed_tokens,
                       &c->way[i].cached_tokens, err);
        if (status == CORD_OK && says_nothing(&probes[i].error)) {
            status = probes[i].error.code;
            if (err) *err = probes[i].error;
        }
        c->way[i].name = ways[i].name;
        c->way[i].obtained = status == CORD_OK && probes[i].error.code == CORD_OK;
        if (!c->way[i].obtained)
            snprintf(c->way[i].why, sizeof c->way[i].why, "%.190s", probes[i].error.message);
        else if (!chosen)
            chosen = &ways[i];
        for (int k = 0; k < i && c->way[i].obtained; k++)
            if (c->way[k].obtained) c->apart = fmax(c->apart, check_apart(&probes[k], &probes[i]));
    }
    for (int i = 0; i < MOST; i++) scoring_drop(&probes[i]);
    c->right = chosen && !(c->apart > remote->base.info.noise);
    remote->way = before;
    if (status != CORD_OK) return status; /* that says nothing of what it can */
    remote->way = chosen ? chosen : &ways[0];
    remote->base.info.scoring = chosen ? chosen->name : NULL;
    return CORD_OK;
}

const struct backend backend_http = {
    .open = open_model,
    .close = close_model,
    .count = count,
    .propose = propose,
    .score = score,
    .classify = remote_classify,
    .check = check,
    .stop = stop,
};
