/* check.c - what the back ends' checks of their own scores have in common (cord_check_scoring): the text that is asked about,
 * and how two results are compared. It must not know how scores are had. */
#include "model/backend.h"

#include <math.h>

/* Some caches go by blocks of 128 tokens. Any model knows what comes next, so that the log-probabilities are near 0, where
 * rounding makes little of a difference and a wrong token a large one. */
cord_scoring check_probe(const cord_model *model) {
    static const cord_span prompt = {TEXT("1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,"),
                                     true};
    return (cord_scoring){
        .model = model,
        .prompt = &prompt,
        .n_spans = 1,
        .reasoning = TEXT(" 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,"
                          " 43, 44, 45, 46, 47, 48,"),
        .opening = {TEXT(" 49, 50,"), true},
        .target = {TEXT(" 51, 52, 53"), true},
        .closing = {TEXT(","), true},
    };
}

double check_apart(const cord_scoring *a, const cord_scoring *b) {
    double worst = 0;
    if (a->n_tokens != b->n_tokens) return INFINITY;
    for (int i = 0; i < a->n_tokens; i++) {
        double apart = fabs(a->logprob[i] - b->logprob[i]);
        if (isnan(apart)) return INFINITY; /* and no NAN, which no comparison finds too large */
        worst = fmax(worst, apart);
    }
    return worst;
}
