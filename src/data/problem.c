/* problem.c - makes problems of rows: the layout says which field is what, the options may say otherwise. A row becomes a
 * problem, or a problem with a reason; one bad row never costs the others.
 * It must not know kinds of files, nor who solves the problems. */
#include "data/problem.h"
#include "base/json.h"
#include "data/gold.h"
#include "data/row_texts.h"
#include "data/seen.h"
#include "data/source.h"

#include <limits.h>
#include <stdlib.h>

enum { TEXT_LIMIT = 128 << 20 };

static const char *const id_names[] = {"id", "unique_id", "problem_id", "uid", NULL};
static const char *const question_names[] = {"question", "problem", "prompt", NULL};
static const char *const answer_names[] = {"answer", "gold", "final_answer", "solution", NULL};

struct problem_reader {
    const struct problem_options *options;
    struct source source;
    bool source_is_open;
    struct seen ids;        /* id -> line */
    int64_t rows;           /* problems come to so far, those that were skipped, too */
    struct arena arena;     /* of the problem that was told last */
    struct json_row record; /* one of several problems, while they are told */
    int part, parts;        /* which comes next, and of how many; 0: the next row is to be read */
    cord_text left;         /* of the record, what has not been told */
    struct buf record_text, row;
};

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
    return *found ? json_row_text(row, *found, out, err) : CORD_OK;
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

/* What a row is filled in by. */
struct filling {
    const struct problem_options *options;
    struct arena *arena;
    const cord_text *question; /* what is asked where no field says it; NULL: then such a row is wrong */
};

/* A text that goes on from here: without NUL characters, and for as long as the problem lives. */
static cord_status keep(const struct filling *f, const char *field, cord_text *t, cord_error *err) {
    CORD_TRY(row_check_text(field, *t, err));
    *t = arena_text(f->arena, *t);
    return t->data ? CORD_OK : error_memory(err);
}

/* ---- id, question, context ------------------------------------------------------------------------------------ */

static cord_status read_id(const struct filling *f, const struct json_row *row, const struct layout *layout,
                           cord_text own, struct problem *p, cord_error *err) {
    const char *const one[] = {layout->id, NULL}, *name = "id", *named = f->options->id_field;
    if (named && strcmp(named, "-") == 0) return CORD_OK;
    if (named || !own.len) CORD_TRY(find_field(row, named, layout->id ? one : id_names, &name, &own, err));
    if (!named && !text_trim(own).len && layout->id) CORD_TRY(find_field(row, NULL, id_names, &name, &own, err));
    own = text_trim(own);
    if (!own.len && named) return error_set(err, CORD_BAD_INPUT, "the id in the field '%s' is empty", named);
    if (!own.len) return CORD_OK;
    CORD_TRY(keep(f, name, &own, err));
    p->question.id = own;
    return CORD_OK;
}

/* ---- question and context ------------------------------------------------------------------------------------ */

/* What stands before a question, with an empty line between. */
static cord_status join(const struct filling *f, cord_text context, cord_text question, cord_text *joined,
                        cord_error *err) {
    struct buf out;
    buf_init(&out, "a question with its context", TEXT_LIMIT);
    buf_add(&out, text_trim(context));
    buf_add(&out, TEXT("\n\n"));
    buf_add(&out, question);
    cord_status status = buf_check(&out, err);
    *joined = buf_text(&out);
    if (status == CORD_OK) status = keep(f, "context", joined, err);
    buf_release(&out);
    return status;
}

/* The field that is named, which then has to be there, or `usual` where that is a text. */
static cord_status find_context(const struct json_row *row, const char *named, const char *usual, cord_text *context,
                                cord_error *err) {
    const struct json_member *member = json_row_get(row, usual);
    if (named) return json_row_text(row, named, context, err);
    if (member && json_is_string(member->value)) (void)json_member_text(member, context);
    return CORD_OK;
}

static cord_status read_question(const struct filling *f, const struct json_row *row, const struct layout *layout,
                                 const struct layout_texts *texts, struct problem *p, cord_error *err) {
    const struct problem_options *o = f->options;
    const char *const one[] = {layout->question, NULL}, *name = "question";
    cord_text question = texts->question, context = texts->context, full = {0};
    bool named = (o->question_field && !layout->fits_named) || !layout->read;
    if (named && f->question)
        CORD_TRY(find_field(row, o->question_field, layout->question ? one : question_names, &name, &question, err));
    if (named && f->question && !name) {
        name = "question";
        question = *f->question;
    } else if (named) {
        CORD_TRY(need_field(row, o->question_field, layout->question ? one : question_names, "question", &name,
                            &question, err));
    }
    if (!text_trim(question).len) return error_set(err, CORD_BAD_INPUT, "the row has no question, or an empty one");
    if (o->context_field || !context.len) CORD_TRY(find_context(row, o->context_field, "context", &context, err));
    CORD_TRY(find_context(row, o->full_context_field, "full_context", &full, err));
    if (text_trim(full).len) CORD_TRY(join(f, full, question, &p->full_question, err));
    p->has_context = text_trim(context).len > 0;
    if (p->has_context) return join(f, context, question, &p->question.text, err);
    p->question.text = question; /* as the user wrote it, blanks and all */
    return keep(f, name, &p->question.text, err);
}

/* ---- gold and target ----------------------------------------------------------------------------------------- */

static cord_status find_gold(const struct filling *f, const struct layout *layout, cord_text field, const char *name,
                             struct gold *gold, cord_error *err) {
    enum answer_format asked = f->options->format;
    cord_error ignored = {0};
    if (asked != ANSWER_AUTO || layout->format != ANSWER_INTEGER)
        return gold_find(field, name, asked != ANSWER_AUTO ? asked : layout->format, gold, err);
    /* AIME 2025 has an answer "336^\circ" */
    if (gold_find(field, name, ANSWER_INTEGER, gold, &ignored) == CORD_OK) return CORD_OK;
    return gold_find(field, name, ANSWER_AUTO, gold, err);
}

static cord_status read_target(const struct filling *f, const struct json_row *row, cord_text own, struct problem *p,
                               cord_error *err) {
    const char *name = "target";
    p->target = p->gold;
    if (!f->options->target_field && !own.len) return CORD_OK;
    if (f->options->target_field)
        CORD_TRY(need_field(row, f->options->target_field, answer_names, "target", &name, &own, err));
    p->target = text_trim(own);
    return keep(f, name, &p->target, err);
}

static cord_status read_gold(const struct filling *f, const struct json_row *row, const struct layout *layout,
                             const struct layout_texts *texts, struct problem *p, cord_error *err) {
    const char *const one[] = {layout->answer, NULL}, *named = f->options->answer_field;
    const char *name = texts->answer_name;
    cord_text field = texts->answer;
    struct gold gold;
    bool own = (!named || layout->fits_named) &&
               texts->answer_name; /* not a field as it stands, but what the layout made of some */
    if (!own)
        CORD_TRY(need_field(row, named, layout->answer ? one : answer_names, "answer", &name, &field, err));
    else if (!text_trim(field).len)
        return error_set(err, CORD_BAD_INPUT, "the answer in the field '%s' is missing, null or empty", name);
    CORD_TRY(find_gold(f, layout, field, name, &gold, err));
    p->gold = gold.text;
    p->gold_how = own && texts->how && f->options->format == ANSWER_AUTO ? texts->how : gold.how;
    p->gold_field = text_of(name);
    if (layout->calculator) CORD_TRY(gold_without_calculator(p->gold, f->arena, &p->gold, err));
    if (!p->gold.len) return error_set(err, CORD_BAD_INPUT, "the answer in the field '%s' is empty", name);
    CORD_TRY(keep(f, name, &p->gold, err));
    CORD_TRY(keep(f, name, &p->gold_field, err));
    CORD_TRY(read_target(f, row, own ? texts->target : (cord_text){0}, p, err));
    if (!layout->calculator) return CORD_OK;
    return gold_without_calculator(p->target, f->arena, &p->target, err);
}

/* ---- rows ---------------------------------------------------------------------------------------------------- */

cord_status problem_read_fields(const struct json_row *row, const struct problem_options *options,
                                const cord_text *question, struct arena *arena, struct problem *p, cord_error *err) {
    const struct filling f = {options, arena, question};
    const struct layout_options said = {options->judged, options->question_field, options->answer_field};
    const struct layout *layout = layout_of(row, &said);
    struct layout_texts texts = {0};
    cord_error bad = {0};
    p->layout = layout->name;
    cord_status read = layout->read ? layout->read(row, &said, arena, &texts, &bad) : CORD_OK;
    CORD_TRY(read_id(&f, row, layout, texts.id, p, err)); /* first, so that a bad row has its own name */
    if (read != CORD_OK) return error_set(err, read, "%s", bad.message);
    CORD_TRY(read_question(&f, row, layout, &texts, p, err));
    return read_gold(&f, row, layout, &texts, p, err);
}

/* The same wherever the row stands in its file. The answer has no part in it, because seeds are made from ids, and what a
 * proposer is sent must not depend on the answer. */
cord_text problem_id_of(cord_text question, struct arena *arena) {
    char hex[65];
    sha256_text(question, hex);
    return text_of(arena_printf(arena, "p-%.16s", hex));
}

/* Ids name problems in journals and on command lines: each may stand for one row only. */
static cord_status claim_id(struct problem_reader *r, struct problem *p, const char *what, const char *advice,
                            cord_error *err) {
    int64_t line;
    CORD_TRY(seen_note(&r->ids, p->question.id, p->line, &line, err));
    if (!line) return CORD_OK;
    p->question.id = (cord_text){0}; /* it is the other's; this one gets another name */
    return error_set(err, CORD_BAD_INPUT, "%s in %s %lld already%s", what, r->source.unit, (long long)line, advice);
}

/* An id is claimed before anything else is looked at: a bad row keeps it. */
static cord_status fill_problem(struct problem_reader *r, const struct json_row *row, struct problem *p,
                                cord_error *err) {
    cord_error why = {0};
    cord_status status = problem_read_fields(row, r->options, NULL, &r->arena, p, &why);
    if (p->question.id.len) CORD_TRY(claim_id(r, p, "the same id stands", REPEATED_ID_ADVICE, err));
    if (status != CORD_OK) {
        if (err) *err = why;
        return status;
    }
    if (p->question.id.len) return CORD_OK;
    p->question.id = problem_id_of(p->question.text, &r->arena);
    if (!p->question.id.data) return error_memory(err);
    p->made_id = true;
    return claim_id(r, p, "the same question stands", "", err);
}

static cord_status read_row(struct problem_reader *r, struct problem *p, cord_error *err) {
    struct json_row row;
    CORD_TRY(json_row_parse(&row, p->row, err));
    cord_status status = fill_problem(r, &row, p, err);
    json_row_release(&row);
    return status;
}

/* Marks a row as unusable. It keeps its own id if it has one that no other row owns; else its line names it. */
static cord_status mark_bad(struct problem_reader *r, struct problem *p, const cord_error *why, cord_error *err) {
    cord_text id = p->question.id;
    int64_t taken = !id.data;
    for (const char *name = NULL; taken;) {
        name = name ? arena_printf(&r->arena, "%s'", name)
                    : arena_printf(&r->arena, "%s-%lld", r->source.unit, (long long)p->line);
        if (!name) return error_memory(err);
        id = text_of(name);
        CORD_TRY(seen_note(&r->ids, id, p->line, &taken, err));
    }
    const char *bad = arena_printf(&r->arena, "%s", why->message);
    if (!bad) return error_memory(err);
    *p = (struct problem){.question.id = id,
                          .row = p->row,
                          .line = p->line,
                          .index = p->index,
                          .bad = bad,
                          .layout = p->layout ? p->layout : "fields"};
    return CORD_OK;
}

/* The row just read, which `why` may say could not be. */
static cord_status take_row(struct problem_reader *r, cord_text row, cord_error *why, struct problem *p,
                            cord_error *err) {
    cord_status status = why->code;
    p->line = r->source.number;
    if (status == CORD_OK) {
        p->row = arena_text(&r->arena, row);
        if (!p->row.data) return error_memory(err);
        status = read_row(r, p, why);
    }
    if (status == CORD_OK) return CORD_OK;
    if (status == CORD_BAD_INPUT) return mark_bad(r, p, why, err);
    source_where(&r->source, why);
    if (err) *err = *why;
    return status;
}

/* ---- one problem at a time ------------------------------------------------------------------------------------- */

static void end_record(struct problem_reader *r) {
    if (r->parts) json_row_release(&r->record);
    r->part = r->parts = 0;
}

/* Whether the row is a record of several problems; then it is kept, to tell one after the other. */
static cord_status begin_record(struct problem_reader *r, cord_text row, cord_error *err) {
    cord_error ignored = {0};
    if (!layout_may_unfold(row)) return CORD_OK; /* so that a row is not parsed twice */
    buf_clear(&r->record_text);
    buf_add(&r->record_text, row);
    CORD_TRY(buf_check(&r->record_text, err));
    if (json_row_parse(&r->record, buf_text(&r->record_text), &ignored) != CORD_OK) return CORD_OK; /* told later */
    r->parts = layout_unfold(&r->record);
    if (!r->parts) json_row_release(&r->record);
    return CORD_OK;
}

/* The next row, of the file or of a record. */
static cord_status next_row(struct problem_reader *r, bool *more, cord_text *row, cord_error *why, cord_error *err) {
    *more = true;
    if (r->part == r->parts) {
        end_record(r);
        CORD_TRY(source_next(&r->source, more, row, why, err));
        if (!*more || why->code != CORD_OK) return CORD_OK;
        CORD_TRY(begin_record(r, *row, err));
    }
    if (!r->parts) return CORD_OK;
    cord_status status = layout_part(&r->record, r->part++, &r->left, &r->row, why);
    *row = status == CORD_OK ? buf_text(&r->row) : (cord_text){0};
    if (status == CORD_OK || status == CORD_BAD_INPUT) return CORD_OK;
    if (err) *err = *why;
    return status;
}

cord_status problem_reader_open(const struct problem_options *options, struct problem_reader **reader,
                                cord_error *err) {
    struct problem_reader *r = *reader = calloc(1, sizeof *r);
    if (!r) return error_memory(err);
    r->options = options;
    seen_init(&r->ids);
    arena_init(&r->arena);
    buf_init(&r->record_text, "a record of several problems", TEXT_LIMIT);
    buf_init(&r->row, "a problem of a record", TEXT_LIMIT);
    cord_status status = source_open(&r->source, options->path, options->library, err);
    r->source_is_open = status == CORD_OK;
    if (status == CORD_OK) return CORD_OK;
    problem_reader_close(r);
    *reader = NULL;
    return status;
}

cord_status problem_reader_next(struct problem_reader *r, bool *more, struct problem *problem, cord_error *err) {
    const struct problem_options *o = r->options;
    int64_t taken = r->rows - o->skip;
    if (o->limit && taken >= o->limit) return *more = false, CORD_OK;
    arena_release(&r->arena);
    for (;;) {
        cord_text row = {0};
        cord_error why = {0};
        CORD_TRY(next_row(r, more, &row, &why, err));
        if (!*more) return CORD_OK;
        if (r->rows++ < o->skip) continue;
        *problem = (struct problem){.index = (int)(r->rows - 1 - o->skip)};
        if (r->rows - o->skip > INT_MAX) return error_set(err, CORD_BAD_INPUT, "the file has too many problems");
        return take_row(r, row, &why, problem, err);
    }
}

void problem_reader_close(struct problem_reader *r) {
    if (!r) return;
    end_record(r);
    if (r->source_is_open) source_close(&r->source);
    seen_release(&r->ids);
    arena_release(&r->arena);
    buf_release(&r->record_text);
    buf_release(&r->row);
    free(r);
}

const char *problem_reader_kind(const struct problem_reader *r) { return r->source.kind; }
const char *problem_reader_unit(const struct problem_reader *r) { return r->source.unit; }
void problem_reader_where(const struct problem_reader *r, cord_error *err) { source_where(&r->source, err); }
