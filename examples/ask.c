/* ask.c - asks a chat model a question, by libcord's public header alone.
 *
 *   usage: ask MODEL.gguf QUESTION
 *
 * It prints the likeliest answer, 200 tokens at most. The question is put into the model's own chat template; a "<|im_end|>" in
 * it stays text. Built as score.c is. */
#include <cord.h>
#include <stdio.h>
#include <string.h>

static int fail(const cord_error *err) {
    fprintf(stderr, "ask: %s%s%s\n", err->where, err->where[0] ? ": " : "", err->message);
    return 1;
}

static int ask(cord_engine *engine, const cord_model *model, const char *question) {
    const cord_message turn = {"user", {question, strlen(question)}};
    cord_prompt prompt;
    cord_error err = {0};
    if (cord_prompt_render(model, &turn, 1, &prompt, &err) != CORD_OK) return fail(&err);
    cord_proposal answer = {.model = model, .prompt = prompt.spans, .n_spans = prompt.n_spans, .max_tokens = 200};
    cord_status status = cord_propose(engine, &answer, 1, &err);
    if (status == CORD_OK) err = answer.error; /* the engine works; what of this request? */
    if (err.code == CORD_OK) printf("%s\n", answer.text);
    cord_proposal_release(&answer);
    cord_prompt_release(&prompt);
    return err.code == CORD_OK ? 0 : fail(&err);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: ask MODEL.gguf QUESTION\n");
        return 2;
    }
    cord_engine_options options = {0}; /* one thread a core */
    cord_model_options weights = {.name = "model", .path = argv[1]};
    cord_engine *engine = NULL;
    cord_model *model = NULL; /* closed with the engine */
    cord_error err = {0};
    int status = 1;
    if (cord_engine_open(&options, &engine, &err) != CORD_OK ||
        cord_model_open(engine, &weights, &model, &err) != CORD_OK)
        fail(&err);
    else
        status = ask(engine, model, argv[2]);
    cord_engine_close(engine);
    return status;
}
