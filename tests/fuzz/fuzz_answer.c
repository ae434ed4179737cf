/* fuzz_answer.c - the grader and the extraction with any texts. What stands before the first form feed is the gold answer,
 * the rest the answer; all of it is a reply to find an answer in, too. Each call must end within a processor time and with
 * a memory that no input may exceed; the sanitizers make it slower by far than what cord.h promises. */
#include "fuzz.h"

#include <sanitizer/allocator_interface.h>
#include <time.h>

enum { MOST_MEMORY = 64 << 20 };
static const double most_seconds = 2;

/* ---- what a call costs --------------------------------------------------------------------------------------- */

static size_t allocated, peak;

static void on_malloc(const volatile void *p, size_t size) {
    (void)p;
    allocated += size;
    if (allocated > peak) peak = allocated;
}

static void on_free(const volatile void *p) {
    if (p) allocated -= __sanitizer_get_allocated_size(p);
}

static void watch_memory(void) {
    static bool watched;
    if (!watched) assert(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0);
    watched = true;
}

struct cost {
    struct timespec start;
    size_t allocated;
};

static struct cost cost_start(void) {
    struct cost cost = {.allocated = allocated};
    peak = allocated;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cost.start);
    return cost;
}

static void cost_check(const struct cost *cost, const char *what) {
    struct timespec end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    double seconds = (double)(end.tv_sec - cost->start.tv_sec) + (double)(end.tv_nsec - cost->start.tv_nsec) / 1e9;
    size_t grown = peak - cost->allocated;
    if (seconds > most_seconds || grown > MOST_MEMORY) {
        fprintf(stderr, "%s took %.2f s and %zu bytes\n", what, seconds, grown);
        abort();
    }
}

/* ---- the grader ---------------------------------------------------------------------------------------------- */

static void grade(cord_text gold, cord_text answer, const cord_grade_options *options, cord_grading *out) {
    cord_error err = {0};
    struct cost cost = cost_start();
    cord_status status = cord_grade(gold, answer, options, out, &err);
    cost_check(&cost, "cord_grade");
    assert(status == CORD_OK);
    assert(out->verdict == CORD_EQUAL || out->verdict == CORD_DIFFERENT || out->verdict == CORD_UNDECIDED);
    assert(out->why && out->why[0] && out->gold_read && out->answer_read);
}

/* Fails where the verdict of (b, a) or of the same pair again is not `first`'s. */
static void expect(cord_text gold, cord_text answer, const cord_grading *first, const char *what) {
    cord_grading grading;
    grade(gold, answer, NULL, &grading);
    if (grading.verdict != first->verdict) {
        fprintf(stderr, "%s: %s (%s) was %s (%s)\nread as: %s\nand: %s\n", what, cord_verdict_name(grading.verdict),
                grading.why, cord_verdict_name(first->verdict), first->why, first->gold_read, first->answer_read);
        abort();
    }
    cord_grading_release(&grading);
}

static void check_itself(cord_text answer) {
    cord_grading grading;
    grade(answer, answer, NULL, &grading);
    bool empty = text_trim(answer).len == 0;
    if (grading.verdict != (empty ? CORD_UNDECIDED : CORD_EQUAL))
        fprintf(stderr, "not itself: %s (%s), read as %s\n", cord_verdict_name(grading.verdict), grading.why,
                grading.gold_read);
    assert(grading.verdict == (empty ? CORD_UNDECIDED : CORD_EQUAL));
    cord_grading_release(&grading);
}

static void check_pair(cord_text gold, cord_text answer) {
    static const cord_grade_options others[] = {
        {.numbers = CORD_NUMBERS_ROUNDED},
        {.numbers = CORD_NUMBERS_RELATIVE, .tolerance = 0.01},
        {.numbers = CORD_NUMBERS_TATQA},
    };
    cord_grading grading;
    grade(gold, answer, NULL, &grading);
    expect(gold, answer, &grading, "again");
    expect(answer, gold, &grading, "the other way round");
    const char *why;
    assert(cord_verify(gold, answer, &why) == grading.verdict && !strcmp(why, grading.why));
    cord_grading_release(&grading);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        grade(gold, answer, &others[i], &grading);
        cord_grading_release(&grading);
    }
}

/* ---- the extraction ------------------------------------------------------------------------------------------ */

static void check_extraction(cord_text reply, bool last_number) {
    const cord_text untouched = TEXT("untouched");
    cord_text answer = untouched;
    struct cost cost = cost_start();
    cord_found found = cord_extract_answer(reply, last_number, &answer);
    cost_check(&cost, "cord_extract_answer");
    if (found == CORD_FOUND_NOTHING) {
        assert(answer.data == untouched.data && answer.len == untouched.len);
        return;
    }
    assert(last_number || found != CORD_FOUND_NUMBER);
    assert(answer.data >= reply.data && answer.data + answer.len <= reply.data + reply.len);
    assert(answer.len > 0 && text_equal(answer, text_trim(answer)));
    check_itself(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cord_text all = {(const char *)data, size}, gold = {NULL, 0}, answer = all;
    ptrdiff_t split = text_find(all, TEXT("\f"));
    watch_memory();
    if (split >= 0) {
        gold = text_slice(all, 0, (size_t)split);
        answer = text_slice(all, (size_t)split + 1, size);
    }
    check_extraction(all, false);
    check_extraction(all, true);
    check_itself(gold);
    check_itself(answer);
    check_pair(gold, answer);
    return 0;
}
