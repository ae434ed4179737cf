/* layouts.c - the known problem sets, each as its authors publish it. A new one is a row in the table below, and where its
 * fields are more than texts, a function above it. It must not know files. */
#include "data/layouts.h"

#include <stdlib.h>

enum { TEXT_LIMIT = 64 << 20, MOST_CHOICES = 26 /* as many as there are letters */ };

/* ---- values of rows ------------------------------------------------------------------------------------------------ */

static const json_t *value_of(const struct json_row *row, const char *name) {
    const struct json_member *member = json_row_get(row, name);
    return member && !json_is_null(member->value) ? member->value : NULL;
}

static cord_text string_of(const json_t *value) {
    return json_is_string(value) ? (cord_text){json_string_value(value), json_string_length(value)} : (cord_text){0};
}

/* A field's text; empty where it has none. */
static cord_text field(const struct json_row *row, const char *name) {
    const struct json_member *member = json_row_get(row, name);
    cord_text text;
    return member && json_member_text(member, &text) ? text : (cord_text){0};
}

static bool is_digits(cord_text text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    return text.len > 0;
}

/* The text of the i-th element of an array that is known to be valid JSON and to have it. */
static cord_text element_at(cord_text array, int wanted) {
    bool quoted = false;
    int depth = 0, at = 0;
    size_t from = 1;
    for (size_t i = 0; i < array.len; i++) {
        char c = array.data[i];
        if (quoted && c == '\\') {
            i++;
            continue;
        }
        if (c == '"') quoted = !quoted;
        if (quoted) continue;
        depth += (c == '[' || c == '{') - (c == ']' || c == '}');
        bool ends = (c == ',' && depth == 1) || (c == ']' && depth == 0);
        if (!ends) continue;
        if (at++ == wanted) return text_trim(text_slice(array, from, i));
        from = i + 1;
    }
    return (cord_text){0};
}

/* What was put together in `out` moves to the arena. */
static cord_status take(struct buf *out, struct arena *arena, cord_text *text, cord_error *err) {
    cord_status status = buf_check(out, err);
    if (status == CORD_OK) {
        *text = arena_text(arena, text_trim(buf_text(out)));
        if (!text->data) status = error_memory(err);
    }
    buf_release(out);
    return status;
}

/* ---- choices --------------------------------------------------------------------------------------------------------- */

struct choices {
    const char *field;
    int n;
    struct {
        cord_text label, text;
    } of[MOST_CHOICES];
};

static const char *choices_field(const struct json_row *row) {
    return value_of(row, "choices") ? "choices" : "options";
}

static const char *choice_field(const struct json_row *row) {
    return value_of(row, "answerKey") ? "answerKey" : value_of(row, "answer_idx") ? "answer_idx" : "answer";
}

static bool is_text(const json_t *value) { return json_is_string(value) || json_is_number(value); }

/* A choice is a text or a number; where no element is one, the list is about something else. */
static bool has_text(const json_t *list) {
    bool found = false;
    for (size_t i = 0; i < json_array_size(list) && !found; i++) found = is_text(json_array_get(list, i));
    return found;
}

/* {"A": "…"} has labels as keys, {"label": […], "text": […]} has two lists, a plain list has none. */
static bool has_choices(const struct json_row *row) {
    const json_t *choices = value_of(row, choices_field(row)), *texts = choices;
    if (!choices || !value_of(row, choice_field(row))) return false;
    if (json_is_object(choices)) texts = json_object_get(choices, "text");
    if (json_is_array(texts)) return json_array_size(texts) > 1 && has_text(texts);
    const char *key;
    json_t *value, *object = (json_t *)(uintptr_t)choices;
    int n = 0;
    json_object_foreach(object, key, value) n += strlen(key) == 1 && is_text(value);
    return n > 1;
}

static cord_status add_choice(struct choices *c, cord_text label, cord_text text, cord_error *err) {
    if (c->n == MOST_CHOICES)
        return error_set(err, CORD_BAD_INPUT, "the field '%s' has more than %d choices", c->field, MOST_CHOICES);
    if (!text_trim(label).len)
        return error_set(err, CORD_BAD_INPUT, "choice %d in the field '%s' has no label", c->n + 1, c->field);
    if (!text_trim(text).len)
        return error_set(err, CORD_BAD_INPUT, "choice %.*s in the field '%s' is empty, or neither text nor number",
                         (int)label.len, label.data, c->field);
    c->of[c->n].label = text_trim(label);
    c->of[c->n++].text = text;
    return CORD_OK;
}

static cord_text element_text(const struct json_member *list, size_t i) {
    const struct json_member element = {.raw = element_at(list->raw, (int)i), .value = json_array_get(list->value, i)};
    cord_text text;
    return element.value && json_member_text(&element, &text) ? text : (cord_text){0};
}

static cord_status add_list(struct choices *c, const struct json_member *texts, const struct json_member *labels,
                            cord_error *err) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t n = json_array_size(texts->value);
    if (labels && json_array_size(labels->value) > n) n = json_array_size(labels->value);
    for (size_t i = 0; i < n; i++) {
        cord_text letter = {letters + i % MOST_CHOICES, 1};
        CORD_TRY(add_choice(c, labels ? element_text(labels, i) : letter, element_text(texts, i), err));
    }
    return CORD_OK;
}

/* Null is a choice that is not there: tables give every row the same keys. */
static cord_status add_object(struct choices *c, const struct json_row *object, cord_error *err) {
    const struct json_member *texts = json_row_get(object, "text"), *labels = json_row_get(object, "label");
    if (texts && json_is_array(texts->value))
        return add_list(c, texts, labels && json_is_array(labels->value) ? labels : NULL, err);
    for (size_t i = 0; i < object->n; i++) {
        const struct json_member *member = &object->members[i];
        cord_text text = {0};
        if (json_is_null(member->value)) continue;
        if (member->key.len != 1)
            return error_set(err, CORD_BAD_INPUT, "'%.*s' in the field '%s' is no label of one letter",
                             (int)member->key.len, member->key.data, c->field);
        (void)json_member_text(member, &text);
        CORD_TRY(add_choice(c, member->key, text, err));
    }
    return CORD_OK;
}

/* The answer names a choice by its label, by its place from 0 (a whole number), or by its text. All labels come first: one
 * choice's text may be another's label. -1: it names none. */
static int find_chosen(const struct choices *c, const struct json_member *answer) {
    cord_text word = {0};
    (void)json_member_text(answer, &word);
    word = text_trim(word);
    for (int i = 0; i < c->n; i++)
        if (text_equal(word, c->of[i].label)) return i;
    if (json_is_number(answer->value) && is_digits(word)) {
        int64_t place = word.len < 3 ? strtol(word.data, NULL, 10) : MOST_CHOICES;
        return place < c->n ? (int)place : -1;
    }
    for (int i = 0; i < c->n; i++)
        if (text_equal(word, text_trim(c->of[i].text))) return i;
    return -1;
}

static cord_status ask_choices(const struct choices *c, const struct json_row *row, struct arena *arena,
                               struct layout_texts *texts, cord_error *err) {
    struct buf out;
    cord_text question = field(row, "question");
    int chosen = find_chosen(c, json_row_get(row, texts->answer_name));
    if (chosen < 0)
        return error_set(err, CORD_BAD_INPUT, "the answer in the field '%s' is none of the choices",
                         texts->answer_name);
    cord_text label = c->of[chosen].label, text = c->of[chosen].text;
    texts->answer = text_of(arena_printf(arena, "(%.*s) %.*s", (int)label.len, label.data, (int)text.len, text.data));
    texts->target = arena_text(arena, label);
    if (!texts->answer.data || !texts->target.data) return error_memory(err);
    if (!text_trim(question).len) return CORD_OK; /* which is told */
    buf_init(&out, "a question with its choices", TEXT_LIMIT);
    buf_add(&out, text_trim_end(question));
    buf_addc(&out, '\n');
    for (int i = 0; i < c->n; i++)
        buf_addf(&out, "\n(%.*s) %.*s", (int)c->of[i].label.len, c->of[i].label.data, (int)c->of[i].text.len,
                 c->of[i].text.data);
    return take(&out, arena, &texts->question, err);
}

static cord_status read_choices(const struct json_row *row, bool judged, struct arena *arena,
                                struct layout_texts *texts, cord_error *err) {
    (void)judged;
    struct choices c = {.field = choices_field(row)};
    const struct json_member *member = json_row_get(row, c.field);
    struct json_row object = {0};
    bool is_object = json_is_object(member->value);
    texts->answer_name = choice_field(row);
    texts->how = "the choice's letter with its text";
    if (is_object)
        CORD_TRY(json_row_parse(&object, member->raw, err)); /* once more, for its numbers as they are written */
    cord_status status = is_object ? add_object(&c, &object, err) : add_list(&c, member, NULL, err);
    if (status == CORD_OK) status = ask_choices(&c, row, arena, texts, err);
    if (is_object) json_row_release(&object);
    return status;
}

/* ---- TAT-QA ---------------------------------------------------------------------------------------------------------- */

/* A table, {"uid": …, "table": [[…], …]} or the rows alone, as lines of cells. */
static void add_table(struct buf *out, const json_t *table) {
    const json_t *rows = json_is_object(table) ? json_object_get(table, "table") : table;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *cells = json_array_get(rows, i);
        buf_addc(out, '|');
        for (size_t j = 0; j < json_array_size(cells); j++) {
            cord_text cell = text_trim(string_of(json_array_get(cells, j)));
            buf_addc(out, ' ');
            buf_add(out, cell);
            buf_add(out, TEXT(" |"));
        }
        buf_addc(out, '\n');
    }
}

static cord_status tatqa_context(const struct json_row *row, struct arena *arena, cord_text *context, cord_error *err) {
    struct buf out;
    const json_t *paragraphs = value_of(row, "paragraphs");
    buf_init(&out, "a table and its paragraphs", TEXT_LIMIT);
    add_table(&out, value_of(row, "table"));
    for (size_t i = 0; i < json_array_size(paragraphs); i++) {
        const json_t *paragraph = json_array_get(paragraphs, i);
        cord_text text = string_of(json_is_object(paragraph) ? json_object_get(paragraph, "text") : paragraph);
        buf_addc(&out, '\n');
        buf_add(&out, text_trim(text));
        buf_addc(&out, '\n');
    }
    return take(&out, arena, context, err);
}

/* One span or number, or several spans with commas between, and the scale that the set keeps beside them. */
static cord_status tatqa_answer(const struct json_row *row, struct arena *arena, cord_text *answer, cord_error *err) {
    struct buf out;
    const json_t *spans = value_of(row, "answer");
    cord_text scale = text_trim(field(row, "scale"));
    buf_init(&out, "an answer with its scale", TEXT_LIMIT);
    for (size_t i = 0; i < json_array_size(spans); i++) {
        if (i) buf_add(&out, TEXT(", "));
        buf_add(&out, text_trim(string_of(json_array_get(spans, i))));
    }
    if (!json_is_array(spans)) buf_add(&out, text_trim(field(row, "answer")));
    bool percent = text_equal(scale, TEXT("percent"));
    bool there = text_ends(buf_text(&out), scale) || (percent && text_ends(buf_text(&out), TEXT("%")));
    if (out.len && scale.len && !there) buf_addf(&out, percent ? "%%" : " %.*s", (int)scale.len, scale.data);
    return take(&out, arena, answer, err);
}

static cord_status read_tatqa(const struct json_row *row, bool judged, struct arena *arena, struct layout_texts *texts,
                              cord_error *err) {
    (void)judged;
    texts->id = field(row, "uid");
    texts->question = field(row, "question");
    texts->answer_name = "answer";
    texts->how = "the answer with its scale";
    CORD_TRY(tatqa_context(row, arena, &texts->context, err));
    return tatqa_answer(row, arena, &texts->answer, err);
}

/* ---- PubMedQA -------------------------------------------------------------------------------------------------------- */

/* The abstract's parts, each behind its label where there is one. */
static cord_status abstract(const json_t *contexts, const json_t *labels, struct arena *arena, cord_text *context,
                            cord_error *err) {
    struct buf out;
    buf_init(&out, "an abstract", TEXT_LIMIT);
    for (size_t i = 0; i < json_array_size(contexts); i++) {
        cord_text label = string_of(json_array_get(labels, i)), text = string_of(json_array_get(contexts, i));
        if (label.len) buf_addf(&out, "%.*s: ", (int)label.len, label.data);
        buf_add(&out, text_trim(text));
        buf_add(&out, TEXT("\n\n"));
    }
    return take(&out, arena, context, err);
}

/* What is scored is the long answer; graded is the decision, or for a judge, and where there is none, the long answer. */
static void pubmedqa_answers(const struct json_row *row, const char *decision, const char *lengthy, bool judged,
                             struct layout_texts *texts) {
    texts->answer_name = judged || !value_of(row, decision) ? lengthy : decision;
    texts->answer = field(row, texts->answer_name);
    texts->target = text_trim(field(row, lengthy));
}

static cord_status read_pubmedqa(const struct json_row *row, bool judged, struct arena *arena,
                                 struct layout_texts *texts, cord_error *err) {
    const json_t *context = value_of(row, "context");
    texts->id = field(row, "pubid");
    texts->question = field(row, "question");
    pubmedqa_answers(row, "final_decision", "long_answer", judged, texts);
    return abstract(json_object_get(context, "contexts"), json_object_get(context, "labels"), arena, &texts->context,
                    err);
}

static cord_status read_pubmedqa_original(const struct json_row *row, bool judged, struct arena *arena,
                                          struct layout_texts *texts, cord_error *err) {
    texts->id = field(row, "id");
    texts->question = field(row, "QUESTION");
    pubmedqa_answers(row, "final_decision", "LONG_ANSWER", judged, texts);
    return abstract(value_of(row, "CONTEXTS"), value_of(row, "LABELS"), arena, &texts->context, err);
}

static bool has_contexts(const struct json_row *row) { return json_object_get(value_of(row, "context"), "contexts"); }

/* ---- conversations --------------------------------------------------------------------------------------------------- */

/* A turn's role and text, in ShareGPT's spelling or in OpenAI's. */
static cord_text turn_text(const json_t *turn) {
    const json_t *text = json_object_get(turn, "value");
    return string_of(text ? text : json_object_get(turn, "content"));
}

static bool turn_is_of(const json_t *turn, const char *role, const char *other) {
    const json_t *from = json_object_get(turn, "from");
    cord_text who = string_of(from ? from : json_object_get(turn, "role"));
    return text_equal(who, text_of(role)) || text_equal(who, text_of(other));
}

static bool has_question(const struct json_row *row) {
    return value_of(row, "question") || value_of(row, "problem") || value_of(row, "prompt");
}

static bool has_answer(const struct json_row *row) {
    return value_of(row, "answer") || value_of(row, "gold") || value_of(row, "final_answer") ||
           value_of(row, "solution");
}

static bool is_conversation(const struct json_row *row) {
    return json_is_array(value_of(row, "conversations")) && !has_question(row) && !has_answer(row);
}

static bool is_answered_conversation(const struct json_row *row) {
    return json_is_array(value_of(row, "conversations")) && !has_question(row) && has_answer(row);
}

static cord_status read_conversation(const struct json_row *row, bool judged, struct arena *arena,
                                     struct layout_texts *texts, cord_error *err) {
    (void)judged, (void)arena, (void)err;
    const json_t *turns = value_of(row, "conversations");
    texts->answer_name = has_answer(row) ? NULL : "conversations";
    texts->id = field(row, "id");
    for (size_t i = 0; i < json_array_size(turns); i++) {
        const json_t *turn = json_array_get(turns, i);
        if (turn_is_of(turn, "user", "human") && !texts->question.len) texts->question = turn_text(turn);
        if (turn_is_of(turn, "assistant", "gpt") && !texts->answer.len) texts->answer = turn_text(turn);
    }
    return CORD_OK;
}

/* ---- sets that share their fields ------------------------------------------------------------------------------------ */

/* GSM8K's answers end in a line "#### 18". */
static bool ends_in_hashes(const struct json_row *row) {
    cord_text answer = text_trim(field(row, "answer"));
    ptrdiff_t at = text_rfind(answer, TEXT("####"));
    return at >= 0 && (at == 0 || answer.data[at - 1] == '\n') &&
           text_find(text_slice(answer, (size_t)at, answer.len), TEXT("\n")) < 0;
}

static bool is_aime(const struct json_row *row) { return text_find(field(row, "url"), TEXT("AIME")) >= 0; }

/* AIME 2025 is also published as a problem, its number and its answer, 0 to 999, and nothing else. */
static bool is_bare_aime(const struct json_row *row) {
    cord_text answer = text_trim(field(row, "answer"));
    return row->n == 3 && answer.len <= 3 && is_digits(answer);
}

static bool is_s1k(const struct json_row *row) {
    return value_of(row, "deepseek_thinking_trajectory") || value_of(row, "gemini_thinking_trajectory") ||
           value_of(row, "thinking_trajectories");
}

#define CHECKED_BY_NONE "the answers are what a model wrote in the set's own traces, checked by nobody"

static const struct layout table[] = {
    {.name = "TAT-QA",
     .fields = {"table", "paragraphs", "question", "answer"},
     .note = "grade with grading.numbers: tatqa; answers of several spans need grading.by: judge",
     .read = read_tatqa},
    {.name = "PubMedQA",
     .fields = {"question", "context", "long_answer"},
     .note = "scored is the long answer; graded is yes, no or maybe, or with grading.by: judge the long answer",
     .fits = has_contexts,
     .read = read_pubmedqa},
    {.name = "PubMedQA (original)",
     .fields = {"QUESTION", "CONTEXTS", "LONG_ANSWER"},
     .note = "scored is the long answer; graded is yes, no or maybe, or with grading.by: judge the long answer",
     .read = read_pubmedqa_original},
    {.name = "OpenR1-Math",
     .fields = {"problem", "answer", "uuid", "generations"},
     .id = "uuid",
     .question = "problem",
     .answer = "answer",
     .format = ANSWER_VERBATIM},
    {.name = "OpenThoughts (metadata)",
     .fields = {"problem", "ground_truth_solution", "deepseek_solution"},
     .question = "problem",
     .answer = "ground_truth_solution",
     .note = "its programs have tests in place of an answer, and cannot be used"},
    {.name = "OpenThoughts",
     .fields = {"conversations"},
     .format = ANSWER_BOXED,
     .note = CHECKED_BY_NONE,
     .fits = is_conversation,
     .read = read_conversation},
    {.name = "conversations", .fields = {"conversations"}, .fits = is_answered_conversation, .read = read_conversation},
    {.name = "s1K", .fields = {"question", "solution"}, .question = "question", .answer = "solution", .fits = is_s1k},
    {.name = "AIME",
     .fields = {"ID", "Problem", "Answer"},
     .id = "ID",
     .question = "Problem",
     .answer = "Answer",
     .format = ANSWER_INTEGER},
    {.name = "AIME",
     .fields = {"problem", "answer", "url"},
     .question = "problem",
     .answer = "answer",
     .format = ANSWER_INTEGER,
     .fits = is_aime},
    {.name = "AIME",
     .fields = {"problem", "solution", "url"},
     .question = "problem",
     .answer = "solution",
     .format = ANSWER_BOXED,
     .fits = is_aime},
    {.name = "AIME",
     .fields = {"id", "problem", "answer"},
     .question = "problem",
     .answer = "answer",
     .format = ANSWER_INTEGER,
     .fits = is_bare_aime},
    {.name = "MATH-500",
     .fields = {"problem", "answer", "unique_id", "level"},
     .id = "unique_id",
     .question = "problem",
     .answer = "answer",
     .format = ANSWER_VERBATIM},
    {.name = "MATH",
     .fields = {"problem", "solution", "level", "type"},
     .question = "problem",
     .answer = "solution",
     .format = ANSWER_BOXED},
    {.name = "GSM8K",
     .fields = {"question", "answer"},
     .question = "question",
     .answer = "answer",
     .format = ANSWER_HASHES,
     .calculator = true,
     .fits = ends_in_hashes},
    {.name = "choices", .fields = {"question"}, .fits = has_choices, .read = read_choices},
    {.name = "LIMO",
     .fields = {"question", "solution", "answer"},
     .question = "question",
     .answer = "answer",
     .format = ANSWER_VERBATIM},
    {.name = "fields"},
};
enum { LAYOUTS = sizeof table / sizeof *table };

static bool has_all(const struct json_row *row, const struct layout *layout) {
    for (size_t i = 0; i < sizeof layout->fields / sizeof *layout->fields && layout->fields[i]; i++)
        if (!json_row_get(row, layout->fields[i])) return false;
    return !layout->fits || layout->fits(row);
}

const struct layout *layout_of(const struct json_row *row) {
    int i = 0;
    while (!has_all(row, &table[i])) i++; /* the last one fits every row */
    return &table[i];
}

const struct layout *layout_table(int *n) {
    *n = LAYOUTS;
    return table;
}

/* ---- records of several problems ------------------------------------------------------------------------------------- */

static bool is_document(const struct json_row *record) {
    return value_of(record, "table") && value_of(record, "paragraphs") && json_is_array(value_of(record, "questions"));
}

/* PubMedQA's own files are one object, whose keys are the articles' numbers. */
static bool is_collection(const struct json_row *record) {
    for (size_t i = 0; i < record->n; i++)
        if (!json_object_get(record->members[i].value, "QUESTION")) return false;
    return record->n > 0;
}

bool layout_may_unfold(cord_text row) {
    return text_find(row, TEXT("\"questions\"")) >= 0 || text_find(row, TEXT("\"QUESTION\"")) >= 0;
}

int layout_unfold(const struct json_row *record) {
    if (is_document(record)) return (int)json_array_size(value_of(record, "questions"));
    return is_collection(record) ? (int)record->n : 0;
}

cord_status layout_part(const struct json_row *record, int i, struct buf *row, cord_error *err) {
    struct json_writer w = {.out = row};
    cord_text own;
    buf_clear(row);
    json_open(&w, NULL, '{');
    if (is_document(record)) {
        own = element_at(json_row_get(record, "questions")->raw, i);
        json_raw(&w, "table", json_row_get(record, "table")->raw);
        json_raw(&w, "paragraphs", json_row_get(record, "paragraphs")->raw);
    } else {
        const struct json_member *member = &record->members[i];
        own = member->raw;
        json_text(&w, "id", member->key);
    }
    if (!text_starts(own, TEXT("{"))) return error_set(err, CORD_BAD_INPUT, "question %d is no JSON object", i + 1);
    own = text_trim(text_slice(own, 1, own.len));
    if (!text_equal(own, TEXT("}"))) buf_addc(row, ',');
    buf_add(row, own);
    return buf_check(row, err);
}
