/* problem.h - reads problem sets of any known layout. A row becomes a problem, or a problem with a reason why it cannot be
 * used.
 * It must not know who solves them.
 *
 * Two views of a problem exist on purpose: `struct question` is all that proposers ever see, and has no gold. */
#ifndef CORD_PROBLEM_H
#define CORD_PROBLEM_H

#include "data/layouts.h"
#include "data/shard.h"
#include "data/spool.h"

/* What may be shown to a model that writes. There is no field for the answer, so none can leak. */
struct question {
    cord_text id;
    cord_text text;
};

struct problem {
    struct question question; /* its text holds the context, where the row has one, and an empty line behind it */
    cord_text target;         /* what the meta-prover's likelihood is taken of (eq. 3) */
    cord_text gold;           /* what the final answer is graded against; the same string in mathematics */
    cord_text full_question;  /* the question with its full context, to be exported with; empty: as question.text */
    cord_text row;            /* the row as JSON on one line; of JSONL, the line as it stands in the file */
    int64_t line;             /* in the file, from 1; of a table, the row; several problems may share one */
    int index;                /* in input order, from 0 */
    const char *bad;      /* NULL, or why this row cannot be used; then only row (empty if it was too long), line, index
                                 and id ("line-7" where it has none of its own) are set */
    const char *layout;   /* the set that the row was recognised as, "fields" where of none. Static. */
    const char *gold_how; /* how the gold was read: "the whole field", "behind ####", … Static. */
    cord_text gold_field; /* the field that it was read from */
    bool made_id;         /* the row has none of its own */
    bool has_context;     /* something stands before the question */
};

/* What can be done about ids that stand for several rows. */
#define REPEATED_ID_ADVICE "; where ids repeat, problems.id (or --id) \"-\" makes them from the questions"

struct problem_options {
    const char *path;     /* told in every error; what kinds of files there are, source.h says */
    const char *library;  /* of DuckDB, for files that are not JSONL; see tables.h */
    const char *id_field; /* NULL: the set's own, or "id", "unique_id", "problem_id", "uid"; "-", or where there is
                                       none: it is made from the question's hash */
    const char *question_field;     /* NULL: the set's own, or "question", "problem", "prompt" */
    const char *answer_field;       /* NULL: the set's own, or "answer", "gold", "final_answer", "solution" */
    const char *target_field;       /* NULL: the set's own, or the gold is the target */
    const char *context_field;      /* NULL: the set's own, or "context" where that is a text */
    const char *full_context_field; /* NULL: "full_context" */
    enum answer_format format;      /* ANSWER_AUTO: the set's own */
    bool judged;         /* a judge will grade: where a set has a short answer and a long one, take the latter */
    int64_t skip, limit; /* problems to leave out at the start; most to take, 0 = all */
};

/* ---- one problem at a time --------------------------------------------------------------------------------------- */

/* Memory does not grow with the file: which ids were there before lies on disk when they are many (seen.h). What a row comes
 * to depends on no other row, but for that. */
struct problem_reader;

cord_status problem_reader_open(const struct problem_options *options, struct problem_reader **reader, cord_error *err);
/* The next problem, good or bad; it lives until the next call. What is returned ends the reading. */
cord_status problem_reader_next(struct problem_reader *reader, bool *more, struct problem *problem, cord_error *err);
void problem_reader_close(struct problem_reader *reader);
/* What the file is ("JSONL", "Parquet", …), and what its rows are called ("line", "row"). Static. */
const char *problem_reader_kind(const struct problem_reader *reader);
const char *problem_reader_unit(const struct problem_reader *reader);
/* Where the problem told last stands: FILE:LINE, or "FILE, row N". */
void problem_reader_where(const struct problem_reader *reader, cord_error *err);

/* ---- a whole set ------------------------------------------------------------------------------------------------- */

/* Problems in input order, of which memory holds none: they lie in a spool until they are asked for. */
struct problem_set {
    int n, n_bad;                               /* of the whole set */
    size_t longest_question, longest_with_gold; /* bytes, of the whole set: a question; one with its gold */
    const char *unit;                           /* what the problems' lines count: "line" or "row". Static. */
    struct shard shard;                         /* whose problems alone problem_set_next tells; zero: all */
    struct spool kept;
};

/* Reads the set. Fails only when the file cannot be read, holds no row, or none of its rows can be used (then the error
 * is the first row's); a bad row is in the set with its reason: broken JSON, a missing field (the fields that are there
 * are named), an empty question or answer, invalid UTF-8, a row of over 16 MiB, an id seen before. `where` is FILE:LINE, or
 * "FILE, row N". Ids made from questions are stable under reordering. */
cord_status problem_set_read(struct problem_set *set, const struct problem_options *options, cord_error *err);
/* An empty set, and another problem of it: copied, but for its static texts. */
void problem_set_init(struct problem_set *set, const char *unit);
/* What problem_set_read fails with where no problem can be used; `first`: of the first bad row. */
cord_status problem_set_check(const struct problem_set *set, const struct problem_options *options,
                              const cord_error *first, cord_error *err);
cord_status problem_set_add(struct problem_set *set, const struct problem *problem, cord_error *err);
void problem_set_release(struct problem_set *set); /* of one that is all zeros, too */

/* Goes through a set:
 *     problem_walk_begin(&walk, &set, err);
 *     while (status == CORD_OK && problem_walk_next(&walk, &problem)) status = look_at(&problem, err);
 *     return problem_walk_end(&walk, status);
 * A problem lives until the next one. The first error ends the loop and is what problem_walk_end returns. */
struct problem_walk {
    const struct problem_set *set;
    cord_error *err;
    cord_status status;
    struct arena arena; /* of the problem told last */
    int64_t at;         /* in the spool: where the next problem lies, which spool_end told before it was added */
};
void problem_walk_begin(struct problem_walk *walk, const struct problem_set *set, cord_error *err);
bool problem_walk_next(struct problem_walk *walk, struct problem *problem);
cord_status problem_walk_end(struct problem_walk *walk, cord_status status);

/* For readers of rows that hold more than a problem. Fills in id (empty where the row has none of its own), question, gold and
 * target, in `arena`. `question`: what is asked where no field says it; NULL: then such a row is wrong. What was found before
 * something was missing stays filled in. */
struct json_row;
cord_status problem_read_fields(const struct json_row *row, const struct problem_options *options,
                                const cord_text *question, struct arena *arena, struct problem *problem,
                                cord_error *err);
/* "p-" and the beginning of the question's hash. data == NULL when there is no memory. */
cord_text problem_id_of(cord_text question, struct arena *arena);

#endif
