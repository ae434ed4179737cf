/* formats.c - the table of formats; see formats.h. It must not know journals or how rows are chosen. */
#include "export/formats.h"

static const struct training_format formats[] = {
    {"messages", ROW_TRACE, TEXTS_PLAIN,
     "{\"messages\": [user, assistant]}: a conversation (TRL, Axolotl, ms-swift, verl's SFT)", write_messages,
     describe_messages},
    {"prompt-completion", ROW_TRACE, TEXTS_EITHER,
     "{\"prompt\", \"completion\"}: plain strings, taken as they are (TRL)", write_prompt_completion, NULL},
    {"text", ROW_TRACE, TEXTS_RENDERED, "{\"text\"}: rendered with --template, for trainers that only read text",
     write_text, NULL},
    {"sharegpt", ROW_TRACE, TEXTS_PLAIN,
     "{\"conversations\": [{\"from\": \"human\", \"value\"}, {\"from\": \"gpt\", …}]}", write_sharegpt,
     describe_sharegpt},
    {"alpaca", ROW_TRACE, TEXTS_PLAIN, "{\"instruction\", \"input\", \"output\"}", write_alpaca, describe_alpaca},
    {"llama-factory", ROW_TRACE, TEXTS_PLAIN, "sharegpt with LLaMA-Factory's dataset_info.json beside it",
     write_sharegpt, describe_sharegpt},
    {"axolotl", ROW_TRACE, TEXTS_PLAIN, "messages, for Axolotl's type: chat_template", write_messages, NULL},
    {"axolotl-segments", ROW_TRACE, TEXTS_TOKENS,
     "{\"segments\": [{\"label\", \"text\"}]}: rendered with --template, for Axolotl's type: input_output",
     write_segments, NULL},
    {"ms-swift", ROW_TRACE, TEXTS_PLAIN, "messages, ms-swift's standard layout", write_messages, NULL},
    {"verl", ROW_TRACE, TEXTS_PLAIN,
     "{\"data_source\", \"prompt\", \"ability\", \"reward_model\", \"extra_info\", \"messages\"}: verl's columns",
     write_verl, NULL},
    {"dpo", ROW_PAIR, TEXTS_PLAIN, "{\"prompt\", \"chosen\", \"rejected\"} as messages: best against worst (TRL)",
     write_dpo, NULL},
    {"llama-factory-dpo", ROW_PAIR, TEXTS_PLAIN, "the same for LLaMA-Factory, with dataset_info.json",
     write_dpo_sharegpt, describe_dpo_sharegpt},
    {"ms-swift-dpo", ROW_PAIR, TEXTS_PLAIN, "the same for ms-swift: messages and \"rejected_response\"",
     write_dpo_swift, NULL},
    {"step-dpo", ROW_STEP_PAIR, TEXTS_EITHER,
     "a kept step against a rejected one behind the same steps; Step-DPO's columns, or with --template TRL's",
     write_step_dpo, NULL},
    {"prm", ROW_STEPS, TEXTS_PLAIN,
     "{\"prompt\", \"completions\", \"labels\"}: a label for each step (TRL's PRM trainer)", write_prm, NULL},
    {"math-shepherd", ROW_STEPS, TEXTS_PLAIN, "{\"input\", \"label\", \"task\"}: the same in Math-Shepherd's layout",
     write_math_shepherd, NULL},
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

const struct training_format *training_format_at(int i) { return i >= 0 && i < N_FORMATS ? &formats[i] : NULL; }

const struct training_format *training_format(const char *name) {
    for (size_t i = 0; i < N_FORMATS; i++)
        if (strcmp(formats[i].name, name) == 0) return &formats[i];
    return NULL;
}
