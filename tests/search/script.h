/* script.h - a search without models: what teachers reply and how the meta-prover scores is written in the test. The
 * linker puts this file's cord_propose, cord_score, cord_classify and cord_count in place of the engine's (--wrap), so all of
 * src/search is real.
 *
 * Words are the script's tokens. Everything that was asked and all that the observer was told goes into a log, so that
 * two searches can be compared as texts. */
#ifndef CORD_TEST_SCRIPT_H
#define CORD_TEST_SCRIPT_H

#include "support.h"

#include "model/backend.h"
#include "search/criterion.h"

#include <math.h>
#include <stdlib.h>

enum { TEACHERS = 4, ROUNDS = 64 };
/* Models behind the teachers' own. All but the last are spoken to as the meta-prover is. */
enum { META = TEACHERS, SCORER, HELD_OUT, JUDGE, REWARD, MODELS };

/* A proposal or an answer that is asked for, as the script sees it. */
struct asked {
    int teacher;
    cord_text reasoning; /* what stands behind the teacher's prompt */
    bool continues;      /* a text without a marker at its end: a cut step's, or any, where no marker divides steps */
    bool answer;
    bool whole;      /* up to the end of the thinking: STEP_NEXT is no end of that */
    bool integrates; /* then `reasoning` is the whole prompt */
    uint64_t seed;
    int max_tokens;
    int nth; /* how often the same was asked of the same teacher before, in this call */
};

/* What the script replies. */
struct said {
    char *text; /* from say(); NULL: the request failed */
    enum step_end end;
};

struct world {
    void (*reply)(struct world *, const struct asked *, struct said *);
    double (*score)(struct world *, cord_text reasoning); /* log S; NAN: the request fails */
    /* In place of it, where who scores what matters; and log-probabilities by a reward model, of a whole prompt. */
    double (*score_as)(struct world *, int model, cord_text reasoning, cord_text target);
    double (*reward)(struct world *, cord_text prompt, cord_text opening, cord_text target);
    uint64_t script; /* for scripts that are made of hashes */

    cord_engine engine;
    struct cord_model models[MODELS];
    struct meta_prover others[MODELS]; /* those behind META */
    struct prompt_style styles[TEACHERS + 1];
    struct teacher teachers[TEACHERS];
    struct meta_prover meta;
    struct search_settings settings;
    struct grader grader; /* math */
    struct observer observer;
    struct search search;
    struct arena arena;

    struct buf log;
    size_t told;                         /* where the log ends that the observer knows of */
    int calls, cancel_call, broken_call; /* of the engine, from 1; the one that is cancelled, the one that fails */
    int away_call;                       /* the one whose last request no server answers, */
    cord_status away_code;               /* and what it fails with */
    int n_scored;                        /* in the last call */
    int counts, counted;                 /* calls that counted tokens, and texts in them */
    int n_started, n_rounds, n_ends;
    double log_s0;
    cord_text contrast;
    struct guesses guesses[TEACHERS];
    struct round rounds[ROUNDS]; /* with beams of their own */
    const struct answered *finished;
    int n_finished;
    cord_error error;
};

static inline void say(struct said *said, enum step_end end, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline void say(struct said *said, enum step_end end, const char *format, ...) {
    va_list args;
    va_start(args, format);
    assert_true(vasprintf(&said->text, format, args) >= 0);
    va_end(args);
    said->end = end;
}

static inline int words_of(cord_text text) {
    int n = 0;
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        bool blank = text.data[i] == ' ' || text.data[i] == '\n';
        n += !blank && !inside;
        inside = !blank;
    }
    return n;
}

/* ---- the engine ---------------------------------------------------------------------------------------------- */

cord_status __wrap_cord_propose(cord_engine *engine, cord_proposal *requests, int n, cord_error *err);
cord_status __wrap_cord_score(cord_engine *engine, cord_scoring *requests, int n, cord_error *err);
cord_status __wrap_cord_classify(cord_engine *engine, cord_classification *requests, int n, cord_error *err);

/* False where this call of the engine is to end the search. */
static inline cord_status script_call(struct world *w, cord_error *err) {
    w->calls++;
    if (w->calls == w->cancel_call) return error_set(err, CORD_CANCELLED, "stopped");
    if (w->calls == w->broken_call) return error_set(err, CORD_INTERNAL, "the engine broke");
    return CORD_OK;
}

/* Where traces grow alone, what each has in the cache has to stay while others are written and scored. */
static inline bool others_go_on(const struct world *w) {
    return w->settings.strategy == STRATEGY_CURATION || w->settings.strategy == STRATEGY_REJECTION;
}

/* All spans as one text; what is behind the participant's own prompt. Checks that the prompt is that participant's. */
static inline cord_text behind_prompt(struct world *w, int who, const cord_span *spans, int n, cord_text *all) {
    char *prompt = arena_printf(&w->arena, "<%d>What is 6 x 7?</%d><think>\n", who, who);
    *all = spans_text((struct spans){(cord_span *)(uintptr_t)spans, n}, &w->arena);
    assert_true(text_starts(*all, text_of(prompt)));
    return text_slice(*all, strlen(prompt), all->len);
}

/* Where teachers write on to the end of their thinking: in a tree, and where a whole trace begins. */
static inline bool asks_for_all(const struct world *w) {
    bool begins = !w->n_rounds && !w->search.state.round;
    return w->settings.strategy == STRATEGY_MCTS || (w->settings.whole_traces && begins);
}

/* Who merges the traces of an integration is the one behind the last teacher. */
static inline bool is_integrator(const struct world *w, int who) {
    return w->settings.strategy == STRATEGY_INTEGRATION && who == w->search.n_teachers;
}

static inline cord_text whole_prompt(struct world *w, const cord_span *spans, int n, cord_text *all) {
    *all = spans_text((struct spans){(cord_span *)(uintptr_t)spans, n}, &w->arena);
    return *all;
}

static inline void fail_request(cord_error *error, cord_status status, int teacher) {
    error_fill(error, status, "teacher %d cannot take it", teacher);
}

static inline void check_stops(const struct world *w, const cord_proposal *r) {
    static const char *const stops[][3] = {
        [SEGMENTATION_STEPS] = {"### Step", "</think>", NULL},
        [SEGMENTATION_LINE_BREAK] = {"\n\n", "</think>", "\r\n\r\n"},
        [SEGMENTATION_PREFIX] = {"</think>", NULL, NULL},
    };
    const char *const *want = stops[w->styles[0].segmentation];
    if (asks_for_all(w)) {
        assert_int_equal(r->n_stops, 1);
        assert_text(r->stops[0], "</think>");
        return;
    }
    for (int i = 0; i < 3 && want[i]; i++) {
        assert_true(i < r->n_stops);
        assert_text(r->stops[i], want[i]);
    }
    assert_true(r->n_stops == 3 || !want[r->n_stops]);
}

cord_status __wrap_cord_propose(cord_engine *engine, cord_proposal *requests, int n, cord_error *err) {
    struct world *w = engine->options.log_ctx;
    CORD_TRY(script_call(w, err));
    struct asked *asked = arena_alloc(&w->arena, (size_t)n * sizeof *asked);
    for (int i = 0; i < n; i++) {
        cord_proposal *r = &requests[i];
        int teacher = (int)(r->model - w->models);
        bool integrates = is_integrator(w, teacher);
        cord_text all, reasoning = integrates
                                       ? whole_prompt(w, r->prompt, r->n_spans, &all)
                                       : behind_prompt(w, teacher < META ? teacher : META, r->prompt, r->n_spans, &all);
        const cord_span *last = &r->prompt[r->n_spans - 1];
        asked[i] = (struct asked){
            .teacher = teacher,
            .reasoning = reasoning,
            .continues = w->styles[0].marker.len ? !text_ends(reasoning, TEXT(".")) : reasoning.len > 0,
            .answer = r->n_stops == 0 && !integrates,
            .integrates = integrates,
            .whole = r->n_stops && asks_for_all(w),
            .seed = r->sampling.seed,
            .max_tokens = r->max_tokens,
        };
        for (int j = 0; j < i; j++)
            asked[i].nth += asked[j].teacher == teacher && text_equal(asked[j].reasoning, reasoning);
        buf_addf(&w->log, "ask %d seed %016llx max %d temperature %g top_p %g stops %d group %016llx: %.*s\n", teacher,
                 (unsigned long long)r->sampling.seed, r->max_tokens, r->sampling.temperature, r->sampling.top_p,
                 r->n_stops, (unsigned long long)r->group, (int)all.len, all.data);
        assert_true(r->max_tokens >= 1);
        if (!asked[i].answer && !integrates) {
            assert_int_equal(r->others_go_on, others_go_on(w));
            assert_false(last->trusted); /* what models wrote */
            assert_true(text_equal(last->text, reasoning));
            check_stops(w, r);
        }
        struct said said = {0};
        w->reply(w, &asked[i], &said);
        if (w->calls == w->away_call && i == n - 1) {
            free(said.text);
            fail_request(&r->error, w->away_code, teacher);
            continue;
        }
        if (!said.text) {
            fail_request(&r->error, CORD_TOO_LONG, teacher);
            continue;
        }
        r->text = said.text;
        r->len = strlen(said.text);
        r->end = said.end == STEP_CUT ? CORD_END_LENGTH : said.end == STEP_TURN ? CORD_END_TURN : CORD_END_STOP;
        int think = w->styles[0].segmentation == SEGMENTATION_PREFIX || asked[i].whole ? 0 : 1;
        assert_false(asked[i].whole && said.end == STEP_NEXT);
        r->stop = said.end == STEP_NEXT ? 0 : said.end == STEP_CLOSED ? think : -1;
        r->new_tokens = words_of((cord_text){r->text, r->len});
        r->prompt_tokens = words_of(all);
        r->cached_tokens = 1;
        r->us = 1000 * (i + 1);
    }
    return CORD_OK;
}

static inline double script_score(struct world *w, const cord_scoring *r, int who) {
    cord_text all;
    if (who == REWARD) {
        all = spans_text((struct spans){(cord_span *)(uintptr_t)r->prompt, r->n_spans}, &w->arena);
        assert_int_equal(r->reasoning.len, 0);
        return w->reward(w, all, r->opening.text, r->target.text);
    }
    assert_true(who == META || who == SCORER || who == HELD_OUT);
    assert_int_equal(behind_prompt(w, META, r->prompt, r->n_spans, &all).len, 0);
    return w->score_as ? w->score_as(w, who, r->reasoning, r->target.text) : w->score(w, r->reasoning);
}

cord_status __wrap_cord_score(cord_engine *engine, cord_scoring *requests, int n, cord_error *err) {
    struct world *w = engine->options.log_ctx;
    CORD_TRY(script_call(w, err));
    w->n_scored = n;
    for (int i = 0; i < n; i++) {
        cord_scoring *r = &requests[i];
        assert_int_equal(r->others_go_on, others_go_on(w));
        double score = script_score(w, r, (int)(r->model - w->models));
        buf_addf(&w->log, "score %a: %.*s\n", score, (int)r->reasoning.len, r->reasoning.data);
        if (w->calls == w->away_call && i == n - 1) {
            fail_request(&r->error, w->away_code, TEACHERS);
            continue;
        }
        if (isnan(score)) {
            fail_request(&r->error, CORD_TOO_LONG, TEACHERS);
            continue;
        }
        r->log_score = score;
        r->score = exp(score);
        r->reasoning_tokens = words_of(r->reasoning);
    }
    return CORD_OK;
}

/* At each mark the log-probabilities of "-" and "+", by the prompt before it: what stands behind it does not count. */
cord_status __wrap_cord_classify(cord_engine *engine, cord_classification *requests, int n, cord_error *err) {
    struct world *w = engine->options.log_ctx;
    CORD_TRY(script_call(w, err));
    w->n_scored = n;
    for (int i = 0; i < n; i++) {
        cord_classification *r = &requests[i];
        assert_int_equal(r->model - w->models, REWARD);
        if (w->calls == w->away_call && i == n - 1) {
            fail_request(&r->error, w->away_code, TEACHERS);
            continue;
        }
        r->n_classes = 2;
        r->logprob = malloc(2 * (size_t)r->n_spans * sizeof *r->logprob);
        for (int k = 0; k < r->n_spans; k++) {
            if (!r->prompt[k].trusted || !text_equal(r->prompt[k].text, r->mark)) continue;
            cord_text before = spans_text((struct spans){(cord_span *)(uintptr_t)r->prompt, k}, &w->arena);
            r->logprob[2 * r->n_places] = w->reward(w, before, (cord_text){"", 0}, TEXT("-"));
            r->logprob[2 * r->n_places++ + 1] = w->reward(w, before, (cord_text){"", 0}, TEXT("+"));
            buf_addf(&w->log, "classify %a %a\n", r->logprob[2 * r->n_places - 2], r->logprob[2 * r->n_places - 1]);
        }
        r->prompt_tokens = r->n_spans;
    }
    return CORD_OK;
}

cord_status __wrap_cord_count(const cord_model *model, cord_counting *texts, int n, cord_error *err);
/* As many as the script's scores say. Who asks is no part of the log: it is not a call of the engine. */
cord_status __wrap_cord_count(const cord_model *model, cord_counting *texts, int n, cord_error *err) {
    (void)err;
    struct world *w = (struct world *)((uintptr_t)(model - META) - offsetof(struct world, models));
    assert_ptr_equal(w->engine.options.log_ctx, w); /* the meta-prover's tokens are counted, nobody else's */
    w->counts++;
    w->counted += n;
    for (int i = 0; i < n; i++) {
        assert_int_equal(texts[i].n_spans, 1);
        assert_false(texts[i].spans->trusted);
        assert_int_equal(texts[i].group, w->search.group);
        texts[i].tokens = words_of(texts[i].spans->text);
        if (text_find(texts[i].spans->text, TEXT("Unspelled")) >= 0)
            (void)error_set(&texts[i].error, CORD_BAD_INPUT, "no token spells this");
    }
    return CORD_OK;
}

/* ---- the observer -------------------------------------------------------------------------------------------- */

static inline cord_status on_started(void *ctx, double log_s0, cord_text contrast, const struct spoken *spoken, int n,
                                     cord_error *err) {
    (void)err;
    struct world *w = ctx;
    int spoken_to = 1; /* the meta-prover, and who has a model */
    for (int k = 0; k < w->search.n_teachers; k++) spoken_to += w->teachers[k].model != NULL;
    bool judged = criterion_of(&w->search)->asked != NULL, integrates = is_integrator(w, w->search.n_teachers);
    assert_int_equal(n, spoken_to + judged + integrates);
    assert_int_equal(w->n_rounds, 0); /* told first */
    for (int i = 0; i < spoken_to; i++) {
        cord_text all;
        int who = i < spoken_to - 1 ? i : TEACHERS;
        assert_int_equal(spoken[i].teacher, i < spoken_to - 1 ? i : SPOKEN_META);
        assert_int_equal(behind_prompt(w, who, spoken[i].prompt.span, spoken[i].prompt.n, &all).len, 0);
        assert_ptr_equal(spoken[i].style, &w->styles[who]);
        if (i < spoken_to - 1) w->guesses[i] = spoken[i].guesses;
    }
    if (judged) { /* in the meta-prover's style */
        cord_text all;
        assert_int_equal(spoken[spoken_to].teacher, SPOKEN_ASKED);
        assert_int_equal(behind_prompt(w, META, spoken[spoken_to].prompt.span, spoken[spoken_to].prompt.n, &all).len,
                         0);
    }
    if (integrates) { /* its turn's text is still to come */
        const struct spoken *last = &spoken[n - 1];
        int turns = 0;
        assert_int_equal(last->teacher, w->search.n_teachers);
        for (int i = 0; i < last->prompt.n; i++)
            turns += !last->prompt.span[i].trusted && text_equal(last->prompt.span[i].text, TEXT(INTEGRATOR_TURN));
        assert_int_equal(turns, 1);
    }
    w->n_started++;
    w->log_s0 = log_s0;
    w->contrast = arena_text(&w->arena, contrast);
    buf_addf(&w->log, "S0 %a\n", log_s0);
    w->told = w->log.len;
    return CORD_OK;
}

static inline void log_trajectory(struct world *w, const struct trajectory *t) {
    buf_addf(&w->log, " %s from %d candidate %d run %d author %d steps %d tokens %d score %a: %.*s\n",
             finish_name(t->finish), t->from, t->candidate, t->run, t->author, t->n_steps, t->tokens,
             isnan(t->log_score) ? 99 : t->log_score, (int)t->reasoning.len, t->reasoning.data);
    if (w->settings.strategy == STRATEGY_MCTS)
        buf_addf(&w->log, "  above %d visits %d value %a tried %llx\n", t->tree.above, t->tree.visits, t->tree.value,
                 (unsigned long long)t->tree.tried);
    if (t->reply.len) buf_addf(&w->log, "  came with '%.*s'\n", (int)t->reply.len, t->reply.data);
}

/* Who puts a round's beam together again has of its steps what `candidate` says, as the journal does. */
static inline void assert_candidate_tells_steps(const struct round *round) {
    for (int i = 0; i < round->n_beam; i++) {
        const struct trajectory *t = &round->beam[i];
        bool grew = t->last && t->last->round == round->number;
        assert_true(grew == (t->candidate >= 0 && !round->candidates[t->candidate].finishes_parent));
    }
}

static inline cord_status on_round(void *ctx, const struct round *round, cord_error *err) {
    (void)err;
    struct world *w = ctx;
    assert_true(w->n_rounds < ROUNDS);
    assert_candidate_tells_steps(round);
    struct round *copy = &w->rounds[w->n_rounds++];
    struct trajectory *beam = arena_alloc(&w->arena, (size_t)round->n_beam * sizeof *beam);
    memcpy(beam, round->beam, (size_t)round->n_beam * sizeof *beam);
    for (int i = 0; i < round->n_beam; i++) {
        beam[i].reasoning = arena_text(&w->arena, beam[i].reasoning);
        beam[i].reply = arena_text(&w->arena, beam[i].reply);
    }
    struct candidate *candidates = arena_alloc(&w->arena, (size_t)(round->n_candidates + 1) * sizeof *candidates);
    for (int i = 0; i < round->n_candidates; i++) {
        struct candidate *c = &candidates[i];
        *c = round->candidates[i];
        c->step = arena_text(&w->arena, c->step);
        c->reasoning = arena_text(&w->arena, c->reasoning);
        if (c->rollout.data) c->rollout = arena_text(&w->arena, c->rollout);
        if (c->drop_why) c->drop_why = arena_printf(&w->arena, "%s", c->drop_why);
        if (c->parts) {
            struct step_part *parts = arena_alloc(&w->arena, (size_t)c->n_parts * sizeof *parts);
            memcpy(parts, c->parts, (size_t)c->n_parts * sizeof *parts);
            c->parts = parts;
        }
    }
    *copy = *round;
    copy->beam = beam;
    copy->candidates = candidates;
    if (round->note) copy->note = arena_printf(&w->arena, "%s", round->note);
    buf_addf(&w->log, "round %d %s\n", round->number, round->note ? round->note : "");
    for (int i = 0; i < round->n_candidates; i++) {
        const struct candidate *c = &round->candidates[i];
        buf_addf(&w->log, " %d+%d.%d.%d end %d drop %d %d rank %d slot %d tie %llx %a|%.*s|%.*s|%s\n", c->parent,
                 c->teacher, c->sample, c->run, (int)c->end, (int)c->drop, c->finishes_parent, c->rank, c->slot,
                 (unsigned long long)c->tie, isnan(c->log_score) ? 99 : c->log_score, (int)c->step.len, c->step.data,
                 (int)c->reasoning.len, c->reasoning.data, c->drop_why ? c->drop_why : "");
        if (c->rollout.data) buf_addf(&w->log, "  rollout %.*s\n", (int)c->rollout.len, c->rollout.data);
        for (int p = 0; c->parts && p < c->n_parts; p++)
            buf_addf(&w->log, "  part %zu %zu\n", c->parts[p].from, c->parts[p].to);
    }
    for (int i = 0; i < round->n_beam; i++) log_trajectory(w, &round->beam[i]);
    w->told = w->log.len;
    return CORD_OK;
}

static inline cord_status on_finished(void *ctx, const struct answered *finished, int n, cord_error *err) {
    (void)err;
    struct world *w = ctx;
    w->n_ends++;
    w->finished = finished;
    w->n_finished = n;
    for (int i = 0; i < n; i++) {
        const struct answered *a = &finished[i];
        log_trajectory(w, &a->trajectory);
        buf_addf(&w->log, " %s (%s) '%.*s' in '%.*s' pp %a %a\n", grade_name(a->grade), a->why, (int)a->answer.len,
                 a->answer.data, (int)a->reply.len, a->reply.data, isnan(a->log_pp) ? 99 : a->log_pp,
                 isnan(a->log_held_out) ? 99 : a->log_held_out);
    }
    return CORD_OK;
}

/* ---- worlds -------------------------------------------------------------------------------------------------- */

static inline struct prompt_style script_style(struct world *w, int who) {
    struct prompt_style style;
    assert_true(prompt_preset("steps", &style));
    style.full = text_of(arena_printf(&w->arena, "<%d>{question}</%d>", who, who));
    return style;
}

static inline struct world *world_new(int n_teachers, int beam) {
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_true(n_teachers <= TEACHERS);
    arena_init(&w->arena);
    buf_init(&w->log, "log", 1 << 26);
    w->engine.options.log_ctx = w;
    for (int k = 0; k <= TEACHERS; k++) {
        w->styles[k] = script_style(w, k);
        w->models[k].info.noise = 0.25;
        if (k == TEACHERS) break;
        w->teachers[k] = (struct teacher){
            .name = "teacher",
            .model = &w->models[k],
            .prompt = {.style = &w->styles[k]},
            .sampling = {.temperature = 0.5f + 0.1f * (float)k, .top_p = 0.9f, .seed = 77},
        };
    }
    for (int k = META + 1; k < MODELS; k++)
        w->others[k] = (struct meta_prover){.model = &w->models[k], .prompt = {.style = &w->styles[META]}};
    w->meta = (struct meta_prover){.model = &w->models[TEACHERS], .prompt = {.style = &w->styles[TEACHERS]}};
    w->settings = (struct search_settings){
        .runs = 1,
        .beam = beam,
        .step_tokens = 20,
        .think_tokens = 1000,
        .answer_tokens = 9,
        .seed = 1,
    };
    w->observer = (struct observer){w, on_started, on_round, on_finished};
    w->search = (struct search){
        .engine = &w->engine,
        .group = 4711,
        .question = {TEXT("p1"), TEXT("What is 6 x 7?")},
        .target = TEXT("42"),
        .gold = TEXT("42"),
        .teachers = w->teachers,
        .n_teachers = n_teachers,
        .meta_prover = &w->meta,
        .settings = &w->settings,
        .grader = &w->grader,
        .observer = &w->observer,
        .arena = &w->arena,
    };
    return w;
}

/* One more merges what the others write. */
static inline void world_integrate(struct world *w, int tries) {
    int who = w->search.n_teachers;
    assert_true(who < TEACHERS);
    w->settings.strategy = STRATEGY_INTEGRATION;
    w->settings.beam = 1;
    w->settings.integration.form = TEXT("Merge: {question}\n{traces}");
    w->settings.integration.tokens = 500;
    w->settings.integration.tries = tries;
    w->styles[who].think_open = (cord_text){"", 0};
    w->teachers[who].name = INTEGRATOR;
}

/* Everybody's steps end otherwise. */
static inline void world_segment(struct world *w, enum segmentation segmentation) {
    for (int k = 0; k <= TEACHERS; k++) {
        prompt_segment(&w->styles[k], segmentation);
        assert_text(w->styles[k].think_open, "<think>\n");
    }
}

/* The criterion of that name, with what it needs. */
static inline void world_judge(struct world *w, const char *name) {
    int i = 0;
    while (strcmp(criteria[i]->name, name) != 0) i++; /* a name that is not there ends the test */
    w->settings.criterion = criteria[i];
    w->settings.judgment = (struct judgment){4, 8, 0.5f, TEXT("Time is up.")};
    w->settings.contrast_samples = 3;
    w->settings.reward_format = REWARD_SHEPHERD;
    w->search.judge = &w->others[JUDGE];
    w->search.reward = &w->others[REWARD];
}

static inline void world_free(struct world *w) {
    buf_release(&w->log);
    arena_release(&w->arena);
    free(w);
}

static inline cord_status world_run(struct world *w) {
    cord_status status = search_run(&w->search, &w->error);
    assert_int_equal(status, w->error.code);
    assert_int_equal(w->log.status, CORD_OK);
    return status;
}

static inline void world_succeeds(struct world *w) {
    if (world_run(w) != CORD_OK) fail_msg("the search failed: %s", w->error.message);
    assert_int_equal(w->n_ends, 1);
}

static inline bool has(cord_text text, const char *what) { return text_find(text, text_of(what)) >= 0; }

#endif
