/* filter.h - a plain filter over JSONL: rows in, the same rows out with members added; all that `cord verify` and
 * `cord score` have in common. It must not know what is added.
 *
 *     struct filter f;
 *     struct filter_row row;
 *     if (filter_open(&f, call, added, &err) != CORD_OK) return call_fail(call, &err);
 *     while (filter_read(&f, &row)) {
 *         if (... row.json cannot be used, `err` says why) filter_fail(&f, &row, &err);
 *         else { w = filter_begin(&f, &row); json_text(w, "verdict", ...); filter_end(&f); }
 *         filter_row_release(&row);
 *     }
 *     return filter_close(&f);
 *
 * Rows are written in the order of the calls; several may be held at a time. */
#ifndef CORD_FILTER_H
#define CORD_FILTER_H

#include "base/json.h"
#include "cmd/cmd.h"

struct filter {
    const struct call *call;
    const char *const *added; /* members that the filter writes: a row's own of that name are replaced. Borrowed. */
    const char *path;         /* for messages */
    struct line_reader lines;
    struct buf out;
    struct json_writer writer;
    int64_t done, failed;
    bool stopped; /* reading or writing failed */
    bool interrupted;
};

/* A row and its line, the caller's until filter_row_release. */
struct filter_row {
    struct json_row json;
    char *line;
    int64_t number;
};

/* Opens call->args[0], or standard input where there is none or it is "-". `added` ends with NULL. */
cord_status filter_open(struct filter *f, const struct call *call, const char *const *added, cord_error *err);
/* The next row, or false at the end. Lines that are no JSON objects are reported, counted as failed, and left out of the
 * output, which stays JSONL. */
bool filter_read(struct filter *f, struct filter_row *row);
void filter_row_release(struct filter_row *row);
/* Writes a row: open it, write the added members, end it. */
struct json_writer *filter_begin(struct filter *f, const struct filter_row *row);
void filter_end(struct filter *f);
/* Instead of these: reports on standard error why the row failed, and passes it through with a member "error". */
void filter_fail(struct filter *f, const struct filter_row *row, cord_error *why);
/* Ends the filter and returns the verb's exit status: 3 where some rows failed, 1 where all did; 130 where a signal came
 * while a row was waited for. */
int filter_close(struct filter *f);

#endif
