/* cord.h - the public interface of libcord. What is not in this header is not API.
 *
 * cord makes chain-of-thought training data by collaborative step-wise multi-teacher decoding (CoRD,
 * arXiv 2605.02290). This header holds the words that everything else is written in: texts, errors, and the grader.
 *
 * Conventions
 *   Threads    functions here keep no state of their own and may be called from any thread.
 *   Errors     a function that can fail returns a cord_status and fills the cord_error it was given; on success the
 *              error is left untouched. The library never exits, prints, or reads the environment.
 *   NULL       an error pointer may be NULL; no other pointer may, unless its comment says so.
 *   borrowed   valid until the call that the comment names; never freed by who receives it.
 */
#ifndef CORD_H
#define CORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- text ---------------------------------------------------------------------------------------------------- */

/* Bytes, UTF-8 unless said otherwise, not NUL-terminated, borrowed. An empty text may have data == NULL. */
typedef struct {
    const char *data;
    size_t len;
} cord_text;

/* One stretch of a prompt. Only trusted spans (a chat template's own text, a marker that cord writes) may become
 * special tokens, so a question that contains "<|im_end|>" stays a question. */
typedef struct {
    cord_text text;
    bool trusted;
} cord_span;

/* ---- errors -------------------------------------------------------------------------------------------------- */

typedef enum {
    CORD_OK = 0,
    CORD_CANCELLED,  /* asked to stop; what was done is kept */
    CORD_NO_MEMORY,  /* an allocation failed, or a buffer reached its named cap */
    CORD_BAD_USAGE,  /* the command line */
    CORD_BAD_RECIPE, /* the recipe, or what it asks of a model */
    CORD_BAD_INPUT,  /* a row of input data */
    CORD_BAD_MODEL,  /* weights that are missing, damaged or unsupported */
    CORD_TOO_LONG,   /* a text that does not fit the model's context */
    CORD_IO_ERROR,   /* the file system or the journal */
    CORD_BUSY,       /* another process works on this run folder */
    CORD_CHANGED,    /* a run folder that was made with another recipe */
    CORD_INTERNAL,   /* a bug in cord */
} cord_status;

/* What went wrong, for people: what happened and what to do about it, and where (file:line:column, a row, a key). */
typedef struct {
    cord_status code;
    char message[600];
    char where[300];
} cord_error;

/* The status as a word, such as "bad recipe". Static. */
const char *cord_status_name(cord_status status);

/* The version as "MAJOR.MINOR.PATCH". Static. */
const char *cord_version(void);

/* ---- grading ------------------------------------------------------------------------------------------------- */

/* Whether two answers are the same. Undecided is never counted as correct. */
typedef enum { CORD_EQUAL, CORD_DIFFERENT, CORD_UNDECIDED } cord_verdict;

/* Compares a final answer with the gold one, both as plain answers (see cord_extract_answer for whole texts).
 * Numbers (integers of any size, decimals, fractions, percentages, currency, thousands separators, \boxed{…}) are
 * compared as exact rationals; equal texts are equal. Anything else is undecided rather than guessed.
 * `why`, if not NULL, is set to a static sentence that names the rule. Never fails. */
cord_verdict cord_verify(cord_text gold, cord_text answer, const char **why);

/* Finds the final answer in a model's whole reply: after the last </think> if there is one, the last \boxed{…}, else
 * what follows "the (final) answer is", "Answer:" or "####". Returns false when there is none. `answer` is a part of
 * `reply` (borrowed from it). */
bool cord_extract_answer(cord_text reply, cord_text *answer);

/* The verdict as a word: "equal", "different", "undecided". Static. */
const char *cord_verdict_name(cord_verdict verdict);

#ifdef __cplusplus
}
#endif
#endif
