/* prm.c - a process reward model as the criterion: a model that was trained to say of each step whether it is right.
 *
 * Two of the three kinds are language models that say it by a token, "+" or "-", behind a step; the score of a step is the
 * share of "+" among the probabilities of these two. The likelihoods come from cord_score, one request a token, so every back
 * end that scores can do it. Formats, after what their authors published (read, not tried: no such model was at hand):
 *
 *   rlhflow         RLHFlow/Llama3.1-8B-PRM-{Mistral,Deepseek}-Data; the repository RLHF-Reward-Modeling, math-rm. A
 *                   conversation: the user says the question, a blank and step 1; the assistant says "+"; the user says step
 *                   2; and so on. What is read is what the assistant would say of the last step; all before count as "+".
 *   math-shepherd   peiyi9979/math-shepherd-mistral-7b-prm, its model card. Plain text: the question, a blank, then
 *                   "Step 1: ... ки", a line a step; what is read is the token behind the tag "ки".
 *
 * The third has a classification head of two classes in place of a vocabulary, and cord_classify reads it:
 *
 *   qwen2.5-math-prm   Qwen/Qwen2.5-Math-PRM-{7B,72B} and Qwen2.5-Math-7B-PRM800K, their model cards. A conversation: a system
 *                   text, the question, and the steps as the assistant's, each with "<extra_0>" behind it. At each of these
 *                   tokens the softmax over the two classes is read; the second is "good". A token sees only what stands
 *                   before it, so one request has the scores of all steps.
 *
 * The score of a reasoning is made of its steps' by reward.aggregate. It must not know beams. */
#include "search/criterion.h"

#include <math.h>

#define NO_STEP    "there is no step that the reward model could judge"
#define TEXT_LIMIT ((size_t)64 << 20) /* bytes of a prompt */

const char *const reward_format_names[] = {"qwen2.5-math-prm", "rlhflow", "math-shepherd", NULL};
const char *const reward_aggregate_names[] = {"last", "minimum", "product", NULL};

double reward_log_share(double log_good, double log_bad) {
    if (isnan(log_good) || isnan(log_bad) || log_good == log_bad) return log_good == log_bad ? log(0.5) : (double)NAN;
    return log_bad > log_good ? log_good - log_bad - log1p(exp(log_good - log_bad)) : -log1p(exp(log_bad - log_good));
}

double reward_of_classes(const double *log_classes, int n_classes) {
    return n_classes == 2 ? reward_log_share(log_classes[1], log_classes[0]) : (double)NAN;
}

double reward_aggregate(enum reward_aggregate aggregate, const double *log_steps, int n) {
    double sum = 0, least = HUGE_VAL;
    for (int i = 0; i < n; i++) {
        sum += log_steps[i];
        if (log_steps[i] < least || isnan(log_steps[i])) least = log_steps[i];
        if (isnan(least)) break;
    }
    switch (aggregate) {
    case REWARD_MINIMUM: return least;
    case REWARD_PRODUCT: return sum;
    case REWARD_LAST: break;
    }
    return log_steps[n - 1];
}

/* ---- what is asked ------------------------------------------------------------------------------------------------ */

/* A step with all before it, once for all reasonings that begin so. */
struct question_of_step {
    cord_text text; /* the reasoning up to the step's end, */
    int n_steps;    /* and how many it has: one with a heading further on is divided otherwise */
    struct scored good;
    double log_share;
    int owner; /* the first reasoning that asked, which bears the costs */
};

static cord_status render_rlhflow(const struct search *search, const struct stretch *steps, int n, struct spans *out,
                                  cord_error *err) {
    cord_message *messages = arena_alloc(search->arena, (size_t)n * 2 * sizeof *messages);
    if (!messages) return error_memory(err);
    cord_text question = text_trim(search->question.text);
    const char *first = arena_printf(search->arena, "%.*s %.*s", (int)question.len, question.data,
                                     (int)steps[0].text.len, steps[0].text.data);
    if (!first) return error_memory(err);
    for (int i = 0; i < n; i++) {
        messages[2 * i] = (cord_message){"user", i ? steps[i].text : text_of(first)};
        messages[2 * i + 1] = (cord_message){"assistant", TEXT("+")};
    }
    const struct prompt *prompt = &search->reward->prompt;
    const struct chat_options options = {prompt->bos, prompt->eos, prompt->style->date};
    return chat_render(prompt->tmpl, messages, 2 * n - 1, &options, search->arena, &out->span, &out->n, err);
}

static cord_status render_shepherd(const struct search *search, const struct stretch *steps, int n, struct spans *out,
                                   cord_error *err) {
    struct buf text;
    buf_init(&text, "a question to the reward model", TEXT_LIMIT);
    buf_add(&text, text_trim(search->question.text));
    for (int i = 0; i < n; i++) {
        buf_addf(&text, i ? " ки\nStep %d: " : " Step %d: ", i + 1);
        buf_add(&text, steps[i].text);
    }
    cord_status status = buf_check(&text, err);
    if (status == CORD_OK) {
        const cord_span spans[] = {{search->reward->prompt.bos, true},
                                   {arena_text(search->arena, buf_text(&text)), false}};
        bool bos = spans[0].text.len > 0;
        *out = spans_append((struct spans){NULL, 0}, spans + !bos, 1 + bos, search->arena);
        if (!out->span || !spans[1].text.data) status = error_memory(err);
    }
    buf_release(&text);
    return status;
}

/* As the model's own template writes it; the end of the turn is left out, since nothing that is read stands behind it. */
cord_status reward_marked(cord_text question, const struct stretch *steps, int n, struct arena *arena,
                          struct spans *out, cord_error *err) {
    cord_span *spans = arena_alloc(arena, ((size_t)n * 2 + 3) * sizeof *spans);
    if (!spans) return error_memory(err);
    spans[0] = (cord_span){TEXT("<|im_start|>system\nPlease reason step by step, and put your final answer within "
                                "\\boxed{}.<|im_end|>\n<|im_start|>user\n"),
                           true};
    spans[1] = (cord_span){text_trim(question), false};
    spans[2] = (cord_span){TEXT("<|im_end|>\n<|im_start|>assistant\n"), true};
    for (int i = 0; i < n; i++) {
        spans[3 + 2 * i] = (cord_span){steps[i].text, false};
        spans[4 + 2 * i] = (cord_span){REWARD_MARK, true};
    }
    *out = (struct spans){spans, n * 2 + 3};
    return CORD_OK;
}

/* The two requests of a step: how likely "+" is behind it, and how likely "-" is. */
static cord_status request_step(const struct search *search, const struct stretch *steps, int n, cord_scoring pair[2],
                                cord_error *err) {
    bool shepherd = search->settings->reward_format == REWARD_SHEPHERD;
    struct spans prompt;
    CORD_TRY(shepherd ? render_shepherd(search, steps, n, &prompt, err)
                      : render_rlhflow(search, steps, n, &prompt, err));
    pair[0] = pair[1] = (cord_scoring){
        .model = search->reward->model,
        .prompt = prompt.span,
        .n_spans = prompt.n,
        .opening = {shepherd ? TEXT(" ки ") : (cord_text){"", 0},
                    true}, /* the sign's token holds the blank before it */
        .group = search->group,
        .others_go_on = search->others_go_on,
    };
    pair[0].target = (cord_span){TEXT("+"), true};
    pair[1].target = (cord_span){TEXT("-"), true};
    return CORD_OK;
}

/* ---- asking -------------------------------------------------------------------------------------------------------- */

struct asking {
    struct question_of_step *questions;
    cord_scoring *requests; /* two of each */
    int n;
};

/* The question of the last of n steps of a reasoning; a new one where nobody has asked it yet. */
static cord_status add_question(const struct search *search, struct asking *asking, cord_text reasoning,
                                const struct stretch *steps, int n, int owner, int *number, cord_error *err) {
    cord_text text = text_trim_end(text_slice(reasoning, 0, steps[n - 1].end));
    for (*number = 0; *number < asking->n; ++*number)
        if (asking->questions[*number].n_steps == n && text_equal(asking->questions[*number].text, text))
            return CORD_OK;
    asking->questions[asking->n] = (struct question_of_step){.text = text, .n_steps = n, .owner = owner};
    return request_step(search, steps, n, &asking->requests[2 * asking->n++], err);
}

static cord_status ask(const struct search *search, struct asking *asking, struct scored *items, cord_error *err) {
    cord_status status = asking->n ? cord_score(search->engine, asking->requests, 2 * asking->n, err) : CORD_OK;
    for (int i = 0; i < 2 * asking->n; i++) {
        const cord_scoring *request = &asking->requests[i];
        struct question_of_step *question = &asking->questions[i / 2];
        struct scored taken = {0};
        scored_take(&taken, request, status == CORD_OK);
        /* all of the sign's tokens, where it should be more than one */
        double all = taken.log_score * (request->n_tokens > 1 ? request->n_tokens : 1);
        if (i % 2 == 0)
            question->good = (struct scored){.log_score = all, .error = taken.error};
        else
            question->log_share = reward_log_share(question->good.log_score, all);
        if (question->good.error.code == CORD_OK) question->good.error = taken.error;
        struct scored *owner = &items[question->owner];
        owner->prompt_tokens += taken.prompt_tokens;
        owner->cached_tokens += taken.cached_tokens;
        if (taken.us > owner->us) owner->us = taken.us;
        if (status == CORD_OK) status = error_models_own(&request->error, err);
        cord_scoring_release(&asking->requests[i]);
    }
    return status;
}

/* ---- a reasoning's steps ------------------------------------------------------------------------------------------ */

/* One reasoning's steps, and which question is each one's. */
struct course {
    struct stretch *steps;
    int *questions;
    int n;
};

/* Its steps without blanks at their ends, however they are divided. */
static cord_status divide(const struct search *search, cord_text reasoning, struct course *course, cord_error *err) {
    int n;
    CORD_TRY(segment_divide(search->meta_prover->prompt.style, reasoning, search->arena, &course->steps, &n, err));
    for (int i = course->n = 0; i < n; i++) {
        struct stretch step = {text_trim(course->steps[i].text), course->steps[i].end};
        if (step.text.len) course->steps[course->n++] = step;
    }
    return CORD_OK;
}

static cord_status split_all(const struct search *search, const struct scored *items, int n, struct course *courses,
                             int *n_steps, cord_error *err) {
    *n_steps = 0;
    for (int i = 0; i < n; i++) {
        CORD_TRY(divide(search, items[i].reasoning, &courses[i], err));
        courses[i].questions = arena_alloc(search->arena, (size_t)(courses[i].n + 1) * sizeof *courses[i].questions);
        if (!courses[i].questions) return error_memory(err);
        *n_steps += courses[i].n;
    }
    return CORD_OK;
}

static cord_status take_scores(const struct search *search, const struct asking *asking, const struct course *course,
                               int first, struct scored *item, cord_error *err) {
    double *log_steps = arena_alloc(search->arena, (size_t)(course->n + 1) * sizeof *log_steps);
    if (!log_steps) return error_memory(err);
    for (int k = first; k < course->n; k++) {
        const struct question_of_step *question = &asking->questions[course->questions[k]];
        log_steps[k] = question->log_share;
        if (item->error.code == CORD_OK) item->error = question->good.error;
    }
    if (course->n == 0)
        error_fill(&item->error, CORD_BAD_INPUT, NO_STEP);
    else if (item->error.code == CORD_OK)
        item->log_score = reward_aggregate(search->settings->reward_aggregate, log_steps + first, course->n - first);
    return CORD_OK;
}

/* ---- read of a head ----------------------------------------------------------------------------------------------- */

/* What a reply comes to: the score of one reasoning, whose steps are as many as the places. */
static cord_status take_classes(const struct search *search, const cord_classification *request, struct scored *item,
                                cord_error *err) {
    item->prompt_tokens += request->prompt_tokens;
    item->cached_tokens += request->cached_tokens;
    if (request->us > item->us) item->us = request->us;
    CORD_TRY(error_models_own(&request->error, err));
    if (item->error.code == CORD_OK) item->error = request->error; /* its tokens may be what could not be counted */
    if (item->error.code != CORD_OK) return CORD_OK;
    double *log_steps = arena_alloc(search->arena, (size_t)request->n_places * sizeof *log_steps);
    if (!log_steps) return error_memory(err);
    for (int k = 0; k < request->n_places; k++)
        log_steps[k] = reward_of_classes(request->logprob + (size_t)k * (size_t)request->n_classes, request->n_classes);
    if (request->n_classes != 2)
        return error_set(err, CORD_BAD_MODEL,
                         "the reward model's head has %d classes, and reward.format: qwen2.5-math-prm reads two; name "
                         "another model in reward.model",
                         request->n_classes);
    item->log_score = reward_aggregate(search->settings->reward_aggregate, log_steps, request->n_places);
    return CORD_OK;
}

/* The first with the same reasoning. */
static int first_alike(const struct scored *items, int i) {
    int first = 0;
    while (!text_equal(text_trim_end(items[first].reasoning), text_trim_end(items[i].reasoning))) first++;
    return first;
}

/* One request for each reasoning that has a step, and is not the same as one before. */
static cord_status score_by_head(const struct search *search, const struct course *courses, struct scored *items, int n,
                                 cord_error *err) {
    cord_classification *requests = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *requests);
    int *of = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *of), asked = 0;
    if (!requests || !of) return error_memory(err);
    for (int i = 0; i < n; i++) {
        struct spans spans;
        if (first_alike(items, i) < i) continue;
        if (courses[i].n == 0) {
            error_fill(&items[i].error, CORD_BAD_INPUT, NO_STEP);
            continue;
        }
        CORD_TRY(reward_marked(search->question.text, courses[i].steps, courses[i].n, search->arena, &spans, err));
        of[asked] = i;
        requests[asked++] = (cord_classification){.model = search->reward->model,
                                                  .prompt = spans.span,
                                                  .n_spans = spans.n,
                                                  .mark = REWARD_MARK,
                                                  .group = search->group};
    }
    cord_status status = asked ? cord_classify(search->engine, requests, asked, err) : CORD_OK;
    for (int k = 0; k < asked; k++) {
        if (status == CORD_OK) status = take_classes(search, &requests[k], &items[of[k]], err);
        cord_classification_release(&requests[k]);
    }
    for (int i = 0; i < n; i++) {
        const struct scored *first = &items[first_alike(items, i)];
        items[i].log_score = first->log_score;
        items[i].error = first->error;
    }
    return status;
}

/* ---- the criterion itself ------------------------------------------------------------------------------------------ */

static cord_status score(const struct search *search, struct spans prompt, struct scored *items, int n,
                         cord_error *err) {
    (void)prompt;
    bool last = search->settings->reward_aggregate == REWARD_LAST;
    int n_steps;
    struct course *courses = arena_alloc(search->arena, (size_t)(n + 1) * sizeof *courses);
    if (!courses) return error_memory(err);
    CORD_TRY(count_scored(search, items, n, err));
    CORD_TRY(split_all(search, items, n, courses, &n_steps, err));
    if (search->settings->reward_format == REWARD_QWEN) return score_by_head(search, courses, items, n, err);
    struct asking asking = {
        .questions = arena_alloc(search->arena, (size_t)(n_steps + 1) * sizeof *asking.questions),
        .requests = arena_alloc(search->arena, (size_t)(2 * n_steps + 1) * sizeof *asking.requests),
    };
    if (!asking.questions || !asking.requests) return error_memory(err);
    for (int i = 0; i < n; i++)
        for (int k = last && courses[i].n ? courses[i].n - 1 : 0; k < courses[i].n; k++)
            CORD_TRY(add_question(search, &asking, items[i].reasoning, courses[i].steps, k + 1, i,
                                  &courses[i].questions[k], err));
    CORD_TRY(ask(search, &asking, items, err));
    for (int i = 0; i < n; i++)
        CORD_TRY(
            take_scores(search, &asking, &courses[i], last && courses[i].n ? courses[i].n - 1 : 0, &items[i], err));
    return CORD_OK;
}

const struct criterion criterion_prm = {
    .name = "prm",
    .what = "a process reward model's",
    .chooser = "reward.model",
    .word = "prm",
    .shown_as = SHOWN_SCORE,
    .unit = true,
    .score = score,
};
