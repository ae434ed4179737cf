/* fuzz_reply.c - whatever a server replies, whole or a line an event: tokens, proposals, log-probabilities and
 * heads' values in all protocols. What is taken must be whole: all log-probabilities there and none above 0, pieces that
 * make up the text, an end that was asked for. */
#include "fuzz.h"

#include "model/http/remote.h"

static const struct protocol *const protocols[] = {&protocol_llama_server, &protocol_vllm, &protocol_sglang,
                                                   &protocol_openai, &protocol_chat};
static const cord_text stops[] = {TEXT("### Step"), TEXT("</think>")};

static void check_tokens(const struct protocol *protocol, const json_t *reply) {
    const cord_text text = TEXT("The answer is 42.\n");
    struct pieces pieces = {0};
    bool good = protocol->tokenize_path && protocol->tokenize_read(reply, text, &pieces);
    if (!good) assert(pieces.n == 0);
    for (int i = 0; i < pieces.n; i++)
        assert(pieces.id[i] >= 0 && (!pieces.logprob || i == 0 || pieces.logprob[i] <= 0));
    if (good && protocol->decode_path) good = protocol->decode_read(reply, text, &pieces);
    if (good) assert(pieces.n > 0 && pieces.end[pieces.n - 1] == text.len);
    for (int i = 1; good && i < pieces.n; i++) assert(pieces.end[i] >= pieces.end[i - 1]);
    pieces_release(&pieces);
}

/* What tokens decode to, one by one: SGLang lists ids and texts in two replies, so that here any number of ids will
 * do. */
static void check_decoding(const json_t *reply) {
    const cord_text text = TEXT("The answer is \xF0\x9F\x98\x80 42.\n");
    const json_t *strings = json_object_get(reply, "text");
    json_t *ids = json_array();
    for (size_t i = 0; i < json_array_size(strings); i++) json_array_append_new(ids, json_integer((json_int_t)i));
    for (int added = 0; added < 2; added++) {
        struct pieces pieces = {0};
        if (pieces_add_ids(&pieces, ids) && pieces_decode(&pieces, strings, text, added)) {
            assert(pieces.n > 0 && pieces.end[pieces.n - 1] == text.len);
            for (int i = 1; i < pieces.n; i++) assert(pieces.end[i] >= pieces.end[i - 1]);
        }
        pieces_release(&pieces);
    }
    json_decref(ids);
}

static void check_proposal(const struct protocol *protocol, const json_t *reply) {
    cord_proposal p = {.stops = stops, .n_stops = 2};
    if (!protocol->propose_read(reply, &p)) {
        assert(!p.text);
        return;
    }
    assert(p.text && strlen(p.text) <= p.len);
    assert(p.end == CORD_END_STOP ? p.stop == 0 || p.stop == 1 : p.stop == -1);
    cord_proposal_release(&p);
}

static void check_score(const struct scoring_way *way, const json_t *reply) {
    int ids[] = {1, 2, 3, 4}, cached = 0;
    size_t ends[] = {1, 2, 3, 4};
    struct pieces text = {.text = TEXT("abcd"), .id = ids, .end = ends, .n = 4};
    double logprob[2] = {1, 1};
    if (!way->path || !way->read(reply, &text, 2, 4, logprob, &cached)) return;
    for (int i = 0; i < (way->each ? 1 : 2); i++) assert(logprob[i] <= 0);
}

/* A head's values, where two of four tokens are asked about. */
static void check_head(const struct head_calls *head, const json_t *reply) {
    int ids[] = {1, 9, 3, 9}, places[] = {1, 3}, classes = 0, cached = 0;
    size_t ends[] = {1, 2, 3, 4};
    struct pieces text = {.text = TEXT("abcd"), .id = ids, .end = ends, .n = 4};
    double *logprob = NULL;
    cord_error why = {0};
    if (!head->read(reply, &text, places, 2, &logprob, &classes, &cached, &why)) {
        assert(!logprob);
        return;
    }
    assert(classes >= 2 && why.code == CORD_OK);
    for (int i = 0; i < 2 * classes; i++) assert(logprob[i] <= 0);
    free(logprob);
}

/* The same, where the reply comes as events: all at once, and a line after the other. */
static void check_events(const struct protocol *protocol, cord_text events) {
    struct remote remote = {.protocol = protocol, .stream = true};
    struct question q = {.remote = &remote, .streams = true, .stops = stops, .n_stops = 2};
    json_t *reply = stream_reply(&q, events);
    if (reply) check_proposal(protocol, reply);
    size_t whole = q.told.text.len;
    told_release(&q.told);
    struct http_call call = {.reply = {.data = (char *)(uintptr_t)events.data}};
    bool more = true;
    for (size_t at = 0; at < events.len && more; at++) {
        if (events.data[at] != '\n') continue;
        call.reply.len = at + 1;
        more = stream_event(&q, &call);
    }
    if (reply && q.told.seen == events.len) assert(q.told.text.len == whole);
    told_release(&q.told);
    json_decref(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cord_text text = {(const char *)data, size};
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (protocols[i]->event) check_events(protocols[i], text);
    json_t *reply = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
    if (!reply) return 0;
    check_decoding(reply);
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        check_tokens(protocols[i], reply);
        check_proposal(protocols[i], reply);
        for (const struct scoring_way *way = protocols[i]->ways; way->name; way++) check_score(way, reply);
        if (protocols[i]->head) check_head(protocols[i]->head, reply);
    }
    json_decref(reply);
    return 0;
}
