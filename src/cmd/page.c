/* page.c - see page.h. */
#include "cmd/page.h"

enum { MOST_TEXT = 1 << 30, LEAST_WIDTH = 20 };

void page_init(struct page *page, FILE *out) {
    *page = (struct page){.out = out, .colour = wants_colour(out), .columns = terminal_columns(out)};
    buf_init(&page->scratch, "a text to show", MOST_TEXT);
}

void page_release(struct page *page) { buf_release(&page->scratch); }

/* ---- paint --------------------------------------------------------------------------------------------------- */

static void paint_on(struct page *page, enum paint paint) {
    static const char *const codes[] = {"", "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[33m"};
    if (page->colour) fputs(codes[paint], page->out);
}

static void paint_off(struct page *page, enum paint paint) {
    if (page->colour && paint != PAINT_NONE) fputs("\033[0m", page->out);
}

void page_print(struct page *page, enum paint paint, const char *format, ...) {
    va_list args;
    va_start(args, format);
    paint_on(page, paint);
    vfprintf(page->out, format, args);
    paint_off(page, paint);
    va_end(args);
}

/* ---- text of any origin -------------------------------------------------------------------------------------- */

static bool is_blank(uint32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The text as it may be shown, in the page's scratch buffer; on one line, runs of blanks become one. */
static cord_text harmless(struct page *page, cord_text text, bool one_line) {
    struct buf *out = &page->scratch;
    bool gap = false;
    buf_clear(out);
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        uint32_t c = utf8_next(text, &at);
        if (one_line && is_blank(c)) {
            gap = out->len > 0;
            continue;
        }
        if (gap) buf_addc(out, ' ');
        gap = false;
        if (c == '\n')
            buf_addc(out, '\n');
        else if (c == '\t')
            buf_add(out, TEXT("    "));
        else if (c == '\r' && at < text.len && text.data[at] == '\n')
            continue;
        else if (utf8_is_obeyed(c))
            buf_addf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
        else if (c == 0xFFFD)
            buf_add(out, TEXT("\xEF\xBF\xBD"));
        else
            buf_add(out, text_slice(text, start, at));
    }
    page->failed |= out->status != CORD_OK;
    return out->status == CORD_OK ? buf_text(out) : (cord_text){0};
}

/* How many bytes of `text` fit into `width` columns, newlines ended before; *used columns. */
static size_t fit(cord_text text, int width, int *used) {
    size_t at = 0;
    for (*used = 0; at < text.len && text.data[at] != '\n';) {
        size_t next = at;
        int w = utf8_width(utf8_next(text, &next));
        if (*used + w > width) break;
        *used += w;
        at = next;
    }
    return at;
}

static void write_text(struct page *page, cord_text text) {
    if (text.len) fwrite(text.data, 1, text.len, page->out);
}

void page_cell(struct page *page, enum paint paint, cord_text text, int width) {
    int most = width < 0 ? -width : width, used, all;
    text = harmless(page, text, true);
    bool whole = fit(text, most, &used) == text.len;
    size_t len = whole ? text.len : fit(text, most - 1, &used);
    paint_on(page, paint);
    write_text(page, text_slice(text, 0, len));
    if (!whole) fputs("…", page->out);
    paint_off(page, paint);
    all = used + !whole;
    if (width > all) fprintf(page->out, "%*s", width - all, "");
}

/* Bytes of the next line of a wrapped text: up to the last blank that fits, else as many characters as fit. */
static size_t line_end(cord_text text, int width) {
    int used;
    size_t len = fit(text, width, &used);
    if (len == text.len || text.data[len] == '\n' || text.data[len] == ' ') return len;
    size_t blank = len;
    while (blank > 0 && text.data[blank - 1] != ' ') blank--;
    if (blank > 0 && text_trim(text_slice(text, 0, blank)).len) return blank;
    if (len > 0) return len;
    utf8_next(text, &len); /* a character wider than the page */
    return len;
}

static void wrap(struct page *page, enum paint paint, cord_text text, int indent, int lines, bool hanging) {
    int width = page->columns - indent > LEAST_WIDTH ? page->columns - indent : LEAST_WIDTH, used;
    text = harmless(page, text_trim_end(text), lines > 0);
    for (int line = 1; text.len; line++) {
        bool cut = lines && line == lines && fit(text, width, &used) < text.len;
        size_t end = cut ? fit(text, width - 1, &used) : line_end(text, width);
        if (end && !(hanging && line == 1)) fprintf(page->out, "%*s", indent, "");
        paint_on(page, paint);
        write_text(page, text_trim_end(text_slice(text, 0, end)));
        if (cut) fputs("…", page->out);
        paint_off(page, paint);
        fputc('\n', page->out);
        if (cut) return;
        bool newline = end < text.len && text.data[end] == '\n';
        if (newline)
            end++;
        else
            while (end < text.len && text.data[end] == ' ') end++;
        text = text_slice(text, end, text.len);
    }
}

void page_text(struct page *page, enum paint paint, cord_text text, int indent, int lines) {
    wrap(page, paint, text, indent, lines, false);
}

void page_hanging(struct page *page, enum paint paint, cord_text text, int indent) {
    if (text_trim(text).len)
        wrap(page, paint, text, indent, 0, true);
    else
        fputc('\n', page->out);
}

void page_raw(struct page *page, enum paint paint, cord_text text) {
    paint_on(page, paint);
    write_text(page, harmless(page, text, false));
    paint_off(page, paint);
}

/* ---- lines that are printed already -------------------------------------------------------------------------- */

/* Behind what paints, where that stands at `at`; else `at`. */
static size_t behind_paint(cord_text line, size_t at) {
    if (line.data[at] != '\033') return at;
    while (at < line.len && line.data[at] != 'm') at++;
    return at < line.len ? at + 1 : at;
}

int page_width(cord_text line) {
    int width = 0;
    for (size_t at = 0; at < line.len;) {
        size_t start = at;
        at = behind_paint(line, at);
        if (at == start) width += utf8_width(utf8_next(line, &at));
    }
    return width;
}

void page_cut(struct buf *out, cord_text line, int width) {
    int most = page_width(line) <= width ? width : width - 1, used = 0;
    bool cut = false;
    for (size_t at = 0; at < line.len;) {
        size_t start = at;
        at = behind_paint(line, at);
        bool paint = at > start;
        if (!paint) used += utf8_width(utf8_next(line, &at));
        if (used > most && !cut) buf_add(out, TEXT("…")), cut = true;
        if (paint || !cut) buf_add(out, text_slice(line, start, at));
    }
}
