/* options.c - what a caller asks for and cannot mean is refused in words, before a back end sees it. It must not know what the
 * numbers are for. */
#include "model/backend.h"

#include <math.h>
#include <stdio.h>

/* More is a mistake, and sums of these have to fit their types: some three years of seconds. */
enum { MOST_TOKENS = 1 << 30, MOST_SECONDS = 100000000, MOST_TRIES = 1000000 };

/* A number that a caller gives, and where it must lie. */
struct number {
    const char *member;
    double value, least, most;
};

static cord_status numbers_check(const struct number *numbers, size_t n, const char *whose, cord_error *err) {
    for (size_t i = 0; i < n; i++) {
        const struct number *x = &numbers[i];
        if (isfinite(x->value) && x->value >= x->least && x->value <= x->most) continue;
        if (isinf(x->most))
            return error_set(err, CORD_BAD_INPUT, "`%s` of %s is %g; it must be a number from %g on", x->member, whose,
                             x->value, x->least);
        return error_set(err, CORD_BAD_INPUT, "`%s` of %s is %g; it must be a number from %g to %g", x->member, whose,
                         x->value, x->least, x->most);
    }
    return CORD_OK;
}

cord_status options_check(const cord_model_options *o, cord_error *err) {
    char whose[200];
    const struct number numbers[] = {
        {"context", o->context, 0, MOST_TOKENS},
        {"more_context", o->more_context, 0, MOST_TOKENS},
        {"cells", o->cells, 0, INFINITY},
        {"sequences", o->sequences, 0, INFINITY},
        {"gpu_layers", o->gpu_layers, -1, INFINITY},
        {"requests", o->requests, 0, INFINITY},
    };
    if (!o->name) return error_set(err, CORD_BAD_INPUT, "a model has no `name`, which messages need; give it one");
    if (!o->path == !o->url)
        return error_set(err, CORD_BAD_INPUT,
                         "the model %s has %s a `path` (a GGUF file) %s a `url` (a server's); give one of them",
                         o->name, o->path ? "both" : "neither", o->path ? "and" : "nor");
    snprintf(whose, sizeof whose, "the model %s", o->name);
    return numbers_check(numbers, sizeof numbers / sizeof *numbers, whose, err);
}

cord_status engine_check(const cord_engine_options *o, cord_error *err) {
    const cord_server_limits *s = &o->servers;
    const struct number numbers[] = {
        {"threads", o->threads, 0, INFINITY},
        {"servers.connect", s->connect, 0, MOST_SECONDS},
        {"servers.first_byte", s->first_byte, 0, MOST_SECONDS},
        {"servers.idle", s->idle, 0, MOST_SECONDS},
        {"servers.tries", s->tries, 0, MOST_TRIES},
        {"servers.backoff", s->backoff, 0, MOST_SECONDS},
        {"servers.longest_pause", s->longest_pause, 0, MOST_SECONDS},
    };
    return numbers_check(numbers, sizeof numbers / sizeof *numbers, "an engine", err);
}

cord_status request_check(const cord_engine *engine, const cord_model *model, int n_spans, cord_error *err) {
    if (!model) return error_set(err, CORD_BAD_INPUT, "a request has no `model`");
    if (model->engine != engine)
        return error_set(err, CORD_BAD_INPUT, "the model %s belongs to another engine; ask that one", model->info.name);
    if (n_spans < 0) return error_set(err, CORD_BAD_INPUT, "`n_spans` of a request is %d", n_spans);
    return CORD_OK;
}

cord_status proposal_check(const cord_proposal *p, cord_error *err) {
    const cord_sampling *s = &p->sampling;
    const struct number numbers[] = {
        {"max_tokens", p->max_tokens, 1, INFINITY},
        {"n_stops", p->n_stops, 0, INFINITY},
        {"sampling.temperature", (double)s->temperature, 0, INFINITY},
        {"sampling.top_p", (double)s->top_p, 0, 1},
        {"sampling.min_p", (double)s->min_p, 0, 1},
        {"sampling.top_k", s->top_k, 0, INFINITY},
        {"sampling.repeat_penalty", (double)s->repeat_penalty, 0, INFINITY},
        {"sampling.repeat_last", s->repeat_last, 0, REPEAT_MOST},
    };
    return numbers_check(numbers, sizeof numbers / sizeof *numbers, "a proposal", err);
}

cord_status must_be_utf8(cord_text text, size_t before, cord_error *err) {
    size_t valid = utf8_valid_prefix(text);
    return valid == text.len ? CORD_OK
                             : error_set(err, CORD_BAD_INPUT, "a text is no UTF-8 at byte %zu", before + valid);
}

cord_status nothing_before(size_t bytes, cord_error *err) {
    if (!bytes)
        return error_set(err, CORD_BAD_INPUT,
                         "nothing stands before the target: a model needs at least one token to predict from");
    return error_set(err, CORD_BAD_INPUT,
                     "what stands before the target forms one token with the target's beginning, and a model needs at "
                     "least one token to predict from; lengthen the prefix");
}
