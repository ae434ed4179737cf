/* integration.h - what an integrator is asked, and how its reply is read: one JSON object with ordered steps and an answer
 * (section 4 of the paper). It must not know rounds, beams or models.
 *
 * Models write JSON by hand, so what can be mended in one way alone is mended:
 *
 *   - thinking before "</think>", code fences and any other text around the object are passed over
 *   - a comma before "}" or "]" is dropped
 *   - one "}" that is missing at the very end is put there, unless the reply was cut at its limit
 *   - a line feed, a tab or another control character as it stands in a string is escaped
 *   - a backslash that JSON does not know ("\(", "\sqrt") is one of the text's own; so are "\b", "\f", "\r" and "\t" before
 *     a letter ("\boxed", "\frac", "\rho", "\tan"), since no text holds what they stand for there, and a few names of LaTeX that
 *     begin with \n ("\neq", "\nu")
 *   - an answer that is a value and nothing else ("3050", "72 dollars", "B", or a number of JSON) is put into a box
 *   - the same object twice is one
 *
 * All else is refused, with the reason. */
#ifndef CORD_INTEGRATION_H
#define CORD_INTEGRATION_H

#include "base/base.h"

/* The defaults of a recipe: the integrator's system text and its user's turn. */
cord_text integration_system(void);
cord_text integration_form(void);
/* What a form lacks, as in "does not hold {traces}"; NULL where it lacks nothing. */
const char *integration_form_complaint(cord_text form);

/* The form with the question, and with the traces in numbered tags, in its places. It has no gold to give away. */
cord_status integration_ask(cord_text form, cord_text question, const cord_text *traces, int n, struct arena *arena,
                            cord_text *out, cord_error *err);

/* "progressive reasoning" and three more; NULL-terminated. */
extern const char *const integration_categories[];

struct integrated_step {
    cord_text text; /* without its heading and blanks at its ends; not empty */
    const char *category;
};

struct integrated {
    struct integrated_step *steps; /* at least one */
    int n;
    cord_text answer; /* with a \boxed{…} */
};

/* Reads a reply; `cut`: it ended at its limit; `thinking`: the prompt opened the thinking, so that it begins inside.
 * CORD_BAD_INPUT, with the reason, where it is refused. Lives in `arena`. */
cord_status integration_read(cord_text reply, bool cut, bool thinking, struct arena *arena, struct integrated *out,
                             cord_error *err);

#endif
