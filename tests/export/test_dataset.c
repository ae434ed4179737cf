/* test_dataset.c - a data set on the disk: all of its files or none, and its card. */
#include "export/fixture.h"

#include "data/duckdb.h"
#include "export/dataset.h"
#include "export/rows.h"

static char *in(struct fixture *f, const char *name) { return scratch_in(f->folder, name); }

static bool is_there(struct fixture *f, const char *name) { return access(in(f, name), F_OK) == 0; }

static void read_into(struct fixture *f, const char *name, struct buf *out) {
    assert_ok(file_read(in(f, name), "file", 1 << 20, out, err));
}

static void assert_holds(struct fixture *f, const char *name, const char *what) {
    struct buf all;
    read_into(f, name, &all);
    if (text_find(buf_text(&all), text_of(what)) < 0) fail_msg("%s does not hold '%s':\n%s", name, what, all.data);
    buf_release(&all);
}

static cord_status export_with(struct fixture *f, const struct dataset_options *where, cord_error *e) {
    struct dataset set;
    struct card card = {.sources = &f->source, .n_sources = 1, .options = &f->options, .figures = &f->figures};
    card.command = "cord export sample --test";
    CORD_TRY(dataset_open(&set, where, f->splits, f->options.n_splits, e));
    cord_status status = export_rows(&f->source, 1, &f->options, &f->figures, e);
    if (status == CORD_OK) status = dataset_describe(&set, &card, e);
    return dataset_close(&set, status, e);
}

static cord_status export_to(struct fixture *f, const char *path, bool folder, cord_error *e) {
    return export_with(f, &(struct dataset_options){.path = path, .folder = folder}, e);
}

static void two_splits(struct fixture *f) {
    f->splits[0] = (struct export_split){.name = "train", .share = 0.5};
    f->splits[1] = (struct export_split){.name = "test", .share = 0.5};
    f->options.n_splits = 2;
}

static void test_folder(void **state) {
    struct fixture *f = *state;
    const char *recipe = "run:\n  out: \"/home/me/secret/runs//\"\nproblems:\n  file: "
                         "\"/home/me/secret/p.jsonl\"\nmodels:\n  m:\n    url: \"http://inside:8000\"\n    model: "
                         "\"/home/me/secret/seven\"\n  o:\n    model: \"org/eight\"\ngrading:\n  command: "
                         "\"/usr/bin/python3 /home/me/secret/grade.py --key=xyz\"\nservers:\n"
                         "  authorities: \"/home/me/secret/ca.pem\"\n";
    assert_ok(journal_put_fact(f->source.journal, "recipe", text_of(recipe), err));
    assert_ok(journal_put_fact(f->source.journal, "model.m.sha256", TEXT("abc123"), err));
    two_splits(f);
    f->options.format = training_format("llama-factory");
    assert_ok(export_to(f, in(f, "set"), true, err));
    assert_holds(f, "set/test.jsonl", "\"from\":\"human\""); /* p1 belongs there, see test_choice.c */
    assert_true(is_there(f, "set/train.jsonl"));
    assert_holds(f, "set/dataset_info.json",
                 "{\"set\":{\"file_name\":\"train.jsonl\",\"formatting\":\"sharegpt\",\"columns\":{\"messages\":"
                 "\"conversations\"}},\"set_test\":{\"file_name\":\"test.jsonl\"");
    assert_holds(f, "set/README.md", "---\npretty_name: \"Reasoning traces of sample\"\n");
    /* of the two parts, the one without rows is not told to loaders, which would stumble over it */
    assert_holds(f, "set/README.md", "  data_files:\n  - split: \"test\"\n    path: \"test.jsonl\"\n---\n");
    assert_holds(f, "set/README.md", "cord export sample --test");
    assert_holds(f, "set/README.md", "| test | `test.jsonl` | 1 |");
    assert_holds(f, "set/README.md", "| m | `abc123` |");
    assert_holds(f, "set/README.md", "accuracy of the best trajectories  0 of 1 (0.0%)");
    assert_holds(f, "set/README.md", "small 67%");
    assert_holds(f, "set/README.md", "file: \"p.jsonl\""); /* neither folders nor servers are told */
    assert_holds(f, "set/README.md", "  out: \"runs\"\n");
    assert_holds(f, "set/README.md", "url: \"(not told)\"");
    assert_holds(f, "set/README.md", "  authorities: \"ca.pem\"\n");
    assert_holds(f, "set/README.md", "    model: \"seven\"\n");
    assert_holds(f, "set/README.md", "    model: \"org/eight\"\n");
    assert_holds(f, "set/README.md", "  command: \"python3\"\n");
}

/* LLaMA-Factory keeps all of its data sets in one file: the others' entries stay, and nobody's text is written over. */
static void test_descriptions_of_others(void **state) {
    struct fixture *f = *state;
    f->options.format = training_format("llama-factory");
    assert_ok(export_to(f, in(f, "set"), true, err));
    assert_ok(file_write_atomic(in(f, "set/dataset_info.json"),
                                TEXT("{\"identity\": {\"file_name\": \"i.json\"}, \"set\": {\"file_name\": "
                                     "\"train.jsonl\"}}"),
                                err));
    assert_ok(export_to(f, in(f, "set"), true, err));
    assert_holds(f, "set/dataset_info.json", "{\"set\":{\"file_name\":\"train.jsonl\",\"formatting\"");
    assert_holds(f, "set/dataset_info.json", "},\"identity\":{\"file_name\":\"i.json\"}}\n");
    static const char *const others[] = {"{\"set\": {\"file_name\": \"mine.json\"}}", "[1]", "{\"half"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        cord_error e = {0};
        assert_ok(file_write_atomic(in(f, "set/dataset_info.json"), text_of(others[i]), err));
        assert_int_equal(export_to(f, in(f, "set"), true, &e), CORD_BAD_INPUT);
        assert_non_null(strstr(e.where, "dataset_info.json"));
        assert_holds(f, "set/dataset_info.json", others[i]);
    }
    unlink(in(f, "set/dataset_info.json"));
    cord_error e = {0};
    assert_ok(file_write_atomic(in(f, "set/README.md"), TEXT("# Mine\n"), err));
    assert_ok(file_write_atomic(in(f, "set/CARD.md"), TEXT("# Mine, too\n"), err));
    assert_int_equal(export_to(f, in(f, "set"), true, &e), CORD_BAD_INPUT);
    assert_holds(f, "set/CARD.md", "# Mine, too\n");
}

static bool holds(struct fixture *f, const char *name, const char *part) {
    struct buf content;
    read_into(f, name, &content);
    bool found = strstr(content.data, part) != NULL;
    buf_release(&content);
    return found;
}

/* A card says what each filter removed, and which way that moves the difficulty. */
static void test_filters_on_the_card(void **state) {
    struct fixture *f = *state;
    f->options.min_score = 0.9;
    assert_ok(export_to(f, in(f, "set"), true, err));
    assert_holds(f, "set/README.md", "| below the score | 1 | 0.1250 |");
    f->options.min_score = 0;
    assert_ok(export_to(f, in(f, "set"), true, err));
    assert_holds(f, "set/README.md", "rows                               1\n");
    assert_holds(f, "set/README.md", "  correct                          0 of 1");

    /* an evaluation set of which nothing could be compared */
    struct overlap overlap;
    overlap_init(&overlap, 13);
    f->options.exclude = &overlap;
    static const struct {
        int64_t questions, too_short;
        bool compared;
    } sets[] = {{0, 3, false}, {2, 3, true}, {2, 0, true}};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        overlap.questions = sets[i].questions;
        overlap.too_short = sets[i].too_short;
        assert_ok(export_to(f, in(f, "set"), true, err));
        assert_int_equal(holds(f, "set/README.md", "not compared with any"), !sets[i].compared);
        assert_int_equal(holds(f, "set/README.md", "3 questions of evaluation sets were too short"), i == 1);
    }
    overlap_release(&overlap);
}

/* Nobody graded a step: the figures do not say that none is correct. */
static void test_steps_have_no_grade(void **state) {
    struct fixture *f = *state;
    f->options.format = training_format("step-dpo");
    assert_ok(export_to(f, in(f, "set"), true, err));
    assert_holds(f, "set/README.md", "rows                               1\n");
    assert_false(holds(f, "set/README.md", "  correct "));
}

/* A card says what the run did, and whether the gold had a part in it. */
static void test_method_on_the_card(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *strategy, *criterion, *words, *score;
        bool gold;
    } runs[] = {{NULL, NULL, "reason together, step by step", "The score is S, the", true},
                {"greedy", "prm", "the one that\nscores best is kept", "a process reward model's", false},
                {"curation", "longest", "complete traces, each by itself, and", "is the length", false},
                {"rejection", "random", "a correct answer come first", "a random number", true},
                {"integration", "predictive-perplexity", "merged", "The score is S, the", false},
                {"mcts", "masked", "Monte Carlo", "blanked out", true},
                {"selection", "judge", "there already", "answer at once", true}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        f->source.strategy = runs[i].strategy;
        f->source.criterion = runs[i].criterion;
        assert_ok(export_to(f, in(f, "set"), true, err));
        assert_holds(f, "set/README.md", runs[i].words);
        assert_holds(f, "set/README.md", runs[i].score);
        assert_int_equal(holds(f, "set/README.md", "took part in the choice"), runs[i].gold);
    }
}

/* Somebody's README.md, and the card of another file in the same folder, stay what they are. */
static void test_readme_of_others(void **state) {
    struct fixture *f = *state;
    assert_ok(file_write_atomic(in(f, "README.md"), TEXT("# Mine\n"), err));
    assert_ok(export_to(f, in(f, "a.jsonl"), false, err));
    assert_holds(f, "README.md", "# Mine\n");
    assert_holds(f, "a.jsonl.README.md", CARD_MARK);
    unlink(in(f, "README.md"));
    assert_ok(export_to(f, in(f, "a.jsonl"), false, err));
    assert_holds(f, "README.md", "path: \"a.jsonl\"");
    assert_ok(export_to(f, in(f, "b.jsonl"), false, err));
    assert_holds(f, "README.md", "path: \"a.jsonl\"");
    assert_holds(f, "b.jsonl.README.md", "path: \"b.jsonl\"");
    assert_ok(export_to(f, in(f, "a.jsonl"), false, err)); /* its own it may write anew */
    assert_holds(f, "README.md", "path: \"a.jsonl\"");
    cord_error e = {0};
    assert_ok(file_write_atomic(in(f, "c.jsonl.README.md"), TEXT("# Notes\n"), err));
    assert_int_equal(export_to(f, in(f, "c.jsonl"), false, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.where, "c.jsonl.README.md"));
    assert_holds(f, "c.jsonl.README.md", "# Notes\n");
    assert_false(is_there(f, "c.jsonl"));

    /* a name that stands escaped in its card */
    unlink(in(f, "README.md"));
    for (int i = 0; i < 2; i++) {
        assert_ok(export_to(f, in(f, "a \"b\"\t.jsonl"), false, err));
        assert_false(is_there(f, "a \"b\"\t.jsonl.README.md"));
    }
}

/* A file that is exported by itself into a folder's data set: its card does not take the place of the folder's, and what the
 * folder says of it is told. */
static void test_file_of_a_folder(void **state) {
    struct fixture *f = *state;
    char path[200];
    snprintf(path, sizeof path, "%s", in(f, "set/test.jsonl"));
    sample_tell(f->source.journal, 2, &f->sample); /* which belongs to the other part */
    static const struct {
        int splits;
        const char *format, *stale[2];
    } cases[] = {{2, "llama-factory", {"README.md", "dataset_info.json"}},
                 {1, "llama-factory", {"dataset_info.json", NULL}},
                 {1, "prompt-completion", {NULL, NULL}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dataset set;
        struct card card = {.sources = &f->source, .n_sources = 1, .options = &f->options, .figures = &f->figures};
        card.command = "cord export sample --test";
        if (cases[i].splits == 2) two_splits(f);
        if (cases[i].splits == 1) f->splits[0] = (struct export_split){.name = "test", .share = 1};
        f->options.n_splits = cases[i].splits;
        f->options.format = training_format(cases[i].format);
        assert_ok(export_to(f, in(f, "set"), true, err));
        f->splits[0] = (struct export_split){.name = "train", .share = 1};
        f->options.n_splits = 1;
        f->options.format = training_format("messages");
        assert_ok(dataset_open(&set, &(struct dataset_options){.path = path}, f->splits, 1, err));
        assert_ok(export_rows(&f->source, 1, &f->options, &f->figures, err));
        assert_ok(dataset_describe(&set, &card, err));
        for (int k = 0; k < 2; k++)
            if (cases[i].stale[k]) assert_non_null(strstr(set.stale, cases[i].stale[k]));
        if (!cases[i].stale[0]) assert_null(set.stale);
        assert_ok(dataset_close(&set, CORD_OK, err));
        assert_int_equal(is_there(f, "set/test.jsonl.README.md"), cases[i].splits == 2);
        scratch_remove(in(f, "set"));
    }
}

static bool always(void) { return true; }

/* Who is stopped leaves nothing. */
static void test_stopped(void **state) {
    struct fixture *f = *state;
    f->options.stopped = always;
    assert_int_equal(export_to(f, in(f, "new"), true, NULL), CORD_CANCELLED);
    assert_false(is_there(f, "new"));
}

/* Without a row there is no data set, but what was asked about it. */
static void test_lists_without_rows(void **state) {
    struct fixture *f = *state;
    struct dataset set;
    FILE *list;
    assert_ok(dataset_open(&set, &(struct dataset_options){.path = in(f, "none"), .folder = true}, f->splits, 1, err));
    char path[200];
    snprintf(path, sizeof path, "%s", in(f, "list.jsonl"));
    assert_ok(dataset_add(&set, path, &list, err));
    fputs("why\n", list);
    dataset_leave_rows(&set);
    assert_ok(dataset_close(&set, CORD_OK, err));
    assert_holds(f, "list.jsonl", "why\n");
    assert_false(is_there(f, "none"));
}

static void test_all_or_nothing(void **state) {
    struct fixture *f = *state;
    struct dataset set;
    two_splits(f);
    assert_ok(export_to(f, in(f, "set"), true, err));
    struct buf before, after;
    read_into(f, "set/test.jsonl", &before);
    f->options.format = training_format("text"); /* refused, after the files were opened */
    assert_int_equal(export_to(f, in(f, "set"), true, NULL), CORD_BAD_USAGE);
    read_into(f, "set/test.jsonl", &after);
    assert_true(text_equal(buf_text(&before), buf_text(&after)));
    assert_int_equal(export_to(f, in(f, "new"), true, NULL), CORD_BAD_USAGE);
    assert_false(is_there(f, "new"));
    assert_int_equal(export_to(f, in(f, "new.jsonl"), false, NULL), CORD_BAD_USAGE);
    assert_false(is_there(f, "new.jsonl"));

    /* one full disk among several, and none gets its name */
    FILE *full;
    assert_ok(dataset_open(&set, &(struct dataset_options){.path = in(f, "late"), .folder = true}, f->splits, 2, err));
    assert_ok(dataset_add(&set, "/dev/full", &full, err));
    fputs("x", f->splits[0].file);
    fputs("x", full);
    assert_int_equal(dataset_close(&set, CORD_OK, NULL), CORD_IO_ERROR);
    assert_false(is_there(f, "late"));

    /* one file for two things */
    cord_error e = {0};
    FILE *again;
    assert_ok(dataset_open(&set, &(struct dataset_options){.path = in(f, "one.jsonl")}, f->splits, 1, err));
    cord_status status = dataset_add(&set, in(f, "one.jsonl"), &again, &e);
    assert_int_equal(dataset_close(&set, status, &e), CORD_BAD_USAGE);
    assert_non_null(strstr(e.message, "written twice"));
    assert_false(is_there(f, "one.jsonl"));
    buf_release(&before);
    buf_release(&after);
}

/* Every layout is read back, and its figures are those of the export. */
static void test_rows_read_back(void **state) {
    struct fixture *f = *state;
    struct turn turn;
    assert_ok(turn_open(&turn, chat_template_known("chatml"), TEXT(""), TEXT(""), err));
    f->options.provenance = true;
    for (int i = 0; training_format_at(i); i++) {
        struct figures back = {0};
        struct arena arena;
        f->options.format = training_format_at(i);
        f->options.margin = f->options.format->kind == ROW_TRACE ? -1 : 0;
        f->options.only_correct = f->options.format->kind == ROW_PAIR;
        f->options.turn = f->options.format->texts >= TEXTS_RENDERED ? &turn : NULL;
        assert_ok(export_to(f, in(f, "x.jsonl"), false, err));
        arena_init(&arena);
        assert_ok(rows_read(in(f, "x.jsonl"), NULL, NULL, NULL, &back, &arena, err));
        assert_int_equal(back.rows, f->figures.rows);
        assert_true(back.rows > 0);
        assert_memory_equal(back.score_bins, f->figures.score_bins, sizeof back.score_bins);
        assert_memory_equal(back.grades, f->figures.grades, sizeof back.grades);
        assert_int_equal(back.n_teachers, f->figures.n_teachers);
        for (int t = 0; t < back.n_teachers; t++)
            assert_int_equal(back.teachers[t].steps, f->figures.teachers[t].steps);
        /* what a template writes has words of its own, and so have Math-Shepherd's steps */
        bool same_texts = !f->options.turn && strcmp(f->options.format->name, "math-shepherd") != 0;
        if (same_texts && back.words.sum != f->figures.words.sum) fail_msg("%s", f->options.format->name);
        if (same_texts && back.flaws[FLAW_UNCLOSED]) fail_msg("%s: a flaw", f->options.format->name);
        arena_release(&arena);
    }
    struct figures back = {0};
    struct arena arena;
    cord_error e = {0};
    arena_init(&arena);
    assert_ok(file_write_atomic(in(f, "bad.jsonl"), TEXT("{\"messages\":[]}\n{\"a\":1}\n"), err));
    assert_int_equal(rows_read(in(f, "bad.jsonl"), NULL, NULL, NULL, &back, &arena, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.where, "bad.jsonl:1"));
    arena_release(&arena);
    turn_close(&turn);
}

/* ---- Parquet ------------------------------------------------------------------------------------------------------ */

/* Whether two values say the same: 1 is 1.0. */
static bool same(const json_t *a, const json_t *b) {
    const char *key;
    json_t *value;
    if (json_is_number(a) && json_is_number(b)) return json_number_value(a) == json_number_value(b);
    if (json_typeof(a) != json_typeof(b)) return false;
    if (json_is_array(a)) {
        bool all = json_array_size(a) == json_array_size(b);
        for (size_t i = 0; all && i < json_array_size(a); i++) all = same(json_array_get(a, i), json_array_get(b, i));
        return all;
    }
    if (!json_is_object(a)) return json_equal(a, b);
    bool all = json_object_size(a) == json_object_size(b);
    json_object_foreach((json_t *)(uintptr_t)a, key, value) all =
        all && json_object_get(b, key) && same(value, json_object_get(b, key));
    return all;
}

/* Row for row. */
static void assert_same_rows(struct fixture *f, const char *parquet, const char *jsonl, int rows, const char *library) {
    struct buf lines;
    struct table *table;
    struct table_row row;
    read_into(f, jsonl, &lines);
    const struct table_options options = {.path = in(f, parquet), .kind = TABLE_PARQUET, .library = library};
    assert_ok(table_open(&options, &table, err));
    for (int i = 0;; i++) {
        json_t *line = line_of(buf_text(&lines), i);
        assert_ok(table_next(table, &row, err));
        assert_int_equal(row.more, line != NULL);
        assert_int_equal(row.more, i < rows);
        if (!line) break;
        json_t *read = json_loadb(row.text.data, row.text.len, JSON_ALLOW_NUL, NULL);
        assert_non_null(read);
        if (!same(read, line)) fail_msg("%s", row.text.data);
        json_decref(line);
        json_decref(read);
    }
    table_close(table);
    buf_release(&lines);
}

static void test_parquet(void **state) {
    struct fixture *f = *state;
    const char *library = find_duckdb();
    struct turn turn;
    if (!library) skip();
    struct dataset_options where = {.path = in(f, "x.parquet"), .parquet = true, .library = library};
    char path[200];
    snprintf(path, sizeof path, "%s", where.path);
    where.path = path;
    assert_ok(turn_open(&turn, chat_template_known("chatml"), TEXT(""), TEXT(""), err));
    f->options.turn = &turn;
    f->options.provenance = true;
    for (int i = 0; training_format_at(i); i++) {
        f->options.format = training_format_at(i);
        enum row_kind kind = f->options.format->kind;
        f->options.margin = kind == ROW_TRACE ? -1 : 0;
        f->options.only_correct = kind == ROW_PAIR;
        f->options.top = kind == ROW_TRACE || kind == ROW_STEPS ? 2 : 1;
        assert_ok(export_with(f, &where, err));
        int rows = (int)f->figures.rows;
        assert_true(rows > 0);
        assert_ok(export_to(f, in(f, "x.jsonl"), false, err));
        assert_same_rows(f, "x.parquet", "x.jsonl", rows, library);
    }
    turn_close(&turn);
    f->options.turn = NULL;

    /* in a folder one for each part, one of them without a row; what lies beside names them */
    two_splits(f);
    f->options.format = training_format("llama-factory");
    f->options.margin = -1;
    where.folder = true;
    snprintf(path, sizeof path, "%s/set", f->folder);
    assert_ok(export_with(f, &where, err));
    assert_ok(export_to(f, in(f, "lines"), true, err));
    assert_same_rows(f, "set/test.parquet", "lines/test.jsonl", 2, library);
    assert_same_rows(f, "set/train.parquet", "lines/train.jsonl", 0, library);
    assert_holds(f, "set/README.md", "    path: \"test.parquet\"\n");
    assert_holds(f, "set/dataset_info.json", "\"file_name\":\"train.parquet\"");
    assert_false(is_there(f, "set/test.jsonl"));
}

/* What fails early or late leaves neither file nor draft, and what was there stays. */
static void test_parquet_or_nothing(void **state) {
    struct fixture *f = *state;
    struct dataset set;
    cord_error e = {0};
    char path[200], beside[300];
    snprintf(path, sizeof path, "%s/new", f->folder);
    struct dataset_options where = {.path = path, .folder = true, .parquet = true, .library = ""};
    two_splits(f);
    assert_int_equal(dataset_open(&set, &where, f->splits, 2, &e), CORD_IO_ERROR); /* before there is a row */
    assert_non_null(strstr(e.message, "scripts/duckdb.sh"));
    assert_non_null(strstr(e.where, "/new"));
    assert_false(is_there(f, "new"));
    where.library = find_duckdb();
    if (!where.library) skip();

    e = (cord_error){0};
    assert_ok(dataset_open(&set, &where, f->splits, 2, err));
    fputs("{\"a\":1}\n", f->splits[0].file);
    fputs("{\"a\":\n", f->splits[1].file);
    assert_int_equal(dataset_close(&set, CORD_OK, &e), CORD_BAD_INPUT);
    assert_non_null(strstr(e.message, "DuckDB cannot make Parquet of it"));
    assert_non_null(strstr(e.where, "/new/test.parquet"));
    assert_null(strstr(e.where, ".tmp"));
    assert_false(is_there(f, "new")); /* a folder that holds something is not removed */

    f->options.n_splits = 1;
    where.folder = false;
    snprintf(path, sizeof path, "%s/nowhere/x.parquet", f->folder);
    assert_int_equal(export_with(f, &where, NULL), CORD_IO_ERROR);
    where.path = "/dev/null";
    assert_int_equal(export_with(f, &where, NULL), CORD_BAD_USAGE);

    where.path = path;
    snprintf(path, sizeof path, "%s/x.parquet", f->folder);
    snprintf(beside, sizeof beside, "%s.%ld.tmp.parquet", path, (long)getpid());
    assert_ok(file_write_atomic(path, TEXT("old"), err));
    assert_int_equal(mkdir(beside, 0777), 0); /* where it would be made */
    assert_int_equal(export_with(f, &where, NULL), CORD_IO_ERROR);
    assert_holds(f, "x.parquet", "old");
    assert_int_equal(rmdir(beside), 0);
    beside[strlen(beside) - strlen(".parquet")] = '\0';
    assert_int_equal(access(beside, F_OK), -1);
    assert_ok(export_with(f, &where, err));
    assert_holds(f, "x.parquet", "PAR1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_folder),
        TEST(test_descriptions_of_others),
        TEST(test_filters_on_the_card),
        TEST(test_steps_have_no_grade),
        TEST(test_method_on_the_card),
        TEST(test_readme_of_others),
        TEST(test_file_of_a_folder),
        TEST(test_lists_without_rows),
        TEST(test_stopped),
        TEST(test_all_or_nothing),
        TEST(test_rows_read_back),
        TEST(test_parquet),
        TEST(test_parquet_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
