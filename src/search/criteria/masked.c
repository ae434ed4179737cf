/* masked.c - predictive perplexity that copying does not help: before the answer's likelihood is taken, every place where the
 * reasoning states that answer is blanked out. Plain S gives 1 to a trace that merely says "the answer is 42"; this one asks
 * whether the rest of it leads there.
 *
 * What is blanked are mentions: the answer as a whole number or a whole word (27 is not in 127, 27.5 or -27; 1,000 and 1000.0
 * are one number). What stays are operands, a number beside +, -, x, / or ^ with something on the operator's other side:
 * there the number is used and not stated, and with an answer of 2 a trace of sums would be left without its premises. So
 * "6 x 7 = 42" becomes "6 x 7 = ___" in the last step, too: the derivation stays, its result has to be found. A trace that
 * writes "42 + 0" gets through. What is blanked in a text does not depend on what follows it, so that steps which are scored
 * in each round share their prefix. */
#include "search/criterion.h"

#include <ctype.h>
#include <math.h>

#define MASK       TEXT("___")
#define TEXT_LIMIT ((size_t)64 << 20) /* bytes of a reasoning */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '$'; } /* dollars stand around formulas */
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/* Whether a number may begin at `at`: at a digit, or at the point of one without a whole part (".5"). */
static bool starts_number(cord_text t, size_t at) {
    if (at >= t.len || is_digit(t.data[at])) return at < t.len;
    bool joined = at && (in_word(t.data[at - 1]) || t.data[at - 1] == '.');
    return t.data[at] == '.' && !joined && at + 1 < t.len && is_digit(t.data[at + 1]);
}

/* Where a number that begins at `at` ends: digits, commas before groups of three, one point before digits. */
static size_t end_of_number(cord_text t, size_t at) {
    bool point = false;
    while (at < t.len) {
        bool digit = at + 1 < t.len && is_digit(t.data[at + 1]);
        bool three = at + 3 < t.len && digit && is_digit(t.data[at + 2]) && is_digit(t.data[at + 3]) &&
                     (at + 4 == t.len || !is_digit(t.data[at + 4]));
        if (is_digit(t.data[at]))
            at++;
        else if ((t.data[at] == ',' && three && !point) || (t.data[at] == '.' && digit && !point))
            point = t.data[at++] == '.';
        else
            break;
    }
    return at;
}

/* Reads on over a number's digits, without commas and leading zeros; '\0' behind the last that counts. */
static char next_digit(cord_text number, size_t *at, bool *point) {
    while (*at < number.len && number.data[*at] == ',') ++*at;
    if (*at >= number.len) return '\0';
    *point |= number.data[*at] == '.';
    if (*point) { /* zeros at the end of a fraction say nothing, nor does its point */
        size_t rest = *at + (number.data[*at] == '.');
        while (rest < number.len && number.data[rest] == '0') rest++;
        if (rest == number.len) return '\0';
    }
    return number.data[(*at)++];
}

static bool same_number(cord_text a, cord_text b) {
    size_t i = 0, j = 0;
    bool in_a = false, in_b = false;
    while (i + 1 < a.len && a.data[i] == '0' && is_digit(a.data[i + 1])) i++;
    while (j + 1 < b.len && b.data[j] == '0' && is_digit(b.data[j + 1])) j++;
    bool bare = a.data[i] == '.', other_bare = b.data[j] == '.';
    if (bare != other_bare && (bare ? b.data[j++] : a.data[i++]) != '0') return false; /* .5 is 0.5 */
    for (;;) {
        char c = next_digit(a, &i, &in_a), d = next_digit(b, &j, &in_b);
        if (c != d) return false;
        if (!c) return true;
    }
}

/* ---- operands ---------------------------------------------------------------------------------------------------- */

static const cord_text operators[] = {
    {"+", 1},
    {"-", 1},
    {"*", 1},
    {"/", 1},
    {"^", 1},
    {"x", 1},
    {"X", 1},
    {"\xC3\x97", 2},
    {"\xC3\xB7", 2},
    {"\xC2\xB7", 2},
    {"\xE2\x88\x92", 3},
    {"\\times", 6},
    {"\\cdot", 5},
    {"\\div", 4},
};
enum { OPERATORS = sizeof operators / sizeof *operators };

static bool is_operand_start(cord_text t, size_t at) {
    if (at >= t.len) return false;
    char c = t.data[at];
    bool variable = isalpha((unsigned char)c) && (at + 1 == t.len || !in_word(t.data[at + 1]));
    return is_digit(c) || c == '(' || c == '\\' || variable;
}

static bool is_operand_end(cord_text t, size_t end) {
    if (!end) return false;
    char c = t.data[end - 1];
    bool variable = isalpha((unsigned char)c) && (end == 1 || !in_word(t.data[end - 2]));
    return is_digit(c) || c == ')' || c == '}' || c == ']' || variable;
}

static size_t skip_blanks(cord_text t, size_t at) {
    while (at < t.len && is_blank(t.data[at])) at++;
    return at;
}

static size_t skip_blanks_back(cord_text t, size_t end) {
    while (end && is_blank(t.data[end - 1])) end--;
    return end;
}

/* Whether the number from..to stands beside an operator that has something on its other side, too. */
static bool is_operand(cord_text t, size_t from, size_t to) {
    size_t left = skip_blanks_back(t, from), right = skip_blanks(t, to);
    for (int i = 0; i < OPERATORS; i++) {
        cord_text op = operators[i];
        if (text_ends(text_slice(t, 0, left), op) && is_operand_end(t, skip_blanks_back(t, left - op.len))) return true;
        if (text_starts(text_slice(t, right, t.len), op) && is_operand_start(t, skip_blanks(t, right + op.len)))
            return true;
    }
    return false;
}

/* The bytes of the sign right before a number: of a minus with no operand right before it. */
static size_t sign_before(cord_text t, size_t from) {
    static const cord_text signs[] = {{"-", 1}, {"\xE2\x88\x92", 3}};
    for (int i = 0; i < 2; i++)
        if (text_ends(text_slice(t, 0, from), signs[i]))
            return is_operand_end(t, from - signs[i].len) ? 0 : signs[i].len;
    return 0;
}

/* ---- mentions ---------------------------------------------------------------------------------------------------- */

/* The end of a mention of the number `answer` that begins at `at`; `at` itself where there is none. *next: where to go on. */
static size_t number_mentioned(cord_text t, size_t at, cord_text answer, bool negative, size_t *next) {
    size_t end = end_of_number(t, at);
    *next = end;
    if (at && (in_word(t.data[at - 1]) || (t.data[at - 1] == '.' && at > 1 && is_digit(t.data[at - 2])))) return at;
    if (end < t.len && (in_word(t.data[end]) || (t.data[end] == '.' && end + 1 < t.len && is_digit(t.data[end + 1]))))
        return at;
    if ((sign_before(t, at) > 0) != negative || !same_number(text_slice(t, at, end), answer)) return at;
    return is_operand(t, at, end) ? at : end;
}

/* A letter alone has to have its case: "A" is a choice, "a" an article. */
static bool same_letters(cord_text t, size_t at, cord_text answer) {
    if (t.len - at < answer.len) return false;
    if (answer.len == 1) return t.data[at] == answer.data[0];
    for (size_t i = 0; i < answer.len; i++)
        if (tolower((unsigned char)t.data[at + i]) != tolower((unsigned char)answer.data[i])) return false;
    return true;
}

/* Letters of other scripts are bytes above 0x7f. */
static bool joins(char c) { return in_word(c) || (unsigned char)c >= 0x80; }

static size_t words_mentioned(cord_text t, size_t at, cord_text answer, size_t *next) {
    size_t end = at + answer.len;
    *next = at + 1;
    if (!same_letters(t, at, answer)) return at;
    if (at && joins(t.data[at - 1]) && joins(answer.data[0])) return at;
    if (end < t.len && joins(t.data[end]) && joins(answer.data[answer.len - 1])) return at;
    *next = end;
    return end;
}

/* Whether the number at `at` is that of a step's heading, "### Step 4.", which states nothing. */
static bool is_heading(cord_text t, size_t at, cord_text marker) {
    ptrdiff_t number = text_find(marker, TEXT("{n}"));
    if (number <= 0 || !text_ends(text_slice(t, 0, at), text_slice(marker, 0, (size_t)number))) return false;
    return at == (size_t)number || t.data[at - (size_t)number - 1] == '\n';
}

cord_status mask_mentions(cord_text text, cord_text answer, cord_text marker, struct arena *arena, cord_text *out,
                          cord_error *err) {
    answer = text_trim(answer);
    *out = text;
    if (!answer.len) return CORD_OK;
    size_t sign = text_starts(answer, TEXT("-")) ? 1 : text_starts(answer, TEXT("\xE2\x88\x92")) ? 3 : 0;
    cord_text digits = text_slice(answer, sign, answer.len);
    bool number = starts_number(digits, 0) && end_of_number(digits, 0) == digits.len;
    struct buf masked;
    buf_init(&masked, "a masked reasoning", TEXT_LIMIT);
    size_t copied = 0;
    for (size_t at = 0, next; at < text.len; at = next) {
        next = at + 1;
        if (number && !starts_number(text, at)) continue;
        size_t end =
            number ? number_mentioned(text, at, digits, sign > 0, &next) : words_mentioned(text, at, answer, &next);
        if (end == at || is_heading(text, at, marker)) continue;
        buf_add(&masked, text_slice(text, copied, at - (number ? sign_before(text, at) : 0)));
        buf_add(&masked, MASK);
        copied = end;
    }
    buf_add(&masked, text_slice(text, copied, text.len));
    cord_status status = buf_check(&masked, err);
    if (status == CORD_OK && copied) *out = arena_text(arena, buf_text(&masked));
    buf_release(&masked);
    return status == CORD_OK && !out->data ? error_memory(err) : status;
}

/* ---- the criterion ------------------------------------------------------------------------------------------------ */

static cord_status score(const struct search *search, struct spans prompt, struct scored *items, int n,
                         cord_error *err) {
    struct scored *masked = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *masked);
    int *changed = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *changed), n_changed = 0;
    if (!masked || !changed) return error_memory(err);
    for (int i = 0; i < n; i++)
        CORD_TRY(mask_mentions(items[i].reasoning, search->target, search->meta_prover->prompt.style->marker,
                               search->arena, &masked[i].reasoning, err));
    CORD_TRY(score_targets(search, search->meta_prover, prompt, masked, n, err));
    for (int i = 0; i < n; i++) {
        cord_text reasoning = items[i].reasoning;
        bool same = text_equal(reasoning, masked[i].reasoning);
        items[i].log_score = masked[i].log_score;
        items[i].reasoning_tokens = masked[i].reasoning_tokens;
        items[i].prompt_tokens = masked[i].prompt_tokens;
        items[i].cached_tokens = masked[i].cached_tokens;
        items[i].us = masked[i].us;
        items[i].error = masked[i].error;
        if (!same && items[i].error.code == CORD_OK) changed[n_changed++] = i;
    }
    for (int k = 0; k < n_changed; k++) masked[k] = items[changed[k]];
    CORD_TRY(count_scored(search, masked, n_changed, err));
    for (int k = 0; k < n_changed; k++) items[changed[k]] = masked[k];
    return CORD_OK;
}

const struct criterion criterion_masked = {
    .name = "masked",
    .what = "S, with the reasoning's mentions of the gold answer blanked out",
    .knows_gold = true,
    .word = "S",
    .shown_as = SHOWN_S,
    .noises = 1,
    .unit = true,
    .score = score,
};
