/* select.c - `cord select`: scores, grades and picks among traces that there are already. It makes a recipe of its options, so
 * that all the rest is what `cord run` does. */
#include "cmd/run.h"

#include <stdlib.h>

/* What a selection's recipe says where nobody gave one; the x are set behind it. */
static const char RECIPE[] = "problems: {file: x}\n"
                             "models: {meta-prover: {file: x}}\n"
                             "meta_prover: {model: meta-prover}\n"
                             "run: {out: x}\n";

/* Keys of the recipe, in the order in which they are set. */
struct settings {
    const char *list[64];
    int n;
    struct arena arena;
    bool failed; /* no memory */
};

static void set_key(struct settings *s, const char *key, const char *value) {
    const char *set = arena_printf(&s->arena, "%s=%s", key, value);
    if (set && s->n < (int)(sizeof s->list / sizeof *s->list))
        s->list[s->n++] = set;
    else
        s->failed = true;
}

/* A field's name may be anything, so it goes in quotes. */
static void set_name(struct settings *s, const char *key, const char *name) {
    struct buf quoted;
    buf_init(&quoted, "a name of a field", 4096);
    buf_addc(&quoted, '\'');
    for (; *name; name++) {
        if (*name == '\'') buf_addc(&quoted, '\'');
        buf_addc(&quoted, *name);
    }
    buf_addc(&quoted, '\'');
    if (quoted.status == CORD_OK)
        set_key(s, key, quoted.data);
    else
        s->failed = true;
    buf_release(&quoted);
}

static void set_keys(struct settings *s, const struct call *call, const char *file) {
    static const struct {
        const char *option, *key;
    } names[] = {{"id", "problems.id"},
                 {"question", "problems.question"},
                 {"answer", "problems.answer"},
                 {"target", "problems.target"}};
    const struct option_value *model = call_option(call, "meta-prover"), *set = call_option(call, "set");
    set_key(s, "problems.skip", "0"); /* what a recipe says of its own problems is not meant here */
    char digits[24];
    snprintf(digits, sizeof digits, "%.0f", call_option(call, "limit")->number);
    set_key(s, "problems.limit", digits);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        set_name(s, names[i].key, call_text(call, names[i].option, ""));
    set_key(s, "problems.format", call_text(call, "answers", "auto"));
    set_key(s, "problems.context", "''");
    set_key(s, "problems.full_context", "''");
    if (model->given) set_name(s, "models.meta-prover.file", model->text);
    for (int i = 0; i < set->n; i++) s->list[s->n++] = set->list[i];
    set_name(s, "problems.file", file);
    if (call_option(call, "correct-first")->given) set_key(s, "search.correct_first", "true");
    set_key(s, "search.strategy", "selection");
    set_name(s, "run.out", call_option(call, "out")->text);
}

/* What is wrong with a call, told; EXIT_ALL_DONE where it is nothing. */
static int check_call(const struct call *call) {
    const struct option_value *model = call_option(call, "meta-prover"), *recipe = call_option(call, "recipe");
    const struct option_value *traces = call_option(call, "trace"), *attempts = call_option(call, "attempt");
    if (!call_option(call, "out")->given) return call_usage(call, "name the folder of the run with --out");
    if (model->given == recipe->given)
        return call_usage(call, "who scores? Give a model (--meta-prover) or a recipe that names one (--recipe), %s",
                          model->given ? "not both" : "one of the two");
    if (model->given && strstr(model->text, "://"))
        return call_usage(call, "--meta-prover: a server is named by a recipe (models.*.url): give that with --recipe");
    if (traces->n > TRACE_FIELDS) return call_usage(call, "--trace: at most %d fields", TRACE_FIELDS);
    if (attempts->n > traces->n)
        return call_usage(call, "--attempt goes with --trace: the first with the first, and so on");
    if (call_option(call, "set")->n > 32) return call_usage(call, "--set: at most 32 keys; write a recipe");
    return EXIT_ALL_DONE;
}

static int run_select(const struct call *call) {
    int wrong = check_call(call);
    if (wrong != EXIT_ALL_DONE) return wrong;
    const struct option_value *traces = call_option(call, "trace"), *attempts = call_option(call, "attempt");
    cord_error err = {0};
    char *file = realpath(call->args[0], NULL); /* a recipe's files are relative to its own folder, this one is not */
    if (!file && *call->args[0] == '/') file = strdup(call->args[0]); /* a pipe has no such name (/dev/stdin) */
    if (!file) {
        (void)error_errno(&err, "open", call->args[0]);
        return call_fail(call, &err);
    }
    struct settings settings = {.n = 0};
    arena_init(&settings.arena);
    set_keys(&settings, call, file);
    free(file);
    const struct trace_options options = {
        .fields = traces->list,
        .attempts = attempts->list,
        .n_fields = traces->n,
        .n_attempts = attempts->n,
        .source_field = call_option(call, "source")->text,
    };
    const struct run_input input = {
        .recipe = call_option(call, "recipe")->text,
        .source = "cord select",
        .text = text_of(RECIPE),
        .set = settings.list,
        .n_set = settings.n,
        .traces = &options,
    };
    int result = EXIT_NOTHING_DONE;
    if (settings.failed) {
        (void)error_memory(&err);
        result = call_fail(call, &err);
    } else {
        result = run_start(call, &input);
    }
    arena_release(&settings.arena);
    return result;
}

static const struct option options[] = {
    {.name = "meta-prover",
     .type = OPTION_TEXT,
     .value = "NAME|PATH",
     .doc = "the model that scores: a GGUF file, or its name in $CORD_MODELS"},
    {.name = "recipe",
     .type = OPTION_TEXT,
     .value = "FILE",
     .doc = "take models, meta_prover, grading and the rest from a recipe"},
    {.name = "out", .letter = 'o', .type = OPTION_TEXT, .value = "FOLDER", .doc = "the run's folder (required)"},
    {.name = "trace", .type = OPTION_LIST, .value = "FIELD", .doc = "a field with a trace, or with a list of traces"},
    {.name = "attempt", .type = OPTION_LIST, .value = "FIELD", .doc = "what that trace says behind its thinking"},
    {.name = "source", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field that says who wrote a row's traces"},
    {.name = "id", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field of the problem's id; -: none"},
    {.name = "question", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field of the question"},
    {.name = "answer", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field of the answer that is graded against"},
    {.name = "target",
     .type = OPTION_TEXT,
     .value = "FIELD",
     .doc = "the field of the answer whose likelihood is the score"},
    {.name = "answers",
     .type = OPTION_TEXT,
     .value = "auto|verbatim|hashes|boxed|integer",
     .doc = "how the answer stands in its field"},
    {.name = "limit", .type = OPTION_INT, .value = "N", .min = 1, .max = 1e9, .doc = "most problems to take"},
    {.name = "correct-first", .type = OPTION_FLAG, .doc = "traces whose answer is correct go before all others"},
    {.name = "set", .type = OPTION_LIST, .value = "KEY=VALUE", .doc = "set a key of the recipe, as prompt.style=steps"},
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .doc = "one plain line a problem, no live view"},
    {.name = "retry-failed", .type = OPTION_FLAG, .doc = "try again what failed before"},
    {.name = "accept-changes", .type = OPTION_FLAG, .doc = "go on in a folder that another recipe or model made"},
    {.name = "verbose", .letter = 'v', .type = OPTION_FLAG, .doc = "print llama.cpp's log"},
    {.name = NULL},
};

const struct verb verb_select = {
    .name = "select",
    .synopsis = "FILE --meta-prover NAME|PATH --out FOLDER",
    .summary = "score, grade and pick among traces that exist already",
    .help =
        "Reads problems with finished traces, from any kind of file that `cord problems` reads, scores each trace "
        "by the meta-prover, grades its answer, and puts the best first. No model writes anything. The folder is "
        "that of a run: the same command goes on after it was stopped, and `cord show`, `cord export` and `cord "
        "compare` work on it.\n\n"
        "Rows of one problem (the same id; without ids, the same question) are brought together, and a field may "
        "hold a list of traces. Known are trace, traces, reasoning, generations, solution (LIMO), "
        "thinking_trajectories (s1K), deepseek_thinking_trajectory and gemini_thinking_trajectory with their attempts "
        "(s1K-1.1), deepseek_reasoning with deepseek_solution (OpenThoughts), messages and conversations (the "
        "assistant's "
        "last turn). Others are named with --trace and --attempt.\n\n"
        "What stands before </think> (or OpenThoughts' <|end_of_thought|>) is the reasoning, what stands behind it "
        "the reply that is graded. A trace without either and without an attempt is all reasoning, and the answer "
        "found in it is graded.\n\n"
        "Exit status: 0 all done, 1 nothing could be done, 2 wrong usage, 3 some problems or rows failed, 4 "
        "stopped at a bound of the budget, 130 interrupted.",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run_select,
};
