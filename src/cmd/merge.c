/* merge.c - `cord merge`: one run folder from several. What is merged and how is the store's business (store/merge.h); here
 * recipes are compared, and it is told what came of it. */
#include "store/merge.h"
#include "cmd/page.h"
#include "recipe/recipe.h"

struct telling {
    struct page out, err; /* what was chosen; what contradicts */
};

/* ---- recipes ------------------------------------------------------------------------------------------------- */

/* Where a problem comes from changes nothing of its result. */
static bool is_of_file(cord_text line) { return text_starts(line, TEXT("problems.file: ")); }

static cord_status compare_recipes(cord_text before, cord_text after, struct arena *arena, cord_text *conflicts,
                                   cord_text *notes, cord_error *err) {
    cord_text lines;
    struct buf out[2]; /* contradictions, notes */
    CORD_TRY(recipe_differences(before, after, true, arena, &lines, err));
    for (int i = 0; i < 2; i++) buf_init(&out[i], "differences of recipes", lines.len + 1);
    for (cord_text line; text_next_line(&lines, &line);)
        buf_addf(&out[is_of_file(line)], "%.*s\n", (int)line.len, line.data);
    cord_status status = CORD_OK;
    cord_text *const texts[] = {conflicts, notes};
    for (int i = 0; i < 2; i++) {
        cord_status taken = buf_take(&out[i], arena, texts[i], err);
        if (status == CORD_OK) status = taken;
    }
    return status;
}

/* ---- the verb ------------------------------------------------------------------------------------------------ */

static void tell(void *ctx, enum merge_news news, const char *line) {
    struct telling *telling = ctx;
    struct page *page = news == MERGE_CONFLICT ? &telling->err : &telling->out;
    page_raw(page, PAINT_NONE, text_of(line));
    page_print(page, PAINT_NONE, "\n");
}

static void conclude(const struct call *call, const struct merge_counts *counts) {
    const struct summary_counts *merged = &counts->merged;
    int runs = call->n_args - 1 - counts->left_out;
    fprintf(call->out, "%d problem%s from %d run%s: %d done, %d failed, %d unfinished", merged->problems,
            merged->problems == 1 ? "" : "s", runs, runs == 1 ? "" : "s", merged->done, merged->failed, merged->open);
    if (counts->duplicates)
        fprintf(call->out, "; %d time%s a problem was in another run, too, and is there once", counts->duplicates,
                counts->duplicates == 1 ? "" : "s");
    fprintf(call->out, "\n%s/trajectories.jsonl\n", call->args[0]);
}

static int run_merge(const struct call *call) {
    static const enum merge_prefer prefers[] = {MERGE_FIRST, MERGE_LAST}; /* in the order of --prefer's words */
    const struct option_value *prefer = call_option(call, "prefer");
    struct telling telling;
    struct merge_options options = {
        .out = call->args[0],
        .runs = call->args + 1,
        .n_runs = call->n_args - 1,
        .prefer = prefer->given ? prefers[prefer->choice] : MERGE_NONE,
        .compare = compare_recipes,
        .move = recipe_move,
        .tell = tell,
        .ctx = &telling,
    };
    if (!*options.out) return call_usage(call, "OUT is empty");
    struct merge_counts counts;
    cord_error err = {0};
    page_init(&telling.out, call->out);
    page_init(&telling.err, call->err);
    cord_status status = merge_runs(&options, &counts, &err);
    if (status == CORD_OK && (telling.out.failed || telling.err.failed)) status = error_memory(&err);
    page_release(&telling.out);
    page_release(&telling.err);
    if (status == CORD_OK) {
        conclude(call, &counts);
        return EXIT_ALL_DONE;
    }
    fflush(call->out);
    int result = call_fail(call, &err);
    if (counts.conflicts && options.prefer == MERGE_NONE)
        fprintf(call->err, "cord: --prefer first takes what the run named first has, --prefer last the other\n");
    return result;
}

static const struct option options[] = {
    {.name = "prefer",
     .type = OPTION_TEXT,
     .value = "first|last",
     .doc = "where runs contradict each other, take what the one named first (last) has"},
    {.name = NULL},
};

const struct verb verb_merge = {
    .name = "merge",
    .synopsis = "OUT RUN [RUN...]",
    .summary = "make one run folder from several: shards, or runs of one recipe",
    .help =
        "Makes the folder OUT, which must not exist: a run folder with all problems of the runs, every round and "
        "candidate of them, trajectories.jsonl in input order, and summary.json counted anew. OUT appears whole or not "
        "at all. The runs are only read; one that is at work is refused, and one that has not begun is left out.\n\n"
        "A problem that several runs have is in OUT once. The one that is done is taken before one that failed or is "
        "unfinished, and of two unfinished ones that with more rounds; each such choice is told. Of two that are done "
        "with equal results (times and cached tokens apart), the first.\n\n"
        "Contradictions are told, a line each, and nothing is merged: recipes that differ in a key that can change a "
        "result, models whose files differ, another problem under the same id, other results for the same problem. "
        "With --prefer one side is taken. Runs with other teachers cannot be merged. The recipe of OUT is the first "
        "run's, or with --prefer last the last differing one's.\n\n"
        "Problems stand in the order of their lines in the problem file; where runs read different files, run by run. "
        "`cord run` goes on in OUT (run.out) with what is open, without --shard. After --prefer with differing recipes "
        "it asks for --accept-changes.\n\n"
        "Exit status: 0 merged, 1 nothing was made, 2 wrong usage.",
    .options = options,
    .min_args = 2,
    .max_args = 100001,
    .run = run_merge,
};
