/* test_journal.c - what is told to a journal is what it gives back; and nothing that was told is lost by a kill, a
 * second writer, a full disk or a damaged file. */
#include "store/sample.h"

#include "store/database.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

struct fixture {
    char folder[64];
    struct journal *journal;
    struct arena arena;
    struct sample sample;
};

static int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    sample_folder(f.folder);
    arena_init(&f.arena);
    sample_build(&f.sample);
    sample_plant(&f.sample);
    assert_ok(journal_open(f.folder, JOURNAL_WRITE, &f.journal, err));
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    journal_close(f->journal);
    arena_release(&f->arena);
    sample_remove(f->folder);
    return 0;
}

/* ---- the same ------------------------------------------------------------------------------------------------ */

static void assert_bytes(cord_text a, cord_text b) {
    assert_int_equal(a.len, b.len);
    if (a.len) assert_memory_equal(a.data, b.data, a.len);
}

static void assert_number(double a, double b) { assert_true(a == b || (isnan(a) && isnan(b))); }

static void assert_same_step(const struct step *a, const struct step *b) {
    for (; a && b; a = a->previous, b = b->previous) {
        assert_bytes(a->text, b->text);
        assert_int_equal(a->round, b->round);
        assert_int_equal(a->teacher, b->teacher);
        assert_int_equal(a->cut, b->cut);
        assert_number(a->log_score, b->log_score);
        assert_true(!a->category == !b->category);
        if (a->category) assert_string_equal(a->category, b->category);
    }
    assert_true(!a && !b);
}

static void assert_same_trajectory(const struct trajectory *a, const struct trajectory *b) {
    assert_bytes(a->reasoning, b->reasoning);
    assert_same_step(a->last, b->last);
    assert_int_equal(a->n_steps, b->n_steps);
    assert_int_equal(a->tokens, b->tokens);
    assert_number(a->log_score, b->log_score);
    assert_int_equal(a->finish, b->finish);
    assert_int_equal(a->author, b->author);
    assert_int_equal(a->from, b->from);
    assert_int_equal(a->candidate, b->candidate);
    assert_int_equal(a->run, b->run);
    assert_int_equal(a->tree.above, b->tree.above);
    assert_int_equal(a->tree.visits, b->tree.visits);
    assert_true(a->tree.value == b->tree.value && a->tree.tried == b->tree.tried);
    assert_bytes(a->reply, b->reply);
}

static void assert_same_candidate(const struct candidate *a, const struct candidate *b) {
    assert_int_equal(a->parent, b->parent);
    assert_int_equal(a->teacher, b->teacher);
    assert_int_equal(a->sample, b->sample);
    assert_int_equal(a->run, b->run);
    assert_true(a->seed == b->seed && a->tie == b->tie);
    assert_bytes(a->step, b->step);
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->drop, b->drop);
    assert_true(!a->drop_why == !b->drop_why);
    if (a->drop_why) assert_string_equal(a->drop_why, b->drop_why);
    assert_int_equal(a->finishes_parent, b->finishes_parent);
    assert_bytes(a->reasoning, b->reasoning);
    assert_bytes(a->rollout, b->rollout);
    assert_true(!a->rollout.data == !b->rollout.data);
    assert_number(a->log_score, b->log_score);
    assert_int_equal(a->rank, b->rank);
    assert_int_equal(a->slot, b->slot);
    assert_int_equal(a->reasoning_tokens, b->reasoning_tokens);
    assert_int_equal(a->prompt_tokens, b->prompt_tokens);
    assert_int_equal(a->cached_tokens, b->cached_tokens);
    assert_int_equal(a->new_tokens, b->new_tokens);
    assert_int_equal(a->score_prompt_tokens, b->score_prompt_tokens);
    assert_int_equal(a->score_cached_tokens, b->score_cached_tokens);
    assert_true(a->propose_us == b->propose_us && a->score_us == b->score_us);
    assert_int_equal(a->n_parts, b->n_parts);
    assert_true(!a->parts == !b->parts);
    for (int i = 0; a->parts && b->parts && i < a->n_parts; i++) {
        assert_true(a->parts[i].from == b->parts[i].from && a->parts[i].to == b->parts[i].to);
        assert_true(!a->parts[i].category == !b->parts[i].category);
        if (a->parts[i].category) assert_string_equal(a->parts[i].category, b->parts[i].category);
    }
}

static void assert_same_round(const struct round *a, const struct round *b) {
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->n_candidates, b->n_candidates);
    for (int i = 0; i < a->n_candidates; i++) assert_same_candidate(&a->candidates[i], &b->candidates[i]);
    assert_int_equal(a->n_beam, b->n_beam);
    for (int i = 0; i < a->n_beam; i++) assert_same_trajectory(&a->beam[i], &b->beam[i]);
    assert_true(!a->note == !b->note);
    if (a->note) assert_string_equal(a->note, b->note);
}

static struct journal_problem *problems_of(struct fixture *f, struct journal *journal, int expected) {
    struct journal_problem *problems = NULL;
    int n = 0;
    assert_ok(journal_problems(journal, &f->arena, &problems, &n, err));
    assert_int_equal(n, expected);
    return problems;
}

static void assert_rounds(struct fixture *f, struct journal *journal, int64_t problem, int n) {
    struct round rounds[3];
    for (int i = 0; i < n; i++) {
        assert_ok(journal_read_round(journal, problem, i + 1, i ? rounds[i - 1].beam : NULL, i ? 2 : 0, &f->arena,
                                     &rounds[i], err));
        assert_same_round(&rounds[i], &f->sample.rounds[i]);
    }
}

/* ---- what is told is given back ------------------------------------------------------------------------------- */

static void test_facts_and_teachers(void **state) {
    struct fixture *f = *state;
    cord_text value;
    assert_ok(journal_get_fact(f->journal, "recipe", &f->arena, &value, err));
    assert_null(value.data);
    assert_ok(journal_put_fact(f->journal, "recipe", TEXT("a"), err));
    assert_ok(journal_put_fact(f->journal, "recipe", TEXT("b\0c"), err));
    assert_ok(journal_get_fact(f->journal, "recipe", &f->arena, &value, err));
    assert_bytes(value, TEXT("b\0c"));
    sample_problems(f->journal);
    const char *const *names;
    int n;
    assert_ok(journal_get_teachers(f->journal, &f->arena, &names, &n, err));
    assert_int_equal(n, 2);
    assert_string_equal(names[0], "strong");
    assert_string_equal(names[1], "small");
}

static void test_problems_keep_their_state(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    assert_ok(journal_failed(f->journal, 1, "prompt too long", err));
    sample_problems(f->journal);
    struct journal_problem *p = problems_of(f, f->journal, 4);
    assert_text(p[0].id, "p1");
    assert_text(p[0].question, "What is 2 + 3?");
    assert_text(p[1].gold, "7");
    assert_int_equal(p[0].status, PROBLEM_FAILED);
    assert_text(p[0].reason, "prompt too long");
    assert_int_equal(p[1].status, PROBLEM_OPEN);
    assert_null(p[1].reason.data);
    assert_int_equal(p[2].status, PROBLEM_FAILED);
    assert_text(p[2].reason, "not valid JSON");
    assert_bytes(p[2].row, TEXT("{broken \xFF"));
    assert_ok(journal_reopen(f->journal, p[0].key, err));
    assert_ok(journal_reopen(f->journal, p[2].key, err)); /* nothing to try again there */
    p = problems_of(f, f->journal, 4);
    assert_int_equal(p[0].status, PROBLEM_OPEN);
    assert_null(p[0].reason.data);
    assert_int_equal(p[2].status, PROBLEM_FAILED);
}

static void test_changed_problem_is_refused(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    struct problem changed = {.question = {TEXT("p1"), TEXT("What is 2 + 3?")},
                              .target = TEXT("5"),
                              .gold = TEXT("6"),
                              .row = TEXT("{}"),
                              .line = 1};
    struct problem_set set = {.problems = &changed, .n = 1};
    cord_error e = {0};
    assert_int_equal(journal_put_problems(f->journal, &set, &e), CORD_CHANGED);
    assert_non_null(strstr(e.where, "p1"));
    assert_text(problems_of(f, f->journal, 4)[0].gold, "5");
}

static void test_round_trip(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    int64_t key = problems_of(f, f->journal, 4)[0].key;
    sample_started(f->journal, key);
    struct search_state at;
    for (int i = 0; i < 3; i++) {
        assert_ok(journal_round(f->journal, key, &f->sample.rounds[i], err));
        assert_ok(journal_state(f->journal, &problems_of(f, f->journal, 4)[0], &f->arena, &at, err));
        assert_true(at.started && at.log_s0 == log(0.125));
        assert_text(at.contrast, "4");
        assert_int_equal(at.round, i + 1);
        assert_int_equal(at.n_beam, 2);
        for (int k = 0; k < 2; k++) assert_same_trajectory(&at.beam[k], &f->sample.beams[i][k]);
    }
    assert_rounds(f, f->journal, key, 3);
    int64_t whole; /* no trajectory is stored whole: that would be quadratic */
    assert_ok(query_int64(f->journal, err, &whole, -1, "SELECT count(*) FROM beam WHERE reasoning IS NOT NULL", ""));
    assert_int_equal(whole, 0);
    assert_ok(journal_state(f->journal, &problems_of(f, f->journal, 4)[1], &f->arena, &at, err));
    assert_true(!at.started && at.round == 0);
}

static void test_answers(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    sample_tell(f->journal, 1, &f->sample);
    const struct journal_problem *p = problems_of(f, f->journal, 4);
    assert_int_equal(p->status, PROBLEM_DONE);
    assert_int_equal(p->rounds, 3);
    struct answered expected[2], *got;
    sample_answers(&f->sample, expected);
    int n;
    assert_ok(journal_answers(f->journal, p, &f->arena, &got, &n, err));
    assert_int_equal(n, 2);
    for (int i = 0; i < n; i++) {
        assert_same_trajectory(&got[i].trajectory, &expected[i].trajectory);
        assert_bytes(got[i].reply, expected[i].reply);
        assert_bytes(got[i].answer, expected[i].answer);
        assert_int_equal(got[i].grade, expected[i].grade);
        assert_string_equal(got[i].why, expected[i].why);
        assert_int_equal(got[i].prompt_tokens, 9);
        assert_int_equal(got[i].cached_tokens, 8);
        assert_int_equal(got[i].new_tokens, 7);
        assert_int_equal(got[i].us, 6);
        assert_number(got[i].log_pp, expected[i].log_pp);
        assert_number(got[i].log_held_out, expected[i].log_held_out);
    }
    assert_text(p->contrast, "4");
    struct journal_totals one, all;
    assert_ok(journal_totals(f->journal, 1, &one, err));
    assert_ok(journal_totals(f->journal, 0, &all, err));
    assert_memory_equal(&one, &all, sizeof one);
    assert_int_equal(one.candidates, 8);
    assert_int_equal(one.dropped, 2);
    assert_int_equal(one.proposed_tokens, 80);
    assert_int_equal(one.score_prompt_tokens, 400);
    assert_int_equal(one.answer_tokens, 14);
    assert_true(one.score_us == INT64_C(40000000000));
    assert_ok(journal_totals(f->journal, 2, &one, err));
    assert_int_equal(one.candidates, 0);
}

/* A trajectory may be finished, and its text trimmed, after the last round that was told. */
/* A score of 0: its logarithm is minus infinity, which is a number, while no score is none. */
static void test_scores_of_nothing(void **state) {
    struct fixture *f = *state;
    struct sample *s = &f->sample;
    sample_problems(f->journal);
    s->candidates[2][0].log_score = s->steps[3].log_score = s->beams[2][0].log_score = -INFINITY;
    sample_tell(f->journal, 1, s);
    assert_rounds(f, f->journal, 1, 3);
    struct answered *got;
    int n;
    assert_ok(journal_answers(f->journal, problems_of(f, f->journal, 4), &f->arena, &got, &n, err));
    assert_true(got[0].trajectory.log_score == -INFINITY && got[0].trajectory.last->log_score == -INFINITY);
}

static void test_answer_that_was_trimmed(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    sample_started(f->journal, 1);
    for (int i = 0; i < 2; i++) assert_ok(journal_round(f->journal, 1, &f->sample.rounds[i], err));
    struct answered a = {.reply = TEXT(""), .answer = TEXT(""), .grade = GRADE_NO_ANSWER}, *got;
    a.trajectory = f->sample.beams[1][1];
    a.trajectory.reasoning = text_trim_end(a.trajectory.reasoning);
    a.trajectory.finish = FINISHED_BUDGET;
    assert_ok(journal_finished(f->journal, 1, &a, 1, err));
    int n;
    assert_ok(journal_answers(f->journal, problems_of(f, f->journal, 4), &f->arena, &got, &n, err));
    assert_int_equal(n, 1);
    assert_same_trajectory(&got->trajectory, &a.trajectory);
    assert_null(got->why);
}

/* Two trajectories of one beam may have the same text and another history. */
static void test_answers_of_equal_text(void **state) {
    struct fixture *f = *state;
    struct answered answers[2] = {{.reply = TEXT("a")}, {.reply = TEXT("b")}}, *got;
    sample_problems(f->journal);
    sample_started(f->journal, 1);
    f->sample.candidates[0][1].step = f->sample.steps[1].text = TEXT(" Add two");
    f->sample.candidates[0][1].reasoning = f->sample.beams[0][1].reasoning = TEXT(SAMPLE_ONE);
    assert_ok(journal_round(f->journal, 1, &f->sample.rounds[0], err));
    for (int i = 0; i < 2; i++) answers[i].trajectory = f->sample.beams[0][i];
    assert_ok(journal_finished(f->journal, 1, answers, 2, err));
    int n;
    assert_ok(journal_answers(f->journal, problems_of(f, f->journal, 4), &f->arena, &got, &n, err));
    for (int i = 0; i < 2; i++) assert_same_trajectory(&got[i].trajectory, &answers[i].trajectory);
}

#define MERGED "### Step 1. Add.\n\n### Step 2. Check."

/* An integration: a trace, a try that was refused, and a merged trace of two steps that came with its answer. */
static void test_what_begins_anew(void **state) {
    struct fixture *f = *state;
    static const struct step_part parts[] = {{11, 16, "progressive reasoning"}, {29, 36, NULL}};
    struct candidate one = sample_candidate(0, 0, 0, TEXT(" Add two"), TEXT(SAMPLE_ONE), 0.5);
    struct candidate no = sample_candidate(-1, 0, 1, TEXT("{}"), (cord_text){"", 0}, 0);
    struct candidate yes = sample_candidate(-1, 0, 1, TEXT("{all of it}"), TEXT(MERGED), 0.75);
    struct step step = {NULL, TEXT(" Add two"), 1, 0, false, log(0.5), NULL};
    struct step merged[] = {{NULL, TEXT(" Add."), 3, 1, false, (double)NAN, "progressive reasoning"},
                            {&merged[0], TEXT(" Check."), 3, 1, false, log(0.75), NULL}};
    struct trajectory first = {TEXT(SAMPLE_ONE), &step, 1, 11, log(0.5), FINISHED_CLOSED, 0, 0, 0, 0, {0}, {0}};
    struct trajectory stays = first;
    struct trajectory last = {TEXT(MERGED),       &merged[1], 2, 11, log(0.75), FINISHED_CLOSED, 1, -1, 0, 0,
                              TEXT("\\boxed{5}"), {0}};
    one.slot = yes.slot = 0;
    no.drop = DROP_FAILED;
    no.drop_why = "refused: it has no steps";
    yes.parts = parts;
    yes.n_parts = 2;
    yes.end = STEP_CLOSED;
    stays.candidate = -1;
    const struct round rounds[] = {
        {1, &one, 1, &first, 1, NULL}, {2, &no, 1, &stays, 1, NULL}, {3, &yes, 1, &last, 1, NULL}};
    sample_problems(f->journal);
    int64_t key = problems_of(f, f->journal, SAMPLE_PROBLEMS)[0].key;
    sample_started(f->journal, key);
    const struct trajectory *previous = NULL;
    for (int i = 0; i < 3; i++) {
        struct round got;
        struct search_state at;
        assert_ok(journal_round(f->journal, key, &rounds[i], err));
        assert_ok(journal_read_round(f->journal, key, i + 1, previous, 1, &f->arena, &got, err));
        assert_same_round(&got, &rounds[i]);
        previous = got.beam;
        struct journal_problem *p = problems_of(f, f->journal, SAMPLE_PROBLEMS);
        assert_ok(journal_state(f->journal, &p[0], &f->arena, &at, err));
        assert_same_trajectory(&at.beam[0], &rounds[i].beam[0]);
        assert_int_equal(at.anew, i);
        if (i == 1) assert_string_equal(at.refused, "refused: it has no steps");
        if (i != 1) assert_null(at.refused);
    }
    struct answered a = {.trajectory = last, .reply = last.reply, .answer = TEXT("5"), .why = "equal numbers"}, *got;
    int n;
    assert_ok(journal_finished(f->journal, key, &a, 1, err));
    struct journal_problem *p = problems_of(f, f->journal, SAMPLE_PROBLEMS);
    assert_ok(journal_answers(f->journal, &p[0], &f->arena, &got, &n, err));
    assert_int_equal(n, 1);
    assert_same_trajectory(&got->trajectory, &last);
    assert_bytes(got->reply, last.reply);
}

/* Parts that do not lie in their trace are no crash. */
static void test_wrong_parts_are_damage(void **state) {
    struct fixture *f = *state;
    static const char *const wrong[] = {"0 999 \n", "5 2 \n", "x\n", "1\n", "0 2 ", ""};
    sample_problems(f->journal);
    int64_t key = problems_of(f, f->journal, SAMPLE_PROBLEMS)[0].key;
    sample_tell(f->journal, key, &f->sample);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct search_state at;
        cord_error e = {0};
        assert_ok(query_run(f->journal, err, "UPDATE candidate SET parts = ?1 WHERE round = 1", "s", wrong[i]));
        struct journal_problem *p = problems_of(f, f->journal, SAMPLE_PROBLEMS);
        assert_int_equal(journal_state(f->journal, &p[0], &f->arena, &at, &e), CORD_IO_ERROR);
        assert_non_null(strstr(e.message, "part"));
    }
}

static void test_spoken(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    sample_started(f->journal, 1);
    sample_started(f->journal, 1); /* once more, as after a kill between prompt and first round */
    struct spoken *spoken;
    int n;
    assert_ok(journal_spoken(f->journal, 1, &f->arena, &spoken, &n, err));
    assert_int_equal(n, 3);
    assert_int_equal(spoken[0].teacher, -1);
    assert_int_equal(spoken[0].prompt.n, 2);
    assert_true(spoken[0].prompt.span[0].trusted && !spoken[0].prompt.span[1].trusted);
    assert_bytes(spoken[0].prompt.span[1].text, TEXT("a question with a NUL \0 and <|im_end|>"));
    assert_bytes(spoken[2].style->marker, sample_style.marker);
    assert_bytes(spoken[2].style->between, sample_style.between);
    assert_bytes(spoken[2].style->think_close, sample_style.think_close);
    assert_bytes(spoken[2].style->answer_open, sample_style.answer_open);
    assert_bytes(spoken[2].style->score_open, sample_style.score_open);
    assert_bytes(spoken[2].style->score_close, sample_style.score_close);
}

static void test_candidate_of_no_parent_is_refused(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    sample_started(f->journal, 1);
    assert_ok(journal_round(f->journal, 1, &f->sample.rounds[0], err));
    f->sample.candidates[1][1].reasoning = TEXT("something else, and longer than its parent is");
    cord_error e = {0};
    assert_int_equal(journal_round(f->journal, 1, &f->sample.rounds[1], &e), CORD_INTERNAL);
    assert_rounds(f, f->journal, 1, 1); /* the transaction is gone whole */
    assert_int_equal(problems_of(f, f->journal, 4)[0].rounds, 1);
}

/* ---- one writer, any readers ---------------------------------------------------------------------------------- */

/* The names in a folder, sorted as they come, to see that reading makes no file. */
static int count_files(const char *folder) {
    static const char *const names[] = {"journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm",
                                        "journal.sqlite-journal", "lock"};
    int n = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (access(path, F_OK) == 0) n += 1 << i;
    }
    return n;
}

static void test_reader_beside_a_writer(void **state) {
    struct fixture *f = *state;
    struct journal *reader;
    sample_problems(f->journal);
    sample_started(f->journal, 1);
    int files = count_files(f->folder);
    assert_int_equal(files, 1 + 2 + 4 + 16); /* WAL, on this file system */
    assert_ok(journal_open(f->folder, JOURNAL_READ, &reader, err));
    for (int i = 0; i < 3; i++) {
        assert_ok(journal_round(f->journal, 1, &f->sample.rounds[i], err));
        assert_rounds(f, reader, 1, i + 1);
    }
    cord_error e = {0};
    assert_int_equal(journal_put_fact(reader, "a", TEXT("b"), &e), CORD_INTERNAL);
    journal_close(reader);
    assert_int_equal(count_files(f->folder), files);
}

static void test_reading_leaves_no_trace(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    sample_tell(f->journal, 1, &f->sample);
    journal_close(f->journal);
    f->journal = NULL;
    assert_int_equal(count_files(f->folder), 1 + 16); /* one file, and the lock's */
    struct journal *reader;
    assert_ok(journal_open(f->folder, JOURNAL_READ, &reader, err));
    assert_rounds(f, reader, 1, 3);
    assert_int_equal(count_files(f->folder), 1 + 16);
    journal_close(reader);
    assert_int_equal(count_files(f->folder), 1 + 16);
}

/* Half of a folder, copied while its run was going on: refused, and not mended by making the missing file. */
static void test_incomplete_folder_is_refused(void **state) {
    struct fixture *f = *state;
    char command[400], folder[80];
    struct journal *reader;
    cord_error e = {0};
    sample_problems(f->journal);
    snprintf(folder, sizeof folder, "%s/copy", f->folder);
    snprintf(command, sizeof command, "mkdir %s && cp %s/journal.sqlite %s/journal.sqlite-wal %s", folder, f->folder,
             f->folder, folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(journal_open(folder, JOURNAL_READ, &reader, &e), CORD_IO_ERROR);
    assert_non_null(strstr(e.message, "must be complete"));
    assert_int_equal(count_files(folder), 1 + 2);
}

static void test_odd_folder_names(void **state) {
    struct fixture *f = *state;
    char folder[128];
    snprintf(folder, sizeof folder, "%s/new/100%% sure?#1 é", f->folder);
    struct journal *odd;
    for (int i = 0; i < 2; i++) {
        assert_ok(journal_open(folder, i ? JOURNAL_READ : JOURNAL_WRITE, &odd, err));
        if (!i) assert_ok(journal_put_fact(odd, "a", TEXT("b"), err));
        cord_text value;
        assert_ok(journal_get_fact(odd, "a", &f->arena, &value, err));
        assert_text(value, "b");
        journal_close(odd);
    }
}

static void test_second_writer_is_refused(void **state) {
    struct fixture *f = *state;
    struct journal *second;
    cord_error e = {0};
    char pid[32];
    assert_int_equal(journal_open(f->folder, JOURNAL_WRITE, &second, &e), CORD_BUSY);
    snprintf(pid, sizeof pid, "process %ld ", (long)getpid());
    assert_non_null(strstr(e.message, pid));
    pid_t child = fork();
    if (child == 0) _exit(journal_open(f->folder, JOURNAL_WRITE, &second, NULL) == CORD_BUSY ? 0 : 1);
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    journal_close(f->journal);
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &f->journal, err));
}

/* ---- kills --------------------------------------------------------------------------------------------------- */

/* In the child: facts 1, 2, 3… and each number down the pipe once it is told; until killed. */
static void write_until_killed(const char *folder, int pipe_end) {
    struct journal *journal;
    if (journal_open(folder, JOURNAL_WRITE, &journal, NULL) != CORD_OK) _exit(1);
    for (int i = 1;; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        if (journal_put_fact(journal, number, TEXT("told"), NULL) != CORD_OK) _exit(2);
        if (write(pipe_end, &i, sizeof i) != sizeof i) _exit(3);
    }
}

static void test_kill_loses_nothing_that_was_told(void **state) {
    struct fixture *f = *state;
    journal_close(f->journal);
    f->journal = NULL;
    int told = 0, fds[2];
    for (int kill_no = 0; kill_no < 5; kill_no++) {
        assert_int_equal(pipe(fds), 0);
        pid_t child = fork();
        if (child == 0) write_until_killed(f->folder, fds[1]);
        close(fds[1]);
        int last = 0;
        for (int i = 0; i < 3; i++) assert_int_equal(read(fds[0], &last, sizeof last), sizeof last);
        usleep(3000 + 7001 * (unsigned)kill_no); /* somewhere in a transaction */
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        while (read(fds[0], &last, sizeof last) == sizeof last) {}
        close(fds[0]);
        told = last > told ? last : told;

        /* a reader first, with the log as the dead left it; then a writer, which takes over the lock */
        int files = count_files(f->folder);
        for (int mode = JOURNAL_READ; mode <= JOURNAL_WRITE; mode++) {
            struct journal *journal;
            assert_ok(journal_open(f->folder, (enum journal_mode)mode, &journal, err));
            for (int i = 1; i <= told; i++) {
                char number[16];
                cord_text value;
                snprintf(number, sizeof number, "%d", i);
                assert_ok(journal_get_fact(journal, number, &f->arena, &value, err));
                assert_text(value, "told");
            }
            if (mode == JOURNAL_READ) assert_int_equal(count_files(f->folder), files);
            journal_close(journal);
        }
    }
}

/* ---- disks --------------------------------------------------------------------------------------------------- */

static void test_full_disk(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    sample_started(f->journal, 1);
    assert_ok(journal_round(f->journal, 1, &f->sample.rounds[0], err));
    int64_t pages;
    assert_ok(query_int64(f->journal, err, &pages, 0, "PRAGMA page_count", ""));
    char pragma[64];
    snprintf(pragma, sizeof pragma, "PRAGMA max_page_count = %lld", (long long)pages + 2);
    assert_int_equal(sqlite3_exec(f->journal->db, pragma, NULL, NULL, NULL), SQLITE_OK);
    struct buf big;
    buf_init(&big, "a step", 1 << 20);
    for (int i = 0; i < 100000; i++) buf_addc(&big, 'x');
    struct candidate candidates[] = {f->sample.candidates[1][0], f->sample.candidates[1][1]};
    candidates[0].step = buf_text(&big);
    struct round round = f->sample.rounds[1];
    round.candidates = candidates;
    cord_error e = {0};
    assert_int_equal(journal_round(f->journal, 1, &round, &e), CORD_IO_ERROR);
    assert_non_null(strstr(e.message, "disk is full"));
    assert_non_null(strstr(e.where, "journal.sqlite"));
    assert_rounds(f, f->journal, 1, 1);
    /* there is room again */
    assert_int_equal(sqlite3_exec(f->journal->db, "PRAGMA max_page_count = 1000000", NULL, NULL, NULL), SQLITE_OK);
    assert_ok(journal_round(f->journal, 1, &f->sample.rounds[1], err));
    assert_rounds(f, f->journal, 1, 2);
    buf_release(&big);
}

/* As a user who may not write; root may always, so the child becomes nobody. Exits with the number of what went
 * wrong. */
static int open_as_nobody(const char *folder) {
    struct journal *journal;
    cord_error e = {0};
    if (geteuid() == 0 && setuid(65534) != 0) return 1;
    if (journal_open(folder, JOURNAL_WRITE, &journal, &e) != CORD_IO_ERROR) return 2;
    if (!strstr(e.message, "ermission")) return 3;
    if (journal_open(folder, JOURNAL_READ, &journal, &e) != CORD_OK) return 4;
    struct arena arena;
    arena_init(&arena);
    struct journal_problem *problems;
    int n = 0;
    if (journal_problems(journal, &arena, &problems, &n, &e) != CORD_OK || n != 4) return 5;
    arena_release(&arena);
    journal_close(journal);
    return 0;
}

static void test_read_only_folder(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    journal_close(f->journal);
    f->journal = NULL;
    assert_int_equal(chmod(f->folder, 0555), 0);
    pid_t child = fork();
    if (child == 0) _exit(open_as_nobody(f->folder));
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(chmod(f->folder, 0755), 0);
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_unsafe_file_systems(void **state) {
    (void)state;
    assert_false(database_wal_is_safe(0x6969)); /* the numbers are from statfs(2) */
    assert_false(database_wal_is_safe(0xff534d42));
    assert_false(database_wal_is_safe(0x65735546));
    assert_false(database_wal_is_safe(0x01021997));
    assert_false(
        database_wal_is_safe((unsigned long)(long)(int)0xff534d42)); /* where f_type is a signed 32-bit number */
    assert_true(database_wal_is_safe(0xef53));                       /* ext4 */
    assert_true(database_wal_is_safe(0x01021994));                   /* tmpfs, one digit from 9p */
    assert_true(database_wal_is_safe(0x794c7630));                   /* overlayfs */
}

static void assert_journal_mode(struct journal *journal, struct arena *arena, const char *expected) {
    struct rows r;
    rows_open(&r, journal, arena, NULL, "PRAGMA journal_mode", "");
    assert_true(rows_next(&r));
    assert_text(row_text(&r), expected);
    assert_int_equal(rows_end(&r), CORD_OK);
}

/* On NFS and its like: a rollback journal, no shared memory, readers beside the writer, and nothing lost by a kill. */
static void test_no_wal_where_it_is_unsafe(void **state) {
    enum { NFS = 0x6969 };
    struct fixture *f = *state;
    assert_journal_mode(f->journal, &f->arena, "wal"); /* /tmp is not one of them */
    journal_close(f->journal);
    f->journal = NULL;
    pid_t child = fork();
    if (child == 0) {
        struct journal *journal;
        assert_ok(database_open(f->folder, JOURNAL_WRITE, NFS, &journal, err));
        sample_problems(journal);
        sample_tell(journal, 1, &f->sample);
        raise(SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(count_files(f->folder), 1 + 16); /* the journal, and the lock's */
    assert_ok(database_open(f->folder, JOURNAL_WRITE, NFS, &f->journal, err));
    assert_journal_mode(f->journal, &f->arena, "delete");
    sample_tell(f->journal, 2, &f->sample);
    struct journal *reader;
    assert_ok(journal_open(f->folder, JOURNAL_READ, &reader, err));
    assert_int_equal(problems_of(f, reader, 4)[1].status, PROBLEM_DONE);
    assert_rounds(f, reader, 1, 3);
    journal_close(reader);
    assert_int_equal(count_files(f->folder), 1 + 16);
}

/* A run that was killed where WAL is safe, and whose folder was moved to where it is not. */
static void test_wal_that_was_moved(void **state) {
    struct fixture *f = *state;
    journal_close(f->journal);
    f->journal = NULL;
    pid_t child = fork();
    if (child == 0) {
        struct journal *journal;
        assert_ok(journal_open(f->folder, JOURNAL_WRITE, &journal, err));
        sample_problems(journal);
        sample_tell(journal, 1, &f->sample);
        raise(SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    char path[128];
    snprintf(path, sizeof path, "%s/journal.sqlite-wal", f->folder);
    assert_int_equal(access(path, F_OK), 0);
    char shared[128]; /* no shared memory is used, so that it does no harm that there can be none */
    snprintf(shared, sizeof shared, "%s/journal.sqlite-shm", f->folder);
    assert_int_equal(unlink(shared), 0);
    assert_int_equal(mkdir(shared, 0777), 0);
    assert_ok(database_open(f->folder, JOURNAL_WRITE, 0x6969, &f->journal, err));
    assert_journal_mode(f->journal, &f->arena, "delete");
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(problems_of(f, f->journal, 4)[0].status, PROBLEM_DONE);
    assert_rounds(f, f->journal, 1, 3);
}

static void test_fresh_takes_the_place_of_what_was_there(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    assert_int_equal(journal_open(f->folder, JOURNAL_FRESH, &(struct journal *){NULL}, NULL), CORD_BUSY);
    problems_of(f, f->journal, 4);
    journal_close(f->journal);
    assert_ok(journal_open(f->folder, JOURNAL_FRESH, &f->journal, err));
    problems_of(f, f->journal, 0);
    sample_problems(f->journal);
}

/* ---- files that are not journals ------------------------------------------------------------------------------ */

static void write_journal_file(struct fixture *f, cord_text content) {
    char path[128];
    journal_close(f->journal);
    f->journal = NULL;
    snprintf(path, sizeof path, "%s/journal.sqlite", f->folder);
    assert_ok(file_write_atomic(path, content, err));
}

static void assert_refused(struct fixture *f, const char *words) {
    for (int mode = JOURNAL_READ; mode <= JOURNAL_WRITE; mode++) {
        struct journal *journal = NULL;
        cord_error e = {0};
        assert_int_not_equal(journal_open(f->folder, (enum journal_mode)mode, &journal, &e), CORD_OK);
        if (!strstr(e.message, words)) fail_msg("'%s' does not say '%s'", e.message, words);
    }
}

static void test_garbage_is_refused(void **state) {
    struct fixture *f = *state;
    char garbage[4096];
    memset(garbage, 'x', sizeof garbage);
    write_journal_file(f, (cord_text){garbage, sizeof garbage});
    assert_refused(f, "not a journal of cord");
}

static void test_foreign_database_is_refused(void **state) {
    struct fixture *f = *state;
    write_journal_file(f, (cord_text){"", 0});
    char path[128];
    snprintf(path, sizeof path, "%s/journal.sqlite", f->folder);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE cats (name)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_refused(f, "not made by cord");
}

static void test_other_schema_is_refused(void **state) {
    struct fixture *f = *state;
    assert_int_equal(sqlite3_exec(f->journal->db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    journal_close(f->journal);
    f->journal = NULL;
    assert_refused(f, "schema 99");
}

static void test_nothing_there(void **state) {
    struct fixture *f = *state;
    char folder[128];
    struct journal *journal;
    cord_error e = {0};
    snprintf(folder, sizeof folder, "%s/missing", f->folder);
    assert_int_equal(journal_open(folder, JOURNAL_READ, &journal, &e), CORD_IO_ERROR);
    assert_non_null(strstr(e.message, "No such file"));
    assert_int_not_equal(access(folder, F_OK), 0);
    assert_int_equal(mkdir(folder, 0755), 0);
    assert_int_equal(journal_open(folder, JOURNAL_READ, &journal, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.message, "not a run folder"));
    assert_int_equal(rmdir(folder), 0); /* still empty */
}

/* Every edit that breaks a trajectory is noticed: the text no longer has its checksum, or comes from nowhere. */
static void test_damage_is_noticed(void **state) {
    static const char *const damages[] = {
        "UPDATE candidate SET added = added || 'x' WHERE round = 1 AND number = 1",
        "UPDATE candidate SET step = step || 'x', added = NULL WHERE round = 2 AND number = 1",
        "UPDATE beam SET origin = 7 WHERE round = 2",
        "UPDATE beam SET checksum = checksum + 1 WHERE round = 3 AND slot = 1",
        "UPDATE beam SET finish = 77 WHERE round = 3",
    };
    struct fixture *f = *state;
    sample_problems(f->journal);
    sample_tell(f->journal, 1, &f->sample);
    struct journal_problem *p = problems_of(f, f->journal, 4);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct answered *answers;
        int n;
        cord_error e = {0};
        assert_int_equal(sqlite3_exec(f->journal->db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_exec(f->journal->db, damages[i], NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(journal_answers(f->journal, p, &f->arena, &answers, &n, &e), CORD_IO_ERROR);
        assert_non_null(strstr(e.message, "damaged"));
        assert_int_equal(sqlite3_exec(f->journal->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        assert_ok(journal_answers(f->journal, p, &f->arena, &answers, &n, err));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_facts_and_teachers),
        TEST(test_problems_keep_their_state),
        TEST(test_changed_problem_is_refused),
        TEST(test_round_trip),
        TEST(test_answers),
        TEST(test_scores_of_nothing),
        TEST(test_answer_that_was_trimmed),
        TEST(test_answers_of_equal_text),
        TEST(test_what_begins_anew),
        TEST(test_wrong_parts_are_damage),
        TEST(test_spoken),
        TEST(test_candidate_of_no_parent_is_refused),
        TEST(test_reader_beside_a_writer),
        TEST(test_reading_leaves_no_trace),
        TEST(test_incomplete_folder_is_refused),
        TEST(test_odd_folder_names),
        TEST(test_second_writer_is_refused),
        TEST(test_kill_loses_nothing_that_was_told),
        TEST(test_full_disk),
        TEST(test_read_only_folder),
        TEST(test_unsafe_file_systems),
        TEST(test_no_wal_where_it_is_unsafe),
        TEST(test_wal_that_was_moved),
        TEST(test_fresh_takes_the_place_of_what_was_there),
        TEST(test_garbage_is_refused),
        TEST(test_foreign_database_is_refused),
        TEST(test_other_schema_is_refused),
        TEST(test_nothing_there),
        TEST(test_damage_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
