/* test_journal.c - what is told to a journal is what it gives back. */
#include "store/journals.h"

#include <limits.h>

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

/* A reader sees all as it stood when the walk began, and does not keep the run from writing; afterwards it sees what was
 * written. */
static void test_walk_beside_a_run(void **state) {
    struct fixture *f = *state;
    struct journal *reader;
    struct journal_walk walk;
    struct journal_problem p;
    int n = 0;
    sample_problems(f->journal);
    assert_ok(journal_open(f->folder, JOURNAL_READ, &reader, err));
    journal_walk_begin(&walk, reader, NULL);
    assert_true(journal_walk_next(&walk, &p));
    assert_int_equal(p.status, PROBLEM_OPEN);
    assert_ok(journal_failed(f->journal, 2, "too long", err));
    assert_true(journal_walk_next(&walk, &p));
    assert_int_equal(p.status, PROBLEM_OPEN);
    assert_int_equal(journal_walk_end(&walk, CORD_OK), CORD_OK);
    journal_walk_begin(&walk, reader, NULL);
    while (journal_walk_next(&walk, &p) && n < 2) n++;
    assert_int_equal(p.index, 2);
    assert_int_equal(journal_walk_end(&walk, CORD_OK), CORD_OK);
    assert_int_equal(problems_of(f, reader, 4)[1].status, PROBLEM_FAILED);
    journal_close(reader);
}

/* By id before by number; a number counts from 1, bad rows too. */
static void test_problems_are_found(void **state) {
    struct fixture *f = *state;
    struct journal_problem p;
    bool found;
    int n;
    static const struct {
        const char *name;
        int index; /* -1: there is none */
    } cases[] = {{"p1", 0}, {"p2", 1},  {"2", 1}, {"3", 2},  {"4", 3},  {"5", -1},
                 {"0", -1}, {"-1", -1}, {"", -1}, {"p", -1}, {"2x", -1}};
    sample_problems(f->journal);
    assert_ok(journal_count(f->journal, &n, err));
    assert_int_equal(n, 4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(journal_find(f->journal, cases[i].name, &f->arena, &found, &p, err));
        assert_int_equal(found ? p.index : -1, cases[i].index);
    }
    assert_int_equal(sqlite3_exec(f->journal->db, "UPDATE problem SET id = '1' WHERE id = 'p2'", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_ok(journal_find(f->journal, "1", &f->arena, &found, &p, err));
    assert_int_equal(p.index, 1);
}

/* Lines come in the order in which they were added first; one that is part of another is a line of its own. */
static void test_lines_are_added_once(void **state) {
    struct fixture *f = *state;
    cord_text value;
    static const char *const lines[] = {"0.1.0 (abc)", "0.1.0 (abc)", "0.1.0", "0.2.0 (d)", "0.1.0 (abc)", "0.2.0 (d)"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_ok(journal_add_to_fact(f->journal, "made_by", text_of(lines[i]), err));
    assert_ok(journal_get_fact(f->journal, "made_by", &f->arena, &value, err));
    assert_text(value, "0.1.0 (abc)\n0.1.0\n0.2.0 (d)");
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
    assert_ok(journal_reopen(f->journal, err)); /* a bad row stays one */
    p = problems_of(f, f->journal, 4);
    assert_int_equal(p[0].status, PROBLEM_OPEN);
    assert_null(p[0].reason.data);
    assert_int_equal(p[2].status, PROBLEM_FAILED);
}

/* The next open one behind `index`, which is `next`; -1: none. */
static void assert_next(struct fixture *f, int index, int next, const char *id) {
    struct journal_problem p;
    bool found;
    assert_ok(journal_next_open(f->journal, index, &f->arena, &found, &p, err));
    assert_true(found == (id != NULL));
    if (!id) return;
    assert_text(p.id, id);
    assert_int_equal(p.index, next);
}

static void assert_progress(struct fixture *f, int wanted, int done, int failed, int bad, int begun) {
    struct journal_progress p;
    assert_ok(journal_progress(f->journal, &p, err));
    assert_int_equal(p.wanted, wanted);
    assert_int_equal(p.done, done);
    assert_int_equal(p.failed, failed);
    assert_int_equal(p.bad, bad);
    assert_int_equal(p.begun, begun);
}

/* What is wanted is the set that was put last, in its order; what else the journal has stays out of it. */
static void test_wanted_problems(void **state) {
    struct fixture *f = *state;
    struct problem set[SAMPLE_PROBLEMS], two[2];
    sample_set(set);
    sample_problems(f->journal);
    assert_progress(f, 4, 0, 1, 1, 0); /* the row that cannot be used has ended, without having begun */
    assert_next(f, -1, 0, "p1");
    assert_next(f, 0, 1, "p2");
    assert_next(f, 1, 3, "p4");
    assert_next(f, 3, -1, NULL);
    sample_started(f->journal, 1);
    assert_progress(f, 4, 0, 1, 1, 1);
    assert_ok(journal_failed(f->journal, 2, "too long", err));
    assert_progress(f, 4, 0, 2, 1, 2);
    assert_next(f, 0, 3, "p4");
    /* another order, and fewer of them */
    two[0] = set[3], two[1] = set[0];
    two[0].index = 0, two[1].index = 1;
    two[0].line = 1, two[1].line = 2;
    assert_ok(sample_put(f->journal, two, 2, err));
    assert_progress(f, 2, 0, 0, 0, 1);
    assert_next(f, -1, 0, "p4");
    assert_next(f, 0, 1, "p1");
    assert_next(f, 1, -1, NULL);
    struct journal_problem *p = problems_of(f, f->journal, 3);
    bool wanted[3];
    for (int i = 0; i < 3; i++) assert_ok(journal_wants(f->journal, &p[i], &wanted[i], err));
    assert_true(wanted[0] && wanted[1] && !wanted[2]);                         /* p4, p1, p2 */
    assert_ok(journal_reopen(f->journal, err));                                /* p2 is not wanted */
    assert_int_equal(problems_of(f, f->journal, 3)[2].status, PROBLEM_FAILED); /* nor is the bad row, which is gone */
    sample_problems(f->journal);
    assert_progress(f, 4, 0, 2, 1, 2);
    assert_ok(journal_reopen(f->journal, err));
    assert_progress(f, 4, 0, 1, 1, 1);
    assert_next(f, 0, 1, "p2");
    /* what could not be put changes nothing */
    set[0].gold = TEXT("6");
    assert_int_equal(sample_put(f->journal, set, 1, NULL), CORD_CHANGED);
    assert_progress(f, 4, 0, 1, 1, 1);
}

/* Steps that a beam took, of the first problems; what only ended its parent is no step, and a bad row no problem. */
static void test_what_was_kept_is_counted(void **state) {
    struct fixture *f = *state;
    static const struct {
        int problems, last;
        int64_t kept[2];
    } cases[] = {{1, 0, {2, 2}}, {2, 1, {4, 3}}, {3, 3, {4, 3}}, {4, INT_MAX, {4, 3}}};
    sample_problems(f->journal);
    sample_tell(f->journal, 1, &f->sample);
    sample_started(f->journal, 2);
    for (int i = 0; i < 2; i++) assert_ok(journal_round(f->journal, 2, &f->sample.rounds[i], err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t kept[2];
        int last;
        assert_ok(journal_nth_wanted(f->journal, cases[i].problems, &last, err));
        assert_ok(journal_count_kept(f->journal, last, kept, 2, err));
        assert_int_equal(last, cases[i].last);
        assert_memory_equal(kept, cases[i].kept, sizeof kept);
    }
}

/* A bad row that was mended, or has moved, is not there twice; what is done stays, wanted or not. */
static void test_bad_rows_that_are_mended(void **state) {
    struct fixture *f = *state;
    struct problem set[SAMPLE_PROBLEMS], moved[2];
    sample_set(set);
    sample_problems(f->journal);
    sample_tell(f->journal, 1, &f->sample);
    moved[0] = set[1], moved[1] = set[2]; /* a line was put above the bad row, and p1 was taken away */
    moved[0].index = 0, moved[1].index = 1, moved[1].line = 9;
    assert_ok(sample_put(f->journal, moved, 2, err));
    struct journal_problem *p = problems_of(f, f->journal, 4);
    assert_text(p[0].id, "p1");
    assert_int_equal(p[0].status, PROBLEM_DONE);
    assert_text(p[3].reason, "not valid JSON");
    assert_int_equal(p[3].index, 3); /* behind those of lines 1, 2 and 4 */
    assert_progress(f, 2, 0, 1, 1, 0);
    moved[1].bad = "as before, in line 8"; /* what it says of other rows may have changed */
    assert_ok(sample_put(f->journal, moved, 2, err));
    assert_text(problems_of(f, f->journal, 4)[3].reason, "as before, in line 8");
    set[2] = (struct problem){.question = {TEXT("p3"), TEXT("Mended")},
                              .target = TEXT("1"),
                              .gold = TEXT("1"),
                              .row = TEXT("{}"),
                              .line = 3,
                              .index = 2};
    assert_ok(sample_put(f->journal, set, SAMPLE_PROBLEMS, err));
    p = problems_of(f, f->journal, 4);
    assert_text(p[2].id, "p3");
    assert_int_equal(p[2].status, PROBLEM_OPEN);
    assert_progress(f, 4, 1, 0, 0, 1);
}

/* `problems.skip: 2` in the folder of a run that had the first two: the set counts anew, and the journal has each once. */
static void test_another_part_of_the_file(void **state) {
    struct fixture *f = *state;
    struct problem set[SAMPLE_PROBLEMS];
    sample_set(set);
    assert_ok(sample_put(f->journal, set, 2, err));
    for (int i = 2; i < SAMPLE_PROBLEMS; i++) set[i].index -= 2;
    for (int times = 0; times < 2; times++) {
        assert_ok(sample_put(f->journal, set + 2, SAMPLE_PROBLEMS - 2, err));
        struct journal_problem *p = problems_of(f, f->journal, 4);
        for (int i = 0; i < 4; i++) assert_int_equal(p[i].index, i);
        assert_text(p[0].id, "p1");
        assert_text(p[1].id, "p2");
        assert_text(p[3].id, "p4");
        assert_next(f, -1, 1, "p4");
        assert_progress(f, 2, 0, 1, 1, 0);
    }
    sample_problems(f->journal);
    assert_next(f, 1, 3, "p4");
}

static void assert_walk(struct fixture *f) {
    struct journal_problem *all = problems_of(f, f->journal, 4), p;
    struct journal_walk walk;
    int n = 0;
    assert_int_equal(all[0].rounds, 3);
    cord_error err = {0};
    journal_walk_begin(&walk, f->journal, &err);
    while (journal_walk_next(&walk, &p)) {
        assert_true(p.key == all[n].key && p.index == all[n].index && p.status == all[n].status);
        assert_true(p.rounds == all[n].rounds && p.started == all[n].started);
        assert_bytes(p.id, all[n].id);
        assert_bytes(p.row, all[n].row);
        assert_bytes(p.reason, all[n++].reason);
    }
    assert_int_equal(journal_walk_end(&walk, CORD_OK), CORD_OK);
    assert_int_equal(n, 4);
}

/* One by one they are what they are all at once. */
static void test_walk(void **state) {
    struct fixture *f = *state;
    struct journal_problem p;
    struct journal_walk walk;
    cord_error err = {0};
    journal_walk_begin(&walk, f->journal, &err);
    assert_false(journal_walk_next(&walk, &p));
    assert_int_equal(journal_walk_end(&walk, CORD_OK), CORD_OK);
    sample_problems(f->journal);
    sample_tell(f->journal, 1, &f->sample);
    assert_walk(f);
    journal_walk_begin(&walk, f->journal, &err);
    assert_true(journal_walk_next(&walk, &p));
    assert_int_equal(journal_walk_end(&walk, CORD_TOO_LONG), CORD_TOO_LONG);
}

static void test_changed_problem_is_refused(void **state) {
    struct fixture *f = *state;
    sample_problems(f->journal);
    struct problem changed = {.question = {TEXT("p1"), TEXT("What is 2 + 3?")},
                              .target = TEXT("5"),
                              .gold = TEXT("6"),
                              .row = TEXT("{}"),
                              .line = 1};
    cord_error e = {0};
    assert_int_equal(sample_put(f->journal, &changed, 1, &e), CORD_CHANGED);
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
    assert_int_equal(one.proposed_tokens, 8 * 10 + 5 + 7); /* the steps of 8 candidates, and two teachers' guesses */
    assert_int_equal(one.propose_prompt_tokens, 8 * 100 + 20 + 21);
    assert_int_equal(one.propose_cached_tokens, 8 * 90 + 2 * 4);
    assert_int_equal(one.score_prompt_tokens, 400);
    assert_true(one.judged_tokens == 8 * 3 && !one.not_apart);
    assert_int_equal(one.answer_tokens, 14);
    assert_ok(journal_totals_of(f->journal, PROBLEM_DONE, &all, err));
    assert_memory_equal(&one, &all, sizeof one);
    assert_ok(journal_totals_of(f->journal, PROBLEM_OPEN, &all, err));
    assert_int_equal(all.candidates + all.answer_tokens, 0);
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

/* One may have been trimmed to the text of the other. */
static void test_answers_that_were_made_equal(void **state) {
    struct fixture *f = *state;
    struct answered answers[2] = {{.reply = TEXT("a")}, {.reply = TEXT("b")}}, *got;
    sample_problems(f->journal);
    sample_started(f->journal, 1);
    f->sample.candidates[0][1].step = f->sample.steps[1].text = TEXT(" Add two\n\n");
    f->sample.candidates[0][1].reasoning = f->sample.beams[0][1].reasoning = TEXT(SAMPLE_ONE "\n\n");
    assert_ok(journal_round(f->journal, 1, &f->sample.rounds[0], err));
    for (int i = 0; i < 2; i++) {
        answers[i].trajectory = f->sample.beams[0][i];
        answers[i].trajectory.reasoning = TEXT(SAMPLE_ONE);
    }
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
        if (i == 1) assert_string_equal(at.failed, "refused: it has no steps");
        if (i != 1) assert_null(at.failed);
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
/* Tells rounds of p1 whose search then fails, and opens it again; `left` of them are there. */
static void assert_left(struct fixture *f, const struct round *rounds, int n, int left) {
    struct search_state at;
    sample_started(f->journal, 1);
    for (int i = 0; i < n; i++) assert_ok(journal_round(f->journal, 1, &rounds[i], err));
    assert_ok(journal_failed(f->journal, 1, "so it is", err));
    assert_ok(journal_reopen(f->journal, err));
    struct journal_problem *p = problems_of(f, f->journal, 4);
    assert_int_equal(p[0].status, PROBLEM_OPEN);
    assert_int_equal(p[0].rounds, left);
    assert_true(p[0].started);
    assert_ok(journal_state(f->journal, &p[0], &f->arena, &at, err));
    assert_int_equal(at.round, left);
    assert_ok(
        query_script(f->journal, err, "begin anew", "DELETE FROM candidate; DELETE FROM beam; DELETE FROM round"));
}

/* Rounds that left nothing to go on from are asked for anew, and no others are. */
static void test_rounds_that_left_nothing(void **state) {
    struct fixture *f = *state;
    struct candidate no = sample_candidate(0, 0, 0, TEXT(""), (cord_text){"", 0}, 0);
    struct trajectory empty = {.reasoning = {"", 0}, .author = -1, .candidate = -1}, over = empty;
    no.drop = DROP_FAILED;
    no.drop_why = "it answers 400";
    over.finish = FINISHED_EXHAUSTED;
    struct round rounds[] = {{1, &no, 1, &empty, 1, NULL}, {2, &no, 1, &over, 1, NULL}};
    sample_problems(f->journal);
    assert_left(f, rounds, 2, 0);
    assert_left(f, f->sample.rounds, 3, 3); /* it failed in its answer stage */

    /* two traces: one ends in round 1, the other goes on */
    struct trajectory *one = f->sample.beams[0], two[2] = {one[0], one[1]};
    struct round second = {2, NULL, 0, two, 2, NULL};
    one[0].finish = two[0].finish = two[1].finish = FINISHED_CLOSED;
    one[0].log_score = two[0].log_score = two[1].log_score = (double)NAN;
    two[0].from = 0, two[1].from = 1;
    two[0].candidate = two[1].candidate = -1;
    rounds[0] = f->sample.rounds[0], rounds[1] = second;
    assert_left(f, rounds, 2, 0); /* neither was scored: from the first on that ended */
    one[0].finish = GROWING;
    assert_left(f, rounds, 2, 1);
    two[1].log_score = log(0.5);
    assert_left(f, rounds, 2, 2); /* one is enough */

    /* an integration never scores its traces; its tries are asked for anew, where none was of use */
    struct teacher teachers[] = {{.name = "strong"}, {.name = INTEGRATOR}};
    struct candidate merge = no;
    assert_ok(journal_put_teachers(f->journal, teachers, 2, err));
    two[1].log_score = (double)NAN;
    assert_left(f, rounds, 2, 2);
    merge.parent = -1;
    struct round tries[] = {rounds[0], rounds[1], {3, &merge, 1, two, 2, NULL}, {4, &merge, 1, two, 2, NULL}};
    assert_left(f, tries, 4, 2);
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_facts_and_teachers),
        TEST(test_lines_are_added_once),
        TEST(test_problems_keep_their_state),
        TEST(test_wanted_problems),
        TEST(test_what_was_kept_is_counted),
        TEST(test_bad_rows_that_are_mended),
        TEST(test_another_part_of_the_file),
        TEST(test_walk),
        TEST(test_walk_beside_a_run),
        TEST(test_problems_are_found),
        TEST(test_changed_problem_is_refused),
        TEST(test_round_trip),
        TEST(test_answers),
        TEST(test_scores_of_nothing),
        TEST(test_answer_that_was_trimmed),
        TEST(test_answers_of_equal_text),
        TEST(test_answers_that_were_made_equal),
        TEST(test_what_begins_anew),
        TEST(test_rounds_that_left_nothing),
        TEST(test_wrong_parts_are_damage),
        TEST(test_spoken),
        TEST(test_candidate_of_no_parent_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
