/* row_texts.h - texts out of a row's values, as layouts want them. Private to src/data; it must not know layouts. */
#ifndef CORD_ROW_TEXTS_H
#define CORD_ROW_TEXTS_H

#include "base/json.h"

enum { ROW_TEXT_LIMIT = 64 << 20 }; /* bytes of a text that is put together */

const json_t *row_value(const struct json_row *row, const char *name); /* NULL: it is not there, or null */
cord_text row_field(const struct json_row *row, const char *name);     /* empty where it is neither string nor number */
bool row_is_digits(cord_text text);
/* Refuses a NUL, which no text has that goes on from here, and which tables.h puts before bytes that are no text. */
cord_status row_check_text(const char *field, cord_text text, cord_error *err);
/* Takes the first element off an array that is known to be valid JSON; what is left of it begins behind its bracket. False:
 * there is none. */
bool row_next_element(cord_text *left, cord_text *element);
/* The text of the i-th element of such an array; empty where it has none. */
cord_text row_element(cord_text array, int wanted);
/* What was put together in `out` moves to the arena. */
cord_status row_take(struct buf *out, struct arena *arena, cord_text *text, cord_error *err);

#endif
