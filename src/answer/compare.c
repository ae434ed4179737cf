/* compare.c - the comparison of two trees by their kinds: the rules of docs/grader.md, in its order. It must not know how
 * answers are written, nor how numbers are compared. */
#include "answer/compare.h"
#include "answer/exact/limits.h"
#include "answer/read/rules.h"

/* ---- entries ------------------------------------------------------------------------------------------------- */

/* In order, one by one. */
static cord_verdict compare_in_order(struct comparison *c, const struct node *a, const struct node *b) {
    if (a->n != b->n) return verdict_for(c, CORD_DIFFERENT, "they have different numbers of entries");
    cord_verdict all = CORD_EQUAL;
    const char *why = "their entries are equal, one by one";
    for (size_t i = 0; i < a->n; i++) {
        cord_verdict entry = compare(c, a->child[i], b->child[i]);
        if (entry == CORD_DIFFERENT) return verdict_for(c, CORD_DIFFERENT, "an entry differs");
        if (entry == CORD_UNDECIDED && all == CORD_EQUAL) all = CORD_UNDECIDED, why = c->why;
    }
    return verdict_for(c, all, why);
}

/* What there is in `b` for one entry of `a`: an equal one, none for certain, or perhaps. `guess` is where to look first. */
static cord_verdict find_entry(struct comparison *c, struct node *entry, const struct node *b, size_t guess,
                               bool *used) {
    enum { COST = 10 }; /* of a comparison that computes nothing */
    cord_verdict best = CORD_DIFFERENT;
    for (size_t k = 0; k < b->n; k++) {
        size_t i = (guess + k) % b->n;
        if (!work_pay(c->work, COST)) return CORD_UNDECIDED;
        cord_verdict verdict = compare(c, entry, b->child[i]);
        if (verdict == CORD_EQUAL) {
            if (used) {
                if (used[i]) continue; /* an equal one that another entry has taken */
                used[i] = true;
            }
            return CORD_EQUAL;
        }
        if (verdict == CORD_UNDECIDED) best = CORD_UNDECIDED;
    }
    return best;
}

/* Whether each entry of `a` has an equal one in `b`. */
static cord_verdict find_entries(struct comparison *c, const struct node *a, const struct node *b) {
    cord_verdict all = CORD_EQUAL;
    for (size_t i = 0; i < a->n; i++) {
        cord_verdict found = find_entry(c, a->child[i], b, i, NULL);
        if (found == CORD_DIFFERENT) return CORD_DIFFERENT;
        if (found == CORD_UNDECIDED) all = CORD_UNDECIDED;
        if (found == CORD_UNDECIDED && c->work->limit) return CORD_UNDECIDED;
    }
    return all;
}

/* Whether both hold the same, each entry as often. Equality is transitive, so the first equal one that is free will do. */
static bool same_counts(struct comparison *c, const struct node *a, const struct node *b) {
    bool *used = a->n == b->n ? arena_alloc(c->arena, b->n * sizeof *used) : NULL;
    if (!used) return false;
    for (size_t i = 0; i < a->n; i++)
        if (find_entry(c, a->child[i], b, i, used) != CORD_EQUAL) return false;
    return true;
}

static cord_verdict compare_out_of_order(struct comparison *c, const struct node *a, const struct node *b) {
    cord_verdict there = find_entries(c, a, b), back = find_entries(c, b, a);
    if (there == CORD_DIFFERENT || back == CORD_DIFFERENT)
        return verdict_for(c, CORD_DIFFERENT, "one has an entry that the other lacks");
    if (there == CORD_UNDECIDED || back == CORD_UNDECIDED)
        return verdict_for(c, CORD_UNDECIDED, "some of their entries could not be compared");
    if ((a->kind == NODE_SET && b->kind == NODE_SET) || same_counts(c, a, b))
        return verdict_for(c, CORD_EQUAL, "they have the same entries");
    return verdict_for(c, CORD_UNDECIDED, "they have the same entries, but not as often");
}

/* A list without brackets, whose order may or may not matter, or a set of three or more, and a tuple. */
static cord_verdict compare_list_and_tuple(struct comparison *c, const struct node *list, const struct node *tuple) {
    bool ordered = list->kind == NODE_LIST && !list->which; /* "1 or 2" and "x = 1, x = 2" have no order */
    if (ordered && compare_in_order(c, list, tuple) == CORD_EQUAL) return CORD_EQUAL;
    cord_verdict any_order = compare_out_of_order(c, list, tuple);
    if (any_order != CORD_EQUAL) return any_order;
    return verdict_for(c, CORD_UNDECIDED, "they have the same entries, but only one of them is a tuple");
}

/* ---- tuples and matrices ------------------------------------------------------------------------------------- */

static cord_text brackets(const struct node *tuple) {
    return text_equal(tuple->text, TEXT("<>")) ? TEXT("()") : tuple->text;
}

static bool is_infinite(const struct node *node) {
    if (node->kind == NODE_NEGATE) node = node->child[0];
    return node->kind == NODE_CONSTANT && node->which == CONSTANT_INFINITY;
}

static cord_verdict compare_tuples(struct comparison *c, const struct node *a, const struct node *b) {
    cord_verdict entries = compare_in_order(c, a, b);
    if (entries == CORD_DIFFERENT || a->n != 2) return entries;
    cord_text left = brackets(a), right = brackets(b);
    bool low = left.data[0] != right.data[0], high = left.data[1] != right.data[1];
    if (entries == CORD_UNDECIDED || (!low && !high)) return entries;
    if ((low && !is_infinite(a->child[0])) || (high && !is_infinite(a->child[1])))
        return verdict_for(c, CORD_DIFFERENT, "the brackets differ: open or closed");
    return verdict_for(c, CORD_UNDECIDED, "a closed bracket stands at infinity");
}

static cord_verdict compare_matrices(struct comparison *c, const struct node *a, const struct node *b) {
    if (a->which != b->which || a->n != b->n) return verdict_for(c, CORD_DIFFERENT, "the matrices differ in size");
    return compare_in_order(c, a, b);
}

static bool is_row_or_column(const struct node *matrix) {
    return matrix->which == 1 || (size_t)matrix->which == matrix->n;
}

/* [[1, 2], [3, 4]], which programs write for a matrix, as 1, 2, 3, 4; NULL where its rows are not those of `matrix`. */
static struct node *flattened(struct comparison *c, const struct node *rows, const struct node *matrix) {
    size_t columns = (size_t)matrix->which;
    struct node **entry = rows->n * columns == matrix->n ? arena_alloc(c->arena, matrix->n * sizeof *entry) : NULL;
    for (size_t i = 0; entry && i < rows->n; i++) {
        const struct node *row = rows->child[i];
        if (row->kind != NODE_TUPLE || row->n != columns) return NULL;
        memcpy(entry + i * columns, row->child, columns * sizeof *entry);
    }
    return entry ? node_new(c->arena, NODE_TUPLE, 0, matrix->n, entry) : NULL;
}

static cord_verdict compare_matrix_and_tuple(struct comparison *c, const struct node *matrix,
                                             const struct node *tuple) {
    struct node *flat = flattened(c, tuple, matrix);
    if (flat) return compare_in_order(c, matrix, flat);
    if (!is_row_or_column(matrix)) return verdict_for(c, CORD_DIFFERENT, "one is a matrix, the other a vector");
    return compare_in_order(c, matrix, tuple);
}

/* ---- small kinds --------------------------------------------------------------------------------------------- */

enum { MOST_DIGITS = 100 }; /* of a numeral that says its base */

/* The value of a numeral of another base; NULL where a digit is none of that base. */
static struct node *base_value(struct arena *arena, const struct node *numeral) {
    if (numeral->kind == NODE_NEGATE) return node_one(arena, NODE_NEGATE, base_value(arena, numeral->child[0]));
    struct node *value = node_integer(arena, 0), *base = node_integer(arena, numeral->which);
    for (size_t i = 0; i < numeral->text.len && value; i++) {
        char ch = numeral->text.data[i];
        int digit = ch <= '9' ? ch - '0' : (ch | 0x20) - 'a' + 10;
        if (digit < 0 || digit >= numeral->which) return NULL;
        value = node_two(arena, NODE_ADD, node_two(arena, NODE_MULTIPLY, value, base), node_integer(arena, digit));
    }
    return value;
}

static struct node *plain_digits(struct arena *arena, const struct node *numeral) {
    if (numeral->kind == NODE_NEGATE) return node_one(arena, NODE_NEGATE, plain_digits(arena, numeral->child[0]));
    struct node *number = node_new(arena, NODE_NUMBER, 0, 0, NULL);
    for (size_t i = 0; i < numeral->text.len; i++)
        if (numeral->text.data[i] > '9') return NULL;
    if (number) number->text = numeral->text;
    return number;
}

static cord_verdict compare_bases(struct comparison *c, const struct node *a, const struct node *b) {
    static const char strange[] = "a numeral has digits that its base lacks, or too many";
    const struct node *one = a->kind == NODE_NEGATE ? a->child[0] : a, *two = b->kind == NODE_NEGATE ? b->child[0] : b;
    if (one->text.len > MOST_DIGITS || two->text.len > MOST_DIGITS) return verdict_for(c, CORD_UNDECIDED, strange);
    struct node *left = base_value(c->arena, a), *right = base_value(c->arena, b);
    if (!left || !right) return verdict_for(c, CORD_UNDECIDED, strange);
    cord_verdict verdict = compare_values(c, left, right);
    if (verdict == CORD_DIFFERENT || one->which == two->which) return verdict;
    return verdict_for(c, CORD_UNDECIDED, "numerals of two bases have the same value");
}

static bool is_base(const struct node *node) {
    return node->kind == NODE_BASE || (node->kind == NODE_NEGATE && node->child[0]->kind == NODE_BASE);
}

static cord_verdict compare_base_and_number(struct comparison *c, const struct node *numeral, struct node *number) {
    struct node *value = numeral->text.len <= MOST_DIGITS ? base_value(c->arena, numeral) : NULL;
    struct node *digits = plain_digits(c->arena, numeral);
    if (node_symbols(number, NULL, 0)) /* 2a_{11} and 2 \cdot a_{11} */
        return verdict_for(c, CORD_UNDECIDED, "a numeral that says its base may be a product of letters");
    cord_verdict as_value = value ? compare_values(c, value, number) : CORD_UNDECIDED;
    cord_verdict as_digits = digits ? compare_values(c, digits, number) : CORD_DIFFERENT;
    if (as_value == CORD_DIFFERENT && as_digits == CORD_DIFFERENT)
        return verdict_for(c, CORD_DIFFERENT, "the number is neither the numeral's value nor its digits");
    return verdict_for(c, CORD_UNDECIDED, "only one of the two says its base");
}

/* Seconds since midnight of a time that says which half of the day it means; -1 where it does not. */
static int seconds_of(const struct node *time) {
    if (time->n > 3) return -1;
    int part[3] = {0, 0, 0};
    for (size_t i = 0; i < time->n; i++) {
        if (time->child[i]->kind != NODE_NUMBER || time->child[i]->exponent || time->child[i]->text.len > 2) return -1;
        for (size_t k = 0; k < time->child[i]->text.len; k++)
            part[i] = 10 * part[i] + (time->child[i]->text.data[k] - '0');
    }
    bool half = time->text.len > 0;
    if (part[2] > 59 || part[1] > 59 || part[0] > 23 || (half && (part[0] < 1 || part[0] > 12))) return -1;
    if (half) part[0] = part[0] % 12 + (text_equal(time->text, TEXT("pm")) ? 12 : 0);
    return 3600 * part[0] + 60 * part[1] + part[2];
}

/* The numbers that a time or ratio is made of, noughts before them dropped: 3:05 is three and five. */
static struct node *ratio_part(struct arena *arena, struct node *part) {
    if (part->kind != NODE_NUMBER || part->text.len < 2 || *part->text.data != '0') return part;
    struct node *copy = node_new(arena, NODE_NUMBER, 0, 0, NULL);
    if (!copy) return NULL;
    copy->text = part->text;
    while (copy->text.len > 1 && *copy->text.data == '0') copy->text = text_slice(copy->text, 1, copy->text.len);
    return copy;
}

/* All terms against the first that is not nought: of 0:30:15 and 0:30:20 the second. */
static cord_verdict compare_ratios(struct comparison *c, const struct node *a, const struct node *b) {
    static const char unproved[] = "the ratios could not be compared", differ[] = "the ratios differ";
    struct node *zero = node_integer(c->arena, 0), *one = NULL, *two = NULL;
    for (size_t i = 0; i < a->n && !one; i++) {
        struct node *left = ratio_part(c->arena, a->child[i]), *right = ratio_part(c->arena, b->child[i]);
        if (!zero || !left || !right) return verdict_for(c, CORD_UNDECIDED, unproved);
        cord_verdict l = compare_values(c, left, zero), r = compare_values(c, right, zero);
        if (l == CORD_UNDECIDED || r == CORD_UNDECIDED) return verdict_for(c, CORD_UNDECIDED, unproved);
        if (l != r) return verdict_for(c, CORD_DIFFERENT, differ);
        if (l == CORD_DIFFERENT) one = left, two = right;
    }
    cord_verdict all = one ? CORD_EQUAL : CORD_UNDECIDED; /* 0:0 says nothing */
    for (size_t i = 0; i < a->n && one; i++) {
        struct node *left = node_two(c->arena, NODE_MULTIPLY, ratio_part(c->arena, a->child[i]), two);
        struct node *right = node_two(c->arena, NODE_MULTIPLY, ratio_part(c->arena, b->child[i]), one);
        cord_verdict term = left && right ? compare_values(c, left, right) : CORD_UNDECIDED;
        if (term == CORD_DIFFERENT) return verdict_for(c, CORD_DIFFERENT, differ);
        if (term == CORD_UNDECIDED) all = CORD_UNDECIDED;
    }
    return verdict_for(c, all, all == CORD_EQUAL ? "the ratios are equal" : unproved);
}

/* Minutes and seconds are written with two digits. */
static bool is_clock(const struct node *node) {
    for (size_t i = 1; i < node->n; i++)
        if (node->child[i]->kind != NODE_NUMBER || node->child[i]->text.len != 2) return false;
    return node->n == 2 || node->n == 3;
}

/* Two times, of which one says which half of the day it means, or both do. */
static cord_verdict compare_times(struct comparison *c, const struct node *a, const struct node *b) {
    enum { NOON = 12 * 3600 };
    int left = seconds_of(a), right = seconds_of(b);
    if (left < 0 || right < 0) return verdict_for(c, CORD_UNDECIDED, "a time is not one");
    if ((a->n == 3) != (b->n == 3) && left != right && left / 60 % 720 == right / 60 % 720)
        return verdict_for(c, CORD_UNDECIDED, "only one of the times has seconds");
    bool both = a->text.len && b->text.len; /* 15:30 can only be in the afternoon; 3:30 may mean either */
    int open = a->text.len ? right : left;
    if (left == right && (both || open >= NOON + 3600 || open < 3600))
        return verdict_for(c, CORD_EQUAL, "they are the same time");
    if (!both && left % NOON == right % NOON)
        return verdict_for(c, CORD_UNDECIDED, "only one says which half of the day it means");
    return verdict_for(c, CORD_DIFFERENT, "they are different times");
}

static cord_verdict compare_colons(struct comparison *c, const struct node *a, const struct node *b) {
    if (a->text.len || b->text.len) return compare_times(c, a, b);
    bool clocks = is_clock(a) && is_clock(b);
    if (a->n != b->n && clocks) return verdict_for(c, CORD_UNDECIDED, "only one of the times has seconds");
    if (a->n != b->n) return verdict_for(c, CORD_DIFFERENT, "the ratios have different numbers of terms");
    cord_verdict ratios = compare_ratios(c, a, b);
    if (ratios != CORD_EQUAL || !clocks) return ratios;
    int left = seconds_of(a), right = seconds_of(b);
    bool times = a->n == 3 ? left >= 0 || right >= 0 : left >= 0 && right >= 0;
    if (times && left != right) return verdict_for(c, CORD_UNDECIDED, "as ratios they are equal, as times they differ");
    return ratios;
}

static cord_verdict compare_dates(struct comparison *c, const struct node *a, const struct node *b) {
    if (text_equal(a->text, b->text)) return verdict_for(c, CORD_EQUAL, "they are the same date");
    const struct node *full = a->text.len > b->text.len ? a : b, *part = full == a ? b : a;
    if (full->text.len != part->text.len && text_ends(full->text, part->text))
        return verdict_for(c, CORD_UNDECIDED, "only one of the dates has a year");
    return verdict_for(c, CORD_DIFFERENT, "they are different dates");
}

static cord_verdict compare_choices(struct comparison *c, const struct node *a, const struct node *b) {
    if (!text_equal(a->text, b->text)) return verdict_for(c, CORD_DIFFERENT, "they are different choices");
    if (a->n == 0 || b->n == 0 || compare(c, a->child[0], b->child[0]) == CORD_EQUAL)
        return verdict_for(c, CORD_EQUAL, "they are the same choice");
    return verdict_for(c, CORD_UNDECIDED, "the same choice stands with different texts");
}

static cord_verdict compare_choice_and_other(struct comparison *c, const struct node *choice, struct node *other) {
    if (choice->n > 0 && compare(c, choice->child[0], other) == CORD_EQUAL)
        return verdict_for(c, CORD_EQUAL, "the choice's text is the other answer");
    struct node *perhaps = other->kind == NODE_TEXT ? other->other : NULL; /* "B. a hare" */
    if (choice->n > 0 && perhaps && perhaps->kind == NODE_CHOICE && compare_choices(c, choice, perhaps) == CORD_EQUAL)
        return CORD_EQUAL;
    return verdict_for(c, CORD_UNDECIDED, "only one of the two is a choice");
}

static cord_verdict compare_words(struct comparison *c, const struct node *a, const struct node *b) {
    if (a->which != b->which) return verdict_for(c, CORD_UNDECIDED, "the words have nothing to do with each other");
    return text_equal(a->text, b->text) ? verdict_for(c, CORD_EQUAL, "the words are the same")
                                        : verdict_for(c, CORD_DIFFERENT, "the words exclude each other");
}

/* ---- different kinds ----------------------------------------------------------------------------------------- */

/* A list or set of several things, and one thing. */
static cord_verdict compare_collection_and_one(struct comparison *c, const struct node *many, struct node *one) {
    if (many->n == 0 && many->which && one->kind == NODE_NUMBER &&
        compare(c, one, node_integer(c->arena, 0)) == CORD_EQUAL)
        return verdict_for(c, CORD_UNDECIDED, "none may be the number 0");
    if (many->n == 0)
        return is_value(one) ? verdict_for(c, CORD_DIFFERENT, "one says that there is nothing")
                             : verdict_for(c, CORD_UNDECIDED, "one says that there is nothing");
    if (many->other && compare(c, many->other, one) != CORD_DIFFERENT)
        return verdict_for(c, CORD_UNDECIDED, "the comma may separate numbers or be a part of one");
    if (one->kind == NODE_NUMBER && one->other && compare_out_of_order(c, many, one->other) != CORD_DIFFERENT)
        return verdict_for(c, CORD_UNDECIDED, "the comma may separate numbers or be a part of one");
    bool all_equal = true, other = false;
    for (size_t i = 0; i < many->n; i++) {
        cord_verdict entry = compare(c, many->child[i], one);
        all_equal = all_equal && entry == CORD_EQUAL;
        other = other || entry == CORD_DIFFERENT;
    }
    if (all_equal && many->kind == NODE_SET) return verdict_for(c, CORD_EQUAL, "the set has this one element");
    if (all_equal && many->n == 1) return verdict_for(c, CORD_EQUAL, "the list has this one entry");
    if (other) return verdict_for(c, CORD_DIFFERENT, "one has entries that the other lacks");
    return verdict_for(c, CORD_UNDECIDED, "one is a list, the other a single thing");
}

static bool is_readable(const struct node *node) {
    return node->kind != NODE_TEXT && node->kind != NODE_CHOICE && node->kind != NODE_WORD;
}

static cord_verdict compare_word_and_other(struct comparison *c, const struct node *word, const struct node *other) {
    bool number = is_value(other) && !(other->kind == NODE_CONSTANT || other->kind == NODE_NEGATE);
    if (word->which == GROUP_UNDEFINED && number)
        return verdict_for(c, CORD_DIFFERENT, "one says that there is no value");
    return verdict_for(c, CORD_UNDECIDED, "a word and something else could not be compared");
}

/* Whether it may be a vector by its units: 2i + 3j. */
static bool may_be_vector(const struct node *node) {
    if (node->kind == NODE_SYMBOL) return text_equal(node->text, TEXT("j")) || *node->text.data == '\\';
    for (size_t i = 0; i < node->n; i++)
        if (may_be_vector(node->child[i])) return true;
    return false;
}

static cord_verdict compare_other_kinds(struct comparison *c, struct node *a, struct node *b) {
    if (a->kind == NODE_TUPLE && a->n == 1)
        return verdict_for(c, CORD_UNDECIDED, "one of the two stands in square brackets");
    if ((a->kind == NODE_TUPLE || a->kind == NODE_MATRIX) && is_value(b) && may_be_vector(b))
        return verdict_for(c, CORD_UNDECIDED, "one may be a vector in its units");
    if (a->kind == NODE_TUPLE && a->other && is_value(b) && compare(c, a->other, b) != CORD_DIFFERENT)
        return verdict_for(c, CORD_UNDECIDED, "the comma may separate numbers or be a part of one");
    if (a->kind == NODE_TUPLE && b->kind == NODE_NUMBER && b->other && compare(c, b->other, a) != CORD_DIFFERENT)
        return verdict_for(c, CORD_UNDECIDED, "the comma may separate numbers or be a part of one");
    if (a->kind == NODE_COLON && is_value(b))
        return verdict_for(c, CORD_UNDECIDED, "one is a ratio or a time, the other a number");
    if ((is_base(a) && is_value(b)) || a->kind == NODE_RELATION || a->kind == NODE_BOTH || a->kind == NODE_UNION)
        return verdict_for(c, CORD_UNDECIDED, "they are answers of different kinds");
    if (a->kind == NODE_SYMBOL) return verdict_for(c, CORD_UNDECIDED, "a letter may be the name of anything");
    bool vague = !is_readable(a) || a->kind < NODE_QUANTITY; /* an expression with something in it that is none */
    if ((vague && !node_is_expression(a)) || a->kind == NODE_DATE)
        return verdict_for(c, CORD_UNDECIDED, "one of the two is text, or could not be understood");
    return CORD_DIFFERENT;
}

static cord_verdict compare_kinds(struct comparison *c, struct node *gold, struct node *answer) {
    cord_verdict one = compare_other_kinds(c, gold, answer);
    if (one != CORD_DIFFERENT) return one;
    one = compare_other_kinds(c, answer, gold);
    if (one != CORD_DIFFERENT) return one;
    return verdict_for(c, CORD_DIFFERENT, "they are answers of different kinds");
}

/* ---- all kinds ----------------------------------------------------------------------------------------------- */

/* "ab" and "AB", which as products are not the same. */
static bool are_products(const struct node *a, const struct node *b) {
    return a->other && b->other && a->text.len == 2 && b->text.len == 2;
}

static cord_verdict compare_same_kind(struct comparison *c, struct node *a, struct node *b, bool *known) {
    *known = true;
    switch (a->kind) {
    case NODE_TUPLE: return compare_tuples(c, a, b);
    case NODE_MATRIX: return compare_matrices(c, a, b);
    case NODE_COLON: return compare_colons(c, a, b);
    case NODE_DATE: return compare_dates(c, a, b);
    case NODE_CHOICE: return compare_choices(c, a, b);
    case NODE_WORD: return compare_words(c, a, b);
    case NODE_TEXT:
        if (text_equal(a->text, b->text) && !are_products(a, b))
            return verdict_for(c, CORD_EQUAL, "the texts are the same but for case and blanks");
        if (are_products(a, b) && compare(c, a->other, b->other) == CORD_EQUAL) /* xy and yx */
            return verdict_for(c, CORD_EQUAL, "as products of variables they are equal");
        return verdict_for(c, CORD_UNDECIDED, "the texts differ, and cannot be read as anything else");
    default: *known = false; return CORD_UNDECIDED;
    }
}

/* `one` is of its kind, whichever of the two it is. */
static cord_verdict compare_mixed(struct comparison *c, struct node *one, struct node *other, bool *known) {
    *known = true;
    if (is_collection(one)) {
        if (other->kind == NODE_TUPLE && other->n > (one->kind == NODE_LIST ? 1 : 2))
            return compare_list_and_tuple(c, one, other);
        if (other->kind == NODE_MATRIX && one->kind == NODE_LIST && is_row_or_column(other))
            return compare_list_and_tuple(c, one, other);
        if (is_value(other) || (one->n == 0 && is_readable(other))) return compare_collection_and_one(c, one, other);
        if (one->n == 1) return compare(c, one->child[0], other);
    }
    if (one->kind == NODE_MATRIX && other->kind == NODE_TUPLE) return compare_matrix_and_tuple(c, one, other);
    if (is_base(one) && node_is_expression(other)) return compare_base_and_number(c, one, other);
    if (one->kind == NODE_TEXT && one->other && node_is_expression(other) && node_symbols(other, NULL, 0))
        return compare(c, one->other, other);
    if (one->kind == NODE_CHOICE) return compare_choice_and_other(c, one, other);
    if (one->kind == NODE_WORD && is_readable(other)) return compare_word_and_other(c, one, other);
    *known = false;
    return CORD_UNDECIDED;
}

static bool is_relation(const struct node *node) {
    return node->kind == NODE_RELATION || node->kind == NODE_UNION || node->kind == NODE_BOTH ||
           node->kind == NODE_WITHOUT;
}

/* Two expressions; 100,200 and 200,100 may be lists rather than numbers. */
static cord_verdict compare_expressions(struct comparison *c, struct node *gold, struct node *answer) {
    cord_verdict verdict = compare_values(c, gold, answer);
    bool lists = gold->kind == NODE_NUMBER && answer->kind == NODE_NUMBER && gold->other && answer->other;
    if (verdict != CORD_DIFFERENT || !lists) return verdict;
    const char *why = c->why;
    if (compare_out_of_order(c, gold->other, answer->other) == CORD_DIFFERENT)
        return verdict_for(c, CORD_DIFFERENT, why);
    return verdict_for(c, CORD_UNDECIDED, "the comma may separate numbers or be a part of one");
}

/* Without names, chains and single signs ±. */
static cord_verdict compare_restated(struct comparison *c, struct node *gold, struct node *answer) {
    bool known;
    if (is_relation(gold) || is_relation(answer)) {
        cord_verdict verdict = compare_real_sets(c, gold, answer);
        if (c->why) return verdict;
        if (is_relation(gold) && is_relation(answer)) return compare_relations(c, gold, answer);
    }
    if (is_measure(gold) || is_measure(answer)) {
        if (is_value(gold) && is_value(answer)) return compare_measures(c, gold, answer);
    } else if (node_is_expression(gold) && node_is_expression(answer)) {
        return compare_expressions(c, gold, answer);
    }
    if (is_collection(gold) && is_collection(answer)) return compare_out_of_order(c, gold, answer);
    cord_verdict verdict;
    if (is_base(gold) && is_base(answer)) return compare_bases(c, gold, answer);
    if (gold->kind == answer->kind) {
        verdict = compare_same_kind(c, gold, answer, &known);
        if (known) return verdict;
    }
    verdict = compare_mixed(c, gold, answer, &known);
    if (!known) verdict = compare_mixed(c, answer, gold, &known);
    return known ? verdict : compare_kinds(c, gold, answer);
}

cord_verdict compare(struct comparison *c, struct node *gold, struct node *answer) {
    if (node_same(gold, answer)) return verdict_for(c, CORD_EQUAL, "both are read as the same");
    struct node *rounded = NULL;
    gold = end_of_chain(c, gold, &rounded);
    answer = end_of_chain(c, answer, &rounded);
    struct node *unnamed = without_name(c, gold, answer);
    answer = multiplied_out(c, write_out(c, without_name(c, answer, gold)));
    gold = multiplied_out(c, write_out(c, unnamed));
    cord_verdict verdict = compare_restated(c, gold, answer);
    if (verdict == CORD_DIFFERENT && (has_free_signs(gold) || has_free_signs(answer)))
        return verdict_for(c, CORD_UNDECIDED, "several signs \\pm stand in one thing");
    if (verdict == CORD_DIFFERENT && rounded &&
        (compare(c, gold, rounded) != CORD_DIFFERENT || compare(c, answer, rounded) != CORD_DIFFERENT))
        return verdict_for(c, CORD_UNDECIDED, "one says a number and what it is about");
    return verdict;
}

/* Whether both speak of the same variables, so that those of an entry are not just names. */
static bool same_symbols(const struct node *a, const struct node *b) {
    enum { MOST = 8 };
    cord_text left[MOST], right[MOST];
    size_t n = node_symbols(a, left, MOST);
    if (n > MOST || node_symbols(b, right, MOST) != n) return false;
    for (size_t i = 0; i < n; i++)
        if (!text_equal(left[i], right[i])) return false;
    return true;
}

cord_verdict compare_answers(struct comparison *c, struct node *gold, struct node *answer) {
    c->same_symbols = same_symbols(gold, answer);
    cord_verdict verdict = compare(c, gold, answer);
    if (verdict == CORD_UNDECIDED && c->work->limit) c->why = c->work->limit;
    return verdict;
}
