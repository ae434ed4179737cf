/* test_share.c - servers that share a device: stand-ins that speak as vLLM does, sleep and wake, and note whatever a real
 * one would suffer from: a request while it sleeps, sleep while it computes, another one awake on the same device. */
#include "rig.h"

#include "model/http/remote.h"
#include "model/http/share.h"

enum { SERVERS_MOST = 5 };

/* What the stand-ins of one device have together. */
struct card {
    atomic_int awake, most_awake;
};

struct stand_in {
    struct fault_server server;
    struct card *card; /* NULL: one of its own */
    bool cannot;       /* it does not offer the calls */
    bool is_llama;
    atomic_bool asleep;
    atomic_int busy, answered, tokenized, slept, woken;
    atomic_int asked_asleep, interrupted;                   /* must not happen */
    atomic_int us;                                          /* that an answer takes; -1: for ever */
    atomic_int wake_fails, wake_status, woken_after, asked; /* so many wake-ups fail so; polls until it is awake */
};

/* ---- a stand-in for vLLM ----------------------------------------------------------------------------------------- */

static bool say(struct exchange *x, int status, const char *body) { return send_reply(x->fd, status, NULL, body); }

/* A token for each byte. */
static bool tokenize(struct exchange *x, const json_t *body) {
    const char *text = json_string_value(json_object_get(body, "prompt"));
    json_t *ids = json_array(), *strings = json_array();
    for (const char *c = text; *c; c++) {
        json_array_append_new(ids, json_integer(*c));
        json_array_append_new(strings, json_stringn(c, 1));
    }
    json_t *reply = json_pack("{s:o, s:o}", "tokens", ids, "token_strs", strings);
    char *words = json_dumps(reply, 0);
    bool goes_on = say(x, 200, words);
    free(words);
    json_decref(reply);
    return goes_on;
}

static bool complete(struct exchange *x, const json_t *body) {
    struct stand_in *s = x->server->ctx;
    char reply[400];
    const json_t *allowed = json_array_get(json_object_get(body, "allowed_token_ids"), 0);
    atomic_fetch_add(&s->busy, 1);
    bool slept = atomic_load(&s->asleep);
    int us = atomic_load(&s->us);
    if (us < 0) return hang(x->fd);
    usleep((unsigned)us);
    if (slept || atomic_load(&s->asleep)) {
        atomic_fetch_add(&s->asked_asleep, 1);
        atomic_fetch_sub(&s->busy, 1);
        return say(x, 400, "{\"error\": {\"message\": \"asleep\"}}");
    }
    snprintf(reply, sizeof reply,
             "{\"choices\": [{\"text\": \"x\", \"finish_reason\": \"length\", \"logprobs\": {\"tokens\": "
             "[\"token_id:%d\"], \"token_logprobs\": [-0.5]}}], \"usage\": {\"completion_tokens\": 1}}",
             (int)json_integer_value(allowed));
    atomic_fetch_add(&s->answered, 1);
    atomic_fetch_sub(&s->busy, 1);
    return say(x, 200, reply);
}

static bool fall_asleep(struct exchange *x) {
    struct stand_in *s = x->server->ctx;
    if (atomic_load(&s->busy)) atomic_fetch_add(&s->interrupted, 1);
    if (!atomic_exchange(&s->asleep, true)) atomic_fetch_sub(&s->card->awake, 1);
    usleep(2000);
    atomic_fetch_add(&s->slept, 1);
    return say(x, 200, "");
}

static void rise(struct stand_in *s) {
    if (!atomic_exchange(&s->asleep, false)) return;
    int now = atomic_fetch_add(&s->card->awake, 1) + 1, most = atomic_load(&s->card->most_awake);
    while (now > most && !atomic_compare_exchange_weak(&s->card->most_awake, &most, now)) {}
}

/* It says that it will, and is awake a little later. */
static bool wake_up(struct exchange *x) {
    struct stand_in *s = x->server->ctx;
    if (atomic_fetch_sub(&s->wake_fails, 1) > 0)
        return say(x, atomic_load(&s->wake_status), "{\"error\": \"no room\"}");
    atomic_fetch_add(&s->woken, 1);
    atomic_store(&s->asked, 0);
    if (atomic_load(&s->woken_after) == 0) rise(s);
    return say(x, 200, "");
}

static bool say_state(struct exchange *x) {
    struct stand_in *s = x->server->ctx;
    int after = atomic_load(&s->woken_after);
    if (after && atomic_load(&s->woken) && atomic_fetch_add(&s->asked, 1) == after) rise(s);
    return say(x, 200, atomic_load(&s->asleep) ? "{\"is_sleeping\": true}" : "{\"is_sleeping\": false}");
}

static bool is_asked(const struct exchange *x, const char *line) { return !strncmp(x->head, line, strlen(line)); }

static bool answer(struct exchange *x) {
    struct stand_in *s = x->server->ctx;
    json_error_t error;
    if (s->is_llama)
        return is_asked(x, "GET /props") ? say(x, 200, "{\"default_generation_settings\": {\"n_ctx\": 4096}}")
                                         : say(x, 404, "{}");
    if (is_asked(x, "GET /version")) return say(x, 200, "{\"version\": \"0.32.0\"}");
    if (is_asked(x, "GET /v1/models")) return say(x, 200, "{\"data\": [{\"id\": \"m\", \"max_model_len\": 4096}]}");
    if (!s->cannot && is_asked(x, "GET /is_sleeping ")) return say_state(x);
    if (!s->cannot && is_asked(x, "POST /sleep?level=1 ")) return fall_asleep(x);
    if (!s->cannot && is_asked(x, "POST /wake_up ")) return wake_up(x);
    bool tokens = is_asked(x, "POST /tokenize ");
    if (!tokens && !is_asked(x, "POST /v1/completions ")) return say(x, 404, "{\"detail\": \"Not Found\"}");
    json_t *body = json_loadb(x->body.data, x->body.len, 0, &error);
    if (tokens) atomic_fetch_add(&s->tokenized, 1);
    bool goes_on = tokens ? tokenize(x, body) : complete(x, body);
    json_decref(body);
    return goes_on;
}

/* ---- a set-up ---------------------------------------------------------------------------------------------------- */

struct scene {
    struct card card;
    struct stand_in s[SERVERS_MOST];
    int n;
    cord_engine *engine;
    cord_model *model[SERVERS_MOST];
};

static struct stand_in *add_server(struct scene *scene, bool asleep) {
    struct stand_in *s = &scene->s[scene->n++];
    s->server = (struct fault_server){.answer = answer, .ctx = s};
    s->card = &scene->card;
    atomic_store(&s->asleep, asleep);
    atomic_store(&s->us, 2000);
    atomic_fetch_add(&scene->card.awake, !asleep);
    fault_server_start(&s->server);
    return s;
}

static cord_status open_at(struct scene *scene, int i, const char *name, const char *url, const char *device,
                           cord_error *err) {
    cord_model_options options = {.name = name, .url = url, .device = device};
    return cord_model_open(scene->engine, &options, &scene->model[i], err);
}

static const char *const names[SERVERS_MOST] = {"a", "b", "c", "d", "e"};

static void open_all(struct scene *scene, const char *device) {
    assert_ok(cord_engine_open(&(cord_engine_options){0}, &scene->engine, err));
    for (int i = 0; i < scene->n; i++)
        assert_ok(open_at(scene, i, names[i], fault_server_url(&scene->s[i].server), device, err));
}

static struct share *share_of(const struct scene *scene) { return remote_of(scene->model[0])->sleeper->share; }

/* Each turn begins with waking who has it. */
static int turns_of(const struct scene *scene) {
    int woken = 0;
    for (int i = 0; i < scene->n; i++) woken += atomic_load(&scene->s[i].woken);
    return woken;
}

static void close_all(struct scene *scene) {
    cord_engine_close(scene->engine);
    for (int i = 0; i < scene->n; i++) fault_server_stop(&scene->s[i].server);
}

static void assert_unharmed(const struct scene *scene) {
    for (int i = 0; i < scene->n; i++) {
        assert_int_equal(atomic_load(&scene->s[i].asked_asleep), 0);
        assert_int_equal(atomic_load(&scene->s[i].interrupted), 0);
    }
    assert_true(atomic_load(&scene->card.most_awake) <= 1);
}

static const cord_span prompt = {TEXT("Once"), true};

static cord_proposal proposal_of(const cord_model *model) {
    return (cord_proposal){.model = model, .prompt = &prompt, .n_spans = 1, .max_tokens = 1, .group = 1};
}

/* One request; its own error counts, too. */
static cord_status ask(struct scene *scene, int i, cord_error *err) {
    cord_proposal p = proposal_of(scene->model[i]);
    CORD_TRY(cord_propose(scene->engine, &p, 1, err));
    cord_status status = p.error.code;
    if (status != CORD_OK) *err = p.error;
    cord_proposal_release(&p);
    return status;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* The one that is awake first stays so, the others sleep, and tokens are to be had from all. */
static void test_opening(void **state) {
    (void)state;
    struct scene scene = {0};
    add_server(&scene, true);
    add_server(&scene, false);
    add_server(&scene, false);
    open_all(&scene, "gpu");
    assert_true(atomic_load(&scene.s[0].asleep));
    assert_false(atomic_load(&scene.s[1].asleep));
    assert_true(atomic_load(&scene.s[2].asleep));
    for (int i = 0; i < 3; i++) {
        int tokens;
        assert_ok(cord_count_tokens(scene.model[i], &prompt, 1, &tokens, err));
        assert_int_equal(tokens, 4);
        assert_int_equal(atomic_load(&scene.s[i].woken), 0);
    }
    assert_ok(ask(&scene, 1, err));
    assert_int_equal(turns_of(&scene), 0);
    assert_ok(ask(&scene, 2, err));
    assert_int_equal(turns_of(&scene), 1);
    assert_true(atomic_load(&scene.s[1].asleep));
    assert_unharmed(&scene);
    cord_engine_close(scene.engine); /* they are left as they are */
    assert_false(atomic_load(&scene.s[2].asleep));
    for (int i = 0; i < 3; i++) fault_server_stop(&scene.s[i].server);
}

static void assert_refused(struct scene *scene, const char *url, const char *device, const char *words) {
    cord_error err = {0};
    assert_int_not_equal(open_at(scene, 4, "another", url, device, &err), CORD_OK);
    assert_holds(err.message, words);
}

static void test_refusals(void **state) {
    (void)state;
    struct scene scene = {0};
    add_server(&scene, false);
    open_all(&scene, "gpu");
    add_server(&scene, false)->cannot = true;
    add_server(&scene, false)->is_llama = true;
    const char *url = fault_server_url(&scene.s[0].server);
    char slash[100];
    snprintf(slash, sizeof slash, " %s//", url);
    assert_refused(&scene, fault_server_url(&scene.s[1].server), "gpu", "--enable-sleep-mode");
    assert_refused(&scene, fault_server_url(&scene.s[1].server), "gpu", "VLLM_SERVER_DEV_MODE=1");
    assert_refused(&scene, fault_server_url(&scene.s[2].server), "gpu", "llama-server cannot be put to sleep");
    assert_refused(&scene, url, NULL, "a is served at the same URL");
    assert_refused(&scene, url, "other", "a is served at the same URL");
    assert_refused(&scene, slash, NULL, "a is served at the same URL");
    assert_ok(
        open_at(&scene, 3, "twin", slash, "gpu", err)); /* another name for the same server sleeps and wakes with it */
    assert_false(atomic_load(&scene.s[0].asleep));
    assert_ok(ask(&scene, 3, err));
    assert_ok(ask(&scene, 0, err));
    assert_int_equal(turns_of(&scene), 0);
    assert_int_equal(atomic_load(&scene.s[0].slept), 0);
    close_all(&scene);
}

/* Two models with two replicas each: all of a model's sleep, or all are awake. */
static void test_replicas(void **state) {
    (void)state;
    struct scene scene = {0};
    char urls[2][200];
    for (int i = 0; i < 4; i++) add_server(&scene, i == 1);
    for (int k = 0; k < 2; k++)
        snprintf(urls[k], sizeof urls[k], "%s %s", fault_server_url(&scene.s[2 * k].server),
                 fault_server_url(&scene.s[2 * k + 1].server));
    assert_ok(cord_engine_open(&(cord_engine_options){0}, &scene.engine, err));
    for (int k = 0; k < 2; k++) assert_ok(open_at(&scene, k, names[k], urls[k], "gpus", err));
    assert_true(atomic_load(&scene.s[0].asleep) && atomic_load(&scene.s[1].asleep)); /* one slept already */
    assert_ok(ask(&scene, 0, err));
    for (int i = 0; i < 4; i++) assert_int_equal(atomic_load(&scene.s[i].asleep), i >= 2);
    assert_ok(ask(&scene, 1, err));
    for (int i = 0; i < 4; i++) assert_int_equal(atomic_load(&scene.s[i].asleep), i < 2);
    for (int i = 0; i < 4; i++) assert_int_equal(atomic_load(&scene.s[i].asked_asleep), 0);
    close_all(&scene);
}

/* ---- many problems ----------------------------------------------------------------------------------------------- */

enum { THREADS = 24, ROUNDS = 5 };

struct searcher {
    struct scene *scene;
    int number, wrong;
};

/* As a search does: proposals of all in one call, then scores of one. */
static void *search(void *arg) {
    struct searcher *me = arg;
    struct scene *scene = me->scene;
    for (int round = 0; round < ROUNDS; round++) {
        cord_proposal p[8];
        for (int i = 0; i < 8; i++) p[i] = proposal_of(scene->model[(i + me->number) % scene->n]);
        cord_scoring r = {.model = scene->model[0],
                          .prompt = &prompt,
                          .n_spans = 1,
                          .target = {TEXT("12"), true},
                          .group = (uint64_t)me->number};
        me->wrong += cord_propose(scene->engine, p, 8, NULL) != CORD_OK;
        for (int i = 0; i < 8; i++) {
            me->wrong += p[i].error.code != CORD_OK || !p[i].text || strcmp(p[i].text, "x") != 0;
            cord_proposal_release(&p[i]);
        }
        me->wrong += cord_score(scene->engine, &r, 1, NULL) != CORD_OK || r.error.code != CORD_OK || r.n_tokens != 2;
        cord_scoring_release(&r);
    }
    return NULL;
}

static void test_many_problems(void **state) {
    (void)state;
    struct scene scene = {0};
    for (int i = 0; i < 3; i++) atomic_store(&add_server(&scene, i != 1)->woken_after, i);
    open_all(&scene, "gpu");
    struct card own = {0};
    add_server(&scene, false)->card = &own;
    atomic_fetch_sub(&scene.card.awake, 1);
    assert_ok(open_at(&scene, 3, "d", fault_server_url(&scene.s[3].server), NULL, err));
    share_of(&scene)->linger = 50 * 1000;
    struct searcher searchers[THREADS];
    pthread_t threads[THREADS];
    int64_t began = clock_us();
    for (int i = 0; i < THREADS; i++) {
        searchers[i] = (struct searcher){&scene, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, search, &searchers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) assert_int_equal(searchers[i].wrong, 0);
    assert_unharmed(&scene);
    int answered = 0;
    for (int i = 0; i < 4; i++) answered += atomic_load(&scene.s[i].answered);
    assert_int_equal(answered, THREADS * ROUNDS * 10);
    assert_int_equal(atomic_load(&scene.s[3].slept) + atomic_load(&scene.s[3].woken), 0);
    int turns = turns_of(&scene);
    print_message("%d problems, %d rounds: %d turns of 3 models, %.1f s\n", THREADS, ROUNDS, turns,
                  (double)(clock_us() - began) / 1e6);
    assert_true(turns >= 2 * ROUNDS);
    assert_true(turns <= 6 * ROUNDS); /* three a round, and more for those who fell behind on a busy machine */
    close_all(&scene);
}

/* What needs different devices goes on side by side. */
static void test_devices_are_apart(void **state) {
    (void)state;
    struct scene scene = {0};
    for (int i = 0; i < 2; i++) add_server(&scene, false);
    assert_ok(cord_engine_open(&(cord_engine_options){0}, &scene.engine, err));
    for (int i = 0; i < 2; i++)
        assert_ok(open_at(&scene, i, names[i], fault_server_url(&scene.s[i].server), names[i], err));
    for (int i = 0; i < 2; i++) atomic_store(&scene.s[i].us, 300 * 1000);
    cord_proposal p[2] = {proposal_of(scene.model[0]), proposal_of(scene.model[1])};
    int64_t began = clock_us();
    assert_ok(cord_propose(scene.engine, p, 2, err));
    assert_true(clock_us() - began < 550 * 1000);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(p[i].error.code, CORD_OK);
        cord_proposal_release(&p[i]);
    }
    close_all(&scene);
}

/* ---- a turn that would never end --------------------------------------------------------------------------------- */

struct crowd {
    struct scene *scene;
    int model;
    atomic_bool over;
    atomic_int wrong;
};

static void *crowd_in(void *arg) {
    struct crowd *crowd = arg;
    for (int i = 0; i < 2000 && !atomic_load(&crowd->over); i++) {
        cord_error err = {0};
        atomic_fetch_add(&crowd->wrong, ask(crowd->scene, crowd->model, &err) != CORD_OK);
    }
    return NULL;
}

static void test_nobody_starves(void **state) {
    (void)state;
    struct scene scene = {0};
    for (int i = 0; i < 3; i++) add_server(&scene, i > 0);
    open_all(&scene, "gpu");
    share_of(&scene)->most = 400 * 1000;
    atomic_store(&scene.s[0].us, 20 * 1000);
    struct crowd crowd = {.scene = &scene};
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) assert_int_equal(pthread_create(&threads[i], NULL, crowd_in, &crowd), 0);
    usleep(500 * 1000); /* longer than `most`: while nobody else waits, a turn has no end */
    assert_int_equal(turns_of(&scene), 0);
    for (int i = 1; i < 3; i++) {
        int before = atomic_load(&scene.s[0].answered);
        int64_t began = clock_us();
        assert_ok(ask(&scene, i, err));
        int64_t us = clock_us() - began;
        int meanwhile = atomic_load(&scene.s[0].answered) - before;
        print_message("served after %.2f s, and %d of the others meanwhile\n", (double)us / 1e6, meanwhile);
        assert_true(us < 3000 * 1000);
        assert_true(us >= 300 * 1000 && meanwhile > 6); /* the crowd had the rest of its turn */
    }
    while (atomic_load(&scene.s[0].asleep)) usleep(1000); /* and has its turn again */
    atomic_store(&crowd.over, true);
    for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&crowd.wrong), 0);
    assert_unharmed(&scene);
    close_all(&scene);
}

/* Two that never have enough do not pass the turn to each other for ever. */
static void test_longest_wait_is_next(void **state) {
    (void)state;
    struct scene scene = {0};
    for (int i = 0; i < 3; i++) add_server(&scene, true);
    open_all(&scene, "gpu");
    share_of(&scene)->most = 150 * 1000;
    struct crowd crowds[2] = {{.scene = &scene, .model = 1}, {.scene = &scene, .model = 2}};
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) assert_int_equal(pthread_create(&threads[i], NULL, crowd_in, &crowds[i % 2]), 0);
    usleep(400 * 1000);
    int64_t began = clock_us();
    for (int i = 0; i < 2; i++) assert_ok(ask(&scene, 0, err));
    int64_t us = clock_us() - began;
    for (int i = 0; i < 2; i++) atomic_store(&crowds[i].over, true);
    for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
    print_message("twice between two crowds in %.2f s\n", (double)us / 1e6);
    assert_true(us < 3000 * 1000);
    assert_int_equal(atomic_load(&crowds[0].wrong) + atomic_load(&crowds[1].wrong), 0);
    assert_unharmed(&scene);
    close_all(&scene);
}

/* ---- what goes wrong --------------------------------------------------------------------------------------------- */

static void test_failures_to_wake(void **state) {
    (void)state;
    struct scene scene = {0};
    for (int i = 0; i < 2; i++) add_server(&scene, i > 0);
    open_all(&scene, "gpu");
    cord_error why = {0};
    atomic_store(&scene.s[1].wake_fails, 1);
    atomic_store(&scene.s[1].wake_status, 400);
    assert_int_equal(ask(&scene, 1, &why), CORD_IO_ERROR);
    assert_holds(why.message, "no room");
    assert_holds(why.where, "waking b");
    assert_ok(ask(&scene, 0, err)); /* the other one is as good as before */
    assert_ok(ask(&scene, 1, err)); /* and so is it, when it can be woken */
    assert_ok(ask(&scene, 0, err));
    atomic_store(&scene.s[1].wake_fails, 1);
    atomic_store(&scene.s[1].wake_status, 500); /* which is tried again */
    assert_ok(ask(&scene, 1, err));
    assert_unharmed(&scene);
    close_all(&scene);
}

struct asker {
    struct scene *scene;
    int model;
    cord_error error;
    int64_t ended;
};

static void *ask_as_thread(void *arg) {
    struct asker *asker = arg;
    (void)ask(asker->scene, asker->model, &asker->error);
    asker->ended = clock_us();
    return NULL;
}

static void test_stops_at_the_gate(void **state) {
    (void)state;
    struct scene scene = {0};
    for (int i = 0; i < 2; i++) add_server(&scene, i > 0);
    open_all(&scene, "gpu");
    share_of(&scene)->linger = 5 * 1000 * 1000; /* so that it is `stop` that ends the waiting, not the one who leaves */
    atomic_store(&scene.s[0].us, -1);
    struct asker askers[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        askers[i] = (struct asker){.scene = &scene, .model = i > 0};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_as_thread, &askers[i]), 0);
        while (atomic_load(&scene.s[0].busy) == 0) usleep(1000);
    }
    usleep(200 * 1000); /* seven wait for a turn that does not end */
    int64_t stopped = clock_us(), last = 0;
    cord_engine_stop(scene.engine);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(askers[i].error.code, CORD_CANCELLED);
        if (askers[i].ended > last) last = askers[i].ended;
    }
    print_message("stopped after %.3f s\n", (double)(last - stopped) / 1e6);
    assert_true(last - stopped < 1000 * 1000); /* 0.1 s, where the machine is not too busy */
    assert_int_equal(atomic_load(&scene.s[1].answered), 0);
    assert_int_equal(atomic_load(&scene.s[1].woken), 0);
    close_all(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_replicas),
        cmocka_unit_test(test_many_problems),
        cmocka_unit_test(test_devices_are_apart),
        cmocka_unit_test(test_nobody_starves),
        cmocka_unit_test(test_longest_wait_is_next),
        cmocka_unit_test(test_failures_to_wake),
        cmocka_unit_test(test_stops_at_the_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
