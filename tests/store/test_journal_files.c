/* test_journal_files.c - nothing that was told to a journal is lost by a kill, a second writer, a full disk or a damaged file. */
#include "store/journals.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

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
    assert_int_equal(journal_put_teachers(reader, NULL, 0, &e), CORD_INTERNAL);
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

/* A dead run's journal into which sqlite3 looked: the log is in the file then. Without its lock it might be half of a copy. */
static void test_log_put_in_by_another_program(void **state) {
    struct fixture *f = *state;
    char command[400];
    struct journal *reader;
    cord_error e = {0};
    sample_problems(f->journal);
    sample_tell(f->journal, 1, &f->sample);
    snprintf(command, sizeof command,
             "cd %s && mkdir dead && cp journal.sqlite* dead && cd dead && sqlite3 journal.sqlite 'PRAGMA "
             "wal_checkpoint' >/dev/null",
             f->folder);
    assert_int_equal(system(command), 0);
    char folder[80];
    snprintf(folder, sizeof folder, "%s/dead", f->folder);
    assert_int_equal(count_files(folder), 1);
    assert_int_equal(journal_open(folder, JOURNAL_READ, &reader, &e), CORD_IO_ERROR);
    assert_non_null(strstr(e.message, "must be complete"));
    assert_int_equal(count_files(folder), 1);
    snprintf(command, sizeof command, "cp %s/lock %s", f->folder, folder);
    assert_int_equal(system(command), 0);
    assert_ok(journal_open(folder, JOURNAL_READ, &reader, err));
    assert_rounds(f, reader, 1, 3);
    assert_int_equal(count_files(folder), 1 + 16);
    struct journal *writer;
    assert_int_equal(journal_open(folder, JOURNAL_WRITE, &writer, &e), CORD_BUSY);
    journal_close(reader);
    assert_ok(journal_open(folder, JOURNAL_WRITE, &writer, err));
    assert_ok(journal_open(folder, JOURNAL_READ, &reader, err)); /* beside a log again */
    journal_close(reader);
    journal_close(writer);
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
    /* a reader who takes his time, as behind a pager, does not stop the run */
    struct journal_walk walk;
    struct journal_problem p;
    journal_walk_begin(&walk, reader, NULL);
    assert_true(journal_walk_next(&walk, &p));
    sqlite3_busy_timeout(f->journal->db, 0);
    assert_ok(journal_failed(f->journal, 4, "too long", err));
    int n = 1;
    while (journal_walk_next(&walk, &p)) n++;
    assert_int_equal(journal_walk_end(&walk, CORD_OK), CORD_OK);
    assert_int_equal(n, 4);
    assert_int_equal(p.status, PROBLEM_FAILED);
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

/* Of the sample's problem: 8 candidates of 10 tokens, and no guesses. */
static void assert_older(struct journal *journal) {
    struct journal_totals totals;
    assert_ok(journal_totals(journal, 1, &totals, err));
    assert_true(totals.proposed_tokens == 80 && totals.judged_tokens == 0 && totals.not_apart == 8);
}

/* Who reads one of schema 4 leaves it alone; who writes adds what it lacks, and goes on. */
static void test_older_schema(void **state) {
    struct fixture *f = *state;
    struct journal *reader;
    struct spoken *spoken;
    int n;
    sample_problems(f->journal);
    sample_tell(f->journal, 1, &f->sample);
    assert_int_equal(sqlite3_exec(f->journal->db, OLDER_SCHEMA, NULL, NULL, NULL), SQLITE_OK);
    journal_close(f->journal);
    f->journal = NULL;
    assert_ok(journal_open(f->folder, JOURNAL_READ, &reader, err));
    assert_older(reader);
    assert_ok(journal_spoken(reader, 1, &f->arena, &spoken, &n, err));
    assert_true(n == 3 && spoken[1].guesses.new_tokens == 0);
    journal_close(reader);

    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &f->journal, err));
    assert_older(f->journal);
    sample_started(f->journal, 2);
    assert_ok(journal_round(f->journal, 2, &f->sample.rounds[0], err));
    assert_ok(journal_open(f->folder, JOURNAL_READ, &reader, err));
    struct journal_totals totals;
    assert_ok(journal_totals(reader, 2, &totals, err));
    assert_true(totals.judged_tokens == 4 * 3 && !totals.not_apart && totals.proposed_tokens == 4 * 10 + 12);
    assert_older(reader);
    journal_close(reader);
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
    snprintf(folder, sizeof folder, "%s/journal.sqlite", f->folder);
    assert_int_equal(journal_open(folder, JOURNAL_READ, &journal, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.message, "is a file, and not a run folder"));
    assert_int_equal(journal_open(folder, JOURNAL_WRITE, &journal, &e), CORD_BAD_RECIPE);
    assert_non_null(strstr(e.message, "as run.out"));
}

/* Every edit that breaks a trajectory is noticed: the text no longer has its checksum, or comes from nowhere. */
static void test_damage_is_noticed(void **state) {
    static const char *const damages[] = {
        "UPDATE candidate SET added = added || 'x' WHERE round = 1 AND number = 1",
        "UPDATE candidate SET step = step || 'x', added = NULL WHERE round = 2 AND number = 1",
        "UPDATE beam SET origin = 7 WHERE round = 2",
        "UPDATE beam SET checksum = checksum + 1 WHERE round = 3 AND slot = 1",
        "UPDATE beam SET finish = 77 WHERE round = 3",
        "UPDATE answer SET round = 500000000",
        "UPDATE candidate SET slot = 9 WHERE round = 1 AND number = 0",
        "UPDATE candidate SET teacher = 2 WHERE round = 2 AND number = 0",
        "UPDATE beam SET author = 2 WHERE round = 1 AND slot = 0",
        "UPDATE candidate SET teacher = -2 WHERE round = 2 AND number = 0",
        "UPDATE beam SET author = -2 WHERE round = 1 AND slot = 0",
        "UPDATE beam SET tried = 1, above = slot WHERE round = 2",
        "UPDATE beam SET tried = 1, above = -2 WHERE round = 2",
        "UPDATE beam SET tried = 1, run = slot, above = slot - 1 WHERE round = 2", /* in another run's tree */
    };
    struct fixture *f = *state;
    sample_problems(f->journal);
    sample_tell(f->journal, 1, &f->sample);
    struct journal_problem *p = problems_of(f, f->journal, 4);
    assert_int_equal(sqlite3_exec(f->journal->db, "PRAGMA foreign_keys = OFF", NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct answered *answers;
        int n;
        cord_error e = {0};
        assert_int_equal(sqlite3_exec(f->journal->db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_exec(f->journal->db, damages[i], NULL, NULL, NULL), SQLITE_OK);
        cord_status status = journal_answers(f->journal, p, &f->arena, &answers, &n, &e);
        struct round round = {0};
        for (int r = 1; status == CORD_OK && r <= p->rounds; r++)
            status = journal_read_round(f->journal, p->key, r, round.beam, round.n_beam, &f->arena, &round, &e);
        assert_int_equal(status, CORD_IO_ERROR);
        assert_non_null(strstr(e.message, "damaged"));
        assert_int_equal(sqlite3_exec(f->journal->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        assert_ok(journal_answers(f->journal, p, &f->arena, &answers, &n, err));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_reader_beside_a_writer),
        TEST(test_reading_leaves_no_trace),
        TEST(test_incomplete_folder_is_refused),
        TEST(test_log_put_in_by_another_program),
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
        TEST(test_older_schema),
        TEST(test_nothing_there),
        TEST(test_damage_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
