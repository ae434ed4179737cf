/* fuzz_segment.c - steps of reasoning with any text. An input of five parts between form feeds is a marker, what stands
 * between steps, what closes the thinking, a parent, and a step; any other input is a step under the presets. Where no marker
 * divides the steps, the marker is taken for a list of phrases. */
#include "fuzz.h"

#include "data/segment.h"

static void check_stops(const struct prompt_style *style) {
    struct segment_stops stops;
    cord_error err = {0};
    cord_status status = segment_stops(style, &stops, &err);
    if (status != CORD_OK) {
        assert(status == CORD_BAD_RECIPE && err.message[0] && is_utf8(text_of(err.message)));
        return;
    }
    assert(stops.n == 2 && stops.text[0].len > 0 && text_find(stops.text[0], TEXT("{n}")) < 0);
    assert(text_starts(text_trim(style->marker), stops.text[0]));
    assert(stops.think == 1 && stops.text[1].len > 0);
    assert(text_starts(text_trim(style->think_close), stops.text[1]));
}

/* Of a text that was cut inside a stop string nothing of that is kept, and all that is kept is a beginning. */
static void check_cut(const struct prompt_style *style, cord_text text) {
    struct segment_stops stops;
    cord_error err = {0};
    cord_text kept;
    if (segment_stops(style, &stops, &err) != CORD_OK) return;
    assert(segment_before_stop(style, text, &kept, &err) == CORD_OK);
    assert(kept.len <= text.len && text_starts(text, kept));
    for (int i = 0; i < stops.n; i++)
        for (size_t len = 1; len < stops.text[i].len; len++)
            if (text_ends(text, text_slice(stops.text[i], 0, len))) assert(kept.len + len <= text.len);
}

/* A text read step by step, each from where the one before ended: together they are the text again, each has content, and what
 * is one step read again is one. */
static void check_pieces(enum segmentation how, cord_text phrases, cord_text text, bool cut, struct arena *arena) {
    struct prompt_style style;
    cord_text all = {"", 0};
    cord_error err = {0};
    assert(prompt_preset("paper", &style));
    prompt_segment(&style, how);
    if (phrases.len) style.prefixes = phrases;
    for (size_t at = 0; at < text.len;) {
        cord_text step, again;
        enum step_end end = cut ? STEP_CUT : STEP_TURN, end_again = STEP_CUT;
        assert(segment_read(&style, false, text_slice(text, at, text.len), -1, arena, &step, &end, &err) == CORD_OK);
        assert(segment_extend(&style, all, false, 1, step, end == STEP_CUT, arena, &all, &err) == CORD_OK);
        at += step.len;
        if (end != STEP_NEXT) {
            assert(cut ? at == text.len : !text_trim(text_slice(text, at, text.len)).len);
            break;
        }
        assert(step.len && text_trim(step).len && !segment_adds_nothing(&style, false, step, end));
        assert(segment_read(&style, false, step, -1, arena, &again, &end_again, &err) == CORD_OK);
        assert(text_equal(step, again));
    }
    assert(text_equal(cut ? text : text_trim_end(text), cut ? all : text_trim_end(all)));
}

/* A step joined to its parent: both are found in it again, and nothing but what the style says stands between. */
static void check_joined(const struct prompt_style *style, cord_text parent, cord_text step, bool parent_cut, bool cut,
                         struct arena *arena) {
    enum { NUMBER = 1234 };
    cord_text open, all, kept = cut ? step : text_trim_end(step);
    cord_error err = {0};
    assert(segment_open(style, parent, parent_cut, NUMBER, arena, &open, &err) == CORD_OK);
    assert(segment_extend(style, parent, parent_cut, NUMBER, step, cut, arena, &all, &err) == CORD_OK);
    assert(text_starts(open, parent) && text_starts(all, open));
    check_cut(style, step);
    assert(text_equal(text_slice(all, open.len, all.len), kept));
    cord_text added = text_slice(open, parent.len, open.len);
    if (parent_cut) {
        assert(added.len == 0);
        return;
    }
    cord_text between = parent.len ? style->between : TEXT("");
    size_t number = text_find(style->marker, TEXT("{n}")) >= 0 ? strlen("1234") - strlen("{n}") : 0;
    assert(text_starts(added, between) && added.len == between.len + style->marker.len + number);
}

/* `line` said `times` times, each on a line of its own. */
static cord_text lines_of(cord_text line, int times, struct arena *arena) {
    struct buf all;
    buf_init(&all, "lines", SIZE_MAX / 4);
    for (int i = 0; i < times; i++) {
        buf_add(&all, line);
        buf_addc(&all, '\n');
    }
    cord_text text = arena_text(arena, buf_text(&all));
    buf_release(&all);
    return text;
}

static void check_worth(cord_text step, struct arena *arena) {
    bool empty = segment_is_empty(step);
    assert(segment_is_empty(text_trim(step)) == empty);
    if (empty)
        for (size_t i = 0; i < step.len; i++) {
            unsigned char c = (unsigned char)step.data[i];
            assert(c < 0x80 && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'));
        }
    (void)segment_is_degenerate(step);
    ptrdiff_t end = text_find(text_trim(step), TEXT("\n"));
    cord_text line = text_trim(step);
    if (end >= 0) line.len = (size_t)end;
    if (text_trim(line).len && line.len < 2000) assert(segment_is_degenerate(lines_of(line, 16, arena)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { MARKER, BETWEEN, CLOSE, PARENT, STEP, PARTS };
    cord_text parts[PARTS], rest = {(const char *)data, size};
    int n = 0;
    for (ptrdiff_t at; n < PARTS - 1 && (at = text_find(rest, TEXT("\f"))) >= 0; n++) {
        parts[n] = text_slice(rest, 0, (size_t)at);
        rest = text_slice(rest, (size_t)at + 1, rest.len);
    }
    parts[n++] = rest;

    struct arena arena;
    arena_init(&arena);
    for (const char *const *name = prompt_preset_names; *name; name++) {
        struct prompt_style style;
        bool whole = n == PARTS;
        assert(prompt_preset(*name, &style));
        if (whole) style.marker = parts[MARKER], style.between = parts[BETWEEN], style.think_close = parts[CLOSE];
        cord_text parent = whole ? parts[PARENT] : TEXT("### Step 1. So."), step = whole ? rest : (cord_text){NULL, 0};
        if (!whole) step = (cord_text){(const char *)data, size};
        check_stops(&style);
        for (int cuts = 0; cuts < 4; cuts++) check_joined(&style, parent, step, cuts & 1, cuts & 2, &arena);
        check_worth(step, &arena);
    }
    cord_text all = {(const char *)data, size}, phrases = n == PARTS ? parts[MARKER] : TEXT("");
    for (int cut = 0; cut < 2; cut++) {
        check_pieces(SEGMENTATION_LINE_BREAK, phrases, n == PARTS ? rest : all, cut, &arena);
        check_pieces(SEGMENTATION_PREFIX, phrases, n == PARTS ? rest : all, cut, &arena);
    }
    arena_release(&arena);
    return 0;
}
