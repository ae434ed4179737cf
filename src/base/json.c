/* json.c - the JSON writer, and rows of JSONL with the raw text of their members.
 *
 * jansson decides what is valid; the small scanner here only finds where the members of an object that jansson has
 * already accepted begin and end, and so may take its syntax for granted (its bounds it checks all the same).
 * It must not know what the rows mean. */
#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- writing ------------------------------------------------------------------------------------------------- */

/* Where the stretch of ASCII that needs no escape ends. Most of a text is such, and a prompt is written often. */
static size_t skip_plain(cord_text t, size_t at) {
    while (at < t.len && t.data[at] >= 0x20 && t.data[at] < 0x7F && t.data[at] != '"' && t.data[at] != '\\') at++;
    return at;
}

/* Strings are UTF-8 as they are; only what JSON demands is escaped. */
static void write_string(struct buf *out, cord_text value) {
    buf_addc(out, '"');
    size_t plain = 0; /* start of the stretch that needs no change */
    for (size_t at = 0; (at = skip_plain(value, at)) < value.len;) {
        size_t start = at;
        uint32_t c = utf8_next(value, &at);
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0xFFFD) continue;
        buf_add(out, text_slice(value, plain, start));
        plain = at;
        switch (c) {
        case 0xFFFD: buf_add(out, TEXT("\xEF\xBF\xBD")); break; /* was there, or stands for an invalid byte */
        case '"': buf_add(out, TEXT("\\\"")); break;
        case '\\': buf_add(out, TEXT("\\\\")); break;
        case '\n': buf_add(out, TEXT("\\n")); break;
        case '\r': buf_add(out, TEXT("\\r")); break;
        case '\t': buf_add(out, TEXT("\\t")); break;
        default: buf_addf(out, "\\u%04x", (unsigned)c);
        }
    }
    if (plain < value.len) buf_add(out, text_slice(value, plain, value.len));
    buf_addc(out, '"');
}

/* What comes before a value: the comma after its elder sibling, and its key. */
static void before_value(struct json_writer *w, const char *key) {
    if (w->comma) buf_addc(w->out, ',');
    w->comma = true;
    if (!key) return;
    write_string(w->out, text_of(key));
    buf_addc(w->out, ':');
}

void json_open(struct json_writer *w, const char *key, char bracket) {
    before_value(w, key);
    buf_addc(w->out, bracket);
    w->comma = false;
}

void json_close(struct json_writer *w, char bracket) {
    buf_addc(w->out, bracket);
    w->comma = true;
}

void json_text(struct json_writer *w, const char *key, cord_text value) {
    before_value(w, key);
    write_string(w->out, value);
}

void json_raw(struct json_writer *w, const char *key, cord_text value) {
    before_value(w, key);
    buf_add(w->out, value);
}

void json_int(struct json_writer *w, const char *key, int64_t value) {
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do digits[--at] = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0) digits[--at] = '-';
    before_value(w, key);
    buf_add(w->out, (cord_text){digits + at, sizeof digits - at}); /* not by printf: prompts are thousands of them */
}

void json_double(struct json_writer *w, const char *key, double value) {
    if (!isfinite(value)) {
        json_nil(w, key);
        return;
    }
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) break;
    }
    char *point = digits + strspn(digits, "0123456789+-e"), *behind = point + strcspn(point, "0123456789+-e");
    if (behind > point) { /* a program that uses the library may have set a locale with another, of several bytes */
        *point = '.';
        memmove(point + 1, behind, strlen(behind) + 1);
    }
    json_raw(w, key, text_of(digits));
}

void json_bool(struct json_writer *w, const char *key, bool value) {
    json_raw(w, key, value ? TEXT("true") : TEXT("false"));
}

void json_nil(struct json_writer *w, const char *key) { json_raw(w, key, TEXT("null")); }

/* ---- finding members ----------------------------------------------------------------------------------------- */

static bool is_among(char c, const char *chars) { return c && strchr(chars, c); }

static size_t skip_blanks(cord_text t, size_t at) {
    while (at < t.len && is_among(t.data[at], " \t\r\n")) at++;
    return at;
}

/* From a string's opening quote to behind its closing one. */
static size_t skip_string(cord_text t, size_t at) {
    for (at++; at < t.len && t.data[at] != '"'; at++)
        if (t.data[at] == '\\') at++;
    return at < t.len ? at + 1 : t.len;
}

static size_t skip_value(cord_text t, size_t at) {
    size_t depth = 0;
    while (at < t.len) {
        char c = t.data[at];
        if (c == '"') {
            at = skip_string(t, at);
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
        } else if (depth == 0) { /* a number or a word */
            while (at < t.len && !is_among(t.data[at], ",}] \t\r\n")) at++;
        } else {
            if (c == '}' || c == ']') depth--;
            at++;
        }
        if (depth == 0) break;
    }
    return at;
}

bool json_next_element(cord_text *left, cord_text *element) {
    size_t from = skip_blanks(*left, 0), end = skip_value(*left, from);
    *element = text_slice(*left, from, end);
    end = skip_blanks(*left, end);
    *left = text_slice(*left, end < left->len ? end + 1 : end, left->len); /* behind its comma, or the bracket */
    return element->len > 0;
}

/* Members come in the order of the text, from the scanner as from jansson, and keys are unique: the two walk together. */
static cord_status find_members(struct json_row *row, cord_text line, cord_error *err) {
    size_t count = json_object_size(row->object);
    row->members = arena_alloc(&row->arena, (count ? count : 1) * sizeof *row->members);
    if (!row->members) return error_memory(err);
    size_t at = skip_blanks(line, 0) + 1; /* behind the brace */
    for (void *i = json_object_iter(row->object); i; i = json_object_iter_next(row->object, i)) {
        struct json_member *member = &row->members[row->n++];
        member->key = text_of(json_object_iter_key(i));
        member->value = json_object_iter_value(i);
        size_t start = skip_blanks(line, at);
        at = skip_string(line, start);
        if (at >= line.len) return error_set(err, CORD_INTERNAL, "a row's members cannot be told apart");
        member->raw_key = text_slice(line, start, at);
        start = skip_blanks(line, skip_blanks(line, at) + 1); /* behind the colon */
        at = skip_value(line, start);
        if (at >= line.len) return error_set(err, CORD_INTERNAL, "a row's members cannot be told apart");
        member->raw = text_slice(line, start, at);
        at = skip_blanks(line, at) + 1; /* behind the comma */
    }
    return CORD_OK;
}

/* ---- reading rows -------------------------------------------------------------------------------------------- */

const char *json_kind(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: return "a text";
    case JSON_INTEGER:
    case JSON_REAL: return "a number";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    return "a value";
}

cord_status json_row_parse(struct json_row *row, cord_text line, cord_error *err) {
    *row = (struct json_row){0};
    arena_init(&row->arena);
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY;
    json_error_t e = {0};
    row->object = json_loadb(line.len ? line.data : "", line.len, flags, &e);
    if (!row->object && json_error_code(&e) == json_error_numeric_overflow)
        row->object = json_loadb(line.data, line.len, flags | JSON_DECODE_INT_AS_REAL, &e);
    if (!row->object) {
        if (json_error_code(&e) == json_error_out_of_memory) return error_memory(err);
        utf8_make_printable(e.text); /* it quotes the row, which may hold anything */
        if (json_error_code(&e) == json_error_numeric_overflow)
            return error_set(err, CORD_BAD_INPUT, "a number at column %d is too large: %.60s", e.column, e.text);
        return error_set(err, CORD_BAD_INPUT, "not valid JSON at column %d: %s", e.column, e.text);
    }
    cord_status status = CORD_OK;
    if (!json_is_object(row->object))
        status = error_set(err, CORD_BAD_INPUT, "a row must be a JSON object, this is %s", json_kind(row->object));
    else
        status = find_members(row, line, err);
    if (status != CORD_OK) json_row_release(row);
    return status;
}

void json_row_release(struct json_row *row) {
    json_decref(row->object);
    arena_release(&row->arena);
    *row = (struct json_row){0};
    arena_init(&row->arena);
}

const struct json_member *json_row_get(const struct json_row *row, const char *key) {
    for (size_t i = 0; i < row->n; i++)
        if (text_equal(row->members[i].key, text_of(key))) return &row->members[i];
    return NULL;
}

bool json_member_text(const struct json_member *member, cord_text *out) {
    if (json_is_string(member->value))
        *out = json_text_of(member->value);
    else if (json_is_number(member->value))
        *out = member->raw;
    else
        return false;
    return true;
}

void json_row_names(const struct json_row *row, char *out, size_t size) {
    size_t used = 0;
    snprintf(out, size, "%s", row->n ? "" : "no fields");
    for (size_t i = 0; i < row->n; i++) {
        cord_text key = row->members[i].key;
        if (used + key.len + sizeof ", '', …" > size) {
            if (used + sizeof ", …" <= size) snprintf(out + used, size - used, "%s…", i ? ", " : "");
            break;
        }
        used += (size_t)snprintf(out + used, size - used, "%s'%.*s'", i ? ", " : "", (int)key.len, key.data);
    }
    utf8_make_printable(out);
}

cord_status json_row_text(const struct json_row *row, const char *key, cord_text *out, cord_error *err) {
    const struct json_member *member = json_row_get(row, key);
    if (!member) {
        char names[300];
        json_row_names(row, names, sizeof names);
        return error_set(err, CORD_BAD_INPUT, "there is no field '%s'; the row has %s", key, names);
    }
    if (json_member_text(member, out)) return CORD_OK;
    return error_set(err, CORD_BAD_INPUT, "the field '%s' is %s; it must be a text or a number", key,
                     json_kind(member->value));
}

void json_row_copy(const struct json_row *row, struct json_writer *w, const char *const *except) {
    for (size_t i = 0; i < row->n; i++) {
        const struct json_member *member = &row->members[i];
        if (except && text_place(member->key, except) >= 0) continue;
        before_value(w, NULL);
        buf_add(w->out, member->raw_key); /* not decoded and encoded again: "\u00e9" stays as it is */
        buf_addc(w->out, ':');
        buf_add(w->out, member->raw);
    }
}

/* ---- reading lines ------------------------------------------------------------------------------------------- */

void line_reader_init(struct line_reader *r, void *file, const char *path, size_t limit) {
    *r = (struct line_reader){.file = file, .path = path, .limit = limit};
    buf_init(&r->line, "a line of input", limit + 1);
}

void line_reader_release(struct line_reader *r) { buf_release(&r->line); }

/* Some editors put a byte order mark at the start of a file; some systems end lines with CR LF. */
static void clean_line(struct line_reader *r) {
    const cord_text mark = TEXT("\xEF\xBB\xBF");
    cord_text line = buf_text(&r->line);
    if (r->number == 1 && text_starts(line, mark)) {
        memmove(r->line.data, r->line.data + mark.len, line.len - mark.len);
        buf_truncate(&r->line, line.len - mark.len);
    }
    if (text_ends(buf_text(&r->line), TEXT("\r"))) buf_truncate(&r->line, r->line.len - 1);
}

cord_status line_read(struct line_reader *r, bool *more, cord_error *err) {
    FILE *file = r->file;
    *more = true;
    for (;;) {
        buf_clear(&r->line);
        size_t len = 0;
        int c = getc(file);
        if (c != EOF)
            r->number++;
        else
            *more = false;
        for (; c != EOF && c != '\n'; c = getc(file))
            if (len++ < r->limit) buf_addc(&r->line, (char)c);
        if (ferror(file) && errno == EINTR) return error_set(err, CORD_CANCELLED, "interrupted");
        if (ferror(file)) return error_errno(err, "read", r->path);
        if (!*more) return CORD_OK;
        CORD_TRY(buf_check(&r->line, err));
        if (len > r->limit) {
            error_where(err, "%s:%lld", r->path, (long long)r->number);
            return error_set(err, CORD_BAD_INPUT, "the line has %zu bytes; a row may have at most %zu", len, r->limit);
        }
        clean_line(r);
        if (text_trim(buf_text(&r->line)).len > 0) return CORD_OK;
    }
}
