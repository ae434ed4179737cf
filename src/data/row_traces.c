/* row_traces.c - see row_traces.h. It must not know to which problem a row belongs. */
#include "data/row_traces.h"
#include "data/row_texts.h"

enum { SOURCE_BYTES = 64 };

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
    {"deepseek_reasoning", "deepseek_solution", "deepseek"}, /* OpenThoughts' metadata */
    {"messages", NULL, "messages"},
    {"conversations", NULL, "conversations"},
    {"solution", NULL, "solution"},
};
enum { KNOWN = sizeof known / sizeof *known };

/* Names of the parts of a trace that is an object. */
static const char *const text_names[] = {"trace", "reasoning", "text", NULL};
static const char *const reply_names[] = {"attempt", "reply", "answer", NULL};
static const char *const source_names[] = {"source", "model", "teacher", NULL};

/* ---- names of sources ------------------------------------------------------------------------------------------ */

static cord_status find_source(const struct row_reader *r, cord_text name, int *source, cord_error *err) {
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

static cord_text without(cord_text text, cord_text open, cord_text close) {
    text = text_trim(text);
    if (open.len && text_starts(text, open)) text = text_slice(text, open.len, text.len);
    if (close.len && text_ends(text, close)) text = text_slice(text, 0, text.len - close.len);
    return text_trim(text);
}

/* Divides a text at "</think>", or at OpenThoughts' tag; what a model's own reply is stands behind it. */
static void divide(cord_text text, struct trace *trace) {
    const cord_text none = {"", 0}, thought = TEXT("<|begin_of_thought|>");
    cord_text open = TEXT("<think>"), close = TEXT("</think>");
    text = text_trim(text);
    if (text_starts(text, thought)) {
        open = thought;
        close = TEXT("<|end_of_thought|>");
    }
    ptrdiff_t at = text_find(text, close);
    trace->reply = none;
    if (at >= 0)
        trace->reply = without(text_slice(text, (size_t)at + close.len, text.len), TEXT("<|begin_of_solution|>"),
                               TEXT("<|end_of_solution|>"));
    trace->reasoning = without(at >= 0 ? text_slice(text, 0, (size_t)at) : text, open, none);
}

static cord_status add_trace(const struct row_reader *r, struct row_traces *row, const char *field, cord_text text,
                             cord_text attempt, cord_text source, cord_error *err) {
    struct arena *arena = r->arena;
    row->traces = arena_room(arena, row->traces, row->n, &row->room, sizeof *row->traces);
    if (!row->traces) return error_memory(err);
    struct trace *trace = &row->traces[row->n++];
    *trace = (struct trace){0};
    divide(text, trace);
    if (text_trim(attempt).len) trace->reply = text_trim(attempt);
    CORD_TRY(row_check_text(field, text, err));
    CORD_TRY(row_check_text(field, attempt, err));
    trace->reasoning = arena_text(arena, trace->reasoning);
    trace->reply = arena_text(arena, trace->reply);
    if (!trace->reasoning.data || !trace->reply.data) return error_memory(err);
    return find_source(r, source, &trace->source, err);
}

static const json_t *member_of(const json_t *object, const char *const *names) {
    for (; *names; names++)
        if (json_is_string(json_object_get(object, *names))) return json_object_get(object, *names);
    return NULL;
}

/* ---- conversations --------------------------------------------------------------------------------------------- */

/* Whether a list is one of turns: objects with a role. */
static bool is_conversation(const json_t *list) {
    const json_t *turn = json_array_get(list, 0);
    return json_object_get(turn, "role") || json_object_get(turn, "from");
}

/* The last turn of the assistant is the trace; the first of the user, the question where no field has one. */
static cord_status read_conversation(const struct row_reader *r, struct row_traces *row, const char *field,
                                     const json_t *list, cord_text attempt, cord_text source, cord_error *err) {
    cord_text said = {0}, thought = {0};
    bool spoke = false;
    size_t i;
    const json_t *turn;
    json_array_foreach(list, i, turn) {
        cord_text text;
        enum speaker who = row_turn(turn, &text);
        if (who == SPEAKER_ASSISTANT) {
            spoke = true;
            said = text;
            thought = json_text_of(json_object_get(turn, "reasoning_content"));
        }
        if (who == SPEAKER_USER && !row->question.data) row->question = text;
    }
    if (!said.data && !thought.data && spoke)
        return error_set(err, CORD_BAD_INPUT,
                         "the assistant's turn in the field '%s' has no text as its content; a list of parts has to be "
                         "joined first",
                         field);
    if (!said.data && !thought.data)
        return error_set(err, CORD_BAD_INPUT, "the field '%s' has no turn of the assistant", field);
    if (thought.len) return add_trace(r, row, field, thought, attempt.len ? attempt : said, source, err);
    return add_trace(r, row, field, said, attempt, source, err);
}

/* ---- a field --------------------------------------------------------------------------------------------------- */

/* One trace: a text, or an object with its parts by name. */
static cord_status read_trace(const struct row_reader *r, struct row_traces *row, const char *field, int nth,
                              const json_t *value, cord_text attempt, cord_text source, cord_error *err) {
    if (json_is_null(value)) return CORD_OK;
    if (json_is_string(value)) return add_trace(r, row, field, json_text_of(value), attempt, source, err);
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
    return add_trace(r, row, field, json_text_of(text), reply ? json_text_of(reply) : attempt,
                     own && !r->options->source_field ? json_text_of(own) : source, err);
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
        *out = json_text_of(value);
        return n == 1 || json_is_array(member->value)
                   ? CORD_OK
                   : error_set(err, CORD_BAD_INPUT, "the field '%s' has one attempt for %zu traces", name, n);
    }
    if (json_is_null(value)) return CORD_OK;
    return error_set(err, CORD_BAD_INPUT, "the field '%s' holds %s, and should hold a text", name, json_kind(value));
}

void row_traces_leave_out(struct row_traces *row, const char *name) {
    if (name && row->n_used <= 2 * TRACE_FIELDS) row->used[row->n_used++] = name;
}

static cord_status read_field(const struct row_reader *r, const struct json_row *json, struct row_traces *row,
                              const char *field, const char *attempt, cord_text source, cord_error *err) {
    const json_t *value = json_row_get(json, field)->value;
    cord_text said;
    row_traces_leave_out(row, field);
    row_traces_leave_out(row, attempt);
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

/* A field that is there and gave no trace: there is nothing but null in it, since all else has been told. */
static const char *field_of_nulls(const struct trace_options *o, const struct json_row *json) {
    for (int i = 0; i < (o->n_fields ? o->n_fields : KNOWN); i++) {
        const char *field = o->n_fields ? o->fields[i] : known[i].field;
        if (json_row_get(json, field)) return field;
    }
    return NULL;
}

static cord_status no_trace(const struct row_reader *r, const struct json_row *json, cord_error *err) {
    char names[300];
    const char *field = field_of_nulls(r->options, json);
    json_row_names(json, names, sizeof names);
    if (field && !r->options->n_fields)
        return error_set(
            err, CORD_BAD_INPUT,
            "the trace in the field '%s' is null; the row has %s: where the traces are elsewhere, name the "
            "field with --trace",
            field, names);
    if (field) return error_set(err, CORD_BAD_INPUT, "the trace in the field '%s' is null", field);
    if (r->options->n_fields)
        return error_set(err, CORD_BAD_INPUT, "the row has no trace in the field '%s'; it has %s",
                         r->options->fields[0], names);
    return error_set(
        err, CORD_BAD_INPUT,
        "the row has no trace ('trace', 'reasoning', 'solution', 'messages' and the like); it has %s: name "
        "the right field with --trace",
        names);
}

static cord_status read_known(const struct row_reader *r, const struct json_row *json, struct row_traces *row,
                              bool named, cord_text source, cord_error *err) {
    for (int i = 0; i < KNOWN; i++) {
        bool last = i == KNOWN - 1;
        if (!has_field(json, known[i].field) || (last && row->n)) continue;
        CORD_TRY(
            read_field(r, json, row, known[i].field, known[i].attempt, named ? source : text_of(known[i].source), err));
    }
    return CORD_OK;
}

cord_status row_traces_read(const struct row_reader *r, const struct json_row *json, struct row_traces *row,
                            cord_error *err) {
    const struct trace_options *o = r->options;
    cord_text source = {0};
    if (o->source_field) {
        CORD_TRY(json_row_text(json, o->source_field, &source, err));
        CORD_TRY(row_check_text(o->source_field, source, err));
    }
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
