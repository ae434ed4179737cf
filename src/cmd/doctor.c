/* doctor.c - `cord doctor`: can every model of a recipe do what the recipe asks of it? What is tried of each is examine.c's;
 * here is how it is told. */
#include "base/json.h"
#include "cmd/examine.h"
#include "cmd/page.h"
#include "cmd/session.h"

#include <unistd.h>

/* ---- what is told -------------------------------------------------------------------------------------------- */

/* On a terminal what is long is wrapped; elsewhere a finding stays on its line. */
static void print_finding(struct page *page, const struct finding *f) {
    static const enum paint paints[] = {PAINT_GOOD, PAINT_WARN, PAINT_BAD};
    enum { INDENT = 24 };
    page_print(page, paints[f->verdict], "  %-6s  ", verdict_names[f->verdict]);
    page_cell(page, PAINT_NONE, text_of(f->what), INDENT - 10);
    if (isatty(fileno(page->out))) {
        page_hanging(page, PAINT_NONE, text_of(f->found), INDENT);
        if (f->advice) page_text(page, PAINT_DIM, text_of(f->advice), INDENT, 0);
    } else {
        page_cell(page, PAINT_NONE, text_of(f->found), -4000);
        page_print(page, PAINT_NONE, "\n");
        if (!f->advice) return;
        page_print(page, PAINT_NONE, "%*s", INDENT, "");
        page_cell(page, PAINT_NONE, text_of(f->advice), -4000);
        page_print(page, PAINT_NONE, "\n");
    }
}

static void print(struct page *page, const struct patient *p) {
    page_print(page, PAINT_BOLD, "%s", patient_entry(p)->name);
    page_print(page, PAINT_DIM, "%s%s%s\n", p->teaches ? "  teaches" : "", p->scores ? "  scores" : "",
               p->judges ? "  judges" : "");
    for (int i = 0; i < p->n; i++) print_finding(page, &p->findings[i]);
}

static cord_status print_json(const struct call *call, const struct patient *p, cord_error *err) {
    struct buf line;
    buf_init(&line, "a line of the doctor's", 1 << 28);
    struct json_writer w = {.out = &line};
    json_open(&w, NULL, '{');
    json_text(&w, "model", text_of(patient_entry(p)->name));
    json_bool(&w, "teaches", p->teaches);
    json_bool(&w, "scores", p->scores);
    json_bool(&w, "judges", p->judges);
    json_bool(&w, "good", patient_works(p));
    json_open(&w, "findings", '[');
    for (int i = 0; i < p->n; i++) {
        const struct finding *f = &p->findings[i];
        json_open(&w, NULL, '{');
        json_text(&w, "what", text_of(f->what));
        json_text(&w, "verdict", text_of(verdict_names[f->verdict]));
        json_text(&w, "found", text_of(f->found));
        if (f->advice) json_text(&w, "advice", text_of(f->advice));
        for (int k = 0; k < FINDING_NUMBERS && f->numbers[k].name; k++)
            json_double(&w, f->numbers[k].name, f->numbers[k].value);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_open(&w, "prompts", '[');
    for (int i = 0; i < p->n_voices; i++) {
        json_open(&w, NULL, '{');
        json_text(&w, "who", text_of(p->voices[i].who));
        json_text(&w, "prompt", p->voices[i].prompt.text);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    buf_addc(&line, '\n');
    return call_put(call, &line, err);
}

/* Examines one model, and tells. True where it can do what the recipe asks of it. */
static bool see(const struct call *call, bool json, struct page *page, struct patient *p) {
    if (p->model) patient_examine(p);
    if (was_interrupted()) return false; /* what was found then is that it was stopped */
    cord_error err = {0};
    if (json && print_json(call, p, &err) != CORD_OK) (void)call_fail(call, &err);
    if (!json) print(page, p);
    fflush(call->out);
    return patient_works(p);
}

/* All are opened before the first is examined: of servers that share a device, one must be known to sleep before another
 * is woken. The number of those that can do their part. */
static int see_all(const struct call *call, bool json, struct page *page, cord_engine *engine,
                   const struct recipe *recipe, struct arena *arena) {
    int good = 0;
    struct patient *patients = arena_alloc(arena, (size_t)recipe->n_models * sizeof *patients);
    for (int i = 0; patients && i < recipe->n_models && !was_interrupted(); i++)
        patient_admit(&patients[i], engine, recipe, i, arena);
    for (int i = 0; patients && i < recipe->n_models && !was_interrupted(); i++)
        good += see(call, json, page, &patients[i]);
    return good;
}

static int run_doctor(const struct call *call) {
    const struct option_value *set = call_option(call, "set");
    struct arena arena;
    struct recipe recipe;
    struct page page;
    cord_engine *engine = NULL;
    cord_error err = {0};
    bool json = call_option(call, "format")->choice;
    arena_init(&arena);
    struct recipe_options options = {.set = set->list, .n_set = set->n, .models_folder = models_folder(&arena)};
    if (recipe_load(call->args[0], &options, &recipe, &err) != CORD_OK) {
        arena_release(&arena);
        return call_fail(call, &err);
    }
    int status = EXIT_ALL_DONE, good = 0;
    cord_engine_options with = engine_options_of_recipe(&recipe, NULL);
    page_init(&page, call->out);
    if (cord_engine_open(&with, &engine, &err) == CORD_OK) {
        watch_signals(engine);
        good = see_all(call, json, &page, engine, &recipe, &arena);
        if (!was_interrupted() && !json)
            page_print(&page, good == recipe.n_models ? PAINT_GOOD : PAINT_BAD,
                       "%d of %d model%s can do what the recipe asks\n", good, recipe.n_models,
                       recipe.n_models == 1 ? "" : "s");
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
    {.name = "set", .type = OPTION_LIST, .value = "KEY=VALUE", .doc = "override a key of the recipe"},
    {.name = "format",
     .letter = 'f',
     .type = OPTION_TEXT,
     .value = "text|json",
     .doc = "for people (default), or a line of JSON for each model"},
    {.name = NULL},
};

const struct verb verb_doctor = {
    .name = "doctor",
    .synopsis = "RECIPE",
    .summary = "can every model do what the recipe asks of it?",
    .help = "Opens each model of the recipe, whether a file or a server, and tries what a search needs: it proposes "
            "and ends exactly at stop strings, continues a turn that is half written, keeps seeds, finds a prompt it "
            "has seen in its cache, and gives the log-probabilities of a given text, in two independent ways, which "
            "must agree; at what cost, in requests and tokens, is told. Prompts are put together as a run would send "
            "them: who opens the thinking, and how often the BOS is there.\n\n"
            "Each finding is good, unsure or bad, and says what to change. `cord run` looks at the prompts and the "
            "meta-prover's scores itself, and refuses what is bad here.\n\n"
            "The exit status is 0 where all models can do their part, 3 where some cannot, 1 where none can.",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run_doctor,
};
