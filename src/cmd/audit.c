/* audit.c - `cord audit`: how the score of one run behaved. Reads its journal, also while the run is going on; the figures are
 * eval's. Models are opened for --rollouts alone. */
#include "cmd/look.h"

#include <stdlib.h>

enum { SAMPLE = 20 };

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* The noise of scores: what the command says, or what the run noted of the meta-prover, as often as a score has it; and what was
 * measured. */
static cord_status read_noise(struct look *l, cord_error *err) {
    l->noise = l->measured = (double)NAN;
    if (l->outline.meta_model >= 0 && l->criterion->noises) {
        const char *meta = l->outline.models[l->outline.meta_model];
        CORD_TRY(journal_get_model_number(l->journal, meta, "noise", &l->noise, err));
        CORD_TRY(journal_get_model_number(l->journal, meta, "apart", &l->measured, err));
    }
    l->noise = call_number(l->call, "noise", l->noise * l->criterion->noises);
    l->measured *= l->criterion->noises;
    return CORD_OK;
}

static void sum_problem(struct look *l, const struct audit_problem *p) {
    l->done += p->status == PROBLEM_DONE;
    l->failed += p->status == PROBLEM_FAILED;
    l->going_on += p->status == PROBLEM_OPEN && p->started;
    if (p->started) {
        l->started++;
        l->s0 += p->s0;
        l->guessable += p->s0 > AUDIT_GUESSABLE;
    }
    l->scored += p->scored;
    l->saturated += p->saturated;
    l->stuck += p->stuck;
    if (p->first_saturated) {
        l->problems_saturated++;
        l->how_soon += (double)p->first_saturated / p->rounds;
    }
    if (!p->answered) return;
    l->answered++;
    l->overlooked += p->overlooked;
    l->ends_stuck += p->ends_stuck;
    l->cut += p->cut;
    l->cut_right += p->cut && p->right;
    l->whole_right += !p->cut && p->right;
    l->in_question += p->mention.in_question;
    l->asked += !p->mention.in_question;
    if (!p->mention.step) return;
    l->mentioned++;
    l->where += (double)p->mention.step / p->mention.steps;
    if (isnan(p->mention.before) || isnan(p->mention.after)) return;
    l->with_scores++;
    l->before += exp(p->mention.before);
    l->after += exp(p->mention.after);
}

/* Only what goes on can be saturated, and without a bound no score is near it; and S0 is no score by another criterion than
 * predictive perplexity, so that the first step's has none before it. */
static void leave_out(struct look *l) {
    for (int i = 0; i < l->audit.n_problems; i++) {
        struct audit_problem *p = &l->audit.problems[i];
        if (!look_can_saturate(l)) p->saturated = p->first_saturated = 0;
        if (l->criterion != criteria[0] && p->mention.step == 1) p->mention.before = (double)NAN;
    }
}

static cord_status look_at(struct look *l, cord_error *err) {
    cord_text recipe;
    int n;
    CORD_TRY(journal_open(l->call->args[0], JOURNAL_READ, &l->journal, err));
    CORD_TRY(journal_get_fact(l->journal, "recipe", &l->arena, &recipe, err));
    CORD_TRY(recipe_outline(recipe, &l->arena, &l->outline, err));
    l->criterion = criterion_named(l->outline.criterion);
    CORD_TRY(journal_get_teachers(l->journal, &l->arena, &l->teachers, &n, err));
    CORD_TRY(read_noise(l, err));
    CORD_TRY(audit_run(l->journal, l->noise, &l->arena, &l->audit, err));
    leave_out(l);
    for (int i = 0; i < l->audit.n_problems; i++) sum_problem(l, &l->audit.problems[i]);
    return CORD_OK;
}

static cord_status roll_out(struct look *l, cord_error *err) {
    const struct option_value *rollouts = call_option(l->call, "rollouts");
    if (!rollouts->given) return CORD_OK;
    if (text_equal(l->outline.strategy, TEXT("selection")))
        return error_set(
            err, CORD_BAD_INPUT,
            "--rollouts does not apply to a selection, whose traces were given: it has no teachers to write "
            "on from a step; leave it out");
    struct page page;
    page_init(&page, l->call->err);
    cord_status status = rollouts_compare(l->call->args[0], (int)rollouts->number,
                                          (int)call_number(l->call, "sample", SAMPLE), &page, &l->rollouts, err);
    page_release(&page);
    return status;
}

/* ---- who scores ---------------------------------------------------------------------------------------------- */

bool look_is_own(const struct look *l, int teacher) {
    int chooser = l->outline.chooser_model;
    int own = teacher < l->outline.n_teachers ? l->outline.teacher_model[teacher] : l->outline.integration_model;
    return chooser >= 0 && own >= 0 && l->outline.alike[own] == l->outline.alike[chooser];
}

const char *look_scorer_name(const struct look *l) {
    if (l->outline.chooser_model == l->outline.meta_model) return "the meta-prover's model";
    return !strcmp(l->criterion->name, "judge") ? "the judge's model" : "the reward model";
}

struct audit_teacher look_sum_teachers(const struct look *l, bool own) {
    struct audit_teacher sum = {0};
    for (int k = 0; k < l->audit.n_teachers; k++) {
        if (look_is_own(l, k) != own) continue;
        sum.proposed += l->audit.teachers[k].proposed;
        sum.kept += l->audit.teachers[k].kept;
        sum.final += l->audit.teachers[k].final;
    }
    return sum;
}

int look_count_own(const struct look *l) {
    int own = 0;
    for (int k = 0; k < l->audit.n_teachers; k++) own += look_is_own(l, k);
    return own;
}

bool look_can_prefer(const struct look *l) { return look_count_own(l) && look_count_own(l) < l->audit.n_teachers; }

const char *look_noise_is(const struct look *l) { return call_option(l->call, "noise")->given ? "given" : "stated"; }

bool look_can_saturate(const struct look *l) { return l->audit.stepwise && l->criterion->unit; }

bool look_has_progress(const struct look *l) { return l->criterion == criteria[0]; }

/* ---- the verb ------------------------------------------------------------------------------------------------ */

static int run_audit(const struct call *call) {
    bool json = call_option(call, "format")->choice;
    if (call_option(call, "sample")->given && !call_option(call, "rollouts")->given)
        return call_usage(call, "--sample is about --rollouts: say --rollouts N, or leave it out");
    struct look look = {.call = call};
    cord_error err = {0};
    arena_init(&look.arena);
    cord_status status = look_at(&look, &err);
    if (status == CORD_OK) status = roll_out(&look, &err);
    if (status == CORD_OK) status = json ? look_json(&look, &err) : look_text(&look, &err);
    journal_close(look.journal);
    arena_release(&look.arena);
    return status == CORD_OK ? EXIT_ALL_DONE : status == CORD_CANCELLED ? EXIT_INTERRUPTED : call_fail(call, &err);
}

static const struct option options[] = {
    {.name = "format", .letter = 'f', .type = OPTION_TEXT, .value = "text|json", .doc = "how it is written (text)"},
    {.name = "noise",
     .type = OPTION_REAL,
     .value = "NATS",
     .min = 0,
     .max = 100,
     .doc = "of log S, as cord doctor measures it (what the back end states)"},
    {.name = "rollouts",
     .type = OPTION_INT,
     .value = "N",
     .min = 1,
     .max = 64,
     .doc = "compare the labels of steps with N rollouts of each teacher: opens the models"},
    {.name = "sample", .type = OPTION_INT, .value = "M", .min = 1, .max = 1e6, .doc = "of so many problems (20)"},
    {.name = NULL},
};

const struct verb verb_audit = {
    .name = "audit",
    .synopsis = "RUN",
    .summary = "how the score of one run behaved: where it saturates, what it prefers, where it was wrong",
    .help = "Looks at all rounds that the run's journal has, of problems that are going on, too: how many rounds end "
            "with S over 0.99, and how soon; how many end with S no better than without any reasoning; which step "
            "first mentions the answer, and what that does to S; whether what was kept and what was not differ by more "
            "than the meta-prover's noise; which problems can be guessed without reasoning; whether the meta-prover "
            "prefers what its own model wrote; and where the best by S is wrong while another finished one is right. "
            "What does not apply to a strategy says so. The formats say the same, but JSON lists all problems. Each "
            "figure to the letter: docs/audit.md.\n\n"
            "With --rollouts it also asks the run's models: behind each step of the best trajectories every teacher "
            "writes on to the end, N times, and a step whose label in `cord export --format prm` is bad should lower "
            "the share of right answers.\n",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run_audit,
};
