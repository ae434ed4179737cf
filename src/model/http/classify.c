/* classify.c - what the classification heads of models on servers say at the places of a special token. It must not know
 * protocols, nor what the classes mean. */
#include "model/http/spelled.h"

#include <stdlib.h>

/* A prompt, and the tokens in it that are its mark. */
struct marked {
    struct spelled *text;
    int *places;
    int n;
};

/* A mark that a user or a model wrote was cut in two before it was tokenised: what is spelled as the mark whole, as one
 * token, stands in a trusted span. */
static void find_places(const cord_classification *r, struct marked *m) {
    const struct pieces *p = &m->text->pieces;
    cord_text all = buf_text(&m->text->text);
    const cord_model_info *info = cord_model_get_info(r->model);
    if (m->text->error.code != CORD_OK) return;
    m->places = calloc((size_t)p->n + 1, sizeof *m->places);
    for (int i = 0; i < p->n && m->places; i++)
        if (text_equal(text_slice(all, i ? p->end[i - 1] : 0, p->end[i]), r->mark)) m->places[m->n++] = i;
    if (!m->places)
        error_fill(&m->text->error, CORD_NO_MEMORY, "out of memory");
    else if (!m->n)
        error_fill(&m->text->error, CORD_BAD_MODEL,
                   "%s has no token %.*s: it is not the kind of model that is read there; serve one that is",
                   info->name, (int)r->mark.len, r->mark.data);
    else if (info->context && p->n > info->context)
        error_fill(&m->text->error, CORD_TOO_LONG, "%d tokens do not fit the context of %s (%d)", p->n, info->name,
                   info->context);
}

/* What a question is about, and what its reply says. */
struct asked {
    cord_classification *request;
    const struct marked *marked;
};

static bool read_values(struct question *q, const json_t *reply) {
    struct asked *a = q->into;
    cord_classification *r = a->request;
    const struct marked *m = a->marked;
    classification_drop(r);
    if (!q->remote->protocol->head->read(reply, &m->text->pieces, m->places, m->n, &r->logprob, &r->n_classes,
                                         &r->cached_tokens, &q->why)) {
        if (q->why.code != CORD_OK) error_where(&q->why, "model %s", q->remote->base.info.name);
        return false;
    }
    r->n_places = m->n;
    q->cost = (cord_cost){m->text->pieces.n, r->cached_tokens, 0};
    return true;
}

static void ask_values(struct asked *asked, struct question *q) {
    const cord_classification *r = asked->request;
    const struct spelled *text = asked->marked->text;
    const struct head_calls *head = text->remote->protocol->head;
    struct json_writer w = question_begin(q, text->remote, head ? head->path : "", r->group);
    if (head && text->error.code == CORD_OK) head->write(text->remote, &text->pieces, &w);
    question_end(q, &w);
    question_charge(q, 0, text->pieces.n, 0);
    q->read = read_values;
    q->into = asked;
    if (text->error.code != CORD_OK) q->call.error = text->error;
}

static void take_values(cord_classification *r, const struct marked *m, const struct question *q, int64_t began) {
    struct remote *remote = m->text->remote;
    r->error = q->call.error;
    r->us = clock_us() - began;
    r->prompt_tokens = m->text->pieces.n;
    if (r->error.code != CORD_OK) {
        classification_drop(r);
        return;
    }
    if (r->cached_tokens > r->prompt_tokens) r->cached_tokens = r->prompt_tokens;
    atomic_fetch_add(&remote->base.usage.score_us, r->us);
    atomic_fetch_add(&remote->base.usage.scored_tokens, r->prompt_tokens - r->cached_tokens);
    atomic_fetch_add(&remote->base.usage.cached_tokens, r->cached_tokens);
}

static void begin(const cord_classification *r, struct marked *m) {
    const struct remote *remote = remote_of(r->model);
    spell(m->text, r->model, r->prompt, r->n_spans, r->group);
    if (!remote->protocol->head && m->text->error.code == CORD_OK)
        error_fill(
            &m->text->error, CORD_BAD_MODEL,
            "the server of %s is spoken to by the protocol %s, which tells nothing of a classification head; let "
            "vLLM serve this model (vllm serve MODEL), and name its url",
            remote->base.info.name, remote->protocol->name);
}

cord_status remote_classify(cord_engine *engine, cord_classification **requests, int n, cord_error *err) {
    int64_t began = clock_us();
    struct marked *marked = calloc((size_t)n + 1, sizeof *marked);
    struct spelled *texts = calloc((size_t)n + 1, sizeof *texts);
    struct asked *asked = calloc((size_t)n + 1, sizeof *asked);
    struct question *questions = calloc((size_t)n + 1, sizeof *questions);
    cord_status status = marked && texts && asked && questions ? CORD_OK : error_memory(err);
    int begun = status == CORD_OK ? n : 0;
    for (int i = 0; i < begun; i++) {
        marked[i].text = &texts[i];
        begin(requests[i], &marked[i]);
    }
    if (status == CORD_OK) status = spelled_tokenize(engine, texts, n, SPELLED_TO_READ, 0, err);
    for (int i = 0; i < begun; i++) {
        asked[i] = (struct asked){requests[i], &marked[i]};
        if (status == CORD_OK) find_places(requests[i], &marked[i]);
        ask_values(&asked[i], &questions[i]);
    }
    if (status == CORD_OK) status = questions_ask(engine, questions, n, err);
    for (int i = 0; i < begun; i++) {
        if (status == CORD_OK) take_values(requests[i], &marked[i], &questions[i], began);
        question_release(&questions[i]);
        spelled_release(&texts[i]);
        free(marked[i].places);
    }
    free(marked);
    free(texts);
    free(asked);
    free(questions);
    return status;
}
