/* test_mcts.c - tree search against UCT done another way: a list of all simulations that were played, from which every
 * count, mean and bound is taken anew whenever it is wanted. (Bounds reckoned by hand: trees/arms.json.) */
#include "script.h"

/* ---- what teachers write ------------------------------------------------------------------------------------- */

/* A whole continuation: its steps, and how it ends. n == 0: the request fails. */
struct written {
    char step[3][80];
    int n;
    enum step_end end;
};

static int steps_in(cord_text text) {
    int n = 0;
    for (ptrdiff_t at; (at = text_find(text, TEXT("### Step"))) >= 0; n++)
        text = text_slice(text, (size_t)at + 8, text.len);
    return n;
}

/* All that teachers do, by the hash of what they are asked to go on with. */
static struct written write_on(uint64_t script, int teacher, cord_text opened) {
    unsigned id = (unsigned)(seed_text(seed_mix(script, (uint64_t)teacher), opened) >> 40);
    struct written w = {.n = 1 + (int)(id / 32 % 3), .end = STEP_CLOSED};
    for (int i = 0; i < 3; i++) snprintf(w.step[i], sizeof w.step[i], " Plain%u of%d", id, i);
    switch (id % 16) {
    case 8: w = (struct written){.n = 1, .end = STEP_CLOSED}; break; /* says only that it is done */
    case 9: w.n = 0; break;
    case 10: snprintf(w.step[0], sizeof w.step[0], " again%u\n again%u\n again%u\n again%u\n", id, id, id, id); break;
    case 11: w.end = STEP_TURN; break;
    case 12: w.end = STEP_CUT; break;
    case 13:
        w.n = 1, w.end = STEP_CUT;
        snprintf(w.step[0], sizeof w.step[0], " cut%u \n", id);
        break;
    case 14: snprintf(w.step[0], sizeof w.step[0], " "); break;
    }
    return w;
}

/* The steps from number `first` on, behind their markers. */
static char *joined(struct world *w, const struct written *said, int from, int number) {
    char *text = arena_printf(&w->arena, "%s", "");
    for (int i = from; i < said->n; i++)
        text = arena_printf(&w->arena, "%s%s### Step %d.%s", text, i ? "\n\n" : "", number + i, said->step[i]);
    return text;
}

static void talk(struct world *w, const struct asked *asked, struct said *said) {
    if (asked->answer) {
        say(said, STEP_TURN, "%d}", 41 + (int)asked->reasoning.len % 2);
        return;
    }
    struct written text = write_on(w->script, asked->teacher, asked->reasoning);
    if (text.n) say(said, text.end, "%s%s", text.step[0], joined(w, &text, 1, steps_in(asked->reasoning)));
}

/* Few values, so that there are ties; now and then a text that cannot be scored. */
static double judge(struct world *w, cord_text reasoning) {
    uint64_t id = seed_text(w->script + 1, reasoning) >> 20;
    return reasoning.len && id % 24 == 0 ? (double)NAN : -(double)(id % 5) / 4;
}

/* ---- UCT, done another way ----------------------------------------------------------------------------------- */

enum { NODES = 400, SIMULATIONS = 4000 };

struct known_node {
    int parent, teacher;
    char *text;
    bool cut, done, tried[TEACHERS];
    double log_score; /* where it is done */
};

struct known {
    struct world *w;
    int run, root, n;
    struct known_node node[NODES];
    int n_played;
    struct {
        int node;
        double reward;
    } played[SIMULATIONS];
    int kinds[6]; /* how often: a new node, dropped, a dead end, a free simulation, a commit, a tie by hash */
};

enum kind { MADE, DROPPED, DEAD_END, FREE, COMMITTED, TIED };

static bool goes_through(const struct known *k, int below, int node) {
    while (below > node) below = k->node[below].parent;
    return below == node;
}

static int visits(const struct known *k, int node) {
    int n = 0;
    for (int i = 0; i < k->n_played; i++) n += goes_through(k, k->played[i].node, node);
    return n;
}

static double value(const struct known *k, int node) {
    double sum = 0;
    for (int i = 0; i < k->n_played; i++)
        if (goes_through(k, k->played[i].node, node)) sum += k->played[i].reward;
    return sum;
}

/* The seeded hash, as the documentation says it is made. */
static uint64_t turn(const struct known *k, int node, int teacher) {
    uint64_t seed = seed_text(k->w->settings.seed, k->w->search.question.id);
    if (k->run) seed = seed_mix(seed_mix(seed, UINT64_MAX - 2), (uint64_t)k->run);
    return seed_mix(seed_text(seed, text_of(k->node[node].text)), (uint64_t)teacher);
}

/* The child with the greatest pair of numbers, then the smallest hash; -1 where there is none. */
static int greatest_child(struct known *k, int node, bool by_bound) {
    int best = -1;
    double best_of[2] = {0};
    for (int i = node + 1; i < k->n; i++) {
        if (k->node[i].parent != node) continue;
        double n = visits(k, i), mean = value(k, i) / n;
        double bound = mean + k->w->settings.exploration * sqrt(log(visits(k, node)) / n);
        double of[2] = {by_bound ? bound : n, by_bound ? 0 : mean};
        bool tie = best >= 0 && of[0] == best_of[0] && of[1] == best_of[1];
        bool first = turn(k, node, k->node[i].teacher) < (best < 0 ? 0 : turn(k, node, k->node[best].teacher));
        k->kinds[TIED] += tie;
        if (best >= 0 && !(tie ? first : of[0] > best_of[0] || (of[0] == best_of[0] && of[1] > best_of[1]))) continue;
        best = i;
        memcpy(best_of, of, sizeof of);
    }
    return best;
}

static int untried(const struct known *k, int node) {
    int best = -1;
    for (int t = 0; t < k->w->search.n_teachers; t++)
        if (!k->node[node].tried[t] && (best < 0 || turn(k, node, t) < turn(k, node, best))) best = t;
    return best;
}

static void play(struct known *k, int node, double log_score) {
    assert_true(k->n_played < SIMULATIONS);
    k->played[k->n_played].node = node;
    k->played[k->n_played++].reward = isnan(log_score) ? 0 : exp(log_score);
}

/* Where the next simulation asks, after all commits and simulations that need nobody; -1 where the run has ended. */
static int next_leaf(struct known *k) {
    while (!k->node[k->root].done) {
        int best = greatest_child(k, k->root, false), at = k->root;
        if (best >= 0 && visits(k, k->root) >= k->w->settings.simulations) {
            k->root = best;
            k->kinds[COMMITTED]++;
            continue;
        }
        while (!k->node[at].done && untried(k, at) < 0) at = greatest_child(k, at, true);
        if (!k->node[at].done) return at;
        play(k, at, k->node[at].log_score);
        k->kinds[FREE]++;
    }
    return -1;
}

static cord_text trimmed(const char *text) { return text_trim_end(text_of(text)); }

/* What a reply makes of a node: a child whose first step it is, or nothing. */
static bool make_child(struct known *k, int node, int teacher, const struct written *said, const char *opened) {
    struct world *w = k->w;
    const struct known_node *parent = &k->node[node];
    struct known_node child = {.parent = node, .teacher = teacher};
    bool blank = !said->n || !text_trim(text_of(said->step[0])).len, only = said->n == 1;
    bool closes = only && (said->end == STEP_CLOSED || said->end == STEP_TURN);
    bool whole = parent->cut && blank && said->n > 1; /* the cut step had been whole */
    char *rest = said->n ? joined(w, said, 1, steps_in(text_of(opened))) : NULL;
    if (!said->n || strstr(said->step[0], " again")) return false;
    if (blank && !whole) { /* finishes its parent */
        if (!closes || !*parent->text) return false;
        child.text = parent->text;
        rest = (char *)"";
    } else
        child.text = arena_printf(&w->arena, "%s%s", opened, said->step[0]);
    child.cut = only && said->end == STEP_CUT;
    cord_text end = trimmed(child.text);
    if (!child.cut && child.text != parent->text) child.text = arena_printf(&w->arena, "%.*s", (int)end.len, end.data);
    child.done = closes || words_of(text_of(child.text)) >= w->settings.think_tokens;
    const char *all = child.done ? child.text : arena_printf(&w->arena, "%s%s%s", opened, said->step[0], rest);
    child.log_score = judge(w, trimmed(all));
    if (isnan(child.log_score)) return false;
    assert_true(k->n < NODES);
    k->node[k->n] = child;
    play(k, k->n++, child.log_score);
    return true;
}

/* A simulation that asks. */
static void simulate(struct known *k, int node) {
    int teacher = untried(k, node);
    struct known_node *leaf = &k->node[node];
    const char *opened = leaf->cut ? leaf->text
                                   : arena_printf(&k->w->arena, "%s%s### Step %d.", leaf->text,
                                                  *leaf->text ? "\n\n" : "", steps_in(text_of(leaf->text)) + 1);
    struct written said = write_on(k->w->script, teacher, text_of(opened));
    leaf->tried[teacher] = true;
    bool made = make_child(k, node, teacher, &said, opened);
    k->kinds[made ? MADE : DROPPED]++;
    if (made || untried(k, node) >= 0 || greatest_child(k, node, true) >= 0) return;
    leaf->done = true;
    k->kinds[DEAD_END]++;
    if (!*leaf->text) return;
    leaf->log_score = judge(k->w, trimmed(leaf->text));
    play(k, node, leaf->log_score);
}

/* ---- the same tree after every round ------------------------------------------------------------------------- */

static void check_tree(struct known *k, const struct round *round) {
    int at = 0;
    while (round->beam[at].run < k->run) at++;
    int first = at, place[NODES];
    for (int i = k->root; i < k->n; i++) {
        if (!goes_through(k, i, k->root)) continue;
        const struct trajectory *t = &round->beam[at];
        assert_true(at < round->n_beam && t->run == k->run);
        assert_true(text_equal(t->reasoning, text_of(k->node[i].text)));
        assert_int_equal(t->tree.visits, visits(k, i));
        assert_true(t->tree.value == value(k, i));
        assert_int_equal(t->tree.above, i == k->root ? -1 : place[k->node[i].parent]);
        assert_int_equal(t->finish != GROWING, k->node[i].done);
        for (int teacher = 0; teacher < TEACHERS; teacher++)
            assert_int_equal(t->tree.tried >> teacher & 1, k->node[i].tried[teacher]);
        place[i] = at++ - first;
    }
    assert_true(at == round->n_beam || round->beam[at].run > k->run);
}

static const struct candidate *candidate_of(const struct round *round, int run) {
    const struct candidate *found = NULL;
    for (int i = 0; i < round->n_candidates; i++) {
        if (round->candidates[i].run != run) continue;
        assert_null(found);
        found = &round->candidates[i];
    }
    return found;
}

static void check_run(struct world *w, struct known *k, int run) {
    *k = (struct known){.w = w, .run = run, .n = 1};
    k->node[0] = (struct known_node){.parent = -1, .text = arena_printf(&w->arena, "%s", "")};
    for (int r = 0; r < w->n_rounds; r++) {
        int leaf = next_leaf(k), nodes = k->n;
        const struct candidate *c = candidate_of(&w->rounds[r], run);
        assert_int_equal(leaf >= 0, c != NULL);
        if (!c) continue;
        assert_int_equal(c->teacher, untried(k, leaf));
        if (r) assert_true(text_equal(w->rounds[r - 1].beam[c->parent].reasoning, text_of(k->node[leaf].text)));
        simulate(k, leaf);
        assert_int_equal(c->drop == DROP_NONE, k->n > nodes);
        if (k->n > nodes) assert_true(c->log_score == k->node[nodes].log_score);
        next_leaf(k);
        check_tree(k, &w->rounds[r]);
    }
    assert_int_equal(next_leaf(k), -1);
}

/* The answers are those of the roots that have a step, best first. */
static void check_answers(const struct world *w) {
    const struct round *last = &w->rounds[w->n_rounds - 1];
    int begun = 0;
    assert_int_equal(last->n_beam, w->settings.runs);
    for (int i = 0; i < last->n_beam; i++) {
        bool answered = false;
        for (int j = 0; j < w->n_finished; j++) answered |= w->finished[j].trajectory.run == i;
        assert_int_equal(answered, last->beam[i].last != NULL);
        begun += answered;
    }
    assert_int_equal(w->n_finished, begun);
    for (int j = 1; j < w->n_finished; j++)
        assert_false(w->finished[j].trajectory.log_score > w->finished[j - 1].trajectory.log_score);
}

static struct world *growing(uint64_t script, int n_teachers, int runs, int simulations, double exploration) {
    struct world *w = world_new(n_teachers, 1);
    w->script = script;
    w->reply = talk;
    w->score = judge;
    w->settings.strategy = STRATEGY_MCTS;
    w->settings.runs = runs;
    w->settings.simulations = simulations;
    w->settings.exploration = exploration;
    w->settings.think_tokens = 24;
    return w;
}

static void it_is_uct(void **state) {
    (void)state;
    static struct known k;
    int kinds[6] = {0}, failed = 0, finishes[FINISHED_EXHAUSTED + 1] = {0};
    for (uint64_t script = 0; script < 300; script++) {
        struct world *w = growing(script, 1 + (int)(script % 4), script % 3 ? 1 : 3, 1 + (int)(script % 11),
                                  script % 5 ? 1.4142135623730951 : 0.2 * (double)(script % 10));
        if (world_run(w) != CORD_OK) { /* no first step, or no root that could be scored */
            assert_int_equal(w->error.code, CORD_BAD_INPUT);
            failed++;
        } else
            check_answers(w);
        assert_in_range(w->counts, 0, w->n_rounds); /* of all runs together */
        for (int run = 0; run < w->settings.runs; run++) {
            check_run(w, &k, run);
            for (int i = 0; i < 6; i++) kinds[i] += k.kinds[i];
        }
        for (int i = 0; i < w->n_finished; i++) finishes[w->finished[i].trajectory.finish]++;
        world_free(w);
    }
    for (int i = 0; i < 6; i++) assert_true(kinds[i] > 40);
    for (int i = FINISHED_CLOSED; i <= FINISHED_EXHAUSTED; i++) assert_true(finishes[i] > 3);
    assert_true(failed > 0 && failed < 100);
}

/* ---- requests, runs and turns --------------------------------------------------------------------------------- */

/* Each teacher goes on in the same way, wherever it is asked. */
static void two_steps(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    if (asked->answer)
        say(said, STEP_TURN, "42}");
    else
        say(said, STEP_CLOSED, " Teacher%d%s", asked->teacher,
            has(asked->reasoning, "Step 2.") ? "" : ".\n\n### Step 99. Done.");
}

static double by_first_step(struct world *w, cord_text reasoning) {
    (void)w;
    return log(!reasoning.len ? 0.125 : has(reasoning, "Step 1. Teacher0") ? 0.75 : 0.25);
}

/* The whole continuation is asked for, with all tokens that are left; the step's limit is no limit here. */
static void rollouts_are_asked_for_whole(void **state) {
    (void)state;
    struct world *w = growing(1, 2, 2, 4, 1);
    w->reply = two_steps;
    w->score = by_first_step;
    w->settings.think_tokens = 40;
    world_succeeds(w);
    assert_non_null(strstr(w->log.data, "max 40 "));
    assert_non_null(strstr(w->log.data, "max 36 ")); /* "### Step 1. Teacher0." has four words */
    for (int r = 0; r < w->n_rounds; r++)
        for (int i = 0; i < w->rounds[r].n_candidates; i++) {
            const struct candidate *c = &w->rounds[r].candidates[i];
            assert_false(has(c->step, "Step"));
            if (c->rollout.data) assert_text(c->rollout, "\n\n### Step 99. Done.");
        }
    world_free(w);
}

/* What a run does, it does alone too; the others have seeds of their own. */
static void runs_are_searches_of_their_own(void **state) {
    (void)state;
    int compared = 0;
    for (uint64_t script = 0; script < 10; script++) {
        struct world *one = growing(script, 3, 1, 6, 1.4), *three = growing(script, 3, 3, 6, 1.4);
        if (world_run(one) == CORD_OK && world_run(three) == CORD_OK) {
            for (int r = 0; r < one->n_rounds; r++) {
                const struct candidate *a = &one->rounds[r].candidates[0], *b = candidate_of(&three->rounds[r], 0);
                assert_non_null(b);
                assert_true(a->seed == b->seed && a->teacher == b->teacher && text_equal(a->step, b->step));
                compared++;
            }
            assert_true(three->rounds[0].candidates[0].seed != three->rounds[0].candidates[1].seed);
        }
        world_free(one);
        world_free(three);
    }
    assert_true(compared > 30);
}

/* Which teacher is asked first at a node is no matter of the list. */
static void no_teacher_is_always_first(void **state) {
    (void)state;
    int first[3] = {0};
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct world *w = growing(3, 3, 1, 6, 1);
        w->settings.seed = seed;
        world_run(w);
        first[w->rounds[0].candidates[0].teacher]++;
        world_free(w);
    }
    for (int k = 0; k < 3; k++) assert_true(first[k] > 8);
}

/* Two of three teachers share a model: four runs ask four teachers a round, of which it has its share. */
static void rows_are_one_a_run(void **state) {
    (void)state;
    struct search_settings settings = {.strategy = STRATEGY_MCTS, .runs = 4, .beam = 1};
    assert_int_equal(search_rows_of(&settings, 2, 3), 3);
    assert_int_equal(search_rows_of(&settings, 3, 3), 4);
    assert_int_equal(search_rows_of(&settings, 0, 3), 0);
    settings.strategy = STRATEGY_CURATION;
    assert_int_equal(search_rows_of(&settings, 2, 3), 8);
    settings = (struct search_settings){.strategy = STRATEGY_CORD, .runs = 1, .beam = 4};
    assert_int_equal(search_rows_of(&settings, 2, 3), 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_uct),
        cmocka_unit_test(rollouts_are_asked_for_whole),
        cmocka_unit_test(runs_are_searches_of_their_own),
        cmocka_unit_test(no_teacher_is_always_first),
        cmocka_unit_test(rows_are_one_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
