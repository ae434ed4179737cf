/* query.c - SQLite statements with as little ceremony as C allows: cached by their text, bound and read by type, and
 * every failure put in words that say what to do. It must not know what the tables mean. */
#include "store/database.h"

#include <errno.h>
#include <math.h>

/* ---- errors -------------------------------------------------------------------------------------------------- */

cord_status query_damaged(struct journal *journal, const char *what, cord_error *err) {
    if (journal->attached) error_where(err, "%s/journal.sqlite", journal->attached); /* the other is made just now */
    error_where(err, "%s", journal->path);
    return error_set(err, CORD_IO_ERROR,
                     "the journal is damaged (%s); restore the folder from a copy, or move it away and "
                     "run again",
                     what);
}

cord_status query_error(struct journal *journal, const char *what, cord_error *err) {
    int code = sqlite3_errcode(journal->db), system = sqlite3_system_errno(journal->db);
    const char *words = sqlite3_errmsg(journal->db);
    if (code == SQLITE_NOMEM) return error_memory(err);
    if (code == SQLITE_CORRUPT) return query_damaged(journal, words, err);
    error_where(err, "%s", journal->path);
    if (code == SQLITE_FULL || (code == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT)))
        return error_set(err, CORD_IO_ERROR,
                         "cannot %s: the disk is full; make room and run again: what the journal "
                         "already holds is intact",
                         what);
    switch (code) {
    case SQLITE_NOTADB:
        return error_set(err, CORD_IO_ERROR, "this file is not a journal of cord; choose another folder for the run");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, CORD_BUSY,
                         "cannot %s: another program keeps the journal locked (a cord show whose output waits "
                         "in a pager, a backup, a database browser?); close it and try again",
                         what);
    case SQLITE_READONLY:
        if (sqlite3_extended_errcode(journal->db) == SQLITE_READONLY_ROLLBACK)
            return error_set(err, CORD_IO_ERROR,
                             "a run was interrupted while it wrote; 'cord run' with its recipe mends "
                             "the journal");
        return error_set(err, CORD_IO_ERROR,
                         "cannot %s: the journal or its folder is read-only; change the permissions, or "
                         "choose another folder",
                         what);
    case SQLITE_CANTOPEN:
        return error_set(err, CORD_IO_ERROR,
                         "cannot %s: %s; its folder must be complete (journal.sqlite, and -wal and -shm "
                         "if they were there) and readable",
                         what, words);
    case SQLITE_CONSTRAINT: return error_set(err, CORD_INTERNAL, "cannot %s: %s; this is a bug in cord", what, words);
    default:
        return error_set(err, CORD_IO_ERROR, "cannot %s: %s%s%s", what, words, system ? ": " : "",
                         system ? strerror(system) : "");
    }
}

/* ---- statements ---------------------------------------------------------------------------------------------- */

static cord_status statement(struct journal *j, const char *sql, sqlite3_stmt **stmt, cord_error *err) {
    for (int i = 0; i < j->n_cached; i++)
        if (j->cached[i].sql == sql) {
            *stmt = j->cached[i].stmt;
            return CORD_OK;
        }
    if (j->n_cached == DATABASE_STATEMENTS) return error_set(err, CORD_INTERNAL, "too many kinds of statements");
    if (sqlite3_prepare_v3(j->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL) != SQLITE_OK)
        return query_error(j, "read the journal's tables", err);
    j->cached[j->n_cached].sql = sql;
    j->cached[j->n_cached++].stmt = *stmt;
    return CORD_OK;
}

/* Texts are bound without a copy: they live until the statement is reset, or are bound anew before it runs again. */
static int bind_text(sqlite3_stmt *stmt, int at, cord_text t) {
    return sqlite3_bind_text64(stmt, at, t.data ? t.data : "", t.len, SQLITE_STATIC, SQLITE_UTF8);
}

static cord_status bind(struct journal *j, sqlite3_stmt *stmt, const char *types, va_list args, cord_error *err) {
    int rc = SQLITE_OK;
    for (int at = 1; types[at - 1] && rc == SQLITE_OK; at++) {
        switch (types[at - 1]) {
        case 'i': rc = sqlite3_bind_int(stmt, at, va_arg(args, int)); break;
        case 'l': rc = sqlite3_bind_int64(stmt, at, va_arg(args, int64_t)); break;
        case 'd': rc = sqlite3_bind_double(stmt, at, va_arg(args, double)); break; /* SQLite turns NaN into NULL */
        case 't': rc = bind_text(stmt, at, va_arg(args, cord_text)); break;
        case 'n': {
            cord_text t = va_arg(args, cord_text);
            rc = t.data ? bind_text(stmt, at, t) : sqlite3_bind_null(stmt, at);
            break;
        }
        case 's': {
            const char *s = va_arg(args, const char *);
            rc = s ? bind_text(stmt, at, text_of(s)) : sqlite3_bind_null(stmt, at);
            break;
        }
        default: return error_set(err, CORD_INTERNAL, "no such type to bind: '%c'", types[at - 1]);
        }
    }
    return rc == SQLITE_OK ? CORD_OK : query_error(j, "prepare a statement", err);
}

static void open_with(struct rows *r, struct journal *j, struct arena *arena, cord_error *err, const char *sql,
                      const char *types, va_list args) {
    *r = (struct rows){.journal = j, .arena = arena, .err = err};
    r->status = statement(j, sql, &r->stmt, err);
    if (r->status == CORD_OK) r->status = bind(j, r->stmt, types, args, err);
}

void rows_open(struct rows *r, struct journal *j, struct arena *arena, cord_error *err, const char *sql,
               const char *types, ...) {
    va_list args;
    va_start(args, types);
    open_with(r, j, arena, err, sql, types, args);
    va_end(args);
}

bool rows_next(struct rows *r) {
    if (r->status != CORD_OK) return false;
    r->column = 0;
    int rc = sqlite3_step(r->stmt);
    if (rc == SQLITE_ROW) return true;
    bool reads = sqlite3_stmt_readonly(r->stmt) && sqlite3_column_count(r->stmt) > 0; /* COMMIT counts as read-only */
    if (rc != SQLITE_DONE)
        r->status = query_error(r->journal, reads ? "read the journal" : "write to the journal", r->err);
    return false;
}

cord_status rows_end(struct rows *r) {
    if (r->stmt) {
        sqlite3_reset(r->stmt); /* its error, if any, was told by rows_next */
        sqlite3_clear_bindings(r->stmt);
    }
    return r->status;
}

int64_t row_int64(struct rows *r) { return sqlite3_column_int64(r->stmt, r->column++); }
int row_int(struct rows *r) { return sqlite3_column_int(r->stmt, r->column++); }

double row_real(struct rows *r) {
    int at = r->column++;
    return sqlite3_column_type(r->stmt, at) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(r->stmt, at);
}

cord_text row_text(struct rows *r) {
    int at = r->column++;
    if (sqlite3_column_type(r->stmt, at) == SQLITE_NULL) return (cord_text){0};
    const unsigned char *data = sqlite3_column_text(r->stmt, at);
    cord_text t = {(const char *)data, (size_t)sqlite3_column_bytes(r->stmt, at)};
    if (data) t = arena_text(r->arena, t);
    if (!t.data && r->status == CORD_OK) r->status = error_memory(r->err);
    return t.data ? t : (cord_text){0};
}

const char *row_string(struct rows *r) { return row_text(r).data; } /* the arena ends every text with a NUL */

int row_choice(struct rows *r, int most) {
    int value = row_int(r);
    if (value >= 0 && value <= most) return value;
    if (r->status == CORD_OK) r->status = query_damaged(r->journal, "a state that there is not", r->err);
    return 0;
}

void *array_of(struct arena *arena, int64_t count, size_t size) {
    return arena_alloc(arena, (size_t)(count > 0 ? count : 1) * size);
}

cord_status query_run(struct journal *j, cord_error *err, const char *sql, const char *types, ...) {
    struct rows r;
    va_list args;
    va_start(args, types);
    open_with(&r, j, NULL, err, sql, types, args);
    va_end(args);
    while (rows_next(&r)) {}
    return rows_end(&r);
}

cord_status query_script(struct journal *j, cord_error *err, const char *what, const char *sql) {
    return sqlite3_exec(j->db, sql, NULL, NULL, NULL) == SQLITE_OK ? CORD_OK : query_error(j, what, err);
}

cord_status query_int64(struct journal *j, cord_error *err, int64_t *value, int64_t fallback, const char *sql,
                        const char *types, ...) {
    struct rows r;
    va_list args;
    va_start(args, types);
    open_with(&r, j, NULL, err, sql, types, args);
    va_end(args);
    *value = fallback;
    if (rows_next(&r) && sqlite3_column_type(r.stmt, 0) != SQLITE_NULL) *value = row_int64(&r);
    return rows_end(&r);
}

/* ---- transactions -------------------------------------------------------------------------------------------- */

cord_status transaction_begin(struct journal *j, cord_error *err) {
    if (j->mode != JOURNAL_WRITE) return error_set(err, CORD_INTERNAL, "the journal was opened for reading only");
    return query_run(j, err, "BEGIN IMMEDIATE", "");
}

cord_status transaction_end(struct journal *j, cord_status status, cord_error *err) {
    if (status == CORD_OK) status = query_run(j, err, "COMMIT", "");
    /* a full disk may have rolled it back already */
    if (status != CORD_OK && !sqlite3_get_autocommit(j->db)) query_run(j, NULL, "ROLLBACK", "");
    return status;
}
