/* fixture.h - a run made by hand (tests/store/sample.h) and its export into memory: what every test of exports needs. */
#ifndef CORD_TEST_EXPORT_FIXTURE_H
#define CORD_TEST_EXPORT_FIXTURE_H

#include "store/sample.h"

#include "export/export.h"

struct fixture {
    char folder[64];
    struct sample sample;
    struct export_source source;
    const char *teachers[2];
    struct export_options options; /* plain ones; a test changes them */
    struct export_split splits[3];
    struct figures figures;
    char *rows[3]; /* of the last export, by split */
    size_t len[3];
};

/* Tells the journal the sample's search, as the test has changed it, and p1's row; NULL: as it is. */
static inline void tell_sample(struct fixture *f, const char *row) {
    struct problem problems[SAMPLE_PROBLEMS];
    sample_set(problems);
    if (row) problems[0].row = text_of(row);
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &f->source.journal, err));
    assert_ok(sample_put(f->source.journal, problems, SAMPLE_PROBLEMS, err));
    sample_name_teachers(f->source.journal);
    sample_tell(f->source.journal, 1, &f->sample);
}

/* The same anew. */
static inline void retell_sample(struct fixture *f, const char *row) {
    journal_close(f->source.journal);
    scratch_remove(f->folder);
    tell_sample(f, row);
}

/* The same, with the scores the way the grades are: 0.5 of the correct one, 0.25 of the wrong one. */
static inline void prefer_correct(struct fixture *f) {
    f->sample.beams[2][0].log_score = log(0.25);
    retell_sample(f, NULL);
}

static inline int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    scratch_folder(f.folder);
    sample_build(&f.sample);
    f.sample.candidates[2][1].parts = NULL; /* one step, which competes; test_formats.c has what has parts */
    tell_sample(&f, NULL);
    f.teachers[0] = "strong";
    f.teachers[1] = "small";
    f.source.folder = f.folder;
    f.source.name = "sample";
    f.source.teachers = f.teachers;
    f.source.n_teachers = 2;
    f.source.noise = 0.25;
    f.splits[0] = (struct export_split){.name = "train", .share = 1};
    f.options =
        (struct export_options){.format = training_format("messages"),
                                .style = {.think_open = TEXT("<think>\n"), .think_close = TEXT("\n</think>\n\n")},
                                .min_lift = -1,
                                .margin = -1,
                                .top = 1,
                                .splits = f.splits,
                                .n_splits = 1};
    *state = &f;
    return 0;
}

static inline int tear_down(void **state) {
    struct fixture *f = *state;
    journal_close(f->source.journal);
    scratch_remove(f->folder);
    for (int i = 0; i < 3; i++) free(f->rows[i]);
    return 0;
}

/* Exports `n` runs with the fixture's options. */
static inline cord_status export_runs(struct fixture *f, const struct export_source *sources, int n, cord_error *e) {
    for (int i = 0; i < f->options.n_splits; i++) {
        free(f->rows[i]);
        f->rows[i] = NULL;
        f->splits[i].file = open_memstream(&f->rows[i], &f->len[i]);
        assert_non_null(f->splits[i].file);
    }
    cord_status status = export_rows(sources, n, &f->options, &f->figures, e);
    for (int i = 0; i < f->options.n_splits; i++) fclose(f->splits[i].file);
    return status;
}

/* The rows as one text, which lives until the next export. */
static inline cord_text rows_of(struct fixture *f) {
    assert_ok(export_runs(f, &f->source, 1, err));
    return (cord_text){f->rows[0], f->len[0]};
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
