/* test_merge_refused.c - whatever happens while runs are merged, the result is there whole or not at all, and the runs stay as
 * they are: runs at work, wrong folders, merges that are killed. */
#include "store/merging.h"

/* ---- refusals ------------------------------------------------------------------------------------------------ */

static void test_a_run_at_work_is_refused(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "1");
    struct journal *journal = begin(f, "b", "2", "2");
    assert_refused(f, CORD_BUSY, arena_printf(&f->arena, "process %ld is running", (long)getpid()), "a", "b");
    assert_false(exists(f, "out"));
    journal_close(journal);
    assert_merged(f, "a", "b");
}

static void test_runs_stand_still_while_they_are_merged(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "");
    make_run(f, "b", "1", "1");
    f->write_to = "a";
    assert_merged(f, "a", "b");
    assert_int_equal(f->n_told, 1);
    struct journal *journal;
    assert_ok(journal_open(in(f, "a"), JOURNAL_WRITE, &journal, err)); /* and afterwards go on */
    journal_close(journal);
}

/* A run that was killed has its log beside it. */
static void test_a_killed_run_is_read_with_its_log(void **state) {
    struct fixture *f = *state;
    pid_t child = fork();
    if (child == 0) {
        begin(f, "a", "12", "12");
        raise(SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && exists(f, "a/journal.sqlite-wal"));
    const char *before = fingerprint(f, "a");
    assert_merged(f, "a");
    assert_string_equal(fingerprint(f, "a"), before);
    make_run(f, "whole", "12", "12");
    assert_same_runs(f, "out", "whole");
}

static void test_wrong_folders(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "1");
    assert_refused(f, CORD_BAD_USAGE, "the same folder", "a", "./a/");
    assert_refused(f, CORD_IO_ERROR, "No such file", "a", "missing");
    assert_int_equal(mkdir(in(f, "empty"), 0777), 0);
    assert_refused(f, CORD_BAD_INPUT, "not a run folder", "a", "empty");
    assert_refused(f, CORD_BAD_INPUT, "is a file, and not a run folder", "a", "a/journal.sqlite");
    make_run(f, "begun", "2", "");
    change(f, "begun", "DELETE FROM run");
    assert_refused(f, CORD_BAD_INPUT, "in none of these folders", "begun");
    assert_merged(f, "begun", "a"); /* a shard whose server never came */
    assert_non_null(strstr(f->told, "begun: nothing has been run here yet; it is left out"));
    assert_int_equal(f->counts.left_out, 1);
    scratch_remove(in(f, "out"));
    make_run(f, "damaged", "2", "2");
    FILE *file = fopen(in(f, "damaged/journal.sqlite"), "r+");
    enum { PAGE = 4096, FROM = 6, TO = 12 }; /* what is looked at before the merge stands elsewhere */
    assert_int_equal(fseek(file, (long)FROM * PAGE, SEEK_SET), 0);
    for (int k = 0; k < (TO - FROM) * PAGE; k++) fputc('x', file);
    fclose(file);
    assert_refused(f, CORD_IO_ERROR, "is damaged", "a", "damaged");
    assert_non_null(strstr(f->err.where, "/damaged/journal.sqlite"));
    make_run(f, "newer", "2", "");
    change(f, "newer", "PRAGMA user_version = 99");
    assert_refused(f, CORD_IO_ERROR, "schema 99", "a", "newer");
    assert_false(exists(f, "out"));
    assert_int_equal(mkdir(in(f, "out"), 0777), 0);
    assert_refused(f, CORD_BAD_USAGE, "exists already", "a");
    assert_int_equal(rmdir(in(f, "out")), 0);
    assert_int_equal(symlink("nowhere", in(f, "out")), 0);
    assert_refused(f, CORD_BAD_USAGE, "exists already", "a");
}

/* A name with a slash behind it, and what a URI would take for its own. */
static void test_odd_names(void **state) {
    struct fixture *f = *state;
    assert_int_equal(mkdir(in(f, "x"), 0777), 0);
    make_run(f, "x/a ?mode=rw#%41", "1", "1");
    make_run(f, "x/b", "2", "2");
    assert_int_equal(merge_to(f, "y/new/out//", 2, (const char *[]){"x/a ?mode=rw#%41", "x/b/"}), CORD_OK);
    assert_true(exists(f, "y/new/out/trajectories.jsonl"));
    assert_false(exists(f, "y/new/out.merging"));
}

/* ---- a merge that is killed ---------------------------------------------------------------------------------- */

/* At whatever moment: the result is not there, the runs are as they were, and the same command makes it. */
static void test_killed_merge(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "124", "");
    make_run(f, "b", "12", "12");
    make_run(f, "c", "34", "4");
    make_run(f, "whole", "1234", "124");
    int n = 3;
    for (int at = 1; at <= n; at++) {
        const char *before = fingerprint(f, "a");
        pid_t child = fork();
        if (child == 0) {
            f->kill_at = at;
            MERGE(f, "a", "b", "c");
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        assert_false(exists(f, "out"));
        assert_true(exists(f, "out.merging/journal.sqlite"));
        assert_string_equal(fingerprint(f, "a"), before);
        /* as if it had also been killed while it wrote its files */
        assert_ok(file_write_atomic(in(f, "out.merging/trajectories.jsonl.77.tmp"), TEXT("half"), err));
        assert_merged(f, "a", "b", "c");
        assert_int_equal(f->n_told, n);
        assert_same_runs(f, "out", "whole");
        assert_false(exists(f, "out/trajectories.jsonl.77.tmp"));
        scratch_remove(in(f, "out"));
    }
}

/* A run of the user's may have any name. */
static void test_a_run_is_no_draft(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "1");
    make_run(f, "out.merging", "2", "2");
    const char *before = fingerprint(f, "out.merging");
    assert_int_equal(MERGE(f, "a"), CORD_BAD_USAGE);
    assert_non_null(strstr(f->err.message, "no draft of a merge"));
    assert_string_equal(fingerprint(f, "out.merging"), before);
    scratch_remove(in(f, "out.merging"));
    assert_int_equal(mkdir(in(f, "out.merging"), 0777), 0); /* as a merge that was killed at once leaves it */
    assert_merged(f, "a");
    assert_false(exists(f, "out/merging"));
}

/* Two at once: the second is told of the first, and does not touch what that is making. */
static void test_second_merge_is_refused(void **state) {
    struct fixture *f = *state;
    make_run(f, "a", "1", "1");
    struct journal *first;
    assert_ok(journal_open(in(f, "out.merging"), JOURNAL_FRESH, &first, err));
    assert_ok(file_write_atomic(in(f, "out.merging/merging"), TEXT(""), err));
    assert_int_equal(MERGE(f, "a"), CORD_BUSY);
    assert_true(exists(f, "out.merging/journal.sqlite"));
    assert_ok(journal_put_fact(first, "still", TEXT("here"), err));
    journal_close(first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_run_at_work_is_refused),
        TEST(test_runs_stand_still_while_they_are_merged),
        TEST(test_a_killed_run_is_read_with_its_log),
        TEST(test_wrong_folders),
        TEST(test_odd_names),
        TEST(test_killed_merge),
        TEST(test_a_run_is_no_draft),
        TEST(test_second_merge_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
