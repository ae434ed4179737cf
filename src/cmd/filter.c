/* filter.c - rows of JSONL in and out, for the verbs that add members to them. It must not know what is added. */
#include "cmd/filter.h"

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

static void report(struct filter *f, cord_error *why) {
    error_where(why, "%s:%lld", f->path, (long long)f->lines.number);
    call_fail(f->call, why);
    f->failed++;
}

bool filter_read(struct filter *f) {
    json_row_release(&f->row);
    while (!f->stopped) {
        bool more;
        cord_error err = {0};
        cord_status status = line_read(&f->lines, &more, &err);
        if (status == CORD_OK && !more) break;
        if (status == CORD_OK) status = json_row_parse(&f->row, buf_text(&f->lines.line), &err);
        if (status == CORD_OK) return true;
        if (status == CORD_BAD_INPUT)
            report(f, &err);
        else
            stop(f, &err);
    }
    return false;
}

struct json_writer *filter_begin(struct filter *f) {
    buf_clear(&f->out);
    f->writer = (struct json_writer){.out = &f->out};
    json_open(&f->writer, NULL, '{');
    json_row_copy(&f->row, &f->writer, f->added);
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

void filter_end(struct filter *f) {
    end(f);
    if (!f->stopped) f->done++;
}

void filter_fail(struct filter *f, cord_error *why) {
    report(f, why);
    json_text(filter_begin(f), "error", text_of(why->message));
    end(f);
}

int filter_close(struct filter *f, cord_status status, const cord_error *why) {
    json_row_release(&f->row);
    if (f->lines.file && f->lines.file != f->call->in) fclose(f->lines.file);
    line_reader_release(&f->lines);
    buf_release(&f->out);
    if (status != CORD_OK) return call_fail(f->call, why);
    if (f->interrupted) return EXIT_INTERRUPTED;
    if (f->failed == 0) return EXIT_ALL_DONE;
    return f->done > 0 ? EXIT_SOME_FAILED : EXIT_NOTHING_DONE;
}
