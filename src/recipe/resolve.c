/* resolve.c - writes a recipe out in full as YAML, and tells two such texts apart. The text depends on what the recipe
 * says alone: its keys stand in the table's order, names in the recipe's, every text is quoted in one way. The texts of
 * `prompt` are not repeated there, since each teacher and the meta-prover has its own in full; its date is, where others are
 * spoken to, who have none of their own. */

#include "recipe/values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXCERPT_BYTES = 40 };

/* ---- scalars --------------------------------------------------------------------------------------------------- */

/* Appends a text as a double-quoted YAML scalar. */
static void yaml_quote(struct buf *out, cord_text text) {
    buf_addc(out, '"');
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        uint32_t c = utf8_next(text, &at);
        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", (char)c);
        else if (c == '\n')
            buf_addf(out, "\\n");
        else if (c == '\t')
            buf_addf(out, "\\t");
        else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffd)
            buf_addf(out, "\\u%04x", (unsigned)c); /* what YAML does not take as it stands, or a reader does not see */
        else
            buf_add(out, text_slice(text, from, at));
    }
    buf_addc(out, '"');
}

const char *yaml_excerpt(cord_text text, struct arena *arena) {
    bool cut = text.len > EXCERPT_BYTES;
    if (cut) text = text_slice(text, 0, utf8_valid_prefix(text_slice(text, 0, EXCERPT_BYTES)));
    struct buf out;
    buf_init(&out, "an excerpt", 1024);
    yaml_quote(&out, text);
    const char *shown = NULL;
    if (out.status == CORD_OK) /* other quotes: these are ours, not YAML's */
        shown = arena_printf(arena, "'%.*s%s'", (int)out.len - 2, out.data + 1, cut ? "…" : "");
    buf_release(&out);
    return shown ? shown : "''";
}

/* Fewest digits that read back as the same number. */
static void shortest(char digits[40], double number) {
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, 40, "%.*g", precision, number);
        if (strtod(digits, NULL) == number) break;
    }
}

/* An exponent only where digits alone would be many; there with a point, without which YAML 1.1 takes it for a text. */
static void put_number(struct buf *out, double number) {
    char digits[40];
    shortest(digits, number);
    size_t mantissa = strcspn(digits, "e");
    if (digits[mantissa] && fabs(number) >= 1 && fabs(number) < 1e15)
        buf_addf(out, "%.0f", number); /* it is whole: its digits end before the point */
    else if (digits[mantissa] && !memchr(digits, '.', mantissa))
        buf_addf(out, "%.*s.0%s", (int)mantissa, digits, digits + mantissa);
    else
        buf_addf(out, "%s", digits);
}

/* Appends a value as a resolved recipe has it; NULL is an empty text. */
static void yaml_value(struct buf *out, const struct recipe_value *value) {
    switch (value ? value->key->type : RECIPE_TEXT) {
    case RECIPE_INT: buf_addf(out, "%lld", (long long)value->number); break;
    case RECIPE_REAL: put_number(out, value->number); break;
    case RECIPE_BOOL:
    case RECIPE_CHOICE: buf_add(out, value->text); break;
    case RECIPE_TEXT: yaml_quote(out, value ? value->text : TEXT("")); break;
    }
}

void value_for_hash(struct buf *out, const struct recipe_value *value) {
    char digits[40];
    if (value->key->type != RECIPE_REAL) {
        yaml_value(out, value);
        return;
    }
    shortest(digits, value->number);
    buf_addf(out, "%s", digits);
}

/* ---- the document ---------------------------------------------------------------------------------------------- */

/* The keys of one section or of one name in it, from `first` up to the first key outside of `prefix`; a section within
 * ("prompt.") opens with its own line. Returns the index behind the last. */
static size_t put_keys(struct buf *out, const struct recipe_values *values, size_t first, const char *prefix,
                       const char *name) {
    size_t n, i, len = strlen(prefix);
    const struct recipe_key *keys = recipe_keys(&n);
    const char *indent = name ? "    " : "  ";
    bool inner = false;
    for (i = first; i < n && !strncmp(keys[i].path, prefix, len); i++) {
        const char *word = keys[i].path + len, *dot = strchr(word, '.');
        if (dot && !inner) buf_addf(out, "%s%.*s:\n", indent, (int)(dot - word), word);
        inner = dot != NULL;
        buf_addf(out, "%s%s%s: ", indent, inner ? "  " : "", inner ? dot + 1 : word);
        yaml_value(out, values_get(values, keys[i].path, name));
        buf_addc(out, '\n');
    }
    return i;
}

/* Integrators and judges are asked through their templates, with the date that holds for all. */
static void put_date(struct buf *out, const struct recipe_values *values) {
    const struct recipe_value *strategy = values_get(values, "search.strategy", NULL),
                              *grader = values_get(values, "grading.by", NULL);
    if (!text_equal(strategy->text, TEXT("integration")) && !text_equal(grader->text, TEXT("judge"))) return;
    buf_addf(out, "prompt:\n  date: ");
    yaml_value(out, values_get(values, "prompt.date", NULL));
    buf_addc(out, '\n');
}

cord_status resolve_text(struct recipe_values *values, cord_text *text, cord_error *err) {
    size_t n;
    const struct recipe_key *keys = recipe_keys(&n);
    struct buf out;
    buf_init(&out, "resolved recipe", RESOLVED_LIMIT);
    for (size_t i = 0; i < n;) {
        int len = (int)strcspn(keys[i].path, ".");
        if (!keys[i].path[len]) { /* `extends`: what it brought is written out */
            i++;
            continue;
        }
        char prefix[64];
        struct recipe_group *group = values_group(values, keys[i].path);
        bool prompt = text_starts(text_of(keys[i].path), TEXT("prompt."));
        snprintf(prefix, sizeof prefix, group ? "%.*s.*." : "%.*s.", len, keys[i].path);
        size_t start = out.len, end = i;
        buf_addf(&out, "%.*s:\n", len, keys[i].path);
        for (int j = 0; j < (group ? group->n : 1); j++) {
            if (group) buf_addf(&out, "  \"%s\":\n", group->names[j].name);
            end = put_keys(&out, values, i, prefix, group ? group->names[j].name : NULL);
        }
        if (prompt || (group && !group->n)) buf_truncate(&out, start);
        if (prompt) put_date(&out, values);
        while (end == i || (end < n && !strncmp(keys[end].path, keys[i].path, (size_t)len + 1))) end++;
        i = end;
    }
    return buf_take(&out, values->arena, text, err);
}

cord_status recipe_move(cord_text resolved, const char *out, struct arena *arena, cord_text *moved, cord_error *err) {
    static const cord_text section = {"\nrun:\n", 6}, key = {"\n  out: ", 8};
    ptrdiff_t at = text_find(resolved, section);
    cord_text behind = at < 0 ? TEXT("") : text_slice(resolved, (size_t)at + section.len - 1, resolved.len), line;
    ptrdiff_t value = text_find(behind, key);
    *moved = resolved;
    if (value < 0) return CORD_OK;
    behind = text_slice(behind, (size_t)value + key.len, behind.len);
    size_t before = (size_t)(behind.data - resolved.data);
    (void)text_next_line(&behind, &line);
    struct buf text;
    buf_init(&text, "resolved recipe", RESOLVED_LIMIT);
    buf_add(&text, text_slice(resolved, 0, before));
    yaml_quote(&text, text_of(out));
    buf_addc(&text, '\n');
    buf_add(&text, behind);
    return buf_take(&text, arena, moved, err);
}

/* ---- differences ----------------------------------------------------------------------------------------------- */

/* A value for a line of differences; of a long text, the part from just before `from` on. */
static void put_short(struct buf *out, const struct recipe_value *value, size_t from, struct arena *arena) {
    if (!value)
        buf_addf(out, "(none)");
    else if (value->key->type != RECIPE_TEXT)
        yaml_value(out, value);
    else {
        cord_text text = value->text;
        if (text.len <= EXCERPT_BYTES || from <= EXCERPT_BYTES / 2)
            from = 0;
        else
            from -= EXCERPT_BYTES / 4;
        while (from && from < text.len && ((unsigned char)text.data[from] & 0xc0) == 0x80) from--;
        if (from > text.len) from = text.len;
        buf_addf(out, "%s%s", from ? "…" : "", yaml_excerpt(text_slice(text, from, text.len), arena));
    }
}

static void put_difference(struct buf *out, const struct recipe_key *key, const char *name,
                           const struct recipe_values *before, const struct recipe_values *after, struct arena *arena) {
    const struct recipe_value *a = values_get(before, key->path, name), *b = values_get(after, key->path, name);
    if (value_same(a, b) || ((!a || !b) && !strcmp(key->path, "prompt.date"))) return; /* it does not stand in all */
    size_t common = 0;
    while (a && b && common < a->text.len && common < b->text.len && a->text.data[common] == b->text.data[common])
        common++;
    const char *path = recipe_key_path(key, name, arena);
    buf_addf(out, "%s: ", path ? path : key->path);
    put_short(out, a, common, arena);
    buf_addf(out, " -> ");
    put_short(out, b, common, arena);
    buf_addc(out, '\n');
}

/* Teachers are numbered in their order, and seeds are made from the numbers: order matters. */
static void put_names(struct buf *out, const char *what, const struct recipe_group *before,
                      const struct recipe_group *after, struct arena *arena) {
    const char *a = values_names(before, arena), *b = values_names(after, arena);
    if (strcmp(a, b) != 0) buf_addf(out, "%s: %s -> %s\n", what, a, b);
}

static cord_status read_resolved(struct recipe_values *values, const char *source, cord_text text, struct arena *arena,
                                 cord_error *err) {
    *values = (struct recipe_values){.source = source, .arena = arena};
    return yaml_read_text(values, text, err);
}

static cord_text last_name(const struct recipe_value *value) { return value ? path_name(value->text) : TEXT(""); }

/* Whether two recipes name files by other paths that are compared by what is in them. */
static bool only_moved(const struct recipe_key *key, const char *name, const struct recipe_values *before,
                       const struct recipe_values *after) {
    const struct recipe_value *a = values_get(before, key->path, name), *b = values_get(after, key->path, name);
    if (!strcmp(key->path, "models.*.file")) return a && b;
    return !strcmp(key->path, "problems.file") && text_equal(last_name(a), last_name(b));
}

cord_status recipe_differences(cord_text old_resolved, cord_text new_resolved, bool moved, struct arena *arena,
                               cord_text *out, cord_error *err) {
    struct recipe_values before, after;
    size_t n;
    const struct recipe_key *keys = recipe_keys(&n);
    CORD_TRY(read_resolved(&before, "the run's recipe", old_resolved, arena, err));
    CORD_TRY(read_resolved(&after, "the new recipe", new_resolved, arena, err));
    struct buf lines;
    buf_init(&lines, "differences of recipes", RESOLVED_LIMIT);
    put_names(&lines, "models", &before.models, &after.models, arena);
    put_names(&lines, "teachers", &before.teachers, &after.teachers, arena);
    for (size_t i = 0; i < n; i++) {
        struct recipe_group *a = values_group(&before, keys[i].path), *b = values_group(&after, keys[i].path);
        if (keys[i].changes_no_result) continue;
        if (!a && !(moved && only_moved(&keys[i], NULL, &before, &after)))
            put_difference(&lines, &keys[i], NULL, &before, &after, arena);
        for (int j = 0; a && j < a->n; j++) /* a name that only one has was told above */
            if (values_has_name(b, a->names[j].name) &&
                !(moved && only_moved(&keys[i], a->names[j].name, &before, &after)))
                put_difference(&lines, &keys[i], a->names[j].name, &before, &after, arena);
    }
    return buf_take(&lines, arena, out, err);
}
