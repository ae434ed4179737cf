/* answer_stage.c - after the thinking: the teacher that was selected at a trajectory's final step writes the answer
 * (section 4.3), which is extracted and graded. It must not know how trajectories were chosen. */
#include "search/rounds.h"

#include <math.h>

const char *grade_name(enum grade grade) {
    static const char *const names[] = {"correct", "wrong", "no answer", "undecided"};
    return names[grade];
}

/* The prompt of an answer: the author's own, the reasoning, "</think>", and what the style opens the answer with. */
static cord_status answer_prompt(const struct search *search, struct spans prompt, const struct trajectory *trajectory,
                                 struct spans *out, cord_error *err) {
    const struct prompt_style *style = search->teachers[trajectory->author].prompt.style;
    const cord_span tail[] = {
        {text_trim_end(trajectory->reasoning), false},
        {style->think_close, true},
        {style->answer_open, true},
    };
    *out = spans_append(prompt, tail, 3, search->arena);
    return out->span ? CORD_OK : error_memory(err);
}

/* What a trajectory came with is its reply; who has no model cannot write one. */
static bool is_asked(const struct search *search, const struct trajectory *trajectory) {
    return !trajectory->reply.len && search->teachers[trajectory->author].model;
}

/* What the style opened the answer with ("The final answer is \boxed{") is none: the author must have added to it.
 * A judge's seed is made of `own`, the trajectory's number. */
static cord_status grade_reply(const struct search *search, cord_text written, uint64_t own, struct answered *answered,
                               cord_error *err) {
    if (text_trim(written).len == 0 ||
        !grader_find_answer(search->grader, answered->reply, false, &answered->answer, NULL)) {
        answered->answer = (cord_text){"", 0};
        answered->grade = GRADE_NO_ANSWER;
        answered->why = "the reply holds no answer";
        return CORD_OK;
    }
    uint64_t problem_seed = seed_text(search->settings->seed, search->question.id);
    const struct grade_request request = {
        .question = search->question.text,
        .gold = search->gold,
        .answer = answered->answer,
        .reply = answered->reply,
        .seed = seed_mix(seed_mix(problem_seed, JUDGE_STREAM), own),
        .group = search->group,
    };
    struct grade_result result;
    CORD_TRY(grader_grade(search->grader, &request, false, &result, search->arena, err));
    answered->why = result.why;
    switch (result.verdict) {
    case CORD_EQUAL: answered->grade = GRADE_CORRECT; break;
    case CORD_DIFFERENT: answered->grade = GRADE_WRONG; break;
    case CORD_UNDECIDED: answered->grade = GRADE_UNDECIDED; break;
    }
    return CORD_OK;
}

static cord_status take_reply(const struct search *search, const cord_proposal *proposal, uint64_t own,
                              struct answered *answered, cord_error *err) {
    answered->prompt_tokens = proposal->prompt_tokens;
    answered->cached_tokens = proposal->cached_tokens;
    answered->new_tokens = proposal->new_tokens;
    answered->us = proposal->us;
    CORD_TRY(error_models_own(&proposal->error, err));
    if (proposal->error.code != CORD_OK) { /* the trajectory stands; it has no answer, and this says why */
        answered->reply = answered->answer = (cord_text){"", 0};
        answered->grade = GRADE_NO_ANSWER;
        answered->refused = proposal->error.code == CORD_BAD_INPUT;
        answered->why = arena_printf(search->arena, "the answer could not be written: %s", proposal->error.message);
        return answered->why ? CORD_OK : error_memory(err);
    }
    const struct prompt_style *style = search->teachers[answered->trajectory.author].prompt.style;
    char *reply = arena_printf(search->arena, "%.*s%.*s", (int)style->answer_open.len, style->answer_open.data,
                               (int)proposal->len, proposal->text);
    if (!reply) return error_memory(err);
    answered->reply = text_trim_end(text_of(reply));
    return grade_reply(search, (cord_text){proposal->text, proposal->len}, own, answered, err);
}

/* What the draws of an answer hang on: its trajectory, not how many others there are. Of answers without reasoning it is their
 * number. */
static uint64_t number_of(const struct trajectory *t, int i) {
    return t->reasoning.len ? seed_mix(seed_text((uint64_t)t->run, t->reasoning), (uint64_t)t->author) : (uint64_t)i;
}

/* `at_answers`: with the temperature of answers, where it is not the teacher's own. */
static cord_status answer_all(const struct search *search, const struct spans *prompts,
                              const struct trajectory *finished, int n, uint64_t stream, bool at_answers,
                              struct answered *out, cord_error *err) {
    const struct search_settings *settings = search->settings;
    cord_proposal *proposals = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *proposals);
    if (!proposals) return error_memory(err);
    int asked = 0;
    uint64_t problem_seed = seed_text(settings->seed, search->question.id);
    for (int i = 0; i < n; i++) {
        const struct teacher *author = &search->teachers[finished[i].author];
        struct spans prompt;
        out[i] = (struct answered){
            .trajectory = finished[i], .reply = finished[i].reply, .log_pp = (double)NAN, .log_held_out = (double)NAN};
        if (!is_asked(search, &finished[i])) continue;
        CORD_TRY(answer_prompt(search, prompts[finished[i].author], &finished[i], &prompt, err));
        proposals[asked] = (cord_proposal){
            .model = author->model,
            .prompt = prompt.span,
            .n_spans = prompt.n,
            .sampling = author->sampling,
            .max_tokens = settings->answer_tokens,
            .group = search->group,
        };
        if (at_answers) proposals[asked].sampling.temperature = settings->answer_temperature;
        proposals[asked++].sampling.seed = seed_mix(seed_mix(problem_seed, stream), number_of(&finished[i], i));
    }
    cord_status status = asked ? cord_propose(search->engine, proposals, asked, err) : CORD_OK;
    cord_proposal *next = proposals;
    for (int i = 0; i < n; i++) {
        bool came = !is_asked(search, &finished[i]);
        if (status == CORD_OK)
            status = came ? grade_reply(search, out[i].reply, number_of(&finished[i], i), &out[i], err)
                          : take_reply(search, next, number_of(&finished[i], i), &out[i], err);
        if (!came) cord_proposal_release(next++);
    }
    return status;
}

cord_status answer_trajectories(const struct search *search, const struct spans *prompts,
                                const struct trajectory *finished, int n, struct answered *out, cord_error *err) {
    return answer_all(search, prompts, finished, n, ANSWER_STREAM, true, out, err);
}

cord_status answer_without_reasoning(const struct search *search, const struct spans *prompts, int samples,
                                     struct answered *out, cord_error *err) {
    int n = search->n_teachers * samples;
    struct trajectory *empty = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *empty);
    if (!empty) return error_memory(err);
    for (int i = 0; i < n; i++)
        empty[i] = (struct trajectory){.reasoning = {"", 0}, .author = i / samples, .candidate = -1};
    return answer_all(search, prompts, empty, n, GUESS_STREAM, false, out, err);
}
