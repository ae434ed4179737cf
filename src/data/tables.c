/* tables.c - the few queries that read a file's rows through DuckDB (duck.h), and write Parquet. It must not know what the
 * rows mean. */
#include "data/tables.h"
#include "base/json.h"
#include "data/duck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { COLUMNS = 1000 };

/* Rows of a Parquet file that are held in memory until they are written; the fewest that DuckDB takes. */
enum { GROUP_ROWS = 2048 };

struct table {
    struct duck duck;
    enum table_kind kind;
    struct buf text;
    struct arena arena;
    cord_text names[COLUMNS]; /* of a CSV's fields */
    int columns;
};

cord_status table_find_library(const char *path, const char *library, cord_error *err) {
    return duck_find_library(path, library, err);
}

static cord_status make(const char *path, const char *library, struct table **out, cord_error *err) {
    struct table *t = *out = calloc(1, sizeof *t);
    if (!t) return error_memory(err);
    buf_init(&t->text, "a row of a table", 8 * (size_t)TABLE_ROW_BYTES); /* (characters may be escaped) */
    arena_init(&t->arena);
    return duck_open(&t->duck, path, library, err);
}

/* ---- CSV -------------------------------------------------------------------------------------------------------- */

/* What divides the fields of the first line: whatever stands there most often, outside of quotes. */
static char divider_of(cord_text line) {
    static const char dividers[] = ",;\t|";
    int counts[4] = {0}, best = 0;
    bool quoted = false;
    for (size_t i = 0; i < line.len; i++) {
        const char *found = strchr(dividers, line.data[i]);
        if (line.data[i] == '"') quoted = !quoted;
        if (found && *found && !quoted) counts[found - dividers]++;
    }
    for (int i = 1; i < 4; i++)
        if (counts[i] > counts[best]) best = i;
    return dividers[best];
}

static cord_status bad_names(const struct table *t, const char *what, cord_error *err) {
    error_where(err, "%s", t->duck.path);
    return error_set(err, CORD_BAD_INPUT, "the first line, which names the fields, %s", what);
}

/* Takes one field off the line's beginning; quotes around it go, doubled ones become one. */
static cord_status take_name(struct table *t, cord_text *line, char divider, bool *more, cord_error *err) {
    struct buf *name = &t->text;
    bool quoted = false;
    size_t i = 0;
    buf_clear(name);
    for (; i < line->len && (quoted || line->data[i] != divider); i++) {
        bool doubled = quoted && line->data[i] == '"' && i + 1 < line->len && line->data[i + 1] == '"';
        if (line->data[i] != '"' || doubled) buf_addc(name, line->data[i]);
        if (doubled)
            i++;
        else if (line->data[i] == '"')
            quoted = !quoted;
    }
    *more = i < line->len;
    *line = text_slice(*line, *more ? i + 1 : i, line->len);
    CORD_TRY(buf_check(name, err));
    if (quoted) return bad_names(t, "has a quote without an end", err);
    if (t->columns == COLUMNS) return bad_names(t, "names more than 1000", err);
    if (utf8_valid_prefix(buf_text(name)) < name->len) return bad_names(t, "is not UTF-8", err);
    cord_text kept = arena_text(&t->arena, text_trim(buf_text(name)));
    if (!kept.data) return error_memory(err);
    for (int c = 0; c < t->columns; c++)
        if (text_equal(kept, t->names[c])) return bad_names(t, "names one twice", err);
    t->names[t->columns++] = kept;
    return CORD_OK;
}

static void csv_options(struct table *t, enum packing packing) {
    /* (its buffers would be sixteen times the longest line by default, several at a time) */
    buf_addf(&t->duck.query, ", auto_detect=false, compression='%s', max_line_size=%d, buffer_size=%d",
             packing_names[packing], TABLE_ROW_BYTES, 2 * TABLE_ROW_BYTES);
}

/* The first line is read as a text, and the fields' names are taken from it; DuckDB's own guess at a CSV drops lines that
 * do not fit it. Without quotes, line breaks in later fields look like rows that end otherwise, which only its strict mode
 * minds. */
static cord_status read_names(struct table *t, enum packing packing, char *divider, cord_error *err) {
    const cord_text mark = TEXT("\xEF\xBB\xBF");
    bool more;
    buf_clear(&t->duck.query);
    buf_addf(&t->duck.query,
             "SELECT l FROM read_csv('%s', columns={'l': 'VARCHAR'}, header=false, delim='', quote='', escape=''",
             t->duck.seen);
    csv_options(t, packing);
    buf_addf(&t->duck.query, ", strict_mode=false) LIMIT 1");
    CORD_TRY(duck_ask(&t->duck, err));
    CORD_TRY(duck_advance(&t->duck, &more, err));
    cord_text line = more ? duck_value(&t->duck, 0) : (cord_text){0};
    line = arena_text(&t->arena, line);
    if (!line.data) return error_memory(err);
    if (text_starts(line, mark)) line = text_slice(line, mark.len, line.len);
    if (!text_trim(line).len) return bad_names(t, "is empty", err);
    if (t->kind == TABLE_CSV) *divider = divider_of(line);
    while (more) CORD_TRY(take_name(t, &line, *divider, &more, err));
    return CORD_OK;
}

static cord_status ask_csv(struct table *t, enum packing packing, cord_error *err) {
    char divider = '\t';
    CORD_TRY(read_names(t, packing, &divider, err));
    buf_clear(&t->duck.query);
    buf_addf(&t->duck.query, "SELECT * FROM read_csv('%s', columns={", t->duck.seen);
    for (int i = 0; i < t->columns; i++) buf_addf(&t->duck.query, "%s'c%d': 'VARCHAR'", i ? ", " : "", i);
    buf_addf(&t->duck.query, "}, header=true, delim='%c', quote='\"', escape='\"'", divider);
    csv_options(t, packing);
    buf_addf(&t->duck.query, ")");
    return duck_ask(&t->duck, err);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

/* The last character that is no blank, and its line; 0: there is none. */
static char last_character(FILE *file, int64_t *line) {
    char piece[1 << 16], last = 0;
    int64_t breaks = 0;
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
        for (size_t i = 0; i < n; i++) {
            breaks += piece[i] == '\n';
            if (strchr(" \t\r\n", piece[i])) continue;
            last = piece[i];
            *line = breaks + 1;
        }
    return last;
}

/* DuckDB takes an array that is cut off behind a comma for a whole one. (Of zstd only DuckDB knows what is in it; JSON in
 * another shape may be an array that is packed, and ends in no comma.) */
static cord_status check_end(const struct table_options *o, cord_error *err) {
    void *file = NULL;
    int64_t line = 1;
    if (o->packing == PACKING_ZSTD || (o->kind != TABLE_ARRAY && o->kind != TABLE_JSON)) return CORD_OK;
    if (o->packing == PACKING_GZIP)
        CORD_TRY(packed_open_gzip(o->path, &file, err));
    else
        file = fopen(o->path, "rbe");
    if (!file) return error_errno(err, "open", o->path);
    char last = last_character(file, &line);
    cord_status status = ferror(file) ? error_errno(err, "read", o->path) : CORD_OK;
    fclose(file);
    CORD_TRY(status);
    if (o->kind == TABLE_ARRAY ? last == ']' : last != ',') return CORD_OK;
    error_where(err, "%s:%lld", o->path, (long long)line);
    return error_set(err, CORD_BAD_INPUT, "the file is cut off: its array has no end; fetch or write the file anew");
}

static cord_status ask_json(struct table *t, enum packing packing, cord_error *err) {
    static const char *const formats[] = {
        [TABLE_LINES] = "newline_delimited', ignore_errors=true", [TABLE_ARRAY] = "array'", [TABLE_JSON] = "auto'"};
    buf_clear(&t->duck.query);
    buf_addf(&t->duck.query,
             "SELECT json FROM read_json_objects('%s', compression='%s', maximum_object_size=%d, format='%s)",
             t->duck.seen, packing_names[packing], TABLE_ROW_BYTES, formats[t->kind]);
    return duck_ask(&t->duck, err);
}

/* A name of a column, and those before it. */
struct column {
    cord_text name;
    const struct column *before;
};

static cord_status add_column(struct table *t, cord_text name, const struct column **last, cord_error *err) {
    struct column *column = arena_alloc(&t->arena, sizeof *column);
    if (!column) return error_memory(err);
    *column = (struct column){arena_text(&t->arena, name), *last};
    if (!column->name.data) return error_memory(err);
    for (const struct column *other = *last; other; other = other->before)
        if (strcasecmp(other->name.data, column->name.data) == 0) {
            error_where(err, "%s", t->duck.path);
            return error_set(
                err, CORD_BAD_INPUT,
                "the columns '%.100s' and '%.100s' cannot be told apart, since DuckDB knows no capitals in "
                "names; rename one",
                other->name.data, column->name.data);
        }
    *last = column;
    return CORD_OK;
}

/* DuckDB renames columns in silence that differ in capitals only. The schema has the names as they are: the root, then each
 * column, with its parts behind it. */
static cord_status check_columns(struct table *t, cord_error *err) {
    const struct column *last = NULL;
    bool more = true, root = true;
    buf_clear(&t->duck.query);
    buf_addf(&t->duck.query, "SELECT name, num_children::VARCHAR FROM parquet_schema('%s')", t->duck.seen);
    CORD_TRY(duck_ask(&t->duck, err));
    for (int64_t parts = 0;; root = false) {
        CORD_TRY(duck_advance(&t->duck, &more, err));
        if (!more) return CORD_OK;
        cord_text own = duck_value(&t->duck, 1); /* (of a number, which is short, a text with its NUL) */
        if (parts > 0)
            parts--;
        else if (!root)
            CORD_TRY(add_column(t, duck_value(&t->duck, 0), &last, err));
        if (!root && own.len) parts += strtoll(own.data, NULL, 10);
    }
}

/* A row is put together of its columns, each with its name, so that each is read by its type. Older writers do not say of
 * texts that they are texts: bytes are one if they are UTF-8. Else they stay as DuckDB writes them, behind a NUL, by which
 * whoever reads the field refuses it. A float is told by the digits that it needs; to_json has those of a double. */
static cord_status ask_parquet(struct table *t, cord_error *err) {
    static const char *const of_type[] = {
        "'FLOAT' THEN to_json(TRY_CAST(COLUMNS(*)::VARCHAR AS DOUBLE))",
        "'FLOAT[]' THEN to_json(TRY_CAST(TRY_CAST(COLUMNS(*) AS VARCHAR[]) AS DOUBLE[]))",
        "'BLOB' THEN to_json(coalesce(TRY(decode(COLUMNS(*)::VARCHAR::BLOB)), chr(0) || COLUMNS(*)::VARCHAR))",
        ("'BLOB[]' THEN to_json(list_transform(TRY_CAST(COLUMNS(*) AS VARCHAR[]), "
         "lambda x: coalesce(TRY(decode(x::BLOB)), chr(0) || x)))")};
    CORD_TRY(check_columns(t, err));
    buf_clear(&t->duck.query);
    buf_addf(&t->duck.query, "SELECT '{' || concat_ws(',', *COLUMNS(*)) || '}' FROM (SELECT "
                             "to_json(alias(COLUMNS(*)))::VARCHAR || ':' || coalesce(CASE typeof(COLUMNS(*))");
    for (size_t i = 0; i < sizeof of_type / sizeof *of_type; i++) buf_addf(&t->duck.query, " WHEN %s", of_type[i]);
    buf_addf(&t->duck.query, " ELSE to_json(COLUMNS(*)) END, 'null') FROM read_parquet('%s'))", t->duck.seen);
    return duck_ask(&t->duck, err);
}

cord_status table_open(const struct table_options *o, struct table **table, cord_error *err) {
    CORD_TRY(packed_check(o->path, o->packing, err));
    CORD_TRY(check_end(o, err));
    cord_status status = make(o->path, o->library, table, err);
    if (status == CORD_OK) {
        (*table)->kind = o->kind;
        status = duck_lock(&(*table)->duck, "", err);
    }
    if (status == CORD_OK)
        status = o->kind == TABLE_PARQUET ? ask_parquet(*table, err)
                 : o->kind >= TABLE_CSV   ? ask_csv(*table, o->packing, err)
                                          : ask_json(*table, o->packing, err);
    if (status == CORD_OK) return CORD_OK;
    table_close(*table);
    *table = NULL;
    return status;
}

/* One line of JSON: line feeds between values go, and so do the numbers that DuckDB writes and JSON has not (NaN). */
static void copy_json(struct buf *out, cord_text json) {
    bool quoted = false;
    buf_clear(out);
    for (size_t i = 0; i < json.len; i++) {
        char c = json.data[i];
        cord_text rest = text_slice(json, i, json.len);
        cord_text odd = text_starts(rest, TEXT("NaN"))         ? TEXT("NaN")
                        : text_starts(rest, TEXT("Infinity"))  ? TEXT("Infinity")
                        : text_starts(rest, TEXT("-Infinity")) ? TEXT("-Infinity")
                                                               : TEXT("");
        if (!quoted && odd.len) {
            buf_add(out, TEXT("null"));
            i += odd.len - 1;
            continue;
        }
        if (c == '"') quoted = !quoted;
        if (quoted && c == '\\' && i + 1 < json.len) {
            buf_addc(out, c);
            c = json.data[++i];
        }
        buf_addc(out, c == '\n' || c == '\r' ? ' ' : c);
    }
}

static void write_csv_row(struct table *t) {
    struct json_writer w = {.out = &t->text};
    buf_clear(&t->text);
    json_open(&w, NULL, '{');
    for (int i = 0; i < t->columns; i++) {
        cord_text field = duck_value(&t->duck, i);
        const char *name = t->names[i].data;
        if (field.data)
            json_text(&w, name, field);
        else
            json_nil(&w, name);
    }
    json_close(&w, '}');
}

/* Bytes of the row's values. */
static size_t row_bytes(const struct table *t) {
    size_t bytes = 0;
    for (int i = 0; i < (t->columns ? t->columns : 1); i++) bytes += duck_value(&t->duck, i).len;
    return bytes;
}

cord_status table_next(struct table *t, struct table_row *row, cord_error *err) {
    *row = (struct table_row){0};
    CORD_TRY(duck_advance(&t->duck, &row->more, err));
    if (!row->more) return CORD_OK;
    cord_text json = duck_value(&t->duck, 0);
    if (row_bytes(t) > TABLE_ROW_BYTES) {
        row->bad = "the row is too long; it may have at most 16777216 bytes";
    } else if (!t->columns && !json.data) {
        row->bad = "not valid JSON";
    } else {
        if (t->columns)
            write_csv_row(t);
        else
            copy_json(&t->text, json);
        CORD_TRY(buf_check(&t->text, err));
        row->text = buf_text(&t->text);
    }
    return CORD_OK;
}

void table_close(struct table *t) {
    if (!t) return;
    duck_close(&t->duck);
    buf_release(&t->text);
    arena_release(&t->arena);
    free(t);
}

/* ---- writing Parquet -------------------------------------------------------------------------------------------- */

/* The type of each field, as JSON, is kept in a variable. DuckDB's own guess (read_json) would make a time of 12:30, and of
 * ids that look like it UUIDs, which most readers take for bytes. json_group_structure holds all that it is given in memory:
 * it gets one row of each structure, of which there are few. */
static cord_status find_types(struct table *t, cord_error *err) {
    buf_clear(&t->duck.query);
    buf_addf(
        &t->duck.query,
        "SET VARIABLE types = (SELECT coalesce(replace(replace(json_group_structure(one)::VARCHAR, "
        "'\"UBIGINT\"', '\"BIGINT\"'), '\"NULL\"', '\"DOUBLE\"'), '{\"no_rows\":\"VARCHAR\"}') FROM (SELECT "
        "first(json) AS one FROM read_json_objects('%s', format='newline_delimited', maximum_object_size=%d) GROUP "
        "BY json_structure(json)))",
        t->duck.seen, TABLE_ROW_BYTES);
    return duck_tell(&t->duck, err);
}

static cord_status copy_rows(struct table *t, int fd, cord_error *err) {
    CORD_TRY(find_types(t, err));
    buf_clear(&t->duck.query);
    buf_addf(&t->duck.query,
             "COPY (SELECT unnest(from_json(json, getvariable('types'))) FROM read_json_objects('%s', "
             "format='newline_delimited', maximum_object_size=%d)) TO '/proc/self/fd/%d' (FORMAT parquet, "
             "COMPRESSION zstd, ROW_GROUP_SIZE %d, USE_TMP_FILE false)",
             t->duck.seen, TABLE_ROW_BYTES, fd, GROUP_ROWS);
    return duck_tell(&t->duck, err);
}

static cord_status write_parquet(struct table *t, const char *out, cord_error *err) {
    int fd = open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return error_errno(err, "create", out);
    char more[60];
    snprintf(more, sizeof more, ", '/proc/self/fd/%d'", fd);
    cord_status status = duck_lock(&t->duck, more, err);
    t->duck.writes = true;
    if (status == CORD_OK) status = copy_rows(t, fd, err);
    if (status == CORD_OK && fsync(fd) != 0 && errno != EINVAL) status = error_errno(err, "write", out);
    if (close(fd) != 0 && status == CORD_OK) status = error_errno(err, "write", out);
    if (status != CORD_OK) unlink(out);
    return status;
}

cord_status table_make_parquet(const char *jsonl, const char *out, const char *library, cord_error *err) {
    struct table *t;
    cord_status status = make(jsonl, library, &t, err);
    if (status == CORD_OK) status = write_parquet(t, out, err);
    table_close(t);
    return status;
}
