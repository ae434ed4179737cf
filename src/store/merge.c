/* merge.c - from run folders to one: their locks, what is known of each as a whole, the order of all problems, and a
 * folder that appears whole or not at all. It must not know how problems are compared (merge_problem.c) or what recipes
 * say. */
#include "store/merge_problem.h"

#include "base/json.h"
#include "data/shard.h"
#include "store/output.h"
#include "store/trajectories.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINES = 1 << 20, MISSING_TOLD = 20 };

void merge_tell(struct merge *m, enum merge_news news, const char *format, ...) {
    va_list args;
    char *text = NULL;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) text = NULL;
    va_end(args);
    if (text) m->options->tell(m->options->ctx, news, text);
    free(text);
}

/* Tells several lines, each with the runs that it is about. Contradictions are counted. */
static void tell_lines(struct merge *m, enum merge_news news, cord_text lines) {
    const char *const *runs = m->options->runs;
    for (cord_text line; text_next_line(&lines, &line);) {
        m->counts->conflicts += news == MERGE_CONFLICT;
        merge_tell(m, news, "%.*s (%s -> %s)", (int)line.len, line.data, runs[m->facts_of], runs[m->run]);
    }
}

/* ---- a run as a whole ---------------------------------------------------------------------------------------- */

/* A fact of the run that is being taken; those of the result are journal_get_fact's. */
static cord_status source_fact(struct merge *m, const char *key, cord_text *value, cord_error *err) {
    struct rows r;
    *value = (cord_text){0};
    rows_open(&r, m->journal, &m->arena, err, "SELECT value FROM source.run WHERE key = ?1", "s", key);
    if (rows_next(&r)) *value = row_text(&r);
    return rows_end(&r);
}

/* Adds lines to a fact of the result, each once. */
static cord_status add_lines(struct merge *m, const char *key, cord_text lines, cord_error *err) {
    for (cord_text line; text_next_line(&lines, &line);) CORD_TRY(journal_add_to_fact(m->journal, key, line, err));
    return CORD_OK;
}

/* Models that differ, a line each; how large one is said to be changes no result. */
static cord_status compare_models(struct merge *m, struct buf *lines, cord_error *err) {
    struct rows r;
    rows_open(
        &r, m->journal, &m->arena, err,
        "SELECT a.key, a.value, b.value FROM main.run a JOIN source.run b ON a.key = b.key"
        " WHERE (a.key LIKE 'model.%.sha256' OR a.key LIKE 'model.%.serves') AND a.value <> b.value ORDER BY a.key",
        "");
    while (rows_next(&r)) {
        cord_text key = row_text(&r), before = row_text(&r), after = row_text(&r);
        buf_addf(lines, "%.*s: %.12s -> %.12s\n", (int)key.len, key.len ? key.data : "", before.len ? before.data : "",
                 after.len ? after.data : "");
    }
    return rows_end(&r);
}

static cord_status compare_recipes(struct merge *m, struct buf *lines, cord_error *err) {
    cord_text before, after, conflicts, notes;
    CORD_TRY(journal_get_fact(m->journal, "recipe", &m->arena, &before, err));
    CORD_TRY(source_fact(m, "recipe", &after, err));
    CORD_TRY(m->options->compare(before, after, &m->arena, &conflicts, &notes, err));
    tell_lines(m, MERGE_NOTE, notes);
    buf_add(lines, conflicts);
    return CORD_OK;
}

/* The lines of a fact are of all runs. */
static cord_status unite(struct merge *m, const char *key, cord_error *err) {
    cord_text lines;
    CORD_TRY(source_fact(m, key, &lines, err));
    return add_lines(m, key, lines, err);
}

/* What is known of the run as a whole: the first one's is the result's; where a later one says otherwise, it is told. */
static cord_status take_facts(struct merge *m, cord_error *err) {
#define OF_RUNS " FROM source.run WHERE key NOT IN ('shard', 'merged', 'mixed', 'made_by', 'changed', 'seldom')"
    struct buf lines;
    cord_status status = CORD_OK;
    buf_init(&lines, "what differs", MOST_LINES);
    if (m->run) {
        status = compare_recipes(m, &lines, err);
        if (status == CORD_OK) status = compare_models(m, &lines, err);
        if (status == CORD_OK) status = buf_check(&lines, err);
        if (status == CORD_OK) tell_lines(m, MERGE_CONFLICT, buf_text(&lines));
        if (status == CORD_OK) status = add_lines(m, "mixed", buf_text(&lines), err);
    }
    if (status == CORD_OK) {
        if (lines.len && m->options->prefer == MERGE_LAST) m->facts_of = m->run;
        if (m->facts_of == m->run)
            status = query_run(m->journal, err, "INSERT OR REPLACE INTO main.run SELECT key, value" OF_RUNS, "");
        else
            status = query_run(m->journal, err, "INSERT OR IGNORE INTO main.run SELECT key, value" OF_RUNS, "");
    }
    if (status == CORD_OK) /* of all runs the largest, as of all sessions of one */
        status = query_run(m->journal, err,
                           "UPDATE main.run SET value = s.value FROM source.run AS s WHERE s.key = main.run.key"
                           " AND s.key GLOB 'model.*.apart' AND s.value + 0.0 > main.run.value + 0.0",
                           "");
    buf_release(&lines);
    return status;
#undef OF_RUNS
}

static cord_status take_teachers(struct merge *m, cord_error *err) {
    int64_t differ;
    if (m->run == 0)
        return query_run(m->journal, err,
                         "INSERT INTO main.teacher (number, name) SELECT number, name FROM source.teacher", "");
    CORD_TRY(
        query_int64(m->journal, err, &differ, 0,
                    "SELECT (SELECT group_concat(name, ', ') FROM (SELECT name FROM main.teacher ORDER BY number))"
                    " IS NOT (SELECT group_concat(name, ', ') FROM (SELECT name FROM source.teacher ORDER BY number))",
                    ""));
    if (!differ) return CORD_OK;
    error_where(err, "%s", m->options->runs[m->run]);
    return error_set(
        err, CORD_CHANGED,
        "its teachers are not those of %s; what teachers wrote is kept under their numbers, so these cannot "
        "become one run",
        m->options->runs[0]);
}

/* What the runs' servers were asked for was asked for by all of them together; what was on its way got no answer. */
static cord_status take_spending(struct merge *m, cord_error *err) {
    return query_run(
        m->journal, err,
        "INSERT INTO main.spending SELECT model, requests, prompt_tokens, cached_tokens, new_tokens,"
        " lost + open, lost_prompt + open_prompt, lost_new + open_new, 0, 0, 0 FROM source.spending WHERE true"
        " ON CONFLICT (model) DO UPDATE SET requests = requests + excluded.requests,"
        " prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
        " cached_tokens = cached_tokens + excluded.cached_tokens,"
        " new_tokens = new_tokens + excluded.new_tokens, lost = lost + excluded.lost,"
        " lost_prompt = lost_prompt + excluded.lost_prompt, lost_new = lost_new + excluded.lost_new",
        "");
}

static cord_status take_run(struct merge *m, cord_error *err) {
    CORD_TRY(transaction_begin(m->journal, err));
    cord_status status = take_facts(m, err);
    if (status == CORD_OK) status = unite(m, "mixed", err);
    if (status == CORD_OK) status = unite(m, "made_by", err);
    if (status == CORD_OK) status = unite(m, "changed", err);
    if (status == CORD_OK) status = take_teachers(m, err);
    if (status == CORD_OK) status = take_spending(m, err);
    if (status == CORD_OK) status = merge_tables_open(m, err);
    if (status == CORD_OK) status = merge_problems(m, err);
    merge_tables_close(m);
    return transaction_end(m->journal, status, err);
}

/* ---- the runs ------------------------------------------------------------------------------------------------ */

/* That this is a run of this cord's schema; whether it has begun; notes its shard. */
static cord_status check_run(const char *folder, bool *begun, struct shard *shard, cord_error *err) {
    struct journal *journal;
    struct arena arena;
    cord_text recipe = {0}, text = {0};
    CORD_TRY(journal_open(folder, JOURNAL_READ, &journal, err));
    arena_init(&arena);
    cord_status status = journal_get_fact(journal, "recipe", &arena, &recipe, err);
    if (status == CORD_OK) status = journal_get_fact(journal, "shard", &arena, &text, err);
    *begun = recipe.data != NULL;
    if (!text.len || !shard_parse(text.data, shard)) *shard = (struct shard){0};
    arena_release(&arena);
    journal_close(journal);
    return status;
}

/* Where all runs are shards of one division, tells which of its shards are not among them. */
static cord_status tell_missing(struct merge *m, const struct shard *shards, int n, cord_error *err) {
    int count = shards[0].count, missing = 0;
    for (int i = 0; i < n; i++)
        if (shards[i].count != count) return CORD_OK;
    bool *there = calloc((size_t)count + 1, sizeof *there);
    struct buf names;
    if (!there) return error_memory(err);
    buf_init(&names, "shards", MOST_LINES);
    for (int i = 0; i < n; i++) there[shards[i].number] = true;
    for (int i = 1; i <= count; i++) {
        if (there[i]) continue;
        if (missing++ < MISSING_TOLD) buf_addf(&names, "%s%d/%d", names.len ? ", " : "", i, count);
    }
    if (missing)
        merge_tell(m, MERGE_NOTE, "%d of %d shards are not among these runs: %s%s", missing, count, names.data,
                   missing > MISSING_TOLD ? "..." : "");
    cord_status status = buf_check(&names, err);
    buf_release(&names);
    free(there);
    return status;
}

/* Those that have begun, in `kept`: of many shards, one may never have had its server. */
static cord_status check_runs(struct merge *m, const char **kept, int *n_kept, int *locks, cord_error *err) {
    const struct merge_options *o = m->options;
    *n_kept = 0;
    struct stat *seen = calloc((size_t)o->n_runs, sizeof *seen);
    struct shard *shards = calloc((size_t)o->n_runs, sizeof *shards);
    cord_status status = seen && shards ? CORD_OK : error_memory(err);
    for (int i = 0; i < o->n_runs && status == CORD_OK; i++) {
        if (stat(o->runs[i], &seen[i]) != 0) status = error_errno(err, "open the run folder", o->runs[i]);
        for (int j = 0; j < i && status == CORD_OK; j++)
            if (seen[j].st_dev == seen[i].st_dev && seen[j].st_ino == seen[i].st_ino)
                status = error_set(err, CORD_BAD_USAGE, "%s and %s are the same folder", o->runs[j], o->runs[i]);
        if (status == CORD_OK) status = database_hold(o->runs[i], &locks[i], err);
        bool begun = false;
        if (status == CORD_OK) status = check_run(o->runs[i], &begun, &shards[*n_kept], err);
        if (status == CORD_OK && begun) kept[(*n_kept)++] = o->runs[i];
        if (status == CORD_OK && !begun)
            merge_tell(m, MERGE_NOTE, "%s: nothing has been run here yet; it is left out", o->runs[i]);
    }
    if (status == CORD_OK && !*n_kept)
        status = error_set(err, CORD_BAD_INPUT, "in none of these folders anything has been run yet");
    m->counts->left_out = o->n_runs - *n_kept;
    if (status == CORD_OK) status = tell_missing(m, shards, *n_kept, err);
    free(seen);
    free(shards);
    return status;
}

static cord_status take_runs(struct merge *m, cord_error *err) {
    CORD_TRY(
        query_run(m->journal, err, "CREATE TEMP TABLE origin (problem INTEGER PRIMARY KEY, run INTEGER NOT NULL)", ""));
    for (m->run = 0; m->run < m->options->n_runs; m->run++) {
        CORD_TRY(database_attach(m->journal, m->options->runs[m->run], err));
        arena_init(&m->arena);
        cord_status status = take_run(m, err);
        arena_release(&m->arena);
        CORD_TRY(status);
        CORD_TRY(database_detach(m->journal, err));
    }
    return CORD_OK;
}

/* ---- the result as a whole ----------------------------------------------------------------------------------- */

/* Positions stay as they are where they agree with the lines: all runs read one file, from the same row on. A line may hold
 * several problems, one behind the other. */
static cord_status order_problems(struct merge *m, cord_error *err) {
    int64_t shared, disorder;
    CORD_TRY(query_int64(m->journal, err, &shared, 0,
                         "SELECT EXISTS (SELECT 1 FROM main.problem GROUP BY line, number HAVING count(*) > 1)", ""));
    CORD_TRY(query_int64(m->journal, err, &disorder, 0,
                         "SELECT count(*) FROM (SELECT number, lag(number) OVER (ORDER BY line, number) AS before"
                         " FROM main.problem) WHERE number <= before",
                         ""));
    if (!disorder) return CORD_OK;
    if (shared)
        merge_tell(m, MERGE_NOTE,
                   "the runs read different problem files (or the file has changed): problems stand run by "
                   "run, and their positions are counted anew");
    else
        merge_tell(m, MERGE_NOTE, "the runs began at different rows of the problem file: positions are counted anew");
    return query_run(m->journal, err,
                     "UPDATE main.problem SET number = p.number FROM (SELECT key, row_number() OVER"
                     " (ORDER BY CASE WHEN ?1 THEN run END, line, number, key) - 1 AS number"
                     " FROM main.problem JOIN temp.origin ON problem = key) AS p WHERE p.key = problem.key",
                     "l", shared);
}

static cord_status put_merged(struct merge *m, cord_error *err) {
    struct buf text;
    size_t names = 16;
    for (int i = 0; i < m->options->n_runs; i++) names += 6 * strlen(m->options->runs[i]) + 3; /* "\\u0001" */
    buf_init(&text, "the runs' names", names);
    struct json_writer w = {.out = &text};
    json_open(&w, NULL, '[');
    for (int i = 0; i < m->options->n_runs; i++) json_text(&w, NULL, text_of(m->options->runs[i]));
    json_close(&w, ']');
    cord_status status = buf_check(&text, err);
    if (status == CORD_OK) status = journal_put_fact(m->journal, "merged", buf_text(&text), err);
    buf_release(&text);
    return status;
}

/* The recipe is that of one of the runs, and would go on there. */
static cord_status move_recipe(struct merge *m, cord_error *err) {
    cord_text recipe;
    arena_init(&m->arena);
    cord_status status = journal_get_fact(m->journal, "recipe", &m->arena, &recipe, err);
    if (status == CORD_OK && recipe.len) {
        status = m->options->move(recipe, m->options->out, &m->arena, &recipe, err);
        if (status == CORD_OK) status = journal_put_fact(m->journal, "recipe", recipe, err);
    }
    arena_release(&m->arena);
    return status;
}

static cord_status finish_journal(struct merge *m, cord_error *err) {
    CORD_TRY(transaction_begin(m->journal, err));
    cord_status status = order_problems(m, err);
    if (status == CORD_OK) status = put_merged(m, err);
    if (status == CORD_OK) status = move_recipe(m, err);
    return transaction_end(m->journal, status, err);
}

static cord_status write_recipe(struct merge *m, const char *folder, struct arena *arena, cord_error *err) {
    cord_text recipe;
    const char *path = arena_printf(arena, "%s/recipe.yaml", folder);
    if (!path) return error_memory(err);
    CORD_TRY(journal_get_fact(m->journal, "recipe", arena, &recipe, err));
    return file_write_atomic(path, recipe, err);
}

static cord_status write_files(struct merge *m, const char *folder, cord_error *err) {
    struct arena arena;
    arena_init(&arena);
    cord_status status = write_recipe(m, folder, &arena, err);
    arena_release(&arena);
    CORD_TRY(status);
    CORD_TRY(export_trajectories(m->journal, folder, err));
    CORD_TRY(summary_count(m->journal, false, &m->counts->merged, err));
    return summary_write(m->journal, folder, NULL, &m->counts->merged, err);
}

static cord_status merge_all(struct merge *m, const char *folder, cord_error *err) {
    CORD_TRY(take_runs(m, err));
    if (m->counts->conflicts && m->options->prefer == MERGE_NONE) {
        error_where(err, "%s", m->options->out);
        return error_set(err, CORD_CHANGED, "not made, because these runs contradict each other in %d thing%s",
                         m->counts->conflicts, m->counts->conflicts == 1 ? "" : "s");
    }
    CORD_TRY(finish_journal(m, err));
    return write_files(m, folder, err);
}

/* ---- the folder ---------------------------------------------------------------------------------------------- */

/* A file that a draft has until its folder has its name: what has none is not a merge's to clear away. */
#define MARK "merging"

static int is_mark(const struct dirent *entry) { return !strcmp(entry->d_name, MARK); }

static int is_ours(const struct dirent *entry) {
    for (int i = 0; run_files[i]; i++)
        if (text_starts(text_of(entry->d_name), text_of(run_files[i]))) return 1;
    return 0;
}

/* Removes the files of a folder that `which` chooses. What cannot be removed stays, and does no harm. */
static void clear_folder(const char *folder, int (*which)(const struct dirent *)) {
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, which, NULL);
    for (int i = 0; i < n; i++) {
        char *path;
        if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) >= 0) {
            unlink(path);
            free(path);
        }
        free(entries[i]);
    }
    free(entries);
}

static int is_anything(const struct dirent *entry) {
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static cord_status begin_draft(const char *draft, cord_error *err) {
    struct dirent **entries = NULL;
    char mark[4096];
    CORD_TRY(database_make_folder(draft, err));
    if ((size_t)snprintf(mark, sizeof mark, "%s/" MARK, draft) >= sizeof mark)
        return error_set(err, CORD_BAD_USAGE, "the name %s is too long", draft);
    if (access(mark, F_OK) == 0) return CORD_OK;
    int n = scandir(draft, &entries, is_anything, NULL);
    for (int i = 0; i < n; i++) free(entries[i]);
    free(entries);
    if (n)
        return error_set(err, CORD_BAD_USAGE,
                         "%s, where the result would grow, is there already, and is no draft of a merge; rename it, or "
                         "name another folder than %.*s",
                         draft, (int)(strlen(draft) - strlen("." MARK)), draft);
    int file = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) return error_errno(err, "make", mark);
    close(file);
    return CORD_OK;
}

static cord_status check_out(const char *out, cord_error *err) {
    struct stat info;
    if (lstat(out, &info) == 0)
        return error_set(err, CORD_BAD_USAGE, "%s exists already; name a folder that does not", out);
    return errno == ENOENT ? CORD_OK : error_errno(err, "look at", out);
}

/* The lock goes with the folder: until it has its name, no other merge can take it for one that was left behind. */
static cord_status publish(struct merge *m, const char *draft, const char *out, cord_error *err) {
    int lock = dup(m->journal->lock);
    if (lock < 0) return error_errno(err, "hold the lock of", draft);
    journal_close(m->journal);
    m->journal = NULL;
    cord_status status = check_out(out, err);
    if (status == CORD_OK && rename(draft, out) != 0) status = error_errno(err, "make", out);
    if (status == CORD_OK) clear_folder(out, is_mark);
    if (status == CORD_OK) file_sync_folder(out);
    close(lock);
    return status;
}

static cord_status make(struct merge *m, const char *draft, const char *out, cord_error *err) {
    CORD_TRY(begin_draft(draft, err));
    CORD_TRY(journal_open(draft, JOURNAL_FRESH, &m->journal, err));
    output_clear_drafts(draft);
    cord_status status = merge_all(m, draft, err);
    if (status == CORD_OK) status = publish(m, draft, out, err);
    int lock = m->journal ? dup(m->journal->lock) : -1; /* until all is cleared away: another merge may wait for it */
    journal_close(m->journal);
    if (status != CORD_OK) {
        clear_folder(draft, is_ours);
        clear_folder(draft, is_mark); /* last: without it nobody knows whose the rest is */
        rmdir(draft);
    }
    if (lock >= 0) close(lock);
    return status;
}

cord_status merge_runs(const struct merge_options *options, struct merge_counts *counts, cord_error *err) {
    struct merge m = {.options = options, .counts = counts};
    struct arena arena;
    *counts = (struct merge_counts){0};
    arena_init(&arena);
    cord_text out = arena_text(&arena, path_trim(text_of(options->out)));
    const char *draft = out.data ? arena_printf(&arena, "%s." MARK, out.data) : NULL;
    int *locks = arena_alloc(&arena, (size_t)options->n_runs * sizeof *locks);
    const char **runs = arena_alloc(&arena, (size_t)options->n_runs * sizeof *runs);
    struct merge_options kept = *options;
    cord_status status = draft && locks && runs ? check_out(out.data, err) : error_memory(err);
    for (int i = 0; locks && i < options->n_runs; i++) locks[i] = -1;
    if (status == CORD_OK) status = check_runs(&m, runs, &kept.n_runs, locks, err);
    kept.runs = runs;
    m.options = &kept;
    if (status == CORD_OK) status = make(&m, draft, out.data, err);
    for (int i = 0; locks && i < options->n_runs; i++)
        if (locks[i] >= 0) close(locks[i]);
    arena_release(&arena);
    return status;
}
