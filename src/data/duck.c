/* duck.c - see duck.h. It must not know what is asked. */
#include "data/duck.h"
#include "data/tables.h" /* its version */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { QUERY_BYTES = 1 << 16, MESSAGE_BYTES = 300, LINE_BYTES = 120 };

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

_Static_assert(sizeof(struct duck_result) == 48 && sizeof(string_t) == 16, "DuckDB's layout");

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

cord_status duck_find_library(const char *path, const char *library, cord_error *err) {
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
static cord_status refused(const struct duck *d, const char *said, cord_error *err) {
    struct buf message;
    error_where(err, "%s", d->path);
    if (said && strstr(said, "state machine reached an invalid state"))
        return error_set(err, CORD_BAD_INPUT,
                         "not all its rows end in the same way (LF, CR LF or CR, which may stand in quoted fields "
                         "only); sed 's/\\r$//' makes LF of CR LF");
    cord_text rest = text_of(said ? said : "no reason was given"), hidden = text_of(d->seen);
    ptrdiff_t kind = text_find(rest, TEXT("Error: ")), newline = text_find(rest, TEXT("\n"));
    if (kind >= 0 && (newline < 0 || kind < newline)) rest = text_slice(rest, (size_t)kind + 7, rest.len);
    buf_init(&message, "an error", MESSAGE_BYTES);
    for (cord_text line; text_next_line(&rest, &line);) {
        line = text_trim(line);
        if (is_advice(line)) break;
        bool is_long = line.len > LINE_BYTES; /* DuckDB puts the whole row before the reason */
        if (is_long) line.len = LINE_BYTES;
        if (line.len && message.len) buf_add(&message, TEXT("; "));
        for (; line.len; line = text_slice(line, 1, line.len)) {
            bool own = hidden.len && text_starts(line, hidden);
            if (own) line = text_slice(line, hidden.len - 1, line.len);
            buf_add(&message, own ? TEXT("the file") : (cord_text){line.data, 1});
        }
        if (is_long) buf_add(&message, TEXT("..."));
    }
    for (size_t i = 0; i < message.len; i++)
        if (message.data[i] < ' ' || message.data[i] > '~') message.data[i] = '?';
    (void)error_set(err, CORD_BAD_INPUT,
                    d->writes ? "DuckDB cannot make Parquet of it: %s" : "DuckDB cannot read it: %s",
                    message.len ? message.data : "no reason was given");
    buf_release(&message);
    return CORD_BAD_INPUT;
}

/* ---- queries ---------------------------------------------------------------------------------------------------- */

static void end_query(struct duck *d) {
    if (d->chunk) d->api.destroy_data_chunk(&d->chunk);
    if (d->has_result) d->api.destroy_result(&d->result);
    if (d->statement) d->api.destroy_prepare(&d->statement);
    d->has_result = false;
    d->row = d->rows = 0;
}

cord_status duck_ask(struct duck *d, cord_error *err) {
    end_query(d);
    CORD_TRY(buf_check(&d->query, err));
    if (d->api.prepare(d->connection, d->query.data, &d->statement) != 0)
        return refused(d, d->api.prepare_error(d->statement), err);
    d->has_result = true;
    if (d->api.execute_prepared_streaming(d->statement, &d->result) != 0)
        return refused(d, d->api.result_error(&d->result), err);
    return CORD_OK;
}

cord_status duck_advance(struct duck *d, bool *more, cord_error *err) {
    *more = true;
    if (d->row + 1 < d->rows) return d->row++, CORD_OK;
    if (d->chunk) d->api.destroy_data_chunk(&d->chunk);
    d->chunk = d->api.fetch_chunk(d->result);
    const char *said = d->chunk ? NULL : d->api.result_error(&d->result);
    if (said && *said) return refused(d, said, err);
    d->row = 0;
    d->rows = d->chunk ? d->api.data_chunk_get_size(d->chunk) : 0;
    *more = d->rows > 0;
    return CORD_OK;
}

cord_text duck_value(const struct duck *d, int column) {
    void *vector = d->api.data_chunk_get_vector(d->chunk, (uint64_t)column);
    const uint64_t *valid = d->api.vector_get_validity(vector);
    if (valid && !(valid[d->row / 64] >> d->row % 64 & 1)) return (cord_text){0};
    const string_t *s = (const string_t *)d->api.vector_get_data(vector) + d->row;
    return (cord_text){s->length <= sizeof s->at.inlined ? s->at.inlined : s->at.pointer.data, s->length};
}

cord_status duck_tell(struct duck *d, cord_error *err) {
    bool more;
    CORD_TRY(duck_ask(d, err));
    CORD_TRY(duck_advance(d, &more, err));
    end_query(d);
    return CORD_OK;
}

static cord_status set(struct duck *d, const char *what, cord_error *err) {
    buf_clear(&d->query);
    buf_addf(&d->query, "SET %s", what);
    return duck_tell(d, err);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static cord_status connect(struct duck *d, cord_error *err) {
    static const char *const bounds[][2] = {{"threads", "1"},
                                            {"memory_limit", "1GB"},
                                            {"temp_directory", ""},
                                            {"autoinstall_known_extensions", "false"},
                                            {"autoload_known_extensions", "false"}};
    void *config = NULL;
    char *error = NULL;
    if (d->api.create_config(&config) != 0) return error_memory(err);
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        (void)d->api.set_config(config, bounds[i][0], bounds[i][1]); /* (one that it does not know has no bound) */
    int failed = d->api.open_ext(NULL, &d->database, config, &error);
    d->api.destroy_config(&config);
    cord_status status = failed ? refused(d, error, err) : CORD_OK;
    if (error) d->api.free(error);
    CORD_TRY(status);
    return d->api.connect(d->database, &d->connection) == 0 ? CORD_OK : error_memory(err);
}

cord_status duck_lock(struct duck *d, const char *more, cord_error *err) {
    char allowed[200];
    snprintf(allowed, sizeof allowed, "allowed_paths=['%s'%s]", d->seen, more);
    CORD_TRY(set(d, allowed, err));
    CORD_TRY(set(d, "enable_external_access=false", err));
    return set(d, "lock_configuration=true", err);
}

static cord_status open_file(struct duck *d, const char *path, cord_error *err) {
    d->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (d->fd < 0) return error_errno(err, "open", path);
    snprintf(d->seen, sizeof d->seen, "/proc/self/fd/%d", d->fd);
    return CORD_OK;
}

cord_status duck_open(struct duck *d, const char *path, const char *library, cord_error *err) {
    *d = (struct duck){.path = path, .fd = -1};
    buf_init(&d->query, "a query", QUERY_BYTES);
    CORD_TRY(open_file(d, path, err));
    CORD_TRY(load(&d->api, library, path, err));
    return connect(d, err);
}

void duck_close(struct duck *d) {
    if (d->api.destroy_data_chunk) end_query(d);
    if (d->connection) d->api.disconnect(&d->connection);
    if (d->database) d->api.close(&d->database);
    if (d->fd >= 0) close(d->fd);
    buf_release(&d->query); /* the library stays loaded: it is not made to be unloaded */
}
