/* extract.h - finding the final answer in a text: boxes, phrases, the last number. The importer and the parser share the
 * braces and boxes with cord_extract_answer. It must not know problems or models.
 *
 * Everything here is linear in the length of the text, whatever the text is, and takes no memory. */
#ifndef CORD_ANSWER_EXTRACT_H
#define CORD_ANSWER_EXTRACT_H

#include "base/base.h"

/* The offset of the brace that closes the one at `open`, or -1 where it is left open. Escaped braces do not count. */
ptrdiff_t answer_closing_brace(cord_text t, size_t open);

/* The end of "answer", "your answer", "\text{final answer" at `at`, or `at` itself: how prompts show where an answer goes,
 * and what a model that has none copies. */
size_t answer_behind_place(cord_text t, size_t at);

/* The content of the last complete, non-empty \boxed{…} or \fbox{…}, trimmed; a part of `t`. Where a sign touches it, or
 * several boxes are one answer, all of that: "-\boxed{3}", "x = \boxed{3}, y = \boxed{4}". */
bool answer_boxes(cord_text t, cord_text *answer);

/* What follows the last "the answer is", "Answer:", "the correct option is", heading "Answer" or "####", to the
 * end of its sentence or line. CORD_FOUND_NOTHING where none is followed by anything, or the last is followed by an empty box. */
cord_found answer_phrase(cord_text t, cord_text *answer);

/* The last number, with its sign, currency, percent sign and all that belongs to it. Numbers that count steps or items,
 * or are a part of a name or a formula ("x2", "2x"), are passed over. */
bool answer_last_number(cord_text t, cord_text *number);

/* Without the marks that models end a text with, "</s>", "<|im_end|>", and blanks before them. */
cord_text answer_without_marks(cord_text t);

/* Whether `word`, in small letters, stands at `at` in letters of any case, and is not a part of a longer one. */
bool answer_word_at(cord_text t, size_t at, const char *word);

/* ---- characters ---------------------------------------------------------------------------------------------- */

static inline bool answer_is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static inline bool answer_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool answer_is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline bool answer_is_word(char c) { return answer_is_digit(c) || answer_is_letter(c); }

static inline bool answer_is_of(const char *set, char c) { return c && strchr(set, c); }

/* The byte at `at`, or NUL behind the end. */
static inline char answer_at(cord_text t, size_t at) { return at < t.len ? t.data[at] : '\0'; }
/* Whether `what` stands at `at`. */
static inline bool answer_has(cord_text t, size_t at, cord_text what) {
    return at <= t.len && text_starts(text_slice(t, at, t.len), what);
}
/* The offset of what stands behind / before blanks. */
static inline size_t answer_skip_blanks(cord_text t, size_t at) {
    while (at < t.len && answer_is_blank(t.data[at])) at++;
    return at;
}
static inline size_t answer_back_blanks(cord_text t, size_t at) {
    while (at > 0 && answer_is_blank(t.data[at - 1])) at--;
    return at;
}

#endif
