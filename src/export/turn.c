/* turn.c - see turn.h. */
#include "export/turn.h"

#include "base/thinking.h"
#include "data/prompt.h"

enum { MOST_TEXT = 256 << 20 };

static cord_text copy(struct arena *arena, cord_text text) { return arena_text(arena, text.data ? text : TEXT("")); }

cord_status turn_closed(const struct turn *turn, cord_text question, cord_text response, struct arena *arena,
                        cord_text *out, cord_error *err) {
    const cord_message messages[] = {{"user", question}, {"assistant", response}};
    return chat_render_closed(turn->tmpl, messages, 2, &turn->options, arena, out, err);
}

static cord_status join(cord_text a, cord_text b, struct arena *arena, cord_text *out, cord_error *err) {
    struct buf text;
    buf_init(&text, "a rendered row", MOST_TEXT);
    buf_add(&text, a);
    buf_add(&text, b);
    return buf_take(&text, arena, out, err);
}

/* The question with the assistant's turn open. */
static cord_status render_open(const struct turn *turn, cord_text question, struct arena *arena, cord_text *out,
                               cord_error *err) {
    const cord_message message = {"user", question};
    cord_span *spans;
    int n;
    CORD_TRY(chat_render(turn->tmpl, &message, 1, &turn->options, arena, &spans, &n, err));
    *out = spans_text((struct spans){spans, n}, arena);
    return out->data ? CORD_OK : error_memory(err);
}

static cord_text before_thinking(cord_text text) {
    for (cord_text tag; (tag = thinking_tag(text)).len;) text = text_slice(text, 0, text_trim_end(text).len - tag.len);
    return text_trim_end(text);
}

/* What stands before and behind an assistant's text, found by a word that no template writes. */
static cord_status find_end(struct turn *turn, cord_error *err) {
    static const cord_text probe = {"cordprobe", 9};
    cord_text all;
    CORD_TRY(turn_closed(turn, TEXT("question"), probe, &turn->arena, &all, err));
    ptrdiff_t at = text_rfind(all, probe);
    if (at < 0)
        return error_set(
            err, CORD_BAD_MODEL,
            "this chat template has no place for what an assistant says, so nothing can be trained with it");
    /* without the line feed behind it, which no model has to learn, and behind which some trainers add their end of text */
    turn->end = text_trim_end(text_slice(all, (size_t)at + probe.len, all.len));
    turn->head = before_thinking(text_slice(all, 0, (size_t)at));
    return CORD_OK;
}

/* Some templates open the next turn even where nobody asks them to: that is no part of the end, and would be learned. */
static void cut_next_turn(struct turn *turn, cord_text open) {
    cord_text end = turn->end, head = text_trim_end(open);
    ptrdiff_t tag = text_rfind(head, TEXT("<")), first = text_find(end, TEXT(">"));
    head = text_slice(head, tag < 0 ? head.len : (size_t)tag, head.len);
    if (head.len && end.len > head.len && text_ends(end, head) && first >= 0)
        turn->end = text_slice(end, 0, (size_t)first + 1);
}

/* What stands before an assistant's text. A template that cannot be rendered so may still be one that a trainer renders. */
static cord_status find_open(struct turn *turn, cord_error *err) {
    cord_text open;
    cord_status status = render_open(turn, TEXT("question"), &turn->arena, &open, NULL);
    if (status == CORD_NO_MEMORY) return error_memory(err);
    if (status != CORD_OK) return CORD_OK;
    turn->thinking = thinking_opened(open);
    turn->opens_otherwise = !text_equal(before_thinking(open), turn->head);
    cut_next_turn(turn, open);
    return CORD_OK;
}

/* Whether a BOS stands before a conversation, found as the end is. */
static cord_status find_bos(struct turn *turn, cord_error *err) {
    struct chat_options known = turn->options;
    cord_text all;
    if (known.bos.len) return CORD_OK;
    turn->options.bos = (cord_text){"cordprobe", 9};
    cord_status status = turn_closed(turn, TEXT("question"), TEXT("answer"), &turn->arena, &all, err);
    turn->options = known;
    turn->lacks_bos = status == CORD_OK && text_starts(all, TEXT("cordprobe"));
    return status;
}

cord_status turn_open(struct turn *turn, cord_text source, cord_text bos, cord_text eos, cord_error *err) {
    *turn = (struct turn){0};
    arena_init(&turn->arena);
    turn->options = (struct chat_options){.bos = copy(&turn->arena, bos), .eos = copy(&turn->arena, eos)};
    cord_status status = turn->options.bos.data && turn->options.eos.data ? CORD_OK : error_memory(err);
    if (status == CORD_OK) status = chat_template_new(source, &turn->tmpl, err);
    if (status == CORD_OK) status = find_end(turn, err);
    if (status == CORD_OK) status = find_bos(turn, err);
    if (status == CORD_OK) status = find_open(turn, err);
    if (status != CORD_OK) turn_close(turn);
    return status;
}

void turn_close(struct turn *turn) {
    chat_template_free(turn->tmpl);
    arena_release(&turn->arena);
    *turn = (struct turn){0};
}

cord_status turn_finish(const struct turn *turn, cord_text response, struct arena *arena, cord_text *said,
                        cord_error *err) {
    return join(response, turn->end, arena, said, err);
}

cord_status turn_render(const struct turn *turn, cord_text question, cord_text response, cord_text think_open,
                        struct arena *arena, cord_text *prompt, cord_text *said, cord_error *err) {
    CORD_TRY(render_open(turn, question, arena, prompt, err));
    cord_text open = text_trim(think_open);
    if (open.len && text_ends(text_trim_end(*prompt), open) && text_starts(response, think_open)) {
        response = text_slice(response, think_open.len, response.len);
        if (text_ends(*prompt, open)) CORD_TRY(join(*prompt, TEXT("\n"), arena, prompt, err));
    }
    return turn_finish(turn, response, arena, said, err);
}
