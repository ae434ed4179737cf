/* problem_sets.h - problem sets as arrays, which tests make and look at. */
#ifndef CORD_TEST_PROBLEM_SETS_H
#define CORD_TEST_PROBLEM_SETS_H

#include "data/problem.h"

#include <stdlib.h>

/* A set of these; to be released. */
static inline struct problem_set set_of(const struct problem *problems, int n) {
    struct problem_set set;
    problem_set_init(&set, "line");
    for (int i = 0; i < n; i++)
        if (problem_set_add(&set, &problems[i], NULL) != CORD_OK) abort();
    return set;
}

/* All that the set tells, in the arena; there are `n` of them. */
static inline struct problem *problems_told(const struct problem_set *set, int *n, struct arena *arena) {
    struct problem *all = arena_alloc(arena, (size_t)(set->n + 1) * sizeof *all), problem;
    struct problem_walk walk;
    problem_walk_begin(&walk, set, NULL);
    for (*n = 0; problem_walk_next(&walk, &problem); ++*n) {
        struct problem *p = &all[*n];
        *p = problem;
        cord_text *const texts[] = {&p->question.id,   &p->question.text, &p->target,    &p->gold,
                                    &p->full_question, &p->row,           &p->gold_field};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            if (texts[i]->data) *texts[i] = arena_text(arena, *texts[i]);
        if (p->bad) p->bad = arena_text(arena, text_of(p->bad)).data;
    }
    if (problem_walk_end(&walk, CORD_OK) != CORD_OK) abort();
    return all;
}

/* Of a set of which no shard is taken. */
static inline struct problem *problems_of_set(const struct problem_set *set, struct arena *arena) {
    int n;
    struct problem *all = problems_told(set, &n, arena);
    if (n != set->n) abort();
    return all;
}

#endif
