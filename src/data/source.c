/* source.c - tells what kind of file it is, and reads JSONL line by line. It must not know what the rows mean, nor DuckDB. */
#include "data/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEEK = 1 << 12, FIRST_LINE = 1 << 20 };

/* ---- what kind of file -------------------------------------------------------------------------------------------- */

static bool takes_end(cord_text *name, const char *end) {
    size_t len = strlen(end);
    if (name->len <= len || strncasecmp(name->data + name->len - len, end, len) != 0) return false;
    name->len -= len;
    return true;
}

/* What is told by its bytes and cannot be read, with the cure. */
static cord_status refuse_foreign(const char *path, cord_text beginning, cord_error *err) {
    static const struct {
        size_t at, len;
        const char *bytes, *what;
    } foreign[] = {
        {0, 6, "\xFD\x37zXZ\0", "this is packed by xz; unpack it: xz -d"},
        {4, 6, "1AY&SY", "this is packed by bzip2; unpack it: bzip2 -d"},
        {0, 4, "PK\3\4", "this is a zip archive; unpack it: unzip"},
        {0, 6, "7z\xBC\xAF\x27\x1C", "this is a 7z archive; unpack it: 7z x"},
        {0, 4, "\xFF\xFE\0\0", "this is UTF-32; make UTF-8 of it: iconv -f UTF-32 -t UTF-8"},
        {0, 4, "\0\0\xFE\xFF", "this is UTF-32; make UTF-8 of it: iconv -f UTF-32 -t UTF-8"},
        {0, 4, "{\0\0\0", "this is UTF-32; make UTF-8 of it: iconv -f UTF-32LE -t UTF-8"},
        {0, 4, "\0\0\0{", "this is UTF-32; make UTF-8 of it: iconv -f UTF-32BE -t UTF-8"},
        {0, 2, "\xFF\xFE", "this is UTF-16; make UTF-8 of it: iconv -f UTF-16 -t UTF-8"},
        {0, 2, "\xFE\xFF", "this is UTF-16; make UTF-8 of it: iconv -f UTF-16 -t UTF-8"},
        {0, 2, "{\0", "this is UTF-16; make UTF-8 of it: iconv -f UTF-16LE -t UTF-8"},
        {0, 2, "\0{", "this is UTF-16; make UTF-8 of it: iconv -f UTF-16BE -t UTF-8"},
    };
    const char *what = NULL;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign && !what; i++) {
        cord_text there =
            text_slice(beginning, foreign[i].at < beginning.len ? foreign[i].at : beginning.len, beginning.len);
        if (text_starts(there, (cord_text){foreign[i].bytes, foreign[i].len})) what = foreign[i].what;
    }
    if (text_find(beginning, TEXT("}\r{")) >= 0 && text_find(beginning, TEXT("\n")) < 0)
        what = "its lines end in CR alone; make LF of it: tr '\\r' '\\n'";
    if (!what) return CORD_OK;
    error_where(err, "%s", path);
    return error_set(err, CORD_BAD_INPUT, "%s", what);
}

/* The beginning of a regular file; nothing of a pipe, which can be read but once. */
static cord_status peek(const char *path, char *bytes, size_t size, cord_text *beginning, cord_error *err) {
    struct stat info;
    *beginning = (cord_text){bytes, 0};
    if (stat(path, &info) != 0) return CORD_OK; /* (who opens it says what is wrong) */
    if (S_ISDIR(info.st_mode)) {
        error_where(err, "%s", path);
        return error_set(err, CORD_IO_ERROR,
                         "this is a folder; name one file. Several are joined by cat, or, where they are Parquet, by "
                         "DuckDB's program: duckdb -c \"COPY (FROM '*.parquet') TO 'joined.parquet'\"");
    }
    if (!S_ISREG(info.st_mode)) return CORD_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return error_errno(err, "open", path);
    ssize_t n = pread(fd, bytes, size, 0);
    if (n > 0) beginning->len = (size_t)n;
    cord_status status = n < 0 ? error_errno(err, "read", path) : CORD_OK;
    close(fd);
    return status;
}

static cord_status open_file(const char *path, enum packing packing, void **file, cord_error *err) {
    if (packing == PACKING_GZIP) return packed_open_gzip(path, file, err);
    *file = fopen(path, "rbe");
    return *file ? CORD_OK : error_errno(err, "open", path);
}

/* Whether a file called .json is lines of objects all the same, as many are: its first line is a whole one. */
static cord_status first_line_is_object(const char *path, enum packing packing, bool *whole, cord_error *err) {
    struct line_reader lines;
    bool more;
    cord_error ignored = {0};
    void *file;
    *whole = false;
    CORD_TRY(open_file(path, packing, &file, err));
    line_reader_init(&lines, file, path, FIRST_LINE);
    cord_status status = line_read(&lines, &more, &ignored);
    if (status == CORD_BAD_INPUT) *whole = true; /* a very long one: the file has lines */
    if (status == CORD_OK && more) {
        struct json_row row;
        *whole = json_row_parse(&row, buf_text(&lines.line), &ignored) == CORD_OK;
        if (*whole) json_row_release(&row);
    }
    line_reader_release(&lines);
    fclose(file);
    return CORD_OK;
}

struct kind {
    enum table_kind table;
    enum packing packing;
    bool own; /* lines that are read here */
};

static cord_status find_kind(const char *path, struct kind *kind, cord_error *err) {
    static const struct {
        const char *end;
        enum table_kind table;
    } ends[] = {{".csv", TABLE_CSV}, {".tsv", TABLE_TSV}, {".json", TABLE_JSON}};
    char bytes[PEEK];
    cord_text beginning, name = text_of(path);
    CORD_TRY(peek(path, bytes, sizeof bytes, &beginning, err));
    *kind = (struct kind){TABLE_LINES, packing_of(beginning), false};
    if (text_starts(beginning, TEXT("PAR1"))) {
        kind->table = TABLE_PARQUET;
        return CORD_OK;
    }
    CORD_TRY(refuse_foreign(path, beginning, err));
    (void)(takes_end(&name, ".gz") || takes_end(&name, ".zst") || takes_end(&name, ".zstd"));
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (takes_end(&name, ends[i].end)) kind->table = ends[i].table;
    bool lines = takes_end(&name, ".jsonl") || takes_end(&name, ".ndjson");
    if (kind->packing == PACKING_NONE) {
        if (text_starts(beginning, TEXT("\xEF\xBB\xBF"))) beginning = text_slice(beginning, 3, beginning.len);
        bool array = text_starts(text_trim(beginning), TEXT("["));
        if (array && !lines && kind->table != TABLE_CSV && kind->table != TABLE_TSV) kind->table = TABLE_ARRAY;
    }
    bool whole = false;
    if (kind->table == TABLE_JSON && kind->packing != PACKING_ZSTD)
        CORD_TRY(first_line_is_object(path, kind->packing, &whole, err));
    if (whole) kind->table = TABLE_LINES;
    kind->own = kind->table == TABLE_LINES && kind->packing != PACKING_ZSTD;
    return CORD_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static cord_status open_lines(struct source *s, enum packing packing, cord_error *err) {
    if (packing == PACKING_GZIP) CORD_TRY(packed_check(s->path, packing, err));
    CORD_TRY(open_file(s->path, packing, &s->file, err));
    line_reader_init(&s->lines, s->file, s->path, TABLE_ROW_BYTES);
    return CORD_OK;
}

cord_status source_open(struct source *s, const char *path, const char *library, cord_error *err) {
    static const char *const kinds[] = {
        [TABLE_LINES] = "JSONL", [TABLE_ARRAY] = "a JSON array", [TABLE_JSON] = "JSON", [TABLE_CSV] = "CSV",
        [TABLE_TSV] = "TSV",     [TABLE_PARQUET] = "Parquet"};
    struct kind kind;
    *s = (struct source){.path = path};
    CORD_TRY(find_kind(path, &kind, err));
    s->kind = kinds[kind.table];
    s->unit = kind.own ? "line" : "row";
    if (kind.own) return open_lines(s, kind.packing, err);
    struct table_options options = {path, kind.table, kind.packing, library};
    return table_open(&options, &s->table, err);
}

/* What cannot be read as it comes, and was not recognised, since only a file can be looked into beforehand. */
static cord_status refuse_first_line(const struct source *s, cord_text line, cord_error *err) {
    enum packing packing = packing_of(line);
    bool parquet = text_starts(line, TEXT("PAR1"));
    if (packing == PACKING_NONE && !parquet) return refuse_foreign(s->path, line, err);
    error_where(err, "%s", s->path);
    if (parquet) return error_set(err, CORD_BAD_INPUT, "Parquet cannot be read from a pipe; name the file");
    return error_set(err, CORD_BAD_INPUT, "this is %s in a pipe, or packed twice; unpack it on the way: %s -dc",
                     packing_names[packing], packing_names[packing]);
}

static cord_status next_line(struct source *s, bool *more, cord_text *row, cord_error *why, cord_error *err) {
    cord_error found = {0};
    cord_status status = line_read(&s->lines, more, &found);
    s->number = s->lines.number;
    if (status == CORD_BAD_INPUT) {
        *why = found;
    } else if (status != CORD_OK) {
        if (err) *err = found;
        return status;
    } else if (*more) {
        *row = buf_text(&s->lines.line);
    }
    return s->number == 1 ? refuse_first_line(s, buf_text(&s->lines.line), err) : CORD_OK;
}

cord_status source_next(struct source *s, bool *more, cord_text *row, cord_error *why, cord_error *err) {
    struct table_row found;
    *row = (cord_text){0};
    *why = (cord_error){0};
    if (s->file) return next_line(s, more, row, why, err);
    CORD_TRY(table_next(s->table, &found, err));
    *more = found.more;
    s->number += found.more;
    *row = found.text;
    if (found.bad) (void)error_set(why, CORD_BAD_INPUT, "%s", found.bad);
    return CORD_OK;
}

void source_close(struct source *s) {
    if (s->file) {
        fclose(s->file);
        line_reader_release(&s->lines);
    }
    table_close(s->table);
    *s = (struct source){0};
}

void source_where(const struct source *s, cord_error *err) {
    if (*s->unit == 'l')
        error_where(err, "%s:%lld", s->path, (long long)s->number);
    else
        error_where(err, "%s, row %lld", s->path, (long long)s->number);
}
