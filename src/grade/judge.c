/* judge.c - a language model as a grader: whether the prediction holds the core content of the reference, as the paper
 * has PubMedQA's answers judged. It must not know where its questions come from.
 *
 * What it is asked holds texts of users and models; the chat template's rendering keeps them apart from what may become
 * a special token (data/chat.h). It reads what they say all the same, so a prediction can try to talk it round: a judge
 * gives an opinion, never a proof. */
#include "grade/judge.h"

#include "base/thinking.h"
#include "data/prompt.h"

#include <ctype.h>

/* Short and plain: with more conditions a model of half a billion parameters says False to everything. */
cord_text judge_prompt(void) {
    return TEXT("Question: {question}\n"
                "\n"
                "Reference answer: {reference}\n"
                "\n"
                "Predicted answer: {prediction}\n"
                "\n"
                "Does the predicted answer, in whatever words, hold the core content of the reference answer? "
                "Reply with one word, True or False.");
}

const char *judge_prompt_complaint(cord_text prompt) {
    if (text_find(prompt, TEXT("{reference}")) < 0) return "does not hold {reference}";
    if (text_find(prompt, TEXT("{prediction}")) < 0) return "does not hold {prediction}";
    return NULL;
}

/* ---- asking ---------------------------------------------------------------------------------------------------- */

static cord_status fill(cord_text form, const struct grade_request *request, struct arena *arena, cord_text *out,
                        cord_error *err) {
    const struct placeholder places[] = {
        {"{question}", text_trim(request->question)},
        {"{reference}", text_trim(request->gold)},
        {"{prediction}", text_trim(request->answer)},
    };
    struct spans spans;
    CORD_TRY(form_fill(form, places, 3, arena, &spans, err));
    *out = spans_text(spans, arena);
    return out->data ? CORD_OK : error_memory(err);
}

static cord_status render(const struct judge *judge, const struct grading *settings, cord_text user,
                          struct arena *arena, cord_span **spans, int *n, cord_error *err) {
    const cord_model_info *info = cord_model_get_info(judge->model);
    const cord_message messages[2] = {{"system", settings->system}, {"user", user}};
    const struct chat_options options = {info->bos, info->eos, settings->date};
    int skip = settings->system.len ? 0 : 1;
    return chat_render(judge->tmpl, messages + skip, 2 - skip, &options, arena, spans, n, err);
}

static cord_status undecided(struct grade_result *result, const cord_error *why, struct arena *arena, cord_error *err) {
    result->verdict = CORD_UNDECIDED;
    result->why = arena_printf(arena, "the judge could not be asked: %s", why->message);
    return result->why ? CORD_OK : error_memory(err);
}

static cord_status propose(const struct judge *judge, const struct grading *settings,
                           const struct grade_request *request, const cord_span *spans, int n,
                           struct grade_result *result, struct arena *arena, cord_error *err) {
    cord_proposal proposal = {
        .model = judge->model,
        .prompt = spans,
        .n_spans = n,
        .sampling = {.temperature = settings->temperature, .top_p = 1, .seed = request->seed},
        .max_tokens = settings->tokens,
        .group = request->group,
    };
    cord_status status = cord_propose(judge->engine, &proposal, 1, err);
    if (status == CORD_OK) status = error_models_own(&proposal.error, err);
    if (status == CORD_OK && proposal.error.code != CORD_OK)
        status = undecided(result, &proposal.error, arena, err);
    else if (status == CORD_OK)
        result->verdict = judge_read((cord_text){proposal.text, proposal.len}, proposal.end == CORD_END_LENGTH,
                                     thinking_left_open(spans, n), &result->why);
    cord_proposal_release(&proposal);
    return status;
}

cord_status judge_ask(const struct judge *judge, const struct grading *settings, const struct grade_request *request,
                      struct grade_result *result, struct arena *arena, cord_error *err) {
    cord_text user;
    cord_span *spans = NULL;
    cord_error own = {0};
    int n = 0;
    *result = (struct grade_result){.verdict = CORD_UNDECIDED};
    CORD_TRY(fill(settings->prompt, request, arena, &user, err));
    cord_status status = render(judge, settings, user, arena, &spans, &n, &own);
    if (status == CORD_OK) return propose(judge, settings, request, spans, n, result, arena, err);
    return status == CORD_NO_MEMORY ? error_memory(err) : undecided(result, &own, arena, err);
}

/* ---- reading its reply ----------------------------------------------------------------------------------------- */

struct found {
    bool yes, no;
};

static bool is_word(cord_text word, const char *lower) { return text_equal_any_case(word, text_of(lower)); }

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '\''; }

/* Which of the words stand in a text. "not true" is none of ours to turn round: it counts as both. */
static struct found find_words(cord_text text) {
    struct found found = {false, false};
    int since_not = 3; /* words since a "not": "not entirely true" */
    for (size_t at = 0; at < text.len; at++) {
        size_t from = at;
        while (at < text.len && in_word(text.data[at])) at++;
        if (at == from) continue;
        cord_text word = text_slice(text, from, at);
        while (word.len > 2 && word.data[0] == word.data[word.len - 1] && !isalnum((unsigned char)word.data[0]))
            word = text_slice(word, 1, word.len - 1); /* 'True', _True_ */
        bool yes = is_word(word, "true") || is_word(word, "yes"), no = is_word(word, "false") || is_word(word, "no");
        since_not++;
        if (is_word(word, "not") || is_word(word, "never") || text_ends(word, TEXT("n't"))) since_not = 0;
        found.yes |= yes || (no && since_not < 3);
        found.no |= no || (yes && since_not < 3);
    }
    return found;
}

/* The last line that holds any of the words; all of the text where `whole`. */
static struct found find_last(cord_text text, bool whole) {
    struct found found = {false, false};
    while (text.len && !found.yes && !found.no) {
        ptrdiff_t newline = whole ? -1 : text_rfind(text, TEXT("\n"));
        found = find_words(text_slice(text, (size_t)(newline + 1), text.len));
        text.len = newline < 0 ? 0 : (size_t)newline;
    }
    return found;
}

cord_verdict judge_read(cord_text reply, bool cut, bool thinking, const char **why) {
    cord_text said = thinking_behind(reply);
    bool inside = (thinking && said.len == reply.len) || text_find(said, TEXT("<think>")) >= 0;
    struct found found = inside ? (struct found){false, false} : find_last(said, cut);
    *why = "the judge's reply cannot be read";
    if (inside) *why = "the judge did not come to an end of its thinking";
    if (found.yes == found.no) return CORD_UNDECIDED;
    *why = found.yes ? "the judge finds the reference's core content in the answer"
                     : "the judge does not find the reference's core content in the answer";
    return found.yes ? CORD_EQUAL : CORD_DIFFERENT;
}
