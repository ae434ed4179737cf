/* test_audit.c - the figures of cord audit on journals made by hand, against values that were computed by hand. */
#include "eval/near.h"
#include "store/sample.h"

#include "base/json.h"
#include "eval/audit.h"

#define assert_close(a, b) assert_near(a, b, 1e-9)

/* ---- journals -------------------------------------------------------------------------------------------------- */

/* A round of one run, whose candidates all continue slot `parent`; those with a slot make the beam, after `carried`. */
struct play {
    struct candidate candidates[4];
    struct trajectory beam[4];
    int n, n_beam;
};

static void propose(struct play *p, int parent, int teacher, const char *step, const char *reasoning, double score,
                    int slot, enum finish finish) {
    struct candidate c = sample_candidate(parent, 0, teacher, text_of(step), text_of(reasoning), score);
    c.slot = slot;
    c.rank = p->n;
    if (slot >= 0)
        p->beam[p->n_beam++] = (struct trajectory){.reasoning = text_of(reasoning),
                                                   .log_score = c.log_score,
                                                   .finish = finish,
                                                   .author = teacher,
                                                   .from = parent,
                                                   .candidate = p->n};
    p->candidates[p->n++] = c;
}

static void tell(struct journal *journal, int64_t problem, int number, const struct play *p) {
    const struct round round = {number, p->candidates, p->n, p->beam, p->n_beam, NULL};
    assert_ok(journal_round(journal, problem, &round, err));
}

/* Goes on, and can be guessed: S0 is 0.75. One choice by ln 1.25, one by nothing, after which S is over the limit. */
static void tell_second(struct journal *journal) {
    struct play p = {.n = 0};
    assert_ok(journal_started(journal, 2, log(0.75), TEXT(""), NULL, 0, err));
    propose(&p, 0, 0, "a", "a", 0.25, 0, GROWING);
    propose(&p, 0, 1, "b", "b", 0.2, -1, GROWING);
    tell(journal, 2, 1, &p);
    p = (struct play){.n = 0};
    propose(&p, 0, 1, "c", "ac", 0.995, 0, GROWING);
    propose(&p, 0, 0, "d", "ad", 0.995, -1, GROWING);
    tell(journal, 2, 2, &p);
}

/* Here a finished trajectory of S 0.5 has to go for one of 0.6: ln 1.2. */
static void tell_fourth(struct journal *journal) {
    struct play p = {.n = 0};
    assert_ok(journal_started(journal, 4, log(0.5), TEXT(""), NULL, 0, err));
    propose(&p, 0, 0, "a", "a", 0.5, 0, FINISHED_CLOSED);
    propose(&p, 0, 0, "b", "b", 0.25, 1, GROWING);
    tell(journal, 4, 1, &p);
    p = (struct play){.n = 0};
    propose(&p, 1, 0, "c", "bc", 0.75, 0, GROWING);
    propose(&p, 1, 1, "d", "bd", 0.6, 1, GROWING);
    tell(journal, 4, 2, &p);
}

static const char recipe[] = "models:\n  \"big\":\n    file: \"a.gguf\"\n  \"tiny\":\n    file: \"b.gguf\"\n"
                             "teachers:\n  \"strong\":\n    model: \"big\"\n  \"small\":\n    model: \"tiny\"\n"
                             "meta_prover:\n  model: \"big\"\n"
                             "search:\n  strategy: cord\n";

struct fixture {
    char folder[64];
    struct journal *journal;
    struct arena arena;
};

static int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    arena_init(&f.arena);
    assert_ok(journal_open(scratch_folder(f.folder), JOURNAL_WRITE, &f.journal, err));
    sample_problems(f.journal);
    assert_ok(journal_put_fact(f.journal, "recipe", text_of(recipe), err));
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    journal_close(f->journal);
    scratch_remove(f->folder);
    arena_release(&f->arena);
    return 0;
}

static void make_beams(struct fixture *f) {
    static struct sample sample;
    sample_build(&sample);
    /* the rest of the cut step states the answer */
    sample.candidates[2][0].step = TEXT("5 apples");
    sample.candidates[2][0].reasoning = sample.beams[2][0].reasoning = TEXT(SAMPLE_CUT "5 apples");
    sample_tell(f->journal, 1, &sample);
    tell_second(f->journal);
    tell_fourth(f->journal);
}

/* ---- figures --------------------------------------------------------------------------------------------------- */

static void test_beams(void **state) {
    struct fixture *f = *state;
    struct audit a;
    make_beams(f);
    assert_ok(audit_run(f->journal, 0.25, &f->arena, &a, err));
    assert_int_equal(a.n_problems, 4);
    const struct audit_problem *one = &a.problems[0], *two = &a.problems[1], *bad = &a.problems[2],
                               *four = &a.problems[3];
    assert_true(a.competes && a.stepwise);

    /* rounds: after the sample's, S is 0.5, 0.5 and 0.875 */
    assert_true(one->rounds == 3 && one->scored == 3 && one->saturated == 0 && one->first_saturated == 0);
    assert_true(two->rounds == 2 && two->scored == 2 && two->saturated == 1 && two->first_saturated == 2);
    assert_true(bad->rounds == 0 && bad->scored == 0 && !bad->started && bad->status == PROBLEM_FAILED);
    assert_true(four->scored == 2 && four->saturated == 0);
    assert_close(one->s0, 0.125);
    assert_close(two->s0, 0.75);

    /* the second's first round has 0.25 after an S0 of 0.75, the fourth's 0.5 after 0.5; ln(0.995 / 0.75) is 0.283 */
    assert_true(one->stuck == 0 && two->stuck == 1 && four->stuck == 1 && !one->ends_stuck && !two->ends_stuck);

    /* margins: of the sample's rounds only the last leaves something, 0.0625 beside 0.875 of the same run */
    const double margins[] = {0, log(1.2), log(1.25), log(14)};
    assert_int_equal(a.n_margins, 4);
    for (int i = 0; i < 4; i++) assert_close(a.margins[i], margins[i]);
    assert_close(audit_median(a.margins, a.n_margins), (log(1.2) + log(1.25)) / 2);
    assert_close(audit_median(a.margins, 3), log(1.2));
    assert_true(audit_within(&a, 0.25) == 3 && a.ties == 1);

    /* who wrote what: dropped ones are proposals, a bare </think> is none */
    const int64_t counts[2][3] = {{4 + 2 + 3, 2 + 1 + 3, 1}, {3 + 2 + 1, 2 + 1 + 1, 2}};
    for (int k = 0; k < 2; k++) {
        assert_int_equal(a.teachers[k].proposed, counts[k][0]);
        assert_int_equal(a.teachers[k].kept, counts[k][1]);
        assert_int_equal(a.teachers[k].final, counts[k][2]);
    }

    /* the mention stands in the second piece of step 2; before that step, S was the first's */
    assert_true(one->answered && !two->answered && !four->answered);
    assert_true(one->mention.step == 2 && one->mention.steps == 2 && !one->mention.in_question);
    assert_close(exp(one->mention.before), 0.25);
    assert_close(exp(one->mention.after), 0.875);

    /* the best, 0.875, is wrong, the second, 0.5, correct */
    assert_true(one->overlooked && one->right_place == 2 && !one->cut && !one->right);
    assert_close(one->best_s, 0.875);
    assert_close(one->right_s, 0.5);
    assert_text(one->best_answer, "6");

    assert_true(audit_within(&a, 0.2) == 2);
    assert_true(audit_within(&a, a.margins[1]) == 2); /* as large as the noise is within it */
    assert_true(audit_within(&a, (double)NAN) == 0 && audit_within(&a, 3) == 4);
    assert_ok(audit_run(f->journal, (double)NAN, &f->arena, &a, err));
    assert_true(a.problems[1].stuck == 1 && a.problems[3].stuck == 1); /* as with a noise of 0 */
    assert_ok(audit_run(f->journal, 0.3, &f->arena, &a, err));
    assert_true(a.problems[0].stuck == 0 && a.problems[1].stuck == 2 && !a.problems[0].ends_stuck);
    assert_ok(audit_run(f->journal, 1.95, &f->arena, &a, err)); /* ln(0.875 / 0.125) is 1.946 */
    assert_true(a.problems[0].stuck == 3 && a.problems[0].ends_stuck);
}

static void run_cord(const char *folder, const char *options, struct buf *out) {
    char command[512], part[4096];
    snprintf(command, sizeof command, CORD_BINARY " audit %s %s 2>&1", folder, options);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    buf_clear(out);
    for (size_t n; (n = fread(part, 1, sizeof part, pipe)) > 0;) buf_add(out, (cord_text){part, n});
    assert_int_equal(pclose(pipe), 0);
}

/* A judge's 0 of 4 is an ordinary score. */
static void test_scores_of_zero(void **state) {
    struct fixture *f = *state;
    struct play p = {.n = 0};
    struct audit a;
    assert_ok(journal_started(f->journal, 2, log(0.5), TEXT(""), NULL, 0, err));
    propose(&p, 0, 0, "a", "a", 0, 0, GROWING);
    propose(&p, 0, 1, "b", "b", 0, -1, GROWING);
    tell(f->journal, 2, 1, &p);
    p = (struct play){.n = 0};
    propose(&p, 0, 1, "c", "ac", 0.5, 0, GROWING);
    propose(&p, 0, 0, "d", "ad", 0.25, -1, GROWING);
    tell(f->journal, 2, 2, &p);
    assert_ok(audit_run(f->journal, 0.25, &f->arena, &a, err));
    assert_true(a.n_margins == 2 && a.ties == 1 && audit_within(&a, 0.25) == 1);
    assert_close(a.margins[0], 0);
    assert_close(a.margins[1], log(2));
    assert_true(a.problems[1].rounds == 2 && a.problems[1].scored == 2);
    assert_int_equal(a.unbounded, 0);

    /* what scored more than 0 lies above it without bound */
    struct buf out;
    buf_init(&out, "what cord printed", 1 << 20);
    static const char *const kept[] = {"ace", "acee", "aceee"}, *const left[] = {"acf", "acef", "aceef"};
    for (int i = 0; i < 3; i++) {
        p = (struct play){.n = 0};
        propose(&p, 0, 0, "e", kept[i], 0.5, 0, GROWING);
        propose(&p, 0, 1, "f", left[i], 0, -1, GROWING);
        tell(f->journal, 2, 3 + i, &p);
    }
    assert_ok(audit_run(f->journal, 0.25, &f->arena, &a, err));
    assert_true(a.n_margins == 5 && a.unbounded == 3 && a.ties == 1);
    run_cord(f->folder, "", &out);
    assert_true(text_find(buf_text(&out), TEXT("; the median margin is unbounded: the best left scored 0\n")) > 0);
    run_cord(f->folder, "-f json", &out);
    assert_true(text_find(buf_text(&out), TEXT("\"median\":null")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("\"unbounded\":3")) > 0);
    buf_release(&out);
}

/* One simulation after the other, each a node behind the one before; what is told of a tree that has not ended counts nothing. */
static void test_trees(void **state) {
    struct fixture *f = *state;
    struct audit a;
    for (int64_t problem = 1; problem <= 2; problem++) {
        struct play p = {.n = 0};
        assert_ok(journal_started(f->journal, problem, log(0.5), TEXT(""), NULL, 0, err));
        propose(&p, 0, 0, "a", "a", 0.5, 0, GROWING);
        propose(&p, 0, 1, "b", "b", 0.25, -1, GROWING);
        p.beam[0].tree = (struct tree_place){.above = -1, .visits = 1};
        p.beam[0].finish = FINISHED_CLOSED;
        tell(f->journal, problem, 1, &p);
        struct answered answer = {
            .trajectory = p.beam[0], .reply = TEXT("5"), .answer = TEXT("5"), .grade = GRADE_CORRECT, .why = ""};
        if (problem == 1) assert_ok(journal_finished(f->journal, problem, &answer, 1, err));
        assert_ok(audit_run(f->journal, 0.25, &f->arena, &a, err));
        for (int k = 0; k < 2; k++) {
            assert_int_equal(a.teachers[k].proposed, 1);
            assert_true(a.teachers[k].kept == !k && a.teachers[k].final == !k);
        }
    }
}

/* Complete traces: no ranks, and no score but of what is complete. The correct one goes first, as in rejection sampling, though
 * its score is lower. */
static void make_traces(struct fixture *f) {
    struct play p = {.n = 0};
    struct trajectory last[2];
    assert_ok(journal_started(f->journal, 1, log(0.125), TEXT(""), NULL, 0, err));
    propose(&p, 0, 0, " Five is 5", " Five is 5", 0.5, 0, GROWING);
    propose(&p, 0, 1, " Six", " Six", 0.5, 1, GROWING);
    for (int i = 0; i < 2; i++) {
        p.candidates[i].rank = -1;
        p.candidates[i].log_score = p.beam[i].log_score = (double)NAN;
    }
    tell(f->journal, 1, 1, &p);
    p = (struct play){.n = 0};
    propose(&p, 0, 0, " 5", " Five is 5 5", 0.9, 0, FINISHED_BUDGET);
    propose(&p, 1, 1, " 6", " Six 6", 0.995, 1, FINISHED_CLOSED);
    for (int i = 0; i < 2; i++) p.candidates[i].rank = -1;
    tell(f->journal, 1, 2, &p);
    for (int i = 0; i < 2; i++) {
        last[i] = p.beam[i];
        last[i].from = i;
    }
    const struct answered answers[] = {
        {.trajectory = last[0], .reply = TEXT("5"), .answer = TEXT("5"), .grade = GRADE_CORRECT, .why = ""},
        {.trajectory = last[1], .reply = TEXT("6"), .answer = TEXT("6"), .grade = GRADE_WRONG, .why = ""}};
    assert_ok(journal_finished(f->journal, 1, answers, 2, err));
}

static void test_traces(void **state) {
    struct fixture *f = *state;
    struct audit a;
    make_traces(f);
    assert_ok(audit_run(f->journal, 0.25, &f->arena, &a, err));
    const struct audit_problem *p = &a.problems[0];
    assert_true(!a.competes && !a.stepwise && a.n_margins == 0);
    assert_true(isnan(audit_median(a.margins, a.n_margins)));
    assert_true(p->rounds == 2 && p->scored == 1 && p->saturated == 1);
    assert_true(p->overlooked && p->right_place == 2); /* by S, wherever it stands */
    assert_true(p->cut && p->right);                   /* the first of the strategy */
    assert_close(p->best_s, 0.995);
    assert_close(p->right_s, 0.9);
    assert_true(p->mention.step == 1 && p->mention.steps == 2 && isnan(p->mention.after));
    assert_close(exp(p->mention.before), 0.125);
    assert_true(a.teachers[0].final == 2 && a.teachers[1].final == 0);
}

/* ---- the command ----------------------------------------------------------------------------------------------- */

static double number_at(const json_t *object, const char *section, const char *key) {
    const json_t *value = json_object_get(json_object_get(object, section), key);
    if (!json_is_number(value)) fail_msg("no number '%s' in '%s'", key, section);
    return json_number_value(value);
}

static void test_command(void **state) {
    struct fixture *f = *state;
    struct buf out;
    make_beams(f);
    buf_init(&out, "what cord printed", 1 << 20);
    run_cord(f->folder, "--format json --noise 0.25", &out);
    json_t *all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(all);
    assert_int_equal(json_integer_value(json_object_get(all, "going_on")), 2);
    assert_close(number_at(all, "saturation", "rounds"), 7);
    assert_close(number_at(all, "saturation", "saturated"), 1);
    assert_close(number_at(all, "saturation", "how_soon"), 1); /* the second of two rounds */
    assert_close(number_at(all, "progress", "rounds"), 7);
    assert_close(number_at(all, "progress", "stuck"), 2);
    assert_close(number_at(all, "progress", "ends_stuck"), 0);
    assert_close(number_at(all, "first_mention", "where"), 1);
    assert_close(number_at(all, "first_mention", "s_before"), 0.25);
    assert_close(number_at(all, "first_mention", "s_with"), 0.875);
    assert_close(number_at(all, "margins", "within_noise"), 3);
    const json_t *margins = json_object_get(all, "margins");
    assert_text(content_at(margins, "noise_is"), "given");
    assert_true(json_is_null(json_object_get(margins, "measured")));
    assert_true(json_is_null(json_object_get(margins, "within_measured")));
    assert_close(number_at(all, "guessable", "mean_s0"), (0.125 + 0.75 + 0.5) / 3);
    assert_close(number_at(all, "guessable", "guessable"), 1); /* 0.5 itself is not over 0.5 */
    assert_close(number_at(all, "cut", "problems"), 1);
    assert_close(number_at(all, "cut", "cut"), 0);
    assert_close(number_at(all, "overlooked", "overlooked"), 1);
    const json_t *preference = json_object_get(all, "self_preference");
    assert_true(json_is_true(json_object_get(preference, "applies")));
    assert_close(number_at(preference, "own", "proposed"), 9);
    assert_close(number_at(preference, "own", "kept"), 6);
    assert_close(number_at(preference, "others", "final"), 2);
    json_decref(all);

    run_cord(f->folder, "", &out); /* no noise was noted, and none is said */
    assert_true(text_find(buf_text(&out), TEXT("noise is not known")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("does not apply")) < 0);
    assert_ok(journal_put_fact(f->journal, "model.big.noise", TEXT("0.2"), err));
    run_cord(f->folder, "", &out);
    assert_true(text_find(buf_text(&out), TEXT("within the meta-prover's noise of 0.2 (stated): 2 (50.0 %)")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("(measured)")) < 0);
    assert_ok(journal_put_fact(f->journal, "model.big.apart", TEXT("0.01"), err)); /* less than log 1.2 */
    run_cord(f->folder, "", &out);
    assert_true(
        text_find(buf_text(&out), TEXT("noise of 0.2 (stated): 2 (50.0 %)\n  within what two ways of scoring an"
                                       " easy text differed by when the run was started, of 0.01 (measured): 1 (25.0 %)"
                                       "\n")) > 0);
    run_cord(f->folder, "-f json", &out);
    all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_text(content_at(json_object_get(all, "margins"), "noise_is"), "stated");
    assert_close(number_at(all, "margins", "noise"), 0.2);
    assert_close(number_at(all, "margins", "measured"), 0.01);
    assert_close(number_at(all, "margins", "within_measured"), 1);
    json_decref(all);
    run_cord(f->folder, "--noise 1.95", &out);
    assert_true(text_find(buf_text(&out), TEXT("is not, after 7 of 7 rounds (100.0 %)")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("is not, of 1 of 1 problem (100.0 %)\n    p1")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("S 0.8750, S0 0.1250\n")) > 0);
    buf_release(&out);
}

static void test_command_traces(void **state) {
    struct fixture *f = *state;
    struct buf out;
    make_traces(f);
    buf_init(&out, "what cord printed", 1 << 20);
    run_cord(f->folder, "", &out);
    assert_true(text_find(buf_text(&out), TEXT("does not apply: only complete traces have a score here")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("does not apply: nothing competes from round to round")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("S before and with it: does not apply")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("the best trajectory is not, of 0 of 1 problem (0.0 %)")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("the best of the beam is not")) < 0);
    buf_release(&out);
}

/* By another criterion: what has no bound does not saturate, noise is that of likelihoods, S0 stands before no other score, and
 * who prefers is the model whose scores choose. */
static void test_command_criteria(void **state) {
    struct fixture *f = *state;
    struct buf out;
    char with[sizeof recipe + 200];
    make_beams(f);
    assert_ok(journal_put_fact(f->journal, "model.big.noise", TEXT("0.1"), err));
    buf_init(&out, "what cord printed", 1 << 20);
    snprintf(with, sizeof with, "%s  criterion: contrast\n", recipe);
    assert_ok(journal_put_fact(f->journal, "recipe", text_of(with), err));
    run_cord(f->folder, "", &out);
    assert_true(text_find(buf_text(&out), TEXT("does not apply: scores by contrast have no upper bound")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("within twice the meta-prover's noise, of 0.2 (stated): 2 (50.0 %)")) >
                0);
    assert_true(text_find(buf_text(&out), TEXT("the meta-prover's model ")) > 0);
    run_cord(f->folder, "-f json", &out);
    json_t *all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_false(json_object_get(json_object_get(all, "saturation"), "applies")));
    assert_true(json_is_false(json_object_get(json_object_get(all, "progress"), "applies")));
    assert_close(number_at(all, "saturation", "saturated"), 0);
    json_decref(all);

    snprintf(with, sizeof with, "%s  criterion: judge\njudgment:\n  model: \"tiny\"\n", recipe);
    assert_ok(journal_put_fact(f->journal, "recipe", text_of(with), err));
    run_cord(f->folder, "-f json", &out);
    all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *preference = json_object_get(all, "self_preference");
    assert_close(number_at(all, "saturation", "saturated"), 1);
    assert_true(json_is_null(json_object_get(json_object_get(all, "margins"), "within_noise")));
    assert_close(number_at(preference, "own", "final"), 2); /* tiny's */
    json_decref(all);

    snprintf(with, sizeof with, "%s  criterion: longest\n", recipe);
    assert_ok(journal_put_fact(f->journal, "recipe", text_of(with), err));
    run_cord(f->folder, "", &out);
    assert_true(text_find(buf_text(&out), TEXT("the noise of scores by longest is not known")) > 0);
    assert_true(text_find(buf_text(&out), TEXT("self-preference does not apply: no model's scores choose")) > 0);
    buf_release(&out);
}

/* A mention in the first step, whose score has no likelihood before it to be compared with. */
static void test_first_step(void **state) {
    struct fixture *f = *state;
    struct play p = {.n = 0};
    struct buf out;
    char with[sizeof recipe + 200];
    assert_ok(journal_started(f->journal, 1, log(0.125), TEXT(""), NULL, 0, err));
    propose(&p, 0, 0, " It is 5", " It is 5", 0.75, 0, FINISHED_CLOSED);
    tell(f->journal, 1, 1, &p);
    const struct answered answer = {
        .trajectory = p.beam[0], .reply = TEXT("5"), .answer = TEXT("5"), .grade = GRADE_CORRECT, .why = ""};
    assert_ok(journal_finished(f->journal, 1, &answer, 1, err));
    buf_init(&out, "what cord printed", 1 << 20);
    for (int other = 0; other < 2; other++) {
        snprintf(with, sizeof with, "%s%s", recipe, other ? "  criterion: masked\n" : "");
        assert_ok(journal_put_fact(f->journal, "recipe", text_of(with), err));
        run_cord(f->folder, "-f json", &out);
        json_t *all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
        assert_close(number_at(all, "first_mention", "with_scores"), other ? 0 : 1);
        if (!other) assert_close(number_at(all, "first_mention", "s_before"), 0.125);
        json_decref(all);
    }
    buf_release(&out);
}

#define WITH_RUN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {WITH_RUN(test_beams),          WITH_RUN(test_scores_of_zero),
                                       WITH_RUN(test_traces),         WITH_RUN(test_command),
                                       WITH_RUN(test_command_traces), WITH_RUN(test_command_criteria),
                                       WITH_RUN(test_first_step),     WITH_RUN(test_trees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
