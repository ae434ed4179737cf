/* choices.c - see choices.h. It must not know other sets. */
#include "data/choices.h"
#include "data/row_texts.h"

#include <stdlib.h>

enum { MOST_CHOICES = 26 }; /* as many as there are letters */

struct choices {
    const char *field;
    int n;
    struct {
        cord_text label, text;
    } of[MOST_CHOICES];
    bool numbered; /* all labels are numbers, which could be taken for answers: letters are shown */
};

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static cord_text shown_label(const struct choices *c, int i) {
    return c->numbered ? (cord_text){letters + i, 1} : c->of[i].label;
}

static const char *choices_field(const struct json_row *row) {
    return row_value(row, "choices") ? "choices" : "options";
}

static const char *choice_field(const struct json_row *row, const struct layout_options *o) {
    return o->answer                      ? o->answer
           : row_value(row, "answerKey")  ? "answerKey"
           : row_value(row, "answer_idx") ? "answer_idx"
                                          : "answer";
}

static const char *question_field(const struct layout_options *o) { return o->question ? o->question : "question"; }

static bool is_text(const json_t *value) { return json_is_string(value) || json_is_number(value); }

/* A choice is a text or a number; where no element is one, the list is about something else. */
static bool has_text(const json_t *list) {
    bool found = false;
    for (size_t i = 0; i < json_array_size(list) && !found; i++) found = is_text(json_array_get(list, i));
    return found;
}

static bool has_choices(const struct json_row *row) {
    const json_t *choices = row_value(row, choices_field(row)), *texts = choices;
    if (!choices) return false;
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
    CORD_TRY(row_check_text(c->field, label, err));
    CORD_TRY(row_check_text(c->field, text, err));
    c->of[c->n].label = text_trim(label);
    c->numbered = (c->n == 0 || c->numbered) && row_is_digits(c->of[c->n].label);
    c->of[c->n++].text = text;
    return CORD_OK;
}

static cord_text element_text(const struct json_member *list, size_t i) {
    const struct json_member element = {.raw = row_element(list->raw, (int)i), .value = json_array_get(list->value, i)};
    cord_text text;
    return element.value && json_member_text(&element, &text) ? text : (cord_text){0};
}

static cord_status add_list(struct choices *c, const struct json_member *texts, const struct json_member *labels,
                            cord_error *err) {
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
    if (json_is_number(answer->value) && row_is_digits(word)) {
        int64_t place = word.len < 3 ? strtol(word.data, NULL, 10) : MOST_CHOICES;
        return place < c->n ? (int)place : -1;
    }
    for (int i = 0; i < c->n; i++)
        if (text_equal(word, text_trim(c->of[i].text))) return i;
    return -1;
}

static cord_status ask_choices(const struct choices *c, const struct json_row *row, cord_text question,
                               struct arena *arena, struct layout_texts *texts, cord_error *err) {
    struct buf out;
    int chosen = find_chosen(c, json_row_get(row, texts->answer_name));
    if (chosen < 0)
        return error_set(err, CORD_BAD_INPUT, "the answer in the field '%s' is none of the choices",
                         texts->answer_name);
    cord_text label = shown_label(c, chosen), text = c->of[chosen].text;
    texts->answer = text_of(arena_printf(arena, "(%.*s) %.*s", (int)label.len, label.data, (int)text.len, text.data));
    texts->target = arena_text(arena, label);
    if (!texts->answer.data || !texts->target.data) return error_memory(err);
    if (!text_trim(question).len) return CORD_OK; /* which is told */
    buf_init(&out, "a question with its choices", ROW_TEXT_LIMIT);
    buf_add(&out, text_trim_end(question));
    buf_addc(&out, '\n');
    for (int i = 0; i < c->n; i++) {
        label = shown_label(c, i), text = c->of[i].text;
        buf_addf(&out, "\n(%.*s) %.*s", (int)label.len, label.data, (int)text.len, text.data);
    }
    return row_take(&out, arena, &texts->question, err);
}

/* The row's choices; an object among its fields is read once more, for its numbers as they are written, and to be released. */
static cord_status find_choices(const struct json_row *row, struct choices *c, struct json_row *object,
                                cord_error *err) {
    const char *name = choices_field(row);
    const struct json_member *member = json_row_get(row, name);
    *c = (struct choices){.field = name};
    *object = (struct json_row){0};
    if (!json_is_object(member->value)) return add_list(c, member, NULL, err);
    CORD_TRY(json_row_parse(object, member->raw, err));
    return add_object(c, object, err);
}

static void release_choices(struct json_row *object) {
    if (object->object) json_row_release(object);
}

bool choices_fit(const struct json_row *row, const struct layout_options *o) {
    const char *answer = choice_field(row, o);
    struct choices c;
    struct json_row object;
    cord_error ignored = {0};
    if (!json_row_get(row, question_field(o)) || !row_value(row, answer) || !has_choices(row)) return false;
    if (!o->answer) return true;
    bool fits = find_choices(row, &c, &object, &ignored) != CORD_OK || find_chosen(&c, json_row_get(row, answer)) >= 0;
    release_choices(&object);
    return fits;
}

cord_status choices_read(const struct json_row *row, const struct layout_options *o, struct arena *arena,
                         struct layout_texts *texts, cord_error *err) {
    struct choices c;
    struct json_row object;
    texts->answer_name = choice_field(row, o);
    texts->how = "the choice's letter with its text";
    cord_status status = find_choices(row, &c, &object, err);
    if (status == CORD_OK) status = ask_choices(&c, row, row_field(row, question_field(o)), arena, texts, err);
    release_choices(&object);
    return status;
}
