/* flights.h - works on the problems of a run, several at once, each in a thread of its own that runs straight through its
 * search and waits in cord_propose and cord_score; the engine makes full batches of what they ask for. */
#ifndef CORD_FLIGHTS_H
#define CORD_FLIGHTS_H

#include "cmd/live.h"
#include "cmd/session.h"
#include "data/traces.h"
#include "store/ledger.h"

struct flights {
    const struct session *session;
    struct journal *journal;
    struct ledger *ledger; /* NULL: no model has a server */
    struct live *live;
    int most;                       /* problems to work on */
    const struct trace_set *traces; /* of a selection; else NULL */
};

/* How many problems to have in flight: run.in_flight, or as many as fill the models' batches and fit into memory. */
int flights_at_once(const struct session *session);

/* Works on the journal's open problems that are wanted, `at_once` at a time. A problem's own failure is journaled, and
 * the others go on; what concerns all (the disk, memory, being stopped) ends the run and is returned. */
cord_status flights_run(const struct flights *flights, int at_once, cord_error *err);

#endif
