/* run.c - `cord run`: problems in, trajectories out; run again to resume. It ties recipe, models, search, journal and live
 * view together, and decides nothing that they decide. */
#include "cmd/run.h"

#include "cmd/flights.h"
#include "cmd/forecast.h"
#include "cmd/resume.h"
#include "cmd/session.h"
#include "cord_commit.h"
#include "data/shard.h"
#include "model/backend.h"
#include "recipe/recipe.h"
#include "store/output.h"
#include "store/summary.h"
#include "store/trajectories.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAMPLE = 3 }; /* problems that a forecast is made of */

struct run {
    const struct call *call;
    const struct run_input *input;
    struct shard shard;
    struct recipe recipe;
    struct problem_set set; /* unused in a selection, whose traces have one */
    struct trace_set traces;
    size_t longest_question; /* of the whole set, so that every shard opens its models alike */
    struct journal *journal;
    struct resume resume;
    struct ledger *ledger;  /* NULL: no model has a server */
    struct spending checks; /* what session_open asked of servers */
    struct session session;
    struct live *live;
    double seconds; /* that problems were worked on */
    struct budget budget;
    struct journal_progress before, after; /* this process */
    struct summary_counts all, counts;     /* after it: of the whole journal, and of the problems that are wanted */
    int tried;                             /* problems that it works on */
    struct arena arena;
    bool journal_is_open, recipe_is_loaded, traces_are_read, session_is_open;
};

/* Whether an option was given; a verb need not have it. */
static bool given(const struct run *run, const char *name) {
    const struct option *table = run->call->verb->options;
    for (size_t i = 0; table[i].name; i++)
        if (!strcmp(table[i].name, name)) return run->call->options[i].given;
    return false;
}

/* ---- setting up ---------------------------------------------------------------------------------------------- */

static struct problem_set *problems_of(struct run *run) {
    return run->traces_are_read ? &run->traces.problems : &run->set;
}

static cord_status find_folder(struct run *run, cord_error *err) {
    struct recipe *recipe = &run->recipe;
    if (!run->shard.count && text_find(text_of(recipe->out), TEXT(SHARD_PLACE)) >= 0)
        return error_set(err, CORD_BAD_RECIPE,
                         "run.out: '%s' has a place for a shard's number; say which with --shard I/N, or name another "
                         "folder",
                         recipe->out);
    recipe->out = shard_folder(run->shard, recipe->out, &recipe->arena);
    return recipe->out ? CORD_OK : error_memory(err);
}

/* A folder's own recipe.yaml leads back to it, unless the folder was moved, or the command is typed elsewhere: then all would
 * begin anew. */
static cord_status check_own_recipe(struct run *run, cord_error *err) {
    const char *recipe = run->input->recipe, *slash = recipe ? strrchr(recipe, '/') : NULL;
    if (!recipe || strcmp(slash ? slash + 1 : recipe, "recipe.yaml") != 0) return CORD_OK;
    for (int i = 0; i < run->input->n_set; i++)
        if (text_starts(text_of(run->input->set[i]), TEXT("run.out="))) return CORD_OK;
    char *folder = arena_printf(&run->arena, "%.*s", slash ? (int)(slash - recipe) : 1, slash ? recipe : ".");
    char *journal = folder ? arena_printf(&run->arena, "%s/journal.sqlite", folder) : NULL;
    struct stat own, out;
    if (!journal) return error_memory(err);
    if (access(journal, F_OK) != 0 || stat(folder, &own) != 0) return CORD_OK;
    if (stat(run->recipe.out, &out) == 0 && own.st_dev == out.st_dev && own.st_ino == out.st_ino) return CORD_OK;
    error_where(err, "%s", recipe);
    return error_set(
        err, CORD_BAD_RECIPE,
        "this is the recipe of the run in %s, and its run.out leads to %s, where all would begin anew; go on "
        "with --set run.out=%s, or name another folder so",
        folder, run->recipe.out, folder);
}

static cord_status read_problems(struct run *run, cord_error *err) {
    struct trace_options options;
    if (!run->input->traces) {
        cord_status status = problem_set_read(&run->set, &run->recipe.problems, err);
        if (status == CORD_IO_ERROR) error_where(err, "%s: problems.file", run->input->recipe);
        return status;
    }
    options = *run->input->traces;
    options.problems = run->recipe.problems;
    CORD_TRY(trace_set_read(&run->traces, &options, err));
    run->traces_are_read = true;
    return CORD_OK;
}

static cord_status load_recipe(struct run *run, cord_error *err) {
    const struct run_input *input = run->input;
    struct recipe_options options = {.set = input->set,
                                     .n_set = input->n_set,
                                     .models_folder = models_folder(&run->arena),
                                     .no_files = backend_local_refusal,
                                     .selection = input->traces != NULL};
    CORD_TRY(input->recipe ? recipe_load(input->recipe, &options, &run->recipe, err)
                           : recipe_load_text(input->source, input->text, &options, &run->recipe, err));
    run->recipe_is_loaded = true;
    CORD_TRY(find_folder(run, err));
    CORD_TRY(check_own_recipe(run, err));
    run->recipe.problems.library = duckdb_library(&run->arena);
    CORD_TRY(read_problems(run, err));
    struct problem_set *set = problems_of(run);
    bool judged = run->recipe.grading.by == GRADER_JUDGE; /* a judge is told the gold, too */
    run->longest_question = (judged ? set->longest_with_gold : set->longest_question) + run->traces.longest;
    set->shard = run->shard;
    return CORD_OK;
}

static const char *shard_text(struct run *run) {
    return run->shard.count ? arena_printf(&run->arena, "%d/%d", run->shard.number, run->shard.count) : "";
}

static cord_status open_journal(struct run *run, cord_error *err) {
    struct resume *resume = &run->resume;
    *resume = (struct resume){.recipe = &run->recipe,
                              .recipe_file = run->input->recipe,
                              .shard = shard_text(run),
                              .accept = given(run, "accept-changes"),
                              .arena = &run->arena};
    if (!resume->shard) return error_memory(err);
    CORD_TRY(resume_spare_inputs(resume, err));
    CORD_TRY(journal_open(run->recipe.out, JOURNAL_WRITE, &run->journal, err));
    run->journal_is_open = true;
    output_clear_drafts(run->recipe.out);
    resume->journal = run->journal;
    journal_lock(run->journal); /* it is ours, except while servers may be asked */
    return resume_compare_recipe(resume, err);
}

static cord_status put_number(struct run *run, const char *model, const char *what, double value, cord_error *err) {
    const char *text = arena_printf(&run->arena, "%.15g", value);
    return text ? journal_put_model_fact(run->journal, model, what, text_of(text), err) : error_memory(err);
}

/* Of all sessions the largest, since scores of each of them were compared. */
static cord_status note_apart(struct run *run, const char *model, double apart, cord_error *err) {
    double before = 0;
    if (isnan(apart)) return CORD_OK;
    CORD_TRY(journal_get_model_number(run->journal, model, "apart", &before, err));
    return put_number(run, model, "apart", fmax(before, apart), err);
}

/* What compare and audit need of models, since they open none. */
static cord_status note_models(struct run *run, cord_error *err) {
    const struct recipe *recipe = &run->recipe;
    for (int i = 0; i < recipe->n_models; i++) {
        const struct recipe_model *model = &recipe->models[i];
        const cord_model_info *info = cord_model_get_info(run->session.models[i]);
        double parameters = model->parameters > 0 ? model->parameters : (double)info->parameters;
        CORD_TRY(put_number(run, model->name, "parameters", parameters, err));
        CORD_TRY(put_number(run, model->name, "noise", info->noise, err));
        CORD_TRY(note_apart(run, model->name, run->session.apart[i], err));
    }
    return CORD_OK;
}

static cord_status open_ledger(struct run *run, cord_error *err) {
    const struct recipe *recipe = &run->recipe;
    run->budget = (struct budget){recipe->budget.tokens, recipe->budget.requests, recipe->budget.money};
    struct price *prices = arena_alloc(&run->arena, (size_t)recipe->n_models * sizeof *prices);
    int n = 0;
    if (!prices) return error_memory(err);
    for (int i = 0; i < recipe->n_models; i++) {
        const struct recipe_model *model = &recipe->models[i];
        if (model->options.url)
            prices[n++] = (struct price){model->name, model->price_in, model->price_cached, model->price_out};
    }
    return n ? ledger_open(run->journal, &run->budget, prices, n, &run->ledger, err) : CORD_OK;
}

/* The sources of given traces stand where teachers do, with the numbers that the journal knows them by. */
static cord_status put_sources(struct run *run, cord_error *err) {
    const char *const *names;
    int n;
    if (!run->traces_are_read) return CORD_OK;
    CORD_TRY(journal_get_teachers(run->journal, &run->arena, &names, &n, err));
    CORD_TRY(trace_set_renumber(&run->traces, names, n, err));
    n = run->traces.n_sources;
    struct teacher *sources = arena_alloc(&run->arena, (size_t)(n + 1) * sizeof *sources);
    if (!sources) return error_memory(err);
    for (int i = 0; i < n; i++) sources[i].name = run->traces.sources[i];
    run->session.teachers = sources;
    run->session.n_teachers = run->session.n_authors = n;
    return CORD_OK;
}

static struct spending spending_since(struct spending now, const struct spending *before) {
    now.requests -= before->requests;
    now.prompt_tokens -= before->prompt_tokens;
    now.cached_tokens -= before->cached_tokens;
    now.new_tokens -= before->new_tokens;
    now.lost -= before->lost;
    now.money -= before->money;
    now.known -= before->known;
    return now;
}

static cord_status open_all(struct run *run, cord_error *err) {
    FILE *log = given(run, "verbose") ? run->call->err : NULL;
    CORD_TRY(load_recipe(run, err));
    CORD_TRY(open_journal(run, err));
    CORD_TRY(open_ledger(run, err));
    cord_ledger calls = run->ledger ? ledger_calls(run->ledger) : (cord_ledger){0};
    struct spending before = run->ledger ? ledger_spending(run->ledger) : (struct spending){0};
    journal_unlock(run->journal); /* servers are asked, which the ledger writes down */
    cord_status status = session_open(&run->session, &run->recipe, run->longest_question, &calls, log, err);
    journal_lock(run->journal);
    if (run->ledger) run->checks = spending_since(ledger_spending(run->ledger), &before);
    CORD_TRY(status);
    run->session_is_open = true;
    CORD_TRY(resume_compare_models(&run->resume, &run->session, "name another run.out, or go on with --accept-changes",
                                   err));
    CORD_TRY(put_sources(run, err));
    CORD_TRY(journal_put_problems(run->journal, problems_of(run), err));
    CORD_TRY(note_models(run, err));
    CORD_TRY(journal_put_teachers(run->journal, run->session.teachers, run->session.n_authors, err));
    return resume_note(&run->resume, &run->session, err);
}

/* ---- all problems -------------------------------------------------------------------------------------------- */

static cord_status tell_bad_rows(struct run *run, cord_error *err) {
    const struct problem_set *set = problems_of(run);
    struct problem_walk walk;
    struct problem problem;
    if (!set->n_bad) return CORD_OK;
    problem_walk_begin(&walk, set, err);
    while (problem_walk_next(&walk, &problem))
        if (problem.bad)
            live_say(run->live, "%s%s%lld: left out: %s", run->recipe.problems.path,
                     strcmp(set->unit, "row") == 0 ? ", row " : ":", (long long)problem.line, problem.bad);
    return problem_walk_end(&walk, CORD_OK);
}

static int ended(const struct journal_progress *progress) { return progress->done + progress->failed; }

/* How many of the open problems to work on: all, or for a forecast as many as its sample still wants. */
static int sample_size(const struct run *run) {
    const struct journal_progress *before = &run->before;
    int open = before->wanted - ended(before);
    if (!given(run, "dry-run")) return open;
    int missing = (int)call_number(run->call, "sample", SAMPLE) - (ended(before) - before->bad);
    return missing < 0 ? 0 : missing < open ? missing : open;
}

/* Whose work the run is, beside its models': a later cord may search, score or grade otherwise. */
static cord_status note_maker(struct run *run, cord_error *err) {
    const char *maker = arena_printf(&run->arena, "%s (%s)", cord_version(), CORD_COMMIT);
    return maker ? journal_add_to_fact(run->journal, "made_by", text_of(maker), err) : error_memory(err);
}

/* ", 2 failed (--retry-failed tries them again)"; nothing where none failed. A bad row stays one. */
static const char *failed_text(struct run *run, const struct journal_progress *progress) {
    int failed = progress->failed, again = failed - progress->bad;
    const char *text = "";
    if (failed && again == failed)
        text = arena_printf(&run->arena, ", %d failed (--retry-failed tries %s again)", failed,
                            failed == 1 ? "it" : "them");
    else if (failed && again)
        text = arena_printf(&run->arena, ", %d failed (--retry-failed tries %d of them again)", failed, again);
    else if (failed)
        text = arena_printf(&run->arena, ", %d failed", failed);
    return text ? text : "";
}

static cord_status work_on(struct run *run, cord_error *err) {
    const struct journal_progress *before = &run->before;
    CORD_TRY(tell_bad_rows(run, err));
    if (!run->traces_are_read) problem_set_release(&run->set); /* the journal has it */
    if (run->tried) CORD_TRY(note_maker(run, err));
    if (before->begun)
        live_say(run->live, "going on in %s: %d of %d problems are done%s", run->recipe.out, before->done,
                 before->wanted, failed_text(run, before));
    struct flights flights = {&run->session, run->journal, run->ledger,
                              run->live,     run->tried,   run->traces_are_read ? &run->traces : NULL};
    int64_t start = clock_us();
    journal_unlock(run->journal);
    cord_status status = flights_run(&flights, flights_at_once(&run->session), err);
    journal_lock(run->journal);
    run->seconds = run->tried ? (double)(clock_us() - start) / 1e6 : 0;
    return status;
}

static cord_status run_problems(struct run *run, cord_error *err) {
    if (given(run, "retry-failed")) CORD_TRY(journal_reopen(run->journal, err));
    CORD_TRY(journal_progress(run->journal, &run->before, err));
    run->tried = sample_size(run);
    FILE *out = run->call->out;
    struct live_options options = {
        .out = out,
        .plain = given(run, "quiet") || !can_be_painted(out),
        .total = ended(&run->before) + run->tried,
        .done = ended(&run->before),
        .models = (const cord_model *const *)run->session.models,
        .n_models = run->recipe.n_models,
        .ledger = run->ledger,
        .budget = run->budget,
        .slots = flights_at_once(&run->session),
        .criterion = run->recipe.search.criterion,
    };
    CORD_TRY(live_open(&options, &run->live, err));
    cord_status status = work_on(run, err);
    live_close(run->live);
    return status;
}

/* ---- the end ------------------------------------------------------------------------------------------------- */

/* Whatever ended the run, its files are made anew from the journal. */
static cord_status write_files(struct run *run, cord_error *err) {
    const struct session *session = &run->session;
    struct summary_model *models = arena_alloc(&run->arena, (size_t)run->recipe.n_models * sizeof *models);
    if (!models) return error_memory(err);
    for (int i = 0; i < run->recipe.n_models; i++)
        models[i] = (struct summary_model){cord_model_get_info(session->models[i]), session->sha256[i],
                                           cord_model_get_usage(session->models[i])};
    struct spending spending = {0};
    if (run->ledger) spending = ledger_spending(run->ledger);
    struct summary_session last = {.engine = cord_engine_get_info(session->engine),
                                   .in_flight = flights_at_once(session),
                                   .seconds = run->seconds,
                                   .spending = run->ledger ? &spending : NULL,
                                   .models = models,
                                   .n_models = run->recipe.n_models};
    if (run->ledger) CORD_TRY(ledger_write(run->ledger, err));
    CORD_TRY(export_trajectories(run->journal, run->recipe.out, err));
    CORD_TRY(journal_progress(run->journal, &run->after, err));
    CORD_TRY(summary_count(run->journal, false, &run->all, err));
    run->counts = run->all;
    if (run->all.problems != run->after.wanted) CORD_TRY(summary_count(run->journal, true, &run->counts, err));
    return summary_write(run->journal, run->recipe.out, &last, &run->all, err);
}

static int exit_status_of(const struct journal_progress *after) {
    if (after->failed) return after->done ? EXIT_SOME_FAILED : EXIT_NOTHING_DONE;
    return EXIT_ALL_DONE;
}

static cord_status tell_forecast(struct run *run, cord_error *err) {
    int wanted = flights_at_once(&run->session);
    const struct journal_progress *after = &run->after;
    struct sample sample = {
        .problems = after->wanted,
        .done = after->done,
        .failed = failed_text(run, after),
        .left = after->wanted - ended(after),
        .counted = run->all.done,
        .done_now = after->done - run->before.done,
        .seconds = run->seconds,
        .at_once = run->tried < wanted ? run->tried : wanted,
        .wanted = wanted,
        .has_servers = run->ledger != NULL,
        .checks = run->checks,
        .budget = run->budget,
        .folder = run->recipe.out,
    };
    if (run->ledger) sample.spending = ledger_spending(run->ledger);
    CORD_TRY(journal_totals(run->journal, 0, &sample.totals, err));
    CORD_TRY(journal_totals_of(run->journal, PROBLEM_DONE, &sample.of_done, err));
    CORD_TRY(journal_totals_of(run->journal, PROBLEM_OPEN, &sample.of_open, err));
    forecast_print(&sample, run->call->out);
    return CORD_OK;
}

/* What became of the traces themselves, of all sessions. */
static void tell_traces(const struct run *run) {
    struct journal_totals totals;
    if (!run->traces_are_read || journal_totals(run->journal, 0, &totals, NULL) != CORD_OK || !totals.candidates)
        return;
    fprintf(run->call->out, "%lld trace%s of %d source%s in the folder: %lld scored", (long long)totals.candidates,
            totals.candidates == 1 ? "" : "s", run->traces.n_sources, run->traces.n_sources == 1 ? "" : "s",
            (long long)(totals.candidates - totals.dropped));
    if (totals.dropped)
        fprintf(run->call->out, ", %lld dropped (empty, repeated or too long: cord show tells which, and why)",
                (long long)totals.dropped);
    fprintf(run->call->out, "\n");
}

static void tell_scores(const struct run *run) {
    const struct criterion *criterion = run->recipe.search.criterion;
    const struct summary_counts *counts = &run->counts;
    double mean = criterion->shown_as == SHOWN_LOG ? counts->mean_log_score : counts->mean_score;
    fprintf(run->call->out, "; mean %s",
            scores_text(criterion, mean, counts->mean_pp, counts->mean_s0, (char[SCORES_TEXT]){0}));
}

static int conclude(struct run *run, cord_status status) {
    const struct summary_counts *counts = &run->counts;
    FILE *out = run->call->out;
    const char *failed = failed_text(run, &run->after);
    const char *folder = run->recipe.out;
    const char *exhausted = run->ledger ? ledger_exhausted(run->ledger) : NULL;
    if (status == CORD_CANCELLED && exhausted && !was_interrupted()) {
        fprintf(out,
                "stopped: %s. %d of %d problems are done in %s%s; raise the bound (it changes no result), and type the "
                "same command to go on\n",
                exhausted, counts->done, counts->problems, folder, failed);
        return EXIT_BUDGET_SPENT;
    }
    if (status == CORD_CANCELLED) {
        fprintf(out, "stopped: %d of %d problems are done in %s%s; type the same command to go on\n", counts->done,
                counts->problems, folder, failed);
        return EXIT_INTERRUPTED;
    }
    fprintf(out, "%d of %d problems done%s", counts->done, counts->problems, failed);
    if (counts->done) {
        fprintf(out, "; %d correct, %d wrong, %d without an answer, %d undecided", counts->correct, counts->wrong,
                counts->no_answer, counts->undecided);
        tell_scores(run);
    }
    fprintf(out, "\n");
    tell_traces(run);
    fprintf(out, "%s/trajectories.jsonl\n", folder);
    return exit_status_of(&run->after);
}

int run_start(const struct call *call, const struct run_input *input) {
    struct run run = {.call = call, .input = input, .shard = input->shard};
    cord_error err = {0}, late = {0};
    int result;
    arena_init(&run.arena);
    cord_status status = open_all(&run, &err);
    bool began = status == CORD_OK;
    if (began) status = run_problems(&run, &err);
    if (began && write_files(&run, &late) != CORD_OK && (status == CORD_OK || status == CORD_CANCELLED)) {
        status = late.code;
        err = late;
    }
    if (status == CORD_OK && given(&run, "dry-run")) {
        status = tell_forecast(&run, &err);
        result = status == CORD_OK ? exit_status_of(&run.after) : call_fail(call, &err);
    } else if (status != CORD_OK && status != CORD_CANCELLED) {
        result = call_fail(call, &err);
    } else if (began) {
        result = conclude(&run, status);
    } else {
        result = EXIT_INTERRUPTED; /* Ctrl-C while models were loading */
    }
    if (run.session_is_open) session_close(&run.session);
    if (run.journal_is_open) journal_unlock(run.journal);
    (void)ledger_close(run.ledger, NULL); /* (what it had was written with the files) */
    if (run.journal_is_open) journal_close(run.journal);
    problem_set_release(&run.set);
    if (run.traces_are_read) trace_set_release(&run.traces);
    if (run.recipe_is_loaded) recipe_release(&run.recipe);
    arena_release(&run.arena);
    return result;
}

static int run_run(const struct call *call) {
    const struct option_value *shard = call_option(call, "shard"), *set = call_option(call, "set");
    struct run_input input = {.recipe = call->args[0], .set = set->list, .n_set = set->n};
    if (shard->given && !shard_parse(shard->text, &input.shard))
        return call_usage(call, "--shard: '%.200s' is not I/N, as 2/8, with I from 1 to N and N at most %d",
                          shard->text, SHARDS_MOST);
    if (call_option(call, "sample")->given && !call_option(call, "dry-run")->given)
        return call_usage(call, "--sample goes with --dry-run; to work on fewer problems, set problems.limit");
    return run_start(call, &input);
}

static const struct option options[] = {
    {.name = "set", .type = OPTION_LIST, .value = "KEY=VALUE", .doc = "override a key of the recipe, as search.beam=2"},
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .doc = "one plain line a problem, no live view"},
    {.name = "shard",
     .type = OPTION_TEXT,
     .value = "I/N",
     .doc = "work on the I-th of N parts of the problems, in a run folder of its own"},
    {.name = "dry-run",
     .type = OPTION_FLAG,
     .doc = "work on a few problems only, and tell what the whole run would take"},
    {.name = "sample",
     .type = OPTION_INT,
     .value = "N",
     .min = 1,
     .max = 1000000,
     .doc = "with --dry-run: how many (3)"},
    {.name = "retry-failed", .type = OPTION_FLAG, .doc = "try again what failed before"},
    {.name = "accept-changes", .type = OPTION_FLAG, .doc = "go on in a folder that another recipe or model made"},
    {.name = "verbose", .letter = 'v', .type = OPTION_FLAG, .doc = "print llama.cpp's log"},
    {.name = NULL},
};

const struct verb verb_run = {
    .name = "run",
    .synopsis = "RECIPE",
    .summary = "make trajectories as a recipe says; run again to resume",
    .help =
        "Reads the recipe (YAML; `cord help recipe` lists its keys), opens its models and works on several problems at "
        "once (run.in_flight). Everything goes into the folder run.out: journal.sqlite (every candidate of every "
        "round), trajectories.jsonl (a line a problem), recipe.yaml (with all defaults written out), summary.json.\n\n"
        "A round is one transaction, so that nothing is lost when the process is killed: the same command goes on from "
        "the last round. Ctrl-C stops cleanly.\n\n"
        "--shard 2/8 is for several processes that share the work: each takes the problems whose id's hash is its own "
        "(so adding problems moves none), and writes into a folder of its own: run.out with \"-2-of-8\" behind it, or "
        "in place of {shard} where run.out holds that. `cord merge` makes one run of them.\n\n"
        "--dry-run works on the first few problems (what they come to is kept) and tells what all of them would take "
        "in tokens, requests, money (models.*.price_in and the like) and hours.\n\n"
        "What a run may spend at its models' servers has bounds in the recipe (budget.requests, .tokens, .money). At "
        "one of them it stops cleanly; with a higher one the same command goes on.\n\n"
        "Exit status: 0 all done, 1 nothing could be done, 2 wrong usage, 3 some problems failed, 4 stopped at a bound "
        "of the budget, 130 interrupted.",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run_run,
};
