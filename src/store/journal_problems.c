/* journal_problems.c - the journal's problems: putting a set, which of them are wanted, and walking through them. It must not
 * know what a search does with them. */
#include "store/database.h"

#include <limits.h>
#include <stdlib.h>

/* ---- putting -------------------------------------------------------------------------------------------------- */

static cord_status insert_problem(struct journal *j, const struct problem *p, cord_error *err) {
    return query_run(j, err,
                     "INSERT INTO problem (number, line, id, question, target, gold, row, bad, status, reason)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                     "ilttttt"
                     "iis",
                     p->index, p->line, p->question.id, p->question.text, p->target, p->gold, p->row, p->bad != NULL,
                     p->bad ? PROBLEM_FAILED : PROBLEM_OPEN, p->bad);
}

/* A bad row may have no id, or another's: it is known by where and what it is. */
static cord_status find_problem(struct journal *j, const struct problem *p, int64_t *key, cord_error *err) {
    if (p->bad)
        return query_int64(j, err, key, 0, "SELECT key FROM problem WHERE bad AND line = ?1 AND row = ?2", "lt",
                           p->line, p->row);
    return query_int64(j, err, key, 0, "SELECT key FROM problem WHERE NOT bad AND id = ?1", "t", p->question.id);
}

/* Compares with what is there; a place that has changed is noted, so that a set may be put into another order. */
static cord_status compare_problem(struct journal *j, int64_t key, const struct problem *p, cord_error *err) {
    int64_t same;
    CORD_TRY(query_int64(j, err, &same, 0,
                         "SELECT 1 + (number = ?6 AND line = ?7) FROM problem"
                         " WHERE key = ?1 AND question = ?2 AND target = ?3 AND gold = ?4 AND row = ?5",
                         "lttttil", key, p->question.text, p->target, p->gold, p->row, p->index, p->line));
    if (same && p->bad) /* what is wrong with it may be about another row, which has moved */
        CORD_TRY(query_run(j, err, "UPDATE problem SET reason = ?2 WHERE key = ?1", "lt", key, text_of(p->bad)));
    if (same == 1)
        return query_run(j, err, "UPDATE problem SET number = ?2, line = ?3 WHERE key = ?1", "lil", key, p->index,
                         p->line);
    if (same) return CORD_OK;
    static const char *const changed[] = {"other fields of its row, or its traces, were others",
                                          "its answer was another", "its question was another"};
    int64_t what;
    CORD_TRY(query_int64(j, err, &what, 0,
                         "SELECT CASE WHEN question <> ?2 THEN 2 ELSE target <> ?3 OR gold <> ?4 END FROM problem"
                         " WHERE key = ?1",
                         "lttt", key, p->question.text, p->target, p->gold));
    error_where(err, "problem %.*s in line %lld", (int)p->question.id.len, p->question.id.data, (long long)p->line);
    return error_set(err, CORD_CHANGED,
                     "this id stands for another problem in the run folder's journal (%s); give changed problems a new "
                     "id, or use a new run folder",
                     changed[what]);
}

static cord_status put_problem(struct journal *j, const struct problem *p, cord_error *err) {
    int64_t key;
    CORD_TRY(find_problem(j, p, &key, err));
    CORD_TRY(key ? compare_problem(j, key, p, err) : insert_problem(j, p, err));
    if (!key) key = sqlite3_last_insert_rowid(j->db);
    return query_run(j, err, "INSERT INTO wanted VALUES (?1, ?2)", "il", p->index, key);
}

/* A bad row that was mended, or stands elsewhere now, is put anew; what is there of it holds no work. */
static cord_status drop_mended_rows(struct journal *j, cord_error *err) {
    return query_run(j, err, "DELETE FROM problem WHERE bad AND key NOT IN (SELECT key FROM wanted)", "");
}

/* What this set does not want has the number that it had in another (problems.skip, a file that was changed): where two have
 * one, all stand in the order of their lines. */
static cord_status part_numbers(struct journal *j, cord_error *err) {
    int64_t shared;
    CORD_TRY(query_int64(j, err, &shared, 0, "SELECT count(*) - count(DISTINCT number) FROM problem", ""));
    if (!shared) return CORD_OK;
    return query_run(j, err,
                     "UPDATE problem SET number = p.place FROM (SELECT key, row_number() OVER"
                     " (ORDER BY line, number, key) - 1 AS place FROM problem) AS p WHERE p.key = problem.key",
                     "");
}

static cord_status put_problems(struct journal *j, const struct problem_set *set, cord_error *err) {
    struct problem_walk walk;
    struct problem problem;
    cord_status status = query_run(j, err, "DELETE FROM wanted", "");
    problem_walk_begin(&walk, set, err);
    while (status == CORD_OK && problem_walk_next(&walk, &problem)) status = put_problem(j, &problem, err);
    status = problem_walk_end(&walk, status);
    if (status == CORD_OK) status = drop_mended_rows(j, err);
    return status == CORD_OK ? part_numbers(j, err) : status;
}

cord_status journal_put_problems(struct journal *j, const struct problem_set *set, cord_error *err) {
    /* SQLite keeps it in a file of its own when it is large; it goes with the handle */
    CORD_TRY(query_script(j, err, "write down which problems are wanted",
                          "CREATE TEMP TABLE IF NOT EXISTS wanted (number INTEGER PRIMARY KEY, key INTEGER NOT NULL);"
                          "CREATE INDEX IF NOT EXISTS temp.wanted_by_key ON wanted (key)"));
    CORD_TRY(transaction_begin(j, err));
    return transaction_end(j, put_problems(j, set, err), err);
}

cord_status journal_failed(struct journal *j, int64_t problem, const char *reason, cord_error *err) {
    CORD_TRY(transaction_begin(j, err));
    return transaction_end(j,
                           query_run(j, err, "UPDATE problem SET status = ?2, reason = ?3 WHERE key = ?1", "lis",
                                     problem, PROBLEM_FAILED, reason),
                           err);
}

/* ---- opening again --------------------------------------------------------------------------------------------- */

#define THAT_FAILED "status = ?1 AND NOT bad AND key IN (SELECT key FROM wanted)"
#define OF_LAST     "problem = key AND round = (SELECT max(number) FROM round WHERE problem = key)"
#define UNDONE \
    "(SELECT r.problem, r.number FROM round AS r JOIN undone AS u ON u.problem = r.problem AND r.number >= first)"

/* From which round on the problems that failed have rounds that left nothing to go on from: a search that was taken up there
 * would ask nobody, and fail again. */
static cord_status find_undone(struct journal *j, cord_error *err) {
    CORD_TRY(query_run(j, err, "DELETE FROM undone", ""));
    /* no trajectory has a first step */
    CORD_TRY(query_run(j, err,
                       "INSERT INTO undone SELECT key, 1 FROM problem WHERE " THAT_FAILED
                       " AND EXISTS (SELECT 1 FROM beam WHERE " OF_LAST ")"
                       " AND NOT EXISTS (SELECT 1 FROM beam WHERE " OF_LAST " AND bytes > 0)",
                       "i", PROBLEM_FAILED));
    /* of an integration, all tries came to nothing; its traces are there */
    CORD_TRY(query_run(j, err,
                       "INSERT OR IGNORE INTO undone SELECT key, (SELECT min(round) FROM candidate WHERE problem = key"
                       " AND parent = -1) FROM problem WHERE " THAT_FAILED
                       " AND EXISTS (SELECT 1 FROM candidate WHERE " OF_LAST " AND parent = -1 AND dropped <> 0)",
                       "i", PROBLEM_FAILED));
    /* all traces are complete, and none was scored; those that are to be merged never are */
    return query_run(j, err,
                     "INSERT OR IGNORE INTO undone SELECT key, (SELECT min(round) FROM beam WHERE problem = key"
                     " AND finish <> 0 AND log_score IS NULL) FROM problem WHERE " THAT_FAILED
                     " AND NOT EXISTS (SELECT 1 FROM teacher WHERE name = ?2)"
                     " AND EXISTS (SELECT 1 FROM beam WHERE " OF_LAST ")"
                     " AND NOT EXISTS (SELECT 1 FROM beam WHERE " OF_LAST " AND (finish = 0 OR log_score IS NOT NULL))",
                     "is", PROBLEM_FAILED, INTEGRATOR);
}

static cord_status reopen(struct journal *j, cord_error *err) {
    CORD_TRY(find_undone(j, err));
    CORD_TRY(query_run(j, err, "DELETE FROM candidate WHERE (problem, round) IN " UNDONE, ""));
    CORD_TRY(query_run(j, err, "DELETE FROM beam WHERE (problem, round) IN " UNDONE, ""));
    CORD_TRY(query_run(j, err, "DELETE FROM round WHERE (problem, number) IN " UNDONE, ""));
    return query_run(j, err, "UPDATE problem SET status = ?2, reason = NULL WHERE " THAT_FAILED, "ii", PROBLEM_FAILED,
                     PROBLEM_OPEN);
}

cord_status journal_reopen(struct journal *j, cord_error *err) {
    CORD_TRY(
        query_script(j, err, "write down what is asked for anew",
                     "CREATE TEMP TABLE IF NOT EXISTS undone (problem INTEGER PRIMARY KEY, first INTEGER NOT NULL)"));
    CORD_TRY(transaction_begin(j, err));
    return transaction_end(j, reopen(j, err), err);
}

/* ---- reading back ---------------------------------------------------------------------------------------------- */

#define PROBLEM                                                                                       \
    "SELECT key, number, id, question, target, gold, row, status, reason, started, log_s0, contrast," \
    " (SELECT count(*) FROM round WHERE problem = key) FROM problem"

static void read_problem(struct rows *r, struct journal_problem *p) {
    p->key = row_int64(r);
    p->index = row_int(r);
    p->id = row_text(r);
    p->question = row_text(r);
    p->target = row_text(r);
    p->gold = row_text(r);
    p->row = row_text(r);
    p->status = (enum problem_status)row_choice(r, PROBLEM_FAILED);
    p->reason = row_text(r);
    p->started = row_int(r) != 0;
    p->log_s0 = row_real(r);
    p->contrast = row_text(r);
    p->rounds = row_int(r);
}

cord_status journal_count(struct journal *j, int *n, cord_error *err) {
    int64_t count;
    CORD_TRY(query_int64(j, err, &count, 0, "SELECT count(*) FROM problem", ""));
    *n = (int)count;
    return CORD_OK;
}

cord_status journal_problems(struct journal *j, struct arena *arena, struct journal_problem **out, int *n,
                             cord_error *err) {
    int count;
    CORD_TRY(journal_count(j, &count, err));
    struct journal_problem *problems = array_of(arena, count, sizeof *problems);
    if (!problems) return error_memory(err);
    struct rows r;
    rows_open(&r, j, arena, err, PROBLEM " ORDER BY number, key", "");
    for (*n = 0; *n < count && rows_next(&r); ++*n) read_problem(&r, &problems[*n]);
    *out = problems;
    return rows_end(&r);
}

/* Keys are fetched many at a time, because each time costs a pass over the table. */
enum { KEYS_AT_ONCE = 1 << 16 };

/* Whether a reader may take its time: there is a log, or nobody writes. */
static cord_status may_stay(struct journal *j, bool *stays, cord_error *err) {
    struct arena arena;
    struct rows r;
    arena_init(&arena);
    rows_open(&r, j, &arena, err, "PRAGMA journal_mode", "");
    *stays = rows_next(&r) && (text_equal(row_text(&r), TEXT("wal")) || !database_is_written(j));
    cord_status status = rows_end(&r);
    arena_release(&arena);
    return status;
}

void journal_walk_begin(struct journal_walk *w, struct journal *j, cord_error *err) {
    *w = (struct journal_walk){.journal = j, .err = err, .at = KEYS_AT_ONCE, .n = KEYS_AT_ONCE, .last_number = -1};
    arena_init(&w->arena);
    w->keys = malloc(KEYS_AT_ONCE * sizeof *w->keys);
    if (!w->keys) w->status = error_memory(err);
    if (w->status != CORD_OK || j->mode != JOURNAL_READ || !sqlite3_get_autocommit(j->db)) return;
    /* one transaction, since each costs more than what is read of a problem; but where there is no log, a writer would have to
     * wait for its end, and gives up */
    bool stays = false;
    w->status = may_stay(j, &stays, err);
    if (w->status != CORD_OK || !stays) return;
    w->status = query_run(j, err, "BEGIN", "");
    w->locked = w->status == CORD_OK;
}

cord_status journal_walk_end(struct journal_walk *w, cord_status status) {
    arena_release(&w->arena);
    free(w->keys);
    if (w->locked) query_run(w->journal, NULL, "COMMIT", "");
    return status == CORD_OK ? w->status : status;
}

static cord_status read_keys(struct journal_walk *w) {
    struct rows r;
    rows_open(&r, w->journal, NULL, w->err,
              "SELECT number, key FROM problem WHERE (number, key) > (?1, ?2) ORDER BY number, key LIMIT ?3", "lli",
              w->last_number, w->last_key, KEYS_AT_ONCE);
    for (w->at = w->n = 0; w->n < KEYS_AT_ONCE && rows_next(&r);) {
        w->last_number = row_int64(&r);
        w->last_key = w->keys[w->n++] = row_int64(&r);
    }
    return rows_end(&r);
}

/* The problem of that key, where there is one. */
static cord_status read_one(struct journal *j, int64_t key, struct arena *arena, bool *found,
                            struct journal_problem *problem, cord_error *err) {
    struct rows r;
    rows_open(&r, j, arena, err, PROBLEM " WHERE key = ?1", "l", key);
    *found = rows_next(&r);
    if (*found) read_problem(&r, problem);
    return rows_end(&r);
}

bool journal_walk_next(struct journal_walk *w, struct journal_problem *problem) {
    bool found = false; /* where no transaction holds them, one may have gone meanwhile */
    arena_release(&w->arena);
    while (w->status == CORD_OK && !found) {
        if (w->at == w->n && w->n == KEYS_AT_ONCE) w->status = read_keys(w);
        if (w->status != CORD_OK || w->at == w->n) break;
        w->status = read_one(w->journal, w->keys[w->at++], &w->arena, &found, problem, w->err);
    }
    return found && w->status == CORD_OK;
}

cord_status journal_find(struct journal *j, const char *name, struct arena *arena, bool *found,
                         struct journal_problem *problem, cord_error *err) {
    char *end;
    long number = strtol(name, &end, 10);
    int64_t key = 0;
    if (*name)
        CORD_TRY(query_int64(j, err, &key, 0, "SELECT key FROM problem WHERE id = ?1 ORDER BY number, key LIMIT 1", "s",
                             name));
    if (*name && !*end && !key)
        CORD_TRY(query_int64(j, err, &key, 0, "SELECT key FROM problem WHERE number = ?1 - 1 ORDER BY key LIMIT 1", "l",
                             (int64_t)number));
    return read_one(j, key, arena, found, problem, err);
}

cord_status journal_progress(struct journal *j, struct journal_progress *progress, cord_error *err) {
    struct rows r;
    *progress = (struct journal_progress){0};
    rows_open(&r, j, NULL, err,
              "SELECT count(*), coalesce(sum(status = ?2), 0), coalesce(sum(status = ?3), 0), coalesce(sum(bad), 0),"
              " coalesce(sum(started OR (status != ?1 AND NOT bad)), 0) FROM wanted JOIN problem USING (key)",
              "iii", PROBLEM_OPEN, PROBLEM_DONE, PROBLEM_FAILED);
    if (rows_next(&r)) {
        progress->wanted = row_int(&r);
        progress->done = row_int(&r);
        progress->failed = row_int(&r);
        progress->bad = row_int(&r);
        progress->begun = row_int(&r);
    }
    return rows_end(&r);
}

cord_status journal_count_begun(struct journal *j, int64_t *begun, int64_t *unfinished, cord_error *err) {
    CORD_TRY(query_int64(j, err, begun, 0, "SELECT count(*) FROM problem WHERE started OR (status != ?1 AND NOT bad)",
                         "i", PROBLEM_OPEN));
    return query_int64(j, err, unfinished, 0, "SELECT count(*) FROM problem WHERE started AND status != ?1", "i",
                       PROBLEM_DONE);
}

cord_status journal_nth_wanted(struct journal *j, int n, int *index, cord_error *err) {
    int64_t number;
    CORD_TRY(query_int64(j, err, &number, INT_MAX,
                         "SELECT w.number FROM wanted AS w CROSS JOIN problem USING (key)"
                         " WHERE NOT bad ORDER BY w.number LIMIT 1 OFFSET ?1",
                         "i", n - 1));
    *index = (int)number;
    return CORD_OK;
}

cord_status journal_count_kept(struct journal *j, int index, int64_t *kept, int n_teachers, cord_error *err) {
    for (int k = 0; k < n_teachers; k++) kept[k] = 0;
    struct rows r;
    rows_open(&r, j, NULL, err,
              "SELECT teacher, count(*) FROM candidate JOIN wanted AS w ON w.key = problem"
              " WHERE w.number <= ?1 AND slot >= 0 AND NOT finishes_parent GROUP BY teacher",
              "i", index);
    while (rows_next(&r)) {
        int teacher = row_int(&r);
        int64_t count = row_int64(&r);
        if (teacher >= 0 && teacher < n_teachers) kept[teacher] = count;
    }
    return rows_end(&r);
}

cord_status journal_wants(struct journal *j, const struct journal_problem *problem, bool *wanted, cord_error *err) {
    int64_t n;
    CORD_TRY(query_int64(j, err, &n, 0, "SELECT count(*) FROM wanted WHERE key = ?1", "l", problem->key));
    *wanted = n > 0;
    return CORD_OK;
}

cord_status journal_next_open(struct journal *j, int index, struct arena *arena, bool *found,
                              struct journal_problem *problem, cord_error *err) {
    int64_t number, key;
    CORD_TRY(query_int64(j, err, &number, -1,
                         "SELECT w.number FROM wanted AS w CROSS JOIN problem USING (key)"
                         " WHERE w.number > ?1 AND status = ?2 ORDER BY w.number LIMIT 1",
                         "ii", index, PROBLEM_OPEN));
    CORD_TRY(query_int64(j, err, &key, 0, "SELECT key FROM wanted WHERE number = ?1", "l", number));
    CORD_TRY(read_one(j, key, arena, found, problem, err));
    if (*found) problem->index = (int)number;
    return CORD_OK;
}
