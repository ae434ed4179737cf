/* allotment.c - whom to ask for a growing trajectory's next step, where a recipe wants fewer proposals than the paper's
 * (search.proposals: adaptive). Three rules, each by what the beam holds alone, so that a search that was interrupted goes on
 * the same, and that no problem depends on another:
 *
 *     settled   log S lies within `agreement` of 0, where scores are likelihoods of the answer: no step can gain more. Its
 *               author alone goes on
 *     agreed    all that the run has kept lies within `agreement` of it: which is chosen makes as little. The same
 *     idle      a teacher that wrote no step of the last `patience` rounds on any path that the run has kept is not asked
 *
 * In every `patience`-th round all are asked, so that no rule keeps a teacher out for good; one step of its that is kept there
 * brings an idle one back.
 *
 * It must not know how candidates are ranked. */
#include "search/criterion.h"
#include "search/rounds.h"

#include <math.h>

/* (Scores of 0 say nothing yet, and agree with nothing; nor does what has no score.) */
static bool is_settled(const struct search *search, const struct trajectory *kept, int n, int at) {
    const struct search_settings *settings = search->settings;
    double score = kept[at].log_score;
    if (shows_likelihoods(criterion_of(search)) && score >= -settings->agreement) return true;
    for (int i = 0; i < n; i++)
        if (!(fabs(kept[i].log_score - score) <= settings->agreement)) return false;
    return n > 1; /* one alone agrees with nobody */
}

/* Steps are numbered by rounds; those of a path go back from the latest. */
static bool is_idle(const struct beam *beam, const struct trajectory *kept, int n, int teacher) {
    int since = beam->number - beam->search->settings->patience;
    if (since < 1) return false; /* not so many rounds have been played */
    for (int i = 0; i < n; i++)
        for (const struct step *step = kept[i].last; step && step->round >= since; step = step->previous)
            if (step->teacher == teacher) return false;
    return true;
}

uint64_t teachers_to_ask(const struct beam *beam, const struct trajectory *kept, int n, int at) {
    const struct search *search = beam->search;
    const struct search_settings *settings = search->settings;
    uint64_t all = UINT64_MAX >> (64 - search->n_teachers), asked = 0;
    if (!settings->adaptive || !kept[at].last || beam->number % settings->patience == 0) return all;
    if (is_settled(search, kept, n, at)) return UINT64_C(1) << kept[at].author;
    for (int k = 0; k < search->n_teachers; k++)
        if (!is_idle(beam, kept, n, k)) asked |= UINT64_C(1) << k; /* never none: its author wrote the last round's */
    return asked;
}
