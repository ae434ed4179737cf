/* room.c - where problems' texts are cached: each problem in one lane of a model, several together in lanes of moderate size;
 * lanes that are opened, closed and changed for larger ones within the memory there is; and who makes way where one is full.
 *
 * With `reproducible`, one lane a model, which is before every call a function of that call's texts alone.
 * It must not know which rows are computed next. */
#include "model/local/schedule.h"

#include <stdlib.h>

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

static void close_lane(struct schedule *schedule, struct lane *lane) {
    struct local_model *model = lane->model;
    struct lane **link = &model->lanes;
    while (*link != lane) link = &(*link)->next;
    *link = lane->next;
    schedule->bytes -= lane->bytes;
    model->lane_cells -= lane->cells;
    lane_close(lane);
}

/* Cells for a text of n tokens that is to grow: a power of two. */
static int cells_for(const struct local_model *model, long n) {
    long cells = model->usual_lane;
    while (cells < n || cells < model->least_lane) cells *= 2;
    return cells > model->most_lane ? model->most_lane : (int)cells;
}

/* ---- memory -------------------------------------------------------------------------------------------------- */

/* Whether a lane may be closed for another: nobody lives there; or, where `job` needs it, nobody works there, nor waits there
 * who came before. Who lived there computes his texts again when he comes back. */
static bool may_go(const struct schedule *schedule, const struct lane *lane, const struct job *job) {
    bool before = true;
    if (!job && lane->n_groups) return false;
    for (const struct job *other = schedule->jobs; other; other = other->next) {
        if (other == job) before = false;
        if (other != job && other->lane == lane && (before || other->leaf)) return false;
    }
    return true;
}

/* What is lacking for a lane of a model, or free. */
struct place {
    long cells;
    int64_t bytes;
};

/* The lane that should go first, and what all of those that may go have: empty ones before others, then who was served longest
 * ago; where cells are lacking, the model's own. */
static struct lane *first_to_go(const struct schedule *schedule, const struct local_model *model, const struct job *job,
                                const struct lane *instead, bool own, struct place *all) {
    struct lane *first = NULL;
    for (const struct local_model *m = schedule->models; m; m = m->next) {
        for (struct lane *lane = m->lanes; lane; lane = lane->next) {
            if (lane == instead || !may_go(schedule, lane, job)) continue;
            if (m == model) all->cells += lane->cells;
            all->bytes += (int64_t)lane->bytes;
            if (own && m != model) continue;
            bool empty = !lane->n_groups,
                 sooner = first && (empty != !first->n_groups ? empty : lane->served < first->served);
            if (!first || sooner) first = lane;
        }
    }
    return first;
}

/* A lane is closed while others wait in it: they are found another. */
static void give_up(struct schedule *schedule, struct lane *lane) {
    for (struct job *job = schedule->jobs; job; job = job->next)
        if (job->lane == lane) job->lane = NULL, job->settled = false;
    close_lane(schedule, lane);
}

/* Makes place for a lane of so many cells, `instead` of another, by closing those that may go. False, and nothing is closed,
 * where that would not do, unless there `must` be one. A model's first lane must, where it is of the usual size. */
static bool make_place(struct schedule *schedule, struct local_model *model, int cells, const struct lane *instead,
                       const struct job *job, bool must) {
    struct place lacks = {.cells = (long)model->lane_cells + cells - model->cells - (instead ? instead->cells : 0)};
    lacks.bytes = (int64_t)(schedule->bytes + weights_lane_bytes(model, cells) - (instead ? instead->bytes : 0)) -
                  (int64_t)schedule->memory;
    must |= !model->lanes && cells <= cells_for(model, 0);
    while (lacks.cells > 0 || lacks.bytes > 0) {
        struct place all = {0};
        struct lane *lane = first_to_go(schedule, model, job, instead, lacks.cells > 0, &all);
        if (!must && (lacks.cells > all.cells || lacks.bytes > all.bytes)) return false;
        if (!lane) return true;
        if (lane->model == model) lacks.cells -= lane->cells;
        lacks.bytes -= (int64_t)lane->bytes;
        give_up(schedule, lane);
    }
    return true;
}

static cord_status open_lane(struct schedule *schedule, struct local_model *model, int cells, struct lane **out,
                             cord_error *err) {
    struct lane *lane;
    CORD_TRY(lane_open(model, cells, &lane, err));
    lane->next = model->lanes;
    model->lanes = lane;
    model->lane_cells += cells;
    schedule->bytes += lane->bytes;
    *out = lane;
    return CORD_OK;
}

/* Whether somebody works, or has his turn before a job: what he has is free when he has ended. */
static bool others_work(const struct schedule *schedule, const struct job *job) {
    bool before = true;
    for (const struct job *other = schedule->jobs; other; other = other->next) {
        if (other == job) before = false;
        if (other != job && (other->leaf || (before && other->lane))) return true;
    }
    return false;
}

/* A lane for a text that none of its model's lanes can hold. There is none (*out stays NULL) while others work in what it
 * needs; else it gets one, and were it larger than memory allows: a text that alone has room must not fail in company. Where
 * the machine itself has no memory for more than the usual lane, it is the text that is too long. */
static cord_status open_for(struct schedule *schedule, const struct job *job, long need, struct lane **out,
                            cord_error *err) {
    struct local_model *model = job->model;
    int cells = cells_for(model, need);
    if (make_place(schedule, model, cells, NULL, job, false)) {
        cord_status status = open_lane(schedule, model, cells, out, err);
        if (status != CORD_NO_MEMORY) return status;
    }
    cells = cells_for(model, job->n);
    if (!make_place(schedule, model, cells, NULL, job, !others_work(schedule, job))) return CORD_OK;
    cord_error why = {0};
    cord_status status = open_lane(schedule, model, cells, out, &why);
    if (status == CORD_NO_MEMORY && others_work(schedule, job)) return CORD_OK;
    if (status == CORD_NO_MEMORY && cells > cells_for(model, 0)) status = why.code = CORD_TOO_LONG;
    if (status != CORD_OK && err) *err = why;
    return status;
}

/* ---- finding ------------------------------------------------------------------------------------------------- */

/* The lane with most company that leaves room for a new problem; or, where they may be crowded, that with least. */
static struct lane *lane_with_room(const struct local_model *model, long need, bool crowded) {
    struct lane *best = NULL;
    for (struct lane *lane = model->lanes; lane; lane = lane->next) {
        long taken = crowded ? 0 : lane->n_groups * (long)model->group_cells;
        if (taken + need > lane->cells || (!crowded && lane->cells > cells_for(model, 0))) continue;
        if (!best || (crowded ? lane->n_groups < best->n_groups : lane->n_groups > best->n_groups)) best = lane;
    }
    return best;
}

cord_status room_find(struct schedule *schedule, struct job *job, cord_error *err) {
    struct local_model *model = job->model;
    long need = job->n + job->n / 2 > model->group_cells ? job->n + job->n / 2 : model->group_cells;
    for (struct lane *lane = model->lanes; lane; lane = lane->next)
        if (lane_has(lane, job->group)) return job->lane = lane, CORD_OK;
    struct lane *best = lane_with_room(model, need, false);
    if (!best && make_place(schedule, model, cells_for(model, need), NULL, NULL, false))
        open_lane(schedule, model, cells_for(model, need), &best, NULL); /* or they crowd */
    if (!best) best = lane_with_room(model, job->n, true);
    if (!best) CORD_TRY(open_for(schedule, job, need, &best, err));
    if (!best) return CORD_OK; /* it waits */
    if (!lane_join(best, job->group)) return error_memory(err);
    job->lane = best;
    return CORD_OK;
}

/* ---- room ---------------------------------------------------------------------------------------------------- */

/* Sends a job back to wait. What it has stays in the cache as long as nobody needs its place. */
static void send_back(struct job *job) {
    if (job->leaf) tree_give(&job->lane->tree, job->leaf, job->have);
    job->leaf = NULL;
}

static void move_jobs(struct schedule *schedule, struct lane *from, struct lane *to, uint64_t group, bool all) {
    for (struct job *job = schedule->jobs; job; job = job->next) {
        if (job->lane != from || (!all && job->group != group)) continue;
        send_back(job);
        job->lane = to;
        if (!to) job->settled = false;
    }
}

static void leave(struct lane *lane, uint64_t group) {
    lane_leave(lane, group);
    tree_forget(&lane->tree, group, NULL, 0, WRITTEN_IF_WANTED);
    lane->full = false;
}

bool room_move(struct schedule *schedule, struct lane *lane, uint64_t group, long tokens) {
    struct local_model *model = lane->model;
    if (schedule->reproducible) return false;
    bool alone = lane->n_groups < 2;
    int cells = cells_for(model, tokens);
    if (alone && cells <= lane->cells) return false;
    cord_error why = {0};
    struct lane *fresh;
    if (!make_place(schedule, model, cells, alone ? lane : NULL, NULL, false)) return false;
    if (open_lane(schedule, model, cells, &fresh, &why) != CORD_OK) return false;
    if (!lane_join(fresh, group)) {
        close_lane(schedule, fresh);
        return false;
    }
    move_jobs(schedule, lane, fresh, group, alone);
    if (alone) {
        close_lane(schedule, lane);
        return true;
    }
    leave(lane, group);
    return true;
}

bool room_leave(struct schedule *schedule, const struct job *job) {
    struct lane *lane = job->lane;
    if (schedule->reproducible || job->n <= lane->cells) return false;
    move_jobs(schedule, lane, NULL, job->group, false);
    leave(lane, job->group);
    return true;
}

/* The group that has most of a lane moves. */
static bool relieve(struct schedule *schedule, struct lane *lane) {
    uint64_t largest = 0;
    int most = -1;
    for (int i = 0; i < lane->n_groups; i++) {
        int cells = tree_held(&lane->tree, &lane->groups[i]);
        if (cells > most) most = cells, largest = lane->groups[i];
    }
    return room_move(schedule, lane, largest, 2L * (lane->n_groups < 2 ? lane->cells : most));
}

/* The job that came last among those being computed waits until another has ended. */
static bool park(struct schedule *schedule, struct lane *lane) {
    struct job *last = NULL;
    int n = 0;
    for (struct job *job = schedule->jobs; job; job = job->next)
        if (job->lane == lane && job->leaf) last = job, n++;
    if (n < 2) return false;
    send_back(last);
    lane->full = true;
    return true;
}

bool room_make_way(struct schedule *schedule, struct lane *lane) {
    return relieve(schedule, lane) || park(schedule, lane);
}

cord_status room_is_short(const struct lane *lane, cord_error *err) {
    return error_set(err, CORD_TOO_LONG,
                     "%s: its cache of %d tokens is full; raise the model's `cells` or the engine's memory "
                     "(run.memory), or have fewer problems in flight",
                     lane->model->base.info.name, lane->cells);
}

/* ---- reproducible calls -------------------------------------------------------------------------------------- */

/* Jobs of a call that are computed together: how many, what all begin with, and the cells that they need. */
struct portion {
    int n, trunk;
    long cells;
};

static bool portion_fits(const struct schedule *schedule, const struct local_model *model, const struct portion *p) {
    int room = cells_for(model, p->cells);
    if (p->n + 2 > model->sequences || p->cells > model->most_lane) return false;
    return room <= cells_for(model, 0) || weights_lane_bytes(model, room) <= schedule->memory;
}

/* As many of the jobs for one model as a lane can hold at once, in their order; one at least. It is a function of the texts and
 * of the settings: whatever else is cached would make a call's results depend on what came before. */
static struct portion portion_of(const struct schedule *schedule, const struct job *first) {
    struct portion portion = {.trunk = first->read};
    long tokens = 0;
    for (const struct job *job = first; job; job = job->next) {
        if (job->model != first->model) continue;
        struct portion more = {portion.n + 1, portion.trunk, 0};
        more.trunk = tokens_common(first->tokens.id, portion.trunk, job->tokens.id, job->read);
        tokens += job->n + job->more;
        more.cells = tokens - portion.n * (long)more.trunk;
        if (portion.n && !portion_fits(schedule, first->model, &more)) break;
        portion = more;
    }
    return portion;
}

/* A lane that is as if nothing had ever been in it, but for whole batches that the jobs begin with. */
static void make_pure(struct lane *lane, const struct job *first, const struct portion *portion) {
    int trunk = portion->trunk, solid = trunk < lane->solid ? trunk : lane->solid;
    int keep = tree_match(&lane->tree, first->tokens.id, solid, true);
    tree_retain(&lane->tree, first->tokens.id, keep - keep % LANE_WIDTH);
    lane->solid = trunk - trunk % LANE_WIDTH;
}

cord_status room_prepare(struct schedule *schedule, struct job *first, cord_error *err) {
    struct local_model *model = first->model;
    bool others = false;
    for (const struct job *job = schedule->jobs; job; job = job->next) {
        if (job->lane && job->model == model) return CORD_OK; /* the portion before is not done */
        others |= job->lane != NULL;
    }
    const struct portion portion = portion_of(schedule, first);
    struct lane *lane = model->lanes;
    int room = cells_for(model, portion.cells), n = portion.n;
    if (lane && lane->cells < room) {
        close_lane(schedule, lane);
        lane = NULL;
    }
    if (!lane) {
        if (!make_place(schedule, model, room, NULL, NULL, !others)) return CORD_OK; /* until they have ended */
        CORD_TRY(open_lane(schedule, model, room, &lane, err));
    }
    lane->room = room; /* those that would have to wait in a lane of that size wait here, too */
    make_pure(lane, first, &portion);
    for (struct job *job = first; n > 0; job = job->next)
        if (job->model == model) job->lane = lane, job->settled = true, n--;
    return CORD_OK;
}

/* ---- groups that went ---------------------------------------------------------------------------------------- */

static void forget(struct schedule *schedule, struct local_model *model, uint64_t group) {
    for (struct lane *lane = model->lanes, *next; lane; lane = next) {
        next = lane->next;
        if (!lane_has(lane, group)) continue;
        int cells = tree_forget(&lane->tree, group, NULL, 0, WRITTEN_IF_WANTED);
        model->group_cells += (cells - model->group_cells) / 4;
        lane_leave(lane, group);
        if (lane->n_groups == 0 && (lane->cells > cells_for(model, 0) || next || lane != model->lanes))
            close_lane(schedule, lane);
    }
}

void room_forget(struct schedule *schedule, uint64_t group) {
    for (struct local_model *model = schedule->models; model; model = model->next) forget(schedule, model, group);
}

void room_close(struct schedule *schedule) {
    for (struct local_model *model = schedule->models; model; model = model->next)
        while (model->lanes) close_lane(schedule, model->lanes);
}
