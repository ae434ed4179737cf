/* tree.c - what a lane's cache holds, as a tree of runs of tokens: what many requests begin with lies in it once, and a
 * fork costs nothing, because a cell of llama.cpp's memory may belong to several sequences.
 *
 * It keeps the tree and llama.cpp's memory in step. It must not know jobs, models or batches. */
#include "model/local/local.h"

#include <stdlib.h>

/* ---- sequences and nodes ------------------------------------------------------------------------------------- */

static int sequence_take(struct tree *tree) {
    for (int s = 0; s < tree->n_sequences; s++)
        if (!tree->taken[s]) return tree->taken[s] = true, s;
    return -1;
}

static void sequence_free(struct tree *tree, int sequence) {
    llama_memory_seq_rm(tree->memory, sequence, -1, -1);
    tree->taken[sequence] = false;
}

static bool node_reserve(struct node *node, int n) {
    if (node->id && n <= node->cap) return true;
    int cap = node->cap ? node->cap : 64;
    while (cap < n) cap *= 2;
    llama_token *id = realloc(node->id, (size_t)cap * sizeof *id);
    if (!id) return false;
    node->id = id;
    node->cap = cap;
    return true;
}

static void attach(struct node *node, struct node *parent) {
    node->parent = parent;
    node->next = parent->first;
    parent->first = node;
}

static void detach(struct node *node) {
    struct node **link = &node->parent->first;
    while (*link != node) link = &(*link)->next;
    *link = node->next;
}

static struct node *node_new(struct node *parent, uint64_t group) {
    struct node *node = calloc(1, sizeof *node);
    if (!node) return NULL;
    node->start = node_end(parent);
    node->sequence = -1;
    node->group = group;
    attach(node, parent);
    return node;
}

static void node_free(struct node *node) {
    detach(node);
    free(node->id);
    free(node);
}

cord_status tree_init(struct tree *tree, llama_memory_t memory, int n_sequences, bool tips, int window,
                      cord_error *err) {
    *tree = (struct tree){
        .memory = memory, .tips = tips, .window = window, .n_sequences = n_sequences, .root.sequence = -1};
    tree->taken = calloc((size_t)n_sequences, sizeof *tree->taken);
    return tree->taken ? CORD_OK : error_memory(err);
}

static void free_below(struct node *node) {
    for (struct node *child = node->first, *next; child; child = next) {
        next = child->next;
        free_below(child);
        free(child->id);
        free(child);
    }
    node->first = NULL;
}

void tree_release(struct tree *tree) {
    free_below(&tree->root);
    free(tree->taken);
    tree->taken = NULL;
}

void tree_clear(struct tree *tree) {
    free_below(&tree->root);
    llama_memory_clear(tree->memory, false);
    memset(tree->taken, 0, (size_t)tree->n_sequences * sizeof *tree->taken);
    tree->cells = 0;
}

/* A sequence that holds a node's cells. */
static int sequence_of(const struct node *node) {
    while (node->sequence < 0) node = node->first;
    return node->sequence;
}

/* ---- finding ------------------------------------------------------------------------------------------------- */

/* A place inside the tree: behind the first n tokens of a node. */
struct place {
    struct node *node;
    int n;
};

static int place_end(struct place place) { return place.node->start + place.n; }

/* Whether a sequence can go on from here. What a sliding window has left behind may be overwritten, so of a sequence that
 * went on, not every beginning is whole. */
static bool can_fork(const struct tree *tree, struct place place) {
    const struct node *node = place.node;
    if (tree->tips) return place.n == node->n && node->sequence >= 0 && !node->held;
    if (!tree->window) return true;
    int needed = place_end(place) - tree->window + 1, first = llama_memory_seq_pos_min(tree->memory, sequence_of(node));
    return first >= 0 && first <= (needed > 0 ? needed : 0);
}

static struct place best_below(const struct tree *tree, struct node *node, struct place best, const llama_token *tokens,
                               int n, bool prefilled) {
    for (struct node *child = node->first; child; child = child->next) {
        if (prefilled && child->decoded) continue;
        int have = tokens_common(child->id, child->n, tokens + child->start, n - child->start);
        struct place here = {child, have};
        if (have > 0 && place_end(here) > place_end(best) && can_fork(tree, here)) best = here;
        if (have == child->n) best = best_below(tree, child, best, tokens, n, prefilled);
    }
    return best;
}

static struct place find(struct tree *tree, const llama_token *tokens, int n, bool prefilled) {
    return best_below(tree, &tree->root, (struct place){&tree->root, 0}, tokens, n, prefilled);
}

int tree_match(struct tree *tree, const llama_token *tokens, int n, bool prefilled) {
    return place_end(find(tree, tokens, n, prefilled));
}

/* ---- growing ------------------------------------------------------------------------------------------------- */

/* Cuts a node in two: its first n tokens become a node above it. What points to the node, points to its end as before. */
static struct node *split(struct node *node, int n) {
    struct node *upper = node_new(node->parent, node->group);
    if (!upper) return NULL;
    if (!node_reserve(upper, n)) {
        node_free(upper);
        return NULL;
    }
    memcpy(upper->id, node->id, (size_t)n * sizeof *node->id);
    upper->n = n;
    upper->decoded = node->decoded;
    upper->shared = node->shared;
    upper->used = node->used;
    detach(node);
    attach(node, upper);
    memmove(node->id, node->id + n, (size_t)(node->n - n) * sizeof *node->id);
    node->n -= n;
    node->start += n;
    return upper;
}

/* A new held leaf behind a node. */
static struct node *fork_at(struct tree *tree, struct node *node, uint64_t group) {
    int from = node == &tree->root ? -1 : sequence_of(node);
    bool goes_on = node->sequence >= 0 && !tree_must_keep(tree); /* with the node's own sequence, since it was a leaf */
    int sequence = goes_on ? from : sequence_take(tree);
    if (sequence < 0) return NULL;
    struct node *leaf = node_new(node, group);
    if (!leaf) {
        if (!goes_on) tree->taken[sequence] = false;
        return NULL;
    }
    leaf->sequence = sequence;
    leaf->held = true;
    if (goes_on)
        node->sequence = -1;
    else if (from >= 0)
        llama_memory_seq_cp(tree->memory, from, sequence, tree->tips ? -1 : 0, tree->tips ? -1 : leaf->start);
    return leaf;
}

struct node *tree_fork(struct tree *tree, const llama_token *tokens, int n, bool prefilled, uint64_t group) {
    struct place place = find(tree, tokens, n, prefilled);
    struct node *node = place.node;
    bool foreign = node != &tree->root && node->group != group, whole = place.n == node->n;
    if (!tree->tips && node->sequence >= 0 && whole && !node->held && !foreign && !node->shared) {
        node->held = true; /* a leaf that nobody works at goes on as it is */
        return node;
    }
    /* a job's leaf will grow, so what others begin with is cut off above it */
    if (!whole || node->held) node = split(node, place.n);
    if (!node) return NULL;
    for (struct node *above = node; foreign && above != &tree->root; above = above->parent) above->shared = true;
    return fork_at(tree, node, group);
}

struct node *tree_extend(struct tree *tree, struct node *leaf, llama_token token, bool decoded) {
    if (leaf->n > 0 && leaf->decoded != decoded) {
        struct node *child = node_new(leaf, leaf->group);
        if (!child) return NULL;
        child->sequence = leaf->sequence;
        child->held = true;
        leaf->sequence = -1;
        leaf->held = false;
        leaf = child;
    }
    if (!node_reserve(leaf, leaf->n + 1)) return NULL;
    leaf->decoded = decoded;
    leaf->id[leaf->n++] = token;
    tree->cells++;
    return leaf;
}

struct node *tree_keep(struct tree *tree, struct node *leaf) {
    if (leaf->n == 0) return leaf;
    struct node *next = fork_at(tree, leaf, leaf->group);
    if (next) leaf->held = false;
    return next;
}

/* ---- shrinking ----------------------------------------------------------------------------------------------- */

/* Drops the whole run of a leaf. What stands at the end of its branch now, or NULL where other branches go on. */
static struct node *drop_run(struct tree *tree, struct node *leaf) {
    struct node *parent = leaf->parent;
    int sequence = leaf->sequence, start = leaf->start;
    tree->cells -= leaf->n;
    int64_t used = leaf->used;
    node_free(leaf);
    bool alone = parent != &tree->root && !parent->first && parent->sequence < 0;
    if (alone && !tree->tips && llama_memory_seq_rm(tree->memory, sequence, start, -1)) {
        parent->sequence = sequence;
        parent->used = used;
        return parent;
    }
    sequence_free(tree, sequence);
    /* where states stand at tips alone, runs above without one serve nobody when nothing is below them */
    while (alone) {
        struct node *above = parent->parent;
        tree->cells -= parent->n;
        node_free(parent);
        parent = above;
        alone = parent != &tree->root && !parent->first && parent->sequence < 0;
    }
    return parent != &tree->root && !parent->first ? parent : NULL;
}

/* Cuts a branch from its end to the first `length` tokens. */
static void cut(struct tree *tree, struct node *leaf, int length) {
    if (leaf == &tree->root) return;
    while (leaf && !leaf->held && leaf->start >= length) leaf = drop_run(tree, leaf);
    if (!leaf || leaf->held || node_end(leaf) <= length) return;
    if (tree->tips || !llama_memory_seq_rm(tree->memory, leaf->sequence, length, -1)) {
        drop_run(tree, leaf);
        return;
    }
    tree->cells -= node_end(leaf) - length;
    leaf->n = length - leaf->start;
}

void tree_give(struct tree *tree, struct node *leaf, int length) {
    leaf->held = false;
    leaf->used = ++tree->now;
    if (leaf->n == 0 && leaf->start < length) length = leaf->start;
    cut(tree, leaf, length);
}

/* The leaf to drop next: not shared before shared, then who has waited longest. */
static struct node *oldest_below(struct node *node, struct node *best) {
    for (struct node *child = node->first; child; child = child->next) {
        if (child->first) { /* the analyzer loses count of who is detached: NOLINT(clang-analyzer-unix.Malloc) */
            best = oldest_below(child, best);
        } else if (!child->held) {
            bool older = best && (child->shared != best->shared ? best->shared : child->used < best->used);
            if (!best || older) best = child;
        }
    }
    return best;
}

bool tree_evict(struct tree *tree) {
    struct node *leaf = oldest_below(&tree->root, NULL);
    if (leaf) drop_run(tree, leaf);
    return leaf != NULL;
}

/* Whether somebody works below a node; if so, adds its cells to *cells. */
static bool held_below(const struct node *node, const uint64_t *group, int *cells) {
    bool held = node->held;
    for (const struct node *child = node->first; child; child = child->next) held |= held_below(child, group, cells);
    if (held && (!group || node->group == *group)) *cells += node->n;
    return held;
}

int tree_held(const struct tree *tree, const uint64_t *group) {
    int cells = 0;
    held_below(&tree->root, group, &cells);
    return cells;
}

/* How much of a branch is the beginning of one of the lists. */
static int wanted(const struct node *leaf, const struct tokens *const *keep, int n_keep) {
    int most = 0;
    for (int i = 0; i < n_keep; i++) {
        int length = node_end(leaf);
        for (const struct node *node = leaf; node->parent; node = node->parent) {
            int left = keep[i]->n > node->start ? keep[i]->n - node->start : 0;
            int have = left ? tokens_common(node->id, node->n, keep[i]->id + node->start, left) : 0;
            if (have < node->n) length = node->start + have;
        }
        if (length > most) most = length;
    }
    return most;
}

/* How far a branch reaches that other groups began with. */
static int shared_end(const struct node *leaf) {
    while (leaf->parent && !leaf->shared) leaf = leaf->parent;
    return node_end(leaf);
}

/* Which branches are to be cut, and to what. */
struct pruning {
    uint64_t group;
    const struct tokens *const *keep;
    int n_keep;
    enum written written;
};

/* The first branch that is too long, and how long it may be. */
static struct node *unwanted_below(struct node *node, const struct pruning *p, int *length) {
    for (struct node *child = node->first; child; child = child->next) {
        struct node *found = NULL;
        if (child->first) {
            found = unwanted_below(child, p, length);
        } else if (!child->held && child->group == p->group && !(child->decoded && p->written == WRITTEN_STAYS)) {
            bool useless = child->decoded && p->written == WRITTEN_GOES;
            int stay = useless ? child->start : wanted(child, p->keep, p->n_keep), shared = shared_end(child);
            *length = stay > shared ? stay : shared;
            if (*length < node_end(child)) found = child;
        }
        if (found) return found;
    }
    return NULL;
}

static int cells_below(const struct node *node, uint64_t group) {
    int cells = node->group == group ? node->n : 0;
    for (const struct node *child = node->first; child; child = child->next) cells += cells_below(child, group);
    return cells;
}

int tree_cells(const struct tree *tree, uint64_t group) { return cells_below(&tree->root, group); }

int tree_forget(struct tree *tree, uint64_t group, const struct tokens *const *keep, int n_keep, enum written written) {
    const struct pruning pruning = {group, keep, n_keep, written};
    int cells = tree_cells(tree, group), length = 0;
    struct node *leaf;
    while ((leaf = unwanted_below(&tree->root, &pruning, &length))) cut(tree, leaf, length);
    return cells;
}

void tree_retain(struct tree *tree, const llama_token *tokens, int n) {
    struct node *leaf = NULL;
    if (n > 0 && !tree_must_keep(tree)) { /* a tip that is there by chance would give forks, and windows lose cells */
        do leaf = tree_fork(tree, tokens, n, true, 0);
        while (!leaf && tree_evict(tree));
    }
    if (!leaf || node_end(leaf) < n) {
        tree_clear(tree);
        return;
    }
    while (tree_evict(tree)) {}
    tree_give(tree, leaf, n);
}
