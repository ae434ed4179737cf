/* matching.c - see matching.h. */
#include "eval/matching.h"

#include <stdlib.h>

/* A list, to be looked up by id. Rows that cannot be used have no id of their own. */
struct sorted {
    const struct journal_problem **by_id;
    int n;
};

static int compare_texts(cord_text a, cord_text b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_id(const void *a, const void *b) {
    const struct journal_problem *const *x = a, *const *y = b;
    int order = compare_texts((*x)->id, (*y)->id);
    return order ? order : ((*x)->index > (*y)->index) - ((*x)->index < (*y)->index);
}

static cord_status sort(const struct problem_list *list, struct arena *arena, struct sorted *out, cord_error *err) {
    *out = (struct sorted){.by_id = arena_alloc(arena, (size_t)(list->n + 1) * sizeof *out->by_id)};
    if (!out->by_id) return error_memory(err);
    for (int i = 0; i < list->n; i++)
        if (list->problems[i].question.len) out->by_id[out->n++] = &list->problems[i];
    if (out->n) qsort(out->by_id, (size_t)out->n, sizeof *out->by_id, by_id);
    return CORD_OK;
}

static const struct journal_problem *find(const struct sorted *list, cord_text id) {
    int low = 0, high = list->n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (compare_texts(list->by_id[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->n && text_equal(list->by_id[low]->id, id) ? list->by_id[low] : NULL;
}

static bool same(const struct journal_problem *a, const struct journal_problem *b) {
    return text_equal(a->question, b->question) && text_equal(a->target, b->target) && text_equal(a->gold, b->gold);
}

/* The problem as another list has it, if it counts there; else why not. */
static const struct journal_problem *counterpart(const struct sorted *list, const struct journal_problem *problem,
                                                 enum lack *why) {
    const struct journal_problem *other = find(list, problem->id);
    if (other && same(problem, other) && other->status == PROBLEM_DONE) return other;
    *why = !other                            ? LACK_ABSENT
           : !same(problem, other)           ? LACK_OTHER
           : other->status == PROBLEM_FAILED ? LACK_FAILED
                                             : LACK_OPEN;
    return NULL;
}

/* How many problems of a list are done in none, and stand in no list before it. */
static int count_not_done(const struct problem_list *lists, const struct sorted *sorted, int n_lists, int list) {
    int count = 0;
    for (int i = 0; i < lists[list].n; i++) {
        cord_text id = lists[list].problems[i].id;
        bool done = !lists[list].problems[i].question.len;
        for (int l = 0; l < n_lists && !done; l++) {
            const struct journal_problem *other = find(&sorted[l], id);
            done = other && (l < list || other->status == PROBLEM_DONE);
        }
        count += !done;
    }
    return count;
}

/* Which list lacks the problem, or -1. */
static int find_lack(const struct sorted *sorted, int n_lists, const struct journal_problem *problem, enum lack *why) {
    for (int l = 0; l < n_lists; l++)
        if (!counterpart(&sorted[l], problem, why)) return l;
    return -1;
}

static void note_lack(struct left_out *left, cord_text id, int where, enum lack why) {
    if (!left->n++) *left = (struct left_out){1, id, where, why};
}

cord_status match_problems(const struct problem_list *lists, int n_lists, struct arena *arena, struct matching *out,
                           cord_error *err) {
    struct sorted *sorted = arena_alloc(arena, (size_t)n_lists * sizeof *sorted);
    *out = (struct matching){.left_out = arena_alloc(arena, (size_t)n_lists * sizeof *out->left_out)};
    const struct journal_problem **common = arena_alloc(arena, (size_t)(lists[0].n + 1) * sizeof *common);
    if (!sorted || !out->left_out || !common) return error_memory(err);
    for (int l = 0; l < n_lists; l++) CORD_TRY(sort(&lists[l], arena, &sorted[l], err));
    enum lack why = LACK_ABSENT;
    for (int l = 0; l < n_lists; l++)
        for (int i = 0; i < lists[l].n; i++) {
            const struct journal_problem *problem = &lists[l].problems[i];
            int where = problem->status == PROBLEM_DONE ? find_lack(sorted, n_lists, problem, &why) : -1;
            if (where >= 0)
                note_lack(&out->left_out[l], problem->id, where, why);
            else if (l == 0 && problem->status == PROBLEM_DONE)
                common[out->n++] = problem;
        }
    for (int l = 0; l < n_lists; l++) out->not_done += count_not_done(lists, sorted, n_lists, l);
    out->at = arena_alloc(arena, (size_t)(out->n * n_lists + 1) * sizeof *out->at);
    if (!out->at) return error_memory(err);
    for (int l = 0; l < n_lists; l++)
        for (int i = 0; i < out->n; i++)
            out->at[l * out->n + i] = (int)(find(&sorted[l], common[i]->id) - lists[l].problems);
    return CORD_OK;
}
