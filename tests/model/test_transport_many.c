/* test_transport_many.c - many requests at once over the engine's HTTP: how much a server takes, replicas that come and go,
 * stopping. Against servers on loopback that misbehave as they are told (fault_server.h). */
#include "rig.h"

#include <sys/resource.h>

/* ---- many at once -------------------------------------------------------------------------------------------------- */

/* Calls number `first` to first + n - 1, each of which sends its number; four make a group. */
static struct http_call *run_some(struct rig *rig, int first, int n) {
    struct http_call *calls = calloc((size_t)n, sizeof *calls);
    char(*bodies)[16] = calloc((size_t)n, sizeof *bodies);
    for (int i = 0; i < n; i++) {
        snprintf(bodies[i], sizeof bodies[i], "%d", first + i);
        calls[i] = (struct http_call){
            .endpoint = rig->endpoint, .path = "/x", .body = text_of(bodies[i]), .group = (uint64_t)(first + i) / 4};
    }
    cord_status status = transport_run(rig->transport, calls, n, NULL);
    assert_true(status == CORD_OK || status == CORD_CANCELLED);
    for (int i = 0; i < n; i++) calls[i].body = (cord_text){0};
    free(bodies);
    return calls;
}

static struct http_call *run_many(struct rig *rig, int n) { return run_some(rig, 0, n); }

static int count_code(const struct http_call *calls, int n, cord_status code) {
    int found = 0;
    for (int i = 0; i < n; i++) found += calls[i].error.code == code;
    return found;
}

static void release_many(struct http_call *calls, int n) {
    for (int i = 0; i < n; i++) http_call_release(&calls[i]);
    free(calls);
}

/* A server that takes a while, and refuses what is more than `most`. */
struct few {
    int most;
    atomic_int busy, busiest; /* it was asked for so many at once */
};

static bool answer_few(struct exchange *x) {
    struct few *few = x->server->ctx;
    int now = atomic_fetch_add(&few->busy, 1) + 1, before = atomic_load(&few->busiest);
    while (now > before && !atomic_compare_exchange_weak(&few->busiest, &before, now)) {}
    bool takes = now <= few->most;
    if (takes) usleep(20 * 1000);
    atomic_fetch_sub(&few->busy, 1);
    return do_fault(x, takes ? FAULT_NONE : FAULT_STATUS + 429);
}

static void test_finds_how_much_a_server_takes(void **state) {
    (void)state;
    static const int most[] = {1, 5, 24};
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        struct few few = {.most = most[i]};
        struct fault_server server = {.answer = answer_few, .ctx = &few};
        fault_server_start(&server);
        struct rig rig;
        rig_open(&rig, (struct transport_limits){.tries = 6, .in_flight = 200}, fault_server_url(&server));
        for (int time = 0; time < 2; time++) {
            int before = atomic_load(&server.requests);
            atomic_store(&few.busiest, 0);
            struct http_call *calls = run_many(&rig, 200);
            for (int j = 0; j < 200; j++)
                if (calls[j].error.code != CORD_OK) fail_msg("at most %d: %s", most[i], calls[j].error.message);
            release_many(calls, 200);
            int refused = atomic_load(&server.requests) - before - 200, busiest = atomic_load(&few.busiest);
            print_message("at most %d: %d refused, %d at once\n", most[i], refused, busiest);
            assert_in_range(refused, 0, 150);
            /* which it has learnt; on a busy machine fewer are there at the same time */
            if (time) assert_in_range(busiest, most[i] / 4, 2 * most[i] + 1);
        }
        rig_close(&rig);
        fault_server_stop(&server);
    }
}

/* A server that takes three requests in two seconds, and does not say how long to wait. */
struct rate {
    pthread_mutex_t mutex;
    int64_t began;
    int taken;
};

static bool answer_some(struct exchange *x) {
    struct rate *rate = x->server->ctx;
    int64_t now = clock_us();
    pthread_mutex_lock(&rate->mutex);
    if (now - rate->began >= 2000 * 1000) rate->began = now, rate->taken = 0;
    bool takes = rate->taken++ < 3;
    pthread_mutex_unlock(&rate->mutex);
    return do_fault(x, takes ? FAULT_NONE : FAULT_STATUS + 429);
}

static void test_outlasts_a_limit_of_requests_a_minute(void **state) {
    (void)state;
    struct rate rate = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct fault_server server = {.answer = answer_some, .ctx = &rate};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.tries = 4}, fault_server_url(&server));
    struct http_call *calls = run_many(&rig, 16);
    for (int i = 0; i < 16; i++)
        if (calls[i].error.code != CORD_OK) fail_msg("%s", calls[i].error.message);
    int refused = atomic_load(&server.requests) - 16;
    print_message("%d refused\n", refused);
    assert_in_range(refused, 13, 100);
    release_many(calls, 16);
    rig_close(&rig);
    fault_server_stop(&server);
}

static bool answer_once(struct exchange *x) { return do_fault(x, x->number ? FAULT_STATUS + 429 : FAULT_NONE); }

/* Pauses that double are not for who wants to know soon. */
static void test_who_wants_to_know_soon_outlasts_nothing(void **state) {
    (void)state;
    struct fault_server server = {.answer = answer_once};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.backoff = 0.4}, fault_server_url(&server));
    release_many(run_many(&rig, 1), 1);
    struct http_call call = {.endpoint = rig.endpoint, .path = "/x", .most_tries = 2};
    int64_t began = clock_us();
    assert_ok(transport_run(rig.transport, &call, 1, err));
    int64_t us = clock_us() - began;
    assert_int_equal(call.error.code, CORD_IO_ERROR);
    assert_int_equal(call.tries, 8);
    if (us > 12 * 1000 * 1000) fail_msg("waited for %g s", (double)us / 1e6);
    http_call_release(&call);
    rig_close(&rig);
    fault_server_stop(&server);
}

static bool answer_after_a_while(struct exchange *x) {
    atomic_int *ms = x->server->ctx;
    usleep((unsigned)atomic_load(ms) * 1000);
    return do_fault(x, FAULT_NONE);
}

static void test_a_thousand_at_once(void **state) {
    (void)state;
    enum { N = 1000 };
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < 6 * N) skip();
    files.rlim_cur = 6 * N;
    setrlimit(RLIMIT_NOFILE, &files);
    atomic_int ms = 5;
    struct fault_server server = {.answer = answer_after_a_while, .ctx = &ms};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.in_flight = N}, fault_server_url(&server));
    release_many(run_many(&rig, 3 * N), 3 * N); /* until the server is trusted with as many */
    atomic_store(&ms, 1000);
    struct http_call *calls = run_many(&rig, N);
    assert_int_equal(count_code(calls, N, CORD_OK), N);
    for (int i = 0; i < N; i++) assert_int_equal(calls[i].tries, 1);
    print_message("%d at once\n", atomic_load(&server.most_in_flight));
    assert_true(atomic_load(&server.most_in_flight) > N / 2); /* all, where the machine is not too busy */
    release_many(calls, N);
    rig_close(&rig);
    fault_server_stop(&server);
}

static void *run_as_thread(void *arg) {
    struct rig *rig = arg;
    struct http_call *calls = run_many(rig, 50);
    int wrong = 50 - count_code(calls, 50, CORD_OK);
    release_many(calls, 50);
    return (void *)(intptr_t)wrong;
}

static void run_threads(struct rig *rigs, int n) {
    pthread_t threads[16];
    for (int i = 0; i < n; i++) assert_int_equal(pthread_create(&threads[i], NULL, run_as_thread, &rigs[i]), 0);
    for (int i = 0; i < n; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

/* Of many hosts' connections no more are kept than files may be open. */
static void test_keeps_no_more_connections_than_files(void **state) {
    (void)state;
    enum { HOSTS = 12, FILES = 600 };
    struct rlimit files, few;
    getrlimit(RLIMIT_NOFILE, &files);
    few = files;
    few.rlim_cur = FILES;
    atomic_int ms = 50;
    struct fault_server servers[HOSTS];
    struct rig rigs[HOSTS];
    for (int i = 0; i < HOSTS; i++) {
        servers[i] = (struct fault_server){.answer = answer_after_a_while, .ctx = &ms};
        fault_server_start(&servers[i]);
    }
    setrlimit(RLIMIT_NOFILE, &few);
    rig_open(&rigs[0], (struct transport_limits){0}, fault_server_url(&servers[0]));
    setrlimit(RLIMIT_NOFILE, &files); /* the servers' ends of connections are files of this process, too */
    for (int i = 1; i < HOSTS; i++) {
        rigs[i].transport = rigs[0].transport;
        assert_ok(endpoint_open(rigs[0].transport, fault_server_url(&servers[i]), RIG_KEY, 0, &rigs[i].endpoint, err));
    }
    run_threads(rigs, HOSTS);
    run_threads(rigs, HOSTS);
    int kept = 0;
    for (int i = 0; i < HOSTS; i++) {
        pthread_mutex_lock(&servers[i].mutex);
        kept += servers[i].n_open;
        pthread_mutex_unlock(&servers[i].mutex);
    }
    print_message("%d connections kept\n", kept);
    assert_true(kept > FILES / 4 && kept < FILES / 2);
    rig_close(&rigs[0]);
    for (int i = 0; i < HOSTS; i++) fault_server_stop(&servers[i]);
}

static void test_many_callers(void **state) {
    (void)state;
    struct fault_server server = {0};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, fault_server_url(&server));
    struct rig same[8] = {rig, rig, rig, rig, rig, rig, rig, rig};
    run_threads(same, 8);
    assert_int_equal(atomic_load(&server.requests), 400);
    rig_close(&rig);
    fault_server_stop(&server);
}

/* ---- replicas ------------------------------------------------------------------------------------------------------ */

enum { GROUPS = 50, REPLICAS = 3 };

/* Whom each group was answered by; requests say their number, four make a group. */
static atomic_int served[REPLICAS][GROUPS];

static bool answer_group(struct exchange *x) {
    char number[16];
    snprintf(number, sizeof number, "%.*s", (int)x->body.len, x->body.data);
    const int *replica = x->server->ctx;
    atomic_fetch_add(&served[*replica][atoi(number) / 4], 1);
    usleep(2000);
    return do_fault(x, FAULT_NONE);
}

struct replicas {
    struct fault_server servers[REPLICAS];
    char urls[300];
};

static void replicas_start(struct replicas *replicas) {
    static int number[REPLICAS] = {0, 1, 2};
    for (int i = 0; i < REPLICAS; i++) {
        replicas->servers[i] = (struct fault_server){.answer = answer_group, .ctx = &number[i]};
        fault_server_start(&replicas->servers[i]);
        size_t used = strlen(replicas->urls);
        snprintf(replicas->urls + used, sizeof replicas->urls - used, " %s", fault_server_url(&replicas->servers[i]));
        for (int j = 0; j < GROUPS; j++) atomic_store(&served[i][j], 0);
    }
}

static void test_groups_stay_with_a_replica(void **state) {
    (void)state;
    struct replicas replicas = {0};
    replicas_start(&replicas);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, replicas.urls);
    for (int round = 0; round < 3; round++) { /* few enough at once that no replica is full */
        for (int i = 0; i < 4 * GROUPS; i += 10) release_many(run_some(&rig, i, 10), 10);
    }
    int groups[REPLICAS] = {0};
    for (int j = 0; j < GROUPS; j++)
        for (int i = 0; i < REPLICAS; i++) {
            int times = atomic_load(&served[i][j]);
            assert_true(times == 0 || times == 12);
            groups[i] += times == 12;
        }
    print_message("groups: %d, %d, %d\n", groups[0], groups[1], groups[2]);
    for (int i = 0; i < REPLICAS; i++) assert_true(groups[i] >= GROUPS / REPLICAS / 3);
    rig_close(&rig);
    for (int i = 0; i < REPLICAS; i++) fault_server_stop(&replicas.servers[i]);
}

static void *stop_later(void *arg) {
    usleep(30 * 1000);
    fault_server_stop(arg);
    return NULL;
}

static void test_does_without_a_dead_replica(void **state) {
    (void)state;
    struct replicas replicas = {0};
    replicas_start(&replicas);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.tries = 5, .in_flight = 16, .longest = 0.2}, replicas.urls);
    pthread_t killer;
    assert_int_equal(pthread_create(&killer, NULL, stop_later, &replicas.servers[1]), 0);
    for (int i = 0; i < 4; i++) { /* it dies in the middle of this */
        struct http_call *calls = run_many(&rig, 4 * GROUPS);
        for (int j = 0; j < 4 * GROUPS; j++)
            if (calls[j].error.code != CORD_OK) fail_msg("%s", calls[j].error.message);
        release_many(calls, 4 * GROUPS);
    }
    pthread_join(killer, NULL);
    int before = atomic_load(&replicas.servers[1].requests);
    fault_server_start(&replicas.servers[1]); /* and is back */
    for (int i = 0; i < 200 && atomic_load(&replicas.servers[1].requests) == before; i++) {
        release_many(run_some(&rig, i % GROUPS * 4, 4), 4); /* some groups are its own, and one of them looks */
        usleep(10 * 1000);
    }
    release_many(run_many(&rig, 4 * GROUPS), 4 * GROUPS);
    assert_true(atomic_load(&replicas.servers[1].requests) > before + GROUPS / 2);
    rig_close(&rig);
    for (int i = 0; i < REPLICAS; i++) fault_server_stop(&replicas.servers[i]);
}

static bool answer_nothing(struct exchange *x) {
    (void)x;
    return false;
}

/* What a replica that is left out is asked is to see whether it is back. */
static void test_leaves_out_a_replica_that_says_nothing(void **state) {
    (void)state;
    struct replicas replicas = {0};
    replicas_start(&replicas);
    replicas.servers[1].answer = answer_nothing;
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.tries = 5, .in_flight = 16}, replicas.urls);
    for (int i = 0; i < 4; i++) {
        struct http_call *calls = run_many(&rig, 4 * GROUPS);
        assert_int_equal(count_code(calls, 4 * GROUPS, CORD_OK), 4 * GROUPS);
        release_many(calls, 4 * GROUPS);
    }
    int asked = atomic_load(&replicas.servers[1].requests);
    print_message("asked %d times\n", asked);
    assert_in_range(asked, 3, GROUPS); /* of four times the requests of a third of all groups */
    rig_close(&rig);
    for (int i = 0; i < REPLICAS; i++) fault_server_stop(&replicas.servers[i]);
}

static bool answer_busy(struct exchange *x) { return do_fault(x, FAULT_STATUS + 503); }

/* A replica that refuses all that it gets is not asked again by who was there, even while the other one is full. */
static void test_does_without_a_replica_that_only_refuses(void **state) {
    (void)state;
    struct replicas replicas = {0};
    replicas_start(&replicas);
    replicas.servers[1].answer = answer_busy;
    struct rig rig;
    char urls[200];
    snprintf(urls, sizeof urls, "%s %s", fault_server_url(&replicas.servers[0]),
             fault_server_url(&replicas.servers[1]));
    rig_open(&rig, (struct transport_limits){.in_flight = 4, .longest = 0.1}, urls);
    struct http_call *calls = run_many(&rig, 4 * GROUPS);
    for (int i = 0; i < 4 * GROUPS; i++) {
        if (calls[i].error.code != CORD_OK) fail_msg("%s", calls[i].error.message);
        assert_true(calls[i].tries <= 2);
    }
    release_many(calls, 4 * GROUPS);
    rig_close(&rig);
    for (int i = 0; i < REPLICAS; i++) fault_server_stop(&replicas.servers[i]);
}

static bool answer_broken(struct exchange *x) { return do_fault(x, FAULT_STATUS + 500); }

/* Two of three fail whatever they get: each call finds the third, wherever its group would go first. */
static void test_finds_the_one_replica_that_is_well(void **state) {
    (void)state;
    struct replicas replicas = {0};
    replicas_start(&replicas);
    replicas.servers[0].answer = replicas.servers[2].answer = answer_broken;
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.longest = 0.1}, replicas.urls);
    struct http_call *calls = run_many(&rig, 4 * GROUPS);
    for (int i = 0; i < 4 * GROUPS; i++)
        if (calls[i].error.code != CORD_OK) fail_msg("%s", calls[i].error.message);
    release_many(calls, 4 * GROUPS);
    rig_close(&rig);
    for (int i = 0; i < REPLICAS; i++) fault_server_stop(&replicas.servers[i]);
}

static void *start_later(void *arg) {
    usleep(300 * 1000);
    fault_server_start(arg);
    return NULL;
}

/* All are down: what waits is sent once one is back, and nothing was sent meanwhile. */
static void test_outlasts_an_outage(void **state) {
    (void)state;
    struct fault_server server = {0};
    fault_server_start(&server);
    fault_server_stop(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){.tries = 8}, fault_server_url(&server));
    pthread_t starter;
    assert_int_equal(pthread_create(&starter, NULL, start_later, &server), 0);
    struct http_call *calls = run_many(&rig, 200);
    pthread_join(starter, NULL);
    for (int i = 0; i < 200; i++) {
        if (calls[i].error.code != CORD_OK) fail_msg("%s", calls[i].error.message);
        assert_int_equal(calls[i].tries, 1);
    }
    release_many(calls, 200);
    fault_server_stop(&server); /* and for good: all are told, each in time */
    int64_t start = clock_us();
    calls = run_many(&rig, 200);
    assert_true(clock_us() - start < 20 * 1000 * 1000);
    assert_int_equal(count_code(calls, 200, CORD_IO_ERROR), 200);
    assert_holds(calls[199].error.message, "Failed to connect");
    for (int i = 0; i < 200; i++) assert_holds(calls[i].error.message, "(tried 8 times)"); /* who waited, too */
    release_many(calls, 200);
    rig_close(&rig);
}

/* ---- stopping ------------------------------------------------------------------------------------------------------ */

static bool answer_never(struct exchange *x) { return hang(x->fd); }

struct stopper {
    struct rig *rig;
    struct fault_server *server;
    int64_t at;
};

static void *set_stop(void *arg) {
    struct stopper *stopper = arg;
    while (atomic_load(&stopper->server->requests) < 16) usleep(1000);
    usleep(100 * 1000);
    stopper->at = clock_us();
    atomic_store(&stopper->rig->stop, true);
    return NULL;
}

static void test_stops(void **state) {
    (void)state;
    struct fault_server server = {.answer = answer_never};
    fault_server_start(&server);
    struct rig rig;
    rig_open(&rig, (struct transport_limits){0}, fault_server_url(&server));
    struct stopper stopper = {.rig = &rig, .server = &server};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, set_stop, &stopper), 0);
    struct http_call *calls = run_many(&rig, 100);
    int64_t now = clock_us();
    pthread_join(thread, NULL);
    assert_true(now - stopper.at < 1000 * 1000);
    assert_int_equal(count_code(calls, 100, CORD_CANCELLED), 100);
    int lost = 0;
    for (int i = 0; i < 100; i++) lost += calls[i].lost;
    assert_int_equal(lost, 16); /* those that were on their way */
    release_many(calls, 100);
    calls = run_many(&rig, 3); /* nothing is asked any more */
    assert_int_equal(count_code(calls, 3, CORD_CANCELLED), 3);
    release_many(calls, 3);
    rig_close(&rig);
    fault_server_stop(&server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_how_much_a_server_takes),
        cmocka_unit_test(test_outlasts_a_limit_of_requests_a_minute),
        cmocka_unit_test(test_who_wants_to_know_soon_outlasts_nothing),
        cmocka_unit_test(test_a_thousand_at_once),
        cmocka_unit_test(test_keeps_no_more_connections_than_files),
        cmocka_unit_test(test_many_callers),
        cmocka_unit_test(test_groups_stay_with_a_replica),
        cmocka_unit_test(test_does_without_a_dead_replica),
        cmocka_unit_test(test_leaves_out_a_replica_that_says_nothing),
        cmocka_unit_test(test_does_without_a_replica_that_only_refuses),
        cmocka_unit_test(test_finds_the_one_replica_that_is_well),
        cmocka_unit_test(test_outlasts_an_outage),
        cmocka_unit_test(test_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
