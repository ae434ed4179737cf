/* fuzz_problem.c - the problem reader with any file, plain or gzip, in every format of answers, and with fields named. What
 * problem.h says of a set must hold of each that is read. DuckDB is another matter: it is refused here. */
#include "fuzz.h"

#include "data/problem_sets.h"

static void check_good(const struct problem *p) {
    assert(text_trim(p->question.text).len > 0 && is_utf8(p->question.text));
    assert(p->gold.len > 0 && text_equal(p->gold, text_trim(p->gold)));
    assert(p->target.len > 0 && text_equal(p->target, text_trim(p->target)));
    assert(!memchr(p->question.text.data, '\0', p->question.text.len) && !memchr(p->gold.data, '\0', p->gold.len));
}

static void check_bad(const struct problem *p) {
    assert(p->bad[0] && is_utf8(text_of(p->bad)));
    assert(!p->question.text.data && !p->gold.data && !p->target.data);
}

static void check_set(const struct problem_set *set) {
    struct arena arena;
    int n_bad = 0;
    arena_init(&arena);
    assert(set->n >= 1 && set->n_bad < set->n);
    const struct problem *problems = problems_of_set(set, &arena);
    for (int i = 0; i < set->n; i++) {
        const struct problem *p = &problems[i];
        assert(p->index == i && p->line > 0 && p->line >= (i ? problems[i - 1].line : 0)); /* (records share one) */
        assert(p->question.id.len > 0);
        assert(!p->row.len || !memchr(p->row.data, '\n', p->row.len));
        for (int j = 0; j < i && i < 64; j++) assert(!text_equal(p->question.id, problems[j].question.id));
        if (p->bad) n_bad++;
        if (p->bad)
            check_bad(p);
        else
            check_good(p);
    }
    assert(n_bad == set->n_bad);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct memory_file file = memory_file_open((cord_text){(const char *)data, size});
    const struct problem_options options[] = {
        {.path = file.path, .format = ANSWER_AUTO, .library = ""},
        {.path = file.path, .format = ANSWER_INTEGER, .library = "", .judged = true},
        {.path = file.path, .context_field = "answer", .full_context_field = "question", .library = ""},
        {.path = file.path, .format = ANSWER_VERBATIM, .library = ""},
        {.path = file.path, .format = ANSWER_HASHES, .library = ""},
        {.path = file.path, .format = ANSWER_BOXED, .library = ""},
        {.path = file.path,
         .id_field = "id",
         .question_field = "answer",
         .answer_field = "question",
         .limit = 2,
         .library = ""},
        {.path = file.path, .target_field = "answer", .skip = 1, .library = ""},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct problem_set set;
        cord_error err = {0};
        cord_status status = problem_set_read(&set, &options[i], &err);
        if (status != CORD_OK) {
            check_error(status, &err);
            continue;
        }
        assert(!options[i].limit || set.n <= options[i].limit);
        check_set(&set);
        problem_set_release(&set);
    }
    memory_file_close(&file);
    return 0;
}
