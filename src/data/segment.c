/* segment.c - steps of a reasoning text: their stop strings, how they are joined, how a text is divided into them, and which
 * are worthless (segment.h). It must not know models or scores. */

#include "data/segment.h"

#include "data/boundary.h"

#include <stdio.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_latin(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_letter(char c) { return is_latin(c) || (unsigned char)c >= 0x80; }

/* ---- markers ------------------------------------------------------------------------------------------------- */

bool segment_is_numbered(cord_text marker) { return text_find(marker, TEXT("{n}")) >= 0; }

cord_text segment_heading(cord_text marker) {
    ptrdiff_t number = text_find(marker, TEXT("{n}"));
    return text_trim(number < 0 ? marker : text_slice(marker, 0, (size_t)number));
}

/* ---- stop strings -------------------------------------------------------------------------------------------- */

static cord_status add_marker(struct segment_stops *stops, cord_text marker, cord_error *err) {
    cord_text fixed = segment_heading(marker);
    if (!fixed.len)
        return error_set(err, CORD_BAD_RECIPE,
                         "prompt.marker is '%.*s'; it must begin with a fixed text, as \"### Step {n}.\" does",
                         (int)(marker.len < 40 ? marker.len : 40), marker.data ? marker.data : "");
    stops->text[stops->n++] = fixed;
    return CORD_OK;
}

cord_status segment_stops(const struct prompt_style *style, struct segment_stops *stops, cord_error *err) {
    bool lines = style->segmentation == SEGMENTATION_LINE_BREAK;
    cord_text think = text_trim(style->think_close);
    ptrdiff_t tag = text_find(think, TEXT(">"));
    *stops = (struct segment_stops){.n = 0};
    if (style->segmentation == SEGMENTATION_STEPS) CORD_TRY(add_marker(stops, style->marker, err));
    if (lines) stops->text[stops->n++] = TEXT("\n\n");
    stops->think = stops->n;
    if (tag >= 0) think.len = (size_t)tag + 1; /* a model closes its thinking; what the style says after that is ours */
    if (!think.len)
        return error_set(err, CORD_BAD_RECIPE,
                         "prompt.think_close is blank; it must hold what ends the thinking: </think>");
    stops->text[stops->n++] = think;
    if (lines) stops->text[stops->n++] = TEXT("\r\n\r\n");
    return CORD_OK;
}

/* ---- reading what was written -------------------------------------------------------------------------------- */

/* Where the first step of a text ends, or -1. */
static ptrdiff_t find_end(const struct prompt_style *style, cord_text text, bool parent_cut, bool goes_on) {
    switch (style->segmentation) {
    case SEGMENTATION_STEPS: break;
    case SEGMENTATION_LINE_BREAK: return boundary_line_break(text, parent_cut);
    case SEGMENTATION_PREFIX: return boundary_prefix(style->prefixes, text, parent_cut, goes_on);
    }
    return -1;
}

static bool is_heading_sign(char c) { return c == '#' || c == '*' || c == ' ' || c == '\t'; }

/* What stands before a marker in its line is a part of it where it is but signs: "#" of "#### Step 2.", "**". */
static cord_text before_heading(cord_text text) {
    size_t at = text.len;
    while (at && is_heading_sign(text.data[at - 1])) at--;
    return at && text.data[at - 1] == '\n' ? text_slice(text, 0, at) : text;
}

cord_status segment_before_stop(const struct prompt_style *style, cord_text written, cord_text *kept, cord_error *err) {
    struct segment_stops stops;
    size_t most = 0;
    CORD_TRY(segment_stops(style, &stops, err));
    for (int s = 0; s < stops.n; s++)
        for (size_t len = stops.text[s].len - 1; len > most; len--)
            if (text_ends(written, text_slice(stops.text[s], 0, len))) most = len;
    *kept = text_slice(written, 0, written.len - most);
    if (most && style->segmentation == SEGMENTATION_STEPS) *kept = before_heading(*kept);
    return CORD_OK;
}

cord_status segment_read(const struct prompt_style *style, bool parent_cut, cord_text written, int stop,
                         struct arena *arena, cord_text *step, enum step_end *end, cord_error *err) {
    struct segment_stops stops;
    CORD_TRY(segment_stops(style, &stops, err));
    cord_span pieces[2] = {{written, false}};
    if (stop >= 0) *end = stop == stops.think ? STEP_CLOSED : STEP_NEXT;
    bool marked = style->segmentation == SEGMENTATION_STEPS;
    if (stop >= 0 && *end == STEP_NEXT && !marked) pieces[1].text = stops.text[stop]; /* a blank line is the step's */
    *step = spans_text((struct spans){pieces, 2}, arena);
    if (!step->data) return error_memory(err);
    if (stop >= 0 && *end == STEP_NEXT && marked) *step = before_heading(*step);
    ptrdiff_t at = find_end(style, *step, parent_cut, *end == STEP_CUT);
    if (at >= 0) {
        step->len = (size_t)at;
        *end = STEP_NEXT;
    } else if (*end != STEP_CUT && (marked || *end != STEP_NEXT))
        *step = text_trim_end(*step);
    return CORD_OK;
}

cord_status segment_first(const struct prompt_style *style, cord_text written, bool closed, cord_text *first, int *stop,
                          cord_error *err) {
    struct segment_stops stops;
    CORD_TRY(segment_stops(style, &stops, err));
    *first = written;
    *stop = closed ? stops.think : -1;
    for (size_t i = 0, earliest = written.len + 1; i < (size_t)stops.n; i++) { /* the one that is whole first */
        ptrdiff_t at = (int)i == stops.think ? -1 : text_find(written, stops.text[i]);
        if (at < 0 || (size_t)at + stops.text[i].len >= earliest) continue;
        earliest = (size_t)at + stops.text[i].len;
        *first = text_slice(written, 0, (size_t)at);
        *stop = (int)i;
    }
    return CORD_OK;
}

bool segment_adds_nothing(const struct prompt_style *style, bool parent_cut, cord_text step, enum step_end end) {
    if (parent_cut) return text_trim(step).len == 0 && end != STEP_NEXT;
    if (style->segmentation == SEGMENTATION_LINE_BREAK) return text_trim(step).len == 0;
    if (!segment_is_numbered(style->marker)) return segment_is_empty(step);
    for (size_t i = 0; i < step.len; i++) /* the marker has the number, so that one in the step is its own */
        if (is_digit(step.data[i]) || is_letter(step.data[i])) return false;
    return true;
}

/* ---- joining steps ------------------------------------------------------------------------------------------- */

cord_status segment_open(const struct prompt_style *style, cord_text parent, bool parent_cut, int number,
                         struct arena *arena, cord_text *out, cord_error *err) {
    cord_text none = {"", 0}, before = style->marker, after = none, between = parent.len ? style->between : none;
    char digits[16] = "";
    ptrdiff_t at = text_find(style->marker, TEXT("{n}"));
    if (at >= 0) {
        snprintf(digits, sizeof digits, "%d", number);
        before = text_slice(style->marker, 0, (size_t)at);
        after = text_slice(style->marker, (size_t)at + 3, style->marker.len);
    }
    cord_span all[] = {{parent, 0}, {between, 0}, {before, 0}, {text_of(digits), 0}, {after, 0}};
    *out = spans_text((struct spans){all, parent_cut ? 1 : 5}, arena);
    return out->data ? CORD_OK : error_memory(err);
}

cord_status segment_extend(const struct prompt_style *style, cord_text parent, bool parent_cut, int number,
                           cord_text step, bool cut, struct arena *arena, cord_text *out, cord_error *err) {
    cord_text open;
    CORD_TRY(segment_open(style, parent, parent_cut, number, arena, &open, err));
    bool as_written = cut || style->segmentation != SEGMENTATION_STEPS;
    cord_span both[] = {{open, 0}, {as_written ? step : text_trim_end(step), 0}};
    *out = spans_text((struct spans){both, 2}, arena);
    return out->data ? CORD_OK : error_memory(err);
}

/* ---- dividing what is there already -------------------------------------------------------------------------- */

enum { MOST_STEPS = 65536 }; /* of one text */

/* Where the marker's number stands in it, and what is fixed around that: "### Step" and "." of "### Step {n}." */
struct heading {
    cord_text text, tail;
};

static struct heading heading_of(const struct prompt_style *style) {
    cord_text marker = style->segmentation == SEGMENTATION_STEPS ? style->marker : (cord_text){"", 0};
    ptrdiff_t number = text_find(marker, TEXT("{n}"));
    cord_text tail = number < 0 ? (cord_text){"", 0} : text_slice(marker, (size_t)number + 3, marker.len);
    return (struct heading){segment_heading(marker), text_trim(tail)};
}

/* Whether the word that a heading ends in goes on behind it: "### Steps", "### Step-by-step". */
static bool word_goes_on(cord_text t, size_t behind, cord_text heading) {
    if (behind == t.len || !is_latin(heading.data[heading.len - 1])) return false;
    return is_latin(t.data[behind]) || t.data[behind] == '-';
}

/* The next heading at the start of a line, from `at` on; t.len where there is none. */
static size_t next_heading(cord_text t, size_t at, cord_text heading) {
    while (heading.len && at < t.len) {
        ptrdiff_t found = text_find(text_slice(t, at, t.len), heading);
        if (found < 0) break;
        at += (size_t)found;
        if ((at == 0 || t.data[at - 1] == '\n') && !word_goes_on(t, at + heading.len, heading)) return at;
        at += heading.len;
    }
    return t.len;
}

/* Where the text of a step begins whose heading stands at `at`: behind its number, and what the marker has there, or a point
 * or colon. */
static size_t behind_heading(cord_text t, size_t at, const struct heading *heading) {
    at += heading->text.len;
    while (at < t.len && t.data[at] == ' ') at++;
    while (at < t.len && is_digit(t.data[at])) at++;
    if (heading->tail.len && text_starts(text_slice(t, at, t.len), heading->tail)) return at + heading->tail.len;
    if (at < t.len && (t.data[at] == '.' || t.data[at] == ':')) at++;
    return at;
}

/* Where the step that begins at `from`, without a heading, ends and the next begins. */
static size_t next_boundary(const struct prompt_style *style, cord_text t, size_t from) {
    cord_text rest = text_slice(t, from, t.len);
    ptrdiff_t end = style->segmentation == SEGMENTATION_PREFIX ? boundary_prefix(style->prefixes, rest, false, false)
                                                               : boundary_line_break(rest, false);
    return end < 0 ? t.len : from + (size_t)end;
}

/* Notes a step, unless it has nothing to say. */
static void add_step(struct stretch *steps, int *n, cord_text t, size_t from, size_t to, bool trim) {
    cord_text step = text_slice(t, from, to);
    if (trim) step = text_trim(step);
    if (step.len) steps[(*n)++] = (struct stretch){step, (size_t)(step.data - t.data) + step.len};
}

/* No more steps than lines and sentences. */
static size_t most_steps(cord_text t) {
    size_t n = 2;
    for (size_t i = 0; i < t.len && n < MOST_STEPS; i++)
        n += t.data[i] == '\n' || strchr(".!?\xe2\xe3\xef", t.data[i]) != NULL;
    return n;
}

cord_status segment_divide(const struct prompt_style *style, cord_text text, struct arena *arena,
                           struct stretch **steps, int *n, cord_error *err) {
    const struct heading heading = heading_of(style);
    bool trim = style->segmentation == SEGMENTATION_STEPS;
    size_t at = 0, most = most_steps(text), first = next_heading(text, 0, heading.text);
    *n = 0;
    *steps = arena_alloc(arena, most * sizeof **steps);
    if (!*steps) return error_memory(err);
    int room = (int)most - 1; /* the last takes what is left */
    if (first < text.len) {
        add_step(*steps, n, text, 0, first, true);
        for (size_t next = first; next < text.len && *n < room; at = next) {
            at = behind_heading(text, next, &heading);
            next = next_heading(text, at, heading.text);
            add_step(*steps, n, text, at, next, true);
        }
    }
    for (size_t next; first == text.len && at < text.len && *n < room; at = next) {
        next = next_boundary(style, text, at);
        add_step(*steps, n, text, at, next, trim);
    }
    if (at < text.len || !*n) add_step(*steps, n, text, *n ? at : 0, text.len, trim);
    return CORD_OK;
}

/* ---- worthless steps ----------------------------------------------------------------------------------------- */

static bool is_blank(uint32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool segment_is_empty(cord_text step) {
    size_t at = 0;
    while (at < step.len && !is_digit(step.data[at]) && !is_letter(step.data[at])) at++;
    while (at < step.len && is_digit(step.data[at])) at++; /* the marker's number, where the model writes it */
    while (at < step.len && !is_digit(step.data[at]) && !is_letter(step.data[at])) at++;
    return at == step.len;
}

/* Whether a text has a word of prose: two letters in a row that are not a LaTeX command's name. Sums ("5 + 5 + 5 + …"),
 * rows of a matrix and the like repeat for good reason, and longer than prose does. */
static bool has_prose(cord_text t) {
    bool command = false;
    for (size_t i = 0; i < t.len; i++) {
        if (!is_letter(t.data[i]))
            command = t.data[i] == '\\';
        else if (!command && i + 1 < t.len && is_letter(t.data[i + 1]))
            return true;
    }
    return false;
}

enum { PROSE_LINES = 4, PROSE_RUNS = 3, OTHER_RUNS = 16, SAME_CHARACTERS = 64, FEWEST_WORDS = 16, LONGEST_RUN = 8 };

static bool repeats_a_character(cord_text step) {
    uint32_t last = 0;
    int run = 0;
    for (size_t at = 0; at < step.len;) {
        uint32_t c = utf8_next(step, &at);
        run = c == last ? run + 1 : 1;
        last = c;
        if (run >= SAME_CHARACTERS) return true;
    }
    return false;
}

static bool repeats_a_line(cord_text step) {
    cord_text last = {NULL, 0}, line;
    int run = 0;
    while (text_next_line(&step, &line)) {
        line = text_trim(line);
        if (!line.len) continue;
        run = text_equal(line, last) ? run + 1 : 1;
        last = line;
        if (run >= (has_prose(line) ? PROSE_LINES : OTHER_RUNS)) return true;
    }
    return false;
}

/* The next word from *at on; empty at the end. Scripts without blanks between words (Chinese, Japanese): each of their wide
 * characters counts as one. */
static cord_text next_word(cord_text step, size_t *at) {
    size_t from = *at, end = *at;
    while (end < step.len) {
        size_t next = end;
        uint32_t c = utf8_next(step, &next);
        bool blank = is_blank(c), wide = !blank && utf8_width(c) == 2;
        if (blank && end == from) {
            from = end = next;
            continue;
        }
        if (blank || (wide && end > from)) break;
        end = next;
        if (wide) break;
    }
    *at = end;
    return text_slice(step, from, end);
}

static bool repeats_words(cord_text step) {
    struct {
        int words;  /* that the run in progress covers */
        bool prose; /* has some */
        int best;   /* words of the longest run that repeats often enough to count */
    } period[LONGEST_RUN + 1] = {{0}};
    cord_text recent[LONGEST_RUN];
    int n = 0;
    size_t at = 0;
    for (cord_text word; (word = next_word(step, &at)).len; n++) {
        bool prose = has_prose(word);
        for (int p = 1; p <= LONGEST_RUN && p <= n; p++) {
            bool same = text_equal(word, recent[(n - p) % LONGEST_RUN]);
            period[p].words = !same ? 0 : period[p].words ? period[p].words + 1 : p + 1;
            period[p].prose = same && (period[p].prose || prose);
            int enough = p * (period[p].prose ? PROSE_RUNS : OTHER_RUNS);
            if (period[p].words >= enough && period[p].words > period[p].best) period[p].best = period[p].words;
        }
        recent[n % LONGEST_RUN] = word;
    }
    for (int p = 1; p <= LONGEST_RUN; p++)
        if (n >= FEWEST_WORDS && 2 * period[p].best >= n) return true;
    return false;
}

bool segment_is_degenerate(cord_text step) {
    return repeats_a_character(step) || repeats_a_line(step) || repeats_words(step);
}
