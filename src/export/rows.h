/* rows.h - reads files of training rows back, as far as figures need it: what is prompt, what is response, and what their
 * provenance says. It must not know runs. */
#ifndef CORD_ROWS_H
#define CORD_ROWS_H

#include "base/json.h"
#include "export/figures.h"

/* Of a list of turns, however they are named ("role" or "from", "user" or "human"): the last text of whoever asks, and of
 * whoever answers. False where there is none. */
bool rows_read_turns(const json_t *list, cord_text *prompt, cord_text *response);

/* Adds a file's rows to `figures`, whatever kind of file it is (data/source.h has the kinds, and `library`); names live in
 * `arena`. A row in none of the layouts that cord writes is CORD_BAD_INPUT, with the members that it has. */
cord_status rows_read(const char *path, const char *library,
                      cord_status (*count_tokens)(void *ctx, cord_text text, int *n, cord_error *err), void *tokenizer,
                      struct figures *figures, struct arena *arena, cord_error *err);

#endif
