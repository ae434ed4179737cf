/* pilot.h - the first problems of a run with adaptive proposals. All teachers are asked in them; who wrote hardly anything that
 * was kept there is asked seldom in the others, which wait for them. So who is asked does not depend on which problem is
 * finished first. It must not know how many problems are in the air: who calls it keeps others out. */
#ifndef CORD_PILOT_H
#define CORD_PILOT_H

#include "cmd/live.h"
#include "cmd/session.h"
#include "store/journal.h"

struct pilot {
    const struct session *session;
    struct journal *journal;
    int last; /* the index of the last of these problems; INT_MAX: all are, or nothing is adaptive */
    bool settled;
    uint64_t seldom; /* teachers, as bits; none before it is settled */
};

cord_status pilot_begin(struct pilot *pilot, const struct session *session, struct journal *journal, cord_error *err);

/* Settles who is asked seldom, once all of these problems are finished, and tells people. The journal keeps it, with the keys and
 * teachers that it was settled by, since a failed problem may be tried again when others have begun; by others it is settled
 * anew. */
cord_status pilot_end(struct pilot *pilot, struct live *live, struct arena *arena, cord_error *err);

#endif
