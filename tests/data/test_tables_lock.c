/* test_tables_lock.c - DuckDB may open the files that it was given, and nothing else, while rows are read and after Parquet was
 * written. No query of cord's names another file, so nothing that is reachable from outside could show that: the source itself
 * is part of this test, and asks for more with the connection that it has opened. */
#include "data/tables.c" /* NOLINT(bugprone-suspicious-include) */

#include "data/duckdb.h"
#include "scratch.h"

static const char *library, *mine, *other, *made;

static int open_folder(void **state) {
    library = find_duckdb();
    scratch_open(state);
    mine = scratch_write("mine.jsonl", TEXT("{\"a\":1}\n"));
    other = scratch_write("other.jsonl", TEXT("{\"a\":2}\n"));
    made = scratch_path("made.parquet");
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(mine);
    unlink(other);
    unlink(made);
    return rmdir(scratch); /* nothing else was written */
}

static cord_status query(struct table *t, const char *text, cord_error *e) {
    buf_clear(&t->duck.query);
    buf_add(&t->duck.query, text_of(text));
    return duck_tell(&t->duck, e);
}

static void assert_refused(struct table *t, const char *text, const char *words) {
    cord_error e = {0};
    assert_int_equal(query(t, text, &e), CORD_BAD_INPUT);
    if (!strstr(e.message, words)) fail_msg("%s: %s", text, e.message);
}

static void assert_locked(struct table *t) {
    char text[300];
    snprintf(text, sizeof text, "SELECT * FROM read_csv('%s', columns={'l': 'VARCHAR'})", t->duck.seen);
    assert_ok(query(t, text, err)); /* so that it is not the query that is wrong */
    snprintf(text, sizeof text, "SELECT * FROM read_csv('%s', columns={'l': 'VARCHAR'})", other);
    assert_refused(t, text, "disabled by configuration");
    snprintf(text, sizeof text, "COPY (SELECT 1) TO '%s/written.csv'", scratch);
    assert_refused(t, text, "disabled by configuration");
    assert_refused(t, "ATTACH '/tmp/cord-test-lock.db'", "disabled by configuration");
    assert_refused(t, "SET allowed_paths=['/etc/passwd']", ""); /* it cannot be undone */
    assert_refused(t, "SET enable_external_access=true", "");
    assert_refused(t, "SET threads=2", "locked");
}

static void while_rows_are_read(void **state) {
    (void)state;
    struct table *t = NULL;
    if (!library) skip();
    assert_ok(table_open(&(struct table_options){.path = mine, .library = library}, &t, err));
    if (!t) return; /* never: clang-tidy does not know that assert_ok ends a test */
    assert_locked(t);
    table_close(t);
}

static void when_parquet_is_written(void **state) {
    (void)state;
    struct table *t = NULL;
    if (!library) skip();
    assert_ok(make(mine, library, &t, err));
    if (!t) return;
    assert_ok(write_parquet(t, made, err));
    assert_locked(t);
    table_close(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(while_rows_are_read),
                                       cmocka_unit_test(when_parquet_is_written)};
    return cmocka_run_group_tests(tests, open_folder, remove_folder);
}
