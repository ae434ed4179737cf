/* tables.c - the one file that knows DuckDB: its C interface, loaded at run time, and the few queries that read a file's rows
 * and write Parquet. It must not know what the rows mean.
 *
 * Queries hold nothing but constants and numbers: a file is opened here and DuckDB is told /proc/self/fd/N, so that quotes,
 * stars or "https:" in a name are no more than a name. Its memory and threads are bounded, it may open no other file, and
 * results come in pieces of some thousand rows, so that a file of any size takes the same memory. */
#include "data/tables.h"
#include "base/json.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { COLUMNS = 1000, QUERY_BYTES = 1 << 16, MESSAGE_BYTES = 300 };

/* Rows of a Parquet file that are held in memory until they are written; the fewest that DuckDB takes. */
enum { GROUP_ROWS = 2048 };

/* ---- DuckDB's interface, as duckdb.h of 1.x has it ---------------------------------------------------------------- */

typedef struct {
    uint64_t counts[3];
    void *columns, *message, *internal;
} result_t;

/* Up to 12 bytes lie in place, more behind the pointer. */
typedef struct {
    uint32_t length;
    union {
        char inlined[12];
        struct {
            char prefix[4], *data;
        } __attribute__((packed, aligned(4))) pointer;
    } at;
} string_t;

_Static_assert(sizeof(result_t) == 48 && sizeof(string_t) == 16, "DuckDB's layout");

#define DUCKDB_FUNCTIONS(F)                                                           \
    F(int, create_config, (void **config))                                            \
    F(int, set_config, (void *config, const char *name, const char *option))          \
    F(void, destroy_config, (void **config))                                          \
    F(int, open_ext, (const char *path, void **database, void *config, char **error)) \
    F(void, close, (void **database))                                                 \
    F(int, connect, (void *database, void **connection))                              \
    F(void, disconnect, (void **connection))                                          \
    F(int, prepare, (void *connection, const char *query, void **statement))          \
    F(const char *, prepare_error, (void *statement))                                 \
    F(void, destroy_prepare, (void **statement))                                      \
    F(int, execute_prepared_streaming, (void *statement, result_t *result))           \
    F(const char *, result_error, (result_t * result))                                \
    F(void, destroy_result, (result_t * result))                                      \
    F(void *, fetch_chunk, (result_t result))                                         \
    F(void, destroy_data_chunk, (void **chunk))                                       \
    F(uint64_t, data_chunk_get_size, (void *chunk))                                   \
    F(void *, data_chunk_get_vector, (void *chunk, uint64_t column))                  \
    F(void *, vector_get_data, (void *vector))                                        \
    F(uint64_t *, vector_get_validity, (void *vector))                                \
    F(void, free, (void *memory))

struct duckdb {
#define MEMBER(type, name, arguments) type(*name) arguments; /* NOLINT(bugprone-macro-parentheses): a declaration */
    DUCKDB_FUNCTIONS(MEMBER)
#undef MEMBER
    void *library;
};

struct table {
    struct duckdb api;
    const char *path; /* for messages */
    bool writes;      /* Parquet is made of the file */
    int fd;
    char seen[40]; /* "/proc/self/fd/N", as DuckDB knows the file */
    void *database, *connection, *statement;
    result_t result;
    bool has_result;
    void *chunk; /* a piece of the result, and the row in it that comes next */
    uint64_t row, rows;
    enum table_kind kind;
    struct buf query, text;
    struct arena arena;
    cord_text names[COLUMNS]; /* of a CSV's fields */
    int columns;
};

/* ---- the library ------------------------------------------------------------------------------------------------ */

static cord_status no_library(const char *path, const char *why, cord_error *err) {
    error_where(err, "%s", path);
    return error_set(
        err, CORD_IO_ERROR,
        "this kind of file is read through DuckDB's library, which is not here (%s). JSONL needs none; "
        "scripts/duckdb.sh of cord's sources fetches it (`make duckdb`), or set CORD_DUCKDB to the path of "
        "a libduckdb.so, version " DUCKDB_VERSION " or near",
        why);
}

static cord_status load(struct duckdb *api, const char *library, const char *path, cord_error *err) {
    if (library && !*library) return no_library(path, "none is looked for", err);
    api->library = dlopen(library ? library : "libduckdb.so", RTLD_NOW | RTLD_LOCAL);
    if (!api->library) return no_library(path, dlerror(), err);
        /* POSIX makes a function of what dlsym gives; ISO C has no such cast */
#define FIND(type, name, arguments)                              \
    *(void **)&api->name = dlsym(api->library, "duckdb_" #name); \
    if (!api->name) return no_library(path, "it lacks duckdb_" #name, err);
    DUCKDB_FUNCTIONS(FIND)
#undef FIND
    return CORD_OK;
}

cord_status table_find_library(const char *path, const char *library, cord_error *err) {
    struct duckdb api;
    return load(&api, library, path, err);
}

/* Advice about options that nobody here can set. */
static bool is_advice(cord_text line) {
    return text_starts(line, TEXT("Possible")) || text_starts(line, TEXT("Try setting")) ||
           text_starts(line, TEXT("LINE ")) || text_starts(line, TEXT("The search space"));
}

/* What DuckDB said, on one line: without the kind of error in front and its advice behind, with "the file" in place of what
 * it knows the file as, in plain characters. */
static cord_status refused(const struct table *t, const char *said, cord_error *err) {
    struct buf message;
    error_where(err, "%s", t->path);
    if (said && strstr(said, "state machine reached an invalid state"))
        return error_set(err, CORD_BAD_INPUT,
                         "not all its rows end in the same way (LF, CR LF or CR, which may stand in quoted fields "
                         "only); sed 's/\\r$//' makes LF of CR LF");
    cord_text rest = text_of(said ? said : "no reason was given"), hidden = text_of(t->seen);
    ptrdiff_t kind = text_find(rest, TEXT("Error: ")), newline = text_find(rest, TEXT("\n"));
    if (kind >= 0 && (newline < 0 || kind < newline)) rest = text_slice(rest, (size_t)kind + 7, rest.len);
    buf_init(&message, "an error", MESSAGE_BYTES);
    for (cord_text line; text_next_line(&rest, &line);) {
        line = text_trim(line);
        if (is_advice(line)) break;
        if (line.len && message.len) buf_add(&message, TEXT("; "));
        for (; line.len; line = text_slice(line, 1, line.len)) {
            bool own = hidden.len && text_starts(line, hidden);
            if (own) line = text_slice(line, hidden.len - 1, line.len);
            buf_add(&message, own ? TEXT("the file") : (cord_text){line.data, 1});
        }
    }
    for (size_t i = 0; i < message.len; i++)
        if (message.data[i] < ' ' || message.data[i] > '~') message.data[i] = '?';
    (void)error_set(err, CORD_BAD_INPUT,
                    t->writes ? "DuckDB cannot make Parquet of it: %s" : "DuckDB cannot read it: %s",
                    message.len ? message.data : "no reason was given");
    buf_release(&message);
    return CORD_BAD_INPUT;
}

/* ---- queries ---------------------------------------------------------------------------------------------------- */

static void end_query(struct table *t) {
    if (t->chunk) t->api.destroy_data_chunk(&t->chunk);
    if (t->has_result) t->api.destroy_result(&t->result);
    if (t->statement) t->api.destroy_prepare(&t->statement);
    t->has_result = false;
    t->row = t->rows = 0;
}

/* Starts what t->query says. */
static cord_status ask(struct table *t, cord_error *err) {
    end_query(t);
    CORD_TRY(buf_check(&t->query, err));
    if (t->api.prepare(t->connection, t->query.data, &t->statement) != 0)
        return refused(t, t->api.prepare_error(t->statement), err);
    t->has_result = true;
    if (t->api.execute_prepared_streaming(t->statement, &t->result) != 0)
        return refused(t, t->api.result_error(&t->result), err);
    return CORD_OK;
}

/* Moves on to the next row of the result; *more is false behind the last. */
static cord_status advance(struct table *t, bool *more, cord_error *err) {
    *more = true;
    if (t->row < t->rows) return CORD_OK;
    if (t->chunk) t->api.destroy_data_chunk(&t->chunk);
    t->chunk = t->api.fetch_chunk(t->result);
    const char *said = t->chunk ? NULL : t->api.result_error(&t->result);
    if (said && *said) return refused(t, said, err);
    t->row = 0;
    t->rows = t->chunk ? t->api.data_chunk_get_size(t->chunk) : 0;
    *more = t->rows > 0;
    return CORD_OK;
}

/* A value of the row; data == NULL for NULL. */
static cord_text value(const struct table *t, int column) {
    void *vector = t->api.data_chunk_get_vector(t->chunk, (uint64_t)column);
    const uint64_t *valid = t->api.vector_get_validity(vector);
    if (valid && !(valid[t->row / 64] >> t->row % 64 & 1)) return (cord_text){0};
    const string_t *s = (const string_t *)t->api.vector_get_data(vector) + t->row;
    return (cord_text){s->length <= sizeof s->at.inlined ? s->at.inlined : s->at.pointer.data, s->length};
}

/* Does what t->query says, whose result does not matter. */
static cord_status tell(struct table *t, cord_error *err) {
    bool more;
    CORD_TRY(ask(t, err));
    CORD_TRY(advance(t, &more, err));
    end_query(t);
    return CORD_OK;
}

static cord_status set(struct table *t, const char *what, cord_error *err) {
    buf_clear(&t->query);
    buf_addf(&t->query, "SET %s", what);
    return tell(t, err);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static cord_status connect(struct table *t, cord_error *err) {
    static const char *const bounds[][2] = {{"threads", "1"},
                                            {"memory_limit", "1GB"},
                                            {"temp_directory", ""},
                                            {"autoinstall_known_extensions", "false"},
                                            {"autoload_known_extensions", "false"}};
    void *config = NULL;
    char *error = NULL;
    if (t->api.create_config(&config) != 0) return error_memory(err);
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        (void)t->api.set_config(config, bounds[i][0], bounds[i][1]); /* (one that it does not know has no bound) */
    int failed = t->api.open_ext(NULL, &t->database, config, &error);
    t->api.destroy_config(&config);
    cord_status status = failed ? refused(t, error, err) : CORD_OK;
    if (error) t->api.free(error);
    CORD_TRY(status);
    return t->api.connect(t->database, &t->connection) == 0 ? CORD_OK : error_memory(err);
}

/* From here on DuckDB may open nothing but the given paths; `more` may be "". */
static cord_status lock(struct table *t, const char *more, cord_error *err) {
    char allowed[200];
    snprintf(allowed, sizeof allowed, "allowed_paths=['%s'%s]", t->seen, more);
    CORD_TRY(set(t, allowed, err));
    CORD_TRY(set(t, "enable_external_access=false", err));
    return set(t, "lock_configuration=true", err);
}

static cord_status open_file(struct table *t, const char *path, cord_error *err) {
    t->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (t->fd < 0) return error_errno(err, "open", path);
    snprintf(t->seen, sizeof t->seen, "/proc/self/fd/%d", t->fd);
    return CORD_OK;
}

static cord_status make(const char *path, const char *library, struct table **out, cord_error *err) {
    struct table *t = *out = calloc(1, sizeof *t);
    if (!t) return error_memory(err);
    t->path = path;
    t->fd = -1;
    buf_init(&t->query, "a query", QUERY_BYTES);
    buf_init(&t->text, "a row of a table", 8 * (size_t)TABLE_ROW_BYTES); /* (characters may be escaped) */
    arena_init(&t->arena);
    CORD_TRY(open_file(t, path, err));
    CORD_TRY(load(&t->api, library, path, err));
    return connect(t, err);
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
    error_where(err, "%s", t->path);
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
    buf_addf(&t->query, ", auto_detect=false, compression='%s', max_line_size=%d, buffer_size=%d",
             packing_names[packing], TABLE_ROW_BYTES, 2 * TABLE_ROW_BYTES);
}

/* The first line is read as a text, and the fields' names are taken from it; DuckDB's own guess at a CSV drops lines that
 * do not fit it. Without quotes, line breaks in later fields look like rows that end otherwise, which only its strict mode
 * minds. */
static cord_status read_names(struct table *t, enum packing packing, char *divider, cord_error *err) {
    const cord_text mark = TEXT("\xEF\xBB\xBF");
    bool more;
    buf_clear(&t->query);
    buf_addf(&t->query,
             "SELECT l FROM read_csv('%s', columns={'l': 'VARCHAR'}, header=false, delim='', quote='', escape=''",
             t->seen);
    csv_options(t, packing);
    buf_addf(&t->query, ", strict_mode=false) LIMIT 1");
    CORD_TRY(ask(t, err));
    CORD_TRY(advance(t, &more, err));
    cord_text line = more ? value(t, 0) : (cord_text){0};
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
    buf_clear(&t->query);
    buf_addf(&t->query, "SELECT * FROM read_csv('%s', columns={", t->seen);
    for (int i = 0; i < t->columns; i++) buf_addf(&t->query, "%s'c%d': 'VARCHAR'", i ? ", " : "", i);
    buf_addf(&t->query, "}, header=true, delim='%c', quote='\"', escape='\"'", divider);
    csv_options(t, packing);
    buf_addf(&t->query, ")");
    return ask(t, err);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static cord_status ask_json(struct table *t, enum packing packing, cord_error *err) {
    static const char *const formats[] = {
        [TABLE_LINES] = "newline_delimited', ignore_errors=true", [TABLE_ARRAY] = "array'", [TABLE_JSON] = "auto'"};
    buf_clear(&t->query);
    buf_addf(&t->query,
             "SELECT json FROM read_json_objects('%s', compression='%s', maximum_object_size=%d, format='%s)", t->seen,
             packing_names[packing], TABLE_ROW_BYTES, formats[t->kind]);
    return ask(t, err);
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
            error_where(err, "%s", t->path);
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
    buf_clear(&t->query);
    buf_addf(&t->query, "SELECT name, num_children::VARCHAR FROM parquet_schema('%s')", t->seen);
    CORD_TRY(ask(t, err));
    for (int64_t parts = 0;; root = false, t->row++) {
        CORD_TRY(advance(t, &more, err));
        if (!more) return CORD_OK;
        cord_text own = value(t, 1); /* (of a number, which is short, a text with its NUL) */
        if (parts > 0)
            parts--;
        else if (!root)
            CORD_TRY(add_column(t, value(t, 0), &last, err));
        if (!root && own.len) parts += strtoll(own.data, NULL, 10);
    }
}

/* (The table's own name would stand for the whole row, too, unless a column is called the same.) */
static cord_status ask_parquet(struct table *t, cord_error *err) {
    CORD_TRY(check_columns(t, err));
    buf_clear(&t->query);
    buf_addf(&t->query, "SELECT to_json(struct_pack(*COLUMNS(*))) FROM read_parquet('%s')", t->seen);
    return ask(t, err);
}

cord_status table_open(const struct table_options *o, struct table **table, cord_error *err) {
    CORD_TRY(packed_check(o->path, o->packing, err));
    cord_status status = make(o->path, o->library, table, err);
    if (status == CORD_OK) {
        (*table)->kind = o->kind;
        status = lock(*table, "", err);
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
        cord_text field = value(t, i);
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
    for (int i = 0; i < (t->columns ? t->columns : 1); i++) bytes += value(t, i).len;
    return bytes;
}

cord_status table_next(struct table *t, struct table_row *row, cord_error *err) {
    *row = (struct table_row){0};
    CORD_TRY(advance(t, &row->more, err));
    if (!row->more) return CORD_OK;
    cord_text json = value(t, 0);
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
    t->row++;
    return CORD_OK;
}

void table_close(struct table *t) {
    if (!t) return;
    if (t->api.destroy_data_chunk) end_query(t);
    if (t->connection) t->api.disconnect(&t->connection);
    if (t->database) t->api.close(&t->database);
    if (t->fd >= 0) close(t->fd);
    buf_release(&t->query);
    buf_release(&t->text);
    arena_release(&t->arena);
    free(t); /* the library stays loaded: it is not made to be unloaded */
}

/* ---- writing Parquet -------------------------------------------------------------------------------------------- */

/* The type of each field, as JSON, is kept in a variable. DuckDB's own guess (read_json) would make a time of 12:30, and of
 * ids that look like it UUIDs, which most readers take for bytes. json_group_structure holds all that it is given in memory:
 * it gets one row of each structure, of which there are few. */
static cord_status find_types(struct table *t, cord_error *err) {
    buf_clear(&t->query);
    buf_addf(
        &t->query,
        "SET VARIABLE types = (SELECT coalesce(replace(replace(json_group_structure(one)::VARCHAR, "
        "'\"UBIGINT\"', '\"BIGINT\"'), '\"NULL\"', '\"DOUBLE\"'), '{\"no_rows\":\"VARCHAR\"}') FROM (SELECT "
        "first(json) AS one FROM read_json_objects('%s', format='newline_delimited', maximum_object_size=%d) GROUP "
        "BY json_structure(json)))",
        t->seen, TABLE_ROW_BYTES);
    return tell(t, err);
}

static cord_status copy_rows(struct table *t, int fd, cord_error *err) {
    CORD_TRY(find_types(t, err));
    buf_clear(&t->query);
    buf_addf(&t->query,
             "COPY (SELECT unnest(from_json(json, getvariable('types'))) FROM read_json_objects('%s', "
             "format='newline_delimited', maximum_object_size=%d)) TO '/proc/self/fd/%d' (FORMAT parquet, "
             "COMPRESSION zstd, ROW_GROUP_SIZE %d, USE_TMP_FILE false)",
             t->seen, TABLE_ROW_BYTES, fd, GROUP_ROWS);
    return tell(t, err);
}

static cord_status write_parquet(struct table *t, const char *out, cord_error *err) {
    int fd = open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return error_errno(err, "create", out);
    char more[60];
    snprintf(more, sizeof more, ", '/proc/self/fd/%d'", fd);
    cord_status status = lock(t, more, err);
    t->writes = true;
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
