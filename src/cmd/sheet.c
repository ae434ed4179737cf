/* sheet.c - see sheet.h. Widths on the terminal are those of characters, not of bytes. */
#include "cmd/sheet.h"

#include "cmd/page.h"

enum { COLUMNS = 80, INDENT = 6, MARGIN = 26 };

/* Prints a text from column `indent` on, where the line stands already, broken at its blanks where need be. */
static void put_wrapped(FILE *out, cord_text text, int indent) {
    struct page page;
    page_init(&page, out);
    page.columns = COLUMNS;
    page_hanging(&page, PAINT_NONE, text, indent);
    page_release(&page);
}

/* Text that roff prints as it stands: nothing in it is a request, and the signs that roff would make typographic stay what
 * can be typed. */
static void put_roff(FILE *out, cord_text text) {
    static const struct {
        char sign;
        const char *roff;
    } escapes[] = {{'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"}, {'"', "\\(dq"},
                   {'`', "\\(ga"}, {'^', "\\(ha"}, {'~', "\\(ti"}};
    for (size_t i = 0; i < text.len; i++) {
        char sign = text.data[i];
        const char *roff = NULL;
        for (size_t e = 0; e < sizeof escapes / sizeof *escapes; e++)
            if (escapes[e].sign == sign) roff = escapes[e].roff;
        if (roff)
            fputs(roff, out);
        else
            fprintf(out, "%s%c", sign == '.' && (i == 0 || text.data[i - 1] == '\n') ? "\\&" : "", sign);
    }
}

/* What is laid out as one: a line that is empty or begins with a blank, else all lines up to such a one. */
static cord_text next_paragraph(const char **text) {
    const char *start = *text;
    size_t len = strcspn(start, "\n");
    while (len && *start != ' ' && start[len] && start[len + 1] && !strchr(" \n", start[len + 1]))
        len += 1 + strcspn(start + len + 1, "\n");
    *text = start + len + (start[len] == '\n');
    return (cord_text){start, len};
}

static void put_paragraph(FILE *out, cord_text paragraph) {
    size_t blanks = 0;
    while (blanks < paragraph.len && paragraph.data[blanks] == ' ') blanks++;
    cord_text words = text_slice(paragraph, blanks, paragraph.len);
    fprintf(out, "%*s", (int)blanks, "");
    if (blanks && page_width(paragraph) <= COLUMNS) /* with its own spacing */
        fprintf(out, "%.*s\n", (int)words.len, words.data);
    else
        put_wrapped(out, words, (int)blanks);
}

/* A line that begins with a blank is told by its looks: "  thing   what it means" is an entry of a list, one that begins far
 * to the right goes on with the entry before it, any other is a command or a sample. A man page is narrower than the
 * terminal's help, so that the first two cannot keep their own spacing. */
static void put_roff_paragraph(FILE *out, cord_text paragraph) {
    size_t blanks = 0;
    while (blanks < paragraph.len && paragraph.data[blanks] == ' ') blanks++;
    cord_text words = text_slice(paragraph, blanks, paragraph.len);
    ptrdiff_t gap = text_find(words, TEXT("  "));
    if (blanks && blanks < INDENT && gap >= 0) {
        fputs(".TP\n\\fB", out);
        put_roff(out, text_slice(words, 0, (size_t)gap));
        fputs("\\fR\n", out);
        put_roff(out, text_trim(text_slice(words, (size_t)gap, words.len)));
    } else if (blanks && blanks < INDENT) {
        fputs(".nf\n", out);
        put_roff(out, paragraph);
        fputs("\n.fi", out);
    } else {
        fputs(paragraph.len ? "" : ".PP", out);
        put_roff(out, words);
    }
    fputs("\n", out);
}

void sheet_text(struct sheet *sheet, const char *text) {
    while (*text) {
        cord_text paragraph = next_paragraph(&text);
        if (sheet->roff)
            put_roff_paragraph(sheet->out, paragraph);
        else
            put_paragraph(sheet->out, paragraph);
    }
}

void sheet_entry(struct sheet *sheet, int indent, const char *thing, const char *value, const char *doc) {
    FILE *out = sheet->out;
    if (sheet->roff) {
        fputs(".TP\n\\fB", out);
        put_roff(out, text_of(thing));
        fputs(value ? "\\fR \\fI" : "", out);
        put_roff(out, text_of(value));
        fputs("\\fR\n", out);
        put_roff(out, text_of(doc));
        fputs("\n", out);
        return;
    }
    int used = fprintf(out, "%*s%s%s%s", indent, "", thing, value ? " " : "", value ? value : "");
    if (used >= MARGIN - 1) fprintf(out, "\n"), used = 0;
    fprintf(out, "%*s", MARGIN - used, "");
    put_wrapped(out, text_of(doc), MARGIN);
}

void sheet_pair(struct sheet *sheet, const char *thing, const char *allowed, const char *doc) {
    FILE *out = sheet->out;
    if (sheet->roff) {
        fputs(".TP\n\\fB", out);
        put_roff(out, text_of(thing));
        fputs(*allowed ? "\\fR (" : "\\fR", out);
        put_roff(out, text_of(allowed));
        fputs(*allowed ? ")\n" : "\n", out);
        put_roff(out, text_of(doc));
        fputs("\n", out);
        return;
    }
    int used = fprintf(out, "  %s", thing);
    if (*allowed) fprintf(out, "%*s", COLUMNS - used - 1, allowed);
    fprintf(out, "\n%*s", INDENT, "");
    put_wrapped(out, text_of(doc), INDENT);
}

void sheet_gap(struct sheet *sheet) { fputs(sheet->roff ? ".PP\n" : "\n", sheet->out); }

void sheet_usage(struct sheet *sheet, const char *verb, const char *synopsis) {
    FILE *out = sheet->out;
    if (sheet->roff) {
        fprintf(out, ".SS cord %s ", verb);
        put_roff(out, text_of(synopsis));
        fputs("\n", out);
        return;
    }
    int used = fprintf(out, "usage: cord %s ", verb);
    put_wrapped(out, text_of(synopsis), used);
    fprintf(out, "\n");
}

void sheet_title(struct sheet *sheet, const char *name, const char *version) {
    fputs(".TH ", sheet->out);
    for (const char *c = name; *c; c++) fputc(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c, sheet->out);
    fprintf(sheet->out, " 1 \"\" \"%s %s\" \"User Commands\"\n", name, version);
    fputs(".nh\n.ad l\n", sheet->out); /* names are not to be broken, nor lines stretched */
}

void sheet_section(struct sheet *sheet, const char *name) { fprintf(sheet->out, ".SH %s\n", name); }
