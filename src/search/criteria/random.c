/* random.c - the criterion that knows nothing: a number from 0 to 1 that is a hash of the seed, the problem, the run and the
 * text (section 4's "random"). No model is asked. What all others should beat. */
#include "search/criterion.h"

#include <math.h>

static cord_status score(const struct search *search, struct spans prompt, struct scored *items, int n,
                         cord_error *err) {
    (void)prompt;
    for (int i = 0; i < n; i++) {
        uint64_t seed = seed_mix(run_seed(search, items[i].run), RANDOM_STREAM);
        uint64_t hash = seed_mix(seed_text(seed, text_trim_end(items[i].reasoning)), 0);
        items[i].log_score = log(((double)(hash >> 11) + 0.5) * 0x1p-53); /* neither 0 nor 1 */
    }
    return count_scored(search, items, n, err);
}

const struct criterion criterion_random = {
    .name = "random",
    .what = "a random number",
    .chooser = "",
    .word = "random",
    .shown_as = SHOWN_SCORE,
    .unit = true,
    .score = score,
};
