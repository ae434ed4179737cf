/* formats.c - the table of formats; see formats.h. It must not know journals or how rows are chosen. */
#include "export/formats.h"

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
