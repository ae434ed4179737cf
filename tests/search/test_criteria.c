/* test_criteria.c - every criterion against a computation of the test's own, in searches whose texts and likelihoods are
 * hashes (chosen.h); what of them can be worked out by hand; and what tables say of the trajectories that they chose. Reward
 * models: test_reward.c. */
#include "chosen.h"

static void every_name_has_its_criterion(void **state) {
    (void)state;
    int n = 0;
    for (; criterion_names[n]; n++) {
        assert_non_null(criteria[n]);
        assert_string_equal(criteria[n]->name, criterion_names[n]);
        assert_true(criteria[n]->what[0] && criteria[n]->score);
        for (int i = 0; i < n; i++) assert_string_not_equal(criterion_names[i], criterion_names[n]);
    }
    assert_null(criteria[n]);
    assert_string_equal(criterion_names[0], "predictive-perplexity");
}

/* ---- one by one -------------------------------------------------------------------------------------------------- */

static double pp(struct world *w, cord_text reasoning, int run, bool complete) {
    (void)run, (void)complete;
    return hashed(w->script, META, reasoning, TEXT("42"));
}

/* S0 and the answers; each round asks for scores, and the finished are known. */
static void predictive_perplexity_is_the_answers_likelihood(void **state) {
    (void)state;
    play_all("predictive-perplexity", pp, 2, 1);
}

static double longest(struct world *w, cord_text reasoning, int run, bool complete) {
    (void)w, (void)run, (void)complete;
    return log(words_of(reasoning));
}

/* Beside S0 and the answers, one call that measures what is finished. */
static void longest_counts_tokens(void **state) {
    (void)state;
    play_all("longest", longest, 3, 0);
}

static double drawn(struct world *w, cord_text reasoning, int run, bool complete) {
    (void)complete;
    uint64_t seed = seed_mix(run_seed(&w->search, run), UINT64_MAX - 16);
    uint64_t hash = seed_mix(seed_text(seed, text_trim_end(reasoning)), 0) >> 11; /* 53 bits */
    return log(((double)hash + 0.5) / 9007199254740992.0);
}

static void random_is_uniform_and_knows_seed_run_and_text(void **state) {
    (void)state;
    enum { N = 20000, BINS = 10 };
    int bins[BINS] = {0};
    double sum = 0;
    struct world *w = talking("random", 1);
    play_all("random", drawn, 3, 0);
    for (int i = 0; i < N; i++) {
        double score = exp(drawn(w, text_of(arena_printf(&w->arena, "text %d", i)), 0, false));
        assert_true(score > 0 && score < 1);
        bins[(int)(score * BINS)]++;
        sum += score;
    }
    assert_true(fabs(sum / N - 0.5) < 4 / sqrt(12.0 * N));
    for (int i = 0; i < BINS; i++) assert_true(fabs(bins[i] - N / 10.0) < 5 * sqrt(N * 0.09));
    double first = drawn(w, TEXT("text"), 0, false);
    assert_true(first == drawn(w, TEXT("text \n"), 0, true));
    assert_true(first != drawn(w, TEXT("text"), 1, false) && first != drawn(w, TEXT("texts"), 0, false));
    w->settings.seed++;
    assert_true(first != drawn(w, TEXT("text"), 0, false));
    world_free(w);
}

/* What a judge of the test's own would make of it: the same prompts and seeds, graded by hand. */
static double judged(struct world *w, cord_text reasoning, int run, bool complete) {
    uint64_t seed = seed_text(seed_mix(run_seed(&w->search, run), UINT64_MAX - 17), reasoning);
    const char *behind = arena_printf(&w->arena, "%.*s%s </think> The final answer is:", (int)reasoning.len,
                                      reasoning.data, complete ? "" : "\n\nTime is up.");
    int right = 0;
    for (int k = 0; k < 4; k++) {
        struct asked asked = {.teacher = JUDGE,
                              .reasoning = text_of(behind),
                              .continues = true,
                              .answer = true,
                              .seed = seed_mix(seed, (uint64_t)k),
                              .max_tokens = 8,
                              .nth = k};
        struct said said = {0};
        talk(w, &asked, &said);
        right += !strcmp(said.text, " 42.");
        free(said.text);
    }
    return right ? log(right / 4.0) : -INFINITY;
}

/* All completions of a round are one call; nothing of it is a score. */
static void judgment_is_the_share_of_right_answers(void **state) {
    (void)state;
    play_all("judge", judged, 3, 1);
    struct world *w = talking("judge", 1);
    w->settings.judgment.temperature = 0; /* four equal ones would say no more than one */
    world_succeeds(w);
    for (int i = 0; i < w->rounds[0].n_candidates; i++) {
        double score = w->rounds[0].candidates[i].log_score;
        assert_true(score == 0 || score == -INFINITY);
    }
    world_free(w);
}

/* Four times "42." is one word each: what is written counts apart from what is read, and from the time of scores. */
static void what_a_judge_writes_is_counted_apart(void **state) {
    (void)state;
    struct world *w = talking("judge", 1);
    world_succeeds(w);
    int n = 0;
    for (int i = 0; i < w->rounds[0].n_candidates; i++) {
        const struct candidate *c = &w->rounds[0].candidates[i];
        if (isnan(c->log_score) || c->finishes_parent) continue;
        const char *asked = arena_printf(&w->arena, "<%d>What is 6 x 7?</%d><think>\n%.*s", META, META,
                                         (int)c->reasoning.len, c->reasoning.data);
        int behind = c->end == STEP_CLOSED || c->end == STEP_TURN ? 5 : 5 + 3; /* "</think> ... is:", "Time is up." */
        assert_int_equal(c->score_prompt_tokens, 4 * (words_of(text_trim_end(text_of(asked))) + behind));
        assert_int_equal(c->score_cached_tokens, 4);
        assert_int_equal(c->judged_tokens, 4);
        assert_int_equal(c->judge_us, 1000 * 4 * ++n); /* of its last request, in one call for all */
        assert_int_equal(c->score_us, 0);
    }
    assert_true(n > 1);
    world_free(w);
}

/* A trace that the budget has ended is told that time is up, as it is where steps are judged. */
static void a_judge_is_told_which_traces_are_complete(void **state) {
    (void)state;
    int ended[2] = {0};
    for (uint64_t script = 0; script < 6; script++) {
        struct world *w = talking("judge", script);
        w->settings.strategy = STRATEGY_CURATION;
        w->settings.beam = 1;
        w->settings.runs = 3;
        w->settings.think_tokens = 20;
        world_succeeds(w);
        for (int i = 0; i < w->n_finished; i++) {
            const struct trajectory *t = &w->finished[i].trajectory;
            bool complete = t->finish == FINISHED_CLOSED || t->finish == FINISHED_TURN;
            assert_true(t->log_score == judged(w, text_trim_end(t->reasoning), t->run, complete));
            ended[complete]++;
        }
        world_free(w);
    }
    assert_true(ended[false] > 5 && ended[true] > 5);
}

static double masked(struct world *w, cord_text reasoning, int run, bool complete) {
    (void)run, (void)complete;
    struct buf text;
    buf_init(&text, "masked", 1 << 20);
    for (size_t at = 0; at < reasoning.len; at++) /* only as a word of its own; numbers of the script are longer */
        if (text_starts(text_slice(reasoning, at, reasoning.len), TEXT(" 42")) &&
            (at + 3 == reasoning.len || strchr(" .", reasoning.data[at + 3]))) {
            buf_addf(&text, " ___");
            at += 2;
        } else {
            buf_addc(&text, reasoning.data[at]);
        }
    double score = hashed(w->script, META, buf_text(&text), TEXT("42"));
    buf_release(&text);
    return score;
}

static void masked_hides_what_states_the_answer(void **state) {
    (void)state;
    play_all("masked", masked, 3, 1);
    static const struct {
        const char *text, *answer, *want;
    } cases[] = {
        {"so it is 27.", "27", "so it is ___."},
        {"127, 27.5, 270, 1,027, 27th, x27, -27 and 2.27", "27", "127, 27.5, 270, 1,027, 27th, x27, -27 and 2.27"},
        {"27, 27; (27) **27** $27$ \\boxed{27} 27% =27", "27", "___, ___; (___) **___** $___$ \\boxed{___} ___% =___"},
        {"6 x 7 = 42, and 42 / 2 = 21", "42", "6 x 7 = ___, and 42 / 2 = 21"},
        {"2 + 2 = 4 - 2, 3*2=6, 2^3, x - 2, \\(2 \\times 5\\), 2\xC3\x97"
         "8",
         "2",
         "2 + 2 = 4 - 2, 3*2=6, 2^3, x - 2, \\(2 \\times 5\\), 2\xC3\x97"
         "8"},
        {"the answer - 2 - is small", "2", "the answer - ___ - is small"},
        {"It is 42 - I am sure. 42 - a nice number, 42 - a, 42 - x", "42",
         "It is ___ - I am sure. ___ - a nice number, 42 - a, 42 - x"},
        {"42 / (that is all), 42 / (7 + 1), (in dollars) - 42, (x + y) - 42, (\\sin x) - 42, \\(42 - \\frac{1}{2}\\)",
         "42",
         "___ / (that is all), 42 / (7 + 1), (in dollars) - ___, (x + y) - 42, (\\sin x) - 42, \\(42 - "
         "\\frac{1}{2}\\)"},
        {"*42* (dollars), 42 - (x)", "42", "*___* (dollars), 42 - (x)"},
        {"- 7 apples", "7", "- ___ apples"},
        {"1000, 1,000, 1000.0, 01000 and 1000.05 or 10,000", "1,000", "___, ___, ___, ___ and 1000.05 or 10,000"},
        {"3.50 and 3.5 but 3.05", "3.5", "___ and ___ but 3.05"},
        {"it is -5, not 5; 8 -5", "-5", "it is ___, not 5; 8 -5"},
        {"x = \xE2\x88\x92"
         "27, and 27",
         "27",
         "x = \xE2\x88\x92"
         "27, and ___"},
        {"x = \xE2\x88\x92"
         "27 or -27, 3 \xE2\x88\x92 27, 3\xE2\x88\x92"
         "27, 27",
         "-27",
         "x = ___ or ___, 3 \xE2\x88\x92 27, 3\xE2\x88\x92"
         "27, 27"},
        {"it is -5",
         "\xE2\x88\x92"
         "5",
         "it is ___"},
        {"0.5, .5, 00.50, 10.5, x.5 and ...5; -.5", ".5", "___, ___, ___, 10.5, x.5 and ...5; -.5"},
        {"0.5 and .5 of 5, -0.5", "-.5", "0.5 and .5 of 5, ___"},
        {".5 is not 5, 0.0 is 0", "5", ".5 is not ___, 0.0 is 0"},
        {".0 and 0", "0.0", "___ and ___"},
        {"version 1.27.3 has 27", "27", "version 1.27.3 has ___"},
        {"A man has a choice: A, B or (A); \xC3\x84 a", "A", "___ man has a choice: ___, B or (___); \xC3\x84 a"},
        {"Paris, PARIS and Parisian; unparis", "paris", "___, ___ and Parisian; unparis"},
        {"in Orl\xC3\xA9"
         "ans",
         "ans",
         "in Orl\xC3\xA9"
         "ans"},
        {"thus \\frac{1}{2}!", "\\frac{1}{2}", "thus ___!"},
        {"it is \\dfrac{2}{4}, 0.5 or 1/2; 1/2 + 3", "1/2", "it is ___, ___ or ___; 1/2 + 3"},
        {"1{,}000, 1000kg; 1000 - 3 \\sqrt{2}", "1000", "___, ___kg; 1000 - 3 \\sqrt{2}"},
        {"### Step 5. 2 + 3 = 5\n\n### Step 5. So ### Step 5 is 5", "5",
         "### Step 5. 2 + 3 = ___\n\n### Step 5. So ### Step ___ is ___"},
        {"nothing", "", "nothing"},
        {"", "3", ""},
    };
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cord_text out;
        assert_ok(
            mask_mentions(text_of(cases[i].text), text_of(cases[i].answer), TEXT("### Step {n}."), &arena, &out, err));
        assert_text(out, cases[i].want);
    }
    cord_text out; /* the number may be the model's to write */
    assert_ok(mask_mentions(TEXT("### Step 4. It is 4.\n\n### Step  4 is 4, a ### Step 4"), TEXT("4"), TEXT("### Step"),
                            &arena, &out, err));
    assert_text(out, "### Step 4. It is ___.\n\n### Step  4 is ___, a ### Step ___");
    arena_release(&arena);
}

/* ---- contrast ---------------------------------------------------------------------------------------------------- */

static double contrasted(struct world *w, cord_text reasoning, int run, bool complete) {
    (void)run, (void)complete;
    double right = hashed(w->script, META, reasoning, TEXT("42"));
    return w->contrast.len ? right - hashed(w->script, META, reasoning, w->contrast) : right;
}

/* Of an answer without reasoning: the teacher says what stands in its list. */
static const char *const *guesses;

static void guess(struct world *w, const struct asked *asked, struct said *said) {
    if (asked->answer && has(asked->reasoning, "Step"))
        say(said, STEP_TURN, "42}");
    else if (asked->answer)
        say(said, STEP_TURN, "%s}", guesses[asked->teacher * 3 + asked->nth]);
    else
        talk(w, asked, said);
}

static struct guesses asked_for[TEACHERS];

static cord_text contrast_of(const char *const said[9], uint64_t seed) {
    static char text[64];
    struct world *w = talking("contrast", seed);
    guesses = said;
    w->reply = guess;
    w->settings.seed = seed;
    world_succeeds(w);
    snprintf(text, sizeof text, "%.*s", (int)w->contrast.len, w->contrast.data ? w->contrast.data : "");
    memcpy(asked_for, w->guesses, sizeof asked_for);
    world_free(w);
    return text_of(text);
}

/* One call more before the first round; the two likelihoods of all are one call. */
static void contrast_is_against_the_commonest_wrong_answer(void **state) {
    (void)state;
    play_all("contrast", contrasted, 4, 1);
    static const char *const counted[] = {"42", "42", "42", "42", "41", "7", "41.0", "7", "41"}; /* 41 thrice */
    assert_text(contrast_of(counted, 1), "41");
    assert_int_equal(asked_for[1].new_tokens, 3); /* three guesses of a word; the fourth to the sixth request */
    assert_int_equal(asked_for[1].cached_tokens, 3);
    assert_int_equal(asked_for[1].us, 6000);
    /* "<1>What is 6 x 7?</1><think>", and "</think>" with "The final answer is \boxed{" behind it */
    assert_int_equal(asked_for[1].prompt_tokens, 3 * (5 + 6));
    static const char *const right[] = {"42", "42.0", "42", "42", "42", "42", "42", "42", "84/2"};
    assert_text(contrast_of(right, 1), "");
    static const char *const even[] = {"5",  "6", "42", "42", "42",
                                       "42", "5", "6",  "42"}; /* who stands first does not win */
    int fives = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) fives += text_equal(contrast_of(even, seed), TEXT("5"));
    assert_true(fives > 8 && fives < 32);
}

/* ---- ties and failures ------------------------------------------------------------------------------------------- */

static void never_right(struct world *w, const struct asked *asked, struct said *said) {
    if (asked->answer)
        say(said, STEP_TURN, " 41.");
    else
        talk(w, asked, said);
}

/* Scores of 0 all over: the order is the tie rule's. */
static void a_criterion_that_says_the_same_of_all_leaves_it_to_the_hash(void **state) {
    (void)state;
    for (uint64_t script = 0; script < 4; script++) {
        struct world *w = talking("judge", script);
        w->reply = never_right;
        world_succeeds(w);
        for (int r = 0; r < w->n_rounds; r++)
            for (int i = 0; i < w->rounds[r].n_candidates; i++)
                for (int j = 0; j < w->rounds[r].n_candidates; j++) {
                    const struct candidate *a = &w->rounds[r].candidates[i], *b = &w->rounds[r].candidates[j];
                    if (a->rank < 0 || b->rank < 0) continue;
                    assert_true(a->log_score == -INFINITY);
                    if (a->tie < b->tie) assert_true(a->rank < b->rank);
                }
        assert_true(w->finished[0].trajectory.log_score == -INFINITY);
        world_free(w);
    }
}

static void no_score_comes_behind_a_score_of_nothing(void **state) {
    (void)state;
    struct world *w = talking("judge", 1);
    for (int noise = 0; noise < 2; noise++) {
        w->settings.tie_within_noise = noise;
        w->settings.criterion = criteria[0];
        struct contender c[] = {{.trajectory = {.log_score = (double)NAN}, .tie = 1},
                                {.trajectory = {.log_score = -INFINITY}, .tie = 3},
                                {.trajectory = {.log_score = (double)NAN}, .tie = 0},
                                {.trajectory = {.log_score = -1}, .tie = 4},
                                {.trajectory = {.log_score = -INFINITY}, .tie = 2}};
        rank_contenders(&w->search, c, 5);
        const uint64_t want[] = {4, 2, 3, 0, 1};
        for (int i = 0; i < 5; i++) assert_true(c[i].tie == want[i]);
    }
    world_free(w);
}

/* The noise is that of likelihoods: a share of answers, or a length, has none. */
static void only_likelihoods_have_noise(void **state) {
    (void)state;
    static const struct {
        const char *criterion;
        double apart;
        bool tied;
    } cases[] = {{"predictive-perplexity", 0.2, true},
                 {"predictive-perplexity", 0.3, false},
                 {"masked", 0.2, true},
                 {"contrast", 0.4, true},
                 {"contrast", 0.6, false},
                 {"longest", 0.01, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *w = talking(cases[i].criterion, 1);
        w->settings.tie_within_noise = true;
        struct contender c[] = {{.trajectory = {.log_score = -1}, .tie = 2},
                                {.trajectory = {.log_score = -1 - cases[i].apart}, .tie = 1}};
        rank_contenders(&w->search, c, 2);
        assert_true(c[0].tie == (cases[i].tied ? 1 : 2));
        world_free(w);
    }
}

/* ---- measures ---------------------------------------------------------------------------------------------------- */

static void what_is_finished_is_measured_by_those_who_are_named(void **state) {
    (void)state;
    static const struct {
        const char *criterion;
        int scorer; /* 0: the meta-prover, as nobody is named */
        bool held_out, reuse;
        int calls;
    } cases[] = {
        {"predictive-perplexity", 0, false, false, 0},
        {"predictive-perplexity", META, false, false, 0},
        {"predictive-perplexity", SCORER, false, false, 1},
        {"predictive-perplexity", SCORER, true, false, 2},
        {"predictive-perplexity", 0, false, true, 0}, /* the score that chose, as it is */
        {"predictive-perplexity", META, false, true, 1},
        {"masked", 0, false, false, 1},
        {"masked", META, false, true, 1},
        {"masked", SCORER, true, false, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *w = talking(cases[i].criterion, 3);
        int scorer = cases[i].scorer ? cases[i].scorer : META;
        const struct meta_prover named = w->meta;
        if (cases[i].scorer) w->search.scorer = scorer == META ? &named : &w->others[scorer];
        w->meta.reuse = cases[i].reuse;
        if (cases[i].held_out) w->search.held_out = &w->others[HELD_OUT];
        world_succeeds(w);
        assert_int_equal(w->calls, 2 + 2 * w->n_rounds + cases[i].calls);
        assert_true(w->n_finished > 1);
        for (int k = 0; k < w->n_finished; k++) {
            const struct answered *a = &w->finished[k];
            cord_text reasoning = text_trim_end(a->trajectory.reasoning);
            assert_true(a->log_pp == hashed(w->script, scorer, reasoning, TEXT("42")));
            if (cases[i].held_out)
                assert_true(a->log_held_out == hashed(w->script, HELD_OUT, reasoning, TEXT("42")));
            else
                assert_true(isnan(a->log_held_out));
        }
        world_free(w);
    }
}

/* The best alone, which is all that tables show; of what costs nothing, all. */
static void the_best_alone_is_measured_where_that_is_enough(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct world *w = talking("predictive-perplexity", 3);
        w->settings.measure_best_only = true;
        if (named) w->search.scorer = &w->others[SCORER];
        w->search.held_out = &w->others[HELD_OUT];
        world_succeeds(w);
        assert_true(w->n_finished > 1);
        for (int k = 0; k < w->n_finished; k++) {
            const struct answered *a = &w->finished[k];
            assert_int_equal(isnan(a->log_pp), named && k > 0);
            assert_int_equal(isnan(a->log_held_out), k > 0);
        }
        assert_int_equal(w->n_scored, 1);
        world_free(w);
    }
}

static double held_out_cannot(struct world *w, int who, cord_text reasoning, cord_text target) {
    return who == HELD_OUT ? (double)NAN : hashed(w->script, who, reasoning, target);
}

static void what_cannot_be_measured_is_not_known(void **state) {
    (void)state;
    struct world *w = talking("longest", 3);
    w->search.held_out = &w->others[HELD_OUT];
    w->score_as = held_out_cannot;
    world_succeeds(w);
    for (int k = 0; k < w->n_finished; k++)
        assert_true(isnan(w->finished[k].log_held_out) && !isnan(w->finished[k].log_pp));
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_has_its_criterion),
        cmocka_unit_test(predictive_perplexity_is_the_answers_likelihood),
        cmocka_unit_test(longest_counts_tokens),
        cmocka_unit_test(random_is_uniform_and_knows_seed_run_and_text),
        cmocka_unit_test(judgment_is_the_share_of_right_answers),
        cmocka_unit_test(a_judge_is_told_which_traces_are_complete),
        cmocka_unit_test(what_a_judge_writes_is_counted_apart),
        cmocka_unit_test(masked_hides_what_states_the_answer),
        cmocka_unit_test(contrast_is_against_the_commonest_wrong_answer),
        cmocka_unit_test(a_criterion_that_says_the_same_of_all_leaves_it_to_the_hash),
        cmocka_unit_test(no_score_comes_behind_a_score_of_nothing),
        cmocka_unit_test(only_likelihoods_have_noise),
        cmocka_unit_test(what_is_finished_is_measured_by_those_who_are_named),
        cmocka_unit_test(the_best_alone_is_measured_where_that_is_enough),
        cmocka_unit_test(what_cannot_be_measured_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
