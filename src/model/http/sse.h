/* sse.h - server-sent events as they come, a few bytes at a time (the WHATWG's format: LF, CR or CRLF ends a line, a byte
 * order mark may come first, a colon begins a comment, a blank line ends an event). Only data counts; names, ids and
 * retry times of events are passed over. It must not know HTTP or JSON. */
#ifndef CORD_MODEL_HTTP_SSE_H
#define CORD_MODEL_HTTP_SSE_H

#include "base/base.h"

struct sse {
    struct buf line, data; /* as far as they have come */
    bool has_data;         /* the event has a data field, though perhaps an empty one */
    bool after_cr;         /* a LF that follows belongs to the line before */
    bool begun;            /* the first line is over: no byte order mark can come */
};

/* `limit`: most bytes of one line and of one event. */
void sse_init(struct sse *sse, size_t limit);
void sse_release(struct sse *sse);

/* Gets each event's data: its data fields with blanks between, in place of the format's line feeds, so that JSON stays
 * one line. False: no more, please. */
typedef bool sse_event(void *ctx, cord_text data);

/* False once an event was told to be the last (what follows it is dropped), or a limit was hit (see sse->line, sse->data).
 * sse_end: the stream is over; an event that lacks its blank line counts nevertheless. */
bool sse_feed(struct sse *sse, cord_text bytes, sse_event *event, void *ctx);
bool sse_end(struct sse *sse, sse_event *event, void *ctx);

#endif
