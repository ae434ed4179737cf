/* resume.c - see resume.h. */
#include "cmd/resume.h"

#include "store/output.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- the folder ------------------------------------------------------------------------------------------------ */

static cord_status spare(const struct resume *r, const char *file, const char *what, bool ours, cord_error *err) {
    const char *name = run_file_of(r->recipe->out, file);
    if (!name || (ours && !strcmp(name, "recipe.yaml"))) return CORD_OK;
    error_where(err, "run.out: %s", r->recipe->out);
    return error_set(err, CORD_BAD_RECIPE,
                     "the %s %s lies there, in place of which the run would write its own %s; name another folder, or "
                     "move that file",
                     what, file, name);
}

static bool holds_anything(const char *path) {
    struct stat file;
    return stat(path, &file) == 0 && file.st_size > 0;
}

/* What a run made, and its journal is gone: a new one would write over the rest. */
static cord_status spare_results(const struct resume *r, const char *journal, cord_error *err) {
    const char *results = arena_printf(r->arena, "%s/trajectories.jsonl", r->recipe->out);
    if (!results) return error_memory(err);
    if (!holds_anything(results) || holds_anything(journal)) return CORD_OK;
    return error_set(
        err, CORD_BAD_RECIPE,
        "%s holds trajectories, and %s, of which they were made, is %s; a run would begin anew and write its "
        "own in their place: restore the journal, name another run.out, or move that file",
        results, journal, access(journal, F_OK) == 0 ? "empty" : "not there");
}

cord_status resume_spare_inputs(const struct resume *r, cord_error *err) {
    const char *journal = arena_printf(r->arena, "%s/journal.sqlite", r->recipe->out);
    if (!journal) return error_memory(err);
    bool begun = access(journal, F_OK) == 0;
    CORD_TRY(spare(r, r->recipe->problems.path, "problem set", false, err));
    if (r->recipe_file) CORD_TRY(spare(r, r->recipe_file, "recipe", begun, err));
    return spare_results(r, journal, err);
}

/* ---- the recipe ------------------------------------------------------------------------------------------------ */

/* Each shard has a folder of its own, and cord merge puts them together. */
static cord_status compare_shard(const struct resume *r, cord_error *err) {
    cord_text before;
    CORD_TRY(journal_get_fact(r->journal, "shard", r->arena, &before, err));
    if (text_equal(before, text_of(r->shard))) return CORD_OK;
    error_where(err, "%s", r->recipe->out);
    return error_set(err, CORD_CHANGED,
                     "this folder was made %s%.*s, and this is %s%s; name another run.out (cord merge puts the runs of "
                     "shards into one)",
                     before.len ? "with --shard " : "without --shard", (int)before.len, before.len ? before.data : "",
                     *r->shard ? "--shard " : "a run of all problems", r->shard);
}

/* What was written is kept under its author's number: those there were stay, in their order. */
static cord_status keep_teachers(const struct resume *r, cord_error *err) {
    const struct recipe *recipe = r->recipe;
    const char *const *names, *list = "";
    int n, n_authors = recipe->n_teachers + (recipe->integration_model >= 0);
    if (recipe->search.strategy == STRATEGY_SELECTION) return CORD_OK; /* the traces' sources; those there were stay */
    CORD_TRY(journal_get_teachers(r->journal, r->arena, &names, &n, err));
    bool same = n <= n_authors;
    for (int i = 0; i < n; i++) {
        same = same && !strcmp(names[i], i < recipe->n_teachers ? recipe->teachers[i].name : INTEGRATOR);
        list = arena_printf(r->arena, "%s%s%s", list, i ? ", " : "", names[i]);
        if (!list) return error_memory(err);
    }
    if (same) return CORD_OK;
    bool integrated = n > 0 && !strcmp(names[n - 1], INTEGRATOR);
    error_where(err, "%s", r->recipe->out);
    return error_set(err, CORD_CHANGED,
                     "teachers: what is done here was written by %s, and is kept under their numbers; keep these%s, or "
                     "name another run.out",
                     list,
                     integrated ? " teachers, no more and no fewer, and search.strategy: integration"
                                : ", in this order (new ones behind them)");
}

/* What is kept of a search that has begun means nothing to a search of another form, and its scores stand beside the new ones. */
static cord_text find_form(cord_text differences) {
    static const char *const keys[] = {
        "search.strategy: ", "search.runs: ", "search.criterion: ", "search.segmentation: "};
    cord_text line;
    while (text_next_line(&differences, &line))
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (text_starts(line, text_of(keys[i]))) return line;
    return (cord_text){"", 0};
}

/* A search that has begun goes on in the form in which it began. Of what was merged nobody knows which that was. */
static cord_status keep_form(const struct resume *r, int64_t unfinished, cord_text differences, cord_text mixed,
                             cord_error *err) {
    cord_text line = find_form(differences), other = find_form(mixed);
    const char *are = unfinished == 1 ? " is" : "s are", *them = unfinished == 1 ? "it" : "them";
    if (!line.len && !other.len) return CORD_OK;
    error_where(err, "%s", r->recipe->out);
    if (other.len)
        return error_set(
            err, CORD_CHANGED,
            "%.*s: these runs were merged, and %lld problem%s in the middle of a search of one or the other; "
            "finish %s in the run that %s of, and merge again",
            (int)other.len, other.data, (long long)unfinished, are, them, unfinished == 1 ? "it is" : "they are");
    if (r->recipe->search.strategy == STRATEGY_SELECTION)
        return error_set(
            err, CORD_CHANGED,
            "%.*s: %lld problem%s here in the middle of a selection as it was before; finish %s with the same "
            "`cord select` without that change, or name another folder with --out",
            (int)line.len, line.data, (long long)unfinished, are, them);
    return error_set(err, CORD_CHANGED,
                     "%.*s: %lld problem%s here in the middle of a search as it was before; finish %s with 'cord run "
                     "%s/recipe.yaml%s%s' (failed ones with --retry-failed), or name another run.out",
                     (int)line.len, line.data, (long long)unfinished, are, them, r->recipe->out,
                     *r->shard ? " --shard " : "", r->shard);
}

/* With --accept-changes nearly all may change. */
static cord_status accept_changes(const struct resume *r, cord_text mixed, cord_error *err) {
    int64_t begun, unfinished;
    CORD_TRY(journal_count_begun(r->journal, &begun, &unfinished, err));
    if (begun) CORD_TRY(keep_teachers(r, err));
    return unfinished ? keep_form(r, unfinished, r->differences, mixed, err) : CORD_OK;
}

cord_status resume_compare_recipe(struct resume *r, cord_error *err) {
    cord_text before, mixed;
    CORD_TRY(journal_get_fact(r->journal, "recipe", r->arena, &before, err));
    if (!before.data) /* nothing has begun here: a recipe in the folder is nobody's but the user's */
        return r->recipe_file ? spare(r, r->recipe_file, "recipe", false, err) : CORD_OK;
    CORD_TRY(compare_shard(r, err));
    CORD_TRY(recipe_differences(before, r->recipe->resolved, true, r->arena, &r->differences, err));
    CORD_TRY(journal_get_fact(r->journal, "mixed", r->arena, &mixed, err));
    if (r->accept) return accept_changes(r, mixed, err);
    if (mixed.len) {
        error_where(err, "%s", r->recipe->out);
        return error_set(
            err, CORD_CHANGED,
            "this folder was merged from runs that do not agree in everything, so no one recipe made it; go "
            "on with --accept-changes (what is done stays as it is). What differed:\n%.*s\n",
            (int)mixed.len, mixed.data);
    }
    if (r->differences.len == 0) return CORD_OK;
    error_fill(
        err, CORD_CHANGED,
        "this folder was made with another recipe; name another run.out, or go on with --accept-changes (what is done "
        "stays as it is). What differs:\n%.*s",
        (int)r->differences.len, r->differences.data);
    error_where(err, "%s", r->recipe->out);
    return CORD_CHANGED;
}

/* ---- models ---------------------------------------------------------------------------------------------------- */

/* What is known of a model from before, and whether it still is so. */
static cord_status compare_fact(const struct resume *r, const char *model, const char *what, cord_text now,
                                cord_text *before, bool *same, cord_error *err) {
    CORD_TRY(journal_get_model_fact(r->journal, text_of(model), what, r->arena, before, err));
    *same = !before->data || text_equal(*before, now);
    return CORD_OK;
}

cord_status resume_compare_models(const struct resume *r, const struct session *session, const char *remedy,
                                  cord_error *err) {
    for (int i = 0; i < r->recipe->n_models && !r->accept; i++) {
        const char *name = r->recipe->models[i].options.name;
        const char *serves = cord_model_get_info(session->models[i])->serves;
        cord_text before;
        bool same;
        CORD_TRY(compare_fact(r, name, "sha256", text_of(session->sha256[i]), &before, &same, err));
        if (!same && r->recipe->models[i].options.url)
            return error_set(err, CORD_CHANGED,
                             "the server of %s (%s) is of another kind or version, or serves another model, than this "
                             "run began with; %s",
                             name, cord_model_get_info(session->models[i])->description, remedy);
        if (!same)
            return error_set(err, CORD_CHANGED, "the file of %s is not the one this run began with; %s", name, remedy);
        if (!serves) continue;
        CORD_TRY(compare_fact(r, name, "serves", text_of(serves), &before, &same, err));
        if (!same)
            return error_set(err, CORD_CHANGED,
                             "the server of %s has another model (%s) than this run began with (%.*s); start it with "
                             "that one, or %s",
                             name, serves, (int)before.len, before.data, remedy);
    }
    return CORD_OK;
}

/* ---- what is written down ---------------------------------------------------------------------------------------- */

static cord_status note_fact(const struct resume *r, const char *model, const char *what, cord_text now,
                             cord_error *err) {
    const char *change = arena_printf(r->arena, "models.%s: another model", model);
    cord_text before;
    bool same;
    CORD_TRY(compare_fact(r, model, what, now, &before, &same, err));
    if (!change) return error_memory(err);
    if (!same) CORD_TRY(journal_add_to_fact(r->journal, "changed", text_of(change), err));
    return journal_put_model_fact(r->journal, model, what, now, err);
}

cord_status resume_note(const struct resume *r, const struct session *session, cord_error *err) {
    char *path = arena_printf(r->arena, "%s/recipe.yaml", r->recipe->out);
    cord_text differences = r->differences, line;
    if (!path) return error_memory(err);
    while (text_next_line(&differences, &line)) CORD_TRY(journal_add_to_fact(r->journal, "changed", line, err));
    for (int i = 0; i < r->recipe->n_models; i++) {
        const char *name = r->recipe->models[i].options.name;
        const char *serves = cord_model_get_info(session->models[i])->serves;
        CORD_TRY(note_fact(r, name, "sha256", text_of(session->sha256[i]), err));
        if (serves) CORD_TRY(note_fact(r, name, "serves", text_of(serves), err));
    }
    CORD_TRY(journal_put_fact(r->journal, "shard", text_of(r->shard), err));
    CORD_TRY(journal_put_fact(r->journal, "recipe", r->recipe->resolved, err));
    return file_write_atomic(path, r->recipe->resolved, err);
}
