/* judge.h - a language model as a grader. It must not know where its questions come from. */
#ifndef CORD_GRADE_JUDGE_H
#define CORD_GRADE_JUDGE_H

#include "grade/grade.h"

/* As grader_grade. */
cord_status judge_ask(const struct judge *judge, const struct grading *settings, const struct grade_request *request,
                      struct grade_result *result, struct arena *arena, cord_error *err);

/* What a judge's reply says. `cut`: it was ended by its token limit, so that its last line is not whole. `thinking`: the
 * prompt had opened the thinking. */
cord_verdict judge_read(cord_text reply, bool cut, bool thinking, const char **why);

#endif
