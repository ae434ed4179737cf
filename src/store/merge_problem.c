/* merge_problem.c - problem by problem: is it there already, which of the two is taken, and copying it with all that the
 * journal knows of it. It must not know folders, recipes, or the order of problems. */
#include "store/merge_problem.h"

#include <stdio.h>

/* ---- tables -------------------------------------------------------------------------------------------------- */

#define OF_PROBLEMS                                                                                              \
    "SELECT name FROM main.sqlite_schema AS s"                                                                   \
    " WHERE type = 'table' AND (SELECT name FROM pragma_table_info(s.name) WHERE cid = 0) = 'problem' ORDER BY " \
    "s.rowid"

/* Times, and what was found in a cache, are no part of a result: equal runs may differ in them. What journals of schema 4 do not
 * tell contradicts none; what was judged is among what was scored there. */
#define SCORED_IN_ALL "'score_prompt_tokens + ifnull(judged_tokens, 0)'"
#define OF_RESULTS                                                                                              \
    " AND name <> 'us' AND name NOT LIKE '%\\_us' ESCAPE '\\' AND name NOT LIKE '%cached\\_tokens' ESCAPE '\\'" \
    " AND name NOT IN ('judged_tokens', 'guess_prompt_tokens', 'guess_new_tokens')"

static cord_status prepare(struct merge *m, const char *sql, sqlite3_stmt **stmt, cord_error *err) {
    if (!sql) return error_memory(err);
    return sqlite3_prepare_v2(m->journal->db, sql, -1, stmt, NULL) == SQLITE_OK
               ? CORD_OK
               : query_error(m->journal, "read the journal's tables", err);
}

/* The columns are the source's: a journal of schema 4 lacks some, which then stay empty. */
static cord_status open_table(struct merge *m, struct merge_table *table, cord_error *err) {
    struct rows r;
    const char *all = NULL, *results = NULL, *ours = NULL, *t = table->name;
    rows_open(&r, m->journal, &m->arena, err,
              "SELECT group_concat(name) FROM pragma_table_info(?1, 'source') WHERE cid > 0", "s", t);
    if (rows_next(&r)) all = row_string(&r);
    CORD_TRY(rows_end(&r));
    rows_open(&r, m->journal, &m->arena, err,
              "SELECT group_concat(CASE WHEN name = 'score_prompt_tokens' AND EXISTS"
              " (SELECT 1 FROM pragma_table_info(?1, 'source') WHERE name = 'judged_tokens')"
              " THEN " SCORED_IN_ALL " ELSE name END),"
              " group_concat(CASE WHEN name = 'score_prompt_tokens' THEN " SCORED_IN_ALL " ELSE name END)"
              " FROM pragma_table_info(?1, 'source') WHERE cid > 0" OF_RESULTS,
              "s", t);
    if (rows_next(&r)) {
        results = row_string(&r);
        ours = row_string(&r);
    }
    CORD_TRY(rows_end(&r));
    CORD_TRY(prepare(m,
                     arena_printf(&m->arena,
                                  "INSERT INTO main.%s (problem, %s) SELECT ?2, %s FROM source.%s WHERE problem = ?1",
                                  t, all, all, t),
                     &table->copy, err));
    CORD_TRY(prepare(m, arena_printf(&m->arena, "DELETE FROM main.%s WHERE problem = ?1", t), &table->drop, err));
    /* rows are told apart by their keys, so as many rows and none that the other lacks means the same ones */
    return prepare(m,
                   arena_printf(&m->arena,
                                "SELECT 1 WHERE (SELECT count(*) FROM source.%s WHERE problem = ?1)"
                                " <> (SELECT count(*) FROM main.%s WHERE problem = ?2) OR EXISTS"
                                " (SELECT %s FROM source.%s WHERE problem = ?1 EXCEPT"
                                " SELECT %s FROM main.%s WHERE problem = ?2)",
                                t, t, results, t, ours, t),
                   &table->differs, err);
}

cord_status merge_tables_open(struct merge *m, cord_error *err) {
    struct rows r;
    rows_open(&r, m->journal, &m->arena, err, OF_PROBLEMS, "");
    while (m->n_tables < MERGE_TABLES && rows_next(&r))
        m->tables[m->n_tables++] = (struct merge_table){.name = row_string(&r)};
    CORD_TRY(rows_end(&r));
    for (int i = 0; i < m->n_tables; i++) CORD_TRY(open_table(m, &m->tables[i], err));
    return CORD_OK;
}

void merge_tables_close(struct merge *m) {
    for (int i = 0; i < m->n_tables; i++) {
        sqlite3_finalize(m->tables[i].copy);
        sqlite3_finalize(m->tables[i].drop);
        sqlite3_finalize(m->tables[i].differs);
    }
    m->n_tables = 0;
}

/* Runs a statement of a table for two problems. *row: it has given a row. */
static cord_status run(struct merge *m, sqlite3_stmt *stmt, int64_t a, int64_t b, bool *row, cord_error *err) {
    sqlite3_bind_int64(stmt, 1, a);
    if (sqlite3_bind_parameter_count(stmt) > 1) sqlite3_bind_int64(stmt, 2, b);
    int rc = sqlite3_step(stmt);
    cord_status status = CORD_OK;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) status = query_error(m->journal, "merge the journals", err);
    *row = rc == SQLITE_ROW;
    sqlite3_reset(stmt);
    return status;
}

/* ---- taking a problem ---------------------------------------------------------------------------------------- */

/* Copies problem `from` of the source, as a new one or in place of problem `to`. */
static cord_status take(struct merge *m, int64_t from, int64_t to, cord_error *err) {
    bool row;
    for (int i = m->n_tables - 1; to && i >= 0; i--) CORD_TRY(run(m, m->tables[i].drop, to, 0, &row, err));
    if (!to) CORD_TRY(query_int64(m->journal, err, &to, 1, "SELECT max(key) + 1 FROM main.problem", ""));
    CORD_TRY(query_run(
        m->journal, err,
        "INSERT OR REPLACE INTO main.problem (key, number, line, id, question, target, gold, row, bad,"
        " status, reason, started, log_s0, contrast) SELECT ?2, number, line, id, question, target, gold, row, bad,"
        " status, reason, started, log_s0, contrast FROM source.problem WHERE key = ?1",
        "ll", from, to));
    CORD_TRY(query_run(m->journal, err, "INSERT OR REPLACE INTO temp.origin (problem, run) VALUES (?1, ?2)", "li", to,
                       m->run));
    for (int i = 0; i < m->n_tables; i++) CORD_TRY(run(m, m->tables[i].copy, from, to, &row, err));
    return CORD_OK;
}

/* ---- two of a problem ---------------------------------------------------------------------------------------- */

/* A problem that the source and the result have. */
struct pair {
    int64_t from, to;
    cord_text id;
    const char *before; /* the run that the result's is from */
    const char *now;    /* the one being read */
};

static cord_status find_pair(struct merge *m, int64_t from, struct arena *arena, struct pair *pair, cord_error *err) {
    struct rows r;
    int run = 0;
    *pair = (struct pair){.from = from, .now = m->options->runs[m->run]};
    rows_open(&r, m->journal, arena, err,
              "SELECT p.key, p.id, o.run FROM source.problem s JOIN main.problem p ON p.id = s.id AND NOT p.bad"
              " JOIN temp.origin o ON o.problem = p.key WHERE s.key = ?1 AND NOT s.bad UNION ALL"
              " SELECT p.key, p.id, o.run FROM source.problem s JOIN main.problem p ON p.bad AND p.line = s.line"
              " AND p.row = s.row JOIN temp.origin o ON o.problem = p.key WHERE s.key = ?1 AND s.bad",
              "l", from);
    if (rows_next(&r)) {
        pair->to = row_int64(&r);
        pair->id = row_text(&r);
        run = row_int(&r);
    }
    pair->before = m->options->runs[run];
    return rows_end(&r);
}

/* The names of what differs, "question, gold"; empty for none. */
static cord_status find_content(struct merge *m, const struct pair *pair, struct buf *names, cord_error *err) {
    static const char *const fields[] = {"question", "target", "gold", "row"};
    struct rows r;
    buf_clear(names);
    rows_open(&r, m->journal, NULL, err,
              "SELECT s.question <> p.question, s.target <> p.target, s.gold <> p.gold, s.row <> p.row"
              " FROM source.problem s, main.problem p WHERE s.key = ?1 AND p.key = ?2",
              "ll", pair->from, pair->to);
    if (rows_next(&r))
        for (int i = 0; i < 4; i++)
            if (row_int(&r)) buf_addf(names, "%s%s", names->len ? ", " : "", fields[i]);
    return rows_end(&r);
}

static cord_status find_results(struct merge *m, const struct pair *pair, struct buf *names, cord_error *err) {
    int64_t s0;
    buf_clear(names);
    CORD_TRY(query_int64(
        m->journal, err, &s0, 0,
        "SELECT s.log_s0 IS NOT p.log_s0 OR s.contrast IS NOT p.contrast FROM source.problem s, main.problem p"
        " WHERE s.key = ?1 AND p.key = ?2",
        "ll", pair->from, pair->to));
    if (s0) buf_addf(names, "s0");
    for (int i = 0; i < m->n_tables; i++) {
        bool differs;
        CORD_TRY(run(m, m->tables[i].differs, pair->from, pair->to, &differs, err));
        if (differs) buf_addf(names, "%s%s", names->len ? ", " : "", m->tables[i].name);
    }
    return CORD_OK;
}

/* A contradiction. *taken: the source's problem goes in place of the result's. */
static void contradict(struct merge *m, const struct pair *pair, const char *what, const struct buf *names,
                       bool *taken) {
    *taken = m->options->prefer == MERGE_LAST;
    m->counts->conflicts++;
    merge_tell(m, MERGE_CONFLICT, "problem %.*s: %s (%s) in %s and %s%s%s", (int)pair->id.len, pair->id.data, what,
               names->data, pair->before, pair->now, m->options->prefer == MERGE_NONE ? "" : "; taken from ",
               m->options->prefer == MERGE_NONE ? ""
               : *taken                         ? pair->now
                                                : pair->before);
}

/* How far a problem has come: done before failed before unfinished, then by rounds. */
struct progress {
    enum problem_status status;
    int64_t rounds;
};

static cord_status find_progress(struct merge *m, const struct pair *pair, struct progress *now,
                                 struct progress *before, cord_error *err) {
    struct rows r;
    rows_open(&r, m->journal, NULL, err,
              "SELECT s.status, (SELECT count(*) FROM source.round WHERE problem = s.key),"
              " p.status, (SELECT count(*) FROM main.round WHERE problem = p.key)"
              " FROM source.problem s, main.problem p WHERE s.key = ?1 AND p.key = ?2",
              "ll", pair->from, pair->to);
    if (rows_next(&r)) {
        now->status = (enum problem_status)row_int(&r);
        now->rounds = row_int64(&r);
        before->status = (enum problem_status)row_int(&r);
        before->rounds = row_int64(&r);
    }
    return rows_end(&r);
}

static bool is_further(const struct progress *a, const struct progress *b) {
    static const int order[] = {[PROBLEM_OPEN] = 0, [PROBLEM_FAILED] = 1, [PROBLEM_DONE] = 2};
    if (a->status != b->status) return order[a->status] > order[b->status];
    return a->rounds > b->rounds;
}

static void tell_progress(struct merge *m, const struct pair *pair, const struct progress *now,
                          const struct progress *before, bool taken) {
    static const char *const words[] = {
        [PROBLEM_OPEN] = "unfinished", [PROBLEM_FAILED] = "failed", [PROBLEM_DONE] = "done"};
    if (now->status == before->status && now->rounds == before->rounds) return;
    merge_tell(m, MERGE_NOTE, "problem %.*s: %s with %lld rounds in %s, %s with %lld in %s; taken from %s",
               (int)pair->id.len, pair->id.data, words[before->status], (long long)before->rounds, pair->before,
               words[now->status], (long long)now->rounds, pair->now, taken ? pair->now : pair->before);
}

static cord_status choose(struct merge *m, const struct pair *pair, struct buf *names, bool *taken, cord_error *err) {
    struct progress now = {0}, before = {0};
    *taken = false;
    CORD_TRY(find_content(m, pair, names, err));
    if (names->len) {
        contradict(m, pair, "another problem under the same id", names, taken);
        return CORD_OK;
    }
    m->counts->duplicates++;
    CORD_TRY(find_progress(m, pair, &now, &before, err));
    if (now.status != PROBLEM_DONE || before.status != PROBLEM_DONE) {
        *taken = is_further(&now, &before);
        tell_progress(m, pair, &now, &before, *taken);
        return CORD_OK;
    }
    CORD_TRY(find_results(m, pair, names, err));
    if (names->len) contradict(m, pair, "done with other results", names, taken);
    return CORD_OK;
}

/* ---- all problems -------------------------------------------------------------------------------------------- */

static cord_status merge_problem(struct merge *m, int64_t from, struct arena *arena, cord_error *err) {
    struct pair pair;
    CORD_TRY(find_pair(m, from, arena, &pair, err));
    if (!pair.to) return take(m, from, 0, err);
    struct buf names;
    bool taken = false;
    buf_init(&names, "what differs", 1 << 16);
    cord_status status = choose(m, &pair, &names, &taken, err);
    if (status == CORD_OK) status = buf_check(&names, err);
    buf_release(&names);
    return status == CORD_OK && taken ? take(m, from, pair.to, err) : status;
}

cord_status merge_problems(struct merge *m, cord_error *err) {
    struct rows r;
    rows_open(&r, m->journal, NULL, err, "SELECT key FROM source.problem ORDER BY number, key", "");
    cord_status status = CORD_OK;
    while (status == CORD_OK && rows_next(&r)) {
        struct arena arena;
        arena_init(&arena);
        status = merge_problem(m, row_int64(&r), &arena, err);
        arena_release(&arena);
    }
    cord_status end = rows_end(&r);
    return status == CORD_OK ? end : status;
}
