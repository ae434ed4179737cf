/* integration.c - what CoRD is compared with (section 4 of the paper): complete traces of all teachers, merged into one by a
 * model that reads them.
 *
 *     traces <- as in curation, step by step or whole, until all are finished; none is scored
 *     until a reply is accepted, or all tries are used up:
 *         ask      the integrator, who sees the question and the traces, never the gold
 *         read     its JSON: steps and an answer; mended where that is safe, or refused
 *         score    the merged trace by S
 *     the merged trace alone is finished; its answer is the JSON's
 *
 * A try is a round of its own, so that a search that was stopped goes on with the next one. A refused reply is a dropped
 * candidate with its reason. It must not know SQLite, files or terminals. */
#include "search/integration.h"

#include "base/thinking.h"
#include "search/rounds.h"

#include <math.h>

enum { MOST_REASONING = 64 << 20 }; /* bytes of a merged trace */

/* ---- ask ------------------------------------------------------------------------------------------------------- */

/* The integrator's own prompt, with the question and all traces in it. */
static cord_status make_prompt(const struct beam *beam, struct spans *prompt, cord_error *err) {
    const struct search *search = beam->search;
    cord_text *traces = arena_alloc(beam->arena, (size_t)beam->n * sizeof *traces);
    struct question asked = {.id = search->question.id};
    if (!traces) return error_memory(err);
    for (int i = 0; i < beam->n; i++) traces[i] = beam->trajectories[i].reasoning;
    CORD_TRY(integration_ask(search->settings->integration.form, search->question.text, traces, beam->n, beam->arena,
                             &asked.text, err));
    return prompt_render(&search->teachers[search->n_teachers].prompt, &asked, beam->arena, prompt, err);
}

/* ---- read ------------------------------------------------------------------------------------------------------ */

/* Headed as the meta-prover's style heads steps, the number in the heading or behind it. */
static cord_status add_heading(const struct beam *beam, const struct prompt_style *style, int number, struct buf *out,
                               size_t *from, cord_error *err) {
    cord_text heading, none = {"", 0};
    if (!style->marker.len) {
        *from = out->len;
        return CORD_OK;
    }
    CORD_TRY(segment_open(style, none, false, number, beam->arena, &heading, err));
    buf_add(out, heading);
    *from = out->len;
    if (segment_is_numbered(style->marker))
        buf_addc(out, ' ');
    else
        buf_addf(out, " %d. ", number);
    return CORD_OK;
}

/* The reasoning that the steps make, and where each stands in it. */
static cord_status join_steps(const struct beam *beam, const struct integrated *merged, struct buf *out,
                              struct candidate *c, cord_error *err) {
    const struct prompt_style *style = beam->search->meta_prover->prompt.style;
    struct step_part *parts = arena_alloc(beam->arena, (size_t)merged->n * sizeof *parts);
    if (!parts) return error_memory(err);
    for (int i = 0; i < merged->n; i++) {
        bool last = i == merged->n - 1;
        CORD_TRY(add_heading(beam, style, i + 1, out, &parts[i].from, err));
        buf_add(out, merged->steps[i].text);
        parts[i].to = out->len;
        parts[i].category = merged->steps[i].category;
        if (!last) buf_add(out, style->marker.len ? style->between : TEXT("\n\n"));
        if (!last && !style->marker.len)
            parts[i].to = out->len; /* the blank line is the step's, as where one ends it */
    }
    CORD_TRY(buf_check(out, err));
    c->reasoning = arena_text(beam->arena, buf_text(out));
    c->parts = parts;
    c->n_parts = merged->n;
    return c->reasoning.data ? CORD_OK : error_memory(err);
}

/* What the integrator said, as a candidate; *answer where it was accepted. */
static cord_status read_reply(const struct beam *beam, const cord_proposal *proposal, struct candidate *c,
                              cord_text *answer, cord_error *err) {
    bool thinking = thinking_left_open(proposal->prompt, proposal->n_spans);
    struct integrated merged;
    struct buf reasoning;
    cord_error why = {0};
    c->step = arena_text(beam->arena, (cord_text){proposal->text, proposal->len});
    if (!c->step.data) return error_memory(err);
    c->end = STEP_CLOSED;
    cord_status status =
        integration_read(c->step, proposal->end == CORD_END_LENGTH, thinking, beam->arena, &merged, &why);
    if (status == CORD_BAD_INPUT) return drop_failed(beam, c, "refused", why.message, err);
    if (status != CORD_OK) return error_memory(err);
    buf_init(&reasoning, "a merged trace", MOST_REASONING);
    status = join_steps(beam, &merged, &reasoning, c, err);
    buf_release(&reasoning);
    *answer = merged.answer;
    return status;
}

static cord_status take(const struct beam *beam, const cord_proposal *proposal, struct candidate *c, cord_text *answer,
                        cord_error *err) {
    c->prompt_tokens = proposal->prompt_tokens;
    c->cached_tokens = proposal->cached_tokens;
    c->new_tokens = proposal->new_tokens;
    c->propose_us = proposal->us;
    CORD_TRY(error_models_own(&proposal->error, err));
    if (proposal->error.code != CORD_OK) return drop_failed(beam, c, "not written", proposal->error.message, err);
    return read_reply(beam, proposal, c, answer, err);
}

static cord_status ask(const struct beam *beam, struct candidate *c, cord_text *answer, cord_error *err) {
    const struct search *search = beam->search;
    const struct teacher *integrator = &search->teachers[search->n_teachers];
    struct spans prompt;
    CORD_TRY(make_prompt(beam, &prompt, err));
    cord_proposal proposal = {
        .model = integrator->model,
        .prompt = prompt.span,
        .n_spans = prompt.n,
        .sampling = integrator->sampling,
        .max_tokens = search->settings->integration.tokens,
        .group = search->group,
    };
    proposal.sampling.seed = c->seed;
    cord_status status = cord_propose(search->engine, &proposal, 1, err);
    if (status == CORD_OK) status = take(beam, &proposal, c, answer, err);
    cord_proposal_release(&proposal);
    return status;
}

/* ---- keep ------------------------------------------------------------------------------------------------------ */

/* The merged trace alone; or, where there is none, all traces as they were. */
static cord_status keep(struct beam *beam, struct candidate *c, cord_text answer, cord_error *err) {
    bool merged = c->drop == DROP_NONE;
    int n = merged ? 1 : beam->n;
    struct trajectory *kept = arena_alloc(beam->arena, (size_t)n * sizeof *kept);
    if (!kept) return error_memory(err);
    beam->anew++;
    if (merged) {
        c->slot = 0;
        CORD_TRY(grow(beam, c, kept, err));
        kept->candidate = 0;
        kept->reply = answer;
        CORD_TRY(settle(beam, kept, c, err));
    } else {
        beam->refused = arena_text(beam->search->arena, text_of(c->drop_why)).data;
        if (!beam->refused) return error_memory(err);
    }
    for (int i = 0; !merged && i < n; i++) CORD_TRY(carry_over(beam, i, &kept[i], err));
    beam->trajectories = kept;
    beam->n = n;
    return CORD_OK;
}

static cord_status integrate(struct beam *beam, struct round *round, cord_error *err) {
    struct candidate *c = arena_alloc(beam->arena, sizeof *c);
    cord_text answer = {"", 0};
    if (!c) return error_memory(err);
    *c = new_candidate(beam, -1, 0, 0, beam->search->n_teachers, 0);
    c->log_score = (double)NAN;
    c->reasoning = c->step = answer;
    CORD_TRY(ask(beam, c, &answer, err));
    if (c->drop == DROP_NONE) CORD_TRY(score_candidates(beam, c, 1, err));
    round->candidates = c;
    round->n_candidates = 1;
    return keep(beam, c, answer, err);
}

/* ---- the search ------------------------------------------------------------------------------------------------ */

static bool is_merged(const struct beam *beam) { return beam->trajectories[0].author == beam->search->n_teachers; }

static cord_status play(struct beam *beam, struct round *round, cord_error *err) {
    return all_finished(beam) ? integrate(beam, round, err) : curation_play(beam, round, err);
}

static bool ended(const struct beam *beam) {
    if (!all_finished(beam)) return false;
    return !beam->trajectories[0].last || is_merged(beam) || beam->anew >= beam->search->settings->integration.tries;
}

static cord_status check(const struct beam *beam, cord_error *err) {
    if (is_merged(beam)) return CORD_OK;
    return error_set(err, CORD_BAD_INPUT, "the integrator gave no trace in %d %s; the last time it was %s", beam->anew,
                     beam->anew == 1 ? "try" : "tries", beam->refused ? beam->refused : "refused");
}

cord_status integration_search(const struct search *search, cord_error *err) {
    const struct strategy strategy = {.play = play, .ended = ended, .check = check, .integrates = true};
    return play_strategy(search, &strategy, err);
}
