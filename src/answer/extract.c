/* extract.c - the final answer in a model's whole reply: where it stands, and what says that it is one.
 *
 * An answer is always one slice of the reply, so its byte range is known. It must not know what answers mean. */
#include "answer/extract.h"

/* ---- braces and boxes ---------------------------------------------------------------------------------------- */

ptrdiff_t answer_closing_brace(cord_text t, size_t open) {
    size_t depth = 0;
    for (size_t at = open; at < t.len; at++) {
        if (t.data[at] == '\\')
            at++;
        else if (t.data[at] == '{')
            depth++;
        else if (t.data[at] == '}' && --depth == 0)
            return (ptrdiff_t)at;
    }
    return -1;
}

/* The offset of the last \boxed or \fbox in `t`, *open that of what follows its name; false where there is none. */
static bool last_box_command(cord_text t, size_t *start, size_t *open) {
    ptrdiff_t boxed = text_rfind(t, TEXT("\\boxed")), fbox = text_rfind(t, TEXT("\\fbox"));
    if (boxed < 0 && fbox < 0) return false;
    *start = (size_t)(boxed > fbox ? boxed : fbox);
    *open = *start + (boxed > fbox ? strlen("\\boxed") : strlen("\\fbox"));
    return true;
}

bool answer_last_box(cord_text t, cord_text *content) {
    enum { TRIES = 100 }; /* a model that repeats "\boxed{" over and over must not cost a square of its length */
    cord_text before = t;
    size_t start, open;
    for (int i = 0; i < TRIES && last_box_command(before, &start, &open); i++) {
        before = text_slice(t, 0, start);
        while (open < t.len && t.data[open] == ' ') open++;
        ptrdiff_t close = open < t.len && t.data[open] == '{' ? answer_closing_brace(t, open) : -1;
        if (close < 0) continue;
        *content = text_trim(text_slice(t, open + 1, (size_t)close));
        if (content->len > 0) return true;
    }
    return false;
}

/* ---- finding the answer in a reply --------------------------------------------------------------------------- */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool is_word_char(char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9'); }

static bool word_at(cord_text t, size_t at, const char *word) {
    size_t n = strlen(word);
    if (at + n > t.len || (at > 0 && is_word_char(t.data[at - 1]))) return false;
    for (size_t i = 0; i < n; i++)
        if (lower(t.data[at + i]) != word[i]) return false;
    return at + n == t.len || !is_word_char(t.data[at + n]);
}

static size_t skip(cord_text t, size_t at, const char *chars) {
    while (at < t.len && t.data[at] && strchr(chars, t.data[at])) at++;
    return at;
}

/* "answer is", "Answer:", "**Answer**: ", "final answer is: **": the offset of what follows, or 0. */
static size_t behind_phrase(cord_text t, size_t at) {
    if (!word_at(t, at, "answer")) return 0;
    at = skip(t, at + strlen("answer"), " *_");
    if (word_at(t, at, "is"))
        at = skip(t, at + strlen("is"), " *_:");
    else if (at < t.len && t.data[at] == ':')
        at++;
    else
        return 0;
    return skip(t, at, " *_\t\r\n");
}

/* The answer from `at` to the end of its line or sentence: "18. I hope this helps." is 18, "3.5" is whole. */
static cord_text cut_answer(cord_text t, size_t at) {
    size_t end = at;
    for (; end < t.len && t.data[end] != '\n'; end++) {
        bool stop = t.data[end] == '.' && end > at && end + 1 < t.len && t.data[end + 1] == ' ';
        if (stop) break;
    }
    cord_text answer = text_trim(text_slice(t, at, end));
    while (answer.len && answer.data[answer.len - 1] == '*') answer.len--; /* of the bold that was opened before */
    if (text_ends(answer, TEXT(".")) && !text_ends(answer, TEXT(".."))) answer.len--;
    while (answer.len && answer.data[answer.len - 1] == '*') answer.len--;
    return text_trim_end(answer);
}

/* The offset of what follows the last phrase that something follows, or 0. */
static size_t find_phrase(cord_text t) {
    for (size_t at = t.len; at-- > 0;) {
        size_t behind = lower(t.data[at]) == 'a' ? behind_phrase(t, at) : 0;
        if (behind > 0 && cut_answer(t, behind).len > 0) return behind;
    }
    return 0;
}

/* The offset of what follows the last "####" at the start of a line, as in GSM8K, or 0. */
static size_t find_hashes(cord_text t) {
    for (cord_text rest = t;;) {
        ptrdiff_t at = text_rfind(rest, TEXT("####"));
        if (at < 0) return 0;
        rest = text_slice(t, 0, (size_t)at);
        if (at > 0 && t.data[at - 1] != '\n') continue;
        size_t behind = skip(t, (size_t)at + 4, " \t*");
        if (behind < t.len && !strchr("\r\n#", t.data[behind]) && cut_answer(t, behind).len > 0) return behind;
    }
}

/* A box with nothing in it, whether closed or not, is where an answer should have stood. */
static bool is_empty_box(cord_text t) {
    if (!text_starts(t, TEXT("\\boxed{")) && !text_starts(t, TEXT("\\fbox{"))) return false;
    for (size_t i = (size_t)text_find(t, TEXT("{")) + 1; i < t.len; i++)
        if (!strchr(" \t\r\n}.$", t.data[i])) return false;
    return true;
}

const char *cord_found_name(cord_found found) {
    static const char *const names[] = {"nothing", "box", "phrase", "hashes", "last number"};
    return names[found];
}

cord_found cord_extract_answer(cord_text reply, bool last_number, cord_text *answer) {
    (void)last_number;
    const cord_text think_end = TEXT("</think>");
    ptrdiff_t thought = text_rfind(reply, think_end);
    if (thought >= 0) reply = text_slice(reply, (size_t)thought + think_end.len, reply.len);
    if (answer_last_box(reply, answer)) return CORD_FOUND_BOX;
    size_t phrase = find_phrase(reply), hashes = find_hashes(reply);
    /* the later one counts; but "####" before a word opens a heading where there is a phrase to choose instead */
    size_t at = phrase > hashes || (phrase > 0 && is_word_char(reply.data[hashes]) && reply.data[hashes] > '9')
                    ? phrase
                    : hashes;
    if (at == 0) return CORD_FOUND_NOTHING;
    *answer = cut_answer(reply, at);
    if (is_empty_box(*answer)) return CORD_FOUND_NOTHING;
    return at == phrase ? CORD_FOUND_PHRASE : CORD_FOUND_HASHES;
}
