/* judge.c - binary judgment (section 4 of the paper's comparison): a reasoning is worth how often a model that has to answer
 * from it, now, answers right. To a reasoning that is not complete a sentence is added that says so; then what stands before an
 * answer that is scored, with a colon: " </think> The final answer is:"; the judge finishes that several times, each answer is found and graded as any other, and
 * the share of the correct ones is the score. What the grader cannot decide is not correct.
 *
 * The judge is spoken to in the meta-prover's style. All completions of all reasonings are one call of the engine. */
#include "search/criterion.h"

#include <ctype.h>
#include <math.h>

/* " </think> The final answer is:" */
static const char *opening_of(const struct prompt_style *style, struct arena *arena) {
    cord_text open = text_trim_end(style->score_open);
    bool colon = open.len && isalnum((unsigned char)open.data[open.len - 1]); /* it may end in \boxed{ */
    return arena_printf(arena, "%.*s%s", (int)open.len, open.data, colon ? ":" : "");
}

/* How often the same is asked. Without a temperature all completions would be one. */
static int times_of(const struct judgment *judgment) { return judgment->temperature > 0 ? judgment->completions : 1; }

static uint64_t seed_of(const struct search *search, const struct scored *item) {
    return seed_text(seed_mix(run_seed(search, item->run), JUDGMENT_STREAM), text_trim_end(item->reasoning));
}

cord_status judgment_prompt(struct spans prompt, const struct prompt_style *style, cord_text sentence,
                            cord_text reasoning, bool complete, struct arena *arena, struct spans *out,
                            cord_error *err) {
    const char *apart = arena_printf(arena, "\n\n%.*s", (int)sentence.len, sentence.data);
    const char *opening = opening_of(style, arena);
    if (!apart || !opening) return error_memory(err);
    const cord_span tail[] = {
        {text_trim_end(reasoning), false},
        {complete ? (cord_text){"", 0} : text_of(apart), true},
        {text_of(opening), true},
    };
    *out = spans_append(prompt, tail, 3, arena);
    return out->span ? CORD_OK : error_memory(err);
}

static cord_status ask(const struct search *search, struct spans prompt, const struct scored *item,
                       cord_proposal *proposals, int times, cord_error *err) {
    const struct judgment *judgment = &search->settings->judgment;
    struct spans whole;
    CORD_TRY(judgment_prompt(prompt, search->judge->prompt.style, judgment->sentence, item->reasoning, item->complete,
                             search->arena, &whole, err));
    for (int k = 0; k < times; k++)
        proposals[k] = (cord_proposal){
            .model = search->judge->model,
            .prompt = whole.span,
            .n_spans = whole.n,
            .sampling = {.temperature = judgment->temperature,
                         .top_p = 1,
                         .seed = seed_mix(seed_of(search, item), (uint64_t)k)},
            .max_tokens = judgment->tokens,
            .group = search->group,
            .others_go_on = search->others_go_on,
        };
    return CORD_OK;
}

static cord_status is_correct(const struct search *search, const cord_proposal *proposal, bool *correct,
                              cord_error *err) {
    const char *opening = opening_of(search->judge->prompt.style, search->arena);
    if (!opening) return error_memory(err);
    char *reply = arena_printf(search->arena, "%s%.*s", opening, (int)proposal->len, proposal->text);
    if (!reply) return error_memory(err);
    struct grade_request request = {.question = search->question.text,
                                    .gold = search->gold,
                                    .reply = text_trim_end(text_of(reply)),
                                    .seed = proposal->sampling.seed,
                                    .group = search->group};
    struct grade_result result;
    *correct = false;
    if (!text_trim((cord_text){proposal->text, proposal->len}).len ||
        !grader_find_answer(search->grader, request.reply, false, &request.answer, NULL))
        return CORD_OK;
    CORD_TRY(grader_grade(search->grader, &request, false, &result, search->arena, err));
    *correct = result.verdict == CORD_EQUAL;
    return CORD_OK;
}

/* A reasoning of which one completion failed has no score: a share of fewer would be another measure. */
static cord_status read_completions(const struct search *search, const cord_proposal *proposals, int times,
                                    struct scored *item, cord_error *err) {
    int right = 0;
    for (int k = 0; k < times; k++) {
        const cord_proposal *p = &proposals[k];
        item->prompt_tokens += p->prompt_tokens;
        item->cached_tokens += p->cached_tokens;
        item->judged_tokens += p->new_tokens;
        if (p->us > item->judge_us) item->judge_us = p->us;
        if (p->error.code != CORD_OK) {
            item->error = p->error;
            CORD_TRY(error_models_own(&p->error, err));
            continue;
        }
        bool correct;
        CORD_TRY(is_correct(search, p, &correct, err));
        right += correct;
    }
    if (item->error.code == CORD_OK) item->log_score = log((double)right / times); /* of 0: -INFINITY */
    return CORD_OK;
}

static cord_status score(const struct search *search, struct spans prompt, struct scored *items, int n,
                         cord_error *err) {
    int times = times_of(&search->settings->judgment);
    struct spans own;
    CORD_TRY(count_scored(search, items, n, err));
    CORD_TRY(prompt_of_scorer(search, search->judge, prompt, &own, err));
    cord_proposal *proposals = arena_alloc(search->arena, ((size_t)n * (size_t)times + 1) * sizeof *proposals);
    if (!proposals) return error_memory(err);
    for (int i = 0; i < n; i++) CORD_TRY(ask(search, own, &items[i], &proposals[i * times], times, err));
    cord_status status = n ? cord_propose(search->engine, proposals, n * times, err) : CORD_OK;
    for (int i = 0; i < n; i++)
        if (status == CORD_OK) status = read_completions(search, &proposals[i * times], times, &items[i], err);
    for (int i = 0; i < n * times; i++) cord_proposal_release(&proposals[i]);
    return status;
}

static const struct meta_prover *asked(const struct search *search) { return search->judge; }

const struct criterion criterion_judge = {
    .name = "judge",
    .what = "the share of right answers of a model that must answer at once",
    .knows_gold = true,
    .chooser = "judgment.model",
    .word = "judge",
    .shown_as = SHOWN_SCORE,
    .unit = true,
    .score = score,
    .asked = asked,
};
