/* prompt.h - every text that cord itself says to a model, and how a request's prompt is put together from them.
 * (Section 4.1 of the paper, and "Where the paper is silent" in docs/method.md.) It must not know models, beams or answers.
 *
 * The turn of a model reads
 *
 *     [template: system, question, assistant's turn opened] <think>␤ ### Step 1. … ␤␤ ### Step 2. …   ␤</think>␤␤ …
 *     '------------------ prompt_render -------------------------' '------- reasoning -------'  '- answer -'
 *
 * `reasoning` begins with the first marker and is the state of a beam: plain text, never trusted. */
#ifndef CORD_PROMPT_H
#define CORD_PROMPT_H

#include "base/base.h"
#include "data/chat.h"
#include "data/problem.h"

/* Where a step ends (4.1 and G.1 of the paper). */
enum segmentation {
    SEGMENTATION_STEPS,      /* at the next marker, which cord opens each step with */
    SEGMENTATION_LINE_BREAK, /* at a blank line */
    SEGMENTATION_PREFIX,     /* before one of the phrases by which models turn */
};
/* "steps", "line-break", "prefix"; NULL-terminated. */
extern const char *const segmentation_names[];

/* A preset, or what a recipe made of it. "{n}" in `marker` is the step's number; "{question}" in `user` and `full` is
 * the question (and "{system}" in `full` the system text). All texts are borrowed from the recipe's arena. */
struct prompt_style {
    cord_text system;     /* empty: no system message, so that the template's own default applies */
    cord_text user;       /* "{question}" */
    cord_text full;       /* empty, or the whole prompt up to the open assistant's turn, in place of the template */
    cord_text think_open; /* "<think>\n": opens the thinking unless the template has */
    enum segmentation segmentation;
    cord_text prefixes;    /* with SEGMENTATION_PREFIX: its phrases, as boundary.h reads them */
    cord_text marker;      /* "### Step {n}."; empty where no marker divides the steps */
    cord_text between;     /* "\n\n": stands between a step and the next marker */
    cord_text think_close; /* "\n</think>\n\n": before the answer stage */
    cord_text answer_open; /* what opens the answer: "The final answer is \boxed{" or empty */
    cord_text score_open;  /* " </think> The final answer is " */
    cord_text score_close; /* "." */
    const char *date;      /* for templates that print one; NULL = chat.h's default */
};

/* The presets by name, "steps" and "paper" (sections 4.1 and 4.2 of the paper; docs/method.md); false for an unknown one. */
bool prompt_preset(const char *name, struct prompt_style *style);
/* Makes of a preset's style one whose steps end otherwise than at markers: none is written, and none asked for. */
void prompt_segment(struct prompt_style *style, enum segmentation segmentation);
extern const char *const prompt_preset_names[]; /* NULL-terminated */

/* A style bound to a model's template. Plain data; borrowed parts outlive it. */
struct prompt {
    const struct prompt_style *style;
    const struct chat_template *tmpl; /* may be NULL where style->full is set */
    cord_text bos, eos;
};

struct spans {
    cord_span *span;
    int n;
};

/* The prompt of a question up to and including `think_open`: what reasoning is appended to. Where the template has
 * already written "<think>" at its end, it is not opened twice; where it has closed it again, CORD_BAD_MODEL. Lives in
 * `arena`. */
cord_status prompt_render(const struct prompt *prompt, const struct question *question, struct arena *arena,
                          struct spans *out, cord_error *err);
/* What stands for a text in a form: "{question}", and that text. */
struct placeholder {
    const char *name;
    cord_text value;
};
/* The spans of a form, with each placeholder replaced wherever it stands there; not in what replaces one. The form is trusted,
 * what replaces is not. */
cord_status form_fill(cord_text form, const struct placeholder *places, int n, struct arena *arena, struct spans *out,
                      cord_error *err);
/* `base` with more spans behind it (a copy; texts are shared). NULL span array on no memory. */
struct spans spans_append(struct spans base, const cord_span *more, int n, struct arena *arena);
/* All spans as one text. */
cord_text spans_text(struct spans spans, struct arena *arena);

#endif
