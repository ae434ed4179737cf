/* row_texts.c - see row_texts.h. It must not know layouts. */
#include "data/row_texts.h"

const json_t *row_value(const struct json_row *row, const char *name) {
    const struct json_member *member = json_row_get(row, name);
    return member && !json_is_null(member->value) ? member->value : NULL;
}

cord_text row_field(const struct json_row *row, const char *name) {
    const struct json_member *member = json_row_get(row, name);
    cord_text text;
    return member && json_member_text(member, &text) ? text : (cord_text){0};
}

bool row_is_digits(cord_text text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    return text.len > 0;
}

/* A member's text, or the other's where it has none: in tables with both spellings one is null. */
static cord_text either(const json_t *object, const char *name, const char *other) {
    cord_text text = json_text_of(json_object_get(object, name));
    return text.data ? text : json_text_of(json_object_get(object, other));
}

enum speaker row_turn(const json_t *turn, cord_text *text) {
    cord_text who = either(turn, "role", "from");
    *text = either(turn, "content", "value");
    if (text_equal(who, TEXT("user")) || text_equal(who, TEXT("human"))) return SPEAKER_USER;
    return text_equal(who, TEXT("assistant")) || text_equal(who, TEXT("gpt")) ? SPEAKER_ASSISTANT : SPEAKER_OTHER;
}

cord_status row_check_text(const char *field, cord_text text, cord_error *err) {
    if (!text.len || !memchr(text.data, '\0', text.len)) return CORD_OK;
    return error_set(err, CORD_BAD_INPUT, "the field '%s' has a NUL character or bytes that are not UTF-8 in it",
                     field);
}

cord_text row_element(cord_text array, int wanted) {
    cord_text left = text_slice(array, 1, array.len), element;
    for (int i = 0; json_next_element(&left, &element); i++)
        if (i == wanted) return element;
    return (cord_text){0};
}

cord_status row_take(struct buf *out, struct arena *arena, cord_text *text, cord_error *err) {
    CORD_TRY(buf_take(out, arena, text, err));
    *text = text_trim(*text);
    return CORD_OK;
}
