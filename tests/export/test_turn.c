/* test_turn.c - what chat templates make of a reasoning: the real ones of llama.cpp's pinned source. */
#include "support.h"

#include "base/thinking.h"
#include "export/trainers.h"
#include "export/turn.h"

#include <unistd.h>

#define OPEN      "<think>\n"
#define REASONING "### Step 1. Two and three\n\n### Step 2. make five"
#define RESPONSE  OPEN REASONING "\n</think>\n\nSo \\boxed{5}"

static const struct {
    const char *file;
    bool keeps; /* the reasoning, where a trainer renders the conversation */
} real[] = {
    {"Qwen-Qwen2.5-7B-Instruct.jinja", true},
    {"Qwen-Qwen3-0.6B.jinja", true},
    {"Qwen-QwQ-32B.jinja", true}, /* drops that of earlier turns only */
    {"deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja", false},
    {"deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja", false},
    {"meta-llama-Llama-3.1-8B-Instruct.jinja", true},
};

static void open_real(struct turn *turn, const char *file) {
    char path[500];
    struct buf source;
    snprintf(path, sizeof path, "%s%s", TEMPLATES_DIR, file);
    assert_ok(file_read(path, "template", 1 << 20, &source, err));
    assert_ok(turn_open(turn, buf_text(&source), TEXT("<s>"), TEXT("</s>"), err));
    buf_release(&source);
}

/* Whether the reasoning is there where a trainer renders. */
static bool keeps(const struct turn *turn) {
    struct arena arena;
    cord_text all;
    arena_init(&arena);
    assert_ok(turn_closed(turn, TEXT("2 + 3?"), TEXT(RESPONSE), &arena, &all, err));
    bool found = text_find(all, TEXT(REASONING)) >= 0;
    arena_release(&arena);
    return found;
}

static void test_what_is_lost(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        struct turn turn;
        open_real(&turn, real[i].file);
        if (keeps(&turn) != real[i].keeps) fail_msg("%s: keeps %d", real[i].file, keeps(&turn));
        turn_close(&turn);
    }
}

/* What cord renders itself loses nothing, whatever the template does: the prompt as at inference, then the response. */
static void test_rendered_keeps_all(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        struct turn turn;
        struct arena arena;
        cord_text prompt, said;
        open_real(&turn, real[i].file);
        arena_init(&arena);
        assert_ok(turn_render(&turn, TEXT("2 + 3?"), TEXT(RESPONSE), TEXT(OPEN), &arena, &prompt, &said, err));
        assert_true(text_find(said, TEXT(REASONING "\n</think>\n\nSo \\boxed{5}")) >= 0);
        assert_true(text_ends(said, turn.end));
        assert_true(turn.end.len > 0);
        bool opened = text_ends(prompt, TEXT(OPEN)), opens = text_starts(said, TEXT(OPEN));
        if (opened == opens) fail_msg("%s: the thinking is opened %d times", real[i].file, opened + opens);
        arena_release(&arena);
        turn_close(&turn);
    }
}

/* cord's own short form of a template loses what the real one loses. */
static void test_known_loses_too(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool keeps;
    } known[] = {{"chatml", true}, {"qwen-2.5", true}, {"deepseek-r1", false}, {"llama-3.1", true}, {"gemma", true}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct turn turn;
        assert_ok(turn_open(&turn, chat_template_known(known[i].name), TEXT(""), TEXT(""), err));
        if (keeps(&turn) != known[i].keeps) fail_msg("%s: keeps %d", known[i].name, keeps(&turn));
        turn_close(&turn);
    }
}

/* The templates of the pinned source whose rendered assistant's turn begins with more than the prompt at inference has: all
 * others can be rendered. One that the source has not is not looked at. */
static void test_opens_otherwise(void **state) {
    (void)state;
    static const struct {
        const char *file;
        bool otherwise;
    } pinned[] = {
        {"openai-gpt-oss-120b.jinja", true},                           /* <|channel|>final<|message|> */
        {"upstage-Solar-Open-100B.jinja", true},                       /* <|content|> */
        {"CohereForAI-c4ai-command-r7b-12-2024-tool_use.jinja", true}, /* <|START_RESPONSE|> */
        {"meetkai-functionary-medium-v3.2.jinja", true},               /* "all" behind >>> */
        {"muse-glimmer.jinja", true},                                  /* to=user<|message|> */
        {"Kimi-K3.jinja", true},                                       /* <|open|>response<|sep|> */
        {"Qwen-Qwen3-0.6B.jinja", false},                              /* an empty thought */
        {"Kimi-K2-Thinking.jinja", false},                             /* the same */
        {"deepseek-ai-DeepSeek-V3.1.jinja", false},                    /* opens a thought for the model alone */
        {"tencent-Hy3.jinja", false},                                  /* an empty thought in both */
        {"MiniMax-M3.jinja", false},                                   /* the end of a thought alone */
        {"google-gemma-2-2b-it.jinja", false},
        {"mistralai-Mistral-Nemo-Instruct-2407.jinja", false},
        {"meetkai-functionary-medium-v3.1.jinja", false},
        {"microsoft-Phi-3.5-mini-instruct.jinja", false},
        {"GLM-4.6.jinja", false},
    };
    size_t absent = 0;
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++) {
        struct turn turn;
        char path[500];
        snprintf(path, sizeof path, "%s%s", TEMPLATES_DIR, pinned[i].file);
        if (access(path, F_OK) != 0 && ++absent) continue;
        open_real(&turn, pinned[i].file);
        if (turn.opens_otherwise != pinned[i].otherwise) fail_msg("%s: %d", pinned[i].file, turn.opens_otherwise);
        turn_close(&turn);
    }
    if (absent) print_message("%zu templates are not in this source\n", absent);
    assert_true(absent < sizeof pinned / sizeof *pinned);
}

static void test_thinking(void **state) {
    (void)state;
    static const char *const prompts[][2] = {{"<|im_start|>assistant\n<think>\n", "<think>"},
                                             {"[/INST][THINK]", "[THINK]"},
                                             {"<|START_THINKING|>", "<|START_THINKING|>"},
                                             {"<|START_THINKING|><|END_THINKING|>", ""},
                                             {"<think>\n\n</think>\n\n", ""},
                                             {"<|im_start|>assistant\n", ""},
                                             {"<start_of_turn>", ""},
                                             {"a think>", ""},
                                             {"</think>", ""},
                                             {"", ""}};
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++)
        assert_text(thinking_opened(text_of(prompts[i][0])), prompts[i][1]);
}

/* A template that always opens the next turn: it is no end of this one. */
static void test_end(void **state) {
    (void)state;
    static const char *const real_ends[][2] = {
        {"{% for m in messages %}<s><{{ m.role }}>{{ m.content }}</s>{% endfor %}<s><assistant>", "</s>"},
        {"{% for m in messages %}<{{ m.role }}>{{ m.content }}</e>\n{% endfor %}<assistant>\n<think>\n", "</e>"},
        {"{% for m in messages %}{{ m.content }}<sep>{% endfor %}", "<sep>"},
        {"{% for m in messages %}<{{ m.role }}>{{ m.content }}</e><eos>{% endfor %}"
         "{% if add_generation_prompt %}<assistant>{% endif %}",
         "</e><eos>"}};
    for (size_t i = 0; i < sizeof real_ends / sizeof *real_ends; i++) {
        struct turn turn;
        assert_ok(turn_open(&turn, text_of(real_ends[i][0]), TEXT(""), TEXT(""), err));
        assert_text(turn.end, real_ends[i][1]);
        turn_close(&turn);
    }
}

static void test_no_place_for_an_assistant(void **state) {
    (void)state;
    struct turn turn;
    cord_error e = {0};
    assert_int_equal(turn_open(&turn, TEXT("{{ messages[0].content }}"), TEXT(""), TEXT(""), &e), CORD_BAD_MODEL);
    assert_non_null(strstr(e.message, "what an assistant says"));
    assert_int_equal(turn_open(&turn, TEXT("{% if %}"), TEXT(""), TEXT(""), NULL), CORD_BAD_MODEL);
}

static void test_trainers(void **state) {
    (void)state;
    struct buf names;
    buf_init(&names, "names", 10000);
    for (int i = 0; trainer_at(i); i++) buf_addf(&names, "%s%s", i ? "|" : "", trainer_at(i)->name);
    assert_text(buf_text(&names), TRAINERS);
    buf_release(&names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_lost),    cmocka_unit_test(test_rendered_keeps_all),
        cmocka_unit_test(test_known_loses_too), cmocka_unit_test(test_no_place_for_an_assistant),
        cmocka_unit_test(test_thinking),        cmocka_unit_test(test_end),
        cmocka_unit_test(test_trainers),        cmocka_unit_test(test_opens_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
