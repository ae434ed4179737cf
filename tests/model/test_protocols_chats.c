/* test_protocols_chats.c - whole conversations with hosts that take chats alone, see test_protocols_asked.c; and what is said of
 * a server that is busy or away when scores are tried. */
#include "pretended.h"

static const cord_span turn[] = {
    {TEXT("<|cord:user|>"), true}, {TEXT("Count."), false}, {TEXT("<|cord:assistant|>1, 2"), true}};

static void chats_are_gone_on_with(void **state) {
    (void)state;
    static const struct {
        struct manners manners;
        const char *url, *going_on, *found;
    } rows[] = {
        {{.says = "en, eight,", .needs = "\"continue_final_message\":true"}, NULL, NULL, "continue_final_message"},
        {{.says = "en, eight,", .needs = "\"prefix\":true"}, NULL, NULL, "prefix"},
        {{.says = "en, eight,", .needs = "\"prefix\":true"}, NULL, "plain", NULL}, /* the recipe's word counts */
        {{.says = "en, eight,", .path = "/beta/chat/completions"}, "/beta", "prefix", "prefix"},
        {{.says = "en, eight,", .path = "/api/v1/chat/completions"}, "/api/v1/", "plain", "plain"},
        {{.says = "en, eight,", .path = "/team/v1/chat/completions"}, "/team", "plain", "plain"},
        {{.says = "en, eight,", .repeats = true}, NULL, "prefix", "prefix"},
        {{.says = "en, eight,"}, NULL, "continue_final_mesage", NULL}, /* no way that there is */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct served s;
        struct manners manners = rows[i].manners;
        cord_error error = {0};
        manners.strings_named = true;
        cord_model_options options = {
            .protocol = "chat", .url = rows[i].url, .going_on = rows[i].going_on, .served = "large"};
        cord_status status = start(&s, answer_openai, manners, options, &error);
        if (rows[i].found) {
            if (status != CORD_OK) fail_msg("row %zu: %s", i, error.message);
            assert_holds(cord_model_get_info(s.model)->description, rows[i].found);
            cord_proposal p = propose(&s, turn, 3);
            if (p.error.code != CORD_OK) fail_msg("row %zu: %s", i, p.error.message);
            assert_string_equal(p.text, "en, eight,"); /* whatever it was asked */
            cord_proposal_release(&p);
            cord_scoring_check check;
            assert_ok(cord_check_scoring(s.engine, s.model, true, &check, err));
            assert_true(check.n_ways == 0 && !check.right && strstr(check.way[0].why, "chat"));
            int tokens;
            assert_int_equal(cord_count_tokens(s.model, turn, 3, &tokens, &error), CORD_BAD_MODEL);
            assert_holds(error.message, "teacher");
            cord_scoring r = {.model = s.model, .prompt = turn, .n_spans = 3, .target = {TEXT("4"), false}};
            assert_ok(cord_score(s.engine, &r, 1, err));
            assert_int_equal(r.error.code, CORD_BAD_MODEL);
            cord_scoring_release(&r);
        } else {
            assert_int_equal(status, strstr(rows[i].going_on, "mesage") ? CORD_BAD_INPUT : CORD_BAD_MODEL);
        }
        end(&s);
    }
}

/* A conversation of many turns, each of whom it is. */
static void all_turns_are_sent(void **state) {
    (void)state;
    struct served s;
    assert_ok(start(&s, answer_openai, (struct manners){.says = "en, eight,", .strings_named = true},
                    (cord_model_options){.protocol = "chat", .going_on = "plain", .served = "large"}, err));
    cord_message turns[12];
    for (int i = 0; i < 12; i++)
        turns[i] = (cord_message){i == 0 ? "system" : i % 2 ? "user" : "assistant", i == 10 ? TEXT("Five") : TEXT("x")};
    cord_prompt prompt;
    assert_ok(cord_prompt_render(s.model, turns, 12, &prompt, err));
    cord_proposal p = propose(&s, prompt.spans, prompt.n_spans);
    if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
    assert_holds(s.manners.last, "{\"role\":\"system\",\"content\":\"x\"},{\"role\":\"user\",\"content\":\"x\"},"
                                 "{\"role\":\"assistant\",\"content\":\"x\"}");
    assert_holds(s.manners.last,
                 "{\"role\":\"assistant\",\"content\":\"Five\"},{\"role\":\"user\",\"content\":\"x\"}]");
    cord_proposal_release(&p);
    cord_prompt_release(&prompt);
    end(&s);
}

#define DELTA(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"},\"finish_reason\":\"stop\"}]}\n\n" DONE

static void chats_that_begin_anew_are_refused(void **state) {
    (void)state;
    static const char *const anew[] = {DELTA("Seven")};
    static const struct {
        struct manners manners;
        const char *words;
    } rows[] = {
        {{.says = "Seven, eight"}, "it said \"Seven, eight\""},
        {{.says = " seven, eight", .strings_named = true}, "does not go on"},
        {{.says = "en, eight", .beside = "Let me count."}, "thinks anew"},
        {{.says = "en", .needs = "refuse"}, "404"},
        {{.says = "en", .refuses = "\"stream\":true"}, "not where its reply comes as a stream of events"},
        {{.says = "en", .streams = anew, .n_streams = 1}, "it said \"Seven\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct served s;
        cord_error error = {0};
        assert_int_equal(start(&s, answer_openai, rows[i].manners, (cord_model_options){.protocol = "chat"}, &error),
                         CORD_BAD_MODEL);
        assert_holds(error.message, rows[i].words);
        end(&s);
    }
}

/* Some take a stream, but not the question what it costs. */
static void the_cost_of_a_stream_is_not_insisted_on(void **state) {
    (void)state;
    static const char *const deltas[] = {DELTA("en, eight,")}, *const texts[] = {COUNTED};
    for (int chat = 0; chat < 2; chat++) {
        struct served s;
        struct manners manners = {.refuses = "stream_options", .says = chat ? "en, eight," : NULL, .n_streams = 1};
        manners.streams = chat ? deltas : texts;
        assert_ok(start(&s, answer_openai, manners, (cord_model_options){.protocol = chat ? "chat" : "openai"}, err));
        cord_proposal p = chat ? propose(&s, turn, 3) : propose(&s, plain, 1);
        if (p.error.code != CORD_OK) fail_msg("%s", p.error.message);
        assert_string_equal(p.text, chat ? "en, eight," : " 7, 8,");
        cord_proposal_release(&p);
        end(&s);
    }
    struct served s;
    cord_error error = {0};
    assert_int_equal(start(&s, answer_openai, (struct manners){.refuses = "\"stream\":true"},
                           (cord_model_options){.protocol = "openai"}, &error),
                     CORD_BAD_MODEL);
    assert_holds(error.message, "not as a stream of events");
    end(&s);
}

/* A server that is busy while a model is opened says nothing of the model. */
static void who_is_busy_is_not_judged(void **state) {
    (void)state;
    static const int busy[] = {408, 425, 429, 503, 529};
    for (int chat = 0; chat < 2; chat++)
        for (size_t i = 0; i < sizeof busy / sizeof *busy; i++) {
            struct served s;
            cord_error error = {0};
            struct manners manners = {.status = busy[i], .says = chat ? "en" : NULL};
            cord_model_options options = {.protocol = chat ? "chat" : "openai"};
            bool takes_no_more = busy[i] > 425; /* it is there, and says so */
            assert_int_equal(start(&s, answer_openai, manners, options, &error),
                             takes_no_more ? CORD_BUSY : CORD_IO_ERROR);
            assert_lacks(error.message, "teacher");
            end(&s);
        }
}

/* Nor is one that is away, or refuses the key, when scores are tried: it might give them. */
static void who_is_away_is_not_said_to_give_no_scores(void **state) {
    (void)state;
    static const struct {
        int status, pages;
        cord_status code;
        const char *words;
    } rows[] = {
        {503, 0, CORD_IO_ERROR, "it answers 503"},
        {429, 0, CORD_IO_ERROR, "it answers 429"},
        {0, 1000, CORD_IO_ERROR, "Back soon"},
        {401, 0, CORD_REFUSED, "it answers 401 (the key is missing or wrong)"},
        {403, 0, CORD_REFUSED, "it answers 403"},
        {400, 0, CORD_OK, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct served s;
        cord_scoring_check check;
        cord_error error = {0};
        assert_ok(start(&s, answer_openai, (struct manners){.echoes = true, .strings_named = true},
                        (cord_model_options){.protocol = "openai"}, err));
        s.manners.status = rows[i].status;
        s.manners.pages = rows[i].pages;
        assert_int_equal(cord_check_scoring(s.engine, s.model, false, &check, &error), rows[i].code);
        if (rows[i].words) assert_holds(error.message, rows[i].words);
        assert_true((cord_model_get_info(s.model)->scoring != NULL) ==
                    (rows[i].code != CORD_OK)); /* as it was, or none */
        end(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chats_are_gone_on_with),
        cmocka_unit_test(all_turns_are_sent),
        cmocka_unit_test(chats_that_begin_anew_are_refused),
        cmocka_unit_test(the_cost_of_a_stream_is_not_insisted_on),
        cmocka_unit_test(who_is_busy_is_not_judged),
        cmocka_unit_test(who_is_away_is_not_said_to_give_no_scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
