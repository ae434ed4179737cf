/* formats_text.c - rows of one trajectory; see formats.h. */
#include "export/formats.h"

void write_message(struct json_writer *w, const char *key, const char *role, cord_text content) {
    json_open(w, key, '{');
    json_text(w, "role", text_of(role));
    json_text(w, "content", content);
    json_close(w, '}');
}

void write_turn(struct json_writer *w, const char *key, const char *from, cord_text value) {
    json_open(w, key, '{');
    json_text(w, "from", text_of(from));
    json_text(w, "value", value);
    json_close(w, '}');
}

/* A conversation, to which trainers (TRL, Axolotl, ms-swift) apply the student's chat template. */
void write_messages(struct json_writer *w, const struct training_row *row) {
    json_open(w, "messages", '[');
    write_message(w, NULL, "user", row->prompt);
    write_message(w, NULL, "assistant", row->example->response);
    json_close(w, ']');
}

/* LLaMA-Factory reads such messages as a sharegpt set with other names. */
void describe_messages(struct json_writer *w) {
    json_text(w, "formatting", TEXT("sharegpt"));
    json_open(w, "columns", '{');
    json_text(w, "messages", TEXT("messages"));
    json_close(w, '}');
    json_open(w, "tags", '{');
    json_text(w, "role_tag", TEXT("role"));
    json_text(w, "content_tag", TEXT("content"));
    json_text(w, "user_tag", TEXT("user"));
    json_text(w, "assistant_tag", TEXT("assistant"));
    json_text(w, "system_tag", TEXT("system"));
    json_close(w, '}');
}

/* TRL's standard layout: plain strings, trained on as they stand (no chat template), the loss on the completion alone.
 * With a template they are what it renders. */
void write_prompt_completion(struct json_writer *w, const struct training_row *row) {
    bool rendered = row->rendered_prompt.data != NULL;
    json_text(w, "prompt", rendered ? row->rendered_prompt : row->prompt);
    json_text(w, "completion", rendered ? row->rendered_response : row->example->response);
}

void write_text(struct json_writer *w, const struct training_row *row) {
    struct buf all;
    buf_init(&all, "a rendered row", (size_t)512 << 20);
    buf_add(&all, row->rendered_prompt);
    buf_add(&all, row->rendered_response);
    json_text(w, "text", buf_text(&all));
    if (all.status != CORD_OK) w->out->status = all.status;
    buf_release(&all);
}

void write_sharegpt(struct json_writer *w, const struct training_row *row) {
    json_open(w, "conversations", '[');
    write_turn(w, NULL, "human", row->prompt);
    write_turn(w, NULL, "gpt", row->example->response);
    json_close(w, ']');
}

void describe_sharegpt(struct json_writer *w) {
    json_text(w, "formatting", TEXT("sharegpt"));
    json_open(w, "columns", '{');
    json_text(w, "messages", TEXT("conversations"));
    json_close(w, '}');
}

void write_alpaca(struct json_writer *w, const struct training_row *row) {
    json_text(w, "instruction", row->prompt);
    json_text(w, "input", TEXT(""));
    json_text(w, "output", row->example->response);
}

void describe_alpaca(struct json_writer *w) {
    json_open(w, "columns", '{');
    json_text(w, "prompt", TEXT("instruction"));
    json_text(w, "query", TEXT("input"));
    json_text(w, "response", TEXT("output"));
    json_close(w, '}');
}

/* Axolotl puts segments together as they are, and learns those with a label. */
void write_segments(struct json_writer *w, const struct training_row *row) {
    const cord_text texts[] = {row->rendered_prompt, row->rendered_response};
    json_open(w, "segments", '[');
    for (int i = 0; i < 2; i++) {
        json_open(w, NULL, '{');
        json_bool(w, "label", i == 1);
        json_text(w, "text", texts[i]);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* verl's reinforcement learning reads `prompt` and `reward_model`, its fine-tuning `messages`. */
void write_verl(struct json_writer *w, const struct training_row *row) {
    const struct example *e = row->example;
    json_text(w, "data_source", text_of(e->source->name));
    json_open(w, "prompt", '[');
    write_message(w, NULL, "user", row->prompt);
    json_close(w, ']');
    json_text(w, "ability", TEXT("reasoning"));
    json_open(w, "reward_model", '{');
    json_text(w, "style", TEXT("rule"));
    json_text(w, "ground_truth", e->gold);
    json_close(w, '}');
    json_open(w, "extra_info", '{');
    json_text(w, "split", text_of(row->split));
    json_int(w, "index", row->number);
    json_text(w, "id", e->id);
    json_text(w, "question", e->question);
    json_text(w, "answer", e->response);
    json_close(w, '}');
    write_messages(w, row);
}
