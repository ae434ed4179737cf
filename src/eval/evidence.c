/* evidence.c - see evidence.h. */
#include "eval/evidence.h"

#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* No sum of counts that tables of such a size have room for overflows. */
enum { MOST_TABLE = 1 << 30, MOST_COLUMNS = 200, MOST_TEACHERS = 1000, MOST_COUNT = INT32_MAX };

/* Columns beside those of the measures, which have their own names. */
enum column {
    COLUMN_VERSION,
    COLUMN_RUN,
    COLUMN_STRATEGY,
    COLUMN_CRITERION,
    COLUMN_SEED,
    COLUMN_ID,
    COLUMN_STATUS,
    COLUMN_TEACHERS, /* behind the measures */
    COLUMN_HITS,
    COLUMN_METHOD,
    COLUMN_SCORER,
    COLUMN_PROBLEM,
    COLUMN_MEASURER, /* older tables have none */
    COLUMNS
};
static const char *const columns[COLUMNS] = {"version", "run",     "strategy", "criterion", "seed",
                                             "id",      "status",  "teachers", "hits",      "method",
                                             "scorer",  "problem", "pp_scorer"};
static const char *const statuses[] = {
    [PROBLEM_OPEN] = "open", [PROBLEM_DONE] = "done", [PROBLEM_FAILED] = "failed", NULL};

/* ---- versions ------------------------------------------------------------------------------------------------ */

static cord_text next_version(cord_text *list) {
    ptrdiff_t end = text_find(*list, TEXT(", "));
    cord_text version = text_slice(*list, 0, end < 0 ? list->len : (size_t)end);
    *list = text_slice(*list, end < 0 ? list->len : (size_t)end + 2, list->len);
    return version;
}

static bool has_version(cord_text list, cord_text version) {
    while (list.len)
        if (text_equal(next_version(&list), version)) return true;
    return false;
}

cord_status evidence_add_versions(const char **list, cord_text versions, struct arena *arena, cord_error *err) {
    while (versions.len) {
        cord_text version = next_version(&versions), known = text_of(*list);
        if (has_version(known, version)) continue;
        *list = arena_printf(arena, "%s%s%.*s", known.len ? *list : "", known.len ? ", " : "", (int)version.len,
                             version.data);
        if (!*list) return error_memory(err);
    }
    return CORD_OK;
}

/* ---- from a journal ------------------------------------------------------------------------------------------ */

/* Problems of two runs are the same where this is. */
static cord_status hash_problem(const struct journal_problem *p, struct arena *arena, cord_text *out, cord_error *err) {
    const cord_text parts[] = {p->question, p->target, p->gold};
    struct buf text;
    const char *hex;
    buf_init(&text, "a problem", MOST_TABLE);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_addf(&text, "%zu ", parts[i].len);
        buf_add(&text, parts[i]);
    }
    CORD_TRY(sha256_buf(&text, 16, arena, &hex, err));
    *out = text_of(hex);
    return CORD_OK;
}

cord_status evidence_take(struct evidence *run, const char *version, const struct journal_problem *problems, int n,
                          struct arena *arena, cord_error *err) {
    run->rows = arena_alloc(arena, (size_t)(n + 1) * sizeof *run->rows);
    if (!run->rows) return error_memory(err);
    for (run->n = 0; run->n < n; run->n++) {
        const struct journal_problem *p = &problems[run->n];
        struct evidence_row *row = &run->rows[run->n];
        *row = (struct evidence_row){.status = p->status, .version = version};
        if (!p->question.len) continue; /* it could not be used */
        row->id = p->id;
        CORD_TRY(hash_problem(p, arena, &row->problem, err));
    }
    return CORD_OK;
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

/* What would end a cell or a line is escaped. */
static void put_cell(struct buf *out, cord_text text) {
    for (size_t i = 0; i < text.len; i++) switch (text.data[i]) {
        case '\t': buf_addf(out, "\\t"); break;
        case '\n': buf_addf(out, "\\n"); break;
        case '\r': buf_addf(out, "\\r"); break;
        case '\\': buf_addf(out, "\\\\"); break;
        case '\0': buf_addf(out, "\\0"); break;
        default: buf_addc(out, text.data[i]);
        }
}

static void put_counts(struct json_writer *w, const int64_t *counts, int n_teachers) {
    json_open(w, NULL, '[');
    for (int t = 0; t < n_teachers; t++) {
        json_open(w, NULL, '[');
        for (int bin = 0; bin < HIT_BINS; bin++) json_int(w, NULL, counts[t * HIT_BINS + bin]);
        json_close(w, ']');
    }
    json_close(w, ']');
}

static void put_json(struct buf *cell, const struct evidence *run, const struct hits *hits) {
    struct json_writer w = {.out = cell};
    json_open(&w, NULL, '[');
    for (int t = 0; !hits && t < run->n_teachers; t++) json_text(&w, NULL, text_of(run->teachers[t]));
    if (hits) {
        put_counts(&w, hits->proposed, run->n_teachers);
        put_counts(&w, hits->kept, run->n_teachers);
        put_counts(&w, hits->final, run->n_teachers);
    }
    json_close(&w, ']');
}

static void put_column(struct buf *out, struct buf *cell, const struct evidence *run, const struct evidence_row *row,
                       enum column column) {
    const char *const texts[COLUMNS] = {[COLUMN_VERSION] = row->version,   [COLUMN_RUN] = run->run,
                                        [COLUMN_STRATEGY] = run->strategy, [COLUMN_CRITERION] = run->criterion,
                                        [COLUMN_SEED] = run->seed,         [COLUMN_METHOD] = run->method,
                                        [COLUMN_SCORER] = run->scorer,     [COLUMN_STATUS] = statuses[row->status],
                                        [COLUMN_MEASURER] = run->measurer};
    buf_clear(cell);
    if (column == COLUMN_TEACHERS) put_json(cell, run, NULL);
    if (column == COLUMN_HITS && row->measured) put_json(cell, run, &row->hits);
    if (column == COLUMN_ID) buf_add(cell, row->id);
    if (column == COLUMN_PROBLEM) buf_add(cell, row->problem);
    if (texts[column]) buf_add(cell, text_of(texts[column]));
    put_cell(out, buf_text(cell));
}

static void put_row(struct buf *out, struct buf *cell, const struct evidence *run, const struct evidence_row *row) {
    for (enum column c = 0; c < COLUMN_TEACHERS; c++) {
        put_column(out, cell, run, row, c);
        buf_addc(out, '\t');
    }
    for (int m = 0; m < MEASURES; m++) {
        if (row->measured && !isnan(row->value[m])) buf_addf(out, "%.17g", row->value[m]);
        buf_addc(out, '\t');
    }
    for (enum column c = COLUMN_TEACHERS; c < COLUMNS; c++) {
        put_column(out, cell, run, row, c);
        buf_addc(out, c + 1 < COLUMNS ? '\t' : '\n');
    }
}

static void put_head(struct buf *out) {
    for (enum column c = 0; c < COLUMN_TEACHERS; c++) buf_addf(out, "%s\t", columns[c]);
    for (int m = 0; m < MEASURES; m++) buf_addf(out, "%s\t", measure_infos[m].key);
    for (enum column c = COLUMN_TEACHERS; c < COLUMNS; c++)
        buf_addf(out, "%s%c", columns[c], c + 1 < COLUMNS ? '\t' : '\n');
}

cord_status evidence_write(const struct evidence *const *runs, int n, const char *path, cord_error *err) {
    struct buf out, cell;
    buf_init(&out, "rows of a comparison", MOST_TABLE);
    buf_init(&cell, "a cell of it", MOST_TABLE);
    put_head(&out);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < runs[i]->n; j++) put_row(&out, &cell, runs[i], &runs[i]->rows[j]);
    cord_status status = buf_check(&cell, err);
    if (status == CORD_OK) status = buf_check(&out, err);
    if (status == CORD_OK) status = file_write_atomic(path, buf_text(&out), err);
    buf_release(&out);
    buf_release(&cell);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* A table while it is read. */
struct table {
    const char *path;
    struct arena *arena;
    int64_t line;
    cord_text head; /* the first line */
    int n_columns;
    int column[COLUMNS], measure[MEASURES]; /* where each stands; -1: nowhere */
    cord_text cell[MOST_COLUMNS];           /* of this line, without escapes */
};

static cord_status wrong(const struct table *t, cord_error *err, const char *what, const char *name) {
    error_where(err, "%s:%lld", t->path, (long long)t->line);
    return error_set(err, CORD_BAD_INPUT, "%s%.100s: this is no row that 'cord compare --rows' wrote", what, name);
}

static cord_status read_cell(const struct table *t, cord_text raw, cord_text *out, cord_error *err) {
    static const char escapes[] = "tnr\\0", meant[] = "\t\n\r\\\0";
    char *data = arena_alloc(t->arena, raw.len + 1);
    size_t len = 0;
    if (!data) return error_memory(err);
    for (size_t i = 0; i < raw.len; i++) {
        data[len] = raw.data[i];
        if (raw.data[i] == '\\') {
            const char *escape = ++i < raw.len ? strchr(escapes, raw.data[i]) : NULL;
            if (!escape || !*escape) return wrong(t, err, "no such escape", "");
            data[len] = meant[escape - escapes];
        }
        len++;
    }
    *out = (cord_text){data, len};
    return CORD_OK;
}

static cord_status read_cells(struct table *t, cord_text line, cord_error *err) {
    int n = 0;
    for (bool more = true; more; n++) {
        ptrdiff_t tab = text_find(line, TEXT("\t"));
        more = tab >= 0;
        if (n == MOST_COLUMNS) return wrong(t, err, "too many columns", "");
        CORD_TRY(read_cell(t, text_slice(line, 0, more ? (size_t)tab : line.len), &t->cell[n], err));
        if (more) line = text_slice(line, (size_t)tab + 1, line.len);
    }
    if (t->line > 1 && n != t->n_columns) return wrong(t, err, "another number of columns than in the first line", "");
    t->n_columns = n;
    return CORD_OK;
}

static int find_column(const struct table *t, const char *name) {
    for (int i = 0; i < t->n_columns; i++)
        if (text_equal(t->cell[i], text_of(name))) return i;
    return -1;
}

/* A measure that is younger than the table has no column, and no value. */
static cord_status read_head(struct table *t, cord_error *err) {
    for (int c = 0; c < COLUMNS; c++)
        if ((t->column[c] = find_column(t, columns[c])) < 0 && c != COLUMN_MEASURER)
            return wrong(t, err, "there is no column ", columns[c]);
    for (int m = 0; m < MEASURES; m++) t->measure[m] = find_column(t, measure_infos[m].key);
    if (t->measure[MEASURE_ACCURACY] < 0) return wrong(t, err, "there is no column ", "accuracy");
    return CORD_OK;
}

static const char *cell(const struct table *t, enum column c) {
    return t->column[c] < 0 ? "" : t->cell[t->column[c]].data;
}

static cord_status read_values(const struct table *t, struct evidence_row *row, cord_error *err) {
    for (int m = 0; m < MEASURES; m++) {
        cord_text text = t->measure[m] < 0 ? (cord_text){"", 0} : t->cell[t->measure[m]];
        char *end = NULL;
        row->value[m] = text.len ? strtod(text.data, &end) : (double)NAN;
        if (text.len && (end != text.data + text.len || !isfinite(row->value[m])))
            return wrong(t, err, "no number in column ", measure_infos[m].key);
        if (row->value[m] < 0 || (measure_infos[m].kind == KIND_SHARE && row->value[m] > 1 + 1e-6)) /* as rounded */
            return wrong(t, err, "no such value in column ", measure_infos[m].key);
    }
    double accuracy = row->value[MEASURE_ACCURACY];
    if (isnan(accuracy)) return wrong(t, err, "nothing in column ", "accuracy");
    if (accuracy != 0 && accuracy != 1) return wrong(t, err, "neither 0 nor 1 in column ", "accuracy");
    return CORD_OK;
}

static bool read_counts(const json_t *kind, int n_teachers, int64_t *counts) {
    if (!json_is_array(kind) || json_array_size(kind) != (size_t)n_teachers) return false;
    for (int i = 0; i < n_teachers * HIT_BINS; i++) {
        const json_t *bins = json_array_get(kind, (size_t)(i / HIT_BINS));
        const json_t *count = json_array_get(bins, (size_t)(i % HIT_BINS));
        counts[i] = json_integer_value(count);
        if (!json_is_integer(count) || json_array_size(bins) != HIT_BINS) return false;
        if (counts[i] < 0 || counts[i] > MOST_COUNT) return false;
    }
    return true;
}

static cord_status read_hits(const struct table *t, int n_teachers, struct hits *hits, cord_error *err) {
    CORD_TRY(hits_init(hits, n_teachers, t->arena, err));
    cord_text text = t->cell[t->column[COLUMN_HITS]];
    json_t *all = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    bool right = json_array_size(all) == 3 && read_counts(json_array_get(all, 0), n_teachers, hits->proposed) &&
                 read_counts(json_array_get(all, 1), n_teachers, hits->kept) &&
                 read_counts(json_array_get(all, 2), n_teachers, hits->final);
    json_decref(all);
    return right ? CORD_OK : wrong(t, err, "no counts in column ", columns[COLUMN_HITS]);
}

static bool has_name(const char *const *names, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (!strcmp(names[i], name)) return true;
    return false;
}

static cord_status read_teachers(const struct table *t, struct evidence *run, cord_error *err) {
    cord_text text = t->cell[t->column[COLUMN_TEACHERS]];
    json_t *all = json_loadb(text.data, text.len, 0, NULL);
    size_t n = json_array_size(all);
    bool right = json_is_array(all) && n <= MOST_TEACHERS;
    const char **names = arena_alloc(t->arena, (n + 1) * sizeof *names);
    for (size_t i = 0; names && right && i < n; i++) {
        const char *name = json_string_value(json_array_get(all, i));
        right = name && !has_name(names, i, name);
        if (right && !(names[i] = arena_text(t->arena, text_of(name)).data)) names = NULL;
    }
    json_decref(all);
    run->teachers = names;
    run->n_teachers = (int)n;
    if (!names) return error_memory(err);
    return right ? CORD_OK : wrong(t, err, "no names, or one twice, in column ", columns[COLUMN_TEACHERS]);
}

bool evidence_same_teachers(const struct evidence *a, const struct evidence *b) {
    bool same = a->n_teachers == b->n_teachers;
    for (int i = 0; same && i < a->n_teachers; i++) same = !strcmp(a->teachers[i], b->teachers[i]);
    return same;
}

static bool same_run(const struct evidence *a, const struct evidence *b) {
    return !strcmp(a->method, b->method) && !strcmp(a->seed, b->seed) && !strcmp(a->run, b->run) &&
           evidence_same_teachers(a, b);
}

/* The run that this line is of; the last one that was read first, since lines of a run stand together. */
static cord_status find_run(const struct table *t, struct evidence_list *list, struct evidence **out, cord_error *err) {
    struct evidence run = {.run = cell(t, COLUMN_RUN),
                           .strategy = cell(t, COLUMN_STRATEGY),
                           .criterion = cell(t, COLUMN_CRITERION),
                           .seed = cell(t, COLUMN_SEED),
                           .method = cell(t, COLUMN_METHOD),
                           .scorer = cell(t, COLUMN_SCORER),
                           .measurer = cell(t, COLUMN_MEASURER)};
    CORD_TRY(read_teachers(t, &run, err));
    for (int i = list->n; i-- > 0;)
        if (same_run(&list->runs[i], &run)) {
            *out = &list->runs[i];
            return CORD_OK;
        }
    list->runs = arena_room(t->arena, list->runs, list->n, &list->room, sizeof *list->runs);
    if (!list->runs) return error_memory(err);
    *out = &list->runs[list->n++];
    **out = run;
    return CORD_OK;
}

static bool same_row(const struct evidence_row *a, const struct evidence_row *b) {
    bool same = text_equal(a->problem, b->problem) && a->status == b->status;
    for (int m = 0; m < MEASURES && a->measured && b->measured; m++)
        same &= a->value[m] == b->value[m] || (isnan(a->value[m]) && isnan(b->value[m]));
    return same;
}

static cord_status read_status(const struct table *t, struct evidence_row *row, cord_error *err) {
    int status = text_place(t->cell[t->column[COLUMN_STATUS]], statuses);
    if (status < 0) return wrong(t, err, "no such status ", cell(t, COLUMN_STATUS));
    row->status = (enum problem_status)status;
    return CORD_OK;
}

/* A run that went on since an older table was written has more to say of a problem. */
static cord_status put_again(const struct table *t, struct evidence_row *old, const struct evidence_row *row,
                             cord_error *err) {
    if (same_row(old, row)) return CORD_OK;
    if (!text_equal(old->problem, row->problem) || (old->status == PROBLEM_DONE && row->status == PROBLEM_DONE)) {
        error_where(err, "%s:%lld", t->path, (long long)t->line);
        return error_set(err, CORD_BAD_INPUT,
                         "problem '%.*s' of %.200s, seed %.40s, was read before with other values; keep one of the two",
                         (int)(row->id.len < 60 ? row->id.len : 60), row->id.data, cell(t, COLUMN_RUN),
                         cell(t, COLUMN_SEED));
    }
    if (old->status == PROBLEM_OPEN || row->status == PROBLEM_DONE) *old = *row;
    return CORD_OK;
}

/* One seed has one spelling, or it would count as two. A run that has not begun has none. */
static cord_status check_seed(const struct table *t, cord_error *err) {
    const char *seed = cell(t, COLUMN_SEED);
    size_t digits = strspn(seed, "0123456789");
    bool right = !seed[digits] && (seed[0] != '0' || digits == 1);
    return right ? CORD_OK : wrong(t, err, "no number, or not as cord writes it, in column ", columns[COLUMN_SEED]);
}

static cord_status read_row(struct table *t, struct evidence_list *list, cord_error *err) {
    struct evidence *run;
    struct evidence_row row = {.id = t->cell[t->column[COLUMN_ID]],
                               .problem = t->cell[t->column[COLUMN_PROBLEM]],
                               .version = cell(t, COLUMN_VERSION)};
    CORD_TRY(check_seed(t, err));
    CORD_TRY(find_run(t, list, &run, err));
    CORD_TRY(read_status(t, &row, err));
    row.measured = row.status == PROBLEM_DONE && t->cell[t->column[COLUMN_HITS]].len;
    if (row.status == PROBLEM_DONE && !row.measured) return wrong(t, err, "nothing in column ", columns[COLUMN_HITS]);
    if (row.measured && !row.problem.len) return wrong(t, err, "nothing in column ", columns[COLUMN_PROBLEM]);
    if (row.measured) {
        CORD_TRY(read_values(t, &row, err));
        CORD_TRY(read_hits(t, run->n_teachers, &row.hits, err));
    }
    for (int i = 0; row.id.len && i < run->n; i++)
        if (text_equal(run->rows[i].id, row.id)) return put_again(t, &run->rows[i], &row, err);
    run->rows = arena_room(t->arena, run->rows, run->n, &run->room, sizeof *run->rows);
    if (!run->rows) return error_memory(err);
    run->rows[run->n++] = row;
    return CORD_OK;
}

static cord_status read_line(struct table *t, cord_text line, struct evidence_list *list, cord_error *err) {
    if (line.len && line.data[line.len - 1] == '\r') line.len--; /* a carriage return of a cell is escaped */
    if (++t->line == 1) t->head = line;
    if (t->line > 1 && text_equal(line, t->head)) return CORD_OK;
    CORD_TRY(read_cells(t, line, err));
    return t->line == 1 ? read_head(t, err) : read_row(t, list, err);
}

cord_status evidence_read(const char *path, struct evidence_list *list, struct arena *arena, cord_error *err) {
    struct table *table = arena_alloc(arena, sizeof *table);
    struct buf text;
    if (!table) return error_memory(err);
    *table = (struct table){.path = path, .arena = arena};
    buf_init(&text, "a table of rows", MOST_TABLE);
    cord_status status = file_read(path, "table of rows", MOST_TABLE, &text, err);
    cord_text rest = buf_text(&text);
    while (status == CORD_OK && (rest.len || !table->line)) {
        ptrdiff_t end = text_find(rest, TEXT("\n"));
        status = read_line(table, text_slice(rest, 0, end < 0 ? rest.len : (size_t)end), list, err);
        rest = end < 0 ? (cord_text){"", 0} : text_slice(rest, (size_t)end + 1, rest.len);
    }
    buf_release(&text);
    return status;
}
