/* compare.h - whether two trees are the same answer, kind by kind. It must not know how answers are written. */
#ifndef CORD_ANSWER_COMPARE_H
#define CORD_ANSWER_COMPARE_H

#include "answer/exact/expression.h"

/* One comparison of a gold with an answer. */
struct comparison {
    struct arena *arena;
    const cord_grade_options *options;
    struct work *work;
    bool same_symbols; /* the answers, as wholes, have the same variables */
    const char *why;   /* set by every function that gives a verdict; static */
};

/* The verdict on two trees, with its rule in c->why. */
cord_verdict compare_answers(struct comparison *c, struct node *gold, struct node *answer);

/* ---- between the files that compare -------------------------------------------------------------------------- */

static inline cord_verdict verdict_for(struct comparison *c, cord_verdict verdict, const char *why) {
    c->why = why;
    return verdict;
}

/* Two trees, of which each may be a part of an answer (compare.c). */
cord_verdict compare(struct comparison *c, struct node *gold, struct node *answer);

static inline bool is_collection(const struct node *node) { return node->kind == NODE_LIST || node->kind == NODE_SET; }
static inline bool is_value(const struct node *node) { return node_is_expression(node) || node->kind == NODE_QUANTITY; }

/* The same said otherwise, or `node` itself (restate.c): with each sign ± of it or its entries written out; a name's value,
 * where `other` has no name; the last side of a chain, *rounded being what it is said to be about; \frac12 (2, 4) as
 * (1, 2). */
struct node *write_out(struct comparison *c, struct node *node);
struct node *without_name(struct comparison *c, struct node *node, const struct node *other);
struct node *end_of_chain(struct comparison *c, struct node *node, struct node **rounded);
struct node *multiplied_out(struct comparison *c, struct node *node);
/* Whether, written out, it still has signs that stand for two values each: (\pm 1, \pm 2). */
bool has_free_signs(const struct node *node);

/* Two expressions, by the options' rule for numbers (compare_numbers.c). */
cord_verdict compare_values(struct comparison *c, struct node *gold, struct node *answer);
/* Numbers of which at least one has a unit, a percent or a degree sign, or a word such as "million". */
/* Whether `exact` is proved to round to `decimal`, a number that is written with decimals. */
bool rounds_to(struct comparison *c, struct node *exact, struct node *decimal);
cord_verdict compare_measures(struct comparison *c, struct node *gold, struct node *answer);
/* Whether it is such a number. */
bool is_measure(const struct node *node);

/* Sets of reals: intervals, their unions and differences, inequalities in one variable (real_set.c). Undecided, with
 * c->why NULL, where one of them cannot be understood as such. */
cord_verdict compare_real_sets(struct comparison *c, struct node *gold, struct node *answer);

/* Equations and inequalities (compare_relations.c). */
cord_verdict compare_relations(struct comparison *c, struct node *gold, struct node *answer);
/* The value of "x = 5" and its like: the side that is no name; NULL where both or none are. */
struct node *named_value(struct node *relation, struct node **name);

/* The sign of a relation read from the other side: < is >. */
static inline char mirrored(char code) {
    switch (code) {
    case '<': return '>';
    case '>': return '<';
    case 'L': return 'G';
    case 'G': return 'L';
    default: return code;
    }
}

#endif
