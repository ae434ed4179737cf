/* test_options.c - command lines read by a table of options, right and wrong ones. The parser belongs to the program,
 * not to the library, and is compiled in here. */

#include "cmd/options.c"
#include "cmd/terminal.c"
#include "support.h"

static const struct option table[] = {
    {"verbose", 'v', OPTION_FLAG, NULL, 0, 0, "says more", NULL},
    {"quiet", 'q', OPTION_FLAG, NULL, 0, 0, "says less", NULL},
    {"output", 'o', OPTION_TEXT, "FILE", 0, 0, "where to", NULL},
    {"beam", 'b', OPTION_INT, "N", 1, 64, "how wide", NULL},
    {"min-score", 0, OPTION_REAL, "S", 0, 1, "at least", NULL},
    {"set", 0, OPTION_LIST, "KEY=VALUE", 0, 0, "overrides", NULL},
    {"format", 0, OPTION_TEXT, "text|json", 0, 0, "how", NULL},
    {"layout", 'l', OPTION_TEXT, "LAYOUT", 0, 0, "which", "plain|wide|narrow"},
    {.name = NULL},
};
enum { VERBOSE, QUIET, OUTPUT, BEAM, MIN_SCORE, SET, FORMAT, LAYOUT };

static struct arena arena;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_release(&arena);
    return 0;
}

#define PARSE(parsed, err, ...)                                                                                    \
    options_parse(table, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__}, &arena, \
                  parsed, err)

static void values_are_read(void **state) {
    (void)state;
    struct parsed p;
    assert_ok(PARSE(&p, err, "--verbose", "a", "--output", "x", "--beam=07", "--set", "k=v", "b", "--set=l=w=1",
                    "--min-score", "5e-1"));
    assert_true(p.options[VERBOSE].given && !p.options[QUIET].given && !p.help);
    assert_string_equal(p.options[OUTPUT].text, "x");
    assert_true(p.options[BEAM].number == 7 && p.options[MIN_SCORE].number == 0.5);
    assert_int_equal(p.options[SET].n, 2);
    assert_string_equal(p.options[SET].list[0], "k=v");
    assert_string_equal(p.options[SET].list[1], "l=w=1");
    assert_int_equal(p.n_args, 2);
    assert_string_equal(p.args[0], "a");
    assert_string_equal(p.args[1], "b");
    assert_null(p.args[2]);
}

static void letters_are_read(void **state) {
    (void)state;
    struct parsed p;
    assert_ok(PARSE(&p, err, "-vq", "-oy", "-b", "3", "-v"));
    assert_true(p.options[VERBOSE].given && p.options[QUIET].given && p.options[BEAM].number == 3);
    assert_string_equal(p.options[OUTPUT].text, "y");
    assert_ok(PARSE(&p, err, "-vo", "-"));
    assert_string_equal(p.options[OUTPUT].text, "-");
}

static void words_are_read(void **state) {
    (void)state;
    struct parsed p;
    assert_ok(PARSE(&p, err, "--format=json", "-l", "narrow"));
    assert_true(p.options[FORMAT].choice == 1 && p.options[LAYOUT].choice == 2);
    assert_string_equal(p.options[LAYOUT].text, "narrow");
    assert_ok(PARSE(&p, err, "--format", "text"));
    assert_true(p.options[FORMAT].given && p.options[FORMAT].choice == 0 && p.options[LAYOUT].choice == 0);
}

static void dashes_end_options(void **state) {
    (void)state;
    struct parsed p;
    assert_ok(PARSE(&p, err, "-", "--", "--verbose", "--", "-q"));
    assert_int_equal(p.n_args, 4);
    assert_string_equal(p.args[0], "-");
    assert_string_equal(p.args[1], "--verbose");
    assert_string_equal(p.args[2], "--");
    assert_false(p.options[VERBOSE].given || p.options[QUIET].given);
    assert_ok(PARSE(&p, err, "--output=", "")); /* an empty value, an empty argument */
    assert_string_equal(p.options[OUTPUT].text, "");
    assert_int_equal(p.n_args, 1);
}

static void help_wins(void **state) {
    (void)state;
    struct parsed p;
    assert_ok(PARSE(&p, err, "-v", "--help", "--nonsense"));
    assert_true(p.help);
    assert_ok(PARSE(&p, err, "-vh"));
    assert_true(p.help);
}

static void wrong_lines_are_told(void **state) {
    (void)state;
    static const struct {
        const char *words[3], *message;
    } wrong[] = {
        {{"--verbos"}, "unknown option --verbos; did you mean --verbose?"},
        {{"--ouptut=x"}, "unknown option --ouptut; did you mean --output?"},
        {{"--zzzzzz"}, "unknown option --zzzzzz"},
        {{"--=x"}, "unknown option --"},
        {{"-x"}, "unknown option -x"},
        {{"-vx"}, "unknown option -x"},
        {{"--verbose=1"}, "--verbose takes no value"},
        {{"--output"}, "--output needs a value: --output FILE"},
        {{"-o"}, "--output needs a value: --output FILE"},
        {{"--output", "--quiet"},
         "--output needs a value: --output FILE (for one that begins with --: --output=--quiet)"},
        {{"--output=a", "--output=b"}, "--output is given twice"},
        {{"-b1", "--beam=1"}, "--beam is given twice"},
        {{"--beam=x"}, "--beam: 'x' is not a whole number"},
        {{"--beam="}, "--beam: '' is not a whole number"},
        {{"--beam=1.5"}, "--beam: '1.5' is not a whole number"},
        {{"--beam= 1"}, "--beam: ' 1' is not a whole number"},
        {{"--beam", "-1"}, "--beam: -1 is out of range; allowed: 1 to 64"},
        {{"--beam", "65"}, "--beam: 65 is out of range; allowed: 1 to 64"},
        {{"--min-score=nan"}, "--min-score: 'nan' is not a number"},
        {{"--min-score=1.01"}, "--min-score: 1.01 is out of range; allowed: 0 to 1"},
        {{"--format=xml"}, "--format is text or json, not 'xml'"},
        {{"--format="}, "--format is text or json, not ''"},
        {{"--format=text|json"}, "--format is text or json, not 'text|json'"},
        {{"-lnarow"}, "--layout is plain, wide or narrow, not 'narow'; did you mean narrow?"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char copies[3][64], *argv[3];
        int n = 0;
        for (; n < 3 && wrong[i].words[n]; n++) {
            snprintf(copies[n], sizeof copies[n], "%s", wrong[i].words[n]);
            argv[n] = copies[n];
        }
        struct parsed p;
        cord_error err = {0};
        assert_int_equal(options_parse(table, n, argv, &arena, &p, &err), CORD_BAD_USAGE);
        assert_string_equal(err.message, wrong[i].message);
    }
}

static void options_are_found_by_name(void **state) {
    (void)state;
    struct parsed p;
    assert_ok(PARSE(&p, err, "--beam", "5"));
    struct verb verb = {.name = "test", .options = table};
    struct call call = {.verb = &verb, .options = p.options};
    assert_true(call_option(&call, "beam")->number == 5);
    assert_false(call_option(&call, "set")->given);
}

static void errors_become_exit_statuses(void **state) {
    (void)state;
    char *text = NULL;
    size_t len = 0;
    struct call call = {.verb = &(struct verb){.name = "test"}, .err = open_memstream(&text, &len)};
    assert_int_equal(call_fail(&call, &(cord_error){CORD_BAD_RECIPE, "no", "r.yaml:1:2"}), EXIT_NOTHING_DONE);
    assert_int_equal(call_fail(&call, &(cord_error){CORD_BAD_USAGE, "no", ""}), EXIT_WRONG_USAGE);
    assert_int_equal(call_fail(&call, &(cord_error){CORD_CANCELLED, "", ""}), EXIT_INTERRUPTED);
    assert_int_equal(call_usage(&call, "bad %d", 7), EXIT_WRONG_USAGE);
    assert_int_equal(fclose(call.err), 0);
    char want[200];
    snprintf(want, sizeof want, "cord: r.yaml:1:2: no\ncord: no\ncord: %s\ncord test: bad 7 (see 'cord help test')\n",
             cord_status_name(CORD_CANCELLED));
    assert_string_equal(text, want);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(letters_are_read),
        cmocka_unit_test(words_are_read),
        cmocka_unit_test(dashes_end_options),
        cmocka_unit_test(help_wins),
        cmocka_unit_test(wrong_lines_are_told),
        cmocka_unit_test(options_are_found_by_name),
        cmocka_unit_test(errors_become_exit_statuses),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
