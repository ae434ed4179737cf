/* layouts.c - the known problem sets, each as its authors publish it. A new one is a row in the table below, and where its
 * fields are more than texts, a function above it. It must not know files. */
#include "data/layouts.h"
#include "data/choices.h"
#include "data/row_texts.h"

const char *const answer_format_names[] = {"auto", "verbatim", "hashes", "boxed", "integer", NULL};

/* ---- TAT-QA ---------------------------------------------------------------------------------------------------------- */

/* Appends an element of a list, a text or a number as it is written. False: it is neither. */
static bool add_element(struct buf *out, const json_t *value, cord_text raw) {
    const struct json_member element = {.raw = raw, .value = value};
    cord_text text;
    if (!json_member_text(&element, &text)) return false;
    buf_add(out, text_trim(text));
    return true;
}

static cord_status add_cells(struct buf *out, const json_t *cells, cord_text raw, int row, cord_error *err) {
    cord_text left = text_slice(raw, 1, raw.len), element;
    if (!json_is_array(cells))
        return error_set(err, CORD_BAD_INPUT, "row %d of the table is %s, and should be a list", row, json_kind(cells));
    buf_addc(out, '|');
    for (size_t i = 0; json_next_element(&left, &element); i++) {
        const json_t *cell = json_array_get(cells, i);
        buf_addc(out, ' ');
        if (!add_element(out, cell, element) && !json_is_null(cell))
            return error_set(err, CORD_BAD_INPUT,
                             "cell %zu in row %d of the table is %s, and should be a text or a number", i + 1, row,
                             json_kind(cell));
        buf_add(out, TEXT(" |"));
    }
    buf_addc(out, '\n');
    return CORD_OK;
}

static cord_status add_rows(struct buf *out, const struct json_member *rows, cord_error *err) {
    if (!rows || !json_is_array(rows->value))
        return error_set(err, CORD_BAD_INPUT, "the field 'table' holds no list of rows");
    cord_text left = text_slice(rows->raw, 1, rows->raw.len), row;
    for (int i = 0; json_next_element(&left, &row); i++)
        CORD_TRY(add_cells(out, json_array_get(rows->value, (size_t)i), row, i + 1, err));
    return CORD_OK;
}

/* A table, {"uid": …, "table": [[…], …]} or the rows alone, as lines of cells. */
static cord_status add_table(struct buf *out, const struct json_member *table, cord_error *err) {
    struct json_row object;
    if (json_is_null(table->value)) return CORD_OK;
    if (!json_is_object(table->value)) return add_rows(out, table, err);
    CORD_TRY(json_row_parse(&object, table->raw, err)); /* once more, for its numbers as they are written */
    cord_status status = add_rows(out, json_row_get(&object, "table"), err);
    json_row_release(&object);
    return status;
}

static cord_status tatqa_context(const struct json_row *row, struct arena *arena, cord_text *context, cord_error *err) {
    struct buf out;
    const json_t *paragraphs = row_value(row, "paragraphs");
    buf_init(&out, "a table and its paragraphs", ROW_TEXT_LIMIT);
    cord_status status = add_table(&out, json_row_get(row, "table"), err);
    for (size_t i = 0; i < json_array_size(paragraphs); i++) {
        const json_t *paragraph = json_array_get(paragraphs, i);
        cord_text text = json_text_of(json_is_object(paragraph) ? json_object_get(paragraph, "text") : paragraph);
        buf_addc(&out, '\n');
        buf_add(&out, text_trim(text));
        buf_addc(&out, '\n');
    }
    if (status == CORD_OK) return row_take(&out, arena, context, err);
    buf_release(&out);
    return status;
}

static cord_status add_spans(struct buf *out, const struct json_member *answer, cord_error *err) {
    cord_text left = text_slice(answer->raw, 1, answer->raw.len), element;
    for (size_t i = 0; json_next_element(&left, &element); i++) {
        const json_t *span = json_array_get(answer->value, i);
        if (i) buf_add(out, TEXT(", "));
        if (!add_element(out, span, element))
            return error_set(err, CORD_BAD_INPUT,
                             "span %zu in the field 'answer' is %s, and should be a text or a number", i + 1,
                             json_kind(span));
    }
    return CORD_OK;
}

/* One span or number, or several with commas between, and the scale that the set keeps beside them. */
static cord_status tatqa_answer(const struct json_row *row, struct arena *arena, cord_text *answer, cord_error *err) {
    struct buf out;
    const struct json_member *own = json_row_get(row, "answer");
    cord_text scale = text_trim(row_field(row, "scale"));
    cord_status status = CORD_OK;
    buf_init(&out, "an answer with its scale", ROW_TEXT_LIMIT);
    if (json_is_array(own->value))
        status = add_spans(&out, own, err);
    else
        buf_add(&out, text_trim(row_field(row, "answer")));
    bool percent = text_equal(scale, TEXT("percent"));
    bool there = text_ends(buf_text(&out), scale) || (percent && text_ends(buf_text(&out), TEXT("%")));
    if (out.len && scale.len && !there) buf_addf(&out, percent ? "%%" : " %.*s", (int)scale.len, scale.data);
    if (status == CORD_OK) return row_take(&out, arena, answer, err);
    buf_release(&out);
    return status;
}

static cord_status read_tatqa(const struct json_row *row, const struct layout_options *options, struct arena *arena,
                              struct layout_texts *texts, cord_error *err) {
    (void)options;
    texts->id = row_field(row, "uid");
    texts->question = row_field(row, "question");
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
    buf_init(&out, "an abstract", ROW_TEXT_LIMIT);
    for (size_t i = 0; i < json_array_size(contexts); i++) {
        cord_text label = json_text_of(json_array_get(labels, i)), text = json_text_of(json_array_get(contexts, i));
        if (label.len) buf_addf(&out, "%.*s: ", (int)label.len, label.data);
        buf_add(&out, text_trim(text));
        buf_add(&out, TEXT("\n\n"));
    }
    return row_take(&out, arena, context, err);
}

/* What is scored is the long answer; graded is the decision, or for a judge, and where there is none, the long answer. */
static void pubmedqa_answers(const struct json_row *row, const char *decision, const char *lengthy, bool judged,
                             struct layout_texts *texts) {
    texts->answer_name = judged || !row_value(row, decision) ? lengthy : decision;
    texts->answer = row_field(row, texts->answer_name);
    texts->target = text_trim(row_field(row, lengthy));
}

static cord_status read_pubmedqa(const struct json_row *row, const struct layout_options *options, struct arena *arena,
                                 struct layout_texts *texts, cord_error *err) {
    const json_t *context = row_value(row, "context");
    texts->id = row_field(row, "pubid");
    texts->question = row_field(row, "question");
    pubmedqa_answers(row, "final_decision", "long_answer", options->judged, texts);
    return abstract(json_object_get(context, "contexts"), json_object_get(context, "labels"), arena, &texts->context,
                    err);
}

static cord_status read_pubmedqa_original(const struct json_row *row, const struct layout_options *options,
                                          struct arena *arena, struct layout_texts *texts, cord_error *err) {
    texts->id = row_field(row, "id");
    texts->question = row_field(row, "QUESTION");
    pubmedqa_answers(row, "final_decision", "LONG_ANSWER", options->judged, texts);
    return abstract(row_value(row, "CONTEXTS"), row_value(row, "LABELS"), arena, &texts->context, err);
}

static bool has_contexts(const struct json_row *row) { return json_object_get(row_value(row, "context"), "contexts"); }

/* ---- conversations --------------------------------------------------------------------------------------------------- */

/* The turns that a row consists of, or is asked by; NULL: it has none. */
static const json_t *turns_of(const struct json_row *row) {
    static const char *const names[] = {"conversations", "messages", "prompt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_array_size(row_value(row, names[i]))) return row_value(row, names[i]);
    return NULL;
}

static bool has_question(const struct json_row *row) {
    const json_t *prompt = row_value(row, "prompt");
    return row_value(row, "question") || row_value(row, "problem") || (prompt && !json_is_array(prompt));
}

static bool has_answer(const struct json_row *row) {
    return row_value(row, "answer") || row_value(row, "gold") || row_value(row, "final_answer") ||
           row_value(row, "solution");
}

static bool is_conversation(const struct json_row *row) {
    return json_is_array(row_value(row, "conversations")) && !has_question(row) && !has_answer(row);
}

static bool is_answered_conversation(const struct json_row *row) {
    return turns_of(row) && !has_question(row) && has_answer(row);
}

static cord_status read_conversation(const struct json_row *row, const struct layout_options *options,
                                     struct arena *arena, struct layout_texts *texts, cord_error *err) {
    (void)options, (void)arena, (void)err;
    const json_t *turns = turns_of(row);
    texts->answer_name = has_answer(row) ? NULL : "conversations";
    texts->id = row_field(row, "id");
    for (size_t i = 0; i < json_array_size(turns); i++) {
        cord_text text;
        enum speaker who = row_turn(json_array_get(turns, i), &text);
        if (who == SPEAKER_USER && !texts->question.len) texts->question = text;
        if (who == SPEAKER_ASSISTANT && !texts->answer.len) texts->answer = text;
    }
    return CORD_OK;
}

/* verl's rows: turns as the prompt, and the answer in reward_model, which some write as a list of one, as JSON. */
static bool is_verl(const struct json_row *row) {
    return json_is_array(row_value(row, "prompt")) && json_object_get(row_value(row, "reward_model"), "ground_truth");
}

static cord_status single_answer(struct arena *arena, cord_text *answer, cord_error *err) {
    if (!text_starts(*answer, TEXT("[\""))) return CORD_OK;
    json_t *list = json_loadb(answer->data, answer->len, 0, NULL);
    size_t n = json_array_size(list);
    if (n == 1) *answer = arena_text(arena, json_text_of(json_array_get(list, 0)));
    json_decref(list);
    if (n > 1)
        return error_set(err, CORD_BAD_INPUT, "the field 'reward_model' has %zu answers, and should have one", n);
    return answer->data ? CORD_OK : error_memory(err);
}

static cord_status read_verl(const struct json_row *row, const struct layout_options *options, struct arena *arena,
                             struct layout_texts *texts, cord_error *err) {
    struct json_row model;
    CORD_TRY(read_conversation(row, options, arena, texts, err));
    texts->answer_name = "reward_model";
    texts->how = "its ground_truth";
    CORD_TRY(json_row_parse(&model, json_row_get(row, "reward_model")->raw, err)); /* for a number as it is written */
    texts->answer = arena_text(arena, text_trim(row_field(&model, "ground_truth")));
    json_row_release(&model);
    if (!texts->answer.data) return error_memory(err);
    return single_answer(arena, &texts->answer, err);
}

/* ---- NuminaMath-1.5 -------------------------------------------------------------------------------------------------- */

/* Where a problem has no answer, the field says why. */
static cord_status read_numinamath(const struct json_row *row, const struct layout_options *options,
                                   struct arena *arena, struct layout_texts *texts, cord_error *err) {
    (void)arena;
    texts->question = row_field(row, "problem");
    texts->answer = row_field(row, "answer");
    texts->answer_name = "answer";
    cord_text answer = text_trim(texts->answer);
    if (!options->answer && (text_equal(answer, TEXT("proof")) || text_equal(answer, TEXT("notfound"))))
        return error_set(err, CORD_BAD_INPUT,
                         "the field 'answer' is '%.*s': the problem has no answer that could be graded",
                         (int)answer.len, answer.data);
    return CORD_OK;
}

/* ---- sets that share their fields ------------------------------------------------------------------------------------ */

/* GSM8K's answers end in a line "#### 18". */
static bool ends_in_hashes(const struct json_row *row) {
    cord_text answer = text_trim(row_field(row, "answer"));
    ptrdiff_t at = text_rfind(answer, TEXT("####"));
    return at >= 0 && (at == 0 || answer.data[at - 1] == '\n') &&
           text_find(text_slice(answer, (size_t)at, answer.len), TEXT("\n")) < 0;
}

static bool is_aime(const struct json_row *row) { return text_find(row_field(row, "url"), TEXT("AIME")) >= 0; }

/* A table has a column in every row, and where there is nothing, it is null. */
static bool is_answered(const struct json_row *row) { return row_value(row, "answer") != NULL; }
static bool is_answered_aime(const struct json_row *row) { return is_aime(row) && is_answered(row); }

/* AIME 2025 is also published as a problem, its number and its answer, 0 to 999, and nothing else. */
static bool is_bare_aime(const struct json_row *row) {
    cord_text answer = text_trim(row_field(row, "answer"));
    return row->n == 3 && answer.len <= 3 && row_is_digits(answer);
}

static bool is_s1k(const struct json_row *row) {
    return row_value(row, "deepseek_thinking_trajectory") || row_value(row, "gemini_thinking_trajectory") ||
           row_value(row, "thinking_trajectories");
}

#define CHECKED_BY_NONE "the answers are what a model wrote in the set's own traces, checked by nobody"

static const struct layout table[] = {
    {.name = "TAT-QA",
     .fields = {"table", "paragraphs", "question", "answer"},
     .note = "grade with grading.numbers: tatqa; answers of several spans need grading.by: judge",
     .format = ANSWER_VERBATIM,
     .read = read_tatqa},
    {.name = "PubMedQA",
     .fields = {"question", "context", "long_answer"},
     .note = "scored is the long answer; graded is yes, no or maybe, or with grading.by: judge the long answer",
     .fits = has_contexts,
     .format = ANSWER_VERBATIM,
     .read = read_pubmedqa},
    {.name = "PubMedQA (original)",
     .fields = {"QUESTION", "CONTEXTS", "LONG_ANSWER"},
     .note = "scored is the long answer; graded is yes, no or maybe, or with grading.by: judge the long answer",
     .format = ANSWER_VERBATIM,
     .read = read_pubmedqa_original},
    {.name = "OpenR1-Math",
     .fields = {"problem", "answer", "uuid", "generations"},
     .id = "uuid",
     .question = "problem",
     .answer = "answer",
     .format = ANSWER_VERBATIM},
    {.name = "NuminaMath-1.5",
     .fields = {"problem", "solution", "answer", "problem_type", "question_type"},
     .note = "its proofs, and problems whose answer was not found, cannot be used",
     .read = read_numinamath},
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
    {.name = "verl", .format = ANSWER_VERBATIM, .fits = is_verl, .read = read_verl},
    {.name = "conversations", .fits = is_answered_conversation, .read = read_conversation},
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
     .fits = is_answered_aime},
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
    {.name = "choices", .format = ANSWER_VERBATIM, .fits_named = choices_fit, .read = choices_read},
    {.name = "LIMO",
     .fields = {"question", "solution", "answer"},
     .question = "question",
     .answer = "answer",
     .format = ANSWER_VERBATIM,
     .fits = is_answered},
    {.name = "fields"},
};
enum { LAYOUTS = sizeof table / sizeof *table };

static bool has_all(const struct json_row *row, const struct layout *layout, const struct layout_options *options) {
    for (size_t i = 0; i < sizeof layout->fields / sizeof *layout->fields && layout->fields[i]; i++)
        if (!json_row_get(row, layout->fields[i])) return false;
    if (layout->fits_named) return layout->fits_named(row, options);
    return !layout->fits || layout->fits(row);
}

const struct layout *layout_of(const struct json_row *row, const struct layout_options *options) {
    int i = 0;
    while (!has_all(row, &table[i], options)) i++; /* the last one fits every row */
    return &table[i];
}

const struct layout *layout_table(int *n) {
    *n = LAYOUTS;
    return table;
}

/* ---- records of several problems ------------------------------------------------------------------------------------- */

static bool is_document(const struct json_row *record) {
    return row_value(record, "table") && row_value(record, "paragraphs") &&
           json_is_array(row_value(record, "questions"));
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
    if (is_document(record)) return (int)json_array_size(row_value(record, "questions"));
    return is_collection(record) ? (int)record->n : 0;
}

cord_status layout_part(const struct json_row *record, int i, cord_text *left, struct buf *row, cord_error *err) {
    struct json_writer w = {.out = row};
    cord_text own;
    buf_clear(row);
    json_open(&w, NULL, '{');
    if (is_document(record)) {
        cord_text all = json_row_get(record, "questions")->raw;
        if (i == 0) *left = text_slice(all, 1, all.len);
        (void)json_next_element(left, &own);
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
