/* fuzz_sse.c - whatever bytes come as an event stream: however they are cut into pieces, the same events come out
 * of them, no event holds a line end, and none is larger than its limit. */
#include "fuzz.h"

#include "model/http/sse.h"

enum { LIMIT = 4096 };

struct heard {
    struct buf all;
    int n, most; /* most: then it says that it is enough */
};

static bool hear(void *ctx, cord_text data) {
    struct heard *heard = ctx;
    assert(data.len <= LIMIT && text_find(data, TEXT("\n")) < 0 && text_find(data, TEXT("\r")) < 0);
    buf_add(&heard->all, data);
    buf_addc(&heard->all, '\n');
    return ++heard->n < heard->most;
}

/* Feeds it in pieces of `step` bytes. False: it ended before the stream did. */
static bool feed(cord_text stream, size_t step, int most, struct heard *heard) {
    struct sse sse;
    bool more = true;
    *heard = (struct heard){.most = most};
    buf_init(&heard->all, "all events", 1 << 24);
    sse_init(&sse, LIMIT);
    for (size_t at = 0; at < stream.len && more; at += step) {
        size_t to = at + step < stream.len ? at + step : stream.len;
        more = sse_feed(&sse, text_slice(stream, at, to), hear, heard);
    }
    if (more) more = sse_end(&sse, hear, heard);
    sse_release(&sse);
    return more;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    int most = data[0] & 1 ? 1 + data[0] / 2 : 1 << 30;
    cord_text stream = {(const char *)data + 2, size - 2};
    struct heard whole, cut;
    bool ended = feed(stream, stream.len ? stream.len : 1, most, &whole);
    assert(feed(stream, 1 + data[1] % 32, most, &cut) == ended);
    assert(whole.n == cut.n && whole.n <= most && text_equal(buf_text(&whole.all), buf_text(&cut.all)));
    buf_release(&whole.all);
    buf_release(&cut.all);
    return 0;
}
