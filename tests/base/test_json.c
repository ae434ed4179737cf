/* test_json.c - the JSON writer is read back by jansson; rows are put together from known pieces, so that what the reader
 * must find in them is known. */
#include "support.h"

#include "base/json.h"

#include <math.h>
#include <stdlib.h>

static struct buf out;
static struct json_writer w;

static int set_up(void **state) {
    (void)state;
    buf_init(&out, "test output", 1 << 24);
    w = (struct json_writer){.out = &out};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    buf_release(&out);
    return 0;
}

static void nested_values_get_their_commas(void **state) {
    (void)state;
    json_open(&w, NULL, '{');
    json_text(&w, "a", TEXT("x"));
    json_open(&w, "b", '[');
    json_int(&w, NULL, INT64_MIN);
    json_open(&w, NULL, '{');
    json_close(&w, '}');
    json_open(&w, NULL, '[');
    json_bool(&w, NULL, true);
    json_bool(&w, NULL, false);
    json_close(&w, ']');
    json_close(&w, ']');
    json_nil(&w, "c\"d");
    json_raw(&w, "e", TEXT("27.0"));
    json_double(&w, "f", 0.1);
    json_close(&w, '}');
    assert_text(buf_text(&out),
                "{\"a\":\"x\",\"b\":[-9223372036854775808,{},[true,false]],\"c\\\"d\":null,\"e\":27.0,\"f\":0.1}");
}

static void doubles_read_back_the_same(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } known[] = {{0, "0"},
                 {-0.0, "-0"},
                 {5, "5"},
                 {0.1, "0.1"},
                 {1.0 / 3, "0.3333333333333333"},
                 {1e300, "1e+300"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {-2.5e-8, "-2.5e-08"},
                 {NAN, "null"},
                 {INFINITY, "null"},
                 {-INFINITY, "null"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        buf_clear(&out);
        w.comma = false;
        json_double(&w, NULL, known[i].value);
        assert_text(buf_text(&out), known[i].text);
    }
    struct rng rng;
    rng_init(&rng, 3);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = rng_next(&rng);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || fpclassify(value) == FP_SUBNORMAL) continue;
        buf_clear(&out);
        w.comma = false;
        json_double(&w, NULL, value);
        json_t *read = json_loadb(out.data, out.len, JSON_DECODE_ANY, NULL);
        assert_non_null(read);
        assert_true(json_number_value(read) == value);
        json_decref(read);
    }
}

/* Every character that there is. */
static void texts_read_back_the_same(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, "test text", 1 << 24);
    for (uint32_t c = 1; c < 0x110000; c += c < 0x3000 ? 1 : 37) {
        if (c >= 0xD800 && c < 0xE000) continue;
        if (c < 0x80)
            buf_addf(&text, "%c", (int)c);
        else if (c < 0x800)
            buf_addf(&text, "%c%c", 0xC0 | c >> 6, 0x80 | (c & 63));
        else if (c < 0x10000)
            buf_addf(&text, "%c%c%c", 0xE0 | c >> 12, 0x80 | (c >> 6 & 63), 0x80 | (c & 63));
        else
            buf_addf(&text, "%c%c%c%c", 0xF0 | c >> 18, 0x80 | (c >> 12 & 63), 0x80 | (c >> 6 & 63), 0x80 | (c & 63));
    }
    buf_addc(&text, '\0');
    json_text(&w, NULL, buf_text(&text));
    json_error_t e;
    json_t *read = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
    if (!read) fail_msg("%s", e.text);
    assert_int_equal(json_string_length(read), text.len);
    assert_memory_equal(json_string_value(read), text.data, text.len);
    json_decref(read);
    buf_release(&text);
}

static void invalid_utf8_is_replaced(void **state) {
    (void)state;
    json_text(&w, NULL,
              TEXT("a\xFF"
                   "b\xE2\x82"
                   "c\xED\xA0\x80"));
    assert_null(strchr(out.data, '\xFF'));
    json_t *read = json_loadb(out.data, out.len, JSON_DECODE_ANY, NULL);
    assert_non_null(read);
    assert_ptr_equal(strstr(json_string_value(read), "a\xEF\xBF\xBD"
                                                     "b\xEF\xBF\xBD"),
                     json_string_value(read));
    json_decref(read);
}

static void rows_keep_order_and_raw_text(void **state) {
    (void)state;
    static const char *const values[] = {"27.0",
                                         "1e3",
                                         "-0.50",
                                         "1234567890123456789012345678901234567890",
                                         "\"a\\\"b, } ] \\\\\"",
                                         "\"\\u00e9\"",
                                         "\"\\u0000\"",
                                         "null",
                                         "true",
                                         "false",
                                         "{}",
                                         "[]",
                                         "[ 1 , [ \"]\" , { \"}\" : \"{\" } ] ]",
                                         "{\"a\" : {\"b\":[1,2,\"\\\\\"]} }",
                                         "\"\""};
    static const char *const blanks[] = {"", " ", "\t", "  \r "};
    enum { KINDS = sizeof values / sizeof *values };
    struct rng rng;
    rng_init(&rng, 5);
    for (int i = 0; i < 3000; i++) {
        char line[4000], want[4000] = "{", *end = line;
        int n = (int)(rng_next(&rng) % 9), kinds[9];
#define BLANK blanks[rng_next(&rng) % 4]
        end += sprintf(end, "%s{", BLANK);
        for (int k = 0; k < n; k++) {
            kinds[k] = (int)(rng_next(&rng) % KINDS);
            end += sprintf(end, "%s%s\"k\\u002d%d\"%s:%s", k ? "," : "", BLANK, k, BLANK, BLANK);
            end += sprintf(end, "%s%s", values[kinds[k]], BLANK);
            sprintf(want + strlen(want), "%s\"k\\u002d%d\":%s", k ? "," : "", k, values[kinds[k]]);
        }
        end += sprintf(end, "%s}%s", n ? "" : BLANK, BLANK);
        sprintf(want + strlen(want), "}");
        char *exact = malloc((size_t)(end - line)); /* no byte behind it to lean on */
        memcpy(exact, line, (size_t)(end - line));
        struct json_row row;
        assert_ok(json_row_parse(&row, (cord_text){exact, (size_t)(end - line)}, err));
        assert_int_equal(row.n, n);
        for (int k = 0; k < n; k++) {
            char key[20];
            sprintf(key, "k-%d", k);
            assert_text(row.members[k].key, key);
            assert_ptr_equal(json_row_get(&row, key), &row.members[k]);
            assert_text(row.members[k].raw, values[kinds[k]]);
        }
        buf_clear(&out);
        w.comma = false;
        json_open(&w, NULL, '{');
        json_row_copy(&row, &w, NULL);
        json_close(&w, '}');
        assert_text(buf_text(&out), want);
        json_row_release(&row);
        free(exact);
    }
}

static void copies_leave_out_what_is_named(void **state) {
    (void)state;
    struct json_row row;
    assert_ok(json_row_parse(&row, TEXT("{\"why\": 1, \"b\": 2.0, \"verdict\": 3}"), err));
    static const char *const except[] = {"verdict", "why", NULL};
    json_open(&w, NULL, '{');
    json_row_copy(&row, &w, except);
    json_text(&w, "why", TEXT("so"));
    json_close(&w, '}');
    assert_text(buf_text(&out), "{\"b\":2.0,\"why\":\"so\"}");
    json_row_release(&row);
}

static void members_give_texts_and_numbers(void **state) {
    (void)state;
    struct json_row row;
    cord_text text;
    cord_error why = {0};
    assert_ok(json_row_parse(&row, TEXT("{\"s\":\"a\\nb\",\"n\":27.0,\"i\":99999999999999999999,\"l\":[1],\"z\":null}"),
                             err));
    assert_ok(json_row_text(&row, "s", &text, err));
    assert_text(text, "a\nb");
    assert_ok(json_row_text(&row, "n", &text, err));
    assert_text(text, "27.0");
    assert_ok(json_row_text(&row, "i", &text, err));
    assert_text(text, "99999999999999999999");
    assert_int_equal(json_row_text(&row, "l", &text, &why), CORD_BAD_INPUT);
    assert_string_equal(why.message, "the field 'l' is a list; it must be a text or a number");
    assert_int_equal(json_row_text(&row, "q", &text, &why), CORD_BAD_INPUT);
    assert_string_equal(why.message, "there is no field 'q'; the row has 's', 'n', 'i', 'l', 'z'");
    for (size_t size = 1; size < 40; size++) {
        char *names = malloc(size);
        json_row_names(&row, names, size);
        assert_true(strlen(names) < size);
        if (size == 20) assert_string_equal(names, "'s', 'n', 'i', …");
        free(names);
    }
    assert_null(json_row_get(&row, "q"));
    json_row_release(&row);
    char shown[40];
    assert_ok(json_row_parse(&row, TEXT("{\"\\u001b[2J\":1}"), err));
    json_row_names(&row, shown, sizeof shown);
    assert_string_equal(shown, "'?[2J'"); /* a terminal must not obey a key */
    json_row_release(&row);
    assert_ok(json_row_parse(&row, TEXT("{\"q\\u009b31m\\u202e\\ufffd\u00e9\":1}"), err));
    json_row_names(&row, shown, sizeof shown);
    assert_string_equal(shown, "'q?31m?\uFFFD\u00e9'");
    json_row_release(&row);
}

static void elements_keep_their_raw_text(void **state) {
    (void)state;
    static const char *const elements[] = {"27.0", "\"a,]\\\"\"", "[1, {\"b\": \"]\"}]", "{}", "null"};
    cord_text left = TEXT(" 27.0 ,\"a,]\\\"\",\t[1, {\"b\": \"]\"}],{} , null\n]"), element;
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        assert_true(json_next_element(&left, &element));
        assert_text(element, elements[i]);
    }
    assert_false(json_next_element(&left, &element));
    assert_int_equal(left.len, 0);
}

static void broken_rows_are_refused_in_words(void **state) {
    (void)state;
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"", "not valid JSON at column"},
        {"{", "not valid JSON at column 1: "},
        {"{\"a\":1,}", "not valid JSON at column 8"},
        {"{\"a\":1} x", "end of file expected"},
        {"{\"a\":1,\"a\":2}", "duplicate object key"},
        {"{\"a\":\"\xFF\"}", "0xff"},
        {"{\"a\":{\"b\":1,\"b\":2}}", "duplicate object key"},
        {"{\"a\":1e999}", "a number at column 10 is too large: "},
        {"[1]", "this is a list"},
        {"5", "this is a number"},
        {"null", "this is null"},
        {"\"x\"", "this is a text"},
        {"{\"a\":\"\x1b[2J\"}", "control character 0x1b"},
        {"{\"a\":\"\u00e9\" \xC2\x9B\"}", "near '?"},
        {"{\"a\":NaN}", "invalid token"},
        {"{'a':1}", "column"},
        {"{\"a\":01}", "column"},
        {"{\"a\":\"\\ud800\"}", "column"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_row row;
        cord_error err = {0};
        assert_int_equal(json_row_parse(&row, text_of(cases[i].line), &err), CORD_BAD_INPUT);
        if (!strstr(err.message, cases[i].message)) fail_msg("'%s' gave '%s'", cases[i].line, err.message);
        assert_null(strchr(err.message, '\x1b'));
    }
    struct buf deep;
    buf_init(&deep, "test row", 1 << 20);
    buf_add(&deep, TEXT("{\"a\":"));
    for (int i = 0; i < 20000; i++) buf_addc(&deep, '[');
    struct json_row row;
    assert_int_equal(json_row_parse(&row, buf_text(&deep), NULL), CORD_BAD_INPUT);
    buf_release(&deep);
}

static FILE *file_with(cord_text content) {
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.len, file), content.len);
    rewind(file);
    return file;
}

static void lines_are_read_one_at_a_time(void **state) {
    (void)state;
    FILE *file = file_with(TEXT("\xEF\xBB\xBF"
                                "one\r\n\n  \t\r\ntwo\n12345678\n123456789 is too long\nnul\0l\n\xEF\xBB\xBFx\nlast"));
    static const struct {
        cord_text line;
        int number;
    } want[] = {{TEXT("one"), 1},    {TEXT("two"), 4},           {TEXT("12345678"), 5}, {{0}, 6},
                {TEXT("nul\0l"), 7}, {TEXT("\xEF\xBB\xBFx"), 8}, {TEXT("last"), 9}};
    struct line_reader r;
    bool more;
    line_reader_init(&r, file, "rows.jsonl", 8);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        cord_error err = {0};
        cord_status status = line_read(&r, &more, &err);
        assert_true(more);
        assert_int_equal(r.number, want[i].number);
        if (want[i].line.data) {
            assert_int_equal(status, CORD_OK);
            assert_string_equal(err.where, "");
            assert_true(text_equal(buf_text(&r.line), want[i].line));
        } else {
            assert_int_equal(status, CORD_BAD_INPUT);
            assert_string_equal(err.where, "rows.jsonl:6");
            assert_string_equal(err.message, "the line has 21 bytes; a row may have at most 8");
        }
    }
    for (int i = 0; i < 2; i++) {
        assert_ok(line_read(&r, &more, err));
        assert_false(more);
    }
    line_reader_release(&r);
    fclose(file);
}

static void a_folder_cannot_be_read(void **state) {
    (void)state;
    FILE *folder = fopen("/", "r");
    if (!folder) skip();
    struct line_reader r;
    bool more;
    cord_error err = {0};
    line_reader_init(&r, folder, "/", 100);
    assert_int_equal(line_read(&r, &more, &err), CORD_IO_ERROR);
    line_reader_release(&r);
    fclose(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nested_values_get_their_commas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(doubles_read_back_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(texts_read_back_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(invalid_utf8_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_keep_order_and_raw_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_leave_out_what_is_named, set_up, tear_down),
        cmocka_unit_test(members_give_texts_and_numbers),
        cmocka_unit_test(elements_keep_their_raw_text),
        cmocka_unit_test(broken_rows_are_refused_in_words),
        cmocka_unit_test(lines_are_read_one_at_a_time),
        cmocka_unit_test(a_folder_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
