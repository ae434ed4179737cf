/* flaws.h - what may be wrong with a trace although it looks like one: looked for in its text, and in the scores of its
 * steps. It must not know rows, nor what is done about it.
 *
 * What is found is a hint for people and a filter for those who want one, not a proof; what each one counts as is in
 * docs/export.md, "Flaws". */
#ifndef CORD_EXPORT_FLAWS_H
#define CORD_EXPORT_FLAWS_H

#include "export/example.h"

enum flaw {
    FLAW_GOLD_FIRST,    /* states the gold in its first step, before anything leads to it */
    FLAW_REPEATS,       /* says the same again and again */
    FLAW_SCRIPT,        /* goes on in another script than its question's or its own */
    FLAW_LANGUAGE,      /* goes on in another language */
    FLAW_UNCLOSED,      /* a tag or a fence that is opened and not closed, or a think tag inside the reasoning */
    FLAW_WEAK_STEP,     /* the answer is correct, but with one of its steps the gold was as good as impossible */
    FLAW_SPECIAL_TOKEN, /* holds what a tokenizer takes for a special token, which may end a turn */
    FLAW_CUT,           /* its reasoning or its reply came to a limit, and stops there */
    FLAWS
};
/* "gold-first", "repeats", "script", "language", "unclosed", "weak-step", "special-token", "cut"; NULL-terminated. */
extern const char *const flaw_names[];

/* Flags, 1 << enum flaw. */
cord_status flaws_of_example(const struct example *example, unsigned *found, cord_error *err);
/* What can be said of texts alone; `reasoning` without its think tags. */
cord_status flaws_of_texts(cord_text question, cord_text reasoning, cord_text reply, unsigned *found, cord_error *err);

#endif
