/* segment.h - where a reasoning step begins and ends (section 4.1: prompt-guided segmentation), and which proposals are
 * not worth scoring. Works on text alone; must not know models or scores. */
#ifndef CORD_SEGMENT_H
#define CORD_SEGMENT_H

#include "base/base.h"
#include "data/prompt.h"

/* The stop strings that end a step, for a proposer: the marker up to its number, and "</think>". Index 0 is the marker.
 * The texts live in `arena`. */
enum { SEGMENT_STOP_MARKER, SEGMENT_STOP_THINK, SEGMENT_STOPS };
cord_status segment_stops(const struct prompt_style *style, struct arena *arena, cord_text stops[SEGMENT_STOPS],
                          cord_error *err);

/* How a proposal ended, in the words of the search. */
enum step_end {
    STEP_NEXT,   /* the next marker came: the step is whole */
    STEP_CUT,    /* the step's token limit came: the next round continues it, with no marker between */
    STEP_CLOSED, /* "</think>" came: the trajectory is finished */
    STEP_TURN,   /* the model ended its turn inside the thinking: finished, "</think>" is appended */
};

/* Why a candidate was dropped before scoring. */
enum step_drop {
    DROP_NONE,
    DROP_EMPTY,      /* no text, and nothing to finish */
    DROP_DUPLICATE,  /* identical to a sibling */
    DROP_DEGENERATE, /* one word or line repeated over and over */
    DROP_FAILED,     /* the request failed; its status says why */
};
const char *step_end_name(enum step_end end);
const char *step_drop_name(enum step_drop drop);

/* Reasoning with one more step: `parent` + between + marker(number) + `step`, or, where the parent was cut, `parent` +
 * `step` as they are. Blanks at the end of `step` are trimmed unless `cut`. number is from 1. Lives in `arena`. */
cord_status segment_extend(const struct prompt_style *style, cord_text parent, bool parent_cut, int number,
                           cord_text step, bool cut, struct arena *arena, cord_text *out, cord_error *err);
/* The text a proposer continues: as above with an empty step and nothing trimmed, so it ends in the marker. */
cord_status segment_open(const struct prompt_style *style, cord_text parent, bool parent_cut, int number,
                         struct arena *arena, cord_text *out, cord_error *err);

/* True where a step has no content of its own: blanks, punctuation of a marker ("2.", "**"), or nothing. */
bool segment_is_empty(cord_text step);
/* True where the step only repeats: one line at least 4 times in a row; or a run of 1 to 8 words that fills at least half
 * of a step of 16 words or more by being said 3 times in a row or oftener; or one character 64 times. Lines and runs
 * without a word of prose (sums, rows of a matrix) repeat for good reason: there it takes 16 times. */
bool segment_is_degenerate(cord_text step);

#endif
