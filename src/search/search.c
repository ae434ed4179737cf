/* search.c - the strategies by name, and what all of them draw from. */
#include "search/rounds.h"

const char *const strategy_names[] = {"cord",        "greedy", "curation",  "rejection",
                                      "integration", "mcts",   "selection", NULL};

const char *finish_name(enum finish finish) {
    static const char *const names[] = {"growing", "closed", "turn ended", "budget", "exhausted"};
    return names[finish];
}

uint64_t run_seed(const struct search *search, int run) {
    uint64_t seed = seed_text(search->settings->seed, search->question.id);
    return run ? seed_mix(seed_mix(seed, RUN_STREAM), (uint64_t)run) : seed;
}

cord_status search_run(const struct search *search, cord_error *err) {
    switch (search->settings->strategy) {
    case STRATEGY_CORD:
    case STRATEGY_GREEDY: return beam_search(search, err);
    case STRATEGY_CURATION:
    case STRATEGY_REJECTION: return curation_search(search, err);
    case STRATEGY_MCTS: return tree_search(search, err);
    case STRATEGY_INTEGRATION: return integration_search(search, err);
    case STRATEGY_SELECTION: return selection_search(search, err);
    }
    return error_set(err, CORD_INTERNAL, "there is no strategy %d", (int)search->settings->strategy);
}
