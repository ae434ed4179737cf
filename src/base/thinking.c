/* thinking.c - see thinking.h. */
#include "base/thinking.h"

cord_text thinking_behind(cord_text reply) {
    const cord_text close = TEXT("</think>");
    ptrdiff_t at = text_rfind(reply, close);
    return at < 0 ? reply : text_slice(reply, (size_t)at + close.len, reply.len);
}

cord_text thinking_outside(cord_text reply) {
    reply = thinking_behind(reply);
    ptrdiff_t at = text_find(reply, TEXT("<think>"));
    return at < 0 ? reply : text_slice(reply, 0, (size_t)at);
}

static bool speaks_of_thinking(cord_text tag) {
    static const char *const words[] = {"think", "thought", "reason"};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        for (size_t i = 1; i + strlen(words[w]) < tag.len; i++)
            if (text_equal_any_case(text_slice(tag, i, i + strlen(words[w])), text_of(words[w]))) return true;
    return false;
}

cord_text thinking_tag(cord_text text) {
    enum { LONGEST = 64 };
    cord_text t = text_trim_end(text), none = TEXT("");
    char close = t.len ? t.data[t.len - 1] : '\0', open = close == '>' ? '<' : close == ']' ? '[' : '\0';
    for (size_t at = t.len; open && at > 0 && t.len - at < LONGEST; at--) {
        cord_text tag = text_slice(t, at - 1, t.len);
        if (*tag.data == open) return speaks_of_thinking(tag) ? tag : none;
    }
    return none;
}

/* "</think>", "[/THINK]", "<|END_THINKING|>". */
static bool is_closing_tag(cord_text tag) {
    size_t at = 0;
    while (at < tag.len && strchr("<[|", tag.data[at])) at++;
    return text_find(tag, TEXT("/")) >= 0 || text_equal_any_case(text_slice(tag, at, at + 4), TEXT("end_"));
}

cord_text thinking_opened(cord_text prompt) {
    cord_text tag = thinking_tag(prompt);
    return is_closing_tag(tag) ? TEXT("") : tag;
}

bool thinking_left_open(const cord_span *prompt, int n) {
    return n && prompt[n - 1].trusted && thinking_opened(prompt[n - 1].text).len > 0;
}
