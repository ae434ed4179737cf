/* gold.c - where the gold stands in its field: all of it, behind ####, in the last box (or several that are one answer), as a
 * whole number. It must not know rows or sets. */
#include "data/gold.h"
#include "answer/find/extract.h"

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

static size_t digits(cord_text t, size_t at) {
    size_t n = 0;
    while (at + n < t.len && t.data[at + n] >= '0' && t.data[at + n] <= '9') n++;
    return n;
}

/* 27 of "27", "027", "27.0", "+27" and "27."; of "-027" nothing can be cut out, so only "-27" and "-27.0" are read. */
static bool find_integer(cord_text field, cord_text *gold) {
    cord_text t = text_trim(field);
    if (t.len && *t.data == '+') t = text_slice(t, 1, t.len);
    size_t sign = t.len && *t.data == '-', n = digits(t, sign), zeros = 0, end = sign + n;
    if (!n) return false;
    if (end < t.len && t.data[end] == '.') end++;
    while (end < t.len && t.data[end] == '0' && t.data[sign + n] == '.') end++;
    if (end < t.len) return false;
    while (zeros + 1 < n && t.data[sign + zeros] == '0') zeros++;
    if (sign && zeros) return false;
    *gold = text_slice(t, sign ? 0 : zeros, sign + n);
    return true;
}

static cord_status find(cord_text field, const char *name, enum answer_format format, struct gold *gold,
                        cord_error *err) {
    *gold = (struct gold){text_trim(field), "the whole field"};
    switch (format) {
    case ANSWER_VERBATIM: break;
    case ANSWER_HASHES:
        gold->how = "behind ####";
        if (find_hashes(field, false, &gold->text)) break;
        return error_set(err, CORD_BAD_INPUT, "the field '%s' has no \"####\" before its answer", name);
    case ANSWER_BOXED:
        gold->how = "the last \\boxed{}";
        if (answer_boxes(field, &gold->text)) break;
        return error_set(err, CORD_BAD_INPUT, "the field '%s' has no complete \\boxed{…}", name);
    case ANSWER_INTEGER:
        gold->how = "a whole number";
        if (find_integer(field, &gold->text)) break;
        return error_set(err, CORD_BAD_INPUT, "the field '%s' is no whole number", name);
    case ANSWER_AUTO: {
        /* a short answer may mean its boxes ("\boxed{3} or \boxed{4}"); a worked solution ends in one */
        bool worked = text_find(gold->text, TEXT("\n")) >= 0 || strcmp(name, "solution") == 0 ||
                      strcmp(name, "ground_truth_solution") == 0;
        if (find_hashes(field, true, &gold->text))
            gold->how = "behind ####";
        else if (gold->text = text_trim(field), worked && answer_boxes(field, &gold->text))
            gold->how = "the last \\boxed{}";
        break;
    }
    }
    return CORD_OK;
}

cord_status gold_find(cord_text field, const char *name, enum answer_format format, struct gold *gold,
                      cord_error *err) {
    CORD_TRY(find(field, name, format, gold, err));
    gold->text = text_trim(gold->text);
    if (gold->text.len == 0) return error_set(err, CORD_BAD_INPUT, "the answer in the field '%s' is empty", name);
    return CORD_OK;
}

cord_status gold_without_calculator(cord_text text, struct arena *arena, cord_text *clean, cord_error *err) {
    struct buf out;
    buf_init(&out, "an answer without its calculator's marks", text.len + 1);
    for (;;) {
        ptrdiff_t from = text_find(text, TEXT("<<"));
        ptrdiff_t to = from < 0 ? -1 : text_find(text_slice(text, (size_t)from, text.len), TEXT(">>"));
        if (to < 0) break;
        buf_add(&out, text_slice(text, 0, (size_t)from));
        text = text_slice(text, (size_t)(from + to) + 2, text.len);
    }
    buf_add(&out, text);
    CORD_TRY(buf_take(&out, arena, clean, err));
    *clean = text_trim(*clean);
    return CORD_OK;
}
