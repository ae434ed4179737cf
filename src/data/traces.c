/* traces.c - see traces.h. It must not know who scores traces, or what a step is. */
#include "data/row_traces.h"
#include "data/seen.h"
#include "data/source.h"

#include <limits.h>
#include <stdio.h>

enum { MOST_PROBLEM = 1 << 30 };

static const char *const hash_name = "traces_sha256";

/* What is known of each problem; heads lie one behind the other by index. */
struct head {
    int64_t problem; /* where it lies in reading.problems, as its first row had it */
    int64_t last;    /* where its last trace lies; -1: it has none */
    int n;           /* traces */
};

/* A trace in the spool; its texts stand behind it. */
struct kept_trace {
    int64_t previous, line; /* where the problem's trace before this one lies, or -1 */
    int source;             /* as found */
    size_t reasoning, reply;
};

struct reading {
    struct trace_set *set;
    const struct trace_options *options;
    struct source source;
    struct problem_set problems; /* without their traces' hashes yet: a row lacks its end */
    struct seen ids;    /* id -> index of its problem, from 1; questions without an id, by the id made of them */
    struct arena arena; /* of the row that is being read */
    cord_error first;   /* what was wrong with the first bad row */
};

/* ---- problems -------------------------------------------------------------------------------------------------- */

/* Puts a problem of which no row came before. */
static cord_status put_problem(struct reading *r, const struct problem *p, cord_error *err) {
    const struct head head = {spool_end(&r->problems.kept), -1, 0};
    if (r->problems.n == INT_MAX) return error_set(err, CORD_BAD_INPUT, "the file has too many problems");
    CORD_TRY(problem_set_add(&r->problems, p, err));
    return spool_add(&r->set->heads, &head, sizeof head, err);
}

static cord_status read_head(const struct trace_set *set, int index, struct head *head, cord_error *err) {
    return spool_read(&set->heads, index * (int64_t)sizeof *head, head, sizeof *head, err);
}

/* The row's own fields, as they stand, up to where the hash goes. */
static cord_status keep_fields(struct reading *r, const struct json_row *json, struct row_traces *row,
                               cord_text *fields, cord_error *err) {
    struct buf line;
    buf_init(&line, "a row without its traces", TABLE_ROW_BYTES);
    struct json_writer w = {.out = &line};
    row_traces_leave_out(row, hash_name);
    row->used[row->n_used] = NULL;
    json_open(&w, NULL, '{');
    json_row_copy(json, &w, row->used);
    return buf_take(&line, &r->arena, fields, err);
}

static cord_status put_trace(struct trace_set *set, struct head *head, const struct trace *trace, int64_t line,
                             cord_error *err) {
    const struct kept_trace kept = {head->last, line, trace->source, trace->reasoning.len, trace->reply.len};
    *head = (struct head){head->problem, spool_end(&set->traces), head->n + 1};
    CORD_TRY(spool_add(&set->traces, &kept, sizeof kept, err));
    CORD_TRY(spool_add(&set->traces, trace->reasoning.data, kept.reasoning, err));
    return spool_add(&set->traces, trace->reply.data, kept.reply, err);
}

/* Puts a row's traces to its problem's. */
static cord_status put_traces(struct reading *r, int index, const struct row_traces *row, int64_t line,
                              cord_error *err) {
    struct trace_set *set = r->set;
    struct head head;
    CORD_TRY(read_head(set, index, &head, err));
    if (INT_MAX - row->n < set->n_traces) return error_set(err, CORD_BAD_INPUT, "the file has too many traces");
    for (int i = 0; i < row->n; i++) {
        const struct trace *trace = &row->traces[i];
        size_t bytes = trace->reasoning.len + trace->reply.len;
        if (bytes > set->longest) set->longest = bytes;
        CORD_TRY(put_trace(set, &head, trace, line, err));
        set->n_traces++;
    }
    return spool_change(&set->heads, index * (int64_t)sizeof head, &head, sizeof head, err);
}

static cord_status compare_problems(const struct reading *r, const struct problem *own, const struct problem *p,
                                    cord_error *err) {
    if (!text_equal(own->question.text, p->question.text))
        return error_set(err, CORD_BAD_INPUT, "the id '%.100s' has another question in %s %lld" REPEATED_ID_ADVICE,
                         p->question.id.data, r->source.unit, (long long)own->line);
    if (!text_equal(own->gold, p->gold) || !text_equal(own->target, p->target))
        return error_set(err, CORD_BAD_INPUT, "the same problem has another answer in %s %lld: '%.*s'", r->source.unit,
                         (long long)own->line, (int)(own->gold.len < 60 ? own->gold.len : 60), own->gold.data);
    return CORD_OK;
}

/* What a later row of a problem says of it must be what the first one said. */
static cord_status check_later(const struct reading *r, int index, const struct problem *p, cord_error *err) {
    struct problem_walk walk;
    struct problem own;
    struct head head;
    cord_status status = CORD_OK;
    CORD_TRY(read_head(r->set, index, &head, err));
    problem_walk_begin(&walk, &r->problems, err);
    walk.at = head.problem;
    if (problem_walk_next(&walk, &own)) status = compare_problems(r, &own, p, err);
    return problem_walk_end(&walk, status);
}

/* The problem that a row belongs to: a new one, or the one of an earlier row, which it must agree with. */
static cord_status find_problem(struct reading *r, const struct json_row *json, struct problem *p,
                                struct row_traces *row, int *index, cord_error *err) {
    int64_t earlier;
    *index = r->problems.n;
    CORD_TRY(seen_note(&r->ids, p->question.id, *index + 1, &earlier, err));
    if (earlier) {
        *index = (int)earlier - 1;
        return check_later(r, *index, p, err);
    }
    p->index = *index;
    CORD_TRY(keep_fields(r, json, row, &p->row, err));
    return put_problem(r, p, err);
}

static cord_status take_object(struct reading *r, const struct json_row *json, cord_error *err) {
    struct problem p = {.line = r->source.number};
    struct row_traces row = {0};
    int index;
    const struct row_reader reader = {r->set, r->options, &r->arena};
    CORD_TRY(row_traces_read(&reader, json, &row, err));
    CORD_TRY(
        problem_read_fields(json, &r->options->problems, row.question.data ? &row.question : NULL, &r->arena, &p, err));
    if (!p.question.id.len) p.question.id = problem_id_of(p.question.text, &r->arena);
    if (!p.question.id.data) return error_memory(err);
    CORD_TRY(find_problem(r, json, &p, &row, &index, err));
    return put_traces(r, index, &row, r->source.number, err);
}

/* A row that cannot be used, as a problem of its own that is bad. */
static cord_status add_bad(struct reading *r, cord_text row, const cord_error *why, cord_error *err) {
    struct problem p = {.row = row, .line = r->source.number, .index = r->problems.n, .bad = why->message};
    char *id = arena_printf(&r->arena, "%s-%lld", r->source.unit, (long long)p.line);
    for (int64_t earlier = 1; earlier;) {
        if (!id) return error_memory(err);
        CORD_TRY(seen_note(&r->ids, text_of(id), p.index + 1, &earlier, err));
        if (earlier) id = arena_printf(&r->arena, "%s'", id);
    }
    p.question.id = text_of(id);
    if (!r->problems.n_bad) r->first = *why;
    return put_problem(r, &p, err);
}

/* The row just read, which `why` may say could not be. */
static cord_status take_row(struct reading *r, cord_text row, cord_error *why, cord_error *err) {
    struct json_row json;
    cord_status status = why->code;
    if (status == CORD_OK) status = json_row_parse(&json, row, why);
    if (status == CORD_OK) {
        status = take_object(r, &json, why);
        json_row_release(&json);
    }
    if (status == CORD_OK) return CORD_OK;
    source_where(&r->source, why);
    if (status == CORD_BAD_INPUT) return add_bad(r, row.data ? row : TEXT(""), why, err);
    if (err) *err = *why;
    return status;
}

/* ---- the set --------------------------------------------------------------------------------------------------- */

static cord_status read_rows(struct reading *r, cord_error *err) {
    for (;;) {
        bool more;
        cord_text row;
        cord_error why;
        CORD_TRY(source_next(&r->source, &more, &row, &why, err));
        if (!more) return CORD_OK;
        cord_status status = take_row(r, row, &why, err);
        arena_release(&r->arena);
        CORD_TRY(status);
    }
}

/* Of all its traces, and of who wrote them. */
static cord_status hash_traces(const struct trace_set *set, int problem, struct arena *arena, const char **hex,
                               cord_error *err) {
    struct trace_list list;
    struct buf text;
    CORD_TRY(trace_set_get(set, problem, arena, &list, err));
    buf_init(&text, "a problem's traces", MOST_PROBLEM);
    for (int i = 0; i < list.n; i++) {
        char reasoning[65], reply[65];
        sha256_text(list.traces[i].reasoning, reasoning);
        sha256_text(list.traces[i].reply, reply);
        buf_addf(&text, "%s %s %s\n", reasoning, reply, set->sources[list.traces[i].source]);
    }
    return sha256_buf(&text, 64, arena, hex, err);
}

/* A problem's row, with the hash of its traces. `arena`: of the problem. */
static cord_status finish_problem(struct trace_set *set, struct problem *p, struct arena *arena, cord_error *err) {
    const char *hex;
    p->index -= set->skipped;
    if (!p->bad) {
        cord_text fields = p->row;
        CORD_TRY(hash_traces(set, p->index, arena, &hex, err));
        bool empty = fields.len && fields.data[fields.len - 1] == '{';
        char *row =
            arena_printf(arena, "%.*s%s\"%s\":\"%s\"}", (int)fields.len, fields.data, empty ? "" : ",", hash_name, hex);
        if (!row) return error_memory(err);
        p->row = text_of(row);
    }
    return problem_set_add(&set->problems, p, err);
}

static cord_status finish(struct reading *r, cord_error *err) {
    const struct problem_options *o = &r->options->problems;
    struct trace_set *set = r->set;
    int n = r->problems.n;
    CORD_TRY(problem_set_check(&r->problems, o, &r->first, err));
    set->skipped = o->skip < n ? (int)o->skip : n;
    n -= set->skipped;
    if (!n) return problem_set_check(&set->problems, o, &r->first, err);
    if (o->limit && n > o->limit) n = (int)o->limit;
    struct problem_walk walk;
    struct problem p;
    cord_status status = CORD_OK;
    problem_walk_begin(&walk, &r->problems, err);
    while (status == CORD_OK && set->problems.n < n && problem_walk_next(&walk, &p))
        if (p.index >= set->skipped) status = finish_problem(set, &p, &walk.arena, err);
    return problem_walk_end(&walk, status);
}

static cord_status read_file(struct reading *r, cord_error *err) {
    struct trace_set *set = r->set;
    set->sources = arena_alloc(&set->arena, TRACE_SOURCES * sizeof *set->sources);
    if (!set->sources) return error_memory(err);
    for (int i = 0; i < TRACE_SOURCES; i++) set->numbers[i] = i;
    CORD_TRY(source_open(&r->source, r->options->problems.path, r->options->problems.library, err));
    problem_set_init(&set->problems, r->source.unit);
    problem_set_init(&r->problems, r->source.unit);
    cord_status status = read_rows(r, err);
    source_close(&r->source);
    return status == CORD_OK ? finish(r, err) : status;
}

cord_status trace_set_read(struct trace_set *set, const struct trace_options *options, cord_error *err) {
    struct reading r = {.set = set, .options = options};
    *set = (struct trace_set){0};
    arena_init(&set->arena);
    spool_init(&set->heads);
    spool_init(&set->traces);
    arena_init(&r.arena);
    seen_init(&r.ids);
    cord_status status = read_file(&r, err);
    problem_set_release(&r.problems);
    seen_release(&r.ids);
    arena_release(&r.arena);
    if (status != CORD_OK) trace_set_release(set);
    return status;
}

void trace_set_release(struct trace_set *set) {
    problem_set_release(&set->problems);
    spool_release(&set->heads);
    spool_release(&set->traces);
    arena_release(&set->arena);
    *set = (struct trace_set){0};
}

/* ---- a problem's traces ---------------------------------------------------------------------------------------- */

/* *at moves on to the trace before it. */
static cord_status read_kept(const struct trace_set *set, int64_t *at, struct arena *arena, struct trace *trace,
                             cord_error *err) {
    struct kept_trace kept;
    CORD_TRY(spool_read(&set->traces, *at, &kept, sizeof kept, err));
    char *texts = arena_alloc(arena, kept.reasoning + kept.reply + 2);
    if (!texts) return error_memory(err);
    char *reply = texts + kept.reasoning + 1;
    int64_t behind = *at + (int64_t)sizeof kept;
    CORD_TRY(spool_read(&set->traces, behind, texts, kept.reasoning, err));
    CORD_TRY(spool_read(&set->traces, behind + (int64_t)kept.reasoning, reply, kept.reply, err));
    *trace = (struct trace){set->numbers[kept.source], 0, {texts, kept.reasoning}, {reply, kept.reply}, kept.line};
    *at = kept.previous;
    return CORD_OK;
}

cord_status trace_set_get(const struct trace_set *set, int problem, struct arena *arena, struct trace_list *list,
                          cord_error *err) {
    struct head head;
    CORD_TRY(read_head(set, problem + set->skipped, &head, err));
    *list = (struct trace_list){arena_alloc(arena, (size_t)(head.n + 1) * sizeof *list->traces), head.n};
    int *samples = arena_alloc(arena, (size_t)set->n_sources * sizeof *samples + 1);
    if (!list->traces || !samples) return error_memory(err);
    for (int i = head.n; i-- > 0;) CORD_TRY(read_kept(set, &head.last, arena, &list->traces[i], err));
    for (int i = 0; i < head.n; i++) list->traces[i].sample = samples[list->traces[i].source]++;
    return CORD_OK;
}

cord_status trace_set_renumber(struct trace_set *set, const char *const *names, int n, cord_error *err) {
    int count = n;
    const char **sources = arena_alloc(&set->arena, (size_t)(n + set->n_sources + 1) * sizeof *sources);
    if (!sources) return error_memory(err);
    for (int i = 0; i < n; i++) {
        sources[i] = arena_text(&set->arena, text_of(names[i])).data;
        if (!sources[i]) return error_memory(err);
    }
    for (int i = 0; i < set->n_sources; i++) {
        int *number = &set->numbers[i];
        for (*number = 0; *number < n && strcmp(sources[*number], set->sources[i]) != 0;) ++*number;
        if (*number == n) sources[ *number = count++] = set->sources[i];
    }
    set->sources = sources;
    set->n_sources = count;
    return CORD_OK;
}
