/* formats_pair.c - rows that prefer one text to another; see formats.h. */
#include "export/formats.h"

static void write_list(struct json_writer *w, const char *key, const char *role, cord_text content) {
    json_open(w, key, '[');
    write_message(w, NULL, role, content);
    json_close(w, ']');
}

/* TRL's conversational preferences. */
void write_dpo(struct json_writer *w, const struct training_row *row) {
    write_list(w, "prompt", "user", row->prompt);
    write_list(w, "chosen", "assistant", row->example->response);
    write_list(w, "rejected", "assistant", row->rejected->response);
}

void write_dpo_sharegpt(struct json_writer *w, const struct training_row *row) {
    json_open(w, "conversations", '[');
    write_turn(w, NULL, "human", row->prompt);
    json_close(w, ']');
    write_turn(w, "chosen", "gpt", row->example->response);
    write_turn(w, "rejected", "gpt", row->rejected->response);
}

void describe_dpo_sharegpt(struct json_writer *w) {
    json_text(w, "formatting", TEXT("sharegpt"));
    json_bool(w, "ranking", true);
    json_open(w, "columns", '{');
    json_text(w, "messages", TEXT("conversations"));
    json_text(w, "chosen", TEXT("chosen"));
    json_text(w, "rejected", TEXT("rejected"));
    json_close(w, '}');
}

void write_dpo_swift(struct json_writer *w, const struct training_row *row) {
    write_messages(w, row);
    json_text(w, "rejected_response", row->rejected->response);
}

static void write_joined(struct json_writer *w, const char *key, cord_text a, cord_text b) {
    struct buf both;
    buf_init(&both, "a step with what stands before it", (size_t)512 << 20);
    buf_add(&both, a);
    buf_add(&both, b);
    json_text(w, key, buf_text(&both));
    if (both.status != CORD_OK) w->out->status = both.status;
    buf_release(&both);
}

/* The columns of Math-Step-DPO-10K: what both steps have before them stands by itself. With a template it is part of the
 * prompt, which is then all that TRL needs: its trainer knows no initial_reason_steps and would leave them out in silence. */
void write_step_dpo(struct json_writer *w, const struct training_row *row) {
    bool rendered = row->rendered_prompt.data != NULL;
    json_text(w, "dataset", text_of(row->example->source->name));
    if (rendered)
        write_joined(w, "prompt", row->rendered_prompt, row->prefix);
    else
        json_text(w, "prompt", row->prompt);
    json_text(w, "initial_reason_steps", rendered ? TEXT("") : row->prefix);
    json_text(w, "chosen", row->chosen);
    json_text(w, "rejected", row->worse);
    write_joined(w, "full_chosen", row->prefix, row->chosen);
    write_joined(w, "full_rejected", row->prefix, row->worse);
    json_text(w, "answer", row->example->gold);
}
