/* keys.c - the table of everything that a recipe can say. Checks, defaults, help and the resolved recipe all come from
 * it; a new key is one row here and one line in load.c, participants.c or method.c. It must not know YAML. */

#include "recipe/values.h"

#include "grade/grade.h"
#include "search/criterion.h"

static const char *const protocols[] = {"auto", "llama-server", "vllm", "sglang", "openai", "chat", NULL};
static const char *const continuing[] = {"auto", "continue_final_message", "prefix", "plain", NULL};
static const char *const proposing[] = {"all", "adaptive", NULL};

/* Behind its line of help a key may have: */
#define ONLY_WITH(choice, chosen) .with = (choice), .with_value = (chosen)
#define CHANGES_NO_RESULT         .changes_no_result = true

#define TEXT_KEY(at, least, most, standard, ...) \
    { .path = at, .type = RECIPE_TEXT, .min = least, .max = most, .fallback = standard, .doc = __VA_ARGS__ }
#define INT_KEY(at, least, most, standard, ...) \
    { .path = at, .type = RECIPE_INT, .min = least, .max = most, .fallback = standard, .doc = __VA_ARGS__ }
#define REAL_KEY(at, least, most, standard, ...) \
    { .path = at, .type = RECIPE_REAL, .min = least, .max = most, .fallback = standard, .doc = __VA_ARGS__ }
#define BOOL_KEY(at, standard, ...) \
    { .path = at, .type = RECIPE_BOOL, .max = 1, .fallback = standard, .doc = __VA_ARGS__ }
#define CHOICE_KEY(at, names, standard, ...) \
    { .path = at, .type = RECIPE_CHOICE, .choices = names, .fallback = standard, .doc = __VA_ARGS__ }

#define PATH_MAX_BYTES 4000
#define SEED_MAX       9007199254740992.0 /* 2^53: whole numbers up to here are exact in a double */
#define PROMPT_MAX     (double)RECIPE_TEXT_LIMIT

/* How a model is spoken to. The same keys stand under `prompt`, a teacher, and the meta-prover. */
#define PROMPT_KEYS(at, style)                                                                                       \
    CHOICE_KEY(at "prompt.style", prompt_preset_names, style, "the preset that the other texts start from"),         \
        TEXT_KEY(at "prompt.system", 0, PROMPT_MAX, "", "system text; \"\": the template's own default"),            \
        TEXT_KEY(at "prompt.user", 1, PROMPT_MAX, "", "the user's turn; must hold {question}"),                      \
        TEXT_KEY(at "prompt.full", 0, PROMPT_MAX, "",                                                                \
                 "the whole prompt in place of the model's chat template; must hold {question}, may hold {system}"), \
        TEXT_KEY(at "prompt.think_open", 0, 1000, "", "opens the thinking, unless the template has"),                \
        TEXT_KEY(at "prompt.marker", 0, 200, "", "heads each step; {n} is its number"),                              \
        TEXT_KEY(at "prompt.between", 0, 200, "", "stands between a step and the next marker"),                      \
        TEXT_KEY(at "prompt.think_close", 0, 1000, "", "closes the thinking, before the answer"),                    \
        TEXT_KEY(at "prompt.answer_open", 0, 1000, "", "opens the answer for the model"),                            \
        TEXT_KEY(at "prompt.score_open", 0, 1000, "",                                                                \
                 "stands between the reasoning and the answer that is scored, or judged"),                           \
        TEXT_KEY(at "prompt.score_close", 0, 1000, "", "stands behind the answer that is scored"),                   \
        TEXT_KEY(at "prompt.date", 0, 10, "", "YYYY-MM-DD, for templates that print today's date; \"\": a fixed one")

static const struct recipe_key keys[] = {
    TEXT_KEY("extends", 1, PATH_MAX_BYTES, "",
             "another recipe, whose keys this one changes or adds to; its teachers are replaced as a whole",
             CHANGES_NO_RESULT),

    TEXT_KEY("problems.file", 1, PATH_MAX_BYTES, NULL,
             "JSONL, a JSON array, CSV or Parquet, plain or compressed; relative to the recipe's folder"),
    INT_KEY("problems.limit", 0, 1e9, "0", "most problems to take; 0: all. A run goes on with more, or with fewer",
            CHANGES_NO_RESULT),
    INT_KEY("problems.skip", 0, 1e9, "0", "problems to leave out at the start", CHANGES_NO_RESULT),
    TEXT_KEY("problems.id", 0, 200, "",
             "field of the id; \"\": recognised, or made from the content; \"-\": made, whatever the rows have"),
    TEXT_KEY("problems.question", 0, 200, "", "field of the question; \"\": recognised"),
    TEXT_KEY("problems.answer", 0, 200, "", "field of the answer that is graded against; \"\": recognised"),
    TEXT_KEY("problems.target", 0, 200, "", "field of the answer whose likelihood is the score; \"\": the graded one"),
    CHOICE_KEY("problems.format", answer_format_names, "auto",
               "how the answer stands in its field: all of it, behind ####, in the last \\boxed{}, or a whole number"),
    TEXT_KEY("problems.context", 0, 200, "", "field of what stands before the question; \"\": recognised"),
    TEXT_KEY("problems.full_context", 0, 200, "",
             "field of a longer context, which is only exported; \"\": full_context, if there"),

    TEXT_KEY("models.*.file", 0, PATH_MAX_BYTES, "",
             "a path to a GGUF, relative to the recipe's folder, or a name: NAME.gguf in $CORD_MODELS"),
    TEXT_KEY("models.*.url", 0, PATH_MAX_BYTES, "", "instead: a server, http://HOST:PORT; blanks between replicas",
             CHANGES_NO_RESULT),
    CHOICE_KEY("models.*.protocol", protocols, "auto", "what that server speaks; auto: it is asked"),
    CHOICE_KEY("models.*.continue", continuing, "auto",
               "with protocol: chat, how a begun turn is continued; auto: by the host, or tried"),
    BOOL_KEY("models.*.stream", "false",
             "replies come a few tokens at a time, so that a server that hangs is noticed soon", CHANGES_NO_RESULT),
    TEXT_KEY("models.*.model", 0, 400, "", "what the server calls the model; \"\": the first that it serves"),
    TEXT_KEY("models.*.api_key_env", 0, 200, "", "the environment variable that holds the server's key; \"\": none",
             CHANGES_NO_RESULT),
    INT_KEY("models.*.requests", 0, 16384, "0", "most requests at once to each of its servers; 0: 256",
            CHANGES_NO_RESULT),
    TEXT_KEY("models.*.template", 0, PATH_MAX_BYTES, "",
             "its chat template, where the server tells none: a file, or chatml, qwen-2.5, qwq, deepseek-r1, llama-3, "
             "llama-3.1, gemma, mistral, phi-4"),
    REAL_KEY("models.*.price_in", 0, 1e9, "0", "what a million tokens of prompts cost there, in any unit; 0: nothing",
             CHANGES_NO_RESULT),
    REAL_KEY("models.*.price_cached", -1, 1e9, "-1", "those of them that its cache had; -1: as price_in",
             CHANGES_NO_RESULT),
    REAL_KEY("models.*.price_out", 0, 1e9, "0", "what a million written tokens cost", CHANGES_NO_RESULT),
    TEXT_KEY("models.*.device", 0, 200, "",
             "servers with the same one use it in turn, and sleep meanwhile; \"\": each has its own",
             CHANGES_NO_RESULT),
    REAL_KEY("models.*.parameters", 0, 1e6, "0",
             "its parameters in billions, for the FLOPs of cord compare; 0: as its file says, of a server unknown",
             CHANGES_NO_RESULT),
    INT_KEY("models.*.context", 0, 1048576, "0",
            "most tokens of one sequence; 0: as many as the search's budgets need"),
    INT_KEY("models.*.cells", 0, 16777216, "0", "most tokens of cache, all lanes together; 0: as run.memory allows"),
    INT_KEY("models.*.sequences", 0, 256, "0",
            "most sequences cached at once; 0: 64, or up to 256 where the search asks for more"),
    INT_KEY("models.*.gpu_layers", -1, 10000, "-1", "layers to put on a GPU where there is one; -1: all"),

    TEXT_KEY("teachers.*.model", 1, RECIPE_NAME_BYTES, NULL, "a name under models; teachers may share one"),
    REAL_KEY("teachers.*.temperature", 0, 5, "0.6", "of sampling; 0: always the likeliest token"),
    REAL_KEY("teachers.*.top_p", 0.01, 1, "0.95", "sample from the likeliest tokens of this total; 1: off"),
    INT_KEY("teachers.*.top_k", 0, 1000000, "0", "sample from this many tokens at most; 0: off"),
    REAL_KEY("teachers.*.min_p", 0, 1, "0", "drop tokens below this share of the likeliest; 0: off"),
    REAL_KEY("teachers.*.repeat_penalty", 1, 10, "1", "against repetition: lowers the odds of recent tokens; 1: off"),
    INT_KEY("teachers.*.repeat_last", 0, 4096, "0", "how many of the last tokens are recent; 0: 64"),
    PROMPT_KEYS("teachers.*.", ""),

    TEXT_KEY("meta_prover.model", 1, RECIPE_NAME_BYTES, NULL, "a name under models: who scores; take the strongest"),
    BOOL_KEY("meta_prover.reuse", "false",
             "what it wrote itself as a teacher is not computed again to be scored: faster, scores differ by rounding"),
    PROMPT_KEYS("meta_prover.", ""),

    PROMPT_KEYS("", "paper"),

    CHOICE_KEY(
        "search.strategy", strategy_names, "cord",
        "cord: a beam over steps; greedy: a beam of 1; curation: each teacher alone, the best complete trace; "
        "rejection: as curation, but correct ones first; integration: complete traces, merged by one more model; "
        "mcts: Monte Carlo tree search; selection: what `cord select` does"),
    INT_KEY("search.beam", 1, 64, "4",
            "partial trajectories kept from round to round; of the strategy cord alone, others have 1"),
    INT_KEY("search.runs", 0, 64, "0",
            "independent searches, of which the best is taken; of curation, rejection and integration, complete traces "
            "of each teacher; 0: 1, of these three and mcts 4"),
    INT_KEY("search.simulations", 0, 100000, "0",
            "of mcts: visits after which a root gives way to its most visited child; 0: two a teacher",
            ONLY_WITH("search.strategy", "mcts")),
    REAL_KEY("search.exploration", 0, 1000, "1.4142135623730951",
             "of mcts: c in mean reward + c * sqrt(ln(parent's visits) / visits)",
             ONLY_WITH("search.strategy", "mcts")),
    CHOICE_KEY("search.proposals", proposing, "all",
               "of cord and greedy: all teachers for each partial trajectory, as the paper; adaptive: fewer where the "
               "choice makes little difference"),
    REAL_KEY("search.agreement", 0, 100, "0.02",
             "with adaptive: where log S of all that the beam holds lies this near to the best, that one goes on alone",
             ONLY_WITH("search.proposals", "adaptive")),
    INT_KEY(
        "search.pilot", 1, 100000, "16",
        "with adaptive: in the run's first N problems all teachers are asked, and the others wait for what was kept of "
        "each",
        ONLY_WITH("search.proposals", "adaptive")),
    REAL_KEY(
        "search.least_share", 0, 1, "0.25",
        "with adaptive: a teacher that wrote less of it than this part of an equal share is asked seldom from then on",
        ONLY_WITH("search.proposals", "adaptive")),
    INT_KEY("search.patience", 1, 100000, "4", "with adaptive: such a teacher is asked in one round of N",
            ONLY_WITH("search.proposals", "adaptive")),
    INT_KEY("search.step_tokens", 1, 65536, "1024", "most tokens of one step"),
    BOOL_KEY("search.whole_traces", "false",
             "of curation, rejection and integration: each trace is asked for in one request, not step by step"),
    INT_KEY("search.think_tokens", 1, 1048576, "16384", "most tokens of a trajectory's thinking"),
    INT_KEY("search.answer_tokens", 1, 65536, "4096", "most tokens of the answer"),
    REAL_KEY("search.answer_temperature", 0, 5, "0", "of the answer; 0: always the likeliest token"),
    BOOL_KEY("search.stop_at_first_finished", "false", "stop at the first finished trajectory, not the whole beam"),
    BOOL_KEY("search.correct_first", "false", "with strategy: selection, traces whose answer is correct go first",
             ONLY_WITH("search.strategy", "selection")),
    BOOL_KEY("search.tie_within_noise", "false", "treat scores that differ by less than the noise as ties"),
    CHOICE_KEY("search.criterion", criterion_names, "predictive-perplexity",
               "by what reasonings are chosen; docs/criteria.md says what each is"),
    CHOICE_KEY("search.segmentation", segmentation_names, "steps",
               "where a step ends: at the next marker, at a blank line, or before one of search.prefixes"),
    TEXT_KEY("search.prefixes", 0, 2000, "",
             "the phrases of segmentation: prefix, divided by commas, semicolons or lines; \"\": the paper's",
             ONLY_WITH("search.segmentation", "prefix")),

    TEXT_KEY("integration.model", 0, RECIPE_NAME_BYTES, "",
             "with strategy: integration, who merges the traces: a name under models",
             ONLY_WITH("search.strategy", "integration")),
    TEXT_KEY("integration.system", 0, PROMPT_MAX, "", "its system text; \"\": cord's own",
             ONLY_WITH("search.strategy", "integration")),
    TEXT_KEY("integration.prompt", 0, PROMPT_MAX, "",
             "what it is asked; must hold {question} and {traces}; \"\": cord's own",
             ONLY_WITH("search.strategy", "integration")),
    INT_KEY("integration.tokens", 1, 1048576, "16384", "most tokens of its reply, with its thinking",
            ONLY_WITH("search.strategy", "integration")),
    REAL_KEY("integration.temperature", 0, 5, "0.6", "of sampling; with 0 every try says the same",
             ONLY_WITH("search.strategy", "integration")),
    INT_KEY("integration.tries", 1, 100, "3", "how often it is asked before a problem has failed",
            ONLY_WITH("search.strategy", "integration")),

    TEXT_KEY("judgment.model", 0, RECIPE_NAME_BYTES, "",
             "with criterion: judge, who answers from each reasoning: a name under models; \"\": the meta-prover's",
             ONLY_WITH("search.criterion", "judge")),
    INT_KEY("judgment.completions", 1, 256, "10", "answers to each reasoning", ONLY_WITH("search.criterion", "judge")),
    INT_KEY("judgment.tokens", 1, 65536, "64", "most tokens of one of them", ONLY_WITH("search.criterion", "judge")),
    REAL_KEY("judgment.temperature", 0, 5, "0.6", "of them; 0: one says all", ONLY_WITH("search.criterion", "judge")),
    TEXT_KEY("judgment.sentence", 0, PROMPT_MAX, "Time is up, so the answer has to be formed from what is here so far.",
             "stands behind a reasoning that is not complete", ONLY_WITH("search.criterion", "judge")),

    TEXT_KEY("reward.model", 0, RECIPE_NAME_BYTES, "",
             "with criterion: prm, the process reward model: a name under models",
             ONLY_WITH("search.criterion", "prm")),
    CHOICE_KEY("reward.format", reward_format_names, "rlhflow", "how it is asked, and what is read of its reply",
               ONLY_WITH("search.criterion", "prm")),
    CHOICE_KEY("reward.aggregate", reward_aggregate_names, "last",
               "how its steps' scores make one: the last, the least, or their product",
               ONLY_WITH("search.criterion", "prm")),

    INT_KEY("contrast.samples", 1, 64, "4",
            "with criterion: contrast, answers of each teacher without reasoning; the commonest wrong one is used",
            ONLY_WITH("search.criterion", "contrast")),

    TEXT_KEY("measures.scorer", 0, RECIPE_NAME_BYTES, "",
             "who computes the predictive perplexity of tables, whatever criterion chose: a name under models; \"\": "
             "the meta-prover's, by which it is the score where that chose"),
    TEXT_KEY("measures.held_out", 0, RECIPE_NAME_BYTES, "",
             "a second one outside of the pool, for tables alone; \"\": none"),
    BOOL_KEY("measures.best_only", "false",
             "they measure the best trajectory of each problem alone, which is all that tables show: cheaper"),

    CHOICE_KEY("grading.by", grader_kind_names, "math",
               "math: proved equal or different; text: the same text; command: a program's verdict; judge: a model's"),
    CHOICE_KEY(
        "grading.numbers", number_rule_names, "exact",
        "how math compares them; rounded: as the gold is; relative: within a tolerance; tatqa: by TAT-QA's rules",
        ONLY_WITH("grading.by", "math")),
    REAL_KEY("grading.tolerance", 0, 1, "0", "with numbers: relative, the largest |answer - gold| / |gold|",
             ONLY_WITH("grading.numbers", "relative")),
    TEXT_KEY("grading.command", 0, RECIPE_TEXT_LIMIT, "",
             "for a shell; kept running; reads a line of JSON an answer, writes {\"verdict\": \"equal\"} and the like",
             ONLY_WITH("grading.by", "command")),
    REAL_KEY("grading.seconds", 0.01, 86400, "10", "most that the command may take for one answer",
             ONLY_WITH("grading.by", "command")),
    TEXT_KEY("grading.model", 0, RECIPE_NAME_BYTES, "", "the judge: a name under models",
             ONLY_WITH("grading.by", "judge")),
    TEXT_KEY("grading.system", 0, PROMPT_MAX, "", "the judge's system text; \"\": its template's own default",
             ONLY_WITH("grading.by", "judge")),
    TEXT_KEY("grading.prompt", 0, PROMPT_MAX, "",
             "what the judge is asked; must hold {reference} and {prediction}, may hold {question}; \"\": cord's own",
             ONLY_WITH("grading.by", "judge")),
    INT_KEY("grading.tokens", 1, 65536, "256", "most tokens of the judge's reply, with its thinking",
            ONLY_WITH("grading.by", "judge")),
    REAL_KEY("grading.temperature", 0, 5, "0", "of the judge; 0: always the likeliest token",
             ONLY_WITH("grading.by", "judge")),

    INT_KEY("budget.requests", 0, 1e15, "0",
            "most requests to servers (proposals, scores) of the whole run; 0: no bound", CHANGES_NO_RESULT),
    INT_KEY("budget.tokens", 0, 1e15, "0", "most tokens of their prompts and replies together; 0: no bound",
            CHANGES_NO_RESULT),
    REAL_KEY("budget.money", 0, 1e12, "0", "most money, by the models' prices; 0: no bound", CHANGES_NO_RESULT),

    TEXT_KEY("run.out", 1, PATH_MAX_BYTES, NULL, "the run's folder; relative to where cord is started",
             CHANGES_NO_RESULT),
    INT_KEY("run.seed", 0, SEED_MAX, "1", "of everything random"),
    INT_KEY("run.in_flight", 0, 4096, "0",
            "problems worked on at once; 0: as many as fill batches and fit into memory; 64 with servers alone; 1 with "
            "run.reproducible and a local model",
            CHANGES_NO_RESULT),
    REAL_KEY("run.memory", 0, 65536, "0",
             "GiB that the caches of local models may take; 0: half of what is free, or of all that there is if "
             "run.reproducible",
             CHANGES_NO_RESULT),
    BOOL_KEY("run.reproducible", "false", "repeated and resumed runs give the same bits on one machine; slower"),
    INT_KEY("run.threads", 0, 1024, "0", "threads for local models; 0: one per core, which is also the most",
            CHANGES_NO_RESULT),

    REAL_KEY("servers.connect", 0.01, 3600, "10", "most seconds to connect to a model's server", CHANGES_NO_RESULT),
    REAL_KEY("servers.first_byte", 0.01, 86400, "600",
             "most seconds from a request to the first byte of its reply; for one that comes whole, 0.2 more for each "
             "token that "
             "it may have",
             CHANGES_NO_RESULT),
    REAL_KEY("servers.idle", 0.01, 86400, "120",
             "most seconds between two bytes of a reply; of a stream, between two events", CHANGES_NO_RESULT),
    INT_KEY("servers.tries", 1, 1000, "8",
            "of one request, the first one too; what cannot pass is not tried again; 8 outlast some 45 s without a "
            "server, 40 "
            "ten minutes",
            CHANGES_NO_RESULT),
    REAL_KEY("servers.backoff", 0.001, 3600, "0.5", "seconds before the second try; doubled each time",
             CHANGES_NO_RESULT),
    REAL_KEY("servers.longest_pause", 0.001, 86400, "120", "most seconds of one pause, a server's Retry-After too",
             CHANGES_NO_RESULT),
    TEXT_KEY("servers.authorities", 0, PATH_MAX_BYTES, "",
             "a PEM file of the certificates to trust in place of the system's, relative to the recipe's folder",
             CHANGES_NO_RESULT),
};

const struct recipe_key *recipe_keys(size_t *n) {
    *n = sizeof keys / sizeof *keys;
    return keys;
}

const struct recipe_key *recipe_key_exact(const char *pattern) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(keys[i].path, pattern)) return &keys[i];
    return NULL;
}

const struct recipe_key *recipe_key_find(const char *path, struct arena *arena, const char **name) {
    cord_text whole = text_of(path);
    *name = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *star = strchr(keys[i].path, '*');
        if (!star) {
            if (!strcmp(keys[i].path, path)) return &keys[i];
            continue;
        }
        /* names may hold dots, so the star is what stands between the pattern's two ends */
        cord_text head = {keys[i].path, (size_t)(star - keys[i].path)}, tail = text_of(star + 1);
        if (whole.len <= head.len + tail.len || !text_starts(whole, head) || !text_ends(whole, tail)) continue;
        *name = arena_text(arena, text_slice(whole, head.len, whole.len - tail.len)).data;
        return *name ? &keys[i] : NULL;
    }
    return NULL;
}

const char *recipe_key_path(const struct recipe_key *key, const char *name, struct arena *arena) {
    const char *star = strchr(key->path, '*');
    if (!star || !name) return key->path;
    return arena_printf(arena, "%.*s%s%s", (int)(star - key->path), key->path, name, star + 1);
}

void recipe_key_allowed(const struct recipe_key *key, struct buf *out) {
    switch (key->type) {
    case RECIPE_INT: buf_addf(out, "a whole number, %.0f to %.0f", key->min, key->max); break;
    case RECIPE_REAL: buf_addf(out, "a number, %g to %g", key->min, key->max); break;
    case RECIPE_BOOL: buf_addf(out, "true or false"); break;
    case RECIPE_TEXT: buf_addf(out, "a text of %s%.0f bytes", key->min > 0 ? "1 to " : "at most ", key->max); break;
    case RECIPE_CHOICE:
        for (size_t i = 0; key->choices[i]; i++) buf_addf(out, "%s%s", i ? ", " : "", key->choices[i]);
    }
}
