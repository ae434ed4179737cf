/* formats.h - the layouts of training rows that trainers read: one table (formats.c), an entry a format. A format must not
 * know where rows come from, nor how one was chosen, and knows no journal. */
#ifndef CORD_FORMATS_H
#define CORD_FORMATS_H

#include "base/json.h"
#include "export/example.h"

/* Cyrillic "ки", which stands where a step's score is predicted (math-shepherd). */
#define STEP_TAG " \xD0\xBA\xD0\xB8"

/* What a row is made of. */
enum row_kind {
    ROW_TRACE,     /* a trajectory */
    ROW_PAIR,      /* a problem's best finished trajectory and its worst */
    ROW_STEP_PAIR, /* a step that was kept and one that was not, behind the same steps */
    ROW_STEPS,     /* a trajectory whose steps have labels */
};

struct training_row {
    const struct example *example;  /* what is learned; of a pair, the better one */
    const struct example *rejected; /* ROW_PAIR, ROW_STEP_PAIR: the other; of steps, each has what stands before it */
    cord_text prompt;               /* the question, or the search's own prompt */
    const char *split;              /* "train" */
    int64_t number;                 /* of the row in its split, from 0 */

    /* The texts as a chat template renders them: data == NULL where none was given. */
    cord_text rendered_prompt, rendered_response;
    cord_text closed; /* the whole row as a trainer renders it with that template; data == NULL where it does not */

    /* ROW_STEP_PAIR: what both have before them (think tag included), and the two steps as they stand behind it. */
    cord_text prefix, chosen, worse;

    const bool *labels; /* ROW_STEPS: of each step */
};

/* Whether a layout has a place for texts that a chat template has rendered. */
enum row_texts {
    TEXTS_PLAIN,    /* no: the trainer renders */
    TEXTS_EITHER,   /* where a template is given */
    TEXTS_RENDERED, /* nothing else: one is needed */
    TEXTS_TOKENS, /* nor does the trainer's tokenizer put a BOS before them: what the template writes stands in the row */
};

struct training_format {
    const char *name;
    enum row_kind kind;
    enum row_texts texts;
    /* Writes the members of one row's object, which is open in `w`. */
    void (*write)(struct json_writer *w, const struct training_row *row);
    /* Writes what LLaMA-Factory's dataset_info.json says of a file: the members of its object. NULL where there is none. */
    void (*describe)(struct json_writer *w);
};

/* NULL for an unknown name. */
const struct training_format *training_format(const char *name);
/* The i-th one, from 0; NULL behind the last. */
const struct training_format *training_format_at(int i);
#define TRAINING_FORMATS                                                                                        \
    "messages|prompt-completion|text|sharegpt|alpaca|llama-factory|axolotl|axolotl-segments|ms-swift|verl|dpo|" \
    "llama-factory-dpo|ms-swift-dpo|step-dpo|prm|math-shepherd"

#endif
