/* row_texts.h - texts out of a row's values, as whoever reads rows wants them. It must not know layouts. */
#ifndef CORD_ROW_TEXTS_H
#define CORD_ROW_TEXTS_H

#include "base/json.h"

enum { ROW_TEXT_LIMIT = 64 << 20 }; /* bytes of a text that is put together */

const json_t *row_value(const struct json_row *row, const char *name); /* NULL: it is not there, or null */
cord_text row_field(const struct json_row *row, const char *name);     /* empty where it is neither string nor number */
bool row_is_digits(cord_text text);
/* Who says a turn of a conversation, and what (data NULL: no text), in OpenAI's spelling or in ShareGPT's. */
enum speaker { SPEAKER_OTHER, SPEAKER_USER, SPEAKER_ASSISTANT };
enum speaker row_turn(const json_t *turn, cord_text *text);
/* Refuses a NUL, which no text has that goes on from here, and which tables.h puts before bytes that are no text. */
cord_status row_check_text(const char *field, cord_text text, cord_error *err);
/* The text of the i-th element of an array that is known to be valid JSON; empty where it has none. */
cord_text row_element(cord_text array, int wanted);
/* What was put together in `out` moves to the arena. */
cord_status row_take(struct buf *out, struct arena *arena, cord_text *text, cord_error *err);

#endif
