/* grade.c - the one function behind which graders stand (grade.h). It must not know who asks. */
#include "grade/grade.h"

#include "base/thinking.h"
#include "grade/command.h"
#include "grade/judge.h"

const char *const grader_kind_names[] = {"math", "text", "command", "judge", NULL};
const char *const number_rule_names[] = {"exact", "rounded", "relative", "tatqa", NULL};

cord_status grader_open(struct grader *grader, const struct grading *settings, const struct judge *judge,
                        bool (*stopped)(void), cord_error *err) {
    *grader = (struct grader){.settings = *settings, .judge = judge};
    if (settings->by != GRADER_COMMAND) return CORD_OK;
    return command_open(settings->command, settings->seconds, stopped, &grader->command, err);
}

void grader_close(struct grader *grader) {
    command_close(grader->command);
    *grader = (struct grader){0};
}

bool grader_find_answer(const struct grader *grader, cord_text reply, bool last_number, cord_text *answer,
                        cord_found *found) {
    cord_text taken = {"", 0};
    cord_found from = cord_extract_answer(reply, last_number, &taken);
    if (text_trim(taken).len == 0) from = CORD_FOUND_NOTHING;
    if (found) *found = from;
    if (from != CORD_FOUND_NOTHING) {
        *answer = taken;
        return true;
    }
    if (grader->settings.by != GRADER_COMMAND && grader->settings.by != GRADER_JUDGE) return false;
    *answer = text_trim(thinking_outside(reply));
    return answer->len > 0;
}

/* How both were read, for those who ask; copied, since few do. */
static cord_status keep_reading(const cord_grading *grading, struct grade_result *result, struct arena *arena,
                                cord_error *err) {
    result->gold_read = arena_text(arena, text_of(grading->gold_read));
    result->answer_read = arena_text(arena, text_of(grading->answer_read));
    return result->gold_read.data && result->answer_read.data ? CORD_OK : error_memory(err);
}

static cord_status grade_math(const struct grading *settings, const struct grade_request *request, bool explain,
                              struct grade_result *result, struct arena *arena, cord_error *err) {
    cord_grading grading = {0};
    cord_status status = cord_grade(request->gold, request->answer, &settings->math, &grading, err);
    *result = (struct grade_result){.verdict = grading.verdict, .why = grading.why};
    if (status == CORD_OK && explain) status = keep_reading(&grading, result, arena, err);
    cord_grading_release(&grading);
    return status;
}

/* Two texts are the same or they are not; where one is missing, there is nothing to compare. */
static void grade_text(const struct grade_request *request, struct grade_result *result) {
    cord_text gold = text_trim(request->gold), answer = text_trim(request->answer);
    *result = (struct grade_result){.verdict = CORD_DIFFERENT, .why = "the texts differ"};
    if (gold.len == 0 || answer.len == 0)
        *result = (struct grade_result){.verdict = CORD_UNDECIDED,
                                        .why = gold.len == 0 ? "the gold answer is empty" : "the answer is empty"};
    else if (text_equal(gold, answer))
        *result = (struct grade_result){.verdict = CORD_EQUAL, .why = "the texts are the same"};
}

cord_status grader_grade(const struct grader *grader, const struct grade_request *request, bool explain,
                         struct grade_result *result, struct arena *arena, cord_error *err) {
    switch (grader->settings.by) {
    case GRADER_MATH: return grade_math(&grader->settings, request, explain, result, arena, err);
    case GRADER_TEXT: grade_text(request, result); return CORD_OK;
    case GRADER_COMMAND: return command_ask(grader->command, request, result, arena, err);
    case GRADER_JUDGE: return judge_ask(grader->judge, &grader->settings, request, result, arena, err);
    }
    return error_set(err, CORD_INTERNAL, "a grader of unknown kind");
}
