/* doctor.c - `cord doctor`: can every model of a recipe do what the recipe asks of it? Each ability is tried, not asked for,
 * by the same calls that a search makes. It must not know protocols or back ends. */
#include "base/json.h"
#include "cmd/page.h"
#include "cmd/session.h"

#include <math.h>
#include <stdlib.h>

enum verdict { GOOD, UNSURE, BAD };

/* What was found out of one model: a line each. */
struct finding {
    const char *what; /* "reachable" */
    enum verdict verdict;
    const char *found, *advice; /* in words; advice NULL: none needed */
};

struct patient {
    const struct recipe_model *recipe;
    cord_engine *engine;
    cord_model *model; /* NULL: it could not be opened */
    cord_model_options options;
    bool teaches, scores;
    struct finding findings[16];
    int n;
    struct arena *arena;
};

static void note(struct patient *p, const char *what, enum verdict verdict, const char *found, const char *advice) {
    if (p->n < (int)(sizeof p->findings / sizeof *p->findings))
        p->findings[p->n++] = (struct finding){what, verdict, found ? found : "", advice};
}

static bool works(const struct patient *p) {
    for (int i = 0; i < p->n; i++)
        if (p->findings[i].verdict == BAD) return false;
    return true;
}

/* ---- the examination ----------------------------------------------------------------------------------------- */

static const char counting[] =
    "One, two, three: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, "
    "24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46,";

static cord_proposal question_of(const struct patient *p, const cord_span *prompt, int tokens) {
    return (cord_proposal){.model = p->model, .prompt = prompt, .n_spans = 1, .max_tokens = tokens, .group = 1};
}

static bool ask(struct patient *p, cord_proposal *request, const char *what, const char *advice) {
    cord_error err = {0};
    cord_status status = cord_propose(p->engine, request, 1, &err);
    if (status == CORD_OK) err = request->error;
    if (err.code == CORD_OK && status == CORD_OK) return true;
    note(p, what, BAD, arena_printf(p->arena, "%s", err.message), advice);
    return false;
}

/* A text is taken twice: whole, and with a stop string that lies inside it. */
static void examine_stops(struct patient *p) {
    cord_span prompt = {text_of(counting), true};
    cord_proposal whole = question_of(p, &prompt, 24);
    if (ask(p, &whole, "proposes", "see the server's log")) {
        note(p, "proposes", whole.len ? GOOD : UNSURE, whole.len ? "yes" : "nothing was said", NULL);
        if (whole.len > 12) {
            cord_text stop = {whole.text + 7, 3};
            size_t at = (size_t)text_find((cord_text){whole.text, whole.len}, stop);
            cord_proposal cut = question_of(p, &prompt, 24);
            cut.stops = &stop, cut.n_stops = 1;
            if (ask(p, &cut, "stop strings", NULL)) {
                bool exact = cut.end == CORD_END_STOP && cut.len == at && !memcmp(cut.text, whole.text, at);
                note(p, "stop strings", exact ? GOOD : UNSURE,
                     exact ? "end a text exactly" : "the text before one differs from the text without it",
                     exact ? NULL : "greedy texts of this server differ from call to call; steps are cut all the same");
            }
            cord_proposal_release(&cut);
        }
    }
    cord_proposal_release(&whole);
}

static void examine_seeds(struct patient *p) {
    cord_span prompt = {TEXT("Once upon a time there was"), true};
    cord_proposal three[3] = {0};
    bool good = true;
    for (int i = 0; i < 3 && good; i++) { /* one after another: in company the kernels round otherwise */
        three[i] = question_of(p, &prompt, 16);
        three[i].sampling = (cord_sampling){.temperature = 1.5f, .top_p = 1, .seed = i == 2 ? 5150 : 42};
        good = ask(p, &three[i], "seeds", NULL);
    }
    if (good) {
        bool same = !strcmp(three[0].text, three[1].text), other = strcmp(three[0].text, three[2].text) != 0;
        note(p, "seeds", same && other ? GOOD : UNSURE,
             same && other ? "are kept"
             : other       ? "equal ones give different texts"
                           : "different ones give one text",
             same && other ? NULL : "a run cannot be repeated with it");
    }
    for (int i = 0; i < 3; i++) cord_proposal_release(&three[i]);
}

static void examine_cache(struct patient *p) {
    cord_span prompt = {text_of(counting), true};
    cord_proposal first = question_of(p, &prompt, 1), again = first;
    if (ask(p, &first, "prefix cache", NULL) && ask(p, &again, "prefix cache", NULL)) {
        bool cached = again.cached_tokens > 0;
        note(
            p, "prefix cache", cached ? GOOD : UNSURE,
            arena_printf(p->arena, "%d of %d tokens of a prompt it has seen", again.cached_tokens, again.prompt_tokens),
            cached ? NULL : "it has none, or does not tell; vLLM tells with --enable-prompt-tokens-details");
    }
    cord_proposal_release(&first);
    cord_proposal_release(&again);
}

static void examine_scores(struct patient *p) {
    cord_scoring_check check;
    cord_error err = {0};
    if (cord_check_scoring(p->engine, p->model, &check, &err) != CORD_OK) {
        note(p, "scores", BAD, arena_printf(p->arena, "%s", err.message), NULL);
        return;
    }
    enum verdict no = p->scores ? BAD : UNSURE;
    for (int i = 0; i < check.n_ways; i++)
        note(p, i ? "another way" : "scores",
             check.way[i].obtained ? GOOD
             : i                   ? UNSURE
                                   : no,
             check.way[i].obtained ? check.way[i].name
                                   : arena_printf(p->arena, "%s: %s", check.way[i].name, check.way[i].why),
             NULL);
    if (!isnan(check.apart))
        note(p, "right scores", check.right ? GOOD : no,
             arena_printf(p->arena, "two ways differ by %.4f nats", check.apart),
             check.right ? NULL
                         : "it must not score; look for a newer version of the server, or leave its prefix cache out");
}

static void examine_vocabulary(struct patient *p) {
    cord_span think = {TEXT("</think>"), true};
    int tokens;
    cord_error err = {0};
    cord_status status = cord_count_tokens(p->model, &think, 1, &tokens, &err);
    note(p, "</think>", status == CORD_OK ? GOOD : BAD,
         status == CORD_OK ? arena_printf(p->arena, "%d token%s", tokens, tokens == 1 ? "" : "s")
                           : arena_printf(p->arena, "%s", err.message),
         NULL);
    cord_text source = cord_model_get_info(p->model)->chat_template;
    note(p, "chat template", source.len ? GOOD : UNSURE,
         source.len == 0                           ? "none known"
         : text_find(source, TEXT("<think>")) >= 0 ? "its own, with <think>"
                                                   : "its own",
         source.len ? NULL : "models.NAME.template names a file with it, or prompt.full says the prompt whole");
}

static void examine(struct patient *p, const cord_model_options *options) {
    const cord_model_info *info = cord_model_get_info(p->model);
    int asked = options->context;
    note(p, "reachable", GOOD, info->description, NULL);
    note(p, "context", GOOD,
         arena_printf(p->arena, "%d tokens; %d left at the full budget", info->context, info->context - asked), NULL);
    examine_stops(p);
    if (!works(p)) return;
    examine_seeds(p);
    examine_cache(p);
    examine_scores(p);
    examine_vocabulary(p);
}

/* ---- what is told -------------------------------------------------------------------------------------------- */

static const char *const verdict_names[] = {"good", "unsure", "bad"};

static void print(struct page *page, const struct patient *p) {
    static const enum paint paints[] = {PAINT_GOOD, PAINT_WARN, PAINT_BAD};
    page_print(page, PAINT_BOLD, "%s", p->recipe->name);
    page_print(page, PAINT_DIM, "%s%s\n", p->teaches ? "  teaches" : "", p->scores ? "  scores" : "");
    for (int i = 0; i < p->n; i++) {
        const struct finding *f = &p->findings[i];
        page_print(page, paints[f->verdict], "  %-6s  ", verdict_names[f->verdict]);
        page_cell(page, PAINT_NONE, text_of(f->what), 14);
        page_cell(page, PAINT_NONE, text_of(f->found), -(page->columns > 40 ? page->columns - 26 : 20));
        page_print(page, PAINT_NONE, "\n");
        if (f->advice) page_text(page, PAINT_DIM, text_of(f->advice), 24, 0);
    }
}

static void print_json(const struct call *call, const struct patient *p) {
    struct buf line;
    buf_init(&line, "a line of the doctor's", 1 << 20);
    struct json_writer w = {.out = &line};
    json_open(&w, NULL, '{');
    json_text(&w, "model", text_of(p->recipe->name));
    json_bool(&w, "teaches", p->teaches);
    json_bool(&w, "scores", p->scores);
    json_bool(&w, "good", works(p));
    json_open(&w, "findings", '[');
    for (int i = 0; i < p->n; i++) {
        json_open(&w, NULL, '{');
        json_text(&w, "what", text_of(p->findings[i].what));
        json_text(&w, "verdict", text_of(verdict_names[p->findings[i].verdict]));
        json_text(&w, "found", text_of(p->findings[i].found));
        if (p->findings[i].advice) json_text(&w, "advice", text_of(p->findings[i].advice));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    buf_addc(&line, '\n');
    fwrite(line.data, 1, line.len, call->out);
    buf_release(&line);
}

static void admit(struct patient *p, cord_engine *engine, const struct recipe *recipe, int i, struct arena *arena) {
    *p = (struct patient){
        .recipe = &recipe->models[i], .engine = engine, .arena = arena, .scores = recipe->meta_model == i};
    for (int k = 0; k < recipe->n_teachers; k++) p->teaches = p->teaches || recipe->teachers[k].model == i;
    cord_error err = {0};
    cord_status status = session_model_options(recipe, i, 0, arena, &p->options, &err);
    if (status == CORD_OK) status = cord_model_open(engine, &p->options, &p->model, &err);
    if (status != CORD_OK) note(p, "reachable", BAD, arena_printf(arena, "%s", err.message), NULL);
}

/* Examines one model, and tells. True where it can do what the recipe asks of it. */
static bool see(const struct call *call, struct page *page, struct patient *p) {
    if (p->model) examine(p, &p->options);
    if (call_option(call, "json")->given)
        print_json(call, p);
    else
        print(page, p);
    return works(p);
}

/* All are opened before the first is examined: of servers that share a device, one must be known to sleep before another
 * is woken. The number of those that can do their part. */
static int see_all(const struct call *call, struct page *page, cord_engine *engine, const struct recipe *recipe,
                   struct arena *arena) {
    int good = 0;
    struct patient *patients = arena_alloc(arena, (size_t)recipe->n_models * sizeof *patients);
    for (int i = 0; patients && i < recipe->n_models && !was_interrupted(); i++)
        admit(&patients[i], engine, recipe, i, arena);
    for (int i = 0; patients && i < recipe->n_models && !was_interrupted(); i++) good += see(call, page, &patients[i]);
    return good;
}

static int run_doctor(const struct call *call) {
    const struct option_value *set = call_option(call, "set");
    struct arena arena;
    struct recipe recipe;
    struct page page;
    cord_engine *engine = NULL;
    cord_error err = {0};
    arena_init(&arena);
    struct recipe_options options = {.set = set->list, .n_set = set->n, .models_folder = models_folder(&arena)};
    if (recipe_load(call->args[0], &options, &recipe, &err) != CORD_OK) {
        arena_release(&arena);
        return call_fail(call, &err);
    }
    int status = EXIT_ALL_DONE, good = 0;
    cord_engine_options with = engine_options_of(recipe.threads, NULL);
    with.memory = recipe.memory;
    with.servers = recipe.servers;
    page_init(&page, call->out);
    if (cord_engine_open(&with, &engine, &err) == CORD_OK) {
        watch_signals(engine);
        good = see_all(call, &page, engine, &recipe, &arena);
        status = was_interrupted()         ? EXIT_INTERRUPTED
                 : good == recipe.n_models ? EXIT_ALL_DONE
                 : good                    ? EXIT_SOME_FAILED
                                           : EXIT_NOTHING_DONE;
        watch_signals(NULL);
    } else {
        status = call_fail(call, &err);
    }
    page_release(&page);
    cord_engine_close(engine);
    recipe_release(&recipe);
    arena_release(&arena);
    return status;
}

static const struct option options[] = {
    {.name = "set", .type = OPTION_LIST, .value = "KEY=VALUE", .doc = "override a key of the recipe; may be repeated"},
    {.name = "json", .type = OPTION_FLAG, .doc = "a line of JSON for each model instead"},
    {.name = NULL},
};

const struct verb verb_doctor = {
    .name = "doctor",
    .synopsis = "RECIPE",
    .summary = "can every model do what the recipe asks of it?",
    .help = "Opens each model of the recipe, whether a file or a server, and tries what a search\n"
            "needs: it proposes and ends exactly at stop strings, keeps seeds, finds a prompt it\n"
            "has seen in its cache, and gives the log-probabilities of a given text, in two\n"
            "independent ways, which must agree.\n"
            "\n"
            "The exit status is 0 where all models can do their part, 3 where some cannot, 1 where\n"
            "none can.",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run_doctor,
};
