/* test_model_server.c - a real llama-server as a back end, beside the local one on the same weights: scores agree
 * within the kernels' limits, greedy texts too, stop strings and turns end where they should, and what a user wrote
 * is no special token. The same server is also spoken to as OpenAI's completions, as a chat alone, and by streams. */
#include "reference.h"
#include "server.h"

#include "model/http/remote.h"

#include <math.h>

static struct server server;
static cord_engine *engine;
static cord_model *local, *remote;

static int open_both(void **state) {
    (void)state;
    server = server_start(SMOLLM2, 4);
    engine = weights_engine();
    local = weights_open(engine, SMOLLM2, 1024, 0, 0);
    cord_model_options options = {.name = "served", .url = server.url};
    assert_ok(cord_model_open(engine, &options, &remote, err));
    return 0;
}

static int close_both(void **state) {
    (void)state;
    cord_engine_close(engine);
    server_stop(&server);
    return 0;
}

static const char turn[] = "<|im_start|>user\nWhat is 3 times 4?<|im_end|>\n<|im_start|>assistant\n";

static void it_says_what_it_is(void **state) {
    (void)state;
    const cord_model_info *info = cord_model_get_info(remote), *same = cord_model_get_info(local);
    assert_true(text_starts(text_of(info->description), TEXT("llama-server ")));
    assert_int_equal(info->context, 1024);
    assert_true(text_equal(info->chat_template, same->chat_template));
    assert_text(info->eos, "<|im_end|>");
    assert_non_null(info->scoring);
    assert_int_equal(info->wants_bos, same->wants_bos);
    assert_int_equal(info->wants_bos, CORD_BOS_NONE); /* as the file says of its tokenizer */
}

static void tokens_are_the_same(void **state) {
    (void)state;
    static const char *const texts[] = {"", "Hello", turn, "\xF0\x9F\x98\x80 na\xC3\xAFve\n\n\tx  y", "\\frac{1}{2}"};
    enum { TEXTS = sizeof texts / sizeof *texts };
    cord_span spans[TEXTS][2];
    cord_counting together[TEXTS][2]; /* all of them in one call */
    for (int i = 0; i < TEXTS; i++)
        for (int trusted = 0; trusted < 2; trusted++) {
            spans[i][trusted] = (cord_span){text_of(texts[i]), trusted};
            together[i][trusted] = (cord_counting){.spans = &spans[i][trusted], .n_spans = 1};
        }
    assert_ok(cord_count(remote, together[0], 2 * TEXTS, err));
    for (int i = 0; i < TEXTS; i++)
        for (int trusted = 0; trusted < 2; trusted++) {
            cord_span span = spans[i][trusted];
            int here, there;
            assert_ok(cord_count_tokens(local, &span, 1, &here, err));
            assert_ok(cord_count_tokens(remote, &span, 1, &there, err));
            assert_int_equal(together[i][trusted].error.code, CORD_OK);
            assert_int_equal(together[i][trusted].tokens, there);
            /* a tag that is a user's is cut behind its first byte there, and spelled in ordinary tokens here */
            bool tags = !trusted && strchr(texts[i], '<');
            if (tags ? there < here - 8 || there < 20 : here != there)
                fail_msg("'%s' (%d): %d tokens here, %d there", texts[i], trusted, here, there);
        }
}

static cord_scoring scoring_of(const cord_model *model, const cord_span *prompt, const char *reasoning,
                               const char *target) {
    return (cord_scoring){.model = model,
                          .prompt = prompt,
                          .n_spans = 1,
                          .reasoning = text_of(reasoning),
                          .opening = {TEXT(" </think> The final answer is "), true},
                          .target = {text_of(target), false},
                          .closing = {TEXT("."), true},
                          .group = 1};
}

static void scores_are_the_local_ones(void **state) {
    (void)state;
    static const struct reference_limits limits = REFERENCE_Q4_1;
    static const char *const rows[][2] = {
        {"", "12"},
        {"<think> ### Step 1. 3 times 4 is 12.", "12"},
        {"<think> ### Step 1. 3 times 4 is 12.", "13"},
        {"<think> ### Step 1. 3 and 4 make 7.", "12"},
        {"<think> ### Step 1. A half of it.", "\\frac{1}{2}"},
        {"<think> ### Step 1. No.", "no"},
        /* characters of several tokens: of the first of them the server tells nothing by itself; some are unlikely */
        {"<think> ### Step 1. A root.", "2\xE2\x88\x9A"
                                        "2"},
        {"<think> ### Step 1. It has no end.", "(-\xE2\x88\x9E, 3]"},
        {"<think> ### Step 1. \xE4\xB8\x80, \xE4\xBA\x8C,", "\xE4\xB8\x89"},
        {"<think> ### Step 1. A smile.", "\xF0\x9F\x98\x80"},
    };
    enum { N = sizeof rows / sizeof *rows, SPANNING = 6 }; /* the first row of those characters */
    /* mean differences: seen with AVX-512 were up to 0.06 and 0.15; the plain way in other cells has 0.055 (test_model_score.c) */
    static const double most[2] = {0.09, 0.21};
    cord_span prompt = {text_of(turn), true};
    cord_scoring here[N], there[N];
    for (int i = 0; i < N; i++) {
        here[i] = scoring_of(local, &prompt, rows[i][0], rows[i][1]);
        there[i] = scoring_of(remote, &prompt, rows[i][0], rows[i][1]);
    }
    assert_ok(cord_score(engine, here, N, err));
    assert_ok(cord_score(engine, there, N, err));
    double sum[2] = {0}, worst = 0;
    int n[2] = {0};
    for (int i = 0; i < N; i++) {
        int spanning = i >= SPANNING;
        assert_int_equal(here[i].error.code, CORD_OK);
        if (there[i].error.code != CORD_OK) fail_msg("%s", there[i].error.message);
        assert_int_equal(here[i].n_tokens, there[i].n_tokens);
        assert_int_equal(here[i].reasoning_tokens, there[i].reasoning_tokens);
        for (int k = 0; k < here[i].n_tokens; k++, n[spanning]++) {
            double apart = fabs(here[i].logprob[k] - there[i].logprob[k]);
            assert_true(text_equal(here[i].token[k], there[i].token[k]));
            sum[spanning] += apart;
            worst = fmax(worst, apart);
        }
        assert_true(fabs(here[i].score - there[i].score) <= limits.score);
    }
    for (int s = 0; s < 2; s++) {
        printf("%d tokens: mean difference %.4f nats\n", n[s], sum[s] / n[s]);
        assert_true(sum[s] / n[s] <= most[s]);
    }
    assert_true(worst <= limits.worst);
    assert_true(there[1].score > there[2].score); /* the right answer behind the right step */
    for (int i = 0; i < N; i++) cord_scoring_release(&here[i]), cord_scoring_release(&there[i]);
}

static void two_ways_agree(void **state) {
    (void)state;
    cord_scoring_check check;
    assert_ok(cord_check_scoring(engine, remote, true, &check, err));
    assert_int_equal(check.n_ways, 2);
    for (int i = 0; i < 2; i++)
        if (!check.way[i].obtained) fail_msg("%s: %s", check.way[i].name, check.way[i].why);
    printf("two ways differ by %.4f nats\n", check.apart);
    assert_true(check.right && check.apart < 0.25);
    for (int i = 0; i < 2; i++) { /* " 51, 52, 53" has 11 tokens, and what stands before it was there the time before */
        assert_int_equal(check.way[i].requests, 11);
        assert_true(check.way[i].computed_tokens >= 11 && check.way[i].computed_tokens < 11 * 20);
        assert_true(check.way[i].cached_tokens > 11 * 150);
    }
    assert_string_equal(cord_model_get_info(remote)->scoring, check.way[0].name);
}

static cord_proposal proposal_of(const cord_model *model, const cord_span *prompt, int n) {
    return (cord_proposal){.model = model, .prompt = prompt, .n_spans = n, .max_tokens = 12, .group = 2};
}

static void greedy_texts_are_the_local_ones(void **state) {
    (void)state;
    static const char *const prompts[] = {turn, "The capital of France is", "1, 2, 3, 4,", "Once upon a time"};
    int same = 0;
    for (size_t i = 0; i < 4; i++) {
        cord_span span = {text_of(prompts[i]), true};
        cord_proposal both[2] = {proposal_of(local, &span, 1), proposal_of(remote, &span, 1)};
        assert_ok(cord_propose(engine, both, 2, err));
        if (both[1].error.code != CORD_OK) fail_msg("%s", both[1].error.message);
        assert_int_equal(both[0].prompt_tokens, both[1].prompt_tokens);
        same += !strcmp(both[0].text, both[1].text) && both[0].end == both[1].end;
        cord_proposal_release(&both[0]);
        cord_proposal_release(&both[1]);
    }
    printf("%d of 4 greedy texts are the same\n", same);
    assert_true(same >= 3); /* a draw within rounding may fall otherwise */
}

static void texts_end_where_they_should(void **state) {
    (void)state;
    cord_span span = {text_of("1, 2, 3, 4, 5,"), true};
    cord_text stops[] = {TEXT("zzz"), TEXT(", 9")};
    cord_proposal p = proposal_of(remote, &span, 1);
    p.stops = stops, p.n_stops = 2;
    assert_ok(cord_propose(engine, &p, 1, err));
    assert_int_equal(p.error.code, CORD_OK);
    assert_int_equal(p.end, CORD_END_STOP);
    assert_int_equal(p.stop, 1);
    assert_string_equal(p.text, " 6, 7, 8");
    cord_proposal_release(&p);

    p = proposal_of(remote, &span, 1);
    p.max_tokens = 3;
    assert_ok(cord_propose(engine, &p, 1, err));
    assert_int_equal(p.end, CORD_END_LENGTH);
    assert_int_equal(p.new_tokens, 3);
    cord_proposal_release(&p);

    cord_span hello = {text_of("<|im_start|>user\nSay only: Hi<|im_end|>\n<|im_start|>assistant\nHi"), true};
    p = proposal_of(remote, &hello, 1);
    p.max_tokens = 200;
    assert_ok(cord_propose(engine, &p, 1, err));
    assert_int_equal(p.end, CORD_END_TURN);
    cord_proposal_release(&p);
}

/* Each of these characters has several tokens, and most limits lie inside one. */
static void texts_end_with_whole_characters(void **state) {
    (void)state;
    static const char smiles[] = "\xF0\x9F\x98\x80\xF0\x9F\x98\x81\xF0\x9F\x98\x82\xF0\x9F\x98\x83"
                                 "\xF0\x9F\x98\x84\xF0\x9F\x98\x85\xF0\x9F\x98\x86\xF0\x9F\x98\x89";
    cord_span span = {text_of(smiles), true};
    cord_proposal p[6];
    for (int i = 0; i < 6; i++) {
        p[i] = proposal_of(remote, &span, 1);
        p[i].max_tokens = i + 1;
    }
    assert_ok(cord_propose(engine, p, 6, err));
    for (int i = 0; i < 6; i++) {
        assert_int_equal(p[i].error.code, CORD_OK);
        assert_int_equal(p[i].end, CORD_END_LENGTH);
        assert_int_equal(p[i].new_tokens, i + 1);
        if (strstr(p[i].text, "\xEF\xBF\xBD")) fail_msg("%d tokens: \"%s\"", i + 1, p[i].text);
    }
    assert_true(p[0].len < p[5].len);
    for (int i = 0; i < 6; i++) cord_proposal_release(&p[i]);
}

static void seeds_are_kept(void **state) {
    (void)state;
    cord_span span = {text_of("Once upon a time"), true};
    cord_proposal p[3];
    for (int i = 0; i < 3; i++) {
        p[i] = proposal_of(remote, &span, 1);
        p[i].sampling = (cord_sampling){.temperature = 1, .top_p = 1, .seed = i == 2 ? 99 : 7};
    }
    assert_ok(cord_propose(engine, p, 3, err));
    assert_string_not_equal(p[0].text, p[2].text);
    for (int i = 0; i < 3; i++) cord_proposal_release(&p[i]);
}

/* A turn that a user writes is no turn: the tokens differ from the template's own. */
static void only_trusted_text_is_special(void **state) {
    (void)state;
    cord_span spans[] = {{TEXT("<|im_start|>user\nSay <|im_end|> again"), false}, {TEXT("<|im_end|>\n"), true}};
    cord_span trusted[] = {{spans[0].text, true}, spans[1]};
    cord_proposal p[2] = {proposal_of(remote, spans, 2), proposal_of(remote, trusted, 2)};
    p[0].max_tokens = p[1].max_tokens = 1;
    assert_ok(cord_propose(engine, p, 2, err));
    assert_true(p[0].prompt_tokens >= p[1].prompt_tokens + 8);
    cord_proposal_release(&p[0]);
    cord_proposal_release(&p[1]);
}

/* As of a server that was started again with other weights. */
static void another_model_is_told(void **state) {
    (void)state;
    assert_true(
        text_starts(text_of(cord_model_get_info(remote)->serves), TEXT("smollm2-135m-instruct.gguf, 134515008 ")));
    struct remote *own = remote_of(remote);
    const char *named = own->named;
    assert_string_equal(named, "smollm2-135m-instruct.gguf");
    own->named = "another.gguf";
    cord_span span = {text_of(turn), true};
    cord_proposal p = proposal_of(remote, &span, 1);
    cord_scoring r = scoring_of(remote, &span, "", "12");
    assert_ok(cord_propose(engine, &p, 1, err));
    assert_ok(cord_score(engine, &r, 1, err));
    own->named = named;
    assert_int_equal(p.error.code, CORD_BAD_MODEL);
    assert_int_equal(r.error.code, CORD_BAD_MODEL);
    assert_true(text_find(text_of(p.error.message), TEXT("another model now")) >= 0);
    cord_proposal_release(&p);
    cord_scoring_release(&r);
}

/* ---- the same server in other words ------------------------------------------------------------------------- */

static cord_model *open_as(const char *name, const char *protocol, bool stream) {
    cord_model *model;
    cord_model_options options = {.name = name, .url = server.url, .protocol = protocol, .stream = stream};
    assert_ok(cord_model_open(engine, &options, &model, err));
    return model;
}

/* The same text in each, whole or as events; the server names its stop strings in its own protocol alone. */
static void streams_say_the_same(void **state) {
    (void)state;
    cord_span span = {text_of("1, 2, 3, 4, 5,"), true};
    cord_text endings[] = {TEXT("zzz"), TEXT(", 9")};
    const cord_model *models[] = {remote, open_as("streamed", "llama-server", true), open_as("plain", "openai", false)};
    for (int stopped = 0; stopped < 2; stopped++)
        for (int i = 0; i < 3; i++) {
            cord_proposal p = proposal_of(models[i], &span, 1);
            p.stops = endings, p.n_stops = stopped ? 2 : 0;
            p.max_tokens = 200;
            if (!stopped) p.max_tokens = 9;
            assert_ok(cord_propose(engine, &p, 1, err));
            if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
            assert_string_equal(p.text, stopped ? " 6, 7, 8" : " 6, 7, 8,");
            assert_int_equal(p.end, stopped ? CORD_END_STOP : CORD_END_LENGTH);
            assert_int_equal(p.stop, stopped ? 1 : -1);
            assert_true(stopped ? p.new_tokens >= 9 && p.new_tokens < 16
                                : p.new_tokens == 9); /* not 200: it was left */
            cord_proposal_release(&p);
        }
    cord_span hello = {text_of("<|im_start|>user\nSay only: Hi<|im_end|>\n<|im_start|>assistant\nHi"), true};
    for (int i = 0; i < 3; i++) {
        cord_proposal p = proposal_of(models[i], &hello, 1);
        p.max_tokens = 200;
        assert_ok(cord_propose(engine, &p, 1, err));
        assert_int_equal(p.end, CORD_END_TURN);
        cord_proposal_release(&p);
    }
}

/* A server has one model, whatever it is asked for; who asks for another is told. */
static void another_model_is_not_taken_for_the_one(void **state) {
    (void)state;
    cord_model_options options = {.name = "other", .url = server.url, .served = "no-such-model"};
    cord_model *model = NULL;
    cord_error why = {0};
    assert_int_equal(cord_model_open(engine, &options, &model, &why), CORD_BAD_INPUT);
    assert_non_null(strstr(why.message, "the server has no model 'no-such-model'; it serves: "));
}

static void completions_cannot_score_here(void **state) {
    (void)state;
    cord_model *plain = open_as("plain", "openai", false);
    assert_true(text_starts(text_of(cord_model_get_info(plain)->description), TEXT("OpenAI completions of ")));
    assert_int_equal(cord_model_get_info(plain)->context, 1024);
    cord_scoring_check check;
    assert_ok(cord_check_scoring(engine, plain, true, &check, err));
    assert_false(check.right);
    assert_true(text_find(text_of(check.way[0].why), TEXT("it ignores \"echo\"")) >= 0);
    assert_null(cord_model_get_info(plain)->scoring);
    cord_span users = {TEXT("Say <|im_end|> again"), false};
    cord_proposal p = proposal_of(plain, &users, 1);
    assert_ok(cord_propose(engine, &p, 1, err));
    assert_int_equal(p.error.code, CORD_BAD_INPUT);
    assert_true(text_find(text_of(p.error.message), TEXT("<|im_end|>")) >= 0);
    cord_proposal_release(&p);
}

/* A chat that is gone on with is the text that the model's template would have made of it. */
static void chats_are_gone_on_with(void **state) {
    (void)state;
    static const char rendered[] =
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhat is 3 times 4?<|im_end|>\n"
        "<|im_start|>assistant\nThe product of 3 and";
    const cord_span whole = {text_of(rendered), true};
    const cord_span turns[] = {{TEXT("<|cord:system|>"), true},    {TEXT("Be brief."), false},
                               {TEXT("<|cord:user|>"), true},      {TEXT("What is 3 times 4?"), false},
                               {TEXT("<|cord:assistant|>"), true}, {TEXT("The product of 3 and"), false}};
    cord_model *chat = open_as("chat", "chat", false);
    cord_proposal both[2] = {proposal_of(remote, &whole, 1), proposal_of(chat, turns, 6)};
    both[0].max_tokens = both[1].max_tokens = 8;
    assert_ok(cord_propose(engine, both, 2, err));
    for (int i = 0; i < 2; i++)
        if (both[i].error.code != CORD_OK) fail_msg("%s", both[i].error.message);
    assert_string_equal(both[0].text, both[1].text);
    assert_int_equal(both[0].prompt_tokens, both[1].prompt_tokens);
    assert_int_equal(both[1].new_tokens, 8);
    for (int i = 0; i < 2; i++) cord_proposal_release(&both[i]);
    assert_null(cord_model_get_info(chat)->scoring);
    int tokens;
    cord_error err = {0};
    assert_int_equal(cord_count_tokens(chat, &whole, 1, &tokens, &err), CORD_BAD_MODEL);
    assert_true(text_find(text_of(err.message), TEXT("it can be a teacher")) >= 0);
}

static void what_cannot_be_is_told(void **state) {
    (void)state;
    cord_model *model;
    cord_error err = {0};
    cord_model_options options = {.name = "served", .url = server.url, .protocol = "vllm"};
    assert_int_equal(cord_model_open(engine, &options, &model, &err), CORD_BAD_MODEL);
    assert_true(text_find(text_of(err.message), TEXT("protocol")) >= 0);
    options = (cord_model_options){.name = "served", .url = server.url, .context = 100000};
    err = (cord_error){0};
    assert_int_equal(cord_model_open(engine, &options, &model, &err), CORD_BAD_MODEL);
    assert_true(text_find(text_of(err.message), TEXT("1024")) >= 0);
    options = (cord_model_options){.name = "served", .url = "ftp://127.0.0.1"};
    err = (cord_error){0};
    assert_int_equal(cord_model_open(engine, &options, &model, &err), CORD_BAD_INPUT);
}

int main(void) {
    weights_need(SMOLLM2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_it_is),
        cmocka_unit_test(tokens_are_the_same),
        cmocka_unit_test(scores_are_the_local_ones),
        cmocka_unit_test(two_ways_agree),
        cmocka_unit_test(greedy_texts_are_the_local_ones),
        cmocka_unit_test(texts_end_where_they_should),
        cmocka_unit_test(texts_end_with_whole_characters),
        cmocka_unit_test(seeds_are_kept),
        cmocka_unit_test(only_trusted_text_is_special),
        cmocka_unit_test(another_model_is_told),
        cmocka_unit_test(streams_say_the_same),
        cmocka_unit_test(another_model_is_not_taken_for_the_one),
        cmocka_unit_test(completions_cannot_score_here),
        cmocka_unit_test(chats_are_gone_on_with),
        cmocka_unit_test(what_cannot_be_is_told),
    };
    return cmocka_run_group_tests(tests, open_both, close_both);
}
