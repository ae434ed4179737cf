/* test_extends.c - recipes that extend others: what is changed, what is replaced, where files are looked for, and which file
 * an error names. */

#include "recipe/recipe.h"
#include "scratch.h"

static void write_file(const char *name, const char *text) { scratch_write(name, text_of(text)); }

static int set_up(void **state) {
    scratch_open(state);
    write_file("sub/own.gguf", "GGUF");
    write_file("one.gguf", "GGUF");
    write_file("two.gguf", "GGUF");
    write_file("base.yaml", "problems: {file: p.jsonl, limit: 7}\n"
                            "models: {a: {file: ./one.gguf}, b: {file: ./two.gguf, context: 512}}\n"
                            "teachers:\n"
                            "  first: {model: a, temperature: 0.5}\n"
                            "  second: {model: b}\n"
                            "meta_prover: {model: a}\n"
                            "search: {beam: 3, step_tokens: 99}\n"
                            "run: {out: o, seed: 4}\n");
    return 0;
}

static cord_status load(const char *name, const char *set, struct recipe *recipe, cord_error *err) {
    struct recipe_options options = {.set = &set, .n_set = set ? 1 : 0};
    return recipe_load(scratch_path(name), &options, recipe, err);
}

static void assert_refused(const char *name, const char *set, const char *where, const char *part) {
    struct recipe recipe;
    cord_error err = {0};
    if (load(name, set, &recipe, &err) == CORD_OK) fail_msg("taken, but should be refused with '%s'", part);
    if (!strstr(err.where, where) || !strstr(err.message, part))
        fail_msg("got '%s: %s', want '…%s…: …%s…'", err.where, err.message, where, part);
}

static void keys_are_changed_and_added(void **state) {
    (void)state;
    struct recipe r;
    write_file("more.yaml", "extends: base.yaml\n"
                            "models: {b: {context: 640}, c: {file: ./one.gguf}}\n"
                            "meta_prover: {model: c}\n"
                            "search: {beam: 2}\n"
                            "run: {out: other}\n");
    assert_ok(load("more.yaml", NULL, &r, err));
    assert_int_equal(r.n_models, 3);
    assert_string_equal(r.models[1].name, "b");
    assert_int_equal(r.models[1].options.context, 640);
    assert_true(text_ends(text_of(r.models[1].options.path), TEXT("two.gguf")));
    assert_string_equal(r.models[2].name, "c");
    assert_int_equal(r.meta_model, 2);
    assert_int_equal(r.n_teachers, 2);
    assert_string_equal(r.teachers[0].name, "first");
    assert_int_equal(r.search.beam, 2);
    assert_int_equal(r.search.step_tokens, 99);
    assert_int_equal(r.problems.limit, 7);
    assert_int_equal(r.search.seed, 4);
    assert_string_equal(r.out, "other");
    assert_true(text_find(r.resolved, TEXT("extends:")) < 0);
    recipe_release(&r);
}

/* What is resolved needs no other file. */
static void resolved_recipes_stand_alone(void **state) {
    (void)state;
    struct recipe r, again;
    assert_ok(load("more.yaml", NULL, &r, err));
    write_file("sub/resolved.yaml", r.resolved.data);
    assert_ok(load("sub/resolved.yaml", NULL, &again, err));
    assert_true(text_equal(r.resolved, again.resolved));
    recipe_release(&r);
    recipe_release(&again);
}

static void teachers_are_replaced_as_a_whole(void **state) {
    (void)state;
    struct recipe r;
    write_file("teachers.yaml", "teachers: {first: {model: b}, third: {model: b, temperature: 0.7}}\n"
                                "extends: base.yaml\n");
    assert_ok(load("teachers.yaml", NULL, &r, err));
    assert_int_equal(r.n_teachers, 2);
    assert_string_equal(r.teachers[0].name, "first");
    assert_int_equal(r.teachers[0].model, 1);
    assert_true(r.teachers[0].sampling.temperature == 0.6f); /* nothing is left of the other one's 0.5 */
    assert_string_equal(r.teachers[1].name, "third");
    recipe_release(&r);
}

static void files_are_relative_to_the_recipe_they_stand_in(void **state) {
    (void)state;
    struct recipe r;
    write_file("sub/far.yaml", "extends: ../base.yaml\nmodels: {b: {file: ./own.gguf}}\n");
    assert_ok(load("sub/far.yaml", "problems.limit=1", &r, err));
    assert_string_equal(r.problems.path, scratch_path("sub/../p.jsonl"));
    assert_string_equal(r.models[0].options.path, scratch_path("sub/.././one.gguf"));
    assert_string_equal(r.models[1].options.path, scratch_path("sub/./own.gguf"));
    recipe_release(&r);
}

/* As everything else on a command line is. */
static void files_of_set_are_relative_to_here(void **state) {
    (void)state;
    struct recipe r;
    char *here = getcwd(NULL, 0), absolute[4096];
    assert_ok(load("sub/far.yaml", "problems.file=q.jsonl", &r, err));
    assert_string_equal(r.problems.path, "q.jsonl");
    snprintf(absolute, sizeof absolute, "%s/q.jsonl", here);
    assert_true(text_find(r.resolved, text_of(absolute)) >= 0);
    recipe_release(&r);
    assert_refused("sub/far.yaml", "models.a.file=./none.gguf", "models.a.file", "no model file ./none.gguf");
    free(here);
}

static void a_chain_is_followed(void **state) {
    (void)state;
    struct recipe r;
    write_file("third.yaml", "extends: sub/far.yaml\nsearch: {beam: 5}\n");
    assert_ok(load("third.yaml", NULL, &r, err));
    assert_int_equal(r.search.beam, 5);
    assert_int_equal(r.search.step_tokens, 99);
    assert_string_equal(r.models[1].options.path, scratch_path("sub/./own.gguf"));
    recipe_release(&r);
}

static void errors_name_the_file_that_they_are_in(void **state) {
    (void)state;
    write_file("broken.yaml", "problems: {file: p.jsonl}\nsearch: {beam: 99}\n");
    write_file("of-broken.yaml", "extends: broken.yaml\nsearch: {beam: 2}\n");
    assert_refused("of-broken.yaml", NULL, "/broken.yaml:2:16", "search.beam: '99' is out of range");
    write_file("wrong.yaml", "extends: base.yaml\nmeta_prover: {model: q}\n");
    assert_refused("wrong.yaml", NULL, "/wrong.yaml:2:22", "there is no model 'q'");
    write_file("teacher.yaml", "extends: base.yaml\nteachers: {x: {model: q}}\n");
    assert_refused("teacher.yaml", NULL, "/teacher.yaml:2:23", "teachers.x.model: there is no model 'q'");
    write_file("gone.yaml", "problems: {file: p.jsonl}\nmodels: {a: {file: ./gone.gguf}}\nteachers: {t: {model: a}}\n"
                            "meta_prover: {model: a}\nrun: {out: o}\n");
    write_file("of-gone.yaml", "extends: gone.yaml\n\n\n\n");
    assert_refused("of-gone.yaml", NULL, "/gone.yaml:2:20: models.a.file", "there is no model file");
    assert_refused("more.yaml", "search.beam=99", "--set search.beam=99", "out of range");
}

static void what_cannot_be_extended_is_told(void **state) {
    (void)state;
    write_file("none.yaml", "extends: no-such.yaml\n");
    assert_refused("none.yaml", NULL, "none.yaml:1:10: extends", "no-such.yaml");
    write_file("itself.yaml", "extends: itself.yaml\n");
    assert_refused("itself.yaml", NULL, "itself.yaml:1:10", "one extends itself");
    write_file("list.yaml", "extends: [base.yaml]\n");
    assert_refused("list.yaml", NULL, "list.yaml:1", "extends is a list");
    write_file("empty.yaml", "extends: \"\"\n");
    assert_refused("empty.yaml", NULL, "empty.yaml:1:10", "extends: '' is empty");
    write_file("folder.yaml", "extends: sub\n");
    assert_refused("folder.yaml", NULL, "/sub", "directory");
    assert_refused("more.yaml", "extends=base.yaml", "--set", "stands in a recipe's file alone");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_changed_and_added),
        cmocka_unit_test(resolved_recipes_stand_alone),
        cmocka_unit_test(teachers_are_replaced_as_a_whole),
        cmocka_unit_test(files_are_relative_to_the_recipe_they_stand_in),
        cmocka_unit_test(files_of_set_are_relative_to_here),
        cmocka_unit_test(a_chain_is_followed),
        cmocka_unit_test(errors_name_the_file_that_they_are_in),
        cmocka_unit_test(what_cannot_be_extended_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_close);
}
