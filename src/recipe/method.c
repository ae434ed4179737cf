/* method.c - makes of a recipe's values how it searches: where steps end, the strategy, who merges, the criterion and who
 * measures by it, the grader. It must not know YAML, nor open what the recipe names. */

#include "recipe/load.h"

#include "data/boundary.h"
#include "search/criterion.h"
#include "search/integration.h"

/* ---- choices and what goes with them ----------------------------------------------------------------------------- */

/* The number of a choice's value in its list. */
static int choice(const struct load *load, const char *pattern, const char *const *names) {
    return text_place(text_of(load_string(load, pattern, NULL)), names);
}

/* What goes with one choice says nothing with another: it is refused, not passed over. Resolved recipes write all defaults
 * out, so it is the value that counts, not whether there is one. Where traces are only selected, what a recipe says of how a
 * search grows is its own business, so that a run's own recipe can be named. */
static cord_status check_owner(struct load *load, const struct recipe_key *key) {
    const struct recipe_value *value = values_get(&load->values, key->path, NULL);
    const char *chosen = load_string(load, key->with, NULL);
    if (!value || value_is_default(value) || !strcmp(chosen, key->with_value)) return CORD_OK;
    bool growth = !strcmp(key->with, "search.strategy") || !strcmp(key->with, "search.proposals");
    if (load->selection && growth) return load_put(load, key->path, NULL, text_of(key->fallback));
    return values_error(&load->values, value->place, load->err,
                        "%s goes with %s: %s, and this recipe has %s: %s; change one of the two, or leave %s out",
                        key->path, key->with, key->with_value, key->with, chosen, key->path);
}

static cord_status check_owners(struct load *load) {
    size_t n;
    const struct recipe_key *keys = recipe_keys(&n);
    if (load->selection) CORD_TRY(load_put(load, "search.proposals", NULL, TEXT("all")));
    if (load->selection) CORD_TRY(load_put(load, "search.whole_traces", NULL, TEXT("false")));
    for (size_t i = 0; i < n; i++)
        if (keys[i].with) CORD_TRY(check_owner(load, &keys[i]));
    return CORD_OK;
}

/* What a choice ("grading.by") cannot do without. */
static cord_status need(struct load *load, const char *choice, const char *pattern, const char *what) {
    return values_error(&load->values, values_get(&load->values, choice, NULL)->place, load->err, "%s: %s needs %s: %s",
                        choice, load_string(load, choice, NULL), pattern, what);
}

/* The model that a key names, or `otherwise` where it names none. */
static cord_status load_named(struct load *load, const char *pattern, int otherwise, int *model) {
    *model = otherwise;
    return load_string(load, pattern, NULL) ? load_find_model(load, pattern, NULL, model) : CORD_OK;
}

/* ---- the strategy ------------------------------------------------------------------------------------------------ */

/* Where steps end; the paper's phrases are written out for the resolved recipe. */
cord_status load_segmentation(struct load *load) {
    load->segmentation = (enum segmentation)choice(load, "search.segmentation", segmentation_names);
    if (load->segmentation != SEGMENTATION_PREFIX) return CORD_OK;
    if (!load_string(load, "search.prefixes", NULL)) {
        struct prompt_style paper = {.segmentation = SEGMENTATION_STEPS};
        prompt_segment(&paper, SEGMENTATION_PREFIX);
        return load_put(load, "search.prefixes", NULL, paper.prefixes);
    }
    const struct recipe_value *value = values_get(&load->values, "search.prefixes", NULL);
    const char *complaint = boundary_phrases_complaint(value->text);
    if (!complaint) return CORD_OK;
    return values_error(&load->values, value->place, load->err,
                        "search.prefixes: %s %s; it takes phrases divided by commas, as \"wait, let me check\"",
                        yaml_excerpt(value->text, &load->recipe->arena), complaint);
}

/* How a search tree grows; the number of simulations is written out for the resolved recipe. */
static cord_status load_tree(struct load *load, struct search_settings *search) {
    search->exploration = load_number(load, "search.exploration", NULL);
    search->simulations = (int)load_number(load, "search.simulations", NULL);
    if (search->simulations) return CORD_OK;
    search->simulations = 2 * load->values.teachers.n;
    char *text = arena_printf(&load->recipe->arena, "%d", search->simulations);
    return text ? load_put(load, "search.simulations", NULL, text_of(text)) : error_memory(load->err);
}

/* Whether every teacher writes complete traces alone. */
static bool is_complete(enum search_strategy strategy) {
    return strategy == STRATEGY_CURATION || strategy == STRATEGY_REJECTION || strategy == STRATEGY_INTEGRATION;
}

static cord_status load_strategy(struct load *load, struct search_settings *search) {
    const char *name = load_string(load, "search.strategy", NULL);
    search->strategy = (enum search_strategy)choice(load, "search.strategy", strategy_names);
    bool complete = is_complete(search->strategy);
    bool tree = search->strategy == STRATEGY_MCTS;
    const struct recipe_value *runs = values_get(&load->values, "search.runs", NULL);
    const struct recipe_value *first = values_get(&load->values, "search.stop_at_first_finished", NULL);
    if (complete && first->number != 0)
        return values_error(&load->values, first->place, load->err,
                            "search.stop_at_first_finished contradicts search.strategy: %s, which compares complete "
                            "traces; remove one of the two",
                            name);
    if (tree && first->number != 0)
        return values_error(&load->values, first->place, load->err,
                            "search.stop_at_first_finished contradicts search.strategy: mcts, each of whose runs ends "
                            "with one finished trajectory; remove one of the two");
    if (tree) CORD_TRY(load_tree(load, search));
    if (search->strategy == STRATEGY_SELECTION && !load->selection)
        return values_error(&load->values, values_get(&load->values, "search.strategy", NULL)->place, load->err,
                            "search.strategy: selection is for traces that there are already: cord select FILE "
                            "--recipe RECIPE --out FOLDER");
    search->runs = load->selection ? 1 : (int)runs->number;
    if (load->selection) return load_put(load, "search.runs", NULL, TEXT("1"));
    if (search->runs) return CORD_OK;
    search->runs = complete || tree ? 4 : 1;
    return load_put(load, "search.runs", NULL, search->runs == 4 ? TEXT("4") : TEXT("1"));
}

/* Only cord's beam is wider than 1; one that was written down and says otherwise is a contradiction, not a preference. */
static cord_status load_beam(struct load *load, int *beam) {
    const struct recipe_value *value = values_get(&load->values, "search.beam", NULL);
    *beam = (int)value->number;
    const char *strategy = load_string(load, "search.strategy", NULL);
    bool over_file = !value->place.set && values_get(&load->values, "search.strategy", NULL)->place.set;
    if (!strcmp(strategy, "cord") || *beam == 1) return CORD_OK;
    if (!load->selection && (value->place.line || value->place.set))
        return values_error(&load->values, value->place, load->err,
                            "search.beam: %d contradicts search.strategy: %s, whose beam is 1; remove one of the two%s",
                            *beam, strategy, over_file ? ", or add --set search.beam=1" : "");
    *beam = 1;
    return load_put(load, "search.beam", NULL, TEXT("1"));
}

/* Whether a value `fits` the strategy; else what it goes with. */
static cord_status check_strategy(struct load *load, const char *key, const char *value, bool fits,
                                  const char *strategies) {
    if (fits) return CORD_OK;
    return values_error(&load->values, values_get(&load->values, key, NULL)->place, load->err,
                        "%s: %s goes with search.strategy: %s, and this recipe has %s; change one of the two", key,
                        value, strategies, strategy_names[load->recipe->search.strategy]);
}

static cord_status load_search(struct load *load) {
    struct search_settings *search = &load->recipe->search;
    *search = (struct search_settings){
        .step_tokens = (int)load_number(load, "search.step_tokens", NULL),
        .whole_traces = load_number(load, "search.whole_traces", NULL) != 0,
        .think_tokens = (int)load_number(load, "search.think_tokens", NULL),
        .answer_tokens = (int)load_number(load, "search.answer_tokens", NULL),
        .answer_temperature = (float)load_number(load, "search.answer_temperature", NULL),
        .stop_at_first_finished = load_number(load, "search.stop_at_first_finished", NULL) != 0,
        .adaptive = !strcmp(load_string(load, "search.proposals", NULL), "adaptive"),
        .agreement = load_number(load, "search.agreement", NULL),
        .patience = (int)load_number(load, "search.patience", NULL),
        .tie_within_noise = load_number(load, "search.tie_within_noise", NULL) != 0,
        .correct_first = load_number(load, "search.correct_first", NULL) != 0,
        .measure_best_only = load_number(load, "measures.best_only", NULL) != 0,
        .seed = (uint64_t)load_number(load, "run.seed", NULL),
    };
    CORD_TRY(load_strategy(load, search));
    bool competes = search->strategy == STRATEGY_CORD || search->strategy == STRATEGY_GREEDY;
    CORD_TRY(check_strategy(load, "search.proposals", "adaptive", !search->adaptive || competes, "cord or greedy"));
    CORD_TRY(check_strategy(load, "search.whole_traces", "true", !search->whole_traces || is_complete(search->strategy),
                            "curation, rejection or integration"));
    return load_beam(load, &search->beam);
}

/* Its texts are written out for the resolved recipe. */
static cord_status load_integration_texts(struct load *load) {
    struct recipe *recipe = load->recipe;
    if (!load_string(load, "integration.system", NULL))
        CORD_TRY(load_put(load, "integration.system", NULL, integration_system()));
    if (!load_string(load, "integration.prompt", NULL))
        CORD_TRY(load_put(load, "integration.prompt", NULL, integration_form()));
    const struct recipe_value *form = values_get(&load->values, "integration.prompt", NULL);
    const char *complaint = integration_form_complaint(form->text);
    if (complaint) return values_error(&load->values, form->place, load->err, "integration.prompt %s", complaint);
    recipe->search.integration.form = form->text;
    recipe->integration_style =
        (struct prompt_style){.system = values_get(&load->values, "integration.system", NULL)->text,
                              .user = TEXT("{question}"),
                              .date = load_string(load, "prompt.date", NULL)};
    return CORD_OK;
}

static cord_status load_integration(struct load *load) {
    struct recipe *recipe = load->recipe;
    recipe->integration_model = -1;
    if (recipe->search.strategy != STRATEGY_INTEGRATION) return CORD_OK;
    if (!load_string(load, "integration.model", NULL))
        return need(load, "search.strategy", "integration.model",
                    arena_printf(&recipe->arena, "the model that merges the traces (models here: %s)",
                                 values_names(&load->values.models, &recipe->arena)));
    CORD_TRY(load_find_model(load, "integration.model", NULL, &recipe->integration_model));
    for (int i = 0; i < load->values.teachers.n; i++)
        if (!strcmp(load->values.teachers.names[i].name, INTEGRATOR))
            return values_error(&load->values, load->values.teachers.names[i].place, load->err,
                                "teachers: with search.strategy: integration the name '%s' is that of who merges the "
                                "traces; choose another",
                                INTEGRATOR);
    recipe->search.integration.tokens = (int)load_number(load, "integration.tokens", NULL);
    recipe->search.integration.tries = (int)load_number(load, "integration.tries", NULL);
    recipe->integration_sampling =
        (cord_sampling){.temperature = (float)load_number(load, "integration.temperature", NULL), .top_p = 0.95F};
    return load_integration_texts(load);
}

/* ---- the criterion ----------------------------------------------------------------------------------------------- */

/* Only one kind of server reads a classification head; whether an unnamed one is of it, asking will show. */
static cord_status check_head(struct load *load) {
    const struct recipe_value *format = values_get(&load->values, "reward.format", NULL);
    const char *name = load_string(load, "reward.model", NULL),
               *protocol = load_string(load, "models.*.protocol", name);
    bool served = load_string(load, "models.*.url", name) != NULL;
    if (served && (!strcmp(protocol, "auto") || !strcmp(protocol, "vllm"))) return CORD_OK;
    return values_error(&load->values, format->place, load->err,
                        "reward.format: qwen2.5-math-prm is read of a classification head, which only vLLM tells, and "
                        "models.%s is %s%s; start `vllm serve` with the reward model, and %s",
                        name, served ? "asked by the protocol " : "a file", served ? protocol : "",
                        served ? "give its url there, and no other protocol than vllm"
                               : "give its url there in place of the file");
}

static cord_status load_reward(struct load *load, struct search_settings *search) {
    search->reward_format = (enum reward_format)choice(load, "reward.format", reward_format_names);
    search->reward_aggregate = (enum reward_aggregate)choice(load, "reward.aggregate", reward_aggregate_names);
    if (!load_string(load, "reward.model", NULL))
        return need(load, "search.criterion", "reward.model",
                    arena_printf(&load->recipe->arena, "the process reward model (models here: %s)",
                                 values_names(&load->values.models, &load->recipe->arena)));
    CORD_TRY(load_find_model(load, "reward.model", NULL, &load->recipe->reward_model));
    return search->reward_format == REWARD_QWEN ? check_head(load) : CORD_OK;
}

/* UCB adds a constant times a doubt to a mean reward: what that constant does is known for rewards between 0 and 1. */
static cord_status check_rewards(struct load *load) {
    const struct search_settings *search = &load->recipe->search;
    if (search->strategy != STRATEGY_MCTS || search->criterion->unit) return CORD_OK;
    struct buf names;
    buf_init(&names, "names of criteria", 4096);
    for (int i = 0; criteria[i]; i++)
        if (criteria[i]->unit) buf_addf(&names, "%s%s", names.len ? ", " : "", criteria[i]->name);
    cord_status status = buf_check(&names, load->err);
    if (status == CORD_OK)
        status = values_error(&load->values, values_get(&load->values, "search.criterion", NULL)->place, load->err,
                              "search.criterion: %s contradicts search.strategy: mcts, which goes with criteria whose "
                              "scores lie between 0 and 1 (%s); change one of the two",
                              search->criterion->name, names.data);
    buf_release(&names);
    return status;
}

/* By what reasonings are chosen, and who measures them afterwards. */
static cord_status load_criterion(struct load *load) {
    struct recipe *recipe = load->recipe;
    struct search_settings *search = &recipe->search;
    const struct recipe_value *sentence = values_get(&load->values, "judgment.sentence", NULL);
    search->criterion = criteria[choice(load, "search.criterion", criterion_names)];
    search->judgment = (struct judgment){
        .completions = (int)load_number(load, "judgment.completions", NULL),
        .tokens = (int)load_number(load, "judgment.tokens", NULL),
        .temperature = (float)load_number(load, "judgment.temperature", NULL),
        .sentence = sentence ? sentence->text : (cord_text){"", 0},
    };
    search->contrast_samples = (int)load_number(load, "contrast.samples", NULL);
    recipe->judgment_model = recipe->reward_model = -1;
    CORD_TRY(check_rewards(load));
    CORD_TRY(load_named(load, "measures.scorer", -1, &recipe->scorer_model));
    CORD_TRY(load_named(load, "measures.held_out", -1, &recipe->held_out_model));
    if (!strcmp(search->criterion->name, "prm")) CORD_TRY(load_reward(load, search));
    if (!strcmp(search->criterion->name, "judge"))
        CORD_TRY(load_named(load, "judgment.model", recipe->meta_model, &recipe->judgment_model));
    return CORD_OK;
}

/* ---- the grader -------------------------------------------------------------------------------------------------- */

static cord_status load_judge(struct load *load, struct grading *grading, int *model) {
    if (!load_string(load, "grading.model", NULL))
        return need(load, "grading.by", "grading.model",
                    arena_printf(&load->recipe->arena, "the model that judges (models here: %s)",
                                 values_names(&load->values.models, &load->recipe->arena)));
    CORD_TRY(load_find_model(load, "grading.model", NULL, model));
    if (!load_string(load, "grading.prompt", NULL)) CORD_TRY(load_put(load, "grading.prompt", NULL, judge_prompt()));
    const struct recipe_value *prompt = values_get(&load->values, "grading.prompt", NULL);
    const struct recipe_value *system = values_get(&load->values, "grading.system", NULL);
    const char *complaint = judge_prompt_complaint(prompt->text);
    if (complaint) return values_error(&load->values, prompt->place, load->err, "grading.prompt %s", complaint);
    grading->prompt = prompt->text;
    if (system) grading->system = system->text;
    return CORD_OK;
}

static cord_status load_grading(struct load *load) {
    struct grading *grading = &load->recipe->grading;
    *grading = (struct grading){
        .by = (enum grader_kind)choice(load, "grading.by", grader_kind_names),
        .math = {.numbers = (cord_number_rule)choice(load, "grading.numbers", number_rule_names),
                 .tolerance = load_number(load, "grading.tolerance", NULL)},
        .command = load_string(load, "grading.command", NULL),
        .seconds = load_number(load, "grading.seconds", NULL),
        .date = load_string(load, "prompt.date", NULL),
        .tokens = (int)load_number(load, "grading.tokens", NULL),
        .temperature = (float)load_number(load, "grading.temperature", NULL),
    };
    load->recipe->judge_model = -1;
    if (grading->math.numbers == CORD_NUMBERS_RELATIVE && !(grading->math.tolerance > 0))
        return need(load, "grading.numbers", "grading.tolerance", "the largest |answer - gold| / |gold|, as 0.01");
    if (grading->by == GRADER_COMMAND && (!grading->command || !text_trim(text_of(grading->command)).len))
        return need(load, "grading.by", "grading.command", "the program that grades, as \"python3 check.py\"");
    if (grading->by == GRADER_JUDGE) CORD_TRY(load_judge(load, grading, &load->recipe->judge_model));
    return CORD_OK;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

cord_status load_method(struct load *load) {
    CORD_TRY(check_owners(load));
    CORD_TRY(load_search(load));
    CORD_TRY(load_integration(load));
    CORD_TRY(load_grading(load));
    return load_criterion(load);
}
