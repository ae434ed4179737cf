/* terminal.c - what cord reads from its surroundings: the environment and the terminal. Nothing else of cord reads the
 * environment. */

#include "cmd/cmd.h"
#include "data/tables.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

const char *models_folder(struct arena *arena) {
    const char *value;
    if ((value = variable("CORD_MODELS"))) return arena_text(arena, text_of(value)).data;
    if ((value = variable("CORD_CACHE"))) return arena_printf(arena, "%s/models", value);
    if ((value = variable("XDG_CACHE_HOME"))) return arena_printf(arena, "%s/cord/models", value);
    if ((value = variable("HOME"))) return arena_printf(arena, "%s/.cache/cord/models", value);
    return NULL;
}

static const char *if_there(const char *path) { return path && access(path, R_OK) == 0 ? path : NULL; }

const char *duckdb_library(struct arena *arena) {
    static const char name[] = "duckdb-" DUCKDB_VERSION "/libduckdb.so";
    const char *value;
    if ((value = variable("CORD_DUCKDB"))) return arena_text(arena, text_of(value)).data;
    if ((value = variable("CORD_CACHE"))) return if_there(arena_printf(arena, "%s/%s", value, name));
    if ((value = variable("XDG_CACHE_HOME"))) return if_there(arena_printf(arena, "%s/cord/%s", value, name));
    if ((value = variable("HOME"))) return if_there(arena_printf(arena, "%s/.cache/cord/%s", value, name));
    return NULL;
}

bool wants_colour(FILE *file) {
    const char *term = variable("TERM");
    return !variable("NO_COLOR") && term && strcmp(term, "dumb") != 0 && isatty(fileno(file));
}

int terminal_columns(FILE *file) {
    struct winsize size;
    bool known = ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}
