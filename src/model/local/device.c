/* device.c - the one thread that computes. It owns all lanes of all local models, so that no two models ever compete for
 * the same cores, and decides in every turn which lane is next and which rows are in its batch:
 *
 *     take     calls that came, and groups that went
 *     settle   every job has a lane; losers of the round before are dropped
 *     admit    jobs whose prefix is ready, while there is room
 *     compute  the lane with most rows: texts being written first, then prompts
 *     deliver  logits to whom they belong
 *
 * With `reproducible`, one call at a time, each from a cache that is a function of its own texts alone.
 * It must not know what jobs do with their logits. */
#include "model/local/local.h"

#include <ggml-cpu.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Cells of a lane that problems share: more would slow every row down, fewer would keep batches narrow. And how many batches
 * a lane waits for fuller ones. */
enum { LANE_CELLS = 4096, PATIENCE = 32 };

struct row {
    struct job *job;
    int index; /* of its token */
};

struct device {
    cord_engine *engine;
    struct ggml_threadpool *pool;
    int n_threads;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what callers and the thread share: */
    pthread_cond_t work;
    struct call *calls; /* not yet taken, in order of arrival */
    uint64_t *forgotten;
    int n_forgotten, cap_forgotten;
    bool closing;
    /* the thread's own: */
    struct job *jobs; /* in order of arrival */
    struct local_model *models;
    struct row rows[LANE_WIDTH];
    int n_rows;
    int64_t now;
    uint64_t bytes, memory; /* of all lanes; and how many they may have */
    struct buf scratch;
};

int device_threads(const struct device *device) { return device->n_threads; }
uint64_t device_memory(const struct device *device) { return device->memory; }
struct ggml_threadpool *device_pool(const struct device *device) {
    return device->pool;
}

/* ---- lanes of a model ---------------------------------------------------------------------------------------- */

static bool lane_has(const struct lane *lane, uint64_t group) {
    for (int i = 0; i < lane->n_groups; i++)
        if (lane->groups[i] == group) return true;
    return false;
}

static bool lane_join(struct lane *lane, uint64_t group) {
    uint64_t *groups = realloc(lane->groups, (size_t)(lane->n_groups + 1) * sizeof *groups);
    if (!groups) return false;
    lane->groups = groups;
    groups[lane->n_groups++] = group;
    return true;
}

static void lane_leave(struct lane *lane, uint64_t group) {
    for (int i = 0; i < lane->n_groups; i++)
        if (lane->groups[i] == group) lane->groups[i--] = lane->groups[--lane->n_groups];
}

static void close_lane(struct device *device, struct lane *lane) {
    struct local_model *model = lane->model;
    struct lane **link = &model->lanes;
    while (*link != lane) link = &(*link)->next;
    *link = lane->next;
    device->bytes -= lane->bytes;
    model->lane_cells -= lane->cells;
    lane_close(lane);
}

/* A further lane, unless it would take more than there is. A model's first one may. `instead`: a lane that is to be closed
 * for it, or NULL. */
static cord_status open_lane(struct device *device, struct local_model *model, int cells, const struct lane *instead,
                             struct lane **out, cord_error *err) {
    int taken = model->lane_cells - (instead ? instead->cells : 0);
    uint64_t bytes = device->bytes - (instead ? instead->bytes : 0);
    bool first = !model->lanes;
    if (!first && (cells > model->cells - taken || bytes + weights_lane_bytes(model, cells) > device->memory))
        return error_set(err, CORD_NO_MEMORY,
                         "%s: a cache of %d more tokens would take more memory than run.memory allows (%.1f GiB)",
                         model->base.info.name, cells, (double)device->memory / 0x1p30);
    struct lane *lane;
    CORD_TRY(lane_open(model, cells, &lane, err));
    lane->next = model->lanes;
    model->lanes = lane;
    model->lane_cells += cells;
    device->bytes += lane->bytes;
    *out = lane;
    return CORD_OK;
}

/* Cells for a text of n tokens that is to grow: a power of two. */
static int cells_for(const struct local_model *model, long n) {
    long cells = LANE_CELLS;
    while (cells < n) cells *= 2;
    if (cells > model->cells) cells = model->cells;
    return (int)cells;
}

/* The lane where a job's problem lives. A new problem goes where there is most company that leaves room for it. */
static cord_status find_lane(struct device *device, struct job *job, cord_error *err) {
    struct local_model *model = job->model;
    struct lane *best = NULL, *emptiest = NULL;
    long need = job->n + job->n / 2 > model->group_cells ? job->n + job->n / 2 : model->group_cells;
    for (struct lane *lane = model->lanes; lane; lane = lane->next) {
        if (lane_has(lane, job->group)) return job->lane = lane, CORD_OK;
        long taken = lane->n_groups * (long)model->group_cells;
        bool fits = lane->cells <= LANE_CELLS && taken + need <= lane->cells;
        if (fits && (!best || lane->n_groups > best->n_groups)) best = lane;
        if (job->n <= lane->cells && (!emptiest || lane->n_groups < emptiest->n_groups)) emptiest = lane;
    }
    if (!best) {
        cord_error why = {0};
        if (open_lane(device, model, cells_for(model, need), NULL, &best, &why) != CORD_OK) best = emptiest;
        if (!best) return err ? (*err = why, why.code) : why.code; /* else problems wait for each other */
    }
    if (!lane_join(best, job->group)) return error_memory(err);
    job->lane = best;
    return CORD_OK;
}

/* ---- jobs ---------------------------------------------------------------------------------------------------- */

static int left_of(const struct job *job) { return job->n - job->have; }

/* Counts, for each lane, the jobs that are being computed and the rows that they still need. */
static void count(const struct device *device) {
    for (struct local_model *model = device->models; model; model = model->next)
        for (struct lane *lane = model->lanes; lane; lane = lane->next) lane->running = lane->promised = 0;
    for (const struct job *job = device->jobs; job; job = job->next) {
        if (!job->leaf) continue;
        job->lane->running++;
        job->lane->promised += left_of(job);
    }
}

/* Sends a job back to wait. What it has stays in the cache as long as nobody needs its place. */
static void send_back(struct job *job) {
    if (job->leaf) tree_give(&job->lane->tree, job->leaf, job->have);
    job->leaf = NULL;
}

static void finish(struct device *device, struct job *job) {
    struct job **link = &device->jobs;
    while (*link != job) link = &(*link)->next;
    *link = job->next;
    if (job->leaf) {
        tree_give(&job->lane->tree, job->leaf, job->measuring ? job->keep : job->have);
        job->lane->full = false; /* there is room again for those that wait */
    }
    job->leaf = NULL;
    pthread_mutex_lock(&device->mutex);
    if (--job->call->left == 0) pthread_cond_signal(&job->call->done);
    pthread_mutex_unlock(&device->mutex);
}

static void fail(struct device *device, struct job *job, const cord_error *why) {
    *job_error(job) = *why;
    finish(device, job);
}

/* All calls end with the same status. */
static void fail_all(struct device *device, const cord_error *why) {
    while (device->jobs) {
        struct job *job = device->jobs;
        job->call->status = why->code;
        job->call->error = *why;
        fail(device, job, why);
    }
}

/* ---- room ---------------------------------------------------------------------------------------------------- */

static void move_jobs(struct device *device, struct lane *from, struct lane *to, uint64_t group, bool all) {
    for (struct job *job = device->jobs; job; job = job->next) {
        if (job->lane != from || (!all && job->group != group)) continue;
        send_back(job);
        job->lane = to;
    }
}

/* A group gets a lane of its own, for texts of so many tokens, and is computed anew there; where it is alone in its lane, that
 * is closed for it. False where memory does not allow it. */
static bool move_group(struct device *device, struct lane *lane, uint64_t group, long tokens) {
    struct local_model *model = lane->model;
    if (device->engine->options.reproducible) return false;
    bool alone = lane->n_groups < 2;
    int cells = cells_for(model, tokens);
    if (alone && cells <= lane->cells) return false;
    cord_error why = {0};
    struct lane *fresh;
    if (open_lane(device, model, cells, alone ? lane : NULL, &fresh, &why) != CORD_OK) return false;
    if (!lane_join(fresh, group)) {
        close_lane(device, fresh);
        return false;
    }
    move_jobs(device, lane, fresh, group, alone);
    if (alone) {
        close_lane(device, lane);
        return true;
    }
    lane_leave(lane, group);
    tree_forget(&lane->tree, group, NULL, 0, true);
    lane->full = false;
    return true;
}

/* What is being computed in a lane has become too much for it: the group that has most of it moves. */
static bool relieve(struct device *device, struct lane *lane) {
    uint64_t largest = 0;
    int most = -1;
    for (int i = 0; i < lane->n_groups; i++) {
        int cells = tree_held(&lane->tree, &lane->groups[i]);
        if (cells > most) most = cells, largest = lane->groups[i];
    }
    return move_group(device, lane, largest, 2L * (lane->n_groups < 2 ? lane->cells : most));
}

/* The job that came last among those being computed waits until another has ended. */
static bool park(struct device *device, struct lane *lane) {
    struct job *last = NULL;
    int n = 0;
    for (struct job *job = device->jobs; job; job = job->next)
        if (job->lane == lane && job->leaf) last = job, n++;
    if (n < 2) return false;
    send_back(last);
    lane->full = true;
    return true;
}

static cord_status lane_is_full(const struct lane *lane, cord_error *err) {
    return error_set(err, CORD_TOO_LONG,
                     "%s: its cache of %d tokens is full; raise the model's `cells` or run.memory, or have fewer "
                     "problems in flight",
                     lane->model->base.info.name, lane->cells);
}

/* ---- settling ------------------------------------------------------------------------------------------------ */

/* What a problem has in a lane and its new jobs have no use for, goes: every row has to pass it by. Scores compute anew what
 * was written, so then all of that goes. */
static void drop_losers(struct device *device, struct lane *lane, uint64_t group, bool keep_decoded) {
    const struct tokens *keep[256];
    int n = 0;
    for (struct job *job = device->jobs; job && n < 256; job = job->next)
        if (job->lane == lane && job->group == group) keep[n++] = &job->tokens;
    if (n < 256) tree_forget(&lane->tree, group, keep, n, keep_decoded);
}

static void settle(struct device *device) {
    for (struct job *job = device->jobs, *next; job; job = next) {
        next = job->next;
        if (job->lane) continue;
        cord_error why = {0};
        if (find_lane(device, job, &why) != CORD_OK) fail(device, job, &why);
    }
    for (struct job *job = device->jobs; job; job = job->next) {
        if (job->settled) continue;
        for (struct job *other = job; other; other = other->next)
            if (other->lane == job->lane && other->group == job->group) other->settled = true;
        drop_losers(device, job->lane, job->group, job->writing != NULL);
    }
}

/* ---- admitting ----------------------------------------------------------------------------------------------- */

/* Is somebody computing more of what this job begins with than is there now? */
static bool prefix_is_coming(const struct device *device, const struct job *job, int cached) {
    for (const struct job *other = device->jobs; other; other = other->next) {
        if (other == job || other->lane != job->lane || !other->leaf || other->have >= job->read) continue;
        int common = tokens_common(other->tokens.id, other->n, job->tokens.id, job->read);
        if (common > other->have && common > cached) return true;
    }
    return false;
}

static struct node *fork_for(struct job *job) {
    struct tree *tree = &job->lane->tree;
    struct node *leaf;
    do leaf = tree_fork(tree, job->tokens.id, job->read, job->measuring != NULL, job->group);
    while (!leaf && tree_evict(tree));
    return leaf;
}

enum admission { ADMITTED, WAITS, NO_ROOM };

static enum admission admit(const struct device *device, struct job *job) {
    struct lane *lane = job->lane;
    bool others = lane->running > 0;
    /* enough for this turn and the next; to let in more would only hold cells */
    if (others && (lane->full || lane->promised >= 2 * LANE_WIDTH)) return WAITS;
    int cached = tree_match(&lane->tree, job->tokens.id, job->read, job->measuring != NULL);
    if (prefix_is_coming(device, job, cached)) return WAITS;
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

static void admit_all(struct device *device) {
    for (struct job *job = device->jobs, *next; job; job = next) {
        next = job->next;
        if (job->leaf || admit(device, job) != NO_ROOM) continue;
        /* nobody else computes in its lane, which is too small for it alone */
        if (move_group(device, job->lane, job->group, job->n + job->n / 2)) return; /* in the next turn */
        cord_error why = {0};
        lane_is_full(job->lane, &why);
        fail(device, job, &why);
    }
}

/* ---- a batch ------------------------------------------------------------------------------------------------- */

/* The lane with most rows that are ready; of several, and of those that were left out too often, the one that was served
 * longest ago. */
static struct lane *busiest(const struct device *device) {
    struct lane *best = NULL;
    int most = 0;
    for (const struct local_model *model = device->models; model; model = model->next) {
        for (struct lane *lane = model->lanes; lane; lane = lane->next) {
            int rows = lane->promised < LANE_WIDTH ? lane->promised : LANE_WIDTH;
            if (rows && device->now - lane->served >= PATIENCE) rows = LANE_WIDTH + 1;
            if (rows > most || (rows && rows == most && lane->served < best->served)) most = rows, best = lane;
        }
    }
    return best;
}

static int outputs_of(const struct job *job, int from, int to) {
    return to <= job->read ? 0 : to - (from > job->read ? from : job->read);
}

/* Adds rows of a job, as many as fit. False without memory. */
static bool add_rows(struct device *device, struct job *job, int *outputs) {
    struct lane *lane = job->lane;
    int room = LANE_WIDTH - device->n_rows, to = job->n - job->have < room ? job->n : job->have + room;
    /* where not every place can be forked from later, one that is worth it must be a tip now */
    if (tree_must_keep(&lane->tree) && job->have < job->tip && to > job->tip) to = job->tip;
    while (to > job->have && *outputs + outputs_of(job, job->have, to) > LANE_OUTPUTS) to--;
    *outputs += outputs_of(job, job->have, to);
    while (job->have < to) {
        int i = job->have;
        struct node *leaf = tree_extend(&lane->tree, job->leaf, job->tokens.id[i], i >= job->prefill);
        if (!leaf) return false;
        job->leaf = leaf;
        lane_row(lane, leaf, job->tokens.id[i], i, i >= job->read);
        device->rows[device->n_rows++] = (struct row){job, i};
        job->have++;
    }
    return true;
}

/* Texts being written first, then prompts. */
static cord_status fill(struct device *device, struct lane *lane, cord_error *err) {
    int outputs = 0;
    device->n_rows = 0;
    lane_begin(lane);
    for (int prompts = 0; prompts < 2; prompts++)
        for (struct job *job = device->jobs; job; job = job->next)
            if (job->lane == lane && job->leaf && left_of(job) > 0 && prompts == (job->have < job->prefill) &&
                !add_rows(device, job, &outputs))
                return error_memory(err);
    return CORD_OK;
}

/* The batch could not be computed, and the lane's cache is gone: its jobs begin again, once. */
static void start_over(struct device *device, struct lane *lane, const cord_error *why) {
    tree_clear(&lane->tree);
    if (why->code == CORD_CANCELLED) {
        for (struct job *job = device->jobs; job; job = job->next)
            if (job->lane == lane) job->leaf = NULL;
        fail_all(device, why);
        return;
    }
    lane->failures++;
    for (struct job *job = device->jobs, *next; job; job = next) {
        next = job->next;
        if (job->lane != lane || !job->leaf) continue;
        job->leaf = NULL;
        if (lane->failures > 1) fail(device, job, why);
    }
}

static bool take(struct device *device, const struct row *row, float *logits) {
    if (row->job->writing) return writing_take(row->job, logits, &device->scratch);
    return measuring_take(row->job, row->index, logits);
}

static void deliver(struct device *device, struct lane *lane) {
    for (int i = 0; i < device->n_rows; i++) {
        const struct row *row = &device->rows[i];
        if (row->index >= row->job->read && !row->job->done) row->job->done = take(device, row, lane_logits(lane, i));
    }
    for (struct job *job = device->jobs, *next; job; job = next) {
        next = job->next;
        if (job->done) {
            finish(device, job);
        } else if (tree_must_keep(&lane->tree) && job->lane == lane && job->leaf && job->have == job->tip) {
            struct node *leaf = tree_keep(&lane->tree, job->leaf);
            if (leaf) job->leaf = leaf;
        }
    }
}

/* Who used the time, by rows. */
static void account(const struct device *device, struct local_model *model, int64_t us) {
    int64_t written = 0, prefilled = 0, scored = 0;
    for (int i = 0; i < device->n_rows; i++) {
        const struct row *row = &device->rows[i];
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
static void make_way(struct device *device, struct lane *lane) {
    if (relieve(device, lane) || park(device, lane)) return;
    struct job *job = device->jobs;
    while (job->lane != lane || !job->leaf) job = job->next;
    cord_error why = {0};
    lane_is_full(lane, &why);
    fail(device, job, &why);
}

static void compute(struct device *device, struct lane *lane) {
    cord_error why = {0};
    int64_t start = clock_us();
    lane->served = ++device->now;
    if (fill(device, lane, &why) != CORD_OK || lane_compute(lane, &why) != CORD_OK) {
        start_over(device, lane, &why);
        return;
    }
    lane->failures = 0;
    int64_t computed = clock_us();
    account(device, lane->model, computed - start);
    deliver(device, lane);
    atomic_fetch_add(&lane->model->base.usage.sample_us, clock_us() - computed);
}

/* ---- reproducible calls -------------------------------------------------------------------------------------- */

/* Tokens that all of a call's jobs for one model begin with. */
static int trunk_of(const struct job *first) {
    int trunk = first->read;
    for (const struct job *job = first->next; job; job = job->next) {
        if (job->model != first->model) continue;
        int common = tokens_common(first->tokens.id, trunk, job->tokens.id, job->read);
        if (common < trunk) trunk = common;
    }
    return trunk;
}

/* Makes a lane's cache what it would be if nothing had ever been in it, and large enough for all jobs of the call together,
 * so that nothing has to be dropped. What all begin with is computed alone, in whole batches; such batches come out the
 * same whenever they are computed, so those that are there from the call before may stay. */
static cord_status prepare(struct device *device, struct job *first, cord_error *err) {
    struct local_model *model = first->model;
    int trunk = trunk_of(first), n_jobs = 0;
    long cells = trunk;
    for (const struct job *job = first; job; job = job->next) {
        if (job->model != model) continue;
        cells += job->n - trunk + job->more;
        n_jobs++;
    }
    if (n_jobs + 2 > model->sequences)
        return error_set(err, CORD_TOO_LONG, "%s: %d requests at once need more than %d `sequences`",
                         model->base.info.name, n_jobs, model->sequences);
    struct lane *lane = model->lanes;
    int room = cells_for(model, cells);
    if (lane && lane->cells < room) {
        close_lane(device, lane);
        lane = NULL;
    }
    if (!lane) CORD_TRY(open_lane(device, model, room, NULL, &lane, err));
    lane->room = room; /* those that would have to wait in a lane of that size wait here, too */
    if (room < cells) return lane_is_full(lane, err);
    int keep = tree_match(&lane->tree, first->tokens.id, trunk < lane->solid ? trunk : lane->solid, true);
    tree_retain(&lane->tree, first->tokens.id, keep - keep % LANE_WIDTH);
    lane->solid = trunk - trunk % LANE_WIDTH;
    for (struct job *job = first; job; job = job->next)
        if (job->model == model) job->lane = lane, job->settled = true;
    return CORD_OK;
}

static void prepare_all(struct device *device) {
    for (struct job *job = device->jobs; job; job = job->next) {
        cord_error why = {0};
        if (job->lane || prepare(device, job, &why) == CORD_OK) continue;
        fail_all(device, &why);
        return;
    }
}

/* ---- groups that went ---------------------------------------------------------------------------------------- */

/* What other problems began with stays, as a system text does. A lane of a single problem is closed. */
static void forget(struct device *device, struct local_model *model, uint64_t group) {
    for (struct lane *lane = model->lanes, *next; lane; lane = next) {
        next = lane->next;
        if (!lane_has(lane, group)) continue;
        int cells = tree_forget(&lane->tree, group, NULL, 0, true);
        model->group_cells += (cells - model->group_cells) / 4;
        lane_leave(lane, group);
        if (lane->n_groups == 0 && (lane->cells > LANE_CELLS || next || lane != model->lanes)) close_lane(device, lane);
    }
}

/* ---- the thread ---------------------------------------------------------------------------------------------- */

static void take_call(struct device *device) {
    struct call *call = device->calls;
    device->calls = call->next;
    struct job **end = &device->jobs;
    while (*end) end = &(*end)->next;
    for (int i = 0; i < call->n; i++) {
        if (call->jobs[i].done) continue; /* failed before it came here, or is another one's double */
        *end = &call->jobs[i];
        end = &call->jobs[i].next;
    }
}

/* Waits for work, and takes what came. False when it is time to go. */
static bool take_work(struct device *device) {
    bool one = device->engine->options.reproducible;
    pthread_mutex_lock(&device->mutex);
    while (!device->calls && !device->jobs && !device->n_forgotten && !device->closing)
        pthread_cond_wait(&device->work, &device->mutex);
    while (device->calls && !(one && device->jobs)) take_call(device);
    while (device->n_forgotten && !one) {
        uint64_t group = device->forgotten[--device->n_forgotten];
        for (struct local_model *model = device->models; model; model = model->next) forget(device, model, group);
    }
    device->n_forgotten = 0;
    bool go_on = !device->closing;
    pthread_mutex_unlock(&device->mutex);
    return go_on;
}

static void *device_main(void *arg) {
    struct device *device = arg;
    while (take_work(device)) {
        if (atomic_load(&device->engine->stop)) {
            cord_error why = {.code = CORD_CANCELLED, .message = "stopped"};
            fail_all(device, &why);
            continue;
        }
        if (device->engine->options.reproducible)
            prepare_all(device);
        else
            settle(device);
        count(device);
        admit_all(device);
        struct lane *lane = busiest(device);
        if (lane && lane_make_room(lane, lane->promised))
            compute(device, lane);
        else if (lane)
            make_way(device, lane);
    }
    return NULL;
}

/* ---- what callers see ---------------------------------------------------------------------------------------- */

/* How many cores this process may use. */
static int cores(void) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    return all > 0 ? (int)all : 1;
}

/* Bytes of memory that are free, or could be at once; 0 where the system does not tell. */
static uint64_t free_memory(void) {
    unsigned long long kilobytes = 0;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %llu", &kilobytes) == 1) break;
    if (file) fclose(file);
    return kilobytes * 1024;
}

cord_status device_open(cord_engine *engine, cord_error *err) {
    struct device *device = calloc(1, sizeof *device);
    if (!device) return error_memory(err);
    device->engine = engine;
    device->memory = engine->options.memory ? engine->options.memory : free_memory() / 2;
    buf_init(&device->scratch, "the candidates for a token", 64 << 20);
    pthread_mutex_init(&device->mutex, NULL);
    pthread_cond_init(&device->work, NULL);
    /* threads wait for each other by spinning, so that more of them than cores would hardly get on */
    int asked = engine->options.threads, most = cores();
    device->n_threads = asked > 0 && asked < most ? asked : most;
    struct ggml_threadpool_params params = ggml_threadpool_params_default(device->n_threads);
    device->pool = ggml_threadpool_new(&params);
    engine->local = device;
    if (device->pool && pthread_create(&device->thread, NULL, device_main, device) == 0) return CORD_OK;
    int threads = device->n_threads;
    device->closing = true;
    device_close(engine);
    return error_set(err, CORD_NO_MEMORY, "cannot start %d threads to compute with", threads);
}

void device_close(cord_engine *engine) {
    struct device *device = engine->local;
    if (!device) return;
    pthread_mutex_lock(&device->mutex);
    bool runs = !device->closing;
    device->closing = true;
    pthread_cond_signal(&device->work);
    pthread_mutex_unlock(&device->mutex);
    if (runs) pthread_join(device->thread, NULL);
    for (struct local_model *model = device->models; model; model = model->next)
        for (struct lane *lane = model->lanes, *next; lane; lane = next) {
            next = lane->next;
            close_lane(device, lane);
        }
    if (device->pool) ggml_threadpool_free(device->pool);
    buf_release(&device->scratch);
    pthread_cond_destroy(&device->work);
    pthread_mutex_destroy(&device->mutex);
    free(device->forgotten);
    free(device);
    engine->local = NULL;
}

void device_add(struct device *device, struct local_model *model) {
    pthread_mutex_lock(&device->mutex);
    model->next = device->models;
    device->models = model;
    pthread_mutex_unlock(&device->mutex);
}

cord_status device_run(struct device *device, struct call *call, cord_error *err) {
    if (atomic_load(&device->engine->stop)) return error_set(err, CORD_CANCELLED, "stopped");
    if (call->left == 0) return CORD_OK;
    pthread_mutex_lock(&device->mutex);
    struct call **end = &device->calls;
    while (*end) end = &(*end)->next;
    *end = call;
    pthread_cond_signal(&device->work);
    while (call->left > 0) pthread_cond_wait(&call->done, &device->mutex);
    pthread_mutex_unlock(&device->mutex);
    if (call->status != CORD_OK && err) *err = call->error;
    return call->status;
}

void device_forget(struct device *device, uint64_t group) {
    pthread_mutex_lock(&device->mutex);
    if (device->n_forgotten == device->cap_forgotten) {
        int cap = 2 * device->cap_forgotten + 16;
        uint64_t *forgotten = realloc(device->forgotten, (size_t)cap * sizeof *forgotten);
        if (forgotten) device->forgotten = forgotten, device->cap_forgotten = cap;
    }
    /* where there is no memory to remember it, its cells go when their place is needed */
    if (device->n_forgotten < device->cap_forgotten) device->forgotten[device->n_forgotten++] = group;
    pthread_cond_signal(&device->work);
    pthread_mutex_unlock(&device->mutex);
}
