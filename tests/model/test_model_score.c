/* test_model_score.c - cord_score against the plain way (reference.h), on SmolLM2: rows of all kinds, and the same rows in
 * other orders, after other work, and with a cache that is too small for them. */
#include "reference.h"

enum { MAX_TOKENS = 2048, MAX_ROWS = 128, MAX_TARGET = 64 };

/* How many rows are scored with quantised weights, too. */
enum { N_QUANTISED = 28 };
enum { F32_LAYERS = 4 };

/* ---- the rows ------------------------------------------------------------------------------------------------ */

struct case_ {
    const char *prompt, *reasoning, *opening, *target, *closing;
};

/* What the plain way finds for a row. */
struct expected {
    int n, first, behind, reasoning_tokens;
    double logprob[MAX_TARGET], score;
    char pieces[512];
};

static struct case_ rows[MAX_ROWS];
static int n_rows;
static int n_short; /* the short ones come first */

/* One model, and what the plain way computes with it. */
struct side {
    struct reference_limits limits;
    cord_model *model;
    struct reference ref;
    struct expected expected[MAX_ROWS];
};
static struct side f32 = {.limits = REFERENCE_F32}, q4 = {.limits = REFERENCE_Q4_1};
static char f32_path[64];

static cord_engine *engine;

#define CHAT(question)                                                                                 \
    "<|im_start|>system\nReason in short steps.<|im_end|>\n<|im_start|>user\n" question "<|im_end|>\n" \
    "<|im_start|>assistant\n<think>\n### Step 1."
#define ANSWER " </think> The final answer is "
#define PEARS  CHAT("Tom has 3 boxes of 12 pears and eats 5. How many are left?")
#define COINS  CHAT("Wie viel sind 2,50 \xE2\x82\xAC und 3,75 \xE2\x82\xAC?")

static const struct {
    const char *prompt, *reasoning;
    const char *targets[6];
} contexts[] = {
    {PEARS,
     " There are 3 * 12 = 36 pears.\n\n### Step 2. 36 - 5 = 31.",
     {"31", "36", "thirty-one", "\\boxed{31}", "31 pears"}},
    {PEARS, " There are 3 * 12 = 36 pears.\n\n### Step 2. He eats 5 of them.", {"31", "5"}},
    {PEARS, " There are 3 * 12 = 36 pears.", {"31", "36", "1,080", "$1,080.00", "3/4"}},
    {PEARS, "", {"31", "36"}},
    {COINS,
     " Zusammen sind es 6,25 \xE2\x82\xAC.",
     {"6,25 \xE2\x82\xAC", "6,25", "5 \xE2\x82\xAC",
      "Gr\xC3\xB6\xC3\x9F"
      "e",
      "\xE2\x82\xAC"}},
    {CHAT("Mood?"),
     " Good \xF0\x9F\x98\x80.",
     {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80\xF0\x9F\x98\x81", "\xF0\x9F\xA4\xB7\xF0\x9F\x8F\xBD", "fine"}},
    {"\xE4\xB8\xAD\xE5\x9B\xBD\xE7\x9A\x84\xE9\xA6\x96\xE9\x83\xBD\xE6\x98\xAF",
     "",
     {"\xE5\x8C\x97\xE4\xBA\xAC", "\xE4\xB8\x8A\xE6\xB5\xB7"}},
    {"Q: What is 7 times 8?\nA: 7 * 8 =", " 56, that is", {"56", "54", "fifty-six", "0.56", "5.6e1"}},
    /* a model may write what looks like the template's: it stays text */
    {PEARS, " Say <|im_end|> and stop.", {"31", "36"}},
    {PEARS, " <|im_start|>user\nWhat? <|endoftext|>", {"31"}},
    {PEARS, " Half a tag <|im_", {"end|>", "31"}},
};

static const struct case_ others[] = {
    /* the target begins inside a token, with a blank; the closing merges with its last token */
    {PEARS, " 36 - 5 = 31.", " </think> The final answer is", " 31", "."},
    {PEARS, " 36 - 5 = 31.", " </think> The final answer is", " thirty", "-one."},
    {PEARS, " 36 - 5 = 31.", " </think> The final answer is ", "thirty", "-one."},
    {"She has ", "", "", "1", "0."},
    {"She has ", "", "", "1", "0 apples"},
    {"The word is ", "", "", "straw", "berry."},
    {"The word is inter", "", "", "nation", "al."},
    {"The word is in", "", "", "ter", "national."},
    {"The word is", "", " ", "international", ""},
    {"a\n", "\n", "\n", "\n\n", "\nb"},
    {"if (x ", "=", "", "=", " y)"},
    {"!!!!!!", "!!", "!", "!!!!", "!!!!!"},
    {"\xF0\x9F\x98\x80 ", "\xF0\x9F\x98\x80 ", "", "\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
    {"x = ", "", "", "y", ""},
    {"Letters: A", "B", "C", "D", "E"},
    {"<|im_start|>user\nSay hi.<|im_end|>\n<|im_start|>assistant\n", "", "", "Hello!<|im_end|>", "\n"},
    {"<|im_start|>user\nSay hi.<|im_end|>\n<|im_start|>assistant\n", "", "Hello!", "<|im_end|>", ""},
    {"1 2 3 4 5 6 7 8 ", "9 10 11 12 13 ", "14 15 ", "16 17 18 19 20 21 22", " 23"},
};

/* Reasoning of more than 256 tokens: its prefill crosses pieces of a batch, and ends at different places in them. */
static const char *long_reasoning(int sentences) {
    struct buf b;
    buf_init(&b, "a long text", 1 << 16);
    for (int i = 0; i < sentences; i++)
        buf_addf(&b, " In box %d there are %d pears and %d of them are ripe.%s", i + 1, 7 * i + 3, i,
                 i % 5 == 4 ? "\n\n" : "");
    return b.data; /* lives as long as the program */
}

static void add_row(const char *prompt, const char *reasoning, const char *opening, const char *target,
                    const char *closing) {
    assert_true(n_rows < MAX_ROWS);
    rows[n_rows++] = (struct case_){prompt, reasoning, opening, target, closing};
}

static void make_rows(void) {
    for (size_t c = 0; c < sizeof contexts / sizeof *contexts; c++)
        for (int t = 0; t < 6 && contexts[c].targets[t]; t++)
            add_row(contexts[c].prompt, contexts[c].reasoning, ANSWER, contexts[c].targets[t], ".");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) rows[n_rows++] = others[i];
    n_short = n_rows;
    for (int sentences = 14; sentences <= 30; sentences += 4)
        add_row(PEARS, long_reasoning(sentences), ANSWER, "31", ".");
    add_row(PEARS, long_reasoning(30), ANSWER, "210 pears, and 29 of them are ripe", ".");
    add_row(PEARS, long_reasoning(29), ANSWER, "199", ".");
}

/* ---- the plain way ------------------------------------------------------------------------------------------- */

/* Where special tokens may be parsed: nowhere behind the prompt's last one if the reasoning holds the text of one. */
static size_t parsed_up_to(const struct case_ *row, cord_text whole) {
    if (!strstr(row->reasoning, "<|")) return whole.len;
    cord_text tag = TEXT("<|im_start|>");
    return (size_t)text_rfind(text_of(row->prompt), tag) + tag.len;
}

static void compute_expected(const struct reference *ref, const struct case_ *row, int shift, struct expected *e) {
    char whole[1 << 14];
    snprintf(whole, sizeof whole, "%s%s%s%s%s", row->prompt, row->reasoning, row->opening, row->target, row->closing);
    cord_text text = text_of(whole);
    size_t reasoning = strlen(row->prompt), opening = reasoning + strlen(row->reasoning);
    size_t from = opening + strlen(row->opening), to = from + strlen(row->target);

    llama_token id[MAX_TOKENS] = {0};
    size_t parsed = parsed_up_to(row, text);
    int n = reference_tokens(ref, text_slice(text, 0, parsed), true, id, 0, MAX_TOKENS);
    n = reference_tokens(ref, text_slice(text, parsed, text.len), false, id, n, MAX_TOKENS);

    *e = (struct expected){.first = -1};
    size_t begin = 0;
    for (int i = 0; i < n; i++) {
        char piece[256];
        int bytes = reference_piece(ref, id[i], piece, sizeof piece);
        if (begin >= reasoning && begin < opening) e->reasoning_tokens++;
        if (begin < to && begin + (size_t)bytes > from) {
            if (e->first < 0) e->first = i;
            e->behind = i + 1;
            strncat(strncat(e->pieces, piece, (size_t)bytes), "|", 2);
        }
        begin += (size_t)bytes;
    }
    assert_int_equal(begin, text.len);
    e->n = e->behind - e->first;

    reference_measure(ref, id, e->first, e->behind, shift, reference_cores(), e->logprob);
    double sum = 0;
    for (int i = 0; i < e->n; i++) sum += e->logprob[i];
    e->score = exp(sum / e->n);
}

/* ---- comparing ----------------------------------------------------------------------------------------------- */

struct worst {
    double token, score, total;
    int tokens;
};

static cord_scoring request_of(const cord_model *model, const struct case_ *row, cord_span *prompt, uint64_t group) {
    *prompt = (cord_span){text_of(row->prompt), true};
    return (cord_scoring){.model = model,
                          .prompt = prompt,
                          .n_spans = 1,
                          .reasoning = text_of(row->reasoning),
                          .opening = {text_of(row->opening), true},
                          .target = {text_of(row->target), true},
                          .closing = {text_of(row->closing), true},
                          .group = group};
}

static void compare(const struct side *side, const cord_scoring *got, int i, struct worst *worst) {
    const struct expected *e = &side->expected[i];
    if (got->error.code != CORD_OK) fail_msg("row %d: %s", i, got->error.message);
    assert_int_equal(got->n_tokens, e->n);
    char pieces[512] = "";
    double sum = 0;
    for (int t = 0; t < e->n; t++) {
        strncat(strncat(pieces, got->token[t].data, got->token[t].len), "|", 2);
        double difference = fabs(got->logprob[t] - e->logprob[t]);
        if (difference > side->limits.worst)
            fail_msg("row %d, token %d of '%s': %f, want %f", i, t, e->pieces, got->logprob[t], e->logprob[t]);
        worst->token = fmax(worst->token, difference);
        worst->total += difference;
        worst->tokens++;
        sum += got->logprob[t];
    }
    assert_string_equal(pieces, e->pieces);
    double difference = fabs(got->score - e->score);
    if (difference > side->limits.score) fail_msg("row %d: score %f, want %f", i, got->score, e->score);
    worst->score = fmax(worst->score, difference);
    assert_true(fabs(got->log_score - sum / e->n) < 1e-12 && fabs(got->score - exp(sum / e->n)) < 1e-12);
    assert_int_equal(got->prompt_tokens, e->behind - 1);
    assert_int_equal(got->reasoning_tokens, e->reasoning_tokens);
    /* of a row that another of its call is equal to, as far as it is scored, nothing is computed */
    if (got->cached_tokens != got->prompt_tokens) assert_in_range(got->cached_tokens, 0, e->first - 1);
}

static void report(const struct side *side, const char *what, struct worst worst) {
    double mean = worst.total / worst.tokens;
    printf("%s: difference of a token: mean %.5f, worst %.4f; of S: worst %.5f (%d tokens)\n", what, mean, worst.token,
           worst.score, worst.tokens);
    assert_true(mean <= side->limits.mean);
}

/* Scores `total` rows in the order given (each order[i] is a row), `chunk` rows a call. */
static struct worst score_rows(const struct side *side, const cord_model *model, const int *order, int total, int chunk,
                               uint64_t groups) {
    struct worst worst = {0};
    for (int at = 0; at < total; at += chunk) {
        cord_scoring requests[MAX_ROWS];
        cord_span prompts[MAX_ROWS];
        int n = total - at < chunk ? total - at : chunk;
        for (int i = 0; i < n; i++)
            requests[i] = request_of(model, &rows[order[at + i]], &prompts[i], (uint64_t)(order[at + i]) % groups);
        assert_ok(cord_score(engine, requests, n, err));
        for (int i = 0; i < n; i++) {
            compare(side, &requests[i], order[at + i], &worst);
            cord_scoring_release(&requests[i]);
        }
    }
    return worst;
}

static void in_order(int *order) {
    for (int i = 0; i < n_rows; i++) order[i] = i;
}

static void shuffle(int *order, uint64_t seed) {
    struct rng rng;
    rng_init(&rng, seed);
    in_order(order);
    for (int i = n_rows - 1; i > 0; i--) {
        int j = (int)(rng_next(&rng) % (uint64_t)(i + 1)), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

/* ---- tests --------------------------------------------------------------------------------------------------- */

static void equals_a_fresh_context(void **state) {
    (void)state;
    int order[MAX_ROWS] = {0};
    in_order(order);
    assert_true(n_rows >= 60);
    report(&f32, "one call", score_rows(&f32, f32.model, order, n_rows, MAX_ROWS, 1));
}

static void quantised_weights(void **state) {
    (void)state;
    int order[MAX_ROWS];
    in_order(order);
    report(&q4, "quantised, one call", score_rows(&q4, q4.model, order, N_QUANTISED, MAX_ROWS, 3));
    for (int i = 0; i < N_QUANTISED; i++) order[i] = N_QUANTISED - 1 - i;
    report(&q4, "quantised, a call a row", score_rows(&q4, q4.model, order, N_QUANTISED, 1, 3));
}

/* llama.h alone, with the same tokens in other cells: this much cannot be the engine's doing. */
static void the_plain_way_has_this_noise(void **state) {
    (void)state;
    struct worst worst = {0};
    for (int i = 14; i < 24; i++)
        for (int shift = 4; shift <= 12; shift += 8) {
            struct expected e;
            compute_expected(&q4.ref, &rows[i], shift, &e);
            for (int t = 0; t < e.n; t++) {
                double difference = fabs(e.logprob[t] - q4.expected[i].logprob[t]);
                worst.token = fmax(worst.token, difference);
                worst.total += difference;
                worst.tokens++;
            }
            worst.score = fmax(worst.score, fabs(e.score - q4.expected[i].score));
        }
    report(&q4, "quantised, the plain way in other cells", worst);
    assert_true(worst.token <= q4.limits.worst && worst.score <= q4.limits.score);
}

/* The engine's kernels are known to all of the process: where they had a part in it, their rest would change it. */
static void the_plain_way_is_without_the_engines_kernels(void **state) {
    (void)state;
    for (int i = 14; i < 18; i++) {
        struct expected e;
        accelerator_rest(true);
        compute_expected(&q4.ref, &rows[i], 0, &e);
        accelerator_rest(false);
        assert_memory_equal(e.logprob, q4.expected[i].logprob, (size_t)e.n * sizeof *e.logprob);
    }
}

static void order_and_calls_do_not_matter(void **state) {
    (void)state;
    int order[MAX_ROWS] = {0};
    for (int i = 0; i < n_rows; i++) order[i] = n_rows - 1 - i;
    report(&f32, "a call a row, last row first", score_rows(&f32, f32.model, order, n_rows, 1, 5));
}

/* Continuations of the rows' own texts, so that their cells would fit the rows' prefixes. */
static void propose_on_rows(const cord_model *model) {
    cord_proposal requests[16] = {0};
    cord_span spans[16][2];
    int n = 0;
    for (int i = 0; i < n_rows && n < 16; i += 5) {
        spans[n][0] = (cord_span){text_of(rows[i].prompt), true};
        spans[n][1] = (cord_span){text_of(rows[i].reasoning), false};
        requests[n] = (cord_proposal){.model = model,
                                      .prompt = spans[n],
                                      .n_spans = 2,
                                      .max_tokens = 12,
                                      .sampling = {.temperature = 0.8f, .top_p = 1, .seed = (uint64_t)i},
                                      .group = 77};
        n++;
    }
    assert_ok(cord_propose(engine, requests, n, err));
    for (int i = 0; i < n; i++) {
        assert_int_equal(requests[i].error.code, CORD_OK);
        cord_proposal_release(&requests[i]);
    }
}

static void proposals_do_not_matter(void **state) {
    (void)state;
    int order[MAX_ROWS] = {0};
    shuffle(order, 2);
    propose_on_rows(f32.model);
    report(&f32, "after proposals on the same texts", score_rows(&f32, f32.model, order, n_rows, 9, 4));
}

/* With quantised weights, whose kernels round a single row otherwise than several: a target of one token is the only row
 * whose logits are asked for, and the only one left to compute where its prompt is cached. */
static void one_token_is_the_same_in_any_company(void **state) {
    (void)state;
    static const char *const targets[] = {" six", " eight", " two"};
    for (int i = 0; i < 3; i++) {
        cord_span prompt = {TEXT("The number of legs that an insect has, and the capital of France, are"), true};
        cord_scoring s[3] = {{.model = q4.model,
                              .prompt = &prompt,
                              .n_spans = 1,
                              .target = {text_of(targets[i]), true},
                              .group = 950 + (uint64_t)i}};
        double score[3];
        s[1] = s[2] = s[0];
        s[1].reasoning = TEXT(" well known");
        s[2].target.text = TEXT(" many and many more");
        for (int n = 1; n <= 3; n++) { /* alone, cached beside another that is not, all three */
            assert_ok(cord_score(engine, s, n, err));
            for (int k = 0; k < n; k++) assert_int_equal(s[k].error.code, CORD_OK);
            assert_int_equal(s[0].n_tokens, 1);
            score[n - 1] = s[0].log_score;
            for (int k = 0; k < n; k++) cord_scoring_release(&s[k]);
        }
        assert_ok(cord_score(engine, s, 1, err)); /* cached, and alone */
        assert_true(fabs(s[0].log_score - score[0]) < 1e-4);
        assert_true(s[0].cached_tokens >= s[0].prompt_tokens - 2);
        cord_scoring_release(&s[0]);
        assert_true(fabs(score[1] - score[0]) < 1e-4);
        assert_true(fabs(score[2] - score[0]) < 1e-4);
        cord_forget(engine, 950 + (uint64_t)i);
        assert_ok(cord_score(engine, s, 3, err)); /* nothing is cached */
        assert_true(fabs(s[0].log_score - score[0]) < 1e-4);
        for (int k = 0; k < 3; k++) cord_scoring_release(&s[k]);
    }
}

static void forgotten_groups_do_not_matter(void **state) {
    (void)state;
    int order[MAX_ROWS] = {0};
    in_order(order);
    for (uint64_t group = 0; group < 1000; group++) cord_forget(engine, group);
    cord_span prompt;
    cord_scoring s = request_of(f32.model, &rows[n_short - 1], &prompt, 6);
    assert_ok(cord_score(engine, &s, 1, err));
    assert_int_equal(s.error.code, CORD_OK);
    int shared = s.cached_tokens; /* what several groups began with may stay */
    assert_true(shared < s.prompt_tokens - 20);
    cord_scoring_release(&s);
    cord_forget(engine, 5); /* another group's: this one's stays */
    assert_ok(cord_score(engine, &s, 1, err));
    assert_true(s.cached_tokens > shared + 10);
    cord_scoring_release(&s);
    cord_forget(engine, 6);
    assert_ok(cord_score(engine, &s, 1, err));
    assert_int_equal(s.cached_tokens, shared);
    cord_scoring_release(&s);
    report(&f32, "after everything was forgotten, calls of 11", score_rows(&f32, f32.model, order, n_rows, 11, 2));
}

/* As many cells as the longest row needs, and few sequences: nearly every row has to drop what others left. */
static void a_small_cache_does_not_matter(void **state) {
    (void)state;
    int order[MAX_ROWS] = {0}, longest = 0;
    for (int i = 0; i < n_rows; i++)
        if (f32.expected[i].behind > longest) longest = f32.expected[i].behind;
    cord_model *small = weights_open_file(engine, "f32", f32_path, longest, longest, 8);
    shuffle(order, 3);
    propose_on_rows(small);
    report(&f32, "with a cache of one text", score_rows(&f32, small, order, n_rows, 10, 6));
}

static void equal_calls_give_equal_bits(void **state) {
    (void)state;
    cord_model *models[2] = {weights_open_file(engine, "f32", f32_path, 0, 0, 0),
                             weights_open_file(engine, "f32", f32_path, 0, 0, 0)};
    for (int i = 0; i < n_rows; i += 3) {
        cord_scoring got[2];
        for (int m = 0; m < 2; m++) {
            cord_span prompt;
            got[m] = request_of(models[m], &rows[i], &prompt, 1);
            assert_ok(cord_score(engine, &got[m], 1, err));
            assert_int_equal(got[m].error.code, CORD_OK);
        }
        assert_int_equal(got[0].cached_tokens, got[1].cached_tokens);
        assert_memory_equal(got[0].logprob, got[1].logprob, (size_t)got[0].n_tokens * sizeof(double));
        for (int m = 0; m < 2; m++) cord_scoring_release(&got[m]);
    }
}

/* Rows that cannot be scored say why; their neighbours are scored all the same. */
static void bad_rows_fail_alone(void **state) {
    (void)state;
    cord_model *small = weights_open_file(engine, "f32", f32_path, 256, 256, 4);
    const struct {
        struct case_ row;
        cord_status status;
        const char *says;
    } bad[] = {
        {{"A prompt ", "", "", "", "."}, CORD_BAD_INPUT, "empty"},
        {{"", "", "", "31", "."}, CORD_BAD_INPUT, "before the target"},
        {{PEARS, rows[n_rows - 1].reasoning, ANSWER, "31", "."}, CORD_TOO_LONG, "256"},
        /* SmolLM2's vocabulary has no token for a few control characters */
        {{"caf\xC3\xA9\nWhat is 3\x04 + 2? ", "", "", "31", "."},
         CORD_BAD_INPUT,
         "U+0004, which stands in a text at byte 15, behind \"What is 3\""},
        {{"caf\xE9 ", "", "", "31", "."}, CORD_BAD_INPUT, "no UTF-8 at byte 3"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cord_scoring requests[3];
        cord_span prompts[3];
        requests[0] = request_of(small, &rows[0], &prompts[0], 1);
        requests[1] = request_of(small, &bad[i].row, &prompts[1], 1);
        requests[2] = request_of(small, &rows[1], &prompts[2], 1);
        assert_ok(cord_score(engine, requests, 3, err));
        struct worst worst = {0};
        compare(&f32, &requests[0], 0, &worst);
        compare(&f32, &requests[2], 1, &worst);
        assert_int_equal(requests[1].error.code, bad[i].status);
        assert_non_null(strstr(requests[1].error.message, bad[i].says));
        assert_null(requests[1].logprob);
        for (int r = 0; r < 3; r++) cord_scoring_release(&requests[r]);
    }
}

static int open_all(void **state) {
    (void)state;
    engine = weights_engine();
    reference_f32(F32_LAYERS, f32_path);
    f32.model = weights_open_file(engine, "SmolLM2's first layers in F32", f32_path, 0, 0, 0);
    f32.ref = reference_open_file(f32_path, false);
    q4.model = weights_open(engine, SMOLLM2, 0, 0, 0);
    q4.ref = reference_open(SMOLLM2, false);
    make_rows();
    for (int i = 0; i < n_rows; i++) compute_expected(&f32.ref, &rows[i], 0, &f32.expected[i]);
    for (int i = 0; i < N_QUANTISED; i++) compute_expected(&q4.ref, &rows[i], 0, &q4.expected[i]);
    return 0;
}

static int close_all(void **state) {
    (void)state;
    reference_close(&f32.ref);
    reference_close(&q4.ref);
    cord_engine_close(engine);
    for (int i = n_short; i < n_rows; i++) free((void *)(uintptr_t)rows[i].reasoning);
    return 0;
}

int main(void) {
    weights_need(SMOLLM2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_a_fresh_context),
        cmocka_unit_test(quantised_weights),
        cmocka_unit_test(the_plain_way_has_this_noise),
        cmocka_unit_test(the_plain_way_is_without_the_engines_kernels),
        cmocka_unit_test(order_and_calls_do_not_matter),
        cmocka_unit_test(proposals_do_not_matter),
        cmocka_unit_test(one_token_is_the_same_in_any_company),
        cmocka_unit_test(forgotten_groups_do_not_matter),
        cmocka_unit_test(a_small_cache_does_not_matter),
        cmocka_unit_test(equal_calls_give_equal_bits),
        cmocka_unit_test(bad_rows_fail_alone),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
