/* test_compare.c - cord compare on journals made by hand: what it prints against counts made here, in every format, from rows,
 * by role, and at equal budgets. */
#include "eval/compared.h"

static void test_command(void **state) {
    struct fixture *f = *state;
    const enum grade C = GRADE_CORRECT, W = GRADE_WRONG, N = GRADE_NO_ANSWER, U = GRADE_UNDECIDED;
    const enum grade one[PROBLEMS] = {W, W, W, N, W, W, W, W, C, C, U, N},
                     two[PROBLEMS] = {C, C, C, C, C, C, C, C, C, W, W, N};
    double low[PROBLEMS], high[PROBLEMS], difference = 0;
    for (int i = 0; i < PROBLEMS; i++) {
        low[i] = 0.3 + 0.01 * i;
        high[i] = 0.5 + 0.03 * (i % 5);
        difference += (high[i] - low[i]) / PROBLEMS;
    }
    char a[64], b[64], arguments[400];
    struct buf out;
    buf_init(&out, "what cord printed", 1 << 20);
    make_run(a, one, low, &f->sample, PROBLEMS);
    make_run(b, two, high, &f->sample, PROBLEMS);

    snprintf(arguments, sizeof arguments, "%s %s/ --format json", a, b);
    assert_int_equal(run_cord(arguments, &out), 0);
    json_t *all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(all);
    assert_int_equal(number_at(all, "problems"), PROBLEMS);
    const json_t *methods = json_object_get(all, "methods"),
                 *means = json_object_get(json_array_get(methods, 0), "means");
    assert_near(number_at(means, "accuracy"), 2.0 / 12, 1e-12);
    assert_near(number_at(means, "no_answer"), 2.0 / 12, 1e-12);
    assert_near(number_at(means, "undecided"), 1.0 / 12, 1e-12);
    const json_t *differences = json_object_get(all, "differences"), *d = json_array_get(differences, 0);
    assert_int_equal(json_array_size(differences), 2);
    assert_near(number_at(d, "difference"), 7.0 / 12, 1e-12); /* eight gained, one lost */
    assert_int_equal(number_at(d, "better"), 8);
    assert_int_equal(number_at(d, "worse"), 1);
    assert_near(number_at(d, "p"), 2 * (1 + 9) / 512.0, 1e-12);
    d = json_array_get(differences, 1);
    assert_near(number_at(d, "difference"), difference, 1e-12);
    assert_true(number_at(d, "low") < difference && difference < number_at(d, "high"));
    assert_near(number_at(d, "p"), 2.0 / 4096, 1e-12); /* all twelve are better: two of the 2^12 ways */
    /* both runs are the same search twelve times: of the steps kept at the start, one of two is strong's */
    const json_t *kept = json_object_get(json_object_get(json_array_get(methods, 1), "hits"), "kept");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(kept, "of"), 1)), 24);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(json_object_get(kept, "by"), "strong"), 1)), 12);
    json_decref(all);

    /* the same numbers as CSV; equal calls print equal bytes */
    snprintf(arguments, sizeof arguments, "%s %s --format csv", a, b);
    assert_int_equal(run_cord(arguments, &out), 0);
    char line[512];
    snprintf(line, sizeof line, "\nprimary difference,%s,%s,accuracy,,,0.5833333333,8,1,", b, a);
    assert_true(text_find(buf_text(&out), text_of(line)) > 0);
    snprintf(line, sizeof line, ",mcnemar,12,,,yes,\"Established at level 0.05: %s has a higher accuracy than ", b);
    assert_true(text_find(buf_text(&out), text_of(line)) > 0);
    assert_true(text_find(buf_text(&out), TEXT(",signs,12,0,,yes,\"Established")) > 0);
    snprintf(line, sizeof line, "\nfinal,%s,,,small,1,1,12,12,", a);
    assert_true(text_find(buf_text(&out), text_of(line)) > 0);
    char *first = strdup(out.data);
    assert_int_equal(run_cord(arguments, &out), 0);
    assert_string_equal(first, out.data);
    free(first);

    /* from rows, without journals, the same */
    static const char *const formats[] = {"text", "markdown", "csv", "json"};
    char rows[128];
    snprintf(rows, sizeof rows, "%s/rows.tsv", b);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        snprintf(arguments, sizeof arguments, "%s %s --format %s --rows %s", a, b, formats[i], rows);
        assert_int_equal(run_cord(arguments, &out), 0);
        first = strdup(out.data);
        snprintf(arguments, sizeof arguments, "--from-rows %s %s --format %s", rows, rows, formats[i]);
        assert_int_equal(run_cord(arguments, &out), 0);
        assert_string_equal(first, out.data);
        free(first);
        snprintf(arguments, sizeof arguments, "%s %s --rows %s", a, b, rows);
        assert_int_equal(run_cord(arguments, &out), 2); /* it is there already */
        unlink(rows);
    }

    /* the other one as the baseline; and a run of fewer problems */
    snprintf(arguments, sizeof arguments, "%s %s --baseline %s", a, b, b);
    assert_int_equal(run_cord(arguments, &out), 0);
    assert_true(text_find(buf_text(&out), TEXT("A has a lower accuracy than B")) > 0);
    char c[64];
    make_run(c, two, high, &f->sample, 7);
    snprintf(arguments, sizeof arguments, "%s %s", a, c);
    assert_int_equal(run_cord(arguments, &out), 1);
    snprintf(
        line, sizeof line,
        "finish them, or compare the 7 that all have with --common; only some have 5 of %s (such as 'p7', which is "
        "not in %s)",
        a, c);
    assert_true(text_find(buf_text(&out), text_of(line)) > 0);
    snprintf(arguments, sizeof arguments, "%s %s --common --format json", a, c);
    assert_int_equal(run_cord(arguments, &out), 0);
    all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(number_at(all, "problems"), 7);
    assert_int_equal(json_array_size(json_object_get(all, "notes")), 2); /* and that no sizes are known */
    json_decref(all);
    buf_release(&out);
    scratch_remove(a), scratch_remove(b), scratch_remove(c);
}

/* ---- roles ----------------------------------------------------------------------------------------------------- */

/* The integrator's steps and answers count by its model, and scores by the judge's. */
static void test_roles(void **state) {
    struct fixture *f = *state, g;
    const enum grade grades[] = {GRADE_CORRECT};
    const double scores[] = {0.5};
    char arguments[200];
    struct buf out;
    buf_init(&out, "what cord printed", 1 << 20);
    make_run(g.folder, grades, scores, &f->sample, 1);
    put_recipe(g.folder,
               MODELS "teachers:\n  \"strong\":\n    model: \"big\"\nmeta_prover:\n  model: \"big\"\n"
                      "search:\n  strategy: integration\n  criterion: judge\n"
                      "integration:\n  model: \"tiny\"\njudgment:\n  model: \"own\"\n",
               "integrator");
    snprintf(arguments, sizeof arguments, "%s --format json", g.folder);
    assert_int_equal(run_cord(arguments, &out), 0);
    json_t *all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *means = json_object_get(json_array_get(json_object_get(all, "methods"), 0), "means");
    assert_near(number_at(means, "flops_generated"),
                2 * ask(&g, "SELECT (SELECT sum(new_tokens * " SIZE("teacher") ") FROM candidate) +"
                                                                               " (SELECT sum(new_tokens * " SIZE(
                                                                                   "author") ") FROM answer)") +
                    2 * (5 * 3e9 + 7 * 1e9),
                0);
    assert_near(number_at(means, "flops_judged"), 2 * 7e9 * 19, 0);
    assert_near(number_at(means, "flops_scored"), 2 * 7e9 * number_at(means, "tokens_scored"), 0);
    assert_true(number_at(means, "flops_scored") > 0);
    json_decref(all);
    buf_release(&out);
    scratch_remove(g.folder);
}

/* Of two meta-provers S0 cannot be compared, and PP only where one scorer measured it. Rows say the same. */
static void test_scorers(void **state) {
    struct fixture *f = *state;
    const enum grade grades[] = {GRADE_CORRECT, GRADE_WRONG};
    const double scores[] = {0.5, 0.25};
    static const struct {
        const char *one, *two;
        bool s0, pp; /* told */
    } cases[] = {
        {BY("big", ""), BY("big", "measures:\n  scorer: \"big\"\n"), false, false},
        {BY("big", ""), BY("tiny", ""), true, true},
        {BY("big", ""), BY("tiny", "measures:\n  scorer: \"big\"\n"), true, false},
        {BY("big", ""), BY("big", "measures:\n  scorer: \"own\"\n"), false, true},
        {BY("big", "measures:\n  scorer: \"own\"\n"), BY("tiny", "measures:\n  scorer: \"own\"\n"), true, false},
    };
    char a[64], b[64], arguments[400], rows[128];
    struct buf out;
    buf_init(&out, "what cord printed", 1 << 20);
    make_run(a, grades, scores, &f->sample, 2);
    make_run(b, grades, scores, &f->sample, 2);
    snprintf(rows, sizeof rows, "%s/rows.tsv", b);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_recipe(a, cases[i].one, "small");
        put_recipe(b, cases[i].two, "small");
        snprintf(arguments, sizeof arguments, "%s %s --format csv --rows %s", a, b, rows);
        unlink(rows);
        assert_int_equal(run_cord(arguments, &out), 0);
        for (int again = 0; again < 2; again++) {
            bool both = text_find(buf_text(&out), TEXT("PP and S0 of B may be measured otherwise")) >= 0;
            bool s0 = !both && text_find(buf_text(&out), TEXT("S0 of B may be measured otherwise")) >= 0;
            bool pp = text_find(buf_text(&out), TEXT("PP of B is measured otherwise")) >= 0;
            if ((both || s0) != cases[i].s0 || (both || pp) != cases[i].pp)
                fail_msg("case %zu%s: %s", i, again ? ", from rows" : "", out.data);
            snprintf(arguments, sizeof arguments, "--from-rows %s --format csv", rows);
            assert_int_equal(run_cord(arguments, &out), 0);
        }
    }
    /* a table from before there was that column: the last two runs have two meta-provers */
    char cut[300];
    snprintf(cut, sizeof cut, "sed -i 's/\\t[^\\t]*$//' %s", rows);
    assert_int_equal(system(cut), 0);
    assert_int_equal(run_cord(arguments, &out), 0);
    assert_true(text_find(buf_text(&out), TEXT("PP and S0 of B may be measured otherwise")) >= 0);
    buf_release(&out);
    scratch_remove(a), scratch_remove(b);
}

/* Who writes, or chooses, is no held-out scorer; under another name neither. */
static void test_held_out(void **state) {
    struct fixture *f = *state;
    const enum grade grades[] = {GRADE_CORRECT};
    const double scores[] = {0.5};
    static const struct {
        const char *recipe, *told; /* NULL: nothing */
    } cases[] = {{BY("big", ""), NULL},
                 {BY("big", "measures:\n  held_out: \"own\"\n"), NULL},
                 {BY("big", "measures:\n  held_out: \"tiny\"\n"), "it has the model of the teacher small."},
                 {BY("own", "measures:\n  held_out: \"own\"\n"), "it has the model of the meta-prover."}};
    char folder[64], arguments[200];
    struct buf out;
    buf_init(&out, "what cord printed", 1 << 20);
    make_run(folder, grades, scores, &f->sample, 1);
    snprintf(arguments, sizeof arguments, "%s --format csv", folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_recipe(folder, cases[i].recipe, "small");
        assert_int_equal(run_cord(arguments, &out), 0);
        assert_true((text_find(buf_text(&out), TEXT("is no held-out scorer")) >= 0) == (cases[i].told != NULL));
        if (cases[i].told) assert_true(text_find(buf_text(&out), text_of(cases[i].told)) > 0);
    }
    buf_release(&out);
    scratch_remove(folder);
}

/* ---- equal budgets ----------------------------------------------------------------------------------------------- */

#define WITH_SEEDS(strategy) "search:\n  strategy: " strategy "\nrun:\n  seed: 1\n"

/* The sample's trajectories are of two runs, of which the first has the second answer: 139 tokens, and guesses, which belong to both. The rows stay whole. */
static void test_equal(void **state) {
    struct fixture *f = *state, a, b;
    const enum grade grades[] = {GRADE_WRONG, GRADE_WRONG};
    const double scores[] = {0.875, 0.875};
    struct sample cheap = f->sample, dear = f->sample;
    char arguments[400];
    struct buf out;
    buf_init(&out, "what cord printed", 1 << 20);
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < 4; i++) {
            struct candidate *c = &cheap.candidates[r][i];
            c->new_tokens = c->prompt_tokens = c->cached_tokens = c->score_prompt_tokens = c->score_cached_tokens = 0;
            c->judged_tokens = dear.candidates[r][i].judged_tokens = 0;
        }
    for (int r = 0; r < 3; r++) {
        cheap.rounds[r].candidates = cheap.candidates[r];
        dear.rounds[r].candidates = dear.candidates[r];
    }
    make_run(a.folder, grades, scores, &cheap,
             2); /* 2 answers of 7 + 9 - 8 tokens, and guesses: 20 - 4 + 5 + 21 - 4 + 7 */
    make_run(b.folder, grades, scores, &dear, 2);
    snprintf(arguments, sizeof arguments, "%s %s --equal flops", a.folder, b.folder);
    assert_int_equal(run_cord(arguments, &out), 1); /* no recipe says of which models they are */
    assert_true(text_find(buf_text(&out), TEXT("--equal flops: what ")) > 0);
    put_recipe(a.folder, BY("big", WITH_SEEDS("integration")), "small");
    put_recipe(b.folder, BY("big", WITH_SEEDS("cord")), "small");
    ask(&b, "UPDATE answer SET log_pp = NULL WHERE problem = 1 AND number = 1 RETURNING 0");

    snprintf(arguments, sizeof arguments, "%s %s --equal tokens --format json --rows %s/cut.tsv", a.folder, b.folder,
             b.folder);
    assert_int_equal(run_cord(arguments, &out), 0);
    json_t *all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *equal = json_object_get(all, "equal"), *methods = json_object_get(equal, "methods");
    assert_text(content_at(equal, "unit"), "tokens");
    assert_near(number_at(equal, "budget"), 16 + 45, 0);
    assert_text(content_at(json_array_get(methods, 0), "verdict"), "whole");
    const json_t *cut = json_array_get(methods, 1);
    assert_text(content_at(cut, "verdict"), "cut");
    assert_near(number_at(cut, "cut"), 2, 0);
    assert_near(number_at(cut, "trajectories"), 1, 0);
    assert_near(number_at(cut, "trajectories_before"), 2, 0);
    assert_near(number_at(cut, "ratio"), (139 + 45) / 61.0, 1e-12);
    assert_true(text_find(content_at(cut, "says"), TEXT("never measured (measures.best_only): 1")) > 0);
    const json_t *method = json_array_get(json_object_get(all, "methods"), 1),
                 *means = json_object_get(method, "means");
    assert_near(number_at(means, "accuracy"), 1, 0);
    assert_near(number_at(means, "pp"), 0.625, 1e-12); /* of the second problem */
    assert_near(number_at(json_object_get(method, "of"), "pp"), 1, 0);
    assert_near(number_at(means, "tokens"), 139 + 45, 0);
    json_decref(all);

    /* the other way round, the integration is too dear, and stays so */
    put_recipe(a.folder, BY("big", WITH_SEEDS("cord")), "small");
    put_recipe(b.folder, BY("big", WITH_SEEDS("integration")), "small");
    snprintf(arguments, sizeof arguments, "%s %s --equal tokens", a.folder, b.folder);
    assert_int_equal(run_cord(arguments, &out), 0);
    assert_true(text_find(buf_text(&out), TEXT("B   cannot be cut (integration); trajectories a problem: 2.00; ")) > 0);

    /* rows are of whole runs */
    snprintf(arguments, sizeof arguments, "--from-rows %s/cut.tsv --format csv", b.folder);
    assert_int_equal(run_cord(arguments, &out), 0);
    char line[300];
    snprintf(line, sizeof line, "mean,%s,,accuracy,,,0,,2,", b.folder);
    assert_true(text_find(buf_text(&out), text_of(line)) > 0);
    buf_release(&out);
    scratch_remove(a.folder), scratch_remove(b.folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {WITH_RUN(test_command), WITH_RUN(test_roles), WITH_RUN(test_scorers),
                                       WITH_RUN(test_held_out), WITH_RUN(test_equal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
