/* schedule.c - one turn of the thread that computes: which lane is next, and which rows are in its batch.
 *
 *     settle   every job has a lane; losers of the round before are dropped
 *     admit    jobs whose prefix is ready, while there is room
 *     compute  the lane with most rows: texts being written first, then prompts
 *     deliver  logits to whom they belong
 *
 * With `reproducible`, one call at a time, each from a cache that is a function of its own texts alone.
 * It must not know what jobs do with their logits. */
#include "model/local/schedule.h"

/* How many batches a lane waits for fuller ones. */
enum { PATIENCE = 32 };

/* ---- jobs ---------------------------------------------------------------------------------------------------- */

static int left_of(const struct job *job) { return job->n - job->have; }

/* Counts, for each lane, the jobs that are being computed and the rows that they still need. */
static void count(const struct schedule *schedule) {
    for (struct local_model *model = schedule->models; model; model = model->next)
        for (struct lane *lane = model->lanes; lane; lane = lane->next) lane->running = lane->promised = 0;
    for (const struct job *job = schedule->jobs; job; job = job->next) {
        if (!job->leaf) continue;
        job->lane->running++;
        job->lane->promised += left_of(job);
    }
}

static void end_job(struct schedule *schedule, struct job *job) {
    struct job **link = &schedule->jobs;
    while (*link != job) link = &(*link)->next;
    *link = job->next;
    if (job->leaf) {
        tree_give(&job->lane->tree, job->leaf, job->measuring ? job->keep : job->have);
        job->lane->full = false; /* there is room again for those that wait */
    }
    job->leaf = NULL;
    job->next = schedule->ended;
    schedule->ended = job;
}

static void fail(struct schedule *schedule, struct job *job, const cord_error *why) {
    *job->error = *why;
    end_job(schedule, job);
}

void schedule_fail_all(struct schedule *schedule, const cord_error *why) {
    while (schedule->jobs) {
        struct job *job = schedule->jobs;
        job->call->status = why->code;
        job->call->error = *why;
        fail(schedule, job, why);
    }
}

/* ---- settling ------------------------------------------------------------------------------------------------ */

/* What a problem has in a lane and its new jobs have no use for, goes, so that there is room. Scores compute anew what
 * was written, so then all of that goes, unless they may rest on it, or it will be continued. */
static void drop_losers(struct schedule *schedule, struct lane *lane, uint64_t group, enum written written) {
    const struct tokens *keep[256];
    int n = 0;
    for (struct job *job = schedule->jobs; job && n < 256; job = job->next)
        if (job->lane == lane && job->group == group) keep[n++] = &job->tokens;
    if (n < 256) tree_forget(&lane->tree, group, keep, n, written);
}

static void settle(struct schedule *schedule) {
    for (struct job *job = schedule->jobs, *next; job; job = next) {
        next = job->next;
        if (job->lane) continue;
        cord_error why = {0};
        if (room_find(schedule, job, &why) != CORD_OK)
            fail(schedule, job, &why);
        else if (!job->lane)
            break; /* those that came later wait behind it */
    }
    for (struct job *job = schedule->jobs; job; job = job->next) {
        if (job->settled || !job->lane) continue;
        for (struct job *other = job; other; other = other->next)
            if (other->lane == job->lane && other->group == job->group) other->settled = true;
        enum written written = job->others_go_on ? WRITTEN_STAYS : job->reuses ? WRITTEN_IF_WANTED : WRITTEN_GOES;
        drop_losers(schedule, job->lane, job->group, written);
    }
}

/* ---- admitting ----------------------------------------------------------------------------------------------- */

/* Is somebody computing more of what this job begins with than is there now? */
static bool prefix_is_coming(const struct schedule *schedule, const struct job *job, int cached) {
    for (const struct job *other = schedule->jobs; other; other = other->next) {
        if (other == job || other->lane != job->lane || !other->leaf || other->have >= job->read) continue;
        int common = tokens_common(other->tokens.id, other->n, job->tokens.id, job->read);
        if (common > other->have && common > cached) return true;
    }
    return false;
}

static struct node *fork_for(struct job *job) {
    struct tree *tree = &job->lane->tree;
    struct node *leaf;
    do leaf = tree_fork(tree, job->tokens.id, job->read, !job->reuses, job->group);
    while (!leaf && tree_evict(tree));
    return leaf;
}

enum admission { ADMITTED, WAITS, NO_ROOM };

static enum admission admit(const struct schedule *schedule, struct job *job) {
    struct lane *lane = job->lane;
    bool others = lane->running > 0;
    /* enough for this turn and the next; to let in more would only hold cells */
    if (others && (lane->full || lane->promised >= 2 * LANE_WIDTH)) return WAITS;
    int cached = tree_match(&lane->tree, job->tokens.id, job->read, !job->reuses);
    if (prefix_is_coming(schedule, job, cached)) return WAITS;
    struct node *leaf = fork_for(job);
    if (leaf) cached = node_end(leaf);
    if (!leaf || !lane_make_room(lane, lane->promised + job->n - cached)) {
        if (leaf) tree_give(&lane->tree, leaf, cached);
        lane->full = others; /* those that came later wait behind it, else it might wait for ever */
        return others ? WAITS : NO_ROOM;
    }
    if (job->cached < 0) {
        job->cached = cached;
        atomic_fetch_add(&job->model->base.usage.cached_tokens, cached);
    }
    job->leaf = leaf;
    job->have = cached;
    job->prefill = job->n;
    lane->running++;
    lane->promised += left_of(job);
    return ADMITTED;
}

static void admit_all(struct schedule *schedule) {
    for (struct job *job = schedule->jobs, *next; job; job = next) {
        next = job->next;
        if (job->leaf) continue;
        if (!job->lane && schedule->reproducible) continue; /* it is of a later portion */
        if (!job->lane) return; /* it waits for memory; who came later waits behind it, else it might wait for ever */
        if (admit(schedule, job) != NO_ROOM) continue;
        /* nobody else computes in its lane, which is too small for it alone */
        if (room_move(schedule, job->lane, job->group, job->n + job->n / 2)) return; /* in the next turn */
        if (room_leave(schedule, job)) return;
        cord_error why = {0};
        room_is_short(job->lane, &why);
        fail(schedule, job, &why);
    }
}

/* ---- a batch ------------------------------------------------------------------------------------------------- */

/* The lane with most rows that are ready; of several, and of those that were left out too often, the one that was served
 * longest ago. */
static struct lane *busiest(const struct schedule *schedule) {
    struct lane *best = NULL;
    int most = 0;
    for (const struct local_model *model = schedule->models; model; model = model->next) {
        for (struct lane *lane = model->lanes; lane; lane = lane->next) {
            int rows = lane->promised < LANE_WIDTH ? lane->promised : LANE_WIDTH;
            if (rows && schedule->now - lane->served >= PATIENCE) rows = LANE_WIDTH + 1;
            if (rows > most || (rows && rows == most && lane->served < best->served)) most = rows, best = lane;
        }
    }
    return best;
}

static int outputs_of(const struct job *job, int from, int to) {
    return to <= job->read ? 0 : to - (from > job->read ? from : job->read);
}

/* What a batch has so far. */
struct batch {
    int outputs;
    int even; /* where all of its jobs must have as many rows: how many; 0: none is in yet */
};

/* To where a job's next rows go, as many as fit. */
static int next_rows(const struct schedule *schedule, const struct job *job, const struct batch *batch) {
    int room = LANE_WIDTH - schedule->n_rows, to = job->n - job->have < room ? job->n : job->have + room;
    /* where not every place can be forked from later, one that is worth it must be a tip now */
    if (tree_must_keep(&job->lane->tree) && job->have < job->tip && to > job->tip) to = job->tip;
    while (to > job->have && batch->outputs + outputs_of(job, job->have, to) > LANE_OUTPUTS) to--;
    if (job->measuring && job->n - to == 1) to = to - job->have > 1 ? to - 1 : job->have; /* score.c: never one alone */
    if (!batch->even) return to;
    return to - job->have < batch->even ? job->have : job->have + batch->even;
}

/* Adds rows of a job. False without memory. */
static bool add_rows(struct schedule *schedule, struct job *job, struct batch *batch) {
    struct lane *lane = job->lane;
    int to = next_rows(schedule, job, batch);
    batch->outputs += outputs_of(job, job->have, to);
    if (tree_needs_even_batches(&lane->tree)) batch->even = batch->even ? batch->even : to - job->have;
    while (job->have < to) {
        int i = job->have;
        struct node *leaf = tree_extend(&lane->tree, job->leaf, job->tokens.id[i], i >= job->prefill);
        if (!leaf) return false;
        job->leaf = leaf;
        lane_row(lane, leaf, job->tokens.id[i], i, i >= job->read);
        schedule->rows[schedule->n_rows++] = (struct row){job, i};
        job->have++;
    }
    return true;
}

/* Texts being written first, then prompts; the other way round where they cannot be in one batch: the texts, whose tokens come
 * one by one, all wait for a prompt, and then go on together. */
static cord_status fill(struct schedule *schedule, struct lane *lane, cord_error *err) {
    struct batch batch = {0};
    bool prompts = tree_needs_even_batches(&lane->tree);
    schedule->n_rows = 0;
    lane_begin(lane);
    for (int pass = 0; pass < 2; pass++, prompts = !prompts)
        for (struct job *job = schedule->jobs; job; job = job->next)
            if (job->lane == lane && job->leaf && left_of(job) > 0 && prompts == (job->have < job->prefill) &&
                !add_rows(schedule, job, &batch))
                return error_memory(err);
    return CORD_OK;
}

/* The batch could not be computed, and the lane's cache is gone: its jobs begin again, once. */
static void start_over(struct schedule *schedule, struct lane *lane, const cord_error *why) {
    tree_clear(&lane->tree);
    if (why->code == CORD_CANCELLED) {
        for (struct job *job = schedule->jobs; job; job = job->next)
            if (job->lane == lane) job->leaf = NULL;
        schedule_fail_all(schedule, why);
        return;
    }
    lane->failures++;
    for (struct job *job = schedule->jobs, *next; job; job = next) {
        next = job->next;
        if (job->lane != lane || !job->leaf) continue;
        job->leaf = NULL;
        if (lane->failures > 1) fail(schedule, job, why);
    }
}

static bool take(struct schedule *schedule, const struct row *row, float *logits) {
    if (row->job->writing) return writing_take(row->job, logits, &schedule->scratch);
    return measuring_take(row->job, row->index, logits);
}

static void deliver(struct schedule *schedule, struct lane *lane) {
    for (int i = 0; i < schedule->n_rows; i++) {
        const struct row *row = &schedule->rows[i];
        if (row->index >= row->job->read && !row->job->done) row->job->done = take(schedule, row, lane_logits(lane, i));
    }
    for (struct job *job = schedule->jobs, *next; job; job = next) {
        next = job->next;
        if (job->done) {
            end_job(schedule, job);
        } else if (tree_must_keep(&lane->tree) && job->lane == lane && job->leaf && job->have == job->tip) {
            struct node *leaf = tree_keep(&lane->tree, job->leaf);
            if (leaf) job->leaf = leaf;
        }
    }
}

/* Who used the time, by rows. */
static void account(const struct schedule *schedule, struct local_model *model, int64_t us) {
    int64_t written = 0, prefilled = 0, scored = 0;
    for (int i = 0; i < schedule->n_rows; i++) {
        const struct row *row = &schedule->rows[i];
        if (row->job->measuring)
            scored++;
        else if (row->index < row->job->read)
            prefilled++;
        else
            written++;
    }
    int64_t n = written + prefilled + scored;
    if (!n) return;
    atomic_fetch_add(&model->base.usage.proposed_tokens, written);
    atomic_fetch_add(&model->base.usage.propose_prefill_tokens, prefilled);
    atomic_fetch_add(&model->base.usage.scored_tokens, scored);
    atomic_fetch_add(&model->base.usage.propose_us, us * (written + prefilled) / n);
    atomic_fetch_add(&model->base.usage.score_us, us * scored / n);
    atomic_fetch_add(&model->base.usage.batches, 1);
}

/* A text takes one cell with every token, which nobody could promise it. Where there is none, somebody has to go. */
static void make_way(struct schedule *schedule, struct lane *lane) {
    if (room_make_way(schedule, lane)) return;
    struct job *job = schedule->jobs;
    while (job->lane != lane || !job->leaf) job = job->next;
    if (room_leave(schedule, job)) return;
    cord_error why = {0};
    room_is_short(lane, &why);
    fail(schedule, job, &why);
}

static void compute(struct schedule *schedule, struct lane *lane) {
    cord_error why = {0};
    int64_t start = clock_us();
    lane->served = ++schedule->now;
    if (fill(schedule, lane, &why) != CORD_OK || lane_compute(lane, &why) != CORD_OK) {
        start_over(schedule, lane, &why);
        return;
    }
    lane->failures = 0;
    int64_t computed = clock_us();
    account(schedule, lane->model, computed - start);
    deliver(schedule, lane);
    atomic_fetch_add(&lane->model->base.usage.sample_us, clock_us() - computed);
}

/* ---- a turn -------------------------------------------------------------------------------------------------- */

/* Lanes for the jobs of a reproducible call, for as many at once as they hold. */
static void prepare(struct schedule *schedule) {
    for (struct job *job = schedule->jobs; job; job = job->next) {
        cord_error why = {0};
        if (job->lane || room_prepare(schedule, job, &why) == CORD_OK) continue;
        schedule_fail_all(schedule, &why);
        return;
    }
}

void schedule_take(struct schedule *schedule, struct call *call) {
    struct job **end = &schedule->jobs;
    while (*end) end = &(*end)->next;
    for (int i = 0; i < call->n; i++) {
        if (call->jobs[i].done) continue; /* failed before it came here, or is another one's double */
        *end = &call->jobs[i];
        end = &call->jobs[i].next;
    }
}

void schedule_turn(struct schedule *schedule) {
    if (schedule->reproducible)
        prepare(schedule);
    else
        settle(schedule);
    count(schedule);
    admit_all(schedule);
    struct lane *lane = busiest(schedule);
    if (lane && lane_make_room(lane, lane->promised))
        compute(schedule, lane);
    else if (lane)
        make_way(schedule, lane);
}
