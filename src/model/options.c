/* options.c - what a caller asks for and cannot mean is refused in words, before a back end sees it. It must not know what the
 * numbers are for. */
#include "model/backend.h"

#include <math.h>

cord_status options_check(const cord_model_options *o, cord_error *err) {
    const struct {
        const char *member;
        int value, least;
    } numbers[] = {
        {"context", o->context, 0},     {"more_context", o->more_context, 0}, {"cells", o->cells, 0},
        {"sequences", o->sequences, 0}, {"gpu_layers", o->gpu_layers, -1},    {"requests", o->requests, 0},
    };
    if (!o->name) return error_set(err, CORD_BAD_INPUT, "a model has no `name`, which messages need; give it one");
    if (!o->path == !o->url)
        return error_set(err, CORD_BAD_INPUT,
                         "the model %s has %s a `path` (a GGUF file) %s a `url` (a server's); give one of them",
                         o->name, o->path ? "both" : "neither", o->path ? "and" : "nor");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value < numbers[i].least)
            return error_set(err, CORD_BAD_INPUT, "`%s` of the model %s is %d; it must be at least %d",
                             numbers[i].member, o->name, numbers[i].value, numbers[i].least);
    return CORD_OK;
}

cord_status proposal_check(const cord_proposal *p, cord_error *err) {
    const cord_sampling *s = &p->sampling;
    const struct {
        const char *member;
        float value;
    } numbers[] = {
        {"sampling.temperature", s->temperature},
        {"sampling.top_p", s->top_p},
        {"sampling.min_p", s->min_p},
        {"sampling.repeat_penalty", s->repeat_penalty},
    };
    if (p->max_tokens < 1)
        return error_set(err, CORD_BAD_INPUT, "`max_tokens` of a proposal is %d; it must be at least 1", p->max_tokens);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!isfinite(numbers[i].value) || numbers[i].value < 0)
            return error_set(err, CORD_BAD_INPUT, "`%s` of a proposal is %g; it must be a number from 0 on",
                             numbers[i].member, (double)numbers[i].value);
    return CORD_OK;
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
