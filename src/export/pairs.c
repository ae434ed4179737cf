/* pairs.c - preferences between single steps: of the candidates that went on from one place in the beam, one that was kept
 * against one that was not. It must not know layouts of rows. */
#include "export/exporter.h"

#include <math.h>

/* Of the candidates of one parent, the best that was kept (and leads where it has to), and the worst that was not. */
struct rivals {
    const struct candidate *kept, *not_kept;
};

/* A candidate that only ends its parent adds no step, one of several steps (a given trace, or a merged one) is none, and one
 * that was dropped or not scored has nothing to compare. One that its limit cut is a piece of a step: `pieces`, whether those
 * count. */
static bool competes(const struct candidate *c, bool pieces) {
    return c->drop == DROP_NONE && !c->finishes_parent && !c->parts && !isnan(c->log_score) && c->step.len > 0 &&
           (pieces || c->end != STEP_CUT);
}

/* Where what is kept has to lead: to a correct one of these, or, where there are none, anywhere. */
struct aim {
    const struct answered *answers;
    int n;
};

/* Whether a trajectory took this candidate in a round. (That it begins with the same text would not say so.) */
static bool took(const struct trajectory *t, const struct candidate *c, int round) {
    if (!text_starts(t->reasoning, c->reasoning)) return false;
    for (const struct step *step = t->last; step; step = step->previous)
        if (step->round == round) return step->teacher == c->teacher && text_equal(step->text, c->step);
    return false;
}

static bool leads_there(const struct aim *aim, const struct candidate *c, int round) {
    for (int i = 0; i < aim->n; i++)
        if (aim->answers[i].grade == GRADE_CORRECT && took(&aim->answers[i].trajectory, c, round)) return true;
    return aim->n == 0;
}

/* Neither, where there are no two that differ by more than the margin. */
static struct rivals find_rivals(const struct round *round, int parent, const struct aim *aim, bool pieces,
                                 double margin) {
    struct rivals r = {0};
    for (int i = 0; i < round->n_candidates; i++) {
        const struct candidate *c = &round->candidates[i];
        if (c->parent != parent || !competes(c, pieces)) continue;
        if (c->slot >= 0 && leads_there(aim, c, round->number) && (!r.kept || c->log_score > r.kept->log_score))
            r.kept = c;
        if (c->slot < 0 && (!r.not_kept || c->log_score < r.not_kept->log_score)) r.not_kept = c;
    }
    bool differ = r.kept && r.not_kept && r.kept->log_score - r.not_kept->log_score > margin;
    return differ ? r : (struct rivals){0};
}

/* How likely the gold is behind the candidate, where that is what chose. */
static double log_s_of(const struct exporter *e, const struct candidate *c) {
    return e->source->scores == SCORES_OF_GOLD ? c->log_score : (double)NAN;
}

/* The parent's steps with the candidate's behind them. */
static cord_status steps_with(struct exporter *e, const struct trajectory *parent, const struct candidate *c, int round,
                              const struct example_step **steps, int *n, cord_error *err) {
    const struct step step = {.previous = parent->last,
                              .text = c->step,
                              .round = round,
                              .teacher = c->teacher,
                              .cut = false,
                              .log_score = c->log_score};
    struct trajectory t = *parent;
    t.last = &step;
    return example_steps(e->source, &t, e->problem.log_s0, &e->frame, e->options->style.markers, &e->walk.arena, steps,
                         n, err);
}

/* One of the two with all that stands before it, think tag included: what a model would be asked to write, or not to. */
static cord_status make_side(struct exporter *e, const struct trajectory *parent, const struct candidate *c, int round,
                             struct example *out, cord_error *err) {
    *out = (struct example){.source = e->source,
                            .id = e->problem.id,
                            .question = e->problem.question,
                            .gold = e->problem.gold,
                            .rounds = round,
                            .log_s0 = e->problem.log_s0,
                            .log_s = log_s_of(e, c),
                            .grade = GRADE_UNDECIDED,
                            .is_steps = true};
    CORD_TRY(steps_with(e, parent, c, round, &out->steps, &out->n_steps, err));
    CORD_TRY(example_join(out->steps, out->n_steps, &e->walk.arena, &out->reasoning, err));
    const struct example_step opened[] = {{.text = e->options->style.think_open}, {.text = out->reasoning}};
    return example_join(opened, 2, &e->walk.arena, &out->response, err);
}

static cord_status write_pair(struct exporter *e, const struct trajectory *parent, struct rivals r, int round,
                              cord_error *err) {
    struct example kept, not_kept;
    CORD_TRY(make_side(e, parent, r.kept, round, &kept, err));
    CORD_TRY(make_side(e, parent, r.not_kept, round, &not_kept, err));
    struct training_row row = {.example = &kept,
                               .rejected = &not_kept,
                               .chosen = kept.steps[kept.n_steps - 1].text,
                               .worse = not_kept.steps[not_kept.n_steps - 1].text};
    row.prefix = text_slice(kept.response, 0, kept.response.len - row.chosen.len);
    return sink_row(e, &row, &kept, err);
}

static cord_status pairs_of_round(struct exporter *e, const struct round *round, const struct trajectory *previous,
                                  int n_previous, const struct aim *aim, int *pairs, cord_error *err) {
    static const struct trajectory empty = {.author = -1, .candidate = -1};
    for (int parent = 0; parent < (previous ? n_previous : 1); parent++) {
        struct rivals r = find_rivals(round, parent, aim, false, exporter_margin(e));
        if (!r.kept && !find_rivals(round, parent, aim, true, exporter_margin(e)).kept) continue;
        ++*pairs;
        if (!r.kept) {
            exporter_remove(e, FILTER_CUT);
            continue;
        }
        if (!exporter_passes(e, log_s_of(e, r.kept))) continue;
        CORD_TRY(write_pair(e, previous ? &previous[parent] : &empty, r, round->number, err));
    }
    return CORD_OK;
}

cord_status pairs_of_steps(struct exporter *e, const struct answered *answers, int n, cord_error *err) {
    const struct trajectory *previous = NULL;
    int n_previous = 0, pairs = 0, correct = 0;
    while (correct < n && answers[correct].grade != GRADE_CORRECT) correct++;
    if (e->options->only_correct && correct == n) {
        exporter_remove(e, FILTER_NOT_CORRECT);
        return CORD_OK;
    }
    const struct aim aim = {answers, e->options->only_correct ? n : 0};
    for (int number = 1; number <= e->problem.rounds; number++) {
        struct round round;
        CORD_TRY(journal_read_round(e->source->journal, e->problem.key, number, previous, n_previous, &e->walk.arena,
                                    &round, err));
        CORD_TRY(pairs_of_round(e, &round, previous, n_previous, &aim, &pairs, err));
        previous = round.beam;
        n_previous = round.n_beam;
    }
    if (!pairs) exporter_remove(e, FILTER_NO_PAIR);
    return CORD_OK;
}
