/* stream.c - replies that come as events, a few tokens each, folded into one. So a server that hangs is noticed as
 * soon as it is silent, and a text that has reached a stop string is stopped here, whatever the server makes of
 * stop strings. It must not know what the events of a protocol look like, nor the wire. */
#include "model/http/remote.h"

#include <stdlib.h>

enum { TEXT_LIMIT = 64 << 20 };

void told_release(struct told *told) {
    buf_release(&told->text);
    json_decref(told->reply);
    *told = (struct told){0};
}

static void begin(struct told *told, int tries) {
    told_release(told);
    buf_init(&told->text, "a text that comes as events", TEXT_LIMIT);
    told->reply = json_object();
    told->tries = tries;
}

/* Whether the text has reached a stop string, behind what it only repeats; what was looked at before is not looked
 * at again. */
static bool reached(struct question *q) {
    struct told *told = &q->told;
    cord_text text = buf_text(&told->text);
    cord_text before = buf_text(&q->repeated);
    size_t longest = 1;
    bool found = false;
    if (before.len && text_starts(before, text)) return false;
    if (before.len && text_starts(text, before)) text = text_slice(text, before.len, text.len);
    for (int i = 0; i < q->n_stops; i++) longest = q->stops[i].len > longest ? q->stops[i].len : longest;
    size_t from = told->searched < longest - 1 ? 0 : told->searched - (longest - 1);
    if (from > text.len) from = 0; /* a server told the whole text anew, and it is shorter */
    for (int i = 0; i < q->n_stops; i++) found |= text_find(text_slice(text, from, text.len), q->stops[i]) >= 0;
    told->searched = text.len;
    return found;
}

/* Takes the events that are new, a line each. False: one is no event, or an error. */
static bool take(struct question *q, cord_text events) {
    struct told *told = &q->told;
    while (told->seen < events.len && !told->cut) {
        cord_text rest = text_slice(events, told->seen, events.len);
        ptrdiff_t end = text_find(rest, TEXT("\n"));
        cord_text line = text_slice(rest, 0, end < 0 ? rest.len : (size_t)end);
        told->seen += line.len + (end >= 0);
        if (text_trim(line).len == 0) continue;
        json_t *event = read_json(line);
        bool good = json_is_object(event) && told->reply && q->remote->protocol->event(told, event);
        json_decref(event);
        if (!good || told->text.status != CORD_OK) return false;
        told->cut |= reached(q); /* or the protocol has enough */
    }
    return true;
}

void stream_begin(struct question *q, const cord_text *stops, int n_stops) {
    q->streams = q->call.stream = true;
    q->stops = stops;
    q->n_stops = n_stops;
}

bool stream_event(void *ctx, struct http_call *call) {
    struct question *q = ctx;
    if (!q->told.reply || q->told.tries != call->tries) begin(&q->told, call->tries);
    return take(q, buf_text(&call->reply)) && !q->told.cut; /* after an error nothing more is wanted, either */
}

json_t *stream_reply(struct question *q, cord_text events) {
    begin(&q->told, 0);
    json_t *whole = read_json(events); /* a server that knows no streams sends a reply as ever */
    cord_text one = events;
    char *line = whole ? json_dumps(whole, JSON_COMPACT) : NULL;
    if (line) one = text_of(line);
    bool good = take(q, one);
    free(line);
    json_decref(whole);
    if (!good || !q->told.reply) return NULL;
    q->remote->protocol->event_end(&q->told);
    return json_incref(q->told.reply);
}
