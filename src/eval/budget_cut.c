/* budget_cut.c - see budget_cut.h. */
#include "eval/budget_cut.h"

enum samples samples_of(const char *strategy) {
    static const enum samples samples[] = {
        [STRATEGY_CORD] = SAMPLES_RUNS,        [STRATEGY_GREEDY] = SAMPLES_RUNS,
        [STRATEGY_CURATION] = SAMPLES_TRACES,  [STRATEGY_REJECTION] = SAMPLES_TRACES,
        [STRATEGY_INTEGRATION] = SAMPLES_NONE, [STRATEGY_MCTS] = SAMPLES_RUNS,
        [STRATEGY_SELECTION] = SAMPLES_NONE,
    };
    int place = text_place(text_of(strategy), strategy_names);
    return place < 0 ? SAMPLES_NONE : samples[place];
}

/* Parts stand in an order, each known by its number; some may be missing. */
struct division {
    enum samples samples;
    int n_teachers;
};

static int64_t number_of(const struct division *division, int run, int teacher) {
    return division->samples == SAMPLES_RUNS ? run : (int64_t)run * division->n_teachers + teacher;
}

static int64_t sample_of(const struct division *division, const struct candidate *c) {
    return number_of(division, c->run, c->teacher);
}

/* Whether every candidate goes on with what its own sample wrote. */
static bool is_divided(const struct division *division, const struct past *past) {
    for (int r = 1; r < past->n_rounds; r++)
        for (int i = 0; i < past->rounds[r].n_candidates; i++) {
            const struct candidate *c = &past->rounds[r].candidates[i];
            if (c->parent < 0) return false;
            const struct trajectory *parent = &past->rounds[r - 1].beam[c->parent];
            if (parent->last && number_of(division, parent->run, parent->author) != sample_of(division, c))
                return false;
        }
    return true;
}

/* The first sample behind `sample`; -1: there is none. */
static int64_t next_sample(const struct division *division, const struct past *past, int64_t sample) {
    int64_t next = -1;
    for (int r = 0; r < past->n_rounds; r++)
        for (int i = 0; i < past->rounds[r].n_candidates; i++) {
            int64_t own = sample_of(division, &past->rounds[r].candidates[i]);
            if (own > sample && (next < 0 || own < next)) next = own;
        }
    return next;
}

static cord_status cut_round(const struct division *division, int64_t last, const struct round *whole,
                             struct arena *arena, struct round *left, cord_error *err) {
    struct candidate *candidates = arena_alloc(arena, (size_t)(whole->n_candidates + 1) * sizeof *candidates);
    if (!candidates) return error_memory(err);
    *left = *whole;
    left->candidates = candidates;
    left->n_candidates = 0;
    for (int i = 0; i < whole->n_candidates; i++)
        if (sample_of(division, &whole->candidates[i]) <= last) candidates[left->n_candidates++] = whole->candidates[i];
    return CORD_OK;
}

/* What there is up to sample `last`. */
static cord_status cut_behind(const struct division *division, int64_t last, const struct past *whole,
                              struct arena *arena, struct past *left, cord_error *err) {
    *left = *whole;
    left->n_rounds = left->n_answers = 0;
    left->rounds = arena_alloc(arena, (size_t)(whole->n_rounds + 1) * sizeof *left->rounds);
    left->answers = arena_alloc(arena, (size_t)(whole->n_answers + 1) * sizeof *left->answers);
    if (!left->rounds || !left->answers) return error_memory(err);
    for (int r = 0; r < whole->n_rounds; r++) {
        CORD_TRY(cut_round(division, last, &whole->rounds[r], arena, &left->rounds[r], err));
        if (left->rounds[r].n_candidates) left->n_rounds = r + 1;
    }
    for (int i = 0; i < whole->n_answers; i++) {
        const struct trajectory *t = &whole->answers[i].trajectory;
        if (number_of(division, t->run, t->author) <= last) left->answers[left->n_answers++] = whole->answers[i];
    }
    return CORD_OK;
}

cord_status budget_cut(const struct past *whole, enum samples samples, const struct model_sizes *sizes,
                       enum measure unit, double budget, struct arena *arena, struct past *left, bool *cut,
                       cord_error *err) {
    const struct division division = {samples, sizes->n_teachers};
    *left = *whole;
    *cut = false;
    if (samples == SAMPLES_NONE || !is_divided(&division, whole)) return CORD_OK;
    bool first = true;
    for (int64_t sample = next_sample(&division, whole, -1); sample >= 0 && !*cut;
         sample = next_sample(&division, whole, sample)) {
        struct past more;
        double value[MEASURES];
        CORD_TRY(cut_behind(&division, sample, whole, arena, &more, err));
        past_costs(&more, sizes, value);
        *cut = !first && !budget_allows(value[unit], budget);
        if (!*cut) *left = more;
        first = false;
    }
    return CORD_OK;
}
