/* room.c - where problems' texts are cached: each problem in one lane of a model, several together in lanes of moderate size;
 * lanes that are opened, closed and changed for larger ones within the memory there is; and who makes way where one is full.
 *
 * With `reproducible`, one lane a model, which is before every call a function of that call's texts alone.
 * It must not know which rows are computed next. */
#include "model/local/schedule.h"

#include <stdlib.h>

/* Cells of a lane that problems share: more would slow every row down, fewer would keep batches narrow. */
enum { LANE_CELLS = 4096 };

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

/* A further lane, unless it would take more than there is. A model's first one may. `instead`: a lane that is to be closed
 * for it, or NULL. */
static cord_status open_lane(struct schedule *schedule, struct local_model *model, int cells,
                             const struct lane *instead, struct lane **out, cord_error *err) {
    int taken = model->lane_cells - (instead ? instead->cells : 0);
    uint64_t bytes = schedule->bytes - (instead ? instead->bytes : 0);
    bool first = !model->lanes;
    if (!first && (cells > model->cells - taken || bytes + weights_lane_bytes(model, cells) > schedule->memory))
        return error_set(err, CORD_NO_MEMORY,
                         "%s: a cache of %d more tokens would take more memory than run.memory allows (%.1f GiB)",
                         model->base.info.name, cells, (double)schedule->memory / 0x1p30);
    struct lane *lane;
    CORD_TRY(lane_open(model, cells, &lane, err));
    lane->next = model->lanes;
    model->lanes = lane;
    model->lane_cells += cells;
    schedule->bytes += lane->bytes;
    *out = lane;
    return CORD_OK;
}

/* Cells for a text of n tokens that is to grow: a power of two. */
static int cells_for(const struct local_model *model, long n) {
    long cells = LANE_CELLS;
    while (cells < n || cells < model->least_lane) cells *= 2;
    return cells > model->most_lane ? model->most_lane : (int)cells;
}

cord_status room_find(struct schedule *schedule, struct job *job, cord_error *err) {
    struct local_model *model = job->model;
    struct lane *best = NULL, *emptiest = NULL;
    long need = job->n + job->n / 2 > model->group_cells ? job->n + job->n / 2 : model->group_cells;
    for (struct lane *lane = model->lanes; lane; lane = lane->next) {
        if (lane_has(lane, job->group)) return job->lane = lane, CORD_OK;
        long taken = lane->n_groups * (long)model->group_cells;
        bool fits = lane->cells <= cells_for(model, 0) && taken + need <= lane->cells;
        if (fits && (!best || lane->n_groups > best->n_groups)) best = lane;
        if (job->n <= lane->cells && (!emptiest || lane->n_groups < emptiest->n_groups)) emptiest = lane;
    }
    if (!best) {
        cord_error why = {0};
        if (open_lane(schedule, model, cells_for(model, need), NULL, &best, &why) != CORD_OK) best = emptiest;
        if (!best) return err ? (*err = why, why.code) : why.code; /* else problems wait for each other */
    }
    if (!lane_join(best, job->group)) return error_memory(err);
    job->lane = best;
    return CORD_OK;
}

/* ---- room ---------------------------------------------------------------------------------------------------- */

void room_send_back(struct job *job) {
    if (job->leaf) tree_give(&job->lane->tree, job->leaf, job->have);
    job->leaf = NULL;
}

static void move_jobs(struct schedule *schedule, struct lane *from, struct lane *to, uint64_t group, bool all) {
    for (struct job *job = schedule->jobs; job; job = job->next) {
        if (job->lane != from || (!all && job->group != group)) continue;
        room_send_back(job);
        job->lane = to;
    }
}

bool room_move(struct schedule *schedule, struct lane *lane, uint64_t group, long tokens) {
    struct local_model *model = lane->model;
    if (schedule->reproducible) return false;
    bool alone = lane->n_groups < 2;
    int cells = cells_for(model, tokens);
    if (alone && cells <= lane->cells) return false;
    cord_error why = {0};
    struct lane *fresh;
    if (open_lane(schedule, model, cells, alone ? lane : NULL, &fresh, &why) != CORD_OK) return false;
    if (!lane_join(fresh, group)) {
        close_lane(schedule, fresh);
        return false;
    }
    move_jobs(schedule, lane, fresh, group, alone);
    if (alone) {
        close_lane(schedule, lane);
        return true;
    }
    lane_leave(lane, group);
    tree_forget(&lane->tree, group, NULL, 0, WRITTEN_IF_WANTED);
    lane->full = false;
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
    room_send_back(last);
    lane->full = true;
    return true;
}

bool room_make_way(struct schedule *schedule, struct lane *lane) {
    return relieve(schedule, lane) || park(schedule, lane);
}

cord_status room_is_short(const struct lane *lane, cord_error *err) {
    return error_set(err, CORD_TOO_LONG,
                     "%s: its cache of %d tokens is full; raise the model's `cells` or run.memory, or have fewer "
                     "problems in flight",
                     lane->model->base.info.name, lane->cells);
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

cord_status room_prepare(struct schedule *schedule, struct job *first, cord_error *err) {
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
        close_lane(schedule, lane);
        lane = NULL;
    }
    if (!lane) CORD_TRY(open_lane(schedule, model, room, NULL, &lane, err));
    lane->room = room; /* those that would have to wait in a lane of that size wait here, too */
    if (room < cells) return room_is_short(lane, err);
    int keep = tree_match(&lane->tree, first->tokens.id, trunk < lane->solid ? trunk : lane->solid, true);
    tree_retain(&lane->tree, first->tokens.id, keep - keep % LANE_WIDTH);
    lane->solid = trunk - trunk % LANE_WIDTH;
    for (struct job *job = first; job; job = job->next)
        if (job->model == model) job->lane = lane, job->settled = true;
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
