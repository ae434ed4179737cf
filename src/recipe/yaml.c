/* yaml.c - walks a YAML document along the table of keys. The only file that knows libfyaml; it must not know what the
 * keys mean.
 *
 * Duplicate keys are looked for here, because the library's own search takes minutes for a file of many keys; and
 * aliases are followed only where a known key stands, so a document that multiplies itself by aliases costs nothing. */

#include "recipe/values.h"

#include <libfyaml.h>
#include <stdlib.h>

struct walk {
    struct recipe_values *values;
    cord_error *err;
};

static cord_status walk_map(struct walk *walk, struct fy_node *map, const char *prefix, const char *name);

/* ---- nodes ----------------------------------------------------------------------------------------------------- */

static struct recipe_place node_place(struct fy_node *node, struct recipe_place otherwise) {
    struct fy_token *token = node ? fy_node_get_scalar_token(node) : NULL;
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    enum fy_node_style style = mark ? fy_node_get_style(node) : FYNS_PLAIN;
    if (!mark || style == FYNS_LITERAL || style == FYNS_FOLDED) return otherwise; /* a block's mark is below its key */
    int quote = style == FYNS_SINGLE_QUOTED || style == FYNS_DOUBLE_QUOTED;       /* the mark is behind it */
    return (struct recipe_place){mark->line + 1, mark->column + 1 - quote, NULL, NULL};
}

static cord_text node_text(struct fy_node *node) {
    size_t len = 0;
    const char *data = node ? fy_node_get_scalar(node, &len) : NULL;
    return data ? (cord_text){data, len} : TEXT("");
}

static bool node_is_null(struct fy_node *node) {
    if (!node || fy_node_is_null(node)) return true;
    if (!fy_node_is_scalar(node) || fy_node_get_style(node) != FYNS_PLAIN) return false;
    cord_text text = node_text(node);
    return text_equal(text, TEXT("~")) || text_equal(text, TEXT("null")) || text_equal(text, TEXT("Null")) ||
           text_equal(text, TEXT("NULL"));
}

static const char *node_kind(struct fy_node *node) {
    return fy_node_is_sequence(node) ? "a list" : fy_node_is_mapping(node) ? "a section" : "a single value";
}

/* ---- unknown keys ---------------------------------------------------------------------------------------------- */

/* The words that may follow a prefix ("search." → "strategy", "beam", …); returns how many. */
static size_t words_after(const char *prefix, const char **words, size_t room, struct arena *arena) {
    size_t n_keys, n = 0, len = strlen(prefix);
    const struct recipe_key *keys = recipe_keys(&n_keys);
    for (size_t i = 0; i < n_keys && n < room; i++) {
        if (strncmp(keys[i].path, prefix, len) != 0) continue;
        cord_text word = {keys[i].path + len, strcspn(keys[i].path + len, ".")};
        if (n && text_equal(text_of(words[n - 1]), word)) continue;
        words[n] = arena_text(arena, word).data;
        if (words[n]) n++;
    }
    return n;
}

static cord_status unknown_key(struct walk *walk, const char *prefix, cord_text key, struct recipe_place place) {
    struct arena *arena = walk->values->arena;
    const char *words[64], *shown = yaml_excerpt(key, arena), *at = "the recipe";
    char last[RECIPE_NAME_BYTES + 2];
    size_t n_keys, n = words_after(prefix, words, 64, arena);
    const struct recipe_key *keys = recipe_keys(&n_keys);
    if (*prefix) at = arena_printf(arena, "'%.*s'", (int)strlen(prefix) - 1, prefix);
    if (!at) return error_memory(walk->err);
    if (text_equal(key, TEXT("<<")))
        return values_error(walk->values, place, walk->err,
                            "merge keys (<<) are not used in recipes; repeat the keys, or "
                            "give a whole section an anchor");
    snprintf(last, sizeof last, ".%.*s", (int)(key.len < RECIPE_NAME_BYTES ? key.len : 0), key.len ? key.data : "");
    const char *near = last[1] ? text_nearest(last + 1, words, n) : NULL;
    if (near)
        return values_error(walk->values, place, walk->err, "unknown key %s in %s; did you mean '%s'?", shown, at,
                            near);
    for (size_t i = 0; last[1] && i < n_keys; i++) /* right word, wrong section */
        if (text_ends(text_of(keys[i].path), text_of(last)))
            return values_error(walk->values, place, walk->err, "unknown key %s in %s; did you mean '%s'?", shown, at,
                                keys[i].path);
    struct buf all;
    buf_init(&all, "list of keys", 4096);
    for (size_t i = 0; i < n; i++) buf_addf(&all, "%s%s", i ? ", " : "", words[i]);
    cord_status status = buf_check(&all, walk->err);
    if (status == CORD_OK)
        status =
            values_error(walk->values, place, walk->err, "unknown key %s in %s; known there: %s", shown, at, all.data);
    buf_release(&all);
    return status;
}

/* ---- the walk -------------------------------------------------------------------------------------------------- */

/* Follows an alias, and refuses what recipes have no use for. *node may become NULL: an empty value. */
static cord_status walk_value(struct walk *walk, const char *path, struct fy_node **node, struct recipe_place place) {
    if (*node && fy_node_is_alias(*node)) {
        cord_text anchor = node_text(*node);
        *node = fy_node_resolve_alias(*node);
        if (!*node)
            return values_error(walk->values, place, walk->err, "%s: the alias *%.*s names no anchor", path,
                                (int)(anchor.len < 64 ? anchor.len : 64), anchor.data);
    }
    if (*node && fy_node_get_tag_token(*node))
        return values_error(walk->values, place, walk->err,
                            "%s: tags (!) are not used in recipes; write the value alone", path);
    return CORD_OK;
}

static cord_status walk_leaf(struct walk *walk, const struct recipe_key *key, const char *name, struct fy_node *node,
                             struct recipe_place place) {
    const char *path = recipe_key_path(key, name, walk->values->arena);
    if (!path) return error_memory(walk->err);
    CORD_TRY(walk_value(walk, path, &node, place));
    place = node_place(node, place);
    struct buf allowed;
    buf_init(&allowed, "allowed values", 1024);
    recipe_key_allowed(key, &allowed);
    cord_status status = buf_check(&allowed, walk->err);
    if (status == CORD_OK && node_is_null(node))
        status = values_error(walk->values, place, walk->err, "%s has no value%s; allowed: %s", path,
                              key->type == RECIPE_TEXT ? " (\"\" is an empty text)" : "", allowed.data);
    else if (status == CORD_OK && !fy_node_is_scalar(node))
        status =
            values_error(walk->values, place, walk->err, "%s is %s; allowed: %s", path, node_kind(node), allowed.data);
    buf_release(&allowed);
    CORD_TRY(status);
    struct recipe_value value = {key, name, node_text(node), fy_node_get_style(node) != FYNS_PLAIN, 0, place};
    return values_put(walk->values, &value, walk->err);
}

static cord_status walk_section(struct walk *walk, const char *prefix, const char *name, struct fy_node *node,
                                struct recipe_place place) {
    const char *word = name ? name : prefix;
    size_t len = name ? strlen(name) : strlen(prefix) - 1;
    const char *path = arena_printf(walk->values->arena, "'%.*s'", (int)len, word);
    if (!path) return error_memory(walk->err);
    CORD_TRY(walk_value(walk, path, &node, place));
    if (node_is_null(node)) return CORD_OK;
    if (!fy_node_is_mapping(node))
        return values_error(walk->values, node_place(node, place), walk->err,
                            "%s is %s; it must be a section (keys and values)", path, node_kind(node));
    return walk_map(walk, node, prefix, name);
}

/* What the word `key` under `prefix` is: a key, a section, a name that the user chose, or unknown. */
static cord_status walk_pair(struct walk *walk, const char *prefix, const char *name, cord_text key,
                             struct fy_node *value, struct recipe_place place) {
    char path[128];
    snprintf(path, sizeof path, "%s*.", prefix);
    struct recipe_group *group = strchr(prefix, '*') ? NULL : values_group(walk->values, path);
    if (!*prefix && text_equal(key, TEXT("teachers"))) values_drop_group(walk->values, "teachers.*.");
    if (group) {
        char what[RECIPE_NAME_BYTES];
        snprintf(what, sizeof what, "%.*s", (int)strlen(prefix) - 1, prefix);
        const char *added = NULL;
        CORD_TRY(values_add_name(walk->values, group, what, key, place, &added, walk->err));
        return walk_section(walk, path, added, value, place);
    }
    if (key.len > RECIPE_NAME_BYTES || memchr(key.data, '.', key.len) || memchr(key.data, '\0', key.len))
        return unknown_key(walk, prefix, key, place);
    snprintf(path, sizeof path, "%s%.*s", prefix, (int)key.len, key.data);
    const struct recipe_key *leaf = recipe_key_exact(path);
    if (leaf) return walk_leaf(walk, leaf, name, value, place);
    size_t n, len = strlen(path);
    const struct recipe_key *keys = recipe_keys(&n);
    for (size_t i = 0; key.len && i < n; i++) {
        if (strncmp(keys[i].path, path, len) != 0 || keys[i].path[len] != '.') continue;
        path[len] = '.', path[len + 1] = '\0';
        return walk_section(walk, path, name, value, place);
    }
    return unknown_key(walk, prefix, key, place);
}

/* Where a key of this map was written before `pair`; line 0 if it was not. */
static struct recipe_place earlier(struct fy_node *map, struct fy_node_pair *pair, cord_text key) {
    void *at = NULL;
    struct fy_node_pair *other;
    while ((other = fy_node_mapping_iterate(map, &at)) && other != pair)
        if (text_equal(node_text(fy_node_pair_key(other)), key))
            return node_place(fy_node_pair_key(other), (struct recipe_place){0});
    return (struct recipe_place){0};
}

static cord_status walk_map(struct walk *walk, struct fy_node *map, const char *prefix, const char *name) {
    void *at = NULL;
    struct fy_node_pair *pair;
    struct recipe_place place = {.line = 1, .column = 1};
    while ((pair = fy_node_mapping_iterate(map, &at))) {
        struct fy_node *key = fy_node_pair_key(pair);
        place = node_place(key, node_place(fy_node_pair_value(pair), place));
        if (!key || !fy_node_is_scalar(key) || fy_node_is_alias(key) || fy_node_get_tag_token(key))
            return values_error(walk->values, place, walk->err, "a key must be a plain word");
        cord_text word = node_text(key);
        struct recipe_place before = earlier(map, pair, word);
        if (before.line)
            return values_error(walk->values, place, walk->err,
                                "the key %s stands here a second time; the first is in line %d",
                                yaml_excerpt(word, walk->values->arena), before.line);
        CORD_TRY(walk_pair(walk, prefix, name, word, fy_node_pair_value(pair), place));
    }
    return CORD_OK;
}

/* ---- documents ------------------------------------------------------------------------------------------------- */

/* The library reports a few things as text however it is told not to; they say nothing that its errors do not. */
static void discard(struct fy_diag *diag, void *user, const char *text, size_t len) {
    (void)diag, (void)user, (void)text, (void)len;
}

struct yaml {
    struct fy_diag *diag;
    struct fy_parser *parser;
    struct fy_document *document; /* NULL: there is none, or none that can be read */
};

void yaml_close(struct yaml *yaml) {
    if (!yaml) return;
    if (yaml->document) fy_parse_document_destroy(yaml->parser, yaml->document);
    if (yaml->parser) fy_parser_destroy(yaml->parser);
    if (yaml->diag) fy_diag_destroy(yaml->diag);
    free(yaml);
}

static cord_status parse(struct yaml *yaml, cord_text text, cord_error *err) {
    struct fy_diag_cfg how;
    fy_diag_cfg_default(&how);
    how.fp = NULL;
    how.output_fn = discard;
    how.colorize = false;
    yaml->diag = fy_diag_create(&how);
    if (!yaml->diag) return error_memory(err);
    fy_diag_set_collect_errors(yaml->diag, true);
    struct fy_parse_cfg how_to_parse = {.flags = FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE | FYPCF_ALLOW_DUPLICATE_KEYS,
                                        .diag = yaml->diag};
    yaml->parser = fy_parser_create(&how_to_parse);
    if (!yaml->parser || fy_parser_set_string(yaml->parser, text.data, text.len) != 0) return error_memory(err);
    yaml->document = fy_parse_load_document(yaml->parser);
    return CORD_OK;
}

/* Any bytes; who reads a file checks them before. */
static cord_status open_text(cord_text text, struct yaml **yaml, cord_error *err) {
    *yaml = calloc(1, sizeof **yaml);
    if (!*yaml) return error_memory(err);
    cord_status status = parse(*yaml, text, err);
    if (status == CORD_OK) return CORD_OK;
    yaml_close(*yaml);
    *yaml = NULL;
    return status;
}

/* The library's first complaint, if it has one. */
static const struct fy_diag_error *first_error(const struct yaml *yaml) {
    void *at = NULL;
    struct fy_diag_error *error;
    while ((error = fy_diag_errors_iterate(yaml->diag, &at)))
        if (error->type == FYET_ERROR) break;
    return error;
}

static cord_status check_syntax(const struct yaml *yaml, const struct recipe_values *values, cord_error *err) {
    const struct fy_diag_error *error = first_error(yaml);
    if (!error) return CORD_OK;
    return values_error(values, (struct recipe_place){.line = error->line, .column = error->column}, err,
                        "not valid YAML: %s", error->msg);
}

/* A zero byte would end the document for the library, without a word, and some bytes that are not UTF-8 make it hang. */
static cord_status check_bytes(const struct recipe_values *values, cord_text document, cord_error *err) {
    size_t valid = utf8_valid_prefix(document);
    const char *zero = memchr(document.data, '\0', valid);
    if (zero) valid = (size_t)(zero - document.data);
    if (valid == document.len) return CORD_OK;
    struct recipe_place place = {.line = 1, .column = 1};
    for (size_t i = 0; i < valid; i++) {
        if (document.data[i] == '\n')
            place.line++, place.column = 1;
        else if (((unsigned char)document.data[i] & 0xc0) != 0x80)
            place.column++; /* characters, not bytes */
    }
    return values_error(values, place, err,
                        zero ? "here is a zero byte; a recipe is a text file"
                             : "the file is not valid UTF-8 here; save it as UTF-8");
}

cord_status yaml_open(const struct recipe_values *values, cord_text text, struct yaml **yaml, cord_error *err) {
    *yaml = NULL;
    CORD_TRY(check_bytes(values, text, err));
    return open_text(text, yaml, err);
}

cord_status yaml_extends(struct yaml *yaml, struct arena *arena, const char **file, struct recipe_place *place,
                         cord_error *err) {
    struct fy_node *root = yaml->document ? fy_document_root(yaml->document) : NULL;
    void *at = NULL;
    struct fy_node_pair *pair;
    *file = NULL;
    while (root && fy_node_is_mapping(root) && (pair = fy_node_mapping_iterate(root, &at))) {
        cord_text name = node_text(fy_node_pair_value(pair));
        if (!text_equal(node_text(fy_node_pair_key(pair)), TEXT("extends")) || !name.len) continue;
        *file = arena_text(arena, name).data;
        *place = node_place(fy_node_pair_value(pair), (struct recipe_place){0});
        return *file ? CORD_OK : error_memory(err);
    }
    return CORD_OK;
}

cord_status yaml_read(struct yaml *yaml, struct recipe_values *values, cord_error *err) {
    struct recipe_place top = {.line = 1, .column = 1};
    CORD_TRY(check_syntax(yaml, values, err));
    struct fy_node *root = yaml->document ? fy_document_root(yaml->document) : NULL;
    if (!root || (fy_node_is_scalar(root) && node_is_null(root)))
        return values_error(values, top, err, "the recipe is empty; `cord help recipe` lists the keys");
    struct walk walk = {values, err};
    CORD_TRY(walk_value(&walk, "the recipe", &root, top));
    if (!fy_node_is_mapping(root))
        return values_error(values, top, err,
                            "the recipe is %s; it must be made of sections such as 'problems:' and 'models:'",
                            node_kind(root));
    CORD_TRY(walk_map(&walk, root, "", NULL));
    struct fy_document *more = fy_parse_load_document(yaml->parser);
    if (more) fy_parse_document_destroy(yaml->parser, more);
    CORD_TRY(check_syntax(yaml, values, err));
    if (more) return values_error(values, top, err, "the file holds several documents (---); a recipe is one");
    return CORD_OK;
}

cord_status yaml_read_text(struct recipe_values *values, cord_text text, cord_error *err) {
    struct yaml *yaml;
    CORD_TRY(yaml_open(values, text, &yaml, err));
    cord_status status = yaml_read(yaml, values, err);
    yaml_close(yaml);
    return status;
}

cord_status yaml_scalar(cord_text text, struct arena *arena, cord_text *out, cord_error *err) {
    struct yaml *yaml;
    CORD_TRY(open_text(text, &yaml, err));
    struct fy_node *root = yaml->document ? fy_document_root(yaml->document) : NULL;
    struct fy_document *more = fy_parse_load_document(yaml->parser);
    bool whole = !more && !first_error(yaml);
    if (more) fy_parse_document_destroy(yaml->parser, more);
    cord_status status = CORD_OK;
    if (whole && root && fy_node_is_scalar(root) && !fy_node_is_alias(root)) {
        *out = arena_text(arena, node_text(root));
        if (!out->data) status = error_memory(err);
    } else {
        status = error_set(err, CORD_BAD_RECIPE, "the quoted text does not end where the value ends");
    }
    yaml_close(yaml);
    return status;
}
