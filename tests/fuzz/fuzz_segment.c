/* fuzz_segment.c - steps of reasoning with any text. An input of five parts between form feeds is a marker, what stands
 * between steps, what closes the thinking, a parent, and a step; any other input is a step under the presets. */
#include "fuzz.h"

#include "data/segment.h"

static void check_stops(const struct prompt_style *style, struct arena *arena) {
    cord_text stops[SEGMENT_STOPS];
    cord_error err = {0};
    cord_status status = segment_stops(style, arena, stops, &err);
    if (status != CORD_OK) {
        assert(status == CORD_BAD_RECIPE && err.message[0] && is_utf8(text_of(err.message)));
        return;
    }
    assert(stops[SEGMENT_STOP_MARKER].len > 0 && text_find(stops[SEGMENT_STOP_MARKER], TEXT("{n}")) < 0);
    assert(text_starts(text_trim(style->marker), stops[SEGMENT_STOP_MARKER]));
    assert(stops[SEGMENT_STOP_THINK].len > 0);
    assert(text_starts(text_trim(style->think_close), stops[SEGMENT_STOP_THINK]));
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
    for (const char *const *name = prompt_preset_names(); *name; name++) {
        struct prompt_style style;
        bool whole = n == PARTS;
        assert(prompt_preset(*name, &style));
        if (whole) style.marker = parts[MARKER], style.between = parts[BETWEEN], style.think_close = parts[CLOSE];
        cord_text parent = whole ? parts[PARENT] : TEXT("### Step 1. So."), step = whole ? rest : (cord_text){NULL, 0};
        if (!whole) step = (cord_text){(const char *)data, size};
        check_stops(&style, &arena);
        for (int cuts = 0; cuts < 4; cuts++) check_joined(&style, parent, step, cuts & 1, cuts & 2, &arena);
        check_worth(step, &arena);
    }
    arena_release(&arena);
    return 0;
}
