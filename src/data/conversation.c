/* conversation.c - a conversation as a prompt, for those who use the library (cord_prompt_render in cord.h): chat.h with a model's
 * own template and tokens. It must not know how models run. */
#include "data/chat.h"

#include <stdlib.h>

static cord_status render(const cord_model_info *info, const cord_message *messages, int n, struct arena *arena,
                          cord_prompt *prompt, cord_error *err) {
    const struct chat_options options = {.bos = info->bos, .eos = info->eos};
    struct chat_template *tmpl;
    cord_span *spans;
    CORD_TRY(chat_template_new(info->chat_template, &tmpl, err));
    cord_status status = chat_render(tmpl, messages, n, &options, arena, &spans, &prompt->n_spans, err);
    chat_template_free(tmpl);
    if (status == CORD_OK) prompt->spans = spans;
    return status;
}

static bool is_role(const char *role) {
    return role && (!strcmp(role, "system") || !strcmp(role, "user") || !strcmp(role, "assistant"));
}

cord_status cord_prompt_render(const cord_model *model, const cord_message *messages, int n, cord_prompt *prompt,
                               cord_error *err) {
    const cord_model_info *info = cord_model_get_info(model);
    *prompt = (cord_prompt){0};
    if (n < 1) return error_set(err, CORD_BAD_INPUT, "a conversation has %d turns; it must have one at least", n);
    for (int i = 0; i < n; i++)
        if (!is_role(messages[i].role))
            return error_set(err, CORD_BAD_INPUT,
                             "turn %d of a conversation is of \"%.100s\"; a `role` is system, user or "
                             "assistant",
                             i + 1, messages[i].role ? messages[i].role : "");
    if (!info->chat_template.len)
        return error_set(
            err, CORD_BAD_MODEL,
            "no chat template of %s is known; take a chat model, or of a server's say it in `chat_template`",
            info->name);
    struct arena *arena = malloc(sizeof *arena);
    if (!arena) return error_memory(err);
    arena_init(arena);
    prompt->memory = arena;
    cord_status status = render(info, messages, n, arena, prompt, err);
    if (status != CORD_OK) cord_prompt_release(prompt);
    return status;
}

void cord_prompt_release(cord_prompt *prompt) {
    if (prompt->memory) arena_release(prompt->memory);
    free(prompt->memory);
    *prompt = (cord_prompt){0};
}
