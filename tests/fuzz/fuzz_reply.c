/* fuzz_reply.c - whatever a server replies: tokens, proposals and log-probabilities in both protocols. What is taken must
 * be whole: all log-probabilities there and none above 0, pieces that make up the text, an end that was asked for. */
#include "fuzz.h"

#include "model/http/remote.h"

static const struct protocol *const protocols[] = {&protocol_llama_server, &protocol_vllm};

static void check_tokens(const struct protocol *protocol, const json_t *reply) {
    const cord_text text = TEXT("The answer is 42.\n");
    struct pieces pieces = {0};
    if (protocol->tokenize_read(reply, text, &pieces)) {
        assert(pieces.n > 0 && pieces.end[pieces.n - 1] == text.len);
        for (int i = 0; i < pieces.n; i++) assert(pieces.id[i] >= 0 && (i == 0 || pieces.end[i] >= pieces.end[i - 1]));
    } else {
        assert(pieces.n == 0);
    }
    pieces_release(&pieces);
}

static void check_proposal(const struct protocol *protocol, const json_t *reply) {
    const cord_text stops[] = {TEXT("### Step"), TEXT("</think>")};
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
    struct pieces text = {ids, ends, 4};
    double logprob[2] = {1, 1};
    if (!way->read(reply, &text, 2, 4, logprob, &cached)) return;
    for (int i = 0; i < (way->each ? 1 : 2); i++) assert(logprob[i] <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *reply = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
    if (!reply) return 0;
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        check_tokens(protocols[i], reply);
        check_proposal(protocols[i], reply);
        for (const struct scoring_way *way = protocols[i]->ways; way->name; way++) check_score(way, reply);
    }
    json_decref(reply);
    return 0;
}
