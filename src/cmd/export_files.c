/* export_files.c - see export_files.h. */
#include "cmd/export_files.h"

#include "data/chat.h"
#include "store/journal.h"

#include <sys/stat.h>
#include <unistd.h>

struct dataset_options export_place(const struct call *call, const char *path, int n_splits) {
    struct stat info;
    bool slash = *path && path[strlen(path) - 1] == '/';
    bool folder = slash || (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) || n_splits > 1;
    bool named = !folder && text_ends(text_of(path), TEXT(".parquet"));
    return (struct dataset_options){
        .path = path, .folder = folder, .parquet = call_option(call, "parquet")->given || named};
}

/* ---- outputs against all else ------------------------------------------------------------------------------------- */

struct named_file {
    const char *option, *path;
};

static cord_status check_reads(const struct call *call, struct named_file out, cord_error *err) {
    const struct option_value *exclude = call_option(call, "exclude");
    const char *tokenizer = call_option(call, "tokenizer")->text, *tmpl = call_option(call, "template")->text;
    /* names of models and formats are no files, unless there is one */
    if (tmpl && chat_template_known(tmpl).data) tmpl = NULL;
    const struct named_file named[] = {{"--tokenizer", tokenizer}, {"--template", tmpl}};
    const char *reader = NULL;
    for (int i = 0; i < exclude->n; i++)
        if (output_same(out.path, exclude->list[i])) reader = "--exclude";
    for (int i = 0; i < 2; i++)
        if (named[i].path && access(named[i].path, F_OK) == 0 && output_same(out.path, named[i].path))
            reader = named[i].option;
    if (!reader) return CORD_OK;
    return error_set(err, CORD_BAD_USAGE, "%s would write over %s, which %s reads; name another file", out.option,
                     out.path, reader);
}

static cord_status check_all(const struct call *call, const struct named_file *outs, int n, cord_error *err) {
    for (int i = 0; i < n; i++) {
        CORD_TRY(output_spare_runs(outs[i].option, outs[i].path, call->args, call->n_args, err));
        CORD_TRY(check_reads(call, outs[i], err));
        for (int k = 0; k < i; k++)
            if (output_same(outs[k].path, outs[i].path))
                return error_set(err, CORD_BAD_USAGE, "%s and %s would both write %s; name two files", outs[k].option,
                                 outs[i].option, outs[i].path);
    }
    return CORD_OK;
}

static cord_status spare_problem_sets(const struct runs *runs, const struct named_file *outs, int n, cord_error *err) {
    for (int i = 0; i < n; i++)
        for (int k = 0; k < runs->n; k++)
            if (*runs->sources[k].problems && output_same(outs[i].path, runs->sources[k].problems))
                return error_set(err, CORD_BAD_USAGE,
                                 "%s would write over %s, the problem set of %s; name another file", outs[i].option,
                                 outs[i].path, runs->sources[k].folder);
    return CORD_OK;
}

cord_status check_export_files(const struct call *call, const struct runs *runs, const struct export_split *splits,
                               int n, cord_error *err) {
    struct named_file outs[EXPORT_SPLITS + 2];
    const char *path = call_option(call, "out")->text;
    struct arena arena;
    int n_outs = 0;
    arena_init(&arena);
    cord_status status = CORD_OK;
    if (path && strcmp(path, "-") != 0) {
        struct dataset_options place = export_place(call, path, n);
        for (int i = 0; i < (place.folder ? n : 1) && status == CORD_OK; i++) {
            const char *file = dataset_file(&place, splits[i].name, &arena);
            outs[n_outs++] = (struct named_file){"--out", file};
            if (!file) status = error_memory(err);
        }
    }
    static const char *const lists[] = {"matches", "list"}, *const options[] = {"--matches", "--list"};
    for (int i = 0; i < 2; i++)
        if (call_option(call, lists[i])->text)
            outs[n_outs++] = (struct named_file){options[i], call_option(call, lists[i])->text};
    if (status == CORD_OK)
        status = runs ? spare_problem_sets(runs, outs, n_outs, err) : check_all(call, outs, n_outs, err);
    arena_release(&arena);
    return status;
}
