/* merging.h - what the tests of merging share: runs of the sample, each with some of its problems, and a merge of them whose
 * messages are kept. */
#ifndef CORD_TEST_MERGING_H
#define CORD_TEST_MERGING_H

#include "store/sample.h"

#include "store/ledger.h"
#include "store/merge.h"
#include "store/merge_problem.h"
#include "store/trajectories.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

/* ---- run folders --------------------------------------------------------------------------------------------- */

struct fixture {
    char folder[64]; /* the runs are in it: FOLDER/a, FOLDER/b… */
    struct arena arena;
    struct sample sample;
    struct problem problems[SAMPLE_PROBLEMS];
    struct merge_options options;
    struct merge_counts counts;
    cord_error err;
    const char *runs[8];
    char told[8192]; /* a line a telling: "conflict: …", "note: …" */
    int n_told, kill_at;
    const char *write_to; /* a run that somebody tries to go on with while runs are merged */
};

static inline void tell(void *ctx, enum merge_news news, const char *line);
static inline cord_status compare(cord_text before, cord_text after, struct arena *arena, cord_text *conflicts,
                                  cord_text *notes, cord_error *err);

/* These recipes say nothing of folders. */
static inline cord_status move(cord_text resolved, const char *out, struct arena *arena, cord_text *moved,
                               cord_error *why) {
    (void)arena, (void)why;
    assert_int_equal(out[0], '/');
    *moved = resolved;
    return CORD_OK;
}

static inline int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    scratch_folder(f.folder);
    arena_init(&f.arena);
    sample_build(&f.sample);
    sample_plant(&f.sample);
    sample_set(f.problems);
    f.options = (struct merge_options){.runs = f.runs, .compare = compare, .move = move, .tell = tell, .ctx = &f};
    *state = &f;
    return 0;
}

static inline int tear_down(void **state) {
    struct fixture *f = *state;
    arena_release(&f->arena);
    scratch_remove(f->folder);
    return 0;
}

static inline const char *in(struct fixture *f, const char *name) {
    return arena_printf(&f->arena, "%s/%s", f->folder, name);
}

/* A run that is told which of the sample's problems it has ("13": the first and the third), and which of them it finishes. */
static inline struct journal *begin(struct fixture *f, const char *name, const char *has, const char *finishes) {
    struct journal *journal;
    struct problem mine[SAMPLE_PROBLEMS];
    int n = 0;
    assert_ok(journal_open(in(f, name), JOURNAL_WRITE, &journal, err));
    for (int i = 0; i < SAMPLE_PROBLEMS; i++)
        if (strchr(has, '1' + i)) mine[n++] = f->problems[i];
    assert_ok(journal_put_fact(journal, "recipe", TEXT("recipe"), err));
    assert_ok(journal_put_fact(journal, "model.big.sha256", TEXT("abc"), err));
    assert_ok(journal_put_fact(journal, "shard", TEXT(""), err));
    struct teacher teachers[] = {{.name = "strong"}, {.name = "small"}};
    assert_ok(journal_put_teachers(journal, teachers, 2, err));
    assert_ok(sample_put(journal, mine, n, err));
    for (int i = 0; i < n; i++)
        if (strchr(finishes, '1' + mine[i].index)) sample_tell(journal, i + 1, &f->sample);
    return journal;
}

static inline void make_run(struct fixture *f, const char *name, const char *has, const char *finishes) {
    struct journal *journal = begin(f, name, has, finishes);
    assert_ok(export_trajectories(journal, in(f, name), err));
    journal_close(journal);
}

static inline void change(struct fixture *f, const char *name, const char *sql) {
    struct journal *journal;
    assert_ok(journal_open(in(f, name), JOURNAL_WRITE, &journal, err));
    assert_ok(query_script(journal, err, "change the test's journal", sql));
    journal_close(journal);
}

static inline cord_text content(struct fixture *f, const char *path) {
    struct buf out;
    assert_ok(file_read(in(f, path), "test", 1 << 26, &out, err));
    cord_text text = arena_text(&f->arena, buf_text(&out));
    buf_release(&out);
    return text;
}

/* Names and contents of a folder's files. */
static inline const char *fingerprint(struct fixture *f, const char *name) {
    struct dirent **entries;
    const char *all = "";
    int n = scandir(in(f, name), &entries, NULL, alphasort);
    assert_true(n >= 2);
    for (int i = 0; i < n; i++) {
        char hex[65] = "";
        if (entries[i]->d_name[0] != '.') {
            const char *path = arena_printf(&f->arena, "%s/%s/%s", f->folder, name, entries[i]->d_name);
            assert_ok(sha256_file(path, hex, err));
        }
        all = arena_printf(&f->arena, "%s%s %s\n", all, entries[i]->d_name, hex);
        free(entries[i]);
    }
    free(entries);
    return all;
}

static inline bool exists(struct fixture *f, const char *name) { return access(in(f, name), F_OK) == 0; }

/* ---- merging ------------------------------------------------------------------------------------------------- */

static inline void tell(void *ctx, enum merge_news news, const char *line) {
    struct fixture *f = ctx;
    size_t len = strlen(f->told);
    assert_true(len + strlen(line) + 20 < sizeof f->told);
    sprintf(f->told + len, "%s: %s\n", news == MERGE_CONFLICT ? "conflict" : "note", line);
    if (++f->n_told == f->kill_at) raise(SIGKILL);
    if (f->write_to) {
        struct journal *journal;
        cord_error e = {0};
        assert_int_equal(journal_open(in(f, f->write_to), JOURNAL_WRITE, &journal, &e), CORD_BUSY);
    }
}

/* "…;file" stands for which problems a recipe takes. */
static inline cord_status compare(cord_text before, cord_text after, struct arena *arena, cord_text *conflicts,
                                  cord_text *notes, cord_error *err) {
    (void)arena, (void)err;
    *conflicts = *notes = TEXT("");
    if (text_find(before, TEXT(";")) != text_find(after, TEXT(";"))) *notes = TEXT("problems.file: p -> q\n");
    if (before.data[0] != after.data[0]) *conflicts = TEXT("search.beam: 4 -> 2\nrun.seed: 1 -> 2\n");
    return CORD_OK;
}

static inline cord_status merge_to(struct fixture *f, const char *out, int n, const char *const *names) {
    f->options.out = in(f, out);
    f->options.n_runs = n;
    for (int i = 0; i < n; i++) f->runs[i] = in(f, names[i]);
    f->told[0] = '\0';
    f->n_told = 0;
    memset(&f->err, 0, sizeof f->err);
    return merge_runs(&f->options, &f->counts, &f->err);
}

#define MERGE(f, ...) \
    merge_to(f, "out", sizeof(const char *[]){__VA_ARGS__} / sizeof(const char *), (const char *[]){__VA_ARGS__})

#define assert_merged(f, ...)                                                                   \
    do {                                                                                        \
        if (MERGE(f, __VA_ARGS__) != CORD_OK) fail_msg("%s (%s)", (f)->err.message, (f)->told); \
        assert_false(exists(f, "out.merging"));                                                 \
    } while (0)

#define assert_says(f, words)                                                             \
    do {                                                                                  \
        if (!strstr((f)->told, words)) fail_msg("'%s' is not in '%s'", words, (f)->told); \
    } while (0)

#define assert_refused(f, code, words, ...)                                                                \
    do {                                                                                                   \
        assert_int_equal(MERGE(f, __VA_ARGS__), code);                                                     \
        if (!strstr((f)->err.message, words)) fail_msg("'%s' does not say '%s'", (f)->err.message, words); \
        assert_false(exists(f, "out.merging"));                                                            \
    } while (0)

/* What a journal's tables hold, problems named by their ids and rows. */
static inline cord_text dump(struct fixture *f, const char *name) {
    static const char *const tables[] = {"spoken", "spoken_span", "round", "candidate", "beam", "answer"};
    struct journal *journal;
    struct buf out;
    buf_init(&out, "a dump", 1 << 24);
    assert_ok(journal_open(in(f, name), JOURNAL_READ, &journal, err));
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        sqlite3_stmt *stmt;
        const char *sql = arena_printf(&f->arena,
                                       "SELECT p.number, p.line, p.row, p.status, t.* FROM %s t"
                                       " JOIN problem p ON p.key = t.problem ORDER BY p.number, 6, 7",
                                       tables[i]);
        assert_int_equal(sqlite3_prepare_v2(journal->db, sql, -1, &stmt, NULL), SQLITE_OK);
        while (sqlite3_step(stmt) == SQLITE_ROW)
            for (int c = 0; c < sqlite3_column_count(stmt); c++) {
                if (strcmp(sqlite3_column_name(stmt, c), "problem") == 0) continue;
                const void *data = sqlite3_column_blob(stmt, c);
                buf_add(&out, (cord_text){data, (size_t)sqlite3_column_bytes(stmt, c)});
                buf_addf(&out, "|%d\n", sqlite3_column_type(stmt, c));
            }
        sqlite3_finalize(stmt);
    }
    journal_close(journal);
    cord_text text = arena_text(&f->arena, buf_text(&out));
    buf_release(&out);
    return text;
}

static inline void assert_same_runs(struct fixture *f, const char *a, const char *b) {
    assert_true(text_equal(dump(f, a), dump(f, b)));
    assert_true(dump(f, a).len > 1000);
    assert_true(text_equal(content(f, arena_printf(&f->arena, "%s/trajectories.jsonl", a)),
                           content(f, arena_printf(&f->arena, "%s/trajectories.jsonl", b))));
}

#endif
