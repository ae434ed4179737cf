/* test_boundary.c - where steps end at blank lines and before phrases: cases by hand, and a second opinion on random texts. */
#include "support.h"

#include "data/boundary.h"
#include "data/segment.h"

static struct prompt_style style_of(enum segmentation how) {
    struct prompt_style style;
    assert_true(prompt_preset("steps", &style));
    prompt_segment(&style, how);
    return style;
}

/* In a case "|" stands where the first step ends; a case without it is one step. */
struct example {
    const char *text;
    bool continues, goes_on;
};

static void check(enum segmentation how, cord_text phrases, const struct example *e) {
    struct buf text;
    buf_init(&text, "test", 1 << 12);
    ptrdiff_t want = text_find(text_of(e->text), TEXT("|")), have;
    for (const char *c = e->text; *c; c++)
        if (*c != '|') buf_addc(&text, *c);
    if (how == SEGMENTATION_PREFIX)
        have = boundary_prefix(phrases, buf_text(&text), e->continues, e->goes_on);
    else
        have = boundary_line_break(buf_text(&text), e->continues);
    if (have != want) fail_msg("'%s': ends at %td, want %td", e->text, have, want);
    buf_release(&text);
}

static void steps_end_at_blank_lines(void **state) {
    (void)state;
    static const struct example
        cases
            [] =
                {
                    {"A.\n\n|B", 0, 0},
                    {"A.\r\n\r\n|B", 0, 0},
                    {"A.\n\n|\nB", 0, 0}, /* the third line feed is what the next step begins with */
                    {"A.\n \t\n|B", 0, 0},
                    {"A.\n\n|", 0, 0},
                    {"A.\nB\n", 0, 0},
                    {"A. B", 0, 0},
                    {"", 0, 0},
                    {"\n\n", 0, 0},
                    {"\n\nA.\n\n|B", 0, 0}, /* no step is made of nothing */
                    {" \n \n\n", 0, 0},
                    {"---\n\n|B", 0, 0},
                    {"né 米\n\n|🙂", 0, 0},
                    {"\n\n|B", 1, 0}, /* the cut step was whole */
                    {"\nB", 1, 0},
                    {" b\n\n|c", 1, 0},
                };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(SEGMENTATION_LINE_BREAK, TEXT(""), &cases[i]);
}

static void steps_end_before_phrases(void **state) {
    (void)state;
    static const struct example cases[] = {
        {"It is 5.| Wait, no.", 0, 0},
        {"It is 5.\n|Wait, no.", 0, 0},
        {"It is 5.\n\n|Wait", 0, 0},
        {"It is 5.\r\n|  wait", 0, 0},
        {"It is 5!| WAIT", 0, 0},
        {"Is it 5?| Let me  check.", 0, 0},
        {"It is 5.| Let me\ncheck.", 0, 0},
        {"It is 5…| Double-check it.", 0, 0},
        {"It is 5.| Double\xe2\x80\x91"
         "check it.",
         0, 0},
        {"It is 5.| That’s impossible.", 0, 0},
        {"It is 5.| Let's try a different approach.", 0, 0},
        {"It is 5.| The error is in line 2. Wait.", 0, 0},
        {"It is 5.| “Wait”, he says.", 0, 0},
        {"“It is 5.”| *Wait*", 0, 0},
        {"(It is 5.)| (Wait)", 0, 0},
        {"It is 5.\n|- **Wait**: no", 0, 0},
        {"It is 5.\n|2. Wait: no", 0, 0},
        {"It is 5.\n|> wait", 0, 0},
        {"x = 2.| Wait", 0, 0}, /* no item of a list */
        {"是5。|wait", 0, 0},
        {"é.| Wait é", 0, 0},
        {"🙂.| Wait 🙂", 0, 0},
        /* part of a word */
        {"It is 5. Waiter!", 0, 0},
        {"It is 5. Await it.", 0, 0},
        {"It is 5. Waité", 0, 0},
        {"It is 5. Wait-list", 0, 0},
        {"It is 5. Let me checks", 0, 0},
        {"It is 5. Let me see", 0, 0},
        /* in a sentence */
        {"They wait.", 0, 0},
        {"Hmm, wait.", 0, 0},
        {"So wait, no.", 0, 0},
        {"a.wait", 0, 0},
        {"3.5 wait", 0, 0},
        {"It is 5; wait.", 0, 0},
        /* at the step's own beginning */
        {"Wait, it is 5.", 0, 0},
        {" Wait, it is 5.", 0, 0},
        {"\n\nWait, it is 5.", 0, 0},
        {"**Wait**", 0, 0},
        {"- Wait", 0, 0},
        {"1. Wait", 0, 0},
        {"… Wait", 0, 0},
        {"Wait, it is 5.| Wait, no.", 0, 0},
        {" Wait", 1, 0},
        {". Wait", 0, 0},
        {".| Wait", 1, 0}, /* the cut step was whole but for its full stop */
        {"\n|Wait", 1, 0},
        /* at the very end */
        {"It is 5.| Wait", 0, 0},
        {"It is 5. Wait", 0, 1}, /* may become "Waiter" */
        {"It is 5.| Wait,", 0, 1},
        {"It is 5. Let me", 0, 1},
        {"", 0, 0},
    };
    struct prompt_style style = style_of(SEGMENTATION_PREFIX);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(SEGMENTATION_PREFIX, style.prefixes, &cases[i]);
}

static void a_recipes_own_phrases(void **state) {
    (void)state;
    static const struct example cases[] = {
        {"Es ist 5.| ÄHNLICH ist", 0, 0},
        {"5。|等等,不对", 0, 0},
        {"5。|等等我", 0, 0},
        {"Так.| СТОП!", 0, 0},
        {"So. Wait", 0, 0},
        {"So.| Hold on", 0, 0},
    };
    cord_text phrases = TEXT(" ähnlich,等等;\n стоп\nhold  on,,");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(SEGMENTATION_PREFIX, phrases, &cases[i]);
    assert_null(boundary_phrases_complaint(phrases));
    assert_non_null(strstr(boundary_phrases_complaint(TEXT(" , ;\n")), "no phrase"));
    assert_non_null(strstr(boundary_phrases_complaint(TEXT("wait, ...")), "begin and end"));
    assert_non_null(strstr(boundary_phrases_complaint(TEXT("wait!")), "begin and end"));
}

static void the_papers_phrases_are_all_there(void **state) {
    (void)state;
    cord_text phrases = style_of(SEGMENTATION_PREFIX).prefixes, phrase;
    int n = 0, groups = 1;
    for (size_t i = 0; i < phrases.len; i++) groups += phrases.data[i] == ';';
    assert_null(boundary_phrases_complaint(phrases));
    for (cord_text rest = phrases; boundary_next_phrase(&rest, &phrase); n++) {
        char text[100];
        snprintf(text, sizeof text, "So. %.*s it", (int)phrase.len, phrase.data);
        assert_int_equal(boundary_prefix(phrases, text_of(text), false, false), 3);
    }
    assert_int_equal(n, 15);
    assert_int_equal(groups, 3);
}

/* ---- what was written, as a step ------------------------------------------------------------------------------- */

static void what_ended_a_text_says_how_its_step_ended(void **state) {
    (void)state;
    static const struct {
        enum segmentation how;
        const char *written;
        int stop;
        enum step_end end;
        const char *step;
        enum step_end step_end;
    } cases[] = {
        {SEGMENTATION_LINE_BREAK, "A.", 0, STEP_CUT, "A.\n\n", STEP_NEXT}, /* the blank line stays one */
        {SEGMENTATION_LINE_BREAK, "A.", 2, STEP_CUT, "A.\r\n\r\n", STEP_NEXT},
        {SEGMENTATION_LINE_BREAK, "A. \n", 1, STEP_CUT, "A.", STEP_CLOSED},
        {SEGMENTATION_LINE_BREAK, "A.\n \nB", 1, STEP_CUT, "A.\n \n",
         STEP_NEXT}, /* the rest is left out, its end too */
        {SEGMENTATION_LINE_BREAK, "A. ", -1, STEP_CUT, "A. ", STEP_CUT},
        {SEGMENTATION_LINE_BREAK, "A. ", -1, STEP_TURN, "A.", STEP_TURN},
        {SEGMENTATION_LINE_BREAK, "", 0, STEP_CUT, "\n\n", STEP_NEXT},
        {SEGMENTATION_PREFIX, "A. Wait", 0, STEP_CUT, "A.", STEP_NEXT},
        {SEGMENTATION_PREFIX, "A.\nWait, B", -1, STEP_TURN, "A.\n", STEP_NEXT},
        {SEGMENTATION_PREFIX, "A. Wai", -1, STEP_CUT, "A. Wai", STEP_CUT},
        {SEGMENTATION_PREFIX, "A. B. \n", 0, STEP_CUT, "A. B.", STEP_CLOSED},
        {SEGMENTATION_STEPS, "A. Wait\n\nB ", 0, STEP_CUT, "A. Wait\n\nB", STEP_NEXT},
        {SEGMENTATION_STEPS, "A. ", -1, STEP_CUT, "A. ", STEP_CUT},
    };
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prompt_style style = style_of(cases[i].how);
        enum step_end end = cases[i].end;
        cord_text step;
        assert_ok(segment_read(&style, false, text_of(cases[i].written), cases[i].stop, &arena, &step, &end, err));
        assert_text(step, cases[i].step);
        assert_int_equal(end, cases[i].step_end);
    }
    arena_release(&arena);
}

/* Random texts of words, ends, blanks and phrases, read step by step, in pieces that a limit may cut anywhere: what was joined is
 * what was written. */
static void pieces_put_together_are_the_text(void **state) {
    (void)state;
    static const char *const words[] = {
        "a", " b", "Wait", " wait", ", ",   ".",  "\n", "\n\n", "é", "米", "。", "🙂", " Let me check",
        " ", "1.", "**",   "\t",    "\r\n", "er", "-",  "“",    "”", "?",  "等"};
    struct rng rng;
    rng_init(&rng, 5);
    int steps = 0, trials = 4000;
    for (int trial = 0; trial < trials; trial++) {
        struct prompt_style style = style_of(trial % 2 ? SEGMENTATION_PREFIX : SEGMENTATION_LINE_BREAK);
        struct arena arena;
        struct buf text;
        arena_init(&arena);
        buf_init(&text, "test", 1 << 16);
        for (int n = 1 + (int)(rng_next(&rng) % 60); n--;) buf_add(&text, text_of(words[rng_next(&rng) % 24]));
        cord_text whole = buf_text(&text), all = TEXT("");
        bool cut = false;
        for (size_t at = 0; at < whole.len;) {
            size_t most = at + 1 + rng_next(&rng) % 80;
            while (most < whole.len && ((unsigned char)whole.data[most] & 0xc0) == 0x80) most++;
            cord_text step, open, written = text_slice(whole, at, most < whole.len ? most : whole.len);
            enum step_end end = STEP_CUT;
            assert_ok(segment_read(&style, cut, written, -1, &arena, &step, &end, err));
            assert_ok(segment_open(&style, all, cut, 9, &arena, &open, err));
            assert_true(text_equal(open, all)); /* the next model sees just what was written */
            assert_ok(segment_extend(&style, all, cut, 9, step, end == STEP_CUT, &arena, &all, err));
            assert_true(step.len > 0);
            assert_int_equal(utf8_valid_prefix(step), step.len);
            at += step.len;
            steps += end == STEP_NEXT;
            cut = end == STEP_CUT;
        }
        if (!text_equal(all, whole)) fail_msg("trial %d: '%s'", trial, text.data);
        buf_release(&text);
        arena_release(&arena);
    }
    if (steps < trials / 2) fail_msg("only %d steps", steps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_end_at_blank_lines),
        cmocka_unit_test(steps_end_before_phrases),
        cmocka_unit_test(a_recipes_own_phrases),
        cmocka_unit_test(the_papers_phrases_are_all_there),
        cmocka_unit_test(what_ended_a_text_says_how_its_step_ended),
        cmocka_unit_test(pieces_put_together_are_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
