/* grade.h - is a model's answer right? Four graders behind one function; a problem set's recipe chooses:
 *
 *   math      cord_grade: equality and difference are proved
 *   text      the same text, blanks at its ends aside
 *   command   a program of the user's own, asked a line of JSON at a time (command.c)
 *   judge     a language model, asked whether the answer holds the reference's core content (judge.c)
 *
 * What a grader fails at is an undecided answer with the reason, never a wrong one; a judge that nobody could ask (its server
 * stays away) is an error. It must not know searches, journals, or who asks. */
#ifndef CORD_GRADE_H
#define CORD_GRADE_H

#include "base/base.h"
#include "data/chat.h"

enum grader_kind { GRADER_MATH, GRADER_TEXT, GRADER_COMMAND, GRADER_JUDGE };

/* In the order of the enums (and of cord_number_rule); they end with NULL. */
extern const char *const grader_kind_names[];
extern const char *const number_rule_names[];

/* How to grade: what a recipe or a command line says. Texts are borrowed. Zero is math, by its defaults. */
struct grading {
    enum grader_kind by;
    cord_grade_options math;

    const char *command; /* for /bin/sh -c */
    double seconds;      /* that it may take for one answer */

    cord_text system; /* of the judge; empty: its template's own default */
    cord_text prompt; /* its user's turn; {question}, {reference} and {prediction} stand in it */
    const char *date; /* as in chat.h */
    int tokens;       /* of its reply */
    float temperature;
};

/* The judge's prompt where a recipe has none. */
cord_text judge_prompt(void);
/* What such a text lacks, as in "does not hold {reference}"; NULL where it lacks nothing. */
const char *judge_prompt_complaint(cord_text prompt);

/* Who judges. Its parts may be filled in until the first answer is graded. */
struct judge {
    cord_engine *engine;
    const cord_model *model;
    const struct chat_template *tmpl;
};

struct grader {
    struct grading settings;
    const struct judge *judge;
    struct command *command; /* running; NULL for the other kinds */
};

/* Opens a grader. `judge` is borrowed, and NULL for the other kinds. A command is started here and kept running;
 * CORD_BAD_RECIPE, in words, where that cannot be. While it is waited for, `stopped` (may be NULL) is asked now and then
 * whether to go on. SIGPIPE must be ignored in the process, as main.c sees to. */
cord_status grader_open(struct grader *grader, const struct grading *settings, const struct judge *judge,
                        bool (*stopped)(void), cord_error *err);
/* Ends the command: its input is closed; what then still runs after a second is killed. A zeroed grader is fine. */
void grader_close(struct grader *grader);

/* The answer that is to be graded in a whole reply: what cord_extract_answer finds; else, for a command and a judge, which
 * can make something of it, all that stands behind the thinking. False where there is none. `found` may be NULL. */
bool grader_find_answer(const struct grader *grader, cord_text reply, bool last_number, cord_text *answer,
                        cord_found *found);

/* Puts a line that is nothing but a value, "3050" or "21600 pounds", into the box that can only be around it; and one of at most
 * `words` words ("Paris"), which of a longer one would not be certain. Any other stays as it is. */
cord_status answer_into_box(cord_text *answer, int words, struct arena *arena, cord_error *err);

struct grade_request {
    cord_text question; /* may be empty; math and text do without */
    cord_text gold;
    cord_text answer;     /* see grader_find_answer */
    cord_text reply;      /* all that the model replied */
    uint64_t seed, group; /* of the judge's own reply, as in cord_proposal */
};

struct grade_result {
    cord_verdict verdict;
    const char *why;                  /* static, or in the arena */
    cord_text gold_read, answer_read; /* by math, where `explain` was asked for: how each was read; in the arena */
};

/* Grades one answer. Any number of threads may call. Fails only where nobody's answer could be graded any more: without
 * memory, when the engine does, and with CORD_CANCELLED. */
cord_status grader_grade(const struct grader *grader, const struct grade_request *request, bool explain,
                         struct grade_result *result, struct arena *arena, cord_error *err);

#endif
