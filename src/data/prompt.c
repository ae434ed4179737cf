/* prompt.c - the presets, and how a question becomes a prompt (prompt.h). It must not know who is asked, or what becomes
 * of the reply. */

#include "data/prompt.h"

/* ---- presets ------------------------------------------------------------------------------------------------- */

/* What `steps` adds to the paper's way, for ordinary instruct models: they write clean steps when they are told to, and
 * box the answer when its sentence is begun for them. */
#define STEPS_SYSTEM                                                                                                   \
    "You solve problems step by step. First think inside <think> </think>, in short numbered steps. Begin every step " \
    "with the heading ### Step N. where N is its number, and do one thing in it. When you have the answer, close the " \
    "thinking with </think>. Then write the final answer as \\boxed{answer}."

/* The same for steps that no heading divides. */
#define SYSTEM_OPENING "You solve problems step by step. First think inside <think> </think>, "
#define SYSTEM_CLOSING \
    " When you have the answer, close the thinking with </think>. Then write the final answer as \\boxed{answer}."
#define LINE_BREAK_SYSTEM                                                                                           \
    SYSTEM_OPENING "in short paragraphs with a blank line between them, and do one thing in each of them, without " \
                   "headings." SYSTEM_CLOSING
#define PREFIX_SYSTEM                                                                                        \
    SYSTEM_OPENING "as you would think aloud, without headings: check what you have found, and try another " \
                   "way where it helps." SYSTEM_CLOSING

/* The paper's phrases before which a step ends (G.1), in its groups. */
#define TO_CHECK "let me check, let me verify, double-check, going back to, wait"
#define ANOTHER_WAY \
    "alternatively, another way, let's try a different approach, using another method, we can also verify"
#define AGAINST_ITSELF "this is wrong, the mistake was, that's impossible, this contradicts, the error is"

const char *const segmentation_names[] = {"steps", "line-break", "prefix", NULL};

const char *const prompt_preset_names[] = {"steps", "paper", NULL};

bool prompt_preset(const char *name, struct prompt_style *style) {
    bool steps = !strcmp(name, "steps");
    if (!steps && strcmp(name, "paper") != 0) return false;
    *style = (struct prompt_style){
        /* the paper's: 4.1, 4.2 and A */
        .user = TEXT("{question}"),
        .think_open = TEXT("<think> "),
        .marker = TEXT("### Step"),
        .between = TEXT("\n\n"),
        .think_close = TEXT("\n</think>\n\n"),
        .score_open = TEXT(" </think> The final answer is "),
        .score_close = TEXT("."),
    };
    if (steps) {
        style->system = TEXT(STEPS_SYSTEM);
        style->think_open = TEXT("<think>\n");
        style->marker = TEXT("### Step {n}.");
        style->answer_open = TEXT("The final answer is \\boxed{");
    }
    return true;
}

void prompt_segment(struct prompt_style *style, enum segmentation segmentation) {
    style->segmentation = segmentation;
    if (segmentation == SEGMENTATION_STEPS) return;
    bool prefix = segmentation == SEGMENTATION_PREFIX;
    style->marker = style->between = (cord_text){"", 0};
    style->think_open = TEXT("<think>\n"); /* as models write it; the paper's blank leads to its marker */
    if (prefix) style->prefixes = TEXT(TO_CHECK "; " ANOTHER_WAY "; " AGAINST_ITSELF);
    if (style->system.len) style->system = prefix ? TEXT(PREFIX_SYSTEM) : TEXT(LINE_BREAK_SYSTEM);
}

/* ---- spans --------------------------------------------------------------------------------------------------- */

struct spans spans_append(struct spans base, const cord_span *more, int n, struct arena *arena) {
    struct spans all = {arena_alloc(arena, ((size_t)base.n + (size_t)n + 1) * sizeof(cord_span)), base.n + n};
    if (!all.span) return (struct spans){NULL, 0};
    if (base.n) memcpy(all.span, base.span, (size_t)base.n * sizeof *base.span);
    if (n) memcpy(all.span + base.n, more, (size_t)n * sizeof *more);
    return all;
}

cord_text spans_text(struct spans spans, struct arena *arena) {
    size_t len = 0, at = 0;
    for (int i = 0; i < spans.n; i++) len += spans.span[i].text.len;
    char *text = arena_alloc(arena, len + 1);
    if (!text) return (cord_text){NULL, 0};
    for (int i = 0; i < spans.n; i++) {
        cord_text t = spans.span[i].text;
        if (t.len) memcpy(text + at, t.data, t.len);
        at += t.len;
    }
    return (cord_text){text, len};
}

/* ---- rendering ----------------------------------------------------------------------------------------------- */

cord_status form_fill(cord_text form, const struct placeholder *places, int n, struct arena *arena, struct spans *out,
                      cord_error *err) {
    *out = (struct spans){NULL, 0};
    while (form.len) {
        size_t at = form.len;
        const struct placeholder *place = NULL;
        for (int i = 0; i < n; i++) {
            ptrdiff_t found = text_find(form, text_of(places[i].name));
            if (found >= 0 && (size_t)found < at) at = (size_t)found, place = &places[i];
        }
        cord_span pieces[2];
        int count = 0;
        if (at) pieces[count++] = (cord_span){text_slice(form, 0, at), true};
        if (place) pieces[count++] = (cord_span){place->value, false};
        *out = spans_append(*out, pieces, count, arena);
        if (!out->span) return error_memory(err);
        form = text_slice(form, at + (place ? strlen(place->name) : 0), form.len);
    }
    return CORD_OK;
}

static cord_status render_template(const struct prompt *prompt, const struct question *question, struct arena *arena,
                                   struct spans *out, cord_error *err) {
    const struct prompt_style *style = prompt->style;
    if (!prompt->tmpl)
        return error_set(err, CORD_BAD_MODEL,
                         "this model's file carries no chat template; give its prompt in full (prompt.full)");
    struct spans user;
    CORD_TRY(form_fill(style->user, &(struct placeholder){"{question}", question->text}, 1, arena, &user, err));
    cord_text content = spans_text(user, arena);
    if (!content.data) return error_memory(err);
    const cord_message messages[2] = {{"system", style->system}, {"user", content}};
    int skip = style->system.len ? 0 : 1;
    const struct chat_options options = {prompt->bos, prompt->eos, style->date};
    return chat_render(prompt->tmpl, messages + skip, 2 - skip, &options, arena, &out->span, &out->n, err);
}

/* A tag up to its first ">": "<think>" of "<think>\n". */
static cord_text tag_of(cord_text t) {
    cord_text tag = text_trim(t);
    ptrdiff_t end = text_find(tag, TEXT(">"));
    if (end >= 0) tag.len = (size_t)end + 1;
    return tag;
}

/* What is missing of `open` behind a prompt that ends in `tail`: all of it, unless the tail has its tag ("<think>")
 * already, or more of it, with or without blanks behind. */
static cord_text missing_of(cord_text open, cord_text tail) {
    cord_text words = text_trim(open), trimmed = text_trim_end(tail), there = words;
    size_t least = tag_of(open).len;
    while (there.len > least && !text_ends(trimmed, there)) there.len--;
    if (!text_ends(trimmed, there)) return open;

    cord_text blanks = text_slice(tail, trimmed.len, tail.len);
    cord_text rest = text_slice(open, (size_t)(there.data - open.data) + there.len, open.len);
    if (text_starts(rest, blanks)) return text_slice(rest, blanks.len, rest.len);
    words = text_trim(rest); /* other blanks than ours: the template's stay */
    return text_slice(rest, words.len ? (size_t)(words.data - rest.data) : rest.len, rest.len);
}

/* Refuses a prompt that ends in a closed thinking ("</think>", or a tag that begins so): a template writes that where it
 * wants an answer without reasoning, and reasoning behind it would be nothing that its model knows. */
static cord_status check_open(cord_text close, cord_text tail, cord_error *err) {
    cord_text tag = tag_of(close), trimmed = text_trim_end(tail);
    ptrdiff_t at = text_rfind(trimmed, TEXT("<"));
    cord_text last = at < 0 ? trimmed : text_slice(trimmed, (size_t)at, trimmed.len);
    if (tag.len && tag.data[tag.len - 1] == '>') tag.len--;
    if (!tag.len || !text_starts(last, tag) || !text_ends(last, TEXT(">"))) return CORD_OK;
    return error_set(
        err, CORD_BAD_MODEL,
        "the model's chat template closes the thinking (%.*s) before it has begun; give the prompt in full "
        "(prompt.full)",
        (int)(last.len < 60 ? last.len : 60), last.data);
}

/* Appends `more` to the spans' last trusted text, so that they are read as one; to a prompt that ends in what a user
 * wrote, as a span of its own. */
static cord_status append_trusted(struct spans *spans, cord_text more, struct arena *arena, cord_error *err) {
    cord_span last = {more, true};
    struct spans base = *spans;
    if (base.n && base.span[base.n - 1].trusted) {
        cord_span both[2] = {base.span[--base.n], last};
        last.text = spans_text((struct spans){both, 2}, arena);
        if (!last.text.data) return error_memory(err);
    }
    *spans = spans_append(base, &last, 1, arena);
    return spans->span ? CORD_OK : error_memory(err);
}

cord_status prompt_render(const struct prompt *prompt, const struct question *question, struct arena *arena,
                          struct spans *out, cord_error *err) {
    const struct prompt_style *style = prompt->style;
    const struct placeholder places[] = {{"{question}", question->text}, {"{system}", style->system}};
    struct spans spans;
    if (style->full.len)
        CORD_TRY(form_fill(style->full, places, 2, arena, &spans, err));
    else
        CORD_TRY(render_template(prompt, question, arena, &spans, err));

    cord_text more = style->think_open, blank = text_trim(more);
    if (blank.len && spans.n && spans.span[spans.n - 1].trusted) {
        cord_text tail = spans.span[spans.n - 1].text;
        if (!style->full.len) CORD_TRY(check_open(style->think_close, tail, err));
        more = missing_of(more, tail);
    }
    if (more.len) CORD_TRY(append_trusted(&spans, more, arena, err));
    *out = spans;
    return CORD_OK;
}
