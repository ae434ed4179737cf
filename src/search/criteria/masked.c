/* masked.c - predictive perplexity that copying does not help: before the answer's likelihood is taken, every place where the
 * reasoning states that answer is blanked out. Plain S gives 1 to a trace that merely says "the answer is 42"; this one asks
 * whether the rest of it leads there.
 *
 * What is blanked are mentions (answer/mention.h). What stays are operands, a number beside +, -, x, / or ^ with something on
 * the operator's other side: there the number is used and not stated, and with an answer of 2 a trace of sums would be left
 * without its premises. So "6 x 7 = 42" becomes "6 x 7 = ___" in the last step, too: the derivation stays, its result has to
 * be found. A trace that writes "42 + 0" gets through. What is blanked in a text does not depend on what follows it, so that
 * steps which are scored in each round share their prefix. */
#include "answer/mention.h"
#include "search/criterion.h"

#include <ctype.h>
#include <math.h>

#define MASK       TEXT("___")
#define TEXT_LIMIT ((size_t)64 << 20) /* bytes of a reasoning */

enum { REMARK = 200 }; /* bytes of a remark in brackets that are looked at */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '$'; } /* dollars stand around formulas */
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

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

/* A letter alone, but for the words "I" and "a" of a sentence. */
static bool is_variable(cord_text t, size_t at) {
    bool alone = isalpha((unsigned char)t.data[at]) && (at + 1 == t.len || !in_word(t.data[at + 1]));
    bool word =
        strchr("aAI", t.data[at]) && at + 2 < t.len && t.data[at + 1] == ' ' && isalpha((unsigned char)t.data[at + 2]);
    return alone && !word;
}

static bool is_operand_start(cord_text t, size_t at) {
    while (at < t.len && t.data[at] == '(') at++; /* "(see above)" is none */
    return at < t.len && (is_digit(t.data[at]) || t.data[at] == '\\' || is_variable(t, at));
}

/* Whether what the bracket before `end` closes is prose, "(in dollars)": it has a word of two letters that is no command. */
static bool is_remark(cord_text t, size_t end) {
    for (size_t at = end - 1, letters = 0; end - at < REMARK && at-- > 0 && !strchr("(\n", t.data[at]);) {
        letters = isalpha((unsigned char)t.data[at]) ? letters + 1 : 0;
        bool begins = !at || !isalpha((unsigned char)t.data[at - 1]);
        if (letters > 1 && begins && (!at || t.data[at - 1] != '\\')) return true;
    }
    return false;
}

static bool is_operand_end(cord_text t, size_t end) {
    if (!end) return false;
    char c = t.data[end - 1];
    bool variable = isalpha((unsigned char)c) && (end == 1 || !in_word(t.data[end - 2]));
    return is_digit(c) || c == '}' || c == ']' || variable || (c == ')' && !is_remark(t, end));
}

static size_t skip_blanks(cord_text t, size_t at) {
    while (at < t.len && is_blank(t.data[at])) at++;
    return at;
}

static size_t skip_blanks_back(cord_text t, size_t end) {
    while (end && is_blank(t.data[end - 1])) end--;
    return end;
}

/* The bytes of the sign that a mention begins with. */
static size_t sign_of(cord_text mention) {
    return text_starts(mention, TEXT("-")) ? 1 : text_starts(mention, TEXT("\u2212")) ? 3 : 0;
}

/* Whether the number from..to stands beside an operator that has something on its other side, too. */
static bool is_operand(cord_text t, size_t from, size_t to) {
    if (!is_digit(t.data[from]) && t.data[from] != '.') return false;
    size_t left = skip_blanks_back(t, from), right = skip_blanks(t, to);
    for (int i = 0; i < OPERATORS; i++) {
        cord_text op = operators[i];
        if (text_ends(text_slice(t, 0, left), op) && is_operand_end(t, skip_blanks_back(t, left - op.len))) return true;
        if (text_starts(text_slice(t, right, t.len), op) && is_operand_start(t, skip_blanks(t, right + op.len)))
            return true;
    }
    return false;
}

/* Whether the number at `at` is that of a step's heading, "### Step 4.", which states nothing; whoever writes it, the marker
 * ("### Step {n}.") or the model ("### Step"). */
static bool is_heading(cord_text t, size_t at, cord_text marker) {
    cord_text fixed = segment_heading(marker);
    size_t end = skip_blanks_back(t, at);
    if (!fixed.len || !text_ends(text_slice(t, 0, end), fixed)) return false;
    return end == fixed.len || t.data[end - fixed.len - 1] == '\n';
}

cord_status mask_mentions(cord_text text, cord_text answer, cord_text marker, struct arena *arena, cord_text *out,
                          cord_error *err) {
    *out = text;
    struct buf masked;
    buf_init(&masked, "a masked reasoning", TEXT_LIMIT);
    size_t copied = 0, next = 0;
    for (cord_text mention; (mention = answer_mention(answer, text, next)).data;) {
        size_t from = (size_t)(mention.data - text.data), number = from + sign_of(mention);
        next = from + mention.len;
        if (is_operand(text, number, next) || is_heading(text, number, marker)) continue;
        buf_add(&masked, text_slice(text, copied, from));
        buf_add(&masked, MASK);
        copied = next;
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
    for (int i = 0; i < n; i++) {
        masked[i] = items[i];
        CORD_TRY(mask_mentions(items[i].reasoning, search->target, search->meta_prover->prompt.style->marker,
                               search->arena, &masked[i].reasoning, err));
    }
    CORD_TRY(score_targets(search, search->meta_prover, prompt, masked, n, err));
    for (int i = 0; i < n; i++) {
        cord_text reasoning = items[i].reasoning;
        bool same = text_equal(reasoning, masked[i].reasoning);
        items[i] = masked[i];
        items[i].reasoning = reasoning;
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
