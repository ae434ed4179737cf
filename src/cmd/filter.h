/* filter.h - a plain filter over JSONL: rows in, the same rows out with members added; all that `cord verify` and
 * `cord score` have in common. It must not know what is added.
 *
 *     struct filter f;
 *     cord_status status = filter_open(&f, call, added, &err);
 *     if (status == CORD_OK) ... what takes time, such as a model, is opened
 *     while (status == CORD_OK && filter_read(&f))
 *         if (... f.row cannot be used, `bad` says why) filter_fail(&f, &bad);
 *         else { w = filter_begin(&f); json_text(w, "verdict", ...); filter_end(&f); }
 *     return filter_close(&f, status, &err);
 */
#ifndef CORD_FILTER_H
#define CORD_FILTER_H

#include "base/json.h"
#include "cmd/cmd.h"

struct filter {
    const struct call *call;
    const char *const *added; /* members that the filter writes: a row's own of that name are replaced. Borrowed. */
    const char *path;         /* for messages */
    struct line_reader lines; /* lines.number is the row's, too */
    struct json_row row;      /* until the next call of filter_read */
    struct buf out;
    struct json_writer writer;
    int64_t done, failed;
    bool stopped; /* reading or writing failed */
    bool interrupted;
};

/* Opens call->args[0], or standard input where there is none or it is "-". `added` ends with NULL. */
cord_status filter_open(struct filter *f, const struct call *call, const char *const *added, cord_error *err);
/* The next row, or false at the end. Lines that are no JSON objects are reported, counted as failed, and left out of the
 * output, which stays JSONL. */
bool filter_read(struct filter *f);
/* Writes the row: open it, write the added members, end it. */
struct json_writer *filter_begin(struct filter *f);
void filter_end(struct filter *f);
/* Instead of these: reports on standard error why it failed, and passes it through with a member "error". */
void filter_fail(struct filter *f, cord_error *why);
/* Ends the filter, whether it was opened or not, and returns the verb's exit status: 3 where some rows failed, 1 where all
 * did; 130 where a signal came while a row was waited for. A status that is not CORD_OK ended it: `why` is told. */
int filter_close(struct filter *f, cord_status status, const cord_error *why);

#endif
