/* known.c - the tokens of short texts that a server was asked for before. A search's prompts begin with the same parts over
 * and over, wherever a tag in a system text cuts them; without this, three of four requests asked for these.
 * It must not know what the texts are. */
#include "model/http/remote.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    SLOTS = 256,
    LONGEST = 2048, /* bytes of a text */
};

struct known {
    pthread_mutex_t mutex;
    struct {
        char *text; /* NULL: nothing yet */
        size_t len;
        struct pieces pieces;
    } slot[SLOTS]; /* by hash; what comes later takes the place */
};

struct known *known_new(void) {
    struct known *known = calloc(1, sizeof *known);
    if (known) pthread_mutex_init(&known->mutex, NULL);
    return known;
}

void known_free(struct known *known) {
    if (!known) return;
    for (int i = 0; i < SLOTS; i++) {
        free(known->slot[i].text);
        pieces_release(&known->slot[i].pieces);
    }
    pthread_mutex_destroy(&known->mutex);
    free(known);
}

bool known_find(struct known *known, cord_text text, struct pieces *pieces) {
    size_t i = seed_text(0, text) % SLOTS;
    pthread_mutex_lock(&known->mutex);
    bool found = known->slot[i].text && text_equal((cord_text){known->slot[i].text, known->slot[i].len}, text) &&
                 pieces_append(pieces, &known->slot[i].pieces);
    pthread_mutex_unlock(&known->mutex);
    return found;
}

void known_keep(struct known *known, cord_text text, const struct pieces *pieces) {
    struct pieces copy = {0};
    size_t i = seed_text(0, text) % SLOTS;
    if (text.len == 0 || text.len > LONGEST) return;
    char *data = strndup(text.data, text.len);
    if (!data || !pieces_append(&copy, pieces)) { /* it will be asked for again */
        free(data);
        pieces_release(&copy);
        return;
    }
    pthread_mutex_lock(&known->mutex);
    free(known->slot[i].text);
    pieces_release(&known->slot[i].pieces);
    known->slot[i].text = data;
    known->slot[i].len = text.len;
    known->slot[i].pieces = copy;
    pthread_mutex_unlock(&known->mutex);
}
