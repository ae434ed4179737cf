/* matching.c - see matching.h. */
#include "eval/matching.h"

#include <stdlib.h>

/* The rows of a run, to be looked up by id. Those that could not be used have none. */
struct sorted {
    const struct evidence_row **by_id;
    int n;
};

static int compare_texts(cord_text a, cord_text b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_id(const void *a, const void *b) {
    const struct evidence_row *const *x = a, *const *y = b;
    int order = compare_texts((*x)->id, (*y)->id);
    return order ? order : (*x > *y) - (*x < *y);
}

static cord_status sort(const struct evidence *run, struct arena *arena, struct sorted *out, cord_error *err) {
    *out = (struct sorted){.by_id = arena_alloc(arena, (size_t)(run->n + 1) * sizeof *out->by_id)};
    if (!out->by_id) return error_memory(err);
    for (int i = 0; i < run->n; i++)
        if (run->rows[i].problem.len) out->by_id[out->n++] = &run->rows[i];
    if (out->n) qsort(out->by_id, (size_t)out->n, sizeof *out->by_id, by_id);
    return CORD_OK;
}

static const struct evidence_row *find(const struct sorted *run, cord_text id) {
    int low = 0, high = run->n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (compare_texts(run->by_id[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < run->n && text_equal(run->by_id[low]->id, id) ? run->by_id[low] : NULL;
}

/* Whether a row's problem counts in a run; else why not. */
static bool counts(const struct sorted *run, const struct evidence_row *row, enum lack *why) {
    const struct evidence_row *other = find(run, row->id);
    bool same = other && text_equal(row->problem, other->problem);
    if (same && other->status == PROBLEM_DONE) return true;
    *why = !other ? LACK_ABSENT : !same ? LACK_OTHER : other->status == PROBLEM_FAILED ? LACK_FAILED : LACK_OPEN;
    return false;
}

/* How many problems of a run are done in none, and stand in no run before it. */
static int count_not_done(const struct evidence *run, const struct sorted *sorted, int n, int at) {
    int count = 0;
    for (int i = 0; i < run->n; i++) {
        bool done = !run->rows[i].problem.len;
        for (int r = 0; r < n && !done; r++) {
            const struct evidence_row *other = find(&sorted[r], run->rows[i].id);
            done = other && (r < at || other->status == PROBLEM_DONE);
        }
        count += !done;
    }
    return count;
}

/* Which run lacks the problem, or -1. */
static int find_lack(const struct sorted *sorted, int n, const struct evidence_row *row, enum lack *why) {
    for (int r = 0; r < n; r++)
        if (!counts(&sorted[r], row, why)) return r;
    return -1;
}

static void note_lack(struct left_out *left, cord_text id, int where, enum lack why) {
    if (!left->n++) *left = (struct left_out){1, id, where, why};
}

cord_status match_problems(const struct evidence *const *runs, int n, struct arena *arena, struct matching *out,
                           cord_error *err) {
    struct sorted *sorted = arena_alloc(arena, (size_t)n * sizeof *sorted);
    *out = (struct matching){.left_out = arena_alloc(arena, (size_t)n * sizeof *out->left_out)};
    const struct evidence_row **common = arena_alloc(arena, (size_t)(runs[0]->n + 1) * sizeof *common);
    if (!sorted || !out->left_out || !common) return error_memory(err);
    for (int r = 0; r < n; r++) CORD_TRY(sort(runs[r], arena, &sorted[r], err));
    enum lack why = LACK_ABSENT;
    for (int r = 0; r < n; r++)
        for (int i = 0; i < runs[r]->n; i++) {
            const struct evidence_row *row = &runs[r]->rows[i];
            int where = row->status == PROBLEM_DONE ? find_lack(sorted, n, row, &why) : -1;
            if (where >= 0)
                note_lack(&out->left_out[r], row->id, where, why);
            else if (r == 0 && row->status == PROBLEM_DONE)
                common[out->n++] = row;
        }
    for (int r = 0; r < n; r++) out->not_done += count_not_done(runs[r], sorted, n, r);
    out->at = arena_alloc(arena, (size_t)(out->n * n + 1) * sizeof *out->at);
    if (!out->at) return error_memory(err);
    for (int r = 0; r < n; r++)
        for (int i = 0; i < out->n; i++)
            out->at[r * out->n + i] = (int)(find(&sorted[r], common[i]->id) - runs[r]->rows);
    return CORD_OK;
}
