/* test_command.c - a program as a grader, with real programs: those that answer, and all the ways in which they may not.
 * Whatever they do, an answer comes in time, it is undecided with the reason, the next question is answered again, and
 * nothing is left behind: neither programs nor descriptors. */
#include "scratch.h"

#include "grade/grade.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- help for tests -------------------------------------------------------------------------------------------- */

static int set_up(void **state) {
    signal(SIGPIPE, SIG_IGN); /* as main.c does */
    scratch_open(state);
    return chdir(scratch);
}

static int open_descriptors(void) {
    DIR *open = opendir("/proc/self/fd");
    int n = 0;
    assert_non_null(open);
    while (readdir(open)) n++;
    closedir(open);
    return n;
}

/* The number that a program wrote into a file, once it has; 0 after two seconds without. */
static long number_in(const char *file) {
    for (int i = 0; i < 200; i++) {
        FILE *in = fopen(file, "r");
        long number = 0;
        if (in && fscanf(in, "%ld", &number) != 1) number = 0;
        if (in) fclose(in);
        if (number) return number;
        usleep(10000);
    }
    return 0;
}

static bool is_gone(long pid) {
    for (int i = 0; i < 200; i++) {
        char path[64], state = 'Z';
        snprintf(path, sizeof path, "/proc/%ld/stat", pid);
        FILE *in = fopen(path, "r");
        if (!in) return true;
        if (fscanf(in, "%*d (%*[^)]) %c", &state) != 1) state = 'Z';
        fclose(in);
        if (state == 'Z') return true; /* nobody here reaps orphans */
        usleep(10000);
    }
    return false;
}

static bool stop_now;
static bool is_stopped(void) { return __atomic_load_n(&stop_now, __ATOMIC_SEQ_CST); }

static void open_command(struct grader *grader, const char *command, double seconds) {
    const struct grading settings = {.by = GRADER_COMMAND, .command = command, .seconds = seconds};
    assert_ok(grader_open(grader, &settings, NULL, is_stopped, err));
}

static const struct grade_request question = {
    .question = {"What is 6 x 7?", 14}, .gold = {"42", 2}, .answer = {"42", 2}, .reply = {"It is \"42\".\n", 12}};

static struct grade_result ask(const struct grader *grader, const struct grade_request *request, struct arena *arena) {
    struct grade_result result = {.verdict = (cord_verdict)99};
    assert_ok(grader_grade(grader, request, false, &result, arena, err));
    assert_non_null(result.why);
    return result;
}

static void assert_answer(const struct grader *grader, const struct grade_request *request, cord_verdict verdict,
                          const char *why) {
    struct arena arena;
    arena_init(&arena);
    struct grade_result result = ask(grader, request, &arena);
    if (result.verdict != verdict || !strstr(result.why, why))
        fail_msg("got %s (%s), want %s (…%s…)", cord_verdict_name(result.verdict), result.why,
                 cord_verdict_name(verdict), why);
    arena_release(&arena);
}

#define EQUAL "'{\"verdict\":\"equal\"}'"

/* Every question to this program comes to the same, within so many seconds for each, and leaves nothing. */
static void assert_fails(const char *command, double seconds, const char *why) {
    struct grader grader;
    int before = open_descriptors();
    open_command(&grader, command, seconds);
    for (int i = 0; i < 3; i++) {
        int64_t start = clock_us();
        assert_answer(&grader, &question, CORD_UNDECIDED, why);
        assert_true(clock_us() - start < (int64_t)(seconds * 1e6) + 2000000);
    }
    int64_t start = clock_us();
    grader_close(&grader);
    assert_true(clock_us() - start < 2500000);
    assert_int_equal(open_descriptors(), before);
}

/* ---- programs that answer -------------------------------------------------------------------------------------- */

/* Its verdict is the answer it was given; its reason, all that it was asked. */
#define ECHO                                                                       \
    "sed -u 's/\"/Q/g; s/\\\\/B/g; s/.*QanswerQ:Q\\([a-z0-9]*\\)Q.*/{\"verdict\":" \
    "\"\\1\",\"why\":\"&\"}/'"

static void verdicts_and_reasons_are_the_programs(void **state) {
    (void)state;
    struct grader grader;
    int before = open_descriptors();
    open_command(&grader, ECHO, 5);
    for (int i = 0; i < 200; i++)
        for (int v = CORD_EQUAL; v <= CORD_UNDECIDED; v++) {
            struct grade_request request = question;
            request.answer = text_of(cord_verdict_name((cord_verdict)v));
            char want[200];
            snprintf(want, sizeof want,
                     "{QquestionQ:QWhat is 6 x 7?Q,QgoldQ:Q42Q,QanswerQ:Q%sQ,QreplyQ:QIt is BQ42BQ.BnQ}",
                     request.answer.data);
            assert_answer(&grader, &request, (cord_verdict)v, want);
        }
    struct grade_request request = question;
    request.answer = TEXT("same"); /* no verdict */
    assert_answer(&grader, &request, CORD_UNDECIDED, "gave no verdict, but '{\"verdict\":\"same\"");
    request.answer = TEXT("equal");
    assert_answer(&grader, &request, CORD_EQUAL, "QequalQ");
    grader_close(&grader);
    assert_int_equal(open_descriptors(), before);
}

static void a_reason_may_be_left_out_and_is_cut_where_long(void **state) {
    (void)state;
    struct grader grader;
    struct arena arena;
    open_command(&grader, "while read -r x; do echo " EQUAL "; done", 5);
    assert_answer(&grader, &question, CORD_EQUAL, "the grader's command says so");
    grader_close(&grader);
    open_command(&grader, "read -r x; printf '{\"why\":\"%0999d\",\"verdict\":\"different\"}\\n' 1; read -r x", 5);
    arena_init(&arena);
    struct grade_result result = ask(&grader, &question, &arena);
    assert_int_equal(result.verdict, CORD_DIFFERENT);
    assert_int_equal(strlen(result.why), 400);
    arena_release(&arena);
    grader_close(&grader);
}

/* A question of several megabytes fits no pipe: writing and reading must go on side by side. */
static void large_questions_arrive(void **state) {
    (void)state;
    struct grader grader;
    struct grade_request request = question;
    size_t len = 5 << 20;
    char *reply = malloc(len);
    assert_non_null(reply);
    memset(reply, 'x', len);
    request.reply = (cord_text){reply, len};
    open_command(&grader, "while IFS= read -r x; do echo '{\"verdict\":\"equal\",\"why\":\"'${#x}'\"}'; done", 60);
    size_t around = strlen("{\"question\":\"What is 6 x 7?\",\"gold\":\"42\",\"answer\":\"42\",\"reply\":\"\"}");
    char want[24];
    snprintf(want, sizeof want, "%zu", around + len);
    assert_answer(&grader, &request, CORD_EQUAL, want);
    snprintf(want, sizeof want, "%zu", around + question.reply.len + 3); /* what is escaped */
    assert_answer(&grader, &question, CORD_EQUAL, want);
    grader_close(&grader);
    free(reply);
}

struct asker {
    const struct grader *grader;
    pthread_t thread;
    char answer[16];
    int wrong;
};

static void *ask_often(void *arg) {
    struct asker *asker = arg;
    struct arena arena;
    arena_init(&arena);
    for (int i = 0; i < 200; i++) {
        struct grade_request request = question;
        struct grade_result result;
        request.gold = text_of(asker->answer);
        request.answer = TEXT("equal");
        char want[32];
        snprintf(want, sizeof want, "QgoldQ:Q%sQ", asker->answer);
        if (grader_grade(asker->grader, &request, false, &result, &arena, NULL) != CORD_OK ||
            result.verdict != CORD_EQUAL || !strstr(result.why, want))
            asker->wrong++;
    }
    arena_release(&arena);
    return NULL;
}

static void each_thread_gets_its_own_answers(void **state) {
    (void)state;
    struct grader grader;
    struct asker askers[8];
    open_command(&grader, ECHO, 30);
    for (int i = 0; i < 8; i++) {
        askers[i] = (struct asker){.grader = &grader};
        snprintf(askers[i].answer, sizeof askers[i].answer, "%d", 1000 + i);
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]), 0);
    }
    for (int i = 0; i < 8; i++) pthread_join(askers[i].thread, NULL);
    for (int i = 0; i < 8; i++) assert_int_equal(askers[i].wrong, 0);
    grader_close(&grader);
}

/* A death after an answer, whenever it comes, costs nothing. */
static void a_program_that_dies_after_its_answer_is_started_again(void **state) {
    (void)state;
    static const char *const commands[] = {
        "read -r x; echo " EQUAL,
        "read -r x; echo " EQUAL "; kill -9 $$",
        "read -r x; echo " EQUAL "; read -r x; exit 3",   /* with the next question in its hands */
        "read -r x; printf %s " EQUAL,                    /* no newline */
        "read -r x; echo " EQUAL "; exec >&-; sleep 100", /* or its output is */
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct grader grader;
        int before = open_descriptors();
        open_command(&grader, commands[i], 5);
        for (int j = 0; j < 8; j++) {
            assert_answer(&grader, &question, CORD_EQUAL, "says so");
            if (j % 4 == 0) usleep(20000);
        }
        grader_close(&grader);
        assert_int_equal(open_descriptors(), before);
    }
}

/* ---- programs that do not -------------------------------------------------------------------------------------- */

static void a_program_that_is_late_is_killed(void **state) {
    (void)state;
    struct grader grader;
    assert_fails("sleep 100", 0.3, "did not answer within 0.3 s");
    assert_fails("trap '' TERM INT HUP; while :; do sleep 1; done", 0.3, "did not answer within 0.3 s");
    assert_fails("exec <&-; sleep 100", 0.3, "did not answer within 0.3 s");
    assert_fails("read -r x; printf '{\"verdict\":'; sleep 100", 0.3, "did not answer within 0.3 s");

    /* only the questions that it is late for */
    open_command(&grader, "while read -r x; do case $x in *slow*) sleep 100;; esac; echo " EQUAL "; done", 0.5);
    struct grade_request slow = question;
    slow.answer = TEXT("slow");
    for (int i = 0; i < 2; i++) {
        assert_answer(&grader, &question, CORD_EQUAL, "says so");
        assert_answer(&grader, &slow, CORD_UNDECIDED, "did not answer within 0.5 s");
    }
    assert_answer(&grader, &question, CORD_EQUAL, "says so");
    grader_close(&grader);
}

static void a_program_that_ends_is_told_with_its_status(void **state) {
    (void)state;
    assert_fails("exit 3", 5, "ended with status 3 without an answer");
    assert_fails("read -r x; exit 0", 5, "ended with status 0 without an answer");
    assert_fails("read -r x; kill -SEGV $$", 5, "was ended by signal 11 (Segmentation fault) without an answer");
    assert_fails("(nosuchprogram) 2>/dev/null", 5, "ended with status 127 (as a shell's that finds no such program)");
    assert_fails("exec >&-; sleep 100", 5, "closed its output without an answer");
}

static void nonsense_is_told(void **state) {
    (void)state;
    assert_fails("while read -r x; do echo garbage; done", 5, "gave no verdict, but 'garbage'");
    assert_fails("while read -r x; do echo; done", 5, "gave no verdict, but ''");
    assert_fails("while read -r x; do echo '{\"verdict\":true}'; done", 5, "gave no verdict");
    assert_fails("while read -r x; do echo '{\"verdict\":\"Equal\"}'; done", 5, "gave no verdict");
    assert_fails("while read -r x; do echo '[\"equal\"]'; done", 5, "gave no verdict");
    assert_fails("while read -r x; do printf '\\377\\376\\001\\n'; done", 5, "gave no verdict, but '");
    assert_fails("while read -r x; do echo " EQUAL EQUAL "; done", 5, "gave no verdict");
    assert_fails("while read -r x; do printf '%s\\n%s\\n' " EQUAL " " EQUAL "; done", 5, "more than one line");
    assert_fails("yes | head -c 100000000 | tr -d '\\n'", 20, "answered with a line of over 1048576 bytes");
}

/* A line that comes after its answer, or before any question, would be taken for the next one's. */
static void stray_lines_are_noticed(void **state) {
    (void)state;
    struct grader grader;
    open_command(&grader, "while read -r x; do echo " EQUAL "; sleep 0.1; echo stray; done", 5);
    assert_answer(&grader, &question, CORD_EQUAL, "says so");
    usleep(300000);
    assert_answer(&grader, &question, CORD_UNDECIDED, "more than one line");
    assert_answer(&grader, &question, CORD_EQUAL, "says so");
    grader_close(&grader);
    open_command(&grader, "echo " EQUAL "; touch ready; cat >/dev/null", 5);
    for (int i = 0; i < 200 && access("ready", F_OK) != 0; i++) usleep(10000);
    assert_answer(&grader, &question, CORD_UNDECIDED, "more than one line");
    grader_close(&grader);
}

/* What a program starts ends with it, also where it has ended itself and left its output to its child. */
static void grandchildren_are_killed(void **state) {
    (void)state;
    struct grader grader;
    int before = open_descriptors();
    open_command(&grader, "trap '' TERM; sleep 1000 & echo $! >late.pid; wait; wait", 0.5);
    long late = number_in("late.pid");
    assert_true(late > 0);
    assert_answer(&grader, &question, CORD_UNDECIDED, "did not answer");
    assert_true(is_gone(late));
    grader_close(&grader);

    open_command(&grader, "sleep 1000 & echo $! >left.pid; exit 5", 5);
    long left = number_in("left.pid");
    assert_true(left > 0);
    assert_answer(&grader, &question, CORD_UNDECIDED, "ended with status 5");
    assert_true(is_gone(left));
    grader_close(&grader);

    open_command(&grader, "sleep 1000 & echo $! >answered.pid; read -r x; echo " EQUAL, 5);
    assert_answer(&grader, &question, CORD_EQUAL, "says so");
    long answered = number_in("answered.pid");
    assert_true(answered > 0);
    grader_close(&grader);
    assert_true(is_gone(answered));
    assert_int_equal(open_descriptors(), before);
}

/* ---- the end --------------------------------------------------------------------------------------------------- */

static void closing_lets_it_end_by_itself_and_kills_it_where_it_does_not(void **state) {
    (void)state;
    struct grader grader;
    open_command(&grader, "cat >/dev/null; sleep 0.2; echo 7 >farewell", 5);
    grader_close(&grader);
    assert_int_equal(number_in("farewell"), 7);

    open_command(&grader, "trap '' TERM; echo $$ >stubborn.pid; while :; do sleep 1; done", 5);
    long stubborn = number_in("stubborn.pid");
    assert_true(stubborn > 0);
    int64_t start = clock_us();
    grader_close(&grader);
    assert_true(clock_us() - start < 2500000);
    assert_true(is_gone(stubborn));
    grader_close(&(struct grader){0});
}

static void *stop_soon(void *arg) {
    (void)arg;
    usleep(200000);
    __atomic_store_n(&stop_now, true, __ATOMIC_SEQ_CST);
    return NULL;
}

static void waiting_ends_when_all_is_stopped(void **state) {
    (void)state;
    struct grader grader;
    struct grade_result result;
    struct arena arena;
    pthread_t thread;
    cord_error err = {0};
    arena_init(&arena);
    open_command(&grader, "echo $$ >waiting.pid; sleep 1000", 100);
    long pid = number_in("waiting.pid");
    assert_true(pid > 0);
    int64_t start = clock_us();
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
    assert_int_equal(grader_grade(&grader, &question, false, &result, &arena, &err), CORD_CANCELLED);
    assert_true(clock_us() - start < 2000000);
    assert_int_equal(err.code, CORD_CANCELLED);
    assert_true(is_gone(pid));
    pthread_join(thread, NULL);
    stop_now = false;
    grader_close(&grader);
    arena_release(&arena);
}

static void a_program_that_is_not_there_is_an_error_at_once(void **state) {
    (void)state;
    static const struct {
        const char *command, *message;
    } cases[] = {
        {"nosuchprogram --flag", "there is no program 'nosuchprogram'"},
        {"  nosuchprogram", "there is no program 'nosuchprogram'"},
        {"./nosuch.py", "./nosuch.py: No such file or directory"},
        {"./plain.py x", "./plain.py: Permission denied; correct the path, make the file executable"},
    };
    int before = open_descriptors();
    scratch_write("plain.py", TEXT(""));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct grader grader;
        cord_error err = {0};
        const struct grading settings = {.by = GRADER_COMMAND, .command = cases[i].command, .seconds = 1};
        assert_int_equal(grader_open(&grader, &settings, NULL, NULL, &err), CORD_BAD_RECIPE);
        if (!strstr(err.message, cases[i].message)) fail_msg("got '%s', want '%s'", err.message, cases[i].message);
    }
    assert_int_equal(open_descriptors(), before);
}

/* Where ours are closed, a pipe must not take their numbers: what we print would become a question. */
static void standard_streams_may_be_closed(void **state) {
    (void)state;
    int kept[2];
    struct grader grader;
    struct grade_result result = {0};
    struct arena arena;
    arena_init(&arena);
    fflush(stdout);
    for (int i = 0; i < 2; i++) kept[i] = dup(i);
    for (int i = 0; i < 2; i++) close(i);
    const struct grading settings = {
        .by = GRADER_COMMAND, .command = "while read -r x; do echo " EQUAL "; done", .seconds = 5};
    cord_status opened = grader_open(&grader, &settings, NULL, NULL, NULL);
    bool taken = write(1, "x\n", 2) >= 0;
    cord_status graded = opened == CORD_OK ? grader_grade(&grader, &question, false, &result, &arena, NULL) : opened;
    grader_close(&grader);
    for (int i = 0; i < 2; i++) {
        dup2(kept[i], i);
        close(kept[i]);
    }
    assert_int_equal(opened, CORD_OK);
    assert_int_equal(graded, CORD_OK);
    assert_int_equal(result.verdict, CORD_EQUAL);
    assert_false(taken);
    arena_release(&arena);
}

/* Descriptors from 3 on that whoever started this program left to all that it starts. */
static int left_to_all(void) {
    int n = 0;
    for (int i = 3; i < 1000; i++) {
        int flags = fcntl(i, F_GETFD);
        n += flags >= 0 && !(flags & FD_CLOEXEC);
    }
    return n;
}

/* Descriptors that are ours do not reach it, and signals that we ignore are its own again. */
static void it_inherits_nothing_but_the_error_stream(void **state) {
    (void)state;
    struct grader grader, other;
    open_command(&other, "cat", 5);
    open_command(
        &grader,
        "read -r x; n=0; i=3; while [ $i -lt 1000 ]; do [ -e /proc/$$/fd/$i ] && n=$((n+1)); i=$((i+1)); done; "
        "s=$(grep SigIgn /proc/$$/status | tr -dc 0-9a-f); "
        "echo \"{\\\"verdict\\\":\\\"equal\\\",\\\"why\\\":\\\"$n open, $s\\\"}\"",
        5);
    struct arena arena;
    arena_init(&arena);
    struct grade_result result = ask(&grader, &question, &arena);
    assert_int_equal(result.verdict, CORD_EQUAL);
    unsigned long ignored = strtoul(strrchr(result.why, ' ') + 1, NULL, 16);
    assert_false(ignored & (1ul << (SIGPIPE - 1)));
    assert_int_equal(atoi(result.why), left_to_all());
    arena_release(&arena);
    grader_close(&grader);
    grader_close(&other);
}

/* ---- the other graders ----------------------------------------------------------------------------------------- */

static void texts_are_the_same_or_they_are_not(void **state) {
    (void)state;
    static const struct {
        const char *gold, *answer;
        cord_verdict verdict;
    } cases[] = {
        {"ab c", " ab c\n", CORD_EQUAL},     {"ab c", "ab  c", CORD_DIFFERENT}, {"Yes", "yes", CORD_DIFFERENT},
        {"0.5", "1/2", CORD_DIFFERENT},      {"", "", CORD_UNDECIDED},          {"a", " ", CORD_UNDECIDED},
        {"\\boxed{1}", "1", CORD_DIFFERENT},
    };
    const struct grader text = {.settings = {.by = GRADER_TEXT}}, math = {.settings = {.by = GRADER_MATH}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct grade_request request = {.gold = text_of(cases[i].gold), .answer = text_of(cases[i].answer)};
        assert_answer(&text, &request, cases[i].verdict, "");
        cord_text gold = request.gold;
        request.gold = request.answer, request.answer = gold;
        assert_answer(&text, &request, cases[i].verdict, "");
    }
    struct grade_request request = {.gold = TEXT("1/2"), .answer = TEXT("0.5")};
    assert_answer(&math, &request, CORD_EQUAL, "");
}

/* Replies without a final answer: a program or a judge can make something of them, numbers and texts cannot. */
static void whole_replies_are_for_those_who_can_read_them(void **state) {
    (void)state;
    const struct grader math = {.settings = {.by = GRADER_MATH}}, text = {.settings = {.by = GRADER_TEXT}},
                        command = {.settings = {.by = GRADER_COMMAND}}, judge = {.settings = {.by = GRADER_JUDGE}};
    cord_text boxed = TEXT("<think>a</think> \\boxed{7}"), open = TEXT("<think>a</think>\n It helps. \n"), answer;
    cord_found found;
    assert_true(grader_find_answer(&command, boxed, false, &answer, &found));
    assert_text(answer, "7");
    assert_int_equal(found, CORD_FOUND_BOX);
    assert_false(grader_find_answer(&math, open, false, &answer, NULL));
    assert_false(grader_find_answer(&text, open, false, &answer, NULL));
    assert_true(grader_find_answer(&command, open, false, &answer, &found));
    assert_text(answer, "It helps.");
    assert_int_equal(found, CORD_FOUND_NOTHING);
    assert_true(grader_find_answer(&judge, open, false, &answer, NULL));
    assert_false(grader_find_answer(&judge, TEXT("<think>a</think> "), false, &answer, NULL));
    assert_false(grader_find_answer(&judge, TEXT("<think>It is \\boxed{7}, no, wait"), false, &answer, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_and_reasons_are_the_programs),
        cmocka_unit_test(a_reason_may_be_left_out_and_is_cut_where_long),
        cmocka_unit_test(large_questions_arrive),
        cmocka_unit_test(each_thread_gets_its_own_answers),
        cmocka_unit_test(a_program_that_dies_after_its_answer_is_started_again),
        cmocka_unit_test(a_program_that_is_late_is_killed),
        cmocka_unit_test(a_program_that_ends_is_told_with_its_status),
        cmocka_unit_test(nonsense_is_told),
        cmocka_unit_test(stray_lines_are_noticed),
        cmocka_unit_test(grandchildren_are_killed),
        cmocka_unit_test(closing_lets_it_end_by_itself_and_kills_it_where_it_does_not),
        cmocka_unit_test(waiting_ends_when_all_is_stopped),
        cmocka_unit_test(a_program_that_is_not_there_is_an_error_at_once),
        cmocka_unit_test(standard_streams_may_be_closed),
        cmocka_unit_test(it_inherits_nothing_but_the_error_stream),
        cmocka_unit_test(texts_are_the_same_or_they_are_not),
        cmocka_unit_test(whole_replies_are_for_those_who_can_read_them),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_close);
}
