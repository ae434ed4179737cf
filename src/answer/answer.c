/* answer.c - the final answer: finding it in a model's reply, and comparing it with the gold one.
 *
 * One rule stands above the others: never call equal what may not be. Numbers are compared exactly, the rest only as
 * text; what neither shows is undecided. It must not know problems or models. */
#include "answer/extract.h"
#include "answer/number.h"

#include <stdlib.h>

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

cord_status cord_grade(cord_text gold, cord_text answer, const cord_grade_options *options, cord_grading *out,
                       cord_error *err) {
    (void)options;
    *out = (cord_grading){.gold_read = strdup(""), .answer_read = strdup("")};
    out->verdict = cord_verify(gold, answer, &out->why);
    return out->gold_read && out->answer_read ? CORD_OK : error_memory(err);
}

void cord_grading_release(cord_grading *grading) {
    free(grading->gold_read);
    free(grading->answer_read);
    *grading = (cord_grading){0};
}

const char *cord_verdict_name(cord_verdict verdict) {
    switch (verdict) {
    case CORD_EQUAL: return "equal";
    case CORD_DIFFERENT: return "different";
    case CORD_UNDECIDED: break;
    }
    return "undecided";
}
