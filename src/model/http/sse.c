/* sse.c - server-sent events, read a few bytes at a time. See sse.h. */
#include "model/http/sse.h"

void sse_init(struct sse *sse, size_t limit) {
    *sse = (struct sse){0};
    buf_init(&sse->line, "a line of an event stream", limit);
    buf_init(&sse->data, "an event", limit);
}

void sse_release(struct sse *sse) {
    buf_release(&sse->line);
    buf_release(&sse->data);
}

/* The blank line: hands the event over, if there is one. */
static bool event_ends(struct sse *sse, sse_event *event, void *ctx) {
    bool more = !sse->has_data || event(ctx, buf_text(&sse->data));
    buf_clear(&sse->data);
    sse->has_data = false;
    return more;
}

/* A whole line, without its end. */
static bool line_ends(struct sse *sse, sse_event *event, void *ctx) {
    cord_text line = buf_text(&sse->line);
    if (!sse->begun && text_starts(line, TEXT("\xEF\xBB\xBF"))) line = text_slice(line, 3, line.len);
    sse->begun = true;
    bool more = true;
    if (line.len == 0) {
        more = event_ends(sse, event, ctx);
    } else if (text_starts(line, TEXT("data")) && (line.len == 4 || line.data[4] == ':')) {
        size_t from = line.len == 4 ? 4 : 5;
        if (from < line.len && line.data[from] == ' ') from++;
        if (sse->has_data) buf_addc(&sse->data, ' ');
        buf_add(&sse->data, text_slice(line, from, line.len));
        sse->has_data = true;
    }
    buf_clear(&sse->line);
    return more && sse->data.status == CORD_OK;
}

bool sse_feed(struct sse *sse, cord_text bytes, sse_event *event, void *ctx) {
    size_t at = 0;
    while (at < bytes.len) {
        if (sse->after_cr) {
            sse->after_cr = false;
            if (bytes.data[at] == '\n') {
                at++;
                continue;
            }
        }
        size_t end = at;
        while (end < bytes.len && bytes.data[end] != '\n' && bytes.data[end] != '\r') end++;
        buf_add(&sse->line, text_slice(bytes, at, end));
        if (sse->line.status != CORD_OK) return false;
        if (end == bytes.len) break;
        sse->after_cr = bytes.data[end] == '\r';
        if (!line_ends(sse, event, ctx)) return false;
        at = end + 1;
    }
    return true;
}

bool sse_end(struct sse *sse, sse_event *event, void *ctx) {
    return (sse->line.len == 0 || line_ends(sse, event, ctx)) && event_ends(sse, event, ctx);
}
