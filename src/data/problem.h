/* problem.h - reads problem sets. A row becomes a problem, or a problem with a reason why it cannot be used.
 * It must not know who solves them.
 *
 * Two views of a problem exist on purpose: `struct question` is all that proposers ever see, and has no gold. */
#ifndef CORD_PROBLEM_H
#define CORD_PROBLEM_H

#include "base/base.h"

/* What may be shown to a model that writes. There is no field for the answer, so none can leak. */
struct question {
    cord_text id;
    cord_text text;
};

struct problem {
    struct question question;
    cord_text target; /* what the meta-prover's likelihood is taken of (eq. 3) */
    cord_text gold;   /* what the final answer is graded against; the same string in mathematics */
    cord_text row;    /* the input line as it stands in the file, without the newline */
    int64_t line;     /* in the file, from 1 */
    int index;        /* in input order, from 0 */
    const char *bad;  /* NULL, or why this row cannot be used; then only row (empty if it was too long), line, index and
                         id ("line-7" where it has none of its own) are set */
};

/* How the gold stands in its field. */
enum answer_format {
    ANSWER_AUTO, /* GSM8K's last line "#### 18" where there is one, else the last \boxed{…} of a text of several lines
                        or of a field "solution", else all */
    ANSWER_VERBATIM, /* the whole field */
    ANSWER_HASHES,   /* what follows the last "####" */
    ANSWER_BOXED,    /* the content of the last \boxed{…} */
};

struct problem_options {
    const char *path;           /* JSONL; told in every error */
    const char *id_field;       /* NULL: "id", "unique_id", "problem_id", "uid", else made from the question's hash */
    const char *question_field; /* NULL: "question", "problem", "prompt" */
    const char *answer_field;   /* NULL: "answer", "gold", "final_answer", "solution" */
    const char *target_field;   /* NULL: the gold is the target */
    enum answer_format format;
    int64_t skip, limit; /* rows to leave out at the start; most rows to take, 0 = all */
};

struct problem_set {
    struct problem *problems; /* n of them, in input order, in the arena */
    int n, n_bad;
    char sha256[65]; /* of the rows taken, each with a newline */
    struct arena arena;
};

/* Reads the set. Fails only when the file cannot be read, holds no row, or none of its rows can be used (then the error
 * is the first row's); a bad row is in the set with its reason: broken JSON, a missing field (the fields that are there
 * are named), an empty question or answer, invalid UTF-8, a line of over 16 MiB, an id seen before. `where` is
 * FILE:LINE. Ids made from questions are stable under reordering. */
cord_status problem_set_read(struct problem_set *set, const struct problem_options *options, cord_error *err);
void problem_set_release(struct problem_set *set);

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
