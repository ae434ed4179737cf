/* spelled.h - texts in a server's tokens. It must not know what the tokens are for.
 *
 * Prompts are sent as token ids, so that what a user or a model wrote never becomes a special token: in such text,
 * whatever the server takes for one token but looks like a tag is cut in two before it is tokenised. A server that
 * takes texts alone cannot be told that, so there such text is refused. */
#ifndef CORD_MODEL_HTTP_SPELLED_H
#define CORD_MODEL_HTTP_SPELLED_H

#include "model/http/remote.h"

/* A text of spans, the places where it has to be cut, and its tokens. */
struct spelled {
    struct remote *remote; /* whose tokens are wanted */
    uint64_t group;
    struct buf text;
    size_t *cut;
    size_t n_cuts, room;
    struct pieces pieces; /* `text` from the start, the tokens once they are asked for */
    int twin;             /* of the same call: an earlier text with the same tokens, or -1 */
    cord_error error;
};

/* Puts the spans together. Release it, whatever its error says. */
void spell(struct spelled *s, const cord_model *model, const cord_span *spans, int n, uint64_t group);
void spelled_release(struct spelled *s);
/* Keeps only how many tokens it has: enough while its request waits for a reply, beside thousands of others. */
void spelled_shrink(struct spelled *s);

enum spelled_for {
    SPELLED_TO_SEND, /* no more than the server needs to be sent: ids, or nothing where it takes texts */
    SPELLED_TO_READ  /* where each token ends */
};
/* Asks for the tokens of all texts at once, of any models. A text's own failure is told in its error. `most_bad` as in
 * http_call. */
cord_status spelled_tokenize(const cord_engine *engine, struct spelled *texts, int n, enum spelled_for purpose,
                             int most_bad, cord_error *err);

#endif
