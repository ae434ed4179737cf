/* row_traces.h - the traces that one row of a file holds: in which of its fields, how each is divided into reasoning and reply,
 * and who wrote it. Private to src/data; it must not know to which problem the row belongs. */
#ifndef CORD_ROW_TRACES_H
#define CORD_ROW_TRACES_H

#include "base/json.h"
#include "data/traces.h"

/* A row's traces, before it is known whose they are. */
struct row_traces {
    struct trace *traces;
    int n, room;
    cord_text question; /* of a conversation; data NULL: it has none */
    const char
        *used[2 * TRACE_FIELDS + 2]; /* fields with traces in them, and their attempts: no part of the problem's row */
    int n_used;
};

struct row_reader {
    struct trace_set *set; /* whose sources are numbered */
    const struct trace_options *options;
    struct arena *arena; /* of what is read */
};

/* Reads a row's traces into `row`, which is zero before. CORD_BAD_INPUT names the field. */
cord_status row_traces_read(const struct row_reader *reader, const struct json_row *json, struct row_traces *row,
                            cord_error *err);
/* One more field that is no part of the problem's row. */
void row_traces_leave_out(struct row_traces *row, const char *name);

#endif
