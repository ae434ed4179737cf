/* formats.c - the formats, each a function and a line in the table at the end; see formats.h. */
#include "export/formats.h"

/* ---- rows of one trajectory ------------------------------------------------------------------------------------------ */

/* {"role": …, "content": …} in an open array, or under a key. */
static void write_message(struct json_writer *w, const char *key, const char *role, cord_text content) {
    json_open(w, key, '{');
    json_text(w, "role", text_of(role));
    json_text(w, "content", content);
    json_close(w, '}');
}

/* A list of one. */
static void write_list(struct json_writer *w, const char *key, const char *role, cord_text content) {
    json_open(w, key, '[');
    write_message(w, NULL, role, content);
    json_close(w, ']');
}

/* {"from": …, "value": …}, likewise. */
static void write_turn(struct json_writer *w, const char *key, const char *from, cord_text value) {
    json_open(w, key, '{');
    json_text(w, "from", text_of(from));
    json_text(w, "value", value);
    json_close(w, '}');
}

/* A text that was put together in a buffer, which is released. */
static void write_built(struct json_writer *w, const char *key, struct buf *text) {
    json_text(w, key, buf_text(text));
    if (text->status != CORD_OK) w->out->status = text->status;
    buf_release(text);
}

/* Two texts as one. */
static void write_joined(struct json_writer *w, const char *key, cord_text a, cord_text b) {
    struct buf both;
    buf_init(&both, "a training row", (size_t)512 << 20);
    buf_add(&both, a);
    buf_add(&both, b);
    write_built(w, key, &both);
}

/* A conversation, to which trainers (TRL, Axolotl, ms-swift) apply the student's chat template. */
static void write_messages(struct json_writer *w, const struct training_row *row) {
    json_open(w, "messages", '[');
    write_message(w, NULL, "user", row->prompt);
    write_message(w, NULL, "assistant", row->example->response);
    json_close(w, ']');
}

/* LLaMA-Factory reads such messages as a sharegpt set with other names. */
static void describe_messages(struct json_writer *w) {
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
static void write_prompt_completion(struct json_writer *w, const struct training_row *row) {
    bool rendered = row->rendered_prompt.data != NULL;
    json_text(w, "prompt", rendered ? row->rendered_prompt : row->prompt);
    json_text(w, "completion", rendered ? row->rendered_response : row->example->response);
}

static void write_text(struct json_writer *w, const struct training_row *row) {
    write_joined(w, "text", row->rendered_prompt, row->rendered_response);
}

static void write_sharegpt(struct json_writer *w, const struct training_row *row) {
    json_open(w, "conversations", '[');
    write_turn(w, NULL, "human", row->prompt);
    write_turn(w, NULL, "gpt", row->example->response);
    json_close(w, ']');
}

static void describe_sharegpt(struct json_writer *w) {
    json_text(w, "formatting", TEXT("sharegpt"));
    json_open(w, "columns", '{');
    json_text(w, "messages", TEXT("conversations"));
    json_close(w, '}');
}

static void write_alpaca(struct json_writer *w, const struct training_row *row) {
    json_text(w, "instruction", row->prompt);
    json_text(w, "input", TEXT(""));
    json_text(w, "output", row->example->response);
}

static void describe_alpaca(struct json_writer *w) {
    json_open(w, "columns", '{');
    json_text(w, "prompt", TEXT("instruction"));
    json_text(w, "query", TEXT("input"));
    json_text(w, "response", TEXT("output"));
    json_close(w, '}');
}

/* Axolotl puts segments together as they are, and learns those with a label. */
static void write_segments(struct json_writer *w, const struct training_row *row) {
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
static void write_verl(struct json_writer *w, const struct training_row *row) {
    const struct example *e = row->example;
    json_text(w, "data_source", text_of(e->source->name));
    write_list(w, "prompt", "user", row->prompt);
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

/* ---- rows that prefer one text to another: trajectories, or steps behind one prefix ---------------------------------- */

/* TRL's conversational preferences. */
static void write_dpo(struct json_writer *w, const struct training_row *row) {
    write_list(w, "prompt", "user", row->prompt);
    write_list(w, "chosen", "assistant", row->example->response);
    write_list(w, "rejected", "assistant", row->rejected->response);
}

static void write_dpo_sharegpt(struct json_writer *w, const struct training_row *row) {
    json_open(w, "conversations", '[');
    write_turn(w, NULL, "human", row->prompt);
    json_close(w, ']');
    write_turn(w, "chosen", "gpt", row->example->response);
    write_turn(w, "rejected", "gpt", row->rejected->response);
}

static void describe_dpo_sharegpt(struct json_writer *w) {
    json_text(w, "formatting", TEXT("sharegpt"));
    json_bool(w, "ranking", true);
    json_open(w, "columns", '{');
    json_text(w, "messages", TEXT("conversations"));
    json_text(w, "chosen", TEXT("chosen"));
    json_text(w, "rejected", TEXT("rejected"));
    json_close(w, '}');
}

static void write_dpo_swift(struct json_writer *w, const struct training_row *row) {
    write_messages(w, row);
    json_text(w, "rejected_response", row->rejected->response);
}

/* The columns of Math-Step-DPO-10K: what both steps have before them stands by itself. With a template it is part of the
 * prompt, which is then all that TRL needs: its trainer knows no initial_reason_steps and would leave them out in silence. */
static void write_step_dpo(struct json_writer *w, const struct training_row *row) {
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

/* ---- rows with a label for each step; what a label means is not theirs to know --------------------------------------- */

/* TRL's stepwise supervision; it puts its own separator between the steps. */
static void write_prm(struct json_writer *w, const struct training_row *row) {
    const struct example *e = row->example;
    json_text(w, "prompt", row->prompt);
    json_open(w, "completions", '[');
    for (int i = 0; i < e->n_steps; i++) json_text(w, NULL, text_trim(e->steps[i].text));
    json_close(w, ']');
    json_open(w, "labels", '[');
    for (int i = 0; i < e->n_steps; i++) json_bool(w, NULL, row->labels[i]);
    json_close(w, ']');
}

/* "Step 1: … ки\nStep 2: … ки"; in the label, "+" or "-" in the place of the tag. */
static void write_solution(struct json_writer *w, const char *key, const struct training_row *row, bool labelled) {
    const struct example *e = row->example;
    struct buf all;
    buf_init(&all, "a training row", (size_t)512 << 20);
    buf_add(&all, row->prompt);
    for (int i = 0; i < e->n_steps; i++) {
        buf_addf(&all, "%sStep %d: ", i ? "\n" : " ", i + 1);
        buf_add(&all, e->steps[i].bare);
        buf_addf(&all, "%s", !labelled ? STEP_TAG : row->labels[i] ? " +" : " -");
    }
    write_built(w, key, &all);
}

static void write_math_shepherd(struct json_writer *w, const struct training_row *row) {
    write_solution(w, "input", row, false);
    write_solution(w, "label", row, true);
    json_text(w, "task", text_of(row->example->source->name));
}

/* ---- the table ------------------------------------------------------------------------------------------------------- */

static const struct training_format formats[] = {
    {"messages", ROW_TRACE, TEXTS_PLAIN, write_messages, describe_messages},
    {"prompt-completion", ROW_TRACE, TEXTS_EITHER, write_prompt_completion, NULL},
    {"text", ROW_TRACE, TEXTS_RENDERED, write_text, NULL},
    {"sharegpt", ROW_TRACE, TEXTS_PLAIN, write_sharegpt, describe_sharegpt},
    {"alpaca", ROW_TRACE, TEXTS_PLAIN, write_alpaca, describe_alpaca},
    {"llama-factory", ROW_TRACE, TEXTS_PLAIN, write_sharegpt, describe_sharegpt},
    {"axolotl", ROW_TRACE, TEXTS_PLAIN, write_messages, NULL},
    {"axolotl-segments", ROW_TRACE, TEXTS_TOKENS, write_segments, NULL},
    {"ms-swift", ROW_TRACE, TEXTS_PLAIN, write_messages, NULL},
    {"verl", ROW_TRACE, TEXTS_PLAIN, write_verl, NULL},
    {"dpo", ROW_PAIR, TEXTS_PLAIN, write_dpo, NULL},
    {"llama-factory-dpo", ROW_PAIR, TEXTS_PLAIN, write_dpo_sharegpt, describe_dpo_sharegpt},
    {"ms-swift-dpo", ROW_PAIR, TEXTS_PLAIN, write_dpo_swift, NULL},
    {"step-dpo", ROW_STEP_PAIR, TEXTS_EITHER, write_step_dpo, NULL},
    {"prm", ROW_STEPS, TEXTS_PLAIN, write_prm, NULL},
    {"math-shepherd", ROW_STEPS, TEXTS_PLAIN, write_math_shepherd, NULL},
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

const struct training_format *training_format_at(int i) { return i >= 0 && i < N_FORMATS ? &formats[i] : NULL; }

const struct training_format *training_format(const char *name) {
    for (size_t i = 0; i < N_FORMATS; i++)
        if (strcmp(formats[i].name, name) == 0) return &formats[i];
    return NULL;
}
