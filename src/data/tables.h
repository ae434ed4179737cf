/* tables.h - rows of Parquet, CSV and JSON files, compressed or not, each as a JSON object; and JSONL made into Parquet. It
 * stands on DuckDB's C library, which is loaded at run time: whoever reads JSONL alone needs none.
 *
 *     struct table *table;
 *     CORD_TRY(table_open(&options, &table, err));
 *     while ((status = table_next(table, &row, err)) == CORD_OK && row.more) ...
 *     table_close(table);
 *
 * It must not know what the rows mean. Nothing that a file or its name holds ever becomes part of a query: DuckDB is given
 * the number of an open file, and may read nothing else. */
#ifndef CORD_TABLES_H
#define CORD_TABLES_H

#include "data/packed.h"

/* Where the library is looked for, and in which version it is tried; scripts/duckdb.sh fetches it. */
#define DUCKDB_VERSION "1.5.6"

enum table_kind {
    TABLE_LINES, /* JSON, an object a line; what is no JSON costs its row alone */
    TABLE_ARRAY, /* JSON, one array of objects */
    TABLE_JSON,  /* JSON in any shape: an array, objects one after the other, one object */
    TABLE_CSV,   /* divided by commas, semicolons, tabs or bars, as its first line, which names the fields, shows */
    TABLE_TSV,   /* by tabs */
    TABLE_PARQUET,
};

enum { TABLE_ROW_BYTES = 16 << 20 };

struct table_options {
    const char *path;
    enum table_kind kind;
    enum packing packing;
    const char *library; /* path of libduckdb.so; NULL: the system's; "": none, which is refused */
};

struct table;

/* Bytes in a Parquet column are a text where they are UTF-8; else one that begins with a NUL, for row_check_text to refuse. The
 * row's text lives until the next call; it is empty where the row alone cannot be read, and `bad` says why (static). */
struct table_row {
    bool more;
    cord_text text;
    const char *bad;
};

/* Without the library, how to get it. What is wrong with the file is CORD_BAD_INPUT. */
cord_status table_open(const struct table_options *options, struct table **table, cord_error *err);
cord_status table_next(struct table *table, struct table_row *row, cord_error *err);
void table_close(struct table *table);

/* Whether the library can be had, in the words of table_open; `path` is the file that it is wanted for. */
cord_status table_find_library(const char *path, const char *library, cord_error *err);

/* Makes a Parquet file of JSONL: a column a field, of the type that its values have in JSON: what is a text there is one here,
 * whatever it looks like, and what is null in all rows is a number. Where there is no row, the only column is "no_rows". `out`
 * must not exist; what fails leaves none behind. */
cord_status table_make_parquet(const char *jsonl, const char *out, const char *library, cord_error *err);

#endif
