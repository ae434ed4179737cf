/* problem_set.c - all problems of a file, kept in a spool until they are asked for; see problem.h. It must not know how a row
 * becomes a problem. */
#include "data/problem.h"

/* ---- problems that are kept ------------------------------------------------------------------------------------- */

void problem_set_init(struct problem_set *set, const char *unit) {
    *set = (struct problem_set){.unit = unit};
    spool_init(&set->kept);
}

void problem_set_release(struct problem_set *set) {
    spool_release(&set->kept);
    *set = (struct problem_set){0};
}

/* A problem as it lies in the spool: itself, whose pointers to static texts stay good in this process, and behind it its own
 * texts, each with a NUL. */
enum { PROBLEM_TEXTS = 8 };

struct kept_problem {
    struct problem problem;
    cord_text bad; /* of the problem; data NULL: it is good */
    size_t bytes;  /* of all texts */
};

static void texts_of(struct kept_problem *kept, cord_text *texts[PROBLEM_TEXTS]) {
    struct problem *p = &kept->problem;
    cord_text *const all[PROBLEM_TEXTS] = {&p->question.id,   &p->question.text, &p->target,     &p->gold,
                                           &p->full_question, &p->row,           &p->gold_field, &kept->bad};
    memcpy(texts, all, sizeof all);
}

cord_status problem_set_add(struct problem_set *set, const struct problem *problem, cord_error *err) {
    struct kept_problem kept = {.problem = *problem, .bad = problem->bad ? text_of(problem->bad) : (cord_text){0}};
    cord_text *texts[PROBLEM_TEXTS];
    texts_of(&kept, texts);
    for (int i = 0; i < PROBLEM_TEXTS; i++) kept.bytes += texts[i]->data ? texts[i]->len + 1 : 0;
    CORD_TRY(spool_add(&set->kept, &kept, sizeof kept, err));
    for (int i = 0; i < PROBLEM_TEXTS; i++) {
        if (!texts[i]->data) continue;
        CORD_TRY(spool_add(&set->kept, texts[i]->data, texts[i]->len, err));
        CORD_TRY(spool_add(&set->kept, "", 1, err));
    }
    set->n++;
    set->n_bad += problem->bad != NULL;
    size_t question = problem->question.text.len, with_gold = question + problem->gold.len; /* a bad one has neither */
    if (question > set->longest_question) set->longest_question = question;
    if (with_gold > set->longest_with_gold) set->longest_with_gold = with_gold;
    return CORD_OK;
}

void problem_walk_begin(struct problem_walk *w, const struct problem_set *set, cord_error *err) {
    *w = (struct problem_walk){.set = set, .err = err};
    arena_init(&w->arena);
}

cord_status problem_walk_end(struct problem_walk *w, cord_status status) {
    arena_release(&w->arena);
    return status == CORD_OK ? w->status : status;
}

/* The next problem. */
static cord_status read_kept(struct problem_walk *w, struct problem *problem) {
    struct kept_problem kept;
    cord_text *texts[PROBLEM_TEXTS];
    CORD_TRY(spool_read(&w->set->kept, w->at, &kept, sizeof kept, w->err));
    char *text = arena_alloc(&w->arena, kept.bytes + 1);
    if (!text) return error_memory(w->err);
    CORD_TRY(spool_read(&w->set->kept, w->at + (int64_t)sizeof kept, text, kept.bytes, w->err));
    w->at += (int64_t)(sizeof kept + kept.bytes);
    texts_of(&kept, texts);
    for (int i = 0; i < PROBLEM_TEXTS; i++) {
        if (!texts[i]->data) continue;
        texts[i]->data = text;
        text += texts[i]->len + 1;
    }
    *problem = kept.problem;
    problem->bad = kept.bad.data;
    return CORD_OK;
}

bool problem_walk_next(struct problem_walk *w, struct problem *problem) {
    bool told = false;
    while (!told && w->status == CORD_OK && w->at < spool_end(&w->set->kept)) {
        arena_release(&w->arena);
        w->status = read_kept(w, problem);
        told = w->status == CORD_OK && shard_has(w->set->shard, problem->question.id);
    }
    return told;
}

/* ---- the set of a file ---------------------------------------------------------------------------------------- */

cord_status problem_set_check(const struct problem_set *set, const struct problem_options *o, const cord_error *first,
                              cord_error *err) {
    if (set->n == 0) {
        error_where(err, "%s", o->path);
        return error_set(err, CORD_BAD_INPUT,
                         o->skip ? "there is no row left after those that were skipped"
                                 : "there is no row in this file");
    }
    if (set->n_bad < set->n) return CORD_OK;
    error_where(err, "%s", first->where);
    return error_set(err, CORD_BAD_INPUT, "none of the %d row%s can be used: %s", set->n, set->n == 1 ? "" : "s",
                     first->message);
}

static cord_status read_set(struct problem_set *set, struct problem_reader *r, const struct problem_options *options,
                            cord_error *err) {
    cord_error first = {0};
    for (;;) {
        struct problem found;
        bool more;
        CORD_TRY(problem_reader_next(r, &more, &found, err));
        if (!more) break;
        if (found.bad && !set->n_bad) {
            (void)error_set(&first, CORD_BAD_INPUT, "%s", found.bad);
            problem_reader_where(r, &first);
        }
        CORD_TRY(problem_set_add(set, &found, err));
    }
    return problem_set_check(set, options, &first, err);
}

cord_status problem_set_read(struct problem_set *set, const struct problem_options *options, cord_error *err) {
    struct problem_reader *reader;
    *set = (struct problem_set){0};
    CORD_TRY(problem_reader_open(options, &reader, err));
    problem_set_init(set, problem_reader_unit(reader));
    cord_status status = read_set(set, reader, options, err);
    problem_reader_close(reader);
    if (status != CORD_OK) problem_set_release(set);
    return status;
}
