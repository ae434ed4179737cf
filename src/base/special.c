/* special.c - see special.h. */
#include "base/special.h"

#include <ctype.h>

size_t special_length(cord_text t, size_t at) {
    enum { LONGEST = 64 };
    char open = t.data[at], close = open == '<' ? '>' : open == '[' ? ']' : '\0';
    for (size_t i = at + 1; close && i < t.len && i - at < LONGEST; i++) {
        unsigned char c = (unsigned char)t.data[i];
        if (t.data[i] == close) return i > at + 1 ? i + 1 - at : 0;
        if (c <= ' ' || t.data[i] == open) return 0;
    }
    return 0;
}

static bool is_among(cord_text word, const char *const *list, bool any_case) {
    for (; *list; list++)
        if (text_equal(word, text_of(*list)) || (any_case && text_equal_any_case(word, text_of(*list)))) return true;
    return false;
}

/* "[|endofturn|]": a name of three letters or more between bars. ("[|x|]" is mathematics.) */
static bool is_barred_name(cord_text inside) {
    if (inside.len < 5 || inside.data[0] != '|' || inside.data[inside.len - 1] != '|') return false;
    for (size_t i = 1; i + 1 < inside.len; i++)
        if (!isalpha((unsigned char)inside.data[i]) && inside.data[i] != '_') return false;
    return true;
}

bool special_is_known(cord_text tag) {
    static const char *const bracketed[] = {
        "INST",       "SYSTEM_PROMPT", "AVAILABLE_TOOLS",
        "TOOL_CALLS", "TOOL_RESULTS",  "TOOL_CONTENT",
        "IMG",        "IMG_END",       "IMG_BREAK",
        "AUDIO",      "BEGIN_AUDIO",   "CALL_ID",
        "ARGS",       "PREFIX",        "MIDDLE",
        "SUFFIX",     "PAD",           "MODEL_SETTINGS",
        "CLS",        "SEP",           "MASK",
        "gMASK",      "sMASK",         "UNK",
        "BOS",        "EOS",           NULL,
    };
    static const char *const angled[] = {
        "s",   "bos", "eos", "pad",  "unk",       "mask",   "sep",  "cls",   "eod",           "eop",         "sop",
        "eot", "bot", "SYS", "user", "assistant", "system", "role", "human", "start_of_turn", "end_of_turn", NULL,
    };
    static const cord_text wide = {"\xEF\xBD\x9C", 3}; /* DeepSeek's bar */
    bool angle = tag.data[0] == '<';
    cord_text inside = text_slice(tag, 1, tag.len - 1), bar = TEXT("|");
    if (angle ? text_starts(inside, bar) || text_ends(inside, bar) || text_starts(inside, wide)
              : is_barred_name(inside))
        return true;
    if (inside.len > 1 && *inside.data == '/') inside = text_slice(inside, 1, inside.len);
    return is_among(inside, angle ? angled : bracketed, angle);
}
