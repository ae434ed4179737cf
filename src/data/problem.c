/* problem.c - the importer of problem sets in JSONL: GSM8K, MATH and whatever resembles them. A row becomes a problem, or
 * a problem with a reason; one bad row never costs the others.
 * It must not know who solves them. */
#include "data/problem.h"
#include "answer/find/extract.h"
#include "base/json.h"

#include <limits.h>
#include <stdio.h>

enum { LINE_LIMIT = 16 << 20 };

static const char *const id_names[] = {"id", "unique_id", "problem_id", "uid", NULL};
static const char *const question_names[] = {"question", "problem", "prompt", NULL};
static const char *const answer_names[] = {"answer", "gold", "final_answer", "solution", NULL};

/* A set while it is being read. */
struct reading {
    struct problem_set *set;
    const struct problem_options *options;
    int capacity;     /* of set->problems */
    json_t *seen;     /* id -> line, used as a dictionary */
    struct buf rows;  /* the rows, each with a newline, to be hashed: the file itself where all of it is taken */
    cord_error first; /* what was wrong with the first bad row */
};

/* ---- the gold ------------------------------------------------------------------------------------------------ */

/* What follows the last "####", up to the end of its line. `strict`: only as GSM8K writes it, at the start of the last
 * line, since "####" also opens headings. */
static bool find_hashes(cord_text field, bool strict, cord_text *gold) {
    ptrdiff_t at = text_rfind(field, TEXT("####"));
    if (at < 0) return false;
    cord_text rest = text_slice(field, (size_t)at + 4, field.len);
    ptrdiff_t newline = text_find(rest, TEXT("\n"));
    cord_text below = {0};
    if (newline >= 0) {
        below = text_slice(rest, (size_t)newline, rest.len);
        rest = text_slice(rest, 0, (size_t)newline);
    }
    *gold = text_trim(rest);
    if (!strict) return true;
    return text_trim(below).len == 0 && (at == 0 || field.data[at - 1] == '\n');
}

static cord_status find_gold(cord_text field, const char *name, enum answer_format format, cord_text *gold,
                             cord_error *err) {
    cord_text whole = text_trim(field);
    switch (format) {
    case ANSWER_VERBATIM: *gold = whole; break;
    case ANSWER_HASHES:
        if (find_hashes(field, false, gold)) break;
        return error_set(err, CORD_BAD_INPUT, "the field '%s' has no \"####\" before its answer", name);
    case ANSWER_BOXED:
        if (answer_last_box(field, gold)) break;
        return error_set(err, CORD_BAD_INPUT, "the field '%s' has no complete \\boxed{…}", name);
    case ANSWER_AUTO: {
        /* a short answer may mean its boxes ("\boxed{3} or \boxed{4}"); a worked solution ends in one */
        bool worked = text_find(whole, TEXT("\n")) >= 0 || strcmp(name, "solution") == 0;
        if (!find_hashes(field, true, gold) && !(worked && answer_last_box(field, gold))) *gold = whole;
        break;
    }
    }
    *gold = text_trim(*gold);
    if (gold->len == 0) return error_set(err, CORD_BAD_INPUT, "the answer in the field '%s' is empty", name);
    return CORD_OK;
}

/* ---- fields -------------------------------------------------------------------------------------------------- */

/* The field that the options name, or the first of the usual names that is there and not null; *found is its name, or
 * NULL where none of the usual ones is there. */
static cord_status find_field(const struct json_row *row, const char *named, const char *const *usual,
                              const char **found, cord_text *out, cord_error *err) {
    *found = named;
    for (; !*found && *usual; usual++) {
        const struct json_member *member = json_row_get(row, *usual);
        if (member && !json_is_null(member->value)) *found = *usual;
    }
    if (!*found) return CORD_OK;
    CORD_TRY(json_row_text(row, *found, out, err));
    if (out->len && memchr(out->data, '\0', out->len))
        return error_set(err, CORD_BAD_INPUT, "the field '%s' has a NUL character in it", *found);
    return CORD_OK;
}

static cord_status need_field(const struct json_row *row, const char *named, const char *const *usual, const char *what,
                              const char **found, cord_text *out, cord_error *err) {
    CORD_TRY(find_field(row, named, usual, found, out, err));
    if (!*found) {
        char tried[120] = "", names[300];
        for (; *usual; usual++) {
            if (json_row_get(row, *usual))
                return error_set(err, CORD_BAD_INPUT, "the %s in the field '%s' is null", what, *usual);
            snprintf(tried + strlen(tried), sizeof tried - strlen(tried), "%s'%s'", *tried ? ", " : "", *usual);
        }
        json_row_names(row, names, sizeof names);
        return error_set(err, CORD_BAD_INPUT, "the row has no %s (%s); it has %s: name the right field", what, tried,
                         names);
    }
    if (text_trim(*out).len == 0)
        return error_set(err, CORD_BAD_INPUT, "the %s in the field '%s' is empty", what, *found);
    return CORD_OK;
}

/* Keeps `t` for as long as the arena lives. */
static cord_status keep(struct arena *arena, cord_text *t, cord_error *err) {
    *t = arena_text(arena, *t);
    return t->data ? CORD_OK : error_memory(err);
}

/* The same wherever the row stands in its file. The answer has no part in it, because seeds are made from ids, and what a
 * proposer is sent must not depend on the answer. */
cord_text problem_id_of(cord_text question, struct arena *arena) {
    char hex[65];
    sha256_text(question, hex);
    return text_of(arena_printf(arena, "p-%.16s", hex));
}

/* Ids name problems in journals and on command lines: each may stand for one row only. */
static cord_status claim_id(struct reading *r, struct problem *p, const char *what, cord_error *err) {
    const json_t *line = json_object_get(r->seen, p->question.id.data);
    if (line)
        return error_set(err, CORD_BAD_INPUT, "%s in line %lld already", what, (long long)json_integer_value(line));
    return json_object_set_new(r->seen, p->question.id.data, json_integer(p->line)) == 0 ? CORD_OK : error_memory(err);
}

/* ---- rows ---------------------------------------------------------------------------------------------------- */

cord_status problem_read_fields(const struct json_row *row, const struct problem_options *o, const cord_text *fallback,
                                struct arena *arena, struct problem *p, cord_error *err) {
    const char *id_name, *name;
    cord_text id = {0}, question, field;
    CORD_TRY(find_field(row, o->id_field, id_names, &id_name, &id, err));
    id = text_trim(id);
    if (id.len) {
        CORD_TRY(keep(arena, &id, err));
        p->question.id = id;
    } else if (o->id_field) {
        return error_set(err, CORD_BAD_INPUT, "the id in the field '%s' is empty", o->id_field);
    }
    if (fallback) CORD_TRY(find_field(row, o->question_field, question_names, &name, &question, err));
    if (fallback && !name)
        question = *fallback;
    else
        CORD_TRY(need_field(row, o->question_field, question_names, "question", &name, &question, err));
    p->question.text = question; /* as the user wrote it, blanks and all */
    CORD_TRY(need_field(row, o->answer_field, answer_names, "answer", &name, &field, err));
    CORD_TRY(find_gold(field, name, o->format, &p->gold, err));
    CORD_TRY(keep(arena, &p->question.text, err));
    CORD_TRY(keep(arena, &p->gold, err));
    p->target = p->gold;
    if (!o->target_field) return CORD_OK;
    CORD_TRY(need_field(row, o->target_field, answer_names, "target", &name, &field, err));
    p->target = text_trim(field);
    return keep(arena, &p->target, err);
}

/* An id is claimed before anything else is looked at: a bad row keeps it. */
static cord_status fill_problem(struct reading *r, const struct json_row *row, struct problem *p, cord_error *err) {
    cord_error why = {0};
    cord_status status = problem_read_fields(row, r->options, NULL, &r->set->arena, p, &why);
    if (p->question.id.len) CORD_TRY(claim_id(r, p, "the same id stands", err));
    if (status != CORD_OK) {
        if (err) *err = why;
        return status;
    }
    if (p->question.id.len) return CORD_OK;
    p->question.id = problem_id_of(p->question.text, &r->set->arena);
    if (!p->question.id.data) return error_memory(err);
    return claim_id(r, p, "the same question stands", err);
}

static cord_status read_row(struct reading *r, struct problem *p, cord_error *err) {
    struct json_row row;
    CORD_TRY(json_row_parse(&row, p->row, err));
    cord_status status = fill_problem(r, &row, p, err);
    json_row_release(&row);
    return status;
}

/* Marks a row as unusable. It keeps its own id if it has one that no other row owns; else its line names it. */
static cord_status mark_bad(struct reading *r, struct problem *p, const cord_error *why, cord_error *err) {
    cord_text id = p->question.id;
    const json_t *owner = id.data ? json_object_get(r->seen, id.data) : NULL;
    if (!owner || json_integer_value(owner) != p->line) {
        id = text_of(arena_printf(&r->set->arena, "line-%lld", (long long)p->line));
        while (id.data && json_object_get(r->seen, id.data)) id = text_of(arena_printf(&r->set->arena, "%s'", id.data));
        if (!id.data || json_object_set_new(r->seen, id.data, json_integer(p->line)) != 0) return error_memory(err);
    }
    const char *bad = arena_printf(&r->set->arena, "%s", why->message);
    if (!bad) return error_memory(err);
    *p = (struct problem){.question.id = id, .row = p->row, .line = p->line, .index = p->index, .bad = bad};
    if (r->set->n_bad++ == 0) r->first = *why;
    return CORD_OK;
}

static cord_status next_problem(struct reading *r, struct problem **p, cord_error *err) {
    struct problem_set *set = r->set;
    if (set->n == r->capacity) { /* the old array stays in the arena, which costs less than what the rows take */
        if (r->capacity > INT_MAX / 2) return error_memory(err);
        int capacity = r->capacity ? 2 * r->capacity : 64;
        struct problem *grown = arena_alloc(&set->arena, (size_t)capacity * sizeof *grown);
        if (!grown) return error_memory(err);
        if (set->n) memcpy(grown, set->problems, (size_t)set->n * sizeof *grown);
        set->problems = grown;
        r->capacity = capacity;
    }
    *p = &set->problems[set->n];
    (*p)->index = set->n++;
    return CORD_OK;
}

/* Takes the line just read, which `status` and `why` say was read or refused, into the set. */
static cord_status take_row(struct reading *r, const struct line_reader *lines, cord_status status, cord_error *why,
                            cord_error *err) {
    struct problem *p;
    CORD_TRY(next_problem(r, &p, err));
    p->line = lines->number;
    if (status == CORD_OK) {
        p->row = buf_text(&lines->line);
        CORD_TRY(keep(&r->set->arena, &p->row, err));
        buf_add(&r->rows, p->row);
        buf_addc(&r->rows, '\n');
        status = read_row(r, p, why);
    }
    if (status == CORD_OK) return CORD_OK;
    error_where(why, "%s:%lld", r->options->path, (long long)p->line);
    if (status == CORD_BAD_INPUT) return mark_bad(r, p, why, err);
    if (err) *err = *why;
    return status;
}

/* ---- the set ------------------------------------------------------------------------------------------------- */

static cord_status read_rows(struct reading *r, FILE *file, cord_error *err) {
    const struct problem_options *o = r->options;
    struct line_reader lines;
    line_reader_init(&lines, file, o->path, LINE_LIMIT);
    cord_status status = CORD_OK;
    for (int64_t row = 0; status == CORD_OK && (o->limit == 0 || r->set->n < o->limit); row++) {
        bool more;
        cord_error why = {0};
        status = line_read(&lines, &more, &why);
        if (status != CORD_OK && status != CORD_BAD_INPUT) {
            if (err) *err = why;
        } else if (!more) {
            break;
        } else {
            status = row < o->skip ? CORD_OK : take_row(r, &lines, status, &why, err);
        }
    }
    line_reader_release(&lines);
    return status;
}

static cord_status check_set(const struct reading *r, cord_error *err) {
    const struct problem_set *set = r->set;
    if (set->n == 0) {
        error_where(err, "%s", r->options->path);
        return error_set(err, CORD_BAD_INPUT,
                         r->options->skip ? "there is no row left after those that were skipped"
                                          : "there is no row in this file");
    }
    if (set->n_bad < set->n) return CORD_OK;
    error_where(err, "%s", r->first.where);
    return error_set(err, CORD_BAD_INPUT, "none of the %d row%s can be used: %s", set->n, set->n == 1 ? "" : "s",
                     r->first.message);
}

static cord_status read_file(struct reading *r, cord_error *err) {
    if (!r->seen) return error_memory(err);
    FILE *file = fopen(r->options->path, "rb");
    if (!file) return error_errno(err, "open", r->options->path);
    cord_status status = read_rows(r, file, err);
    fclose(file);
    CORD_TRY(status);
    CORD_TRY(check_set(r, err));
    CORD_TRY(buf_check(&r->rows, err));
    sha256_text(buf_text(&r->rows), r->set->sha256);
    return CORD_OK;
}

cord_status problem_set_read(struct problem_set *set, const struct problem_options *options, cord_error *err) {
    *set = (struct problem_set){0};
    arena_init(&set->arena);
    struct reading r = {.set = set, .options = options, .seen = json_object()};
    buf_init(&r.rows, "a problem set", SIZE_MAX / 4);
    cord_status status = read_file(&r, err);
    json_decref(r.seen);
    buf_release(&r.rows);
    if (status != CORD_OK) problem_set_release(set);
    return status;
}

void problem_set_release(struct problem_set *set) {
    arena_release(&set->arena);
    *set = (struct problem_set){0};
}
