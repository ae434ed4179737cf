/* openai.h - what the protocols share whose requests look like OpenAI's: the list of models, how a text ended, what
 * it cost, and completions that come as events. It must not know which of them is spoken. */
#ifndef CORD_MODEL_HTTP_OPENAI_H
#define CORD_MODEL_HTTP_OPENAI_H

#include "model/http/remote.h"

/* Asks /v1/models. *is is false where there is no such list. Fills remote->served where the recipe names no model
 * (it is left NULL where the list is empty), and the context where the server tells it. With `strict`, a model that
 * is named and not in the list is an error. */
cord_status openai_models(struct remote *remote, bool strict, bool *is, cord_error *err);
/* Whether the base URL ends in the API's version ("/v1", "/api/v1", "/beta"), so that paths must not say it again. */
bool openai_is_versioned(const char *urls);

const json_t *openai_choice(const json_t *reply);
/* Fills how the text of a choice ended, `end` and `stop`. False where it has not, or by a stop string that nobody
 * asked for. */
bool openai_end(const json_t *choice, cord_proposal *p);
/* Whether it tells that this stop string ended the text: vLLM's "stop_reason", SGLang's "matched_stop". */
bool openai_names_stop(const json_t *choice, cord_text stop);
/* Fills what a reply cost, and its text (a copy). False: no memory. */
bool openai_take(const json_t *reply, const json_t *text, cord_proposal *p);

/* A whole reply of completions: how it ended, what it cost, its text. */
bool openai_read_completion(const json_t *reply, cord_proposal *p);

/* How a text is drawn and where it stops, as vLLM and SGLang name it, which take all of it; `seed` is their word for that. */
void openai_write_drawing(const cord_proposal *p, const char *seed, struct json_writer *w);
/* The members that all have: which model, how much, how it is drawn. Stop strings go only to a server that says
 * which one ended a text: otherwise it could not be told from the end of the model's turn. */
void openai_write_sampling(const struct remote *remote, const cord_proposal *p, struct json_writer *w);
void openai_write_stream(const struct remote *remote, struct json_writer *w);
/* Why a model that is opened is asked for a stream, to be said where it gives none. */
#define WHY_A_STREAM \
    "it is asked for one where models.*.stream is set, or where it does not tell which stop string ended a text"
/* Whether a first stream's status may mean that it must not be asked for its usage: Mistral's is said to be 422. */
bool openai_refuses_usage(int status);

/* An event of a stream of completions: what a choice says of its end, and the cost; false for an error. The text is the
 * protocol's. */
bool openai_event(struct told *told, const json_t *event);
/* The choice of a folded reply, without its text; its end, if it was cut, is "length". New reference; NULL: no memory. */
json_t *openai_event_choice(struct told *told);
bool openai_event_text(struct told *told, const json_t *event);
void openai_event_end(struct told *told);

#endif
