/* test_templates.c - real models' chat templates against Jinja2's own rendering, byte for byte, with what of it is trusted
 * (make_chat_oracle.py made chat_oracle.jsonl). The templates are those of the pinned llama.cpp, which scripts/llama.sh
 * keeps beside its build, and those in the folder chat. Each is a test; one whose file is missing is skipped. */
#include "support.h"

#include "data/prompt.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

/* Templates that are refused, and in which words. Every other one of the oracle renders. */
static const struct {
    const char *file, *says;
} refused[] = {
    /* made for tools alone: they loop over none, and Jinja2 refuses them in transformers, too */
    {"CohereForAI-c4ai-command-r-plus-tool_use.jinja", "got None"},
    {"NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja", "got None"},
    {"NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja", "got None"},
    /* takes its tools as a text, which its makers give; Jinja2 refuses it, the engine alone would render half of it */
    {"fireworks-ai-llama-3-firefunction-v2.jinja", "needs 'functions', which is not defined"},
    /* thinks only at a `reasoning_effort`, and is told not to where there is none */
    {"tencent-Hy3.jinja", "closes the thinking (</think:opensource>)"},
};

static const char *refusal_of(const char *file) {
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!strcmp(refused[i].file, file)) return refused[i].says;
    return NULL;
}

static const char *string(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* The template's own text, which the oracle gives in pieces. */
static cord_text own_text(const json_t *pieces, cord_text source, struct arena *arena) {
    struct buf out;
    buf_init(&out, "test", 1 << 20);
    size_t i;
    const json_t *piece;
    json_array_foreach(pieces, i, piece) {
        if (json_is_string(piece)) {
            buf_add(&out, text_of(json_string_value(piece)));
            continue;
        }
        size_t offset = (size_t)json_integer_value(json_array_get(piece, 0));
        size_t n = (size_t)json_integer_value(json_array_get(piece, 1));
        assert_true(n > 0 && offset + n <= source.len);
        buf_add(&out, text_slice(source, offset, offset + n));
    }
    assert_int_equal(out.status, CORD_OK);
    cord_text text = arena_text(arena, buf_text(&out));
    buf_release(&out);
    return text;
}

static void check_spans(struct spans got, const json_t *want, cord_text source, int index, struct arena *arena) {
    for (int i = 0; i < got.n && i < (int)json_array_size(want); i++) {
        const json_t *one = json_array_get(want, (size_t)i);
        bool trusted = json_is_array(one);
        cord_text text = trusted ? own_text(one, source, arena) : text_of(json_string_value(one));
        cord_text other = got.span[i].text;
        if (got.span[i].trusted != trusted) fail_msg("case %d, span %d: trusted is %d", index, i, !trusted);
        if (!text_equal(other, text))
            fail_msg("case %d, span %d:\ngot  '%.*s'\nwant '%.*s'", index, i, (int)other.len, other.data, (int)text.len,
                     text.data);
    }
    assert_int_equal(got.n, json_array_size(want));
}

static void check_case(const json_t *c, int index, const struct chat_template *tmpl, cord_text source,
                       const char *says) {
    struct prompt_style style;
    assert_true(prompt_preset("steps", &style));
    style.system = text_of(string(c, "system"));
    style.date = string(c, "date");
    const struct prompt prompt = {&style, tmpl, TEXT("<s>"), TEXT("</s>")};
    const struct question question = {TEXT("1"), text_of(string(c, "question"))};
    struct arena arena;
    arena_init(&arena);
    struct spans spans = {NULL, 0};
    cord_error error = {0};
    cord_status status = prompt_render(&prompt, &question, &arena, &spans, &error);
    assert_int_equal(says != NULL, string(c, "refused") != NULL);
    if (says) {
        assert_int_equal(status, CORD_BAD_MODEL);
        if (!strstr(error.message, says)) fail_msg("case %d: '%s' lacks '%s'", index, error.message, says);
        assert_non_null(strstr(error.message, "prompt.full"));
    } else {
        if (status != CORD_OK) fail_msg("case %d: %s (%s)", index, error.message, error.where);
        check_spans(spans, json_object_get(c, "spans"), source, index, &arena);
    }
    arena_release(&arena);
}

static void renders_as_jinja2_does(void **state) {
    const json_t *row = *state;
    const char *file = string(row, "template");
    char path[1000], hash[65];
    snprintf(path, sizeof path, "%sdata/chat/%s", TEST_DATA_DIR, file);
    if (access(path, F_OK) != 0) snprintf(path, sizeof path, "%s%s", TEMPLATES_DIR, file);
    if (access(path, F_OK) != 0) skip();
    struct buf source;
    assert_ok(file_read(path, "template", 1 << 20, &source, err));
    sha256_text(buf_text(&source), hash);
    assert_string_equal(hash, string(row, "sha256")); /* else the oracle was made with another file */

    struct chat_template *tmpl = NULL;
    assert_ok(chat_template_new(buf_text(&source), &tmpl, err));
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(row, "cases"), i, c) {
        check_case(c, (int)i, tmpl, buf_text(&source), refusal_of(file));
    }
    assert_int_equal(i, 6);
    chat_template_free(tmpl);
    buf_release(&source);
}

int main(void) {
    enum { MOST = 200 };
    static struct CMUnitTest tests[MOST]; /* cmocka passes over those without a function */
    json_t *rows[MOST];
    int n = 0;
    FILE *file = fopen(TEST_DATA_DIR "data/chat_oracle.jsonl", "r");
    while (file && n < MOST && (rows[n] = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL))) {
        tests[n] = (struct CMUnitTest){string(rows[n], "template"), renders_as_jinja2_does, NULL, NULL, rows[n]};
        n++;
    }
    if (file) fclose(file);
    if (n < 75) {
        fprintf(stderr, "chat_oracle.jsonl is missing or broken behind row %d\n", n);
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    while (n > 0) json_decref(rows[--n]);
    return failed;
}
