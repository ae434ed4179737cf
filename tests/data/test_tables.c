/* test_tables.c - problem sets as JSON arrays, CSV, TSV and Parquet, plain, gzip and zstd: the same problems whatever the file;
 * hostile names and damaged files; a library that is not there. Parquet, CSV and zstd are written by DuckDB itself, so all but
 * the last is skipped where it is not at hand. */
#include "scratch.h"

#include "base/json.h"
#include "data/duckdb.h"
#include "data/problem_sets.h"
#include "data/traces.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <zlib.h>

static const char *library;
static struct problem_set set;
static struct problem *problems; /* of the set */
static struct arena arena;
static cord_error why;

static int set_up(void **state) {
    library = find_duckdb();
    return scratch_open(state);
}

static int release_set(void **state) {
    (void)state;
    problem_set_release(&set);
    arena_release(&arena);
    return 0;
}

static void write_gzip(const char *name, cord_text content) {
    gzFile file = gzopen(scratch_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, content.data, (unsigned)content.len), content.len);
    assert_int_equal(gzclose(file), Z_OK);
}

static cord_status read_named(const char *name, struct problem_options options) {
    release_set(NULL);
    why = (cord_error){0};
    options.path = scratch_path(name);
    if (!options.library) options.library = library;
    CORD_TRY(problem_set_read(&set, &options, &why));
    problems = problems_of_set(&set, &arena);
    return CORD_OK;
}

#define READ(name)                                                    \
    do {                                                              \
        if (read_named(name, (struct problem_options){0}) != CORD_OK) \
            fail_msg("%s: %s: %s", name, why.where, why.message);     \
    } while (0)

#define REFUSED(name, part)                                                                                        \
    do {                                                                                                           \
        assert_int_equal(read_named(name, (struct problem_options){0}), CORD_BAD_INPUT);                           \
        if (!strstr(why.message, part) || !strstr(why.where, scratch)) fail_msg("%s: %s", why.where, why.message); \
        assert_null(strstr(why.message, "/proc"));                                                                 \
    } while (0)

/* Lets DuckDB itself do something, by its plain calls: the tests' files are not written by what is tested. */
static void duckdb(const char *query) {
    void *so = dlopen(library, RTLD_NOW | RTLD_LOCAL), *database = NULL, *connection = NULL;
    struct {
        uint64_t space[6];
    } result = {0};
    assert_non_null(so);
    int (*open_)(const char *, void **), (*connect_)(void *, void **), (*query_)(void *, const char *, void *);
    void (*disconnect_)(void **), (*close_)(void **), (*destroy_)(void *);
    const char *(*error_)(void *);
    *(void **)&open_ = dlsym(so, "duckdb_open");
    *(void **)&connect_ = dlsym(so, "duckdb_connect");
    *(void **)&query_ = dlsym(so, "duckdb_query");
    *(void **)&error_ = dlsym(so, "duckdb_result_error");
    *(void **)&destroy_ = dlsym(so, "duckdb_destroy_result");
    *(void **)&disconnect_ = dlsym(so, "duckdb_disconnect");
    *(void **)&close_ = dlsym(so, "duckdb_close");
    assert_true(open_(NULL, &database) == 0 && connect_(database, &connection) == 0);
    if (query_(connection, query, &result) != 0) fail_msg("%s: %s", query, error_(&result));
    destroy_(&result);
    disconnect_(&connection);
    close_(&database);
}

/* ---- the same problems from every kind of file ------------------------------------------------------------------ */

static const char rows[] = "{\"id\":\"a\",\"question\":\"He said \\\"hi\\\",\\nthen left; why?\",\"answer\":\"3/4\"}\n"
                           "{\"id\":\"b\",\"question\":\"\\u00e9t\\u00e9 | \\ttab\",\"answer\":\"027\"}\n"
                           "{\"id\":\"c\",\"question\":\"#### <|im_end|>\",\"answer\":\"text\\n\\\\boxed{5}\"}\n";

static void check_rows(const char *name, const char *unit) {
    READ(name);
    assert_int_equal(set.n, 3);
    assert_int_equal(set.n_bad, 0);
    assert_string_equal(set.unit, unit);
    assert_text(problems[0].question.text, "He said \"hi\",\nthen left; why?");
    assert_text(problems[0].gold, "3/4");
    assert_text(problems[1].question.text, "\xC3\xA9t\xC3\xA9 | \ttab");
    assert_text(problems[1].gold, "027");
    assert_text(problems[2].question.text, "#### <|im_end|>");
    assert_text(problems[2].gold, "5");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(problems[i].line, i + 1);
        assert_int_equal(problems[i].question.id.data[0], 'a' + i);
        assert_null(memchr(problems[i].row.data, '\n', problems[i].row.len));
    }
}

static void lines_in_gzip_need_no_library(void **state) {
    (void)state;
    write_gzip("rows.jsonl.gz", text_of(rows));
    const char *kept = library;
    library = "";
    check_rows("rows.jsonl.gz", "line");
    library = kept;
}

static void every_kind_of_file_gives_the_same(void **state) {
    (void)state;
    if (!library) skip();
    static const struct {
        const char *name, *options;
    } kinds[] = {{"rows.parquet", "FORMAT parquet"},
                 {"zstd.parquet", "FORMAT parquet, COMPRESSION zstd"},
                 {"rows.csv", "FORMAT csv, HEADER"},
                 {"semicolons.csv", "FORMAT csv, HEADER, DELIM ';'"},
                 {"rows.tsv", "FORMAT csv, HEADER, DELIM '\t'"},
                 {"rows.csv.gz", "FORMAT csv, HEADER, COMPRESSION gzip"},
                 {"rows.csv.zst", "FORMAT csv, HEADER, COMPRESSION zstd"},
                 {"rows.json", "FORMAT json, ARRAY true"},
                 {"array.json.gz", "FORMAT json, ARRAY true, COMPRESSION gzip"},
                 {"rows.jsonl.zst", "FORMAT json, COMPRESSION zstd"},
                 {"lines.json.zst", "FORMAT json, COMPRESSION zstd"}};
    scratch_write("rows.jsonl", text_of(rows));
    check_rows("rows.jsonl", "line");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char query[1000];
        snprintf(query, sizeof query,
                 "COPY (SELECT * FROM read_json('%s/rows.jsonl', format='newline_delimited', columns={id: 'VARCHAR', "
                 "question: 'VARCHAR', answer: 'VARCHAR'})) TO '%s/%s' (%s)",
                 scratch, scratch, kinds[i].name, kinds[i].options);
        duckdb(query);
        check_rows(kinds[i].name, "row");
    }
}

static void our_parquet_reads_back(void **state) {
    (void)state;
    if (!library) skip();
    char out[200];
    scratch_write("rows.jsonl", text_of(rows));
    snprintf(out, sizeof out, "%s/made.parquet", scratch);
    assert_ok(table_make_parquet(scratch_path("rows.jsonl"), out, library, err));
    check_rows("made.parquet", "row");
    assert_int_equal(table_make_parquet(scratch_path("rows.jsonl"), out, library, &why),
                     CORD_IO_ERROR); /* it is there */
    unlink(out);
    scratch_write("dates.jsonl", TEXT("{\"question\":\"2020-01-01\",\"answer\":\"2020-01-01 1:00\",\"n\":[1.5,2]}\n"));
    assert_ok(table_make_parquet(scratch_path("dates.jsonl"), out, library, err));
    READ("made.parquet");
    assert_text(problems->row, "{\"question\":\"2020-01-01\",\"answer\":\"2020-01-01 1:00\",\"n\":[1.5,2.0]}");
    unlink(out);
    /* nor does a time or a UUID, in whatever case; what is missing everywhere is a number; and there may be no row at all */
    static const char texts[] =
        "{\"question\":\"12:30\",\"answer\":\"1:05\",\"id\":\"550E8400-E29B-41D4-A716-446655440000\","
        "\"n\":null,\"list\":[{\"x\":null,\"y\":1}]}";
    scratch_write("texts.jsonl", text_of(texts));
    assert_ok(table_make_parquet(scratch_path("texts.jsonl"), out, library, err));
    READ("made.parquet");
    assert_text(problems->row, texts);
    unlink(out);
    /* rows of several structures: a type that takes all of them */
    scratch_write("mixed.jsonl",
                  TEXT("{\"question\":\"q\",\"answer\":1,\"s\":null,\"l\":[]}\n{\"question\":\"r\",\"answer\":-2.5,"
                       "\"s\":0.5,\"l\":[{\"x\":1}],\"more\":\"m\"}\n"));
    assert_ok(table_make_parquet(scratch_path("mixed.jsonl"), out, library, err));
    READ("made.parquet");
    assert_text(problems[0].row, "{\"question\":\"q\",\"answer\":1.0,\"s\":null,\"l\":[],\"more\":null}");
    assert_text(problems[1].row, "{\"question\":\"r\",\"answer\":-2.5,\"s\":0.5,\"l\":[{\"x\":1}],\"more\":\"m\"}");
    unlink(out);
    scratch_write("none.jsonl", TEXT(""));
    assert_ok(table_make_parquet(scratch_path("none.jsonl"), out, library, err));
    REFUSED("made.parquet", "there is no row in this file");
    unlink(out);
    scratch_write("broken.jsonl", TEXT("{\"a\":1}\n{\"a\":\n"));
    assert_int_equal(table_make_parquet(scratch_path("broken.jsonl"), out, library, &why), CORD_BAD_INPUT);
    assert_int_equal(access(out, F_OK), -1);
}

static void values_keep_their_types(void **state) {
    (void)state;
    if (!library) skip();
    char query[600];
    snprintf(query, sizeof query,
             "COPY (SELECT 'q1' AS question, 27.0::DOUBLE AS answer, 'nan'::DOUBLE AS odd, '-inf'::FLOAT AS low, "
             "12345678901234567890::HUGEINT AS big, 7 AS id, {'contexts': ['x', 'NaN \"y\" \\']} AS nested) "
             "TO '%s/types.parquet' (FORMAT parquet)",
             scratch);
    duckdb(query);
    READ("types.parquet");
    assert_int_equal(set.n_bad, 0);
    assert_text(problems->gold, "27.0");
    assert_text(problems->question.id, "7");
    assert_true(text_find(problems->row, TEXT("\"odd\":null,\"low\":null")) > 0);
    assert_true(text_find(problems->row, TEXT("\"NaN \\\"y\\\" \\\\\"")) > 0);
    scratch_write("raw.json",
                  TEXT("[\n {\"question\": \"q\",\n  \"answer\": 12345678901234567890123},\n {\"question\": \"r\", "
                       "\"answer\": 27.0}, 5, null]\n"));
    READ("raw.json");
    assert_int_equal(set.n, 4);
    assert_text(problems[0].gold, "12345678901234567890123");
    assert_text(problems[1].gold, "27.0");
    assert_text(problems[0].row, "{\"question\": \"q\",   \"answer\": 12345678901234567890123}");
    assert_string_equal(problems[2].bad, "a row must be a JSON object, this is a number");
    assert_text(problems[3].question.id, "row-4");
}

/* A float of 32 bits is told by its own shortest digits, not by those of the double that it makes. */
static void floats_have_no_more_digits_than_they_need(void **state) {
    (void)state;
    if (!library) skip();
    char query[600];
    snprintf(
        query, sizeof query,
        "COPY (SELECT 'q1' AS question, 0.1::FLOAT AS answer, [0.1::FLOAT, NULL, 27] AS list, 3.4028235e38::FLOAT AS "
        "most, 1e-45::FLOAT AS least, NULL::FLOAT AS none, 0.10000000149011612::DOUBLE AS wide, "
        "123456789012345678.123::DECIMAL(38, 3) AS exact) TO '%s/floats.parquet' (FORMAT parquet)",
        scratch);
    duckdb(query);
    READ("floats.parquet");
    assert_text(problems->gold, "0.1");
    assert_text(problems->row, "{\"question\":\"q1\",\"answer\":0.1,\"list\":[0.1,null,27.0],\"most\":3.4028235e38,"
                               "\"least\":1e-45,\"none\":null,\"wide\":0.10000000149011612,"
                               "\"exact\":123456789012345678.123}");
}

/* Older writers say of no text that it is one. */
static void texts_may_be_stored_as_bytes(void **state) {
    (void)state;
    if (!library) skip();
    char query[1200];
    snprintf(
        query, sizeof query,
        "COPY (SELECT encode('What is 2+2?' || chr(10) || 'Think \"hard\", \\ caf\xC3\xA9') AS question, "
        "encode('4') AS answer, ['a'::BLOB, encode('\xC3\xA9'), NULL] AS list, NULL::BLOB AS none, "
        "'\\xFF\\x00'::BLOB AS image, ['\\xFF'::BLOB, 'b'::BLOB] AS images) TO '%s/bytes.parquet' (FORMAT parquet)",
        scratch);
    duckdb(query);
    READ("bytes.parquet");
    assert_int_equal(set.n_bad, 0);
    assert_text(problems->question.text, "What is 2+2?\nThink \"hard\", \\ caf\xC3\xA9");
    assert_text(problems->gold, "4");
    assert_true(text_find(problems->row, TEXT("\"list\":[\"a\",\"\xC3\xA9\",null],\"none\":null,")) > 0);
    /* what is no text and is not read stays as DuckDB writes it, marked */
    assert_true(text_find(problems->row, TEXT("\"image\":\"\\u0000\\\\xFF\\\\x00\"")) > 0);
    assert_true(text_find(problems->row, TEXT("\"images\":[\"\\u0000\\\\xFF\",\"b\"]")) > 0);
}

/* In whichever field it stands, if that is read: the row is bad, and no other. */
static void bytes_that_are_no_text_are_refused(void **state) {
    (void)state;
    if (!library) skip();
    static const struct {
        const char *column, *columns;
    } cases[] = {{"question", "b AS question, '1' AS answer"},
                 {"answer", "i AS question, b AS answer"},
                 {"id", "b AS id, i AS question, '1' AS answer"},
                 {"context", "b AS context, i AS question, '1' AS answer"},
                 {"choices", "i AS question, 'x' AS answer, ['x'::BLOB, b] AS choices"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char query[600], want[100];
        snprintf(query, sizeof query,
                 "COPY (SELECT %s FROM (VALUES ('q1', 'w'::BLOB), ('q2', '\\xE9t'::BLOB), ('q3', 'y'::BLOB)) t(i, b)) "
                 "TO '%s/binary.parquet' (FORMAT parquet)",
                 cases[i].columns, scratch);
        duckdb(query);
        READ("binary.parquet");
        assert_int_equal(set.n, 3);
        assert_int_equal(set.n_bad, 1);
        snprintf(want, sizeof want, "the field '%s' has a NUL character or bytes that are not UTF-8", cases[i].column);
        if (!problems[1].bad || !strstr(problems[1].bad, want)) fail_msg("%s: %s", want, problems[1].bad);
    }
}

/* A column beats everything else of its name in a query. */
static void columns_may_have_any_name(void **state) {
    (void)state;
    if (!library) skip();
    char query[600];
    snprintf(query, sizeof query,
             "COPY (SELECT 'q1' AS question, '1' AS answer, {'question': 'other', 'answer': '9'} AS t, 'x' AS "
             "\"COLUMNS\", 'y' AS \"*\", 'z' AS read_parquet, 'u' AS \"a\"\"\xC3\xA9\\ \") TO '%s/names.parquet' "
             "(FORMAT parquet)",
             scratch);
    duckdb(query);
    READ("names.parquet");
    assert_text(problems->row, "{\"question\":\"q1\",\"answer\":\"1\",\"t\":{\"question\":\"other\",\"answer\":\"9\"},"
                               "\"COLUMNS\":\"x\",\"*\":\"y\",\"read_parquet\":\"z\",\"a\\\"\xC3\xA9\\\\ \":\"u\"}");
}

static void replace_all(const char *name, const char *from, const char *to) {
    struct buf content;
    assert_ok(file_read(scratch_path(name), "test's file", 1 << 24, &content, err));
    for (ptrdiff_t at; (at = text_find(buf_text(&content), text_of(from))) >= 0;)
        memcpy(content.data + at, to, strlen(to));
    scratch_write(name, buf_text(&content));
    buf_release(&content);
}

/* DuckDB writes no such file either, so the name is changed in it. Parts of a column may be called as columns are. */
static void columns_that_differ_in_capitals_are_refused(void **state) {
    (void)state;
    if (!library) skip();
    char query[600];
    snprintf(
        query, sizeof query,
        "COPY (SELECT 'q1' AS question, {'answer': {'Question': 1}, 'x': [1]} AS meta, '1' AS answer, '2' AS bnswer) "
        "TO '%s/capitals.parquet' (FORMAT parquet)",
        scratch);
    duckdb(query);
    READ("capitals.parquet");
    replace_all("capitals.parquet", "bnswer", "Answer");
    REFUSED("capitals.parquet", "the columns 'answer' and 'Answer' cannot be told apart");
}

/* ---- bad rows and bad files --------------------------------------------------------------------------------------- */

static void bad_rows_cost_no_others(void **state) {
    (void)state;
    if (!library) skip();
    scratch_write("bad.csv", TEXT("\xEF\xBB\xBFid,\"the \"\"question\"\"\",answer\r\n1,q,2\r\n2,,3\r\n3,r,\r\n"));
    assert_int_equal(read_named("bad.csv", (struct problem_options){.question_field = "the \"question\""}), CORD_OK);
    assert_int_equal(set.n, 3);
    assert_int_equal(set.n_bad, 2);
    assert_text(problems[0].gold, "2");
    assert_string_equal(problems[1].bad, "the field 'the \"question\"' is null; it must be a text or a number");
    assert_string_equal(problems[2].bad, "the answer in the field 'answer' is null");
    assert_int_equal(problems[2].line, 3);
    write_gzip("bad.jsonl.gz",
               TEXT("{\"question\":\"q\",\"answer\":\"1\"}\nbroken\n\n{\"question\":\"r\",\"answer\":\"2\"}\n"));
    READ("bad.jsonl.gz");
    assert_int_equal(set.n_bad, 1);
    assert_int_equal(problems[2].line, 4);
    char query[600];
    snprintf(query, sizeof query,
             "COPY (SELECT unnest(['{\"question\":\"q\",\"answer\":\"1\"}', 'broken', "
             "'{\"question\":\"r\",\"answer\":\"2\"}'])) TO '%s/bad.jsonl.zst' "
             "(FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIM '\t', COMPRESSION zstd)",
             scratch);
    duckdb(query);
    READ("bad.jsonl.zst");
    assert_int_equal(set.n, 3);
    assert_string_equal(problems[1].bad, "not valid JSON");
    assert_int_equal(read_named("bad.csv", (struct problem_options){0}), CORD_BAD_INPUT);
    assert_non_null(strstr(why.where, "bad.csv, row 1"));
}

static void line_breaks_may_stand_in_quotes(void **state) {
    (void)state;
    if (!library) skip();
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    for (int row = 0; row < 3; row++)
        for (int field = 0; field < 3; field++) {
            char content[200], want[20];
            const char *end = ends[row], *within = ends[field];
            snprintf(content, sizeof content, "question,answer%s\"one%stwo\",1%splain,2%s\"x%s\",3%s", end, within, end,
                     end, within, end);
            snprintf(want, sizeof want, "one%stwo", within);
            scratch_write("breaks.csv", text_of(content));
            READ("breaks.csv");
            assert_int_equal(set.n, 3);
            assert_int_equal(set.n_bad, 0);
            assert_text(problems[0].question.text, want);
            assert_text(problems[2].gold, "3");
        }
    scratch_write("mixed.csv", TEXT("question,answer\r\nq,1\nr,2\r\n"));
    REFUSED("mixed.csv", "not all its rows end in the same way");
}

/* A beginning of a file that is on the disk, under another name. */
static void cut(const char *from, const char *to, size_t bytes) {
    struct buf content;
    assert_ok(file_read(scratch_path(from), "test's file", 1 << 24, &content, err));
    assert_true(bytes < content.len);
    scratch_write(to, (cord_text){content.data, content.len - bytes});
    buf_release(&content);
}

static void flip(const char *from, const char *to, size_t at) {
    struct buf content;
    assert_ok(file_read(scratch_path(from), "test's file", 1 << 24, &content, err));
    content.data[content.len - at] ^= 0x55;
    scratch_write(to, buf_text(&content));
    buf_release(&content);
}

static void damaged_gzip_is_refused(void **state) {
    (void)state;
    struct buf content;
    buf_init(&content, "rows", 1 << 24);
    for (int i = 0; i < 3000; i++)
        buf_addf(&content, "{\"question\":\"q%d %u\",\"answer\":\"%d\"}\n", i, (unsigned)i * 2654435761u, i);
    write_gzip("good.jsonl.gz", buf_text(&content));
    READ("good.jsonl.gz");
    assert_int_equal(set.n, 3000);
    cut("good.jsonl.gz", "cut.jsonl.gz", 4);
    REFUSED("cut.jsonl.gz", "cut off");
    cut("good.jsonl.gz", "half.json.gz", 9000);
    REFUSED("half.json.gz", "cut off");
    flip("good.jsonl.gz", "sum.csv.gz", 6);
    REFUSED("sum.csv.gz", "damaged");
    buf_release(&content);
}

static void damaged_zstd_is_refused(void **state) {
    (void)state;
    if (!library) skip();
    char query[600];
    snprintf(query, sizeof query,
             "COPY (SELECT 'q' || i || hash(i) AS question, i AS answer FROM range(20000) t(i)) TO "
             "'%s/good.csv.zst' (FORMAT csv, HEADER, COMPRESSION zstd)",
             scratch);
    duckdb(query);
    READ("good.csv.zst");
    assert_int_equal(set.n, 20000);
    cut("good.csv.zst", "cut.csv.zst", 5);
    REFUSED("cut.csv.zst", "cut off");
    cut("good.csv.zst", "half.jsonl.zst", 100000);
    REFUSED("half.jsonl.zst", "cut off");
}

/* What the format has and DuckDB does not write: each is whole as it stands, and no beginning of it is. */
static void zstd_is_walked_by_its_format(void **state) {
    (void)state;
#define MAGIC "\x28\xB5\x2F\xFD"
#define ABC   "\x19\0\0abc" /* the last block, raw, of three bytes */
    const struct {
        const char *what;
        cord_text file;
    } whole[] = {{"one segment, whose size takes a byte", TEXT(MAGIC "\x20\x03" ABC)},
                 {"a window", TEXT(MAGIC "\0\x50" ABC)},
                 {"two blocks", TEXT(MAGIC "\0\x50\x18\0\0xyz" ABC)},
                 {"a byte a thousand times", TEXT(MAGIC "\0\x50\x43\x1F\0a")},
                 {"a checksum", TEXT(MAGIC "\x04\x50" ABC "1234")},
                 {"a size of two bytes, a dictionary of four", TEXT(MAGIC "\x43\x50"
                                                                          "1234"
                                                                          "12" ABC)},
                 {"a size of four bytes, a dictionary of one", TEXT(MAGIC "\x81\x50"
                                                                          "1"
                                                                          "1234" ABC)},
                 {"a size of eight bytes, a dictionary of two", TEXT(MAGIC "\xC2\x50"
                                                                           "12"
                                                                           "12345678" ABC)},
                 {"one segment with a size of eight bytes", TEXT(MAGIC "\xE0"
                                                                       "12345678" ABC)},
                 {"what is to be skipped", TEXT("\x5A\x2A\x4D\x18\x05\0\0\0"
                                                "12345")}};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        for (size_t len = 1; len <= whole[i].file.len; len++) {
            const char *path = scratch_write("frame.zst", text_slice(whole[i].file, 0, len));
            cord_status want = len == whole[i].file.len ? CORD_OK : CORD_BAD_INPUT;
            if (packed_check(path, PACKING_ZSTD, NULL) != want) fail_msg("%s, %zu bytes", whole[i].what, len);
        }
    static const cord_text bad[] = {{MAGIC "\0\x50\x1F\0\0abc", 12}, /* a kind of block that there is not */
                                    {MAGIC "\0\x50" ABC "more", 16},
                                    {"PAR1", 4}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(packed_check(scratch_write("frame.zst", bad[i]), PACKING_ZSTD, &why), CORD_BAD_INPUT);
        assert_non_null(strstr(why.message, "cut off"));
    }
    const char *path =
        scratch_write("frames.zst", TEXT(MAGIC "\0\x50" ABC "\x50\x2A\x4D\x18\x01\0\0\0x" MAGIC "\0\x50" ABC));
    assert_ok(packed_check(path, PACKING_ZSTD, err));
}

/* Wherever an array of rows, a line each, is cut off: most of all behind a comma, where DuckDB takes it for whole. */
static void arrays_that_are_cut_off_are_refused(void **state) {
    (void)state;
    if (!library) skip();
    static const char array[] = "[\n{\"question\":\"q\",\"answer\":\"1\"},\n{\"question\":\"r\",\"answer\":\"]\"}\n]\n";
    size_t whole = strlen(array) - 1; /* (a file may do without the last line break) */
    for (size_t len = 1; len < whole; len++) {
        scratch_write("cut.json", (cord_text){array, len});
        assert_int_equal(read_named("cut.json", (struct problem_options){0}), CORD_BAD_INPUT);
        if (array[len - 1] == ']') continue; /* a bracket within a text: DuckDB's to find */
        assert_non_null(strstr(why.message, "the file is cut off"));
        char where[20];
        snprintf(where, sizeof where, "cut.json:%d", 1 + (len > 2) + (len > 33));
        if (!strstr(why.where, where)) fail_msg("%s, not %s", why.where, where);
    }
    scratch_write("cut.json", TEXT("[\n{\"question\":\"q\",\"answer\":\"1\"},\n\n"));
    REFUSED("cut.json", "the file is cut off");
    assert_non_null(strstr(why.where, "cut.json:2"));
    write_gzip("cut.json.gz", TEXT("[\n{\"question\":\"q\",\"answer\":\"1\"},\n"));
    REFUSED("cut.json.gz", "the file is cut off");
    for (size_t len = whole; len <= whole + 1; len++) {
        scratch_write("whole.json", (cord_text){array, len});
        READ("whole.json");
        assert_int_equal(set.n, 2);
        write_gzip("whole.json.gz", (cord_text){array, len});
        READ("whole.json.gz");
        assert_int_equal(set.n, 2);
    }
}

/* Longer than what is read at once; its last bracket stands at the beginning of a piece, or blanks alone do. */
static void long_arrays_are_read(void **state) {
    (void)state;
    if (!library) skip();
    static const int blanks[] = {0, 1, 70000};
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
        struct buf array;
        buf_init(&array, "a test's array", 1 << 24);
        buf_addf(&array, "[\n");
        for (int row = 0; row < 20000; row++)
            buf_addf(&array, "%s{\"question\":\"q%d\",\"answer\":\"%d\"}", row ? ",\n" : "", row, row);
        while ((array.len + 1) % (1 << 16)) buf_addc(&array, '\n');
        buf_addf(&array, "%*s", blanks[i], "");
        scratch_write("cut.json", buf_text(&array));
        buf_addc(&array, ']');
        buf_addf(&array, "%*s", blanks[i], "");
        scratch_write("long.json", buf_text(&array));
        buf_release(&array);
        READ("long.json");
        assert_int_equal(set.n, 20000);
        assert_int_equal(set.n_bad, 0);
        REFUSED("cut.json", "the file is cut off");
        assert_non_null(strstr(why.where, "cut.json:20001"));
    }
}

static void damaged_tables_are_refused(void **state) {
    (void)state;
    if (!library) skip();
    char query[600];
    snprintf(query, sizeof query,
             "COPY (SELECT 'q' || i AS question, i AS answer FROM range(2000) t(i)) TO '%s/t.parquet' "
             "(FORMAT parquet)",
             scratch);
    duckdb(query);
    cut("t.parquet", "cut.parquet", 10);
    REFUSED("cut.parquet", "DuckDB cannot read it: ");
    scratch_write("none.parquet", TEXT("PAR1"));
    REFUSED("none.parquet", "DuckDB cannot read it: ");
    scratch_write("wide.csv", TEXT("question,answer\na,b\na,b,c\n"));
    REFUSED("wide.csv", "Line: 3; Original Line: a,b,c; Expected Number of Columns: 2 Found: 3");
    scratch_write("open.csv", TEXT("question,answer\n\"a,b\nc,d\n"));
    REFUSED("open.csv", "unterminated quote");
    scratch_write("twice.csv", TEXT("answer,answer\na,b\n"));
    REFUSED("twice.csv", "names one twice");
    scratch_write("quote.csv", TEXT("question,\"answer\na,b\n"));
    REFUSED("quote.csv", "has a quote without an end");
    scratch_write("latin1.csv", TEXT("question,answer\ncaf\xE9,b\n"));
    REFUSED("latin1.csv", "DuckDB cannot read it: ");
    scratch_write("empty.csv", TEXT(""));
    REFUSED("empty.csv", "the first line, which names the fields, is empty");
    scratch_write("head.csv", TEXT("question,answer\n"));
    REFUSED("head.csv", "there is no row in this file");
    scratch_write("open.json", TEXT("[{\"question\":\"q\",\"answer\":\"1\"},{\"question\":"));
    REFUSED("open.json", "the file is cut off: its array has no end");
    scratch_write("odd.json", TEXT("[{\"question\":\"q\",\"answer\":\"1\"},{\"question\":]"));
    REFUSED("odd.json", "Malformed JSON");
    scratch_write("empty.json", TEXT("[]"));
    REFUSED("empty.json", "there is no row in this file");
}

/* ---- names ---------------------------------------------------------------------------------------------------------- */

static void names_are_only_names(void **state) {
    (void)state;
    if (!library) skip();
    static const char *const names[] = {"it's.csv",  "*.csv",      "[a-z].csv",  "a\nb.csv", "'; DROP.csv",
                                        "{a,b}.csv", "\xFF\".csv", "hf:--x.csv", "?.csv",    "%s%n.csv"};
    scratch_write("other.csv", TEXT("question,answer\nother,0\n"));
    scratch_write("b.csv", TEXT("question,answer\nother,0\n"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char content[100];
        int n = snprintf(content, sizeof content, "question,answer\nq%zu,%zu\n", i, i);
        scratch_write(names[i], (cord_text){content, (size_t)n});
        READ(names[i]);
        assert_int_equal(set.n, 1);
        assert_int_equal(atoi(problems->gold.data), i);
        scratch_write(names[i], TEXT("question\na,b\n"));
        REFUSED(names[i], "DuckDB cannot read it");
    }
    struct problem_options options = {.path = scratch_path("nowhere.csv"), .library = library};
    assert_int_equal(problem_set_read(&set, &options, &why), CORD_IO_ERROR);
    options.path = "https://example.com/a.parquet";
    assert_int_equal(problem_set_read(&set, &options, &why), CORD_IO_ERROR);
    options.path = "/tmp/*.csv";
    assert_int_equal(problem_set_read(&set, &options, &why), CORD_IO_ERROR);
}

static void without_the_library_words_say_what_to_do(void **state) {
    (void)state;
    static const char *const libraries[] = {"", "/nowhere/libduckdb.so", "/dev/null"};
    scratch_write("a.csv", TEXT("question,answer\nq,1\n"));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_named("a.csv", (struct problem_options){.library = libraries[i]}), CORD_IO_ERROR);
        assert_non_null(strstr(why.message, "scripts/duckdb.sh"));
        assert_non_null(strstr(why.message, "CORD_DUCKDB"));
        assert_non_null(strstr(why.where, "a.csv"));
    }
    /* lines under another name need none */
    scratch_write("lines.json", TEXT("{\"question\":\"q\",\"answer\":\"1\"}\n"));
    assert_int_equal(read_named("lines.json", (struct problem_options){.library = ""}), CORD_OK);
}

/* ---- traces ----------------------------------------------------------------------------------------------------- */

static void read_traces(const char *name, struct trace_set *traces) {
    const struct trace_options options = {.problems = {.path = scratch_path(name), .library = library}};
    if (trace_set_read(traces, &options, &why) != CORD_OK) fail_msg("%s: %s: %s", name, why.where, why.message);
}

/* `cord select` reads what `cord problems` reads, lists of traces in Parquet too; a bad row is told by its number. */
static void traces_come_from_every_kind_of_file(void **state) {
    (void)state;
    static const char lines[] = "{\"id\":\"a\",\"question\":\"Q\",\"answer\":\"4\",\"trace\":[\"two and "
                                "two</think>\\\\boxed{4}\",\"it is 5\"]}\n"
                                "{\"id\":\"b\",\"question\":\"R\",\"answer\":\"5\",\"trace\":[]}\n";
    if (!library) skip();
    static const char *const names[] = {"traces.jsonl", "traces.jsonl.gz", "traces.parquet"};
    scratch_write(names[0], text_of(lines));
    write_gzip(names[1], text_of(lines));
    if (table_make_parquet(scratch_path(names[0]), scratch_path(names[2]), library, &why) != CORD_OK)
        fail_msg("%s", why.message);
    for (int i = 0; i < 3; i++) {
        struct trace_set traces;
        read_traces(names[i], &traces);
        struct trace_list list;
        problems = problems_of_set(&traces.problems, &arena);
        assert_int_equal(traces.problems.n, 2);
        assert_ok(trace_set_get(&traces, 0, &arena, &list, err));
        assert_int_equal(list.n, 2);
        assert_text(list.traces[0].reasoning, "two and two");
        assert_text(list.traces[0].reply, "\\boxed{4}");
        assert_text(list.traces[1].reasoning, "it is 5");
        assert_string_equal(traces.problems.unit, i == 2 ? "row" : "line");
        assert_text(problems[1].question.id, i == 2 ? "row-2" : "line-2");
        assert_non_null(strstr(problems[1].bad, "is empty"));
        trace_set_release(&traces);
    }
}

/* A trace and the name of who wrote it are read, too. */
static void traces_that_are_no_text_are_refused(void **state) {
    (void)state;
    if (!library) skip();
    static const char *const columns[][2] = {{"b", "'x'"}, {"'x'", "b"}};
    for (size_t i = 0; i < 2; i++) {
        char query[600], want[100];
        struct trace_set traces;
        snprintf(query, sizeof query,
                 "COPY (SELECT 'q' AS question, '1' AS answer, %s AS trace, %s AS teacher FROM (VALUES ('t'::BLOB), "
                 "('\\xE9'::BLOB)) t(b)) TO '%s/traces.parquet' (FORMAT parquet)",
                 columns[i][0], columns[i][1], scratch);
        duckdb(query);
        const struct trace_options options = {.problems = {.path = scratch_path("traces.parquet"), .library = library},
                                              .source_field = "teacher"};
        assert_ok(trace_set_read(&traces, &options, err));
        problems = problems_of_set(&traces.problems, &arena);
        assert_int_equal(traces.problems.n_bad, 1);
        assert_int_equal(problems[1].line, 2);
        snprintf(want, sizeof want, "the field '%s' has a NUL character or bytes that are not UTF-8",
                 i ? "teacher" : "trace");
        assert_non_null(strstr(problems[1].bad, want));
        trace_set_release(&traces);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(lines_in_gzip_need_no_library, release_set),
        cmocka_unit_test_teardown(every_kind_of_file_gives_the_same, release_set),
        cmocka_unit_test_teardown(our_parquet_reads_back, release_set),
        cmocka_unit_test_teardown(values_keep_their_types, release_set),
        cmocka_unit_test_teardown(floats_have_no_more_digits_than_they_need, release_set),
        cmocka_unit_test_teardown(texts_may_be_stored_as_bytes, release_set),
        cmocka_unit_test_teardown(bytes_that_are_no_text_are_refused, release_set),
        cmocka_unit_test_teardown(columns_may_have_any_name, release_set),
        cmocka_unit_test_teardown(columns_that_differ_in_capitals_are_refused, release_set),
        cmocka_unit_test_teardown(bad_rows_cost_no_others, release_set),
        cmocka_unit_test_teardown(traces_come_from_every_kind_of_file, release_set),
        cmocka_unit_test_teardown(traces_that_are_no_text_are_refused, release_set),
        cmocka_unit_test_teardown(line_breaks_may_stand_in_quotes, release_set),
        cmocka_unit_test_teardown(damaged_gzip_is_refused, release_set),
        cmocka_unit_test_teardown(damaged_zstd_is_refused, release_set),
        cmocka_unit_test(zstd_is_walked_by_its_format),
        cmocka_unit_test_teardown(arrays_that_are_cut_off_are_refused, release_set),
        cmocka_unit_test_teardown(long_arrays_are_read, release_set),
        cmocka_unit_test_teardown(damaged_tables_are_refused, release_set),
        cmocka_unit_test_teardown(names_are_only_names, release_set),
        cmocka_unit_test_teardown(without_the_library_words_say_what_to_do, release_set),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_close);
}
