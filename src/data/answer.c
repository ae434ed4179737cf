/* answer.c - the final answer: finding it in a model's reply, and comparing it with the gold one.
 *
 * One rule stands above the others: never call equal what may not be. Numbers are compared exactly, the rest only as
 * text; what neither shows is undecided. It must not know problems or models. */
#include "data/answer.h"
#include "data/number.h"

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

bool cord_extract_answer(cord_text reply, cord_text *answer) {
    const cord_text think_end = TEXT("</think>");
    ptrdiff_t thought = text_rfind(reply, think_end);
    if (thought >= 0) reply = text_slice(reply, (size_t)thought + think_end.len, reply.len);
    if (answer_last_box(reply, answer)) return true;
    size_t phrase = find_phrase(reply), hashes = find_hashes(reply);
    /* the later one counts; but "####" before a word opens a heading where there is a phrase to choose instead */
    size_t at = phrase > hashes || (phrase > 0 && is_word_char(reply.data[hashes]) && reply.data[hashes] > '9')
                    ? phrase
                    : hashes;
    if (at == 0) return false;
    *answer = cut_answer(reply, at);
    return !is_empty_box(*answer);
}

/* ---- comparing ----------------------------------------------------------------------------------------------- */

static bool has_mark(cord_text t, cord_text mark) {
    for (ptrdiff_t at; (at = text_find(t, mark)) >= 0; t = text_slice(t, (size_t)at + mark.len, t.len))
        if (at == 0 || t.data[at - 1] != '\\') return true;
    return false;
}

/* Takes one pair of marks from around `t`. False where the marks are not there, hold nothing, or come again inside:
 * "$x$ and $y$" is not one formula. */
static bool unwrap_marks(cord_text *t, cord_text open, cord_text close) {
    if (t->len <= open.len + close.len || !text_starts(*t, open) || !text_ends(*t, close)) return false;
    cord_text inside = text_slice(*t, open.len, t->len - close.len);
    if (has_mark(inside, close) || inside.data[inside.len - 1] == '\\') return false;
    *t = inside;
    return true;
}

static bool unwrap_command(cord_text *t, cord_text command) {
    if (!text_starts(*t, command) || answer_closing_brace(*t, command.len - 1) != (ptrdiff_t)t->len - 1) return false;
    *t = text_slice(*t, command.len, t->len - 1);
    return true;
}

static bool unwrap_once(cord_text *t) {
    *t = text_trim(*t);
    if (t->len > 1 && text_ends(*t, TEXT(".")) && !text_ends(*t, TEXT(".."))) {
        t->len--;
        return true;
    }
    return unwrap_marks(t, TEXT("$$"), TEXT("$$")) || unwrap_marks(t, TEXT("$"), TEXT("$")) ||
           unwrap_marks(t, TEXT("\\("), TEXT("\\)")) || unwrap_marks(t, TEXT("\\["), TEXT("\\]")) ||
           unwrap_marks(t, TEXT("**"), TEXT("**")) || unwrap_marks(t, TEXT("`"), TEXT("`")) ||
           unwrap_command(t, TEXT("\\boxed{")) || unwrap_command(t, TEXT("\\fbox{")) ||
           unwrap_command(t, TEXT("\\text{")) || unwrap_command(t, TEXT("\\textbf{")) ||
           unwrap_command(t, TEXT("\\mathrm{")) || unwrap_command(t, TEXT("\\mathbf{"));
}

/* Without what only presents an answer: mathematics marks, boxes, fonts, the sentence's period. */
static cord_text unwrap(cord_text t) {
    enum { DEPTH = 16 };
    for (int i = 0; i < DEPTH && unwrap_once(&t); i++) continue;
    return text_trim(t);
}

static cord_verdict compare_percent(const struct number *percent, const struct number *plain, const char **why) {
    if (mpq_equal(percent->value, plain->value)) {
        *why = "the percentage equals the number as a fraction of one";
        return CORD_EQUAL;
    }
    mpq_t written; /* what stands before the percent sign */
    mpq_init(written);
    mpq_set_ui(written, 100, 1);
    mpq_mul(written, written, percent->value);
    bool same = mpq_equal(written, plain->value);
    mpq_clear(written);
    *why = same ? "the same number, but only one of the two is a percentage" : "the percentage is another number";
    return same ? CORD_UNDECIDED : CORD_DIFFERENT;
}

static cord_verdict compare_numbers(const struct number *gold, const struct number *answer, const char **why) {
    bool same_unit = strcmp(gold->unit, answer->unit) == 0, any_unit = gold->unit[0] || answer->unit[0];
    bool one_unit = any_unit && !(gold->unit[0] && answer->unit[0]);
    if (gold->percent != answer->percent) {
        if (!any_unit) return gold->percent ? compare_percent(gold, answer, why) : compare_percent(answer, gold, why);
        *why = "one is a percentage, the other has a unit";
        return CORD_UNDECIDED;
    }
    bool same = mpq_equal(gold->value, answer->value);
    if (!same_unit && !one_unit) {
        *why = "the units differ";
        return CORD_UNDECIDED;
    }
    if (same) {
        *why = same_unit ? "the numbers are equal" : "the numbers are equal; only one of the two has a unit";
        return CORD_EQUAL;
    }
    /* "3" and "180 minutes" may be the same time; "$18" and "17" are not the same money */
    const char *unit = gold->unit[0] ? gold->unit : answer->unit;
    if (!same_unit && ((unsigned char)unit[0] | 0x20) >= 'a' && (unsigned char)unit[0] < 0x80) {
        *why = "the numbers differ, but only one of the two has a unit, which may explain it";
        return CORD_UNDECIDED;
    }
    *why = "the numbers differ";
    return CORD_DIFFERENT;
}

static cord_verdict compare(cord_text gold, cord_text answer, const char **why) {
    gold = text_trim(gold);
    answer = text_trim(answer);
    if (gold.len == 0 || answer.len == 0) {
        *why = gold.len == 0 ? "the gold answer is empty" : "the answer is empty";
        return CORD_UNDECIDED;
    }
    *why = "the texts are the same";
    if (text_equal(gold, answer)) return CORD_EQUAL;
    gold = unwrap(gold);
    answer = unwrap(answer);
    if (gold.len > 0 && text_equal(gold, answer)) return CORD_EQUAL;
    struct number g, a;
    number_init(&g);
    number_init(&a);
    bool gold_read = number_read(&g, gold), answer_read = number_read(&a, answer);
    cord_verdict verdict = CORD_UNDECIDED;
    if (gold_read && answer_read)
        verdict = compare_numbers(&g, &a, why);
    else if (gold_read)
        *why = "the answer is not a number that can be read for certain";
    else if (answer_read)
        *why = "the gold answer is not a number that can be read for certain";
    else
        *why = "the texts differ, and neither is a number that can be read for certain";
    number_release(&g);
    number_release(&a);
    return verdict;
}

cord_verdict cord_verify(cord_text gold, cord_text answer, const char **why) {
    const char *rule;
    cord_verdict verdict = compare(gold, answer, &rule);
    if (why) *why = rule;
    return verdict;
}

const char *cord_verdict_name(cord_verdict verdict) {
    switch (verdict) {
    case CORD_EQUAL: return "equal";
    case CORD_DIFFERENT: return "different";
    case CORD_UNDECIDED: break;
    }
    return "undecided";
}
