/* longest.c - the criterion by which more is better: tokens of the reasoning, as the meta-prover counts them (section 4's
 * "longest"). No model is asked for anything but its tokenizer. */
#include "search/criterion.h"

#include <math.h>

static cord_status score(const struct search *search, struct spans prompt, struct scored *items, int n,
                         cord_error *err) {
    (void)prompt;
    CORD_TRY(count_scored(search, items, n, err));
    for (int i = 0; i < n; i++)
        if (items[i].error.code == CORD_OK) items[i].log_score = log(items[i].reasoning_tokens);
    return CORD_OK;
}

const struct criterion criterion_longest = {
    .name = "longest",
    .what = "the length, in tokens",
    .chooser = "",
    .word = "tokens",
    .shown_as = SHOWN_COUNT,
    .score = score,
};
