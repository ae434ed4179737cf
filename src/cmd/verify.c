/* verify.c - `cord verify`: the graders as a plain filter. It must not know runs. */
#include "cmd/filter.h"
#include "cmd/session.h"
#include "grade/grade.h"
#include "recipe/recipe.h"

enum { COMMAND_SECONDS = 10, JUDGE_TOKENS = 256, PROMPT_BYTES = 1 << 16 };

struct verify {
    const struct call *call;
    struct grading grading;
    struct grader grader;
    struct judge judge;
    struct chat_template *tmpl;
    const char *question, *gold, *answer; /* fields */
    bool extract, last_number, explain;
    const char *added[9]; /* members that are written; ends with NULL */
    struct arena arena;
};

/* ---- options --------------------------------------------------------------------------------------------------- */

/* Options that mean something to some graders only. */
static int check_owners(const struct call *call, enum grader_kind by) {
    static const struct {
        const char *option;
        bool owned[GRADER_JUDGE + 1];
        const char *owners;
    } options[] = {
        {"numbers", {[GRADER_MATH] = true}, "math"},
        {"tolerance", {[GRADER_MATH] = true}, "math"},
        {"explain", {[GRADER_MATH] = true}, "math"},
        {"command", {[GRADER_COMMAND] = true}, "command"},
        {"seconds", {[GRADER_COMMAND] = true}, "command"},
        {"model", {[GRADER_JUDGE] = true}, "judge"},
        {"prompt", {[GRADER_JUDGE] = true}, "judge"},
        {"question", {[GRADER_COMMAND] = true, [GRADER_JUDGE] = true}, "command or --by judge"},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (call_option(call, options[i].option)->given && !options[i].owned[by])
            return call_usage(call, "--%s goes with --by %s, and this is --by %s", options[i].option, options[i].owners,
                              grader_kind_names[by]);
    return EXIT_ALL_DONE;
}

static int read_options(struct verify *v) {
    const struct call *call = v->call;
    const struct option_value *tolerance = call_option(call, "tolerance");
    enum grader_kind by = (enum grader_kind)call_option(call, "by")->choice;
    cord_number_rule numbers = (cord_number_rule)call_option(call, "numbers")->choice;
    int status = check_owners(call, by);
    if (status != EXIT_ALL_DONE) return status;
    v->grading = (struct grading){
        .by = by,
        .math = {numbers, tolerance->number},
        .command = call_option(call, "command")->text,
        .seconds = call_number(call, "seconds", COMMAND_SECONDS),
        .prompt = judge_prompt(),
        .tokens = JUDGE_TOKENS,
    };
    if (tolerance->given && numbers != CORD_NUMBERS_RELATIVE)
        return call_usage(call, "--tolerance goes with --numbers relative");
    if (!tolerance->given && numbers == CORD_NUMBERS_RELATIVE)
        return call_usage(call, "--numbers relative needs --tolerance X, the largest |answer - gold| / |gold|");
    if (by == GRADER_COMMAND && !text_trim(text_of(v->grading.command)).len)
        return call_usage(call, "--by command needs --command 'PROGRAM ARGS'");
    if (by == GRADER_JUDGE && !call_option(call, "model")->given)
        return call_usage(call, "--by judge needs --model NAME|PATH");
    if (call_option(call, "last-number")->given && !call_option(call, "extract")->given)
        return call_usage(call, "--last-number goes with --extract");
    return EXIT_ALL_DONE;
}

static void choose_members(struct verify *v) {
    static const char *const always[] = {"verdict", "why", "error"}, *const taken[] = {"taken", "from", "at"},
                             *const read[] = {"gold_read", "answer_read"};
    int n = 0;
    for (int i = 0; i < 3; i++) v->added[n++] = always[i];
    for (int i = 0; i < 3 && v->extract; i++) v->added[n++] = taken[i];
    for (int i = 0; i < 2 && v->explain; i++) v->added[n++] = read[i];
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

static cord_status read_prompt(struct verify *v, cord_error *err) {
    const char *path = call_option(v->call, "prompt")->text;
    struct buf text;
    if (!path) return CORD_OK;
    CORD_TRY(file_read(path, "judge's prompt", PROMPT_BYTES, &text, err));
    v->grading.prompt = arena_text(&v->arena, buf_text(&text));
    buf_release(&text);
    if (!v->grading.prompt.data) return error_memory(err);
    const char *complaint = judge_prompt_complaint(v->grading.prompt);
    if (utf8_valid_prefix(v->grading.prompt) < v->grading.prompt.len) complaint = "is not valid UTF-8";
    if (!complaint) return CORD_OK;
    error_where(err, "%s", path);
    return error_set(err, CORD_BAD_USAGE, "the judge's prompt %s", complaint);
}

static cord_status open_judge(struct verify *v, cord_error *err) {
    const char *name = call_option(v->call, "model")->text;
    cord_model_options options = {.name = name, .gpu_layers = -1};
    cord_engine_options with = engine_options_of(0, NULL);
    cord_model *model;
    CORD_TRY(read_prompt(v, err));
    CORD_TRY(find_weights(name, &v->arena, &options.path, err));
    CORD_TRY(cord_engine_open(&with, &v->judge.engine, err));
    watch_signals(v->judge.engine);
    CORD_TRY(cord_model_open(v->judge.engine, &options, &model, err));
    cord_text source = cord_model_get_info(model)->chat_template;
    if (!source.len)
        return error_set(err, CORD_BAD_MODEL,
                         "a judge is asked through its chat template, and %s has none; name another model", name);
    CORD_TRY(chat_template_new(source, &v->tmpl, err));
    v->judge.model = model;
    v->judge.tmpl = v->tmpl;
    return CORD_OK;
}

static cord_status open_grader(struct verify *v, cord_error *err) {
    if (v->grading.by == GRADER_JUDGE) CORD_TRY(open_judge(v, err));
    if (v->grading.by == GRADER_COMMAND) note_signals();
    return grader_open(&v->grader, &v->grading, &v->judge, was_interrupted, err);
}

static void close_grader(struct verify *v) {
    grader_close(&v->grader);
    watch_signals(NULL);
    chat_template_free(v->tmpl);
    cord_engine_close(v->judge.engine);
    arena_release(&v->arena);
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

/* What was found in a reply. */
struct taken {
    bool answer; /* there is one to grade */
    cord_found from;
};

static cord_status read_row(const struct verify *v, const struct filter *f, struct grade_request *request,
                            struct taken *taken, cord_error *err) {
    CORD_TRY(json_row_text(&f->row, v->gold, &request->gold, err));
    CORD_TRY(json_row_text(&f->row, v->answer, &request->reply, err));
    bool asks = v->grading.by == GRADER_COMMAND || v->grading.by == GRADER_JUDGE;
    if (asks && (call_option(v->call, "question")->given || json_row_get(&f->row, v->question)))
        CORD_TRY(json_row_text(&f->row, v->question, &request->question, err));
    request->answer = request->reply;
    request->seed = request->group = (uint64_t)f->lines.number;
    *taken = (struct taken){.answer = true};
    if (v->extract)
        taken->answer = grader_find_answer(&v->grader, request->reply, v->last_number, &request->answer, &taken->from);
    return CORD_OK;
}

static cord_status grade_row(const struct verify *v, const struct grade_request *request, const struct taken *taken,
                             struct grade_result *result, struct arena *arena, cord_error *err) {
    if (taken->answer) return grader_grade(&v->grader, request, v->explain, result, arena, err);
    /* an answer that was not found may yet be there, in words that are not known */
    *result = (struct grade_result){.verdict = CORD_UNDECIDED, .why = "no answer was found in the reply"};
    return CORD_OK;
}

static void write_taken(struct json_writer *w, const struct grade_request *request, cord_found from) {
    if (from == CORD_FOUND_NOTHING) {
        json_nil(w, "taken");
        json_text(w, "from", text_of(cord_found_name(from)));
        json_nil(w, "at");
        return;
    }
    size_t begin = (size_t)(request->answer.data - request->reply.data);
    json_text(w, "taken", request->answer);
    json_text(w, "from", text_of(cord_found_name(from)));
    json_open(w, "at", '[');
    json_int(w, NULL, (int64_t)begin);
    json_int(w, NULL, (int64_t)(begin + request->answer.len));
    json_close(w, ']');
}

static void write_row(struct verify *v, struct filter *f, const struct grade_request *request,
                      const struct taken *taken, const struct grade_result *result) {
    struct json_writer *w = filter_begin(f);
    json_text(w, "verdict", text_of(cord_verdict_name(result->verdict)));
    json_text(w, "why", text_of(result->why));
    if (v->extract) write_taken(w, request, taken->from);
    if (v->explain) json_text(w, "gold_read", result->gold_read);
    if (v->explain) json_text(w, "answer_read", result->answer_read);
    filter_end(f);
}

/* Grades one row. What is returned ends the filter. */
static cord_status verify_row(struct verify *v, struct filter *f, cord_error *err) {
    struct grade_request request = {0};
    struct grade_result result;
    struct taken taken;
    struct arena arena;
    cord_error bad = {0};
    if (read_row(v, f, &request, &taken, &bad) != CORD_OK) {
        filter_fail(f, &bad);
        return CORD_OK;
    }
    arena_init(&arena);
    cord_status status = grade_row(v, &request, &taken, &result, &arena, err);
    if (status == CORD_OK) write_row(v, f, &request, &taken, &result);
    if (v->judge.engine) cord_forget(v->judge.engine, request.group);
    arena_release(&arena);
    return status;
}

static int run_verify(const struct call *call) {
    struct verify v = {
        .call = call,
        .question = call_text(call, "question", "question"),
        .gold = call_text(call, "gold", "gold"),
        .answer = call_text(call, "answer", "answer"),
        .extract = call_option(call, "extract")->given,
        .last_number = call_option(call, "last-number")->given,
        .explain = call_option(call, "explain")->given,
    };
    struct filter f;
    cord_error err = {0};
    int result = read_options(&v);
    if (result != EXIT_ALL_DONE) return result;
    choose_members(&v);
    arena_init(&v.arena);
    cord_status status = filter_open(&f, call, v.added, &err);
    if (status == CORD_OK) status = open_grader(&v, &err);
    while (status == CORD_OK && filter_read(&f)) status = verify_row(&v, &f, &err);
    result = filter_close(&f, status, &err);
    close_grader(&v);
    return result;
}

static const struct option options[] = {
    {.name = "gold", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field with the right answer, else \"gold\""},
    {.name = "answer", .type = OPTION_TEXT, .value = "FIELD", .doc = "the field to grade, else \"answer\""},
    {.name = "extract",
     .type = OPTION_FLAG,
     .doc = "it is a whole reply: find the final answer in it, and add what was taken, from what, and where"},
    {.name = "last-number", .type = OPTION_FLAG, .doc = "where nothing else is found, take the last number"},
    {.name = "explain", .type = OPTION_FLAG, .doc = "add how both were read"},
    {.name = "numbers",
     .type = OPTION_TEXT,
     .value = "exact|rounded|relative|tatqa",
     .doc =
         "how numbers are compared: exact (default), rounded as the gold is, within a tolerance, or by TAT-QA's rules"},
    {.name = "tolerance",
     .type = OPTION_REAL,
     .value = "X",
     .min = 1e-300,
     .max = 1,
     .doc = "with --numbers relative: the largest |answer - gold| / |gold|"},
    {.name = "by",
     .type = OPTION_TEXT,
     .value = "math|text|command|judge",
     .doc = "who grades: math (default), the same text, a program of yours, or a language model"},
    {.name = "command",
     .type = OPTION_TEXT,
     .value = "PROGRAM",
     .doc = "the program, with its arguments, for a shell: it is kept running, and reads and writes a line a row"},
    {.name = "seconds",
     .type = OPTION_REAL,
     .value = "N",
     .min = 0.01,
     .max = 86400,
     .doc = "most that it may take for one row (10)"},
    {.name = "model",
     .letter = 'm',
     .type = OPTION_TEXT,
     .value = "NAME|PATH",
     .doc = "the judge: a GGUF file, or its name in $CORD_MODELS"},
    {.name = "prompt",
     .type = OPTION_TEXT,
     .value = "FILE",
     .doc = "what the judge is asked, with {reference} and {prediction}, and {question} if wanted"},
    {.name = "question",
     .type = OPTION_TEXT,
     .value = "FIELD",
     .doc = "the field with the question, for program and judge, else \"question\", which may be absent"},
    {.name = NULL},
};

const struct verb verb_verify = {
    .name = "verify",
    .synopsis = "[FILE]",
    .summary = "grade answers: reads rows of JSON, adds \"verdict\" and \"why\"",
    .help = "Reads a JSON object a line from FILE or standard input, such as {\"gold\": \"3/4\", \"answer\": "
            "\"$0.75$\"}, and writes it again with two more members: \"verdict\", one of equal, different and "
            "undecided, and \"why\", the rule that decided. All other members pass through untouched.\n\n"
            "Answers are compared as what they say, however they are written: 1 1/2 is \\boxed{\\frac{3}{2}} and 150%. "
            "They may be numbers with units or currency, surds, logarithms, complex numbers, expressions in variables, "
            "intervals, tuples, matrices, sets, equations, times, choices, words. Equality and difference are both "
            "proved, by exact arithmetic; what is neither is undecided, and never counts as correct; so is, with "
            "--extract, a reply in which no final answer is found.\n\n"
            "--extract also adds \"taken\", the answer that was found, \"from\", what showed it (box, phrase, hashes, "
            "last number; nothing), and \"at\", the bytes of the reply where it begins and ends. --explain adds "
            "\"gold_read\" and \"answer_read\".\n\n"
            "A program of yours (--by command) reads, for each row, a line with an object that has the texts "
            "\"question\", \"gold\", \"answer\" and \"reply\", and answers with a line such as {\"verdict\": "
            "\"equal\", \"why\": \"all tests pass\"}, where \"why\" may be left out. A judge (--by judge) says whether "
            "the answer holds the core content of the gold one. With --extract both get the whole reply as the answer "
            "where none is found in it. Whatever they fail at is undecided, with the reason.\n\n"
            "A row that cannot be graded is reported on standard error and passed through with a member \"error\"; a "
            "line that is not a JSON object is reported and left out. The exit status is then 3, or 1 if no row could "
            "be graded; interrupted, 130.",
    .options = options,
    .max_args = 1,
    .run = run_verify,
};
