/* filter.c - rows of JSONL in and out, for the verbs that add members to them. It must not know what is added. */
#include "cmd/filter.h"

#include <stdlib.h>

enum { LINE_LIMIT = 16 << 20, OUT_LIMIT = 256 << 20 };

cord_status filter_open(struct filter *f, const struct call *call, const char *const *added, cord_error *err) {
    *f = (struct filter){.call = call, .added = added, .path = "standard input"};
    FILE *in = call->in;
    if (call->n_args > 0 && strcmp(call->args[0], "-") != 0) {
        f->path = call->args[0];
        in = fopen(f->path, "rbe"); /* not for a grader's command to inherit */
        if (!in) return error_errno(err, "open", f->path);
    }
    line_reader_init(&f->lines, in, f->path, LINE_LIMIT);
    buf_init(&f->out, "a row of output", OUT_LIMIT);
    return CORD_OK;
}

/* What cannot be read at all ends the filter. */
static void stop(struct filter *f, const cord_error *why) {
    call_fail(f->call, why);
    f->failed++;
    f->stopped = true;
    f->interrupted = why->code == CORD_CANCELLED;
}

/* What cannot be written ends it, too; told here, where it is known why. */
static void stop_writing(struct filter *f) {
    cord_error err = {0};
    error_errno(&err, "write", "the output");
    f->stopped = true;
    if (call_unwritten(f->call, &err) != EXIT_ALL_DONE) f->failed++;
}

static void report(struct filter *f, int64_t number, cord_error *why) {
    error_where(why, "%s:%lld", f->path, (long long)number);
    call_fail(f->call, why);
    f->failed++;
}

/* The reader's line is gone at its next call; a row may be held longer. */
static cord_status take_row(struct filter *f, struct filter_row *row, cord_error *err) {
    cord_text line = buf_text(&f->lines.line);
    row->number = f->lines.number;
    row->line = malloc(line.len + 1);
    if (!row->line) return error_memory(err);
    memcpy(row->line, line.data, line.len);
    cord_status status = json_row_parse(&row->json, (cord_text){row->line, line.len}, err);
    if (status != CORD_OK) free(row->line);
    return status;
}

bool filter_read(struct filter *f, struct filter_row *row) {
    while (!f->stopped) {
        bool more;
        cord_error err = {0};
        cord_status status = line_read(&f->lines, &more, &err);
        if (status == CORD_OK && !more) break;
        if (status == CORD_OK) status = take_row(f, row, &err);
        if (status == CORD_OK) return true;
        if (status == CORD_BAD_INPUT)
            report(f, f->lines.number, &err);
        else
            stop(f, &err);
    }
    return false;
}

void filter_row_release(struct filter_row *row) {
    json_row_release(&row->json);
    free(row->line);
    *row = (struct filter_row){0};
}

static struct json_writer *begin(struct filter *f, const struct filter_row *row, const char *const *except) {
    buf_clear(&f->out);
    f->writer = (struct json_writer){.out = &f->out};
    json_open(&f->writer, NULL, '{');
    json_row_copy(&row->json, &f->writer, except);
    return &f->writer;
}

static void end(struct filter *f) {
    json_close(&f->writer, '}');
    buf_addc(&f->out, '\n');
    cord_error err = {0};
    if (buf_check(&f->out, &err) != CORD_OK)
        stop(f, &err);
    else if (fwrite(f->out.data, 1, f->out.len, f->call->out) != f->out.len || fflush(f->call->out) != 0)
        stop_writing(f); /* flushed, since somebody may wait for it before the next row */
}

struct json_writer *filter_begin(struct filter *f, const struct filter_row *row) {
    return begin(f, row, f->added);
}

void filter_end(struct filter *f) {
    end(f);
    if (!f->stopped) f->done++;
}

void filter_fail(struct filter *f, const struct filter_row *row, cord_error *why) {
    report(f, row->number, why);
    json_text(begin(f, row, f->added), "error", text_of(why->message));
    end(f);
}

int filter_close(struct filter *f) {
    if (f->lines.file != f->call->in) fclose(f->lines.file);
    line_reader_release(&f->lines);
    buf_release(&f->out);
    if (f->interrupted) return EXIT_INTERRUPTED;
    if (f->failed == 0) return EXIT_ALL_DONE;
    return f->done > 0 ? EXIT_SOME_FAILED : EXIT_NOTHING_DONE;
}
