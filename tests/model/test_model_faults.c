/* test_model_faults.c - whole runs of cord while a fifth of what it asks of a server goes wrong, and while it and the server
 * are killed: the data set is the one that an undisturbed run makes, byte for byte.
 *
 * A run without faults goes through a proxy (fault_proxy.h) to a real llama-server with a shallow model, and the proxy keeps
 * the replies. Then
 * the same run is made again and again with faults, its replies coming from what was kept. Smaller runs go to the real
 * server again, with one slot and without its cache of prompts, so that its replies depend on the requests alone.
 *
 * With CORD_TEST_AT_LENGTH set (`make proof`) there are more than 10,000 requests, and ten moments to be killed at. */
#include "fault_proxy.h"
#include "server.h"
#include "shallow.h"
#include "tls_server.h"

#include "recipe/recipe.h"

#include <limits.h>
#include <sqlite3.h>
#include <sys/stat.h>

enum { PROBLEMS = 12, LIVE = 2 }; /* all, and those of a run on the real server */
#define A_FIFTH 0.2

static const char *const questions[PROBLEMS][2] = {
    {"Tom has 3 apples and buys 4 more. How many apples has he?", "7"},
    {"What is 12 times 3?", "36"},
    {"A pear costs 2 dollars. What do 12 pears cost?", "24"},
    {"Anna is 31 and Ben is 4 years younger. How old is Ben?", "27"},
    {"A train goes 60 miles in an hour. How far does it go in 3 hours?", "180"},
    {"Half of a number is 9. What is the number?", "18"},
    {"A box holds 6 eggs. How many eggs are in 5 boxes?", "30"},
    {"Mia reads 8 pages a day. How many pages does she read in a week?", "56"},
    {"There are 20 birds and 7 fly away. How many are left?", "13"},
    {"What is 100 minus 58?", "42"},
    {"Four friends share 20 sweets equally. How many does each get?", "5"},
    {"A rope of 15 meters is cut into 3 equal parts. How long is each?", "5"},
};

static struct server server; /* the real one */
static struct proxy proxy;
static char weights[64];     /* of two layers: what a model says does not matter here */
static struct buf reference; /* trajectories.jsonl of the run without faults */
static struct buf live_reference;
static int reference_requests;
static bool at_length;
static int64_t all_requests, all_spoiled[SPOILS];

/* ---- runs -------------------------------------------------------------------------------------------------------- */

static void write_inputs(const char *url) {
    struct buf text;
    buf_init(&text, "a file", 1 << 20);
    for (int i = 0; i < PROBLEMS; i++)
        buf_addf(&text, "{\"id\": \"p%d\", \"question\": \"%s\", \"answer\": \"%s\"}\n", i, questions[i][0],
                 questions[i][1]);
    scratch_write("p.jsonl", buf_text(&text));
    buf_clear(&text);
    buf_addf(&text,
             "problems: {file: p.jsonl}\n"
             "models: {one: {url: '%s'}, two: {url: '%s'}, prover: {url: '%s'}}\n"
             "teachers: {warm: {model: one, temperature: 0.6}, hot: {model: two, temperature: 1.0}}\n"
             "meta_prover: {model: prover}\n"
             "prompt: {style: steps, full: '{question} '}\n"
             "search: {beam: 2, step_tokens: 8, think_tokens: 16, answer_tokens: 6}\n"
             "run: {out: out, in_flight: %d}\n"
             "servers: {first_byte: 2.5, idle: 2.5, tries: 12, backoff: 0.02, longest_pause: 0.3}\n",
             url, url, url, PROBLEMS);
    scratch_write("r.yaml", buf_text(&text));
    buf_release(&text);
}

/* Options of a run that goes to the real server: it has one slot, before which requests wait. */
static const char limit[] = "problems.limit=2";
static const char *const patient[] = {"--set", "run.in_flight=1", "--set", "servers.first_byte=300", NULL};
static const char *const alone[] = {"--set", "run.in_flight=1", "--set", "servers.first_byte=300", "--set", limit,
                                    NULL};
static const char *const live[] = {"--set", "servers.first_byte=20", "--set", "models.one.requests=2",
                                   "--set", "models.two.requests=2", "--set", "models.prover.requests=2",
                                   "--set", "run.in_flight=3",       "--set", limit,
                                   NULL};
static const char *const none[] = {NULL};

/* Starts `cord run` into the folder `out`; what it prints goes to OUT.log. `more` ends with NULL. */
static pid_t start_run(const char *out, const char *const *more) {
    char set_out[100], log[100];
    const char *argv[32] = {"cord", "run", "r.yaml", "--quiet", "--set", set_out};
    int n = 6;
    snprintf(set_out, sizeof set_out, "run.out=%s", out);
    snprintf(log, sizeof log, "%s.log", out);
    while (*more && n < 31) argv[n++] = *more++;
    pid_t pid = fork();
    if (pid != 0) return pid;
    int fd = -1;
    if (chdir(scratch) == 0) fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    execv(CORD_BINARY, (char *const *)(uintptr_t)argv);
    _exit(127);
}

static int end_run(pid_t pid) {
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What is in a file of the scratch folder. */
static struct buf read_file(const char *out, const char *name) {
    char path[200];
    struct buf text;
    snprintf(path, sizeof path, "%s/%s%s", scratch, out, name);
    assert_ok(file_read(path, "file", 64 << 20, &text, err));
    return text;
}

static void fail_with_log(const char *out, const char *what) {
    struct buf log = read_file(out, ".log");
    size_t from = log.len > 1500 ? log.len - 1500 : 0;
    fail_msg("%s: %s; it said:\n%s", out, what, log.data + from);
}

static void run_to_end(const char *out, const char *const *more) {
    if (end_run(start_run(out, more)) != 0) fail_with_log(out, "the run did not end well");
}

/* ---- what has to hold -------------------------------------------------------------------------------------------- */

static int count_rows(const char *out, const char *question) {
    char path[200];
    sqlite3 *db;
    sqlite3_stmt *statement;
    snprintf(path, sizeof path, "%s/%s/journal.sqlite", scratch, out);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, question, -1, &statement, NULL) != SQLITE_OK) fail_msg("%s", sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int n = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return n;
}

/* The data set is the one without faults; no problem failed, and no candidate. */
static void assert_same_data(const char *out, const struct buf *without, int problems) {
    struct buf made = read_file(out, "/trajectories.jsonl");
    cord_text want = buf_text(without);
    if (!text_equal(buf_text(&made), want)) {
        size_t at = 0;
        while (at < made.len && at < want.len && made.data[at] == want.data[at]) at++;
        fail_msg("%s: differs from the undisturbed run at byte %zu: %.150s, not %.150s", out, at,
                 made.data + (at > 40 ? at - 40 : 0), want.data + (at > 40 ? at - 40 : 0));
    }
    buf_release(&made);
    assert_int_equal(count_rows(out, "SELECT count(*) FROM problem WHERE status = 1"), problems);
    assert_int_equal(count_rows(out, "SELECT count(*) FROM candidate WHERE dropped = 4"), 0);
}

/* What was answered whole and well was not asked for again: as often as without faults, or less where cord kept it. (Tokens
 * of short texts are kept for a while only, and not before they are there.) */
static void assert_asked_once(const char *out) {
    for (int i = 0; i < PROXY_BUCKETS; i++)
        for (const struct remembered *r = proxy.bucket[i]; r; r = r->next) {
            if (r->answered > r->once && strncmp(r->about, "POST /tokenize", 14) != 0)
                fail_msg("%s: answered well %d times, not %d: %s", out, r->answered, r->once, r->about);
            if (r->asked && !r->answered)
                fail_msg("%s: a request was asked %d times and never answered well: %s", out, r->asked, r->about);
        }
}

/* How many answers to proposals and scores came although cord had them, over several starts of a run; without those to the
 * looks at the server that each start begins with. */
static int count_superfluous(const char *out) {
    int n = 0;
    for (int i = 0; i < PROXY_BUCKETS; i++)
        for (const struct remembered *r = proxy.bucket[i]; r; r = r->next)
            if (strncmp(r->about, "POST /completion", 16) == 0 && r->answered > r->once && !r->first) {
                print_message("%s: answered %d times, not %d: %s\n", out, r->answered, r->once, r->about);
                n += r->answered - r->once;
            }
    return n;
}

/* The undisturbed run itself asks for each proposal once, and for a score twice only where two trajectories say the
 * same. */
static void assert_nothing_twice(void) {
    int scores = 0, again = 0;
    for (int i = 0; i < PROXY_BUCKETS; i++)
        for (const struct remembered *r = proxy.bucket[i]; r; r = r->next) {
            if (strncmp(r->about, "POST /completion", 16) != 0) continue;
            if (r->proposes && r->once != 1) fail_msg("asked for %d times without faults: %s", r->once, r->about);
            scores += !r->proposes;
            again += r->once - 1;
        }
    if (again > scores / 2) fail_msg("%d of %d scores were asked for again without faults", again, scores);
}

/* Adds up what the proxy saw, and forgets it. */
static int64_t take_counts(void) {
    int64_t n = atomic_exchange(&proxy.server.requests, 0);
    for (int i = 0; i < SPOILS; i++) all_spoiled[i] += atomic_exchange(&proxy.spoiled[i], 0);
    all_requests += n;
    assert_int_equal(atomic_load(&proxy.unknown), 0);
    proxy_forget_counts(&proxy);
    return n;
}

static void forget_counts(void) {
    all_requests = 0;
    memset(all_spoiled, 0, sizeof all_spoiled);
}

static void print_counts(const char *what, int64_t began) {
    int64_t wrong = all_requests - all_spoiled[SPOIL_NONE];
    print_message("%s: %lld requests, %lld of them spoiled, in %.1f s:", what, (long long)all_requests,
                  (long long)wrong, (double)(clock_us() - began) / 1e6);
    for (int i = 1; i < SPOILS; i++)
        print_message(" %s %lld%s", spoil_names[i], (long long)all_spoiled[i], i + 1 < SPOILS ? "," : "\n");
    forget_counts();
}

/* ---- replayed ---------------------------------------------------------------------------------------------------- */

static int open_all(void **state) {
    at_length = getenv("CORD_TEST_AT_LENGTH") != NULL;
    char whole[4096];
    scratch_open(state);
    weights_path(SMOLLM2, whole, sizeof whole);
    snprintf(weights, sizeof weights, "%s/shallow.gguf", scratch);
    assert_true(shallow_write(whole, weights, 2));
    server = server_start(weights, 1);
    proxy = (struct proxy){.upstream = server.port, .keeps = true, .caches = true};
    proxy_init(&proxy);
    proxy_start(&proxy);
    write_inputs(fault_server_url(&proxy.server));
    int64_t began = clock_us();
    run_to_end("reference", patient);
    proxy_stop(&proxy);
    reference = read_file("reference", "/trajectories.jsonl");
    assert_int_equal(count_rows("reference", "SELECT count(*) FROM problem WHERE status = 1"), PROBLEMS);
    assert_int_equal(atomic_load(&proxy.refused), 0);
    proxy.keeps = proxy.caches = false;
    assert_asked_once("reference");
    assert_nothing_twice();
    reference_requests = (int)take_counts();
    print_message("without faults: %d requests in %.1f s\n", reference_requests, (double)(clock_us() - began) / 1e6);
    forget_counts();
    return 0;
}

static int close_all(void **state) {
    server_stop(&server);
    proxy_release(&proxy);
    buf_release(&reference);
    if (live_reference.data) buf_release(&live_reference);
    if (getenv("CORD_TEST_KEEP")) { /* to look at what differs */
        print_message("kept: %s\n", scratch);
        return 0;
    }
    return scratch_close(state);
}

/* The proxy for a run: on what was kept, or (`port`) on the real server; a share of the requests is spoiled. */
static void proxy_for(bool (*answer)(struct exchange *), uint64_t seed, double share, int port) {
    proxy.server.answer = answer;
    proxy.upstream = port;
    proxy.seed = seed;
    proxy.share = share;
    proxy_forget_counts(&proxy);
    proxy_start(&proxy);
}

static void faults_change_nothing(void **state) {
    (void)state;
    const int64_t wanted = at_length ? 10000 : 1500;
    const int64_t began = clock_us();
    for (uint64_t seed = 1; all_requests < wanted; seed++) {
        char out[32];
        snprintf(out, sizeof out, "faults%d", (int)seed);
        proxy_for(proxy_answer, seed, A_FIFTH, 0);
        run_to_end(out, none);
        proxy_stop(&proxy);
        assert_same_data(out, &reference, PROBLEMS);
        assert_asked_once(out);
        assert_true(take_counts() > reference_requests);
    }
    for (int i = 0; i < SPOILS; i++) assert_true(all_spoiled[i] > 0);
    print_counts("from what was kept", began);
}

static void faults_of_a_real_server(void **state) {
    (void)state;
    if (!at_length) skip(); /* without a cache of prompts it takes minutes */
    const int64_t wanted = 300;
    const int64_t began = clock_us();
    proxy_for(proxy_answer, 0, 0, server.port);
    run_to_end("live", alone);
    proxy_stop(&proxy);
    live_reference = read_file("live", "/trajectories.jsonl");
    print_message("a real server without faults: %lld requests in %.1f s\n", (long long)take_counts(),
                  (double)(clock_us() - began) / 1e6);
    forget_counts();
    for (uint64_t seed = 1; all_requests < wanted; seed++) {
        char out[32];
        snprintf(out, sizeof out, "live%d", (int)seed);
        proxy_for(proxy_answer, 100 + seed, A_FIFTH, server.port);
        run_to_end(out, live);
        proxy_stop(&proxy);
        assert_same_data(out, &live_reference, LIVE);
        take_counts();
    }
    print_counts("a real server", began);
}

/* ---- killed ------------------------------------------------------------------------------------------------------ */

/* Kills the server, and has it back a moment later: the proxy, and behind it the real one if there is one. */
static void kill_server(bool real) {
    proxy_stop(&proxy);
    if (real) {
        int port = server.port;
        server_stop(&server);
        server = server_start_at(port, weights, 1);
    }
    usleep(50 * 1000);
    proxy_start(&proxy);
}

/* Whether cord had not begun: nobody was there to say what models there are, which is told soon. */
static bool found_no_server(const char *out, int status) {
    if (status != 1) return false;
    struct buf log = read_file(out, ".log");
    ptrdiff_t at = text_rfind(buf_text(&log), TEXT("cord: "));
    bool told = at >= 0 && text_find(text_slice(buf_text(&log), (size_t)at, log.len), TEXT(" tried ")) < 0;
    buf_release(&log);
    return told;
}

/* Runs are killed at random moments, every other time the server too, and gone on with; where one is done, another begins,
 * until so many kills have hit. `us`: what a run takes. */
static void kill_often(const char *name, int kills, int64_t us, const char *const *more, bool real) {
    struct rng rng;
    int hits = 0, runs = 0, absent = 0, superfluous = 0;
    rng_init(&rng, 7);
    while (hits < kills) {
        char out[32];
        snprintf(out, sizeof out, "%s%d", name, ++runs);
        for (int status = -1; status != 0;) {
            pid_t pid = start_run(out, more);
            if (hits < kills) {
                usleep((useconds_t)(rng_uniform(&rng) * (double)us));
                kill(pid, SIGKILL);
            }
            status = end_run(pid);
            hits += status == 128 + SIGKILL;
            absent += found_no_server(out, status);
            if (status != 0 && status != 128 + SIGKILL && absent > 20) fail_with_log(out, "the run did not end well");
            if (status == 128 + SIGKILL && hits % 2 == 0) kill_server(real);
        }
        assert_same_data(out, real ? &live_reference : &reference, real ? LIVE : PROBLEMS);
        superfluous += count_superfluous(out);
        take_counts();
    }
    print_message("killed %d times in %d runs; found no server %d times; %d replies were lost with the process\n", hits,
                  runs, absent, superfluous);
    assert_true(superfluous <= 16 * hits); /* what had arrived and was not yet written */
}

static void kills_change_nothing(void **state) {
    (void)state;
    const int64_t began = clock_us();
    proxy_for(proxy_answer, 1000, A_FIFTH, 0);
    kill_often("killed", at_length ? 10 : 3, at_length ? 4000 * 1000 : 2000 * 1000, none, false);
    proxy_stop(&proxy);
    take_counts();
    print_counts("killed, from what was kept", began);
}

static void kills_on_a_real_server(void **state) {
    (void)state;
    if (!at_length) skip();
    const int64_t began = clock_us();
    proxy_for(proxy_answer, 2000, A_FIFTH, server.port);
    kill_often("shot", 10, 15 * 1000 * 1000, live, true);
    proxy_stop(&proxy);
    take_counts();
    print_counts("killed, a real server", began);
}

/* ---- what cannot pass -------------------------------------------------------------------------------------------- */

/* Says one thing to all requests, or to those that begin so. */
struct refusal {
    const char *to; /* "POST /completion"; the rest is answered from what was kept */
    int status;
    const char *header, *body;
    const char *words; /* in what cord says */
    int exit;
    int most_requests; /* of that kind, at all: nobody asks for ever */
};
static const struct refusal *refusal;
static atomic_int refused;

static bool answer_refusal(struct exchange *x) {
    if (strncmp(x->head, refusal->to, strlen(refusal->to)) != 0) return proxy_answer(x);
    atomic_fetch_add(&refused, 1);
    return send_reply(x->fd, refusal->status, refusal->header, refusal->body);
}

static void what_cannot_pass_is_told(void **state) {
    (void)state;
    static const char key[] = "{\"error\":{\"message\":\"Invalid API Key\"}}",
                      overflow[] =
                          "{\"error\":{\"code\":400,\"message\":\"the request exceeds the available context\"}}";
    static const struct refusal refusals[] = {
        {"GET ", 401, NULL, key, "(the key is missing or wrong): {\"error\":{\"message\":\"Invalid API Key", 1, 1},
        {"GET ", 307, "Location: http://127.0.0.2:9/props\r\n", "", "307, a redirect to 127.0.0.2", 1, 1},
        {"GET ", 404, NULL, "{}", "none that cord knows", 1, 10},
        {"POST /tokenize", 401, NULL, "{}", "it answers 401", 1, PROBLEMS + 2},
        {"POST /completion", 404, NULL, "{\"error\":{\"message\":\"File Not Found\"}}", "it answers 404", 1, 60},
        {"POST /completion", 400, NULL, overflow, "exceeds the available context", 1, 60},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        char out[32];
        snprintf(out, sizeof out, "refused%d", (int)i);
        refusal = &refusals[i];
        atomic_store(&refused, 0);
        proxy_for(answer_refusal, 0, 0, 0);
        int status = end_run(start_run(out, none));
        proxy_stop(&proxy);
        struct buf log = read_file(out, ".log");
        if (status != refusal->exit || text_find(buf_text(&log), text_of(refusal->words)) < 0)
            fail_msg("%s %d: ended with %d: %s", refusal->to, refusal->status, status, log.data);
        if (atomic_load(&refused) > refusal->most_requests)
            fail_msg("%s %d: asked for %d times", refusal->to, refusal->status, atomic_load(&refused));
        buf_release(&log);
    }
    take_counts();
}

/* Once a run is on its way, the server refuses all for good, as one does whose key has expired. The run ends, in words; when
 * the server is willing again, it goes on where it was, and nothing that was answered is asked for again. */
static atomic_int answers_left;

static bool answer_some(struct exchange *x) {
    if (strncmp(x->head, "POST /completion", 16) != 0 || atomic_fetch_sub(&answers_left, 1) > 0) return proxy_answer(x);
    return send_reply(x->fd, 401, NULL, "{\"error\":{\"message\":\"the key has expired\"}}");
}

static void an_expired_key_loses_nothing(void **state) {
    (void)state;
    enum { MOMENTS = 12 };
    static const char *const some[] = {"--set", "run.in_flight=2", NULL};
    for (int i = 1; i <= MOMENTS; i++) {
        char out[32];
        snprintf(out, sizeof out, "expired%d", i);
        atomic_store(&answers_left, reference_requests * i / (2 * MOMENTS));
        proxy_for(answer_some, 0, 0, 0);
        int status = end_run(start_run(out, some));
        struct buf log = read_file(out, ".log");
        if (status != 1 || text_find(buf_text(&log), TEXT("the key has expired")) < 0)
            fail_msg("%s: %d: %s", out, status, log.data);
        buf_release(&log);
        atomic_store(&answers_left, INT_MAX);
        run_to_end(out, none);
        proxy_stop(&proxy);
        assert_same_data(out, &reference, PROBLEMS);
        assert_int_equal(count_superfluous(out), 0);
        take_counts();
    }
}

static void a_wrong_certificate_is_told(void **state) {
    (void)state;
    if (system("openssl version >/dev/null 2>&1") != 0) skip(); // NOLINT(cert-env33-c)
    struct tls_server tls;
    char url[3][100];
    tls_start(&tls, "IP:127.0.0.1");
    static const char *const names[] = {"one", "two", "prover"};
    const char *more[] = {"--set", url[0], "--set", url[1], "--set", url[2], NULL};
    for (int i = 0; i < 3; i++)
        snprintf(url[i], sizeof url[i], "models.%s.url=https://127.0.0.1:%d", names[i], tls.port);
    int64_t began = clock_us();
    int status = end_run(start_run("tls", more));
    struct buf log = read_file("tls", ".log");
    if (status != 1 || text_find(buf_text(&log), TEXT("certificate is not trusted")) < 0)
        fail_msg("%d: %s", status, log.data);
    assert_true(clock_us() - began < 20 * 1000 * 1000);
    buf_release(&log);
    tls_stop(&tls, "");
}

int main(void) {
    weights_need(SMOLLM2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_change_nothing),       cmocka_unit_test(faults_of_a_real_server),
        cmocka_unit_test(kills_change_nothing),        cmocka_unit_test(kills_on_a_real_server),
        cmocka_unit_test(what_cannot_pass_is_told),    cmocka_unit_test(an_expired_key_loses_nothing),
        cmocka_unit_test(a_wrong_certificate_is_told),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
