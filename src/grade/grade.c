/* grade.c - the one function behind which graders stand (grade.h). It must not know who asks. */
#include "grade/grade.h"

#include "base/thinking.h"
#include "grade/command.h"
#include "grade/judge.h"

#include <limits.h>

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

/* Words of a text; more than any number, where it may be a sentence. */
static int words_of(cord_text text) {
    int n = 1;
    for (size_t i = 0; i < text.len; i++) n += text.data[i] == ' ';
    return text_ends(text, TEXT(".")) || text_ends(text, TEXT("!")) || text_ends(text, TEXT("?")) ? INT_MAX : n;
}

cord_status answer_into_box(cord_text *answer, int words, struct arena *arena, cord_error *err) {
    cord_grading read;
    cord_text line = text_trim(*answer);
    if (!line.len || text_find(line, TEXT("boxed")) >= 0 || text_find(line, TEXT("\n")) >= 0) return CORD_OK;
    CORD_TRY(cord_grade(line, line, NULL, &read, err));
    bool value = !text_starts(text_of(read.answer_read), TEXT("text"));
    cord_grading_release(&read);
    if (!value && words_of(line) > words) return CORD_OK;
    *answer = text_of(arena_printf(arena, "\\boxed{%.*s}", (int)line.len, line.data));
    return answer->data ? CORD_OK : error_memory(err);
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
