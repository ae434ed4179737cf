/* test_ledger.c - replies of servers are there after a kill, and gone with the round that they were for; spending is counted
 * and never goes beyond its bounds. On real SQLite files. */
#include "store/sample.h"

#include "store/database.h"
#include "store/ledger.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static const struct price prices[] = {{"big", 2, 0.5, 10}, {"small", 0.1, 0.1, 0.4}};

struct fixture {
    char folder[64];
    struct journal *journal;
    struct ledger *ledger;
    cord_ledger calls;
    struct sample sample;
};

static void open_both(struct fixture *f, struct budget budget) {
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &f->journal, err));
    sample_problems(f->journal);
    assert_ok(ledger_open(f->journal, &budget, prices, 2, &f->ledger, err));
    f->calls = ledger_calls(f->ledger);
}

static void close_both(struct fixture *f) {
    assert_ok(ledger_close(f->ledger, err));
    journal_close(f->journal);
    f->ledger = NULL;
    f->journal = NULL;
}

static int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    scratch_folder(f.folder);
    sample_build(&f.sample);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    if (f->ledger) close_both(f);
    scratch_remove(f->folder);
    return 0;
}

/* The n-th request of a problem. */
static cord_request request_of(int64_t problem, int n) {
    cord_request request = {
        .model = n % 2 ? "big" : "small", .group = (uint64_t)problem, .prompt_tokens = 100, .new_tokens = 20};
    sha256_text(text_of((char[]){(char)('A' + n % 26), (char)('a' + n / 26), '\0'}), request.key);
    return request;
}

static const char *reply_of(int n) {
    static char text[64];
    snprintf(text, sizeof text, "{\"n\":%d,\"text\":\"\xC3\xA9\\n\"}", n);
    return text;
}

static void answer(struct fixture *f, const cord_request *request, int n) {
    assert_ok(f->calls.begin(f->calls.ctx, request, 1, err));
    f->calls.keep(f->calls.ctx, request, text_of(reply_of(n)), &(cord_cost){100, 60, 7}, 0);
}

static bool is_known(struct fixture *f, const cord_request *request, const char *want) {
    char *reply;
    size_t len;
    if (!f->calls.find(f->calls.ctx, request, &reply, &len)) return false;
    assert_text(((cord_text){reply, len}), want);
    free(reply);
    return true;
}

static void test_replies_survive_until_their_round(void **state) {
    struct fixture *f = *state;
    open_both(f, (struct budget){0});
    for (int n = 0; n < 40; n++) answer(f, &(cord_request[]){request_of(1 + n % 2, n)}[0], n);
    cord_request nobodys = request_of(0, 41);
    answer(f, &nobodys, 41);
    close_both(f);

    open_both(f, (struct budget){0});
    for (int n = 0; n < 40; n++) {
        cord_request request = request_of(1 + n % 2, n);
        assert_true(is_known(f, &request, reply_of(n)));
    }
    cord_request never = request_of(1, 50), others = request_of(2, 0);
    assert_false(is_known(f, &never, ""));
    assert_false(is_known(f, &others, "")); /* what one problem was told is not another's */
    assert_false(is_known(f, &nobodys, ""));
    cord_request look =
        request_of(1, 0); /* a look before a start has its words from a run that called it a problem's */
    look.group = 0;
    journal_lock(f->journal); /* who looks holds the journal: it must not be asked */
    assert_false(is_known(f, &look, ""));
    journal_unlock(f->journal);
    struct spending s = ledger_spending(f->ledger);
    assert_int_equal(s.known, 40);
    assert_int_equal(s.requests, 41);

    /* A reply that comes just before its round is written goes with it, too. */
    cord_request late = request_of(1, 45);
    answer(f, &late, 45);
    journal_lock(f->journal);
    assert_ok(ledger_write(f->ledger, err));
    sample_started(f->journal, 1);
    journal_unlock(f->journal);
    close_both(f);

    open_both(f, (struct budget){0});
    for (int n = 0; n < 46; n++) {
        cord_request request = request_of(1, n);
        assert_false(is_known(f, &request, ""));
    }
    cord_request second = request_of(2, 1);
    assert_true(is_known(f, &second, reply_of(1)));
}

/* By hand: 'big' answers 20 requests, 'small' 20. */
static void test_what_is_spent(void **state) {
    struct fixture *f = *state;
    open_both(f, (struct budget){0});
    for (int n = 0; n < 40; n++) answer(f, &(cord_request[]){request_of(1, n)}[0], n);
    cord_request lost = request_of(1, 41); /* of big: sent three times, no answer to two, and none at all in the end */
    assert_ok(f->calls.begin(f->calls.ctx, &lost, 1, err));
    f->calls.drop(f->calls.ctx, &lost, 2);
    for (int again = 0; again < 2; again++) {
        struct spending s = ledger_spending(f->ledger);
        assert_int_equal(s.requests, 40);
        assert_int_equal(s.prompt_tokens, 4000);
        assert_int_equal(s.cached_tokens, 2400);
        assert_int_equal(s.new_tokens, 280);
        assert_int_equal(s.lost, 2);
        double big = (800 * 2 + 1200 * 0.5 + 140 * 10) / 1e6, small = (2000 * 0.1 + 140 * 0.4) / 1e6;
        double wasted = 2 * (100 * 2 + 20 * 10) / 1e6;
        assert_true(fabs(s.money - big - small - wasted) < 1e-12);
        close_both(f);
        open_both(f, (struct budget){0});
    }
}

/* Killed as soon as it may be sent, whoever else begins at that moment. */
static void test_no_request_leaves_unknown(void **state) {
    struct fixture *f = *state;
    for (int n = 1; n <= 20; n++) {
        pid_t child = fork();
        if (child == 0) {
            open_both(f, (struct budget){0});
            cord_request request = request_of(n % 3, n); /* of group 0, too: a look at a server */
            if (f->calls.begin(f->calls.ctx, &request, 1, NULL) != CORD_OK) _exit(1);
            kill(getpid(), SIGKILL);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        open_both(f, (struct budget){0});
        assert_int_equal(ledger_spending(f->ledger).lost, n);
        close_both(f);
    }
}

/* Killed with three on their way, one of which has arrived. */
static void test_a_kill_loses_what_is_open(void **state) {
    struct fixture *f = *state;
    pid_t child = fork();
    if (child == 0) {
        open_both(f, (struct budget){0});
        cord_request three[] = {request_of(1, 1), request_of(1, 2), request_of(1, 3)};
        assert_ok(f->calls.begin(f->calls.ctx, three, 3, err));
        f->calls.keep(f->calls.ctx, &three[1], text_of(reply_of(2)), &(cord_cost){100, 0, 5}, 1);
        usleep(200000); /* the writer's */
        kill(getpid(), SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    open_both(f, (struct budget){0});
    cord_request arrived = request_of(1, 2), on_its_way = request_of(1, 3);
    assert_true(is_known(f, &arrived, reply_of(2)));
    assert_false(is_known(f, &on_its_way, ""));
    struct spending s = ledger_spending(f->ledger);
    assert_int_equal(s.requests, 1);
    assert_int_equal(s.lost, 3); /* two on their way, and one before that which arrived */
}

/* ---- budgets --------------------------------------------------------------------------------------------------- */

struct spender {
    struct fixture *f;
    pthread_t thread;
    int number, answered;
    cord_error error;
};

/* Asks until it is told to stop; what is asked for costs a quarter of what it might. */
static void *spend(void *arg) {
    struct spender *s = arg;
    for (int n = 0; n < 10000; n++) {
        cord_request two[] = {request_of(1, s->number), request_of(1, s->number)};
        if (s->f->calls.begin(s->f->calls.ctx, two, 2, &s->error) != CORD_OK) break;
        if (n % 7 == 0) usleep(300);
        for (int i = 0; i < 2; i++) {
            s->f->calls.keep(s->f->calls.ctx, &two[i], TEXT("{}"), &(cord_cost){25, 0, 5}, 0);
            s->answered++;
        }
    }
    return NULL;
}

/* Eight threads at once; gives what was spent. */
static struct spending spend_all(struct fixture *f, struct budget budget) {
    enum { SPENDERS = 8 };
    struct spender spenders[SPENDERS] = {0};
    open_both(f, budget);
    int answered = (int)ledger_spending(f->ledger).requests; /* before */
    for (int i = 0; i < SPENDERS; i++) {
        spenders[i] = (struct spender){.f = f, .number = i};
        assert_int_equal(pthread_create(&spenders[i].thread, NULL, spend, &spenders[i]), 0);
    }
    for (int i = 0; i < SPENDERS; i++) {
        pthread_join(spenders[i].thread, NULL);
        assert_int_equal(spenders[i].error.code, CORD_CANCELLED);
        answered += spenders[i].answered;
    }
    struct spending s = ledger_spending(f->ledger);
    assert_int_equal(s.requests, answered);
    assert_non_null(ledger_exhausted(f->ledger));
    return s;
}

static void test_bounds_are_kept_and_used(void **state) {
    struct fixture *f = *state;
    struct spending s = spend_all(f, (struct budget){.requests = 501});
    assert_int_equal(s.requests, 500);
    assert_non_null(strstr(ledger_exhausted(f->ledger), "budget.requests is 501: 500 are spent"));
    close_both(f);

    /* A higher bound goes on from there. */
    s = spend_all(f, (struct budget){.requests = 600});
    assert_int_equal(s.requests, 600);
    close_both(f);

    /* 600 requests took 18,000 tokens; the next two may need 240. */
    s = spend_all(f, (struct budget){.tokens = 20000});
    assert_true(s.prompt_tokens + s.new_tokens <= 20000);
    assert_true(s.prompt_tokens + s.new_tokens > 20000 - 240);
    close_both(f);

    s = spend_all(f, (struct budget){.money = 1});
    assert_true(s.money <= 1);
    assert_true(s.money > 1 - 2 * (100 * 2 + 20 * 10) / 1e6);
    assert_non_null(strstr(ledger_exhausted(f->ledger), "budget.money is 1: "));
}

/* What was lost counts with all that it might have cost. */
static void test_lost_requests_count(void **state) {
    struct fixture *f = *state;
    open_both(f, (struct budget){.requests = 10});
    cord_request request = request_of(1, 1);
    assert_ok(f->calls.begin(f->calls.ctx, &request, 1, err));
    f->calls.drop(f->calls.ctx, &request, 8);
    cord_error err = {0};
    cord_request three[] = {request_of(1, 1), request_of(1, 2), request_of(1, 3)};
    assert_int_equal(f->calls.begin(f->calls.ctx, three, 3, &err), CORD_CANCELLED);
    assert_non_null(strstr(err.message, "budget.requests is 10: 8 are spent, and what comes next needs 3"));
}

/* What is lost counts at once, and what has no room any more is not sent again. */
static void test_lost_requests_count_while_they_are_tried(void **state) {
    struct fixture *f = *state;
    open_both(f, (struct budget){.requests = 4});
    cord_request request = request_of(1, 1), other = request_of(1, 2), check = request_of(0, 3);
    assert_ok(f->calls.begin(f->calls.ctx, &request, 1, err));
    assert_ok(f->calls.begin(f->calls.ctx, &other, 1, err));
    assert_true(f->calls.again(f->calls.ctx, &request, 1));
    assert_true(f->calls.again(f->calls.ctx, &request, 1));
    assert_null(ledger_exhausted(f->ledger));
    assert_false(f->calls.again(f->calls.ctx, &request, 1));
    f->calls.drop(f->calls.ctx, &request, 0);
    assert_int_equal(ledger_spending(f->ledger).lost, 3);
    f->calls.keep(f->calls.ctx, &other, TEXT("{}"), &(cord_cost){1, 0, 1}, 0);
    assert_non_null(
        strstr(ledger_exhausted(f->ledger), "budget.requests is 4: 3 are spent, and what comes next needs 2"));
    assert_ok(f->calls.begin(f->calls.ctx, &check, 1, err));
    assert_true(f->calls.again(f->calls.ctx, &check, 1)); /* a look at a server is never refused */
    f->calls.drop(f->calls.ctx, &check, 0);
}

/* What others that are open may cost fills the bound, and they will cost less: a request that was lost is sent again all the
 * same, as long as it has room by itself. */
static void test_bookings_of_others_refuse_nothing(void **state) {
    struct fixture *f = *state;
    open_both(f, (struct budget){.tokens = 1000});
    cord_request request = request_of(1, 1), other = request_of(1, 2);
    request.prompt_tokens = other.prompt_tokens = 100, request.new_tokens = 100, other.new_tokens = 700;
    assert_ok(f->calls.begin(f->calls.ctx, &request, 1, err));
    assert_ok(f->calls.begin(f->calls.ctx, &other, 1, err));
    for (int lost = 1; lost <= 4; lost++) assert_true(f->calls.again(f->calls.ctx, &request, 1));
    assert_null(ledger_exhausted(f->ledger));
    assert_false(f->calls.again(f->calls.ctx, &request, 1)); /* 1,000 are lost, and it needs 200 more */
    assert_non_null(strstr(ledger_exhausted(f->ledger), "budget.tokens is 1000: 1000 are spent"));
    f->calls.drop(f->calls.ctx, &request, 0);
    f->calls.keep(f->calls.ctx, &other, TEXT("{}"), &(cord_cost){1, 0, 1}, 0);
}

/* Under another name a model begins with nothing, and the run does not. */
static void test_former_names_count(void **state) {
    struct fixture *f = *state;
    open_both(f, (struct budget){0});
    for (int n = 0; n < 3; n++) {
        cord_request request = request_of(1, n);
        assert_ok(f->calls.begin(f->calls.ctx, &request, 1, err));
        f->calls.keep(f->calls.ctx, &request, TEXT("{}"), &(cord_cost){10, 0, 5}, 1);
    }
    close_both(f);
    static const struct price renamed = {"huge", 1, 1, 1};
    assert_ok(journal_open(f->folder, JOURNAL_WRITE, &f->journal, err));
    assert_ok(ledger_open(f->journal, &(struct budget){.requests = 7}, &renamed, 1, &f->ledger, err));
    f->calls = ledger_calls(f->ledger);
    cord_request one = request_of(1, 1), two = request_of(1, 2);
    one.model = two.model = "huge";
    cord_error why = {0};
    assert_ok(f->calls.begin(f->calls.ctx, &one, 1, err));
    f->calls.keep(f->calls.ctx, &one, TEXT("{}"), &(cord_cost){10, 0, 5}, 0);
    assert_int_equal(f->calls.begin(f->calls.ctx, &two, 1, &why), CORD_CANCELLED);
    assert_non_null(strstr(why.message, "budget.requests is 7: 7 are spent"));
    struct spending s = ledger_spending(f->ledger);
    assert_int_equal(s.requests, 4);
    assert_int_equal(s.prompt_tokens, 40);
    assert_int_equal(s.lost, 3);
}

/* A journal that cannot be written ends the spending: what is paid for must be kept. */
static void test_no_journal_no_requests(void **state) {
    struct fixture *f = *state;
    open_both(f, (struct budget){0});
    journal_lock(f->journal);
    assert_ok(query_script(f->journal, err, "take the table away", "DROP TABLE reply"));
    journal_unlock(f->journal);
    cord_request request = request_of(1, 1);
    assert_ok(f->calls.begin(f->calls.ctx, &request, 1, err));
    f->calls.keep(f->calls.ctx, &request, TEXT("{}"), &(cord_cost){1, 0, 1}, 0);
    journal_lock(f->journal);
    (void)ledger_write(f->ledger, NULL);
    journal_unlock(f->journal);
    cord_error err = {0};
    assert_int_equal(f->calls.begin(f->calls.ctx, &request, 1, &err), CORD_IO_ERROR);
    assert_non_null(strstr(err.message, "reply"));
    assert_int_equal(ledger_close(f->ledger, &err), CORD_IO_ERROR);
    journal_close(f->journal);
    f->ledger = NULL;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_replies_survive_until_their_round),
        TEST(test_what_is_spent),
        TEST(test_no_request_leaves_unknown),
        TEST(test_a_kill_loses_what_is_open),
        TEST(test_bounds_are_kept_and_used),
        TEST(test_lost_requests_count),
        TEST(test_lost_requests_count_while_they_are_tried),
        TEST(test_bookings_of_others_refuse_nothing),
        TEST(test_former_names_count),
        TEST(test_no_journal_no_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
