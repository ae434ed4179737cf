/* sheet.h - help, laid out for who reads it: 80 columns of a terminal, or a man page's source (roff). It must not know what
 * the help says. */
#ifndef CORD_SHEET_H
#define CORD_SHEET_H

#include "cmd/cmd.h"

struct sheet {
    FILE *out;
    bool roff;
};

/* Paragraphs, with empty lines between them. They are filled; a line that begins with a blank stands for itself. */
void sheet_text(struct sheet *sheet, const char *text);
/* A thing and what it means: "--model" with its value "NAME" (NULL: none), and `doc`, in a column of their own each. `indent`
 * is for the terminal. */
void sheet_entry(struct sheet *sheet, int indent, const char *thing, const char *value, const char *doc);
/* A thing, what is allowed for it ("": nothing is said), and below them what it means. */
void sheet_pair(struct sheet *sheet, const char *thing, const char *allowed, const char *doc);
/* An empty line; what follows is no longer part of an entry. */
void sheet_gap(struct sheet *sheet);
/* "usage: cord TEXT", or a man page's heading. */
void sheet_usage(struct sheet *sheet, const char *verb, const char *synopsis);

/* For man pages alone: the head of the page, and a section's. */
void sheet_title(struct sheet *sheet, const char *name, const char *version);
void sheet_section(struct sheet *sheet, const char *name);

#endif
