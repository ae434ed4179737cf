/* shard.c - which problems belong to a shard, and where it writes; see shard.h. */
#include "data/shard.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* A number of digits alone: no sign, no blank. */
static bool parse_number(const char *text, size_t len, int *number) {
    if (len == 0 || len > 7) return false;
    *number = 0;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i])) return false;
        *number = 10 * *number + (text[i] - '0');
    }
    return true;
}

bool shard_parse(const char *text, struct shard *shard) {
    const char *slash = strchr(text, '/');
    return slash && parse_number(text, (size_t)(slash - text), &shard->number) &&
           parse_number(slash + 1, strlen(slash + 1), &shard->count) && shard->number >= 1 &&
           shard->number <= shard->count && shard->count <= SHARDS_MOST;
}

bool shard_has(struct shard shard, cord_text id) {
    if (shard.count == 0) return true;
    char hex[65];
    sha256_text(id, hex);
    hex[16] = '\0';
    return strtoull(hex, NULL, 16) % (unsigned long long)shard.count == (unsigned long long)shard.number - 1;
}

/* Whether a folder is named after this shard: "runs/a-2-of-8", and not "runs/12-of-80". */
static bool is_named(struct shard shard, const char *out) {
    char name[32];
    int len = snprintf(name, sizeof name, "%d-of-%d", shard.number, shard.count);
    for (const char *at = out; (at = strstr(at, name)); at += len)
        if (!(at > out && is_digit(at[-1])) && !is_digit(at[len])) return true;
    return false;
}

const char *shard_folder(struct shard shard, const char *out, struct arena *arena) {
    if (shard.count == 0) return out;
    cord_text text = text_of(out);
    ptrdiff_t at = text_find(text, TEXT(SHARD_PLACE));
    if (at >= 0) /* one place is enough to tell folders apart */
        return arena_printf(arena, "%.*s%d-of-%d%s", (int)at, out, shard.number, shard.count,
                            out + at + strlen(SHARD_PLACE));
    if (is_named(shard, out)) return out;
    text = path_trim(text);
    return arena_printf(arena, "%.*s-%d-of-%d", (int)text.len, out, shard.number, shard.count);
}
