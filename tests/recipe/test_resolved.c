/* test_resolved.c - resolved recipes: they read back as themselves, say in which keys two differ, and tell methods apart. */
#include "written.h"

#include <math.h>

/* ---- the resolved recipe --------------------------------------------------------------------------------------- */

static void resolved_recipes_read_back_as_themselves(void **state) {
    (void)state;
    static const char *const recipes[] = {
        MINIMAL,
        MINIMAL "prompt: {style: steps, date: 2025-05-05}\nsearch: {strategy: greedy, answer_temperature: 0.1}\n",
        HEAD "teachers:\n  z.prompt: {model: b, temperature: 0.123456789012345, prompt: {style: paper, "
             "marker: '### Step {n}.', full: 'x {question}'}}\n"
             "  a: {model: a, prompt: {system: \"a\\\"b\\\\c\\n\\td\\u0001\\u0085\\u2028\\ufeff # é 😀 'q' \"}}\n"
             "meta_prover: {model: b, prompt: {think_open: '', score_close: '  '}}\nprompt: {style: steps}\n" RUN,
        MINIMAL "grading: {by: judge, model: b, tokens: 7}\n",
        MINIMAL "prompt: {date: 2025-05-05}\ngrading: {by: judge, model: b}\n",
        MINIMAL "prompt: {date: 2025-05-05}\nsearch: {strategy: integration}\nintegration: {model: a}\n",
        MINIMAL "grading: {by: command, command: \"x 'y' | z\", seconds: 0.25}\n",
        MINIMAL "grading: {numbers: relative, tolerance: 0.001}\n",
    };
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        struct recipe first, second;
        assert_ok(load(text_of(recipes[i]), NULL, &first, err));
        assert_ok(load(first.resolved, NULL, &second, err));
        assert_string_equal(second.resolved.data, first.resolved.data);
        assert_int_equal(second.n_teachers, first.n_teachers);
        for (int t = 0; t < first.n_teachers; t++) {
            assert_true(text_equal(first.teachers[t].style.system, second.teachers[t].style.system));
            assert_true(text_equal(first.teachers[t].style.full, second.teachers[t].style.full));
            assert_true(first.teachers[t].sampling.temperature == second.teachers[t].sampling.temperature);
        }
        if (first.judge_model >= 0 && first.grading.date) assert_string_equal(second.grading.date, "2025-05-05");
        if (first.integration_model >= 0) assert_string_equal(second.integration_style.date, "2025-05-05");
        if (i == 2)
            assert_text(first.teachers[1].style.system, "a\"b\\c\n\td\x01\xc2\x85\xe2\x80\xa8\xef\xbb\xbf # é 😀 'q' ");
        recipe_release(&first);
        recipe_release(&second);
    }
}

/* Each participant's texts are there in full, so that a resolved recipe may be larger than any that a person writes. */
static void large_ones_are_read_back(void **state) {
    (void)state;
    enum { MANY = 40, SYSTEM = 60000 };
    struct buf text;
    struct recipe first, second;
    buf_init(&text, "a recipe", 1 << 20);
    buf_addf(&text, HEAD "teachers:\n");
    for (int i = 0; i < MANY; i++) buf_addf(&text, "  t%d: {model: a}\n", i);
    buf_addf(&text, "meta_prover: {model: b}\nprompt: {system: '");
    for (int i = 0; i < SYSTEM; i++) buf_addc(&text, 'x');
    buf_addf(&text, "'}\n" RUN);
    assert_ok(load(buf_text(&text), NULL, &first, err));
    assert_true(first.resolved.len > (size_t)MANY * SYSTEM);
    assert_ok(load(first.resolved, NULL, &second, err));
    assert_text(second.resolved, first.resolved.data);
    recipe_release(&first);
    recipe_release(&second);
    buf_release(&text);
}

/* run.out alone is another, whatever stands in the prompts. */
static void a_recipe_moves_to_another_folder(void **state) {
    (void)state;
    static const char out[] = "all \"these\"";
    struct recipe first, second;
    struct arena arena;
    cord_text moved, lines;
    arena_init(&arena);
    assert_ok(load(TEXT(MINIMAL "prompt: {style: steps, system: \"\\nrun:\\n  out: here\\n\"}\n"), NULL, &first, err));
    assert_ok(recipe_move(first.resolved, out, &arena, &moved, err));
    assert_ok(load(moved, NULL, &second, err));
    assert_true(strcmp(first.out, out) != 0);
    assert_string_equal(second.out, out);
    assert_text(second.resolved, moved.data);
    assert_ok(recipe_differences(first.resolved, moved, false, &arena, &lines, err));
    assert_text(lines, "");
    assert_ok(recipe_move(moved, first.out, &arena, &moved, err));
    assert_text(moved, first.resolved.data);
    assert_ok(recipe_move(TEXT(""), out, &arena, &moved, err)); /* nothing has begun */
    assert_text(moved, "");
    recipe_release(&first);
    recipe_release(&second);
    arena_release(&arena);
}

/* `cord select --recipe` with what a run wrote out, whatever its strategy. */
static void a_selection_takes_the_recipe_of_any_run(void **state) {
    (void)state;
    static const char *const recipes[] = {
        MINIMAL,
        MINIMAL "search: {strategy: greedy, runs: 3, stop_at_first_finished: true}\n",
        MINIMAL "search: {strategy: mcts, exploration: 2}\n",
        MINIMAL "search: {proposals: adaptive, agreement: 0.5, patience: 9}\n",
        MINIMAL "search: {strategy: integration}\nintegration: {model: a, tries: 5}\n",
        MINIMAL "search: {strategy: rejection, segmentation: prefix}\n",
        MINIMAL "search: {strategy: curation, whole_traces: true}\n",
    };
    const char *set[] = {"search.strategy=selection"};
    const struct recipe_options options = {.set = set, .n_set = 1, .models_folder = models, .selection = true};
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        struct recipe first, second;
        assert_ok(load(text_of(recipes[i]), NULL, &first, err));
        assert_ok(recipe_load(scratch_write("r.yaml", first.resolved), &options, &second, err));
        assert_int_equal(second.search.strategy, STRATEGY_SELECTION);
        assert_false(second.search.adaptive || second.search.whole_traces);
        assert_int_equal(second.search.runs, 1);
        recipe_release(&first);
        recipe_release(&second);
    }
}

static void every_key_stands_in_the_resolved_recipe(void **state) {
    (void)state;
    struct recipe r;
    size_t n;
    const struct recipe_key *keys = recipe_keys(&n);
    assert_ok(load(TEXT(MINIMAL), NULL, &r, err));
    for (size_t i = 0; i < n; i++) {
        char line[64];
        const char *dot = strrchr(keys[i].path, '.');
        if (!dot) continue; /* `extends`: what it brought stands there itself */
        snprintf(line, sizeof line, " %s: ", dot + 1);
        assert_true(text_find(r.resolved, text_of(line)) > 0);
        for (size_t j = 0; j < i; j++) assert_string_not_equal(keys[i].path, keys[j].path);
        if (!strcmp(dot, ".style")) /* the table names the presets a second time */
            for (size_t j = 0; j < 3; j++) {
                const char *name = prompt_preset_names[j];
                if (name)
                    assert_string_equal(keys[i].choices[j], name);
                else
                    assert_null(keys[i].choices[j]);
            }
    }
    recipe_release(&r);
}

static void differences_are_told_by_key(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *set, *lines;
    } cases[] = {
        {MINIMAL, NULL, ""},
        {MINIMAL, "run.out=elsewhere", ""},
        {MINIMAL, "run.threads=3", ""},
        {MINIMAL "servers: {first_byte: 3, idle: 9, tries: 3, backoff: 1, longest_pause: 5}\n", NULL, ""},
        {MINIMAL, "search.beam=2", "search.beam: 4 -> 2\n"},
        {MINIMAL, "search.answer_temperature=0.0", ""},
        {MINIMAL, "teachers.two.top_p=0.9", "teachers.two.top_p: 0.95 -> 0.9\n"},
        {MINIMAL, "prompt.between= / ",
         "teachers.one.prompt.between: '\\n\\n' -> ' / '\nteachers.two.prompt.between: '\\n\\n' -> ' / '\n"
         "meta_prover.prompt.between: '\\n\\n' -> ' / '\n"},
        {MINIMAL, "teachers.two.prompt.system=You are a careful solver of problems, and you never hurry.",
         "teachers.two.prompt.system: '' -> 'You are a careful solver of problems, an…'\n"},
        {HEAD "teachers: {two: {model: b}, one: {model: a}}\nmeta_prover: {model: b}\n" RUN, NULL,
         "teachers: one, two -> two, one\n"},
        {HEAD "teachers: {one: {model: b}}\nmeta_prover: {model: b}\n" RUN, NULL,
         "teachers: one, two -> one\nteachers.one.model: 'a' -> 'b'\n"},
        {MINIMAL "grading: {by: text}\n", NULL, "grading.by: math -> text\n"},
    };
    struct recipe before, after;
    struct arena arena;
    arena_init(&arena);
    assert_ok(load(TEXT(MINIMAL), NULL, &before, err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cord_text lines;
        assert_ok(load(text_of(cases[i].yaml), cases[i].set, &after, err));
        assert_ok(recipe_differences(before.resolved, after.resolved, false, &arena, &lines, err));
        assert_text(lines, cases[i].lines);
        recipe_release(&after);
    }
    /* who is asked by template alone has the date of all; where it does not stand nothing is known of it */
    static const char judged[] = MINIMAL "grading: {by: judge, model: b}\nprompt: {date: 2025-05-05}\n";
    struct recipe dated;
    assert_ok(load(text_of(judged), NULL, &dated, err));
    assert_ok(load(text_of(judged), "prompt.date=2025-06-06", &after, err));
    cord_text lines, old = dated.resolved;
    assert_ok(recipe_differences(old, after.resolved, false, &arena, &lines, err));
    assert_true(text_find(lines, TEXT("\nprompt.date: '2025-05-05' -> '2025-06-06'\n")) > 0);
    static const char section[] = "\nprompt:\n  date: \"2025-05-05\"\n";
    const char *there = strstr(old.data, section);
    assert_non_null(there);
    char *undated = arena_printf(&arena, "%.*s%s", (int)(there + 1 - old.data), old.data, there + strlen(section));
    assert_ok(recipe_differences(text_of(undated), old, false, &arena, &lines, err));
    assert_text(lines, "");
    recipe_release(&dated);
    recipe_release(&after);

    /* a run that began before there were graders to choose */
    old = before.resolved;
    ptrdiff_t grading = text_find(old, TEXT("\ngrading:\n")), next = text_find(old, TEXT("\nrun:\n"));
    assert_true(grading > 0 && next > grading);
    char *older = arena_printf(&arena, "%.*s%s", (int)grading, old.data, old.data + next);
    assert_ok(recipe_differences(text_of(older), old, false, &arena, &lines, err));
    assert_text(lines, "");
    assert_ok(load(TEXT(MINIMAL "grading: {by: text}\n"), NULL, &after, err));
    assert_ok(recipe_differences(text_of(older), after.resolved, false, &arena, &lines, err));
    assert_text(lines, "grading.by: (none) -> text\n");
    recipe_release(&after);

    cord_error err = {0};
    assert_int_equal(recipe_differences(TEXT("nonsense: 1\n"), before.resolved, false, &arena, &lines, &err),
                     CORD_BAD_RECIPE);
    assert_string_equal(err.where, "the run's recipe:1:1");
    recipe_release(&before);
    arena_release(&arena);
}

/* What a reader of YAML 1.1 takes for a number: with an exponent only behind a point, and with its sign. */
static void numbers_are_written_as_such(void **state) {
    (void)state;
    static const struct {
        const char *set, *line;
    } cases[] = {{"servers.connect=10", " connect: 10\n"},
                 {"servers.first_byte=6e2", " first_byte: 600\n"},
                 {"servers.idle=0.25", " idle: 0.25\n"},
                 {"search.answer_temperature=0.1", " answer_temperature: 0.1\n"},
                 {"search.agreement=0.00001", " agreement: 1.0e-05\n"},
                 {"search.agreement=0.0000125", " agreement: 1.25e-05\n"},
                 {"search.agreement=0", " agreement: 0\n"},
                 {"search.exploration=1000", " exploration: 1000\n"},
                 {"models.a.price_cached=-1", " price_cached: -1\n"},
                 {"budget.money=123456789000", " money: 123456789000\n"}};
    static const char served[] = "problems: {file: p.jsonl}\nmodels: {a: {url: 'http://x', price_out: 1}}\n"
                                 "teachers: {one: {model: a}}\nmeta_prover: {model: a}\nrun: {out: o}\n";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recipe first, second;
        bool adaptive = strstr(cases[i].set, "agreement"), tree = strstr(cases[i].set, "exploration");
        const char *more = adaptive ? "search: {proposals: adaptive}\n" : tree ? "search: {strategy: mcts}\n" : "";
        char yaml[400];
        snprintf(yaml, sizeof yaml, "%s%s", strstr(cases[i].set, "budget") ? served : MINIMAL, more);
        assert_ok(load(text_of(yaml), cases[i].set, &first, err));
        if (text_find(first.resolved, text_of(cases[i].line)) < 0) fail_msg("no%s for %s", cases[i].line, cases[i].set);
        assert_ok(load(first.resolved, NULL, &second, err));
        assert_string_equal(second.resolved.data, first.resolved.data);
        recipe_release(&first);
        recipe_release(&second);
    }
}

/* The hash of a method, of a recipe as it was written out and is: rows that stand in tables name it. */
static void methods_keep_their_hashes(void **state) {
    (void)state;
    struct arena arena;
    struct recipe_outline before, now;
    arena_init(&arena);
    static const char old[] = "search: {answer_temperature: 5e+00, agreement: 1e+01, exploration: 1e-05}\n";
    static const char new[] = "search: {answer_temperature: 5, agreement: 10, exploration: 1.0e-05}\n";
    assert_ok(recipe_outline(text_of(old), &arena, &before, err));
    assert_ok(recipe_outline(text_of(new), &arena, &now, err));
    assert_string_equal(before.method, now.method);
    char hex[65];
    sha256_text(TEXT("models:\nteachers:\nsearch.exploration  1e-05\nsearch.agreement  1e+01\n"
                     "search.answer_temperature  5\n"),
                hex);
    assert_string_equal(now.method, hex);
    arena_release(&arena);
}

/* A key that is younger than a run: at its default it is no difference, and the same method. */
static void a_younger_key_changes_nothing_at_its_default(void **state) {
    (void)state;
    static const char line[] = "  whole_traces: false\n";
    struct recipe now, whole;
    struct arena arena;
    struct recipe_outline a, b, c;
    cord_text lines;
    arena_init(&arena);
    assert_ok(load(TEXT(MINIMAL "search: {strategy: curation}\n"), NULL, &now, err));
    assert_ok(load(TEXT(MINIMAL "search: {strategy: curation, whole_traces: true}\n"), NULL, &whole, err));
    const char *there = strstr(now.resolved.data, line);
    assert_non_null(there);
    cord_text old = text_of(
        arena_printf(&arena, "%.*s%s", (int)(there - now.resolved.data), now.resolved.data, there + strlen(line)));
    assert_ok(recipe_differences(old, now.resolved, false, &arena, &lines, err));
    assert_text(lines, "");
    assert_ok(recipe_outline(old, &arena, &a, err));
    assert_ok(recipe_outline(now.resolved, &arena, &b, err));
    assert_ok(recipe_outline(whole.resolved, &arena, &c, err));
    assert_string_equal(a.method, b.method);
    assert_string_not_equal(a.method, c.method);
    assert_ok(recipe_differences(old, whole.resolved, false, &arena, &lines, err));
    assert_text(lines, "search.whole_traces: (none) -> true\n");
    recipe_release(&whole);
    recipe_release(&now);
    arena_release(&arena);
}

/* Two recipes are one method where recipe_differences has nothing to say but of seeds and which problems were taken. */
static void outlines_tell_methods_apart(void **state) {
    (void)state;
    static const struct {
        const char *set;
        bool method, scorer, measurer; /* the same */
    } cases[] = {{"run.seed=7", true, true, true},
                 {"problems.limit=3", true, true, true},
                 {"run.threads=1", true, true, true},
                 {"models.a.parameters=3.5", true, true, true},
                 {"search.beam=4", true, true, true}, /* the default */
                 {"search.beam=3", false, true, true},
                 {"teachers.one.temperature=0.61", false, true, true},
                 {"meta_prover.prompt.score_open=So ", false, false, false},
                 {"models.a.context=2048", false, false, true}, /* the meta-prover's is b */
                 {"models.b.context=2048", false, false, false},
                 {"meta_prover.model=a", false, false, false},
                 {"measures.scorer=b", false, true, true},
                 {"meta_prover.reuse=true", false, false, false},
                 {"measures.scorer=a", false, true, false}};
    struct recipe recipe;
    struct recipe_outline before, after, none;
    struct arena arena;
    arena_init(&arena);
    assert_ok(load(TEXT(MINIMAL), NULL, &recipe, err));
    assert_ok(recipe_outline(recipe.resolved, &arena, &before, err));
    recipe_release(&recipe);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(load(TEXT(MINIMAL), cases[i].set, &recipe, err));
        assert_ok(recipe_outline(recipe.resolved, &arena, &after, err));
        if (!strcmp(before.method, after.method) != cases[i].method ||
            !strcmp(before.scorer, after.scorer) != cases[i].scorer ||
            !strcmp(before.measurer, after.measurer) != cases[i].measurer)
            fail_msg("%s: another method, scorer or measurer than it should be", cases[i].set);
        if (!i) assert_text(after.seed, "7");
        recipe_release(&recipe);
    }
    assert_text(before.strategy, "cord");
    assert_text(before.criterion, "predictive-perplexity");
    assert_text(before.seed, "1");
    assert_int_equal(before.n_teachers, 2);
    assert_string_equal(before.teachers[1], "two");
    assert_string_equal(before.models[before.meta_model], "b");
    assert_string_equal(before.models[before.teacher_model[0]], "a");
    assert_true(!before.problems.question_field && !before.problems.judged && before.problems.format == ANSWER_AUTO);
    assert_ok(load(TEXT("problems: {file: p.jsonl, question: q, context: c, full_context: f, format: boxed}\n"
                        "models: {a: {file: tiny}, b: {file: small}}\n" TEACHERS RUN),
                   NULL, &recipe, err));
    assert_ok(recipe_outline(recipe.resolved, &arena, &after, err));
    recipe_release(&recipe);
    assert_string_equal(after.problems.question_field, "q");
    assert_string_equal(after.problems.context_field, "c");
    assert_string_equal(after.problems.full_context_field, "f");
    assert_null(after.problems.id_field);
    assert_int_equal(after.problems.format, ANSWER_BOXED);
    assert_ok(recipe_outline((cord_text){NULL, 0}, &arena, &none, err)); /* of a journal without a recipe */
    assert_true(!*none.method && !*none.measurer && none.meta_model == -1 && none.n_teachers == 0);
    assert_true(none.chooser_model == -1 && none.integration_model == -1);

    /* two meta-provers, one scorer */
    assert_ok(load(TEXT(MINIMAL "measures: {scorer: b}\n"), "meta_prover.model=a", &recipe, err));
    assert_ok(recipe_outline(recipe.resolved, &arena, &after, err));
    assert_string_equal(before.measurer, after.measurer);
    assert_string_not_equal(before.scorer, after.scorer);
    recipe_release(&recipe);

    /* who is named measures anew, whatever the meta-prover reuses */
    assert_ok(load(TEXT(MINIMAL "measures: {scorer: b}\n"), "meta_prover.reuse=true", &recipe, err));
    assert_ok(recipe_outline(recipe.resolved, &arena, &after, err));
    assert_string_equal(before.measurer, after.measurer);
    recipe_release(&recipe);

    /* what a selection chooses among is its file */
    struct recipe_outline of[2];
    assert_ok(recipe_outline(TEXT("problems: {file: p.jsonl}\nsearch: {strategy: selection}\n"), &arena, &of[0], err));
    assert_ok(recipe_outline(TEXT("problems: {file: q.jsonl}\nsearch: {strategy: selection}\n"), &arena, &of[1], err));
    assert_string_not_equal(of[0].method, of[1].method);
    assert_string_equal(of[0].scorer, of[1].scorer);
    arena_release(&arena);
}

static void outlines_tell_whose_scores_choose(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *set, *chooser;
    } cases[] = {{MINIMAL, NULL, "b"},
                 {MINIMAL, "search.criterion=masked", "b"},
                 {MINIMAL, "search.criterion=judge", "b"},
                 {MINIMAL "search: {criterion: judge}\n", "judgment.model=a", "a"},
                 {MINIMAL "search: {criterion: prm}\nreward: {format: rlhflow}\n", "reward.model=a", "a"},
                 {MINIMAL, "search.criterion=longest", NULL}};
    struct recipe recipe;
    struct recipe_outline outline;
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(load(text_of(cases[i].yaml), cases[i].set, &recipe, err));
        assert_ok(recipe_outline(recipe.resolved, &arena, &outline, err));
        recipe_release(&recipe);
        assert_int_equal(outline.integration_model, -1);
        if (!cases[i].chooser) {
            assert_int_equal(outline.chooser_model, -1);
            continue;
        }
        assert_true(outline.chooser_model >= 0);
        assert_string_equal(outline.models[outline.chooser_model], cases[i].chooser);
    }
    assert_ok(load(TEXT(MINIMAL "search: {strategy: integration}\n"), "integration.model=a", &recipe, err));
    assert_ok(recipe_outline(recipe.resolved, &arena, &outline, err));
    recipe_release(&recipe);
    assert_string_equal(outline.models[outline.integration_model], "a");
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolved_recipes_read_back_as_themselves),
        cmocka_unit_test(large_ones_are_read_back),
        cmocka_unit_test(a_recipe_moves_to_another_folder),
        cmocka_unit_test(a_selection_takes_the_recipe_of_any_run),
        cmocka_unit_test(every_key_stands_in_the_resolved_recipe),
        cmocka_unit_test(differences_are_told_by_key),
        cmocka_unit_test(numbers_are_written_as_such),
        cmocka_unit_test(methods_keep_their_hashes),
        cmocka_unit_test(a_younger_key_changes_nothing_at_its_default),
        cmocka_unit_test(outlines_tell_methods_apart),
        cmocka_unit_test(outlines_tell_whose_scores_choose),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_close);
}
