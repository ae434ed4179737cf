/* sample.h - a small search made by hand, told to a journal as beam.c would tell it: two teachers, beam 2, three
 * rounds, with a dropped candidate, a cut step, a parent that is finished by a bare "</think>", and a finished
 * trajectory that is carried over. What every test of the store needs. */
#ifndef CORD_TEST_SAMPLE_H
#define CORD_TEST_SAMPLE_H

#include "scratch.h"

#include "base/json.h"
#include "data/problem_sets.h"
#include "store/journal.h"

#include <math.h>

/* ---- problems ------------------------------------------------------------------------------------------------ */

enum { SAMPLE_PROBLEMS = 4 };

static inline void sample_set(struct problem problems[SAMPLE_PROBLEMS]) {
    const struct problem all[SAMPLE_PROBLEMS] = {
        {.question = {TEXT("p1"), TEXT("What is 2 + 3?")},
         .target = TEXT("5"),
         .gold = TEXT("5"),
         .row = TEXT("{\"id\":\"p1\",\"question\":\"What is 2 + 3?\",\"answer\":\"5\",\"x\":27.0}"),
         .line = 1,
         .index = 0},
        {.question = {TEXT("p2"), TEXT("A \"quoted\" question\nof two lines?")},
         .target = TEXT("7"),
         .gold = TEXT("7"),
         .row = TEXT("{\"id\":\"p2\"}"),
         .line = 2,
         .index = 1},
        {.row = TEXT("{broken \xFF"), .line = 3, .index = 2, .bad = "not valid JSON"},
        {.question = {TEXT("p4"), TEXT("Never run")},
         .target = TEXT("1"),
         .gold = TEXT("1"),
         .row = TEXT("{\"id\":\"p4\"}"),
         .line = 4,
         .index = 3},
    };
    memcpy(problems, all, sizeof all);
}

/* Tells the journal of these problems. */
static inline cord_status sample_put(struct journal *journal, const struct problem *problems, int n, cord_error *err) {
    struct problem_set set = set_of(problems, n);
    cord_status status = journal_put_problems(journal, &set, err);
    problem_set_release(&set);
    return status;
}

static inline void sample_name_teachers(struct journal *journal) {
    struct teacher teachers[] = {{.name = "strong"}, {.name = "small"}};
    assert_ok(journal_put_teachers(journal, teachers, 2, err));
}

static inline void sample_problems(struct journal *journal) {
    struct problem problems[SAMPLE_PROBLEMS];
    sample_set(problems);
    assert_ok(sample_put(journal, problems, SAMPLE_PROBLEMS, err));
    sample_name_teachers(journal);
}

/* ---- the search ---------------------------------------------------------------------------------------------- */

static struct prompt_style sample_style = {
    .marker = {"### Step {n}.", 13},
    .between = {"\n\n", 2},
    .think_close = {"\n</think>\n\n", 11},
    .answer_open = {"\\boxed{", 7},
    .score_open = {" </think> The final answer is ", 30},
    .score_close = {".", 1},
};

static inline void sample_started(struct journal *journal, int64_t problem) {
    static cord_span spans[3][2];
    struct spoken spoken[3];
    for (int i = 0; i < 3; i++) {
        spans[i][0] = (cord_span){TEXT("<|im_start|>user\n"), true};
        spans[i][1] = (cord_span){i == 2 ? TEXT("a question with a NUL \0 and <|im_end|>") : TEXT("question"), false};
        spoken[i] = (struct spoken){i < 2 ? i : -1, {spans[i], 2}, &sample_style, {0}};
        if (i < 2) spoken[i].guesses = (struct guesses){20 + i, 4, 5 + 2 * i, INT64_C(6000000000) + i};
    }
    assert_ok(journal_started(journal, problem, log(0.125), TEXT("4"), spoken, 3, err));
}

/* What schema 5 added is taken away again: a journal as an older cord left it, which counted what was judged as scored. */
#define OLDER_SCHEMA                                                                                          \
    "UPDATE candidate SET score_prompt_tokens = score_prompt_tokens + judged_tokens;"                         \
    "ALTER TABLE candidate DROP COLUMN judged_tokens; ALTER TABLE candidate DROP COLUMN judge_us;"            \
    "ALTER TABLE spoken DROP COLUMN guess_prompt_tokens; ALTER TABLE spoken DROP COLUMN guess_cached_tokens;" \
    "ALTER TABLE spoken DROP COLUMN guess_new_tokens; ALTER TABLE spoken DROP COLUMN guess_us;"               \
    "PRAGMA user_version = 4"

/* Candidates, steps and beams of the three rounds. Static: trajectories point into them. */
struct sample {
    struct candidate candidates[3][4];
    struct step steps[4];
    struct trajectory beams[3][2];
    struct round rounds[3];
};

#define SAMPLE_ONE "### Step 1. Add two"
#define SAMPLE_TWO "### Step 1. Count"
#define SAMPLE_CUT SAMPLE_TWO "\n\n### Step 2. Then we hold "

static inline struct candidate sample_candidate(int parent, int run, int teacher, cord_text step, cord_text reasoning,
                                                double score) {
    bool dropped = !reasoning.len;
    return (struct candidate){.parent = parent,
                              .teacher = teacher,
                              .run = run,
                              .seed = UINT64_C(0xFFFFFFFFFFFFFF00) + (uint64_t)teacher,
                              .step = step,
                              .reasoning = reasoning,
                              .log_score = dropped ? (double)NAN : log(score),
                              .rank = -1,
                              .slot = -1,
                              .tie = UINT64_MAX - (uint64_t)teacher,
                              .reasoning_tokens = 11,
                              .prompt_tokens = 100,
                              .cached_tokens = 90,
                              .new_tokens = 10,
                              .score_prompt_tokens = 50,
                              .score_cached_tokens = 40,
                              .propose_us = 1000000,
                              .score_us = INT64_C(5000000000),
                              .judged_tokens = 3,
                              .judge_us = INT64_C(7000000000)};
}

static inline void sample_keep(struct candidate *c, int rank, int slot) {
    c->rank = rank;
    c->slot = slot;
}

static inline void sample_build(struct sample *s) {
    memset(s, 0, sizeof *s);
    struct candidate *c = s->candidates[0];
    c[0] = sample_candidate(0, 2, 0, TEXT(" Add two"), TEXT(SAMPLE_ONE), 0.5);
    c[1] = sample_candidate(0, 3, 1, TEXT(" Count"), TEXT(SAMPLE_TWO), 0.25);
    c[2] = sample_candidate(0, 3, 1, TEXT(" Count"), (cord_text){0}, 0);
    c[2].drop = DROP_DUPLICATE;
    c[2].sample = 1;
    c[3] = sample_candidate(0, 2, 0, (cord_text){"", 0}, (cord_text){"", 0}, 0);
    c[3].drop = DROP_FAILED;
    c[3].drop_why = "the model's context is full";
    sample_keep(&c[0], 0, 0);
    sample_keep(&c[1], 1, 1);
    s->steps[0] = (struct step){NULL, TEXT(" Add two"), 1, 0, false, log(0.5), NULL};
    s->steps[1] = (struct step){NULL, TEXT(" Count"), 1, 1, false, log(0.25), NULL};
    s->beams[0][0] =
        (struct trajectory){TEXT(SAMPLE_ONE), &s->steps[0], 1, 11, log(0.5), GROWING, 0, 0, 0, 2, {0}, {0}};
    s->beams[0][1] =
        (struct trajectory){TEXT(SAMPLE_TWO), &s->steps[1], 1, 11, log(0.25), GROWING, 1, 0, 1, 3, {0}, {0}};

    /* round 2: slot 0 is finished as it stands by a bare "</think>"; slot 1 grows by a step that is cut */
    c = s->candidates[1];
    c[0] = sample_candidate(0, 2, 1, (cord_text){"", 0}, (cord_text){"", 0}, 0);
    c[0].finishes_parent = true;
    c[0].end = STEP_CLOSED;
    c[0].log_score = log(0.5);
    c[1] = sample_candidate(1, 3, 0, TEXT(" Then we hold "), TEXT(SAMPLE_CUT), 0.375);
    c[1].end = STEP_CUT;
    sample_keep(&c[0], 0, 0);
    sample_keep(&c[1], 1, 1);
    s->steps[2] = (struct step){&s->steps[1], TEXT(" Then we hold "), 2, 0, true, log(0.375), NULL};
    s->beams[1][0] =
        (struct trajectory){TEXT(SAMPLE_ONE), &s->steps[0], 1, 11, log(0.5), FINISHED_CLOSED, 1, 0, 0, 2, {0}, {0}};
    s->beams[1][1] =
        (struct trajectory){TEXT(SAMPLE_CUT), &s->steps[2], 2, 11, log(0.375), GROWING, 0, 1, 1, 3, {0}, {0}};

    /* round 3: slot 0 is carried over, now second; the cut step is continued without a marker and ends the turn. Its
     * text has a NUL, an escape and half a character, as no model should write and some do. */
    c = s->candidates[2];
    c[0] = sample_candidate(1, 3, 1, TEXT("five\0\033[31m\xE2\x82"), TEXT(SAMPLE_CUT "five\0\033[31m\xE2\x82"), 0.875);
    c[0].end = STEP_TURN;
    c[1] = sample_candidate(1, 3, 0, TEXT("six"), TEXT(SAMPLE_CUT "six"), 0.0625);
    sample_keep(&c[0], 0, 0);
    sample_keep(&c[1], 2, -1);
    s->steps[3] = (struct step){&s->steps[2], TEXT("five\0\033[31m\xE2\x82"), 3, 1, false, log(0.875), NULL};
    s->beams[2][0] = (struct trajectory){TEXT(SAMPLE_CUT "five\0\033[31m\xE2\x82"),
                                         &s->steps[3],
                                         2,
                                         12,
                                         log(0.875),
                                         FINISHED_TURN,
                                         1,
                                         1,
                                         0,
                                         3,
                                         {0},
                                         {0}};
    s->beams[2][1] = s->beams[1][0];
    s->beams[2][1].from = 0;
    s->beams[2][1].candidate = -1;

    /* what given traces have, and merged ones: several steps in one candidate, an answer that came with the text */
    static const struct step_part parts[] = {{0, 1, "verification"}, {1, 3, NULL}};
    c[1].parts = parts;
    c[1].n_parts = 2;
    s->beams[2][0].reply = TEXT("So \\boxed{6}");

    static const int n_candidates[] = {4, 2, 2};
    for (int i = 0; i < 3; i++)
        s->rounds[i] = (struct round){i + 1, s->candidates[i], n_candidates[i], s->beams[i], 2, NULL};
    s->rounds[2].note = "the last round";
}

/* What only a tree has, of all trajectories, so that it is carried wherever the rest is. */
static inline void sample_plant(struct sample *s) {
    s->candidates[1][1].rollout = TEXT("\n\n### Step 3. And \0 so on");
    for (int i = 0; i < 3; i++)
        for (int slot = 0; slot < 2; slot++) {
            int above = slot && s->beams[i][0].run == s->beams[i][1].run ? 0 : -1;
            s->beams[i][slot].tree = (struct tree_place){above, i + 3, i + 0.1, UINT64_C(1) << 63 | (uint64_t)slot};
        }
}

/* The best one is wrong, the second correct; of that one, no second scorer knows. */
static inline void sample_answers(const struct sample *s, struct answered out[2]) {
    struct answered answer = {.prompt_tokens = 9, .cached_tokens = 8, .new_tokens = 7, .us = 6};
    answer.trajectory = s->beams[2][0];
    answer.reply = TEXT("So \\boxed{6}");
    answer.answer = TEXT("6");
    answer.grade = GRADE_WRONG;
    answer.why = "numbers differ";
    answer.log_pp = log(0.875);
    answer.log_held_out = log(0.75);
    out[0] = answer;
    answer.trajectory = s->beams[2][1];
    answer.reply = TEXT("So \\boxed{5}");
    answer.answer = TEXT("5");
    answer.grade = GRADE_CORRECT;
    answer.why = "equal numbers";
    answer.log_pp = log(0.625);
    answer.log_held_out = (double)NAN;
    out[1] = answer;
}

/* Tells a journal the whole search of one problem. */
static inline void sample_tell(struct journal *journal, int64_t problem, const struct sample *s) {
    sample_started(journal, problem);
    for (int i = 0; i < 3; i++) assert_ok(journal_round(journal, problem, &s->rounds[i], err));
    struct answered answers[2];
    sample_answers(s, answers);
    assert_ok(journal_finished(journal, problem, answers, 2, err));
}

/* ---- what was made of it, read ---------------------------------------------------------------------------------- */

/* Line `number` (from 0) of a text of JSONL; NULL behind the last. The caller's to json_decref. */
static inline json_t *line_of(cord_text all, int number) {
    for (ptrdiff_t end; (end = text_find(all, TEXT("\n"))) >= 0; all = text_slice(all, (size_t)end + 1, all.len))
        if (number-- == 0) {
            json_t *line = json_loadb(all.data, (size_t)end, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
            assert_non_null(line);
            return line;
        }
    assert_int_equal(all.len, 0); /* the last line has its newline */
    return NULL;
}

static inline cord_text content_at(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value)) fail_msg("no text '%s'", key);
    return (cord_text){json_string_value(value), json_string_length(value)};
}

#endif
