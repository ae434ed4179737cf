/* schedule.h - what the one thread that computes has to do: the jobs under way, and the lanes of all local models.
 *
 *   room.c      in which lane a problem's texts are cached, and who makes way where it is full
 *   schedule.c  one turn: who is let in, which lane is next, which rows are in its batch
 *
 * There are no threads here: device.c calls all this from its own. */
#ifndef CORD_SCHEDULE_H
#define CORD_SCHEDULE_H

#include "model/local/local.h"

struct row {
    struct job *job;
    int index; /* of its token */
};

struct schedule {
    bool reproducible;
    uint64_t memory, bytes; /* that all lanes may take, and do */
    struct local_model *models;
    struct job *jobs;  /* under way, in order of arrival */
    struct job *ended; /* for device.c to tell those who wait for them */
    struct row rows[LANE_WIDTH];
    int n_rows;
    int64_t now;
    struct buf scratch;
};

/* ---- one turn ------------------------------------------------------------------------------------------------ */

/* Takes the jobs of a call. */
void schedule_take(struct schedule *schedule, struct call *call);
/* Computes one batch, where anything can be computed. */
void schedule_turn(struct schedule *schedule);
/* All jobs, and the calls that they belong to, end with an error. */
void schedule_fail_all(struct schedule *schedule, const cord_error *why);

/* ---- room ---------------------------------------------------------------------------------------------------- */

/* Gives a job the lane where its problem lives. A new problem goes where there is most company that leaves room for it. A job
 * that gets none waits until others have ended. */
cord_status room_find(struct schedule *schedule, struct job *job, cord_error *err);
/* Gives jobs of a reproducible call for the first one's model, in order and as many as it can hold (of most calls all), a lane
 * that is as if nothing had ever been in it, and large enough for all of them together, so that nothing has to be dropped. The
 * rest follows when they have ended. What all begin with is computed alone, in whole batches; such batches come out the same
 * whenever they are computed, so those that are there from the portion before may stay. */
cord_status room_prepare(struct schedule *schedule, struct job *first, cord_error *err);
/* A group gets a lane of its own, for texts of so many tokens, and is computed anew there; where it is alone in its lane, that
 * is closed for it. False where memory does not allow it. */
bool room_move(struct schedule *schedule, struct lane *lane, uint64_t group, long tokens);
/* The group of a job that is larger than its lane leaves it, to be found another (room_find). False where it is not. */
bool room_leave(struct schedule *schedule, const struct job *job);
/* What is being computed in a lane has become too much for it: the group that has most of it moves, or else the job that came
 * last waits until another has ended. False where neither can be. */
bool room_make_way(struct schedule *schedule, struct lane *lane);
/* CORD_TOO_LONG, in words. */
cord_status room_is_short(const struct lane *lane, cord_error *err);
/* A group is done. What other problems began with stays, as a system text does. A lane of a single problem is closed. */
void room_forget(struct schedule *schedule, uint64_t group);
/* Closes all lanes. */
void room_close(struct schedule *schedule);

#endif
