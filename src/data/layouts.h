/* layouts.h - the table of known problem sets: which fields make one out, and where its rows have id, question, context,
 * answer and target. Each row is looked at by itself, so that what it comes to depends on no other row.
 * It must not know files, nor how an answer is taken out of its field. */
#ifndef CORD_LAYOUTS_H
#define CORD_LAYOUTS_H

#include "base/json.h"

/* How the gold stands in its field. */
enum answer_format {
    ANSWER_AUTO, /* GSM8K's last line "#### 18" where there is one, else the last \boxed{…} of a text of several lines
                        or of a field "solution" or "ground_truth_solution", else all */
    ANSWER_VERBATIM, /* the whole field */
    ANSWER_HASHES,   /* what follows the last "####" */
    ANSWER_BOXED,    /* the content of the last \boxed{…} */
    ANSWER_INTEGER,  /* the whole field, a whole number: 27.0 and 027 are 27 */
};
extern const char *const answer_format_names[]; /* in that order; NULL-terminated */

/* What a layout that is more than names of fields makes of a row. Empty: the row has none. */
struct layout_texts {
    cord_text id, question, context, answer, target;
    const char *answer_name; /* the field that the answer is from; static, or the user's */
    const char *how;         /* how the gold was made of it, where it is no part of the field; static, or NULL */
};

/* What holds for all rows. */
struct layout_options {
    bool judged;                   /* a judge will grade, to whom a long answer says more */
    const char *question, *answer; /* the fields that the user names; NULL */
};

struct layout {
    const char *name;
    const char *fields[5]; /* all of them there: a row of this set (if `fits` says so, too) */
    /* Names of fields; NULL: the usual ones, as problem.h lists them. */
    const char *id, *question, *answer;
    enum answer_format format;
    const char *note; /* for people: what else is to be known; NULL */
    bool calculator;  /* its answers hold a calculator's marks, <<48/2=24>>, which go */
    bool (*fits)(const struct json_row *row);
    /* In place of `fits`, where `read` takes the fields that the user names for those it reads else; elsewhere these take the place
     * of what is read. */
    bool (*fits_named)(const struct json_row *row, const struct layout_options *options);
    /* In place of the names. */
    cord_status (*read)(const struct json_row *row, const struct layout_options *options, struct arena *arena,
                        struct layout_texts *texts, cord_error *err);
};

/* Never NULL: a row of no known set has the layout whose name is "fields". */
const struct layout *layout_of(const struct json_row *row, const struct layout_options *options);
/* The table, which ends with "fields". */
const struct layout *layout_table(int *n);

/* Some files keep several problems in a record: TAT-QA's questions about one table, PubMedQA's one object of all. How many it
 * holds; 0: it is a row itself. */
int layout_unfold(const struct json_row *record);
/* False where the text cannot be such a record: a quick look. */
bool layout_may_unfold(cord_text row);
/* The i-th of them as a row, one after the other: the question's own members, with what all have in common. *left is kept from
 * one to the next. */
cord_status layout_part(const struct json_row *record, int i, cord_text *left, struct buf *row, cord_error *err);

#endif
