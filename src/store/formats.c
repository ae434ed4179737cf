/* formats.c - see formats.h. It must not know journals or trajectories. */
#include "store/formats.h"

#include "store/export.h"

static void message(struct json_writer *w, const char *role, cord_text content) {
    json_open(w, NULL, '{');
    json_text(w, "role", text_of(role));
    json_text(w, "content", content);
    json_close(w, '}');
}

/* A conversation, to which trainers (TRL, LLaMA-Factory, axolotl) apply the student's chat template. */
static void write_messages(struct json_writer *w, const struct training_row *row) {
    json_open(w, "messages", '[');
    message(w, "user", row->question);
    message(w, "assistant", row->response);
    json_close(w, ']');
}

/* TRL's standard layout: plain strings, trained on as they stand (no chat template), the loss on the completion
 * alone. */
static void write_prompt_completion(struct json_writer *w, const struct training_row *row) {
    json_text(w, "prompt", row->question);
    json_text(w, "completion", row->response);
}

static const struct training_format formats[] = {
    {"messages", write_messages},
    {"prompt-completion", write_prompt_completion},
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

const struct training_format *training_format(const char *name) {
    for (size_t i = 0; i < N_FORMATS; i++)
        if (strcmp(formats[i].name, name) == 0) return &formats[i];
    return NULL;
}

const char *const *export_formats(void) {
    static const char *const names[] = {"messages", "prompt-completion", NULL};
    _Static_assert(sizeof names / sizeof *names == N_FORMATS + 1, "a name for every format");
    return names;
}
