/* test_recipe.c - recipes: what is read, what is refused and where, what is inherited, and that a resolved recipe reads
 * back as itself. */

#include "recipe/recipe.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/cord-recipe-XXXXXX";
static char file[64], models[64];

static void write_text(const char *path, cord_text text) {
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text.data, 1, text.len, out), text.len);
    assert_int_equal(fclose(out), 0);
}

static int set_up(void **state) {
    (void)state;
    char path[96];
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/r.yaml", folder);
    snprintf(models, sizeof models, "%s/models", folder);
    if (mkdir(models, 0700)) return -1;
    const char *names[] = {"tiny", "small"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s.gguf", models, names[i]);
        write_text(path, TEXT("GGUF"));
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* ---- help for tests -------------------------------------------------------------------------------------------- */

#define HEAD     "problems: {file: p.jsonl}\nmodels: {a: {file: tiny}, b: {file: small}}\n"
#define TEACHERS "teachers: {one: {model: a}, two: {model: b}}\nmeta_prover: {model: b}\n"
#define RUN      "run: {out: o}\n"
#define MINIMAL  HEAD TEACHERS RUN

static cord_status load(cord_text yaml, const char *set, struct recipe *recipe, cord_error *err) {
    write_text(file, yaml);
    struct recipe_options options = {.set = &set, .n_set = set ? 1 : 0, .models_folder = models};
    return recipe_load(file, &options, recipe, err);
}

static void assert_refused(cord_text yaml, const char *set, const char *where, const char *part) {
    struct recipe recipe;
    cord_error err = {0};
    cord_status status = load(yaml, set, &recipe, &err);
    if (status == CORD_OK) fail_msg("taken, but should be refused with '%s'", part);
    if (strcmp(where, err.where[0] == '-' ? err.where : err.where + strlen(folder) + 1) != 0 ||
        !strstr(err.message, part))
        fail_msg("got '%s: %s', want '%s: …%s…'", err.where, err.message, where, part);
}

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
                  "servers: {connect: 1.5, first_byte: 30, idle: 9, tries: 3, backoff: 0.25, longest_pause: 5}\n"),
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
                             "  other: {model: b, prompt: {style: paper, marker: \"Schritt {n}:\"}}\n"
                             "meta_prover: {model: b, prompt: {score_open: ' So: '}}\n"
                             "prompt: {style: steps, user: 'Q: {question}', date: 2026-01-02}\n" RUN),
                   NULL, &r, err));
    const struct prompt_style *plain = &r.teachers[0].style, *own = &r.teachers[1].style, *other = &r.teachers[2].style;
    assert_text(plain->user, "Q: {question}");
    assert_true(text_equal(plain->system, steps.system) && text_equal(plain->marker, steps.marker));
    assert_text(own->between, "\n");
    assert_text(own->system, "");
    assert_text(own->user, "Q: {question}");
    assert_text(other->marker, "Schritt {n}:");
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
    write_text(file, TEXT(MINIMAL "search: {beam: 9}\n"));
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
    assert_ok(recipe_differences(r.resolved, apart.resolved, &arena, &lines, err)); /* it changes no result */
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

/* ---- what is refused ------------------------------------------------------------------------------------------- */

static void wrong_recipes_are_told(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *where, *part;
    } wrong[] = {
        {"", "r.yaml:1:1", "the recipe is empty"},
        {"# x\n", "r.yaml:1:1", "the recipe is empty"},
        {"~\n", "r.yaml:1:1", "the recipe is empty"},
        {"hello\n", "r.yaml:1:1", "the recipe is a single value"},
        {"[a]\n", "r.yaml:1:1", "the recipe is a list"},
        {"problems: {file: [\n", "r.yaml:2:1", "not valid YAML"},
        {"a: \"x\n", "r.yaml:1:5", "not valid YAML"},
        {"\tproblems: 1\n", "r.yaml:1:1", "not valid YAML"},
        {"? [a, b]\n: c\n", "r.yaml:2:3", "a key must be a plain word"},
        {MINIMAL "---\nrun: {}\n", "r.yaml:1:1", "several documents"},
        {MINIMAL "---\nrun: {\n", "r.yaml:8:1", "not valid YAML"},
        {MINIMAL "<<: {search: 1}\n", "r.yaml:6:1", "merge keys"},
        {MINIMAL "search: {beam: !!int 4}\n", "r.yaml:6:10", "tags (!)"},
        {MINIMAL "search: *nowhere\n", "r.yaml:6:1", "names no anchor"},
        {MINIMAL "search: &s {beam: *s}\n", "r.yaml:6:13", "search.beam is a section"},
        {MINIMAL "search: 4\n", "r.yaml:6:9", "'search' is a single value; it must be a section"},
        {MINIMAL "search: [4]\n", "r.yaml:6:1", "'search' is a list"},
        {MINIMAL "search: {beam: [1]}\n", "r.yaml:6:10", "search.beam is a list; allowed: a whole number, 1 to 64"},
        {MINIMAL "search: {beam: }\n", "r.yaml:6:10", "search.beam has no value"},
        {MINIMAL "search: {beam: ~}\n", "r.yaml:6:16", "search.beam has no value"},
        {MINIMAL "search: {beam: '4'}\n", "r.yaml:6:16", "write the number without quotes"},
        {MINIMAL "search: {beam: 0}\n", "r.yaml:6:16", "is out of range; allowed: a whole number, 1 to 64"},
        {MINIMAL "search: {beam: 65}\n", "r.yaml:6:16", "is out of range; allowed: a whole number, 1 to 64"},
        {MINIMAL "search: {beam: 4.5}\n", "r.yaml:6:16", "is not a whole number"},
        {MINIMAL "search: {beam: 0x4}\n", "r.yaml:6:16", "is not a whole number"},
        {MINIMAL "search: {beam: 1_0}\n", "r.yaml:6:16", "is not a whole number"},
        {MINIMAL "search: {beam: 1-2}\n", "r.yaml:6:16", "is not a whole number"},
        {MINIMAL "search: {beam: 99999999999999999999}\n", "r.yaml:6:16", "out of range"},
        {MINIMAL "search: {answer_temperature: .nan}\n", "r.yaml:6:30", "is not a number"},
        {MINIMAL "search: {answer_temperature: -0.1}\n", "r.yaml:6:30", "out of range; allowed: a number, 0 to 5"},
        {MINIMAL "search: {beam: 1}\nsearch: {beam: 2}\n", "r.yaml:7:1", "a second time; the first is in line 6"},
        {MINIMAL "search: {beam: 1,\n  'beam': 2}\n", "r.yaml:7:3", "a second time; the first is in line 6"},
        {HEAD "teachers: {one: {model: a, repeat_penalty: 0.9}}\n", "r.yaml:3:44",
         "out of range; allowed: a number, 1 to 10"},
        {HEAD "teachers: {one: {model: a, repeat_last: 4097}}\n", "r.yaml:3:41",
         "out of range; allowed: a whole number, 0 to 4096"},
        {MINIMAL "search: {sampling: 1}\n", "r.yaml:6:10", "known there: strategy, beam, runs, simulations"},
        {MINIMAL "search: {'search.beam': 1}\n", "r.yaml:6:10", "unknown key 'search.beam' in 'search'"},
        {MINIMAL "temperature: 1\n", "r.yaml:6:1", "did you mean 'teachers.*.temperature'?"},
        {MINIMAL "search: {\"beam\\0\": 1}\n", "r.yaml:6:10", "unknown key 'beam\\u0000' in 'search'"},
        {MINIMAL "'': 1\n", "r.yaml:6:1", "unknown key ''"},
        {MINIMAL "prompt: {markers: x}\n", "r.yaml:6:10", "did you mean 'marker'?"},
        {MINIMAL "prompt: {marker: ' {n}.'}\n", "r.yaml:6:18", "nothing before the step's number"},
        {MINIMAL "prompt: {marker: ''}\n", "r.yaml:6:18", "is empty"},
        {MINIMAL "search: {segmentation: linebreak}\n", "r.yaml:6:24", "did you mean 'line-break'?"},
        {MINIMAL "search: {prefixes: wait}\n", "r.yaml:6:20", "goes with search.segmentation: prefix"},
        {MINIMAL "search: {segmentation: line-break, prefixes: wait}\n", "r.yaml:6:46", "goes with search.seg"},
        {MINIMAL "search: {segmentation: prefix, prefixes: ', ;'}\n", "r.yaml:6:42", "', ;' holds no phrase"},
        {MINIMAL "search: {segmentation: prefix, prefixes: 'wait, ...'}\n", "r.yaml:6:42", "begin and end with"},
        {MINIMAL "search: {segmentation: prefix}\nprompt: {marker: '### Step'}\n", "r.yaml:7:18",
         "prompt.marker goes with search.segmentation: steps, and this recipe has search.segmentation: prefix"},
        {MINIMAL "search: {segmentation: line-break}\nprompt: {between: ' '}\n", "r.yaml:7:19",
         "prompt.between goes with"},
        {MINIMAL "prompt: {full: 'Solve'}\n", "r.yaml:6:16", "does not hold {question}"},
        {MINIMAL "prompt: {date: 2026-13-01}\n", "r.yaml:6:16", "is not a date"},
        {MINIMAL "prompt: {user: \"{question}\\0\"}\n", "r.yaml:6:16", "zero byte"},
        {MINIMAL "prompt: {style: step}\n", "r.yaml:6:17", "did you mean 'steps'? allowed: steps, paper"},
        {HEAD "teachers: {one: {model: c}}\nmeta_prover: {model: a}\n" RUN, "r.yaml:3:25",
         "teachers.one.model: there is no model 'c'; did you mean 'a'? models here: a, b"},
        {HEAD "teachers: {one: {}}\nmeta_prover: {model: a}\n" RUN, "r.yaml:3:12", "teachers.one.model is missing"},
        {HEAD "teachers: {one: {modle: a}}\n", "r.yaml:3:18",
         "unknown key 'modle' in 'teachers.*'; did you mean 'model'?"},
        {HEAD "teachers: {'o ne': {model: a}}\n", "r.yaml:3:12", "the name 'o ne' must be 1 to 64 letters"},
        {HEAD "teachers: {'': {model: a}}\n", "r.yaml:3:12", "the name '' must be"},
        {HEAD "meta_prover: {model: a}\n" RUN, "r.yaml", "'teachers' is missing"},
        {HEAD "teachers: {}\n", "r.yaml", "'teachers' is missing"},
        {"run: {out: o}\n", "r.yaml", "'models' is missing"},
        {HEAD TEACHERS, "r.yaml", "run.out is missing"},
        {"models: {a: {file: tiny}}\nteachers: {t: {model: a}}\nmeta_prover: {model: a}\n" RUN, "r.yaml",
         "problems.file is missing"},
        {HEAD "teachers: {t: {model: a}}\n" RUN, "r.yaml", "meta_prover.model is missing"},
        {"problems: {file: x}\nmodels: {a: {file: tinny}}\nteachers: {t: {model: a}}\nmeta_prover: {model: a}\n" RUN,
         "r.yaml:2:20: models.a.file", "did you mean 'tiny'?"},
        {"problems: {file: x}\nmodels: {a: {file: ./x.gguf}}\nteachers: {t: {model: a}}\nmeta_prover: {model: a}\n" RUN,
         "r.yaml:2:20: models.a.file", "there is no model file"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(text_of(wrong[i].yaml), NULL, wrong[i].where, wrong[i].part);
    assert_refused(TEXT("problems:\n  file: \xc3\xa4\xff\n"), NULL, "r.yaml:2:10", "not valid UTF-8");
    assert_refused((cord_text){"run: \0{}\n", 9}, NULL, "r.yaml:1:6", "zero byte");
}

static void wrong_overrides_are_told(void **state) {
    (void)state;
    static const struct {
        const char *set, *part;
    } wrong[] = {
        {"search.beam", "must read KEY=VALUE"},
        {"=4", "must read KEY=VALUE"},
        {"search.beam=", "is not a whole number"},
        {"search.beam=x", "search.beam: 'x' is not a whole number; allowed: a whole number, 1 to 64"},
        {"search.beem=4", "did you mean 'search.beam'?"},
        {"rubbish=4", "`cord help recipe` lists the keys"},
        {"teachers.three.top_k=4", "the recipe has no 'teachers' named 'three'; it has: one, two"},
        {"teachers.one.topk=4", "did you mean 'teachers.one.top_k'?"},
        {"prompt.user=\"{question}", "quoted text"},
        {"prompt.user='{question}' x", "quoted text"},
        {"teachers.one.model=c", "there is no model 'c'"},
        {"prompt.user=\xff", "not valid UTF-8"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char where[96];
        snprintf(where, sizeof where, "--set %.*s", (int)utf8_valid_prefix(text_of(wrong[i].set)), wrong[i].set);
        assert_refused(TEXT(MINIMAL), wrong[i].set, where, wrong[i].part);
    }
}

/* Files made to hurt: none may take long, crash, or be taken. */
static void hostile_recipes_are_refused_soon(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, "test", (size_t)4 << 20);
    for (int i = 0; i < 100000; i++) buf_addc(&text, '[');
    assert_refused(buf_text(&text), NULL, "r.yaml:1:64", "not valid YAML");
    buf_clear(&text);
    buf_addf(&text, "models:\n");
    for (int i = 0; i < 60000; i++) buf_addf(&text, "  m%d: {}\n", i);
    clock_t start = clock(); /* of the processor: a search for equal keys would take minutes of it */
    assert_refused(buf_text(&text), NULL, "r.yaml:66:3", "models: more than 64");
    assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
    buf_clear(&text);
    buf_addf(&text, "a: &a [x, x]\n"); /* each level twice the one before */
    for (int i = 1; i < 40; i++)
        buf_addf(&text, "k%d: &k%d [*%c%d, *%c%d]\n", i, i, i > 1 ? 'k' : 'a', i - 1, 'k', i - 1);
    assert_refused(buf_text(&text), NULL, "r.yaml:1:1", "unknown key 'a'");
    buf_clear(&text);
    for (int i = 0; i < 70000; i++) buf_addf(&text, "# filling, long\n");
    cord_error err = {0};
    struct recipe r;
    assert_int_not_equal(load(buf_text(&text), NULL, &r, &err), CORD_OK);
    assert_non_null(strstr(err.message, "recipe"));
    buf_release(&text);
}

/* Every prefix of a recipe, and every byte of it replaced by three others: a recipe, or an error with a place and a
 * reason. */
static void damaged_recipes_do_no_harm(void **state) {
    (void)state;
    static const char whole[] = MINIMAL "prompt: {style: steps, marker: \"S\\u00e4 {n}\", date: 2026-01-02}\n";
    static const char bytes[] = {'\0', '\n', '\t', '"', '{', ']', ':', '&', '*', '!', '|', '\xff', '%', '-'};
    char copy[sizeof whole];
    for (size_t i = 0; i < sizeof whole - 1; i++)
        for (size_t j = 0; j < 4; j++) {
            memcpy(copy, whole, sizeof whole);
            if (j < 3) copy[i] = bytes[(5 * i + j) % sizeof bytes];
            struct recipe r;
            cord_error err = {0};
            if (load((cord_text){copy, j < 3 ? sizeof whole - 1 : i}, NULL, &r, &err) == CORD_OK)
                recipe_release(&r);
            else
                assert_true(err.message[0] && err.where[0]);
        }
}

/* ---- graders --------------------------------------------------------------------------------------------------- */

static void graders_are_read(void **state) {
    (void)state;
    struct recipe r;
    assert_ok(load(TEXT(MINIMAL "grading: {numbers: relative, tolerance: 0.01}\n"), NULL, &r, err));
    assert_int_equal(r.grading.math.numbers, CORD_NUMBERS_RELATIVE);
    assert_true(r.grading.math.tolerance == 0.01);
    recipe_release(&r);
    for (int i = 0; number_rule_names[i]; i++) {
        char set[64];
        snprintf(set, sizeof set, "grading.numbers=%s", number_rule_names[i]);
        const char *yaml = i == CORD_NUMBERS_RELATIVE ? MINIMAL "grading: {tolerance: 1}\n" : MINIMAL;
        assert_ok(load(text_of(yaml), set, &r, err));
        assert_int_equal(r.grading.math.numbers, i);
        recipe_release(&r);
    }
    assert_ok(load(TEXT(MINIMAL "grading: {by: text}\n"), NULL, &r, err));
    assert_int_equal(r.grading.by, GRADER_TEXT);
    recipe_release(&r);
    assert_ok(load(TEXT(MINIMAL "grading: {by: command, command: 'python3 check.py', seconds: 0.5}\n"), NULL, &r, err));
    assert_int_equal(r.grading.by, GRADER_COMMAND);
    assert_string_equal(r.grading.command, "python3 check.py");
    assert_true(r.grading.seconds == 0.5);
    recipe_release(&r);
    assert_ok(load(TEXT(MINIMAL "prompt: {date: 2025-05-05}\n"
                                "grading: {by: judge, model: b, system: S, prompt: '{reference}={prediction}', "
                                "tokens: 9, temperature: 0.5}\n"),
                   NULL, &r, err));
    assert_int_equal(r.grading.by, GRADER_JUDGE);
    assert_int_equal(r.judge_model, 1);
    assert_text(r.grading.system, "S");
    assert_text(r.grading.prompt, "{reference}={prediction}");
    assert_string_equal(r.grading.date, "2025-05-05");
    assert_true(r.grading.tokens == 9 && r.grading.temperature == 0.5f);
    recipe_release(&r);
    assert_ok(load(TEXT(MINIMAL "grading: {by: judge, model: a}\n"), NULL, &r, err));
    assert_true(text_equal(r.grading.prompt, judge_prompt()));
    assert_true(text_find(r.resolved, TEXT("Does the predicted answer")) > 0);
    recipe_release(&r);
}

static void graders_that_contradict_themselves_are_told(void **state) {
    (void)state;
    static const struct {
        const char *grading, *where, *part;
    } cases[] = {
        {"by: maths", "r.yaml:6:15", "grading.by: 'maths' is not known; did you mean 'math'? allowed: math, text"},
        {"by: judge", "r.yaml:6:15",
         "grading.by: judge needs grading.model: the model that judges (models here: a, b)"},
        {"by: judge, model: c", "r.yaml:6:29",
         "grading.model: there is no model 'c'; did you mean 'a'? models here: a, b"},
        {"by: judge, model: a, prompt: '{reference}'", "r.yaml:6:40", "grading.prompt does not hold {prediction}"},
        {"by: command", "r.yaml:6:15", "grading.by: command needs grading.command: the program that grades"},
        {"by: command, command: ' '", "r.yaml:6:15", "grading.by: command needs grading.command"},
        {"numbers: relative", "r.yaml:6:20", "grading.numbers: relative needs grading.tolerance"},
        {"tolerance: 0.1", "r.yaml:6:22",
         "grading.tolerance goes with grading.numbers: relative, and this recipe has grading.numbers: exact; change"},
        {"command: x", "r.yaml:6:20",
         "grading.command goes with grading.by: command, and this recipe has grading.by: math"},
        {"by: text, numbers: rounded", "r.yaml:6:30", "grading.numbers goes with grading.by: math"},
        {"by: judge, model: a, seconds: 3", "r.yaml:6:41", "grading.seconds goes with grading.by: command"},
        {"by: text, model: a", "r.yaml:6:28", "grading.model goes with grading.by: judge"},
        {"by: command, command: x, tokens: 3", "r.yaml:6:44", "grading.tokens goes with grading.by: judge"},
        {"temperature: 1", "r.yaml:6:24", "grading.temperature goes with grading.by: judge"},
        {"prompt: '{reference} {prediction}'", "r.yaml:6:19", "grading.prompt goes with grading.by: judge"},
        {"system: x", "r.yaml:6:19", "grading.system goes with grading.by: judge"},
        {"tolerance: 2", "r.yaml:6:22", "grading.tolerance: '2' is out of range; allowed: a number, 0 to 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char yaml[1000];
        snprintf(yaml, sizeof yaml, "%sgrading: {%s}\n", MINIMAL, cases[i].grading);
        assert_refused(text_of(yaml), NULL, cases[i].where, cases[i].part);
    }
    assert_refused(TEXT(MINIMAL), "grading.by=judge", "--set grading.by=judge", "needs grading.model");
}

/* ---- the resolved recipe --------------------------------------------------------------------------------------- */

static void resolved_recipes_read_back_as_themselves(void **state) {
    (void)state;
    static const char *const recipes[] = {
        MINIMAL,
        MINIMAL "prompt: {style: steps, date: 2025-05-05}\nsearch: {strategy: greedy, answer_temperature: 0.1}\n",
        HEAD "teachers:\n  z.prompt: {model: b, temperature: 0.123456789012345, prompt: {style: paper, full: 'x "
             "{question}'}}\n"
             "  a: {model: a, prompt: {system: \"a\\\"b\\\\c\\n\\td\\u0001\\u0085\\u2028\\ufeff # é 😀 'q' \"}}\n"
             "meta_prover: {model: b, prompt: {think_open: '', score_close: '  '}}\nprompt: {style: steps}\n" RUN,
        MINIMAL "grading: {by: judge, model: b, tokens: 7}\n",
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
        if (i == 2)
            assert_text(first.teachers[1].style.system, "a\"b\\c\n\td\x01\xc2\x85\xe2\x80\xa8\xef\xbb\xbf # é 😀 'q' ");
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
                const char *name = prompt_preset_names()[j];
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
        assert_ok(recipe_differences(before.resolved, after.resolved, &arena, &lines, err));
        assert_text(lines, cases[i].lines);
        recipe_release(&after);
    }
    /* a run that began before there were graders to choose */
    cord_text lines, old = before.resolved;
    ptrdiff_t grading = text_find(old, TEXT("\ngrading:\n")), next = text_find(old, TEXT("\nrun:\n"));
    assert_true(grading > 0 && next > grading);
    char *older = arena_printf(&arena, "%.*s%s", (int)grading, old.data, old.data + next);
    assert_ok(recipe_differences(text_of(older), old, &arena, &lines, err));
    assert_text(lines, "");
    assert_ok(load(TEXT(MINIMAL "grading: {by: text}\n"), NULL, &after, err));
    assert_ok(recipe_differences(text_of(older), after.resolved, &arena, &lines, err));
    assert_text(lines, "grading.by: (none) -> text\n");
    recipe_release(&after);

    cord_error err = {0};
    assert_int_equal(recipe_differences(TEXT("nonsense: 1\n"), before.resolved, &arena, &lines, &err), CORD_BAD_RECIPE);
    assert_string_equal(err.where, "the run's recipe:1:1");
    recipe_release(&before);
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
    assert_ok(recipe_find_model("models/small.gguf", folder, NULL, &arena, &path, err));
    assert_ok(recipe_find_model("small.gguf", models, NULL, &arena, &path, err)); /* a path, from the recipe's folder */
    assert_int_equal(recipe_find_model("smal", NULL, models, &arena, &path, &failed), CORD_BAD_MODEL);
    assert_non_null(strstr(failed.message, "(there: small, tiny); did you mean 'small'?"));
    assert_non_null(strstr(failed.message, "make models"));
    assert_int_equal(recipe_find_model("tiny", NULL, NULL, &arena, &path, &failed), CORD_BAD_MODEL);
    assert_non_null(strstr(failed.message, "no folder of models"));
    assert_int_equal(recipe_find_model("x/y.gguf", folder, models, &arena, &path, &failed), CORD_BAD_MODEL);
    assert_non_null(strstr(failed.message, "there is no model file"));
    assert_int_equal(recipe_find_model("./models", folder, models, &arena, &path, &failed), CORD_BAD_MODEL);
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
    snprintf(path, sizeof path, "%s/chatml", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_ok(load(TEXT(SERVED("chatml")), NULL, &r, err));
    assert_null(r.models[1].template_path);
    recipe_release(&r);
    assert_int_equal(rmdir(path), 0);
    write_text(path, TEXT("{{ messages }}"));
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
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(prompts_are_inherited),
        cmocka_unit_test(overrides_are_applied_in_order),
        cmocka_unit_test(yaml_is_read_as_yaml),
        cmocka_unit_test(servers_share_a_device),
        cmocka_unit_test(what_goes_with_a_server),
        cmocka_unit_test(steps_can_end_without_markers),
        cmocka_unit_test(greedy_is_a_beam_of_one),
        cmocka_unit_test(curation_is_four_traces_of_each),
        cmocka_unit_test(a_tree_has_two_simulations_a_teacher),
        cmocka_unit_test(a_tree_has_rewards_of_at_most_1),
        cmocka_unit_test(adaptive_proposals_are_of_beams),
        cmocka_unit_test(wrong_recipes_are_told),
        cmocka_unit_test(wrong_overrides_are_told),
        cmocka_unit_test(hostile_recipes_are_refused_soon),
        cmocka_unit_test(damaged_recipes_do_no_harm),
        cmocka_unit_test(graders_are_read),
        cmocka_unit_test(graders_that_contradict_themselves_are_told),
        cmocka_unit_test(resolved_recipes_read_back_as_themselves),
        cmocka_unit_test(every_key_stands_in_the_resolved_recipe),
        cmocka_unit_test(differences_are_told_by_key),
        cmocka_unit_test(outlines_tell_methods_apart),
        cmocka_unit_test(outlines_tell_whose_scores_choose),
        cmocka_unit_test(models_are_found_by_path_or_name),
        cmocka_unit_test(templates_are_files_or_known_formats),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
