/* duck.h - DuckDB's library, loaded at run time, with one file open in it, and one query at a time. Private to src/data: the
 * queries are those of tables.c. It must not know what is asked.
 *
 * Queries hold nothing but constants and numbers: a file is opened here and DuckDB is told /proc/self/fd/N, so that quotes,
 * stars or "https:" in a name are no more than a name. Its memory and threads are bounded, it may open no other file, and
 * results come in pieces of some thousand rows, so that a file of any size takes the same memory. */
#ifndef CORD_DUCK_H
#define CORD_DUCK_H

#include "base/base.h"

/* ---- DuckDB's interface, as duckdb.h of 1.x has it ---------------------------------------------------------------- */

struct duck_result {
    uint64_t counts[3];
    void *columns, *message, *internal;
};

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
    F(int, execute_prepared_streaming, (void *statement, struct duck_result *result)) \
    F(const char *, result_error, (struct duck_result * result))                      \
    F(void, destroy_result, (struct duck_result * result))                            \
    F(void *, fetch_chunk, (struct duck_result result))                               \
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

struct duck {
    struct duckdb api;
    const char *path; /* for messages */
    bool writes;      /* Parquet is made of the file */
    int fd;
    char seen[40]; /* "/proc/self/fd/N", as DuckDB knows the file */
    void *database, *connection, *statement;
    struct duck_result result;
    bool has_result;
    void *chunk; /* a piece of the result, and the row in it that duck_advance came to */
    uint64_t row, rows;
    struct buf query;
};

/* Whatever comes of it, it is to be closed. `library`: as in tables.h. */
cord_status duck_open(struct duck *d, const char *path, const char *library, cord_error *err);
void duck_close(struct duck *d);
cord_status duck_find_library(const char *path, const char *library, cord_error *err);

/* From here on DuckDB may open nothing but the file and the given paths; `more` may be "". */
cord_status duck_lock(struct duck *d, const char *more, cord_error *err);
/* Starts what d->query says. */
cord_status duck_ask(struct duck *d, cord_error *err);
/* Moves on to the next row of the result; *more is false behind the last. */
cord_status duck_advance(struct duck *d, bool *more, cord_error *err);
/* A value of the row; data == NULL for NULL. */
cord_text duck_value(const struct duck *d, int column);
/* Does what d->query says, whose result does not matter. */
cord_status duck_tell(struct duck *d, cord_error *err);

#endif
