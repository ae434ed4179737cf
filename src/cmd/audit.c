/* audit.c - `cord audit`: how the score of one run behaved. Reads its journal, also while the run is going on; the figures are
 * eval's. Models are opened for --rollouts alone. */
#include "eval/audit.h"
#include "base/json.h"
#include "cmd/page.h"
#include "cmd/rollouts.h"
#include "recipe/recipe.h"
#include "search/criterion.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_OUTPUT = 1 << 28, MOST_LISTED = 20, ID_WIDTH = 24, SAMPLE = 20 };

struct look {
    const struct call *call;
    struct arena arena;
    struct journal *journal;
    struct recipe_outline outline;
    const struct criterion *criterion; /* what S stands for */
    const char *const *teachers;
    double noise;
    struct audit audit;
    struct rollouts rollouts; /* none wanted: they were not asked for */
    /* sums over problems */
    int done, failed, going_on, started, guessable;
    int scored, saturated, problems_saturated;
    int stuck, ends_stuck;
    int asked, in_question, mentioned, with_scores, overlooked, answered;
    double s0, how_soon, where, before, after;
};

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* Runs that do not say have the first. */
static const struct criterion *criterion_named(cord_text name) {
    for (int i = 0; criteria[i]; i++)
        if (text_equal(name, text_of(criteria[i]->name))) return criteria[i];
    return criteria[0];
}

/* The noise of scores: what the command says, or what the run noted of the meta-prover, as often as a score has it. */
static cord_status read_noise(struct look *l, cord_error *err) {
    const struct option_value *given = call_option(l->call, "noise");
    cord_text value = {0};
    l->noise = given->given ? given->number : (double)NAN;
    if (given->given || l->outline.meta_model < 0 || !l->criterion->noises) return CORD_OK;
    const char *key = arena_printf(&l->arena, "model.%s.noise", l->outline.models[l->outline.meta_model]);
    if (!key) return error_memory(err);
    CORD_TRY(journal_get_fact(l->journal, key, &l->arena, &value, err));
    if (value.len) l->noise = l->criterion->noises * strtod(value.data, NULL);
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

/* Without a bound no score is near it; and S0 is no score by another criterion than predictive perplexity, so that the first
 * step's has none before it. */
static void leave_out(struct look *l) {
    for (int i = 0; i < l->audit.n_problems; i++) {
        struct audit_problem *p = &l->audit.problems[i];
        if (!l->criterion->unit) p->saturated = p->first_saturated = 0;
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
    const struct option_value *rollouts = call_option(l->call, "rollouts"), *sample = call_option(l->call, "sample");
    if (!rollouts->given) return CORD_OK;
    return rollouts_compare(l->call->args[0], (int)rollouts->number, sample->given ? (int)sample->number : SAMPLE,
                            l->call->err, &l->rollouts, err);
}

/* Whether a teacher's model is the one that scores. */
static bool is_own(const struct look *l, int teacher) {
    return teacher < l->outline.n_teachers && l->outline.chooser_model >= 0 &&
           l->outline.teacher_model[teacher] == l->outline.chooser_model;
}

static const char *scorer_name(const struct look *l) {
    if (l->outline.chooser_model == l->outline.meta_model) return "the meta-prover's model";
    return !strcmp(l->criterion->name, "judge") ? "the judge's model" : "the reward model";
}

static struct audit_teacher sum_teachers(const struct look *l, bool own) {
    struct audit_teacher sum = {0};
    for (int k = 0; k < l->audit.n_teachers; k++) {
        if (is_own(l, k) != own) continue;
        sum.proposed += l->audit.teachers[k].proposed;
        sum.kept += l->audit.teachers[k].kept;
        sum.final += l->audit.teachers[k].final;
    }
    return sum;
}

/* Some teachers share the model that scores, and some do not. */
static int count_own(const struct look *l) {
    int own = 0;
    for (int k = 0; k < l->audit.n_teachers; k++) own += is_own(l, k);
    return own;
}
static bool can_prefer(const struct look *l) { return count_own(l) && count_own(l) < l->audit.n_teachers; }

static double share(double part, double all) { return all > 0 ? part / all : (double)NAN; }

/* ---- for people ---------------------------------------------------------------------------------------------- */

/* " (12.5 %)", or nothing where there is nothing to share. */
static void put_share(struct page *page, double part, double all) {
    if (all > 0) page_print(page, PAINT_NONE, " (%.1f %%)", 100 * part / all);
}

static void text_listed(struct page *page, cord_text id) {
    page_print(page, PAINT_NONE, "    ");
    page_cell(page, PAINT_NONE, id, ID_WIDTH);
}

static void text_more(struct page *page, int n) {
    if (n > MOST_LISTED) page_print(page, PAINT_DIM, "    and %d more: --format json\n", n - MOST_LISTED);
}

static void text_head(struct look *l, struct page *page) {
    page_raw(page, PAINT_BOLD, text_of(l->call->args[0]));
    if (l->outline.strategy.len) {
        page_print(page, PAINT_NONE, ": ");
        page_raw(page, PAINT_NONE, l->outline.strategy);
        page_print(page, PAINT_NONE, " by ");
        page_raw(page, PAINT_NONE, l->outline.criterion);
        if (!text_equal(l->outline.criterion, TEXT("predictive-perplexity")))
            page_print(page, PAINT_NONE, ", which is what S stands for below; S0 is the answer's likelihood");
    }
    page_print(page, PAINT_NONE, "\n%d of %d problems done", l->done, l->audit.n_problems);
    page_print(page, PAINT_NONE, ", %d going on, %d failed\n", l->going_on, l->failed);
}

static void text_saturation(struct look *l, struct page *page) {
    page_print(page, PAINT_BOLD, "\nSaturation: S over %.2f\n", AUDIT_SATURATED);
    if (!l->audit.stepwise) {
        page_print(page, PAINT_NONE, "  does not apply: only complete traces have a score here\n");
        return;
    }
    if (!l->criterion->unit) {
        page_print(page, PAINT_NONE, "  does not apply: scores by %s have no upper bound\n", l->criterion->name);
        return;
    }
    page_print(page, PAINT_NONE, "  the best of the beam, after %d of %d round%s", l->saturated, l->scored,
               page_plural(l->scored));
    put_share(page, l->saturated, l->scored);
    page_print(page, PAINT_NONE, "\n  problems that reach it: %d of %d", l->problems_saturated, l->started);
    if (l->problems_saturated)
        page_print(page, PAINT_NONE, ", after %.2f of their rounds on average", l->how_soon / l->problems_saturated);
    page_print(page, PAINT_NONE, "\n");
}

/* By another criterion S0 is no score. */
static bool has_progress(const struct look *l) { return l->criterion == criteria[0]; }

static void text_progress(struct look *l, struct page *page) {
    page_print(page, PAINT_BOLD, "\nProgress: S over S0, that of no reasoning, by more than the noise\n");
    if (!has_progress(l)) {
        page_print(page, PAINT_NONE, "  does not apply: S0 is no score by %s\n", l->criterion->name);
        return;
    }
    if (l->audit.stepwise) {
        page_print(page, PAINT_NONE, "  the best of the beam is not, after %d of %d round%s", l->stuck, l->scored,
                   page_plural(l->scored));
        put_share(page, l->stuck, l->scored);
        page_print(page, PAINT_NONE, "\n");
    }
    page_print(page, PAINT_NONE, "  the best trajectory is not, of %d of %d problem%s", l->ends_stuck, l->answered,
               page_plural(l->answered));
    put_share(page, l->ends_stuck, l->answered);
    page_print(page, PAINT_NONE, "\n");
    for (int i = 0, listed = 0; i < l->audit.n_problems && listed < MOST_LISTED; i++) {
        const struct audit_problem *p = &l->audit.problems[i];
        if (!p->ends_stuck) continue;
        text_listed(page, p->id);
        page_print(page, PAINT_NONE, "  S %.4f, S0 %.4f\n", p->best_s, p->s0);
        listed++;
    }
    text_more(page, l->ends_stuck);
}

static void text_mention(struct look *l, struct page *page) {
    page_print(page, PAINT_BOLD, "\nFirst mention of the gold, in the best trajectory\n");
    page_print(page, PAINT_NONE, "  %d problem%s; left out, since the question has it: %d\n", l->asked,
               page_plural(l->asked), l->in_question);
    if (!l->asked) return;
    page_print(page, PAINT_NONE, "  never mentioned: %d", l->asked - l->mentioned);
    put_share(page, l->asked - l->mentioned, l->asked);
    page_print(page, PAINT_NONE, "\n");
    if (!l->mentioned) return;
    page_print(page, PAINT_NONE, "  the step that mentions it stands at %.2f of the steps on average\n",
               l->where / l->mentioned);
    if (l->with_scores)
        page_print(page, PAINT_NONE, "  S before that step %.4f, with it %.4f (mean of %d)\n",
                   l->before / l->with_scores, l->after / l->with_scores, l->with_scores);
    else
        page_print(page, PAINT_NONE, "  S before and with it: does not apply, since steps have no score here\n");
}

static void text_margins(struct look *l, struct page *page) {
    const struct audit *a = &l->audit;
    page_print(page, PAINT_BOLD, "\nMargins: log S of the worst kept less that of the best not kept\n");
    if (!a->competes && l->scored) {
        page_print(page, PAINT_NONE, "  does not apply: nothing competes from round to round in ");
        page_raw(page, PAINT_NONE, l->outline.strategy.len ? l->outline.strategy : TEXT("this run"));
        page_print(page, PAINT_NONE, "\n");
        return;
    }
    page_print(page, PAINT_NONE, "  %d selection%s in which something was left", a->n_margins,
               page_plural(a->n_margins));
    if (a->n_margins)
        page_print(page, PAINT_NONE, "; the median margin is %.4f", audit_median(a->margins, a->n_margins));
    page_print(page, PAINT_NONE, "\n");
    if (isnan(l->noise) && !l->criterion->noises) {
        page_print(page, PAINT_NONE, "  the noise of scores by %s is not known: say it with --noise\n",
                   l->criterion->name);
    } else if (isnan(l->noise)) {
        page_print(page, PAINT_NONE, "  the meta-prover's noise is not known: say it with --noise\n");
    } else {
        bool twice = l->criterion->noises > 1 && !call_option(l->call, "noise")->given;
        page_print(page, PAINT_NONE, "  within %sthe meta-prover's noise%s of %g: %d", twice ? "twice " : "",
                   twice ? "," : "", l->noise, a->within);
        put_share(page, a->within, a->n_margins);
        page_print(page, PAINT_NONE, "\n");
    }
    page_print(page, PAINT_NONE, "  decided by the tie rule: %d", a->ties);
    put_share(page, a->ties, a->n_margins);
    page_print(page, PAINT_NONE, "\n");
}

static void text_guessable(struct look *l, struct page *page) {
    page_print(page, PAINT_BOLD, "\nGuessable: S0, without reasoning\n");
    if (!l->started) {
        page_print(page, PAINT_NONE, "  no problem has begun\n");
        return;
    }
    page_print(page, PAINT_NONE, "  mean %.4f; over %.1f: %d of %d", l->s0 / l->started, AUDIT_GUESSABLE, l->guessable,
               l->started);
    put_share(page, l->guessable, l->started);
    page_print(page, PAINT_NONE, "\n");
    for (int i = 0, listed = 0; i < l->audit.n_problems && listed < MOST_LISTED; i++) {
        const struct audit_problem *p = &l->audit.problems[i];
        if (!p->started || !(p->s0 > AUDIT_GUESSABLE)) continue;
        text_listed(page, p->id);
        page_print(page, PAINT_NONE, "  %.4f\n", p->s0);
        listed++;
    }
    text_more(page, l->guessable);
}

static void text_rates(struct page *page, const char *name, const struct audit_teacher *t,
                       const struct audit_teacher *all) {
    page_print(page, PAINT_NONE, "  ");
    page_cell(page, PAINT_NONE, text_of(name), ID_WIDTH);
    const int64_t counts[] = {t->proposed, t->kept, t->final}, sums[] = {all->proposed, all->kept, all->final};
    for (int i = 0; i < 3; i++) {
        page_print(page, PAINT_NONE, "  %6lld ", (long long)counts[i]);
        if (sums[i])
            page_print(page, PAINT_NONE, "%5.1f %%", 100.0 * (double)counts[i] / (double)sums[i]);
        else
            page_print(page, PAINT_NONE, "%7s", "-");
    }
    page_print(page, PAINT_NONE, "\n");
}

static void text_teachers(struct look *l, struct page *page) {
    struct audit_teacher own = sum_teachers(l, true), others = sum_teachers(l, false);
    const struct audit_teacher all = {own.proposed + others.proposed, own.kept + others.kept, own.final + others.final};
    page_print(page, PAINT_BOLD, "\nScorer and proposers: steps, and shares of all\n");
    page_print(page, PAINT_DIM, "  %-*s  %14s  %14s  %14s\n", ID_WIDTH, "", "proposed", "kept", "on final paths");
    for (int k = 0; k < l->audit.n_teachers; k++) text_rates(page, l->teachers[k], &l->audit.teachers[k], &all);
    if (!l->audit.competes && l->scored)
        page_print(page, PAINT_NONE, "  nothing competes from round to round: all that is not dropped is kept\n");
    if (l->outline.chooser_model < 0 && l->outline.meta_model >= 0) {
        page_print(page, PAINT_NONE, "  self-preference does not apply: no model's scores choose\n");
        return;
    }
    if (!can_prefer(l)) {
        page_print(page, PAINT_NONE, "  self-preference does not apply: %s the teachers share%s %s\n",
                   count_own(l) ? "all" : "none of", count_own(l) ? "" : "s", scorer_name(l));
        return;
    }
    text_rates(page, scorer_name(l), &own, &all);
    text_rates(page, "other models", &others, &all);
}

static void text_overlooked(struct look *l, struct page *page) {
    page_print(page, PAINT_BOLD, "\nThe best by S is not correct, another finished one is\n");
    page_print(page, PAINT_NONE, "  %d of %d problem%s", l->overlooked, l->answered, page_plural(l->answered));
    put_share(page, l->overlooked, l->answered);
    page_print(page, PAINT_NONE, "\n");
    for (int i = 0, listed = 0; i < l->audit.n_problems && listed < MOST_LISTED; i++) {
        const struct audit_problem *p = &l->audit.problems[i];
        if (!p->overlooked) continue;
        text_listed(page, p->id);
        page_print(page, PAINT_NONE, "  S %.4f says ", p->best_s);
        page_cell(page, PAINT_BAD, p->best_answer.len ? p->best_answer : TEXT("nothing"), -16);
        page_print(page, PAINT_NONE, "; S %.4f, number %d, is correct\n", p->right_s, p->right_place);
        listed++;
    }
    text_more(page, l->overlooked);
}

static cord_status audit_text(struct look *l, cord_error *err) {
    struct page page;
    page_init(&page, l->call->out);
    text_head(l, &page);
    text_saturation(l, &page);
    text_progress(l, &page);
    text_mention(l, &page);
    text_margins(l, &page);
    text_guessable(l, &page);
    text_teachers(l, &page);
    text_overlooked(l, &page);
    if (l->rollouts.wanted) rollouts_text(&l->rollouts, &page);
    bool failed = page.failed;
    page_release(&page);
    return failed ? error_memory(err) : CORD_OK;
}

/* ---- for programs -------------------------------------------------------------------------------------------- */

static void json_saturation(struct look *l, struct json_writer *w) {
    json_open(w, "saturation", '{');
    json_bool(w, "applies", l->audit.stepwise && l->criterion->unit);
    json_double(w, "over", AUDIT_SATURATED);
    json_int(w, "rounds", l->scored);
    json_int(w, "saturated", l->saturated);
    json_int(w, "problems", l->problems_saturated);
    json_double(w, "how_soon", share(l->how_soon, l->problems_saturated));
    json_open(w, "list", '[');
    for (int i = 0; i < l->audit.n_problems; i++) {
        const struct audit_problem *p = &l->audit.problems[i];
        if (!p->first_saturated) continue;
        json_open(w, NULL, '{');
        json_text(w, "id", p->id);
        json_int(w, "round", p->first_saturated);
        json_int(w, "rounds", p->rounds);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void json_progress(struct look *l, struct json_writer *w) {
    json_open(w, "progress", '{');
    json_bool(w, "applies", has_progress(l));
    if (has_progress(l)) {
        json_int(w, "rounds", l->audit.stepwise ? l->scored : 0);
        json_int(w, "stuck", l->audit.stepwise ? l->stuck : 0);
        json_int(w, "problems", l->answered);
        json_int(w, "ends_stuck", l->ends_stuck);
        json_open(w, "list", '[');
        for (int i = 0; i < l->audit.n_problems; i++) {
            const struct audit_problem *p = &l->audit.problems[i];
            if (!p->ends_stuck) continue;
            json_open(w, NULL, '{');
            json_text(w, "id", p->id);
            json_double(w, "s", p->best_s);
            json_double(w, "s0", p->s0);
            json_close(w, '}');
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}

static void json_mention(struct look *l, struct json_writer *w) {
    json_open(w, "first_mention", '{');
    json_int(w, "problems", l->asked);
    json_int(w, "in_question", l->in_question);
    json_int(w, "never", l->asked - l->mentioned);
    json_double(w, "where", share(l->where, l->mentioned));
    json_int(w, "with_scores", l->with_scores);
    json_double(w, "s_before", share(l->before, l->with_scores));
    json_double(w, "s_with", share(l->after, l->with_scores));
    json_open(w, "list", '[');
    for (int i = 0; i < l->audit.n_problems; i++) {
        const struct audit_problem *p = &l->audit.problems[i];
        if (!p->answered || p->mention.in_question) continue;
        json_open(w, NULL, '{');
        json_text(w, "id", p->id);
        json_int(w, "step", p->mention.step); /* 0: never */
        json_int(w, "steps", p->mention.steps);
        json_double(w, "s_before", exp(p->mention.before));
        json_double(w, "s_with", exp(p->mention.after));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void json_margins(struct look *l, struct json_writer *w) {
    const struct audit *a = &l->audit;
    json_open(w, "margins", '{');
    json_bool(w, "applies", a->competes);
    json_int(w, "selections", a->n_margins);
    json_double(w, "median", audit_median(a->margins, a->n_margins));
    json_double(w, "noise", l->noise);
    if (isnan(l->noise))
        json_nil(w, "within_noise");
    else
        json_int(w, "within_noise", a->within);
    json_int(w, "ties", a->ties);
    json_close(w, '}');
}

static void json_guessable(struct look *l, struct json_writer *w) {
    json_open(w, "guessable", '{');
    json_int(w, "problems", l->started);
    json_double(w, "mean_s0", share(l->s0, l->started));
    json_double(w, "over", AUDIT_GUESSABLE);
    json_int(w, "guessable", l->guessable);
    json_open(w, "list", '[');
    for (int i = 0; i < l->audit.n_problems; i++) {
        const struct audit_problem *p = &l->audit.problems[i];
        if (!p->started || !(p->s0 > AUDIT_GUESSABLE)) continue;
        json_open(w, NULL, '{');
        json_text(w, "id", p->id);
        json_double(w, "s0", p->s0);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void json_rates(struct json_writer *w, const char *key, const struct audit_teacher *t) {
    json_open(w, key, '{');
    json_int(w, "proposed", t->proposed);
    json_int(w, "kept", t->kept);
    json_int(w, "final", t->final);
    json_close(w, '}');
}

static void json_teachers(struct look *l, struct json_writer *w) {
    struct audit_teacher own = sum_teachers(l, true), others = sum_teachers(l, false);
    json_open(w, "self_preference", '{');
    json_bool(w, "applies", can_prefer(l));
    json_bool(w, "competes", l->audit.competes);
    json_open(w, "teachers", '[');
    for (int k = 0; k < l->audit.n_teachers; k++) {
        const struct audit_teacher *t = &l->audit.teachers[k];
        json_open(w, NULL, '{');
        json_text(w, "name", text_of(l->teachers[k]));
        json_bool(w, "is_meta_prover", is_own(l, k));
        json_int(w, "proposed", t->proposed);
        json_int(w, "kept", t->kept);
        json_int(w, "final", t->final);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_rates(w, "own", &own);
    json_rates(w, "others", &others);
    json_close(w, '}');
}

static void json_overlooked(struct look *l, struct json_writer *w) {
    json_open(w, "overlooked", '{');
    json_int(w, "problems", l->answered);
    json_int(w, "overlooked", l->overlooked);
    json_open(w, "list", '[');
    for (int i = 0; i < l->audit.n_problems; i++) {
        const struct audit_problem *p = &l->audit.problems[i];
        if (!p->overlooked) continue;
        json_open(w, NULL, '{');
        json_text(w, "id", p->id);
        json_double(w, "s_best", p->best_s);
        json_text(w, "best_answer", p->best_answer);
        json_double(w, "s_right", p->right_s);
        json_int(w, "place", p->right_place);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static cord_status audit_json(struct look *l, cord_error *err) {
    struct buf out;
    buf_init(&out, "an audit as JSON", MOST_OUTPUT);
    struct json_writer w = {.out = &out};
    json_open(&w, NULL, '{');
    json_text(&w, "run", text_of(l->call->args[0]));
    json_text(&w, "strategy", l->outline.strategy);
    json_text(&w, "criterion", l->outline.criterion);
    json_int(&w, "problems", l->audit.n_problems);
    json_int(&w, "done", l->done);
    json_int(&w, "going_on", l->going_on);
    json_int(&w, "failed", l->failed);
    json_saturation(l, &w);
    json_progress(l, &w);
    json_mention(l, &w);
    json_margins(l, &w);
    json_guessable(l, &w);
    json_teachers(l, &w);
    json_overlooked(l, &w);
    if (l->rollouts.wanted) rollouts_json(&l->rollouts, &w);
    json_close(&w, '}');
    buf_addc(&out, '\n');
    cord_status status = buf_check(&out, err);
    if (status == CORD_OK && fwrite(out.data, 1, out.len, l->call->out) != out.len)
        status = error_errno(err, "write", "the output");
    buf_release(&out);
    return status;
}

/* ---- the verb ------------------------------------------------------------------------------------------------ */

static int run_audit(const struct call *call) {
    const struct option_value *format = call_option(call, "format");
    bool json = format->given && !strcmp(format->text, "json");
    if (format->given && !json && strcmp(format->text, "text") != 0)
        return call_usage(call, "--format is text or json, not '%.200s'", format->text);
    struct look look = {.call = call};
    cord_error err = {0};
    arena_init(&look.arena);
    cord_status status = look_at(&look, &err);
    if (status == CORD_OK) status = roll_out(&look, &err);
    if (status == CORD_OK) status = json ? audit_json(&look, &err) : audit_text(&look, &err);
    if (status == CORD_OK && (fflush(call->out) != 0 || ferror(call->out)))
        status = error_errno(&err, "write", "the output");
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
    .help =
        "Looks at all rounds that the run's journal has, of problems that are going on, too:\n"
        "how many rounds end with S over 0.99, and how soon; how many end with S no better than without any\n"
        "reasoning; which step first mentions the answer, and what that does to S; whether what was kept and what was\n"
        "not differ by more than the meta-prover's noise; which problems can be guessed without reasoning; whether "
        "the\n"
        "meta-prover prefers what its own model wrote; and where the best by S is wrong while another finished one is\n"
        "right. What does not apply to a strategy says so. The formats say the\n"
        "same, but JSON lists all problems. Each figure to the letter: docs/audit.md.\n"
        "\n"
        "With --rollouts it also asks the run's models: behind each step of the best trajectories every teacher "
        "writes\n"
        "on to the end, N times, and a step whose label in `cord export --format prm` is bad should lower the share "
        "of\n"
        "right answers.\n",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run_audit,
};
