/* evidence.h - what a run shows of each of its problems, as rows: from its journal, or from a table that was written from it,
 * which is how evidence is kept over days and machines when journals are gone. It must not know how runs are compared.
 *
 * The table is tab-separated, a line a problem, method and seed, with names of columns in its first line; numbers have all
 * their digits, so that what is computed from it is the same to the last bit. Columns: docs/compare.md, "Rows". */
#ifndef CORD_EVIDENCE_H
#define CORD_EVIDENCE_H

#include "eval/measures.h"

struct evidence_row {
    cord_text id;      /* empty: a row of the problem file that could not be used */
    cord_text problem; /* hash of question, target and gold */
    enum problem_status status;
    const char *version; /* the cords that computed its run: "0.1.0 (COMMIT), 0.2.0 (COMMIT)" */
    bool measured;
    double value[MEASURES]; /* of a problem that is done and measured */
    struct hits hits;
};

/* One run. */
struct evidence {
    const char *run; /* its folder, as it was named */
    const char *strategy, *criterion, *seed;
    const char *method, *scorer, *measurer; /* hashes, of struct recipe_outline; empty: not known */
    const char *const *teachers;
    int n_teachers;
    struct evidence_row *rows; /* in input order */
    int n, room;
};

/* Adds to a list of versions those of another that are not in it. */
cord_status evidence_add_versions(const char **list, cord_text versions, struct arena *arena, cord_error *err);

/* Takes the rows of a run's problems, which `version` computed, not measured yet. */
cord_status evidence_take(struct evidence *run, const char *version, const struct journal_problem *problems, int n,
                          struct arena *arena, cord_error *err);

/* All rows of some runs into a file. */
cord_status evidence_write(const struct evidence *const *runs, int n, const char *path, cord_error *err);

/* Whether two runs have the same teachers in the same order, so that what is counted of each can be added. */
bool evidence_same_teachers(const struct evidence *a, const struct evidence *b);

struct evidence_list {
    struct evidence *runs;
    int n, room;
};
/* Adds what a file holds. Rows of one method, seed, folder and teachers are one run's, whatever files they stand in; the same
 * row twice is one. A line that says what the first one says, as where tables were appended, is none. Everything lives in the
 * arena. */
cord_status evidence_read(const char *path, struct evidence_list *list, struct arena *arena, cord_error *err);

#endif
