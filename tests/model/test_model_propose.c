/* test_model_propose.c - cord_propose on SmolLM2: what is written, where it ends, and that requests do not disturb each
 * other. Greedy texts are compared with the plain loop of reference.h, on F32 weights: with quantised ones, rounding alone
 * often makes SmolLM2 take the other of two tokens that are nearly as good. */
#include "reference.h"

#include "model/local/local.h"

#include <pthread.h>

enum { MAX_TOKENS = 1024, LENGTH = 20 };

/* Two logits that lie nearer than this may change places: what batching and caching alone can cause on F32 weights (one
 * log-probability was seen to move by 0.007). */
#define NOISE 0.03

static cord_engine *engine;
static cord_model *smol, *f32;
static struct reference ref; /* F32 */
static char f32_path[64];

#define USER(question) "<|im_start|>user\n" question "<|im_end|>\n<|im_start|>assistant\n"

static const char *const prompts[] = {
    USER("Count from 1 to 30, with commas."),
    USER("Write one sentence about the sea."),
    USER("Tom has 3 boxes of 12 pears and eats 5. How many are left? Think step by step.") "<think>\n### Step 1.",
    "Once upon a time there was a",
    "def fibonacci(n):\n    \"\"\"The n-th Fibonacci number.\"\"\"\n",
    "The capital of France is Paris. The capital of Italy is",
    USER("Zeig mir f\xC3\xBCnf deutsche W\xC3\xB6rter."),
    "1, 2, 3, 4, 5, 6, 7, 8,",
};
enum { N_PROMPTS = sizeof prompts / sizeof *prompts };

/* ---- asking -------------------------------------------------------------------------------------------------- */

static cord_proposal request_of(const cord_model *model, const char *prompt, cord_span *span, int max_tokens) {
    *span = (cord_span){text_of(prompt), true};
    return (cord_proposal){.model = model, .prompt = span, .n_spans = 1, .max_tokens = max_tokens, .group = 1};
}

static void check_sound(const cord_proposal *p) {
    if (p->error.code != CORD_OK) fail_msg("%s", p->error.message);
    cord_text text = {p->text, p->len};
    assert_non_null(p->text);
    assert_int_equal(utf8_valid_prefix(text), p->len);
    assert_in_range(p->new_tokens, 1, p->max_tokens);
    assert_in_range(p->cached_tokens, 0, p->prompt_tokens - 1);
    assert_true(p->us >= 0);
    if (p->end == CORD_END_STOP)
        assert_in_range(p->stop, 0, p->n_stops - 1);
    else
        assert_int_equal(p->stop, -1);
    if (p->end == CORD_END_LENGTH) assert_int_equal(p->new_tokens, p->max_tokens);
    for (int s = 0; s < p->n_stops; s++) assert_int_equal(text_find(text, p->stops[s]), -1);
}

/* One request by itself, with nothing cached: where the cells of a sequence lie decides how sums are rounded, and SmolLM2
 * often has two tokens that lie so near to each other that this tells them apart. Release it. */
static cord_proposal ask_model(const cord_model *model, const char *prompt, int max_tokens, const cord_text *stops,
                               int n_stops, cord_sampling sampling) {
    cord_span span;
    cord_proposal p = request_of(model, prompt, &span, max_tokens);
    p.stops = stops;
    p.n_stops = n_stops;
    p.sampling = sampling;
    for (uint64_t group = 0; group < 16; group++) cord_forget(engine, group);
    assert_ok(cord_propose(engine, &p, 1, err));
    check_sound(&p);
    p.prompt = NULL;
    return p;
}

static cord_proposal ask(const char *prompt, int max_tokens, const cord_text *stops, int n_stops,
                         cord_sampling sampling) {
    return ask_model(smol, prompt, max_tokens, stops, n_stops, sampling);
}

/* ---- the plain greedy loop ----------------------------------------------------------------------------------- */

struct greedy {
    char text[4096];
    size_t end[LENGTH]; /* bytes written after each token */
    float gap[LENGTH];  /* between the best logit and the next */
    int n;
    bool turn; /* did the model end its turn? */
};

static void plain_greedy(const char *prompt, struct greedy *g) {
    *g = (struct greedy){0};
    llama_token id[MAX_TOKENS];
    int n = reference_tokens(&ref, text_of(prompt), true, id, 0, MAX_TOKENS), begin = 0;
    struct llama_context *ctx = reference_context(&ref, n + LENGTH);
    size_t len = 0;
    while (g->n < LENGTH) {
        reference_decode(ctx, 0, id, begin, n, n - 1);
        const float *logits = llama_get_logits_ith(ctx, -1);
        int best = 0;
        float next = -INFINITY;
        for (int i = 1; i < ref.n_vocab; i++) {
            if (logits[i] > logits[best])
                next = logits[best], best = i;
            else if (logits[i] > next)
                next = logits[i];
        }
        g->gap[g->n] = logits[best] - next;
        begin = n;
        id[n++] = best;
        g->turn = llama_vocab_is_eog(ref.vocab, best);
        if (!g->turn) len += (size_t)reference_piece(&ref, best, g->text + len, (int)(sizeof g->text - len));
        g->end[g->n++] = len;
        if (g->turn) break;
    }
    llama_free(ctx);
}

/* Equal to the plain loop's text, or first different where its two best tokens lie too near to tell. True if equal. */
static bool same_as_plain(const cord_proposal *p, const struct greedy *g, const char *what) {
    cord_text want = {g->text, g->n ? g->end[g->n - 1] : 0};
    want.len = utf8_valid_prefix(want);
    if (text_equal((cord_text){p->text, p->len}, want) && (p->end == CORD_END_TURN) == g->turn) return true;
    size_t at = 0;
    while (at < p->len && at < want.len && p->text[at] == want.data[at]) at++;
    /* the token that wrote that byte, or (where both texts begin with the same bytes) one just before */
    int token = 0;
    while (token < g->n - 1 && g->end[token] <= at) token++;
    float gap = g->gap[token];
    if (token > 0 && g->gap[token - 1] < gap) gap = g->gap[token - 1];
    printf("%s: differs from the plain loop at byte %zu (token %d), where the two best logits are %.3f apart\n", what,
           at, token, (double)gap);
    if ((double)gap > NOISE) fail_msg("%s: got '%s', want '%.*s'", what, p->text, (int)want.len, want.data);
    return false;
}

static struct greedy plain[N_PROMPTS]; /* of each prompt */

static void greedy_is_the_plain_loop(void **state) {
    (void)state;
    int same = 0;
    for (int i = 0; i < N_PROMPTS; i++) {
        plain_greedy(prompts[i], &plain[i]);
        cord_proposal p = ask_model(f32, prompts[i], LENGTH, NULL, 0, (cord_sampling){0});
        same += same_as_plain(&p, &plain[i], prompts[i]);
        assert_int_equal(p.end == CORD_END_TURN || p.end == CORD_END_LENGTH, 1);
        cord_proposal_release(&p);
    }
    printf("greedy: %d of %d texts equal the plain loop's\n", same, N_PROMPTS);
    assert_true(same >= N_PROMPTS - 2);
}

static void many_at_once_are_the_plain_loop(void **state) {
    (void)state;
    cord_proposal p[N_PROMPTS];
    cord_span spans[N_PROMPTS];
    for (int i = 0; i < N_PROMPTS; i++) {
        p[i] = request_of(f32, prompts[i], &spans[i], LENGTH);
        p[i].group = (uint64_t)i;
    }
    assert_ok(cord_propose(engine, p, N_PROMPTS, err));
    int same = 0;
    for (int i = 0; i < N_PROMPTS; i++) {
        check_sound(&p[i]);
        same += same_as_plain(&p[i], &plain[i], prompts[i]);
        cord_proposal_release(&p[i]);
    }
    printf("greedy in one batch: %d of %d texts equal the plain loop's\n", same, N_PROMPTS);
    assert_true(same >= N_PROMPTS - 2);
}

/* ---- where a text ends --------------------------------------------------------------------------------------- */

/* The text of a request with these stops is the text of one without, up to where the first of them begins. */
static void check_stops(const char *prompt, cord_text whole, const cord_text *stops, int n) {
    ptrdiff_t first = -1;
    int which = 0;
    for (int s = 0; s < n; s++) {
        ptrdiff_t at = text_find(whole, stops[s]);
        if (at >= 0 && (first < 0 || at < first)) first = at, which = s;
    }
    assert_true(first >= 0);
    cord_proposal p = ask(prompt, LENGTH, stops, n, (cord_sampling){0});
    cord_text want = text_slice(whole, 0, utf8_valid_prefix(text_slice(whole, 0, (size_t)first)));
    if (!text_equal((cord_text){p.text, p.len}, want) || p.end != CORD_END_STOP || p.stop != which)
        fail_msg("stop '%.*s' of '%s': got '%s' (end %d, stop %d)", (int)stops[which].len, stops[which].data,
                 whole.data, p.text, (int)p.end, p.stop);
    cord_proposal_release(&p);
}

static void stop_strings(void **state) {
    (void)state;
    const char *prompt = prompts[3]; /* plain prose: many tokens of several letters */
    cord_proposal unstopped = ask(prompt, LENGTH, NULL, 0, (cord_sampling){0});
    cord_text whole = {unstopped.text, unstopped.len};
    assert_true(whole.len > 60);
    enum { STOPS = 9 };
    /* of every length and at every place, so inside tokens, at their borders, and across several of them */
    for (size_t i = 0; i < STOPS; i++) {
        size_t from = 3 + i * (whole.len - 40) / STOPS, len = 1 + (i * 7) % 19;
        cord_text stop = text_slice(whole, from, from + len);
        check_stops(prompt, whole, &stop, 1);
    }
    /* several: the one that comes first counts, whatever their order */
    cord_text early = text_slice(whole, 20, 26), late = text_slice(whole, 41, 47), never = TEXT("### Step");
    check_stops(prompt, whole, (cord_text[]){early, late, never}, 3);
    check_stops(prompt, whole, (cord_text[]){never, late, early}, 3);
    check_stops(prompt, whole, (cord_text[]){late, never}, 2);
    /* the very first byte: nothing is left */
    cord_text all = text_slice(whole, 0, 1);
    check_stops(prompt, whole, &all, 1);
    /* one that never comes, and one that only begins at the end */
    cord_proposal p = ask(prompt, LENGTH, (cord_text[]){never, TEXT("")}, 2, (cord_sampling){0});
    assert_int_equal(p.end, unstopped.end);
    assert_text(((cord_text){p.text, p.len}), unstopped.text);
    cord_proposal_release(&p);
    char half[64];
    snprintf(half, sizeof half, "%s~~", unstopped.text + unstopped.len - 5);
    cord_text begun = text_of(half);
    p = ask(prompt, LENGTH, &begun, 1, (cord_sampling){0});
    assert_text(((cord_text){p.text, p.len}), unstopped.text);
    cord_proposal_release(&p);
    cord_proposal_release(&unstopped);
}

static void max_tokens(void **state) {
    (void)state;
    cord_proposal longest = ask(prompts[3], 20, NULL, 0, (cord_sampling){0});
    for (int n = 1; n <= 20; n += 3) {
        cord_proposal p = ask(prompts[3], n, NULL, 0, (cord_sampling){0});
        assert_int_equal(p.end, CORD_END_LENGTH);
        assert_int_equal(p.new_tokens, n);
        assert_true(text_starts((cord_text){longest.text, longest.len}, (cord_text){p.text, p.len}));
        assert_true(p.len > 0 && (n == 20 || p.len < longest.len));
        cord_proposal_release(&p);
    }
    cord_proposal_release(&longest);
}

static void end_of_turn(void **state) {
    (void)state;
    const char *prompt = USER("Say hi.") "Hi<|im_end|>\n" USER("Say hi.") "Hi<|im_end|>\n" USER("Say hi.");
    cord_proposal p = ask(prompt, LENGTH, NULL, 0, (cord_sampling){0});
    assert_int_equal(p.end, CORD_END_TURN);
    assert_text(((cord_text){p.text, p.len}), "Hi");
    assert_int_equal(p.new_tokens, 2);
    cord_proposal_release(&p);
}

static void a_full_context_ends_a_text(void **state) {
    (void)state;
    cord_model *small = weights_open(engine, SMOLLM2, 64, 256, 4);
    cord_span span;
    cord_proposal p = request_of(small, prompts[3], &span, 500);
    assert_ok(cord_propose(engine, &p, 1, err));
    assert_int_equal(p.error.code, CORD_OK);
    assert_int_equal(p.end, CORD_END_LENGTH);
    assert_int_equal(p.prompt_tokens + p.new_tokens, 64);
    cord_proposal_release(&p);
}

/* How often a token more gave no character more. */
static int held_back_after(const char *prompt) {
    enum { TOKENS = 8 };
    cord_proposal longest = ask(prompt, TOKENS, NULL, 0, (cord_sampling){0});
    size_t before = 0;
    int held_back = 0;
    for (int n = 1; n <= TOKENS; n++) {
        cord_proposal p = ask(prompt, n, NULL, 0, (cord_sampling){0}); /* check_sound: valid UTF-8 */
        assert_true(text_starts((cord_text){longest.text, longest.len}, (cord_text){p.text, p.len}));
        held_back += p.len == before;
        before = p.len;
        cord_proposal_release(&p);
    }
    assert_int_equal(text_find((cord_text){longest.text, longest.len}, TEXT("\xEF\xBF\xBD")), -1);
    cord_proposal_release(&longest);
    return held_back;
}

static void whole_characters(void **state) {
    (void)state;
    /* what a model goes on with differs from machine to machine; scripts that its vocabulary spells in bytes, repeated */
    static const char *const prompts_of_many_bytes[] = {
        "\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80",
        "\xE1\x88\xB0\xE1\x88\x8B\xE1\x88\x9D \xE1\x88\xB0\xE1\x88\x8B\xE1\x88\x9D "
        "\xE1\x88\xB0\xE1\x88\x8B\xE1\x88\x9D ",
        "\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4, \xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4, "
        "\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4, ",
        "\xE0\xBD\x96\xE0\xBD\xBC\xE0\xBD\x91\xE0\xBD\x96\xE0\xBD\xBC\xE0\xBD\x91\xE0\xBD\x96\xE0\xBD\xBC\xE0\xBD\x91",
    };
    int held_back = 0;
    for (size_t i = 0; i < sizeof prompts_of_many_bytes / sizeof *prompts_of_many_bytes; i++)
        held_back += held_back_after(prompts_of_many_bytes[i]);
    assert_true(held_back > 0); /* some token wrote only a part of a character */
}

/* ---- seeds and many requests --------------------------------------------------------------------------------- */

static void seeds(void **state) {
    (void)state;
    char *first = NULL;
    int different = 0;
    for (uint64_t seed = 0; seed < 6; seed++) {
        cord_sampling sampling = {
            .temperature = 1, .top_p = 0.95f, .min_p = 0.01f, .top_k = 200, .repeat_penalty = 1.1f, .seed = seed};
        cord_proposal a = ask(prompts[1], 24, NULL, 0, sampling), b = ask(prompts[1], 24, NULL, 0, sampling);
        assert_string_equal(a.text, b.text);
        different += first && strcmp(first, a.text) != 0;
        if (!first) first = strdup(a.text);
        cord_proposal_release(&a);
        cord_proposal_release(&b);
    }
    free(first);
    assert_true(different >= 4);
}

static int times(cord_text text, const char *what) {
    int n = 0;
    for (ptrdiff_t at; (at = text_find(text, text_of(what))) >= 0; n++)
        text = text_slice(text, (size_t)at + strlen(what), text.len);
    return n;
}

/* What a greedy text says again and again is not said again where repetition is penalised: the prompt's words in the first
 * case, the text's own in the second. */
static void repetition(void **state) {
    (void)state;
    static const struct {
        const char *prompt, *said;
        int most; /* times, penalised */
    } cases[] = {{"They laugh: ha ha ha ha ha ha ha", " ha", 0}, {"He sang", " crowd was", 1}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        cord_proposal greedy = ask_model(f32, cases[c].prompt, 40, NULL, 0, (cord_sampling){0});
        cord_proposal penalised = ask_model(f32, cases[c].prompt, 40, NULL, 0, (cord_sampling){.repeat_penalty = 100});
        if (times((cord_text){greedy.text, greedy.len}, cases[c].said) < 2) fail_msg("it says: %s", greedy.text);
        assert_true(times((cord_text){penalised.text, penalised.len}, cases[c].said) <= cases[c].most);
        cord_proposal_release(&greedy);
        cord_proposal_release(&penalised);
    }
}

static void twelve_in_one_call(void **state) {
    (void)state;
    static const cord_text stops[] = {TEXT("### Step"), TEXT("</think>"), TEXT("\n\n")};
    cord_proposal p[12];
    cord_span spans[12];
    for (int i = 0; i < 12; i++) {
        p[i] = request_of(smol, prompts[i / 3], &spans[i], 8 + 3 * i);
        p[i].stops = stops;
        p[i].n_stops = 3;
        p[i].sampling = (cord_sampling){.temperature = 0.8f, .top_p = 0.95f, .seed = (uint64_t)i};
    }
    cord_model_usage before = cord_model_get_usage(smol);
    assert_ok(cord_propose(engine, p, 12, err));
    cord_model_usage after = cord_model_get_usage(smol);
    int tokens = 0;
    for (int i = 0; i < 12; i++) {
        check_sound(&p[i]);
        tokens += p[i].new_tokens;
        /* siblings share their prefix */
        if (i % 3) assert_int_equal(p[i].cached_tokens, p[i].prompt_tokens - 1);
        cord_proposal_release(&p[i]);
    }
    assert_int_equal(after.proposed_tokens - before.proposed_tokens, tokens);
}

static void two_models_in_one_call(void **state) {
    (void)state;
    char path[4096];
    weights_path(QWEN, path, sizeof path);
    if (access(path, R_OK) != 0) {
        printf("SKIP: %s is not there\n", path);
        skip();
    }
    cord_model *qwen = weights_open(engine, QWEN, 512, 1024, 8);
    cord_proposal p[4];
    cord_span spans[4];
    for (int i = 0; i < 4; i++) p[i] = request_of(i % 2 ? qwen : smol, prompts[5 + i / 2 * 2], &spans[i], 6);
    assert_ok(cord_propose(engine, p, 4, err));
    for (int i = 0; i < 4; i++) check_sound(&p[i]);
    for (int i = 0; i < 2; i++) assert_true(text_starts((cord_text){p[i].text, p[i].len}, TEXT(" Rome")));
    for (int i = 2; i < 4; i++) assert_true(text_starts((cord_text){p[i].text, p[i].len}, TEXT(" 9, 1")));
    for (int i = 0; i < 4; i++) cord_proposal_release(&p[i]);
}

static void bad_requests_fail_alone(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, "a long prompt", 1 << 20);
    for (int i = 0; i < 5000; i++) buf_add(&text, TEXT("pear "));
    cord_proposal p[4];
    cord_span spans[4];
    const char *all[] = {prompts[5], text.data, "", prompts[7]};
    for (int i = 0; i < 4; i++) p[i] = request_of(smol, all[i], &spans[i], 8);
    assert_ok(cord_propose(engine, p, 4, err));
    check_sound(&p[0]);
    check_sound(&p[3]);
    assert_int_equal(p[1].error.code, CORD_TOO_LONG);
    assert_non_null(strstr(p[1].error.message, "4096"));
    assert_null(p[1].text);
    assert_int_equal(p[2].error.code, CORD_BAD_INPUT);
    for (int i = 0; i < 4; i++) cord_proposal_release(&p[i]);
    buf_release(&text);
}

/* Eight texts of about 100 tokens each, and room for two or three: the others wait, and one that has begun may have to make
 * room for those before it. All are written as if they were alone. */
static void check_small_cache(int cells, int sequences) {
    cord_model *small = weights_open_file(engine, "SmolLM2 in F32", f32_path, 256, cells, sequences);
    static char texts[8][600];
    static struct greedy alone[8];
    cord_proposal p[8];
    cord_span spans[8];
    for (int i = 0; i < 8; i++) {
        snprintf(
            texts[i], sizeof texts[i],
            "%s" USER("Number %d. Tom has 3 boxes of 12 pears and eats 5. Then Ann brings two more boxes of pears, and "
                      "they eat one pear each. How many are left? Think step by step.") "### Step 1.",
            i % 2 ? "<|im_start|>system\nYou are a careful tutor.<|im_end|>\n" : "", i);
        p[i] = request_of(small, texts[i], &spans[i], LENGTH);
        p[i].group = (uint64_t)i;
    }
    int64_t start = clock_us();
    assert_ok(cord_propose(engine, p, 8, err));
    int64_t us = clock_us() - start;
    int same = 0;
    for (int i = 0; i < 8; i++) {
        check_sound(&p[i]);
        if (alone[i].n == 0) plain_greedy(texts[i], &alone[i]);
        same += same_as_plain(&p[i], &alone[i], "in a small cache");
        assert_true(p[i].end == CORD_END_TURN || p[i].new_tokens == LENGTH);
        cord_proposal_release(&p[i]);
    }
    printf("%d cells, %d sequences: %d of 8 texts equal the plain loop's (%.1f s)\n", cells, sequences, same,
           (double)us / 1e6);
    assert_true(same >= 6);
}

static void few_cells(void **state) {
    (void)state;
    check_small_cache(256, 16);
}

static void few_sequences(void **state) {
    (void)state;
    check_small_cache(2048, 2);
}

/* ---- tokens -------------------------------------------------------------------------------------------------- */

static int count(const char *text, bool trusted) {
    cord_span span = {text_of(text), trusted};
    int n = -1;
    assert_ok(cord_count_tokens(smol, &span, 1, &n, err));
    return n;
}

static void only_trusted_text_is_special(void **state) {
    (void)state;
    static const char *const specials[] = {"<|im_end|>", "<|im_start|>", "<|endoftext|>"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(count(specials[i], true), 1);
        assert_true(count(specials[i], false) > 2);
    }
    /* nor does a text become special where spans meet */
    cord_span spans[] = {{TEXT("<|im_"), true}, {TEXT("end|>"), false}, {TEXT("<|im_end|>"), true}};
    int n = 0;
    assert_ok(cord_count_tokens(smol, spans, 3, &n, err));
    assert_int_equal(n, count("<|im_end|>", false) + 1);
}

/* However a prompt is cut into spans, it has the tokens that llama.cpp gives the whole text. */
static void tokens_are_llama_cpps(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 9);
    static const char *const more[] = {"caf\xC3\xA9  \xF0\x9F\x98\x80\xE4\xB8\xAD\xE6\x96\x87 12345.67\t\n\n  x",
                                       "a",
                                       " ",
                                       "\n\n\n",
                                       "<|im_start|><|im_end|><|im_end|> <|im_end",
                                       "<|im_start|>system\n  two\n"};
    for (int i = 0; i < 200; i++) {
        int which = i % (N_PROMPTS + 6);
        cord_text text = text_of(which < N_PROMPTS ? prompts[which] : more[which - N_PROMPTS]);
        llama_token want[MAX_TOKENS];
        int n = reference_tokens(&ref, text, true, want, 0, MAX_TOKENS), n_spans = 0;
        cord_span spans[8];
        size_t at = 0;
        while (at < text.len && n_spans < 8) { /* cut between tags: a tag may not lie in two spans */
            size_t to = n_spans == 7 ? text.len : at + 1 + (size_t)(rng_next(&rng) % text.len);
            if (to > text.len) to = text.len;
            ptrdiff_t open = text_rfind(text_slice(text, 0, to), TEXT("<|"));
            ptrdiff_t close = text_rfind(text_slice(text, 0, to), TEXT("|>"));
            if (open >= 0 && close < open) to = text.len;
            if (to > 0 && to < text.len && text.data[to - 1] == '<') to = text.len;
            spans[n_spans++] = (cord_span){text_slice(text, at, to), true};
            at = to;
        }
        struct tokens got;
        assert_ok(tokens_of(local_of(smol), spans, n_spans, &got, err));
        assert_int_equal(got.n, n);
        assert_memory_equal(got.id, want, (size_t)n * sizeof *want);
        assert_int_equal(got.end[n - 1], text.len);
        tokens_release(&got);
    }
}

/* ---- stopping ------------------------------------------------------------------------------------------------ */

struct stopper {
    cord_engine *engine;
    int64_t when;
};

static void *stop_soon(void *ctx) {
    struct stopper *stopper = ctx;
    usleep(700000);
    stopper->when = clock_us();
    cord_engine_stop(stopper->engine);
    return NULL;
}

static void stopping_is_quick(void **state) {
    (void)state;
    struct stopper stopper = {.engine = weights_engine()};
    cord_model *model = weights_open(stopper.engine, SMOLLM2, 0, 0, 0);
    cord_proposal p[16];
    cord_span spans[16];
    for (int i = 0; i < 16; i++) {
        p[i] = request_of(model, prompts[3 + i % 2], &spans[i], 3000);
        p[i].sampling = (cord_sampling){.temperature = 1.2f, .top_p = 1, .seed = (uint64_t)i};
    }
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &stopper), 0);
    cord_error err = {0};
    cord_status status = cord_propose(stopper.engine, p, 16, &err);
    int64_t done = clock_us();
    pthread_join(thread, NULL);
    assert_int_equal(status, CORD_CANCELLED);
    printf("stopped after %.0f ms\n", (double)(done - stopper.when) / 1000);
    assert_true(done - stopper.when < 2000000);
    for (int i = 0; i < 16; i++) cord_proposal_release(&p[i]);

    /* later calls return at once */
    p[0] = request_of(model, prompts[3], &spans[0], 3000);
    assert_int_equal(cord_propose(stopper.engine, p, 1, &err), CORD_CANCELLED);
    cord_scoring s = {.model = model, .prompt = spans, .n_spans = 1, .target = {TEXT("x"), true}, .group = 1};
    assert_int_equal(cord_score(stopper.engine, &s, 1, &err), CORD_CANCELLED);
    cord_engine_close(stopper.engine);
}

static int open_all(void **state) {
    (void)state;
    engine = weights_engine();
    smol = weights_open(engine, SMOLLM2, 0, 0, 0);
    reference_f32(ALL_LAYERS, f32_path);
    f32 = weights_open_file(engine, "SmolLM2 in F32", f32_path, 0, 0, 0);
    ref = reference_open_file(f32_path, false);
    return 0;
}

static int close_all(void **state) {
    (void)state;
    reference_close(&ref);
    cord_engine_close(engine);
    return 0;
}

int main(void) {
    weights_need(SMOLLM2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_is_the_plain_loop),
        cmocka_unit_test(many_at_once_are_the_plain_loop),
        cmocka_unit_test(stop_strings),
        cmocka_unit_test(max_tokens),
        cmocka_unit_test(end_of_turn),
        cmocka_unit_test(a_full_context_ends_a_text),
        cmocka_unit_test(whole_characters),
        cmocka_unit_test(seeds),
        cmocka_unit_test(repetition),
        cmocka_unit_test(twelve_in_one_call),
        cmocka_unit_test(two_models_in_one_call),
        cmocka_unit_test(bad_requests_fail_alone),
        cmocka_unit_test(few_cells),
        cmocka_unit_test(few_sequences),
        cmocka_unit_test(only_trusted_text_is_special),
        cmocka_unit_test(tokens_are_llama_cpps),
        cmocka_unit_test(stopping_is_quick),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
