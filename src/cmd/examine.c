/* examine.c - examines one model (examine.h). Each ability is tried, not asked for, by the same calls that a search makes. It
 * must not know protocols, nor how a back end does what it does. */
#include "cmd/examine.h"

#include "cmd/session.h"
#include "model/backend.h"

#include <math.h>
#include <stdlib.h>

static struct finding *add(struct patient *p, struct finding finding) {
    static struct finding lost;
    if (!finding.found) finding.found = "(out of memory)";
    if (p->n == MOST_FINDINGS) return &lost;
    p->findings[p->n] = finding;
    return &p->findings[p->n++];
}

static struct finding *note(struct patient *p, const char *what, enum verdict verdict, const char *found,
                            const char *advice) {
    return add(p, (struct finding){.what = what, .verdict = verdict, .found = found, .advice = advice});
}

static void number(struct finding *f, const char *name, double value) {
    for (int i = 0; i < FINDING_NUMBERS; i++)
        if (!f->numbers[i].name) {
            f->numbers[i].name = name;
            f->numbers[i].value = value;
            return;
        }
}

bool patient_works(const struct patient *p) {
    for (int i = 0; i < p->n; i++)
        if (p->findings[i].verdict == BAD) return false;
    return true;
}

const struct recipe_model *patient_entry(const struct patient *p) { return &p->recipe->models[p->index]; }

/* ---- opening ------------------------------------------------------------------------------------------------- */

/* What to do about a model that could not be opened; the message says what happened. NULL: the message says that, too. */
static const char *advice_on_opening(const struct recipe_model *entry, const cord_error *err, struct arena *arena) {
    if (!entry->options.url) return NULL;
    if (err->code == CORD_REFUSED)
        return arena_printf(arena, "models.%s.api_key_env names the environment variable that holds the server's key%s",
                            entry->name, entry->api_key_env ? "; look what that holds" : "");
    if (err->code == CORD_IO_ERROR)
        return arena_printf(
            arena, "start the server, or correct models.%s.url: host and port as this machine sees them", entry->name);
    const char *protocol = entry->options.protocol ? entry->options.protocol : "";
    bool versioned = !strcmp(protocol, "chat") || !strcmp(protocol, "openai"); /* these take the path */
    if (!versioned && text_find(text_of(entry->options.url), TEXT("/v1")) >= 0)
        return arena_printf(arena, "leave the path out of models.%s.url: http://HOST:PORT", entry->name);
    return NULL;
}

void patient_admit(struct patient *p, cord_engine *engine, const struct recipe *recipe, int i, struct arena *arena) {
    *p = (struct patient){.recipe = recipe,
                          .index = i,
                          .engine = engine,
                          .arena = arena,
                          .scores = recipe->meta_model == i || recipe->reward_model == i || recipe->scorer_model == i ||
                                    recipe->held_out_model == i,
                          .judges = recipe->judge_model == i || recipe->judgment_model == i};
    p->teaches = recipe->integration_model == i;
    for (int k = 0; k < recipe->n_teachers; k++) p->teaches = p->teaches || recipe->teachers[k].model == i;
    cord_model_options options;
    cord_error err = {0};
    cord_status status = session_model_options(recipe, i, 0, arena, &options, &err);
    if (status == CORD_OK) status = cord_model_open(engine, &options, &p->model, &err);
    if (status == CORD_OK) return;
    p->model = NULL;
    note(p, "reachable", BAD, arena_printf(arena, "%s", err.message), advice_on_opening(patient_entry(p), &err, arena));
}

/* ---- what it is ---------------------------------------------------------------------------------------------- */

/* Each server of several: one that is away is done without, and nothing is known of it. */
static void examine_replicas(struct patient *p) {
    for (int i = 0; i < p->model->n_replicas; i++) {
        const struct model_replica *replica = &p->model->replicas[i];
        note(p, "replica", replica->problem ? UNSURE : GOOD, replica->problem ? replica->problem : replica->url,
             replica->problem
                 ? "a run goes on without it, and does not compare its model with the others' when it comes"
                 : NULL);
    }
}

static void examine_context(struct patient *p) {
    const cord_model_info *info = cord_model_get_info(p->model);
    long budget = session_budget(p->recipe, p->index);
    /* a file is opened for no more than is needed, but has what it was made for unless the recipe says otherwise */
    bool fixed = patient_entry(p)->options.context > 0 || !info->trained;
    long all = fixed ? info->context : info->trained, left = all - budget;
    struct finding *f =
        note(p, "context", left < 0 ? UNSURE : GOOD,
             left < 0 ? arena_printf(p->arena, "%ld tokens; the full budget is %ld more", all, -left)
                      : arena_printf(p->arena, "%ld tokens; %ld left at the full budget", all, left),
             left >= 0 ? NULL
             : has_head(p->recipe, p->index)
                 ? "a reasoning that does not fit has no score: lower search.think_tokens where that happens often"
                 : arena_printf(p->arena,
                                "long texts will be cut off: set models.%s.context to %ld or more, or "
                                "lower search.think_tokens",
                                patient_entry(p)->name, budget));
    number(f, "tokens", (double)all);
    number(f, "budget", (double)budget);
    number(f, "left", (double)left);
}

/* ---- proposing ----------------------------------------------------------------------------------------------- */

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
    if (ask(p, &whole, "proposes", patient_entry(p)->options.url ? "look into the server's log" : NULL)) {
        note(p, "proposes", whole.len ? GOOD : UNSURE, whole.len ? "yes" : "nothing was said",
             whole.len ? NULL
                       : "it ended its turn where a row of numbers was to be continued: is it a base model's file?");
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

/* A step is half written, in the middle of a row of numbers: 8 has to be what comes next. */
static void examine_partial_turn(struct patient *p) {
    int voice = 0;
    while (voice < p->n_voices && !p->voices[voice].continues) voice++;
    if (voice == p->n_voices) return;
    static const cord_text half = TEXT("I count: 1, 2, 3, 4, 5, 6, 7,");
    struct spans spans = p->voices[voice].prompt.spans;
    cord_span step = {half, false};
    spans = spans_append(spans, &step, 1, p->arena);
    if (!spans.span) return;
    cord_proposal request = question_of(p, spans.span, 8);
    request.n_spans = spans.n;
    if (ask(p, &request, "partial turn", NULL)) {
        cord_text said = text_trim((cord_text){request.text, request.len});
        bool goes_on = text_starts(said, TEXT("8")), ends = request.end == CORD_END_TURN && !said.len;
        bool anew =
            text_find(said, TEXT("I count")) >= 0 || text_starts(said, TEXT("1")) || text_starts(said, TEXT("<"));
        const char *shown = arena_printf(p->arena, "%.*s", (int)said.len, said.data);
        note(p, "partial turn",
             goes_on        ? GOOD
             : ends || anew ? BAD
                            : UNSURE,
             goes_on ? "is continued where it stops"
             : ends  ? "the turn is ended where it should be continued"
                     : arena_printf(p->arena, "behind \"…6, 7,\" comes \"%s\"", shown ? shown : ""),
             goes_on ? NULL
             : ends || anew
                 ? "the server closes or opens turns by itself: it needs an endpoint that continues a text as it is"
                 : "a weak model, or a prompt that does not leave the turn open: look at it with `cord show RUN "
                   "PROBLEM --prompt`");
    }
    cord_proposal_release(&request);
}

/* How much two texts begin with in common. */
static size_t common_bytes(const cord_proposal *a, const cord_proposal *b) {
    size_t n = 0;
    while (n < a->len && n < b->len && a->text[n] == b->text[n]) n++;
    return n;
}

static void examine_seeds(struct patient *p) {
    cord_span prompt = {TEXT("Once upon a time there was"), true};
    cord_proposal first = question_of(p, &prompt, 1), three[3] = {0};
    bool good = ask(p, &first, "seeds", NULL); /* so that all three find the prompt in the cache: kernels round */
    cord_proposal_release(&first);
    for (int i = 0; i < 3 && good; i++) { /* one after another, for the same reason */
        three[i] = question_of(p, &prompt, 16);
        three[i].sampling = (cord_sampling){.temperature = 1.5f, .top_p = 1, .seed = i == 2 ? 5150 : 42};
        good = ask(p, &three[i], "seeds", NULL);
    }
    if (good) {
        bool same = !strcmp(three[0].text, three[1].text);
        size_t equal = common_bytes(&three[0], &three[1]), other = common_bytes(&three[0], &three[2]);
        bool honoured = equal > other + 8, only_rounding = honoured && !same && !patient_entry(p)->options.url;
        struct finding *f =
            note(p, "seeds", honoured && (same || only_rounding) ? GOOD : UNSURE,
                 honoured && same ? "are kept"
                 : honoured       ? "are kept, but for rounding: equal ones give texts that part after a while"
                 : same           ? "different ones give the same text"
                                  : "equal ones give different texts",
                 only_rounding ? "set run.reproducible to true if runs have to repeat exactly; it is slower"
                 : !same       ? "a run cannot be repeated exactly with it"
                 : !honoured   ? "a teacher's samples will be alike, and the beam narrower than it looks"
                               : NULL);
        number(f, "same_seed_bytes", (double)equal);
        number(f, "other_seed_bytes", (double)other);
    }
    for (int i = 0; i < 3; i++) cord_proposal_release(&three[i]);
}

/* A prompt that nobody has seen, twice. */
static void examine_cache(struct patient *p) {
    /* of more tokens than a batch where only whole ones are kept */
    const char *more = p->recipe->reproducible && !patient_entry(p)->options.url ? counting : "";
    char *text = arena_printf(p->arena, "Row %lld. %s%s", (long long)clock_us(), counting, more);
    cord_span prompt = {text_of(text), true};
    cord_proposal first = question_of(p, &prompt, 1), again = first;
    if (text && ask(p, &first, "prefix cache", NULL) && ask(p, &again, "prefix cache", NULL)) {
        bool cached = again.cached_tokens > first.cached_tokens, faster = again.us * 2 < first.us;
        struct finding *f = note(
            p, "prefix cache", cached ? GOOD : UNSURE,
            arena_printf(p->arena, "%d of %d tokens of a prompt it has seen; %.2f s after %.2f s", again.cached_tokens,
                         again.prompt_tokens, (double)again.us / 1e6, (double)first.us / 1e6),
            cached || !patient_entry(p)->options.url ? NULL
            : faster
                ? "it does not tell, but was faster, so it seems to have one; vLLM tells with "
                  "--enable-prompt-tokens-details"
                : "it has none, or does not tell; vLLM tells with --enable-prompt-tokens-details, and has one unless "
                  "--no-enable-prefix-caching is given; without it each round computes the whole text again");
        number(f, "prompt_tokens", again.prompt_tokens);
        number(f, "cached_first", first.cached_tokens);
        number(f, "cached_again", again.cached_tokens);
        number(f, "seconds_first", (double)first.us / 1e6);
        number(f, "seconds_again", (double)again.us / 1e6);
    }
    cord_proposal_release(&first);
    cord_proposal_release(&again);
}

/* ---- scoring ------------------------------------------------------------------------------------------------- */

static void examine_scores(struct patient *p) {
    cord_scoring_check check;
    cord_error err = {0};
    enum verdict no = p->scores ? BAD : UNSURE; /* a teacher that does not score may be unable to */
    if (cord_check_scoring(p->engine, p->model, true, &check, &err) != CORD_OK) {
        note(p, "scores", no, arena_printf(p->arena, "%s", err.message), NULL);
        return;
    }
    if (!check.n_ways) {
        note(p, "scores", no, arena_printf(p->arena, "%s", check.way[0].why), "it can still be a teacher");
        return;
    }
    bool any = false;
    for (int i = 0; i < check.n_ways; i++) any = any || check.way[i].obtained;
    for (int i = 0; i < check.n_ways; i++) {
        bool had = check.way[i].obtained;
        note(p, i ? "another way" : "scores", had ? GOOD : UNSURE,
             had ? check.way[i].name : arena_printf(p->arena, "%s: %s", check.way[i].name, check.way[i].why), NULL);
        if (!had) continue;
        struct finding *f = note(p, "its cost", GOOD,
                                 arena_printf(p->arena, "%d request%s: %d tokens computed, %d cached",
                                              check.way[i].requests, check.way[i].requests == 1 ? "" : "s",
                                              check.way[i].computed_tokens, check.way[i].cached_tokens),
                                 NULL);
        number(f, "requests", check.way[i].requests);
        number(f, "computed", check.way[i].computed_tokens);
        number(f, "cached", check.way[i].cached_tokens);
    }
    struct finding right = checkup_scores(&check, patient_entry(p)->options.url != NULL, p->arena);
    if (right.verdict == GOOD && p->scores)
        right.advice = arena_printf(
            p->arena,
            "cord audit RUN --noise %.2g takes it for a run's; it is the least, of a text that any model is sure of",
            check.apart);
    if (right.verdict == BAD) right.verdict = no;
    if (any && right.verdict == UNSURE && !p->scores) return; /* one way is enough for who need not score */
    add(p, right);
}

/* ---- prompts ------------------------------------------------------------------------------------------------- */

static void examine_vocabulary(struct patient *p) {
    cord_span think = {TEXT("</think>"), true};
    int tokens = 0;
    cord_error err = {0};
    cord_status status = cord_count_tokens(p->model, &think, 1, &tokens, &err);
    bool counts = status == CORD_OK || cord_model_get_info(p->model)->scoring; /* a teacher need not */
    struct finding *f = note(p, "</think>",
                             status == CORD_OK ? GOOD
                             : counts          ? BAD
                                               : UNSURE,
                             status != CORD_OK ? arena_printf(p->arena, "%s", err.message)
                             : tokens == 1     ? "1 token"
                                               : arena_printf(p->arena, "%d tokens: plain text to this model", tokens),
                             NULL);
    if (status == CORD_OK) number(f, "tokens", tokens);
    bool own = cord_model_get_info(p->model)->chat_template.len > 0;
    bool given = patient_entry(p)->template_path || patient_entry(p)->options.chat_template;
    if (own) note(p, "chat template", GOOD, given ? "the recipe's" : "its own", NULL);
}

/* A held-out scorer is one that neither writes nor chooses. */
static void examine_held_out(struct patient *p) {
    const struct recipe *recipe = p->recipe;
    const char *also = recipe->meta_model == p->index ? "the meta-prover" : NULL;
    if (recipe->held_out_model != p->index) return;
    for (int k = 0; !also && k < recipe->n_teachers; k++)
        if (recipe->teachers[k].model == p->index)
            also = arena_printf(p->arena, "teacher %s", recipe->teachers[k].name);
    if (also)
        note(p, "held out", UNSURE, arena_printf(p->arena, "it is %s, too", also),
             "name a model in measures.held_out that neither writes nor chooses");
}

/* Renders what a role says; where another has said the same, adds its name there. */
static void render_role(struct patient *p, const struct chat_template *tmpl, const char *who, bool continues,
                        const struct prompt_style *style) {
    const cord_model_info *info = cord_model_get_info(p->model);
    const struct prompt prompt = {style, tmpl, info->bos, info->eos};
    struct voice voice = {.who = who, .continues = continues};
    cord_error err = {0};
    if (checkup_prompt(p->model, &prompt, p->arena, &voice.prompt, &err) != CORD_OK) {
        note(p, "prompt", BAD, arena_printf(p->arena, "%s: %s", who, err.message), NULL);
        return;
    }
    for (int i = 0; i < p->n_voices; i++) {
        struct voice *other = &p->voices[i];
        if (other->continues != continues || !text_equal(other->prompt.text, voice.prompt.text) ||
            strcmp(other->prompt.think.found, voice.prompt.think.found) != 0)
            continue;
        const char *both = arena_printf(p->arena, "%s, %s", other->who, who);
        if (both) other->who = both;
        return;
    }
    if (p->n_voices < MOST_PROMPTS) p->voices[p->n_voices++] = voice;
}

/* Those that are asked, and whose prompt no reasoning stands behind. Of the texts that their questions are made of, the
 * template knows nothing, so any text does. */
static void render_questions(struct patient *p, const struct chat_template *tmpl) {
    const struct recipe *recipe = p->recipe;
    const struct prompt_style plain = {.user = TEXT("{question}"), .date = recipe->meta_style.date};
    const struct prompt_style judge = {
        .system = recipe->grading.system, .user = TEXT("{question}"), .date = recipe->grading.date};
    bool rewards = recipe->reward_model == p->index && recipe->search.reward_format == REWARD_RLHFLOW;
    if (recipe->integration_model == p->index) render_role(p, tmpl, INTEGRATOR, false, &recipe->integration_style);
    if (recipe->judge_model == p->index) render_role(p, tmpl, "grading.model", false, &judge);
    if (rewards) render_role(p, tmpl, "reward.model", false, &plain);
}

static void render_roles(struct patient *p) {
    const struct recipe *recipe = p->recipe;
    struct chat_template *tmpl;
    cord_error err = {0};
    if (session_template(recipe, p->index, p->model, &tmpl, &err) != CORD_OK) {
        note(p, "chat template", BAD, arena_printf(p->arena, "%s", err.message), NULL);
        return;
    }
    for (int k = 0; k < recipe->n_teachers; k++) {
        const char *who = arena_printf(p->arena, "teacher %s", recipe->teachers[k].name);
        if (recipe->teachers[k].model == p->index && who) render_role(p, tmpl, who, true, &recipe->teachers[k].style);
    }
    const struct {
        const char *who;
        int model;
    } in_its_style[] = {{"meta_prover", recipe->meta_model},
                        {"judgment.model", recipe->judgment_model},
                        {"measures.scorer", recipe->scorer_model},
                        {"measures.held_out", recipe->held_out_model}};
    for (size_t i = 0; i < sizeof in_its_style / sizeof *in_its_style; i++)
        if (in_its_style[i].model == p->index && (!i || recipe->meta_model != p->index))
            render_role(p, tmpl, in_its_style[i].who, true, &recipe->meta_style);
    render_questions(p, tmpl);
    chat_template_free(tmpl);
}

/* Who is meant is said where the model is spoken to in more than one way. */
static void tell_prompts(struct patient *p) {
    for (int i = 0; i < p->n_voices; i++) {
        struct finding both[] = {p->voices[i].prompt.think, p->voices[i].prompt.bos};
        for (int k = p->voices[i].continues ? 0 : 1; k < 2; k++) {
            if (p->n_voices > 1) both[k].found = arena_printf(p->arena, "%s: %s", p->voices[i].who, both[k].found);
            add(p, both[k]);
        }
    }
}

/* ---- all of it ----------------------------------------------------------------------------------------------- */

void patient_examine(struct patient *p) {
    note(p, "reachable", GOOD, cord_model_get_info(p->model)->description, NULL);
    examine_replicas(p);
    examine_context(p);
    if (has_head(p->recipe, p->index)) {
        add(p, checkup_head(p->engine, p->model, p->arena));
        return;
    }
    examine_stops(p);
    if (!patient_works(p)) return;
    render_roles(p);
    examine_partial_turn(p);
    examine_seeds(p);
    examine_cache(p);
    examine_scores(p);
    examine_vocabulary(p);
    examine_held_out(p);
    tell_prompts(p);
}
