/* audit_page.c - a run's audit in the terminal. It must not read journals. */
#include "cmd/look.h"

enum { MOST_LISTED = 20, ID_WIDTH = 24 };

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
    if (!l->scored) {
        page_print(page, PAINT_NONE, "  nothing has been scored yet\n");
        return;
    }
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

static void text_progress(struct look *l, struct page *page) {
    page_print(page, PAINT_BOLD, "\nProgress: S over S0, that of no reasoning, by more than the noise\n");
    if (!look_has_progress(l)) {
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
        page_print(page, PAINT_NONE, "  S %.4f, S0 %.4f\n", p->s, p->s0);
        listed++;
    }
    text_more(page, l->ends_stuck);
}

static void text_cut(struct look *l, struct page *page) {
    page_print(page, PAINT_BOLD, "\nCut: the best trajectory's thinking ended at search.think_tokens\n");
    page_print(page, PAINT_NONE, "  %d of %d problem%s", l->cut, l->answered, page_plural(l->answered));
    put_share(page, l->cut, l->answered);
    if (l->cut) page_print(page, PAINT_NONE, "; of these %d correct", l->cut_right);
    if (l->cut && l->cut < l->answered)
        page_print(page, PAINT_NONE, ", of the others %d of %d", l->whole_right, l->answered - l->cut);
    page_print(page, PAINT_NONE, "\n");
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
    else if (l->audit.stepwise && l->criterion != criteria[0])
        page_print(page, PAINT_NONE,
                   "  S before and with it: does not apply, since first steps mention it, and S0 is no score by %s\n",
                   l->criterion->name);
    else
        page_print(page, PAINT_NONE, "  S before and with it: does not apply, since steps have no score here\n");
}

static void text_within(struct page *page, const struct audit *a, const char *what, double noise, const char *is) {
    int within = audit_within(a, noise);
    page_print(page, PAINT_NONE, "  within %s of %g (%s): %d", what, noise, is, within);
    put_share(page, within, a->n_margins);
    page_print(page, PAINT_NONE, "\n");
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
    double median = audit_median(a->margins, a->n_margins);
    if (a->unbounded && isinf(median))
        page_print(page, PAINT_NONE, "; the median margin is unbounded: the best left scored 0");
    else if (a->n_margins)
        page_print(page, PAINT_NONE, "; the median margin is %.4f", median);
    page_print(page, PAINT_NONE, "\n");
    if (isnan(l->noise) && !l->criterion->noises) {
        page_print(page, PAINT_NONE, "  the noise of scores by %s is not known: say it with --noise\n",
                   l->criterion->name);
    } else if (isnan(l->noise)) {
        page_print(page, PAINT_NONE, "  the meta-prover's noise is not known: say it with --noise\n");
    } else {
        bool twice = l->criterion->noises > 1 && !call_option(l->call, "noise")->given;
        text_within(page, a, twice ? "twice the meta-prover's noise," : "the meta-prover's noise", l->noise,
                    look_noise_is(l));
    }
    if (!isnan(l->measured))
        text_within(page, a, "what two ways of scoring an easy text differed by when the run was started,", l->measured,
                    "measured");
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
    struct audit_teacher own = look_sum_teachers(l, true), others = look_sum_teachers(l, false);
    const struct audit_teacher all = {own.proposed + others.proposed, own.kept + others.kept, own.final + others.final};
    page_print(page, PAINT_BOLD, "\nScorer and proposers: steps (one where a trace came whole), and shares of all\n");
    page_print(page, PAINT_DIM, "  %-*s  %14s  %14s  %14s\n", ID_WIDTH, "", "proposed", "kept", "on final paths");
    for (int k = 0; k < l->audit.n_teachers; k++) text_rates(page, l->teachers[k], &l->audit.teachers[k], &all);
    if (text_equal(l->outline.strategy, TEXT("mcts")))
        page_print(page, PAINT_NONE, "  kept is what was committed: the root of a tree\n");
    else if (!l->audit.competes && l->scored)
        page_print(page, PAINT_NONE, "  nothing competes from round to round: all that is not dropped is kept\n");
    if (l->outline.chooser_model < 0 && l->outline.meta_model >= 0) {
        page_print(page, PAINT_NONE, "  self-preference does not apply: no model's scores choose\n");
        return;
    }
    if (!look_can_prefer(l)) {
        page_print(page, PAINT_NONE, "  self-preference does not apply: %s the teachers share%s %s\n",
                   look_count_own(l) ? "all" : "none of", look_count_own(l) ? "" : "s", look_scorer_name(l));
        return;
    }
    text_rates(page, look_scorer_name(l), &own, &all);
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

cord_status look_text(struct look *l, cord_error *err) {
    struct page page;
    page_init(&page, l->call->out);
    text_head(l, &page);
    text_saturation(l, &page);
    text_progress(l, &page);
    text_cut(l, &page);
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
