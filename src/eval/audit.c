/* audit.c - see audit.h. */
#include "eval/audit.h"

#include "eval/measures.h"

#include <math.h>
#include <stdlib.h>

/* ---- margins ------------------------------------------------------------------------------------------------- */

static cord_status add_margin(struct audit *a, double margin, struct arena *arena, cord_error *err) {
    a->margins = arena_room(arena, a->margins, a->n_margins, &a->room, sizeof *a->margins);
    if (!a->margins) return error_memory(err);
    a->margins[a->n_margins++] = margin;
    a->ties += margin <= 0;
    a->unbounded += margin > 0 && isinf(margin);
    return CORD_OK;
}

/* What one run of a round kept, and what competed with it in vain. */
struct sides {
    double kept, left; /* log S of the worst kept, of the best not kept */
    int n_kept, n_left, n_ranked;
};

static void put_left(struct sides *s, double log_score) {
    if (isnan(log_score)) return;
    if (!s->n_left++ || log_score > s->left) s->left = log_score;
}

static struct sides take_sides(const struct round *round, int run, const struct trajectory *before, int n_before) {
    struct sides s = {.n_kept = 0};
    for (int i = 0; i < round->n_beam; i++) {
        const struct trajectory *t = &round->beam[i];
        if (t->run != run || isnan(t->log_score)) continue;
        if (!s.n_kept++ || t->log_score < s.kept) s.kept = t->log_score;
    }
    for (int i = 0; i < round->n_candidates; i++) {
        const struct candidate *c = &round->candidates[i];
        if (c->run != run || c->rank < 0) continue;
        s.n_ranked++;
        if (c->slot < 0) put_left(&s, c->log_score);
    }
    for (int i = 0; i < n_before; i++)
        if (before[i].run == run && before[i].finish != GROWING && !round_carries(round, i))
            put_left(&s, before[i].log_score);
    return s;
}

static cord_status look_at_choice(struct audit *a, const struct round *round, const struct trajectory *before,
                                  int n_before, struct arena *arena, cord_error *err) {
    int runs = 0;
    for (int i = 0; i < round->n_candidates; i++)
        if (round->candidates[i].run >= runs) runs = round->candidates[i].run + 1;
    for (int run = 0; run < runs; run++) {
        struct sides s = take_sides(round, run, before, n_before);
        if (!s.n_ranked) continue;
        a->competes = true;
        /* Two scores of 0 are equal, though their logarithms have no difference. */
        double margin = s.kept == s.left ? 0 : s.kept - s.left;
        if (s.n_kept && s.n_left) CORD_TRY(add_margin(a, margin, arena, err));
    }
    return CORD_OK;
}

/* ---- rounds -------------------------------------------------------------------------------------------------- */

/* Whether a reasoning says no more of the answer than none does. Where S0 or S is not known, it is not said. */
static bool is_stuck(double log_score, double log_s0, double noise) {
    return log_score <= log_s0 + (isnan(noise) ? 0 : noise);
}

static void look_at_scores(struct audit *a, struct audit_problem *p, const struct round *round, double log_s0,
                           double noise) {
    double best = -HUGE_VAL; /* which a score of 0 is, too */
    bool any = false;
    for (int i = 0; i < round->n_beam; i++) {
        const struct trajectory *t = &round->beam[i];
        if (isnan(t->log_score) || !t->last) continue;
        a->stepwise |= t->finish == GROWING;
        if (t->log_score > best) best = t->log_score;
        any = true;
    }
    if (any) p->scored++;
    if (any) p->stuck += is_stuck(best, log_s0, noise);
    if (exp(best) <= AUDIT_SATURATED) return;
    p->saturated++;
    if (!p->first_saturated) p->first_saturated = round->number;
}

/* What a search tree keeps is known when it is done, so what it proposed counts then, too. */
static void look_at_teachers(struct audit *a, const struct round *round, bool done) {
    if (!done && round->n_beam && trajectory_is_node(&round->beam[0])) return;
    for (int i = 0; i < round->n_candidates; i++) {
        const struct candidate *c = &round->candidates[i];
        if (c->finishes_parent || c->teacher < 0 || c->teacher >= a->n_teachers) continue;
        a->teachers[c->teacher].proposed++;
        a->teachers[c->teacher].kept += c->slot >= 0 && !trajectory_is_node(&round->beam[c->slot]);
    }
}

/* In a search tree a step is kept where its node became the root: where an answer came of it. */
static void look_at_committed(struct audit *a, const struct trajectory *t) {
    for (const struct step *step = trajectory_is_node(t) ? t->last : NULL; step; step = step->previous)
        if (step->teacher >= 0 && step->teacher < a->n_teachers) a->teachers[step->teacher].kept++;
}

static cord_status look_at_rounds(struct journal *journal, const struct journal_problem *problem, double noise,
                                  struct audit *a, struct audit_problem *p, struct arena *scratch, struct arena *arena,
                                  cord_error *err) {
    struct round round = {0};
    const struct trajectory *beam = NULL;
    int n = 0;
    for (int i = 1; i <= problem->rounds; i++, beam = round.beam, n = round.n_beam) {
        CORD_TRY(journal_read_round(journal, problem->key, i, beam, n, scratch, &round, err));
        look_at_scores(a, p, &round, problem->log_s0, noise);
        look_at_teachers(a, &round, problem->status == PROBLEM_DONE);
        CORD_TRY(look_at_choice(a, &round, beam, n, arena, err));
    }
    return CORD_OK;
}

/* ---- the end of a problem ------------------------------------------------------------------------------------ */

/* How many have a higher score; of equal ones, those that stand before. A strategy may have another order than S. */
static int place_by_score(const struct answered *answers, int n, int which) {
    int place = 1;
    for (int i = 0; i < n; i++) {
        double other = answers[i].trajectory.log_score, own = answers[which].trajectory.log_score;
        place += other > own || (!isnan(other) && isnan(own)) || (other == own && i < which);
    }
    return place;
}

static void look_for_right(struct audit_problem *p, const struct answered *answers, int n, int best) {
    int right = -1;
    for (int i = 0; i < n; i++)
        if (answers[i].grade == GRADE_CORRECT &&
            (right < 0 || place_by_score(answers, n, i) < place_by_score(answers, n, right)))
            right = i;
    p->overlooked = right >= 0 && answers[best].grade != GRADE_CORRECT;
    if (!p->overlooked) return;
    p->right_s = exp(answers[right].trajectory.log_score);
    p->right_place = place_by_score(answers, n, right);
}

static cord_status look_at_answers(struct journal *journal, const struct journal_problem *problem, double noise,
                                   struct audit *a, struct audit_problem *p, struct arena *scratch, struct arena *arena,
                                   cord_error *err) {
    struct answered *answers;
    int n, best = 0;
    CORD_TRY(journal_answers(journal, problem, scratch, &answers, &n, err));
    if (!n) return CORD_OK;
    while (place_by_score(answers, n, best) > 1) best++;
    p->answered = true;
    p->best_s = exp(answers[best].trajectory.log_score);
    p->s = exp(answers[0].trajectory.log_score);
    p->ends_stuck = is_stuck(answers[0].trajectory.log_score, problem->log_s0, noise);
    p->best_answer = arena_text(arena, answers[best].answer);
    if (!p->best_answer.data) return error_memory(err);
    look_for_right(p, answers, n, best);
    for (int i = 0; i < n; i++) look_at_committed(a, &answers[i].trajectory);
    const struct trajectory *first = &answers[0].trajectory; /* the best by the strategy, which is what trains */
    p->cut = first->finish == FINISHED_BUDGET;
    p->right = answers[0].grade == GRADE_CORRECT;
    for (const struct step *s = first->last; s; s = candidate_before(s))
        if (s->teacher >= 0 && s->teacher < a->n_teachers) a->teachers[s->teacher].final++;
    return mention_first(problem->question, problem->gold, first, problem->log_s0, &p->mention, err);
}

/* ---- a run --------------------------------------------------------------------------------------------------- */

static cord_status look_at_problem(struct journal *journal, const struct journal_problem *problem, double noise,
                                   struct audit *a, struct arena *arena, cord_error *err) {
    struct audit_problem *p = &a->problems[a->n_problems++];
    struct arena scratch;
    *p = (struct audit_problem){.id = problem->id,
                                .status = problem->status,
                                .started = problem->started && !isnan(problem->log_s0),
                                .s0 = exp(problem->log_s0),
                                .rounds = problem->rounds};
    arena_init(&scratch);
    cord_status status = look_at_rounds(journal, problem, noise, a, p, &scratch, arena, err);
    if (status == CORD_OK && problem->status == PROBLEM_DONE)
        status = look_at_answers(journal, problem, noise, a, p, &scratch, arena, err);
    arena_release(&scratch);
    return status;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

cord_status audit_run(struct journal *journal, double noise, struct arena *arena, struct audit *a, cord_error *err) {
    struct journal_problem *problems;
    const char *const *names;
    int n;
    *a = (struct audit){0};
    CORD_TRY(journal_problems(journal, arena, &problems, &n, err));
    CORD_TRY(journal_get_teachers(journal, arena, &names, &a->n_teachers, err));
    a->problems = arena_alloc(arena, (size_t)(n + 1) * sizeof *a->problems);
    a->teachers = arena_alloc(arena, (size_t)(a->n_teachers + 1) * sizeof *a->teachers);
    if (!a->problems || !a->teachers) return error_memory(err);
    for (int i = 0; i < n; i++) CORD_TRY(look_at_problem(journal, &problems[i], noise, a, arena, err));
    if (a->n_margins) qsort(a->margins, (size_t)a->n_margins, sizeof *a->margins, by_size);
    return CORD_OK;
}

int audit_within(const struct audit *a, double noise) {
    int within = 0;
    while (within < a->n_margins && a->margins[within] <= noise) within++;
    return within;
}

double audit_median(const double *sorted, int n) {
    return !n ? (double)NAN : n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}
