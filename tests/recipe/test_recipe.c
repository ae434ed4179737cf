/* test_recipe.c - recipes: what is read, what is inherited, and where models and templates are found. */
#include "written.h"

#include <math.h>

/* ---- what is read ---------------------------------------------------------------------------------------------- */

static void defaults_are_the_papers(void **state) {
    (void)state;
    struct recipe r;
    assert_ok(load(TEXT(MINIMAL), NULL, &r, err));
    assert_int_equal(r.search.strategy, STRATEGY_CORD);
    assert_int_equal(r.search.runs, 1);
    assert_int_equal(r.search.beam, 4);
    assert_int_equal(r.search.think_tokens, 16384);
    assert_int_equal(r.search.answer_tokens, 4096);
    assert_true(r.search.answer_temperature == 0);
    assert_false(r.search.stop_at_first_finished || r.search.tie_within_noise);
    assert_int_equal(r.search.seed, 1);
    assert_int_equal(r.n_teachers, 2);
    assert_true(r.teachers[1].sampling.temperature == 0.6f && r.teachers[1].sampling.top_p == 0.95f);
    assert_true(r.teachers[1].sampling.repeat_penalty == 1 && r.teachers[1].sampling.repeat_last == 0);
    assert_int_equal(r.teachers[1].model, 1);
    assert_int_equal(r.meta_model, 1);
    struct prompt_style paper;
    assert_true(prompt_preset("paper", &paper));
    assert_true(text_equal(r.teachers[0].style.marker, paper.marker));
    assert_true(text_equal(r.meta_style.think_open, paper.think_open));
    assert_null(r.problems.id_field);
    assert_int_equal(r.problems.format, ANSWER_AUTO);
    assert_int_equal(r.models[0].options.gpu_layers, -1);
    assert_string_equal(r.out, "o");
    assert_int_equal(r.grading.by, GRADER_MATH);
    assert_int_equal(r.grading.math.numbers, CORD_NUMBERS_EXACT);
    assert_true(r.grading.math.tolerance == 0);
    assert_int_equal(r.judge_model, -1);
    recipe_release(&r);
}

/* Its file need not be there, and whoever has another keeps it. */
static void a_model_that_nobody_has_is_left_out(void **state) {
    (void)state;
    struct recipe r;
    assert_ok(load(TEXT("problems: {file: p.jsonl}\n"
                        "models: {idle: {file: nowhere}, a: {file: tiny}, b: {file: small}}\n" TEACHERS RUN),
                   NULL, &r, err));
    assert_int_equal(r.n_models, 2);
    assert_string_equal(r.models[r.teachers[0].model].name, "a");
    assert_string_equal(r.models[r.teachers[1].model].name, "b");
    assert_string_equal(r.models[r.meta_model].name, "b");
    assert_true(text_find(r.resolved, TEXT("nowhere")) > 0);
    recipe_release(&r);
}

static void every_key_is_read(void **state) {
    (void)state;
    struct recipe r;
    assert_ok(
        load(TEXT("problems: {file: /x/p.jsonl, limit: 5, skip: 2, id: i, question: q, answer: an, target: t, "
                  "format: boxed}\n"
                  "models:\n  qwen-1.5b.q4: {file: tiny, context: 10, cells: 20, sequences: 30, gpu_layers: 0}\n"
                  "teachers:\n  t.1_x-y: {model: qwen-1.5b.q4, temperature: 1.5e0, top_p: .5, top_k: 7, min_p: 0.25,\n"
                  "    repeat_penalty: 1.25, repeat_last: 100}\n"
                  "meta_prover: {model: qwen-1.5b.q4}\n"
                  "search: {beam: 3, runs: 7, step_tokens: 11, think_tokens: 12, answer_tokens: 13, "
                  "answer_temperature: 0.5,\n"
                  "  stop_at_first_finished: true, tie_within_noise: True}\n"
                  "run: {out: \"r \\u00fc\", seed: 9007199254740992, threads: 2}\n"
                  "servers: {connect: 1.5, first_byte: 30, idle: 9, tries: 3, backoff: 0.25, longest_pause: 5,\n"
                  "  authorities: r.yaml}\n"),
             NULL, &r, err));
    assert_string_equal(r.problems.path, "/x/p.jsonl");
    assert_int_equal(r.problems.limit, 5);
    assert_int_equal(r.problems.skip, 2);
    assert_string_equal(r.problems.id_field, "i");
    assert_string_equal(r.problems.question_field, "q");
    assert_string_equal(r.problems.answer_field, "an");
    assert_string_equal(r.problems.target_field, "t");
    assert_int_equal(r.problems.format, ANSWER_BOXED);
    const cord_model_options *m = &r.models[0].options;
    assert_string_equal(m->name, "qwen-1.5b.q4");
    assert_true(m->context == 10 && m->cells == 20 && m->sequences == 30 && m->gpu_layers == 0);
    const struct recipe_teacher *t = &r.teachers[0];
    assert_string_equal(t->name, "t.1_x-y");
    assert_true(t->sampling.temperature == 1.5f && t->sampling.top_p == 0.5f && t->sampling.top_k == 7 &&
                t->sampling.min_p == 0.25f && t->sampling.repeat_penalty == 1.25f && t->sampling.repeat_last == 100);
    assert_true(r.search.beam == 3 && r.search.runs == 7 && r.search.step_tokens == 11 && r.search.think_tokens == 12 &&
                r.search.answer_tokens == 13 && r.search.answer_temperature == 0.5f);
    assert_true(r.search.stop_at_first_finished && r.search.tie_within_noise);
    assert_true(r.search.seed == 9007199254740992u);
    assert_int_equal(r.threads, 2);
    assert_string_equal(r.out, "r ü");
    const cord_server_limits *s = &r.servers;
    assert_true(s->connect == 1.5 && s->first_byte == 30 && s->idle == 9 && s->tries == 3 && s->backoff == 0.25 &&
                s->longest_pause == 5);
    assert_int_equal(s->authorities[0], '/'); /* wherever cord is started */
    assert_string_equal(s->authorities + strlen(s->authorities) - strlen("/r.yaml"), "/r.yaml");
    recipe_release(&r);
}

static void prompts_are_inherited(void **state) {
    (void)state;
    struct recipe r;
    struct prompt_style steps = {0}, paper = {0};
    assert_true(prompt_preset("steps", &steps) && prompt_preset("paper", &paper));
    assert_ok(load(TEXT(HEAD "teachers:\n"
                             "  plain: {model: a}\n"
                             "  own: {model: a, prompt: {between: \"\\n\", system: \"\"}}\n"
                             "  other: {model: b, prompt: {style: paper, marker: \"### Step {n}:\"}}\n"
                             "meta_prover: {model: b, prompt: {score_open: ' So: '}}\n"
                             "prompt: {style: steps, user: 'Q: {question}', date: 2026-01-02}\n" RUN),
                   NULL, &r, err));
    const struct prompt_style *plain = &r.teachers[0].style, *own = &r.teachers[1].style, *other = &r.teachers[2].style;
    assert_text(plain->user, "Q: {question}");
    assert_true(text_equal(plain->system, steps.system) && text_equal(plain->marker, steps.marker));
    assert_text(own->between, "\n");
    assert_text(own->system, "");
    assert_text(own->user, "Q: {question}");
    assert_text(other->marker, "### Step {n}:");
    assert_text(other->user, "{question}"); /* another style starts afresh … */
    assert_true(text_equal(other->think_open, paper.think_open) && other->system.len == 0);
    assert_string_equal(other->date, "2026-01-02"); /* … and says nothing of the date */
    assert_text(r.meta_style.score_open, " So: ");
    assert_text(r.meta_style.user, "Q: {question}");
    recipe_release(&r);
}

static void overrides_are_applied_in_order(void **state) {
    (void)state;
    struct recipe r;
    const char *set[] = {"search.beam=2",
                         "search.beam=3",
                         "teachers.two.temperature=0.8",
                         "prompt.style=steps",
                         "teachers.one.prompt.marker=### Step {n}: # really",
                         "prompt.between=\"\\n\\n\\n\"",
                         "prompt.system="};
    const char *file = scratch_write("r.yaml", TEXT(MINIMAL "search: {beam: 9}\n"));
    struct recipe_options options = {.set = set, .n_set = 7, .models_folder = models};
    assert_ok(recipe_load(file, &options, &r, err));
    assert_int_equal(r.search.beam, 3);
    assert_true(r.teachers[1].sampling.temperature == 0.8f);
    assert_text(r.teachers[0].style.marker, "### Step {n}: # really");
    assert_text(r.teachers[1].style.between, "\n\n\n");
    assert_text(r.meta_style.system, "");
    recipe_release(&r);
}

static void yaml_is_read_as_yaml(void **state) {
    (void)state;
    struct recipe r; /* anchors, a byte order mark, comments, block texts, an empty section */
    assert_ok(load(TEXT("\xef\xbb\xbf# a recipe\n" HEAD "search:\n"
                        "teachers:\n  one: &t {model: a, top_k: &k 5}\n  two: *t\n  three: {model: b, top_k: *k}\n"
                        "meta_prover: {model: a}\n"
                        "prompt:\n  system: |\n    Two\n    lines.\n  user: >-\n    folded\n    {question}\n" RUN),
                   NULL, &r, err));
    assert_int_equal(r.n_teachers, 3);
    assert_int_equal(r.teachers[1].sampling.top_k, 5);
    assert_int_equal(r.teachers[2].sampling.top_k, 5);
    assert_text(r.meta_style.system, "Two\nlines.\n");
    assert_text(r.meta_style.user, "folded {question}");
    recipe_release(&r);
}

static void servers_share_a_device(void **state) {
    (void)state;
    static const char servers[] = "problems: {file: p.jsonl}\nmodels: {a: {url: 'http://a:1', device: gpu}, "
                                  "b: {url: 'http://b:1', device: gpu}, c: {url: 'http://c:1'}}\n" TEACHERS RUN;
    struct recipe r, apart;
    struct arena arena;
    cord_text lines;
    arena_init(&arena);
    assert_ok(load(text_of(servers), NULL, &r, err));
    assert_string_equal(r.models[0].options.device, "gpu");
    assert_string_equal(r.models[1].options.device, "gpu");
    assert_null(r.models[2].options.device);
    assert_ok(load(text_of(servers), "models.b.device=", &apart, err));
    assert_null(apart.models[1].options.device);
    assert_ok(recipe_differences(r.resolved, apart.resolved, false, &arena, &lines, err)); /* it changes no result */
    assert_text(lines, "");
    recipe_release(&r);
    recipe_release(&apart);
    arena_release(&arena);
    assert_refused(TEXT("problems: {file: x}\nmodels: {a: {file: tiny, device: gpu}, b: {file: small}}\n" TEACHERS RUN),
                   NULL, "r.yaml:2:34", "models.a.device goes with url, and a has a file");
}

static void what_goes_with_a_server(void **state) {
    (void)state;
    struct recipe r;
    assert_ok(load(TEXT("problems: {file: p.jsonl}\nmodels: {a: {url: 'http://x', requests: 16384}}\n"
                        "teachers: {one: {model: a}}\nmeta_prover: {model: a}\nrun: {out: o, in_flight: 4096}\n"),
                   NULL, &r, err));
    assert_string_equal(r.models[0].options.url, "http://x");
    assert_int_equal(r.models[0].options.requests, 16384);
    assert_int_equal(r.in_flight, 4096);
    recipe_release(&r);
    assert_refused(TEXT(MINIMAL), "models.a.requests=5", "--set models.a.requests=5", "goes with url");
    assert_refused(TEXT(MINIMAL), "models.a.protocol=chat", "--set models.a.protocol=chat", "goes with url");
    assert_refused(TEXT(MINIMAL), "models.a.continue=prefix", "--set models.a.continue=prefix", "goes with url");
    assert_refused(TEXT(MINIMAL), "budget.requests=1", "--set budget.requests=1", "no model has a url");
    assert_refused(TEXT(MINIMAL), "budget.tokens=1", "--set budget.tokens=1", "no model has a url");
    assert_refused(TEXT(MINIMAL), "budget.money=1", "--set budget.money=1", "no model has a price");
    assert_refused(
        TEXT("problems: {file: x}\nmodels: {a: {url: 'http://x'}}\nteachers: {one: {model: a}}\nmeta_prover: "
             "{model: a}\nrun: {out: o}\nbudget: {requests: 1, money: 1}\n"),
        NULL, "r.yaml:6:30", "no model has a price");
    assert_ok(load(TEXT(MINIMAL), "models.a.requests=0", &r, err)); /* as resolved recipes say it */
    recipe_release(&r);
}

static void steps_can_end_without_markers(void **state) {
    (void)state;
    struct recipe r;
    assert_ok(load(TEXT(MINIMAL "prompt: {style: steps}\n"), NULL, &r, err));
    assert_int_equal(r.teachers[0].style.segmentation, SEGMENTATION_STEPS);
    assert_true(text_find(r.resolved, TEXT("\n  segmentation: steps\n  prefixes: \"\"\n")) > 0);
    recipe_release(&r);

    assert_ok(load(TEXT(MINIMAL "prompt: {style: steps}\nsearch: {segmentation: line-break}\n"), NULL, &r, err));
    for (int i = 0; i <= r.n_teachers; i++) {
        const struct prompt_style *style = i < r.n_teachers ? &r.teachers[i].style : &r.meta_style;
        assert_int_equal(style->segmentation, SEGMENTATION_LINE_BREAK);
        assert_int_equal(style->marker.len + style->between.len, 0);
        assert_true(text_find(style->system, TEXT("blank line")) > 0 && text_find(style->system, TEXT("###")) < 0);
    }
    assert_true(text_find(r.resolved, TEXT("\n      marker: \"\"\n      between: \"\"\n")) > 0);
    recipe_release(&r);

    assert_ok(load(TEXT(MINIMAL), "search.segmentation=prefix", &r, err));
    assert_int_equal(r.teachers[1].style.segmentation, SEGMENTATION_PREFIX);
    assert_int_equal(r.teachers[1].style.system.len, 0); /* the paper's style has none */
    assert_true(text_starts(r.meta_style.prefixes, TEXT("let me check, let me verify, ")));
    assert_true(text_find(r.resolved, TEXT("\n  prefixes: \"let me check, let me verify, ")) > 0);
    recipe_release(&r);

    assert_ok(
        load(TEXT(MINIMAL "search:\n  segmentation: prefix\n  prefixes: |\n    hm\n    hold on\n"), NULL, &r, err));
    assert_text(r.teachers[0].style.prefixes, "hm\nhold on\n");
    recipe_release(&r);
}

static void greedy_is_a_beam_of_one(void **state) {
    (void)state;
    struct recipe r;
    assert_ok(load(TEXT(MINIMAL "search: {strategy: greedy}\n"), NULL, &r, err));
    assert_int_equal(r.search.beam, 1);
    assert_true(text_find(r.resolved, TEXT("strategy: greedy\n  beam: 1\n  runs: 1\n")) > 0);
    recipe_release(&r);
    assert_ok(load(TEXT(MINIMAL "search: {strategy: greedy, beam: 1}\n"), NULL, &r, err));
    recipe_release(&r);
    assert_refused(TEXT(MINIMAL "search: {strategy: greedy}\n"), "search.beam=4", "--set search.beam=4", "contradicts");
}

static void a_tree_has_two_simulations_a_teacher(void **state) {
    (void)state;
    struct recipe r, again;
    cord_text recipe = TEXT(MINIMAL "search: {strategy: mcts}\n");
    assert_ok(load(recipe, NULL, &r, err));
    assert_int_equal(r.search.strategy, STRATEGY_MCTS);
    assert_int_equal(r.search.beam, 1);
    assert_int_equal(r.search.runs, 4);
    assert_int_equal(r.search.simulations, 2 * r.n_teachers);
    assert_true(r.search.exploration == sqrt(2));
    assert_ok(load(r.resolved, NULL, &again, err));
    assert_int_equal(again.search.simulations, r.search.simulations);
    assert_true(again.search.exploration == sqrt(2));
    recipe_release(&again);
    recipe_release(&r);
    assert_ok(load(recipe, "search.simulations=9", &r, err));
    assert_int_equal(r.search.simulations, 9);
    recipe_release(&r);
    assert_refused(recipe, "search.beam=2", "--set search.beam=2", "contradicts");
    assert_refused(recipe, "search.stop_at_first_finished=true", "--set search.stop_at_first_finished=true",
                   "one finished");
    assert_refused(TEXT(MINIMAL), "search.simulations=9", "--set search.simulations=9",
                   "goes with search.strategy: mcts");
    assert_refused(TEXT(MINIMAL), "search.exploration=1", "--set search.exploration=1",
                   "goes with search.strategy: mcts");
}

/* UCB's constant weighs against a mean reward between 0 and 1. */
static void a_tree_has_rewards_of_at_most_1(void **state) {
    (void)state;
    static const char *const of_a_share[] = {"predictive-perplexity", "random", "masked", "judge"};
    struct recipe r;
    cord_text recipe = TEXT(MINIMAL "search: {strategy: mcts}\n");
    for (size_t i = 0; i < sizeof of_a_share / sizeof *of_a_share; i++) {
        char set[64];
        snprintf(set, sizeof set, "search.criterion=%s", of_a_share[i]);
        assert_ok(load(recipe, set, &r, err));
        recipe_release(&r);
    }
    assert_refused(recipe, "search.criterion=longest", "--set search.criterion=longest",
                   "search.criterion: longest contradicts search.strategy: mcts, which goes with criteria whose scores "
                   "lie between 0 and 1 (predictive-perplexity, random, judge, prm, masked)");
    assert_refused(recipe, "search.criterion=contrast", "--set search.criterion=contrast", "between 0 and 1");
    assert_refused(TEXT(MINIMAL "search: {strategy: curation, criterion: contrast}\n"), "search.strategy=mcts",
                   "r.yaml:6:41", "between 0 and 1");
}

static void adaptive_proposals_are_of_beams(void **state) {
    (void)state;
    struct recipe r;
    assert_ok(load(TEXT(MINIMAL), NULL, &r, err));
    assert_false(r.search.adaptive);
    recipe_release(&r);
    cord_text recipe = TEXT(MINIMAL "search: {proposals: adaptive, agreement: 0.5, patience: 7}\n");
    assert_ok(load(recipe, NULL, &r, err));
    assert_true(r.search.adaptive && r.search.agreement == 0.5 && r.search.patience == 7);
    recipe_release(&r);
    assert_ok(load(recipe, "search.strategy=greedy", &r, err));
    recipe_release(&r);
    assert_refused(recipe, "search.strategy=mcts", "r.yaml:6:21", "goes with search.strategy: cord or greedy");
    assert_refused(TEXT(MINIMAL), "search.patience=7", "--set search.patience=7",
                   "goes with search.proposals: adaptive");
    assert_refused(TEXT(MINIMAL), "search.agreement=1", "--set search.agreement=1",
                   "goes with search.proposals: adaptive");
}

static void curation_is_four_traces_of_each(void **state) {
    (void)state;
    static const char *const names[] = {"curation", "rejection"};
    for (int i = 0; i < 2; i++) {
        struct recipe r, again;
        char recipe[1000], resolved[100];
        snprintf(recipe, sizeof recipe, MINIMAL "search: {strategy: %s}\n", names[i]);
        snprintf(resolved, sizeof resolved, "strategy: %s\n  beam: 1\n  runs: 4\n", names[i]);
        assert_ok(load(text_of(recipe), NULL, &r, err));
        assert_int_equal(r.search.strategy, i ? STRATEGY_REJECTION : STRATEGY_CURATION);
        assert_int_equal(r.search.beam, 1);
        assert_int_equal(r.search.runs, 4);
        assert_true(text_find(r.resolved, text_of(resolved)) > 0);
        assert_ok(load(r.resolved, NULL, &again, err)); /* what is written out is no contradiction */
        assert_true(again.search.strategy == r.search.strategy && again.search.runs == 4);
        recipe_release(&again);
        recipe_release(&r);
        assert_ok(load(text_of(recipe), "search.runs=8", &r, err));
        assert_int_equal(r.search.runs, 8);
        recipe_release(&r);
        assert_refused(text_of(recipe), "search.beam=2", "--set search.beam=2", "contradicts");
        assert_refused(text_of(recipe), "search.stop_at_first_finished=true",
                       "--set search.stop_at_first_finished=true", "which compares complete traces");
    }
}

/* Traces that are written alone may be asked for whole, and nothing else may. */
static void whole_traces_are_of_complete_traces(void **state) {
    (void)state;
    static const char *const alone[] = {"curation", "rejection", "integration"}, *const others[] = {"cord", "greedy",
                                                                                                    "mcts"};
    for (int i = 0; i < 3; i++) {
        struct recipe r;
        char recipe[1000], place[40];
        snprintf(recipe, sizeof recipe, MINIMAL "search: {strategy: %s}\n%s", alone[i],
                 i == 2 ? "integration: {model: a}\n" : "");
        assert_ok(load(text_of(recipe), NULL, &r, err));
        assert_false(r.search.whole_traces);
        recipe_release(&r);
        assert_ok(load(text_of(recipe), "search.whole_traces=true", &r, err));
        assert_true(r.search.whole_traces);
        recipe_release(&r);
        snprintf(recipe, sizeof recipe, MINIMAL "search: {strategy: %s, whole_traces: true}\n", others[i]);
        snprintf(place, sizeof place, "r.yaml:6:%zu",
                 strlen("search: {strategy: , whole_traces: ") + strlen(others[i]) + 1);
        assert_refused(text_of(recipe), NULL, place, "goes with search.strategy: curation, rejection or integration");
    }
}

/* ---- models ---------------------------------------------------------------------------------------------------- */

static void models_are_found_by_path_or_name(void **state) {
    (void)state;
    struct arena arena;
    const char *path;
    char want[128];
    cord_error failed = {0};
    arena_init(&arena);
    assert_ok(recipe_find_model("tiny", NULL, models, &arena, &path, err));
    snprintf(want, sizeof want, "%s/tiny.gguf", models);
    assert_string_equal(path, want);
    assert_ok(recipe_find_model(want, "/nowhere", NULL, &arena, &path, err));
    assert_string_equal(path, want);
    assert_ok(recipe_find_model("models/small.gguf", scratch, NULL, &arena, &path, err));
    assert_ok(recipe_find_model("small.gguf", models, NULL, &arena, &path, err)); /* a path, from the recipe's folder */
    assert_int_equal(recipe_find_model("smal", NULL, models, &arena, &path, &failed), CORD_BAD_MODEL);
    assert_non_null(strstr(failed.message, "(there: small, tiny); did you mean 'small'?"));
    assert_non_null(strstr(failed.message, "make models"));
    assert_int_equal(recipe_find_model("tiny", NULL, NULL, &arena, &path, &failed), CORD_BAD_MODEL);
    assert_non_null(strstr(failed.message, "no folder of models"));
    assert_int_equal(recipe_find_model("x/y.gguf", scratch, models, &arena, &path, &failed), CORD_BAD_MODEL);
    assert_non_null(strstr(failed.message, "there is no model file"));
    assert_int_equal(recipe_find_model("./models", scratch, models, &arena, &path, &failed), CORD_BAD_MODEL);
    assert_non_null(strstr(failed.message, "is a folder"));
    arena_release(&arena);
}

/* ---- chat templates ---------------------------------------------------------------------------------------------- */

#define SERVED(template_)                                                                                \
    "problems: {file: p.jsonl}\nmodels: {a: {file: tiny}, b: {url: \"http://h:1\", template: " template_ \
    "}}\n" TEACHERS RUN

static void templates_are_files_or_known_formats(void **state) {
    (void)state;
    struct recipe r;
    char path[96];
    assert_ok(load(TEXT(SERVED("qwq")), NULL, &r, err));
    assert_null(r.models[1].template_path);
    assert_ptr_equal(r.models[1].options.chat_template, chat_template_known("qwq").data);
    assert_true(text_find(r.resolved, TEXT("template: \"qwq\"")) >= 0);
    recipe_release(&r);
    assert_refused(TEXT(SERVED("qwk")), NULL, "r.yaml:2:60",
                   "did you mean 'qwq'? formats with a name: chatml, qwen-2.5,");
    assert_refused(TEXT(SERVED("x/none.jinja")), NULL, "r.yaml:2:60", "x/none.jinja, nor a format of that name");

    /* a file of that name comes first, a folder does not */
    snprintf(path, sizeof path, "%s/chatml", scratch);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_ok(load(TEXT(SERVED("chatml")), NULL, &r, err));
    assert_null(r.models[1].template_path);
    recipe_release(&r);
    assert_int_equal(rmdir(path), 0);
    scratch_write("chatml", TEXT("{{ messages }}"));
    assert_ok(load(TEXT(SERVED("chatml")), NULL, &r, err));
    assert_string_equal(r.models[1].template_path, path);
    assert_null(r.models[1].options.chat_template);
    assert_true(text_find(r.resolved, text_of(path)) >= 0);
    recipe_release(&r);

    /* the key's help names them all */
    size_t n, k = 0;
    const struct recipe_key *keys = recipe_keys(&n);
    while (k < n && strcmp(keys[k].path, "models.*.template") != 0) k++;
    assert_true(k < n);
    for (int i = 0; chat_template_name(i); i++) assert_non_null(strstr(keys[k].doc, chat_template_name(i)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_papers),
        cmocka_unit_test(a_model_that_nobody_has_is_left_out),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(prompts_are_inherited),
        cmocka_unit_test(overrides_are_applied_in_order),
        cmocka_unit_test(yaml_is_read_as_yaml),
        cmocka_unit_test(servers_share_a_device),
        cmocka_unit_test(what_goes_with_a_server),
        cmocka_unit_test(steps_can_end_without_markers),
        cmocka_unit_test(greedy_is_a_beam_of_one),
        cmocka_unit_test(curation_is_four_traces_of_each),
        cmocka_unit_test(whole_traces_are_of_complete_traces),
        cmocka_unit_test(a_tree_has_two_simulations_a_teacher),
        cmocka_unit_test(a_tree_has_rewards_of_at_most_1),
        cmocka_unit_test(adaptive_proposals_are_of_beams),
        cmocka_unit_test(models_are_found_by_path_or_name),
        cmocka_unit_test(templates_are_files_or_known_formats),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_close);
}
