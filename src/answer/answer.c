/* answer.c - the grader of cord.h: two texts in, a verdict and its rule out. Texts with several readings are equal or
 * different only where all readings say so. It must not know where answers come from. */
#include "answer/compare.h"
#include "answer/describe.h"
#include "answer/read/parse.h"

#include <stdlib.h>

enum {
    WORK = 4000000,           /* what all readings of a pair may cost together, in units of struct work */
    READINGS_TRIED = 16,      /* most readings of one pair */
    DESCRIPTION = 256 * 1024, /* most bytes of what was read */
};

static const cord_grade_options plain_options;

/* A pair of texts while it is graded. */
struct pair {
    struct arena arena;
    cord_text text[2];
    struct node *tree[2]; /* of the first reading */
    struct work work;
    struct comparison comparison;
    bool no_memory;
};

static cord_verdict out_of_memory(struct pair *p) {
    p->no_memory = true;
    return verdict_for(&p->comparison, CORD_UNDECIDED, "out of memory");
}

/* Reads both texts in one way. */
static bool read_pair(struct pair *p, unsigned reading, unsigned *readings, struct node *tree[2]) {
    for (int i = 0; i < 2; i++) {
        tree[i] = parse_answer(&p->arena, p->text[i], reading, readings, &p->work.limit);
        if (!tree[i]) return false;
    }
    return true;
}

/* "5 cm" says that the "m" of "0.05 m" is a unit, too: the bits that all readings have then, with the first one read. */
static bool read_first(struct pair *p, unsigned *readings, unsigned *always) {
    *readings = *always = 0;
    if (!read_pair(p, 0, readings, p->tree)) return false;
    if (!(*readings & READING_UNIT) || (p->tree[0]->kind != NODE_QUANTITY && p->tree[1]->kind != NODE_QUANTITY))
        return true;
    struct node *tree[2];
    if (!read_pair(p, READING_UNIT, readings, tree)) return false;
    if (tree[0]->kind != NODE_QUANTITY || tree[1]->kind != NODE_QUANTITY) return true;
    p->tree[0] = tree[0], p->tree[1] = tree[1];
    *always = READING_UNIT;
    return true;
}

static cord_verdict grade_readings(struct pair *p) {
    unsigned readings, always;
    if (!read_first(p, &readings, &always)) return out_of_memory(p);
    cord_verdict verdict = compare_answers(&p->comparison, p->tree[0], p->tree[1]);
    int tried = 1;
    for (unsigned reading = always + 1; reading < READINGS && verdict != CORD_UNDECIDED; reading++) {
        if ((reading & ~readings) || (always & ~reading)) continue;
        if (++tried > READINGS_TRIED)
            return verdict_for(&p->comparison, CORD_UNDECIDED, "a text has too many readings");
        const char *why = p->comparison.why;
        struct node *tree[2];
        if (!read_pair(p, reading, &readings, tree)) return out_of_memory(p);
        if (compare_answers(&p->comparison, tree[0], tree[1]) != verdict)
            return verdict_for(&p->comparison, CORD_UNDECIDED,
                               "a text has two readings, and they give different verdicts");
        p->comparison.why = why;
    }
    return verdict;
}

/* A number alone in round brackets, "$(12.5)", "(3.2%) million": as accounts have it, and TAT-QA's metric, it is negative. */
static bool is_in_brackets(cord_text t) {
    ptrdiff_t open = text_find(t, TEXT("(")), close = text_find(t, TEXT(")"));
    bool digit = false;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)t.len; i++) {
        char c = t.data[i];
        bool inside = i > open && i < close;
        digit = digit || (inside && c >= '0' && c <= '9');
        if (!strchr(inside ? "0123456789.,$%\\ " : "()$%\\ ", c) && (i < close || c < 'a' || c > 'z')) return false;
    }
    return open >= 0 && digit;
}

static cord_verdict grade(struct pair *p) {
    struct comparison *c = &p->comparison;
    for (int i = 0; i < 2; i++) p->text[i] = text_trim(p->text[i]);
    if (!p->text[0].len) return verdict_for(c, CORD_UNDECIDED, "the gold answer is empty");
    if (!p->text[1].len) return verdict_for(c, CORD_UNDECIDED, "the answer is empty");
    if (text_equal(p->text[0], p->text[1])) return verdict_for(c, CORD_EQUAL, "the texts are the same");
    cord_verdict verdict = grade_readings(p);
    bool one = c->options->numbers == CORD_NUMBERS_TATQA && is_in_brackets(p->text[0]) != is_in_brackets(p->text[1]);
    return one && verdict != CORD_UNDECIDED ? verdict_for(c, CORD_UNDECIDED, "brackets may be a minus") : verdict;
}

static void pair_init(struct pair *p, cord_text gold, cord_text answer, const cord_grade_options *options) {
    *p = (struct pair){.text = {gold, answer}, .work.left = WORK};
    arena_init(&p->arena);
    p->comparison =
        (struct comparison){.arena = &p->arena, .options = options ? options : &plain_options, .work = &p->work};
}

cord_verdict cord_verify(cord_text gold, cord_text answer, const char **why) {
    struct pair p;
    pair_init(&p, gold, answer, NULL);
    cord_verdict verdict = grade(&p);
    if (why) *why = p.comparison.why;
    arena_release(&p.arena);
    return verdict;
}

/* How a side was read; where the texts were the same it has not been yet. */
static char *description(struct pair *p, int side) {
    const char *limit = NULL;
    unsigned readings = 0;
    struct node *tree = p->tree[side];
    if (!tree) tree = parse_answer(&p->arena, p->text[side], 0, &readings, &limit);
    if (!tree) return NULL;
    struct buf words;
    buf_init(&words, "what was read", DESCRIPTION);
    describe(tree, &words);
    char *copy = strndup(words.data, words.len);
    buf_release(&words);
    return copy;
}

cord_status cord_grade(cord_text gold, cord_text answer, const cord_grade_options *options, cord_grading *out,
                       cord_error *err) {
    struct pair p;
    pair_init(&p, gold, answer, options);
    *out = (cord_grading){.verdict = grade(&p)};
    out->why = p.comparison.why;
    out->gold_read = description(&p, 0);
    out->answer_read = description(&p, 1);
    arena_release(&p.arena);
    if (!p.no_memory && out->gold_read && out->answer_read) return CORD_OK;
    cord_grading_release(out);
    return error_memory(err);
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
