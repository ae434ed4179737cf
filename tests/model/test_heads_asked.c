/* test_heads_asked.c - whole conversations with a vLLM that has a classification head: what is asked, what is read, and that
 * nothing is paid for twice. */
#include "pretended.h"

/* ---- heads ------------------------------------------------------------------------------------------------------- */

static const cord_span steps[] = {
    {TEXT("Q "), true},          {TEXT("a <extra_0> b"), false}, {TEXT("<extra_0>"), true},
    {TEXT("is it 4?\n"), false}, {TEXT("<extra_0>"), true},
};

static cord_classification classified(struct served *s, const cord_span *prompt, int n, const char *mark) {
    cord_classification r = {.model = s->model, .prompt = prompt, .n_spans = n, .mark = text_of(mark)};
    assert_ok(cord_classify(s->engine, &r, 1, err));
    return r;
}

/* A mark that somebody wrote into a step is no place, and half a reply is asked for again. */
static void heads_are_read_at_their_marks(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_vllm, (struct manners){.half = true}, (cord_model_options){.context = 60}, err));
    cord_classification r = classified(&s, steps, 5, "<extra_0>");
    if (r.error.code != CORD_OK) fail_msg("%s", r.error.message);
    assert_int_equal(r.n_places, 2);
    assert_int_equal(r.n_classes, 2);
    assert_float_equal(exp(r.logprob[1]), 0.15, 1e-12); /* behind 2 and 13 bytes */
    assert_float_equal(exp(r.logprob[0]), 0.85, 1e-12);
    assert_float_equal(exp(r.logprob[3]), 0.25, 1e-12); /* and the mark, and 9 more */
    assert_int_equal(r.prompt_tokens, 26);
    assert_int_equal(s.manners.pooled, 2);
    assert_holds(s.manners.last, "\"task\":\"token_classify\"");
    cord_classification_release(&r);
    r = classified(&s, steps, 5, "<|no|>");
    assert_int_equal(r.error.code, CORD_BAD_MODEL);
    assert_holds(r.error.message, "no token <|no|>");
    const cord_span longer[] = {{TEXT("a row of more than 60 tokens in all: a row of more than 60 of them"), false},
                                {TEXT("<extra_0>"), true}};
    r = classified(&s, longer, 2, "<extra_0>");
    assert_int_equal(r.error.code, CORD_TOO_LONG);
    s.model->info.context = 0; /* of one that is not known nothing can be said */
    r = classified(&s, longer, 2, "<extra_0>");
    assert_int_equal(r.error.code, CORD_OK);
    cord_classification_release(&r);
    end(&s);
}

/* A ledger that keeps one reply. */
struct book {
    cord_request begun;
    cord_cost cost;
    char *reply;
    int n_begun, n_dropped, lost, room; /* room: so often may be asked again */
};

static bool find_kept(void *ctx, const cord_request *request, char **reply, size_t *len) {
    struct book *book = ctx;
    if (!book->reply || strcmp(request->key, book->begun.key) != 0) return false;
    *reply = strdup(book->reply);
    *len = strlen(book->reply);
    return true;
}

static cord_status begin_one(void *ctx, const cord_request *requests, int n, cord_error *error) {
    (void)error;
    struct book *book = ctx;
    book->begun = requests[n - 1];
    book->n_begun += n;
    return CORD_OK;
}

static void keep_one(void *ctx, const cord_request *request, cord_text reply, const cord_cost *cost, int lost) {
    (void)request;
    struct book *book = ctx;
    book->lost += lost;
    book->cost = *cost;
    free(book->reply);
    book->reply = strndup(reply.data, reply.len);
}

static void drop_one(void *ctx, const cord_request *request, int lost) {
    (void)request;
    ((struct book *)ctx)->lost += lost;
    ((struct book *)ctx)->n_dropped++;
}

static bool again_one(void *ctx, const cord_request *request, int lost) {
    (void)request;
    struct book *book = ctx;
    book->lost += lost;
    return book->room-- > 0;
}

static void heads_are_paid_for_once(void **state) {
    (void)state;
    struct served s;
    struct book book = {0};
    assert_ok(start(&s, answer_vllm, (struct manners){0}, (cord_model_options){.context = 60}, err));
    s.engine->options.ledger = (cord_ledger){&book, find_kept, begin_one, keep_one, drop_one, again_one};
    for (int time = 0; time < 2; time++) {
        cord_classification r = classified(&s, steps, 5, "<extra_0>");
        if (r.error.code != CORD_OK) fail_msg("%s", r.error.message);
        assert_float_equal(exp(r.logprob[3]), 0.25, 1e-12);
        cord_classification_release(&r);
        assert_int_equal(book.n_begun, 1); /* texts that are tokenised cost nothing */
        assert_int_equal(s.manners.pooled, 1);
    }
    assert_int_equal(book.begun.prompt_tokens, 26);
    assert_int_equal(book.begun.new_tokens, 0);
    assert_int_equal(book.cost.prompt_tokens, 26);
    assert_int_equal(book.n_dropped, 0);
    free(book.reply);
    end(&s);
}

static bool find_none(void *ctx, const cord_request *request, char **reply, size_t *len) {
    (void)ctx, (void)request, (void)reply, (void)len;
    return false;
}

static cord_status allow_nothing(void *ctx, const cord_request *requests, int n, cord_error *error) {
    (void)requests, (void)n;
    assert_null(ctx);
    return error_set(error, CORD_CANCELLED, "all is spent");
}

/* Functions that keep what they know elsewhere bound spending, too. */
static void a_ledger_needs_no_ctx(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_vllm, (struct manners){0}, (cord_model_options){.context = 60}, err));
    s.engine->options.ledger = (cord_ledger){.find = find_none, .begin = allow_nothing};
    cord_classification r = {.model = s.model, .prompt = steps, .n_spans = 5, .mark = TEXT("<extra_0>")};
    cord_error why = {0};
    assert_int_equal(cord_classify(s.engine, &r, 1, &why), CORD_CANCELLED);
    assert_string_equal(why.message, "all is spent");
    assert_int_equal(s.manners.pooled, 0);
    cord_classification_release(&r);
    end(&s);
}

/* A reply that was of no use is told the ledger before it is asked for again, and once; who has no room ends the call, which then
 * has no result of any request. */
static void lost_requests_are_booked_at_once(void **state) {
    (void)state;
    for (int room = 0; room < 2; room++) {
        struct served s;
        struct book book = {.room = room};
        assert_ok(start(&s, answer_vllm, (struct manners){.half = true},
                        (cord_model_options){.context = 60, .requests = 1}, err));
        s.engine->options.ledger = (cord_ledger){&book, find_kept, begin_one, keep_one, drop_one, again_one};
        cord_classification r[2];
        r[0] = r[1] = (cord_classification){.model = s.model, .prompt = steps, .n_spans = 5, .mark = TEXT("<extra_0>")};
        cord_error error = {0};
        assert_int_equal(cord_classify(s.engine, r, 2, &error), room ? CORD_OK : CORD_CANCELLED);
        if (!room) assert_holds(error.message, "no room for another try");
        assert_int_equal(s.manners.pooled, 2 + room);
        assert_int_equal(book.lost, 1);
        assert_int_equal(book.n_dropped, !room);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(r[i].n_places, room ? 2 : 0);
            assert_true(!r[i].logprob == !room);
            cord_classification_release(&r[i]);
        }
        free(book.reply);
        end(&s);
    }
}

static void who_has_no_head_says_so(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_vllm, (struct manners){.no_head = true}, (cord_model_options){.context = 60}, err));
    cord_classification r = classified(&s, steps, 5, "<extra_0>");
    assert_int_equal(r.error.code, CORD_BAD_MODEL);
    assert_holds(r.error.message, "404");
    end(&s);
    assert_ok(start(&s, answer_openai, (struct manners){.strings_named = true},
                    (cord_model_options){.protocol = "openai"}, err));
    r = classified(&s, steps, 3, "<extra_0>");
    assert_int_equal(r.error.code, CORD_BAD_MODEL);
    assert_holds(r.error.message, "the protocol openai, which tells nothing of a classification head");
    struct cord_model file = {.backend = &backend_local, .engine = s.engine, .info = {.name = "f"}};
    r = (cord_classification){.model = &file, .prompt = steps, .n_spans = 5, .mark = TEXT("<extra_0>")};
    assert_ok(cord_classify(s.engine, &r, 1, err));
    assert_int_equal(r.error.code, CORD_BAD_MODEL);
    assert_holds(r.error.message, "the weights of f have no such head here");
    end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read_at_their_marks), cmocka_unit_test(heads_are_paid_for_once),
        cmocka_unit_test(a_ledger_needs_no_ctx),         cmocka_unit_test(lost_requests_are_booked_at_once),
        cmocka_unit_test(who_has_no_head_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
