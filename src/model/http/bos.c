/* bos.c - does a server's tokenizer put a BOS before a text by itself, and which? Prompts are sent without its help, so that
 * this tells what a template should have written. It must not know which protocol asks. */
#include "model/http/remote.h"

struct first {
    json_int_t id; /* of the first token; -1: not told */
    cord_text text;
    struct arena *arena;
};

static bool read_first(struct question *q, const json_t *reply) {
    struct first *first = q->into;
    const json_t *token = json_array_get(json_object_get(reply, "tokens"), 0);
    const json_t *text = json_array_get(json_object_get(reply, "token_strs"), 0);
    if (json_is_object(token)) token = json_object_get(token, "id");
    first->id = json_is_integer(token) ? json_integer_value(token) : -1;
    if (json_is_string(text)) first->text = arena_text(first->arena, json_text_of(text));
    return true;
}

void find_bos(struct remote *remote, const char *path, const char *content, const char *add) {
    cord_model_info *info = &remote->base.info;
    struct first first[2] = {{-1, {0}, &remote->arena}, {-1, {0}, &remote->arena}};
    struct question questions[2];
    bool good = true;
    for (int i = 0; i < 2; i++) {
        struct json_writer w = question_begin(&questions[i], remote, path, 0);
        if (remote->served) json_text(&w, "model", text_of(remote->served));
        json_text(&w, content, TEXT("1"));
        json_bool(&w, add, i == 1);
        json_bool(&w, "return_token_strs", true);
        question_end(&questions[i], &w);
        questions[i].read = read_first;
        questions[i].into = &first[i];
        questions[i].call.most_tries = 2;
    }
    good = questions_ask(remote->engine, questions, 2, NULL) == CORD_OK;
    for (int i = 0; i < 2; i++) {
        good = good && questions[i].call.error.code == CORD_OK && first[i].id >= 0;
        question_release(&questions[i]);
    }
    if (!good) return;
    info->wants_bos = first[0].id == first[1].id ? CORD_BOS_NONE : CORD_BOS_WANTED;
    if (info->wants_bos == CORD_BOS_WANTED && !info->bos.len) info->bos = first[1].text;
}
