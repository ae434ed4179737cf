/* decoded.c - where tokens end, found from what each decodes to by itself: for servers that list ids alone, or an echo's
 * tokens as texts. A token that holds a part of a character decodes to U+FFFD, or to nothing, and the one that ends the
 * character to all of it. It must not know protocols. */
#include "model/http/remote.h"

/* What one token decodes to. */
struct decoded {
    struct buf bytes; /* all of them, or those before the first that is not known */
    bool whole;       /* all */
};

static void decode(cord_text string, struct decoded *d) {
    static const cord_text unknown = {"\xEF\xBF\xBD", 3};
    cord_text raw = TEXT("bytes:");
    buf_clear(&d->bytes);
    d->whole = true;
    if (text_starts(string, raw) && string.len > raw.len && string.data[raw.len] == '\\') {
        for (size_t at = raw.len; at + 4 <= string.len && text_starts(text_slice(string, at, string.len), TEXT("\\x"));
             at += 4)
            buf_addc(&d->bytes, (char)(16 * hex(string.data[at + 2]) + hex(string.data[at + 3])));
        return;
    }
    ptrdiff_t at = text_find(string, unknown);
    d->whole = at < 0;
    buf_add(&d->bytes, d->whole ? string : text_slice(string, 0, (size_t)at));
}

/* How many bytes of `rest` a token is: what it decodes to, with a blank before it that decoding may have dropped; -1: not
 * these. */
static ptrdiff_t fits(const struct decoded *d, cord_text rest) {
    if (text_starts(rest, buf_text(&d->bytes))) return (ptrdiff_t)d->bytes.len;
    bool blank = rest.len && *rest.data == ' ' && text_starts(text_slice(rest, 1, rest.len), buf_text(&d->bytes));
    return blank ? (ptrdiff_t)d->bytes.len + 1 : -1;
}

/* Tokens of which some bytes are not known, from number `from` on, until one that is: they share what lies between,
 * a byte each at least; where one of them ends inside is a guess, good for the first and the last of the run.
 * False: nothing fits. */
static bool bridge(struct pieces *pieces, const json_t *strings, int from, cord_text text, size_t *at, int *next,
                   struct decoded *d) {
    int behind = from;
    for (; behind < pieces->n; behind++) {
        decode(text_of(json_string_value(json_array_get(strings, (size_t)behind))), d);
        if (d->whole && d->bytes.len) break;
    }
    size_t least = *at + (size_t)(behind - from), to = behind == pieces->n ? text.len : least;
    while (behind < pieces->n && to <= text.len &&
           !((to == text.len || ((unsigned char)text.data[to] & 0xC0) != 0x80) &&
             fits(d, text_slice(text, to, text.len)) >= 0))
        to++;
    if (to > text.len || least > text.len) return false;
    for (int i = from; i < behind; i++) {
        decode(text_of(json_string_value(json_array_get(strings, (size_t)i))), d);
        size_t end = *at + d->bytes.len + 1, most = to - (size_t)(behind - 1 - i);
        *at = pieces->end[i] = i == behind - 1 ? to : end < most ? end : most;
    }
    *next = behind;
    return true;
}

/* The tokens before `last` that decoded to nothing held the beginning of what it decodes to, `len` bytes behind `at`: a
 * blank that decoding dropped, or parts of a character, whose first one then ends inside it. */
static void share_out(struct pieces *pieces, int last, size_t at, cord_text own, size_t len) {
    int first = last;
    size_t plain = 0;
    bool dropped = len > own.len;
    while (first > 1 && pieces->end[first - 1] == at && pieces->end[first - 2] == at) first--;
    while (plain < own.len && (unsigned char)own.data[plain] < 0x80) plain++;
    if (!dropped && plain == own.len) return; /* no character of several bytes: they hold nothing */
    size_t end = at + (dropped ? 0 : plain);
    for (int i = first; i < last && end + 1 < at + len; i++) pieces->end[i] = ++end;
    for (int i = first + 1; i < last; i++)
        if (pieces->end[i] < pieces->end[i - 1]) pieces->end[i] = pieces->end[i - 1];
}

bool pieces_decode(struct pieces *pieces, const json_t *strings, cord_text text, bool added) {
    struct decoded d = {.whole = true};
    size_t at = 0;
    if (!json_is_array(strings) || json_array_size(strings) != (size_t)pieces->n) return false;
    bool good = true;
    for (size_t i = 0; i < (size_t)pieces->n && good; i++) good = json_is_string(json_array_get(strings, i));
    pieces->altered = good && pieces->n; /* unless they spell it, which is seen now */
    buf_init(&d.bytes, "a token", text.len + 4096);
    for (int i = 0; i < pieces->n && good;) {
        decode(text_of(json_string_value(json_array_get(strings, (size_t)i))), &d);
        ptrdiff_t len = d.whole ? fits(&d, text_slice(text, at, text.len)) : -1;
        good = d.bytes.status == CORD_OK;
        if (len > 0) share_out(pieces, i, at, buf_text(&d.bytes), (size_t)len);
        if (len >= 0)
            pieces->end[i++] = at += (size_t)len;
        else if (i == 0 && added && d.whole)
            pieces->end[i++] = 0;
        else if (good)
            good = !d.whole && bridge(pieces, strings, i, text, &at, &i, &d);
    }
    if (good && pieces->n && at + 1 == text.len && text.data[at] == ' ') pieces->end[pieces->n - 1] = ++at;
    buf_release(&d.bytes);
    good = good && at == text.len;
    if (good) pieces->altered = false;
    return good;
}
