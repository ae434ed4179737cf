/* test_trajectories.c - trajectories.jsonl, read back with jansson; and files that appear whole or not at all. */
#include "store/sample.h"

#include "store/output.h"
#include "store/summary.h"
#include "store/trajectories.h"

struct fixture {
    char folder[64];
    struct journal *journal;
    struct sample sample;
};

static int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    scratch_folder(f.folder);
    sample_build(&f.sample);
    assert_ok(journal_open(f.folder, JOURNAL_WRITE, &f.journal, err));
    sample_problems(f.journal);
    sample_tell(f.journal, 1, &f.sample);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    journal_close(f->journal);
    scratch_remove(f->folder);
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static const char *text_at(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    if (!text) fail_msg("no text '%s'", key);
    return text;
}

static void read_trajectories(struct fixture *f, struct buf *out) {
    char path[128];
    assert_ok(export_trajectories(f->journal, f->folder, err));
    snprintf(path, sizeof path, "%s/trajectories.jsonl", f->folder);
    assert_ok(file_read(path, "trajectories", 1 << 20, out, err));
}

/* ---- trajectories.jsonl ---------------------------------------------------------------------------------------- */

static void test_trajectories(void **state) {
    struct fixture *f = *state;
    struct buf all;
    read_trajectories(f, &all);
    json_t *line = line_of(buf_text(&all), 0);
    assert_string_equal(text_at(line, "id"), "p1");
    assert_string_equal(text_at(line, "status"), "done");
    assert_int_equal(json_integer_value(json_object_get(line, "index")), 0);
    assert_int_equal(json_integer_value(json_object_get(line, "rounds")), 3);
    assert_true(fabs(json_real_value(json_object_get(line, "s0")) - 0.125) < 1e-12);
    assert_null(json_object_get(line, "reason"));
    const json_t *tokens = json_object_get(line, "tokens");
    assert_int_equal(json_integer_value(json_object_get(tokens, "propose")), 80 + 12); /* and guesses */
    assert_int_equal(json_integer_value(json_object_get(tokens, "score")), 400);
    assert_int_equal(json_integer_value(json_object_get(tokens, "judge")), 8 * 3);
    assert_int_equal(json_integer_value(json_object_get(tokens, "answer")), 14);

    const json_t *best = json_object_get(line, "best");
    assert_string_equal(text_at(best, "finish"), "turn ended");
    assert_string_equal(text_at(best, "author"), "small");
    assert_string_equal(text_at(best, "grade"), "wrong");
    assert_string_equal(text_at(best, "answer"), "6");
    assert_true(fabs(json_real_value(json_object_get(best, "score")) - 0.875) < 1e-12);
    assert_true(json_real_value(json_object_get(best, "log_score")) == log(0.875));
    assert_true(fabs(json_real_value(json_object_get(best, "pp")) - 0.875) < 1e-12);
    assert_true(fabs(json_real_value(json_object_get(best, "pp_held_out")) - 0.75) < 1e-12);
    const json_t *steps = json_object_get(best, "steps");
    assert_int_equal(json_array_size(steps), 3);
    assert_string_equal(text_at(json_array_get(steps, 0), "text"), " Count");
    assert_string_equal(text_at(json_array_get(steps, 0), "teacher"), "small");
    assert_string_equal(text_at(json_array_get(steps, 1), "teacher"), "strong");
    assert_true(json_is_true(json_object_get(json_array_get(steps, 1), "cut")));
    /* a NUL and an escape survive; half a character becomes U+FFFD, since JSON is UTF-8 */
    cord_text reasoning = content_at(best, "reasoning");
    assert_true(text_equal(reasoning, TEXT(SAMPLE_CUT "five\0\033[31m\xEF\xBF\xBD\xEF\xBF\xBD")) ||
                text_equal(reasoning, TEXT(SAMPLE_CUT "five\0\033[31m\xEF\xBF\xBD")));

    const json_t *others = json_object_get(line, "finished");
    assert_int_equal(json_array_size(others), 1);
    assert_string_equal(text_at(json_array_get(others, 0), "reasoning"), SAMPLE_ONE);
    assert_true(json_is_null(json_object_get(json_array_get(others, 0), "pp_held_out"))); /* nobody measured it */
    json_decref(line);

    line = line_of(buf_text(&all), 1); /* p2 is not done and has no line; this is the broken row */
    assert_string_equal(text_at(line, "status"), "failed");
    assert_string_equal(text_at(line, "reason"), "not valid JSON");
    assert_string_equal(text_at(line, "problem"), "{broken \xEF\xBF\xBD");
    assert_true(json_is_null(json_object_get(line, "best")) && json_is_null(json_object_get(line, "s0")));
    json_decref(line);
    assert_null(line_of(buf_text(&all), 2));
    /* the row stands as it was written: 27.0 is not 27 */
    assert_true(
        text_starts(buf_text(&all), TEXT("{\"problem\":{\"id\":\"p1\",\"question\":\"What is 2 + 3?\",\"answer\":\"5\","
                                         "\"x\":27.0},")));
    buf_release(&all);
}

/* Times, cached tokens and the order in which things were told leave no trace. */
static void test_equal_runs_have_equal_files(void **state) {
    struct fixture *f = *state;
    struct buf first, second;
    read_trajectories(f, &first);
    journal_close(f->journal);
    scratch_remove(f->folder);
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &f->journal, err));
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < f->sample.rounds[r].n_candidates; i++) {
            struct candidate *c = &f->sample.candidates[r][i];
            c->cached_tokens = c->score_cached_tokens = 0;
            c->propose_us = c->score_us = 1;
        }
    sample_problems(f->journal);
    assert_ok(journal_failed(f->journal, 2, "for a while", err));
    assert_ok(journal_reopen(f->journal, err));
    sample_tell(f->journal, 1, &f->sample);
    read_trajectories(f, &second);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    buf_release(&first);
    buf_release(&second);
}

/* A score of 0 is 0; its logarithm is none that JSON can write. */
static void test_scores_of_nothing(void **state) {
    struct fixture *f = *state;
    struct buf all;
    struct sample *s = &f->sample;
    s->candidates[2][0].log_score = s->steps[3].log_score = s->beams[2][0].log_score = -INFINITY;
    sample_tell(f->journal, 2, s);
    read_trajectories(f, &all);
    json_t *line = line_of(buf_text(&all), 1);
    const json_t *best = json_object_get(line, "best"), *steps = json_object_get(best, "steps");
    assert_string_equal(text_at(line, "id"), "p2");
    assert_true(json_is_number(json_object_get(best, "score")));
    assert_true(json_number_value(json_object_get(best, "score")) == 0);
    assert_true(json_is_null(json_object_get(best, "log_score")));
    assert_true(json_is_number(json_object_get(json_array_get(steps, 2), "score")));
    json_decref(line);
    buf_release(&all);
}

/* ---- whole files or none --------------------------------------------------------------------------------------- */

static void assert_file(const char *path, const char *content) {
    struct buf now;
    assert_ok(file_read(path, "file", 1000, &now, err));
    assert_text(buf_text(&now), content);
    buf_release(&now);
}

static void test_output_is_whole_or_not_there(void **state) {
    struct fixture *f = *state;
    char path[128], link[128];
    struct output o;
    snprintf(path, sizeof path, "%s/out", f->folder);
    snprintf(link, sizeof link, "%s/link", f->folder);
    assert_ok(output_open(&o, path, err));
    fputs("first", o.file);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_ok(output_close(&o, CORD_OK, err));
    assert_file(path, "first");

    assert_ok(output_open(&o, path, err));
    fputs("seco", o.file);
    char *draft = strdup(o.draft);
    assert_int_equal(access(draft, F_OK), 0);
    assert_int_equal(output_close(&o, CORD_CANCELLED, NULL), CORD_CANCELLED);
    assert_file(path, "first");
    assert_int_not_equal(access(draft, F_OK), 0);
    free(draft);

    assert_int_equal(chmod(path, 0660), 0);    /* whose file may be written by a group stays so */
    assert_int_equal(symlink("out", link), 0); /* a link stays one */
    assert_ok(output_open(&o, link, err));
    fputs("third", o.file);
    assert_ok(output_close(&o, CORD_OK, err));
    assert_file(path, "third");
    struct stat info;
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0660);
    assert_int_equal(chmod(path, 0606), 0);
    assert_ok(file_write_atomic(path, TEXT("fourth"), err));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0606);
    char foreign[140];
    snprintf(foreign, sizeof foreign, "%s.tmp", path);
    assert_int_equal(mkdir(foreign, 0700), 0); /* it says why, and touches nothing */
    cord_error e = {0};
    assert_int_equal(file_write_atomic(path, TEXT("fifth"), &e), CORD_IO_ERROR);
    assert_non_null(strstr(e.message, "Is a directory"));
    assert_int_equal(stat(foreign, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(rmdir(foreign), 0);
}

static void make_file(const char *folder, const char *name) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_write_atomic(path, TEXT("x"), err));
}

/* Names are compared by what they lead to. */
static void test_output_same(void **state) {
    struct fixture *f = *state;
    char a[200], b[200], other[200];
    make_file(f->folder, "one");
    snprintf(a, sizeof a, "%s/one", f->folder);
    snprintf(b, sizeof b, "%s/./one", f->folder);
    snprintf(other, sizeof other, "%s/to_one", f->folder);
    assert_true(output_same(a, b));
    assert_int_equal(symlink("one", other), 0);
    assert_true(output_same(a, other));
    snprintf(b, sizeof b, "%s/two", f->folder);
    assert_false(output_same(a, b));
    assert_int_equal(link(a, b), 0);
    assert_true(output_same(a, b));
    snprintf(a, sizeof a, "%s/none", f->folder); /* nothing is there yet */
    snprintf(b, sizeof b, "%s/../%s/none", f->folder, strrchr(f->folder, '/') + 1);
    assert_true(output_same(a, b));
    assert_false(output_same("/dev/null", "/dev/null"));
    assert_true(output_same("/nowhere/at/all", "/nowhere/at/all"));

    snprintf(a, sizeof a, "%s/recipe.yaml", f->folder);
    assert_true(output_is_of_run(a)); /* of the fixture's journal */
    snprintf(a, sizeof a, "%s/journal.sqlite-shm", f->folder);
    assert_true(output_is_of_run(a));
    assert_false(output_is_of_run(b));
    assert_false(output_is_of_run("/tmp/recipe.yaml"));
}

/* As root, a rename over /dev/null would replace it for the whole machine. */
static void test_output_into_a_device(void **state) {
    (void)state;
    struct output o;
    struct stat info;
    assert_ok(output_open(&o, "/dev/null", err));
    assert_null(o.draft);
    fputs("gone", o.file);
    assert_ok(output_close(&o, CORD_OK, err));
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
    cord_error e = {0};
    assert_int_equal(output_open(&o, "/nowhere/at/all", &e), CORD_IO_ERROR);
    assert_non_null(strstr(e.message, "/nowhere/at/all"));
}

/* A pipe has a name in /dev/fd alone. */
static void test_output_into_a_pipe(void **state) {
    (void)state;
    struct output o;
    int ends[2];
    char path[32], read_back[8] = "";
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[1]);
    assert_ok(output_open(&o, path, err));
    fputs("through", o.file);
    assert_ok(output_close(&o, CORD_OK, err));
    assert_int_equal(read(ends[0], read_back, sizeof read_back), 7);
    assert_string_equal(read_back, "through");
    close(ends[0]);
    close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* A correct trace may come first that could not be scored. */
static void test_means_are_of_what_has_a_score(void **state) {
    (void)state;
    struct summary_counts counts = {0};
    const struct journal_problem done = {.status = PROBLEM_DONE, .log_s0 = log(0.25)};
    struct answered answer = {.grade = GRADE_CORRECT, .log_pp = (double)NAN, .log_held_out = (double)NAN};
    answer.trajectory.log_score = (double)NAN;
    summary_add(&counts, &done, &answer, 1);
    struct summary_counts none = counts;
    summary_end(&none);
    assert_true(isnan(none.mean_score) && isnan(none.mean_log_score));
    answer.trajectory.log_score = log(0.5);
    summary_add(&counts, &done, &answer, 1);
    summary_end(&counts);
    assert_int_equal(counts.done, 2);
    assert_true(fabs(counts.mean_score - 0.5) < 1e-12 && fabs(counts.mean_log_score - log(0.5)) < 1e-12);
    assert_true(fabs(counts.mean_s0 - 0.25) < 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_trajectories),
        TEST(test_equal_runs_have_equal_files),
        TEST(test_scores_of_nothing),
        TEST(test_output_is_whole_or_not_there),
        TEST(test_output_same),
        cmocka_unit_test(test_means_are_of_what_has_a_score),
        cmocka_unit_test(test_output_into_a_device),
        cmocka_unit_test(test_output_into_a_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
