/* allotment.c - whom to ask for a growing trajectory's next step, where a recipe wants fewer proposals than the paper's
 * (search.proposals: adaptive). Two rules:
 *
 *     agreed   no two scores of what a run has kept are further apart than `agreement`: which of them goes on hardly matters.
 *              The best goes on alone; once one of them is finished nobody is asked, and the run has ended (beam.c)
 *     seldom   a teacher that wrote hardly any of the steps that were kept in the run's first problems (search->seldom) is
 *              asked in one round of `patience` alone; which, hangs on the problem, so that it is the first for some
 *
 * The first looks at what the beam holds, the second at what is settled before the search begins; so a search that was
 * interrupted goes on the same. It must not know how candidates are ranked, nor who counts what was kept. */
#include "search/rounds.h"

#include <math.h>

/* Scores of 0 have infinite logarithms, whose difference is NAN, so they agree with nothing; they say nothing yet. */
bool all_agree(const struct search_settings *settings, const struct trajectory *kept, int n) {
    if (!settings->adaptive || n < 2) return false;
    double least = INFINITY, most = -INFINITY;
    for (int i = 0; i < n; i++) {
        if (isnan(kept[i].log_score)) return false;
        least = fmin(least, kept[i].log_score);
        most = fmax(most, kept[i].log_score);
    }
    return most - least <= settings->agreement;
}

uint64_t teachers_to_ask(const struct beam *beam, const struct trajectory *kept, int n, int at) {
    const struct search *search = beam->search;
    const struct search_settings *settings = search->settings;
    uint64_t all = UINT64_MAX >> (SEARCH_TEACHERS - search->n_teachers);
    if (at && all_agree(settings, kept, n)) return 0;
    uint64_t turn = seed_text(settings->seed, search->question.id) + (uint64_t)beam->number;
    return settings->adaptive && turn % (uint64_t)settings->patience ? all & ~search->seldom : all;
}
