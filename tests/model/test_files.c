/* test_files.c - what cord_model_open refuses: every file that cannot be used is named, with the reason. Only the test with
 * a truncated model needs weights. */
#include "scratch.h"
#include "tiny.h"
#include "weights.h"

static cord_engine *engine;

/* Opening fails with words that name the file and say `says`; the engine can still be used, and opening twice leaks nothing
 * (the sanitizers see to that). */
static void refused(const char *path, const char *says) {
    for (int i = 0; i < 2; i++) {
        cord_model *model = NULL;
        cord_error err = {0};
        cord_status status = cord_model_open(engine, &(cord_model_options){.name = "m", .path = path}, &model, &err);
        assert_int_equal(status, CORD_BAD_MODEL);
        assert_int_equal(err.code, CORD_BAD_MODEL);
        assert_null(model);
        if (!strstr(err.message, path) && !strstr(err.where, path))
            fail_msg("'%s' does not name %s", err.message, path);
        if (!strstr(err.message, says)) fail_msg("'%s' does not say '%s'", err.message, says);
        assert_int_equal(cord_model_open(engine, &(cord_model_options){.name = "m", .path = path}, &model, NULL),
                         CORD_BAD_MODEL);
    }
}

/* The same of a file with these bytes, which is gone afterwards. */
static void bytes_refused(const char *name, cord_text bytes, const char *says) {
    const char *path = scratch_write(name, bytes);
    refused(path, says);
    unlink(path);
}

static void a_missing_file(void **state) {
    (void)state;
    refused(scratch_path("nowhere.gguf"), "No such file");
}

static void a_folder(void **state) {
    (void)state;
    refused(scratch, "not a file");
}

static void an_empty_file(void **state) {
    (void)state;
    bytes_refused("empty.gguf", TEXT(""), "not a GGUF file");
}

static void a_text(void **state) {
    (void)state;
    bytes_refused("text.gguf", TEXT("Not a model at all.\n"), "not a GGUF file");
    bytes_refused("short.gguf", TEXT("GG"), "not a GGUF file");
}

static void a_header_alone(void **state) {
    (void)state;
    bytes_refused("magic.gguf", TEXT("GGUF"), "cannot load");
    bytes_refused("version.gguf", TEXT("GGUF\xFF\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "cannot load");
    bytes_refused("nothing.gguf", TEXT("GGUF\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
                  "cannot load"); /* no tensors, no keys */
    bytes_refused("huge.gguf", TEXT("GGUF\3\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"),
                  "cannot load");
}

static void a_truncated_model(void **state) {
    (void)state;
    enum { MEGABYTE = 1 << 20 };
    char from[4096];
    weights_path(SMOLLM2, from, sizeof from);
    FILE *file = fopen(from, "rb");
    if (!file) {
        printf("SKIP: %s is not there\n", from);
        skip();
    }
    char *bytes = malloc(8 * MEGABYTE);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, 8 * MEGABYTE, file), 8 * MEGABYTE);
    fclose(file);
    bytes_refused("truncated.gguf", (cord_text){bytes, MEGABYTE}, "cannot load");           /* within the vocabulary */
    bytes_refused("truncated-later.gguf", (cord_text){bytes, 8 * MEGABYTE}, "cannot load"); /* within the weights */
    free(bytes);
}

static void no_permission(void **state) {
    (void)state;
    if (geteuid() == 0) {
        printf("SKIP: root may read everything\n");
        skip();
    }
    const char *path = scratch_write("secret.gguf", TEXT("GGUF"));
    assert_int_equal(chmod(path, 0), 0);
    refused(path, "Permission denied");
    unlink(path);
}

/* Writes a tiny model in two files, the second with a value that is other by `change`. */
static void write_parts(char first[200], char second[200], float change) {
    char whole[64];
    struct ggml_context *tensors = NULL;
    tiny_write(TINY_LLAMA, whole);
    struct gguf_context *from = gguf_init_from_file(whole, (struct gguf_init_params){.ctx = &tensors});
    unlink(whole);
    assert_non_null(from);
    int64_t n = gguf_get_n_tensors(from);
    for (int64_t part = 0; part < 2; part++) {
        struct gguf_context *out = gguf_init_empty();
        if (part == 0) gguf_set_kv(out, from);
        gguf_set_val_u16(out, "split.no", (uint16_t)part);
        gguf_set_val_u16(out, "split.count", 2);
        gguf_set_val_i32(out, "split.tensors.count", (int32_t)n);
        for (int64_t i = part; i < (part ? n : 1); i++) {
            struct ggml_tensor *tensor = ggml_get_tensor(tensors, gguf_get_tensor_name(from, i));
            if (i == n - 1) *ggml_get_data_f32(tensor) += change;
            gguf_add_tensor(out, tensor);
        }
        char *path = part ? second : first;
        snprintf(path, 200, "%s/parts-0000%d-of-00002.gguf", scratch, (int)part + 1);
        unlink(path); /* it may be mapped */
        assert_true(gguf_write_to_file(out, path, false));
        gguf_free(out);
    }
    gguf_free(from);
    ggml_free(tensors);
}

/* A model in two files is as large as both, and another where either is. */
static void a_model_in_parts(void **state) {
    (void)state;
    char first[200], second[200], hex[65], other[65];
    struct stat one = {0}, two = {0};
    cord_model *model = NULL;
    write_parts(first, second, 0);
    assert_ok(cord_model_open(engine, &(cord_model_options){.name = "m", .path = first}, &model, err));
    assert_true(stat(first, &one) == 0 && stat(second, &two) == 0);
    assert_int_equal(cord_model_get_info(model)->bytes, one.st_size + two.st_size);
    assert_ok(sha256_file(first, hex, err));
    write_parts(first, second, 3);
    assert_ok(sha256_file(first, other, err));
    assert_string_not_equal(hex, other);
    unlink(second);
    refused(first, "cannot load");
    unlink(first);
}

/* A context that the model was not trained for is refused after loading: everything loaded is freed again. */
static void too_large_a_context(void **state) {
    (void)state;
    char path[4096];
    weights_path(SMOLLM2, path, sizeof path);
    if (access(path, R_OK) != 0) {
        printf("SKIP: %s is not there\n", path);
        skip();
    }
    cord_model *model = NULL;
    cord_error err = {0};
    cord_model_options options = {.name = "smol", .path = path, .context = 1000000};
    assert_int_equal(cord_model_open(engine, &options, &model, &err), CORD_BAD_MODEL);
    assert_non_null(strstr(err.message, "smol"));
    assert_non_null(strstr(err.message, "1000000"));
    assert_null(model);
}

static int open_all(void **state) {
    engine = weights_engine();
    return scratch_open(state);
}

static int close_all(void **state) {
    (void)state;
    cord_engine_close(engine);
    return rmdir(scratch); /* opening has left nothing in it */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_file),   cmocka_unit_test(a_folder),       cmocka_unit_test(an_empty_file),
        cmocka_unit_test(a_text),           cmocka_unit_test(a_header_alone), cmocka_unit_test(a_truncated_model),
        cmocka_unit_test(a_model_in_parts), cmocka_unit_test(no_permission),  cmocka_unit_test(too_large_a_context),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
