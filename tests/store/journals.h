/* journals.h - what the tests of the journal share: one that is open in a folder of its own, and what it gives back compared
 * with what it was told. */
#ifndef CORD_TEST_JOURNALS_H
#define CORD_TEST_JOURNALS_H

#include "store/sample.h"

#include "store/database.h"

struct fixture {
    char folder[64];
    struct journal *journal;
    struct arena arena;
    struct sample sample;
};

static inline int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    scratch_folder(f.folder);
    arena_init(&f.arena);
    sample_build(&f.sample);
    sample_plant(&f.sample);
    assert_ok(journal_open(f.folder, JOURNAL_WRITE, &f.journal, err));
    *state = &f;
    return 0;
}

static inline int tear_down(void **state) {
    struct fixture *f = *state;
    journal_close(f->journal);
    arena_release(&f->arena);
    scratch_remove(f->folder);
    return 0;
}

/* ---- the same ------------------------------------------------------------------------------------------------ */

static inline void assert_bytes(cord_text a, cord_text b) {
    assert_int_equal(a.len, b.len);
    if (a.len) assert_memory_equal(a.data, b.data, a.len);
}

static inline void assert_number(double a, double b) { assert_true(a == b || (isnan(a) && isnan(b))); }

static inline void assert_same_step(const struct step *a, const struct step *b) {
    for (; a && b; a = a->previous, b = b->previous) {
        assert_bytes(a->text, b->text);
        assert_int_equal(a->round, b->round);
        assert_int_equal(a->teacher, b->teacher);
        assert_int_equal(a->cut, b->cut);
        assert_number(a->log_score, b->log_score);
        assert_true(!a->category == !b->category);
        if (a->category) assert_string_equal(a->category, b->category);
    }
    assert_true(!a && !b);
}

static inline void assert_same_trajectory(const struct trajectory *a, const struct trajectory *b) {
    assert_bytes(a->reasoning, b->reasoning);
    assert_same_step(a->last, b->last);
    assert_int_equal(a->n_steps, b->n_steps);
    assert_int_equal(a->tokens, b->tokens);
    assert_number(a->log_score, b->log_score);
    assert_int_equal(a->finish, b->finish);
    assert_int_equal(a->author, b->author);
    assert_int_equal(a->from, b->from);
    assert_int_equal(a->candidate, b->candidate);
    assert_int_equal(a->run, b->run);
    assert_int_equal(a->tree.above, b->tree.above);
    assert_int_equal(a->tree.visits, b->tree.visits);
    assert_true(a->tree.value == b->tree.value && a->tree.tried == b->tree.tried);
    assert_bytes(a->reply, b->reply);
}

static inline void assert_same_candidate(const struct candidate *a, const struct candidate *b) {
    assert_int_equal(a->parent, b->parent);
    assert_int_equal(a->teacher, b->teacher);
    assert_int_equal(a->sample, b->sample);
    assert_int_equal(a->run, b->run);
    assert_true(a->seed == b->seed && a->tie == b->tie);
    assert_bytes(a->step, b->step);
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->drop, b->drop);
    assert_true(!a->drop_why == !b->drop_why);
    if (a->drop_why) assert_string_equal(a->drop_why, b->drop_why);
    assert_int_equal(a->finishes_parent, b->finishes_parent);
    assert_bytes(a->reasoning, b->reasoning);
    assert_bytes(a->rollout, b->rollout);
    assert_true(!a->rollout.data == !b->rollout.data);
    assert_number(a->log_score, b->log_score);
    assert_int_equal(a->rank, b->rank);
    assert_int_equal(a->slot, b->slot);
    assert_int_equal(a->reasoning_tokens, b->reasoning_tokens);
    assert_int_equal(a->prompt_tokens, b->prompt_tokens);
    assert_int_equal(a->cached_tokens, b->cached_tokens);
    assert_int_equal(a->new_tokens, b->new_tokens);
    assert_int_equal(a->score_prompt_tokens, b->score_prompt_tokens);
    assert_int_equal(a->score_cached_tokens, b->score_cached_tokens);
    assert_int_equal(a->judged_tokens, b->judged_tokens);
    assert_true(a->propose_us == b->propose_us && a->score_us == b->score_us && a->judge_us == b->judge_us);
    assert_int_equal(a->n_parts, b->n_parts);
    assert_true(!a->parts == !b->parts);
    for (int i = 0; a->parts && b->parts && i < a->n_parts; i++) {
        assert_true(a->parts[i].from == b->parts[i].from && a->parts[i].to == b->parts[i].to);
        assert_true(!a->parts[i].category == !b->parts[i].category);
        if (a->parts[i].category) assert_string_equal(a->parts[i].category, b->parts[i].category);
    }
}

static inline void assert_same_round(const struct round *a, const struct round *b) {
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->n_candidates, b->n_candidates);
    for (int i = 0; i < a->n_candidates; i++) assert_same_candidate(&a->candidates[i], &b->candidates[i]);
    assert_int_equal(a->n_beam, b->n_beam);
    for (int i = 0; i < a->n_beam; i++) assert_same_trajectory(&a->beam[i], &b->beam[i]);
    assert_true(!a->note == !b->note);
    if (a->note) assert_string_equal(a->note, b->note);
}

static inline struct journal_problem *problems_of(struct fixture *f, struct journal *journal, int expected) {
    struct journal_problem *problems = NULL;
    int n = 0;
    assert_ok(journal_problems(journal, &f->arena, &problems, &n, err));
    assert_int_equal(n, expected);
    return problems;
}

static inline void assert_rounds(struct fixture *f, struct journal *journal, int64_t problem, int n) {
    struct round rounds[3];
    for (int i = 0; i < n; i++) {
        assert_ok(journal_read_round(journal, problem, i + 1, i ? rounds[i - 1].beam : NULL, i ? 2 : 0, &f->arena,
                                     &rounds[i], err));
        assert_same_round(&rounds[i], &f->sample.rounds[i]);
    }
}

#endif
