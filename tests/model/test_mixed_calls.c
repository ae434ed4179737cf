/* test_mixed_calls.c - calls for a model of a server and one in the process at once: neither waits for the other, and where the
 * call itself fails neither has results. What answers is written as in test_protocols_asked.c. */
#include "pretended.h"
#include "tiny.h"

/* ---- side by side -------------------------------------------------------------------------------------------- */

static cord_model *_Atomic beside;
static atomic_llong written_before;

/* Notes how far the model beside the server is when a request comes. */
static bool answer_and_look(struct exchange *x) {
    if (beside && asks(x, "POST", "/v1/completions"))
        atomic_store(&written_before, cord_model_get_usage(beside).proposed_tokens);
    return answer_openai(x);
}

/* A call for a server and for a model of this machine keeps both busy at once. */
static void a_server_computes_beside_this_machine(void **state) {
    (void)state;
    enum { TOKENS = 600 };
    struct served s;
    char path[64];
    cord_model *local = NULL;
    assert_ok(start(&s, answer_and_look, (struct manners){.strings_named = true},
                    (cord_model_options){.protocol = "openai"}, err));
    tiny_write(TINY_LLAMA, path);
    assert_ok(cord_model_open(s.engine, &(cord_model_options){.name = "tiny", .path = path}, &local, err));
    unlink(path);
    beside = local;
    cord_proposal p[2] = {
        {.model = s.model, .prompt = question, .n_spans = 1, .stops = stops, .n_stops = 2, .max_tokens = 20},
        {.model = local, .prompt = question, .n_spans = 1, .max_tokens = TOKENS}};
    atomic_store(&written_before, -1);
    assert_ok(cord_propose(s.engine, p, 2, err));
    for (int i = 0; i < 2; i++)
        if (p[i].error.code != CORD_OK) fail_msg("%s", p[i].error.message);
    assert_in_range(p[1].new_tokens, TOKENS / 2, TOKENS);
    assert_in_range(atomic_load(&written_before), 0, p[1].new_tokens / 2);
    for (int i = 0; i < 2; i++) cord_proposal_release(&p[i]);
    end(&s);
}

/* ---- calls that fail ----------------------------------------------------------------------------------------- */

static const char *hangs_at; /* a part of the body */
static atomic_bool hung;

static bool answer_or_hang(struct exchange *x) {
    char body[4000];
    snprintf(body, sizeof body, "%.*s", (int)x->body.len, x->body.data);
    if (!hangs_at || !strstr(body, hangs_at)) return answer_sglang(x);
    atomic_store(&hung, true);
    return hang(x->fd);
}

struct mixed {
    struct served served;
    cord_model *local;
};

/* When one request hangs, and all others have their replies. */
static void *stop_it(void *arg) {
    struct mixed *m = arg;
    while (!atomic_load(&hung)) usleep(1000);
    usleep(500 * 1000);
    cord_engine_stop(m->served.engine);
    return NULL;
}

static void mixed_open(struct mixed *m, const char *at, pthread_t *stopper) {
    char path[64];
    hangs_at = at;
    atomic_store(&hung, false);
    assert_ok(start(&m->served, answer_or_hang, (struct manners){0}, (cord_model_options){.protocol = "sglang"}, err));
    tiny_write(TINY_LLAMA, path);
    assert_ok(cord_model_open(m->served.engine, &(cord_model_options){.name = "tiny", .path = path}, &m->local, err));
    unlink(path);
    assert_int_equal(pthread_create(stopper, NULL, stop_it, m), 0);
}

/* Whatever became of the others: a server's, or those of another back end. */
static void a_call_that_fails_has_no_results(void **state) {
    (void)state;
    struct mixed m;
    pthread_t stopper;
    mixed_open(&m, "\"max_new_tokens\":21", &stopper);
    cord_proposal p[3];
    for (int i = 0; i < 3; i++)
        p[i] = (cord_proposal){.model = i < 2 ? m.served.model : m.local,
                               .prompt = question,
                               .n_spans = 3,
                               .stops = stops,
                               .n_stops = 2,
                               .max_tokens = i == 1 ? 21 : 4};
    assert_int_equal(cord_propose(m.served.engine, p, 3, NULL), CORD_CANCELLED);
    for (int i = 0; i < 3; i++) {
        if (p[i].text || p[i].len) fail_msg("proposal %d has a text", i);
        cord_proposal_release(&p[i]);
    }
    pthread_join(stopper, NULL);
    end(&m.served);

    mixed_open(&m, "\"logprob_start_len\":42", &stopper);
    cord_scoring r[3];
    for (int i = 0; i < 3; i++)
        r[i] = (cord_scoring){.model = i < 2 ? m.served.model : m.local,
                              .prompt = question,
                              .n_spans = 3,
                              .opening = {i == 1 ? TEXT(".") : TEXT(""), true},
                              .target = {TEXT("no"), false}};
    assert_int_equal(cord_score(m.served.engine, r, 3, NULL), CORD_CANCELLED);
    for (int i = 0; i < 3; i++) {
        if (r[i].logprob || r[i].token || r[i].n_tokens) fail_msg("scoring %d has values", i);
        cord_scoring_release(&r[i]);
    }
    pthread_join(stopper, NULL);
    end(&m.served);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_computes_beside_this_machine),
        cmocka_unit_test(a_call_that_fails_has_no_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
