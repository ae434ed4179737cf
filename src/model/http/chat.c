/* chat.c - endpoints that take nothing but chats, as proposers: a step goes on with the assistant's turn as it stands,
 * which the endpoint must be able to do, and there are several ways to ask for it. Nothing of tokens can be had, so
 * such a model cannot score. Written after the documentation of vLLM, SGLang, DeepSeek, Mistral and OpenRouter; tried
 * with vLLM 0.32.0 and llama-server of the pinned source. It must not know who asks.
 *
 * Who says what is in the prompt's trusted spans: cord_model_info.chat_template is a template of this file's own,
 * whose marks stand for roles. Only trusted text is looked at, so that no user and no model can change the role. */
#include "model/http/openai.h"
#include "model/http/retry.h"

#include <stdlib.h>

static const char own_template[] = "{%- for message in messages -%}"
                                   "{%- if message.role == 'system' -%}{{ '<|cord:system|>' }}"
                                   "{%- elif message.role == 'assistant' -%}{{ '<|cord:assistant|>' }}"
                                   "{%- else -%}{{ '<|cord:user|>' }}{%- endif -%}"
                                   "{{ message.content }}"
                                   "{%- endfor -%}"
                                   "{{ '<|cord:assistant|>' }}";

enum role { ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT, N_ROLES };
static const char *const role_names[] = {"system", "user", "assistant"};
static const char *const role_marks[] = {"<|cord:system|>", "<|cord:user|>", "<|cord:assistant|>"};

/* ---- who says what ------------------------------------------------------------------------------------------- */

struct turn {
    enum role role;
    struct buf content;
};

struct turns {
    struct turn *turn;
    int n, room;
    bool lost; /* text before the first mark */
    bool no_memory;
};

static void turns_release(struct turns *turns) {
    for (int i = 0; i < turns->n; i++) buf_release(&turns->turn[i].content);
    free(turns->turn);
    *turns = (struct turns){0};
}

static void add_turn(struct turns *turns, enum role role) {
    if (turns->n == turns->room) {
        int room = 2 * turns->room + 4;
        struct turn *more = realloc(turns->turn, (size_t)room * sizeof *more);
        if (!more) {
            turns->no_memory = true;
            return;
        }
        turns->turn = more;
        turns->room = room;
    }
    struct turn *turn = &turns->turn[turns->n++];
    turn->role = role;
    buf_init(&turn->content, "a turn of a chat", 64 << 20);
}

static void add_text(struct turns *turns, cord_text text) {
    if (text.len && !turns->n) turns->lost = true;
    if (turns->n) buf_add(&turns->turn[turns->n - 1].content, text);
}

/* Trusted text: marks, and what cord itself writes between them. */
static void add_trusted(struct turns *turns, cord_text text) {
    while (text.len) {
        int role = -1;
        ptrdiff_t at = -1;
        for (int i = 0; i < N_ROLES; i++) {
            ptrdiff_t found = text_find(text, text_of(role_marks[i]));
            if (found >= 0 && (at < 0 || found < at)) at = found, role = i;
        }
        size_t len = at < 0 ? text.len : (size_t)at;
        add_text(turns, text_slice(text, 0, len));
        if (role >= 0) add_turn(turns, (enum role)role);
        text = text_slice(text, role < 0 ? len : len + strlen(role_marks[role]), text.len);
    }
}

/* The turns of a prompt. A trusted text without any mark is a turn of the assistant's that is gone on with by itself. */
static void turns_init(struct turns *turns, const cord_span *spans, int n) {
    *turns = (struct turns){0};
    for (int i = 0; i < n; i++) {
        if (spans[i].trusted)
            add_trusted(turns, spans[i].text);
        else
            add_text(turns, spans[i].text);
    }
    bool bare = turns->lost && !turns->n && !turns->no_memory;
    for (int i = 0; i < n; i++) bare &= spans[i].trusted;
    if (!bare) return;
    add_turn(turns, ROLE_USER);
    add_text(turns, TEXT("Go on with the text that you have begun."));
    add_turn(turns, ROLE_ASSISTANT);
    for (int i = 0; i < n; i++) add_text(turns, spans[i].text);
    turns->lost = false;
}

/* The turn that is to be gone on with; empty: the assistant begins a new one. */
static cord_text begun(const struct turns *turns) {
    const struct turn *last = turns->n ? &turns->turn[turns->n - 1] : NULL;
    return last && last->role == ROLE_ASSISTANT ? buf_text(&last->content) : TEXT("");
}

static cord_status check_prompt(const cord_proposal *p, cord_error *err) {
    struct turns turns;
    turns_init(&turns, p->prompt, p->n_spans);
    cord_status status = turns.no_memory ? error_memory(err) : CORD_OK;
    for (int i = 0; i < turns.n && status == CORD_OK; i++) status = buf_check(&turns.turn[i].content, err);
    if (status == CORD_OK && (turns.lost || !turns.n))
        status = error_set(err, CORD_BAD_RECIPE,
                           "%s takes chats, and this prompt does not say who speaks: prompt.full cannot be used with "
                           "the protocol chat, "
                           "nor can models.*.template; prompt.system and prompt.user can",
                           p->model->info.name);
    turns_release(&turns);
    return status;
}

/* ---- requests ------------------------------------------------------------------------------------------------ */

static bool goes_on_by(const struct remote *remote, const char *way) {
    return remote->going_on && !strcmp(remote->going_on, way);
}

static void write_turns(const struct remote *remote, const struct turns *turns, struct json_writer *w) {
    bool open = begun(turns).len > 0;
    json_open(w, "messages", '[');
    for (int i = 0; i < turns->n; i++) {
        const struct turn *turn = &turns->turn[i];
        bool last = i == turns->n - 1;
        if (last && turn->role == ROLE_ASSISTANT && !open) break;
        json_open(w, NULL, '{');
        json_text(w, "role", text_of(role_names[turn->role]));
        json_text(w, "content", buf_text(&turn->content));
        if (last && open && goes_on_by(remote, "prefix")) json_bool(w, "prefix", true);
        json_close(w, '}');
    }
    json_close(w, ']');
    if (open && goes_on_by(remote, "continue_final_message")) {
        json_bool(w, "continue_final_message", true);
        json_bool(w, "add_generation_prompt", false);
    }
}

static void propose_write(const struct remote *remote, const cord_proposal *p, const struct pieces *prompt,
                          struct json_writer *w) {
    (void)prompt;
    struct turns turns;
    turns_init(&turns, p->prompt, p->n_spans);
    write_turns(remote, &turns, w);
    openai_write_sampling(remote, p, w);
    openai_write_stream(remote, w);
    turns_release(&turns);
}

/* ---- replies ------------------------------------------------------------------------------------------------- */

/* Thinking that is told beside the text: "reasoning_content" of DeepSeek, vLLM, SGLang and llama-server,
 * "reasoning" of OpenRouter and newer vLLM. */
static bool thinks_apart(const json_t *message) {
    return json_string_length(json_object_get(message, "reasoning_content")) > 0 ||
           json_string_length(json_object_get(message, "reasoning")) > 0;
}

#define THINKS_APART                                                                                               \
    "the model's thinking comes in a field of its own: it thinks anew instead of going on with its turn, so this " \
    "model "                                                                                                       \
    "cannot be a teacher here; turn its reasoning off, or the server's reasoning parser, or name another model"

static void repeated(const struct remote *remote, const cord_proposal *p, struct buf *out) {
    if (!remote->repeats) return;
    struct turns turns;
    turns_init(&turns, p->prompt, p->n_spans);
    buf_add(out, begun(&turns));
    turns_release(&turns);
}

static bool propose_read(const json_t *reply, cord_proposal *p) {
    const json_t *choice = openai_choice(reply), *message = json_object_get(choice, "message");
    const json_t *content = json_object_get(message, "content");
    const char *finish = json_string_value(json_object_get(choice, "finish_reason"));
    if (thinks_apart(message)) error_fill(&p->error, CORD_BAD_MODEL, "%s", THINKS_APART);
    if (finish && !strcmp(finish, "content_filter"))
        error_fill(&p->error, CORD_BAD_INPUT, "the host's content filter ended the text");
    if (p->error.code != CORD_OK || !openai_end(choice, p)) return false;
    json_t *nothing = json_string("");
    bool good = (json_is_string(content) || json_is_null(content)) &&
                openai_take(reply, json_is_string(content) ? content : nothing, p);
    json_decref(nothing);
    return good;
}

/* A server that knows no streams sends a whole message. */
static bool take_event(struct told *told, const json_t *event) {
    const json_t *choice = openai_choice(event), *delta = json_object_get(choice, "delta");
    if (!delta) delta = json_object_get(choice, "message");
    const json_t *content = json_object_get(delta, "content");
    if (!openai_event(told, event)) return false;
    if (json_string_length(content)) told->events++;
    buf_add(&told->text, json_text_of(content));
    if (thinks_apart(delta)) {
        json_object_set_new(told->reply, "reasoning", json_true());
        told->cut = true;
    }
    return true;
}

static void end_events(struct told *told) {
    bool apart = json_object_get(told->reply, "reasoning") != NULL;
    json_t *choice = openai_event_choice(told), *choices = json_array(), *message = json_object();
    json_object_set_new(message, "content", json_stringn(told->text.data, told->text.len));
    if (apart) json_object_set_new(message, "reasoning_content", json_string("thinking"));
    json_object_set_new(choice, "message", message);
    json_array_append_new(choices, choice);
    json_object_set_new(told->reply, "choices", choices);
}

/* ---- opening ------------------------------------------------------------------------------------------------- */

/* A turn that ends inside a word: who goes on with it ends the word, or at least the list goes on; who begins anew,
 * or a turn of its own, does neither. Some repeat the whole turn first. */
static const cord_span probe_spans[] = {{TEXT("<|cord:user|>Write the numbers from one to twelve in words, in one "
                                              "line.<|cord:assistant|>In words, as you asked: one, two, three, "
                                              "four, five, six, sev"),
                                         true}};
static const cord_text probe_rests[] = {{"en", 2}, {",", 1}}, probe_stop = {"nine", 4};

/* Hosts whose way is known, so that they are not asked in ways that they do not know. */
static const struct {
    const char *host, *way, *advice;
} hosts[] = {
    {"//api.deepseek.com", "prefix",
     "; DeepSeek takes this at https://api.deepseek.com/beta alone, and not of its reasoning models"},
    {"mistral.ai", "prefix", ""},
    {"openrouter.ai", "plain", "; which models can there differs from model to model"},
};

struct probe {
    bool goes_on;
    int status;    /* HTTP's */
    char why[300]; /* where it does not */
};

static void judge_probe(struct remote *remote, const json_t *reply, struct probe *probe) {
    const json_t *choice = openai_choice(reply), *message = json_object_get(choice, "message");
    const char *said = json_string_value(json_object_get(message, "content"));
    struct turns turns;
    turns_init(&turns, probe_spans, 1);
    cord_text turn = begun(&turns), text = text_of(said ? said : "");
    remote->repeats = probe->goes_on = text_starts(text, turn);
    for (int i = 0; i < 2; i++) probe->goes_on |= text_starts(text, probe_rests[i]);
    if (thinks_apart(message)) {
        probe->goes_on = false;
        snprintf(probe->why, sizeof probe->why, "%s", THINKS_APART);
    } else {
        snprintf(probe->why, sizeof probe->why, "to a turn that ends in \"six, sev\" it said \"%.60s\"",
                 text.len ? text.data : "");
    }
    remote->names_stops = openai_names_stop(choice, probe_stop);
    turns_release(&turns);
}

/* Whether the endpoint goes on with a turn in the way that `remote` has now, and whether it repeats it. */
static cord_status try_way(struct remote *remote, bool stream, struct probe *probe, cord_error *err) {
    struct question q;
    json_t *reply;
    cord_proposal p = {.model = &remote->base,
                       .prompt = probe_spans,
                       .n_spans = 1,
                       .stops = &probe_stop,
                       .n_stops = 1,
                       .max_tokens = 16};
    struct json_writer w = question_begin(&q, remote, "/v1/chat/completions", 0);
    remote->stream = stream;
    remote->names_stops = !stream; /* it is to show whether it does */
    propose_write(remote, &p, NULL, &w);
    if (stream) stream_begin(&q, p.stops, p.n_stops);
    question_end(&q, &w);
    cord_status status = remote_ask(&q, &reply, err);
    *probe = (struct probe){.status = q.call.status};
    bool final = status_is_about_key(q.call.status) || q.call.status == 404 || q.call.status == 405;
    if (status == CORD_OK && final && q.call.error.code != CORD_OK) { /* no way of asking mends that */
        status = q.call.error.code;
        if (err) *err = q.call.error;
    }
    if (reply)
        judge_probe(remote, reply, probe);
    else
        snprintf(probe->why, sizeof probe->why, "%.290s", q.call.error.message);
    json_decref(reply);
    question_release(&q);
    return status;
}

/* The way that the recipe names, or the host's, or one after the other. */
static cord_status find_way(struct remote *remote, struct probe *probe, cord_error *err) {
    static const char *const all[] = {"continue_final_message", "prefix", "plain"};
    const char *advice = "", *named = remote->going_on;
    bool known = !named;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) known = known || !strcmp(named, all[i]);
    if (!known)
        return error_set(err, CORD_BAD_INPUT,
                         "a turn is gone on with by continue_final_message, prefix or plain, not by \"%.100s\"", named);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        if (text_find(text_of(remote->base.info.path), text_of(hosts[i].host)) < 0) continue;
        if (!named) named = hosts[i].way;
        advice = hosts[i].advice;
    }
    for (size_t i = 0; i < (named ? 1 : sizeof all / sizeof *all); i++) {
        remote->going_on = named ? named : all[i];
        CORD_TRY(try_way(remote, false, probe, err));
        if (probe->goes_on) return CORD_OK;
    }
    return error_set(err, CORD_BAD_MODEL,
                     "%s does not go on with a turn that has begun (asked by %s: %s)%s; so it cannot be a teacher: see "
                     "models.*.continue",
                     remote->base.info.name, named ? named : "continue_final_message, prefix and plain", probe->why,
                     advice);
}

/* The same as a stream of events. */
static cord_status try_stream(struct remote *remote, struct probe *probe, cord_error *err) {
    CORD_TRY(try_way(remote, true, probe, err));
    remote->usage_refused = openai_refuses_usage(probe->status);
    if (remote->usage_refused) CORD_TRY(try_way(remote, true, probe, err));
    if (probe->goes_on) return CORD_OK;
    return error_set(err, CORD_BAD_MODEL,
                     "%s goes on with a turn that has begun, but not where its reply comes as a stream of events "
                     "(%s); " WHY_A_STREAM,
                     remote->base.info.name, probe->why);
}

static cord_status identify(struct remote *remote, bool *is, cord_error *err) {
    cord_model_info *info = &remote->base.info;
    bool listed;
    *is = true;
    remote->versioned = openai_is_versioned(info->path);
    info->chat_template = text_of(own_template);
    cord_error unlisted = {0};
    if (openai_models(remote, false, &listed, &unlisted) != CORD_OK && unlisted.code == CORD_CANCELLED) {
        if (err) *err = unlisted;
        return CORD_CANCELLED;
    }
    bool streams = remote->stream;
    struct probe probe;
    CORD_TRY(find_way(remote, &probe, err));
    bool names = remote->names_stops;
    if (streams || !names) CORD_TRY(try_stream(remote, &probe, err)); /* llama-server repeats a turn, but not there */
    remote->stream = streams;
    remote->names_stops = names;
    info->description = arena_printf(&remote->arena, "chat with %.200s, gone on with by %s%s",
                                     remote->served ? remote->served : "a model", remote->going_on,
                                     remote->names_stops ? "" : "; it does not tell which stop string ended a text");
    return info->description ? CORD_OK : error_memory(err);
}

static const struct scoring_way ways[] = {{.name = NULL}};

const struct protocol protocol_chat = {
    .name = "chat",
    .sends_text = true,
    .identify = identify,
    .propose_path = "/v1/chat/completions",
    .propose_check = check_prompt,
    .propose_write = propose_write,
    .propose_repeated = repeated,
    .propose_read = propose_read,
    .event = take_event,
    .event_end = end_events,
    .ways = ways,
};
