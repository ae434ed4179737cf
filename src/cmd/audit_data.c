/* audit_data.c - a run's audit as JSON, with all problems that a figure is about. It must not read journals. */
#include "base/json.h"
#include "cmd/look.h"

enum { MOST_OUTPUT = 1 << 28 };

static void json_saturation(struct look *l, struct json_writer *w) {
    json_open(w, "saturation", '{');
    json_bool(w, "applies", look_can_saturate(l));
    json_double(w, "over", AUDIT_SATURATED);
    json_int(w, "rounds", look_can_saturate(l) ? l->scored : 0);
    json_int(w, "saturated", l->saturated);
    json_int(w, "problems", l->problems_saturated);
    json_double(w, "how_soon", look_share(l->how_soon, l->problems_saturated));
    json_open(w, "list", '[');
    for (int i = 0; i < l->audit.n_problems; i++) {
        const struct audit_problem *p = &l->audit.problems[i];
        if (!p->first_saturated) continue;
        json_open(w, NULL, '{');
        json_text(w, "id", p->id);
        json_int(w, "round", p->first_saturated);
        json_int(w, "rounds", p->rounds);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void json_progress(struct look *l, struct json_writer *w) {
    json_open(w, "progress", '{');
    json_bool(w, "applies", look_has_progress(l));
    if (look_has_progress(l)) {
        json_int(w, "rounds", l->audit.stepwise ? l->scored : 0);
        json_int(w, "stuck", l->audit.stepwise ? l->stuck : 0);
        json_int(w, "problems", l->answered);
        json_int(w, "ends_stuck", l->ends_stuck);
        json_open(w, "list", '[');
        for (int i = 0; i < l->audit.n_problems; i++) {
            const struct audit_problem *p = &l->audit.problems[i];
            if (!p->ends_stuck) continue;
            json_open(w, NULL, '{');
            json_text(w, "id", p->id);
            json_double(w, "s", p->s);
            json_double(w, "s0", p->s0);
            json_close(w, '}');
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}

static void json_mention(struct look *l, struct json_writer *w) {
    json_open(w, "first_mention", '{');
    json_int(w, "problems", l->asked);
    json_int(w, "in_question", l->in_question);
    json_int(w, "never", l->asked - l->mentioned);
    json_double(w, "where", look_share(l->where, l->mentioned));
    json_int(w, "with_scores", l->with_scores);
    json_double(w, "s_before", look_share(l->before, l->with_scores));
    json_double(w, "s_with", look_share(l->after, l->with_scores));
    json_open(w, "list", '[');
    for (int i = 0; i < l->audit.n_problems; i++) {
        const struct audit_problem *p = &l->audit.problems[i];
        if (!p->answered || p->mention.in_question) continue;
        json_open(w, NULL, '{');
        json_text(w, "id", p->id);
        json_int(w, "step", p->mention.step); /* 0: never */
        json_int(w, "steps", p->mention.steps);
        json_double(w, "s_before", exp(p->mention.before));
        json_double(w, "s_with", exp(p->mention.after));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void json_cut(struct look *l, struct json_writer *w) {
    json_open(w, "cut", '{');
    json_int(w, "problems", l->answered);
    json_int(w, "cut", l->cut);
    json_int(w, "cut_correct", l->cut_right);
    json_int(w, "others_correct", l->whole_right);
    json_open(w, "list", '[');
    for (int i = 0; i < l->audit.n_problems; i++)
        if (l->audit.problems[i].cut) json_text(w, NULL, l->audit.problems[i].id);
    json_close(w, ']');
    json_close(w, '}');
}

static void json_noise(struct json_writer *w, const struct audit *a, const char *key, const char *within,
                       double noise) {
    json_double(w, key, noise);
    if (isnan(noise))
        json_nil(w, within);
    else
        json_int(w, within, audit_within(a, noise));
}

static void json_margins(struct look *l, struct json_writer *w) {
    const struct audit *a = &l->audit;
    json_open(w, "margins", '{');
    json_bool(w, "applies", a->competes);
    json_int(w, "selections", a->n_margins);
    json_double(w, "median", audit_median(a->margins, a->n_margins));
    json_noise(w, a, "noise", "within_noise", l->noise);
    if (isnan(l->noise))
        json_nil(w, "noise_is");
    else
        json_text(w, "noise_is", text_of(look_noise_is(l)));
    json_noise(w, a, "measured", "within_measured", l->measured);
    json_int(w, "ties", a->ties);
    json_int(w, "unbounded", a->unbounded); /* where the median is one, it is null */
    json_close(w, '}');
}

static void json_guessable(struct look *l, struct json_writer *w) {
    json_open(w, "guessable", '{');
    json_int(w, "problems", l->started);
    json_double(w, "mean_s0", look_share(l->s0, l->started));
    json_double(w, "over", AUDIT_GUESSABLE);
    json_int(w, "guessable", l->guessable);
    json_open(w, "list", '[');
    for (int i = 0; i < l->audit.n_problems; i++) {
        const struct audit_problem *p = &l->audit.problems[i];
        if (!p->started || !(p->s0 > AUDIT_GUESSABLE)) continue;
        json_open(w, NULL, '{');
        json_text(w, "id", p->id);
        json_double(w, "s0", p->s0);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void json_rates(struct json_writer *w, const char *key, const struct audit_teacher *t) {
    json_open(w, key, '{');
    json_int(w, "proposed", t->proposed);
    json_int(w, "kept", t->kept);
    json_int(w, "final", t->final);
    json_close(w, '}');
}

static void json_teachers(struct look *l, struct json_writer *w) {
    struct audit_teacher own = look_sum_teachers(l, true), others = look_sum_teachers(l, false);
    json_open(w, "self_preference", '{');
    json_bool(w, "applies", look_can_prefer(l));
    json_bool(w, "competes", l->audit.competes);
    json_open(w, "teachers", '[');
    for (int k = 0; k < l->audit.n_teachers; k++) {
        const struct audit_teacher *t = &l->audit.teachers[k];
        json_open(w, NULL, '{');
        json_text(w, "name", text_of(l->teachers[k]));
        json_bool(w, "is_meta_prover", look_is_own(l, k));
        json_int(w, "proposed", t->proposed);
        json_int(w, "kept", t->kept);
        json_int(w, "final", t->final);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_rates(w, "own", &own);
    json_rates(w, "others", &others);
    json_close(w, '}');
}

static void json_overlooked(struct look *l, struct json_writer *w) {
    json_open(w, "overlooked", '{');
    json_int(w, "problems", l->answered);
    json_int(w, "overlooked", l->overlooked);
    json_open(w, "list", '[');
    for (int i = 0; i < l->audit.n_problems; i++) {
        const struct audit_problem *p = &l->audit.problems[i];
        if (!p->overlooked) continue;
        json_open(w, NULL, '{');
        json_text(w, "id", p->id);
        json_double(w, "s_best", p->best_s);
        json_text(w, "best_answer", p->best_answer);
        json_double(w, "s_right", p->right_s);
        json_int(w, "place", p->right_place);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

cord_status look_json(struct look *l, cord_error *err) {
    struct buf out;
    buf_init(&out, "an audit as JSON", MOST_OUTPUT);
    struct json_writer w = {.out = &out};
    json_open(&w, NULL, '{');
    json_text(&w, "run", text_of(l->call->args[0]));
    json_text(&w, "strategy", l->outline.strategy);
    json_text(&w, "criterion", l->outline.criterion);
    json_int(&w, "problems", l->audit.n_problems);
    json_int(&w, "done", l->done);
    json_int(&w, "going_on", l->going_on);
    json_int(&w, "failed", l->failed);
    json_saturation(l, &w);
    json_progress(l, &w);
    json_cut(l, &w);
    json_mention(l, &w);
    json_margins(l, &w);
    json_guessable(l, &w);
    json_teachers(l, &w);
    json_overlooked(l, &w);
    if (l->rollouts.wanted) rollouts_json(&l->rollouts, &w);
    json_close(&w, '}');
    buf_addc(&out, '\n');
    return call_put(l->call, &out, err);
}
