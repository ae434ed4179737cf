/* segment.h - where a reasoning step begins and ends (section 4.1: prompt-guided segmentation; G.1: at blank lines, before
 * phrases), and which proposals are not worth scoring. Works on text alone; must not know models or scores.
 *
 * Steps that markers divide are texts without their marker and without blanks at their ends; the marker and what stands
 * between steps are put in when steps are joined. All others are pieces of one text, with every blank and blank line that
 * they ended in, and joining them is putting one behind the other. */
#ifndef CORD_SEGMENT_H
#define CORD_SEGMENT_H

#include "base/base.h"
#include "data/prompt.h"

/* The stop strings that end a step, for a proposer: "</think>", and the marker up to its number or a blank line. What ends a
 * step before a phrase is no stop string, since servers compare those by case and within words: there a model writes on to
 * its limit, and the step is cut out afterwards. The texts live as long as the style. */
enum { SEGMENT_STOPS = 3 };
struct segment_stops {
    cord_text text[SEGMENT_STOPS];
    int n, think; /* which of them is "</think>" */
};
cord_status segment_stops(const struct prompt_style *style, struct segment_stops *stops, cord_error *err);

/* What of a marker is the same for all steps, and stands before their number: "### Step" of "### Step {n}."; and whether it has
 * a number, or leaves it to who writes. */
cord_text segment_heading(cord_text marker);
bool segment_is_numbered(cord_text marker);

/* How a proposal ended, in the words of the search. */
enum step_end {
    STEP_NEXT,   /* the next marker came, a blank line or a phrase: the step is whole */
    STEP_CUT,    /* the step's token limit came: the next round continues it, with no marker between */
    STEP_CLOSED, /* "</think>" came: the trajectory is finished */
    STEP_TURN,   /* the model ended its turn inside the thinking: finished, "</think>" is appended */
};

static inline bool ends_thinking(enum step_end end) { return end == STEP_CLOSED || end == STEP_TURN; }

/* Why a candidate was dropped before scoring. */
enum step_drop {
    DROP_NONE,
    DROP_EMPTY,      /* no text, and nothing to finish */
    DROP_DUPLICATE,  /* identical to a sibling, its ending too, or to what is finished in the beam */
    DROP_DEGENERATE, /* one word or line repeated over and over */
    DROP_FAILED,     /* the request failed; its status says why */
};

/* What of a written text is the step, and how that ended. `stop` is the stop string that ended the text, -1 where none did and
 * *end says how (STEP_CUT, STEP_TURN); *end becomes the step's. Where a step ends before the text does, the rest is left out,
 * its "</think>" too. Blanks at the end are trimmed unless the reasoning goes on right behind them. Lives in `arena`. */
cord_status segment_read(const struct prompt_style *style, bool parent_cut, cord_text written, int stop,
                         struct arena *arena, cord_text *step, enum step_end *end, cord_error *err);

/* What is kept of a text that came to its limit. It may end in the beginning of a stop string ("\n\n###", "</th"), whose rest
 * nobody would know again behind it: that is left out, and written once more. `kept` is part of `written`. */
cord_status segment_before_stop(const struct prompt_style *style, cord_text written, cord_text *kept, cord_error *err);

/* Of a text that was written on beyond its first step, asked for up to "</think>" alone: what a request for one step would
 * have given, the text before its first stop string, and which one that is; `closed`: where there is none, "</think>" came, else
 * *stop is -1. `first` is part of `written`. */
cord_status segment_first(const struct prompt_style *style, cord_text written, bool closed, cord_text *first, int *stop,
                          cord_error *err);

/* Reasoning with one more step: `parent` + between + marker(number) + `step`, or, where the parent was cut, `parent` +
 * `step` as they are. Blanks at the end of `step` are trimmed unless `cut` or no marker divides the steps. number is from 1.
 * Lives in `arena`. */
cord_status segment_extend(const struct prompt_style *style, cord_text parent, bool parent_cut, int number,
                           cord_text step, bool cut, struct arena *arena, cord_text *out, cord_error *err);
/* The text a proposer continues: as above with an empty step and nothing trimmed, so it ends in the marker. */
cord_status segment_open(const struct prompt_style *style, cord_text parent, bool parent_cut, int number,
                         struct arena *arena, cord_text *out, cord_error *err);

/* A step of a text that is there already, and where it ends in it. */
struct stretch {
    cord_text text;
    size_t end;
};
/* Divides a text as the style says: at headings ("### Step" at the start of a line, whatever number follows), or, where it has
 * none, at blank lines; at blank lines alone, or before phrases, where these divide the style's steps. Steps are texts without
 * their heading, and without blanks at their ends if the style has headings; none is empty. What is left of a text with too many
 * steps is the last one's. Texts are part of `text`, the list lives in `arena`. */
cord_status segment_divide(const struct prompt_style *style, cord_text text, struct arena *arena,
                           struct stretch **steps, int *n, cord_error *err);

/* Whether a step of this style that a parent goes on with adds nothing to it: no content of its own; of a paragraph, or of a
 * step that was cut, only blanks. Where a cut step's end follows those, they say that it was whole, which is something. */
bool segment_adds_nothing(const struct prompt_style *style, bool parent_cut, cord_text step, enum step_end end);
/* True where a step has no content of its own: blanks, punctuation of a marker ("2.", "**"), or nothing. */
bool segment_is_empty(cord_text step);
/* True where the step only repeats: one line at least 4 times in a row; or a run of 1 to 8 words that fills at least half
 * of a step of 16 words or more by being said 3 times in a row or oftener; or one character 64 times. Lines and runs
 * without a word of prose (sums, rows of a matrix) repeat for good reason: there it takes 16 times. */
bool segment_is_degenerate(cord_text step);

#endif
