/* test_trees.c - searches over small trees made by hand, replayed from files: trees/NAME.json has what teachers write, how it
 * is scored, and what each search must come to, worked out on paper (`about` says how).
 *
 *     teachers, S0    how many, and S of no reasoning
 *     tree            nodes: `name`, `by` (a teacher), its `step`, S behind it, and `then`, the nodes below it, or an `answer`
 *                     (42, where it is left out). Criteria read S_masked, S_wrong, `judged` and `good` (the reward model's
 *                     probability). Who writes on to the end takes its own first child each time.
 *     wrong, guesses  what S_wrong is the likelihood of; each teacher's answer without reasoning
 *     searches        settings, and what is kept after each round, best first, with its score ("a 0.3"); visits of nodes after
 *                     each round of a search tree ("a 3"); and the finished, best first, with score and grade */
#include "script.h"

#include <dirent.h>
#include <jansson.h>

enum { NODES = 40 };

struct node {
    const char *name, *answer;
    json_t *json; /* its fields */
    json_t *then; /* the nodes below it; NULL: it ends the thinking */
    int parent, by;
    const char *text, *masked, *shepherd; /* as cord writes it; without its 42s; as Math-Shepherd reads it */
};

struct tree {
    json_t *json;
    struct arena arena;
    struct node node[NODES]; /* 0 is the empty text */
    int n;
};

/* The tree that a world plays. */
static struct tree *tree_of(const struct world *w) { return (void *)(uintptr_t)w->script; }

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static double number(const struct tree *tree, int node, const char *key) {
    const json_t *value = json_object_get(tree->node[node].json, key);
    if (!json_is_number(value)) fail_msg("node '%s' has no %s", tree->node[node].name, key);
    return json_number_value(value);
}

static const char *without_answer(struct arena *arena, const char *text) {
    for (const char *at; (at = strstr(text, "42"));)
        text = arena_printf(arena, "%.*s___%s", (int)(at - text), text, at + 2);
    return text;
}

static void add_nodes(struct tree *tree, int parent, int depth, json_t *nodes) {
    size_t at;
    json_t *json;
    json_array_foreach(nodes, at, json) {
        assert_true(tree->n < NODES);
        struct node *node = &tree->node[tree->n], *above = &tree->node[parent];
        const char *step, *answer = "42";
        assert_int_equal(json_unpack(json, "{s:s, s:i, s:s, s?:o, s?:s}", "name", &node->name, "by", &node->by, "step",
                                     &step, "then", &node->then, "answer", &answer),
                         0);
        node->json = json;
        node->parent = parent;
        node->answer = answer;
        node->text =
            arena_printf(&tree->arena, "%s%s### Step %d. %s", above->text, depth ? "\n\n" : "", depth + 1, step);
        node->shepherd = arena_printf(&tree->arena, "%s%sStep %d: %s", above->shepherd,
                                      depth ? " \xD0\xBA\xD0\xB8\n" : " ", depth + 1, step);
        node->masked = without_answer(&tree->arena, node->text);
        add_nodes(tree, tree->n++, depth + 1, node->then);
    }
}

static void tree_read(struct tree *tree, const char *path) {
    json_error_t error;
    *tree = (struct tree){.json = json_load_file(path, JSON_REJECT_DUPLICATES, &error), .n = 1};
    if (!tree->json) fail_msg("%s:%d: %s", path, error.line, error.text);
    arena_init(&tree->arena);
    json_t *below = json_object_get(tree->json, "tree");
    tree->node[0] = (struct node){.name = "", .then = below, .text = "", .masked = "", .shepherd = "What is 6 x 7?"};
    add_nodes(tree, 0, 0, below);
}

static void tree_release(struct tree *tree) {
    arena_release(&tree->arena);
    json_decref(tree->json);
}

/* ---- who writes and scores --------------------------------------------------------------------------------------- */

/* The node whose text it is, or, where it is not the whole, with the longest text that it goes on from. */
static int node_of(const struct tree *tree, cord_text text, bool whole) {
    int found = whole ? -1 : 0;
    for (int i = 0; i < tree->n; i++) {
        size_t len = strlen(tree->node[i].text);
        if (!text_starts(text, text_of(tree->node[i].text)) || (whole && len != text.len)) continue;
        if (found < 0 || len > strlen(tree->node[found].text)) found = i;
    }
    if (found < 0) fail_msg("no node says '%.*s'", (int)text.len, text.data);
    return found;
}

static int child_by(const struct tree *tree, int parent, int teacher, int nth) {
    int child[NODES], n = 0;
    for (int i = 1; i < tree->n; i++)
        if (tree->node[i].parent == parent && tree->node[i].by == teacher) child[n++] = i;
    return n ? child[nth % n] : -1;
}

/* What the step adds to its parent's text and the heading that was opened behind it. */
static const char *step_of(const struct tree *tree, int node) {
    return strchr(tree->node[node].text + strlen(tree->node[tree->node[node].parent].text), '.') + 1;
}

static void answer(const struct tree *tree, const struct asked *asked, struct said *said) {
    int node = node_of(tree, asked->reasoning, false);
    const json_t *list = json_object_get(node ? tree->node[node].json : tree->json, node ? "judged" : "guesses");
    if (asked->teacher == JUDGE)
        say(said, STEP_TURN, " %s.", json_string_value(json_array_get(list, (size_t)asked->nth)));
    else if (node)
        say(said, STEP_TURN, "%s}", tree->node[node].answer);
    else
        say(said, STEP_TURN, "%s}", json_string_value(json_array_get(list, (size_t)asked->teacher)));
}

static void write_on(struct world *w, const struct asked *asked, struct said *said) {
    const struct tree *tree = tree_of(w);
    if (asked->answer) {
        answer(tree, asked, said);
        return;
    }
    int node = child_by(tree, node_of(tree, asked->reasoning, false), asked->teacher, asked->nth);
    if (node < 0) return; /* this teacher has nothing to say */
    size_t skipped = (size_t)(step_of(tree, node) - tree->node[node].text);
    for (int next; asked->whole && (next = child_by(tree, node, asked->teacher, 0)) >= 0;) node = next;
    say(said, tree->node[node].then ? STEP_NEXT : STEP_CLOSED, "%s", tree->node[node].text + skipped);
}

static double likelihood(struct world *w, int model, cord_text reasoning, cord_text target) {
    (void)model;
    const struct tree *tree = tree_of(w);
    const json_t *wrong = json_object_get(tree->json, "wrong");
    if (!reasoning.len) return log(json_number_value(json_object_get(tree->json, "S0")));
    for (int i = 1; i < tree->n; i++)
        if (strcmp(tree->node[i].masked, tree->node[i].text) != 0 &&
            text_equal(reasoning, text_of(tree->node[i].masked)))
            return log(number(tree, i, "S_masked"));
    bool is_wrong = wrong && text_equal(target, text_of(json_string_value(wrong)));
    if (!is_wrong) assert_text(target, "42");
    return log(number(tree, node_of(tree, reasoning, true), is_wrong ? "S_wrong" : "S"));
}

static double rewarded(struct world *w, cord_text prompt, cord_text opening, cord_text target) {
    (void)opening;
    const struct tree *tree = tree_of(w);
    for (int i = 1; i < tree->n; i++)
        if (text_equal(prompt, text_of(tree->node[i].shepherd))) {
            double good = number(tree, i, "good");
            return log(text_equal(target, TEXT("+")) ? good : 1 - good);
        }
    fail_msg("no node is asked about by '%.*s'", (int)prompt.len, prompt.data);
    return NAN;
}

/* ---- what must come out ------------------------------------------------------------------------------------------ */

static int place_of(const char *name, const char *const *names) {
    int place = text_place(text_of(name), names);
    if (place < 0) fail_msg("nothing is called '%s'", name);
    return place;
}

static struct world *set_up(struct tree *tree, json_t *search) {
    int teachers, stop = 0, whole = 0;
    const char *strategy = "cord", *criterion = criterion_names[0], *aggregate = "last";
    assert_int_equal(json_unpack(tree->json, "{s:i}", "teachers", &teachers), 0);
    struct world *w = world_new(teachers, 1);
    struct search_settings *settings = &w->settings;
    json_error_t error;
    if (json_unpack_ex(search, &error, 0, "{s?:s, s?:s, s?:s, s?:i, s?:i, s?:F, s?:b, s?:b !}", "strategy", &strategy,
                       "criterion", &criterion, "aggregate", &aggregate, "beam", &settings->beam, "simulations",
                       &settings->simulations, "exploration", &settings->exploration, "stop_at_first_finished", &stop,
                       "whole_traces", &whole) != 0)
        fail_msg("%s", error.text);
    world_judge(w, criterion);
    settings->contrast_samples = 1;
    settings->strategy = (enum search_strategy)place_of(strategy, strategy_names);
    settings->reward_aggregate = (enum reward_aggregate)place_of(aggregate, reward_aggregate_names);
    settings->stop_at_first_finished = stop;
    settings->whole_traces = whole;
    settings->step_tokens = 100;
    w->script = (uintptr_t)tree;
    w->reply = write_on;
    w->score_as = likelihood;
    w->reward = rewarded;
    return w;
}

/* "NAME NUMBER GRADE", or the first of them. */
struct wanted {
    char name[20], grade[20];
    double number;
};

static struct wanted wanted(const json_t *list, int i) {
    struct wanted want = {0};
    assert_true(sscanf(json_string_value(json_array_get(list, (size_t)i)), "%19s %lf %19s", want.name, &want.number,
                       want.grade) >= 2);
    return want;
}

static void is_node(const struct tree *tree, const struct trajectory *t, const struct wanted *want) {
    assert_string_equal(tree->node[node_of(tree, t->reasoning, true)].name, want->name);
    if (fabs(exp(t->log_score) - want->number) > 1e-7)
        fail_msg("%s scores %.8g and not %g", want->name, exp(t->log_score), want->number);
}

static void has_kept(const struct world *w, const json_t *rounds) {
    assert_int_equal(w->n_rounds, json_array_size(rounds));
    for (int r = 0; r < w->n_rounds; r++) {
        const json_t *list = json_array_get(rounds, (size_t)r);
        assert_int_equal(w->rounds[r].n_beam, json_array_size(list));
        for (int i = 0; i < w->rounds[r].n_beam; i++) {
            struct wanted want = wanted(list, i);
            is_node(tree_of(w), &w->rounds[r].beam[i], &want);
        }
    }
}

static void has_visited(const struct world *w, const json_t *rounds) {
    assert_int_equal(w->n_rounds, json_array_size(rounds));
    for (int r = 0; r < w->n_rounds; r++) {
        const json_t *list = json_array_get(rounds, (size_t)r);
        for (int k = 0; k < (int)json_array_size(list); k++) {
            struct wanted want = wanted(list, k);
            int visits = 0;
            for (int i = 0; i < w->rounds[r].n_beam; i++) {
                const struct trajectory *t = &w->rounds[r].beam[i];
                if (!strcmp(tree_of(w)->node[node_of(tree_of(w), t->reasoning, true)].name, want.name))
                    visits = t->tree.visits;
            }
            if (visits != (int)want.number)
                fail_msg("round %d: %s has %d visits and not %g", r + 1, want.name, visits, want.number);
        }
    }
}

static void has_finished(const struct world *w, const json_t *list) {
    assert_int_equal(w->n_finished, json_array_size(list));
    for (int i = 0; i < w->n_finished; i++) {
        struct wanted want = wanted(list, i);
        is_node(tree_of(w), &w->finished[i].trajectory, &want);
        assert_string_equal(grade_name(w->finished[i].grade), want.grade);
    }
}

static int play_file(const char *path) {
    struct tree tree;
    tree_read(&tree, path);
    json_t *searches = json_object_get(tree.json, "searches"), *one;
    size_t i;
    json_array_foreach(searches, i, one) {
        json_t *search, *finished, *rounds = NULL, *visits = NULL;
        assert_int_equal(json_unpack(one, "{s:o, s:o, s?:o, s?:o !}", "search", &search, "finished", &finished,
                                     "rounds", &rounds, "visits", &visits),
                         0);
        char *what = json_dumps(search, 0);
        print_message("%s %s\n", strrchr(path, '/') + 1, what);
        free(what);
        struct world *w = set_up(&tree, search);
        world_succeeds(w);
        if (rounds) has_kept(w, rounds);
        if (visits) has_visited(w, visits);
        has_finished(w, finished);
        world_free(w);
    }
    int n = (int)json_array_size(searches);
    tree_release(&tree);
    return n;
}

static void trees_come_to_what_was_worked_out(void **state) {
    (void)state;
    const char *folder = TEST_DATA_DIR "search/trees";
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int played = 0;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        char path[4096];
        if (!strstr(entry->d_name, ".json")) continue;
        assert_true(snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path);
        played += play_file(path);
    }
    closedir(dir);
    assert_true(played >= 26);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(trees_come_to_what_was_worked_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
