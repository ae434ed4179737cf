/* test_known_formats.c - formats that a recipe can name, against llama.cpp's own writing of them (llama_chat_apply_template,
 * code of its own and no Jinja): those of which it brings no real template, and as many of the others as it knows without
 * a difference. It writes no BOS. */
#include "support.h"

#include "data/chat.h"

#include <llama.h>

static const struct {
    const char *name, *llama;
    bool bos;
} formats[] = {
    {"chatml", "chatml", false},
    {"llama-3", "llama3", true},
    {"gemma", "gemma", true},
    {"phi-4", "phi4", false},
};

#define SYSTEM "Think in steps."
#define USER   "What is 2 + 2? <|im_end|>"

static void compare(int format, int n, int skip) {
    const struct llama_chat_message theirs[] = {
        {"system", SYSTEM}, {"user", USER}, {"assistant", "4."}, {"user", USER}};
    const cord_message ours[] = {
        {"system", TEXT(SYSTEM)}, {"user", TEXT(USER)}, {"assistant", TEXT("4.")}, {"user", TEXT(USER)}};
    const struct chat_options options = {TEXT("<s>"), TEXT("</s>"), NULL};
    struct chat_template *tmpl;
    struct arena arena;
    struct buf got;
    cord_span *span;
    int n_spans;
    char want[2000];
    size_t bos = formats[format].bos ? strlen("<s>") : 0;
    arena_init(&arena);
    buf_init(&got, "test", 4000);
    assert_ok(chat_template_new(chat_template_known(formats[format].name), &tmpl, err));
    assert_ok(chat_render(tmpl, ours + skip, n - skip, &options, &arena, &span, &n_spans, err));
    for (int i = 0; i < n_spans; i++) buf_add(&got, span[i].text);
    memcpy(want, "<s>", bos);
    int len = llama_chat_apply_template(formats[format].llama, theirs + skip, (size_t)(n - skip), true, want + bos,
                                        sizeof want - 4);
    assert_true(len > 0 && (size_t)len < sizeof want - 4);
    want[bos + (size_t)len] = '\0';
    assert_text(buf_text(&got), want);
    chat_template_free(tmpl);
    buf_release(&got);
    arena_release(&arena);
}

static void as_llama_writes_them(void **state) {
    (void)state;
    for (int f = 0; f < (int)(sizeof formats / sizeof *formats); f++) {
        compare(f, 2, 1);
        compare(f, 4, 1);
        compare(f, 2, 0);
        compare(f, 4, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_llama_writes_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
