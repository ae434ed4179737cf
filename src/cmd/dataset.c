/* dataset.c - see dataset.h. */
#include "cmd/dataset.h"

#include "cmd/session.h"
#include "recipe/recipe.h"
#include "search/criterion.h"

#include <stdlib.h>

enum { MOST_TEMPLATE = 1 << 20 };

/* Where a run does not say how far its scores can be trusted (it is older than the fact), what is stated for models in files. */
#define USUAL_NOISE 0.25

/* ---- runs --------------------------------------------------------------------------------------------------------- */

/* What the run's scores are. */
static cord_status read_method(struct export_source *source, const struct recipe_outline *outline, struct arena *arena,
                               cord_error *err) {
    source->strategy = arena_text(arena, outline->strategy).data;
    source->criterion = arena_text(arena, outline->criterion).data;
    if (!source->strategy || !source->criterion) return error_memory(err);
    const struct criterion *criterion = criterion_named(outline->criterion);
    source->scores = shows_likelihoods(criterion)               ? SCORES_OF_GOLD
                     : strcmp(source->criterion, "random") == 0 ? SCORES_RANDOM
                                                                : SCORES_OTHER;
    source->noise *= criterion->noises; /* what is no likelihood has none */
    source->pp_is_s = outline->measuring_model == outline->meta_model;
    return CORD_OK;
}

/* What the run's recipe says of its problems' rows; and by how much two of the meta-prover's scores may differ for no reason, as
 * the run noted it. */
static cord_status read_recipe(struct export_source *source, struct arena *arena, cord_error *err) {
    struct recipe_outline outline;
    cord_text recipe;
    source->noise = USUAL_NOISE;
    source->problems = "";
    CORD_TRY(journal_get_fact(source->journal, "recipe", arena, &recipe, err));
    if (!recipe.len) return CORD_OK;
    CORD_TRY(recipe_outline(recipe, arena, &outline, err));
    source->fields = outline.problems;
    cord_text problems, tokens;
    CORD_TRY(recipe_said(recipe, "problems.file", arena, &problems, err));
    source->problems = problems.data ? problems.data : "";
    CORD_TRY(recipe_said(recipe, "search.answer_tokens", arena, &tokens, err));
    source->answer_tokens = tokens.len ? atoi(tokens.data) : 0;
    if (outline.meta_model >= 0 && outline.models)
        CORD_TRY(journal_get_model_number(source->journal, outline.models[outline.meta_model], "noise", &source->noise,
                                          err));
    return read_method(source, &outline, arena, err);
}

/* The last n parts of a whole path. */
static cord_text last_parts(cord_text path, int n) {
    size_t at = path.len;
    while (at > 0 && (path.data[at - 1] != '/' || --n > 0)) at--;
    return text_slice(path, at, path.len);
}

/* Runs are named by the last part of their paths, and those that would have one name by as many as tell them apart. */
static cord_status name_runs(struct runs *runs, cord_error *err) {
    cord_text *paths = arena_alloc(&runs->arena, (size_t)runs->n * sizeof *paths);
    if (!paths) return error_memory(err);
    for (int i = 0; i < runs->n; i++) {
        char *full = realpath(runs->sources[i].folder, NULL);
        paths[i] = arena_text(&runs->arena, path_trim(text_of(full ? full : runs->sources[i].folder)));
        free(full);
        if (!paths[i].data) return error_memory(err);
    }
    for (int i = 0; i < runs->n; i++) {
        int parts = 1;
        for (int k = 0; k < runs->n; k++)
            while (!text_equal(paths[k], paths[i]) &&
                   text_equal(last_parts(paths[k], parts), last_parts(paths[i], parts)))
                parts++;
        runs->sources[i].name = arena_text(&runs->arena, last_parts(paths[i], parts)).data;
        if (!runs->sources[i].name) return error_memory(err);
    }
    return CORD_OK;
}

static cord_status open_run(struct runs *runs, const char *folder, cord_error *err) {
    struct export_source *source = &runs->sources[runs->n];
    CORD_TRY(journal_open(folder, JOURNAL_READ, &source->journal, err));
    runs->n++;
    source->folder = folder;
    CORD_TRY(journal_get_teachers(source->journal, &runs->arena, &source->teachers, &source->n_teachers, err));
    return read_recipe(source, &runs->arena, err);
}

cord_status runs_open(struct runs *runs, const char *const *folders, int n, cord_error *err) {
    *runs = (struct runs){0};
    arena_init(&runs->arena);
    runs->sources = arena_alloc(&runs->arena, (size_t)n * sizeof *runs->sources);
    cord_status status = runs->sources ? CORD_OK : error_memory(err);
    for (int i = 0; i < n && status == CORD_OK; i++) status = open_run(runs, folders[i], err);
    if (status == CORD_OK) status = name_runs(runs, err);
    if (status != CORD_OK) runs_close(runs);
    return status;
}

void runs_close(struct runs *runs) {
    for (int i = 0; runs->sources && i < runs->n; i++) journal_close(runs->sources[i].journal);
    arena_release(&runs->arena);
    *runs = (struct runs){0};
}

/* ---- tokenizer and template ------------------------------------------------------------------------------------------ */

static cord_status open_model(struct reader *reader, const char *name, cord_model **model, cord_error *err) {
    cord_model_options options = {.name = name};
    CORD_TRY(find_weights(name, &reader->arena, &options.path, err));
    if (!reader->engine) {
        cord_engine_options with = engine_options_of(1, NULL);
        CORD_TRY(cord_engine_open(&with, &reader->engine, err));
    }
    return cord_model_open(reader->engine, &options, model, err);
}

static void note_bos(struct reader *reader, const cord_model *model) {
    const cord_model_info *info = cord_model_get_info(model);
    if (info->wants_bos == CORD_BOS_WANTED) reader->added_bos = info->bos;
}

static cord_status open_file(struct reader *reader, const char *path, cord_text bos, cord_text eos, cord_error *err) {
    struct buf source;
    CORD_TRY(file_read(path, "chat template", MOST_TEMPLATE, &source, err));
    cord_error why = {0};
    error_where(&why, "%s", path); /* before, so that a line of it can be told */
    cord_status status = turn_open(&reader->turn, buf_text(&source), bos, eos, &why);
    if (status != CORD_OK && err) *err = why;
    buf_release(&source);
    return status;
}

/* A name that is neither a format nor a model's; `why` says why no model's. */
static cord_status no_template(struct reader *reader, const char *name, const cord_error *why, cord_error *err) {
    const char *hint = chat_template_hint(name, &reader->arena);
    if (!hint) return error_memory(err);
    return error_set(err, why->code, "'%.100s' is no .jinja file, nor a format of that name; %s; and no model: %s",
                     name, hint, why->message);
}

static cord_status open_template(struct reader *reader, const char *name, cord_error *err) {
    const cord_model_info *info = reader->tokenizer ? cord_model_get_info(reader->tokenizer) : NULL;
    cord_text known = chat_template_known(name), bos = info ? info->bos : TEXT(""), eos = info ? info->eos : TEXT("");
    cord_error why = {0};
    const char *path;
    cord_model *model;
    if (known.data) return turn_open(&reader->turn, known, bos, eos, err);
    if (text_ends(text_of(name), TEXT(".jinja"))) return open_file(reader, name, bos, eos, err);
    if (find_weights(name, &reader->arena, &path, &why) != CORD_OK) return no_template(reader, name, &why, err);
    CORD_TRY(open_model(reader, name, &model, err));
    info = cord_model_get_info(model);
    if (!reader->tokenizer) note_bos(reader, model);
    if (info->chat_template.len) return turn_open(&reader->turn, info->chat_template, info->bos, info->eos, err);
    return error_set(err, CORD_BAD_MODEL, "%s has no chat template of its own; name a known format or a .jinja file",
                     name);
}

cord_status reader_open(struct reader *reader, const char *tokenizer, const char *tmpl, cord_error *err) {
    *reader = (struct reader){0};
    arena_init(&reader->arena);
    cord_status status = tokenizer ? open_model(reader, tokenizer, &reader->tokenizer, err) : CORD_OK;
    if (reader->tokenizer) note_bos(reader, reader->tokenizer);
    if (status == CORD_OK && tmpl) status = open_template(reader, tmpl, err);
    if (status != CORD_OK) reader_close(reader);
    return status;
}

void reader_close(struct reader *reader) {
    turn_close(&reader->turn);
    cord_engine_close(reader->engine);
    arena_release(&reader->arena);
    *reader = (struct reader){0};
}

static cord_status count(const struct reader *reader, cord_text text, bool special, int *tokens, cord_error *err) {
    const cord_span span = {text, special};
    *tokens = 0;
    return text.len ? cord_count_tokens(reader->tokenizer, &span, 1, tokens, err) : CORD_OK;
}

cord_status reader_count(void *reader, cord_text text, int *tokens, cord_error *err) {
    return count(reader, text, true, tokens, err); /* as trainers tokenise, who know no spans */
}

cord_status reader_count_plain(void *reader, cord_text text, int *tokens, cord_error *err) {
    return count(reader, text, false, tokens, err);
}
