/* traces.c - see traces.h. It must not know who scores traces, or what a step is. */
#include "data/traces.h"

#include "base/json.h"
#include "data/seen.h"
#include "data/source.h"

#include <limits.h>
#include <stdio.h>

enum { MOST_PROBLEM = 1 << 30, SOURCE_BYTES = 64 };

/* Fields that are known to hold traces: with what was said behind the thinking, and who wrote it. The last is LIMO's; where a
 * row has another of these, a "solution" is what the answer is taken from. */
static const struct {
    const char *field, *attempt, *source;
} known[] = {
    {"trace", NULL, "trace"},
    {"traces", NULL, "traces"},
    {"reasoning", NULL, "reasoning"},
    {"generations", NULL, "generations"},
    {"thinking_trajectories", "attempt", "gemini"},                   /* s1K */
    {"deepseek_thinking_trajectory", "deepseek_attempt", "deepseek"}, /* s1K-1.1 */
    {"gemini_thinking_trajectory", "gemini_attempt", "gemini"},
    {"messages", NULL, "messages"},
    {"conversations", NULL, "conversations"},
    {"solution", NULL, "solution"},
};
enum { KNOWN = sizeof known / sizeof *known };

/* Names of the parts of a trace that is an object. */
static const char *const text_names[] = {"trace", "reasoning", "text", NULL};
static const char *const reply_names[] = {"attempt", "reply", "answer", NULL};
static const char *const source_names[] = {"source", "model", "teacher", NULL};
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

/* A row's traces, before it is known whose they are. */
struct row_traces {
    struct trace *traces;
    int n, room;
    cord_text question; /* of a conversation; data NULL: it has none */
    const char
        *used[2 * TRACE_FIELDS + 2]; /* fields with traces in them, and their attempts: no part of the problem's row */
    int n_used;
};

/* ---- names of sources ------------------------------------------------------------------------------------------ */

static cord_status find_source(struct reading *r, cord_text name, int *source, cord_error *err) {
    struct trace_set *set = r->set;
    name = text_trim(name);
    if (!name.len) return error_set(err, CORD_BAD_INPUT, "the name of a trace's source is empty");
    if (name.len > SOURCE_BYTES)
        return error_set(err, CORD_BAD_INPUT, "the name of a trace's source has more than %d bytes", SOURCE_BYTES);
    for (*source = 0; *source < set->n_sources; ++*source)
        if (text_equal(name, text_of(set->sources[*source]))) return CORD_OK;
    if (set->n_sources == TRACE_SOURCES)
        return error_set(err, CORD_BAD_INPUT, "there are more than %d sources of traces", TRACE_SOURCES);
    set->sources[set->n_sources] = arena_text(&set->arena, name).data;
    return set->sources[set->n_sources++] ? CORD_OK : error_memory(err);
}

/* ---- one trace ------------------------------------------------------------------------------------------------- */

/* Divides a text at "</think>"; what a model's own reply is stands behind it. */
static void divide(cord_text text, struct trace *trace) {
    cord_text open = TEXT("<think>"), close = TEXT("</think>");
    text = text_trim(text);
    if (text_starts(text, open)) text = text_slice(text, open.len, text.len);
    ptrdiff_t at = text_find(text, close);
    trace->reply = (cord_text){"", 0};
    if (at >= 0) trace->reply = text_trim(text_slice(text, (size_t)at + close.len, text.len));
    trace->reasoning = text_trim(at >= 0 ? text_slice(text, 0, (size_t)at) : text);
}

static cord_status add_trace(struct reading *r, struct row_traces *row, const char *field, cord_text text,
                             cord_text attempt, cord_text source, cord_error *err) {
    struct arena *arena = &r->arena;
    if (row->n == row->room) {
        int room = row->room ? 2 * row->room : 4;
        struct trace *grown = arena_alloc(arena, (size_t)room * sizeof *grown);
        if (!grown) return error_memory(err);
        if (row->n) memcpy(grown, row->traces, (size_t)row->n * sizeof *grown);
        row->traces = grown;
        row->room = room;
    }
    struct trace *trace = &row->traces[row->n++];
    *trace = (struct trace){0};
    divide(text, trace);
    if (text_trim(attempt).len) trace->reply = text_trim(attempt);
    if (memchr(text.len ? text.data : "", '\0', text.len) || memchr(attempt.len ? attempt.data : "", '\0', attempt.len))
        return error_set(err, CORD_BAD_INPUT, "the field '%s' has a NUL character in it", field);
    trace->reasoning = arena_text(arena, trace->reasoning);
    trace->reply = arena_text(arena, trace->reply);
    if (!trace->reasoning.data || !trace->reply.data) return error_memory(err);
    return find_source(r, source, &trace->source, err);
}

static cord_text string_of(const json_t *value) {
    return json_is_string(value) ? (cord_text){json_string_value(value), json_string_length(value)} : (cord_text){0};
}

static const json_t *member_of(const json_t *object, const char *const *names) {
    for (; *names; names++)
        if (json_is_string(json_object_get(object, *names))) return json_object_get(object, *names);
    return NULL;
}

/* ---- conversations --------------------------------------------------------------------------------------------- */

static bool is_role(cord_text role, const char *one, const char *other) {
    return text_equal(role, text_of(one)) || text_equal(role, text_of(other));
}

/* Whether a list is one of turns: objects with a role. */
static bool is_conversation(const json_t *list) {
    const json_t *turn = json_array_get(list, 0);
    return json_object_get(turn, "role") || json_object_get(turn, "from");
}

/* The last turn of the assistant is the trace; the first of the user, the question where no field has one. */
static cord_status read_conversation(struct reading *r, struct row_traces *row, const char *field, const json_t *list,
                                     cord_text attempt, cord_text source, cord_error *err) {
    cord_text said = {0}, thought = {0};
    size_t i;
    const json_t *turn;
    json_array_foreach(list, i, turn) {
        static const char *const roles[] = {"role", "from", NULL}, *const contents[] = {"content", "value", NULL};
        cord_text role = string_of(member_of(turn, roles));
        const json_t *content = member_of(turn, contents);
        if (is_role(role, "assistant", "gpt")) {
            said = string_of(content);
            thought = string_of(json_object_get(turn, "reasoning_content"));
        }
        if (is_role(role, "user", "human") && content && !row->question.data) row->question = string_of(content);
    }
    if (!said.data && !thought.data)
        return error_set(err, CORD_BAD_INPUT, "the field '%s' has no turn of the assistant", field);
    if (thought.len) return add_trace(r, row, field, thought, attempt.len ? attempt : said, source, err);
    return add_trace(r, row, field, said, attempt, source, err);
}

/* ---- a field --------------------------------------------------------------------------------------------------- */

/* One trace: a text, or an object with its parts by name. */
static cord_status read_trace(struct reading *r, struct row_traces *row, const char *field, int nth,
                              const json_t *value, cord_text attempt, cord_text source, cord_error *err) {
    if (json_is_null(value)) return CORD_OK;
    if (json_is_string(value)) return add_trace(r, row, field, string_of(value), attempt, source, err);
    const json_t *text = json_is_object(value) ? member_of(value, text_names) : NULL;
    if (!text && json_is_object(value))
        return error_set(err, CORD_BAD_INPUT,
                         "trace %d in the field '%s' is an object without a text named trace, "
                         "reasoning or text",
                         nth, field);
    if (!text)
        return error_set(err, CORD_BAD_INPUT, "trace %d in the field '%s' is %s, and should be a text", nth, field,
                         json_kind(value));
    const json_t *reply = member_of(value, reply_names), *own = member_of(value, source_names);
    return add_trace(r, row, field, string_of(text), reply ? string_of(reply) : attempt,
                     own && !r->options->source_field ? string_of(own) : source, err);
}

/* The attempt that goes with trace `nth` of `n`: of a list, the one in its place. */
static cord_status find_attempt(const struct json_row *json, const char *name, size_t nth, size_t n, cord_text *out,
                                cord_error *err) {
    const struct json_member *member = name ? json_row_get(json, name) : NULL;
    *out = (cord_text){0};
    if (!member || json_is_null(member->value)) return CORD_OK;
    const json_t *value = member->value;
    if (json_is_array(value) && json_array_size(value) != n)
        return error_set(err, CORD_BAD_INPUT, "the field '%s' has %zu attempts for %zu traces", name,
                         json_array_size(value), n);
    if (json_is_array(value)) value = json_array_get(value, nth);
    if (json_is_string(value)) {
        *out = string_of(value);
        return n == 1 || json_is_array(member->value)
                   ? CORD_OK
                   : error_set(err, CORD_BAD_INPUT, "the field '%s' has one attempt for %zu traces", name, n);
    }
    if (json_is_null(value)) return CORD_OK;
    return error_set(err, CORD_BAD_INPUT, "the field '%s' holds %s, and should hold a text", name, json_kind(value));
}

static void use_field(struct row_traces *row, const char *name) {
    if (name && row->n_used <= 2 * TRACE_FIELDS) row->used[row->n_used++] = name;
}

static cord_status read_field(struct reading *r, const struct json_row *json, struct row_traces *row, const char *field,
                              const char *attempt, cord_text source, cord_error *err) {
    const json_t *value = json_row_get(json, field)->value;
    cord_text said;
    use_field(row, field);
    use_field(row, attempt);
    bool list = json_is_array(value), turns = list && is_conversation(value);
    size_t n = list && !turns ? json_array_size(value) : 1;
    if (list && !json_array_size(value))
        return error_set(err, CORD_BAD_INPUT, "the list in the field '%s' is empty", field);
    for (size_t i = 0; i < n; i++) {
        CORD_TRY(find_attempt(json, attempt, i, n, &said, err));
        if (turns)
            CORD_TRY(read_conversation(r, row, field, value, said, source, err));
        else
            CORD_TRY(read_trace(r, row, field, (int)i + 1, list ? json_array_get(value, i) : value, said, source, err));
    }
    return CORD_OK;
}

/* ---- a row's traces -------------------------------------------------------------------------------------------- */

static bool has_field(const struct json_row *json, const char *name) {
    const struct json_member *member = json_row_get(json, name);
    return member && !json_is_null(member->value);
}

static cord_status no_trace(const struct reading *r, const struct json_row *json, cord_error *err) {
    char names[300];
    json_row_names(json, names, sizeof names);
    if (r->options->n_fields)
        return error_set(err, CORD_BAD_INPUT, "the row has no trace in the field '%s'; it has %s",
                         r->options->fields[0], names);
    return error_set(
        err, CORD_BAD_INPUT,
        "the row has no trace ('trace', 'reasoning', 'solution', 'messages' and the like); it has %s: name "
        "the right field with --trace",
        names);
}

static cord_status read_known(struct reading *r, const struct json_row *json, struct row_traces *row, bool named,
                              cord_text source, cord_error *err) {
    for (int i = 0; i < KNOWN; i++) {
        bool last = i == KNOWN - 1;
        if (!has_field(json, known[i].field) || (last && row->n)) continue;
        CORD_TRY(
            read_field(r, json, row, known[i].field, known[i].attempt, named ? source : text_of(known[i].source), err));
    }
    return CORD_OK;
}

static cord_status read_traces(struct reading *r, const struct json_row *json, struct row_traces *row,
                               cord_error *err) {
    const struct trace_options *o = r->options;
    cord_text source = {0};
    if (o->source_field) CORD_TRY(json_row_text(json, o->source_field, &source, err));
    if (!o->n_fields) {
        CORD_TRY(read_known(r, json, row, o->source_field != NULL, source, err));
    }
    for (int i = 0; i < o->n_fields; i++) {
        if (!has_field(json, o->fields[i])) continue;
        CORD_TRY(read_field(r, json, row, o->fields[i], i < o->n_attempts ? o->attempts[i] : NULL,
                            o->source_field ? source : text_of(o->fields[i]), err));
    }
    return row->n ? CORD_OK : no_trace(r, json, err);
}

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
    use_field(row, hash_name);
    row->used[row->n_used] = NULL;
    json_open(&w, NULL, '{');
    json_row_copy(json, &w, row->used);
    cord_status status = buf_check(&line, err);
    if (status == CORD_OK) *fields = arena_text(&r->arena, buf_text(&line));
    buf_release(&line);
    return status == CORD_OK && !fields->data ? error_memory(err) : status;
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
        return error_set(err, CORD_BAD_INPUT, "the id '%.100s' has another question in %s %lld", p->question.id.data,
                         r->source.unit, (long long)own->line);
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
    CORD_TRY(read_traces(r, json, &row, err));
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
static cord_status hash_traces(const struct trace_set *set, int problem, struct arena *arena, char hex[65],
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
    cord_status status = buf_check(&text, err);
    if (status == CORD_OK) sha256_text(buf_text(&text), hex);
    buf_release(&text);
    return status;
}

/* A problem's row, with the hash of its traces. `arena`: of the problem. */
static cord_status finish_problem(struct trace_set *set, struct problem *p, struct arena *arena, cord_error *err) {
    char hex[65];
    if (!p->bad) {
        cord_text fields = p->row;
        CORD_TRY(hash_traces(set, p->index, arena, hex, err));
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
    int n = r->problems.n;
    if (!n) {
        error_where(err, "%s", o->path);
        return error_set(err, CORD_BAD_INPUT, "there is no row in this file");
    }
    if (r->problems.n_bad == n) {
        error_where(err, "%s", r->first.where);
        return error_set(err, CORD_BAD_INPUT, "none of the %d row%s can be used: %s", n, n == 1 ? "" : "s",
                         r->first.message);
    }
    if (o->limit && n > o->limit) n = (int)o->limit;
    struct problem_walk walk;
    struct problem p;
    cord_status status = CORD_OK;
    problem_walk_begin(&walk, &r->problems, err);
    while (status == CORD_OK && r->set->problems.n < n && problem_walk_next(&walk, &p))
        status = finish_problem(r->set, &p, &walk.arena, err);
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
    CORD_TRY(read_head(set, problem, &head, err));
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
