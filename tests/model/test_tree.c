/* test_tree.c - a lane's tree and llama.cpp's memory stay in step: whatever is forked, computed, kept, cut, dropped and
 * forgotten, in whatever order, the tree's counts are right, and the state at a leaf is that of its tokens. */
#include "reference.h"
#include "tiny.h"

#include "model/local/local.h"

enum { TEXTS = 24, LONGEST = 240, WORKERS = 5, CELLS = 1024, SEQUENCES = 8, GROUPS = 3, STEPS = 1500 };

/* The cache's F16 rounds: measured 0.004 for the worst logit. A state that is not its tokens' is wrong by far more. */
#define LIMIT 0.02

struct text {
    llama_token id[LONGEST];
    int n;
};

/* Stands for a job. */
struct worker {
    const struct text *text;
    struct node *leaf; /* NULL: at leisure */
    int have;
};

struct workshop {
    enum tiny_kind kind;
    struct reference ref;
    cord_engine *engine;
    struct lane *lane;
    struct rng rng;
    struct text texts[TEXTS];
    struct worker workers[WORKERS];
    int compared, forks, retained;
    double worst;
};

static int below(struct workshop *w, int n) { return (int)(rng_next(&w->rng) % (uint64_t)n); }

/* Each text begins with some of another one. */
static void write_texts(struct workshop *w) {
    for (int i = 0; i < TEXTS; i++) {
        struct text *text = &w->texts[i];
        text->n = 40 + below(w, LONGEST - 40);
        for (int t = 0; t < text->n; t++) text->id[t] = TINY_CONTROLS + below(w, w->ref.n_vocab - TINY_CONTROLS);
        const struct text *from = i ? &w->texts[below(w, i)] : text;
        int common = below(w, from->n);
        memmove(text->id, from->id, (size_t)(common < text->n ? common : text->n) * sizeof *text->id);
    }
}

/* ---- what must always hold ----------------------------------------------------------------------------------- */

struct census {
    int cells;
    bool seen[SEQUENCES];
};

static void check_node(const struct tree *tree, const struct node *node, struct census *census) {
    assert_int_equal(node->start, node_end(node->parent));
    assert_true(node->n > 0 || node->held);
    if (!node->first) assert_true(node->sequence >= 0);
    if (node->first) assert_false(node->held);
    if (node->first && !tree_must_keep(tree)) assert_int_equal(node->sequence, -1);
    census->cells += node->n;
    if (node->sequence >= 0) {
        assert_true(tree->taken[node->sequence] && !census->seen[node->sequence]);
        census->seen[node->sequence] = true;
        /* what is cut out of a window leaves nothing of it */
        int end = llama_memory_seq_pos_max(tree->memory, node->sequence) + 1;
        if (!tree->window || end > 0) assert_int_equal(end, node_end(node));
    }
    for (const struct node *child = node->first; child; child = child->next) {
        assert_ptr_equal(child->parent, node);
        check_node(tree, child, census);
    }
}

static void check(const struct workshop *w) {
    const struct tree *tree = &w->lane->tree;
    struct census census = {0};
    for (const struct node *child = tree->root.first; child; child = child->next) check_node(tree, child, &census);
    assert_int_equal(census.cells, tree->cells);
    for (int s = 0; s < SEQUENCES; s++) {
        assert_int_equal(census.seen[s], tree->taken[s]);
        if (!tree->taken[s]) assert_int_equal(llama_memory_seq_pos_max(tree->memory, s), -1);
    }
    for (int i = 0; i < WORKERS; i++) {
        const struct worker *worker = &w->workers[i];
        if (!worker->leaf) continue;
        assert_true(worker->leaf->held);
        assert_int_equal(node_end(worker->leaf), worker->have);
        for (const struct node *node = worker->leaf; node->parent; node = node->parent)
            assert_memory_equal(node->id, worker->text->id + node->start, (size_t)node->n * sizeof *node->id);
    }
}

/* ---- what is done -------------------------------------------------------------------------------------------- */

static void start(struct workshop *w, struct worker *worker) {
    struct tree *tree = &w->lane->tree;
    bool prefilled = below(w, 2);
    uint64_t group = 1 + (uint64_t)below(w, GROUPS);
    const struct text *text = &w->texts[below(w, TEXTS)];
    int match = tree_match(tree, text->id, text->n - 1, prefilled);
    struct node *leaf = tree_fork(tree, text->id, text->n - 1, prefilled, group);
    if (leaf) {
        *worker = (struct worker){text, leaf, match};
        w->forks += match > 0;
        return;
    }
    for (int s = 0; s < SEQUENCES; s++) assert_true(tree->taken[s]);
    tree_evict(tree);
}

static void give(struct workshop *w, struct worker *worker) {
    tree_give(&w->lane->tree, worker->leaf, below(w, 3) ? worker->have : below(w, worker->have + 1));
    worker->leaf = NULL;
}

/* The logits behind a worker's last token, by a fresh context. */
static void compare(struct workshop *w, const struct worker *worker, const float *logits) {
    struct llama_context *ctx = reference_context(&w->ref, worker->have + 1);
    llama_set_n_threads(ctx, 1, 1);
    reference_decode(ctx, 0, worker->text->id, 0, worker->have, worker->have - 1);
    const float *fresh = llama_get_logits_ith(ctx, -1);
    for (int i = 0; i < w->ref.n_vocab; i++) w->worst = fmax(w->worst, fabs((double)logits[i] - (double)fresh[i]));
    llama_free(ctx);
    w->compared++;
}

/* One batch, with rows of about half of the workers. */
static void work(struct workshop *w) {
    struct lane *lane = w->lane;
    int rows[WORKERS], n = 0;
    lane_begin(lane);
    for (int i = 0; i < WORKERS; i++) {
        struct worker *worker = &w->workers[i];
        rows[i] = -1;
        int left = worker->leaf ? worker->text->n - worker->have : 0,
            more = left ? 1 + below(w, left < 45 ? left : 45) : 0;
        bool decoded = below(w, 2);
        if (!more || below(w, 2) || !lane_make_room(lane, more)) continue;
        for (int k = 0; k < more; k++) {
            llama_token token = worker->text->id[worker->have];
            worker->leaf = tree_extend(&lane->tree, worker->leaf, token, decoded);
            assert_non_null(worker->leaf);
            lane_row(lane, worker->leaf, token, worker->have++, k == more - 1);
            rows[i] = n++;
        }
    }
    if (!n) return;
    assert_ok(lane_compute(lane, err));
    for (int i = 0; i < WORKERS; i++)
        if (rows[i] >= 0 && below(w, 8) == 0) compare(w, &w->workers[i], lane_logits(lane, rows[i]));
}

static void forget(struct workshop *w) {
    struct tree *tree = &w->lane->tree;
    uint64_t group = 1 + (uint64_t)below(w, GROUPS);
    struct tokens lists[2];
    const struct tokens *keep[2] = {&lists[0], &lists[1]};
    for (int i = 0; i < 2; i++) {
        struct text *text = &w->texts[below(w, TEXTS)];
        lists[i] = (struct tokens){.id = text->id, .n = text->n};
    }
    int had = tree_cells(tree, group);
    assert_int_equal(tree_forget(tree, group, keep, below(w, 3), (enum written)below(w, 3)), had);
}

/* Nothing of a group stays where nobody works, but what others share. */
static void check_gone(const struct node *node, uint64_t group) {
    for (const struct node *child = node->first; child; child = child->next) {
        if (!child->first && !child->held && child->group == group) assert_true(child->shared);
        check_gone(child, group);
    }
}

static void end(struct workshop *w) {
    uint64_t group = 1 + (uint64_t)below(w, GROUPS);
    tree_forget(&w->lane->tree, group, NULL, 0, WRITTEN_IF_WANTED);
    check_gone(&w->lane->tree.root, group);
}

/* Only what is worked at stays. */
static void evict_all(struct workshop *w) {
    struct tree *tree = &w->lane->tree;
    int held = tree_held(tree, NULL), groups = 0;
    while (tree_evict(tree)) check(w);
    assert_int_equal(tree->cells, held);
    for (uint64_t group = 1; group <= GROUPS; group++) groups += tree_held(tree, &group);
    assert_int_equal(groups, held);
}

static void retain(struct workshop *w) {
    struct tree *tree = &w->lane->tree;
    for (int i = 0; i < WORKERS; i++)
        if (w->workers[i].leaf) give(w, &w->workers[i]);
    const struct text *text = &w->texts[below(w, TEXTS)];
    int n = tree_match(tree, text->id, text->n, true);
    n = below(w, 3) ? n : below(w, n + 1);
    tree_retain(tree, text->id, n);
    w->retained += tree->cells > 0;
    if (tree->cells || !tree_must_keep(tree)) assert_int_equal(tree->cells, n);
    assert_int_equal(tree_match(tree, text->id, text->n, true), tree->cells);
}

static void clear(struct workshop *w) {
    tree_clear(&w->lane->tree);
    for (int i = 0; i < WORKERS; i++) w->workers[i].leaf = NULL;
}

static void do_something(struct workshop *w) {
    struct worker *worker = &w->workers[below(w, WORKERS)];
    int what = below(w, 100);
    if (what < 2)
        clear(w);
    else if (what < 4)
        retain(w);
    else if (what < 6)
        evict_all(w);
    else if (what < 10)
        end(w);
    else if (what < 16)
        forget(w);
    else if (what < 20)
        tree_evict(&w->lane->tree);
    else if (what < 50 || !worker->leaf)
        worker->leaf ? give(w, worker) : start(w, worker);
    else if (what < 60 && tree_must_keep(&w->lane->tree)) {
        struct node *leaf = tree_keep(&w->lane->tree, worker->leaf);
        if (leaf) worker->leaf = leaf;
    } else
        work(w);
}

static void stays_in_step(void **state) {
    struct workshop w = {.kind = *(const enum tiny_kind *)*state};
    char path[64];
    tiny_write(w.kind, path);
    assert_ok(cord_engine_open(&(cord_engine_options){.threads = 1}, &w.engine, err));
    cord_model *model = weights_open_file(w.engine, tiny_names[w.kind], path, 512, CELLS, SEQUENCES);
    w.ref = reference_open_file(path, false);
    unlink(path); /* it stays mapped */
    assert_ok(lane_open(local_of(model), CELLS, &w.lane, err));
    rng_init(&w.rng, 11);
    write_texts(&w);
    for (int i = 0; i < STEPS; i++) {
        do_something(&w);
        check(&w);
    }
    printf("%s: %d forks of something, %d times something retained, %d states compared, logits differ by %.4f\n",
           tiny_names[w.kind], w.forks, w.retained, w.compared, w.worst);
    assert_true(w.forks >= 20 && w.compared >= 20 && (w.retained > 0 || tree_must_keep(&w.lane->tree)));
    assert_true(w.worst <= LIMIT);
    lane_close(w.lane);
    cord_engine_close(w.engine);
    reference_close(&w.ref);
}

static enum tiny_kind kinds[TINY_KINDS] = {TINY_LLAMA, TINY_GEMMA3, TINY_LFM2, TINY_LFM2_WINDOW, TINY_MAMBA2};
#define CASE(kind, name) \
    { name ": stays_in_step", stays_in_step, NULL, NULL, &kinds[kind] }

int main(void) {
    const struct CMUnitTest tests[] = {CASE(TINY_LLAMA, "llama"), CASE(TINY_GEMMA3, "gemma3"), CASE(TINY_LFM2, "lfm2"),
                                       CASE(TINY_LFM2_WINDOW, "lfm2-window"), CASE(TINY_MAMBA2, "mamba2")};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
