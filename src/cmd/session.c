/* session.c - opens the models of a recipe, sized for its search, and binds teachers and the grader to them. */
#include "cmd/session.h"

#include "cmd/checkup.h"
#include "model/backend.h"

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- stopping ------------------------------------------------------------------------------------------------ */

/* Signal handlers can be given nothing, so these are the program's only globals. */
static cord_engine *volatile watched;
static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    if (interrupted) _exit(128 + number); /* the journal is safe at any instant */
    interrupted = 1;
    cord_engine *engine = watched;
    if (engine) cord_engine_stop(engine);
}

static void handle_signals(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void watch_signals(cord_engine *engine) {
    watched = engine;
    handle_signals(engine ? on_signal : SIG_DFL);
}

void note_signals(void) { handle_signals(on_signal); }

bool was_interrupted(void) { return interrupted; }

/* ---- opening ------------------------------------------------------------------------------------------------- */

static void log_line(void *file, const char *line) { fprintf(file, "%s\n", line); }

cord_engine_options engine_options_of(int threads, FILE *log) {
    return (cord_engine_options){.threads = threads, .log = log ? log_line : NULL, .log_ctx = log};
}

cord_engine_options engine_options_of_recipe(const struct recipe *recipe, FILE *log) {
    cord_engine_options options = engine_options_of(recipe->threads, log);
    options.memory = recipe->memory;
    options.reproducible = recipe->reproducible;
    options.servers = recipe->servers;
    return options;
}

cord_status find_weights(const char *name, struct arena *arena, const char **path, cord_error *err) {
    if (backend_local_refusal) return error_set(err, CORD_BAD_MODEL, "%s: %s", name, backend_local_refusal);
    return recipe_find_model(name, NULL, models_folder(arena), arena, path, err);
}

/* Bytes of the longest texts that stand around a question. */
static size_t longest_frame(const struct recipe *recipe) {
    size_t longest = 0;
    for (int k = 0; k <= recipe->n_teachers; k++) {
        const struct prompt_style *style = k < recipe->n_teachers ? &recipe->teachers[k].style : &recipe->meta_style;
        size_t bytes = style->system.len + style->user.len + style->full.len;
        if (bytes > longest) longest = bytes;
    }
    size_t judging = recipe->grading.system.len + recipe->grading.prompt.len;
    size_t merging = recipe->search.integration.form.len + recipe->integration_style.system.len;
    if (merging > judging) judging = merging;
    return judging > longest ? judging : longest;
}

/* Whether whole trajectories are told to it. */
static bool is_used(const struct recipe *recipe, int model) {
    bool used = recipe->meta_model == model || recipe->judgment_model == model || recipe->reward_model == model ||
                recipe->scorer_model == model || recipe->held_out_model == model || recipe->integration_model == model;
    for (int k = 0; k < recipe->n_teachers; k++) used |= recipe->teachers[k].model == model;
    return used;
}

/* Tokens that a judge needs beside what its prompt says: an answer, which may be a whole reply, and its own reply. A model
 * that only judges need not be one for long texts. */
static long judge_context(const struct recipe *recipe) {
    return 512L + recipe->search.answer_tokens + recipe->search.answer_tokens / 4 + recipe->grading.tokens;
}

/* A trajectory that another tokenizer counted may be a quarter longer in this one's tokens. */
long session_budget(const struct recipe *recipe, int model) {
    const struct search_settings *s = &recipe->search;
    long context = 512 + s->think_tokens + s->think_tokens / 4 + (s->answer_tokens > 256 ? s->answer_tokens : 256);
    if (s->strategy == STRATEGY_SELECTION) context = 1024; /* traces have the length they have: see sized() */
    if (recipe->integration_model == model && context < 512L + s->integration.tokens)
        context = 512L + s->integration.tokens;
    if (recipe->judge_model == model && (judge_context(recipe) > context || !is_used(recipe, model)))
        context = judge_context(recipe);
    if (recipe->judgment_model == model && s->judgment.tokens > s->answer_tokens)
        context += s->judgment.tokens - s->answer_tokens;
    return context;
}

/* How much a search can ask of one model: tokens of one sequence, and sequences. A model that has no room for the budgets is
 * refused; one that has none for the longest prompt is not: that is then this problem's failure. */
static cord_model_options sized(const struct recipe *recipe, int model, size_t longest_question) {
    const struct search_settings *s = &recipe->search;
    cord_model_options options = recipe->models[model].options;
    size_t prompt = (longest_question + longest_frame(recipe)) / 2;
    long more = prompt < 8192 ? (long)prompt : 8192;
    long context = session_budget(recipe, model);
    long rows = (long)search_rows(s) * recipe->n_teachers;
    /* given traces come with the question, and no token has less than a byte; an integrator reads all traces at once */
    if (s->strategy == STRATEGY_SELECTION) more = (long)(longest_question + longest_frame(recipe));
    if (recipe->integration_model == model) more += rows * (s->think_tokens + s->think_tokens / 4L);
    if (more > INT_MAX / 4) more = INT_MAX / 4;
    long sequences = 3 * rows + search_rows(s);
    if (!options.context) options.more_context = (int)more;
    if (!options.context) options.context = context < INT_MAX / 4 ? (int)context : INT_MAX / 4;
    if (!options.sequences) options.sequences = sequences < 64 ? 64 : sequences > 256 ? 256 : (int)sequences;
    return options;
}

bool has_head(const struct recipe *recipe, int model) {
    return model >= 0 && recipe->reward_model == model && recipe->search.reward_format == REWARD_QWEN;
}

static bool needs_template(const struct recipe *recipe, int model) {
    if (recipe->judge_model == model || recipe->integration_model == model) return true;
    if (recipe->reward_model == model && recipe->search.reward_format == REWARD_RLHFLOW) return true;
    bool scores = recipe->meta_model == model || recipe->judgment_model == model || recipe->scorer_model == model ||
                  recipe->held_out_model == model;
    if (scores && recipe->meta_style.full.len == 0) return true;
    for (int k = 0; k < recipe->n_teachers; k++)
        if (recipe->teachers[k].model == model && recipe->teachers[k].style.full.len == 0) return true;
    return false;
}

/* What a recipe only names: the key in the environment, the template in its file. */
static cord_status read_secrets(const struct recipe_model *model, struct arena *arena, cord_model_options *options,
                                cord_error *err) {
    enum { TEMPLATE_LIMIT = 1 << 20 };
    const char *field = arena_printf(arena, "models.%s.api_key_env", model->name);
    if (!field) return error_memory(err);
    if (model->api_key_env) CORD_TRY(key_of_server(model->api_key_env, field, &options->api_key, err));
    if (!model->template_path) return CORD_OK;
    struct buf source;
    cord_status status = file_read(model->template_path, "chat template", TEMPLATE_LIMIT, &source, err);
    if (status == CORD_OK) options->chat_template = arena_text(arena, buf_text(&source)).data;
    buf_release(&source);
    return status;
}

cord_status session_model_options(const struct recipe *recipe, int model, size_t longest_question, struct arena *arena,
                                  cord_model_options *options, cord_error *err) {
    *options = sized(recipe, model, longest_question);
    options->context_key = arena_printf(arena, "models.%s.context", recipe->models[model].name);
    if (!options->context_key) return error_memory(err);
    return read_secrets(&recipe->models[model], arena, options, err);
}

/* What tells whether a model is still the one that a run began with: its file, or what its server says that it is. */
static cord_status identity_of(const cord_model_options *options, const cord_model_info *info, char hex[65],
                               cord_error *err) {
    if (options->path) return sha256_file(options->path, hex, err);
    char text[600];
    snprintf(text, sizeof text, "%s\n%s", info->description, options->served ? options->served : "");
    sha256_text(text_of(text), hex);
    return CORD_OK;
}

cord_status session_template(const struct recipe *recipe, int model, const cord_model *opened,
                             struct chat_template **tmpl, cord_error *err) {
    const cord_model_info *info = cord_model_get_info(opened);
    *tmpl = NULL;
    if (!needs_template(recipe, model)) return CORD_OK;
    bool judges = recipe->judge_model == model;
    if (info->chat_template.len == 0 && (judges || recipe->integration_model == model))
        return error_set(err, CORD_BAD_RECIPE,
                         "%s is asked through its chat template, and %s has none; name another model in %s.model%s",
                         judges ? "a judge" : "an integrator", info->name, judges ? "grading" : "integration",
                         recipe->models[model].options.url ? ", or its format in models.*.template" : "");
    if (info->chat_template.len == 0 && recipe->models[model].options.url)
        return error_set(err, CORD_BAD_RECIPE,
                         "%s: its server tells no chat template; name a known format or a file with it "
                         "(models.%s.template), or give its prompt in full (prompt.full)",
                         info->name, info->name);
    if (info->chat_template.len == 0)
        return error_set(err, CORD_BAD_RECIPE,
                         "%s has no chat template of its own; give its prompt in full (prompt.full)", info->name);
    cord_error why = {0};
    if (recipe->models[model].template_path) error_where(&why, "%s", recipe->models[model].template_path);
    cord_status status = chat_template_new(info->chat_template, tmpl, &why);
    if (status != CORD_OK) error_where(&why, "chat template of %s", info->name);
    if (status != CORD_OK && err) *err = why;
    return status;
}

static cord_status open_one(struct session *session, int i, size_t longest_question, cord_error *err) {
    const struct recipe *recipe = session->recipe;
    cord_model_options options;
    CORD_TRY(session_model_options(recipe, i, longest_question, &session->arena, &options, err));
    CORD_TRY(cord_model_open(session->engine, &options, &session->models[i], err));
    CORD_TRY(identity_of(&options, cord_model_get_info(session->models[i]), session->sha256[i], err));
    return session_template(recipe, i, session->models[i], &session->templates[i], err);
}

static struct prompt prompt_of(const struct session *session, int model, const struct prompt_style *style) {
    const cord_model_info *info = cord_model_get_info(session->models[model]);
    return (struct prompt){style, session->templates[model], info->bos, info->eos};
}

/* A model that is spoken to in the meta-prover's style; zero where there is none. */
static struct meta_prover scorer_of(const struct session *session, int model) {
    if (model < 0) return (struct meta_prover){0};
    return (struct meta_prover){.model = session->models[model],
                                .prompt = prompt_of(session, model, &session->recipe->meta_style)};
}

static cord_status check_prompt(struct session *session, const char *who, int model, const struct prompt_style *style,
                                cord_error *err) {
    const struct prompt prompt = prompt_of(session, model, style);
    struct checkup_prompt found;
    cord_status status = checkup_prompt(session->models[model], &prompt, &session->arena, &found, err);
    if (status == CORD_OK) status = checkup_refuse(who, &found.think, err);
    if (status == CORD_OK) status = checkup_refuse(who, &found.bos, err);
    if (status != CORD_OK) error_where(err, "model %s", session->recipe->models[model].name);
    return status;
}

static cord_status check_scores(struct session *session, const char *who, int model, cord_error *err) {
    cord_scoring_check check;
    if (!session->recipe->models[model].options.url) return CORD_OK;
    cord_status status = cord_check_scoring(session->engine, session->models[model], false, &check, err);
    if (status == CORD_OK) {
        const struct finding scores = checkup_scores(&check, true, &session->arena);
        status = checkup_refuse(who, &scores, err);
    }
    session->apart[model] = check.apart;
    if (status != CORD_OK) error_where(err, "model %s", session->recipe->models[model].name);
    return status;
}

static cord_status check_head(struct session *session, const char *who, int model, cord_error *err) {
    const struct finding head = checkup_head(session->engine, session->models[model], &session->arena);
    cord_status status = checkup_refuse(who, &head, err);
    if (status != CORD_OK) error_where(err, "model %s", session->recipe->models[model].name);
    return status;
}

/* What would spoil a whole run is refused before it starts: prompts that no question makes good, and, since a search stands
 * on its scores, a server that cannot give them, or gives two. (What cord itself computes of a file is compared by its tests,
 * and by the doctor.) */
static cord_status check_all(struct session *session, cord_error *err) {
    const struct recipe *recipe = session->recipe;
    for (int k = 0; k < recipe->n_teachers; k++) {
        const char *who = arena_printf(&session->arena, "teacher %s", recipe->teachers[k].name);
        if (!who) return error_memory(err);
        CORD_TRY(check_prompt(session, who, recipe->teachers[k].model, &recipe->teachers[k].style, err));
    }
    const struct {
        const char *who;
        int model;
        bool scores, reads_prompt; /* a reward model is not spoken to in this style */
    } others[] = {
        {"meta_prover", recipe->meta_model, true, true},
        {"judgment.model", recipe->judgment_model, false, true},
        {"reward.model", recipe->reward_model, !has_head(recipe, recipe->reward_model), false},
        {"measures.scorer", recipe->scorer_model, true, true},
        {"measures.held_out", recipe->held_out_model, true, true},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i].model < 0 || (i && others[i].model == recipe->meta_model)) continue;
        if (others[i].reads_prompt)
            CORD_TRY(check_prompt(session, others[i].who, others[i].model, &recipe->meta_style, err));
        if (others[i].scores) CORD_TRY(check_scores(session, others[i].who, others[i].model, err));
    }
    if (has_head(recipe, recipe->reward_model))
        CORD_TRY(check_head(session, "reward.model", recipe->reward_model, err));
    return CORD_OK;
}

static cord_status open_all(struct session *session, size_t longest_question, cord_error *err) {
    const struct recipe *recipe = session->recipe;
    size_t n = (size_t)recipe->n_models;
    session->models = arena_alloc(&session->arena, n * sizeof *session->models);
    session->sha256 = arena_alloc(&session->arena, n * sizeof *session->sha256);
    session->apart = arena_alloc(&session->arena, n * sizeof *session->apart);
    session->templates = arena_alloc(&session->arena, n * sizeof *session->templates);
    session->teachers = arena_alloc(&session->arena, (size_t)(recipe->n_teachers + 1) * sizeof *session->teachers);
    session->n_teachers = session->n_authors = recipe->n_teachers;
    if (!session->models || !session->sha256 || !session->apart || !session->templates || !session->teachers)
        return error_memory(err);
    for (int i = 0; i < recipe->n_models; i++) {
        session->apart[i] = (double)NAN;
        CORD_TRY(open_one(session, i, longest_question, err));
    }
    for (int k = 0; k < recipe->n_teachers; k++) {
        const struct recipe_teacher *teacher = &recipe->teachers[k];
        session->teachers[k] = (struct teacher){
            .name = teacher->name,
            .model = session->models[teacher->model],
            .prompt = prompt_of(session, teacher->model, &teacher->style),
            .sampling = teacher->sampling,
        };
    }
    if (recipe->integration_model >= 0)
        session->teachers[session->n_authors++] = (struct teacher){
            .name = INTEGRATOR,
            .model = session->models[recipe->integration_model],
            .prompt = prompt_of(session, recipe->integration_model, &recipe->integration_style),
            .sampling = recipe->integration_sampling,
        };
    CORD_TRY(check_all(session, err));
    session->meta_prover = scorer_of(session, recipe->meta_model);
    session->meta_prover.reuse = recipe->meta_reuse;
    session->judgment = scorer_of(session, recipe->judgment_model);
    session->reward = scorer_of(session, recipe->reward_model);
    session->scorer = scorer_of(session, recipe->scorer_model);
    session->held_out = scorer_of(session, recipe->held_out_model);
    if (recipe->judge_model >= 0)
        session->judge = (struct judge){session->engine, session->models[recipe->judge_model],
                                        session->templates[recipe->judge_model]};
    return CORD_OK;
}

cord_status session_open(struct session *session, const struct recipe *recipe, size_t longest_question,
                         const cord_ledger *ledger, FILE *log, cord_error *err) {
    *session = (struct session){.recipe = recipe};
    arena_init(&session->arena);
    cord_engine_options options = engine_options_of_recipe(recipe, log);
    if (ledger) options.ledger = *ledger;
    CORD_TRY(cord_engine_open(&options, &session->engine, err));
    watch_signals(session->engine);
    /* the grader first: a command that is not there should be told before minutes of loading, and can load meanwhile */
    cord_status status = grader_open(&session->grader, &recipe->grading, &session->judge, was_interrupted, err);
    if (status == CORD_OK) status = open_all(session, longest_question, err);
    if (status != CORD_OK) session_close(session);
    return status;
}

void session_close(struct session *session) {
    grader_close(&session->grader);
    watch_signals(NULL);
    for (int i = 0; session->templates && i < session->recipe->n_models; i++) chat_template_free(session->templates[i]);
    cord_engine_close(session->engine);
    arena_release(&session->arena);
    *session = (struct session){0};
}
