/* checkup.c - see checkup.h. */
#include "cmd/checkup.h"

#include "base/thinking.h"
#include "search/criterion.h"

#include <math.h>
#include <stdlib.h>

const char *const verdict_names[] = {"good", "unsure", "bad"};

cord_status checkup_refuse(const char *who, const struct finding *finding, cord_error *err) {
    if (finding->verdict != BAD) return CORD_OK;
    return error_set(err, CORD_BAD_MODEL, "%s: %s: %s; %s%s", who, finding->what, finding->found,
                     finding->advice ? finding->advice : "it cannot be used so", " (`cord doctor` shows more)");
}

/* ---- scores -------------------------------------------------------------------------------------------------- */

struct finding checkup_scores(const cord_scoring_check *check, bool of_server, struct arena *arena) {
    struct finding f = {.what = "right scores", .verdict = check->right ? GOOD : BAD};
    int obtained = 0;
    for (int i = 0; i < check->n_ways; i++) obtained += check->way[i].obtained;
    if (obtained == 0) {
        f.what = "scores";
        f.found = arena_printf(arena, "it gives no log-probabilities of a given text (%s)",
                               check->way[0].why[0] ? check->way[0].why : "no way is known");
        f.advice = "it can still be a teacher; name another model under meta_prover";
    } else if (isnan(check->apart)) {
        f.verdict = check->right ? UNSURE : BAD;
        f.found = "there is one way to obtain them only, and nothing to compare it with";
        f.advice = "compare some with `cord score` of the same weights on this machine";
    } else {
        f.found = arena_printf(arena, "two ways differ by %.4f nats", check->apart);
        f.numbers[0].name = "apart", f.numbers[0].value = check->apart;
        if (!check->right)
            f.advice =
                of_server
                    ? "it can still be a teacher, but must not score: take a newer version of the server, or turn "
                      "its prefix cache off, or name another model under meta_prover"
                    : "it must not score: try models.NAME.gpu_layers: 0, or name another model under meta_prover";
    }
    return f;
}

/* ---- a reward model's head ----------------------------------------------------------------------------------------- */

struct finding checkup_head(cord_engine *engine, const cord_model *model, struct arena *arena) {
    static const struct stretch steps[] = {{TEXT("I add 3 to 2: 2 + 3 = 5."), 0}, {TEXT("So the answer is 9."), 0}};
    struct finding f = {.what = "step scores", .verdict = BAD};
    struct spans spans;
    cord_error err = {0};
    cord_status status = reward_marked(TEXT("What is 2 + 3?"), steps, 2, arena, &spans, &err);
    cord_classification request = {.model = model, .prompt = spans.span, .n_spans = spans.n, .mark = REWARD_MARK};
    if (status == CORD_OK) status = cord_classify(engine, &request, 1, &err);
    if (status == CORD_OK) err = request.error;
    bool two = err.code == CORD_OK && request.n_places == 2 && request.n_classes == 2;
    if (two) {
        double right = exp(reward_of_classes(request.logprob, 2)),
               wrong = exp(reward_of_classes(request.logprob + 2, 2));
        f.verdict = right > wrong ? GOOD : UNSURE;
        f.found = arena_printf(arena, "%.3f for a right step, %.3f for a wrong one", right, wrong);
        if (f.verdict == UNSURE) f.advice = "a trained model tells these apart: is it the one that is meant?";
        f.numbers[0].name = "right", f.numbers[0].value = right;
        f.numbers[1].name = "wrong", f.numbers[1].value = wrong;
    } else {
        f.found = err.code != CORD_OK
                      ? arena_printf(arena, "%s", err.message)
                      : arena_printf(arena, "its head has %d classes, and two are read", request.n_classes);
        f.advice = "reward.format: qwen2.5-math-prm needs `vllm serve` with such a model, which then has a /pooling";
    }
    cord_classification_release(&request);
    return f;
}

/* ---- who opens the thinking ---------------------------------------------------------------------------------- */

/* `before` is the prompt without prompt.think_open, `after` the one that is sent. */
static struct finding think_finding(const struct prompt_style *style, cord_text before, cord_text after,
                                    struct arena *arena) {
    struct finding f = {.what = "thinking"};
    const char *who = style->full.len ? "prompt.full" : "its template";
    cord_text theirs = thinking_opened(before), ours = thinking_opened(style->think_open);
    bool opened = theirs.len > 0;
    cord_text added = text_slice(after, before.len < after.len ? before.len : after.len, after.len);
    if (!text_trim(style->think_open).len)
        f.found = opened ? arena_printf(arena, "%s opens it (%.*s)", who, (int)theirs.len, theirs.data)
                         : arena_printf(arena, "nobody opens it, since prompt.think_open is empty");
    else if (opened && ours.len && text_equal(ours, theirs) && text_find(added, ours) < 0)
        f.found = arena_printf(arena, "%s opens it (%.*s), and cord does not again", who, (int)theirs.len, theirs.data);
    else if (opened && ours.len && text_equal(ours, theirs)) {
        f.verdict = BAD;
        f.found = arena_printf(arena, "opened twice: %s ends in %.*s, and prompt.think_open has it too", who,
                               (int)theirs.len, theirs.data);
        f.advice =
            arena_printf(arena, "begin prompt.think_open with %.*s, or leave that out of it", (int)ours.len, ours.data);
    } else if (opened) {
        f.verdict = UNSURE;
        f.found = arena_printf(arena, "%s opens it with %.*s, and cord puts its own behind that (prompt.think_open)",
                               who, (int)theirs.len, theirs.data);
        f.advice = "set prompt.think_open and prompt.think_close to what this model writes around its thinking";
    } else {
        f.found = arena_printf(arena, "%s does not open it; cord does (%.*s)", who,
                               (int)text_trim(style->think_open).len, text_trim(style->think_open).data);
    }
    return f;
}

/* ---- how often the BOS is there ------------------------------------------------------------------------------ */

/* The tag that a text begins with: "<s>"; or an empty text. */
static cord_text first_tag(cord_text t) {
    if (!t.len || *t.data != '<') return (cord_text){"", 0};
    ptrdiff_t end = text_find(t, TEXT(">"));
    return end < 0 || end > 64 ? (cord_text){"", 0} : text_slice(t, 0, (size_t)end + 1);
}

static bool is_one_token(const cord_model *model, cord_text t) {
    cord_span span = {t, true};
    int tokens = 0;
    return t.len && cord_count_tokens(model, &span, 1, &tokens, NULL) == CORD_OK && tokens == 1;
}

/* Only a trusted span's text becomes special tokens, so that it is enough to look at the first. */
static struct finding bos_finding(const cord_model *model, const struct prompt_style *style, struct spans spans,
                                  struct arena *arena) {
    const cord_model_info *info = cord_model_get_info(model);
    struct finding f = {.what = "BOS"};
    cord_text start = spans.n && spans.span[0].trusted ? spans.span[0].text : (cord_text){"", 0};
    cord_text bos = info->bos.len ? info->bos : first_tag(start);
    int times = 0;
    if (bos.len && text_starts(start, bos) && is_one_token(model, bos))
        for (cord_text rest = start; text_starts(rest, bos); rest = text_slice(rest, bos.len, rest.len)) times++;
    f.numbers[0].name = "times", f.numbers[0].value = times;
    if (times > 1) {
        f.verdict = BAD;
        f.found = arena_printf(arena, "the prompt begins with %d of them (%.*s)", times, (int)bos.len, bos.data);
        f.advice = style->full.len
                       ? "take all but one out of prompt.full; nothing adds one to it"
                       : "its chat template writes it twice: give another (models.NAME.template), or the prompt "
                         "in full (prompt.full)";
    } else if (times == 1 && info->bos.len) {
        f.found = arena_printf(arena, "the prompt begins with it (%.*s)", (int)bos.len, bos.data);
    } else if (info->wants_bos == CORD_BOS_NONE) {
        f.found = "there is none, and the tokenizer wants none";
    } else if (info->wants_bos == CORD_BOS_WANTED) {
        f.verdict = UNSURE;
        f.found = arena_printf(arena, "there is none, and the tokenizer puts one before every text (%.*s)",
                               (int)bos.len, bos.data);
        f.advice = style->full.len
                       ? "begin prompt.full with it, unless the model's makers do without it"
                       : "look whether the model's makers do without it; if not, give a template that prints bos_token";
    } else {
        f.verdict = UNSURE;
        cord_text shown = text_slice(start, 0, start.len < 24 ? start.len : 24);
        f.found =
            arena_printf(arena, "unknown: the server does not tell whether it wants one; the prompt begins with %.*s",
                         (int)utf8_valid_prefix(shown), shown.data);
        f.advice = "compare with what the model's makers say that a prompt begins with";
    }
    return f;
}

/* ---- prompts ------------------------------------------------------------------------------------------------- */

cord_status checkup_prompt(const cord_model *model, const struct prompt *prompt, struct arena *arena,
                           struct checkup_prompt *out, cord_error *err) {
    static const struct question question = {TEXT("checkup"), TEXT("Count from 1 to 30.")};
    struct prompt_style bare_style = *prompt->style;
    struct prompt bare = *prompt;
    struct spans before;
    bare_style.think_open = (cord_text){"", 0};
    bare.style = &bare_style;
    CORD_TRY(prompt_render(prompt, &question, arena, &out->spans, err));
    CORD_TRY(prompt_render(&bare, &question, arena, &before, err));
    out->text = spans_text(out->spans, arena);
    cord_text without = spans_text(before, arena);
    if (!out->text.data || !without.data) return error_memory(err);
    out->think = think_finding(prompt->style, without, out->text, arena);
    out->bos = bos_finding(model, prompt->style, out->spans, arena);
    return out->think.found && out->bos.found ? CORD_OK : error_memory(err);
}
