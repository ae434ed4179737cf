/* dataset.c - see dataset.h. */
#include "export/dataset.h"

#include "data/tables.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_CARD = 16 << 20 };

/* The folder that a file lies in, with its slash; "" for the current one. */
static const char *folder_of(const struct dataset_options *o, struct arena *arena) {
    size_t len = strlen(o->path);
    if (o->folder) return arena_printf(arena, "%s%s", o->path, len && o->path[len - 1] == '/' ? "" : "/");
    while (len > 0 && o->path[len - 1] != '/') len--;
    return arena_text(arena, (cord_text){o->path, len}).data;
}

cord_status dataset_add(struct dataset *set, const char *path, FILE **file, cord_error *err) {
    if (set->n == DATASET_FILES) return error_set(err, CORD_INTERNAL, "a data set has no room for %s", path);
    for (int i = 0; i < set->n; i++)
        if (output_same(set->outputs[i].path, path))
            return error_set(err, CORD_BAD_USAGE, "%s would be written twice", path);
    CORD_TRY(output_open(&set->outputs[set->n], path, err));
    *file = set->outputs[set->n++].file;
    return CORD_OK;
}

const char *dataset_file(const struct dataset_options *o, const char *split, struct arena *arena) {
    const char *folder = folder_of(o, arena);
    if (!o->folder || !folder) return o->folder ? NULL : o->path;
    return arena_printf(arena, "%s%s.%s", folder, split, o->parquet ? "parquet" : "jsonl");
}

static cord_status make_folder(struct dataset *set, cord_error *err) {
    if (mkdir(set->options.path, 0777) == 0) {
        set->made = true;
        return CORD_OK;
    }
    struct stat info;
    if (errno == EEXIST && stat(set->options.path, &info) == 0 && S_ISDIR(info.st_mode)) return CORD_OK;
    return error_errno(err, "make the folder", set->options.path);
}

static cord_status open_splits(struct dataset *set, struct export_split *splits, int n, cord_error *err) {
    const struct dataset_options *o = &set->options;
    if (o->parquet) CORD_TRY(table_find_library(o->path, o->library, err));
    if (o->parquet && !set->plain)
        return error_set(err, CORD_BAD_USAGE, "Parquet cannot be written piece by piece: %s is no plain file", o->path);
    if (o->folder) CORD_TRY(make_folder(set, err));
    for (int i = 0; i < n; i++) {
        const char *path = dataset_file(o, splits[i].name, &set->arena);
        if (!path) return error_memory(err);
        set->files[i] = (struct card_file){splits[i].name, arena_text(&set->arena, path_name(text_of(path))).data, 0};
        CORD_TRY(dataset_add(set, path, &splits[i].file, err));
        set->n_splits++;
    }
    return CORD_OK;
}

cord_status dataset_open(struct dataset *set, const struct dataset_options *options, struct export_split *splits, int n,
                         cord_error *err) {
    struct stat info;
    *set = (struct dataset){.options = *options};
    set->plain = options->folder || stat(options->path, &info) != 0 || S_ISREG(info.st_mode);
    arena_init(&set->arena);
    cord_status status = open_splits(set, splits, n, err);
    return status == CORD_OK ? CORD_OK : dataset_close(set, status, err);
}

/* ---- what lies beside ------------------------------------------------------------------------------------------------- */

static cord_status put_text(struct dataset *set, const char *path, cord_text text, cord_error *err) {
    FILE *file = NULL;
    CORD_TRY(dataset_add(set, path, &file, err));
    return fwrite(text.data, 1, text.len, file) == text.len ? CORD_OK : error_errno(err, "write", path);
}

/* The files that a card of cord's names in its block, a list; NULL: it is none, or is not there, or there is no memory. */
static json_t *read_card_files(const char *path) {
    static const char before[] = "\n    path: ";
    struct buf old;
    if (access(path, F_OK) != 0 || file_read(path, "card", MOST_CARD, &old, NULL) != CORD_OK) return NULL;
    ptrdiff_t end = text_find(buf_text(&old), TEXT(CARD_MARK "\n"));
    cord_text rest = text_slice(buf_text(&old), 0, end < 0 ? 0 : (size_t)end);
    json_t *files = end < 0 ? NULL : json_array();
    for (ptrdiff_t at; files && (at = text_find(rest, text_of(before))) >= 0;) {
        rest = text_slice(rest, (size_t)at + strlen(before), rest.len);
        json_t *name = json_loadb(rest.data, rest.len, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL);
        if (json_is_string(name)) json_array_append(files, name); /* without memory it is not known */
        json_decref(name);
    }
    buf_release(&old);
    return files;
}

static bool names_file(const json_t *files, const char *name) {
    size_t i;
    json_t *one;
    json_array_foreach(files, i, one) if (strcmp(json_string_value(one), name) == 0) return true;
    return false;
}

/* Whether a card's place is free, or has a card of this very data set. A README of somebody's, the card of another file in the
 * same folder, and that of a folder's several files stay what they are. */
static bool may_be_card(const struct dataset *set, const char *path) {
    if (access(path, F_OK) != 0) return true;
    json_t *files = read_card_files(path);
    bool ours =
        files && (set->options.folder || (json_array_size(files) == 1 && names_file(files, set->files[0].path)));
    json_decref(files);
    return ours;
}

static bool has_file(const struct dataset *set, const char *name) {
    for (int i = 0; i < set->n_splits; i++)
        if (strcmp(set->files[i].path, name) == 0) return true;
    return false;
}

/* What an earlier export into this folder made, and this one does not, stays: it may hold rows that are elsewhere now. */
static void find_earlier(struct dataset *set, const char *card) {
    size_t i;
    json_t *name;
    const char *folder = folder_of(&set->options, &set->arena);
    set->earlier = read_card_files(card);
    json_array_foreach(set->earlier, i, name) {
        const char *text = json_string_value(name);
        const char *path = !has_file(set, text) ? arena_printf(&set->arena, "%s%s", folder, text) : NULL;
        if (path && access(path, F_OK) == 0)
            set->left = set->left ? arena_printf(&set->arena, "%s, %s", set->left, path) : path;
    }
}

static cord_status find_card(struct dataset *set, const char **out, cord_error *err) {
    const char *folder = folder_of(&set->options, &set->arena);
    char *path = arena_printf(&set->arena, "%sREADME.md", folder);
    if (path && !may_be_card(set, path))
        path = set->options.folder ? arena_printf(&set->arena, "%sCARD.md", folder)
                                   : arena_printf(&set->arena, "%s.README.md", set->options.path);
    if (!path) return error_memory(err);
    *out = path;
    if (may_be_card(set, path)) return CORD_OK;
    error_where(err, "%s", path);
    return error_set(err, CORD_BAD_INPUT,
                     "is not a card of %s, nor is README.md, and would be written over; move it away, or name "
                     "another %s",
                     set->options.folder ? "cord's" : set->files[0].path, set->options.folder ? "folder" : "file");
}

static cord_status put_card(struct dataset *set, const struct card *card, const char *path, cord_error *err) {
    struct buf text;
    buf_init(&text, "a card", MOST_CARD);
    cord_status status = card_write(card, &text, err);
    if (status == CORD_OK) status = put_text(set, path, buf_text(&text), err);
    buf_release(&text);
    return status;
}

/* The data sets that a dataset_info.json describes already; NULL: there is no such file. */
static cord_status read_descriptions(const char *path, json_t **out, cord_error *err) {
    struct buf old;
    *out = NULL;
    if (access(path, F_OK) != 0) return CORD_OK;
    CORD_TRY(file_read(path, "dataset_info.json", MOST_CARD, &old, err));
    *out = json_loadb(old.data, old.len, 0, NULL);
    buf_release(&old);
    if (json_is_object(*out)) return CORD_OK;
    json_decref(*out);
    error_where(err, "%s", path);
    return error_set(err, CORD_BAD_INPUT, "is not a JSON object, and would be written over; move it away");
}

/* Ours, in place of what this folder's file was described by before. */
static cord_status add_description(struct json_writer *w, const char *key, const struct card *card,
                                   const struct card_file *file, json_t *others, const char *path, cord_error *err) {
    const json_t *same = json_object_get(others, key);
    const char *of = json_string_value(json_object_get(same, "file_name"));
    if (same && (!of || strcmp(of, file->path) != 0)) {
        error_where(err, "%s", path);
        return error_set(err, CORD_BAD_INPUT,
                         "describes another data set as '%s', which stays; export into a folder of another name", key);
    }
    json_open(w, key, '{');
    json_text(w, "file_name", text_of(file->path));
    card->options->format->describe(w);
    json_close(w, '}');
    json_object_del(others, key);
    return CORD_OK;
}

static cord_status add_others(struct json_writer *w, json_t *others, cord_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach(others, key, value) {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (!text) return error_memory(err);
        json_raw(w, key, text_of(text));
        free(text);
    }
    return CORD_OK;
}

/* What earlier exports said of this folder's files may be true no more. What others described stays. Whether any went. */
static bool drop_earlier(const struct dataset *set, const char *name, json_t *others) {
    const char *key;
    json_t *value;
    void *next;
    bool any = false;
    json_object_foreach_safe(others, next, key, value) {
        size_t n = strlen(name);
        const char *of = json_string_value(json_object_get(value, "file_name"));
        bool own = strncmp(key, name, n) == 0 && (!key[n] || key[n] == '_');
        if (!own || !of || !(has_file(set, of) || names_file(set->earlier, of))) continue;
        json_object_del(others, key);
        any = true;
    }
    return any;
}

static cord_status put_description(struct dataset *set, const struct card *card, cord_error *err) {
    char folder[PATH_MAX];
    cord_text full = text_of(realpath(set->options.path, folder) ? folder : set->options.path);
    const char *name = arena_text(&set->arena, path_name(full)).data;
    char *path = arena_printf(&set->arena, "%sdataset_info.json", folder_of(&set->options, &set->arena));
    if (!name || !path) return error_memory(err);
    json_t *others;
    CORD_TRY(read_descriptions(path, &others, err));
    int n_own = card->has_description ? card->n_files : 0;
    bool dropped = drop_earlier(set, name, others);
    if (!n_own && !dropped) {
        json_decref(others);
        return CORD_OK;
    }
    struct buf text;
    buf_init(&text, "dataset_info.json", MOST_CARD);
    struct json_writer w = {.out = &text};
    cord_status status = CORD_OK;
    json_open(&w, NULL, '{');
    for (int i = 0; i < n_own && status == CORD_OK; i++) {
        const char *key = i == 0 ? name : arena_printf(&set->arena, "%s_%s", name, card->files[i].split);
        status = key ? add_description(&w, key, card, &card->files[i], others, path, err) : error_memory(err);
    }
    if (status == CORD_OK) status = add_others(&w, others, err);
    json_close(&w, '}');
    buf_addc(&text, '\n');
    if (status == CORD_OK) status = buf_check(&text, err);
    if (status == CORD_OK) status = put_text(set, path, buf_text(&text), err);
    buf_release(&text);
    json_decref(others);
    return status;
}

/* A file that is exported by itself may be part of a folder's data set, which says of it what it was before. */
static void find_stale(struct dataset *set, const char *card) {
    const char *folder = folder_of(&set->options, &set->arena), *file = set->files[0].path;
    char *readme = arena_printf(&set->arena, "%sREADME.md", folder),
         *path = arena_printf(&set->arena, "%sdataset_info.json", folder);
    json_t *files = readme && strcmp(readme, card) != 0 ? read_card_files(readme) : NULL;
    if (names_file(files, file)) set->stale = readme;
    json_decref(files);
    json_t *others = NULL, *one;
    const char *key;
    if (!path || read_descriptions(path, &others, NULL) != CORD_OK) return;
    bool described = false;
    json_object_foreach(others, key, one) {
        const char *of = json_string_value(json_object_get(one, "file_name"));
        described = described || (of && strcmp(of, file) == 0);
    }
    json_decref(others);
    if (described) set->stale = set->stale ? arena_printf(&set->arena, "%s and %s", set->stale, path) : path;
}

cord_status dataset_describe(struct dataset *set, struct card *card, cord_error *err) {
    if (!set->plain) return CORD_OK;
    for (int i = 0; i < card->options->n_splits; i++) set->files[i].rows = card->options->splits[i].rows;
    card->files = set->files;
    card->n_files = card->options->n_splits;
    card->has_description = set->options.folder && card->options->format->describe;
    const char *path;
    CORD_TRY(find_card(set, &path, err));
    if (set->options.folder) {
        find_earlier(set, path);
        CORD_TRY(put_description(set, card, err));
    } else {
        find_stale(set, path);
    }
    return put_card(set, card, path, err);
}

/* ---- the end ---------------------------------------------------------------------------------------------------------- */

static cord_status flush_all(struct dataset *set, cord_error *err) {
    for (int i = 0; i < set->n; i++)
        if (ferror(set->outputs[i].file) || fflush(set->outputs[i].file) != 0)
            return error_errno(err, "write", set->outputs[i].path);
    return CORD_OK;
}

void dataset_leave_rows(struct dataset *set) {
    for (int i = 0; i < set->n; i++)
        if (i < set->n_splits)
            output_close(&set->outputs[i], CORD_CANCELLED, NULL);
        else
            set->outputs[i - set->n_splits] = set->outputs[i];
    set->n -= set->n_splits;
    set->n_splits = 0;
    if (set->made) rmdir(set->options.path); /* where a list lies in it, it stays */
}

/* Parquet is made of a draft beside it, and takes its place: it gets its name when all others get theirs. */
static cord_status make_parquet(struct dataset *set, const struct output *rows, cord_error *err) {
    cord_error why = {0};
    const char *made = arena_printf(&set->arena, "%s.parquet", rows->draft);
    if (!made) return error_memory(err);
    unlink(made); /* of a process that was killed and had the same number */
    cord_status status = table_make_parquet(rows->draft, made, set->options.library, &why);
    if (status == CORD_OK && rename(made, rows->draft) != 0) {
        status = error_errno(&why, "write", made);
        unlink(made);
    }
    if (status == CORD_OK) file_keep_mode(rows->draft, rows->path);
    if (status == CORD_OK) return CORD_OK;
    error_where(err, "%s", rows->path);
    return error_set(err, status, "%s", why.message);
}

cord_status dataset_close(struct dataset *set, cord_status status, cord_error *err) {
    if (status == CORD_OK) status = flush_all(set, err);
    for (int i = 0; i < set->n_splits && set->options.parquet && status == CORD_OK; i++)
        status = make_parquet(set, &set->outputs[i], err);
    /* all of it has to be on the disk before the first file gets its name */
    for (int i = 0; i < set->n && status == CORD_OK; i++) status = output_sync(&set->outputs[i], err);
    for (int i = 0; i < set->n; i++) status = output_close(&set->outputs[i], status, err);
    json_decref(set->earlier);
    if (status != CORD_OK && set->made) rmdir(set->options.path);
    arena_release(&set->arena);
    *set = (struct dataset){0};
    return status;
}
