/* test_show.c - `cord show` and `cord export` as programs: what they print of a run made by hand, on a pipe and on a
 * terminal, and how they end. */
#include "store/sample.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <utmp.h>

struct fixture {
    char folder[64];
    char output[1 << 16]; /* of the last command, standard output and error */
    size_t len;
    struct sample sample;
};

static int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    struct journal *journal;
    scratch_folder(f.folder);
    sample_build(&f.sample);
    for (int r = 0; r < 3; r++) { /* one run: what competes here is told beside each other */
        for (int i = 0; i < 4; i++) f.sample.candidates[r][i].run = 0;
        for (int i = 0; i < 2; i++) f.sample.beams[r][i].run = 0;
    }
    assert_ok(journal_open(f.folder, JOURNAL_WRITE, &journal, err));
    sample_problems(journal);
    sample_tell(journal, 1, &f.sample);
    journal_close(journal);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    scratch_remove(f->folder);
    return 0;
}

/* Runs cord with arguments as a shell writes them; $RUN is the run folder. Returns its exit status. */
static int cord(struct fixture *f, const char *arguments) {
    char command[1000];
    snprintf(command, sizeof command, "RUN=%s; { '%s' %s; } 2>&1", f->folder, CORD_BINARY, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    f->len = fread(f->output, 1, sizeof f->output - 1, pipe);
    f->output[f->len] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs cord with a reader of its output that has left. */
static int unread(struct fixture *f, char *const argv[]) {
    int output[2], complaints[2];
    assert_int_equal(pipe(output), 0);
    assert_int_equal(pipe(complaints), 0);
    close(output[0]);
    pid_t child = fork();
    if (child == 0) {
        dup2(output[1], STDOUT_FILENO);
        dup2(complaints[1], STDERR_FILENO);
        close(complaints[0]);
        execv(CORD_BINARY, argv);
        _exit(127);
    }
    close(output[1]);
    close(complaints[1]);
    ssize_t n = read(complaints[0], f->output, sizeof f->output - 1);
    f->output[f->len = n > 0 ? (size_t)n : 0] = '\0';
    close(complaints[0]);
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_says(struct fixture *f, const char *words) {
    if (!strstr(f->output, words)) fail_msg("this does not say '%s':\n%s", words, f->output);
}

static void assert_bytes(struct fixture *f, cord_text expected) {
    if (f->len != expected.len || memcmp(f->output, expected.data, expected.len) != 0) fail_msg("got:\n%s", f->output);
}

/* ---- views ----------------------------------------------------------------------------------------------------- */

static void test_run(void **state) {
    struct fixture *f = *state;
    assert_int_equal(cord(f, "show $RUN"), 0);
    assert_says(f, "   1  p1                  wrong       0.8750  0.1250       3  6\n");
    assert_says(f, "   2  p2                  open             -       -       0\n");
    assert_says(f, "   3                      failed           -       -       0  not valid JSON\n");
    assert_says(f, "1 of 4 done: 0 correct, 1 wrong, 0 no answer, 0 undecided; 1 failed, 2 to do\n");
    assert_says(f, "candidates: 8, 2 of them dropped; tokens proposed: 92, of answers: 14, judged: 24\n");
}

static void test_problem(void **state) {
    struct fixture *f = *state;
    assert_int_equal(cord(f, "show $RUN p1"), 0);
    assert_says(f, "Problem 1 of 4: p1 (done)\n  What is 2 + 3?\n");
    assert_says(
        f, "\nRound 1\n  +  0 <- 0  strong            0.5000\n      Add two\n  *  1 <- 0  small             0.2500\n");
    assert_says(f, "  x  - <- 0  small                  -  dropped: the same as a sibling\n");
    assert_says(f, "  x  - <- 0  strong                 -  dropped: the model's context is full\n");
    assert_says(f,
                "\nRound 2\n  +  0 <- 0  small             0.5000  closes: finishes its parent\n  *  1 <- 1  strong ");
    /* what a terminal would obey is shown, not sent */
    assert_says(
        f,
        "\nRound 3\n  the last round\n  *  0 <- 1  small             0.8750  ends its turn\n      five\\x00\\x1b[31m");
    assert_says(
        f, "  +  1 <- 0                    0.5000  stays: finished (closed)\n     - <- 1  strong            0.0625\n");
    assert_says(f, "  *  0  wrong      0.8750  6             by small, 2 steps, turn ended, held out 0.7500\n");
    assert_says(f, "  against 4\n");
    char *by_id = strdup(f->output);
    assert_int_equal(cord(f, "show $RUN 1"), 0);
    assert_string_equal(f->output, by_id);
    free(by_id);
    assert_int_equal(cord(f, "show $RUN 3"), 0);
    assert_says(f, "Problem 3 of 4 (failed)\n  not valid JSON\n");
    assert_int_equal(cord(f, "show $RUN 4"), 0);
    assert_says(f, "Problem 4 of 4: p4 (not done yet)\n");
}

static void test_why(void **state) {
    struct fixture *f = *state;
    assert_int_equal(cord(f, "show $RUN 1 --why 3"), 0);
    assert_says(f, "Step 3 of 3, round 3, by small\n");
    assert_says(f, "before         S 0.3750\n  after          S 0.8750 (+0.5000; +0.8473 in log S)\n"); /* ln(7/3) */
    assert_says(f, "rank           1; of 2 candidates 2 could be kept, 2 places\n");
    assert_says(f, "runner-up      a finished trajectory (slot 1), S 0.5000; margin +0.3750 in S, +0.5596 in log S\n");
    assert_says(f, "first rejected strong, S 0.0625; margin +0.8125 in S, +2.6391 in log S\n"); /* ln 14 */
    assert_says(f, "Not kept in this round\n     - <- 1  strong            0.0625\n      six\n");
    assert_null(strstr(f->output, "tie rule"));
    assert_int_equal(cord(f, "show $RUN 1 --why 1"), 0);
    assert_says(f, "before (S0)    S 0.1250\n");
    assert_says(f, "first          strong, S 0.5000; margin -0.2500 in S");
    assert_int_equal(cord(f, "show $RUN 1 --why 4"), 1);
    assert_says(f, "there is no step 4: the best trajectory has 3");
    assert_int_equal(cord(f, "show $RUN 4 --why 1"), 1);
    assert_says(f, "no round yet");
}

/* Scores that are no likelihoods of the answer have another name than S, and are not compared with S0; PP stands beside. */
static void test_other_scores(void **state) {
    struct fixture *f = *state;
    struct journal *journal;
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &journal, err));
    assert_ok(journal_put_fact(journal, "recipe", TEXT("search:\n  criterion: contrast\n"), err));
    assert_int_equal(cord(f, "show $RUN"), 0);
    assert_says(f, "   #  id                  grade       log ratio      PP      S0  rounds  answer\n");
    assert_says(f, "   1  p1                  wrong         -0.1335  0.8750  0.1250       3  6\n"); /* ln(7/8) */
    assert_says(f, "   2  p2                  open                -       -       -       0\n");
    assert_says(f, "mean log ratio -0.1335, PP 0.8750, without reasoning S0 0.1250\n");
    assert_int_equal(cord(f, "show $RUN 1"), 0);
    assert_says(f, "its parent's place, teacher, log ratio\n");
    assert_says(f, "  *  1 <- 0  small               -1.3863\n");
    assert_says(f, "by small, 2 steps, turn ended, PP 0.8750, held out 0.7500\n");
    assert_int_equal(cord(f, "show $RUN 1 --why 3"), 0);
    assert_says(f, "before         log ratio -0.9808\n  after          log ratio -0.1335 (+0.8473)\n");
    assert_says(f, "first rejected strong, log ratio -2.7726; margin +2.6391\n");
    assert_int_equal(cord(f, "show $RUN 1 --why 1"), 0);
    assert_says(f, "  after          log ratio -1.3863\n");
    assert_null(strstr(f->output, "S0"));
    assert_ok(journal_put_fact(journal, "recipe", TEXT("search:\n  criterion: judge\n"), err));
    assert_int_equal(cord(f, "show $RUN 1 --why 3"), 0);
    assert_says(f, "before         judge 0.3750\n  after          judge 0.8750 (+0.5000)\n");
    assert_ok(journal_put_fact(journal, "recipe", TEXT("search:\n  criterion: masked\n"), err));
    assert_int_equal(cord(f, "show $RUN 1 --why 1"), 0);
    assert_says(f, "before (S0)    S 0.1250\n");
    journal_close(journal);
}

/* Of `longest` they are counts. */
static void test_counts(void **state) {
    struct fixture *f = *state;
    struct journal *journal;
    struct sample *s = &f->sample;
    s->candidates[0][0].log_score = s->steps[0].log_score = s->beams[0][0].log_score = log(24);
    s->candidates[0][1].log_score = s->steps[1].log_score = s->beams[0][1].log_score = log(13);
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &journal, err));
    assert_ok(journal_put_fact(journal, "recipe", TEXT("search:\n  criterion: longest\n"), err));
    sample_started(journal, 2);
    assert_ok(journal_round(journal, 2, &s->rounds[0], err));
    journal_close(journal);
    assert_int_equal(cord(f, "show $RUN 2"), 0);
    assert_says(f, "  *  0 <- 0  strong                24\n");
    assert_int_equal(cord(f, "show $RUN 2 --why 1"), 0);
    assert_says(f, "  after          tokens 24\n");
    assert_says(f, "runner-up      small, tokens 13; margin +11\n");
}

static void test_tie(void **state) {
    struct fixture *f = *state;
    struct journal *journal;
    f->sample.candidates[0][1].log_score = f->sample.steps[1].log_score = f->sample.beams[0][1].log_score = log(0.5);
    f->sample.beams[0][0].finish = FINISHED_TURN;
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &journal, err));
    sample_started(journal, 2);
    assert_ok(journal_round(journal, 2, &f->sample.rounds[0], err));
    journal_close(journal);
    assert_int_equal(cord(f, "show $RUN 2 --why 1"), 0); /* unfinished: the leading trajectory's */
    assert_says(f, "runner-up      small, S 0.5000; margin +0.0000 in S, +0.0000 in log S\n");
    assert_says(f, "tie rule       equal scores: the seeded hash decided, not the score\n");
}

/* A finished trajectory that is pushed out of the beam has a rank that nobody in the round has. */
static void test_lost_place(void **state) {
    struct fixture *f = *state;
    struct journal *journal;
    f->sample.rounds[2].n_beam = 1;
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &journal, err));
    sample_started(journal, 2);
    for (int r = 0; r < 3; r++) assert_ok(journal_round(journal, 2, &f->sample.rounds[r], err));
    journal_close(journal);
    static const char lost[] = "     - <- 0  small             0.5000  finished (closed), and lost its place\n";
    assert_int_equal(cord(f, "show $RUN 2"), 0);
    assert_says(f, lost);
    assert_int_equal(cord(f, "show $RUN 2 --why 3"), 0);
    assert_says(f, "runner-up      a finished trajectory (slot 0 before), S 0.5000; margin +0.3750 in S");
    assert_says(f, "Not kept in this round\n     - <- 1  strong            0.0625\n      six\n");
    assert_says(f, lost);
    assert_null(strstr(f->output, "first rejected")); /* it is the runner-up */
}

/* All of a round worth nothing: no margin between them, and none that is no number. */
static void test_scores_of_nothing(void **state) {
    struct fixture *f = *state;
    struct journal *journal;
    struct sample *s = &f->sample;
    for (int i = 0; i < 2; i++)
        s->candidates[0][i].log_score = s->steps[i].log_score = s->beams[0][i].log_score = -INFINITY;
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &journal, err));
    sample_started(journal, 2);
    assert_ok(journal_round(journal, 2, &s->rounds[0], err));
    journal_close(journal);
    assert_int_equal(cord(f, "show $RUN 2"), 0);
    assert_says(f, "strong            0.0000\n");
    assert_int_equal(cord(f, "show $RUN 2 --why 1"), 0);
    assert_says(f, "margin +0.0000 in S, +0.0000 in log S\n");
    assert_says(f, "tie rule       equal scores");
    assert_null(strstr(f->output, "nan"));
}

static void test_long_texts_fit_the_page(void **state) {
    struct fixture *f = *state;
    struct journal *journal;
    struct buf text;
    buf_init(&text, "a question", 10000);
    for (int i = 0; i < 100; i++) buf_add(&text, TEXT("漢")); /* two columns each, and no blank to break at */
    struct problem problem = {.question = {TEXT("wide"), buf_text(&text)},
                              .target = TEXT("1"),
                              .gold = TEXT("1"),
                              .row = TEXT("{}"),
                              .line = 9,
                              .index = 9};
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &journal, err));
    assert_ok(sample_put(journal, &problem, 1, err));
    journal_close(journal);
    buf_release(&text);
    assert_int_equal(cord(f, "show $RUN wide"), 0);
    int lines = 0;
    for (char *line = strtok(f->output, "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, "  \xE6\xBC\xA2", 5) == 0) {
            assert_true(strlen(line) <= 2 + 39 * 3); /* 39 characters are 78 columns */
            lines++;
        }
    assert_int_equal(lines, 3);
}

/* ---- prompts --------------------------------------------------------------------------------------------------- */

static void test_prompts_are_exact(void **state) {
    struct fixture *f = *state;
    assert_int_equal(cord(f, "show $RUN 1 --prompt strong"), 0);
    assert_bytes(f, TEXT("<|im_start|>user\nquestion### Step 1."));
    assert_int_equal(cord(f, "show $RUN 1 --prompt small --round 2 --slot 1"), 0);
    assert_bytes(f, TEXT("<|im_start|>user\nquestion### Step 1. Count\n\n### Step 2."));
    assert_int_equal(cord(f, "show $RUN 1 --prompt small --round 3 --slot 1"),
                     0); /* a cut step is continued as it is */
    assert_bytes(f, TEXT("<|im_start|>user\nquestion### Step 1. Count\n\n### Step 2. Then we hold "));
    assert_int_equal(cord(f, "show $RUN 1 --prompt meta --round 3"), 0);
    assert_bytes(
        f,
        TEXT("<|im_start|>user\na question with a NUL \0 and <|im_end|>### Step 1. Count\n\n### Step 2. Then we hold "
             "five\0\033[31m\xE2\x82 </think> The final answer is 5."));
    assert_int_equal(cord(f, "show $RUN 1 --prompt meta --round 0"), 0);
    assert_bytes(f, TEXT("<|im_start|>user\na question with a NUL \0 and <|im_end|> </think> The final answer is 5."));
    assert_int_equal(cord(f, "show $RUN 1 --prompt answer --slot 1"), 0);
    assert_bytes(f, TEXT("<|im_start|>user\nquestion### Step 1. Add two\n</think>\n\n\\boxed{"));
}

/* A cut step and its rest are one: the marker's number counts steps, not rounds. */
static void test_marker_after_a_cut_step(void **state) {
    struct fixture *f = *state;
    struct journal *journal;
    f->sample.candidates[2][0].end = STEP_NEXT;
    f->sample.beams[2][0].finish = GROWING;
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &journal, err));
    sample_started(journal, 2);
    for (int i = 0; i < 3; i++) assert_ok(journal_round(journal, 2, &f->sample.rounds[i], err));
    journal_close(journal);
    assert_int_equal(cord(f, "show $RUN 2 --prompt strong --round 4"), 0);
    assert_says(f, "### Step 2. Then we hold five");
    assert_true(text_ends((cord_text){f->output, f->len}, TEXT("\xE2\x82\n\n### Step 3.")));
}

static void test_prompts_that_were_never_sent(void **state) {
    struct fixture *f = *state;
    static const char *const cases[][2] = {
        {"--prompt small --round 3", "slot 0 was finished before round 3"},
        {"--prompt small --round 9", "has 3 rounds"},
        {"--prompt small --slot 1", "1 places"},
        {"--prompt small --round 0", "from round 1 on"},
        {"--prompt answer --slot 2", "2 finished"},
        {"--prompt stong", "did you mean 'strong'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char arguments[100];
        snprintf(arguments, sizeof arguments, "show $RUN 1 %s", cases[i][0]);
        assert_int_equal(cord(f, arguments), 1);
        assert_says(f, cases[i][1]);
    }
    assert_int_equal(cord(f, "show $RUN 4 --prompt strong"), 1);
    assert_says(f, "nothing has been sent");
}

/* ---- a terminal ------------------------------------------------------------------------------------------------ */

/* Runs a command on a terminal of 60 columns; NO_COLOR as given. */
static void on_terminal(struct fixture *f, const char *no_colour, char *const argv[]) {
    struct winsize size = {.ws_row = 24, .ws_col = 60};
    int terminal, inside, status = 0;
    assert_int_equal(openpty(&terminal, &inside, NULL, NULL, &size), 0);
    assert_int_equal(fcntl(terminal, F_SETFL, O_NONBLOCK), 0);
    pid_t child = fork();
    if (child == 0) {
        close(terminal);
        login_tty(inside);
        setenv("TERM", "xterm", 1);
        setenv("NO_COLOR", no_colour, 1);
        execv(CORD_BINARY, argv);
        _exit(127);
    }
    /* What was written last may be lost when the last one closes the terminal: it stays open here until nothing more comes
     * from a command that has ended. */
    bool ended = false;
    for (f->len = 0; f->len < sizeof f->output - 1;) {
        ssize_t n = read(terminal, f->output + f->len, sizeof f->output - 1 - f->len);
        if (n > 0) {
            f->len += (size_t)n;
        } else {
            if (ended) break;
            ended = waitpid(child, &status, WNOHANG) == child;
            struct pollfd more = {terminal, POLLIN, 0};
            if (!ended) poll(&more, 1, 5);
        }
    }
    f->output[f->len] = '\0';
    close(inside);
    close(terminal);
    assert_int_equal(status, 0);
}

static void test_colour_is_ours_alone(void **state) {
    struct fixture *f = *state;
    char show[] = "show", one[] = "1", prompt[] = "--prompt", meta[] = "meta", round[] = "--round", three[] = "3";
    char *argv[] = {show, show, f->folder, one, NULL};
    on_terminal(f, "", argv);
    assert_says(f, "\033[1m");
    assert_says(f, "\\x1b[31m");
    assert_null(strstr(f->output, "\033[31mfive"));
    on_terminal(f, "1", argv);
    assert_null(strchr(f->output, '\033'));
    char *prompted[] = {show, show, f->folder, one, prompt, meta, round, three, NULL};
    on_terminal(f, "1", prompted);
    assert_null(strchr(f->output, '\033'));
    assert_says(f, "five\\x00\\x1b[31m");
}

/* ---- how it ends ----------------------------------------------------------------------------------------------- */

static void test_wrong_input(void **state) {
    struct fixture *f = *state;
    assert_int_equal(cord(f, "show $RUN/nowhere"), 1);
    assert_says(f, "nowhere: No such file or directory");
    char path[128];
    snprintf(path, sizeof path, "%s/nowhere", f->folder);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(cord(f, "show $RUN p9"), 1);
    assert_says(f, "there is no problem 'p9'");
    assert_int_equal(cord(f, "show $RUN 0"), 1);
    assert_int_equal(cord(f, "show $RUN --why 1"), 2);
    assert_int_equal(cord(f, "show $RUN 1 --slot 1"), 2);
    assert_int_equal(cord(f, "show"), 2);
    assert_int_equal(cord(f, "show $RUN >/dev/full"), 1);
    assert_string_equal(f->output, "cord: cannot write the output: No space left on device\n");
}

/* Nobody wrote in a selection, so that nobody can write on. */
static void test_selections_have_no_rollouts(void **state) {
    struct fixture *f = *state;
    struct journal *journal;
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &journal, err));
    assert_ok(journal_put_fact(journal, "recipe", TEXT("search:\n  strategy: selection\n"), err));
    journal_close(journal);
    assert_int_equal(cord(f, "audit $RUN"), 0);
    assert_int_equal(cord(f, "audit $RUN --rollouts 1"), 1);
    assert_says(f, "cord: --rollouts does not apply to a selection, whose traces were given: it has no teachers");
}

/* What is wrong with a file is said of that file, and of its line. */
static void test_templates_are_named(void **state) {
    struct fixture *f = *state;
    static const char export[] = "export $RUN -f text --template $RUN/bad.jinja";
    char path[128], place[200];
    snprintf(path, sizeof path, "%s/bad.jinja", f->folder);
    assert_ok(file_write_atomic(path, TEXT("one\n{{ 1 2 }}\n"), err));
    assert_int_equal(cord(f, export), 1);
    snprintf(place, sizeof place, "cord: %s:2: cannot read this chat template: ", path);
    assert_says(f, place);
    assert_says(f, "; mend it, or name another\n");
    assert_ok(file_write_atomic(path, TEXT("\n\n{{ raise_exception('no') }}"), err));
    assert_int_equal(cord(f, export), 1);
    snprintf(place, sizeof place, "cord: %s:3: cannot render this chat template: ", path);
    assert_says(f, place);
    assert_ok(file_write_atomic(path,
                                TEXT("{% for m in messages %}\n{% if '2 + 3' in m.content %}\n"
                                     "{{ raise_exception('no') }}{% endif %}{{ m.content }}{% endfor %}"),
                                err)); /* of some rows alone */
    assert_int_equal(cord(f, export), 1);
    assert_says(f, place);
    assert_says(f, "; mend it, or name another\n");
    unlink(path);
}

static void put_model(const char *folder, const char *serves, const char *hash) {
    struct journal *journal;
    assert_ok(journal_open(folder, JOURNAL_WRITE, &journal, err));
    assert_ok(journal_put_fact(journal, "model.big.serves", text_of(serves), err));
    assert_ok(journal_put_fact(journal, "model.big.sha256", text_of(hash), err));
    journal_close(journal);
}

/* Of servers' models the hash is of what serves them, whose version says nothing of the model; a file may be what a server has. */
static void test_models_are_told_apart(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *serves[2], *hash[2];
        bool other;
    } pairs[] = {
        {{"", ""}, {"a", "a"}, false},  {{"", ""}, {"a", "b"}, true},   {{"m", "m"}, {"a", "b"}, false},
        {{"m", "n"}, {"a", "b"}, true}, {{"m", "n"}, {"a", "a"}, true}, {{"m", ""}, {"a", "b"}, false},
    };
    char copy[sizeof f->folder + 8], command[300];
    snprintf(copy, sizeof copy, "%s.other", f->folder);
    snprintf(command, sizeof command, "cp -r '%s' '%s'", f->folder, copy);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        put_model(f->folder, pairs[i].serves[0], pairs[i].hash[0]);
        put_model(copy, pairs[i].serves[1], pairs[i].hash[1]);
        assert_int_equal(cord(f, "compare $RUN $RUN.other --format json"), 0);
        const char *told = strstr(f->output, "\"The model big of ");
        assert_int_equal(told != NULL, pairs[i].other);
        assert_true(!told || !strstr(told + 1, "\"The model big of "));
    }
    scratch_remove(copy);
}

/* cord show RUN 1 | head */
static void test_readers_may_leave(void **state) {
    struct fixture *f = *state;
    char show[] = "show", audit[] = "audit", compare[] = "compare", one[] = "1";
    char *const calls[][5] = {{show, show, f->folder, one}, {audit, audit, f->folder}, {compare, compare, f->folder}};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        assert_int_equal(unread(f, calls[i]), 0);
        assert_string_equal(f->output, "");
    }
}

static void test_export(void **state) {
    struct fixture *f = *state;
    static const char row[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"What is 2 + 3?\"},{\"role\":\"assistant\",\"content\":"
        "\"<think>\\n### Step 1. Add two\\n</think>\\n\\nSo \\\\boxed{5}\"}]}\n";
    static const char words[] =
        "1 row from 4 problems; rescued by a correct trajectory behind a better-scored one: 1; without a "
        "correct trajectory: 0; failed: 1; unfinished: 2\n";
    assert_int_equal(cord(f, "export $RUN --only-correct 2>/dev/null"), 3);
    assert_string_equal(f->output, row);
    assert_int_equal(cord(f, "export $RUN --only-correct -o $RUN/rows"), 3);
    assert_string_equal(f->output, words);
    assert_int_equal(cord(f, "export $RUN --min-score 0.9"), 1);
    assert_says(f, "below the score: 1");
    assert_int_equal(cord(f, "export $RUN --format prompt-complet"), 2);
    assert_says(f, "did you mean prompt-completion?");
    assert_int_equal(cord(f, "export $RUN --markers off"), 2);
    assert_int_equal(cord(f, "export $RUN -o $RUN/no/folder"), 1);
    assert_int_equal(cord(f, "export $RUN >/dev/full"), 1);
    char path[128];
    struct buf rows;
    snprintf(path, sizeof path, "%s/rows", f->folder);
    assert_ok(file_read(path, "rows", 10000, &rows, err));
    assert_text(buf_text(&rows), row);
    buf_release(&rows);

    /* the reply has 7 tokens: with that limit it was cut */
    static const char *const recipes[] = {"search:\n  answer_tokens: 8\n", "search:\n  answer_tokens: 7\n"};
    for (int i = 0; i < 2; i++) {
        struct journal *journal;
        assert_ok(journal_open(f->folder, JOURNAL_WRITE, &journal, err));
        assert_ok(journal_put_fact(journal, "recipe", text_of(recipes[i]), err));
        journal_close(journal);
        assert_int_equal(cord(f, "export $RUN --only-correct -o /dev/null"), 3);
        assert_int_equal(strstr(f->output, "1 of 1 rows were cut") != NULL, i);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* What another criterion has scored in place of the reasoning, and what it asks. */
static void test_prompts_of_criteria(void **state) {
    struct fixture *f = *state;
    static struct sample sample;
    struct journal *journal;
    char folder[64], kept[64];
    memcpy(kept, f->folder, sizeof kept);
    sample_build(&sample);
    sample.candidates[2][0].step = TEXT("5 apples");
    sample.candidates[2][0].reasoning = sample.beams[2][0].reasoning = TEXT(SAMPLE_CUT "5 apples");
    assert_ok(journal_open(scratch_folder(folder), JOURNAL_WRITE, &journal, err));
    sample_problems(journal);
    sample_tell(journal, 1, &sample);
    memcpy(f->folder, folder, sizeof folder);
    static const char question[] = "<|im_start|>user\na question with a NUL \0 and <|im_end|>";
    static const struct {
        const char *recipe, *arguments, *says;
    } cases[] = {
        {"search:\n  criterion: masked\n", "meta --round 3", SAMPLE_CUT "___ apples </think> The final answer is 5."},
        {"search:\n  criterion: predictive-perplexity\n", "meta --round 3",
         SAMPLE_CUT "5 apples </think> The final answer is 5."},
        /* one that ended its turn, one that grows, one that was finished as it stood and carried over */
        {"search:\n  criterion: judge\njudgment:\n  sentence: \"Now!\"\n", "judge --round 3",
         SAMPLE_CUT "5 apples </think> The final answer is:"},
        {"search:\n  criterion: judge\njudgment:\n  sentence: \"Now!\"\n", "judge --round 1 --slot 1",
         SAMPLE_TWO "\n\nNow! </think> The final answer is:"},
        {"search:\n  criterion: judge\njudgment:\n  sentence: \"Now!\"\n", "judge --round 3 --slot 1",
         SAMPLE_ONE "\n\nNow! </think> The final answer is:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char arguments[100], whole[400];
        size_t head = sizeof question - 1;
        assert_ok(journal_put_fact(journal, "recipe", text_of(cases[i].recipe), err));
        snprintf(arguments, sizeof arguments, "show $RUN 1 --prompt %s", cases[i].arguments);
        assert_int_equal(cord(f, arguments), 0);
        memcpy(whole, question, head);
        int more = snprintf(whole + head, sizeof whole - head, "%s", cases[i].says);
        assert_bytes(f, (cord_text){whole, head + (size_t)more});
    }
    assert_ok(journal_put_fact(journal, "recipe", TEXT("search:\n  criterion: random\n"), err));
    assert_int_equal(cord(f, "show $RUN 1 --prompt judge"), 1);
    assert_says(f, "this run has no judge: its search.criterion is random");
    assert_int_equal(cord(f, "show $RUN 1 --prompt meta"), 1);
    assert_says(f, "the meta-prover was not asked for scores: search.criterion is random; --round 0 shows");
    assert_int_equal(cord(f, "show $RUN 1 --prompt meta --round 0"), 0);
    assert_ok(journal_put_fact(journal, "recipe", TEXT("search:\n  strategy: selection\n"), err));
    assert_int_equal(cord(f, "show $RUN 1 --prompt strong"), 1);
    assert_says(f, "nothing was sent for 'strong': the traces and their answers were given (cord select)");
    assert_int_equal(cord(f, "show $RUN 1 --prompt answer"), 1);
    assert_says(f, "nothing was sent for 'answer'");
    assert_ok(journal_put_fact(journal, "recipe", TEXT("search:\n  criterion: contrast\n"), err));
    assert_int_equal(cord(f, "show $RUN 1 --prompt meta 2>&1 >/dev/null"), 0);
    assert_says(f, "with another answer in its place: 4\n");
    assert_int_equal(cord(f, "show $RUN 1 --prompt meta --round 0 2>&1 >/dev/null"), 0);
    assert_string_equal(f->output, "");
    journal_close(journal);
    memcpy(f->folder, kept, sizeof kept);
    scratch_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_run),
        TEST(test_problem),
        TEST(test_why),
        TEST(test_other_scores),
        TEST(test_counts),
        TEST(test_scores_of_nothing),
        TEST(test_tie),
        TEST(test_lost_place),
        TEST(test_long_texts_fit_the_page),
        TEST(test_prompts_are_exact),
        TEST(test_prompts_of_criteria),
        TEST(test_marker_after_a_cut_step),
        TEST(test_prompts_that_were_never_sent),
        TEST(test_colour_is_ours_alone),
        TEST(test_wrong_input),
        TEST(test_templates_are_named),
        TEST(test_models_are_told_apart),
        TEST(test_selections_have_no_rollouts),
        TEST(test_readers_may_leave),
        TEST(test_export),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
