/* test_refused.c - recipes that are refused: what is said of them, and of which place. What graders need, too. */
#include "written.h"

#include <time.h>

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
        {MINIMAL "servers: {authorities: nowhere.pem}\n", "r.yaml:6:24", "nowhere.pem': No such file"},
        {HEAD "teachers:\n  a: {model: a}\n  z: {model: a, prompt: {style: steps}}\nmeta_prover: {model: b}\n" RUN,
         "r.yaml:5:3",
         "its prompt.marker is '### Step {n}.', and the meta-prover's, with which a trace is written, is '### Step'"},
        {HEAD "teachers:\n  z: {model: a, prompt: {marker: 'Schritt'}}\nmeta_prover: {model: b}\n" RUN, "r.yaml:4:3",
         "set teachers.z.prompt.marker to that"},
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
        {HEAD TEACHERS "run: {out: o, seed: 9007199254740993}\n", "r.yaml:5:21",
         "out of range; allowed: a whole number"},
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
        {MINIMAL "prompt: {think_close: \" \\n\"}\n", "r.yaml:6:23", "prompt.think_close: ' \\n' is blank"},
        {HEAD "teachers: {one: {model: a, prompt: {think_close: ''}}}\nmeta_prover: {model: b}\n" RUN, "r.yaml:3:50",
         "teachers.one.prompt.think_close: '' is blank"},
        {MINIMAL "prompt: {full: 'Solve'}\n", "r.yaml:6:16", "does not hold {question}"},
        {MINIMAL "prompt: {date: 2026-13-01}\n", "r.yaml:6:16", "is not a date"},
        {MINIMAL "prompt: {date: 2026-02-29}\n", "r.yaml:6:16", "is not a date"},
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
        {"prompt.think_close=\"\"", "is blank, and nothing says where the thinking ends"},
        {"prompt.user=\"{question}", "quoted text"},
        {"prompt.user='{question}' x", "quoted text"},
        {"teachers.one.model=c", "there is no model 'c'"},
        {"prompt.user=\xff", "not valid UTF-8"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char where[96];
        snprintf(where, sizeof where, "--set %s", wrong[i].set);
        for (char *c = where; *c; c++)
            if (*c == '\xff') *c = '?';
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
    assert_refused(TEXT(MINIMAL), "prompt.system=\"Think.\"\nBe brief.", "--set prompt.system=\"Think.\"\nBe brief.",
                   "the quoted text does not end");
    assert_refused(TEXT(MINIMAL), "grading.by=judge", "--set grading.by=judge", "needs grading.model");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_recipes_are_told),
        cmocka_unit_test(wrong_overrides_are_told),
        cmocka_unit_test(hostile_recipes_are_refused_soon),
        cmocka_unit_test(damaged_recipes_do_no_harm),
        cmocka_unit_test(graders_are_read),
        cmocka_unit_test(graders_that_contradict_themselves_are_told),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_close);
}
