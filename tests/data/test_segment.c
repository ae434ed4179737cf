/* test_segment.c - stop strings, joining steps, and telling worthless steps from repetitive but honest ones. */
#include "support.h"

#include "data/segment.h"

#include <stdlib.h>

static struct prompt_style style_of(const char *preset) {
    struct prompt_style style;
    assert_true(prompt_preset(preset, &style));
    return style;
}

static void stops_are_the_marker_and_the_closing_tag(void **state) {
    (void)state;
    static const struct {
        const char *marker, *close, *stop, *think; /* stop NULL: refused */
    } cases[] = {
        {"### Step {n}.", "\n</think>\n\n", "### Step", "</think>"},
        {"### Step", "</think>", "### Step", "</think>"},
        {"\nStep {n}: ", " </think>\nSo, the answer: ", "Step", "</think>"},
        {"[{n}]", "[end]", "[", "[end]"},
        {"{n}.", "</think>", NULL, NULL},
        {" ", "</think>", NULL, NULL},
        {"### Step", "\n\n", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prompt_style style = style_of("paper");
        struct segment_stops stops;
        cord_error error = {0};
        style.marker = text_of(cases[i].marker);
        style.think_close = text_of(cases[i].close);
        cord_status status = segment_stops(&style, &stops, &error);
        assert_int_equal(status, cases[i].stop ? CORD_OK : CORD_BAD_RECIPE);
        if (!cases[i].stop) continue;
        assert_int_equal(stops.n, 2);
        assert_int_equal(stops.think, 1);
        assert_text(stops.text[0], cases[i].stop);
        assert_text(stops.text[1], cases[i].think);
    }
}

static void steps_are_joined_by_the_marker(void **state) {
    (void)state;
    struct prompt_style steps = style_of("steps"), paper = style_of("paper");
    struct arena arena;
    arena_init(&arena);
    cord_text one, two, out;
    assert_ok(segment_open(&steps, TEXT(""), false, 1, &arena, &out, err));
    assert_text(out, "### Step 1.");
    assert_ok(segment_extend(&steps, TEXT(""), false, 1, TEXT(" Add. \n\n"), false, &arena, &one, err));
    assert_text(one, "### Step 1. Add.");
    assert_ok(segment_extend(&steps, one, false, 12, TEXT(" Take ha"), true, &arena, &two, err));
    assert_text(two, "### Step 1. Add.\n\n### Step 12. Take ha");
    assert_ok(segment_open(&steps, two, true, 13, &arena, &out, err));
    assert_text(out, "### Step 1. Add.\n\n### Step 12. Take ha");
    assert_ok(segment_extend(&steps, two, true, 13, TEXT("lf.\n"), false, &arena, &out, err));
    assert_text(out, "### Step 1. Add.\n\n### Step 12. Take half.");
    assert_ok(segment_extend(&steps, TEXT("a"), false, 2, TEXT(" b \n"), true, &arena, &out, err));
    assert_text(out, "a\n\n### Step 2. b \n"); /* cut: the blanks may stand in the middle of a line */
    assert_ok(segment_extend(&paper, TEXT(""), false, 1, TEXT(" 1. Hm {n}"), false, &arena, &out, err));
    assert_text(out, "### Step 1. Hm {n}");
    assert_ok(segment_open(&paper, TEXT("### Step 1. Hm"), false, 2, &arena, &out, err));
    assert_text(out, "### Step 1. Hm\n\n### Step");
    arena_release(&arena);
}

/* Random texts in random pieces: whatever was cut where, what was joined is what was written, character by character. */
static void what_was_cut_anywhere_is_whole_again(void **state) {
    (void)state;
    static const char *const letters[] = {"a", "Z", " ", "\n", "é", "米", "🙂", "#", "{n}", "</", "."};
    struct prompt_style style = style_of("steps");
    struct rng rng;
    rng_init(&rng, 7);
    for (int trial = 0; trial < 500; trial++) {
        struct arena arena;
        struct buf want;
        arena_init(&arena);
        buf_init(&want, "test", 1 << 20);
        cord_text text = TEXT("");
        bool cut = false;
        int number = 1, steps = 1 + (int)(rng_next(&rng) % 6), markers = 0;
        for (int s = 0; s < steps; s++) {
            struct buf piece;
            buf_init(&piece, "test", 1 << 16);
            int len = 1 + (int)(rng_next(&rng) % 20);
            for (int i = 0; i < len; i++) buf_add(&piece, text_of(letters[rng_next(&rng) % 11]));
            buf_add(&piece, TEXT("x")); /* so that no step is blanks alone */
            bool next_cut = rng_next(&rng) % 2;
            if (!cut) {
                if (s) buf_add(&want, TEXT("\n\n"));
                buf_addf(&want, "### Step %d.", number);
                markers++;
            }
            cord_text open, step = buf_text(&piece);
            assert_ok(segment_open(&style, text, cut, number, &arena, &open, err));
            assert_text(open, want.data);
            buf_add(&want, step);
            if (!next_cut) buf_add(&piece, TEXT(" \n\t "));
            assert_ok(segment_extend(&style, text, cut, number, buf_text(&piece), next_cut, &arena, &text, err));
            assert_text(text, want.data);
            assert_true(text_starts(text, open));
            assert_int_equal(utf8_valid_prefix(text), text.len);
            if (!next_cut) number++;
            cut = next_cut;
            buf_release(&piece);
        }
        int found = 0;
        for (cord_text rest = text; text_find(rest, TEXT("### Step ")) >= 0; found++)
            rest = text_slice(rest, (size_t)text_find(rest, TEXT("### Step ")) + 9, rest.len);
        assert_int_equal(found, markers);
        buf_release(&want);
        arena_release(&arena);
    }
}

static void what_ends_a_step_is_written_whole(void **state) {
    (void)state;
    static const struct {
        const char *written, *kept;
        enum segmentation by;
    } cases[] = {
        {" One.\n\n###", " One.\n\n", SEGMENTATION_STEPS},
        {" One.\n\n### St", " One.\n\n", SEGMENTATION_STEPS},
        {" One.\n\n####", " One.\n\n", SEGMENTATION_STEPS},
        {" One.\n\n**###", " One.\n\n", SEGMENTATION_STEPS},
        {" 2 * #", " 2 * ", SEGMENTATION_STEPS},
        {" One.\n</th", " One.\n", SEGMENTATION_STEPS},
        {" One.\n**", " One.\n**", SEGMENTATION_STEPS},
        {" One. Step", " One. Step", SEGMENTATION_STEPS},
        {"###", "", SEGMENTATION_STEPS},
        {"", "", SEGMENTATION_STEPS},
        {" One.\n", " One.", SEGMENTATION_LINE_BREAK},
        {" One.\r\n\r", " One.", SEGMENTATION_LINE_BREAK},
        {" One.\n##", " One.\n##", SEGMENTATION_LINE_BREAK},
        {" One.</thin", " One.", SEGMENTATION_PREFIX},
    };
    static const struct {
        const char *written, *step;
    } larger[] = {{" One.\n\n#", " One."}, {" One.\n **", " One."}, {" 2 *", " 2 *"}, {" One. #", " One. #"}};
    struct arena arena;
    arena_init(&arena);
    cord_text kept, step;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prompt_style style = style_of("steps");
        if (cases[i].by != SEGMENTATION_STEPS) prompt_segment(&style, cases[i].by);
        assert_ok(segment_before_stop(&style, text_of(cases[i].written), &kept, err));
        assert_text(kept, cases[i].kept);
    }
    struct prompt_style style = style_of("steps");
    for (size_t i = 0; i < sizeof larger / sizeof *larger; i++) { /* what stands before the marker in its line */
        enum step_end end = STEP_CUT;
        assert_ok(segment_read(&style, false, text_of(larger[i].written), 0, &arena, &step, &end, err));
        assert_text(step, larger[i].step);
        assert_int_equal(end, STEP_NEXT);
    }
    /* wherever a text is cut: what ends its step stands behind what was kept */
    static const char *const ends[] = {"\n\n### Step 2. Two.", "\n</think>\n\nThe answer"};
    for (int e = 0; e < 2; e++) {
        const char *stop = e ? "</think>" : "### Step", *whole = arena_printf(&arena, " One # of < two.%s", ends[e]);
        size_t at = (size_t)(strstr(whole, stop) - whole);
        for (size_t cut = 0; cut < at + strlen(stop); cut++) {
            assert_ok(segment_before_stop(&style, (cord_text){whole, cut}, &kept, err));
            assert_in_range(kept.len, cut < 2 ? 0 : 1, at);
        }
    }
    arena_release(&arena);
}

static void a_text_is_divided_as_its_style_says(void **state) {
    (void)state;
    static const struct {
        enum segmentation segmentation;
        const char *marker, *text, *steps;
    } cases[] = {
        {SEGMENTATION_STEPS, "### Step {n}.",
         "### Step 1. A\nb\n\n### Step 2. C, as in ### Step 3. of it\n\n### Step 3. D ",
         "A\nb|C, as in ### Step 3. of it|D|"},
        {SEGMENTATION_STEPS, "### Step", "So:\n\n### Step 4: A\n\nb\n### Step C", "So:|A\n\nb|C|"},
        {SEGMENTATION_STEPS, "### Step {n}.",
         "### Step-by-step explanation:\n\nA\n\n### Step 1: B\n### Steps left\nC\n### Step2 D",
         "### Step-by-step explanation:\n\nA|B\n### Steps left\nC|D|"},
        {SEGMENTATION_STEPS, "Step:", "Step:A\nStep:B", "A|B|"},
        {SEGMENTATION_STEPS, "[Step {n}] ", "[Step 1] A\n[Step 7] 2. B", "A|2. B|"},
        {SEGMENTATION_STEPS, "### Step {n}.", "no marker", "no marker|"},
        {SEGMENTATION_STEPS, "### Step {n}.", "A\nb\n\n \nC\n", "A\nb|C|"},
        {SEGMENTATION_STEPS, "### Step {n}.", " \n", ""},
        {SEGMENTATION_STEPS, "### Step {n}.", "", ""},
        {SEGMENTATION_LINE_BREAK, "", "A\nb\n\nC\n \n\nD", "A\nb\n\n|C\n \n|\nD|"},
        {SEGMENTATION_PREFIX, "", "A is so. Wait, it is not. Alternatively, B",
         "A is so.| Wait, it is not.| Alternatively, B|"},
        {SEGMENTATION_PREFIX, "", "甲。Wait, 乙。Wait, 丙。Wait, 丁。Wait, 戊",
         "甲。|Wait, 乙。|Wait, 丙。|Wait, 丁。|Wait, 戊|"},
    };
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prompt_style style = style_of("steps");
        struct stretch *steps;
        int n;
        char all[200] = "";
        if (cases[i].segmentation != SEGMENTATION_STEPS) prompt_segment(&style, cases[i].segmentation);
        style.marker = text_of(cases[i].marker);
        assert_ok(segment_divide(&style, text_of(cases[i].text), &arena, &steps, &n, err));
        for (int k = 0; k < n; k++) {
            snprintf(all + strlen(all), sizeof all - strlen(all), "%.*s|", (int)steps[k].text.len, steps[k].text.data);
            assert_ptr_equal(steps[k].text.data + steps[k].text.len, cases[i].text + steps[k].end);
        }
        assert_string_equal(all, cases[i].steps);
    }
    arena_release(&arena);
}

static void empty_steps(void **state) {
    (void)state;
    static const char *const empty[] = {"",     " ",     "\n\n", "2.", " 2. ",  "**", "**2.**",
                                        " ###", "### 3", "...",  "- ", " $$\n", "12:"};
    static const char *const full[] = {"a", "2. b", "1.5", "= 2 + 2", "2. 7", "é", "米", "**Sum**", "3/4"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        if (!segment_is_empty(text_of(empty[i]))) fail_msg("'%s' counts as a step", empty[i]);
    for (size_t i = 0; i < sizeof full / sizeof *full; i++)
        if (segment_is_empty(text_of(full[i]))) fail_msg("'%s' counts as empty", full[i]);
    /* where the marker has the number, one in the step is its own */
    struct prompt_style numbered = style_of("steps"), plain = style_of("paper");
    assert_false(segment_adds_nothing(&numbered, false, TEXT(" $18$."), STEP_NEXT));
    assert_true(segment_adds_nothing(&plain, false, TEXT(" 18."), STEP_NEXT));
    assert_true(segment_adds_nothing(&numbered, false, TEXT(" **.\n"), STEP_NEXT));
}

/* `unit` written n times, between `before` and `after`. */
static bool degenerate(const char *before, const char *unit, int n, const char *after) {
    struct buf buf;
    buf_init(&buf, "test", 1 << 20);
    buf_add(&buf, text_of(before));
    for (int i = 0; i < n; i++) buf_add(&buf, text_of(unit));
    buf_add(&buf, text_of(after));
    bool result = segment_is_degenerate(buf_text(&buf));
    buf_release(&buf);
    return result;
}

#define PROSE "Tom buys three apples, gives one of them to his sister and eats the rest on his way back home. "

static void loops_are_degenerate(void **state) {
    (void)state;
    assert_true(degenerate("", "wait ", 16, ""));
    assert_true(degenerate(PROSE, "wait ", 20, ""));
    assert_true(degenerate("", "So the answer is wrong. ", 8, ""));
    assert_true(degenerate(PROSE, "Let me check this again, one more time. ", 3, ""));
    assert_true(degenerate("First.\n", "The total is 12.\n", 4, "Done."));
    assert_true(degenerate("First.\n", "It is 12.\n\n", 4, "Done."));
    assert_true(degenerate("", "5 + ", 40, ""));
    assert_true(degenerate("", "0 0 0\n", 16, ""));
    assert_true(degenerate("sum = ", "1", 64, ""));
    assert_true(degenerate("", "米", 64, ""));
    assert_true(degenerate("", "我们再来一次。", 6, "")); /* no blanks between words */
    assert_true(degenerate("", "we我们", 6, ""));         /* 18 words */
    assert_true(degenerate("We divide: ", "\\frac{1}{2} + ", 40, ""));
}

static void honest_repetition_is_not(void **state) {
    (void)state;
    assert_false(degenerate("", "", 0, ""));
    assert_false(degenerate(PROSE, "", 0, ""));
    assert_false(degenerate(PROSE, PROSE, 1, ""));
    assert_false(degenerate("Ten apples cost ", "5 + ", 9, "5 = 50 dollars."));
    assert_false(degenerate("", "2 * ", 9, "2 = 1024"));
    assert_false(degenerate("The matrix is\n", "0 & 0 & 0 \\\\\n", 4, "so its rank is 0."));
    assert_false(degenerate("", "\\frac{1}{2} + ", 7, "\\frac{1}{2} = 4"));
    assert_false(degenerate("", "12 / 3 = 4\n", 3, "so each child gets 4 apples, and none is left over at all."));
    assert_false(degenerate("", "wait ", 15, ""));                              /* too short to tell */
    assert_false(degenerate(PROSE PROSE "Later ", "ha ", 16, "they laughed.")); /* less than half */
    assert_false(degenerate("", "The total is 12.\n", 3, "Done."));
    assert_false(degenerate("", "=", 63, " x"));
    assert_false(degenerate("x | y\n", "---|---|---|---\n", 1, "1 | 2\n3 | 4"));
    assert_false(
        degenerate("Monday: 3 eggs, 2 sold, 1 left.\nTuesday: 4 eggs, 2 sold, 2 left.\nWednesday: 5 eggs, 2 sold, "
                   "3 left.\nThursday: 6 eggs, 2 sold, 4 left.",
                   "", 0, ""));
    assert_false(degenerate("小明有三个苹果,他给了妹妹一个,然后又买了两个,所以现在他有四个苹果。", "", 0, ""));
}

/* Words over an alphabet of three, against a search of all runs that knows only the definition. */
static bool brute_force(const char *words, int n) {
    for (int p = 1; p <= 8; p++)
        for (int from = 0; from + p <= n; from++) {
            int len = p;
            while (from + len < n && words[from + len] == words[from + len - p]) len++;
            if (n >= 16 && 2 * len >= n && len >= 3 * p) return true;
        }
    return false;
}

static void runs_are_found_as_by_brute_force(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 11);
    int yes = 0;
    for (int trial = 0; trial < 20000; trial++) {
        int n = 8 + (int)(rng_next(&rng) % 40), p = 1 + (int)(rng_next(&rng) % 10);
        char words[64], text[400] = "";
        for (int i = 0; i < n; i++) /* mostly periodic, with slips */
            words[i] =
                (char)('a' + (i < p || rng_next(&rng) % 12 == 0 ? (int)(rng_next(&rng) % 3) : words[i - p] - 'a'));
        for (int i = 0; i < n; i++) snprintf(text + 4 * i, 5, "%cqu ", words[i]);
        bool want = brute_force(words, n);
        yes += want;
        if (segment_is_degenerate(text_of(text)) != want) fail_msg("'%s': want %d", text, want);
    }
    assert_true(yes > 2000 && yes < 18000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_are_the_marker_and_the_closing_tag),
        cmocka_unit_test(steps_are_joined_by_the_marker),
        cmocka_unit_test(what_was_cut_anywhere_is_whole_again),
        cmocka_unit_test(what_ends_a_step_is_written_whole),
        cmocka_unit_test(a_text_is_divided_as_its_style_says),
        cmocka_unit_test(empty_steps),
        cmocka_unit_test(loops_are_degenerate),
        cmocka_unit_test(honest_repetition_is_not),
        cmocka_unit_test(runs_are_found_as_by_brute_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
