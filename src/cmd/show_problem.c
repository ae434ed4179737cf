/* show_problem.c - one problem in the terminal: its rounds, candidates and answers, and why a step was kept. */
#include "cmd/show.h"

#include <math.h>

/* ---- what a candidate looks like ------------------------------------------------------------------------------ */

static const char *ending(const struct candidate *c) {
    if (c->finishes_parent)
        return c->end == STEP_TURN ? "  ends its turn: finishes its parent" : "  closes: finishes its parent";
    switch (c->end) {
    case STEP_NEXT: return "";
    case STEP_CUT: return c->parts ? "  cut at the budget" : "  cut at the step's limit";
    case STEP_CLOSED: return "  ends the thinking";
    case STEP_TURN: return "  ends its turn";
    }
    return "";
}

static const char *dropped(const struct candidate *c) {
    switch (c->drop) {
    case DROP_NONE: return "";
    case DROP_EMPTY: return "  dropped: empty";
    case DROP_DUPLICATE: return "  dropped: the same as a sibling";
    case DROP_DEGENERATE: return "  dropped: only repeats itself";
    case DROP_FAILED: return "  dropped: ";
    }
    return "";
}

/* "* 0 <- 1  strong        0.8750  ends its turn", and its text below. */
static void show_candidate(struct show *s, const struct candidate *c, bool on_path) {
    struct page *page = &s->page;
    bool kept = c->slot >= 0;
    enum paint paint = on_path ? PAINT_BOLD : kept ? PAINT_NONE : PAINT_DIM;
    page_print(page, on_path ? PAINT_GOOD : PAINT_NONE, "  %c ", on_path ? '*' : kept ? '+' : c->drop ? 'x' : ' ');
    if (kept)
        page_print(page, paint, "%2d", c->slot);
    else
        page_print(page, paint, " -");
    if (c->parent < 0)
        page_print(page, PAINT_DIM, " <- -  "); /* it began anew */
    else
        page_print(page, PAINT_DIM, " <- %d  ", c->parent);
    page_cell(page, paint, show_teacher(s, c->teacher), 16);
    show_score(s, paint, c->log_score);
    page_print(page, PAINT_DIM, "%s", c->drop ? dropped(c) : ending(c));
    if (c->drop_why)
        page_cell(page, PAINT_DIM, text_of(c->drop_why), -(page->columns - 50 > 20 ? page->columns - 50 : 20));
    page_print(page, PAINT_NONE, "\n");
    page_text(page, paint, c->step, 6, s->full ? 0 : kept ? 2 : 1);
}

static void show_carried(struct show *s, const struct trajectory *t, int slot, bool on_path) {
    page_print(&s->page, on_path ? PAINT_GOOD : PAINT_NONE, "  %c ", on_path ? '*' : '+');
    page_print(&s->page, on_path ? PAINT_BOLD : PAINT_NONE, "%2d", slot);
    page_print(&s->page, PAINT_DIM, " <- %d  ", t->from);
    page_print(&s->page, PAINT_NONE, "%-16s", "");
    show_score(s, PAINT_NONE, t->log_score);
    page_print(&s->page, PAINT_NONE, "  ");
    page_print(&s->page, PAINT_DIM, "stays: finished (%s)\n", finish_name(t->finish));
}

/* The places that a run has in the beam after a round. */
static struct part { int first, n; } part_of(const struct round *round, int run) {
    struct part part = {0};
    while (part.first < round->n_beam && round->beam[part.first].run < run) part.first++;
    while (part.first + part.n < round->n_beam && round->beam[part.first + part.n].run == run) part.n++;
    return part;
}

/* Whether a round is one of tree search. */
static bool is_tree(const struct round *round) {
    for (int i = 0; i < round->n_beam; i++)
        if (trajectory_is_node(&round->beam[i])) return true;
    return false;
}

/* Of a search tree: "+ 4 of 0  strong        0.4531  visited 3 times", with the mean score of its rollouts. */
static void show_node(struct show *s, const struct trajectory *t, int slot, int first, bool on_path) {
    struct page *page = &s->page;
    enum paint paint = on_path ? PAINT_BOLD : PAINT_NONE;
    page_print(page, on_path ? PAINT_GOOD : PAINT_NONE, "  %c ", on_path ? '*' : '+');
    page_print(page, paint, "%2d", slot);
    if (t->tree.above < 0)
        page_print(page, PAINT_DIM, " root  ");
    else
        page_print(page, PAINT_DIM, " of %d  ", first + t->tree.above);
    page_cell(page, paint, t->author < 0 ? TEXT("") : show_teacher(s, t->author), 16);
    show_score(s, paint, t->tree.visits ? log(t->tree.value / t->tree.visits) : (double)NAN);
    page_print(page, PAINT_DIM, "  visited %d time%s", t->tree.visits, t->tree.visits == 1 ? "" : "s");
    if (t->finish != GROWING) page_print(page, PAINT_DIM, ", finished (%s)", finish_name(t->finish));
    page_print(page, PAINT_NONE, "\n");
}

/* ---- rounds -------------------------------------------------------------------------------------------------- */

/* The beam before a round; nothing where nothing competed in it. */
static struct beam_before {
    const struct trajectory *of;
    int n;
} beam_before(const struct show_problem *p, const struct round *round) {
    bool ranked = false;
    for (int i = 0; i < round->n_candidates; i++) ranked |= round->candidates[i].rank >= 0;
    if (round == p->rounds || !ranked) return (struct beam_before){NULL, 0};
    return (struct beam_before){round[-1].beam, round[-1].n_beam};
}

/* Whether a finished trajectory of the beam before lost its place in a round. */
static bool is_lost(const struct round *round, const struct beam_before *before, int slot) {
    return before->of[slot].finish != GROWING && !round_carries(round, slot);
}

static void show_lost(struct show *s, const struct trajectory *t, int slot) {
    page_print(&s->page, PAINT_DIM, "     - <- %d  ", slot);
    page_cell(&s->page, PAINT_NONE, show_teacher(s, t->author), 16);
    show_score(s, PAINT_NONE, t->log_score);
    page_print(&s->page, PAINT_DIM, "  finished (%s), and lost its place\n", finish_name(t->finish));
}

static void show_round(struct show *s, const struct show_problem *p, const struct round *round, int path) {
    const struct beam_before before = beam_before(p, round);
    page_print(&s->page, PAINT_BOLD, "\nRound %d\n", round->number);
    if (round->note) page_text(&s->page, PAINT_WARN, text_of(round->note), 2, 0);
    for (int slot = 0; slot < round->n_beam; slot++) { /* the kept, best first; then the others as they came */
        const struct trajectory *t = &round->beam[slot];
        if (t->candidate >= 0 && t->candidate < round->n_candidates)
            show_candidate(s, &round->candidates[t->candidate], slot == path);
        else if (trajectory_is_node(t))
            show_node(s, t, slot, part_of(round, t->run).first, slot == path);
        else
            show_carried(s, t, slot, slot == path);
    }
    for (int i = 0; i < round->n_candidates; i++)
        if (round->candidates[i].slot < 0) show_candidate(s, &round->candidates[i], false);
    for (int i = 0; i < before.n; i++)
        if (is_lost(round, &before, i)) show_lost(s, &before.of[i], i);
}

static void show_answer(struct show *s, const struct answered *a, int number) {
    struct page *page = &s->page;
    page_print(page, number ? PAINT_NONE : PAINT_GOOD, "  %c ", number ? ' ' : '*');
    page_print(page, PAINT_NONE, "%2d  ", number);
    page_cell(page, show_grade_paint(a->grade), text_of(grade_name(a->grade)), 9);
    show_score(s, PAINT_NONE, a->trajectory.log_score);
    page_print(page, PAINT_NONE, "  ");
    page_cell(page, PAINT_BOLD, a->answer.len ? a->answer : TEXT("-"), 12);
    page_print(page, PAINT_DIM, "  by ");
    page_cell(page, PAINT_DIM, show_teacher(s, a->trajectory.author), -16);
    page_print(page, PAINT_DIM, ", %d step%s, %s", a->trajectory.n_steps, a->trajectory.n_steps == 1 ? "" : "s",
               finish_name(a->trajectory.finish));
    bool same = shows_likelihoods(s->criterion) && a->log_pp == a->trajectory.log_score; /* it was chosen by that */
    if (!isnan(a->log_pp) && !same) page_print(page, PAINT_DIM, ", PP %.4f", exp(a->log_pp));
    if (!isnan(a->log_held_out)) page_print(page, PAINT_DIM, ", held out %.4f", exp(a->log_held_out));
    page_print(page, PAINT_NONE, "\n");
    if (a->why) page_text(page, PAINT_DIM, text_of(a->why), 6, s->full ? 0 : 1);
    page_text(page, PAINT_NONE, a->reply, 6, s->full ? 0 : 2);
}

static void show_head(struct show *s, const struct journal_problem *p) {
    static const char *const states[] = {"not done yet", "done", "failed"};
    page_print(&s->page, PAINT_BOLD, "Problem %d of %d%s", p->index + 1, s->n_problems, p->id.len ? ": " : "");
    page_cell(&s->page, PAINT_BOLD, p->id, -40);
    page_print(&s->page, PAINT_NONE, " (%s)\n", states[p->status]);
    if (p->reason.len) page_text(&s->page, PAINT_BAD, p->reason, 2, 0);
    page_text(&s->page, PAINT_NONE, p->question.len ? p->question : p->row, 2, s->full ? 0 : 6);
    if (!p->question.len) return;
    page_print(&s->page, PAINT_DIM, "  answer  ");
    page_cell(&s->page, PAINT_NONE, p->gold, -60);
    if (!text_equal(p->target, p->gold)) {
        page_print(&s->page, PAINT_DIM, "\n  scored  ");
        page_cell(&s->page, PAINT_NONE, p->target, -60);
    }
    if (p->started && !isnan(p->log_s0))
        page_print(&s->page, PAINT_DIM, "\n  S0      %.4f, %s without reasoning", exp(p->log_s0),
                   shows_likelihoods(s->criterion) ? "the score" : "the likelihood of the answer");
    if (p->contrast.len) {
        page_print(&s->page, PAINT_DIM, "\n  against ");
        page_cell(&s->page, PAINT_NONE, p->contrast, -60);
    }
    page_print(&s->page, PAINT_NONE, "\n");
}

void show_rounds(struct show *s, const struct show_problem *p) {
    show_head(s, p->problem);
    if (p->n_rounds)
        page_print(&s->page, PAINT_DIM,
                   "\n* %s, + kept, x dropped;\n  place in the beam <- its parent's place, teacher, %s\n",
                   p->n_answers ? "the best trajectory" : "the leading trajectory", s->criterion->word);
    if (p->n_rounds && is_tree(&p->rounds[0]))
        page_print(
            &s->page, PAINT_DIM,
            "  of search trees, the root first: %s of a whole rollout; of a node, its parent's place in the same "
            "beam\n  and the mean %s of what was visited through it\n",
            s->criterion->word, s->criterion->word);
    for (int i = 0; i < p->n_rounds; i++) show_round(s, p, &p->rounds[i], p->path[i]);
    if (p->n_answers) page_print(&s->page, PAINT_BOLD, "\nAnswers\n");
    for (int i = 0; i < p->n_answers; i++) show_answer(s, &p->answers[i], i);
}

/* ---- why ----------------------------------------------------------------------------------------------------- */

/* Of two scores of 0, neither is better. */
static double log_margin(double a, double b) { return a == b ? 0 : a - b; }

static void show_named_score(struct show *s, double log_score) {
    char text[SCORE_TEXT];
    page_print(&s->page, PAINT_NONE, "%s %s", s->criterion->word,
               score_text(s->criterion, score_shown(s->criterion, log_score), 4, text));
}

/* By how much score a is above b; `between` stands before the same in log S. */
static void show_margin(struct show *s, double a, double b, const char *between) {
    double above = a == b ? 0 : score_shown(s->criterion, a) - score_shown(s->criterion, b);
    page_print(&s->page, PAINT_NONE, "%+.*f", s->criterion->shown_as == SHOWN_COUNT ? 0 : 4, above);
    if (shows_likelihoods(s->criterion))
        page_print(&s->page, PAINT_NONE, "%s%+.4f in log S", between, log_margin(a, b));
}

/* What stood for a place in a round: a candidate, or a finished trajectory that was carried over. */
struct contender {
    double log_score;
    const struct candidate *candidate; /* NULL: carried over */
    int slot;                          /* -1: it was not kept */
    int from;                          /* of what was carried over and not kept: its place before */
};

/* The contender of a run that was ranked next after `rank`; false where there was none. A rank that no candidate has is that
 * of a finished trajectory of the beam before: of those that were kept the beam says which; else it is the best that was
 * not. */
static bool next_contender(const struct round *round, const struct beam_before *before, int run, int rank,
                           struct contender *out) {
    const struct candidate *next = NULL;
    const struct trajectory *lost = NULL;
    struct part part = part_of(round, run);
    for (int i = 0; i < round->n_candidates; i++) {
        const struct candidate *c = &round->candidates[i];
        if (c->run == run && c->rank > rank && (!next || c->rank < next->rank)) next = c;
    }
    for (int at = rank + 1; at < part.n && (!next || at < next->rank); at++) {
        int slot = part.first + at;
        if (round->beam[slot].candidate < 0) {
            *out = (struct contender){round->beam[slot].log_score, NULL, slot, -1};
            return true;
        }
    }
    for (int i = 0; i < before->n; i++)
        if (before->of[i].run == run && is_lost(round, before, i) &&
            (!lost || before->of[i].log_score > lost->log_score))
            lost = &before->of[i];
    if (lost && (!next || next->rank > (rank + 1 > part.n ? rank + 1 : part.n))) {
        *out = (struct contender){lost->log_score, NULL, -1, (int)(lost - before->of)};
        return true;
    }
    if (next) *out = (struct contender){next->log_score, next, next->slot, -1};
    return next != NULL;
}

static void show_contender(struct show *s, const char *role, const struct contender *rival, double own) {
    page_print(&s->page, PAINT_NONE, "  %-15s", role);
    if (rival->candidate)
        page_cell(&s->page, PAINT_NONE, show_teacher(s, rival->candidate->teacher), -16);
    else if (rival->slot >= 0)
        page_print(&s->page, PAINT_NONE, "a finished trajectory (slot %d)", rival->slot);
    else
        page_print(&s->page, PAINT_NONE, "a finished trajectory (slot %d before)", rival->from);
    page_print(&s->page, PAINT_NONE, ", ");
    show_named_score(s, rival->log_score);
    page_print(&s->page, PAINT_NONE, "; margin ");
    show_margin(s, own, rival->log_score, " in S, ");
    page_print(&s->page, PAINT_NONE, "\n");
}

/* What lies behind in rank and not in score lies there by the tie rule. */
static void show_tie(struct show *s, const struct contender *behind, double own) {
    if (behind->log_score < own) return;
    page_print(&s->page, PAINT_WARN, "  %-15s%s: the seeded hash decided, not the score\n", "tie rule",
               behind->log_score == own ? "equal scores" : "scores within the noise");
}

/* The first of its round, where it is not itself; the next behind it; the first that was not kept. */
static void show_rivals(struct show *s, const struct round *round, const struct beam_before *before,
                        const struct candidate *c, double own) {
    struct contender first, next, out;
    if (c->rank > 0 && next_contender(round, before, c->run, -1, &first)) {
        show_contender(s, "first", &first, own);
        if (own > first.log_score) show_tie(s, &(struct contender){.log_score = own}, first.log_score);
    }
    if (!next_contender(round, before, c->run, c->rank, &next)) {
        page_print(&s->page, PAINT_NONE, "  %-15snone\n", "runner-up");
        return;
    }
    show_contender(s, "runner-up", &next, own);
    show_tie(s, &next, own);
    if (next.slot >= 0 && next_contender(round, before, c->run, part_of(round, c->run).n - 1, &out))
        show_contender(s, "first rejected", &out, own);
}

static void show_rejected(struct show *s, const struct round *round, const struct beam_before *before) {
    bool any = false;
    for (int i = 0; i < round->n_candidates; i++) {
        const struct candidate *c = &round->candidates[i];
        if (c->slot >= 0) continue;
        if (!any) page_print(&s->page, PAINT_BOLD, "\nNot kept in this round\n");
        any = true;
        show_candidate(s, c, false);
    }
    for (int i = 0; i < before->n; i++) {
        if (!is_lost(round, before, i)) continue;
        if (!any) page_print(&s->page, PAINT_BOLD, "\nNot kept in this round\n");
        any = true;
        show_lost(s, &before->of[i], i);
    }
}

/* Why a node of a search tree became its root: the siblings as they stood in the last round before it did, when they were still
 * there. `slot` is the node's in `round`, which made it. */
static void show_commitment(struct show *s, const struct show_problem *p, const struct round *round, int slot,
                            int run) {
    const struct round *last = NULL;
    int at = slot;
    for (const struct round *r = round; at >= 0 && r->beam[at].tree.above >= 0;) {
        last = r, slot = at;
        if (++r == p->rounds + p->n_rounds) break;
        for (at = r->n_beam - 1; at >= 0 && (r->beam[at].from != slot || r->beam[at].candidate >= 0);) at--;
    }
    page_print(
        &s->page, PAINT_NONE, "  %-15s%s\n", "why",
        last ? "the most visited child of its parent (of several the one with the best mean) became the root, one "
               "round after"
             : "the most visited child of its parent became the root, in the round that made it");
    if (!last) return;
    int first = part_of(last, run).first;
    for (int i = first; i < last->n_beam && last->beam[i].run == run; i++)
        if (last->beam[i].tree.above == last->beam[slot].tree.above) show_node(s, &last->beam[i], i, first, i == slot);
}

/* The score before a step and behind it. Before the first there is S0, which is no score but by a likelihood. */
static void show_growth(struct show *s, const struct step *step, double before) {
    bool compared = step->previous || shows_likelihoods(s->criterion);
    if (compared) {
        page_print(&s->page, PAINT_NONE, "  %-15s", step->previous ? "before" : "before (S0)");
        show_named_score(s, before);
        page_print(&s->page, PAINT_NONE, "\n");
    }
    page_print(&s->page, PAINT_NONE, "  %-15s", "after");
    show_named_score(s, step->log_score);
    if (compared) {
        page_print(&s->page, PAINT_NONE, " (");
        show_margin(s, step->log_score, before, "; ");
        page_print(&s->page, PAINT_NONE, ")");
    }
    page_print(&s->page, PAINT_NONE, "\n");
}

static void show_why_step(struct show *s, const struct show_problem *p, const struct round *round,
                          const struct candidate *own, const struct step *step, double before) {
    struct page *page = &s->page;
    page_text(page, PAINT_NONE, step->text, 2, s->full ? 0 : 4);
    if (is_tree(round)) {
        show_commitment(s, p, round, own->slot, own->run);
        return;
    }
    if (own->rank < 0) { /* curation, integration */
        page_print(page, PAINT_NONE, "  %-15s%s; nothing competes before the answers\n", "why",
                   own->parent < 0 ? "a step of the trace that the integrator made of all traces"
                                   : "the next of a trace that one teacher wrote alone");
        return;
    }
    show_growth(s, step, before);
    int could = 0, all = 0;
    for (int i = 0; i < round->n_candidates; i++) {
        if (round->candidates[i].run != own->run) continue;
        all++;
        could += round->candidates[i].rank >= 0;
    }
    page_print(page, PAINT_NONE, "  %-15s%d; of %d candidates %d could be kept, %d places\n", "rank", own->rank + 1,
               all, could, part_of(round, own->run).n);
    const struct beam_before before_it = beam_before(p, round);
    show_rivals(s, round, &before_it, own, step->log_score);
    show_rejected(s, round, &before_it);
}

/* Step `number` of the trajectory that ends with `end`, or NULL; *n is how many it has. */
static const struct step *find_step(const struct step *end, int number, int *n) {
    *n = 0;
    for (const struct step *step = end; step; step = step->previous) ++*n;
    for (int at = *n; end && at > number; at--) end = end->previous;
    return number <= *n ? end : NULL;
}

cord_status show_why(struct show *s, const struct show_problem *p, int number, cord_error *err) {
    if (!p->n_rounds) return error_set(err, CORD_BAD_INPUT, "this problem has no round yet");
    int n, slot = p->path[p->n_rounds - 1];
    if (slot < 0) return error_set(err, CORD_BAD_INPUT, "nothing is in the beam of this problem");
    const struct step *end = p->n_answers ? p->answers[0].trajectory.last : p->rounds[p->n_rounds - 1].beam[slot].last;
    const struct step *step = find_step(end, number, &n);
    if (!step)
        return error_set(
            err, CORD_BAD_INPUT,
            "there is no step %d: the best trajectory has %d, where one that was cut and continued counts as "
            "one a round",
            number, n);
    const struct round *round = &p->rounds[step->round - 1];
    slot = p->path[step->round - 1];
    int at = slot < 0 ? -1 : round->beam[slot].candidate;
    if (at < 0 || at >= round->n_candidates)
        return error_set(err, CORD_INTERNAL, "the step is no candidate of its round");
    page_print(&s->page, PAINT_BOLD, "Step %d of %d, round %d, by ", number, n, step->round);
    page_cell(&s->page, PAINT_BOLD, show_teacher(s, step->teacher), -40);
    page_print(&s->page, PAINT_NONE, "\n");
    double before = step->previous ? step->previous->log_score : p->problem->log_s0;
    show_why_step(s, p, round, &round->candidates[at], step, before);
    return CORD_OK;
}
