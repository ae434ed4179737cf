/* json.h - writing JSON, and reading rows of JSONL without losing a byte of what was in them.
 *
 * Parsing is jansson's; this adds what it lacks: a writer that appends to a buffer (shortest doubles that read back
 * the same, raw values spliced in), and the raw text of each top-level member of an object, so that the fields of a
 * user's row pass through untouched: 27.0 stays 27.0, a 40-digit integer stays whole.
 * It must not know what the rows mean. */
#ifndef CORD_JSON_H
#define CORD_JSON_H

#include "base/base.h"

#include <jansson.h>

/* ---- writing ------------------------------------------------------------------------------------------------- */

/* Appends one JSON value to a buffer. Commas and colons are its business; nesting is the caller's. On one line, no
 * blanks. Errors are the buffer's. */
struct json_writer {
    struct buf *out; /* borrowed */
    bool comma;      /* the next value in this object or array needs a comma before it */
};

void json_open(struct json_writer *w, const char *key, char bracket);    /* '{' or '['; key NULL inside an array */
void json_close(struct json_writer *w, char bracket);                    /* '}' or ']' */
void json_text(struct json_writer *w, const char *key, cord_text value); /* invalid UTF-8 becomes U+FFFD */
void json_int(struct json_writer *w, const char *key, int64_t value);
void json_double(struct json_writer *w, const char *key, double value); /* NaN and infinities become null */
void json_bool(struct json_writer *w, const char *key, bool value);
void json_nil(struct json_writer *w, const char *key);                  /* null; json_null is jansson's */
void json_raw(struct json_writer *w, const char *key, cord_text value); /* already JSON */

/* What a string of jansson's holds, which lives as long as it does; data == NULL of anything else. */
static inline cord_text json_text_of(const json_t *string) {
    return (cord_text){json_string_value(string), json_string_length(string)};
}

/* ---- reading rows -------------------------------------------------------------------------------------------- */

/* One member of a row: its key decoded and as written (with quotes), its value's raw text, and the value parsed. All
 * borrowed from the row. */
struct json_member {
    cord_text key, raw_key, raw;
    const json_t *value;
};

struct json_row {
    json_t *object; /* where an integer is too large for 64 bits, all are parsed as reals; their raw text is exact */
    struct json_member *members;
    size_t n;
    struct arena arena;
};

/* Parses one line as a JSON object, keeping the order and the raw text of its members. The line must outlive the row.
 * Errors say the column; invalid UTF-8, duplicate keys and anything but an object are refused. */
cord_status json_row_parse(struct json_row *row, cord_text line, cord_error *err);
void json_row_release(struct json_row *row);
const struct json_member *json_row_get(const struct json_row *row, const char *key); /* NULL if absent */
/* The member as text: a string's content, or a number's raw text ("27.0"). False for other types. */
bool json_member_text(const struct json_member *member, cord_text *out);
/* The member `key` as text, or CORD_BAD_INPUT with what is there instead. */
cord_status json_row_text(const struct json_row *row, const char *key, cord_text *out, cord_error *err);
/* What a value is, for a message: "a list", "true". */
const char *json_kind(const json_t *value);
/* Takes the first element off an array that is known to be valid JSON; what is left of it begins behind its bracket. False:
 * there is none. */
bool json_next_element(cord_text *left, cord_text *element);
/* The names of a row's members for a message: "'id', 'question'", cut at a whole name where `size` is too small. */
void json_row_names(const struct json_row *row, char *out, size_t size);
/* Writes all members but those named in `except` (NULL-terminated list, may be NULL) into the object open in `w`. */
void json_row_copy(const struct json_row *row, struct json_writer *w, const char *const *except);

/* ---- reading lines ------------------------------------------------------------------------------------------- */

/* Lines of a file or pipe, one at a time, without their newline (LF or CR LF) and without a byte order mark at the start;
 * blank lines are skipped. */
struct line_reader {
    void *file;       /* FILE *, borrowed */
    const char *path; /* for errors, borrowed */
    int64_t number;   /* of the line last read, from 1 */
    size_t limit;     /* bytes of one line */
    struct buf line;
};

void line_reader_init(struct line_reader *r, void *file, const char *path, size_t limit);
void line_reader_release(struct line_reader *r);
/* *more = false at the end. A line over the limit is CORD_BAD_INPUT, is skipped whole, and reading can go on.
 * CORD_CANCELLED where a signal's handler ran while a line was waited for. */
cord_status line_read(struct line_reader *r, bool *more, cord_error *err);

#endif
