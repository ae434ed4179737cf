/* duckdb.h - where the tests find DuckDB's library: $CORD_DUCKDB, or the cache, where scripts/duckdb.sh puts it. */
#ifndef CORD_TEST_DUCKDB_H
#define CORD_TEST_DUCKDB_H

#include "support.h"

#include "data/tables.h"

#include <stdlib.h>
#include <unistd.h>

/* NULL where it is not there, which is told. */
static inline const char *find_duckdb(void) {
    static char path[4096];
    const char *named = getenv("CORD_DUCKDB"), *cache = getenv("CORD_CACHE"), *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME"), *file = "duckdb-" DUCKDB_VERSION "/libduckdb.so";
    if (named && *named)
        snprintf(path, sizeof path, "%s", named);
    else if (cache && *cache)
        snprintf(path, sizeof path, "%s/%s", cache, file);
    else if (xdg && *xdg)
        snprintf(path, sizeof path, "%s/cord/%s", xdg, file);
    else
        snprintf(path, sizeof path, "%s/.cache/cord/%s", home ? home : "", file);
    if (access(path, R_OK) == 0) return path;
    print_message("no %s (scripts/duckdb.sh fetches it)\n", path);
    return NULL;
}

#endif
