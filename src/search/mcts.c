/* mcts.c - what CoRD is compared with: Monte Carlo tree search over the same steps, by UCT (Kocsis and Szepesvari, 2006).
 *
 *     root <- the empty trajectory
 *     until the root is finished:
 *         select    from the root on, the child of highest UCB, while all teachers have been asked at a node
 *         expand    at the first node where one has not: it writes on to the end; its first step makes the child
 *         simulate  the rest is the child's rollout; the reward is S of the whole             (eq. 3)
 *         back up   the reward, to every node on the path
 *         commit    once the root has been visited `simulations` times: its most visited child becomes the root
 *     the author of each root's last step writes its answer
 *
 *     UCB(child) = value / visits + exploration * sqrt(ln(visits of its parent) / visits)
 *
 * A node has one child for each teacher. A simulation that ends at a finished node has that node's score as its reward, and
 * asks for nothing; so it belongs to the round before. A round is, of every run, one simulation that does ask. Where a
 * teacher's reply is worth nothing, it has been asked, there is no child, and nothing is visited; a node where all replies were
 * worth nothing is finished as it stands. What the paper leaves open is decided as docs/method.md says.
 *
 * The beam holds the trees, run after run: all that the next round needs is there. It must not know SQLite, files or
 * terminals. */
#include "search/rounds.h"

#include <math.h>

/* The nodes of one run, in the order in which they were made: 0 is the root, and no node stands before its parent. */
struct tree {
    int run;
    struct trajectory *node;
    int n;
    int leaf; /* where this round's simulation asks, or -1: the run has ended */
};

/* ---- select -------------------------------------------------------------------------------------------------- */

static bool is_child(const struct tree *tree, int node, int parent) { return tree->node[node].tree.above == parent; }

static bool has_child(const struct tree *tree, int parent) {
    for (int i = parent + 1; i < tree->n; i++)
        if (is_child(tree, i, parent)) return true;
    return false;
}

static bool is_tried(const struct trajectory *node, int teacher) { return node->tree.tried >> teacher & 1; }

static bool all_tried(const struct search *search, const struct trajectory *node) {
    for (int k = 0; k < search->n_teachers; k++)
        if (!is_tried(node, k)) return false;
    return true;
}

/* Decides between teachers at a node, so that none profits from standing first in the list: smaller wins. */
static uint64_t turn_of(const struct search *search, const struct trajectory *node, int teacher) {
    return seed_mix(seed_text(run_seed(search, node->run), node->reasoning), (uint64_t)teacher);
}

static double mean_of(const struct trajectory *node) { return node->tree.value / node->tree.visits; }

static double ucb(const struct search *search, const struct trajectory *parent, const struct trajectory *child) {
    double doubt = sqrt(log(parent->tree.visits) / child->tree.visits);
    return mean_of(child) + search->settings->exploration * doubt;
}

/* Which of two children is selected, and which is committed. Of equal ones it is the first that was made: the hash said which. */
static bool is_ahead(const struct search *search, const struct trajectory *parent, const struct trajectory *a,
                     const struct trajectory *b) {
    return ucb(search, parent, a) > ucb(search, parent, b);
}

static bool is_better(const struct search *search, const struct trajectory *parent, const struct trajectory *a,
                      const struct trajectory *b) {
    (void)search, (void)parent;
    return a->tree.visits != b->tree.visits ? a->tree.visits > b->tree.visits : mean_of(a) > mean_of(b);
}

static int first_child(const struct search *search, const struct tree *tree, int parent,
                       bool (*precedes)(const struct search *, const struct trajectory *, const struct trajectory *,
                                        const struct trajectory *)) {
    int first = -1;
    for (int i = parent + 1; i < tree->n; i++)
        if (is_child(tree, i, parent) &&
            (first < 0 || precedes(search, &tree->node[parent], &tree->node[i], &tree->node[first])))
            first = i;
    return first;
}

/* Where a simulation ends: a node that is finished, or one where a teacher has not been asked yet. All others have a child. */
static int descend(const struct search *search, const struct tree *tree) {
    int at = 0;
    while (tree->node[at].finish == GROWING && all_tried(search, &tree->node[at]))
        at = first_child(search, tree, at, is_ahead);
    return at;
}

/* ---- back up, commit ----------------------------------------------------------------------------------------- */

/* S of a whole text; what cannot be scored is worth nothing. */
static double reward_of(double log_score) { return isnan(log_score) ? 0 : exp(log_score); }

static void back_up(struct tree *tree, int node, double reward) {
    for (int at = node; at >= 0; at = tree->node[at].tree.above) {
        tree->node[at].tree.visits++;
        tree->node[at].tree.value += reward;
    }
}

/* Leaves `child` and what is below it, with all visits; `child` is the root then. */
static cord_status commit(const struct beam *beam, struct tree *tree, int child, cord_error *err) {
    int *now = arena_alloc(beam->arena, (size_t)tree->n * sizeof *now), n = 0;
    if (!now) return error_memory(err);
    for (int i = 0; i < tree->n; i++) {
        int above = tree->node[i].tree.above;
        now[i] = i == child || (i > child && now[above] >= 0) ? n : -1;
        if (now[i] < 0) continue;
        tree->node[n] = tree->node[i];
        tree->node[n++].tree.above = i == child ? -1 : now[above];
    }
    tree->n = n;
    return CORD_OK;
}

/* Commits, and plays what simulations need nobody, until one has to ask or the run has ended. */
static cord_status go_on(const struct beam *beam, struct tree *tree, cord_error *err) {
    const struct search *search = beam->search;
    while (tree->node[0].finish == GROWING) {
        if (tree->node[0].tree.visits >= search->settings->simulations && has_child(tree, 0)) {
            CORD_TRY(commit(beam, tree, first_child(search, tree, 0, is_better), err));
            continue;
        }
        int end = descend(search, tree);
        if (tree->node[end].finish == GROWING) break;
        back_up(tree, end, reward_of(tree->node[end].log_score));
    }
    return CORD_OK;
}

/* ---- trees --------------------------------------------------------------------------------------------------- */

/* The tree of a run, with room for one node more, and where its simulation asks. Before the first round all runs have the empty
 * trajectory, which is the only one then. */
static cord_status plant(const struct beam *beam, int run, struct tree *tree, cord_error *err) {
    bool nobody_has_begun = beam->n == 1;
    int first = 0, n = 1;
    for (; !nobody_has_begun && beam->trajectories[first].run < run;) first++;
    for (; first + n < beam->n && beam->trajectories[first + n].run == run;) n++;
    *tree = (struct tree){.run = run, .n = n};
    tree->node = arena_alloc(beam->arena, ((size_t)n + 1) * sizeof *tree->node);
    if (!tree->node) return error_memory(err);
    for (int i = 0; i < n; i++) {
        tree->node[i] = beam->trajectories[first + i];
        tree->node[i].from = first + i;
        tree->node[i].candidate = -1;
        tree->node[i].run = run;
    }
    tree->node[0].tree.above = -1;
    CORD_TRY(go_on(beam, tree, err)); /* settings may have changed since */
    tree->leaf = tree->node[0].finish == GROWING ? descend(beam->search, tree) : -1;
    return CORD_OK;
}

/* All trees make the next beam. What was asked for in this round and is still there has a slot. */
static cord_status keep(struct beam *beam, const struct tree *trees, struct candidate *candidates, cord_error *err) {
    int runs = beam->search->settings->runs, room = 0, n = 0;
    for (int run = 0; run < runs; run++) room += trees[run].n;
    struct trajectory *kept = arena_alloc(beam->arena, (size_t)room * sizeof *kept);
    if (!kept) return error_memory(err);
    for (int run = 0; run < runs; run++)
        for (int i = 0; i < trees[run].n; i++, n++) {
            kept[n] = trees[run].node[i];
            struct candidate *c = kept[n].candidate >= 0 ? &candidates[kept[n].candidate] : NULL;
            if (c) c->slot = n;
            CORD_TRY(settle(beam, &kept[n], c, err));
        }
    beam->trajectories = kept;
    beam->n = n;
    return CORD_OK;
}

/* ---- expand -------------------------------------------------------------------------------------------------- */

static int next_teacher(const struct search *search, const struct trajectory *node) {
    int next = -1;
    for (int k = 0; k < search->n_teachers; k++)
        if (!is_tried(node, k) && (next < 0 || turn_of(search, node, k) < turn_of(search, node, next))) next = k;
    return next;
}

/* Asks one teacher for each run that has not ended, in one call. */
static cord_status expand(const struct beam *beam, struct tree *trees, struct candidate **candidates, int *n,
                          cord_error *err) {
    const struct search *search = beam->search;
    int count = 0;
    struct candidate *all = arena_alloc(beam->arena, (size_t)search->settings->runs * sizeof *all);
    if (!all) return error_memory(err);
    for (int run = 0; run < search->settings->runs; run++) {
        struct tree *tree = &trees[run];
        if (tree->leaf < 0) continue;
        struct trajectory *leaf = &tree->node[tree->leaf];
        int teacher = next_teacher(search, leaf);
        leaf->tree.tried |= UINT64_C(1) << teacher;
        all[count++] = new_candidate(beam, leaf->from, tree->leaf, run, teacher, 0);
    }
    *candidates = all;
    *n = count;
    CORD_TRY(propose_rollouts(beam, all, count, err));
    return count_reasonings(beam, all, count, err);
}

/* ---- simulate ------------------------------------------------------------------------------------------------ */

/* The text whose score is a candidate's reward. What is finished by its first step has no rollout: the budget may have come
 * earlier by the meta-prover's count than by the teacher's. */
static cord_status whole_text(const struct beam *beam, struct candidate *c, cord_text *out, cord_error *err) {
    if (finish_of(beam, c) != GROWING) c->rollout = (cord_text){0};
    cord_text step = c->finishes_parent ? beam->trajectories[c->parent].reasoning : c->reasoning;
    cord_span both[] = {{step, false}, {c->rollout, false}};
    *out = spans_text((struct spans){both, 2}, beam->arena);
    return out->data ? CORD_OK : error_memory(err);
}

static cord_status simulate(const struct beam *beam, struct candidate *candidates, int n, cord_error *err) {
    struct scored *items = arena_alloc(beam->arena, (size_t)n * sizeof *items);
    if (!items) return error_memory(err);
    int count = 0;
    for (int i = 0; i < n; i++)
        if (candidates[i].drop == DROP_NONE) {
            items[count] = (struct scored){.run = candidates[i].run, .complete = true};
            CORD_TRY(whole_text(beam, &candidates[i], &items[count++].reasoning, err));
        }
    if (count) CORD_TRY(score_in_round(beam, items, count, err));
    const struct scored *item = items;
    for (int i = 0; i < n; i++) {
        struct candidate *c = &candidates[i];
        if (c->drop != DROP_NONE) continue;
        c->log_score = item->log_score;
        take_scoring(c, item);
        if (isnan(item->log_score)) CORD_TRY(drop_failed(beam, c, "not scored", item->error.message, err));
        item++;
    }
    return CORD_OK;
}

/* ---- a round ------------------------------------------------------------------------------------------------- */

/* The new node, and its reward up to the root. */
static cord_status take(const struct beam *beam, struct tree *tree, const struct candidate *c, int number,
                        cord_error *err) {
    struct trajectory *child = &tree->node[tree->n];
    CORD_TRY(grow(beam, c, child, err));
    child->candidate = number;
    child->tree = (struct tree_place){.above = tree->leaf};
    back_up(tree, tree->n++, reward_of(c->log_score));
    return CORD_OK;
}

/* Nodes where all teachers' replies were worth nothing are finished as they stand, with a score of their own. Before the first
 * step there is nothing to score. */
static cord_status finish_dead_ends(const struct beam *beam, struct tree *trees, struct candidate *candidates, int n,
                                    struct round *round, cord_error *err) {
    for (int i = 0; i < n; i++) {
        struct candidate *c = &candidates[i];
        struct tree *tree = &trees[c->run];
        struct trajectory *leaf = &tree->node[tree->leaf];
        if (c->drop == DROP_NONE || !all_tried(beam->search, leaf) || has_child(tree, tree->leaf)) continue;
        leaf->finish = FINISHED_EXHAUSTED;
        round->note = "every candidate of a node was dropped; it was finished as it stood";
        if (!leaf->last) continue;
        struct scored item = {.reasoning = leaf->reasoning, .run = leaf->run, .complete = true};
        CORD_TRY(score_in_round(beam, &item, 1, err));
        leaf->log_score = item.log_score;
        take_scoring(c, &item);
        back_up(tree, tree->leaf, reward_of(item.log_score));
        if (!isnan(item.log_score)) continue;
        round->note = arena_printf(beam->arena, "a finished node was not scored: %s", item.error.message);
        if (!round->note) return error_memory(err);
    }
    return CORD_OK;
}

static cord_status play(struct beam *beam, struct round *round, cord_error *err) {
    int runs = beam->search->settings->runs, n = 0;
    struct candidate *candidates = NULL;
    struct tree *trees = arena_alloc(beam->arena, (size_t)runs * sizeof *trees);
    if (!trees) return error_memory(err);
    for (int run = 0; run < runs; run++) CORD_TRY(plant(beam, run, &trees[run], err));
    CORD_TRY(expand(beam, trees, &candidates, &n, err));
    CORD_TRY(simulate(beam, candidates, n, err));
    for (int i = 0; i < n; i++)
        if (candidates[i].drop == DROP_NONE) CORD_TRY(take(beam, &trees[candidates[i].run], &candidates[i], i, err));
    CORD_TRY(finish_dead_ends(beam, trees, candidates, n, round, err));
    for (int run = 0; run < runs; run++) CORD_TRY(go_on(beam, &trees[run], err));
    round->candidates = candidates;
    round->n_candidates = n;
    return keep(beam, trees, candidates, err);
}

cord_status tree_search(const struct search *search, cord_error *err) {
    /* the tree of a run that has ended is its root alone */
    const struct strategy strategy = {.play = play, .ended = all_finished};
    return play_strategy(search, &strategy, err);
}
