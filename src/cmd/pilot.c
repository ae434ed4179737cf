/* pilot.c - see pilot.h. */
#include "cmd/pilot.h"

#include <inttypes.h>
#include <limits.h>

cord_status pilot_begin(struct pilot *pilot, const struct session *session, struct journal *journal, cord_error *err) {
    *pilot = (struct pilot){.session = session, .journal = journal, .last = INT_MAX};
    if (!session->recipe->search.adaptive) return CORD_OK;
    journal_lock(journal);
    cord_status status = journal_nth_wanted(journal, session->recipe->pilot, &pilot->last, err);
    journal_unlock(journal);
    return status;
}

/* The first line of what the journal keeps. */
static cord_status settled_by(const struct session *session, struct arena *arena, cord_text *out, cord_error *err) {
    struct buf text;
    buf_init(&text, "who takes part", 1 << 16);
    buf_addf(&text, "search.pilot %d, search.least_share %.17g, of", session->recipe->pilot,
             session->recipe->least_share);
    for (int k = 0; k < session->n_teachers; k++) buf_addf(&text, " %s", session->teachers[k].name);
    buf_addc(&text, '\n');
    return buf_take(&text, arena, out, err);
}

/* What was settled before, by the same. */
static cord_status read_seldom(struct pilot *pilot, cord_text by, struct arena *arena, cord_error *err) {
    const struct session *session = pilot->session;
    cord_text before;
    CORD_TRY(journal_get_fact(pilot->journal, "seldom", arena, &before, err));
    pilot->settled = before.data && text_starts(before, by);
    cord_text names = pilot->settled ? text_slice(before, by.len, before.len) : TEXT("");
    for (cord_text name; text_next_line(&names, &name);)
        for (int k = 0; k < session->n_teachers; k++)
            if (text_equal(name, text_of(session->teachers[k].name))) pilot->seldom |= UINT64_C(1) << k;
    return CORD_OK;
}

static cord_status write_seldom(const struct pilot *pilot, cord_text by, cord_error *err) {
    const struct session *session = pilot->session;
    struct buf text;
    buf_init(&text, "who is asked seldom", 1 << 17);
    buf_add(&text, by);
    for (int k = 0; k < session->n_teachers; k++)
        if (pilot->seldom >> k & 1) buf_addf(&text, "%s\n", session->teachers[k].name);
    cord_status status = buf_check(&text, err);
    if (status == CORD_OK) status = journal_put_fact(pilot->journal, "seldom", buf_text(&text), err);
    buf_release(&text);
    return status;
}

/* kept[k]: steps of teacher k that beams took in the pilot; *all: of all teachers. */
static cord_status settle(struct pilot *pilot, struct arena *arena, int64_t *kept, int64_t *all, cord_error *err) {
    const struct session *session = pilot->session;
    int n = session->n_teachers;
    cord_text by;
    CORD_TRY(journal_count_kept(pilot->journal, pilot->last, kept, n, err));
    for (int k = 0; k < n; k++) *all += kept[k];
    CORD_TRY(settled_by(session, arena, &by, err));
    CORD_TRY(read_seldom(pilot, by, arena, err));
    if (pilot->settled) return CORD_OK;
    for (int k = 0; k < n; k++)
        if ((double)kept[k] < session->recipe->least_share * (double)*all / n) pilot->seldom |= UINT64_C(1) << k;
    pilot->settled = true;
    return write_seldom(pilot, by, err);
}

cord_status pilot_end(struct pilot *pilot, struct live *live, struct arena *arena, cord_error *err) {
    const struct recipe *recipe = pilot->session->recipe;
    int64_t kept[SEARCH_TEACHERS], all = 0;
    if (pilot->settled) return CORD_OK;
    journal_lock(pilot->journal);
    cord_status status = settle(pilot, arena, kept, &all, err);
    journal_unlock(pilot->journal);
    for (int k = 0; k < pilot->session->n_teachers && status == CORD_OK; k++)
        if (pilot->seldom >> k & 1)
            live_say(live,
                     "teacher %s wrote %" PRId64 " of the %" PRId64 " steps that were kept in the first %d problems, "
                     "and is asked in one round of %d from here on (search.least_share)",
                     pilot->session->teachers[k].name, kept[k], all, recipe->pilot, recipe->search.patience);
    return status;
}
