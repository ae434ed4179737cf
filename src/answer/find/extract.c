/* extract.c - the final answer in a model's whole reply: the order in which signs of it are believed, and boxes.
 *
 * An answer is always one slice of the reply, so its byte range is known. It must not know what answers mean. */
#include "answer/find/extract.h"

#include "base/thinking.h"

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

/* "\boxed{…}" from the backslash to behind the brace, and what is in it. */
struct box {
    size_t start, end;
    cord_text content;
};

/* The offset of the last \boxed or \fbox before `end`, *behind that of what follows its name; -1 where there is none. */
static ptrdiff_t last_command(cord_text t, size_t end, size_t *behind) {
    static const cord_text names[] = {TEXT("\\boxed"), TEXT("\\fbox")};
    t = text_slice(t, 0, end);
    for (size_t at = end; at-- > 0;)
        for (size_t i = 0; t.data[at] == '\\' && i < sizeof names / sizeof *names; i++) {
            if (!answer_has(t, at, names[i]) || answer_is_letter(answer_at(t, at + names[i].len))) continue;
            *behind = at + names[i].len;
            return (ptrdiff_t)at;
        }
    return -1;
}

/* The end of what a box without braces holds, "\boxed 5": to the end of the formula, or to punctuation or a word. In a
 * sentence ("answer in \boxed format") it holds nothing. */
static size_t braceless_end(cord_text t, size_t start) {
    char c = answer_at(t, start);
    bool letter = answer_is_letter(c) && !answer_is_word(answer_at(t, start + 1));
    bool command = c == '\\' && answer_is_letter(answer_at(t, start + 1));
    if (!letter && !command && !answer_is_digit(c) && !answer_is_of("+-.(", c)) return start;
    size_t at = start;
    while (at < t.len && !answer_is_of("$}&\r\n", t.data[at])) {
        char next = answer_at(t, at + 1);
        if (t.data[at] == '\\' && answer_is_of(")]\\", next)) break;
        if (answer_is_of(".,;:!?", t.data[at]) &&
            (at + 1 == t.len || answer_is_blank(next) || answer_is_of("$\\*", next)))
            break;
        if (answer_is_blank(t.data[at]) && answer_is_letter(next) && answer_is_letter(answer_at(t, at + 2))) break;
        ptrdiff_t close = t.data[at] == '{' ? answer_closing_brace(t, at) : (ptrdiff_t)at;
        if (close < 0) break;
        at = (size_t)close + 1 + (t.data[at] == '\\' && at + 1 < t.len);
    }
    return answer_back_blanks(t, at);
}

/* Reads the box whose command begins at `start` and ends at `behind`. False where it is not complete. */
static bool read_box(cord_text t, size_t start, size_t behind, struct box *box) {
    size_t open = answer_skip_blanks(t, behind);
    if (answer_at(t, open) == '{') {
        ptrdiff_t close = answer_closing_brace(t, open);
        if (close < 0) return false;
        *box = (struct box){start, (size_t)close + 1, text_trim(text_slice(t, open + 1, (size_t)close))};
        return true;
    }
    size_t end = open < t.len ? braceless_end(t, open) : open;
    *box = (struct box){start, end, text_slice(t, open, end)};
    return end > open;
}

size_t answer_behind_place(cord_text t, size_t at) {
    const cord_text text_mode = TEXT("\\text{");
    size_t behind = at + (answer_has(t, at, text_mode) ? text_mode.len : 0);
    if (answer_word_at(t, behind, "your")) behind = answer_skip_blanks(t, behind + strlen("your"));
    if (answer_word_at(t, behind, "final")) behind = answer_skip_blanks(t, behind + strlen("final"));
    return answer_word_at(t, behind, "answer") ? behind + strlen("answer") : at;
}

/* Whether nothing is in it: "\boxed{}", "\boxed{...}", "\boxed{answer}". */
static bool is_hollow(cord_text content) {
    for (size_t at = 0; at < content.len;) {
        size_t behind = answer_behind_place(content, at);
        if (behind == at && !answer_is_of(" \t\r\n{}.$", content.data[at])) return false;
        at = behind > at ? behind : at + 1;
    }
    return true;
}

static bool last_box(cord_text t, struct box *box) {
    size_t behind;
    ptrdiff_t start = (ptrdiff_t)t.len;
    /* What is around a box that is never closed is never closed either, so nothing is read twice. */
    while ((start = last_command(t, (size_t)start, &behind)) >= 0) {
        if (!read_box(t, (size_t)start, behind, box))
            t.len = (size_t)start;
        else if (!is_hollow(box->content))
            return true;
    }
    return false;
}

/* ---- several boxes ------------------------------------------------------------------------------------------- */

/* What stands between two boxes. */
struct glue {
    bool joins; /* more than blanks and marks */
    bool marks; /* mathematics begins or ends in it */
};

/* The end of "x = ", "x_1 = ", "f(x) =", "\alpha =" at `at`, or `at` itself. */
static size_t behind_name(cord_text t, size_t start) {
    size_t at = start + (answer_at(t, start) == '\\');
    if (!answer_is_letter(answer_at(t, at))) return start;
    while (answer_is_letter(answer_at(t, at))) at++;
    if (answer_at(t, at) == '_' && answer_at(t, at + 1) == '{') {
        ptrdiff_t close = answer_closing_brace(t, at + 1);
        if (close < 0) return start;
        at = (size_t)close + 1;
    } else if (answer_at(t, at) == '_') {
        at += 2;
    }
    while (answer_is_digit(answer_at(t, at)) || answer_at(t, at) == '\'') at++;
    if (answer_at(t, at) == '(' && answer_is_word(answer_at(t, at + 1)) && answer_at(t, at + 2) == ')') at += 3;
    at = answer_skip_blanks(t, at);
    if (answer_at(t, at) == '&') at++;
    return answer_at(t, at) == '=' ? answer_skip_blanks(t, at + 1) : start;
}

/* The length of the first of `words` that stands at `at`, or 0. */
static size_t length_at(cord_text t, size_t at, const cord_text *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (answer_has(t, at, words[i])) return words[i].len;
    return 0;
}
#define LENGTH_AT(t, at, words) length_at(t, at, words, sizeof(words) / sizeof *(words))

/* Where a word in text mode begins, "\text{ and }"; 0 where none stands at `at`. */
static size_t inside_text(cord_text t, size_t at) {
    static const cord_text fonts[] = {TEXT("\\text{"), TEXT("\\mbox{"), TEXT("\\textrm{"), TEXT("\\mathrm{")};
    size_t n = LENGTH_AT(t, at, fonts);
    return n ? at + n : 0;
}

/* The end of one piece of what may stand between boxes, or `at` where something else stands there. */
static size_t behind_glue(cord_text t, size_t at, struct glue *glue) {
    static const cord_text marks[] = {TEXT("$"), TEXT("\\("), TEXT("\\)"), TEXT("\\["), TEXT("\\]")};
    static const cord_text spaces[] = {TEXT("\\qquad"), TEXT("\\quad"), TEXT("\\,"),  TEXT("\\;"), TEXT("\\:"),
                                       TEXT("\\!"),     TEXT("\\ "),    TEXT("\\\\"), TEXT("~"),   TEXT("**")};
    size_t n;
    if (answer_is_blank(t.data[at])) return at + 1;
    if ((n = LENGTH_AT(t, at, spaces))) return at + n;
    if ((n = LENGTH_AT(t, at, marks))) {
        glue->marks = true;
        return at + n;
    }
    glue->joins = true;
    if (answer_is_of(",;", t.data[at])) return at + 1;
    if (answer_word_at(t, at, "and")) return at + strlen("and");
    if (answer_word_at(t, at, "or")) return at + strlen("or");
    return behind_name(t, at);
}

static bool is_glue(cord_text t, struct glue *glue) {
    bool in_text = false;
    for (size_t at = 0; at < t.len;) {
        size_t inside = in_text ? 0 : inside_text(t, at), from = at;
        if (inside || (in_text && t.data[at] == '}')) {
            in_text = inside != 0;
            at = inside ? inside : at + 1;
            continue;
        }
        at = behind_glue(t, at, glue);
        if (at == from) return false;
    }
    return !in_text;
}

/* Where the name begins that stands before a box with "=", or `start`. */
static size_t before_name(cord_text t, size_t start) {
    enum { LONGEST = 40 };
    size_t at = answer_back_blanks(t, start);
    if (at == 0 || t.data[at - 1] != '=') return start;
    at = answer_back_blanks(t, at - 1 - (at > 1 && t.data[at - 2] == '&'));
    size_t end = at;
    while (at > 0 && end - at < LONGEST && (answer_is_word(t.data[at - 1]) || answer_is_of("_{}'()\\", t.data[at - 1])))
        at--;
    if (at > 1 && t.data[at - 1] == '(' && t.data[at - 2] == '\\') return start;
    if (answer_has(t, at, TEXT("\\(")) || answer_has(t, at, TEXT("\\["))) at += 2;
    return behind_name(text_slice(t, 0, start), at) == start ? at : start;
}

/* Takes one pair of marks in that stands around `from`..`to`. */
static bool widen(cord_text t, size_t *from, size_t *to) {
    static const cord_text pairs[][2] = {
        {TEXT("$$"), TEXT("$$")}, {TEXT("$"), TEXT("$")}, {TEXT("\\("), TEXT("\\)")}, {TEXT("\\["), TEXT("\\]")}};
    size_t before = answer_back_blanks(t, *from), behind = answer_skip_blanks(t, *to);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!text_ends(text_slice(t, 0, before), pairs[i][0]) || !answer_has(t, behind, pairs[i][1])) continue;
        *from = before - pairs[i][0].len;
        *to = behind + pairs[i][1].len;
        return true;
    }
    return false;
}

/* A minus or a percent sign that touches a box is a part of the answer: "x = -\boxed{5}", "\boxed{50}\%". */
static void with_sign(cord_text t, const struct box *box, cord_text *answer) {
    size_t from = box->start, to = box->end;
    if (from && t.data[from - 1] == '-') {
        size_t before = answer_back_blanks(t, from - 1);
        if (!before || answer_is_of("=$([{:,<>~", t.data[before - 1])) from--;
    }
    if (answer_at(t, to) == '%')
        to++;
    else if (answer_has(t, to, TEXT("\\%")))
        to += 2;
    if (from < box->start || to > box->end) *answer = text_slice(t, from, to);
}

/* Several boxes are one answer where nothing but blanks, mathematics marks, commas, "and", "or" or a name with "=" stands
 * between. */
bool answer_boxes(cord_text t, cord_text *answer) {
    struct box last, first, before;
    if (!last_box(t, &last)) return false;
    bool marks = false;
    size_t behind;
    first = last;
    for (ptrdiff_t start; (start = last_command(t, first.start, &behind)) >= 0; first = before) {
        cord_text rest = text_slice(t, 0, first.start);
        struct glue glue = {false, false};
        if (!read_box(rest, (size_t)start, behind, &before) || is_hollow(before.content)) break;
        if (!is_glue(text_slice(rest, before.end, rest.len), &glue)) break;
        if (!glue.joins && text_equal(before.content, first.content)) break; /* said twice */
        marks |= glue.marks;
    }
    *answer = last.content;
    if (first.start == last.start) return with_sign(t, &last, answer), true;
    size_t from = before_name(t, first.start), to = last.end;
    if (marks) widen(t, &from, &to);
    *answer = text_slice(t, from, to);
    return true;
}

/* ---- a reply ------------------------------------------------------------------------------------------------- */

bool answer_word_at(cord_text t, size_t at, const char *word) {
    size_t n = strlen(word);
    if (at + n > t.len || (at > 0 && answer_is_word(t.data[at - 1]))) return false;
    for (size_t i = 0; i < n; i++)
        if ((t.data[at + i] | (answer_is_letter(word[i]) ? 0x20 : 0)) != word[i]) return false;
    return !answer_is_word(answer_at(t, at + n));
}

const char *cord_found_name(cord_found found) {
    static const char *const names[] = {"nothing", "box", "phrase", "hashes", "last number"};
    return (size_t)found < sizeof names / sizeof *names ? names[found] : "unknown";
}

cord_text answer_without_marks(cord_text t) {
    static const cord_text marks[] = {
        TEXT("</s>"),
        TEXT("<|im_end|>"),
        TEXT("<|endoftext|>"),
        TEXT("<|eot_id|>"),
        TEXT("<|end_of_text|>"),
        TEXT("<|end|>"),
        TEXT("<|return|>"),
        TEXT("<end_of_turn>"),
        TEXT("<eos>"),
        TEXT("<\xEF\xBD\x9C"
             "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"),
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        t = text_trim_end(t);
        if (!text_ends(t, marks[i])) continue;
        t.len -= marks[i].len;
        i = (size_t)-1; /* several may stand there */
    }
    return text_trim_end(t);
}

/* What stands in the last <answer>…</answer>. */
static bool answer_tags(cord_text t, cord_text *content) {
    const cord_text open = TEXT("<answer>"), close = TEXT("</answer>");
    if (text_find(t, close) < 0) return false; /* which is found out much faster than the last one is */
    ptrdiff_t end = text_rfind(t, close), start = text_rfind(text_slice(t, 0, (size_t)end), open);
    if (start < 0) return false;
    *content = text_trim(text_slice(t, (size_t)start + open.len, (size_t)end));
    return content->len > 0;
}

static cord_found find_answer(cord_text reply, cord_text *answer) {
    if (answer_boxes(reply, answer)) return CORD_FOUND_BOX;
    return answer_phrase(reply, answer);
}

cord_found cord_extract_answer(cord_text reply, bool last_number, cord_text *answer) {
    reply = answer_without_marks(thinking_outside(reply));
    cord_text tagged;
    if (answer_tags(reply, &tagged)) { /* a line in it is the answer, if nothing in it says more */
        cord_found found = find_answer(tagged, answer);
        if (found != CORD_FOUND_NOTHING) return found;
        if (text_find(tagged, TEXT("\n")) < 0) return *answer = tagged, CORD_FOUND_PHRASE;
    }
    cord_found found = find_answer(reply, answer);
    if (found != CORD_FOUND_NOTHING) return found;
    return last_number && answer_last_number(reply, answer) ? CORD_FOUND_NUMBER : CORD_FOUND_NOTHING;
}
