/* known_templates.c - chat formats by name, for servers that do not tell their model's template (models.*.template). Each
 * source is our own and holds what cord sends: a system text, the user's turns, an assistant's earlier ones, and the
 * assistant's turn opened. tests/data/test_known_templates.c compares them with the templates of real models.
 * It must not know recipes or files.
 *
 * Where a format has no place for a system text (Gemma), the source drops it, and chat.cpp then puts it before the
 * question, as for a model's own template. What a real template does with tools, images, and thinking of earlier turns is
 * not here. */
#include "data/chat.h"

#include <string.h>

/* A turn as ChatML writes it; Phi-4 has another token between role and text. */
#define TURNS(between, behind)                                                           \
    "{%- for m in messages -%}"                                                          \
    "{{ '<|im_start|>' + m.role + '" between "' + m.content + '<|im_end|>" behind "' }}" \
    "{%- endfor -%}"
#define OPEN(turn) "{%- if add_generation_prompt -%}{{ '" turn "' }}{%- endif -%}"

/* Llama 3's turns, blanks around their texts taken off. */
#define HEADER(role)  "<|start_header_id|>" role "<|end_header_id|>\\n\\n"
#define LLAMA_TURN    "{{ '" HEADER("' + m.role + '") "' + m.content | trim + '<|eot_id|>' }}"
#define LLAMA_DATES   "Cutting Knowledge Date: December 2023\\nToday Date: 26 Jul 2024\\n\\n"
#define QWEN_IS_SAID  "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
#define SYSTEM_FIRST  "messages[0].role == 'system'"
#define DEEPSEEK_USER "<\xEF\xBD\x9CUser\xEF\xBD\x9C>"
#define DEEPSEEK_ASSISTANT \
    "<\xEF\xBD\x9C"        \
    "Assistant\xEF\xBD\x9C>"
#define DEEPSEEK_END \
    "<\xEF\xBD\x9C"  \
    "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"

static const struct {
    const char *name, *source;
} known[] = {
    /* Qwen3, and whoever else has adopted the format as it is */
    {"chatml", TURNS("\\n", "\\n") OPEN("<|im_start|>assistant\\n")},
    /* says who it is where nobody else says anything */
    {"qwen-2.5", "{%- if not (" SYSTEM_FIRST ") -%}{{ '<|im_start|>system\\n" QWEN_IS_SAID
                 "<|im_end|>\\n' }}{%- endif -%}" TURNS("\\n", "\\n") OPEN("<|im_start|>assistant\\n")},
    {"qwq", TURNS("\\n", "\\n") OPEN("<|im_start|>assistant\\n<think>\\n")},
    /* DeepSeek-R1 and what was distilled from it */
    {"deepseek-r1",
     "{{ bos_token }}{%- for m in messages -%}{%- if m.role == 'system' -%}{{ m.content }}{%- endif -%}{%- endfor -%}"
     "{%- for m in messages -%}"
     "{%- if m.role == 'user' -%}{{ '" DEEPSEEK_USER "' + m.content }}"
     "{%- elif m.role == 'assistant' -%}{{ '" DEEPSEEK_ASSISTANT "' }}"
     "{%- if '</think>' in m.content -%}{{ m.content.split('</think>') | last }}" /* as the real one: thoughts are lost */
     "{%- else -%}{{ m.content }}{%- endif -%}{{ '" DEEPSEEK_END "' }}{%- endif -%}"
     "{%- endfor -%}" OPEN(DEEPSEEK_ASSISTANT "<think>\\n")},
    {"llama-3", "{{ bos_token }}{%- for m in messages -%}" LLAMA_TURN "{%- endfor -%}" OPEN(HEADER("assistant"))},
    /* 3.1 and 3.3, which always have a system turn with two dates */
    {"llama-3.1", "{{ bos_token + '" HEADER("system") LLAMA_DATES
     "' }}"
     "{%- if " SYSTEM_FIRST " -%}{{ messages[0].content | trim }}{%- endif -%}{{ '<|eot_id|>' }}"
     "{%- for m in messages -%}{%- if m.role != 'system' -%}" LLAMA_TURN
     "{%- endif -%}{%- endfor -%}" OPEN(HEADER("assistant"))},
    /* 2 and 3 */
    {"gemma", "{{ bos_token }}{%- for m in messages -%}{%- if m.role != 'system' -%}"
              "{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) + '\\n' + m.content | trim + "
              "'<end_of_turn>\\n' }}"
              "{%- endif -%}{%- endfor -%}" OPEN("<start_of_turn>model\\n")},
    /* Nemo and others of its time: the system text stands in the last question's turn, which leaves the assistant's open */
    {"mistral",
     "{{ bos_token }}{%- for m in messages -%}{%- if m.role == 'user' -%}"
     "{{ '[INST]' }}{%- if loop.last and " SYSTEM_FIRST " -%}{{ messages[0].content + '\\n\\n' }}{%- endif -%}"
     "{{ m.content + '[/INST]' }}"
     "{%- elif m.role == 'assistant' -%}{{ m.content + eos_token }}{%- endif -%}{%- endfor -%}"},
    {"phi-4", TURNS("<|im_sep|>", "") OPEN("<|im_start|>assistant<|im_sep|>")},
};
enum { N_KNOWN = sizeof known / sizeof *known };

cord_text chat_template_known(const char *name) {
    for (int i = 0; i < N_KNOWN; i++)
        if (!strcmp(known[i].name, name)) return text_of(known[i].source);
    return (cord_text){NULL, 0};
}

const char *chat_template_name(int i) { return i >= 0 && i < N_KNOWN ? known[i].name : NULL; }

const char *chat_template_hint(const char *name, struct arena *arena) {
    const char *words[N_KNOWN], *names = "";
    for (int i = 0; i < N_KNOWN && names; i++) {
        words[i] = known[i].name;
        names = arena_printf(arena, "%s%s%s", names, i ? ", " : "", words[i]);
    }
    const char *near = text_nearest(name, words, N_KNOWN);
    if (!names) return NULL;
    return arena_printf(arena, "%s%s%sformats with a name: %s", near ? "did you mean '" : "", near ? near : "",
                        near ? "'? " : "", names);
}
