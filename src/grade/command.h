/* command.h - a program of the user's own as a grader. It must not know where its questions come from. */
#ifndef CORD_GRADE_COMMAND_H
#define CORD_GRADE_COMMAND_H

#include "grade/grade.h"

/* Starts it. `line` is copied. */
cord_status command_open(const char *line, double seconds, bool (*stopped)(void), struct command **out,
                         cord_error *err);
void command_close(struct command *command); /* NULL is fine */
/* As grader_grade. */
cord_status command_ask(struct command *command, const struct grade_request *request, struct grade_result *result,
                        struct arena *arena, cord_error *err);

#endif
