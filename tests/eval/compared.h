/* compared.h - runs that are compared, made by hand: one journal to measure, and folders of several problems for the command. */
#ifndef CORD_TEST_COMPARED_H
#define CORD_TEST_COMPARED_H

#include "eval/near.h"
#include "store/sample.h"

#include "base/json.h"

#include <sqlite3.h>

/* ---- one journal ------------------------------------------------------------------------------------------------ */

struct fixture {
    char folder[64];
    struct journal *journal;
    struct sample sample;
    struct arena arena;
};

static inline int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    scratch_folder(f.folder);
    sample_build(&f.sample);
    arena_init(&f.arena);
    int64_t us = 300;
    for (int r = 0; r < 3; r++) /* no two alike, and not the last one longest */
        for (int i = 0; i < 4; i++, us = us * 7919 % 100003) {
            struct candidate *c = &f.sample.candidates[r][i];
            c->propose_us = 1000 + us;
            c->score_us = 500 + 2 * us;
            c->new_tokens = 3 + i + r;
            c->prompt_tokens = 100 + 10 * r + i;
            c->score_prompt_tokens = 60 + 5 * i;
            c->judged_tokens = 2 + i * r;
            c->judge_us = 700 + 3 * us;
        }
    assert_ok(journal_open(f.folder, JOURNAL_WRITE, &f.journal, err));
    sample_problems(f.journal);
    sample_tell(f.journal, 1, &f.sample);
    *state = &f;
    return 0;
}

static inline int tear_down(void **state) {
    struct fixture *f = *state;
    journal_close(f->journal);
    scratch_remove(f->folder);
    arena_release(&f->arena);
    return 0;
}

/* A number from the file itself, as whoever opens it with the sqlite3 shell would take it. */
static inline double ask(const struct fixture *f, const char *sql) {
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *statement;
    snprintf(path, sizeof path, "%s/journal.sqlite", f->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    double value = sqlite3_column_double(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

/* Parameters of whoever wrote something, in SQL: the teachers have 3 and 1 billion. */
#define SIZE(who) "(CASE " who " WHEN 0 THEN 3e9 ELSE 1e9 END)"

#define WITH_RUN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* ---- runs, and the command --------------------------------------------------------------------------------------- */

enum { PROBLEMS = 12 };

/* A run of twelve problems whose best trajectories have these grades and scores. */
static inline void make_run(char folder[64], const enum grade *grades, const double *scores,
                            const struct sample *sample, int n) {
    struct journal *journal;
    static char ids[PROBLEMS][8];
    struct problem problems[PROBLEMS];
    const struct teacher teachers[] = {{.name = "strong"}, {.name = "small"}};
    for (int i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "p%d", i);
        problems[i] = (struct problem){.question = {text_of(ids[i]), TEXT("What is 2 + 3?")},
                                       .target = TEXT("5"),
                                       .gold = TEXT("5"),
                                       .row = TEXT("{}"),
                                       .line = i + 1,
                                       .index = i};
    }
    assert_ok(journal_open(scratch_folder(folder), JOURNAL_WRITE, &journal, err));
    assert_ok(sample_put(journal, problems, n, err));
    assert_ok(journal_put_teachers(journal, teachers, 2, err));
    for (int i = 0; i < n; i++) {
        struct answered answers[2];
        sample_answers(sample, answers);
        answers[0].grade = grades[i];
        answers[0].log_pp = log(scores[i]);
        sample_started(journal, i + 1);
        for (int r = 0; r < 3; r++) assert_ok(journal_round(journal, i + 1, &sample->rounds[r], err));
        assert_ok(journal_finished(journal, i + 1, answers, 2, err));
    }
    journal_close(journal);
}

static inline int run_cord(const char *arguments, struct buf *out) {
    char command[512], part[4096];
    snprintf(command, sizeof command, CORD_BINARY " compare %s 2>&1", arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    buf_clear(out);
    for (size_t n; (n = fread(part, 1, sizeof part, pipe)) > 0;) buf_add(out, (cord_text){part, n});
    return WEXITSTATUS(pclose(pipe));
}

static inline double number_at(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) fail_msg("no number '%s'", key);
    return json_number_value(value);
}

/* ---- recipes ----------------------------------------------------------------------------------------------------- */

#define MODELS                                                                                   \
    "models:\n  \"big\":\n    file: \"a.gguf\"\n  \"tiny\":\n    file: \"b.gguf\"\n  \"own\":\n" \
    "    file: \"c.gguf\"\n"

static inline void put_recipe(const char *folder, const char *recipe, const char *second_teacher) {
    struct journal *journal;
    const struct teacher teachers[] = {{.name = "strong"}, {.name = second_teacher}};
    assert_ok(journal_open(folder, JOURNAL_WRITE, &journal, err));
    assert_ok(journal_put_teachers(journal, teachers, 2, err));
    assert_ok(journal_put_fact(journal, "recipe", text_of(recipe), err));
    assert_ok(journal_put_fact(journal, "model.big.parameters", TEXT("3e9"), err));
    assert_ok(journal_put_fact(journal, "model.tiny.parameters", TEXT("1e9"), err));
    assert_ok(journal_put_fact(journal, "model.own.parameters", TEXT("7e9"), err));
    journal_close(journal);
}

#define BY(meta, more)                                                                                       \
    MODELS "teachers:\n  \"strong\":\n    model: \"big\"\n  \"small\":\n    model: \"tiny\"\nmeta_prover:\n" \
           "  model: \"" meta "\"\n" more

#endif
