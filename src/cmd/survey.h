/* survey.h - what is to be told of a problem set, gathered problem by problem in little memory: what was recognised, how golds
 * were read, what cannot be used, what comes twice, how long things are. It must not know how it is shown. */
#ifndef CORD_SURVEY_H
#define CORD_SURVEY_H

#include "data/problem.h"
#include "data/seen.h"

enum { SURVEY_GROUPS = 24, SURVEY_EXAMPLES = 3, SURVEY_EXAMPLE_BYTES = 120, SURVEY_BUCKETS = 4096 };

/* How long texts are, exactly up to 256 and to within 2 percent above. */
struct lengths {
    int64_t n, sum, longest;
    int64_t buckets[SURVEY_BUCKETS];
};

void lengths_add(struct lengths *lengths, int64_t length);
/* The length that the share `part` of all does not exceed. */
int64_t lengths_at(const struct lengths *lengths, double part);

/* Golds that were read in the same way from the same field of the same layout. */
struct gold_group {
    const char *layout, *how;
    cord_text field;
    int64_t n;
    cord_text examples[SURVEY_EXAMPLES]; /* different ones, cut to SURVEY_EXAMPLE_BYTES */
    int n_examples;
};

/* A row and what is wrong with it. */
struct complaint {
    int64_t line;
    cord_text id;
    const char *what;
};

struct complaints {
    struct complaint *rows;
    int n, capacity;
    int64_t count; /* all of them: only so many are kept */
};

enum survey_part { PART_QUESTION, PART_FULL_QUESTION, PART_GOLD, PART_TARGET, SURVEY_PARTS };
extern const char *const survey_part_names[];

struct survey {
    int64_t problems, usable, own_ids, contexts, other_targets;
    int64_t same_ids, same_questions;
    struct gold_group groups[SURVEY_GROUPS];
    int n_groups;
    int64_t other_groups; /* golds of groups for which there was no room */
    struct complaints unusable, repeated;
    int most;         /* complaints of each kind that are kept */
    const char *unit; /* what the lines count: "line" or "row" */
    struct lengths lengths[SURVEY_PARTS];
    struct seen questions; /* text -> line */
    struct arena arena;
};

void survey_init(struct survey *survey, int most);
/* `survey->unit` is set by whoever reads, before the first. */
void survey_release(struct survey *survey);
cord_status survey_add(struct survey *survey, const struct problem *problem, cord_error *err);

#endif
