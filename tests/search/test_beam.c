/* test_beam.c - the rounds of the search (sections 3 and 4.3 of the paper; docs/method.md) against a second opinion: random scripts in which
 * everything happens that teachers can do, and every round is checked against what its rules say, done another way. */
#include "script.h"

/* ---- a random script ----------------------------------------------------------------------------------------- */

/* What a reply is, by how it was made: the reference does not ask the code under test. */
enum kind { PLAIN, CUT, CLOSED, TURN, ONLY_CLOSED, ONLY_TURN, NOTHING, DEGENERATE, SAME, FAILED, KINDS };

static uint64_t hash_of(const struct world *w, const struct asked *asked) {
    return seed_text(seed_mix(seed_mix(w->script, (uint64_t)asked->teacher), asked->seed), asked->reasoning);
}

static enum kind kind_of(const struct world *w, const struct asked *asked) {
    static const int percent[KINDS] = {40, 12, 9, 5, 8, 3, 6, 4, 8, 5};
    static const int bleak[KINDS] = {30, 5, 2, 1, 2, 0, 20, 20, 0, 20}; /* rounds in which nothing is left */
    const int *weights = w->script % 4 ? percent : bleak;
    int at = (int)(hash_of(w, asked) % 100);
    enum kind kind = PLAIN;
    while (at >= weights[kind]) at -= weights[kind++];
    return kind;
}

static void random_reply(struct world *w, const struct asked *asked, struct said *said) {
    unsigned id = (unsigned)(hash_of(w, asked) >> 32) % 10000;
    if (asked->answer) {
        say(said, STEP_TURN, "%u}", 40 + id % 4);
        return;
    }
    switch (kind_of(w, asked)) {
    case PLAIN: say(said, STEP_NEXT, " Plain%u and so on.\n\n", id); break;
    case CUT: say(said, STEP_CUT, " cut%u off %s", id, id % 2 ? "\n " : ""); break;
    case CLOSED: say(said, STEP_CLOSED, " Done%u.\n", id); break;
    case TURN: say(said, STEP_TURN, " Over%u.", id); break;
    case ONLY_CLOSED: say(said, STEP_CLOSED, "%s", id % 2 ? "\n" : ""); break;
    case ONLY_TURN: say(said, STEP_TURN, " "); break;
    case NOTHING: say(said, id % 2 ? STEP_NEXT : STEP_CUT, "%s", id % 3 ? "" : " \n"); break;
    case DEGENERATE: say(said, STEP_NEXT, " again%u\n again%u\n again%u\n again%u\n", id, id, id, id); break;
    case SAME: say(said, STEP_NEXT, " The same.%s", id % 2 ? "\n" : ""); break;
    case FAILED:
    case KINDS: break;
    }
}

/* One of six scores, so that there are many ties. The empty trajectory can always be scored. */
static double random_score(struct world *w, cord_text reasoning) {
    uint64_t hash = seed_text(w->script, reasoning);
    if (reasoning.len && hash % 32 == 0) return (double)NAN;
    return -(double)(hash / 32 % 6) / 4 - 0.125;
}

/* ---- the reference ------------------------------------------------------------------------------------------- */

/* How often each thing was seen, so that no rule is tested on nothing. */
struct seen {
    int drops[DROP_FAILED + 1], finishes[FINISHED_EXHAUSTED + 1];
    int votes, double_votes, again, unscored, carried, pushed_out, ended_cut_steps, ties_at_the_edge, exhausted_rounds,
        no_start;
};

struct expected {
    bool drop, finishes_parent, cut, ends;
    enum step_drop why;
    char *reasoning; /* trimmed as it is scored */
};

/* What must become of a proposal, apart from its siblings. */
static struct expected expect(struct world *w, const struct trajectory *parent, const struct candidate *c,
                              struct seen *seen) {
    struct expected e = {0};
    bool continues = parent->last && parent->last->cut;
    char *opened = continues ? arena_printf(&w->arena, "%.*s", (int)parent->reasoning.len, parent->reasoning.data)
                             : arena_printf(&w->arena, "%.*s%s### Step %d.", (int)parent->reasoning.len,
                                            parent->reasoning.data, parent->last ? "\n\n" : "", parent->n_steps + 1);
    struct asked asked = {.teacher = c->teacher, .reasoning = text_of(opened), .continues = continues, .seed = c->seed};
    struct said said = {0};
    random_reply(w, &asked, &said);
    enum kind kind = kind_of(w, &asked);
    const cord_sampling *sampling = &w->teachers[c->teacher].sampling;
    int left = w->settings.think_tokens - parent->tokens;
    const char *line = arena_printf(
        &w->arena,
        "\nask %d seed %016llx max %d temperature %g top_p %g stops 2 group %016llx: <%d>%s</%d><think>\n%s\n",
        c->teacher, (unsigned long long)c->seed, left < w->settings.step_tokens ? left : w->settings.step_tokens,
        sampling->temperature, sampling->top_p, (unsigned long long)w->search.group, c->teacher,
        w->search.question.text.data, c->teacher, opened);
    assert_non_null(strstr(w->log.data, line)); /* it was asked for in these words, and within the budget */
    if (said.text) assert_int_equal(c->end, said.end);

    bool ends_cut = continues && kind == NOTHING && said.end == STEP_NEXT;
    seen->ended_cut_steps += ends_cut;
    e.cut = said.end == STEP_CUT;
    e.ends = said.end == STEP_CLOSED || said.end == STEP_TURN;
    e.finishes_parent = (kind == ONLY_CLOSED || kind == ONLY_TURN) && parent->last;
    e.why = kind == FAILED                                                ? DROP_FAILED
            : kind == DEGENERATE                                          ? DROP_DEGENERATE
            : kind == NOTHING && !ends_cut                                ? DROP_EMPTY
            : (kind == ONLY_CLOSED || kind == ONLY_TURN) && !parent->last ? DROP_EMPTY
                                                                          : DROP_NONE;
    e.drop = e.why != DROP_NONE;
    if (!e.drop && !e.finishes_parent) {
        e.reasoning = arena_printf(&w->arena, "%s%s", opened, said.text);
        e.reasoning[text_trim_end(text_of(e.reasoning)).len] = 0;
    }
    free(said.text);
    return e;
}

static bool same_words(const struct expected *a, const struct expected *b) {
    if (a->drop || b->drop || a->finishes_parent != b->finishes_parent) return false;
    return a->finishes_parent || (a->ends == b->ends && !strcmp(a->reasoning, b->reasoning));
}

/* Of siblings that say the same, the one with the smallest hash. */
static bool is_double(const struct round *round, const struct expected *e, int i) {
    for (int j = 0; j < round->n_candidates; j++)
        if (j != i && round->candidates[j].parent == round->candidates[i].parent && same_words(&e[i], &e[j]) &&
            round->candidates[j].tie < round->candidates[i].tie)
            return true;
    return false;
}

/* Whether what a candidate makes of its parent by ending it is finished already, from another parent. */
static bool is_finished(const struct trajectory *before, int n_before, const struct candidate *c) {
    cord_text text = text_trim_end(before[c->parent].reasoning);
    for (int p = 0; p < n_before; p++)
        if (before[p].finish != GROWING && text_equal(text_trim_end(before[p].reasoning), text)) return true;
    return false;
}

static void check_candidates(struct world *w, const struct trajectory *before, int n_before, const struct round *round,
                             struct seen *seen) {
    int at = 0;
    for (int p = 0; p < n_before; p++) /* B x K in the first round, later the growing x K */
        for (int k = 0; before[p].finish == GROWING && k < w->search.n_teachers; k++)
            for (int s = 0; s < (round->number == 1 ? w->settings.beam : 1); s++, at++) {
                assert_int_equal(round->candidates[at].parent, p);
                assert_int_equal(round->candidates[at].teacher, k);
                assert_int_equal(round->candidates[at].sample, s);
            }
    assert_int_equal(round->n_candidates, at);

    struct expected *e = arena_alloc(&w->arena, (size_t)at * sizeof *e);
    for (int i = 0; i < at; i++) e[i] = expect(w, &before[round->candidates[i].parent], &round->candidates[i], seen);
    for (int i = 0; i < at; i++) {
        const struct candidate *c = &round->candidates[i];
        enum step_drop why = e[i].why;
        bool again = e[i].finishes_parent && is_finished(before, n_before, c);
        if (!e[i].drop && (again || is_double(round, e, i))) why = DROP_DUPLICATE;
        seen->again += again;
        seen->double_votes += why == DROP_DUPLICATE && e[i].finishes_parent;
        double score = (double)NAN;
        if (why == DROP_NONE && e[i].finishes_parent) score = before[c->parent].log_score;
        if (why == DROP_NONE && !e[i].finishes_parent) {
            score = random_score(w, text_of(e[i].reasoning));
            if (isnan(score)) why = DROP_FAILED, seen->unscored++;
        }
        assert_int_equal(c->drop, why);
        assert_int_equal(c->drop_why != NULL, why == DROP_FAILED);
        assert_int_equal(c->finishes_parent, e[i].finishes_parent);
        assert_true(isnan(score) ? isnan(c->log_score) : c->log_score == score);
        if (why == DROP_NONE && !e[i].finishes_parent)
            assert_text(text_trim_end(c->reasoning), e[i].reasoning);
        else
            assert_int_equal(c->reasoning.len, 0);
        assert_int_equal(c->rank >= 0, why == DROP_NONE);
        seen->drops[why]++;
        seen->votes += why == DROP_NONE && e[i].finishes_parent;
    }
}

/* Whoever is kept is better than whoever is not, by score, then by hash. Carried trajectories' hashes are not told. */
static void check_selection(const struct world *w, const struct trajectory *before, int n_before,
                            const struct round *round, struct seen *seen) {
    int better, usable = 0, carried = 0, n_finished = 0;
    for (int i = 0; i < round->n_candidates; i++) usable += round->candidates[i].drop == DROP_NONE;
    for (int p = 0; p < n_before; p++) n_finished += before[p].finish != GROWING;
    int n = usable + n_finished, keep = n < w->settings.beam ? n : w->settings.beam;
    assert_int_equal(round->n_beam, keep);
    for (int i = 0; i < keep; i++) {
        const struct trajectory *t = &round->beam[i];
        if (i > 0) assert_true(t->log_score <= round->beam[i - 1].log_score);
        if (t->candidate >= 0) {
            assert_int_equal(round->candidates[t->candidate].slot, i);
            assert_int_equal(round->candidates[t->candidate].rank, i);
            continue;
        }
        carried++;
        for (int j = 0; j < i; j++) assert_false(round->beam[j].candidate < 0 && round->beam[j].from == t->from);
        const struct trajectory *old = &before[t->from];
        assert_true(old->finish != GROWING && t->finish == old->finish && t->log_score == old->log_score); /* frozen */
        assert_true(text_equal(t->reasoning, old->reasoning) && t->last == old->last && t->author == old->author);
    }
    seen->carried += carried;
    seen->pushed_out += n_finished - carried;
    double last = round->beam[keep - 1].log_score; /* who is out is not better than the last who is in */
    for (int p = 0; p < n_before; p++) {
        bool in = before[p].finish == GROWING;
        for (int i = 0; i < keep; i++) in = in || (round->beam[i].candidate < 0 && round->beam[i].from == p);
        if (!in) assert_true(before[p].log_score <= last);
    }
    for (int i = 0; i < round->n_candidates; i++) {
        const struct candidate *c = &round->candidates[i];
        if (c->drop != DROP_NONE) continue;
        assert_int_equal(c->slot, c->rank < keep ? c->rank : -1);
        if (c->slot < 0) assert_true(c->log_score <= last);
        if (c->slot < 0 && c->log_score == last) seen->ties_at_the_edge++;
        better = 0;
        for (int j = 0; j < round->n_candidates; j++) {
            const struct candidate *d = &round->candidates[j];
            if (d->drop != DROP_NONE || d == c) continue;
            bool first = d->log_score > c->log_score || (d->log_score == c->log_score && d->tie < c->tie);
            assert_int_equal(d->rank < c->rank, first);
            better += first;
        }
        assert_true(better <= c->rank && c->rank <= better + n_finished);
    }
}

static void check_grown(const struct world *w, const struct trajectory *before, const struct round *round,
                        struct seen *seen) {
    for (int i = 0; i < round->n_beam; i++) {
        const struct trajectory *t = &round->beam[i];
        seen->finishes[t->finish]++;
        if (t->candidate < 0) continue;
        const struct candidate *c = &round->candidates[t->candidate];
        const struct trajectory *parent = &before[c->parent];
        assert_int_equal(t->from, c->parent);
        assert_int_equal(t->author, c->teacher); /* who was selected at the last step */
        if (c->finishes_parent) {
            assert_true(text_equal(t->reasoning, parent->reasoning));
            assert_true(t->log_score == parent->log_score && t->last == parent->last && t->n_steps == parent->n_steps);
            assert_int_equal(t->finish, c->end == STEP_TURN ? FINISHED_TURN : FINISHED_CLOSED);
            continue;
        }
        int markers = 0; /* a step that was cut has one */
        for (cord_text rest = t->reasoning; text_find(rest, TEXT("### Step")) >= 0; markers++)
            rest = text_slice(rest, (size_t)text_find(rest, TEXT("### Step")) + 1, rest.len);
        assert_int_equal(t->n_steps, markers);
        assert_true(text_starts(t->reasoning, TEXT("### Step 1.")));
        assert_true(text_equal(text_trim_end(t->reasoning), text_trim_end(c->reasoning)));
        if (c->end != STEP_CUT) assert_true(text_equal(t->reasoning, text_trim_end(t->reasoning)));
        assert_int_equal(t->tokens, words_of(t->reasoning));
        assert_true(t->log_score == random_score((struct world *)(uintptr_t)w, text_trim_end(t->reasoning)));
        assert_ptr_equal(t->last->previous, parent->last);
        assert_true(text_equal(t->last->text, c->step) && t->last->log_score == c->log_score);
        assert_int_equal(t->last->round, round->number);
        assert_int_equal(t->last->teacher, c->teacher);
        assert_int_equal(t->last->cut, c->end == STEP_CUT);
        enum finish want = c->end == STEP_CLOSED                   ? FINISHED_CLOSED
                           : c->end == STEP_TURN                   ? FINISHED_TURN
                           : t->tokens >= w->settings.think_tokens ? FINISHED_BUDGET
                                                                   : GROWING;
        assert_int_equal(t->finish, want);
    }
}

/* A round in which nothing could be kept. */
static void check_exhausted(const struct trajectory *before, int n_before, const struct round *round,
                            struct seen *seen) {
    assert_int_equal(round->n_beam, n_before);
    assert_non_null(round->note);
    for (int p = 0; p < n_before; p++) {
        const struct trajectory *t = &round->beam[p];
        assert_int_equal(t->finish, before[p].finish == GROWING ? FINISHED_EXHAUSTED : before[p].finish);
        assert_true(text_equal(t->reasoning, before[p].reasoning) && t->log_score == before[p].log_score);
        assert_int_equal(t->candidate, -1);
        assert_int_equal(t->from, p);
        seen->finishes[t->finish]++;
    }
    seen->exhausted_rounds++;
}

static int finished_in(const struct trajectory *beam, int n) {
    int count = 0;
    for (int i = 0; i < n; i++) count += beam[i].finish != GROWING;
    return count;
}

static void check_search(struct world *w, struct seen *seen) {
    struct trajectory empty = {.author = -1, .candidate = -1, .log_score = w->log_s0};
    const struct trajectory *before = &empty;
    int n_before = 1;
    assert_int_equal(w->n_started, 1);
    assert_true(w->log_s0 == random_score(w, TEXT("")));
    for (int r = 0; r < w->n_rounds; r++) {
        const struct round *round = &w->rounds[r];
        int finished = finished_in(before, n_before), usable = 0;
        assert_int_equal(round->number, r + 1);
        assert_true(w->settings.stop_at_first_finished ? finished == 0 : finished < n_before); /* else it had ended */
        check_candidates(w, before, n_before, round, seen);
        for (int i = 0; i < round->n_candidates; i++) usable += round->candidates[i].drop == DROP_NONE;
        if (usable) {
            assert_null(round->note);
            check_selection(w, before, n_before, round, seen);
            check_grown(w, before, round, seen);
        } else {
            check_exhausted(before, n_before, round, seen);
        }
        before = round->beam;
        n_before = round->n_beam;
    }
    int finished = finished_in(before, n_before);
    if (!before[0].last) { /* not even a first step */
        seen->no_start++;
        assert_int_equal(w->n_rounds, 1);
        assert_int_equal(w->n_ends, 0);
        assert_int_equal(w->error.code, CORD_BAD_INPUT);
        return;
    }
    assert_int_equal(w->error.code, CORD_OK);
    assert_int_equal(w->n_ends, 1);
    assert_true(w->settings.stop_at_first_finished ? finished > 0 : finished == n_before);
    assert_int_equal(w->n_finished, finished); /* all of them, best first */
    for (int i = 0, f = 0; i < n_before; i++)
        if (before[i].finish != GROWING)
            assert_true(text_equal(w->finished[f++].trajectory.reasoning, before[i].reasoning));
}

static void every_round_follows_its_rules(void **state) {
    (void)state;
    struct seen seen = {0};
    for (uint64_t trial = 0; trial < 1200; trial++) {
        struct world *w = world_new(1 + (int)(trial % 4), 1 + (int)(trial / 4 % 5));
        w->script = seed_mix(11, trial);
        w->reply = random_reply;
        w->score = random_score;
        w->settings.seed = trial;
        w->settings.think_tokens = trial % 3 ? 30 : 60;
        w->settings.stop_at_first_finished = trial % 7 == 0;
        world_run(w);
        check_search(w, &seen);
        world_free(w);
    }
    for (int i = 0; i <= DROP_FAILED; i++) assert_true(seen.drops[i] > 100);
    for (int i = 0; i <= FINISHED_EXHAUSTED; i++) assert_true(seen.finishes[i] > 50);
    assert_true(seen.again > 0); /* rare */
    const int counts[] = {seen.votes,      seen.double_votes,    seen.unscored,         seen.carried,
                          seen.pushed_out, seen.ended_cut_steps, seen.ties_at_the_edge, seen.exhausted_rounds,
                          seen.no_start};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] < 25) fail_msg("case %zu was seen only %d times", i, counts[i]);
}

/* Several teachers, one place: greedy is that beam. */
static void greedy_is_a_beam_of_one(void **state) {
    (void)state;
    int ended = 0;
    for (uint64_t script = 0; script < 60; script++) {
        struct world *w[2];
        for (int i = 0; i < 2; i++) {
            w[i] = world_new(3, 1);
            w[i]->script = script;
            w[i]->reply = random_reply;
            w[i]->score = random_score;
            w[i]->settings.strategy = i ? STRATEGY_GREEDY : STRATEGY_CORD;
            ended += world_run(w[i]) == CORD_OK;
        }
        assert_int_equal(w[0]->error.code, w[1]->error.code);
        assert_string_equal(w[0]->log.data, w[1]->log.data);
        for (int i = 0; i < 2; i++) world_free(w[i]);
    }
    assert_true(ended > 60);
}

/* Every request of a search has a seed of its own, and no two problems or runs share one. */
static void seeds_are_never_used_twice(void **state) {
    (void)state;
    enum { MOST = 4096 };
    static unsigned long long seeds[MOST];
    int n = 0;
    for (int trial = 0; trial < 4; trial++) {
        struct world *w = world_new(3, 4);
        w->script = 1; /* the same replies, but for the seeds */
        w->reply = random_reply;
        w->score = random_score;
        w->settings.seed = (uint64_t)(trial / 2);
        w->search.question.id = trial % 2 ? TEXT("p1") : TEXT("p2");
        world_succeeds(w);
        for (const char *at = w->log.data; (at = strstr(at, " seed ")); n++) {
            assert_true(n < MOST);
            at += 6;
            seeds[n] = strtoull(at, NULL, 16);
            for (int i = 0; i < n; i++) assert_true(seeds[i] != seeds[n]);
        }
        world_free(w);
    }
    assert_true(n > 100);
}

/* ---- one search, told in full -------------------------------------------------------------------------------- */

/* A step is cut in the middle of a number; its rest has nothing of its own but belongs to it. The next is cut inside the
 * marker behind it, which is written again, so that its rest is empty. Then somebody closes. */
static void tell_a_story(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    if (asked->answer)
        say(said, STEP_TURN, "42}.");
    else if (text_equal(asked->reasoning, TEXT("### Step 1.")))
        say(said, STEP_CUT, " 6 x 7 is 4");
    else if (text_equal(asked->reasoning, TEXT("### Step 1. 6 x 7 is 4")))
        say(said, STEP_NEXT, "2.\n\n");
    else if (has(asked->reasoning, "Checked."))
        say(said, asked->continues ? STEP_NEXT : STEP_CLOSED, "%s", "");
    else
        say(said, STEP_CUT, " Checked. \n\n###");
}

static double always_half(struct world *w, cord_text reasoning) {
    (void)w, (void)reasoning;
    return -0.5;
}

static void a_cut_step_is_one_step(void **state) {
    (void)state;
    static const char *const asked[] = {
        "### Step 1.",
        "### Step 1. 6 x 7 is 4",
        "### Step 1. 6 x 7 is 42.\n\n### Step 2.",
        "### Step 1. 6 x 7 is 42.\n\n### Step 2. Checked. \n\n",
        "### Step 1. 6 x 7 is 42.\n\n### Step 2. Checked.\n\n### Step 3.",
        "### Step 1. 6 x 7 is 42.\n\n### Step 2. Checked.\n</think>\n\nThe final answer is \\boxed{",
    };
    struct world *w = world_new(1, 1);
    w->reply = tell_a_story;
    w->score = always_half;
    world_succeeds(w);
    const char *at = w->log.data;
    for (int i = 0; i < 6; i++) {
        assert_non_null(at = strstr(at, "\nask "));
        assert_non_null(at = strstr(at, "<think>\n"));
        at += strlen("<think>\n");
        assert_memory_equal(at, asked[i], strlen(asked[i]));
        assert_int_equal(at[strlen(asked[i])], '\n');
    }
    assert_int_equal(w->n_rounds, 5);
    const struct trajectory *t = &w->finished[0].trajectory;
    assert_text(t->reasoning, "### Step 1. 6 x 7 is 42.\n\n### Step 2. Checked.");
    assert_int_equal(t->n_steps, 2);
    assert_int_equal(t->finish, FINISHED_CLOSED);
    world_free(w);
}

static void talk_on(struct world *w, const struct asked *asked, struct said *said) {
    (void)w;
    say(said, asked->max_tokens < 5 ? STEP_CUT : STEP_NEXT, " a%.*s", 2 * (asked->max_tokens - 1),
        " b c d e f g h i j k");
}

/* 3 words of a marker and 5 of a step, until 20 are reached: 8, 16, and a third step of 4 words at most. */
static void no_trajectory_thinks_beyond_its_budget(void **state) {
    (void)state;
    struct world *w = world_new(1, 1);
    w->reply = talk_on;
    w->score = always_half;
    w->settings.step_tokens = 5;
    w->settings.think_tokens = 20;
    world_succeeds(w);
    assert_int_equal(w->n_rounds, 3);
    assert_int_equal(w->rounds[1].beam[0].tokens, 16);
    assert_text(w->rounds[2].candidates[0].step, " a b c d");
    assert_int_equal(w->finished[0].trajectory.finish, FINISHED_BUDGET);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_round_follows_its_rules),
        cmocka_unit_test(a_cut_step_is_one_step),
        cmocka_unit_test(no_trajectory_thinks_beyond_its_budget),
        cmocka_unit_test(greedy_is_a_beam_of_one),
        cmocka_unit_test(seeds_are_never_used_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
