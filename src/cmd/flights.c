/* flights.c - several problems at once: each worker takes the next problem, searches it, and tells journal and live view.
 * It decides nothing that the search decides, and batches nothing itself. */
#include "cmd/flights.h"

#include "cmd/pilot.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

/* What the workers share. */
struct hangar {
    const struct flights *flights;
    pthread_mutex_t mutex; /* guards all below */
    int taken, last;       /* problems that were, and the index of the last of them */
    cord_status status;
    cord_error error; /* of the first failure that concerns all */
    struct pilot pilot;
    int piloting;          /* its problems that are in the air */
    pthread_cond_t landed; /* one of them */
};

struct worker {
    struct hangar *hangar;
    pthread_t thread;
    int slot;
};

/* ---- one problem --------------------------------------------------------------------------------------------- */

/* What the observer of one search needs. */
struct flight {
    struct hangar *hangar;
    const struct journal_problem *problem;
    int slot, rounds;
    double log_s0;
    const struct answered *best; /* borrowed from the search */
};

/* The journal, with all replies in it that have come: what is written next makes some of them superfluous. */
static cord_status take_journal(const struct flights *flights, cord_error *err) {
    journal_lock(flights->journal);
    return flights->ledger ? ledger_write(flights->ledger, err) : CORD_OK;
}

static cord_status on_started(void *ctx, double log_s0, cord_text contrast, const struct spoken *spoken, int n,
                              cord_error *err) {
    struct flight *flight = ctx;
    const struct flights *flights = flight->hangar->flights;
    flight->log_s0 = log_s0;
    cord_status status = take_journal(flights, err);
    if (status == CORD_OK)
        status = journal_started(flights->journal, flight->problem->key, log_s0, contrast, spoken, n, err);
    journal_unlock(flights->journal);
    return status;
}

static cord_status on_round(void *ctx, const struct round *round, cord_error *err) {
    struct flight *flight = ctx;
    const struct flights *flights = flight->hangar->flights;
    const struct criterion *criterion = flights->session->recipe->search.criterion;
    int finished = 0;
    double best = (double)NAN; /* curation scores what is finished, and nothing before; an empty reasoning has S0 */
    for (int i = 0; i < round->n_beam; i++) {
        finished += round->beam[i].finish != GROWING;
        if (round->beam[i].last)
            best = fmax(best, score_shown(criterion, round->beam[i].log_score)); /* whatever is not NAN */
    }
    flight->rounds = round->number;
    cord_status status = take_journal(flights, err);
    if (status == CORD_OK) status = journal_round(flights->journal, flight->problem->key, round, err);
    journal_unlock(flights->journal);
    if (status == CORD_OK) live_round(flights->live, flight->slot, round->number, round->n_beam, finished, best);
    return status;
}

static cord_status on_finished(void *ctx, const struct answered *finished, int n, cord_error *err) {
    struct flight *flight = ctx;
    const struct flights *flights = flight->hangar->flights;
    flight->best = n ? &finished[0] : NULL;
    cord_status status = take_journal(flights, err);
    if (status == CORD_OK) status = journal_finished(flights->journal, flight->problem->key, finished, n, err);
    journal_unlock(flights->journal);
    return status;
}

static void tell(struct flight *flight, cord_status status, const cord_error *why, int64_t start) {
    const struct criterion *criterion = flight->hangar->flights->session->recipe->search.criterion;
    struct live_result result = {
        .id = flight->problem->id,
        .gold = flight->problem->gold,
        .rounds = flight->rounds,
        .pp = (double)NAN,
        .s0 = exp(flight->log_s0),
        .seconds = (double)(clock_us() - start) / 1e6,
    };
    if (status != CORD_OK) {
        result.reason = why->message;
    } else if (flight->best) {
        result.grade = grade_name(flight->best->grade);
        result.correct = flight->best->grade == GRADE_CORRECT;
        result.answer = flight->best->answer;
        result.score = score_shown(criterion, flight->best->trajectory.log_score);
        result.pp = exp(flight->best->log_pp);
    } else {
        result.grade = grade_name(GRADE_NO_ANSWER);
    }
    live_result(flight->hangar->flights->live, flight->slot, &result);
}

/* Whether a search's failure is the problem's own, so that the others can go on. */
static bool is_problems_own(cord_status status) { return is_requests_own(status) || status == CORD_BAD_RECIPE; }

static cord_status read_state(struct flight *flight, struct arena *arena, struct search_state *state, cord_error *err) {
    struct journal *journal = flight->hangar->flights->journal;
    journal_lock(journal);
    cord_status status = journal_state(journal, flight->problem, arena, state, err);
    journal_unlock(journal);
    return status;
}

static cord_status note_failure(struct flight *flight, const char *reason, cord_error *err) {
    struct journal *journal = flight->hangar->flights->journal;
    journal_lock(journal);
    cord_status status = journal_failed(journal, flight->problem->key, reason, err);
    journal_unlock(journal);
    return status;
}

/* The traces that a problem came with, where it came with some. */
static cord_status give_traces(const struct flights *flights, const struct journal_problem *problem,
                               struct search *search, cord_error *err) {
    if (!flights->traces) return CORD_OK;
    struct trace_list list;
    CORD_TRY(trace_set_get(flights->traces, problem->index, search->arena, &list, err));
    struct given_trace *given = arena_alloc(search->arena, (size_t)(list.n + 1) * sizeof *given);
    if (!given) return error_memory(err);
    for (int i = 0; i < list.n; i++) {
        const struct trace *trace = &list.traces[i];
        given[i] = (struct given_trace){trace->source, trace->sample, trace->reasoning, trace->reply};
    }
    search->given = given;
    search->n_given = list.n;
    return CORD_OK;
}

/* `arena`: of the problem, and of all that its search makes. */
static cord_status fly(struct hangar *hangar, const struct journal_problem *problem, int slot, uint64_t seldom,
                       struct arena *arena, cord_error *err) {
    const struct flights *flights = hangar->flights;
    const struct session *session = flights->session;
    struct flight flight = {
        .hangar = hangar, .problem = problem, .slot = slot, .rounds = problem->rounds, .log_s0 = problem->log_s0};
    struct observer observer = {&flight, on_started, on_round, on_finished};
    int64_t start = clock_us();
    cord_error why = {0};
    struct search search = {
        .engine = session->engine,
        .group = (uint64_t)problem->key,
        .question = {problem->id, problem->question},
        .target = problem->target,
        .gold = problem->gold,
        .teachers = session->teachers,
        .n_teachers = session->n_teachers,
        .meta_prover = &session->meta_prover,
        .judge = session->recipe->judgment_model >= 0 ? &session->judgment : NULL,
        .reward = session->recipe->reward_model >= 0 ? &session->reward : NULL,
        .scorer = session->recipe->scorer_model >= 0 ? &session->scorer : NULL,
        .held_out = session->recipe->held_out_model >= 0 ? &session->held_out : NULL,
        .settings = &session->recipe->search,
        .seldom = seldom,
        .grader = &session->grader,
        .observer = &observer,
        .arena = arena,
    };
    live_problem(flights->live, slot, problem->id);
    cord_status status = give_traces(flights, problem, &search, &why);
    if (status == CORD_OK) status = read_state(&flight, arena, &search.state, &why);
    if (status == CORD_OK) status = search_run(&search, &why);
    if (status == CORD_OK || is_problems_own(status))
        tell(&flight, status, &why, start);
    else
        live_drop(flights->live, slot);
    if (is_problems_own(status)) {
        status = note_failure(&flight, why.message, err);
    } else if (status != CORD_OK) {
        *err = why;
    }
    cord_forget(session->engine, (uint64_t)problem->key);
    return status;
}

/* ---- waiting for the pilot ----------------------------------------------------------------------------------- */

/* Whether a problem has to wait; it has waited then, and another may have taken it. */
static bool waits_for_pilot(struct hangar *hangar, const struct journal_problem *problem) {
    if (problem->index <= hangar->pilot.last || !hangar->piloting || hangar->status != CORD_OK) return false;
    pthread_cond_wait(&hangar->landed, &hangar->mutex);
    return true;
}

static void land(struct hangar *hangar, const struct journal_problem *problem, cord_status status,
                 const cord_error *why) {
    pthread_mutex_lock(&hangar->mutex);
    if (problem->index <= hangar->pilot.last) hangar->piloting--;
    if (status != CORD_OK && hangar->status == CORD_OK) hangar->status = status, hangar->error = *why;
    pthread_cond_broadcast(&hangar->landed);
    pthread_mutex_unlock(&hangar->mutex);
}

/* ---- all problems -------------------------------------------------------------------------------------------- */

static cord_status next_open(struct hangar *hangar, struct arena *arena, bool *more, struct journal_problem *problem,
                             cord_error *err) {
    const struct flights *flights = hangar->flights;
    *more = hangar->status == CORD_OK && hangar->taken < flights->most;
    if (!*more) return CORD_OK;
    journal_lock(flights->journal);
    cord_status status = journal_next_open(flights->journal, hangar->last, arena, more, problem, err);
    journal_unlock(flights->journal);
    return status;
}

static cord_status take_problem(struct hangar *hangar, struct arena *arena, bool *more, struct journal_problem *problem,
                                cord_error *err) {
    for (bool again = true; again; again = *more && waits_for_pilot(hangar, problem))
        CORD_TRY(next_open(hangar, arena, more, problem, err));
    if (!*more) return CORD_OK;
    hangar->taken++;
    hangar->last = problem->index;
    bool piloting = problem->index <= hangar->pilot.last;
    hangar->piloting += piloting;
    return piloting ? CORD_OK : pilot_end(&hangar->pilot, hangar->flights->live, arena, err);
}

/* The next problem, and its search; false when there is none, or when something concerns all. */
static bool work_on_next(struct worker *worker, struct arena *arena) {
    struct hangar *hangar = worker->hangar;
    struct journal_problem problem = {.index = INT_MAX};
    cord_error why = {0};
    bool more;
    pthread_mutex_lock(&hangar->mutex);
    cord_status status = take_problem(hangar, arena, &more, &problem, &why);
    uint64_t seldom = hangar->pilot.seldom; /* nobody, while the pilot is in the air */
    pthread_mutex_unlock(&hangar->mutex);
    if (status == CORD_OK && !more) return false;
    if (status == CORD_OK) status = fly(hangar, &problem, worker->slot, seldom, arena, &why);
    land(hangar, &problem, status, &why);
    return status == CORD_OK;
}

static void *work(void *arg) {
    for (bool more = true; more;) {
        struct arena arena;
        arena_init(&arena);
        more = work_on_next(arg, &arena);
        arena_release(&arena);
    }
    return NULL;
}

/* Whatever `ulimit -s` says. The deepest answer that the grader reads needs less than 512 KiB; what a thread never touches
 * costs no memory. */
#define STACK_BYTES ((size_t)8 << 20)

static bool start(struct worker *worker) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    bool started = pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
                   pthread_create(&worker->thread, &attributes, work, worker) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

cord_status flights_run(const struct flights *flights, int at_once, cord_error *err) {
    struct hangar hangar = {.flights = flights, .last = -1};
    if (at_once > flights->most) at_once = flights->most;
    CORD_TRY(pilot_begin(&hangar.pilot, flights->session, flights->journal, err));
    struct worker *workers = calloc((size_t)at_once + 1, sizeof *workers);
    if (!workers) return error_memory(err);
    pthread_mutex_init(&hangar.mutex, NULL);
    pthread_cond_init(&hangar.landed, NULL);
    int started = 0;
    while (started < at_once) {
        struct worker *worker = &workers[started];
        *worker = (struct worker){.hangar = &hangar, .slot = started};
        if (!start(worker)) break;
        started++;
    }
    if (at_once && !started) hangar.status = error_set(&hangar.error, CORD_NO_MEMORY, "cannot start a thread");
    for (int i = 0; i < started; i++) pthread_join(workers[i].thread, NULL);
    pthread_cond_destroy(&hangar.landed);
    pthread_mutex_destroy(&hangar.mutex);
    free(workers);
    if (hangar.status != CORD_OK && err) *err = hangar.error;
    return hangar.status;
}

/* Problems where servers alone compute: they make batches of what they get, and queue the rest. */
enum { WITH_SERVERS = 64 };

/* Whether any model computes in this process. */
static bool any_is_local(const struct recipe *recipe) {
    for (int m = 0; m < recipe->n_models; m++)
        if (!recipe->models[m].options.url) return true;
    return false;
}

int flights_at_once(const struct session *session) {
    const struct recipe *recipe = session->recipe;
    if (recipe->in_flight) return recipe->in_flight;
    if (!any_is_local(recipe)) return WITH_SERVERS;
    if (recipe->reproducible) return 1; /* no batch would hold two of them */
    int fewest = 0;                     /* rows that a problem gives a model that proposes */
    double bytes = 0;
    for (int m = 0; m < recipe->n_models; m++) {
        int sharing = 0;
        for (int k = 0; k < recipe->n_teachers; k++) sharing += recipe->teachers[k].model == m;
        int rows = search_rows_of(&recipe->search, sharing, recipe->n_teachers);
        if (rows && (!fewest || rows < fewest)) fewest = rows;
        /* what the beam's texts can become, with a prompt; what a round adds is small beside it */
        double cells = 512 + (recipe->n_teachers ? (double)recipe->search.think_tokens : 4096);
        bytes += cells * (double)cord_model_get_info(session->models[m])->cache_bytes;
    }
    const cord_engine_info engine = cord_engine_get_info(session->engine);
    double room = (double)engine.memory / (bytes > 1 ? bytes : 1);
    if (!fewest) return room < 2 ? 1 : 2; /* nobody writes: one problem's traces fill batches */
    int wanted = (engine.full_batch + fewest - 1) / fewest;
    if (room < wanted) wanted = (int)room;
    return wanted > 1 ? wanted : 1;
}
