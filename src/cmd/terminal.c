/* terminal.c - what cord reads from its surroundings: the environment and the terminal. Nothing else of cord reads the
 * environment. */

#include "cmd/cmd.h"
#include "data/tables.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool is_variable_name(const char *name) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return *name && !strchr("0123456789", *name) && strspn(name, letters) == strlen(name);
}

cord_status key_of_server(const char *name, const char *field, const char **key, cord_error *err) {
    if (!is_variable_name(name))
        return error_set(err, CORD_BAD_USAGE,
                         "%s: this is no name of an environment variable, and not shown here in case it is the key "
                         "itself; put the key into a variable, and name that",
                         field);
    *key = variable(name);
    if (*key) return CORD_OK;
    return error_set(err, CORD_BAD_USAGE, "%s: the environment variable %s is not set; export it, and start cord again",
                     field, name);
}

/* Where the scripts put what they fetch and build. */
static const char *in_cache(struct arena *arena, const char *name) {
    const char *value;
    if ((value = variable("CORD_CACHE"))) return arena_printf(arena, "%s/%s", value, name);
    if ((value = variable("XDG_CACHE_HOME"))) return arena_printf(arena, "%s/cord/%s", value, name);
    if ((value = variable("HOME"))) return arena_printf(arena, "%s/.cache/cord/%s", value, name);
    return NULL;
}

const char *models_folder(struct arena *arena) {
    const char *value = variable("CORD_MODELS");
    return value ? arena_text(arena, text_of(value)).data : in_cache(arena, "models");
}

const char *duckdb_library(struct arena *arena) {
    const char *value = variable("CORD_DUCKDB");
    if (value) return arena_text(arena, text_of(value)).data;
    const char *path = in_cache(arena, "duckdb-" DUCKDB_VERSION "/libduckdb.so");
    return path && access(path, R_OK) == 0 ? path : NULL;
}

bool can_be_painted(FILE *file) {
    const char *term = variable("TERM");
    return term && strcmp(term, "dumb") != 0 && isatty(fileno(file));
}

bool wants_colour(FILE *file) { return !variable("NO_COLOR") && can_be_painted(file); }

int terminal_columns(FILE *file) {
    struct winsize size;
    bool known = ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

int terminal_rows(FILE *file) {
    struct winsize size;
    bool known = ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
    return known ? size.ws_row : 24;
}

bool reader_left(FILE *file) {
    struct pollfd out = {fileno(file), POLLOUT, 0};
    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}
