/* trainers.c - see trainers.h. */
#include "export/trainers.h"

#include <stddef.h>

static const struct trainer trainers[] = {
    {"trl", 1024, "cut at the end or left out in silence", "SFTConfig(max_length=N)",
     "give the trainer a template that keeps it (tokenizer.chat_template), or export --format prompt-completion with "
     "--template, which is trained on as it stands",
     true},
    {"llama-factory", 2048, "cut in silence", "cutoff_len: N",
     "LLaMA-Factory uses templates of its own: name one that thinks (template: qwen3, deepseekr1), and keep "
     "enable_thinking: true",
     false},
    {"axolotl", 512, "dropped", "sequence_len: N",
     "name a chat_template that keeps it, or export --format axolotl-segments with --template, for type: input_output",
     false},
    {"ms-swift", 0, "dropped (truncation_strategy delete)", "--max_length N",
     "name a --template that keeps it; what it prepends to rows without a thought is switched off by "
     "--loss_scale ignore_empty_think",
     false},
    {"verl", 1024, "an error", "data.max_length=N", "give the model folder a chat_template.jinja that keeps it", false},
};
enum { N_TRAINERS = sizeof trainers / sizeof *trainers };

const struct trainer *trainer_at(int i) { return i >= 0 && i < N_TRAINERS ? &trainers[i] : NULL; }
