/* database.h - how the journal's files talk to SQLite: the handle, cached statements, binding and reading by type,
 * transactions. Private to src/store; it must not know what the tables mean. */
#ifndef CORD_DATABASE_H
#define CORD_DATABASE_H

#include "store/journal.h"

#include <pthread.h>
#include <sqlite3.h>

enum { DATABASE_STATEMENTS = 128 }; /* more than src/store has */

/* An open journal. Not thread-safe: one thread at a time may use a handle. */
struct journal {
    sqlite3 *db;
    char *path;           /* of the SQLite file, for messages */
    const char *attached; /* the folder of another run that is read beside it; NULL: none */
    enum journal_mode mode;
    int lock; /* file descriptor that holds the folder's lock, or -1 */
    pthread_mutex_t mutex;
    bool ours; /* opened for writing, and found to be a journal of cord */
    struct {
        const char *sql; /* a literal: its address is the key */
        sqlite3_stmt *stmt;
    } cached[DATABASE_STATEMENTS];
    int n_cached;
};

/* ---- opening (database.c) ------------------------------------------------------------------------------------ */

/* False for file systems on which SQLite's WAL loses data, because its shared memory is not shared between machines:
 * NFS, SMB, FUSE, 9p, AFS, Ceph, Lustre... `type` is statfs's f_type. */
bool database_wal_is_safe(unsigned long type);

/* journal_open, on a file system of which a test may say the type; 0: the folder's own. */
cord_status database_open(const char *folder, enum journal_mode mode, unsigned long type, struct journal **journal,
                          cord_error *err);

/* Makes a folder, and those above it, unless it is there. */
cord_status database_make_folder(const char *folder, cord_error *err);

/* Sees to it that nobody writes in a run's folder: takes its lock, shared with others who only read. CORD_BUSY, with the
 * writer's process id, while there is one. *lock is a file descriptor to be closed, or -1 where the folder has no lock (a
 * copy of a run, say). */
cord_status database_hold(const char *folder, int *lock, cord_error *err);
/* Whether a process has a journal open to write. */
bool database_is_written(const struct journal *journal);

/* Attaches another run's journal to an open one, under the name `source`, for reading only and without a trace. */
cord_status database_attach(struct journal *journal, const char *folder, cord_error *err);
cord_status database_detach(struct journal *journal, cord_error *err);

/* ---- schema (schema.c) --------------------------------------------------------------------------------------- */

/* Checks that the file is a journal of this version, or of one that can be read as such. With `make`, for who writes, an
 * empty database becomes one, and an older journal one of this version. */
cord_status schema_check(struct journal *journal, bool make, cord_error *err);

/* ---- statements (query.c) ------------------------------------------------------------------------------------ */

/* The last SQLite error in words, as a status. */
cord_status query_error(struct journal *journal, const char *what, cord_error *err);

/* CORD_IO_ERROR: the file is readable, but what it says cannot be. */
cord_status query_damaged(struct journal *journal, const char *what, cord_error *err);

/* Values are bound to ?1, ?2… by the letters of `types`: i int, l int64_t, d double (NaN becomes NULL), t cord_text,
 * n cord_text (data == NULL becomes NULL), s const char * (NULL becomes NULL). `sql` must be a string literal:
 * statements are kept by its address. */
cord_status query_run(struct journal *journal, cord_error *err, const char *sql, const char *types, ...);

/* A query's rows; columns are read from left to right:
 *     rows_open(&r, journal, arena, err, "SELECT id, row FROM problem WHERE key > ?1", "l", key);
 *     while (rows_next(&r)) { id = row_text(&r); row = row_text(&r); }
 *     CORD_TRY(rows_end(&r));
 * The first error ends the loop and is what rows_end returns. A loop may be left early. */
struct rows {
    struct journal *journal;
    struct arena *arena; /* texts are copied into it; may be NULL if none is read */
    cord_error *err;
    sqlite3_stmt *stmt;
    int column;
    cord_status status;
};

void rows_open(struct rows *rows, struct journal *journal, struct arena *arena, cord_error *err, const char *sql,
               const char *types, ...);
bool rows_next(struct rows *rows);
cord_status rows_end(struct rows *rows);
int row_int(struct rows *rows);
int64_t row_int64(struct rows *rows);
double row_real(struct rows *rows);          /* NAN for NULL */
cord_text row_text(struct rows *rows);       /* data == NULL for NULL */
const char *row_string(struct rows *rows);   /* NUL-terminated; NULL for NULL */
int row_choice(struct rows *rows, int most); /* one of the values 0 to `most` of an enum; else the journal is damaged */

/* An array for `count` things that are read; never of size 0, so that NULL means no memory. */
void *array_of(struct arena *arena, int64_t count, size_t size);

/* SQL that is made up, once: no cache, no values. */
cord_status query_script(struct journal *journal, cord_error *err, const char *what, const char *sql);

/* The only number that a query gives; `fallback` if it gives no row or NULL. */
cord_status query_int64(struct journal *journal, cord_error *err, int64_t *value, int64_t fallback, const char *sql,
                        const char *types, ...);

/* A write transaction: begin, then end with the status of what happened between. End commits on CORD_OK, else rolls
 * back; it returns that status, or why the commit failed. */
cord_status transaction_begin(struct journal *journal, cord_error *err);
cord_status transaction_end(struct journal *journal, cord_status status, cord_error *err);

#endif
