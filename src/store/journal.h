/* journal.h - what a run knows, kept in one SQLite file: every candidate of every round, in one transaction a round. A
 * process killed at any instant loses at most the round in flight. It must not know how models run or how searches
 * choose: it writes down what an observer was told and gives it back.
 *
 * Workload: one writer, a transaction of some dozens of small rows every few seconds, readers at any time (cord show on a
 * live run). WAL where it is safe; a rollback journal on network file systems, where it is not, and where readers let go between
 * problems. */
#ifndef CORD_JOURNAL_H
#define CORD_JOURNAL_H

#include "data/problem.h"
#include "search/search.h"

/* A handle is used by one thread at a time: where there are several, the one that holds its lock. */
struct journal;
void journal_lock(struct journal *journal);
void journal_unlock(struct journal *journal);

/* The files of a run folder, NULL-terminated; SQLite puts some of its own beside the first. */
extern const char *const run_files[];

enum journal_mode {
    JOURNAL_READ,
    JOURNAL_WRITE,
    JOURNAL_FRESH, /* as WRITE, in place of a journal that lies there */
};

/* Opens (JOURNAL_WRITE: makes, if need be) FOLDER/journal.sqlite. For writing, takes the folder's lock: CORD_BUSY, with the
 * other's process id, while another process holds it. A file of another schema version, or one that is not a journal of
 * cord, is refused in words; one of schema 4 is brought up to date by who writes, and read as it stands. */
cord_status journal_open(const char *folder, enum journal_mode mode, struct journal **journal, cord_error *err);
void journal_close(struct journal *journal); /* NULL is fine */

/* ---- the run --------------------------------------------------------------------------------------------------- */

/* Key-value facts of the run. NULL text when absent.
 *   recipe              resolved
 *   model.NAME.sha256   of its file
 *   model.NAME.serves   which model its server says that it has
 *   model.NAME.parameters   how many; 0: not known
 *   model.NAME.noise    the largest difference of one token's log-probability that scheduling can cause, nats
 *   model.NAME.apart    the largest that was found between two ways of scoring, when the run was started
 *   made_by             the versions of cord that worked on it, a line each: "0.1.0 (COMMIT)"
 *   changed             in what recipes differed that it was gone on with, a line each: "search.beam: 2 -> 3"
 *   shard               "2/8"; empty for the whole set
 *   seldom              with adaptive proposals: what the pilot's end was settled by, and a line a teacher that is asked
 *                       seldom since; not of a merged run, which settles it anew
 *   merged              a JSON array: the folders that it was merged from
 *   mixed               in what these did not agree, a line each; empty where they did */
cord_status journal_put_fact(struct journal *journal, const char *key, cord_text value, cord_error *err);
cord_status journal_get_fact(struct journal *journal, const char *key, struct arena *arena, cord_text *value,
                             cord_error *err);

/* Adds a line to a fact, unless it is there. */
cord_status journal_add_to_fact(struct journal *journal, const char *key, cord_text line, cord_error *err);

/* Facts of a model, model.NAME.WHAT. A number that is not there leaves *value as it is. */
cord_status journal_put_model_fact(struct journal *journal, const char *model, const char *what, cord_text value,
                                   cord_error *err);
cord_status journal_get_model_fact(struct journal *journal, cord_text model, const char *what, struct arena *arena,
                                   cord_text *value, cord_error *err);
cord_status journal_get_model_number(struct journal *journal, const char *model, const char *what, double *value,
                                     cord_error *err);

/* A fact of all models that have it, by their names. */
struct model_fact {
    cord_text model, value;
};
cord_status journal_list_model_facts(struct journal *journal, const char *what, struct arena *arena,
                                     struct model_fact **facts, int *n, cord_error *err);

/* Teachers' names by index, so that journals are readable without the recipe. */
cord_status journal_put_teachers(struct journal *journal, const struct teacher *teachers, int n, cord_error *err);
cord_status journal_get_teachers(struct journal *journal, struct arena *arena, const char *const **names, int *n,
                                 cord_error *err);

/* ---- problems -------------------------------------------------------------------------------------------------- */

enum problem_status { PROBLEM_OPEN, PROBLEM_DONE, PROBLEM_FAILED };

/* Registers a set (of a shard, its part alone) in one transaction; those already there (same id and same content) keep
 * their state. An id whose content differs from the journal's is CORD_CHANGED. Bad rows are recorded as failed with
 * their reason, and those that are not in the set any more are forgotten: they were mended, or have moved. For this
 * handle these are the problems that are *wanted* from here on; the journal may have others, of a set that was larger. */
cord_status journal_put_problems(struct journal *journal, const struct problem_set *set, cord_error *err);

/* A problem as the journal has it. */
struct journal_problem {
    int64_t key; /* row id, for the calls below */
    int index;   /* in input order */
    cord_text id, question, target, gold, row;
    enum problem_status status;
    cord_text reason; /* of a failure */
    bool started;
    double log_s0;
    cord_text contrast; /* data NULL where there is none */
    int rounds;
};
/* All problems in input order. */
cord_status journal_problems(struct journal *journal, struct arena *arena, struct journal_problem **problems, int *n,
                             cord_error *err);

/* The same one by one, in memory that does not grow with them:
 *     journal_walk_begin(&walk, journal, err);
 *     while (status == CORD_OK && journal_walk_next(&walk, &problem)) status = look_at(&problem, &walk.arena, err);
 *     return journal_walk_end(&walk, status);
 * The first error ends the loop and is what journal_walk_end returns. No problem may be put in meanwhile. A reader sees all
 * as it stood at the beginning; of a run that goes on with a rollback journal, each problem as it stands by then, since it
 * could not write while somebody reads. */
struct journal_walk {
    struct journal *journal;
    cord_error *err;
    cord_status status;
    struct arena arena; /* of the problem told last, and of what is made of it */
    int64_t *keys, last_number, last_key;
    int at, n;
    bool locked; /* it is one transaction */
};
void journal_walk_begin(struct journal_walk *walk, struct journal *journal, cord_error *err);
bool journal_walk_next(struct journal_walk *walk, struct journal_problem *problem);
/* `status`: of what was done with the problems; CORD_OK: what the walk itself came to. */
cord_status journal_walk_end(struct journal_walk *walk, cord_status status);

/* How many problems there are. */
cord_status journal_count(struct journal *journal, int *n, cord_error *err);
/* The problem of that id; else the one of that number, as `cord show` counts them, from 1. */
cord_status journal_find(struct journal *journal, const char *name, struct arena *arena, bool *found,
                         struct journal_problem *problem, cord_error *err);

/* Of the problems that are wanted. */
struct journal_progress {
    int wanted, done, failed, bad,
        begun; /* bad: of the failed, rows that are no problem; begun: by a search, ended or not */
};
cord_status journal_progress(struct journal *journal, struct journal_progress *progress, cord_error *err);
/* Of all problems, wanted or not: how many a search has begun, and how many of these are not done. */
cord_status journal_count_begun(struct journal *journal, int64_t *begun, int64_t *unfinished, cord_error *err);
/* Whether a problem that was read is among them. */
cord_status journal_wants(struct journal *journal, const struct journal_problem *problem, bool *wanted,
                          cord_error *err);
/* The first wanted one behind `index` in the set's order that is open; before the first is -1. Its index is the set's. */
cord_status journal_next_open(struct journal *journal, int index, struct arena *arena, bool *found,
                              struct journal_problem *problem, cord_error *err);
/* The index of the n-th wanted problem, n from 1, rows that are no problem left out; INT_MAX where there are fewer. */
cord_status journal_nth_wanted(struct journal *journal, int n, int *index, cord_error *err);
/* Of each teacher the candidates that beams took, in the wanted problems up to that index. */
cord_status journal_count_kept(struct journal *journal, int index, int64_t *kept, int n_teachers, cord_error *err);
/* Makes those wanted that failed open again, with what they have (for --retry-failed). Rounds at their end that left nothing to
 * go on from are deleted, so that they are asked for anew. */
cord_status journal_reopen(struct journal *journal, cord_error *err);

/* What the search told: one transaction each. */
cord_status journal_started(struct journal *journal, int64_t problem, double log_s0, cord_text contrast,
                            const struct spoken *spoken, int n, cord_error *err);
cord_status journal_round(struct journal *journal, int64_t problem, const struct round *round, cord_error *err);
cord_status journal_finished(struct journal *journal, int64_t problem, const struct answered *finished, int n,
                             cord_error *err); /* and the problem is done */
cord_status journal_failed(struct journal *journal, int64_t problem, const char *reason, cord_error *err);

/* ---- reading back ---------------------------------------------------------------------------------------------- */

/* One round with its candidates and the beam after it; trajectories are rebuilt whole (reasoning, steps). Rounds must be
 * read in order: `previous` is the beam of the round before (NULL for round 1). */
cord_status journal_read_round(struct journal *journal, int64_t problem, int number, const struct trajectory *previous,
                               int n_previous, struct arena *arena, struct round *round, cord_error *err);
/* Where a problem stands, for search.state. */
cord_status journal_state(struct journal *journal, const struct journal_problem *problem, struct arena *arena,
                          struct search_state *state, cord_error *err);
/* The finished trajectories of a problem that is done, best first. */
cord_status journal_answers(struct journal *journal, const struct journal_problem *problem, struct arena *arena,
                            struct answered **answers, int *n, cord_error *err);

/* How each participant was spoken to (prompt spans with their trust; of the style, the texts that stand around reasoning:
 * marker, between, think_close, answer_open, score_open, score_close). */
cord_status journal_spoken(struct journal *journal, int64_t problem, struct arena *arena, struct spoken **spoken,
                           int *n, cord_error *err);

/* Sums over a problem (or over the run: key 0), by role. */
struct journal_totals {
    int64_t proposed_tokens, propose_prompt_tokens, propose_cached_tokens; /* with the guesses before round 1 */
    int64_t score_prompt_tokens, score_cached_tokens, judged_tokens;
    int64_t not_apart; /* candidates of an older journal, which has judged_tokens in score_prompt_tokens */
    int64_t answer_tokens;
    int64_t candidates, dropped;
};
cord_status journal_totals(struct journal *journal, int64_t problem, struct journal_totals *totals, cord_error *err);
/* Over all problems of one state. */
cord_status journal_totals_of(struct journal *journal, enum problem_status status, struct journal_totals *totals,
                              cord_error *err);

#endif
