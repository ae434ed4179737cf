/* show_prompt.c - what exactly a model was sent, put together from the journal as the search puts it together. On a
 * terminal control characters are escaped and what cord and the template wrote is painted; on a pipe every byte is as
 * it was. */
#include "cmd/show.h"

#include "data/segment.h"
#include "recipe/recipe.h"
#include "search/criterion.h"
#include "search/integration.h"

#include <unistd.h>

/* ---- who was spoken to --------------------------------------------------------------------------------------- */

static cord_status find_spoken(struct show *s, int64_t problem, int teacher, const struct spoken **out,
                               cord_error *err) {
    struct spoken *spoken;
    int n;
    CORD_TRY(journal_spoken(s->journal, problem, &s->arena, &spoken, &n, err));
    for (int i = 0; i < n; i++)
        if (spoken[i].teacher == teacher) {
            *out = &spoken[i];
            return CORD_OK;
        }
    return n ? error_set(err, CORD_BAD_INPUT, "the run's journal does not have this prompt")
             : error_set(err, CORD_BAD_INPUT, "nothing has been sent for this problem yet");
}

static cord_status find_teacher(const struct show *s, const char *name, int *teacher, cord_error *err) {
    for (*teacher = 0; *teacher < s->n_teachers; ++*teacher)
        if (strcmp(s->teachers[*teacher], name) == 0) return CORD_OK;
    const char *near = text_nearest(name, s->teachers, (size_t)s->n_teachers);
    return error_set(
        err, CORD_BAD_INPUT,
        "there is no teacher '%s'%s%s%s; --prompt takes a teacher's name, integrator, meta, judge or answer", name,
        near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
}

/* The trajectory in a place after a round; before the first round there is the empty one. */
static cord_status find_place(const struct show_problem *p, int round, int slot, struct trajectory *out,
                              cord_error *err) {
    *out = (struct trajectory){.author = -1};
    if (round > p->n_rounds) return error_set(err, CORD_BAD_INPUT, "this problem has %d rounds", p->n_rounds);
    int n = round ? p->rounds[round - 1].n_beam : 1;
    if (slot >= n) return error_set(err, CORD_BAD_INPUT, "after round %d the beam has %d places, from 0", round, n);
    if (round) *out = p->rounds[round - 1].beam[slot];
    return CORD_OK;
}

/* ---- the kinds of requests --------------------------------------------------------------------------------- */

static cord_status append(struct show *s, struct spans prompt, const cord_span *tail, int n, struct spans *out,
                          cord_error *err) {
    *out = spans_append(prompt, tail, n, &s->arena);
    return out->span ? CORD_OK : error_memory(err);
}

static cord_status propose_prompt(struct show *s, const struct show_problem *p, int teacher, int round, int slot,
                                  struct spans *out, cord_error *err) {
    struct trajectory parent;
    const struct spoken *spoken;
    if (round < 1) return error_set(err, CORD_BAD_INPUT, "teachers are asked from round 1 on");
    CORD_TRY(find_place(p, round - 1, slot, &parent, err));
    if (parent.finish != GROWING)
        return error_set(err, CORD_BAD_INPUT,
                         "slot %d was finished before round %d, so nobody was asked to continue it", slot, round);
    CORD_TRY(find_spoken(s, p->problem->key, teacher, &spoken, err));
    cord_span opened = {.trusted = false};
    CORD_TRY(segment_open(spoken->style, parent.reasoning, parent.last && parent.last->cut, parent.n_steps + 1,
                          &s->arena, &opened.text, err));
    return append(s, spoken->prompt, &opened, 1, out, err);
}

/* The candidate that a place took in a round; NULL where it was carried over. */
static const struct candidate *made_by(const struct show_problem *p, int round, const struct trajectory *t) {
    return round && t->candidate >= 0 ? &p->rounds[round - 1].candidates[t->candidate] : NULL;
}

/* The text whose score a place has, as it was scored in the round that made it, and whether it was complete then: of a search
 * tree with its rollout. */
static cord_status scored_text(struct show *s, const struct show_problem *p, const struct recipe_outline *outline,
                               int round, int slot, cord_text *text, bool *complete, cord_error *err) {
    struct trajectory t;
    bool stepwise = text_equal(outline->strategy, TEXT("cord")) || text_equal(outline->strategy, TEXT("greedy"));
    CORD_TRY(find_place(p, round, slot, &t, err));
    *text = t.reasoning;
    const struct candidate *made = made_by(p, round, &t);
    while (round > 1 && t.from >= 0 && (!made || (stepwise && made->finishes_parent))) {
        CORD_TRY(find_place(p, --round, t.from, &t, err));
        made = made_by(p, round, &t);
    }
    *complete = text_equal(outline->strategy, TEXT("mcts")) || (made && ends_thinking(made->end));
    if (made && made->rollout.len) {
        cord_span both[] = {{*text, false}, {made->rollout, false}};
        *text = spans_text((struct spans){both, 2}, &s->arena);
        if (!text->data) return error_memory(err);
    }
    if (!round || !text_equal(outline->criterion, TEXT("masked"))) return CORD_OK;
    const struct spoken *meta;
    CORD_TRY(find_spoken(s, p->problem->key, SPOKEN_META, &meta, err));
    return mask_mentions(*text, p->problem->target, meta->style->marker, &s->arena, text, err);
}

static cord_status read_recipe(struct show *s, cord_text *recipe, struct recipe_outline *outline, cord_error *err) {
    CORD_TRY(journal_get_fact(s->journal, "recipe", &s->arena, recipe, err));
    return recipe_outline(*recipe, &s->arena, outline, err);
}

static cord_status asked_judge(struct show *s, const struct show_problem *p, cord_text recipe,
                               const struct recipe_outline *outline, int round, int slot, struct spans *out,
                               cord_error *err) {
    const struct spoken *spoken;
    cord_text text, sentence;
    bool complete;
    if (!text_equal(outline->criterion, TEXT("judge")))
        return error_set(err, CORD_BAD_INPUT, "this run has no judge: its search.criterion is %.*s",
                         (int)outline->criterion.len, outline->criterion.data ? outline->criterion.data : "");
    if (round < 1) return error_set(err, CORD_BAD_INPUT, "the judge is asked from round 1 on");
    CORD_TRY(scored_text(s, p, outline, round, slot, &text, &complete, err));
    CORD_TRY(recipe_said(recipe, "judgment.sentence", &s->arena, &sentence, err));
    int who = outline->chooser_model == outline->meta_model ? SPOKEN_META : SPOKEN_ASKED;
    CORD_TRY(find_spoken(s, p->problem->key, who, &spoken, err));
    return judgment_prompt(spoken->prompt, spoken->style, sentence, text, complete, &s->arena, out, err);
}

/* The span that stands for the integrator's turn; NULL in all other prompts. */
static cord_span *find_turn(struct spans prompt) {
    for (int i = prompt.n; i-- > 0;)
        if (!prompt.span[i].trusted && text_equal(prompt.span[i].text, TEXT(INTEGRATOR_TURN))) return &prompt.span[i];
    return NULL;
}

static bool is_try(const struct round *round) { return round->n_candidates && round->candidates[0].parent < 0; }

/* The first try in this round or behind it. */
static cord_status integrator_prompt(struct show *s, const struct show_problem *p, cord_text recipe, int teacher,
                                     int round, struct spans *out, cord_error *err) {
    const struct spoken *spoken;
    cord_text form, turn;
    if (round < 1) round = 1;
    while (round <= p->n_rounds && !is_try(&p->rounds[round - 1])) round++;
    if (round < 2 || round > p->n_rounds)
        return error_set(err, CORD_BAD_INPUT, "the integrator has not been asked in that round or later");
    const struct round *before = &p->rounds[round - 2];
    cord_text *traces = arena_alloc(&s->arena, (size_t)(before->n_beam + 1) * sizeof *traces);
    if (!traces) return error_memory(err);
    for (int i = 0; i < before->n_beam; i++) traces[i] = before->beam[i].reasoning;
    CORD_TRY(recipe_said(recipe, "integration.prompt", &s->arena, &form, err));
    CORD_TRY(integration_ask(form, p->problem->question, traces, before->n_beam, &s->arena, &turn, err));
    CORD_TRY(find_spoken(s, p->problem->key, teacher, &spoken, err));
    CORD_TRY(append(s, spoken->prompt, NULL, 0, out, err));
    cord_span *place = find_turn(*out);
    if (!place)
        return error_set(err, CORD_BAD_INPUT, "the integrator's chat template does not keep a turn's text as it is");
    place->text = turn;
    return CORD_OK;
}

static cord_status score_prompt(struct show *s, const struct show_problem *p, const struct recipe_outline *outline,
                                int round, int slot, struct spans *out, cord_error *err) {
    const struct spoken *spoken;
    cord_text text;
    bool complete;
    const struct criterion *criterion = criterion_named(outline->criterion);
    if (round && !criterion->noises)
        return error_set(
            err, CORD_BAD_INPUT,
            "the meta-prover was not asked for scores: search.criterion is %s; --round 0 shows what it was "
            "asked for S0",
            criterion->name);
    CORD_TRY(scored_text(s, p, outline, round, slot, &text, &complete, err));
    CORD_TRY(find_spoken(s, p->problem->key, SPOKEN_META, &spoken, err));
    const cord_span tail[] = {{text_trim_end(text), false},
                              {spoken->style->score_open, true},
                              {p->problem->target, false},
                              {spoken->style->score_close, true}};
    return append(s, spoken->prompt, tail, 4, out, err);
}

static cord_status answer_prompt(struct show *s, const struct show_problem *p, int number, struct spans *out,
                                 cord_error *err) {
    const struct spoken *spoken;
    if (number >= p->n_answers)
        return error_set(err, CORD_BAD_INPUT, "this problem has %d finished trajectories, from 0", p->n_answers);
    const struct trajectory *t = &p->answers[number].trajectory;
    CORD_TRY(find_spoken(s, p->problem->key, t->author, &spoken, err));
    if (find_turn(spoken->prompt))
        return error_set(err, CORD_BAD_INPUT, "the answer came with the merged trace, so that nobody was asked for it");
    const cord_span tail[] = {
        {text_trim_end(t->reasoning), false}, {spoken->style->think_close, true}, {spoken->style->answer_open, true}};
    return append(s, spoken->prompt, tail, 3, out, err);
}

/* ---- printing ------------------------------------------------------------------------------------------------ */

static void print_spans(struct show *s, struct spans spans) {
    bool raw = !isatty(fileno(s->page.out));
    for (int i = 0; i < spans.n; i++) {
        cord_text t = spans.span[i].text;
        if (raw && t.len)
            fwrite(t.data, 1, t.len, s->page.out);
        else if (!raw)
            page_raw(&s->page, spans.span[i].trusted ? PAINT_DIM : PAINT_NONE, t);
    }
    if (!raw) fputc('\n', s->page.out);
}

/* The journal has the prompts by which a problem began. */
static cord_status note_changes(struct show *s, cord_error *err) {
    struct page page;
    page_init(&page, s->call->err);
    cord_status status = show_fact(s, &page, "changed", "cord: this run was gone on with other settings (", "; ",
                                   "): prompts are those by which the problem began", err);
    page_release(&page);
    return status;
}

/* By contrast there is a second prompt, which differs in the answer alone. */
static void note_contrast(struct show *s, const struct show_problem *p) {
    struct page page;
    if (!p->problem->contrast.len) return; /* no answer was wrong, so there is none */
    page_init(&page, s->call->err);
    page_print(&page, PAINT_NONE,
               "cord: search.criterion is contrast: the same was sent with another answer in its place: ");
    page_cell(&page, PAINT_NONE, p->problem->contrast, -1000);
    page_print(&page, PAINT_NONE, "\n");
    page_release(&page);
}

static cord_status refuse_given(const char *name, cord_error *err) {
    return error_set(
        err, CORD_BAD_INPUT,
        "nothing was sent for '%s': the traces and their answers were given (cord select), and the meta-prover "
        "alone was asked, for scores; --prompt meta shows that",
        name);
}

cord_status show_prompt(struct show *s, const struct show_problem *p, const char *name, int round, int slot,
                        cord_error *err) {
    struct recipe_outline outline;
    struct spans spans;
    cord_text recipe;
    int teacher;
    CORD_TRY(read_recipe(s, &recipe, &outline, err));
    bool found = find_teacher(s, name, &teacher, NULL) == CORD_OK;
    bool answer = !found && strcmp(name, "answer") == 0;
    if ((found || answer) && text_equal(outline.strategy, TEXT("selection"))) return refuse_given(name, err);
    if (found && text_equal(outline.strategy, TEXT("integration")) && !strcmp(name, INTEGRATOR))
        CORD_TRY(integrator_prompt(s, p, recipe, teacher, round, &spans, err));
    else if (found)
        CORD_TRY(propose_prompt(s, p, teacher, round, slot, &spans, err));
    else if (strcmp(name, "meta") == 0)
        CORD_TRY(score_prompt(s, p, &outline, round, slot, &spans, err));
    else if (strcmp(name, "judge") == 0)
        CORD_TRY(asked_judge(s, p, recipe, &outline, round, slot, &spans, err));
    else if (answer)
        CORD_TRY(answer_prompt(s, p, slot, &spans, err));
    else
        return find_teacher(s, name, &teacher, err);
    print_spans(s, spans);
    bool scored = !found && !strcmp(name, "meta") && round > 0;
    if (scored && text_equal(outline.criterion, TEXT("contrast"))) note_contrast(s, p);
    return note_changes(s, err);
}
