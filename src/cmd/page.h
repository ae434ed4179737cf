/* page.h - words on a terminal: text of any origin made harmless, wrapped by the width of its characters, in colour
 * where that is wanted. It must not know what is shown. */
#ifndef CORD_PAGE_H
#define CORD_PAGE_H

#include "cmd/cmd.h"

enum paint { PAINT_NONE, PAINT_BOLD, PAINT_DIM, PAINT_GOOD, PAINT_BAD, PAINT_WARN };

struct page {
    FILE *out;
    bool colour;
    int columns;
    struct buf scratch;
    bool failed; /* no memory: what is shown is not whole */
};

/* What "problem" ends with, of n of them. */
static inline const char *page_plural(int n) { return n == 1 ? "" : "s"; }

void page_init(struct page *page, FILE *out);
void page_release(struct page *page);
/* printf, painted. For cord's own words: nothing is escaped. */
void page_print(struct page *page, enum paint paint, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Text of any origin on one line, cut to `width` columns and filled up with blanks; negative: cut but not filled. */
void page_cell(struct page *page, enum paint paint, cord_text text, int width);
/* Text of any origin, wrapped between `indent` and the right edge, in at most `lines` lines (then its newlines count as
 * blanks), or in all it needs (0). Ends with a newline; prints nothing for a text of blanks. */
void page_text(struct page *page, enum paint paint, cord_text text, int indent, int lines);
/* The same in all the lines it needs, where something already stands in front of the first one's text. */
void page_hanging(struct page *page, enum paint paint, cord_text text, int indent);
/* The columns of a line that was printed by these functions; paint takes none. */
int page_width(cord_text line);
/* Adds such a line to `out`, cut to `width` columns, with all of its paint. */
void page_cut(struct buf *out, cord_text line, int width);
/* Text of any origin with its own blanks and newlines, neither wrapped nor indented. */
void page_raw(struct page *page, enum paint paint, cord_text text);

#endif
