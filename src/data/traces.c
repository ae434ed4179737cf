/* traces.c - see traces.h. It must not know who scores traces, or what a step is. */
#include "data/traces.h"

#include "base/json.h"
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

/* A problem while its rows are being read. */
struct gathering {
    struct trace *traces;
    int n, room;
    struct buf text;  /* hashes of all of them, to be hashed */
    cord_text fields; /* of the first row, without its traces: JSON without its last brace */
};

struct reading {
    struct trace_set *set;
    const struct trace_options *options;
    struct source source;
    struct gathering *gathered;
    int room; /* of set->problems and gathered */
    json_t
        *seen; /* id -> index of its problem, used as a dictionary; questions without an id, by the id made of them */
    struct buf rows;
    cord_error first; /* what was wrong with the first bad row */
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
    set->sources[set->n_sources] = arena_text(&set->problems.arena, name).data;
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
    struct arena *arena = &r->set->problems.arena;
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

static cord_status next_problem(struct reading *r, int *index, cord_error *err) {
    struct problem_set *set = &r->set->problems;
    if (set->n == r->room) {
        if (r->room > INT_MAX / 2) return error_memory(err);
        int room = r->room ? 2 * r->room : 64;
        struct problem *problems = arena_alloc(&set->arena, (size_t)room * sizeof *problems);
        struct gathering *gathered = arena_alloc(&set->arena, (size_t)room * sizeof *gathered);
        if (!problems || !gathered) return error_memory(err);
        if (set->n) memcpy(problems, set->problems, (size_t)set->n * sizeof *problems);
        if (set->n) memcpy(gathered, r->gathered, (size_t)set->n * sizeof *gathered);
        set->problems = problems;
        r->gathered = gathered;
        r->room = room;
    }
    *index = set->n;
    set->problems[set->n] = (struct problem){.index = set->n};
    r->gathered[set->n] = (struct gathering){0};
    buf_init(&r->gathered[set->n].text, "a problem's traces", MOST_PROBLEM);
    set->n++;
    return CORD_OK;
}

/* The row's own fields, as they stand, up to where the hash goes. */
static cord_status keep_fields(struct reading *r, const struct json_row *json, struct row_traces *row,
                               struct gathering *g, cord_error *err) {
    struct buf line;
    buf_init(&line, "a row without its traces", TABLE_ROW_BYTES);
    struct json_writer w = {.out = &line};
    use_field(row, hash_name);
    row->used[row->n_used] = NULL;
    json_open(&w, NULL, '{');
    json_row_copy(json, &w, row->used);
    cord_status status = buf_check(&line, err);
    if (status == CORD_OK) g->fields = arena_text(&r->set->problems.arena, buf_text(&line));
    buf_release(&line);
    return status == CORD_OK && !g->fields.data ? error_memory(err) : status;
}

static cord_status gather(struct reading *r, struct gathering *g, const struct row_traces *row, int64_t line,
                          cord_error *err) {
    if (g->n + row->n > g->room) {
        int room = 2 * (g->n + row->n);
        struct trace *grown = arena_alloc(&r->set->problems.arena, (size_t)room * sizeof *grown);
        if (!grown) return error_memory(err);
        if (g->n) memcpy(grown, g->traces, (size_t)g->n * sizeof *grown);
        g->traces = grown;
        g->room = room;
    }
    for (int i = 0; i < row->n; i++) {
        struct trace *trace = &g->traces[g->n];
        *trace = row->traces[i];
        trace->line = line;
        trace->sample = 0;
        for (int j = 0; j < g->n; j++) trace->sample += g->traces[j].source == trace->source;
        g->n++;
        if (trace->reasoning.len + trace->reply.len > r->set->longest)
            r->set->longest = trace->reasoning.len + trace->reply.len;
        char reasoning[65], reply[65];
        sha256_text(trace->reasoning, reasoning);
        sha256_text(trace->reply, reply);
        buf_addf(&g->text, "%s %s %s\n", reasoning, reply, r->set->sources[trace->source]);
        r->set->n_traces++;
    }
    return buf_check(&g->text, err);
}

/* The problem that a row belongs to: a new one, or the one of an earlier row, which it must agree with. */
static cord_status find_problem(struct reading *r, const struct json_row *json, const struct problem *p,
                                struct row_traces *row, int64_t line, int *index, cord_error *err) {
    const json_t *at = json_object_get(r->seen, p->question.id.data);
    if (at) {
        *index = (int)json_integer_value(at);
        const struct problem *own = &r->set->problems.problems[*index];
        if (!text_equal(own->question.text, p->question.text))
            return error_set(err, CORD_BAD_INPUT, "the id '%.100s' has another question in %s %lld",
                             p->question.id.data, r->source.unit, (long long)own->line);
        if (!text_equal(own->gold, p->gold) || !text_equal(own->target, p->target))
            return error_set(err, CORD_BAD_INPUT, "the same problem has another answer in %s %lld: '%.*s'",
                             r->source.unit, (long long)own->line, (int)(own->gold.len < 60 ? own->gold.len : 60),
                             own->gold.data);
        return CORD_OK;
    }
    CORD_TRY(next_problem(r, index, err));
    struct problem *own = &r->set->problems.problems[*index];
    *own = *p;
    own->index = *index;
    own->line = line;
    if (json_object_set_new(r->seen, p->question.id.data, json_integer(*index)) != 0) return error_memory(err);
    return keep_fields(r, json, row, &r->gathered[*index], err);
}

static cord_status take_object(struct reading *r, const struct json_row *json, int64_t line, cord_error *err) {
    struct problem p = {0};
    struct row_traces row = {0};
    int index;
    CORD_TRY(read_traces(r, json, &row, err));
    CORD_TRY(problem_read_fields(json, &r->options->problems, row.question.data ? &row.question : NULL,
                                 &r->set->problems.arena, &p, err));
    if (!p.question.id.len) p.question.id = problem_id_of(p.question.text, &r->set->problems.arena);
    if (!p.question.id.data) return error_memory(err);
    CORD_TRY(find_problem(r, json, &p, &row, line, &index, err));
    return gather(r, &r->gathered[index], &row, line, err);
}

/* A row that cannot be used, as a problem of its own that is bad. */
static cord_status add_bad(struct reading *r, cord_text row, int64_t line, const cord_error *why, cord_error *err) {
    struct problem_set *set = &r->set->problems;
    int index;
    CORD_TRY(next_problem(r, &index, err));
    char *id = arena_printf(&set->arena, "%s-%lld", r->source.unit, (long long)line);
    const char *bad = arena_printf(&set->arena, "%s", why->message);
    cord_text kept = arena_text(&set->arena, row);
    while (id && json_object_get(r->seen, id)) id = arena_printf(&set->arena, "%s'", id);
    if (!id || !bad || !kept.data || json_object_set_new(r->seen, id, json_integer(index)) != 0)
        return error_memory(err);
    set->problems[index] =
        (struct problem){.question.id = text_of(id), .row = kept, .line = line, .index = index, .bad = bad};
    if (set->n_bad++ == 0) r->first = *why;
    return CORD_OK;
}

/* The row just read, which `why` may say could not be. */
static cord_status take_row(struct reading *r, cord_text row, cord_error *why, cord_error *err) {
    struct json_row json;
    cord_status status = why->code;
    if (status == CORD_OK) {
        buf_add(&r->rows, row);
        buf_addc(&r->rows, '\n');
        status = json_row_parse(&json, row, why);
        if (status == CORD_OK) {
            status = take_object(r, &json, r->source.number, why);
            json_row_release(&json);
        }
    }
    if (status == CORD_OK) return CORD_OK;
    source_where(&r->source, why);
    if (status == CORD_BAD_INPUT) return add_bad(r, row.data ? row : TEXT(""), r->source.number, why, err);
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
        CORD_TRY(take_row(r, row, &why, err));
    }
}

/* Each problem's row, with the hash of its traces; and the traces themselves. */
static cord_status finish_problem(struct reading *r, int i, cord_error *err) {
    struct problem *p = &r->set->problems.problems[i];
    struct gathering *g = &r->gathered[i];
    char hex[65];
    r->set->of[i] = (struct trace_list){g->traces, g->n};
    if (p->bad) return CORD_OK;
    sha256_text(buf_text(&g->text), hex);
    bool empty = g->fields.len && g->fields.data[g->fields.len - 1] == '{';
    char *row = arena_printf(&r->set->problems.arena, "%.*s%s\"%s\":\"%s\"}", (int)g->fields.len, g->fields.data,
                             empty ? "" : ",", hash_name, hex);
    p->row = text_of(row);
    return row ? CORD_OK : error_memory(err);
}

static cord_status finish(struct reading *r, cord_error *err) {
    struct problem_set *set = &r->set->problems;
    const char *path = r->options->problems.path;
    if (!set->n) {
        error_where(err, "%s", path);
        return error_set(err, CORD_BAD_INPUT, "there is no row in this file");
    }
    if (set->n_bad == set->n) {
        error_where(err, "%s", r->first.where);
        return error_set(err, CORD_BAD_INPUT, "none of the %d row%s can be used: %s", set->n, set->n == 1 ? "" : "s",
                         r->first.message);
    }
    r->set->of = arena_alloc(&set->arena, (size_t)set->n * sizeof *r->set->of);
    if (!r->set->of) return error_memory(err);
    for (int i = 0; i < set->n; i++) CORD_TRY(finish_problem(r, i, err));
    CORD_TRY(buf_check(&r->rows, err));
    sha256_text(buf_text(&r->rows), set->sha256);
    if (r->options->problems.limit && set->n > r->options->problems.limit) set->n = (int)r->options->problems.limit;
    return CORD_OK;
}

static cord_status read_file(struct reading *r, cord_error *err) {
    struct trace_set *set = r->set;
    set->sources = arena_alloc(&set->problems.arena, TRACE_SOURCES * sizeof *set->sources);
    if (!r->seen || !set->sources) return error_memory(err);
    CORD_TRY(source_open(&r->source, r->options->problems.path, r->options->problems.library, err));
    set->problems.unit = r->source.unit;
    cord_status status = read_rows(r, err);
    source_close(&r->source);
    return status == CORD_OK ? finish(r, err) : status;
}

cord_status trace_set_read(struct trace_set *set, const struct trace_options *options, cord_error *err) {
    *set = (struct trace_set){0};
    arena_init(&set->problems.arena);
    struct reading r = {.set = set, .options = options, .seen = json_object()};
    buf_init(&r.rows, "a set of traces", SIZE_MAX / 4);
    cord_status status = read_file(&r, err);
    int n = r.gathered ? r.room : 0;
    for (int i = 0; i < n; i++) buf_release(&r.gathered[i].text); /* (those beyond the last problem are zero) */
    json_decref(r.seen);
    buf_release(&r.rows);
    if (status != CORD_OK) trace_set_release(set);
    return status;
}

void trace_set_release(struct trace_set *set) {
    problem_set_release(&set->problems);
    *set = (struct trace_set){0};
}

cord_status trace_set_renumber(struct trace_set *set, const char *const *names, int n, cord_error *err) {
    int number[TRACE_SOURCES], count = n;
    const char **sources = arena_alloc(&set->problems.arena, (size_t)(n + set->n_sources + 1) * sizeof *sources);
    if (!sources) return error_memory(err);
    for (int i = 0; i < n; i++) {
        sources[i] = arena_text(&set->problems.arena, text_of(names[i])).data;
        if (!sources[i]) return error_memory(err);
    }
    for (int i = 0; i < set->n_sources; i++) {
        for (number[i] = 0; number[i] < n && strcmp(sources[number[i]], set->sources[i]) != 0;) number[i]++;
        if (number[i] == n) sources[number[i] = count++] = set->sources[i];
    }
    for (int p = 0; p < set->problems.n; p++)
        for (int i = 0; i < set->of[p].n; i++) set->of[p].traces[i].source = number[set->of[p].traces[i].source];
    set->sources = sources;
    set->n_sources = count;
    return CORD_OK;
}
